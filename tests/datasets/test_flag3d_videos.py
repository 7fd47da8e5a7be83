from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from har_virtual.datasets.flag3d.videos import flag3d_texts, load_flag3d_videos
from har_virtual.exceptions import DataFormatError, DataWarning, UnknownNameError

FILMS = ("PHR_A006_V001_R001_S001.mp4", "PHR_A049_V002_R001_S001.MP4", "PLAY_A006_V001_R001_S002.mov")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Videos by their names; clips are made without a look into them."""
    (tmp_path / "rendered").mkdir()
    for name in (*FILMS, "rendered/S001C001M001P001A006R001.avi", "squats.mp4", "notes.txt"):
        (tmp_path / name).touch()
    return tmp_path


def table(**columns) -> pd.DataFrame:
    return pd.DataFrame({"video": ["squats.mp4", FILMS[0]], **columns})


def test_names_of_the_packs_tell_what_videos_show(folder):
    clips = load_flag3d_videos(folder)
    assert [(clip.path.name, clip.label, clip.subject) for clip in clips] == [
        ("S001C001M001P001A006R001.avi", "push_ups", "P001"),
        ("PHR_A006_V001_R001_S001.mp4", "push_ups", "PHR"),
        ("PHR_A049_V002_R001_S001.MP4", "sumo_squat", "PHR"),
        ("PLAY_A006_V001_R001_S002.mov", "push_ups", "PLAY"),
    ]
    assert {(clip.dataset, clip.bounds) for clip in clips} == {("flag3d", "")}
    assert len(load_flag3d_videos(folder, subjects="PHR", activities="push_ups")) == 1


@pytest.mark.parametrize("activity", ["sumo_squat", "A049", 49, 49.0, "49"])
def test_a_table_says_what_a_video_shows_and_from_when_to_when(folder, activity):
    rows = table(activity=[activity, None], subject=[7, None], start_s=[1.5, np.nan], stop_s=[3, np.nan])
    first, second = load_flag3d_videos(folder, rows)
    assert (first.path, first.label, first.subject) == (folder / "squats.mp4", "sumo_squat", "7")
    assert (first.start_s, first.stop_s) == (1.5, 3.0)
    assert (second.label, second.subject, second.start_s, second.stop_s) == ("push_ups", "PHR", 0.0, None)


def test_a_number_is_a_person_of_the_packs_unless_the_table_calls_somebody_so(folder):
    assert [clip.subject for clip in load_flag3d_videos(folder, subjects=1)] == ["P001"]
    assert [clip.subject for clip in load_flag3d_videos(folder, table(activity=6, subject=[1, 2]), subjects=1)] == ["1"]


def test_what_a_table_says_counts_more_than_the_name(folder):
    rows = table(video=[f"./{FILMS[0]}", FILMS[1]], activity=[20, None], subject=["PXX", None])
    assert [(clip.label, clip.subject) for clip in load_flag3d_videos(folder, rows)] == [
        ("dumbbell_curls", "PXX"),
        ("sumo_squat", "PHR"),
    ]


def test_a_table_may_be_a_file_and_name_videos_without_suffix_or_by_their_folder(folder):
    path = folder / "table.csv"
    path.write_text("video,activity,stop_s\nsquats,49,\nrendered/S001C001M001P001A006R001.avi,,2\n")
    clips = load_flag3d_videos(folder, path)
    assert [(clip.label, clip.subject, clip.stop_s) for clip in clips] == [
        ("sumo_squat", None, None),
        ("push_ups", "P001", 2.0),
    ]


def test_a_name_that_several_videos_have_needs_its_folder(folder):
    (folder / "rendered" / "squats.avi").touch()
    with pytest.raises(DataFormatError, match=r"row 1: squats may be any of rendered/squats\.avi, squats\.mp4; give"):
        load_flag3d_videos(folder, table(video=["squats", FILMS[0]], activity=49))
    (first, _) = load_flag3d_videos(folder, table(activity=49))
    assert first.path == folder / "squats.mp4"


def test_texts_belong_to_activities():
    rows = table(activity=["A049", "A006"], text=["Bend both knees.", "Push up."])
    rows = pd.concat([rows, rows, rows.assign(text=["Feet wide.", None])])
    assert flag3d_texts(rows) == {"sumo_squat": ("Bend both knees.", "Feet wide."), "push_ups": ("Push up.",)}


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({}, "row 1 has no activity, and the name squats.mp4 does not tell it"),
        ({"activity": ["A049", "A061"]}, "row 2: .*no activity A061"),
        ({"activity": 49, "video": ["squats.mp4", "lost.mp4"]}, "row 2: the video lost.mp4 is not in"),
        ({"activity": 49, "video": ["squats.mp4", None]}, "row 2 names no video"),
        ({"activity": 49, "start_s": [3, 3], "stop_s": [None, 2]}, "row 2: .*start_s=3.0, stop_s=2.0"),
        ({"activity": 49, "start_s": [-1, 0]}, "row 1: .*start_s=-1"),
        ({"activity": 49, "start_s": ["soon", "0"]}, "row 1: start_s must be a number of seconds, not 'soon'"),
        ({"activity": 49, "stop_s": [np.inf, 1]}, "row 1: stop_s must be a number"),
    ],
)
def test_a_row_that_makes_no_sense_is_an_error_or_left_out(folder, columns, message):
    rows = table(**columns)
    with pytest.raises((DataFormatError, UnknownNameError), match=message):
        load_flag3d_videos(folder, rows)
    with pytest.warns(DataWarning, match=rf"1 rows were left out: .*{message}"):
        assert len(load_flag3d_videos(folder, rows, errors="warn")) == 1


def test_a_table_of_other_columns_is_an_error(folder):
    with pytest.raises(DataFormatError, match="may have activity, subject, start_s, stop_s, text; it has file"):
        load_flag3d_videos(folder, pd.DataFrame({"file": ["squats.mp4"]}))
    with pytest.raises(DataFormatError, match="it has video, start"):
        load_flag3d_videos(folder, table(start=0))
    with pytest.raises(DataFormatError, match="no column text"):
        flag3d_texts(table(activity=49))


def test_a_missing_folder_or_table_is_told(folder):
    with pytest.raises(FileNotFoundError, match="nowhere is no folder; pass"):
        load_flag3d_videos(folder / "nowhere")
    with pytest.raises(FileNotFoundError, match=r"x\.csv"):
        load_flag3d_videos(folder, folder / "x.csv")


def test_nothing_that_was_asked_for_is_an_error(folder, tmp_path):
    with pytest.raises(DataFormatError, match="has no video of FLAG3D that was asked for"):
        load_flag3d_videos(folder, activities="sit_ups")
    with pytest.raises(DataFormatError, match="has no video of FLAG3D"):
        load_flag3d_videos(folder / "rendered", table(activity=49).iloc[:0])
    with pytest.raises(UnknownNameError, match="P001, PHR, PLAY"):
        load_flag3d_videos(folder, subjects="PZZ")
    with pytest.raises(UnknownNameError, match="errors must be"):
        load_flag3d_videos(folder, errors="ignore")


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b'video,activity\n"a,b\n', b"video\na,b,c\nd,e,f,g\n"])
def test_a_damaged_table_is_a_format_error(folder, content):
    path = folder / "table.csv"
    path.write_bytes(content)
    with pytest.raises(DataFormatError, match=r"table\.csv"):
        load_flag3d_videos(folder, path)


@settings(max_examples=30, deadline=None, derandomize=True, database=None)
@given(text=st.text(alphabet='video,activity,start_s\n"A049squats.mp4 -1.5\x00é', max_size=80))
def test_any_table_is_a_format_error_or_clips(tmp_path_factory, text):
    folder = tmp_path_factory.mktemp("videos")
    (folder / "squats.mp4").touch()
    (folder / "table.csv").write_text(f"video,activity,start_s\n{text}", encoding="utf-8")
    with contextlib.suppress(DataFormatError, UnknownNameError):
        assert {clip.path.name for clip in load_flag3d_videos(folder, folder / "table.csv")} == {"squats.mp4"}
