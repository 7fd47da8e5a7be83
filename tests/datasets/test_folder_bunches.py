from __future__ import annotations

import warnings
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from har_virtual.datasets.folder.bunches import spread_bunches
from har_virtual.datasets.folder.loader import load_folder
from har_virtual.exceptions import DataWarning

CHANNELS = [f"left_wrist_acc_{axis}" for axis in "xyz"]
N_ROWS = 1000
load = partial(load_folder, pattern="{subject}.csv", units={"acc": "m/s2"}, time="t", cache=False)


def moving(times_s: np.ndarray) -> np.ndarray:
    """A swing of 1 Hz across gravity."""
    return np.stack([np.sin(2 * np.pi * times_s), np.cos(2 * np.pi * times_s), 9.81 + 0 * times_s], axis=1)


def write(home: Path, stamps, values: np.ndarray | None = None) -> Path:
    values = moving(np.arange(len(stamps)) / 50) if values is None else values
    pd.DataFrame(values, columns=CHANNELS).assign(t=stamps).to_csv(home / "anna.csv", index=False)
    return home


def bunches(n_rows: int, inner_s: float) -> np.ndarray:
    """Stamps of 1000 rows at 50 Hz that arrive so many at once, 3 ms early or late."""
    n_bunches = N_ROWS // n_rows
    late_s = np.random.default_rng(0).normal(0, 0.003, n_bunches)
    return (1 + late_s[:, None] + np.arange(n_bunches)[:, None] * n_rows / 50 + np.arange(n_rows) * inner_s).ravel()


def steps(*steps_ms: int) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(np.tile(steps_ms, N_ROWS // len(steps_ms)))[:-1]])


def in_ms(times_s: np.ndarray) -> np.ndarray:
    return np.round(1000 * times_s).astype(int)


def off_the_grid() -> np.ndarray:
    return np.sort(bunches(4, 0) + np.random.default_rng(1).uniform(0, 0.01, N_ROWS))


CASES = {
    "of four": (in_ms(bunches(4, 0.001)), "ms"),
    "of two": (in_ms(bunches(2, 0.001)), "ms"),
    "of ten": (in_ms(bunches(10, 0.001)), "ms"),
    "5 and 35 ms": (steps(5, 35), "ms"),
    "2 and 38 ms": (steps(2, 38), "ms"),
    "10 and 30 ms": (steps(10, 30), "ms"),
    "0.1 ms": (bunches(4, 1e-4).round(4), "s"),
    "10 us": (bunches(4, 1e-5).round(5), "s"),
    "off the grid": (off_the_grid(), "s"),
    "dates": ((pd.Timestamp("2024-05-01") + pd.to_timedelta(in_ms(bunches(4, 0.001)), "ms")).astype(str), "datetime"),
}


@pytest.mark.parametrize("stated", [{}, {"sampling_rate_hz": 50}], ids=["own rate", "50 Hz"])
@pytest.mark.parametrize("case", CASES)
def test_rows_that_arrive_in_bunches_are_spread_at_their_rate_and_invent_no_value(tmp_path, case, stated):
    stamps, time_unit = CASES[case]
    with pytest.warns(
        DataWarning, match=r"^anna.csv: rows come in bunches.*pass sampling_rate_hz without time"
    ) as said:
        (recording,) = load(write(tmp_path, stamps), time_unit=time_unit, **stated)
    assert len(said) == 1
    assert recording.sampling_rate_hz == 50
    assert recording.attrs["source_rate_hz"] == pytest.approx(50, rel=0.01)
    assert not np.isnan(recording.data).any()
    assert np.abs(recording.data[:, :2]).max() <= 1 + 1e-6
    # Rows are less than 20 ms from where they were taken: of the swing 2 pi 1 Hz 20 ms, most of a first bunch apart.
    since_s = recording.times_s - recording.start_s
    assert np.quantile(np.abs(recording.data - moving(since_s))[:, 0], 0.95) < 0.13


def test_holes_between_bunches_stay(tmp_path):
    times_s = bunches(4, 0.001)
    times_s[500:] += 5
    with pytest.warns(DataWarning) as said:
        (recording,) = load(write(tmp_path, in_ms(times_s)), time_unit="ms")
    assert [str(each.message)[10:25] for each in said] == ["rows come in bu", "20% of the samp"]
    assert recording.sampling_rate_hz == 50
    assert np.isnan(recording.data).any(axis=1).sum() / 50 == pytest.approx(5, abs=0.15)


def test_bunches_that_follow_lost_ones_are_where_they_arrived():
    number = np.delete(np.arange(3000), [*range(1000, 1004), *range(2000, 2004)])
    arrivals_s = (number // 4 + 1) * 4 / 50 + number % 4 * 0.001
    taken_s = spread_bunches(arrivals_s, 50, 0.1)
    assert (np.diff(taken_s) > 0).all()
    assert np.abs(taken_s - (number + 1) / 50).max() < 0.05


@pytest.mark.parametrize("n_rows", [1, 2, 3, 4])
def test_pieces_of_a_few_rows_stay_in_order(n_rows):
    arrivals_s = (np.arange(10)[:, None] * 20 + np.arange(n_rows) * 0.001).ravel()
    taken_s = spread_bunches(arrivals_s, 50, 0.1)
    assert taken_s.shape == arrivals_s.shape
    assert (np.diff(taken_s) > 0).all()


def quietly(home: Path, **stated):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (recording,) = load(home, time_unit="ms", **stated)
    return recording


def test_a_late_row_makes_no_finer_clock(tmp_path):
    stamps = 20 * np.arange(500)
    stamps[250] += 15
    recording = quietly(write(tmp_path, stamps))
    assert recording.sampling_rate_hz == 50
    assert np.abs(recording.data[:, :2]).max() <= 1 + 1e-6


def test_stretches_between_holes_are_no_bunches(tmp_path):
    number = np.arange(600)
    stamps = 20 * number + 300 * (number // 12)
    with pytest.warns(DataWarning, match="have a hole longer"):
        (recording,) = load(write(tmp_path, stamps), time_unit="ms")
    assert recording.sampling_rate_hz == 50
    assert recording.start_s == 0


def test_sensors_that_take_turns_keep_their_times(tmp_path):
    number = np.arange(N_ROWS)
    stamps = 20 * (number // 2) + 2 * (number % 2)
    values = moving(stamps / 1000)
    values[number % 2 == 0, 0] = np.nan
    values[number % 2 == 1, 1:] = np.nan
    recording = quietly(write(tmp_path, stamps, values), sampling_rate_hz=50)
    known = ~np.isnan(recording.data).any(axis=1)
    assert known.mean() > 0.99
    # A chord of 20 ms is off by (2 pi 1 Hz)^2 (20 ms)^2 / 8.
    assert np.abs(recording.data - moving(recording.times_s))[known].max() < 0.003


def test_the_clock_starts_at_a_round_time(tmp_path):
    recording = quietly(write(tmp_path, 20 * np.arange(997) + 7))
    assert recording.start_s == 0.007
