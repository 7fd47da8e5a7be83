"""Windows by rank: exactly the quantiles and maps of the mapper that sorts anew."""

from __future__ import annotations

import numpy as np
import pytest

from har_virtual.adaptation import RankDistributionMapper
from har_virtual.adaptation._ranked import RankedWindows
from har_virtual.adaptation.distribution import QuantileMap

N_WINDOWS, N_SAMPLES = 60, 7


def make_windows(seed: int = 0) -> np.ndarray:
    """A continuous channel, one with many ties and both zeros, a constant one, and one over all magnitudes."""
    rng = np.random.default_rng(seed)
    shape = (N_WINDOWS, N_SAMPLES)
    ties = rng.integers(-2, 3, shape) * rng.choice([-1.0, 1.0], shape)
    wide = rng.choice([-1.0, 1.0], shape) * 10.0 ** rng.integers(-44, 38, shape)
    return np.stack([rng.normal(size=shape), ties, np.full(shape, 9.81), wide], axis=2).astype(np.float32)


def test_ranks_lead_back_to_the_sorted_samples_of_each_window() -> None:
    windows = make_windows()
    ranked = RankedWindows(windows)
    for channel, (values, ranks) in enumerate(zip(ranked.values, ranked.ranks, strict=True)):
        np.testing.assert_array_equal(values, np.sort(windows[:, :, channel], axis=None))
        np.testing.assert_array_equal(values[ranks], np.sort(windows[:, :, channel], axis=1).T)
        np.testing.assert_array_equal(np.sort(ranks, axis=None), np.arange(ranks.size))


@pytest.mark.parametrize("n_chosen", [1, 5, 30, 31, 59, 60])
@pytest.mark.parametrize("n_quantiles", [2, 100, 1000])
def test_quantiles_of_some_windows_are_those_of_numpy(n_chosen: int, n_quantiles: int) -> None:
    windows = make_windows()
    chosen = np.zeros(N_WINDOWS, bool)
    chosen[np.random.default_rng(n_chosen).permutation(N_WINDOWS)[:n_chosen]] = True
    samples = windows[chosen].reshape(-1, windows.shape[2]).astype(np.float64)
    wanted = np.percentile(samples, np.linspace(0, 100, n_quantiles), axis=0).T
    found = RankedWindows(windows).quantiles(chosen, n_quantiles)
    # By one unit in the last place numpy's own rounding differs between its versions.
    np.testing.assert_allclose(found, wanted, rtol=1e-15, atol=0)
    labels = np.where(chosen, "in", "out")
    fitted = RankDistributionMapper(n_quantiles=n_quantiles, per_class=True, min_class_rows=1).fit(
        np.concatenate([windows, windows]), np.tile(labels, 2), sample_domain=np.repeat([0, 1], N_WINDOWS)
    )
    np.testing.assert_array_equal(found, fitted.class_maps_["in"].source)


def test_quantiles_that_are_asked_for_again_are_the_same_and_not_too_many_are_kept() -> None:
    ranked = RankedWindows(make_windows())
    chosen = np.arange(N_WINDOWS) < 20
    first = ranked.quantiles(chosen, 50).copy()
    for number in range(200):
        ranked.quantiles(np.arange(N_WINDOWS) != number % N_WINDOWS, 2 + number)
    np.testing.assert_array_equal(ranked.quantiles(chosen, 50), first)
    assert len(ranked._known) <= 64


def test_some_rows_only_are_ranked() -> None:
    windows, rows = make_windows(), np.array([40, 3, 17])
    some, all_of_them = RankedWindows(windows, rows), RankedWindows(windows[rows])
    np.testing.assert_array_equal(some.values, all_of_them.values)
    np.testing.assert_array_equal(some.ranks, all_of_them.ranks)


def test_as_many_quantiles_are_given_as_are_asked_for_whatever_was_asked_before() -> None:
    ranked, chosen = RankedWindows(make_windows()), np.arange(N_WINDOWS) < 20
    assert [ranked.quantiles(chosen, n_quantiles).shape[1] for n_quantiles in (50, 20)] == [50, 20]


@pytest.mark.parametrize("share", [0.2, 0.9])
def test_each_part_goes_through_its_own_map(share: float) -> None:
    windows, mapper = make_windows()[:, :, :1], RankDistributionMapper()
    source = np.array([[-10.0, 10.0]])
    parts = np.array_split(np.random.default_rng(0).permutation(N_WINDOWS)[: int(share * N_WINDOWS)], 2)
    maps = [QuantileMap(source, factor * source) for factor in (2.0, 3.0)]
    [moved] = RankedWindows(windows).map(mapper, list(zip(parts, maps, strict=True)))
    wanted = [factor * np.sort(windows[own, :, 0], axis=1).T for factor, own in zip((2.0, 3.0), parts, strict=True)]
    np.testing.assert_allclose(moved, np.concatenate(wanted, axis=1), rtol=1e-6)
