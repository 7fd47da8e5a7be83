"""The studio's cameras in cases that a person can check by hand."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from har_virtual.camera import Intrinsics, camera_to_world
from har_virtual.exceptions import DataFormatError
from har_virtual.pose.skeletons import BODY_22
from har_virtual.studio.cameras import MARGIN, VIEWS, Camera, following, hand_held, pan
from har_virtual.studio.jets import sin
from har_virtual.studio.performance import Performance, perform
from har_virtual.studio.posture import Posture

TIMES = np.linspace(0.0, 3.0, 46)


@pytest.fixture(scope="module")
def walker() -> Performance:
    return perform("walking", duration_s=3.0, seed=1, position_m=(2.0, -1.0), heading_deg=70.0)


def still(t, style):
    """Somebody who does not move at all."""
    return Posture({})


def glide(t, style):
    """Somebody who goes straight ahead at 1.2 m/s, but for a wave of 3 cm with each step."""
    return Posture({"y_m": 1.2 * t + 0.03 * sin(2 * np.pi * 1.8 * t)})


def statue(**place) -> Performance:
    return perform(still, duration_s=1.0, **place)


def see(camera: Camera, actor: Performance, times_s: np.ndarray = TIMES) -> np.ndarray:
    return camera.project(actor.pose(times_s)[0], times_s)


def joint(pixels: np.ndarray, name: str) -> np.ndarray:
    return pixels[:, BODY_22.index(name)]


def test_what_is_straight_ahead_is_in_the_middle():
    camera = Camera((1.0, 2.0, 1.5))
    np.testing.assert_allclose(camera.project([[[1.0, 7.0, 1.5]]], [0.0])[0, 0], [320, 240])


def test_what_is_to_the_right_and_above_is_right_and_up_in_the_picture():
    camera = Camera((0.0, 0.0, 1.0), intrinsics=Intrinsics((500.0, 500.0), (320.0, 240.0)))
    np.testing.assert_allclose(camera.project([[[1.0, 5.0, 1.5]]], [0.0])[0, 0], [420, 190])


def test_turning_to_the_left_moves_things_to_the_right():
    column = [Camera((0, 0, 1), heading_deg=h).project([[[0.0, 5.0, 1.0]]], [0.0])[0, 0, 0] for h in (-10, 0, 10)]
    assert column[0] < column[1] < column[2]


def test_looking_down_moves_things_up():
    row = [Camera((0, 0, 1), pitch_deg=p).project([[[0.0, 5.0, 1.0]]], [0.0])[0, 0, 1] for p in (-10, 0, 10)]
    assert row[0] < row[1] < row[2]


def test_a_camera_at_heading_0_agrees_with_camera_to_world():
    for pitch, roll in ((0, 0), (-20, 0), (35, -50), (-80, 170)):
        rotations, _ = Camera((0, 0, 1), pitch_deg=pitch, roll_deg=roll).pose([0.0])
        np.testing.assert_allclose(rotations[0], camera_to_world(pitch, roll), atol=1e-12)


def test_a_heading_turns_the_camera_about_the_vertical():
    rotations, _ = Camera((0, 0, 1), heading_deg=90, pitch_deg=-30).pose([0.0])
    np.testing.assert_allclose(rotations[0] @ [0, 0, 1], [-np.sqrt(3) / 2, 0, -0.5], atol=1e-12)


def test_what_is_behind_has_no_pixel():
    assert np.isnan(Camera((0, 0, 1)).project([[[0.0, -5.0, 1.0]]], [0.0])).all()


@pytest.mark.parametrize("pitch_deg", [0.0, -10.0, -20.0])
@pytest.mark.parametrize("azimuth_deg", VIEWS.values(), ids=VIEWS)
def test_an_actor_stays_in_the_picture_with_a_margin_and_in_its_middle(walker, azimuth_deg, pitch_deg):
    pixels = see(Camera.facing(walker, azimuth_deg=azimuth_deg, pitch_deg=pitch_deg), walker)
    low, high = pixels.min(axis=(0, 1)), pixels.max(axis=(0, 1))
    assert (low > MARGIN * np.array([640, 480])).all()
    assert (high < (1 - MARGIN) * np.array([640, 480])).all()
    np.testing.assert_allclose((low + high) / 2, [320, 240], atol=4)
    # As near as it may be: one direction is filled, but for head and toes, which reach beyond their joints.
    assert ((high - low) / [640, 480]).max() > 0.65


def test_all_actors_stay_in_the_picture(walker):
    others = [walker, statue(position_m=(-1.0, 2.0)), statue(position_m=(4.0, 3.0), seed=3)]
    camera = Camera.facing(others, azimuth_deg=30.0, size_px=(320, 240))
    for actor in others:
        pixels = see(camera, actor, TIMES[:16])
        assert ((pixels > 0) & (pixels < [320, 240])).all()


@pytest.mark.parametrize("heading_deg", [0.0, 130.0, -75.0])
def test_the_front_view_sees_the_face(heading_deg):
    actor = statue(heading_deg=heading_deg)
    pixels = see(Camera.facing(actor, azimuth_deg=VIEWS["front"]), actor, TIMES[:1])
    assert joint(pixels, "left_shoulder")[0, 0] > joint(pixels, "right_shoulder")[0, 0] + 20
    # Straight from the front: shoulders at the same distance from the middle of the body.
    middle = joint(pixels, "pelvis")[0, 0]
    assert joint(pixels, "left_shoulder")[0, 0] - middle == pytest.approx(
        middle - joint(pixels, "right_shoulder")[0, 0], abs=1.0
    )


def test_the_side_view_sees_the_left_side():
    actor = statue(heading_deg=40.0)
    camera = Camera.facing(actor, azimuth_deg=VIEWS["side"])
    rotations, positions = camera.pose([0.0])
    points = (actor.pose([0.0])[0][0] - positions[0]) @ rotations[0]
    depth = {name: points[BODY_22.index(name), 2] for name in ("left_shoulder", "right_shoulder")}
    assert depth["left_shoulder"] < depth["right_shoulder"] - 0.2
    # Somebody seen from the left looks to the left.
    pixels = see(camera, actor, TIMES[:1])
    assert joint(pixels, "left_foot")[0, 0] < joint(pixels, "left_ankle")[0, 0] - 5


def test_a_camera_that_looks_down_stands_higher():
    heights = [Camera.facing(statue(), pitch_deg=pitch).position_m[2] for pitch in (0, -10, -20)]
    assert heights[0] + 0.3 < heights[1] < heights[2] - 0.3


def test_a_given_distance_and_height_are_kept():
    camera = Camera.facing(statue(), azimuth_deg=0.0, distance_m=7.0, height_m=1.4)
    assert camera.position_m[2] == pytest.approx(1.4)
    assert camera.position_m[1] == pytest.approx(7.0, abs=0.1)


def test_a_camera_that_looks_up_stays_above_the_floor():
    camera = Camera.facing(statue(), pitch_deg=20.0)
    assert camera.position_m[2] == pytest.approx(0.2)
    pixels = see(camera, statue(), TIMES[:1])
    assert ((pixels > 0) & (pixels < [640, 480])).all()


@pytest.mark.parametrize("path", [pan(12.0, 4.0), hand_held(5)], ids=["pan", "hand_held"])
def test_a_moving_camera_keeps_the_actor_in_the_picture(walker, path):
    pixels = see(Camera.facing(walker, azimuth_deg=90.0, path=path), walker)
    assert ((pixels > MARGIN * np.array([640, 480])) & (pixels < (1 - MARGIN) * np.array([640, 480]))).all()


def test_a_pan_turns_to_the_left_first_and_comes_back():
    camera = Camera((0, 0, 1), path=pan(20.0, 8.0))
    forward = camera.pose([0.0, 2.0, 4.0, 6.0])[0][:, :, 2]
    np.testing.assert_allclose(np.rad2deg(np.arctan2(-forward[:, 0], forward[:, 1])), [0, 20, 0, -20], atol=1e-9)


def test_a_hand_moves_a_camera_by_millimetres_and_tenths_of_a_degree_below_3_hz():
    times = np.arange(0.0, 60.0, 1 / 30)
    for seed in range(3):
        way = hand_held(seed)(times)
        assert ((way[:, :3].std(axis=0) > 0.001) & (way[:, :3].std(axis=0) < 0.010)).all()
        assert ((way[:, 3:].std(axis=0) > 0.1) & (way[:, 3:].std(axis=0) < 1.0)).all()
        power = np.abs(np.fft.rfft(way * np.hanning(len(way))[:, None], axis=0)) ** 2
        fast = np.fft.rfftfreq(len(way), 1 / 30) > 3.0
        assert (power[fast].sum(axis=0) < 1e-4 * power.sum(axis=0)).all()


def test_a_hand_held_path_comes_from_its_seed():
    np.testing.assert_array_equal(hand_held(4)(TIMES), hand_held(4)(TIMES))
    assert np.abs(hand_held(4)(TIMES) - hand_held(5)(TIMES)).max() > 0.01
    np.testing.assert_allclose(hand_held(4, 2.0)(TIMES), 2 * hand_held(4)(TIMES))


def test_a_following_camera_goes_along_without_the_steps():
    actor = perform(glide, duration_s=3.0, heading_deg=90.0)
    way = following(actor)(TIMES)
    np.testing.assert_allclose(way[:, 0], -1.2 * TIMES, atol=0.03)
    np.testing.assert_allclose(way[:, 1:], 0, atol=1e-9)
    assert np.abs(np.diff(way[:, 0], n=2) * 15**2).max() < 0.4
    camera = Camera.facing(actor, azimuth_deg=90.0, path=following(actor))
    assert np.ptp(joint(see(camera, actor), "pelvis")[:, 0]) < 20
    # It stands nearer than one that has to keep the whole way in its picture.
    fixed = Camera.facing(actor, azimuth_deg=90.0)
    assert np.ptp(see(camera, actor)[0, :, 1]) > 1.2 * np.ptp(see(fixed, actor)[0, :, 1])


def test_a_following_camera_goes_both_ways_and_waits_at_the_end():
    actor = perform(glide, duration_s=3.0, heading_deg=45.0)
    way = following(actor)(np.array([0.0, 1.5, 3.0, 9.0]))
    np.testing.assert_allclose(way[1, :2], 1.2 * 1.5 / np.sqrt(2) * np.array([-1.0, 1.0]), atol=0.03)
    np.testing.assert_array_equal(way[0], 0)
    np.testing.assert_array_equal(way[3], way[2])


def test_a_hand_turns_a_camera_aside_and_up_twice_as_far_as_it_rolls_it():
    way = hand_held(1)(np.arange(0.0, 1000.0, 0.1))
    np.testing.assert_allclose(way.std(axis=0), [0.004, 0.004, 0.003, 0.30, 0.30, 0.15], rtol=0.02)


def test_paths_add_up():
    together = Camera((1, 2, 1), path=[pan(10.0, 4.0), hand_held(1)])
    alone = [Camera((1, 2, 1), path=path) for path in (pan(10.0, 4.0), hand_held(1))]
    np.testing.assert_allclose(
        together.pose(TIMES)[1] + [1, 2, 1], alone[0].pose(TIMES)[1] + alone[1].pose(TIMES)[1], atol=1e-12
    )


def test_every_pose_is_a_rotation(walker):
    camera = Camera((1, 2, 1), 30.0, -15.0, 5.0, path=[pan(10.0, 4.0), hand_held(1), following(walker)])
    rotations, _ = camera.pose(TIMES)
    np.testing.assert_allclose(
        rotations @ rotations.transpose(0, 2, 1), np.tile(np.eye(3), (len(TIMES), 1, 1)), atol=1e-12
    )
    np.testing.assert_allclose(np.linalg.det(rotations), 1)


def test_a_camera_survives_pickling(walker):
    camera = Camera.facing(walker, path=[hand_held(3), following(walker)])
    twin = pickle.loads(pickle.dumps(camera))
    for mine, its in zip(camera.pose(TIMES), twin.pose(TIMES), strict=True):
        np.testing.assert_array_equal(mine, its)


def test_only_a_camera_without_a_path_is_fixed():
    assert Camera((0, 0, 1)).is_fixed
    assert not Camera((0, 0, 1), path=pan()).is_fixed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"position_m": (0, 0, np.nan)}, "position_m"),
        ({"position_m": (0, 0)}, "position_m"),
        ({"pitch_deg": np.inf}, "pitch_deg"),
        ({"heading_deg": "north"}, "heading_deg"),
        ({"size_px": (641, 480)}, "size_px"),
        ({"size_px": (16, 16)}, "size_px"),
        ({"size_px": (640.5, 480)}, "size_px"),
        ({"size_px": 640}, "size_px"),
        ({"size_px": (8194, 480)}, "from 32 to 8192"),
        ({"path": [3]}, "path"),
        ({"path": 3}, "path"),
    ],
)
def test_bad_cameras_are_refused(arguments, message):
    with pytest.raises(DataFormatError, match=message):
        Camera(**{"position_m": (0, 0, 1)} | arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"fov_deg": 0.0}, "fov"),
        ({"fov_deg": 180.0}, "fov"),
        ({"pitch_deg": -90.0}, "pitch_deg"),
        ({"azimuth_deg": np.nan}, "azimuth_deg"),
        ({"distance_m": 0.0}, "distance_m"),
        ({"height_m": np.nan}, "height_m"),
        ({"size_px": (640, 10)}, "size_px"),
        ({"pitch_deg": -60.0, "height_m": 0.5}, "no distance keeps everybody"),
        ({"path": pan(70.0, 1.0)}, "no distance keeps everybody"),
    ],
)
def test_what_no_camera_can_show_is_refused(arguments, message):
    with pytest.raises(DataFormatError, match=message):
        Camera.facing(statue(), **arguments)


def test_nobody_to_look_at_is_an_error():
    with pytest.raises(DataFormatError, match="no actors"):
        Camera.facing([])


def test_bad_paths_are_refused():
    with pytest.raises(DataFormatError, match="period_s"):
        pan(10.0, 0.0)
    with pytest.raises(DataFormatError, match="strength"):
        hand_held(0, -1.0)
    with pytest.raises(DataFormatError, match="hand_held: seed"):
        hand_held(-1)
    with pytest.raises(DataFormatError, match="what a path gives"):
        Camera((0, 0, 1), path=lambda times_s: np.zeros((len(times_s), 3))).pose([0.0, 1.0])


def test_points_for_other_times_are_refused():
    with pytest.raises(DataFormatError, match="2 times"):
        Camera((0, 0, 1)).project(np.zeros((3, 1, 3)), [0.0, 1.0])
