"""Kinetics-700 (Carreira et al., 2019; Smaira et al., 2020): clips of ten seconds from web videos."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from types import MappingProxyType

from har_virtual.datasets.fetch import Source
from har_virtual.datasets.videos._annotation_files import (
    Row,
    annotation_fault,
    find_files,
    read_rows,
    to_seconds,
    youtube_address,
)
from har_virtual.datasets.videos.base import Annotation, FileName, VideoCollection, snake_case
from har_virtual.exceptions import DataFormatError

_FILE = re.compile(r"(?:kinetics[-_]?700(?:[-_]?2020)?[-_])?(train|val|validate|test)\.csv")
_BELOW = ("annotations", "kinetics700_2020", "kinetics700")
_COLUMNS = ("youtube_id", "time_start", "time_end")


class _Kinetics700(VideoCollection):
    name = "kinetics700"
    title = "Kinetics-700"
    example = "train.csv"
    splits = ("train", "validate", "test")
    other_names = MappingProxyType({"val": "validate"})
    source = Source(
        url="https://storage.googleapis.com/deepmind-media/Datasets/kinetics700_2020.tar.gz",
        file_name="kinetics700_2020.tar.gz",
        size_bytes=None,
        sha256=None,
        licence="annotations: CC BY 4.0 (recalled); the videos are their uploaders'",
        page="https://github.com/cvdfoundation/kinetics-dataset",
    )

    def is_home(self, folder: Path) -> bool:
        return bool(_find(folder))

    def why_no_home(self, folder: Path) -> str:
        return "; ".join(filter(None, map(_lacking, find_files(folder, _FILE, _BELOW))))

    def published(self) -> list[str]:
        return [f"kinetics700_2020/{split}.csv" for split in self.splits]

    def classes(self, home: Path) -> list[str]:
        rows = (row for path in _find(home) for row in read_rows(path, _COLUMNS) if isinstance(row, Row))
        return sorted({_class_of(row) for row in rows} - {""})

    def read(self, home: Path, wanted: Collection[str]) -> Iterator[Annotation | DataFormatError]:
        for path in _find(home):
            match = _FILE.fullmatch(path.name)
            for row in read_rows(path, _COLUMNS):
                if not isinstance(row, Row):
                    yield row
                elif _class_of(row) in wanted:
                    yield _read_row(row, match[1] if match else "")

    def file_names(self, annotation: Annotation) -> tuple[FileName, ...]:
        video, start, stop = annotation.video, int(annotation.start_s), int(annotation.stop_s or 0)
        return (
            FileName(f"{video}_{start:06d}_{stop:06d}", trimmed=True),
            FileName(f"{video}_{start}_{stop}", trimmed=True),
            FileName(video),
        )

    def address(self, annotation: Annotation) -> str | None:
        return youtube_address(annotation.video)


KINETICS700 = _Kinetics700()
"""Kinetics-700 or its edition of 2020: 700 classes, of which some have a common label. ``KINETICS700.describe()``."""


def _find(home: Path) -> list[Path]:
    """Annotation files; others may have the same names, such as train.csv."""
    return find_files(home, _FILE, _BELOW, _names_videos)


def _names_videos(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return b"youtube_id" in file.readline(1000)


def _lacking(path: Path) -> str:
    try:
        next(read_rows(path, ("label", *_COLUMNS)), None)
    except DataFormatError as error:
        return str(error).rstrip(".")
    return ""


def _class_of(row: Row) -> str:
    # Files of test videos whose classes are held back have no such column.
    return snake_case(row.fields.get("label", ""))


def _read_row(row: Row, split: str) -> Annotation | DataFormatError:
    video = row.fields["youtube_id"].strip()
    split = row.fields.get("split") or split
    split = KINETICS700.other_names.get(split, split)
    if not video or split not in KINETICS700.splits:
        return annotation_fault(row.where, f"youtube_id is {video!r} and split {split!r}, one of which is none")
    times = row.fields["time_start"], row.fields["time_end"]
    try:
        start_s, stop_s = map(to_seconds, times)
    except ValueError:
        return annotation_fault(
            row.where, f"the clip of {video} is from {times[0]!r} to {times[1]!r}, which is no time"
        )
    return Annotation(video, _class_of(row), start_s, stop_s, split=split, where=row.where)
