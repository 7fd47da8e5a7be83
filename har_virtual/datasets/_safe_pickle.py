"""Pickles of plain values and numeric arrays, read without running anything that they ask for.

A pickle is a program that builds values. Here it runs on a machine of its own that can build mappings, lists, tuples,
text, numbers and arrays of numbers, and nothing else; no name in the file is ever imported. Arrays stay in the file
until they are asked for, so that a pack of gigabytes costs no more memory than what is used of it.
"""

from __future__ import annotations

import math
import os
import re
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from har_virtual.exceptions import DataFormatError

_NUMERIC = re.compile(r"b1|[iu][1248]|f[248]")
_MAX_INT_BYTES, _MAX_NAME_BYTES = 16, 200


class _Span(NamedTuple):
    """Bytes that stay in the file."""

    start: int
    n_bytes: int


class _Name(NamedTuple):
    """What a pickle asks for by name."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(eq=False)
class _DType:
    dtype: np.dtype


@dataclass(eq=False)
class PickledArray:
    """An array of numbers that lies in a pickle.

    Parameters
    ----------
    path : Path
        The pickle.
    shape : tuple of int
    dtype : numpy.dtype
    """

    path: Path
    shape: tuple[int, ...] = (0,)
    dtype: np.dtype = field(default_factory=lambda: np.dtype("u1"))
    _content: _Span | bytes | None = None
    _stored: tuple[int, ...] = (0,)
    _axes: tuple[int, ...] = (0,)

    @property
    def is_filled(self) -> bool:
        """Whether the pickle gave it numbers."""
        return self._content is not None

    def load(self) -> np.ndarray:
        """Read the array; `DataFormatError` if the file has become shorter meanwhile."""
        if isinstance(self._content, _Span):
            count = math.prod(self.shape)
            values = np.fromfile(self.path, self.dtype, count, offset=self._content.start)
            if len(values) != count:
                raise DataFormatError(f"{self.path} changed while it was read; load it anew.")
        else:
            values = np.frombuffer(self._content or b"", self.dtype)
        return values.reshape(self._stored).transpose(self._axes)

    def _fill(self, shape: Any, dtype: Any, content: Any, order: Any, axes: Any = None) -> PickledArray:
        """Take the numbers, whose axes lie as `order` says: "C", backwards ("F"), or as `axes` tells ("K")."""
        if not isinstance(dtype, _DType) or not isinstance(content, _Span | bytes):
            raise ValueError("an array without numbers")
        sizes = shape if isinstance(shape, tuple) else (shape,)
        n_bytes = content.n_bytes if isinstance(content, _Span) else len(content)
        if not all(type(size) is int and size >= 0 for size in sizes) or len(sizes) > 32:
            raise ValueError("an array of no shape")
        # An empty array fits into no bytes, whatever its other sizes are.
        if math.prod(size or 1 for size in sizes) * dtype.dtype.itemsize > sys.maxsize:
            raise ValueError("an array of a shape beyond all memory")
        if math.prod(sizes) * dtype.dtype.itemsize != n_bytes:
            raise ValueError(f"an array of shape {sizes} in {n_bytes} bytes")
        self._stored, self._axes = _layout(sizes, order, axes)
        self.shape = tuple(self._stored[axis] for axis in self._axes)
        self.dtype, self._content = dtype.dtype, content
        return self


def _layout(sizes: tuple[int, ...], order: Any, axes: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Shape in which numbers lie one after the other, and the order in which its axes are the array's."""
    forwards = tuple(range(len(sizes)))
    if order == "C":
        return sizes, forwards
    if order == "F":
        return sizes[::-1], forwards[::-1]
    known = isinstance(axes, tuple) and all(type(axis) is int for axis in axes)
    if order != "K" or not known or sorted(axes) != list(forwards):
        raise ValueError("an array whose axes are in no order")
    return sizes, axes


def read_pickle(path: Path) -> Any:
    """Read a pickle of mappings, lists, tuples, text, numbers and numeric arrays, of protocol 2 to 5.

    Parameters
    ----------
    path : Path

    Returns
    -------
    object
        With a `PickledArray` in place of each array.

    Raises
    ------
    DataFormatError
        If the file is damaged or no pickle, or asks for anything else; the message says for what. Nothing of it is run.
    FileNotFoundError
        If there is no such file.
    """
    with path.open("rb") as file:
        try:
            return _Machine(path, file).run()
        except DataFormatError:
            raise
        except (ValueError, LookupError, TypeError, AttributeError, OverflowError, struct.error) as error:
            raise DataFormatError(f"{path} is damaged or no pickle of numbers ({error}); get it anew.") from error


class _Machine:
    """The part of the pickle machine that plain values need."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path = path
        self._file = file
        self._size = os.fstat(file.fileno()).st_size
        self._position = 0
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}

    def run(self) -> Any:
        while (code := self._take(1)) != b".":
            if code not in _ACTIONS:
                raise DataFormatError(
                    f"{self._path} has the pickle code {code!r} at byte {self._position - 1}, which plain values do "
                    "not need; nothing of it was run."
                )
            _ACTIONS[code](self)
        (value,) = self.top(len(self._stack))
        _check_plain(value)
        return value

    def push(self, value: Any) -> None:
        self._stack.append(value)

    def integer(self, n_bytes: int, *, signed: bool = False) -> int:
        return int.from_bytes(self._take(n_bytes), "little", signed=signed)

    def long(self) -> int:
        n_bytes = self.integer(1)
        if n_bytes > _MAX_INT_BYTES:
            raise ValueError(f"an integer of {n_bytes} bytes")
        return self.integer(n_bytes, signed=True)

    def real(self) -> float:
        return float(struct.unpack(">d", self._take(8))[0])

    def text(self, n_bytes: int) -> str:
        return self._take(n_bytes).decode("utf-8")

    def span(self, n_bytes: int) -> _Span:
        span = _Span(self._position, n_bytes)
        self._move(n_bytes)
        self._file.seek(self._position)
        return span

    def line(self) -> str:
        line = self._file.readline(_MAX_NAME_BYTES)
        if not line.endswith(b"\n"):
            raise ValueError("a name without an end")
        self._position += len(line)
        return line[:-1].decode("utf-8")

    def memoize(self, index: int | None = None) -> None:
        self._memo[len(self._memo) if index is None else index] = self.last()

    def recall(self, index: int) -> None:
        self.push(self._memo[index])

    def mark(self) -> None:
        self._marks.append(len(self._stack))

    def to_mark(self) -> list[Any]:
        """Take all values down to the last mark."""
        start = self._marks.pop()
        values = self._stack[start:]
        del self._stack[start:]
        return values

    def top(self, n: int) -> list[Any]:
        """Take the last values, none of them from below the last mark."""
        start = len(self._stack) - n
        if start < (self._marks[-1] if self._marks else 0):
            raise ValueError("it needs a value that is not there")
        values = self._stack[start:]
        del self._stack[start:]
        return values

    def last(self) -> Any:
        """Look at the last value."""
        (value,) = self.top(1)
        self.push(value)
        return value

    def append(self, values: list[Any]) -> None:
        into = self.last()
        if type(into) is not list:
            raise ValueError("items of no list")
        into.extend(values)

    def set_items(self, values: list[Any]) -> None:
        into = self.last()
        if type(into) is not dict:
            raise ValueError("items of no mapping")
        for key, value in zip(values[::2], values[1::2], strict=True):
            if not isinstance(key, str | int | float | None):
                raise ValueError("a key that is neither text nor a number")
            into[key] = value

    def name(self, module: Any, name: Any) -> None:
        if not isinstance(module, str) or not isinstance(name, str):
            raise ValueError("a name that is no text")
        asked = _Name(module, name)
        if asked not in _KNOWN:
            raise DataFormatError(
                f"{self._path} asks for {asked}, which plain values and numeric arrays do not need; nothing of it was "
                "run. Get the file from its authors."
            )
        self.push(asked)

    def reduce(self) -> None:
        """Call a name: only those below are known, and none of them is a function of numpy."""
        asked, arguments = self.top(2)
        makers: dict[str, Callable[..., Any]] = {
            "dtype": _make_dtype,
            "_reconstruct": lambda *_: PickledArray(self._path),
            "_frombuffer": self._make_array,
            "scalar": self._make_scalar,
            "encode": _encode,
            "bytes": lambda: b"",
        }
        if not isinstance(asked, _Name) or asked.name not in makers:
            raise ValueError("a call of no function")
        self.push(makers[asked.name](*arguments))

    def build(self) -> None:
        """Give the state of an array or of its type."""
        (state,) = self.top(1)
        target = self.last()
        if isinstance(target, _DType):
            order = state[1]
            if order not in ("<", ">", "|", "="):
                raise ValueError("a number of no byte order")
            target.dtype = target.dtype.newbyteorder(order)
        elif isinstance(target, PickledArray):
            _, shape, dtype, is_fortran, content = state
            target._fill(shape, dtype, content, "F" if is_fortran else "C")
        else:
            raise ValueError("a state of no array")

    def _make_array(self, content: Any, dtype: Any, shape: Any, order: Any, axes: Any = None) -> PickledArray:
        return PickledArray(self._path)._fill(shape, dtype, content, order, axes)

    def _make_scalar(self, dtype: Any, content: Any) -> Any:
        return PickledArray(self._path)._fill((), dtype, content, "C").load().item()

    def _take(self, n_bytes: int) -> bytes:
        self._move(n_bytes)
        return self._file.read(n_bytes)

    def _move(self, n_bytes: int) -> None:
        """Go on by some bytes, of which there must be so many: a hostile number of them would ask for the memory."""
        if n_bytes > self._size - self._position:
            raise ValueError("it ends too early")
        self._position += n_bytes


def _check_plain(value: Any) -> None:
    """Refuse what only arrays are made of: bytes, names, types, and an array that never got its numbers."""
    waiting, seen = [value], set()
    while waiting:
        each = waiting.pop()
        is_bare = isinstance(each, PickledArray) and not each.is_filled
        if is_bare or isinstance(each, _Span | bytes | _Name | _DType):
            raise ValueError("it holds a piece of an array instead of a value")
        if isinstance(each, list | tuple | dict) and id(each) not in seen:
            seen.add(id(each))
            waiting.extend(each.values() if isinstance(each, dict) else each)


def _make_dtype(code: Any, *_: Any) -> _DType:
    if not isinstance(code, str) or not _NUMERIC.fullmatch(code):
        raise ValueError("an array of what is no number")
    return _DType(np.dtype(code))


def _encode(text: Any, encoding: Any) -> bytes:
    """Protocol 2 has no bytes; Python writes them as text, or as a call of `bytes` if there are none."""
    if not isinstance(text, str) or encoding != "latin1":
        raise ValueError("bytes in an unknown encoding")
    return text.encode("latin1")


_KNOWN = {
    _Name("numpy", "ndarray"),
    _Name("numpy", "dtype"),
    _Name("_codecs", "encode"),
    _Name("__builtin__", "bytes"),
    *(_Name(f"numpy.{core}.multiarray", name) for core in ("core", "_core") for name in ("_reconstruct", "scalar")),
    *(_Name(f"numpy.{core}.numeric", "_frombuffer") for core in ("core", "_core")),
}

_ACTIONS: dict[bytes, Callable[[_Machine], Any]] = {
    b"\x80": lambda m: m.integer(1),
    b"\x95": lambda m: m.integer(8),
    b"(": lambda m: m.mark(),
    b"N": lambda m: m.push(None),
    b"\x88": lambda m: m.push(True),
    b"\x89": lambda m: m.push(False),
    b"K": lambda m: m.push(m.integer(1)),
    b"M": lambda m: m.push(m.integer(2)),
    b"J": lambda m: m.push(m.integer(4, signed=True)),
    b"\x8a": lambda m: m.push(m.long()),
    b"G": lambda m: m.push(m.real()),
    b"\x8c": lambda m: m.push(m.text(m.integer(1))),
    b"X": lambda m: m.push(m.text(m.integer(4))),
    b"\x8d": lambda m: m.push(m.text(m.integer(8))),
    b"C": lambda m: m.push(m.span(m.integer(1))),
    b"B": lambda m: m.push(m.span(m.integer(4))),
    b"\x8e": lambda m: m.push(m.span(m.integer(8))),
    b"\x96": lambda m: m.push(m.span(m.integer(8))),
    b"}": lambda m: m.push({}),
    b"]": lambda m: m.push([]),
    b")": lambda m: m.push(()),
    b"\x85": lambda m: m.push(tuple(m.top(1))),
    b"\x86": lambda m: m.push(tuple(m.top(2))),
    b"\x87": lambda m: m.push(tuple(m.top(3))),
    b"t": lambda m: m.push(tuple(m.to_mark())),
    b"l": lambda m: m.push(m.to_mark()),
    b"a": lambda m: m.append(m.top(1)),
    b"e": lambda m: m.append(m.to_mark()),
    b"s": lambda m: m.set_items(m.top(2)),
    b"u": lambda m: m.set_items(m.to_mark()),
    b"q": lambda m: m.memoize(m.integer(1)),
    b"r": lambda m: m.memoize(m.integer(4)),
    b"\x94": lambda m: m.memoize(),
    b"h": lambda m: m.recall(m.integer(1)),
    b"j": lambda m: m.recall(m.integer(4)),
    b"c": lambda m: m.name(m.line(), m.line()),
    b"\x93": lambda m: m.name(*m.top(2)),
    b"R": lambda m: m.reduce(),
    b"b": lambda m: m.build(),
}
