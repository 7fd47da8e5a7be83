"""The poses of MM-Fit as motions: three-dimensional ones on H36M-17, those in the picture on COCO-18."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from har_virtual.checks import check_positive, is_finite_number
from har_virtual.datasets.base import Errors, Names, Part, Subjects, check_known
from har_virtual.datasets.mm_fit.files import (
    CAMERA_RATE_HZ,
    WORKOUTS,
    ExerciseSet,
    PoseFile,
    file_of,
    read_pose,
    read_sets,
    workouts_in,
)
from har_virtual.datasets.mm_fit.loader import MM_FIT
from har_virtual.datasets.mm_fit.sides import SideDecision, decide_sides, exchange_sides
from har_virtual.exceptions import DataFormatError, DataWarning, UnknownNameError
from har_virtual.pose.skeletons import COCO_18, H36M_17
from har_virtual.recording import Recording
from har_virtual.skeleton import Motion, Skeleton

Pose = Literal["3d", "2d"]
Sides = Literal["data", "h36m", "authors"]

_NECK, _HIPS = COCO_18.index("neck"), [COCO_18.index(f"{side}_hip") for side in ("left", "right")]
_BODY = list(range(1, 14))
"""Neck and limbs; nose, eyes and ears of somebody seen from behind are not there."""
# A joint of the body that is seen in fewer frames than this share is not interpolated but missing.
_MIN_JOINT_SEEN = 0.05
# An upright trunk is the longest in the picture; single frames err.
_UPRIGHT_PERCENTILE = 90
_TRUNK_M = (0.2, 1.0)


class _Options(NamedTuple):
    pose: Pose
    sides: Sides
    cut_sets: bool
    unit_m: float
    torso_m: float
    min_seen: float


def load_mm_fit_motions(
    data_home: str | os.PathLike,
    *,
    subjects: Subjects = None,
    workouts: Names = None,
    pose: Pose = "3d",
    sides: Sides = "data",
    cut_sets: bool = False,
    unit_m: float = 0.001,
    torso_m: float = 0.5,
    min_seen: float = 0.5,
    errors: Errors = "raise",
) -> list[Motion]:
    """Load the poses of MM-Fit, which the authors estimated from the pictures of one camera.

    Frame f is at f / 30 s, on the clock that `load_mm_fit` gives the sensors. Three-dimensional poses were lifted from
    those in the picture: x runs to the right of the picture, y away from the camera, z up. Sizes follow from the
    lifting network, not from the person, and where the root stands is not measured.

    Parameters
    ----------
    data_home : path-like
        As for `load_mm_fit`.
    subjects : str, int or iterable of these, optional
        "0" to "9"; default: all that are there.
    workouts : str or iterable of str, optional
        "w00" to "w20"; default: all that are there.
    pose : {"3d", "2d"}, default="3d"
        On H36M-17 in space, or on COCO-18 in the plane of the picture (x to its right, z up, y 0).
    sides : {"data", "h36m", "authors"}, default="data"
        Whose names of left and right the three-dimensional joints have. "data" asks `decide_sides` with all that the
        workout has, 2D pose and watches; where that is undecided, it warns and takes H36M's. The 2D pose has
        OpenPose's in any case.
    cut_sets : bool, default=False
        One motion a set, with its exercise as label, instead of one a workout without a label.
    unit_m : float, default=0.001
        Metres per unit of the 3D file.
    torso_m : float, default=0.5
        From neck to the middle of the hips where the trunk is upright, which scales the 2D pose (the 90th percentile
        over the workout's frames has this length).
    min_seen : float, default=0.5
        Frames of the 2D pose that show fewer than this share of neck and limbs are left out and leave a hole in the
        stamps. Other joints that are not seen are interpolated in time.
    errors : {"raise", "warn"}, default="raise"
        Whether a damaged file is an error, or its workout is left out with a warning.

    Returns
    -------
    list of Motion
        By subject, workout and set, in metres, Z up. `attrs` hold file, pose, frames_left_out, and

        - of a workout: sets, each with number, activity, repetitions, start_s and stop_s;
        - of a set: set (its number), repetitions;
        - in space: unit_m, sides ("h36m" or "authors"), and with ``sides="data"`` the scores of each piece of evidence
          as sides_evidence;
        - in the picture: m_per_px (positions over it are pixels from the picture's upper left corner), torso_m, and
          interpolated, the share of frames in which each joint was not seen. A joint of the face that never was is
          left out of the skeleton.

    Raises
    ------
    FileNotFoundError
        If `data_home` does not exist, or with ``cut_sets=True`` a workout has no labels.
    DataFormatError
        If it is another folder, no pose that was asked for is there, or a file is damaged.
    UnknownNameError
        If there is no such subject, workout, pose or choice of sides.

    Warns
    -----
    DataWarning
        Names pose or label files that are missing, what was left out, sides that are undecided, and sizes that no
        person has in the unit given.

    References
    ----------
    D. Strömbäck, S. Huang, V. Radu: MM-Fit: Multimodal deep learning for automatic exercise logging across sensing
    devices. Proc. ACM IMWUT 4(4), 2020.
    """
    options = _check_options(_Options(pose, sides, cut_sets, unit_m, torso_m, min_seen), errors)
    home = MM_FIT.find_home(data_home)
    chosen = choose_workouts(home, subjects, workouts)
    there = [workout for workout in chosen if (home / file_of(workout, f"pose_{pose}")).is_file()]
    missing = [file_of(workout, f"pose_{pose}") for workout in chosen if workout not in there]
    if not there:
        raise DataFormatError(f"{home} has no {pose.upper()} pose of {', '.join(chosen)}: {missing[0]} is missing.")
    notes = [f"{file} is missing." for file in missing]
    motions: list[Motion] = []
    for workout in there:
        try:
            motions += _load_workout(home, workout, options, notes)
        except (DataFormatError, OSError) as error:
            if errors == "raise":
                raise
            notes.append(f"{file_of(workout, f'pose_{pose}')} was left out: {error}")
    for note in notes:
        warnings.warn(note, DataWarning, stacklevel=2)
    if not motions:
        raise DataFormatError(f"{home}: nothing is left of the {pose.upper()} poses of {', '.join(there)}.")
    return motions


def choose_workouts(home: Path, subjects: Subjects, workouts: Names) -> list[str]:
    """Give the workouts that were asked for, by subject and number.

    Raises
    ------
    UnknownNameError
        If one of the names is none of those there.
    DataFormatError
        If none of the workouts is one of the subjects'.
    """
    there = workouts_in(home)
    people = set(check_known(f"{home}: subject", subjects, dict.fromkeys(WORKOUTS[workout] for workout in there)))
    wanted = check_known(f"{home}: workout", workouts, there)
    chosen = [workout for workout in there if workout in wanted and WORKOUTS[workout] in people]
    if not chosen:
        raise DataFormatError(f"{home}: none of {', '.join(wanted)} is a workout of subject {', '.join(people)}.")
    return chosen


def _check_options(options: _Options, errors: Errors) -> _Options:
    choices = {"pose": (options.pose, ("3d", "2d")), "sides": (options.sides, ("data", "h36m", "authors"))}
    for name, (given, known) in (choices | {"errors": (errors, ("raise", "warn"))}).items():
        if given not in known:
            raise UnknownNameError(f"{name} must be one of {', '.join(known)}, not {given!r}.")
    check_positive("unit_m", options.unit_m)
    check_positive("torso_m", options.torso_m)
    if not is_finite_number(options.min_seen) or not 0 < options.min_seen <= 1:
        raise DataFormatError(f"min_seen must be a share, above 0 and at most 1, not {options.min_seen!r}.")
    return options


def _load_workout(home: Path, workout: str, options: _Options, notes: list[str]) -> list[Motion]:
    labels = home / file_of(workout, "labels")
    if options.cut_sets or labels.is_file():
        sets = read_sets(labels)
    else:
        notes.append(f"{file_of(workout, 'labels')} is missing; the poses of {workout} have no sets.")
        sets = []
    if options.pose == "2d":
        motion = _read_picture(home, workout, options)
    else:
        motion = _name_sides(home, _read_space(home, workout, options, notes), options, notes)
    if options.cut_sets:
        return list(_cut(motion, sets, notes))
    return [motion.replace(attrs={**motion.attrs, "sets": [_describe(n, each) for n, each in enumerate(sets, 1)]})]


def _describe(number: int, each: ExerciseSet) -> dict[str, Any]:
    bounds = {"start_s": each.start_frame / CAMERA_RATE_HZ, "stop_s": each.stop_frame / CAMERA_RATE_HZ}
    return {"number": number, "activity": each.activity, "repetitions": each.repetitions, **bounds}


def _cut(motion: Motion, sets: list[ExerciseSet], notes: list[str]) -> Iterator[Motion]:
    frames = np.rint(motion.timestamps_s * CAMERA_RATE_HZ)
    for number, each in enumerate(sets, 1):
        inside = (frames >= each.start_frame) & (frames < each.stop_frame)
        if inside.sum() < 2:
            notes.append(f"{motion.attrs['file']}: set {number}, {each.activity}, was left out: it has no poses.")
            continue
        yield motion.replace(
            positions_m=motion.positions_m[inside],
            timestamps_s=motion.timestamps_s[inside],
            label=each.activity,
            attrs={**motion.attrs, "set": number, "repetitions": each.repetitions},
        )


def _motion(
    workout: str, pose: Pose, frames: np.ndarray, positions_m: np.ndarray, skeleton: Skeleton, **attrs: Any
) -> Motion:
    return Motion(
        positions_m,
        frames / CAMERA_RATE_HZ,
        skeleton,
        subject=WORKOUTS[workout],
        session=workout,
        dataset=MM_FIT.name,
        attrs={"file": file_of(workout, f"pose_{pose}"), "pose": pose, **attrs},
    )


def _in_order(pose: PoseFile) -> PoseFile:
    """Poses by frame, one a frame."""
    frames, rows = np.unique(pose.frames, return_index=True)
    return PoseFile(frames, pose.values[rows])


def _read_space(home: Path, workout: str, options: _Options, notes: list[str]) -> Motion:
    """Give the 3D pose with H36M's names."""
    path = home / file_of(workout, "pose_3d")
    frames, joints = _in_order(read_pose(path, 3))
    trunks_m = np.linalg.norm(joints[:, H36M_17.index("neck")] - joints[:, 0], axis=1) * options.unit_m
    # Nobody was found in frames that hold nothing but zeros.
    there = np.isfinite(joints).all(axis=(1, 2)) & (trunks_m > 0)
    if there.sum() < 2:
        raise DataFormatError(f"{path}: {there.sum()} of {len(frames)} frames hold a pose; the file is damaged.")
    if not _TRUNK_M[0] <= np.median(trunks_m[there]) <= _TRUNK_M[1]:
        notes.append(
            f"{file_of(workout, 'pose_3d')}: trunks are {np.median(trunks_m[there]):.3g} m long with unit_m="
            f"{options.unit_m:g}, which no person's are; is the file in another unit?"
        )
    left_out = {"frames_left_out": int((~there).sum()), "unit_m": float(options.unit_m)}
    return _motion(workout, "3d", frames[there], joints[there] * options.unit_m, H36M_17, **left_out)


def _name_sides(home: Path, motion: Motion, options: _Options, notes: list[str]) -> Motion:
    found: dict[str, Any] = {}
    sides: str = options.sides
    if sides == "data":
        decision = _decide(home, motion, options, notes)
        found["sides_evidence"] = {name: round(piece.score, 4) for name, piece in decision.evidence.items()}
        sides = decision.verdict
    if sides == "undecided":
        notes.append(
            f"{motion.attrs['file']}: the data do not tell left from right ({decision}); H36M's names were taken. "
            "Say sides='h36m' or sides='authors'."
        )
        sides = "h36m"
    named = exchange_sides(motion) if sides == "authors" else motion
    return named.replace(attrs={**motion.attrs, "sides": sides, **found})


def _decide(home: Path, motion: Motion, options: _Options, notes: list[str]) -> SideDecision:
    """Decide with all that the workout has; what is damaged is no evidence."""
    workout = str(motion.session)
    picture, watches = None, []
    try:
        if (home / file_of(workout, "pose_2d")).is_file():
            picture = _read_picture(home, workout, options)
            if not np.isin(picture.timestamps_s, motion.timestamps_s).any():
                raise DataFormatError(f"it has no frame in common with {motion.attrs['file']}.")
    except (DataFormatError, OSError) as error:
        picture = None
        notes.append(f"{file_of(workout, 'pose_2d')} tells nothing of the sides of {workout}: {error}")
    try:
        watches = _read_watches(home, workout)
    except (DataFormatError, OSError) as error:
        notes.append(f"The watches tell nothing of the sides of {workout}: {error}")
    return decide_sides(motion, picture=picture, watches=watches)


def _read_watches(home: Path, workout: str) -> list[Recording]:
    files = [file_of(workout, modality) for modality in ("labels", "sw_l_acc", "sw_r_acc")]
    there = tuple(file for file in files if (home / file).is_file())
    if files[0] not in there or len(there) < 2:
        return []
    return MM_FIT.read(home, Part(WORKOUTS[workout], workout, there)).recordings


def _read_picture(home: Path, workout: str, options: _Options) -> Motion:
    path = home / file_of(workout, "pose_2d")
    frames, joints = _in_order(read_pose(path, 2))
    # OpenPose puts what it does not find into the corner of the picture.
    seen = np.isfinite(joints).all(axis=2) & (joints != 0).any(axis=2)
    there = seen[:, _BODY].mean(axis=1) >= options.min_seen
    whole = there & seen[:, [_NECK, *_HIPS]].all(axis=1)
    if there.sum() < 2 or not whole.any():
        raise DataFormatError(
            f"{path}: {there.sum()} of {len(frames)} frames show at least {options.min_seen:.0%} of neck and limbs, "
            f"and {whole.sum()} of them the whole trunk; that is no motion."
        )
    shares = seen[there].mean(axis=0)
    hidden = [COCO_18.joints[joint] for joint in _BODY if shares[joint] < _MIN_JOINT_SEEN]
    if hidden:
        raise DataFormatError(f"{path}: {', '.join(hidden)} can be seen in less than {_MIN_JOINT_SEEN:.0%} of frames.")
    trunks_px = np.linalg.norm(joints[whole, _NECK] - joints[whole][:, _HIPS].mean(axis=1), axis=1)
    m_per_px = options.torso_m / max(np.percentile(trunks_px, _UPRIGHT_PERCENTILE), 1e-9)
    kept, skeleton = _without(COCO_18, [joint for joint in range(len(COCO_18)) if not shares[joint]])
    filled = _interpolate(frames[there], joints[there][:, kept], seen[there][:, kept])
    return _motion(
        *(workout, "2d", frames[there]),
        np.stack([filled[..., 0], np.zeros(filled.shape[:2]), -filled[..., 1]], axis=-1) * m_per_px,
        skeleton,
        frames_left_out=int((~there).sum()),
        m_per_px=float(m_per_px),
        torso_m=float(options.torso_m),
        interpolated={COCO_18.joints[joint]: round(float(1 - shares[joint]), 4) for joint in kept},
    )


def _without(skeleton: Skeleton, absent: Iterable[int]) -> tuple[list[int], Skeleton]:
    """Give the joints that are left without some, and without what hangs on them, and their skeleton."""
    absent = set(absent)
    kept = [j for j in range(len(skeleton)) if not {j, *skeleton.ancestors(j)} & absent]
    if len(kept) == len(skeleton):
        return kept, skeleton
    parents = [kept.index(skeleton.parents[j]) if skeleton.parents[j] >= 0 else -1 for j in kept]
    return kept, Skeleton(f"{skeleton.name} in part", tuple(skeleton.joints[j] for j in kept), tuple(parents))


def _interpolate(frames: np.ndarray, joints: np.ndarray, seen: np.ndarray) -> np.ndarray:
    filled = np.empty_like(joints)
    for joint in range(joints.shape[1]):
        at = seen[:, joint]
        for axis in range(joints.shape[2]):
            filled[:, joint, axis] = np.interp(frames, frames[at], joints[at, joint, axis])
    return filled
