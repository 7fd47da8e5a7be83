"""TotalCapture's motion capture as motions, and how its sensors sit on the segments."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from har_virtual.datasets.totalcapture.files import (
    JOINTS,
    RATE_HZ,
    SENSORS,
    Take,
    counts,
    read_calibration,
    read_skeleton,
)
from har_virtual.exceptions import DataFormatError
from har_virtual.imu import SEGMENTS, SITES, Placement
from har_virtual.motion import orient_segments, to_body
from har_virtual.rotation import rotation_matrices
from har_virtual.skeleton import Motion, Skeleton

NAME = "totalcapture"
INCH_M = 0.0254

WORLD_FROM_FILE = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
"""The files' world has y up: (x, y, z) becomes (x, -z, y)."""

_PARENTS = {
    "pelvis": "",
    **{f"spine{n}": f"spine{m}" for n, m in (("2", ""), ("3", "2"), ("4", "3"))},
    **{"spine": "pelvis", "neck": "spine4", "head": "neck"},
    **{
        f"{side}_{joint}": parent if parent in ("spine4", "pelvis") else f"{side}_{parent}"
        for side in ("right", "left")
        for joint, parent in {
            **{"collar": "spine4", "shoulder": "collar", "elbow": "shoulder", "wrist": "elbow"},
            **{"hip": "pelvis", "knee": "hip", "ankle": "knee", "foot": "ankle"},
        }.items()
    },
}


def _skeleton(name: str, joints: Iterable[str]) -> Skeleton:
    joints = tuple(joints)
    return Skeleton(name, joints, tuple(joints.index(_PARENTS[j]) if _PARENTS[j] else -1 for j in joints))


TOES = ("right_foot", "left_foot")
TOTALCAPTURE_21 = _skeleton("TotalCapture-21", JOINTS.values())
TOTALCAPTURE_23 = _skeleton("TotalCapture-23", (*JOINTS.values(), *TOES))

# From the ankle to the ball of the foot, in the foot's bone frame, whose axes are right, back and down in a T-pose.
_TOES_IN_BONE_M = np.array([0.0, -0.13, 0.06])
_MIN_AGREEMENT = 0.5
_MIN_FRAMES = 6


class MissingMotionError(DataFormatError):
    """A take has no motion capture."""


def load_motion(home: Path, take: Take, *, toes: bool = True) -> Motion:
    """Read the motion capture of a take, cut to the length of the sensors' file where there is one."""
    if "pos" not in take.files:
        raise MissingMotionError(f"{take} has no gt_skel_gbl_pos.txt; unpack the motion capture of its subject.")
    positions, rotations = _read_bones(home, take)
    n_frames = common_length(home, take, len(positions))
    if n_frames < _MIN_FRAMES:
        raise DataFormatError(f"{home / take.files['pos']}: {n_frames} frames are too few; {_MIN_FRAMES} are needed.")
    attrs = {
        "file": take.files["pos"],
        "frames_in_file": len(positions),
        "orientations": "positions" if rotations is None else "files",
    }
    positions, rotations = positions[:n_frames], None if rotations is None else rotations[:n_frames]
    skeleton = TOTALCAPTURE_21
    attrs["toes"] = why = _why_no_toes(positions, rotations) if toes else "not asked for"
    if not why:
        assert rotations is not None
        skeleton, attrs["toes"] = TOTALCAPTURE_23, "made"
        ankles = [skeleton.index(toe.replace("foot", "ankle")) for toe in TOES]
        made = positions[:, ankles] + rotations[:, ankles] @ _TOES_IN_BONE_M
        positions = np.concatenate([positions, made], axis=1)
        rotations = np.concatenate([rotations, rotations[:, ankles]], axis=1)
    motion = Motion(
        positions,
        np.arange(n_frames) / RATE_HZ,
        skeleton,
        subject=take.subject,
        label=take.label,
        session=take.name,
        dataset=NAME,
        attrs=attrs,
    )
    return orient_segments(motion, joint_rotations=rotations)


def _read_bones(home: Path, take: Take) -> tuple[np.ndarray, np.ndarray | None]:
    """Positions (n_frames, 21, 3) in metres and bone-to-world rotations (n_frames, 21, 3, 3), in the Z-up world."""
    positions = read_skeleton(home / take.files["pos"], 3) * INCH_M @ WORLD_FROM_FILE.T
    if "ori" not in take.files:
        return positions, None
    quaternions = read_skeleton(home / take.files["ori"], 4)
    if len(quaternions) != len(positions):
        raise DataFormatError(
            f"{home / take.files['ori']} has {len(quaternions)} frames, but {take.files['pos']} has {len(positions)}; "
            "one of them is cut short: unpack both anew."
        )
    return positions, WORLD_FROM_FILE @ matrices(quaternions)


def matrices(quaternions_xyzw: np.ndarray) -> np.ndarray:
    """Turn quaternions (..., 4), scalar last, into matrices (..., 3, 3)."""
    return rotation_matrices(np.roll(quaternions_xyzw, 1, axis=-1))


def common_length(home: Path, take: Take, n_frames: int) -> int:
    """Give the length of a take: that of the shorter of sensors and motion capture of `n_frames`."""
    if take.sensors is None:
        return n_frames
    path = home / take.sensors
    with path.open("rb") as file:
        _, n_samples = counts(path, file.readline(100).decode("ascii", errors="replace"))
    return min(n_frames, n_samples)


def _why_no_toes(positions: np.ndarray, rotations: np.ndarray | None) -> str:
    """Say why the feet's orientation cannot carry toes; nothing if it can."""
    if rotations is None:
        return "for gt_skel_gbl_ori.txt, which has the feet's orientation, is not there"
    names = tuple(JOINTS.values())
    hips = positions[:, names.index("right_hip")] - positions[:, names.index("left_hip")]
    right = hips / np.linalg.norm(hips, axis=1, keepdims=True).clip(1e-9)
    for side in ("left", "right"):
        foot = rotations[:, names.index(f"{side}_ankle")]
        down, sideways = -foot[:, 2, 2].mean(), np.einsum("ti,ti->t", foot[:, :, 0], right).mean()
        if down < _MIN_AGREEMENT or sideways < _MIN_AGREEMENT:
            return f"for the axes of the {side} foot are not right, back and down, as they are in the published files"
    return ""


def turned(placement: Placement, rotation: np.ndarray) -> Placement:
    """Give a placement with another rotation."""
    return Placement(**{**placement.get_params(), "rotation": rotation})


def segment_from_sensor(home: Path, take: Take, motion: Motion) -> dict[str, np.ndarray]:
    """Give the rotation from the frame of each sensor to that of the segment on which its site lies.

    The calibration of the data set takes a vector from the sensor to the bone of the motion capture. From the bone to
    our segment leads a rotation that is constant in a take: the mean over its frames.
    """
    needed = {"bone": "*_calib_imu_bone.txt", "ori": "gt_skel_gbl_ori.txt"}
    missing = [file for kind, file in needed.items() if kind not in take.files]
    if missing:
        raise MissingMotionError(f"{take} has no {' and no '.join(missing)}, which its sensors' frames need.")
    calibration = read_calibration(home / take.files["bone"])
    quaternions = read_skeleton(home / take.files["ori"], 4)[: len(motion)]
    body = to_body(motion)
    assert body.rotations is not None
    found = {}
    for name, mount in SENSORS.items():
        start, end = SEGMENTS[SITES[mount.site].segment]
        if name not in calibration or end not in body.skeleton:
            continue
        bone = WORLD_FROM_FILE @ matrices(quaternions[:, list(JOINTS).index(mount.bone)])
        segment = body.rotations[:, body.skeleton.index(start)]
        constant = Rotation.from_matrix(np.swapaxes(segment, 1, 2) @ bone).mean().as_matrix()
        found[mount.site] = constant @ matrices(calibration[name])
    return found
