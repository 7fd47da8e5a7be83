"""Draw the pages' pictures of sites and frames: the studio's person with a sensor at every site and its axes.

python docs/draw_sites.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from har_virtual.imu import SEGMENTS, SITES
from har_virtual.pose.skeletons import BODY_22
from har_virtual.studio import Body, Camera, Performance, Posture, Scene, Style, perform
from har_virtual.studio.jets import Jet

SIZE_PX = (760, 1100)
AXIS_M = 0.075
LINE_PX = 26
COLORS = {"x": "tab:red", "y": "tab:green", "z": "tab:blue"}
# Where each site can be seen, and where its name goes.
VIEWS = {
    "from the front": (35.0, ["head", "chest", "waist", "left_upper_arm", "left_forearm", "left_wrist", "left_hand",
                             "left_hip", "left_thigh", "left_knee", "left_shin", "left_ankle", "left_foot"]),
    "from behind": (215.0, ["back", "right_upper_arm", "right_forearm", "right_wrist", "right_hand", "right_hip",
                            "right_ankle"]),
}  # fmt: skip


def stand(t: Jet, _: Style) -> Posture:
    """Somebody who stands with arms a little away from the trunk, elbows and knees a little bent."""
    angles = {"pelvis_turn": 0.0 * t}
    for side in ("left", "right"):
        angles |= {f"{side}_shoulder_abduction": 0.45, f"{side}_elbow_flexion": 0.3, f"{side}_hip_abduction": 0.1}
        angles |= {f"{side}_hip_flexion": 0.1, f"{side}_knee_flexion": 0.2, f"{side}_ankle_dorsiflexion": 0.1}
    return Posture(angles)


def sensors(actor: Performance) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Place (3,) and axes (3, 3) of a sensor at every site."""
    positions, rotations = (values[0] for values in actor.pose([0.0]))
    placed = {}
    for site, placement in SITES.items():
        start, end = (BODY_22.index(joint) for joint in SEGMENTS[placement.segment])
        frame = rotations[start]
        along = positions[start] + placement.fraction * (positions[end] - positions[start])
        placed[site] = along + frame @ np.asarray(placement.offset_m), frame
    return placed


def draw(ax: object, actor: Performance, azimuth_deg: float, names: list[str]) -> None:
    """Draw the person from one side with the sensors in `names`."""
    camera = Camera.facing([actor], azimuth_deg=azimuth_deg, size_px=SIZE_PX, fov_deg=30)
    picture = next(iter(Scene([actor], camera).frames([0.0])))
    ax.imshow(np.where(picture.persons[..., None] > 0, 128 + picture.image // 2, 255))
    placed = sensors(actor)
    middle = camera.project(actor.pose([0.0])[0], [0.0])[0, BODY_22.index("pelvis"), 0]
    origins = {}
    for site in names:
        place, frame = placed[site]
        points = np.stack([place, *(place + AXIS_M * axis for axis in frame.T)])
        origins[site], *tips = camera.project(points[None], [0.0])[0]
        for tip, color in zip(tips, COLORS.values(), strict=True):
            ax.annotate("", tip, origins[site], arrowprops={"arrowstyle": "-|>", "color": color, "lw": 1.6})
        ax.plot(*origins[site], "ko", markersize=3)
    for outward in (-1, 1):
        height = -np.inf
        beside = [site for site in names if (origins[site][0] >= middle) == (outward > 0)]
        for site in sorted(beside, key=lambda site: origins[site][1]):
            # Names keep a line between them.
            height = max(height + LINE_PX, origins[site][1])
            ax.annotate(
                site, origins[site], (SIZE_PX[0] * (0.5 + 0.48 * outward), height),
                fontsize=8, va="center", ha="right" if outward > 0 else "left",
                arrowprops={"arrowstyle": "-", "color": "0.6", "lw": 0.6},
            )  # fmt: skip
    ax.set_axis_off()


def main() -> None:
    """Draw both sides."""
    actor = perform(stand, duration_s=1.0, body=Body.average())
    figure = Figure(figsize=(11, 8), layout="constrained", facecolor="white")
    for ax, (title, (azimuth_deg, names)) in zip(figure.subplots(1, 2), VIEWS.items(), strict=True):
        draw(ax, actor, azimuth_deg, names)
        ax.set_title(title, fontsize=10)
    for axis, color in COLORS.items():
        figure.axes[0].plot([], [], color=color, label=axis)
    figure.axes[0].legend(loc="lower left", frameon=False, ncols=3)
    target = Path(__file__).parent / "images" / "sites.png"
    target.parent.mkdir(exist_ok=True)
    figure.savefig(target, dpi=90)


if __name__ == "__main__":
    main()
