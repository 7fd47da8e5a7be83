"""Saved networks: the same predictions, one file, and clear words about files that are something else."""

import json
from contextlib import nullcontext

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
from safetensors.torch import save_file as save_tensors

from har_virtual.augmentation import Jitter
from har_virtual.exceptions import DataFormatError, DataWarning, UnknownNameError
from har_virtual.models import DeepConvLSTMClassifier, from_pretrained, load_model
from har_virtual.models.storage import digest

# Most tests here need nobody who validates.
pytestmark = pytest.mark.filterwarnings("ignore:validation_subjects=1, but no groups reached fit")


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


def test_no_attribute_but_those_that_are_learned_comes_from_a_file(fitted, tmp_path):
    path = fitted.save(tmp_path / "model.safetensors")
    learned = {name: getattr(fitted, name) for name in fitted._learned} | {"history_": fitted.history_.to_dict("list")}
    loaded = load_model(describe(path, learned=learned | {"predict": 3, "classes_": [1]}), device="cpu")
    assert callable(loaded.predict) and loaded.classes_.tolist() == ["sit", "walk"]


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


@pytest.mark.parametrize("augment", [lambda X, rng: X, [Jitter(), lambda X, rng: X]])
def test_what_json_cannot_hold_is_left_out_with_a_warning(tmp_path, augment):
    X, y = windows()
    model = small(augment=augment, random_state=np.random.default_rng(0)).fit(X, y)
    with pytest.warns(DataWarning, match=r"augment, random_state cannot be written to .*model\.safetensors"):
        path = model.save(tmp_path / "model.safetensors")
    loaded = load_model(path, device="cpu")
    assert loaded.augment is None and loaded.random_state is None


@pytest.mark.parametrize("labels", [{False: 0, True: 1}, {False: "sit", True: "walk"}, {False: False, True: True}])
def test_weights_of_classes_come_back_with_their_labels(tmp_path, labels):
    X, y = windows()
    y = np.array([labels[walks] for walks in (y == "walk").tolist()])
    given = {np.unique(y)[1]: 5, np.unique(y)[0]: np.float64(1)}
    loaded = load_model(small(class_weight=given).fit(X, y).save(tmp_path / "model.safetensors"), device="cpu")
    assert loaded.class_weight == given
    assert loaded.fit(X, y).classes_.tolist() == sorted(labels.values())


def test_one_changed_byte_is_seen(fitted, tmp_path):
    path = fitted.save(tmp_path / "model.safetensors")
    whole = path.read_bytes()
    start = 8 + int.from_bytes(whole[:8], "little")
    for place in (start, start + 1000, len(whole) - 1, whole.index(b"mean") + 12):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(DataFormatError, match=r"model\.safetensors"):
            load_model(path, device="cpu")
    path.write_bytes(whole)
    load_model(path, device="cpu")


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
    text, weights = json.dumps(description | changes), load_file(path)
    save_file(weights, path, metadata={"har_virtual": text, "sha256": digest(text, weights)})
    return path


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"kind": "Pipeline"}, UnknownNameError),
        ({"n_channels": 4}, DataFormatError),
        ({"channels": ["left_wrist_acc_x"]}, DataFormatError),
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
        ({"params": {"pretrained": "other.safetensors"}}, DataFormatError),
        ({"mean": [float("nan")] * 3}, DataFormatError),
        ({"scale": [1, 0, 1]}, DataFormatError),
        ({"n_samples": 0}, DataFormatError),
        ({"classes": {"dtype": "<U4", "values": ["sit", "sit"]}}, DataFormatError),
        ({"classes": {"dtype": "<U99999999", "values": ["sit", "walk"]}}, DataFormatError),
        ({"classes": {"dtype": "|O", "values": [["sit"], ["walk"]]}}, DataFormatError),
        ({"learned": {"history_": 3}}, DataFormatError),
        ({"architecture": {"n_filters": 600, "kernel_size": 600}}, DataFormatError),
        ({"architecture": {"n_filters": 10**9}}, DataFormatError),
        ({"architecture": {"n_conv_layers": 300}}, DataFormatError),
    ],
)
def test_a_description_that_does_not_fit_is_refused(fitted, tmp_path, changes, error):
    path = describe(fitted.save(tmp_path / "model.safetensors"), **changes)
    with pytest.raises(error) as raised:
        load_model(path, device="cpu")
    assert "damaged" not in str(raised.value)


def test_a_network_far_larger_than_its_weights_is_refused_before_it_is_made(fitted, tmp_path, monkeypatch):
    monkeypatch.setattr("har_virtual.models.storage._check_size", lambda pretrained: None)
    # Ten terabytes of weights.
    path = describe(fitted.save(tmp_path / "model.safetensors"), architecture={"n_filters": 10**6})
    with pytest.raises(DataFormatError, match="has the shape"):
        load_model(path, device="cpu")
    X, y = windows()
    with pytest.raises(DataFormatError, match="has the shape"):
        from_pretrained(path, device="cpu").fit(X, y)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda name, array: array.to(torch.bfloat16),
        lambda name, array: array * float("nan"),
        lambda name, array: array[:1] if name == "head.weight" else array,
        lambda name, array: array[0, 0] if name == "head.weight" else array,
    ],
)
def test_weights_that_are_no_finite_numbers_or_of_another_shape_are_refused(fitted, tmp_path, spoil):
    path = fitted.save(tmp_path / "model.safetensors")
    with safe_open(path, "pt") as opened:
        metadata, weights = opened.metadata(), {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    spoilt = {name: spoil(name, array).clone() for name, array in weights.items()}
    if torch.bfloat16 not in {array.dtype for array in spoilt.values()}:
        arrays = {name: array.numpy() for name, array in spoilt.items()}
        metadata["sha256"] = digest(metadata["har_virtual"], arrays)
    save_tensors(spoilt, path, metadata=metadata)
    with pytest.raises(DataFormatError, match=r"model\.safetensors") as raised:
        load_model(path, device="cpu")
    assert "damaged" not in str(raised.value)


def test_complex_weights_are_refused(fitted, tmp_path):
    path = fitted.save(tmp_path / "model.safetensors")
    with safe_open(path, "pt") as opened:
        metadata, weights = opened.metadata(), {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    save_tensors({name: array.to(torch.float64) for name, array in weights.items()}, path, metadata=metadata)
    # Older versions of safetensors cannot write them; a complex number of single precision takes as many bytes.
    path.write_bytes(path.read_bytes().replace(b'"F64"', b'"C64"'))
    with pytest.raises(DataFormatError, match=r"model\.safetensors"):
        load_model(path, device="cpu")


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(st.data())
def test_damaged_files_are_refused(tmp_path_factory, data):
    X, y = windows(8)
    path = tmp_path_factory.mktemp("damaged") / "model.safetensors"
    whole = small(max_epochs=1).fit(X, y).save(path).read_bytes()
    # Durations are in the file, so that its length varies.
    start = data.draw(st.integers(0, 999)) * len(whole) // 1000
    changed = whole[:start] + data.draw(st.binary(max_size=8)) + whole[start + data.draw(st.integers(0, 8)) :]
    path.write_bytes(changed)
    with nullcontext() if changed == whole else pytest.raises(DataFormatError):
        load_model(path, device="cpu")


def test_labels_that_json_cannot_hold_are_refused(tmp_path):
    X, _ = windows()
    model = small().fit(X, np.resize(np.array(["2020-01-01", "2020-01-02"], "M8[D]"), len(X)))
    with pytest.raises(DataFormatError, match="cannot be saved"):
        model.save(tmp_path / "model.safetensors")
    assert not list(tmp_path.iterdir())


def test_loading_moves_no_global_stream_of_random_numbers(fitted, tmp_path):
    path, before = fitted.save(tmp_path / "model.safetensors"), torch.get_rng_state()
    load_model(path, device="cpu")
    assert torch.equal(before, torch.get_rng_state())


def test_a_chain_of_trainings_goes_on_from_the_last(fitted, tmp_path):
    X, y = windows()
    options = {"max_epochs": 1, "device": "cpu", "random_state": 0}
    second = from_pretrained(load_model(fitted.save(tmp_path / "1.safetensors"), device="cpu"), **options)
    second.fit(X, np.where(y == "sit", "jump", y))
    third = from_pretrained(load_model(second.save(tmp_path / "2.safetensors"), device="cpu"), freeze="lstm", **options)
    third.fit(X, np.where(y == "sit", "jump", y))
    states = [model.net_.module_.network.state_dict() for model in (fitted, second, third)]
    assert not torch.equal(states[0]["lstm.weight_hh_l0"], states[1]["lstm.weight_hh_l0"])
    assert torch.equal(states[1]["lstm.weight_hh_l0"], states[2]["lstm.weight_hh_l0"])
    assert np.array_equal(third.mean_, fitted.mean_)


def test_a_device_that_is_not_there_is_named(fitted, tmp_path):
    with pytest.raises(UnknownNameError, match="cuda:7"):
        load_model(fitted.save(tmp_path / "model.safetensors"), device="cuda:7")


def test_a_torch_device_says_where_to_load(fitted, tmp_path):
    X, _ = windows()
    loaded = load_model(fitted.save(tmp_path / "model.safetensors"), device=torch.device("cpu"))
    assert np.array_equal(loaded.predict_proba(X), fitted.predict_proba(X))
