"""TrainOnly: what acts on training rows, what goes with them, and that prediction is left alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import sklearn
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.under_sampling import RandomUnderSampler
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, clone, is_classifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import get_tags

from har_virtual.adaptation import DomainSelector, TrainOnly
from har_virtual.exceptions import DataFormatError

# 7 real rows walk, 3 sit; 5 virtual rows walk, 3 sit. The value of a row is its number.
Y = np.array(["walk", "sit", "walk"] * 6)
DOMAIN = np.repeat([0, 1], [10, 8])
X = np.arange(18.0)[:, None]
WINDOWS = np.random.default_rng(0).normal(size=(18, 20, 6)).astype(np.float32)


class Witness(ClassifierMixin, BaseEstimator):
    """Keeps all that it is fitted to."""

    def fit(self, X, y, sample_weight=None, sample_domain=None):
        self.X_, self.y_, self.weight_, self.domain_ = X, np.asarray(y), sample_weight, sample_domain
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        self.asked_ = X
        return np.full(len(X), self.classes_[0])


def shift(X, rng):
    return X + rng.uniform(0.1, 0.4, size=X.shape)


class ShiftedTwice:
    """An augmentation may be any object that can be called, and may work in place."""

    def __call__(self, X, rng):
        X += 0.5
        return X


class KeepFirst:
    """A sampler need not be imbalanced-learn's."""

    def fit_resample(self, X, y):
        self.sample_indices_ = np.arange(5)
        return X[:5], y[:5]


def test_an_augmentation_adds_copies_behind_the_originals_with_their_labels():
    seen = TrainOnly(shift, Witness(), n_copies=2, random_state=0).fit(X, Y).estimator_
    assert np.array_equal(seen.X_[:18], X)
    assert np.floor(seen.X_[18:, 0]).tolist() == [*range(18), *range(18)]
    assert not np.array_equal(seen.X_[18:36], seen.X_[36:])
    assert seen.y_.tolist() == Y.tolist() * 3


def test_without_the_originals_only_copies_train():
    seen = TrainOnly(shift, Witness(), keep_original=False).fit(X, Y).estimator_
    assert len(seen.X_) == 18 and (seen.X_ > X).all() and seen.y_.tolist() == Y.tolist()


def test_an_augmentation_is_seeded_and_leaves_the_global_state_alone():
    before = np.random.get_state()[1].tolist()
    first, again, other = (TrainOnly(shift, Witness(), random_state=s).fit(X, Y).estimator_.X_ for s in (0, 0, 1))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    TrainOnly(shift, Witness()).fit(X, Y)
    assert np.random.get_state()[1].tolist() == before


def test_an_augmentation_that_works_in_place_harms_neither_the_data_nor_the_originals():
    given = X.copy()
    seen = TrainOnly(ShiftedTwice(), Witness(), n_copies=2).fit(given, Y).estimator_.X_
    assert np.array_equal(given, X)
    assert np.array_equal(seen, np.concatenate([X, X + 0.5, X + 0.5]))


def test_windows_keep_their_shape_and_precision():
    seen = TrainOnly(shift, Witness(), random_state=0).fit(WINDOWS, Y).estimator_.X_
    assert seen.shape == (36, 20, 6) and seen.dtype == np.float32


def test_rows_to_predict_are_left_alone():
    for step in (shift, RandomOverSampler(random_state=0)):
        fitted = TrainOnly(step, Witness()).fit(X, Y)
        assert len(fitted.predict(X)) == 18 and fitted.estimator_.asked_ is X


def test_predictions_and_scores_are_those_of_the_estimator_fitted_by_hand_to_these_rows():
    sampled, labels = RandomUnderSampler(random_state=3).fit_resample(X, Y)
    by_hand = RandomForestClassifier(10, random_state=0).fit(sampled, labels)
    fitted = TrainOnly(RandomUnderSampler(random_state=3), RandomForestClassifier(10, random_state=0)).fit(X, Y)
    assert np.array_equal(fitted.predict_proba(X), by_hand.predict_proba(X))
    assert fitted.score(X, Y) == by_hand.score(X, Y) and fitted.classes_.tolist() == ["sit", "walk"]
    assert fitted.n_features_in_ == 1 and hasattr(fitted.step_, "sample_indices_")


def test_a_sampler_balances_windows_row_by_row():
    seen = TrainOnly(RandomOverSampler(random_state=0), Witness()).fit(WINDOWS, Y).estimator_
    assert np.unique(seen.y_, return_counts=True)[1].tolist() == [12, 12]
    assert seen.X_.shape == (24, 20, 6) and seen.X_.dtype == np.float32
    known = {window.tobytes(): label for window, label in zip(WINDOWS, Y, strict=True)}
    assert [known[window.tobytes()] for window in seen.X_] == seen.y_.tolist()


def test_a_sampler_may_make_rows_up():
    seen = TrainOnly(SMOTE(k_neighbors=2, random_state=0), Witness()).fit(WINDOWS, Y).estimator_
    assert seen.X_.shape == (24, 20, 6) and np.array_equal(seen.X_[:18], WINDOWS)


def test_a_sampler_of_ones_own_will_do():
    seen = TrainOnly(KeepFirst(), Witness()).fit(X, Y, sample_weight=X[:, 0]).estimator_
    assert seen.weight_.tolist() == [0, 1, 2, 3, 4] and seen.y_.tolist() == Y[:5].tolist()


def test_tables_keep_their_names():
    table = pd.DataFrame({"mean": X[:, 0], "max": X[:, 0] + 1})
    for step in (shift, RandomOverSampler(random_state=0)):
        assert TrainOnly(step, LogisticRegression()).fit(table, Y).feature_names_in_.tolist() == ["mean", "max"]


@pytest.mark.parametrize("step", [shift, RandomOverSampler(random_state=0), RandomUnderSampler(random_state=0)])
@pytest.mark.parametrize("routing", [False, True])
def test_what_has_an_entry_a_row_goes_with_the_rows(step, routing):
    with sklearn.config_context(enable_metadata_routing=routing):
        witness = Witness()
        witness = witness.set_fit_request(sample_weight=True, sample_domain=True) if routing else witness
        model = TrainOnly(step, witness).fit(X, Y, sample_weight=X[:, 0], sample_domain=DOMAIN)
    seen = model.estimator_
    rows = np.floor(seen.X_[:, 0]).astype(int)
    assert seen.weight_.tolist() == rows.tolist() and seen.domain_.tolist() == DOMAIN[rows].tolist()
    assert len(rows) != 18


def test_rows_made_up_have_no_weights_and_the_error_says_what_to_do():
    model = TrainOnly(SMOTE(k_neighbors=2), Witness())
    with pytest.raises(DataFormatError, match=r"SMOTE makes rows up, for which sample_weight has no values.*TrainOnly"):
        model.fit(X, Y, sample_weight=X[:, 0])
    with pytest.raises(DataFormatError, match=r"sample_domain.*DomainSelector\(TrainOnly\(SMOTE\(\), estimator\)\)"):
        TrainOnly(SMOTE(k_neighbors=2), DomainSelector(Witness())).fit(X, Y, sample_domain=DOMAIN)


class Validating(Witness):
    """Takes rows that validate."""

    def fit(self, X, y, *, X_val, y_val):
        self.X_val_, self.y_val_ = X_val, y_val
        return super().fit(X, y)


def test_rows_that_validate_pass_as_they_are_whatever_becomes_of_the_others():
    for step in (SMOTE(k_neighbors=2), RandomUnderSampler(random_state=0), shift):
        seen = TrainOnly(step, Validating()).fit(X, Y, X_val=-X, y_val=Y[::-1]).estimator_
        assert len(seen.X_) != 18
        assert np.array_equal(seen.X_val_, -X) and seen.y_val_.tolist() == Y[::-1].tolist()


@pytest.mark.parametrize("routing", [False, True])
def test_inside_domain_selector_a_sampler_sees_the_rows_of_the_domain_only(routing):
    with sklearn.config_context(enable_metadata_routing=routing):
        smote = SMOTE(k_neighbors=2, random_state=0)
        model = DomainSelector(TrainOnly(smote, KNeighborsClassifier(1)), train_on="real")
        model.fit(WINDOWS[:, :, 0], Y, sample_domain=DOMAIN)
    assert model.estimator_.estimator_.n_samples_fit_ == 14
    assert np.array_equal(model.estimator_.estimator_._fit_X[:10], WINDOWS[:10, :, 0])
    assert (model.real_rows_used_, model.estimator_.real_rows_used_) == (10, 10)


@pytest.mark.parametrize("routing", [False, True])
def test_around_domain_selector_the_domain_goes_with_the_resampled_rows(routing):
    with sklearn.config_context(enable_metadata_routing=routing):
        witness = Witness()
        witness = witness.set_fit_request(sample_domain=False, sample_weight=False) if routing else witness
        model = TrainOnly(RandomOverSampler(random_state=0), DomainSelector(witness, train_on="virtual"))
        model.fit(X, Y, sample_domain=DOMAIN)
    rows = model.step_.sample_indices_
    expected = rows[DOMAIN[rows] == 1]
    assert model.estimator_.estimator_.X_[:, 0].tolist() == expected.tolist()
    assert 0 < len(expected) < len(rows)


def test_it_says_how_many_real_rows_its_step_may_have_looked_at():
    model = TrainOnly(shift, KNeighborsClassifier(1)).fit(X, Y, sample_domain=DOMAIN)
    assert (model.real_rows_used_, model.real_labels_used_) == (10, 10)
    assert TrainOnly(shift, KNeighborsClassifier(1)).fit(X, Y).real_rows_used_ == 18


def test_parameters_of_step_and_estimator_can_be_searched():
    model = Pipeline([("same", FunctionTransformer()), ("clf", TrainOnly(RandomOverSampler(), KNeighborsClassifier()))])
    grid = {"clf__estimator__n_neighbors": [1, 3], "clf__step__random_state": [0]}
    search = GridSearchCV(model, grid, cv=2, error_score="raise").fit(X, Y)
    best = search.best_estimator_["clf"]
    assert best.estimator_.n_neighbors == search.best_params_["clf__estimator__n_neighbors"]
    assert best.step_.random_state == 0 and not hasattr(best.step, "sample_indices_")
    assert clone(best).step.random_state == 0


def test_a_step_that_is_neither_sampler_nor_callable_is_refused():
    with pytest.raises(ValueError, match="'step' parameter of TrainOnly must be an object implementing 'fit_resample'"):
        TrainOnly("smote", Witness()).fit(X, Y)
    with pytest.raises(DataFormatError, match=r"step is the class SMOTE: give an instance, SMOTE\(...\)"):
        TrainOnly(SMOTE, Witness()).fit(X, Y)
    with pytest.raises(ValueError, match="'n_copies' parameter of TrainOnly must be"):
        TrainOnly(shift, Witness(), n_copies=0).fit(X, Y)


def test_an_augmentation_that_changes_the_shape_is_refused():
    with pytest.raises(DataFormatError, match=r"gave shape \(17, 1\) for X of shape \(18, 1\)"):
        TrainOnly(lambda X, rng: X[1:], Witness()).fit(X, Y)


@pytest.mark.parametrize(
    ("step", "takes"),
    [(lambda X: X, r"<lambda> takes \(X\)"), (lambda X, *, rng: X, r"takes \(X, \*, rng\)")],
)
def test_an_augmentation_that_does_not_take_rows_and_generator_is_refused(step, takes):
    with pytest.raises(DataFormatError, match=rf"called as step\(X, rng\), rng a numpy Generator, but .*{takes}"):
        TrainOnly(step, Witness()).fit(X, Y)


def test_an_augmentation_may_take_more_that_has_a_default():
    assert len(TrainOnly(lambda X, rng, scale=1: X * scale, Witness()).fit(X, Y).estimator_.X_) == 36


def test_an_augmentation_needs_dense_rows():
    with pytest.raises(TypeError, match="Sparse data was passed"):
        TrainOnly(shift, Witness()).fit(sparse.csr_array(X), Y)


def test_tags_promise_what_both_step_and_estimator_can_do():
    forest = RandomForestClassifier()
    sparse_forest = get_tags(forest).input_tags.sparse
    assert is_classifier(TrainOnly(shift, forest))
    tags = {
        name: get_tags(TrainOnly(step, forest)).input_tags
        for name, step in [("shift", shift), ("random", RandomOverSampler()), ("smote", SMOTE()), ("own", KeepFirst())]
    }
    assert {name: (tag.sparse, tag.allow_nan) for name, tag in tags.items()} == {
        "shift": (False, True),
        "random": (sparse_forest, True),
        "smote": (sparse_forest, False),
        "own": (sparse_forest, True),
    }
