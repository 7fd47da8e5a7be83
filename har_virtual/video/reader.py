"""Frames of a video, streamed, upright, with the timestamps of the container."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from har_virtual._optional import import_optional
from har_virtual.exceptions import VideoError
from har_virtual.recording import VideoClip

# libav reads text files and single pictures as video, too.
_NO_VIDEO_FORMATS = ("tty", "image2", "_pipe")
_TRUNCATED_SHARE = 0.05
_TRUNCATED_S = 0.5
# Not every container finds the key frame before a time at the first try.
_SEEK_BACK_S = (0.0, 2.0, 10.0)


@dataclass(frozen=True)
class VideoInfo:
    """What a container says of its video.

    Parameters
    ----------
    path : Path
    width, height : int
        Pixels of the upright picture.
    frame_rate_hz : float
        Mean rate that the container states; nan where it states none.
    tick_s : float
        Resolution of the container's timestamps.
    duration_s : float
        nan where the container states none.
    n_frames : int
        0 where the container states none.
    codec : str
    """

    path: Path
    width: int
    height: int
    frame_rate_hz: float
    tick_s: float
    duration_s: float
    n_frames: int
    codec: str


@dataclass(frozen=True, eq=False)
class Frame:
    """One upright frame.

    Parameters
    ----------
    index : int
        Position among the frames of the clip, from 0.
    timestamp_s : float
        Time since the first frame of the video, from the container.
    image : uint8 array of shape (height, width, 3)
        RGB.
    """

    index: int
    timestamp_s: float
    image: np.ndarray


def probe_video(path: str | Path) -> VideoInfo:
    """Read what the container says, and the first frame to learn whether the picture is turned.

    Raises
    ------
    VideoError
        If the file is missing, empty or no video.
    """
    path = Path(path)
    with _open(path) as (container, stream):
        first = next(_decoded(container, stream, path), None)
        if first is None:
            raise VideoError(f"{path}: the file holds no frame that can be decoded.")
        width, height = first.width, first.height
        if _display_axes(first)[0, 0] == 0:
            width, height = height, width
        rate, base = stream.average_rate or stream.guessed_rate, stream.time_base
        seconds = stream.duration * base if stream.duration is not None else None
        if seconds is None and container.duration is not None:
            seconds = container.duration / 1e6
        return VideoInfo(
            path=path,
            width=width,
            height=height,
            frame_rate_hz=float(rate) if rate else float("nan"),
            tick_s=float(base),
            duration_s=float(seconds) if seconds is not None else float("nan"),
            n_frames=stream.frames,
            codec=stream.codec_context.name,
        )


def read_frames(clip: str | Path | VideoClip) -> Iterator[Frame]:
    """Stream the frames of a clip in order; at no time is more than one frame held.

    Frames with ``start_s <= timestamp < stop_s`` are given. The picture is turned upright as the container's display
    matrix says. A frame whose stamp does not exceed the one before it is left out.

    Parameters
    ----------
    clip : path or VideoClip

    Yields
    ------
    Frame

    Raises
    ------
    VideoError
        If the file is missing, empty, truncated or no video, or has no frame in the clip.
    """
    clip = clip if isinstance(clip, VideoClip) else VideoClip(Path(clip))
    index, last_s, end_s = 0, -np.inf, -np.inf
    with _open_at(clip.path, clip.start_s) as (container, stream):
        upright = _Upright()
        for count, picture in enumerate(_decoded(container, stream, clip.path)):
            time_s = _timestamp_s(picture, stream, count)
            if clip.stop_s is not None and time_s >= clip.stop_s:
                break
            if time_s < clip.start_s or time_s <= last_s:
                continue
            yield Frame(index, time_s, upright(picture))
            index, last_s = index + 1, time_s
            end_s = time_s + float((picture.duration or 0) * stream.time_base)
        else:
            _check_complete(clip, container, stream, end_s)
    if index == 0:
        stop = "the end" if clip.stop_s is None else f"{clip.stop_s} s"
        raise VideoError(f"{clip.path}: no frame that can be decoded between {clip.start_s} s and {stop}.")


@contextmanager
def _open_at(path: Path, start_s: float) -> Iterator[tuple[Any, Any]]:
    """Open a video at a key frame from which `start_s` can be decoded; at its start where there is no way to it."""
    with _open(path) as (container, stream):
        if start_s <= 0 or _seek(container, stream, start_s):
            yield container, stream
            return
    with _open(path) as opened:
        yield opened


def _seek(container: Any, stream: Any, start_s: float) -> bool:
    av = import_optional("av", feature="reading video", extra="video")
    # In a program stream few pictures carry a time; libav guesses the others from those before.
    if container.format.name == "mpeg" or not _has_stamps(stream):
        return False
    for back_s in _SEEK_BACK_S:
        ticks = int(max(start_s - back_s, 0) / stream.time_base) + (stream.start_time or 0)
        try:
            container.seek(ticks, stream=stream, backward=True)
            first = next(container.decode(stream), None)
            if first is not None and first.pts is not None and _timestamp_s(first, stream, 0) <= start_s:
                container.seek(ticks, stream=stream, backward=True)
                return True
        except av.FFmpegError:
            return False
    return False


@contextmanager
def _open(path: Path) -> Iterator[tuple[Any, Any]]:
    av = import_optional("av", feature="reading video", extra="video")
    if not path.is_file():
        raise VideoError(f"{path}: there is no such file. Check the path.")
    if path.stat().st_size == 0:
        raise VideoError(f"{path}: the file is empty. Copy or download it again.")
    try:
        # Absolute, or libav takes "12:30.mp4" for a protocol; many old files hold text that is not UTF-8.
        container = av.open(str(path.absolute()), metadata_errors="ignore")
    except av.FFmpegError as error:
        raise VideoError(f"{path}: not a video, or cut off before its index ({error.strerror}).") from error
    with container:
        # The cover of a music file is a video stream of one picture.
        cover = av.stream.Disposition.attached_pic
        streams = [stream for stream in container.streams.video if not stream.disposition & cover]
        if any(name in container.format.name for name in _NO_VIDEO_FORMATS) or not streams:
            raise VideoError(f"{path}: no video in it (format {container.format.name}).")
        stream = streams[0]
        stream.thread_type = "AUTO"
        yield container, stream


def _decoded(container: Any, stream: Any, path: Path) -> Iterator[Any]:
    av = import_optional("av", feature="reading video", extra="video")
    try:
        yield from container.decode(stream)
    except av.FFmpegError as error:
        raise VideoError(f"{path}: broken or truncated ({error.strerror}). Copy or download it again.") from error


def _has_stamps(stream: Any) -> bool:
    """AVI stores no times; what libav makes up for it is in the wrong order where frames refer to later ones."""
    return not (stream.container.format.name == "avi" and stream.codec_context.has_b_frames)


def _timestamp_s(picture: Any, stream: Any, count: int) -> float:
    if picture.pts is not None and _has_stamps(stream):
        return float((picture.pts - (stream.start_time or 0)) * stream.time_base)
    rate = stream.guessed_rate or stream.average_rate
    if rate:
        return float(count / rate)
    raise VideoError(f"{stream.container.name}: frames carry no timestamps and the file states no rate; remux it.")


def _display_axes(picture: Any) -> np.ndarray:
    """Where the picture's x (first row) and y axis point when it is shown: (2, 2) of -1, 0, 1; it may be mirrored."""
    data = picture.side_data.get("DISPLAYMATRIX")
    matrix = np.eye(2) if data is None else np.frombuffer(bytes(data), np.int32).reshape(3, 3)[:2, :2]
    scale = np.abs(matrix).max()
    return np.rint(matrix / scale).astype(int) if scale > 0 else np.eye(2, dtype=int)


class _Upright:
    """RGB pixels of pictures of one stream, upright; what all of them share is looked up and made once."""

    def __init__(self) -> None:
        av = import_optional("av", feature="reading video", extra="video")
        self._reformatter = av.video.reformatter.VideoReformatter()
        self._axes: np.ndarray | None = None

    def __call__(self, picture: Any) -> np.ndarray:
        if self._axes is None:
            # Side data and picture refer to each other: asked of every picture, they pile up until they are collected.
            self._axes = _display_axes(picture)
        image = self._reformatter.reformat(picture, format="rgb24").to_ndarray()
        if self._axes[0, 0] == 0:
            image = image.swapaxes(0, 1)
        right, down = self._axes.sum(axis=0)
        return np.ascontiguousarray(image[:: -1 if down < 0 else 1, :: -1 if right < 0 else 1])


def _check_complete(clip: VideoClip, container: Any, stream: Any, end_s: float) -> None:
    """A cut-off file no longer has all the frames that its head promises."""
    promised = max(_promised_s(container, stream), default=0.0)
    missing = promised - end_s - max(float((stream.start_time or 0) * stream.time_base), 0.0)
    if np.isfinite(missing) and missing > max(_TRUNCATED_S, _TRUNCATED_SHARE * promised):
        raise VideoError(
            f"{clip.path}: truncated, the frames end at {end_s:.2f} s of {promised:.2f} s. Copy or download it again."
        )


def _promised_s(container: Any, stream: Any) -> Iterator[float]:
    if stream.duration is not None:
        yield float(stream.duration * stream.time_base)
    elif len(container.streams) == 1 and container.duration is not None:
        yield container.duration / 1e6
    # The duration of an AVI without its index is an estimate, the number of frames stands in its head.
    if container.format.name == "avi" and stream.average_rate:
        yield float(stream.frames / stream.average_rate)
    # Matroska keeps the duration of each stream in a tag.
    tag = re.fullmatch(r"(\d+):(\d+):([\d.]+)", stream.metadata.get("DURATION", ""))
    if tag:
        hours, minutes, seconds = map(float, tag.groups())
        yield 3600 * hours + 60 * minutes + seconds
