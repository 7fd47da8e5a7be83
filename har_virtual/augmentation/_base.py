"""What the augmentations of windows share: the draw of the windows that change, checks, reading between samples."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from har_virtual.checks import is_finite_number
from har_virtual.exceptions import DataFormatError


@dataclass(frozen=True)
class WindowAugmentation(ABC):
    """A seeded function of a batch of windows that changes each window with probability `p`."""

    p: float = field(default=1.0, kw_only=True)

    def __post_init__(self) -> None:
        self._set("p", check_between("p", self.p, 0.0, 1.0))

    def __call__(self, X: ArrayLike, rng: np.random.Generator) -> np.ndarray:
        """Give a batch in which some windows are changed.

        Parameters
        ----------
        X : array-like of shape (n_windows, n_samples, n_channels)
            Windows without NaN; they are left as they are.
        rng : numpy.random.Generator
            Source of everything that is drawn.

        Returns
        -------
        ndarray of shape (n_windows, n_samples, n_channels)
            A new array; float32 stays float32, all else becomes float64.

        Raises
        ------
        DataFormatError
            If X has not three dimensions, or `rng` is no Generator.
        """
        X = _check_batch(type(self).__name__, X, rng)
        X = X.copy()
        self.change(X, rng)
        return X

    def change(self, X: np.ndarray, rng: np.random.Generator) -> None:
        """Do the same to a checked array in place: a chain of augmentations then copies its batch once."""
        rows = np.flatnonzero(rng.random(len(X)) < self.p)
        if rows.size and X.size:
            X[rows] = self._augment(X, rows, rng)

    @abstractmethod
    def _augment(self, X: np.ndarray, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Give X[rows], changed."""

    def _set(self, name: str, value: Any) -> None:
        """Store a checked parameter: a frozen dataclass refuses plain assignment."""
        object.__setattr__(self, name, value)


def _check_batch(name: str, X: ArrayLike, rng: np.random.Generator) -> np.ndarray:
    if not isinstance(rng, np.random.Generator):
        raise DataFormatError(
            f"{name} is called with a numpy Generator, such as numpy.random.default_rng(0), not a {type(rng).__name__}."
        )
    X = np.asarray(X)
    if X.ndim != 3:
        raise DataFormatError(
            f"{name} takes windows of shape (n_windows, n_samples, n_channels), not {X.shape}; windows of one channel "
            "are X[:, :, np.newaxis], a single window is X[np.newaxis]."
        )
    return X if X.dtype in (np.float32, np.float64) else X.astype(np.float64)


def call_step(
    step: Callable[[np.ndarray, np.random.Generator], np.ndarray], windows: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Give a new array of what an augmentation, perhaps of one's own, makes of windows; refuse another shape."""
    changed = np.array(step(windows, rng), dtype=windows.dtype)
    if changed.shape != windows.shape:
        raise DataFormatError(
            f"The augmentation {step!r} gave shape {changed.shape} for windows of shape {windows.shape}; it must "
            "keep the shape."
        )
    return changed


def check_between(name: str, value: Any, low: float, high: float = math.inf) -> float:
    """Give `value` as a float, or raise `DataFormatError` if it is no finite number from `low` to `high`."""
    if not is_finite_number(value) or not low <= value <= high:
        limits = f"from {low:g}" if high == math.inf else f"from {low:g} to {high:g}"
        raise DataFormatError(f"{name} must be a finite number {limits}, not {value!r}.")
    return float(value)


def read_at(windows: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Read windows between their samples, linearly, all channels at the same positions.

    Parameters
    ----------
    windows : ndarray of shape (n_windows, n_samples, n_channels)
    positions : ndarray of shape (n_windows, n_read)
        In samples, from 0 to n_samples - 1.

    Returns
    -------
    ndarray of shape (n_windows, n_read, n_channels)
    """
    n_windows, n_samples, n_channels = windows.shape
    before = np.clip(positions.astype(np.intp), 0, max(n_samples - 2, 0))
    share = (positions - before).astype(windows.dtype)[:, :, np.newaxis]
    first = before + n_samples * np.arange(n_windows)[:, np.newaxis]
    samples = windows.reshape(-1, n_channels)
    start = samples.take(first, axis=0)
    read = samples.take(first + (n_samples > 1), axis=0)
    read -= start
    read *= share
    read += start
    return read
