"""The lag between a real stream and a virtual one of the same motion, where the two had no common clock."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from har_virtual.checks import check_positive, is_finite_number
from har_virtual.exceptions import DataFormatError
from har_virtual.recording import Recording
from har_virtual.signal import lowpass
from har_virtual.windows.validation import find_triads

# A lag that leaves less than this share of the shorter stream to compare is not considered.
_MIN_OVERLAP = 0.5
# In m/s2, rad/s or uT: what is left of a constant norm is rounding of float32.
_NO_MOTION = 1e-5


class LagEstimate(NamedTuple):
    """How far a virtual stream lies off the clock of a real one.

    Attributes
    ----------
    lag_s : float
        Add it to the virtual stream's `start_s`.
    correlation : float
        Mean correlation of the norms at the most probable lag, whether that is trusted or not.
    trusted : bool
        False where the correlation is too weak; `lag_s` is then the expected lag.
    """

    lag_s: float
    correlation: float
    trusted: bool


def estimate_lag(
    real: Recording,
    virtual: Recording,
    *,
    max_lag_s: float = 0.5,
    expected_s: float = 0.0,
    spread_s: float = 0.06,
    bandwidth_hz: float = 3.0,
    min_correlation: float = 0.5,
    quantities: Iterable[str] = ("acc", "gyr"),
) -> LagEstimate:
    """Estimate the lag between a real and a virtual stream from the norms of their vectors.

    Norms do not depend on how a device is turned on the body. With r the correlation of two norms at a lag, of n
    independent samples, the log-likelihood of a linear relation with Gaussian errors is ``-n/2 log(1 - r^2)``, none
    for r below 0. The most probable lag maximises the sum of these over all vectors plus the logarithm of a Gaussian
    prior; n is twice the bandwidth times the overlap. Lags are such that both streams fall on one grid.

    Parameters
    ----------
    real, virtual : Recording
        At one sampling rate, without holes, with a site in common.
    max_lag_s : float, default=0.5
        Largest lag to consider either way, against the clocks as they are; 0 gives lag 0.
    expected_s : float, default=0.0
        The lag before anything is seen: mean of the prior.
    spread_s : float, default=0.06
        Standard deviation of the prior. Without a prior, streams of few or repeated movements go astray.
    bandwidth_hz : float, default=3.0
        Norms are low-passed here before they are compared.
    min_correlation : float, default=0.5
        Below it the expected lag is given.
    quantities : iterable of {"acc", "gyr", "mag"}, default=("acc", "gyr")
        Those that both streams have are used.

    Returns
    -------
    LagEstimate

    Raises
    ------
    DataFormatError
        If rates differ, a stream has holes, no vector is shared, the streams do not overlap by half at any lag, or a
        parameter makes no sense.

    Examples
    --------
    >>> import numpy as np
    >>> from har_virtual import Recording
    >>> from har_virtual.datasets import estimate_lag
    >>> times = np.arange(200) / 50
    >>> def watch(times):
    ...     gyr = np.stack([np.sin(times**2), 0 * times, 0 * times], axis=1)
    ...     return Recording(gyr, 50, [f"right_wrist_gyr_{axis}" for axis in "xyz"])
    >>> estimate_lag(watch(times), watch(times - 0.1)).lag_s
    -0.1
    """
    if not is_finite_number(max_lag_s) or max_lag_s < 0 or not is_finite_number(expected_s):
        raise DataFormatError(
            f"max_lag_s must be 0 or above and expected_s finite, not {max_lag_s!r} and {expected_s!r}."
        )
    spread_s, bandwidth = check_positive("spread_s", spread_s), check_positive("bandwidth_hz", bandwidth_hz)
    first, second = _norms(real, virtual, tuple(quantities), bandwidth)
    rate, already_s = real.sampling_rate_hz, virtual.start_s - real.start_s
    shifts, overlaps = _shifts(len(real), len(virtual), (already_s - max_lag_s) * rate, (already_s + max_lag_s) * rate)
    if not len(shifts):
        raise DataFormatError(
            f"{real!r} and {virtual!r} do not overlap by half at any lag up to {max_lag_s:g} s; give a larger "
            "max_lag_s, or streams of the same motion."
        )
    lags_s = shifts / rate - already_s
    r = np.stack([_correlations(x, y, shifts) for x, y in zip(first, second, strict=True)], axis=1)
    likelihood = -bandwidth * overlaps / rate * np.log1p(-(np.clip(r, 0.0, 1 - 1e-9) ** 2)).sum(axis=1)
    best = int(np.argmax(likelihood - 0.5 * ((lags_s - expected_s) / spread_s) ** 2))
    correlation = float(r[best].mean())
    trusted = correlation >= min_correlation
    lag_s = lags_s[best if trusted else np.argmin(np.abs(lags_s - expected_s))]
    return LagEstimate(round(float(lag_s), 9), correlation, trusted)


def _shifts(n_real: int, n_virtual: int, lowest: float, highest: float) -> tuple[np.ndarray, np.ndarray]:
    """Whole shifts between the bounds at which the streams overlap enough, and their overlaps in samples."""
    shifts = np.arange(np.ceil(lowest - 1e-6), np.floor(highest + 1e-6) + 1).astype(int)
    overlaps = np.minimum(n_real, n_virtual + shifts) - np.maximum(0, shifts)
    usable = overlaps >= max(_MIN_OVERLAP * min(n_real, n_virtual), 2)
    return shifts[usable], overlaps[usable]


def _norms(
    real: Recording, virtual: Recording, quantities: tuple[str, ...], bandwidth_hz: float
) -> tuple[np.ndarray, np.ndarray]:
    """Low-passed norms (n_vectors, n_samples) of the vectors that both streams have."""
    if real.sampling_rate_hz != virtual.sampling_rate_hz:
        raise DataFormatError(f"{real!r} and {virtual!r} need one sampling rate; resample one of them first.")
    columns = [
        {
            (triad.site, triad.quantity): list(triad.columns)
            for triad in find_triads(stream.channels, len(stream.channels))
        }
        for stream in (real, virtual)
    ]
    shared = [vector for vector in columns[0] if vector in columns[1] and vector[1] in quantities]
    if not shared:
        raise DataFormatError(f"{real!r} and {virtual!r} have no {' or '.join(quantities)} of one site in common.")
    norms = []
    for stream, where in zip((real, virtual), columns, strict=True):
        vectors = np.stack([np.linalg.norm(stream.data[:, where[vector]], axis=1) for vector in shared])
        if not np.isfinite(vectors).all():
            raise DataFormatError(f"{stream!r} has holes (NaN); estimate the lag of a stretch without any.")
        norms.append(lowpass(vectors, stream.sampling_rate_hz, bandwidth_hz, axis=1))
    return norms[0], norms[1]


def _correlations(real: np.ndarray, virtual: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    """Correlation of two signals at each shift (sample i of `virtual` on i + shift of `real`); 0 for a constant."""
    start, stop = np.maximum(0, shifts), np.minimum(len(real), len(virtual) + shifts)
    # Centred once, so that the sums of squares below lose no digits.
    x, y = real - real.mean(), virtual - virtual.mean()
    sums = [x[i:j] @ y[i - shift : j - shift] for shift, i, j in zip(shifts, start, stop, strict=True)]
    products = np.array(sums) / (stop - start)
    (mean_x, variance_x), (mean_y, variance_y) = _moments(x, start, stop), _moments(y, start - shifts, stop - shifts)
    spread = np.sqrt(np.maximum(variance_x, 0.0) * np.maximum(variance_y, 0.0))
    constant = np.minimum(variance_x, variance_y) < _NO_MOTION**2
    return np.where(constant, 0.0, (products - mean_x * mean_y) / np.where(constant, 1.0, spread))


def _moments(x: np.ndarray, start: np.ndarray, stop: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of each stretch ``x[start:stop]``."""
    sums = np.concatenate([np.zeros((1, 2)), np.cumsum(np.stack([x, x * x], axis=1), axis=0)])
    mean, square = ((sums[stop] - sums[start]) / (stop - start)[:, None]).T
    return mean, square - mean**2
