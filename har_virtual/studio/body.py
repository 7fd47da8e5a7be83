"""A person's size, girth and clothes, drawn from a seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from har_virtual.checks import is_finite_number
from har_virtual.exceptions import DataFormatError
from har_virtual.skeleton import Motion

Color = tuple[float, float, float]

# Joint to joint, as shares of the stature (Drillis and Contini 1966, as in Winter's Biomechanics), in the axes right,
# forward, up of somebody who stands and lets the arms hang. A sided joint stands for both sides, outward being its x.
_MIDDLE = {"spine": (0.0, 0.0, 0.144), "neck": (0.0, 0.0, 0.144), "head": (0.0, 0.0, 0.112)}
_SIDED = {
    "ear": (0.042, 0.0, 0.0),
    "shoulder": (0.115, 0.0, 0.0),
    "elbow": (0.0, 0.0, -0.186),
    "wrist": (0.0, 0.0, -0.146),
    "hand": (0.0, 0.0, -0.060),
    "hip": (0.052, 0.0, 0.0),
    "knee": (0.0, 0.0, -0.245),
    "ankle": (0.0, 0.0, -0.246),
    "foot": (0.0, 0.085, -0.028),
}
_RADII = {
    **{"head": 0.055, "neck": 0.032, "chest": 0.072, "belly": 0.070, "hips": 0.068},
    **{"upper_arm": 0.026, "forearm": 0.021, "hand": 0.018, "thigh": 0.043, "shank": 0.029, "foot": 0.018},
}
_SKIN = ((0.95, 0.80, 0.69), (0.87, 0.67, 0.53), (0.72, 0.51, 0.38), (0.52, 0.35, 0.25), (0.36, 0.24, 0.17))
_HAIR = ((0.10, 0.08, 0.07), (0.24, 0.15, 0.09), (0.45, 0.29, 0.15), (0.72, 0.55, 0.30), (0.55, 0.53, 0.52))
_CLOTH = (
    *((0.75, 0.15, 0.15), (0.15, 0.30, 0.65), (0.12, 0.45, 0.25), (0.88, 0.88, 0.86), (0.16, 0.16, 0.18)),
    *((0.85, 0.60, 0.15), (0.45, 0.20, 0.50), (0.35, 0.60, 0.75), (0.80, 0.45, 0.50), (0.40, 0.42, 0.45)),
)
_TROUSERS = ((0.12, 0.15, 0.28), (0.10, 0.10, 0.11), (0.42, 0.36, 0.27), (0.28, 0.30, 0.33), (0.25, 0.32, 0.22))
_SHOES = ((0.92, 0.92, 0.92), (0.10, 0.10, 0.10), (0.45, 0.28, 0.16), (0.70, 0.12, 0.12))


@dataclass(frozen=True)
class Body:
    """Size, girth and looks of a person.

    Parameters
    ----------
    stature_m : float
        Height without shoes.
    offsets_m : mapping of str to (3,) tuples
        For each joint of BODY-22 but the pelvis its place from its parent, in the axes right, forward, up of somebody
        who stands upright with hanging arms.
    radii_m : mapping of str to float
        Of head, neck, chest, belly, hips, upper_arm, forearm, hand, thigh, shank and foot.
    skin, hair, shirt, trousers, shoes : tuple of three floats
        Red, green and blue from 0 to 1.
    long_sleeves, long_trousers, long_hair : bool

    Examples
    --------
    >>> from har_virtual.studio import Body
    >>> body = Body.random(seed=1)
    >>> 1.4 < body.stature_m < 2.05
    True
    """

    stature_m: float
    offsets_m: Mapping[str, tuple[float, float, float]]
    radii_m: Mapping[str, float]
    skin: Color = _SKIN[0]
    hair: Color = _HAIR[1]
    shirt: Color = _CLOTH[0]
    trousers: Color = _TROUSERS[0]
    shoes: Color = _SHOES[0]
    long_sleeves: bool = False
    long_trousers: bool = True
    long_hair: bool = False

    @classmethod
    def average(cls, stature_m: float = 1.72) -> Body:
        """Give a person of average proportions.

        Raises
        ------
        DataFormatError
            If the stature is not between 0.5 and 2.5 m.
        """
        if not is_finite_number(stature_m) or not 0.5 <= stature_m <= 2.5:
            raise DataFormatError(f"Body: stature_m must lie between 0.5 and 2.5 m, not {stature_m!r}.")
        shares = _MIDDLE | {
            f"{side}_{joint}": (sign * x, y, z)
            for side, sign in (("left", -1.0), ("right", 1.0))
            for joint, (x, y, z) in _SIDED.items()
        }
        offsets = {joint: (stature_m * x, stature_m * y, stature_m * z) for joint, (x, y, z) in shares.items()}
        return cls(stature_m, offsets, {part: stature_m * share for part, share in _RADII.items()})

    @classmethod
    def random(cls, seed: int | Sequence[int] = 0) -> Body:
        """Draw a person: stature 1.70 +- 0.09 m, each length by 3 %, girth by 10 %, and clothes.

        Parameters
        ----------
        seed : int or sequence of int
            The same seed gives the same person.

        Raises
        ------
        DataFormatError
            If the seed is not one or several whole numbers from 0.
        """
        rng = np.random.default_rng(entropy(check_seed("Body.random: seed", seed)))
        body = cls.average(float(np.clip(rng.normal(1.70, 0.09), 1.48, 1.98)))
        lengths = {joint: 1 + 0.03 * rng.standard_normal() for joint in (*_MIDDLE, *_SIDED)}
        girth = np.exp(0.10 * rng.standard_normal())
        offsets = {
            joint: tuple(lengths[joint.removeprefix("left_").removeprefix("right_")] * np.array(offset))
            for joint, offset in body.offsets_m.items()
        }
        radii = {part: float(r * (girth if part != "head" else 1.0)) for part, r in body.radii_m.items()}
        return replace(body, offsets_m=offsets, radii_m=radii)._dressed(rng)

    @classmethod
    def of_motion(cls, motion: Motion, seed: int | Sequence[int] = 0) -> Body:
        """Give somebody whose stature fits the legs of a recorded person; clothes and girth come from the seed.

        Parameters
        ----------
        motion : Motion
            With hips, knees and ankles.
        seed : int or sequence of int
        """
        length = 0.0
        for side in ("left", "right"):
            hip, knee, ankle = (motion.joint(f"{side}_{joint}") for joint in ("hip", "knee", "ankle"))
            length += float(np.median(np.linalg.norm(hip - knee, axis=1) + np.linalg.norm(knee - ankle, axis=1))) / 2
        share = -(_SIDED["knee"][2] + _SIDED["ankle"][2])
        return cls.average(length / share)._dressed(np.random.default_rng(entropy(seed)))

    def _dressed(self, rng: np.random.Generator) -> Body:
        """Draw clothes that do not all have one colour."""
        long_sleeves, long_trousers, long_hair = (bool(rng.random() < share) for share in (0.4, 0.75, 0.4))
        return replace(
            self,
            skin=_SKIN[rng.integers(len(_SKIN))],
            hair=_HAIR[rng.integers(len(_HAIR))],
            shirt=_CLOTH[rng.integers(len(_CLOTH))],
            trousers=_TROUSERS[rng.integers(len(_TROUSERS))],
            shoes=_SHOES[rng.integers(len(_SHOES))],
            long_sleeves=long_sleeves,
            long_trousers=long_trousers,
            long_hair=long_hair,
        )

    def contacts_m(self) -> list[tuple[str, tuple[float, float, float], float]]:
        """Give the balls on which a body can rest: joint, offset from it in the axes of the joint's segment, radius."""
        h, r = self.stature_m, self.radii_m
        balls = [("pelvis", (0.0, 0.0, 0.0), r["hips"]), ("spine", (0.0, 0.0, 0.0), r["belly"])]
        balls += [("spine", (0.0, 0.0, 0.09 * h), r["chest"]), ("head", (0.0, 0.0, 0.0), r["head"])]
        for side in ("left", "right"):
            sole = self.sole_m
            x, y, z = self.offsets_m[f"{side}_foot"]
            balls += [
                (f"{side}_ankle", (0.0, -0.030 * h, 0.015 * h - sole), 0.015 * h),
                (f"{side}_ankle", (x, y, z), z + sole),
                (f"{side}_ankle", (x, 1.32 * y, z), z + sole),
                (f"{side}_knee", (0.0, 0.0, 0.0), 1.2 * r["shank"]),
                (f"{side}_hip", (0.0, 0.0, 0.0), r["hips"]),
                (f"{side}_elbow", (0.0, 0.0, 0.0), 1.1 * r["forearm"]),
                (f"{side}_hand", (0.0, 0.0, 0.0), r["hand"]),
            ]
        return balls

    @property
    def sole_m(self) -> float:
        """How far the sole lies below the ankle."""
        return 0.039 * self.stature_m

    @property
    def leg_m(self) -> float:
        """Length of thigh and shank, from the hip to the ankle, mean of both sides."""
        joints = [f"{side}_{joint}" for side in ("left", "right") for joint in ("knee", "ankle")]
        return -sum(self.offsets_m[joint][2] for joint in joints) / 2


def check_body(body: Body | None, default: Body) -> Body:
    """Give the body, or the default for None; anything else raises `DataFormatError`."""
    if body is None or isinstance(body, Body):
        return default if body is None else body
    raise DataFormatError(f"body must be a Body, such as Body.random(seed), or None, not {body!r:.60}.")


def check_seed(what: str, seed: int | Sequence[int]) -> int | Sequence[int]:
    """Give the seed, or raise `DataFormatError` if it is not one or several whole numbers from 0."""
    numbers = np.atleast_1d(np.asarray(seed))
    if numbers.ndim != 1 or not numbers.size or numbers.dtype.kind not in "iu" or (numbers < 0).any():
        raise DataFormatError(f"{what} must be one or several whole numbers from 0, not {seed!r}.")
    return seed


def entropy(seed: int | Sequence[int]) -> list[int]:
    """Give what a generator takes, another one for (3,) than for (3, 0), which numpy takes for the same."""
    numbers = [int(number) for number in np.atleast_1d(np.asarray(seed))]
    return numbers if np.ndim(seed) == 0 else [len(numbers), *numbers]
