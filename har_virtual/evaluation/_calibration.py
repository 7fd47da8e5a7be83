"""The parts of a calibration curve: real windows drawn, a map fitted on them, and a yardstick that stays the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from sklearn.base import clone

from har_virtual.adaptation import RankDistributionMapper, js_divergence, ks_distance
from har_virtual.adaptation._embedding import Embedding, make_embed
from har_virtual.adaptation._ranked import RankedTraining, RankedWindows
from har_virtual.adaptation.distances import median_distance, mmd_of_rows, take_part
from har_virtual.adaptation.frechet import Shrinkage, fit_gaussian, gaussian_distance
from har_virtual.checks import check_amounts, check_positive
from har_virtual.exceptions import DataFormatError
from har_virtual.features import ECDFFeatures
from har_virtual.model_selection.budget import LabelBudget, keep_budget, make_budget
from har_virtual.windows.window_set import WindowSet


class Study:
    """The real and the virtual windows, sorted once for all maps, and the mapper to clone.

    Beside the windows it holds two copies of them.
    """

    def __init__(self, windows: WindowSet, mapper: RankDistributionMapper, embedding: Embedding) -> None:
        if windows.y is None:
            raise DataFormatError("The windows have no labels, which the seconds of each class are counted by.")
        virtual = windows.sample_domain == 1
        if virtual.all() or not virtual.any():
            raise DataFormatError(
                f"Real and virtual windows are needed in one WindowSet; {virtual.sum()} of {len(virtual)} are virtual."
            )
        self.X, self.y, self.groups = windows.X, windows.y, windows.groups
        self.real, self.virtual = np.flatnonzero(~virtual), np.flatnonzero(virtual)
        self.mapper = mapper
        embedding = ECDFFeatures(n_components=15) if embedding is None else embedding
        self.embed = make_embed(embedding, self.X[self.real])
        self._ecdf = embedding if type(embedding) is ECDFFeatures else None
        self._ranked_real, self._ranked_virtual = (RankedWindows(self.X, rows) for rows in (self.real, self.virtual))

    def draw(self, budget: LabelBudget, seed: int) -> np.ndarray:
        """Draw real windows; a smaller budget's are among a larger one's.

        Returns
        -------
        ndarray of int
            Positions in `real`.
        """
        rows, y, groups = np.arange(len(self.real)), self.y[self.real], self.groups[self.real]
        rng = np.random.default_rng(seed)
        return keep_budget(rows, y, groups, budget.n_windows, rng, max_block=budget.max_block)

    def map(self, kept: np.ndarray) -> Mapped:
        """Map the virtual windows by means of some real ones, which `draw` gives."""
        places = np.concatenate([kept, np.arange(len(self.virtual))])
        is_virtual = np.repeat([False, True], [len(kept), len(self.virtual)])
        labels = np.concatenate([self.y[self.real[kept]], self.y[self.virtual]])
        training = RankedTraining(self._ranked_real, self._ranked_virtual, places, is_virtual, labels)
        mapper = training.fit(clone(self.mapper))
        if self._ecdf is None:
            rows = self.embed(self.move(mapper, self.virtual))
        else:
            rows = _describe(training, mapper, self._ecdf)
        return Mapped(mapper, rows)

    def move(self, mapper: RankDistributionMapper | None, rows: np.ndarray) -> np.ndarray:
        """Give some virtual windows as a mapper's fit_transform leaves them; as they are without one."""
        if mapper is None:
            return self.X[rows]
        return np.asarray(mapper._move(self.X[rows], mapper._training_parts(np.ones(len(rows), bool), self.y[rows])))


class Mapped(NamedTuple):
    """Embedded virtual windows, (n_windows, n_features), and the mapper that they went through, if any."""

    mapper: RankDistributionMapper | None
    rows: np.ndarray


def _describe(training: RankedTraining, mapper: RankDistributionMapper, ecdf: ECDFFeatures) -> np.ndarray:
    """Give the features of the mapped virtual windows, whose samples need no sorting any more."""
    numbers, channels = training.map(mapper, training.is_virtual)
    at = numbers - np.count_nonzero(~training.is_virtual)
    columns = np.empty((ecdf.n_components + 1, len(training.virtual.values), len(at)), np.float32)
    for channel, samples in enumerate(channels):
        columns[:, channel, at] = ecdf._describe_sorted(samples)
    return columns.reshape(-1, len(at)).T


class Yardstick:
    """All that is the same for every comparison with the real windows."""

    def __init__(self, study: Study, shrinkage: Shrinkage, max_windows: int, rng: np.random.Generator) -> None:
        self.study, self.shrinkage = study, shrinkage
        rows = study.embed(study.X[study.real])
        self.gaussian = fit_gaussian(rows, shrinkage)
        self.real_part, self.virtual_part = (
            take_part(np.arange(len(side)), max_windows, rng) for side in (study.real, study.virtual)
        )
        self._real_windows, self._real_rows = study.X[study.real[self.real_part]], rows[self.real_part]
        # Of the real windows alone, so that it does not shrink as virtual ones come near.
        self.bandwidth = median_distance(self._real_rows)

    def measure(self, mapped: Mapped) -> dict[str, float]:
        """Give the distances of virtual windows to all real ones, by name."""
        part = self.study.move(mapped.mapper, self.study.virtual[self.virtual_part])
        return {
            "frechet": gaussian_distance(self.gaussian, fit_gaussian(mapped.rows, self.shrinkage)),
            "ks": float(ks_distance(self._real_windows, part).mean()),
            "js": float(js_divergence(self._real_windows, part).mean()),
            "mmd": mmd_of_rows(self._real_rows, mapped.rows[self.virtual_part], self.bandwidth),
        }

    def measure_unmapped(self) -> dict[str, float]:
        """Give the distances of the virtual windows as they are."""
        return self.measure(Mapped(None, self.study.embed(self.study.X[self.study.virtual])))


def make_mapper(mapper: RankDistributionMapper | None, per_class: bool) -> RankDistributionMapper:
    """Clone the mapper; `DataFormatError` if it would move real windows."""
    template = RankDistributionMapper() if mapper is None else mapper
    # Of a subclass nobody knows whether it commutes with sorting.
    if type(template) is not RankDistributionMapper or template.direction != "virtual_to_real":
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
    step_s = check_positive("window_step_s", windows.attrs["window_step_s"])
    made = [make_budget(value, step_s, shortage, max_block_s) for value in check_amounts("seconds", seconds)]
    budgets = [budget for budget in made if budget is not None]
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
