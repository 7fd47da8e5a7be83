"""Mean and standard deviation of channels over many windows, without a copy of them."""

from __future__ import annotations

import numpy as np

# Values that are looked at together.
_BLOCK = 2**20


def mean_and_std(X: np.ndarray, rows: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Give mean and standard deviation of each channel over the samples of windows, float64.

    They are summed block by block, as single precision cannot add up millions.

    Parameters
    ----------
    X : ndarray of shape (n_windows, n_samples, n_channels)
    rows : ndarray of int of shape (n_rows,), optional
        Which windows; all without.
    """
    rows = np.arange(len(X)) if rows is None else rows
    n_samples = len(rows) * X.shape[1]
    blocks = np.array_split(rows, min(len(rows), n_samples * X.shape[2] // _BLOCK + 1))
    mean = sum(_channels_first(X[block]).sum(axis=1) for block in blocks) / n_samples
    squares = sum(np.square(_channels_first(X[block]) - mean[:, np.newaxis]).sum(axis=1) for block in blocks)
    return mean, np.sqrt(squares / n_samples)


def _channels_first(windows: np.ndarray) -> np.ndarray:
    """Copy windows so that the values of a channel lie side by side, which is fastest to sum."""
    return windows.reshape(-1, windows.shape[2]).T.astype(np.float64, order="C")
