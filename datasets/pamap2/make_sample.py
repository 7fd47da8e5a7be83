"""Write the tiny sample of PAMAP2 that lies beside this file: ``python datasets/pamap2/make_sample.py``.

Four files in the data set's own format, made of closed-form motion: half a second of each activity, with transients
(activity 0) between them. Numbers have fewer digits than the real ones, to be small. What the real files have: heart
rates in some nine rows a second, a sensor that drops out (NaN), rows that are missing, an accelerometer that ends at
6 g, orientations without a meaning, a left-handed subject (108), and one who did nothing but jump (109).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

RATE_HZ = 100
LIMIT_6G_M_S2 = 59.0

# Of each file: its first time stamp, and the activities with their numbers of rows.
FILES = {
    "Protocol/subject101.dat": (8.38, ((0, 8), (1, 52), (2, 52), (3, 52), (4, 52))),
    "Protocol/subject108.dat": (5.64, ((0, 8), (12, 52), (13, 52), (4, 52), (0, 20), (5, 52))),
    "Protocol/subject109.dat": (11.2, ((0, 8), (24, 52), (0, 8))),
    "Optional/subject101.dat": (6.05, ((11, 52), (0, 8))),
}
# Rows that the file lacks, and rows in which the sensor at the hand dropped out.
MISSING = {"Protocol/subject108.dat": slice(168, 176)}
DROPPED_OUT = {"Protocol/subject108.dat": slice(130, 150)}

# Of each activity: swings a second, their size in m/s2, and how sharp they are (odd: swings to both sides).
MOTION = {0: (0.3, 1.0, 1), 1: (0.2, 0.1, 1), 2: (0.3, 0.2, 1), 3: (0.5, 0.3, 1), 4: (2.0, 4.0, 1), 5: (3.0, 70.0, 5)}
MOTION |= {11: (0.7, 0.6, 1), 12: (1.6, 5.0, 1), 13: (1.8, 6.0, 1), 24: (2.2, 80.0, 5)}
LYING = 1


def imu(times_s: np.ndarray, activities: np.ndarray, sensor: int) -> np.ndarray:
    """Give the 17 columns of one sensor, as text (n_rows, 17); `sensor` is 0 at the hand, 1 chest, 2 ankle."""
    frequency, size, sharpness = np.array([MOTION[activity] for activity in activities]).T
    swing = np.sin(2 * np.pi * frequency * times_s + 0.7 * sensor) ** sharpness.astype(int)
    upright = activities != LYING
    along = np.stack([np.where(upright, 0.3, 9.7), np.where(upright, 9.8, 0.4), np.full(len(times_s), 0.5)], axis=1)
    acc = along + np.stack([0.3 * swing, swing, 0.2 * swing], axis=1) * (size / (1 + 0.2 * sensor))[:, None]
    # The second accelerometer is calibrated a little differently.
    acc_6g = np.clip(acc + 0.07, -LIMIT_6G_M_S2, LIMIT_6G_M_S2)
    gyr = np.stack([0.02 * swing, 0.1 * swing, -0.4 * swing], axis=1) * np.sqrt(size)[:, None]
    mag = np.array([12.0, -48.0, 4.0]) + 3.0 * sensor + swing[:, None]
    columns = [np.full((len(times_s), 1), 31 + sensor)]
    columns += [np.round(acc, 2), np.round(acc_6g, 2), np.round(gyr, 3), np.round(mag, 1)]
    text = [[f"{value:g}" for value in row] for row in np.concatenate(columns, axis=1)]
    return np.array([[*row, "1", "0", "0", "0"] for row in text])


def rows(start_s: float, activities: np.ndarray) -> np.ndarray:
    """Give a whole file as text (n_rows, 54), before anything is lost."""
    times_s = start_s + np.arange(len(activities)) / RATE_HZ
    beats = [f"{90 + row % 7}" if row % 11 == 0 else "NaN" for row in range(len(activities))]
    columns = [[f"{time:.2f}".rstrip("0").rstrip(".") for time in times_s], [str(each) for each in activities], beats]
    return np.concatenate([np.array(columns).T, *(imu(times_s, activities, sensor) for sensor in range(3))], axis=1)


def write_sample(folder: Path) -> list[Path]:
    """Write the files under `folder` and give them."""
    files = []
    for name, (start_s, pieces) in FILES.items():
        table = rows(start_s, np.repeat(*np.array(pieces).T))
        if name in DROPPED_OUT:
            table[DROPPED_OUT[name], 3:20] = "NaN"
        if name in MISSING:
            table = np.delete(table, MISSING[name], axis=0)
        files.append(folder / name)
        files[-1].parent.mkdir(parents=True, exist_ok=True)
        files[-1].write_bytes("".join(f"{' '.join(row)}\n" for row in table).encode("ascii"))
    return files


if __name__ == "__main__":
    write_sample(Path(__file__).parent)
