"""Write the tiny sample of PAMAP2 that lies beside this file: ``python datasets/pamap2/make_sample.py``.

Four files in the data set's own format, made of closed-form motion: some 0.4 s of each activity, with transients
(activity 0) between them. Numbers are what calibrated sensors of 12 and 13 bits give, in six digits as in the real
files. What else the real files have: heart rates in some nine rows a second, a sensor that drops out (NaN), rows that
are missing, an accelerometer that ends at 6 g, orientations without a meaning, a left-handed subject (108), and one who
did nothing but jump (109).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

RATE_HZ = 100
G_M_S2 = 9.80665
LIMIT_6G_M_S2 = 59.0
# What one count of each sensor stands for: ranges of 16 g, 6 g, 1500 deg/s and 400 uT to both sides in 13, 13, 13 and
# 12 bits. Temperatures come in sixteenths of a degree.
STEPS = {"acc": 32 * G_M_S2 / 2**13, "acc_6g": 12 * G_M_S2 / 2**13, "gyr": np.deg2rad(3000) / 2**13, "mag": 800 / 2**12}
STEP_DEG_C = 1 / 16
# Axes that are not quite at right angles: a calibrated reading is this matrix times what the three sensors read.
CALIBRATION = np.array([[1.0, 0.002, -0.003], [0.0, 1.0, 0.004], [0.0, 0.0, 1.0]])

# Of each file: its first time stamp, and the activities with their numbers of rows.
FILES = {
    "Protocol/subject101.dat": (8.38, ((0, 4), (1, 40), (2, 40), (3, 40), (4, 36))),
    "Protocol/subject108.dat": (5.64, ((0, 4), (12, 40), (13, 40), (4, 40), (0, 28), (5, 48))),
    "Protocol/subject109.dat": (11.2, ((0, 4), (24, 42), (0, 4))),
    "Optional/subject101.dat": (6.05, ((11, 10), (0, 2))),
}
# Rows that the file lacks, and rows in which the sensor at the hand dropped out.
MISSING = {"Protocol/subject108.dat": slice(134, 142)}
DROPPED_OUT = {"Protocol/subject108.dat": slice(102, 122)}

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
    degrees_c = np.round((31.4 + sensor + 0.1 * (times_s - times_s[0])) / STEP_DEG_C) * STEP_DEG_C
    vectors = {"acc": acc, "acc_6g": acc_6g, "gyr": gyr, "mag": mag}
    readings = [digitised(vector, STEPS[name]) for name, vector in vectors.items()]
    # Six digits, with an exponent where a number is small, as C and C++ print by default.
    text = [[f"{value:g}" for value in row] for row in np.column_stack([degrees_c, *readings])]
    return np.array([[*row, "1", "0", "0", "0"] for row in text])


def digitised(vectors: np.ndarray, step: float) -> np.ndarray:
    """Give what a sensor of three axes makes of `vectors` (n_rows, 3), each within some half a `step` of the truth."""
    counts = np.round(vectors @ np.linalg.inv(CALIBRATION).T / step)
    # Adding 0 turns -0 into 0.
    return counts * step @ CALIBRATION.T + 0.0


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
