"""The way of somebody who walks or runs, from what the legs do."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from har_virtual.pose.skeletons import BODY_22
from har_virtual.studio.activities._limbs import upright_m
from har_virtual.studio.activities._moves import Angles, harmonics
from har_virtual.studio.body import Body
from har_virtual.studio.jets import Jet, time
from har_virtual.studio.posture import Joints, Posture, joints, neutral_frame

# Phases of a stride at which the soles are looked at, and the harmonics that are fitted to them.
_PHASES, _HARMONICS = 60, 4
# How little a harmonic is favoured where no foot determines it.
_RELUCTANCE = 0.07
# How fast heel, ball and toes take over the weight from each other.
_SHARPNESS_PER_M = 60.0


def way(cycle: Callable[[Jet], Angles], phase: Jet, body: Body, stance: float) -> dict[str, Jet | float]:
    """Give the way that a body makes with each cycle so that the foot that carries it neither slides nor sinks.

    Height and velocity of the soles against the pelvis, weighted as the body's weight is, are taken at 60 phases of
    the stride; a Fourier series is fitted to those at which a foot is on the floor.

    Parameters
    ----------
    cycle : callable
        From phase to angles; the right foot comes down at phase 0, the left at pi.
    phase : Jet of shape (T,)
    body : Body
    stance : float
        Share of the stride during which a foot is on the floor; below a half there is flight.

    Returns
    -------
    dict
        ``x_m``, which comes back, ``y_m``, which goes on, and ``lift_m``, over `upright_m`.
    """
    grid = np.arange(_PHASES) * (2 * np.pi / _PHASES)
    pose = joints(Posture(cycle(time(grid))), body, _PHASES)
    feet = [contact for contact in body.contacts_m() if contact[0].endswith("ankle")]
    soles = [(_sole(pose, body, joint, offset), radius) for joint, offset, radius in feet]
    starts = [np.pi if joint.startswith("left") else 0.0 for joint, _, _ in feet]
    bearing = [(grid - start) % (2 * np.pi) <= 2 * np.pi * stance for start in starts]
    depths = np.array([radius - place.value[:, 2] for place, radius in soles])
    # A foot that swings close to the floor carries nothing.
    weights = np.exp(_SHARPNESS_PER_M * (depths - depths.max(axis=0))) * np.array(bearing)
    rates = -np.einsum(
        "pt,ptc->tc", weights / np.maximum(weights.sum(axis=0), 1e-12), np.array([place.rate for place, _ in soles])
    )
    deepest = np.where(bearing, depths, -np.inf).max(axis=0)
    heights = pose.positions_m.value[:, BODY_22.root, 2] + deepest - upright_m(body)
    carried = np.any(bearing, axis=0)
    x_rate, y_rate, lift = (_fitted(values[carried], grid[carried]) for values in (*rates.T[:2], heights))
    orders = np.maximum(np.arange(len(lift)), 1)
    x, y = (harmonics(rate / (1j * orders), phase) for rate in (x_rate, y_rate))
    return {"x_m": x, "y_m": y + phase * y_rate[0].real, "lift_m": harmonics(lift, phase) + lift[0].real}


def _sole(pose: Joints, body: Body, joint: str, offset: tuple[float, float, float]) -> Jet:
    """Where a point of a foot is."""
    index = BODY_22.index(joint)
    axes = pose.rotations[:, index] @ neutral_frame(joint, body).T
    return pose.positions_m[:, index] + (axes @ np.array(offset)[:, None])[..., 0]


def _fitted(values: np.ndarray, phases: np.ndarray) -> np.ndarray:
    """Fit a Fourier series: complex amplitudes of cos - i sin, the mean first."""
    orders = np.arange(_HARMONICS + 1)
    waves = np.exp(1j * np.outer(phases, orders))
    design = np.concatenate([waves.real, -waves.imag[:, 1:]], axis=1)
    # A little reluctance keeps what no foot determines, a flight, from swinging.
    reluctance = np.diag(_RELUCTANCE * np.concatenate([orders, orders[1:]]) ** 3)
    design = np.concatenate([design, reluctance])
    fit = np.linalg.lstsq(design, np.concatenate([values, np.zeros(len(reluctance))]), rcond=None)[0]
    return fit[: len(orders)] + 1j * np.concatenate([[0.0], fit[len(orders) :]])
