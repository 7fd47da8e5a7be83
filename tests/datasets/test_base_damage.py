"""What all data sets do about damage, races, and what was asked for wrongly."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from har_virtual import Recording
from har_virtual.datasets import _cache
from har_virtual.datasets._cache import ReadingCache
from har_virtual.datasets.base import DataSet, Part, Reading, Task
from har_virtual.exceptions import DataFormatError, DataWarning, UnknownNameError

CHANNELS = [f"{site}_acc_{axis}" for site in ("waist", "head") for axis in "xyz"]


class Pair(DataSet):
    """Two files a subject: a value, and one that is added to it."""

    name, title, example = "pair", "the pair", "p1.json"
    subjects, sites, quantities = ("1", "2", "3"), ("waist", "head"), ("acc",)
    checks_units = False

    def __init__(self) -> None:
        self.read_parts: list[str] = []

    def find_parts(self, home: Path) -> list[Part]:
        return [Part(path.stem[1:], "day", (path.name, "extra.json")) for path in sorted(home.glob("p?.json"))]

    def read(self, home: Path, part: Part) -> Reading:
        self.read_parts.append(part.subject)
        value = sum(json.loads((home / file).read_text()) for file in part.files)
        recordings = [
            Recording(np.full((60, 6), value + n), 50, CHANNELS, subject=part.subject, session=str(n), labels="walk")
            for n in range(3)
        ]
        return Reading(recordings, ["The pair is odd."])

    def describe(self) -> str:
        return "# The pair"


@pytest.fixture
def home(tmp_path) -> Path:
    for name in ("p1", "p2", "extra"):
        (tmp_path / f"{name}.json").write_text("1")
    return tmp_path


@pytest.fixture(autouse=True)
def cache_folder(tmp_path_factory, monkeypatch) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("HAR_VIRTUAL_CACHE", str(folder))
    return folder


def load(data_set, home, **asked):
    with pytest.warns(DataWarning) as caught:
        recordings = data_set.load(home, **asked)
    return recordings, [str(warning.message) for warning in caught]


def test_a_note_of_several_parts_is_given_once(home):
    _, said = load(Pair(), home)
    assert said == ["The pair is odd."]


def test_a_second_file_of_a_part_counts_as_well(home):
    pair = Pair()
    assert load(pair, home)[0][0].data[0, 0] == 2
    (home / "extra.json").write_text("10")
    assert load(pair, home)[0][0].data[0, 0] == 11


def test_parts_of_equal_content_stay_apart(home):
    pair = Pair()
    for _ in range(2):
        assert [recording.subject for recording in load(pair, home)[0]] == ["1"] * 3 + ["2"] * 3
    assert pair.read_parts == ["1", "2"]


@pytest.mark.parametrize("name", ["CACHE_VERSION", "_labels_sha256"])
def test_entries_of_another_version_or_another_table_of_labels_are_not_read(home, monkeypatch, name):
    pair = Pair()
    load(pair, home, subjects=1)
    monkeypatch.setattr(_cache, name, 99 if name == "CACHE_VERSION" else lambda: "other")
    load(pair, home, subjects=1)
    assert pair.read_parts == ["1", "1"]


def test_a_byte_that_changed_in_the_cache_is_noticed(home, cache_folder):
    expected = [recording.data.copy() for recording in load(Pair(), home, subjects=1)[0]]
    entry = next(cache_folder.rglob("0000.parquet"))
    whole = entry.read_bytes()
    for place in range(4, len(whole), 97):
        entry.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        recordings = load(Pair(), home, subjects=1)[0]
        np.testing.assert_array_equal(recordings[0].data, expected[0])
        assert set(recordings[0].track()) == {"walk"}


@pytest.mark.parametrize("damage", ["one recording is missing", "no contents"])
def test_an_entry_that_is_not_whole_is_read_anew_and_mended(home, cache_folder, damage):
    pair = Pair()
    load(pair, home, subjects=1)
    pattern = "0001.parquet" if damage == "one recording is missing" else "contents.json"
    next(cache_folder.rglob(pattern)).unlink()
    for _ in range(2):
        assert len(load(pair, home, subjects=1)[0]) == 3
    assert pair.read_parts == ["1", "1"]


def test_readers_and_writers_of_one_entry_never_see_a_part_of_it(home):
    cache = ReadingCache("pair", "1")
    part = Pair().find_parts(home)[0]
    reading = Pair().read(home, part)
    entry = cache.entry(home, part)

    def work(_: int) -> int:
        cache.put(entry, reading)
        again = cache.get(entry)
        return len(again.recordings)

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(work, range(60))) == {3}


def test_what_was_read_of_a_file_that_changed_meanwhile_is_not_kept(home):
    class Slow(Pair):
        def read(self, home, part):
            reading = super().read(home, part)
            (home / part.files[0]).write_text("500")
            return reading

    load(Slow(), home, subjects=1)
    assert load(Pair(), home, subjects=1)[0][0].data[0, 0] == 501


def test_what_cannot_be_kept_is_given_all_the_same(home):
    class Odd(Pair):
        def read(self, home, part):
            recordings, notes, _ = super().read(home, part)
            return Reading([recording.replace(attrs={"array": np.ones(2)}) for recording in recordings], notes)

    recordings, said = load(Odd(), home, errors="warn")
    assert len(recordings) == 6
    assert any("cannot be kept there" in message for message in said)


def test_a_part_that_cannot_be_opened_is_left_out_with_a_warning(home):
    (home / "p2.json").unlink()
    (home / "p2.json").mkdir()
    recordings, said = load(Pair(), home, errors="warn", cache=False)
    assert {recording.subject for recording in recordings} == {"1"}
    assert any(message.startswith("p2.json was left out: ") for message in said)
    with pytest.raises(OSError, match=r"p2\.json"):
        Pair().load(home, cache=False)


def test_a_change_that_fails_leaves_its_part_out(home):
    def fail(recording):
        raise DataFormatError(f"subject {recording.subject} has no frame")

    with pytest.raises(DataFormatError, match="subject 1 has no frame"):
        Pair().load(home, change=fail)
    change = lambda recording: fail(recording) if recording.subject == "1" else recording  # noqa: E731
    recordings, said = load(Pair(), home, change=change, errors="warn")
    assert {recording.subject for recording in recordings} == {"2"}
    assert "p1.json was left out: subject 1 has no frame" in said


def test_what_was_not_asked_for_is_not_changed(home):
    class Halves(Pair):
        def read(self, home, part):
            recordings, notes, _ = super().read(home, part)
            sites = [CHANNELS[:3], CHANNELS[3:], CHANNELS]
            return Reading([r.select(sites[n]) for n, r in enumerate(recordings)], notes)

    seen = []
    recordings, _ = load(Halves(), home, subjects=1, sites="head", change=lambda r: seen.append(r.channels) or r)
    assert [recording.session for recording in recordings] == ["1", "2"]
    assert seen == [tuple(CHANNELS[3:]), tuple(CHANNELS)], "a change sees all channels of a recording"


def test_recordings_without_a_label_are_left_out(home):
    class Silent(Pair):
        def read(self, home, part):
            recordings, notes, _ = super().read(home, part)
            nothing = np.full(60, None, dtype=object)
            return Reading(
                [recordings[0], recordings[1].replace(labels=None), recordings[2].replace(labels=nothing)], notes
            )

    recordings, _ = load(Silent(), home, subjects=1)
    assert [recording.session for recording in recordings] == ["0"]


@pytest.mark.parametrize("task", [["all"], None, 3])
def test_a_task_is_one_name(home, task):
    with pytest.raises(UnknownNameError, match="the pair: task must be one name, of all, not"):
        Pair().load(home, task=task)


def test_a_track_that_a_recording_lacks_is_named(home, monkeypatch):
    monkeypatch.setattr(Pair, "tasks", {"gestures": Task(None, "gestures")})
    with pytest.raises(UnknownNameError, match="has no annotation 'gestures'"):
        Pair().load(home, task="gestures")


def test_the_user_s_folder_is_understood(home, monkeypatch):
    monkeypatch.setenv("HOME", str(home.parent))
    assert Pair().find_home(f"~/{home.name}/") == home


def test_parts_are_read_at_once(home):
    meet = threading.Barrier(2, timeout=20)

    class Waiting(Pair):
        def read(self, home, part):
            meet.wait()
            return super().read(home, part)

    assert len(load(Waiting(), home, n_jobs=2, cache=False)[0]) == 6


def test_folders_that_cannot_be_read_are_passed_by(tmp_path, monkeypatch):
    class Closed(Pair):
        def find_parts(self, home):
            if home.name == "closed":
                raise PermissionError(13, "Permission denied", str(home))
            return super().find_parts(home)

    (tmp_path / "closed").mkdir()
    with pytest.raises(DataFormatError, match="holds nothing of the pair"):
        Closed().find_home(tmp_path)


@pytest.mark.parametrize(
    ("factor", "quantity", "doubt"),
    [
        (1 / 9.81, "acc", r"p1\.json: the median of \|a\| at waist is 1\.00 m/s2, as if the values were in g"),
        (9.81, "acc", r"p1\.json: the median of \|a\| at waist is 96\.24 m/s2, far from gravity"),
        (10.0, "gyr", r"p1\.json: turns at waist reach 98 rad/s, as if in deg/s"),
    ],
)
def test_files_in_other_units_are_told_also_from_the_cache(home, factor, quantity, doubt):
    class Converted(Pair):
        checks_units, quantities = True, ("acc", "gyr")

        def read(self, home, part):
            data = np.full((5000, 3), np.nan)
            data[:2500] = [0, 0, 9.81 * factor]
            channels = [f"waist_{quantity}_{axis}" for axis in "xyz"]
            still = Recording(data, 50, channels, subject=part.subject, session="a", labels="walk")
            return Reading([still], [])

    for _ in range(2):
        with pytest.warns(DataWarning, match=doubt):
            Converted().load(home, subjects=1)


def test_a_subject_who_is_published_but_not_here_is_told_apart_from_one_who_is_not(home):
    with pytest.raises(
        UnknownNameError, match=r"no file of subject 3, who is in the pair; there is 1, 2\. .*check pair"
    ):
        Pair().load(home, subjects=[1, 3])
    with pytest.raises(UnknownNameError, match=r"subject: There is no 4; there is 1, 2"):
        Pair().load(home, subjects=[1, 4])


def test_what_there_is_is_named_where_nothing_is_that_was_asked_for(home):
    with pytest.raises(DataFormatError, match=r"nothing of what was asked for of subject 1; there is day"):
        Pair().load(home, subjects=1, keep=lambda part: part.session == "night")


def test_a_cache_that_cannot_be_used_is_told_once_and_where_the_loader_is_called(home, monkeypatch, tmp_path_factory):
    folder = tmp_path_factory.mktemp("other") / "file"
    folder.write_text("no folder")
    monkeypatch.setenv("HAR_VIRTUAL_CACHE", str(folder))
    _, said = load(Pair(), home)
    assert len([message for message in said if "cannot be kept there" in message]) == 1
