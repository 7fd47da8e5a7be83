"""Saved networks: the same predictions, one file, and clear words about files that are something else."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from har_virtual.augmentation import Jitter
from har_virtual.exceptions import DataFormatError, UnknownNameError
from har_virtual.models import DeepConvLSTMClassifier, load_model


def windows(n_windows=40, n_samples=20, n_channels=3):
    rng = np.random.default_rng(0)
    y = rng.choice(["sit", "walk"], n_windows)
    return rng.normal(scale=np.where(y == "walk", 3, 1)[:, None, None], size=(n_windows, n_samples, n_channels)), y


def small(**params):
    return DeepConvLSTMClassifier(
        **{"n_filters": 4, "lstm_size": 6, "max_epochs": 2, "device": "cpu", "random_state": 0} | params
    )


@pytest.fixture
def fitted():
    X, y = windows()
    names = [f"left_wrist_acc_{axis}" for axis in "xyz"]
    return small(channels=names, augment=Jitter(0.1), lr=0.003).fit(X, y, groups=np.repeat(["a", "b"], 20))


def test_a_loaded_network_predicts_the_same_to_the_last_bit(fitted, tmp_path):
    X, _ = windows()
    loaded = load_model(fitted.save(tmp_path / "model.safetensors"), device="cpu")
    assert np.array_equal(loaded.predict_proba(X), fitted.predict_proba(X))
    assert np.array_equal(loaded.predict(X), fitted.predict(X))
    assert loaded.classes_.dtype == fitted.classes_.dtype


def test_what_was_learnt_and_how_comes_back(fitted, tmp_path):
    loaded = load_model(fitted.save(tmp_path / "model.safetensors"), device="cpu")
    for name in ("n_epochs_", "best_epoch_", "validated_", "n_features_in_", "n_channels_in_", "real_rows_used_"):
        assert getattr(loaded, name) == getattr(fitted, name), name
    assert loaded.history_.equals(fitted.history_)
    assert np.array_equal(loaded.mean_, fitted.mean_) and np.array_equal(loaded.scale_, fitted.scale_)
    given, expected = (model.get_params() for model in (loaded, fitted))
    assert {**given, "channels": list(given["channels"])} == expected


def test_labels_that_are_numbers_stay_numbers(tmp_path):
    X, y = windows()
    model = small().fit(X, (y == "walk").astype(int) + 4)
    loaded = load_model(model.save(tmp_path / "model.safetensors"), device="cpu")
    assert loaded.predict(X).dtype == model.predict(X).dtype and set(loaded.classes_) == {4, 5}


def test_an_augmentation_of_one_s_own_is_left_out(tmp_path):
    X, y = windows()
    path = small(augment=lambda X, rng: X).fit(X, y).save(tmp_path / "model.safetensors")
    assert load_model(path, device="cpu").augment is None


def test_the_file_is_safetensors_with_a_description_in_json(fitted, tmp_path):
    path = fitted.save(tmp_path / "model.safetensors")
    weights = load_file(path)
    assert sum(array.size for array in weights.values()) == sum(
        parameter.numel() for parameter in fitted.net_.module_.network.parameters()
    )
    size = int.from_bytes(path.read_bytes()[:8], "little")
    description = json.loads(json.loads(path.read_bytes()[8 : 8 + size])["__metadata__"]["har_virtual"])
    assert description["kind"] == "DeepConvLSTMClassifier"
    assert [*tmp_path.iterdir()] == [path]


def test_a_network_that_is_not_trained_cannot_be_saved(tmp_path):
    with pytest.raises(ValueError, match="not fitted"):
        small().save(tmp_path / "model.safetensors")
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_missing_or_something_else_is_named(fitted, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.safetensors"):
        load_model(tmp_path / "nothing.safetensors")
    text = tmp_path / "notes.safetensors"
    text.write_text("no network")
    with pytest.raises(DataFormatError, match=r"notes\.safetensors is no safetensors file"):
        load_model(text)
    whole = fitted.save(tmp_path / "model.safetensors").read_bytes()
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(whole[:-100])
    with pytest.raises(DataFormatError, match=r"cut\.safetensors"):
        load_model(cut)
    foreign = tmp_path / "foreign.safetensors"
    save_file({"weight": np.zeros(3, np.float32)}, foreign)
    with pytest.raises(DataFormatError, match="written by another program"):
        load_model(foreign)


def describe(path, **changes):
    """Rewrite the description of a saved network."""
    size = int.from_bytes(path.read_bytes()[:8], "little")
    description = json.loads(json.loads(path.read_bytes()[8 : 8 + size])["__metadata__"]["har_virtual"])
    save_file(load_file(path), path, metadata={"har_virtual": json.dumps(description | changes)})
    return path


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"kind": "Pipeline"}, UnknownNameError),
        ({"n_channels": 4}, DataFormatError),
        ({"architecture": {"n_filters": 5, "lstm_size": 6}}, DataFormatError),
        ({"architecture": {"nonsense": 5}}, DataFormatError),
        ({"architecture": 3}, DataFormatError),
        ({"mean": [1, 2]}, DataFormatError),
        ({"mean": None}, DataFormatError),
        ({"classes": {"dtype": "<U4", "values": ["sit"]}}, DataFormatError),
        ({"classes": None}, DataFormatError),
        ({"learned": {"predict": 3}}, DataFormatError),
        ({"learned": {}}, DataFormatError),
        ({"params": {"lr": "fast"}}, DataFormatError),
    ],
)
def test_a_description_that_does_not_fit_is_refused(fitted, tmp_path, changes, error):
    path = describe(fitted.save(tmp_path / "model.safetensors"), **changes)
    with pytest.raises(error):
        load_model(path, device="cpu")


def test_a_device_that_is_not_there_is_named(fitted, tmp_path):
    with pytest.raises(UnknownNameError, match="cuda:7"):
        load_model(fitted.save(tmp_path / "model.safetensors"), device="cuda:7")
