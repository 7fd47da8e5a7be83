"""The overlay picture: everybody is on a frame, nobody's face is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from har_virtual import Motion, VideoClip, VideoToVirtualIMU
from har_virtual.conversion import PersonMotion, overlay
from har_virtual.conversion.clips import convert_clip
from har_virtual.conversion.overlay import blur_image, choose_times
from har_virtual.skeleton import Skeleton

NOISE = np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8)
NO_FACES = np.empty((0, 3))


def person(start_s: float, stop_s: float, track_id: int = 1) -> PersonMotion:
    times = np.arange(round(start_s * 30), round(stop_s * 30) + 1) / 30
    motion = Motion(np.zeros((len(times), 1, 3)), times, Skeleton("point", ("head",), (-1,)))
    return PersonMotion(track_id, motion, np.zeros((len(times), 1, 2)), np.zeros((len(times), 4)), {})


def shown(persons: list[PersonMotion], times: np.ndarray) -> list[bool]:
    spans = [p.motion.timestamps_s[[0, -1]] for p in persons]
    return [any(start <= time <= stop for time in times) for start, stop in spans]


def sharpness(image: np.ndarray) -> float:
    return float(np.abs(np.diff(image.astype(int), axis=1)).mean())


def test_every_person_is_on_one_of_the_frames():
    persons = [person(0, 60), person(3, 4), person(20, 21), person(55, 56)]
    times = choose_times(persons)
    assert shown(persons, times) == [True] * 4
    assert len(times) == 4
    assert np.all(np.diff(times) > 0)


def test_frames_that_nobody_needs_spread_over_the_time():
    times = choose_times([person(2, 10)])
    assert np.diff(times).min() > 1.5
    assert 2 < times[0] < times[-1] < 10


def test_of_more_strangers_than_frames_four_are_shown():
    persons = [person(10 * k, 10 * k + 5) for k in range(6)]
    assert sum(shown(persons, choose_times(persons))) == 4


def test_no_frame_falls_into_a_time_without_anybody():
    times = choose_times([person(0, 2), person(20, 22)])
    assert np.all((times < 2) | (times > 20))


def test_what_lies_outside_the_boxes_is_blurred_and_inside_is_not():
    blurred = blur_image(NOISE, np.array([[100, 50, 200, 150]]), NO_FACES)
    np.testing.assert_array_equal(blurred[50:150, 100:200], NOISE[50:150, 100:200])
    outside = np.ones(NOISE.shape[:2], dtype=bool)
    outside[50:150, 100:200] = False
    assert sharpness(blurred[:50]) < 0.2 * sharpness(NOISE[:50])
    assert np.mean(blurred[outside] == NOISE[outside]) < 0.05


def test_a_face_inside_a_box_is_blurred_as_wide_as_it_is():
    whole = np.array([[0, 0, 320, 240]])
    blurred = blur_image(NOISE, whole, np.array([[160.0, 120.0, 60.0]]))
    face = (slice(100, 140), slice(140, 180))
    assert sharpness(blurred[face]) < 0.05 * sharpness(NOISE[face])
    np.testing.assert_array_equal(blurred[:50], NOISE[:50])


def test_faces_and_boxes_may_reach_out_of_the_picture():
    blurred = blur_image(NOISE, np.array([[-50, -50, 400, 300]]), np.array([[-5.0, 500.0, 20.0]]))
    np.testing.assert_array_equal(blurred, NOISE)


def test_shrinking_takes_the_mean_of_squares():
    image = np.zeros((5, 7, 3), dtype=np.uint8)
    image[2:4, 4:6] = [[[100], [200]], [[50], [250]]]
    small = overlay._shrink(image, 2)
    assert small.shape == (2, 3, 3)
    assert small[1, 2].tolist() == [150, 150, 150]
    assert small.sum() == 450


@pytest.fixture(scope="module")
def converted(demo_video, motion_cache):
    plan = VideoToVirtualIMU(sites=["waist"], cache_dir=motion_cache).plan()
    return convert_clip(plan, VideoClip(demo_video), "all")


def test_the_frame_read_is_the_one_asked_for_and_stays_within_the_clip(demo_video):
    whole, part = VideoClip(demo_video), VideoClip(demo_video, 2.0, 4.0)
    for time_s in (0.0, 3.0, 5.5):
        assert overlay._read_frame(whole, time_s, 1 / 30)[0] == pytest.approx(time_s, abs=1e-3)
    assert overlay._read_frame(part, 2.0, 1 / 30)[0] >= 2.0
    assert overlay._read_frame(part, 4.0 - 1 / 30, 1 / 30)[0] < 4.0


def test_the_face_of_a_tracked_person_is_blurred_and_the_shorts_are_not(converted, demo_video):
    time_s, image = overlay._read_frame(VideoClip(demo_video), 1.1, 1 / 30)
    man = converted.motions.persons[0]
    at = overlay._frame_at(man, time_s)
    face = overlay._face(man, at)
    blurred = blur_image(image, man.boxes_xyxy[[at]], face[None])
    x, y = face[:2].astype(int)
    head = slice(y - 8, y + 8), slice(x - 8, x + 8)
    assert sharpness(blurred[head]) < 0.3 * sharpness(image[head])
    left, top, right, bottom = man.boxes_xyxy[at].astype(int)
    shorts = slice(top + (bottom - top) // 2, top + 2 * (bottom - top) // 3), slice(left, right)
    np.testing.assert_array_equal(blurred[shorts], image[shorts])


def test_a_face_that_was_detected_but_not_tracked_is_blurred_on_its_frame_only(converted, tmp_path):
    from matplotlib.image import imread

    man = converted.motions.persons[0]
    time_s = choose_times(converted.motions.persons)[0]
    x1, y1, x2, y2 = man.boxes_xyxy[overlay._frame_at(man, time_s)]

    def picture(name: str, faces_px: np.ndarray) -> np.ndarray:
        changed = replace(converted, motions=replace(converted.motions, faces_px=faces_px))
        return imread(overlay.draw_overlay(tmp_path / name, changed, True))

    face = np.array([[time_s, (x1 + x2) / 2, (y1 + y2) / 2, 40.0]])
    nobody = picture("nobody.png", np.empty((0, 4)))
    assert np.any(picture("face.png", face) != nobody)
    np.testing.assert_array_equal(picture("later.png", face + np.array([0.05, 0, 0, 0])), nobody)


def test_the_picture_is_written_with_and_without_blurring(converted, tmp_path):
    from matplotlib.image import imread

    blurred, plain = (
        imread(overlay.draw_overlay(tmp_path / f"{blur}.png", converted, blur))[..., :3] for blur in (True, False)
    )
    assert blurred.shape == plain.shape
    assert np.mean(np.abs(blurred - plain) > 0.02) > 0.1
