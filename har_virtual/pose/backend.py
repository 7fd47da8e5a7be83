"""What every pose detector gives, and what the library asks of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from har_virtual.exceptions import DataFormatError
from har_virtual.skeleton import Skeleton
from har_virtual.video import Frame


@dataclass(frozen=True, eq=False)
class FramePoses:
    """The persons found in one frame.

    Parameters
    ----------
    keypoints_px : array of shape (n_persons, n_joints, 2)
        x right, y down, from the picture's upper left corner; may lie outside the picture. Finite: a joint that is
        not seen has the best guess of its place, and a low confidence.
    confidence : array of shape (n_persons, n_joints)
        From 0 to 1: whether the joint is seen.
    positions_m : array of shape (n_persons, n_joints, 3), optional
        x right, y down, z forward, along the ray to the person, about any origin in the person.

    Raises
    ------
    DataFormatError
        If the shapes disagree or a number is not finite.
    """

    keypoints_px: np.ndarray
    confidence: np.ndarray
    positions_m: np.ndarray | None = None

    def __post_init__(self) -> None:
        shape = np.shape(self.confidence)
        if len(shape) != 2 or np.shape(self.keypoints_px) != (*shape, 2):
            raise DataFormatError(
                f"FramePoses: keypoints_px {np.shape(self.keypoints_px)} and confidence {shape} differ."
            )
        if self.positions_m is not None and np.shape(self.positions_m) != (*shape, 3):
            raise DataFormatError(
                f"FramePoses: positions_m {np.shape(self.positions_m)} and confidence {shape} differ."
            )
        arrays = (self.keypoints_px, self.confidence, 0.0 if self.positions_m is None else self.positions_m)
        if not all(np.isfinite(array).all() for array in arrays):
            raise DataFormatError("FramePoses: joints must be finite; give unseen ones a guess and a low confidence.")

    def __len__(self) -> int:
        return len(self.confidence)

    def take(self, persons: np.ndarray) -> FramePoses:
        """Give the persons selected by indices or a mask."""
        positions = None if self.positions_m is None else self.positions_m[persons]
        return FramePoses(self.keypoints_px[persons], self.confidence[persons], positions)


@runtime_checkable
class PoseBackend(Protocol):
    """A 2D pose detector, with 3D where its model gives it.

    A detector of one's own needs these three names and no base class.
    """

    @property
    def skeleton(self) -> Skeleton:
        """The joints of every result."""
        ...

    @property
    def cache_key(self) -> str:
        """A text that changes with all that changes the result: model, version, parameters."""
        ...

    def detect(self, frames: Iterable[Frame]) -> Iterator[FramePoses]:
        """Give the persons of each frame, in order, one result a frame; state must not outlive the call."""
        ...


def bounding_boxes(poses: FramePoses, min_confidence: float) -> np.ndarray:
    """Give boxes tight around the joints that are seen, (n_persons, 4) as x1, y1, x2, y2 in px; at least 1 px wide."""
    seen = poses.confidence >= min_confidence
    seen[~seen.any(axis=1)] = True
    low = np.where(seen[..., None], poses.keypoints_px, np.inf).min(axis=1)
    high = np.where(seen[..., None], poses.keypoints_px, -np.inf).max(axis=1)
    return np.concatenate([low, np.maximum(high, low + 1)], axis=1)
