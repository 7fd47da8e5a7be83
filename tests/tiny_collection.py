"""A collection of labelled videos in one table, for tests of what works on any collection."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from har_virtual.datasets.videos import Annotation, FileName, VideoCollection
from har_virtual.exceptions import DataFormatError

FILE = "notes.csv"


class TinyCollection(VideoCollection):
    """Lines ``video,class,start,stop,person,split`` in one file; an empty field is unknown."""

    name = "tiny_videos"
    title = "Tiny Videos"
    example = FILE
    folders = ("Tiny",)
    splits = ("train", "test")

    def is_home(self, folder: Path) -> bool:
        return (folder / FILE).is_file()

    def describe(self) -> str:
        return "# Tiny Videos\n\n## How to get it\n\nFrom nowhere."

    def classes(self, home: Path) -> list[str]:
        return ["walk_slowly", "iron", "sing"]

    def read(self, home: Path, wanted: Collection[str]) -> Iterator[Annotation | DataFormatError]:
        for number, line in enumerate((home / FILE).read_text(encoding="utf-8").splitlines(), start=1):
            where = f"{home / FILE}, line {number}"
            fields = [field or None for field in line.split(",")]
            if len(fields) != 6:
                yield DataFormatError(f"{where}: {len(fields)} fields, not 6.")
                continue
            video, name, start, stop, subject, split = fields
            if name in wanted:
                yield Annotation(
                    video, name, float(start or 0), None if stop is None else float(stop), subject, split, where
                )

    def file_names(self, annotation: Annotation) -> tuple[FileName, ...]:
        return (FileName(f"{annotation.video}_{annotation.start_s:g}", trimmed=True), FileName(annotation.video))

    def address(self, annotation: Annotation) -> str | None:
        return f"https://videos.example/{annotation.video}"


NOTES = """\
a,walk_slowly,2,7.5,p1,train
b,iron,0,,,train
c,walk_slowly,1,3,p2,test
c,sing,4,5,p2,test
a,iron,10,12,p1,train
"""
LABELS = {"walk_slowly": "walking", "iron": "ironing"}
