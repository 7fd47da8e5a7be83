"""What a fold makes of windows: rotations and maps fitted to its training rows, and the features after them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing, get_tags

from har_virtual.adaptation import RankDistributionMapper, SensorAligner
from har_virtual.adaptation._ranked import RankedTraining, RankedWindows
from har_virtual.evaluation.protocols import Protocol
from har_virtual.evaluation.real_data import real_data_used
from har_virtual.exceptions import DataFormatError

if TYPE_CHECKING:
    from har_virtual.evaluation.feature_bank import FeatureBank

Adaptation: TypeAlias = tuple[bool, str | None]


@dataclass(frozen=True, eq=False)
class Adapted:
    """Features of one fold under one adaptation; `FeatureBank.adapt` makes it.

    Where the bank's features are "passthrough" they are the windows themselves, (n_rows, n_samples, n_channels).

    Parameters
    ----------
    train : array of int of shape (n_train,)
        Training rows of the fold.
    steps : mapping of str to estimator
        What was fitted to them: "align", "map" and, if they learn, "features".
    real_rows_used, real_labels_used : int
        Real rows, and labels of such, that `steps` depend on, as `real_data_used` counts them.
    """

    train: np.ndarray
    steps: Mapping[str, BaseEstimator]
    real_rows_used: int
    real_labels_used: int
    _describe: Callable[[np.ndarray], np.ndarray]
    _transform: Callable[[np.ndarray], np.ndarray]

    @property
    def features(self) -> np.ndarray:
        """Features of all training rows, (n_train, n_features), in the order of `train`; made anew at each access."""
        return self.take(self.train)

    def take(self, rows: ArrayLike) -> np.ndarray:
        """Give the features of some of the training rows as a recogniser is trained with them.

        Of few rows it is fast: choose before you take.

        Parameters
        ----------
        rows : array-like of int of shape (n_rows,)
            Positions in the WindowSet, all of them in `train`.

        Returns
        -------
        ndarray of shape (n_rows, n_features)
            Column by column in memory, which trees read fastest; windows one after the other.

        Raises
        ------
        DataFormatError
            If a row is not in `train`.
        """
        rows = np.asarray(rows)
        foreign = np.setdiff1d(rows, self.train)
        if len(foreign):
            raise DataFormatError(f"Row {foreign[0]} is none of the {len(self.train)} training rows of this fold.")
        return self._describe(rows)

    def transform(self, rows: ArrayLike) -> np.ndarray:
        """Give the features of real rows that are to be recognised, (n_rows, n_features).

        Raises
        ------
        DataFormatError
            If a row is virtual.
        """
        return self._transform(np.asarray(rows))


class _Moved(NamedTuple):
    """Features of virtual rows that were moved."""

    rows: np.ndarray
    """Ascending positions in the WindowSet."""
    columns: np.ndarray
    """(n_features, n_rows)"""


class FoldFeatures:
    """Adapts virtual windows to the real ones of one set of training rows; `FeatureBank.fold` makes it.

    Protocols with the same adaptation share its fit and its features.
    """

    def __init__(self, bank: FeatureBank, train: np.ndarray) -> None:
        self.bank, self.train = bank, train
        self.virtual = bank.virtual[train]
        self._learned: dict[Adaptation, Adapted] = {}
        # Not what is adapted by them: that would hold the fold, and the fold would outlive its use.
        self._fitted: dict[Adaptation, dict[str, BaseEstimator]] = {}
        self._moved: dict[Adaptation, _Moved] = {}
        self._aligner: SensorAligner | None = None
        self._turned = np.empty((0, 0, 0), np.float32)
        self._ranked: dict[bool, RankedTraining] = {}

    def adapt(self, protocol: Protocol) -> Adapted:
        """Fit the aligner and the map of a protocol to the training rows.

        Parameters
        ----------
        protocol : Protocol

        Returns
        -------
        Adapted

        Raises
        ------
        DataFormatError, ValueError
            As aligner, mapper and features raise them.

        Warns
        -----
        DataWarning
            As aligner and mapper give it.
        """
        adaptation = protocol.adaptation
        if self.bank.is_learned(protocol):
            if adaptation not in self._learned:
                self._learned[adaptation] = self._fit_pipeline(protocol)
            return self._learned[adaptation]
        if adaptation not in self._fitted:
            self._fitted[adaptation] = self._fit(protocol)
        return self._adapted(self._fitted[adaptation], partial(self._describe, adaptation), self.bank.real)

    def _steps(self, protocol: Protocol) -> Pipeline:
        """Give what stands before the classifier, not fitted."""
        bank = self.bank
        pipeline = protocol.pipeline(
            DummyClassifier(),
            features=bank.features,
            channels=bank.windows.channels,
            aligner=bank.aligner,
            mapper=bank.mapper,
        )
        return pipeline[:-1]

    def _adapted(
        self,
        steps: Mapping[str, BaseEstimator],
        describe: Callable[[np.ndarray], np.ndarray],
        transform: Callable[[np.ndarray], np.ndarray],
    ) -> Adapted:
        n_real = np.count_nonzero(~self.virtual)
        used = [(0, 0), *(real_data_used(step, n_real) for step in steps.values())]
        rows, labels = (max(counts) for counts in zip(*used, strict=True))
        return Adapted(self.train, steps, rows, labels, describe, transform)

    def _fit_pipeline(self, protocol: Protocol) -> Adapted:
        """Fit the steps as the pipeline does, to the windows themselves."""
        bank, train, pipeline = self.bank, self.train, self._steps(protocol)
        features = bank.call(pipeline, "fit_transform", train, bank.y[train])
        order = np.argsort(train)

        def describe(rows: np.ndarray) -> np.ndarray:
            return _safe_indexing(features, order[np.searchsorted(train, rows, sorter=order)])

        def transform(rows: np.ndarray) -> np.ndarray:
            bank.check_real(rows)
            return bank.call(pipeline, "transform", rows)

        steps = {name: step for name, step in pipeline.steps if step != "passthrough" and get_tags(step).requires_fit}
        return self._adapted(steps, describe, transform)

    def _fit(self, protocol: Protocol) -> dict[str, BaseEstimator]:
        """Fit aligner and mapper only."""
        pipeline, fitted = self._steps(protocol), {}
        if protocol.align:
            fitted["align"] = self._align(pipeline["align"])
        if protocol.map and self.bank.is_ranked:
            fitted["map"] = self._rank(protocol.align).fit(pipeline["map"])
        elif protocol.map:
            fitted["map"] = self._map_windows(protocol.adaptation, pipeline["map"])
        return fitted

    def _align(self, aligner: SensorAligner) -> SensorAligner:
        """Fit the aligner, unless one is, and turn the virtual windows of the fold."""
        if self._aligner is None:
            bank, train, rows = self.bank, self.train, self.train[self.virtual]
            X, groups = bank.windows.X, bank.groups
            aligner.fit(X[train], bank.y[train], sample_domain=self.virtual, groups=groups[train])
            self._turned = X[rows]
            if len(rows):
                self._turned = aligner.transform(self._turned, sample_domain=bank.virtual[rows], groups=groups[rows])
            self._aligner = aligner
        return self._aligner

    def _rank(self, aligned: bool) -> RankedTraining:
        """Give the training rows by rank."""
        if aligned not in self._ranked:
            bank, places = self.bank, self.bank.places[self.train]
            if aligned:
                places = np.where(self.virtual, np.cumsum(self.virtual) - 1, places)
            virtual = RankedWindows(self._turned) if aligned else bank.ranked(True)
            self._ranked[aligned] = RankedTraining(
                bank.ranked(False), virtual, places, self.virtual, bank.y[self.train]
            )
        return self._ranked[aligned]

    def _map_windows(self, adaptation: Adaptation, mapper: RankDistributionMapper) -> RankDistributionMapper:
        """Fit the mapper to windows, and describe what it makes of the virtual ones."""
        bank, train, aligned = self.bank, self.train, adaptation[0]
        windows = bank.windows.X[train]
        if aligned:
            windows[self.virtual] = self._turned
        self._keep(adaptation, mapper.fit_transform(windows, bank.y[train], sample_domain=self.virtual))
        return mapper

    def _keep(self, adaptation: Adaptation, mapped: np.ndarray) -> None:
        """Keep what is asked for of the mapped training windows: the features of the virtual ones."""
        rows = self.train[self.virtual]
        order = np.argsort(rows)
        self._moved[adaptation] = _Moved(rows[order], self.bank.describe(mapped, np.flatnonzero(self.virtual)[order]))

    def _describe(self, adaptation: Adaptation, rows: np.ndarray) -> np.ndarray:
        """Give the features of training rows in the order asked for, (n_rows, n_features)."""
        bank, virtual = self.bank, self.bank.virtual[rows]
        if not virtual.any():
            return bank.real(rows)
        wanted, at = np.unique(rows[virtual], return_inverse=True)
        moved = self._move(adaptation, wanted)
        if virtual.all():
            return moved.take(at, axis=1).T
        real = bank.described(False)
        columns = np.empty((len(moved), len(rows)), np.result_type(moved, real))
        places, real_at, virtual_at = bank.places[rows[~virtual]], np.flatnonzero(~virtual), np.flatnonzero(virtual)
        for column, real_column, moved_column in zip(columns, real, moved, strict=True):
            column[real_at] = real_column[places]
            column[virtual_at] = moved_column[at]
        return columns.T

    def _move(self, adaptation: Adaptation, rows: np.ndarray) -> np.ndarray:
        """Give the features of adapted virtual rows, ascending, (n_features, n_rows)."""
        if adaptation == (False, None):
            return self.bank.described(True).take(self.bank.places[rows], axis=1)
        known = self._moved.get(adaptation)
        if known is None or not np.isin(rows, known.rows).all():
            columns = self._describe_mapped(adaptation, rows) if adaptation[1] else self._describe_turned(rows)
            known = self._moved[adaptation] = _Moved(rows, columns)
        if len(rows) == len(known.rows):
            return known.columns
        return known.columns.take(np.searchsorted(known.rows, rows), axis=1)

    def _describe_turned(self, rows: np.ndarray) -> np.ndarray:
        return self.bank.describe(self._turned, self._among_virtual(rows))

    def _among_virtual(self, rows: np.ndarray) -> np.ndarray:
        """Give the places of virtual training rows among all virtual training rows."""
        own = self.train[self.virtual]
        order = np.argsort(own)
        return order[np.searchsorted(own, rows, sorter=order)]

    def _describe_mapped(self, adaptation: Adaptation, rows: np.ndarray) -> np.ndarray:
        ranked, mapper, features = self._rank(adaptation[0]), self._fitted[adaptation]["map"], self.bank.features
        numbers, channels = ranked.map(mapper, self.virtual & np.isin(self.train, rows))
        at = np.searchsorted(rows, self.train[numbers])
        # A slice is written at once.
        place = slice(None) if np.array_equal(at, np.arange(len(rows))) else at
        n_channels = self.bank.windows.X.shape[2]
        columns = np.empty((features.n_components + 1, n_channels, len(rows)), np.float32)
        for channel, samples in enumerate(channels):
            columns[:, channel, place] = features._describe_sorted(samples)
        return columns.reshape(-1, len(rows))
