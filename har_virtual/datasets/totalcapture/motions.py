"""The motion capture of TotalCapture as motions, and its sensors on them."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from har_virtual.datasets.base import Errors, Subjects, check_known
from har_virtual.datasets.totalcapture.bones import (
    TOTALCAPTURE_21,
    MissingMotionError,
    load_motion,
    matrices,
    segment_from_sensor,
    turned,
)
from har_virtual.datasets.totalcapture.files import (
    JOINTS,
    SENSORS,
    Take,
    find_takes,
    read_calibration,
    read_sensors,
    read_skeleton,
)
from har_virtual.datasets.totalcapture.loader import TOTALCAPTURE, subject_names
from har_virtual.exceptions import DataFormatError, DataWarning, UnknownNameError
from har_virtual.imu import SITES, Placement
from har_virtual.rotation import rotation_matrices
from har_virtual.skeleton import Motion


def load_totalcapture_motions(
    data_home: str | os.PathLike,
    *,
    subjects: Subjects = None,
    sessions: Iterable[str] | str | None = None,
    toes: bool = True,
    errors: Errors = "raise",
) -> list[Motion]:
    """Load the motion capture of TotalCapture, on the clock of its sensors.

    Positions come from ``gt_skel_gbl_pos.txt``, inches with y up, orientations from ``gt_skel_gbl_ori.txt``, of whose
    bone frames only the constant alignment with ours is estimated, by `har_virtual.motion.orient_segments`.

    Parameters
    ----------
    data_home : path-like
        As for `load_totalcapture`.
    subjects : iterable of str or int, optional
        "S1" to "S5", or 1 to 5; default: all that are there.
    sessions : iterable of str, optional
        Names of takes, such as "walking1"; default: all that are there.
    toes : bool, default=True
        Add the joints left_foot and right_foot, which the files do not have: 13 cm in front of the ankle and 6 cm below
        it, carried by the foot's own orientation. Without them there is no segment for a sensor on the foot.
    errors : {"raise", "warn"}, default="raise"
        Whether a damaged file is an error, or its take is left out with a warning.

    Returns
    -------
    list of Motion
        By subject and take, in the Z-up world (the files' (x, y, z) is (x, -z, y)), in metres, 60 frames a second from
        0 s, with segment orientations, subject, session, label and data set. A take is as long as the shorter of motion
        capture and sensors, where both are there. `attrs` hold the file, its number of frames, where orientations are
        from ("files", or "positions" where ``gt_skel_gbl_ori.txt`` is not there) and whether toes were added.

    Raises
    ------
    FileNotFoundError
        If `data_home` does not exist.
    DataFormatError
        If it is another folder, has no take that was asked for, or a file is damaged.
    UnknownNameError
        If there is no such subject or take.

    Warns
    -----
    DataWarning
        Names what ``errors="warn"`` left out, takes without motion capture, and feet to which no toes could be added.
    """
    if errors not in ("raise", "warn"):
        raise UnknownNameError(f"errors must be 'raise' or 'warn', not {errors!r}.")
    home, takes = choose_takes(data_home, subjects, sessions)
    motions = []
    for take in takes:
        try:
            motions.append(load_motion(home, take, toes=toes))
        except MissingMotionError as missing:
            warnings.warn(str(missing), DataWarning, stacklevel=2)
        except (DataFormatError, OSError) as error:
            if errors == "raise":
                raise
            warnings.warn(f"The motion of {take} was left out: {error}", DataWarning, stacklevel=2)
    if not motions:
        raise DataFormatError(f"{home}: none of the {len(takes)} takes asked for has a motion that can be read.")
    for motion in motions:
        if toes and motion.skeleton is TOTALCAPTURE_21:
            warnings.warn(f"{motion.attrs['file']}: no toes, {motion.attrs['toes']}", DataWarning, stacklevel=2)
    return motions


def load_totalcapture_placements(
    data_home: str | os.PathLike, subject: str, session: str, *, sites: Iterable[str] | str | None = None
) -> dict[str, Placement]:
    """Give where the sensors of a take sit, and how each is turned on its segment: for `har_virtual.imu.simulate_imu`.

    With it, a virtual sensor on the take's motion has the axes of the real one.

    Parameters
    ----------
    data_home : path-like
        As for `load_totalcapture`.
    subject, session : str
        Such as "S1" and "walking1".
    sites : iterable of str, optional
        Default: all 13, without the feet where no toes could be added.

    Returns
    -------
    dict of str to Placement
        Segment, fraction and offset are those of `har_virtual.imu.SITES`, for the data set does not measure where on
        the segment a sensor sat. The rotation, from the sensor's frame to the segment's, is that of
        ``*_calib_imu_bone.txt``, from the sensor to the bone, and the constant one from the bone to our segment.

    Raises
    ------
    FileNotFoundError, DataFormatError, UnknownNameError
        As `load_totalcapture`; `DataFormatError` also if the take lacks motion capture, orientations or calibration.
    """
    home, (take,) = choose_takes(data_home, [subject], [session])
    rotations = segment_from_sensor(home, take, load_motion(home, take))
    chosen = check_known("TotalCapture: site", sites, rotations)
    return {site: turned(SITES[site], rotations[site]) for site in chosen}


def totalcapture_orientation_errors(data_home: str | os.PathLike, subject: str, session: str) -> dict[str, float]:
    """Compare the orientation that each sensor found with the motion capture's.

    By the sensor, a bone's orientation in the world of the motion capture is R_ref R_sensor R_bone^-1, with the data
    set's two calibrations. A large angle means that a sensor slipped, or that files do not belong together.

    Parameters
    ----------
    data_home, subject, session
        As for `load_totalcapture_placements`.

    Returns
    -------
    dict of str to float
        The median angle in degrees, by site.

    Raises
    ------
    FileNotFoundError, DataFormatError, UnknownNameError
        As `load_totalcapture`; `DataFormatError` also if the take lacks one of the files.
    """
    home, (take,) = choose_takes(data_home, [subject], [session])
    missing = [kind for kind in ("bone", "ref", "ori") if kind not in take.files]
    if missing or take.sensors is None:
        raise DataFormatError(f"{home}: {take} lacks a file that is needed ({', '.join(missing) or 'of sensors'}).")
    readings = read_sensors(home / take.sensors)
    bone, ref = (read_calibration(home / take.files[kind]) for kind in ("bone", "ref"))
    mocap = read_skeleton(home / take.files["ori"], 4)
    n = min(len(mocap), len(readings.quaternions))
    errors = {}
    for number, name in enumerate(readings.names):
        if name in bone and name in ref:
            by_sensor = matrices(ref[name]) @ rotation_matrices(readings.quaternions[:n, number])
            by_sensor = by_sensor @ matrices(bone[name]).T
            by_mocap = matrices(mocap[:n, list(JOINTS).index(SENSORS[name].bone)])
            angles = Rotation.from_matrix(np.swapaxes(by_mocap, 1, 2) @ by_sensor).magnitude()
            errors[SENSORS[name].site] = float(np.rad2deg(np.median(angles)))
    return errors


def choose_takes(
    data_home: str | os.PathLike, subjects: Subjects, sessions: Iterable[str] | str | None
) -> tuple[Path, list[Take]]:
    """Find the home and the takes asked for."""
    home = TOTALCAPTURE.find_home(data_home)
    takes = [take for take in find_takes(home).values() if set(take.files) & {"aux", "xsens", "pos"}]
    asked = check_known(f"{home}: subject", subject_names(subjects), dict.fromkeys(take.subject for take in takes))
    names = check_known(f"{home}: session", sessions, dict.fromkeys(take.name for take in takes))
    chosen = [take for take in takes if take.subject in asked and take.name in names]
    if not chosen:
        raise DataFormatError(f"{home} has no take {', '.join(names)} of subject {', '.join(asked)}.")
    return home, chosen
