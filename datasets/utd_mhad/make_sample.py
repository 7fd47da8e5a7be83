"""Write the tiny sample of UTD-MHAD that lies beside this file: ``python datasets/utd_mhad/make_sample.py``.

Four trials in the data set's own format, made of closed-form motion: somebody faces the Kinect and swings the right
forearm about the elbow (action 3, sensor at the right wrist) or the right thigh about the hip (action 23, sensor at
the right thigh). The sensor's readings are exact up to its resolution, in the frame of its segment. The skeleton's
clock is off by `LAG_S`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.io import savemat

GRAVITY_M_S2 = 9.80665
RATE_HZ = 50
# Least significant bits of the real device, in g and deg/s.
RESOLUTION = np.array([8 / 2**15] * 3 + [1000 / 2**15] * 3)

# (action, subject): to add to a skeleton's even stamps, to have the sensor's clock.
LAG_S = {(3, 1): -0.06, (3, 2): 0.1, (23, 1): -0.02, (23, 2): -0.12}
# Samples of the sensor and frames of the skeleton: the ratio is no more 50/30 than it is in the data set.
LENGTHS = {(3, 1): (150, 57), (3, 2): (160, 52), (23, 1): (170, 70), (23, 2): (155, 48)}

# Joints in the order of the files, in metres: x to the camera's left, y up, z away from it.
JOINTS = np.array(
    [
        *([0, 0.65, 2.5], [0, 0.45, 2.5], [0, 0.1, 2.5], [0, 0, 2.5]),
        *([-0.2, 0.4, 2.5], [-0.2, 0.1, 2.5], [-0.2, -0.05, 2.3], [-0.2, -0.1, 2.23]),
        *([0.2, 0.4, 2.5], [0.2, 0.1, 2.5], [0.2, -0.05, 2.3], [0.2, -0.1, 2.23]),
        *([-0.1, -0.05, 2.5], [-0.1, -0.48, 2.45], [-0.1, -0.88, 2.6], [-0.1, -0.92, 2.45]),
        *([0.1, -0.05, 2.5], [0.1, -0.48, 2.45], [0.1, -0.88, 2.6], [0.1, -0.92, 2.45]),
    ]
)
ELBOW, WRIST, HAND, HIP, KNEE, ANKLE, FOOT = 9, 10, 11, 16, 17, 18, 19
FOREARM_M, THIGH_M = 0.25, 0.43


def swing(times_s: np.ndarray, subject: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give an angle from hanging down, in rad, with its first and second derivative; it does not repeat."""
    angle, rate, acceleration = np.full_like(times_s, 1.0), np.zeros_like(times_s), np.zeros_like(times_s)
    for amplitude, frequency_hz, phase in ((0.45, 0.55, 0.4 * subject), (0.2, 0.93, 1.1), (0.05, 1.37, 2.0)):
        w = 2 * np.pi * frequency_hz
        angle += amplitude * np.sin(w * times_s + phase)
        rate += amplitude * w * np.cos(w * times_s + phase)
        acceleration -= amplitude * w**2 * np.sin(w * times_s + phase)
    return angle, rate, acceleration


def sensor(times_s: np.ndarray, action: int, subject: int) -> np.ndarray:
    """Give d_iner (n_samples, 6) in g and deg/s.

    The sensor lies `along` the swinging segment (its x) and `across` it (its y), which turns about its z: the right of
    the subject for the forearm, the left for the thigh, which swings forward by turning the other way.
    """
    along, across = (0.93 * FOREARM_M, 0.0) if action == 3 else (0.5 * THIGH_M, -0.07)
    sign = 1.0 if action == 3 else -1.0
    angle, rate, acceleration = (sign * each for each in swing(times_s, subject))
    x = -along * rate**2 - across * acceleration - GRAVITY_M_S2 * np.cos(angle)
    y = along * acceleration - across * rate**2 + GRAVITY_M_S2 * np.sin(angle)
    zero = np.zeros_like(x)
    readings = np.stack([x / GRAVITY_M_S2, y / GRAVITY_M_S2, zero, zero, zero, np.rad2deg(rate)], axis=1)
    return np.round(readings / RESOLUTION) * RESOLUTION


def skeleton(times_s: np.ndarray, action: int, subject: int) -> np.ndarray:
    """Give d_skel (20, 3, n_frames): the segment points down at angle 0 and towards the camera at a right angle."""
    angle = swing(times_s, subject)[0]
    zero = np.zeros_like(angle)
    direction = np.stack([zero, -np.cos(angle), -np.sin(angle)])
    joints = np.repeat(JOINTS[:, :, None], len(times_s), axis=2)
    if action == 3:
        joints[WRIST] = joints[ELBOW] + FOREARM_M * direction
        joints[HAND] = joints[ELBOW] + (FOREARM_M + 0.08) * direction
    else:
        # The knee stays bent by a right angle: it is its flexion that tells how the thigh is turned.
        shank = np.stack([zero, -np.sin(angle), np.cos(angle)])
        joints[KNEE] = joints[HIP] + THIGH_M * direction
        joints[ANKLE] = joints[KNEE] + 0.42 * shank
        joints[FOOT] = joints[ANKLE] + 0.15 * direction
    return joints


def write_sample(folder: Path) -> list[Path]:
    """Write the trials under `folder` and give the files."""
    files = []
    for (action, subject), lag_s in LAG_S.items():
        n_samples, n_frames = LENGTHS[action, subject]
        times = np.arange(n_samples) / RATE_HZ
        stamps = np.linspace(0, times[-1], n_frames) + lag_s
        contents = {
            "Inertial": ("inertial", {"d_iner": sensor(times, action, subject)}),
            "Skeleton": ("skeleton", {"d_skel": skeleton(stamps, action, subject)}),
        }
        for name, (kind, arrays) in contents.items():
            files.append(folder / name / f"a{action}_s{subject}_t1_{kind}.mat")
            files[-1].parent.mkdir(parents=True, exist_ok=True)
            savemat(files[-1], arrays, do_compression=True)
    return files


if __name__ == "__main__":
    write_sample(Path(__file__).parent)
