"""Closed-form motions and what an ideal sensor reads on them. numpy only; shares no code with the library.

World: Z up, metres, seconds. A rotation takes sensor axes to world axes. Fields are east, north, up in uT.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

GRAVITY = 9.80665
FIELD_UT = np.array([0.0, 20.0, -45.0])


class Reading(NamedTuple):
    """Pose of one sensor and what it reads there."""

    positions_m: np.ndarray
    rotations: np.ndarray
    acc: np.ndarray
    gyr: np.ndarray
    mag: np.ndarray


def rotation_about(axis: str, angle_rad: np.ndarray) -> np.ndarray:
    """Matrices (..., 3, 3) that turn about x, y or z by the right-hand rule."""
    angle_rad = np.asarray(angle_rad, dtype=float)
    c, s, zero, one = np.cos(angle_rad), np.sin(angle_rad), np.zeros_like(angle_rad), np.ones_like(angle_rad)
    rows = {
        "x": [[one, zero, zero], [zero, c, -s], [zero, s, c]],
        "y": [[c, zero, s], [zero, one, zero], [-s, zero, c]],
        "z": [[c, -s, zero], [s, c, zero], [zero, zero, one]],
    }[axis]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def read(positions_m: np.ndarray, rotations: np.ndarray, acceleration: np.ndarray, gyr: np.ndarray) -> Reading:
    """Put a reading together from the acceleration in the world and the turn rate in the body."""
    force = acceleration + np.array([0.0, 0.0, GRAVITY])
    acc = np.einsum("tji,tj->ti", rotations, force)
    mag = np.einsum("tji,j->ti", rotations, FIELD_UT)
    return Reading(positions_m, rotations, acc, gyr, mag)


def circle(times_s: np.ndarray) -> Reading:
    """A circle of 0.3 m at 1 Hz, bobbing 0.05 m at 2 Hz, while the sensor yaws on and rocks about its own x axis."""
    t = np.asarray(times_s, dtype=float)
    w = 2 * np.pi
    positions = np.stack([0.3 * np.cos(w * t), 0.3 * np.sin(w * t), 0.05 * np.sin(2 * w * t)], axis=1)
    acceleration = positions * np.array([-(w**2), -(w**2), -((2 * w) ** 2)])
    yaw_rate, rocking = 0.5 * w, 0.7 * w
    roll = 0.8 * np.sin(rocking * t)
    rotations = rotation_about("z", yaw_rate * t) @ rotation_about("x", roll)
    # Rz(yaw) Rx(roll): the roll rate is about x, and the vertical lies in the body at (0, sin roll, cos roll).
    gyr = np.stack([0.8 * rocking * np.cos(rocking * t), yaw_rate * np.sin(roll), yaw_rate * np.cos(roll)], axis=1)
    return read(positions, rotations, acceleration, gyr)


def turntable(times_s: np.ndarray, radius_m: float, rate_rad_s: float) -> Reading:
    """A sensor that rides on a turntable, x outwards, z up."""
    t = np.asarray(times_s, dtype=float)
    angle = rate_rad_s * t
    outwards = np.stack([np.cos(angle), np.sin(angle), np.zeros_like(t)], axis=1)
    gyr = np.tile([0.0, 0.0, rate_rad_s], (len(t), 1))
    return read(radius_m * outwards, rotation_about("z", angle), -(rate_rad_s**2) * radius_m * outwards, gyr)


def rms(error: np.ndarray) -> float:
    """Root of the mean squared length of vectors (..., 3)."""
    return float(np.sqrt(np.mean(np.sum(np.square(error), axis=-1))))
