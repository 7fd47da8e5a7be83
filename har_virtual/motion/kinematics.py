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
_LIMB_OF_ROOT = {joints[0]: limb for limb, joints in LIMBS.items()}
_NO_LENGTH_M = 1e-6


def main_child(skeleton: Skeleton, joint: int) -> int | None:
    """Give the joint where the segment that starts at `joint` ends, None for a joint without a child.

    It is the child towards the head; else one that starts no limb before a hip or shoulder, a joint of BODY-22 before a
    thumb or heel, a middle one before one of a pair; else the longest chain.
    """
    head = skeleton.index("head") if "head" in skeleton else -1
    headwards = {head, *(skeleton.ancestors(head) if head >= 0 else ())}

    def rank(child: int) -> tuple[bool | int, ...]:
        name, depth = skeleton.joints[child], _depth(skeleton, child)
        return child in headwards, name not in _LIMB_OF_ROOT, name in BODY_22, not _is_sided(name), depth

    return max(skeleton.children(joint), key=rank, default=None)


def _depth(skeleton: Skeleton, joint: int) -> int:
    return 1 + max((_depth(skeleton, child) for child in skeleton.children(joint)), default=0)


def orient_segments(
    motion: Motion, *, joint_rotations: np.ndarray | None = None, min_flexion_deg: float = 15.0
) -> Motion:
    """Give every segment of a motion its orientation.

    The frame of a segment has x from its proximal to its distal joint; z is the subject's left for pelvis, torso and
    head, the elbow's flexion axis for arm and hand, the knee's for leg and foot (positive flexion by the right-hand
    rule: the subject's right for arms, the left for legs, on both sides of the body); y = z x x.

    A straight limb has no flexion axis, nor has one that is folded back on itself. Where a limb is within
    `min_flexion_deg` of either, the twist of its upper segment is interpolated in time between the neighbouring
    well-conditioned frames and held before the first and after the last. Twist is measured against the frame that a
    limb without twist would have: where it hangs beside the trunk its z is the trunk's right (arm) or left (leg), and
    seen from the trunk it never turns about its length. So a straight limb turns with a turning trunk, and one that is
    never well conditioned has no twist.

    A joint where no segment starts, whose segment runs sideways (collar bones, hip roots) or has no length in some
    frame takes its parent's frame; such a root takes the frame of the trunk.

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
    trunk = {"leg": _frame(_up(motion), hips_left), "arm": _frame(_up(motion), -shoulders_left)}
    hinges, good = _hinge_axes(motion, trunk, np.deg2rad(min_flexion_deg))
    rotations = np.empty((*positions.shape, 3))
    for joint in skeleton.outward_order:
        parent, child, limb = skeleton.parents[joint], main_child(skeleton, joint), _limb_of(skeleton, joint)
        segment = None if child is None else _segment(motion, joint, child, limb)
        if child is None or segment is None:
            rotations[:, joint] = rotations[:, parent] if parent >= 0 else trunk["leg"]
            continue
        if limb is not None:
            axis = hinges.get(limb, trunk[limb[-3:]][:, :, 2])
        elif skeleton.joints[child] == "head" and {"left_ear", "right_ear"} <= set(skeleton.joints):
            axis = _left(motion, "ear")
        else:
            axis = hips_left if parent < 0 else shoulders_left
        rotations[:, joint] = _frame(segment, axis)
    if joint_rotations is not None:
        rotations = _align(joint_rotations, rotations, skeleton, good)
    confidence = {limb: float(mask.mean()) for limb, mask in good.items()}
    return motion.replace(rotations=rotations, attrs={**motion.attrs, "twist_confidence": confidence})


def to_body(motion: Motion) -> Motion:
    """Give a motion on the joints of BODY-22 (those that its skeleton provides), with segment orientations.

    A segment keeps the orientation that the motion has for it. Of several bones in one segment it is the last one's,
    which moves the distal end and a wrist-worn sensor, and for the head the skull's own, turned by a constant so that x
    lies along the whole segment on average. What starts or ends at a derived joint follows from the positions.

    Raises
    ------
    UnknownNameError
        If orientations have to follow from the positions, but hips or shoulders are missing.
    """
    source = motion.skeleton
    body = derivable(source, BODY_22)
    if (body.joints, body.parents) == (source.joints, source.parents):
        return motion if motion.rotations is not None else orient_segments(motion)
    positions = map_joints(motion.positions_m, source, body)
    uncertainty = motion.uncertainty_m
    if uncertainty is not None:
        uncertainty = map_joints(uncertainty[..., None], source, body)[..., 0]
    mapped = motion.replace(positions_m=positions, skeleton=body, rotations=None, uncertainty_m=uncertainty)
    kept = {} if motion.rotations is None else _kept_rotations(motion, body)
    rotations = np.empty((*positions.shape, 3))
    if len(kept) < len(body):
        mapped = orient_segments(mapped)
        rotations[:] = mapped.rotations
    for joint, frames in kept.items():
        rotations[:, joint] = frames
    return mapped.replace(rotations=rotations)


def _kept_rotations(motion: Motion, body: Skeleton) -> dict[int, np.ndarray]:
    """Orientations (n_frames, 3, 3) of those joints of `body` that have theirs in the motion already."""
    source, rotations = motion.skeleton, motion.rotations
    assert rotations is not None
    kept: dict[int, np.ndarray] = {}
    for joint, start in enumerate(body.joints):
        child, parent = main_child(body, joint), body.parents[joint]
        if child is None or (_is_sided(body.joints[child]) and not _is_sided(start)):
            if parent in kept:
                kept[joint] = kept[parent]
            continue
        end = body.joints[child]
        bone = _last_bone(source, start, end)
        if bone is not None:
            kept[joint] = rotations[:, bone]
            if source.joints[bone] != start:
                kept[joint] = _point_x(kept[joint], motion.joint(end) - motion.joint(start))
    return kept


def _last_bone(source: Skeleton, start: str, end: str) -> int | None:
    """Of the bones between two joints the last one, under the joint where it starts; None if they do not connect."""
    if start not in source or end not in source:
        return None
    tip = source.index(end)
    if source.index(start) not in source.ancestors(tip) or main_child(source, source.parents[tip]) != tip:
        return None
    # The skull is no segment of most skeletons, but its joint may have an orientation of its own.
    return tip if end == "head" and main_child(source, tip) is None else source.parents[tip]


def _point_x(rotations: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Turn frames by the constant that puts x along the mean of `directions`, as the frames see it."""
    mean = np.einsum("tji,tj->i", rotations, _unit(directions))
    return rotations @ _frame(mean[None], np.array([[0.0, 0.0, 1.0]]))


def _segment(motion: Motion, joint: int, child: int, limb: str | None) -> np.ndarray | None:
    """From `joint` to `child`, (n_frames, 3); None where that runs sideways or has no length."""
    joints = motion.skeleton.joints
    if limb is None and (_is_sided(joints[joint]) or _is_sided(joints[child])):
        return None
    segment = motion.positions_m[:, child] - motion.positions_m[:, joint]
    return None if (np.linalg.norm(segment, axis=1) < _NO_LENGTH_M).any() else segment


def _is_sided(joint: str) -> bool:
    return joint.startswith(("left_", "right_"))


def _left(motion: Motion, joint: str) -> np.ndarray:
    skeleton = motion.skeleton
    if f"left_{joint}" not in skeleton or f"right_{joint}" not in skeleton:
        raise UnknownNameError(f"Skeleton {skeleton.name} has no left and right {joint}, which orientations need.")
    return motion.joint(f"left_{joint}") - motion.joint(f"right_{joint}")


def _up(motion: Motion) -> np.ndarray:
    """From the middle of the hips to the middle of the shoulders."""
    top, bottom = (motion.joint(f"left_{joint}") + motion.joint(f"right_{joint}") for joint in ("shoulder", "hip"))
    return (top - bottom) / 2


def _limb_of(skeleton: Skeleton, joint: int) -> str | None:
    """Give the limb that a joint belongs to; where hips hang on shoulders it is the nearer one."""
    chain = (skeleton.joints[i] for i in (joint, *skeleton.ancestors(joint)))
    return next((_LIMB_OF_ROOT[name] for name in chain if name in _LIMB_OF_ROOT), None)


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
    motion: Motion, trunk: dict[str, np.ndarray], min_flexion: float
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
        axes[limb] = _carry_twist(u, axis, good[limb], trunk[limb[-3:]], motion.timestamps_s)
    return axes, good


def _carry_twist(
    u: np.ndarray, axis: np.ndarray, good: np.ndarray, trunk: np.ndarray, timestamps_s: np.ndarray
) -> np.ndarray:
    """Unit axis perpendicular to `u`: the measured one where good, interpolated twist elsewhere."""
    u, axis = (np.einsum("tji,tj->ti", trunk, vectors) for vectors in (u, axis))
    transported = _transport(u)
    across = np.cross(u, transported)
    angle = np.arctan2(np.sum(axis * across, axis=1), np.sum(axis * transported, axis=1))
    twist = np.zeros(len(u))
    if good.any():
        twist = np.interp(timestamps_s, timestamps_s[good], np.unwrap(angle[good]))
    carried = np.cos(twist)[:, None] * transported + np.sin(twist)[:, None] * across
    return np.einsum("tij,tj->ti", trunk, carried)


def _transport(u: np.ndarray) -> np.ndarray:
    """Carry the z axis of a limb that hangs down beside the trunk (-x) along with `u`, never turning about it."""
    path = np.concatenate([[[-1.0, 0.0, 0.0]], u])
    halves = path[:-1] + path[1:]
    divisors = np.maximum(1.0 + np.sum(path[:-1] * path[1:], axis=1), 1e-9)
    carried = np.empty_like(path)
    carried[0] = 0.0, 0.0, 1.0
    for t in range(len(u)):
        moved = carried[t] - (carried[t] @ path[t + 1]) / divisors[t] * halves[t]
        moved = moved - (moved @ path[t + 1]) * path[t + 1]
        carried[t + 1] = moved / np.sqrt(moved @ moved)
    return carried[1:]


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
