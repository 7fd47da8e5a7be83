"""Map the values of virtual sensors to the distribution of real ones, channel by channel, by rank."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, _fit_context
from sklearn.utils import Tags
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_consistent_length, check_is_fitted, column_or_1d

from har_virtual.adaptation._doubt import warn_caller
from har_virtual.exceptions import DataFormatError
from har_virtual.recording import Recording
from har_virtual.windows.transformers import WindowTransformerMixin
from har_virtual.windows.validation import as_given, check_sample_domain, check_streams, check_windows, is_ragged

_Rows = np.ndarray | list[np.ndarray]
_QuantilesOf = Callable[[np.ndarray], np.ndarray]


class QuantileMap(NamedTuple):
    """Quantiles of two distributions, (n_channels, n_quantiles) each; equal ranks stand in equal columns."""

    source: np.ndarray
    target: np.ndarray


class RankDistributionMapper(WindowTransformerMixin, BaseEstimator):
    """Give virtual samples the distribution of real ones: each value becomes the real value of its own rank.

    Equation 7 of IMUTube, ``x_real = G^-1(F(x_virtual))``, a channel at a time, over all samples of all training rows
    of a domain. Both distributions are described by quantiles, and only those of fit are used in transform.

    Parameters
    ----------
    method : {"interpolated", "step"}, default="interpolated"
        "interpolated" draws straight lines between the quantiles. Tied quantiles share the middle of their ranks, so a
        constant channel goes to the median. "step" has one bin for each quantile of the source, open below and closed
        above, the minimum in the first, and gives the quantile of the target that has the bin's number; with
        ``n_quantiles=100`` it is the map of IMUTube's authors to the bit. A constant channel goes to the minimum.
        With both, a value beyond those of fit goes to the first or last quantile.
    n_quantiles : int, default=1000
        Evenly spaced from the minimum to the maximum, interpolated between neighbouring samples.
    per_class : bool, default=False
        Whether `fit_transform` maps the training rows of each class between that class's own distributions. `transform`
        cannot know the class of a row that is to be recognised, so it always uses the map over all classes.
    direction : {"virtual_to_real", "real_to_virtual"}, default="virtual_to_real"
        Which rows move; those of the other domain are returned as they are.
    min_class_rows : int, default=5
        A class that has rows to move, but fewer rows than this in either domain, goes through the map over all classes.
        With a list of streams a row is a stream.

    Attributes
    ----------
    map_ : QuantileMap or None
        From the moving domain to the other; None if nothing moves.
    class_maps_ : dict of label to QuantileMap
        Empty unless `per_class`.
    fallback_classes_ : list
        Classes with rows to move but too few for a map of their own.
    is_identity_ : bool
        True where the training rows have no virtual sample, as when `sample_domain` is missing.
    real_rows_used_, real_labels_used_ : int
        How many real rows, and how many of their labels, the maps depend on.
    n_channels_in_ : int
    n_features_in_ : int
        Samples in a window; only after fit on windows.

    Notes
    -----
    With metadata routing on, a Pipeline passes `sample_domain` to fit and transform by default. Scorers may leave it
    out; all rows are then real, so "virtual_to_real" returns them as they are and "real_to_virtual" moves them all.

    References
    ----------
    Kwon et al., "IMUTube: Automatic extraction of virtual on-body accelerometry from video for human activity
    recognition", 2020, section 2.5.

    Examples
    --------
    >>> import numpy as np
    >>> from har_virtual.adaptation import RankDistributionMapper
    >>> real = np.random.default_rng(0).normal(size=(50, 30, 3))
    >>> windows = np.concatenate([real, 5 + 2 * real])
    >>> mapped = RankDistributionMapper().fit_transform(windows, sample_domain=np.repeat([0, 1], 50))
    >>> bool(np.allclose(mapped[50:], real))
    True
    """

    __metadata_request__fit = {"sample_domain": True}  # noqa: RUF012 - scikit-learn reads it from the class
    __metadata_request__transform = {"sample_domain": True}  # noqa: RUF012

    _parameter_constraints: dict = {  # noqa: RUF012
        "method": [StrOptions({"interpolated", "step"})],
        "n_quantiles": [Interval(Integral, 2, None, closed="left")],
        "per_class": ["boolean"],
        "direction": [StrOptions({"virtual_to_real", "real_to_virtual"})],
        "min_class_rows": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        *,
        method: Literal["interpolated", "step"] = "interpolated",
        n_quantiles: int = 1000,
        per_class: bool = False,
        direction: Literal["virtual_to_real", "real_to_virtual"] = "virtual_to_real",
        min_class_rows: int = 5,
    ) -> None:
        self.method = method
        self.n_quantiles = n_quantiles
        self.per_class = per_class
        self.direction = direction
        self.min_class_rows = min_class_rows

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self, X: Any, y: ArrayLike | None = None, *, sample_domain: ArrayLike | None = None
    ) -> RankDistributionMapper:
        """Learn both distributions.

        Parameters
        ----------
        X : array-like of shape (n_windows, n_samples, n_channels) or (n_windows, n_samples), or list of streams
            A stream is a Recording or an array of shape (n_samples, n_channels); it may be empty.
        y : array-like of shape (n_rows,), optional
            Labels; only `per_class` looks at them.
        sample_domain : array-like of shape (n_rows,), optional
            0 for real, 1 for virtual rows; missing means that all are real.

        Raises
        ------
        DataFormatError
            If there are virtual samples but no real ones, `sample_domain` does not fit X, `per_class` lacks a label, or
            X has another number of channels than before or a NaN in a stream.
        ValueError
            As scikit-learn raises it, for NaN in windows and the like.

        Warns
        -----
        DataWarning
            Where `per_class` has too few rows of some classes, or none in the other domain.
        """
        self._learn(X, y, sample_domain)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X: Any, y: ArrayLike | None = None, *, sample_domain: ArrayLike | None = None) -> Any:
        """Learn both distributions and move the training rows, with `per_class` each class by its own map.

        Takes what `fit` takes, gives what `transform` gives.
        """
        rows, moving, labels = self._learn(X, y, sample_domain)
        return _like(X, self._move(rows, self._training_parts(moving, labels)))

    def transform(self, X: Any, *, sample_domain: ArrayLike | None = None) -> Any:
        """Move the rows of one domain by the map over all classes.

        Parameters
        ----------
        X, sample_domain
            As in `fit`.

        Returns
        -------
        ndarray of the shape and float type of X, or list of streams as in X
        """
        check_is_fitted(self)
        rows = self._check(X, reset=False)
        virtual = check_sample_domain(sample_domain, len(rows))
        return _like(X, self._move(rows, [(self._of_moving_domain(virtual), self.map_)]))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.target_tags.required = self.per_class
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def _check(self, X: Any, *, reset: bool) -> _Rows:
        return check_streams(self, X, reset=reset) if is_ragged(X) else check_windows(self, X, reset=reset)[0]

    def _of_moving_domain(self, virtual: np.ndarray) -> np.ndarray:
        return virtual if self.direction == "virtual_to_real" else ~virtual

    def _learn(
        self, X: Any, y: ArrayLike | None, sample_domain: ArrayLike | None
    ) -> tuple[_Rows, np.ndarray, np.ndarray | None]:
        """Set every learned attribute; give the checked rows, which of them move, and their labels."""
        rows = self._check(X, reset=True)
        virtual = check_sample_domain(sample_domain, len(rows))
        labels = self._check_labels(y, rows) if self.per_class else None
        filled = np.array([len(row) > 0 for row in rows])
        self._learn_maps(lambda mask: _quantiles(_samples(rows, mask), self.n_quantiles), virtual, filled, labels)
        return rows, self._of_moving_domain(virtual), labels

    def _learn_maps(
        self, quantiles: _QuantilesOf, virtual: np.ndarray, filled: np.ndarray, labels: np.ndarray | None
    ) -> None:
        """Set what is learned from the samples; `quantiles` gives those of the rows in a mask."""
        n_real, n_virtual = (np.count_nonzero(filled & side) for side in (~virtual, virtual))
        if n_virtual and not n_real:
            raise DataFormatError(
                f"{type(self).__name__}: all of the {n_virtual} rows with samples are virtual, so there is no real "
                "distribution to learn. Add real rows (sample_domain 0), labelled or not, or leave this step out."
            )
        moving = self._of_moving_domain(virtual)
        self.is_identity_ = not n_virtual
        self.map_ = None if self.is_identity_ else QuantileMap(quantiles(moving), quantiles(~moving))
        self.class_maps_: dict[Any, QuantileMap] = {}
        self.fallback_classes_: list[Any] = []
        if labels is not None and not self.is_identity_:
            self._learn_classes(quantiles, moving & filled, ~moving & filled, labels)
        self.real_rows_used_ = 0 if self.is_identity_ else n_real
        self.real_labels_used_ = self.real_rows_used_ if self.per_class else 0

    def _check_labels(self, y: ArrayLike | None, rows: _Rows) -> np.ndarray:
        if y is None:
            raise DataFormatError(
                f"{type(self).__name__}(per_class=True) requires y to be passed, but the target y is None; pass the "
                "labels of the rows, or set per_class=False."
            )
        labels = column_or_1d(y)
        check_consistent_length(rows, labels)
        if pd.isna(labels).any():
            raise DataFormatError(
                f"{type(self).__name__}(per_class=True) needs a label for each row, but {pd.isna(labels).sum()} of "
                f"{len(labels)} have none; drop them, or set per_class=False."
            )
        return labels

    def _learn_classes(self, quantiles: _QuantilesOf, moving: np.ndarray, resting: np.ndarray, y: np.ndarray) -> None:
        without: list[Any] = []
        for label in np.unique(y[moving]):
            source, target = ((y == label) & side for side in (moving, resting))
            if min(source.sum(), target.sum()) >= self.min_class_rows:
                self.class_maps_[label] = QuantileMap(quantiles(source), quantiles(target))
                continue
            self.fallback_classes_.append(label)
            if not target.any():
                without.append(label)
        if self.fallback_classes_:
            warn_caller(self._say_fallback(without, np.unique(y[resting])))

    def _say_fallback(self, without: list[Any], known: np.ndarray) -> str:
        """Say why classes fall back; `without` have no row in the domain whose labels are `known`."""
        few = [label for label in self.fallback_classes_ if label not in without]
        reasons = []
        if without:
            domain = "real" if self.direction == "virtual_to_real" else "virtual"
            reasons.append(
                f"classes {np.array(without).tolist()} have no {domain} row at all (compare the spelling: the {domain} "
                f"labels are {known.tolist()})"
            )
        if few:
            reasons.append(
                f"classes {np.array(few).tolist()} have fewer than min_class_rows={self.min_class_rows} rows in one "
                "domain"
            )
        return f"{type(self).__name__}: {', and '.join(reasons)}; their rows go through the map over all classes."

    def _training_parts(
        self, moving: np.ndarray, labels: np.ndarray | None
    ) -> list[tuple[np.ndarray, QuantileMap | None]]:
        """Which of the training rows that move go through which map."""
        by_class = [(moving & (labels == label), class_map) for label, class_map in self.class_maps_.items()]
        rest = moving & ~np.any([mask for mask, _ in by_class], axis=0)
        return [(rest, self.map_), *by_class]

    def _map_values(self, values: np.ndarray, source: np.ndarray, target: np.ndarray) -> np.ndarray:
        """Map values of one channel from the quantiles of one distribution to those of another."""
        return (_map_steps if self.method == "step" else _map_interpolated)(values, source, target)

    def _move(self, rows: _Rows, groups: list[tuple[np.ndarray, QuantileMap | None]]) -> _Rows:
        """Give new rows, those of each mask moved by the map beside it."""
        moved = rows.copy() if isinstance(rows, np.ndarray) else [stream.copy() for stream in rows]
        for mask, quantile_map in groups:
            if quantile_map is not None and mask.any():
                samples = np.ascontiguousarray(_samples(rows, mask).T)
                for channel, source, target in zip(samples, *quantile_map, strict=True):
                    channel[:] = self._map_values(channel, source, target)
                _put(moved, mask, samples.T)
        return moved


def _samples(rows: _Rows, mask: np.ndarray) -> np.ndarray:
    """All samples of the rows in `mask`, (n_samples, n_channels), always a copy."""
    if isinstance(rows, np.ndarray):
        return rows[mask].reshape(-1, rows.shape[2])
    return np.concatenate([rows[0][:0], *(stream for stream, taken in zip(rows, mask, strict=True) if taken)])


def _put(rows: _Rows, mask: np.ndarray, samples: np.ndarray) -> None:
    """Write `samples` where `_samples` took them from."""
    if isinstance(rows, np.ndarray):
        rows[mask] = samples.reshape(-1, *rows.shape[1:])
        return
    start = 0
    for number in np.flatnonzero(mask):
        rows[number][:] = samples[start : start + len(rows[number])]
        start += len(rows[number])


def _like(X: Any, rows: _Rows) -> Any:
    """Give `rows` in the form of X: windows in as many dimensions, Recordings as Recordings."""
    if isinstance(rows, np.ndarray):
        return as_given(rows, X)
    return [x.replace(data=row) if isinstance(x, Recording) else row for x, row in zip(X, rows, strict=True)]


def _quantiles(samples: np.ndarray, n_quantiles: int) -> np.ndarray:
    """Evenly spaced quantiles of each channel, (n_channels, n_quantiles), as np.percentile rounds them."""
    ordered = np.ascontiguousarray(samples.T)
    ordered.sort(axis=1)
    below, above, part = quantile_positions(ordered.shape[1], n_quantiles)
    return between(ordered[:, below], ordered[:, above], part)


def quantile_positions(n_samples: int, n_quantiles: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give the sorted samples on either side of each quantile, and its distance from the lower one, (n_quantiles,)."""
    last = n_samples - 1
    position = np.linspace(0, 100, n_quantiles) / 100 * last
    below = position.astype(np.intp)
    return below, np.minimum(below + 1, last), position - below


def between(low: np.ndarray, high: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Give the point at a part of the way from `low` to `high`, in float64, as np.percentile rounds it."""
    low, high = low.astype(np.float64), high.astype(np.float64)
    return np.where(part < 0.5, low + (high - low) * part, high - (high - low) * (1 - part))


def _map_interpolated(values: np.ndarray, source: np.ndarray, target: np.ndarray) -> np.ndarray:
    knots, first, counts = np.unique(source, return_index=True, return_counts=True)
    ranks = first + (counts - 1) / 2
    return np.interp(values, knots, np.interp(ranks, np.arange(len(target)), target))


def _map_steps(values: np.ndarray, source: np.ndarray, target: np.ndarray) -> np.ndarray:
    return target[np.minimum(np.searchsorted(source, values), len(target) - 1)]
