"""Write the tiny sample of Charades that lies beside this file: ``python datasets/charades/make_sample.py``.

Annotation files in the collection's own format, with invented videos and people and a few of its 157 classes, and one
real video of twelve seconds under its identifier: a bright bar that moves, as nobody may pass on the real ones. What
the real files have, too: quoted texts with commas, actions that overlap and that end after the video does, videos
without actions.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np

CLASSES = {
    8: "Opening a door",
    10: "Sitting on a table",
    11: "Sitting at a table",
    59: "Sitting in a chair",
    97: "Walking through a doorway",
    98: "Holding a broom",
    122: "Lying on a sofa/couch",
    123: "Sitting on sofa/couch",
    124: "Lying on the floor",
    125: "Sitting on the floor",
    134: "Lying on a bed",
    135: "Sitting in a bed",
    137: "Holding a vacuum",
    150: "Someone is running somewhere",
    151: "Someone is going from standing to sitting",
    154: "Someone is standing up from somewhere",
}
COLUMNS = "id subject scene quality relevance verified script objects descriptions actions length".split()
# Of each video: person, actions, length.
VIDEOS = {
    "train": {
        "HAR01": ("SUBA", "c097 0.00 3.10;c151 4.00 6.50;c059 6.00 12.30", 12.0),
        "HAR02": ("SUBA", "c137 1.20 25.00;c154 25.80 28.40", 30.46),
        "HAR03": ("SUBB", "", 21.5),
    },
    "test": {"HAR04": ("SUBC", "c122 0.00 17.60;c098 3.00 8.00;c150 20.10 24.90", 26.0)},
}
VIDEO, RATE_HZ, LENGTH_S = "Charades_v1_480/HAR01.mp4", 5, 12


def table(videos: dict[str, tuple[str, str, float]]) -> str:
    """Give an annotation file as text."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for video, (subject, actions, length) in videos.items():
        script = "A person, invented for this sample, moves about."
        writer.writerow([video, subject, "Living room", 6, 7, "Yes", script, "door;sofa", script, actions, length])
    return text.getvalue()


def write_sample(folder: Path) -> list[Path]:
    """Write the annotation files under `folder` and give them."""
    texts = {f"Charades_v1_{split}.csv": table(videos) for split, videos in VIDEOS.items()}
    texts["Charades_v1_classes.txt"] = "".join(f"c{code:03d} {name}\n" for code, name in CLASSES.items())
    for name, text in texts.items():
        (folder / name).write_bytes(text.encode("ascii"))
    return [folder / name for name in texts]


def write_film(folder: Path) -> Path:
    """Write the video; its bytes depend on the encoder's version."""
    from har_virtual.video import write_video

    (folder / VIDEO).parent.mkdir(parents=True, exist_ok=True)
    image = np.full((48, 64, 3), 60, np.uint8)
    image[:, :8] = 200
    images = (np.roll(image, 8 * number, axis=1) for number in range(LENGTH_S * RATE_HZ))
    return write_video(folder / VIDEO, images, frame_rate_hz=RATE_HZ, quality=35)


if __name__ == "__main__":
    write_sample(Path(__file__).parent)
    write_film(Path(__file__).parent)
