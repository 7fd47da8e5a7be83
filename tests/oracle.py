"""Closed-form motions and bodies, and what an ideal sensor reads on them. numpy only; shares no code with the library.

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


RIGHT, FORWARD, UP = np.eye(3)
# The axes x, y, z of segments of somebody who stands, faces FORWARD and lets the arms hang, as columns.
TRUNK_FRAME = np.stack([UP, FORWARD, -RIGHT], axis=-1)
ARM_FRAME = np.stack([-UP, FORWARD, RIGHT], axis=-1)
LEG_FRAME = np.stack([-UP, -FORWARD, -RIGHT], axis=-1)
FOOT_FRAME = np.stack([FORWARD, -UP, -RIGHT], axis=-1)


def person(elbow_rad: np.ndarray, knee_rad: np.ndarray) -> dict[str, np.ndarray]:
    """Joints (T, 3) of somebody 1.7 m tall who stands over the origin and faces +y, for flexions of shape (T,).

    Under every name that a skeleton may have; what one derives from others lies where they say.
    """
    elbow, knee = elbow_rad[:, None], knee_rad[:, None]
    forearm = np.sin(elbow) * FORWARD - np.cos(elbow) * UP
    shank, sole = -np.sin(knee) * FORWARD - np.cos(knee) * UP, np.cos(knee) * FORWARD - np.sin(knee) * UP
    heights = {"pelvis": 0.95, "spine": 1.2, "spine2": 1.3, "spine3": 1.4, "neck": 1.45, "neck2": 1.5, "neck_top": 1.55}
    joints = {name: height * UP for name, height in heights.items()}
    joints |= {"head": 1.65 * UP, "nose": 1.65 * UP + 0.1 * FORWARD}
    for side, out in (("left_", -RIGHT), ("right_", RIGHT)):
        face = 1.68 * UP + 0.08 * FORWARD
        joints |= {f"{side}ear": 1.65 * UP + 0.08 * out, f"{side}mouth": 1.6 * UP + 0.09 * FORWARD + 0.02 * out}
        joints |= {f"{side}eye{part}": face + w * out for part, w in {"_inner": 0.02, "": 0.03, "_outer": 0.04}.items()}
        joints |= {f"{side}collar": 1.45 * UP + 0.05 * out, f"{side}shoulder": 1.45 * UP + 0.2 * out}
        joints[f"{side}elbow"] = joints[f"{side}shoulder"] - 0.3 * UP
        along = {"forearm": 0.13, "wrist": 0.26, "hand": 0.34, "fingers": 0.4, "hand_tip": 0.44}
        joints |= {f"{side}{name}": joints[f"{side}elbow"] + way * forearm for name, way in along.items()}
        joints |= {
            f"{side}{name}": joints[f"{side}hand"] + w * out for name, w in {"index": 0.03, "pinky": -0.03}.items()
        }
        joints[f"{side}thumb"] = joints[f"{side}wrist"] + 0.03 * forearm + 0.03 * FORWARD
        joints[f"{side}hip"] = 0.95 * UP + 0.1 * out
        joints[f"{side}knee"] = joints[f"{side}hip"] - 0.44 * UP
        joints[f"{side}ankle"] = joints[f"{side}knee"] + 0.42 * shank
        along = {"foot": 0.15, "toes": 0.2, "heel": -0.05}
        joints |= {f"{side}{name}": joints[f"{side}ankle"] + way * sole for name, way in along.items()}
        joints[f"{side}small_toe"] = joints[f"{side}foot"] + 0.05 * out
    return {name: np.broadcast_to(joint, (len(elbow), 3)) for name, joint in joints.items()}


def person_frames(elbow_rad: np.ndarray, knee_rad: np.ndarray) -> dict[str, np.ndarray]:
    """Axes (T, 3, 3) of the segments of `person`, each under the joint where it starts."""
    forearm, shin = rotation_about("x", elbow_rad) @ ARM_FRAME, rotation_about("x", -knee_rad) @ LEG_FRAME
    foot = rotation_about("x", -knee_rad) @ FOOT_FRAME
    frames = dict.fromkeys(("pelvis", "spine", "neck", "head"), TRUNK_FRAME)
    for side in ("left_", "right_"):
        frames |= {f"{side}shoulder": ARM_FRAME, f"{side}hip": LEG_FRAME, f"{side}knee": shin}
        frames |= {f"{side}{joint}": forearm for joint in ("elbow", "wrist", "hand")}
        frames |= {f"{side}{joint}": foot for joint in ("ankle", "foot")}
    return {joint: np.broadcast_to(frame, (len(forearm), 3, 3)) for joint, frame in frames.items()}


def fidgeting_person(times_s: np.ndarray, flexion_rad: float = 0.35) -> dict[str, np.ndarray]:
    """The person of `person` who bends limbs and, unless `flexion_rad` is large, stretches them, turns and wobbles."""
    t = np.asarray(times_s, dtype=float)
    joints = person(flexion_rad + 0.3 * np.sin(4 * t), flexion_rad + 0.25 * np.sin(3 * t + 1))
    rng = np.random.default_rng(0)
    yaw = rotation_about("z", 0.5 + 0.8 * np.sin(1.3 * t))
    for name in sorted(joints):
        amplitude, rate, phase = 0.02 * rng.uniform(0.3, 1, 3), rng.uniform(2, 7, 3), rng.uniform(0, 6, 3)
        wobbling = joints[name] + amplitude * np.sin(rate * t[:, None] + phase)
        joints[name] = np.einsum("tij,tj->ti", yaw, wobbling) + np.stack([0.3 * t, np.sin(t), 0 * t], axis=1)
    return joints


def turn_rates(rotations: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """Mean angular velocity (T - 1, 3) between frames, in the body: the rotation vector of R_t^T R_t+1 over time."""
    steps = np.swapaxes(rotations[:-1], -1, -2) @ rotations[1:]
    doubled = steps - np.swapaxes(steps, -1, -2)
    sine_axis = np.stack([doubled[:, 2, 1], doubled[:, 0, 2], doubled[:, 1, 0]], axis=1) / 2
    sine, cosine = np.linalg.norm(sine_axis, axis=1), (np.trace(steps, axis1=1, axis2=2) - 1) / 2
    stretch = np.arctan2(sine, cosine) / np.maximum(sine, 1e-15)
    return sine_axis * (stretch / np.diff(times_s))[:, None]
