"""What the paths of somebody's files say: who, when, which device, and what was done."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from har_virtual.exceptions import DataFormatError
from har_virtual.imu import SITES

_TOKEN = re.compile(r"\{([^{}/]*)\}|\*\*/|\*\*|\*")
_WILDCARDS = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*"}


class FileName(NamedTuple):
    """A file relative to the home, with forward slashes, and what its path says."""

    file: str
    fields: dict[str, str]


class PathPattern:
    """A pattern of paths: ``{subject}/{session}_{site}.csv``; ``*`` and ``**`` stand for whatever there is.

    A field is as short as the rest of the pattern allows, and within one folder or file name. What stands twice must be
    the same twice. Names that start with a dot do not match.

    Parameters
    ----------
    pattern : str
    sites : collection of str
        Names of sites that are recognised although they hold what stands between fields, beside those of `SITES`.

    Raises
    ------
    DataFormatError
        If the pattern is no relative path, or its braces hold no names.
    """

    def __init__(self, pattern: str, sites: Collection[str] = ()) -> None:
        self.text = _checked(pattern)
        self.fields: tuple[str, ...] = ()
        known = sorted({*SITES, *sites}, key=len, reverse=True)
        self._site = "|".join([*map(re.escape, known), "[^/]+?"])
        self._depth = None if "**" in pattern else pattern.count("/")
        self._regex = re.compile("".join(self._translate()))

    def _translate(self) -> Iterator[str]:
        end = 0
        for token in _TOKEN.finditer(self.text):
            yield re.escape(self.text[end : token.start()])
            end = token.end()
            yield _WILDCARDS[token[0]] if token[1] is None else self._field(token[1])
        yield re.escape(self.text[end:])

    def _field(self, name: str) -> str:
        if name in self.fields:
            return f"(?P={name})"
        self.fields = (*self.fields, name)
        return f"(?P<{name}>{self._site if name == 'site' else '[^/]+?'})"

    def match(self, file: str) -> dict[str, str] | None:
        """Give what a path says by the names of the fields; None if it is another path."""
        found = self._regex.fullmatch(file)
        return None if found is None else found.groupdict()

    def find(self, home: Path) -> list[FileName]:
        """Give the files below a folder that match, sorted, numbers in them by their value."""
        matches = ((file, self.match(file)) for file in files_below(home, self._depth))
        return sorted(
            (FileName(file, fields) for file, fields in matches if fields is not None), key=lambda n: in_order(n.file)
        )


def files_below(home: Path, depth: int | None = None) -> Iterator[str]:
    """Give the files in a folder and `depth` folders down, all if None; none whose name starts with a dot."""
    # A link may lead back up, which ends where there is a depth.
    for folder, folders, files in os.walk(home, followlinks=depth is not None):
        where = Path(folder).relative_to(home)
        deepest = depth is not None and len(where.parts) >= depth
        folders[:] = [] if deepest else sorted(name for name in folders if not name.startswith("."))
        yield from ((where / name).as_posix() for name in sorted(files) if not name.startswith("."))


def in_order(name: str) -> list[tuple[int, str]]:
    """Give a sort key by which s10 comes after s9."""
    return [
        (int(part), "") if part.isascii() and part.isdigit() else (-1, part)
        for part in re.split(r"([0-9]+)", name)
        if part
    ]


def _checked(pattern: str) -> str:
    parts = pattern.split("/")
    if not pattern or "\\" in pattern or "" in parts or {".", ".."} & set(parts):
        raise DataFormatError(
            f"pattern {pattern!r} must be a path below root with forward slashes, such as "
            "'{subject}/{session}.csv'."
        )
    names = [token[1] for token in _TOKEN.finditer(pattern) if token[1] is not None]
    wrong = [name for name in names if not (name.isascii() and name.isidentifier())]
    if wrong or re.search(r"[{}]", _TOKEN.sub("", pattern)):
        raise DataFormatError(
            f"pattern {pattern!r}: a field is a name in braces, such as {{subject}}, {{session}}, {{site}} or "
            f"{{activity}}{f', not {{{wrong[0]}}}' if wrong else ''}."
        )
    return pattern
