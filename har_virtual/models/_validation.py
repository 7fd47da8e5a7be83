"""Who validates while a network is trained: real rows of people who do not train."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from har_virtual.exceptions import DataFormatError, DataWarning
from har_virtual.model_selection.splitters import _check_column


class Split(NamedTuple):
    """Rows that train, rows that validate, and the subjects of the latter."""

    train: np.ndarray
    validation: np.ndarray
    names: tuple[Any, ...]


def hold_out_subjects(
    classes: np.ndarray,
    groups: ArrayLike | None,
    virtual: np.ndarray,
    wanted: int | Sequence[str] | str | None,
    rng: np.random.Generator,
) -> Split:
    """Choose subjects whose real rows validate; whatever else was made from them is in neither part.

    Parameters
    ----------
    classes : array of int of shape (n_rows,)
        Drawn subjects are those without whom every class still has training rows, as far as there are such. Zeros for
        what learns no classes.
    groups : array-like of shape (n_rows,) or None
        Subjects; without them all rows train.
    virtual : array of bool of shape (n_rows,)
    wanted : int, names or None
        How many subjects, or which; None for nobody.
    rng : numpy Generator

    Raises
    ------
    DataFormatError
        If a row has no subject, groups has another length, a named subject has no real rows, or nobody is left to
        train.

    Warns
    -----
    DataWarning
        If there are groups but no real rows at all: then nobody validates.
    """
    wanted = int(wanted) if isinstance(wanted, np.integer) else wanted
    everybody = Split(np.arange(len(classes)), np.arange(0), ())
    if groups is None or wanted is None:
        return everybody
    subjects = _check_column("groups", groups, "whole subjects validate")
    if len(subjects) != len(classes):
        raise DataFormatError(f"groups names the subject of {len(subjects)} windows, and there are {len(classes)}.")
    real = np.unique(subjects[~virtual]).tolist()
    if not real:
        warnings.warn(
            "All training rows are virtual, so that no real person can validate: training takes max_epochs epochs. "
            "Give real rows of people who are not tested as X_val and y_val.",
            DataWarning,
            stacklevel=5,
        )
        return everybody
    names = _draw(classes, subjects, real, wanted, rng) if isinstance(wanted, int) else _named(wanted, real)
    theirs = np.isin(subjects, names)
    if theirs.all():
        raise DataFormatError(
            f"Nobody is left to train: {', '.join(map(str, names))} should validate, and the training rows are of "
            f"{len(np.unique(subjects))} subjects. Give rows of more people, or validation_subjects=None, with which "
            "training does not stop early."
        )
    return Split(np.flatnonzero(~theirs), np.flatnonzero(theirs & ~virtual), tuple(names))


def _named(wanted: Sequence[str] | str, real: list[str]) -> list[str]:
    names = [wanted] if isinstance(wanted, str) else list(dict.fromkeys(wanted))
    unknown = [name for name in names if name not in real]
    if unknown or not names:
        raise DataFormatError(
            f"validation_subjects names {unknown or 'nobody'}, but real training rows are of {real}. In "
            "cross-validation a named subject may be the one that is tested; a number draws from those that train."
        )
    return names


def _draw(
    classes: np.ndarray, subjects: np.ndarray, real: list[str], n_wanted: int, rng: np.random.Generator
) -> list[str]:
    """Draw one subject after the other, rather those without whom every class still trains."""
    chosen: list[str] = []
    candidates = [real[position] for position in rng.permutation(len(real))]
    for _ in range(min(n_wanted, len(candidates))):
        complete = [name for name in candidates if _keeps_classes(classes, subjects, [*chosen, name])]
        name = (complete or candidates)[0]
        chosen.append(name)
        candidates.remove(name)
    return chosen


def _keeps_classes(classes: np.ndarray, subjects: np.ndarray, names: list[str]) -> bool:
    return len(np.unique(classes[~np.isin(subjects, names)])) == len(np.unique(classes))
