"""Nothing leaks into a fold, end to end; leaks that are planted, one by one, are found, so the check has teeth."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GridSearchCV, KFold, cross_validate
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline

from har_virtual import Recording, WindowSet, segment_recordings
from har_virtual.adaptation import DomainSelector, RankDistributionMapper, SensorAligner
from har_virtual.evaluation import predict_out_of_fold
from har_virtual.exceptions import DataFormatError
from har_virtual.features import ECDFFeatures
from har_virtual.model_selection import LeaveOneSubjectOut

pytestmark = pytest.mark.filterwarnings("ignore::har_virtual.exceptions.DataWarning")

CHANNELS = [f"left_wrist_acc_{axis}" for axis in "xyz"]
POSTURES = {"walk": (9.0, 2.0, 0.0), "sit": (0.0, 9.0, 2.0), "lie": (2.0, 0.0, 9.0)}
TILT = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
SUBJECTS = ["ann", "ben", "cy"]
N_BUDGET = 3

Folds = list[tuple[np.ndarray, np.ndarray]]


def recording(rng, subject, label, domain):
    turn = TILT if domain == "virtual" else np.eye(3)
    data = rng.normal(POSTURES[label], 6.0 if domain == "real" else 4.0, size=(60, 3)) @ turn.T
    return Recording(data, 20.0, CHANNELS, subject=subject, session=label, labels=label, domain=domain)


@pytest.fixture(scope="module")
def windows():
    """Three people with real and virtual rows, and one known from a video only; five windows a recording."""
    rng = np.random.default_rng(0)
    recordings = [recording(rng, s, label, "real") for s in SUBJECTS for label in POSTURES]
    recordings += [recording(rng, s, label, "virtual") for s in [*SUBJECTS, "video:1f/0"] for label in POSTURES]
    return segment_recordings(recordings, window_length_s=1.0, overlap=0.5)


def aligner(kind: type[SensorAligner] = SensorAligner, **options: Any) -> SensorAligner:
    return kind(channels=CHANNELS, min_confidence=0, n_resamples=2, **options)


def pipeline(classifier: Any = None, **steps: Any) -> Pipeline:
    """The whole chain; a step can be put in another's place.

    The probabilities of naive Bayes change with whatever it is fitted to, if only in the last digit.
    """
    usual = {
        "align": aligner(),
        "map": RankDistributionMapper(min_class_rows=2),
        "scale": "passthrough",
        "ecdf": ECDFFeatures(),
        "clf": DomainSelector(GaussianNB(var_smoothing=1.0) if classifier is None else classifier),
    }
    return Pipeline(list((usual | steps).items()))


def budget() -> LeaveOneSubjectOut:
    return LeaveOneSubjectOut(real_seconds_per_class=N_BUDGET * 0.5, window_step_s=0.5, random_state=0)


def by_predict_out_of_fold(model, windows, cv):
    given = {"groups": windows.groups, "sample_domain": windows.sample_domain}
    result = predict_out_of_fold(model, windows.X, windows.y, cv=cv, return_estimators=True, **given)
    tested = [result.fold == number for number in range(len(result.folds))]
    found = [m.predict_proba(windows.X[result.rows[own]]) for m, own in zip(result.estimators, tested, strict=True)]
    for fitted, own, probabilities in zip(result.estimators, tested, found, strict=True):
        assert result.y_pred[own].tolist() == fitted.classes_[probabilities.argmax(axis=1)].tolist()
    return found


def by_cross_validate(model, windows, cv):
    params = {"groups": windows.groups, "sample_domain": windows.sample_domain}
    with sklearn.config_context(enable_metadata_routing=True):
        kept = {"return_estimator": True, "return_indices": True}
        found = cross_validate(model, windows.X, windows.y, cv=cv, params=params, error_score="raise", **kept)
    folds = zip(found["estimator"], found["indices"]["test"], strict=True)
    return [fitted.predict_proba(windows.X[test]) for fitted, test in folds]


def by_grid_search(model, windows, cv):
    """Probabilities of two candidates, side by side."""
    found = []

    def score(fitted, X, y):
        found.append(fitted.predict_proba(X))
        return 0.0

    grid = {"clf__train_on": ["virtual", "both"]}
    with sklearn.config_context(enable_metadata_routing=True):
        search = GridSearchCV(model, grid, cv=cv, scoring=score, refit=False, error_score="raise")
        search.fit(windows.X, windows.y, groups=windows.groups, sample_domain=windows.sample_domain)
    half = len(found) // 2
    return [np.hstack(pair) for pair in zip(found[:half], found[half:], strict=True)]


class GivenFolds(LeaveOneSubjectOut):
    """Folds made beforehand; groups and sample_domain are requested all the same."""

    def __init__(self, folds):
        super().__init__()
        self.folds = folds

    def split(self, X, y=None, groups=None, *, sample_domain=None):
        return iter(self.folds)


@dataclasses.dataclass
class Protocol:
    """All that happens between the windows and the predictions of each fold."""

    model: Pipeline
    cv: LeaveOneSubjectOut
    route: Callable = by_cross_validate
    prepare: Callable[[WindowSet], WindowSet] = lambda windows: windows

    def __call__(self, windows: WindowSet, folds: Folds | None = None) -> list[np.ndarray]:
        cv = self.cv if folds is None else GivenFolds(folds)
        return self.route(clone(self.model), self.prepare(windows), cv)

    def folds(self, windows: WindowSet) -> Folds:
        return list(self.cv.split(windows.X, windows.y, windows.groups, sample_domain=windows.sample_domain))


def check_folds(windows: WindowSet, folds: Folds) -> None:
    """Raise AssertionError where a moment, a recording or a person lies on both sides, or a virtual row is tested."""
    start, stop = (windows.metadata[name].to_numpy() for name in ("start_s", "stop_s"))
    source = windows.metadata["recording"].to_numpy()
    for number, (train, test) in enumerate(folds):
        a, b = np.meshgrid(train, test)
        overlapping = (source[a] == source[b]) & (start[a] < stop[b]) & (start[b] < stop[a])
        assert not overlapping.any(), f"fold {number}: windows that overlap in time lie on both sides"
        assert not np.isin(source[train], source[test]).any(), f"fold {number}: a recording lies on both sides"
        assert not np.isin(windows.groups[train], windows.groups[test]).any(), f"fold {number}: a tested person trains"
        assert not windows.sample_domain[test].any(), f"fold {number}: virtual rows are tested"


def check_predictions(windows: WindowSet, predict: Protocol, declared: Folds | None = None) -> None:
    """Raise AssertionError where predictions of a fold depend on more than its training rows and the row itself.

    All else is spoiled before anything happens: each other row of a tested person, real or virtual, the labels of the
    tested rows, real rows outside the training rows; and the folds are turned round. The training rows are those of
    the protocol's folds, or declared. That they do matter shows that the check is not blind.
    """
    folds, sound = predict.folds(windows), predict(windows)
    for number, (train, test) in enumerate(folds if declared is None else declared):
        probes = test[::2]
        leaks = spoils(windows, train, test, probes)
        asked = np.isin(test, probes)

        def changes(*names: str, rows=leaks, number=number, asked=asked) -> bool:
            found = predict(spoiled(windows, *(rows[name] for name in names)))[number]
            return not np.array_equal(found[asked], sound[number][asked])

        if changes(*leaks):
            guilty = [name for name in leaks if changes(name)]
            raise AssertionError(f"fold {number}: predictions depend on {', '.join(guilty)}")
    backwards = predict(windows, folds[::-1])[::-1]
    assert all(map(np.array_equal, sound, backwards)), "predictions depend on the order of the folds"
    for domain in np.unique(windows.sample_domain[train]):
        rows = train[windows.sample_domain[train] == domain]
        found = predict(spoiled(windows, (rows, rows[:0])))[number]
        assert not np.array_equal(found, sound[number]), f"the check is blind to domain {domain}"


Spoil = tuple[np.ndarray, np.ndarray]
"""Rows whose values, and rows whose labels are to be spoiled."""


def spoils(windows: WindowSet, train: np.ndarray, test: np.ndarray, probes: np.ndarray) -> dict[str, Spoil]:
    """What predictions of the rows to probe must not depend on."""
    none, real = test[:0], windows.sample_domain == 0
    own = np.isin(windows.groups, windows.groups[test])
    others, virtual = np.setdiff1d(np.flatnonzero(real & own), probes), np.flatnonzero(~real & own)
    return {
        "labels of the held-out subject": (none, np.flatnonzero(real & own)),
        "other real rows of the held-out subject": (others, none),
        "virtual rows of the held-out subject": (virtual, virtual),
        "real rows outside the training rows": (np.setdiff1d(np.flatnonzero(real & ~own), train), none),
    }


def spoiled(windows: WindowSet, *spoils: Spoil) -> WindowSet:
    values, labels = (np.concatenate(rows) for rows in zip(*spoils, strict=True))
    X, y, classes = windows.X.copy(), windows.y.copy(), np.unique(windows.y)
    X[values] = 30 * np.random.default_rng(1).normal(size=X[values].shape)
    y[labels] = classes[(np.searchsorted(classes, y[labels]) + 1) % len(classes)]
    return dataclasses.replace(windows, X=X, y=y)


FORTH, BACK = "virtual_to_real", "real_to_virtual"
VARIANTS = [
    (by_predict_out_of_fold, False, FORTH),
    (by_predict_out_of_fold, True, FORTH),
    (by_predict_out_of_fold, True, BACK),
    (by_cross_validate, False, FORTH),
    (by_cross_validate, True, BACK),
    (by_grid_search, True, FORTH),
]


@pytest.mark.parametrize(("route", "own", "direction"), VARIANTS)
@pytest.mark.parametrize("cv", [LeaveOneSubjectOut(), budget()], ids=["all rows", "budget"])
def test_predictions_of_a_fold_depend_on_nothing_but_its_training_rows(windows, cv, route, own, direction):
    """With one rotation and one map for all (own=False), and with one for each subject, or class, of its own."""
    mapper = RankDistributionMapper(per_class=own, min_class_rows=2, direction=direction)
    predict = Protocol(pipeline(align=aligner(per_subject=own, direction=direction), map=mapper), cv, route)
    check_folds(windows, predict.folds(windows))
    check_predictions(windows, predict)


def check_own_fits(windows: WindowSet, model: Pipeline) -> None:
    """Raise AssertionError where two folds have one rotation or one map: what is kept for good no spoiling changes."""
    given = {"groups": windows.groups, "sample_domain": windows.sample_domain}
    result = predict_out_of_fold(model, windows.X, windows.y, cv=LeaveOneSubjectOut(), return_estimators=True, **given)
    for one, other in itertools.combinations(result.estimators, 2):
        rotations = (fitted["align"].rotations_["left_wrist"] for fitted in (one, other))
        assert not np.allclose(*rotations), "two folds have the same rotation"
        maps = zip(one["map"].map_, other["map"].map_, strict=True)
        assert not any(itertools.starmap(np.allclose, maps)), "two folds have the same map"


def test_each_fold_has_a_rotation_and_a_map_of_its_own(windows):
    check_own_fits(windows, pipeline(align=aligner()))


def test_those_of_a_random_forest_do_neither(windows):
    check_predictions(windows, Protocol(pipeline(RandomForestClassifier(5, random_state=0)), budget()))


def test_a_budget_leaves_so_many_real_rows_of_each_class_to_every_fit(windows):
    for train, _ in Protocol(pipeline(), budget()).folds(windows):
        real = train[windows.sample_domain[train] == 0]
        assert pd.Series(windows.y[real]).value_counts().to_dict() == dict.fromkeys(POSTURES, N_BUDGET)


def aligned_in_advance(windows: WindowSet) -> WindowSet:
    X = aligner().fit_transform(windows.X, windows.y, sample_domain=windows.sample_domain)
    return dataclasses.replace(windows, X=X)


def mapped_in_advance(windows: WindowSet, **options: Any) -> WindowSet:
    mapper = RankDistributionMapper(min_class_rows=2, **options)
    X = mapper.fit_transform(windows.X, windows.y, sample_domain=windows.sample_domain)
    return dataclasses.replace(windows, X=X)


def moved_by_their_own_labels(windows: WindowSet) -> WindowSet:
    """The oracle: real rows, test rows among them, go to the virtual distribution of their true class."""
    return mapped_in_advance(windows, per_class=True, direction="real_to_virtual")


class Standardiser(TransformerMixin, BaseEstimator):
    """Takes mean and deviation from the rows that it is to transform."""

    def fit(self, X, y=None):
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X):
        return (X - X.mean(axis=(0, 1))) / X.std(axis=(0, 1))


class CachingAligner(SensorAligner):
    """Keeps the rotations of the first fold for all others."""

    cache: ClassVar[dict] = {}

    def fit(self, X, y=None, *, sample_domain=None, groups=None):
        super().fit(X, y, sample_domain=sample_domain, groups=groups)
        self.rotations_ = self.cache.setdefault("rotations", self.rotations_)
        return self


class CachingMapper(RankDistributionMapper):
    """Keeps the map of the first fold for all others."""

    cache: ClassVar[dict] = {}

    def fit_transform(self, X, y=None, *, sample_domain=None):
        super().fit(X, y, sample_domain=sample_domain)
        self.map_ = self.cache.setdefault("map", self.map_)
        return self.transform(X, sample_domain=sample_domain)


def with_empty_caches(windows: WindowSet) -> WindowSet:
    CachingAligner.cache.clear()
    CachingMapper.cache.clear()
    return windows


class HoldsOutRealRowsOnly(LeaveOneSubjectOut):
    """Lets virtual rows of the held-out subject train."""

    def split(self, X, y=None, groups=None, *, sample_domain=None):
        for train, test in super().split(X, y, groups, sample_domain=sample_domain):
            own = np.flatnonzero(np.isin(groups, np.asarray(groups)[test]) & (np.asarray(sample_domain) == 1))
            yield np.union1d(train, own), test


LOSO = LeaveOneSubjectOut()
NO_MAP, NO_ALIGNER = pipeline(map="passthrough"), pipeline(align="passthrough")
LABELS, ROWS, VIRTUAL = (f"{what} of the held-out subject" for what in ("labels", "other real rows", "virtual rows"))
ALL = f"{LABELS}, {ROWS}, {VIRTUAL}"
PLANTED = {
    "map of all rows": (Protocol(NO_MAP, LOSO, prepare=mapped_in_advance), f"{ROWS}, {VIRTUAL}"),
    "map per class of all rows": (Protocol(NO_MAP, LOSO, prepare=partial(mapped_in_advance, per_class=True)), ALL),
    "map of test rows by their labels": (Protocol(NO_MAP, LOSO, prepare=moved_by_their_own_labels), ALL),
    "rotation of all rows": (Protocol(NO_ALIGNER, LOSO, prepare=aligned_in_advance), ALL),
    "rotation of the fold before": (
        Protocol(pipeline(align=aligner(CachingAligner)), LOSO, prepare=with_empty_caches),
        ALL,
    ),
    "map of the fold before": (Protocol(pipeline(map=CachingMapper()), LOSO, prepare=with_empty_caches), ALL),
    "statistics of the rows to transform": (Protocol(pipeline(scale=Standardiser()), LOSO), ROWS),
    "virtual rows of the held-out subject": (Protocol(pipeline(), HoldsOutRealRowsOnly()), VIRTUAL),
}


@pytest.mark.parametrize("leak", PLANTED)
def test_a_planted_leak_is_found(windows, leak):
    protocol, guilty = PLANTED[leak]
    with pytest.raises(AssertionError, match=f"predictions depend on {guilty}$"):
        check_predictions(windows, protocol)


def test_a_rotation_and_a_map_that_are_kept_for_good_are_found(windows):
    with_empty_caches(windows)
    with pytest.raises(AssertionError, match="two folds have the same rotation"):
        check_own_fits(windows, pipeline(align=aligner(CachingAligner)))
    with pytest.raises(AssertionError, match="two folds have the same map"):
        check_own_fits(windows, pipeline(align=aligner(), map=CachingMapper()))


class SeedOfTheFit(RandomForestClassifier):
    """Takes another seed each time that it is fitted."""

    n_fits: ClassVar[list] = []

    def fit(self, X, y):
        self.random_state = len(self.n_fits)
        self.n_fits.append(self.random_state)
        return super().fit(X, y)


def without_fits(windows: WindowSet) -> WindowSet:
    SeedOfTheFit.n_fits.clear()
    return windows


def test_predictions_that_depend_on_the_order_of_the_folds_are_found(windows):
    model = pipeline(SeedOfTheFit(5))
    with pytest.raises(AssertionError, match="predictions depend on the order of the folds"):
        check_predictions(windows, Protocol(model, LOSO, prepare=without_fits))


def test_a_check_that_sees_nothing_is_found(windows):
    only_real = DomainSelector(GaussianNB(var_smoothing=1.0), train_on="real")
    with pytest.raises(AssertionError, match="the check is blind to domain 1"):
        check_predictions(windows, Protocol(pipeline(align="passthrough", map="passthrough", clf=only_real), LOSO))


class LateBudget(GaussianNB):
    """Is given few real rows, when the steps before it have seen all of them."""

    __metadata_request__fit: ClassVar[dict] = {"sample_domain": True}

    def fit(self, X, y, sample_domain=None):
        kept = first_rows(y, sample_domain)
        return super().fit(X[kept], y[kept])


def first_rows(y: np.ndarray, domain: np.ndarray) -> np.ndarray:
    """All virtual rows, and the first real ones of each class."""
    return np.flatnonzero((domain == 1) | (pd.Series(y).groupby([y, domain]).cumcount().to_numpy() < N_BUDGET))


def check_late_budget(windows: WindowSet, **steps: str) -> None:
    model = pipeline(clf=LateBudget(var_smoothing=1.0), **steps)
    protocol, domain = Protocol(model, LOSO), windows.sample_domain
    declared = [(train[first_rows(windows.y[train], domain[train])], test) for train, test in protocol.folds(windows)]
    check_predictions(windows, protocol, declared)


@pytest.mark.parametrize("without", ["align", "map"])
def test_a_budget_that_is_cut_after_a_step_has_seen_all_real_rows_is_found(windows, without):
    with pytest.raises(AssertionError, match=r"predictions depend on real rows outside the training rows$"):
        check_late_budget(windows, **{without: "passthrough"})


def test_a_budget_that_is_cut_late_passes_where_no_step_before_learns_anything(windows):
    check_late_budget(windows, align="passthrough", map="passthrough")


@pytest.fixture(scope="module")
def k_fold(windows):
    """Real windows, and shuffled folds of them."""
    real = windows[windows.sample_domain == 0]
    return real, GivenFolds(list(KFold(3, shuffle=True, random_state=0).split(real.X)))


def test_overlapping_windows_on_both_sides_are_found(k_fold):
    real, cv = k_fold
    with pytest.raises(AssertionError, match="fold 0: windows that overlap in time lie on both sides"):
        check_folds(real, cv.folds)
    with pytest.raises(AssertionError, match=f"fold 0: predictions depend on {LABELS}, {ROWS}$"):
        check_predictions(real, Protocol(pipeline(), cv))


def test_a_recording_a_person_and_a_virtual_row_on_the_wrong_side_are_found(windows):
    recordings, subjects, real = windows.metadata["recording"], windows.groups, windows.sample_domain == 0
    first, last = (np.flatnonzero(recordings == 0)[[index]] for index in (0, -1))
    elsewhere = np.flatnonzero((subjects == subjects[first]) & real & (recordings != 0))
    virtual = np.flatnonzero(~real & (subjects == "cy"))
    for test, what in [
        (last, "a recording lies on both sides"),
        (elsewhere, "a tested person trains"),
        (virtual, "virtual rows are tested"),
    ]:
        with pytest.raises(AssertionError, match=what):
            check_folds(windows, [(first, test)])


def test_predict_out_of_fold_refuses_folds_in_which_a_tested_person_trains(windows, k_fold):
    with pytest.raises(DataFormatError, match=r"leaks: 15 of its training rows \(15 of them virtual\) are of tested"):
        Protocol(pipeline(), HoldsOutRealRowsOnly(), by_predict_out_of_fold)(windows)
    real, cv = k_fold
    with pytest.raises(DataFormatError, match=r"leaks: 30 of its training rows \(0 of them virtual\) are of tested"):
        Protocol(pipeline(), cv, by_predict_out_of_fold)(real)
