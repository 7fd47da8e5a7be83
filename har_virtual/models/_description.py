"""What JSON can hold of a trained network's description, and how it comes back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from har_virtual.exceptions import DataFormatError

# Bytes of a label: a file that claims more would fill the memory.
_LONGEST = 2**16


def can_be_written(value: Any) -> bool:
    """Whether JSON gives a plain value back as it was."""
    try:
        return tuples(json.loads(json.dumps(value))) == value
    except TypeError:
        return False


def plain(value: Any) -> Any:
    """Give numbers as Python's, sequences as tuples, and a table as a mapping of columns."""
    if isinstance(value, pd.DataFrame):
        value = value.to_dict("list")
    if isinstance(value, Mapping):
        return {name: plain(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return tuple(plain(entry) for entry in value)
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    return value


def tuples(value: Any) -> Any:
    """Give what JSON has as a list as a tuple."""
    if isinstance(value, dict):
        return {name: tuples(entry) for name, entry in value.items()}
    return tuple(map(tuples, value)) if isinstance(value, list) else value


def label_dtype(name: str) -> np.dtype:
    """Give the type of labels that a file names.

    Raises
    ------
    DataFormatError
        If labels cannot be of that type.
    """
    dtype = np.dtype(name)
    if dtype.kind not in "OUiufb" or dtype.itemsize > _LONGEST:
        raise DataFormatError(f"Labels of the type {name!r} cannot be read.")
    return dtype
