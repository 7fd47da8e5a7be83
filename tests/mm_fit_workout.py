"""Workouts of MM-Fit that tests write, and the one of the sample."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from har_virtual.datasets.mm_fit.loader import load_mm_fit

SAMPLE = Path(__file__).parents[1] / "datasets" / "mm_fit"
ZERO_MS = 1_553_000_000_000


def load(home: Path = SAMPLE, **options):
    return load_mm_fit(home, **{"cache": False, **options})


def one(recordings):
    assert len(recordings) == 1
    return recordings[0]


def workout(home: Path, sets: str = "30,60,10,squats\n", name: str = "w00", **files: np.ndarray) -> Path:
    """Write a workout with some arrays; rows may come from `rows`."""
    folder = home / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}_labels.csv").write_text(sets)
    for modality, array in files.items():
        np.save(folder / f"{name}_{modality}.npy", array)
    return home


def rows(times_s, *, frames=None, camera_hz: float = 30.0) -> np.ndarray:
    """Rows of a sensor at some times; the first value is the time, and the third is gravity."""
    times = np.asarray(times_s, dtype=np.float64)
    frames = np.rint(times * camera_hz) if frames is None else frames
    values = np.column_stack([times, np.zeros(len(times)), np.full(len(times), 9.81)])
    return np.column_stack([frames, ZERO_MS + 1000 * times, values])


def even(rate_hz: float, start_s: float = 0.0, stop_s: float = 4.0) -> np.ndarray:
    return start_s + np.arange(round((stop_s - start_s) * rate_hz)) / rate_hz
