"""Learning and ratio curves: what each fit sees, that draws are `evaluate`'s, and where virtual data help and harm."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeClassifier

from har_virtual import WindowSet
from har_virtual.adaptation import RankDistributionMapper, SensorAligner
from har_virtual.evaluation import PROTOCOLS, Protocol, evaluate
from har_virtual.evaluation.curves import learning_curve, ratio_curve
from har_virtual.exceptions import DataFormatError, DataWarning, UnknownNameError
from har_virtual.features import ECDFFeatures
from har_virtual.model_selection import HoldOut

TREE = DecisionTreeClassifier(random_state=0)
SCALES = {"sit": 0.5, "stand": 1.0, "walk": 1.6}


def make_windows(
    *, n_people=4, n_each=20, n_virtual=20, virtual_labels=("sit", "stand", "walk"), virtual_like=None
) -> WindowSet:
    """People with a sensor and four on video; classes differ in scale, 0.8 of it on video.

    `virtual_like` has the class whose scale virtual windows of a class have instead of their own.
    """
    rows = [("real", f"toy/{person}", label) for person in range(n_people) for label in SCALES for _ in range(n_each)]
    rows += [("virtual", f"video:{i}/0", label) for i in range(4) for label in virtual_labels for _ in range(n_virtual)]
    table = pd.DataFrame(rows, columns=["domain", "subject", "label"])
    looks = [(virtual_like or {}).get(label, label) if domain == "virtual" else label for domain, _, label in rows]
    scale = np.array([SCALES[look] for look in looks]) * np.where(table["domain"] == "virtual", 0.8, 1.0)
    X = np.random.default_rng(0).normal(scale=scale[:, None, None], size=(len(rows), 16, 3))
    metadata = table[["domain", "subject"]].assign(dataset="toy", session="1", recording=0, start_s=0.0, stop_s=1.0)
    channels = [f"left_wrist_acc_{axis}" for axis in "xyz"]
    return WindowSet(X, table["label"].to_numpy(), metadata, channels, 16.0, {"window_step_s": 0.5})


def numbered(windows: WindowSet) -> WindowSet:
    """The same windows, whose first sample is their position."""
    X = windows.X.copy()
    X[:, 0, 0] = np.arange(len(X))
    return WindowSet(X, windows.y, windows.metadata, windows.channels, windows.sampling_rate_hz, windows.attrs)


def first_sample(X: np.ndarray) -> np.ndarray:
    return X[:, 0, :1]


class Witness(KNeighborsClassifier):
    """Remembers which windows each fit was given."""

    seen: ClassVar[list[list[int]]] = []

    def fit(self, X, y):
        self.seen.append(sorted(X[:, 0].astype(int).tolist()))
        return super().fit(X, y)


class Grumbler(KNeighborsClassifier):
    """Warns in each fit."""

    def fit(self, X, y):
        warnings.warn("I am old", UserWarning, stacklevel=2)
        return super().fit(X, y)


class Unused(KNeighborsClassifier):
    def fit(self, X, y):
        raise AssertionError("Nothing may be fitted.")


@pytest.fixture
def seen():
    """The training rows of each fit of a Witness, in order."""
    Witness.seen.clear()
    yield Witness.seen
    Witness.seen.clear()


def test_every_draw_is_what_evaluate_gives_with_its_seed_and_budget():
    windows = make_windows()
    curve = learning_curve(windows, [2.0, 5.0], ("R2R", "Mix2R mapped"), n_draws=2, classifier=TREE)
    matched = Protocol("Mix2R mapped", "both", map="global", virtual_ratio=1)
    for seconds in (2.0, 5.0):
        for draw, seed in enumerate(curve.how["random_state"]):
            options = {"real_seconds_per_class": seconds, "random_state": seed, "classifier": TREE}
            evaluation = evaluate(windows, ["R2R", matched], **options)
            for name, result in evaluation.results.items():
                [point] = np.flatnonzero((curve.points["protocol"] == name) & (curve.points["seconds"] == seconds))
                assert curve.classes[curve.y_pred[point, draw]].tolist() == result.y_pred.tolist()
    assert curve.rows.tolist() == np.flatnonzero(windows.sample_domain == 0).tolist()
    assert (curve.y_true == windows.y[curve.rows]).all()
    assert (curve.groups == windows.groups[curve.rows]).all()


def test_the_budget_is_cut_before_every_fit(seen):
    windows = numbered(make_windows())
    protocols, features = ("R2R", "Mix2R none"), FunctionTransformer(first_sample)
    learning_curve(windows, [2.0, 5.0], protocols, n_draws=2, classifier=Witness(), features=features)
    fits = [(set(rows) & set(range(240)), set(rows) - set(range(240))) for rows in seen]
    assert len(fits) == 2 * 2 * 4 * 2
    for real, virtual in fits:
        assert set(pd.Series(windows.y[sorted(real)]).value_counts()) in ({4}, {10})
        assert not virtual or len(virtual) == len(real)
        assert len(set(windows.groups[sorted(real)])) <= 3
    # Fits come budget by budget from the largest, draw by draw, fold by fold, R2R before Mix2R.
    real = np.array([sorted(of_fit) for of_fit, _ in fits], dtype=object).reshape(2, 2, 4, 2)
    for draw in range(2):
        for fold in range(4):
            assert real[0, draw, fold, 0] == real[0, draw, fold, 1]
            assert set(real[1, draw, fold, 0]) < set(real[0, draw, fold, 0])
    assert real[0, 0, 0, 0] != real[0, 1, 0, 0]


def test_a_map_has_seen_no_more_real_windows_than_the_budget():
    curve = learning_curve(
        make_windows(), [2.0, 5.0], ("R2R", "V2R mapped", "Mix2R mapped"), n_draws=1, classifier=TREE
    )
    frame = curve.frame
    assert frame["protocol"].tolist() == ["R2R"] * 2 + ["V2R mapped"] * 2 + ["Mix2R mapped"] * 2
    assert frame["seconds"].tolist() == [2, 5] * 3
    np.testing.assert_array_equal(frame["ratio"], [0, 0, np.nan, np.nan, 1, 1])
    assert frame["n_real"].tolist() == [12, 30, 0, 0, 12, 30]
    assert frame["n_virtual"].tolist() == [0, 0, 240, 240, 12, 30]
    assert frame["real_rows_used"].tolist() == [12, 30] * 3
    assert frame["real_labels_used"].tolist() == [12, 30, 0, 0, 12, 30]


def test_ratios_add_virtual_windows_to_the_same_real_ones(seen):
    windows = numbered(make_windows())
    options = {"classifier": Witness(), "features": FunctionTransformer(first_sample)}
    curve = ratio_curve(windows, (2, 0, 1), "Mix2R none", real_seconds_per_class=4.0, n_draws=1, **options)
    for alone, single, double in zip(seen[::3], seen[1::3], seen[2::3], strict=True):
        assert set(alone) < set(single) < set(double)
        assert [len(alone), len(single), len(double)] == [24, 48, 72]
        assert [row for row in double if row < 240] == alone
    assert curve.points["protocol"].tolist() == ["R2R", "Mix2R none", "Mix2R none"]
    assert curve.points["ratio"].tolist() == [0, 1, 2]
    assert curve.points["n_virtual"].tolist() == [0, 24, 48]
    assert curve.over == "ratio"


def test_a_ratio_is_what_evaluate_gives():
    windows = make_windows()
    curve = ratio_curve(windows, [0.5], real_seconds_per_class=4.0, n_draws=2, classifier=TREE)
    assert curve.points["ratio"].tolist() == [0, 0.5]
    half = Protocol("half", "both", map="global", virtual_ratio=0.5)
    for draw, seed in enumerate(curve.how["random_state"]):
        result = evaluate(windows, half, real_seconds_per_class=4.0, random_state=seed, classifier=TREE)["half"]
        assert curve.classes[curve.y_pred[1, draw]].tolist() == result.y_pred.tolist()


@pytest.mark.parametrize("over", ["seconds", "ratio"])
@pytest.mark.parametrize("changed", ["aligner", "mapper", "features", "hold_out", "max_block_s", "tune", "shortage"])
def test_every_option_reaches_evaluate(over, changed):
    options = {
        "aligner": SensorAligner(method="mean"),
        "mapper": RankDistributionMapper(n_quantiles=3),
        "features": ECDFFeatures(n_components=3),
        "hold_out": HoldOut((), ("toy/0", "toy/2")),
        "max_block_s": 0.5,
        "tune": {"max_depth": (1, 3)},
        "shortage": "keep_all",
    }
    own, windows = {changed: options[changed], "classifier": TREE}, make_windows()
    seconds = 1e6 if changed == "shortage" else 4.0
    protocol = Protocol("Mix2R", "both", map="global")
    if over == "seconds":
        curve = learning_curve(windows, seconds, ("R2R", protocol), n_draws=1, **own)
    else:
        curve = ratio_curve(windows, 1, protocol, real_seconds_per_class=seconds, n_draws=1, **own)
    matched, seed = replace(protocol, virtual_ratio=1), curve.how["random_state"][0]
    evaluation = evaluate(windows, matched, real_seconds_per_class=seconds, random_state=seed, **own)
    result, same = evaluation["Mix2R"], ["aligner", "mapper", "features", "split", "tuned", "max_block_s", "shortage"]
    assert [curve.how[name] for name in same] == [evaluation.how[name] for name in same]
    assert curve.classes[curve.y_pred[1, 0]].tolist() == result.y_pred.tolist()
    assert curve.rows.tolist() == result.rows.tolist()


def test_threads_change_nothing():
    options = {"seconds": [2.0, 5.0], "n_draws": 2, "classifier": RandomForestClassifier(3, random_state=0)}
    one, two = (learning_curve(make_windows(), n_jobs=n_jobs, **options) for n_jobs in (1, 2))
    assert (one.y_pred == two.y_pred).all()
    pd.testing.assert_frame_equal(one.frame, two.frame)
    assert one.how == two.how


def test_fewer_draws_are_the_first_of_more_and_another_seed_gives_others():
    windows = make_windows()
    two, three, other = (
        learning_curve(windows, 2.0, n_draws=n, classifier=TREE, random_state=seed)
        for n, seed in ((2, 0), (3, 0), (3, 1))
    )
    assert (two.y_pred == three.y_pred[:, :2]).all()
    assert (three.y_pred != other.y_pred).any()
    assert (three.y_pred[:, 0] != three.y_pred[:, 1]).any()


def test_the_default_forest_has_another_seed_in_each_draw():
    curve = learning_curve(make_windows(), 10.0, "R2R", n_draws=2, hold_out=HoldOut((), "toy/0"), max_block_s=0.5)
    assert curve.how["classifier"] == "RandomForestClassifier(n_estimators=50), seeded with the draw's random_state"
    everything = evaluate(
        make_windows(),
        "R2R",
        real_seconds_per_class=10.0,
        max_block_s=0.5,
        hold_out=HoldOut((), "toy/0"),
        random_state=curve.how["random_state"][1],
    )["R2R"]
    assert curve.classes[curve.y_pred[0, 1]].tolist() == everything.y_pred.tolist()


def test_good_virtual_windows_help_where_real_ones_are_few():
    curve = learning_curve(
        make_windows(n_people=6), [0.5, 15.0], virtual_ratio=20, shortage="keep_all", n_draws=4, classifier=TREE
    )
    verdict = curve.verdict()
    assert verdict["verdict"].iloc[0] == "helps"
    assert verdict["difference"].iloc[0] > verdict["difference"].iloc[1]


def test_virtual_windows_with_wrong_labels_harm():
    wrong = make_windows(n_people=6, virtual_like={"sit": "walk", "walk": "sit"})
    curve = ratio_curve(wrong, (1, 4), real_seconds_per_class=5.0, n_draws=3, classifier=TREE)
    assert curve.verdict()["verdict"].tolist() == ["harms", "harms"]


def test_parameters_are_tuned_on_the_next_person():
    curve = learning_curve(make_windows(), 5.0, "R2R", n_draws=1, classifier=TREE, tune={"min_samples_leaf": (1, 20)})
    assert curve.how["tuned"] == {"min_samples_leaf": [1, 20]}
    # The validation person's 60 windows count, though they do not train.
    assert curve.points[["n_real", "real_rows_used"]].iloc[0].tolist() == [30, 90]


def test_who_validates_is_not_counted_as_training():
    options = {"tune": {"min_samples_leaf": (1,)}, "shortage": "keep_all", "n_draws": 1, "classifier": TREE}
    points = learning_curve(make_windows(), 1e6, "R2R", **options).points
    assert points[["n_real", "real_rows_used"]].iloc[0].tolist() == [120, 180]


def test_one_person_tested_gives_scores_without_intervals():
    curve = learning_curve(make_windows(), 5.0, n_draws=2, classifier=TREE, hold_out=HoldOut("toy/1", "toy/0"))
    assert set(curve.groups) == {"toy/0"}
    assert curve.frame[["low", "difference_low"]].isna().all(axis=None)
    assert curve.verdict()["verdict"].tolist() == ["undecided"]


def test_a_protocol_keeps_its_own_ratio_and_none_takes_all():
    protocols = ("R2R", Protocol("mine", "both", virtual_ratio=2), "Mix2R none")
    points = learning_curve(make_windows(), 5.0, protocols, virtual_ratio=None, n_draws=1, classifier=TREE).points
    np.testing.assert_array_equal(points["ratio"], [0, 2, np.nan])
    assert points["n_virtual"].tolist() == [0, 60, 240]


def test_seconds_are_sorted_and_counted_once():
    points = learning_curve(make_windows(), (5, 2, 5.0), "R2R", n_draws=1, classifier=TREE).points
    assert points["seconds"].tolist() == [2, 5]


def test_too_little_data_is_found_before_anything_is_fitted():
    windows = make_windows()
    with pytest.raises(DataFormatError, match=r"Class 'sit' has 30 s of real data .*real_seconds_per_class=40"):
        learning_curve(windows, [2.0, 40.0], classifier=Unused())
    with pytest.raises(DataFormatError, match=r"'Mix2R mapped 1:30' wants 30 virtual windows .*'sit' has 80"):
        ratio_curve(windows, (1, 30), real_seconds_per_class=5.0, classifier=Unused())


def test_what_there_is_may_be_kept_instead():
    windows = make_windows()
    options = {"shortage": "keep_all", "n_draws": 1, "classifier": TREE}
    assert learning_curve(windows, 1e6, "R2R", **options).points["n_real"].tolist() == [180]
    assert ratio_curve(windows, (30,), real_seconds_per_class=5.0, **options).points["n_virtual"].tolist() == [0, 240]


def test_warnings_come_once_for_the_whole_curve():
    windows = make_windows(virtual_labels=("sit", "walk"))
    # A class without virtual windows, and one whose real windows are too few for a map of its own.
    per_class = Protocol("Mix2R mapped per class", "both", map="per_class")
    with pytest.warns(DataWarning) as caught:
        curve = learning_curve(windows, [1.0, 1.5], ("R2R", per_class), n_draws=2, classifier=TREE, shortage="keep_all")
    texts = [str(entry.message) for entry in caught]
    assert len(texts) == 2
    assert texts[0].startswith("Virtual windows lack stand")
    assert texts[1].startswith("4 of the curve's 4 evaluations warned (all texts: how['warnings']), first: ")
    assert all(text in texts[1] for text in curve.how["warnings"][:1])
    assert {entry.filename for entry in caught} == {__file__}


def test_each_kind_of_warning_is_counted_for_itself():
    per_class = Protocol("Mix2R mapped per class", "both", map="per_class")
    with pytest.warns(Warning) as caught:  # noqa: PT030 - of two kinds
        learning_curve(make_windows(), [1.0, 5.0], ("R2R", per_class), n_draws=1, classifier=Grumbler())
    told = {entry.category: str(entry.message) for entry in caught}
    assert len(caught) == len(told) == 2
    assert told[UserWarning].startswith("2 of the curve's 2 evaluations")
    assert "I am old" in told[UserWarning]
    assert told[DataWarning].startswith("1 of the curve's 2 evaluations")
    assert "min_class_rows" in told[DataWarning]


def test_ratios_need_virtual_windows():
    windows = make_windows()
    with pytest.raises(DataFormatError, match="all windows are real"):
        ratio_curve(windows[windows.sample_domain == 0], classifier=Unused())


def test_a_curve_without_its_baseline_is_refused():
    with pytest.raises(UnknownNameError, match="baseline 'R2R' is not among the protocols"):
        learning_curve(make_windows(), 2.0, "V2R mapped")
    curve = learning_curve(
        make_windows(), 2.0, ("V2R none", "V2R mapped"), baseline="V2R none", n_draws=1, classifier=TREE
    )
    assert curve.verdict()["protocol"].tolist() == ["V2R mapped"]


@pytest.mark.parametrize("protocol", ["R2R", "V2R mapped", Protocol("mine", "both", virtual_ratio=2), list(PROTOCOLS)])
def test_ratios_need_a_protocol_that_leaves_them_open(protocol):
    with pytest.raises(DataFormatError, match="needs a protocol that trains on both and leaves the ratio open"):
        ratio_curve(make_windows(), protocol=protocol)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seconds": []}, "seconds must be finite numbers above 0, at least one"),
        ({"seconds": [0, 2]}, "seconds must be finite numbers above 0"),
        ({"seconds": [np.inf]}, "seconds must be finite"),
        ({"seconds": [np.nan]}, "seconds must be finite"),
        ({"seconds": ["2"]}, "seconds must be finite"),
        ({"seconds": None}, "seconds must be finite"),
        ({"n_draws": 0}, "n_draws must be a whole number from 1"),
        ({"n_draws": 1.5}, "n_draws must be a whole number from 1"),
        ({"virtual_ratio": 0}, "virtual_ratio must be a finite number above 0"),
    ],
)
def test_parameters_out_of_range_are_refused(options, message):
    with pytest.raises(DataFormatError, match=message):
        learning_curve(make_windows(), **{"seconds": 2.0, "n_draws": 1, "classifier": Unused()} | options)


@pytest.mark.parametrize(("ratios", "message"), [([-1], "ratios must be finite numbers from 0"), ([], "at least one")])
def test_ratios_out_of_range_are_refused(ratios, message):
    with pytest.raises(DataFormatError, match=message):
        ratio_curve(make_windows(), ratios, n_draws=1, classifier=Unused())


def test_windows_that_do_not_say_their_step_have_no_budget():
    windows = make_windows()
    unknown = WindowSet(windows.X, windows.y, windows.metadata, windows.channels, windows.sampling_rate_hz)
    with pytest.raises(DataFormatError, match=r'needs windows.attrs\["window_step_s"\]'):
        learning_curve(unknown, 2.0, classifier=Unused())


def test_progress_is_silent_at_verbose_zero(capfd):
    learning_curve(make_windows(), 2.0, PROTOCOLS["R2R"], n_draws=1, classifier=TREE)
    assert capfd.readouterr() == ("", "")
