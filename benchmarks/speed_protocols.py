"""How much time `evaluate` needs beside its forests, and what the plain pipelines need for the same.

    python benchmarks/speed_protocols.py

takes about a quarter of an hour on one core. The peer is `predict_out_of_fold` with the pipeline of each protocol, on a
tenth of the windows of everybody; `evaluate` runs on the same tenth, and must predict the same.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from _common import write_result
from sklearn.ensemble import RandomForestClassifier
from threadpoolctl import threadpool_limits

from har_virtual import WindowSet
from har_virtual.evaluation import PROTOCOLS, Evaluation, OutOfFold, evaluate, predict_out_of_fold
from har_virtual.features import ECDFFeatures
from har_virtual.model_selection import LeaveOneSubjectOut

N_WINDOWS, N_SAMPLES, N_CHANNELS, N_SUBJECTS, N_CLASSES = 200_000, 30, 21, 15, 8
SHARE_OF_THE_PLAIN_WAY, TARGET, SEED = 10, 1.2, 0
NAMES = ("R2R", "V2R mapped", "Mix2R mapped")
PROTOCOL = """
{n_windows:,} windows of 30 samples x 21 channels, float32, half of them real, half virtual; 15 subjects in both, 8
classes, drawn at random. A channel of a window is a posture plus a sine of random phase plus noise: posture, amplitude
and frequency by class, gain and posture's offset by subject, posture and amplitude by window; virtual windows are
stretched, shifted and smoother. R2R, V2R mapped and Mix2R mapped by evaluate, leave-one-subject-out, ECDF of 15
components and mean, forests of 5 trees with leaves of 50, nothing tuned, n_jobs=1, one thread. forests_s: sum of the
times inside fit and predict of the forests, of the same run. over_forests: wall time of evaluate over that sum; target
{target}. rest_s: the difference. peak_gib: highest resident memory of the process; before_gib: the same before
evaluate, when the windows, windows_gib, had been made. plain: predict_out_of_fold of Protocol.pipeline, one protocol
after another, on every {share}th window, and evaluate on the same ones. plain_over_evaluate: the one's wall time over
the other's; rest_over_rest: the same without the forests. same_predictions: share of the test windows for which both
predict the same class.
"""


class TimedForest(RandomForestClassifier):
    """A forest that adds up the time inside fit and predict, of all forests together."""

    seconds = 0.0

    def fit(self, *args: Any, **kwargs: Any) -> TimedForest:
        return self._timed(super().fit, *args, **kwargs)

    def predict(self, X: np.ndarray) -> np.ndarray:
        return self._timed(super().predict, X)

    @staticmethod
    def _timed(method: Callable, *args: Any, **kwargs: Any) -> Any:
        start = time.perf_counter()
        try:
            return method(*args, **kwargs)
        finally:
            TimedForest.seconds += time.perf_counter() - start


def make_windows(n_windows: int) -> WindowSet:
    """Windows of known structure, block by block to save memory."""
    rng = np.random.default_rng(SEED)
    by_class = {
        "posture": rng.normal(scale=5, size=(N_CLASSES, N_CHANNELS)),
        "amplitude": rng.gamma(2, 1.5, size=(N_CLASSES, N_CHANNELS)),
        "rate_hz": rng.uniform(0.5, 3, size=N_CLASSES),
    }
    by_subject = {
        "offset": rng.normal(scale=1.5, size=(N_SUBJECTS, N_CHANNELS)),
        "gain": rng.uniform(0.7, 1.3, size=(N_SUBJECTS, N_CHANNELS)),
    }
    y, subject = rng.integers(N_CLASSES, size=n_windows), rng.integers(N_SUBJECTS, size=n_windows)
    X = np.empty((n_windows, N_SAMPLES, N_CHANNELS), np.float32)
    for block in np.array_split(np.arange(n_windows), max(1, n_windows // 5000)):
        X[block] = draw_block(rng, by_class, by_subject, y[block], subject[block], virtual=block >= n_windows // 2)
    X.flags.writeable = False
    metadata = pd.DataFrame(
        {
            "subject": np.char.add("made/", (subject + 1).astype(str)),
            "domain": np.where(np.arange(n_windows) < n_windows // 2, "real", "virtual"),
        }
    ).assign(dataset="made", session="1", recording=0, start_s=0.0, stop_s=1.0)
    channels = [f"site{number}_acc_{axis}" for number in range(N_CHANNELS // 3) for axis in "xyz"]
    return WindowSet(X, y, metadata, channels, float(N_SAMPLES), {"window_step_s": 0.5})


def draw_block(
    rng: np.random.Generator, by_class: dict, by_subject: dict, y: np.ndarray, subject: np.ndarray, virtual: np.ndarray
) -> np.ndarray:
    """Windows of classes `y` by subjects `subject`, real or virtual."""
    shape = (len(y), 1, N_CHANNELS)
    level = (by_class["posture"][y] + by_subject["offset"][subject])[:, None] + rng.normal(scale=2, size=shape)
    amplitude = (by_class["amplitude"][y] * by_subject["gain"][subject])[:, None] * rng.lognormal(sigma=0.4, size=shape)
    times_s = np.arange(N_SAMPLES)[:, None] / N_SAMPLES
    phase = 2 * np.pi * (by_class["rate_hz"][y][:, None, None] * times_s + rng.random(shape))
    noise = np.where(virtual, 0.5, 1.0)[:, None, None] * rng.standard_normal((len(y), N_SAMPLES, N_CHANNELS))
    windows = level + amplitude * np.sin(phase) + noise
    windows[virtual] = 0.5 + 0.8 * windows[virtual]
    return windows.astype(np.float32)


def by_evaluate(windows: WindowSet) -> Evaluation:
    return evaluate(windows, NAMES, classifier=forest(), features=ECDFFeatures(n_components=15), n_jobs=1)


def by_pipelines(windows: WindowSet) -> dict[str, OutOfFold]:
    """Each protocol by itself, as scikit-learn has it."""
    return {
        name: predict_out_of_fold(
            PROTOCOLS[name].pipeline(
                forest(), features=ECDFFeatures(n_components=15), channels=windows.channels, random_state=0
            ),
            windows.X,
            windows.y,
            cv=LeaveOneSubjectOut(),
            groups=windows.groups,
            sample_domain=windows.sample_domain,
            n_jobs=1,
        )
        for name in NAMES
    }


def forest() -> TimedForest:
    return TimedForest(5, min_samples_leaf=50, random_state=SEED)


def timed(function: Callable[[WindowSet], Any], windows: WindowSet) -> tuple[Any, dict[str, float]]:
    """What it gives, and its wall time, that of its forests, and the ratio of both."""
    TimedForest.seconds = 0.0
    start = time.perf_counter()
    result = function(windows)
    wall_s = time.perf_counter() - start
    seconds = TimedForest.seconds
    return result, {
        "wall_s": round(wall_s, 2),
        "forests_s": round(seconds, 2),
        "over_forests": round(wall_s / seconds, 3),
        "rest_s": round(wall_s - seconds, 2),
    }


def peak_gib() -> float:
    """Highest resident memory so far; Linux counts in KiB."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2)


def measure(n_windows: int) -> dict[str, Any]:
    """All figures."""
    windows = make_windows(n_windows)
    before = peak_gib()
    evaluation, whole = timed(by_evaluate, windows)
    peak = peak_gib()
    few = windows[::SHARE_OF_THE_PLAIN_WAY]
    ours, of_evaluate = timed(by_evaluate, few)
    plain, of_pipelines = timed(by_pipelines, few)
    return {
        "evaluate": whole,
        "target": TARGET,
        "memory": {"windows_gib": round(windows.X.nbytes / 2**30, 2), "before_gib": before, "peak_gib": peak},
        "macro_f1": {name: round(evaluation[name].macro_f1, 4) for name in NAMES},
        "plain": {
            "n_windows": len(few),
            "evaluate": of_evaluate,
            "pipelines": of_pipelines,
            "plain_over_evaluate": round(of_pipelines["wall_s"] / of_evaluate["wall_s"], 2),
            "rest_over_rest": round(of_pipelines["rest_s"] / of_evaluate["rest_s"], 2),
            "same_predictions": {
                name: round(float(np.mean(ours[name].y_pred == plain[name].y_pred)), 5) for name in NAMES
            },
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n-windows", type=int, default=N_WINDOWS, help="fewer to try it out; then nothing is kept")
    n_windows = parser.parse_args().n_windows
    with threadpool_limits(1):
        results = measure(n_windows)
    print(results)
    if n_windows == N_WINDOWS:
        protocol = PROTOCOL.format(n_windows=n_windows, target=TARGET, share=SHARE_OF_THE_PLAIN_WAY)
        write_result("speed_protocols", protocol, results, seed=SEED)


if __name__ == "__main__":
    main()
