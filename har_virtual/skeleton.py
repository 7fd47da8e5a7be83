"""Skeleton and Motion: a person's joints, named, in metres and seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from har_virtual.exceptions import DataFormatError, UnknownNameError
from har_virtual.signal import typical_rate


@dataclass(frozen=True)
class Skeleton:
    """Named joints and the tree that connects them.

    Parameters
    ----------
    name : str
        For messages and files, such as "COCO-17".
    joints : tuple of str
        Names in the order of the arrays. Sides are the subject's own: ``left_wrist``.
    parents : tuple of int
        Index of each joint's parent, -1 for the root. A parent stands before or after its child.
        Other sequences become tuples.

    Raises
    ------
    DataFormatError
        If lengths differ, a name repeats, or the parents do not form one tree.
    """

    name: str
    joints: tuple[str, ...]
    parents: tuple[int, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "joints", tuple(self.joints))
        object.__setattr__(self, "parents", tuple(int(parent) for parent in self.parents))
        n = len(self.joints)
        if len(self.parents) != n or len(set(self.joints)) != n:
            raise DataFormatError(f"Skeleton {self.name}: {n} joints need {n} distinct names and {n} parents.")
        if self.parents.count(-1) != 1 or not all(-1 <= parent < n for parent in self.parents):
            raise DataFormatError(
                f"Skeleton {self.name}: exactly one joint has parent -1, the others an index below {n}."
            )
        for joint in range(n):
            if len(self._ancestors(joint)) > n:
                raise DataFormatError(f"Skeleton {self.name}: the parents of {self.joints[joint]} form a cycle.")

    def _ancestors(self, joint: int) -> list[int]:
        chain: list[int] = []
        while (joint := self.parents[joint]) >= 0 and len(chain) <= len(self.joints):
            chain.append(joint)
        return chain

    def __len__(self) -> int:
        return len(self.joints)

    def __contains__(self, joint: object) -> bool:
        return joint in self._index

    @cached_property
    def _index(self) -> dict[str, int]:
        return {joint: i for i, joint in enumerate(self.joints)}

    def index(self, joint: str) -> int:
        """Give the position of a joint in the arrays.

        Parameters
        ----------
        joint : str

        Returns
        -------
        int

        Raises
        ------
        UnknownNameError
            If there is no such joint; the message has the names there are.
        """
        if joint not in self._index:
            raise UnknownNameError(f"Skeleton {self.name} has no joint {joint!r}; it has {', '.join(self.joints)}.")
        return self._index[joint]

    @property
    def root(self) -> int:
        """Index of the joint without a parent."""
        return self.parents.index(-1)

    def children(self, joint: int) -> tuple[int, ...]:
        """Give the joints that hang on another.

        Parameters
        ----------
        joint : int
            Index of the parent.

        Returns
        -------
        tuple of int
            Indices, in the order of the arrays; empty at the end of a chain.
        """
        return tuple(i for i, parent in enumerate(self.parents) if parent == joint)

    def ancestors(self, joint: int) -> tuple[int, ...]:
        """Give the way from a joint to the root.

        Parameters
        ----------
        joint : int
            Index of the joint.

        Returns
        -------
        tuple of int
            Indices from its parent up to the root; empty for the root.
        """
        return tuple(self._ancestors(joint))

    @cached_property
    def outward_order(self) -> tuple[int, ...]:
        """Joint indices ordered so that each parent comes before its children."""
        return tuple(sorted(range(len(self)), key=lambda joint: len(self._ancestors(joint))))

    @cached_property
    def mirror(self) -> tuple[int, ...]:
        """For each joint the index of its left/right counterpart, itself where it has none."""
        other = {"left_": "right_", "right_": "left_"}
        names = [next((other[s] + j.removeprefix(s) for s in other if j.startswith(s)), j) for j in self.joints]
        return tuple(self._index.get(name, i) for i, name in enumerate(names))


@dataclass(frozen=True, eq=False)
class Motion:
    """A person's joints over time, in the world frame (right-handed, Z up, metres, heading arbitrary).

    Parameters
    ----------
    positions_m : array of shape (n_frames, n_joints, 3)
    timestamps_s : array of shape (n_frames,)
        Strictly increasing, not necessarily even.
    skeleton : Skeleton
    rotations : array of shape (n_frames, n_joints, 3, 3), optional
        Segment-to-world rotations in the frames of `har_virtual.motion.orient_segments`;
        ``rotations[:, j]`` belongs to the segment that starts at joint j.
    uncertainty_m : array of shape (n_frames, n_joints), optional
        Standard deviation of each joint's position.
    subject, label, session, dataset : str, optional
        They go to every stream simulated from the motion. A person of whom there are real recordings, too, needs the
        same subject and dataset here as there.
    attrs : mapping
        Where the motion came from and what is assumed about it; JSON-compatible values.

    Raises
    ------
    DataFormatError
        If shapes disagree, a position is not finite, time does not increase, or the skeleton is no `Skeleton`.
    """

    positions_m: np.ndarray
    timestamps_s: np.ndarray
    skeleton: Skeleton
    rotations: np.ndarray | None = None
    uncertainty_m: np.ndarray | None = None
    subject: str | None = None
    label: Any = None
    session: str | None = None
    dataset: str | None = None
    attrs: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.skeleton, Skeleton):
            raise DataFormatError(
                f"Motion: skeleton must be a Skeleton, not {self.skeleton!r}; har_virtual.pose.get_skeleton gives one "
                "by its name."
            )
        positions = np.array(self.positions_m, dtype=np.float64)
        shape = (len(positions), len(self.skeleton))
        expected = {
            "positions_m": (positions, (*shape, 3)),
            "timestamps_s": (np.array(self.timestamps_s, dtype=np.float64), shape[:1]),
        }
        if self.rotations is not None:
            expected["rotations"] = (np.array(self.rotations, dtype=np.float64), (*shape, 3, 3))
        if self.uncertainty_m is not None:
            expected["uncertainty_m"] = (np.array(self.uncertainty_m, dtype=np.float64), shape)
        for name, (array, wanted) in expected.items():
            if array.shape != wanted:
                raise DataFormatError(
                    f"Motion: {name} has shape {array.shape}, but {shape[0]} frames of {self.skeleton.name} need "
                    f"{wanted}."
                )
            if not np.isfinite(array).all():
                raise DataFormatError(f"Motion: {name} has values that are not finite; fill or cut the gaps first.")
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        if np.any(np.diff(self.timestamps_s) <= 0):
            raise DataFormatError(
                "Motion: timestamps_s must increase strictly; sort the frames and drop repeated ones."
            )
        object.__setattr__(self, "attrs", dict(self.attrs))

    def __len__(self) -> int:
        return len(self.positions_m)

    def __repr__(self) -> str:
        rotations = "without" if self.rotations is None else "with"
        return (
            f"Motion({self.skeleton.name}, {len(self)} frames, {self.duration_s:.2f} s at {self.frame_rate_hz:g} Hz, "
            f"{rotations} rotations)"
        )

    @property
    def duration_s(self) -> float:
        """Time from the first to the last frame."""
        return float(self.timestamps_s[-1] - self.timestamps_s[0]) if len(self) else 0.0

    @property
    def frame_rate_hz(self) -> float:
        """Frames a second, which neither holes nor dropped frames lower: see `har_virtual.signal.typical_rate`."""
        return typical_rate(self.timestamps_s)

    def joint(self, name: str) -> np.ndarray:
        """Give the positions of one joint.

        Parameters
        ----------
        name : str

        Returns
        -------
        array of shape (n_frames, 3)
            In the world, metres.

        Raises
        ------
        UnknownNameError
            If the skeleton has no such joint.
        """
        return self.positions_m[:, self.skeleton.index(name)]

    def replace(self, **changes: Any) -> Motion:
        """Give a copy with some fields changed.

        Parameters
        ----------
        **changes
            Fields of Motion.

        Returns
        -------
        Motion
            Checked as a new one is.
        """
        return replace(self, **changes)
