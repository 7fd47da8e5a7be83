"""Write the tiny sample of MPII Human Pose that lies beside this file: ``python datasets/mpii/make_sample.py``.

Two files in the collection's own format, with invented images and videos, and two videos: a square moves. One stands
for a video of YouTube, one was made of the frames around the first image.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.io import savemat

from har_virtual.video import write_video

VIDEOS = ("sampleRope1", "sampleBike1", "sampleSofa1")


class Image(NamedTuple):
    """An image: category and activity, empty where they are withheld; video from 1 on and second, or None."""

    name: str
    category: str
    activity: str
    number: int
    video: int | None
    second: int | None
    trains: bool


TALKING = "sitting, talking in person, on the phone, computer, or text messaging, light effort"
IMAGES = (
    Image("000000001.jpg", "conditioning exercise", "rope skipping, general", 11, 1, 4, True),
    Image("000000002.jpg", "conditioning exercise", "rope skipping, general", 11, 1, 8, True),
    Image("000000003.jpg", "bicycling", "bicycling, mountain", 12, 2, 1, True),
    Image("000000004.jpg", "bicycling", "bicycling, mountain", 12, 2, 30, True),
    Image("000000005.jpg", "inactivity quiet/light", TALKING, 13, 3, 12, True),
    Image("000000006.jpg", "", "", -1, 3, 40, False),
    Image("000000007.jpg", "bicycling", "bicycling, mountain", 12, None, None, True),
)
RATE_HZ, DURATION_S = 5, 12
EMPTY = np.zeros((0, 0))


def frames(n_frames: int) -> np.ndarray:
    """Give a light square that moves from left to right, again and again, (n_frames, 48, 64, 3)."""
    images = np.full((n_frames, 48, 64, 3), 40, dtype=np.uint8)
    for number, image in enumerate(images):
        left = 3 * (number % 16)
        image[16:32, left : left + 16] = 220
    return images


def structs(shape: tuple[int, int], rows: list[dict[str, Any]]) -> np.ndarray:
    """Give a struct array of a shape."""
    array = np.empty(shape, dtype=[(field, object) for field in rows[0]])
    for place, row in zip(np.ndindex(shape), rows, strict=True):
        array[place] = tuple(row.values())
    return array


def cells(shape: tuple[int, int], values: list[Any]) -> np.ndarray:
    """Give a cell array of a shape."""
    array = np.empty(shape, dtype=object)
    array[:] = np.array([*values, None], dtype=object)[:-1].reshape(shape)
    return array


def release(images: tuple[Image, ...] = IMAGES) -> dict[str, Any]:
    """Give what the annotation file holds, in the order in which it holds it."""
    n_images = len(images)
    point = {"x": 30.0, "y": 20.0, "id": 9.0, "is_visible": 1.0}
    person = {"x1": 10, "y1": 5, "x2": 40, "y2": 30, "annopoints": {"point": structs((1, 2), [point, point])}}
    annotations = [
        {
            "image": {"name": image.name},
            "annorect": person,
            "frame_sec": EMPTY if image.second is None else np.uint16(image.second),
            "vididx": EMPTY if image.video is None else np.uint16(image.video),
        }
        for image in images
    ]
    acts = [
        {"cat_name": image.category or EMPTY, "act_name": image.activity or EMPTY, "act_id": np.int16(image.number)}
        for image in images
    ]
    return {
        "annolist": structs((1, n_images), annotations),
        "img_train": np.array([[image.trains for image in images]], dtype=np.uint8),
        "version": "1",
        "single_person": cells((n_images, 1), [1.0] * n_images),
        "act": structs((n_images, 1), acts),
        "video_list": cells((1, len(VIDEOS)), list(VIDEOS)),
    }


def write_mat(path: Path, variables: dict[str, Any]) -> Path:
    """Write a MATLAB 5 file without the date that scipy puts into it."""
    savemat(path, variables, do_compression=True)
    content = path.read_bytes()
    path.write_bytes(b"MATLAB 5.0 MAT-file, made by make_sample.py".ljust(116) + content[116:])
    return path


def write_sample(folder: Path) -> list[Path]:
    """Write annotations and videos under `folder` and give the files."""
    folder.mkdir(parents=True, exist_ok=True)
    keyframes = [{"image": {"name": f"{number}/00000020.jpg"}} for number in range(1, len(IMAGES) + 1)]
    files = [
        write_mat(folder / "mpii_human_pose_v1_u12_1.mat", {"RELEASE": release()}),
        write_mat(
            folder / "mpii_human_pose_v1_sequences_keyframes.mat",
            {"annolist_keyframes": structs((1, len(IMAGES)), keyframes)},
        ),
    ]
    for video, n_frames in (("videos/sampleRope1.mp4", DURATION_S * RATE_HZ), ("sequences/1.mp4", 40)):
        files.append(folder / video)
        files[-1].parent.mkdir(parents=True, exist_ok=True)
        write_video(files[-1], frames(n_frames), frame_rate_hz=RATE_HZ)
    return files


if __name__ == "__main__":
    write_sample(Path(__file__).parent)
