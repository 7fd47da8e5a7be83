"""Charades (Sigurdsson et al., 2016): people at home, who act out what somebody else wrote."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from har_virtual.datasets.fetch import Source
from har_virtual.datasets.videos._annotation_files import (
    Row,
    annotation_fault,
    find_files,
    read_rows,
    to_seconds,
    within_video,
)
from har_virtual.datasets.videos.base import Annotation, VideoCollection, snake_case
from har_virtual.exceptions import DataFormatError

_FILE = re.compile(r"Charades_v1_(train|test)\.csv")
_CLASSES = "Charades_v1_classes.txt"
_BELOW = ("Charades", "annotations", "annotations/Charades")
_COLUMNS = ("id", "subject", "actions", "length")
_CLASS = re.compile(r"(c[0-9]{3})\s+(\S.*)")


class _Charades(VideoCollection):
    name = "charades"
    title = "Charades"
    example = "Charades_v1_train.csv"
    splits = ("train", "test")
    source = Source(
        url="https://ai2-public-datasets.s3-us-west-2.amazonaws.com/charades/Charades.zip",
        file_name="Charades.zip",
        size_bytes=3_519_822,
        sha256=None,
        licence="non-commercial use: https://prior.allenai.org/projects/data/charades/license.txt",
        page="https://prior.allenai.org/projects/charades",
    )

    def is_home(self, folder: Path) -> bool:
        return bool(find_files(folder, _FILE, _BELOW))

    def published(self) -> list[str]:
        return ["Charades/Charades_v1_train.csv", "Charades/Charades_v1_test.csv", f"Charades/{_CLASSES}"]

    def classes(self, home: Path) -> list[str]:
        return list(_class_names(home).values())

    def read(self, home: Path, wanted: Collection[str]) -> Iterator[Annotation | DataFormatError]:
        names = _class_names(home)
        for path in find_files(home, _FILE, _BELOW):
            match = _FILE.fullmatch(path.name)
            for row in read_rows(path, _COLUMNS):
                if isinstance(row, Row):
                    yield from _read_video(row, match[1] if match else None, names, wanted)
                else:
                    yield row


CHARADES = _Charades()
"""Charades: 157 classes, of which 14 have a common label, by 267 people. See its card: ``CHARADES.describe()``."""


def _class_names(home: Path) -> dict[str, str]:
    """Own names by their codes, such as "c097"."""
    path = find_files(home, _FILE, _BELOW)[0].with_name(_CLASSES)
    if not path.is_file():
        raise DataFormatError(f"{path} is missing, which names the classes; it is in Charades.zip beside the others.")
    names: dict[str, str] = {}
    for number, line in enumerate(path.read_bytes().split(b"\n"), start=1):
        text = line.decode("utf-8", "replace").strip()
        match = _CLASS.fullmatch(text)
        name = snake_case(match[2]) if match else ""
        if text and (match is None or not name or match[1] in names or name in names.values()):
            raise DataFormatError(
                f"{path}, line {number}: {text[:60]!r} is no code with a name of its own, such as 'c008 Opening a "
                "door'. Get the file anew."
            )
        if match:
            names[match[1]] = name
    return names


def _read_video(
    row: Row, split: str | None, names: Mapping[str, str], wanted: Collection[str]
) -> Iterator[Annotation | DataFormatError]:
    video, length = row.fields["id"].strip(), row.fields["length"]
    for action in filter(None, map(str.strip, row.fields["actions"].split(";"))):
        try:
            code, start, stop = action.split()
            times_s = to_seconds(start), to_seconds(stop)
            name = names[code]
        except (ValueError, KeyError):
            yield annotation_fault(row.where, f"{action!r} of {video} is not a class with start and end in seconds")
            continue
        if name not in wanted:
            continue
        try:
            length_s = to_seconds(length)
        except ValueError:
            yield annotation_fault(row.where, f"the length of {video} is {length!r}, which is no number of seconds")
            continue
        subject = row.fields["subject"].strip() or None
        yield within_video(Annotation(video, name, *times_s, subject=subject, split=split, where=row.where), length_s)
