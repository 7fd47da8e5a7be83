"""The way from the camera to the world in cases that a person can check by hand."""

from __future__ import annotations

import numpy as np
import pytest

from har_virtual.camera import camera_to_world

RIGHT, DOWN, FORWARD = np.eye(3)
UP = np.array([0.0, 0.0, 1.0])


def test_a_level_camera_takes_x_y_z_to_x_z_minus_y():
    np.testing.assert_allclose(camera_to_world() @ [1, 2, 3], [1, 3, -2])


def test_every_camera_is_a_rotation():
    for pitch in (-90, -30, 0, 45, 120):
        for roll in (-180, -20, 0, 70):
            rotation = camera_to_world(pitch, roll)
            np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
            assert np.linalg.det(rotation) == pytest.approx(1)


def test_a_camera_that_looks_straight_up_sees_the_sky():
    rotation = camera_to_world(pitch_deg=90)
    np.testing.assert_allclose(rotation @ FORWARD, UP, atol=1e-12)
    # Its upper edge then points backwards.
    np.testing.assert_allclose(rotation @ -DOWN, [0, -1, 0], atol=1e-12)
    np.testing.assert_allclose(rotation @ RIGHT, [1, 0, 0], atol=1e-12)


def test_a_camera_that_looks_straight_down_sees_the_floor():
    rotation = camera_to_world(pitch_deg=-90)
    np.testing.assert_allclose(rotation @ FORWARD, -UP, atol=1e-12)
    np.testing.assert_allclose(rotation @ -DOWN, [0, 1, 0], atol=1e-12)


def test_a_camera_under_the_ceiling_looks_down_by_its_pitch():
    forward = camera_to_world(pitch_deg=-30) @ FORWARD
    np.testing.assert_allclose(forward, [0, np.sqrt(3) / 2, -0.5], atol=1e-12)


def test_a_camera_turned_clockwise_has_its_right_side_low():
    rotation = camera_to_world(roll_deg=30)
    np.testing.assert_allclose(rotation @ RIGHT, [np.sqrt(3) / 2, 0, -0.5], atol=1e-12)
    np.testing.assert_allclose(rotation @ FORWARD, [0, 1, 0], atol=1e-12)
    # On its right side: what is right in the picture is down in the world.
    np.testing.assert_allclose(camera_to_world(roll_deg=90) @ RIGHT, -UP, atol=1e-12)


def test_a_person_who_stands_upright_leans_in_the_picture_of_a_turned_camera_against_it():
    # Clockwise camera: the vertical of the world is tilted counter-clockwise in the picture, to the left.
    up_in_picture = camera_to_world(roll_deg=20).T @ UP
    assert up_in_picture[0] < 0 < -up_in_picture[1]


def test_roll_turns_about_the_line_of_sight_and_pitch_about_the_horizontal():
    for roll in (-40, 0, 25):
        forward = camera_to_world(pitch_deg=20, roll_deg=roll) @ FORWARD
        np.testing.assert_allclose(forward, camera_to_world(pitch_deg=20) @ FORWARD, atol=1e-12)
        assert np.arcsin(forward[2]) == pytest.approx(np.deg2rad(20))
        # Heading is free, and stays where the level camera looks.
        assert forward[0] == pytest.approx(0)
