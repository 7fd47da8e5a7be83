from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from har_virtual.datasets.realworld.videos import load_realworld_videos
from har_virtual.exceptions import DataFormatError, DataWarning, UnknownNameError, VideoError
from har_virtual.video import write_video


def film(path: Path, duration_s: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    images = (np.full((16, 16, 3), 10 * number, dtype=np.uint8) for number in range(round(duration_s * 10)))
    return write_video(path, images, frame_rate_hz=10)


def cut(home: Path, **options):
    return load_realworld_videos(home, **{"skip_s": 0.5, "chunk_s": 0.8, "min_chunk_s": 0.3} | options)


def bounds(clips) -> list[tuple[float, float | None]]:
    return [(round(clip.start_s, 6), None if clip.stop_s is None else round(clip.stop_s, 6)) for clip in clips]


def test_a_video_loses_its_start_and_is_cut_into_chunks(tmp_path: Path):
    film(tmp_path / "proband3/videos/walking.mp4", 2.5)
    clips = cut(tmp_path)
    assert bounds(clips) == [(0.5, 1.3), (1.3, 2.1), (2.1, None)]
    assert {(c.subject, c.label, c.dataset) for c in clips} == {("3", "walking", "realworld")}


def test_a_rest_too_short_for_a_clip_is_left_out(tmp_path: Path):
    film(tmp_path / "proband3/walking.mp4", 2.3)
    assert bounds(cut(tmp_path)) == [(0.5, 1.3), (1.3, 2.1)]


def test_by_default_ten_seconds_go_and_chunks_last_two_minutes(tmp_path: Path):
    write_video(
        tmp_path / "proband1_lying.mp4",
        (np.zeros((16, 16, 3), dtype=np.uint8) for _ in range(150)),
        timestamps_s=np.arange(150) * 2.0,
    )
    assert bounds(load_realworld_videos(tmp_path)) == [(10, 130), (130, 250), (250, None)]


def test_videos_are_sorted_and_can_be_chosen(tmp_path: Path):
    for name in ("proband10/sitting.mp4", "proband2/walking_2.mp4", "proband2/Walking.MP4", "proband2/other.mp4"):
        film(tmp_path / name, 1.0)
    (tmp_path / "proband2/walking.txt").write_text("no video")
    assert [c.path.name for c in cut(tmp_path)] == ["Walking.MP4", "walking_2.mp4", "sitting.mp4"]
    assert [c.subject for c in cut(tmp_path, subjects=10)] == ["10"]
    assert [c.label for c in cut(tmp_path, activities="sitting")] == ["sitting"]
    assert [c.subject for c in cut(tmp_path / "proband10")] == ["10"]


def test_a_broken_video_does_not_lose_the_others(tmp_path: Path):
    film(tmp_path / "proband1/walking.mp4", 1.0)
    film(tmp_path / "proband1/running.mp4", 0.6)
    (tmp_path / "proband1/lying.mp4").write_bytes(b"no video")
    with pytest.warns(DataWarning) as caught:
        clips = cut(tmp_path)
    assert [clip.label for clip in clips] == ["walking"]
    assert ["lying.mp4" in str(w.message) for w in caught] == [True, False]
    assert "running.mp4: too short" in str(caught[1].message)


def test_videos_that_are_all_broken_are_an_error(tmp_path: Path):
    (tmp_path / "proband1").mkdir()
    (tmp_path / "proband1/lying.mp4").write_bytes(b"no video")
    with pytest.raises(VideoError, match=r"no video can be used.*lying\.mp4"):
        cut(tmp_path)


def test_a_folder_without_videos_is_told(tmp_path: Path):
    with pytest.raises(DataFormatError, match=r"proband1/videos/walking\.mp4"):
        cut(tmp_path)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        cut(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "options", [{"skip_s": -1}, {"skip_s": np.nan}, {"chunk_s": 0}, {"min_chunk_s": np.inf}, {"chunk_s": 0.1}]
)
def test_lengths_of_clips_are_checked(tmp_path: Path, options: dict):
    with pytest.raises(DataFormatError, match="_s must"):
        cut(tmp_path, **options)


def test_subjects_and_activities_of_videos_are_checked(tmp_path: Path):
    film(tmp_path / "proband1/walking.mp4", 1.0)
    with pytest.raises(UnknownNameError, match="there is 1"):
        cut(tmp_path, subjects=2)
    with pytest.raises(UnknownNameError, match="climbingdown"):
        cut(tmp_path, activities="cycling")
    with pytest.raises(DataFormatError, match="no video of lying by subject 1"):
        cut(tmp_path, activities="lying")
