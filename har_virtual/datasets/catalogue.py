"""What everything in the catalogue has: a name, a card, terms, and a home on disk that is found or explained."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from har_virtual.exceptions import DataFormatError

if TYPE_CHECKING:
    from har_virtual.datasets.fetch import Source

# How far above or below the given folder the right one is looked for, to name it in the error.
_LEVELS = 3
_MAX_FOLDERS_SEEN = 300


class Catalogued(ABC):
    """A data set of recordings or a collection of videos: what it is called, where it is from, how its home looks."""

    name: ClassVar[str]
    title: ClassVar[str]
    example: ClassVar[str]
    """A file of it, relative to the home: for messages."""
    folders: ClassVar[tuple[str, ...]] = ()
    """Names that the home may have below `data_home`."""
    source: ClassVar[Source | None] = None
    """Where it is downloaded from; None if a program cannot get it."""

    @abstractmethod
    def is_home(self, folder: Path) -> bool:
        """Tell whether something of it lies in a folder."""

    def why_no_home(self, folder: Path) -> str:
        """Say what is wrong with files in a folder that are called as those of a home; nothing where there are none."""
        return ""

    def published(self) -> list[str]:
        """Give the files of a complete download, relative to the home."""
        return []

    def describe(self) -> str:
        """Give the data set's card."""
        return _card(self.name)

    def find_home(self, data_home: str | os.PathLike) -> Path:
        """Find the folder with the data set's parts: `data_home`, or one of `folders` below it.

        Raises
        ------
        FileNotFoundError
            If there is no such folder.
        DataFormatError
            If it holds nothing of the data set; where a folder above or below does, the message names it.
        """
        given = Path(data_home).expanduser()
        wanted = f"data_home must be the folder that holds {self.example}"
        if not given.is_dir():
            raise FileNotFoundError(f"{given} is no folder; {wanted} of {self.title}.")
        for candidate in (given, *(given / folder for folder in self.folders)):
            if candidate.is_dir() and self.is_home(candidate):
                return candidate
        nearby = next((folder for folder in self._candidates(given) if self._can_be_home(folder)), None)
        if nearby is not None:
            raise DataFormatError(f"{given} is not the home of {self.title}; {wanted}: pass {nearby}.")
        if why := self.why_no_home(given):
            raise DataFormatError(f"{given} is not the home of {self.title}: {why}; {wanted}.")
        empty = "is empty" if not any(given.iterdir()) else f"holds nothing of {self.title}"
        raise DataFormatError(
            f"{given} {empty}; {wanted}. `har-virtual datasets info {self.name}` tells where to get it and its layout."
        )

    def _candidates(self, given: Path) -> Iterator[Path]:
        """Folders near the given one; those that are called as the home before the one that they are in."""
        above = list(given.resolve().parents)
        for folder in _nearby(given):
            if folder in above:
                yield from (folder / name for name in (self.name, *self.folders))
            yield folder

    def _can_be_home(self, folder: Path) -> bool:
        with suppress(OSError):
            return folder.is_dir() and self.is_home(folder)
        return False


def _nearby(folder: Path) -> Iterator[Path]:
    """Folders above, then below: nearest first, not too many."""
    yield from list(folder.resolve().parents)[:_LEVELS]
    level, seen = [folder], 0
    for _ in range(_LEVELS):
        level = [child for parent in level for child in _folders_in(parent)]
        for child in level:
            seen += 1
            if seen > _MAX_FOLDERS_SEEN:
                return
            yield child


def _folders_in(folder: Path) -> list[Path]:
    with suppress(OSError):
        return sorted(child for child in folder.iterdir() if child.is_dir())
    return []


@cache
def _card(name: str) -> str:
    return (files("har_virtual.datasets") / "cards" / f"{name}.md").read_text(encoding="utf-8")
