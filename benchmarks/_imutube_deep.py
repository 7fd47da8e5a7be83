"""IMUTube's deep models: the DeepConvLSTM halves of tables 1 to 3, table 6 and figure 7, each with three seeds.

With the paper's data: its people, network and grid. Elsewhere everybody is tested in turn and the next one in order
validates, so that there are intervals over people, and the network is smaller, for data of a hundredth of the paper's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import _imutube_published as published
import numpy as np
import pandas as pd
from _imutube_parts import SEED, Options, draw, has_virtual, holds_out, records, row_of, show
from _tasks import Task
from sklearn.base import BaseEstimator
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import Pipeline

from har_virtual.adaptation import DomainSelector
from har_virtual.augmentation import um_augmentations
from har_virtual.evaluation import (
    PROTOCOLS,
    Evaluation,
    LearningCurveDisplay,
    Protocol,
    SeededEvaluations,
    evaluate_seeds,
    learning_curve,
)
from har_virtual.exceptions import DataFormatError
from har_virtual.models import ConvAutoencoderFeatures, DeepConvLSTMClassifier, PretrainOnVirtual
from har_virtual.windows import WindowSet

RECOGNISED = (
    *("R2R", "V2R mapped", "V2R aligned, mapped per class"),
    *("Mix2R mapped", "Mix2R aligned, mapped per class"),
)
PRETRAINED = {
    protocol.name: protocol
    for protocol in (
        Protocol("TL none", "both"),
        Protocol("TL mapped", "both", map="global"),
        Protocol("TL aligned, mapped", "both", align=True, map="global"),
    )
}
"""Pretrained on virtual windows that are adapted so, then fine-tuned on the real ones."""

SOME_LABELS = Protocol("TL mapped, some labels", "both", map="global")
NEW_TO_FILMS = ("vacuum_cleaning", "ironing", "cycling")
"""Of PAMAP2's 11 classes those which the 8, the labels of the last row of table 6, lack."""

AUTOENCODER, AUTOENCODER_VIRTUAL = "autoencoder real", "autoencoder virtual"
STOP = {"monitor": "f1"}
"""The validating person's macro-F1 stops training, as it chooses from a grid: by the lowest loss, networks that learn
from scratch are stopped long before they know what they can, most of all with few windows."""

SMALL = {"n_filters": 32, "lstm_size": 64, "lr": 3e-3}
FEW_ROWS = {"max_epochs": 120, "patience": 25}
"""Fine-tuning of figure 7: a hundred windows are one step an epoch, and from scratch it takes some thirty steps."""

TRIAL = {"n_filters": 2, "lstm_size": 2, "max_epochs": 1, "patience": 1}


@dataclass(frozen=True)
class Training:
    """How the networks of a task are trained.

    Attributes
    ----------
    network, autoencoder : mapping
        Parameters of the estimators, where they are not the default ones.
    grid : mapping or None
        What the validating person chooses.
    pretraining : mapping
        What is different while a network learns from virtual windows.
    seeds : tuple of int
    """

    network: Mapping[str, Any]
    autoencoder: Mapping[str, Any]
    grid: Mapping[str, Sequence[Any]] | None
    pretraining: Mapping[str, Any] = field(default_factory=dict)
    seeds: tuple[int, ...] = (0, 1, 2)

    def classifier(self, **changes: Any) -> DeepConvLSTMClassifier:
        return DeepConvLSTMClassifier(**{**self.network, **changes})

    def pretrained(self, **changes: Any) -> PretrainOnVirtual:
        """Give the network that begins on virtual windows; changes hold for fine-tuning only."""
        own = self.classifier().get_params()
        before = {name: own[name] for name in changes} | dict(self.pretraining)
        return PretrainOnVirtual(self.classifier(**changes), pretrain_params=before)

    def tune(self, prefix: str = "") -> dict[str, Sequence[Any]] | None:
        return None if self.grid is None else {prefix + name: values for name, values in self.grid.items()}


def training(task: Task, options: Options) -> Training:
    """Give the paper's training with its data or where asked for, else one for small data."""
    channels = windows_of(task).channels
    if options.quick:
        grid = {"lr": (1e-3, 1e-2)} if options.deep_as_paper else None
        return Training(TRIAL | {"channels": channels}, {"n_filters": (2, 2), "max_epochs": 1}, grid, seeds=(0,))
    if task.published is None and not options.deep_as_paper:
        autoencoder = {"n_filters": (16, 32, 64, 128), "max_epochs": 10, "patience": 3}
        return Training(STOP | SMALL | {"channels": channels}, autoencoder, None, {"max_epochs": 15})
    grid = {
        "lr": (1e-6, 1e-5, 1e-4, 1e-3),
        "weight_decay": (1e-4, 1e-3),
        "augment": (None, um_augmentations(p=0.5, channels=channels)),
    }
    return Training(STOP | {"channels": channels}, {}, grid)


def windows_of(task: Task) -> WindowSet:
    return task.windows if task.deep is None else task.deep


@contextmanager
def one_thread_a_fold(options: Options, n_folds: int) -> Iterator[int]:
    """Give how many folds run at a time; what is left of the cores is torch's."""
    import torch

    before, at_a_time = torch.get_num_threads(), min(options.n_jobs, n_folds)
    torch.set_num_threads(max(1, options.n_jobs // at_a_time))
    try:
        yield at_a_time
    finally:
        torch.set_num_threads(before)


def split_of(task: Task) -> dict[str, Any]:
    """Hold out the paper's people, where they are there."""
    return {"hold_out": task.hold_out} if holds_out(task) else {}


def seeded(
    task: Task,
    options: Options,
    protocols: Mapping[str, Protocol],
    classifier: BaseEstimator,
    tune: Mapping[str, Sequence[Any]] | None = None,
    windows: WindowSet | None = None,
) -> dict[str, SeededEvaluations]:
    """Evaluate each protocol with each seed; what this call of the script did before is not done again."""
    windows = windows_of(task) if windows is None else windows
    for name, protocol in protocols.items():
        if (task.name, name) not in options.done:
            n_folds = 1 if split_of(task) else len(np.unique(windows.groups[windows.sample_domain == 0]))
            with one_thread_a_fold(options, n_folds) as at_a_time:
                options.done[task.name, name] = evaluate_seeds(
                    windows,
                    replace(protocol, name=name),
                    seeds=training(task, options).seeds,
                    classifier=classifier,
                    features="passthrough",
                    tune=tune,
                    shortage="keep_all",
                    n_jobs=at_a_time,
                    **split_of(task),
                )
            print(f"  {task.name}: {options.done[task.name, name]!r}", flush=True)
    return {name: options.done[task.name, name] for name in protocols}


def beside(runs: Mapping[str, SeededEvaluations]) -> SeededEvaluations:
    """Put evaluations of one protocol each, by its name, of the same folds and seeds, side by side."""
    first = next(iter(runs.values()))
    how = dict(first.how) | {key: {name: run.how[key] for name, run in runs.items()} for key in ("classifier", "tuned")}
    how["protocols"] = {name: run.how["protocols"][name] for name, run in runs.items()}
    return SeededEvaluations(
        {
            seed: Evaluation({name: run[seed][name] for name, run in runs.items()}, pd.DataFrame(), first[seed].how)
            for seed in first
        },
        how,
    )


def scores(parts: Mapping[str, SeededEvaluations], task: Task, baseline: str = "R2R") -> dict[str, Any]:
    """Give what stands in a result: figures over seeds, and what the validating people chose."""
    runs = beside(parts)
    table = runs.table(baseline)
    shown = [name for name in ("macro_f1", "sd_over_seeds", "low", "high", "difference") if name in table]
    show(f"{task.title}, DeepConvLSTM", table[shown])
    found = {"table": records(table), "by_seed": records(runs.scores()), "how": dict(runs.how)}
    if any(runs.how["tuned"].values()):
        found["chosen"] = {
            f"{name}, seed {seed}": records(each[name].folds[["held_out", "validated", "validation_f1", "params"]])
            for seed, each in runs.evaluations.items()
            for name in each
        }
    return found


def notes(task: Task) -> dict[str, Any]:
    windows = windows_of(task)
    n_virtual = int(windows.sample_domain.sum())
    return {"windows": {"real": len(windows) - n_virtual, "virtual": n_virtual}, "notes": task.deep_notes}


def recognise_deep(task: Task, options: Options) -> dict[str, Any]:
    """Tables 1b, 2b, 3b: R2R, V2R and Mix2R of DeepConvLSTM on raw windows."""
    names = [name for name in RECOGNISED if has_virtual(task) or name == "R2R"]
    if options.paper_only:
        names = [name for name in names if name in published.PROTOCOL_NAMES]
    return scores(recognised(task, options, names), task) | notes(task)


def recognised(task: Task, options: Options, names: Sequence[str]) -> dict[str, SeededEvaluations]:
    given = training(task, options)
    return seeded(task, options, {name: PROTOCOLS[name] for name in names}, given.classifier(), given.tune())


def transfer_learning(task: Task, options: Options) -> dict[str, Any]:
    """Table 6: DeepConvLSTM pretrained on virtual windows or not; forests on an autoencoder of real or virtual ones."""
    if not has_virtual(task):
        raise DataFormatError(f"{task.title} has no virtual windows to begin with.")
    given = training(task, options)
    begun, tune = given.pretrained(), given.tune("estimator__")
    kept = ("TL mapped",) if options.paper_only else tuple(PRETRAINED)
    supervised = (
        recognised(task, options, ["R2R"])
        | seeded(task, options, {name: PRETRAINED[name] for name in kept}, begun, tune)
        | seeded(task, options, {SOME_LABELS.name: SOME_LABELS}, begun, tune, some_labels(task))
    )
    found = {
        "supervised": scores(supervised, task),
        "unsupervised": scores(described(task, options, given), task, AUTOENCODER),
        "paper": published.CLAIMS["table6, unsupervised"],
    }
    draw(options, f"table6_{task.name}", lambda: draw_scores(found, task.title))
    return found | notes(task)


def some_labels(task: Task) -> WindowSet:
    """Leave virtual windows of some classes out: the 3 of PAMAP2's 11 that are not among the 8, else every other."""
    windows = windows_of(task)
    labels = np.unique(windows.y)
    gone = np.intersect1d(labels, NEW_TO_FILMS) if task.published == "pamap2-11" else labels[1::2]
    return windows[(windows.sample_domain == 0) | ~np.isin(windows.y, gone)]


def described(task: Task, options: Options, given: Training) -> dict[str, SeededEvaluations]:
    """Train autoencoders on real or virtual windows, and forests on what they make of the real ones."""
    protocols = {AUTOENCODER: Protocol(AUTOENCODER, "real"), AUTOENCODER_VIRTUAL: Protocol(AUTOENCODER_VIRTUAL, "both")}
    return {
        name: seeded(task, options, {name: protocol}, forest_on_autoencoder(name.split()[1], given))[name]
        for name, protocol in protocols.items()
    }


def forest_on_autoencoder(train_on: str, given: Training) -> Pipeline:
    features = ConvAutoencoderFeatures(train_on=train_on, channels=given.network["channels"], **given.autoencoder)
    return Pipeline([("features", features), ("forest", DomainSelector(RandomForestClassifier(50), train_on="real"))])


def fine_tune(task: Task, options: Options) -> dict[str, Any]:
    """Figure 7: R2R and pretrained networks over the real seconds that they are fine-tuned on."""
    if not has_virtual(task):
        raise DataFormatError(f"{task.title} has no virtual windows to begin with.")
    given, windows = training(task, options), windows_of(task)
    names = [] if task.published is None else ["TL mapped"]
    if not (names and options.paper_only):
        names.append("TL aligned, mapped")
    n_folds = 1 if split_of(task) else len(np.unique(windows.groups[windows.sample_domain == 0]))
    with one_thread_a_fold(options, n_folds) as at_a_time:
        curve = learning_curve(
            windows,
            task.deep_budgets_s or task.budgets_s,
            ["R2R", *(PRETRAINED[name] for name in names)],
            virtual_ratio=None,
            n_draws=len(given.seeds),
            classifier=given.pretrained() if options.quick else given.pretrained(**FEW_ROWS),
            features="passthrough",
            # Single windows, where the forests have them.
            max_block_s=None if task.max_block_s is None else windows.attrs["window_step_s"],
            shortage="keep_all",
            random_state=SEED,
            n_jobs=at_a_time,
            **split_of(task),
        )
    draw(options, f"figure7_{task.name}", lambda: LearningCurveDisplay.from_curve(curve))
    show(f"{task.title}, figure 7", curve.to_frame())
    found = {"curve": records(curve.to_frame()), "verdict": records(curve.verdict()), "how": dict(curve.how)}
    return found | notes(task) | {"paper": published.CLAIMS["figure7"]}


def draw_scores(found: Mapping[str, Any], title: str) -> Any:
    """Draw both halves of table 6: scores with their intervals over people."""
    from matplotlib.figure import Figure

    rows = [row for half in ("supervised", "unsupervised") for row in found[half]["table"]]
    figure = Figure(figsize=(5.2, 0.6 + 0.3 * len(rows)), layout="constrained", facecolor="white")
    ax = figure.subplots()
    for place, row in enumerate(rows):
        if row["low"] is not None:
            ax.plot([row["low"], row["high"]], [place, place], color="0.6", linewidth=2.5)
        ax.plot(row["macro_f1"], place, "o", color="#0072B2")
    ax.set_yticks(range(len(rows)), [row["protocol"] for row in rows])
    ax.invert_yaxis()
    ax.set_xlabel("macro-F1")
    ax.set_title(title, fontsize="medium", loc="left")
    ax.spines[["top", "right"]].set_visible(False)
    return SimpleNamespace(figure_=figure)


DEEP_PARTS: dict[str, Callable[[Task, Options], dict[str, Any]]] = {
    "deep": recognise_deep,
    "table6": transfer_learning,
    "figure7": fine_tune,
}


def deep_against_paper(results: Mapping[str, Any], columns: Mapping[str, str | None]) -> list[dict[str, Any]]:
    """One row a task and line of tables 1b to 3b and 6: ours, beside the paper's, which is its best on the test set."""
    rows = []
    for task, column in columns.items():
        table = [
            *results.get("deep", {}).get(task, {}).get("table", []),
            *results.get("table6", {}).get(task, {}).get("supervised", {}).get("table", []),
        ]
        theirs = published.DEEP_RECOGNITION.get(column or "", {}) | published.DEEP_TRANSFER.get(column or "", {})
        for name, paper_name in published.DEEP_NAMES.items():
            ours, paper = row_of(table, name), theirs.get(paper_name)
            if ours:
                figures = ("macro_f1", "sd_over_seeds", "low", "high", "wilson_low", "wilson_high")
                rows.append(
                    {"task": task, "protocol": name}
                    | {figure: ours[figure] for figure in figures}
                    | {"paper": paper and paper.f1, "paper_half": paper and paper.half}
                )
    return rows
