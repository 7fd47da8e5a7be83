"""The library in plain scikit-learn: a search over domains, whole subjects held out, nothing leaking into a fold."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import Pipeline

from har_virtual.adaptation import DomainSelector, RankDistributionMapper, SensorAligner
from har_virtual.exceptions import DataFormatError
from har_virtual.features import ECDFFeatures
from har_virtual.model_selection import LeaveOneSubjectOut
from har_virtual.recording import Recording
from har_virtual.windows import segment_recordings

CHANNELS = [f"left_wrist_acc_{axis}" for axis in "xyz"]
POSTURES = {"walk": (9.0, 2.0, 0.0), "sit": (0.0, 9.0, 2.0), "lie": (2.0, 0.0, 9.0)}
TILT = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
SUBJECTS = ["ann", "ben", "cy"]
AMBIGUOUS = "ignore:.*keeps its frame:har_virtual.exceptions.DataWarning"
GRID = {"clf__train_on": ["real", "virtual", "both"], "clf__virtual_ratio": [1, 2, 5]}


class SpyForest(RandomForestClassifier):
    """A forest that writes down which rows it is fitted to."""

    __metadata_request__fit: ClassVar[dict] = {"row": True}
    seen: ClassVar[list] = []

    def fit(self, X, y, row=None):
        if row is not None:
            self.seen.append(np.asarray(row))
        return super().fit(X, y)


@pytest.fixture
def seen():
    SpyForest.seen.clear()
    yield SpyForest.seen
    SpyForest.seen.clear()


def recording(rng, subject, label, domain):
    turn = TILT if domain == "virtual" else np.eye(3)
    data = rng.normal(POSTURES[label], 3.0 if domain == "real" else 1.5, size=(90, 3)) @ turn.T
    return Recording(data, 30.0, CHANNELS, subject=subject, labels=label, domain=domain)


@pytest.fixture(scope="module")
def windows():
    rng = np.random.default_rng(0)
    virtual = [*SUBJECTS, "video:1f/0"]
    recordings = [recording(rng, s, label, "real") for s in SUBJECTS for label in POSTURES]
    recordings += [recording(rng, s, label, "virtual") for s in virtual for label in POSTURES for _ in range(2)]
    return segment_recordings(recordings, window_length_s=1.0, overlap=0.5)


def pipeline(classifier=None, **selector: Any) -> Pipeline:
    forest = RandomForestClassifier(10, random_state=0) if classifier is None else classifier
    return Pipeline(
        [
            ("align", SensorAligner(n_resamples=10)),
            ("map", RankDistributionMapper()),
            ("ecdf", ECDFFeatures(n_components=15)),
            ("clf", DomainSelector(forest, **selector)),
        ]
    )


def cross_predict(windows, model=None, cv=None, spoiled=None):
    """Probabilities of each fold's test rows, by scikit-learn's own cross_validate, routing on.

    Some rows can be made so strange beforehand that whatever is fitted to them changes.
    """
    X, params = windows.X.copy(), {"groups": windows.groups, "sample_domain": windows.sample_domain}
    if spoiled is not None:
        X[spoiled] = 1e3 * np.random.default_rng(1).normal(size=X[spoiled].shape)
    given = {"cv": LeaveOneSubjectOut() if cv is None else cv, "return_estimator": True, "return_indices": True}
    with sklearn.config_context(enable_metadata_routing=True):
        model = pipeline() if model is None else model
        found = cross_validate(model, X, windows.y, params=params, error_score="raise", **given)
    folds = zip(found["estimator"], found["indices"]["test"], strict=True)
    return [estimator.predict_proba(windows.X[test]) for estimator, test in folds]


def fit_by_hand(windows, rows, *, train_on):
    """The chain without Pipeline, DomainSelector, routing or a splitter."""
    X, y, domain = windows.X[rows], windows.y[rows], windows.sample_domain[rows]
    aligner, mapper, ecdf = SensorAligner(n_resamples=10), RankDistributionMapper(), ECDFFeatures(n_components=15)
    X = aligner.fit(X, y, sample_domain=domain).transform(X, sample_domain=domain)
    X = mapper.fit(X, y, sample_domain=domain).transform(X, sample_domain=domain)
    features = ecdf.fit(X).transform(X)
    kept = {"real": domain == 0, "virtual": domain == 1, "both": np.ones(len(y), bool)}[train_on]
    forest = RandomForestClassifier(10, random_state=0).fit(features[kept], y[kept])
    return lambda rows: forest.predict(ecdf.transform(windows.X[rows]))


@pytest.mark.parametrize("scoring", [None, "f1_macro"])
def test_every_forest_of_the_search_sees_the_rows_that_it_should(windows, seen, scoring):
    row = np.arange(len(windows))
    model = pipeline(SpyForest(3, random_state=0), random_state=0)
    with sklearn.config_context(enable_metadata_routing=True):
        search = GridSearchCV(model, GRID, cv=LeaveOneSubjectOut(), scoring=scoring, error_score="raise")
        search.fit(windows.X, windows.y, groups=windows.groups, sample_domain=windows.sample_domain, row=row)
    candidates = [(params, s) for params in search.cv_results_["params"] for s in SUBJECTS]
    assert len(seen) == len(candidates) + 1 == 28
    for rows, (params, held_out) in zip(seen, [*candidates, (search.best_params_, None)], strict=True):
        check_rows(windows, rows, held_out, params["clf__train_on"], params["clf__virtual_ratio"])


def check_rows(windows, rows, held_out, train_on, virtual_ratio):
    assert (np.diff(rows) > 0).all() and held_out not in windows.groups[rows]
    given = windows.groups != held_out
    real, virtual = (given & (windows.sample_domain == domain) for domain in (0, 1))
    expected_real = np.zeros(0, int) if train_on == "virtual" else np.flatnonzero(real)
    assert rows[windows.sample_domain[rows] == 0].tolist() == expected_real.tolist()
    kept = rows[windows.sample_domain[rows] == 1]
    for label in POSTURES:
        there, among = (np.count_nonzero(mask & (windows.y == label)) for mask in (virtual, real))
        expected = {"real": 0, "virtual": there, "both": min(there, virtual_ratio * among)}[train_on]
        assert np.count_nonzero(windows.y[kept] == label) == expected
    assert virtual[kept].all()


@pytest.mark.parametrize(("scoring", "metric"), [(None, accuracy_score), ("f1_macro", f1_score)])
def test_scores_of_the_search_are_those_of_a_loop_written_by_hand(windows, scoring, metric):
    given = {"average": "macro"} if metric is f1_score else {}
    grid = {"clf__train_on": ["real", "virtual", "both"]}
    with sklearn.config_context(enable_metadata_routing=True):
        search = GridSearchCV(pipeline(), grid, cv=LeaveOneSubjectOut(), scoring=scoring, error_score="raise")
        search.fit(windows.X, windows.y, groups=windows.groups, sample_domain=windows.sample_domain)
        refitted = search.predict(windows.X)
    for candidate, train_on in enumerate(grid["clf__train_on"]):
        for fold, held_out in enumerate(SUBJECTS):
            test = np.flatnonzero((windows.groups == held_out) & (windows.sample_domain == 0))
            predict = fit_by_hand(windows, np.flatnonzero(windows.groups != held_out), train_on=train_on)
            expected = metric(windows.y[test], predict(test), **given)
            assert search.cv_results_[f"split{fold}_test_score"][candidate] == expected
    everything = np.arange(len(windows))
    by_hand = fit_by_hand(windows, everything, train_on=search.best_params_["clf__train_on"])
    assert refitted.tolist() == by_hand(everything).tolist()


def test_the_search_tells_domains_apart(windows):
    """Otherwise the tests of what is seen could not fail."""
    real, virtual, both = (
        np.concatenate(cross_predict(windows, pipeline(train_on=train_on))) for train_on in ("real", "virtual", "both")
    )
    assert not np.array_equal(real, virtual) and not np.array_equal(real, both)


def splits_of(windows, splitter):
    return list(splitter.split(windows.X, windows.y, windows.groups, sample_domain=windows.sample_domain))


def changed_folds(windows, rows_of_fold, cv=None):
    """Whether each fold's predictions change when some rows, others for each fold, are spoiled."""
    sound = cross_predict(windows, cv=cv)
    spoiled = [cross_predict(windows, cv=cv, spoiled=rows)[fold] for fold, rows in enumerate(rows_of_fold)]
    return [not np.array_equal(a, b) for a, b in zip(sound, spoiled, strict=True)]


def rows_of(windows, domain):
    return [np.flatnonzero((windows.groups == s) & (windows.sample_domain == domain)) for s in SUBJECTS]


@pytest.mark.filterwarnings(AMBIGUOUS)
@pytest.mark.parametrize("domain", [0, 1])
def test_rows_of_the_held_out_subject_real_or_virtual_change_no_prediction_of_its_fold(windows, domain):
    assert changed_folds(windows, rows_of(windows, domain)) == [False] * 3


@pytest.mark.filterwarnings(AMBIGUOUS)
def test_virtual_rows_of_the_held_out_subject_that_leak_into_a_fold_are_caught(windows):
    splits, leaking = splits_of(windows, LeaveOneSubjectOut()), rows_of(windows, 1)
    leaky = [(np.union1d(train, rows), test) for (train, test), rows in zip(splits, leaking, strict=True)]
    assert changed_folds(windows, leaking, LeakySplitter(leaky)) == [True] * 3


class LeakySplitter(LeaveOneSubjectOut):
    """Gives splits made beforehand."""

    def __init__(self, splits):
        super().__init__()
        self.splits = splits

    def split(self, X, y=None, groups=None, *, sample_domain=None):
        return iter(self.splits)


def budget():
    return LeaveOneSubjectOut(real_seconds_per_class=1.5, window_step_s=0.5, random_state=0)


def outside_budget(windows):
    """Real rows that each fold neither trains nor tests on."""
    real = np.flatnonzero(windows.sample_domain == 0)
    return [np.setdiff1d(real, np.union1d(*fold)) for fold in splits_of(windows, budget())]


@pytest.mark.filterwarnings(AMBIGUOUS)
def test_real_rows_outside_the_budget_change_no_prediction(windows):
    unused = outside_budget(windows)
    for subject, rows in zip(SUBJECTS, unused, strict=True):
        assert len(rows) == 2 * 3 * 5 - 3 * 3 and subject not in windows.groups[rows]
    assert changed_folds(windows, unused, budget()) == [False] * 3


@pytest.mark.filterwarnings(AMBIGUOUS)
def test_without_the_budget_these_rows_do_change_predictions(windows):
    assert changed_folds(windows, outside_budget(windows), LeaveOneSubjectOut()) == [True] * 3


def test_windows_of_a_test_subject_that_overlap_never_train(windows, seen):
    model = pipeline(SpyForest(3, random_state=0))
    params = {"groups": windows.groups, "sample_domain": windows.sample_domain, "row": np.arange(len(windows))}
    with sklearn.config_context(enable_metadata_routing=True):
        found = cross_validate(
            model, windows.X, windows.y, cv=budget(), params=params, return_indices=True, error_score="raise"
        )
    start, stop = (windows.metadata[name].to_numpy() for name in ("start_s", "stop_s"))
    source = windows.metadata["recording"].to_numpy()
    for train, test in zip(seen, found["indices"]["test"], strict=True):
        assert any(start[a] < stop[b] for a in test for b in test if source[a] == source[b] and a > b), "they overlap"
        assert not any(source[a] == source[b] for a in train for b in test)


def test_without_routing_the_search_fails_with_a_message_about_the_parameter(windows):
    search = GridSearchCV(pipeline(), GRID, cv=LeaveOneSubjectOut())
    with pytest.raises(DataFormatError, match=r"video:1f/0.*sample_domain is missing.*enable_metadata_routing=True"):
        search.fit(windows.X, windows.y, groups=windows.groups, sample_domain=windows.sample_domain)
    known = windows[np.isin(windows.groups, SUBJECTS)]
    with pytest.raises(ValueError, match=r"Pipeline\.fit does not accept the sample_domain parameter"):
        search.fit(known.X, known.y, groups=known.groups, sample_domain=known.sample_domain)
    with pytest.raises(DataFormatError, match=r"groups is missing.*enable_metadata_routing=True"):
        search.fit(windows.X, windows.y)


def test_without_routing_folds_and_models_by_hand_give_the_same_predictions(windows):
    routed = cross_predict(windows)
    for (train, test), expected in zip(splits_of(windows, LeaveOneSubjectOut()), routed, strict=True):
        model, domain = clone(pipeline()), windows.sample_domain[train]
        X = model["align"].fit_transform(windows.X[train], windows.y[train], sample_domain=domain)
        X = model["map"].fit_transform(X, windows.y[train], sample_domain=domain)
        model["clf"].fit(model["ecdf"].fit_transform(X), windows.y[train], sample_domain=domain)
        assert np.array_equal(model.predict_proba(windows.X[test]), expected)
