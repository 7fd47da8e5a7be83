"""The battery for loaders passes a small third party's and names each fault of it."""

from __future__ import annotations

import dataclasses
import os
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from har_virtual import Recording, RecordingSet
from har_virtual.exceptions import DataFormatError, DataWarning, UnknownNameError
from har_virtual.recording import channel_quantity, channel_site
from har_virtual.testing.datasets import check_dataset

CHANNELS = tuple(
    f"{site}_{quantity}_{axis}" for site in ("chest", "head") for quantity in ("acc", "gyr") for axis in "xyz"
)
LABELS = ("lying", "walking")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Three people, one file each: a label and twelve readings a row, some of them missing."""
    folder = tmp_path / "home"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for subject in ("2", "10", "9"):
        values = rng.normal(0, 1, (40, 12)) + np.tile([0, 0, 9.81, 0, 0, 0], 2)
        values[5:8, 0] = np.nan
        rows = [",".join([LABELS[i // 20], *(f"{v:.3f}" for v in row)]) for i, row in enumerate(values)]
        (folder / f"{subject}.csv").write_text("\n".join(rows))
    return folder


def read(path: Path, **fields) -> Recording:
    rows = [line.split(",") for line in path.read_text().splitlines()]
    data = np.array([row[1:] for row in rows], dtype=np.float32)
    fields = {"subject": path.stem, "session": "day", "dataset": "home", "labels": [row[0] for row in rows]} | fields
    return Recording(data, 50.0, CHANNELS, **fields)


def choose(kind, asked, known):
    asked = known if asked is None else [str(item) for item in ([asked] if isinstance(asked, str | int) else asked)]
    if not set(asked) <= set(known):
        raise UnknownNameError(f"There is no such {kind}; there is {', '.join(known)}.")
    return asked


def narrowed(recording, sites, quantities):
    return recording.select(
        c for c in recording.channels if channel_site(c) in sites and channel_quantity(c) in quantities
    )


def load_home(data_home, *, subjects=None, task="all", sites=None, quantities=None, n_jobs=None, cache=True):
    """Load what a third party recorded at home."""
    paths = sorted(Path(data_home).glob("*.csv"), key=lambda path: int(path.stem))
    if not paths:
        raise DataFormatError(f"{data_home} has no .csv files; data_home must be the folder with those of the people.")
    wanted = choose("subject", subjects, [path.stem for path in paths])
    choose("task", task, ["all"])
    sites, quantities = choose("site", sites, ["chest", "head"]), choose("quantity", quantities, ["acc", "gyr"])
    warnings.warn("One sensor was loose.", DataWarning, stacklevel=2)
    with ThreadPoolExecutor(n_jobs or 1) as pool:
        recordings = list(pool.map(read, (path for path in paths if path.stem in wanted)))
    if cache:
        (Path(os.environ["HAR_VIRTUAL_CACHE"]) / "kept.txt").write_text("kept")
    return RecordingSet((narrowed(r, sites, quantities) for r in recordings), DESCR="People at home.")


def test_a_third_party_s_loader_passes(home):
    assert check_dataset(load_home, home) == []


def test_what_a_loader_does_not_take_is_not_checked_but_named(home):
    assert check_dataset(lambda data_home: load_home(data_home), home) == [
        "subjects",
        "task",
        "sites",
        "quantities",
        "n_jobs",
        "cache",
    ]


def test_options_reach_the_loader(home):
    assert check_dataset(load_home, home, sites="head", subjects=[9, 10]) == []
    with pytest.raises(UnknownNameError, match="no such site"):
        check_dataset(load_home, home, sites="waist")


def test_the_user_s_cache_is_left_alone(home, tmp_path, monkeypatch):
    monkeypatch.setenv("HAR_VIRTUAL_CACHE", str(tmp_path / "cache"))
    check_dataset(load_home, home)
    assert os.environ["HAR_VIRTUAL_CACHE"] == str(tmp_path / "cache") and not (tmp_path / "cache").exists()
    monkeypatch.delenv("HAR_VIRTUAL_CACHE")
    check_dataset(load_home, home)
    assert "HAR_VIRTUAL_CACHE" not in os.environ


def test_streams_of_two_rates_pass(home):
    def load(data_home):
        first, *others = load_home(data_home)
        return RecordingSet([first.replace(sampling_rate_hz=25.0), *others], DESCR="Two rates.")

    check_dataset(load, home)


def test_text_and_numbers_are_compared_by_value(home):
    def load(data_home, *, cache=True):
        number, text = (
            (1.5, np.array(["nothing"] * 40)) if cache else (np.float64(1.5), np.array(["nothing"] * 40, "U99"))
        )
        kept = (
            r.replace(attrs={"rate": number}, annotations={"doing": text}) for r in load_home(data_home, cache=False)
        )
        return RecordingSet(kept, DESCR="By value.")

    check_dataset(load, home)


def test_unlabelled_streams_and_single_labels_pass(home):
    def load(data_home):
        first, second, third = load_home(data_home)
        return RecordingSet([first, second.replace(labels="walking"), third.replace(labels=None)], DESCR="Some labels.")

    check_dataset(load, home)


def test_virtual_streams_may_lack_gravity_but_real_ones_not(home):
    def weightless(domain, gravity):
        def load(data_home):
            changed = (
                r.replace(data=r.data * 0.01, domain=domain, attrs={"gravity": gravity}) for r in load_home(data_home)
            )
            return RecordingSet(changed, DESCR="In free fall.")

        return load

    check_dataset(weightless("virtual", False), home)
    for domain, gravity in (("virtual", True), ("real", False)):
        with pytest.raises(AssertionError, match="acc is in m/s2, with gravity"):
            check_dataset(weightless(domain, gravity), home)


def each(**changes):
    """A fault in every recording: values, or functions of the recording."""

    def fault(loaded, call):
        def changed(recording):
            fields = {k: v(recording) if callable(v) else v for k, v in changes.items()}
            return recording.replace(**fields)

        return RecordingSet(map(changed, loaded), DESCR=loaded.DESCR)

    return fault


def only(condition, fault):
    """A fault where the loader is called in some way only."""
    return lambda loaded, call: fault(loaded, call) if condition(call) else loaded


def fewer(loaded, call):
    return loaded[:-1] if len(loaded) > 1 else loaded


def in_double_precision(loaded, call):
    for recording in loaded:
        object.__setattr__(recording, "data", recording.data.astype(float))
    return loaded


CALLS = count()


def once_more(loaded, call):
    return each(start_s=float(next(CALLS)))(loaded, call)


def as_list(loaded, call):
    return list(loaded)


def backwards(loaded, call):
    return loaded[::-1]


def by_text(loaded, call):
    return RecordingSet(sorted(loaded, key=lambda recording: recording.subject), DESCR=loaded.DESCR)


def twice(loaded, call):
    return loaded + loaded


def writes(folder):
    def fault(loaded, call):
        Path(folder() or call["data_home"], "left.txt").write_text("left")
        return loaded

    return fault


def warns(loaded, call):
    warnings.warn("Something else.", DataWarning, stacklevel=2)
    return loaded


def warns_once_more(loaded, call):
    warnings.warn(f"Something else, call {next(CALLS)}.", DataWarning, stacklevel=2)
    return loaded


class ByPlaceInTheFile(RecordingSet):
    def __getitem__(self, index):
        return super().__getitem__(index)[::-1] if hasattr(index, "dtype") else super().__getitem__(index)


class ForgetsItsLast(RecordingSet):
    def __reduce__(self):
        return RecordingSet, (list(self)[:-1],)


class Shifted(Recording):
    def track(self, label=None):
        return np.roll(super().track(label), 1)


class Trackless(Recording):
    def track(self, label=None):
        raise DataFormatError("There is no track.")


def made_as(kind):
    def fault(loaded, call):
        names = [field.name for field in dataclasses.fields(Recording)]
        return RecordingSet((kind(**{n: getattr(r, n) for n in names}) for r in loaded), DESCR=loaded.DESCR)

    return fault


def cache_folder():
    return os.environ["HAR_VIRTUAL_CACHE"]


def in_order_of_asking(loaded, call):
    asked = call["subjects"]
    return backwards(loaded, call) if isinstance(asked, list) and len(asked) > 1 else loaded


FAULTS = {
    "a loader returns a RecordingSet": as_list,
    "at least one recording": lambda loaded, call: loaded[:0],
    "DESCR describes the data": lambda loaded, call: RecordingSet(loaded, DESCR=" "),
    "all recordings have one dataset": each(dataset=lambda r: f"home{r.subject}"),
    "tell recordings apart": twice,
    "are sorted by subject": backwards,
    "sorted by subject, numbers by their value": by_text,
    "rows of to_frame chooses": lambda loaded, call: ByPlaceInTheFile(loaded, DESCR=loaded.DESCR),
    "can be pickled": each(attrs={"lock": threading.Lock()}),
    "a pickled set is the same": lambda loaded, call: ForgetsItsLast(loaded, DESCR=loaded.DESCR),
    "session is a text": each(session=None),
    "dataset is a text": each(dataset=""),
    "data are float32": in_double_precision,
    "a recording has samples": each(data=lambda r: r.data[:0], labels=None),
    "named <site>_<acc|gyr|mag>_<x|y|z> with a known site": each(channels=[c.replace("head", "hat") for c in CHANNELS]),
    r"with a known site \(\['heart_rate'": each(channels=["heart_rate", *CHANNELS[1:]]),
    "sampling rate is in hertz": each(sampling_rate_hz=0.05),
    r"a label is a text or None \(\[1\]": each(labels=1),
    r"a label is a text or None \(\[0.5\]": each(
        labels=lambda r: np.array(["walking", None, 0.5, "lying"] * 10, dtype=object)
    ),
    "acc is in m/s2, with gravity": each(data=lambda r: r.data / 9.81),
    "gyr is in rad/s": each(data=lambda r: r.data * np.tile([1, 1, 1, 57.3, 57.3, 57.3], 2)),
    "two loads give the same": once_more,
    "two loads warn of the same": warns_once_more,
    "two jobs give what one gives": only(lambda call: call["n_jobs"] == 2, backwards),
    "subjects='2' gives the recordings of that one": only(lambda call: call["subjects"] == "2", each(start_s=1.0)),
    r"subjects=\['10'\] gives": only(lambda call: call["subjects"] == ["10"], each(session="night")),
    "subjects=2 gives": only(lambda call: call["subjects"] == 2, each(session="night")),
    r"order of recordings does not depend on that of subjects=": in_order_of_asking,
    "sites='head' gives what Recording.select gives": only(
        lambda call: call["sites"] == "head", each(data=lambda r: -r.data)
    ),
    r"sites=\['head', 'chest'\] gives": only(
        lambda call: call["sites"] == ["head", "chest"],
        each(channels=lambda r: r.channels[::-1], data=lambda r: r.data[:, ::-1]),
    ),
    "quantities='gyr' gives": only(lambda call: call["quantities"] == "gyr", fewer),
    "cache=False leaves no file in the cache": only(lambda call: not call["cache"], writes(cache_folder)),
    "cache=True gives what cache=False gives, when": only(lambda call: call["cache"], each(start_s=1.0)),
    "cache=True warns of what cache=False warns of": only(lambda call: call["cache"], warns),
    r"when the cache is filled \(another attrs\['how'\] of real recording home/2": only(
        lambda call: call["cache"], each(attrs={"how": [1]})
    ),
    "leaves the data's folder as it was": writes(lambda: None),
    "its labelled samples without a hole become windows": made_as(Shifted),
    r"samples without a hole become windows .*: There is no track\.": made_as(Trackless),
}


def called(fault):
    """The loader with a fault, which sees how it was called."""

    def load(data_home, *, subjects=None, task="all", sites=None, quantities=None, n_jobs=None, cache=True):
        call = dict(locals(), data_home=data_home)
        return fault(load_home(**{name: value for name, value in call.items() if name != "fault"}), call)

    return load


@pytest.mark.parametrize("description", ["", "\n", None])
def test_a_set_without_a_description_is_named(description, home):
    with pytest.raises(AssertionError, match="DESCR describes the data"):
        check_dataset(called(lambda loaded, call: RecordingSet(loaded, DESCR=description)), home)


@pytest.mark.parametrize("what", FAULTS)
def test_a_fault_is_named(what, home):
    with pytest.raises(AssertionError, match=what):
        check_dataset(called(FAULTS[what]), home)


def without_files(error, call):
    return isinstance(error, DataFormatError)


def empty_set(error, call):
    if without_files(error, call):
        return RecordingSet([])
    raise error


def raising(kind, message, wanted):
    """Raise another error than the loader did, if it was one of a kind."""

    def fault(error, call):
        raise kind(message.format(**call)) if wanted(error, call) else error

    return fault


def scatters(error, call):
    if call["data_home"].is_dir():
        (call["data_home"] / "log.txt").write_text("nothing found")
    raise error


def without_folder(error, call):
    return isinstance(error, DataFormatError) and not call["data_home"].exists()


def without_name(name):
    return lambda error, call: isinstance(error, UnknownNameError) and call[name] not in (None, "all")


WRONG_ERRORS = {
    "an empty folder raises a DataFormatError or FileNotFoundError that names it": empty_set,
    r"FileNotFoundError that names it \(it raised ValueError": raising(ValueError, "{data_home}", without_files),
    r"an empty folder .* names it \(it raised DataFormatError": raising(DataFormatError, "must", without_files),
    "the error for an empty folder says what to do": raising(DataFormatError, "{data_home} is bad.", without_files),
    "a missing folder raises": raising(OSError, "{data_home} must be", without_folder),
    "the error for a missing folder says": raising(FileNotFoundError, "{data_home}", without_folder),
    "writes nothing into an empty folder": scatters,
    "an unknown subject raises an UnknownNameError that lists": raising(
        UnknownNameError, "There is no {subjects}.", without_name("subjects")
    ),
    r"lists those there \(it raised KeyError": raising(KeyError, "2, 9, 10", without_name("subjects")),
    "an unknown name of sites is an UnknownNameError": raising(KeyError, "{sites}", without_name("sites")),
    "an unknown name of quantities is": raising(KeyError, "{quantities}", without_name("quantities")),
    "an unknown name of task is": raising(KeyError, "{task}", without_name("task")),
}


@pytest.mark.parametrize("what", WRONG_ERRORS)
def test_a_wrong_error_is_named(what, home):
    def load(data_home, *, subjects=None, task="all", sites=None, quantities=None):
        call = {"data_home": data_home, "subjects": subjects, "task": task, "sites": sites, "quantities": quantities}
        try:
            return load_home(**call, cache=False)
        except (UnknownNameError, DataFormatError) as error:
            return WRONG_ERRORS[what](error, call)

    with pytest.raises(AssertionError, match=what):
        check_dataset(load, home)
