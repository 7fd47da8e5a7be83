"""ECDF of many windows against a loop and the bare sort; TsfreshFeatures against extract_features."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
from _common import write_result

from har_virtual.features import ECDFFeatures, TsfreshFeatures
from har_virtual.features.tsfresh import QUICK_PARAMETERS

SHAPE = (20_000, 30, 21)
N_COMPONENTS = 15
ECDF_ROUNDS = 15
TSFRESH_WINDOWS = 60
TSFRESH_ROUNDS = 5
SEED = 0

PROTOCOL = f"""
Standard normal windows, float32, {SHAPE[0]:,} x {SHAPE[1]} x {SHAPE[2]}; one thread; {ECDF_ROUNDS} rounds, all
candidates in turn in each, after one round that does not count. Every ratio is the median over the rounds of the two
times of the same round; the ratio of the two fastest times stands beside it. har_virtual:
ECDFFeatures(n_components={N_COMPONENTS}).transform of the fitted estimator, validation included. loop: a function of
one window, called for each: np.sort(window, axis=0) at np.linspace's positions, window.mean(axis=0); as a function of
one window is written, it finds the positions itself. loop_positions_given: the same with positions found once and rows
written into one array. sort_axis_1: np.sort(X, axis=1) of the same array, the reference; sort_time_last: np.sort of a
contiguous (n, channels, samples) copy, made beforehand; sort_time_first: np.sort(axis=0) of a contiguous (samples, n,
channels) copy. equal_to_the_loop: every bit of the output, of both loops. tsfresh_quick: the first {TSFRESH_WINDOWS}
windows, float64, QUICK_PARAMETERS; {TSFRESH_ROUNDS} rounds in turn; extract_features in this process (n_jobs=0, no
progress bar), its table made beforehand.
"""


def ecdf(window: np.ndarray, n_components: int) -> np.ndarray:
    ordered = np.sort(window, axis=0)
    positions = np.around(np.linspace(0, len(window) - 1, n_components)).astype(int)
    return np.concatenate([ordered[positions].ravel(), window.mean(axis=0)])


def loop(windows: np.ndarray) -> np.ndarray:
    return np.array([ecdf(window, N_COMPONENTS) for window in windows])


def loop_positions_given(windows: np.ndarray) -> np.ndarray:
    n_windows, n_samples, n_channels = windows.shape
    positions = np.around(np.linspace(0, n_samples - 1, N_COMPONENTS)).astype(int)
    rows = np.empty((n_windows, (N_COMPONENTS + 1) * n_channels), windows.dtype)
    for row, window in zip(rows, windows, strict=True):
        row[:-n_channels] = np.sort(window, axis=0)[positions].ravel()
        row[-n_channels:] = window.mean(axis=0)
    return rows


def seconds(function: Callable[[], Any]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def in_turn(candidates: dict[str, Callable[[], Any]], rounds: int) -> dict[str, list[float]]:
    for function in candidates.values():
        function()
    turns = [{name: seconds(function) for name, function in candidates.items()} for _ in range(rounds)]
    return {name: [turn[name] for turn in turns] for name in candidates}


def ratio(over: list[float], under: list[float]) -> dict[str, float]:
    pairs = [a / b for a, b in zip(over, under, strict=True)]
    return {"median": round(median(pairs), 3), "of_fastest": round(min(over) / min(under), 3)}


def speeds(times: dict[str, list[float]], n_windows: int) -> dict[str, dict[str, Any]]:
    return {
        name: {
            "median_ms": round(1e3 * median(rounds), 2),
            "fastest_ms": round(1e3 * min(rounds), 2),
            "windows_per_second": round(n_windows / median(rounds)),
            "rounds_ms": [round(1e3 * s, 2) for s in rounds],
        }
        for name, rounds in times.items()
    }


def measure_ecdf(windows: np.ndarray) -> dict[str, Any]:
    features = ECDFFeatures(n_components=N_COMPONENTS).fit(windows)
    time_last = np.ascontiguousarray(windows.transpose(0, 2, 1))
    time_first = np.ascontiguousarray(windows.transpose(1, 0, 2))
    ours = features.transform(windows)
    equal = all(ours.tobytes() == peer(windows).tobytes() for peer in (loop, loop_positions_given))
    times = in_turn(
        {
            "har_virtual": lambda: features.transform(windows),
            "sort_axis_1": lambda: np.sort(windows, axis=1),
            "loop": lambda: loop(windows),
            "loop_positions_given": lambda: loop_positions_given(windows),
            "sort_time_last": lambda: np.sort(time_last, axis=-1),
            "sort_time_first": lambda: np.sort(time_first, axis=0),
        },
        ECDF_ROUNDS,
    )
    ours_s = times["har_virtual"]
    return {
        "equal_to_the_loop": equal,
        "loop_over_har_virtual": {name: ratio(times[name], ours_s) for name in ("loop", "loop_positions_given")},
        "har_virtual_over_sort": {name: ratio(ours_s, times[name]) for name in times if name.startswith("sort")},
        "times": speeds(times, len(windows)),
    }


def measure_tsfresh(windows: np.ndarray) -> dict[str, Any]:
    from tsfresh import extract_features

    n_windows, n_samples, n_channels = windows.shape
    names = [f"channel{number}" for number in range(n_channels)]
    table = pd.DataFrame(windows.reshape(-1, n_channels), columns=names)
    table["id"] = np.repeat(np.arange(n_windows), n_samples)
    features = TsfreshFeatures().fit(windows)

    def extract() -> pd.DataFrame:
        return extract_features(
            table, column_id="id", default_fc_parameters=QUICK_PARAMETERS, n_jobs=0, disable_progressbar=True
        )

    extracted, ours = extract(), features.transform(windows)
    times = in_turn({"har_virtual": lambda: features.transform(windows), "extract_features": extract}, TSFRESH_ROUNDS)
    return {
        "features_a_channel": ours.shape[1] // n_channels,
        "same_names": list(extracted.columns) == features.get_feature_names_out().tolist(),
        "largest_difference": float(np.abs(extracted.to_numpy() - ours).max()),
        "extract_features_over_har_virtual": ratio(times["extract_features"], times["har_virtual"]),
        "milliseconds_a_channel": round(1e3 * min(times["har_virtual"]) / (n_windows * n_channels), 3),
        "times": speeds(times, n_windows),
    }


def main() -> None:
    windows = np.random.default_rng(SEED).standard_normal(SHAPE, dtype=np.float32)
    results = {
        "ecdf": measure_ecdf(windows),
        "tsfresh_quick": measure_tsfresh(windows[:TSFRESH_WINDOWS].astype(np.float64)),
    }
    write_result("speed_features", PROTOCOL, results, SEED)


if __name__ == "__main__":
    main()
