"""FeatureBank: the features of windows for many folds and protocols, each calculated once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from sklearn import config_context
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import get_routing_for_object

from har_virtual.adaptation import RankDistributionMapper, SensorAligner
from har_virtual.adaptation._ranked import RankedWindows
from har_virtual.evaluation._fold_features import Adapted, FoldFeatures
from har_virtual.evaluation._fold_windows import FoldWindows
from har_virtual.evaluation.protocols import Protocol
from har_virtual.exceptions import DataFormatError
from har_virtual.features import ECDFFeatures
from har_virtual.windows import WindowSet

__all__ = ["Adapted", "FeatureBank", "FoldFeatures"]

# Windows described at a time.
_BLOCK = 4096


class FeatureBank:
    """Features of the windows of one WindowSet, for all folds and protocols.

    It gives what the steps before the classifier give in `Protocol.pipeline`, and does nothing twice. Features that
    learn nothing are calculated once of the real windows, which nobody moves, and once of the virtual ones as they are.
    A map by rank of windows that are described by `ECDFFeatures` moves samples that were sorted once: their quantiles
    are exactly those of `RankDistributionMapper`, only the means are rounded otherwise. An aligner is fitted once a
    fold. What learns features, or moves real windows, is fitted and applied fold by fold as in the pipeline.

    Parameters
    ----------
    windows : WindowSet
        With labels.
    features : transformer or "passthrough", optional
        From windows to rows. Default: ``ECDFFeatures(n_components=15)``. "passthrough" leaves windows as they are,
        turned and mapped where the protocol says so, for a recogniser that takes (n_windows, n_samples, n_channels).
    aligner : SensorAligner, optional
    mapper : RankDistributionMapper, optional
        Cloned, as are the others; `per_class` is set by the protocol.

    Raises
    ------
    DataFormatError
        If the windows have no labels, or `features` is another word than "passthrough".

    Notes
    -----
    Memory, beside the windows: their features; where windows are mapped by rank twice the bytes of those looked at,
    which is 2 copies of all windows, or 1 if all protocols that map also align; while a `FoldFeatures` lives, the
    features of its moved windows, once for each adaptation, and where it aligns one copy of its virtual windows, and
    two more if they are mapped by rank. Fitting an aligner copies the training windows, and so do features that learn.
    With "passthrough" there are no features; a fold keeps a copy of its virtual windows for its aligner and each map,
    and takes some 3.5 times the bytes of all windows while it maps. Each fold that runs at a time does so.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from har_virtual import WindowSet
    >>> from har_virtual.evaluation import PROTOCOLS
    >>> from har_virtual.evaluation.feature_bank import FeatureBank
    >>> from har_virtual.features import ECDFFeatures
    >>> X = np.arange(80.0).reshape(8, 5, 2)
    >>> constant = {"dataset": "toy", "session": "1", "recording": 0, "start_s": 0.0, "stop_s": 1.0}
    >>> metadata = pd.DataFrame({"subject": list("abababab"), "domain": ["real"] * 4 + ["virtual"] * 4, **constant})
    >>> windows = WindowSet(X, ["walk", "sit"] * 4, metadata, ["a", "b"], 5.0)
    >>> bank = FeatureBank(windows, ECDFFeatures(n_components=3))
    >>> adapted = bank.adapt(PROTOCOLS["V2R mapped"], np.flatnonzero(windows.groups == "a"))
    >>> adapted.features.shape, adapted.real_rows_used, adapted.real_labels_used
    ((4, 8), 2, 0)
    >>> bool(np.allclose(adapted.features[2:], adapted.features[:2]))
    True
    """

    def __init__(
        self,
        windows: WindowSet,
        features: BaseEstimator | Literal["passthrough"] | None = None,
        *,
        aligner: SensorAligner | None = None,
        mapper: RankDistributionMapper | None = None,
    ) -> None:
        if windows.y is None:
            raise DataFormatError("The windows have no labels: cut them from recordings that have some.")
        if isinstance(features, str) and features != "passthrough":
            raise DataFormatError(f'features must be a transformer or "passthrough", not {features!r}.')
        self.windows = windows
        self.features: Any = ECDFFeatures(n_components=15) if features is None else features
        self.aligner, self.mapper = aligner, mapper
        self.y, self.groups, self.clips = windows.y, windows.groups, windows.clips
        self.virtual = windows.sample_domain == 1
        self.places = np.where(self.virtual, np.cumsum(self.virtual), np.cumsum(~self.virtual)) - 1
        self._features: dict[bool, np.ndarray] = {}
        self._ranked: dict[bool, RankedWindows] = {}

    def prepare(self, protocols: Iterable[Protocol]) -> FeatureBank:
        """Calculate now what these protocols share over folds; else it is done when it is needed first.

        For a bank that threads share, or that goes to other processes.

        Returns
        -------
        self
        """
        for protocol in protocols:
            if self.gives_windows or self.is_learned(protocol):
                continue
            self.described(False)
            if protocol.train_on != "real" and protocol.adaptation == (False, None):
                self.described(True)
            if protocol.map and self.is_ranked:
                self.ranked(False)
                if not protocol.align:
                    self.ranked(True)
        return self

    def fold(self, train: ArrayLike) -> FoldFeatures:
        """Give what adapts virtual windows to some training rows, by one protocol after another.

        Parameters
        ----------
        train : array-like of int of shape (n_train,)
            Positions of real and virtual windows, none twice.

        Raises
        ------
        DataFormatError
            If a row comes twice.
        """
        train = np.asarray(train)
        if len(np.unique(train)) != len(train):
            raise DataFormatError("A training row comes twice; each of them has to be another row of the WindowSet.")
        return FoldWindows(self, train) if self.gives_windows else FoldFeatures(self, train)

    def adapt(self, protocol: Protocol, train: ArrayLike) -> Adapted:
        """Fit what a protocol adapts virtual windows with to the training rows; ``fold(train).adapt(protocol)``."""
        return self.fold(train).adapt(protocol)

    def real(self, rows: ArrayLike) -> np.ndarray:
        """Give the features of real windows as they are, (n_rows, n_features), or with "passthrough" the windows.

        Raises
        ------
        DataFormatError
            If a row is virtual, or the features have to be learned, which needs a fold.
        """
        rows = np.asarray(rows)
        self.check_real(rows)
        if self.gives_windows:
            return self.windows.X[rows]
        if self.learns_features:
            raise DataFormatError(
                f"{type(self.features).__name__} learns from training rows: use adapt(protocol, train).transform(rows)."
            )
        return self.described(False).take(self.places[rows], axis=1).T

    def check_real(self, rows: np.ndarray) -> None:
        """Refuse virtual rows."""
        if self.virtual[rows].any():
            raise DataFormatError(f"Row {rows[self.virtual[rows]][0]} is virtual; only real windows are recognised.")

    @property
    def gives_windows(self) -> bool:
        """Whether the recogniser gets the windows themselves."""
        return isinstance(self.features, str)

    @property
    def learns_features(self) -> bool:
        """Whether the features depend on the windows that train."""
        return not self.gives_windows and get_tags(self.features).requires_fit

    @property
    def is_ranked(self) -> bool:
        """Whether maps move samples that were sorted once."""
        return type(self.features) is ECDFFeatures and type(self.mapper) in (RankDistributionMapper, type(None))

    def is_learned(self, protocol: Protocol) -> bool:
        """Whether a protocol's features of real windows depend on the fold."""
        moving = [self.aligner] * protocol.align + [self.mapper] * (protocol.map is not None)
        turned = [step for step in moving if step is not None and step.direction != "virtual_to_real"]
        return bool(turned) or self.learns_features

    def described(self, domain: bool) -> np.ndarray:
        """Give the features of all real (False) or virtual (True) windows as they are, (n_features, n_windows)."""
        if domain not in self._features:
            self._features[domain] = self.describe(self.windows.X, np.flatnonzero(self.virtual == domain))
        return self._features[domain]

    def describe(self, X: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Give the features of some windows by a transformer that learns nothing, (n_features, n_rows)."""
        features = clone(self.features).fit(X[:1])
        first = np.asarray(features.transform(X[:1]))
        columns = np.empty((first.shape[1], len(rows)), first.dtype)
        for start in range(0, len(rows), _BLOCK):
            columns[:, start : start + _BLOCK] = np.asarray(features.transform(X[rows[start : start + _BLOCK]])).T
        return columns

    def call(self, pipeline: Pipeline, method: str, rows: np.ndarray, *y: np.ndarray | None) -> np.ndarray:
        """Call a method of a pipeline on some windows, with the metadata that its steps request."""
        metadata = self.metadata(rows)
        with config_context(enable_metadata_routing=True):
            requested = get_routing_for_object(pipeline).consumes(method, metadata)
            return getattr(pipeline, method)(self.windows.X[rows], *y, **{name: metadata[name] for name in requested})

    def metadata(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Give what fit may request of some windows, one entry a row."""
        return {"sample_domain": self.virtual[rows], "groups": self.groups[rows], "clips": self.clips[rows]}

    def ranked(self, domain: bool) -> RankedWindows:
        """Give all real (False) or virtual (True) windows by rank."""
        if domain not in self._ranked:
            self._ranked[domain] = RankedWindows(self.windows.X, np.flatnonzero(self.virtual == domain))
        return self._ranked[domain]
