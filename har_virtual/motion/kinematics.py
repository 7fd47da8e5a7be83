"""Segment orientations from joint positions, continuous in time.

IMUTube (section 2.4) tracks the local orientation of each joint by forward kinematics from the hips. A segment's
direction follows from its two joints; its twist follows from the hinge of its limb: elbow and knee bend about one
axis, which upper arm and forearm, thigh and shank share.
"""

from __future__ import annotations

import numpy as np

from har_virtual.exceptions import UnknownNameError
from har_virtual.pose.skeletons import BODY_22, derivable, map_joints
from har_virtual.skeleton import Motion, Skeleton

# Limb: (upper joint, hinge joint, lower joint); flexion turns the upper direction into the lower one.
LIMBS = {
    f"{side}_{limb}": tuple(f"{side}_{joint}" for joint in joints)
    for side in ("left", "right")
    for limb, joints in {"arm": ("shoulder", "elbow", "wrist"), "leg": ("hip", "knee", "ankle")}.items()
}


def main_child(skeleton: Skeleton, joint: int) -> int | None:
    """Give the joint where the segment that starts at `joint` ends: towards the head, else along the longest chain."""
    children = skeleton.children(joint)
    if not children:
        return None
    head = skeleton.index("head") if "head" in skeleton else -1
    for child in children:
        if child == head or child in (skeleton.ancestors(head) if head >= 0 else ()):
            return child
    return max(children, key=lambda child: _depth(skeleton, child))


def _depth(skeleton: Skeleton, joint: int) -> int:
    return 1 + max((_depth(skeleton, child) for child in skeleton.children(joint)), default=0)


def orient_segments(
    motion: Motion, *, joint_rotations: np.ndarray | None = None, min_flexion_deg: float = 15.0
) -> Motion:
    """Give every segment of a motion its orientation.

    The frame of a segment has x from its proximal to its distal joint; z is the subject's left for pelvis, torso and
    head, the elbow's flexion axis for arm and hand, the knee's for leg and foot (positive flexion by the right-hand
    rule: the subject's right for arms, the left for legs, on both sides of the body); y = z x x.

    A straight limb has no flexion axis. Where it bends by less than `min_flexion_deg` the twist of the upper segment,
    measured against a frame that follows its direction without turning about it, is interpolated between the
    neighbouring well-conditioned frames and held before the first and after the last.

    Parameters
    ----------
    motion : Motion
        With left and right hips and shoulders at least.
    joint_rotations : array of shape (n_frames, n_joints, 3, 3), optional
        Orientation of a rigid frame of unknown alignment on the segment that starts at each joint, as mocap files
        have it. Then twist comes from these, and only the constant alignment from the positions.
    min_flexion_deg : float, default=15.0

    Returns
    -------
    Motion
        With `rotations`; ``attrs["twist_confidence"]`` gives each limb's share of well-conditioned frames.

    Raises
    ------
    UnknownNameError
        If the skeleton lacks the hips or shoulders that give the torso its left.
    """
    skeleton, positions = motion.skeleton, motion.positions_m
    hips_left, shoulders_left = _left(motion, "hip"), _left(motion, "shoulder")
    hinges, good = _hinge_axes(motion, hips_left, shoulders_left, np.deg2rad(min_flexion_deg))
    rotations = np.empty((*positions.shape, 3))
    for joint in skeleton.outward_order:
        parent, child = skeleton.parents[joint], main_child(skeleton, joint)
        limb = _limb_of(skeleton, joint)
        sided = skeleton.joints[joint].startswith(("left_", "right_"))
        ends_sideways = child is not None and limb is None and skeleton.mirror[child] != child
        if child is None or (parent >= 0 and limb is None and (sided or ends_sideways)):
            rotations[:, joint] = rotations[:, parent]
            continue
        if limb is not None and limb in hinges:
            axis = hinges[limb]
        elif skeleton.joints[child] == "head" and {"left_ear", "right_ear"} <= set(skeleton.joints):
            axis = _left(motion, "ear")
        else:
            axis = hips_left if parent < 0 else shoulders_left
        rotations[:, joint] = _frame(positions[:, child] - positions[:, joint], axis)
    if joint_rotations is not None:
        rotations = _align(joint_rotations, rotations, skeleton, good)
    confidence = {limb: float(mask.mean()) for limb, mask in good.items()}
    return motion.replace(rotations=rotations, attrs={**motion.attrs, "twist_confidence": confidence})


def to_body(motion: Motion) -> Motion:
    """Give a motion on the joints of BODY-22 (those that its skeleton provides), with segment orientations.

    Orientations of the motion are kept where it has them and all the joints; else they follow from the positions.
    """
    source = motion.skeleton
    if source == BODY_22 and motion.rotations is not None:
        return motion
    body = derivable(source, BODY_22)
    if motion.rotations is not None and all(joint in source for joint in body.joints):
        segments = [_source_segment(source, body, joint) for joint in range(len(body))]
        rotations = motion.rotations[:, segments]
    else:
        rotations = None
    positions = map_joints(motion.positions_m, source, body)
    uncertainty = motion.uncertainty_m
    if uncertainty is not None:
        uncertainty = map_joints(uncertainty[..., None], source, body)[..., 0]
    mapped = motion.replace(positions_m=positions, skeleton=body, rotations=rotations, uncertainty_m=uncertainty)
    return mapped if rotations is not None else orient_segments(mapped)


def _source_segment(source: Skeleton, body: Skeleton, joint: int) -> int:
    """Of several bones in one body segment, the last one moves its distal end, and a wrist-worn sensor."""
    child = main_child(body, joint)
    start = source.index(body.joints[joint])
    if child is None:
        return start
    end = source.index(body.joints[child])
    return source.parents[end] if start in source.ancestors(end) else start


def _left(motion: Motion, joint: str) -> np.ndarray:
    skeleton = motion.skeleton
    if f"left_{joint}" not in skeleton or f"right_{joint}" not in skeleton:
        raise UnknownNameError(f"Skeleton {skeleton.name} has no left and right {joint}, which orientations need.")
    return motion.joint(f"left_{joint}") - motion.joint(f"right_{joint}")


def _limb_of(skeleton: Skeleton, joint: int) -> str | None:
    chain = {skeleton.joints[i] for i in (joint, *skeleton.ancestors(joint))}
    return next((limb for limb, joints in LIMBS.items() if joints[0] in chain), None)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)


def _frame(direction: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """Columns x (along `direction`), y, z (as near to `axis` as possible)."""
    x = _unit(direction)
    across = axis - np.sum(axis * x, axis=-1, keepdims=True) * x
    degenerate = np.linalg.norm(across, axis=-1) < 1e-6 * np.maximum(np.linalg.norm(axis, axis=-1), 1e-12)
    if degenerate.any():
        across[degenerate] = _any_perpendicular(x[degenerate])
    z = _unit(across)
    return np.stack([x, np.cross(z, x), z], axis=-1)


def _any_perpendicular(x: np.ndarray) -> np.ndarray:
    other = np.eye(3)[np.argmin(np.abs(x), axis=-1)]
    return other - np.sum(other * x, axis=-1, keepdims=True) * x


def _hinge_axes(
    motion: Motion, hips_left: np.ndarray, shoulders_left: np.ndarray, min_flexion: float
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Flexion axis (n_frames, 3) of each limb, and the frames in which it could be measured."""
    axes, good = {}, {}
    for limb, names in LIMBS.items():
        if not all(name in motion.skeleton for name in names):
            continue
        upper, hinge, lower = (motion.joint(name) for name in names)
        u, f = _unit(hinge - upper), _unit(lower - hinge)
        axis = np.cross(u, f)
        flexion = np.arctan2(np.linalg.norm(axis, axis=1), np.sum(u * f, axis=1))
        # A limb that is folded back on itself is as badly conditioned as a straight one.
        good[limb] = (flexion >= min_flexion) & (flexion <= np.pi - min_flexion)
        reference = hips_left if limb.endswith("leg") else -shoulders_left
        axes[limb] = _carry_twist(u, axis, good[limb], reference)
    return axes, good


def _carry_twist(u: np.ndarray, axis: np.ndarray, good: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Unit axis perpendicular to `u`: the measured one where good, interpolated twist elsewhere."""
    transported = _transport(u, reference)
    across = np.cross(u, transported)
    angle = np.arctan2(np.sum(axis * across, axis=1), np.sum(axis * transported, axis=1))
    frames = np.flatnonzero(good)
    if len(frames):
        twist = np.interp(np.arange(len(u)), frames, np.unwrap(angle[frames]))
    else:
        twist = np.zeros(len(u))
    return np.cos(twist)[:, None] * transported + np.sin(twist)[:, None] * across


def _transport(u: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Carry the first frame's reference along with `u`, never turning about it."""
    carried = np.empty_like(u)
    carried[0] = _frame(u[:1], reference[:1])[0, :, 2]
    halves = u[:-1] + u[1:]
    divisors = np.maximum(1.0 + np.sum(u[:-1] * u[1:], axis=1), 1e-9)
    for t in range(len(u) - 1):
        moved = carried[t] - (carried[t] @ u[t + 1]) / divisors[t] * halves[t]
        moved = moved - (moved @ u[t + 1]) * u[t + 1]
        carried[t + 1] = moved / np.sqrt(moved @ moved)
    return carried


def _align(
    joint_rotations: np.ndarray, measured: np.ndarray, skeleton: Skeleton, good: dict[str, np.ndarray]
) -> np.ndarray:
    """Turn each rigid joint frame by the constant rotation that fits the measured frames best (chordal mean)."""
    aligned = np.empty_like(measured)
    for joint in range(len(skeleton)):
        mask = good.get(_limb_of(skeleton, joint) or "", np.ones(len(measured), dtype=bool))
        if not mask.any():
            mask = np.ones(len(measured), dtype=bool)
        relative = np.einsum("tji,tjk->ik", joint_rotations[mask, joint], measured[mask, joint])
        left, _, right = np.linalg.svd(relative)
        offset = left @ np.diag([1.0, 1.0, np.sign(np.linalg.det(left @ right))]) @ right
        aligned[:, joint] = joint_rotations[:, joint] @ offset
    return aligned
