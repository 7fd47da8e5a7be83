"""Learning curves and ratios: lines and bands are compared with the table, not with pixels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from display_tables import (
    band_limits,
    curve_frame,
    legend_of,
    ratio_frame,
)
from matplotlib.figure import Figure

from har_virtual.evaluation.curve import Curve
from har_virtual.evaluation.displays import (
    LearningCurveDisplay,
    RatioDisplay,
)
from har_virtual.exceptions import DataFormatError, UnknownNameError


def test_a_learning_curve_has_a_line_and_a_band_for_each_protocol():
    display = LearningCurveDisplay(curve_frame()).plot()
    assert list(display.lines_) == ["R2R", "Mix2R mapped"]
    assert display.lines_["Mix2R mapped"].get_xdata().tolist() == [10, 60, 300]
    assert display.lines_["Mix2R mapped"].get_ydata().tolist() == [0.35, 0.51, 0.70]
    limits = band_limits(display.bands_["R2R"])
    assert limits == {10: (0.31, 0.48), 60: (0.44, 0.57), 300: (0.55, 0.66)}
    assert display.ax_.get_xlabel() == "real training data per class, s"
    assert legend_of(display.ax_) == ["R2R", "Mix2R mapped"]


def test_seconds_are_logarithmic_where_they_span_a_factor_of_ten_and_name_their_values():
    display = LearningCurveDisplay(curve_frame()).plot()
    assert display.ax_.get_xscale() == "log"
    assert [text.get_text() for text in display.ax_.get_xticklabels()] == ["10", "60", "300"]
    ten = curve_frame().replace({"seconds": {300: 100}})
    assert LearningCurveDisplay(ten).plot().ax_.get_xscale() == "log"
    near = curve_frame().query("seconds > 10")
    assert LearningCurveDisplay(near).plot().ax_.get_xscale() == "linear"


def test_names_of_seconds_that_would_run_into_each_other_are_left_out():
    seconds = [10, 30, 290, 300]
    frame = pd.DataFrame({"protocol": "R2R", "seconds": seconds, "macro_f1": 0.5, "low": 0.4, "high": 0.6})
    labels = [text.get_text() for text in LearningCurveDisplay(frame).plot().ax_.get_xticklabels()]
    assert labels == ["10", "30", "", "300"]


def test_differences_leave_out_the_baseline_and_open_the_markers_of_undecided_points():
    display = LearningCurveDisplay(curve_frame()).plot(show="difference")
    assert list(display.lines_) == ["Mix2R mapped"]
    assert display.lines_["Mix2R mapped"].get_ydata().tolist() == [-0.05, 0.01, 0.10]
    assert band_limits(display.bands_["Mix2R mapped"])[60] == (-0.02, 0.04)
    (opened,) = [line for line in display.ax_.lines if line.get_linestyle() == "None" and len(line.get_xdata())]
    assert opened.get_xdata().tolist() == [60]
    assert opened.get_markerfacecolor() == "white"
    assert display.ax_.get_ylabel() == "macro-F1 above R2R"


def test_differences_may_be_to_another_baseline():
    display = LearningCurveDisplay(curve_frame(), baseline="Mix2R mapped").plot(show="difference")
    assert list(display.lines_) == ["R2R"]
    assert display.ax_.get_ylabel() == "macro-F1 above Mix2R mapped"


def test_differences_without_any_protocol_but_the_baseline_are_refused():
    with pytest.raises(DataFormatError, match="without the baseline 'R2R' and unknown differences, has no rows"):
        LearningCurveDisplay(curve_frame().query("protocol == 'R2R'")).plot(show="difference")
    unknown = curve_frame().assign(difference=np.nan)
    with pytest.raises(DataFormatError, match="unknown differences, has no rows"):
        LearningCurveDisplay(unknown).plot(show="difference")
    with pytest.raises(DataFormatError, match="lacks the columns"):
        LearningCurveDisplay(curve_frame().drop(columns="difference_low")).plot(show="difference")


def test_seconds_may_be_text():
    text = curve_frame().assign(seconds=["300", "10", "60"] * 2)
    assert LearningCurveDisplay(text).plot().lines_["R2R"].get_xdata().tolist() == [10, 60, 300]


def test_an_unknown_interval_is_no_band():
    frame = curve_frame().assign(low=np.nan, high=np.nan)
    display = LearningCurveDisplay(frame).plot()
    assert display.bands_ == {}
    assert len(display.lines_) == 2


def test_published_values_are_dashed_beside_the_scores_in_the_colour_of_their_protocol():
    published = pd.DataFrame({"protocol": ["R2R", "R2R"], "seconds": [1000, 300], "macro_f1": [0.5779, 0.5706]})
    display = LearningCurveDisplay(curve_frame(), published=published).plot()
    line = display.published_lines_["R2R"]
    assert line.get_xdata().tolist() == [300, 1000]
    assert line.get_ydata().tolist() == [0.5706, 0.5779]
    assert line.get_linestyle() == "--"
    assert line.get_color() == display.lines_["R2R"].get_color()
    assert "R2R, published" in legend_of(display.ax_)
    assert display.plot(show="difference").published_lines_ == {}


@pytest.mark.parametrize("display", [LearningCurveDisplay(curve_frame()), RatioDisplay(ratio_frame())])
def test_only_scores_and_differences_can_be_shown(display):
    with pytest.raises(UnknownNameError, match="show must be one of 'score', 'difference', not 'both'"):
        display.plot(show="both")


def test_two_rows_for_one_point_are_refused():
    doubled = pd.concat([curve_frame(), curve_frame().iloc[[0]]])
    with pytest.raises(DataFormatError, match="several rows of 'R2R' with seconds 300"):
        LearningCurveDisplay(doubled)


@pytest.mark.parametrize("seconds", [np.nan, np.inf, -1.0, "all"])
def test_seconds_that_are_no_numbers_are_refused(seconds):
    frame = curve_frame().astype({"seconds": object})
    frame.loc[0, "seconds"] = seconds
    with pytest.raises(DataFormatError, match="seconds must be finite numbers from 0"):
        LearningCurveDisplay(frame)


def test_ratios_stand_side_by_side_and_lines_start_from_real_data_alone():
    display = RatioDisplay(ratio_frame()).plot()
    assert display.ratios_.tolist() == [0, 1, 10]
    assert [text.get_text() for text in display.ax_.get_xticklabels()] == ["1:0", "1:1", "1:10"]
    assert list(display.lines_) == ["Mix2R mapped"]
    line = display.lines_["Mix2R mapped"]
    assert line.get_xdata().tolist() == [0, 1, 2]
    assert line.get_ydata().tolist() == [0.57, 0.63, 0.55]
    assert band_limits(display.bands_["Mix2R mapped"]) == {0: (0.50, 0.62), 1: (0.57, 0.68), 2: (0.49, 0.61)}
    assert list(display.reference_.get_ydata()) == [0.57, 0.57]


def test_a_protocol_with_its_own_ratio_of_zero_starts_there():
    own = ratio_frame().replace({"protocol": {"R2R": "Mix2R mapped"}})
    assert RatioDisplay(own).plot().lines_["Mix2R mapped"].get_ydata().tolist() == [0.57, 0.63, 0.55]


def test_only_protocols_without_a_ratio_of_zero_start_from_the_baseline():
    own = ratio_frame().assign(protocol=["R2R", "mine", "mine"])
    more = pd.concat([own, own.iloc[[0]].assign(protocol="mine", macro_f1=0.4), own.iloc[[2]].assign(protocol="yours")])
    lines = RatioDisplay(more).plot().lines_
    assert lines["mine"].get_ydata().tolist() == [0.4, 0.63, 0.55]
    assert lines["yours"].get_ydata().tolist() == [0.57, 0.63]
    assert RatioDisplay(more).plot(show="difference").ratios_.tolist() == [1, 10]


def test_without_real_data_alone_a_line_starts_at_its_first_ratio():
    display = RatioDisplay(ratio_frame().query("ratio > 0")).plot()
    assert display.lines_["Mix2R mapped"].get_ydata().tolist() == [0.63, 0.55]
    assert display.reference_ is None


def test_differences_over_ratios_begin_after_real_data_alone():
    display = RatioDisplay(ratio_frame()).plot(show="difference")
    assert display.ratios_.tolist() == [1, 10]
    assert display.lines_["Mix2R mapped"].get_ydata().tolist() == [0.06, -0.02]
    assert display.reference_ is None


def test_published_ratios_get_places_of_their_own():
    published = pd.DataFrame({"ratio": [0, 1, 2, 5, 10], "macro_f1": [0.5706, 0.6230, 0.6146, 0.6247, 0.6061]})
    display = RatioDisplay(ratio_frame(), published=published).plot()
    assert display.ratios_.tolist() == [0, 1, 2, 5, 10]
    assert display.lines_["Mix2R mapped"].get_xdata().tolist() == [0, 1, 4]
    assert display.published_lines_[""].get_xdata().tolist() == [0, 1, 2, 3, 4]
    assert "published" in legend_of(display.ax_)


def small_curve(over):
    """Two draws, two subjects; R2R hits everything, Mix2R misses the last window of each draw."""
    y_pred = np.array([[[0, 1, 0, 1]] * 2, [[0, 1, 0, 0]] * 2])
    points = {"protocol": ["R2R", "Mix2R mapped"], "seconds": 30.0, "ratio": [0.0, 1.0], "n_real": 60.0}
    truth, groups = np.array(["sit", "walk"] * 2), np.array(["a", "a", "b", "b"])
    return Curve(pd.DataFrame(points), y_pred, np.arange(4), truth, groups, np.unique(truth), "R2R", over, {})


def test_a_curve_over_seconds_plots_itself():
    curve, ax = small_curve("seconds"), Figure().subplots()
    display = curve.plot(ax)
    assert isinstance(display, LearningCurveDisplay)
    assert display.ax_ is ax
    assert display.lines_["R2R"].get_ydata().tolist() == [1.0]
    scores = curve.frame.set_index("protocol").macro_f1
    assert display.lines_["Mix2R mapped"].get_ydata().tolist() == [scores["Mix2R mapped"]]
    assert 0.5 < scores["Mix2R mapped"] < 1


def test_a_curve_with_another_baseline_draws_differences_to_that():
    curve = replace(small_curve("seconds"), baseline="Mix2R mapped")
    assert list(curve.plot(show="difference").lines_) == ["R2R"]


def test_a_curve_over_ratios_plots_itself():
    display = small_curve("ratio").plot(show="difference")
    assert isinstance(display, RatioDisplay)
    assert display.lines_["Mix2R mapped"].get_ydata()[0] < 0


def test_one_point_shows_its_interval_as_a_bar():
    frame = curve_frame().query("seconds == 10")
    assert LearningCurveDisplay(frame).plot().bands_["R2R"].get_linewidth()[0] > 0
