"""DomainSelector: which rows the wrapped estimator sees, and that all else is the estimator's own."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, clone, is_classifier
from sklearn.ensemble import AdaBoostClassifier, RandomForestClassifier
from sklearn.exceptions import NotFittedError, UnsetMetadataPassedError
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import LinearSVC
from sklearn.utils import get_tags

from har_virtual.adaptation import DomainSelector, RankDistributionMapper, TrainOnly
from har_virtual.exceptions import DataFormatError

# 6 real rows walk, 4 sit; 20 virtual rows walk, 5 sit, 3 jump; in mixed order. The value of a row is its number.
ORDER = np.random.default_rng(0).permutation(38)
Y = np.repeat(["walk", "sit", "walk", "sit", "jump"], [6, 4, 20, 5, 3])[ORDER]
DOMAIN = np.repeat([0, 1], [10, 28])[ORDER]
X = np.arange(38.0)[:, None]


class Witness(ClassifierMixin, BaseEstimator):
    """Keeps all that it is fitted to."""

    def fit(self, X, y, **params):
        self.X_, self.y_, self.params_, self.classes_ = X, y, params, np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


class WeightedWitness(Witness):
    """Has parameters by name, so that metadata routing knows of them."""

    def fit(self, X, y, sample_weight=None, sample_domain=None):
        return super().fit(X, y, sample_weight=sample_weight, sample_domain=sample_domain)


def rows_seen(y=Y, domain=DOMAIN, **parameters):
    fitted = DomainSelector(Witness(), **parameters).fit(X, y, sample_domain=domain)
    rows = fitted.estimator_.X_[:, 0].astype(int)
    assert fitted.estimator_.y_.tolist() == y[rows].tolist(), "labels go with their rows"
    return rows


def count(rows, label, domain):
    return int(((Y[rows] == label) & (DOMAIN[rows] == domain)).sum())


def test_real_and_virtual_are_the_rows_of_one_domain_in_their_order():
    assert rows_seen(train_on="real").tolist() == np.flatnonzero(DOMAIN == 0).tolist()
    assert rows_seen(train_on="virtual").tolist() == np.flatnonzero(DOMAIN == 1).tolist()


def test_both_are_all_rows_by_default():
    assert rows_seen().tolist() == list(range(38))


def test_a_missing_domain_means_that_all_rows_are_real():
    assert rows_seen(domain=None, train_on="real").tolist() == list(range(38))
    assert rows_seen(domain=None, virtual_ratio=0.5).tolist() == list(range(38))


@pytest.mark.parametrize(("ratio", "walk", "sit"), [(0.5, 3, 2), (1, 6, 4), (1.4, 8, 5), (2, 12, 5), (50, 20, 5)])
def test_the_ratio_counts_virtual_rows_against_real_rows_of_their_class(ratio, walk, sit):
    rows = rows_seen(virtual_ratio=ratio, random_state=0)
    assert (np.diff(rows) > 0).all()
    assert set(np.flatnonzero(DOMAIN == 0)) <= set(rows)
    assert (count(rows, "walk", 1), count(rows, "sit", 1)) == (walk, sit)
    assert count(rows, "jump", 1) == 0, "a class without real rows loses its virtual ones"


def test_a_ratio_is_rounded_down_but_not_by_the_error_of_a_float():
    y, domain = np.zeros(200), np.repeat([0, 1], 100)
    X = np.zeros((200, 1))
    fitted = DomainSelector(Witness(), virtual_ratio=0.29).fit(X, y, sample_domain=domain)
    assert len(fitted.estimator_.X_) == 129


def test_the_draw_is_seeded_differs_between_seeds_and_nests_over_ratios():
    draws = [rows_seen(virtual_ratio=1, random_state=seed).tolist() for seed in (0, 0, 1, 2)]
    assert draws[0] == draws[1] and len({tuple(draw) for draw in draws}) == 3
    assert set(draws[0]) < set(rows_seen(virtual_ratio=2, random_state=0))


def test_the_global_random_state_stays():
    before = np.random.get_state()[1].tolist()
    rows_seen(virtual_ratio=1)
    assert np.random.get_state()[1].tolist() == before


@pytest.mark.parametrize(
    ("parameters", "used"),
    [({}, 10), ({"train_on": "real"}, 10), ({"train_on": "virtual"}, 0), ({"virtual_ratio": 1}, 10)],
)
def test_it_says_how_many_real_rows_and_labels_it_used(parameters, used):
    fitted = DomainSelector(Witness(), **parameters).fit(X, Y, sample_domain=DOMAIN)
    assert (fitted.real_rows_used_, fitted.real_labels_used_) == (used, used)


def test_windows_keep_their_three_dimensions_and_lists_stay_lists():
    windows = np.random.default_rng(0).normal(size=(38, 20, 6)).astype(np.float32)
    seen = DomainSelector(Witness(), train_on="real").fit(windows, Y, sample_domain=DOMAIN).estimator_.X_
    assert seen.dtype == np.float32 and np.array_equal(seen, windows[DOMAIN == 0])
    streams = [np.zeros((length, 3)) for length in range(1, 39)]
    seen = DomainSelector(Witness(), train_on="real").fit(streams, Y, sample_domain=DOMAIN).estimator_.X_
    assert [len(stream) for stream in seen] == (1 + np.flatnonzero(DOMAIN == 0)).tolist()


def test_tables_and_sparse_matrices_keep_their_kind():
    table = pd.DataFrame({"mean": X[:, 0]}, index=range(100, 138))
    fitted = DomainSelector(LogisticRegression(), train_on="virtual").fit(table, Y, sample_domain=DOMAIN)
    assert fitted.feature_names_in_.tolist() == ["mean"] and fitted.n_features_in_ == 1
    rows = DomainSelector(Witness(), train_on="virtual").fit(sparse.coo_array(X), Y, sample_domain=DOMAIN).estimator_.X_
    assert np.array_equal(rows.toarray(), X[DOMAIN == 1])


def test_predictions_and_scores_are_those_of_the_estimator_fitted_by_hand_to_these_rows():
    by_hand = RandomForestClassifier(20, random_state=0).fit(X[DOMAIN == 1], Y[DOMAIN == 1])
    fitted = DomainSelector(RandomForestClassifier(20, random_state=0), train_on="virtual")
    fitted.fit(X, Y, sample_domain=DOMAIN)
    assert fitted.classes_.tolist() == by_hand.classes_.tolist()
    assert np.array_equal(fitted.predict(X), by_hand.predict(X))
    assert np.array_equal(fitted.predict_proba(X), by_hand.predict_proba(X))
    with np.errstate(divide="ignore"):
        assert np.array_equal(fitted.predict_log_proba(X), by_hand.predict_log_proba(X))
    assert fitted.score(X, Y) == by_hand.score(X, Y)
    margins = DomainSelector(RidgeClassifier()).fit(X, Y).decision_function(X)
    assert np.array_equal(margins, RidgeClassifier().fit(X, Y).decision_function(X))


def test_only_what_the_estimator_can_do_is_offered():
    assert not hasattr(DomainSelector(LinearSVC()), "predict_proba")
    assert hasattr(DomainSelector(LinearSVC()), "decision_function")
    assert not hasattr(DomainSelector(RandomForestClassifier()), "decision_function")
    assert not hasattr(DomainSelector(RandomForestClassifier()), "classes_")


def test_before_fit_it_says_that_it_is_not_fitted():
    with pytest.raises(NotFittedError, match="DomainSelector"):
        DomainSelector(RandomForestClassifier()).predict(X)


def test_tags_follow_the_estimator():
    assert is_classifier(DomainSelector(LogisticRegression()))
    for estimator in (RandomForestClassifier(), LogisticRegression()):
        ours, theirs = get_tags(DomainSelector(estimator)).input_tags, get_tags(estimator).input_tags
        assert (ours.allow_nan, ours.sparse) == (theirs.allow_nan, theirs.sparse)


def test_parameters_of_the_estimator_are_its_own_and_survive_cloning_and_pickling():
    model = DomainSelector(RandomForestClassifier(7), train_on="real", virtual_ratio=2)
    model.set_params(estimator__n_estimators=3, train_on="both")
    copied = clone(model)
    assert copied.get_params()["estimator__n_estimators"] == 3 and copied.virtual_ratio == 2
    fitted = copied.fit(X, Y, sample_domain=DOMAIN)
    assert len(fitted.estimator_.estimators_) == 3 and not hasattr(copied.estimator, "estimators_")
    again = pickle.loads(pickle.dumps(fitted))
    assert np.array_equal(again.predict(X), fitted.predict(X))


@pytest.mark.parametrize(
    ("domain", "parameters", "message"),
    [
        (None, {"train_on": "virtual"}, r"'virtual'.*38 real and 0 virtual rows.*enable_metadata_routing=True"),
        (np.ones(38), {"train_on": "real"}, "'real'.*0 real and 38 virtual rows"),
        (np.ones(38), {"virtual_ratio": 2}, "virtual_ratio=2 leaves no row"),
    ],
)
def test_rows_that_do_not_exist_are_an_error_that_hints_at_routing(domain, parameters, message):
    with pytest.raises(DataFormatError, match=message):
        DomainSelector(Witness(), **parameters).fit(X, Y, sample_domain=domain)


@pytest.mark.parametrize(
    "parameters", [{"train_on": "all"}, {"virtual_ratio": 0}, {"virtual_ratio": "1"}, {"random_state": -1}]
)
def test_parameters_are_checked_in_fit(parameters):
    with pytest.raises(ValueError, match=f"The '{next(iter(parameters))}' parameter of DomainSelector must be"):
        DomainSelector(Witness(), **parameters).fit(X, Y)


def test_a_domain_or_labels_of_another_length_are_refused():
    with pytest.raises(DataFormatError, match="sample_domain must hold"):
        DomainSelector(Witness()).fit(X, Y, sample_domain=DOMAIN[1:])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        DomainSelector(Witness()).fit(X, Y[1:])


def test_parameters_with_an_entry_a_row_are_cut_with_the_rows_and_others_are_not():
    class_weight = dict.fromkeys(range(38), 1.0)
    params = {"sample_weight": X[:, 0], "ids": list(range(38)), "frame": pd.DataFrame(X), "name": "x" * 38}
    given = params | {"class_weight": class_weight, "reference": np.zeros(39)}
    seen = DomainSelector(Witness(), train_on="virtual").fit(X, Y, sample_domain=DOMAIN, **given).estimator_.params_
    rows = np.flatnonzero(DOMAIN == 1).tolist()
    assert seen["sample_weight"].tolist() == seen["ids"] == seen["frame"][0].tolist() == rows
    assert seen["name"] == "x" * 38 and seen["class_weight"] is class_weight and len(seen["reference"]) == 39
    assert "sample_domain" not in seen, "nobody asked for it"


class Validating(Witness):
    """Takes rows that validate."""

    def fit(self, X, y, *, sample_weight=None, X_val=None, y_val=None, sample_weight_val=None):
        own = {"X_val": X_val, "y_val": y_val, "sample_weight_val": sample_weight_val}
        return super().fit(X, y, sample_weight=sample_weight, **own)


@pytest.mark.parametrize("around", [lambda clf: clf, lambda clf: TrainOnly(lambda X, rng: X, clf)])
@pytest.mark.parametrize("routing", [False, True])
def test_rows_that_validate_are_never_cut_even_where_there_are_as_many(routing, around):
    given = {"X_val": -X, "y_val": Y[::-1], "sample_weight_val": np.arange(38.0)}
    with sklearn.config_context(enable_metadata_routing=routing):
        witness = Validating()
        if routing:
            witness = witness.set_fit_request(**dict.fromkeys([*given, "sample_weight"], True))
        model = DomainSelector(around(witness), train_on="real")
        model.fit(X, Y, sample_domain=DOMAIN, sample_weight=X[:, 0], **given)
    seen = getattr(model.estimator_, "estimator_", model.estimator_).params_
    assert seen["sample_weight"][:10].tolist() == np.flatnonzero(DOMAIN == 0).tolist()
    for name, values in given.items():
        assert np.array_equal(seen[name], values)


@pytest.mark.parametrize("routing", [False, True])
def test_an_estimator_that_asks_for_the_domain_gets_it_cut(routing):
    with sklearn.config_context(enable_metadata_routing=routing):
        witness = WeightedWitness()
        witness = witness.set_fit_request(sample_domain=True) if routing else witness
        fitted = DomainSelector(witness, train_on="virtual").fit(X, Y, sample_domain=DOMAIN)
    assert fitted.estimator_.params_["sample_domain"].tolist() == [1] * 28


def test_with_routing_the_requests_of_the_estimator_are_respected():
    with sklearn.config_context(enable_metadata_routing=True):
        asks = DomainSelector(WeightedWitness().set_fit_request(sample_weight="trust", sample_domain=False))
        asks.set_params(train_on="real").fit(X, Y, sample_domain=DOMAIN, trust=X[:, 0])
        assert asks.estimator_.params_["sample_weight"].tolist() == np.flatnonzero(DOMAIN == 0).tolist()
        assert asks.estimator_.params_["sample_domain"] is None
        with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
            DomainSelector(LogisticRegression()).fit(X, Y, sample_weight=X[:, 0])
        with pytest.raises(TypeError, match="unknown"):
            DomainSelector(LogisticRegression()).fit(X, Y, unknown=X[:, 0])


def test_weights_arrive_at_the_estimator_of_a_search_through_routing():
    with sklearn.config_context(enable_metadata_routing=True):
        witness = WeightedWitness().set_fit_request(sample_weight=True, sample_domain=False)
        scorer = make_scorer(accuracy_score).set_score_request(sample_weight=False)
        search = GridSearchCV(DomainSelector(witness), {"train_on": ["real"]}, cv=2, scoring=scorer)
        search.fit(X, Y, sample_domain=DOMAIN, sample_weight=X[:, 0])
    assert search.best_estimator_.estimator_.params_["sample_weight"].tolist() == np.flatnonzero(DOMAIN == 0).tolist()


@pytest.mark.parametrize("routing", [False, True])
def test_parameters_of_score_reach_the_estimator(routing):
    with sklearn.config_context(enable_metadata_routing=routing):
        logistic = LogisticRegression()
        logistic = logistic.set_score_request(sample_weight=True) if routing else logistic
        fitted = DomainSelector(logistic).fit(X, Y)
        weights = (Y == "walk").astype(float)
        weighted = fitted.score(X, Y, sample_weight=weights)
    assert weighted == np.mean(fitted.predict(X)[Y == "walk"] == "walk") != fitted.score(X, Y)


def test_in_a_pipeline_the_domain_arrives_by_default_with_routing_and_is_refused_without():
    model = Pipeline([("same", FunctionTransformer()), ("clf", DomainSelector(Witness(), train_on="real"))])
    with sklearn.config_context(enable_metadata_routing=True):
        model.fit(X, Y, sample_domain=DOMAIN)
    assert len(model["clf"].estimator_.X_) == 10
    with pytest.raises(ValueError, match=r"Pipeline\.fit does not accept the sample_domain parameter"):
        model.fit(X, Y, sample_domain=DOMAIN)


@pytest.mark.parametrize("parameters", [{}, {"train_on": "real"}, {"train_on": "virtual"}, {"virtual_ratio": 1}])
def test_domains_that_share_no_label_are_refused_whatever_trains(parameters):
    y = np.where(DOMAIN == 0, np.char.upper(Y), Y)
    with pytest.raises(DataFormatError, match=r"no label in common: the real ones are SIT, WALK, .* jump, sit, walk\."):
        DomainSelector(Witness(), **parameters).fit(X, y, sample_domain=DOMAIN)


def test_many_labels_are_cut_short_in_the_error():
    y = np.where(DOMAIN == 0, "walk", np.char.add("a", np.arange(38).astype(str)))
    with pytest.raises(DataFormatError, match=r"real ones are walk, the virtual ones a\d+(, a\d+){9} and 18 more\."):
        DomainSelector(Witness()).fit(X, y, sample_domain=DOMAIN)


def test_one_label_in_common_one_domain_alone_and_numbers_to_regress_are_no_mistake():
    y = np.where(DOMAIN == 0, np.char.upper(Y), Y)
    y[np.flatnonzero(DOMAIN == 1)[0]] = "WALK"
    DomainSelector(Witness()).fit(X, y, sample_domain=DOMAIN)
    DomainSelector(Witness()).fit(X, Y, sample_domain=np.ones(38))
    DomainSelector(LinearRegression()).fit(X, np.arange(38.0), sample_domain=DOMAIN)


MAPPED = Pipeline([("map", RankDistributionMapper()), ("clf", Witness())])
ROUTERS = {
    "a pipeline": MAPPED,
    "a search": GridSearchCV(MAPPED, {}, cv=2),
    "a pipeline in another of our own": TrainOnly(lambda X, rng: X, MAPPED),
    "a pipeline whose last step cannot say": Pipeline(
        [("map", RankDistributionMapper()), ("clf", AdaBoostClassifier())]
    ),
}


@pytest.mark.parametrize("estimator", ROUTERS.values(), ids=ROUTERS)
def test_with_routing_off_a_domain_that_would_be_lost_on_the_way_to_a_step_is_an_error(estimator):
    message = r"has a step that requests sample_domain.*off: call sklearn\.set_config\(enable_metadata_routing=True\)"
    with pytest.raises(DataFormatError, match=message):
        DomainSelector(estimator).fit(X, Y, sample_domain=DOMAIN)


@pytest.mark.parametrize("estimator", [ROUTERS["a pipeline"], ROUTERS["a search"]])
def test_with_routing_on_the_domain_reaches_a_step_inside(estimator):
    with sklearn.config_context(enable_metadata_routing=True):
        fitted = DomainSelector(estimator).fit(X, Y, sample_domain=DOMAIN).estimator_
    assert not getattr(fitted, "best_estimator_", fitted)["map"].is_identity_


@pytest.mark.parametrize(
    ("estimator", "domain"),
    [
        (MAPPED, None),
        (MAPPED, np.zeros(38)),
        (Pipeline([("same", FunctionTransformer()), ("clf", Witness())]), DOMAIN),
        (AdaBoostClassifier(n_estimators=1), DOMAIN),
    ],
)
def test_with_routing_off_a_domain_that_nobody_inside_asks_for_is_left_out(estimator, domain):
    assert DomainSelector(estimator).fit(X, Y, sample_domain=domain).real_rows_used_ == (
        38 if domain is None else (domain == 0).sum()
    )
