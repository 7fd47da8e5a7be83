"""DeepConvLSTMClassifier: what it learns, from whom, and that it does so again to the last bit."""

import pickle
import threading
import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import f1_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from har_virtual.adaptation import DomainSelector
from har_virtual.augmentation import Compose, Jitter, Rotation, um_augmentations
from har_virtual.exceptions import DataFormatError, DataWarning, TrainingError, UnknownNameError
from har_virtual.model_selection import LeaveOneSubjectOut
from har_virtual.models import DeepConvLSTMClassifier

# Most tests here need nobody who validates.
pytestmark = pytest.mark.filterwarnings("ignore:validation_subjects=1, but no groups reached fit")

SMALL = {"n_filters": 8, "lstm_size": 12, "lr": 0.01, "batch_size": 25, "device": "cpu", "random_state": 0}


def oscillations(n_windows=240, n_samples=30, n_channels=3, seed=0):
    """Three activities that differ in frequency only, at any phase and amplitude, on a channel with gravity."""
    rng = np.random.default_rng(seed)
    y = rng.choice(["run", "sit", "walk"], n_windows)
    frequency = np.select([y == "run", y == "walk"], [3.0, 1.5], 0.0)[:, None, None]
    phase = rng.uniform(0, 2 * np.pi, (n_windows, 1, n_channels))
    time = np.arange(n_samples)[None, :, None] / 30
    amplitude = rng.uniform(2, 4, (n_windows, 1, n_channels))
    X = amplitude * np.sin(2 * np.pi * frequency * time + phase) + rng.normal(
        scale=0.3, size=(n_windows, 1, n_channels)
    )
    X += rng.normal(scale=0.2, size=X.shape) + 9.81 * (np.arange(n_channels) == 0)
    groups = np.char.add("s/", rng.integers(4, size=n_windows).astype(str))
    return X.astype(np.float32), y, groups


def weights(model):
    return [parameter.detach().numpy() for parameter in model.net_.module_.parameters()]


def same(first, second):
    return all(np.array_equal(*pair) for pair in zip(weights(first), weights(second), strict=True))


def quick(**params):
    return DeepConvLSTMClassifier(**{**SMALL, "n_filters": 4, "lstm_size": 4, "max_epochs": 2} | params)


def test_a_synthetic_task_is_learnt_to_over_95_percent():
    X, y, groups = oscillations(400)
    train = groups != "s/3"
    model = DeepConvLSTMClassifier(**SMALL, max_epochs=20).fit(X[train], y[train], groups=groups[train])
    assert model.score(X[~train], y[~train]) > 0.95
    assert model.validated_ and model.validated_[0] != "s/3"


def test_the_same_seed_gives_the_same_network_to_the_last_bit_and_another_does_not():
    X, y, groups = oscillations()
    first, again = (quick(augment=shake).fit(X, y, groups=groups) for _ in range(2))
    other = quick(augment=shake, random_state=1).fit(X, y, groups=groups)
    assert same(first, again) and not same(first, other)
    assert np.array_equal(first.predict_proba(X), again.predict_proba(X))
    columns = ["train_loss", "valid_loss", "valid_f1"]
    assert first.history_[columns].equals(again.history_[columns])


def test_a_generator_as_seed_gives_clones_the_same_and_a_second_fit_another():
    X, y, groups = oscillations(60)
    model = quick(random_state=np.random.default_rng(4))
    first, second = (clone(model).fit(X, y, groups=groups) for _ in range(2))
    assert same(first, second)
    assert not same(first, first.__class__(**first.get_params()).fit(X, y, groups=groups))


def shake(X, rng):
    return X + rng.normal(scale=0.1, size=X.shape).astype(np.float32)


def test_fits_in_threads_do_not_mix():
    X, y, _ = oscillations(120)
    alone = [quick(random_state=seed).fit(X, y) for seed in range(3)]
    together = [quick(random_state=seed) for seed in range(3)]
    threads = [threading.Thread(target=model.fit, args=(X, y)) for model in together]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(same(*pair) for pair in zip(alone, together, strict=True))


def test_no_global_stream_of_random_numbers_moves():
    X, y, _ = oscillations(60)
    torch_before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()
    quick(augment=shake).fit(X, y).predict(X)
    assert torch.equal(torch_before, torch.get_rng_state())
    assert np.array_equal(numpy_before, np.random.get_state()[1])


def test_training_stops_after_patience_and_keeps_the_best_epoch():
    X, y, _ = oscillations(120)
    rng = np.random.default_rng(0)
    # Labels of the validation windows are noise: the loss on them rises once the net is sure.
    noise = rng.choice(["run", "sit", "walk"], 60)
    model = quick(max_epochs=100, patience=3, lr=0.02, dropout=0.0).fit(X, y, X_val=X[:60], y_val=noise)
    assert model.n_epochs_ == model.best_epoch_ + 3 < 100
    assert model.history_["valid_loss"].min() == model.history_["valid_loss"][model.best_epoch_ - 1]
    log_proba = np.log(model.predict_proba(X[:60]))
    loss = -log_proba[np.arange(60), np.searchsorted(model.classes_, noise)].mean()
    assert loss == pytest.approx(model.history_["valid_loss"].min(), rel=1e-5)


def test_the_f1_of_an_epoch_is_that_of_its_network_on_the_validation_rows():
    X, y, _ = oscillations(120)
    model = quick(max_epochs=1, lr=0.03, batch_size=8).fit(X[:90], y[:90], X_val=X[90:], y_val=y[90:])
    expected = f1_score(y[90:], model.predict(X[90:]), average="macro")
    assert 0 < expected < 1 and model.history_["valid_f1"].tolist() == pytest.approx([expected])


def test_weight_decay_shrinks_the_weights():
    X, y, _ = oscillations(60)
    small, large = (quick(weight_decay=decay, max_epochs=10).fit(X, y) for decay in (0, 10))
    norms = [sum(np.square(array).sum() for array in weights(model)) for model in (small, large)]
    assert norms[1] < 0.5 * norms[0]


def test_without_groups_all_epochs_run_and_nothing_validates():
    X, y, _ = oscillations(60)
    model = quick(max_epochs=3, patience=1).fit(X, y)
    assert model.n_epochs_ == model.best_epoch_ == 3
    assert model.history_["valid_loss"].isna().all() and model.validated_ == ()


def test_validating_people_do_not_train_and_neither_does_what_was_made_from_them():
    X, y, groups = oscillations(200)
    domain = np.arange(200) % 2
    spoiled, theirs = X.copy(), groups == "s/2"
    spoiled[theirs & (domain == 1)] = np.random.default_rng(1).normal(scale=50, size=X[theirs & (domain == 1)].shape)
    fits = [
        quick(validation_subjects="s/2").fit(windows, y, groups=groups, sample_domain=domain)
        for windows in (X, spoiled)
    ]
    assert same(*fits) and fits[0].validated_ == ("s/2",)
    spoiled[theirs] = 0
    # One epoch is kept whatever the validation rows say.
    fits = [quick(validation_subjects="s/2", max_epochs=1).fit(windows, y, groups=groups) for windows in (X, spoiled)]
    assert same(*fits)
    assert np.array_equal(fits[0].mean_, X[~theirs].reshape(-1, 3).astype(float).mean(axis=0).astype(np.float32))


def test_real_rows_alone_validate():
    X, y, groups = oscillations(200)
    domain = np.arange(200) % 2
    model = quick(validation_subjects="s/2").fit(X, y, groups=groups, sample_domain=domain)
    rows = (groups == "s/2") & (domain == 0)
    alone = quick().fit(X[groups != "s/2"], y[groups != "s/2"], X_val=X[rows], y_val=y[rows])
    first, second = (fit.history_["valid_loss"].to_numpy() for fit in (model, alone))
    assert model.real_rows_used_ == np.count_nonzero(domain == 0)
    # Another draw of the generator comes first only where subjects are drawn.
    assert np.array_equal(first, second)


def test_drawn_people_leave_every_class_something_to_train_on():
    X, y, groups = oscillations(200)
    y = np.where(groups == "s/1", "jump", y)
    drawn = {quick(max_epochs=1, random_state=seed).fit(X, y, groups=groups).validated_ for seed in range(8)}
    assert ("s/1",) not in drawn and len(drawn) > 1


def test_two_people_can_validate():
    X, y, groups = oscillations(200)
    model = quick(validation_subjects=2).fit(X, y, groups=groups)
    assert len(model.validated_) == 2
    assert quick(validation_subjects=["s/0", "s/3"]).fit(X, y, groups=groups).validated_ == ("s/0", "s/3")


def test_nobody_left_to_train_is_an_error():
    X, y, groups = oscillations(40)
    with pytest.raises(DataFormatError, match="Nobody is left to train"):
        quick().fit(X, y, groups=np.repeat("s/1", 40))
    with pytest.raises(DataFormatError, match="validation_subjects names"):
        quick(validation_subjects="s/9").fit(X, y, groups=groups)


def test_virtual_rows_alone_train_all_epochs_with_a_warning():
    X, y, groups = oscillations(40)
    with pytest.warns(DataWarning, match="All training rows are virtual"):
        model = quick().fit(X, y, groups=groups, sample_domain=np.ones(40, int))
    assert model.n_epochs_ == 2 and model.real_rows_used_ == 0


def test_validation_labels_that_nobody_trains_are_left_out_with_a_warning():
    X, y, _ = oscillations(60)
    labels = np.where(np.arange(20) < 5, "jump", y[:20])
    with pytest.warns(DataWarning, match="5 validation windows are left out"):
        model = quick().fit(X, y, X_val=X[:20], y_val=labels)
    kept = quick().fit(X, y, X_val=X[5:20], y_val=labels[5:])
    assert np.array_equal(model.history_["valid_loss"], kept.history_["valid_loss"])
    with pytest.raises(DataFormatError, match="No validation window has a label"):
        quick().fit(X, y, X_val=X[:5], y_val=labels[:5])


def test_a_search_over_lr_and_weight_decay_with_groups_holds_people_out():
    X, y, groups = oscillations(160)
    with sklearn.config_context(enable_metadata_routing=True):
        search = GridSearchCV(
            make_pipeline(quick(max_epochs=3)),
            {"deepconvlstmclassifier__lr": [1e-5, 3e-2], "deepconvlstmclassifier__weight_decay": [0, 1e-4]},
            cv=LeaveOneSubjectOut(),
        ).fit(X, y, groups=groups)
    assert search.best_params_["deepconvlstmclassifier__lr"] == 3e-2
    assert search.best_estimator_[-1].validated_


def test_domain_selector_hands_groups_and_validation_on():
    X, y, groups = oscillations(120)
    domain = (groups == "s/0").astype(int)
    with sklearn.config_context(enable_metadata_routing=True):
        model = DomainSelector(quick(), train_on="virtual").fit(
            X, y, sample_domain=domain, X_val=X[domain == 0], y_val=y[domain == 0]
        )
    virtual = domain == 1
    plain = quick().fit(X[virtual], y[virtual], X_val=X[~virtual], y_val=y[~virtual])
    assert same(model.estimator_, plain)


def test_a_class_that_nobody_trains_does_not_say_when_to_stop():
    X, y, groups = oscillations(120)
    y = np.where((groups == "s/1") & (np.arange(120) % 2 == 0), "jump", y)
    with pytest.warns(DataWarning, match="left out: no training window has their labels"):
        model = quick(validation_subjects="s/1").fit(X, y, groups=groups)
    train, known = groups != "s/1", (groups == "s/1") & (y != "jump")
    kept = model.predict_proba(X[known])[np.arange(known.sum()), np.searchsorted(model.classes_, y[known])]
    assert model.history_["valid_loss"].min() == pytest.approx(-np.log(kept).mean(), rel=1e-5)
    with pytest.raises(DataFormatError, match="No validation window has a label"):
        quick(validation_subjects="s/1").fit(X, np.where(train, y, "jump"), groups=groups)


def test_one_class_that_is_left_to_train_on_is_an_error():
    X, y, groups = oscillations(60)
    y = np.where((groups == "s/1") & (y == "run"), "run", "sit")
    with pytest.raises(DataFormatError, match="one class, 'sit', as s/1 validate and have the others"):
        quick(validation_subjects="s/1").fit(X, y, groups=groups)


def test_rows_without_a_subject_are_refused():
    X, y, groups = oscillations(30)
    with pytest.raises(DataFormatError, match="groups must be one-dimensional and have a value"):
        quick().fit(X, y, groups=np.where(groups == "s/1", None, groups))


def test_validation_labels_of_another_type_are_no_labels():
    X, y = oscillations(30)[0], np.arange(30) % 2
    with pytest.raises(DataFormatError, match="No validation window has a label"):
        quick().fit(X, y, X_val=X, y_val=y.astype(str))


@pytest.mark.parametrize(
    "as_type", [lambda y: pd.Series(y, dtype="string"), lambda y: y.astype(object), pd.Categorical]
)
def test_labels_of_any_kind_of_text_are_the_same(as_type):
    X, y, _ = oscillations(40)
    first = quick().fit(X, y, X_val=X[:9], y_val=y[:9])
    second = quick().fit(X, as_type(y), X_val=X[:9], y_val=as_type(y[:9]))
    assert same(first, second) and first.predict(X).tolist() == second.predict(X).tolist()


def test_class_weights_count():
    X, y, _ = oscillations(120)
    heavy = quick(max_epochs=15, class_weight={"sit": 1000.0}).fit(X, y)
    assert (heavy.predict(X) == "sit").mean() > (y == "sit").mean() + 0.1
    balanced = quick(class_weight="balanced").fit(X, y)
    counts = {label: np.count_nonzero(y == label) for label in np.unique(y)}
    by_hand = quick(class_weight={label: 120 / 3 / count for label, count in counts.items()}).fit(X, y)
    assert np.allclose(weights(balanced)[0], weights(by_hand)[0], atol=1e-6)
    with pytest.raises(DataFormatError, match="class_weight names"):
        quick(class_weight={"swim": 2}).fit(X, y)


def test_only_ratios_of_class_weights_count():
    X, y, _ = oscillations(60)
    first, second = (quick(class_weight=dict.fromkeys(["run", "sit", "walk"], by)).fit(X, y) for by in (1, 1000))
    assert same(first, second)
    assert np.allclose(weights(first)[0], weights(quick().fit(X, y))[0], atol=1e-6)


def test_the_weighted_validation_loss_does_not_depend_on_the_batches():
    X, y, _ = oscillations(90)
    given, order = {"sit": 0.0, "run": 5.0}, np.argsort(y)
    model = quick(class_weight=given, batch_size=7).fit(X, y, X_val=X[order], y_val=y[order])
    scale = np.array([given.get(label, 1.0) for label in y])
    proba = model.predict_proba(X)[np.arange(90), np.searchsorted(model.classes_, y)]
    expected = -(scale / scale.mean() * np.log(proba)).mean()
    assert model.history_["valid_loss"].min() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("weight", [-1, np.nan, np.inf, "2"])
def test_a_class_weight_that_is_none_is_refused(weight):
    X, y, _ = oscillations(30)
    with pytest.raises(DataFormatError, match="0 or more"):
        quick(class_weight={"sit": weight}).fit(X, y)


def test_class_weights_that_leave_nothing_to_learn_are_refused():
    X, y, _ = oscillations(30)
    with pytest.raises(DataFormatError, match="leaves nothing to learn"):
        quick(class_weight={"run": 0, "sit": 0, "walk": 0}).fit(X, y)


def test_balanced_weights_are_of_the_training_rows():
    X, y, _ = oscillations(60)
    groups = np.where(y == "sit", "a", "b")
    groups[:20], y[:20] = "c", "sit"
    model, alone = (
        quick(class_weight="balanced", validation_subjects="c", max_epochs=1).fit(X[rows], y[rows], groups=groups[rows])
        for rows in (slice(None), slice(10, None))
    )
    assert same(model, alone)


def test_units_do_not_matter_where_inputs_are_scaled():
    X, y, _ = oscillations(90)
    first, second = (quick(random_state=3).fit(windows, y).predict_proba(windows) for windows in (X, X * 2.0**10))
    assert np.allclose(first, second, atol=1e-5)
    raw = quick(scale=False).fit(X, y)
    assert np.array_equal(raw.mean_, np.zeros(3)) and np.array_equal(raw.scale_, np.ones(3))


def test_a_constant_channel_is_no_trouble():
    X, y, _ = oscillations(60)
    X[:, :, 1] = 1000.1
    assert np.isfinite(quick().fit(X, y).predict_proba(X)).all()


def test_short_windows_are_lengthened_with_a_warning():
    X, y, _ = oscillations(60, n_samples=10)
    with pytest.warns(DataWarning, match="Windows have 10 samples, and DeepConvLSTMClassifier needs 17"):
        model = quick().fit(X, y)
    padded = np.pad(X, ((0, 0), (3, 4), (0, 0)), mode="edge")
    scaled = (torch.from_numpy(padded) - torch.from_numpy(model.mean_)) / torch.from_numpy(model.scale_)
    with torch.no_grad():
        logits = model.net_.module_.network.eval()(scaled).numpy()
    assert np.array_equal(model.predict(X), model.classes_[logits.argmax(axis=1)])


def test_the_windows_are_not_touched():
    X, y, groups = oscillations(60)
    X.setflags(write=False)
    before = X.copy()

    def spoil(windows, rng):
        windows[:] = 0
        return windows

    quick(augment=[spoil]).fit(X, y, groups=groups)
    assert np.array_equal(X, before)


def test_augmentation_acts_in_training_and_not_on_validation_or_prediction():
    X, y, _ = oscillations(60)
    seen = []

    def record(windows, rng):
        seen.append(len(windows))
        return windows

    model = quick(augment=record, batch_size=25).fit(X, y, X_val=X, y_val=y)
    assert seen == [25, 25, 10] * 2
    model.predict(X)
    assert len(seen) == 6


def test_the_last_batch_has_never_one_window():
    X, y, _ = oscillations(51)
    seen = []
    quick(augment=lambda windows, rng: seen.append(len(windows)) or windows, batch_size=25, max_epochs=1).fit(X, y)
    assert seen == [25, 26]


def test_a_gpu_that_is_not_there_is_named():
    X, y, _ = oscillations(30)
    with pytest.raises(UnknownNameError, match=r"device='cuda:9' is not there"):
        quick(device="cuda:9").fit(X, y)
    with pytest.raises(UnknownNameError, match="'cpu', 'auto'"):
        quick(device="tpu").fit(X, y)


def test_training_that_diverges_is_an_error():
    X, y, _ = oscillations(30)
    with pytest.raises(TrainingError, match="lower lr"):
        quick(scale=False, lr=1e30, max_epochs=5).fit(X * 1e30, y)


@pytest.mark.parametrize("validates", [True, False])
def test_training_that_diverges_in_its_last_step_is_an_error(validates):
    X, y, _ = oscillations(20)
    given = {"X_val": X, "y_val": y} if validates else {}
    with pytest.raises(TrainingError, match="valid_loss is nan" if validates else "After 1 epochs"):
        quick(lr=1e30, max_epochs=1).fit(X, y, **given)


def test_windows_that_no_score_can_be_given_for_are_named():
    X, y, _ = oscillations(20)
    model, large = quick().fit(X, y), X.astype(np.float64)
    large[[3, 7], :, 1] = 1e200 * (-1) ** np.arange(30)
    with (
        pytest.warns(RuntimeWarning, match="overflow"),
        pytest.raises(DataFormatError, match="finite for 2 windows, first for window 3"),
    ):
        model.predict(large)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda X, y: (X, np.repeat("walk", len(y))), "at least two classes"),
        (lambda X, y: (np.where(np.arange(30)[:, None] == 4, np.nan, X), y), "NaN or infinite values"),
        (lambda X, y: (X[:, :, :0], y), "0 channels"),
        (lambda X, y: (X[:0], y[:0]), "0 sample"),
    ],
)
def test_bad_input_is_refused(spoil, message):
    X, y, _ = oscillations(30)
    with pytest.raises(ValueError, match=message):
        quick().fit(*spoil(X, y))


@pytest.mark.parametrize("names", [["acc_x", "acc_y"], ["acc_x", "acc_x", "acc_y"]])
def test_names_that_do_not_fit_the_channels_are_refused(names):
    X, y, _ = oscillations(30)
    with pytest.raises(DataFormatError, match="name each of the 3 channels"):
        quick(channels=names).fit(X, y)


def test_other_windows_than_in_fit_are_refused():
    X, y, _ = oscillations(30)
    model = quick().fit(X, y)
    with pytest.raises(DataFormatError, match="windows of 20 samples"):
        model.predict(X[:, :20])
    with pytest.raises(DataFormatError, match="X has 2 channels"):
        model.predict_proba(X[:, :, :2])
    with pytest.raises(DataFormatError, match="windows of 20 samples"):
        quick().fit(X, y, X_val=X[:, :20], y_val=y)
    with pytest.raises(DataFormatError, match="come together"):
        quick().fit(X, y, X_val=X)


def test_a_pickle_predicts_the_same_and_has_no_windows():
    X, y, groups = oscillations(400)
    model = quick(max_epochs=1).fit(X, y, groups=groups)
    pickled = pickle.dumps(model)
    assert len(pickled) < 40_000 < X.nbytes
    assert all(parameter.grad is None for parameter in model.net_.module_.parameters())
    copy = pickle.loads(pickled)
    assert np.array_equal(copy.predict_proba(X), model.predict_proba(X))


def test_progress_is_shown_only_when_asked_for(capsys):
    X, y, _ = oscillations(30)
    quick().fit(X, y)
    assert capsys.readouterr() == ("", "")
    quick(verbose=1).fit(X, y)
    assert "2/2" in capsys.readouterr().err


def test_a_keyboard_interrupt_of_the_user_s_is_passed_on():
    X, y, _ = oscillations(30)

    def interrupt(windows, rng):
        raise KeyboardInterrupt

    for given in ({}, {"X_val": X, "y_val": y}):
        with pytest.raises(KeyboardInterrupt):
            quick(augment=interrupt).fit(X, y, **given)


def test_missing_groups_are_said_unless_nobody_is_wanted():
    X, y, groups = oscillations(30)
    with pytest.warns(DataWarning, match="no groups reached fit.*enable_metadata_routing.*training takes 2 epochs"):
        quick().fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        quick(validation_subjects=None).fit(X, y)
        quick().fit(X, y, groups=groups)
        quick().fit(X, y, X_val=X, y_val=y)
    with pytest.raises(DataFormatError, match="validation_subjects='s/1', but no groups"):
        quick(validation_subjects="s/1").fit(X, y)


def test_a_search_with_routing_off_says_that_groups_do_not_arrive():
    X, y, groups = oscillations(60)
    search = GridSearchCV(quick(max_epochs=1), {"lr": [1e-3]}, cv=LeaveOneSubjectOut())
    with pytest.warns(DataWarning, match="no groups reached fit"):
        search.fit(X, y, groups=groups)


@pytest.mark.parametrize(
    ("augment", "message"),
    [
        (lambda X, rng: X[:, :5], r"gave shape \(.*, 5, 3\) for windows of shape"),
        (lambda X, rng: None, r"gave shape \(\)"),
        (lambda X: X, "called as step"),
        (Jitter, "augment is the class Jitter"),
        ([Jitter(), "um"], r"augment\[1\] is 'um'"),
        (lambda X, rng: X * np.float32("nan"), "NaN in what augment gives"),
    ],
)
def test_an_augmentation_that_does_not_work_is_named(augment, message):
    X, y, groups = oscillations(60)
    with pytest.raises((DataFormatError, TrainingError), match=message):
        quick(augment=augment).fit(X, y, groups=groups)


def test_a_fit_that_is_interrupted_leaves_nothing_that_predicts():
    X, y, groups = oscillations(60)
    model = quick().fit(X, y, groups=groups)

    def interrupt(windows, rng):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.set_params(augment=interrupt).fit(X, y, groups=groups)
    for method in (model.predict, model.predict_proba):
        with pytest.raises(NotFittedError):
            method(X)


@pytest.mark.parametrize("spoil", [{"y": "run"}, {"validation_subjects": "s/9"}, {"device": "cuda:9"}])
def test_a_fit_that_fails_leaves_no_network_of_other_labels(spoil):
    X, y, groups = oscillations(60)
    model = quick().fit(X, y, groups=groups)
    kept = y != "sit"
    labels = np.full(kept.sum(), spoil.pop("y")) if "y" in spoil else y[kept]
    with pytest.raises(ValueError, match=r"one class|validation_subjects names|is not there"):
        model.set_params(**spoil).fit(X[kept], labels, groups=groups[kept])
    with pytest.raises(NotFittedError):
        model.predict(X)


def test_windows_without_a_label_are_refused():
    X, y, groups = oscillations(30)
    labels = y.astype(object)
    labels[3] = None
    with pytest.raises(DataFormatError, match=r"1 of 30 windows have no label .* first window 3"):
        quick().fit(X, labels, groups=groups)


def test_text_among_numbers_is_no_label():
    X, y, groups = oscillations(30)
    labels = np.where(y == y[0], 1, y.astype(object))
    with pytest.raises(DataFormatError, match="all text or all numbers; y has both"):
        quick().fit(X, labels, groups=groups)


def test_flattened_windows_are_told_from_wrong_names():
    X, y, groups = oscillations(30)
    with pytest.raises(DataFormatError, match="two dimensions"):
        quick(channels=["x", "y", "z"]).fit(X.reshape(30, -1), y, groups=groups)


def test_numbers_as_subjects_stay_numbers():
    X, y, groups = oscillations(60)
    model = quick(max_epochs=1).fit(X, y, groups=np.array([int(name[-1]) for name in groups]))
    assert all(isinstance(name, int) for name in model.validated_)


def test_a_torch_device_will_do():
    X, y, groups = oscillations(30)
    assert same(quick(device=torch.device("cpu")).fit(X, y, groups=groups), quick().fit(X, y, groups=groups))


@pytest.mark.parametrize(("monitor", "sign"), [("loss", 1), ("f1", -1)])
def test_the_epoch_that_is_kept_is_the_best_of_what_is_monitored(monitor, sign):
    X, y, groups = oscillations(120)
    model = quick(monitor=monitor, max_epochs=40, patience=3, lr=0.03).fit(X, y, groups=groups)
    watched = sign * model.history_[f"valid_{monitor}"].to_numpy()
    assert model.best_epoch_ == 1 + watched.argmin() < model.n_epochs_
    assert model.n_epochs_ == min(40, model.best_epoch_ + 3)
    validating = np.isin(groups, model.validated_)
    predicted = model.predict(X[validating])
    kept = model.history_["valid_f1"].iloc[model.best_epoch_ - 1]
    assert f1_score(y[validating], predicted, average="macro") == pytest.approx(kept)


def test_loss_and_f1_stop_at_different_epochs():
    X, y, groups = oscillations(120)
    loss, f1 = (
        quick(monitor=monitor, max_epochs=40, patience=40, lr=0.03).fit(X, y, groups=groups).best_epoch_
        for monitor in ("loss", "f1")
    )
    assert loss != f1


def test_an_augmentation_that_was_told_other_channels_is_refused():
    X, y, groups = oscillations(30)
    names = [f"left_wrist_acc_{axis}" for axis in "xyz"]
    swapped = Rotation(channels=names[::-1])
    for augment, where in (
        (swapped, "augment"),
        ([Jitter(), swapped], r"augment\[1\]"),
        (Compose([swapped]), "augment"),
    ):
        with pytest.raises(DataFormatError, match=f"^{where}: the channels of Rotation are"):
            quick(augment=augment, channels=names).fit(X, y, groups=groups)
    quick(augment=um_augmentations(channels=names), channels=np.array(names)).fit(X, y, groups=groups)
