"""From a collection's annotations to clips by activity."""

from __future__ import annotations

import os
import warnings
from collections import defaultdict
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

import pandas as pd

from har_virtual.datasets.base import Errors, Names, Subjects, check_known
from har_virtual.datasets.labels import common_labels
from har_virtual.datasets.videos.base import Annotation, VideoCollection
from har_virtual.exceptions import DataFormatError, DataWarning, UnknownNameError, VideoError
from har_virtual.recording import VideoClip

VIDEO_SUFFIXES = frozenset(
    (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".mts", ".3gp", ".flv")
)
Labels = Literal["common", "own"] | Mapping[str, str]
_MAX_NAMES = 8


class Annotated(NamedTuple):
    """An annotation with its label, and its file where that is there; `trimmed` if the file holds the stretch alone."""

    note: Annotation
    label: str
    path: Path | None
    trimmed: bool


class Found(NamedTuple):
    """What was asked for.

    `folder` has the videos, `classes` is own name to label, `clips` are in the order of the annotations, and `faults`
    are those that make no sense.
    """

    home: Path
    folder: Path
    classes: dict[str, str]
    clips: list[Annotated]
    faults: list[DataFormatError]


def load_videos(
    collection: str | VideoCollection,
    data_home: str | os.PathLike,
    *,
    labels: Labels = "common",
    activities: Names = None,
    splits: Names = None,
    subjects: Subjects = None,
    videos: str | os.PathLike | None = None,
    min_length_s: float = 0.0,
    errors: Errors = "raise",
) -> list[VideoClip]:
    """Find the clips of activities in a collection of labelled videos.

    Parameters
    ----------
    collection : str or VideoCollection
        A name of `VIDEO_COLLECTIONS`, such as "kinetics700".
    data_home : path-like
        The folder with the collection's annotation files, or with its videos where their names tell the class.
    labels : {"common", "own"} or mapping of str to str, default="common"
        "common": the classes that `label_table` maps to a common label, under that label. "own": all classes, under
        the collection's own names in lower snake_case. A mapping: from own names to labels, and only these classes.
    activities : str or iterable of str, optional
        Labels to give; default: all.
    splits : str or iterable of str, optional
        As the collection divides its videos, such as "train"; default: all.
    subjects : str, int or iterable of these, optional
        Where the collection says who is to be seen; default: all.
    videos : path-like, optional
        The folder with the videos, at any depth; default: `data_home`.
    min_length_s : float, default=0.0
        Shorter stretches are left out. A person needs to be tracked for a second to be converted.
    errors : {"raise", "warn"}, default="raise"
        Whether an annotation that makes no sense is an error, or is left out with a warning.

    Returns
    -------
    list of VideoClip
        In the order of the annotations, of those videos that are there. A file that holds a stretch alone is a clip as
        a whole. With subject and data set where the collection names persons: then persons of two collections differ,
        and all clips of one person are the same group in cross-validation.

    Raises
    ------
    FileNotFoundError
        If `data_home` or `videos` does not exist.
    DataFormatError
        If the folder is another one, nothing is annotated with what was asked for, or an annotation makes no sense,
        such as a clip that ends before it starts; with file and line.
    UnknownNameError
        If there is no such collection, class, activity, split or subject.
    VideoError
        If none of the videos is there.

    Warns
    -----
    DataWarning
        Says how many videos are not there, names some, and names what ``errors="warn"`` left out. `list_videos` lists
        all.

    References
    ----------
    H. Kwon et al.: IMUTube: Automatic extraction of virtual on-body accelerometry from video for human activity
    recognition. Proc. ACM IMWUT 4(3), 2020, section 3.3: which takes its complex activities from such collections.
    """
    chosen = _resolve(collection)
    found = find_annotated(
        chosen,
        data_home,
        labels=labels,
        activities=activities,
        splits=splits,
        subjects=subjects,
        videos=videos,
        min_length_s=min_length_s,
        errors=errors,
    )
    _tell_faults(found)
    name = chosen.name
    missing = list(dict.fromkeys(clip.note.video for clip in found.clips if clip.path is None))
    advice = f"list_videos({name!r}, ...) lists them, with their addresses where they have one"
    if all(clip.path is None for clip in found.clips):
        raise VideoError(
            f"{found.folder} has none of the {len(missing)} videos that {found.home} says are needed, such as "
            f"{', '.join(missing[:_MAX_NAMES])}. {advice}; videos= tells where they are."
        )
    if missing:
        warnings.warn(
            f"{found.folder} lacks {len(missing)} of the videos of {name} that are annotated with what was asked for: "
            f"{', '.join(missing[:_MAX_NAMES])}{' ...' if len(missing) > _MAX_NAMES else ''}. {advice}.",
            DataWarning,
            stacklevel=2,
        )
    return [_as_clip(clip, name) for clip in found.clips if clip.path is not None]


def list_videos(
    collection: str | VideoCollection,
    data_home: str | os.PathLike,
    *,
    labels: Labels = "common",
    activities: Names = None,
    splits: Names = None,
    subjects: Subjects = None,
    videos: str | os.PathLike | None = None,
    min_length_s: float = 0.0,
    errors: Errors = "raise",
) -> pd.DataFrame:
    """List what a collection has of some activities, whether its videos are there or not.

    Parameters
    ----------
    collection, data_home, labels, activities, splits, subjects, videos, min_length_s, errors
        As for `load_videos`.

    Returns
    -------
    DataFrame
        One row an annotation: video (its identifier), name (own class), label, start_s, stop_s (NaN: to its end),
        subject, split, path (None where the video is not there) and address (on the net, None where unknown).

    Raises
    ------
    FileNotFoundError, DataFormatError, UnknownNameError
        As `load_videos`.

    Warns
    -----
    DataWarning
        Names what ``errors="warn"`` left out.
    """
    chosen = _resolve(collection)
    found = find_annotated(
        chosen,
        data_home,
        labels=labels,
        activities=activities,
        splits=splits,
        subjects=subjects,
        videos=videos,
        min_length_s=min_length_s,
        errors=errors,
    )
    _tell_faults(found)
    columns = {
        "video": [clip.note.video for clip in found.clips],
        "name": [clip.note.name for clip in found.clips],
        "label": [clip.label for clip in found.clips],
        "start_s": [clip.note.start_s for clip in found.clips],
        "stop_s": [clip.note.stop_s for clip in found.clips],
        "subject": [clip.note.subject for clip in found.clips],
        "split": [clip.note.split for clip in found.clips],
        "path": [clip.path for clip in found.clips],
        "address": [chosen.address(clip.note) for clip in found.clips],
    }
    dtypes = {"start_s": float, "stop_s": float}
    return pd.DataFrame({name: pd.Series(each, dtype=dtypes.get(name, object)) for name, each in columns.items()})


def _tell_faults(found: Found) -> None:
    for fault in found.faults:
        warnings.warn(f"An annotation was left out: {fault}", DataWarning, stacklevel=3)


def _as_clip(clip: Annotated, collection: str) -> VideoClip:
    note = clip.note
    start_s, stop_s = (0.0, None) if clip.trimmed else (note.start_s, note.stop_s)
    dataset = None if note.subject is None else collection
    return VideoClip(clip.path or Path(), start_s, stop_s, label=clip.label, subject=note.subject, dataset=dataset)


def _resolve(collection: str | VideoCollection) -> VideoCollection:
    # The registry holds the collections, which import this module.
    from har_virtual.datasets.registry import find_collection

    return collection if isinstance(collection, VideoCollection) else find_collection(collection)


def find_annotated(
    collection: VideoCollection,
    data_home: str | os.PathLike,
    *,
    labels: Labels = "common",
    activities: Names = None,
    splits: Names = None,
    subjects: Subjects = None,
    videos: str | os.PathLike | None = None,
    min_length_s: float = 0.0,
    errors: Errors = "raise",
) -> Found:
    """Read the annotations of what is asked for and look for their files; the parameters are those of `load_videos`."""
    if errors not in ("raise", "warn"):
        raise UnknownNameError(f"errors must be 'raise' or 'warn', not {errors!r}.")
    home = collection.find_home(data_home)
    folder = Path(data_home if videos is None else videos).expanduser()
    if not folder.is_dir():
        raise FileNotFoundError(
            f"{folder} is no folder; videos must be the folder with the videos of {collection.title}."
        )
    mapping = choose_classes(collection, home, labels, activities)
    wanted_splits = check_known(f"{collection.title}: split", splits, collection.splits) if splits is not None else None
    notes, faults = _read(collection, home, mapping, errors)
    if subjects is not None:
        people = dict.fromkeys(note.subject for note in notes if note.subject is not None)
        subjects = check_known(f"{home}: subject", subjects, people)
    kept = [
        note
        for note in notes
        if (wanted_splits is None or note.split in wanted_splits)
        and (subjects is None or note.subject in subjects)
        and (note.stop_s is None or note.stop_s - note.start_s >= min_length_s)
    ]
    if not kept:
        asked = {"activities": dict.fromkeys(mapping.values()), "splits": wanted_splits, "subjects": subjects}
        what = "; ".join(f"{name} {', '.join(names)}" for name, names in asked.items() if names is not None)
        raise DataFormatError(f"{home}: {collection.title} has no annotation of {what} there.")
    files = index_videos(folder)
    clips = [Annotated(note, mapping[note.name], *_file_of(collection, note, files)) for note in kept]
    return Found(home, folder, mapping, clips, faults)


def choose_classes(collection: VideoCollection, home: Path, labels: Labels, activities: Names) -> dict[str, str]:
    """Give the own classes to read, with the label of each."""
    own = collection.classes(home)
    if isinstance(labels, str):
        if labels not in ("common", "own"):
            raise UnknownNameError(f"labels must be 'common', 'own' or a mapping of own classes, not {labels!r}.")
        mapping = common_labels(collection.name) if labels == "common" else dict(zip(own, own, strict=True))
    else:
        mapping = {name: labels[name] for name in check_known(f"{collection.title}: class", list(labels), own)}
    asked = check_known(f"{collection.title}: activity", activities, dict.fromkeys(mapping.values()))
    return {name: label for name, label in mapping.items() if label in asked}


def _read(
    collection: VideoCollection, home: Path, wanted: Collection[str], errors: Errors
) -> tuple[list[Annotation], list[DataFormatError]]:
    notes: list[Annotation] = []
    faults: list[DataFormatError] = []
    for found in collection.read(home, wanted):
        fault = _fault_of(found) if isinstance(found, Annotation) else found
        if fault is not None and errors == "raise":
            raise fault
        if fault is not None:
            faults.append(fault)
        elif isinstance(found, Annotation):
            notes.append(found)
    return notes, faults


def _fault_of(note: Annotation) -> DataFormatError | None:
    """Say what is wrong with the stretch of an annotation."""
    stop_s = float("inf") if note.stop_s is None else note.stop_s
    if 0 <= note.start_s < stop_s:
        return None
    return DataFormatError(
        f"{note.where}: the clip of {note.video} starts at {note.start_s:g} s and ends at {stop_s:g} s; it must end "
        "after it starts. Mend the annotation, or pass errors='warn' to leave it out."
    )


def index_videos(folder: Path) -> dict[str, list[Path]]:
    """Give the videos below a folder by their name without suffix."""
    files: dict[str, list[Path]] = defaultdict(list)
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(parent, name)
            if path.suffix.lower() in VIDEO_SUFFIXES:
                files[path.stem].append(path)
    return files


def _file_of(
    collection: VideoCollection, note: Annotation, files: Mapping[str, list[Path]]
) -> tuple[Path | None, bool]:
    for stem, trimmed in collection.file_names(note):
        if stem in files:
            return files[stem][0], trimmed
    return None, False
