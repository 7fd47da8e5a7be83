"""ConvAutoencoderFeatures: what it learns without labels, from which rows, and what it does to the inputs."""

import numpy as np
import pytest
import sklearn
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.utils._param_validation import InvalidParameterError

from har_virtual.exceptions import DataFormatError, DataWarning
from har_virtual.models.conv_autoencoder import ConvAutoencoderFeatures

# Most tests here need nobody who validates.
pytestmark = pytest.mark.filterwarnings("ignore:validation_subjects=1, but no groups reached fit")

SMALL = {
    "embedding_size": 6,
    "n_filters": (3, 6),
    "max_epochs": 2,
    "batch_size": 25,
    "device": "cpu",
    "random_state": 0,
}


def quick(**params):
    return ConvAutoencoderFeatures(**SMALL | params)


def movements(n_windows=160, n_samples=30, n_channels=3, seed=0):
    """Two activities that differ in frequency only, half real and half virtual, of four people."""
    rng = np.random.default_rng(seed)
    y = rng.choice(["run", "walk"], n_windows)
    frequency = np.where(y == "run", 3.0, 1.0)[:, None, None]
    phase = rng.uniform(0, 2 * np.pi, (n_windows, 1, n_channels))
    X = 4 * np.sin(2 * np.pi * frequency * np.arange(n_samples)[None, :, None] / 30 + phase)
    X += rng.normal(scale=0.2, size=X.shape) + 9.81 * (np.arange(n_channels) == 0)
    groups = np.char.add("s/", (np.arange(n_windows) % 4).astype(str))
    return X.astype(np.float32), y, groups, np.arange(n_windows) // 4 % 2


def test_features_are_the_encoder_s_of_windows_scaled_to_the_range_of_tanh():
    X, *_ = movements()
    model = quick().fit(X[:100])
    low, high = np.quantile(X[:100], [0.005, 0.995], axis=(0, 1))
    scaled = np.clip((X - (low + high) / 2) / ((high - low) / 2), -1, 1).astype(np.float32)
    with torch.inference_mode():
        expected = model.net_.module_.network.autoencoder.eval().encode(torch.from_numpy(scaled))
    features = model.transform(X)
    assert features.shape == (160, 6) and features.dtype == np.float32
    assert_allclose(features, expected, atol=1e-4)
    assert np.ptp(features, axis=0).min() > 1e-3


def test_one_knock_against_the_sensor_does_not_press_all_else_together():
    X, *_ = movements()
    calm = quick().fit(X)
    X[0, 0] = 1e5
    knocked = quick().fit(X)
    assert_allclose(knocked.scale_, calm.scale_, rtol=0.02)
    assert np.isfinite(knocked.transform(X)).all()


def test_a_constant_channel_is_moved_and_not_divided():
    X, *_ = movements()
    X[:, :, 1] = 5.0
    model = quick().fit(X)
    assert (model.mean_[1], model.scale_[1]) == (5.0, 1.0)


def test_without_scale_windows_are_taken_as_they_are():
    X, *_ = movements()
    model = quick(scale=False).fit(X / 15)
    assert_array_equal(model.mean_, 0)
    assert_array_equal(model.scale_, 1)


def test_training_brings_windows_back_nearer_to_where_they_were():
    X, *_ = movements()
    model = quick(max_epochs=12, lr=0.01).fit(X)
    losses = model.history_["train_loss"]
    assert losses.iloc[-1] < 0.75 * losses.iloc[0]
    assert model.n_epochs_ == model.best_epoch_ == 12


def test_a_forest_tells_activities_apart_by_features_that_saw_no_label():
    X, y, groups, _ = movements(320)
    train = groups != "s/3"
    model = make_pipeline(
        quick(embedding_size=16, n_filters=(8, 16), max_epochs=12, lr=0.01), RandomForestClassifier(random_state=0)
    )
    assert model.fit(X[train], y[train]).score(X[~train], y[~train]) > 0.88


def test_labels_have_no_influence():
    X, y, *_ = movements()
    first = quick().fit(X, y)
    assert_array_equal(first.transform(X), quick().fit(X, y[::-1]).transform(X))
    assert_array_equal(first.transform(X), quick().fit(X).transform(X))
    assert first.real_labels_used_ == 0


@pytest.mark.parametrize(("train_on", "n_real"), [("virtual", 0), ("real", 80), ("both", 80)])
def test_only_rows_of_the_chosen_domain_train(train_on, n_real):
    X, _, _, sample_domain = movements()
    model = quick(train_on=train_on).fit(X, sample_domain=sample_domain)
    assert model.real_rows_used_ == n_real
    for domain, counts in ((0, train_on != "virtual"), (1, train_on != "real")):
        changed = X.copy()
        changed[sample_domain == domain] *= 0.5
        other = quick(train_on=train_on).fit(changed, sample_domain=sample_domain)
        assert np.array_equal(other.transform(X), model.transform(X)) is not counts


def test_who_validates_does_not_train_and_no_virtual_copy_of_theirs():
    X, _, groups, sample_domain = movements()
    model = quick(train_on="virtual").fit(X, groups=groups, sample_domain=sample_domain)
    (name,) = model.validated_
    assert model.real_rows_used_ == 20
    assert model.history_["valid_loss"].notna().all()
    changed = X.copy()
    changed[(groups == name) & (sample_domain == 1)] = 0
    again = quick(train_on="virtual").fit(changed, groups=groups, sample_domain=sample_domain)
    assert_array_equal(again.transform(X), model.transform(X))


def test_given_windows_validate_and_are_counted():
    X, *_ = movements()
    model = quick(max_epochs=30, patience=2, lr=0.1).fit(X[:100], X_val=X[100:])
    assert model.real_rows_used_ == 160
    assert model.history_["valid_loss"].idxmin() + 1 == model.best_epoch_
    assert model.n_epochs_ <= model.best_epoch_ + 2


def test_a_pipeline_passes_the_domain_on():
    X, y, _, sample_domain = movements()
    with sklearn.config_context(enable_metadata_routing=True):
        model = make_pipeline(quick(train_on="virtual"), RandomForestClassifier(5, random_state=0))
        model.fit(X, y, sample_domain=sample_domain)
    assert model[0].real_rows_used_ == 0
    assert_array_equal(
        model[0].transform(X), quick(train_on="virtual").fit(X, sample_domain=sample_domain).transform(X)
    )


def test_the_same_seed_gives_the_same_features_to_the_last_bit_and_moves_no_global_stream():
    X, *_ = movements()
    state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()
    first, again, other = (quick(random_state=seed).fit_transform(X) for seed in (0, 0, 1))
    assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert torch.equal(state, torch.get_rng_state())
    assert_array_equal(numpy_state, np.random.get_state()[1])


def test_a_window_s_features_do_not_depend_on_the_others():
    X, *_ = movements()
    model = quick().fit(X)
    together = model.transform(X)
    order = np.random.default_rng(0).permutation(len(X))
    assert_allclose(model.transform(X[order]), together[order], rtol=1e-6, atol=1e-7)
    assert_allclose(model.transform(X[7:8]), together[7:8], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("shape", [(10, 2, 1), (10, 3, 2), (10, 2), (10, 1, 4)])
def test_windows_of_any_size_will_do(shape):
    X = np.random.default_rng(0).normal(size=shape)
    assert quick().fit_transform(X).shape == (10, 6)


def test_columns_have_names():
    X, *_ = movements()
    features = quick().set_output(transform="pandas").fit_transform(X)
    assert list(features.columns) == [f"embedding{number}" for number in range(6)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"train_on": "virtual"}, "train_on='virtual' leaves n_samples=0: there are 160 real and 0 virtual"),
        ({"n_filters": ()}, "one at least"),
        ({"n_filters": (4, 0)}, "a whole number from 1"),
        ({"n_filters": (4, 2.5)}, "a whole number from 1"),
        ({"n_filters": [(4, 8)]}, "a whole number from 1"),
        ({"device": "cuda:99"}, "cuda:99"),
    ],
)
def test_what_cannot_be_is_refused(change, message):
    X, *_ = movements()
    with pytest.raises(ValueError, match=message):
        quick(**change).fit(X)


def test_a_batch_of_one_is_refused():
    with pytest.raises(InvalidParameterError, match="batch_size"):
        quick(batch_size=1).fit(np.zeros((4, 5, 3)))


def test_windows_of_another_shape_or_with_holes_are_refused():
    X, *_ = movements()
    model = quick().fit(X)
    with pytest.raises(DataFormatError, match="29 samples"):
        model.transform(X[:, :29])
    with pytest.raises(DataFormatError, match="2 channels"):
        model.transform(X[:, :, :2])
    with pytest.raises(DataFormatError, match="29 samples"):
        quick().fit(X, X_val=X[:, :29])
    X[3, 4, 1] = np.nan
    with pytest.raises(DataFormatError, match="NaN"):
        quick().fit(X)
    with pytest.raises(DataFormatError, match="NaN"):
        model.transform(X)


def test_virtual_rows_alone_have_nobody_to_validate():
    X, _, groups, _ = movements()
    with pytest.warns(DataWarning, match="All training rows are virtual"):
        model = quick(train_on="virtual").fit(X, groups=groups, sample_domain=np.ones(160, int))
    assert model.validated_ == () and model.real_rows_used_ == 0


def test_nobody_left_to_train_is_an_error():
    X, _, _, sample_domain = movements()
    with pytest.raises(DataFormatError, match="Nobody is left to train"):
        quick().fit(X, groups=np.full(160, "s/0"), sample_domain=sample_domain)


def test_a_fit_that_fails_leaves_nothing_that_transforms():
    X, *_ = movements()
    model = quick().fit(X)
    with pytest.raises(DataFormatError, match="train_on='virtual' leaves"):
        model.set_params(train_on="virtual").fit(X[:, :, :2])
    with pytest.raises(NotFittedError):
        model.transform(X)


def test_a_saved_one_gives_the_same_features(tmp_path):
    from har_virtual.models import load_model

    X, _, _, sample_domain = movements()
    model = quick(train_on="virtual", channels=["a", "b", "c"]).fit(X, sample_domain=sample_domain)
    loaded = load_model(model.save(tmp_path / "features.safetensors"), device="cpu")
    assert_array_equal(loaded.transform(X), model.transform(X))
    assert loaded.get_params()["train_on"] == "virtual" and loaded.n_filters == (3, 6)
    assert loaded.real_rows_used_ == 0
