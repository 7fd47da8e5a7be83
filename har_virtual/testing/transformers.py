"""What scikit-learn's checks cannot ask of an estimator whose rows are videos or recordings."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone


def check_recording_transformer(transformer: BaseEstimator, X: Sequence[Any]) -> None:
    """Check a transformer that takes a list of clips, motions or recordings.

    It must clone, set and get its parameters, leave its parameters and input alone, give one result a row, give the
    same result when fitted again, when pickled, for a part of the rows and for the rows in another order, and with two
    jobs as with one.

    Parameters
    ----------
    transformer : estimator
        Not fitted.
    X : sequence
        At least two rows.

    Raises
    ------
    AssertionError
        With the name of the property that does not hold.
    """
    if len(X) < 2:
        raise ValueError("check_recording_transformer needs at least two rows.")
    before = {name: copy.deepcopy(value) for name, value in transformer.get_params(deep=False).items()}
    rows_before = copy.deepcopy(list(X))
    fitted = clone(transformer)
    expect(fitted.fit(X) is fitted, "fit returns the estimator itself")
    expected = fitted.transform(X)
    expect(len(expected) == len(X), "transform gives one result a row")
    expect(_same(expected, clone(transformer).fit_transform(X)), "fit_transform gives what fit and transform give")
    expect(_same(expected, fitted.fit(X).transform(X)), "fitting again changes nothing")
    expect(_same(expected, _pickled(fitted).transform(X)), "a pickled estimator gives the same")
    expect(_same(expected[1:], fitted.transform(X[1:])), "a row's result does not depend on the other rows")
    expect(_same(expected[::-1], fitted.transform(X[::-1])), "the order of rows does not matter")
    expect(_same(rows_before, list(X)), "transform leaves its input alone")
    after = fitted.get_params(deep=False)
    expect(_same(before, after), "fit and transform leave the parameters alone")
    if "n_jobs" in before:
        parallel = clone(transformer).set_params(n_jobs=2).fit(X)
        expect(_same(expected, parallel.transform(X)), "two jobs give what one gives")


def _pickled(estimator: BaseEstimator) -> BaseEstimator:
    return pickle.loads(pickle.dumps(estimator))


def expect(holds: bool, property_: str) -> None:
    """Raise an AssertionError that names a property, unless it holds."""
    if not holds:
        raise AssertionError(f"This does not hold: {property_}.")


def _same(first: Any, second: Any) -> bool:
    """Whether two values are equal in all that they hold."""
    if type(first) is not type(second):
        return False
    if dataclasses.is_dataclass(first):
        return all(_same(getattr(first, f.name), getattr(second, f.name)) for f in dataclasses.fields(first))
    if isinstance(first, BaseEstimator):
        return _same(first.get_params(deep=False), second.get_params(deep=False))
    if isinstance(first, Mapping):
        return first.keys() == second.keys() and all(_same(first[key], second[key]) for key in first)
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(_same(a, b) for a, b in zip(first, second, strict=True))
    if isinstance(first, np.ndarray):
        nan = np.issubdtype(first.dtype, np.inexact)
        return first.dtype == second.dtype and np.array_equal(first, second, equal_nan=nan)
    return bool(first is second or first == second or (first != first and second != second))
