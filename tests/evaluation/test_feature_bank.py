"""FeatureBank gives what the pipelines give, bit for bit but for means, and calculates nothing twice."""

from __future__ import annotations

import gc
import pickle
import warnings
import weakref

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils.metadata_routing import get_routing_for_object

from har_virtual import WindowSet
from har_virtual.adaptation import RankDistributionMapper, SensorAligner
from har_virtual.evaluation import PROTOCOLS, Protocol, real_data_used
from har_virtual.evaluation.feature_bank import Adapted, FeatureBank
from har_virtual.exceptions import DataFormatError, DataWarning
from har_virtual.features import ECDFFeatures

CHANNELS = [f"left_wrist_acc_{axis}" for axis in "xyz"]
SUBJECTS = ("set/1", "set/2", "set/3")
N_SAMPLES = 12
PER_CLASS = Protocol("V2R mapped per class", "virtual", map="per_class")
ALL = {**PROTOCOLS, PER_CLASS.name: PER_CLASS}
ECDF = ECDFFeatures(n_components=5)
STEP = RankDistributionMapper(method="step", n_quantiles=100)


def make_windows(kind: str = "continuous", *, n_windows: int = 320, seed: int = 0) -> WindowSet:
    """Postures and liveliness by class, virtual windows turned and stretched, both domains mixed in one order."""
    rng = np.random.default_rng(seed)
    y = rng.integers(4, size=n_windows)
    virtual = rng.random(n_windows) < 0.55
    posture = np.array([[9.8, 0, 0], [0, 9.8, 0], [0, 0, 9.8], [6, 6, 5]])
    X = posture[y][:, None] + (1 + y[:, None, None]) * rng.normal(size=(n_windows, N_SAMPLES, 3))
    X[virtual] = 1.4 * X[virtual] @ np.diag([-1, -1, 1]) + 0.5
    if kind == "ties":
        X = X.round()
    if kind == "constant":
        X[:, :, 1] = np.where(virtual, 3.0, X[:, :, 1].T).T
        X[:, :, 2] = np.where(virtual, X[:, :, 2].T, 9.81).T
    metadata = pd.DataFrame(
        {"subject": rng.choice(SUBJECTS, n_windows), "domain": np.where(virtual, "virtual", "real")}
    )
    metadata = metadata.assign(dataset="set", session="1", recording=0, start_s=0.0, stop_s=1.0)
    return WindowSet(X, np.array(["lie", "sit", "walk", "run"])[y], metadata, CHANNELS, float(N_SAMPLES))


def training_rows(windows: WindowSet, *, keep_real: int | None = None) -> np.ndarray:
    """Rows of all subjects but the first, shuffled, and of the real ones only so many."""
    rows = np.random.default_rng(1).permutation(np.flatnonzero(windows.groups != SUBJECTS[0]))
    real = rows[windows.sample_domain[rows] == 0]
    return rows if keep_real is None else rows[~np.isin(rows, real[keep_real:])]


def fit_pipeline(windows: WindowSet, protocol: Protocol, rows: np.ndarray, **steps: BaseEstimator):
    """The plain way: the steps before the classifier, fitted to the windows, and what they give."""
    pipeline = protocol.pipeline(DummyClassifier(), **{"features": ECDF, "channels": windows.channels, **steps})[:-1]
    return pipeline, call(pipeline, "fit_transform", windows, rows, windows.y[rows])


def call(pipeline: Pipeline, method: str, windows: WindowSet, rows: np.ndarray, *y: np.ndarray) -> np.ndarray:
    metadata = {"sample_domain": windows.sample_domain[rows], "groups": windows.groups[rows]}
    with config_context(enable_metadata_routing=True):
        requested = get_routing_for_object(pipeline).consumes(method, metadata)
        return getattr(pipeline, method)(windows.X[rows], *y, **{name: metadata[name] for name in requested})


def assert_same_features(found: np.ndarray, wanted: np.ndarray) -> None:
    assert found.dtype == wanted.dtype == np.float32
    assert found.shape == wanted.shape
    np.testing.assert_array_equal(found[:, :-3], wanted[:, :-3])
    # The means are of the order of 10, and sums of both signs.
    np.testing.assert_allclose(found[:, -3:], wanted[:, -3:], rtol=1e-5, atol=1e-5)


def assert_same_steps(adapted: Adapted, pipeline: Pipeline) -> None:
    if "align" in adapted.steps:
        found, wanted = adapted.steps["align"].rotations_, pipeline["align"].rotations_
        np.testing.assert_array_equal(found["left_wrist"], wanted["left_wrist"])
    if "map" in adapted.steps:
        found, wanted = adapted.steps["map"], pipeline["map"]
        assert found.class_maps_.keys() == wanted.class_maps_.keys()
        assert found.fallback_classes_ == wanted.fallback_classes_
        for own in ["all", *wanted.class_maps_]:
            maps = [mapper.map_ if own == "all" else mapper.class_maps_[own] for mapper in (found, wanted)]
            np.testing.assert_array_equal(*maps)
        assert vars(found).keys() == vars(wanted).keys()


# Of constant channels the aligner cannot tell how they are turned.
@pytest.mark.filterwarnings("ignore:left_wrist keeps its frame")
@pytest.mark.parametrize("kind", ["continuous", "ties", "constant"])
@pytest.mark.parametrize("mapper", [None, STEP], ids=["interpolated", "step"])
@pytest.mark.parametrize("name", ALL)
def test_every_protocol_gives_the_features_maps_and_counts_of_its_pipeline(
    name: str, mapper: RankDistributionMapper | None, kind: str
) -> None:
    windows = make_windows(kind)
    rows = training_rows(windows)
    adapted = FeatureBank(windows, ECDF, mapper=mapper).adapt(ALL[name], rows)
    pipeline, wanted = fit_pipeline(windows, ALL[name], rows, mapper=mapper)
    assert_same_features(adapted.features, wanted)
    assert_same_steps(adapted, pipeline)
    used = real_data_used(pipeline, np.count_nonzero(windows.sample_domain[rows] == 0))
    assert (adapted.real_rows_used, adapted.real_labels_used) == used
    tested = np.flatnonzero((windows.groups == SUBJECTS[0]) & (windows.sample_domain == 0))
    np.testing.assert_array_equal(adapted.transform(tested), call(pipeline, "transform", windows, tested))


@pytest.mark.parametrize("name", [PER_CLASS.name, "Mix2R aligned, mapped per class"])
def test_classes_with_few_rows_fall_back_and_are_named_as_in_the_pipeline(name: str) -> None:
    windows = make_windows()
    rows = training_rows(windows)
    is_real = windows.sample_domain[rows] == 0
    rows = rows[~is_real | (windows.y[rows] != "sit") | (np.cumsum(is_real) < 12)]
    found, wanted = (_warnings_of(way, windows, ALL[name], rows) for way in (_by_bank, _by_pipeline))
    assert_same_features(found[0], wanted[0])
    assert found[1] == wanted[1]
    assert any("'sit'" in text and "map over all classes" in text for text in found[1])


def _by_bank(windows: WindowSet, protocol: Protocol, rows: np.ndarray) -> np.ndarray:
    return FeatureBank(windows, ECDF).adapt(protocol, rows).features


def _by_pipeline(windows: WindowSet, protocol: Protocol, rows: np.ndarray) -> np.ndarray:
    return fit_pipeline(windows, protocol, rows)[1]


def _warnings_of(way, windows: WindowSet, protocol: Protocol, rows: np.ndarray) -> tuple[np.ndarray, list[str]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        features = way(windows, protocol, rows)
    return features, [str(entry.message) for entry in caught if entry.category is DataWarning]


@pytest.mark.parametrize("keep_real", [1, 40])
def test_a_budget_of_real_rows_gives_what_the_pipeline_gives(keep_real: int) -> None:
    windows = make_windows()
    rows = training_rows(windows, keep_real=keep_real)
    adapted = FeatureBank(windows, ECDF).adapt(PROTOCOLS["Mix2R mapped"], rows)
    pipeline, wanted = fit_pipeline(windows, PROTOCOLS["Mix2R mapped"], rows)
    assert adapted.real_rows_used == keep_real
    assert_same_features(adapted.features, wanted)
    assert_same_steps(adapted, pipeline)


@pytest.mark.parametrize("name", ["R2R", "V2R none", "V2R mapped", "V2R aligned", "Mix2R aligned, mapped per class"])
def test_some_rows_have_the_features_that_they_have_among_all(name: str) -> None:
    windows = make_windows()
    rows = training_rows(windows)
    few = np.random.default_rng(2).permutation(rows)[:50]
    fold = FeatureBank(windows, ECDF).fold(rows)
    before = fold.adapt(PROTOCOLS[name]).take(few)
    every = fold.adapt(PROTOCOLS[name]).features
    position = {row: number for number, row in enumerate(rows)}
    np.testing.assert_array_equal(before, every[[position[row] for row in few]])
    np.testing.assert_array_equal(fold.adapt(PROTOCOLS[name]).take(few), before)


LEARNED = {
    "features that learn": ("Mix2R mapped", {"features": make_pipeline(ECDF, StandardScaler())}),
    "real windows mapped": ("V2R mapped", {"mapper": RankDistributionMapper(direction="real_to_virtual")}),
    "real windows turned": (
        "Mix2R aligned, mapped per class",
        {"aligner": SensorAligner(channels=CHANNELS, direction="real_to_virtual", per_subject=True)},
    ),
    "subjects turned": ("V2R aligned, mapped", {"aligner": SensorAligner(channels=CHANNELS, per_subject=True)}),
    "other features, mapped": ("V2R aligned, mapped", {"features": FunctionTransformer(lambda X: X.std(axis=1))}),
}


@pytest.mark.parametrize("case", LEARNED)
def test_what_cannot_be_shared_over_folds_is_fitted_as_in_the_pipeline(case: str) -> None:
    name, steps = LEARNED[case]
    windows = make_windows()
    rows = training_rows(windows)
    bank = FeatureBank(windows, steps.get("features", ECDF), aligner=steps.get("aligner"), mapper=steps.get("mapper"))
    adapted = bank.fold(rows).adapt(PROTOCOLS[name])
    pipeline, wanted = fit_pipeline(windows, PROTOCOLS[name], rows, **steps)
    np.testing.assert_allclose(adapted.features, wanted, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(adapted.take(rows[5:9]), adapted.features[5:9])
    tested = np.flatnonzero((windows.groups == SUBJECTS[0]) & (windows.sample_domain == 0))
    np.testing.assert_array_equal(adapted.transform(tested), call(pipeline, "transform", windows, tested))
    used = real_data_used(pipeline, np.count_nonzero(windows.sample_domain[rows] == 0))
    assert (adapted.real_rows_used, adapted.real_labels_used) == used


@pytest.mark.parametrize("name", ALL)
def test_nothing_depends_on_windows_that_do_not_train(name: str) -> None:
    windows = make_windows()
    rows = training_rows(windows)
    X = windows.X.copy()
    X[windows.groups == SUBJECTS[0]] = -7 * X[windows.groups == SUBJECTS[0]] + 100
    others = WindowSet(X, windows.y, windows.metadata, windows.channels, windows.sampling_rate_hz)
    found, again = (FeatureBank(each, ECDF).adapt(ALL[name], rows).features for each in (windows, others))
    np.testing.assert_array_equal(found, again)


def test_each_window_is_described_once_over_folds_and_protocols(monkeypatch: pytest.MonkeyPatch) -> None:
    windows = make_windows()
    described, mapped = [], []
    of_windows, of_sorted = ECDFFeatures._describe, ECDFFeatures._describe_sorted
    monkeypatch.setattr(ECDFFeatures, "_describe", lambda self, X: described.append(len(X)) or of_windows(self, X))
    monkeypatch.setattr(
        ECDFFeatures, "_describe_sorted", lambda self, samples: mapped.append(1) or of_sorted(self, samples)
    )
    bank = FeatureBank(windows, ECDF)
    for subject in SUBJECTS:
        fold = bank.fold(np.flatnonzero(windows.groups != subject))
        for name in ("R2R", "V2R mapped", "Mix2R mapped", "V2R none"):
            fold.adapt(PROTOCOLS[name]).features  # noqa: B018 - made at access
    # One window more for each domain tells how many features there are.
    assert sum(described) == len(windows) + 2
    assert len(mapped) == len(SUBJECTS) * len(CHANNELS)


def test_aligners_and_maps_are_fitted_once_a_fold() -> None:
    windows = make_windows()
    fold = FeatureBank(windows, ECDF).fold(training_rows(windows))
    aligned, mapped, mixed = (
        fold.adapt(PROTOCOLS[name]).steps for name in ("V2R aligned", "V2R aligned, mapped", "Mix2R aligned, mapped")
    )
    assert aligned["align"] is mapped["align"] is mixed["align"]
    assert mapped["map"] is mixed["map"]


def test_what_is_prepared_is_what_is_needed() -> None:
    windows = make_windows()
    rows = training_rows(windows)
    for name in ("R2R", "V2R none", "V2R mapped", "V2R aligned, mapped"):
        bank = FeatureBank(windows, ECDF).prepare([PROTOCOLS[name]])
        before = set(bank._features), set(bank._ranked)
        prepared = bank.adapt(PROTOCOLS[name], rows).features
        if PROTOCOLS[name].train_on == "real":
            bank.adapt(PROTOCOLS[name], rows).take(rows[windows.sample_domain[rows] == 0])
        else:
            assert (set(bank._features), set(bank._ranked)) == before
        again = pickle.loads(pickle.dumps(bank)).adapt(PROTOCOLS[name], rows).features
        np.testing.assert_array_equal(prepared, again)


def test_real_rows_train_without_a_look_at_virtual_ones() -> None:
    windows = make_windows()
    rows = training_rows(windows)
    bank = FeatureBank(windows, ECDF)
    bank.adapt(PROTOCOLS["R2R"], rows).take(rows[windows.sample_domain[rows] == 0])
    assert set(bank._features) == {False}
    assert not bank._ranked


def test_a_fold_is_gone_once_nobody_uses_it() -> None:
    windows = make_windows()
    fold = FeatureBank(windows, ECDF).fold(training_rows(windows))
    fold.adapt(PROTOCOLS["V2R mapped"]).features  # noqa: B018
    known = weakref.ref(fold)
    gc.disable()
    try:
        del fold
        assert known() is None
    finally:
        gc.enable()


def test_training_rows_of_one_domain_are_as_they_are() -> None:
    windows = make_windows()
    rows = np.flatnonzero(windows.sample_domain == 0)
    adapted = FeatureBank(windows, ECDF).adapt(PROTOCOLS["Mix2R aligned, mapped"], rows)
    np.testing.assert_array_equal(adapted.features, ECDF.fit_transform(windows.X[rows]))
    assert adapted.steps["map"].is_identity_
    assert (adapted.real_rows_used, adapted.real_labels_used) == (0, 0)


def test_virtual_rows_alone_cannot_be_mapped() -> None:
    windows = make_windows()
    bank = FeatureBank(windows, ECDF)
    with pytest.raises(DataFormatError, match="no real distribution"):
        bank.adapt(PROTOCOLS["V2R mapped"], np.flatnonzero(windows.sample_domain == 1))


def test_virtual_rows_are_not_recognised() -> None:
    windows = make_windows()
    rows = training_rows(windows)
    virtual = np.flatnonzero(windows.sample_domain == 1)[:1]
    bank = FeatureBank(windows, ECDF)
    for transform in (bank.real, bank.adapt(PROTOCOLS["V2R mapped"], rows).transform):
        with pytest.raises(DataFormatError, match=f"Row {virtual[0]} is virtual"):
            transform(virtual)


def test_rows_that_do_not_train_have_no_training_features() -> None:
    windows = make_windows()
    adapted = FeatureBank(windows, ECDF).adapt(PROTOCOLS["V2R mapped"], training_rows(windows))
    foreign = np.flatnonzero(windows.groups == SUBJECTS[0])[0]
    with pytest.raises(DataFormatError, match=f"Row {foreign} is none of"):
        adapted.take([foreign])


def test_a_training_row_that_comes_twice_is_refused() -> None:
    with pytest.raises(DataFormatError, match="comes twice"):
        FeatureBank(make_windows(), ECDF).fold([0, 1, 1])


def test_features_that_learn_have_no_common_real_features() -> None:
    bank = FeatureBank(make_windows(), make_pipeline(ECDF, StandardScaler()))
    with pytest.raises(DataFormatError, match="learns from training rows"):
        bank.real(np.flatnonzero(bank.windows.sample_domain == 0))


def test_windows_without_labels_are_refused() -> None:
    windows = make_windows()
    bare = WindowSet(windows.X, None, windows.metadata, windows.channels, windows.sampling_rate_hz)
    with pytest.raises(DataFormatError, match="no labels"):
        FeatureBank(bare, ECDF)
