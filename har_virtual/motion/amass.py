"""Motion from AMASS: SMPL poses in .npz files."""

from __future__ import annotations

import os
import warnings
import zipfile
import zlib
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from har_virtual.exceptions import DataFormatError, DataWarning
from har_virtual.motion._mocap import build_motion, chain_positions, chain_rotations, existing_file
from har_virtual.pose.skeletons import SMPL_24
from har_virtual.skeleton import Motion

N_BODY_JOINTS = 22
AVERAGE_HEIGHT_M = 1.70

# Rest joints of an average adult in SMPL's T pose, as fractions of body height: x to the subject's left, y up, z
# forward. Heights of hip, knee, ankle and shoulder and lengths of upper arm and forearm are those of Drillis and
# Contini (1966), half of their hand's length goes to the knuckles; widths, foot and the upright spine are estimates.
_AVERAGE = {
    **{"pelvis": (0, 0.580, 0), "spine": (0, 0.640, 0), "spine2": (0, 0.720, 0), "spine3": (0, 0.755, 0)},
    **{"neck": (0, 0.850, 0), "head": (0, 0.910, 0)},
    **{"hip": (0.050, 0.530, 0), "knee": (0.050, 0.285, 0), "ankle": (0.050, 0.039, 0), "foot": (0.050, 0.010, 0.080)},
    **{"collar": (0.045, 0.818, 0), "shoulder": (0.105, 0.818, 0)},
    **{"elbow": (0.291, 0.818, 0), "wrist": (0.437, 0.818, 0), "hand": (0.491, 0.818, 0)},
}

# Rows of J_regressor for the left and right hand: SMPL has one joint a hand, SMPL-H and SMPL-X the middle knuckles.
_HAND_ROWS = {24: (22, 23), 52: (25, 40), 55: (28, 43)}

# What numpy and zipfile raise on damaged, encrypted or pickled content.
_UNREADABLE = (ValueError, TypeError, OSError, EOFError, RuntimeError, MemoryError, zipfile.BadZipFile, zlib.error)


def read_amass(path: str | os.PathLike, *, body: str | os.PathLike | None = None, joints: int = 24) -> Motion:
    """Read an AMASS file.

    Both layouts are read: SMPL+H (``poses``, ``trans``, ``betas``, ``mocap_framerate``) and SMPL-X "stageii"
    (``root_orient``, ``pose_body``, ``trans``, ``betas``, ``mocap_frame_rate``). Finger, jaw and eye
    angles are left out.

    Parameters
    ----------
    path : path-like
    body : path-like, optional
        The SMPL, SMPL+H or SMPL-X body of the gender that the file states, as .npz with ``J_regressor``,
        ``v_template`` and ``shapedirs``; get it from its makers under their licence. Without it an average adult of
        1.70 m stands in: angles are the file's, lengths are not.
    joints : {22, 24}, default=24
        24 adds the hands: SMPL's own, or the knuckle of the middle finger; they follow the wrist's rotation.

    Returns
    -------
    Motion
        On the first 22 or all joints of ``SMPL_24``, in the Z-up world of AMASS, in metres, with the segment
        orientations of `har_virtual.motion.orient_segments`. A joint without a child has its own rotation from the
        file: ``rotations[:, head]`` follows the head, not the neck.

    Raises
    ------
    FileNotFoundError
        If `path` or `body` is missing.
    DataFormatError
        If a file is no .npz or a damaged one, holds pickled objects, lacks an array or has one of a wrong shape.

    Warns
    -----
    DataWarning
        Without `body`.

    Notes
    -----
    Rest joints are J_regressor (v_template + shapedirs betas), as in Loper et al. (2015); the pelvis is at its rest
    position plus ``trans``. The average adult's rest pelvis is the origin, which moves the whole path by about 0.2 m.
    """
    if joints not in (N_BODY_JOINTS, len(SMPL_24)):
        raise DataFormatError(f"joints={joints!r} of {path}: a motion of AMASS has 22 or, with hands, 24.")
    path = existing_file(path, "an AMASS .npz file")
    file = _load(path, ("poses", "root_orient", "pose_body", "trans", "betas", "mocap_framerate", "mocap_frame_rate"))
    angles, trans, frame_rate_hz = _pose(file, path)
    if body is None:
        warnings.warn(
            f"{path.name} is put on an average adult of {AVERAGE_HEIGHT_M:.2f} m, because no body was given: the bone "
            f"lengths are not the person's. Pass body=, the .npz of an SMPL body.",
            DataWarning,
            stacklevel=2,
        )
        rest = _average_rest()
    else:
        rest = _rest_joints(existing_file(body, "an SMPL body as .npz"), file.get("betas"), path)
    parents = SMPL_24.parents[:joints]
    offsets = np.tile(rest[:joints] - rest[np.maximum(parents, 0)], (len(trans), 1, 1))
    offsets[:, 0] = rest[0] + trans
    local = np.tile(np.eye(3), (len(trans), joints, 1, 1))
    local[:, :N_BODY_JOINTS] = Rotation.from_rotvec(angles.reshape(-1, 3)).as_matrix().reshape(len(trans), -1, 3, 3)
    rotations = chain_rotations(local, parents)
    carriers = rotations[:, np.maximum(parents, 0)]
    return build_motion(
        path.name,
        SMPL_24.joints[:joints],
        parents,
        chain_positions(offsets, carriers, parents),
        carriers=carriers,
        own=rotations,
        up="z",
        frame_rate_hz=frame_rate_hz,
        attrs={"body": "average adult" if body is None else Path(body).name},
    )


def _average_rest() -> np.ndarray:
    rest = np.zeros((len(SMPL_24), 3))
    for i, joint in enumerate(SMPL_24.joints):
        side, _, name = joint.partition("_")
        rest[i] = _AVERAGE[name or joint]
        rest[i, 0] *= -1 if side == "right" else 1
    return (rest - rest[0]) * AVERAGE_HEIGHT_M


def _load(path: Path, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Those arrays of a .npz that it has, as float64; nothing is ever unpickled."""
    if path.suffix.lower() in (".pkl", ".pickle"):
        raise DataFormatError(
            f"{path} is a pickle, which can run any code when it is opened, so it is not read. If you trust it, load "
            f"it once yourself and numpy.savez its J_regressor (.toarray() if sparse), v_template and shapedirs."
        )
    if not zipfile.is_zipfile(path):
        raise DataFormatError(f"{path} is no .npz archive, or it is truncated; get the file again.")
    name = "its list of arrays"
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {}
            for name in (n for n in names if n in archive.files):
                arrays[name] = np.asarray(archive[name], dtype=np.float64)
            return arrays
    except _UNREADABLE as error:
        raise DataFormatError(
            f"{path}: {name} cannot be read as numbers ({error}). Objects are never unpickled; save plain float arrays."
        ) from None


def _pose(file: dict[str, np.ndarray], path: Path) -> tuple[np.ndarray, np.ndarray, float]:
    """Axis-angles (n_frames, 66), translations (n_frames, 3) and the frame rate."""
    poses, trans = _joined(file, path), file.get("trans")
    rate = file.get("mocap_framerate", file.get("mocap_frame_rate"))
    if poses is None or trans is None or rate is None:
        raise DataFormatError(
            f"{path} has {', '.join(file) or 'none of the arrays of AMASS'}; a motion needs poses (or root_orient and "
            f"pose_body), trans and mocap_framerate. A file of shapes only has none."
        )
    n_angles = 3 * N_BODY_JOINTS
    if poses.ndim != 2 or poses.shape[1] < n_angles or trans.shape != (len(poses), 3) or not len(poses):
        raise DataFormatError(
            f"{path}: poses and trans have shapes {poses.shape}, {trans.shape}, not (n_frames, {n_angles} or more) and "
            f"(n_frames, 3)."
        )
    if rate.size != 1 or not 0 < rate.item() < np.inf:
        raise DataFormatError(f"{path}: the frame rate must be one positive number, not {rate}.")
    angles = poses[:, :n_angles]
    bad = np.flatnonzero(~np.isfinite(np.concatenate([angles, trans], axis=1)).all(axis=1))
    if len(bad):
        raise DataFormatError(
            f"{path}: frame {bad[0]} has values that are not finite; cut {len(bad)} such frames first."
        )
    return angles, trans, rate.item()


def _joined(file: dict[str, np.ndarray], path: Path) -> np.ndarray | None:
    """Poses in one array, in whichever layout they are."""
    parts = [file[name] for name in ("root_orient", "pose_body") if name in file]
    if len(parts) < 2:
        return file.get("poses")
    if [part.shape[1:] for part in parts] != [(3,), (63,)] or len(parts[0]) != len(parts[1]):
        raise DataFormatError(
            f"{path}: root_orient and pose_body have shapes {parts[0].shape}, {parts[1].shape}, not (n_frames, 3) and "
            f"(n_frames, 63)."
        )
    return np.concatenate(parts, axis=1)


def _rest_joints(path: Path, betas: np.ndarray | None, motion: Path) -> np.ndarray:
    """Rest positions of the 24 joints of SMPL for the shape of a person, (24, 3)."""
    body = _load(path, ("J_regressor", "v_template", "shapedirs", "kintree_table"))
    missing = [name for name in ("J_regressor", "v_template", "shapedirs") if name not in body]
    if missing:
        raise DataFormatError(f"{path} has no {', '.join(missing)}: it is no SMPL body.")
    regressor, template, shapes = (body["J_regressor"], body["v_template"], body["shapedirs"])
    n_vertices = len(template) if template.shape[1:] == (3,) else -1
    if regressor.shape[1:] != (n_vertices,) or shapes.shape[:2] != (n_vertices, 3) or shapes.ndim != 3:
        raise DataFormatError(
            f"{path}: J_regressor {regressor.shape}, v_template {template.shape} and shapedirs {shapes.shape} do not "
            f"fit (n_joints, n), (n, 3) and (n, 3, n_shapes)."
        )
    table = body.get("kintree_table", np.array([SMPL_24.parents]))
    if len(regressor) not in _HAND_ROWS or tuple(table[0, 1:N_BODY_JOINTS]) != SMPL_24.parents[1:N_BODY_JOINTS]:
        raise DataFormatError(
            f"{path}: its {len(regressor)} joints are not those of SMPL (24), SMPL+H (52) or SMPL-X (55)."
        )
    if betas is None or betas.ndim != 1 or not np.isfinite(betas).all():
        raise DataFormatError(f"{motion}: betas must be one row of finite numbers to shape {path.name}.")
    n_shapes = min(len(betas), shapes.shape[2])
    rest = regressor @ (template + shapes[..., :n_shapes] @ betas[:n_shapes])
    return rest[[*range(N_BODY_JOINTS), *_HAND_ROWS[len(regressor)]]]
