"""Runs in Opportunity's format, to be written and loaded by tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from har_virtual.datasets.opportunity import load_opportunity
from har_virtual.recording import Recording, RecordingSet

SAMPLE = Path(__file__).parents[1] / "datasets" / "opportunity"


def rows(n_rows: int = 40) -> np.ndarray:
    """A run in which everybody stands, and every triad of columns of the body has a norm near 1,000."""
    table = np.zeros((n_rows, 250))
    table[:, 0] = np.round(np.arange(n_rows) * 1000 / 30)
    table[:, 1:134] = 500 + np.arange(1, 134)
    table[:, 243] = 1
    return table


def write(folder: Path, table: np.ndarray, name: str = "S1-ADL1.dat") -> Path:
    """Write a run and give the folder."""
    lines = [" ".join("NaN" if np.isnan(x) else f"{x:.15g}" for x in row) for row in table]
    (folder / name).write_text("\n".join(lines) + "\n")
    return folder


def load(home: Path, **options) -> RecordingSet:
    return load_opportunity(home, cache=False, **options)


def channel(recording: Recording, name: str) -> np.ndarray:
    return recording.data[:, recording.channels.index(name)]
