"""Draw the README's picture: a person of a video as the library sees her, and what sensors on her would read.

No pixel of the video is in it.

    python docs/draw_first_screen.py VIDEO [--person 2]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from har_virtual import VideoToVirtualIMU
from har_virtual.conversion.overlay import SIDE_COLORS, draw_skeleton

TRACES = {
    "left_wrist_acc": "left wrist\nacceleration, m/s²",
    "right_ankle_acc": "right ankle\nacceleration, m/s²",
    "right_ankle_gyr": "right ankle\nangular velocity, rad/s",
}
N_FIGURES = 9
# Makes a metre as wide as it is high in a figure of this size.
S_PER_M = 0.62


def main() -> None:
    """Convert the video and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("video", type=Path)
    parser.add_argument("--person", type=int, default=2)
    options = parser.parse_args()
    imu = VideoToVirtualIMU(sites=["left_wrist", "right_ankle"], sampling_rate_hz=30, person=options.person)
    motion = imu.motions(options.video).choose(options.person).motion
    (recording,) = imu.transform([options.video])

    figure = Figure(figsize=(10, 6.2), layout="constrained", facecolor="white")
    rows = figure.subplots(1 + len(TRACES), 1, height_ratios=[2.6, 1, 1, 1])
    frames = np.linspace(0, len(motion) - 1, N_FIGURES + 2).astype(int)[1:-1]
    for frame in frames:
        points = motion.positions_m[frame][:, [0, 2]].copy()
        # Each figure stands at its time, above the traces.
        points[:, 0] = motion.timestamps_s[frame] + S_PER_M * (points[:, 0] - motion.joint("pelvis")[frame, 0])
        draw_skeleton(rows[0], points, motion.skeleton, linewidth=2.5, middle="0.35")
    rows[0].set_xlim(motion.timestamps_s[0], motion.timestamps_s[-1])
    rows[0].axis("off")
    for side, color in SIDE_COLORS.items():
        rows[0].plot([], [], color=color, linewidth=2.5, label=f"subject's {side}")
    rows[0].legend(loc="lower left", frameon=False, fontsize=8, bbox_to_anchor=(0, 0.95), ncols=2)
    for ax, (triad, title) in zip(rows[1:], TRACES.items(), strict=True):
        for axis, color in zip("xyz", ("tab:red", "tab:green", "tab:blue"), strict=True):
            column = recording.channels.index(f"{triad}_{axis}")
            ax.plot(recording.times_s, recording.data[:, column], color=color, linewidth=1, label=axis)
        ax.set_ylabel(title, fontsize=8)
        ax.set_xlim(motion.timestamps_s[0], motion.timestamps_s[-1])
        ax.spines[["top", "right"]].set_visible(False)
        for frame in frames:
            ax.axvline(motion.timestamps_s[frame], color="0.9", zorder=0)
    rows[1].legend(loc="upper right", ncols=3, frameon=False, fontsize=8)
    rows[-1].set_xlabel("time in the video, s")
    target = Path(__file__).parent / "images" / "first_screen.png"
    target.parent.mkdir(exist_ok=True)
    figure.savefig(target, dpi=110)


if __name__ == "__main__":
    main()
