"""Arrays of numbers, text, cells and structs from MATLAB 5 files.

The reader is our own because `scipy.io.loadmat` can crash the whole process on a damaged file (a bus error in its
parser, seen with scipy 1.14 and 1.17). The tests hold it against scipy.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from har_virtual.exceptions import DataFormatError

_HEADER_BYTES = 128
# No array of such a file is larger; a compressed one could otherwise fill the memory.
_MAX_ARRAY_BYTES = 2**31
_LITTLE_ENDIAN = b"IM"
_MATRIX, _COMPRESSED = 14, 15
_DTYPES = dict(
    zip(
        (1, 2, 3, 4, 5, 6, 7, 9, 12, 13),
        ("i1", "u1", "<i2", "<u2", "<i4", "<u4", "<f4", "<f8", "<i8", "<u8"),
        strict=True,
    )
)
_ENCODINGS = {1: "latin-1", 2: "latin-1", 4: "utf-16-le", 16: "utf-8", 17: "utf-16-le", 18: "utf-32-le"}
# Classes of arrays; of full arrays of numbers, from double to uint64.
_CELL, _STRUCT, _TEXT, _NUMBERS = 1, 2, 4, range(6, 16)


def read_mat5(path: Path, variable: str) -> np.ndarray:
    """Read one full array of real numbers, as float64, from a little-endian MATLAB 5 file (MATLAB 5 to 7.2, ``-v7``).

    Raises
    ------
    DataFormatError
        If the file is no such file, damaged, or without the variable, or that is no array of numbers.
    """
    return open_mat5(path, variable).numbers()


def open_mat5(path: Path, variable: str) -> MatArray:
    """Find a variable of any kind in such a file; what is in it is parsed when it is asked for.

    Raises
    ------
    DataFormatError
        If the file is no such file, damaged, or without the variable.
    """
    content = memoryview(path.read_bytes())
    if len(content) < _HEADER_BYTES or content[_HEADER_BYTES - 2 : _HEADER_BYTES] != _LITTLE_ENDIAN:
        raise DataFormatError(f"{path} is no MATLAB 5 file; it may be damaged: unpack it anew.")
    with _explained(path):
        for body in _variables(content[_HEADER_BYTES:]):
            found = MatArray(path, body)
            if found.header.name == variable:
                return found
    raise DataFormatError(f"{path} has no variable {variable}.")


class _Header(NamedTuple):
    kind: int
    shape: tuple[int, ...]
    name: str


class MatArray:
    """An array of a MATLAB 5 file, of which only what is asked for is parsed.

    What is damaged, or of another kind than asked for, raises `DataFormatError` that names the file.
    """

    def __init__(self, path: Path, body: memoryview) -> None:
        self._path, self._body = path, body

    @property
    def shape(self) -> tuple[int, ...]:
        with _explained(self._path):
            return self.header.shape

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    def numbers(self) -> np.ndarray:
        """Give a full array of real numbers as float64."""
        with _explained(self._path):
            header, values = self.header, self._elements()
            # Complex numbers have a second element.
            if header.kind not in _NUMBERS or len(values) != 1:
                raise ValueError("the variable is no full array of real numbers")
            kind, data = values[0]
            return np.frombuffer(data, dtype=_DTYPES[kind]).astype(np.float64).reshape(header.shape, order="F")

    def text(self) -> str:
        """Give one row of characters; an empty array of any kind is no text, too."""
        with _explained(self._path):
            if not math.prod(self.header.shape):
                return ""
            rows, values = self.header.shape[0], self._elements()
            if self.header.kind != _TEXT or rows != 1 or len(values) != 1:
                raise ValueError("the variable is no row of characters")
            kind, data = values[0]
            return bytes(data).decode(_ENCODINGS[kind])

    def cells(self) -> list[MatArray]:
        """Give the cells of a cell array, column after column."""
        with _explained(self._path):
            if self.header.kind != _CELL and self.size:
                raise ValueError("the variable is no cell array")
            return self._arrays(self._elements(), self.size)

    @property
    def fields(self) -> list[str]:
        """Names of the fields of a struct array."""
        with _explained(self._path):
            return self._fields

    def field(self, name: str) -> list[MatArray]:
        """Give a field of every element of a struct array, column after column."""
        with _explained(self._path):
            fields = self._fields
            if name not in fields:
                raise ValueError(f"a struct has no field {name}, but {', '.join(fields) or 'none'}")
            values = self._struct_elements[2 + fields.index(name) :: len(fields)]
            return self._arrays(values, self.size)

    @cached_property
    def header(self) -> _Header:
        if not len(self._body):
            # What MATLAB writes for an empty array within a cell or a struct.
            return _Header(_NUMBERS[0], (0, 0), "")
        try:
            (_, flags), (_, dimensions), (_, name) = islice(_elements(self._body), 3)
        except ValueError:
            raise ValueError("a variable without flags, dimensions or name") from None
        (kind,) = struct.unpack_from("<B", flags)
        shape = np.frombuffer(dimensions, dtype="<i4")
        if (shape < 0).any() or len(shape) < 2:
            raise ValueError(f"dimensions {shape.tolist()}")
        return _Header(kind, tuple(shape.tolist()), bytes(name).decode("ascii"))

    def _elements(self) -> list[tuple[int, memoryview]]:
        """What follows the header."""
        return list(islice(_elements(self._body), 3, None))

    @cached_property
    def _struct_elements(self) -> list[tuple[int, memoryview]]:
        return self._elements()

    @cached_property
    def _fields(self) -> list[str]:
        if self.header.kind != _STRUCT or len(self._struct_elements) < 2:
            raise ValueError("the variable is no struct array")
        (_, length), (_, names) = self._struct_elements[:2]
        (n_bytes,) = struct.unpack_from("<i", length)
        if n_bytes < 1 or len(names) % n_bytes:
            raise ValueError("a struct whose fields have no names")
        fields = [names[at : at + n_bytes] for at in range(0, len(names), n_bytes)]
        if len(self._struct_elements) - 2 != len(fields) * math.prod(self.header.shape):
            raise ValueError("a struct array with too few or too many values")
        return [bytes(field).partition(b"\0")[0].decode("ascii") for field in fields]

    def _arrays(self, values: list[tuple[int, memoryview]], n_values: int) -> list[MatArray]:
        if len(values) != n_values or any(kind != _MATRIX for kind, _ in values):
            raise ValueError("a cell or struct array with other values than it should have")
        return [MatArray(self._path, body) for _, body in values]


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except DataFormatError:
        raise
    except (struct.error, zlib.error, ValueError, KeyError) as error:
        raise DataFormatError(f"{path} cannot be read ({error}); it may be damaged: unpack it anew.") from error


def _elements(content: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Type and bytes of each data element; of few bytes they stand in the tag itself."""
    at = 0
    while at < len(content):
        kind, size = struct.unpack_from("<II", content, at)
        start, small = at + 8, kind >> 16
        if small:
            kind, size, start = kind & 0xFFFF, small, at + 4
        if start + size > len(content) or small > 4:
            raise ValueError(f"an element of {size} bytes has {len(content) - start}")
        yield kind, content[start : start + size]
        at = start + (4 if small else size if kind == _COMPRESSED else -(-size // 8) * 8)


def _variables(content: memoryview) -> Iterator[memoryview]:
    for kind, body in _elements(content):
        inner = _elements(_decompress(body)) if kind == _COMPRESSED else [(kind, body)]
        yield from (array for kind, array in inner if kind == _MATRIX)


def _decompress(body: memoryview) -> memoryview:
    stream = zlib.decompressobj()
    content = stream.decompress(body, _MAX_ARRAY_BYTES)
    if not stream.eof:
        raise ValueError(f"a compressed array that is incomplete, or has more than {_MAX_ARRAY_BYTES} bytes")
    return memoryview(content)
