"""A clothed person made of capsules, hung onto the joints of BODY-22."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from har_virtual.exceptions import DataFormatError
from har_virtual.pose.skeletons import BODY_22
from har_virtual.studio.body import Body, Color
from har_virtual.studio.capsules import Capsules
from har_virtual.studio.posture import neutral_frame


class Anchor(NamedTuple):
    """A point of the body: on the line between two joints, and off it.

    ``*_`` in a name stands for either side. The offset points outward (to the right in `_MIDDLE`), forward and up, in
    shares of the stature, of somebody who stands upright with hanging arms; it turns with the segment that starts at
    the joint.
    """

    joint: str
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)
    towards: str | None = None
    share: float = 0.0


class Part(NamedTuple):
    """A capsule between two points of the body; its radii are shares of one of `Body.radii_m`."""

    color: str
    girth: str
    start: Anchor
    share: float
    end: Anchor
    end_share: float


_A, _P = Anchor, Part
_MIDDLE = (
    # Hips across, belly and ribs, breast across, and the neck.
    _P("trousers", "hips", _A("pelvis", (-0.036, 0.0, 0.004)), 0.90, _A("pelvis", (0.036, 0.0, 0.004)), 0.90),
    _P("shirt", "belly", _A("pelvis", (0.0, 0.004, 0.034)), 0.90, _A("spine"), 0.86),
    _P("shirt", "chest", _A("spine"), 0.84, _A("spine", (0.0, 0.004, 0.0), "neck", 0.66), 0.92),
    _P("shirt", "chest", _A("spine", (-0.032, 0.016, 0.0), "neck", 0.58), 0.76,
       _A("spine", (0.032, 0.016, 0.0), "neck", 0.58), 0.76),
    _P("skin", "neck", _A("neck", (0.0, -0.006, -0.010)), 1.05, _A("head", (0.0, -0.006, -0.014)), 0.95),
    # Skull, jaw, nose, mouth, hair.
    _P("skin", "head", _A("head", (0.0, -0.014, 0.014)), 0.84, _A("head", (0.0, 0.008, 0.012)), 0.83),
    _P("skin", "head", _A("head", (0.0, 0.011, -0.008)), 0.74, _A("head", (0.0, 0.029, -0.040)), 0.40),
    _P("skin", "head", _A("head", (0.0, 0.0515, 0.010)), 0.09, _A("head", (0.0, 0.0580, -0.010)), 0.15),
    _P("lips", "head", _A("head", (-0.011, 0.0510, -0.0290)), 0.07, _A("head", (0.011, 0.0510, -0.0290)), 0.07),
    _P("hair", "head", _A("head", (0.0, -0.020, 0.016)), 0.88, _A("head", (0.0, -0.002, 0.026)), 0.85),
)  # fmt: skip
_TRUNK = (
    # Seat, waist, ribs up to the armpits, shoulders and what slopes from them to the neck.
    _P("trousers", "hips", _A("pelvis", (0.034, -0.016, 0.010)), 0.78, _A("pelvis", (0.040, -0.018, -0.024)), 0.80),
    _P("shirt", "belly", _A("pelvis", (0.034, 0.0, 0.032)), 0.88, _A("spine", (0.022, 0.0, 0.0)), 0.84),
    _P("shirt", "chest", _A("spine", (0.022, 0.0, 0.0)), 0.82, _A("spine", (0.048, 0.0, 0.0), "neck", 0.64), 0.88),
    _P("shirt", "upper_arm", _A("*_shoulder", towards="neck", share=0.10), 1.22, _A("neck", (0.0, 0.0, -0.014)), 1.50),
    _P("shirt", "upper_arm", _A("*_shoulder", towards="neck", share=0.25), 0.95, _A("neck", (0.0, -0.01, 0.024)), 1.05),
)  # fmt: skip
_FACE = (
    # Ear, white of the eye, iris, brow.
    _P("skin", "head", _A("head", (0.046, -0.006, 0.010)), 0.17, _A("head", (0.044, -0.003, -0.010)), 0.13),
    _P("white", "head", _A("head", (0.0165, 0.0455, 0.008)), 0.15, _A("head", (0.0200, 0.0448, 0.008)), 0.15),
    _P("iris", "head", _A("head", (0.0180, 0.0510, 0.008)), 0.085, _A("head", (0.0182, 0.0511, 0.008)), 0.085),
    _P("hair", "head", _A("head", (0.0090, 0.0515, 0.022)), 0.06, _A("head", (0.0270, 0.0450, 0.021)), 0.05),
)
_ARM = (
    _P("lower_sleeve", "upper_arm", _A("*_shoulder"), 1.12, _A("*_elbow"), 0.84),
    _P("shirt", "upper_arm", _A("*_shoulder"), 1.24, _A("*_shoulder", towards="*_elbow", share=0.48), 1.14),
    _P("lower_sleeve", "forearm", _A("*_elbow"), 1.04, _A("*_elbow", towards="*_wrist", share=0.30), 1.06),
    _P("lower_sleeve", "forearm", _A("*_elbow", towards="*_wrist", share=0.30), 1.06, _A("*_wrist"), 0.70),
    # Palm front and back, fingers, thumb.
    _P("skin", "hand", _A("*_wrist", (0.0, 0.003, 0.0)), 0.66, _A("*_hand", (0.0, 0.010, 0.0)), 0.72),
    _P("skin", "hand", _A("*_wrist", (0.0, -0.003, 0.0)), 0.66, _A("*_hand", (0.0, -0.010, 0.0)), 0.70),
    _P("skin", "hand", _A("*_hand", (0.0, 0.011, 0.0)), 0.60, _A("*_hand", (-0.005, 0.007, -0.038)), 0.42),
    _P("skin", "hand", _A("*_hand", (0.0, -0.009, 0.0)), 0.60, _A("*_hand", (-0.005, -0.005, -0.034)), 0.42),
    _P("skin", "hand", _A("*_wrist", (-0.002, 0.012, -0.018)), 0.50, _A("*_wrist", (-0.006, 0.030, -0.052)), 0.36),
)
_LEG = (
    _P("lower_leg", "thigh", _A("*_hip"), 1.08, _A("*_knee"), 0.77),
    _P("trousers", "thigh", _A("*_hip", (-0.002, 0.0, 0.0)), 1.14, _A("*_hip", towards="*_knee", share=0.60), 0.94),
    _P("lower_leg", "shank", _A("*_knee"), 1.14, _A("*_knee", (0.0, -0.008, 0.0), "*_ankle", 0.34), 1.14),
    _P("lower_leg", "shank", _A("*_knee", (0.0, -0.008, 0.0), "*_ankle", 0.34), 1.14, _A("*_ankle"), 0.82),
    # Shoe: collar, instep, heel to ball inside and outside, toes.
    _P("shoes", "foot", _A("*_ankle", (0.0, -0.014, -0.016)), 1.20, _A("*_ankle", (0.0, -0.002, -0.004)), 1.36),
    _P("shoes", "foot", _A("*_ankle", (0.0, 0.0, -0.012)), 1.20, _A("*_foot", (0.0, -0.010, 0.004)), 0.80),
    _P("shoes", "foot", _A("*_ankle", (-0.007, -0.030, -0.024)), 0.83, _A("*_foot", (-0.012, 0.0, 0.004)), 0.83),
    _P("shoes", "foot", _A("*_ankle", (0.007, -0.030, -0.024)), 0.83, _A("*_foot", (0.014, 0.0, 0.004)), 0.83),
    _P("shoes", "foot", _A("*_foot", (-0.012, 0.0, 0.004)), 0.83, _A("*_foot", (-0.009, 0.028, 0.000)), 0.62),
    _P("shoes", "foot", _A("*_foot", (0.014, 0.0, 0.004)), 0.83, _A("*_foot", (0.004, 0.025, 0.000)), 0.62),
)
_LONG_HAIR = (
    _P("hair", "head", _A("head", (0.0, -0.026, 0.010)), 0.76, _A("neck", (0.0, -0.040, 0.030)), 0.50),
    _P("hair", "head", _A("head", (-0.036, -0.016, 0.024)), 0.34, _A("head", (-0.042, -0.022, -0.064)), 0.22),
    _P("hair", "head", _A("head", (0.036, -0.016, 0.024)), 0.34, _A("head", (0.042, -0.022, -0.064)), 0.22),
)


class Mannequin:
    """A body in its clothes, ready to be put onto joints.

    Parameters
    ----------
    body : Body
    """

    def __init__(self, body: Body) -> None:
        parts, colors = _parts(body), _colors(body)
        self._starts = _Anchors([part.start for part in parts], body)
        self._ends = _Anchors([part.end for part in parts], body)
        self._radii_m, self._end_radii_m = np.array(
            [np.multiply((part.share, part.end_share), body.radii_m[part.girth]) for part in parts]
        ).T
        self._colors = np.array([colors[part.color] for part in parts])

    def capsules(self, positions_m: np.ndarray, rotations: np.ndarray, person: int = 1) -> Capsules:
        """Give the capsules of the person at one instant.

        Parameters
        ----------
        positions_m : array of shape (22, 3)
            Joints of BODY-22 in the world.
        rotations : array of shape (22, 3, 3)
            Of the segments, to the world.
        person : int, default=1
            Number of the person in masks.

        Returns
        -------
        Capsules

        Raises
        ------
        DataFormatError
            If the shapes are others or a joint is not finite.
        """
        n = len(BODY_22)
        positions_m, rotations = np.asarray(positions_m, dtype=np.float64), np.array(rotations, dtype=np.float64)
        if positions_m.shape != (n, 3) or rotations.shape != (n, 3, 3):
            raise DataFormatError(
                f"A mannequin needs positions_m ({n}, 3) and rotations ({n}, 3, 3) of BODY-22, not "
                f"{positions_m.shape} and {rotations.shape}."
            )
        _point_feet(positions_m, rotations)
        starts, ends = (anchors.points_m(positions_m, rotations) for anchors in (self._starts, self._ends))
        return Capsules(starts, ends, self._radii_m, self._colors, np.full(len(starts), person), self._end_radii_m)


def dress(body: Body, positions_m: np.ndarray, rotations: np.ndarray, person: int = 1) -> Capsules:
    """Give the capsules of a person at one instant; for many instants make one `Mannequin`.

    Parameters
    ----------
    body : Body
    positions_m : array of shape (22, 3)
    rotations : array of shape (22, 3, 3)
    person : int, default=1

    Returns
    -------
    Capsules

    Examples
    --------
    >>> from har_virtual.studio import perform
    >>> from har_virtual.studio.mannequin import dress
    >>> walk = perform("walking")
    >>> positions_m, rotations = walk.pose([0.5])
    >>> int(dress(walk.body, positions_m[0], rotations[0]).persons.max())
    1
    """
    return Mannequin(body).capsules(positions_m, rotations, person)


class _Anchors:
    """Many anchors as arrays: a mixture of joints, and an offset that turns."""

    def __init__(self, anchors: list[Anchor], body: Body) -> None:
        self._joints = [BODY_22.index(anchor.joint) for anchor in anchors]
        self._mixture = np.zeros((len(anchors), len(BODY_22)))
        for row, anchor in zip(self._mixture, anchors, strict=True):
            row[BODY_22.index(anchor.joint)] += 1 - anchor.share
            row[BODY_22.index(anchor.towards or anchor.joint)] += anchor.share
        offsets = [np.array(anchor.offset) @ neutral_frame(anchor.joint, body) for anchor in anchors]
        self._offsets_m = body.stature_m * np.array(offsets)

    def points_m(self, positions_m: np.ndarray, rotations: np.ndarray) -> np.ndarray:
        turned = (rotations[self._joints] @ self._offsets_m[:, :, None])[..., 0]
        return self._mixture @ positions_m + turned


def _parts(body: Body) -> list[Part]:
    parts = [*_MIDDLE, *(_LONG_HAIR if body.long_hair else ())]
    for side, sign in (("left_", -1.0), ("right_", 1.0)):
        for part in (*_TRUNK, *_FACE, *_ARM, *_LEG):
            start, end = (_on_side(anchor, side, sign) for anchor in (part.start, part.end))
            parts.append(part._replace(start=start, end=end))
    return parts


def _on_side(anchor: Anchor, side: str, sign: float) -> Anchor:
    x, y, z = anchor.offset
    towards = anchor.towards and anchor.towards.replace("*_", side)
    return Anchor(anchor.joint.replace("*_", side), (sign * x, y, z), towards, anchor.share)


def _colors(body: Body) -> dict[str, Color]:
    """The looks of every part; lips are a redder, darker skin."""
    red, green, blue = body.skin
    return {
        "skin": body.skin,
        "lips": (0.85 * red, 0.45 * green, 0.45 * blue),
        "hair": body.hair,
        "white": (0.95, 0.95, 0.93),
        "iris": (0.10, 0.07, 0.05),
        "shirt": body.shirt,
        "lower_sleeve": body.shirt if body.long_sleeves else body.skin,
        "trousers": body.trousers,
        "lower_leg": body.trousers if body.long_trousers else body.skin,
        "shoes": body.shoes,
    }


def _point_feet(positions_m: np.ndarray, rotations: np.ndarray) -> None:
    """Turn shoes in place to where the toes are: a recorded foot may carry the frame of its shank."""
    for side in ("left", "right"):
        ankle, foot = BODY_22.index(f"{side}_ankle"), BODY_22.index(f"{side}_foot")
        x = positions_m[foot] - positions_m[ankle]
        x = x / np.linalg.norm(x)
        z = rotations[ankle, :, 2] - (rotations[ankle, :, 2] @ x) * x
        z = z / np.linalg.norm(z)
        rotations[ankle] = rotations[foot] = np.stack([x, np.cross(z, x), z], axis=1)
