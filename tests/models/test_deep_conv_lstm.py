"""DeepConvLSTMClassifier: what it learns, from whom, and that it does so again to the last bit."""

import pickle
import threading

import numpy as np
import pytest
import sklearn
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from har_virtual.adaptation import DomainSelector
from har_virtual.exceptions import DataFormatError, DataWarning, TrainingError, UnknownNameError
from har_virtual.model_selection import LeaveOneSubjectOut
from har_virtual.models import DeepConvLSTMClassifier

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


def test_a_pickle_predicts_the_same():
    X, y, _ = oscillations(60)
    model = quick().fit(X, y)
    copy = pickle.loads(pickle.dumps(model))
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

    with pytest.raises(KeyboardInterrupt):
        quick(augment=interrupt).fit(X, y, X_val=X, y_val=y)
