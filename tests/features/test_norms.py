"""Norms of a vector do not change when the sensor is turned about the segment."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from har_virtual.exceptions import DataFormatError
from har_virtual.features import NormChannels

NAMES = [f"left_wrist_{quantity}_{axis}" for quantity in ("acc", "gyr") for axis in "xyz"]


def windows(n_channels=6):
    return np.random.default_rng(0).normal(size=(5, 20, n_channels))


def test_norm_and_norm_across_of_a_known_vector():
    extended = NormChannels(axis="z").fit_transform(np.tile([3.0, 4.0, 12.0], (2, 4, 1)))
    np.testing.assert_allclose(extended, np.tile([3, 4, 12, 13, 5], (2, 4, 1)))


def test_new_channels_do_not_change_with_twist_and_the_old_ones_do():
    X = windows()
    twisted = (X.reshape(5, 20, 2, 3) @ Rotation.from_euler("x", 70, degrees=True).as_matrix().T).reshape(X.shape)
    norms = NormChannels(channels=NAMES).fit(X)
    np.testing.assert_allclose(norms.transform(twisted)[..., 6:], norms.transform(X)[..., 6:], atol=1e-12)
    assert np.abs(twisted - X).max() > 0.5


def test_any_direction_can_be_the_segments():
    X = windows(3)
    turn = Rotation.from_rotvec([0.4, -1.0, 2.0]).as_matrix()
    expected = NormChannels().fit_transform(X)[..., 3:]
    turned = NormChannels(axis=turn @ [2.0, 0, 0]).fit_transform(X @ turn.T)[..., 3:]
    np.testing.assert_allclose(turned, expected, atol=1e-12)


def test_a_vector_along_the_segment_has_nothing_across_it():
    along = NormChannels(axis=(1, 1, 1)).fit_transform(np.full((1, 2, 3), 0.1))
    np.testing.assert_allclose(along[..., 4], 0, atol=1e-8)


def test_new_channels_are_named_and_old_ones_come_first():
    X = windows()
    norms = NormChannels(channels=NAMES).fit(X)
    added = [f"left_wrist_{quantity}_{kind}" for quantity in ("acc", "gyr") for kind in ("norm", "across")]
    assert norms.channels_out_ == NAMES + added
    np.testing.assert_array_equal(norms.transform(X)[..., :6], X)


def test_channels_that_are_no_triad_get_no_norm():
    names = [*NAMES[:3], "heart_rate"]
    norms = NormChannels(channels=names).fit(windows(4))
    assert norms.channels_out_ == [*names, "left_wrist_acc_norm", "left_wrist_acc_across"]
    assert NormChannels().fit_transform(windows(4)).shape == (5, 20, 4)


def test_float32_stays_float32():
    assert NormChannels().fit_transform(windows().astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize("axis", [(0, 0, 0), (1, 0), (np.nan, 0, 1)])
def test_an_axis_that_is_no_direction_is_refused(axis):
    with pytest.raises(DataFormatError, match="axis must be"):
        NormChannels(axis=axis).fit(windows())
