"""The videos of FLAG3D and the texts that go with them, by a table of one's own or by the names of the files."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from har_virtual.datasets.base import Errors, Subjects, as_names, check_known
from har_virtual.datasets.flag3d.loader import activity_number, known_people
from har_virtual.datasets.flag3d.pack import ACTIVITIES, NAME, parse_name
from har_virtual.exceptions import DataFormatError, DataWarning, UnknownNameError
from har_virtual.recording import VideoClip

_COLUMNS = ("video", "activity", "subject", "start_s", "stop_s", "text")
_SUFFIXES = {".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".mts", ".3gp"}
_MAX_NAMED = 5

Table: TypeAlias = pd.DataFrame | str | os.PathLike


def load_flag3d_videos(
    folder: str | os.PathLike,
    table: Table | None = None,
    *,
    subjects: Subjects = None,
    activities: Iterable[str | int] | str | int | None = None,
    errors: Errors = "raise",
) -> list[VideoClip]:
    """Give the videos of FLAG3D as clips, with what a table says of them.

    How the files of the videos are called is not published. The 2D pack calls the films ``PHR_A001_V001_R001_S001`` and
    the renderings ``S001C001M001P001A001R001``: files of these names need no table.

    Parameters
    ----------
    folder : path-like
        With the videos, at any depth.
    table : DataFrame or path-like, optional
        Or a CSV file. One row a clip, with the column "video", a path below `folder` or the name of one video without
        its suffix; and any of "activity" (name, number or code such as A052), "subject", "start_s", "stop_s" and
        "text". What a row leaves out is taken from the name of the file. Default: all files in the folder whose names
        tell what they show.
    subjects : iterable of str or int, optional
        Names of people, or 1 to 10 for "P001" to "P010"; default: all.
    activities : iterable of str or int, optional
        Names or numbers of `FLAG3D_ACTIVITIES`; default: all.
    errors : {"raise", "warn"}, default="raise"
        Whether a row that makes no sense, or whose video is not there, is an error, or left out with a warning.

    Returns
    -------
    list of VideoClip
        In the order of the table, or by person and name; with label, subject and data set.

    Raises
    ------
    FileNotFoundError
        If there is no such folder or table.
    DataFormatError
        If a row makes no sense (the message names it), its video is not there, or nothing is left.
    UnknownNameError
        If there is no such activity or person.

    Warns
    -----
    DataWarning
        With ``errors="warn"``, names the rows that were left out, and why.
    """
    if errors not in ("raise", "warn"):
        raise UnknownNameError(f"errors must be 'raise' or 'warn', not {errors!r}.")
    home = Path(folder).expanduser()
    if not home.is_dir():
        raise FileNotFoundError(f"{home} is no folder; pass the one that holds the videos of FLAG3D.")
    wanted = None if activities is None else {ACTIVITIES[activity_number(each)] for each in as_names(activities)}
    videos = _find(home)
    if table is None:
        clips = _by_names(videos)
    else:
        clips = _by_table(home, videos, table, errors)
    people = list(dict.fromkeys(str(clip.subject) for clip in clips if clip.subject is not None))
    asked = None if subjects is None else check_known(f"{home}: subject", known_people(subjects, people), people)
    chosen = [
        clip for clip in clips if (asked is None or clip.subject in asked) and (wanted is None or clip.label in wanted)
    ]
    if not chosen:
        raise DataFormatError(
            f"{home} has no video of FLAG3D that was asked for; names must be such as PHR_A001_V001_R001_S001.mp4, or "
            "a table must tell what the videos show."
        )
    return chosen


def flag3d_texts(table: Table) -> dict[str, tuple[str, ...]]:
    """Give the texts of a table of videos by activity.

    Parameters
    ----------
    table : DataFrame or path-like
        As for `load_flag3d_videos`, with the column "text"; the videos need not be there.

    Returns
    -------
    dict of str to tuple of str
        The different texts of each activity, in the order of the table; rows without a text do not count.

    Raises
    ------
    FileNotFoundError, DataFormatError, UnknownNameError
        As `load_flag3d_videos`.

    Examples
    --------
    >>> import pandas as pd
    >>> from har_virtual.datasets import flag3d_texts
    >>> flag3d_texts(pd.DataFrame({"video": ["a", "b"], "activity": "A006", "text": ["Push up.", "Push up."]}))
    {'push_ups': ('Push up.',)}
    """
    rows = _read_table(table)
    if "text" not in rows:
        raise DataFormatError(f"{_name_of(table)} has no column text; it has {', '.join(rows.columns)}.")
    texts: dict[str, dict[str, None]] = {}
    for number, row in enumerate(rows.to_dict("records"), start=1):
        if row["text"] is not None:
            label = _told(row, f"{_name_of(table)}, row {number}")[0]
            texts.setdefault(label, {})[str(row["text"])] = None
    return {label: tuple(found) for label, found in texts.items()}


def _find(home: Path) -> list[Path]:
    return sorted(path for path in home.rglob("*") if path.suffix.lower() in _SUFFIXES and path.is_file())


def _by_names(videos: Iterable[Path]) -> list[VideoClip]:
    told = [(path, parse_name(path.stem)) for path in videos]
    clips = [VideoClip(path, 0.0, None, ACTIVITIES[t.activity], t.subject, NAME) for path, t in told if t is not None]
    return sorted(clips, key=lambda clip: (str(clip.subject), clip.path.name))


def _by_table(home: Path, videos: list[Path], table: Table, errors: Errors) -> list[VideoClip]:
    by_name: dict[str, list[Path]] = {}
    for path in videos:
        by_name.setdefault(path.stem, []).append(path)
    by_name |= {path.relative_to(home).as_posix(): [path] for path in videos}
    clips, problems = [], []
    for number, row in enumerate(_read_table(table).to_dict("records"), start=1):
        try:
            clips.append(_clip(row, by_name, f"{_name_of(table)}, row {number}", home))
        except (DataFormatError, UnknownNameError) as error:
            if errors == "raise":
                raise
            problems.append(str(error))
    if problems:
        more = f" and {len(problems) - _MAX_NAMED} more" if len(problems) > _MAX_NAMED else ""
        warnings.warn(
            f"{len(problems)} rows were left out: {'; '.join(problems[:_MAX_NAMED])}{more}", DataWarning, stacklevel=3
        )
    return clips


def _clip(row: dict[str, Any], videos: dict[str, list[Path]], where: str, home: Path) -> VideoClip:
    label, subject = _told(row, where)
    video = str(row["video"]).removeprefix("./")
    found = videos.get(video, [])
    if len(found) > 1:
        several = ", ".join(path.relative_to(home).as_posix() for path in found[:_MAX_NAMED])
        raise DataFormatError(f"{where}: {video} may be any of {several}; give the path below {home}.")
    if not found:
        raise DataFormatError(f"{where}: the video {video} is not in {home}.")
    start_s, stop_s = _number(row, "start_s", where), _number(row, "stop_s", where)
    try:
        return VideoClip(found[0], start_s or 0.0, stop_s, label, subject, NAME)
    except DataFormatError as error:
        raise DataFormatError(f"{where}: {error}") from error


def _told(row: dict[str, Any], where: str) -> tuple[str, str | None]:
    """Label and person, of the row or else of the video's name."""
    if row["video"] is None:
        raise DataFormatError(f"{where} names no video.")
    named = parse_name(Path(str(row["video"])).stem)
    activity, subject = row.get("activity"), row.get("subject")
    if named is not None:
        activity = named.activity if activity is None else activity
        subject = named.subject if subject is None else subject
    if activity is None:
        raise DataFormatError(f"{where} has no activity, and the name {row['video']} does not tell it.")
    try:
        number = activity_number(_whole(activity))
    except UnknownNameError as error:
        raise UnknownNameError(f"{where}: {error}") from error
    return ACTIVITIES[number], None if subject is None else str(_whole(subject))


def _whole(value: Any) -> Any:
    """A column of whole numbers in which some are missing holds floats."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _number(row: dict[str, Any], column: str, where: str) -> float | None:
    value = row.get(column)
    if value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = np.nan
    if not np.isfinite(number):
        raise DataFormatError(f"{where}: {column} must be a number of seconds, not {value!r}.")
    return number


def _read_table(table: Table) -> pd.DataFrame:
    rows = table if isinstance(table, pd.DataFrame) else _read_csv(Path(table).expanduser())
    unknown = [str(column) for column in rows.columns if column not in _COLUMNS]
    if "video" not in rows or unknown:
        raise DataFormatError(
            f"{_name_of(table)} must have the column video and may have {', '.join(_COLUMNS[1:])}; it has "
            f"{', '.join(map(str, rows.columns)) or 'none'}."
        )
    missing = rows.isna() | (rows == "")
    return rows.astype(object).mask(missing, None)


def _read_csv(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False)
    except (ValueError, pd.errors.ParserError) as error:
        raise DataFormatError(f"{path} is no CSV table of UTF-8 text ({str(error).strip()}).") from error


def _name_of(table: Table) -> str:
    return "the table" if isinstance(table, pd.DataFrame) else str(table)
