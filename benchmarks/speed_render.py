"""Rendering of one person at 640x480 against a ray-cast of the same capsules over the whole picture.

The library cuts rays with each capsule inside its box on the picture, in float32 and with what is shared by rows and
columns computed once. The reference cuts every ray with every capsule, in float64 vectors as the formula is written.
Everything but the rows on two workers and on encoding is pinned to one core; parts are timed inside the same frames.

    python benchmarks/speed_render.py [--frames 96] [--rounds 3]
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import argparse
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from _common import write_result

from har_virtual.studio import Camera, Capsules, Scene, perform
from har_virtual.studio import scene as scene_module
from har_virtual.studio.cameras import hand_held
from har_virtual.studio.capsules import cast
from har_virtual.studio.mannequin import Mannequin, dress
from har_virtual.studio.performance import Performance
from har_virtual.studio.room import Room

ACTIVITY, SEED, RATE_HZ, DURATION_S = "waving", 4, 30.0, 4.0
PARTS = {
    "pose": (Performance, "pose"),
    "dress": (Mannequin, "capsules"),
    "background": (Room, "cast"),
    "cast": (scene_module, "cast"),
    "shade": (scene_module, "shade"),
    "edges": (scene_module, "soften_edges"),
    "shadow": (scene_module, "cast_shadow"),
    "noise": (scene_module, "add_noise"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    times = np.arange(options.frames) / RATE_HZ
    actor = perform(ACTIVITY, duration_s=DURATION_S, seed=SEED)
    scenes = {
        "fixed": Scene(actor, Camera.facing(actor)),
        "moving": Scene(actor, Camera.facing(actor, path=hand_held(1))),
    }
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    results: dict[str, Any] = {name: one_core(scene, times, options.rounds) for name, scene in scenes.items()}
    results["reference"] = reference(actor, scenes["fixed"].camera)
    results["encoded_one_core"] = {name: encoded(scene, times, 1) for name, scene in scenes.items()}
    os.sched_setaffinity(0, cores)
    results["all_cores"] = {
        name: {f"{what}_{n}_workers": measure(scene, times, n) for what, measure in MEASURES.items() for n in (1, 2)}
        for name, scene in scenes.items()
    }
    protocol = (
        f"{ACTIVITY}, one person, 640x480, {options.frames} frames after a first one, fastest of {options.rounds} "
        "rounds; milliseconds a frame; a fixed camera's background is 0, its room is cast once; 'all_cores': "
        "fastest of 2, workers started before; the reference is one frame of all capsules on all pixels"
    )
    print(write_result("speed_render", protocol, results, seed=SEED))
    print(results)


def one_core(scene: Scene, times: np.ndarray, rounds: int) -> dict[str, Any]:
    next(scene.frames(times[:1]))
    whole = [timed(lambda: sum(1 for _ in scene.frames(times))) / len(times) * 1e3 for _ in range(rounds)]
    return {"ms_a_frame": min(whole), "rounds": whole, "parts_ms": parts(scene, times)}


def parts(scene: Scene, times: np.ndarray) -> dict[str, float]:
    """Milliseconds a frame inside each step; the rest is copies, checks and loops."""
    spent: dict[str, float] = defaultdict(float)

    def watched(name: str, function: Callable) -> Callable:
        def call(*args: Any, **kwargs: Any) -> Any:
            begin = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                spent[name] += time.perf_counter() - begin

        return call

    with ExitStack() as stack:
        for name, (owner, attribute) in PARTS.items():
            stack.enter_context(patch.object(owner, attribute, watched(name, getattr(owner, attribute))))
        total = timed(lambda: sum(1 for _ in scene.frames(times)))
    spent["rest"] = total - sum(spent.values())
    return {name: spent[name] / len(times) * 1e3 for name in (*PARTS, "rest")}


def frames_only(scene: Scene, times: np.ndarray, n_jobs: int) -> float:
    def run() -> None:
        for _ in scene._images(times, 0.0, 1, n_jobs):
            pass

    return fastest_of_two(run, len(times))


def encoded(scene: Scene, times: np.ndarray, n_jobs: int) -> float:
    with tempfile.TemporaryDirectory() as folder:

        def run() -> None:
            scene.write_video(Path(folder) / "x.mp4", frame_rate_hz=RATE_HZ, stop_s=len(times) / RATE_HZ, n_jobs=n_jobs)

        return fastest_of_two(run, len(times))


MEASURES = {"frames": frames_only, "encoded": encoded}


def fastest_of_two(run: Callable[[], Any], n_frames: int) -> float:
    run()
    return min(timed(run), timed(run)) / n_frames * 1e3


def timed(run: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    run()
    return time.perf_counter() - begin


def reference(actor: Performance, camera: Camera) -> dict[str, float]:
    """Time of both casts on the same capsules, and how far their depths are apart."""
    positions, rotations = actor.pose([1.0])
    capsules = dress(actor.body, positions[0], rotations[0])
    rotation, position = (part[0] for part in camera.pose([1.0]))
    begin = time.perf_counter()
    naive = naive_depth(capsules, rotation, position, camera)
    naive_ms = (time.perf_counter() - begin) * 1e3
    here = [timed(lambda: cast(capsules, rotation, position, camera.intrinsics, camera.size_px)) for _ in range(10)]
    hits = cast(capsules, rotation, position, camera.intrinsics, camera.size_px)
    depth = np.full(naive.size, np.inf)
    depth[hits.pixels] = hits.depth_m
    both = np.isfinite(depth) & np.isfinite(naive.ravel())
    return {
        "n_capsules": len(capsules),
        "naive_ms": naive_ms,
        "cast_ms": min(here) * 1e3,
        "ratio": naive_ms / min(here) / 1e3,
        "n_pixels": int(both.sum()),
        "pixels_that_only_one_has": int((np.isfinite(depth) != np.isfinite(naive.ravel())).sum()),
        "largest_difference_m": float(np.abs(depth[both] - naive.ravel()[both]).max()),
    }


def naive_depth(capsules: Capsules, rotation: np.ndarray, position: np.ndarray, camera: Camera) -> np.ndarray:
    """Depth by the cone and the two balls of each capsule on all rays of the picture."""
    width, height = camera.size_px
    rows, columns = np.mgrid[:height, :width] + 0.5
    rays = np.concatenate([camera.intrinsics.normalize(np.stack([columns, rows], -1)), np.ones((height, width, 1))], -1)
    rays = rays @ rotation.T
    nearest = np.full((height, width), np.inf)
    rows_of = zip(capsules.starts_m, capsules.ends_m, capsules.radii_m, capsules.end_radii_m, strict=True)
    for start, end, first, last in rows_of:
        for depth in (ball(rays, start - position, first), ball(rays, end - position, last)):
            nearest = np.fmin(nearest, depth)
        if (start != end).any():
            nearest = np.fmin(nearest, cone(rays, start - position, end - position, first, last))
    return nearest


def ball(rays: np.ndarray, middle: np.ndarray, radius: float) -> np.ndarray:
    a, b, c = (rays * rays).sum(-1), (rays * middle).sum(-1), middle @ middle - radius**2
    with np.errstate(invalid="ignore"):
        return (b - np.sqrt(b * b - a * c)) / a


def cone(rays: np.ndarray, start: np.ndarray, end: np.ndarray, first: float, last: float) -> np.ndarray:
    """Where rays enter the mantle that touches both end balls, NaN beside it."""
    length = np.linalg.norm(end - start)
    axis, slope = (end - start) / length, (last - first) / length
    steep = 1 / (1 - slope**2)
    dn, en = (rays * axis).sum(-1), -start @ axis
    dd, ed, ee = (rays * rays).sum(-1), -(rays * start).sum(-1), start @ start
    a, b = dd - steep * dn**2, ed - steep * (en + slope * first) * dn
    c = ee - steep * (en**2 + 2 * slope * first * en + first**2)
    with np.errstate(invalid="ignore", divide="ignore"):
        depth = (-b - np.sqrt(b * b - a * c)) / a
        touched = steep * (en + depth * dn + slope * first)
        return np.where((touched >= 0) & (touched <= length), depth, np.nan)


if __name__ == "__main__":
    main()
