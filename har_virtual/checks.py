"""Checks of single values that many rooms share."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

from har_virtual.exceptions import DataFormatError


def check_positive(name: str, value: Any) -> float:
    """Give `value` as a float, or raise `DataFormatError` if it is not a finite number above zero."""
    if not is_finite_number(value) or value <= 0:
        raise DataFormatError(f"{name} must be a finite number above 0, not {value!r}.")
    return float(value)


def is_finite_number(value: Any) -> bool:
    """Whether `value` is one real number, neither NaN nor infinite."""
    return isinstance(value, Real) and math.isfinite(value)
