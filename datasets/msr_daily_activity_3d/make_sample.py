"""Write the tiny sample of MSRDailyActivity3D that lies beside this file.

``python datasets/msr_daily_activity_3d/make_sample.py``

Four videos under the collection's names: a square moves.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from har_virtual.video import write_video

VIDEOS = ("a07_s01_e02_rgb.avi", "a09_s02_e01_rgb.avi", "a10_s02_e01_rgb.avi", "a13_s02_e02_rgb.avi")
N_FRAMES, RATE_HZ = 15, 30


def frames() -> np.ndarray:
    """Give a light square that moves from left to right on dark ground, (N_FRAMES, 48, 64, 3)."""
    images = np.full((N_FRAMES, 48, 64, 3), 40, dtype=np.uint8)
    for number, image in enumerate(images):
        image[16:32, 3 * number : 3 * number + 16] = 220
    return images


def write_sample(folder: Path) -> list[Path]:
    """Write the videos under `folder` and give the files."""
    files = [folder / video for video in VIDEOS]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_video(file, frames(), frame_rate_hz=RATE_HZ, codec="mpeg4")
    return files


if __name__ == "__main__":
    write_sample(Path(__file__).parent)
