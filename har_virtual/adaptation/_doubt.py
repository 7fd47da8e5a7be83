"""Warnings that point at the code of whoever called, however many frames lie in between."""

from __future__ import annotations

import sys
import warnings

from har_virtual.exceptions import DataWarning

_LIBRARIES = {"har_virtual", "joblib", "sklearn"}


def warn_caller(message: str) -> None:
    """Give a `DataWarning` at the nearest frame that is not this library's, scikit-learn's or joblib's.

    The frames in between differ: fit or fit_transform, in a Pipeline or not.
    """
    level, frame = 1, sys._getframe()
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] in _LIBRARIES:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, DataWarning, stacklevel=level)
