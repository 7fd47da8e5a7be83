"""The reader against containers, clips, turned pictures and files that are no videos, each written here."""

from __future__ import annotations

import os
import struct
import wave
import weakref
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from har_virtual.exceptions import VideoError
from har_virtual.recording import VideoClip
from har_virtual.signal import regularize_timestamps
from har_virtual.video import probe_video, read_frames, write_video

WIDTH, HEIGHT = 96, 64


def pictures(count: int, width: int = WIDTH, height: int = HEIGHT) -> Iterator[np.ndarray]:
    """A bar that grows by 4 px a frame (and starts anew), so that each picture tells its number modulo 20."""
    for index in range(count):
        image = np.full((height, width, 3), 30, np.uint8)
        image[:, : 8 + 4 * (index % 20)] = (220, 40, 40)
        yield image


def picture_number(image: np.ndarray) -> int:
    return round(((image[HEIGHT // 2, :, 0] > 125).sum() - 8) / 4)


def encode(path: Path, codec: str = "libx264", count: int = 60, container: dict | None = None, **options: str) -> Path:
    """Encode at 30 Hz with options that write_video does not have."""
    with av.open(str(path), "w", options=container or {}) as output:
        stream = output.add_stream(codec, rate=30)
        stream.width, stream.height, stream.pix_fmt, stream.options = WIDTH, HEIGHT, "yuv420p", options
        for index, image in enumerate(pictures(count)):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, 30)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def stamps(source: Path | VideoClip) -> np.ndarray:
    return np.array([frame.timestamp_s for frame in read_frames(source)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("videos")


@pytest.fixture(scope="module")
def plain(folder: Path) -> Path:
    return write_video(folder / "plain.mp4", pictures(20), frame_rate_hz=10)


# Time


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi"])
@pytest.mark.parametrize("rate", [25.0, 30.0, 30_000 / 1001])
def test_stamps_of_a_constant_rate_come_back_within_a_tick(tmp_path: Path, suffix: str, rate: float):
    path = write_video(tmp_path / f"a{suffix}", pictures(40), frame_rate_hz=rate)
    info = probe_video(path)
    np.testing.assert_allclose(
        stamps(path), np.arange(40) / rate, rtol=0, atol=info.tick_s if suffix == ".mkv" else 1e-9
    )
    assert info.frame_rate_hz == pytest.approx(rate, rel=2e-3)


def test_a_second_of_pictures_at_29_97_hz_is_not_at_30_hz(tmp_path: Path):
    path = write_video(tmp_path / "a.mp4", pictures(31), frame_rate_hz=29.97)
    fit = regularize_timestamps(stamps(path), probe_video(path).tick_s)
    assert fit.regular
    assert fit.rate_hz == pytest.approx(29.97, abs=1e-4)


def test_the_millisecond_ticks_of_mkv_are_taken_out_by_the_line(tmp_path: Path):
    path = write_video(tmp_path / "a.mkv", pictures(90), frame_rate_hz=30)
    info, times = probe_video(path), stamps(path)
    assert info.tick_s == 1e-3
    assert np.abs(np.diff(times) - 1 / 30).max() > 3e-4
    fit = regularize_timestamps(times, info.tick_s)
    assert fit.regular
    np.testing.assert_allclose(np.diff(fit.timestamps_s), 1 / 30, rtol=0, atol=1e-5)


def test_a_truly_variable_rate_is_kept(tmp_path: Path):
    rng = np.random.default_rng(0)
    times = np.concatenate([[0], np.cumsum(rng.uniform(0.02, 0.06, 39))])
    path = write_video(tmp_path / "a.mp4", pictures(40), timestamps_s=times)
    read = stamps(path)
    np.testing.assert_allclose(read, times, rtol=0, atol=1 / 90_000)
    fit = regularize_timestamps(read, probe_video(path).tick_s)
    assert not fit.regular
    np.testing.assert_array_equal(fit.timestamps_s, read)


def test_time_starts_at_the_first_picture(tmp_path: Path):
    path = write_video(tmp_path / "a.mp4", pictures(5), timestamps_s=np.arange(5) * 0.1 + 7)
    np.testing.assert_allclose(stamps(path), np.arange(5) * 0.1, atol=1e-4)


@pytest.mark.parametrize("name", ["b.avi", "b.ts", "b.mkv", "b.mp4", "b.h264"])
def test_pictures_that_refer_to_later_ones_come_all_and_in_order(tmp_path: Path, name: str):
    frames = [
        (frame.timestamp_s, picture_number(frame.image)) for frame in read_frames(encode(tmp_path / name, bf="3"))
    ]
    times, numbers = map(np.array, zip(*frames, strict=True))
    np.testing.assert_array_equal(numbers, np.arange(60) % 20)
    np.testing.assert_allclose(times, np.arange(60) / 30, rtol=0, atol=1e-3)


# Clips


def test_a_clip_is_half_open(plain: Path):
    frames = list(read_frames(VideoClip(plain, 0.3, 0.8)))
    np.testing.assert_allclose([frame.timestamp_s for frame in frames], [0.3, 0.4, 0.5, 0.6, 0.7])
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]
    assert [picture_number(frame.image) for frame in frames] == [3, 4, 5, 6, 7]


def test_neighbouring_clips_share_no_picture_and_lose_none(plain: Path):
    parts = [VideoClip(plain, 0.0, 0.55), VideoClip(plain, 0.55, 1.2), VideoClip(plain, 1.2)]
    np.testing.assert_array_equal(np.concatenate([stamps(part) for part in parts]), stamps(plain))


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("h264.mp4", "libx264", {"g": "12", "bf": "3"}),
        ("h264.mkv", "libx264", {"g": "12", "bf": "3"}),
        ("h264.avi", "libx264", {"g": "12", "bf": "3"}),
        ("stream.ts", "libx264", {"g": "12", "bf": "3"}),
        ("open_gop.mp4", "libx265", {"x265-params": "keyint=12:log-level=none"}),
        ("mpeg4.mp4", "mpeg4", {"g": "12", "bf": "2"}),
        ("program.mpg", "mpeg2video", {"g": "12", "bf": "2"}),
        ("elementary.h264", "libx264", {"g": "12"}),
        ("vp8.webm", "libvpx", {"g": "12"}),
    ],
)
def test_a_clip_equals_the_same_pictures_decoded_from_the_start(tmp_path: Path, name: str, codec: str, options: dict):
    path = encode(tmp_path / name, codec, **options)
    whole = list(read_frames(path))
    assert len(whole) == 60
    for start_s in (0.017, 0.35, 0.39, 0.4, 0.79, 0.81, 1.15, 1.63, 1.96):
        first = next(read_frames(VideoClip(path, start_s)))
        expected = next(frame for frame in whole if frame.timestamp_s >= start_s)
        assert first.timestamp_s == expected.timestamp_s
        np.testing.assert_array_equal(first.image, expected.image)


def test_a_clip_beyond_the_end_says_so(plain: Path):
    with pytest.raises(VideoError, match=r"plain\.mp4: no frame .* between 5\.0 s and 6\.0 s"):
        list(read_frames(VideoClip(plain, 5.0, 6.0)))


# What the container says


def test_probe_reads_size_rate_and_length(plain: Path):
    info = probe_video(plain)
    assert (info.path, info.width, info.height, info.codec, info.n_frames) == (plain, WIDTH, HEIGHT, "h264", 20)
    assert (info.frame_rate_hz, info.duration_s) == (10.0, 2.0)


def turned(path: Path, x_axis: tuple[int, int], y_axis: tuple[int, int]) -> Path:
    """Write into the header of an mp4 where the axes of its stored pictures point when they are shown."""
    content = path.read_bytes()
    at = content.index(b"tkhd") + 4 + 40
    one = 1 << 16
    matrix = [x_axis[0] * one, x_axis[1] * one, 0, y_axis[0] * one, y_axis[1] * one, 0, 0, 0, 1 << 30]
    result = path.with_name("turned.mp4")
    result.write_bytes(content[:at] + struct.pack(">9i", *matrix) + content[at + 36 :])
    return result


@pytest.mark.parametrize(
    ("x_axis", "y_axis", "corner"),
    [
        pytest.param((1, 0), (0, 1), "upper left", id="upright"),
        pytest.param((0, 1), (-1, 0), "upper right", id="90 degrees clockwise, a phone held upright"),
        pytest.param((-1, 0), (0, -1), "lower right", id="180 degrees"),
        pytest.param((0, -1), (1, 0), "lower left", id="270 degrees clockwise"),
        pytest.param((-1, 0), (0, 1), "upper right", id="mirrored"),
        pytest.param((0, 0), (0, 0), "upper left", id="no matrix at all"),
    ],
)
def test_the_picture_is_upright(tmp_path: Path, x_axis: tuple[int, int], y_axis: tuple[int, int], corner: str):
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    image[:16, :32] = (255, 0, 0)
    path = turned(write_video(tmp_path / "a.mp4", [image] * 3, frame_rate_hz=30, quality=5), x_axis, y_axis)
    frame = next(read_frames(path)).image
    height, width = (WIDTH, HEIGHT) if x_axis[0] == 0 and any(x_axis) else (HEIGHT, WIDTH)
    assert frame.shape == (height, width, 3)
    assert frame.flags.c_contiguous
    info = probe_video(path)
    assert (info.width, info.height) == (width, height)
    y, x = np.argwhere(frame[..., 0] > 128).mean(axis=0) > (height / 2, width / 2)
    assert f"{'lower' if y else 'upper'} {'right' if x else 'left'}" == corner
    assert (frame[..., 0] > 128).sum() == pytest.approx(16 * 32, rel=0.1)


@pytest.mark.parametrize("width", [2, 34, 322, 1768])
def test_widths_that_rows_are_padded_for_are_not_skewed(tmp_path: Path, width: int):
    image = np.zeros((48, width, 3), np.uint8)
    image[:, width // 2 :] = 255
    path = write_video(tmp_path / "a.mp4", [image] * 2, frame_rate_hz=30, quality=1)
    frame = next(read_frames(path)).image
    assert frame.shape == image.shape
    assert np.abs(frame.astype(int) - image).mean() < 4


def test_colours_are_red_green_blue(tmp_path: Path):
    colours = np.array([[200, 30, 30], [30, 200, 30], [30, 30, 200]], np.uint8)
    image = np.repeat(np.repeat(colours[None], 32, axis=1), 32, axis=0)
    frame = next(read_frames(write_video(tmp_path / "a.mp4", [image] * 2, frame_rate_hz=30, quality=1))).image
    np.testing.assert_allclose(frame[16, [16, 48, 80]], colours, atol=12)


def test_a_video_of_one_picture_can_be_read(tmp_path: Path):
    path = write_video(tmp_path / "a.mp4", pictures(1), frame_rate_hz=30)
    (frame,) = read_frames(path)
    assert (frame.index, frame.timestamp_s, picture_number(frame.image)) == (0, 0.0, 0)
    assert probe_video(path).n_frames == 1


def test_names_and_texts_that_libav_stumbles_over_are_read(
    tmp_path: Path, plain: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    Path("T12:30:00.mp4").write_bytes(plain.read_bytes())
    assert probe_video("T12:30:00.mp4").n_frames == 20
    with av.open("a.mp4", "w") as output:
        output.metadata["title"] = "Caf__"
        stream = output.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for image in pictures(3):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        output.mux(stream.encode(None))
    content = Path("a.mp4").read_bytes()
    assert content.count(b"Caf__") == 1
    Path("latin1.mp4").write_bytes(content.replace(b"Caf__", "Café_".encode("latin-1")))
    assert len(list(read_frames("latin1.mp4"))) == 3


# Bad files


def refused(path: Path) -> str:
    """Both ways into a file raise one VideoError that names it; give the message."""
    with pytest.raises(VideoError) as probed:
        probe_video(path)
    with pytest.raises(VideoError) as read:
        list(read_frames(path))
    assert str(read.value) == str(probed.value)
    assert str(path) in str(read.value)
    return str(read.value)


def test_a_missing_file_is_reported(tmp_path: Path):
    assert "no such file" in refused(tmp_path / "a.mp4")


def test_a_folder_is_reported(tmp_path: Path):
    assert "no such file" in refused(tmp_path)


def test_an_empty_file_is_reported(tmp_path: Path):
    (tmp_path / "a.mp4").touch()
    assert "empty" in refused(tmp_path / "a.mp4")


@pytest.mark.parametrize("name", ["a.txt", "a.mp4"])
def test_text_is_reported(tmp_path: Path, name: str):
    (tmp_path / name).write_text("Lorem ipsum dolor sit amet.\n" * 200)
    assert "video" in refused(tmp_path / name)


@pytest.mark.parametrize("name", ["a.png", "a.mp4"])
def test_a_picture_is_reported(tmp_path: Path, name: str):
    with av.open(str(tmp_path / "picture.png"), "w", format="image2") as output:
        stream = output.add_stream("png", rate=1)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "rgb24"
        output.mux(stream.encode(av.VideoFrame.from_ndarray(next(pictures(1)), format="rgb24")))
        output.mux(stream.encode(None))
    path = (tmp_path / "picture.png").rename(tmp_path / name)
    assert "no video in it" in refused(path)


def test_garbage_is_reported(tmp_path: Path):
    (tmp_path / "a.mp4").write_bytes(np.random.default_rng(0).bytes(10_000))
    assert "not a video" in refused(tmp_path / "a.mp4")


def test_sound_without_pictures_is_reported(tmp_path: Path):
    with wave.open(str(tmp_path / "a.wav"), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(bytes(16_000))
    assert "no video in it" in refused(tmp_path / "a.wav")


def test_the_cover_of_a_music_file_is_no_video(tmp_path: Path):
    path = tmp_path / "a.mp3"
    with av.open(str(path), "w") as output:
        sound, cover = output.add_stream("mp3", rate=44_100), output.add_stream("png", rate=1)
        cover.width, cover.height, cover.pix_fmt = WIDTH, HEIGHT, "rgb24"
        cover.disposition = av.stream.Disposition.attached_pic
        for index in range(20):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1152), np.float32), format="fltp", layout="mono")
            frame.rate, frame.pts = 44_100, index * 1152
            output.mux(sound.encode(frame))
        output.mux(sound.encode(None))
        output.mux(cover.encode(av.VideoFrame.from_ndarray(next(pictures(1)), format="rgb24")))
        output.mux(cover.encode(None))
    assert "no video in it" in refused(path)


def cut(path: Path, share: float) -> Path:
    content = path.read_bytes()
    result = path.with_name(f"cut_{path.name}")
    result.write_bytes(content[: int(len(content) * share)])
    return result


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_an_mp4_cut_off_before_its_index_is_reported(plain: Path, share: float):
    content = plain.read_bytes()
    assert "cut off before its index" in refused(cut(plain, share * content.index(b"moov") / len(content)))


@pytest.mark.parametrize(
    ("name", "codec", "share"),
    [
        *(("a.mp4", "libx264", share) for share in (0.5, 0.6, 0.8)),
        *(("a.mkv", "libx264", share) for share in (0.5, 0.8)),
        *(("a.avi", "mpeg4", share) for share in (0.5, 0.8)),
        ("a.webm", "libvpx", 0.7),
    ],
)
def test_a_file_cut_off_behind_its_head_is_reported_at_the_end(tmp_path: Path, name: str, codec: str, share: float):
    front = {"movflags": "+faststart"} if name == "a.mp4" else {}
    path = encode(tmp_path / name, codec, count=150, container=front)
    assert len(list(read_frames(path))) == 150
    given = []
    with pytest.raises(VideoError, match=r"cut_a.*truncated") as error:
        given.extend(frame.index for frame in read_frames(cut(path, share)))
    assert str(tmp_path) in str(error.value)
    assert 0 < len(given) < 150


def test_a_matroska_file_cut_off_is_reported_with_its_tags_or_with_sound(tmp_path: Path):
    whole = encode(tmp_path / "a.mkv", count=150).read_bytes()
    assert whole.count(b"DURATION") == 1
    (tmp_path / "untagged.mkv").write_bytes(whole.replace(b"DURATION", b"OTHERTAG"))
    with (
        av.open(str(tmp_path / "sound.mkv"), "w") as output,
        av.open(str(encode(tmp_path / "a.mp4", count=150))) as source,
    ):
        sound = output.add_stream("mp2", rate=44_100)
        copied = output.add_stream_from_template(source.streams.video[0])
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 1152), np.int16), format="s16", layout="mono")
        silence.rate, silence.pts = 44_100, 0
        output.mux(sound.encode(silence))
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = copied
                output.mux(packet)
        output.mux(sound.encode(None))
    for name in ("untagged.mkv", "sound.mkv"):
        assert len(list(read_frames(tmp_path / name))) == 150
        with pytest.raises(VideoError, match="truncated"):
            list(read_frames(cut(tmp_path / name, 0.6)))


def test_a_clip_that_lies_before_the_cut_can_be_read(tmp_path: Path):
    path = cut(encode(tmp_path / "a.mp4", count=150, container={"movflags": "+faststart"}), 0.8)
    assert len(list(read_frames(VideoClip(path, 0.5, 1.0)))) == 15


def test_a_long_last_picture_is_no_cut(tmp_path: Path):
    times = [*(np.arange(30) / 30), 5.0]
    path = write_video(tmp_path / "a.mkv", pictures(31), timestamps_s=times)
    assert stamps(path)[-1] == pytest.approx(5.0)


def test_bytes_lost_in_the_middle_end_in_our_error(tmp_path: Path):
    content = bytearray(encode(tmp_path / "a.mp4", container={"movflags": "+faststart"}).read_bytes())
    for share in (0.3, 0.5, 0.7):
        start = int(len(content) * share)
        content[start : start + 400] = bytes(range(256)) + bytes(144)
    (tmp_path / "broken.mp4").write_bytes(content)
    with pytest.raises(VideoError, match=r"broken\.mp4: (broken|no frame that can be decoded)"):
        list(read_frames(tmp_path / "broken.mp4"))


# Streaming


def open_files() -> set[str]:
    # The folder lists the descriptor that lists it, which is gone by then.
    links = (Path("/proc/self/fd") / name for name in os.listdir("/proc/self/fd"))  # noqa: PTH208
    return {os.readlink(link) for link in links if link.is_symlink()}  # noqa: PTH115


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files are listed in /proc on Linux only")
def test_a_reader_stopped_early_closes_the_file(plain: Path):
    frames = read_frames(plain)
    next(frames)
    assert str(plain) in open_files()
    frames.close()
    assert str(plain) not in open_files()


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files are listed in /proc on Linux only")
def test_an_error_of_the_caller_closes_the_file(plain: Path):
    def consume(clip: Iterable) -> None:
        for _ in clip:
            raise KeyError("the caller's own")

    with pytest.raises(KeyError, match="the caller's own"):
        consume(read_frames(VideoClip(plain, 0.5)))
    assert str(plain) not in open_files()


def test_no_picture_is_kept_once_the_caller_lets_go_of_it(plain: Path):
    seen = []
    for frame in read_frames(plain):
        assert all(picture() is None for picture in seen)
        seen = [weakref.ref(frame.image), weakref.ref(frame)]
        del frame
        assert all(picture() is None for picture in seen)


def test_nothing_is_opened_before_the_first_picture_is_asked_for(tmp_path: Path):
    frames = read_frames(tmp_path / "missing.mp4")
    with pytest.raises(VideoError):
        next(frames)


def test_the_demo_video_is_read_at_its_rate_and_size(test_data: Path):
    path = test_data / "video" / "sports2d_demo.mp4"
    info = probe_video(path)
    assert (info.width, info.height, info.frame_rate_hz, info.n_frames) == (1768, 994, 30.0, 230)
    frames = list(read_frames(VideoClip(path, 2.0, 2.2)))
    np.testing.assert_allclose([frame.timestamp_s for frame in frames], 2.0 + np.arange(6) / 30, atol=1e-9)
    assert frames[0].image.shape == (994, 1768, 3)
