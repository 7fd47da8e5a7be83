"""Columns of somebody's CSV or Parquet file, and what is wrong with it by its line or row."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from har_virtual.datasets._text import TextFormat, read_text
from har_virtual.exceptions import DataFormatError

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_PARQUET = (".parquet", ".pq")
_GZIP = b"\x1f\x8b"
_ADVICE = "Mend the line, or pass errors='warn' to leave the file out."
# By what stands there in place of a number.
_HINTS = {
    r"column .* is '\"?[-+]?\d+,\d": "If that is a decimal comma, pass decimal=','.",
    r"column .* is '\"?\d{1,4}[-./]\d{1,2}[-./]\d": (
        "If the stamps are dates, pass time_unit='datetime', or their format, such as '%d.%m.%Y %H:%M:%S'."
    ),
}


@dataclass(frozen=True)
class Columns:
    """Which columns to read: numbers, the time if any, a text if any, and how text is laid out."""

    values: tuple[str, ...]
    time: str | None = None
    time_is_text: bool = False
    label: str | None = None
    separator: str = ","
    names: tuple[str, ...] | None = None
    decimal: str = "."

    @property
    def wanted(self) -> tuple[str, ...]:
        """All columns to be read."""
        return (*self.values, *(name for name in (self.time, self.label) if name is not None))


@dataclass(frozen=True)
class Table:
    """What was read: (n_rows, n_values); stamps as they stand there: numbers, datetime64 or text; labels or None."""

    path: Path
    values: np.ndarray
    stamps: np.ndarray | None
    labels: np.ndarray | None
    first_line: int | None

    def replace(self, **changes: Any) -> Table:
        """Give a copy with some fields changed."""
        return replace(self, **changes)

    def where(self, row: int) -> str:
        """Name a row for a message: by its line, or in Parquet by its number from 1."""
        place = f"row {row + 1}" if self.first_line is None else f"line {self.first_line + row}"
        return f"{self.path}, {place}"


def read_names(path: Path, separator: str = ",", names: Sequence[str] | None = None) -> list[str]:
    """Give the names of a file's columns; `DataFormatError` if it has none."""
    if path.suffix.lower() in _PARQUET:
        with _parquet(path) as file:
            return [str(name) for name in file.schema_arrow.names]
    with path.open("rb") as file:
        line = file.readline()
    if line.startswith(_GZIP):
        raise DataFormatError(f"{path} is compressed by gzip; unpack it, or write Parquet, which is small and fast.")
    if names is not None:
        return list(names)
    if not line:
        raise DataFormatError(f"{path} is empty; a header line and rows are needed.")
    try:
        text = line.decode("utf-8-sig").rstrip("\r\n")
        (found,) = csv.reader([text], delimiter=separator)
    except (UnicodeDecodeError, csv.Error, ValueError) as error:
        raise DataFormatError(f"{path}, line 1: the header is no line of text in UTF-8: {line[:40]!r}.") from error
    return [name.strip() for name in found]


def read_table(path: Path, columns: Columns) -> Table:
    """Read the columns that are wanted, in any order among others.

    Raises
    ------
    DataFormatError
        If the file is empty or damaged or lacks a column; names the line of text in place of a number.
    """
    found = read_names(path, columns.separator, columns.names)
    absent = [name for name in columns.wanted if name not in found]
    if absent:
        hint = f" Is {columns.separator!r} the separator?" if len(found) == 1 else ""
        raise DataFormatError(
            f"{path} has no column {', '.join(map(repr, absent))}; its columns are {', '.join(map(repr, found))}.{hint}"
        )
    twice = [name for name in columns.wanted if found.count(name) > 1]
    if twice:
        raise DataFormatError(f"{path} has more than one column {twice[0]!r}; give each another name.")
    return (_from_parquet if path.suffix.lower() in _PARQUET else _from_text)(path, columns, found)


def _from_text(path: Path, columns: Columns, found: list[str]) -> Table:
    # A header's names cannot hold the end of a line.
    layout = [name if name in columns.wanted else f"\n{number}" for number, name in enumerate(found)]
    first_line = 1 if columns.names is not None else 2
    texts = [columns.label] if columns.label is not None else []
    exact = [columns.time] if columns.time is not None and not columns.time_is_text else []
    texts += [columns.time] if columns.time is not None and columns.time_is_text else []
    with path.open("rb") as file:
        for _ in range(first_line - 1):
            file.readline()
        if not file.read(1):
            raise DataFormatError(f"{path} has no row of data; it may be cut short.")
        file.seek(-1, 1)
        try:
            table = read_text(
                file,
                TextFormat(tuple(layout), columns.separator, header=False, holes=True, decimal=columns.decimal),
                numbers=columns.values,
                exact=exact,
                texts=texts,
                where=str(path),
                first_line=first_line,
                advice=_ADVICE,
            )
        except DataFormatError as error:
            hint = next((hint for pattern, hint in _HINTS.items() if re.search(pattern, str(error))), None)
            raise error if hint is None else DataFormatError(f"{error} {hint}") from error
    read = {**table.exact, **{name: _unquoted(text) for name, text in table.texts.items()}}
    return _table(path, table.numbers, read, columns, first_line)


def _unquoted(texts: np.ndarray) -> np.ndarray:
    codes, distinct = pd.factorize(texts)
    plain = [text.strip().removeprefix('"').removesuffix('"') for text in distinct]
    return np.array([*plain, None], dtype=object)[codes]


def _table(path: Path, values: np.ndarray, read: dict[str, np.ndarray], columns: Columns, line: int | None) -> Table:
    stamps = None if columns.time is None else read[columns.time]
    return Table(path, values, stamps, None if columns.label is None else read[columns.label], line)


def _parquet(path: Path) -> pq.ParquetFile:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        if not path.is_file():
            raise
        raise DataFormatError(f"{path} is empty, damaged or no Parquet file: {error}.") from error


def _from_parquet(path: Path, columns: Columns, _found: list[str]) -> Table:
    import pyarrow as pa

    try:
        with _parquet(path) as file:
            table = file.read(columns=list(dict.fromkeys(columns.wanted)))
    except (pa.ArrowException, OSError) as error:
        raise DataFormatError(f"{path} is damaged: {error}.") from error
    if not len(table):
        raise DataFormatError(f"{path} has no row of data; it may be cut short.")
    values = np.empty((len(table), len(columns.values)), dtype=np.float32)
    for number, name in enumerate(columns.values):
        values[:, number] = _numbers(table.column(name), name, path)
    infinite = np.argwhere(np.isinf(values))
    if len(infinite):
        row, number = infinite[0]
        raise DataFormatError(f"{path}, row {row + 1}: column {columns.values[number]} is infinite. {_ADVICE}")
    read = {name: _as_it_stands(table.column(name), name, path) for name in columns.wanted[len(columns.values) :]}
    return _table(path, values, read, columns, None)


def _as_it_stands(column: pa.ChunkedArray, name: str, path: Path) -> np.ndarray:
    import pyarrow as pa

    if pa.types.is_nested(column.type):
        raise DataFormatError(f"{path}: column {name} holds {column.type}; one text or number a row is needed.")
    return column.to_pandas().to_numpy()


def _numbers(column: pa.ChunkedArray, name: str, path: Path) -> Any:
    import pyarrow as pa

    kind = column.type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        at = next((row for row, value in enumerate(column) if value.is_valid and not _is_number(value.as_py())), 0)
        raise DataFormatError(
            f"{path}, row {at + 1}: column {name} holds {kind}, not numbers: {column[at].as_py()!r}. Write the file "
            "with numbers in it, or pass errors='warn' to leave it out."
        )
    with np.errstate(over="ignore"):
        return column.to_pandas().to_numpy(dtype=np.float64, na_value=np.nan).astype(np.float32)


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True
