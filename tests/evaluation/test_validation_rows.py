"""Classifiers whose fit takes validation rows get those of people who neither train nor are tested, whole."""

from __future__ import annotations

import json
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import AdaBoostClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeClassifier

from har_virtual import WindowSet
from har_virtual.adaptation import DomainSelector, SensorAligner, TrainOnly
from har_virtual.evaluation import PROTOCOLS, Protocol, evaluate, learning_curve, transfer
from har_virtual.evaluation._inputs import takes_validation
from har_virtual.exceptions import DataFormatError, FoldError
from har_virtual.features import ECDFFeatures
from har_virtual.model_selection import HoldOut, subject_folds

CHANNELS = tuple(f"left_wrist_acc_{axis}" for axis in "xyz")
CLASSES = ("lie", "sit", "walk")
SUBJECTS = ("set/1", "set/2", "set/3", "set/10")
FOLLOWING = {"set/1": "set/2", "set/2": "set/3", "set/3": "set/10", "set/10": "set/1"}


def make_windows(*, n_each=6, subjects=SUBJECTS) -> WindowSet:
    """As many windows of each person, class and domain; a clip holds half a class; also one person known from video."""
    rng = np.random.default_rng(0)
    rows = [(subject, label, "real") for subject in subjects for label in CLASSES]
    rows += [(subject, label, "virtual") for subject in (*subjects, "video:1f/0") for label in CLASSES]
    posture = {"lie": (9.8, 0, 0), "sit": (0, 9.8, 0), "walk": (0, 0, 9.8)}
    parts, y, metadata = [], [], []
    for number, (subject, label, domain) in enumerate(rows):
        lively = (0.3, 0.6, 2.0)[CLASSES.index(label)] * (1.5 if domain == "virtual" else 1.0)
        parts.append(np.array(posture[label]) + rng.normal(scale=4) + rng.normal(scale=lively, size=(n_each, 10, 3)))
        y += [label] * n_each
        metadata += [
            {"subject": subject, "domain": domain, "recording": 2 * number + 2 * k // n_each, "start_s": 0.5 * k}
            for k in range(n_each)
        ]
    frame = pd.DataFrame(metadata).assign(dataset="set", session="1", stop_s=lambda table: table.start_s + 1)
    return WindowSet(np.concatenate(parts), np.array(y), frame, CHANNELS, 10.0, {"window_step_s": 0.5})


WINDOWS = make_windows()
ASKED = ("groups", "sample_domain", "clips", "X_val", "y_val")


class NearestMean(ClassifierMixin, BaseEstimator):
    """Nearest class mean of windows or rows, which validation rows blur as far as that helps; keeps what it gets."""

    __metadata_request__fit: ClassVar[dict[str, bool]] = dict.fromkeys(ASKED, True)
    seen: ClassVar[list[dict]] = []

    def __init__(self, power=1.0, random_state=None):
        self.power = power
        self.random_state = random_state

    def fit(self, X, y, *, groups=None, sample_domain=None, clips=None, X_val=None, y_val=None):
        given = {"X": X, "y": y, "groups": groups, "sample_domain": sample_domain, "clips": clips}
        self.seen.append({**given, "X_val": X_val, "y_val": y_val})
        self.classes_ = np.unique(y)
        self.means_ = np.stack([X[y == label].mean(axis=0) for label in self.classes_])
        self.shift_ = 0.0
        if X_val is not None:
            shifts = np.linspace(-8, 8, 9)
            hits = [(self._predict(X_val, shift) == y_val).mean() for shift in shifts]
            self.shift_ = shifts[int(np.argmax(hits))]
        return self

    def predict(self, X):
        return self._predict(X, self.shift_)

    def _predict(self, X, shift):
        away = np.abs(X[:, None] - self.means_ - shift) ** self.power
        return self.classes_[away.reshape(*away.shape[:2], -1).sum(axis=2).argmin(axis=1)]


def asking_not_for(*names: str, classifier=None) -> BaseEstimator:
    with config_context(enable_metadata_routing=True):
        return (NearestMean() if classifier is None else classifier).set_fit_request(**dict.fromkeys(names, False))


@pytest.fixture(autouse=True)
def _nothing_seen():
    NearestMean.seen.clear()


def real_rows(*subjects: str) -> np.ndarray:
    return np.flatnonzero(np.isin(WINDOWS.groups, subjects) & (WINDOWS.sample_domain == 0))


def run(protocols="R2R", windows=WINDOWS, classifier=None, **options):
    classifier = NearestMean() if classifier is None else classifier
    return evaluate(windows, protocols, classifier=classifier, **{"features": "passthrough"} | options)


def test_the_real_windows_of_the_next_subject_arrive_whole():
    folds = run("Mix2R none")["Mix2R none"].folds
    assert dict(zip(folds.held_out, folds.validated, strict=True)) == FOLLOWING
    for tested, seen in zip(folds.held_out, NearestMean.seen, strict=True):
        own = real_rows(FOLLOWING[tested])
        np.testing.assert_array_equal(seen["X_val"], WINDOWS.X[own])
        np.testing.assert_array_equal(seen["y_val"], WINDOWS.y[own])
        rows = np.flatnonzero(~np.isin(WINDOWS.groups, [tested, FOLLOWING[tested]]))
        np.testing.assert_array_equal(seen["X"], WINDOWS.X[rows])
        for name in ("groups", "sample_domain", "clips"):
            np.testing.assert_array_equal(seen[name], getattr(WINDOWS, name)[rows])


@pytest.mark.parametrize("inside", [lambda clf: clf, lambda clf: TrainOnly(lambda X, rng: X + 1, clf)])
def test_as_many_validation_rows_as_training_rows_are_not_taken_for_such(inside):
    few = WINDOWS[np.isin(WINDOWS.groups, SUBJECTS[:3])]
    few = few[np.random.default_rng(2).permutation(len(few))]
    run("R2R", few, inside(NearestMean()))
    for tested, seen in zip(SUBJECTS[:3], NearestMean.seen, strict=True):
        validated = SUBJECTS[(SUBJECTS.index(tested) + 1) % 3]
        own = np.flatnonzero((few.groups == validated) & (few.sample_domain == 0))
        assert len(own) == np.count_nonzero((few.groups != validated) & (few.groups != tested) & ~few.sample_domain)
        np.testing.assert_array_equal(seen["X_val"], few.X[own])
        np.testing.assert_array_equal(seen["y_val"], few.y[own])


@pytest.mark.parametrize("name", ["R2R", "V2R aligned", "Mix2R aligned, mapped per class"])
def test_it_is_the_pipeline_fitted_with_validation_rows(name):
    result = run(name)[name]
    parts = subject_folds(WINDOWS.y, WINDOWS.groups, WINDOWS.sample_domain, validate=True)
    with config_context(enable_metadata_routing=True):
        for part in parts:
            pipeline = PROTOCOLS[name].pipeline(NearestMean(), features="passthrough", channels=CHANNELS)
            pipeline.fit(
                WINDOWS.X[part.train],
                WINDOWS.y[part.train],
                sample_domain=WINDOWS.sample_domain[part.train],
                groups=WINDOWS.groups[part.train],
                clips=WINDOWS.clips[part.train],
                X_val=WINDOWS.X[part.validation],
                y_val=WINDOWS.y[part.validation],
            )
            own = np.isin(result.rows, part.test)
            np.testing.assert_array_equal(result.y_pred[own], pipeline.predict(WINDOWS.X[part.test]))


PROTOCOLS_TRIED = [
    *("R2R", "V2R none", "V2R aligned", "V2R mapped", "Mix2R mapped", "Mix2R aligned, mapped per class"),
    Protocol("2:1", "both", align=True, map="global", virtual_ratio=0.5),
]


@pytest.mark.filterwarnings("ignore::har_virtual.exceptions.DataWarning")
@pytest.mark.parametrize("features", ["passthrough", ECDFFeatures(n_components=3)], ids=["windows", "rows"])
@pytest.mark.parametrize("tune", [None, {"power": [1.0, 2.0]}], ids=["fixed", "tuned"])
def test_nothing_of_those_who_validate_or_are_tested_trains(features, tune):
    """All windows and labels of two people, real and virtual, are spoiled: where neither trains nothing changes."""

    def seen_with(*spoiled):
        rows = np.isin(WINDOWS.groups, spoiled)
        X, y = np.array(WINDOWS.X), np.array(WINDOWS.y)
        X[rows], y[rows] = 1e3 * np.random.default_rng(1).normal(size=X[rows].shape), "walk"
        other = WindowSet(X, y, WINDOWS.metadata, CHANNELS, 10.0, WINDOWS.attrs)
        budget = {"real_seconds_per_class": 2.0, "max_block_s": 1.0, "shortage": "keep_all"}
        NearestMean.seen.clear()
        aligner = SensorAligner(n_resamples=2)
        folds = run(PROTOCOLS_TRIED, other, features=features, tune=tune, aligner=aligner, **budget)["R2R"].folds
        trained = ("X", "y", "groups", "sample_domain", "clips")
        own = [tuple(np.asarray(seen[name]).tobytes() for name in trained) for seen in NearestMean.seen]
        validated = [seen["X_val"].tobytes() + seen["y_val"].tobytes() for seen in NearestMean.seen]
        return own, validated, folds.held_out.tolist()

    (sound, of_sound, tested), (spoiled, of_spoiled, _), (_, of_tested, _) = (
        seen_with(*who) for who in ((), ("set/3", "set/10"), ("set/3",))
    )
    a_fold = len(PROTOCOLS_TRIED) * (1 if tune is None else 2)
    folds = [slice(n * a_fold, (n + 1) * a_fold) for n in range(4)]
    # Where set/3 is tested set/10 validates.
    assert tested.index("set/3") == 3 and len(sound) == 4 * a_fold
    assert [sound[fold] == spoiled[fold] for fold in folds] == [False, False, False, True]
    assert of_sound[folds[3]] != of_spoiled[folds[3]]
    assert of_sound[folds[3]] == of_tested[folds[3]], "what is tested does not validate"


def test_with_tune_the_same_windows_choose_and_arrive():
    result = run("R2R", tune={"power": [1.0, 2.0]})["R2R"]
    assert list(result.folds.columns[-4:]) == ["validated", "n_validation", "validation_f1", "params"]
    assert len(NearestMean.seen) == 8
    for number, seen in enumerate(NearestMean.seen):
        own = real_rows(FOLLOWING[result.folds.held_out[number // 2]])
        np.testing.assert_array_equal(seen["X_val"], WINDOWS.X[own])


def test_validation_rows_count_as_real_data_used():
    # Two people of 18 real windows train, one validates.
    result = run(["R2R", "V2R none", "V2R mapped"])
    counts = {name: result[name].folds[["real_rows_used", "real_labels_used"]].iloc[0].tolist() for name in result}
    assert counts == {"R2R": [54, 54], "V2R none": [18, 18], "V2R mapped": [54, 18]}
    assert result["R2R"].folds.n_validation.tolist() == [18] * 4
    assert "params" not in result["R2R"].folds


class Unlabelled(NearestMean):
    """Looks at validation rows without their labels."""

    def fit(self, X, y, *, X_val=None, **params):
        super().fit(X, y)
        self.shift_ = np.sign(X_val.mean() - X.mean())
        return self


def test_labels_that_nobody_asks_for_are_not_used():
    unlabelled = asking_not_for("y_val", classifier=Unlabelled())
    folds = run("V2R none", classifier=unlabelled)["V2R none"].folds
    assert folds[["n_validation", "real_rows_used", "real_labels_used"]].values.tolist() == [[18, 18, 0]] * 4


def test_a_hold_outs_validation_subjects_validate():
    result = run("R2R", hold_out=HoldOut(("set/1", "set/3"), "set/10"))
    [seen] = NearestMean.seen
    np.testing.assert_array_equal(seen["X_val"], WINDOWS.X[real_rows("set/1", "set/3")])
    assert result["R2R"].folds[["validated", "n_validation", "real_rows_used"]].values.tolist() == [
        ["set/1, set/3", 36, 54]
    ]


def test_a_hold_outs_validation_subjects_of_whom_nobody_makes_use_are_not_counted():
    tree = make_pipeline(FunctionTransformer(flatten), DecisionTreeClassifier())
    result = run("R2R", classifier=tree, hold_out=HoldOut("set/1", "set/10"))
    assert result["R2R"].folds.real_rows_used.tolist() == [36] and "validated" not in result["R2R"].folds
    assert result.how["validation"] is None


def test_where_a_hold_out_names_nobody_to_validate_the_classifier_gets_nothing():
    result = run("R2R", hold_out=HoldOut((), "set/10"))
    [seen] = NearestMean.seen
    assert seen["X_val"] is None and seen["y_val"] is None and len(seen["X"]) == 54
    assert "validated" not in result["R2R"].folds and result.how["validation"] is None


def test_a_classifier_that_does_not_ask_gets_none_and_everybody_else_trains():
    result = run("R2R", classifier=asking_not_for("X_val", "y_val"))
    assert all(seen["X_val"] is None and len(seen["X"]) == 54 for seen in NearestMean.seen)
    assert "validated" not in result["R2R"].folds
    assert result["R2R"].folds.real_rows_used.tolist() == [54] * 4


def test_of_two_people_nobody_is_left_to_validate():
    two = make_windows(subjects=SUBJECTS[:2])
    with pytest.raises(DataFormatError, match="one to test on, one to validate on and one to train on"):
        run("R2R", two)


def test_how_it_was_done_says_who_validated_and_for_what():
    plain = run("R2R", classifier=make_pipeline(FunctionTransformer(flatten), DecisionTreeClassifier()))
    assert plain.how["validation"] is None and plain.how["split"] == "leave-one-subject-out"
    own, both = run("R2R"), run("R2R", tune={"power": [1.0]})
    assert own.how["validation"] == "goes to the classifier's fit"
    assert both.how["validation"] == "chooses parameters and goes to the classifier's fit"
    for result in (own, both):
        assert result.how["split"] == "leave-one-subject-out, the next subject in order validates"
        assert json.loads(json.dumps(result.how))["features"] == "passthrough"


def flatten(X):
    return X.reshape(len(X), -1)


def test_features_of_validation_rows_go_to_classifiers_of_rows():
    ecdf = ECDFFeatures(n_components=3)
    run("V2R mapped", features=ecdf)
    np.testing.assert_array_equal(NearestMean.seen[0]["X_val"], ecdf.fit_transform(WINDOWS.X[real_rows("set/2")]))


def test_a_pipeline_changes_validation_rows_like_those_that_train_or_is_refused():
    twice = FunctionTransformer(lambda X: 2 * X)
    for inside in (
        make_pipeline(twice, NearestMean()),
        make_pipeline("passthrough", twice, TrainOnly(lambda X, rng: X, NearestMean())),
    ):
        with pytest.raises(
            DataFormatError, match=r"of the Pipeline takes validation rows .*transform_input=\[\"X_val\"\]"
        ):
            run("R2R", classifier=DomainSelector(inside))
    run("R2R", classifier=DomainSelector(make_pipeline(twice, NearestMean(), transform_input=["X_val"])))
    np.testing.assert_array_equal(NearestMean.seen[0]["X_val"], 2 * WINDOWS.X[real_rows("set/2")])
    NearestMean.seen.clear()
    run("R2R", classifier=make_pipeline("passthrough", NearestMean()))
    np.testing.assert_array_equal(NearestMean.seen[0]["X_val"], WINDOWS.X[real_rows("set/2")])
    run("R2R", classifier=make_pipeline(twice, asking_not_for("X_val", "y_val")))


def test_curves_leave_the_next_subject_out_and_whole():
    learning_curve(WINDOWS, [1.0], "R2R", n_draws=1, classifier=NearestMean(), features="passthrough")
    assert [len(seen["X"]) for seen in NearestMean.seen] == [6] * 4
    assert [len(seen["X_val"]) for seen in NearestMean.seen] == [18] * 4


def test_a_source_trains_once_a_subject_of_the_target_who_validates():
    target = WINDOWS[WINDOWS.sample_domain == 0]
    source = WindowSet(target.X, target.y, target.metadata.assign(subject="x/1"), CHANNELS, 10.0)
    result = transfer(
        {"x": source}, target, protocols="none", classifier=NearestMean(), features="passthrough", target_name="set"
    )
    folds = result["x", "none"].folds
    assert dict(zip(folds.held_out, folds.validated, strict=True)) == FOLLOWING
    assert folds.real_labels_used.tolist() == [18] * 4
    quiet = asking_not_for("X_val", "y_val")
    NearestMean.seen.clear()
    alone = transfer({"x": source}, target, protocols="none", classifier=quiet, features="passthrough")
    assert len(alone["x", "none"].folds) == 1
    # The source's recordings come behind the target's.
    assert NearestMean.seen[0]["clips"].min() == target.clips.max() + 1


def test_a_classifier_that_cannot_say_what_it_requests_is_asked_no_further():
    assert not takes_validation(AdaBoostClassifier())
    with pytest.raises(FoldError, match="NotImplementedError"):
        run("R2R", classifier=AdaBoostClassifier(), features=None)
