"""Checks of single values that many rooms share."""

from __future__ import annotations

import inspect
import math
from numbers import Integral, Real
from typing import Any

import numpy as np

from har_virtual.exceptions import DataFormatError


def check_positive(name: str, value: Any) -> float:
    """Give `value` as a float, or raise `DataFormatError` if it is not a finite number above zero."""
    if not is_finite_number(value) or value <= 0:
        raise DataFormatError(f"{name} must be a finite number above 0, not {value!r}.")
    return float(value)


def check_amounts(name: str, values: Any, *, from_zero: bool = False) -> list[float]:
    """Give one or several numbers ascending and each once.

    Raises
    ------
    DataFormatError
        If there is none, or one is not finite, below zero or, unless `from_zero`, zero.
    """
    numbers = np.ravel(np.asarray(values, dtype=object)).tolist()
    if not numbers or not all(is_finite_number(each) and (each > 0 or (from_zero and each == 0)) for each in numbers):
        lowest = "from 0" if from_zero else "above 0"
        raise DataFormatError(f"{name} must be finite numbers {lowest}, at least one, not {values!r}.")
    return sorted({float(each) for each in numbers})


def check_count(name: str, value: Any, least: int) -> None:
    """Raise `DataFormatError` if `value` is no whole number from `least` on."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise DataFormatError(f"{name} must be a whole number from {least}, not {value!r}.")


def check_level(level: Any) -> float:
    """Give the nominal coverage of an interval, or raise `DataFormatError` if it does not lie between 0 and 1."""
    if not is_finite_number(level) or not 0 < level < 1:
        raise DataFormatError(f"level must lie between 0 and 1, such as 0.95, not {level!r}.")
    return float(level)


def check_augmentation(name: str, step: Any) -> None:
    """Raise `DataFormatError` if `step` cannot be called as ``step(X, rng)``, as a class or a function of X cannot."""
    called = getattr(step, "__name__", type(step).__name__)
    if isinstance(step, type):
        raise DataFormatError(f"{name} is the class {called}: give an instance, {called}(...).")
    if not callable(step):
        raise DataFormatError(f"{name} is {step!r}: an augmentation is called as step(X, rng), rng a numpy Generator.")
    try:
        signature = inspect.signature(step)
    except ValueError:
        # Some compiled functions have none.
        return
    try:
        signature.bind("X", "rng")
    except TypeError:
        raise DataFormatError(
            f"{name}: an augmentation is called as step(X, rng), rng a numpy Generator, but {called} takes {signature}."
        ) from None


def is_finite_number(value: Any) -> bool:
    """Whether `value` is one real number, neither NaN nor infinite."""
    return isinstance(value, Real) and math.isfinite(value)
