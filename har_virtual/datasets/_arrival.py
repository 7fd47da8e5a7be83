"""When samples were taken, from the times at which they arrived."""

from __future__ import annotations

import numpy as np

from har_virtual.exceptions import DataFormatError

# A second of samples says the rate well enough, though single ones come in bunches.
_LAG = 100
# Rates further from the expected one by this factor are no rates of the device.
_MAX_FACTOR = 2.0


def sampling_times(arrivals_s: np.ndarray, rate_hz: float, *, max_gap_s: float, where: str) -> np.ndarray:
    """Give the times at which a device that samples evenly took its samples, which arrived later and in bunches.

    A delay is never negative. So the samples lie on the line over their number that no arrival is below and that comes
    closest to all of them: the edge of the lower convex hull over the middle. Missing samples show, too: all that
    follow arrive late by more than `max_gap_s`, whereas after a delay the samples catch up. They are counted.

    Parameters
    ----------
    arrivals_s : ndarray of shape (T,)
        Times of arrival, which do not decrease.
    rate_hz : float
        About the rate; it is fitted.
    max_gap_s : float
        Missing stretches up to this length go unnoticed.
    where : str
        The file, for messages; the second of its lines is the first sample.

    Returns
    -------
    ndarray of shape (T,)
        On one line, with gaps where samples are missing.

    Raises
    ------
    DataFormatError
        If stamps are not numbers, run backwards, or are those of another rate.
    """
    backwards = np.flatnonzero(~(np.diff(arrivals_s) >= 0))
    if len(backwards):
        raise DataFormatError(f"{where}, line {backwards[0] + 3}: the timestamp does not follow the one before it.")
    n_samples, lag = len(arrivals_s), min(_LAG, len(arrivals_s) - 1)
    period_s = float(np.median(arrivals_s[lag:] - arrivals_s[:-lag]) / lag) if lag else 0.0
    if not 1 / _MAX_FACTOR <= period_s * rate_hz <= _MAX_FACTOR:
        raise DataFormatError(
            f"{where}: {n_samples} samples arrive every {1000 * period_s:.3g} ms, where about {1000 / rate_hz:.3g} are "
            "usual: the timestamps are damaged or the file is cut short."
        )
    since_s = arrivals_s - arrivals_s[0]
    number = np.arange(n_samples)
    number = number + _missing_before(since_s - number * period_s, period_s, max_gap_s)
    if number[-1] >= 2 * n_samples:
        raise DataFormatError(f"{where}: {number[-1] + 1 - n_samples} samples are missing, more than are there.")
    return arrivals_s[0] + _line_under(number, since_s)


def _missing_before(delay_s: np.ndarray, period_s: float, max_gap_s: float) -> np.ndarray:
    """How many samples are missing before each."""
    least_from_here = np.minimum.accumulate(delay_s[::-1])[::-1]
    steps = np.diff(least_from_here, prepend=least_from_here[0])
    return np.cumsum(np.where(steps > max_gap_s, np.round(steps / period_s), 0)).astype(np.int64)


def _line_under(number: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """The line that supports the points from below around their middle."""
    left, right, middle = 0, len(number) - 1, number[-1] / 2
    while True:
        slope = (times_s[right] - times_s[left]) / (number[right] - number[left])
        line = times_s[left] + slope * (number - number[left])
        lowest = int(np.argmin(times_s - line))
        if times_s[lowest] >= line[lowest] - 1e-9:
            return line
        left, right = (lowest, right) if number[lowest] <= middle else (left, lowest)
