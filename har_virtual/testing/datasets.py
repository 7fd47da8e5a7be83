"""What a user relies on in the loader of a data set."""

from __future__ import annotations

import dataclasses
import inspect
import os
import pickle
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from numbers import Real
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from har_virtual.exceptions import DataWarning, HarVirtualError, UnknownNameError
from har_virtual.imu import SITES
from har_virtual.recording import Recording, RecordingSet, channel_quantity, channel_site
from har_virtual.testing._expectations import NOBODY, contents, error_of, expect, expect_folders_refused, same
from har_virtual.windows import segment_recordings

_OPTIONAL = ("subjects", "task", "sites", "quantities", "n_jobs", "cache")
_KNOWN_SITES = {*SITES, *(f"dominant_{site.removeprefix('left_')}" for site in SITES if site.startswith("left_"))}
_RATE_HZ = (2.0, 5000.0)
_GRAVITY_M_S2 = (4.0, 25.0)
_TURN_RAD_S = 35.0


def check_dataset(load: Callable[..., RecordingSet], data_home: str | os.PathLike, **options: Any) -> list[str]:
    """Check the loader of a data set, on a sample of it.

    What it loads must be a `RecordingSet` with a description, in SI units and known names, sorted by subject, each
    recording with its data set, subject, session and labels; the same at every call, from the cache, with two jobs,
    after pickling; selected as `Recording.select` would; fit for `segment_recordings`. Wrong folders and names must
    raise errors that say what to do, and neither the data's folder nor, with ``cache=False``, the cache's may change.

    Parameters
    ----------
    load : callable
        ``load(data_home, *, subjects=, task=, sites=, quantities=, n_jobs=, cache=)``; it may lack any of the keywords
        and have others.
    data_home : path-like
        With the sample. It is loaded some twenty times; each file is read and hashed twice.
    **options
        Passed to `load` every time.

    Returns
    -------
    list of str
        The keywords that `load` lacks, whose properties were not checked.

    Raises
    ------
    AssertionError
        With the name of the property that does not hold.

    Examples
    --------
    In the tests of a package that has a loader of its own::

        from har_virtual.testing import check_dataset

        def test_my_loader_keeps_the_contract():
            assert check_dataset(load_my_data, SAMPLE) == []
    """
    parameters = inspect.signature(load).parameters
    loader = _Loader(load, Path(data_home), options, frozenset(parameters))
    before = contents(loader.home)
    with _private_cache() as cache_folder:
        loaded = loader()
        _check_set(loaded.recordings)
        for recording in loaded.recordings:
            _check_fields(recording)
            _check_values(recording)
        _check_again(loader, loaded)
        _check_subjects(loader, loaded.recordings)
        _check_selection(loader, loaded.recordings)
        expect_folders_refused(loader)
        if "cache" in parameters:
            expect(not contents(cache_folder), "cache=False leaves no file in the cache")
            _check_cache(loader, loaded)
    expect(contents(loader.home) == before, "loading leaves the data's folder as it was")
    _check_windows(loaded.recordings)
    return [name for name in _OPTIONAL if name not in parameters]


class _Loaded(NamedTuple):
    recordings: RecordingSet
    notes: list[str]


@dataclasses.dataclass(frozen=True)
class _Loader:
    """A loader with what is passed to it every time."""

    load: Callable[..., RecordingSet]
    home: Path
    options: dict[str, Any]
    parameters: frozenset[str]

    def __call__(self, home: Path | None = None, /, **changes: Any) -> _Loaded:
        uncached = {"cache": False} if "cache" in self.parameters else {}
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", DataWarning)
            recordings = self.load(home or self.home, **{**self.options, **uncached, **changes})
        return _Loaded(recordings, [str(w.message) for w in caught if issubclass(w.category, DataWarning)])


def _check_set(loaded: RecordingSet) -> None:
    expect(isinstance(loaded, RecordingSet), "a loader returns a RecordingSet")
    expect(len(loaded) > 0, "a loader returns at least one recording")
    expect(isinstance(loaded.DESCR, str) and bool(loaded.DESCR.strip()), "the set's DESCR describes the data")
    datasets = {recording.dataset for recording in loaded}
    expect(len(datasets) == 1 and None not in datasets, f"all recordings have one dataset (it is one of {datasets})")
    keys = Counter((r.subject, r.session, r.domain, r.channels) for r in loaded)
    repeated = [key for key, count in keys.items() if count > 1]
    expect(not repeated, f"subject, session, domain and channels tell recordings apart (twice: {repeated[:1]})")
    for domain in ("real", "virtual"):
        subjects = [_natural(str(r.subject)) for r in loaded if r.domain == domain]
        expect(subjects == sorted(subjects), "recordings are sorted by subject, numbers by their value")
    frame = loaded.to_frame()
    _expect_equal(list(loaded)[::2], loaded[frame.index[::2]], "the index of rows of to_frame chooses recordings")
    error = error_of(partial(pickle.dumps, loaded))
    expect(error is None, f"the set can be pickled ({error!r})")
    _expect_equal(loaded, pickle.loads(pickle.dumps(loaded)), "a pickled set is the same")


def _natural(name: str) -> list[tuple[int, str]]:
    """Sort key in which s10 comes after s9."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name) if part]


def _check_fields(recording: Recording) -> None:
    for name in ("dataset", "subject", "session"):
        value = getattr(recording, name)
        expect(isinstance(value, str) and value != "", f"{name} is a text ({_name(recording)})")
    expect(recording.data.dtype == np.float32, f"data are float32 ({_name(recording)})")
    expect(len(recording) > 0, f"a recording has samples ({_name(recording)})")
    unknown = [c for c in recording.channels if channel_quantity(c) is None or channel_site(c) not in _KNOWN_SITES]
    expect(not unknown, f"channels are named <site>_<acc|gyr|mag>_<x|y|z> with a known site ({unknown})")
    rate = recording.sampling_rate_hz
    expect(_RATE_HZ[0] <= rate <= _RATE_HZ[1], f"the sampling rate is in hertz and plausible ({_name(recording)})")
    wrong = [label for label in _labels(recording) if label is not None and not isinstance(label, str)]
    expect(not wrong, f"a label is a text or None ({wrong[:3]} in {_name(recording)})")


def _labels(recording: Recording) -> list[Any]:
    return pd.unique(np.atleast_1d(np.asarray(recording.labels, dtype=object))).tolist()


def _check_values(recording: Recording) -> None:
    weightless = recording.domain == "virtual" and recording.attrs.get("gravity") is False
    for site, norms in _norms(recording, "acc"):
        median = float(np.median(norms))
        plausible = weightless or _GRAVITY_M_S2[0] <= median <= _GRAVITY_M_S2[1]
        expect(
            plausible, f"acc is in m/s2, with gravity (the median of |a| at {site} is {median:.3g}, {_name(recording)})"
        )
    for site, norms in _norms(recording, "gyr"):
        fast = float(np.quantile(norms, 0.95))
        expect(fast <= _TURN_RAD_S, f"gyr is in rad/s (turns at {site} reach {fast:.3g}, {_name(recording)})")


def _norms(recording: Recording, quantity: str) -> Iterator[tuple[str, np.ndarray]]:
    """Site and norm, where it is known, of every triad of a quantity."""
    for site in dict.fromkeys(str(channel_site(channel)) for channel in recording.channels):
        triad = [f"{site}_{quantity}_{axis}" for axis in "xyz"]
        if set(triad) <= set(recording.channels):
            norms = np.linalg.norm(recording.select(triad).data, axis=1)
            if not np.isnan(norms).all():
                yield site, norms[~np.isnan(norms)]


def _check_again(loader: _Loader, loaded: _Loaded) -> None:
    again = loader()
    _expect_equal(loaded.recordings, again.recordings, "two loads give the same")
    expect(again.notes == loaded.notes, "two loads warn of the same")
    if "n_jobs" in loader.parameters:
        for n_jobs in (1, 2):
            parallel = loader(n_jobs=n_jobs).recordings
            _expect_equal(loaded.recordings, parallel, "two jobs give what one gives, in the same order")


def _check_subjects(loader: _Loader, loaded: RecordingSet) -> None:
    if "subjects" not in loader.parameters:
        return
    subjects = list(dict.fromkeys(str(recording.subject) for recording in loaded))
    for subject in dict.fromkeys((subjects[0], subjects[-1])):
        forms: list[Any] = [subject, [subject]]
        if subject.isdigit() and subject == str(int(subject)):
            forms += [int(subject), [int(subject)]]
        for form in forms:
            chosen = loader(subjects=form).recordings
            _expect_equal(loaded.select(subject=subject), chosen, f"subjects={form!r} gives the recordings of that one")
    turned = loader(subjects=subjects[::-1]).recordings
    _expect_equal(loaded, turned, "the order of recordings does not depend on that of subjects=")
    error = error_of(partial(loader, subjects=NOBODY))
    listed = isinstance(error, UnknownNameError) and all(subject in str(error) for subject in subjects)
    expect(listed, f"an unknown subject raises an UnknownNameError that lists those there (it raised {error!r})")


def _check_selection(loader: _Loader, loaded: RecordingSet) -> None:
    for name, part_of in (("sites", channel_site), ("quantities", channel_quantity)):
        if name not in loader.parameters:
            continue
        there = dict.fromkeys(str(part_of(channel)) for recording in loaded for channel in recording.channels)
        for wanted in (*there, [*there][::-1]):
            _expect_equal(
                _selected(loaded, part_of, [wanted] if isinstance(wanted, str) else wanted),
                loader(**{name: wanted}).recordings,
                f"{name}={wanted!r} gives what Recording.select gives",
            )
    for name in {"sites", "quantities", "task"} & loader.parameters:
        error = error_of(partial(loader, **{name: NOBODY}))
        expect(isinstance(error, UnknownNameError), f"an unknown name of {name} is an UnknownNameError ({error!r})")


def _selected(loaded: RecordingSet, part_of: Callable[[str], str | None], wanted: Sequence[str]) -> list[Recording]:
    chosen = [(r, [channel for channel in r.channels if part_of(channel) in wanted]) for r in loaded]
    return [recording.select(channels) for recording, channels in chosen if channels]


def _check_cache(loader: _Loader, loaded: _Loaded) -> None:
    for when in ("when the cache is filled", "from the cache"):
        cached = loader(cache=True)
        _expect_equal(loaded.recordings, cached.recordings, f"cache=True gives what cache=False gives, {when}")
        expect(cached.notes == loaded.notes, f"cache=True warns of what cache=False warns of, {when}")


def _check_windows(loaded: RecordingSet) -> None:
    """Cut each device into windows of one sample, so that a small sample has some."""
    devices: dict[tuple[str, ...], list[Recording]] = {}
    for recording in loaded:
        for site in dict.fromkeys(channel_site(channel) for channel in recording.channels):
            own = tuple(channel for channel in recording.channels if channel_site(channel) == site)
            devices.setdefault(own, []).append(recording)
    for channels, recordings in devices.items():
        _check_windows_of(recordings, channels)


def _check_windows_of(recordings: list[Recording], channels: tuple[str, ...]) -> None:
    labels = [label for recording in recordings for label in _whole_labels(recording, channels)]
    if not labels:
        return
    rates = {recording.sampling_rate_hz for recording in recordings}
    what = f"segment_recordings takes each device: its labelled samples without a hole become windows ({channels}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)
            windows = segment_recordings(
                recordings, 1 / min(rates), 0.0, sampling_rate_hz=min(rates), channels=channels, max_gap_s=0.0
            )
    except HarVirtualError as error:
        raise AssertionError(f"This does not hold: {what}: {error})") from error
    found = [] if windows.y is None else windows.y.tolist()
    expect(found == labels if len(rates) == 1 else set(found) <= set(labels), f"{what})")


def _whole_labels(recording: Recording, channels: tuple[str, ...]) -> list[Any]:
    """Labels of the samples without a hole."""
    columns = [recording.channels.index(channel) for channel in channels]
    whole = ~np.isnan(recording.data[:, columns]).any(axis=1)
    labels = np.broadcast_to(np.asarray(recording.labels, dtype=object), len(recording))
    return [label for label in labels[whole].tolist() if label is not None]


def _expect_equal(expected: Iterable[Recording], found: Iterable[Recording], property_: str) -> None:
    difference = _difference(list(expected), list(found))
    expect(not difference, f"{property_} ({difference})")
    descriptions = {getattr(each, "DESCR", None) for each in (expected, found)} - {None}
    expect(len(descriptions) < 2, f"{property_} (DESCR differs)")


def _difference(expected: list[Recording], found: list[Recording]) -> str:
    if len(expected) != len(found):
        return f"{len(found)} recordings, not {len(expected)}"
    for one, other in zip(expected, found, strict=True):
        mine, its = _values(one), _values(other)
        differing = [name for name in {**mine, **its} if not _alike(mine.get(name), its.get(name))]
        if differing:
            return f"another {', '.join(differing)} of {_name(one)}"
    return ""


def _values(recording: Recording) -> dict[str, Any]:
    """What a recording holds, by name."""
    values = {field.name: getattr(recording, field.name) for field in dataclasses.fields(Recording)}
    for name in ("attrs", "annotations"):
        values |= {f"{name}[{key!r}]": value for key, value in values.pop(name).items()}
    return values


def _alike(one: Any, other: Any) -> bool:
    """Whether two values are equal; text is the same in an array for longer text, and a number in one of numpy's."""
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray) and {one.dtype.kind, other.dtype.kind} <= {*"OU"}:
        return np.array_equal(one.astype(object), other.astype(object))
    if isinstance(one, Real) and isinstance(other, Real):
        return one == other or (one != one and other != other)
    return same(one, other)


def _name(recording: Recording) -> str:
    return f"{recording.domain} recording {recording.group}/{recording.session}, {len(recording)} samples"


@contextmanager
def _private_cache() -> Iterator[Path]:
    """Let the library's cache be an empty folder for a while."""
    before = os.environ.get("HAR_VIRTUAL_CACHE")
    with TemporaryDirectory() as folder:
        os.environ["HAR_VIRTUAL_CACHE"] = folder
        try:
            yield Path(folder)
        finally:
            os.environ.pop("HAR_VIRTUAL_CACHE")
            if before is not None:
                os.environ["HAR_VIRTUAL_CACHE"] = before
