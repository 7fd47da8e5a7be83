from __future__ import annotations

from pathlib import Path

import pytest

from har_virtual.datasets.folder.pattern import PathPattern


def write(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x\n0\n")


@pytest.mark.parametrize(
    ("pattern", "file", "fields"),
    [
        ("{subject}/{session}_{site}.csv", "anna/1_left_wrist.csv", ("anna", "1", "left_wrist")),
        ("{subject}/{site}_{session}.csv", "anna/left_wrist_1.csv", ("anna", "left_wrist", "1")),
        ("{subject}/{site}_{session}.csv", "anna/my_watch_1.csv", ("anna", "my_watch", "1")),
        ("{subject}/{site}_{session}.csv", "anna/phone_a_1.csv", ("anna", "phone", "a_1")),
        ("{subject}/{subject}_{session}.csv", "anna/anna_1.csv", ("anna", "1")),
        ("{subject}/{subject}_{session}.csv", "anna/ben_1.csv", None),
        ("{subject}/*.csv", "anna/anything.csv", ("anna",)),
        ("{subject}/*.csv", "anna/deeper/anything.csv", None),
        ("{subject}/**/acc.csv", "anna/acc.csv", ("anna",)),
        ("{subject}/**/acc.csv", "anna/a/b/acc.csv", ("anna",)),
        ("**/{subject}.csv", "a/b/anna.csv", ("anna",)),
        ("{subject}.csv", "a/anna.csv", None),
        ("{subject}(1)+.csv", "anna(1)+.csv", ("anna",)),
    ],
)
def test_a_pattern_takes_paths_apart(pattern, file, fields):
    found = PathPattern(pattern, sites=["my_watch"]).match(file)
    assert (None if found is None else tuple(found.values())) == fields


def test_the_longest_name_of_a_site_is_the_one_that_a_path_has():
    pattern = PathPattern("{site}_{session}.csv", sites=["watch", "watch_a"])
    assert pattern.match("watch_a_1.csv") == {"site": "watch_a", "session": "1"}


def test_a_linked_folder_is_gone_into_where_the_pattern_says_how_deep(tmp_path):
    write(tmp_path / "elsewhere" / "1.csv")
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "anna").symlink_to(tmp_path / "elsewhere")
    assert [name.file for name in PathPattern("{subject}/{session}.csv").find(tmp_path / "home")] == ["anna/1.csv"]


def test_files_that_start_with_a_dot_are_none(tmp_path):
    for file in ("a/anna.csv", "a/._anna.csv", ".a/ben.csv", "a/b/carl.csv"):
        write(tmp_path / file)
    assert [name.file for name in PathPattern("*/{subject}.csv").find(tmp_path)] == ["a/anna.csv"]
