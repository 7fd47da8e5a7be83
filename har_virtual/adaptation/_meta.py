"""What the meta-estimators share: they choose or change the rows that the wrapped estimator is fitted to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from copy import deepcopy
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn import get_config
from sklearn.base import BaseEstimator, MetaEstimatorMixin, _fit_context, clone
from sklearn.utils import Tags, _safe_indexing, get_tags, indexable
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, get_routing_for_object, process_routing
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _num_samples, check_is_fitted, has_fit_parameter

from har_virtual.exceptions import DataFormatError
from har_virtual.windows.validation import check_sample_domain


def take_rows(values: Any, rows: np.ndarray) -> Any:
    """Index anything that has rows; None stays None."""
    return None if values is None else _safe_indexing(values, rows)


def names_per_row(params: Mapping[str, Any], n_rows: int) -> list[str]:
    """Name the parameters that have an entry for each row.

    One whose name ends in ``_val``, such as X_val, belongs to other rows, of which there may be as many.
    """
    own = {name: value for name, value in params.items() if not name.endswith("_val")}
    return [name for name, value in own.items() if _has_rows(value) and _num_samples(value) == n_rows]


def _has_rows(value: Any) -> bool:
    return isinstance(value, (list, tuple)) or len(getattr(value, "shape", ())) > 0


def requested_in_fit(estimator: Any, names: Collection[str]) -> set[str]:
    """Say which of some metadata the fit of an estimator, or of anything inside it, requests from metadata routing."""
    try:
        return set(get_routing_for_object(estimator).consumes("fit", names))
    except NotImplementedError:
        # AdaBoost, for one, cannot say what it requests; what is inside it, or stands beside it in a Pipeline, can.
        return {name for part in estimator.get_params().values() for name in requested_in_fit(part, names)}


def _where_wrapped(method: Callable) -> Any:
    """Offer a method only where the wrapped estimator has it."""
    return available_if(lambda self: hasattr(getattr(self, "estimator_", self.estimator), method.__name__))(method)


class TrainingRowsMetaEstimator(MetaEstimatorMixin, BaseEstimator):
    """Fit a clone of `estimator` to other rows than those given; all else is the fitted clone's."""

    __metadata_request__fit: ClassVar[dict[str, bool]] = {"sample_domain": True}

    estimator: BaseEstimator

    def _training_rows(self, X: Any, y: Any, virtual: np.ndarray) -> tuple[Any, Any, np.ndarray | None]:
        """Give X and y to train on, and the given row that each comes from; None where rows are made up."""
        raise NotImplementedError

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: ArrayLike, *, sample_domain: ArrayLike | None = None, **params: Any) -> Self:
        """Choose the training rows, and fit a clone of the estimator to them.

        Parameters
        ----------
        X : array-like or list, of n_rows rows
            Of any number of dimensions that the wrapped estimator takes.
        y : array-like of shape (n_rows,)
            Labels.
        sample_domain : array-like of shape (n_rows,), optional
            0 for real, 1 for virtual rows; missing means that all are real. The wrapped estimator gets it if it asks
            for it.
        **params
            Parameters of the wrapped estimator's fit: those that it requests where metadata routing is on, all where it
            is off. One with an entry for each row, such as sample_weight, goes with the rows; one whose name ends in
            ``_val``, such as X_val, is of other rows and passes as it is.

        Returns
        -------
        self

        Raises
        ------
        DataFormatError
            If `sample_domain` does not fit X, the rows asked for do not exist, or the wrapped estimator is a Pipeline,
            a search or the like in which a step requests `sample_domain` while metadata routing is off.
        ValueError
            As the wrapped estimator raises it.
        """
        X, y = indexable(X, y)
        n_rows = _num_samples(X)
        virtual = check_sample_domain(sample_domain, n_rows)
        params = self._routed("fit", params if sample_domain is None else params | {"sample_domain": sample_domain})
        X, y, rows = self._training_rows(X, y, virtual)
        self.estimator_ = clone(self.estimator).fit(X, y, **self._follow(params, rows, n_rows))
        return self

    def _routed(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        if get_config()["enable_metadata_routing"]:
            return dict(process_routing(self, method, **params)["estimator"][method])
        if method == "fit" and not has_fit_parameter(self.estimator, "sample_domain"):
            if np.any(params.get("sample_domain", 0)) and requested_in_fit(self.estimator, ["sample_domain"]):
                name = type(self.estimator).__name__
                raise DataFormatError(
                    f"The {name} in {type(self).__name__} has a step that requests sample_domain, but a {name} hands "
                    "it on by metadata routing only, which is off: call "
                    "sklearn.set_config(enable_metadata_routing=True) before fit."
                )
            return {name: value for name, value in params.items() if name != "sample_domain"}
        return dict(params)

    def _follow(self, params: Mapping[str, Any], rows: Any, n_rows: int) -> dict[str, Any]:
        """Let what has an entry for each given row go with the rows."""
        per_row = names_per_row(params, n_rows)
        return {name: take_rows(value, rows) if name in per_row else value for name, value in params.items()}

    @_where_wrapped
    def predict(self, X: Any, **params: Any) -> np.ndarray:
        """Predict the label of each row, by the fitted estimator; no row is left out."""
        return self._ask("predict", X, **params)

    @_where_wrapped
    def predict_proba(self, X: Any, **params: Any) -> np.ndarray:
        """Predict the probability of each class, in the order of `classes_`, by the fitted estimator."""
        return self._ask("predict_proba", X, **params)

    @_where_wrapped
    def predict_log_proba(self, X: Any, **params: Any) -> np.ndarray:
        """Predict the logarithm of each class's probability, by the fitted estimator."""
        return self._ask("predict_log_proba", X, **params)

    @_where_wrapped
    def decision_function(self, X: Any, **params: Any) -> np.ndarray:
        """Give the decision function, by the fitted estimator."""
        return self._ask("decision_function", X, **params)

    @_where_wrapped
    def score(self, X: Any, y: ArrayLike | None = None, **params: Any) -> float:
        """Score the predictions as the fitted estimator does."""
        return self._ask("score", X, y, **params)

    def _ask(self, method: str, *data: Any, **params: Any) -> Any:
        check_is_fitted(self, "estimator_")
        return getattr(self.estimator_, method)(*data, **self._routed(method, params))

    @property
    def classes_(self) -> np.ndarray:
        """Labels that the fitted estimator knows."""
        return self.estimator_.classes_

    @property
    def n_features_in_(self) -> int:
        """Number of features, or of samples in a window, in fit."""
        return self.estimator_.n_features_in_

    @property
    def feature_names_in_(self) -> np.ndarray:
        """Names of the features in fit, where X was a table."""
        return self.estimator_.feature_names_in_

    def get_metadata_routing(self) -> MetadataRouter:
        """Say which parameters go where: `sample_domain` in fit stops here, too, all others pass to `estimator`.

        Returns
        -------
        MetadataRouter
        """
        methods = MethodMapping()
        for method in ("fit", "predict", "predict_proba", "predict_log_proba", "decision_function", "score"):
            methods.add(caller=method, callee=method)
        router = MetadataRouter(owner=type(self).__name__).add_self_request(self)
        return router.add(estimator=self.estimator, method_mapping=methods)

    def __sklearn_tags__(self) -> Tags:
        tags = deepcopy(get_tags(self.estimator))
        # Rows are chosen by numpy, and each has one label.
        tags.array_api_support = tags.target_tags.two_d_labels = tags.target_tags.multi_output = False
        if tags.classifier_tags is not None:
            tags.classifier_tags.multi_label = False
        return tags
