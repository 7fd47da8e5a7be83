"""The videos of MM-Fit, cut into its sets of exercises."""

from __future__ import annotations

import os
import re
import warnings
from pathlib import Path

from har_virtual.checks import check_positive
from har_virtual.datasets.base import Errors, Names, Subjects, check_known
from har_virtual.datasets.mm_fit.files import CAMERA_RATE_HZ, EXERCISES, WORKOUTS, ExerciseSet, file_of, read_sets
from har_virtual.datasets.mm_fit.loader import MM_FIT
from har_virtual.datasets.mm_fit.poses import choose_workouts
from har_virtual.exceptions import DataFormatError, DataWarning, UnknownNameError
from har_virtual.recording import VideoClip

_SUFFIXES = {".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm"}
_NAME = re.compile(r"(w[0-9]{2})(?![0-9])(.*)", re.IGNORECASE)


def load_mm_fit_videos(
    data_home: str | os.PathLike,
    *,
    videos: str | os.PathLike | None = None,
    subjects: Subjects = None,
    workouts: Names = None,
    activities: Names = None,
    frame_rate_hz: float | None = CAMERA_RATE_HZ,
    errors: Errors = "raise",
) -> list[VideoClip]:
    """Find the videos of MM-Fit and give a clip of each set.

    The videos are downloaded apart from the sensors, one a workout and kind: ``w00_rgb.mp4`` and ``w00_depth.mp4``. The
    labels count the frames of the first kind, so a clip starts at its start frame over the frame rate.

    Parameters
    ----------
    data_home : path-like
        As for `load_mm_fit`; each workout needs its labels there.
    videos : path-like, optional
        Folder with the videos, at any depth; default: `data_home`. A workout's video is called ``<workout>_rgb``, with
        any usual suffix; where there is none, the one file whose name starts with the workout's and says no "depth".
    subjects : str, int or iterable of these, optional
        "0" to "9"; default: all whose labels are there.
    workouts : str or iterable of str, optional
        "w00" to "w20".
    activities : str or iterable of str, optional
        Of the ten exercises; default: all.
    frame_rate_hz : float or None, default=30.0
        None takes the rate that each container states: for copies at another one, whose frames are still the same.
    errors : {"raise", "warn"}, default="raise"
        Whether damaged labels are an error, or their workout is left out with a warning.

    Returns
    -------
    list of VideoClip
        By subject, workout and time, with exercise, subject and data set as the recordings of `load_mm_fit` have them.

    Raises
    ------
    FileNotFoundError
        If a folder does not exist.
    DataFormatError
        If none of the workouts has both a video and labels, several files could be one's video, labels are damaged, or
        nothing of the activities is in them.
    UnknownNameError
        For a subject, workout or activity that there is not.
    VideoError
        With ``frame_rate_hz=None``, for a video that cannot be read.

    Warns
    -----
    DataWarning
        Names the workouts without a video or labels, where others have them, and what was left out.
    """
    if errors not in ("raise", "warn"):
        raise UnknownNameError(f"errors must be one of raise, warn, not {errors!r}.")
    if frame_rate_hz is not None:
        check_positive("frame_rate_hz", frame_rate_hz)
    wanted = check_known("MM-Fit: activity", activities, EXERCISES)
    home = MM_FIT.find_home(data_home)
    folder = Path(data_home if videos is None else videos).expanduser()
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is no folder; videos must be the folder with w00_rgb.mp4 and the like.")
    chosen = choose_workouts(home, subjects, workouts)
    found = _find(folder, chosen)
    clips: list[VideoClip] = []
    notes: list[str] = []
    for workout in (workout for workout in chosen if workout in found):
        try:
            sets = read_sets(home / file_of(workout, "labels"))
        except (DataFormatError, OSError) as error:
            if errors == "raise" and not isinstance(error, FileNotFoundError):
                raise
            notes.append(f"The video of {workout} was left out: {error}")
            continue
        chosen_sets = [each for each in sets if each.activity in wanted]
        clips += _clips(workout, found[workout], chosen_sets, frame_rate_hz) if chosen_sets else []
    missing = [workout for workout in chosen if workout not in found]
    if missing:
        notes.append(f"{folder} has no video of {', '.join(missing)}, such as {missing[0]}_rgb.mp4.")
    if not clips:
        why = " ".join(notes) or f"No set of {', '.join(wanted)} is in the labels of {', '.join(chosen)}."
        raise DataFormatError(f"{folder}: there is no clip of MM-Fit. {why}")
    for note in notes:
        warnings.warn(note, DataWarning, stacklevel=2)
    return clips


def _find(folder: Path, workouts: list[str]) -> dict[str, Path]:
    """The video of each workout that has one."""
    candidates: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*")):
        named = _NAME.fullmatch(path.stem)
        if named and path.suffix.lower() in _SUFFIXES and path.is_file() and "depth" not in named[2].lower():
            candidates.setdefault(named[1].lower(), []).append(path)
    found = {}
    for workout in (workout for workout in workouts if workout in candidates):
        exact = [path for path in candidates[workout] if path.stem.lower() == f"{workout}_rgb"]
        paths = exact or candidates[workout]
        if len(paths) > 1:
            raise DataFormatError(
                f"{folder}: any of {', '.join(str(path.relative_to(folder)) for path in paths)} can be the video of "
                f"{workout}; keep one."
            )
        found[workout] = paths[0]
    return found


def _clips(workout: str, path: Path, sets: list[ExerciseSet], frame_rate_hz: float | None) -> list[VideoClip]:
    rate = _stated_rate(path) if frame_rate_hz is None else frame_rate_hz
    return [
        VideoClip(path, each.start_frame / rate, each.stop_frame / rate, each.activity, WORKOUTS[workout], MM_FIT.name)
        for each in sets
    ]


def _stated_rate(path: Path) -> float:
    from har_virtual.video import probe_video

    rate = probe_video(path).frame_rate_hz
    if not 0 < rate < float("inf"):
        raise DataFormatError(f"{path}: the container states no frame rate; pass frame_rate_hz.")
    return rate
