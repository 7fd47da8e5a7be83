"""Draws of a curve: the same protocols, evaluated with one budget after another and one seed after another."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from har_virtual.checks import check_count
from har_virtual.evaluation._folds import show_progress
from har_virtual.evaluation.experiment import Settings, evaluate_bank, split, with_classifier
from har_virtual.evaluation.feature_bank import FeatureBank
from har_virtual.evaluation.protocols import Protocol
from har_virtual.windows import WindowSet


class Draw(NamedTuple):
    """What one draw gives at one budget."""

    y_pred: list[np.ndarray]
    """Of each protocol, as positions among the labels."""
    amounts: list[dict[str, float]]
    """Of each protocol, averaged over the folds."""
    rows: np.ndarray
    how: Mapping[str, Any]
    caught: list[tuple[type[Warning], str]]


def run_draws(
    bank: FeatureBank,
    protocols: Sequence[Protocol],
    budgets: Sequence[float],
    settings: Settings,
    n_draws: int,
    n_jobs: int | None,
    verbose: int,
) -> dict[tuple[float, int], Draw]:
    """Evaluate each budget in each draw, by budget and seed."""
    check_count("n_draws", n_draws, 1)
    seeds = np.random.default_rng(settings.random_state).integers(2**31, size=n_draws).tolist()
    # The largest budget first, so that what is too little data is found before anything is fitted.
    keys = list(product(sorted(budgets, reverse=True), seeds))
    # One draw after the other: its folds run in threads, which share the bank, and warnings are caught by one thread.
    draws = {
        (seconds, seed): _draw(bank, protocols, settings, seconds, seed, n_jobs)
        for seconds, seed in show_progress(keys, len(keys), verbose, "draw")
    }
    _reissue([draw.caught for draw in draws.values()])
    return draws


def _draw(
    bank: FeatureBank,
    protocols: Sequence[Protocol],
    settings: Settings,
    seconds: float,
    seed: int,
    n_jobs: int | None,
) -> Draw:
    settings = with_classifier(settings._replace(real_seconds_per_class=seconds, random_state=seed))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        evaluation = evaluate_bank(bank, protocols, settings, n_jobs=n_jobs)
    classes = np.unique(np.asarray(bank.windows.y))
    results = [evaluation[protocol.name] for protocol in protocols]
    return Draw(
        [np.searchsorted(classes, result.y_pred).astype(np.int32) for result in results],
        [
            counts | result.folds[["real_rows_used", "real_labels_used"]].mean().to_dict()
            for counts, result in zip(_count_training(bank.windows, protocols, settings), results, strict=True)
        ],
        results[0].rows,
        evaluation.how,
        [(entry.category, str(entry.message)) for entry in caught],
    )


def _count_training(windows: WindowSet, protocols: Sequence[Protocol], settings: Settings) -> list[dict[str, float]]:
    """Count the real and virtual windows that train the classifier, by protocol, averaged over folds."""
    y, virtual = np.asarray(windows.y), windows.sample_domain == 1
    folds = split(windows, settings)
    counts = []
    for protocol in protocols:
        selector = protocol.select(settings.classifier, settings.random_state)
        chosen = [virtual[fold.train][selector.choose_rows(y[fold.train], virtual[fold.train])] for fold in folds]
        n_real, n_virtual = (float(np.mean([(side == of_fold).sum() for of_fold in chosen])) for side in (False, True))
        counts.append({"n_real": n_real, "n_virtual": n_virtual})
    return counts


def _reissue(caught: Sequence[Sequence[tuple[type[Warning], str]]]) -> None:
    """Warn once of each kind of warning, with the number of evaluations that gave some."""
    for category in dict.fromkeys(category for entries in caught for category, _ in entries):
        texts = [[text for own, text in entries if own is category] for entries in caught]
        n_warned, first = sum(map(bool, texts)), next(entries[0] for entries in texts if entries)
        warnings.warn(
            f"{n_warned} of the curve's {len(caught)} evaluations warned (all texts: how['warnings']), first: {first}",
            category,
            stacklevel=4,
        )
