"""Pinhole and lens, there and back."""

from __future__ import annotations

import numpy as np
import pytest

from har_virtual.camera import Intrinsics
from har_virtual.camera.intrinsics import PRIOR_FOCAL
from har_virtual.exceptions import DataFormatError

LENSES = {
    "none": (),
    "barrel": (-0.3, 0.1, 0.0, 0.0),
    "strong barrel": (-0.4, 0.2, 0.0, 0.0),
    "pincushion": (0.15, -0.02, 0.0, 0.0),
    "tangential": (-0.2, 0.05, 0.002, -0.001),
    "five": (-0.25, 0.1, 0.001, 0.001, -0.01),
    "rational": (0.2, 0.05, 0.0, 0.0, 0.01, 0.3, 0.1, 0.02),
}


def grid() -> np.ndarray:
    return np.stack(np.meshgrid(np.linspace(0, 1920, 9), np.linspace(0, 1080, 7)), axis=-1)


@pytest.mark.parametrize("distortion", LENSES.values(), ids=LENSES)
def test_pixels_come_back_from_points_all_over_the_picture(distortion: tuple[float, ...]):
    camera = Intrinsics((1200.0, 1150.0), (950.0, 545.0), distortion)
    depths = np.linspace(0.5, 20, 63).reshape(7, 9)
    points = camera.unproject(grid(), depths)
    assert points.shape == (7, 9, 3)
    np.testing.assert_array_equal(points[..., 2], depths)
    np.testing.assert_allclose(camera.project(points), grid(), rtol=0, atol=1e-3)
    np.testing.assert_allclose(camera.normalize(grid()), points[..., :2] / points[..., 2:], atol=1e-12)


def test_distortion_follows_the_formula_of_brown_and_conrady():
    k1, k2, p1, p2, k3 = distortion = (-0.25, 0.1, 0.003, -0.002, -0.01)
    camera = Intrinsics((1000.0, 900.0), (640.0, 360.0), distortion)
    x, y = 0.4, -0.25
    r2 = x**2 + y**2
    radial = 1 + k1 * r2 + k2 * r2**2 + k3 * r2**3
    expected = (
        1000 * (x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x**2)) + 640,
        900 * (y * radial + p1 * (r2 + 2 * y**2) + 2 * p2 * x * y) + 360,
    )
    np.testing.assert_allclose(camera.project(np.array([0.8, -0.5, 2.0])), expected)


def test_a_pinhole_is_focal_length_times_ratio_plus_centre():
    camera = Intrinsics((1000.0, 900.0), (640.0, 360.0))
    # x is right, y is down.
    np.testing.assert_allclose(
        camera.project(np.array([[1.0, 0.5, 2.0], [-1.0, -0.5, 2.0]])), [[1140, 585], [140, 135]]
    )
    np.testing.assert_array_equal(camera.matrix, [[1000, 0, 640], [0, 900, 360], [0, 0, 1]])


def test_twice_the_distance_is_half_the_size():
    camera = Intrinsics.prior(1280, 720)
    near, far = (camera.project(np.array([[0.0, 0, z], [1.0, 0, z]])) for z in (3.0, 6.0))
    assert near[1, 0] - near[0, 0] == pytest.approx(2 * (far[1, 0] - far[0, 0]))


def test_the_prior_says_what_it_assumes():
    for width, height in ((1920, 1080), (1080, 1920)):
        camera = Intrinsics.prior(width, height)
        assert camera.focal_px == (1920 * PRIOR_FOCAL, 1920 * PRIOR_FOCAL)
        assert camera.center_px == (width / 2, height / 2)
        assert camera.distortion == ()
        assert camera.source == "prior: 1 x the longer side"
    assert Intrinsics.prior(1920, 1080, focal=0.8).focal_px == (1536.0, 1536.0)
    assert Intrinsics((1, 1), (0, 0)).source == "given"


def test_the_edge_of_the_picture_lies_at_half_the_field_of_view():
    camera = Intrinsics.from_field_of_view(1280, 720, 70.0)
    ray = camera.normalize(np.array([[1280.0, 360.0], [0.0, 360.0]]))
    np.testing.assert_allclose(np.rad2deg(np.arctan(ray)), [[35, 0], [-35, 0]], atol=1e-12)
    assert camera.focal_px[0] == camera.focal_px[1]
    assert "70 deg" in camera.source
    # A 36 mm lens in front of a 36 mm wide picture.
    assert Intrinsics.from_field_of_view(1920, 1080, 2 * np.rad2deg(np.arctan(0.5))).focal_px[0] == pytest.approx(1920)


def test_any_sequence_of_numbers_is_the_same_camera():
    first = Intrinsics((1000, 1000), (640, 360), [-0.1, 0, 0, 0])
    second = Intrinsics(np.array([1000.0, 1000.0]), [640.0, 360.0], np.array([-0.1, 0.0, 0.0, 0.0]))
    assert first == second
    assert repr(first) == repr(second)
    assert len({first, second}) == 1


@pytest.mark.parametrize(
    ("focal", "centre", "distortion"),
    [
        pytest.param((0, 1000), (1, 1), (), id="no focal length"),
        pytest.param((1000, -1), (1, 1), (), id="negative focal length"),
        pytest.param((np.nan, 1000), (1, 1), (), id="nan"),
        pytest.param((1000, 1000), (np.inf, 1), (), id="infinite centre"),
        pytest.param((1000,), (1, 1), (), id="one focal length"),
        pytest.param(1000, (1, 1), (), id="a scalar"),
        pytest.param((1000, 1000), (1, 1, 1), (), id="three of a centre"),
        pytest.param((1000, "wide"), (1, 1), (), id="text"),
        pytest.param((1000, 1000), (1, 1), (0.1, 0.2), id="two coefficients"),
        pytest.param((1000, 1000), (1, 1), (0.1, 0.2, np.nan, 0), id="nan coefficient"),
        pytest.param((1000, 1000), (1, 1), None, id="no distortion at all"),
    ],
)
def test_numbers_that_are_no_camera_are_refused(focal: object, centre: object, distortion: object):
    with pytest.raises(DataFormatError, match="Intrinsics"):
        Intrinsics(focal, centre, distortion)


@pytest.mark.parametrize("angle", [0, 180, 200, -30, np.nan])
def test_a_field_of_view_that_is_none_is_refused(angle: float):
    with pytest.raises(DataFormatError, match="between 0 and 180"):
        Intrinsics.from_field_of_view(100, 100, angle)


def test_a_prior_without_focal_length_is_refused():
    with pytest.raises(DataFormatError, match="above 0"):
        Intrinsics.prior(1280, 720, focal=0.0)
