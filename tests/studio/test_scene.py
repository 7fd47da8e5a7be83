"""Actors before a camera: picture, depth and mask agree with the joints."""

from __future__ import annotations

import os

import numpy as np
import pytest
from joblib import Parallel, delayed

from har_virtual.camera import Intrinsics
from har_virtual.exceptions import DataFormatError, VideoError
from har_virtual.pose.skeletons import BODY_22
from har_virtual.studio import scene as scene_module
from har_virtual.studio.cameras import Camera, pan
from har_virtual.studio.capsules import Capsules
from har_virtual.studio.mannequin import dress
from har_virtual.studio.performance import perform
from har_virtual.studio.room import Room
from har_virtual.studio.scene import Scene
from har_virtual.video import probe_video, read_frames

SMALL = (160, 120)
LIMBS = [i for i, joint in enumerate(BODY_22.joints) if not joint.endswith("ear")]


@pytest.fixture(scope="module")
def walk():
    return perform("walking", duration_s=1.5, seed=3)


@pytest.fixture(scope="module")
def scene(walk):
    return Scene(walk, Camera.facing(walk, size_px=SMALL), seed=1)


def body_at(actor, time_s):
    positions, rotations = actor.pose([time_s])
    return dress(actor.body, positions[0], rotations[0])


@pytest.mark.parametrize("azimuth_deg", [0, 45, 90, 180])
@pytest.mark.parametrize("activity", ["walking", "squatting", "lying_down"])
def test_joints_fall_on_the_person_in_the_mask(activity, azimuth_deg):
    actor = perform(activity, duration_s=3.0, seed=2)
    scene = Scene(actor, Camera.facing(actor, azimuth_deg=azimuth_deg), seed=1)
    frame = next(scene.frames([1.4]))
    rows, columns = np.nonzero(frame.persons == 1)
    for joint in scene.keypoints_px([1.4])[0][0, LIMBS]:
        # The seat, the mat and the arm before the trunk hide nothing by more than these 2 px.
        assert np.hypot(columns + 0.5 - joint[0], rows + 0.5 - joint[1]).min() <= 2.0


def test_persons_pixels_lie_on_the_surface_of_the_body(scene, walk):
    frame = next(scene.frames([0.7]))
    rotation, position = (part[0] for part in scene.camera.pose([0.7]))
    rows, columns = np.nonzero(frame.persons)
    seen = scene.camera.intrinsics.unproject(np.stack([columns, rows], -1) + 0.5, frame.depth_m[rows, columns])
    capsules = body_at(walk, 0.7)
    distances = [capsules.distance_m(point).min() for point in seen @ rotation.T + position]
    assert len(distances) > 400
    assert np.abs(distances).max() < 1e-3


def test_depth_beside_the_person_is_that_of_the_room(scene):
    frame, position = next(scene.frames([0.7])), scene.camera.pose([0.7])[1][0]
    _, room_depth = scene.room.cast(position, scene.camera.pose([0.7])[0][0], scene.camera.intrinsics, SMALL)
    nobody = frame.persons == 0
    np.testing.assert_array_equal(frame.depth_m[nobody], room_depth[nobody])
    assert (frame.depth_m[~nobody] < room_depth[~nobody]).all()


def test_picture_changes_only_on_the_person_and_its_shadow():
    actor = perform("standing", duration_s=1.0, seed=3)
    camera = Camera.facing(actor, size_px=SMALL)
    scene = Scene(actor, camera, seed=1, noise=0.0)
    frame = next(scene.frames([0.5]))
    room, depth = scene.room.cast(*reversed([part[0] for part in camera.pose([0.5])]), camera.intrinsics, SMALL)
    changed = (frame.image.astype(int) - room).any(axis=-1)
    assert changed[frame.persons > 0].mean() > 0.98
    rows, columns = np.nonzero(changed & (frame.persons == 0))
    beside = np.pad(frame.persons > 0, 1)
    near = (
        beside[rows, columns + 1]
        | beside[rows + 2, columns + 1]
        | beside[rows + 1, columns]
        | beside[rows + 1, columns + 2]
    )
    rotation, position = (part[0] for part in camera.pose([0.5]))
    ground = (
        camera.intrinsics.unproject(np.stack([columns, rows], -1) + 0.5, depth[rows, columns]) @ rotation.T + position
    )
    assert (near | (np.abs(ground[:, 2]) < 0.011)).all()
    shadow = ~near
    assert shadow.sum() > 20
    assert (frame.image[rows, columns][shadow].astype(int) <= room[rows, columns][shadow]).all()


def test_nearer_person_hides_the_farther_one_and_each_has_its_number():
    far, near = (perform("standing", duration_s=1.0, seed=k, position_m=(0.0, y)) for k, y in ((1, 0.0), (2, 1.0)))
    scene = Scene([far, near], Camera((0.0, 4.0, 1.0), heading_deg=180.0, size_px=SMALL), seed=0)
    frame = next(scene.frames([0.5]))
    both = [actor.pose([0.5])[0][0, BODY_22.index("pelvis")] for actor in (far, near)]
    assert (frame.persons == 2).sum() > 5 * (frame.persons == 1).sum()
    assert frame.depth_m[frame.persons == 2].max() < 4.0 - both[0][1]


def test_pillar_before_a_person_takes_its_pixels(walk):
    camera = Camera.facing(walk, azimuth_deg=0, size_px=SMALL)
    middle = walk.pose([0.7])[0][0, 0]
    share = camera.pose([0.7])[1][0] * 0.4 + middle * 0.6
    pillar = Capsules([[*share[:2], 0.0]], [[*share[:2], 2.5]], [0.12], [(0.5, 0.5, 0.5)], [0])
    free, hidden = (next(Scene(walk, camera, props=props).frames([0.7])) for props in (None, pillar))
    assert (hidden.persons > 0).sum() < 0.7 * (free.persons > 0).sum()
    taken = (free.persons > 0) & (hidden.persons == 0)
    assert (hidden.depth_m[taken] < free.depth_m[taken]).all()


def test_what_a_hand_holds_is_in_the_picture_and_nobody_in_the_mask():
    actor = perform("vacuum_cleaning", duration_s=1.0, seed=5)
    camera = Camera.facing(actor, azimuth_deg=60, size_px=SMALL)
    frame = next(Scene(actor, camera, noise=0.0).frames([0.5]))
    empty = perform(lambda t, style: actor.formula(t, style), duration_s=1.0, seed=5)
    without = next(Scene(empty, camera, noise=0.0).frames([0.5]))
    held = frame.depth_m < without.depth_m - 1e-3
    assert held.sum() > 10 and (frame.persons[held] == 0).all()


def test_same_instant_gives_the_same_frame_in_every_call(scene):
    alone, among = next(scene.frames([0.6])), list(scene.frames([0.2, 0.6]))[1]
    np.testing.assert_array_equal(alone.image, among.image)
    assert (alone.timestamp_s, among.timestamp_s) == (0.6, 0.6)


def test_seed_changes_room_and_noise(walk, scene):
    other = next(Scene(walk, scene.camera, seed=2).frames([0.6])).image
    assert (other != next(scene.frames([0.6])).image).mean() > 0.5


def test_noise_has_the_standard_deviation_that_was_asked_for(walk, scene):
    clean = next(Scene(walk, scene.camera, seed=1, noise=0.0).frames([0.5])).image.astype(float)
    noisy = next(Scene(walk, scene.camera, seed=1, noise=4.0).frames([0.5])).image.astype(float)
    unclipped = (clean > 20) & (clean < 235)
    assert (noisy - clean)[unclipped].std() == pytest.approx(4.0, rel=0.03)
    assert abs((noisy - clean)[unclipped].mean()) < 0.1


def test_exposure_scales_brightness(walk, scene):
    usual, dark = (
        next(Scene(walk, scene.camera, seed=1, noise=0.0, exposure=exposure).frames([0.5])).image.astype(float)
        for exposure in (1.0, 0.5)
    )
    assert dark.mean() == pytest.approx(0.5 * usual.mean(), abs=1.0)


def test_open_shutter_averages_the_instants_around_the_stamp(walk, scene):
    still = Scene(walk, scene.camera, seed=1, noise=0.0)
    blurred = next(still.frames([0.7], shutter_s=0.06, blur_samples=3))
    instants = list(still.frames([0.68, 0.70, 0.72]))
    mean = np.mean([frame.image for frame in instants], axis=0)
    assert np.abs(blurred.image - mean).max() <= 0.51
    np.testing.assert_array_equal(blurred.depth_m, instants[1].depth_m)
    np.testing.assert_array_equal(blurred.persons, instants[1].persons)


def test_moving_camera_sees_the_room_move(walk):
    camera = Camera.facing(walk, size_px=SMALL, path=pan(10.0, 4.0))
    scene = Scene(walk, camera, noise=0.0)
    first, second = scene.frames([0.0, 1.0])
    assert (first.image != second.image).mean() > 0.3
    projected = camera.project(walk.pose([1.0])[0], [1.0])[0]
    np.testing.assert_array_equal(scene.keypoints_px([1.0])[0][0], projected)


def test_video_is_the_same_whatever_the_number_of_workers(walk, tmp_path):
    scene = Scene(walk, Camera.facing(walk, size_px=SMALL), seed=4)
    # What x264 writes is not this test's business. 18 frames are two batches.
    one, two = (
        scene.write_video(tmp_path / f"{n}.mp4", stop_s=0.6, codec="mpeg4", n_jobs=n).path.read_bytes() for n in (1, 2)
    )
    assert one == two


def test_video_holds_the_frames_of_the_clip_and_knows_who_does_what(scene, walk, tmp_path):
    clip = scene.write_video(tmp_path / "walk.mp4", frame_rate_hz=25.0, start_s=0.2, stop_s=0.6, quality=10)
    assert (clip.label, clip.subject, clip.path) == ("walking", walk.subject, tmp_path / "walk.mp4")
    decoded = list(read_frames(clip))
    np.testing.assert_allclose([frame.timestamp_s for frame in decoded], np.arange(10) / 25, atol=1e-4)
    rendered = next(scene.frames([0.2 + 3 / 25]))
    assert np.abs(decoded[3].image.astype(float) - rendered.image).mean() < 4.0
    assert probe_video(clip.path).width == SMALL[0]


def test_scene_lasts_as_long_as_its_shortest_actor(walk):
    longer = perform("standing", duration_s=4.0, seed=1)
    scene = Scene([longer, walk], Camera.facing([longer, walk], size_px=SMALL))
    assert scene.duration_s == 1.5
    with pytest.raises(DataFormatError, match=r"'walking' acts only from 0 to 1\.5 s"):
        scene.frames([2.0])


def test_nobody_is_an_error():
    with pytest.raises(DataFormatError, match="no actor"):
        Scene([], Camera((0.0, 0.0, 1.0)))


@pytest.mark.parametrize("times_s", [[], [[0.1]], [-0.1], [np.nan]])
def test_times_that_are_none_or_not_within_are_errors(scene, times_s):
    with pytest.raises(DataFormatError, match="Scene: times"):
        scene.frames(times_s)


@pytest.mark.parametrize(("start_s", "stop_s"), [(0.5, 0.5), (0.6, 0.2), (0.0, 0.0)])
def test_clip_of_no_frame_is_an_error(scene, tmp_path, start_s, stop_s):
    with pytest.raises(DataFormatError, match="has no frame"):
        scene.write_video(tmp_path / "x.mp4", start_s=start_s, stop_s=stop_s)
    assert not any(tmp_path.iterdir())


def test_stop_beyond_the_actors_is_an_error(scene, tmp_path):
    with pytest.raises(DataFormatError, match="acts only"):
        scene.write_video(tmp_path / "x.mp4", stop_s=9.0)


@pytest.mark.parametrize("options", [{"shutter_s": -0.1}, {"shutter_s": np.nan}, {"shutter_s": 0.1, "blur_samples": 4}])
def test_shutter_that_cannot_be_is_an_error(scene, options):
    with pytest.raises(DataFormatError, match=r"shutter_s|blur_samples"):
        scene.frames([0.5], **options)


def test_camera_inside_a_person_is_an_error_that_says_who_and_when(walk):
    pelvis = walk.pose([0.7])[0][0, 0]
    scene = Scene(walk, Camera(pelvis, size_px=SMALL))
    with pytest.raises(DataFormatError, match=r"at 0.70 s the camera .* is inside person 1 .*'walking'"):
        next(scene.frames([0.7]))


def test_camera_inside_a_prop_is_an_error(walk):
    ball = Capsules([(0.0, 5.0, 1.0)], [(0.0, 5.0, 1.0)], [0.3], [(0.5, 0.5, 0.5)], [0])
    scene = Scene(walk, Camera((0.0, 5.0, 1.0), size_px=SMALL), props=ball)
    with pytest.raises(DataFormatError, match="is inside a prop"):
        next(scene.frames([0.1]))


@pytest.mark.parametrize("options", [{"noise": -1.0}, {"noise": None}, {"exposure": 0.0}])
def test_numbers_that_cannot_be_are_errors(walk, scene, options):
    with pytest.raises(DataFormatError, match=r"Scene: (noise|exposure)"):
        Scene(walk, scene.camera, **options)


def test_path_that_cannot_be_written_is_an_error(scene, tmp_path):
    (tmp_path / "file").write_text("no folder")
    for path in (tmp_path, tmp_path / "file" / "x.mp4"):
        with pytest.raises(VideoError, match="cannot be written"):
            scene.write_video(path, stop_s=0.1)


def test_codec_that_is_missing_is_an_error_and_leaves_no_file(scene, tmp_path):
    with pytest.raises(VideoError, match="libnothing"):
        scene.write_video(tmp_path / "x.mp4", stop_s=0.1, codec="libnothing")
    assert not any(tmp_path.iterdir())


ROOM = Room(seed=2, size_m=(8.0, 8.0, 2.8))
GREY = [(0.5, 0.5, 0.5)]


def ball_at(place, radius_m=0.3, person=0):
    return Capsules([place], [place], [radius_m], GREY, [person])


@pytest.fixture(scope="module")
def pair():
    """Two who stand beside each other, and a camera that sees them to their feet."""
    actors = [perform("standing", duration_s=1.0, seed=k, position_m=(x, 0.0)) for k, x in ((1, -0.7), (2, 0.7))]
    return actors, Camera((0.0, 3.0, 1.4), heading_deg=180.0, pitch_deg=-10.0, size_px=SMALL)


def image_of(scene, time_s=0.5, **shutter):
    return next(scene.frames([time_s], **shutter)).image.astype(int)


def test_noise_comes_from_the_seed_and_differs_from_frame_to_frame(pair):
    actors, camera = pair

    def noise(seed, time_s):
        clean, noisy = (Scene(actors, camera, room=ROOM, seed=seed, noise=noise) for noise in (0.0, 4.0))
        return (image_of(noisy, time_s) - image_of(clean, time_s)).astype(float)

    first, other, later = noise(1, 0.5), noise(2, 0.5), noise(1, 0.6)
    for difference in (other - first, later - first):
        assert difference.std() == pytest.approx(4.0 * np.sqrt(2), rel=0.1)


def test_sheet_of_noise_comes_from_the_seed(pair):
    actors, camera = pair
    sheets = [Scene(actors, camera, room=ROOM, seed=seed)._noise_sheet for seed in (1, 2)]
    assert (sheets[0] != sheets[1]).mean() > 0.5


def test_lamp_comes_from_the_seed_and_lights_persons_alone(pair):
    actors, camera = pair
    scenes = [Scene(actors, camera, room=ROOM, seed=seed, noise=0.0) for seed in (1, 2)]
    changed = (image_of(scenes[0]) != image_of(scenes[1])).any(axis=-1)
    persons = next(scenes[0].frames([0.5])).persons > 0
    assert changed[persons].mean() > 0.5
    assert changed[~persons].mean() < 0.05


def test_camera_goes_on_turning_while_the_shutter_is_open(pair):
    actors, camera = pair
    moving = Camera(camera.position_m, 180.0, -10.0, size_px=SMALL, path=pan(10.0, 2.0))
    scene = Scene(actors, moving, room=ROOM, noise=0.0)
    blurred = image_of(scene, 0.5, shutter_s=0.3, blur_samples=3)
    mean = np.mean([image_of(scene, time_s) for time_s in (0.4, 0.5, 0.6)], axis=0)
    assert np.abs(blurred - mean).max() <= 0.51
    moving_fast = image_of(scene, 0.1, shutter_s=0.2, blur_samples=3)
    assert np.abs(moving_fast - image_of(scene, 0.1)).mean() > 1.0


def test_pixels_beside_a_person_and_a_prop_are_mixed_with_theirs(pair):
    actors, camera = pair
    ball = ball_at((0.0, 1.0, 1.4), 0.15)
    empty = ROOM.cast(camera.position_m, camera.pose([0.0])[0][0], camera.intrinsics, SMALL)[0]
    for props in (None, ball):
        frame = next(Scene(actors, camera, room=ROOM, props=props, noise=0.0).frames([0.5]))
        inside = frame.persons > 0 if props is None else np.abs(frame.depth_m - 2.0) < 0.2
        # The upper half has no shadow.
        inside[SMALL[1] // 2 :] = False
        beside = ~inside[:, 1:] & inside[:, :-1]
        beside[SMALL[1] // 2 :] = False
        assert beside.sum() > 10
        assert (frame.image[:, 1:] != empty[:, 1:]).any(axis=-1)[beside].mean() > 0.8


def test_every_actor_has_its_own_keypoints(pair):
    actors, camera = pair
    keypoints = Scene(actors, camera, room=ROOM).keypoints_px([0.2, 0.5])
    assert len(keypoints) == 2
    for actor, pixels in zip(actors, keypoints, strict=True):
        np.testing.assert_array_equal(pixels, camera.project(actor.pose([0.2, 0.5])[0], [0.2, 0.5]))


def test_every_actor_casts_a_shadow(pair):
    actors, camera = pair
    frame = next(Scene(actors, camera, room=ROOM, noise=0.0).frames([0.5]))
    empty = ROOM.cast(camera.position_m, camera.pose([0.0])[0][0], camera.intrinsics, SMALL)[0].astype(int)
    for actor in actors:
        column, row = camera.project(actor.pose([0.5])[0][:, [BODY_22.index("left_foot")]], [0.5])[0, 0]
        near = np.s_[int(row) - 8 : int(row) + 8, int(column) - 15 : int(column) + 15]
        floor = frame.persons[near] == 0
        assert (empty[near] - frame.image[near])[floor].mean() > 10


def test_furniture_of_every_actor_and_props_stand_in_the_scene(walk):
    seats = [perform("sitting_down", duration_s=1.0, seed=k, position_m=(k, 0.0)) for k in (1, 2)]
    scene = Scene([walk, *seats], Camera((0.0, 6.0, 1.0), size_px=SMALL), props=ball_at((0.0, 3.0, 1.0)))
    expected = ball_at((0.0, 3.0, 1.0)) + seats[0].furniture + seats[1].furniture
    assert len(seats[1].furniture) > 0
    np.testing.assert_array_equal(scene.scenery.starts_m, expected.starts_m)


def test_video_knows_what_all_do_and_who_it_is_if_alone(walk, tmp_path):
    stand = [perform("standing", duration_s=1.0, seed=k, position_m=(2.0 * k, 0.0)) for k in (1, 2)]
    for actors, label, subject in (
        (stand, "standing", None),
        ([walk, stand[0]], None, None),
        (stand[:1], "standing", stand[0].subject),
    ):
        scene = Scene(actors, Camera.facing(actors, size_px=SMALL))
        clip = scene.write_video(tmp_path / "x.mp4", stop_s=0.1)
        assert (clip.label, clip.subject) == (label, subject)


def test_worse_quality_makes_a_smaller_file(scene, tmp_path):
    good, bad = (
        scene.write_video(tmp_path / f"{quality}.mp4", stop_s=0.2, quality=quality).path.stat().st_size
        for quality in (0, 50)
    )
    assert good > 5 * bad


def test_video_is_blurred_as_the_frames_are(pair, tmp_path):
    actors, camera = pair
    moving = Camera(camera.position_m, 180.0, -10.0, size_px=SMALL, path=pan(20.0, 2.0))
    scene = Scene(actors, moving, room=ROOM, noise=0.0)
    shutter = {"shutter_s": 0.2, "blur_samples": 5}
    clip = scene.write_video(tmp_path / "x.mp4", start_s=0.1, stop_s=0.12, quality=1, **shutter)
    decoded = next(read_frames(clip)).image.astype(int)
    wrong = [image_of(scene, 0.1, shutter_s=0.2, blur_samples=3), image_of(scene, 0.1)]
    errors = [np.abs(decoded - image).mean() for image in (image_of(scene, 0.1, **shutter), *wrong)]
    assert errors[0] < 0.8 * min(errors[1:])


def test_many_batches_stay_in_order_whoever_renders_them(walk, tmp_path, monkeypatch):
    folder = tmp_path / "processes"
    folder.mkdir()

    def who_was_here(times_s):
        (folder / str(os.getpid())).touch()
        return pan(5.0, 3.0)(times_s)

    monkeypatch.setattr(scene_module, "_BATCH", 2)
    scene = Scene(walk, Camera.facing(walk, size_px=SMALL, path=who_was_here), seed=4)
    (folder / str(os.getpid())).unlink()
    # 12 batches, of which at most 4 are under way.
    two = scene.write_video(tmp_path / "2.mp4", stop_s=0.8, codec="mpeg4", n_jobs=2)
    workers = {int(path.name) for path in folder.iterdir()}
    assert workers and os.getpid() not in workers
    one = scene.write_video(tmp_path / "1.mp4", stop_s=0.8, codec="mpeg4", n_jobs=1)
    assert len(list(read_frames(two))) == 24
    assert one.path.read_bytes() == two.path.read_bytes()


def test_worker_that_dies_is_an_error_and_leaves_no_file(walk, tmp_path):
    parent = os.getpid()

    def dies_elsewhere(times_s):
        if os.getpid() != parent:
            os._exit(1)
        return np.zeros((len(times_s), 6))

    scene = Scene(walk, Camera.facing(walk, size_px=SMALL, path=dies_elsewhere))
    with pytest.raises(VideoError, match="process that renders died"):
        scene.write_video(tmp_path / "x.mp4", n_jobs=2)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("n_jobs", [0, 1.5, "2", True])
def test_number_of_workers_that_cannot_be_is_an_error(scene, tmp_path, n_jobs):
    with pytest.raises(DataFormatError, match="n_jobs"):
        scene.write_video(tmp_path / "x.mp4", n_jobs=n_jobs)
    assert not any(tmp_path.iterdir())


def test_props_of_a_person_are_an_error(walk, scene):
    with pytest.raises(DataFormatError, match=r"of person 0, not of \[7\]"):
        Scene(walk, scene.camera, props=ball_at((0.0, 3.0, 1.0), person=7))


def test_distorted_lens_is_an_error_at_once(walk):
    lens = Intrinsics((150.0, 150.0), (80.0, 60.0), (0.1, 0.0, 0.0, 0.0))
    with pytest.raises(DataFormatError, match="distortion"):
        Scene(walk, Camera((0.0, 4.0, 1.0), size_px=SMALL, intrinsics=lens))


def test_camera_that_stands_outside_of_its_room_is_an_error_at_once(walk):
    with pytest.raises(DataFormatError, match="outside of the room"):
        Scene(walk, Camera((0.0, 9.0, 1.0), size_px=SMALL), room=ROOM)


def test_camera_next_to_a_surface_is_an_error(walk):
    scene = Scene(walk, Camera((0.0, 5.0, 1.0), size_px=SMALL), props=ball_at((0.0, 5.31, 1.0)))
    with pytest.raises(DataFormatError, match=r"or within 0\.02 m"):
        next(scene.frames([0.1]))


def test_what_is_no_actor_camera_room_or_prop_is_an_error(walk, scene):
    for actors in (["walking"], [walk, walk]):
        with pytest.raises(DataFormatError, match="each once"):
            Scene(actors, scene.camera)
    for arguments in ({"camera": (0, 0, 1)}, {"camera": scene.camera, "props": [1]}):
        with pytest.raises(DataFormatError, match="needs a Camera"):
            Scene(walk, **arguments)
    with pytest.raises(DataFormatError, match="room must be a Room"):
        Scene(walk, scene.camera, room=3)
    for seed in (-1, 0.5, "a"):
        with pytest.raises(DataFormatError, match="Scene: seed"):
            Scene(walk, scene.camera, seed=seed)


def test_joblib_works_after_workers_have_rendered(tmp_path):
    walk = perform("walking", duration_s=1.0)
    scene = Scene(walk, Camera.facing(walk, size_px=(64, 48)))
    scene.write_video(tmp_path / "walk.mp4", frame_rate_hz=40, n_jobs=2)
    assert Parallel(n_jobs=2)(delayed(abs)(-number) for number in range(4)) == [0, 1, 2, 3]
