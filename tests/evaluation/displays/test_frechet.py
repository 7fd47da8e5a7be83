"""Distances over calibration seconds: lines and band are compared with the table, not with pixels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from display_tables import (
    band_limits,
    calibration,
)

from har_virtual.evaluation.displays import FrechetDisplay
from har_virtual.exceptions import DataFormatError, UnknownNameError


def test_distances_are_averaged_over_seeds_with_the_dotted_line_of_all_real_data():
    display = FrechetDisplay.from_curve(calibration())
    assert display.line_.get_xdata().tolist() == [10, 600]
    assert display.line_.get_ydata() == pytest.approx([6.0, 2.1])
    summary = calibration().summary()
    for seconds, low, high in summary[["seconds", "low", "high"]].to_numpy():
        assert band_limits(display.band_)[seconds] == pytest.approx((low, high))
    assert list(display.all_real_line_.get_ydata()) == [1.9, 1.9]
    assert display.all_real_line_.get_linestyle() == ":"
    assert list(display.unmapped_line_.get_ydata()) == [90.0, 90.0]


def test_distances_are_logarithmic_only_where_they_span_a_factor_of_twenty():
    assert FrechetDisplay.from_curve(calibration()).ax_.get_yscale() == "log"
    ks = calibration().plot(measure="ks")
    assert ks.ax_.get_yscale() == "linear"
    assert ks.ax_.get_ylabel() == "Kolmogorov-Smirnov distance"


def test_distances_that_may_be_negative_stand_on_a_linear_axis():
    frame = pd.DataFrame({"seconds": [10.0, 20.0], "mean": [5.0, -0.01], "low": np.nan, "high": np.nan})
    assert FrechetDisplay(frame, measure="mmd").plot().ax_.get_yscale() == "linear"


def test_distances_alone_need_no_other_line():
    frame = pd.DataFrame({"seconds": [20.0, 10.0], "mean": [1.0, 2.0], "low": np.nan, "high": np.nan})
    published = pd.DataFrame({"seconds": [30.0], "mean": [0.5]})
    display = FrechetDisplay(frame, published=published).plot()
    assert display.line_.get_ydata().tolist() == [2.0, 1.0]
    assert display.band_ is display.all_real_line_ is display.unmapped_line_ is None
    assert display.published_line_.get_ydata().tolist() == [0.5]


def test_an_unknown_distance_or_a_level_without_a_value_is_refused():
    frame = calibration().summary()
    with pytest.raises(UnknownNameError, match="measure must be one of 'frechet', 'ks', 'js', 'mmd', not 'fid'"):
        FrechetDisplay(frame, measure="fid")
    with pytest.raises(DataFormatError, match="all_real must be a finite number"):
        FrechetDisplay(frame, all_real=np.nan)
