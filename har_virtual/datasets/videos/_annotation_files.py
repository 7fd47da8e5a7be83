"""What the readers of annotation files share: where the files lie, rows of CSV, times, and stretches of a video."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from har_virtual.datasets.videos.base import Annotation
from har_virtual.exceptions import DataFormatError

_MEND = "Mend the annotation, or pass errors='warn' to leave it out."


class Row(NamedTuple):
    """Fields of a row by the names of their columns; `where` is file and line."""

    where: str
    fields: dict[str, str]


def find_files(
    home: Path, pattern: re.Pattern[str], below: Collection[str], fits: Callable[[Path], bool] = Path.is_file
) -> list[Path]:
    """Give the files whose names match as a whole, in `home` or else in the first folder `below` that has some."""
    for folder in (home, *(home / name for name in below)):
        if folder.is_dir():
            files = sorted(path for path in folder.iterdir() if pattern.fullmatch(path.name) and fits(path))
            if files:
                return files
    return []


def newest_files(home: Path, pattern: re.Pattern[str], below: Collection[str]) -> list[Path]:
    """Give those of `find_files` that have the highest version, the first group of the pattern, such as "2.2"."""
    versions = {}
    for path in find_files(home, pattern, below):
        match = pattern.fullmatch(path.name)
        versions[path] = tuple(map(int, re.findall(r"[0-9]+", match[1]))) if match else ()
    return [path for path, version in versions.items() if version == max(versions.values())]


def annotation_fault(where: str, why: str) -> DataFormatError:
    """Give the error of an annotation that makes no sense by itself."""
    return DataFormatError(f"{where}: {why}. {_MEND}")


def read_rows(path: Path, needed: Collection[str]) -> Iterator[Row | DataFormatError]:
    """Read a table in CSV whose first line names its columns; empty lines are none.

    A row of another length is yielded as an error.

    Raises
    ------
    DataFormatError
        If a column of `needed` is not there, or a line is no text; with file and line.
    """
    with path.open("rb") as file:
        reader = csv.reader(_lines(file, path))
        columns = _next(reader, path) or []
        missing = [name for name in needed if name not in columns]
        if missing:
            raise DataFormatError(
                f"{path}, line 1: column {', '.join(missing)} is missing; there is {', '.join(columns) or 'none'}. Get "
                "the file anew."
            )
        while (values := _next(reader, path)) is not None:
            where = f"{path}, line {reader.line_num}"
            if values and len(values) != len(columns):
                yield annotation_fault(where, f"{len(values)} fields where {len(columns)} are needed")
            elif values:
                yield Row(where, dict(zip(columns, values, strict=True)))


def _lines(file: BinaryIO, path: Path) -> Iterator[str]:
    for number, line in enumerate(file, start=1):
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError:
            raise DataFormatError(f"{path}, line {number}: the line is no text. Get the file anew.") from None
        yield text.removeprefix("\ufeff") if number == 1 else text


def _next(reader: Any, path: Path) -> list[str] | None:
    try:
        return next(reader, None)
    except csv.Error as error:
        raise DataFormatError(f"{path}, line {reader.line_num}: {error}. Get the file anew.") from None


def to_seconds(text: str) -> float:
    """Give a time; `ValueError` if it is no finite number."""
    # Python reads 1_0 and full-width digits, which no file of numbers has.
    value = float(text) if text.isascii() and "_" not in text else math.nan
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def within_video(note: Annotation, length_s: float) -> Annotation | DataFormatError:
    """End an annotation with its video; one that starts no earlier than that is given as an error."""
    if note.start_s >= length_s:
        return annotation_fault(
            note.where, f"the clip of {note.video} starts at {note.start_s:g} s, and the video lasts {length_s:g} s"
        )
    return note if note.stop_s is None else note._replace(stop_s=min(note.stop_s, length_s))


def youtube_address(video: str) -> str:
    """Give where a video is or was to be seen."""
    return f"https://www.youtube.com/watch?v={video}"
