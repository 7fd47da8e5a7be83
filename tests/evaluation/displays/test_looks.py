"""What all displays share: looks of protocols, legends, whose figure it is, what is refused."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest
from display_tables import (
    DIFFERENCES,
    SCORES,
    calibration,
    counts,
    curve_frame,
    ratio_frame,
)
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure

from har_virtual.evaluation import PROTOCOLS
from har_virtual.evaluation.displays import (
    ConfusionDisplay,
    FrechetDisplay,
    LearningCurveDisplay,
    PerClassF1Display,
    RatioDisplay,
)
from har_virtual.exceptions import DataFormatError, MissingDependencyError


def lightness(color):
    return np.dot([0.2126, 0.7152, 0.0722], to_rgb(color))


def test_every_known_protocol_has_a_look_of_its_own_and_the_same_in_every_picture():
    rows = [(name, 10.0, 0.5, np.nan, np.nan) for name in [*PROTOCOLS, "mine", "yours"]]
    frame = pd.DataFrame(rows, columns=["protocol", "seconds", *SCORES])
    lines = LearningCurveDisplay(frame).plot().lines_
    looks = {name: (to_hex(line.get_color()), line.get_marker()) for name, line in lines.items()}
    assert len(set(looks.values())) == len(PROTOCOLS) + 2
    alone = LearningCurveDisplay(frame[frame.protocol == "V2R aligned"]).plot().lines_["V2R aligned"]
    points = PerClassF1Display(pd.DataFrame({"V2R aligned": [0.5]})).plot().lines_["V2R aligned"]
    for line in (alone, points):
        assert (to_hex(line.get_color()), line.get_marker()) == looks["V2R aligned"]


def test_a_protocol_of_ones_own_looks_the_same_whatever_known_ones_stand_beside():
    frames = (pd.DataFrame(0.5, index=["walking"], columns=columns) for columns in (["mine"], ["R2R", "mine"]))
    first, second = (PerClassF1Display(frame).plot().lines_["mine"] for frame in frames)
    assert (first.get_color(), first.get_marker()) == (second.get_color(), second.get_marker())


def test_the_papers_three_protocols_differ_in_lightness_and_marker():
    frame = pd.DataFrame({name: [0.5] for name in ("R2R", "V2R mapped", "Mix2R mapped")})
    lines = PerClassF1Display(frame).plot().lines_.values()
    assert np.diff(sorted(lightness(line.get_color()) for line in lines)).min() > 0.03
    assert lightness(next(iter(lines)).get_color()) == 0


@pytest.mark.parametrize(("n_protocols", "show"), [(10, "score"), (7, "difference")])
def test_a_long_legend_stands_beside_the_axes_and_leaves_them_room(n_protocols, show):
    rows = [(name, 10.0, *[0.5] * 6) for name in list(PROTOCOLS)[:n_protocols]]
    display = LearningCurveDisplay(pd.DataFrame(rows, columns=["protocol", "seconds", *SCORES, *DIFFERENCES]))
    display.plot(show=show)
    display.figure_.draw_without_rendering()
    legend, axes = display.ax_.get_legend().get_window_extent(), display.ax_.get_window_extent()
    assert legend.x0 >= axes.x1
    assert legend.x1 <= display.figure_.bbox.x1
    assert axes.width > axes.height


def test_a_figure_that_was_given_keeps_its_size():
    rows = [(name, 10.0, 0.5, np.nan, np.nan) for name in PROTOCOLS]
    figure = Figure(figsize=(3, 2))
    LearningCurveDisplay(pd.DataFrame(rows, columns=["protocol", "seconds", *SCORES])).plot(figure.subplots())
    assert figure.get_size_inches().tolist() == [3, 2]


@pytest.mark.parametrize(
    ("display", "options"),
    [
        (LearningCurveDisplay(curve_frame()), {}),
        (LearningCurveDisplay(curve_frame()), {"show": "difference"}),
        (RatioDisplay(ratio_frame()), {}),
        (FrechetDisplay(calibration().summary(), all_real=1.9), {}),
        (ConfusionDisplay(counts()), {}),
        (PerClassF1Display(pd.DataFrame({"R2R": [0.5]}, index=["a_very_long_name_of_an_activity"])), {}),
    ],
)
def test_a_display_draws_on_axes_that_it_is_given_and_shows_a_figure_of_its_own(display, options):
    ax = Figure().subplots()
    assert display.plot(ax, **options) is display
    assert display.ax_ is ax and display.figure_ is ax.figure
    assert display._repr_png_() is None, "who gave the axes shows the figure"
    own = display.plot(**options)
    assert own.ax_ is not ax
    assert own._repr_png_().startswith(b"\x89PNG")
    own.figure_.draw_without_rendering()
    page = own.figure_.bbox
    inside = own.ax_.get_tightbbox()
    assert inside.x0 >= page.x0 - 1 and inside.x1 <= page.x1 + 1
    assert inside.y0 >= page.y0 - 1 and inside.y1 <= page.y1 + 1
    assert display.plot(ax, **options)._repr_png_() is None


@pytest.mark.parametrize(
    ("display", "table", "lost"),
    [(LearningCurveDisplay, curve_frame(), "low"), (RatioDisplay, ratio_frame(), "ratio"),
     (FrechetDisplay, calibration().summary(), "mean")],
)  # fmt: skip
def test_a_table_without_a_column_or_rows_is_refused(display, table, lost):
    with pytest.raises(DataFormatError, match=rf"frame lacks the columns \['{lost}'\]"):
        display(table.drop(columns=lost))
    with pytest.raises(DataFormatError, match="frame has no rows"):
        display(table.iloc[:0])
    with pytest.raises(DataFormatError, match="frame must be a DataFrame, not list"):
        display([1, 2])


def test_without_matplotlib_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    display = LearningCurveDisplay(curve_frame())
    with pytest.raises(MissingDependencyError, match=r"LearningCurveDisplay needs matplotlib.*har_virtual\[plot\]"):
        display.plot()
