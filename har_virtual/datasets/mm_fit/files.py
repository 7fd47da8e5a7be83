"""The files of MM-Fit: sets of exercises, devices and poses as the arrays and tables on disk have them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from har_virtual.datasets.labels import names_by_id
from har_virtual.exceptions import DataFormatError

CAMERA_RATE_HZ = 30.0
"""Frames a second: frame f is at f / 30 s on a session's clock."""

_PARTICIPANTS = (2, 0, 1, 0, 1, 2, 0, 1, 0, 1, 0, 1, 3, 4, 0, 1, 5, 6, 7, 8, 9)
WORKOUTS: Mapping[str, str] = MappingProxyType({f"w{n:02d}": str(who) for n, who in enumerate(_PARTICIPANTS)})
"""Who did each workout."""

EXERCISES = tuple(names_by_id("mm_fit", "activity").values())
"""In the order of the authors' class numbers, 0 to 9."""

N_JOINTS: Mapping[int, int] = MappingProxyType({2: 18, 3: 17})
"""Joints of a pose, by its dimensions: COCO-18 in pixels, Human3.6M's 17 in space."""

_MAGIC = b"\x93NUMPY"
_WORKOUT = re.compile(r"w\d\d")
_COUNT = re.compile(r"\s*([0-9]{1,9})\s*", re.ASCII)
_COLUMNS = "start frame, end frame, repetitions, exercise"
# A day and a half of video.
_LAST_FRAME = 4_000_000
# No reading in m/s2, rad/s or uT, no heart rate and no joint in mm or px.
_ABSURD = 1e7


class ExerciseSet(NamedTuple):
    """One set of an exercise: frames [start_frame, stop_frame), where stop_frame is the file's end frame.

    The end frame is the first one outside, as the authors' rule has it: a window belongs to a set if its centre lies
    before that.
    """

    start_frame: int
    stop_frame: int
    repetitions: int
    activity: str
    line: int


class DeviceFile(NamedTuple):
    """Readings of a device in the order of the file: the camera's frame and the time of each, and its values."""

    frames: np.ndarray
    times_ms: np.ndarray
    values: np.ndarray


class PoseFile(NamedTuple):
    """Joints (F, J, D) of each frame that has a pose, in the order of the file."""

    frames: np.ndarray
    values: np.ndarray


def file_of(workout: str, modality: str) -> str:
    """Give where the file of a modality lies, relative to the home: ``w00/w00_sw_l_acc.npy``."""
    return f"{workout}/{workout}_{modality}" + (".csv" if modality == "labels" else ".npy")


def workouts_in(home: Path) -> list[str]:
    """Give the known workouts of which a folder is there, by subject and number."""
    folders = [path.name for path in home.iterdir() if _WORKOUT.fullmatch(path.name) and path.is_dir()]
    return sorted((name for name in folders if name in WORKOUTS), key=lambda name: (int(WORKOUTS[name]), name))


def read_sets(path: Path) -> list[ExerciseSet]:
    """Read the table of a workout's sets, which has no header.

    Parameters
    ----------
    path : Path
        ``w00/w00_labels.csv``.

    Returns
    -------
    list of ExerciseSet
        In order of time.

    Raises
    ------
    DataFormatError
        With the line: for a row that is none, an exercise that there is not, a set that ends before it starts, or one
        that begins before another ends.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataFormatError(f"{path} is no text ({error.reason}); it is damaged: unpack it anew.") from error
    lines = enumerate(text.split("\n"), start=1)
    sets = sorted(_read_set(line.rstrip("\r"), number, path) for number, line in lines if line.strip())
    for earlier, later in pairwise(sets):
        if later.start_frame < earlier.stop_frame:
            raise DataFormatError(
                f"{path}, line {later.line}: the set of {later.activity} from frame {later.start_frame} begins before "
                f"the one of {earlier.activity} in line {earlier.line} ends, at {earlier.stop_frame}; correct one."
            )
    return sets


def _read_set(text: str, line: int, path: Path) -> ExerciseSet:
    fields = text.split(",")
    counts = [_COUNT.fullmatch(field) for field in fields[:3]]
    if len(fields) != 4 or not all(counts):
        raise DataFormatError(
            f"{path}, line {line}: {text[:80]!r} is no set: four columns are needed, {_COLUMNS}, without a header."
        )
    start, stop, repetitions = (int(count[1]) for count in counts if count)
    activity = fields[3].strip()
    if activity not in EXERCISES:
        raise DataFormatError(
            f"{path}, line {line}: there is no exercise {activity[:40]!r}; there are {', '.join(EXERCISES)}."
        )
    if not start < stop:
        raise DataFormatError(
            f"{path}, line {line}: the set of {activity} ends at frame {stop}, which is not after its start at {start}."
        )
    if stop > _LAST_FRAME:
        raise DataFormatError(f"{path}, line {line}: no workout has a frame {stop}; the number is damaged.")
    return ExerciseSet(start, stop, repetitions, activity, line)


def read_device(path: Path, n_values: int) -> DeviceFile:
    """Read the readings of one sensor: an array (N, 2 + n_values) of frame, time stamp in ms, and values.

    Parameters
    ----------
    path : Path
    n_values : int
        3 for acceleration in m/s2, angular velocity in rad/s and magnetic field in uT; 1 for the heart rate.

    Returns
    -------
    DeviceFile
        frames int64 (N,), times_ms float64 (N,), values float32 (N, n_values), NaN where a reading is missing.

    Raises
    ------
    DataFormatError
        If it is no such array, or a frame or time stamp in it is none.
    """
    array = _read_array(path, f"(readings, {2 + n_values})", lambda shape: shape[1:] == (2 + n_values,))
    frames = _read_frames(array[:, 0], path)
    damaged = np.flatnonzero(~np.isfinite(array[:, 1]))
    if damaged.size:
        raise DataFormatError(f"{path}: row {damaged[0]} has no time stamp ({array[damaged[0], 1]}); it is damaged.")
    values = array[:, 2:]
    _check_values(values, path)
    return DeviceFile(frames, np.array(array[:, 1], dtype=np.float64), np.array(values, dtype=np.float32))


def read_pose(path: Path, n_dimensions: int) -> PoseFile:
    """Read poses: an array (D, F, 1 + J) whose first column is the frame, of COCO-18 or Human3.6M's 17 joints.

    Parameters
    ----------
    path : Path
    n_dimensions : {2, 3}

    Returns
    -------
    PoseFile
        frames int64 (F,), values float64 (F, J, D), in the file's unit and axes.

    Raises
    ------
    DataFormatError
        If it is no such array, or a frame in it is none.
    """
    shape = (n_dimensions, 1 + N_JOINTS[n_dimensions])
    array = _read_array(path, f"({shape[0]}, frames, {shape[1]})", lambda found: found[::2] == shape)
    frames = _read_frames(array[0, :, 0], path)
    values = np.array(array[:, :, 1:].transpose(1, 2, 0), dtype=np.float64)
    _check_values(values, path)
    return PoseFile(frames, values)


def _read_array(path: Path, expected: str, fits: Callable[[tuple[int, ...]], bool]) -> np.ndarray:
    """Give a file's array of numbers without reading it, so that a damaged header asks for no memory."""
    with path.open("rb") as file:
        magic = file.read(len(_MAGIC))
    if magic != _MAGIC:
        raise DataFormatError(f"{path} is no file of NumPy (.npy); it is damaged: unpack it anew.")
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError:
        raise
    # NumPy has many ways to say that a header makes no sense.
    except Exception as error:
        raise DataFormatError(f"{path}: damaged array ({error}); unpack it anew.") from error
    if array.dtype.kind not in "fiu" or not fits(array.shape) or not array.size:
        raise DataFormatError(
            f"{path}: numbers of shape {expected} are needed, not {array.dtype} of shape {array.shape}."
        )
    return array


def _read_frames(column: np.ndarray, path: Path) -> np.ndarray:
    numbers = np.asarray(column, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        wrong = np.flatnonzero(~((numbers >= 0) & (numbers <= _LAST_FRAME) & (numbers == np.rint(numbers))))
    if wrong.size:
        raise DataFormatError(f"{path}: row {wrong[0]} has the frame {numbers[wrong[0]]:g}, which is none.")
    return numbers.astype(np.int64)


def _check_values(values: np.ndarray, path: Path) -> None:
    with np.errstate(invalid="ignore"):
        wrong = int(np.sum(np.abs(values) > _ABSURD))
    if wrong:
        raise DataFormatError(f"{path}: {wrong} values are infinite or over {_ABSURD:g}; the file is damaged.")
