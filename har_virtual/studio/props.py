"""Things that stand about: furniture that an activity needs, and what hides people. All are capsules, and few."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from har_virtual.exceptions import DataFormatError
from har_virtual.rotation import about_up
from har_virtual.studio.body import Body, Color
from har_virtual.studio.capsules import Capsules

WOOD, METAL, CLOTH, WALL, RUBBER = (
    *((0.45, 0.31, 0.19), (0.42, 0.44, 0.47), (0.52, 0.55, 0.50)),
    *((0.72, 0.70, 0.66), (0.14, 0.14, 0.15)),
)

STAIR_SLOPE = 0.55
"""Rise of the stairs for each metre forward."""

# Steps a second of the fastest climber: 1.5 times the largest tempo.
_FASTEST_STEPS_HZ = 1.5 * 1.18

_Point = tuple[float, float, float] | np.ndarray
_Bar = tuple[_Point, _Point, float, Color]


def pillar(
    position_m: Sequence[float], *, radius_m: float = 0.15, height_m: float = 2.6, color: Color = WALL
) -> Capsules:
    """Give a round pillar that hides who walks behind it.

    Parameters
    ----------
    position_m : sequence of two floats
        Of its axis on the floor, in the world.
    radius_m, height_m : float
    color : tuple of three floats

    Returns
    -------
    Capsules
    """
    # Its lower end goes through the floor, else it would stand on a round foot.
    return _placed([((0, 0, 0), (0, 0, height_m - radius_m), radius_m, color)], position_m, 0.0)


def pole(position_m: Sequence[float], *, height_m: float = 2.2, color: Color = METAL) -> Capsules:
    """Give a thin pole.

    Parameters
    ----------
    position_m : sequence of two floats
    height_m : float, default=2.2
    color : tuple of three floats

    Returns
    -------
    Capsules
    """
    return pillar(position_m, radius_m=0.03, height_m=height_m, color=color)


def table(
    position_m: Sequence[float],
    *,
    heading_deg: float = 0.0,
    size_m: tuple[float, float, float] = (1.4, 0.7, 0.75),
    color: Color = WOOD,
) -> Capsules:
    """Give a table.

    Parameters
    ----------
    position_m : sequence of two floats
        Of its middle, in the world.
    heading_deg : float, default=0.0
        Its long side is along x at 0; counter-clockwise seen from above.
    size_m : tuple of three floats
        Length, depth and height.
    color : tuple of three floats

    Returns
    -------
    Capsules
    """
    length, depth, height = size_m
    return _placed(
        [*_board(length, depth, height, 0.045, color), *_legs(length, depth, height, color)], position_m, heading_deg
    )


def sofa(position_m: Sequence[float], *, heading_deg: float = 0.0, color: Color = CLOTH) -> Capsules:
    """Give a sofa of 1.9 m.

    Parameters
    ----------
    position_m : sequence of two floats
        Of the middle of its seat, in the world.
    heading_deg : float, default=0.0
        Who sits on it looks along y at 0; counter-clockwise seen from above.
    color : tuple of three floats

    Returns
    -------
    Capsules
    """
    across = [(0.15, 0.21, 0.21), (-0.15, 0.21, 0.21), (-0.38, 0.45, 0.14), (-0.42, 0.66, 0.14)]
    bars: list[_Bar] = [((-0.75, y, z), (0.75, y, z), r, color) for y, z, r in across]
    bars += [((x, -0.3, 0.40), (x, 0.3, 0.40), 0.15, color) for x in (-0.85, 0.85)]
    return _placed(bars, position_m, heading_deg)


def _chair(body: Body, _: float) -> Capsules:
    """Behind who stands: the hips come down on it while the feet stay where they are."""
    top, thigh = seat_m(body), body.leg_m / 2
    front, back, half = -0.45 * thigh, -thigh - 1.6 * body.radii_m["hips"], 0.21
    rail = top + 0.24 * body.stature_m
    bars: list[_Bar] = [((x, front, 0.0), (x, front, top - 0.05), 0.018, WOOD) for x in (-half, half)]
    bars += [((x, back, 0.0), (x, back, rail), 0.018, WOOD) for x in (-half, half)]
    bars += [((-half, y, top - 0.07), (half, y, top - 0.07), 0.07, CLOTH) for y in np.linspace(front, back + 0.10, 3)]
    return _set([*bars, ((-half, back, rail - 0.06), (half, back, rail - 0.06), 0.045, CLOTH)])


def _ironing_board(body: Body, _: float) -> Capsules:
    """Before who stands, its long side across, an iron's height below the hands."""
    y, h = board_m(body)
    bars = [((-0.60 + 0.1 * (k != 0), y + k, h), (0.60, y + k, h), 0.04, CLOTH) for k in (-0.08, 0.0, 0.08)]
    bars += [((-0.45 * s, y, 0.02), (0.35 * s, y, h - 0.05), 0.014, METAL) for s in (-1, 1)]
    return _set([*bars, *(((x, y - 0.2, 0.02), (x, y + 0.2, 0.02), 0.014, METAL) for x in (-0.45, 0.45))])


def _ergometer(body: Body, _: float) -> Capsules:
    """Below who cycles, with the hips over the origin."""
    saddle = saddle_m(body) - body.radii_m["hips"]
    axle, (bar_y, bar_z) = (0.0, *axle_m(body)), handlebar_m(body)
    wheel = (0.0, axle[1] + 0.30, 0.28)
    return _set(
        [
            ((0.0, -0.10, saddle - 0.04), (0.0, 0.10, saddle - 0.05), 0.05, RUBBER),
            ((0.0, 0.0, saddle - 0.05), axle, 0.025, METAL),
            (axle, (0.0, bar_y, bar_z), 0.03, METAL),
            ((-0.26, bar_y, bar_z), (0.26, bar_y, bar_z), 0.018, RUBBER),
            ((-0.02, *wheel[1:]), (0.02, *wheel[1:]), 0.15, METAL),
            (axle, (0.0, -0.20, 0.04), 0.03, METAL),
            ((-0.25, -0.20, 0.03), (0.25, -0.20, 0.03), 0.03, RUBBER),
            ((-0.25, wheel[1] + 0.12, 0.03), (0.25, wheel[1] + 0.12, 0.03), 0.03, RUBBER),
        ]
    )


def _steps(body: Body, duration_s: float) -> Capsules:
    """Stairs that rise forward: the middle of step n lies n depths forward of the origin and n rises up."""
    # Who climbs starts on one of the first four and has one foot ahead.
    radius, run, steps = 0.10, stair_run_m(body), range(1, int(np.ceil(_FASTEST_STEPS_HZ * duration_s)) + 6)
    treads = [(n * run, STAIR_SLOPE * n * run - radius) for n in steps]
    bars: list[_Bar] = [((-0.45, y, z), (0.45, y, z), radius, WOOD) for y, z in treads]
    bars += [((x, 0.0, -radius), (x, *treads[-1]), 0.06, METAL) for x in (-0.52, 0.52)]
    return _set(bars)


def _mat(body: Body, _: float) -> Capsules:
    """Behind who stands, and under who has lain down on the back from there: 2 cm thick."""
    ends, radius = (0.2 * body.stature_m, -1.15 * body.stature_m), 0.06
    height = 0.02 - radius
    return _set([((x, ends[0], height), (x, ends[1], height), radius, CLOTH) for x in np.linspace(-0.27, 0.27, 7)])


FURNITURE: dict[str, Callable[[Body, float], Capsules]] = {
    "chair": _chair,
    "ironing_board": _ironing_board,
    "ergometer": _ergometer,
    "steps": _steps,
    "mat": _mat,
}
"""What an activity may stand on or before: from a body and how long it acts, in seconds, to the thing in the person's
own frame, which is x right, y forward, the origin on the floor below the person at the start."""


def seat_m(body: Body) -> float:
    """Give the height of a chair's seat on which the thighs are level while the feet are on the floor."""
    return body.leg_m / 2 + body.sole_m - 0.8 * body.radii_m["hips"]


def saddle_m(body: Body) -> float:
    """Give the height of the pelvis on a bicycle whose saddle is set to the legs."""
    return 0.88 * body.leg_m + axle_m(body)[1]


def axle_m(body: Body) -> tuple[float, float]:
    """Give how far the pedals' axle is forward of the hips, and its height."""
    return 0.22 * body.leg_m, 0.36 * body.leg_m


def crank_m(body: Body) -> float:
    """Give the radius of the pedals' circle: 17 cm for legs of 85 cm."""
    return 0.20 * body.leg_m


def handlebar_m(body: Body) -> tuple[float, float]:
    """Give how far a bicycle's bar is forward of the hips, and its height."""
    return 0.33 * body.stature_m, saddle_m(body) - body.radii_m["hips"] + 0.14 * body.stature_m


def board_m(body: Body) -> tuple[float, float]:
    """Give how far the middle of an ironing board is forward of who stands before it, and its height."""
    return 0.30 * body.stature_m, 0.55 * body.stature_m


def stair_run_m(body: Body) -> float:
    """Give the depth of a step: 28 cm, less for legs shorter than 70 cm."""
    return min(0.28, 0.40 * body.leg_m)


def _iron(hand_m: np.ndarray, rotation: np.ndarray) -> Capsules:
    forward = _level(rotation)
    sole = hand_m - [0.0, 0.0, 0.06]
    return _set([(sole - 0.07 * forward, sole + 0.09 * forward, 0.035, (0.75, 0.80, 0.86))])


def _wand(hand_m: np.ndarray, rotation: np.ndarray) -> Capsules:
    """A tube from the hand to the floor 70 cm ahead of it, and across its end the nozzle."""
    forward = _level(rotation)
    end = np.array([*hand_m[:2], 0.03]) + 0.70 * forward
    across = 0.13 * np.array([forward[1], -forward[0], 0.0])
    return _set([(hand_m, end, 0.016, METAL), (end - across, end + across, 0.03, RUBBER)])


HELD: dict[str, Callable[[np.ndarray, np.ndarray], Capsules]] = {"iron": _iron, "wand": _wand}
"""What a hand may hold: for the hand's place (3,) and its segment's frame (3, 3) the thing, both in the world."""


def _level(rotation: np.ndarray) -> np.ndarray:
    """Where a hand points, as a horizontal direction."""
    direction = rotation[:, 0] * [1.0, 1.0, 0.0]
    return direction / max(float(np.linalg.norm(direction)), 1e-9)


def _board(length: float, depth: float, top: float, radius: float, color: Color) -> list[_Bar]:
    """A flat board of rods side by side, along x."""
    half, rows = depth / 2 - radius, max(2, round(depth / (1.8 * radius)))
    return [
        ((radius - length / 2, y, top - radius), (length / 2 - radius, y, top - radius), radius, color)
        for y in np.linspace(-half, half, rows)
    ]


def _legs(length: float, depth: float, top: float, color: Color) -> list[_Bar]:
    return [
        (
            (x * (length / 2 - 0.06), y * (depth / 2 - 0.06), 0.0),
            (x * (length / 2 - 0.06), y * (depth / 2 - 0.06), top - 0.05),
            0.025,
            color,
        )
        for x in (-1, 1)
        for y in (-1, 1)
    ]


def _set(bars: Sequence[_Bar]) -> Capsules:
    starts, ends, radii, colors = map(np.array, zip(*bars, strict=True))
    return Capsules(starts, ends, radii, colors, np.zeros(len(bars)))


def _placed(bars: Sequence[_Bar], position_m: Sequence[float], heading_deg: float) -> Capsules:
    if np.shape(position_m) != (2,) or not np.isfinite([*position_m, heading_deg]).all():
        raise DataFormatError(
            f"A prop needs position_m, two finite numbers, and heading_deg, one, not {position_m!r} and "
            f"{heading_deg!r}."
        )
    return _set(bars).moved(about_up(heading_deg), [*position_m, 0.0])
