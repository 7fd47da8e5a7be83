"""From what a perfect detector sees of a known person back to that person's motion and streams."""

from __future__ import annotations

import numpy as np
import oracle
import pytest

from har_virtual import Motion, VideoClip, VideoToVirtualIMU
from har_virtual.camera import Intrinsics
from har_virtual.camera.pnp import ray_rotations
from har_virtual.imu import simulate_imu
from har_virtual.motion import to_body
from har_virtual.pose import FramePoses
from har_virtual.pose.skeletons import BLAZEPOSE_33
from har_virtual.testing import check_pose_backend
from har_virtual.video import read_frames, write_video

CAMERA = Intrinsics((600.0, 600.0), (320.0, 240.0))
CAMERA_HEIGHT_M = 1.0
SITES = ["left_wrist", "right_ankle", "waist", "head", "left_thigh", "right_upper_arm"]


def truth(times_s: np.ndarray) -> np.ndarray:
    """A person who fidgets and wanders 5 m before the camera, in the world of a level camera."""
    joints = oracle.fidgeting_person(times_s)
    world = np.stack([joints[joint] for joint in BLAZEPOSE_33.joints], axis=1)
    return world + np.array([-0.8, 5.0, -CAMERA_HEIGHT_M])


class PerfectDetector:
    """What a detector would give that makes no error: exact keypoints, and the pose along the ray to the person."""

    skeleton = BLAZEPOSE_33

    def __init__(self, pitch_rad: float = 0.0, swapped: slice = slice(0)) -> None:
        self.pitch_rad = pitch_rad
        self.swapped = swapped
        self.cache_key = f"perfect {pitch_rad} {swapped}"

    def detect(self, frames):
        for frame in frames:
            world = truth(np.array([frame.timestamp_s]))[0]
            x, y, z = world.T
            level = np.column_stack([x, -z, y])
            # A camera that looks up by the pitch sees everything lower.
            camera = level @ oracle.rotation_about("x", np.array(self.pitch_rad))
            middle = camera[[BLAZEPOSE_33.index("left_hip"), BLAZEPOSE_33.index("right_hip")]].mean(axis=0)
            turn = ray_rotations(middle[None, :2] / middle[2])[0]
            pose = (camera - middle) @ turn
            keypoints = CAMERA.project(camera)
            if frame.index in range(10_000)[self.swapped]:
                keypoints, pose = keypoints[list(BLAZEPOSE_33.mirror)], pose[list(BLAZEPOSE_33.mirror)]
            yield FramePoses(keypoints[None], np.full((1, 33), 0.99), pose[None])


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    path = tmp_path_factory.mktemp("video") / "blank.mp4"
    return write_video(path, [np.zeros((480, 640, 3), np.uint8)] * 240, frame_rate_hz=30)


@pytest.fixture(scope="module")
def converter(tmp_path_factory):
    """Equal detectors see a clip once."""
    cache = tmp_path_factory.mktemp("cache")

    def convert(detector: PerfectDetector, **parameters) -> VideoToVirtualIMU:
        return VideoToVirtualIMU(sites=SITES, pose=detector, intrinsics=CAMERA, cache_dir=cache, **parameters)

    return convert


def exact_stream(recording) -> np.ndarray:
    times = np.arange(0, 240) / 30
    motion = to_body(Motion(truth(times), times, BLAZEPOSE_33))
    exact = simulate_imu(motion, SITES, 30, cutoff_hz=6)
    at = np.round((recording.times_s - exact.start_s) * 30).astype(int)
    return exact.data[at]


def relative_error(recording, quantity: str) -> float:
    """RMSE over the deviation of the truth, the first and last second left out."""
    columns = [i for i, channel in enumerate(recording.channels) if f"_{quantity}_" in channel]
    ours, exact = recording.data[30:-30, columns], exact_stream(recording)[30:-30, columns]
    return float(np.sqrt(((ours - exact) ** 2).mean()) / exact.std(axis=0).mean())


def test_the_perfect_detector_is_a_pose_backend(video):
    check_pose_backend(PerfectDetector(), list(read_frames(VideoClip(video, 0, 0.5))))


def test_a_known_person_s_streams_come_out_in_the_sensor_s_own_frame(video, converter):
    (recording,) = converter(PerfectDetector()).transform([video])
    assert len(recording) > 230
    assert relative_error(recording, "acc") < 0.25
    assert relative_error(recording, "gyr") < 0.25
    exact = exact_stream(recording)
    np.testing.assert_allclose(recording.data.mean(axis=0), exact.mean(axis=0), atol=0.25)


def test_the_camera_s_pitch_is_taken_out_where_it_is_given(video, converter):
    detector = PerfectDetector(pitch_rad=np.deg2rad(8))
    (given,) = converter(detector, camera_pitch_deg=8).transform([video])
    (assumed_level,) = converter(detector).transform([video])
    assert relative_error(given, "acc") < 0.25
    assert relative_error(assumed_level, "acc") > 0.6
    report = converter(detector).motions(video).persons[0].report
    assert report["trunk_lean_deg"] == pytest.approx(8, abs=2)
    assert converter(detector, camera_pitch_deg=8).motions(video).persons[0].report["trunk_lean_deg"] < 3


def test_sides_that_are_swapped_for_some_frames_change_nothing(video, converter):
    (clean,) = converter(PerfectDetector()).transform([video])
    (swapped,) = converter(PerfectDetector(swapped=slice(100, 106))).transform([video])
    np.testing.assert_allclose(swapped.data, clean.data, atol=1e-4)
    report = converter(PerfectDetector(swapped=slice(100, 106))).motions(video).persons[0].report
    assert report["swapped_poses"] == 6
    assert report["doubts"] == []


def test_a_hole_in_time_ends_a_track_and_nothing_is_made_up_in_it(tmp_path, converter):
    times = np.concatenate([np.arange(60), np.arange(60) + 150]) / 30
    path = write_video(tmp_path / "hole.mp4", [np.zeros((480, 640, 3), np.uint8)] * 120, timestamps_s=times)
    first, second = converter(PerfectDetector()).motions(path).persons
    assert first.report["stop_s"] == pytest.approx(59 / 30, abs=1e-3)
    assert second.report["start_s"] == pytest.approx(5.0, abs=1e-3)
    assert first.report["interpolated_poses"] == second.report["interpolated_poses"] == 0


def test_every_detected_face_is_known_for_the_blur(video, converter):
    motions = converter(PerfectDetector()).motions(VideoClip(video, 1.0, 3.0))
    assert motions.faces_px.shape == (60, 4)
    np.testing.assert_allclose(motions.faces_px[:, 0], np.arange(30, 90) / 30, atol=1e-6)
    ears = truth(motions.faces_px[:, 0])[:, [BLAZEPOSE_33.index("left_ear"), BLAZEPOSE_33.index("right_ear")]].mean(
        axis=1
    )
    x, y, z = ears.T
    np.testing.assert_allclose(motions.faces_px[:, 1:3], CAMERA.project(np.column_stack([x, -z, y])), atol=1)


def test_a_part_of_a_video_names_its_bounds_because_tracks_are_counted_anew(video, converter):
    recordings = converter(PerfectDetector()).transform([video, VideoClip(video, 1, 4), VideoClip(video, 4, 7.5)])
    subjects = [recording.subject for recording in recordings]
    assert len(set(subjects)) == 3
    assert subjects[1].endswith("@1-4/1")
    assert subjects[2].endswith("@4-7.5/1")


def test_clips_have_devices_of_their_own_and_the_same_ones_each_time(video, converter):
    noisy = converter(PerfectDetector(), sensor="low", random_state=0)
    clips = [video, VideoClip(video, 1, 7)]
    ideal = converter(PerfectDetector()).transform(clips)
    noise = [a.data - b.data for a, b in zip(noisy.transform(clips), ideal, strict=True)]
    again = [a.data - b.data for a, b in zip(noisy.transform(clips[::-1])[::-1], ideal, strict=True)]
    n = min(map(len, noise))
    assert np.abs(np.corrcoef(noise[0][:n, 0], noise[1][:n, 0])[0, 1]) < 0.3
    for first, second in zip(noise, again, strict=True):
        np.testing.assert_array_equal(first, second)


def test_a_stream_says_what_made_it(video, converter):
    imu = converter(PerfectDetector(), sensor="low", random_state=7)
    (recording,) = imu.transform([VideoClip(video, dataset="mine", subject="anna", label="fidgeting")])
    assert recording.group == "mine/anna"
    assert recording.labels == "fidgeting"
    attrs = recording.attrs
    assert attrs["camera"]["orientation"] == "assumed level"
    assert attrs["random_state"] == 7
    assert attrs["clip_length_s"] == pytest.approx(8.0, abs=0.02)
    (part,) = imu.transform([VideoClip(video, 2.0, 60.0)])
    assert part.attrs["clip_length_s"] == pytest.approx(6.0, abs=0.02)
    assert {"timing", "pose", "body", "har_virtual", "doubts", "twist_confidence"} <= set(attrs)
    assert imu.report_.loc[0, "camera"]["pnp"] == "translation"
