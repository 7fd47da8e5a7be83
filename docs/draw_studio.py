"""Draw the studio page's picture: every activity, each by another person.

python docs/draw_studio.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from har_virtual.pose.skeletons import BODY_22
from har_virtual.studio import ACTIVITIES, VIEWS, Camera, Performance, Scene, following, perform

SIZE_PX = (320, 240)
COLUMNS = 6
# From where the movement can be told; the others obliquely.
SIDES = {"walking": "side", "running": "side", "waving": "front", "jumping_jacks": "front", "lying_down": "side",
         "squatting": "side", "cycling": "side", "stair_climbing": "side"}  # fmt: skip
# When: at the lowest or highest place of a joint, or at a time.
EXTREMES = {"squatting": ("pelvis", -1), "jumping": ("pelvis", 1), "jumping_jacks": ("left_wrist", 1)}
MOMENTS_S = {"sitting_down": 2.7, "standing_up": 2.6, "lying_down": 3.0}


def moment(name: str, actor: Performance) -> float:
    """Give the time of the frame to show."""
    if name not in EXTREMES:
        return MOMENTS_S.get(name, 2.0)
    joint, sign = EXTREMES[name]
    times = np.arange(0.5, actor.duration_s, 0.02)
    return times[np.argmax(sign * actor.pose(times)[0][:, BODY_22.index(joint), 2])]


def main() -> None:
    """Draw one frame of each."""
    rows = -(-len(ACTIVITIES) // COLUMNS)
    figure = Figure(figsize=(11, 1.6 * rows), layout="constrained", facecolor="white")
    axes = figure.subplots(rows, COLUMNS).ravel()
    for seed, (ax, name) in enumerate(zip(axes, ACTIVITIES, strict=False)):
        actor = perform(name, duration_s=6.0, seed=seed)
        path = following(actor) if name in ("walking", "running", "stair_climbing") else None
        azimuth_deg = VIEWS[SIDES.get(name, "oblique")]
        camera = Camera.facing([actor], azimuth_deg=azimuth_deg, size_px=SIZE_PX, path=path)
        picture = next(iter(Scene([actor], camera, seed=seed).frames([moment(name, actor)])))
        ax.imshow(picture.image)
        ax.set_title(name, fontsize=8)
    for ax in axes:
        ax.set_axis_off()
    target = Path(__file__).parent / "images" / "studio.png"
    target.parent.mkdir(exist_ok=True)
    figure.savefig(target, dpi=90)


if __name__ == "__main__":
    main()
