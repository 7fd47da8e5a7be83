"""The parts of a calibration curve: real windows drawn, a map fitted on them, and a yardstick that stays the same."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone

from har_virtual.adaptation import RankDistributionMapper, js_divergence, ks_distance
from har_virtual.adaptation._embedding import Embedding, RowsOf, make_embed
from har_virtual.adaptation.distances import median_distance, mmd_of_rows, take_part
from har_virtual.adaptation.frechet import Gaussian, Shrinkage, fit_gaussian, gaussian_distance
from har_virtual.checks import check_positive
from har_virtual.exceptions import DataFormatError, DataWarning
from har_virtual.model_selection.budget import LabelBudget, keep_budget, make_budget
from har_virtual.windows.window_set import WindowSet


class Study(NamedTuple):
    """The two domains, and the mapper to clone."""

    real: np.ndarray
    virtual: np.ndarray
    y_real: np.ndarray
    y_virtual: np.ndarray
    subjects: np.ndarray
    mapper: RankDistributionMapper

    @classmethod
    def of(cls, windows: WindowSet, mapper: RankDistributionMapper) -> Study:
        """Take the domains apart."""
        if windows.y is None:
            raise DataFormatError("The windows have no labels, which the seconds of each class are counted by.")
        virtual = windows.sample_domain == 1
        if virtual.all() or not virtual.any():
            raise DataFormatError(
                f"Real and virtual windows are needed in one WindowSet; {virtual.sum()} of {len(virtual)} are virtual."
            )
        X, y = windows.X, windows.y
        return cls(X[~virtual], X[virtual], y[~virtual], y[virtual], windows.groups[~virtual], mapper)

    def mapped(self, rows: np.ndarray) -> tuple[np.ndarray, list[Any]]:
        """Give the virtual windows, mapped by means of some real rows, and the classes without a map of their own."""
        mapper = clone(self.mapper)
        domain = np.repeat([0, 1], [len(rows), len(self.virtual)])
        with warnings.catch_warnings():
            # Said once for all fits.
            warnings.simplefilter("ignore", DataWarning)
            moved = mapper.fit_transform(
                np.concatenate([self.real[rows], self.virtual]),
                np.concatenate([self.y_real[rows], self.y_virtual]),
                sample_domain=domain,
            )
        return moved[len(rows) :], mapper.fallback_classes_

    def draw(self, budget: LabelBudget, seed: int) -> np.ndarray:
        """Draw real rows; a smaller budget's are among a larger one's."""
        rows = np.arange(len(self.real))
        rng = np.random.default_rng(seed)
        return keep_budget(rows, self.y_real, self.subjects, budget.n_windows, rng, max_block=budget.max_block)


class Yardstick(NamedTuple):
    """All that is the same for every comparison with the real windows."""

    embed: RowsOf
    shrinkage: Shrinkage
    gaussian: Gaussian
    real_part: np.ndarray
    virtual_part: np.ndarray
    embedded_part: np.ndarray
    bandwidth: float

    @classmethod
    def of(
        cls, study: Study, embedding: Embedding, shrinkage: Shrinkage, max_windows: int, rng: np.random.Generator
    ) -> Yardstick:
        """Embed the real windows, and draw those that KS, JS and MMD look at."""
        embed = make_embed(embedding, study.real)
        rows = embed(study.real)
        real_part, virtual_part = (
            take_part(np.arange(len(side)), max_windows, rng) for side in (study.real, study.virtual)
        )
        part = rows[real_part]
        # Of the real windows alone, so that it does not shrink as virtual ones come near.
        bandwidth = median_distance(part)
        return cls(
            embed, shrinkage, fit_gaussian(rows, shrinkage), study.real[real_part], virtual_part, part, bandwidth
        )

    def measure(self, virtual: np.ndarray) -> dict[str, float]:
        """Give the distances of virtual windows to all real ones, by name."""
        rows, part = self.embed(virtual), virtual[self.virtual_part]
        return {
            "frechet": gaussian_distance(self.gaussian, fit_gaussian(rows, self.shrinkage)),
            "ks": float(ks_distance(self.real_part, part).mean()),
            "js": float(js_divergence(self.real_part, part).mean()),
            "mmd": mmd_of_rows(self.embedded_part, rows[self.virtual_part], self.bandwidth),
        }


def make_mapper(mapper: RankDistributionMapper | None, per_class: bool) -> RankDistributionMapper:
    """Clone the mapper; `DataFormatError` if it would move real windows."""
    template = RankDistributionMapper() if mapper is None else mapper
    if not isinstance(template, RankDistributionMapper) or template.direction != "virtual_to_real":
        raise DataFormatError(
            'mapper must be a RankDistributionMapper(direction="virtual_to_real"), which leaves real windows alone, '
            f"not {mapper!r}."
        )
    return clone(template).set_params(per_class=per_class)


def make_budgets(
    windows: WindowSet, seconds: Sequence[float], shortage: str, max_block_s: float | None
) -> list[LabelBudget]:
    """Give the budgets, ascending, after a look whether the largest can be met."""
    if "window_step_s" not in windows.attrs:
        raise DataFormatError(
            'The seconds of real data need windows.attrs["window_step_s"], from one window\'s start to the next '
            "one's, as segment_recordings leaves it."
        )
    durations = sorted(check_positive("seconds", value) for value in np.ravel(np.asarray(seconds, dtype=object)))
    if not durations or len(set(durations)) < len(durations):
        raise DataFormatError(f"seconds must be durations, each given once, not {list(seconds)}.")
    step_s = float(windows.attrs["window_step_s"])
    budgets = [b for value in durations if (b := make_budget(value, step_s, shortage, max_block_s)) is not None]
    _check_enough(windows, budgets[-1])
    return budgets


def _check_enough(windows: WindowSet, budget: LabelBudget) -> None:
    if budget.shortage == "keep_all" or windows.y is None:
        return
    for label, count in zip(*np.unique(windows.y[windows.sample_domain == 0], return_counts=True), strict=True):
        if count < budget.n_windows:
            raise DataFormatError(
                f"Class {label} has {count * budget.window_step_s:g} s of real data ({count} windows), less than the "
                f"longest of seconds, {budget.seconds:g} ({budget.n_windows} windows): leave that duration or the "
                "class out, or set shortage='keep_all'."
            )
