"""Windows by the ranks of their samples: quantiles of some of them, and a map of their values, without another sort."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from har_virtual.adaptation.distribution import QuantileMap, RankDistributionMapper, between, quantile_positions
from har_virtual.windows.validation import check_windows

_MAX_KNOWN = 64


class RankedWindows:
    """Windows of one domain, each sample known by its rank among all samples of its channel.

    A monotone map commutes with order statistics: of sorted samples it is fast, and the order inside each window stays.

    Parameters
    ----------
    windows : array of shape (n_windows, n_samples, n_channels), float32
    rows : array of int, optional
        Those that are meant; all by default.

    Attributes
    ----------
    values : ndarray of shape (n_channels, n_windows * n_samples)
        All samples of each channel, ascending.
    ranks : ndarray of int of shape (n_channels, n_samples, n_windows)
        Where in `values` the samples of each window stand, ascending over the samples. Both together take the memory of
        two copies of the windows.
    """

    def __init__(self, windows: np.ndarray, rows: np.ndarray | None = None) -> None:
        rows = np.arange(len(windows)) if rows is None else rows
        n_windows, n_samples, n_channels = len(rows), *windows.shape[1:]
        size = n_windows * n_samples
        self.values = np.empty((n_channels, size), np.float32)
        self.ranks = np.empty((n_channels, n_samples, n_windows), np.int32 if size < 2**31 else np.int64)
        own = np.empty(size, self.ranks.dtype)
        for channel in range(n_channels):
            samples = windows[rows, :, channel].ravel()
            order = _argsort(samples)
            self.values[channel] = samples[order]
            own[order] = np.arange(size, dtype=own.dtype)
            self.ranks[channel] = np.sort(own.reshape(n_windows, n_samples), axis=1).T
        self._known: dict[tuple[bytes, int], np.ndarray] = {}

    def quantiles(self, chosen: np.ndarray, n_quantiles: int) -> np.ndarray:
        """Give the quantiles of the samples of some windows, exactly those that `RankDistributionMapper` learns.

        Parameters
        ----------
        chosen : array of bool of shape (n_windows,)
        n_quantiles : int

        Returns
        -------
        ndarray of shape (n_channels, n_quantiles)
        """
        key = (np.packbits(chosen).tobytes(), n_quantiles)
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            below, above, part = quantile_positions(np.count_nonzero(chosen) * self.ranks.shape[1], n_quantiles)
            at = [_find(ranks, chosen, np.stack([below, above])) for ranks in self.ranks]
            low, high = np.stack([values[found] for values, found in zip(self.values, at, strict=True)], axis=1)
            known = self._known[key] = between(low, high, part)
        return known

    def map(
        self, mapper: RankDistributionMapper, parts: Sequence[tuple[np.ndarray, QuantileMap]]
    ) -> Iterator[np.ndarray]:
        """Give the mapped samples of some windows, channel by channel.

        Parameters
        ----------
        mapper : RankDistributionMapper
        parts : sequence of (rows, QuantileMap)
            Positions of windows, none twice, and the map that they go through.

        Yields
        ------
        ndarray of shape (n_samples, n_rows), float32
            Of the windows of all parts, part by part; ascending over the samples.
        """
        rows = np.concatenate([own for own, _ in parts])
        most = len(parts) == 1 and 2 * len(rows) > self.ranks.shape[2]
        for channel, (values, ranks) in enumerate(zip(self.values, self.ranks, strict=True)):
            mapped = np.empty_like(values)
            for own, (source, target) in parts:
                # Ascending values are mapped many times as fast as others.
                at = slice(None) if most else np.sort(ranks.take(own, axis=1), axis=None)
                mapped[at] = mapper._map_values(values[at], source[channel], target[channel])
            # Every rank is in bounds, and "clip" saves the check.
            yield mapped.take(ranks.take(rows, axis=1), mode="clip")


class RankedTraining:
    """Training rows of both domains, to fit mappers to and to map virtual rows with.

    Parameters
    ----------
    real, virtual : RankedWindows
    places : array of int of shape (n_rows,)
        Position of each training row among the windows of its domain.
    is_virtual : array of bool of shape (n_rows,)
    labels : array of shape (n_rows,)
    """

    def __init__(
        self,
        real: RankedWindows,
        virtual: RankedWindows,
        places: np.ndarray,
        is_virtual: np.ndarray,
        labels: np.ndarray,
    ) -> None:
        self.real, self.virtual = real, virtual
        self.places, self.is_virtual, self.labels = places, is_virtual, labels

    def fit(self, mapper: RankDistributionMapper) -> RankDistributionMapper:
        """Fit a mapper that moves virtual rows, as its own fit does on the windows themselves."""
        mapper._validate_params()
        n_channels, n_samples, _ = self.real.ranks.shape
        check_windows(mapper, np.zeros((1, n_samples, n_channels), np.float32), reset=True)
        labels = mapper._check_labels(self.labels, self.places) if mapper.per_class else None
        mapper._learn_maps(
            lambda mask: self._quantiles(mask, mapper.n_quantiles),
            self.is_virtual,
            np.ones_like(self.is_virtual),
            labels,
        )
        return mapper

    def _quantiles(self, mask: np.ndarray, n_quantiles: int) -> np.ndarray:
        domain = self.virtual if self.is_virtual[mask][0] else self.real
        chosen = np.zeros(domain.ranks.shape[2], bool)
        chosen[self.places[mask]] = True
        return domain.quantiles(chosen, n_quantiles)

    def map(self, mapper: RankDistributionMapper, wanted: np.ndarray) -> tuple[np.ndarray, Iterator[np.ndarray]]:
        """Give some virtual rows as the mapper's fit_transform of the training rows does, but with sorted samples.

        Parameters
        ----------
        mapper : RankDistributionMapper
            Fitted by `fit`.
        wanted : array of bool of shape (n_rows,)
            Among the virtual training rows; one at least.

        Returns
        -------
        rows : ndarray of int of shape (n_wanted,)
            Positions among the training rows, in the order of what follows.
        channels : iterator of arrays of shape (n_samples, n_wanted)
        """
        parts = [
            (np.flatnonzero(mask), quantile_map)
            for mask, quantile_map in mapper._training_parts(wanted, self.labels)
            if quantile_map is not None and mask.any()
        ]
        rows = np.concatenate([own for own, _ in parts])
        return rows, self.virtual.map(mapper, [(self.places[own], quantile_map) for own, quantile_map in parts])


def _argsort(samples: np.ndarray) -> np.ndarray:
    """Sort float32 by the halves of their bits, for which numpy has a radix sort; half the time of np.argsort."""
    bits = samples.view(np.uint32)
    # Bits of negative numbers count backwards.
    keys = np.where(bits >> 31, ~bits, bits | np.uint32(2**31))
    order = np.argsort(keys.astype(np.uint16), kind="stable")
    return order[np.argsort((keys >> 16).astype(np.uint16)[order], kind="stable")]


def _find(ranks: np.ndarray, chosen: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Find, among all samples, those that are the `numbers`-th of the chosen windows' samples."""
    if 2 * np.count_nonzero(chosen) <= len(chosen):
        return np.sort(ranks[:, chosen], axis=None)[numbers]
    missing = np.sort(ranks[:, ~chosen], axis=None)
    # A missing sample pushes a number on if no more than that many chosen ones stand before it.
    return numbers + np.searchsorted(missing - np.arange(len(missing)), numbers, side="right")
