"""What every data set has in common: parts on disk that become recordings, and one way to load and select them."""

from __future__ import annotations

import os
import warnings
from abc import abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from joblib import Parallel, delayed

from har_virtual.datasets._cache import ReadingCache
from har_virtual.datasets.catalogue import Catalogued
from har_virtual.exceptions import DataFormatError, DataWarning, UnknownNameError
from har_virtual.files import file_state
from har_virtual.recording import Recording, RecordingSet, channel_quantity, channel_site
from har_virtual.recording.doubts import find_doubts

Names = Iterable[str] | str | None
Subjects = Iterable[str | int] | str | int | None
Errors = Literal["raise", "warn"]
Change = Callable[[Recording], Recording | None]

_SAMPLES_LOOKED_AT = 1000


class Part(NamedTuple):
    """What is read at once: a file or an archive, with what belongs to it.

    `files` are relative to the data set's home, with forward slashes; the first one names the part.
    """

    subject: str
    session: str
    files: tuple[str, ...]


class Damage(NamedTuple):
    """A file of a part that cannot be read, the site whose device wrote it, and why."""

    file: str
    site: str
    why: str


class Reading(NamedTuple):
    """What a part holds, and what is to be said about it: each note is a sentence that names its file.

    Where a part has files of several devices, `damaged` names those that cannot be read beside others that can.
    """

    recordings: list[Recording]
    notes: list[str]
    damaged: tuple[Damage, ...] = ()


class Task(NamedTuple):
    """Which classes count: `labels`, or all if None, of the annotation `track`, or of the labels if None."""

    labels: tuple[str, ...] | None = None
    track: str | None = None


class DataSet(Catalogued):
    """A data set on disk. Subclasses say where its parts lie and how one is read."""

    version: ClassVar[int] = 1
    """Raised whenever the same files give other recordings."""
    subjects: ClassVar[tuple[str, ...]]
    sites: ClassVar[tuple[str, ...]]
    quantities: ClassVar[tuple[str, ...]] = ("acc", "gyr", "mag")
    site_quantities: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """What sites have that have not all of `quantities`."""
    checks_units: ClassVar[bool] = True
    """Whether readings are told that look as if they were in other units."""
    sampling_rate_hz: ClassVar[float | None] = None
    """Of all devices, where they share one."""
    labelled: ClassVar[bool] = True
    """Whether recordings without any label of the task are dropped."""
    tasks: ClassVar[Mapping[str, Task]] = {"all": Task()}
    variant: str = ""
    """How parts are read, where that can be chosen: part of the cache's key."""

    @abstractmethod
    def find_parts(self, home: Path) -> list[Part]:
        """Give the parts that are in a folder, sorted by subject and session; none if it is another folder."""

    def is_home(self, folder: Path) -> bool:
        """Tell whether a part lies in a folder."""
        return bool(self.find_parts(folder))

    @abstractmethod
    def read(self, home: Path, part: Part) -> Reading:
        """Read a part with all its sites, quantities and label tracks; damage raises `DataFormatError`."""

    def read_and_doubt(self, home: Path, part: Part) -> Reading:
        """Read a part, and add a note where readings look as if they were in other units."""
        reading = self.read(home, part)
        doubts = _unit_doubts(part.files[0], reading.recordings) if self.checks_units else ()
        return reading._replace(notes=[*reading.notes, *doubts])

    def missing(self, home: Path) -> list[str]:
        """Give what a complete download has and this one has not: files, or what names better what is to be got."""
        return [file for file in self.published() if not (home / file).is_file()]

    def published_rows(self, file: str) -> int | None:
        """Give how many rows a file of the complete download has, where that is known."""
        return None

    def load(
        self,
        data_home: str | os.PathLike,
        *,
        subjects: Subjects = None,
        task: str = "all",
        sites: Names = None,
        quantities: Names = None,
        errors: Errors = "raise",
        cache: bool = True,
        n_jobs: int | None = None,
        keep: Callable[[Part], bool] | None = None,
        change: Change | None = None,
        known_sites: Iterable[str] | None = None,
    ) -> RecordingSet:
        """Load what was asked for.

        Parameters
        ----------
        data_home, subjects, task, sites, quantities, errors, cache, n_jobs
            As the public loaders document them.
        keep : callable, optional
            Which of the subjects' parts to read.
        change : callable, optional
            Applied to every recording before its task, sites and quantities are chosen; None drops it.
        known_sites : iterable of str, optional
            The sites after `change`, where it renames them.
        """
        if errors not in ("raise", "warn"):
            raise UnknownNameError(f"errors must be 'raise' or 'warn', not {errors!r}.")
        if not isinstance(task, str):
            raise UnknownNameError(f"{self.title}: task must be one name, of {', '.join(self.tasks)}, not {task!r}.")
        wanted_task = self.tasks[check_known(f"{self.title}: task", task, self.tasks)[0]]
        all_sites = self.sites if known_sites is None else list(known_sites)
        # None chooses all, and so also channels that have no site.
        sites = None if sites is None else check_known(f"{self.title}: site", sites, all_sites)
        if quantities is not None:
            quantities = check_known(f"{self.title}: quantity", quantities, self.quantities)
        home = self.find_home(data_home)
        parts = self._choose_parts(home, subjects, keep)

        def prepare(recording: Recording) -> Recording | None:
            select = partial(select_channels, sites=sites, quantities=quantities)
            # What was not asked for need not be fit to be changed. Where sites are renamed, the new ones are asked for.
            if known_sites is None and select(recording) is None:
                return None
            for step in (change, select, partial(keep_task, task=wanted_task) if self.labelled else None):
                changed = recording if step is None else step(recording)
                if changed is None:
                    return None
                recording = changed
            return recording

        cache_of_readings = ReadingCache(self.name, f"{self.version}|{self.variant}", enabled=cache)
        outcomes = Parallel(n_jobs=n_jobs, prefer="threads")(
            delayed(self._load_part)(home, part, cache_of_readings, prepare, errors, sites) for part in parts
        )
        for note in dict.fromkeys(note for _, notes in outcomes for note in notes):
            warnings.warn(note, DataWarning, stacklevel=3)
        recordings = [recording for loaded, _ in outcomes for recording in loaded]
        if not recordings:
            asked = {"subjects": dict.fromkeys(part.subject for part in parts), "task": [task], "sites": sites}
            asked |= {"quantities": quantities}
            what = "; ".join(f"{name} {', '.join(names)}" for name, names in asked.items() if names is not None)
            raise DataFormatError(f"{home}: nothing is left of {self.title} for {what}.")
        return RecordingSet(recordings, DESCR=self.describe())

    def _choose_parts(self, home: Path, subjects: Subjects, keep: Callable[[Part], bool] | None) -> list[Part]:
        there = self.find_parts(home)
        people = list(dict.fromkeys(part.subject for part in there))
        asked = people if subjects is None else as_names(subjects)
        absent = [subject for subject in asked if subject in self.subjects and subject not in people]
        if absent:
            raise UnknownNameError(
                f"{home} has no file of subject {', '.join(absent)}, who is in {self.title}; there is "
                f"{', '.join(people)}. `har-virtual datasets check {self.name} {home}` tells what is missing."
            )
        asked = check_known(f"{home}: subject", asked, people)
        theirs = [part for part in there if part.subject in asked]
        parts = [part for part in theirs if keep is None or keep(part)]
        if not parts:
            sessions = ", ".join(dict.fromkeys(part.session for part in theirs))
            raise DataFormatError(
                f"{home} has nothing of what was asked for of subject {', '.join(asked)}; there is {sessions}."
            )
        return parts

    def _load_part(
        self,
        home: Path,
        part: Part,
        cache: ReadingCache,
        prepare: Change,
        errors: Errors,
        sites: Collection[str] | None,
    ) -> tuple[list[Recording], list[str]]:
        try:
            reading = self._read_or_recall(home, part, cache)
            damaged = [each for each in reading.damaged if sites is None or each.site in sites]
            if damaged and errors == "raise":
                raise DataFormatError(damaged[0].why)
            prepared = [prepare(recording) for recording in reading.recordings]
        except (DataFormatError, OSError) as error:
            if errors == "raise":
                raise
            return [], [f"{part.files[0]} was left out: {error}"]
        left_out = [f"{each.file} was left out: {each.why}" for each in damaged]
        return [recording for recording in prepared if recording is not None], [*reading.notes, *left_out]

    def _read_or_recall(self, home: Path, part: Part, cache: ReadingCache) -> Reading:
        before = _states(home, part)
        entry = cache.entry(home, part)
        reading = cache.get(entry)
        if reading is None:
            reading = self.read_and_doubt(home, part)
            # What was read of files that changed meanwhile is neither what they held nor what they hold.
            kept = not reading.damaged and _states(home, part) == before
            problem = cache.put(entry, reading) if kept else None
            return reading._replace(notes=[*reading.notes, *([problem] if problem else [])])
        return reading


def _states(home: Path, part: Part) -> list[tuple[int, ...]]:
    return [file_state(home / file) for file in part.files]


def _unit_doubts(file: str, recordings: Iterable[Recording]) -> Iterator[str]:
    """What looks as if a file were in other units than the data set's; some samples tell."""
    for recording in recordings:
        step = max(len(recording) // _SAMPLES_LOOKED_AT, 1)
        for doubt in find_doubts(recording.data[::step], recording.channels):
            yield f"{recording.attrs.get('file', file)}: {doubt.what}, unlike the published files."


def as_names(asked: Iterable[Any] | str | int) -> list[str]:
    """Give one name, or several, as a list of text."""
    return [str(item) for item in ([asked] if isinstance(asked, (str, int, np.integer)) else asked)]


def check_known(kind: str, asked: Iterable[Any] | str | int | None, known: Iterable[str]) -> list[str]:
    """Give the names asked for, all that are known if None, or raise `UnknownNameError` that lists those."""
    known = list(known)
    names = known if asked is None else list(dict.fromkeys(as_names(asked)))
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        what = f"There is no {', '.join(unknown)}" if unknown else "Nothing was asked for"
        raise UnknownNameError(f"{kind}: {what}; there is {', '.join(known) or 'none'}.")
    return names


def select_channels(
    recording: Recording, sites: Collection[str] | None, quantities: Collection[str] | None
) -> Recording | None:
    """Give a recording with the channels of some sites and quantities, all if None; None if it has none of them."""
    if sites is None and quantities is None:
        return recording
    chosen = [
        channel
        for channel in recording.channels
        if (sites is None or channel_site(channel) in sites)
        and (quantities is None or channel_quantity(channel) in quantities)
    ]
    if len(chosen) == len(recording.channels):
        return recording
    return recording.select(chosen) if chosen else None


def keep_task(recording: Recording, task: Task) -> Recording | None:
    """Give a recording with the labels of a task, None for all others; None if no label is left."""
    labels: Any = recording.labels if task.track is None else recording.track(task.track)
    if np.ndim(labels) == 0:
        return recording if labels is not None and (task.labels is None or labels in task.labels) else None
    if task.labels is not None:
        labels = keep_labels(labels, task.labels)
    if all(label is None for label in labels):
        return None
    return recording if labels is recording.labels else recording.replace(labels=labels)


def keep_labels(labels: np.ndarray, wanted: Iterable[str]) -> np.ndarray:
    """Give a track of labels with None in place of what is not wanted."""
    wanted = set(wanted)
    if {label for label in _distinct(labels) if label is not None} <= wanted:
        return labels
    known = {label: label if label in wanted else None for label in _distinct(labels)}
    starts = np.flatnonzero(np.concatenate([[True], labels[1:] != labels[:-1]]))
    kept = np.array([known[labels[start]] for start in starts] + [None], dtype=object)[:-1]
    track = np.repeat(kept, np.diff(np.append(starts, len(labels))))
    track.flags.writeable = False
    return track


def _distinct(labels: np.ndarray) -> set[Any]:
    return set(labels.tolist())
