"""What is there of a collection of labelled videos: files, minutes of each activity, what makes no sense."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from har_virtual.datasets.labels import has_common_labels
from har_virtual.datasets.survey import TOTAL, Survey, union_s
from har_virtual.datasets.videos._finding import Annotated, Found, Labels, Wanted, find_annotated
from har_virtual.datasets.videos.base import VideoCollection
from har_virtual.exceptions import VideoError

_ALL = "all"


def survey_collection(collection: VideoCollection, data_home: str | os.PathLike, *, verbose: int = 0) -> Survey:
    """Read all annotations of the classes that have a common label, and look at the videos that are there.

    Of a collection that `label_table` lacks these are all classes.

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
        that are there, splits x activities; a second of a video that is annotated twice with one label counts once.
        Videos that end before a stretch of theirs starts are cut short, and so is what has no list of its videos.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    DataFormatError
        If it is another folder, or annotations cannot be read at all.
    """
    from tqdm.auto import tqdm

    labels: Labels = "common" if has_common_labels(collection.name) else "own"
    found = find_annotated(collection, data_home, Wanted(labels, errors="warn"))
    lengths_s: dict[Path, float] = {}
    damaged = {f"annotation {number}": str(fault) for number, fault in enumerate(found.faults, start=1)}
    paths = list(dict.fromkeys(clip.path for clip in found.clips if clip.path is not None))
    for path in tqdm(paths, unit="video", disable=None if verbose else True):
        try:
            lengths_s[path] = _duration_s(path)
        except VideoError as error:
            damaged[str(path)] = str(error)
    return Survey(
        name=collection.name,
        title=collection.title,
        home=found.home,
        there=tuple(path.relative_to(found.folder).as_posix() for path in paths),
        missing=tuple(dict.fromkeys(clip.note.video for clip in found.clips if clip.path is None)),
        absent=(),
        damaged=damaged,
        short={**_short(collection, found), **_beyond(collection, found.clips, lengths_s)},
        notes=tuple(found.doubts),
        minutes=_minutes(found.clips, lengths_s, collection.splits or (_ALL,)),
    )


def _short(collection: VideoCollection, found: Found) -> dict[str, str]:
    """Name the classes of which fewer videos are there than were published, or of which that is not known."""
    unlisted = {text: text for text in collection.unlisted(found.home, list(found.classes))}
    there = Counter(clip.note.name for clip in found.clips if clip.path is not None)
    known = {name: collection.published_videos(name) for name in found.classes}
    fewer = {
        name: f"{name}: {there[name]:,} of the {count:,} videos that were published are there."
        for name, count in known.items()
        if count is not None and there[name] < count
    }
    return {**fewer, **unlisted}


def _beyond(collection: VideoCollection, clips: Sequence[Annotated], lengths_s: Mapping[Path, float]) -> dict[str, str]:
    """Name the videos that end before stretches of them start."""
    starts_s: dict[tuple[str, Path], list[float]] = defaultdict(list)
    for clip in clips:
        path, start_s = clip.path, 0.0 if clip.trimmed else clip.note.start_s
        if path is not None and path in lengths_s and start_s >= lengths_s[path]:
            starts_s[clip.note.video, path].append(start_s)
    found = {}
    for (video, path), starts in starts_s.items():
        more = f", in {len(starts)} stretches" if len(starts) > 1 else ""
        text = f"{video}: annotated from {min(starts):g} s{more}, but the file lasts {lengths_s[path]:g} s; was it cut?"
        found[str(path)] = f"{text} {collection.advice_if_cut()}".rstrip()
    return found


def _duration_s(path: Path) -> float:
    from har_virtual.video import probe_video

    return probe_video(path).duration_s


def _minutes(clips: Sequence[Annotated], lengths_s: Mapping[Path, float], splits: Sequence[str]) -> pd.DataFrame:
    spans: dict[tuple[str, str], dict[Path, list[tuple[float, float]]]] = defaultdict(lambda: defaultdict(list))
    for clip in clips:
        path = clip.path
        if path is not None and path in lengths_s:
            spans[clip.note.split or _ALL, clip.label][path].append(_span(clip, lengths_s[path]))
    rows = list(dict.fromkeys([*splits, *(split for split, _ in spans)]))
    columns = list(dict.fromkeys(clip.label for clip in clips))
    table = pd.DataFrame(0.0, index=rows, columns=columns)
    for (split, label), by_path in spans.items():
        table.loc[split, label] = sum(map(union_s, by_path.values())) / 60
    table[TOTAL] = table.sum(axis=1)
    table.loc[TOTAL] = table.sum(axis=0)
    return table.rename_axis(index="split", columns="class")


def _span(clip: Annotated, whole_s: float) -> tuple[float, float]:
    """From when to when an annotation goes, in a video of some length."""
    if clip.trimmed:
        return 0.0, whole_s
    return clip.note.start_s, whole_s if clip.note.stop_s is None else min(clip.note.stop_s, whole_s)
