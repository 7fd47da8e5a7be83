"""Jitter, scaling and magnitude warping against their definitions."""

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from har_virtual.augmentation import Jitter, MagnitudeWarp, Scaling
from har_virtual.exceptions import DataFormatError


def rng(seed=0):
    return np.random.default_rng(seed)


def test_jitter_is_white_noise_of_the_standard_deviation_asked_for():
    noise = Jitter(0.5, relative=False)(np.full((400, 30, 3), 9.81), rng()) - 9.81
    n = noise.size
    assert noise.mean() == pytest.approx(0, abs=4 * 0.5 / np.sqrt(n))
    assert noise.std() == pytest.approx(0.5, rel=4 / np.sqrt(2 * n))
    for step in (noise[:, 1:] * noise[:, :-1], noise[..., 1:] * noise[..., :-1], noise[1:] * noise[:-1]):
        assert step.mean() == pytest.approx(0, abs=4 * 0.25 / np.sqrt(step.size))


def test_relative_jitter_is_a_share_of_each_channel_s_standard_deviation_over_the_batch():
    scale = np.array([3.0, 0.2, 50.0])
    X = rng(1).normal(size=(300, 30, 3)) * scale + [9.81, 0, 20]
    noise = Jitter(0.05)(X, rng()) - X
    np.testing.assert_allclose(noise.std(axis=(0, 1)), 0.05 * scale, rtol=0.05)


def test_relative_jitter_is_as_strong_in_a_window_at_rest_as_in_a_lively_one():
    X = rng(1).normal(size=(2, 2000, 1)) * [[[0.0]], [[4.0]]]
    noise = (Jitter(0.1)(X, rng()) - X).std(axis=1).ravel()
    np.testing.assert_allclose(noise, 0.1 * X.std(), rtol=0.1)


def test_relative_jitter_leaves_a_channel_that_never_changes():
    X = np.ones((4, 30, 2))
    X[:, ::2, 1] = 0
    noise = Jitter()(X, rng()) - X
    assert not noise[..., 0].any() and noise[..., 1].all()


def test_relative_jitter_measures_the_whole_batch_not_only_the_windows_drawn():
    X = np.zeros((200, 30, 1))
    X[0] = 100.0
    noise = Jitter(0.1, p=0.1)(X, rng()) - X
    assert not noise[0].any(), "the one lively window is not among those drawn"
    assert noise[noise != 0].std() == pytest.approx(0.1 * X.std(), rel=0.1)


def test_relative_jitter_measures_a_million_values_far_from_zero():
    # Single precision adds 9.81 to a sum of millions in coarse steps.
    X = np.full((60_000, 30, 3), 9.81, dtype=np.float32)
    X += np.tile([0.1, -0.1], 15).astype(np.float32)[:, np.newaxis]
    noise = Jitter(0.5)(X, rng()) - X
    np.testing.assert_allclose(noise.std(axis=(0, 1), dtype=np.float64), 0.05, rtol=5e-3)


@pytest.mark.parametrize("relative", ["yes", 1, None])
def test_relative_is_true_or_false(relative):
    with pytest.raises(DataFormatError, match="relative must be True or False"):
        Jitter(relative=relative)


def test_scaling_multiplies_each_channel_of_each_window_by_one_factor_around_one():
    X = rng(1).normal(size=(500, 30, 4)) + 5
    ratio = Scaling(0.1)(X, rng()) / X
    np.testing.assert_allclose(ratio, np.broadcast_to(ratio[:, :1], ratio.shape), rtol=1e-12)
    factors = ratio[:, 0]
    assert factors.mean() == pytest.approx(1, abs=4 * 0.1 / np.sqrt(factors.size))
    assert factors.std() == pytest.approx(0.1, rel=4 / np.sqrt(2 * factors.size))
    assert np.abs(np.corrcoef(factors.T) - np.eye(4)).max() < 4 / np.sqrt(500)


@pytest.mark.parametrize(("n_samples", "n_knots"), [(30, 4), (31, 1), (100, 10), (24, 2)])
def test_magnitude_warp_is_the_cubic_spline_through_its_knots(n_samples, n_knots):
    # Knots on samples can be read off the curve; those between samples are fitted to it.
    curves = MagnitudeWarp(0.2, n_knots)(np.ones((5, n_samples, 3)), rng())
    places = np.linspace(0, n_samples - 1, n_knots + 2)
    times = np.arange(n_samples)
    unit = np.stack([CubicSpline(places, row)(times) for row in np.eye(n_knots + 2)], axis=1)
    for curve in curves.transpose(0, 2, 1).reshape(-1, n_samples):
        knots, *_ = np.linalg.lstsq(unit, curve, rcond=None)
        np.testing.assert_allclose(CubicSpline(places, knots)(times), curve, atol=1e-10)


def test_the_knots_of_magnitude_warp_are_normal_around_one_and_each_channel_has_its_own():
    # Four knots between the ends of 31 samples would lie at 6.2, ...; of 26 they lie at 5, 10, ...
    curves = MagnitudeWarp(0.2, 4)(np.ones((400, 26, 3)), rng())
    knots = curves[:, ::5]
    assert knots.mean() == pytest.approx(1, abs=4 * 0.2 / np.sqrt(knots.size))
    assert knots.std() == pytest.approx(0.2, rel=4 / np.sqrt(2 * knots.size))
    correlation = np.corrcoef(knots.reshape(400, -1).T)
    assert np.abs(correlation - np.eye(18)).max() < 5 / np.sqrt(400)


def test_magnitude_warp_multiplies():
    X = rng(1).normal(size=(3, 30, 2))
    curves = MagnitudeWarp()(np.ones_like(X), rng())
    np.testing.assert_allclose(MagnitudeWarp()(X, rng()), X * curves, rtol=1e-12)
