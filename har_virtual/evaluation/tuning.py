"""Choose a classifier's parameters on validation rows, with forests read off prefixes of their trees."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from itertools import product
from numbers import Integral, Real
from operator import itemgetter
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.utils import check_array
from sklearn.utils.validation import _num_samples

from har_virtual.adaptation import DomainSelector, TrainOnly
from har_virtual.evaluation.metrics import check_labels, macro_f1
from har_virtual.exceptions import DataFormatError, UnknownNameError

FOREST_GRID: Mapping[str, Sequence[Any]] = {
    "n_estimators": (3, 5, 10, 20, 30, 50),
    "min_samples_leaf": (1, 2, 5, 10, 20, 50),
}
"""IMUTube's ranges for a random forest (section 3.1: 3 to 50 trees, leaves of 1 to 50); the steps are ours."""

_TREES, _LEAF = "n_estimators", "min_samples_leaf"
_FIRST = (_TREES, _LEAF)
_WRAPPERS = (DomainSelector, TrainOnly)


@dataclass(frozen=True, eq=False)
class Tuned:
    """The best of a grid; `tune_on_validation` makes it.

    Parameters
    ----------
    estimator : estimator
        Fitted to the training rows, with the best parameters.
    params : dict
        The best value of each parameter of the grid.
    validation_f1 : float
        Macro-F1 of the validation rows with them. It was chosen to be high: no estimate for new people.
    scores : DataFrame
        One row a combination, in the order in which ties are decided: a column for each parameter, and ``macro_f1``.
    """

    estimator: BaseEstimator
    params: dict[str, Any]
    validation_f1: float
    scores: pd.DataFrame


def tune_on_validation(
    estimator: BaseEstimator,
    grid: Mapping[str, Sequence[Any]],
    X: Any,
    y: ArrayLike,
    X_validation: Any,
    y_validation: ArrayLike,
    **fit_params: Any,
) -> Tuned:
    """Fit every combination of a grid to the training rows, and keep the one with the highest macro-F1 on others.

    Nothing is fitted again with the validation rows: they choose, and the training rows alone train, as in IMUTube
    (13 of 15 subjects train).

    Combinations are tried with the fewest trees first (`n_estimators`), then the largest leaves (`min_samples_leaf`),
    then the other parameters as the grid gives them; of combinations that score alike the first is kept.

    A RandomForestClassifier or ExtraTreesClassifier with an int `random_state` grows the same first trees whatever
    their number. So one forest with the most trees is fitted for each combination of the other parameters, and smaller
    ones are its first trees: predictions and choice are those of separate fits. With `warm_start` or `oob_score`, or
    where `random_state` is no int, each combination is fitted by itself, as are all other classifiers.

    Parameters
    ----------
    estimator : estimator
        A classifier, or a `DomainSelector` or `TrainOnly` around one. A clone is fitted.
    grid : mapping of str to sequence
        Parameters of the classifier by its own names (``min_samples_leaf``, of a Pipeline ``svc__C``), and the values
        to try.
    X : array-like of shape (n_rows, n_features)
        Training rows.
    y : array-like of shape (n_rows,)
        Their labels.
    X_validation : array-like of shape (n_validation, n_features)
        Rows of subjects who neither train nor are tested: `SubjectFold.validation`.
    y_validation : array-like of shape (n_validation,)
        Their labels. The score is over the classes among them; a class that does not train is missed.
    **fit_params
        For the estimator's fit: ``sample_domain=`` for a `DomainSelector`.

    Returns
    -------
    Tuned

    Raises
    ------
    DataFormatError
        If the grid or the values of a parameter are empty, are no mapping or no sequences, or there are no validation
        rows.
    UnknownNameError
        If the classifier does not have a parameter.
    ValueError
        As the classifier raises it, for a value that it cannot take.

    See Also
    --------
    har_virtual.model_selection.subject_folds : Who trains, validates and is tested.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from har_virtual.evaluation.tuning import tune_on_validation
    >>> X, y = np.arange(20.0)[:, None], np.repeat(["sit", "walk"], 10)
    >>> grid = {"n_estimators": (1, 5), "min_samples_leaf": (1, 10)}
    >>> tuned = tune_on_validation(RandomForestClassifier(random_state=0), grid, X, y, [[3.0], [16.0]], ["sit", "walk"])
    >>> tuned.params, tuned.validation_f1, len(tuned.scores)
    ({'n_estimators': 1, 'min_samples_leaf': 1}, 1.0, 4)
    """
    combinations = combine_grid(grid, estimator)
    n_sizes = len(grid.get(_TREES, (None,)))
    y_validation = check_labels("y_validation", y_validation)
    if _num_samples(X_validation) != len(y_validation):
        raise DataFormatError(
            f"X_validation has {_num_samples(X_validation)} rows and y_validation {len(y_validation)}; each row needs "
            "its label."
        )
    best = (np.inf, 0), estimator
    scores = np.zeros(len(combinations))
    for number, fitted, predicted in _fit_all(estimator, combinations, n_sizes, X, y, X_validation, fit_params):
        scores[number] = macro_f1(y_validation, predicted)
        # Rounded, as sums of the same terms in another order differ in their last bits.
        rank = (-round(scores[number], 12), number)
        best = min(best, (rank, fitted), key=itemgetter(0))
    (_, number), fitted = best
    return Tuned(fitted, combinations[number], float(scores[number]), _tabulate(combinations).assign(macro_f1=scores))


def _tabulate(combinations: list[dict[str, Any]]) -> pd.DataFrame:
    # A None among numbers would become NaN.
    frame = pd.DataFrame(combinations, dtype=object)
    return frame.astype(frame.dropna(axis="columns").infer_objects().dtypes)


def _classifier(estimator: BaseEstimator) -> BaseEstimator:
    """Give the classifier inside; fitted if `estimator` is."""
    while isinstance(estimator, _WRAPPERS):
        estimator = getattr(estimator, "estimator_", estimator.estimator)
    return estimator


def combine_grid(grid: Mapping[str, Sequence[Any]], estimator: BaseEstimator) -> list[dict[str, Any]]:
    """Give the combinations of a grid for a classifier, in the order in which ties are decided.

    Raises
    ------
    DataFormatError, UnknownNameError
        As `tune_on_validation`.
    """
    classifier = _classifier(estimator)
    if not isinstance(grid, Mapping) or not grid:
        raise DataFormatError(f"grid must map parameters to the values to try, as FOREST_GRID does, not {grid!r}.")
    known = classifier.get_params()
    unknown = [name for name in grid if name not in known]
    if unknown:
        raise UnknownNameError(
            f"{type(classifier).__name__} has no parameter {unknown} of the grid; it has {', '.join(sorted(known))}."
        )
    values = {name: _values(name, given) for name, given in grid.items()}
    order = sorted(values, key=lambda name: _FIRST.index(name) if name in _FIRST else len(_FIRST))
    return [
        {name: chosen[order.index(name)] for name in values} for chosen in product(*(values[name] for name in order))
    ]


def _values(name: str, given: Any) -> list[Any]:
    """Give the values of a parameter, in the order in which ties are decided."""
    if isinstance(given, (str, bytes)) or not isinstance(given, (Sequence, np.ndarray)) or not len(given):
        raise DataFormatError(f"grid[{name!r}] must be the values to try, at least one, such as (1, 5), not {given!r}.")
    values = given.tolist() if isinstance(given, np.ndarray) else list(given)
    if name in _FIRST and all(isinstance(value, Real) for value in values):
        return sorted(values, reverse=name == _LEAF)
    return values


def _fit_all(
    estimator: BaseEstimator,
    combinations: list[dict[str, Any]],
    n_sizes: int,
    X: Any,
    y: ArrayLike,
    X_validation: Any,
    fit_params: Mapping[str, Any],
) -> Iterator[tuple[int, BaseEstimator, np.ndarray]]:
    """Give the number, the fitted estimator and the predictions of each combination, all sizes of a forest together."""
    n_forests = len(combinations) // n_sizes
    for first in range(n_forests):
        numbers = range(first, len(combinations), n_forests)
        sizes: list[Any] = [combinations[number].get(_TREES) for number in numbers]
        if not _grow_alike(_classifier(_with(estimator, combinations[first])), sizes):
            for number in numbers:
                fitted = _with(estimator, combinations[number]).fit(X, y, **fit_params)
                yield number, fitted, fitted.predict(X_validation)
            continue
        largest = _with(estimator, combinations[first] | {_TREES: max(sizes)}).fit(X, y, **fit_params)
        predicted = _predict_by_size(_classifier(largest), X_validation, sizes)
        for number, size in zip(numbers, sizes, strict=True):
            yield number, _first_trees(largest, size), predicted[size]


def _with(estimator: BaseEstimator, params: Mapping[str, Any]) -> BaseEstimator:
    """Give a clone whose classifier has other parameters."""
    copied = clone(estimator)
    _classifier(copied).set_params(**params)
    return copied


def _grow_alike(classifier: BaseEstimator, sizes: Sequence[Any]) -> bool:
    """Whether forests of these sizes have their first trees in common."""
    # Subclasses may draw otherwise.
    return (
        type(classifier) in (RandomForestClassifier, ExtraTreesClassifier)
        and isinstance(classifier.random_state, Integral)
        and not classifier.warm_start
        and not classifier.oob_score
        and all(isinstance(size, (int, np.integer)) and size > 0 for size in sizes)
    )


def _predict_by_size(forest: BaseEstimator, X: Any, sizes: Collection[int]) -> dict[int, np.ndarray]:
    """Give what the forest of the first so many trees predicts; each tree is asked once."""
    X = check_array(X, accept_sparse="csr", dtype=np.float32, ensure_all_finite=False)
    votes = np.zeros((X.shape[0], len(forest.classes_)))
    predicted = {}
    for size, tree in enumerate(forest.estimators_, start=1):
        votes += tree.predict_proba(X)
        if size in sizes:
            # The forest's own arithmetic, so that ties fall alike.
            predicted[size] = forest.classes_[np.argmax(votes / size, axis=1)]
    return predicted


def _first_trees(fitted: BaseEstimator, size: int) -> BaseEstimator:
    """Give the fitted estimator with a forest of the first trees only, which are shared."""
    smaller = copy(fitted)
    if isinstance(fitted, _WRAPPERS):
        smaller.estimator = _with(fitted.estimator, {_TREES: size})
        smaller.estimator_ = _first_trees(fitted.estimator_, size)
    else:
        smaller.set_params(**{_TREES: size}).estimators_ = fitted.estimators_[:size]
    return smaller
