"""TrainOnly: a sampler or an augmentation that acts on the training rows, and on no others."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.utils import Tags, assert_all_finite, check_array, column_or_1d, get_tags
from sklearn.utils._param_validation import HasMethods, Interval

from har_virtual.adaptation._meta import TrainingRowsMetaEstimator, names_per_row, take_rows
from har_virtual.checks import check_augmentation
from har_virtual.exceptions import DataFormatError


class TrainOnly(TrainingRowsMetaEstimator):
    """Resample or augment the rows that an estimator is fitted to; predict, score and the like see rows as they are.

    Parameters
    ----------
    step : sampler or callable
        A sampler has ``fit_resample(X, y)``, as those of imbalanced-learn; windows of three dimensions are flattened
        for it. Its random state is its own. A callable is an augmentation, ``step(X, rng) -> X`` of the same shape; it
        gets a copy.
    estimator : estimator
        Usually a classifier. A clone of it is fitted.
    n_copies : int, default=1
        How often all rows are augmented.
    keep_original : bool, default=True
        Whether the rows as they are come before the augmented ones.
    random_state : int or Generator, optional
        Of the augmentation.

    Attributes
    ----------
    estimator_ : estimator
        The fitted clone.
    step_ : sampler
        The fitted clone of a sampler.
    classes_ : ndarray
        Labels that the estimator knows.
    n_features_in_ : int
        Number of features, or of samples in a window.
    feature_names_in_ : ndarray of str
        Where X was a table.
    real_rows_used_, real_labels_used_ : int
        Real rows given in fit: the step may have looked at all of them.

    See Also
    --------
    DomainSelector : Train on real rows, virtual rows or both.

    Notes
    -----
    Parameters of fit with an entry for each row follow the rows: repeated with augmented ones, by the sampler's
    `sample_indices_` with resampled ones. A sampler that makes rows up (SMOTE) has no `sample_indices_`, and such a
    parameter is an error then. So choose rows by domain first: ``DomainSelector(TrainOnly(SMOTE(), estimator))``.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from har_virtual.adaptation import TrainOnly
    >>> def jitter(X, rng):
    ...     return X + rng.normal(scale=0.1, size=X.shape)
    >>> X, y = np.array([[0.0], [1.0]]), np.array(["sit", "walk"])
    >>> model = TrainOnly(jitter, KNeighborsClassifier(1), n_copies=4, random_state=0).fit(X, y)
    >>> model.estimator_.n_samples_fit_, model.predict([[0.9]])
    (10, array(['walk'], dtype='<U4'))
    """

    _parameter_constraints: ClassVar[dict] = {
        "step": [HasMethods("fit_resample"), callable],
        "estimator": [HasMethods(["fit", "predict"])],
        "n_copies": [Interval(Integral, 1, None, closed="left")],
        "keep_original": ["boolean"],
        "random_state": [Interval(Integral, 0, None, closed="left"), np.random.Generator, None],
    }

    def __init__(
        self,
        step: Any,
        estimator: BaseEstimator,
        *,
        n_copies: int = 1,
        keep_original: bool = True,
        random_state: int | np.random.Generator | None = None,
    ) -> None:
        self.step = step
        self.estimator = estimator
        self.n_copies = n_copies
        self.keep_original = keep_original
        self.random_state = random_state

    def _training_rows(self, X: Any, y: Any, virtual: np.ndarray) -> tuple[Any, Any, np.ndarray | None]:
        if isinstance(self.step, type) or not hasattr(self.step, "fit_resample"):
            check_augmentation("step", self.step)
        self.real_rows_used_ = self.real_labels_used_ = np.count_nonzero(~virtual)
        return self._resample(X, y) if hasattr(self.step, "fit_resample") else self._augment(X, y)

    def _resample(self, X: Any, y: Any) -> tuple[Any, Any, np.ndarray | None]:
        self.step_ = clone(self.step, safe=False)
        y = column_or_1d(y, warn=True)
        assert_all_finite(y, input_name="y")
        if getattr(X, "ndim", 2) == 3:
            flat, y = self.step_.fit_resample(X.reshape(len(X), -1), y)
            X = flat.reshape(-1, *X.shape[1:])
        else:
            X, y = self.step_.fit_resample(X, y)
        return X, y, getattr(self.step_, "sample_indices_", None)

    def _augment(self, X: Any, y: Any) -> tuple[Any, Any, np.ndarray]:
        rng = np.random.default_rng(self.random_state)
        given = check_array(X, allow_nd=True, ensure_all_finite=False, estimator=self, input_name="X")
        copies = [given] * bool(self.keep_original) + [self._augmented(given, rng) for _ in range(self.n_copies)]
        rows = np.tile(np.arange(len(given)), len(copies))
        windows = np.concatenate(copies)
        if isinstance(X, pd.DataFrame):
            windows = pd.DataFrame(windows, columns=X.columns)
        return windows, take_rows(y, rows), rows

    def _augmented(self, X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        augmented = np.asarray(self.step(X.copy(), rng))
        if augmented.shape != X.shape:
            raise DataFormatError(
                f"The augmentation gave shape {augmented.shape} for X of shape {X.shape}; it must keep the shape. What "
                "changes the number of rows is a sampler, an object with fit_resample(X, y)."
            )
        return augmented.astype(X.dtype, copy=False) if X.dtype.kind == "f" else augmented

    def _follow(self, params: Mapping[str, Any], rows: np.ndarray | None, n_rows: int) -> dict[str, Any]:
        names = names_per_row(params, n_rows) if rows is None else []
        if names:
            step = type(self.step).__name__
            raise DataFormatError(
                f"{step} makes rows up, for which {', '.join(names)} has no values. Take a sampler that repeats or "
                f"drops rows (one with sample_indices_), or let what needs {names[0]} stand outside, as in "
                f"DomainSelector(TrainOnly({step}(), estimator))."
            )
        return dict(params) if rows is None else super()._follow(params, rows, n_rows)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        if not hasattr(self.step, "fit_resample"):
            tags.input_tags.sparse = False
        elif isinstance(self.step, BaseEstimator):
            step = get_tags(self.step).input_tags
            tags.input_tags.sparse &= step.sparse
            tags.input_tags.allow_nan &= step.allow_nan
        return tags
