"""The writer: a whole file or none, in any container, and errors that say what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from har_virtual.exceptions import DataFormatError, VideoError
from har_virtual.video import probe_video, read_frames, write_video

IMAGES = [np.full((48, 64, 3), value, np.uint8) for value in (0, 60, 120, 180, 240)]


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.mov", "a.avi", "a.ts"])
def test_what_is_written_is_read_back(tmp_path: Path, name: str):
    path = write_video(tmp_path / name, IMAGES, frame_rate_hz=25)
    assert path == tmp_path / name
    frames = list(read_frames(path))
    np.testing.assert_allclose([frame.timestamp_s for frame in frames], np.arange(5) / 25, rtol=0, atol=1e-3)
    for frame, image in zip(frames, IMAGES, strict=True):
        np.testing.assert_allclose(frame.image, image, rtol=0, atol=6)
    assert probe_video(path).frame_rate_hz == pytest.approx(25)


def test_stamps_are_written_to_a_tick_of_11_microseconds(tmp_path: Path):
    times = [0.0, 0.01, 0.05, 0.33, 0.34]
    path = write_video(tmp_path / "a.mp4", IMAGES, timestamps_s=iter(times))
    np.testing.assert_allclose([frame.timestamp_s for frame in read_frames(path)], times, rtol=0, atol=6e-6)


def test_quality_0_loses_least(tmp_path: Path):
    rng = np.random.default_rng(0)
    noise = [np.repeat(rng.integers(0, 255, (48, 64, 1), np.uint8), 3, axis=2) for _ in range(3)]

    def loss(quality: int) -> float:
        path = write_video(tmp_path / f"{quality}.mp4", noise, frame_rate_hz=30, quality=quality)
        read = [frame.image.astype(float) for frame in read_frames(path)]
        return float(np.abs(np.array(read) - noise).mean())

    assert loss(0) < 2 < loss(40)


def test_folders_are_made_and_a_relative_name_with_a_colon_is_no_protocol(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    write_video("T12:30:00.mp4", IMAGES, frame_rate_hz=30)
    write_video(Path("new") / "folder" / "a.mp4", IMAGES, frame_rate_hz=30)
    assert len(list(read_frames("T12:30:00.mp4"))) == 5
    assert len(list(read_frames("new/folder/a.mp4"))) == 5


def test_one_image_at_a_time_is_taken(tmp_path: Path):
    def images() -> Iterator[np.ndarray]:
        for _ in range(100):
            alive.append(0)
            yield np.zeros((48, 64, 3), np.uint8)
            assert not (tmp_path / "a.mp4").exists()

    alive: list[int] = []
    write_video(tmp_path / "a.mp4", images(), frame_rate_hz=30)
    assert len(alive) == probe_video(tmp_path / "a.mp4").n_frames == 100


def test_an_error_among_the_images_leaves_nothing_and_is_passed_on(tmp_path: Path):
    def images() -> Iterator[np.ndarray]:
        yield IMAGES[0]
        raise ValueError("the caller's own")

    with pytest.raises(ValueError, match="the caller's own") as error:
        write_video(tmp_path / "a.mp4", images(), frame_rate_hz=30)
    assert type(error.value) is ValueError
    assert not list(tmp_path.iterdir())


def test_an_error_leaves_an_older_file_as_it_was(tmp_path: Path):
    path = write_video(tmp_path / "a.mp4", IMAGES, frame_rate_hz=30)
    before = path.read_bytes()
    with pytest.raises(DataFormatError):
        write_video(path, [IMAGES[0], IMAGES[1][:20]], frame_rate_hz=30)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("images", "message"),
    [
        pytest.param([], "no frame", id="no image"),
        pytest.param([np.zeros((47, 64, 3), np.uint8)], "even", id="odd height"),
        pytest.param([np.zeros((48, 63, 3), np.uint8)], "even", id="odd width"),
        pytest.param([np.zeros((0, 0, 3), np.uint8)], r"\(0, 0, 3\)", id="no pixels"),
        pytest.param([np.zeros((48, 64), np.uint8)], r"\(48, 64\)", id="grey"),
        pytest.param([np.zeros((48, 64, 4), np.uint8)], r"\(48, 64, 4\)", id="with alpha"),
        pytest.param([np.zeros((48, 64, 3))], "uint8.*float64", id="floats"),
        pytest.param([IMAGES[0], IMAGES[1].astype(float)], "uint8.*float64", id="floats later"),
        pytest.param([IMAGES[0], IMAGES[1][:46]], "48 x 64, not 46 x 64", id="another size"),
    ],
)
def test_images_that_do_not_fit_are_refused(tmp_path: Path, images: list[np.ndarray], message: str):
    with pytest.raises(DataFormatError, match=message):
        write_video(tmp_path / "a.mp4", images, frame_rate_hz=30)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("time", [{}, {"frame_rate_hz": 30, "timestamps_s": np.arange(5)}])
def test_neither_or_both_of_rate_and_stamps_are_refused(tmp_path: Path, time: dict):
    with pytest.raises(DataFormatError, match="frame_rate_hz or timestamps_s"):
        write_video(tmp_path / "a.mp4", IMAGES, **time)


@pytest.mark.parametrize("rate", [0, -30, np.nan, np.inf, "30"])
def test_a_rate_that_is_none_is_refused(tmp_path: Path, rate: object):
    with pytest.raises(DataFormatError, match="frame_rate_hz"):
        write_video(tmp_path / "a.mp4", IMAGES, frame_rate_hz=rate)


@pytest.mark.parametrize(
    ("times", "message"),
    [
        pytest.param([0.0, 0.1], "fewer timestamps than frames", id="too few"),
        pytest.param([0.0, 0.2, 0.1, 0.3, 0.4], "0.1 s", id="backwards"),
        pytest.param([0.0, 0.1, 0.1, 0.3, 0.4], "0.1 s", id="twice"),
        pytest.param([0.0, np.nan, 0.2, 0.3, 0.4], "nan s", id="not finite"),
        pytest.param([-0.1, 0.0, 0.2, 0.3, 0.4], "-0.1 s", id="before 0"),
    ],
)
def test_stamps_that_do_not_fit_are_refused(tmp_path: Path, times: list[float], message: str):
    with pytest.raises(DataFormatError, match=message):
        write_video(tmp_path / "a.mp4", IMAGES, timestamps_s=times)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        pytest.param("a.mp4", "nonsense", id="unknown codec"),
        pytest.param("a.mp4", "libvpx", id="codec that the container does not take"),
        pytest.param("a.mp4", "aac", id="codec of sound"),
        pytest.param("a.wav", "libx264", id="container of sound"),
        pytest.param("a.xyz", "libx264", id="unknown suffix"),
        pytest.param("a", "libx264", id="no suffix"),
    ],
)
def test_what_cannot_be_encoded_is_one_video_error(tmp_path: Path, name: str, codec: str):
    with pytest.raises(VideoError) as error:
        write_video(tmp_path / name, IMAGES, frame_rate_hz=30, codec=codec)
    assert str(tmp_path / name) in str(error.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("quality", [-5, 99, 20.5, True, "20"])
def test_a_quality_out_of_range_is_an_error(tmp_path: Path, quality):
    with pytest.raises(DataFormatError, match="quality must be a whole number from 0 to 51"):
        write_video(tmp_path / "a.mp4", IMAGES, frame_rate_hz=30, quality=quality)
    assert not list(tmp_path.iterdir())
