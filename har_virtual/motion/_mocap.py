"""What the motion-capture readers share: chained rotations, merged joints, the turn into the Z-up world."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from har_virtual.exceptions import DataWarning, UnknownNameError
from har_virtual.motion.kinematics import main_child, orient_segments
from har_virtual.pose.skeletons import BODY_22, CMU_31, SMPL_24
from har_virtual.skeleton import Motion, Skeleton

COINCIDENT_M = 1e-3
"""A joint that never leaves its parent by more than this carries a rotation only and is merged into it."""

SMPL_22 = Skeleton("SMPL-22", SMPL_24.joints[:22], SMPL_24.parents[:22])
"""SMPL without the hands."""

# The file's axis that points up becomes Z; right-handed stays right-handed.
_WORLD_FROM_FILE = {
    "x": np.array([[0.0, 1, 0], [0, 0, 1], [1, 0, 0]]),
    "y": np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]),
    "z": np.eye(3),
}
_NEEDED = ("left_hip", "right_hip", "left_shoulder", "right_shoulder")


def world_from_file(up: str) -> np.ndarray:
    """Give the rotation from the file's axes to the Z-up world."""
    if up not in _WORLD_FROM_FILE:
        raise UnknownNameError(f"up={up!r} is no axis of a motion file; it is one of {', '.join(_WORLD_FROM_FILE)}.")
    return _WORLD_FROM_FILE[up]


def existing_file(path: str | os.PathLike, expected: str) -> Path:
    """Give `path` as a Path, or say what was expected there."""
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path} is no file; {expected} is expected there. Check the path.")
    return path


def chain_rotations(local: np.ndarray, parents: Sequence[int]) -> np.ndarray:
    """Turn rotations relative to the parent, (n_frames, n_nodes, 3, 3), into global ones; parents come first."""
    chained = local.copy()
    for node, parent in enumerate(parents):
        if parent >= 0:
            chained[:, node] = chained[:, parent] @ local[:, node]
    return chained


def chain_positions(offsets: np.ndarray, carriers: np.ndarray, parents: Sequence[int]) -> np.ndarray:
    """Add up the offsets (n_frames, n_nodes, 3) from parent to node, each turned by its carrier; parents come first."""
    positions = np.einsum("tnij,tnj->tni", carriers, offsets)
    for node, parent in enumerate(parents):
        positions[:, node] = offsets[:, node] if parent < 0 else positions[:, parent] + positions[:, node]
    return positions


def build_motion(
    source: str,
    names: Sequence[str],
    parents: Sequence[int],
    positions_m: np.ndarray,
    *,
    carriers: np.ndarray,
    own: np.ndarray,
    up: str,
    frame_rate_hz: float,
    attrs: Mapping[str, Any],
) -> Motion:
    """Assemble the nodes of a file into a Motion in the Z-up world.

    Parameters
    ----------
    source : str
        Name of the file.
    names, parents : sequence
        Of the nodes, parents first.
    positions_m : array of shape (n_frames, n_nodes, 3)
        In the file's axes.
    carriers : array of shape (n_frames, n_nodes, 3, 3)
        Rotation of the rigid body on which a node and its parent sit.
    own : array of shape (n_frames, n_nodes, 3, 3)
        Rotation of the node itself; used for the root and where no segment starts.
    """
    turn = world_from_file(up)
    keep, joints, joint_parents = _merge(names, parents, positions_m)
    known = (s for s in (CMU_31, SMPL_24, SMPL_22) if (s.joints, s.parents) == (joints, joint_parents))
    skeleton = next(known, None) or Skeleton(source, joints, joint_parents)
    motion = Motion(
        positions_m[:, keep] @ turn.T,
        np.arange(len(positions_m)) / frame_rate_hz,
        skeleton,
        attrs={"source": source, "frame_rate_hz": float(frame_rate_hz), **attrs},
    )
    missing = [joint for joint in _NEEDED if joint not in skeleton]
    if missing:
        warnings.warn(
            f"{source}: no joint is known as {', '.join(missing)}, so the motion has no segment orientations. The file "
            f"has {', '.join(joints)}.",
            DataWarning,
            stacklevel=3,
        )
        return motion
    children = [main_child(skeleton, joint) for joint in range(len(skeleton))]
    # The root carries the hips; what leads from it towards the head may be a bone of the back.
    segments = [
        own[:, keep[joint]] if child is None or joint == skeleton.root else carriers[:, keep[child]]
        for joint, child in enumerate(children)
    ]
    return orient_segments(motion, joint_rotations=turn @ np.stack(segments, axis=1))


def _merge(
    names: Sequence[str], parents: Sequence[int], positions_m: np.ndarray
) -> tuple[list[int], tuple[str, ...], tuple[int, ...]]:
    """Keep one node of those that always coincide; it takes the first name that BODY-22 knows, else its own."""
    stands_for = list(range(len(names)))
    for node, parent in enumerate(parents):
        if parent >= 0 and _distance(positions_m, node, stands_for[parent]) < COINCIDENT_M:
            stands_for[node] = stands_for[parent]
    keep = [node for node, kept in enumerate(stands_for) if node == kept]
    merged = {kept: [names[n] for n, other in enumerate(stands_for) if other == kept] for kept in keep}
    joints = tuple(next((name for name in merged[k] if name in BODY_22), names[k]) for k in keep)
    return (keep, joints, tuple(-1 if parents[k] < 0 else keep.index(stands_for[parents[k]]) for k in keep))


def _distance(positions_m: np.ndarray, node: int, other: int) -> float:
    return float(np.linalg.norm(positions_m[:, node] - positions_m[:, other], axis=1).max())
