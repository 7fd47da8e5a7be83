"""Tables of numbers in text, of any length: read block by block, and what is wrong is found by its line."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np

from har_virtual.exceptions import DataFormatError

if TYPE_CHECKING:
    import polars as pl

_BLOCK_BYTES = 1 << 23
_PIECE_BYTES = 1 << 17
_N_AT_ONCE = 3
_SHOWN_CHARACTERS = 40


@dataclass(frozen=True)
class TextFormat:
    """A table in text.

    Parameters
    ----------
    columns : tuple of str
        Every column, in order.
    separator : str, default=","
        One character between two fields.
    header : bool, default=True
        Whether the first line holds exactly the names of `columns`.
    """

    columns: tuple[str, ...]
    separator: str = ","
    header: bool = True


class TextTable(NamedTuple):
    """Columns of a table: float32 (n_rows, n_columns); float64 by name; text by name, object arrays."""

    numbers: np.ndarray
    exact: dict[str, np.ndarray]
    texts: dict[str, np.ndarray]


def read_text(
    source: Path | BinaryIO,
    layout: TextFormat,
    *,
    numbers: Sequence[str],
    exact: Sequence[str] = (),
    texts: Sequence[str] = (),
    where: str | None = None,
) -> TextTable:
    """Read some columns of a table in text.

    "NaN" in any case is a number. Lines end in LF or CR LF, the last one may lack its end.

    Parameters
    ----------
    source : Path or binary file
    layout : TextFormat
    numbers : sequence of str
        Columns to give as one float32 matrix; infinite values are an error.
    exact : sequence of str
        Columns to give as float64: times, identifiers.
    texts : sequence of str
        Columns to give as text.
    where : str, optional
        What the source is called in messages; default: its path.

    Raises
    ------
    DataFormatError
        Names the line of an empty or superfluous field, text in place of a number, an infinite number, a wrong header,
        or says that there is no row.
    """
    where = str(source) if where is None else where
    wanted = _Wanted(layout, tuple(numbers), tuple(exact), tuple(texts))
    with source.open("rb") if isinstance(source, Path) else nullcontext(source) as file:
        line = 1
        if layout.header:
            _check_header(file.readline(), layout, where)
            line = 2
        tables = []
        for outcome in _in_order(lambda block: _parse(block, wanted), _whole_lines(file)):
            if isinstance(outcome, _Fault):
                raise DataFormatError(
                    f"{where}, line {line + outcome.row}: {outcome.why}. The file is damaged or not the published one."
                )
            tables.append(outcome)
            line += len(outcome.numbers)
    if not tables:
        raise DataFormatError(f"{where}: there is no row of data; the file may be cut short. Get it anew.")
    return _join(tables)


class _Wanted(NamedTuple):
    layout: TextFormat
    numbers: tuple[str, ...]
    exact: tuple[str, ...]
    texts: tuple[str, ...]

    @property
    def kinds(self) -> dict[str, str]:
        """Kind of each column to read; the last one is always read, so that a short row shows."""
        kinds = {self.layout.columns[-1]: "text"}
        kinds |= dict.fromkeys(self.texts, "text") | dict.fromkeys(self.exact, "exact")
        return kinds | dict.fromkeys(self.numbers, "number")


def _check_header(line: bytes, layout: TextFormat, where: str) -> None:
    found = line.rstrip(b"\r\n").decode("utf-8", "replace").removeprefix("\ufeff").split(layout.separator)
    missing = [name for name in layout.columns if name not in found]
    if missing:
        raise DataFormatError(f"{where}, line 1: column {', '.join(missing)} is missing; there is {_shown(line)}.")
    if tuple(found) != layout.columns:
        raise DataFormatError(
            f"{where}, line 1: the columns must be {layout.separator.join(layout.columns)}, not {_shown(line)}."
        )


class _Fault(NamedTuple):
    """What is wrong in a block, and in which of its rows."""

    row: int
    why: str


def _whole_lines(file: BinaryIO) -> Iterator[bytes]:
    """Blocks that end where a line does."""
    if file.seekable():
        start = file.tell()
        while True:
            # Find where the line ends first: a block that is read in one piece is copied once.
            file.seek(start + _BLOCK_BYTES)
            file.readline()
            stop = file.tell()
            file.seek(start)
            block = file.read(stop - start)
            if not block:
                return
            start += len(block)
            yield block
    while block := file.read(_BLOCK_BYTES):
        yield block if block.endswith(b"\n") else block + file.readline()


def _in_order(work: Callable[[bytes], TextTable | _Fault], blocks: Iterator[bytes]) -> Iterator[TextTable | _Fault]:
    """Work on some blocks at once, for none of reading, parsing and copying keeps every processor busy; in order."""
    first = list(islice(blocks, _N_AT_ONCE))
    if len(first) < 2:
        yield from map(work, first)
        return
    with ThreadPoolExecutor(_N_AT_ONCE) as pool:
        pending = deque(pool.submit(work, block) for block in first)
        first.clear()
        for block in blocks:
            yield pending.popleft().result()
            pending.append(pool.submit(work, block))
        while pending:
            yield pending.popleft().result()


def _parse(block: bytes, wanted: _Wanted) -> TextTable | _Fault:
    import polars as pl

    types = {"text": pl.String, "exact": pl.Float64, "number": pl.Float32}
    kinds = wanted.kinds
    columns, separator = wanted.layout.columns, wanted.layout.separator
    frame = None
    # polars leaves out a first line that is empty, and reads no field that was not asked for.
    if not block.startswith((b"\n", b"\r")):
        with suppress(pl.exceptions.PolarsError, UnicodeDecodeError):
            frame = pl.read_csv(
                io.BytesIO(block),
                has_header=False,
                columns=[column for column, name in enumerate(columns) if name in kinds],
                schema={name: types[kinds.get(name, "text")] for name in columns},
                separator=separator,
                quote_char=None,
            )
    if frame is None or sum(frame.null_count().row(0)) or _count(block, separator) != len(frame) * (len(columns) - 1):
        return _find_fault(block, wanted)
    table = _as_table(frame, wanted)
    finite = not np.isinf(table.numbers).any() and not any(np.isinf(column).any() for column in table.exact.values())
    return table if finite else _find_fault(block, wanted)


def _count(block: bytes, character: str) -> int:
    """Count a character: by pieces that stay in the processor, for it is everywhere."""
    values, code = np.frombuffer(block, dtype=np.uint8), ord(character)
    pieces = range(0, len(values), _PIECE_BYTES)
    return int(sum(np.count_nonzero(values[start : start + _PIECE_BYTES] == code) for start in pieces))


def _as_table(frame: pl.DataFrame, wanted: _Wanted) -> TextTable:
    numbers = frame.select(wanted.numbers).to_numpy(order="c").astype(np.float32, copy=False)
    exact = {name: frame[name].to_numpy() for name in wanted.exact}
    texts = {}
    for name in wanted.texts:
        # A label repeats: one object for all of its rows.
        codes, distinct = _factorize(frame[name])
        texts[name] = distinct[codes]
    return TextTable(numbers, exact, texts)


def _factorize(column: pl.Series) -> tuple[np.ndarray, np.ndarray]:
    distinct = column.unique(maintain_order=True).to_list()
    codes = {text: code for code, text in enumerate(distinct)}
    series = column.replace_strict(list(codes), list(codes.values())) if len(distinct) > 1 else None
    numbers = np.zeros(len(column), dtype=np.int64) if series is None else series.to_numpy()
    return numbers, np.array([*distinct, None], dtype=object)[:-1]


def _find_fault(block: bytes, wanted: _Wanted) -> _Fault:
    """Go through the lines of a damaged block for the first bad one."""
    lines = block.split(b"\n")
    for row, line in enumerate(lines[:-1] if block.endswith(b"\n") else lines):
        why = _fault(line.removesuffix(b"\r"), wanted)
        if why:
            return _Fault(row, why)
    return _Fault(0, f"the {len(lines):,} lines from here on cannot be told apart")


def _fault(line: bytes, wanted: _Wanted) -> str | None:
    columns = wanted.layout.columns
    if not line.strip():
        return "the line is empty"
    try:
        fields = line.decode("utf-8").split(wanted.layout.separator)
    except UnicodeDecodeError:
        return f"the line is no text: {_shown(line)}"
    if len(fields) != len(columns):
        return f"{len(fields)} fields where {len(columns)} are needed: {_shown(line)}"
    for name, kind in wanted.kinds.items():
        field = fields[columns.index(name)]
        if not field:
            return f"the field of column {name} is empty"
        if kind != "text" and not _is_number(field, np.float32 if kind == "number" else np.float64):
            return f"column {name} is {_shown(field)}, which is no finite number"
    return None


def _is_number(field: str, dtype: Any) -> bool:
    # Python reads 1_0 and full-width digits, which no file of numbers has.
    if "_" in field or not field.isascii() or field != field.strip():
        return False
    try:
        with np.errstate(over="ignore"):
            return not np.isinf(dtype(float(field)))
    except ValueError:
        return False


def _shown(text: bytes | str) -> str:
    text = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    text = " ".join(text.split())
    return repr(text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "...")


def _join(blocks: list[TextTable]) -> TextTable:
    """One table; blocks are let go one by one, so that no more than one matrix and one block are held."""
    if len(blocks) == 1:
        return blocks[0]
    n_rows = sum(len(block.numbers) for block in blocks)
    exact = {name: np.concatenate([block.exact[name] for block in blocks]) for name in blocks[0].exact}
    texts = {name: np.concatenate([block.texts[name] for block in blocks]) for name in blocks[0].texts}
    numbers = np.empty((n_rows, blocks[0].numbers.shape[1]), dtype=np.float32)
    start = 0
    while blocks:
        block = blocks.pop(0).numbers
        numbers[start : start + len(block)] = block
        start += len(block)
    return TextTable(numbers, exact, texts)
