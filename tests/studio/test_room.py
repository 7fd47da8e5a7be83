"""The room: exact depth, pictures that do not shimmer, rooms that hold everybody."""

from __future__ import annotations

import pickle
import time

import numpy as np
import pytest

from har_virtual.camera import Intrinsics
from har_virtual.exceptions import DataFormatError
from har_virtual.studio.cameras import Camera, hand_held
from har_virtual.studio.performance import perform
from har_virtual.studio.room import Room, _paint

SIZE = (320, 240)
LENS = Intrinsics.from_field_of_view(*SIZE, 70.0)
ROOM = Room(seed=3, size_m=(6.0, 7.0, 2.8), center_m=(1.0, -0.5), heading_deg=25.0)


def look(room: Room, size: tuple[int, int] = SIZE, lens: Intrinsics = LENS, **camera) -> tuple[np.ndarray, ...]:
    """Picture, depth, rotation and position of one camera."""
    rotations, positions = Camera(**{"position_m": (0.5, -1.0, 1.3)} | camera).pose([0.0])
    return *room.cast(positions[0], rotations[0], lens, size), rotations[0], positions[0]


def points_of(depth: np.ndarray, rotation: np.ndarray, position: np.ndarray) -> np.ndarray:
    """Where in the world the pixels are."""
    rows, columns = np.indices(depth.shape)
    seen = LENS.unproject(np.stack([columns + 0.5, rows + 0.5], axis=-1), depth)
    return seen @ rotation.T + position


@pytest.mark.parametrize("camera", [{}, {"heading_deg": 110, "pitch_deg": -35}, {"pitch_deg": 40, "roll_deg": 20}])
def test_every_pixel_lies_on_a_wall_the_floor_or_the_ceiling(camera):
    _, depth, rotation, position = look(ROOM, **camera)
    turn = np.deg2rad(ROOM.heading_deg)
    own = (points_of(depth, rotation, position) - [1.0, -0.5, 0.0]) @ np.array(
        [[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]]
    )
    from_planes = np.stack([own - [-3.0, -3.5, 0.0], [3.0, 3.5, 2.8] - own]).reshape(2, -1, 3)
    assert from_planes.min() > -0.001
    assert from_planes.min(axis=(0, 2)).max() < 0.001
    assert depth.dtype == np.float32


def test_a_wall_straight_ahead_is_at_one_depth():
    _, depth, *_ = look(Room(0, (6, 8, 3)), position_m=(0.0, 1.0, 1.5))
    np.testing.assert_allclose(depth[100:140, 140:180], 3.0, rtol=1e-6)


def test_every_wall_has_its_own_paint():
    room = Room(5, (4.0, 5.0, 2.8))
    atlas = _paint(room.seed, room.size_m)
    for wall, heading_deg in enumerate((90.0, -90.0, 180.0, 0.0)):
        start, end = atlas.offsets[12 * wall], atlas.offsets[12 * wall + 1]
        painted = atlas.texels[start:end].view(np.uint8).reshape(-1, atlas.widths[12 * wall], 4)[..., :3]
        # 40 cm of the wall about the middle, 1 m high.
        row, column = (round(place / atlas.texel_m) for place in (1.0, (5.0 if wall < 2 else 4.0) / 2))
        half = round(0.2 / atlas.texel_m)
        expected = painted[row - half : row + half, column - half : column + half].mean(axis=(0, 1))
        image = look(room, position_m=(0.0, 0.0, 1.0), heading_deg=heading_deg)[0]
        half = round(0.2 * LENS.focal_px[0] / (2.0 if wall < 2 else 2.5))
        seen = image[120 - half : 120 + half, 160 - half : 160 + half].mean(axis=(0, 1))
        np.testing.assert_allclose(seen, expected, atol=4)


def test_nearer_things_move_more_when_the_camera_moves():
    shifts = []
    for wall_m in (2.0, 5.0):
        room = Room(7, (12.0, 2 * wall_m, 2.6))
        strips = [look(room, position_m=(x, 0.0, 1.5))[0][60:100].mean(axis=2) for x in (0.0, 0.1)]
        errors = [np.abs(strips[0][:, 30:-30] - np.roll(strips[1], k, axis=1)[:, 30:-30]).mean() for k in range(20)]
        shifts.append(int(np.argmin(errors)))
    assert shifts == [round(0.1 * LENS.focal_px[0] / wall_m) for wall_m in (2.0, 5.0)]


def test_a_picture_is_that_of_much_finer_pixels_averaged():
    fine = Intrinsics(*(tuple(6 * np.array(numbers)) for numbers in (LENS.focal_px, LENS.center_px)))
    for seed in range(2):
        room = Room(seed, (6.0, 7.0, 2.8), heading_deg=20.0)
        image, *_ = look(room, pitch_deg=-8)
        exact = look(room, (6 * SIZE[0], 6 * SIZE[1]), fine, pitch_deg=-8)[0]
        exact = exact.reshape(SIZE[1], 6, SIZE[0], 6, 3).mean(axis=(1, 3))
        assert np.abs(image - exact).mean() < 2.5


def test_a_moving_camera_does_not_shimmer():
    fine = Intrinsics(*(tuple(6 * np.array(numbers)) for numbers in (LENS.focal_px, LENS.center_px)))
    near, far = ({"position_m": (x, -1.0, 1.3), "pitch_deg": -8} for x in (0.500, 0.504))
    for seed in range(2):
        room = Room(seed, (6.0, 7.0, 2.8), heading_deg=20.0)
        change = np.abs(look(room, **near)[0].astype(float) - look(room, **far)[0]).mean()
        exact = [look(room, (6 * SIZE[0], 6 * SIZE[1]), fine, **camera)[0] for camera in (near, far)]
        exact = [picture.reshape(SIZE[1], 6, SIZE[0], 6, 3).mean(axis=(1, 3)) for picture in exact]
        assert change < 1.2 * np.abs(exact[0] - exact[1]).mean()


def test_rooms_differ_by_their_seed_and_only_by_it():
    first, again, other = (look(Room(seed, ROOM.size_m))[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first.astype(float) - other).mean() > 5


def test_rooms_have_structure_and_muted_colours():
    for seed in range(4):
        image = look(Room(seed, (4, 5, 2.6)), position_m=(0, 0, 1.3), heading_deg=40.0 * seed)[0].astype(float)
        assert image.mean(axis=2).std() > 8
        assert (image.max(axis=2) - image.min(axis=2)).mean() < 60
        assert 60 < image.mean() < 235


def test_a_picture_does_not_depend_on_how_it_is_cut_into_rows():
    rotations, positions = Camera((0.5, -1.0, 1.3)).pose([0.0])
    short, _ = ROOM.cast(positions[0], rotations[0], LENS, (320, 50))
    whole, _ = ROOM.cast(positions[0], rotations[0], LENS, SIZE)
    np.testing.assert_array_equal(short, whole[:50])


def test_a_room_holds_camera_and_actors_with_a_metre_to_spare():
    walk = perform("walking", duration_s=4.0, seed=2, position_m=(3.0, 1.0), heading_deg=200.0)
    camera = Camera.facing(walk, pitch_deg=-20, path=hand_held(1))
    times = np.linspace(0, 4, 60)
    points = np.concatenate([walk.pose(times)[0].reshape(-1, 3), camera.pose(times)[1]])
    for seed in range(5):
        room = Room.around([walk], camera, seed)
        turn = np.deg2rad(room.heading_deg)
        own = (points - [*room.center_m, 0]) @ np.array(
            [[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]]
        )
        assert (np.abs(own[:, :2]) <= np.array(room.size_m[:2]) / 2 - 0.99).all()
        assert own[:, 2].max() <= room.size_m[2] - 0.99


def test_rooms_around_the_same_people_differ_by_their_seed():
    actor = perform("standing", duration_s=1.0)
    camera = Camera.facing(actor)
    assert Room.around([actor], camera, 1) == Room.around([actor], camera, 1)
    assert Room.around([actor], camera, 1) != Room.around([actor], camera, 2)
    assert Room.around([actor], camera, (1, 2)).seed == (1, 2)


def test_a_room_is_pickled_without_its_textures():
    look(ROOM)
    assert len(pickle.dumps(ROOM)) < 1000
    np.testing.assert_array_equal(look(pickle.loads(pickle.dumps(ROOM)))[0], look(ROOM)[0])


def test_a_picture_takes_a_few_milliseconds():
    lens = Intrinsics.from_field_of_view(640, 480, 60)
    look(ROOM, (640, 480), lens)
    spent = []
    for _ in range(5):
        start = time.process_time()
        look(ROOM, (640, 480), lens)
        spent.append(time.process_time() - start)
    # 8 ms where it was written; 25 ms are asked for.
    assert min(spent) < 0.1


@pytest.mark.parametrize("place", [(9.0, 0.0, 1.0), (0.5, -1.0, 2.9), (0.5, -1.0, -0.1)])
def test_a_camera_outside_of_the_room_is_refused(place):
    with pytest.raises(DataFormatError, match="outside of the room"):
        look(ROOM, position_m=place)


def test_bad_rooms_are_refused():
    for arguments in ({"size_m": (3, 3)}, {"size_m": (3, np.nan, 3)}, {"size_m": (3, 0.5, 3)}, {"center_m": (0, 0, 0)}):
        with pytest.raises(DataFormatError, match="Room"):
            Room(**arguments)
    for seed in (-1, 0.5, "a"):
        with pytest.raises(DataFormatError, match="Room: seed"):
            Room(seed)
    with pytest.raises(DataFormatError, match="distortion"):
        look(ROOM, lens=Intrinsics((300, 300), (160, 120), (0.1, 0, 0, 0)))
