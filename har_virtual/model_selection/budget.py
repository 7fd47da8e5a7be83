"""Label budgets: how many real rows of each class a fold may train on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from har_virtual.checks import check_positive
from har_virtual.exceptions import DataFormatError, UnknownNameError

SHORTAGES = ("raise", "keep_all")


class LabelBudget(NamedTuple):
    """At most so many real windows of each class, and what to do where there are fewer."""

    seconds: float
    window_step_s: float
    shortage: str
    max_block_s: float | None = None

    @property
    def n_windows(self) -> int:
        """Windows of each class, at least one."""
        return self._windows_in(self.seconds)

    @property
    def max_block(self) -> int | None:
        """Windows in one block, at least one; None for whole runs."""
        return None if self.max_block_s is None else self._windows_in(self.max_block_s)

    def _windows_in(self, seconds: float) -> int:
        # 0.3 / 0.1 is 2.9999999999999996.
        return max(1, int(seconds / self.window_step_s + 1e-9))


def make_budget(
    real_seconds_per_class: float | None,
    window_step_s: float | None,
    shortage: str,
    max_block_s: float | None = None,
) -> LabelBudget | None:
    """Check the parameters of a splitter; None if all real rows are to be kept.

    Raises
    ------
    DataFormatError
        If one of the two durations is given without the other or is not positive.
    UnknownNameError
        If there is no such rule for a shortage.
    """
    if shortage not in SHORTAGES:
        raise UnknownNameError(f"shortage must be one of {SHORTAGES}, not {shortage!r}.")
    if real_seconds_per_class is None:
        if window_step_s is not None or max_block_s is not None:
            raise DataFormatError("window_step_s and max_block_s are of use only with real_seconds_per_class.")
        return None
    if window_step_s is None:
        raise DataFormatError(
            "real_seconds_per_class needs window_step_s, the seconds from one window's start to the next one's: "
            "window_length_s * (1 - overlap) of segment_recordings."
        )
    seconds = check_positive("real_seconds_per_class", real_seconds_per_class)
    step_s = check_positive("window_step_s", window_step_s)
    return LabelBudget(
        seconds, step_s, shortage, None if max_block_s is None else check_positive("max_block_s", max_block_s)
    )


def check_enough(budget: LabelBudget, labels: np.ndarray, trained_on: np.ndarray, absent: Sequence[object]) -> None:
    """Raise if a class has fewer real training rows than the budget, unless all of them are to be kept then.

    Parameters
    ----------
    budget : LabelBudget
    labels : ndarray of shape (n_real_rows,)
        Of all real rows.
    trained_on : ndarray of bool, shape (n_real_rows,)
        Those for training.
    absent : sequence
        The subjects of the fold that do not train, for the message.

    Raises
    ------
    DataFormatError
        It names the class, the subjects, and how much there is.
    """
    if budget.shortage == "keep_all":
        return
    left = labels[trained_on]
    for label in np.unique(labels).tolist():
        n_windows = np.count_nonzero(left == label)
        if n_windows < budget.n_windows:
            raise DataFormatError(
                f"Class {label!r} has {n_windows * budget.window_step_s:g} s of real data ({n_windows} windows) to "
                f"train on when {list(absent)} is held out, less than real_seconds_per_class={budget.seconds:g} "
                f"({budget.n_windows} windows): lower the budget, leave the class out, or set shortage='keep_all'."
            )


def keep_budget(
    rows: np.ndarray,
    y: np.ndarray,
    groups: np.ndarray,
    n_windows: int,
    rng: np.random.Generator,
    *,
    max_block: int | None = None,
) -> np.ndarray:
    """Keep some rows of each class in blocks: whole runs in a drawn order, a part of the last one.

    A run is a stretch of consecutive `rows` of one subject and one class, at most `max_block` of them. For one state of
    `rng` a smaller budget's rows are among a larger one's.

    Parameters
    ----------
    rows : ndarray of int
        The real training rows, ascending.
    y, groups : ndarray of shape (n_rows,)
        Of all rows; only those at `rows` are looked at.
    n_windows : int
        Rows to keep of each class; a class that has fewer keeps all.
    rng : Generator
    max_block : int, optional
        Longer runs are cut into blocks of so many rows, from a drawn row on.

    Returns
    -------
    ndarray of int
        Ascending.
    """
    labels, subjects = y[rows], groups[rows]
    breaks = 1 + np.flatnonzero((labels[1:] != labels[:-1]) | (subjects[1:] != subjects[:-1]))
    runs = np.split(rows, breaks)
    label_of_run = labels[[0, *breaks]] if len(rows) else labels
    kept: list[np.ndarray] = [rows[:0]]
    for label in np.unique(labels):
        blocks = [block for n in np.flatnonzero(label_of_run == label) for block in _cut(runs[n], max_block, rng)]
        kept += _draw_runs(blocks, n_windows, rng)
    return np.sort(np.concatenate(kept))


def _cut(run: np.ndarray, max_block: int | None, rng: np.random.Generator) -> list[np.ndarray]:
    """Divide a run into blocks of `max_block` rows, shorter ones at its ends."""
    if max_block is None or max_block >= len(run):
        return [run]
    bounds = [0, *range(int(rng.integers(max_block)), len(run), max_block), len(run)]
    return [run[start:stop] for start, stop in pairwise(bounds) if start < stop]


def _draw_runs(runs: Sequence[np.ndarray], n_windows: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    # With its relative position drawn beforehand a part only grows with the budget, at either end.
    positions = rng.random(len(runs))
    for number in rng.permutation(len(runs)):
        run = runs[number]
        length = min(n_windows, len(run))
        start = int(positions[number] * (len(run) - length + 1))
        yield run[start : start + length]
        n_windows -= length
        if n_windows == 0:
            return
