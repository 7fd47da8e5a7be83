"""Motion from Acclaim files: the skeleton in an ASF file, the joint angles in an AMC file."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from har_virtual.exceptions import DataFormatError
from har_virtual.motion._asf import AcclaimBone, AcclaimSkeleton, finite_numbers, lines_of, read_asf
from har_virtual.motion._mocap import build_motion, chain_positions, chain_rotations, existing_file, world_from_file
from har_virtual.skeleton import Motion

INCH_M = 0.0254
_CAUSES = "the file is truncated, damaged or of another skeleton"

# The joint at the end of each bone of the CMU skeletons; "root" starts the first ones.
_MIDDLE = "root pelvis lowerback spine upperback spine2 thorax neck lowerneck neck2 upperneck neck_top head head"
_SIDED = (
    "hipjoint hip femur knee tibia ankle foot foot toes toes clavicle shoulder humerus elbow radius forearm "
    "wrist wrist hand hand fingers fingers thumb thumb"
)


def _pairs(words: str) -> list[tuple[str, str]]:
    return list(zip(words.split()[::2], words.split()[1::2], strict=True))


_CMU_JOINTS = dict(_pairs(_MIDDLE)) | {
    f"{side[0]}{bone}": f"{side}_{joint}" for side in ("left", "right") for bone, joint in _pairs(_SIDED)
}


def read_asf_amc(
    asf_path: str | os.PathLike,
    amc_path: str | os.PathLike,
    *,
    frame_rate_hz: float = 120.0,
    unit_m: float | None = None,
    up: str = "y",
) -> Motion:
    """Read an Acclaim skeleton (ASF) and a motion of it (AMC).

    A joint stands at the end of each bone. The bones of the CMU database give the skeleton ``CMU_31``; bones of other
    names keep theirs.

    Parameters
    ----------
    asf_path, amc_path : path-like
    frame_rate_hz : float, default=120.0
        The files do not say it; CMU's take 120 frames a second.
    unit_m : float, optional
        Metres per unit of the files. By default 0.0254 / length, for the format defines ``length`` under ``:units`` as
        units per inch: CMU's 0.45 gives 0.056444 m. The value taken stands in ``attrs["unit_m"]``.
    up : {"x", "y", "z"}, default="y"
        The axis of the file that points up. A Y-up file's (x, y, z) becomes (x, -z, y).

    Returns
    -------
    Motion
        In the Z-up world, in metres, with the segment orientations of `har_virtual.motion.orient_segments`; without
        them, and with a DataWarning, if hips or shoulders are not recognised.

    Raises
    ------
    FileNotFoundError
        If one of the files is missing.
    DataFormatError
        If a file is damaged or truncated, or the two do not belong together; the message says where.
    UnknownNameError
        If `up` is no axis.

    Notes
    -----
    With C the frame that ``axis`` describes and M the product of the bone's rotations, each about a fixed axis in the
    order of ``dof``, the global rotation is R(parent) C M C^-1, and the bone ends at its start + R direction length.
    """
    world_from_file(up)
    if not frame_rate_hz > 0 or (unit_m is not None and not unit_m > 0):
        raise DataFormatError(f"frame_rate_hz={frame_rate_hz!r} and unit_m={unit_m!r} of {amc_path} must be positive.")
    asf_path, amc_path = existing_file(asf_path, "an ASF file"), existing_file(amc_path, "an AMC file")
    skeleton = read_asf(asf_path)
    values, value_degrees = _read_amc(amc_path, skeleton)
    unit_m = INCH_M / skeleton.length if unit_m is None else float(unit_m)
    names, bones = list(skeleton.bones), skeleton.bones.values()
    parents = [names.index(skeleton.parents[name]) if name in skeleton.parents else -1 for name in names]
    degrees = {"bone_degrees": skeleton.degrees, "value_degrees": value_degrees}
    local = np.stack([bone.local_rotations(values[bone.name], **degrees) for bone in bones], axis=1)
    rotations = chain_rotations(local, parents)
    offsets = np.tile([bone.direction * bone.length for bone in bones], (len(local), 1, 1))
    offsets[:, 0] += _translations(skeleton.bones["root"], values["root"])
    return build_motion(
        amc_path.name,
        [_CMU_JOINTS.get(name, name) for name in names],
        parents,
        chain_positions(offsets, rotations, parents) * unit_m,
        carriers=rotations,
        own=rotations,
        up=up,
        frame_rate_hz=frame_rate_hz,
        attrs={"skeleton_source": asf_path.name, "unit_m": unit_m, "up": up},
    )


def _translations(root: AcclaimBone, values: np.ndarray) -> np.ndarray:
    moved = np.zeros((len(values), 3))
    for i, dof in enumerate(root.dof):
        if dof[0] == "t":
            moved[:, "xyz".index(dof[1])] = values[:, i]
    return moved


def _read_amc(path: Path, skeleton: AcclaimSkeleton) -> tuple[dict[str, np.ndarray], bool]:
    """Values of each bone, (n_frames, n_dof), and whether angles are in degrees."""
    frames = _Frames(skeleton.bones, skeleton.degrees)
    number = 0
    for number, words in lines_of(path):
        try:
            frames.read(*words)
        except ValueError as error:
            raise DataFormatError(f"{path}, line {number}: {error}; {_CAUSES}.") from None
    missing = frames.missing()
    if missing or not frames.n_frames:
        reason = f"the last frame lacks {', '.join(missing)}" if missing else "there is no frame"
        raise DataFormatError(f"{path} ends with line {number}, but {reason}; {_CAUSES}.")
    return {name: np.reshape(rows, (frames.n_frames, -1)) for name, rows in frames.rows.items()}, frames.degrees


class _Frames:
    """Collects the lines of an AMC file, each bone's values in `rows`."""

    def __init__(self, bones: dict[str, AcclaimBone], degrees: bool) -> None:
        self.n_values = {name: len(bone.dof) for name, bone in bones.items()}
        self.rows: dict[str, list[list[float]]] = {name: [] for name in bones}
        self.degrees = degrees
        self.first = 0
        self.n_frames = 0

    def read(self, name: str, *words: str) -> None:
        """Take over one line: a keyword, the number of a frame, or the values of a bone."""
        if name.startswith(":"):
            self.degrees = {":degrees": True, ":radians": False}.get(name.lower(), self.degrees)
        elif name.isdigit() and not words:
            self._begin(int(name))
        elif not self.n_frames or name not in self.rows:
            raise ValueError(f"{name!r} is no bone of the skeleton" if self.n_frames else "no frame has begun")
        elif len(self.rows[name]) >= self.n_frames:
            raise ValueError(f"{name} stands twice in one frame")
        else:
            self.rows[name].append(finite_numbers(list(words), self.n_values[name]))

    def missing(self) -> list[str]:
        """Give the bones that the frame in progress still lacks."""
        return [name for name, n in self.n_values.items() if n and len(self.rows[name]) < self.n_frames]

    def _begin(self, number: int) -> None:
        missing = self.missing()
        if missing:
            raise ValueError(f"the frame before it lacks {', '.join(missing)}")
        self.first = self.first if self.n_frames else number
        if number != self.first + self.n_frames:
            raise ValueError(f"frame {number} stands where frame {self.first + self.n_frames} is due")
        self.n_frames += 1
