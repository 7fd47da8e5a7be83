from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import script_of

from har_virtual.datasets.labels import names_by_id
from har_virtual.datasets.videos import list_videos, load_videos
from har_virtual.datasets.videos.msr_daily_activity_3d import MSR_DAILY_ACTIVITY_3D, MSR_DAILY_ACTIVITY_3D_CLASSES
from har_virtual.exceptions import DataFormatError, UnknownNameError
from har_virtual.testing import check_video_collection

SAMPLE = Path(__file__).parents[3] / "datasets" / "msr_daily_activity_3d"


def test_the_sample_passes_the_battery():
    check_video_collection(MSR_DAILY_ACTIVITY_3D, SAMPLE)
    check_video_collection(MSR_DAILY_ACTIVITY_3D, SAMPLE, labels="own")


def test_the_sample_has_the_videos_of_its_script(tmp_path):
    script = script_of(SAMPLE)
    written = {path.name for path in script.write_sample(tmp_path)}
    assert written == {path.name for path in SAMPLE.glob("*.avi")}


def test_names_tell_activity_and_subject():
    clips = load_videos(MSR_DAILY_ACTIVITY_3D, SAMPLE)
    assert [(clip.path.name, clip.label, clip.subject, clip.dataset) for clip in clips] == [
        ("a07_s01_e02_rgb.avi", "vacuum_cleaning", "1", "msr_daily_activity_3d"),
        ("a09_s02_e01_rgb.avi", "sitting", "2", "msr_daily_activity_3d"),
        ("a13_s02_e02_rgb.avi", "walking", "2", "msr_daily_activity_3d"),
    ]


def test_own_classes_are_in_the_order_of_their_numbers():
    assert len(set(MSR_DAILY_ACTIVITY_3D_CLASSES)) == 16
    numbers = names_by_id("msr_daily_activity_3d", "activity")
    assert {number: MSR_DAILY_ACTIVITY_3D_CLASSES[number - 1] for number in numbers} == numbers
    assert list_videos(MSR_DAILY_ACTIVITY_3D, SAMPLE, labels="own")["name"].tolist() == [
        "use_vacuum_cleaner",
        "sit_still",
        "toss_paper",
        "walk",
    ]


def test_a_subject_can_be_asked_for():
    clips = load_videos(MSR_DAILY_ACTIVITY_3D, SAMPLE, subjects=2, activities="walking")
    assert [clip.path.name for clip in clips] == ["a13_s02_e02_rgb.avi"]
    with pytest.raises(UnknownNameError, match="there is 1, 2"):
        load_videos(MSR_DAILY_ACTIVITY_3D, SAMPLE, subjects=3)


@pytest.mark.parametrize(
    "name",
    ["a00_s01_e01_rgb.avi", "a17_s01_e01_rgb.avi", "a07_s11_e01_rgb.avi", "a07_s01_e01_depth.bin", "a7_s1_e1_rgb.avi"],
)
def test_other_files_are_not_looked_at(tmp_path, name):
    (tmp_path / name).touch()
    with pytest.raises(DataFormatError, match="of MSRDailyActivity3D"):
        list_videos(MSR_DAILY_ACTIVITY_3D, tmp_path)
    (tmp_path / "a13_s10_e02_rgb.avi").touch()
    assert list_videos(MSR_DAILY_ACTIVITY_3D, tmp_path)["video"].tolist() == ["a13_s10_e02_rgb"]


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(stem=st.text(max_size=20) | st.from_regex(r"\Aa\d\d_s\d\d_e\d\d_rgb\Z"))
def test_any_name_tells_an_own_class_or_nothing(stem):
    note = MSR_DAILY_ACTIVITY_3D.annotation(Path("home", f"{stem}.avi"))
    assert note is None or note.name in MSR_DAILY_ACTIVITY_3D_CLASSES


def test_the_16_activities_have_the_published_numbers():
    assert list(MSR_DAILY_ACTIVITY_3D_CLASSES) == [
        *("drink", "eat", "read_book", "call_cellphone", "write_on_a_paper", "use_laptop", "use_vacuum_cleaner"),
        *("cheer_up", "sit_still", "toss_paper", "play_game", "lie_down_on_sofa", "walk", "play_guitar"),
        *("stand_up", "sit_down"),
    ]
