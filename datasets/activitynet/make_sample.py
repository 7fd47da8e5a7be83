"""Write the tiny sample of ActivityNet that lies beside this file: ``python datasets/activitynet/make_sample.py``.

An annotation file in the collection's own format, with invented videos, and one real video of twelve seconds under the
name that the official downloads give: a bright bar that moves, as nobody may pass on a film. What the real file has,
too: segments that end after the video does, a video of the test set without annotations, parents of classes
(`taxonomy`, which nobody needs here and is empty).
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

# Of each video: subset, duration, and the annotated segments.
VIDEOS = {
    "har-virtuA1": ("training", 12.0, [("Rope skipping", 1.5, 6.25), ("Rope skipping", 8.0, 12.04)]),
    "har-virtuA2": ("training", 95.4, [("Ironing clothes", 0.0, 80.3)]),
    "har-virtuA3": ("validation", 61.0, [("Vacuuming floor", 4.2, 58.9)]),
    "har-virtuA4": ("validation", 180.6, [("Spinning", 12.7, 150.1)]),
    "har-virtuA5": ("training", 33.8, [("Walking the dog", 2.0, 30.5), ("Disc dog", 30.5, 33.1)]),
    "har-virtuA6": ("testing", 44.0, []),
}
VIDEO, RATE_HZ, LENGTH_S = "v_har-virtuA1.mp4", 5, 12


def write_sample(folder: Path) -> list[Path]:
    """Write the annotation file under `folder` and give it."""
    database = {
        video: {
            "annotations": [{"label": label, "segment": [start, stop]} for label, start, stop in segments],
            "duration": duration,
            "resolution": "64x48",
            "subset": subset,
            "url": f"https://www.youtube.com/watch?v={video}",
        }
        for video, (subset, duration, segments) in VIDEOS.items()
    }
    path = folder / "activity_net.v1-3.min.json"
    document = {"database": database, "taxonomy": [], "version": "VERSION 1.3"}
    path.write_bytes(json.dumps(document).encode("ascii"))
    return [path]


def write_film(folder: Path) -> Path:
    """Write the video; its bytes depend on the encoder's version."""
    from har_virtual.video import write_video

    image = np.full((48, 64, 3), 60, np.uint8)
    image[:, :8] = 200
    images = (np.roll(image, 8 * number, axis=1) for number in range(LENGTH_S * RATE_HZ))
    return write_video(folder / VIDEO, images, frame_rate_hz=RATE_HZ, quality=35)


if __name__ == "__main__":
    write_sample(Path(__file__).parent)
    write_film(Path(__file__).parent)
