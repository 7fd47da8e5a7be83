"""Predictions of every test window by an estimator that never saw its subject, and what real data that took."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from inspect import signature
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn import config_context
from sklearn.base import BaseEstimator, clone
from sklearn.utils import _safe_indexing
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import _num_samples

from har_virtual.evaluation._folds import Fold, Outcome, check_folds, show_progress
from har_virtual.evaluation.intervals import Interval, Method, Statistic, bootstrap_interval
from har_virtual.evaluation.metrics import check_labels, macro_f1, per_subject_f1
from har_virtual.evaluation.real_data import real_data_used
from har_virtual.exceptions import DataFormatError, FoldError
from har_virtual.windows.validation import check_sample_domain
from har_virtual.windows.window_set import WindowSet


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """Out-of-fold predictions; `predict_out_of_fold` makes them.

    Parameters
    ----------
    rows : array of shape (n_test,)
        Positions in X of the windows that were predicted, ascending.
    y_true, y_pred, groups : array of shape (n_test,)
        Label, prediction and subject of each.
    fold : array of shape (n_test,)
        Which fold predicted it: a row of `folds`.
    classes : array of shape (n_classes,)
        All labels, of any row or prediction, sorted.
    folds : DataFrame
        One row a fold: ``held_out`` (subjects), ``n_train_real``, ``n_train_virtual``, ``n_test``, ``real_rows_used``
        and ``real_labels_used`` (`real_data_used`), ``untrained_classes`` (those of the test rows that the fitted
        estimator does not know: not in its ``classes_``, or in no training row if it has none).
    estimators : tuple of fitted estimators or None
        One a fold.
    """

    rows: np.ndarray
    y_true: np.ndarray
    y_pred: np.ndarray
    groups: np.ndarray
    fold: np.ndarray
    classes: np.ndarray
    folds: pd.DataFrame
    estimators: tuple[BaseEstimator, ...] | None = None

    def __repr__(self) -> str:
        return (
            f"OutOfFold({len(self.rows)} windows of {len(np.unique(self.groups))} subjects in {len(self.folds)} folds, "
            f"{len(self.classes)} classes, macro_f1={self.macro_f1:.3f})"
        )

    @property
    def macro_f1(self) -> float:
        """Macro-F1 of all windows pooled, over the classes of their truth."""
        return macro_f1(self.y_true, self.y_pred)

    def per_subject(self) -> pd.Series:
        """Macro-F1 of each subject, over the classes of this subject's truth."""
        return per_subject_f1(self.y_true, self.y_pred, self.groups)

    @property
    def confusion(self) -> pd.DataFrame:
        """Number of windows by true class (index) and predicted class (columns), both `classes`."""
        shape = (len(self.classes), len(self.classes))
        true, predicted = (np.searchsorted(self.classes, labels) for labels in (self.y_true, self.y_pred))
        counts = np.zeros(shape, dtype=np.int64)
        np.add.at(counts, (true, predicted), 1)
        index, columns = (pd.Index(self.classes, name=name) for name in ("true", "predicted"))
        return pd.DataFrame(counts, index=index, columns=columns)

    def interval(
        self,
        *,
        statistic: Statistic = "pooled",
        n_resamples: int = 2000,
        level: float = 0.95,
        method: Method = "percentile",
        random_state: int | np.random.Generator | None = 0,
    ) -> Interval:
        """Bootstrap over subjects; see `bootstrap_interval`."""
        return bootstrap_interval(
            self, statistic=statistic, n_resamples=n_resamples, level=level, method=method, random_state=random_state
        )

    def summary(
        self,
        *,
        n_resamples: int = 2000,
        level: float = 0.95,
        method: Method = "percentile",
        random_state: int | np.random.Generator | None = 0,
    ) -> dict[str, float]:
        """Give the figures to report, one row of a table.

        Parameters
        ----------
        n_resamples, level, method, random_state
            As in `bootstrap_interval`.

        Returns
        -------
        dict
            ``macro_f1`` (pooled) with its bootstrap interval over subjects ``low`` to ``high``;
            ``mean_over_subjects`` and ``sd_over_subjects`` (n - 1) of macro-F1; ``n_subjects`` and ``n_windows``
            tested; ``real_rows_used`` and ``real_labels_used``, the columns of `folds` averaged over the folds, that is
            what one fitted recogniser cost in real data (folds share rows, so a total would count most of them many
            times). What needs two subjects is NaN where there is one.
        """
        scores, nan = self.per_subject(), float("nan")
        low, high = nan, nan
        if len(scores) > 1:
            interval = self.interval(n_resamples=n_resamples, level=level, method=method, random_state=random_state)
            low, high = interval.low, interval.high
        return {
            "macro_f1": self.macro_f1,
            "low": low,
            "high": high,
            "mean_over_subjects": float(scores.mean()),
            "sd_over_subjects": float(scores.std(ddof=1)) if len(scores) > 1 else nan,
            "n_subjects": len(scores),
            "n_windows": len(self.rows),
            "real_rows_used": float(self.folds["real_rows_used"].mean()),
            "real_labels_used": float(self.folds["real_labels_used"].mean()),
        }

    def to_frame(self) -> pd.DataFrame:
        """Give the predictions as a table: row, subject, fold, y_true, y_pred, one row a window."""
        columns = {"row": self.rows, "subject": self.groups, "fold": self.fold}
        return pd.DataFrame({**columns, "y_true": self.y_true, "y_pred": self.y_pred})


def predict_out_of_fold(
    estimator: BaseEstimator,
    X: Any,
    y: ArrayLike,
    *,
    cv: Any,
    groups: ArrayLike,
    sample_domain: ArrayLike | None = None,
    params: Mapping[str, ArrayLike] | None = None,
    n_jobs: int | None = None,
    verbose: int = 0,
    return_estimators: bool = False,
) -> OutOfFold:
    """Fit a clone on the training rows of each fold and predict the fold's test rows.

    Unlike scikit-learn's ``cross_val_predict`` it takes folds that do not test every row, because virtual rows train
    and are never tested. It refuses a leak: a subject who is tested may have no row, real or virtual, in training.

    Metadata routing is on while it runs, whatever the global setting: `sample_domain`, `groups` and `params` reach the
    steps whose ``fit`` or ``predict`` request them, in worker processes too. A deep classifier draws those who validate
    from `groups` of the training rows; `evaluate` gives it a validation subject's windows.

    A fold whose training rows lack a class of its test rows is predicted all the same: those windows are missed and
    the score counts them. What happens where training rows have one class only is up to the estimator: it predicts
    that class, or its error names the fold. A row is tested at most once, so that no window weighs double; to repeat a
    cross-validation, call this once a repetition.

    Parameters
    ----------
    estimator : estimator
        Cloned, never fitted itself.
    X : array-like of shape (n_rows, ...), or list of n_rows items
    y : array-like of shape (n_rows,)
    cv : splitter or iterable of (train, test)
        Its ``split`` is given groups, and sample_domain if it takes that, as `LeaveOneSubjectOut` does. Or row numbers
        or masks of each fold.
    groups : array-like of shape (n_rows,)
        Subject of each row.
    sample_domain : array-like of shape (n_rows,), optional
        0 real, 1 virtual; all real if None. It must be given where a step requests it in fit, zeros if all rows are
        real: a forgotten one would pass for real rows unseen.
    params : mapping, optional
        More metadata by name, each with one value a row; some step has to request it.
    n_jobs : int, optional
        Folds at a time.
    verbose : int
        1 shows a progress bar.
    return_estimators : bool
        Keep the fitted estimators.

    Returns
    -------
    OutOfFold

    Raises
    ------
    DataFormatError
        If lengths differ, values are missing, a row or subject is tested and trained on in one fold, a test row is
        virtual or tested twice, a fold has no training or no test rows, no step requests one of `params`, or a step
        requests a `sample_domain` that is not given.
    FoldError
        If the estimator fails in a fold; its cause is the original error (the text of it, from a worker process).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.model_selection import LeaveOneGroupOut
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> X = np.tile([[0.0], [1.0]], (6, 1))
    >>> y = np.tile(["sit", "walk"], 6)
    >>> groups = np.repeat(["ann", "bob", "eve"], 4)
    >>> result = predict_out_of_fold(DecisionTreeClassifier(), X, y, cv=LeaveOneGroupOut(), groups=groups)
    >>> result.macro_f1
    1.0
    >>> result.folds[["held_out", "n_test", "real_labels_used"]].iloc[0].tolist()
    ['ann', 4, 8]
    """
    if isinstance(X, WindowSet):
        raise DataFormatError("X is a WindowSet, not its array: pass windows.X, windows.y and groups=windows.groups.")
    y = check_labels("y", y)
    groups = check_labels("groups", groups, n_rows=len(y))
    if _num_samples(X) != len(y):
        raise DataFormatError(f"X has {_num_samples(X)} rows and y {len(y)}; each row needs its label.")
    virtual = check_sample_domain(sample_domain, len(y))
    folds = check_folds(_split(cv, X, y, groups, sample_domain), groups, virtual)
    metadata = _check_metadata(params, groups, sample_domain)
    with config_context(enable_metadata_routing=True):
        requested = _find_requests(estimator, metadata, required=params or (), any_virtual=bool(virtual.any()))
        jobs = [
            delayed(_fit_and_predict)(clone(estimator), X, y, fold, metadata, requested, return_estimators)
            for fold in folds
        ]
        done = list(show_progress(Parallel(n_jobs=n_jobs, return_as="generator")(jobs), len(jobs), verbose))
    return collect(folds, done, y, groups, return_estimators)


def _split(cv: Any, X: Any, y: np.ndarray, groups: np.ndarray, sample_domain: ArrayLike | None) -> Iterable[Any]:
    if isinstance(cv, type):
        raise DataFormatError(f"cv is the class {cv.__name__}: give an instance, {cv.__name__}(...).")
    if hasattr(cv, "split"):
        more = {"sample_domain": sample_domain} if "sample_domain" in signature(cv.split).parameters else {}
        with warnings.catch_warnings():
            # That KFold does not look at groups is found out below, by what it did.
            warnings.filterwarnings("ignore", "The groups parameter is ignored", UserWarning)
            return list(cv.split(X, y, groups=groups, **more))
    if isinstance(cv, Iterable):
        return cv
    raise DataFormatError(f"cv must be a splitter such as LeaveOneSubjectOut, or (train, test) pairs, not {cv!r}.")


def _check_metadata(
    params: Mapping[str, ArrayLike] | None, groups: np.ndarray, sample_domain: ArrayLike | None
) -> dict[str, np.ndarray]:
    metadata = {"groups": groups}
    if sample_domain is not None:
        metadata["sample_domain"] = np.asarray(sample_domain)
    for name, values in (params or {}).items():
        if name in ("groups", "sample_domain"):
            raise DataFormatError(f"Give {name} by its own argument, not in params.")
        metadata[name] = np.asarray(values)
        if metadata[name].shape[:1] != groups.shape:
            raise DataFormatError(
                f"params[{name!r}] needs one value for each of {len(groups)} rows; its shape is {metadata[name].shape}."
            )
    return metadata


def _find_requests(
    estimator: BaseEstimator, metadata: Mapping[str, Any], *, required: Iterable[str], any_virtual: bool
) -> dict[str, set[str]]:
    """Which metadata fit and predict request."""
    try:
        routing = get_routing_for_object(estimator)
    except NotImplementedError:
        # AdaBoost, for one, cannot say what it requests. Then nothing may depend on it.
        if any_virtual or tuple(required):
            raise
        return {"fit": set(), "predict": set()}
    if "sample_domain" not in metadata and routing.consumes("fit", ["sample_domain"]):
        raise DataFormatError(
            f"{type(estimator).__name__} requests sample_domain in fit, which is missing: pass "
            "sample_domain=windows.sample_domain (zeros if all rows are real)."
        )
    requested = {method: routing.consumes(method, metadata) for method in ("fit", "predict")}
    for name in required:
        if name not in requested["fit"] | requested["predict"]:
            raise DataFormatError(
                f"No step of {type(estimator).__name__} requests {name!r}, which is in params; ask for it with "
                f"set_fit_request({name}=True) on the step that uses it."
            )
    return requested


def _fit_and_predict(
    estimator: BaseEstimator,
    X: Any,
    y: np.ndarray,
    fold: Fold,
    metadata: Mapping[str, np.ndarray],
    requested: Mapping[str, set[str]],
    keep: bool,
) -> Outcome:
    def cut(method: str, rows: np.ndarray) -> dict[str, np.ndarray]:
        return {name: metadata[name][rows] for name in sorted(requested[method])}

    try:
        estimator.fit(_safe_indexing(X, fold.train), y[fold.train], **cut("fit", fold.train))
        predicted = estimator.predict(_safe_indexing(X, fold.test), **cut("predict", fold.test))
        predicted = check_labels("The prediction", predicted, n_rows=len(fold.test))
        used = real_data_used(estimator, fold.n_train_real)
    except Exception as error:
        raise FoldError(
            f"{type(estimator).__name__} failed in the fold that holds out {fold.held_out} ({fold.n_train_real} real "
            f"and {fold.n_train_virtual} virtual training rows): {type(error).__name__}: {error}"
        ) from error
    return Outcome(predicted, used, getattr(estimator, "classes_", None), estimator if keep else None)


def collect(folds: Sequence[Fold], done: Sequence[Outcome], y: np.ndarray, groups: np.ndarray, keep: bool) -> OutOfFold:
    """Put what the folds gave together."""
    rows = np.concatenate([fold.test for fold in folds])
    order = np.argsort(rows)
    rows = rows[order]
    y_pred = np.concatenate([outcome.predicted for outcome in done])[order]
    return OutOfFold(
        rows=rows,
        y_true=y[rows],
        y_pred=y_pred,
        groups=groups[rows],
        fold=np.repeat(np.arange(len(folds)), [len(fold.test) for fold in folds])[order],
        classes=np.unique(np.concatenate([y, y_pred])),
        folds=pd.DataFrame([fold.record(outcome, y) for fold, outcome in zip(folds, done, strict=True)]),
        estimators=tuple(outcome.estimator for outcome in done) if keep else None,
    )
