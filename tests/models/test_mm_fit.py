"""MMFitClassifier: one modality, channels in vectors."""

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.utils._param_validation import InvalidParameterError

from har_virtual.exceptions import DataFormatError, DataWarning
from har_virtual.models.mm_fit import MMFitClassifier
from har_virtual.models.pretrained import Pretrained, from_pretrained
from har_virtual.models.storage import load_model

# Most tests here need nobody who validates, and no names.
pytestmark = [
    pytest.mark.filterwarnings("ignore:validation_subjects=1, but no groups reached fit"),
    pytest.mark.filterwarnings("ignore:The 6 channels have no names"),
]

SMALL = {"hidden_size": 12, "lr": 0.01, "batch_size": 25, "device": "cpu", "random_state": 0}
NAMES = [f"left_wrist_{quantity}_{axis}" for quantity in ("gyr", "acc") for axis in "xyz"]


def quick(**params):
    return MMFitClassifier(**{**SMALL, "max_epochs": 2} | params)


def exercises(n_windows=200, n_samples=50, n_channels=6, seed=0):
    """Three exercises that differ in tempo only, of four people."""
    rng = np.random.default_rng(seed)
    y = rng.choice(["jacks", "lunges", "squats"], n_windows)
    frequency = np.select([y == "jacks", y == "lunges"], [6.0, 3.0], 1.0)[:, None, None]
    phase = rng.uniform(0, 2 * np.pi, (n_windows, 1, n_channels))
    X = 3 * np.sin(2 * np.pi * frequency * np.arange(n_samples)[None, :, None] / 50 + phase)
    X += rng.normal(scale=0.2, size=X.shape)
    return X.astype(np.float32), y, np.char.add("s/", (np.arange(n_windows) % 4).astype(str))


@pytest.mark.parametrize(("modality", "n_channels"), [("acc", 6), ("gyr", 6), ("pose", 6)])
def test_each_modality_learns_exercises_of_another_person(modality, n_channels):
    X, y, groups = exercises(400, n_channels=n_channels)
    train = groups != "s/3"
    model = quick(modality=modality, max_epochs=15).fit(X[train], y[train], groups=groups[train])
    assert model.score(X[~train], y[~train]) > 0.95
    assert model.validated_[0] != "s/3"
    assert_allclose(model.predict_proba(X).sum(axis=1), 1)


def test_named_channels_of_another_quantity_are_not_seen():
    X, y, _ = exercises()
    model = quick(channels=NAMES).fit(X, y)
    scores = model.predict_proba(X)
    blind = X.copy()
    blind[..., :3] = 0
    assert_array_equal(model.predict_proba(blind), scores)
    assert not np.array_equal(model.predict_proba(blind[..., ::-1]), scores)
    assert len(model.net_.module_.network.encoders) == 1


def test_channels_in_another_order_are_found_by_name():
    X, y, _ = exercises()
    order = [4, 0, 5, 2, 3, 1]
    straight = quick(channels=NAMES).fit(X, y)
    turned = quick(channels=[NAMES[number] for number in order]).fit(X[..., order], y)
    assert_allclose(turned.predict_proba(X[..., order]), straight.predict_proba(X), atol=1e-6)


@pytest.mark.parametrize("modality", ["acc", "gyr"])
def test_two_vectors_without_names_have_an_encoder_each_with_a_warning(modality):
    X, y, groups = exercises()
    with pytest.warns(DataWarning, match=rf"The 6 channels have no names, .*modality='{modality}'\) takes each three"):
        model = quick(modality=modality).fit(X, y, groups=groups)
    assert len(model.net_.module_.network.encoders) == 2


@pytest.mark.parametrize(
    ("params", "n_channels"),
    [({}, 3), ({"modality": "gyr"}, 3), ({"modality": "pose"}, 6), ({"channels": NAMES}, 6)],
)
def test_one_vector_a_pose_and_named_channels_need_no_warning(params, n_channels, tmp_path):
    X, y, groups = exercises(n_channels=n_channels)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = quick(**params).fit(X, y, groups=groups)
    assert len(model.net_.module_.network.encoders) == 1


def test_a_file_of_channels_without_names_is_loaded_without_a_warning(tmp_path):
    X, y, groups = exercises()
    path = quick().fit(X, y, groups=groups).save(tmp_path / "two.safetensors")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded = load_model(path, device="cpu")
    assert len(loaded.net_.module_.network.encoders) == 2


@pytest.mark.parametrize("as_type", [tuple, np.array, pd.Index])
def test_names_may_come_in_any_sequence(as_type):
    X, y, groups = exercises()
    first, second = (quick(channels=names).fit(X, y, groups=groups) for names in (NAMES, as_type(NAMES)))
    assert_array_equal(first.predict_proba(X), second.predict_proba(X))
    tuned = from_pretrained(second, max_epochs=1, device="cpu", channels=as_type(NAMES)).fit(X, y, groups=groups)
    assert len(tuned.net_.module_.network.encoders) == 1
    with pytest.raises(DataFormatError, match="in this order"):
        from_pretrained(second, device="cpu", channels=as_type(NAMES[::-1])).fit(X, y, groups=groups)


@pytest.mark.parametrize(("trained_on", "tuned_on"), [("acc", "gyr"), ("gyr", "acc"), ("acc", "pose")])
def test_weights_of_another_modality_are_refused_by_name(trained_on, tuned_on):
    X, y, groups = exercises(n_channels=3)
    trained = quick(modality=trained_on).fit(X, y, groups=groups)
    message = f"modality is '{tuned_on}', but the MMFitClassifier .* was trained with '{trained_on}'"
    with pytest.raises(DataFormatError, match=message):
        from_pretrained(trained, modality=tuned_on, device="cpu").fit(X, y, groups=groups)
    with pytest.raises(DataFormatError, match=message):
        quick(modality=tuned_on, pretrained=Pretrained.of(trained)).fit(X, y, groups=groups)


def test_weights_of_one_modality_do_not_begin_with_named_vectors_of_another():
    X, y, groups = exercises(n_channels=3)
    trained = quick().fit(X, y, groups=groups)
    with pytest.raises(DataFormatError, match="x, y and z of each acc vector"):
        from_pretrained(trained, channels=NAMES[:3], device="cpu").fit(X, y, groups=groups)


@pytest.mark.parametrize(
    ("params", "n_channels", "message"),
    [
        ({}, 4, "their number does not divide by three"),
        ({"modality": "pose"}, 5, "x, y and z of each joint"),
        ({"modality": "acc", "channels": NAMES[:3]}, 3, "x, y and z of each acc vector"),
        ({"channels": ["a", "b", "c"]}, 3, "left_wrist_acc_x"),
        ({"channels": NAMES}, 3, "name each of the 3 channels"),
        ({"channels": NAMES[3:4]}, 1, "but not left_wrist_acc_y"),
        ({"modality": "pose", "channels": ["nose"]}, 1, "x, y and z of each joint"),
        ({"modality": "pose", "channels": ["nose", "neck"]}, 3, "name each of the 3 channels"),
    ],
)
def test_channels_that_are_no_vectors_are_refused(params, n_channels, message):
    X, y, _ = exercises(n_channels=n_channels)
    with pytest.raises(DataFormatError, match=message):
        quick(**params).fit(X, y)


def test_rows_of_one_channel_are_taken_without_a_word():
    X, y, _ = exercises(n_channels=1)
    assert quick().fit(X[..., 0], y).predict(X[..., 0]).shape == y.shape


def test_short_windows_are_lengthened_with_a_warning():
    X, y, _ = exercises(n_samples=8)
    with pytest.warns(DataWarning, match="8 samples, and MMFitClassifier needs 9"):
        model = quick().fit(X, y)
    longer = np.concatenate([X, X[:, -1:]], axis=1)
    exact = quick().fit(longer, y)
    exact.net_.module_.load_state_dict(model.net_.module_.state_dict())
    assert_allclose(model.predict_proba(X), exact.predict_proba(longer), atol=1e-6)


def test_frozen_encoders_stay_and_the_rest_learns():
    X, y, _ = exercises()
    trained = quick().fit(X, y)
    tuned = from_pretrained(trained, freeze="encoders", max_epochs=2, device="cpu", random_state=1).fit(X, y)
    before, after = (model.net_.module_.network.state_dict() for model in (trained, tuned))
    for name, weights in before.items():
        assert np.array_equal(weights, after[name]) is name.startswith("encoders"), name


def test_a_pretrained_network_takes_no_other_length():
    X, y, _ = exercises()
    with pytest.raises(DataFormatError, match="50"):
        from_pretrained(quick().fit(X, y), device="cpu").fit(X[:, :30], y)


def test_the_same_seed_gives_the_same_scores_to_the_last_bit():
    X, y, groups = exercises()
    first, again, other = (quick(random_state=seed).fit(X, y, groups=groups).predict_proba(X) for seed in (0, 0, 1))
    assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_modality_that_is_none_is_refused():
    with pytest.raises(InvalidParameterError, match="modality"):
        quick(modality="mag").fit(*exercises()[:2])


def test_a_saved_one_predicts_the_same(tmp_path):
    X, y, _ = exercises()
    model = quick(channels=NAMES, modality="gyr").fit(X, y)
    loaded = load_model(model.save(tmp_path / "gyr.safetensors"), device="cpu")
    assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    assert loaded.modality == "gyr" and list(loaded.channels) == NAMES


def test_channels_of_a_sensor_are_no_pose():
    X, y = np.zeros((4, 12, 3)), ["sit", "walk"] * 2
    with pytest.raises(DataFormatError, match="left_wrist_acc_x is of a sensor"):
        MMFitClassifier(modality="pose", channels=[f"left_wrist_acc_{axis}" for axis in "xyz"]).fit(X, y)
