"""Time warping, cropping and permutation against their definitions."""

from itertools import groupby

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from har_virtual.augmentation import Crop, Permutation, TimeWarp
from har_virtual.exceptions import DataFormatError


def rng(seed=0):
    return np.random.default_rng(seed)


def ramps(n_windows, n_samples, slopes=(1.0, -2.0, 0.5)):
    """Channels that rise evenly: what stands at a sample tells the time at which it was read."""
    return np.tile(np.arange(n_samples)[:, np.newaxis] * np.array(slopes), (n_windows, 1, 1))


@pytest.mark.parametrize(("sigma", "n_knots", "n_samples"), [(0.2, 4, 30), (1.5, 4, 30), (0.2, 1, 100), (0.5, 20, 10)])
def test_time_warp_has_one_rising_curve_from_first_to_last_sample_for_all_channels(sigma, n_knots, n_samples):
    warped = TimeWarp(sigma, n_knots)(ramps(50, n_samples), rng())
    times = warped[..., 0]
    np.testing.assert_allclose(warped, times[..., np.newaxis] * [1.0, -2.0, 0.5], atol=1e-9)
    np.testing.assert_allclose(times[:, 0], 0, atol=1e-9)
    np.testing.assert_allclose(times[:, -1], n_samples - 1, atol=1e-9)
    assert (np.diff(times, axis=1) > 0).all()


@pytest.mark.parametrize(("sigma", "least_met"), [(0.2, False), (1.5, True)])
def test_time_warp_moves_samples_by_summed_durations_of_a_spline_around_one(sigma, least_met):
    # The same draws, made here by the definition, with scipy's spline and numpy's interpolation.
    n_knots, n_samples = 4, 30
    X = rng(3).normal(size=(5, n_samples, 2))
    warped = TimeWarp(sigma, n_knots)(X, rng())
    draws = rng()
    draws.random(5)
    for before, after in zip(X, warped, strict=True):
        knots = draws.normal(1, sigma, n_knots + 2)
        durations = CubicSpline(np.linspace(0, n_samples - 1, n_knots + 2), knots)(np.arange(n_samples))
        assert (durations.min() < 0.1) == least_met
        moved = np.concatenate([[0], np.cumsum(np.maximum(durations[1:], 0.1))])
        moved *= (n_samples - 1) / moved[-1]
        # Read where the moved samples stand at even times, and there between the old samples.
        read = np.interp(np.arange(n_samples), moved, np.arange(n_samples))
        expected = [np.interp(read, np.arange(n_samples), channel) for channel in before.T]
        np.testing.assert_allclose(after, np.transpose(expected), atol=1e-9)


def test_time_warp_shows_only_values_between_neighbours():
    X = rng(3).normal(size=(20, 30, 3))
    warped = TimeWarp(0.5)(X, rng())
    assert (warped.max(axis=1) <= X.max(axis=1)).all() and (warped.min(axis=1) >= X.min(axis=1)).all()


def test_time_warp_takes_other_curves_for_other_windows_and_more_of_them_with_more_sigma():
    def spread(sigma):
        return (TimeWarp(sigma)(ramps(300, 30), rng())[..., 0] - np.arange(30)).std(axis=0).max()

    # Small sigmas move time in proportion; the windows' curves differ.
    assert spread(0.1) == pytest.approx(2 * spread(0.05), rel=0.05)
    assert spread(0.1) > 0.1


@pytest.mark.parametrize("n_samples", [1, 2])
def test_one_or_two_samples_leave_a_time_warp_nothing_to_move(n_samples):
    X = rng().normal(size=(5, n_samples, 3))
    np.testing.assert_array_equal(TimeWarp()(X, rng()), X)


@pytest.mark.parametrize("fraction", [0.9, 0.5, 1.0, 1e-3])
def test_crop_stretches_a_part_of_the_length_asked_for(fraction):
    times = Crop(fraction)(ramps(500, 31), rng())
    np.testing.assert_allclose(times, times[..., :1] * [1.0, -2.0, 0.5], atol=1e-9)
    np.testing.assert_allclose(np.diff(times[..., 0], axis=1), fraction, atol=1e-9)
    first, room = times[:, 0, 0], (1 - fraction) * 30
    assert first.min() >= -1e-9 and times[:, -1, 0].max() <= 30 + 1e-9
    if room:
        shares = np.histogram(first, bins=4, range=(0, room))[0] / 500
        np.testing.assert_allclose(shares, 0.25, atol=4 * np.sqrt(3 / 16 / 500))


def test_the_whole_as_crop_changes_nothing():
    X = rng().normal(size=(5, 30, 3))
    np.testing.assert_allclose(Crop(1.0)(X, rng()), X, atol=1e-12)


def test_crop_reads_linearly_between_samples():
    X = rng(3).normal(size=(5, 30, 2))
    start = Crop(0.6)(ramps(5, 30), rng())[:, 0, 0]
    for before, after, first in zip(X, Crop(0.6)(X, rng()), start, strict=True):
        expected = [np.interp(first + 0.6 * np.arange(30), np.arange(30), channel) for channel in before.T]
        np.testing.assert_allclose(after, np.transpose(expected), atol=1e-9)


@pytest.mark.parametrize("fraction", [0.0, -0.5, 1.5, np.nan, "part"])
def test_a_fraction_that_is_none_is_refused(fraction):
    with pytest.raises(DataFormatError, match="fraction must be a finite number"):
        Crop(fraction)


def segments_of(order):
    """Lengths of the runs of consecutive samples."""
    return [len(list(run)) for _, run in groupby(enumerate(order), key=lambda pair: pair[1] - pair[0])]


@pytest.mark.parametrize(
    ("n_segments", "least", "n_samples", "least_meant"),
    [
        (4, None, 30, 3),
        (4, 7, 30, 7),
        (4, None, 7, 1),
        (3, None, 100, 16),
        (3, 10, 30, 10),
        (2, 1, 2, 1),
        (5, None, 5, 1),
    ],
)
def test_permutation_keeps_all_samples_in_contiguous_segments(n_segments, least, n_samples, least_meant):
    orders = Permutation(n_segments, least)(ramps(300, n_samples), rng())
    np.testing.assert_array_equal(orders, orders[..., :1] * [1.0, -2.0, 0.5])
    orders = orders[..., 0].astype(int)
    np.testing.assert_array_equal(np.sort(orders, axis=1), np.tile(np.arange(n_samples), (300, 1)))
    lengths = [segments_of(order) for order in orders]
    # Neighbours that stay neighbours make one run of two segments.
    assert max(map(len, lengths)) == n_segments
    assert min(map(min, lengths)) >= least_meant
    assert min(length for runs in lengths if len(runs) == n_segments for length in runs) == least_meant


def test_each_order_of_segments_is_as_likely():
    # Segments of one sample: the order of the samples is that of the segments.
    orders = Permutation(3)(ramps(6000, 3), rng())[..., 0].astype(int)
    kinds, counts = np.unique(orders, axis=0, return_counts=True)
    assert len(kinds) == 6
    np.testing.assert_allclose(counts / 6000, 1 / 6, atol=4 * np.sqrt(5 / 36 / 6000))


def test_windows_of_a_batch_are_cut_at_different_places():
    orders = Permutation(2)(ramps(500, 40), rng())[..., 0]
    cut = orders[orders[:, 0] > 0][:, 0]
    assert cut.min() == 10 and cut.max() == 30
    assert cut.mean() == pytest.approx(20, abs=4 * 6.1 / np.sqrt(len(cut)))


def test_a_window_with_fewer_samples_than_segments_has_a_segment_a_sample():
    orders = Permutation(4)(ramps(200, 2), rng())[..., 0]
    assert {tuple(order) for order in orders} == {(0, 1), (1, 0)}
    np.testing.assert_array_equal(Permutation(4)(ramps(5, 1), rng()), ramps(5, 1))


def test_windows_too_short_for_the_least_segments_are_refused_instead_of_drawn_for_ever():
    with pytest.raises(DataFormatError, match="30 samples has no room for 4 segments of at least 10"):
        Permutation(4, 10)(ramps(5, 30), rng())


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_segments": 1}, "n_segments must be a whole number from 2"),
        ({"n_segments": 2.5}, "n_segments must be a whole number from 2"),
        ({"min_segment_samples": 0}, "min_segment_samples must be a whole number from 1"),
        ({"min_segment_samples": "some"}, "min_segment_samples must be a whole number from 1"),
    ],
)
def test_segments_that_are_no_counts_are_refused(parameters, message):
    with pytest.raises(DataFormatError, match=message):
        Permutation(**parameters)
