from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import script_of

from har_virtual.datasets import survey_dataset
from har_virtual.datasets.labels import common_labels
from har_virtual.datasets.videos import Annotation, list_videos, load_videos
from har_virtual.datasets.videos.hmdb51 import HMDB51, HMDB51_CLASSES, HMDB51Collection
from har_virtual.exceptions import DataFormatError, DataWarning, UnknownNameError
from har_virtual.testing import check_video_collection

SAMPLE = Path(__file__).parents[3] / "datasets" / "hmdb51"
LISTS = "testTrainMulti_7030_splits"
pytestmark = pytest.mark.filterwarnings("ignore:.*lacks 3 of the videos")


def write_list(home: Path, *lines: str, name: str = "walk", division: int = 1) -> Path:
    path = home / LISTS / f"{name}_test_split{division}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def put(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_the_sample_passes_the_battery_in_every_division():
    check_video_collection(HMDB51, SAMPLE)
    check_video_collection(HMDB51Collection(2), SAMPLE, labels="own")


def test_the_sample_is_what_its_script_writes(tmp_path):
    script = script_of(SAMPLE)
    for path in script.write_sample(tmp_path):
        committed = SAMPLE / path.relative_to(tmp_path)
        assert committed.is_file()
        assert path.suffix == ".avi" or committed.read_bytes() == path.read_bytes()


def test_there_are_51_classes_and_those_with_a_common_label_are_among_them():
    assert len(set(HMDB51_CLASSES)) == 51
    assert set(common_labels("hmdb51")) <= set(HMDB51_CLASSES)


def test_clips_of_the_sample_have_the_label_of_their_list():
    clips = load_videos(HMDB51, SAMPLE)
    assert [(clip.path.name, clip.label, clip.subject) for clip in clips] == [
        ("Country_Road_ride_bike_f_cm_np1_le_med_0.avi", "cycling", "Country_Road"),
        ("Harbour_Film_walk_f_cm_np1_ri_med_0.avi", "walking", "Harbour_Film"),
        ("#7_Two_Friends_walk_u_nm_np2_fr_goo_0.avi", "walking", "#7_Two_Friends"),
    ]
    assert all(clip.start_s == 0 and clip.stop_s is None for clip in clips)


@pytest.mark.parametrize(
    ("division", "parts"), [(1, ["train", "train", "test", None]), (2, ["test", "test", *2 * ["train"]])]
)
def test_one_in_a_list_is_training_two_is_test_and_zero_is_neither(division, parts):
    table = list_videos(HMDB51Collection(division), SAMPLE, activities="walking")
    assert table["split"].tolist() == parts
    assert table["path"].isna().tolist() == [False, True, False, True]


def test_a_split_can_be_asked_for():
    table = list_videos(HMDB51, SAMPLE, splits="test", labels="own")
    assert table["name"].tolist() == ["ride_bike", "walk"]
    with pytest.raises(UnknownNameError, match="there is train, test"):
        list_videos(HMDB51, SAMPLE, splits="validation")


def test_without_lists_the_folder_tells_the_class(tmp_path):
    stairs = put(tmp_path / "hmdb51_org" / "climb_stairs" / "any_name.avi")
    sword = put(tmp_path / "hmdb51_org" / "draw_sword" / "Duel_draw_sword_u_cm_np1_fr_goo_2.avi")
    put(tmp_path / "hmdb51_org" / "other" / "any_name.avi")
    clips = load_videos(HMDB51, tmp_path, labels="own")
    assert [(clip.path, clip.label, clip.subject) for clip in clips] == [
        (stairs, "climb_stairs", "video:any_name"),
        (sword, "draw_sword", "Duel"),
    ]


def test_files_of_one_name_in_the_folders_of_two_classes_are_two_clips(tmp_path):
    run, walk = (put(tmp_path / name / "clip.avi") for name in ("run", "walk"))
    put(tmp_path / "aside" / "clip.avi")
    assert [(clip.path, clip.label) for clip in load_videos(HMDB51, tmp_path)] == [(run, "running"), (walk, "walking")]


def test_lists_and_clips_may_lie_two_folders_down_and_suffixes_be_in_capitals(tmp_path):
    write_list(tmp_path / "hmdb" / "lists", "Film_walk_f_cm_np1_fr_med_0.AVI 1")
    clip = put(tmp_path / "hmdb" / "clips" / "walk" / "Film_walk_f_cm_np1_fr_med_0.AVI")
    assert [each.path for each in load_videos(HMDB51, tmp_path / "hmdb", splits="train")] == [clip]
    (tmp_path / "hmdb" / "lists").rename(tmp_path / "lists")
    assert list_videos(HMDB51, tmp_path / "hmdb")["split"].tolist() == [None]


def test_a_listed_clip_is_not_taken_from_the_folder_of_another_class(tmp_path):
    write_list(tmp_path, "Film_walk_f_cm_np1_fr_med_0.avi 1")
    put(tmp_path / "run" / "Film_walk_f_cm_np1_fr_med_0.avi")
    assert list_videos(HMDB51, tmp_path, activities="walking")["path"].tolist() == [None]


def test_without_folders_the_tags_in_the_name_tell_the_class(tmp_path):
    put(tmp_path / "Film_climb_stairs_f_cm_np1_ba_med_11.avi")
    put(tmp_path / "A_walk_in_the_park_run_f_cm_np1_ba_med_0.avi")
    clips = load_videos(HMDB51, tmp_path)
    assert [(clip.label, clip.subject) for clip in clips] == [
        ("running", "A_walk_in_the_park"),
        ("ascending_stairs", "Film"),
    ]


def test_sit_and_stand_are_movements():
    assert common_labels("hmdb51")["sit"] == "sitting_down"
    assert common_labels("hmdb51")["stand"] == "standing_up"


def test_a_class_without_a_list_is_read_from_its_folder(tmp_path):
    write_list(tmp_path, "Film_walk_f_cm_np1_fr_med_0.avi 1")
    put(tmp_path / "walk" / "Film_walk_f_cm_np1_fr_med_0.avi")
    put(tmp_path / "run" / "Film_run_f_cm_np1_fr_med_0.avi")
    table = list_videos(HMDB51, tmp_path)
    assert table[["label", "split"]].to_numpy().tolist() == [["walking", "train"], ["running", None]]


@pytest.mark.parametrize("line", ["Film_walk_0.avi", "Film_walk_0.avi 3", "Film_walk_0.txt 1", ".avi 1", "1"])
def test_a_line_that_is_no_clip_with_its_part_is_named(tmp_path, line):
    path = write_list(tmp_path, "Film_walk_f_cm_np1_fr_med_0.avi 1 ", "", line, "Film_walk_f_cm_np1_fr_med_1.avi 2")
    with pytest.raises(DataFormatError, match=r"walk_test_split1\.txt, line 3: .*0, 1 or 2"):
        list_videos(HMDB51, tmp_path)
    with pytest.warns(DataWarning, match=r"left out: .*line 3"):
        assert len(list_videos(HMDB51, tmp_path, errors="warn")) == 2
    assert path.is_file()


def test_a_list_that_is_no_text_is_refused(tmp_path):
    write_list(tmp_path).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataFormatError, match=r"walk_test_split1\.txt is no text"):
        list_videos(HMDB51, tmp_path)


@settings(max_examples=30, deadline=None, derandomize=True, database=None)
@given(content=st.binary(max_size=60) | st.text("ab _.vi120\n", max_size=60).map(str.encode))
def test_any_list_gives_annotations_or_says_which_line_is_wrong(tmp_path_factory, content):
    home = tmp_path_factory.mktemp("home")
    write_list(home).write_bytes(content)
    try:
        found = list(HMDB51.read(home, ["walk"]))
    except DataFormatError as error:
        found = [error]
    assert all(isinstance(each, Annotation) or "walk_test_split1.txt" in str(each) for each in found)


@pytest.mark.parametrize("division", [0, 4, True, "1"])
def test_there_are_three_divisions(division):
    with pytest.raises(DataFormatError, match="division must be one of 1, 2, 3"):
        HMDB51Collection(division)


def test_another_folder_is_refused_and_the_right_one_named(tmp_path):
    put(tmp_path / "a" / "b" / "c" / "walk" / "x.avi")
    with pytest.raises(DataFormatError, match=r"not the home of HMDB51"):
        list_videos(HMDB51, tmp_path / "a" / "b" / "c" / "walk" / ".." / ".." / ".." / "..")


def test_of_classes_without_a_list_it_is_not_known_what_is_missing(tmp_path):
    put(tmp_path / "walk" / "a.avi")
    (text,) = survey_dataset(HMDB51, tmp_path).short.values()
    assert "run, " in text
    assert "walk" in text
    write_list(tmp_path, "Film_walk_f_cm_np1_fr_med_0.avi 1")
    (text,) = survey_dataset(HMDB51, tmp_path).short.values()
    assert "walk" not in text
    assert text.endswith(" (*_test_split1.txt), so it is not known which of its clips are missing.")
    assert not survey_dataset(HMDB51, tmp_path).complete
