"""Write the tiny sample of somebody's own files beside this file: ``python datasets/folder/make_sample.py``.

Three folders as people have them, of closed-form motion: ``app`` with a CSV a device, at uneven stamps in ms, with
labels and in one file a hole; ``bouts`` with a Parquet file a recording, in g and deg/s, whose folder is the label;
``suit`` with one wide CSV of two sites.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

GRAVITY_M_S2 = 9.80665
START_MS = 1_714_550_400_000
SECONDS = 4.0
AXES = ("x", "y", "z", "rot_x", "rot_y", "rot_z")
BOUT_AXES = tuple(f"{quantity}_{axis}" for quantity in ("acc", "gyr") for axis in "xyz")
STEP_HZ = {"anna": 1.8, "ben": 2.0}
# From when to when somebody sits, and nobody knows; else they walk.
SITS_S, UNKNOWN_S = (2.0, 4.0), (1.9, 2.0)
# In the watch of ben the samples of these seconds are missing.
HOLE_S = (2.6, 2.9)


def motion(times_s: np.ndarray, person: str, activity: str) -> np.ndarray:
    """Give acc in m/s2 and gyr in rad/s, of shape (n, 6): gravity along z, and a swing at the rate of the steps."""
    phase = 2 * np.pi * STEP_HZ[person] * times_s
    size = 1.0 if activity == "walk" else 0.02
    acc = size * np.stack([1.5 * np.sin(phase), 0.5 * np.cos(phase), 2 * np.sin(2 * phase)], axis=1)
    gyr = size * np.stack([0 * phase, 1.2 * np.cos(phase), 0.3 * np.sin(phase)], axis=1)
    return np.concatenate([acc + np.array([0, 0, GRAVITY_M_S2]), gyr], axis=1)


def label(time_s: float) -> str:
    """Give what an app was told at a time."""
    if UNKNOWN_S[0] <= time_s < UNKNOWN_S[1]:
        return "?"
    return "sit" if SITS_S[0] <= time_s < SITS_S[1] else "walk"


def app_rows(person: str, device: str) -> list[str]:
    """Give the lines of a device's file; its stamps are off an even rate by up to 5 ms, and the watch starts late."""
    number = np.arange(int(SECONDS * 50))
    off_ms = np.round(5 * np.sin(2.1 * number + len(device))).astype(int)
    stamps_ms = START_MS + 20 * number + off_ms - off_ms[0] + (20 if device == "watch" else 0)
    times_s = (stamps_ms - START_MS) / 1000
    labels = [label(time_s) for time_s in times_s]
    walk, sit = motion(times_s, person, "walk"), motion(times_s, person, "sit")
    values = np.where(np.array(labels)[:, None] == "sit", sit, walk)
    lines = [
        ",".join([str(stamp), *(f"{value:.3f}" for value in row), name])
        for stamp, time_s, row, name in zip(stamps_ms, times_s, values, labels, strict=True)
        if (person, device) != ("ben", "watch") or not HOLE_S[0] <= time_s < HOLE_S[1]
    ]
    return [",".join(["time", *AXES, "doing"]), *lines]


def bout(person: str, activity: str) -> pd.DataFrame:
    """Give two seconds at 50 Hz, in g and deg/s."""
    values = motion(np.arange(100) / 50, person, activity)
    units = np.repeat([1 / GRAVITY_M_S2, 180 / np.pi], 3)
    return pd.DataFrame((values * units).astype(np.float32), columns=list(BOUT_AXES))


def suit_rows(person: str) -> list[str]:
    """Give the lines of a wide file: two sites at 100 Hz in g, seconds, and a column of no use."""
    times_s = np.arange(200) / 100
    acc = motion(times_s, person, "walk")[:, :3] / GRAVITY_M_S2
    sites = [f"{site}_acc_{axis}" for site in ("left_wrist", "chest") for axis in "xyz"]
    lines = [
        ";".join([f"{time_s:.2f}", *(f"{value:.4f}" for value in (*row, *row[[2, 1, 0]])), "87", "walking"])
        for time_s, row in zip(times_s, acc, strict=True)
    ]
    return [";".join(["t", *sites, "battery", "activity"]), *lines]


def write_sample(folder: Path) -> list[Path]:
    """Write all files into a folder; give their paths."""
    texts = {
        f"app/{person}/{session}_{device}.csv": app_rows(person, device)
        for person, session in (("anna", "morning"), ("ben", "evening"))
        for device in ("phone", "watch")
    }
    texts["suit/anna.csv"] = suit_rows("anna")
    tables = {
        f"bouts/{name}/{person}_1.parquet": bout(person, activity)
        for name, activity in (("sitting", "sit"), ("walking", "walk"))
        for person in STEP_HZ
    }
    for file in (*texts, *tables):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
    for file, lines in texts.items():
        (folder / file).write_bytes("".join(f"{line}\n" for line in lines).encode())
    for file, table in tables.items():
        table.to_parquet(folder / file, index=False)
    return [folder / file for file in (*texts, *tables)]


if __name__ == "__main__":
    write_sample(Path(__file__).parent)
