"""Rotation turns a sensor: one rotation a window and site, about any axis."""

import numpy as np
import pytest

from har_virtual.augmentation import Rotation
from har_virtual.exceptions import DataFormatError

NAMES = [
    f"{site}_{quantity}_{axis}"
    for site in ("left_wrist", "chest")
    for quantity in ("acc", "gyr", "mag")
    for axis in "xyz"
]


def rng(seed=0):
    return np.random.default_rng(seed)


def windows(n_windows=10, n_channels=18):
    return rng(5).normal(size=(n_windows, 30, n_channels))


def rotation_between(before, after):
    """The matrix that takes the samples (n_samples, 3) of one window to those of another, exact if there is one."""
    solution, _, rank, _ = np.linalg.lstsq(before, after, rcond=None)
    assert rank == 3
    np.testing.assert_allclose(before @ solution, after, atol=1e-10)
    return solution.T


def fitted(augmentation, X):
    """Matrices (n_windows, n_triads, 3, 3) by which an augmentation turned consecutive triads."""
    turned = augmentation(X, rng())
    return np.array(
        [
            [rotation_between(a[:, k : k + 3], b[:, k : k + 3]) for k in range(0, X.shape[2], 3)]
            for a, b in zip(X, turned, strict=True)
        ]
    )


@pytest.mark.parametrize("channels", [None, NAMES])
def test_each_triad_of_each_window_is_turned_by_a_proper_rotation(channels):
    R = fitted(Rotation(channels=channels), windows())
    np.testing.assert_allclose(R @ R.swapaxes(2, 3), np.broadcast_to(np.eye(3), R.shape), atol=1e-9)
    np.testing.assert_allclose(np.linalg.det(R), 1)


def test_the_length_of_every_vector_stays():
    X = windows().astype(np.float32)
    lengths = [np.linalg.norm(each.reshape(10, 30, 6, 3), axis=3) for each in (X, Rotation()(X, rng()))]
    np.testing.assert_allclose(*lengths, rtol=1e-5)


def test_sensors_of_a_site_turn_together_and_sites_apart():
    R = fitted(Rotation(channels=NAMES), windows())
    for first, other in ((0, 1), (0, 2), (3, 4), (3, 5)):
        np.testing.assert_allclose(R[:, first], R[:, other], atol=1e-9)
    assert np.abs(R[:, 0] - R[:, 3]).max(axis=(1, 2)).min() > 0.05


def test_without_names_each_triad_turns_by_itself():
    R = fitted(Rotation(), windows())
    for a in range(6):
        for b in range(a):
            assert np.abs(R[:, a] - R[:, b]).max(axis=(1, 2)).min() > 0.05


def test_names_in_any_order_are_found_and_other_channels_stay():
    names = ["chest_gyr_z", "heart_rate", "chest_acc_y", "chest_acc_x", "chest_gyr_x", "chest_acc_z", "chest_gyr_y"]
    X = windows(n_channels=7)
    turned = Rotation(channels=names)(X, rng())
    np.testing.assert_array_equal(turned[..., 1], X[..., 1])
    acc, gyr = [3, 2, 5], [4, 6, 0]
    for before, after in zip(X, turned, strict=True):
        R = rotation_between(before[:, acc], after[:, acc])
        np.testing.assert_allclose(R, rotation_between(before[:, gyr], after[:, gyr]), atol=1e-9)
        assert np.linalg.det(R) == pytest.approx(1)


def many_turns(max_angle_rad):
    """Rotation vectors (n, 3) of many draws, read off three unit vectors that are turned."""
    turned = Rotation(max_angle_rad)(np.tile(np.eye(3), (4000, 1, 1)), rng(1))
    R = turned.swapaxes(1, 2)
    # The antisymmetric part of R is sin(angle) times the axis; its trace 1 + 2 cos(angle).
    axis = np.stack([R[:, 2, 1] - R[:, 1, 2], R[:, 0, 2] - R[:, 2, 0], R[:, 1, 0] - R[:, 0, 1]], axis=1) / 2
    angle = np.arctan2(np.linalg.norm(axis, axis=1), (np.trace(R, axis1=1, axis2=2) - 1) / 2)
    return axis / np.linalg.norm(axis, axis=1, keepdims=True), angle


@pytest.mark.parametrize("max_angle_rad", [np.pi, 0.5])
def test_the_angle_is_uniform_up_to_the_largest(max_angle_rad):
    _, angle = many_turns(max_angle_rad)
    assert angle.max() <= max_angle_rad + 1e-9
    shares = np.histogram(angle, bins=10, range=(0, max_angle_rad))[0] / len(angle)
    np.testing.assert_allclose(shares, 0.1, atol=4 * np.sqrt(0.09 / len(angle)))


def test_the_axis_prefers_no_direction():
    axis, _ = many_turns(3.0)
    # Archimedes: each coordinate of a point uniform on the sphere is uniform.
    for coordinate in (*axis.T, axis @ np.ones(3) / np.sqrt(3)):
        shares = np.histogram(coordinate, bins=8, range=(-1, 1))[0] / len(axis)
        np.testing.assert_allclose(shares, 1 / 8, atol=4 * np.sqrt(7 / 64 / len(axis)))


def test_windows_of_a_batch_turn_apart():
    R = fitted(Rotation(channels=NAMES), windows())
    assert np.abs(R[1:, 0] - R[:-1, 0]).max(axis=(1, 2)).min() > 0.05


def test_names_may_come_one_by_one():
    assert Rotation(channels=(name for name in NAMES)) == Rotation(channels=np.array(NAMES))


def test_an_angle_of_zero_turns_nothing():
    np.testing.assert_allclose(Rotation(0.0)(windows(), rng()), windows(), atol=1e-12)


@pytest.mark.parametrize("n_channels", [1, 2, 4, 10])
def test_windows_without_triads_are_refused(n_channels):
    with pytest.raises(DataFormatError, match=f"the windows have {n_channels} channels without names"):
        Rotation()(windows(n_channels=n_channels), rng())


def test_windows_with_another_number_of_channels_than_names_are_refused():
    with pytest.raises(DataFormatError, match="the names of 18 channels, but the windows have 9"):
        Rotation(channels=NAMES)(windows(n_channels=9), rng())


@pytest.mark.parametrize(
    ("channels", "message"),
    [
        (["a", "b", "c"], "No channel is named"),
        (NAMES[:2], "a vector has three axes"),
        (set(NAMES[:3]), "must be a sequence of names"),
        (NAMES[:3] * 2, "name each of the 6 channels once"),
        ([], "No channel is named"),
        ("left_wrist_acc_x", "must be a sequence of names"),
        ([1, 2, 3], "must be a sequence of names"),
        (3, "must be a sequence of names"),
    ],
)
def test_names_without_triads_are_refused_at_once(channels, message):
    with pytest.raises(DataFormatError, match=message):
        Rotation(channels=channels)


@pytest.mark.parametrize("angle", [-0.1, 4.0, np.nan, "half a turn"])
def test_an_angle_beyond_half_a_turn_is_refused(angle):
    with pytest.raises(DataFormatError, match="max_angle_rad must be a finite number from 0 to 3"):
        Rotation(angle)
