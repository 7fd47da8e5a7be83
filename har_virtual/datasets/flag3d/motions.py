"""Sequences of FLAG3D as motions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from har_virtual.checks import check_positive, is_finite_number
from har_virtual.datasets.flag3d.pack import NAME, Sequence
from har_virtual.exceptions import DataFormatError
from har_virtual.pose.skeletons import COCO_17, NTU_25
from har_virtual.skeleton import Motion, Skeleton

ASSUMED_RATE_HZ = 100.0
_MIN_FRAMES = 6
# Nobody walks that far in a sequence of some ten seconds, and no picture is that large.
_FARTHEST_M, _LARGEST_PX = 50.0, 20_000.0
_BENT = 0.03


@dataclass(frozen=True)
class SpatialFormat:
    """How the numbers of the pack are read, where the pack does not say it.

    Parameters
    ----------
    frame_rate_hz : float, optional
    unit_m : float
    skip_frames : int
    mirrored : bool
    """

    frame_rate_hz: float | None = None
    unit_m: float = 1.0
    skip_frames: int = 1
    mirrored: bool = False

    @property
    def rate_hz(self) -> float:
        """The frame rate, assumed where it is not known."""
        return _rate(self.frame_rate_hz)

    def check(self) -> SpatialFormat:
        """Give it back if its numbers make sense."""
        for name in ("frame_rate_hz", "unit_m"):
            if getattr(self, name) is not None:
                check_positive(name, getattr(self, name))
        if type(self.skip_frames) is not int or self.skip_frames < 0:
            raise DataFormatError(f"skip_frames must be a whole number of 0 or more, not {self.skip_frames!r}.")
        return self

    def motion(self, sequence: Sequence) -> Motion:
        """Give the joints on NTU-25, in the Z-up world."""
        joints = _joints(sequence, NTU_25, 3)[self.skip_frames :]
        positions_m = joints * self.unit_m
        if self.mirrored:
            positions_m[..., 0] *= -1
        _check_values(sequence, positions_m, _FARTHEST_M, "m", self.skip_frames)
        attrs = {"unit_m": self.unit_m, "skipped_frames": self.skip_frames, "mirrored": self.mirrored}
        return _motion(sequence, positions_m, NTU_25, self.frame_rate_hz, attrs, self.skip_frames)


@dataclass(frozen=True)
class FlatFormat:
    """How joints in pixels are read.

    Parameters
    ----------
    frame_rate_hz : float, optional
    torso_m : float
    min_score : float
    min_seen : float
        Share of the frames in which each joint must be seen.
    """

    frame_rate_hz: float | None = None
    torso_m: float = 0.5
    min_score: float = 0.3
    min_seen: float = 0.5

    def check(self) -> FlatFormat:
        """Give it back if its numbers make sense."""
        for name in ("frame_rate_hz", "torso_m"):
            if getattr(self, name) is not None:
                check_positive(name, getattr(self, name))
        if not is_finite_number(self.min_score):
            raise DataFormatError(f"min_score must be a finite number, not {self.min_score!r}.")
        return self

    def motion(self, sequence: Sequence) -> Motion:
        """Give the joints on COCO-17 in the plane of the picture, x to its right, z up; the trunk gives the scale."""
        joints = _joints(sequence, COCO_17, 2)
        seen = np.isfinite(joints).all(axis=2) & (joints != 0).any(axis=2) & self._sure(sequence, joints)
        share = seen.mean(axis=0)
        if share.min() < self.min_seen:
            joint = COCO_17.joints[int(share.argmin())]
            raise sequence.error(
                f"shows {joint} in {share.min():.0%} of its frames only; {self.min_seen:.0%} are needed."
            )
        filled = joints.copy()
        frames = np.arange(len(joints))
        for j, axis in np.ndindex(len(COCO_17), 2):
            filled[:, j, axis] = np.interp(frames, frames[seen[:, j]], joints[seen[:, j], j, axis])
        _check_values(sequence, filled, _LARGEST_PX, "px")
        shoulders, hips = (
            filled[:, [COCO_17.index(f"{side}_{what}") for side in ("left", "right")]].mean(axis=1)
            for what in ("shoulder", "hip")
        )
        torso_px = float(np.median(np.linalg.norm(shoulders - hips, axis=1)))
        if not torso_px > 1:
            raise sequence.error("has a trunk without a length, so that pixels cannot be made metres.")
        plane = (filled - hips[0]) * (self.torso_m / torso_px)
        positions_m = np.stack([plane[..., 0], np.zeros(plane.shape[:2]), -plane[..., 1]], axis=2)
        attrs = {"torso_m": self.torso_m, "torso_px": torso_px, "missing": float(1 - seen.mean())}
        return _motion(sequence, positions_m, COCO_17, self.frame_rate_hz, attrs)

    def _sure(self, sequence: Sequence, joints: np.ndarray) -> np.ndarray:
        if sequence.scores is None:
            return np.ones(joints.shape[:2], dtype=bool)
        scores = sequence.scores.load()
        if scores.shape != (1, *joints.shape[:2]):
            raise sequence.error(f"has scores of shape {scores.shape}, not {(1, *joints.shape[:2])}.")
        return np.asarray(scores[0] >= self.min_score)


def facing(motions: Iterable[Motion]) -> float:
    """Tell how knees bend: 1 where to the front by the sides of the hips, -1 where to the back, 0 where not at all.

    The front is where the trunk's way up, turned with the hips' way to the right, points. Nobody's knees bend to the
    back, so that -1 means that left and right are exchanged, or an axis is mirrored.
    """
    total = size = 0.0
    for motion in motions:
        up = motion.joint("neck") - motion.joint("pelvis")
        forward = np.cross(up, motion.joint("right_hip") - motion.joint("left_hip"))
        forward /= np.maximum(np.linalg.norm(forward, axis=1, keepdims=True), 1e-9)
        for side in ("left", "right"):
            ends = (motion.joint(f"{side}_hip") + motion.joint(f"{side}_ankle")) / 2
            bend = motion.joint(f"{side}_knee") - ends
            bent = np.linalg.norm(bend, axis=1) > _BENT
            total += float((bend * forward).sum(axis=1)[bent].sum())
            size += float(np.linalg.norm(bend, axis=1)[bent].sum())
    return total / size if size else 0.0


def _joints(sequence: Sequence, skeleton: Skeleton, n_dimensions: int) -> np.ndarray:
    shape = sequence.joints.shape
    expected = (1, sequence.n_frames, len(skeleton), n_dimensions)
    if sequence.n_frames < _MIN_FRAMES:
        raise sequence.error(f"has {sequence.n_frames} frames, but {_MIN_FRAMES} are needed.")
    if shape != expected:
        raise sequence.error(f"has joints of shape {shape}, not {expected} as {sequence.n_frames} frames should have.")
    return np.asarray(sequence.joints.load()[0], dtype=np.float64)


def _check_values(sequence: Sequence, values: np.ndarray, largest: float, unit: str, first_frame: int = 0) -> None:
    wrong = ~(np.abs(values) < largest)
    if wrong.any():
        raise sequence.error(
            f"has {wrong.sum()} coordinates that are NaN, infinite or over {largest:g} {unit}, from frame "
            f"{first_frame + int(np.argwhere(wrong)[0][0])} on; it is damaged."
        )


def _rate(rate_hz: float | None) -> float:
    return ASSUMED_RATE_HZ if rate_hz is None else float(rate_hz)


def _motion(
    sequence: Sequence,
    positions_m: np.ndarray,
    skeleton: Skeleton,
    rate_hz: float | None,
    attrs: dict[str, Any],
    first_frame: int = 0,
) -> Motion:
    if len(positions_m) < _MIN_FRAMES:
        raise sequence.error(f"has {len(positions_m)} frames, but {_MIN_FRAMES} are needed.")
    told = sequence.told
    return Motion(
        positions_m,
        (first_frame + np.arange(len(positions_m))) / _rate(rate_hz),
        skeleton,
        subject=told.subject,
        label=sequence.label,
        session=sequence.name,
        dataset=NAME,
        attrs={
            "file": sequence.pack.name,
            "activity": told.activity,
            **told.attrs,
            "split": sequence.split,
            "frame_rate_assumed": rate_hz is None,
            **attrs,
        },
    )
