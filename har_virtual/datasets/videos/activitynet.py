"""ActivityNet (Heilbron et al., 2015): stretches of untrimmed web videos."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from har_virtual.datasets.fetch import Source
from har_virtual.datasets.videos._annotation_files import (
    annotation_fault,
    newest_files,
    within_video,
    youtube_address,
)
from har_virtual.datasets.videos.base import Annotation, FileName, VideoCollection, snake_case
from har_virtual.exceptions import DataFormatError

_FILE = re.compile(r"activity_net\.v([0-9]+-[0-9]+)(?:\.min)?\.json")
_BELOW = ("annotations",)


class _ActivityNet(VideoCollection):
    name = "activitynet"
    title = "ActivityNet"
    example = "activity_net.v1-3.min.json"
    splits = ("training", "validation", "testing")
    source = Source(
        url="https://github.com/activitynet/ActivityNet/raw/master/Evaluation/data/activity_net.v1-3.min.json",
        file_name="activity_net.v1-3.min.json",
        size_bytes=None,
        sha256=None,
        licence="annotations: MIT (that of their repository); the videos are their uploaders'",
        page="http://activity-net.org/download.html",
    )

    def is_home(self, folder: Path) -> bool:
        return bool(newest_files(folder, _FILE, _BELOW))

    def published(self) -> list[str]:
        return [self.example]

    def classes(self, home: Path) -> list[str]:
        names = set()
        for path in newest_files(home, _FILE, _BELOW):
            for entry in _database(path).values():
                for item in _items(entry):
                    names.add(_class_of(item))
        return sorted(names - {""})

    def read(self, home: Path, wanted: Collection[str]) -> Iterator[Annotation | DataFormatError]:
        for path in newest_files(home, _FILE, _BELOW):
            for video, entry in _database(path).items():
                yield from self._read_video(f"{path}, video {video}", video, entry, wanted)

    def _read_video(
        self, where: str, video: str, entry: Any, wanted: Collection[str]
    ) -> Iterator[Annotation | DataFormatError]:
        items = [(n, item) for n, item in enumerate(_items(entry), start=1)]
        chosen = [(n, item) for n, item in items if not (name := _class_of(item)) or name in wanted]
        if not isinstance(entry, dict) or not isinstance(entry.get("annotations"), list):
            yield annotation_fault(where, "it has no list of annotations")
        elif chosen and entry.get("subset") not in self.splits:
            yield annotation_fault(where, f"subset is {entry.get('subset')!r}, none of {', '.join(self.splits)}")
        else:
            for number, item in chosen:
                yield _read_item(f"{where}, annotation {number}", video, entry, item)

    def file_names(self, annotation: Annotation) -> tuple[FileName, ...]:
        return FileName(f"v_{annotation.video}"), FileName(annotation.video)

    def address(self, annotation: Annotation) -> str | None:
        return youtube_address(annotation.video)


ACTIVITYNET = _ActivityNet()
"""ActivityNet 1.3, or 1.2: 200 classes, of which six have a common label. See its card: ``ACTIVITYNET.describe()``."""


def _database(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except json.JSONDecodeError as error:
        raise DataFormatError(
            f"{path}, line {error.lineno}, column {error.colno}: {error.msg}. The file may be cut short; get it anew."
        ) from None
    except (ValueError, RecursionError) as error:
        raise DataFormatError(f"{path}: no JSON text ({error}). Get the file anew.") from None
    database = document.get("database") if isinstance(document, dict) else None
    if not isinstance(database, dict):
        raise DataFormatError(f"{path}: there is no object 'database', which has the videos. Get the file anew.")
    return database


def _items(entry: Any) -> list[Any]:
    items = entry.get("annotations") if isinstance(entry, dict) else None
    return items if isinstance(items, list) else []


def _class_of(item: Any) -> str:
    label = item.get("label") if isinstance(item, dict) else None
    return snake_case(label) if isinstance(label, str) else ""


def _read_item(where: str, video: str, entry: dict[str, Any], item: Any) -> Annotation | DataFormatError:
    name = _class_of(item)
    if not name:
        return annotation_fault(where, "it has no label")
    segment = item.get("segment")
    if not isinstance(segment, list) or len(segment) != 2 or not all(map(_is_time, segment)):
        return annotation_fault(where, f"segment is {segment!r}, which is not two times in seconds")
    duration_s = entry.get("duration", math.inf)
    if duration_s is not math.inf and not (_is_time(duration_s) and duration_s > 0):
        return annotation_fault(where, f"duration is {duration_s!r}, which is no length in seconds")
    note = Annotation(video, name, float(segment[0]), float(segment[1]), split=entry["subset"], where=where)
    return within_video(note, duration_s)


def _is_time(value: Any) -> bool:
    # A whole number of JSON may be too long for a float.
    return isinstance(value, int | float) and not isinstance(value, bool) and -1e9 < value < 1e9
