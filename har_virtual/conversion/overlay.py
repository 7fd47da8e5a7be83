"""The overlay picture: what was tracked, on frames of the video, and the streams of one person below."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
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
    from har_virtual.conversion.clips import ConvertedClip

_N_FRAMES = 4
_WIDTH_IN, _TRACE_HEIGHT_IN, _DPI = 14.0, 1.3, 80
_MAX_FRAME_HEIGHT_IN = 6.0
_LETTER_IN = 0.08
SIDE_COLORS = {"left": "tab:blue", "right": "tab:red"}
"""Of the subject's own sides, in every picture."""

_PERSON_COLORS = ("gold", "springgreen", "violet", "orange", "cyan", "salmon")
_AXIS_COLORS = ("tab:red", "tab:green", "tab:blue")


def draw_overlay(path: Path, result: ConvertedClip, blur_faces: bool) -> Path:
    """Draw four frames with skeletons and boxes, and the traces of the person who was longest in the picture.

    The subject's left is blue, the right is red. Every person is on one of the frames, if four can show them all.

    Parameters
    ----------
    path : Path
    result : ConvertedClip
        With motions and recordings.
    blur_faces : bool
        Blur the faces of all detected persons, and everything outside the boxes of the tracked ones.

    Returns
    -------
    Path
        `path`.
    """
    import_optional("matplotlib", feature="the overlay", extra="plot")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    persons = result.motions.persons if result.motions else []
    faces = result.motions.faces_px if result.motions else np.empty((0, 4))
    main = max(persons, key=lambda person: len(person.motion))
    recording = result.recordings[main.track_id]
    triads = list(dict.fromkeys(channel[:-2] for channel in recording.channels))
    pictures = [_read_frame(result.clip, time_s, _frame_s(main)) for time_s in choose_times(persons)]

    view = _view(persons, pictures[0][1].shape)
    aspect = (view[3] - view[1]) / (view[2] - view[0])
    rows, columns = (2, 2) if aspect < 1 else (1, _N_FRAMES)
    frames_in = rows * (min(_WIDTH_IN / columns * aspect, _MAX_FRAME_HEIGHT_IN) + 0.3)
    height_in = frames_in + _TRACE_HEIGHT_IN * len(triads) + 1.6
    figure = Figure(figsize=(_WIDTH_IN, height_in))
    FigureCanvasAgg(figure)
    top, bottom = 1 - 0.6 / height_in, 1 - (0.6 + frames_in) / height_in
    upper: Any = figure.add_gridspec(
        rows, columns, left=0.01, right=0.99, top=top, bottom=bottom, wspace=0.02, hspace=0.1
    )
    # Set by hand: a constrained layout would take a third of the time of everything else.
    left = (0.6 + _LETTER_IN * max(map(len, triads))) / _WIDTH_IN
    top, bottom = bottom - 0.4 / height_in, 0.5 / height_in
    lower: Any = figure.add_gridspec(len(triads), 1, left=left, right=0.99, top=top, bottom=bottom, hspace=0.12)
    step = max(1, round((view[2] - view[0]) / (_WIDTH_IN * _DPI / columns)))
    for ax, (time_s, image) in zip(np.ravel(upper.subplots()), pictures, strict=True):
        near = faces[np.abs(faces[:, 0] - time_s) <= _frame_s(main) / 2, 1:]
        _draw_frame(ax, image, time_s, persons, view, step, near if blur_faces else None)
    _draw_key(figure)
    axes = np.ravel(lower.subplots(sharex=True))
    _draw_traces(axes, recording, triads, [t for t, _ in pictures])
    axes[0].set_title(_traces_title(main, persons), fontsize=10)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=_DPI, format="png", pil_kwargs={"compress_level": 3})
    return path


def choose_times(persons: Sequence[PersonMotion], n_times: int = _N_FRAMES) -> np.ndarray:
    """Choose times at which, together, as many persons as possible are in the picture; the rest spread evenly.

    Parameters
    ----------
    persons : sequence of PersonMotion
    n_times : int, default=4

    Returns
    -------
    array of shape (n_times,)
        Increasing, in seconds.
    """
    spans = np.array([person.motion.timestamps_s[[0, -1]] for person in persons])
    edges = np.unique(spans)
    middles, lengths = (edges[1:] + edges[:-1]) / 2, np.diff(edges)
    present = (spans[:, :1] <= middles) & (middles <= spans[:, 1:])
    chosen: list[float] = []
    missing = np.ones(len(persons), dtype=bool)
    while missing.any() and len(chosen) < n_times:
        best = np.lexsort((lengths, present[missing].sum(axis=0)))[-1]
        chosen.append(middles[best])
        missing &= ~present[:, best]
    margin = (edges[-1] - edges[0]) / (4 * n_times)
    free = np.linspace(edges[0] + margin, edges[-1] - margin, 20 * n_times)
    free = free[((spans[:, :1] <= free) & (free <= spans[:, 1:])).any(axis=0)]
    while len(chosen) < n_times:
        chosen.append(free[np.argmax(np.abs(free[:, None] - chosen).min(axis=1))])
    return np.sort(chosen)


def _frame_s(person: PersonMotion) -> float:
    return float(np.median(np.diff(person.motion.timestamps_s)))


def _read_frame(clip: VideoClip, time_s: float, frame_s: float) -> tuple[float, np.ndarray]:
    """Seek the frame nearest to a time; its own time and its pixels."""
    start_s = max(clip.start_s, time_s - frame_s / 2)
    frames: Any = read_frames(replace(clip, start_s=start_s))
    with closing(frames):
        frame = next(frames)
    return frame.timestamp_s, frame.image


def _view(persons: list[PersonMotion], shape: tuple[int, ...]) -> np.ndarray:
    """The part of the picture (x1, y1, x2, y2) in which somebody is ever tracked, with a margin."""
    boxes = np.concatenate([person.boxes_xyxy for person in persons])
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    margin = 0.1 * (high - low)
    size = np.array(shape[1::-1])
    return np.concatenate([np.clip(low - margin, 0, size - 2), np.clip(high + margin, 2, size)]).astype(int)


def _draw_frame(
    ax: Any,
    image: np.ndarray,
    time_s: float,
    persons: list[PersonMotion],
    view: np.ndarray,
    step: int,
    faces: np.ndarray | None,
) -> None:
    """Draw one frame; `faces` (n, 3: x, y, radius) are blurred besides those of `persons`, None blurs nothing."""
    seen = [(person, at) for person in persons if (at := _frame_at(person, time_s)) is not None]
    x1, y1, x2, y2 = view
    image = _shrink(image[y1:y2, x1:x2], step)
    if faces is not None:
        boxes = np.array([person.boxes_xyxy[at] for person, at in seen]).reshape(-1, 4)
        circles = np.concatenate([faces, *(_face(person, at)[None] for person, at in seen)])
        image = blur_image(image, (boxes - [x1, y1, x1, y1]) / step, (circles - [x1, y1, 0]) / step)
    ax.imshow(image, extent=(x1, x1 + step * image.shape[1], y1 + step * image.shape[0], y1))
    ax.set(xlim=(x1, x2), ylim=(y2, y1), xticks=[], yticks=[], title=f"{time_s:.2f} s")
    for person, at in seen:
        color = _PERSON_COLORS[(person.track_id - 1) % len(_PERSON_COLORS)]
        left, top, right, bottom = person.boxes_xyxy[at]
        ax.plot([left, right, right, left, left], [top, top, bottom, bottom, top], color=color, linewidth=1)
        label = f"person {person.track_id}"
        ax.text(max(left, x1), max(top, y1), label, color="black", va="bottom", bbox=_label_box(color), fontsize=8)
        draw_skeleton(ax, person.keypoints_px[at], person.motion.skeleton)


def _label_box(color: str) -> dict[str, Any]:
    return {"facecolor": color, "edgecolor": "none", "pad": 1.0}


def _draw_key(figure: Any) -> None:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=color, linewidth=2.5) for color in SIDE_COLORS.values()]
    labels = [f"subject's {side}" for side in SIDE_COLORS]
    figure.legend(handles, labels, loc="upper center", ncols=2, frameon=False, fontsize=10)


def _traces_title(main: PersonMotion, persons: Sequence[PersonMotion]) -> str:
    others = f", longest of {len(persons)} (the others are in the files)" if len(persons) > 1 else ""
    return f"person {main.track_id}{others}: x red, y green, z blue; grey lines: the frames above"


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
    return at if abs(stamps[at] - time_s) <= _frame_s(person) else None


def _face(person: PersonMotion, at: int) -> np.ndarray:
    """Circle around a tracked head: x, y, radius in px."""
    points, skeleton = person.keypoints_px[at], person.motion.skeleton
    head, neck = points[skeleton.index("head")], points[skeleton.index("neck")]
    return np.array([*head, 0.75 * np.linalg.norm(head - neck)])


def _shrink(image: np.ndarray, step: int) -> np.ndarray:
    """Mean over squares of `step` pixels; what is left over at the right and the bottom falls away."""
    if step == 1:
        return image
    height, width = (size // step * step for size in image.shape[:2])
    total = np.zeros((height // step, width // step, 3), dtype=np.uint32)
    for row in range(step):
        for column in range(step):
            total += image[row:height:step, column:width:step]
    return (total // step**2).astype(np.uint8)


def blur_image(image: np.ndarray, boxes_xyxy: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Blur everything outside some boxes, and faces inside of them.

    Parameters
    ----------
    image : uint8 array of shape (height, width, 3)
    boxes_xyxy : array of shape (n_boxes, 4)
        px.
    faces : array of shape (n_faces, 3)
        Circles: x, y and radius in px.

    Returns
    -------
    uint8 array of shape (height, width, 3)
    """
    height, width = image.shape[:2]
    smallest = max(3, max(height, width) // 40)
    # As wide as a face is tall, or a large face would still be known.
    size = max(smallest, int(max(faces[:, 2], default=0.0)))
    soft = uniform_filter(uniform_filter(image, (size, size, 0)), (size, size, 0))
    result = soft.copy()
    for x1, y1, x2, y2 in np.clip(boxes_xyxy, 0, [width, height, width, height]).astype(int):
        result[y1:y2, x1:x2] = image[y1:y2, x1:x2]
    rows, columns = np.ogrid[:height, :width]
    for x, y, radius in faces:
        face = (columns - x) ** 2 + (rows - y) ** 2 <= max(radius, smallest) ** 2
        result[face] = soft[face]
    return result


def _draw_traces(axes: np.ndarray, recording: Recording, triads: list[str], times: Sequence[float]) -> None:
    for ax, triad in zip(axes, triads, strict=True):
        columns = [recording.channels.index(f"{triad}_{axis}") for axis in "xyz"]
        for column, color in zip(columns, _AXIS_COLORS, strict=True):
            ax.plot(recording.times_s, recording.data[:, column], color=color, linewidth=0.8)
        unit = UNITS[channel_quantity(recording.channels[columns[0]]) or "acc"]
        ax.set_ylabel(f"{triad}\n{unit}", rotation=0, ha="right", va="center", fontsize=8)
        for time_s in times:
            ax.axvline(time_s, color="0.8", linewidth=0.8, zorder=0)
        ax.set_xlim(recording.times_s[[0, -1]])
    axes[-1].set_xlabel("time in the video, s")
