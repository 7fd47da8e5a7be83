"""VideoClip: a stretch of a video."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from har_virtual.exceptions import DataFormatError


@dataclass(frozen=True)
class VideoClip:
    """A stretch of a video, half-open: frames with ``start_s <= time < stop_s``.

    Parameters
    ----------
    path : Path
        A str becomes one.
    start_s : float, default=0.0
    stop_s : float, optional
        None means the end of the video.
    label, subject, dataset : optional
        Activity, person and data set, where they are known; they go to every stream made from the clip. A person of
        whom there are real recordings, too, needs the same subject and data set here as there.
    """

    path: Path
    start_s: float = 0.0
    stop_s: float | None = None
    label: Any = None
    subject: str | None = None
    dataset: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", Path(self.path))
        if not self.start_s >= 0 or (self.stop_s is not None and not self.stop_s > self.start_s):
            raise DataFormatError(
                f"Clip of {self.path}: needs 0 <= start_s < stop_s, not start_s={self.start_s}, stop_s={self.stop_s}."
            )

    @property
    def bounds(self) -> str:
        """``2-4`` or ``2-end`` for a part of a video, nothing for the whole: for names."""
        if self.start_s == 0 and self.stop_s is None:
            return ""
        return f"{self.start_s:g}-{'end' if self.stop_s is None else format(self.stop_s, 'g')}"
