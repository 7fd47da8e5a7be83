"""Rows that arrive in bunches: when each may have been taken."""

from __future__ import annotations

import numpy as np
from scipy.signal import savgol_filter

# Rows closer than half the typical step; of even rows, or of a few late ones, so many are not.
_CLOSE, _MANY_CLOSE = 0.505, 0.3
_FEWEST_BUNCHES, _LONGEST_BUNCH_ROWS = 3, 51
# Sensors that are switched on and off are faster than this in no stretch; then what lies between is no hole.
_TOO_CLOSE_S = 2.5e-3
_WINDOW_ROWS = 101
# A bunch that is late is no hole.
_LATE_BUNCHES = 2.0
# Of the stamps, some may be wrong.
_FEW = 0.01


def are_bunched(times_s: np.ndarray, rate_hz: float, max_gap_s: float) -> bool:
    """Tell whether rows that come at about a rate are so unevenly close that their stamps are times of arrival."""
    steps_s = np.diff(times_s)
    close, late = steps_s * rate_hz <= _CLOSE, steps_s * rate_hz > 1
    if close.mean() < _MANY_CLOSE or late.sum() < max(_FEWEST_BUNCHES, len(steps_s) / _LONGEST_BUNCH_ROWS):
        return False
    return bool(np.median(steps_s[late]) <= max_gap_s + 1 / rate_hz or np.median(steps_s[close]) <= _TOO_CLOSE_S)


def spread_bunches(arrivals_s: np.ndarray, rate_hz: float, max_gap_s: float) -> np.ndarray:
    """Give the times at which rows were taken that arrived later and in bunches.

    Arrivals are averaged over many bunches, by straight lines that are fitted to the rows around each (a
    Savitzky-Golay filter of the first order), hole by hole; lost rows and clocks that drift are so followed. As no row
    arrives before it is taken, all are then put earlier until hardly any does.

    Parameters
    ----------
    arrivals_s : ndarray of shape (T,)
        Strictly increasing.
    rate_hz : float
        About the rate of the rows.
    max_gap_s : float
        Longer holes than this and two bunches are kept.

    Returns
    -------
    ndarray of shape (T,)
        Strictly increasing.
    """
    steps_s = np.diff(arrivals_s)
    holes = np.flatnonzero(steps_s > max_gap_s + _LATE_BUNCHES * _between(steps_s, rate_hz)) + 1
    taken_s = np.concatenate([_straightened(piece) for piece in np.split(arrivals_s, holes)])
    taken_s += np.quantile(arrivals_s - taken_s, _FEW)
    return taken_s if (np.diff(taken_s) > 0).all() else arrivals_s


def _between(steps_s: np.ndarray, rate_hz: float) -> float:
    """The typical time between bunches."""
    long_s = steps_s[steps_s * rate_hz > 1]
    return float(np.median(long_s)) if len(long_s) else 0.0


def _straightened(arrivals_s: np.ndarray) -> np.ndarray:
    window = min(_WINDOW_ROWS, len(arrivals_s) - (len(arrivals_s) + 1) % 2)
    return arrivals_s if window < 3 else savgol_filter(arrivals_s, window, 1)
