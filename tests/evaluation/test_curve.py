"""Curve: scores, intervals and verdicts of hand-made predictions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from har_virtual.evaluation import bootstrap_interval, paired_difference
from har_virtual.evaluation.curve import Curve
from har_virtual.exceptions import DataFormatError, UnknownNameError

PEOPLE = ["ann", "bob", "eve", "ian", "joe", "kim", "lea", "max"]
SUBJECTS = np.repeat(PEOPLE, 6)
TRUTH = np.tile([0, 1, 2], 16)


def noisy(share_wrong: float, seed: int) -> np.ndarray:
    """Predictions of which a share is off by one class."""
    wrong = np.random.default_rng(seed).random(len(TRUTH)) < share_wrong
    return (TRUTH + wrong) % 3


def make_curve(*draws: list[np.ndarray], protocols=("R2R", "Mix2R mapped"), seconds=None) -> Curve:
    """A curve with one point for each list of draws."""
    table = {
        "protocol": list(protocols),
        "seconds": seconds or [10.0] * len(draws),
        "ratio": [0.0, 1.0, 1.0][: len(draws)],
    }
    amounts = {
        "n_real": 30.0,
        "n_virtual": [0.0, 30.0, 30.0][: len(draws)],
        "real_rows_used": 30.0,
        "real_labels_used": 30.0,
    }
    classes = np.array(["run", "sit", "walk"])
    return Curve(
        points=pd.DataFrame(table | amounts),
        y_pred=np.array(draws),
        rows=np.arange(len(TRUTH)),
        y_true=classes[TRUTH],
        groups=SUBJECTS,
        classes=classes,
        baseline="R2R",
        over="seconds",
        how={},
    )


def test_the_score_of_a_point_is_that_of_all_its_draws_together():
    draws = [noisy(0.4, seed) for seed in range(3)]
    frame = make_curve(draws, [noisy(0.1, 9)] * 3).frame
    assert frame.loc[0, "macro_f1"] == pytest.approx(
        f1_score(np.tile(TRUTH, 3), np.concatenate(draws), average="macro")
    )
    each = [f1_score(TRUTH, draw, average="macro") for draw in draws]
    assert frame.loc[0, "sd_over_draws"] == pytest.approx(np.std(each, ddof=1))
    assert frame.loc[1, "sd_over_draws"] == pytest.approx(0)


def test_intervals_are_those_of_the_stacked_predictions():
    curve = make_curve([noisy(0.4, 0), noisy(0.4, 1)], [noisy(0.2, 2), noisy(0.2, 3)])
    row = curve.to_frame(n_resamples=300, level=0.9, random_state=5).loc[1]
    own, other = curve.predictions(1), curve.predictions(0)
    options = {"n_resamples": 300, "level": 0.9, "method": "expanded", "random_state": 5}
    interval, paired = bootstrap_interval(own, **options), paired_difference(own, other, **options)
    assert (row["low"], row["high"]) == (interval.low, interval.high)
    assert row["difference"] == pytest.approx(paired.difference)
    assert (row["difference_low"], row["difference_high"]) == (paired.interval.low, paired.interval.high)


def test_draws_are_no_subjects_so_that_repeating_them_narrows_nothing():
    once, often = (make_curve([noisy(0.4, 0)] * n, [noisy(0.2, 1)] * n).frame for n in (1, 8))
    columns = ["macro_f1", "low", "high", "difference", "difference_low", "difference_high"]
    np.testing.assert_allclose(once[columns], often[columns], atol=1e-12)
    assert once["sd_over_draws"].isna().all()


def test_predictions_are_labels_draw_after_draw():
    curve = make_curve([noisy(0.4, 0), noisy(0.4, 1)], [TRUTH, TRUTH])
    y_true, y_pred, groups = curve.predictions(0)
    assert y_true.tolist() == ["run", "sit", "walk"] * 32
    assert y_pred.tolist() == curve.classes[np.concatenate([noisy(0.4, 0), noisy(0.4, 1)])].tolist()
    assert groups.tolist() == SUBJECTS.tolist() * 2


def test_virtual_data_help_harm_or_neither():
    better = make_curve([noisy(0.5, 0)], [TRUTH]).verdict()
    worse = make_curve([TRUTH], [noisy(0.5, 0)]).verdict()
    mixed = np.where(np.isin(SUBJECTS, PEOPLE[:4]), noisy(0.5, 0), TRUTH)
    either = make_curve([mixed], [np.where(np.isin(SUBJECTS, PEOPLE[4:]), noisy(0.5, 1), TRUTH)]).verdict()
    assert [table["verdict"].tolist() for table in (better, worse, either)] == [["helps"], ["harms"], ["undecided"]]
    assert better["protocol"].tolist() == ["Mix2R mapped"]
    assert better.loc[0, "difference_low"] > 0


def test_fewer_than_six_people_decide_nothing():
    groups = np.repeat(PEOPLE[:4], 12)
    better = replace(make_curve([noisy(0.5, 0)], [TRUTH]), groups=groups)
    assert better.verdict().loc[0, "difference_low"] > 0
    assert better.verdict()["verdict"].tolist() == ["undecided"]
    assert better.verdict(level=0.8)["verdict"].tolist() == ["helps"]


def test_a_change_to_the_frame_stays_with_whoever_made_it():
    curve = make_curve([noisy(0.4, 0)], [TRUTH])
    changed = curve.frame
    changed["macro_f1"] = 0.0
    assert curve.frame.loc[1, "macro_f1"] == 1


def test_equal_predictions_are_undecided():
    assert make_curve([noisy(0.5, 0)], [noisy(0.5, 0)]).verdict()["verdict"].tolist() == ["undecided"]


def test_each_point_is_compared_at_its_own_seconds():
    curve = make_curve(
        [noisy(0.6, 0)], [noisy(0.1, 1)], [TRUTH], protocols=("R2R", "R2R", "Mix2R mapped"), seconds=[5.0, 50.0, 50.0]
    )
    frame = curve.frame
    assert frame["difference"].tolist() == pytest.approx([0, 0, frame.loc[2, "macro_f1"] - frame.loc[1, "macro_f1"]])


def test_a_baseline_without_a_point_at_some_seconds_is_an_error():
    curve = make_curve([TRUTH], [TRUTH], seconds=[5.0, 50.0])
    with pytest.raises(DataFormatError, match="The baseline 'R2R' needs one point at each"):
        curve.to_frame()


def test_the_best_point_says_that_it_was_chosen_on_the_test_set():
    curve = make_curve(
        [TRUTH],
        [noisy(0.6, 0)],
        [noisy(0.1, 1)],
        protocols=("R2R", "Mix2R mapped", "Mix2R mapped"),
        seconds=[5.0, 5.0, 5.0],
    )
    best = curve.best("Mix2R mapped")
    assert best.name == "best, chosen on the test set"
    assert best["macro_f1"] == curve.frame.loc[2, "macro_f1"] == curve.frame["macro_f1"][1:].max()
    with pytest.raises(UnknownNameError, match="no protocol 'V2R none', but 'R2R', 'Mix2R mapped'"):
        curve.best("V2R none")


def test_of_equal_points_the_one_with_the_least_data_is_best():
    curve = make_curve([TRUTH], [TRUTH], protocols=("R2R", "R2R"), seconds=[5.0, 50.0])
    assert curve.best("R2R")["seconds"] == 5


def test_one_tested_subject_gives_scores_without_intervals():
    curve = replace(make_curve([noisy(0.5, 0)], [TRUTH]), groups=np.repeat("ann", len(TRUTH)))
    row = curve.frame.loc[1]
    assert row[["low", "high", "difference_low", "difference_high"]].isna().all()
    assert row["difference"] > 0
    assert curve.verdict()["verdict"].tolist() == ["undecided"]


def test_numbers_as_labels_are_labels():
    curve = replace(
        make_curve([noisy(0.3, 0)], [TRUTH]), classes=np.array([2, 5, 9]), y_true=np.array([2, 5, 9])[TRUTH]
    )
    assert curve.frame["macro_f1"].tolist() == make_curve([noisy(0.3, 0)], [TRUTH]).frame["macro_f1"].tolist()


@pytest.mark.parametrize(("over", "name"), [("seconds", "LearningCurveDisplay"), ("ratio", "RatioDisplay")])
def test_the_plot_shows_the_scores(over, name):
    pytest.importorskip("matplotlib")
    curve = replace(make_curve([noisy(0.5, 0)], [noisy(0.2, 1)]), over=over)
    display = curve.plot()
    assert type(display).__name__ == name
    assert display.lines_["Mix2R mapped"].get_ydata()[-1] == curve.frame.loc[1, "macro_f1"]


def test_a_curve_is_shown_in_one_line():
    shown = repr(make_curve([TRUTH, TRUTH], [TRUTH, TRUTH]))
    assert shown == "Curve(2 points over seconds, 2 draws, 48 windows of 8 subjects, baseline='R2R')"
