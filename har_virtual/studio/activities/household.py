"""At home: ironing and vacuum cleaning."""

from __future__ import annotations

import numpy as np

from har_virtual.studio.activities._limbs import arm, leg, shoulder, upright_m
from har_virtual.studio.activities._moves import both, progress, raised, sided, sway, total, unrest
from har_virtual.studio.jets import Jet, cos, sin
from har_virtual.studio.posture import Posture
from har_virtual.studio.props import board_m
from har_virtual.studio.style import Style


def ironing(t: Jet, style: Style) -> Posture:
    """Iron on a board in front of the body: strokes of about 30 cm, one in 1.7 s.

    The dominant arm goes forward and back and across (shoulder -11 to 49 deg, elbow 54 to 112 deg), at a slowly
    changing place; the other hand holds the cloth. The trunk leans 18 deg and follows the strokes, the head looks down.

    Parameters
    ----------
    t : Jet of shape (T,)
        Time in seconds.
    style : Style

    Returns
    -------
    Posture
    """
    phase = style.cycle(t, 0.6)
    body, lean = style.body, 0.11
    stroke = sin(phase) + sin(phase * 2 + 0.7) * 0.12
    place, across = style.wobble("place", t, 0.3), cos(phase * 0.5 + style.between("across", 0.0, 6.0))
    cloth = style.wobble("cloth", t, 0.25)
    bow = 0.20 + stroke * 0.04
    ahead, up = shoulder(body, lean, bow)
    # The palm on the iron's handle, and the other flat on the cloth.
    middle_m, board_up = board_m(body)
    middle = middle_m - ahead
    down = up + upright_m(body) - board_up
    ironing_arm = total(
        arm(
            body,
            style.handedness,
            middle + (stroke * (0.075 * style.amplitude) + place * 0.012 - 0.025) * body.stature_m,
            down - 0.077 * body.stature_m,
            lean + bow,
        ),
        sided(
            style.handedness,
            shoulder_abduction=0.15,
            shoulder_rotation=across * (0.20 * style.amplitude) + 0.15,
            pronation=1.1,
        ),
    )
    holding = total(
        arm(
            body,
            style.other_hand,
            middle + (cloth * 0.017 - 0.015) * body.stature_m,
            down - 0.047 * body.stature_m,
            lean + bow,
        ),
        sided(style.other_hand, shoulder_abduction=0.2, shoulder_rotation=cloth * 0.10 + 0.1, pronation=1.0),
    )
    follow = 1.0 if style.handedness == "left" else -1.0
    trunk: dict[str, Jet | float] = {"pelvis_lean": lean, "spine_flexion": bow, "neck_flexion": 0.35}
    trunk |= {"spine_turn": stroke * (-0.09 * follow) + across * 0.05, "neck_turn": across * -0.06}
    legs = both(hip_flexion=lean, hip_abduction=0.06, hip_rotation=-0.1)
    return Posture(total(legs, trunk, ironing_arm, holding, sway(style, t), unrest(style, t, 0.5)), pinned="feet")


def vacuum_cleaning(t: Jet, style: Style) -> Posture:
    """Vacuum: one arm pushes and pulls the wand, one stroke in 1.9 s, the trunk is bent, the feet go on by small steps.

    Shoulder 15 to 70, elbow 20 to 75 deg; the trunk leans 20 to 32 deg and goes with the stroke, the other arm hangs or
    swings a little. One foot stands ahead of the other; both move on by 12 cm each 3.8 s.

    Parameters
    ----------
    t : Jet of shape (T,)
        Time in seconds.
    style : Style

    Returns
    -------
    Posture
    """
    phase = style.cycle(t, 0.53)
    body, hand = style.body, style.handedness
    push = sin(phase)
    steps = phase * 0.5
    stride_m, stance_m = 0.14 * body.leg_m, style.between("stance", 0.11, 0.17) * body.leg_m
    rock_m = push * (0.06 * style.amplitude * body.leg_m)
    lean = 0.20 + push * 0.05
    parts = []
    for side, own, ahead in ((hand, steps, -1.0), (style.other_hand, steps + np.pi, 1.0)):
        forward = (progress(own) - own) * (stride_m / (2 * np.pi)) + ahead * stance_m - rock_m
        lifted = raised(own)
        parts.append(leg(body, side, forward, 0.95 * body.leg_m - lifted * (0.07 * body.leg_m), lean, lifted * -0.15))
        parts.append(sided(side, hip_abduction=0.07, hip_rotation=-0.12))
    arm = sided(
        hand,
        shoulder_flexion=push * (0.48 * style.amplitude) + 0.75,
        shoulder_abduction=0.12,
        shoulder_rotation=sin(phase * 0.5) * 0.15 + 0.15,
        elbow_flexion=push * (-0.48 * style.amplitude) + 0.85,
        pronation=0.3,
    )
    idle = sided(
        style.other_hand, shoulder_flexion=push * -0.12 + 0.15, shoulder_abduction=0.18, elbow_flexion=0.5 - push * 0.08
    )
    follow = 1.0 if hand == "right" else -1.0
    trunk: dict[str, Jet | float] = {"pelvis_lean": lean, "spine_flexion": push * 0.07 + 0.25, "neck_flexion": 0.15}
    trunk |= {"spine_turn": push * (0.14 * follow), "neck_turn": sin(phase * 0.5) * 0.12}
    place: dict[str, Jet | float] = {"y_m": steps * (stride_m / (2 * np.pi)) + rock_m}
    return Posture(total(*parts, arm, idle, trunk, place, unrest(style, t, 0.7)))
