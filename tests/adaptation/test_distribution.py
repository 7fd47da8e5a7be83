"""RankDistributionMapper against closed forms, a slow step map, and planted leaks."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.model_selection import GroupKFold, cross_validate
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from har_virtual.adaptation import RankDistributionMapper
from har_virtual.exceptions import DataFormatError, DataWarning
from har_virtual.recording import Recording

N_REAL, N_SAMPLES, N_CHANNELS = 20, 15, 3
DOMAIN = np.repeat([0, 1], N_REAL)
VIRTUAL = DOMAIN == 1
CHANNELS = [f"left_wrist_acc_{axis}" for axis in "xyz"]


@pytest.fixture
def real() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(N_REAL, N_SAMPLES, N_CHANNELS)) * [1, 4, 9]


@pytest.fixture
def windows(real: np.ndarray) -> np.ndarray:
    """Real rows, then virtual ones of other offsets and scales: an affine image of the real rows."""
    return np.concatenate([real, 5 + 2 * real])


def slow_step_map(values: np.ndarray, source: np.ndarray, target: np.ndarray, n_quantiles: int) -> np.ndarray:
    """Look for the bin of each value, one after another; bins are open below and closed above."""
    percentages = np.linspace(0, 100, n_quantiles)
    edges, levels = np.percentile(source, percentages), np.percentile(target, percentages)
    mapped = np.empty(len(values))
    for i, value in enumerate(values):
        number = 0
        while number < n_quantiles - 1 and value > edges[number]:
            number += 1
        mapped[i] = levels[number]
    return mapped


def same_ranks(a: np.ndarray, b: np.ndarray) -> bool:
    return all(np.array_equal(np.argsort(x.ravel()), np.argsort(y.ravel())) for x, y in zip(a.T, b.T, strict=True))


def test_an_affine_image_of_real_data_is_mapped_back_onto_it(windows: np.ndarray, real: np.ndarray) -> None:
    mapped = RankDistributionMapper().fit_transform(windows, sample_domain=DOMAIN)
    np.testing.assert_allclose(mapped[VIRTUAL], real, atol=1e-9)
    np.testing.assert_array_equal(mapped[~VIRTUAL], real)


def test_a_monotone_image_in_another_order_gets_the_real_distribution_and_keeps_its_ranks(real: np.ndarray) -> None:
    virtual = np.arctan(real[::-1] / 10)
    n_values = N_REAL * N_SAMPLES
    mapper = RankDistributionMapper(n_quantiles=n_values)
    mapped = mapper.fit_transform(np.concatenate([real, virtual]), sample_domain=DOMAIN)[VIRTUAL]
    assert same_ranks(mapped, virtual)
    for channel in range(N_CHANNELS):
        values, wanted = np.sort(mapped[..., channel].ravel()), np.sort(real[..., channel].ravel())
        np.testing.assert_allclose(values, wanted, atol=1e-9)


def test_distance_to_the_real_distribution_is_below_a_thousandth() -> None:
    rng = np.random.default_rng(1)
    size = 150_000
    real = np.where(rng.random(size) < 0.4, rng.normal(9.81, 0.1, size), rng.laplace(0, 4, size))
    virtual = np.where(rng.random(size) < 0.7, rng.normal(-3, 0.3, size), rng.normal(2, 6, size))
    windows = np.concatenate([real, virtual]).astype(np.float32).reshape(-1, 30, 1)
    domain = np.repeat([0, 1], size // 30)
    mapped = RankDistributionMapper().fit_transform(windows, sample_domain=domain)
    assert ks_2samp(virtual, real, method="asymp").statistic > 0.5
    distance = ks_2samp(mapped[domain == 1].ravel(), windows[domain == 0].ravel(), method="asymp").statistic
    assert distance <= 0.001


def test_real_and_virtual_may_differ_in_number() -> None:
    real, virtual = np.linspace(0, 1, 50).reshape(10, 5, 1), np.linspace(10, 30, 2000).reshape(400, 5, 1)
    domain = np.repeat([0, 1], [10, 400])
    mapped = RankDistributionMapper().fit_transform(np.concatenate([real, virtual]), sample_domain=domain)
    np.testing.assert_allclose(mapped[10:].ravel(), np.linspace(0, 1, 2000), atol=1e-9)


def test_a_constant_virtual_channel_goes_to_the_real_median() -> None:
    real = np.arange(11.0).reshape(11, 1, 1) ** 2
    windows, domain = np.concatenate([real, np.full((4, 1, 1), 7.0)]), np.repeat([0, 1], [11, 4])
    mapped = RankDistributionMapper(n_quantiles=101).fit_transform(windows, sample_domain=domain)
    np.testing.assert_allclose(mapped[domain == 1], 25.0)


def test_a_constant_real_channel_makes_the_virtual_one_constant(windows: np.ndarray) -> None:
    windows[~VIRTUAL, :, 1] = 9.81
    mapped = RankDistributionMapper().fit_transform(windows, sample_domain=DOMAIN)
    np.testing.assert_array_equal(mapped[..., 1], 9.81)


def test_tied_values_share_the_middle_of_their_ranks() -> None:
    real = np.arange(101.0)
    virtual = np.concatenate([np.zeros(41), np.arange(1, 61)])
    windows = np.concatenate([real, virtual]).reshape(-1, 1, 1)
    mapper = RankDistributionMapper(n_quantiles=101)
    mapped = mapper.fit_transform(windows, sample_domain=np.repeat([0, 1], 101))[101:].ravel()
    np.testing.assert_allclose(mapped[:41], 20.0)
    np.testing.assert_allclose(mapped[41:], real[41:])


def test_equal_distributions_stay_even_with_ties() -> None:
    values = np.random.default_rng(2).integers(0, 7, size=(40, 5, 2)).astype(float)
    windows = np.concatenate([values, values[::-1]])
    mapped = RankDistributionMapper(n_quantiles=200).fit_transform(windows, sample_domain=np.repeat([0, 1], 40))
    np.testing.assert_allclose(mapped, windows, atol=1e-9)


@pytest.mark.parametrize("method", ["interpolated", "step"])
def test_values_beyond_those_of_fit_go_to_the_ends(method: str, windows: np.ndarray, real: np.ndarray) -> None:
    mapper = RankDistributionMapper(method=method).fit(windows, sample_domain=DOMAIN)
    beyond = np.full((2, N_SAMPLES, N_CHANNELS), [[[-1e6]], [[1e6]]])
    mapped = mapper.transform(beyond, sample_domain=[1, 1])
    np.testing.assert_array_equal(mapped[0, 0], real.min(axis=(0, 1)))
    np.testing.assert_array_equal(mapped[1, 0], real.max(axis=(0, 1)))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n_quantiles", [2, 7, 100, 1000])
def test_steps_equal_the_slow_map_to_the_bit(n_quantiles: int, dtype: type) -> None:
    rng = np.random.default_rng(3)
    windows = np.concatenate([rng.normal(size=(33, 10, 2)), 3 + rng.gamma(2, size=(47, 10, 2))]).astype(dtype)
    windows[::4, :, 1] = np.round(windows[::4, :, 1])
    domain = np.repeat([0, 1], [33, 47])
    mapper = RankDistributionMapper(method="step", n_quantiles=n_quantiles)
    mapped = mapper.fit_transform(windows, sample_domain=domain)[domain == 1]
    exact = windows.astype(np.float64)
    for channel in range(2):
        virtual = exact[domain == 1][..., channel].ravel()
        wanted = slow_step_map(virtual, virtual, exact[domain == 0][..., channel].ravel(), n_quantiles)
        np.testing.assert_array_equal(mapped[..., channel].ravel(), wanted.astype(dtype))


def test_bins_are_open_below_and_closed_above_with_the_minimum_in_the_first() -> None:
    windows = np.array([100.0, 200, 300, 0, 1, 2]).reshape(-1, 1, 1)
    mapper = RankDistributionMapper(method="step", n_quantiles=3).fit(windows, sample_domain=[0, 0, 0, 1, 1, 1])
    mapped = mapper.transform(np.array([0, 0.001, 1, 1.001, 2]).reshape(-1, 1, 1), sample_domain=np.ones(5))
    np.testing.assert_array_equal(mapped.ravel(), [100, 200, 200, 300, 300])


def test_steps_put_a_constant_channel_into_the_first_bin(windows: np.ndarray, real: np.ndarray) -> None:
    windows[VIRTUAL, :, 2] = 4.0
    mapper = RankDistributionMapper(method="step", n_quantiles=100)
    mapped = mapper.fit_transform(windows, sample_domain=DOMAIN)
    np.testing.assert_array_equal(mapped[VIRTUAL][..., 2], real[..., 2].min())


def test_the_other_direction_moves_the_real_rows(windows: np.ndarray) -> None:
    mapper = RankDistributionMapper(direction="real_to_virtual")
    mapped = mapper.fit_transform(windows, sample_domain=DOMAIN)
    np.testing.assert_allclose(mapped[~VIRTUAL], windows[VIRTUAL], atol=1e-9)
    np.testing.assert_array_equal(mapped[VIRTUAL], windows[VIRTUAL])


def test_rows_without_a_domain_are_real(windows: np.ndarray, real: np.ndarray) -> None:
    to_real = RankDistributionMapper().fit(windows, sample_domain=DOMAIN)
    np.testing.assert_array_equal(to_real.transform(real), real)
    to_virtual = RankDistributionMapper(direction="real_to_virtual").fit(windows, sample_domain=DOMAIN)
    np.testing.assert_allclose(to_virtual.transform(real), windows[VIRTUAL], atol=1e-9)


@pytest.mark.parametrize("direction", ["virtual_to_real", "real_to_virtual"])
@pytest.mark.parametrize("sample_domain", [None, np.zeros(N_REAL)])
def test_without_virtual_rows_nothing_moves(direction: str, sample_domain: np.ndarray | None, real: np.ndarray) -> None:
    mapper = RankDistributionMapper(direction=direction)
    np.testing.assert_array_equal(mapper.fit_transform(real, sample_domain=sample_domain), real)
    np.testing.assert_array_equal(mapper.transform(real, sample_domain=np.arange(N_REAL) % 2), real)
    assert mapper.is_identity_ and mapper.map_ is None
    assert (mapper.real_rows_used_, mapper.real_labels_used_) == (0, 0)


@pytest.mark.parametrize("direction", ["virtual_to_real", "real_to_virtual"])
def test_virtual_rows_alone_are_refused_with_what_to_do(direction: str, real: np.ndarray) -> None:
    with pytest.raises(DataFormatError, match=r"all of the 20 rows with samples are virtual.*Add real rows"):
        RankDistributionMapper(direction=direction).fit(real, sample_domain=np.ones(N_REAL))


@pytest.fixture
def classes() -> np.ndarray:
    return np.tile(np.repeat(["sit", "walk"], N_REAL // 2), 2)


@pytest.fixture
def class_windows(windows: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """The virtual rows of "walk" are moved further, so that no single map fits both classes."""
    windows[VIRTUAL & (classes == "walk")] *= -1
    return windows


def test_each_class_goes_through_its_own_map_in_training(
    class_windows: np.ndarray, real: np.ndarray, classes: np.ndarray
) -> None:
    mapper = RankDistributionMapper(per_class=True, n_quantiles=N_REAL // 2 * N_SAMPLES)
    mapped = mapper.fit_transform(class_windows, classes, sample_domain=DOMAIN)[VIRTUAL]
    sit, walk = classes[VIRTUAL] == "sit", classes[VIRTUAL] == "walk"
    np.testing.assert_allclose(mapped[sit], real[sit], atol=1e-9)
    # A monotone map cannot undo the change of sign, but it gives walking the values of real walking.
    walked, wanted = (np.sort(side[walk].reshape(-1, N_CHANNELS), axis=0) for side in (mapped, real))
    np.testing.assert_allclose(walked, wanted, atol=1e-9)
    assert set(mapper.class_maps_) == {"sit", "walk"} and mapper.fallback_classes_ == []


def test_transform_uses_the_map_over_all_classes(class_windows: np.ndarray, classes: np.ndarray) -> None:
    per_class = RankDistributionMapper(per_class=True).fit(class_windows, classes, sample_domain=DOMAIN)
    over_all = RankDistributionMapper().fit(class_windows, sample_domain=DOMAIN)
    wanted = over_all.transform(class_windows, sample_domain=DOMAIN)
    np.testing.assert_array_equal(per_class.transform(class_windows, sample_domain=DOMAIN), wanted)
    moved = per_class.fit_transform(class_windows, classes, sample_domain=DOMAIN)
    assert np.abs(moved - wanted).max() > 1


def test_a_class_with_few_rows_falls_back_to_the_map_over_all_classes(
    class_windows: np.ndarray, classes: np.ndarray
) -> None:
    labels = classes.copy()
    labels[[0, 1, 2, 3]] = "fall"  # Four real rows are too few.
    labels[VIRTUAL & (classes == "sit")] = "fall"
    labels[-5:] = "jump"  # No real row at all.
    mapper = RankDistributionMapper(per_class=True)
    told = (
        r"classes \['jump'\] have no real row at all \(compare the spelling: the real labels are "
        r"\['fall', 'sit', 'walk'\]\), and classes \['fall'\] have fewer than min_class_rows=5 rows in one domain"
    )
    with pytest.warns(DataWarning, match=told) as caught:
        mapped = mapper.fit_transform(class_windows, labels, sample_domain=DOMAIN)
    assert len(caught) == 1 and caught[0].filename == __file__
    assert mapper.fallback_classes_ == ["fall", "jump"] and list(mapper.class_maps_) == ["walk"]
    fallen = VIRTUAL & (labels != "walk")
    np.testing.assert_array_equal(mapped[fallen], mapper.transform(class_windows, sample_domain=DOMAIN)[fallen])
    assert np.abs(mapped - mapper.transform(class_windows, sample_domain=DOMAIN))[VIRTUAL & ~fallen].max() > 1


def test_the_warning_of_a_fallback_points_at_who_fits_a_pipeline(
    class_windows: np.ndarray, classes: np.ndarray
) -> None:
    labels = np.where(VIRTUAL, np.char.upper(classes), classes)
    model = Pipeline([("map", RankDistributionMapper(per_class=True)), ("end", "passthrough")])
    with config_context(enable_metadata_routing=True), pytest.warns(DataWarning, match="no real row at all") as caught:
        model.fit(class_windows, labels, sample_domain=DOMAIN)
    assert {warning.filename for warning in caught} == {__file__}


@pytest.mark.parametrize(("direction", "moving"), [("virtual_to_real", 1), ("real_to_virtual", 0)])
def test_a_label_that_is_spelt_otherwise_in_the_other_domain_is_named(
    direction: str, moving: int, windows: np.ndarray, classes: np.ndarray
) -> None:
    labels = np.where((moving == DOMAIN) & (classes == "walk"), "Walk", classes)
    resting = "real" if moving else "virtual"
    told = (
        rf"Mapper: classes \['Walk'\] have no {resting} row at all \(.* {resting} labels are \['sit', 'walk'\]\); their"
    )
    with pytest.warns(DataWarning, match=told):
        RankDistributionMapper(per_class=True, direction=direction).fit(windows, labels, sample_domain=DOMAIN)


def test_classes_with_too_few_rows_are_not_said_to_have_none(windows: np.ndarray, classes: np.ndarray) -> None:
    mapper = RankDistributionMapper(per_class=True, min_class_rows=11)
    with pytest.warns(
        DataWarning, match=r"Mapper: classes \['sit', 'walk'\] have fewer than min_class_rows=11 rows in"
    ):
        mapper.fit(windows, classes, sample_domain=DOMAIN)


def test_a_class_with_no_rows_to_move_needs_no_map(class_windows: np.ndarray, classes: np.ndarray) -> None:
    labels = np.where(VIRTUAL, "walk", classes)
    mapper = RankDistributionMapper(per_class=True).fit(class_windows, labels, sample_domain=DOMAIN)
    assert list(mapper.class_maps_) == ["walk"] and mapper.fallback_classes_ == []


def test_per_class_works_from_real_to_virtual_too(windows: np.ndarray, classes: np.ndarray) -> None:
    windows[VIRTUAL & (classes == "walk")] += 100
    mapper = RankDistributionMapper(per_class=True, direction="real_to_virtual")
    mapped = mapper.fit_transform(windows, pd.Series(classes), sample_domain=DOMAIN)
    np.testing.assert_allclose(mapped[~VIRTUAL], windows[VIRTUAL], atol=1e-9)


def test_per_class_needs_a_label_for_each_row(windows: np.ndarray, classes: np.ndarray) -> None:
    mapper = RankDistributionMapper(per_class=True)
    with pytest.raises(DataFormatError, match="requires y to be passed, but the target y is None"):
        mapper.fit(windows, sample_domain=DOMAIN)
    with pytest.raises(DataFormatError, match="3 of 40 have none"):
        mapper.fit(windows, np.array([*classes[3:], None, None, np.nan], dtype=object), sample_domain=DOMAIN)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        mapper.fit(windows, classes[1:], sample_domain=DOMAIN)


def test_real_rows_and_labels_are_counted(windows: np.ndarray, classes: np.ndarray) -> None:
    unlabelled = RankDistributionMapper().fit(windows, classes, sample_domain=DOMAIN)
    assert (unlabelled.real_rows_used_, unlabelled.real_labels_used_) == (20, 0)
    labelled = RankDistributionMapper(per_class=True).fit(windows, classes, sample_domain=DOMAIN)
    assert (labelled.real_rows_used_, labelled.real_labels_used_) == (20, 20)


def test_labels_change_nothing_unless_per_class(windows: np.ndarray, classes: np.ndarray) -> None:
    results = [RankDistributionMapper().fit_transform(windows, y, sample_domain=DOMAIN) for y in (None, classes)]
    np.testing.assert_array_equal(*results)


@pytest.mark.parametrize("direction", ["virtual_to_real", "real_to_virtual"])
def test_rows_that_are_not_in_fit_change_nothing(direction: str, windows: np.ndarray) -> None:
    train, other = np.arange(40) % 4 > 0, np.arange(40) % 4 == 0

    def fold(windows: np.ndarray) -> tuple[bytes, np.ndarray]:
        mapper = RankDistributionMapper(direction=direction)
        trained = mapper.fit_transform(windows[train], sample_domain=DOMAIN[train])
        mapper.transform(windows[other], sample_domain=DOMAIN[other])
        return pickle.dumps(mapper), trained

    planted = windows.copy()
    planted[other] = 1e3 + 7 * planted[other]
    (state, trained), (planted_state, planted_trained) = fold(windows), fold(planted)
    assert state == planted_state
    np.testing.assert_array_equal(trained, planted_trained)


def test_a_row_is_mapped_the_same_alone_and_among_others(windows: np.ndarray) -> None:
    mapper = RankDistributionMapper().fit(windows, sample_domain=DOMAIN)
    together = mapper.transform(windows, sample_domain=DOMAIN)
    alone = [mapper.transform(windows[[i]], sample_domain=DOMAIN[[i]])[0] for i in range(40)]
    np.testing.assert_array_equal(together, alone)


class MeanClassifier(ClassifierMixin, BaseEstimator):
    """Tells two classes apart by the mean of a row, halfway between the training classes' means."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> MeanClassifier:
        self.classes_ = np.unique(y)
        low, high = (X[y == label].mean() for label in self.classes_)
        self.threshold_, self.seen_ = (low + high) / 2, X
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        check_is_fitted(self)
        return self.classes_[(X.mean(axis=(1, 2)) > self.threshold_).astype(int)]


class Passed(TransformerMixin, BaseEstimator, auto_wrap_output_keys=None):
    """A step before the mapper that knows nothing of domains."""

    def fit(self, X: np.ndarray, y: np.ndarray | None = None) -> Passed:
        self.fitted_ = True
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        return X


@pytest.fixture
def far_rows() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Windows of two classes; many virtual rows, so far off that a model of unmapped ones fails on real rows."""
    rng = np.random.default_rng(4)
    y = np.tile([0, 1], 60)
    domain = np.repeat([0, 1], [24, 96])
    X = rng.normal(size=(120, 10, 3)) + 4 * y[:, None, None] + 200 * domain[:, None, None]
    return X, y, domain, np.arange(120) // 2 % 4


def test_a_pipeline_hands_the_domain_to_the_mapper(far_rows: tuple) -> None:
    X, y, domain, _ = far_rows
    model = Pipeline([("same", Passed()), ("map", RankDistributionMapper()), ("clf", MeanClassifier())])
    with config_context(enable_metadata_routing=True):
        model.fit(X, y, sample_domain=domain)
    seen = model[-1].seen_
    np.testing.assert_array_equal(seen[domain == 0], X[domain == 0])
    assert seen.max() <= X[domain == 0].max()
    assert not model["map"].is_identity_
    assert model.score(X[domain == 0], y[domain == 0]) == 1


@pytest.mark.parametrize("scoring", [None, "f1_macro"])
def test_cross_validation_on_real_rows_works_with_any_scoring(scoring: str | None, far_rows: tuple) -> None:
    X, y, domain, groups = far_rows
    model = Pipeline([("map", RankDistributionMapper()), ("clf", MeanClassifier())])
    folds = [(train, test[domain[test] == 0]) for train, test in GroupKFold(4).split(X, y, groups)]
    with config_context(enable_metadata_routing=True):
        scores = cross_validate(model, X, y, cv=folds, scoring=scoring, params={"sample_domain": domain})
        unmapped = cross_validate(model, X, y, cv=folds, scoring=scoring, params={})
    assert scores["test_score"].min() == 1
    assert unmapped["test_score"].max() < 0.6


def as_streams(windows: np.ndarray) -> list[np.ndarray]:
    """The same samples cut into streams of unequal length, in order."""
    return np.split(windows.reshape(-1, windows.shape[2]), [7, 7, 150, 290])


def test_streams_get_the_map_that_their_samples_get_as_windows(windows: np.ndarray, real: np.ndarray) -> None:
    streams = [*as_streams(real), *as_streams(windows[VIRTUAL])]
    domain = np.repeat([0, 1], 5)
    mapped = RankDistributionMapper().fit_transform(streams, sample_domain=domain)
    assert isinstance(mapped, list) and [len(m) for m in mapped] == [len(s) for s in streams]
    wanted = RankDistributionMapper().fit_transform(windows, sample_domain=DOMAIN)
    np.testing.assert_array_equal(np.concatenate(mapped), wanted.reshape(-1, N_CHANNELS))


def test_recordings_come_back_as_recordings(windows: np.ndarray, real: np.ndarray) -> None:
    real_one = Recording(real.reshape(-1, 3), 30, CHANNELS, subject="1")
    labels = np.repeat("walk", N_REAL * N_SAMPLES)
    virtual_one = Recording(windows[VIRTUAL].reshape(-1, 3), 30, CHANNELS, labels=labels, domain="virtual", start_s=2)
    nobody = Recording(np.empty((0, 3)), 30, CHANNELS, domain="virtual", attrs={"reason": "nobody"})
    mapper = RankDistributionMapper().fit([real_one, virtual_one, nobody], sample_domain=[0, 1, 1])
    still, moved, empty = mapper.transform([real_one, virtual_one, nobody], sample_domain=[0, 1, 1])
    np.testing.assert_array_equal(still.data, real_one.data)
    np.testing.assert_allclose(moved.data, real_one.data, atol=1e-5)
    assert (moved.domain, moved.start_s, moved.channels) == ("virtual", 2, tuple(CHANNELS))
    np.testing.assert_array_equal(moved.labels, labels)
    assert empty.data.shape == (0, 3) and empty.attrs == {"reason": "nobody"}


def test_empty_streams_count_as_no_rows() -> None:
    full, empty = np.ones((5, 2)), np.empty((0, 2))
    mapper = RankDistributionMapper().fit([full, empty], sample_domain=[0, 1])
    assert mapper.is_identity_
    with pytest.raises(DataFormatError, match="all of the 1 rows with samples are virtual"):
        RankDistributionMapper().fit([empty, full], sample_domain=[0, 1])
    fitted = RankDistributionMapper().fit([full, full, empty], sample_domain=[0, 1, 0])
    assert fitted.real_rows_used_ == 1


def test_classes_of_streams_may_have_one_stream_each(windows: np.ndarray) -> None:
    streams = [windows[0], windows[10], windows[0] + 50, windows[10] - 70]
    mapper = RankDistributionMapper(per_class=True, min_class_rows=1)
    mapped = mapper.fit_transform(streams, ["sit", "walk"] * 2, sample_domain=[0, 0, 1, 1])
    np.testing.assert_allclose(np.stack(mapped), windows[[0, 10, 0, 10]], atol=1e-9)


def test_empty_streams_are_no_rows_of_their_class(windows: np.ndarray) -> None:
    full, empty = windows[0], np.empty((0, N_CHANNELS))
    streams, domain = [full, full, empty, full, full + 5, empty], [0, 0, 0, 1, 1, 1]
    labels = ["sit", "sit", "walk", "sit", "walk", "jump"]
    mapper = RankDistributionMapper(per_class=True, min_class_rows=1)
    with pytest.warns(
        DataWarning, match=r"classes \['walk'\] have no real row at all .* labels are \['sit'\]\); their"
    ):
        mapper.fit(streams, labels, sample_domain=domain)
    assert list(mapper.class_maps_) == ["sit"] and mapper.fallback_classes_ == ["walk"]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_float_type_stays_and_the_input_too(dtype: type, windows: np.ndarray) -> None:
    windows = windows.astype(dtype)
    before = windows.copy()
    mapper = RankDistributionMapper()
    assert mapper.fit_transform(windows, sample_domain=DOMAIN).dtype == dtype
    assert mapper.transform(windows, sample_domain=DOMAIN).dtype == dtype
    streams = list(windows)
    assert {stream.dtype for stream in mapper.transform(streams, sample_domain=DOMAIN)} == {np.dtype(dtype)}
    np.testing.assert_array_equal(windows, before)


def test_two_dimensions_are_windows_of_one_channel(windows: np.ndarray) -> None:
    flat = RankDistributionMapper().fit_transform(windows[..., 1], sample_domain=DOMAIN)
    assert flat.shape == (40, N_SAMPLES)
    deep = RankDistributionMapper().fit_transform(windows[..., [1]], sample_domain=DOMAIN)
    np.testing.assert_array_equal(flat, deep[..., 0])


def test_bad_input_is_refused(windows: np.ndarray) -> None:
    mapper = RankDistributionMapper().fit(windows, sample_domain=DOMAIN)
    holed = windows.copy()
    holed[3, 2, 1] = np.nan
    with pytest.raises(
        DataFormatError, match="NaN or infinite values in 1 of 40 windows, first in window 3, channel 1"
    ):
        mapper.transform(holed, sample_domain=DOMAIN)
    with pytest.raises(DataFormatError, match="Stream 3 has NaN"):
        mapper.transform(list(holed), sample_domain=DOMAIN)
    with pytest.raises(DataFormatError, match="2 channels, but RankDistributionMapper expects 3"):
        mapper.transform(windows[..., :2], sample_domain=DOMAIN)
    with pytest.raises(DataFormatError, match="for each of 40 rows"):
        mapper.transform(windows, sample_domain=DOMAIN[1:])
    with pytest.raises(DataFormatError, match="for each of 40 rows"):
        RankDistributionMapper().fit_transform(windows, sample_domain=DOMAIN + 1)


@pytest.mark.parametrize(
    "wrong", [{"n_quantiles": 1}, {"method": "rank"}, {"direction": "both"}, {"min_class_rows": 0}]
)
def test_wrong_parameters_are_refused_by_name(wrong: dict, windows: np.ndarray) -> None:
    with pytest.raises(ValueError, match=f"The '{next(iter(wrong))}' parameter"):
        RankDistributionMapper(**wrong).fit(windows, sample_domain=DOMAIN)
