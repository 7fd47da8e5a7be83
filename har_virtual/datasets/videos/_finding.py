"""Which annotations are asked for, and which files they are of."""

from __future__ import annotations

import math
import os
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from har_virtual.checks import is_finite_number
from har_virtual.datasets.base import Errors, Names, Subjects, as_names, check_known
from har_virtual.datasets.labels import common_labels, has_common_labels
from har_virtual.datasets.videos.base import Annotation, VideoCollection
from har_virtual.exceptions import DataFormatError, UnknownNameError

VIDEO_SUFFIXES = frozenset(
    (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".mts", ".3gp", ".flv")
)
MAX_NAMES = 8
Labels = Literal["common", "own"] | Mapping[str, str]


class Wanted(NamedTuple):
    """What is asked for, as `load_videos` documents it."""

    labels: Labels = "common"
    activities: Names = None
    splits: Names = None
    subjects: Subjects = None
    videos: str | os.PathLike | None = None
    min_length_s: float = 0.0
    errors: Errors = "raise"


class Annotated(NamedTuple):
    """An annotation with its label, and the files that are its video by their names; the first one is taken.

    `trimmed` if they hold the stretch alone.
    """

    note: Annotation
    label: str
    files: list[Path]
    trimmed: bool

    @property
    def path(self) -> Path | None:
        return self.files[0] if self.files else None


class Found(NamedTuple):
    """What was asked for.

    `folder` has the videos, `classes` is own name to label, `clips` are in the order of the annotations, `faults` are
    those that make no sense, and `doubts` is what to say of the files.
    """

    home: Path
    folder: Path
    classes: dict[str, str]
    clips: list[Annotated]
    faults: list[DataFormatError]
    doubts: list[str]


def find_annotated(collection: VideoCollection, data_home: str | os.PathLike, wanted: Wanted) -> Found:
    """Read the annotations of what is asked for, each once, and look for their files."""
    if wanted.errors not in ("raise", "warn"):
        raise UnknownNameError(f"errors must be 'raise' or 'warn', not {wanted.errors!r}.")
    if not is_finite_number(wanted.min_length_s) or wanted.min_length_s < 0:
        raise DataFormatError(f"min_length_s must be a finite number of 0 or more, not {wanted.min_length_s!r}.")
    home = collection.find_home(data_home)
    folder = Path(data_home if wanted.videos is None else wanted.videos).expanduser()
    if not folder.is_dir():
        raise FileNotFoundError(
            f"{folder} is no folder; videos must be the folder with the videos of {collection.title}."
        )
    classes = _choose_classes(collection, home, wanted)
    notes, faults = _read(collection, home, classes, wanted.errors)
    if not notes:
        raise DataFormatError(f"{home}: {_why_nothing_is_read(collection, home, classes, faults)}")
    kept = _select(collection, home, notes, classes, wanted)
    files = index_videos(folder)
    clips = [Annotated(note, classes[note.name], *_files_of(collection, note, files)) for note in kept]
    return Found(home, folder, classes, clips, faults, list(_doubts(clips)))


def _choose_classes(collection: VideoCollection, home: Path, wanted: Wanted) -> dict[str, str]:
    """Give the own classes to read, with the label of each."""
    labels = wanted.labels
    if isinstance(labels, Mapping):
        own = check_known(f"{collection.title}: class", list(labels), collection.classes(home))
        classes = {name: _checked_label(name, labels[name]) for name in own}
    elif labels == "own":
        classes = {name: name for name in collection.classes(home)}
    elif labels != "common":
        raise UnknownNameError(f"labels must be 'common', 'own' or a mapping of own classes, not {labels!r}.")
    elif not has_common_labels(collection.name):
        raise UnknownNameError(
            f"{collection.title}: no class of it has a common label; pass labels='own', or a mapping from its classes."
        )
    else:
        classes = common_labels(collection.name)
    try:
        asked = check_known(f"{collection.title}: activity", wanted.activities, dict.fromkeys(classes.values()))
    except UnknownNameError as error:
        raise UnknownNameError(f"{error}{_own_among(wanted.activities, classes, collection.classes(home))}") from None
    return {name: label for name, label in classes.items() if label in asked}


def _checked_label(name: str, label: object) -> str:
    if not isinstance(label, str) or not label:
        raise DataFormatError(
            f"labels must map own classes to text, not {name!r} to {label!r}; leave out what not to read."
        )
    return label


def _own_among(activities: Names, classes: Mapping[str, str], own: Collection[str]) -> str:
    """Say what to ask for in place of own classes that were asked for."""
    asked = [] if activities is None else list(as_names(activities))
    under = [f" {name} is a class under {classes[name]}." for name in asked if name in classes]
    others = [name for name in asked if name in own and name not in classes]
    more = f" {', '.join(others)}: labels='own' or a mapping gives classes that have no common label." if others else ""
    return "".join(under) + more


def _read(
    collection: VideoCollection, home: Path, classes: Mapping[str, str], errors: Errors
) -> tuple[list[Annotation], list[DataFormatError]]:
    notes: dict[Annotation, Annotation] = {}
    faults: list[DataFormatError] = []
    for found in collection.read(home, classes):
        fault = _fault_of(found) if isinstance(found, Annotation) else found
        if fault is not None and errors == "raise":
            raise fault
        if fault is not None:
            faults.append(fault)
        elif isinstance(found, Annotation):
            # The same may stand in two files, or twice in one.
            notes.setdefault(found._replace(where=""), found)
    return list(notes.values()), faults


def _fault_of(note: Annotation) -> DataFormatError | None:
    """Say what is wrong with the stretch of an annotation."""
    stop_s = float("inf") if note.stop_s is None else note.stop_s
    if 0 <= note.start_s < stop_s:
        return None
    return DataFormatError(
        f"{note.where}: the clip of {note.video} starts at {note.start_s:g} s and ends at {stop_s:g} s; it must end "
        "after it starts. Mend the annotation, or pass errors='warn' to leave it out."
    )


def _select(
    collection: VideoCollection, home: Path, notes: Sequence[Annotation], classes: Mapping[str, str], wanted: Wanted
) -> list[Annotation]:
    """Give the annotations of splits, subjects and lengths that are asked for."""
    splits = _choose_splits(collection, wanted.splits)
    people = dict.fromkeys(note.subject for note in notes if note.subject is not None)
    subjects = None if wanted.subjects is None else check_known(f"{home}: subject", wanted.subjects, people)
    of_splits = [note for note in notes if splits is None or note.split in splits]
    of_subjects = [note for note in of_splits if subjects is None or note.subject in subjects]
    kept = [note for note in of_subjects if _length_s(note) >= wanted.min_length_s]
    if not kept:
        asked = {"activities": dict.fromkeys(classes.values()), "splits": splits, "subjects": subjects}
        what = "; ".join(f"{name} {', '.join(names)}" for name, names in asked.items() if names is not None)
        length = f" of at least {wanted.min_length_s:g} s" if wanted.min_length_s else ""
        left = [f"{len(notes)} are of the activities"]
        left += [f"{len(of_splits)} of the splits, too"] if splits else []
        left += [f"{len(of_subjects)} of the subjects, too"] if subjects else []
        left += [f"the longest lasts {max(map(_length_s, of_subjects)):g} s"] if of_subjects else []
        raise DataFormatError(
            f"{home}: {collection.title} has no annotation of {what}{length} there: {', '.join(left)}."
            f"{_sentence(collection.advice_if_none())}"
        )
    return kept


def _choose_splits(collection: VideoCollection, asked: Names) -> list[str] | None:
    if asked is None:
        return None
    theirs = [collection.other_names.get(name, name) for name in as_names(asked)]
    return check_known(f"{collection.title}: split", theirs, collection.splits)


def _length_s(note: Annotation) -> float:
    return math.inf if note.stop_s is None else note.stop_s - note.start_s


def _why_nothing_is_read(
    collection: VideoCollection, home: Path, classes: Mapping[str, str], faults: Sequence[DataFormatError]
) -> str:
    """Say why there is no annotation of some classes."""
    if faults:
        return f"none of {len(faults)} annotations of what was asked for makes sense; the first: {faults[0]}"
    own = collection.classes(home)
    there = ", ".join(own[:MAX_NAMES]) + (" ..." if len(own) > MAX_NAMES else "")
    if own and not set(own) & set(classes):
        mapping = f"{{{own[0]!r}: ...}}"
        return (
            f"{collection.title} has no class of what was asked for there; it has {there}. Pass labels='own', or a "
            f"mapping such as {mapping}."
        )
    what = ", ".join(dict.fromkeys(classes.values()))
    return f"{collection.title} has no annotation of activities {what} there.{_sentence(collection.advice_if_none())}"


def _sentence(text: str) -> str:
    return f" {text}" if text else ""


def index_videos(folder: Path) -> dict[str, list[Path]]:
    """Give the videos at any depth below a folder by their name without suffix; hidden files are none."""
    files: dict[str, list[Path]] = defaultdict(list)
    seen = set()
    for parent, folders, names in os.walk(folder, followlinks=True):
        # Links may lead in a circle.
        real, home = os.path.realpath(parent), Path(parent)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            stem, dot, suffix = name.rpartition(".")
            if dot + suffix.lower() in VIDEO_SUFFIXES and not name.startswith("."):
                files[stem].append(home / name)
    return files


def _files_of(
    collection: VideoCollection, note: Annotation, files: Mapping[str, Sequence[Path]]
) -> tuple[list[Path], bool]:
    for stem, trimmed in collection.file_names(note):
        found = [path for path in files.get(stem, ()) if collection.fits(note, path)]
        if found:
            return found, trimmed
    return [], False


def _doubts(clips: Sequence[Annotated]) -> Iterator[str]:
    """Say where several files have the name of one video."""
    several = {clip.path: clip.files for clip in clips if len(clip.files) > 1}
    if several:
        first = ", ".join(map(str, next(iter(several.values()))))
        yield (
            f"{len(several)} videos are there more than once by their names, such as {first}; the first file of each "
            "is taken. If they are not the same, pass the folder of the right ones as videos."
        )
