"""Signals on timestamps: regular clocks, zero-phase filters, resampling with holes, smooth splines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import BSpline, make_interp_spline
from scipy.signal import butter, sosfiltfilt

from har_virtual.exceptions import DataFormatError

# A lattice finer than this many ticks fits any stamps, so it proves nothing.
_MIN_TICKS_PER_PERIOD = 4
# Stamps may have been rounded more coarsely than the container's time base, but no more than this.
_MILLISECOND_S, _COARSEST_ROUNDING_S = 1e-3, 2e-3
# Anti-aliasing: an eighth-order Butterworth, -3 dB at 0.4 and -24 dB at 0.5 of the new rate.
_ANTI_ALIAS_CUTOFF, _ANTI_ALIAS_ORDER = 0.4, 8


@dataclass(frozen=True, eq=False)
class TimestampFit:
    """Result of :func:`regularize_timestamps`.

    Attributes
    ----------
    timestamps_s : ndarray of shape (T,)
        The stamps on the fitted line if `regular`, else the stamps as they came.
    rate_hz : float
        Rate of the fitted line (dropped frames do not lower it), else the mean rate.
    regular : bool
        Whether all stamps lie within one tick, and a quarter of the typical step, of a constant rate.
    max_deviation_s : float
        Largest distance of a stamp from the best line that was tried.
    tick_s : float
        Resolution of the stamps for which the line was found; the one given if none was.
    """

    timestamps_s: np.ndarray
    rate_hz: float
    regular: bool
    max_deviation_s: float
    tick_s: float


def check_timestamps(timestamps_s: ArrayLike, n_minimum: int = 2) -> np.ndarray:
    """Return the stamps as a float64 array, or raise DataFormatError if they are not finite and strictly increasing."""
    stamps = np.asarray(timestamps_s, dtype=np.float64)
    if stamps.ndim != 1 or len(stamps) < n_minimum:
        raise DataFormatError(
            f"timestamps_s must be 1-D with at least {n_minimum} stamps, not of shape {stamps.shape}."
        )
    if not np.isfinite(stamps).all():
        raise DataFormatError(f"timestamps_s has {np.sum(~np.isfinite(stamps))} stamps that are NaN or infinite.")
    backwards = np.flatnonzero(np.diff(stamps) <= 0)
    if len(backwards):
        at = backwards[0]
        raise DataFormatError(
            f"timestamps_s must increase strictly, but stamp {at + 1} ({stamps[at + 1]:.6f} s) follows "
            f"{stamps[at]:.6f} s ({len(backwards)} such places); sort the rows and drop the duplicates."
        )
    return stamps


def typical_rate(timestamps_s: ArrayLike) -> float:
    """Give the rate of increasing stamps, which neither holes nor dropped frames lower.

    It is one over the mean of the steps up to 1.5 times the median one; a mean, because the median of rounded stamps
    is rounded too. NaN for fewer than two stamps.
    """
    steps = np.diff(np.asarray(timestamps_s, dtype=np.float64))
    return float(1 / steps[steps <= 1.5 * np.median(steps)].mean()) if len(steps) else float("nan")


def regularize_timestamps(timestamps_s: ArrayLike, tick_s: float) -> TimestampFit:
    """Undo the rounding of timestamps that a container wrote for a constant rate.

    Stamps that all lie within one tick, and a quarter of the median step, of a line (least squares over the index) are
    replaced by that line. Dropped frames are allowed: the index then has integer gaps, which stay. Where a step is
    hardly a tick (AVI), the stamps are exact and the index counts ticks. Stamps of a truly variable rate are left
    alone. Second derivatives need this: rounding to 1 ms at 30 Hz alone costs more than 1 m/s2.

    A file that was copied to another container keeps the rounding of the first, at a finer time base. So coarser ticks
    are tried too, the finest first: the greatest common divisor of the stamps (up to 2 ms) and the millisecond, where
    all stamps are multiples of it and it is at most a quarter of the median step.

    Parameters
    ----------
    timestamps_s : array-like of shape (T,)
        Strictly increasing stamps in seconds, T >= 2.
    tick_s : float
        Resolution of the stamps as far as known: the container's time base.

    Returns
    -------
    TimestampFit

    Raises
    ------
    DataFormatError
        If the stamps are not finite, not strictly increasing or fewer than two.
    ValueError
        If tick_s is not positive.

    Examples
    --------
    >>> fit = regularize_timestamps([0.0, 0.033, 0.067, 0.1, 0.2, 0.233, 0.267], tick_s=1e-3)
    >>> fit.regular, round(fit.rate_hz, 1)
    (True, 30.0)
    """
    stamps = check_timestamps(timestamps_s)
    if not tick_s > 0:
        raise ValueError(f"tick_s must be positive, got {tick_s}.")
    best, quarter_step = np.inf, 0.25 * np.median(np.diff(stamps))
    for tick in _resolutions(stamps, tick_s):
        for index in _lattice_indices(stamps, tick):
            period = np.dot(index - index.mean(), stamps) / np.sum((index - index.mean()) ** 2)
            line = stamps.mean() + period * (index - index.mean())
            deviation = float(np.abs(stamps - line).max())
            if deviation <= min(tick, quarter_step) * (1 + 1e-6):
                return TimestampFit(line, float(1 / period), True, deviation, tick)
            best = min(best, deviation)
    mean_rate = float((len(stamps) - 1) / (stamps[-1] - stamps[0]))
    return TimestampFit(stamps.copy(), mean_rate, False, best, float(tick_s))


def _resolutions(stamps: np.ndarray, tick_s: float) -> Iterator[float]:
    """Ticks to try, finest first: the one given, then coarser ones of which all stamps are multiples."""
    yield float(tick_s)
    since = stamps - stamps[0]
    divisor = float(tick_s * np.gcd.reduce(np.round(since / tick_s).astype(np.int64)))
    coarsest = min(_COARSEST_ROUNDING_S, np.median(np.diff(stamps)) / _MIN_TICKS_PER_PERIOD)
    for tick in sorted({divisor, _MILLISECOND_S}):
        off = np.abs(since - tick * np.round(since / tick)).max() if tick > 0 else np.inf
        if tick_s < tick <= coarsest and off <= tick_s * (1 + 1e-6):
            yield tick


def _lattice_indices(stamps: np.ndarray, tick_s: float) -> Iterator[np.ndarray]:
    """Frame numbers to try: no frame dropped; gaps counted in ticks; in typical steps; in short steps."""
    yield np.arange(len(stamps), dtype=np.float64)
    steps = np.diff(stamps)
    if np.median(steps) < _MIN_TICKS_PER_PERIOD * tick_s:
        ticks = np.round((stamps - stamps[0]) / tick_s)
        ticks /= max(np.gcd.reduce(ticks.astype(np.int64)), 1)
        # Steps of any number of ticks would fit, so that the shortest must be the usual one.
        if np.median(np.diff(ticks)) == 1:
            yield ticks
    for period in (np.median(steps), np.median(steps[steps < 1.5 * steps.min()])):
        if period < _MIN_TICKS_PER_PERIOD * tick_s:
            continue
        single = np.round(steps / period) <= 1
        # The mean over single steps is far more exact than one rounded step, so that long gaps are counted right.
        gaps = np.maximum(np.round(steps / steps[single].mean()), 1)
        yield np.concatenate([[0.0], np.cumsum(gaps)])


def lowpass(x: ArrayLike, sampling_rate_hz: float, cutoff_hz: float, axis: int = 0, order: int = 4) -> np.ndarray:
    """Zero-phase Butterworth low-pass filter.

    The filter runs forwards and backwards. One pass is designed with a cutoff so much higher that the two together
    are 3 dB down at `cutoff_hz`; left uncorrected, they would be 6 dB down there.

    Parameters
    ----------
    x : array-like
        Uniformly sampled signal without NaN.
    sampling_rate_hz : float
        Its rate.
    cutoff_hz : float
        Where the amplitude has fallen by 3 dB; below half the sampling rate.
    axis : int, default=0
        The time axis.
    order : int, default=4
        Order of one pass; the two passes together fall by 12 x order dB an octave.

    Returns
    -------
    ndarray of float64, of x's shape

    Raises
    ------
    ValueError
        If the cutoff is not between 0 and half the rate.
    DataFormatError
        If x has NaN or infinite values.
    """
    x = np.asarray(x, dtype=np.float64)
    if not 0 < cutoff_hz < sampling_rate_hz / 2:
        raise ValueError(
            f"cutoff_hz must be above 0 and below half the sampling rate, {sampling_rate_hz / 2:g}, got {cutoff_hz:g}; "
            "lower it, or pass cutoff_hz=None where that is allowed: the signal has nothing above half its rate."
        )
    if not np.isfinite(x).all():
        raise DataFormatError("lowpass needs finite values; filter each stretch between holes, or use resample.")
    if x.shape[axis] < 2:
        return x.copy()
    # |H|^2 of one pass must be 2^-1/2 at the cutoff; the bilinear transform warps frequency by tan.
    warped = np.tan(np.pi * cutoff_hz / sampling_rate_hz) * (np.sqrt(2) - 1) ** (-0.5 / order)
    sos = butter(order, 2 / np.pi * np.arctan(warped), output="sos")
    padding = min(x.shape[axis] - 1, int(np.ceil(5 * sampling_rate_hz / cutoff_hz)))
    return sosfiltfilt(sos, x, axis=axis, padlen=padding)


def quintic_spline(timestamps_s: ArrayLike, values: ArrayLike) -> BSpline:
    """Interpolate samples by a spline of degree five, whose second derivative is still smooth.

    Parameters
    ----------
    timestamps_s : array-like of shape (T,)
        Strictly increasing, even or uneven, in seconds, T >= 2.
    values : array-like of shape (T, ...)
        Finite samples.

    Returns
    -------
    scipy.interpolate.BSpline
        Not-a-knot at the ends. Of degree five; three for four or five samples, one for two or three.
    """
    stamps = check_timestamps(timestamps_s)
    return _spline(stamps, np.asarray(values, dtype=np.float64), 5)


def _spline(stamps: np.ndarray, values: np.ndarray, order: int) -> BSpline:
    return make_interp_spline(stamps, values, k=min(order, (len(stamps) // 2) * 2 - 1))


def resample(
    x: ArrayLike,
    timestamps_s: ArrayLike,
    sampling_rate_hz: float,
    start_s: float | None = None,
    stop_s: float | None = None,
    cutoff_hz: float | Literal["auto"] | None = "auto",
    order: int = 3,
    max_gap_s: float = 0.1,
) -> tuple[np.ndarray, np.ndarray]:
    """Bring samples to a uniform rate.

    Between the holes the samples are interpolated by a spline. On the way down they are low-passed first, on a uniform
    grid of the source's own (median) rate.

    Parameters
    ----------
    x : array-like of shape (T, ...)
        Samples; NaN marks what is missing, channel by channel.
    timestamps_s : array-like of shape (T,)
        Strictly increasing, even or uneven.
    sampling_rate_hz : float
        The new rate.
    start_s, stop_s : float, optional
        Half-open interval [start_s, stop_s) of the output; by default from the first to the last stamp, both included.
        What lies outside the stamps is NaN.
    cutoff_hz : float, None or "auto", default="auto"
        Cutoff of the low-pass; "auto" is 0.4 x the new rate if that is at least 1 % below the source's, else none.
    order : {1, 3, 5}, default=3
        Degree of the spline; 1 is linear.
    max_gap_s : float, default=0.1
        Holes up to this length are bridged; longer ones stay NaN and spread to no sample outside. The length of a hole
        is the time between its neighbours less one median sampling interval.

    Returns
    -------
    times_s : ndarray of shape (N,)
    values : ndarray of float64 of shape (N, ...)

    Raises
    ------
    DataFormatError
        If the stamps do not increase strictly, or shapes differ, or x has infinite values.
    ValueError
        If the cutoff is not below half the source's rate.

    Examples
    --------
    >>> times, values = resample([0.0, 1.0, 2.0, 3.0], [0.0, 0.1, 0.2, 0.3], 20.0, order=1)
    >>> values.round(6).tolist()
    [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0]
    """
    stamps, values = check_timestamps(timestamps_s), np.asarray(x, dtype=np.float64)
    if values.shape[:1] != stamps.shape or np.isinf(values).any():
        raise DataFormatError(
            f"x must have {len(stamps)} rows, one a stamp, and no infinite value; shape {values.shape}."
        )
    if order not in (1, 3, 5) or not sampling_rate_hz > 0:
        raise ValueError(f"order must be 1, 3 or 5 and sampling_rate_hz positive, got {order} and {sampling_rate_hz}.")
    times = _uniform_times(stamps, sampling_rate_hz, start_s, stop_s)
    flat = values.reshape(len(stamps), -1)
    result = np.full((len(times), flat.shape[1]), np.nan)
    tolerance = 1e-4 / sampling_rate_hz
    for known, columns in _columns_by_holes(flat):
        step = float(np.median(np.diff(stamps[known]))) if len(known) > 1 else np.inf
        cutoff = _anti_alias_cutoff(sampling_rate_hz, step) if cutoff_hz == "auto" else cutoff_hz
        holes = np.flatnonzero(np.diff(stamps[known]) > (max_gap_s + step) * (1 + 1e-6))
        for run in np.split(known, holes + 1):
            first, last = stamps[run[0]], stamps[run[-1]]
            inside = np.flatnonzero((times >= first - tolerance) & (times <= last + tolerance))
            if len(inside):
                samples = flat[np.ix_(run, columns)]
                at = np.clip(times[inside], first, last)
                result[np.ix_(inside, columns)] = _sample_run(stamps[run], samples, at, 1 / step, cutoff, order)
    return times, result.reshape(len(times), *values.shape[1:])


def _uniform_times(stamps: np.ndarray, rate_hz: float, start_s: float | None, stop_s: float | None) -> np.ndarray:
    start = stamps[0] if start_s is None else start_s
    if stop_s is None:
        count = np.floor((stamps[-1] - start) * rate_hz + 1e-4) + 1
    else:
        count = np.ceil((stop_s - start) * rate_hz - 1e-4)
    return start + np.arange(max(int(count), 0)) / rate_hz


def _anti_alias_cutoff(new_rate_hz: float, step_s: float) -> float | None:
    return _ANTI_ALIAS_CUTOFF * new_rate_hz if new_rate_hz * step_s < 0.99 else None


def _columns_by_holes(flat: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Columns that miss the same rows belong together: (indices of the known rows, indices of the columns)."""
    missing = np.isnan(flat).T
    together: dict[bytes, list[int]] = {}
    for column, rows in enumerate(missing):
        together.setdefault(rows.tobytes(), []).append(column)
    for columns in together.values():
        known = np.flatnonzero(~missing[columns[0]])
        if len(known):
            yield known, np.array(columns)


def _sample_run(
    stamps: np.ndarray, values: np.ndarray, at: np.ndarray, rate_hz: float, cutoff_hz: float | None, order: int
) -> np.ndarray:
    """Evaluate one stretch without holes at the times `at`, which lie within it."""
    if len(stamps) == 1:
        return np.repeat(values, len(at), axis=0)
    if cutoff_hz is not None:
        intervals = int(np.ceil((stamps[-1] - stamps[0]) * rate_hz - 1e-3))
        uniform = np.linspace(stamps[0], stamps[-1], intervals + 1)
        if not _same_times(stamps, uniform):
            values = _spline(stamps, values, order)(uniform)
        values = lowpass(values, intervals / (stamps[-1] - stamps[0]), cutoff_hz, order=_ANTI_ALIAS_ORDER)
        stamps = uniform
    # A spline goes through its knots.
    return values if _same_times(stamps, at, 1e-6) else _spline(stamps, values, order)(at)


def _same_times(first: np.ndarray, second: np.ndarray, tolerance: float = 1e-4) -> bool:
    return len(first) == len(second) and np.allclose(first, second, rtol=0, atol=tolerance * (first[1] - first[0]))
