"""Arrays of numbers from MATLAB 5 files.

The reader is our own because `scipy.io.loadmat` can crash the whole process on a damaged file (a bus error in its
parser, seen with scipy 1.14 and 1.17). The tests hold it against scipy.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from har_virtual.exceptions import DataFormatError

_HEADER_BYTES = 128
_LITTLE_ENDIAN = b"IM"
_MATRIX, _COMPRESSED = 14, 15
_DTYPES = dict(
    zip(
        (1, 2, 3, 4, 5, 6, 7, 9, 12, 13),
        ("i1", "u1", "<i2", "<u2", "<i4", "<u4", "<f4", "<f8", "<i8", "<u8"),
        strict=True,
    )
)
# Classes of full arrays of numbers, from double to uint64; the flag of a complex one.
_NUMBERS, _COMPLEX = range(6, 16), 0x08


def read_mat5(path: Path, variable: str) -> np.ndarray:
    """Read one full array of real numbers, as float64, from a little-endian MATLAB 5 file (MATLAB 5 to 7.2, ``-v7``).

    Raises
    ------
    DataFormatError
        If the file is no such file, damaged, or without the variable, or that is no array of numbers.
    """
    content = path.read_bytes()
    if len(content) < _HEADER_BYTES or content[_HEADER_BYTES - 2 : _HEADER_BYTES] != _LITTLE_ENDIAN:
        raise DataFormatError(f"{path} is no MATLAB 5 file; it may be damaged: unpack it anew.")
    try:
        for name, matrix in _matrices(content[_HEADER_BYTES:]):
            if name == variable:
                return _numbers(matrix)
    except (struct.error, zlib.error, ValueError, KeyError) as error:
        raise DataFormatError(f"{path} cannot be read ({error}); it may be damaged: unpack it anew.") from error
    raise DataFormatError(f"{path} has no variable {variable}.")


def _elements(content: bytes) -> Iterator[tuple[int, bytes]]:
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


def _matrices(content: bytes) -> Iterator[tuple[str, list[tuple[int, bytes]]]]:
    """Name and elements of each variable."""
    for kind, body in _elements(content):
        if kind == _COMPRESSED:
            yield from _matrices(zlib.decompress(body))
        elif kind == _MATRIX:
            matrix = list(_elements(body))
            if len(matrix) < 3:
                raise ValueError("a variable without flags, dimensions or name")
            yield matrix[2][1].decode("ascii"), matrix


def _numbers(matrix: list[tuple[int, bytes]]) -> np.ndarray:
    """Array of a matrix, whose elements are flags, dimensions, name and values."""
    (_, flags), (_, dimensions), _, *values = matrix
    number, marks = struct.unpack_from("<BB", flags)
    if number not in _NUMBERS or marks & _COMPLEX or len(values) != 1:
        raise ValueError("the variable is no full array of real numbers")
    shape = np.frombuffer(dimensions, dtype="<i4")
    if (shape < 0).any():
        raise ValueError(f"dimensions {shape.tolist()}")
    kind, data = values[0]
    return np.frombuffer(data, dtype=_DTYPES[kind]).astype(np.float64).reshape(shape, order="F")
