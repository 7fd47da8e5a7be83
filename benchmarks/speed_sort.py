"""SORT on MOT15 TUD-Campus: frames per second against a textbook filter per track, MOTA, and where the time goes."""

from __future__ import annotations

import cProfile
import pstats
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import motmetrics
import numpy as np
from _common import ROOT, data_folder, write_result
from scipy.optimize import linear_sum_assignment

from har_virtual.pose.sort import Sort

REPEATS = 50
ROUNDS = 7
PROFILE_ROWS = 12

PROTOCOL = f"""
MOT15 TUD-Campus, all detections of det.txt, no threshold on the score. Speed: the sequence {REPEATS} times through one
tracker, reset() before each pass so that every pass does the same work; {ROUNDS} rounds, the two trackers in turn. Wall
time; the fastest round of each tracker counts, since other load on the machine only slows, and all rounds are in the
result. MOTA: one pass against the considered rows of gt.txt, a match needs an IoU of at least
.5. The reference is a textbook SORT in the script: 7 x 7 matrices, one Kalman filter a track, the same rules; the
largest difference of its boxes and whether its identities are the same are in the result. A track's first detection
counts as a hit; "mota_first_detection_uncounted" is the reference when it does not (min_hits 3 then takes four).
"""


class TextbookTrack:
    """One Kalman filter with the paper's full matrices: state (x, y, area, ratio, dx, dy, darea)."""

    F = np.eye(7) + np.diag([1.0, 1.0, 1.0], k=4)
    H = np.eye(4, 7)
    Q = np.diag([1.0, 1.0, 1.0, 1.0, 1e-2, 1e-2, 1e-4])
    R = np.diag([1.0, 1.0, 10.0, 10.0])

    def __init__(self, box: np.ndarray, hits: int) -> None:
        self.x = np.concatenate((to_measurement(box), np.zeros(3)))
        self.P = np.diag([10.0, 10.0, 10.0, 10.0, 1e4, 1e4, 1e4])
        self.hits, self.misses, self.id = hits, 0, 0

    def predict(self) -> np.ndarray:
        if self.x[2] + self.x[6] <= 0:
            self.x[6] = 0.0
        self.x = self.F @ self.x
        self.P = self.F @ self.P @ self.F.T + self.Q
        return self.box()

    def correct(self, box: np.ndarray) -> None:
        gain = self.P @ self.H.T @ np.linalg.inv(self.H @ self.P @ self.H.T + self.R)
        self.x = self.x + gain @ (to_measurement(box) - self.H @ self.x)
        self.P = (np.eye(7) - gain @ self.H) @ self.P

    def box(self) -> np.ndarray:
        half = np.array([np.sqrt(self.x[2] * self.x[3]), np.sqrt(self.x[2] / self.x[3])]) / 2
        return np.concatenate((self.x[:2] - half, self.x[:2] + half))


class TextbookSort:
    """SORT with its published parameters (max_age 1, min_hits 3, IoU .3), track by track."""

    def __init__(self, hits_of_first_detection: int = 1) -> None:
        self.hits_of_first_detection = hits_of_first_detection
        self.reset()

    def reset(self) -> None:
        self.tracks: list[TextbookTrack] = []
        self.frame = self.n_ids = 0

    def update(self, boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.frame += 1
        predicted = [track.predict() for track in self.tracks]
        overlap = np.array([[iou(p, b) for b in boxes] for p in predicted]).reshape(len(predicted), len(boxes))
        overlap[overlap < 0.3] = 0.0
        taken = {t: d for t, d in zip(*linear_sum_assignment(overlap, maximize=True), strict=True) if overlap[t, d] > 0}
        for index, track in enumerate(self.tracks):
            if index in taken:
                track.correct(boxes[taken[index]])
                track.hits, track.misses = track.hits + 1, 0
            else:
                track.hits, track.misses = 0, track.misses + 1
        new = (box for d, box in enumerate(boxes) if d not in taken.values())
        self.tracks += [TextbookTrack(box, self.hits_of_first_detection) for box in new]
        self.tracks = [track for track in self.tracks if track.misses <= 1]
        return self.report()

    def report(self) -> tuple[np.ndarray, np.ndarray]:
        shown = [track for track in self.tracks if track.misses == 0 and (track.hits >= 3 or self.frame <= 3)]
        for track in shown:
            if not track.id:
                self.n_ids += 1
                track.id = self.n_ids
        return np.array([t.id for t in shown], dtype=int), np.array([t.box() for t in shown]).reshape(-1, 4)


def to_measurement(box: np.ndarray) -> np.ndarray:
    width, height = box[2:] - box[:2]
    return np.array([box[0] + width / 2, box[1] + height / 2, width * height, width / height])


def iou(a: np.ndarray, b: np.ndarray) -> float:
    shared = np.prod(np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0))
    return shared / (np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - shared)


def read_mot(path: Path) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Identities and boxes (left, top, right, bottom) of each frame, of rows that are to be considered."""
    rows = np.loadtxt(path, delimiter=",")
    rows = rows[rows[:, 6] != 0]
    rows[:, 4:6] += rows[:, 2:4]
    frames = [rows[rows[:, 0] == frame] for frame in range(1, int(rows[:, 0].max()) + 1)]
    return [frame[:, 1].astype(int) for frame in frames], [frame[:, 2:6] for frame in frames]


def score(tracker: Sort | TextbookSort, detections: list[np.ndarray], truth: Iterable) -> dict[str, float]:
    accumulator = motmetrics.MOTAccumulator(auto_id=True)
    tracker.reset()
    for boxes, (true_ids, true_boxes) in zip(detections, truth, strict=True):
        ids, tracked = tracker.update(boxes)
        distance = np.array([[1 - iou(t, b) for b in tracked] for t in true_boxes]).reshape(len(true_ids), len(ids))
        accumulator.update(true_ids, ids, np.where(distance <= 0.5, distance, np.nan))
    names = ["mota", "num_switches", "num_false_positives", "num_misses"]
    return motmetrics.metrics.create().compute(accumulator, metrics=names).iloc[0].to_dict()


def run(tracker: Sort | TextbookSort, detections: list[np.ndarray]) -> float:
    """Frames per second."""
    start = time.perf_counter()
    for _ in range(REPEATS):
        tracker.reset()
        for boxes in detections:
            tracker.update(boxes)
    return REPEATS * len(detections) / (time.perf_counter() - start)


def agreement(detections: list[np.ndarray]) -> dict[str, Any]:
    ours, textbook = Sort(), TextbookSort()
    pairs = [(ours.update(boxes), textbook.update(boxes)) for boxes in detections]
    same = all(np.array_equal(a[0], b[0]) for a, b in pairs)
    return {
        "same_ids": same,
        "largest_box_difference_px": max(np.abs(a[1] - b[1]).max(initial=0) for a, b in pairs) if same else None,
    }


def profile(detections: list[np.ndarray]) -> dict[str, list[str]]:
    """Rows of cProfile: calls, own and cumulative microseconds a frame, function; the profiler's cost included."""
    profiler = cProfile.Profile()
    profiler.runcall(run, Sort(), detections)
    frames = REPEATS * len(detections)
    rows = [
        (own, cumulative, f"{calls:7d} {own * 1e6 / frames:7.2f} {cumulative * 1e6 / frames:7.2f} {label(*function)}")
        for function, (_, calls, own, cumulative, _) in pstats.Stats(profiler).stats.items()
    ]
    return {
        "columns": ["calls", "own us/frame", "cumulative us/frame", "function"],
        "by_own_time": [text for _, _, text in sorted(rows, key=lambda r: -r[0])[:PROFILE_ROWS]],
        "by_cumulative_time": [text for _, _, text in sorted(rows, key=lambda r: -r[1])[:PROFILE_ROWS]],
    }


def label(path: str, line: int, function: str) -> str:
    if path == "~":
        return function
    inside = Path(path).is_relative_to(ROOT)
    return f"{Path(path).relative_to(ROOT) if inside else Path(path).name}:{line}({function})"


def main() -> None:
    folder = data_folder() / "mot" / "TUD-Campus"
    _, detections = read_mot(folder / "det.txt")
    truth = list(zip(*read_mot(folder / "gt.txt"), strict=True))
    trackers = {"har_virtual": Sort(), "textbook": TextbookSort()}
    speeds: dict[str, list[float]] = {name: [] for name in trackers}
    for _ in range(ROUNDS):
        for name, tracker in trackers.items():
            speeds[name].append(run(tracker, detections))
    fastest = {name: max(rounds) for name, rounds in speeds.items()}
    results = {
        "frames": len(detections),
        "detections": sum(map(len, detections)),
        "frames_per_second": {name: {"fastest": fastest[name], "rounds": speeds[name]} for name in trackers},
        "ratio": fastest["har_virtual"] / fastest["textbook"],
        "agreement": agreement(detections),
        "scores": {name: score(tracker, detections, truth) for name, tracker in trackers.items()},
        "mota_first_detection_uncounted": score(TextbookSort(0), detections, truth)["mota"],
        "profile": profile(detections),
    }
    write_result("speed_sort", PROTOCOL, results)


if __name__ == "__main__":
    main()
