"""Windows that go to the recogniser as they are: turned and mapped as in the pipeline, bit for bit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeClassifier

from har_virtual import WindowSet
from har_virtual.adaptation import RankDistributionMapper, SensorAligner
from har_virtual.evaluation import (
    PROTOCOLS,
    Protocol,
    evaluate,
    learning_curve,
    predict_out_of_fold,
    ratio_curve,
    real_data_used,
    transfer,
)
from har_virtual.evaluation.feature_bank import FeatureBank
from har_virtual.exceptions import DataFormatError, FoldError
from har_virtual.model_selection import LeaveOneSubjectOut

CHANNELS = tuple(f"left_wrist_acc_{axis}" for axis in "xyz")
SUBJECTS = ("set/1", "set/2", "set/3")
ALL = {**PROTOCOLS, "per class": Protocol("per class", "virtual", map="per_class")}
FLAT_TREE = make_pipeline(FunctionTransformer(lambda X: X.reshape(len(X), -1)), DecisionTreeClassifier(random_state=0))


def make_windows(n_windows: int = 240) -> WindowSet:
    """Postures by class, virtual windows turned and stretched, both domains mixed in one order."""
    rng = np.random.default_rng(0)
    y, virtual = rng.integers(3, size=n_windows), rng.random(n_windows) < 0.55
    posture = np.array([[9.8, 0, 0], [0, 9.8, 0], [0, 0, 9.8]])
    X = posture[y][:, None] + (1 + y[:, None, None]) * rng.normal(size=(n_windows, 10, 3))
    X[virtual] = 1.4 * X[virtual] @ np.diag([-1, -1, 1]) + 0.5
    metadata = pd.DataFrame(
        {"subject": rng.choice(SUBJECTS, n_windows), "domain": np.where(virtual, "virtual", "real")}
    ).assign(dataset="set", session="1", recording=np.arange(n_windows) // 3, start_s=0.0, stop_s=1.0)
    return WindowSet(X, np.array(["lie", "sit", "walk"])[y], metadata, CHANNELS, 10.0, {"window_step_s": 0.5})


WINDOWS = make_windows()
TRAIN = np.random.default_rng(1).permutation(np.flatnonzero(WINDOWS.groups != SUBJECTS[0]))
TESTED = np.flatnonzero((WINDOWS.groups == SUBJECTS[0]) & (WINDOWS.sample_domain == 0))
MOVING_REAL = {"mapper": RankDistributionMapper(direction="real_to_virtual")}
TURNING_REAL = {"aligner": SensorAligner(direction="real_to_virtual")}


def by_pipeline(protocol: Protocol, **steps):
    pipeline = protocol.pipeline(DummyClassifier(), features="passthrough", channels=CHANNELS, **steps)[:-1]
    with config_context(enable_metadata_routing=True):
        # A pipeline whose steps all pass rows through takes no metadata.
        asks = protocol.align or protocol.map
        domain = {"sample_domain": WINDOWS.sample_domain[TRAIN]} if asks else {}
        trained = pipeline.fit_transform(WINDOWS.X[TRAIN], WINDOWS.y[TRAIN], **domain)
        return pipeline, trained, pipeline.transform(WINDOWS.X[TESTED])


@pytest.mark.parametrize("steps", [{}, MOVING_REAL, TURNING_REAL], ids=["virtual move", "map real", "turn real"])
@pytest.mark.parametrize("name", ALL)
def test_the_bank_gives_the_windows_and_counts_of_the_pipeline(name, steps):
    bank = FeatureBank(WINDOWS, "passthrough", **steps).prepare([ALL[name]])
    adapted = bank.adapt(ALL[name], TRAIN)
    pipeline, trained, tested = by_pipeline(ALL[name], **steps)
    assert adapted.features.dtype == np.float32
    np.testing.assert_array_equal(adapted.features, trained)
    np.testing.assert_array_equal(adapted.take(TRAIN[[7, 3, 30]]), trained[[7, 3, 30]])
    np.testing.assert_array_equal(adapted.transform(TESTED), tested)
    used = real_data_used(pipeline, np.count_nonzero(WINDOWS.sample_domain[TRAIN] == 0))
    assert (adapted.real_rows_used, adapted.real_labels_used) == used


def test_adaptations_of_one_fold_do_not_change_each_other_or_the_windows():
    before = WINDOWS.X.copy()
    fold = FeatureBank(WINDOWS, "passthrough").fold(TRAIN)
    together = {name: fold.adapt(protocol).features for name, protocol in ALL.items()}
    for name, windows in together.items():
        np.testing.assert_array_equal(windows, by_pipeline(ALL[name])[1])
        windows[:] = 0
        np.testing.assert_array_equal(fold.adapt(ALL[name]).features, by_pipeline(ALL[name])[1])
    np.testing.assert_array_equal(WINDOWS.X, before)


def test_real_windows_are_as_they_are_and_virtual_ones_are_refused():
    bank = FeatureBank(WINDOWS, "passthrough")
    np.testing.assert_array_equal(bank.real(TESTED), WINDOWS.X[TESTED])
    with pytest.raises(DataFormatError, match="is virtual"):
        bank.real(np.flatnonzero(WINDOWS.sample_domain == 1)[:1])


@pytest.mark.parametrize("steps", [{}, MOVING_REAL], ids=["virtual move", "map real"])
@pytest.mark.parametrize("name", [*PROTOCOLS, "2:1"])
def test_evaluate_gives_what_the_pipeline_gives(name, steps):
    protocol = {**PROTOCOLS, "2:1": Protocol("2:1", "both", map="global", virtual_ratio=0.5)}[name]
    given = {"classifier": FLAT_TREE, "features": "passthrough", "random_state": 3, **steps}
    mine = evaluate(WINDOWS, protocol, **given)[name]
    with config_context(enable_metadata_routing=True):
        pipeline = protocol.pipeline(**given, channels=CHANNELS)
    theirs = predict_out_of_fold(
        pipeline,
        WINDOWS.X,
        WINDOWS.y,
        cv=LeaveOneSubjectOut(),
        groups=WINDOWS.groups,
        sample_domain=WINDOWS.sample_domain,
    )
    np.testing.assert_array_equal(mine.y_pred, theirs.y_pred)
    pd.testing.assert_frame_equal(mine.folds, theirs.folds)


def test_curves_take_windows_as_evaluate_does():
    given = {"classifier": FLAT_TREE, "features": "passthrough"}
    curve = learning_curve(WINDOWS, [3.0], ["R2R", "Mix2R mapped"], virtual_ratio=0.5, n_draws=1, **given)
    seed = curve.how["random_state"][0]
    protocols = ["R2R", Protocol("Mix2R mapped", "both", map="global", virtual_ratio=0.5)]
    single = evaluate(WINDOWS, protocols, real_seconds_per_class=3.0, random_state=seed, **given)
    assert curve.frame["macro_f1"].tolist() == pytest.approx([single[name].macro_f1 for name in single])
    ratios = ratio_curve(WINDOWS, [0, 0.5], real_seconds_per_class=3.0, n_draws=1, **given)
    assert ratios.frame["macro_f1"].tolist() == curve.frame["macro_f1"].tolist()
    assert curve.how["features"] == "passthrough"


def test_windows_of_another_data_set_train_too():
    target, source = (WINDOWS[WINDOWS.sample_domain == side] for side in (0, 1))
    source = WindowSet(source.X, source.y, source.metadata.assign(subject="x/1"), CHANNELS, 10.0)
    given = {"classifier": FLAT_TREE, "features": "passthrough"}
    result = transfer({"x": source}, target, protocols=["none", "mapped"], **given)
    fitted = FLAT_TREE.fit(source.X, source.y)
    np.testing.assert_array_equal(result["x", "none"].y_pred, fitted.predict(target.X))
    assert (result["x", "mapped"].y_pred != result["x", "none"].y_pred).any()


def test_another_word_or_a_classifier_of_rows_is_refused():
    with pytest.raises(DataFormatError, match="\"passthrough\" to give the classifier windows, not 'raw'"):
        evaluate(WINDOWS, "R2R", classifier=FLAT_TREE, features="raw")
    with pytest.raises(DataFormatError, match="'raw'"):
        FeatureBank(WINDOWS, "raw")
    with pytest.raises(DataFormatError, match="the default forest takes none"):
        evaluate(WINDOWS, "R2R", features="passthrough")
    with pytest.raises(DataFormatError, match="the default forest takes none"):
        learning_curve(WINDOWS, [3.0], features="passthrough")
    with pytest.raises(FoldError, match=r"'R2R' failed .*dim 3"):
        evaluate(WINDOWS, "R2R", classifier=RandomForestClassifier(2), features="passthrough")
