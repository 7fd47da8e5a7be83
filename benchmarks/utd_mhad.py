"""What virtual data are worth on UTD-MHAD: real to real, virtual to real in its variants, and mixed.

`python benchmarks/utd_mhad.py` takes about half an hour on two cores and writes results/utd_mhad.json;
`--part table|budgets|why` runs one part and keeps the others' results.
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from _common import RESULTS, data_folder, write_result
from joblib import Parallel, delayed
from scipy.spatial.transform import Rotation
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import Pipeline

from har_virtual import Recording, WindowSet, segment_recordings
from har_virtual.adaptation import DomainSelector, RankDistributionMapper, SensorAligner
from har_virtual.datasets import load_utd_mhad
from har_virtual.evaluation import OutOfFold, bootstrap_interval, macro_f1, paired_difference, predict_out_of_fold
from har_virtual.exceptions import DataWarning
from har_virtual.features import ECDFFeatures, NormChannels
from har_virtual.model_selection import LeaveOneSubjectOut

WINDOW_S, STEP_S = 1.0, 0.5
BUDGETS, DRAWS = (3, 6, 12, 25, 50), 10
METHODS: dict[str, dict[str, Any]] = {
    "R2R": {"train_on": "real"},
    "Mix2R, aligned, mapped": {"train_on": "both", "align": {}, "per_class": False},
    "Mix2R, aligned, mapped per class": {"train_on": "both", "align": {}, "per_class": True},
}
PROTOCOL = """
UTD-MHAD, subjects 1-6, right wrist, 21 actions (thigh: 6), windows of 1 s with half overlap at 50 Hz, ECDF of 15
components and mean, random forest of 50 trees (seed 0), nothing tuned to a score; the loader's low-pass (2.5 Hz) and
expected lag were chosen by the correlation of norms on these six subjects. Leave-one-subject-out: test rows are the
real windows of one subject; training rows, real and virtual, are those of the five others, and everything fitted
(rotation, map, forest) sees these only. V2R trains the forest on virtual windows alone; real_rows_used and
real_labels_used say what the rotation and the map took from the training subjects' real windows (beyond that, a
virtual stream has the duration and the lag of the real one of the same trial, since skeleton and sensor have no common
clock; no label is involved). macro_f1 is pooled over all test windows; low and high are the 95 % bootstrap interval
over the six subjects; differences are paired over subjects, those of rows with norms against R2R with norms. Norms
across the segment are taken about the sensor's x, or, "in the segment's frame", after real windows are turned into it.
Channels are the accelerometer's unless "gyr" is said. Budgets: 3 to 50 real windows a class are drawn before every fit
(10 draws, the same for all methods), as runs of consecutive windows of one subject and class, or as single windows
scattered over all; all virtual windows of the training subjects stay; macro_f1, interval and difference are of the
predictions of all draws together, subjects being resampled.
"""


def model(train_on: str, *, align: dict | None = None, per_class: bool | None = None, norms: bool = False) -> Pipeline:
    """One recogniser; None leaves a step out."""
    forest = RandomForestClassifier(50, random_state=0)
    steps = [
        ("align", "passthrough" if align is None else SensorAligner(**align)),
        ("norms", NormChannels() if norms else "passthrough"),
        ("map", "passthrough" if per_class is None else RankDistributionMapper(per_class=per_class)),
        ("ecdf", ECDFFeatures(n_components=15)),
        ("clf", DomainSelector(forest, train_on=train_on)),
    ]
    return Pipeline(steps)


def configurations() -> Iterator[tuple[str, dict[str, Any]]]:
    """The rows of the table: DESIGN's four variants of V2R first."""
    own = {"per_subject": True}
    yield "R2R", {"train_on": "real"}
    yield "R2R, norms", {"train_on": "real", "norms": True}
    yield "V2R, none", {"train_on": "virtual"}
    yield "V2R, unlabelled (global map)", {"train_on": "virtual", "per_class": False}
    yield "V2R, aligned", {"train_on": "virtual", "align": {}}
    yield "V2R, aligned, mapped per class", {"train_on": "virtual", "align": {}, "per_class": True}
    for name, align in {"": {}, ", per subject": own}.items():
        for norms in (False, True):
            for domain, short in {"virtual": "V2R", "both": "Mix2R"}.items():
                for per_class in (False, True):
                    label = f"{short}, aligned{name}, mapped{' per class' if per_class else ''}"
                    label += ", norms" if norms else ""
                    yield label, {"train_on": domain, "align": align, "per_class": per_class, "norms": norms}
    # Real windows turned into the frame of the segment, where x is its axis.
    for name, align in {"": {}, " per subject": own}.items():
        align = align | {"direction": "real_to_virtual"}
        shared = {"align": align, "norms": True}
        yield f"R2R, norms in the segment's frame{name}", {"train_on": "real"} | shared
        for domain, short in {"virtual": "V2R", "both": "Mix2R"}.items():
            yield (
                f"{short}, mapped, norms in the segment's frame{name}",
                {"train_on": domain, "per_class": False} | shared,
            )
            label = f"{short}, mapped per class, norms in the segment's frame{name}"
            yield label, {"train_on": domain, "per_class": True} | shared
    yield "V2R, aligned by means only, mapped", {"train_on": "virtual", "align": {"method": "mean"}, "per_class": False}


def run(
    windows: WindowSet, pipeline: Pipeline, *, cv: LeaveOneSubjectOut | None = None, keep: bool = False
) -> OutOfFold:
    with warnings.catch_warnings():
        # Classes that fall back to the global map, and sites that keep their frame, stand in the results.
        warnings.simplefilter("ignore", DataWarning)
        return predict_out_of_fold(
            pipeline,
            windows.X,
            windows.y,
            cv=cv or LeaveOneSubjectOut(),
            groups=windows.groups,
            sample_domain=windows.sample_domain,
            return_estimators=keep,
        )


def summary(result: OutOfFold) -> dict[str, float]:
    return {name: round(float(value), 4) for name, value in result.summary().items()}


def difference(better: Any, worse: Any) -> dict[str, float]:
    found = paired_difference(better, worse)
    low, high = found.interval.low, found.interval.high
    return {"difference": round(found.difference, 4), "low": round(low, 4), "high": round(high, 4)}


def fitted_rotations(result: OutOfFold) -> list[dict[str, Any]]:
    """Angle, rotation vector, confidence and gain of the common rotation in each fold, where one was fitted."""
    columns = ["angle_deg", "about_x_deg", "about_y_deg", "about_z_deg", "confidence", "gain_acc"]
    folds = []
    for held_out, fitted in zip(result.folds.held_out, result.estimators or (), strict=True):
        report = fitted["align"].report_
        common = report[report.subject == "all"].iloc[0]
        folds.append({"held_out": str(held_out)} | {name: round(float(common[name]), 2) for name in columns})
    return folds


def table(windows: dict[str, WindowSet]) -> dict[str, Any]:
    results: dict[str, Any] = {}
    for name, used in windows.items():
        chosen = dict(configurations())
        if name != "right_wrist acc":
            chosen = {label: settings for label, settings in chosen.items() if "means only" not in label}
            channels = list(used.channels)
            chosen = {
                label: settings | ({"align": settings["align"] | {"channels": channels}} if "align" in settings else {})
                for label, settings in chosen.items()
            }
        fitted = {
            label: run(used, model(**settings), keep="align" in settings and label == "V2R, aligned, mapped")
            for label, settings in chosen.items()
        }
        rows = {label: summary(result) for label, result in fitted.items()}
        for label, row in rows.items():
            baseline = "R2R, norms" if "norms" in label and not label.startswith("R2R") else "R2R"
            row["against"] = baseline
            row |= {f"against_{key}": value for key, value in difference(fitted[label], fitted[baseline]).items()}
        results[name] = {
            "n_real_windows": int(np.sum(used.sample_domain == 0)),
            "n_virtual_windows": int(used.sample_domain.sum()),
            "rows": rows,
            "rotations": fitted_rotations(fitted["V2R, aligned, mapped"]),
        }
        show(name, rows)
    return results


def show(title: str, rows: dict[str, dict]) -> None:
    print(f"\n{title}\n{pd.DataFrame(rows).T.to_string()}", flush=True)


def budgets(windows: WindowSet) -> dict[str, Any]:
    """Real windows a class cut before every fit: where virtual data help, and where they harm."""
    everything = reference_rotations(windows)
    # Whole runs are a stretch of one person or two; single windows come from all.
    kinds = {"runs": None, "single windows": STEP_S}
    results: dict[str, Any] = {}
    for kind, max_block_s in kinds.items():
        results[kind] = {}
        for budget in BUDGETS:
            jobs = [delayed(one_draw)(windows, budget, draw, max_block_s, everything) for draw in range(DRAWS)]
            results[kind][str(budget)] = summarise(Parallel(n_jobs=2)(jobs))
            show(f"{budget} real windows a class, {kind}", results[kind][str(budget)]["rows"])
    return results


def summarise(draws: list[dict[str, Any]]) -> dict[str, Any]:
    """One row a method; all draws of a subject stay together, so that only subjects are resampled."""
    together = {label: stacked([draw["predictions"][label] for draw in draws]) for label in METHODS}
    rows = {}
    for label, predictions in together.items():
        interval = bootstrap_interval(predictions)
        scores = [draw["macro_f1"][label] for draw in draws]
        rows[label] = {
            "macro_f1": round(macro_f1(*predictions[:2]), 4),
            "low": round(interval.low, 4),
            "high": round(interval.high, 4),
            "sd_over_draws": round(float(np.std(scores, ddof=1)), 4),
            "real_rows_used": draws[0]["real_rows_used"][label],
        }
        rows[label] |= {f"against_{key}": value for key, value in difference(predictions, together["R2R"]).items()}
    angles, confidence = (np.concatenate([draw[name] for draw in draws]) for name in ("angles", "confidence"))
    off = {"median_deg_off_all_data": round(float(np.median(angles)), 1), "min_confidence": float(confidence.min())}
    return {"rows": rows, "rotation": off}


def stacked(parts: list[tuple[np.ndarray, ...]]) -> tuple[np.ndarray, ...]:
    return tuple(np.concatenate(arrays) for arrays in zip(*parts, strict=True))


def one_draw(
    windows: WindowSet, budget: int, draw: int, max_block_s: float | None, everything: dict[str, np.ndarray]
) -> dict[str, Any]:
    cv = LeaveOneSubjectOut(
        real_seconds_per_class=budget * STEP_S, window_step_s=STEP_S, max_block_s=max_block_s, random_state=draw
    )
    fitted = {label: run(windows, model(**settings), cv=cv, keep=True) for label, settings in METHODS.items()}
    aligned = fitted["Mix2R, aligned, mapped"]
    reports = [estimator["align"].report_.iloc[0] for estimator in aligned.estimators]
    return {
        "predictions": {label: (r.y_true, r.y_pred, r.groups) for label, r in fitted.items()},
        "macro_f1": {label: result.macro_f1 for label, result in fitted.items()},
        "real_rows_used": {label: result.summary()["real_rows_used"] for label, result in fitted.items()},
        "angles": [
            angle_deg(vector_of(report), everything[str(held_out)])
            for report, held_out in zip(reports, aligned.folds.held_out, strict=True)
        ],
        "confidence": [float(report.confidence) for report in reports],
    }


def reference_rotations(windows: WindowSet) -> dict[str, np.ndarray]:
    """The rotation vector of each fold with all its real windows."""
    result = run(windows, model("virtual", align={}), keep=True)
    pairs = zip(result.folds.held_out, result.estimators, strict=True)
    return {str(held_out): vector_of(fitted["align"].report_.iloc[0]) for held_out, fitted in pairs}


def vector_of(report: pd.Series) -> np.ndarray:
    return report[["about_x_deg", "about_y_deg", "about_z_deg"]].to_numpy(dtype=float)


def angle_deg(one: np.ndarray, other: np.ndarray) -> float:
    first, second = (Rotation.from_rotvec(vector, degrees=True) for vector in (one, other))
    return float(np.degrees((first * second.inv()).magnitude()))


def why(recordings: list[Recording]) -> dict[str, Any]:
    """What the lag and a better twist could give, each by itself."""
    windows, without = cut(recordings, accelerometer(recordings)), load(max_lag_s=0.0)
    virtual = [recording for recording in recordings if recording.domain == "virtual"]
    lags = {
        "median_lag_s": float(np.median([recording.attrs["lag_s"] for recording in virtual])),
        "share_trusted": float(np.mean([recording.attrs["lag_trusted"] for recording in virtual])),
        "median_correlation_of_norm": norm_correlation(recordings),
        "median_correlation_of_norm_without_lag": norm_correlation(without),
        "windows_changed": windows_changed(windows, cut(without, accelerometer(without))),
        "reason": "windows are cut from each stream by itself, from its own start: a shift of the clock changes none",
    }
    settings = {
        "V2R, mapped": {"train_on": "virtual", "per_class": False},
        "Mix2R, mapped per class": {"train_on": "both", "per_class": True},
    }
    variants = {
        "aligned per subject": (windows, {"per_subject": True}),
        "aligned and twisted by synchronous real windows (an oracle, whose use of them is not counted)": (
            twisted_as_measured(windows),
            None,
        ),
    }
    twist = {
        name: {label: summary(run(used, model(align=align, **kept))) for label, kept in settings.items()}
        for name, (used, align) in variants.items()
    }
    for name, rows in twist.items():
        show(name, rows)
    confidence = confidence_of_few(windows)
    print(lags, pd.DataFrame(confidence), sep="\n")
    return {"lag": lags, "twist": twist, "confidence": confidence}


def windows_changed(one: WindowSet, other: WindowSet) -> int:
    """How many windows differ between the two."""
    return int((one.X != other.X).any(axis=(1, 2)).sum()) if one.X.shape == other.X.shape else -1


def confidence_of_few(windows: WindowSet, n_draws: int = 200) -> list[dict[str, float]]:
    """How far the rotation of two to five classes with three real windows each is off that of all, by confidence."""
    X, y, domain = windows.X, np.asarray(windows.y), windows.sample_domain
    everything = vector_of(SensorAligner().fit(X, y, sample_domain=domain).report_.iloc[0])
    rng, found = np.random.default_rng(0), []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        for _ in range(n_draws):
            classes = rng.choice(np.unique(y), size=rng.integers(2, 6), replace=False)
            real = [rng.choice(np.flatnonzero((y == label) & (domain == 0)), 3, replace=False) for label in classes]
            rows = np.concatenate([*real, np.flatnonzero(np.isin(y, classes) & (domain == 1))])
            report = SensorAligner().fit(X[rows], y[rows], sample_domain=domain[rows]).report_.iloc[0]
            found.append((float(report.confidence), angle_deg(vector_of(report), everything)))
    confidence, angles = np.array(found).T
    edges = [0.0, 0.5, 0.8, 0.95, 1.01]
    rows = []
    for low, high in pairwise(edges):
        inside = (confidence >= low) & (confidence < high)
        rows.append(
            {
                "from": low,
                "below": high,
                "draws": int(inside.sum()),
                "median_deg_off": round(float(np.median(angles[inside])), 1),
                "share_within_30_deg": round(float(np.mean(angles[inside] < 30)), 3),
            }
        )
    return rows


def norm_correlation(recordings: list[Recording]) -> float:
    """Median over trials of the correlation of |a| between the real and the virtual stream."""
    found = []
    virtual = {(r.subject, r.session): r for r in recordings if r.domain == "virtual"}
    for real in (recording for recording in recordings if recording.domain == "real"):
        partner = virtual.get((real.subject, real.session))
        if partner is not None:
            one, other = (np.linalg.norm(r.select(accelerometer([r])).data, axis=1) for r in (real, partner))
            other = np.interp(real.times_s, partner.times_s, other, left=np.nan, right=np.nan)
            both = np.isfinite(other)
            found.append(np.corrcoef(one[both], other[both])[0, 1])
    return float(np.median(found))


def twisted_as_measured(windows: WindowSet) -> WindowSet:
    """Align each subject by synchronous pairs, then turn each virtual window about the segment to the real one's mean.

    Nobody has this: it bounds what a perfect twist of the forearm could give.
    """
    X, domain = windows.X.copy(), windows.sample_domain
    keys = windows.metadata[["subject", "session"]].agg("/".join, axis=1).to_numpy()
    real_of = nearest_real(windows, keys)
    for subject in np.unique(windows.groups):
        rows = np.flatnonzero((domain == 1) & (windows.groups == subject) & (real_of >= 0))
        first, second = (X[index].reshape(-1, 3).astype(float) for index in (rows, real_of[rows]))
        rotation = Rotation.align_vectors(second, first)[0]
        X[rows] = rotation.apply(first).reshape(X[rows].shape)
        axis = rotation.apply([1.0, 0.0, 0.0])
        across = np.linalg.svd(axis[None])[2][1:]
        across[1] = np.cross(axis, across[0])
        turn = phase(X[real_of[rows]], across) - phase(X[rows], across)
        for row, angle in zip(rows, turn, strict=True):
            X[row] = Rotation.from_rotvec(angle * axis).apply(X[row])
    return WindowSet(X, windows.y, windows.metadata, windows.channels, windows.sampling_rate_hz)


def phase(X: np.ndarray, across: np.ndarray) -> np.ndarray:
    """Angle about the segment of each window's mean."""
    one, other = across @ X.mean(axis=1, dtype=float).T
    return np.arctan2(other, one)


def nearest_real(windows: WindowSet, keys: np.ndarray) -> np.ndarray:
    """For each virtual window the real one of the same trial that starts nearest; -1 elsewhere."""
    starts, domain = windows.metadata["start_s"].to_numpy(), windows.sample_domain
    found = np.full(len(windows), -1)
    for key in np.unique(keys):
        real, virtual = (np.flatnonzero((keys == key) & (domain == each)) for each in (0, 1))
        if len(real) and len(virtual):
            found[virtual] = real[np.argmin(np.abs(starts[virtual][:, None] - starts[real]), axis=1)]
    return found


def load(**options: Any) -> list[Recording]:
    return list(load_utd_mhad(data_folder() / "utd_mhad", n_jobs=2, **options))


def accelerometer(recordings: list[Recording]) -> list[str]:
    return [channel for channel in recordings[0].channels if "_acc_" in channel]


def cut(recordings: list[Recording], channels: list[str]) -> WindowSet:
    return segment_recordings(recordings, WINDOW_S, 1 - STEP_S / WINDOW_S, channels=channels)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=["table", "budgets", "why"], action="append")
    parts = parser.parse_args().part or ["table", "budgets", "why"]
    results: dict[str, Any] = {}
    wrist = load()
    windows = cut(wrist, accelerometer(wrist))
    if "table" in parts:
        thigh = load(sites="right_thigh")
        sets = {
            "right_wrist acc": windows,
            "right_wrist acc gyr": cut(wrist, list(wrist[0].channels)),
            "right_thigh acc": cut(thigh, accelerometer(thigh)),
        }
        results["table"] = table(sets)
    if "budgets" in parts:
        results["budgets"] = budgets(windows)
    if "why" in parts:
        results["why"] = why(wrist)
    path = RESULTS / "utd_mhad.json"
    before = json.loads(path.read_text())["results"] if path.exists() else {}
    print(write_result("utd_mhad", PROTOCOL, before | results, seed=0))


if __name__ == "__main__":
    main()
