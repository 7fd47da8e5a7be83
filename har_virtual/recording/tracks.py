"""Arrays that nobody can write to, and tracks with one label a sample."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd


def read_only(values: Any, dtype: Any = None) -> np.ndarray:
    """Give an array that nobody else can write to: the given one if it is so and no view of another, else a copy."""
    if isinstance(values, np.ndarray) and values.dtype == (dtype or values.dtype):
        whole = values.flags.c_contiguous and not isinstance(values.base, np.ndarray)
        if whole and not values.flags.writeable:
            return values
    array = np.array(values, dtype=dtype, order="C")
    array.flags.writeable = False
    return array


def as_track(values: Any) -> np.ndarray:
    """Give labels as a read-only array: text if all are, else objects with None where one is missing.

    A Categorical becomes objects, and is the fast way, for then only its categories are looked at.
    """
    if isinstance(values, pd.Categorical):
        # One object a class takes an eighth of the room of text as long as the longest name in every place.
        names = np.array([*as_track(values.categories.to_numpy()).tolist(), None], dtype=object)
        track = names[values.codes]
        track.flags.writeable = False
        return track
    track = read_only(values)
    if track.dtype != object:
        return track
    kinds = set(map(type, track.tolist()))
    if not kinds <= {str, type(None)}:
        track = track.copy()
        track[pd.isna(track)] = None
        kinds = set(map(type, track.tolist()))
    if kinds and all(issubclass(kind, str) for kind in kinds):
        track = track.astype(str)
    track.flags.writeable = False
    return track
