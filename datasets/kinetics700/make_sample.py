"""Write the tiny sample of Kinetics-700 that lies beside this file: ``python datasets/kinetics700/make_sample.py``.

Annotation files in the collection's own format, with invented videos, and one real clip of ten seconds under the name
that the official downloads give, in the folder of its class: a bright bar that moves, as nobody may pass on a film. The
test file has no classes, as where they are held back.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

HEADER = "label,youtube_id,time_start,time_end,split"
ROWS = {
    "train.csv": [
        "skipping rope,har-virtuK1,10,20,train",
        "riding a bike,har-virtuK2,84,94,train",
        "squat,-har-virtuK,0,10,train",
        "ironing,har-virtuK4,31,41,train",
        "backflip (human),har-virtuK5,3,13,train",
        "jogging,har-virtuK2,104,114,train",
    ],
    "validate.csv": ["vacuuming floor,har-virtuK6,7,17,validate", "lunge,har-virtuK7,55,65,validate"],
}
TEST = ["youtube_id,time_start,time_end,split", "har-virtuK8,20,30,test"]
VIDEO, RATE_HZ, LENGTH_S = "train/skipping rope/har-virtuK1_000010_000020.mp4", 5, 10


def write_sample(folder: Path) -> list[Path]:
    """Write the annotation files under `folder` and give them."""
    tables = {name: [HEADER, *rows] for name, rows in ROWS.items()} | {"test.csv": TEST}
    for name, lines in tables.items():
        (folder / name).write_bytes("".join(f"{line}\n" for line in lines).encode("ascii"))
    return [folder / name for name in tables]


def write_film(folder: Path) -> Path:
    """Write the clip; its bytes depend on the encoder's version."""
    from har_virtual.video import write_video

    (folder / VIDEO).parent.mkdir(parents=True, exist_ok=True)
    image = np.full((48, 64, 3), 60, np.uint8)
    image[:, :8] = 200
    images = (np.roll(image, 8 * number, axis=1) for number in range(LENGTH_S * RATE_HZ))
    return write_video(folder / VIDEO, images, frame_rate_hz=RATE_HZ, quality=35)


if __name__ == "__main__":
    write_sample(Path(__file__).parent)
    write_film(Path(__file__).parent)
