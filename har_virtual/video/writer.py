"""Encoding of video."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from har_virtual._optional import import_optional
from har_virtual.exceptions import DataFormatError, VideoError
from har_virtual.files import atomic_path

_TIME_BASE = Fraction(1, 90_000)


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
        Time of each frame, for a variable rate; give this or `frame_rate_hz`.
    codec : str, default="libx264"
    quality : int, default=20
        Constant rate factor: 0 is lossless, 51 the worst.

    Returns
    -------
    Path

    Raises
    ------
    DataFormatError
        If neither or both of rate and stamps are given, there is no frame, or a frame has another shape or an odd size.
    VideoError
        If the codec is not there or cannot go into that container.
    """
    if (frame_rate_hz is None) == (timestamps_s is None):
        raise DataFormatError("write_video needs frame_rate_hz or timestamps_s, one of them.")
    av = import_optional("av", feature="writing video", extra="video")
    stamps = iter(timestamps_s) if timestamps_s is not None else (i / (frame_rate_hz or 1) for i in count())
    with atomic_path(path) as temporary:
        try:
            with av.open(str(temporary), "w") as container:
                stream = None
                for image in images:
                    time_s = next(stamps, None)
                    if time_s is None:
                        raise DataFormatError(f"{path}: there are fewer timestamps than frames; give one a frame.")
                    stream = stream or _add_stream(container, codec, quality, image, frame_rate_hz)
                    _encode(av, container, stream, image, time_s)
                if stream is None:
                    raise DataFormatError(f"{path}: there is no frame to write.")
                container.mux(stream.encode(None))
        except (av.FFmpegError, av.codec.codec.UnknownCodecError) as error:
            raise VideoError(f"{path}: cannot be encoded with {codec} ({error}).") from error
    return Path(path)


def _add_stream(container: Any, codec: str, quality: int, image: np.ndarray, frame_rate_hz: float | None) -> Any:
    image = np.asarray(image)
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.shape[0] % 2 or image.shape[1] % 2:
        raise DataFormatError(f"Frames must be uint8 (even height, even width, 3), not {image.dtype} {image.shape}.")
    stream = container.add_stream(codec, rate=Fraction(frame_rate_hz or 30).limit_denominator(1001))
    stream.height, stream.width = image.shape[:2]
    stream.pix_fmt = "yuv420p"
    stream.time_base = stream.codec_context.time_base = _TIME_BASE
    stream.options = {"crf": str(quality)}
    return stream


def _encode(av: Any, container: Any, stream: Any, image: np.ndarray, time_s: float) -> None:
    if np.shape(image) != (stream.height, stream.width, 3):
        raise DataFormatError(f"Frames must all be {stream.height} x {stream.width}, not {np.shape(image)[:2]}.")
    picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
    picture.time_base = _TIME_BASE
    picture.pts = round(time_s / _TIME_BASE)
    container.mux(stream.encode(picture))
