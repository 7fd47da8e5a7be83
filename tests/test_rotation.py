from __future__ import annotations

import numpy as np
import oracle
import pytest

from har_virtual.exceptions import DataFormatError
from har_virtual.rotation import about_up, angular_velocity, check_rotations, continuous_quaternions, rotation_matrices


def test_quaternions_do_not_jump_over_many_turns_of_several_sensors():
    angle = np.linspace(0, 20, 500)
    rotations = np.stack([oracle.rotation_about("z", angle), oracle.rotation_about("x", -2 * angle)], axis=1)
    quaternions = continuous_quaternions(rotations)
    assert quaternions.shape == (500, 2, 4)
    assert np.abs(np.diff(quaternions, axis=0)).max() < 0.05
    half = np.stack([np.cos(angle / 2), 0 * angle, 0 * angle, np.sin(angle / 2)], axis=1)
    np.testing.assert_allclose(quaternions[:, 0] * np.sign(quaternions[0, 0, 0]), half, atol=1e-12)


def test_matrices_come_back_from_quaternions_of_any_length():
    rotations = oracle.circle(np.linspace(0, 3, 100)).rotations
    np.testing.assert_allclose(rotation_matrices(3.7 * continuous_quaternions(rotations)), rotations, atol=1e-12)


def test_angular_velocity_is_in_the_body_frame_and_follows_the_right_hand():
    # Turned a quarter about x, the body's own y axis points up: a turn about the vertical is a turn about body y.
    quarter = np.array([np.cos(np.pi / 4), np.sin(np.pi / 4), 0.0, 0.0])
    w, x = quarter[:2]
    world_z_rate = 0.5 * np.array([0.0, 0.0, x, w])  # d/dt of (cos(t/2), 0, 0, sin(t/2)) * quarter at t = 0
    np.testing.assert_allclose(angular_velocity(quarter, world_z_rate), [0.0, 1.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(angular_velocity(2 * quarter, 2 * world_z_rate), [0.0, 1.0, 0.0], atol=1e-12)


@pytest.mark.parametrize(
    ("rotations", "message"),
    [
        (np.eye(4), "shape"),
        (np.full((3, 3), np.nan), "NaN"),
        (1.01 * np.eye(3), "orthonormal"),
        (np.diag([1.0, 1.0, -1.0]), "reflection"),
    ],
)
def test_what_is_no_rotation_is_refused(rotations, message):
    with pytest.raises(DataFormatError, match=message):
        check_rotations(rotations)


def test_a_quarter_turn_about_up_takes_east_to_north():
    assert np.allclose(about_up(90.0) @ np.eye(3), np.transpose([[0, 1, 0], [-1, 0, 0], [0, 0, 1]]))
