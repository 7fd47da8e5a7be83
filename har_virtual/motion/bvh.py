"""Motion from BVH files.

The parser is our own because channels may stand at any joint and in any order: Blender and several data sets write
position channels at every joint, which pybvh 0.9 refuses. The tests hold it against pybvh.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from har_virtual.exceptions import DataFormatError
from har_virtual.motion._joint_names import canonical_names
from har_virtual.motion._mocap import build_motion, chain_positions, chain_rotations, existing_file, world_from_file
from har_virtual.skeleton import Motion


@dataclass
class _Node:
    name: str
    parent: int
    offset: list[float] | None = None
    channels: list[str] = field(default_factory=list)


def read_bvh(
    path: str | os.PathLike,
    *,
    unit_m: float,
    up: str,
    joint_names: Mapping[str, str] | None = None,
    skip_frames: int = 0,
) -> Motion:
    """Read a BVH file.

    Joints get the library's names where CMU, MotionBuilder, Mixamo, Unity, Xsens or Biovision names are recognised,
    and keep the file's name elsewhere. An End Site is a joint too: that of the head is ``head``, and the joint where
    the head starts ``neck_top``; that of the toes is ``left_toes``; others are called after their parent, with
    ``_end``. Joints that always coincide with their parent (the ``LHipJoint`` or ``LeftShoulder`` of the CMU files)
    carry a rotation only and are merged into it.

    Parameters
    ----------
    path : path-like
    unit_m : float
        Metres per unit of the file, which does not say it: 0.01 for centimetres, 0.056444 for CMU.
    up : {"x", "y", "z"}
        The axis of the file that points up. A Y-up file's (x, y, z) becomes (x, -z, y).
    joint_names : mapping from the file's names to the library's, optional
        For names that are not recognised; it comes before the table.
    skip_frames : int, default=0
        Frames to leave out at the beginning, such as the rest pose of the CMU files. Time starts after them.

    Returns
    -------
    Motion
        In the Z-up world, in metres, with the segment orientations of `har_virtual.motion.orient_segments`; without
        them, and with a DataWarning, if hips or shoulders are not recognised. A frame time that is 1/N up to its
        printed digits (.0083333) counts as 1/N.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    DataFormatError
        If the file is no BVH, is truncated, or has values that are missing or no numbers; the message says where.
    UnknownNameError
        If `up` is no axis or `joint_names` names a joint that the file does not have.

    Notes
    -----
    Rotation channels multiply from the left in the order of the file (Zrotation Yrotation Xrotation is Rz Ry Rx, on
    column vectors). Position channels replace the offset.

    The CMU files converted by B. Hahne leave out the lengths of the thorax and of the distal part of the forearm:
    head and shoulders sit low and the wrist too near to the elbow (by 12 and 10 cm for subject 01).
    """
    world_from_file(up)
    if not unit_m > 0:
        raise DataFormatError(f"unit_m={unit_m!r} must be positive metres per unit of {path}.")
    path = existing_file(path, "a BVH file")
    lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    start = next((i for i, line in enumerate(lines) if line.split()[:1] == ["MOTION"]), len(lines))
    nodes = _read_hierarchy(lines[:start], path)
    values, frame_rate_hz = _read_motion(lines, start, sum(len(node.channels) for node in nodes), path)
    if not 0 <= skip_frames < len(values):
        raise DataFormatError(f"{path}: skip_frames={skip_frames} leaves nothing of {len(values)} frames.")
    parents = [node.parent for node in nodes]
    offsets, local = _pose(nodes, values[skip_frames:])
    rotations = chain_rotations(local, parents)
    carriers = rotations[:, np.maximum(parents, 0)]
    return build_motion(
        path.name,
        canonical_names([node.name for node in nodes], joint_names, str(path)),
        parents,
        chain_positions(offsets, carriers, parents) * unit_m,
        carriers=carriers,
        own=rotations,
        up=up,
        frame_rate_hz=frame_rate_hz,
        attrs={"unit_m": float(unit_m), "up": up, "skip_frames": int(skip_frames)},
    )


def _read_hierarchy(lines: list[str], path: Path) -> list[_Node]:
    """Nodes with their parents before them, End Sites among them."""
    nodes: list[_Node] = []
    open_nodes: list[int] = []
    if not any(line.split()[:1] == ["HIERARCHY"] for line in lines):
        raise DataFormatError(f"{path} has no line HIERARCHY: it is no BVH file.")
    for number, line in enumerate(lines, start=1):
        for part in re.split(r"([{}])", line):
            try:
                _read_part(part.split(), nodes, open_nodes)
            except (ValueError, IndexError) as error:
                reason = "it is outside of any joint" if isinstance(error, IndexError) else error
                raise DataFormatError(
                    f"{path}, line {number}: {line.strip()!r} is no line of a hierarchy: {reason}."
                ) from None
    bare = [node.name for node in nodes if node.offset is None]
    if not nodes or open_nodes or bare:
        reason = (
            f"{bare[0]} has no OFFSET" if bare else f"{len(open_nodes)} joints are not closed" if nodes else "no ROOT"
        )
        raise DataFormatError(f"{path}: the hierarchy is incomplete ({reason}); the file may be truncated.")
    return nodes


def _read_part(words: list[str], nodes: list[_Node], open_nodes: list[int]) -> None:
    match words:
        case [] | ["HIERARCHY"]:
            return
        case ["ROOT", *name]:
            if nodes:
                raise ValueError("a second ROOT; split the file, one person each")
            nodes.append(_Node(" ".join(name), -1))
        case ["JOINT", *name]:
            nodes.append(_Node(" ".join(name), open_nodes[-1]))
        case ["End", *_]:
            end = f"{nodes[open_nodes[-1]].name}_end"
            taken = any(node.name == end for node in nodes)
            nodes.append(_Node(f"{end}{len(nodes)}" if taken else end, open_nodes[-1]))
        case ["{"]:
            open_nodes.append(len(nodes) - 1)
        case ["}"]:
            open_nodes.pop()
        case ["OFFSET", *numbers]:
            nodes[open_nodes[-1]].offset = _offset(numbers)
        case ["CHANNELS", count, *channels]:
            nodes[open_nodes[-1]].channels = _channels(int(count), channels)
        case _:
            raise ValueError("unknown keyword")


def _offset(numbers: list[str]) -> list[float]:
    offset = [float(number) for number in numbers]
    if len(offset) != 3 or not np.isfinite(offset).all():
        raise ValueError("OFFSET takes three numbers")
    return offset


def _channels(count: int, channels: list[str]) -> list[str]:
    wrong = [c for c in channels if not re.fullmatch(r"[XYZ](position|rotation)", c, re.IGNORECASE)]
    if wrong or count != len(channels) or len({c.lower() for c in channels}) != count:
        raise ValueError(f"CHANNELS takes {count} different ones of Xposition ... Zrotation")
    return [channel[0].upper() + channel[1:].lower() for channel in channels]


def _read_motion(lines: list[str], start: int, n_channels: int, path: Path) -> tuple[np.ndarray, float]:
    """Values of the channels, (n_frames, n_channels), and the frame rate."""
    header = [(i, line) for i, line in enumerate(lines[start + 1 :], start=start + 1) if line.strip()][:2]
    text = " ".join(" ".join(line for _, line in header).split())
    found = re.fullmatch(r"Frames: ?(\d+) Frame Time: ?((\d+\.?\d*|\.\d+)(E-?\d+)?)", text, re.IGNORECASE)
    n_frames, frame_time_s = (int(found[1]), float(found[2])) if found else (0, 0.0)
    if not (n_frames > 0 and 1e-9 < frame_time_s < np.inf):
        raise DataFormatError(
            f"{path}: after MOTION come 'Frames: N' and 'Frame Time: seconds', both positive, not {text[:60]!r}; "
            f"the file has no frames or is truncated."
        )
    first = header[-1][0] + 1
    values = _read_values(lines[first:], first + 1, n_channels, path)
    if len(values) != n_frames:
        raise DataFormatError(
            f"{path} announces {n_frames} frames and has {len(values)}; it is truncated or was edited."
        )
    rate = 1 / frame_time_s
    return values, float(round(rate)) if abs(rate - round(rate)) < 1e-4 * rate else rate


def _read_values(lines: list[str], first_number: int, n_channels: int, path: Path) -> np.ndarray:
    rows = [i for i, line in enumerate(lines) if line.strip()]
    try:
        values = np.loadtxt([lines[i] for i in rows], comments=None, ndmin=2) if rows else np.empty((0, n_channels))
    except ValueError:
        values = None
    if values is not None and values.shape[1] == n_channels and np.isfinite(values).all():
        return values
    for i in rows:
        reason = _fault(lines[i].split(), n_channels)
        if reason:
            raise DataFormatError(
                f"{path}, line {first_number + i} (frame {rows.index(i) + 1}) {reason}; the file is truncated or "
                f"damaged."
            )
    raise DataFormatError(f"{path}: the {len(rows)} frames from line {first_number} on could not be read as numbers.")


def _fault(words: list[str], n_channels: int) -> str | None:
    if len(words) != n_channels:
        return f"has {len(words)} values, but the hierarchy has {n_channels} channels"
    for word in words:
        try:
            if not np.isfinite(float(word)):
                return f"has {word}, which is no finite number"
        except ValueError:
            return f"has {word!r}, which is no number"
    return None


def _pose(nodes: list[_Node], values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Offsets (n_frames, n_nodes, 3) and rotations (n_frames, n_nodes, 3, 3) of each node relative to its parent."""
    offsets = np.tile([node.offset for node in nodes], (len(values), 1, 1))
    rotations = np.tile(np.eye(3), (len(values), len(nodes), 1, 1))
    column = 0
    for i, node in enumerate(nodes):
        for k, channel in enumerate(node.channels):
            if channel.endswith("position"):
                offsets[:, i, "XYZ".index(channel[0])] = values[:, column + k]
        turning = [k for k, channel in enumerate(node.channels) if channel.endswith("rotation")]
        if turning:
            order = "".join(node.channels[k][0] for k in turning)
            angles = values[:, [column + k for k in turning]]
            rotations[:, i] = Rotation.from_euler(order, angles, degrees=True).as_matrix()
        column += len(node.channels)
    return offsets, rotations
