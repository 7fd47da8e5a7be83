"""Limbs that reach a place, and legs that hop."""

from __future__ import annotations

import numpy as np

from har_virtual.recording import STANDARD_GRAVITY_M_S2
from har_virtual.studio.activities._moves import Angles, both, planted, sided, total
from har_virtual.studio.body import Body
from har_virtual.studio.jets import Jet, arctan, as_jet, cos, sin, sqrt, tanh
from har_virtual.studio.style import Style

# How softly a foot leaves the floor, and what is left of a leg's bend, as a share of its length.
_HOP_SOFTNESS_M, _NEVER_STRAIGHT = 0.035, 0.004


def upright_m(body: Body) -> float:
    """Give the height of the pelvis of somebody who stands."""
    return body.leg_m + body.sole_m


def leg(body: Body, side: str, forward_m: Jet, down_m: Jet, lean: Jet | float, pitch: Jet | float = 0.0) -> Angles:
    """Put one ankle at a place seen from the hip, the toes raised by a pitch, under a pelvis that leans forward."""
    upper_m, lower_m = (-body.offsets_m[f"{side}_{joint}"][2] for joint in ("knee", "ankle"))
    thigh, knee = reach((upper_m, lower_m), forward_m, down_m)
    return sided(side, hip_flexion=thigh + lean, knee_flexion=knee, ankle_dorsiflexion=knee - thigh + pitch)


def arm(body: Body, side: str, forward_m: Jet, down_m: Jet, lean: Jet | float) -> Angles:
    """Put one palm at a place seen from the shoulder, the elbow behind it, on a trunk that leans forward."""
    upper, fore, hand = (-body.offsets_m[f"{side}_{joint}"][2] for joint in ("elbow", "wrist", "hand"))
    direction, bend = reach((upper, fore + hand), -forward_m, down_m)
    return sided(side, shoulder_flexion=lean - direction, elbow_flexion=bend)


def shoulder(body: Body, lean: Jet | float, flexion: Jet | float) -> tuple[Jet, Jet]:
    """Give how far the shoulders are forward of the pelvis and above it."""
    lower, upper = body.offsets_m["spine"][2], body.offsets_m["neck"][2]
    lean, chest = as_jet(lean), as_jet(lean) + flexion
    return sin(lean) * lower + sin(chest) * upper, cos(lean) * lower + cos(chest) * upper


def reach(lengths_m: tuple[float, float], forward_m: Jet, down_m: Jet) -> tuple[Jet, Jet]:
    """Bend a chain of two bones so that its end is at a place seen from its start, the middle joint being forward.

    Parameters
    ----------
    lengths_m : tuple of two floats
        Of the bones.
    forward_m, down_m : Jet of shape (T,)
        The place, nearer than the bones are long.

    Returns
    -------
    direction, bend : Jet of shape (T,)
        How far the first bone points forward from straight down, and how far the second turns back from it, in rad.
    """
    upper, lower = lengths_m
    distance2 = forward_m * forward_m + down_m * down_m
    cosine = (distance2 - (upper**2 + lower**2)) * (1 / (2 * upper * lower))
    sine = sqrt(1 - cosine * cosine)
    # The half-angle formula spares the arc cosine.
    bend = arctan(sine / (1 + cosine)) * 2
    return arctan(forward_m / down_m) + arctan(lower * sine / (upper + lower * cosine)), bend


def hop(
    style: Style, phase: Jet, frequency_hz: float, flight: float, toes_m: float, thigh: float = 1.0
) -> tuple[dict[str, Jet | float], Jet]:
    """Hop in place on both legs: free fall in the air, a spring on the floor.

    The hip's height over a straight leg is h - (g / w^2) (5/4 - 4/3 cos p + 1/12 cos 2p) at phase p and angular
    frequency w, which is the parabola of free fall but for (w t)^6 / 90, and turns the body round by 5/3 g.
    What is above 0 points, then lifts the feet; what is below bends the legs.

    Parameters
    ----------
    style : Style
    phase : Jet of shape (T,)
        0 at the top of a flight.
    frequency_hz : float
        Hops per second of somebody with tempo 1.
    flight : float
        Height h of the flight in units of g / w^2.
    toes_m : float
        How far the heels rise before the toes leave the floor.
    thigh : float, default=1.0
        How much more than on the average of both the thighs lean; the shanks lean less, which spares the ankles.

    Returns
    -------
    angles : dict
        Of the legs, and the pelvis' height over that of somebody who stands.
    crouch : Jet of shape (T,)
        From 0 at the top to about how far thighs and shanks lean at the bottom, in rad, for the trunk to follow.
    """
    body, fall_m = style.body, STANDARD_GRAVITY_M_S2 / (2 * np.pi * frequency_hz * style.tempo) ** 2
    height = (cos(phase) * (4 / 3) - cos(phase * 2) * (1 / 12) + (flight - 1.25)) * fall_m
    lift = softplus(height, _HOP_SOFTNESS_M)
    drop = (lift - height) * (1 / body.leg_m) + _NEVER_STRAIGHT
    shank = (2 - thigh**2) ** 0.5
    # The series of the bend at which (cos(thigh) + cos(shank)) / 2 = 1 - drop.
    fourth, sixth = ((thigh**power + shank**power) / 2 for power in (4, 6))
    bend = sqrt(drop * (2 + drop * (fourth / 3 + drop * (fourth**2 / 9 - sixth / 45))))
    pointed = tanh(lift * (1 / toes_m)) * (toes_m / (1.32 * body.offsets_m["left_foot"][1]))
    crouch = (1 - cos(phase)) * 0.5
    crouch = crouch * crouch * float(np.sqrt(fall_m))
    legs = total(planted(bend * thigh, bend * shank, crouch * 0.9), both(ankle_dorsiflexion=-pointed))
    return {**legs, "lift_m": height - _NEVER_STRAIGHT * body.leg_m}, crouch


def softplus(number: Jet, softness: float) -> Jet:
    """Give the number where it is above 0, else 0, smoothly."""
    # log cosh keeps the exponentials small: log(1 + e^x) = x/2 + log(2 cosh(x/2)).
    half = number * (0.5 / softness)
    size = np.abs(half.value)
    slope = np.tanh(half.value)
    log_cosh = Jet(
        size + np.log1p(np.exp(-2 * size)),
        slope * half.rate,
        (1 - slope**2) * half.rate**2 + slope * half.acceleration,
    )
    return (half + log_cosh) * softness
