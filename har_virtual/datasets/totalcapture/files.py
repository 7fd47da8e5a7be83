"""The files of TotalCapture: which take each belongs to, and what stands in them, as it stands there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from har_virtual.exceptions import DataFormatError

RATE_HZ = 60.0
"""Of sensors, motion capture and video alike: frame i of each lies at i / 60 s."""

JOINTS: Mapping[str, str] = {
    "Hips": "pelvis",
    "Spine": "spine",
    "Spine1": "spine2",
    "Spine2": "spine3",
    "Spine3": "spine4",
    "Neck": "neck",
    "Head": "head",
    **{
        f"{Side}{theirs}": f"{side}_{ours}"
        for Side, side, chain in (
            ("Right", "right", {"Shoulder": "collar", "Arm": "shoulder", "ForeArm": "elbow", "Hand": "wrist"}),
            ("Left", "left", {"Shoulder": "collar", "Arm": "shoulder", "ForeArm": "elbow", "Hand": "wrist"}),
            ("Right", "right", {"UpLeg": "hip", "Leg": "knee", "Foot": "ankle"}),
            ("Left", "left", {"UpLeg": "hip", "Leg": "knee", "Foot": "ankle"}),
        )
        for theirs, ours in chain.items()
    },
}
"""Joints of the motion capture in the files' order, and what the library calls them."""


class Mount(NamedTuple):
    """Where a sensor sits: the library's site, and the bone of the motion capture."""

    site: str
    bone: str


SENSORS: Mapping[str, Mount] = {
    "Head": Mount("head", "Head"),
    "Sternum": Mount("chest", "Spine3"),
    "Pelvis": Mount("waist", "Hips"),
    **{
        f"{letter}_{theirs}": Mount(f"{side}_{site}", f"{side.capitalize()}{bone}")
        for theirs, site, bone in (
            ("UpArm", "upper_arm", "Arm"),
            ("LowArm", "forearm", "ForeArm"),
            ("UpLeg", "thigh", "UpLeg"),
            ("LowLeg", "shin", "Leg"),
            ("Foot", "foot", "Foot"),
        )
        for letter, side in (("L", "left"), ("R", "right"))
    },
}
"""Sensors by the files' names."""

KINDS = ("aux", "xsens", "bone", "ref", "pos", "ori")
_MOVES = r"(?:acting|freestyle|rom|walking)\d+"
_FILE = re.compile(
    rf"(?:tc_)?(?:(?P<subject>s[1-5])_)?(?:(?P<take>{_MOVES})_)?"
    r"(?P<kind>xsens_auxfields\.sensors|xsens\.sensors|calib_imu_bone\.txt|calib_imu_ref\.txt|gt_skel_gbl_pos\.txt|"
    r"gt_skel_gbl_ori\.txt|cam[1-8]\.mp4)"
)
_KIND_OF = {"xsens_auxfields.sensors": "aux", "xsens.sensors": "xsens"} | {
    f"{stem}_{kind}.txt": kind
    for stem, kinds in (("calib_imu", ("bone", "ref")), ("gt_skel_gbl", ("pos", "ori")))
    for kind in kinds
}
_SUBJECT_FOLDER = re.compile(r"(s[1-5])(?:_.*)?")
_TAKE_FOLDER = re.compile(rf"(?:.*_)?({_MOVES})")
_OTHER_FOLDERS = {"imu", "gyro_mag", "gyromag", "vicon", "video", "videos", "extracted", "dataset"}
_MAX_DEPTH = 4
# Quaternions are written with some six digits, and a few have a length slightly above 1.
_UNIT_TOLERANCE = 0.02
# No reading in any of the files' units.
_ABSURD = 1e6


class Take(NamedTuple):
    """One take of one subject, with its files by kind: `KINDS` and cam1 to cam8, relative to the home."""

    subject: str
    name: str
    files: dict[str, str]

    @property
    def label(self) -> str:
        """Kind of the take, such as "walking"."""
        return self.name.rstrip("0123456789")

    @property
    def sensors(self) -> str | None:
        """The file with the sensors' readings: that with gyroscope and magnetometer where there is one."""
        return self.files.get("aux", self.files.get("xsens"))

    def __str__(self) -> str:
        return f"{self.subject}/{self.name}"


def find_takes(home: Path) -> dict[tuple[str, str], Take]:
    """Find the takes below a folder by their files' names, in any of the layouts that downloads and readers have.

    Subject and take stand in a file's name or in the names of the folders above it, the nearest one first; upper and
    lower case mean the same. Of two files of one kind of a take, the first in the order of paths counts.
    """
    found: dict[tuple[str, str], dict[str, str]] = {}
    for relative, subject, move in _files(home, (), None, None):
        match = _FILE.fullmatch(relative[-1].lower())
        assert match is not None
        subject, move = match["subject"] or subject, match["take"] or move
        if subject and move:
            kind = _KIND_OF.get(match["kind"], match["kind"].removesuffix(".mp4"))
            found.setdefault((subject.upper(), move), {}).setdefault(kind, "/".join(relative))
    return {key: Take(*key, files) for key, files in sorted(found.items())}


def _files(
    folder: Path, above: tuple[str, ...], subject: str | None, move: str | None
) -> Iterator[tuple[tuple[str, ...], str | None, str | None]]:
    """Files of the data set, as parts of their path, with what the folders above say of subject and take."""
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        name, parts = path.name.lower(), (*above, path.name)
        if _FILE.fullmatch(name):
            if path.is_file():
                yield parts, subject, move
            continue
        whose, which = _SUBJECT_FOLDER.fullmatch(name), _TAKE_FOLDER.fullmatch(name)
        if (whose or which or name in _OTHER_FOLDERS) and len(parts) <= _MAX_DEPTH and path.is_dir():
            yield from _files(path, parts, whose[1] if whose else subject, which[1] if which else move)


class Readings(NamedTuple):
    """What the sensors read, (n_samples, n_sensors, ...): orientation (w, x, y, z), acc, and gyr and mag or None."""

    names: tuple[str, ...]
    quaternions: np.ndarray
    acc: np.ndarray
    gyr: np.ndarray | None
    mag: np.ndarray | None


def read_sensors(path: Path) -> Readings:
    """Read ``*_Xsens.sensors`` (orientation, acc) or ``*_Xsens_AuxFields.sensors`` (gyr and mag, too).

    Raises
    ------
    DataFormatError
        Names the line of what is no number, too much or too little, out of order, or missing at the end.
    """
    n_values = 13 if "auxfields" in path.name.lower() else 7
    lines = _lines(path)
    n_sensors, n_frames = counts(path, lines[0])
    rows = [line.split() for line in lines[1:]]
    names = tuple(row[0] if row else "" for row in rows[1 : n_sensors + 1])
    _check_names(path, names, n_sensors)
    if len(rows) != n_frames * (n_sensors + 1):
        raise DataFormatError(f"{path}, line {len(lines)}: {_end(len(rows), n_sensors, n_frames)}; unpack it anew.")
    for frame in range(n_frames):
        _check_frame(path, rows, frame, names, n_values)
    values = _numbers(
        path, [row[1:] for number, row in enumerate(rows) if number % (n_sensors + 1)], _sensor_line(names)
    )
    values = values.reshape(n_frames, n_sensors, n_values)
    _check_unit(path, values[..., :4], lambda frame, sensor: 2 + frame * (n_sensors + 1) + 1 + sensor)
    more = (values[..., 7:10], values[..., 10:]) if n_values > 7 else (None, None)
    return Readings(names, values[..., :4], values[..., 4:7], *more)


def _end(n_rows: int, n_sensors: int, n_frames: int) -> str:
    """Where a file of another length than its head says ends."""
    whole, rest = divmod(n_rows, n_sensors + 1)
    if whole >= n_frames:
        return f"the file goes on after the last of {n_frames} frames"
    return f"the file ends {f'in frame {whole + 1}' if rest else f'after frame {whole}'} of {n_frames}"


def _sensor_line(names: Sequence[str]) -> Callable[[int], int]:
    return lambda row: 3 + row + row // len(names)


def _check_frame(path: Path, rows: list[list[str]], frame: int, names: tuple[str, ...], n_values: int) -> None:
    """Frames count from 1, and each has its sensors in the same order."""
    first = frame * (len(names) + 1)
    line = first + 2
    if rows[first] != [str(frame + 1)]:
        raise DataFormatError(f"{path}, line {line}: frame {frame + 1} must begin here, not {' '.join(rows[first])!r}.")
    for sensor, name in enumerate(names, 1):
        row = rows[first + sensor]
        if len(row) != n_values + 1 or row[0] != name:
            raise DataFormatError(
                f"{path}, line {line + sensor}: needs {name} and {n_values} numbers, not {' '.join(row)[:60]!r}."
            )


def counts(path: Path, line: str) -> tuple[int, int]:
    """Give the numbers of sensors and of frames, which the first line of a file of sensors holds."""
    fields = line.split()
    if len(fields) != 2 or not all(field.isdecimal() and field.isascii() for field in fields):
        raise DataFormatError(f"{path}, line 1: needs the numbers of sensors and of frames, not {line[:60]!r}.")
    n_sensors, n_frames = int(fields[0][:9]), int(fields[1][:9])
    if not 1 <= n_sensors <= len(SENSORS) or n_frames < 1:
        raise DataFormatError(f"{path}, line 1: {n_sensors} sensors and {n_frames} frames; there are 1 to 13 sensors.")
    return n_sensors, n_frames


def _check_names(path: Path, names: Sequence[str], n_sensors: int) -> None:
    unknown = [name for name in names if name not in SENSORS]
    if unknown or len(set(names)) != n_sensors:
        what = f"there is no sensor {', '.join(map(repr, unknown))}" if unknown else "a sensor is missing or repeated"
        raise DataFormatError(f"{path}: {what}; the sensors are {', '.join(SENSORS)}.")


def read_calibration(path: Path) -> dict[str, np.ndarray]:
    """Read ``*_calib_imu_bone.txt`` or ``*_calib_imu_ref.txt``: a unit quaternion (x, y, z, w) for each sensor.

    Raises
    ------
    DataFormatError
        Names the line of what is no sensor or no unit quaternion.
    """
    lines = _lines(path)
    rows = [line.split() for line in lines[1:]]
    for number, row in enumerate(rows, 2):
        if len(row) != 5 or row[0] not in SENSORS:
            raise DataFormatError(f"{path}, line {number}: needs a sensor and four numbers, not {lines[number - 1]!r}.")
    names = [row[0] for row in rows]
    if lines[0].split() != [str(len(rows))] or len(set(names)) != len(names) or not names:
        raise DataFormatError(
            f"{path}: has {len(rows)} lines of sensors, of {lines[0][:20]!r}, each once; get it anew."
        )
    values = _numbers(path, [row[1:] for row in rows], lambda row: row + 2)
    _check_unit(path, values[:, None], lambda row, _: row + 2)
    return dict(zip(names, values, strict=True))


def read_skeleton(path: Path, n_values: int) -> np.ndarray:
    """Read ``gt_skel_gbl_pos.txt`` (3 values a joint) or ``gt_skel_gbl_ori.txt`` (4): (n_frames, 21, n_values).

    Joints come in the order of `JOINTS`, whatever order the file has.

    Raises
    ------
    DataFormatError
        Names the line of what is no number, too much or too little, and joints that are missing.
    """
    lines = _lines(path)
    names = lines[0].split()
    if sorted(names) != sorted(JOINTS):
        wrong = [name for name in names if name not in JOINTS] or [name for name in JOINTS if names.count(name) != 1]
        raise DataFormatError(
            f"{path}, line 1: must name 21 joints, {', '.join(JOINTS)}; look at {', '.join(wrong[:5])}."
        )
    rows = [line.split() for line in lines[1:]]
    if not rows:
        raise DataFormatError(f"{path}: has no frame; unpack it anew.")
    for number, row in enumerate(rows, 2):
        if len(row) != len(JOINTS) * n_values:
            raise DataFormatError(
                f"{path}, line {number}: has {len(row)} numbers where {len(JOINTS)} x {n_values} are needed; the file "
                "may be cut short."
            )
    values = _numbers(path, rows, lambda row: row + 2).reshape(len(rows), len(JOINTS), n_values)
    if n_values == 4:
        _check_unit(path, values, lambda frame, _: frame + 2)
    return values[:, [names.index(joint) for joint in JOINTS]]


def read_camera_numbers(path: Path) -> tuple[int, np.ndarray]:
    """Read ``calibration.cal``: how many coefficients of distortion, and one row of numbers for each camera.

    Raises
    ------
    DataFormatError
        If there are not as many numbers as the first line says, or something is no number.
    """
    lines = _lines(path)
    head = lines[0].split()
    if len(head) != 2 or not all(field.isdecimal() and field.isascii() and len(field) < 3 for field in head):
        raise DataFormatError(
            f"{path}, line 1: needs the numbers of cameras and of distortions, not {lines[0][:60]!r}."
        )
    n_cameras, n_distortions = map(int, head)
    fields = [(number, field) for number, line in enumerate(lines[1:], 2) for field in line.split()]
    values = _numbers(path, [[field] for _, field in fields], lambda row: fields[row][0]).ravel()
    n_each = 4 + 4 + n_distortions + 9 + 3
    if n_cameras < 1 or len(values) != n_cameras * n_each:
        raise DataFormatError(
            f"{path}: has {len(values)} numbers after the first line, but {n_cameras} cameras of {n_each} need "
            f"{n_cameras * n_each}; get it anew."
        )
    return n_distortions, values.reshape(n_cameras, n_each)


def _lines(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="ascii").rstrip().split("\n")
    except UnicodeDecodeError as error:
        raise DataFormatError(f"{path} is no text of this data set (byte {error.start}); get it anew.") from error
    if not lines[0].strip():
        raise DataFormatError(f"{path} is empty; get it anew.")
    return lines


def _numbers(path: Path, rows: Sequence[Sequence[str]], line: Callable[[int], int]) -> np.ndarray:
    """Give rows of numbers, all finite; `line` tells where a row stands."""
    try:
        values = np.array(rows, dtype=np.float64)
    except ValueError:
        values = None
    if values is not None and (np.abs(values) < _ABSURD).all():
        return values
    for number, row in enumerate(rows):
        for field in row:
            if not _is_plausible(field):
                raise DataFormatError(f"{path}, line {line(number)}: {field[:40]!r} is no number that can stand here.")
    raise DataFormatError(f"{path}, line {line(0)}: rows differ in length; get it anew.")


def _is_plausible(field: str) -> bool:
    try:
        return abs(float(field)) < _ABSURD
    except ValueError:
        return False


def _check_unit(path: Path, quaternions: np.ndarray, line: Callable[[int, int], int]) -> None:
    wrong = np.argwhere(np.abs(np.linalg.norm(quaternions, axis=-1) - 1) > _UNIT_TOLERANCE)
    if len(wrong):
        first = tuple(int(index) for index in wrong[0])
        raise DataFormatError(
            f"{path}, line {line(*first)}: {quaternions[first].tolist()} is no quaternion of length 1, which an "
            "orientation is; the file may be damaged: unpack it anew."
        )
