"""Windows in batches: each batch is taken from the array when it is asked for, so that no epoch copies the data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import torch
from torch.utils.data import Dataset

from har_virtual.augmentation._base import call_step

Augmentation: TypeAlias = Callable[[np.ndarray, np.random.Generator], np.ndarray]


class WindowRows(Dataset):
    """Some rows of an array of windows, and what is to be learned of each; neither is copied.

    Parameters
    ----------
    X : array of shape (n_windows, n_samples, n_channels)
    targets : array of shape (n_windows,), optional
        Integers; zeros without.
    rows : array of int of shape (n_rows,), optional
        Which windows; all without.
    least_samples : int, default=1
        Shorter windows are lengthened at both ends by their first and last sample.
    """

    def __init__(
        self,
        X: np.ndarray,
        targets: np.ndarray | None = None,
        rows: np.ndarray | None = None,
        *,
        least_samples: int = 1,
    ) -> None:
        self.X, self.targets, self.rows = X, targets, rows
        lacking = max(0, least_samples - X.shape[1])
        self.padding = (lacking // 2, lacking - lacking // 2)

    def __len__(self) -> int:
        return len(self.X if self.rows is None else self.rows)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.int64]:
        windows, targets = self.take(np.array([index]))
        return windows[0], targets[0]

    def take(self, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give copies of the windows at some positions, float32, and their targets."""
        rows = positions if self.rows is None else self.rows[positions]
        windows = np.take(self.X, rows, axis=0).astype(np.float32, copy=False)
        if any(self.padding):
            windows = np.pad(windows, ((0, 0), self.padding, (0, 0)), mode="edge")
        targets = np.zeros(len(rows), np.int64) if self.targets is None else self.targets[rows]
        return windows, targets


class Batches:
    """What a net iterates over: batches of windows and targets, in order or, with a generator, shuffled each time.

    A last batch of a single window joins the one before it: batch normalisation cannot learn from one.

    Parameters
    ----------
    rows : WindowRows
    batch_size : int
    rng : numpy Generator, optional
        Shuffles, and is handed to the augmentation.
    augment : sequence of callables
        Each is ``augment(X, rng) -> X`` of the same shape; without a generator they do not act.
    """

    def __init__(
        self,
        rows: WindowRows,
        batch_size: int,
        rng: np.random.Generator | None = None,
        augment: Sequence[Augmentation] = (),
    ) -> None:
        self.rows, self.batch_size, self.rng, self.augment = rows, batch_size, rng, augment

    def __len__(self) -> int:
        return len(self._bounds()) - 1

    def _bounds(self) -> list[int]:
        n_rows = len(self.rows)
        bounds = [*range(0, n_rows, self.batch_size), n_rows]
        if len(bounds) > 2 and bounds[-1] - bounds[-2] == 1 < self.batch_size:
            del bounds[-2]
        return bounds

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        n_rows, bounds = len(self.rows), self._bounds()
        order = np.arange(n_rows) if self.rng is None else self.rng.permutation(n_rows)
        for start, stop in pairwise(bounds):
            windows, targets = self.rows.take(order[start:stop])
            if self.rng is not None:
                for step in self.augment:
                    windows = call_step(step, windows, self.rng)
            yield torch.from_numpy(np.ascontiguousarray(windows, dtype=np.float32)), torch.from_numpy(targets)
