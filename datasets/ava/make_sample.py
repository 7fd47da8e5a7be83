"""Write the tiny sample of AVA that lies beside this file: ``python datasets/ava/make_sample.py``.

Annotation files in the collection's own format, with two invented films, and one real video of ten seconds under its
identifier, as if cut from second 900 on: a bright bar that moves, as nobody may pass on a film. In the first film one
person walks, is joined by a second who sits down, a cut leads to a third; in the second film two people walk together.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

NAMES = {1: "bend/bow (at the waist)", 2: "crawl", 6: "get up", 7: "jump/leap", 8: "lie/sleep", 10: "run/jog"}
NAMES |= {11: "sit", 12: "stand", 14: "walk", 79: "talk to (e.g., self, a person, a group)"}
# Of each film: person, seconds (first and last one), actions.
FILMS = {
    "train": {
        "har-virtua1": [(1, 903, 906, (14,)), (2, 906, 906, (11, 79)), (3, 907, 907, (12,)), (1, 908, 908, (10,))],
    },
    "val": {"har-virtua2": [(7, 1000, 1003, (14, 79)), (8, 1000, 1003, (14,)), (7, 1004, 1005, (8,))]},
}
EXCLUDED = {"train": [("har-virtua1", 903)], "val": []}
VIDEO, RATE_HZ, LENGTH_S = "videos_15min/har-virtua1.mp4", 5, 10


def rows(film: str, people: list[tuple[int, int, int, tuple[int, ...]]]) -> Iterator[str]:
    """Give the lines of a film by time, person and action."""
    facts = ((second, p, a) for p, first, last, actions in people for second in range(first, last + 1) for a in actions)
    for second, person, action in sorted(facts):
        left = 0.1 * person
        yield f"{film},{second:04d},{left:.3f},0.100,{left + 0.2:.3f},0.900,{action},{person}\n"


def write_sample(folder: Path) -> list[Path]:
    """Write the annotation files under `folder` and give them."""
    texts = {}
    for split, films in FILMS.items():
        texts[f"ava_{split}_v2.2.csv"] = "".join(line for film, people in films.items() for line in rows(film, people))
        excluded = "".join(f"{film},{second:04d}\n" for film, second in EXCLUDED[split])
        texts[f"ava_{split}_excluded_timestamps_v2.2.csv"] = excluded
    texts["ava_action_list_v2.2.pbtxt"] = "".join(
        f'label {{\n  name: "{name}"\n  label_id: {number}\n  label_type: PERSON_MOVEMENT\n}}\n'
        for number, name in NAMES.items()
    )
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
