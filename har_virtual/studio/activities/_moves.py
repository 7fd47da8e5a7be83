"""What the activities are written with: sums of angles, transitions, Fourier series, unrest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from har_virtual.studio.jets import Jet, cos, exp, sin, tanh
from har_virtual.studio.style import Style

Angles = Mapping[str, Jet | float]

SIDES = ("left", "right")
_HARMONICS = 6


def total(*parts: Angles) -> dict[str, Jet | float]:
    """Add up angles of the same name."""
    sums: dict[str, Jet | float] = {}
    for part in parts:
        for name, angle in part.items():
            sums[name] = angle + sums[name] if name in sums else angle
    return sums


def sided(side: str, **angles: Jet | float) -> dict[str, Jet | float]:
    """Name the angles of one side."""
    return {f"{side}_{name}": angle for name, angle in angles.items()}


def both(**angles: Jet | float) -> dict[str, Jet | float]:
    """Name the angles of both sides, which are the same."""
    return total(*(sided(side, **angles) for side in SIDES))


def scaled(factor: Jet | float, angles: Angles) -> dict[str, Jet | float]:
    """Multiply angles."""
    return {name: factor * angle for name, angle in angles.items()}


def planted(thigh: Jet | float, shank: Jet | float, lean: Jet | float) -> dict[str, Jet | float]:
    """Bend both legs over flat feet.

    Parameters
    ----------
    thigh, shank : Jet or float
        How far thigh (knee forward of the hip) and shank (knee forward of the ankle) lean from the vertical, in rad.
    lean : Jet or float
        How far the pelvis leans forward, in rad.
    """
    legs = both(hip_flexion=thigh + lean, knee_flexion=thigh + shank, ankle_dorsiflexion=shank)
    return {"pelvis_lean": lean, **legs}


def step(t: Jet, middle_s: float, duration_s: float) -> Jet:
    """Go smoothly from 0 to 1; most of it (4 to 96 %) within the duration around the middle."""
    return (tanh((t - middle_s) * (3.2 / duration_s)) + 1) * 0.5


def pulse(phase: Jet, sharpness: float) -> Jet:
    """Rise to 1 at phase 0 and fall back to nearly 0, once a cycle."""
    return exp((cos(phase) - 1) * sharpness)


def series(table: Sequence[float], phase: Jet) -> Jet:
    """Give the Fourier series, up to the sixth harmonic, through values at equal steps of a cycle."""
    coefficients = np.fft.rfft(table)[: _HARMONICS + 1] / len(table)
    return harmonics(2 * coefficients, phase) + coefficients[0].real


def harmonics(coefficients: np.ndarray, phase: Jet) -> Jet:
    """Give the sum of Re(c_k exp(i k phase)) over k from 1."""
    terms = (cos(phase * k) * c.real - sin(phase * k) * c.imag for k, c in enumerate(coefficients) if k)
    return sum(terms, phase * 0.0)


def progress(phase: Jet) -> Jet:
    """Go on as the phase does, but by steps: at rest around each whole cycle, the rate is 128 / 35 sin(phase / 2)^8."""
    harmonics = sin(phase) * 1.6 - sin(phase * 2) * 0.4 + sin(phase * 3) * (16 / 210) - sin(phase * 4) * (1 / 140)
    return phase - harmonics


def raised(phase: Jet) -> Jet:
    """Rise to 1 in the middle between whole cycles, as sin(phase / 2)^6."""
    half = (1 - cos(phase)) * 0.5
    return half * half * half


def unrest(style: Style, t: Jet, strength: float = 1.0) -> dict[str, Jet | float]:
    """Move trunk, head and arms by the degree or two by which nobody is ever still."""
    sizes = {"spine_flexion": 0.015, "spine_tilt": 0.012, "spine_turn": 0.02}
    sizes |= {"neck_flexion": 0.03, "neck_tilt": 0.02, "neck_turn": 0.06}
    sizes |= {f"{side}_{joint}": 0.03 for side in SIDES for joint in ("shoulder_flexion", "elbow_flexion", "pronation")}
    sizes |= {f"{side}_shoulder_abduction": 0.015 for side in SIDES}
    return {name: style.wobble(name, t) * (size * strength) for name, size in sizes.items()}


def sway(style: Style, t: Jet, strength: float = 1.0) -> dict[str, Jet | float]:
    """Sway over planted feet, forward by the ankles and sideways by the hips; about 1 cm at the pelvis."""
    forward, aside = style.wobble("sway forward", t) * 0.010, style.wobble("sway aside", t) * 0.010
    return scaled(strength, total(sided("left", hip_abduction=aside), sided("right", hip_abduction=-aside),
                                  {"pelvis_lean": forward}, both(ankle_dorsiflexion=forward)))  # fmt: skip
