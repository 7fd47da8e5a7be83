"""Sport: jumps, squats, jumping jacks, rope jumping, cycling."""

from __future__ import annotations

import numpy as np

from har_virtual.studio.activities._limbs import arm, hop, leg, shoulder, upright_m
from har_virtual.studio.activities._moves import Angles, both, planted, sided, sway, total, unrest
from har_virtual.studio.jets import Jet, cos, sin, tanh
from har_virtual.studio.posture import Posture
from har_virtual.studio.props import axle_m, crank_m, handlebar_m, saddle_m
from har_virtual.studio.style import Style

# Around what the cyclist's feet pitch.
_PITCH = -0.36


def jumping(t: Jet, style: Style) -> Posture:
    """Jump on both legs, again and again, about 25 cm high and 1.1 times a second.

    A crouch by 35 cm, flight of 0.4 s in which a sensor at the waist reads nearly nothing, landing into the next
    crouch; the arms swing back with the crouch and up with the flight.

    Parameters
    ----------
    t : Jet of shape (T,)
        Time in seconds.
    style : Style

    Returns
    -------
    Posture
    """
    phase = style.cycle(t, 1.1)
    legs, crouch = hop(style, phase, 1.1, flight=1.2, toes_m=0.1, thigh=1.3)
    swing = cos(phase + 0.35)
    arms = [
        sided(
            side,
            shoulder_flexion=swing * (0.95 * style.scale(side)) + 0.55,
            shoulder_abduction=0.2,
            elbow_flexion=swing * 0.2 + style.between("elbow", 0.4, 0.8),
        )
        for side in ("left", "right")
    ]
    trunk: Angles = {"spine_flexion": crouch * 0.7, "neck_flexion": crouch * -0.6}
    return Posture(total(legs, *arms, trunk, unrest(style, t)), pinned="feet", support=upright_m(style.body))


def rope_jumping(t: Jet, style: Style) -> Posture:
    """Jump a rope: small jumps of 4 cm, 2.1 a second, the forearms circling.

    Upper arms close to the trunk, elbows bent by 80 deg, forearms out to the sides; each wrist goes round a circle of
    about 7 cm with every jump.

    Parameters
    ----------
    t : Jet of shape (T,)
        Time in seconds.
    style : Style

    Returns
    -------
    Posture
    """
    phase = style.cycle(t, 2.1)
    legs, crouch = hop(style, phase, 2.1, flight=0.85, toes_m=0.02)
    outward = style.between("forearms out", -0.9, -0.6)
    arms = [
        sided(
            side,
            shoulder_flexion=-0.12,
            shoulder_abduction=0.25,
            shoulder_rotation=cos(phase + 0.9) * (0.22 * style.scale(side)) + outward,
            elbow_flexion=sin(phase + 0.9) * (0.22 * style.scale(side)) + 1.35,
            pronation=0.2,
        )
        for side in ("left", "right")
    ]
    return Posture(
        total(legs, *arms, {"spine_flexion": crouch * 0.4}, unrest(style, t, 0.7)),
        pinned="feet",
        support=upright_m(style.body),
    )


def jumping_jacks(t: Jet, style: Style) -> Posture:
    """Do jumping jacks, one a second: jump apart and together, the arms over the head and down.

    Arms go from 10 to 160 deg of abduction, legs from 0 to 20 deg; both hops of a cycle fly 4 cm high.

    Parameters
    ----------
    t : Jet of shape (T,)
        Time in seconds.
    style : Style

    Returns
    -------
    Posture
    """
    phase = style.cycle(t, 1.0)
    # Two hops a cycle, in flight while arms and legs are half-way.
    legs, _ = hop(style, phase * 2, 2.0, flight=0.85, toes_m=0.025)
    spread = (tanh(sin(phase) * 1.2) * (1 / np.tanh(1.2)) + 1) * 0.5
    arms = [
        sided(
            side,
            shoulder_abduction=spread * (2.6 * np.tanh(style.scale(side)) / np.tanh(1.0)) + 0.15,
            elbow_flexion=0.35 - spread * 0.15,
            shoulder_flexion=0.1,
        )
        for side in ("left", "right")
    ]
    # The legs go apart in flight and lower the hips, which they hold up.
    aside = (tanh(sin(phase) * 2.6) + 1) * (0.18 * style.amplitude)
    apart = {**both(hip_abduction=aside), "lift_m": (cos(aside) - 1) * style.body.leg_m}
    return Posture(total(legs, apart, *arms, unrest(style, t, 0.7)), pinned="feet", support=upright_m(style.body))


def squatting(t: Jet, style: Style) -> Posture:
    """Squat down and up, once in 2.6 s, over flat feet.

    Thighs nearly to the horizontal (hip 106, knee 110, ankle 28 deg at the bottom), trunk leaning 45 deg against the
    hips that move back, arms stretched forward for balance.

    Parameters
    ----------
    t : Jet of shape (T,)
        Time in seconds.
    style : Style

    Returns
    -------
    Posture
    """
    phase = style.cycle(t, 0.38)
    depth = (tanh(cos(phase) * -1.3) * (1 / np.tanh(1.3)) + 1) * 0.5
    thigh, shank = style.between("squat depth", 1.25, 1.5) * style.amplitude**0.5, style.between("shins", 0.42, 0.52)
    lean = depth * 0.45
    legs = total(
        planted(depth * thigh + 0.02, depth * shank + 0.02, lean), both(hip_abduction=0.12, hip_rotation=-0.15)
    )
    arms = [
        sided(
            side,
            shoulder_flexion=depth * (1.7 * style.scale(side)) + 0.05,
            shoulder_abduction=0.12,
            elbow_flexion=depth * -0.1 + 0.3,
        )
        for side in ("left", "right")
    ]
    trunk: Angles = {"spine_flexion": depth * 0.32, "neck_flexion": depth * -0.45}
    return Posture(total(legs, *arms, trunk, sway(style, t), unrest(style, t)), pinned="feet")


def cycling(t: Jet, style: Style) -> Posture:
    """Pedal on an ergometer at about 70 revolutions a minute.

    The ankles go round the pedals' circle of about 17 cm, the legs reach them: hip 32 to 89, knee 27 to 116 deg. The
    foot points down most near the top. The trunk leans 25 to 30 deg, the hands rest on the bar.

    Parameters
    ----------
    t : Jet of shape (T,)
        Time in seconds.
    style : Style

    Returns
    -------
    Posture
    """
    phase = style.cycle(t, 1.17)
    body, lean, bow = style.body, style.between("bike lean", 0.2, 0.3), 0.22
    (axle_forward, axle_up), saddle, crank = axle_m(body), saddle_m(body), crank_m(body)
    parts = []
    for side, own in (("left", phase), ("right", phase + np.pi)):
        # Forward at the top. The ball of the foot is on the pedal, the ankle behind and above it.
        pitch = cos(own + 0.4) * (-0.18 * style.scale(side)) + _PITCH
        ball, sole = body.offsets_m[f"{side}_foot"][1], body.sole_m
        ahead = sin(own) * crank + axle_forward - cos(pitch) * ball - sin(pitch) * sole
        below = cos(own) * -crank + saddle - axle_up + sin(pitch) * ball - cos(pitch) * sole
        parts.append(leg(body, side, ahead, below, lean, pitch))
    forward, up = shoulder(body, lean, bow)
    bar_forward, bar_up = handlebar_m(body)
    for side in ("left", "right"):
        hand = bar_forward - forward + t * 0.0, saddle + up - bar_up - 0.02 + t * 0.0
        parts.append(arm(body, side, *hand, lean + bow))
    rock = sin(phase) * 0.02
    trunk: Angles = {
        "pelvis_lean": lean,
        "spine_flexion": bow + cos(phase * 2) * 0.01,
        "neck_flexion": -0.25,
    }
    sideways: Angles = {"pelvis_tilt": rock, "spine_tilt": rock * -1.2, "spine_turn": rock * 0.5}
    return Posture(total(*parts, both(shoulder_abduction=0.08), trunk, sideways, unrest(style, t, 0.4)), support=saddle)
