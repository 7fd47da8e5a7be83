"""From the stamps of a RealWorld table to samples on a uniform clock."""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

import numpy as np

from har_virtual.datasets._arrival import sampling_times
from har_virtual.datasets._rows import spread_rows
from har_virtual.datasets.realworld.archives import Member, Table
from har_virtual.exceptions import DataFormatError
from har_virtual.signal import TimestampFit, regularize_timestamps, resample, typical_rate

RATE_HZ = 50.0
_TICK_S = 1e-3
# Sessions last some ten minutes; stamps further apart are damaged, and would ask for more memory than there is.
_LONGEST_SESSION_S = 2 * 3600.0
_MAX_GAP_S, _SAME_S = 0.1, 1e-6
# A mean rate above this is brought down to 50 Hz with a low-pass.
_FAST_HZ = 1.1 * RATE_HZ
# How far from 50 Hz, as a factor: no device (stamps in s or us), the true rate of one, the mean rate of bunches.
_ABSURD, _NEAR, _NEAR_IN_BUNCHES = 20.0, 2.5, 1.5
# A lattice faster than this times both 50 Hz and the mean rate is an accident of how the stamps were rounded.
_TOO_FINE = 1.2
# So many samples say the rate; so many that there is none.
_LAG, _ENOUGH = 100, 500
# Steps below a share of the period are those in a bunch; late single samples make fewer of them.
_SHORT, _MANY_SHORT = 0.55, 0.25
_LONGEST_WAIT_S = 1.0
_MUCH_MISSING = 0.2


class Stream(NamedTuple):
    """Samples on a uniform clock."""

    data: np.ndarray
    rate_hz: float
    start_s: float
    attrs: dict[str, object]

    @property
    def stop_s(self) -> float:
        """When the last sample ends."""
        return self.start_s + len(self.data) / self.rate_hz


def on_its_clock(table: Table, zero_ms: float) -> tuple[Stream, list[str]]:
    """Bring a table to a uniform rate by its stamps, and tell what is odd about them.

    Three kinds of stamps are told apart. Even ones: within a millisecond of a constant rate between 20 and 125 Hz; they
    give that rate, and NaN for what was lost. Bunched ones: a quarter of the steps is about half the mean period or
    less, though the mean rate is near 50 Hz; they are times of arrival, and the samples are put at the even times at
    which they were taken. All others are brought to 50 Hz by linear interpolation.

    Parameters
    ----------
    table : Table
        With stamps.
    zero_ms : float
        Where the session's clock is zero.

    Raises
    ------
    DataFormatError
        If the stamps span hours, or their rate is none of a device.
    """
    first_ms, member = float(table.stamps_ms[0]), table.member
    with np.errstate(over="ignore"):
        stamps = np.round((table.stamps_ms - first_ms) / 1000, 6)
        span = np.ptp(stamps)
    if not span <= _LONGEST_SESSION_S:
        raise DataFormatError(
            f"{member.where}: the stamps span {span / 3600:.3g} hours, so that some are damaged; "
            "timing='start' needs none."
        )
    stamps, values, problems = _in_order(table, stamps)
    if len(stamps) > 1:
        rate_hz = _mean_rate(stamps)
        problems += _check_rate(rate_hz, member)
        stamps, values, problem = _apart(stamps, values, rate_hz, member)
        problems += problem
    data, rate_hz, offset_s, clock = _uniform(stamps, values)
    missing = np.count_nonzero(np.isnan(data)) / data.size
    if missing > _MUCH_MISSING:
        problems.append(f"{member.file}: {missing:.0%} of its samples are missing, and NaN.")
    # Never minus zero, which a table would show.
    start_s = round((first_ms - zero_ms) / 1000 + offset_s, 9) + 0.0
    attrs = {"timing": "stamps", "clock": clock, "start_unix_s": zero_ms / 1000}
    return Stream(data, rate_hz, start_s, attrs), problems


def _in_order(table: Table, stamps: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Sort rows by their stamps."""
    backwards = int((np.diff(stamps) < 0).sum())
    if not backwards:
        return stamps, table.values, []
    order = np.argsort(stamps, kind="stable")
    problem = f"{table.member.file}: stamps go back at {backwards} places; the rows were sorted by them."
    return stamps[order], table.values[order], [problem]


def _apart(
    stamps: np.ndarray, values: np.ndarray, rate_hz: float, member: Member
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Rows at times that differ: those of bunches at even times, else of rows with one stamp the first."""
    steps = np.diff(stamps)
    near = 1 / _NEAR_IN_BUNCHES <= rate_hz / RATE_HZ <= _NEAR_IN_BUNCHES
    bunched = near and np.count_nonzero(steps <= _SHORT / rate_hz) > _MANY_SHORT * len(steps)
    taken = _sampling_times(stamps, rate_hz, member.where) if bunched else None
    if taken is not None:
        order = np.argsort(taken, kind="stable")
        stamps, values = taken[order], values[order]
        problem = (
            f"{member.file}: the rows come in bunches, {rate_hz:.3g} a second; their stamps were taken for times of "
            "arrival, and the samples put at even times."
        )
    elif (steps > 0).all():
        return stamps, values, []
    else:
        problem = f"{member.file}: {int((steps == 0).sum())} rows have the stamp of the row before and were left out."
    fresh = np.diff(stamps, prepend=-np.inf) > 0
    return stamps[fresh], values[fresh], [problem]


def _check_rate(rate_hz: float, member: Member) -> list[str]:
    if not 1 / _ABSURD <= rate_hz / RATE_HZ <= _ABSURD:
        raise DataFormatError(
            f"{member.where}: the rows come at {rate_hz:.3g} Hz by their stamps, which should be in ms, but the "
            "devices have about 50 Hz: the stamps are damaged; timing='start' needs none."
        )
    if not 1 / _NEAR <= rate_hz / RATE_HZ <= _NEAR:
        return [f"{member.file}: the rows come at {rate_hz:.3g} Hz by their stamps, not at about 50 Hz."]
    return []


def _mean_rate(stamps: np.ndarray) -> float:
    """Rows a second over some hundred rows, whether even or in bunches; the median, so that no hole counts."""
    lag = min(_LAG, len(stamps) - 1)
    with np.errstate(divide="ignore"):
        return float(lag / np.median(np.diff(stamps[::lag])))


def _sampling_times(arrivals: np.ndarray, rate_hz: float, where: str) -> np.ndarray | None:
    """When rows that arrived in bunches were taken, evenly between long waits; None if that makes some very late."""
    times = []
    for run in np.split(arrivals, np.flatnonzero(np.diff(arrivals) > _LONGEST_WAIT_S) + 1):
        taken = run
        # A few rows between two waits may have no rate.
        with suppress(DataFormatError):
            taken = sampling_times(run, rate_hz, max_gap_s=_MAX_GAP_S, where=where)
        if (run - taken).max() > _LONGEST_WAIT_S:
            return None
        times.append(taken)
    return np.concatenate(times)


def _uniform(stamps: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, float, float, str]:
    """Samples on a uniform clock, their rate, the time of the first one, and how it was done."""
    if len(stamps) < 2:
        return values, RATE_HZ, float(stamps[0]), "regular"
    fit = _fit(stamps)
    if fit is None:
        rate_hz = typical_rate(stamps)
        data = _interpolate(stamps, values, 1 / rate_hz) if rate_hz < _FAST_HZ else _resample(stamps, values)
        return data, RATE_HZ, float(stamps[0]), "resampled"
    start, rate_hz = float(fit.timestamps_s[0]), round(fit.rate_hz, 6)
    index = np.round((fit.timestamps_s - start) * fit.rate_hz).astype(np.int64)
    return spread_rows(values, index, np.nan), rate_hz, start, "regular"


def _fit(stamps: np.ndarray) -> TimestampFit | None:
    """The constant rate of even stamps, if it is one that a device may have."""
    fit = regularize_timestamps(stamps[:_ENOUGH], _TICK_S)
    if fit.regular and len(stamps) > _ENOUGH:
        fit = regularize_timestamps(stamps, _TICK_S)
    if not fit.regular:
        return None
    fastest_hz = min(_NEAR * RATE_HZ, _TOO_FINE * max(RATE_HZ, _mean_rate(stamps)))
    return fit if RATE_HZ / _NEAR <= fit.rate_hz <= fastest_hz else None


def _interpolate(stamps: np.ndarray, values: np.ndarray, period_s: float) -> np.ndarray:
    """As `har_virtual.signal.resample` of order 1 without a low-pass, but many times as fast.

    Linear, because stamps of late deliveries are so close together that a smooth curve would overshoot.
    """
    times = stamps[0] + np.arange(int((stamps[-1] - stamps[0]) * RATE_HZ + 1e-4) + 1) / RATE_HZ
    times = np.minimum(times, stamps[-1])
    data = np.full((len(times), values.shape[1]), np.nan, dtype=np.float32)
    missing = np.isnan(values)
    if missing.any():
        known = ~missing.any(axis=1)
        stamps, values = stamps[known], values[known]
    if not len(stamps):
        return data
    for channel, column in enumerate(values.T):
        data[:, channel] = np.interp(times, stamps, column, left=np.nan, right=np.nan)
    for hole in np.flatnonzero(np.diff(stamps) > _MAX_GAP_S + period_s):
        first, stop = np.searchsorted(times, [stamps[hole] + _SAME_S, stamps[hole + 1] - _SAME_S])
        data[first:stop] = np.nan
    return data


def _resample(stamps: np.ndarray, values: np.ndarray) -> np.ndarray:
    return resample(values, stamps, RATE_HZ, order=1, max_gap_s=_MAX_GAP_S)[1].astype(np.float32)
