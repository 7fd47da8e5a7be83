"""The clips of fidelity_studio.py: how they were chosen, and the list that was frozen then.

The chooser stays as the record of the choice. The list is what counts: it was written once and is not written again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CLIPS = Path(__file__).with_name("fidelity_studio_clips.json")
CLIPS_SHA256 = "50c992d717089f87370c9466ff576914d596a05b1336f170433fe44e30ea7cc3"

ACTIVITIES = """
standing walking running jumping squatting sitting sitting_down standing_up turning lying_down jumping_jacks waving
stair_climbing ironing vacuum_cleaning cycling rope_jumping
""".split()
AZIMUTHS_DEG = {"front": 0, "side": 90, "oblique": 45}
CLIP_S = 5.0
# Who goes away must stay large enough to be seen: walks are short, and whoever films a runner goes along.
OTHERWISE: dict[str, dict[str, Any]] = {"walking": {"stop_s": 3.0}, "running": {"path": "following"}}
# Every activity is filmed once from each view; two of these clips are in the test part.
RATES_HZ = {
    **dict.fromkeys(("jumping_jacks-side", "running-side", "standing_up-oblique", "ironing-front"), 60),
    **dict.fromkeys(("standing_up-side", "stair_climbing-front", "sitting-front", "turning-side"), 25),
    **dict.fromkeys(("waving-front", "vacuum_cleaning-side", "cycling-oblique"), 25),
}
FIRST_SEEDS = {"dev": 3000, "test": 8000}
CMU_TAKES = (
    # Never one subject in both parts; 02 only in test. Nobody climbs; 01 keeps to the floor in these seconds.
    ("dev", "playground", "mocap/cmu/bvh/01_01.bvh", 0.0, 6.0, "side", 30),
    ("dev", "playground", "mocap/cmu/bvh/01_02.bvh", 10.0, 15.0, "front", 30),
    ("dev", "walk", "mocap/cmu/bvh/07_01.bvh", 0.0, None, "side", 30),
    ("dev", "walk", "mocap/cmu/bvh/07_05.bvh", 0.0, None, "oblique", 25),
    ("dev", "run", "mocap/cmu/bvh/09_01.bvh", 0.0, None, "side", 60),
    ("dev", "run", "mocap/cmu/bvh/09_06.bvh", 0.0, None, "oblique", 30),
    ("test", "walk", "mocap/cmu/02_01.amc", 0.0, None, "side", 30),
    ("test", "run", "mocap/cmu/02_03.amc", 0.0, None, "oblique", 60),
    ("test", "dance", "mocap/cmu/bvh/05_02.bvh", 3.0, 9.0, "front", 30),
    ("test", "dance", "mocap/cmu/bvh/05_09.bvh", 3.5, 9.5, "side", 30),
    ("test", "dance", "mocap/cmu/bvh/05_10.bvh", 0.0, 6.0, "oblique", 25),
    ("test", "basketball", "mocap/cmu/bvh/06_02.bvh", 0.0, 6.0, "side", 25),
    ("test", "basketball", "mocap/cmu/bvh/06_10.bvh", 0.0, 6.0, "front", 30),
    ("test", "walk", "mocap/cmu/12_01_walk.bvh", 0.0, None, "oblique", 30),
)
REPEATS: dict[str, list[dict[str, Any]]] = {
    "walking-side": [{"pitch_deg": -10}, {"pitch_deg": -20}, {"path": "hand_held"}, {"path": "following"}],
    "walking-oblique": [{"pitch_deg": -10}, {"pitch_deg": -20}, {"path": "hand_held"}, {"path": "following"}],
    "squatting-oblique": [{"pitch_deg": -10}, {"pitch_deg": -20}],
    "sitting_down-side": [{"pitch_deg": -10}, {"pitch_deg": -20}],
    "jumping_jacks-oblique": [{"pitch_deg": -10}, {"pitch_deg": -20}],
    "stair_climbing-oblique": [{"path": "hand_held"}, {"path": "following"}],
    "jumping_jacks-front": [{"rate_hz": 25}, {"rate_hz": 60}],
    "walking-front": [{"rate_hz": 25}, {"rate_hz": 60}],
}


def choose_clips() -> list[dict[str, Any]]:
    """Choose the clips: activities x views, motion capture, and repeats under other conditions."""
    clips = [*_formula_clips(), *_cmu_clips()]
    named = {clip["name"]: clip for clip in clips}
    for name, changes in REPEATS.items():
        clips += [{**named[name], **change, "name": _repeat_name(name, change), "repeats": name} for change in changes]
    return clips


def _formula_clips() -> Iterator[dict[str, Any]]:
    for i, activity in enumerate(ACTIVITIES):
        for j, view in enumerate(AZIMUTHS_DEG):
            number = 3 * i + j
            part = "dev" if j == i % 3 else "test"
            name = f"{activity}-{view}"
            source = {"activity": activity, "file": None, "start_s": 0.0, "stop_s": CLIP_S}
            clip = _clip(name, part, source, view, RATES_HZ.get(name, 30), number, take=j)
            yield clip | OTHERWISE.get(activity, {})


def _cmu_clips() -> Iterator[dict[str, Any]]:
    for i, (part, activity, file, start_s, stop_s, view, rate) in enumerate(CMU_TAKES):
        source = {"activity": activity, "file": file, "start_s": start_s, "stop_s": stop_s}
        yield _clip(f"cmu_{Path(file).stem}-{view}", part, source, view, rate, 900 + 9 * i, take=0)


def _clip(
    name: str, part: str, source: dict[str, Any], view: str, rate_hz: int, number: int, take: int
) -> dict[str, Any]:
    side = -1 if number % 2 else 1
    return {
        "name": name,
        "part": part,
        **source,
        "seed": FIRST_SEEDS[part] + number,
        "take": take,
        "view": view,
        "azimuth_deg": side * AZIMUTHS_DEG[view],
        "fov_deg": (50, 60, 70)[number // 9 % 3],
        "pitch_deg": 0,
        "path": "fixed",
        "rate_hz": rate_hz,
        "size_px": [640, 480],
        "quality": 23,
        "repeats": None,
    }


def _repeat_name(name: str, change: dict[str, Any]) -> str:
    ((what, value),) = change.items()
    return f"{name}-{ {'pitch_deg': f'pitch{value}', 'rate_hz': f'{value}fps', 'path': value}[what] }"


def freeze(path: Path) -> str:
    """Write the list, which must not be there yet, one clip a line; give its hash."""
    lines = ",\n".join(json.dumps(clip) for clip in choose_clips())
    with path.open("x") as file:
        file.write(f"[\n{lines}\n]\n")
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_clips(path: Path, sha256: str) -> list[dict[str, Any]]:
    """Read the frozen list; one with another hash is refused."""
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise SystemExit(f"{path}: sha256 {found} is not that of the frozen list, {sha256}; restore the file.")
    return json.loads(content)
