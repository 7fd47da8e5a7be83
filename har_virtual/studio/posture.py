"""From joint angles to joints: the forward kinematics of the studio's people, exact in time.

Every segment has anatomical axes, right, forward, up, which in somebody who stands upright with hanging arms are those
of the world at heading 0: (x, y, z). A joint turns the axes of the segment behind it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from har_virtual.checks import is_finite_number
from har_virtual.exceptions import DataFormatError, UnknownNameError
from har_virtual.pose.skeletons import BODY_22
from har_virtual.studio.body import Body
from har_virtual.studio.jets import Jet, as_jet, cos, exp, log, sin, stack

# How sharply the body rests on its lowest point: 1/k is about the height over which weight goes from foot to foot.
_SHARPNESS_PER_M = 60.0
# Heels, balls and toes of both feet: standing, the soft maximum over them must not lift the body.
_STANDING_CONTACTS = 6

_ROOT = ("x_m", "y_m", "lift_m", "pelvis_turn", "pelvis_lean", "pelvis_tilt")
_MIDDLE = ("spine_flexion", "spine_tilt", "spine_turn", "neck_flexion", "neck_tilt", "neck_turn")
_LIMBS = (
    *("shoulder_flexion", "shoulder_abduction", "shoulder_rotation", "elbow_flexion", "pronation"),
    *("hip_flexion", "hip_abduction", "hip_rotation", "knee_flexion", "ankle_dorsiflexion"),
)
ANGLES: tuple[str, ...] = (*_ROOT, *_MIDDLE, *(f"{side}_{angle}" for side in ("left", "right") for angle in _LIMBS))
"""What a posture may say: the root's place in m, all else in rad."""

_RIGHT, _FORWARD, _UP = np.eye(3)
_LEG_JOINTS, _FOOT_JOINTS = ("hip", "knee"), ("ankle", "foot")


@dataclass(frozen=True, eq=False)
class Posture:
    """A body's joint angles over time and what carries it.

    Parameters
    ----------
    angles : mapping of str to Jet or float
        Names of `ANGLES`; those that are missing are 0. In rad: flexion moves arm, forearm and thigh forward, the heel
        to the buttocks, trunk and head forward; abduction moves a limb outward; rotation and pronation turn it
        inward; dorsiflexion lifts the toes; turn is to the left, tilt to the right, lean forward. ``x_m``, ``y_m``
        are the body's way to its right and forward, ``lift_m`` is the height of the feet over the floor.
    support : "floor" or float, default="floor"
        "floor": the body's lowest point rests there. A number is the height of the pelvis, as on a saddle.
    pinned : {None, "feet"}, default=None
        "feet": the middle of the ankles, not the pelvis, is at ``x_m``, ``y_m``.
    slope : float, default=0.0
        Rise of the floor for each metre forward.

    Raises
    ------
    UnknownNameError
        If an angle has a name that there is not.
    DataFormatError
        If an angle is neither a jet nor a finite number, or support or pinned is something else.
    """

    angles: Mapping[str, Jet | float] = field(default_factory=dict)
    support: float | Literal["floor"] = "floor"
    pinned: Literal["feet"] | None = None
    slope: float = 0.0

    def __post_init__(self) -> None:
        unknown = [name for name in self.angles if name not in ANGLES]
        if unknown:
            raise UnknownNameError(f"Posture: there is no angle {', '.join(unknown)}; there are {', '.join(ANGLES)}.")
        for name, value in self.angles.items():
            if not isinstance(value, Jet) and not is_finite_number(value):
                raise DataFormatError(
                    f"Posture: {name} must be a Jet, a formula of the time that the activity is given, or a number "
                    f"for what does not move, not {type(value).__name__} {value!r:.60}: an array has no rate, so "
                    "nobody could tell what a sensor reads."
                )
        if self.pinned not in (None, "feet") or (isinstance(self.support, str) and self.support != "floor"):
            raise DataFormatError(
                f"Posture: support must be 'floor' or a height in m, pinned None or 'feet', not {self.support!r} and "
                f"{self.pinned!r}."
            )


@dataclass(frozen=True, eq=False)
class Joints:
    """Where a body is: joints and segment frames as functions of time.

    Parameters
    ----------
    positions_m : Jet of shape (T, 22, 3)
        On BODY-22, z up.
    rotations : Jet of shape (T, 22, 3, 3)
        Segment to world, as in `har_virtual.Motion`.
    """

    positions_m: Jet
    rotations: Jet


def joints(posture: Posture, body: Body, n_times: int) -> Joints:
    """Give the joints of a body in a posture, in the person's own frame: x right, y forward, z up from the floor.

    Parameters
    ----------
    posture : Posture
    body : Body
    n_times : int
        Number of instants T, for angles that do not move.

    Returns
    -------
    Joints
    """
    axes = _segment_axes(posture, n_times)
    places: dict[str, Jet] = {"pelvis": Jet(np.zeros((n_times, 3)))}
    for index in BODY_22.outward_order[1:]:
        joint, parent = BODY_22.joints[index], BODY_22.joints[BODY_22.parents[index]]
        carrier = "spine" if parent == "neck" and joint.endswith("shoulder") else parent
        places[joint] = places[parent] + _apply(axes[carrier], body.offsets_m[joint])
    root = _root(posture, body, places, axes)
    positions = stack([places[joint] + root for joint in BODY_22.joints], axis=1)
    rotations = stack([axes[joint] @ neutral_frame(joint, body) for joint in BODY_22.joints], axis=1)
    return Joints(positions, rotations)


def neutral_frame(joint: str, body: Body) -> np.ndarray:
    """Give x, y, z (as columns) of the segment that starts at a joint of somebody who stands at heading 0."""
    side, _, name = joint.rpartition("_")
    if not side or name == "ear":
        x, z = _UP, -_RIGHT
    elif name in _LEG_JOINTS:
        x, z = -_UP, -_RIGHT
    elif name in _FOOT_JOINTS:
        bone = np.array(body.offsets_m[f"{side}_foot"]) * (0.0, 1.0, 1.0)
        x, z = bone / np.linalg.norm(bone), -_RIGHT
    else:
        x, z = -_UP, _RIGHT
    return np.stack([x, np.cross(z, x), z], axis=1)


def _segment_axes(posture: Posture, n_times: int) -> dict[str, Jet]:
    """Anatomical axes (T, 3, 3) to world of the segment that starts at each joint."""

    def angle(name: str) -> Jet | None:
        value = posture.angles.get(name)
        return None if value is None else as_jet(value) + np.zeros(n_times)

    def turn(parent: Jet, *steps: tuple[np.ndarray, str, float]) -> Jet:
        for axis, name, sign in steps:
            step = angle(name)
            parent = parent if step is None else parent @ _about(axis, step * sign)
        return parent

    axes = {"pelvis": Jet(np.tile(np.eye(3), (n_times, 1, 1)))}
    for joint, parent, lean in (
        ("pelvis", "pelvis", "lean"),
        ("spine", "pelvis", "flexion"),
        ("neck", "spine", "flexion"),
    ):
        axes[joint] = turn(
            axes[parent],
            (_UP, f"{joint}_turn", 1.0),
            (_RIGHT, f"{joint}_{lean}", -1.0),
            (_FORWARD, f"{joint}_tilt", 1.0),
        )
    axes["head"] = axes["left_ear"] = axes["right_ear"] = axes["neck"]
    for side, outward, inward in (("left", 1.0, -1.0), ("right", -1.0, 1.0)):
        for joint, parent in (("shoulder", "spine"), ("hip", "pelvis")):
            axes[f"{side}_{joint}"] = turn(
                axes[parent],
                (_RIGHT, f"{side}_{joint}_flexion", 1.0),
                (_FORWARD, f"{side}_{joint}_abduction", outward),
                (_UP, f"{side}_{joint}_rotation", inward),
            )
        elbow = ((_RIGHT, f"{side}_elbow_flexion", 1.0), (_UP, f"{side}_pronation", inward))
        axes[f"{side}_elbow"] = turn(axes[f"{side}_shoulder"], *elbow)
        axes[f"{side}_wrist"] = axes[f"{side}_hand"] = axes[f"{side}_elbow"]
        axes[f"{side}_knee"] = turn(axes[f"{side}_hip"], (_RIGHT, f"{side}_knee_flexion", -1.0))
        axes[f"{side}_ankle"] = turn(axes[f"{side}_knee"], (_RIGHT, f"{side}_ankle_dorsiflexion", 1.0))
        axes[f"{side}_foot"] = axes[f"{side}_ankle"]
    return axes


def _root(posture: Posture, body: Body, places: Mapping[str, Jet], axes: Mapping[str, Jet]) -> Jet:
    """Where the pelvis is (T, 3), from what carries the body."""
    n_times = len(places["pelvis"].value)
    x, y, lift = (as_jet(posture.angles.get(name, 0.0)) + np.zeros(n_times) for name in ("x_m", "y_m", "lift_m"))
    if posture.pinned == "feet":
        middle = (places["left_ankle"] + places["right_ankle"]) * 0.5
        x, y = x - middle[:, 0], y - middle[:, 1]
    if posture.support != "floor":
        return stack([x, y, float(posture.support) + lift])
    depths = []
    for joint, offset, radius in body.contacts_m():
        ball = places[joint] + _apply(axes[joint], offset)
        depths.append(radius - ball[:, 2] + posture.slope * (y + ball[:, 1]))
    # The soft maximum is the same whatever is taken off before and added after; exp must not overflow.
    highest = np.max([depth.value for depth in depths], axis=0)
    total = sum((exp(_SHARPNESS_PER_M * (depth - highest)) for depth in depths), Jet(np.zeros(n_times)))
    height = (log(total) - np.log(_STANDING_CONTACTS)) * (1 / _SHARPNESS_PER_M) + highest
    return stack([x, y, height + lift])


def _apply(axes: Jet, offset: tuple[float, float, float]) -> Jet:
    return (axes @ np.asarray(offset)[:, None])[..., 0]


def _about(axis: np.ndarray, angle: Jet) -> Jet:
    """Rodrigues' formula for (T,) angles."""
    x, y, z = axis
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return sin(angle)[:, None, None] * cross + (1 - cos(angle))[:, None, None] * (cross @ cross) + np.eye(3)
