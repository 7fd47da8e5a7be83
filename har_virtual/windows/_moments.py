"""Mean and standard deviation of channels over many windows, without a copy of them."""

from __future__ import annotations

from collections.abc import Iterator

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
    n_samples = X.shape[1] * (len(X) if rows is None else len(rows))
    mean = sum(values.sum(axis=1) for values in _blocks(X, rows)) / n_samples
    squares = sum(np.square(values - mean[:, np.newaxis]).sum(axis=1) for values in _blocks(X, rows))
    return mean, np.sqrt(squares / n_samples)


def _blocks(X: np.ndarray, rows: np.ndarray | None) -> Iterator[np.ndarray]:
    """Copy windows, some at a time, so that the values of a channel lie side by side, which is fastest to sum."""
    chosen = X if rows is None else rows
    n_values = len(chosen) * X.shape[1] * X.shape[2]
    for block in np.array_split(chosen, min(len(chosen), n_values // _BLOCK + 1)):
        windows = block if rows is None else X[block]
        yield windows.reshape(-1, X.shape[2]).T.astype(np.float64, order="C")
