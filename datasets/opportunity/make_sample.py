"""Write the tiny sample of Opportunity that lies beside this file: ``python datasets/opportunity/make_sample.py``.

Two runs in the data set's own format. Every worn sensor stays at its place and turns about its z axis, so that gravity
turns in its frame: by a fixed angle in a posture, to and fro in walking. Objects and the room stay silent. In S1-ADL1
the accelerometer at the hip pauses for three samples; in S2-ADL1 the five Xsens units do for eight.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

RATE_HZ = 30
STAND, WALK, SIT, LIE = 1, 2, 4, 5
ANGLE_RAD = {0: 0.0, STAND: 0.0, WALK: 0.0, SIT: 0.8, LIE: 1.6}
SWING_RAD, SWING_HZ = 0.4, 1.0
# Locomotion and how many samples it lasts.
RUNS = {
    "S1-ADL1": ((0, 3), (STAND, 34), (WALK, 33), (SIT, 33), (LIE, 34)),
    "S2-ADL1": ((0, 2), (STAND, 26), (WALK, 26)),
}
# First and last row, columns.
HOLES = {"S1-ADL1": (40, 42, slice(4, 7)), "S2-ADL1": (3, 10, slice(37, 102))}
# Columns (counted from 0) of labels and what they hold in some rows of S1-ADL1: a door is opened, a cup drunk from.
EVENTS = {
    (8, 20): {249: 406516, 247: 406, 248: 516, 244: 103},
    (75, 90): {249: 407521, 245: 207, 246: 321, 244: 102},
}


def turning(locomotion: np.ndarray, times_s: np.ndarray, rest_rad: float) -> tuple[np.ndarray, np.ndarray]:
    """Give a sensor's angle about its z axis in rad, and how fast it turns."""
    phase = 2 * np.pi * SWING_HZ * times_s
    walks = locomotion == WALK
    angle = rest_rad + np.array([ANGLE_RAD[number] for number in locomotion]) + walks * SWING_RAD * np.sin(phase)
    return angle, walks * 2 * np.pi * SWING_HZ * SWING_RAD * np.cos(phase)


def body(locomotion: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """Give columns 1 to 133: (n_samples, 133), rounded."""
    zero = np.zeros_like(times_s)
    columns = []
    for sensor in range(19):
        # Each sensor rests at an angle of its own, so that no two columns are alike.
        angle, rate = turning(locomotion, times_s, 0.1 * sensor)
        acc = [1000 * np.cos(angle), 1000 * np.sin(angle), zero]
        gyro = [zero, zero, 1000 * rate]
        if sensor < 12:
            columns += acc
        elif sensor < 17:
            field = [500 * np.cos(angle), 500 * np.sin(angle), zero - 800]
            columns += acc + gyro + field + [zero + 1000, zero, zero, zero]
        else:
            columns += [zero, zero, np.rad2deg(angle), zero, zero, zero, *acc, *gyro, *gyro, zero + 90]
    return np.round(np.stack(columns, axis=1))


def run(name: str) -> list[str]:
    """Give the lines of a file."""
    locomotion = np.concatenate([np.full(length, number) for number, length in RUNS[name]])
    times_s = np.arange(len(locomotion)) / RATE_HZ
    table = np.zeros((len(locomotion), 250))
    table[:, 0] = np.round(1000 * times_s)
    table[:, 1:134] = body(locomotion, times_s)
    table[:, 243] = locomotion
    if name == "S1-ADL1":
        for (start, stop), labels in EVENTS.items():
            for column, number in labels.items():
                table[start:stop, column] = number
    first, last, columns = HOLES[name]
    table[first : last + 1, columns] = np.nan
    return [" ".join("NaN" if np.isnan(value) else str(int(value)) for value in row) + "\n" for row in table]


def write_sample(folder: Path) -> list[Path]:
    """Write the runs under `folder` and give the files."""
    (folder / "dataset").mkdir(parents=True, exist_ok=True)
    files = [folder / "dataset" / f"{name}.dat" for name in RUNS]
    for path in files:
        path.write_bytes("".join(run(path.stem)).encode())
    return files


if __name__ == "__main__":
    write_sample(Path(__file__).parent)
