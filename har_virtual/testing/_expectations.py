"""What the checks share: an expectation, and how to look at errors, values and folders."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from har_virtual.exceptions import DataFormatError

NOBODY = "nobody of this name"
# A message that says what to do has one of these in it.
_ADVICE = re.compile(r"\b(data_home|must|pass|unpack|download|fetch|get it)\b")


def expect(holds: bool, property_: str) -> None:
    """Raise an AssertionError that names a property, unless it holds."""
    if not holds:
        raise AssertionError(f"This does not hold: {property_}.")


def same(first: Any, second: Any) -> bool:
    """Whether two values are equal in all that they hold."""
    if type(first) is not type(second):
        return False
    if dataclasses.is_dataclass(first):
        return all(same(getattr(first, f.name), getattr(second, f.name)) for f in dataclasses.fields(first))
    if isinstance(first, BaseEstimator):
        return same(first.get_params(deep=False), second.get_params(deep=False))
    if isinstance(first, Mapping):
        return first.keys() == second.keys() and all(same(first[key], second[key]) for key in first)
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(same(a, b) for a, b in zip(first, second, strict=True))
    if isinstance(first, np.ndarray):
        nan = np.issubdtype(first.dtype, np.inexact)
        return first.dtype == second.dtype and np.array_equal(first, second, equal_nan=nan)
    return bool(first is second or first == second or (first != first and second != second))


def error_of(call: Callable[[], Any]) -> Exception | None:
    """Give what a call raises, if it raises."""
    try:
        call()
    except Exception as error:  # noqa: BLE001 - it is to be looked at
        return error
    return None


def contents(folder: Path) -> dict[str, str]:
    """What lies in a folder: hash of each file, by its path."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                found[path.relative_to(folder).as_posix()] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def expect_folders_refused(load: Callable[[Path], Any]) -> None:
    """Expect that an empty folder and one that is not there raise errors that name it and say what to do."""
    with TemporaryDirectory() as empty:
        for folder, what in ((Path(empty), "an empty folder"), (Path(empty) / "missing", "a missing folder")):
            error = error_of(partial(load, folder))
            named = isinstance(error, DataFormatError | FileNotFoundError) and str(folder) in str(error)
            expect(named, f"{what} raises a DataFormatError or FileNotFoundError that names it (it raised {error!r})")
            expect(bool(_ADVICE.search(str(error))), f"the error for {what} says what to do (it is {error!r})")
        expect(not contents(Path(empty)), "loading writes nothing into an empty folder")
