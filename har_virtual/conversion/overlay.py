"""The overlay picture: what was tracked, on frames of the video, and the streams below."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.ndimage import uniform_filter

from har_virtual._optional import import_optional
from har_virtual.conversion.motions import PersonMotion
from har_virtual.files import atomic_path
from har_virtual.recording import UNITS, Recording, VideoClip, channel_quantity
from har_virtual.skeleton import Skeleton
from har_virtual.video import read_frames

if TYPE_CHECKING:
    from har_virtual.conversion.transformer import ConvertedClip

_N_FRAMES = 4
_MAX_WIDTH_PX = 640
SIDE_COLORS = {"left": "tab:blue", "right": "tab:red"}
"""Of the subject's own sides, in every picture."""

_PERSON_COLORS = ("gold", "springgreen", "violet", "orange", "cyan", "salmon")
_AXIS_COLORS = ("tab:red", "tab:green", "tab:blue")


def draw_overlay(path: Path, result: ConvertedClip, blur_faces: bool) -> Path:
    """Draw frames with skeletons and boxes, and the traces of the person who was longest in the picture.

    The subject's left is blue, the right is red.

    Parameters
    ----------
    path : Path
    result : ConvertedClip
        With motions and recordings.
    blur_faces : bool
        Blur the faces of tracked persons, and everything outside their boxes.
    """
    import_optional("matplotlib", feature="the overlay", extra="plot")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    persons = result.motions.persons if result.motions else []
    main = max(persons, key=lambda person: len(person.motion))
    recording = result.recordings[main.track_id]
    triads = list(dict.fromkeys(channel[:-2] for channel in recording.channels))
    times = np.linspace(main.motion.timestamps_s[0], main.motion.timestamps_s[-1], _N_FRAMES + 2)[1:-1]
    pictures = _pick_frames(result.clip, times)

    view = _view(persons, pictures[0][1].shape)
    height = np.clip(3.4 * (view[3] - view[1]) / (view[2] - view[0]), 1.5, 5.0) + 0.4
    figure = Figure(figsize=(14, height + 1.3 * len(triads)), layout="constrained")
    FigureCanvasAgg(figure)
    halves: Any = figure.subfigures(2, 1, height_ratios=[height, 1.3 * len(triads)])
    upper, lower = halves
    for ax, (time_s, image) in zip(np.ravel(upper.subplots(1, len(pictures))), pictures, strict=True):
        _draw_frame(ax, image, time_s, persons, blur_faces, view)
    _draw_traces(np.ravel(lower.subplots(len(triads), 1, sharex=True)), recording, triads, times)
    lower.suptitle(
        f"person {main.track_id} ({', '.join(f'{k} {u}' for k, u in UNITS.items())}; x red, y green, z blue)"
    )
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=80)
    return path


def _pick_frames(clip: VideoClip, times: np.ndarray) -> list[tuple[float, np.ndarray]]:
    """Frames at or after the given times; the video is decoded once, up to the last of them."""
    pictures: list[tuple[float, np.ndarray]] = []
    for frame in read_frames(clip):
        if frame.timestamp_s >= times[len(pictures)] - 1e-9:
            pictures.append((frame.timestamp_s, frame.image))
            if len(pictures) == len(times):
                break
    return pictures


def _view(persons: list[PersonMotion], shape: tuple[int, ...]) -> np.ndarray:
    """The part of the picture (x1, y1, x2, y2) in which somebody is ever tracked, with a margin."""
    boxes = np.concatenate([person.boxes_xyxy for person in persons])
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    margin = 0.1 * (high - low)
    size = np.array(shape[1::-1])
    return np.concatenate([np.clip(low - margin, 0, size - 2), np.clip(high + margin, 2, size)]).astype(int)


def _draw_frame(
    ax: Any, image: np.ndarray, time_s: float, persons: list[PersonMotion], blur_faces: bool, view: np.ndarray
) -> None:
    seen = [(person, at) for person in persons if (at := _frame_at(person, time_s)) is not None]
    if blur_faces:
        image = blur_image(image, seen)
    x1, y1, x2, y2 = view
    step = max(1, (x2 - x1) // _MAX_WIDTH_PX)
    ax.imshow(image[y1:y2:step, x1:x2:step], extent=(x1, x2, y2, y1))
    ax.set(xlim=(x1, x2), ylim=(y2, y1), xticks=[], yticks=[], title=f"{time_s:.2f} s")
    for person, at in seen:
        color = _PERSON_COLORS[(person.track_id - 1) % len(_PERSON_COLORS)]
        x1, y1, x2, y2 = person.boxes_xyxy[at]
        ax.plot([x1, x2, x2, x1, x1], [y1, y1, y2, y2, y1], color=color, linewidth=1)
        ax.text(x1, y1, f"{person.track_id}", color=color, va="bottom", fontweight="bold", clip_on=True)
        draw_skeleton(ax, person.keypoints_px[at], person.motion.skeleton)


def draw_skeleton(
    ax: Any, points: np.ndarray, skeleton: Skeleton, linewidth: float = 1.5, middle: str = "white"
) -> None:
    """Draw the bones of a skeleton, the subject's left blue and the right red.

    Parameters
    ----------
    ax : matplotlib Axes
    points : array of shape (n_joints, 2)
    skeleton : Skeleton
    linewidth : float, default=1.5
    middle : str, default="white"
        Colour of the bones that belong to no side.
    """
    for joint, parent in enumerate(skeleton.parents):
        if parent >= 0:
            side = skeleton.joints[joint].partition("_")[0]
            ax.plot(*points[[parent, joint]].T, color=SIDE_COLORS.get(side, middle), linewidth=linewidth)


def _frame_at(person: PersonMotion, time_s: float) -> int | None:
    stamps = person.motion.timestamps_s
    at = int(np.argmin(np.abs(stamps - time_s)))
    near = np.median(np.diff(stamps))
    return at if abs(stamps[at] - time_s) <= near else None


def blur_image(image: np.ndarray, persons: list[tuple[PersonMotion, int]]) -> np.ndarray:
    """Blur everything outside the boxes of some persons, and their faces.

    Parameters
    ----------
    image : uint8 array of shape (height, width, 3)
    persons : list of (PersonMotion, int)
        With the index of the frame in the person's motion.

    Returns
    -------
    uint8 array of shape (height, width, 3)
    """
    height, width = image.shape[:2]
    size = max(3, max(height, width) // 40)
    soft = uniform_filter(uniform_filter(image, (size, size, 0)), (size, size, 0))
    result = soft.copy()
    for person, at in persons:
        x1, y1, x2, y2 = np.clip(person.boxes_xyxy[at], 0, [width, height, width, height]).astype(int)
        result[y1:y2, x1:x2] = image[y1:y2, x1:x2]
    rows, columns = np.mgrid[:height, :width]
    for person, at in persons:
        points, skeleton = person.keypoints_px[at], person.motion.skeleton
        head, neck = points[skeleton.index("head")], points[skeleton.index("neck")]
        radius = max(0.75 * float(np.linalg.norm(head - neck)), float(size))
        face = (columns - head[0]) ** 2 + (rows - head[1]) ** 2 <= radius**2
        result[face] = soft[face]
    return result


def _draw_traces(axes: np.ndarray, recording: Recording, triads: list[str], times: np.ndarray) -> None:
    for ax, triad in zip(axes, triads, strict=True):
        columns = [recording.channels.index(f"{triad}_{axis}") for axis in "xyz"]
        for column, color in zip(columns, _AXIS_COLORS, strict=True):
            ax.plot(recording.times_s, recording.data[:, column], color=color, linewidth=0.8)
        unit = UNITS[channel_quantity(recording.channels[columns[0]]) or "acc"]
        ax.set_ylabel(f"{triad}\n{unit}", rotation=0, ha="right", va="center", fontsize=8)
        for time_s in times:
            ax.axvline(time_s, color="0.8", linewidth=0.8, zorder=0)
        ax.margins(x=0)
    axes[-1].set_xlabel("time in the video, s")
