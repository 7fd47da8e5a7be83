"""Collections whose videos tell by their own names what is to be seen."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from har_virtual.datasets.videos._finding import VIDEO_SUFFIXES, index_videos
from har_virtual.datasets.videos.base import Annotation, VideoCollection
from har_virtual.exceptions import DataFormatError

# How far below the home videos and lists may lie for the folder to be taken for it.
_LEVELS = 2


class Line(NamedTuple):
    """A line of a list: where it stands, for messages, and its text."""

    where: str
    text: str


class NamedVideos(VideoCollection):
    """Videos at any depth below the home, each of which its name tells apart."""

    @abstractmethod
    def annotation(self, path: Path) -> Annotation | None:
        """Give what a video's path tells; None if it is none of the collection's."""

    def is_home(self, folder: Path) -> bool:
        return any(self.annotation(path) for path in _videos_near(folder))

    def read(self, home: Path, wanted: Collection[str]) -> Iterator[Annotation | DataFormatError]:
        for paths in index_videos(home).values():
            for note in map(self.annotation, paths):
                if note is not None and note.name in wanted:
                    yield note

    def fits(self, annotation: Annotation, path: Path) -> bool:
        note = self.annotation(path)
        return note is not None and note.name == annotation.name


def number_of(name: str, number: int, numbers: Collection[int]) -> int:
    """Give a number back if it is one of some, as constructors need it."""
    if isinstance(number, bool) or number not in numbers:
        raise DataFormatError(f"{name} must be one of {', '.join(map(str, numbers))}, not {number!r}.")
    return number


def find_lists(home: Path, pattern: str) -> list[Path]:
    """Give the files of a pattern in the home, or, if there are none, one or two folders below it."""
    for level in range(_LEVELS + 1):
        found = sorted(path for path in home.glob("*/" * level + pattern) if path.is_file())
        if found:
            return found
    return []


def read_lines(path: Path) -> Iterator[Line]:
    """Give the lines of a list, without empty ones; `DataFormatError` if it is no text."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise DataFormatError(f"{path} is no text ({error}); it may be damaged: unpack it anew.") from error
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield Line(f"{path}, line {number}", line.strip())


def as_video(name: str) -> Path | None:
    """Give a video's path as a list has it; None if it is no video's name."""
    path = Path(name)
    return path if path.suffix.lower() in VIDEO_SUFFIXES and path.stem.strip() else None


def _videos_near(folder: Path) -> Iterator[Path]:
    for level in range(_LEVELS + 1):
        for path in folder.glob("*/" * level + "*.*"):
            if path.suffix.lower() in VIDEO_SUFFIXES:
                yield path
