"""Checks of single values: what passes, and what is refused by name."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from har_virtual.checks import check_amounts, check_count, check_level
from har_virtual.exceptions import DataFormatError


@pytest.mark.parametrize("value", [2, np.int16(3), 10**30])
def test_whole_numbers_from_the_least_are_counts(value):
    check_count("n", value, 2)


@pytest.mark.parametrize("value", [1, -5, 2.0, "2", None, True, np.True_, np.nan])
def test_anything_else_is_no_count(value):
    with pytest.raises(DataFormatError, match="n must be a whole number from 2, not"):
        check_count("n", value, 2)


@pytest.mark.parametrize("value", [0, 1, 95, -0.1, np.nan, "0.95", None])
def test_levels_lie_between_0_and_1(value):
    assert check_level(np.float32(0.5)) == 0.5
    with pytest.raises(DataFormatError, match="level must lie between 0 and 1"):
        check_level(value)


@pytest.mark.parametrize(
    "values", [[5, 2, 5.0], (2, 5), np.array([5.0, 2.0, 2.0]), pd.Series([2, 5], index=[7, 8]), range(2, 6, 3)]
)
def test_amounts_ascend_and_come_once(values):
    assert check_amounts("seconds", values) == [2.0, 5.0]


@pytest.mark.parametrize("value", [3, np.float32(3), np.array(3.0)])
def test_one_number_is_an_amount(value):
    assert check_amounts("seconds", value) == [3.0]


@pytest.mark.parametrize("values", [[], None, "25", ["2"], [np.inf], [np.nan], [[1], [2, 3]], [-1], [0, 1], {1, 2}])
def test_what_is_no_amount_is_refused(values):
    with pytest.raises(DataFormatError, match="seconds must be finite numbers above 0, at least one"):
        check_amounts("seconds", values)


def test_zero_is_an_amount_where_it_may_be():
    assert check_amounts("ratios", [1, 0], from_zero=True) == [0.0, 1.0]
    with pytest.raises(DataFormatError, match="ratios must be finite numbers from 0"):
        check_amounts("ratios", [-0.5], from_zero=True)
