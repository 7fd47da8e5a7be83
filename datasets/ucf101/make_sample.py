"""Write the tiny sample of UCF101 that lies beside this file: ``python datasets/ucf101/make_sample.py``.

Lists in the collection's own format, with some of its clips, and three clips under its names: a square moves.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from har_virtual.datasets.videos.ucf101 import UCF101_CLASSES
from har_virtual.video import write_video

# The clips of HandstandPushups are spelled otherwise than their folder, as in the collection.
TRAIN = (
    "Biking/v_Biking_g08_c01.avi",
    "Biking/v_Biking_g08_c02.avi",
    "HandstandPushups/v_HandStandPushups_g08_c01.avi",
    "JumpRope/v_JumpRope_g09_c01.avi",
)
TEST = ("Biking/v_Biking_g01_c01.avi", "JumpRope/v_JumpRope_g01_c01.avi")
VIDEOS = (TRAIN[0], TRAIN[2], TEST[1])
N_FRAMES, RATE_HZ = 15, 25


def frames() -> np.ndarray:
    """Give a light square that moves from left to right on dark ground, (N_FRAMES, 48, 64, 3)."""
    images = np.full((N_FRAMES, 48, 64, 3), 40, dtype=np.uint8)
    for number, image in enumerate(images):
        image[16:32, 3 * number : 3 * number + 16] = 220
    return images


def write_sample(folder: Path) -> list[Path]:
    """Write lists and clips under `folder` and give the files."""
    numbers = {name: number for number, name in enumerate(UCF101_CLASSES, start=1)}
    lists = {
        "classInd.txt": [f"{number} {name}" for name, number in numbers.items()],
        "trainlist01.txt": [f"{clip} {numbers[clip.partition('/')[0]]}" for clip in TRAIN],
        "testlist01.txt": list(TEST),
    }
    files = []
    for name, lines in lists.items():
        files.append(folder / "ucfTrainTestlist" / name)
        files[-1].parent.mkdir(parents=True, exist_ok=True)
        files[-1].write_text("".join(f"{line}\n" for line in lines), encoding="ascii")
    for video in VIDEOS:
        files.append(folder / video)
        files[-1].parent.mkdir(parents=True, exist_ok=True)
        write_video(files[-1], frames(), frame_rate_hz=RATE_HZ, codec="mpeg4")
    return files


if __name__ == "__main__":
    write_sample(Path(__file__).parent)
