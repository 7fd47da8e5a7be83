"""Deep classifiers in an evaluation: windows in, stopped early by those who validate, seeded."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn import clone, config_context
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer

from har_virtual import WindowSet
from har_virtual.adaptation import SensorAligner
from har_virtual.evaluation import PROTOCOLS, evaluate, evaluate_seeds, learning_curve
from har_virtual.evaluation._inputs import check_estimators
from har_virtual.exceptions import DataFormatError
from har_virtual.features import ECDFFeatures
from har_virtual.model_selection import HoldOut, subject_folds
from har_virtual.models import DeepConvLSTMClassifier
from har_virtual.models.pretraining import PretrainOnVirtual

CHANNELS = tuple(f"left_wrist_acc_{axis}" for axis in "xyz")
NETWORK = DeepConvLSTMClassifier(
    n_filters=4,
    kernel_size=3,
    n_conv_layers=2,
    lstm_size=8,
    n_lstm_layers=1,
    dropout=0.1,
    lr=0.02,
    max_epochs=12,
    batch_size=20,
    patience=4,
    device="cpu",
)


def make_windows() -> WindowSet:
    """Three classes by liveliness and speed; virtual windows half as lively again, clips of five windows."""
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(
        [
            (domain, subject, label)
            for domain, subjects in {"real": ("a/1", "a/2", "a/3"), "virtual": ("a/1", "video:2f/0")}.items()
            for subject in subjects
            for label in ("rest", "slow", "fast")
            for _ in range(15)
        ],
        columns=["domain", "subject", "label"],
    )
    hz = rows["label"].map({"rest": 0.0, "slow": 1.0, "fast": 3.0}).to_numpy()[:, None, None]
    gain = rows["domain"].map({"real": 3.0, "virtual": 4.5}).to_numpy()[:, None, None]
    angle = 2 * np.pi * hz * np.arange(20)[:, None] / 20 + rng.uniform(0, 6, (len(rows), 1, 1))
    X = gain * (hz > 0) * np.sin(angle + np.arange(3)) + rng.normal(scale=0.5, size=(len(rows), 20, 3))
    metadata = rows[["domain", "subject"]].assign(
        dataset="a", session="1", recording=np.arange(len(rows)) // 5, start_s=0.0, stop_s=1.0
    )
    return WindowSet(X, rows["label"].to_numpy(dtype=str), metadata, CHANNELS, 20.0, {"window_step_s": 1.0})


WINDOWS = make_windows()
HELD_OUT = HoldOut("a/2", "a/3")


def by_hand(part, name, classifier, random_state):
    """Fit the protocol's pipeline with what the fold's people validate on."""
    classifier = clone(classifier).set_params(random_state=random_state)
    if "estimator" in classifier.get_params():
        classifier.set_params(estimator__random_state=random_state)
    with config_context(enable_metadata_routing=True):
        pipeline = PROTOCOLS[name].pipeline(classifier, features="passthrough", channels=CHANNELS)
        rows = part.train
        return pipeline.fit(
            WINDOWS.X[rows],
            WINDOWS.y[rows],
            sample_domain=WINDOWS.sample_domain[rows],
            X_val=WINDOWS.X[part.validation],
            y_val=WINDOWS.y[part.validation],
            **({"clips": WINDOWS.clips[rows]} if "estimator" in classifier.get_params() else {}),
        )


@pytest.mark.parametrize("name", ["R2R", "Mix2R mapped"])
@pytest.mark.parametrize("classifier", [NETWORK, PretrainOnVirtual(NETWORK)], ids=["network", "pretrained"])
def test_those_who_validate_say_when_training_stops_as_by_hand(classifier, name):
    options = {"classifier": classifier, "features": "passthrough", "random_state": 3}
    result = evaluate(WINDOWS, name, hold_out=HELD_OUT, **options)[name]
    [part] = subject_folds(WINDOWS.y, WINDOWS.groups, WINDOWS.sample_domain, hold_out=HELD_OUT)
    fitted = by_hand(part, name, classifier, 3)
    network = fitted["clf"].estimator_
    network = getattr(network, "estimator_", network)
    assert network.history_["valid_loss"].notna().all() and network.real_rows_used_ == 90
    np.testing.assert_array_equal(result.y_pred, fitted.predict(WINDOWS.X[part.test]))
    assert result.macro_f1 > 0.8
    assert result.folds.real_rows_used.tolist() == [90]


def test_seeds_give_other_networks_on_the_same_folds():
    # Networks that have learned all there is agree.
    hasty = clone(NETWORK).set_params(max_epochs=1)
    options = {"classifier": hasty, "features": "passthrough", "hold_out": HELD_OUT}
    runs = evaluate_seeds(WINDOWS, ["R2R", "V2R none"], seeds=(0, 1), **options)
    assert len({runs[seed]["V2R none"].y_pred.tobytes() for seed in runs}) > 1
    again = evaluate(WINDOWS, "V2R none", random_state=1, **options)["V2R none"]
    np.testing.assert_array_equal(again.y_pred, runs[1]["V2R none"].y_pred)
    assert runs.how["validation"] == "goes to the classifier's fit"
    assert runs.table().n_windows.tolist() == [45, 45]


def test_nobody_stops_a_network_that_asks_for_no_validation_rows():
    with config_context(enable_metadata_routing=True):
        alone = clone(NETWORK).set_params(validation_subjects=None).set_fit_request(X_val=False, y_val=False)
    for classifier in (alone, PretrainOnVirtual(alone)):
        options = {"classifier": classifier, "features": "passthrough", "real_seconds_per_class": 10.0}
        result = evaluate(WINDOWS, "Mix2R none", random_state=1, **options)
        assert result.how["validation"] is None and result.how["split"] == "leave-one-subject-out"
        assert result["Mix2R none"].folds[["n_train_real", "real_rows_used"]].values.tolist() == [[30, 30]] * 3
        [part, *_] = subject_folds(
            WINDOWS.y,
            WINDOWS.groups,
            WINDOWS.sample_domain,
            real_seconds_per_class=10.0,
            window_step_s=1.0,
            random_state=1,
        )
        rows, given = part.train, {"groups": WINDOWS.groups, "sample_domain": WINDOWS.sample_domain}
        fitted = clone(classifier).set_params(random_state=1)
        if "estimator" in fitted.get_params():
            fitted.set_params(estimator__random_state=1)
            given["clips"] = WINDOWS.clips
        fitted.fit(WINDOWS.X[rows], WINDOWS.y[rows], **{name: values[rows] for name, values in given.items()})
        network = getattr(fitted, "estimator_", fitted)
        assert network.n_epochs_ == NETWORK.max_epochs and network.history_["valid_loss"].isna().all()
        own = np.isin(result["Mix2R none"].rows, part.test)
        np.testing.assert_array_equal(result["Mix2R none"].y_pred[own], fitted.predict(WINDOWS.X[part.test]))


@pytest.mark.parametrize("classifier", [NETWORK, PretrainOnVirtual(NETWORK)])
def test_a_network_is_not_given_features_of_windows(classifier):
    with pytest.raises(DataFormatError, match=r'DeepConvLSTMClassifier learns from windows.*features="passthrough"'):
        evaluate(make_windows(), "R2R", classifier=classifier)


@pytest.mark.parametrize("wrap", [lambda net: net, PretrainOnVirtual, lambda net: make_pipeline(net)])
def test_a_network_that_was_told_the_channels_in_another_order_is_refused(wrap):
    swapped = wrap(clone(NETWORK).set_params(channels=CHANNELS[::-1]))
    for call in (evaluate, evaluate_seeds):
        with pytest.raises(DataFormatError, match=r"channels of the classifier are .*but the windows have"):
            call(WINDOWS, "R2R", classifier=swapped, features="passthrough")


def test_estimators_before_the_classifier_are_asked_for_their_channels_too():
    others = [f"right_ankle_acc_{axis}" for axis in "xyz"]
    with pytest.raises(DataFormatError, match=r"channels of the aligner are .*right_ankle"):
        evaluate(WINDOWS, "R2R", aligner=SensorAligner(channels=others))
    with pytest.raises(DataFormatError, match=r"channels of the features are .*right_ankle"):
        learning_curve(WINDOWS, [5], ["R2R"], features=ECDFFeatures(channels=others))


def test_a_later_step_may_have_other_channels():
    norms = [*CHANNELS, "left_wrist_acc_norm", "left_wrist_acc_axial", "left_wrist_acc_across"]
    steps = [("norms", FunctionTransformer()), ("net", clone(NETWORK).set_params(channels=norms))]
    told = Pipeline(steps, transform_input=["X_val"])
    check_estimators(told, "passthrough", None, None, None, CHANNELS)
