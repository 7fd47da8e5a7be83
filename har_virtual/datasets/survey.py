"""What is there of a data set on disk, what is missing or damaged, and how long everybody did what."""

from __future__ import annotations

import os
import textwrap
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from har_virtual.datasets.base import DataSet, Part, Reading, Task, check_known
from har_virtual.datasets.fetch import heading
from har_virtual.datasets.labels import label_table
from har_virtual.datasets.registry import find_any
from har_virtual.datasets.videos.base import VideoCollection
from har_virtual.exceptions import HarVirtualError
from har_virtual.recording import Recording

_ONLY_TASK = "all"
UNLABELLED, TOTAL = "unlabelled", "total"
_WIDTH = 100
_MAX_NAMES, _MAX_EMPTY = 8, 30


@dataclass(frozen=True, eq=False)
class Survey:
    """What `survey_dataset` found.

    Parameters
    ----------
    name, title : str
        The data set.
    home : Path
        Where it lies.
    there, missing : tuple of str
        Files relative to the home, of those that were published; `there` also has what else was read.
    absent : tuple of str
        Subjects of whom no file is there.
    damaged : mapping of str to str
        File to what is wrong with it.
    short : mapping of str to str
        File to how many rows it has, where that is fewer than were published.
    notes : tuple of str
        What is odd, but no reason not to use the data.
    minutes : DataFrame
        Subjects x classes, with "unlabelled" and "total" at the end of both; time that several devices recorded
        together counts once.
    """

    name: str
    title: str
    home: Path
    there: tuple[str, ...]
    missing: tuple[str, ...]
    absent: tuple[str, ...]
    damaged: Mapping[str, str]
    short: Mapping[str, str]
    notes: tuple[str, ...]
    minutes: pd.DataFrame

    @property
    def complete(self) -> bool:
        """Whether every published file is there, could be read and has its rows, as far as their number is known."""
        return not self.missing and not self.damaged and not self.short

    def describe(self) -> str:
        """Give all of it as text, at most 100 columns wide as far as the names of files allow."""
        verdict = "Complete" if self.complete else "Not complete"
        files = "1 file is" if len(self.there) == 1 else f"{len(self.there)} files are"
        counts = f"{files} there, {len(self.missing)} missing, {len(self.damaged)} damaged"
        counts += f", {len(self.short)} cut short" if self.short else ""
        lines = [f"{heading(self.title)} in {self.home}", f"{verdict}: {counts}."]
        if self.missing:
            lines += _wrapped(f"Missing: {_shortened(self.missing, self.there)}.", indent="")
            lines += [f"  `har-virtual datasets info {self.name}` says how to get them."]
        if self.absent:
            lines += _wrapped(f"No file of subjects: {', '.join(self.absent)}.", indent="")
        if self.damaged:
            lines += ["Damaged:"]
            lines += [line for reason in self.damaged.values() for line in _wrapped(reason)]
            lines += ["  Get these files anew; until then the loader leaves them out with errors='warn'."]
        if self.short:
            lines += ["Cut short, or a sample:", *(line for each in self.short.values() for line in _wrapped(each))]
        if self.notes:
            lines += ["Notes:", *(line for note in self.notes for line in _wrapped(note))]
        minutes, absent = _without_absent_classes(self.minutes)
        if absent:
            lines += _wrapped(f"Nothing of {len(absent)} classes: {', '.join(absent)}.", indent="")
        return "\n".join([*lines, "", "Minutes of each class:", format_table(minutes)])


def survey_dataset(
    dataset: str | DataSet | VideoCollection,
    data_home: str | os.PathLike,
    *,
    task: str | None = None,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> Survey:
    """Read all that is there of a data set, whatever is wrong with some of it, and tell what is in it.

    Nothing is taken from the cache or put there. Of a collection of videos all annotations of classes with a common
    label are read, `missing` has the identifiers of videos, and minutes are by split.

    Parameters
    ----------
    dataset : str, DataSet or VideoCollection
        Such as "pamap2" or "kinetics700".
    data_home : path-like
        As its loader takes it.
    task : str, optional
        Whose classes are counted; all else is unlabelled. Default: the data set's first task.
    n_jobs : int, optional
        Threads, as joblib counts them.
    verbose : int, default=0
        1 for a progress bar.

    Returns
    -------
    Survey

    Raises
    ------
    UnknownNameError
        If there is no such data set or task.
    FileNotFoundError
        If there is no such folder.
    DataFormatError
        If it is another folder.
    """
    found = find_any(dataset) if isinstance(dataset, str) else dataset
    if isinstance(found, VideoCollection):
        # It takes the form of its result from here.
        from har_virtual.datasets.videos.survey import survey_collection

        check_known(f"{found.title}: task", [_ONLY_TASK if task is None else task], [_ONLY_TASK])
        return survey_collection(found, data_home, verbose=verbose)
    (task_name,) = check_known(f"{found.title}: task", [next(iter(found.tasks)) if task is None else task], found.tasks)
    home = found.find_home(data_home)
    parts = found.find_parts(home)
    read = _read_all(found, home, parts, found.tasks[task_name], n_jobs, verbose)
    published = found.published()
    of_parts = dict.fromkeys(file for part in parts for file in part.files)
    there = [file for file in published if (home / file).is_file()]
    return Survey(
        name=found.name,
        title=found.title,
        home=home,
        there=(*there, *(file for file in of_parts if file not in set(published))),
        missing=tuple(found.missing(home)),
        absent=tuple(subject for subject in found.subjects if subject not in {part.subject for part in parts}),
        damaged={file: reason for part in read for file, reason in part.damaged.items()},
        short={file: text for part in read for file, text in part.short.items()},
        notes=tuple(dict.fromkeys(note for part in read for note in part.notes)),
        minutes=_minutes(read, task_classes(found, task_name)),
    )


def _without_absent_classes(minutes: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Leave out the classes of which there is nothing, if they are many."""
    absent = [name for name in minutes.columns if name not in (UNLABELLED, TOTAL) and not minutes[name].any()]
    return (minutes, []) if len(absent) <= _MAX_EMPTY else (minutes.drop(columns=absent), [str(n) for n in absent])


def task_classes(dataset: DataSet, task: str) -> tuple[str, ...]:
    """Give the classes of a data set's task in their own order; none if they are known from the data only."""
    labels, track = dataset.tasks[task]
    if labels is not None:
        return labels
    table = label_table()
    rows = table[table["dataset"] == dataset.name]
    track = track or next(iter(rows["track"]), "")
    return tuple(str(name) for name in rows.loc[rows["track"] == track, "name"])


def format_table(minutes: pd.DataFrame) -> str:
    """Give a table of minutes as text of at most 100 columns; "-" where there is nothing.

    Subjects are the rows, or the columns where that is narrower; what does not fit follows below.
    """
    numbers = minutes.to_numpy()
    decimals = 1 if numbers.size and numbers.max() >= 10 else 2
    cells = minutes.map(lambda value: f"{value:.{decimals}f}" if value > 0 else "-")
    tables = [_lay_out(cells), _lay_out(cells.T)]
    fitting = [table for table in tables if len(table) == 1]
    return "\n\n".join((fitting or tables[1:])[0])


class _PartRead(NamedTuple):
    """What a survey keeps of a part: who, in which session, had which label from when to when."""

    runs: list[tuple[str, str, Any, float, float]]
    damaged: dict[str, str]
    short: dict[str, str]
    notes: list[str]


def _read_all(
    dataset: DataSet, home: Path, parts: Sequence[Part], task: Task, n_jobs: int | None, verbose: int
) -> list[_PartRead]:
    from tqdm.auto import tqdm

    jobs = (delayed(_read_part)(dataset, home, part, task) for part in parts)
    outcomes = Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator")(jobs)
    return list(tqdm(outcomes, total=len(parts), unit="file", disable=None if verbose else True))


def _read_part(dataset: DataSet, home: Path, part: Part, task: Task) -> _PartRead:
    try:
        reading = dataset.read_and_doubt(home, part)
    except (HarVirtualError, OSError) as error:
        file = next((file for file in part.files if str(home / file) in str(error)), part.files[0])
        reason = str(error) if file in str(error) else f"{file}: {error}"
        return _PartRead([], {file: reason}, {}, [])
    real = [recording for recording in reading.recordings if recording.domain == "real"]
    # Data sets without a sensor have virtual recordings only.
    counted = real or reading.recordings
    runs = [
        (str(recording.subject), recording.session or part.files[0], *run)
        for recording in counted
        for run in _runs(recording, task)
    ]
    damaged = {each.file: each.why for each in reading.damaged}
    return _PartRead(runs, damaged, _cut_short(dataset, part, reading), reading.notes)


def _runs(recording: Recording, task: Task) -> list[tuple[Any, float, float]]:
    """Give stretches of one label as (label, start_s, stop_s), half-open; None is no class of the task."""
    track = recording.track(task.track)
    labels = np.full(len(recording), None) if track is None else track
    starts = np.flatnonzero(np.concatenate([[True], labels[1:] != labels[:-1]]))[: len(labels)]
    times_s = recording.start_s + np.append(starts, len(labels)) / recording.sampling_rate_hz
    found = []
    for start, start_s, stop_s in zip(starts, times_s[:-1], times_s[1:], strict=True):
        label = labels[start]
        found.append((label if task.labels is None or label in task.labels else None, float(start_s), float(stop_s)))
    return found


def _cut_short(dataset: DataSet, part: Part, reading: Reading) -> dict[str, str]:
    """Name the files that have fewer rows than were published."""
    rows: dict[str, int] = defaultdict(int)
    for recording in reading.recordings:
        file = recording.attrs.get("file", part.files[0])
        rows[file] = max(rows[file], len(recording) - int(recording.attrs.get("missing_rows", 0)))
    known = {file: dataset.published_rows(file) for file in rows}
    return {
        file: f"{file} has {rows[file]:,} of the {count:,} rows that were published."
        for file, count in known.items()
        if count is not None and rows[file] < count
    }


def _minutes(read: Iterable[_PartRead], classes: Sequence[str]) -> pd.DataFrame:
    spans: dict[tuple[str, str], dict[Any, list[tuple[float, float]]]] = defaultdict(lambda: defaultdict(list))
    for part in read:
        for subject, session, label, start_s, stop_s in part.runs:
            spans[subject, session][label].append((start_s, stop_s))
    found = {label for by_label in spans.values() for label in by_label} - {None}
    columns = [*classes, *sorted(found.difference(classes))]
    table = pd.DataFrame(
        0.0, index=list(dict.fromkeys(subject for subject, _ in spans)), columns=[*columns, UNLABELLED, TOTAL]
    )
    for (subject, _), by_label in spans.items():
        labelled = [span for label, spans_ in by_label.items() if label is not None for span in spans_]
        for label in by_label.keys() - {None}:
            table.loc[subject, label] += union_s(by_label[label]) / 60
        table.loc[subject, UNLABELLED] += (union_s([*labelled, *by_label[None]]) - union_s(labelled)) / 60
    table[TOTAL] = table.drop(columns=TOTAL).sum(axis=1)
    table.loc[TOTAL] = table.sum(axis=0)
    return table.rename_axis(index="subject", columns="class")


def union_s(spans: Iterable[tuple[float, float]]) -> float:
    """Give the time that at least one of the spans covers."""
    covered, end_s = 0.0, -np.inf
    for start_s, stop_s in sorted(spans):
        covered += max(0.0, stop_s - max(start_s, end_s))
        end_s = max(end_s, stop_s)
    return float(covered)


def _lay_out(cells: pd.DataFrame) -> list[str]:
    """Give the table in blocks of columns, each at most 100 wide."""
    names = [str(cells.index.name), *map(str, cells.index)]
    first = max(map(len, names))
    columns = [[str(column), *cells[column]] for column in cells.columns]
    widths = [max(map(len, column)) for column in columns]
    blocks, begin, used = [], 0, first
    for number, width in enumerate([*widths, _WIDTH]):
        if used + 1 + width > _WIDTH and number > begin:
            chosen = list(zip(columns, widths, strict=True))[begin:number]
            rows = [
                " ".join([f"{name:<{first}}", *(f"{column[row]:>{w}}" for column, w in chosen)])
                for row, name in enumerate(names)
            ]
            blocks.append("\n".join(rows))
            begin, used = number, first
        used += 1 + width
    return blocks


def _shortened(missing: Sequence[str], there: Sequence[str]) -> str:
    """Name folders that are missing altogether, then files, not too many."""
    kept = {file.split("/")[0] for file in there}
    groups: dict[str, list[str]] = defaultdict(list)
    for file in missing:
        top = file.split("/")[0]
        groups[file if top in kept or top == file else f"{top}/*"].append(file)
    # A file for all subjects, at the top, matters more than those of one.
    names = sorted(groups, key=lambda name: ("/" in name, not name.endswith("/*")))
    n_left = sum(len(groups[name]) for name in names[_MAX_NAMES:])
    return ", ".join(names[:_MAX_NAMES]) + (f" and {n_left} more" if n_left else "")


def _wrapped(text: str, indent: str = "  ") -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, initial_indent=indent, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )
