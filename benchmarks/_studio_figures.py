"""The figures of fidelity_studio.py."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from har_virtual import VideoClip
from har_virtual.conversion import ClipMotions
from har_virtual.files import atomic_path
from har_virtual.video import read_frames


def draw_take(
    path: Path,
    title: str,
    film: VideoClip,
    motions: ClipMotions,
    rate_hz: float,
    exact: np.ndarray,
    virtual: np.ndarray,
    r: np.ndarray,
) -> Path:
    """Draw a frame with its detected skeleton beside exact and virtual acceleration (n_frames, 3)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.6, 3.4), layout="constrained", facecolor="white")
    left, right = figure.subfigures(1, 2, width_ratios=[1, 1.5])
    _draw_frame(left.subplots(), film, motions)
    times = np.arange(len(exact)) / rate_hz
    axes = right.subplots(3, 1, sharex=True)
    for i, ax in enumerate(axes):
        ax.plot(times, exact[:, i], color="black", linewidth=1.2, label="exact")
        ax.plot(times, virtual[:, i], color="tab:orange", linewidth=1.2, label="virtual")
        value = "left out" if np.isnan(r[i]) else f"{r[i]:.2f}"
        ax.set_ylabel(f"{'xyz'[i]}, m/s²\nr {value}", fontsize=8)
        ax.tick_params(labelsize=8)
    axes[-1].set_xlabel("s", fontsize=8)
    axes[0].legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, fontsize=8, frameon=False)
    axes[0].set_title(title, fontsize=10, loc="left")
    return _save(figure, path)


def _draw_frame(ax: Any, film: VideoClip, motions: ClipMotions) -> None:
    """Draw the frame in the middle of what was tracked, around the person; the middle one if nobody was."""
    from har_virtual.conversion.overlay import draw_skeleton

    frames = list(read_frames(film))
    shown = frames[len(frames) // 2]
    height, width = shown.image.shape[:2]
    box = np.array([0, 0, width, height])
    if motions.persons:
        person = motions.choose("main")
        middle = len(person.motion) // 2
        shown = min(frames, key=lambda frame: abs(frame.timestamp_s - person.motion.timestamps_s[middle]))
        draw_skeleton(ax, person.keypoints_px[middle], person.motion.skeleton)
        box = person.boxes_xyxy[middle]
    (x, y), half = (box[:2] + box[2:]) / 2, 0.65 * (box[2:] - box[:2]).max()
    ax.imshow(shown.image)
    ax.set(xticks=[], yticks=[], xlim=(max(0, x - half), min(width, x + half)))
    ax.set(ylim=(min(height, y + half), max(0, y - half)))
    ax.set_title(f"frame at {shown.timestamp_s:.2f} s" + ("" if motions.persons else ": nobody found"), fontsize=10)


def _save(figure: Any, path: Path) -> Path:
    """Save as PNG with a palette, which costs a rendered room little and saves most of the file."""
    from PIL import Image

    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=100)
    with atomic_path(path) as temporary, Image.open(buffer) as image:
        image.convert("RGB").quantize(128).save(temporary, format="png", optimize=True)
    return path
