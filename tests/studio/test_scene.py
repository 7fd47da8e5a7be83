"""Actors before a camera: picture, depth and mask agree with the joints."""

from __future__ import annotations

import numpy as np
import pytest

from har_virtual.exceptions import DataFormatError, VideoError
from har_virtual.pose.skeletons import BODY_22
from har_virtual.studio.cameras import Camera, pan
from har_virtual.studio.capsules import Capsules
from har_virtual.studio.mannequin import dress
from har_virtual.studio.performance import perform
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


@pytest.mark.parametrize("path", [None, pan(5.0, 3.0)])
def test_video_is_the_same_whatever_the_number_of_workers(walk, tmp_path, path):
    scene = Scene(walk, Camera.facing(walk, size_px=SMALL, path=path), seed=4)
    # libx264 gives other bits each time on processors with AVX-512, whoever rendered the frames; mpeg4 does not.
    one, two = (
        scene.write_video(tmp_path / f"{n}.mp4", stop_s=1.2, codec="mpeg4", n_jobs=n).path.read_bytes() for n in (1, 2)
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
