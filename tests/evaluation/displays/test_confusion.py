"""A confusion matrix as a picture: its cells are compared with the table, not with pixels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from display_tables import (
    counts,
    evaluation,
    written,
)

from har_virtual.evaluation.displays import ConfusionDisplay
from har_virtual.exceptions import DataFormatError, UnknownNameError


def test_a_confusion_has_percentages_of_the_true_class():
    display = ConfusionDisplay(counts()).plot()
    values = display.image_.get_array()
    assert values[0].tolist() == [75.0, 25.0, 0.0]
    assert np.ma.getmaskarray(values)[2].all(), "a class without windows has no percentages"
    up, jumping = "climbing_up", "jumping"
    assert written(display) == {(up, up): "75", (up, jumping): "25", (jumping, up): "<1", (jumping, jumping): "100"}


def test_a_confusion_has_percentages_of_the_predicted_class():
    values = ConfusionDisplay(counts()).plot(normalize="predicted").values_
    assert values.loc["climbing_up", "climbing_up"] == pytest.approx(600 / 7)
    assert values["jumping"].sum() == pytest.approx(100)


def test_a_confusion_has_the_numbers_of_windows():
    display = ConfusionDisplay(counts()).plot(normalize=None)
    assert display.image_.get_array().tolist() == counts().to_numpy().tolist()
    assert written(display)["jumping", "jumping"] == "999"
    assert display.image_.get_clim() == (0, 999)


def test_class_names_are_words_and_say_how_many_windows_they_have():
    ax = ConfusionDisplay(counts()).plot().ax_
    assert [text.get_text() for text in ax.get_xticklabels()] == ["climbing up", "jumping", "sitting"]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["climbing up (8)", "jumping (1,000)", "sitting (0)"]


def test_numbers_in_cells_are_white_on_dark_and_black_on_light():
    texts = ConfusionDisplay(counts()).plot().texts_
    assert texts["jumping", "jumping"].get_color() == "white"
    assert texts["climbing_up", "jumping"].get_color() == "black"
    assert texts["climbing_up", "jumping"].get_position() == (1, 0), "predicted across, true down"


def test_many_classes_have_no_numbers_in_their_cells_unless_asked_for():
    many = pd.DataFrame(np.eye(31))
    assert len(ConfusionDisplay(many.iloc[1:, 1:]).plot().texts_) == 30
    assert ConfusionDisplay(many).plot().texts_ == {}
    assert len(ConfusionDisplay(many).plot(values=True).texts_) == 31


@pytest.mark.parametrize(
    "table",
    [
        counts().iloc[:, ::-1],
        counts().iloc[:2],
        counts() - 1,
        counts().astype(float).replace(999.0, np.nan),
        counts().astype(str).replace("999", "many"),
        counts().iloc[:0, :0],
        counts().to_numpy(),
    ],
)
def test_what_is_no_table_of_counts_is_refused(table):
    with pytest.raises(DataFormatError, match="counts"):
        ConfusionDisplay(table)


def test_half_a_percent_is_less_than_one():
    classes = ["sitting", "walking"]
    assert (
        written(ConfusionDisplay(pd.DataFrame([[199, 1], [0, 1]], classes, classes)).plot())["sitting", "walking"]
        == "<1"
    )


def test_counts_may_be_text():
    display = ConfusionDisplay(counts().astype(str)).plot()
    pd.testing.assert_frame_equal(display.values_, ConfusionDisplay(counts()).plot().values_)


def test_an_unknown_normalization_is_refused():
    with pytest.raises(UnknownNameError, match='normalize must be "true", "predicted" or None, not \'all\''):
        ConfusionDisplay(counts()).plot(normalize="all")


def test_a_confusion_is_drawn_of_one_protocol_of_an_evaluation():
    display = ConfusionDisplay.from_evaluation(evaluation(), "V2R mapped", normalize=None)
    assert written(display) == {("sitting", "walking"): "6", ("walking", "walking"): "3"}
    same = ConfusionDisplay.from_result(evaluation()["V2R mapped"], normalize=None)
    assert written(same) == written(display)
