"""From a collection's annotations to clips by activity."""

from __future__ import annotations

import os
import warnings
from collections import defaultdict
from pathlib import Path

import pandas as pd

from har_virtual.datasets.base import Errors, Names, Subjects
from har_virtual.datasets.videos._finding import MAX_NAMES, Found, Labels, Wanted, find_annotated
from har_virtual.datasets.videos.base import VideoCollection
from har_virtual.exceptions import DataWarning, VideoError
from har_virtual.recording import VideoClip


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
        In the order of the annotations, of those videos that are there, each stretch once. A stretch that has several
        of the labels at the same time is left out with a warning. A file that holds a stretch alone is a clip as a
        whole. With subject and data set where the collection names persons: then persons of two collections differ,
        and all clips of one person are the same group in cross-validation. Where it names nobody, the subject is
        "video:" and the video's identifier, without a data set: all clips of one video, of any collection, are one
        group, and nobody takes the video for a person.

    Raises
    ------
    FileNotFoundError
        If `data_home` or `videos` does not exist.
    DataFormatError
        If the folder is another one, nothing is annotated with what was asked for, a label of the mapping is no text,
        or an annotation makes no sense, such as a clip that ends before it starts; with file and line.
    UnknownNameError
        If there is no such collection, class, activity, split or subject, or no class of it has a common label.
    VideoError
        If none of the videos is there.

    Warns
    -----
    DataWarning
        Says how many videos are not there, names some, and names what ``errors="warn"`` left out; `list_videos` lists
        all. Names videos of which there are several files, and stretches with several labels.

    References
    ----------
    H. Kwon et al.: IMUTube: Automatic extraction of virtual on-body accelerometry from video for human activity
    recognition. Proc. ACM IMWUT 4(3), 2020, section 3.3: which takes its complex activities from such collections.
    """
    chosen = _resolve(collection)
    wanted = Wanted(labels, activities, splits, subjects, videos, min_length_s, errors)
    found = find_annotated(chosen, data_home, wanted)
    _tell(found)
    missing = _missing(found, chosen.name)
    clips, several = _clips(found, chosen.name)
    for text in filter(None, (missing, several)):
        warnings.warn(text, DataWarning, stacklevel=2)
    return clips


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
        subject (None where nobody is named), split, path (None where the video is not there) and address (on the net,
        None where unknown).

    Raises
    ------
    FileNotFoundError, DataFormatError, UnknownNameError
        As `load_videos`.

    Warns
    -----
    DataWarning
        Names what ``errors="warn"`` left out, and videos of which there are several files.
    """
    chosen = _resolve(collection)
    wanted = Wanted(labels, activities, splits, subjects, videos, min_length_s, errors)
    found = find_annotated(chosen, data_home, wanted)
    _tell(found)
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


def _resolve(collection: str | VideoCollection) -> VideoCollection:
    # The registry holds the collections, which import this module.
    from har_virtual.datasets.registry import find_collection

    return collection if isinstance(collection, VideoCollection) else find_collection(collection)


def _tell(found: Found) -> None:
    for text in (*(f"An annotation was left out: {fault}" for fault in found.faults), *found.doubts):
        warnings.warn(text, DataWarning, stacklevel=3)


def _missing(found: Found, name: str) -> str:
    """Say which videos are not there; if none is, that is an error."""
    missing = list(dict.fromkeys(clip.note.video for clip in found.clips if clip.path is None))
    first = ", ".join(missing[:MAX_NAMES]) + (" ..." if len(missing) > MAX_NAMES else "")
    advice = f"list_videos({name!r}, ...) lists them, with their addresses where they have one"
    if all(clip.path is None for clip in found.clips):
        raise VideoError(
            f"{found.folder} has none of the {len(missing)} videos that {found.home} says are needed, such as "
            f"{first}. {advice}; videos= tells where they are."
        )
    lacking = f"{found.folder} lacks {len(missing)} of the videos of {name} that are annotated with what was asked for"
    return f"{lacking}: {first}. {advice}." if missing else ""


def _clips(found: Found, name: str) -> tuple[list[VideoClip], str]:
    """Give each stretch that is one thing, once, and what to say of those that are several."""
    stretches: dict[tuple[Path, float, float | None], dict[VideoClip, None]] = defaultdict(dict)
    for note, label, files, trimmed in found.clips:
        if files:
            start_s, stop_s = (0.0, None) if trimmed else (note.start_s, note.stop_s)
            subject, dataset = (f"video:{note.video}", None) if note.subject is None else (note.subject, name)
            clip = VideoClip(files[0], start_s, stop_s, label=label, subject=subject, dataset=dataset)
            stretches[files[0], start_s, stop_s][clip] = None
    several = [list(clips) for clips in stretches.values() if len(clips) > 1]
    first = [f"{clips[0].path.name} ({', '.join(str(clip.label) for clip in clips)})" for clips in several[:MAX_NAMES]]
    text = (
        f"{len(several)} stretches were left out, because each is annotated with several labels or persons at the same "
        f"time: {', '.join(first)}{' ...' if len(several) > MAX_NAMES else ''}. Ask for fewer activities to have them."
    )
    return [clip for clips in stretches.values() if len(clips) == 1 for clip in clips], text if several else ""
