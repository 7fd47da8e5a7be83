"""The demo's one picture: a frame with the skeleton found in it, virtual against exact readings, and the scores."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from har_virtual.conversion.clips import ConvertedClip
from har_virtual.conversion.overlay import draw_skeleton
from har_virtual.files import atomic_path
from har_virtual.signal import lowpass
from har_virtual.studio.actor import Actor
from har_virtual.video import read_frames

_EXACT_RATE_HZ = 250.0


def draw_demo(path: Path, shown: ConvertedClip, actor: Actor, table: pd.DataFrame) -> Path:
    """Draw one converted clip beside the scores of all ways of training.

    Parameters
    ----------
    path : Path
    shown : ConvertedClip
        With motions and one recording.
    actor : Actor
        Who is in the clip.
    table : DataFrame
        As `har_virtual.studio.demo.compare` gives it.

    Returns
    -------
    Path
        `path`.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 4.2), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    parts: Any = figure.subfigures(1, 3, width_ratios=[1.15, 1.2, 1.1])
    left, middle, right = parts
    _draw_frame(left.subplots(), shown)
    _draw_traces(middle.subplots(3, 1, sharex=True), shown, actor)
    _draw_scores(right.subplots(), table)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=100)
    return path


def _draw_frame(ax: Any, shown: ConvertedClip) -> None:
    assert shown.motions is not None
    person = shown.motions.choose("main")
    wrist = person.motion.joint("right_wrist")[:, 2]
    shown_frame = int(np.argmax(wrist))
    time_s = person.motion.timestamps_s[shown_frame]
    frames: Any = read_frames(replace(shown.clip, start_s=max(0.0, time_s - 1e-3)))
    with closing(frames):
        ax.imshow(next(frames).image)
    draw_skeleton(ax, person.keypoints_px[shown_frame], person.motion.skeleton)
    ax.set_axis_off()
    ax.set_title("A rendered video, and the skeleton found in it", fontsize=10)


def _draw_traces(axes: Any, shown: ConvertedClip, actor: Actor) -> None:
    (recording,) = shown.recordings.values()
    site = recording.channels[0].removesuffix("_acc_x")
    times = np.arange(0.0, actor.duration_s, 1 / _EXACT_RATE_HZ)
    exact = lowpass(actor.readings(times, [site])[0][:, 0], _EXACT_RATE_HZ, 6.0)
    for ax, axis, values, color in zip(axes, "xyz", exact.T, ("tab:red", "tab:green", "tab:blue"), strict=True):
        virtual = recording.data[:, recording.channels.index(f"{site}_acc_{axis}")]
        ax.plot(times, values, color="0.65", linewidth=3)
        ax.plot(recording.times_s, virtual, color=color, linewidth=1.2)
        ax.set_ylabel(f"{axis}, m/s²", fontsize=9)
        ax.spines[["top", "right"]].set_visible(False)
    axes[0].set_title(f"Specific force at the {site.replace('_', ' ')}", fontsize=10)
    lines = [axes[-1].lines[0], axes[0].lines[1]]
    axes[-1].legend(lines, ["exact, below 6 Hz", "virtual, from the video"], fontsize=7, frameon=False, ncols=2,
                    loc="upper center", bbox_to_anchor=(0.5, -0.5))  # fmt: skip
    axes[-1].set_xlabel("time, s")


def _draw_scores(ax: Any, table: pd.DataFrame) -> None:
    places = np.arange(len(table))[::-1]
    errors = np.abs(table[["low", "high"]].to_numpy(dtype=float) - table[["macro_f1"]].to_numpy(dtype=float)).T
    colors = ["0.55" if name.startswith("R2R") else "tab:orange" for name in table.index]
    ax.barh(places, table["macro_f1"].astype(float), xerr=errors, color=colors, height=0.6)
    ax.set_yticks(places, table.index, fontsize=8)
    ax.set_xlim(0, 1)
    ax.set_xlabel("macro-F1, 95 %")
    ax.set_title("Tested on simulated sensors", fontsize=10)
    ax.spines[["top", "right"]].set_visible(False)
