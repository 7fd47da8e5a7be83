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


def main_child(skeleton: Skeleton, joint: int) -> int | None:
    """Give the joint where the segment that starts at `joint` ends, None for a joint without a child.

    It is the child towards the head; else an unpaired one before a paired one, one that starts no limb before a hip
    or shoulder, a joint of BODY-22 before a thumb or heel; else the longest chain.
    """
    head = skeleton.index("head") if "head" in skeleton else -1
    headwards = {head, *(skeleton.ancestors(head) if head >= 0 else ())}

    def rank(child: int) -> tuple[bool, bool, bool, bool, int]:
        name, unpaired = skeleton.joints[child], skeleton.mirror[child] == child
        return child in headwards, unpaired, name not in _LIMB_OF_ROOT, name in BODY_22, _depth(skeleton, child)

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
    well-conditioned frames and held before the first and after the last. Twist is measured against a frame that hangs
    down beside the trunk in the trunk's own heading and, seen from the trunk, follows the limb's direction without
    turning about it: a straight limb turns with the trunk that turns, and by itself not about its length. A limb that
    is never well conditioned has no twist.

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
        parent, child = skeleton.parents[joint], main_child(skeleton, joint)
        limb = _limb_of(skeleton, joint)
        sided = skeleton.joints[joint].startswith(("left_", "right_"))
        ends_sideways = child is not None and skeleton.mirror[child] != child
        if child is None or (limb is None and (sided or ends_sideways)):
            rotations[:, joint] = rotations[:, parent] if parent >= 0 else trunk["leg"]
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

    A segment keeps the orientation that the motion has for it. Of several bones in one segment it is the last one's,
    which moves the distal end and a wrist-worn sensor, turned by a constant so that x lies along the whole segment on
    average. What ends at a derived joint, or has no orientation yet, follows from the positions.

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
    if len(kept) < len(body):
        mapped = orient_segments(mapped)
        assert mapped.rotations is not None
    rotations = [kept[j] if j in kept else mapped.rotations[:, j] for j in range(len(body))]
    return mapped.replace(rotations=np.stack(rotations, axis=1))


def _kept_rotations(motion: Motion, body: Skeleton) -> dict[int, np.ndarray]:
    """Orientations (n_frames, 3, 3) of those segments of `body` that the motion's skeleton has too."""
    source, kept = motion.skeleton, {}
    assert motion.rotations is not None
    for joint, name in enumerate(body.joints):
        child = main_child(body, joint)
        if name not in source or (child is not None and body.joints[child] not in source):
            continue
        start = source.index(name)
        if child is None:
            kept[joint] = motion.rotations[:, start]
            continue
        end = source.index(body.joints[child])
        last = source.parents[end]
        if start in source.ancestors(end) and main_child(source, last) == end:
            kept[joint] = motion.rotations[:, last]
            if last != start:
                kept[joint] = _point_x(kept[joint], motion.positions_m[:, end] - motion.positions_m[:, start])
    return kept


def _point_x(rotations: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Turn frames by the constant that puts x along the mean of `directions`, as the frames see it."""
    mean = np.einsum("tji,tj->i", rotations, _unit(directions))
    return rotations @ _frame(mean[None], np.array([[0.0, 0.0, 1.0]]))


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
