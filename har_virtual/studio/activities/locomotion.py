"""Moving along and around: walking, running, climbing stairs, turning."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from har_virtual.studio.activities._gait import way
from har_virtual.studio.activities._limbs import leg, upright_m
from har_virtual.studio.activities._moves import Angles, both, progress, raised, series, sided, total, unrest
from har_virtual.studio.jets import Jet, as_jet, cos, sin
from har_virtual.studio.posture import Posture
from har_virtual.studio.props import STAIR_SLOPE, stair_run_m
from har_virtual.studio.style import Style


def _curve(values: str) -> tuple[float, ...]:
    return tuple(float(value) for value in values.split())


# Degrees at 0, 5, .. 95 % of the stride from the heel's strike on: the thigh from the vertical, knee, ankle.
# The normative curves, moved by some degrees so that heel, sole and toes of an average foot rest without sliding.
_WALKING = {
    "hip": _curve("22.1 20.4 20.2 18.9 14.8 8.3 0.9 -4.7 -8.7 -12.8 -15 -12.3 -7.1 -1.8 6.2 17.6 26.7 30.0 28.9 25.7"),
    "knee": _curve("4.7 7.5 14.3 19.8 20.5 16.1 9.8 7.0 7.4 7.6 11.7 24.5 40.3 53.0 63.9 67.8 55.3 32.6 15.2 7.2"),
    "ankle": _curve("2.5 -3.6 -4.5 0.8 5.8 8.0 8.6 9.7 11.5 12.7 14.2 13.8 2.6 -14.3 -15.1 1.8 11.0 4.2 -0.3 3.4"),
}
_RUNNING = {
    "hip": _curve("22.2 21.2 22 17.9 10 0.1 -10.3 -17.1 -19 -17.1 -8.8 5.5 18.9 28.4 37.6 44.6 46 44 39.4 30.3"),
    "knee": _curve("14.1 24.7 38.6 44.4 41.9 34.7 24.9 20.1 25.9 37.0 49.8 66.2 82.9 93.8 97.4 90.8 71.3 46.8 27.7 16"),
    "ankle": _curve("1.0 5.6 16.3 26.6 31.3 29.2 20.7 6.3 -10.2 -19.5 -15.9 -6.4 -1.3 0.0 2.2 3.8 3.3 3.8 4.9 3.0"),
}
# The foot's middle is on the middle of a step, the ankle behind it, by this share of the stature.
_BEHIND = 0.035
# Height of the hips over the step under them, in leg lengths.
_CLIMBING = 0.90


def walking(t: Jet, style: Style) -> Posture:
    """Walk forward at 1.0 to 1.5 m/s, 1.8 steps a second.

    Thigh (-15 to 30 deg), knee (5 to 68 deg) and ankle (-15 to 14 deg) follow the curves of healthy adults at their
    natural cadence (Winter 1991; Perry and Burnfield 2010), as Fourier series of six harmonics. The pelvis turns by 4
    and drops by 3 deg, the shoulders turn against it, each arm swings by 20 deg with the other side's leg. The way
    follows from the foot that carries the body, which therefore does not slide.

    Parameters
    ----------
    t : Jet of shape (T,)
        Time in seconds.
    style : Style

    Returns
    -------
    Posture
    """
    phase = style.cycle(t, 0.9)
    elbow, out = style.between("elbow", 0.26, 0.5), style.between("arms out", 0.10, 0.18)
    arms = [
        sided(
            side,
            shoulder_flexion=cos(opposite) * (0.35 * style.scale(side)) - 0.05,
            shoulder_abduction=out,
            elbow_flexion=cos(opposite) * (0.17 * style.scale(side)) + elbow,
            pronation=0.4,
        )
        for side, opposite in (("left", phase - 0.2), ("right", phase - 0.2 + np.pi))
    ]
    cycle = _gait(_WALKING, style, lean=0.05, turn=0.07, drop=0.05, step_in=0.03)
    return Posture(
        total(cycle(phase), way(cycle, phase, style.body, 0.6), *arms, unrest(style, t)), support=upright_m(style.body)
    )


def running(t: Jet, style: Style) -> Posture:
    """Run forward at 2.2 to 3.4 m/s, 2.7 steps a second, with both feet in the air in between.

    Thigh (-19 to 46 deg), knee (14 to 98 deg) and ankle (-20 to 31 deg) follow the curves of Novacheck (1998) as
    Fourier series of six harmonics; the trunk leans 6 deg, the elbows are bent by a right angle,
    the arms swing by 30 deg.

    Parameters
    ----------
    t : Jet of shape (T,)
        Time in seconds.
    style : Style

    Returns
    -------
    Posture
    """
    phase = style.cycle(t, 1.35)
    elbow, inward = style.between("bent elbow", 1.4, 1.8), style.between("arms in", 0.2, 0.5)
    arms = [
        sided(
            side,
            shoulder_flexion=cos(opposite) * (0.5 * style.scale(side)) - 0.25,
            shoulder_abduction=0.2,
            shoulder_rotation=inward,
            elbow_flexion=cos(opposite) * 0.2 + elbow,
        )
        for side, opposite in (("left", phase + 0.7), ("right", phase + 0.7 + np.pi))
    ]
    cycle = _gait(_RUNNING, style, lean=0.1, turn=0.10, drop=0.06, step_in=0.05)
    return Posture(
        total(cycle(phase), way(cycle, phase, style.body, 0.36), *arms, unrest(style, t, 0.7)),
        support=upright_m(style.body),
    )


def stair_climbing(t: Jet, style: Style) -> Posture:
    """Climb stairs of 15 by 28 cm, lower for short legs, 1.5 steps a second.

    Each foot rests on every second step and rises over the edge to the next but one; the pelvis goes on at a nearly
    constant rate. Hip (13 to 61 deg) and knee (28 to 87 deg) are those of the leg that reaches the foot
    (compare Riener et al. 2002). The steps lie at whole multiples of their depth from the person's origin.

    Parameters
    ----------
    t : Jet of shape (T,)
        Time in seconds.
    style : Style

    Returns
    -------
    Posture
    """
    body, lean = style.body, style.between("stair lean", 0.10, 0.18)
    run_m = stair_run_m(body)
    rise_m = STAIR_SLOPE * run_m
    # One cycle on, so that no foot starts below the floor.
    phase = style.cycle(t, 0.75) + 2 * np.pi
    going = phase + sin(phase * 2 - 0.6) * 0.06
    parts: list[Angles] = []
    for side, own in (("left", phase), ("right", phase + np.pi)):
        other = own - phase
        climbed = (progress(own + 0.45) - other - going) * (1 / np.pi)
        forward = (progress(own) - other - going) * (run_m / np.pi)
        down = _CLIMBING * body.leg_m - climbed * rise_m - raised(own + 0.3) * (0.25 * run_m)
        pitch = raised(own - 0.9) * 0.15 - raised(own + 0.9) * 0.35
        parts.append(leg(body, side, forward, down, lean, pitch))
        parts.append(
            sided(
                side,
                shoulder_flexion=cos(own) * (0.28 * style.scale(side)) + 0.1,
                shoulder_abduction=0.12,
                elbow_flexion=cos(own) * 0.12 + 0.6,
            )
        )
    trunk: Angles = {
        "pelvis_lean": lean,
        "spine_flexion": 0.1,
        "neck_flexion": 0.05,
        "spine_turn": cos(phase) * -0.06,
    }
    place: Angles = {"y_m": going * (run_m / np.pi) - _BEHIND * body.stature_m, "lift_m": going * (rise_m / np.pi)}
    return Posture(total(*parts, trunk, place, unrest(style, t)), support=_CLIMBING * body.leg_m + body.sole_m)


def turning(t: Jet, style: Style) -> Posture:
    """Turn on the spot, by small steps, at about 50 deg/s.

    Each foot rests for half of its cycle of 1.1 s while the pelvis turns on over it, then follows; hips turn by up to
    15 deg either way. The head looks ahead of the turn. Half of the seeds turn left.

    Parameters
    ----------
    t : Jet of shape (T,)
        Time in seconds.
    style : Style

    Returns
    -------
    Posture
    """
    phase = style.cycle(t, 0.9)
    to_left = 1.0 if style.between("direction", 0.0, 1.0, anew=True) < 0.5 else -1.0
    rate = to_left * style.between("turn", 0.85, 1.0) / (2 * np.pi)
    body = style.body
    parts: list[Angles] = []
    for side, own, inward in (("left", phase, -1.0), ("right", phase + np.pi, 1.0)):
        yaw = (progress(own) - own) * rate
        half_width = body.offsets_m[f"{side}_hip"][0]
        # The hip swings round the middle of the body; the resting foot does not.
        forward = yaw * half_width
        raise_m = raised(own) * (0.09 * style.scale(side))
        bent = leg(body, side, forward + raise_m * 0.3, 0.985 * body.leg_m - raise_m, 0.03, raised(own) * -0.25)
        # The thigh turns about itself and takes the shank of a bent knee aside, which abduction undoes.
        back = sin(as_jet(bent[f"{side}_knee_flexion"])) * 0.5
        parts.append(bent)
        parts.append(sided(side, hip_rotation=yaw * inward - 0.08, hip_abduction=back * yaw * -inward + 0.03))
        swing = sin(own) * 0.12
        parts.append(sided(side, shoulder_flexion=swing, shoulder_abduction=0.16, elbow_flexion=swing + 0.4))
    shift = cos(phase) * 0.03
    turn = phase * rate
    trunk: Angles = {"pelvis_lean": 0.03, "pelvis_turn": turn, "spine_turn": to_left * 0.08}
    place: Angles = {"x_m": -shift * cos(turn), "y_m": -shift * sin(turn)}
    # Over the left foot at its phase 0: both legs lean to the right-hand side of the pelvis' place.
    legs = total(sided("left", hip_abduction=shift * -1.1), sided("right", hip_abduction=shift * 1.1))
    head: Angles = {"neck_turn": to_left * 0.25 + sin(phase) * 0.05}
    return Posture(total(*parts, trunk, place, legs, head, unrest(style, t)))


def _gait(
    table: Mapping[str, tuple[float, ...]], style: Style, *, lean: float, turn: float, drop: float, step_in: float
) -> Callable[[Jet], Angles]:
    """Give a gait as angles of the phase, which is 0 when the right heel strikes."""

    def cycle(phase: Jet) -> Angles:
        # The pelvis turns the leading side forward and drops on the side whose foot is in the air.
        twist, tilt = cos(phase - 0.2) * turn, sin(phase) * -drop
        parts: list[Angles] = [
            {"pelvis_lean": lean, "pelvis_turn": twist, "pelvis_tilt": tilt},
            {"spine_turn": twist * -2.2, "spine_tilt": tilt * -0.9, "neck_turn": twist * 1.2},
            both(hip_rotation=-0.08),
        ]
        for side, own, sign in (("left", phase + np.pi, -1.0), ("right", phase, 1.0)):
            # Knee and ankle vary less than the hip, lest the toes hit the floor.
            shares = {"hip": 1.0, "knee": 0.5, "ankle": 0.0}
            hip, knee, ankle = (
                series(table[joint], own) * (np.pi / 180) * (1 + share * (style.scale(side) - 1))
                for joint, share in shares.items()
            )
            # Under the pelvis whatever it does, and towards the middle while the foot carries.
            aside = tilt * sign - step_in - sin(own) * 0.03
            parts.append(sided(side, hip_flexion=hip + lean, knee_flexion=knee, ankle_dorsiflexion=ankle))
            parts.append(sided(side, hip_abduction=aside, hip_rotation=twist * -sign))
        return total(*parts)

    return cycle
