"""How many real rows and labels a fitted recogniser depends on: virtual-to-real is seldom free of real data."""

from __future__ import annotations

from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.feature_selection import SelectorMixin
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.utils import get_tags


def real_data_used(estimator: BaseEstimator, n_real_rows: int) -> tuple[int, int]:
    """Count the real training rows, and the labels of such rows, on which a fitted estimator depends.

    - An estimator with ``real_rows_used_`` and ``real_labels_used_`` says it itself, for all that is inside it.
    - A Pipeline, FeatureUnion or ColumnTransformer, and a meta-estimator with an ``estimator_``, depends on as many as
      that of its parts which depends on most.
    - An estimator whose tags say ``requires_fit=False`` depends on none.
    - Any other depends on all rows, and on all labels if it predicts, selects features or has tags that require y
      (clusters and outliers need none). So does a search over parameters, which chose by the scores of real rows.

    Another transformer that uses labels without requiring them, and a meta-estimator that learns from more than its
    ``estimator_``, must say it themselves.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    n_real_rows : int
        Number of real rows that it was given.

    Returns
    -------
    rows, labels : int
    """
    if hasattr(estimator, "real_rows_used_"):
        return int(estimator.real_rows_used_), int(estimator.real_labels_used_)
    parts = _parts(estimator)
    if parts is not None:
        used = [real_data_used(part, n_real_rows) for part in parts] or [(0, 0)]
        return max(rows for rows, _ in used), max(labels for _, labels in used)
    if not hasattr(estimator, "__sklearn_tags__"):
        return n_real_rows, n_real_rows
    tags = get_tags(estimator)
    if not tags.requires_fit:
        return 0, 0
    predicts = hasattr(estimator, "predict") and tags.estimator_type not in ("clusterer", "outlier_detector")
    # SelectKBest uses y though its tags do not require it.
    labelled = predicts or tags.target_tags.required or isinstance(estimator, SelectorMixin)
    return n_real_rows, n_real_rows if labelled else 0


def _parts(estimator: BaseEstimator) -> list[BaseEstimator] | None:
    if isinstance(estimator, Pipeline):
        parts = [step for _, step in estimator.steps]
    elif isinstance(estimator, FeatureUnion):
        parts = [transformer for _, transformer in estimator.transformer_list]
    elif isinstance(estimator, ColumnTransformer):
        parts = [transformer for _, transformer, _ in estimator.transformers_]
    elif hasattr(estimator, "estimator_"):
        parts = [estimator.estimator_]
    else:
        return None
    return [part for part in parts if part is not None and not isinstance(part, str)]
