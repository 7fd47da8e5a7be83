"""Folds: which rows train and which are tested, what was predicted, and the checks that nothing leaks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from har_virtual.exceptions import DataFormatError


@dataclass(frozen=True, eq=False)
class Fold:
    """Rows that train and rows that are tested."""

    train: np.ndarray
    test: np.ndarray
    held_out: str
    n_train_real: int
    n_train_virtual: int

    def record(self, outcome: Outcome, y: np.ndarray) -> dict[str, Any]:
        """Give a row of `OutOfFold.folds`."""
        known = y[self.train] if outcome.classes is None else outcome.classes
        return {
            "held_out": self.held_out,
            "n_train_real": self.n_train_real,
            "n_train_virtual": self.n_train_virtual,
            "n_test": len(self.test),
            "real_rows_used": outcome.used[0],
            "real_labels_used": outcome.used[1],
            "untrained_classes": join_names(np.setdiff1d(y[self.test], known)),
            **outcome.more,
        }


class Outcome(NamedTuple):
    """What a fold gives."""

    predicted: np.ndarray
    used: tuple[int, int]
    classes: np.ndarray | None
    estimator: BaseEstimator | None
    more: Mapping[str, Any] = MappingProxyType({})
    """Further columns of `OutOfFold.folds`."""


def check_folds(pairs: Iterable[Any], groups: np.ndarray, virtual: np.ndarray) -> list[Fold]:
    """Give the folds of (train, test) pairs.

    Raises
    ------
    DataFormatError
        If one leaks, tests virtual rows, lacks rows, or a row is tested twice.
    """
    folds = [_check_fold(number, pair, groups, virtual) for number, pair in enumerate(pairs)]
    if not folds:
        raise DataFormatError("cv gives no folds.")
    rows, times = np.unique(np.concatenate([fold.test for fold in folds]), return_counts=True)
    if (times > 1).any():
        raise DataFormatError(
            f"{(times > 1).sum()} rows are tested more than once, row {rows[times > 1][0]} of subject "
            f"{groups[rows[times > 1][0]]} first; call predict_out_of_fold once for each repetition."
        )
    return folds


def _check_fold(number: int, pair: Any, groups: np.ndarray, virtual: np.ndarray) -> Fold:
    train, test = (_positions(rows, len(groups), f"Fold {number}") for rows in pair)
    subjects = np.unique(groups[test])
    where = f"Fold {number}, which holds out {join_names(subjects)},"
    both = np.intersect1d(train, test)
    if len(both):
        raise DataFormatError(
            f"{where} leaks: {len(both)} rows are both trained on and tested, row {both[0]} of subject "
            f"{groups[both[0]]} first."
        )
    leaking = train[np.isin(groups[train], subjects)]
    if len(leaking):
        raise DataFormatError(
            f"{where} leaks: {len(leaking)} of its training rows ({virtual[leaking].sum()} of them virtual) are of "
            f"tested subjects, {join_names(np.unique(groups[leaking]))}; split with LeaveOneSubjectOut."
        )
    if virtual[test].any():
        raise DataFormatError(
            f"{where} tests {virtual[test].sum()} virtual rows, but only real ones may be tested; split with "
            "LeaveOneSubjectOut."
        )
    n_train_virtual = int(virtual[train].sum())
    return Fold(train, test, join_names(subjects), len(train) - n_train_virtual, n_train_virtual)


def _positions(rows: ArrayLike, n_rows: int, where: str) -> np.ndarray:
    rows = np.asarray(rows)
    if rows.dtype == bool and rows.shape == (n_rows,):
        rows = np.flatnonzero(rows)
    if rows.ndim != 1 or not len(rows):
        raise DataFormatError(f"{where} needs training rows and test rows, one-dimensional; a shape is {rows.shape}.")
    if rows.dtype.kind not in "iu" or rows.min() < 0 or rows.max() >= n_rows:
        raise DataFormatError(f"{where} must give row numbers from 0 to {n_rows - 1} or masks, not {rows[:5]} ...")
    return rows


def join_names(names: np.ndarray) -> str:
    """Give names in one line."""
    return ", ".join(map(str, names))


def show_progress(results: Iterable[Any], total: int, verbose: int, unit: str = "fold") -> Iterable[Any]:
    """Show a progress bar in a terminal if `verbose`."""
    from tqdm.auto import tqdm

    # tqdm takes None for "only in a terminal".
    return tqdm(results, total=total, unit=f" {unit}", disable=None if verbose else True)
