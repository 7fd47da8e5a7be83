"""What is there of a collection of labelled videos: files, minutes of each activity, what makes no sense."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from har_virtual.datasets.survey import TOTAL, Survey
from har_virtual.datasets.videos.base import VideoCollection
from har_virtual.datasets.videos.loading import Annotated, Found, find_annotated
from har_virtual.exceptions import VideoError

_ALL = "all"


def survey_collection(collection: VideoCollection, data_home: str | os.PathLike, *, verbose: int = 0) -> Survey:
    """Read all annotations of the classes that have a common label, and look at the videos that are there.

    Parameters
    ----------
    collection : VideoCollection
    data_home : path-like
        As `load_videos` takes it; the videos are looked for below it.
    verbose : int, default=0
        1 for a progress bar.

    Returns
    -------
    Survey
        Files are the annotated videos, by path where they are there and by identifier where not; minutes are of those
        that are there, splits x activities.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    DataFormatError
        If it is another folder, or annotations cannot be read at all.
    """
    from tqdm.auto import tqdm

    found = find_annotated(collection, data_home, errors="warn")
    lengths_s: dict[Path, float] = {}
    damaged = {f"{number}": str(fault) for number, fault in enumerate(found.faults)}
    paths = list(dict.fromkeys(clip.path for clip in found.clips if clip.path is not None))
    for path in tqdm(paths, unit="video", disable=None if verbose else True):
        try:
            lengths_s[path] = _duration_s(path)
        except VideoError as error:
            damaged[str(path)] = str(error)
    spans = [
        (clip.note.split or _ALL, clip.label, _length_s(lengths_s[clip.path], clip))
        for clip in found.clips
        if clip.path in lengths_s
    ]
    labels = list(dict.fromkeys(clip.label for clip in found.clips))
    return Survey(
        name=collection.name,
        title=collection.title,
        home=found.home,
        there=tuple(_relative(path, found.folder) for path in paths),
        missing=tuple(dict.fromkeys(clip.note.video for clip in found.clips if clip.path is None)),
        absent=(),
        damaged=damaged,
        short=_short(collection, found),
        notes=(),
        minutes=_minutes(spans, labels, collection.splits or (_ALL,)),
    )


def _short(collection: VideoCollection, found: Found) -> dict[str, str]:
    """Name the classes of which fewer videos are there than were published, where only the number of those is known."""
    there = Counter(clip.note.name for clip in found.clips if clip.path is not None)
    known = {name: collection.published_videos(name) for name in found.classes}
    return {
        name: f"{name}: {there[name]:,} of the {count:,} videos that were published are there."
        for name, count in known.items()
        if count is not None and there[name] < count
    }


def _duration_s(path: Path) -> float:
    from har_virtual.video import probe_video

    return probe_video(path).duration_s


def _length_s(whole_s: float, clip: Annotated) -> float:
    if clip.trimmed:
        return whole_s
    stop_s = whole_s if clip.note.stop_s is None else min(clip.note.stop_s, whole_s)
    return max(0.0, stop_s - clip.note.start_s)


def _relative(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _minutes(spans: Iterable[tuple[str, str, float]], labels: Sequence[str], splits: Sequence[str]) -> pd.DataFrame:
    minutes: dict[tuple[str, str], float] = defaultdict(float)
    for split, label, length_s in spans:
        minutes[split, label] += length_s / 60
    rows = list(dict.fromkeys([*splits, *(split for split, _ in minutes)]))
    table = pd.DataFrame([[minutes[row, label] for label in labels] for row in rows], index=rows, columns=list(labels))
    table[TOTAL] = table.sum(axis=1)
    table.loc[TOTAL] = table.sum(axis=0)
    return table.rename_axis(index="split", columns="class")
