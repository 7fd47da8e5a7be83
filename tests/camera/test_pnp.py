"""Where a person stands: exactly for exact pictures, and without flips for noisy ones."""

from __future__ import annotations

import numpy as np
import pytest
from oracle import rotation_about
from scipy.optimize import least_squares

from har_virtual.camera import Intrinsics, place_person
from har_virtual.camera.pnp import NEAR_M, ray_rotations
from har_virtual.exceptions import DataFormatError

CAMERA = Intrinsics((1100.0, 1100.0), (640.0, 360.0))
METHODS = ("translation", "paper")
# x right, y down, z forward about the hips: a man with his right arm stretched out to the camera.
BODY = np.array(
    [
        *((0, -0.65, -0.05), (0.2, -0.5, 0), (-0.2, -0.5, 0), (0.3, -0.25, 0.05), (-0.25, -0.45, -0.3)),
        *((0.35, 0, 0.1), (-0.25, -0.45, -0.6), (0.12, 0, 0), (-0.12, 0, 0), (0.15, 0.45, -0.15)),
        *((-0.13, 0.45, 0.05), (0.15, 0.85, 0.1), (-0.15, 0.85, 0.2)),
    ]
)


def walking(n_frames: int) -> np.ndarray:
    """The man turns by 50 degrees either way and swings in depth: (n_frames, n_joints, 3)."""
    phase = np.linspace(0, 4 * np.pi, n_frames)
    poses = np.einsum("tij,kj->tki", rotation_about("y", np.deg2rad(50) * np.sin(phase)), BODY)
    poses[:, 5, 2] += 0.15 * np.sin(3 * phase)
    return poses


def path(n_frames: int) -> np.ndarray:
    """From the left edge of the picture to the right one, 3 to 6 m away."""
    s = np.linspace(-1, 1, n_frames)
    depth = 4.5 + 1.5 * np.sin(3 * s)
    return np.stack([0.5 * s * depth, 0.1 * np.cos(5 * s) * depth, depth], axis=1)


def seen_along_the_ray(poses: np.ndarray, translations: np.ndarray, weights: np.ndarray, camera: Intrinsics):
    """What a network that sees a person along the mean ray to the joints would see: rotations and keypoints."""
    rotations = ray_rotations(translations[:, :2] / translations[:, 2:])
    for _ in range(50):
        points = np.einsum("tij,tkj->tki", rotations, poses) + translations[:, None]
        rays = camera.normalize(camera.project(points))
        rotations = ray_rotations((weights[..., None] * rays).sum(axis=1) / weights.sum(axis=1, keepdims=True))
    return rotations, camera.project(points)


def placed(poses: np.ndarray, rotations: np.ndarray, translations: np.ndarray) -> np.ndarray:
    return np.einsum("tij,tkj->tki", rotations, poses) + translations[:, None]


def angles(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Degrees between rotations."""
    cosine = (np.einsum("tij,tij->t", first, second) - 1) / 2
    return np.rad2deg(np.arccos(np.clip(cosine, -1, 1)))


# Exact pictures


@pytest.mark.parametrize("distortion", [(), (-0.2, 0.05, 0.001, -0.001)], ids=["pinhole", "lens"])
@pytest.mark.parametrize("method", METHODS)
def test_a_person_on_a_path_is_found_exactly(method: str, distortion: tuple[float, ...]):
    camera = Intrinsics(CAMERA.focal_px, CAMERA.center_px, distortion)
    poses, weights = walking(40), np.random.default_rng(0).uniform(0.1, 1, (40, len(BODY)))
    expected, keypoints = seen_along_the_ray(poses, path(40), weights, camera)
    rotations, translations = place_person(poses, keypoints, weights, camera, method)
    assert (rotations.shape, translations.shape) == ((40, 3, 3), (40, 3))
    tolerance = 1e-6 if method == "translation" else 1e-3
    np.testing.assert_allclose(rotations, expected, atol=tolerance)
    np.testing.assert_allclose(translations, path(40), atol=tolerance)


def test_the_paper_finds_a_rotation_of_its_own():
    poses = walking(30)
    turns = rotation_about("y", np.deg2rad(np.linspace(0, 35, 30))) @ rotation_about("x", np.full(30, 0.2))
    keypoints, weights = CAMERA.project(placed(poses, turns, path(30))), np.ones((30, len(BODY)))
    # A joint that does not count may even stand behind the camera.
    weights[:, 3], poses[:, 3] = 0, (0.0, 0.0, -50.0)
    rotations, translations = place_person(poses, keypoints, weights, CAMERA, "paper")
    assert angles(rotations, turns).max() < 0.05
    np.testing.assert_allclose(translations, path(30), atol=1e-3)


@pytest.mark.parametrize("method", METHODS)
def test_the_origin_within_the_person_does_not_matter(method: str):
    poses, weights = walking(10), np.ones((10, len(BODY)))
    _, keypoints = seen_along_the_ray(poses, path(10), weights, CAMERA)
    shifted = poses + np.array([0.3, -0.8, 0.4])
    first = placed(poses, *place_person(poses, keypoints, weights, CAMERA, method))
    second = placed(shifted, *place_person(shifted, keypoints, weights, CAMERA, method))
    np.testing.assert_allclose(second, first, atol=2e-3)


def test_at_the_edge_of_the_picture_the_pose_is_turned_by_the_ray():
    wide = Intrinsics.from_field_of_view(1280, 720, 100.0)
    poses, weights = walking(8), np.ones((8, len(BODY)))
    at_the_edge = np.tile([3.2, 0.0, 3.0], (8, 1))
    expected, keypoints = seen_along_the_ray(poses, at_the_edge, weights, wide)
    assert keypoints[..., 0].mean() > 1200
    rotations, translations = place_person(poses, keypoints, weights, wide)
    np.testing.assert_allclose(rotations, expected, atol=1e-6)
    np.testing.assert_allclose(translations, at_the_edge, atol=1e-5)
    # About 45 degrees to the right: what the network calls forward leads away from the camera along that ray.
    forward = rotations[0] @ [0, 0, 1]
    assert np.rad2deg(np.arctan2(forward[0], forward[2])) == pytest.approx(45, abs=3)
    upright = rotations[0] @ [0, 1, 0]
    assert upright[1] > 0.99


@pytest.mark.parametrize("method", METHODS)
def test_a_flat_pose_is_placed_too(method: str):
    flat = np.tile(BODY * [1, 1, 0], (12, 1, 1))
    weights = np.ones(flat.shape[:2])
    expected, keypoints = seen_along_the_ray(flat, path(12), weights, CAMERA)
    rotations, translations = place_person(flat, keypoints, weights, CAMERA, method)
    np.testing.assert_allclose(translations, path(12), atol=2e-3)
    assert angles(rotations, expected).max() < 0.5


def test_rays_turn_the_optical_axis_by_the_smallest_angle():
    rays = np.array([[0.0, 0.0], [0.5, 0.0], [0.0, -0.7], [1.2, 0.9], [-2.0, 0.3]])
    directions = np.column_stack([rays, np.ones(5)])
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    rotations = ray_rotations(rays)
    np.testing.assert_allclose(rotations @ rotations.transpose(0, 2, 1), np.tile(np.eye(3), (5, 1, 1)), atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(rotations), 1)
    np.testing.assert_allclose(rotations @ [0, 0, 1], directions, atol=1e-12)
    np.testing.assert_allclose(
        angles(rotations, np.tile(np.eye(3), (5, 1, 1))), np.rad2deg(np.arccos(directions[:, 2])), atol=1e-5
    )


# Focal length


def test_another_focal_length_changes_the_distance_of_a_person_in_the_middle_and_nothing_else():
    flat = np.tile(BODY * [1, 1, 0] - (BODY * [1, 1, 0]).mean(axis=0), (5, 1, 1))
    weights, distance = np.ones(flat.shape[:2]), np.tile([0.0, 0.0, 4.0], (5, 1))
    keypoints = CAMERA.project(flat + distance[:, None])
    for factor in (0.5, 2.0):
        camera = Intrinsics((factor * 1100, factor * 1100), CAMERA.center_px)
        rotations, translations = place_person(flat, keypoints, weights, camera)
        np.testing.assert_allclose(translations, distance * [1, 1, factor], atol=1e-9)
        np.testing.assert_allclose(placed(flat, rotations, translations)[..., :2], flat[..., :2], atol=1e-9)


def test_another_focal_length_keeps_steps_across_the_picture_within_a_few_percent():
    poses, weights = np.tile(BODY, (20, 1, 1)), np.ones((20, len(BODY)))
    track = np.column_stack([np.linspace(-0.8, 0.8, 20), np.zeros(20), np.full(20, 5.0)])
    _, keypoints = seen_along_the_ray(poses, track, weights, CAMERA)
    for factor in (0.8, 1.25):
        camera = Intrinsics((factor * 1100, factor * 1100), CAMERA.center_px)
        _, translations = place_person(poses, keypoints, weights, camera)
        assert translations[-1, 0] - translations[0, 0] == pytest.approx(1.6, rel=0.05)
        assert translations[:, 2].mean() == pytest.approx(5.0 * factor, rel=0.05)


# Weights


@pytest.mark.parametrize("method", METHODS)
def test_joints_of_weight_zero_may_stand_anywhere(method: str):
    poses, weights = walking(15), np.ones((15, len(BODY)))
    weights[:, [0, 4, 11]] = 0
    _, keypoints = seen_along_the_ray(poses, path(15), weights, CAMERA)
    expected = place_person(poses, keypoints, weights, CAMERA, method)
    poses[:, 0], poses[:, 4] = (30.0, -40.0, -50.0), (0.0, 0.0, 1e4)
    keypoints[:, [0, 11]] = (-5000.0, 9000.0)
    found = place_person(poses, keypoints, weights, CAMERA, method)
    for array, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(array, wanted, atol=1e-9)


def test_a_joint_of_little_weight_moves_the_person_little():
    poses, weights = walking(5), np.ones((5, len(BODY)))
    _, keypoints = seen_along_the_ray(poses, path(5), weights, CAMERA)
    keypoints[:, 11] += 150
    off = []
    for weight in (1.0, 0.1, 0.01):
        weights[:, 11] = weight
        _, translations = place_person(poses, keypoints, weights, CAMERA)
        off.append(np.linalg.norm(translations - path(5), axis=1).mean())
    assert off[0] > 4 * off[1] > 16 * off[2]


def test_three_joints_of_weight_are_enough():
    poses, weights = walking(6), np.zeros((6, len(BODY)))
    weights[:, [1, 2, 12]] = 1
    _, keypoints = seen_along_the_ray(poses, path(6), weights, CAMERA)
    for method in METHODS:
        _, translations = place_person(poses, keypoints, weights, CAMERA, method)
        np.testing.assert_allclose(translations, path(6), atol=1e-4)


# Noisy pictures


@pytest.mark.parametrize("flatness", [1.0, 0.2], ids=["body", "nearly flat body"])
def test_the_paper_does_not_flip_over_200_noisy_frames(flatness: float):
    poses = walking(200) * [1, 1, flatness]
    weights = np.ones(poses.shape[:2])
    expected, keypoints = seen_along_the_ray(poses, path(200), weights, CAMERA)
    keypoints = keypoints + np.random.default_rng(1).normal(0, 4, keypoints.shape)
    rotations, translations = place_person(poses, keypoints, weights, CAMERA, "paper")
    np.testing.assert_allclose(np.linalg.det(rotations), 1)
    # A pose seen in the mirror is turned by far more.
    assert angles(rotations, expected).max() < 45
    assert angles(rotations[1:], rotations[:-1]).max() < 45
    assert translations[:, 2].min() > 1


def test_the_paper_does_not_turn_a_person_round_whose_left_and_right_were_confused():
    poses, weights = np.tile(BODY * [1, 1, 0.2], (9, 1, 1)), np.ones((9, len(BODY)))
    expected, keypoints = seen_along_the_ray(poses, path(9), weights, CAMERA)
    keypoints[3:6] = (keypoints[3:6] - keypoints[3:6, :1]) * [-1, 1] + keypoints[3:6, :1]
    rotations, translations = place_person(poses, keypoints, weights, CAMERA, "paper")
    assert angles(rotations, expected).max() < 90
    calm = [0, 1, 2, 6, 7, 8]
    np.testing.assert_allclose(translations[calm], path(9)[calm], atol=1e-2)


def test_the_translation_is_the_one_of_the_least_error_in_the_picture():
    rng = np.random.default_rng(4)
    # Near and deep, so that joints at different distances weigh differently in the picture.
    poses, weights = np.tile(BODY * [1, 1, 3], (6, 1, 1)), rng.uniform(0.2, 1, (6, len(BODY)))
    _, keypoints = seen_along_the_ray(poses, path(6) / 1.4, weights, CAMERA)
    keypoints = keypoints + rng.normal(0, 5, keypoints.shape)
    rotations, translations = place_person(poses, keypoints, weights, CAMERA)
    for t in range(6):
        turned = poses[t] @ rotations[t].T

        def residual(translation: np.ndarray, t: int = t, turned: np.ndarray = turned) -> np.ndarray:
            off = CAMERA.project(turned + translation) - keypoints[t]
            return (np.sqrt(weights[t])[:, None] * off).ravel()

        best = least_squares(residual, translations[t])
        assert np.sum(residual(translations[t]) ** 2) < 1.01 * 2 * best.cost


def test_a_fixed_rotation_is_steadier_than_a_free_one():
    poses, weights = walking(100), np.ones((100, len(BODY)))
    expected, keypoints = seen_along_the_ray(poses, path(100), weights, CAMERA)
    keypoints = keypoints + np.random.default_rng(2).normal(0, 2, keypoints.shape)
    off = {method: angles(place_person(poses, keypoints, weights, CAMERA, method)[0], expected) for method in METHODS}
    assert off["translation"].max() < 0.2 < 2 < off["paper"].max()


@pytest.mark.parametrize("method", METHODS)
def test_every_joint_of_weight_stands_before_the_camera_whatever_the_keypoints(method: str):
    rng = np.random.default_rng(3)
    poses, weights = walking(50), rng.uniform(0, 1, (50, len(BODY)))
    weights[rng.random(weights.shape) < 0.3] = 0
    keypoints = rng.uniform(0, 1280, (50, len(BODY), 2))
    # Upside down, all in one point, and far outside.
    keypoints[0], keypoints[1], keypoints[2] = CAMERA.project(BODY * [1, -1, 1] + [0, 0, 4]), 500.0, 1e6
    rotations, translations = place_person(poses, keypoints, weights, CAMERA, method)
    points = placed(poses, rotations, translations)
    assert np.isfinite(points).all()
    assert points[..., 2][weights > 0].min() >= NEAR_M - 1e-9


# Errors


def arguments(**changes: object) -> list:
    given = {"positions": walking(4), "keypoints": np.ones((4, len(BODY), 2)), "weights": np.ones((4, len(BODY)))}
    return [*(given | changes).values(), CAMERA]


@pytest.mark.parametrize(
    "changes",
    [
        {"positions": walking(3)},
        {"positions": walking(4)[..., :2]},
        {"keypoints": np.ones((4, 5, 2))},
        {"weights": np.ones(4)},
        {"weights": np.ones((4, len(BODY), 1))},
    ],
)
def test_shapes_that_disagree_are_refused(changes: dict):
    with pytest.raises(DataFormatError, match="differ"):
        place_person(*arguments(**changes))


@pytest.mark.parametrize("name", ["positions", "keypoints", "weights"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused(name: str, value: float):
    given = dict(zip(("positions", "keypoints", "weights"), arguments(), strict=False))
    given[name] = given[name].copy()
    given[name][2, 3] = value
    with pytest.raises(DataFormatError, match="finite"):
        place_person(*given.values(), CAMERA)


def test_a_frame_with_two_joints_is_named():
    weights = np.ones((4, len(BODY)))
    weights[2, 2:] = 0
    with pytest.raises(DataFormatError, match="frame 2 has fewer than 3 joints"):
        place_person(*arguments(weights=weights))
    weights[2, 2] = -1
    with pytest.raises(DataFormatError, match="frame 2"):
        place_person(*arguments(weights=weights))


def test_an_unknown_method_is_refused():
    with pytest.raises(DataFormatError, match="'translation' or 'paper', not 'pnp'"):
        place_person(*arguments(), "pnp")
