"""Standing, sitting, lying, what leads from one to the other, and waving."""

from __future__ import annotations

from har_virtual.studio.activities._moves import (
    Angles,
    both,
    planted,
    pulse,
    scaled,
    sided,
    step,
    sway,
    total,
    unrest,
)
from har_virtual.studio.jets import Jet, sin
from har_virtual.studio.posture import Posture
from har_virtual.studio.style import Style

# Thighs and shanks of somebody who sits: the knees at a right angle.
_SEATED_THIGH, _SEATED_SHANK = 1.5, 0.07


def standing(t: Jet, style: Style) -> Posture:
    """Stand and sway, shift the weight, look round, now and then move a hand.

    The pelvis sways by about 1 cm (Winter 1995 finds 0.5 to 1 cm), the head turns by up to 15 deg; every 5 s one
    forearm rises for a second.

    Parameters
    ----------
    t : Jet of shape (T,)
        Time in seconds.
    style : Style

    Returns
    -------
    Posture
    """
    gesture = pulse(style.cycle(t, 0.2), 6.0) * style.amplitude
    hand = sided(
        style.handedness, shoulder_flexion=gesture * 0.35, elbow_flexion=gesture * 1.2, pronation=gesture * -0.4
    )
    look: Angles = {
        "neck_turn": style.wobble("look", t, 0.3) * 0.15,
        "neck_flexion": style.wobble("nod", t, 0.4) * 0.05,
    }
    shift = style.wobble("weight", t, 0.2) * 0.02
    weight = total(sided("left", hip_abduction=shift), sided("right", hip_abduction=-shift))
    return Posture(total(_upright(style), weight, hand, look, sway(style, t), unrest(style, t)), pinned="feet")


def waving(t: Jet, style: Style) -> Posture:
    """Stand and wave with the dominant hand over the shoulder, 1.8 times a second.

    The upper arm is out to the side by 75 deg and turned so that the forearm points up; the elbow (58 to 113 deg)
    swings the hand from side to side.

    Parameters
    ----------
    t : Jet of shape (T,)
        Time in seconds.
    style : Style

    Returns
    -------
    Posture
    """
    phase = style.cycle(t, 1.8)
    size = 0.42 * style.amplitude
    arm = sided(
        style.handedness,
        shoulder_abduction=style.between("raise", 1.15, 1.5) + sin(phase - 0.5) * 0.07,
        shoulder_rotation=sin(phase * 0.5) * 0.08 - 1.45,
        shoulder_flexion=0.1,
        elbow_flexion=sin(phase) * size + style.between("forearm", 1.35, 1.6),
        pronation=0.9,
    )
    side = 1.0 if style.handedness == "right" else -1.0
    trunk: Angles = {"spine_tilt": -0.05 * side + sin(phase) * (0.012 * side), "neck_tilt": 0.05 * side}
    rest = {
        name: angle for name, angle in _upright(style).items() if not name.startswith(f"{style.handedness}_shoulder")
    }
    rest = {name: angle for name, angle in rest.items() if name != f"{style.handedness}_elbow_flexion"}
    return Posture(total(rest, arm, trunk, sway(style, t), unrest(style, t)), pinned="feet")


def sitting(t: Jet, style: Style) -> Posture:
    """Sit on a chair, the hands on the thighs, and move a little.

    Hips and knees at about 90 deg; the trunk sways by a few degrees, the head looks round, one hand gestures and one
    foot taps now and then.

    Parameters
    ----------
    t : Jet of shape (T,)
        Time in seconds.
    style : Style

    Returns
    -------
    Posture
    """
    gesture = pulse(style.cycle(t, 0.22), 5.0) * style.amplitude
    hand = sided(
        style.handedness, shoulder_flexion=gesture * 0.25, elbow_flexion=gesture * 0.7, pronation=gesture * -0.5
    )
    # The heel stays, so the foot alone turns.
    tap = sided(style.other_hand, ankle_dorsiflexion=pulse(style.cycle(t, 1.3), 2.0) * 0.12)
    look: Angles = {
        "neck_turn": style.wobble("look", t, 0.3) * 0.18,
        "spine_turn": style.wobble("turn", t, 0.3) * 0.05,
    }
    rocking: Angles = {"spine_flexion": style.wobble("rock", t, 0.35) * 0.05}
    return Posture(total(_seated(style), hand, tap, look, rocking, unrest(style, t)), pinned="feet")


def sitting_down(t: Jet, style: Style) -> Posture:
    """Stand, sit down on a chair at about 2.6 s, within 1.7 s, and stay.

    The trunk leans forward by 34 deg in between (Kralj et al. 1990), the hands go to the thighs. The chair's seat is
    behind the feet.

    Parameters
    ----------
    t : Jet of shape (T,)
        Time in seconds.
    style : Style

    Returns
    -------
    Posture
    """
    return _between_chair_and_standing(
        t, style, step(t, style.between("when", 2.3, 2.9, anew=True), 1.7 / style.tempo), 0.5
    )


def standing_up(t: Jet, style: Style) -> Posture:
    """Sit on a chair, stand up at about 2.6 s, within 1.5 s, and stay.

    The trunk leans forward by 41 deg before the legs stretch (Kralj et al. 1990).

    Parameters
    ----------
    t : Jet of shape (T,)
        Time in seconds.
    style : Style

    Returns
    -------
    Posture
    """
    return _between_chair_and_standing(
        t, style, step(t, style.between("when", 2.3, 2.9, anew=True), -1.5 / style.tempo), 0.6
    )


def lying_down(t: Jet, style: Style) -> Posture:
    """Stand, go down through a squat, sit on the floor, lie on the back; within 4 s.

    The squat (knees 135 deg) is deepest at 1.3 s, sitting with bent knees and the hands behind follows at 2.2 s, the
    trunk is down at about 4 s, legs stretched, arms at the sides.

    Parameters
    ----------
    t : Jet of shape (T,)
        Time in seconds.
    style : Style

    Returns
    -------
    Posture
    """
    when, pace = style.between("when", 0.9, 1.2, anew=True), 1 / style.tempo
    squat = step(t, when, 1.2 * pace)
    sit = step(t, when + 1.05 * pace, 1.1 * pace)
    lie = step(t, when + 2.2 * pace, 1.5 * pace)
    # From the vertical: thigh forward, shank forward; the feet stay until the pelvis is on the floor.
    thigh_down = squat * 2.05 + sit * 0.2
    shank_down = squat * -0.45 + sit * 1.2
    thigh, shank = thigh_down + lie * -0.72, shank_down + lie * 0.72
    lean = squat * 0.6 + sit * -0.95 + lie * -1.2
    legs = both(hip_flexion=thigh + lean, knee_flexion=thigh - shank, ankle_dorsiflexion=-shank + lie * 1.2)
    arms = both(
        shoulder_flexion=squat * 0.9 + sit * -1.5 + lie * 0.6,
        shoulder_abduction=squat * 0.1 + sit * 0.1 + 0.1,
        elbow_flexion=squat * 0.2 + lie * -0.1 + 0.15,
        shoulder_rotation=0.0,
    )
    trunk: Angles = {
        "pelvis_lean": lean,
        "spine_flexion": squat * 0.4 + lie * -0.4,
        "neck_flexion": sit * 0.3 + lie * -0.25,
    }
    return Posture(total(legs, arms, trunk, unrest(style, t, 0.6)), pinned="feet")


def _upright(style: Style) -> Angles:
    """Stand: feet a little apart and turned out, arms hanging loosely."""
    arms = both(
        shoulder_abduction=style.between("arms out", 0.10, 0.17), elbow_flexion=style.between("elbow", 0.15, 0.35)
    )
    return total(arms, both(hip_abduction=style.between("feet apart", 0.0, 0.06), hip_rotation=-0.1))


def _seated(style: Style) -> Angles:
    """Sit: thighs level, shanks upright, hands on the thighs."""
    legs = planted(_SEATED_THIGH, _SEATED_SHANK, -0.08)
    arms = both(shoulder_flexion=0.3, shoulder_abduction=0.15, shoulder_rotation=0.25, elbow_flexion=1.05)
    legs = total(legs, both(hip_abduction=style.between("knees apart", 0.05, 0.15)))
    return total(legs, arms, both(pronation=0.8), {"spine_flexion": style.between("slump", 0.08, 0.2)})


def _between_chair_and_standing(t: Jet, style: Style, seated: Jet, bow: float) -> Posture:
    """Mix standing and sitting, the trunk bowing in between."""
    bowed = seated * (1 - seated) * (4 * bow * style.amplitude)
    bend = total({"pelvis_lean": bowed * 0.75, "spine_flexion": bowed * 0.35}, both(hip_flexion=bowed * 0.75))
    mixed = total(*(scaled(share, part) for part, share in ((_upright(style), 1 - seated), (_seated(style), seated))))
    head: Angles = {"neck_flexion": bowed * -0.4}
    return Posture(total(mixed, bend, head, scaled(0.5, sway(style, t)), unrest(style, t)), pinned="feet")
