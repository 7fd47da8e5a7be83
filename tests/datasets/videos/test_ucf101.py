from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import script_of

from har_virtual.datasets import survey_dataset
from har_virtual.datasets.labels import common_labels, names_by_id
from har_virtual.datasets.videos import Annotation, list_videos, load_videos
from har_virtual.datasets.videos.ucf101 import UCF101, UCF101_CLASSES, UCF101Collection
from har_virtual.exceptions import DataFormatError, DataWarning
from har_virtual.testing import check_video_collection

SAMPLE = Path(__file__).parents[3] / "datasets" / "ucf101"
pytestmark = pytest.mark.filterwarnings("ignore:.*lacks 3 of the videos")


def write_list(home: Path, *lines: str, name: str = "trainlist01.txt") -> Path:
    path = home / "ucfTrainTestlist" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def put(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_the_sample_passes_the_battery():
    check_video_collection(UCF101, SAMPLE)
    check_video_collection(UCF101, SAMPLE, labels="own")


def test_the_sample_is_what_its_script_writes(tmp_path):
    script = script_of(SAMPLE)
    for path in script.write_sample(tmp_path):
        committed = SAMPLE / path.relative_to(tmp_path)
        assert committed.is_file()
        assert path.suffix == ".avi" or committed.read_bytes() == path.read_bytes()


def test_the_classes_have_the_numbers_of_classind():
    lines = [f"{number} {name}" for number, name in enumerate(UCF101_CLASSES, start=1)]
    assert lines[0] == "1 ApplyEyeMakeup"
    assert lines[36] == "37 HandstandPushups"
    assert lines[98:] == ["99 WallPushups", "100 WritingOnBoard", "101 YoYo"]
    own = UCF101.classes(SAMPLE)
    assert {number: own[number - 1] for number in names_by_id("ucf101", "activity")} == names_by_id(
        "ucf101", "activity"
    )


def test_clips_of_the_sample_have_label_and_group():
    clips = load_videos(UCF101, SAMPLE)
    assert [(clip.path.name, clip.label, clip.subject, clip.dataset) for clip in clips] == [
        ("v_Biking_g08_c01.avi", "cycling", "biking_g08", "ucf101"),
        ("v_JumpRope_g01_c01.avi", "rope_jumping", "jump_rope_g01", "ucf101"),
    ]


def test_the_lists_tell_the_splits_and_what_is_not_there():
    table = list_videos(UCF101, SAMPLE)
    assert table["split"].tolist() == ["train"] * 3 + ["test"] * 2
    assert table["path"].isna().tolist() == [False, True, True, True, False]
    assert list_videos(UCF101, SAMPLE, splits="test", activities="cycling")["video"].tolist() == ["v_Biking_g01_c01"]


@pytest.mark.parametrize("listed", ["v_HandStandPushups_g08_c01", "v_HandstandPushups_g08_c01"])
def test_handstand_pushups_are_found_in_both_spellings(tmp_path, listed):
    write_list(tmp_path, f"HandstandPushups/{listed}.avi 37")
    there = put(tmp_path / "HandstandPushups" / "v_HandStandPushups_g08_c01.avi")
    (clip,) = load_videos(UCF101, tmp_path, labels="own")
    assert (clip.path, clip.label, clip.subject) == (there, "handstand_pushups", "handstand_pushups_g08")


def test_without_lists_the_names_tell_the_class(tmp_path):
    put(tmp_path / "UCF-101" / "YoYo" / "v_YoYo_g01_c02.avi")
    put(tmp_path / "UCF-101" / "YoYo" / "v_Unknown_g01_c02.avi")
    put(tmp_path / "UCF-101" / "YoYo" / "holiday.avi")
    table = list_videos(UCF101, tmp_path, labels={"yo_yo": "playing"})
    assert table[["video", "label", "split"]].to_numpy().tolist() == [["v_YoYo_g01_c02", "playing", None]]


def test_the_list_of_another_division_is_not_read(tmp_path):
    write_list(tmp_path, "Biking/v_Biking_g08_c01.avi 11")
    write_list(tmp_path, "Biking/v_Biking_g01_c01.avi 11", name="trainlist02.txt")
    assert list_videos(UCF101Collection(2), tmp_path)["video"].tolist() == ["v_Biking_g01_c01"]


@pytest.mark.parametrize(
    "line",
    [
        "Biking/v_Biking_g08_c01.avi 12",
        "Biking/v_Biking_g08_c01.avi 11 1",
        "Biking/holiday.avi 11",
        "v_Biking_g08_c01 11",
    ],
)
def test_a_line_that_contradicts_itself_or_names_no_clip_is_named(tmp_path, line):
    write_list(tmp_path, "Biking/v_Biking_g09_c01.avi 11", line)
    with pytest.raises(DataFormatError, match=r"trainlist01\.txt, line 2: "):
        list_videos(UCF101, tmp_path)
    with pytest.warns(DataWarning, match="line 2"):
        assert len(list_videos(UCF101, tmp_path, errors="warn")) == 1


@settings(max_examples=30, deadline=None, derandomize=True, database=None)
@given(content=st.binary(max_size=60) | st.text("v_BikingYo/g081c.avi \n", max_size=60).map(str.encode))
def test_any_list_gives_annotations_or_says_which_line_is_wrong(tmp_path_factory, content):
    home = tmp_path_factory.mktemp("home")
    write_list(home).write_bytes(content)
    try:
        found = list(UCF101.read(home, UCF101.classes(home)))
    except DataFormatError as error:
        found = [error]
    assert all(isinstance(each, Annotation) or "trainlist01.txt" in str(each) for each in found)


def test_classes_with_a_common_label_are_own_classes():
    assert set(common_labels("ucf101")) <= set(UCF101.classes(SAMPLE))


def test_there_are_three_divisions():
    with pytest.raises(DataFormatError, match="division must be one of 1, 2, 3, not 4"):
        UCF101Collection(4)


def test_without_a_list_it_is_not_known_what_is_missing(tmp_path):
    put(tmp_path / "Biking" / "v_Biking_g08_c01.avi")
    neither = survey_dataset(UCF101, tmp_path)
    assert list(neither.short.values()) == [
        "There is no trainlist01.txt and no testlist01.txt, so it is not known which clips are missing."
    ]
    assert not neither.complete
    write_list(tmp_path, "Biking/v_Biking_g08_c01.avi 11")
    assert list(survey_dataset(UCF101, tmp_path).short.values()) == [
        "There is no testlist01.txt, so it is not known which clips are missing."
    ]
    assert survey_dataset(UCF101, SAMPLE).short == {}
