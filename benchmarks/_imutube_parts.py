"""IMUTube's tables and figures, one function each: from a task to plain values and, if asked for, a picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import _imutube_published as published
import numpy as np
import pandas as pd
from _imutube_data import Traces, shorten
from _tasks import Task, TransferSets

from har_virtual.adaptation import RankDistributionMapper, SensorAligner
from har_virtual.evaluation import (
    FOREST_GRID,
    PROTOCOLS,
    ConfusionDisplay,
    Evaluation,
    FrechetDisplay,
    LearningCurveDisplay,
    PerClassF1Display,
    RatioDisplay,
    TraceDisplay,
    calibration_curve,
    evaluate,
    learning_curve,
    ratio_curve,
    transfer,
)
from har_virtual.exceptions import DataFormatError

SEED, RATIOS = 0, (0, 1, 2, 5, 10)
PAPER = tuple(published.PROTOCOL_NAMES)
DRAWN = (*PAPER, "V2R aligned, mapped per class", "Mix2R aligned, mapped per class")
QUICK_GRID = {"n_estimators": (3, 10), "min_samples_leaf": (1, 5)}


@dataclass(frozen=True)
class Options:
    """How much is run."""

    n_jobs: int = 2
    quick: bool = False
    paper_only: bool = False
    tune_curves: bool = False
    figures: Path | None = None
    deep_as_paper: bool = False
    done: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)
    """Evaluations of networks, of which more than one part has the figures."""

    @property
    def grid(self) -> dict[str, Sequence[int]]:
        return QUICK_GRID if self.quick else dict(FOREST_GRID)

    @property
    def n_draws(self) -> int:
        return 2 if self.quick else 10

    @property
    def n_draws_v2r(self) -> int:
        return 1 if self.quick else 3

    def protocols(self, task: Task) -> tuple[str, ...]:
        """Give what a task can run: without virtual windows only R2R."""
        if not has_virtual(task):
            return ("R2R",)
        return PAPER if self.paper_only else tuple(PROTOCOLS)

    def described(self) -> dict[str, Any]:
        return {
            "n_draws": self.n_draws,
            "n_draws_v2r": self.n_draws_v2r,
            "grid": {name: list(values) for name, values in self.grid.items()},
            "curves_tuned": self.tune_curves,
            "deep_as_paper": self.deep_as_paper,
            "quick": self.quick,
        }

    def curve(self, task: Task) -> dict[str, Any]:
        """Give the options of every curve over amounts of data."""
        return {
            "max_block_s": task.max_block_s,
            "shortage": "keep_all",
            "random_state": SEED,
            "n_jobs": self.n_jobs,
            "tune": self.grid if self.tune_curves else None,
        }


def has_virtual(task: Task) -> bool:
    return bool(task.windows.sample_domain.any())


def recognise(task: Task, options: Options) -> dict[str, Any]:
    """Tables 1a, 2a, 3a: R2R, V2R and Mix2R on all data."""
    common = {"shortage": "keep_all", "random_state": SEED, "n_jobs": options.n_jobs}
    protocols = options.protocols(task)
    n_subjects = len(np.unique(task.windows.groups[task.windows.sample_domain == 0]))
    found: dict[str, Any] = {"amounts": None}
    if n_subjects > 2:
        validated = evaluate(task.windows, protocols, tune=options.grid, **common)
        found["validated"] = scores(validated, task, "validated", options)
    fixed = evaluate(task.windows, protocols, **common)
    found["fixed"] = scores(fixed, task, "fixed", options)
    found["amounts"] = records(fixed.amounts)
    if task.hold_out is not None and holds_out(task):
        one = evaluate(task.windows, protocols, hold_out=task.hold_out, tune=options.grid, **common)
        found["hold_out"] = scores(one, task, "hold_out", options)
    return found


def holds_out(task: Task) -> bool:
    """Tell whether the paper's subjects are there."""
    there = set(task.windows.groups[task.windows.sample_domain == 0].tolist())
    return task.hold_out is not None and {task.hold_out.validation, task.hold_out.test} < there


def scores(evaluation: Evaluation, task: Task, name: str, options: Options) -> dict[str, Any]:
    """Give what stands in a result of an evaluation, and draw it."""
    show(f"{task.title}, {name}", evaluation.table()[["macro_f1", "low", "high", "wilson_low", "wilson_high"]])
    drawn = [protocol for protocol in DRAWN if protocol in evaluation.results]
    draw(options, f"per_class_{task.name}_{name}", lambda: PerClassF1Display.from_evaluation(evaluation, drawn))
    for protocol in PAPER if name == "fixed" else ():
        if protocol in evaluation.results:
            result, file = evaluation[protocol], f"confusion_{task.name}_{protocol.replace(' ', '_')}"
            draw(options, file, lambda result=result: ConfusionDisplay.from_result(result))
    found = {
        "table": records(evaluation.table()),
        "per_class": records(evaluation.per_class()),
        "how": dict(evaluation.how),
    }
    if evaluation.how["tuned"] is not None:
        found["chosen"] = {
            each: records(evaluation[each].folds[["held_out", "validated", "validation_f1", "params"]])
            for each in evaluation
        }
    return found


def learn(task: Task, options: Options) -> dict[str, Any]:
    """Figure 6: real seconds per class, as much virtual data as real; and V2R, mapped by so much."""
    mixed = ("R2R", "Mix2R mapped") if has_virtual(task) else ("R2R",)
    if has_virtual(task) and not options.paper_only:
        mixed += ("Mix2R aligned, mapped per class",)
    curve = learning_curve(
        task.windows, task.budgets_s, mixed, virtual_ratio=1.0, n_draws=options.n_draws, **options.curve(task)
    )
    draw(options, f"figure6_{task.name}", lambda: LearningCurveDisplay.from_curve(curve))
    found = {"curve": records(curve.to_frame()), "verdict": records(curve.verdict()), "how": dict(curve.how)}
    show(f"{task.title}, figure 6", curve.to_frame())
    if has_virtual(task):
        v2r = learning_curve(
            task.windows, task.budgets_s, ("R2R", "V2R mapped"), n_draws=options.n_draws_v2r, **options.curve(task)
        ).to_frame()
        found["v2r"] = records(v2r[v2r.protocol == "V2R mapped"])
    return found


def mix(task: Task, options: Options) -> dict[str, Any]:
    """Table 5: a fixed amount of real data, and more and more virtual data."""
    if not has_virtual(task):
        raise DataFormatError(f"{task.title} has no virtual windows to mix in.")
    ratios = RATIOS[:2] if options.quick else RATIOS
    curve, aligned = (
        ratio_curve(
            task.windows,
            ratios,
            protocol,
            real_seconds_per_class=task.ratio_s,
            n_draws=options.n_draws,
            **options.curve(task),
        )
        for protocol in ("Mix2R mapped", "Mix2R aligned, mapped per class")
    )
    beside = published.ratio_frame().query("data == @task.published").rename(columns={"f1": "macro_f1"})
    given = None if beside.empty else beside
    draw(options, f"table5_{task.name}", lambda: RatioDisplay.from_curve(curve, published=given))
    frame = curve.to_frame()
    show(f"{task.title}, table 5, {task.ratio_s:g} real seconds per class", frame)
    paper = published.RATIOS.get(task.published or "", {})
    rows = [row | {"paper": paper[row["ratio"]].f1 if row["ratio"] in paper else None} for row in records(frame)]
    return {
        "curve": rows,
        "verdict": records(curve.verdict()),
        "aligned": {"curve": records(aligned.to_frame()), "verdict": records(aligned.verdict())},
        "how": dict(curve.how),
    }


def budgets(task: Task, options: Options) -> dict[str, Any]:
    """Few labels, all virtual data: whole runs, as somebody labels who labels a recording, and single windows."""
    if not has_virtual(task):
        raise DataFormatError(f"{task.title} has no virtual windows to add.")
    protocols = ("R2R", "Mix2R aligned, mapped", "Mix2R aligned, mapped per class")
    found: dict[str, Any] = {}
    for kind, max_block_s in {"runs": None, "single windows": task.step_s}.items():
        curve = learning_curve(
            task.windows,
            task.budgets_s[:4],
            protocols,
            virtual_ratio=None,
            n_draws=options.n_draws,
            **options.curve(task) | {"max_block_s": max_block_s, "tune": None},
        )
        draw(options, f"budgets_{task.name}_{kind}", lambda curve=curve: LearningCurveDisplay.from_curve(curve))
        show(f"{task.title}, all virtual data beside few real, {kind}", curve.verdict())
        found[kind] = {"curve": records(curve.to_frame()), "verdict": records(curve.verdict()), "how": dict(curve.how)}
    return found


def calibrate(task: Task, options: Options) -> dict[str, Any]:
    """Figure 5: how near mapped virtual windows are to real ones, over the real data that the map took."""
    if not has_virtual(task):
        raise DataFormatError(f"{task.title} has no virtual windows to map.")
    curve = calibration_curve(
        task.windows,
        task.budgets_s,
        n_seeds=options.n_draws,
        max_block_s=task.max_block_s,
        shortage="keep_all",
        random_state=SEED,
        n_jobs=options.n_jobs,
    )
    draw(options, f"figure5_{task.name}", lambda: FrechetDisplay.from_curve(curve))
    show(f"{task.title}, figure 5", curve.summary())
    return {
        "curve": records(curve.frame),
        "summary": records(curve.summary()),
        "all_real": plain(curve.all_real.to_dict()),
        "unmapped": plain(curve.unmapped.to_dict()),
        "how": dict(curve.how),
        "paper": published.CLAIMS["figure5"],
    }


def transfer_from(name: str, sets: TransferSets, options: Options) -> dict[str, Any]:
    """Table 4: other data sets train, the target's people are tested."""
    target, sources = sets.target, dict(sets.sources)
    if options.quick:
        target, sources = shorten(target), {key: shorten(windows) for key, windows in sources.items()}
    name_of_target = name.partition(" ")[0]
    result = transfer(sources, target, target_name=name_of_target, random_state=SEED, n_jobs=options.n_jobs)
    frame = result.to_frame()
    show(f"{name}, table 4: {', '.join(result.classes)}", frame[["source", "mapping", "macro_f1", "low", "high"]])
    paper = published.TRANSFER if name_of_target == "opportunity" else {}
    columns = {"none": "without mapping", "R2R": "without mapping", "mapped": "with mapping"}
    rows = [
        row | {"paper": paper.get(row["source"], {}).get(columns.get(row["mapping"], ""), (None,))[0]}
        for row in records(frame)
    ]
    return {
        "table": rows,
        "classes": list(result.classes),
        "dropped": records(result.dropped),
        "notes": sets.notes,
        "how": dict(result.how),
    }


def compare_traces(pair: Traces, options: Options) -> dict[str, Any]:
    """Figure 4: one take, real and virtual, channel by channel."""
    adapted = {"raw": pair.virtual, "mapped": adapt(pair, align=False), "aligned, mapped": adapt(pair, align=True)}
    rows = [
        {"channel": channel, "virtual": name, **agreement(pair.real, virtual, channel)}
        for name, virtual in adapted.items()
        for channel in pair.real.channels
    ]
    show(f"{pair.name}, figure 4: {pair.notes}", pd.DataFrame(rows))
    shown = adapted["aligned, mapped"]
    file = f"figure4_{pair.name.replace('/', '_')}"
    draw(
        options,
        file,
        lambda: TraceDisplay.from_recordings(pair.real, shown, labels=("real", "virtual, aligned, mapped")),
    )
    return {"rows": rows, "notes": pair.notes, "seconds": pair.real.duration_s, "paper": published.CLAIMS["figure4"]}


def adapt(pair: Traces, *, align: bool) -> Any:
    """Fit rotation and map on the others' windows, and move the virtual take, cut into windows as theirs."""
    others, length = pair.others, pair.others.X.shape[1]
    n_windows = -(-len(pair.virtual) // length)
    rows = np.minimum(np.arange(n_windows * length), len(pair.virtual) - 1)
    moved = pair.virtual.data[rows].reshape(n_windows, length, -1)
    fitted, virtual = others.X, np.ones(n_windows, dtype=int)
    if align:
        aligner = SensorAligner(channels=others.channels)
        fitted = aligner.fit_transform(fitted, others.y, sample_domain=others.sample_domain, groups=others.groups)
        moved = aligner.transform(moved, sample_domain=virtual)
    mapper = RankDistributionMapper().fit(fitted, sample_domain=others.sample_domain)
    moved = mapper.transform(moved, sample_domain=virtual)
    return pair.virtual.replace(data=moved.reshape(n_windows * length, -1)[: len(pair.virtual)])


def agreement(real: Any, virtual: Any, channel: str) -> dict[str, float]:
    """Give correlation and error of a channel, and the lag within half a second at which they correlate best."""
    one, other = (recording.select([channel]).data[:, 0].astype(float) for recording in (real, virtual))
    n = min(len(one), len(other))
    furthest = min(round(0.5 * real.sampling_rate_hz), n // 3)
    found = {lag: correlation(one, other, lag) for lag in range(-furthest, furthest + 1)}
    best = max(found, key=lambda lag: found[lag])
    return {
        "r": round(found[0], 3),
        "rmse": round(float(np.sqrt(np.mean((one[:n] - other[:n]) ** 2))), 3),
        "best_lag_s": round(best / real.sampling_rate_hz, 3),
        "best_r": round(found[best], 3),
    }


def correlation(one: np.ndarray, other: np.ndarray, lag: int) -> float:
    """Correlate `one` with `other` that comes `lag` samples later; 0 where one of them stands still."""
    n = min(len(one), len(other)) - abs(lag)
    a, b = one[max(-lag, 0) :][:n], other[max(lag, 0) :][:n]
    return float(np.corrcoef(a, b)[0, 1]) if a.std() > 0 and b.std() > 0 else 0.0


TASK_PARTS: dict[str, Callable[[Task, Options], dict[str, Any]]] = {
    "tables1-3": recognise,
    "figure6": learn,
    "table5": mix,
    "figure5": calibrate,
    "budgets": budgets,
}


def against_paper(results: Mapping[str, Any], columns: Mapping[str, str | None]) -> list[dict[str, Any]]:
    """One row a task and protocol of the paper: the honest score, the best on the test set, and the paper's.

    `columns` has the tasks, each with its key in the published tables.
    """
    rows = []
    for task, column in columns.items():
        recognised, learned = (results.get(part, {}).get(task, {}) for part in ("tables1-3", "figure6"))
        for ours, theirs in published.PROTOCOL_NAMES.items():
            honest = row_of(recognised.get("validated", {}).get("table", []), ours)
            scored = [
                (row["macro_f1"], f"{kind}, all data")
                for kind in ("validated", "fixed")
                if (row := row_of(recognised.get(kind, {}).get("table", []), ours))
            ]
            scored += [
                (row["macro_f1"], f"{row['seconds']:g} s per class")
                for row in [*learned.get("curve", []), *learned.get("v2r", [])]
                if row["protocol"] == ours
            ]
            if not scored:
                continue
            best, where = max(scored)
            paper = published.RECOGNITION.get(column or "", {}).get(theirs)
            rows.append(
                {
                    "task": task,
                    "protocol": ours,
                    "validated": honest.get("macro_f1"),
                    **{name: honest.get(name) for name in ("low", "high", "wilson_low", "wilson_high")},
                    "best_on_test": best,
                    "best_on_test_at": where,
                    "paper_best_on_test": None if paper is None else paper.f1,
                    "paper_half": None if paper is None else paper.half,
                }
            )
    return rows


def row_of(table: list[dict[str, Any]], protocol: str) -> dict[str, Any]:
    return next((row for row in table if row["protocol"] == protocol), {})


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Give a table as plain values: its index as columns, rounded, None for what is missing."""
    named = [name for name in frame.index.names if name is not None]
    frame = frame.reset_index() if named or not isinstance(frame.index, pd.RangeIndex) else frame
    return [{str(key): plain(value) for key, value in row.items()} for row in frame.to_dict("records")]


def plain(value: Any) -> Any:
    if isinstance(value, (float, np.floating)):
        return round(float(value), 4) if np.isfinite(value) else None
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    return value


def show(title: str, frame: pd.DataFrame) -> None:
    with pd.option_context("display.width", 200, "display.max_columns", 30):
        print(f"\n{title}\n{frame.round(4).to_string()}", flush=True)


def draw(options: Options, name: str, make: Callable[[], Any]) -> None:
    """Save a display as a picture, if pictures were asked for."""
    if options.figures is None:
        return
    options.figures.mkdir(parents=True, exist_ok=True)
    display = make()
    figure = (display if hasattr(display, "figure_") else display.plot()).figure_
    figure.savefig(options.figures / f"{name}.png", dpi=130, bbox_inches="tight")
