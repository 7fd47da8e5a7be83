"""Splitters that hold out whole subjects and test on real rows only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from numbers import Integral
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import check_consistent_length

from har_virtual.exceptions import DataFormatError, UnknownNameError
from har_virtual.model_selection.budget import LabelBudget, check_enough, keep_budget, make_budget
from har_virtual.windows.validation import check_sample_domain

Subjects = list[Any]

_HOW_TO_CALL = (
    "Call split(X, y, groups=..., sample_domain=...); where scikit-learn calls it, pass both to fit (to cross_validate "
    "in params=) after sklearn.set_config(enable_metadata_routing=True)"
)


class _SubjectSplitter(BaseCrossValidator):
    """What the splitters share: the domain rules and the label budget."""

    __metadata_request__split: ClassVar[dict[str, bool]] = {"groups": True, "sample_domain": True}

    def __init__(
        self,
        *,
        real_seconds_per_class: float | None = None,
        window_step_s: float | None = None,
        max_block_s: float | None = None,
        shortage: Literal["raise", "keep_all"] = "raise",
        random_state: int | np.random.Generator | None = None,
    ) -> None:
        self.real_seconds_per_class = real_seconds_per_class
        self.window_step_s = window_step_s
        self.max_block_s = max_block_s
        self.shortage = shortage
        self.random_state = random_state

    def split(
        self,
        X: Any,
        y: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        *,
        sample_domain: ArrayLike | None = None,
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Give the training and the test rows of each fold.

        Parameters
        ----------
        X : array-like or list, of n_rows rows
            Only its length is looked at.
        y : array-like of shape (n_rows,), optional
            Labels; only a label budget looks at them.
        groups : array-like of shape (n_rows,)
            Subject of each row, real or virtual: `WindowSet.groups`.
        sample_domain : array-like of shape (n_rows,), optional
            0 for real, 1 for virtual rows; missing means that all are real.

        Returns
        -------
        iterator of (train, test)
            Positions of rows, ascending.

        Raises
        ------
        DataFormatError
            If `groups` is missing, is not one-dimensional or lacks values; `sample_domain` does not fit, or calls a
            person real who is known from a video only; too few subjects have real rows; or the budget lacks a
            parameter, labels or rows.
        UnknownNameError
            If a subject is named that has no rows.
        """
        if self.random_state is not None and not isinstance(self.random_state, (Integral, np.random.Generator)):
            raise DataFormatError(f"random_state must be an int, a numpy Generator or None, not {self.random_state!r}.")
        subjects, virtual = _check_rows(X, y, groups, sample_domain)
        folds = self._folds(subjects, virtual)
        budget = make_budget(self.real_seconds_per_class, self.window_step_s, self.shortage, self.max_block_s)
        if budget is None:
            return (_fold_rows(subjects, virtual, *fold) for fold in folds)
        labels = _check_column("y", y, "a label budget (real_seconds_per_class) counts the rows of each class")
        for _, absent in folds:
            check_enough(budget, labels[~virtual], ~np.isin(subjects[~virtual], absent), absent)
        return self._cut(folds, budget, labels, subjects, virtual)

    def _folds(self, subjects: np.ndarray, virtual: np.ndarray) -> list[tuple[Subjects, Subjects]]:
        """Give the subjects that are tested on, and those that are not trained on, of each fold."""
        raise NotImplementedError

    def _cut(
        self,
        folds: list[tuple[Subjects, Subjects]],
        budget: LabelBudget,
        labels: np.ndarray,
        subjects: np.ndarray,
        virtual: np.ndarray,
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        generators = np.random.default_rng(self.random_state).spawn(len(folds))
        # Numbers, in the same order, compare sooner than text.
        y, groups = (np.unique(column, return_inverse=True)[1] for column in (labels, subjects))
        for fold, rng in zip(folds, generators, strict=True):
            train, test = _fold_rows(subjects, virtual, *fold)
            real = keep_budget(train[~virtual[train]], y, groups, budget.n_windows, rng, max_block=budget.max_block)
            yield np.union1d(real, train[virtual[train]]), test


class LeaveOneSubjectOut(_SubjectSplitter):
    """Hold out each subject in turn: test on the subject's real rows, train on real and virtual rows of all others.

    Only subjects that have real rows are held out, in sorted order. Virtual rows made from the held-out subject are in
    neither part; those of a person who is known from videos only always train. As whole subjects are held out, windows
    that overlap never lie on both sides.

    With a label budget each fold keeps only some of its real training rows: of each class whole runs (consecutive real
    rows of one subject and class) in a drawn order, and a part of the last run. The cut is made before any estimator
    sees a row. It depends neither on the held-out subject nor on virtual rows, and for one `random_state` the rows of a
    smaller budget are among those of a larger one. Virtual rows stay.

    A class may be missing in the training or in the test rows of a fold; a classifier cannot predict what it has not
    seen. Pool the predictions of all folds before macro-F1 is computed, or each absent class distorts the mean.

    Parameters
    ----------
    real_seconds_per_class : float, optional
        Label budget: ``real_seconds_per_class / window_step_s`` real windows of each class, rounded down, at least one.
        Default: all.
    window_step_s : float, optional
        Seconds from one window's start to the next one's, ``window_length_s * (1 - overlap)``; needed with a budget.
        ``WindowSet.attrs["window_step_s"]`` has it.
    max_block_s : float, optional
        Longest stretch of one subject and class that the budget takes at once. Default: whole runs, so that a small
        budget is a stretch of one person, as labelling goes; ``max_block_s=window_step_s`` scatters single windows over
        all persons, which is kinder. A window counts as one step: where windows overlap, each block lies in
        ``window_length_s - window_step_s`` more seconds of recording than it counts.
    shortage : {"raise", "keep_all"}, default="raise"
        What to do where a class that has real rows at all has fewer for training than the budget, or none.
    random_state : int or Generator, optional
        Of the draw. Give an int for the same draw in every call of `split`.

    See Also
    --------
    SubjectHoldOut : One split, with subjects given by name.

    Notes
    -----
    Where scikit-learn calls the splitter, `groups` and `sample_domain` reach it by metadata routing
    (``sklearn.set_config(enable_metadata_routing=True)``); both are requested by default. With routing off scikit-learn
    hands over `groups` only, and every row counts as real: give it ``list(splitter.split(...))`` as ``cv`` instead.

    The budget cuts folds. GridSearchCV's final refit has no fold and sees all rows that it was given.

    Examples
    --------
    >>> import numpy as np
    >>> from har_virtual.model_selection import LeaveOneSubjectOut
    >>> groups = np.array(["ann", "ann", "ben", "ben", "ben", "video:1f/0"])
    >>> sample_domain = np.array([0, 1, 0, 0, 1, 1])
    >>> for train, test in LeaveOneSubjectOut().split(np.zeros((6, 3)), groups=groups, sample_domain=sample_domain):
    ...     train.tolist(), test.tolist()
    ([2, 3, 4, 5], [0])
    ([0, 1, 5], [2, 3])
    """

    def get_n_splits(
        self,
        X: Any = None,
        y: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        *,
        sample_domain: ArrayLike | None = None,
    ) -> int:
        """Give the number of subjects that have real rows; parameters and errors are those of `split`."""
        return len(self._folds(*_check_rows(X, y, groups, sample_domain)))

    def _folds(self, subjects: np.ndarray, virtual: np.ndarray) -> list[tuple[Subjects, Subjects]]:
        tested = np.unique(subjects[~virtual]).tolist()
        if len(tested) < 2:
            instead = "" if tested else " scikit-learn's GroupKFold splits windows of videos alone, by the same groups."
            raise DataFormatError(
                f"To hold one subject out, at least two need real rows; there are {tested or 'no real rows at all'}."
                f"{instead}"
            )
        return [([subject], [subject]) for subject in tested]


class SubjectHoldOut(_SubjectSplitter):
    """Hold out named subjects, once: test on their real rows, train on real and virtual rows of all others.

    The rules for virtual rows, the label budget and routing are those of LeaveOneSubjectOut. For a split into training,
    validation and test subjects (IMUTube's for large data sets) choose parameters with the validation subjects as
    `test_subjects` and the test subjects as `exclude`, then score on the test subjects.

    Parameters
    ----------
    test_subjects : sequence of str
        As in `WindowSet.groups` (``"utd_mhad/3"``). One name alone may be given as it is.
    exclude : sequence of str, default=()
        Subjects in neither part, with all that was made from them.
    real_seconds_per_class, window_step_s, max_block_s, shortage, random_state
        As in LeaveOneSubjectOut.

    See Also
    --------
    LeaveOneSubjectOut : Hold out each subject in turn.

    Examples
    --------
    >>> import numpy as np
    >>> from har_virtual.model_selection import SubjectHoldOut
    >>> groups = np.array(["ann", "ben", "eve", "eve"])
    >>> [(train, test)] = SubjectHoldOut(test_subjects=["ben"], exclude=["ann"]).split(np.zeros((4, 3)), groups=groups)
    >>> train.tolist(), test.tolist()
    ([2, 3], [1])
    """

    def __init__(
        self,
        *,
        test_subjects: Sequence[str] | str,
        exclude: Sequence[str] | str = (),
        real_seconds_per_class: float | None = None,
        window_step_s: float | None = None,
        max_block_s: float | None = None,
        shortage: Literal["raise", "keep_all"] = "raise",
        random_state: int | np.random.Generator | None = None,
    ) -> None:
        super().__init__(
            real_seconds_per_class=real_seconds_per_class,
            window_step_s=window_step_s,
            max_block_s=max_block_s,
            shortage=shortage,
            random_state=random_state,
        )
        self.test_subjects = test_subjects
        self.exclude = exclude

    def get_n_splits(
        self,
        X: Any = None,
        y: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        *,
        sample_domain: ArrayLike | None = None,
    ) -> int:
        """Give 1; the parameters are there for scikit-learn."""
        return 1

    def _folds(self, subjects: np.ndarray, virtual: np.ndarray) -> list[tuple[Subjects, Subjects]]:
        tested, excluded = _as_names(self.test_subjects), _as_names(self.exclude)
        known = np.unique(subjects).tolist()
        real = np.unique(subjects[~virtual]).tolist()
        absent_names = [name for name in tested + excluded if name not in known]
        if absent_names:
            raise UnknownNameError(f"There is no subject {absent_names} among groups; there are {known}.")
        unreal = [name for name in tested if name not in real]
        if unreal:
            raise UnknownNameError(f"Subjects {unreal} have virtual rows only, none to test on; real rows have {real}.")
        absent = tested + excluded
        if not tested or set(tested) & set(excluded) or set(absent) == set(known):
            raise DataFormatError(
                "Subjects are needed to test on, others to train on, and none may be both tested and excluded: "
                f"test_subjects={tested}, exclude={excluded}, of {known}."
            )
        return [(tested, absent)]


def _as_names(names: Sequence[str] | str) -> Subjects:
    return [names] if isinstance(names, (str, int, np.integer)) else list(names)


def _fold_rows(
    subjects: np.ndarray, virtual: np.ndarray, tested: Subjects, absent: Subjects
) -> tuple[np.ndarray, np.ndarray]:
    return np.flatnonzero(~np.isin(subjects, absent)), np.flatnonzero(np.isin(subjects, tested) & ~virtual)


def _check_rows(
    X: Any, y: ArrayLike | None, groups: ArrayLike | None, sample_domain: ArrayLike | None
) -> tuple[np.ndarray, np.ndarray]:
    subjects = _check_column(
        "groups",
        groups,
        f"whole subjects are held out. {_HOW_TO_CALL}",
    )
    check_consistent_length(X, y, subjects)
    virtual = check_sample_domain(sample_domain, len(subjects))
    unmarked = [name for name in np.unique(subjects[~virtual]).tolist() if "video:" in str(name)]
    if unmarked:
        found = "is missing" if sample_domain is None else "calls their rows real"
        raise DataFormatError(f"{unmarked[:3]} are known from videos only, but sample_domain {found}. {_HOW_TO_CALL}.")
    return subjects, virtual


def _check_column(name: str, values: ArrayLike | None, need: str) -> np.ndarray:
    if values is None:
        raise DataFormatError(f"{name} is missing: {need}.")
    column = np.asarray(values)
    if column.ndim != 1 or pd.isna(column).any():
        raise DataFormatError(
            f"{name} must be one-dimensional and have a value for each row; it has shape {column.shape} and "
            f"{np.count_nonzero(pd.isna(column))} missing values."
        )
    if column.dtype == object and len({type(value) for value in column}) > 1:
        raise DataFormatError(f"{name} must be all text or all numbers, not {column[:5].tolist()} ...")
    return column
