"""What holds for every augmentation of windows: shapes, types, seeds, probabilities, values as fields."""

import copy
import json
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.neighbors import KNeighborsClassifier

from har_virtual.adaptation import TrainOnly
from har_virtual.augmentation import (
    Compose,
    Crop,
    Jitter,
    MagnitudeWarp,
    Permutation,
    Rotation,
    Scaling,
    TimeWarp,
    describe,
    from_description,
    um_augmentations,
)
from har_virtual.exceptions import DataFormatError

KINDS = [Jitter, Scaling, MagnitudeWarp, Rotation, TimeWarp, Crop, Permutation]
ALL = [*(kind() for kind in KINDS), um_augmentations(p=1.0), Compose([um_augmentations(), Jitter()], p=0.9)]
each = pytest.mark.parametrize("augmentation", ALL, ids=lambda augmentation: type(augmentation).__name__)
each_kind = pytest.mark.parametrize("kind", KINDS)


def windows(n_windows=20, n_samples=30, n_channels=6, dtype=np.float32):
    return np.random.default_rng(7).normal(size=(n_windows, n_samples, n_channels)).astype(dtype)


def rng(seed=0):
    return np.random.default_rng(seed)


@each
def test_windows_of_thirty_samples_change_and_keep_shape_and_type(augmentation):
    for dtype in (np.float32, np.float64):
        X = windows(dtype=dtype)
        changed = augmentation(X, rng())
        assert changed.shape == X.shape and changed.dtype == dtype
        assert np.isfinite(changed).all()
        assert (changed != X).any(axis=(1, 2)).mean() > 0.6


@each
def test_the_input_stays_as_it_was(augmentation):
    X = windows()
    X.setflags(write=False)
    before = X.copy()
    changed = augmentation(X, rng())
    np.testing.assert_array_equal(X, before)
    assert not np.shares_memory(changed, X)
    assert changed.flags.writeable


@each
def test_the_same_seed_gives_the_same_and_another_seed_something_else(augmentation):
    X = windows()
    np.testing.assert_array_equal(augmentation(X, rng(3)), augmentation(X, rng(3)))
    assert (augmentation(X, rng(3)) != augmentation(X, rng(4))).any()


@pytest.mark.parametrize("augmentation", [*(kind(p=0.5) for kind in KINDS[1:]), Jitter(relative=False, p=0.5)])
def test_what_becomes_of_a_window_depends_on_no_other(augmentation):
    X = windows()
    other = X.copy()
    other[::2] += 5
    np.testing.assert_array_equal(augmentation(X, rng())[1::2], augmentation(other, rng())[1::2])


@each
def test_numpy_s_global_random_state_does_not_move(augmentation):
    np.random.seed(0)
    augmentation(windows(), rng())
    moved = np.random.random()
    np.random.seed(0)
    assert moved == np.random.random()


@each
@pytest.mark.parametrize("shape", [(4, 1, 3), (4, 2, 3), (4, 3, 3), (1, 30, 3), (0, 30, 3), (4, 0, 3), (3, 500, 6)])
def test_windows_of_every_length_are_taken(augmentation, shape):
    changed = augmentation(np.ones(shape, dtype=np.float32), rng())
    assert changed.shape == shape and np.isfinite(changed).all()


@each
def test_windows_that_are_no_contiguous_block_of_memory_are_changed_in_the_same_way(augmentation):
    X = windows()
    across = np.asfortranarray(X)
    every_other = np.repeat(X, 2, axis=0)[::2]
    expected = augmentation(X, rng())
    np.testing.assert_allclose(augmentation(across, rng()), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(augmentation(every_other, rng()), expected, rtol=1e-5, atol=1e-6)


@each_kind
def test_whole_numbers_become_float64(kind):
    X = np.arange(60).reshape(1, 20, 3)
    changed = kind()(X, rng())
    assert changed.dtype == np.float64
    np.testing.assert_array_equal(changed, kind()(X.astype(np.float64), rng()))


@each_kind
def test_p_is_the_share_of_windows_that_change(kind):
    X = windows(2000, 12, 3)
    same = (kind(p=0.3)(X, rng()) == X).all(axis=(1, 2))
    # Three windows in 24 permutations of four segments, and so on, stay as they were although they were drawn.
    unmoved = 1 / 24 if kind is Permutation else 0.0
    expected = 1 - 0.3 * (1 - unmoved)
    assert same.mean() == pytest.approx(expected, abs=4 * np.sqrt(0.3 * 0.7 / 2000))


@each_kind
def test_with_p_zero_nothing_changes(kind):
    X = windows()
    np.testing.assert_array_equal(kind(p=0.0)(X, rng()), X)


@each_kind
def test_windows_are_changed_independently_of_each_other(kind):
    X = np.repeat(windows(1), 200, axis=0)
    changed = kind()(X, rng()).reshape(200, -1)
    assert len(np.unique(changed, axis=0)) > 150


@each
def test_copies_are_equal_and_pickle_and_json_bring_the_same_back(augmentation):
    X = windows()
    expected = augmentation(X, rng())
    text = json.dumps(describe(augmentation))
    for same in (
        copy.deepcopy(augmentation),
        clone(augmentation, safe=False),
        pickle.loads(pickle.dumps(augmentation)),
        from_description(json.loads(text)),
        eval(repr(augmentation)),
    ):
        assert same == augmentation and hash(same) == hash(augmentation)
        assert type(same) is type(augmentation)
        np.testing.assert_array_equal(same(X, rng()), expected)


@each_kind
def test_another_p_is_another_augmentation_and_nothing_can_be_set(kind):
    assert kind(p=0.5) != kind(p=0.6)
    with pytest.raises(AttributeError):
        kind().p = 0.5


@each
def test_training_rows_are_augmented_under_train_only(augmentation):
    X = windows()
    y = np.repeat(["sit", "walk"], 10)
    learner = TrainOnly(augmentation, Nearest(), n_copies=2, random_state=0).fit(X, y)
    np.testing.assert_array_equal(learner.predict(X), y)
    assert learner.estimator_.fitted_.shape == (60, 30, 6)
    np.testing.assert_array_equal(learner.estimator_.fitted_[:20], X)


class Nearest(KNeighborsClassifier):
    """The nearest training window, of three dimensions."""

    def __init__(self, n_neighbors=1):
        super().__init__(n_neighbors=n_neighbors)

    def fit(self, X, y):
        self.fitted_ = X
        return super().fit(X.reshape(len(X), -1), y)

    def predict(self, X):
        return super().predict(X.reshape(len(X), -1))


@each_kind
@pytest.mark.parametrize("p", [-0.1, 1.1, np.nan, "half", None])
def test_a_p_that_is_no_probability_is_refused(kind, p):
    with pytest.raises(DataFormatError, match="p must be a finite number from 0 to 1"):
        kind(p=p)


@each
@pytest.mark.parametrize("shape", [(30,), (30, 3), (2, 3, 30, 3)])
def test_what_is_no_batch_of_windows_is_refused(augmentation, shape):
    with pytest.raises(DataFormatError, match=r"takes windows of shape \(n_windows, n_samples, n_channels\)"):
        augmentation(np.zeros(shape), rng())


@pytest.mark.parametrize("source", [0, None, np.random, np.random.RandomState(0)])
def test_a_source_of_random_numbers_that_is_no_generator_is_refused(source):
    with pytest.raises(DataFormatError, match="is called with a numpy Generator"):
        Jitter()(windows(), source)


@pytest.mark.parametrize("kind", [Jitter, Scaling, MagnitudeWarp, TimeWarp])
@pytest.mark.parametrize("sigma", [-0.1, np.inf, np.nan, "large", (0.1, 0.2)])
def test_a_sigma_that_is_no_standard_deviation_is_refused(kind, sigma):
    with pytest.raises(DataFormatError, match="sigma must be a finite number from 0"):
        kind(sigma)


@pytest.mark.parametrize("kind", [MagnitudeWarp, TimeWarp])
@pytest.mark.parametrize("n_knots", [0, -1, 2.5, True, None])
def test_knots_that_are_no_count_are_refused(kind, n_knots):
    with pytest.raises(DataFormatError, match="n_knots must be a whole number from 1"):
        kind(n_knots=n_knots)


@pytest.mark.parametrize("kind", [Jitter, Scaling, MagnitudeWarp, TimeWarp])
def test_without_spread_the_windows_stay(kind):
    X = windows()
    np.testing.assert_allclose(kind(0.0)(X, rng()), X, rtol=1e-5, atol=1e-6)


def test_numbers_of_numpy_are_kept_as_plain_ones():
    plain = Compose(
        [Jitter(np.float64(0.5), relative=np.True_), Permutation(np.int64(3), np.int32(2))], p=np.float64(1)
    )
    assert repr(plain) == (
        "Compose(p=1.0, steps=(Jitter(p=1.0, sigma=0.5, relative=True), "
        "Permutation(p=1.0, n_segments=3, min_segment_samples=2)))"
    )
    json.dumps(describe(plain))
