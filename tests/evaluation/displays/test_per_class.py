"""F1 of each class as points: they are compared with the table, not with pixels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from display_tables import evaluation

from har_virtual.evaluation import PROTOCOLS
from har_virtual.evaluation.displays import PerClassF1Display
from har_virtual.exceptions import DataFormatError, UnknownNameError


def test_classes_stand_from_the_best_of_the_first_protocol_down():
    display = PerClassF1Display.from_evaluation(evaluation())
    assert display.classes_ == ["sitting", "walking"]
    assert display.lines_["R2R"].get_xdata() == pytest.approx([0.8, 0.0])
    assert display.lines_["V2R mapped"].get_xdata() == pytest.approx([0.0, 0.5])
    swapped = PerClassF1Display.from_evaluation(evaluation(), ["V2R mapped"])
    assert swapped.classes_ == ["walking", "sitting"]
    assert list(swapped.lines_) == ["V2R mapped"]
    assert list(PerClassF1Display.from_evaluation(evaluation(), "R2R").lines_) == ["R2R"]


def test_classes_can_stand_as_in_the_table():
    frame = pd.DataFrame({"R2R": [0.2, 0.9], "mine": [np.nan, 0.5]}, index=["climbing_up", "sitting"])
    display = PerClassF1Display(frame).plot(order="table", legend=False)
    assert display.classes_ == ["climbing_up", "sitting"]
    assert [text.get_text() for text in display.ax_.get_yticklabels()] == ["climbing up", "sitting"]
    top, bottom = display.lines_["R2R"].get_ydata()
    low, high = sorted(display.ax_.get_ylim())
    assert low <= top < bottom <= high
    assert display.ax_.yaxis_inverted()
    assert display.ax_.get_legend() is None


def test_the_points_of_a_class_lie_nearer_to_its_row_than_to_another():
    frame = pd.DataFrame(0.5, index=["a", "b", "c"], columns=list(PROTOCOLS))
    for line in PerClassF1Display(frame).plot().lines_.values():
        assert np.abs(line.get_ydata() - [0, 1, 2]).max() < 0.4


def test_what_is_no_f1_is_refused():
    for wrong in (1.2, -0.1, "good"):
        with pytest.raises(DataFormatError, match=r"F1 from 0 to 1; it does not in \['mine'\]"):
            PerClassF1Display(pd.DataFrame({"R2R": [0.5], "mine": [wrong]}))
    with pytest.raises(DataFormatError, match=r"The evaluation lacks the columns \['Mix2R'\]"):
        PerClassF1Display.from_evaluation(evaluation(), ["Mix2R"])
    with pytest.raises(UnknownNameError, match="order must be"):
        PerClassF1Display(pd.DataFrame({"R2R": [0.5]})).plot(order="name")
