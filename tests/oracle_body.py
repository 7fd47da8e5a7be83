"""A person of rigid segments whose joint angles are known with their derivatives. numpy only, no code of the library.

Angles, axes, signs and frames are those of the studio. Velocities and accelerations go from the pelvis outwards by the
kinematics of rigid bodies: omega gains n q' at every hinge n, alpha gains n q'' + omega x n q', and a point at r from
another one has a + alpha x r + omega x (omega x r). Everything moves in the world: x right, y forward, z up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import oracle
from oracle import FORWARD, RIGHT, UP


class Curve(NamedTuple):
    """A quantity over time, (T,) or (T, 3), with its first two derivatives."""

    value: np.ndarray
    rate: np.ndarray
    acceleration: np.ndarray


class Turning(NamedTuple):
    """Orientation (T, 3, 3) of a segment, its angular velocity and acceleration (T, 3) in the world."""

    rotation: np.ndarray
    velocity: np.ndarray
    acceleration: np.ndarray


class Person(NamedTuple):
    """Joints by name, segments by name, and the library's frame of each segment at rest."""

    joints: dict[str, Curve]
    segments: dict[str, Turning]
    frames: dict[str, np.ndarray]


class Contact(NamedTuple):
    """A ball on the body: its centre seen from a joint, in the anatomical axes of a segment."""

    joint: str
    segment: str
    offset_m: Sequence[float]
    radius_m: float


# Segment: the one it hangs on, its frame at rest, and its hinges from the parent outwards: axis, angle.
SEGMENTS: dict[str, tuple[str | None, np.ndarray | None, tuple[tuple[np.ndarray, str], ...]]] = {
    "pelvis": (None, oracle.TRUNK_FRAME, ((UP, "pelvis_turn"), (-RIGHT, "pelvis_lean"), (FORWARD, "pelvis_tilt"))),
    "torso": ("pelvis", oracle.TRUNK_FRAME, ((UP, "spine_turn"), (-RIGHT, "spine_flexion"), (FORWARD, "spine_tilt"))),
    "head": ("torso", oracle.TRUNK_FRAME, ((UP, "neck_turn"), (-RIGHT, "neck_flexion"), (FORWARD, "neck_tilt"))),
}
# Joint: the one it is measured from and the segment that carries it there.
JOINTS: dict[str, tuple[str, str]] = {
    "spine": ("pelvis", "pelvis"),
    "neck": ("spine", "torso"),
    "head": ("neck", "head"),
}
for _side, _left in (("left_", 1.0), ("right_", -1.0)):
    SEGMENTS |= {
        f"{_side}upper_arm": (
            "torso",
            oracle.ARM_FRAME,
            (
                (RIGHT, f"{_side}shoulder_flexion"),
                (_left * FORWARD, f"{_side}shoulder_abduction"),
                (-_left * UP, f"{_side}shoulder_rotation"),
            ),
        ),
        f"{_side}forearm": (
            f"{_side}upper_arm",
            oracle.ARM_FRAME,
            ((RIGHT, f"{_side}elbow_flexion"), (-_left * UP, f"{_side}pronation")),
        ),
        f"{_side}hand": (f"{_side}forearm", oracle.ARM_FRAME, ()),
        f"{_side}thigh": (
            "pelvis",
            oracle.LEG_FRAME,
            (
                (RIGHT, f"{_side}hip_flexion"),
                (_left * FORWARD, f"{_side}hip_abduction"),
                (-_left * UP, f"{_side}hip_rotation"),
            ),
        ),
        f"{_side}shank": (f"{_side}thigh", oracle.LEG_FRAME, ((-RIGHT, f"{_side}knee_flexion"),)),
        f"{_side}foot": (f"{_side}shank", None, ((RIGHT, f"{_side}ankle_dorsiflexion"),)),
    }
    JOINTS |= {
        f"{_side}ear": ("head", "head"),
        f"{_side}shoulder": ("neck", "torso"),
        f"{_side}elbow": (f"{_side}shoulder", f"{_side}upper_arm"),
        f"{_side}wrist": (f"{_side}elbow", f"{_side}forearm"),
        f"{_side}hand": (f"{_side}wrist", f"{_side}hand"),
        f"{_side}hip": ("pelvis", "pelvis"),
        f"{_side}knee": (f"{_side}hip", f"{_side}thigh"),
        f"{_side}ankle": (f"{_side}knee", f"{_side}shank"),
        f"{_side}foot": (f"{_side}ankle", f"{_side}foot"),
    }
ANGLES = [angle for _, _, hinges in SEGMENTS.values() for _, angle in hinges]
SEGMENT_AT = {
    **{"pelvis": "pelvis", "spine": "torso", "neck": "head", "head": "head"},
    **{f"{side}ear": "head" for side in ("left_", "right_")},
    **{
        f"{side}{joint}": f"{side}{segment}"
        for side in ("left_", "right_")
        for joint, segment in {
            **{"shoulder": "upper_arm", "elbow": "forearm", "wrist": "forearm", "hand": "forearm"},
            **{"hip": "thigh", "knee": "shank", "ankle": "foot", "foot": "foot"},
        }.items()
    },
}
"""Whose frame each joint carries."""


def hinge(parent: Turning, axis: np.ndarray, angle: Curve) -> Turning:
    """Turn by an angle about an axis that is fixed in the parent."""
    x, y, z = axis
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    sine, versine = np.sin(angle.value)[:, None, None], 1 - np.cos(angle.value)[:, None, None]
    turn = np.eye(3) + sine * cross + versine * (cross @ cross)
    n, rate = parent.rotation @ axis, angle.rate[:, None]
    return Turning(
        parent.rotation @ turn,
        parent.velocity + n * rate,
        parent.acceleration + n * angle.acceleration[:, None] + np.cross(parent.velocity, n) * rate,
    )


def ride(origin: Curve, segment: Turning, offset_m: Sequence[float]) -> Curve:
    """Follow the point that a segment carries at `offset_m` from another of its points, in anatomical axes."""
    r = segment.rotation @ np.asarray(offset_m, dtype=float)
    swing = np.cross(segment.velocity, r)
    return Curve(
        origin.value + r,
        origin.rate + swing,
        origin.acceleration + np.cross(segment.acceleration, r) + np.cross(segment.velocity, swing),
    )


def move(
    angles: Mapping[str, Curve],
    offsets_m: Mapping[str, Sequence[float]],
    *,
    contacts: Iterable[Contact] = (),
    height: Curve | None = None,
    pinned: str | None = None,
    slope: float = 0.0,
    sharpness: float = 60.0,
    n_standing: int = 6,
    heading_rad: float = 0.0,
    start_m: Sequence[float] = (0.0, 0.0, 0.0),
) -> Person:
    """Move a person by joint angles: on a floor that the contacts touch, or with the pelvis at `height`.

    Somebody whose `n_standing` lowest contacts are equally low is neither lifted off the floor nor sunk into it.
    """
    n = len(next(iter(angles.values())).value)
    still = Curve(*np.zeros((3, n)))
    angle = {name: angles.get(name, still) for name in (*ANGLES, "x_m", "y_m", "lift_m")}
    segments: dict[str, Turning] = {}
    for name, (parent, _, hinges) in SEGMENTS.items():
        rest = Turning(np.tile(np.eye(3), (n, 1, 1)), *np.zeros((2, n, 3)))
        segments[name] = rest if parent is None else segments[parent]
        for axis, which in hinges:
            segments[name] = hinge(segments[name], axis, angle[which])
    joints = {"pelvis": Curve(*np.zeros((3, n, 3)))}
    for name, (origin, segment) in JOINTS.items():
        joints[name] = ride(joints[origin], segments[segment], offsets_m[name])

    root = [_at(RIGHT, angle["x_m"], i) + _at(FORWARD, angle["y_m"], i) for i in range(3)]
    if pinned == "feet":
        level = np.array([1.0, 1.0, 0.0])
        root = [r - level * (joints["left_ankle"][i] + joints["right_ankle"][i]) / 2 for i, r in enumerate(root)]
    if height is None:
        touching = [(ride(joints[c.joint], segments[c.segment], c.offset_m), c.radius_m) for c in contacts]
        height = support([_shift(point, root) for point, _ in touching], [r for _, r in touching], slope, sharpness)
        height = height._replace(value=height.value - np.log(n_standing) / sharpness)
    root = [r + _at(UP, height, i) + _at(UP, angle["lift_m"], i) for i, r in enumerate(root)]
    frames = {name: _frame(name, frame, offsets_m) for name, (_, frame, _) in SEGMENTS.items()}
    joints = {name: _shift(joint, root) for name, joint in joints.items()}
    return _place(Person(joints, segments, frames), heading_rad, np.asarray(start_m, dtype=float))


def support(points: Sequence[Curve], radii_m: Sequence[float], slope: float, sharpness: float) -> Curve:
    """Give the height that lifts balls at `points` onto the floor z = slope y: a soft maximum of how deep they are."""
    tilted = np.array([0.0, slope, -1.0])
    depth, rate, acceleration = (np.stack([p[i] @ tilted for p in points]) for i in range(3))
    depth = depth + np.asarray(radii_m)[:, None]
    deepest = depth.max(axis=0)
    shares = np.exp(sharpness * (depth - deepest))
    weights = shares / shares.sum(axis=0)
    mean_rate = np.sum(weights * rate, axis=0)
    spread = np.sum(weights * rate**2, axis=0) - mean_rate**2
    return Curve(
        deepest + np.log(shares.sum(axis=0)) / sharpness,
        mean_rate,
        np.sum(weights * acceleration, axis=0) + sharpness * spread,
    )


def wear(
    person: Person,
    segment: str,
    ends: tuple[str, str],
    *,
    fraction: float,
    offset_m: Sequence[float] = (0.0, 0.0, 0.0),
    rotation: np.ndarray | None = None,
    gravity: bool = True,
) -> oracle.Reading:
    """Read a sensor at a fraction of the way between two joints, with offset and rotation in the segment's frame."""
    turning, frame = person.segments[segment], person.frames[segment]
    start, end = (person.joints[name] for name in ends)
    along = Curve(*((1 - fraction) * a + fraction * b for a, b in zip(start, end, strict=True)))
    point = ride(along, turning, frame @ np.asarray(offset_m))
    rotations = turning.rotation @ frame @ (np.eye(3) if rotation is None else rotation)
    gyr = np.einsum("tji,tj->ti", rotations, turning.velocity)
    pull = 0.0 if gravity else oracle.GRAVITY * UP
    return oracle.read(point.value, rotations, point.acceleration - pull, gyr)


class Wave(NamedTuple):
    """An offset and sinusoids: of each its amplitude, frequency in Hz and phase in rad."""

    offset: float
    sinusoids: tuple[tuple[float, float, float], ...]


def random_waves(seed: int) -> dict[str, Wave]:
    """Draw two or three sinusoids up to 3 Hz for every angle and for the way of the root."""
    rng = np.random.default_rng(seed)
    waves = {}
    for name in (*ANGLES, "x_m", "y_m", "lift_m"):
        n = rng.integers(2, 4)
        size = 0.05 if name.endswith("_m") else 0.25
        drawn = zip(size * rng.uniform(0.2, 1, n), rng.uniform(0.2, 3, n), rng.uniform(0, 2 * np.pi, n), strict=True)
        waves[name] = Wave(float(rng.uniform(-0.5, 0.5)), tuple(tuple(map(float, each)) for each in drawn))
    return waves


def follow(wave: Wave, times_s: np.ndarray) -> Curve:
    """Give a wave and its derivatives."""
    value, rate, acceleration = np.full(len(times_s), wave.offset), np.zeros(len(times_s)), np.zeros(len(times_s))
    for amplitude, frequency_hz, phase in wave.sinusoids:
        w = 2 * np.pi * frequency_hz
        sine, cosine = np.sin(w * times_s + phase), np.cos(w * times_s + phase)
        value, rate = value + amplitude * sine, rate + amplitude * w * cosine
        acceleration = acceleration - amplitude * w**2 * sine
    return Curve(value, rate, acceleration)


def differentiate(function: Callable[[np.ndarray], np.ndarray], times_s: np.ndarray, step_s: float = 1e-3) -> Curve:
    """Differentiate a function of times (N,) that gives (N, ...) by central differences of eighth order."""
    first = np.array([1 / 280, -4 / 105, 1 / 5, -4 / 5, 0, 4 / 5, -1 / 5, 4 / 105, -1 / 280])
    second = np.array([-1 / 560, 8 / 315, -1 / 5, 8 / 5, -205 / 72, 8 / 5, -1 / 5, 8 / 315, -1 / 560])
    times = times_s + step_s * np.arange(-4, 5)[:, None]
    values = np.asarray(function(times.ravel()))
    values = values.reshape(9, len(times_s), *values.shape[1:])
    near = values - values[4]
    rate, acceleration = np.tensordot(first, near, 1) / step_s, np.tensordot(second, near, 1) / step_s**2
    return Curve(values[4], rate, acceleration)


def _at(axis: np.ndarray, curve: Curve, i: int) -> np.ndarray:
    return curve[i][:, None] * axis


def _shift(point: Curve, by: Sequence[np.ndarray]) -> Curve:
    return Curve(*(part + step for part, step in zip(point, by, strict=True)))


def _frame(segment: str, frame: np.ndarray | None, offsets_m: Mapping[str, Sequence[float]]) -> np.ndarray:
    """Give the frame at rest; that of a foot lies along its bone."""
    if frame is not None:
        return frame
    bone = np.asarray(offsets_m[segment], dtype=float)
    x = bone / np.linalg.norm(bone)
    return np.stack([x, np.cross(-RIGHT, x), -RIGHT], axis=-1)


def _place(person: Person, heading_rad: float, start_m: np.ndarray) -> Person:
    """Turn the world about the vertical and move its origin."""
    turn = oracle.rotation_about("z", np.asarray(heading_rad))
    joints = {name: Curve(*(part @ turn.T for part in joint)) for name, joint in person.joints.items()}
    joints = {name: joint._replace(value=joint.value + start_m) for name, joint in joints.items()}
    segments = {
        name: Turning(turn @ seg.rotation, seg.velocity @ turn.T, seg.acceleration @ turn.T)
        for name, seg in person.segments.items()
    }
    return Person(joints, segments, person.frames)
