"""The eight cameras of TotalCapture: their videos and their calibration."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from har_virtual.camera import Intrinsics
from har_virtual.datasets.base import Subjects, check_known
from har_virtual.datasets.totalcapture.bones import NAME, WORLD_FROM_FILE
from har_virtual.datasets.totalcapture.files import Take, find_takes, read_camera_numbers
from har_virtual.datasets.totalcapture.loader import subject_names
from har_virtual.exceptions import DataFormatError
from har_virtual.recording import VideoClip
from har_virtual.rotation import check_rotations

CAMERAS = tuple(f"cam{number}" for number in range(1, 9))
_FILE = "calibration.cal"
_FOLDERS = ("totalcapture", "TotalCapture", "total_capture")


@dataclass(frozen=True, eq=False)
class TotalCaptureCamera:
    """A calibrated camera in the Z-up world of the motions.

    Parameters
    ----------
    name : str
        As in the videos' names: "cam1".
    width, height : int
        Of the picture, in pixels.
    intrinsics : Intrinsics
    rotation : array of shape (3, 3)
        From the camera's frame (x right, y down, z forward) to the world.
    position_m : array of shape (3,)
        Of the camera in the world.
    """

    name: str
    width: int
    height: int
    intrinsics: Intrinsics
    rotation: np.ndarray
    position_m: np.ndarray

    def project(self, points_m: np.ndarray) -> np.ndarray:
        """Turn points (..., 3) of the world into pixels (..., 2)."""
        return self.intrinsics.project((np.asarray(points_m, dtype=np.float64) - self.position_m) @ self.rotation)


def load_totalcapture_cameras(data_home: str | os.PathLike) -> dict[str, TotalCaptureCamera]:
    """Load ``calibration.cal``.

    Each camera has the first and last row and column of its picture, fx, fy, cx, cy in pixels, coefficients of radial
    distortion, and the rotation R and translation t in metres that take a point x of the files' world, whose y is up,
    to R x + t in the camera's frame.

    Parameters
    ----------
    data_home : path-like
        The folder that holds ``calibration.cal``, the file itself, or the folder above if it is called
        ``totalcapture``.

    Returns
    -------
    dict of str to TotalCaptureCamera
        "cam1" to "cam8", in the file's order. The numbering in the file and in the names of the videos is taken to be
        the same.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    DataFormatError
        If it is damaged.
    """
    path = _find_file(Path(data_home).expanduser())
    n_distortions, rows = read_camera_numbers(path)
    if n_distortions > 3:
        raise DataFormatError(f"{path}, line 1: {n_distortions} coefficients of distortion; at most 3 are understood.")
    return {f"cam{n}": _camera(path, f"cam{n}", row, n_distortions) for n, row in enumerate(rows, 1)}


def _find_file(given: Path) -> Path:
    candidates = (given, *(given / folder / _FILE for folder in (".", *_FOLDERS)))
    for path in candidates:
        if path.is_file():
            return path
    raise FileNotFoundError(f"{given} has no {_FILE}; data_home must be the folder that holds it.")


def _camera(path: Path, name: str, row: np.ndarray, n_distortions: int) -> TotalCaptureCamera:
    top, bottom, left, right = row[:4]
    rotation, translation = row[-12:-3].reshape(3, 3), row[-3:]
    k1, k2, k3 = np.concatenate([row[8 : 8 + n_distortions], np.zeros(3)])[:3]
    distortion = {0: (), 3: (k1, k2, 0.0, 0.0, k3)}.get(n_distortions, (k1, k2, 0.0, 0.0))
    try:
        check_rotations(rotation[None])
        intrinsics = Intrinsics((row[4], row[5]), (row[6], row[7]), distortion, source=_FILE)
    except DataFormatError as error:
        raise DataFormatError(f"{path}, {name}: {error}") from error
    if bottom <= top or right <= left:
        raise DataFormatError(f"{path}, {name}: rows {top:g} to {bottom:g} and columns {left:g} to {right:g} are none.")
    return TotalCaptureCamera(
        name,
        int(right - left) + 1,
        int(bottom - top) + 1,
        intrinsics,
        WORLD_FROM_FILE @ rotation.T,
        -WORLD_FROM_FILE @ rotation.T @ translation,
    )


def load_totalcapture_videos(
    data_home: str | os.PathLike,
    *,
    subjects: Subjects = None,
    sessions: Iterable[str] | str | None = None,
    cameras: Iterable[str] | str | None = None,
) -> list[VideoClip]:
    """Find the videos of TotalCapture, ``TC_S1_acting1_cam1.mp4`` and so on.

    Parameters
    ----------
    data_home : path-like
        As for `load_totalcapture`; sensors and motion capture need not be there.
    subjects, sessions, cameras : iterable of str, optional
        Such as "S1" or 1, "walking1", "cam3"; default: all that are there.

    Returns
    -------
    list of VideoClip
        Whole videos with subject, data set and label, by subject, take and camera. They start with the sensors and the
        motion capture, at 60 frames a second.

    Raises
    ------
    FileNotFoundError
        If `data_home` does not exist.
    DataFormatError
        If there is no video that was asked for.
    UnknownNameError
        If there is no such subject, take or camera.
    """
    given = Path(data_home).expanduser()
    if not given.is_dir():
        raise FileNotFoundError(f"{given} is no folder; data_home must be the one that holds the videos' folders.")
    found: list[tuple[Take, str, Path]] = []
    for home in (given, *(given / folder for folder in _FOLDERS)):
        takes = [] if found else find_takes(home).values()
        found += [(take, cam, home / take.files[cam]) for take in takes for cam in CAMERAS if cam in take.files]
    if not found:
        raise DataFormatError(f"{given} has no video of TotalCapture: unpack the archives of videos there.")
    asked = check_known(
        f"{given}: subject", subject_names(subjects), dict.fromkeys(take.subject for take, _, _ in found)
    )
    names = check_known(f"{given}: session", sessions, dict.fromkeys(take.name for take, _, _ in found))
    lenses = check_known(f"{given}: camera", cameras, sorted({camera for _, camera, _ in found}))
    clips = [
        VideoClip(path, label=take.label, subject=take.subject, dataset=NAME)
        for take, camera, path in found
        if take.subject in asked and take.name in names and camera in lenses
    ]
    if not clips:
        raise DataFormatError(f"{given} has no video {', '.join(names)} of {', '.join(asked)} by {', '.join(lenses)}.")
    return clips
