from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from har_virtual.datasets._clock import Clock, read_clock
from har_virtual.exceptions import DataFormatError

FILE = Path("home/run.dat")


def clock(stamps, *, unit="s", rate_hz=100.0, tick_s=0.01) -> Clock:
    return read_clock(np.asarray(stamps, float), FILE, unit=unit, rate_hz=rate_hz, tick_s=tick_s, longest_s=3600.0)


def test_stamps_on_the_grid_are_of_the_nominal_rate_with_their_holes():
    read = clock(np.delete(np.arange(500) / 100 + 8.38, [7, 100, 101]))
    assert (read.rate_hz, read.start_s, read.n_samples) == (100.0, 8.38, 500)
    assert np.setdiff1d(np.arange(500), read.samples).tolist() == [7, 100, 101]
    assert list(read.remarks("run.dat")) == []


def test_the_unit_of_the_stamps_is_that_of_the_file():
    in_s, in_ms = clock(np.arange(50) / 100), clock(np.arange(50) * 10.0, unit="ms")
    assert in_s.samples.tolist() == in_ms.samples.tolist() == list(range(50))
    assert clock([2500.0, 2510, 2520], unit="ms").start_s == 2.5


@pytest.mark.parametrize(("step_s", "typical_ms"), [(0.02, "20"), (0.0136, "13.6"), (0.0115, "11.5"), (0.0088, "8.8")])
def test_rows_that_are_not_a_sample_apart_are_of_another_file(step_s, typical_ms):
    with pytest.raises(DataFormatError, match=rf"{FILE}: rows are typically {typical_ms} ms apart, where 10 are right"):
        clock(step_s * np.arange(400))


def test_holes_do_not_make_the_typical_step():
    assert clock([0, 0.01, 0.05]).samples.tolist() == [0, 1, 5]
    assert clock([0, 0.05]).samples.tolist() == [0, 5]
    assert clock([3.0]).samples.tolist() == [0]


@pytest.mark.parametrize("step_s", [0.0104, 0.0096])
def test_a_rate_near_the_nominal_one_is_taken_and_said(step_s):
    read = clock(step_s * np.arange(400))
    assert read.samples.tolist() == list(range(400))
    assert read.rate_hz == pytest.approx(1 / step_s)
    (remark,) = read.remarks("run.dat")
    assert remark == f"run.dat: the time stamps are those of {1 / step_s:.4f} Hz, which is taken in place of 100 Hz."


def test_a_clock_that_drifts_by_less_than_a_thousandth_is_the_nominal_one():
    read = clock(np.arange(4000) / 100.05)
    assert (read.rate_hz, read.n_samples, list(read.remarks("run.dat"))) == (100.0, 4000, [])


def test_stamps_between_samples_are_said():
    stamps = np.arange(300) * 1000 / 30
    stamps[::7] += 9
    read = clock(stamps, unit="ms", rate_hz=30.0, tick_s=1e-3)
    assert read.samples.tolist() == list(range(300))
    (remark,) = read.remarks("run.dat")
    assert remark.startswith("run.dat: the time stamps are up to 9 ms off an even rate")


@pytest.mark.parametrize(
    ("stamps", "line", "why"),
    [
        ([5, 5.01, 5.01, 5.02], 3, "is 5.01 s after 5.01 s; stamps must rise"),
        ([5, 5.01, 4.99, 5.02], 3, "is 4.99 s after 5.01 s; stamps must rise"),
        ([5, 5.01, np.nan, 5.02], 3, "is nan s after 5.01 s; stamps must rise"),
        ([np.nan, 5, 5.01], 1, "is nan s; stamps must rise"),
        ([0, 0.01, 0.02, 0.022, 0.03, 0.04], 4, "is 0.022 s after 0.02 s; rows are closer than at 100 Hz"),
        ([0, 0.01, 0.02, 5000], 4, "is 5000.0 s after 0.02 s; a file that lacks 5000 s of rows is damaged"),
    ],
)
def test_a_stamp_that_cannot_be_is_named_with_its_line(stamps, line, why):
    with pytest.raises(DataFormatError, match=f"{FILE}, line {line}: the time stamp {why}"):
        clock(stamps)
