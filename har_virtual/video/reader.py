"""Frames of a video, streamed, upright, with the timestamps of the container."""

from __future__ import annotations

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
        if first.rotation % 180:
            width, height = height, width
        rate, base = stream.average_rate, stream.time_base
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
    index, last_s = 0, -np.inf
    with _open(clip.path) as (container, stream):
        origin = stream.start_time or 0
        if clip.start_s > 0:
            container.seek(int(clip.start_s / stream.time_base) + origin, stream=stream, backward=True)
        for count, picture in enumerate(_decoded(container, stream, clip.path)):
            time_s = _timestamp_s(picture, stream, origin, count)
            if clip.stop_s is not None and time_s >= clip.stop_s:
                break
            if time_s < clip.start_s or time_s <= last_s:
                continue
            yield Frame(index, time_s, _upright(picture))
            index, last_s = index + 1, time_s
        else:
            _check_complete(clip, stream, last_s)
    if index == 0:
        raise VideoError(f"{clip.path}: no frame between {clip.start_s} s and {clip.stop_s or 'the end'} s.")


@contextmanager
def _open(path: Path) -> Iterator[tuple[Any, Any]]:
    av = import_optional("av", feature="reading video", extra="video")
    if not path.is_file():
        raise VideoError(f"{path}: there is no such file. Check the path.")
    if path.stat().st_size == 0:
        raise VideoError(f"{path}: the file is empty. Copy or download it again.")
    try:
        container = av.open(str(path))
    except av.FFmpegError as error:
        raise VideoError(f"{path}: not a video, or cut off before its index ({error.strerror}).") from error
    with container:
        if any(name in container.format.name for name in _NO_VIDEO_FORMATS) or not container.streams.video:
            raise VideoError(f"{path}: no video in it (format {container.format.name}).")
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        yield container, stream


def _decoded(container: Any, stream: Any, path: Path) -> Iterator[Any]:
    av = import_optional("av", feature="reading video", extra="video")
    try:
        yield from container.decode(stream)
    except av.FFmpegError as error:
        raise VideoError(f"{path}: broken or truncated ({error.strerror}). Copy or download it again.") from error


def _timestamp_s(picture: Any, stream: Any, origin: int, count: int) -> float:
    if picture.pts is not None:
        return float((picture.pts - origin) * stream.time_base)
    if stream.average_rate:
        return float(count / stream.average_rate)
    raise VideoError(f"{stream.container.name}: frames carry no timestamps and the file states no rate; remux it.")


def _upright(picture: Any) -> np.ndarray:
    # The display matrix turns counter-clockwise, as rot90 does.
    turned = np.rot90(picture.to_ndarray(format="rgb24"), k=round(picture.rotation / 90))
    return np.ascontiguousarray(turned)


def _check_complete(clip: VideoClip, stream: Any, last_s: float) -> None:
    """An index at the front of a file promises frames that a cut-off file no longer has."""
    if stream.duration is None or not np.isfinite(last_s):
        return
    promised = float(stream.duration * stream.time_base)
    missing = promised - last_s
    if missing > max(_TRUNCATED_S, _TRUNCATED_SHARE * promised):
        raise VideoError(
            f"{clip.path}: truncated, the frames end at {last_s:.2f} s of {promised:.2f} s. Copy or download it again."
        )
