"""What scikit-learn's checks cannot ask of an estimator whose rows are videos or recordings."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Sequence
from typing import Any

from sklearn.base import BaseEstimator, clone

from har_virtual.testing._expectations import expect, same


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
    expect(same(expected, clone(transformer).fit_transform(X)), "fit_transform gives what fit and transform give")
    expect(same(expected, fitted.fit(X).transform(X)), "fitting again changes nothing")
    expect(same(expected, _pickled(fitted).transform(X)), "a pickled estimator gives the same")
    expect(same(expected[1:], fitted.transform(X[1:])), "a row's result does not depend on the other rows")
    expect(same(expected[::-1], fitted.transform(X[::-1])), "the order of rows does not matter")
    expect(same(rows_before, list(X)), "transform leaves its input alone")
    after = fitted.get_params(deep=False)
    expect(same(before, after), "fit and transform leave the parameters alone")
    if "n_jobs" in before:
        parallel = clone(transformer).set_params(n_jobs=2).fit(X)
        expect(same(expected, parallel.transform(X)), "two jobs give what one gives")


def _pickled(estimator: BaseEstimator) -> BaseEstimator:
    return pickle.loads(pickle.dumps(estimator))
