"""Encoding of video."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from har_virtual._optional import import_optional
from har_virtual.checks import check_positive
from har_virtual.exceptions import DataFormatError, VideoError
from har_virtual.files import atomic_path

_TICK_S = Fraction(1, 90_000)


def write_video(
    path: str | Path,
    images: Iterable[np.ndarray],
    *,
    frame_rate_hz: float | None = None,
    timestamps_s: Iterable[float] | None = None,
    codec: str = "libx264",
    quality: int = 20,
) -> Path:
    """Encode frames, one at a time, into a file that appears whole or not at all.

    Parameters
    ----------
    path : path
        The suffix chooses the container.
    images : iterable of uint8 arrays of shape (height, width, 3)
        RGB; height and width even.
    frame_rate_hz : float, optional
    timestamps_s : iterable of float, optional
        Time of each frame from 0 on, for a variable rate; give this or `frame_rate_hz`. Not for AVI, which knows only
        constant rates.
    codec : str, default="libx264"
    quality : int, default=20
        Constant rate factor: 0 is lossless, 51 the worst. Codecs that have none, such as mpeg4, ignore it.

    Returns
    -------
    Path

    Raises
    ------
    DataFormatError
        If neither or both of rate and stamps are given, the quality is out of range, a stamp is missing or not after
        the one before it, there is no frame, or a frame has another shape or an odd size.
    VideoError
        If the codec is not there, the suffix is of no container, or the one cannot go into the other.
    """
    if (frame_rate_hz is None) == (timestamps_s is None):
        raise DataFormatError("write_video needs frame_rate_hz or timestamps_s, one of them.")
    if isinstance(quality, bool) or not isinstance(quality, int) or not 0 <= quality <= 51:
        raise DataFormatError(f"write_video: quality must be a whole number from 0 to 51, not {quality!r}.")
    if frame_rate_hz is not None:
        check_positive("write_video: frame_rate_hz", frame_rate_hz)
    av = import_optional("av", feature="writing video", extra="video")
    rate = Fraction(frame_rate_hz or 30).limit_denominator(1001)
    # A constant rate counts frames, which every container can store exactly.
    ticks, tick_s = (count(), 1 / rate) if timestamps_s is None else (_ticks(timestamps_s, path), _TICK_S)
    with atomic_path(path) as temporary:
        try:
            with _create(av, temporary, path) as container:
                stream = None
                for image in images:
                    tick = next(ticks, None)
                    if tick is None:
                        raise DataFormatError(f"{path}: there are fewer timestamps than frames; give one a frame.")
                    _check_image(image, stream)
                    stream = stream or _add_stream(container, codec, quality, image, rate, tick_s, path)
                    picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
                    picture.time_base, picture.pts = tick_s, tick
                    container.mux(stream.encode(picture))
                if stream is None:
                    raise DataFormatError(f"{path}: there is no frame to write.")
                container.mux(stream.encode(None))
        except av.FFmpegError as error:
            raise VideoError(f"{path}: cannot be encoded with {codec} ({error}).") from error
    return Path(path)


def _ticks(timestamps_s: Iterable[float], path: str | Path) -> Iterator[int]:
    last = -1
    for time_s in timestamps_s:
        tick = round(time_s / _TICK_S) if np.isfinite(time_s) else -1
        if tick <= last:
            raise DataFormatError(
                f"{path}: timestamps must be finite, from 0 on, and each after the one before it; {time_s} s is not."
            )
        yield tick
        last = tick


def _create(av: Any, temporary: Path, path: str | Path) -> Any:
    try:
        # Absolute, or libav takes "12:30.mp4" for a protocol.
        return av.open(str(temporary.absolute()), "w")
    except ValueError as error:
        raise VideoError(f"{path}: the suffix {Path(path).suffix!r} is of no video; use .mp4 or .mkv.") from error


def _check_image(image: np.ndarray, stream: Any) -> None:
    image = np.asarray(image)
    height, width = image.shape[:2] if image.ndim == 3 else (0, 0)
    if image.shape[2:] != (3,) or image.dtype != np.uint8 or height % 2 or width % 2 or not image.size:
        raise DataFormatError(f"Frames must be uint8 (even height, even width, 3), not {image.dtype} {image.shape}.")
    if stream is not None and (height, width) != (stream.height, stream.width):
        raise DataFormatError(f"Frames must all be {stream.height} x {stream.width}, not {height} x {width}.")


def _add_stream(
    container: Any,
    codec: str,
    quality: int,
    image: np.ndarray,
    rate: Fraction,
    tick_s: Fraction,
    path: str | Path,
) -> Any:
    try:
        stream = container.add_stream(codec, rate=rate)
    except (TypeError, ValueError) as error:
        raise VideoError(f"{path}: cannot be encoded with {codec!r} ({error}). Use another codec or suffix.") from error
    stream.height, stream.width = np.shape(image)[:2]
    stream.pix_fmt = "yuv420p"
    stream.time_base = stream.codec_context.time_base = tick_s
    # With its macroblock tree x264 does not always write the same file for the same frames.
    stream.options = {"crf": str(quality)} | ({"x264-params": "mbtree=0"} if codec == "libx264" else {})
    return stream
