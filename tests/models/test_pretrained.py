import copy
import pickle
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier

from har_virtual.exceptions import DataFormatError, UnknownNameError
from har_virtual.model_selection import LeaveOneSubjectOut
from har_virtual.models.deep_conv_lstm import DeepConvLSTMClassifier
from har_virtual.models.mm_fit import MMFitClassifier
from har_virtual.models.pretrained import Pretrained, from_pretrained

# Most tests here need nobody who validates.
pytestmark = pytest.mark.filterwarnings("ignore:validation_subjects=1, but no groups reached fit")

CHANNELS = ("left_wrist_acc_x", "left_wrist_acc_y", "left_wrist_acc_z")


def make_windows(labels, n_windows=48, n_samples=12, n_channels=3, seed=0):
    """Noise whose strength tells the labels apart."""
    rng = np.random.default_rng(seed)
    y = np.resize(labels, n_windows)
    strength = 3.0 ** np.searchsorted(np.unique(labels), y)
    return rng.normal(2, strength[:, None, None], (n_windows, n_samples, n_channels)).astype(np.float32), y


def make_network(**params):
    small = {"n_filters": 3, "kernel_size": 3, "n_conv_layers": 2, "lstm_size": 4, "max_epochs": 2, "batch_size": 16}
    return DeepConvLSTMClassifier(**{**small, "lr": 0.01, "device": "cpu", "random_state": 0, **params})


@pytest.fixture(scope="module")
def trained():
    """Trained to tell "run", "sit" and "walk" apart."""
    return make_network(channels=CHANNELS).fit(*make_windows(["run", "sit", "walk"]))


def barely(trained, **params):
    """An estimator that begins with the trained one's weights, and hardly moves them."""
    return from_pretrained(trained, **{"max_epochs": 1, "lr": 1e-12, "weight_decay": 0, "random_state": 5, **params})


def weights_of(estimator):
    return Pretrained.of(estimator).weights


def head_of(estimator):
    return weights_of(estimator)["head.weight"], weights_of(estimator)["head.bias"]


def below_head(estimator):
    return {name: array for name, array in weights_of(estimator).items() if not name.startswith("head.")}


def same(first, second, **tolerance):
    assert first.keys() == second.keys()
    for name, array in first.items():
        np.testing.assert_allclose(array, second[name], err_msg=name, **{"rtol": 0, "atol": 0, **tolerance})


def test_weights_of_a_fitted_estimator_are_those_of_its_network(trained):
    found = Pretrained.of(trained)
    state = trained.net_.module_.network.state_dict()
    same(found.weights, {name: tensor.numpy() for name, tensor in state.items()})
    assert (found.kind, found.n_samples, found.n_channels) == ("DeepConvLSTMClassifier", 12, 3)
    assert found.channels == CHANNELS
    assert found.classes.tolist() == ["run", "sit", "walk"]
    assert found.architecture["n_filters"] == 3
    np.testing.assert_array_equal(found.mean, trained.mean_)
    np.testing.assert_array_equal(found.scale, trained.scale_)
    assert repr(found) == "<Pretrained DeepConvLSTMClassifier: windows of 12 x 3, 3 classes>"


def test_weights_do_not_follow_a_network_that_is_trained_on(trained):
    found = Pretrained.of(trained)
    before = {name: array.copy() for name, array in found.weights.items()}
    from_pretrained(found, max_epochs=1, random_state=0).fit(*make_windows(["run", "sit"]))
    same(found.weights, before)


def test_pretrained_weights_cannot_be_changed(trained):
    found = Pretrained.of(trained)
    with pytest.raises(ValueError, match="read-only"):
        found.weights["head.bias"][0] = 1
    with pytest.raises(TypeError):
        found.weights["head.bias"] = np.zeros(3)
    with pytest.raises(FrozenInstanceError):
        found.kind = "other"


def test_a_copy_is_the_same_object_and_a_pickled_one_has_the_same_weights(trained):
    found = Pretrained.of(trained)
    assert copy.deepcopy(found) is found
    assert copy.copy(found) is found
    other = pickle.loads(pickle.dumps(found))
    same(other.weights, found.weights)
    assert other.to_json() == found.to_json()


@pytest.mark.parametrize("labels", [["run", "walk"], [3, 7], [0.5, 2.0], [False, True], np.array(["a", "b"], object)])
def test_description_survives_json_with_the_type_of_its_labels(trained, labels):
    found = replace(Pretrained.of(trained), classes=np.array(labels), weights={})
    back = Pretrained.from_json(found.to_json(), {})
    assert back.to_json() == found.to_json()
    assert back.classes.dtype == np.array(labels).dtype
    assert back.classes.tolist() == list(labels)
    assert (back.architecture, back.params, back.channels) == (found.architecture, found.params, CHANNELS)
    assert (back.mean == found.mean).all()
    assert (back.scale == found.scale).all()


def test_description_has_the_parameters_of_training_that_can_be_written(trained):
    found = Pretrained.of(trained)
    assert (found.params["lr"], found.params["max_epochs"], found.params["random_state"]) == (0.01, 2, 0)
    assert not found.params.keys() & {"pretrained", "freeze", "device", "n_filters"}
    own = make_network(augment=lambda X, rng: X, class_weight={0: 2.0}, random_state=np.random.default_rng(0))
    left_out = Pretrained.of(own.fit(*make_windows([0, 1])))
    assert not left_out.params.keys() & {"augment", "random_state"}
    assert left_out.params["class_weight"] == ((0, 2.0),)
    assert Pretrained.from_json(left_out.to_json(), left_out.weights).params == left_out.params


def test_description_has_what_was_learned(trained):
    learned = Pretrained.from_json(Pretrained.of(trained).to_json(), weights_of(trained)).learned
    assert learned["n_epochs_"] == trained.n_epochs_
    assert learned["real_rows_used_"] == 48
    assert learned["history_"]["train_loss"] == tuple(trained.history_["train_loss"])


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(st.data())
def test_damaged_descriptions_are_refused_or_read(trained, data):
    text = Pretrained.of(trained).to_json()
    start = data.draw(st.integers(0, len(text)))
    stop = data.draw(st.integers(start, min(len(text), start + 40)))
    damaged = (
        text[:start] + data.draw(st.sampled_from(["", "null", '"', "{}", "[1]", "-1", "1e999", "NaN"])) + text[stop:]
    )
    try:
        found = Pretrained.from_json(damaged, weights_of(trained))
    except DataFormatError:
        return
    assert found.mean.shape == found.scale.shape == (found.n_channels,)


def test_json_of_something_else_is_refused(trained):
    for text in ("", "[]", "{}", "null", '{"classes": {"dtype": "V8", "values": []}}'):
        with pytest.raises(DataFormatError, match=r"description of a trained network|type 'V8'"):
            Pretrained.from_json(text, weights_of(trained))


def test_a_head_of_another_number_of_classes_is_refused(trained):
    with pytest.raises(DataFormatError, match="head has 3 rows, but there are 2 classes"):
        replace(Pretrained.of(trained), classes=np.array(["run", "walk"]))


def test_a_scale_of_another_number_of_channels_is_refused(trained):
    with pytest.raises(DataFormatError, match="scale must have a value for each of 3 channels"):
        replace(Pretrained.of(trained), scale=np.ones(2))


def test_what_has_no_network_is_refused(trained):
    X, y = make_windows(["run", "sit"])
    with pytest.raises(NotFittedError):
        Pretrained.of(make_network())
    with pytest.raises(DataFormatError, match="KNeighborsClassifier has no network"):
        Pretrained.of(KNeighborsClassifier().fit(X[:, :, 0], y))


def test_fine_tuning_begins_with_the_pretrained_weights(trained):
    tuned = barely(trained).fit(*make_windows(["run", "sit", "walk"], seed=1))
    same(weights_of(tuned), weights_of(trained), atol=1e-9)
    assert tuned.n_filters == 3
    assert tuned.channels == CHANNELS


def test_fine_tuning_keeps_the_scale_of_pretraining(trained):
    X, y = make_windows(["run", "sit", "walk"], seed=1)
    tuned = barely(trained).fit(100 * X + 7, y)
    np.testing.assert_array_equal(tuned.mean_, trained.mean_)
    np.testing.assert_array_equal(tuned.scale_, trained.scale_)
    np.testing.assert_allclose(tuned.predict_proba(X), trained.predict_proba(X), atol=1e-6)


def test_fine_tuning_without_a_frozen_part_trains_all_weights(trained):
    tuned = from_pretrained(trained, lr=0.01, max_epochs=1, random_state=0).fit(*make_windows(["run", "sit", "walk"]))
    before = weights_of(trained)
    assert all((array != before[name]).any() for name, array in weights_of(tuned).items())


def test_the_head_keeps_the_rows_of_a_part_of_the_labels(trained):
    tuned = barely(trained).fit(*make_windows(["walk", "run"]))
    weight, bias = head_of(trained)
    assert tuned.classes_.tolist() == ["run", "walk"]
    np.testing.assert_allclose(head_of(tuned)[0], weight[[0, 2]], rtol=0, atol=1e-9)
    np.testing.assert_allclose(head_of(tuned)[1], bias[[0, 2]], rtol=0, atol=1e-9)


def test_rows_of_the_head_follow_labels_in_another_order(trained):
    # A file may have its labels in any order, those of an estimator are sorted.
    found = Pretrained.of(trained)
    order = [2, 0, 1]
    turned = {name: array[order] if name.startswith("head.") else array for name, array in found.weights.items()}
    other = replace(found, classes=found.classes[order], weights=turned)
    X, y = make_windows(["run", "sit", "walk"], seed=1)
    first, second = (barely(model).fit(X, y) for model in (found, other))
    same(weights_of(first), weights_of(second))


def test_a_label_that_was_not_pretrained_makes_the_whole_head_new(trained):
    tuned = barely(trained).fit(*make_windows(["jump", "run", "sit", "walk"]))
    same(below_head(tuned), below_head(trained), atol=1e-9)
    fresh = make_network(max_epochs=1, lr=1e-12, weight_decay=0, random_state=5)
    fresh.fit(*make_windows(["jump", "run", "sit", "walk"]))
    for new, expected in zip(head_of(tuned), head_of(fresh), strict=True):
        assert new.shape[0] == 4
        np.testing.assert_allclose(new, expected, rtol=0, atol=1e-9)


def test_labels_of_another_type_make_the_head_new(trained):
    assert barely(trained).fit(*make_windows([1, 2, 3])).classes_.tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("freeze", "frozen"), [("convolutions", ("convolutions.",)), (["convolutions", "lstm"], ("convolutions.", "lstm."))]
)
def test_frozen_parts_stay_to_the_last_bit_and_all_else_learns(trained, freeze, frozen):
    tuned = from_pretrained(trained, freeze=freeze, lr=0.01, weight_decay=0.1, max_epochs=3, random_state=0)
    after, before = weights_of(tuned.fit(*make_windows(["run", "sit", "walk"], seed=1))), weights_of(trained)
    assert any(name.startswith(frozen) for name in before)
    for name, array in after.items():
        assert (array == before[name]).all() == name.startswith(frozen), name


def test_an_unknown_part_cannot_be_frozen(trained):
    with pytest.raises(UnknownNameError, match=r"freeze names \['head'\].*'convolutions', 'lstm'"):
        barely(trained, freeze=("lstm", "head")).fit(*make_windows(["run", "sit"]))


def test_new_weights_cannot_be_frozen():
    with pytest.raises(DataFormatError, match="needs pretrained weights"):
        make_network(freeze="lstm").fit(*make_windows(["run", "sit"]))


def test_another_number_of_labels_than_announced_is_refused(trained):
    X, y = make_windows(["jump", "run", "sit", "walk"])
    assert len(barely(trained, n_classes=4).fit(X, y).classes_) == 4
    with pytest.raises(DataFormatError, match="y has 4 labels, but from_pretrained was told n_classes=5"):
        barely(trained, n_classes=5).fit(X, y)


def test_other_channels_than_in_pretraining_are_refused(trained):
    X, y = make_windows(["run", "sit"], n_channels=6)
    with pytest.raises(DataFormatError, match=r"X has 6 channels, .* pretrained on 3: left_wrist_acc_x"):
        barely(trained, channels=None).fit(X, y)
    with pytest.raises(DataFormatError, match="in this order"):
        barely(trained, channels=CHANNELS[::-1]).fit(X[:, :, :3], y)


def test_channels_may_be_named_by_numbers():
    X, y = make_windows(["run", "sit"])
    numbered = make_network(channels=range(3)).fit(X, y)
    assert from_pretrained(numbered, max_epochs=1, channels=[0, 1, 2]).fit(X, y).pretrained.channels == ("0", "1", "2")
    with pytest.raises(DataFormatError, match=r"are \['2', '1', '0'\], but its network was pretrained on \['0'"):
        from_pretrained(numbered, channels=[2, 1, 0]).fit(X, y)


def test_windows_of_another_length_are_taken_where_no_weight_depends_on_it(trained):
    tuned = barely(trained).fit(*make_windows(["run", "sit", "walk"], n_samples=20))
    same(weights_of(tuned), weights_of(trained), atol=1e-9)
    found = Pretrained.of(trained)
    with pytest.raises(DataFormatError, match=r"windows of 20 samples, .* pretrained on windows of 12"):
        found.check_windows(n_samples=20, n_channels=3, channels=None, n_classes=3)


def test_windows_of_another_length_are_refused_where_weights_depend_on_it():
    X, y = make_windows(["run", "sit"], n_samples=90)
    model = MMFitClassifier(hidden_size=4, max_epochs=1, device="cpu", random_state=0).fit(X, y)
    with pytest.raises(DataFormatError, match=r"windows of 89 samples, .* pretrained on windows of 90"):
        from_pretrained(model, max_epochs=1, device="cpu").fit(X[:, :89], y)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"n_filters": 4}, "n_filters is 4, .* DeepConvLSTMClassifier .* was trained with 3: leave n_filters"),
        ({"lstm_size": 5}, "lstm_size is 5, .* trained with 4"),
        ({"kernel_size": np.int64(5)}, "kernel_size is 5, .* trained with 3"),
        ({"n_conv_layers": 3}, "n_conv_layers is 3, .* trained with 2"),
    ],
)
def test_another_architecture_is_refused(trained, changed, message):
    with pytest.raises(DataFormatError, match=message):
        barely(trained, **changed).fit(*make_windows(["run", "sit"]))
    with pytest.raises(DataFormatError, match=message):
        make_network(pretrained=Pretrained.of(trained), **changed).fit(*make_windows(["run", "sit"]))


def test_weights_of_another_shape_are_refused(trained):
    other = replace(Pretrained.of(trained), architecture={"n_filters": 4})
    with pytest.raises(DataFormatError, match=r"has the shape .* in the pretrained .*'n_filters': 4"):
        barely(other, kernel_size=3, n_conv_layers=2, lstm_size=4).fit(*make_windows(["run", "sit"]))


def test_anything_that_is_a_path_will_do(trained, tmp_path):
    class Path:
        def __fspath__(self):
            return str(tmp_path / "trained.safetensors")

    trained.save(Path())
    same(weights_of(barely(Path()).fit(*make_windows(["run", "sit", "walk"]))), weights_of(trained), atol=1e-9)


def test_weights_of_another_network_are_refused(trained):
    other = replace(Pretrained.of(trained), weights={"dense.weight": np.zeros((2, 2))})
    with pytest.raises(DataFormatError, match="another network"):
        barely(other).fit(*make_windows(["run", "sit"]))


def test_a_clone_begins_with_the_same_weights_and_copies_none(trained):
    model = from_pretrained(trained)
    assert clone(model).pretrained is model.pretrained


def test_fine_tuning_gives_the_same_from_an_estimator_its_weights_and_a_file(trained, tmp_path):
    path = trained.save(tmp_path / "trained.safetensors")
    X, y = make_windows(["run", "walk"], seed=1)
    models = [
        from_pretrained(model, lr=0.01, max_epochs=2, random_state=0).fit(X, y)
        for model in (trained, Pretrained.of(trained), path, str(path))
    ]
    for model in models[1:]:
        same(weights_of(model), weights_of(models[0]))
    named = make_network(pretrained=str(path), channels=CHANNELS).fit(X, y)
    other = make_network(pretrained=Pretrained.of(trained)).fit(X, y)
    same(weights_of(named), weights_of(other))


def test_weights_of_an_unknown_estimator_are_refused(trained):
    for kind in ("GhostClassifier", "Pretrained", "__name__"):
        with pytest.raises(UnknownNameError, match=f"no deep estimator '{kind}'"):
            from_pretrained(replace(Pretrained.of(trained), kind=kind))


def test_an_unknown_parameter_is_refused(trained):
    with pytest.raises(TypeError, match="learning_rate"):
        from_pretrained(trained, learning_rate=1)


def test_a_search_with_groups_finds_learning_rate_and_frozen_parts(trained):
    X, y = make_windows(["run", "sit", "walk"], n_windows=72, seed=1)
    groups = np.repeat(["ann", "ben", "eve"], 24)
    grid = {"lr": [1e-12, 0.01], "freeze": [(), ("convolutions",), ("convolutions", "lstm")]}
    search = GridSearchCV(from_pretrained(trained, max_epochs=2, random_state=0), grid, cv=LeaveOneSubjectOut())
    search.fit(X, y, groups=groups)
    assert len(search.cv_results_["params"]) == 6
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_estimator_.pretrained is search.estimator.pretrained
