"""Rows of a file as samples of a recording: each at its place in time, its number as the name of a class."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from har_virtual.exceptions import DataFormatError


def spread_rows(values: np.ndarray, samples: np.ndarray, missing: float) -> np.ndarray:
    """Put rows at their samples, `missing` between them, read-only.

    Parameters
    ----------
    values : ndarray of shape (n_rows, ...)
    samples : ndarray of int of shape (n_rows,)
        Rising from 0.
    missing : float
        What stands where no row is.
    """
    n_samples = int(samples[-1]) + 1
    if n_samples > len(values):
        spread = np.full((n_samples, *values.shape[1:]), missing, dtype=values.dtype)
        spread[samples] = values
        values = spread
    values.flags.writeable = False
    return values


def name_classes(
    ids: np.ndarray, names: Mapping[int, str], samples: np.ndarray, *, none: int, column: str, path: Path
) -> pd.Categorical:
    """Give the class of each sample by name: None for the number `none` (unless it has a name) and between the rows.

    Parameters
    ----------
    ids : ndarray of shape (n_rows,)
        Numbers of classes as the file has them.
    names : mapping of int to str
    samples : ndarray of int of shape (n_rows,)
        As for `spread_rows`.
    none : int
        The number of no class.
    column, path
        Where the numbers stand, for messages; the first row is the first line.

    Raises
    ------
    DataFormatError
        Names the line of a number, or of NaN, that is no class.
    """
    codes = {none: -1} | {number: code for code, number in enumerate(names)}
    starts = np.flatnonzero(np.concatenate([[True], ids[1:] != ids[:-1]]))
    unknown = next((start for start in starts if ids[start] not in codes), None)
    if unknown is not None:
        raise DataFormatError(
            f"{path}, line {unknown + 1}: {column} has no class {ids[unknown]:g}; there are {none} for none, "
            f"{', '.join(f'{number} {name}' for number, name in names.items())}."
        )
    runs = np.array([codes[number] for number in ids[starts]], dtype=np.int8)
    track = np.repeat(runs, np.diff(np.append(starts, len(ids))))
    return pd.Categorical.from_codes(spread_rows(track, samples, -1), list(names.values()))
