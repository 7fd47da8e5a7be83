"""Tables of numbers in text, of any length: read block by block, and what is wrong is found by its line."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, TypeVar

import numpy as np

from har_virtual.exceptions import DataFormatError

if TYPE_CHECKING:
    import polars as pl

_BLOCK_BYTES = 1 << 22
_MIN_BLOCK_BYTES, _N_BLOCKS = 1 << 21, 40
_PIECE_BYTES = 1 << 17
_N_AT_ONCE = 3
_NAMELESS = ""
# As R writes it.
_NOT_KNOWN = "NA"
# Later lines may be shorter than the first ones.
_SPARE = 1.05
_SHOWN_CHARACTERS = 40

_T = TypeVar("_T")


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
    holes : bool, default=False
        Whether an empty field is a missing value: NaN, or an empty text. If so, NA in place of a number is one,
        too, and numbers may stand between quotes.
    decimal : {".", ","}, default="."
        What stands before the decimals of a number.
    """

    columns: tuple[str, ...]
    separator: str = ","
    header: bool = True
    holes: bool = False
    decimal: str = "."


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
    first_line: int = 1,
    advice: str = "The file is damaged or not the published one; get it anew.",
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
    first_line : int, default=1
        Number of the line at which the source stands.
    advice : str
        What a message about a line ends with.

    Raises
    ------
    DataFormatError
        Names the line of an empty or superfluous field, text in place of a number, an infinite number, a wrong header,
        or says that there is no row.
    """
    where = str(source) if where is None else where
    wanted = _Wanted(layout, tuple(numbers), tuple(exact), tuple(texts))
    with source.open("rb") if isinstance(source, Path) else nullcontext(source) as file:
        line = first_line
        if layout.header:
            _check_header(file.readline(), layout, where)
            line += 1
        wanted = wanted._replace(layout=_with_trailing_separator(file, layout))
        whole = _Whole(wanted, _bytes_left(file))
        for block, frame in _in_order(lambda block: (block, _parse(block, wanted)), _whole_lines(file)):
            if frame is None or not whole.add(frame, len(block)):
                fault = _find_fault(block, wanted)
                raise DataFormatError(f"{where}, line {line + fault.row}: {fault.why}. {advice}")
            line += len(frame)
    if not whole.n_rows:
        raise DataFormatError(f"{where}: there is no row of data; the file may be cut short. Get it anew.")
    return whole.table()


class _Wanted(NamedTuple):
    layout: TextFormat
    numbers: tuple[str, ...]
    exact: tuple[str, ...]
    texts: tuple[str, ...]

    @property
    def kinds(self) -> dict[str, str]:
        """Kind of each column to read; the last one is always read, so that a short row shows."""
        last = [name for name in self.layout.columns if name != _NAMELESS][-1]
        kinds = {last: "text"}
        kinds |= dict.fromkeys(self.texts, "text") | dict.fromkeys(self.exact, "exact")
        return kinds | dict.fromkeys(self.numbers, "number")


def _with_trailing_separator(file: BinaryIO, layout: TextFormat) -> TextFormat:
    """Add a nameless last column, which nobody reads, if the first row ends with a separator."""
    if layout.header or not file.seekable():
        return layout
    start = file.tell()
    fields = file.readline().rstrip(b"\r\n").split(layout.separator.encode())
    file.seek(start)
    trailing = len(fields) == len(layout.columns) + 1 and not fields[-1]
    return replace(layout, columns=(*layout.columns, _NAMELESS)) if trailing else layout


def _check_header(line: bytes, layout: TextFormat, where: str) -> None:
    found = line.rstrip(b"\r\n").decode("utf-8", "replace").removeprefix("\ufeff").split(layout.separator)
    missing = [name for name in layout.columns if name not in found]
    if missing:
        raise DataFormatError(
            f"{where}, line 1: column {', '.join(missing)} is missing; the line is {_shown(line)}. Get the file anew."
        )
    extra = [name for name in found if name not in layout.columns]
    if tuple(found) != layout.columns:
        what = f"there is a column {', '.join(map(repr, extra))} too many" if extra else "they are in another order"
        raise DataFormatError(
            f"{where}, line 1: the columns must be {layout.separator.join(layout.columns)}; {what}. Get the file anew."
        )


class _Fault(NamedTuple):
    """What is wrong in a block, and in which of its rows."""

    row: int
    why: str


def _bytes_left(file: BinaryIO) -> int:
    if not file.seekable():
        return 0
    start = file.tell()
    stop = file.seek(0, io.SEEK_END)
    file.seek(start)
    return stop - start


def _whole_lines(file: BinaryIO) -> Iterator[bytes]:
    """Blocks that end where a line does."""
    # Small blocks for small files, so that what is under way is little beside the result.
    size = min(max(_bytes_left(file) // _N_BLOCKS, _MIN_BLOCK_BYTES), _BLOCK_BYTES)
    while block := file.read(size):
        yield block if block.endswith(b"\n") else block + file.readline()


def _in_order(work: Callable[[bytes], _T], blocks: Iterator[bytes]) -> Iterator[_T]:
    """Work on some blocks at once, for none of reading, parsing and copying keeps every processor busy; in order."""
    first = next(blocks, None)
    second = next(blocks, None)
    if first is None or second is None:
        yield from map(work, [] if first is None else [first])
        return
    with ThreadPoolExecutor(_N_AT_ONCE) as pool:
        pending = deque([pool.submit(work, first), pool.submit(work, second)])
        del first, second
        for block in blocks:
            pending.append(pool.submit(work, block))
            if len(pending) > _N_AT_ONCE:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


def _parse(block: bytes, wanted: _Wanted) -> pl.DataFrame | None:
    """Give the columns that are wanted; None if something is wrong."""
    import polars as pl

    # polars leaves out a first line that is empty.
    if block.startswith((b"\n", b"\r")):
        return None
    layout = wanted.layout
    # Quotes are looked for only where there must be some, for they slow down the reading.
    for quote in (None, '"') if layout.holes else (None,):
        with suppress(pl.exceptions.PolarsError, UnicodeDecodeError):
            frame = _read_csv(block, wanted, quote)
            whole = layout.holes or not sum(frame.null_count().row(0))
            if whole and _count(block, layout.separator) == len(frame) * (len(layout.columns) - 1):
                return frame
    return None


def _read_csv(block: bytes, wanted: _Wanted, quote: str | None) -> pl.DataFrame:
    import polars as pl

    types = {"text": pl.String, "exact": pl.Float64, "number": pl.Float32}
    kinds, layout = wanted.kinds, wanted.layout
    return pl.read_csv(
        io.BytesIO(block),
        has_header=False,
        # polars reads no field that was not asked for.
        columns=[column for column, name in enumerate(layout.columns) if name in kinds],
        schema={name: types[kinds.get(name, "text")] for name in layout.columns},
        separator=layout.separator,
        quote_char=quote,
        null_values={name: _NOT_KNOWN for name, kind in kinds.items() if kind == "number"} if layout.holes else None,
        decimal_comma=layout.decimal == ",",
    )


def _count(block: bytes, character: str) -> int:
    """Count a character: by pieces that stay in the processor, for it is everywhere."""
    values, code = np.frombuffer(block, dtype=np.uint8), ord(character)
    pieces = range(0, len(values), _PIECE_BYTES)
    return int(sum(np.count_nonzero(values[start : start + _PIECE_BYTES] == code) for start in pieces))


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
        shown = f"{_shown(line)} (separator {wanted.layout.separator!r})"
        return f"{len(fields)} fields where {len(columns)} are needed: {shown}"
    for name, kind in wanted.kinds.items():
        field = fields[columns.index(name)]
        if wanted.layout.holes:
            quoted = len(field) > 1 and field[0] == field[-1] == '"'
            field = field[1:-1] if quoted else field
            if not field.strip() or (kind == "number" and field == _NOT_KNOWN):
                continue
        if not field:
            return f"the field of column {name} is empty"
        if kind != "text" and not _is_number(field, kind, wanted.layout.decimal):
            return f"column {name} is {_shown(field)}, which is no finite number"
    return None


def _is_number(field: str, kind: str, decimal: str) -> bool:
    dtype, field = np.float32 if kind == "number" else np.float64, field.replace(decimal, ".")
    # Python reads 1_0 and full-width digits, which no file of numbers has; polars passes over blanks before a number.
    if "_" in field or not field.isascii() or field.lstrip(" \t") != field.strip():
        return False
    try:
        with np.errstate(over="ignore"):
            return not np.isinf(dtype(float(field)))
    except ValueError:
        return False


def _shown(text: bytes | str) -> str:
    text = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return repr(text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "...")


class _Whole:
    """The table, into which blocks are copied as they come, so that it is not held twice.

    Parameters
    ----------
    wanted : _Wanted
    n_bytes : int
        Length of the text, 0 if it is not known: for how many rows there is room from the start.
    """

    def __init__(self, wanted: _Wanted, n_bytes: int) -> None:
        self.n_rows = 0
        self._wanted = wanted
        self._n_bytes = n_bytes
        self._arrays: list[np.ndarray] = [
            np.empty((0, len(wanted.numbers)), np.float32),
            *(np.empty(0) for _ in wanted.exact),
        ]
        self._texts: dict[str, list[np.ndarray]] = {name: [] for name in wanted.texts}

    def add(self, frame: pl.DataFrame, n_bytes: int) -> bool:
        """Copy the rows of a block of `n_bytes`; False if a number is infinite."""
        start, self.n_rows = self.n_rows, self.n_rows + len(frame)
        if self.n_rows > len(self._arrays[0]):
            expected = len(frame) * self._n_bytes / n_bytes
            spare = 2 if start else _SPARE if expected > len(frame) else 1
            self._make_room(start, int(spare * max(expected, self.n_rows)))
        added = [array[start : self.n_rows] for array in self._arrays]
        numbers, *exact = added
        for column, name in enumerate(self._wanted.numbers):
            numbers[:, column] = frame[name].to_numpy()
        for array, name in zip(exact, self._wanted.exact, strict=True):
            array[:] = frame[name].to_numpy()
        for name, blocks in self._texts.items():
            # A label repeats: one object for all of its rows.
            codes, distinct = _factorize(frame[name].fill_null(""))
            blocks.append(distinct[codes])
        return not any(np.isinf(array).any() for array in added)

    def _make_room(self, n_kept: int, n_rows: int) -> None:
        for number, array in enumerate(self._arrays):
            # Rows that are never written to take no memory.
            roomy = np.empty((n_rows, *array.shape[1:]), dtype=array.dtype)
            roomy[:n_kept] = array[:n_kept]
            self._arrays[number] = roomy

    def table(self) -> TextTable:
        for array in self._arrays:
            if len(array) > self.n_rows:
                array.resize((self.n_rows, *array.shape[1:]), refcheck=False)
        numbers, *exact = self._arrays
        texts = {name: np.concatenate(blocks) for name, blocks in self._texts.items()}
        return TextTable(numbers, dict(zip(self._wanted.exact, exact, strict=True)), texts)
