"""AVA (Gu et al., 2018): what each person in a film does, second by second; here joined to stretches."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import numpy as np
import pandas as pd

from har_virtual.checks import is_finite_number
from har_virtual.datasets._text import TextFormat, read_text
from har_virtual.datasets.fetch import Source
from har_virtual.datasets.videos._annotation_files import annotation_fault, newest_files, youtube_address
from har_virtual.datasets.videos.base import Annotation, VideoCollection, snake_case
from har_virtual.exceptions import DataFormatError, UnknownNameError

People = Literal["same", "alone", "any"]

_FILE = re.compile(r"ava_(?:train|val)_v([0-9.]+)\.csv")
_LIST = re.compile(r"ava_action_list_v([0-9.]+)(?:_for_activitynet_[0-9]+)?\.pbtxt")
_BELOW = ("annotations", "ava_v2.2", "annotations/ava_v2.2")
_ROWS = TextFormat(("video_id", "second", "x1", "y1", "x2", "y2", "action_id", "person_id"), header=False)
_EXCLUDED = TextFormat(("video_id", "second"), header=False)
_ACTION = re.compile(r"(?:label|item)\s*\{([^{}]*)\}")
_NAME = re.compile(r'\bname:\s*"([^"]*)"')
_NUMBER = re.compile(r"\b(?:label_)?id:\s*([0-9]{1,4})")
# Key frames are a second apart; each stands for the second around it.
_STEP_S = 1.0
# Of each person in it, the actions, each with the line that names it.
_KeyFrame = dict[int, dict[int, int]]


class _Stretch(NamedTuple):
    """Seconds of an action, and the line that names it first."""

    start_s: float
    stop_s: float
    action: int
    line: int


class _Rows(NamedTuple):
    """Rows of one video, by time: what one person does in a key frame, and the line that says so."""

    seconds: np.ndarray
    actions: np.ndarray
    people: np.ndarray
    lines: np.ndarray


class AVACollection(VideoCollection):
    """AVA, with what is to be done where several people are in the picture.

    One key frame a second is annotated: a box a person, one or more actions a box. Consecutive seconds of the same
    people and action become one stretch, from half a second before its first key frame to half a second after its
    last one: stretches of one action neither leave gaps nor overlap.

    Parameters
    ----------
    people : {"same", "alone", "any"}, default="same"
        Which key frames count. "same": those in which all the people who have a box do the action, so that it is right
        for whoever is tracked. "alone": those with one person only. "any": those in which somebody does it; there is a
        stretch a person then, one for those who begin and end together, and others in the picture may do something
        else.
    starts_at_s : float, default=0.0
        Second of the film at which the video files start. 900 where they were cut to the annotated 15 minutes, as many
        do; they keep their names then.

    Raises
    ------
    UnknownNameError
        If there is no such `people`.
    DataFormatError
        If `starts_at_s` is no finite number of 0 or more.

    Examples
    --------
    >>> from har_virtual.datasets.videos import list_videos
    >>> from har_virtual.datasets.videos import AVACollection
    >>> walks = list_videos(AVACollection(people="alone"), "datasets/ava", activities="walking")
    >>> walks[["video", "start_s", "stop_s"]].to_numpy().tolist()
    [['har-virtua1', 903.5, 905.5]]
    """

    name = "ava"
    title = "AVA"
    example = "ava_train_v2.2.csv"
    splits = ("train", "val")
    source = Source(
        url="https://s3.amazonaws.com/ava-dataset/annotations/ava_v2.2.zip",
        file_name="ava_v2.2.zip",
        size_bytes=None,
        sha256=None,
        licence="annotations: Creative Commons Attribution 4.0 International (CC BY 4.0)",
        page="https://research.google.com/ava/",
    )

    def __init__(self, *, people: People = "same", starts_at_s: float = 0.0) -> None:
        if people not in get_args(People):
            raise UnknownNameError(f"AVA: people: There is no {people!r}; there is {', '.join(get_args(People))}.")
        if not is_finite_number(starts_at_s) or starts_at_s < 0:
            raise DataFormatError(f"starts_at_s must be a finite number of 0 or more, not {starts_at_s!r}.")
        self.people = people
        self.starts_at_s = starts_at_s

    def is_home(self, folder: Path) -> bool:
        """Tell whether a folder, or one that its archive makes in it, holds annotations of AVA."""
        return bool(newest_files(folder, _FILE, _BELOW))

    def published(self) -> list[str]:
        """Give the files of the archive that are read."""
        return ["ava_train_v2.2.csv", "ava_val_v2.2.csv", "ava_action_list_v2.2_for_activitynet_2019.pbtxt"]

    def classes(self, home: Path) -> list[str]:
        """Give the actions in the order of their list."""
        return list(_action_names(home).values())

    def read(self, home: Path, wanted: Collection[str]) -> Iterator[Annotation | DataFormatError]:
        """Read the stretches of some actions, by file, video and time."""
        names = {number: name for number, name in _action_names(home).items() if name in wanted}
        for path in newest_files(home, _FILE, _BELOW):
            yield from self._read_file(path, names)

    def address(self, annotation: Annotation) -> str | None:
        """Give where the film is or was to be seen."""
        return youtube_address(annotation.video)

    def advice_if_cut(self) -> str:
        """Say how films are read that were cut."""
        return "" if self.starts_at_s else "AVACollection(starts_at_s=900) reads films that were cut there."

    def advice_if_none(self) -> str:
        """Say which key frames do not count."""
        return "" if self.people == "any" else f"people={self.people!r} leaves key frames out; people='any' takes all."

    def _read_file(self, path: Path, names: Mapping[int, str]) -> Iterator[Annotation | DataFormatError]:
        split = path.name.split("_")[1]
        videos, rows = _read_table(path)
        for row in np.flatnonzero(~_make_sense(rows)):
            values = f"second {rows.seconds[row]:g}, action {rows.actions[row]:g}, person {rows.people[row]:g}"
            why = f"{values} of {videos[row]} are not all whole numbers of 0 or more"
            yield annotation_fault(f"{path}, line {row + 1}", why)
        for video, its_rows in _by_video(videos, rows, _excluded_seconds(path)):
            for start_s, stop_s, action, line in sorted(self._stretches(_key_frames(its_rows), names)):
                times_s = start_s - self.starts_at_s, stop_s - self.starts_at_s
                yield Annotation(video, names[action], *times_s, split=split, where=f"{path}, line {line}")

    def _stretches(self, frames: Mapping[float, _KeyFrame], wanted: Collection[int]) -> Iterator[_Stretch]:
        """The stretches of some actions in a video."""
        latest: dict[tuple[int, frozenset[int]], _Stretch] = {}
        for second, frame in frames.items():
            start_s, stop_s = second - _STEP_S / 2, second + _STEP_S / 2
            for action, group in self._groups(frame, wanted):
                known = latest.get((action, group))
                if known is not None and known.stop_s >= start_s:
                    latest[action, group] = known._replace(stop_s=stop_s)
                    continue
                if known is not None:
                    yield known
                line = min(frame[person][action] for person in group)
                latest[action, group] = _Stretch(start_s, stop_s, action, line)
        yield from latest.values()

    def _groups(self, frame: _KeyFrame, wanted: Collection[int]) -> Iterator[tuple[int, frozenset[int]]]:
        """Who does which action in a key frame, where that counts: those who make one stretch together."""
        active: dict[int, set[int]] = defaultdict(set)
        for person, actions in frame.items():
            for action in actions.keys() & wanted:
                active[action].add(person)
        for action, people in active.items():
            if self.people == "any":
                yield from ((action, frozenset((person,))) for person in people)
            elif len(people) == len(frame) and (self.people == "same" or len(frame) == 1):
                yield action, frozenset(people)


AVA = AVACollection()
"""AVA 2.2 or 2.1: 80 classes, of which seven have a common label. See its card: ``AVA.describe()``."""


def _action_names(home: Path) -> dict[int, str]:
    """Own names by their numbers."""
    folder = newest_files(home, _FILE, _BELOW)[0].parent
    # The longest list has all classes; others leave rare ones out.
    lists = sorted(newest_files(folder, _LIST, ()), key=lambda path: path.stat().st_size)
    if not lists:
        raise DataFormatError(
            f"{folder} has no ava_action_list_v2.2.pbtxt, which names the actions; get AVA's archive."
        )
    text = lists[-1].read_bytes().decode("utf-8", "replace")
    names: dict[int, str] = {}
    for action in _ACTION.finditer(text):
        name, number = _NAME.search(action[1]), _NUMBER.search(action[1])
        own = snake_case(name[1]) if name else ""
        if number is None or not own or int(number[1]) in names or own in names.values():
            raise _list_fault(lists[-1], text.count("\n", 0, action.start()), action[0])
        names[int(number[1])] = own
    between = _ACTION.sub(lambda action: "\n" * action[0].count("\n"), text).split("\n")
    stray = next((number for number, line in enumerate(between) if line.strip()), None)
    if stray is not None or not names:
        raise _list_fault(lists[-1], stray or 0, between[stray or 0])
    return names


def _list_fault(path: Path, n_lines_before: int, text: str) -> DataFormatError:
    return DataFormatError(
        f"{path}, line {n_lines_before + 1}: {' '.join(text.split())[:60]!r} is no action with a name and a number of "
        "its own. Get the file anew."
    )


def _excluded_seconds(path: Path) -> dict[str, set[float]]:
    """Key frames that are not to be used, by video."""
    excluded = path.with_name(path.name.replace("_v", "_excluded_timestamps_v"))
    seconds: dict[str, set[float]] = defaultdict(set)
    if excluded.is_file() and excluded.stat().st_size:
        table = read_text(excluded, _EXCLUDED, numbers=(), exact=("second",), texts=("video_id",))
        for video, second in zip(table.texts["video_id"], table.exact["second"].tolist(), strict=True):
            seconds[video].add(second)
    return seconds


def _read_table(path: Path) -> tuple[np.ndarray, _Rows]:
    """Videos and rows in the order of the file, sound or not."""
    table = read_text(path, _ROWS, numbers=(), exact=("second", "action_id", "person_id"), texts=("video_id",))
    seconds, actions, people = table.exact.values()
    return table.texts["video_id"], _Rows(seconds, actions, people, np.arange(1, len(seconds) + 1))


def _make_sense(rows: _Rows) -> np.ndarray:
    numbers = np.stack([rows.seconds, rows.actions, rows.people])
    return ((numbers >= 0) & (numbers == np.floor(numbers))).all(axis=0)


def _by_video(
    videos: np.ndarray, rows: _Rows, excluded: Mapping[str, Collection[float]]
) -> Iterator[tuple[str, _Rows]]:
    """The sound rows of each video by time, without the key frames that are not to be used."""
    codes, names = pd.factorize(videos)
    order = np.lexsort((rows.seconds, codes))
    order = order[_make_sense(rows)[order]]
    bounds = np.searchsorted(codes[order], np.arange(len(names) + 1))
    for name, start, stop in zip(names, bounds[:-1], bounds[1:], strict=True):
        own = order[start:stop]
        own = own[~np.isin(rows.seconds[own], list(excluded.get(name, ())))]
        yield name, _Rows(*(column[own] for column in rows))


def _key_frames(rows: _Rows) -> dict[float, _KeyFrame]:
    frames: dict[float, _KeyFrame] = {}
    for second, action, person, line in zip(*(column.tolist() for column in rows), strict=True):
        frames.setdefault(second, {}).setdefault(int(person), {}).setdefault(int(action), line)
    return frames
