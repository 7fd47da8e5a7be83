from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import script_of

from har_virtual.datasets.labels import names_by_id
from har_virtual.datasets.videos import list_videos, load_videos
from har_virtual.datasets.videos.ntu_rgbd import (
    NTU_RGBD,
    NTU_RGBD_120,
    NTU_RGBD_120_CLASSES,
    NTURGBD120Collection,
    NTURGBDCollection,
)
from har_virtual.exceptions import DataFormatError, UnknownNameError
from har_virtual.testing import check_video_collection

SAMPLE = Path(__file__).parents[3] / "datasets" / "ntu_rgbd"


def split_of(collection, name: str) -> str | None:
    return collection.annotation(Path(f"{name}_rgb.avi")).split


@pytest.mark.parametrize("collection", [NTU_RGBD, NTU_RGBD_120])
@pytest.mark.parametrize("labels", ["common", "own"])
def test_the_sample_passes_the_battery(collection, labels):
    check_video_collection(collection, SAMPLE, labels=labels)


def test_the_sample_has_the_videos_of_its_script(tmp_path):
    script = script_of(SAMPLE)
    written = {path.relative_to(tmp_path) for path in script.write_sample(tmp_path)}
    assert written == {path.relative_to(SAMPLE) for path in SAMPLE.rglob("*.avi")}


def test_there_are_120_actions_of_which_the_first_60_are_those_of_ntu_rgbd():
    assert len(set(NTU_RGBD_120_CLASSES)) == 120
    assert NTU_RGBD.classes(SAMPLE) == list(NTU_RGBD_120_CLASSES[:60])
    for collection in (NTU_RGBD, NTU_RGBD_120):
        numbers = names_by_id(collection.name, "activity")
        assert {number: collection.classes(SAMPLE)[number - 1] for number in numbers} == numbers


def test_names_tell_action_and_person():
    clips = load_videos(NTU_RGBD, SAMPLE)
    assert [(clip.path.stem, clip.label, clip.subject, clip.dataset) for clip in clips] == [
        ("S001C001P001R001A008_rgb", "sitting_down", "1", "ntu_rgbd"),
        ("S001C002P001R001A008_rgb", "sitting_down", "1", "ntu_rgbd"),
        ("S002C001P003R002A059_rgb", "walking", "3", "ntu_rgbd"),
    ]


def test_later_setups_and_actions_are_of_ntu_rgbd_120_alone():
    assert list_videos(NTU_RGBD_120, SAMPLE)["label"].tolist() == ["sitting_down", "sitting_down", "walking", "running"]
    assert NTU_RGBD.annotation(Path("S018C001P001R001A008_rgb.avi")) is None
    assert NTU_RGBD.annotation(Path("S001C001P001R001A061_rgb.avi")) is None


def test_one_camera_of_the_three_that_film_the_same_motion_can_be_chosen():
    table = list_videos(NTURGBDCollection(cameras=[2]), SAMPLE)
    assert table["video"].tolist() == ["S001C002P001R001A008_rgb"]
    with pytest.raises(DataFormatError, match="camera must be one of 1, 2, 3, not 4"):
        NTURGBDCollection(cameras=[4])


def test_protocols_divide_persons_cameras_or_setups():
    assert split_of(NTU_RGBD, "S001C001P038R001A001") == "train"
    assert split_of(NTU_RGBD, "S001C001P003R001A001") == "test"
    views = NTURGBDCollection("cross_view")
    assert [split_of(views, f"S001C00{camera}P001R001A001") for camera in (1, 2, 3)] == ["test", "train", "train"]
    setups = NTURGBD120Collection("cross_setup")
    assert [split_of(setups, f"S0{setup}C001P001R001A120") for setup in (31, 32)] == ["test", "train"]
    assert split_of(NTU_RGBD_120, "S018C001P103R001A120") == "train"
    assert split_of(NTU_RGBD_120, "S018C001P106R001A120") == "test"


def test_as_many_videos_were_published_as_the_chosen_cameras_took():
    assert NTU_RGBD.published_videos("sit_down") == NTU_RGBD_120.published_videos("sit_down") == 948
    assert NTU_RGBD_120.published_videos("squat_down") == 960
    assert NTURGBDCollection(cameras=[2]).published_videos("sit_down") == 316
    assert 60 * 948 == 56_880
    assert 60 * (948 + 960) == 114_480


def test_names_without_the_ending_of_the_archives_are_read():
    assert NTU_RGBD.annotation(Path("S001C001P001R001A009.avi")).name == "stand_up"


def test_half_of_the_persons_of_each_data_set_are_for_training():
    people = [split_of(NTU_RGBD_120, f"S001C001P{number:03d}R001A001") for number in range(1, 107)]
    assert people.count("train") == 53
    assert people[:40].count("train") == 20


@pytest.mark.parametrize(
    ("collection", "protocol"), [(NTURGBDCollection, "cross_setup"), (NTURGBD120Collection, "cross_view")]
)
def test_each_data_set_has_its_own_protocols(collection, protocol):
    with pytest.raises(UnknownNameError, match=f"protocol must be .*, not '{protocol}'"):
        collection(protocol)


def test_both_have_the_same_card():
    assert NTU_RGBD_120.describe() == NTU_RGBD.describe()


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(stem=st.text(max_size=20) | st.from_regex(r"\AS\d{3}C\d{3}P\d{3}R\d{3}A\d{3}(_rgb)?\Z"))
def test_any_name_tells_an_own_class_or_nothing(stem):
    note = NTU_RGBD_120.annotation(Path("home", f"{stem}.avi"))
    assert note is None or note.name in NTU_RGBD_120_CLASSES


def test_the_persons_who_train_are_the_published_ones():
    people = [n for n in range(1, 107) if split_of(NTU_RGBD_120, f"S001C001P{n:03d}R001A001") == "train"]
    assert people == [
        *(1, 2, 4, 5, 8, 9, 13, 14, 15, 16, 17, 18, 19, 25, 27, 28, 31, 34, 35, 38),
        *(45, 46, 47, 49, 50, 52, 53, 54, 55, 56, 57, 58, 59, 70, 74, 78, 80, 81, 82, 83, 84, 85, 86, 89, 91, 92, 93),
        *(94, 95, 97, 98, 100, 103),
    ]


def test_the_first_actions_have_the_published_numbers():
    assert NTU_RGBD_120_CLASSES[:10] == (
        *("drink_water", "eat_meal", "brush_teeth", "brush_hair", "drop"),
        *("pick_up", "throw", "sit_down", "stand_up", "clap"),
    )
    assert NTU_RGBD_120_CLASSES[10:12] == ("read", "write")
