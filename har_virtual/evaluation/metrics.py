"""Macro-F1, pooled over all windows and subject by subject.

Both are reported because they answer different questions. The pooled figure puts the windows of all subjects into one
confusion matrix: it is what the papers print, every class is in it, and a subject with many windows weighs more. The
mean over subjects weighs every person alike, and its spread says how much a new person may differ; but a subject who
did not do an activity is scored on fewer classes (subject 109 of PAMAP2 did little but rope jumping), so its figures
are not about the same task for everybody.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from har_virtual.exceptions import DataFormatError


class SubjectCounts(NamedTuple):
    """What F1 needs to know of each subject and class; sums over subjects are the counts of the subjects together."""

    subjects: np.ndarray
    """(n_subjects,), sorted."""
    classes: np.ndarray
    """(n_classes,): those that are true or predicted somewhere, sorted."""
    hits: np.ndarray
    """(n_subjects, n_classes): windows of the class that were recognised."""
    truth: np.ndarray
    """(n_subjects, n_classes): windows of the class."""
    predicted: np.ndarray
    """(n_subjects, n_classes): windows that were taken for the class."""


def macro_f1(y_true: ArrayLike, y_pred: ArrayLike, *, labels: ArrayLike | None = None) -> float:
    """Mean F1 over the classes that occur in the truth.

    A class that occurs in the predictions only has no F1 of its own: it costs the recall of the classes whose windows
    it took. A class of the truth that is never predicted counts 0. So the figure equals scikit-learn's
    ``f1_score(y_true, y_pred, labels=np.unique(y_true), average="macro", zero_division=0)``.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_windows,)
        Labels, both text or both numbers.
    labels : array-like, optional
        Average over these classes instead; one that neither occurs nor is predicted counts 0.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    DataFormatError
        If the labels are empty, missing, of different length or of different kind.

    Examples
    --------
    >>> round(macro_f1(["walk", "walk", "run"], ["walk", "run", "run"]), 3)
    0.667
    >>> macro_f1(["walk", "walk"], ["walk", "sit"]) == 2 / 3
    True
    """
    y_true = check_labels("y_true", y_true)
    counts = count_by_subject(y_true, y_pred, np.zeros(len(y_true), dtype=int))
    if labels is None:
        return float(macro_f1_of_counts(counts.hits, counts.truth, counts.predicted)[0])
    labels = check_labels("labels", labels)
    _check_kind("labels", labels, y_true)
    scores = dict(zip(counts.classes.tolist(), _f1(counts.hits, counts.truth, counts.predicted)[0], strict=True))
    return float(np.mean([scores.get(label, 0.0) for label in labels.tolist()]))


def per_subject_f1(y_true: ArrayLike, y_pred: ArrayLike, groups: ArrayLike) -> pd.Series:
    """Macro-F1 of each subject, over the classes that this subject's truth has.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_windows,)
    groups : array-like of shape (n_windows,)
        Subject of each window.

    Returns
    -------
    Series
        ``macro_f1``, indexed by ``subject``, sorted.

    Raises
    ------
    DataFormatError
        As `macro_f1`.

    Examples
    --------
    >>> per_subject_f1(["walk", "run", "walk"], ["walk", "run", "run"], ["a", "a", "b"]).to_dict()
    {'a': 1.0, 'b': 0.0}
    """
    counts = count_by_subject(y_true, y_pred, groups)
    scores = macro_f1_of_counts(counts.hits, counts.truth, counts.predicted)
    return pd.Series(scores, index=pd.Index(counts.subjects, name="subject"), name="macro_f1")


def per_class_f1(y_true: ArrayLike, y_pred: ArrayLike) -> pd.Series:
    """F1 of each class of the truth, over all windows.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_windows,)

    Returns
    -------
    Series
        ``f1``, indexed by ``class``, sorted; its mean is `macro_f1`.

    Raises
    ------
    DataFormatError
        As `macro_f1`.

    Examples
    --------
    >>> per_class_f1(["walk", "run", "walk"], ["walk", "sit", "run"]).round(2).to_dict()
    {'run': 0.0, 'walk': 0.67}
    """
    y_true = check_labels("y_true", y_true)
    counts = count_by_subject(y_true, y_pred, np.zeros(len(y_true), dtype=int))
    present = counts.truth[0] > 0
    scores = _f1(counts.hits, counts.truth, counts.predicted)[0]
    return pd.Series(scores[present], index=pd.Index(counts.classes[present], name="class"), name="f1")


def count_by_subject(y_true: ArrayLike, y_pred: ArrayLike, groups: ArrayLike) -> SubjectCounts:
    """Count hits, true and predicted windows of each class and subject.

    Raises
    ------
    DataFormatError
        As `macro_f1`.
    """
    y_true = check_labels("y_true", y_true)
    y_pred = check_labels("y_pred", y_pred, n_rows=len(y_true))
    _check_kind("y_pred", y_pred, y_true)
    subjects, subject = np.unique(check_labels("groups", groups, n_rows=len(y_true)), return_inverse=True)
    classes, codes = np.unique(np.concatenate([y_true, y_pred]), return_inverse=True)
    true, predicted = codes[: len(y_true)], codes[len(y_true) :]
    shape = (len(subjects), len(classes))
    hit = true == predicted
    return SubjectCounts(
        subjects,
        classes,
        _count_cells(subject[hit], true[hit], shape),
        _count_cells(subject, true, shape),
        _count_cells(subject, predicted, shape),
    )


def macro_f1_of_counts(hits: np.ndarray, truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Give the macro-F1 of counts of shape (..., n_classes), over the classes with a count in `truth`."""
    present = truth > 0
    return np.where(present, _f1(hits, truth, predicted), 0.0).sum(axis=-1) / present.sum(axis=-1)


def _f1(hits: np.ndarray, truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    # 2 precision recall / (precision + recall), with precision = hits / predicted and recall = hits / truth.
    return 2 * hits / np.maximum(truth + predicted, 1)


def _count_cells(row: np.ndarray, column: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    return np.bincount(row * shape[1] + column, minlength=shape[0] * shape[1]).reshape(shape)


def _check_kind(name: str, values: np.ndarray, y_true: np.ndarray) -> None:
    if (y_true.dtype.kind == "U") != (values.dtype.kind == "U"):
        raise DataFormatError(
            f"y_true and {name} must both be text or both be numbers, not {y_true[:3]} ... and {values[:3]} ..."
        )


def check_labels(name: str, values: ArrayLike, n_rows: int | None = None) -> np.ndarray:
    """Give labels or names as a one-dimensional array of numbers or text.

    Raises
    ------
    DataFormatError
        If they are empty, of another number than `n_rows`, missing somewhere, or part text and part not.
    """
    if values is None:
        raise DataFormatError(f"{name} is missing: pass one value for each row.")
    labels = np.asarray(values)
    if labels.ndim != 1 or not len(labels) or (n_rows is not None and len(labels) != n_rows):
        wanted = "at least one value" if n_rows is None else f"{n_rows} values"
        raise DataFormatError(f"{name} must be one-dimensional with {wanted}; its shape is {labels.shape}.")
    if pd.isna(labels).any():
        raise DataFormatError(f"{name} is missing for {pd.isna(labels).sum()} of {len(labels)} rows; drop those rows.")
    if labels.dtype != object:
        return labels
    if len({isinstance(label, str) for label in labels}) > 1:
        raise DataFormatError(f"{name} must be all text or all numbers; it begins with {labels[:5].tolist()}.")
    return np.array(labels.tolist())
