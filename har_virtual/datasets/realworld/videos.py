"""The videos of RealWorld (HAR), cut as IMUTube does (Kwon et al., 2020)."""

from __future__ import annotations

import math
import os
import re
import warnings
from pathlib import Path
from typing import NamedTuple

from har_virtual.checks import check_positive, is_finite_number
from har_virtual.datasets.base import Names, Subjects, check_known
from har_virtual.datasets.realworld.archives import ACTIVITIES
from har_virtual.exceptions import DataFormatError, DataWarning, VideoError
from har_virtual.recording import VideoClip

_SUFFIXES = {".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".mts", ".3gp"}
_SUBJECT = re.compile(r"proband_?([1-9][0-9]?)(?![0-9])", re.IGNORECASE)
_ACTIVITY = re.compile(rf"(?<![a-z])({'|'.join(ACTIVITIES)})(?![a-z])", re.IGNORECASE)
# A container that claims more is damaged: a session lasts some ten minutes.
_LONGEST_S = 24 * 3600.0


class _Video(NamedTuple):
    subject: str
    activity: str
    path: Path


def load_realworld_videos(
    data_home: str | os.PathLike,
    *,
    subjects: Subjects = None,
    activities: Names = None,
    skip_s: float = 10.0,
    chunk_s: float = 120.0,
    min_chunk_s: float = 10.0,
) -> list[VideoClip]:
    """Find the videos of RealWorld and cut them into clips: the first seconds off, the rest in two-minute chunks.

    The videos are not synchronised with the sensors; each starts up to a minute before the activity does. They are
    downloaded apart from the sensors' archives.

    Parameters
    ----------
    data_home : path-like
        A folder with videos at any depth. ``proband<number>`` in the name of a folder or of the file tells the subject,
        the activity's name in that of the file the label: ``proband1/videos/walking.mp4``, ``proband1_walking_2.mp4``.
        Other files are not looked at.
    subjects : str, int or iterable of these, optional
        Default: all that are there.
    activities : str or iterable of str, optional
        Default: all 8.
    skip_s : float, default=10.0
        What is left out at the start of each video.
    chunk_s : float, default=120.0
        Length of a clip.
    min_chunk_s : float, default=10.0
        The last clip of a video ends with it, and is left out if it is shorter than this.

    Returns
    -------
    list of VideoClip
        By subject, activity, file and time, with label, subject and data set as the recordings of `load_realworld` have
        them.

    Raises
    ------
    FileNotFoundError
        If `data_home` does not exist.
    DataFormatError
        If it has no such video, or a length is not positive or chunk_s below min_chunk_s.
    UnknownNameError
        For a subject or activity that there is not.
    VideoError
        If none of the videos can be used.

    Warns
    -----
    DataWarning
        Names each video that is damaged, does not say how long it is, or is too short for a clip; the others are used.

    References
    ----------
    H. Kwon et al.: IMUTube: Automatic extraction of virtual on-body accelerometry from video for human activity
    recognition. Proc. ACM IMWUT 4(3), 2020.
    """
    if not is_finite_number(skip_s) or skip_s < 0:
        raise DataFormatError(f"skip_s must be a finite number of 0 or more, not {skip_s!r}.")
    if check_positive("chunk_s", chunk_s) < check_positive("min_chunk_s", min_chunk_s):
        raise DataFormatError(f"chunk_s must not be below min_chunk_s, {min_chunk_s:g}, but is {chunk_s:g}.")
    home = Path(data_home).expanduser()
    videos = _choose(home, subjects, activities)
    clips, problems = [], []
    for video in videos:
        try:
            bounds = _chunks(_duration_s(video.path), skip_s, chunk_s, min_chunk_s)
        except VideoError as error:
            problems.append(str(error))
            continue
        if not bounds:
            problems.append(f"{video.path}: too short for a clip of {min_chunk_s:g} s after the first {skip_s:g} s.")
        clips += [VideoClip(video.path, *each, video.activity, video.subject, "realworld") for each in bounds]
    if not clips:
        raise VideoError(f"{home}: no video can be used. {' '.join(problems)}")
    for problem in problems:
        warnings.warn(f"A video was left out: {problem}", DataWarning, stacklevel=2)
    return clips


def _choose(home: Path, subjects: Subjects, activities: Names) -> list[_Video]:
    if not home.is_dir():
        raise FileNotFoundError(f"{home} is no folder; data_home must be the folder with the videos of RealWorld.")
    wanted = set(check_known("RealWorld: activity", activities, ACTIVITIES))
    found = sorted(_find(home), key=lambda video: (int(video.subject), video.activity, video.path))
    if not found:
        raise DataFormatError(
            f"{home} has no video of RealWorld; the names must tell subject and activity, such as "
            "proband1/videos/walking.mp4."
        )
    asked = set(check_known(f"{home}: subject", subjects, dict.fromkeys(video.subject for video in found)))
    chosen = [video for video in found if video.subject in asked and video.activity in wanted]
    if not chosen:
        raise DataFormatError(
            f"{home} has no video of {', '.join(sorted(wanted))} by subject {', '.join(sorted(asked))}."
        )
    return chosen


def _find(home: Path) -> list[_Video]:
    """Videos whose names tell what they show; `home` itself may be the folder of a subject."""
    videos = []
    for path in home.rglob("*"):
        if path.suffix.lower() not in _SUFFIXES or not path.is_file():
            continue
        numbers = _SUBJECT.findall("/".join([home.resolve().name, *path.relative_to(home).parts]))
        activities = {name.lower() for name in _ACTIVITY.findall(path.stem)}
        if numbers and len(activities) == 1:
            videos.append(_Video(numbers[-1], activities.pop(), path))
    return videos


def _duration_s(path: Path) -> float:
    from har_virtual.video import probe_video

    duration_s = probe_video(path).duration_s
    if not 0 < duration_s <= _LONGEST_S:
        raise VideoError(f"{path}: the container says that the video lasts {duration_s:g} s; copy it to another one.")
    return duration_s


def _chunks(duration_s: float, skip_s: float, chunk_s: float, min_chunk_s: float) -> list[tuple[float, float | None]]:
    """Start and stop of each clip; None is the end of the video."""
    n_clips = 1 + math.floor((duration_s - skip_s - min_chunk_s) / chunk_s)
    starts = [skip_s + number * chunk_s for number in range(n_clips)]
    return [(start, start + chunk_s if start + chunk_s < duration_s else None) for start in starts]
