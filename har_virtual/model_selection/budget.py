"""Label budgets: how many real rows of each class a fold may train on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from har_virtual.exceptions import DataFormatError, UnknownNameError
from har_virtual.recording import check_positive

SHORTAGES = ("raise", "keep_all")


class LabelBudget(NamedTuple):
    """At most so many real windows of each class, and what to do where there are fewer."""

    seconds: float
    window_step_s: float
    shortage: str

    @property
    def n_windows(self) -> int:
        """Windows of each class, at least one."""
        # 0.3 / 0.1 is 2.9999999999999996.
        return max(1, int(self.seconds / self.window_step_s + 1e-9))


def make_budget(real_seconds_per_class: float | None, window_step_s: float | None, shortage: str) -> LabelBudget | None:
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
        if window_step_s is not None:
            raise DataFormatError("window_step_s is of use only with real_seconds_per_class: give both or none.")
        return None
    if window_step_s is None:
        raise DataFormatError(
            "real_seconds_per_class needs window_step_s, the seconds from one window's start to the next one's: "
            "window_length_s * (1 - overlap) of segment_recordings."
        )
    seconds = check_positive("real_seconds_per_class", real_seconds_per_class)
    return LabelBudget(seconds, check_positive("window_step_s", window_step_s), shortage)


def check_enough(budget: LabelBudget, labels: np.ndarray, trained_on: np.ndarray, tested: Sequence[object]) -> None:
    """Raise if a class has fewer real training rows than the budget, unless all of them are to be kept then.

    Parameters
    ----------
    budget : LabelBudget
    labels : ndarray of shape (n_real_rows,)
        Of all real rows.
    trained_on : ndarray of bool, shape (n_real_rows,)
        Those for training.
    tested : sequence
        The test subjects of the fold, for the message.

    Raises
    ------
    DataFormatError
        It names the class, the subjects, and how much there is.
    """
    if budget.shortage == "keep_all":
        return
    for label in np.unique(labels).tolist():
        n_windows = np.count_nonzero(labels[trained_on] == label)
        if n_windows < budget.n_windows:
            raise DataFormatError(
                f"Class {label!r} has {n_windows * budget.window_step_s:g} s of real data ({n_windows} windows) to "
                f"train on when {list(tested)} is held out, less than real_seconds_per_class={budget.seconds:g} "
                f"({budget.n_windows} windows): lower the budget, leave the class out, or set shortage='keep_all'."
            )


def keep_budget(
    rows: np.ndarray, y: np.ndarray, groups: np.ndarray, n_windows: int, rng: np.random.Generator
) -> np.ndarray:
    """Keep some rows of each class in blocks: whole runs in a drawn order, a part of the last one.

    A run is a stretch of consecutive `rows` of one subject and one class. For one state of `rng` a smaller budget's
    rows are among a larger one's.

    Parameters
    ----------
    rows : ndarray of int
        The real training rows, ascending.
    y, groups : ndarray of shape (n_rows,)
        Of all rows; only those at `rows` are looked at.
    n_windows : int
        Rows to keep of each class; a class that has fewer keeps all.
    rng : Generator

    Returns
    -------
    ndarray of int
        Ascending.
    """
    labels, subjects = y[rows], groups[rows]
    breaks = 1 + np.flatnonzero((labels[1:] != labels[:-1]) | (subjects[1:] != subjects[:-1]))
    runs = np.split(rows, breaks)
    kept: list[np.ndarray] = [rows[:0]]
    for label in np.unique(labels):
        kept += _draw_runs([run for run in runs if y[run[0]] == label], n_windows, rng)
    return np.sort(np.concatenate(kept))


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
