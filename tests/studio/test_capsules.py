"""Capsules before a pinhole camera."""

from __future__ import annotations

import numpy as np
import pytest

from har_virtual.camera import Intrinsics, camera_to_world
from har_virtual.exceptions import DataFormatError
from har_virtual.studio.capsules import Capsules, cast

SIZE = (64, 48)
LENS = Intrinsics((60.0, 55.0), (31.0, 25.0))
LEVEL, EYE = camera_to_world(), np.array([0.0, 0.0, 1.0])


def capsule(start, end, radius=0.1, end_radius=None, person=1):
    end_radii = None if end_radius is None else [end_radius]
    return Capsules([start], [end], [radius], [(0.5, 0.5, 0.5)], [person], end_radii)


def crowd(seed, n=25):
    rng = np.random.default_rng(seed)
    starts = np.array([0.0, 3.0, 1.0]) + rng.normal(size=(n, 3)) * [0.6, 0.4, 0.5]
    ends = starts + rng.normal(size=(n, 3)) * 0.3
    radii = rng.uniform(0.03, 0.15, n)
    limit = 0.8 * np.linalg.norm(ends - starts, axis=1)
    end_radii = np.clip(radii + rng.uniform(-1, 1, n) * np.minimum(limit, 0.1), 0.02, None)
    return Capsules(starts, ends, radii, rng.random((n, 3)), np.ones(n), end_radii)


def rays(rotation=LEVEL):
    rows, columns = np.mgrid[: SIZE[1], : SIZE[0]]
    return (
        np.concatenate([LENS.normalize(np.stack([columns, rows], -1) + 0.5), np.ones((*rows.shape, 1))], -1)
        @ rotation.T
    )


def points_of(hits, rotation=LEVEL, eye=EYE):
    return eye + rays(rotation).reshape(-1, 3)[hits.pixels] * hits.depth_m[:, None]


def depth_of_many_balls(capsules, eye=EYE, rotation=LEVEL, n_balls=150):
    """Cut every ray with so many balls of each capsule that they stand for it: slow, simple, float64."""
    d = rays(rotation).reshape(-1, 1, 3)
    depth = np.full(len(d), np.inf)
    for start, end, first, last in zip(
        capsules.starts_m, capsules.ends_m, capsules.radii_m, capsules.end_radii_m, strict=True
    ):
        share = np.linspace(0, 1, n_balls)
        middles, radii = start + share[:, None] * (end - start) - eye, first + share * (last - first)
        along, square = (d * middles).sum(-1), (d * d).sum(-1)
        roots = along**2 - square * ((middles**2).sum(-1) - radii**2)
        hits = (along - np.sqrt(np.where(roots >= 0, roots, np.nan))) / square
        depth = np.fmin(depth, np.where(hits > 0, hits, np.inf).min(axis=1))
    return depth


def test_depth_of_a_ball_straight_ahead_is_that_of_its_front():
    ball = capsule((0, 3, 1), (0, 3, 1), 0.5)
    lens = Intrinsics((60.0, 60.0), (32.5, 24.5))
    hits = cast(ball, LEVEL, EYE, lens, SIZE)
    middle = hits.pixels == 24 * 64 + 32
    np.testing.assert_allclose(hits.depth_m[middle], 2.5, atol=1e-6)
    np.testing.assert_allclose(hits.normals[middle], [[0, 0, -1]], atol=1e-5)


@pytest.mark.parametrize("seed", range(2))
def test_first_surface_on_every_ray_is_the_one_that_many_balls_show(seed):
    capsules = crowd(seed)
    hits = cast(capsules, LEVEL, EYE, LENS, SIZE)
    depth = np.full(SIZE[0] * SIZE[1], np.inf)
    depth[hits.pixels] = hits.depth_m
    expected = depth_of_many_balls(capsules)
    both = np.isfinite(depth) & np.isfinite(expected)
    assert (np.isfinite(depth) != np.isfinite(expected)).sum() <= 2, "only where a ray touches an edge"
    np.testing.assert_allclose(depth[both], expected[both], atol=1e-3)


def test_hits_lie_on_their_capsule_and_normals_point_away_from_it():
    capsules, turned = crowd(5), camera_to_world(-20.0, 15.0)
    eye = np.array([0.2, 0.0, 2.0])
    hits = cast(capsules, turned, eye, LENS, SIZE)
    assert len(hits.pixels) > 500
    for point, normal, i in zip(points_of(hits, turned, eye), hits.normals @ turned.T, hits.index, strict=True):
        assert abs(capsules.distance_m(point)[i]) < 1e-5
        assert capsules.distance_m(point + 0.01 * normal)[i] == pytest.approx(0.01, abs=1e-4)


@pytest.mark.parametrize("end_radius", [0.05, 0.1, 0.2])
def test_capsule_that_points_at_the_camera_shows_its_nearer_end(end_radius):
    arm = capsule((0, 4, 1), (0, 2, 1), 0.1, end_radius)
    hits = cast(arm, LEVEL, EYE, Intrinsics((60.0, 60.0), (32.5, 24.5)), SIZE)
    assert hits.depth_m[hits.pixels == 24 * 64 + 32] == pytest.approx(2 - end_radius, abs=1e-5)


def test_capsule_beyond_the_background_is_not_seen():
    ball = capsule((0, 3, 1), (0, 3, 1), 0.5)
    wall = np.full((48, 64), 2.0, np.float32)
    assert len(cast(ball, LEVEL, EYE, LENS, SIZE, wall).pixels) == 0
    assert len(cast(ball, LEVEL, EYE, LENS, SIZE, wall + 5).pixels) > 0


def test_what_is_behind_the_camera_is_not_seen():
    assert len(cast(capsule((0, -3, 1), (0.1, -3, 1)), LEVEL, EYE, LENS, SIZE).pixels) == 0
    assert len(cast(Capsules.none(), LEVEL, EYE, LENS, SIZE).pixels) == 0


def test_capsule_that_reaches_from_before_to_behind_the_camera_is_seen_where_it_is():
    rail = capsule((0.5, -1, 0.6), (0.5, 3, 0.6))
    hits = cast(rail, LEVEL, EYE, LENS, SIZE)
    depth = np.full(64 * 48, np.inf)
    depth[hits.pixels] = hits.depth_m
    np.testing.assert_allclose(depth, depth_of_many_balls(rail, n_balls=2000), atol=1e-3)
    assert len(hits.pixels) > 20


def test_far_capsules_are_still_on_their_surface():
    pole = capsule((1, 40, -3), (1, 40, 5), 0.3)
    hits = cast(pole, LEVEL, EYE, Intrinsics((600.0, 600.0), (32.0, 24.0)), SIZE)
    rows, columns = np.divmod(hits.pixels, 64)
    lens = Intrinsics((600.0, 600.0), (32.0, 24.0))
    points = EYE + lens.unproject(np.stack([columns, rows], -1) + 0.5, hits.depth_m) @ LEVEL.T
    assert max(abs(pole.distance_m(point)[0]) for point in points) < 1e-4


def test_distance_is_that_of_the_nearest_ball_of_a_cone():
    cone = capsule((0, 0, 0), (0, 0, 1), 0.3, 0.1)
    point = np.array([0.6, 0.2, 0.4])
    shares = np.linspace(0, 1, 100_001)
    balls = np.linalg.norm(point - shares[:, None] * [0, 0, 1], axis=1) - (0.3 - 0.2 * shares)
    assert cone.distance_m(point)[0] == pytest.approx(balls.min(), abs=1e-8)


def test_moved_capsules_keep_their_shape():
    turn = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    moved = capsule((1, 0, 0), (1, 0, 2), 0.2, 0.1).moved(turn, (0, 0, 1))
    np.testing.assert_allclose([moved.starts_m[0], moved.ends_m[0]], [(0, 1, 1), (0, 1, 3)])
    assert (moved.radii_m, moved.end_radii_m) == (0.2, 0.1)


def test_sum_keeps_everybody_in_order():
    both = capsule((0, 3, 1), (0, 3, 1), person=1) + capsule((0, 2, 1), (0, 2, 1), 0.2, person=2)
    assert both.persons.tolist() == [1, 2] and both.end_radii_m.tolist() == [0.1, 0.2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"radius": 0.0}, "above 0"),
        ({"radius": np.nan}, "finite"),
        ({"end": (0, np.inf, 0)}, "must be finite"),
        ({"end": (0, 0)}, "shapes"),
        ({"end_radius": 2.0}, "differ by less"),
    ],
)
def test_capsules_that_cannot_be_are_refused(arguments, message):
    with pytest.raises(DataFormatError, match=message):
        capsule(**{"start": (0, 0, 0), "end": (0, 0, 1)} | arguments)


def test_lens_with_distortion_is_refused():
    lens = Intrinsics((60.0, 60.0), (32.0, 24.0), (0.1, 0.0, 0.0, 0.0))
    with pytest.raises(DataFormatError, match="distortion"):
        cast(capsule((0, 3, 1), (0, 3, 1)), LEVEL, EYE, lens, SIZE)
