"""Tuning: training rows train, validation rows choose, test rows stay unseen; small forests are parts of large ones."""

from __future__ import annotations

import itertools
import pickle

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.metrics import f1_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from har_virtual.adaptation import DomainSelector, TrainOnly
from har_virtual.evaluation.real_data import real_data_used
from har_virtual.evaluation.tuning import FOREST_GRID, tune_on_validation
from har_virtual.exceptions import DataFormatError, UnknownNameError
from har_virtual.model_selection import HoldOut, SubjectFold, subject_folds

rng = np.random.default_rng(0)
CLASSES = np.array(["run", "sit", "walk"])
Y, Y_VALIDATION = (CLASSES[rng.integers(0, 3, n)] for n in (120, 60))
# Noisy, so that scores differ between forests and votes tie within them.
X, X_VALIDATION = (
    np.searchsorted(CLASSES, labels)[:, None] + rng.normal(0, 1.2, (len(labels), 4)) for labels in (Y, Y_VALIDATION)
)
DOMAIN = np.repeat([0, 1], 60)
GRID = {"n_estimators": (1, 3, 7), "min_samples_leaf": (1, 8)}


class SpyClassifier(ClassifierMixin, BaseEstimator):
    """Write down the rows that it is fitted to and asked about; their numbers are the first feature."""

    fitted_to: list[set[int]]
    asked_about: list[set[int]]

    def __init__(self, *, threshold=0):
        self.threshold = threshold

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        SpyClassifier.fitted_to.append(set(X[:, 0].astype(int)))
        return self

    def predict(self, X):
        SpyClassifier.asked_about.append(set(X[:, 0].astype(int)))
        return np.where(X[:, 1] > self.threshold, "walk", "sit")


@pytest.fixture
def spy():
    SpyClassifier.fitted_to, SpyClassifier.asked_about = [], []
    return SpyClassifier()


def tune(estimator, grid, **changes):
    given = {"X": X, "y": Y, "X_validation": X_VALIDATION, "y_validation": Y_VALIDATION} | changes
    return tune_on_validation(estimator, grid, **given)


def forest(**parameters):
    return RandomForestClassifier(**({"random_state": 0} | parameters))


def tune_one_by_one(estimator, grid, prefix="", **fit_params):
    """What separate fits predict and score, by combination."""
    found = {}
    for values in itertools.product(*grid.values()):
        own = clone(estimator).set_params(**{prefix + name: v for name, v in zip(grid, values, strict=True)})
        predicted = own.fit(X, Y, **fit_params).predict(X_VALIDATION)
        found[values] = (own, f1_score(Y_VALIDATION, predicted, average="macro", zero_division=0))
    return found


# People of the spy's data: their real rows, then rows made from their videos, and a person from videos only.
PEOPLE = np.repeat(["d/1", "d/2", "d/3", "d/4", "d/1", "d/2", "d/3", "d/4", "video:1f/0"], 8)
MADE = np.repeat([0, 1], [32, 40])
ROWS = np.column_stack([np.arange(72.0), np.tile([-1.0, 1.0], 36)])
LABELS = np.where(ROWS[:, 1] > 0, "walk", "sit")


def run_fold(spy, fold, train_on="both"):
    return tune_on_validation(
        DomainSelector(spy, train_on=train_on),
        {"threshold": (-2.0, 0.0, 2.0)},
        ROWS[fold.train],
        LABELS[fold.train],
        ROWS[fold.validation],
        LABELS[fold.validation],
        sample_domain=MADE[fold.train],
    )


@pytest.mark.parametrize("how", [{"validate": True}, {"hold_out": HoldOut("d/3", ("d/1", "d/4"))}])
@pytest.mark.parametrize(
    "budget", [{}, {"real_seconds_per_class": 3, "window_step_s": 1, "max_block_s": 1, "random_state": 0}]
)
def test_a_spy_is_fitted_to_others_chosen_by_those_who_validate_and_never_shown_those_who_are_tested(spy, how, budget):
    for fold in subject_folds(LABELS, PEOPLE, MADE, **how, **budget):
        SpyClassifier.fitted_to.clear()
        SpyClassifier.asked_about.clear()
        tuned = run_fold(spy, fold)
        trained, asked = set.union(*SpyClassifier.fitted_to), set.union(*SpyClassifier.asked_about)
        assert asked == {row for row in range(32) if PEOPLE[row] in fold.validated}
        assert trained == set(fold.train) and len(SpyClassifier.fitted_to) == 3
        assert {PEOPLE[row] for row in trained}.isdisjoint([*fold.tested, *fold.validated])
        assert {PEOPLE[row] for row in asked}.isdisjoint(fold.tested)
        tuned.estimator.predict(ROWS[fold.test])
        shown = SpyClassifier.asked_about[-1]
        assert shown == {row for row in range(32) if PEOPLE[row] in fold.tested}
        assert shown.isdisjoint(trained | asked)


def test_a_planted_overlap_of_those_who_validate_and_those_who_are_tested_is_refused():
    with pytest.raises(DataFormatError, match="both validated and tested"):
        subject_folds(LABELS, PEOPLE, MADE, hold_out=HoldOut("d/1", ("d/1", "d/4")))
    fold, *_ = subject_folds(LABELS, PEOPLE, MADE, validate=True)
    with pytest.raises(DataFormatError, match=r"8 rows are in more than one part, row 0 in \['validation', 'test'\]"):
        SubjectFold(fold.train, fold.test, fold.test, fold.validated, fold.tested)


def test_the_test_rows_do_not_sway_the_choice(spy):
    fold, *_ = subject_folds(LABELS, PEOPLE, MADE, validate=True)
    before = run_fold(spy, fold).scores
    turned = ROWS.copy()
    turned[fold.test, 1] *= -1
    given = turned[fold.train], LABELS[fold.train], turned[fold.validation], LABELS[fold.validation]
    after = tune_on_validation(DomainSelector(spy), {"threshold": (-2.0, 0.0, 2.0)}, *given).scores
    pd.testing.assert_frame_equal(before, after)


def test_only_the_rows_of_the_chosen_domain_train(spy):
    fold, *_ = subject_folds(LABELS, PEOPLE, MADE, validate=True)
    for train_on, domain in [("real", 0), ("virtual", 1)]:
        SpyClassifier.fitted_to.clear()
        assert run_fold(spy, fold, train_on).params == {"threshold": 0.0}
        assert SpyClassifier.fitted_to == [set(fold.train[MADE[fold.train] == domain])] * 3


def test_the_combination_that_is_best_on_the_validation_rows_is_kept(spy):
    tuned = tune(KNeighborsClassifier(), {"n_neighbors": (1, 30), "p": (1, 2)})
    own = tune_one_by_one(KNeighborsClassifier(), {"n_neighbors": (1, 30), "p": (1, 2)})
    assert tuned.scores[["n_neighbors", "p"]].to_numpy().tolist() == [list(values) for values in own]
    np.testing.assert_allclose(tuned.scores["macro_f1"], [score for _, score in own.values()], rtol=1e-12)
    assert len(set(tuned.scores["macro_f1"])) > 2
    best = max(own, key=lambda values: own[values][1])
    assert tuple(tuned.params.values()) == best and tuned.validation_f1 == tuned.scores["macro_f1"].max()
    assert tuned.estimator.predict(X).tolist() == own[best][0].predict(X).tolist()


def test_nothing_is_fitted_again_with_the_validation_rows():
    tuned = tune(KNeighborsClassifier(), {"n_neighbors": (1, 3)})
    assert tuned.estimator.n_samples_fit_ == len(X)


@pytest.mark.parametrize(
    "classifier",
    [
        forest(),
        forest(class_weight="balanced_subsample", max_samples=0.5, criterion="entropy"),
        forest(max_leaf_nodes=20),
        ExtraTreesClassifier(random_state=5),
        ExtraTreesClassifier(random_state=5, bootstrap=True),
    ],
)
def test_first_trees_of_a_forest_are_to_the_bit_the_smaller_forest_fitted_by_itself(classifier):
    for values, (separate, _) in tune_one_by_one(classifier, GRID).items():
        # With its predictions for truth a combination scores 1 if it predicts the same, row by row.
        tuned = tune(classifier, GRID, y_validation=separate.predict(X_VALIDATION))
        assert tuned.params == dict(zip(GRID, values, strict=True)) and tuned.validation_f1 == 1.0
        assert (tuned.estimator.predict_proba(X_VALIDATION) == separate.predict_proba(X_VALIDATION)).all()
        assert tuned.estimator.get_params() == separate.get_params() and len(tuned.estimator.estimators_) == values[0]


@pytest.mark.parametrize(
    "wrapper",
    [
        DomainSelector(forest(), train_on="virtual"),
        DomainSelector(forest(), virtual_ratio=0.5, random_state=1),
        TrainOnly(lambda X, rng: X + rng.normal(size=X.shape), forest(), random_state=2),
        DomainSelector(TrainOnly(lambda X, rng: 2 * X, forest()), train_on="real"),
    ],
)
def test_within_a_wrapper_grid_names_are_the_classifiers_own_and_first_trees_are_the_same_too(wrapper):
    prefix = "estimator__estimator__" if isinstance(wrapper.estimator, TrainOnly) else "estimator__"
    grid = {"n_estimators": (1, 4), "min_samples_leaf": (1, 8)}
    for values, (separate, _) in tune_one_by_one(wrapper, grid, prefix, sample_domain=DOMAIN).items():
        truth = separate.predict(X_VALIDATION)
        tuned = tune(wrapper, grid, y_validation=truth, sample_domain=DOMAIN)
        assert tuned.params == dict(zip(grid, values, strict=True)) and tuned.validation_f1 == 1.0
        assert (tuned.estimator.predict_proba(X_VALIDATION) == separate.predict_proba(X_VALIDATION)).all()
        assert tuned.estimator.get_params()[prefix + "n_estimators"] == values[0]
        assert real_data_used(tuned.estimator, 60) == real_data_used(separate, 60)


def count_fits(monkeypatch):
    sizes = []
    for kind in (RandomForestClassifier, ExtraTreesClassifier):
        fit = kind.fit
        monkeypatch.setattr(
            kind, "fit", lambda self, *args, fit=fit, **kwargs: sizes.append(self.n_estimators) or fit(self, *args)
        )
    return sizes


def test_forests_are_fitted_once_for_all_their_sizes_and_each_tree_predicts_once(monkeypatch):
    sizes, asked = count_fits(monkeypatch), []
    predict_proba = DecisionTreeClassifier.predict_proba
    monkeypatch.setattr(
        DecisionTreeClassifier, "predict_proba", lambda self, X: asked.append(len(X)) or predict_proba(self, X)
    )
    tune(DomainSelector(forest()), FOREST_GRID, sample_domain=DOMAIN)
    assert sizes == [50] * 6
    assert asked == [len(X_VALIDATION)] * 300


@pytest.mark.parametrize(
    "classifier",
    [
        forest(random_state=None),
        forest(random_state=np.random.RandomState(0)),
        forest(warm_start=True),
        forest(oob_score=True),
        type("Other", (RandomForestClassifier,), {})(random_state=0),
    ],
)
@pytest.mark.filterwarnings("ignore:Some inputs do not have OOB scores")
def test_forests_that_may_not_share_trees_are_fitted_one_by_one(monkeypatch, classifier):
    sizes = count_fits(monkeypatch)
    tuned = tune(classifier, {"n_estimators": (2, 30)})
    assert sizes == [2, 30]
    assert len(tuned.estimator.estimators_) == tuned.params["n_estimators"]


def test_what_the_grid_says_of_random_state_counts(monkeypatch):
    sizes = count_fits(monkeypatch)
    tune(forest(), {"n_estimators": (2, 3), "random_state": (None, 1)})
    assert sorted(sizes) == [2, 3, 3]


def test_of_forests_that_score_alike_the_one_with_fewest_trees_then_largest_leaves_then_first_in_the_grid_is_kept():
    apart = {"X": [[0.0]] * 20 + [[9.0]] * 20, "y": ["sit"] * 20 + ["walk"] * 20}
    rows = {"X_validation": [[0.0], [9.0]], "y_validation": ["sit", "walk"]}
    grid = {"max_depth": (7, 3), "min_samples_leaf": (1, 5, 3, 40), "n_estimators": (9, 3, 5)}
    tuned = tune(forest(bootstrap=False), grid, **apart, **rows)
    assert tuned.validation_f1 == 1.0
    assert tuned.params == {"max_depth": 7, "min_samples_leaf": 5, "n_estimators": 3}
    assert list(tuned.scores) == ["max_depth", "min_samples_leaf", "n_estimators", "macro_f1"]
    assert tuned.scores["n_estimators"].tolist() == [3] * 8 + [5] * 8 + [9] * 8
    assert tuned.scores["min_samples_leaf"].tolist() == [40, 40, 5, 5, 3, 3, 1, 1] * 3
    assert tuned.scores["max_depth"].tolist() == [7, 3] * 12
    assert (tuned.scores["macro_f1"] == 1.0).tolist() == [leaf < 40 for leaf in tuned.scores["min_samples_leaf"]]


def test_imutubes_grid_has_36_forests():
    tuned = tune(forest(), FOREST_GRID)
    assert len(tuned.scores) == 36
    for name, ends in [("n_estimators", (3, 50)), ("min_samples_leaf", (1, 50))]:
        assert (tuned.scores[name].min(), tuned.scores[name].max()) == ends
    assert pickle.loads(pickle.dumps(FOREST_GRID)) == FOREST_GRID


def test_the_given_estimator_and_grid_stay_as_they_were():
    selector, grid = DomainSelector(forest()), {"n_estimators": [4, 2], "min_samples_leaf": np.array([1, 5])}
    tuned = tune(selector, grid, sample_domain=DOMAIN)
    assert not hasattr(selector, "estimator_") and selector.estimator.n_estimators == 100
    assert grid["n_estimators"] == [4, 2] and type(tuned.params["min_samples_leaf"]) is int
    again = tune(tuned.estimator, grid, sample_domain=DOMAIN)
    pd.testing.assert_frame_equal(again.scores, tuned.scores)


def test_a_pipeline_is_tuned_by_the_names_of_its_steps():
    tuned = tune(make_pipeline(StandardScaler(), SVC()), {"svc__C": (1e-3, 1.0), "standardscaler__with_mean": (True,)})
    assert tuned.params == {"svc__C": 1.0, "standardscaler__with_mean": True}


def test_none_among_the_values_stays_none_in_the_scores():
    tuned = tune(forest(n_estimators=3), {"max_depth": (None, 1)})
    assert tuned.scores["max_depth"].tolist() == [None, 1]


@pytest.mark.parametrize("convert", [pd.DataFrame, scipy.sparse.csr_matrix, np.asfortranarray])
def test_rows_may_be_a_table_or_sparse(convert):
    tuned = tune(forest(), GRID, X=convert(X), X_validation=convert(X_VALIDATION))
    pd.testing.assert_frame_equal(tuned.scores, tune(forest(), GRID).scores)


def test_it_is_the_same_with_metadata_routing_on():
    grid = {"n_estimators": (1, 4)}
    off = tune(DomainSelector(forest(), train_on="virtual"), grid, sample_domain=DOMAIN)
    with sklearn.config_context(enable_metadata_routing=True):
        on = tune(DomainSelector(forest(), train_on="virtual"), grid, sample_domain=DOMAIN)
    pd.testing.assert_frame_equal(on.scores, off.scores)


def test_a_class_of_the_validation_rows_that_does_not_train_is_missed():
    tuned = tune(forest(), GRID, y_validation=np.where(Y_VALIDATION == "run", "jump", Y_VALIDATION))
    assert 0 < tuned.validation_f1 < 2 / 3


def test_the_score_is_over_the_classes_of_the_validation_rows():
    of_one = np.full(len(Y_VALIDATION), "sit")
    tuned = tune(forest(), {"n_estimators": (5,)}, y_validation=of_one)
    predicted = tuned.estimator.predict(X_VALIDATION)
    assert set(predicted) == set(CLASSES)
    assert tuned.validation_f1 == pytest.approx(f1_score(of_one, predicted, labels=["sit"], average="macro"))


def test_one_class_to_train_on_and_one_to_validate_on_will_do():
    tuned = tune(forest(), GRID, y=np.full(len(Y), "sit"), y_validation=np.full(len(Y_VALIDATION), "sit"))
    assert tuned.validation_f1 == 1.0 and tuned.params == {"n_estimators": 1, "min_samples_leaf": 8}


@pytest.mark.parametrize(
    ("grid", "error", "message"),
    [
        ({}, DataFormatError, "grid must map parameters"),
        (None, DataFormatError, "grid must map parameters"),
        ([("n_estimators", (1, 2))], DataFormatError, "grid must map parameters"),
        ({"n_estimators": ()}, DataFormatError, r"grid\['n_estimators'\] must be the values to try, at least one"),
        ({"n_estimators": np.array([])}, DataFormatError, "at least one"),
        ({"n_estimators": 5}, DataFormatError, r"such as \(1, 5\), not 5"),
        ({"criterion": "gini"}, DataFormatError, "not 'gini'"),
        ({"n_trees": (1, 2)}, UnknownNameError, r"RandomForestClassifier has no parameter \['n_trees'\].*n_estimators"),
        ({"estimator__n_estimators": (1, 2)}, UnknownNameError, "has no parameter"),
        ({"n_estimators": (0, 2)}, ValueError, "'n_estimators' parameter of RandomForestClassifier"),
        ({"n_estimators": (2, "many")}, ValueError, "'n_estimators' parameter of RandomForestClassifier"),
    ],
)
def test_a_grid_that_cannot_be_tried_is_refused(grid, error, message):
    for estimator in (forest(), DomainSelector(forest())):
        with pytest.raises(error, match=message):
            tune(estimator, grid)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"X_validation": X_VALIDATION[:0], "y_validation": []}, "y_validation must be one-dimensional with at least"),
        ({"y_validation": Y_VALIDATION[1:]}, "X_validation has 60 rows and y_validation 59"),
        ({"y_validation": [None, *Y_VALIDATION[1:]]}, "y_validation is missing for 1"),
        ({"y_validation": np.zeros(60)}, "must both be text or both be numbers"),
    ],
)
def test_validation_rows_that_cannot_be_scored_are_refused(changes, message):
    with pytest.raises(DataFormatError, match=message):
        tune(forest(), GRID, **changes)
