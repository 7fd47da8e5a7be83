"""What leaks would have reported on UTD-MHAD, beside the right figures.

`python benchmarks/leaks.py` takes about a quarter of an hour on one core and writes results/leaks.json; `--part NAME`,
which can be repeated, runs one part and keeps the others' results.
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from _common import RESULTS, write_result
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, ParameterGrid, cross_val_predict
from utd_mhad import STEP_S, accelerometer, cut, difference, load, model, run, stacked

from har_virtual import WindowSet
from har_virtual.adaptation import RankDistributionMapper, SensorAligner
from har_virtual.evaluation import OutOfFold, bootstrap_interval, macro_f1, per_subject_f1, predict_out_of_fold
from har_virtual.exceptions import DataWarning
from har_virtual.features import ECDFFeatures
from har_virtual.model_selection import LeaveOneSubjectOut

BUDGETS, DRAWS, N_SEEDS = (3, 6, 12), 5, 20
GRID = {"min_samples_leaf": [1, 3, 10], "max_features": [2, "sqrt"]}
PROTOCOL = """
UTD-MHAD, subjects 1-6, right wrist, accelerometer, 21 actions, windows of 1 s with half overlap at 50 Hz, ECDF of 15
components and mean, random forest of 50 trees (seed 0). In each part one protocol is right, and each wrong one differs
from it by one leak; all are scored on the same 2,782 real windows. macro_f1 is pooled over them, low and high are its
95 % bootstrap interval over the six subjects, mean and sd are over the subjects' own macro-F1. too_high is wrong less
right, paired over subjects, with its own 95 % interval: above 0 the leak flatters. Six subjects make these intervals
coarse. "everything" is all rows, those of the test subject included; V2R trains the forest on virtual rows alone, Mix2R
on both. Budgets: 5 draws, the same for both protocols, pooled; where intervals draw subjects, all draws of one go
together.
"""

Labels = tuple[np.ndarray, np.ndarray, np.ndarray]
"""True labels, predictions and subjects of the test windows."""
Folds = list[tuple[np.ndarray, np.ndarray]]


def part(right: str, found: dict[str, Labels], **more: Any) -> dict[str, Any]:
    """Score each protocol, and say by how much it differs from the right one."""
    rows = {label: scores(labels) for label, labels in found.items()}
    for label, row in rows.items():
        if label != right:
            row["too_high"] = difference(found[label], found[right])
    print(pd.json_normalize(list(rows.values())).assign(label=list(rows)).set_index("label").to_string(), flush=True)
    return {"right": right, "rows": rows, **more}


def scores(labels: Labels) -> dict[str, Any]:
    interval, subjects = bootstrap_interval(labels), per_subject_f1(*labels)
    figures = {
        "macro_f1": macro_f1(*labels[:2]),
        "low": interval.low,
        "high": interval.high,
        "mean_over_subjects": subjects.mean(),
        "sd_over_subjects": subjects.std(ddof=1),
    }
    return {name: round(float(value), 6) for name, value in figures.items()}


def labels_of(result: OutOfFold) -> Labels:
    return result.y_true, result.y_pred, result.groups


def folds_of(windows: WindowSet, **budget: Any) -> Folds:
    cv = LeaveOneSubjectOut(**budget)
    return list(cv.split(windows.X, windows.y, windows.groups, sample_domain=windows.sample_domain))


def by_fold(windows: WindowSet, folds: Folds, predict: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Labels:
    """Predict the test rows of each fold, and put them in order."""
    predicted = np.empty_like(windows.y)
    for train, test in folds:
        predicted[test] = predict(train, test)
    rows = np.sort(np.concatenate([test for _, test in folds]))
    return windows.y[rows], predicted[rows], windows.groups[rows]


def recognise(
    windows: WindowSet,
    train: np.ndarray,
    test: np.ndarray,
    *,
    train_on: str,
    per_class: bool,
    align_on: np.ndarray | None = None,
    map_on: np.ndarray | None = None,
) -> np.ndarray:
    """The pipeline taken apart: rotation and map fitted on rows of their own, by default the training rows."""
    X, y, domain = windows.X, windows.y, windows.sample_domain
    align_on, map_on = (train if rows is None else rows for rows in (align_on, map_on))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        aligner = SensorAligner().fit(X[align_on], y[align_on], sample_domain=domain[align_on])
        X = aligner.transform(X, sample_domain=domain)
        mapper = RankDistributionMapper(per_class=per_class)
        X[map_on] = mapper.fit_transform(X[map_on], y[map_on], sample_domain=domain[map_on])
    trained = train[domain[train] == 1] if train_on == "virtual" else train
    return train_and_predict(X, y, trained, test)


def train_and_predict(X: np.ndarray, y: np.ndarray, train: np.ndarray, test: np.ndarray) -> np.ndarray:
    features = ECDFFeatures(n_components=15).transform(X)
    return RandomForestClassifier(50, random_state=0).fit(features[train], y[train]).predict(features[test])


def overlapping_windows(windows: WindowSet) -> dict[str, Any]:
    """Shuffled K-fold knows the other half of each window, K-fold over trials the person."""
    real = windows[windows.sample_domain == 0]
    recogniser, trials = model("real"), real.metadata["recording"].to_numpy()

    def k_fold(cv: Any, **given: Any) -> Labels:
        return real.y, cross_val_predict(recogniser, real.X, real.y, cv=cv, **given), real.groups

    shuffled = {"shuffle": True, "random_state": 0}
    found = {
        "leave one subject out": labels_of(run(windows, recogniser)),
        "K-fold over trials": k_fold(GroupKFold(6, **shuffled), groups=trials),
        "K-fold over windows": k_fold(KFold(6, **shuffled)),
    }
    return part("leave one subject out", found)


def adapted_in_advance(windows: WindowSet) -> dict[str, Any]:
    """Rotation and map fitted on rows of the test subject, too, or on no other real rows."""
    variants = {"V2R": "virtual", "Mix2R": "both"}
    return {
        f"{short}, aligned, mapped{' per class' if per_class else ''}": _adapted(windows, train_on, per_class)
        for short, train_on in variants.items()
        for per_class in (False, True)
    }


def _adapted(windows: WindowSet, train_on: str, per_class: bool) -> dict[str, Any]:
    everything, domain = np.arange(len(windows)), windows.sample_domain

    def scored(**fitted_on: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Labels:
        def predict(train: np.ndarray, test: np.ndarray) -> np.ndarray:
            rows = {name: choose(train, test) for name, choose in fitted_on.items()}
            return recognise(windows, train, test, train_on=train_on, per_class=per_class, **rows)

        return by_fold(windows, folds_of(windows), predict)

    def all_rows(*_: np.ndarray) -> np.ndarray:
        return everything

    def own_real_rows(train: np.ndarray, test: np.ndarray) -> np.ndarray:
        return np.union1d(train[domain[train] == 1], test)

    found = {
        "in the fold": labels_of(run(windows, model(train_on, align={}, per_class=per_class))),
        "rotation on everything": scored(align_on=all_rows),
        "map on everything": scored(map_on=all_rows),
        "both on everything": scored(align_on=all_rows, map_on=all_rows),
    }
    assert np.array_equal(found["in the fold"][1], scored()[1]), "taken apart the pipeline gives the same"
    if train_on == "virtual":
        found["rotation on the test subject's real rows alone"] = scored(align_on=own_real_rows)
        found["map on the test subject's real rows alone"] = scored(map_on=own_real_rows)
    return part("in the fold", found)


def map_of_test_rows(windows: WindowSet) -> dict[str, Any]:
    """Test rows moved to the virtual distribution: all by one map, or each by that of its true class."""
    X, y, domain = windows.X, windows.y, windows.sample_domain

    def predict(train: np.ndarray, test: np.ndarray, *, with_test_labels: bool) -> np.ndarray:
        aligned = SensorAligner().fit(X[train], y[train], sample_domain=domain[train])
        moved = aligned.transform(X, sample_domain=domain)
        mapper = RankDistributionMapper(per_class=with_test_labels, direction="real_to_virtual")
        if with_test_labels:
            both = np.union1d(train, test)
            moved[both] = mapper.fit_transform(moved[both], y[both], sample_domain=domain[both])
        else:
            mapper.fit(moved[train], sample_domain=domain[train])
            moved[test] = mapper.transform(moved[test], sample_domain=domain[test])
        return train_and_predict(moved, y, train[domain[train] == 1], test)

    folds = folds_of(windows)
    found = {
        "one map, from the training rows": by_fold(windows, folds, partial(predict, with_test_labels=False)),
        "a map for each class, by the test labels": by_fold(windows, folds, partial(predict, with_test_labels=True)),
    }
    return part("one map, from the training rows", found)


def virtual_rows_of_the_test_subject(windows: WindowSet) -> dict[str, Any]:
    """The test subject is held out in the real rows only."""
    groups, virtual = windows.groups, windows.sample_domain == 1
    methods = {
        "V2R, aligned, mapped": ("virtual", False),
        "V2R, aligned, mapped per class": ("virtual", True),
        "Mix2R, aligned, mapped per class": ("both", True),
    }

    def predict(train: np.ndarray, test: np.ndarray, *, train_on: str, per_class: bool) -> np.ndarray:
        own = np.flatnonzero(virtual & np.isin(groups, groups[test]))
        return recognise(windows, np.union1d(train, own), test, train_on=train_on, per_class=per_class)

    results = {}
    for name, (train_on, per_class) in methods.items():
        right = run(windows, model(train_on, align={}, per_class=per_class))
        leaking = by_fold(windows, folds_of(windows), partial(predict, train_on=train_on, per_class=per_class))
        results[name] = part("held out", {"held out": labels_of(right), "in training": leaking})
    return results


def late_budget(windows: WindowSet) -> dict[str, Any]:
    """A budget of real rows for the forest only, and for everything that is fitted."""
    methods = {"Mix2R, aligned, mapped": False, "Mix2R, aligned, mapped per class": True}
    results: dict[str, Any] = {name: {} for name in methods}
    for budget in BUDGETS:
        for name, per_class in methods.items():
            draws = [_one_draw(windows, budget, draw, per_class) for draw in range(DRAWS)]
            together = {label: stacked([draw[label] for draw in draws]) for label in draws[0]}
            print(f"\n{name}, {budget} real windows a class")
            of_draws = {label: [pooled(draw[label]) for draw in draws] for label in together}
            results[name][str(budget)] = part("before every fit", together, macro_f1_of_draws=of_draws)
    return results


def _one_draw(windows: WindowSet, budget: int, draw: int, per_class: bool) -> dict[str, Labels]:
    few = folds_of(windows, real_seconds_per_class=budget * STEP_S, window_step_s=STEP_S, random_state=draw)
    all_rows = {tuple(test): train for train, test in folds_of(windows)}

    def late(train: np.ndarray, test: np.ndarray) -> np.ndarray:
        rows = all_rows[tuple(test)]
        return recognise(windows, train, test, train_on="both", per_class=per_class, align_on=rows, map_on=rows)

    early = partial(recognise, windows, train_on="both", per_class=per_class)
    return {
        "before every fit": by_fold(windows, few, early),
        "for the forest only": by_fold(windows, few, late),
    }


def choice_on_the_test_subjects(windows: WindowSet) -> dict[str, Any]:
    """Settings chosen by the scores that are then reported, and by those of the training subjects."""
    real = windows[windows.sample_domain == 0]
    X, who = (
        ECDFFeatures(n_components=15).transform(real.X),
        {"groups": real.groups, "sample_domain": real.sample_domain},
    )

    def predict(estimator: Any) -> Labels:
        return labels_of(predict_out_of_fold(estimator, X, real.y, cv=LeaveOneSubjectOut(), **who))

    plain = RandomForestClassifier(50, random_state=0)
    settings = [predict(clone(plain).set_params(**chosen)) for chosen in ParameterGrid(GRID)]
    seeds = [predict(clone(plain).set_params(random_state=seed)) for seed in range(N_SEEDS)]
    nested = GridSearchCV(plain, GRID, cv=LeaveOneSubjectOut(), scoring="f1_macro")
    found = {
        "chosen on the training subjects": predict(nested),
        "chosen on all test subjects": max(settings, key=mean_over_subjects),
        "chosen on each test subject": best_of_each_subject(settings),
    }
    seeded = {"seed 0": predict(plain), f"best of {N_SEEDS} seeds": max(seeds, key=mean_over_subjects)}
    return {
        "settings": part("chosen on the training subjects", found, grid=GRID),
        "seeds": part("seed 0", seeded, macro_f1_of_seeds=[pooled(each) for each in seeds]),
    }


def pooled(labels: Labels) -> float:
    return round(macro_f1(*labels[:2]), 4)


def mean_over_subjects(labels: Labels) -> float:
    return float(per_subject_f1(*labels).mean())


def best_of_each_subject(results: list[Labels]) -> Labels:
    """For each subject the predictions that do best on this subject."""
    y_true, predicted, groups = (array.copy() for array in results[0])
    for subject in np.unique(groups):
        own = groups == subject
        predicted[own] = max((each[1][own] for each in results), key=partial(macro_f1, y_true[own]))
    return y_true, predicted, groups


PARTS = {
    measure.__name__: measure
    for measure in (
        overlapping_windows,
        adapted_in_advance,
        map_of_test_rows,
        virtual_rows_of_the_test_subject,
        late_budget,
        choice_on_the_test_subjects,
    )
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=list(PARTS), action="append")
    names = parser.parse_args().part or list(PARTS)
    path = RESULTS / "leaks.json"
    results = json.loads(path.read_text())["results"] if path.exists() else {}
    recordings = load()
    windows = cut(recordings, accelerometer(recordings))
    for name in names:
        print(f"\n== {name}", flush=True)
        results[name] = PARTS[name](windows)
    print(write_result("leaks", PROTOCOL, {name: results[name] for name in PARTS if name in results}, seed=0))


if __name__ == "__main__":
    main()
