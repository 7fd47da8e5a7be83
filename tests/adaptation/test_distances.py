"""KS, JS and MMD of windows against values known by hand, sums over pairs, and invariances."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import ks_2samp

from har_virtual import WindowSet
from har_virtual.adaptation import frechet_distance, js_divergence, ks_distance, mmd
from har_virtual.exceptions import DataFormatError

RNG = np.random.default_rng


def window_set(X: np.ndarray, channels: tuple[str, ...], rate: float = 30.0) -> WindowSet:
    columns = ["subject", "dataset", "session", "domain", "recording", "start_s", "stop_s"]
    metadata = pd.DataFrame([["a", "d", "s", "real", 0, 0.0, 1.0]] * len(X), columns=columns)
    return WindowSet(X, None, metadata, channels, rate)


def test_ks_is_the_largest_gap_between_the_distribution_functions_of_each_channel() -> None:
    real = np.stack([np.arange(10.0), np.arange(10.0)], axis=1)[None]
    virtual = real + np.array([3, 20])
    distances = ks_distance(real, virtual)
    np.testing.assert_allclose(distances, [0.3, 1.0])
    assert distances.index.tolist() == ["channel0", "channel1"]


def test_ks_is_scipys_statistic_with_ties_and_unequal_numbers() -> None:
    real, virtual = RNG(0).integers(0, 9, (1, 400)).astype(np.float32), RNG(1).normal(4, 2, (3, 50)).round(1)
    expected = ks_2samp(real.ravel(), virtual.ravel()).statistic
    assert ks_distance(real, virtual).item() == pytest.approx(expected, rel=1e-12)


def test_js_in_bits_of_two_histograms_by_hand() -> None:
    """Half of one side and a quarter of the other in the first of two bins: H(3/8) - (H(1/2) + H(1/4)) / 2."""

    def entropy(share: float) -> float:
        return -share * np.log2(share) - (1 - share) * np.log2(1 - share)

    real, virtual = np.array([[0.0, 0, 1, 1]]), np.array([[0.0, 1, 1, 1]])
    expected = entropy(3 / 8) - (entropy(1 / 2) + entropy(1 / 4)) / 2
    assert js_divergence(real, virtual).item() == pytest.approx(expected)


def test_js_is_the_square_of_scipys_distance_between_the_histograms() -> None:
    """The samples are their own bins here, whatever their frequency."""
    real, virtual = RNG(0).integers(0, 9, (1, 400)), RNG(1).binomial(8, 0.4, (1, 400))
    counts = [np.bincount(side[0], minlength=9) for side in (real, virtual)]
    assert js_divergence(real, virtual, n_bins=1000).item() == pytest.approx(jensenshannon(*counts, base=2) ** 2)


@pytest.mark.parametrize("distance", [ks_distance, js_divergence])
def test_equal_samples_are_at_no_distance_and_disjoint_ones_at_one(distance) -> None:
    real = RNG(0).normal(size=(20, 30, 2))
    assert distance(real, real[::-1, ::-1]).tolist() == [0, 0]
    assert distance(real, real + 100).tolist() == pytest.approx([1, 1])


@pytest.mark.parametrize("distance", [ks_distance, js_divergence])
def test_constant_channels_are_equal_or_have_nothing_in_common(distance) -> None:
    real, virtual = np.zeros((4, 5, 2)), np.zeros((3, 5, 2))
    virtual[:, :, 1] = 1e-6
    assert distance(real, virtual).tolist() == pytest.approx([0, 1])


@pytest.mark.parametrize("distance", [ks_distance, js_divergence])
def test_units_do_not_matter_nor_does_any_increasing_map(distance) -> None:
    real, virtual = RNG(0).normal(size=(20, 30, 1)), 0.5 + RNG(1).normal(size=(10, 15, 1))
    np.testing.assert_allclose(distance(np.exp(real), np.exp(virtual)), distance(real, virtual))


def test_channels_of_window_sets_are_named_and_must_agree() -> None:
    X = RNG(0).normal(size=(4, 5, 2))
    names = ("head_acc_x", "head_acc_y")
    assert ks_distance(window_set(X, names), X + 1).index.tolist() == list(names)
    with pytest.raises(DataFormatError, match="different channels"):
        ks_distance(window_set(X, names), window_set(X, names[::-1]))
    with pytest.raises(DataFormatError, match="different sampling rates"):
        frechet_distance(window_set(X, names), window_set(X, names, rate=50.0))


def test_mmd_is_the_unbiased_sum_over_pairs() -> None:
    real, virtual = RNG(0).normal(size=(5, 3)), 1 + RNG(1).normal(size=(4, 3))

    def kernel(a: np.ndarray, b: np.ndarray) -> float:
        return np.exp(-((a - b) ** 2).sum() / (2 * 1.5**2))

    def mean(pairs: list[float]) -> float:
        return sum(pairs) / len(pairs)

    within = [
        mean([kernel(x[i], x[j]) for i in range(len(x)) for j in range(len(x)) if i != j]) for x in (real, virtual)
    ]
    between = mean([kernel(a, b) for a in real for b in virtual])
    expected = sum(within) - 2 * between
    assert mmd(real, virtual, embed="passthrough", bandwidth=1.5) == pytest.approx(expected)


def test_the_default_bandwidth_is_the_median_distance() -> None:
    real, virtual = np.array([[0.0], [1.0]]), np.array([[3.0], [7.0]])
    # The six distances are 1, 2, 3, 4, 6, 7.
    default = mmd(real, virtual, embed="passthrough")
    assert default == mmd(real, virtual, embed="passthrough", bandwidth=3.5)
    assert default == pytest.approx(mmd(1000 * real, 1000 * virtual, embed="passthrough"))


def test_mmd_of_one_distribution_is_zero_on_average() -> None:
    values = [mmd(*RNG(seed).normal(size=(2, 30, 4)), embed="passthrough") for seed in range(40)]
    assert min(values) < 0
    assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(len(values))


def test_mmd_takes_a_seeded_part_of_many_windows() -> None:
    real, virtual = RNG(0).normal(size=(300, 2)), RNG(1).normal(size=(300, 2))
    options = {"embed": "passthrough", "bandwidth": 1.0}
    first = mmd(real, virtual, max_windows=50, **options)
    assert first == mmd(real, virtual, max_windows=50, **options)
    assert first != mmd(real, virtual, max_windows=50, random_state=1, **options)
    assert first != mmd(real, virtual, **options)


def test_mmd_of_equal_windows_is_zero() -> None:
    assert mmd(np.ones((3, 5, 2)), np.ones((4, 5, 2))) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [({"bandwidth": 0}, "bandwidth must be"), ({"max_windows": 1}, "max_windows must be"), ({}, "single window")],
)
def test_mmd_refuses_what_it_cannot_use(options: dict, message: str) -> None:
    with pytest.raises(DataFormatError, match=message):
        mmd(np.ones((1, 4)), np.ones((5, 4)), **options)


def test_js_refuses_a_single_bin() -> None:
    with pytest.raises(DataFormatError, match="n_bins must be"):
        js_divergence(np.ones((3, 4)), np.ones((3, 4)), n_bins=1)
