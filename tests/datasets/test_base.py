"""What all data sets share: the home is found, parts are chosen and cached, and damage is said."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from har_virtual import Recording, segment_recordings
from har_virtual.datasets.base import DataSet, Part, Reading, Task, keep_labels
from har_virtual.exceptions import DataFormatError, DataWarning, UnknownNameError
from har_virtual.recording import storage

CHANNELS = [f"{site}_{quantity}_{axis}" for site in ("waist", "head") for quantity in ("acc", "gyr") for axis in "xyz"]


class Toy(DataSet):
    """One JSON file a subject: two activities, half and half, then nothing."""

    name, title, example = "toy", "the toy", "people/p1.json"
    folders = ("Toy",)
    checks_units = False
    subjects = ("1", "2", "10")
    sites, quantities = ("waist", "head"), ("acc", "gyr")
    tasks: ClassVar = {"all": Task(), "rest": Task(("sit",)), "posture": Task(("upright",), "posture")}

    def __init__(self) -> None:
        self.read_parts: list[str] = []

    def find_parts(self, home: Path) -> list[Part]:
        files = sorted((home / "people").glob("p*.json"), key=lambda path: int(path.stem[1:]))
        return [Part(path.stem[1:], "day", (f"people/{path.name}",)) for path in files]

    def read(self, home: Path, part: Part) -> Reading:
        self.read_parts.append(part.subject)
        path = home / part.files[0]
        try:
            content = json.loads(path.read_text())
        except ValueError as error:
            raise DataFormatError(f"{path}: no JSON") from error
        n = content["n"]
        labels = np.array((["walk"] * n + ["sit"] * n + [None] * n)[: 3 * n], dtype=object)
        recording = Recording(
            np.full((3 * n, 12), content["value"]),
            50,
            CHANNELS,
            subject=part.subject,
            session=part.session,
            labels=labels,
            annotations={"posture": np.where(labels == "walk", "upright", "low")},
            dataset=self.name,
        )
        return Reading([recording], [f"{part.files[0]} has a quirk."] if content.get("quirk") else [])

    def describe(self) -> str:
        return "# The toy"


@pytest.fixture
def home(tmp_path) -> Path:
    (tmp_path / "home" / "people").mkdir(parents=True)
    for subject, n in {1: 100, 2: 50, 10: 50}.items():
        content = {"n": n, "value": float(subject)}
        (tmp_path / "home" / "people" / f"p{subject}.json").write_text(json.dumps(content))
    return tmp_path / "home"


@pytest.fixture(autouse=True)
def cache_folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("HAR_VIRTUAL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_everything_that_is_there_is_loaded_with_its_card(home):
    recordings = Toy().load(home)
    assert [recording.subject for recording in recordings] == ["1", "2", "10"]
    assert recordings.DESCR == "# The toy"
    assert recordings[1:].DESCR == recordings.select(subject="2").DESCR == recordings.DESCR


def test_windows_are_cut_from_what_was_loaded(home):
    windows = segment_recordings(Toy().load(home), 1.0, overlap=0.0)
    assert windows.X.shape == (3 * 4 // 3 + 4, 50, 12)
    assert sorted(set(windows.y)) == ["sit", "walk"]


@pytest.mark.parametrize("subjects", [["2", "10"], [2, 10], np.array([10, 2]), (s for s in "2 10".split())])
def test_subjects_are_chosen_by_name_or_number(home, subjects):
    toy = Toy()
    assert [recording.subject for recording in toy.load(home, subjects=subjects)] == ["2", "10"]
    assert toy.read_parts == ["2", "10"]


def test_one_subject_needs_no_list(home):
    assert [recording.subject for recording in Toy().load(home, subjects=10)] == ["10"]


def test_a_subject_that_is_not_there_is_named_beside_those_that_are(home):
    with pytest.raises(UnknownNameError, match=r"subject: There is no 3; there is 1, 2, 10"):
        Toy().load(home, subjects=[1, 3])


def test_sites_and_quantities_choose_channels_in_the_data_set_s_order(home):
    recordings = Toy().load(home, sites=["head", "waist"], quantities="acc")
    assert recordings[0].channels == tuple(c for c in CHANNELS if "_acc_" in c)
    assert Toy().load(home, sites="head")[0].channels == tuple(CHANNELS[6:])


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"task": "moving"}, r"task: There is no moving; there is all, rest, posture"),
        ({"sites": ["waist", "wrist"]}, r"site: There is no wrist; there is waist, head"),
        ({"quantities": "mag"}, r"quantity: There is no mag; there is acc, gyr"),
        ({"sites": []}, r"site: Nothing was asked for; there is waist, head"),
        ({"errors": "ignore"}, "errors must be 'raise' or 'warn', not 'ignore'"),
    ],
)
def test_what_the_data_set_does_not_have_is_named(home, asked, message):
    with pytest.raises(UnknownNameError, match=message):
        Toy().load(home, **asked)


def test_a_task_keeps_its_labels_and_no_other(home):
    recording = Toy().load(home, task="rest", subjects=1)[0]
    assert recording.labels.tolist() == [None] * 100 + ["sit"] * 100 + [None] * 100


def test_a_task_may_take_another_track(home):
    recording = Toy().load(home, task="posture", subjects=1)[0]
    assert recording.labels.tolist() == ["upright"] * 100 + [None] * 200


def test_labels_are_kept_sample_by_sample():
    labels = np.array(["a", "b", "b", None, "a", "c"], dtype=object)
    assert keep_labels(labels, ["b", "c"]).tolist() == [None, "b", "b", None, None, "c"]
    assert keep_labels(labels, ["a", "b", "c", "d"]) is labels


def test_recordings_are_changed_before_they_are_chosen(home):
    def rename(recording):
        names = [channel.replace("head", "chest") for channel in recording.channels]
        return None if recording.subject == "2" else recording.replace(channels=names)

    recordings = Toy().load(home, change=rename, known_sites=["waist", "chest"], sites="chest", quantities="gyr")
    assert [recording.subject for recording in recordings] == ["1", "10"]
    assert recordings[0].channels == ("chest_gyr_x", "chest_gyr_y", "chest_gyr_z")


def test_nothing_left_is_an_error_that_says_what_was_asked(home):
    with pytest.raises(DataFormatError, match=r"nothing is left of the toy for subjects 1; task all; sites head"):
        Toy().load(home, subjects=1, sites="head", change=lambda recording: None)


@pytest.mark.parametrize("given", [".", "Toy"])
def test_the_home_is_found_under_the_data_set_s_own_folder_name(home, given, tmp_path):
    home.rename(tmp_path / "Toy")
    assert len(Toy().load(tmp_path / given)) == 3


@pytest.mark.parametrize("wrong", ["data/home/people", "data", "."])
def test_a_wrong_level_is_named_with_the_right_one(home, wrong, tmp_path):
    (tmp_path / "data").mkdir()
    home.rename(tmp_path / "data" / "home")
    with pytest.raises(DataFormatError, match=r"is not the home of the toy; .*p1\.json: pass .*home\.$"):
        Toy().find_home(tmp_path / wrong)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="needs folders that cannot be read")
def test_a_folder_that_cannot_be_read_is_passed_by(tmp_path):
    (tmp_path / "closed").mkdir(mode=0)
    with pytest.raises(DataFormatError, match="holds nothing of the toy"):
        Toy().find_home(tmp_path)


def test_an_empty_folder_a_missing_one_and_another_one_are_told_apart(tmp_path):
    (tmp_path / "a" / "b" / "c" / "empty").mkdir(parents=True)
    where = tmp_path / "a" / "b" / "c"
    with pytest.raises(
        FileNotFoundError, match=r"absent is no folder; data_home must be the folder that holds people/p1"
    ):
        Toy().find_home(where / "absent")
    with pytest.raises(DataFormatError, match=r"empty is empty; .*har-virtual datasets info toy"):
        Toy().find_home(where / "empty")
    with pytest.raises(DataFormatError, match=r"c holds nothing of the toy; .*har-virtual datasets info toy"):
        Toy().find_home(where)


def test_a_damaged_part_is_an_error(home):
    (home / "people" / "p2.json").write_text("{")
    with pytest.raises(DataFormatError, match=r"p2\.json: no JSON"):
        Toy().load(home)


def test_a_damaged_part_can_be_left_out_with_a_warning(home):
    (home / "people" / "p2.json").write_text("{")
    with pytest.warns(DataWarning, match=r"people/p2\.json was left out: .*no JSON"):
        recordings = Toy().load(home, errors="warn")
    assert [recording.subject for recording in recordings] == ["1", "10"]


def test_threads_give_what_one_gives(home):
    for one, two in zip(Toy().load(home, cache=False), Toy().load(home, cache=False, n_jobs=2), strict=True):
        assert one.subject == two.subject
        np.testing.assert_array_equal(one, two)


def test_what_was_read_is_not_read_again(home):
    toy = Toy()
    first = toy.load(home)
    again = toy.load(home, sites="head")
    assert toy.read_parts == ["1", "2", "10"]
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.select(two.channels), two)
        assert one.labels.tolist() == two.labels.tolist()
        assert (one.session, one.dataset, one.start_s) == (two.session, two.dataset, two.start_s)


def test_a_changed_file_another_version_and_another_variant_are_read_again(home):
    toy = Toy()
    toy.load(home, subjects=1)
    (home / "people" / "p1.json").write_text(json.dumps({"n": 80, "value": 5.0}))
    assert toy.load(home, subjects=1)[0].data[0, 0] == 5.0
    toy.variant = "other"
    toy.load(home, subjects=1)
    type(toy).version += 1
    toy.load(home, subjects=1)
    type(toy).version -= 1
    assert toy.read_parts == ["1"] * 4


def test_a_file_of_the_same_content_elsewhere_is_not_read_again(home, tmp_path):
    toy = Toy()
    toy.load(home)
    home.rename(tmp_path / "moved")
    toy.load(tmp_path / "moved")
    assert toy.read_parts == ["1", "2", "10"]


def test_without_the_cache_no_file_is_written(home, cache_folder):
    before = files_below(home)
    Toy().load(home, cache=False)
    assert not cache_folder.exists()
    assert files_below(home) == before


def test_a_damaged_entry_of_the_cache_is_read_anew(home, cache_folder):
    toy = Toy()
    toy.load(home, subjects=1)
    for path in cache_folder.rglob("*.parquet"):
        path.write_bytes(b"PAR1")
    assert toy.load(home, subjects=1)[0].data[0, 0] == 1.0
    assert toy.load(home, subjects=1)[0].data[0, 0] == 1.0
    assert toy.read_parts == ["1", "1"]


def test_nothing_half_written_is_left_in_the_cache(home, cache_folder, monkeypatch):
    def fail(recording, path, **_):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(storage, "write", fail)
    with pytest.warns(DataWarning, match=r"toy: what was read cannot be kept there \(No space left on device\)"):
        recordings = Toy().load(home, subjects=1)
    assert len(recordings) == 1
    assert not files_below(cache_folder / "datasets")


def test_notes_are_warned_of_from_the_cache_too(home):
    (home / "people" / "p1.json").write_text(json.dumps({"n": 80, "value": 5.0, "quirk": True}))
    for _ in range(2):
        with pytest.warns(DataWarning, match=r"people/p1\.json has a quirk"):
            Toy().load(home)


def test_the_warning_points_at_the_caller_of_the_public_loader(home):
    def load_toy(data_home):
        return Toy().load(data_home)

    (home / "people" / "p1.json").write_text(json.dumps({"n": 80, "value": 5.0, "quirk": True}))
    with pytest.warns(DataWarning) as caught:
        load_toy(home)
    assert caught[0].filename == __file__


def test_sets_are_pickled_whole(home):
    recordings = pickle.loads(pickle.dumps(Toy().load(home)))
    assert recordings.DESCR == "# The toy"
    assert len(recordings) == 3
