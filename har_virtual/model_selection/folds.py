"""Folds for an evaluation: who trains, who validates and who is tested."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from har_virtual.exceptions import DataFormatError, UnknownNameError
from har_virtual.model_selection.splitters import SubjectHoldOut, Subjects, _as_names, _check_rows, _SubjectSplitter


class HoldOut(NamedTuple):
    """Whom to validate on and whom to test on; all others train. Names are those of `WindowSet.groups`."""

    validation: str | tuple[str, ...]
    test: str | tuple[str, ...]


IMUTUBE_HOLD_OUTS: Mapping[str, HoldOut] = MappingProxyType(
    {
        "realworld": HoldOut(validation="realworld/15", test="realworld/14"),
        "opportunity": HoldOut(validation="opportunity/3", test="opportunity/4"),
        "pamap2": HoldOut(validation="pamap2/105", test="pamap2/106"),
    }
)
"""The subjects that IMUTube's deep models hold out (sections 3.1 and 3.2), by data set."""


@dataclass(frozen=True, eq=False)
class SubjectFold:
    """The rows of one fold; `subject_folds` makes them.

    Parameters
    ----------
    train : array of shape (n_train,)
        Positions of rows, real and virtual, ascending.
    validation : array of shape (n_validation,)
        Positions of real rows; empty where nobody validates.
    test : array of shape (n_test,)
        Positions of real rows.
    validated, tested : tuple of str
        The subjects of `validation` and of `test`; nothing of them, or made from them, trains.

    Raises
    ------
    DataFormatError
        If two parts share a row, or a subject is both validated and tested.
    """

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    validated: tuple[Any, ...]
    tested: tuple[Any, ...]

    def __post_init__(self) -> None:
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        rows, times = np.unique(np.concatenate(list(parts.values())), return_counts=True)
        if (times > 1).any():
            shared = rows[times > 1]
            where = [name for name, part in parts.items() if shared[0] in part]
            raise DataFormatError(f"{len(shared)} rows are in more than one part, row {shared[0]} in {where}.")
        _refuse_both(self.validated, self.tested)


def subject_folds(
    y: ArrayLike,
    groups: ArrayLike,
    sample_domain: ArrayLike | None = None,
    *,
    hold_out: HoldOut | None = None,
    validate: bool = False,
    real_seconds_per_class: float | None = None,
    window_step_s: float | None = None,
    max_block_s: float | None = None,
    shortage: Literal["raise", "keep_all"] = "raise",
    random_state: int | np.random.Generator | None = None,
) -> list[SubjectFold]:
    """Say for each fold which rows train, which choose hyper-parameters, and which are tested.

    Each subject with real rows is tested in turn, in the order of `LeaveOneSubjectOut`; with `validate` the next one
    in natural order (``pamap2/102`` after ``pamap2/101``, ``realworld/3`` after ``realworld/2``, the first after the
    last) validates. With `hold_out` there is one fold, of the subjects that it names. Virtual rows made from a
    validated or tested subject are in no part; those of a person who is known from videos only always train.

    A label budget cuts the real training rows, never validation or test rows; it is that of `LeaveOneSubjectOut`. For
    one int `random_state` the rows of a smaller budget are among those of a larger one, and each fold draws for itself.

    Parameters
    ----------
    y : array-like of shape (n_rows,)
        Labels; only a label budget looks at them.
    groups : array-like of shape (n_rows,)
        Subject of each row: `WindowSet.groups`.
    sample_domain : array-like of shape (n_rows,), optional
        0 for real, 1 for virtual rows; missing means that all are real.
    hold_out : HoldOut, optional
        Subjects to validate and test on, instead of each in turn. Without validation subjects (``()``) nobody
        validates.
    validate : bool, default=False
        Whether a subject validates in each fold. A hold-out's validation subjects do so in any case.
    real_seconds_per_class, window_step_s, max_block_s, shortage, random_state
        As in `LeaveOneSubjectOut`.

    Returns
    -------
    list of SubjectFold

    Raises
    ------
    DataFormatError
        If a subject is both validated and tested, nobody is left to train or (with `validate`) to validate, or
        as `LeaveOneSubjectOut.split`.
    UnknownNameError
        If a subject of `hold_out` has no rows, or virtual ones only.

    See Also
    --------
    LeaveOneSubjectOut, SubjectHoldOut : Splitters for scikit-learn's tools, without validation rows.

    Examples
    --------
    >>> import numpy as np
    >>> from har_virtual.model_selection import HoldOut, subject_folds
    >>> groups = np.array(["s/1", "s/2", "s/10", "s/10"])
    >>> for fold in subject_folds(groups, groups, [0, 0, 0, 1], validate=True):
    ...     fold.tested, fold.validated, fold.train.tolist()
    (('s/1',), ('s/2',), [2, 3])
    (('s/10',), ('s/1',), [1])
    (('s/2',), ('s/10',), [0])
    >>> [fold] = subject_folds(groups, groups, hold_out=HoldOut(validation="s/2", test="s/1"))
    >>> fold.train.tolist(), fold.validation.tolist(), fold.test.tolist()
    ([2, 3], [1], [0])
    """
    subjects, virtual = _check_rows(y, y, groups, sample_domain)
    real = np.unique(subjects[~virtual]).tolist()
    hold_outs = _in_turn(real, validate) if hold_out is None else [_by_name(hold_out, validate, subjects, virtual)]
    splitter = _HoldOuts(
        hold_outs,
        real_seconds_per_class=real_seconds_per_class,
        window_step_s=window_step_s,
        max_block_s=max_block_s,
        shortage=shortage,
        random_state=random_state,
    )
    splits = splitter.split(y, y, groups, sample_domain=sample_domain)
    return [
        SubjectFold(train, np.flatnonzero(np.isin(subjects, validated) & ~virtual), test, validated, tested)
        for (validated, tested), (train, test) in zip(hold_outs, splits, strict=True)
    ]


class _HoldOuts(_SubjectSplitter):
    """Leave out the subjects of each hold-out; those who validate are in neither part."""

    def __init__(self, hold_outs: Sequence[tuple[tuple[Any, ...], tuple[Any, ...]]], **budget: Any) -> None:
        super().__init__(**budget)
        self.hold_outs = hold_outs

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None, *, sample_domain: Any = None) -> int:
        return len(self.hold_outs)

    def _folds(self, subjects: np.ndarray, virtual: np.ndarray) -> list[tuple[Subjects, Subjects]]:
        return [(list(tested), [*tested, *validated]) for validated, tested in self.hold_outs]


def _in_turn(real: Subjects, validate: bool) -> list[tuple[tuple[Any, ...], tuple[Any, ...]]]:
    fewest = 3 if validate else 2
    if len(real) < fewest:
        parts = "one to test on, one to validate on and one" if validate else "one to test on and one"
        raise DataFormatError(
            f"{fewest} subjects need real rows, {parts} to train on; there are {real or 'no real rows at all'}."
        )
    if not validate:
        return [((), (subject,)) for subject in real]
    ordered = sorted(real, key=_natural)
    following = dict(zip(ordered, [*ordered[1:], ordered[0]], strict=True))
    return [((following[subject],), (subject,)) for subject in real]


def _by_name(
    hold_out: HoldOut, validate: bool, subjects: np.ndarray, virtual: np.ndarray
) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    if not isinstance(hold_out, HoldOut):
        raise DataFormatError(
            "hold_out must be HoldOut(validation=..., test=...), such as IMUTUBE_HOLD_OUTS['realworld'], not "
            f"{hold_out!r}."
        )
    validated, tested = (tuple(_as_names(names)) for names in hold_out)
    _refuse_both(validated, tested)
    if validate and not validated:
        raise DataFormatError(f"validate=True needs a subject to validate on, but {hold_out} names none.")
    SubjectHoldOut(test_subjects=tested, exclude=validated)._folds(subjects, virtual)
    unreal = [name for name in validated if virtual[subjects == name].all()]
    if unreal:
        raise UnknownNameError(f"Subjects {unreal} have virtual rows only, none to validate on.")
    return validated, tested


def _refuse_both(validated: Sequence[Any], tested: Sequence[Any]) -> None:
    both = [name for name in validated if name in tested]
    if both:
        raise DataFormatError(f"Subjects {both} are both validated and tested on: parameters would be chosen on tests.")


def _natural(name: Any) -> tuple[list[str | int], str]:
    """Sort key by which numbers within names count as numbers."""
    parts = re.split(r"(\d+)", str(name))
    return [int(part) if position % 2 else part for position, part in enumerate(parts)], str(name)
