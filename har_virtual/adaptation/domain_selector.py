"""DomainSelector: train on real rows, on virtual rows or on both, as a hyper-parameter."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, is_regressor
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import _num_samples

from har_virtual.adaptation._meta import TrainingRowsMetaEstimator, take_rows
from har_virtual.exceptions import DataFormatError
from har_virtual.windows.validation import check_sample_domain


class DomainSelector(TrainingRowsMetaEstimator):
    """Fit an estimator to the real rows, the virtual rows, or both (IMUTube's R2R, V2R and Mix2R).

    Rows are chosen in fit only; predict, score and the like are the fitted estimator's, for all rows.

    Parameters
    ----------
    estimator : estimator
        Usually a classifier. A clone of it is fitted.
    train_on : {"both", "real", "virtual"}, default="both"
        Domain of the training rows.
    virtual_ratio : float, optional
        With ``train_on="both"``: of each class at most so many virtual rows for each real row of that class, rounded
        down, are drawn without replacement. A class that has fewer keeps all; one without real rows loses its virtual
        ones. For one `random_state` the rows of a smaller ratio are among those of a larger one. Default: all.
    random_state : int or Generator, optional
        Of that draw.

    Attributes
    ----------
    estimator_ : estimator
        The fitted clone.
    classes_ : ndarray
        Labels that it knows.
    n_features_in_ : int
        Number of features, or of samples in a window.
    feature_names_in_ : ndarray of str
        Where X was a table.
    real_rows_used_, real_labels_used_ : int
        Real rows, and labels of real rows, among the training rows.

    See Also
    --------
    TrainOnly : A sampler or an augmentation on the training rows.

    Notes
    -----
    Within a Pipeline or a search `sample_domain` arrives by metadata routing,
    ``sklearn.set_config(enable_metadata_routing=True)``; DomainSelector requests it by default.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from har_virtual.adaptation import DomainSelector
    >>> X, y = np.array([[0.0], [1.0], [0.2], [5.0]]), np.array(["sit", "walk", "sit", "walk"])
    >>> model = DomainSelector(KNeighborsClassifier(1), train_on="virtual").fit(X, y, sample_domain=[0, 0, 1, 1])
    >>> model.predict([[1.0]]), model.real_rows_used_
    (array(['sit'], dtype='<U4'), 0)
    """

    _parameter_constraints: ClassVar[dict] = {
        "estimator": [HasMethods(["fit", "predict"])],
        "train_on": [StrOptions({"both", "real", "virtual"})],
        "virtual_ratio": [Interval(Real, 0, None, closed="neither"), None],
        "random_state": [Interval(Integral, 0, None, closed="left"), np.random.Generator, None],
    }

    def __init__(
        self,
        estimator: BaseEstimator,
        *,
        train_on: Literal["both", "real", "virtual"] = "both",
        virtual_ratio: float | None = None,
        random_state: int | np.random.Generator | None = None,
    ) -> None:
        self.estimator = estimator
        self.train_on = train_on
        self.virtual_ratio = virtual_ratio
        self.random_state = random_state

    def _training_rows(self, X: Any, y: Any, virtual: np.ndarray) -> tuple[Any, Any, np.ndarray]:
        if not is_regressor(self):
            _check_shared_labels(y, virtual)
        chosen = self.choose_rows(y, virtual)
        rows = np.flatnonzero(chosen)
        if not len(rows):
            raise DataFormatError(
                f"train_on={self.train_on!r}, virtual_ratio={self.virtual_ratio} leaves no row to train on: there are "
                f"{np.count_nonzero(~virtual)} real and {np.count_nonzero(virtual)} virtual rows. If there are more, "
                "pass sample_domain; within a Pipeline or a search it arrives only after "
                "sklearn.set_config(enable_metadata_routing=True)."
            )
        self.real_rows_used_ = self.real_labels_used_ = np.count_nonzero(chosen & ~virtual)
        if chosen.all():
            return X, y, rows
        return take_rows(X, rows), take_rows(y, rows), rows

    def choose_rows(self, y: ArrayLike, sample_domain: ArrayLike | None = None) -> np.ndarray:
        """Say which rows fit would train on.

        Parameters
        ----------
        y : array-like of shape (n_rows,)
        sample_domain : array-like of shape (n_rows,), optional
            0 for real, 1 for virtual rows; missing means that all are real.

        Returns
        -------
        ndarray of bool of shape (n_rows,)
        """
        check_consistent_length(y, sample_domain)
        virtual = check_sample_domain(sample_domain, _num_samples(y if sample_domain is None else sample_domain))
        if self.train_on != "both":
            return virtual if self.train_on == "virtual" else ~virtual
        if self.virtual_ratio is None or not virtual.any():
            return np.ones_like(virtual)
        labels, rng = column_or_1d(y), np.random.default_rng(self.random_state)
        chosen = ~virtual
        for label in np.unique(labels[virtual]):
            own = labels == label
            # 0.29 * 100 is 28.999999999999996.
            n_kept = int(self.virtual_ratio * np.count_nonzero(own & ~virtual) + 1e-9)
            chosen[rng.permutation(np.flatnonzero(own & virtual))[:n_kept]] = True
        return chosen


def _check_shared_labels(y: Any, virtual: np.ndarray) -> None:
    """Refuse domains that have no label in common: one of them must spell its labels otherwise."""
    labels = np.asarray(y)
    if labels.shape != virtual.shape:
        return
    of_real, of_virtual = (set(pd.unique(labels[side & ~pd.isna(labels)])) for side in (~virtual, virtual))
    if of_real and of_virtual and not of_real & of_virtual:
        raise DataFormatError(
            f"Real and virtual rows have no label in common: the real ones are {_name(of_real)}, the virtual ones "
            f"{_name(of_virtual)}. Spell them alike."
        )


def _name(labels: set[Any]) -> str:
    shown = sorted(map(str, labels))
    return ", ".join(shown[:10]) + (f" and {len(shown) - 10} more" if len(shown) > 10 else "")
