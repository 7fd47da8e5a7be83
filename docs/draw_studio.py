"""Draw the studio page's picture: every activity, each by another person and from another side.

python docs/draw_studio.py
"""

from __future__ import annotations

from itertools import cycle
from pathlib import Path

from matplotlib.figure import Figure

from har_virtual.studio import ACTIVITIES, VIEWS, Camera, Scene, following, perform

SIZE_PX = (320, 240)
COLUMNS = 6
# A moment in which the movement can be told.
MOMENTS_S = {"sitting_down": 2.9, "standing_up": 2.7, "lying_down": 5.0, "jumping": 1.9, "jumping_jacks": 1.5}


def main() -> None:
    """Draw one frame of each."""
    rows = -(-len(ACTIVITIES) // COLUMNS)
    figure = Figure(figsize=(11, 1.6 * rows), layout="constrained", facecolor="white")
    axes = figure.subplots(rows, COLUMNS).ravel()
    views = cycle(VIEWS.values())
    for seed, (ax, name) in enumerate(zip(axes, ACTIVITIES, strict=False)):
        actor = perform(name, duration_s=6.0, seed=seed)
        path = following(actor) if name in ("walking", "running", "stair_climbing") else None
        camera = Camera.facing([actor], azimuth_deg=next(views), size_px=SIZE_PX, path=path)
        picture = next(iter(Scene([actor], camera, seed=seed).frames([MOMENTS_S.get(name, 2.0)])))
        ax.imshow(picture.image)
        ax.set_title(name, fontsize=8)
    for ax in axes:
        ax.set_axis_off()
    target = Path(__file__).parent / "images" / "studio.png"
    target.parent.mkdir(exist_ok=True)
    figure.savefig(target, dpi=90)


if __name__ == "__main__":
    main()
