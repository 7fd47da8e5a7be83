"""evaluate: the same people train, validate and are tested for all protocols; nothing is learned from a test."""

from __future__ import annotations

import json
import time
import warnings
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from har_virtual import WindowSet
from har_virtual.adaptation import RankDistributionMapper, SensorAligner
from har_virtual.evaluation import (
    DEFAULT_PROTOCOLS,
    PROTOCOLS,
    Protocol,
    describe_amounts,
    evaluate,
    experiment,
    macro_f1,
    paired_difference,
    predict_out_of_fold,
    wilson_interval,
)
from har_virtual.exceptions import DataFormatError, DataWarning, FoldError, UnknownNameError
from har_virtual.features import ECDFFeatures, NormChannels
from har_virtual.model_selection import HoldOut, LeaveOneSubjectOut, SubjectFold, subject_folds

CHANNELS = tuple(f"left_wrist_{quantity}_{axis}" for quantity in ("acc", "gyr") for axis in "xyz")
CLASSES = ("lie", "sit", "walk")
SUBJECTS = ("set/1", "set/2", "set/3", "set/10")
TREE = DecisionTreeClassifier(random_state=0)


def make_windows(*, n_each=8, subjects=SUBJECTS, classes=CLASSES, virtual=True, seed=0) -> WindowSet:
    """Postures and liveliness that differ by class; virtual ones turned, livelier, and of a video, too."""
    rng = np.random.default_rng(seed)
    rows = [(subject, label, "real") for subject in subjects for label in classes]
    if virtual:
        rows += [(subject, label, "virtual") for subject in (*subjects, "video:1f/0") for label in classes]
    posture = {"lie": (9.8, 0, 0), "sit": (0, 9.8, 0), "walk": (0, 0, 9.8)}
    X, y, metadata = [], [], []
    for subject, label, domain in rows:
        turn = np.diag([-1.0, -1.0, 1.0]) if domain == "virtual" else np.eye(3)
        lively = (0.3, 0.6, 2.0)[CLASSES.index(label)] * (1.5 if domain == "virtual" else 1.0)
        acc = np.array(posture[label]) + rng.normal(scale=1.5, size=3) + rng.normal(scale=lively, size=(n_each, 20, 3))
        gyr = rng.normal(scale=lively, size=(n_each, 20, 3))
        X.append(np.concatenate([acc @ turn.T, gyr @ turn.T], axis=2))
        y += [label] * n_each
        metadata += [
            {"subject": subject, "domain": domain, "start_s": 0.5 * k, "stop_s": 0.5 * k + 1} for k in range(n_each)
        ]
    frame = pd.DataFrame(metadata).assign(dataset="set", session="1", recording=0)
    return WindowSet(np.concatenate(X), np.array(y), frame, CHANNELS, 20.0, {"window_step_s": 0.5})


@pytest.fixture(scope="module")
def windows() -> WindowSet:
    return make_windows()


class Spy(ClassifierMixin, BaseEstimator):
    """Keeps the rows it was fitted on, which carry their number as their only feature; predicts by nearness."""

    seen: ClassVar[list[np.ndarray]] = []

    def __init__(self, shift=0.0):
        self.shift = shift

    def fit(self, X, y):
        self.X_, self.y_, self.classes_ = X, y, np.unique(y)
        type(self).seen.append(np.sort(X[:, 0].astype(int)))
        return self

    def predict(self, X):
        return self.y_[np.abs(self.X_[:, 0] - X[:, :1] - self.shift).argmin(axis=1)]


def numbered(windows: WindowSet) -> WindowSet:
    """Windows that hold their own number."""
    X = np.broadcast_to(np.arange(len(windows), dtype=float)[:, None, None], (len(windows), 20, 1))
    return WindowSet(X, windows.y, windows.metadata, ["left_wrist_acc_x"], 20.0, windows.attrs)


def check_by_pipeline(windows, protocol, classifier=TREE, budget=None, random_state=3, **steps):
    """Compare evaluate with the protocol's pipeline in predict_out_of_fold."""
    given = {"classifier": classifier, "random_state": random_state}
    mine = evaluate(windows, protocol, **given, **(budget or {}), **steps)[protocol.name]
    if budget is not None:
        budget = {**budget, "window_step_s": windows.attrs["window_step_s"], "random_state": random_state}
    with config_context(enable_metadata_routing=True):
        pipeline = protocol.pipeline(**given, channels=windows.channels, **steps)
    theirs = predict_out_of_fold(
        pipeline,
        windows.X,
        windows.y,
        cv=LeaveOneSubjectOut(**(budget or {})),
        groups=windows.groups,
        sample_domain=windows.sample_domain,
    )
    np.testing.assert_array_equal(mine.rows, theirs.rows)
    np.testing.assert_array_equal(mine.y_pred, theirs.y_pred)
    pd.testing.assert_frame_equal(mine.folds, theirs.folds)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_protocol_gives_what_its_pipeline_gives(windows, name):
    check_by_pipeline(windows, PROTOCOLS[name])


def test_a_draw_of_virtual_windows_is_that_of_the_pipeline(windows):
    check_by_pipeline(windows, Protocol("2:1", "both", map="global", virtual_ratio=0.5))


def test_a_budget_is_that_of_leave_one_subject_out(windows):
    check_by_pipeline(
        windows, PROTOCOLS["Mix2R mapped"], budget={"real_seconds_per_class": 3.0, "max_block_s": 1.0}, random_state=7
    )


def test_steps_of_ones_own_are_those_of_the_pipeline(windows):
    steps = {
        "aligner": SensorAligner(method="mean"),
        "mapper": RankDistributionMapper(n_quantiles=2),
        "features": ECDFFeatures(n_components=3),
    }
    protocol = PROTOCOLS["V2R aligned, mapped"]
    check_by_pipeline(windows, protocol, **steps)
    how = evaluate(windows, protocol, classifier=TREE, **steps).how
    assert [how[name] for name in steps] == [repr(step) for step in steps.values()]


def test_an_aligner_without_channels_takes_those_of_the_windows(windows):
    own, default = (evaluate(windows, "V2R aligned", classifier=TREE, aligner=a) for a in (SensorAligner(), None))
    np.testing.assert_array_equal(own["V2R aligned"].y_pred, default["V2R aligned"].y_pred)


@pytest.mark.parametrize("name", ["R2R", "Mix2R mapped"])
def test_a_search_over_parameters_within_a_fold_holds_out_its_subjects(windows, name):
    with config_context(enable_metadata_routing=True):
        search = GridSearchCV(TREE, {"max_depth": [1, 3]}, cv=LeaveOneSubjectOut(), error_score="raise")
    check_by_pipeline(windows, PROTOCOLS[name], classifier=search)
    tuned = evaluate(windows, name, classifier=search, tune={"estimator__min_samples_leaf": [1, 5]})
    assert {tuple(params) for params in tuned[name].folds.params} == {("estimator__min_samples_leaf",)}


def test_protocols_evaluated_together_do_not_change_each_other(windows):
    together = evaluate(windows, tuple(PROTOCOLS), classifier=TREE)
    for name in PROTOCOLS:
        np.testing.assert_array_equal(together[name].y_pred, evaluate(windows, name, classifier=TREE)[name].y_pred)


def test_folds_in_threads_give_what_folds_in_turn_give(windows):
    one, two = (
        evaluate(windows, DEFAULT_PROTOCOLS, tune={"n_estimators": [1, 3]}, n_jobs=n_jobs) for n_jobs in (None, 2)
    )
    for name in DEFAULT_PROTOCOLS:
        np.testing.assert_array_equal(one[name].y_pred, two[name].y_pred)
        pd.testing.assert_frame_equal(one[name].folds, two[name].folds)


def test_the_default_classifier_is_a_seeded_forest_of_50_trees(windows):
    forest = RandomForestClassifier(50, random_state=4)
    own, given = evaluate(windows, "R2R", random_state=4), evaluate(windows, "R2R", classifier=forest)
    np.testing.assert_array_equal(own["R2R"].y_pred, given["R2R"].y_pred)
    assert own.how["classifier"] == repr(forest)
    assert own.how["features"] == repr(ECDFFeatures(n_components=15))


def test_nobody_who_validates_or_is_tested_trains(windows):
    plain = numbered(windows)
    Spy.seen.clear()
    result = evaluate(
        plain, ["R2R", "Mix2R none"], classifier=Spy(), features=ECDFFeatures(n_components=1), tune={"shift": [0.0]}
    )
    folds = result["R2R"].folds
    expected = []
    for held_out, validated in zip(folds.held_out, folds.validated, strict=True):
        others = ~np.isin(plain.groups, [held_out, validated])
        expected += [np.flatnonzero(others & (plain.sample_domain == 0)), np.flatnonzero(others)]
    assert len(Spy.seen) == len(expected) == 2 * len(SUBJECTS)
    for seen, wanted in zip(Spy.seen, expected, strict=True):
        np.testing.assert_array_equal(seen, wanted)
    assert dict(zip(folds.held_out, folds.validated, strict=True)) == {
        "set/1": "set/2",
        "set/2": "set/3",
        "set/3": "set/10",
        "set/10": "set/1",
    }


class Witness(DecisionTreeClassifier):
    """A tree that keeps what it was fitted to."""

    seen: ClassVar[list[tuple[np.ndarray, np.ndarray]]] = []

    def fit(self, X, y, check_input=True):
        self.seen.append((np.array(X), np.array(y)))
        return super().fit(X, y, check_input=check_input)


TO_REAL = {"aligner": SensorAligner(n_resamples=2)}
TO_VIRTUAL = {
    "aligner": SensorAligner(n_resamples=2, direction="real_to_virtual"),
    "mapper": RankDistributionMapper(direction="real_to_virtual"),
}
LEARNED = {"features": make_pipeline(ECDFFeatures(n_components=3), StandardScaler())}


@pytest.mark.filterwarnings("ignore::har_virtual.exceptions.DataWarning")
@pytest.mark.parametrize("steps", [TO_REAL, TO_VIRTUAL, TO_REAL | LEARNED], ids=["bank", "real moves", "learned"])
def test_nothing_of_those_who_validate_or_are_tested_reaches_what_trains(windows, steps):
    """All windows of two people, real and virtual, are spoiled, labels too: where they are absent nothing changes."""
    protocols = [
        *("R2R", "V2R aligned", "V2R mapped", "Mix2R mapped", "Mix2R aligned, mapped per class"),
        Protocol("2:1", "both", align=True, map="global", virtual_ratio=0.5),
    ]

    def run(*spoiled):
        rows = np.isin(windows.groups, spoiled)
        X, y = np.array(windows.X), np.array(windows.y)
        X[rows], y[rows] = 1e3 * np.random.default_rng(1).normal(size=X[rows].shape), "walk"
        other = WindowSet(X, y, windows.metadata, windows.channels, 20.0, windows.attrs)
        budget = {"real_seconds_per_class": 3.0, "max_block_s": 1.0, "shortage": "keep_all"}
        Witness.seen.clear()
        evaluation = evaluate(
            other, protocols, classifier=Witness(random_state=0), tune={"max_depth": [1, 6]}, **steps, **budget
        )
        return [(X.tobytes(), y.tolist()) for X, y in Witness.seen], [evaluation[name].folds for name in evaluation]

    (sound, folds), (spoiled, _), (_, folds_after) = run(), run("set/3", "set/10"), run("set/3")
    a_fold = 2 * len(protocols)
    same = [sound[n : n + a_fold] == spoiled[n : n + a_fold] for n in range(0, 4 * a_fold, a_fold)]
    # In order set/1, set/10, set/2, set/3 are tested, and set/2, set/1, set/3, set/10 validate.
    assert len(sound) == 4 * a_fold and same == [False, False, False, True]
    chosen = ["params", "validation_f1", "real_rows_used", "real_labels_used"]
    for before, after in zip(folds, folds_after, strict=True):
        assert before.held_out[3] == "set/3" and before[chosen].iloc[3].equals(after[chosen].iloc[3])


def test_parameters_are_chosen_on_the_validation_subject_and_not_on_the_test(windows):
    """Labels of one subject are exchanged: where it is tested nothing but its score changes."""
    grid = {"max_depth": [1, 2, 6], "min_samples_leaf": [1, 20]}
    y = np.array(windows.y)
    of_one = windows.groups == "set/3"
    y[of_one & (windows.sample_domain == 0)] = np.roll(y[of_one & (windows.sample_domain == 0)], 8)
    wrong = WindowSet(windows.X, y, windows.metadata, windows.channels, 20.0, windows.attrs)
    right, changed = (evaluate(w, "Mix2R mapped", classifier=TREE, tune=grid)["Mix2R mapped"] for w in (windows, wrong))
    tested = right.groups == "set/3"
    np.testing.assert_array_equal(right.y_pred[tested], changed.y_pred[tested])
    row = right.folds.held_out == "set/3"
    assert right.folds.params[row].item() == changed.folds.params[row].item()
    assert right.folds.validation_f1[row].item() == changed.folds.validation_f1[row].item()
    validated = right.folds.validated == "set/3"
    assert right.folds.validation_f1[validated].item() != changed.folds.validation_f1[validated].item()


def test_a_planted_overlap_of_validation_and_test_is_refused(windows, monkeypatch):
    def overlapping(*args, **kwargs):
        folds = subject_folds(*args, **kwargs)
        leak = folds[0]
        part = object.__new__(SubjectFold)
        for name, value in vars(leak).items():
            object.__setattr__(part, name, value)
        object.__setattr__(part, "validation", leak.test[:4])
        return [part, *folds[1:]]

    monkeypatch.setattr(experiment, "subject_folds", overlapping)
    with pytest.raises(DataFormatError, match="set/1 leaks: set/1 validate and are tested"):
        evaluate(windows, "R2R", classifier=TREE, tune={"max_depth": [1]})


def test_a_planted_overlap_of_validation_and_training_is_refused(windows, monkeypatch):
    def overlapping(*args, **kwargs):
        folds = subject_folds(*args, **kwargs)
        part = object.__new__(SubjectFold)
        for name, value in vars(folds[0]).items():
            object.__setattr__(part, name, value)
        object.__setattr__(part, "train", np.union1d(part.train, part.validation[:1]))
        return [part, *folds[1:]]

    monkeypatch.setattr(experiment, "subject_folds", overlapping)
    with pytest.raises(DataFormatError, match="set/2 validate and train"):
        evaluate(windows, "R2R", classifier=TREE, tune={"max_depth": [1]})


def test_the_validation_subjects_windows_count_as_real_data_used(windows):
    result = evaluate(windows, ["R2R", "V2R none", "V2R mapped"], classifier=TREE, tune={"max_depth": [3]})
    # Two subjects of 24 real windows train, one validates.
    assert result["R2R"].folds.real_rows_used.tolist() == [72] * 4
    assert result["V2R none"].folds.real_rows_used.tolist() == [24] * 4
    assert result["V2R none"].folds.real_labels_used.tolist() == [24] * 4
    assert result["V2R mapped"].folds.real_rows_used.tolist() == [72] * 4
    assert result["V2R mapped"].folds.real_labels_used.tolist() == [24] * 4
    assert result["R2R"].folds.n_validation.tolist() == [24] * 4


def test_a_hold_out_tests_once_and_has_no_interval_over_one_subject(windows):
    result = evaluate(
        windows, ["R2R", "V2R mapped"], classifier=TREE, hold_out=HoldOut("set/3", "set/10"), tune={"max_depth": [3]}
    )
    assert np.unique(result["R2R"].groups).tolist() == ["set/10"]
    assert result["R2R"].folds[["held_out", "validated", "n_train_real"]].values.tolist() == [["set/10", "set/3", 48]]
    assert result.how["split"] == "hold-out: HoldOut(validation='set/3', test='set/10')"
    table = result.table()
    assert table[["low", "high", "difference_low"]].isna().all(axis=None)
    assert table.difference["V2R mapped"] == pytest.approx(table.macro_f1["V2R mapped"] - table.macro_f1["R2R"])


def test_all_windows_of_all_who_validate_count(windows):
    hold_out = HoldOut(("set/1", "set/3"), "set/10")
    folds = evaluate(windows, "R2R", classifier=TREE, hold_out=hold_out, tune={"max_depth": [3]})["R2R"].folds
    counts = folds[["n_train_real", "n_validation", "n_test", "real_rows_used", "real_labels_used"]]
    assert counts.values.tolist() == [[24, 48, 24, 72, 72]]
    assert folds.validated.tolist() == ["set/1, set/3"]


def test_a_validation_subject_who_is_tested_too_is_refused(windows):
    with pytest.raises(DataFormatError, match=r"set/3.*both validated and tested"):
        evaluate(windows, "R2R", hold_out=HoldOut("set/3", ("set/3", "set/10")), tune={"n_estimators": [1]})


def test_an_unknown_subject_is_named(windows):
    with pytest.raises(UnknownNameError, match="set/7"):
        evaluate(windows, "R2R", hold_out=HoldOut("set/7", "set/10"), tune={"n_estimators": [1]})


def test_a_budget_is_cut_before_the_map_sees_a_row(windows):
    result = evaluate(windows, ["R2R", "V2R mapped"], classifier=TREE, real_seconds_per_class=2.0)
    assert result["R2R"].folds.n_train_real.tolist() == [12] * 4
    assert result["V2R mapped"].folds.real_rows_used.tolist() == [12] * 4
    assert len(result["R2R"].rows) == 4 * 24


def test_a_budget_needs_to_know_the_step(windows):
    without = WindowSet(windows.X, windows.y, windows.metadata, windows.channels, 20.0)
    with pytest.raises(DataFormatError, match="window_step_s"):
        evaluate(without, "R2R", real_seconds_per_class=2.0)


def test_a_ratio_that_cannot_be_met_names_class_and_fold(windows):
    # 24 real windows of a class train, and 32 virtual ones.
    ratio = Protocol("1:2", "both", map="global", virtual_ratio=2)
    with pytest.raises(
        DataFormatError, match=r"class 'lie' has 32 virtual windows for 24 real ones, 1:1.3, when set/1"
    ):
        evaluate(windows, ratio, classifier=TREE)
    everything = evaluate(windows, ratio, classifier=TREE, shortage="keep_all")["1:2"]
    plain = evaluate(windows, "Mix2R mapped", classifier=TREE)["Mix2R mapped"]
    np.testing.assert_array_equal(everything.y_pred, plain.y_pred)
    evaluate(windows, Protocol("all of them", "both", virtual_ratio=32 / 24), classifier=TREE)


def test_virtual_labels_that_no_real_window_has_are_refused(windows):
    y = np.array(windows.y, dtype="U7")
    y[(windows.sample_domain == 1) & (y == "walk")] = "walking"
    other = WindowSet(windows.X, y, windows.metadata, windows.channels, 20.0)
    with pytest.raises(DataFormatError, match=r"no real one has: walking; the real ones are lie, sit, walk"):
        evaluate(other, "Mix2R none")
    evaluate(other, "R2R", classifier=TREE)


def test_classes_that_virtual_windows_lack_are_missed_with_a_warning(windows):
    some = windows[(windows.sample_domain == 0) | (np.asarray(windows.y) != "walk")]
    with pytest.warns(DataWarning, match="Virtual windows lack walk"):
        result = evaluate(some, ["R2R", "V2R none"], classifier=TREE)
    assert result.per_class()["V2R none"]["walk"] == 0
    assert set(result["V2R none"].folds.untrained_classes) == {"walk"}


def test_a_subject_with_one_class_trains_and_is_tested():
    windows = make_windows()
    one = windows[(windows.groups != "set/2") | (np.asarray(windows.y) == "walk")]
    result = evaluate(one, ["R2R", "V2R mapped"], classifier=TREE, tune={"max_depth": [1, 5]})
    own = result["R2R"].groups == "set/2"
    assert own.sum() == 8
    truth, predicted = result["R2R"].y_true[own], result["R2R"].y_pred[own]
    assert result["R2R"].per_subject()["set/2"] == macro_f1(truth, predicted)


@pytest.mark.filterwarnings("ignore:Class .* has real windows of")
def test_a_class_of_one_person_is_missed_where_that_person_is_tested():
    windows = make_windows()
    rare = windows[(np.asarray(windows.y) != "walk") | (windows.groups == "set/1")]
    result = evaluate(rare, "R2R", classifier=TREE)["R2R"]
    assert result.folds.untrained_classes.tolist() == ["walk", "", "", ""]
    assert not ((result.groups == "set/1") & (result.y_pred == "walk")).any()


def test_without_virtual_windows_only_r2r_can_be_asked_for():
    real = make_windows(virtual=False)
    with pytest.raises(DataFormatError, match="'V2R mapped' trains on virtual windows"):
        evaluate(real, ["R2R", "V2R mapped"])
    assert list(evaluate(real, "R2R", classifier=TREE)) == ["R2R"]


@pytest.mark.parametrize("bad", [None, "windows", np.zeros((3, 4, 5))])
def test_anything_but_labelled_windows_is_refused(bad):
    with pytest.raises(DataFormatError, match="WindowSet with windows and labels"):
        evaluate(bad, "R2R")


def test_windows_of_videos_alone_cannot_be_evaluated(windows):
    with pytest.raises(DataFormatError, match="All windows are virtual"):
        evaluate(windows[windows.sample_domain == 1], "V2R none")


def test_a_failure_names_protocol_and_fold(windows):
    with pytest.raises(FoldError, match=r"'R2R' failed in the fold that holds out set/1 \(72 real and 96 virtual"):
        evaluate(windows, "R2R", classifier=DecisionTreeClassifier(max_depth=-1))


class Failing(Spy):
    """Its first fit fails, once so many have begun; those that go on take a while."""

    begun: ClassVar[list[int]] = []
    ended: ClassVar[list[int]] = []

    def __init__(self, shift=0.0, n_begun=1):
        super().__init__(shift)
        self.n_begun = n_begun

    def fit(self, X, y):
        self.begun.append(id(X))
        if self.begun[0] == id(X):
            until = time.monotonic() + 10
            while len(self.begun) < self.n_begun and time.monotonic() < until:
                time.sleep(0.01)
            raise ValueError("no")
        time.sleep(0.3)
        self.ended.append(id(X))
        return super().fit(X, y)


@pytest.mark.parametrize(("n_jobs", "n_begun"), [(None, 1), (2, 2)])
def test_after_a_failure_no_fold_begins_and_none_is_left_running(windows, n_jobs, n_begun):
    Failing.begun.clear()
    Failing.ended.clear()
    with pytest.raises(FoldError, match="ValueError: no"):
        evaluate(windows, "R2R", classifier=Failing(n_begun=n_begun), n_jobs=n_jobs)
    assert (len(Failing.begun), len(Failing.ended)) == (n_begun, n_begun - 1)


def test_predictions_of_another_number_name_the_fold(windows):
    class Short(Spy):
        def predict(self, X):
            return super().predict(X)[1:]

    with pytest.raises(FoldError, match=r"'R2R' failed .*set/1 .*The prediction must be one-dimensional with 24 val"):
        evaluate(windows, "R2R", classifier=Short())


def test_what_every_fold_warns_of_is_said_once(windows):
    few = windows[(windows.sample_domain == 1) | (np.asarray(windows.y) != "lie") | (np.arange(len(windows)) % 8 == 0)]
    with pytest.warns(DataWarning) as caught:
        evaluate(few, "V2R aligned, mapped per class", classifier=TREE)
    texts = [str(entry.message) for entry in caught if "min_class_rows" in str(entry.message)]
    assert len(texts) == 1 and texts[0].endswith("(in 4 fits)")


def test_no_warning_comes_without_a_reason(windows):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        evaluate(windows, DEFAULT_PROTOCOLS, classifier=TREE)


@pytest.mark.parametrize("level", [0.95, 0.5])
def test_the_table_has_the_figures_of_the_single_functions(windows, level):
    result = evaluate(windows, ["R2R", "V2R mapped"], classifier=TREE)
    table = result.table(level=level)
    assert level != 0.95 or table.equals(result.table())
    assert table.index.tolist() == ["R2R", "V2R mapped"]
    for name in result:
        row = table.loc[name]
        wilson = wilson_interval(result[name].macro_f1, len(result[name].rows), level=level)
        assert (row.wilson_low, row.wilson_high) == (wilson.low, wilson.high)
        summary = result[name].summary(level=level, method="expanded")
        assert {key: row[key] for key in summary} == summary
    paired = paired_difference(result["V2R mapped"], result["R2R"], level=level, method="expanded")
    row = table.loc["V2R mapped"]
    assert (row.difference, row.difference_low, row.difference_high) == (
        paired.difference,
        paired.interval.low,
        paired.interval.high,
    )
    assert table.difference["R2R"] == 0
    assert "difference" not in result.table(baseline=None)
    assert "difference" not in evaluate(windows, "V2R none", classifier=TREE).table()
    with pytest.raises(UnknownNameError, match="'Mix2R mapped' was not evaluated"):
        result.table(baseline="Mix2R mapped")


def test_the_amounts_are_those_of_the_windows(windows):
    pd.testing.assert_frame_equal(evaluate(windows, "R2R", classifier=TREE).amounts, describe_amounts(windows))


def test_f1_of_the_classes_averages_to_the_score(windows):
    result = evaluate(windows, ["R2R", "V2R none"], classifier=TREE)
    for name, scores in result.per_class().items():
        assert scores.mean() == pytest.approx(result[name].macro_f1)
    assert result.per_class().index.tolist() == list(CLASSES)


def test_how_it_was_done_can_be_written_as_json(windows):
    result = evaluate(
        windows,
        ["R2R"],
        classifier=TREE,
        tune={"max_depth": np.array([1, 2])},
        real_seconds_per_class=np.int64(2),
        random_state=np.int64(9),
    )
    how = json.loads(json.dumps(result.how))
    assert how["split"] == "leave-one-subject-out, the next subject in order validates"
    assert how["tuned"] == {"max_depth": [1, 2]}
    assert (how["random_state"], how["real_seconds_per_class"], how["window_length_s"]) == (9, 2.0, 1.0)


def test_a_protocol_that_was_not_evaluated_is_named(windows):
    with pytest.raises(UnknownNameError, match="'V2R none' was not evaluated, but 'R2R'"):
        evaluate(windows, "R2R", classifier=TREE)["V2R none"]


def test_all_predictions_stand_in_one_table(windows):
    result = evaluate(windows, ["R2R", "V2R none"], classifier=TREE)
    table = result.to_frame()
    assert list(table.columns) == ["protocol", "row", "subject", "fold", "y_true", "y_pred"]
    for name, own in table.groupby("protocol"):
        np.testing.assert_array_equal(own["y_pred"], result[name].y_pred)
    assert list(dict(result)) == ["R2R", "V2R none"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"classifier": RandomForestClassifier}, "classifier must be an estimator"),
        ({"classifier": "forest"}, "classifier must be an estimator"),
        ({"mapper": DecisionTreeClassifier()}, "mapper must be an estimator"),
        ({"features": 15}, "features must be an estimator"),
        ({"tune": {}}, "grid must map parameters"),
        ({"tune": {"max_dept": [1]}}, "has no parameter"),
    ],
)
def test_what_no_fold_could_use_is_refused_before_the_first(windows, options, message):
    with pytest.raises((DataFormatError, UnknownNameError), match=message):
        evaluate(windows, "R2R", **{"classifier": TREE, **options})


def test_features_that_are_no_rows_are_refused(windows):
    with pytest.raises(FoldError, match="Features must be one row a window, and NormChannels"):
        evaluate(windows, "R2R", classifier=TREE, features=NormChannels(channels=windows.channels))


def test_a_class_of_one_person_is_said_with_the_name_that_was_meant(windows):
    y = np.array(windows.y)
    y[(windows.groups == "set/1") & (windows.sample_domain == 0) & (y == "walk")] = "Walk"
    misspelt = WindowSet(windows.X, y, windows.metadata, windows.channels, 20.0)
    with pytest.warns(
        DataWarning, match=r"Class 'Walk' has real windows of set/1 only.*as in the other windows, 'walk'"
    ):
        evaluate(misspelt, "R2R", classifier=TREE)


def test_what_scikit_learns_threads_say_of_themselves_is_not_passed_on():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.warn("`sklearn.utils.parallel.delayed` should be used with `Parallel`", UserWarning, stacklevel=1)
        warnings.warn("a doubt", DataWarning, stacklevel=1)
    with pytest.warns(DataWarning, match="^a doubt$") as told:
        experiment._reissue(caught)
    assert len(told) == 1
