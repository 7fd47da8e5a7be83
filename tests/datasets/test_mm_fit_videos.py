from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from har_virtual.datasets.mm_fit.videos import load_mm_fit_videos
from har_virtual.exceptions import DataFormatError, DataWarning, UnknownNameError, VideoError
from har_virtual.video import read_frames, write_video

SAMPLE = Path(__file__).parents[2] / "datasets" / "mm_fit"


def film(path: Path, frame_rate_hz: float = 30, n_frames: int = 204) -> Path:
    """A video whose frames get brighter one by one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    images = (np.full((16, 16, 3), number, dtype=np.uint8) for number in range(n_frames))
    return write_video(path, images, frame_rate_hz=frame_rate_hz)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The sample's labels of both workouts, without videos."""
    for workout in ("w00", "w01"):
        (tmp_path / workout).mkdir()
        shutil.copy(SAMPLE / workout / f"{workout}_labels.csv", tmp_path / workout)
    return tmp_path


def test_a_set_is_a_clip_that_starts_at_its_frame(home: Path):
    film(home / "w00_rgb.mp4")
    film(home / "w01_rgb.mp4", n_frames=48)
    clips = load_mm_fit_videos(home)
    assert [(clip.path.name, clip.subject, clip.label) for clip in clips] == [
        ("w01_rgb.mp4", "0", "lateral_shoulder_raises"),
        ("w00_rgb.mp4", "2", "bicep_curls"),
        ("w00_rgb.mp4", "2", "squats"),
    ]
    assert [(clip.start_s, clip.stop_s) for clip in clips] == [(0.4, 1.2), (0.5, 3.7), (4.2, 6.6)]
    assert {clip.dataset for clip in clips} == {"mm_fit"}


def test_the_frames_of_a_clip_are_those_of_the_labels(home: Path):
    film(home / "w00_rgb.mp4")
    clip = load_mm_fit_videos(home, workouts="w00", activities="squats")[0]
    brightness = [int(frame.image.mean()) for frame in read_frames(clip)]
    assert len(brightness) == 198 - 126
    assert np.abs(np.array(brightness) - np.arange(126, 198)).max() <= 3


def test_subjects_workouts_and_activities_can_be_chosen(home: Path):
    film(home / "w00_rgb.mp4", n_frames=6)
    film(home / "w01_rgb.mp4", n_frames=6)
    assert [clip.label for clip in load_mm_fit_videos(home, subjects=2, activities="squats")] == ["squats"]
    assert [clip.subject for clip in load_mm_fit_videos(home, workouts=["w01"])] == ["0"]
    assert [clip.label for clip in load_mm_fit_videos(home, activities=["squats"])] == ["squats"]


def test_videos_may_lie_elsewhere_and_depth_is_none(home: Path, tmp_path_factory):
    folder = tmp_path_factory.mktemp("films")
    film(folder / "rgb/w00_rgb.mp4", n_frames=6)
    film(folder / "depth/w00_depth.mp4", n_frames=6)
    film(folder / "w000_rgb.mp4", n_frames=6)
    (folder / "w00_rgb.txt").write_text("no video")
    (folder / "deep/w00_rgb.mp4").mkdir(parents=True)
    clips = load_mm_fit_videos(home, videos=folder, workouts="w00")
    assert {clip.path.name for clip in clips} == {"w00_rgb.mp4"}


def test_depth_and_other_numbers_are_no_video_even_alone(home: Path):
    film(home / "w00_depth.mp4", n_frames=6)
    film(home / "w000_rgb.mp4", n_frames=6)
    with pytest.raises(DataFormatError, match="has no video of w00"):
        load_mm_fit_videos(home, workouts="w00")


def test_another_name_that_starts_with_the_workouts_is_taken_where_it_is_the_only_one(home: Path):
    film(home / "videos/W00.avi", n_frames=6)
    assert {clip.path.name for clip in load_mm_fit_videos(home, workouts="w00")} == {"W00.avi"}
    film(home / "videos/w00_left.mp4", n_frames=6)
    with pytest.raises(DataFormatError, match=r"any of videos/W00.avi, videos/w00_left.mp4 can be the video of w00"):
        load_mm_fit_videos(home, workouts="w00")
    film(home / "videos/w00_rgb.mp4", n_frames=6)
    assert {clip.path.name for clip in load_mm_fit_videos(home, workouts="w00")} == {"w00_rgb.mp4"}


def test_a_copy_at_another_frame_rate_has_the_same_frames(home: Path):
    film(home / "w00_rgb.mp4", frame_rate_hz=15, n_frames=20)
    curls = load_mm_fit_videos(home, workouts="w00", frame_rate_hz=None)[0]
    assert (curls.start_s, curls.stop_s) == pytest.approx((1.0, 7.4))
    assert load_mm_fit_videos(home, workouts="w00", frame_rate_hz=25)[0].start_s == pytest.approx(0.6)


def test_workouts_without_a_video_or_labels_are_said(home: Path):
    film(home / "w00_rgb.mp4", n_frames=6)
    with pytest.warns(DataWarning, match="has no video of w01"):
        assert {clip.subject for clip in load_mm_fit_videos(home)} == {"2"}
    film(home / "w01_rgb.mp4", n_frames=6)
    (home / "w01/w01_labels.csv").rename(home / "w01/w01_labels_old.csv")
    with pytest.warns(DataWarning, match=r"The video of w01 was left out: .*w01_labels.csv"):
        assert {clip.subject for clip in load_mm_fit_videos(home)} == {"2"}


def test_without_any_clip_there_is_an_error_that_says_why(home: Path):
    with pytest.raises(
        DataFormatError, match=r"there is no clip of MM-Fit. .* no video of w01, w00, such as w01_rgb.mp4"
    ):
        load_mm_fit_videos(home)
    film(home / "w00_rgb.mp4", n_frames=6)
    with pytest.raises(DataFormatError, match="No set of pushups is in the labels of w00"):
        load_mm_fit_videos(home, workouts="w00", activities="pushups")


def test_a_set_that_ends_before_it_starts_is_an_error_or_its_workout_left_out(home: Path):
    film(home / "w00_rgb.mp4", n_frames=6)
    film(home / "w01_rgb.mp4", n_frames=6)
    (home / "w01/w01_labels.csv").write_text("36,12,1,squats\n")
    with pytest.raises(DataFormatError, match=r"w01_labels.csv, line 1: .* ends at frame 12"):
        load_mm_fit_videos(home)
    with pytest.warns(DataWarning, match=r"video of w01 was left out: .*line 1"):
        assert len(load_mm_fit_videos(home, errors="warn")) == 2


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"activities": "yoga"}, UnknownNameError, "no yoga; there is squats"),
        ({"workouts": "w07"}, UnknownNameError, "no w07; there is w01, w00"),
        ({"errors": "ignore"}, UnknownNameError, "errors must be one of raise, warn"),
        ({"frame_rate_hz": 0}, DataFormatError, "frame_rate_hz"),
        ({"videos": "absent"}, FileNotFoundError, "absent is no folder"),
    ],
)
def test_options_that_make_no_sense_are_errors(home: Path, options: dict, error: type[Exception], message: str):
    with pytest.raises(error, match=message):
        load_mm_fit_videos(home, **options)


def test_a_damaged_video_cannot_say_its_rate(home: Path):
    (home / "w00_rgb.mp4").write_bytes(b"no video")
    assert len(load_mm_fit_videos(home, workouts="w00")) == 2
    with pytest.raises(VideoError, match="w00_rgb"):
        load_mm_fit_videos(home, workouts="w00", frame_rate_hz=None)
