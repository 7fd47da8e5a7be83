"""Light and shadow."""

from __future__ import annotations

import numpy as np
import pytest

from har_virtual.camera import Intrinsics
from har_virtual.studio.cameras import Camera
from har_virtual.studio.capsules import Hits
from har_virtual.studio.room import Room
from har_virtual.studio.shading import add_noise, cast_shadow, lamp_direction, shade, soften_edges

SIZE = (160, 120)
CAMERA = Camera((0.4, -0.6, 2.5), heading_deg=35.0, pitch_deg=-70.0, size_px=SIZE)


def brightness(normal, lamp, rotation):
    """Of a white surface whose normal is given in the world."""
    normals = (np.array([normal], dtype=np.float32) @ rotation).astype(np.float32)
    hits = Hits(np.array([0]), np.array([0]), np.ones(1, np.float32), normals)
    return shade(hits, np.ones((1, 3)), rotation, np.asarray(lamp, dtype=float))[0, 0]


def floor_light(joint_m):
    """Share of light at each pixel, and where on the floor that is."""
    rotation, position = (part[0] for part in CAMERA.pose([0.0]))
    depth = Room(0, (9.0, 9.0, 2.8)).cast(position, rotation, CAMERA.intrinsics, SIZE)[1]
    image = np.full((SIZE[1], SIZE[0], 3), 200, np.uint8)
    cast_shadow(image, depth, np.array([joint_m]), rotation, position, CAMERA.intrinsics)
    rows, columns = np.indices(depth.shape)
    points = CAMERA.intrinsics.unproject(np.stack([columns, rows], -1) + 0.5, depth) @ rotation.T + position
    return image[..., 0] / 200, points


def test_what_faces_the_lamp_and_the_sky_is_brighter():
    rotation = CAMERA.pose([0.0])[0][0]
    for lamp in np.eye(3):
        away = np.roll(lamp, 1)
        # Light from beside the camera and the sky come on top of the lamp's.
        with_lamp, other_lamp = brightness(lamp, lamp, rotation), brightness(lamp, away, rotation)
        assert with_lamp - other_lamp == pytest.approx(0.40, abs=1e-5)
        assert brightness(lamp, -lamp, rotation) == pytest.approx(other_lamp, abs=1e-5)


def test_the_sky_lights_from_above_and_the_camera_from_itself():
    rotation = CAMERA.pose([0.0])[0][0]
    level = np.array([np.cos(np.deg2rad(35)), np.sin(np.deg2rad(35)), 0.0])
    # The normals are at right angles to the line of sight or away from it, the lamp beside them.
    assert brightness(level, (0, 0, -1), rotation) == pytest.approx(0.50, abs=1e-5)
    assert brightness((0, 0, -1), level, rotation) == pytest.approx(0.50 - 0.14, abs=1e-5)
    towards = -rotation[:, 2]
    expected = 0.50 + 0.14 * towards[2] + 0.12
    assert brightness(towards, level, rotation) == pytest.approx(expected, abs=1e-5)


def test_lamps_are_unit_vectors_above_the_horizon_all_around():
    lamps = np.array([lamp_direction(np.random.default_rng(seed)) for seed in range(40)])
    np.testing.assert_allclose(np.linalg.norm(lamps, axis=1), 1)
    np.testing.assert_allclose(lamps[:, 2], np.sin(np.deg2rad(50)))
    assert (lamps[:, :2].min(axis=0) < -0.3).all() and (lamps[:, :2].max(axis=0) > 0.3).all()


@pytest.mark.parametrize("height_m", [0.0, 0.2])
def test_shadow_lies_below_the_joint_with_the_spread_and_depth_of_its_height(height_m):
    light, points = floor_light((0.1, 0.3, height_m))
    floor = np.abs(points[..., 2]) < 0.005
    dark = np.where(floor, 1 - light, 0.0)
    center = (points[..., :2] * dark[..., None]).sum(axis=(0, 1)) / dark.sum()
    np.testing.assert_allclose(center, [0.1, 0.3], atol=0.02)
    distances = np.linalg.norm(points[..., :2] - [0.1, 0.3], axis=-1)
    spread, strength = 0.09 + 0.35 * height_m, np.exp(-height_m / 0.40)
    expected = 0.55 * (1 - np.exp(-strength * np.exp(-0.5 * (distances / spread) ** 2)))
    near = floor & (distances < 2 * spread)
    assert near.sum() > 100
    np.testing.assert_allclose(dark[near], expected[near], atol=0.05)


def test_high_joints_cast_no_shadow():
    light, _ = floor_light((0.1, 0.3, 1.5))
    assert (light == 1).all()


def test_shadow_falls_on_the_floor_alone():
    image, depth = np.full((120, 160, 3), 200, np.uint8), np.full((120, 160), 1.0, np.float32)
    rotation, position = (part[0] for part in CAMERA.pose([0.0]))
    cast_shadow(image, depth, np.array([(0.1, 0.3, 0.0)]), rotation, position, Intrinsics((100, 100), (80, 60)))
    assert (image == 200).all()


def test_edges_take_an_eighth_of_each_neighbour_and_the_inside_stays():
    image = np.zeros((8, 10, 3), np.uint8)
    image[2:6, 3:8] = 160
    # A black dot in each of two corners, or the neighbours would be outside of the box around the hits.
    pixels = np.array([0, *np.flatnonzero(image[..., 0]), 79])
    soften_edges(image, Hits(pixels, np.zeros(22, int), np.ones(22), np.zeros((22, 3))))
    assert image[4, 2, 0] == 20 and image[4, 3, 0] == 140
    assert (image[3:5, 4:7] == 160).all() and (image[0] == 0).all() and (image[:, 0] == 0).all()


def test_noise_is_a_piece_of_the_sheet():
    sheet = np.arange(-60, 60, dtype=np.int8).reshape(5, 8, 3)
    image = np.full((4, 6, 3), 128, np.uint8)
    added = add_noise(image, sheet, np.random.default_rng(0)).astype(int) - 128
    pieces = [sheet[i : i + 4, j : j + 6] for i in range(2) for j in range(3)]
    assert sum(np.array_equal(added, piece) for piece in pieces) == 1
