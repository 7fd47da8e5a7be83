"""Write the tiny sample of HMDB51 that lies beside this file: ``python datasets/hmdb51/make_sample.py``.

Lists of two classes in the collection's own format, with invented clips, and three of these clips: a square moves.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from har_virtual.video import write_video

# Part of each clip in the first and the second official division: 1 train, 2 test, 0 neither.
PARTS = {
    "walk": {
        "Harbour_Film_walk_f_cm_np1_ri_med_0.avi": (1, 2),
        "Harbour_Film_walk_f_cm_np1_ri_med_1.avi": (1, 2),
        "#7_Two_Friends_walk_u_nm_np2_fr_goo_0.avi": (2, 1),
        "Old_Town_walk_l_nm_np1_ba_bad_3.avi": (0, 1),
    },
    "ride_bike": {
        "Country_Road_ride_bike_f_cm_np1_le_med_0.avi": (1, 1),
        "Velodrome_ride_bike_f_nm_np1_ri_goo_2.avi": (2, 0),
    },
}
VIDEOS = (
    "walk/Harbour_Film_walk_f_cm_np1_ri_med_0.avi",
    "walk/#7_Two_Friends_walk_u_nm_np2_fr_goo_0.avi",
    "ride_bike/Country_Road_ride_bike_f_cm_np1_le_med_0.avi",
)
N_FRAMES, RATE_HZ = 15, 15


def frames() -> np.ndarray:
    """Give a light square that moves from left to right on dark ground, (N_FRAMES, 48, 64, 3)."""
    images = np.full((N_FRAMES, 48, 64, 3), 40, dtype=np.uint8)
    for number, image in enumerate(images):
        image[16:32, 3 * number : 3 * number + 16] = 220
    return images


def write_sample(folder: Path) -> list[Path]:
    """Write lists and clips under `folder` and give the files."""
    files = []
    for division in (1, 2):
        for name, parts in PARTS.items():
            files.append(folder / "testTrainMulti_7030_splits" / f"{name}_test_split{division}.txt")
            files[-1].parent.mkdir(parents=True, exist_ok=True)
            lines = [f"{clip} {part[division - 1]} \n" for clip, part in parts.items()]
            files[-1].write_text("".join(lines), encoding="ascii")
    for video in VIDEOS:
        files.append(folder / video)
        files[-1].parent.mkdir(parents=True, exist_ok=True)
        write_video(files[-1], frames(), frame_rate_hz=RATE_HZ, codec="mpeg4")
    return files


if __name__ == "__main__":
    write_sample(Path(__file__).parent)
