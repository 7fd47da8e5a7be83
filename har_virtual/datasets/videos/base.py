"""What every collection of labelled videos has in common: annotations, and the names of its files."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar, NamedTuple

from har_virtual.datasets.catalogue import Catalogued
from har_virtual.exceptions import DataFormatError


class Annotation(NamedTuple):
    """What one person says is to be seen in a stretch of a video.

    `video` is the identifier that the annotation has, `name` the collection's own class in lower snake_case, the
    stretch is half-open, `stop_s` None its end; `subject` is None where nobody is named: all clips of the video are
    then one group. `where` is file and line, for messages.
    """

    video: str
    name: str
    start_s: float = 0.0
    stop_s: float | None = None
    subject: str | None = None
    split: str | None = None
    where: str = ""


class FileName(NamedTuple):
    """A name, without suffix, that a video may have on disk, and whether that file holds the stretch alone."""

    stem: str
    trimmed: bool = False


class VideoCollection(Catalogued):
    """Labelled videos on disk. Subclasses say where their annotations lie, how they are read, how files are called."""

    splits: ClassVar[tuple[str, ...]] = ()
    """As the annotations divide the videos."""
    other_names: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """What some files call a split, and which one it is."""

    @abstractmethod
    def classes(self, home: Path) -> list[str]:
        """Give all own classes, in lower snake_case, in the collection's order."""

    @abstractmethod
    def read(self, home: Path, wanted: Collection[str]) -> Iterator[Annotation | DataFormatError]:
        """Read the annotations of some own classes.

        One that makes no sense by itself is yielded as a `DataFormatError` that names file and line, and the rest goes
        on; a file that cannot be read at all raises it.
        """

    def file_names(self, annotation: Annotation) -> tuple[FileName, ...]:
        """Give the names under which the video may lie, best first."""
        return (FileName(annotation.video),)

    def fits(self, annotation: Annotation, path: Path) -> bool:
        """Tell whether a file that has one of these names may be the video, as far as its path tells."""
        return True

    def published_videos(self, name: str) -> int | None:
        """Give how many videos of an own class were published, where that is known and no annotations list them."""
        return None

    def unlisted(self, home: Path, wanted: Collection[str]) -> list[str]:
        """Say, in sentences, why it is not known which videos of some own classes are missing, where that is so."""
        return []

    def address(self, annotation: Annotation) -> str | None:
        """Give where the video can be seen on the net, if anywhere."""
        return None

    def advice_if_cut(self) -> str:
        """Say what to try where stretches start after their videos end."""
        return ""

    def advice_if_none(self) -> str:
        """Say what to try where there is no annotation of what was asked for."""
        return ""


@lru_cache(maxsize=4096)
def snake_case(name: str) -> str:
    """Give the name of a class in lower snake_case: letters and digits, anything else one underscore."""
    return "_".join("".join(c if c.isascii() and c.isalnum() else " " for c in name.lower()).split())
