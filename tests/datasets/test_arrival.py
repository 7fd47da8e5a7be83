from __future__ import annotations

import numpy as np
import pytest

from har_virtual.datasets._arrival import sampling_times
from har_virtual.exceptions import DataFormatError


def held_back(n_samples: int, period_s: float = 0.01, hold_s: float = 0.06) -> tuple[np.ndarray, np.ndarray]:
    """Times of samples, and of their arrival in whole milliseconds."""
    times_s = 0.3 + period_s * np.arange(n_samples)
    late_s = times_s.copy()
    for start_s in times_s[7::37]:
        held = (times_s >= start_s) & (times_s < start_s + hold_s)
        late_s[held] = start_s + hold_s
    return times_s, np.floor(1000 * np.maximum.accumulate(late_s)) / 1000


@pytest.mark.parametrize("period_s", [1 / 102.45, 1 / 104.287, 0.01])
def test_samples_go_back_to_the_even_clock_by_which_they_were_taken(period_s):
    times_s, arrivals_s = held_back(600, period_s)
    found = sampling_times(arrivals_s, 100, max_gap_s=0.1, where="phone.csv")
    np.testing.assert_allclose(found, times_s, rtol=0, atol=0.0011)
    np.testing.assert_allclose(np.diff(found), period_s, rtol=2e-4)


@pytest.mark.parametrize("gap", [20, 45])
def test_missing_samples_leave_a_gap_of_their_length(gap):
    times_s, arrivals_s = held_back(600)
    kept = np.concatenate([np.arange(250), np.arange(250 + gap, 600)])
    found = sampling_times(arrivals_s[kept], 100, max_gap_s=0.1, where="phone.csv")
    np.testing.assert_allclose(found, times_s[kept], rtol=0, atol=0.0015)


def test_a_single_late_sample_moves_nothing():
    times_s = 0.01 * np.arange(300)
    late_s = times_s.copy()
    late_s[100:112] = times_s[112]
    found = sampling_times(late_s, 100, max_gap_s=0.1, where="phone.csv")
    np.testing.assert_allclose(found, times_s, atol=1e-9)


def test_a_delay_that_is_caught_up_is_no_gap():
    times_s = 0.01 * np.arange(300)
    late_s = np.maximum(times_s, np.where((times_s >= 1) & (times_s < 1.15), 1.15, 0))
    assert np.diff(late_s).max() > 0.15
    found = sampling_times(late_s, 100, max_gap_s=0.1, where="phone.csv")
    np.testing.assert_allclose(found, times_s, atol=1e-9)


def test_the_start_does_not_matter():
    times_s, arrivals_s = held_back(300)
    found = sampling_times(1.7e9 + arrivals_s, 100, max_gap_s=0.1, where="phone.csv")
    np.testing.assert_allclose(found - 1.7e9, times_s, atol=0.0012)


@pytest.mark.parametrize(
    ("arrivals_s", "message"),
    [
        ([0.0, 0.01, 0.009, 0.02], r"phone\.csv, line 4: the timestamp does not follow"),
        ([0.0, np.nan, 0.02], r"phone\.csv, line 3"),
        ([0.0], "1 samples arrive every 0 ms"),
        ([0.0, 0.0, 0.0], "3 samples arrive every 0 ms"),
        (0.1 * np.arange(50), r"50 samples arrive every 100 ms, where about 10 are usual"),
        (np.concatenate([0.01 * np.arange(150), [900.0]]), r"samples are missing, more than are there"),
    ],
)
def test_a_clock_that_cannot_be_is_refused_with_its_file(arrivals_s, message):
    with pytest.raises(DataFormatError, match=message):
        sampling_times(np.asarray(arrivals_s), 100, max_gap_s=0.1, where="phone.csv")
