"""The MediaPipe backend on the man and the woman of the demo video, and on parameters that it cannot take."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone

from har_virtual.exceptions import DataFormatError, MissingDependencyError
from har_virtual.pose import FramePoses, MediaPipePose, PoseBackend
from har_virtual.pose.mediapipe import _quiet_stderr
from har_virtual.pose.skeletons import BLAZEPOSE_33
from har_virtual.recording import VideoClip
from har_virtual.video import Frame, read_frames

WIDTH = 1768
FIELDS = ("keypoints_px", "confidence", "positions_m")
BLANK = [Frame(index, index / 30, np.zeros((96, 128, 3), np.uint8)) for index in range(2)]


def at(name: str) -> int:
    return BLAZEPOSE_33.index(name)


@pytest.fixture(scope="module")
def frames(demo_video: Path) -> list[Frame]:
    """The man jumps and waves, facing the camera; then the woman walks in from the right."""
    return list(read_frames(VideoClip(demo_video, 1.33, 2.26)))


@pytest.fixture(scope="module")
def found(frames: list[Frame]) -> list[FramePoses]:
    return list(MediaPipePose().detect(frames))


def joined(poses: list[FramePoses]) -> FramePoses:
    return FramePoses(*(np.concatenate([getattr(pose, name) for pose in poses]) for name in FIELDS))


@pytest.fixture(scope="module")
def man(found: list[FramePoses]) -> FramePoses:
    """One row a frame in which he is found alone in his half of the picture."""
    left = [poses.take(np.median(poses.keypoints_px[..., 0], axis=1) < WIDTH / 2) for poses in found]
    return joined([poses for poses in left if len(poses) == 1])


@pytest.fixture(scope="module")
def woman(found: list[FramePoses]) -> FramePoses:
    right = [poses.take(np.median(poses.keypoints_px[..., 0], axis=1) > WIDTH / 2) for poses in found]
    return joined([poses for poses in right if len(poses) == 1])


def same(first: list[FramePoses], second: list[FramePoses]) -> bool:
    pairs = list(zip(first, second, strict=True))
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for a, b in pairs for name in FIELDS)


def test_it_is_a_backend():
    backend = MediaPipePose()
    assert isinstance(backend, PoseBackend)
    assert backend.skeleton is BLAZEPOSE_33


def test_every_frame_has_one_result_of_the_stated_shapes(frames: list[Frame], found: list[FramePoses]):
    assert len(found) == len(frames) == 28
    for poses in found:
        n = len(poses)
        assert n <= 4
        assert (poses.keypoints_px.shape, poses.confidence.shape) == ((n, 33, 2), (n, 33))
        assert poses.positions_m.shape == (n, 33, 3)
        assert np.all((poses.confidence >= 0) & (poses.confidence <= 1))


def test_man_and_woman_are_found_where_they_are(man: FramePoses, woman: FramePoses):
    assert len(man) >= 18
    assert len(woman) >= 7
    for person, low, high in ((man, (550, 50), (750, 450)), (woman, (1200, 500), (1500, 800))):
        middle = person.keypoints_px[:, [at("left_hip"), at("right_hip")]].mean(axis=1)
        assert np.all((middle > low) & (middle < high))


@pytest.mark.parametrize("joint", ["shoulder", "wrist", "ear"])
def test_left_is_left_of_a_man_who_faces_the_camera(man: FramePoses, joint: str):
    for points in (man.keypoints_px, man.positions_m):
        # BlazePose itself turns him round in a frame or two while his arms are in the air.
        assert np.mean(points[:, at(f"left_{joint}"), 0] > points[:, at(f"right_{joint}"), 0]) > 0.85


def test_left_is_left_of_a_woman_who_walks_to_the_left_of_the_picture(woman: FramePoses):
    left, right = (woman.positions_m[:, at(f"{side}_shoulder")] for side in ("left", "right"))
    assert np.all(left[:, 2] < right[:, 2] - 0.1)


def test_positions_are_metric_with_y_down_and_z_away_from_the_camera(man: FramePoses, woman: FramePoses):
    for person in (man, woman):
        positions = person.positions_m
        ankles = positions[:, [at("left_ankle"), at("right_ankle")], 1]
        assert np.all(positions[:, at("nose"), 1] < ankles.min(axis=1))
        np.testing.assert_allclose(positions[:, [at("left_hip"), at("right_hip")]].mean(axis=1), 0, atol=0.02)
        thighs = np.linalg.norm(positions[:, at("left_hip")] - positions[:, at("left_knee")], axis=1)
        assert 0.25 < np.median(thighs) < 0.55
    ears = man.positions_m[:, [at("left_ear"), at("right_ear")], 2].mean(axis=1)
    assert np.mean(man.positions_m[:, at("nose"), 2] < ears) > 0.85


def test_keypoints_and_positions_show_the_same_pose(man: FramePoses, woman: FramePoses):
    for person in (man, woman):
        for keypoints, positions in zip(person.keypoints_px, person.positions_m, strict=True):
            assert np.corrcoef(keypoints[:, 1], positions[:, 1])[0, 1] > 0.95
    across = man.keypoints_px[:, at("left_wrist"), 0] - man.keypoints_px[:, at("right_wrist"), 0]
    assert (
        np.corrcoef(across, man.positions_m[:, at("left_wrist"), 0] - man.positions_m[:, at("right_wrist"), 0])[0, 1]
        > 0.9
    )


def test_a_second_run_gives_the_same_to_the_last_bit(frames: list[Frame], found: list[FramePoses]):
    backend = MediaPipePose()
    assert same(list(backend.detect(frames[:6])), found[:6])
    # What the backend saw before, and where it stopped, leaves no trace.
    stopped = backend.detect(frames[10:])
    next(stopped)
    assert same(list(backend.detect(frames[:6])), found[:6])


def test_frames_are_taken_one_by_one(frames: list[Frame]):
    taken = []
    results = MediaPipePose().detect(taken.append(frame.index) or frame for frame in frames)
    next(results)
    assert taken == [0]
    next(results)
    assert taken == [0, 1]
    results.close()


def test_nothing_is_written_to_the_terminal_by_the_first_run_of_a_process(demo_video: Path):
    script = f"""
from har_virtual.pose import MediaPipePose
from har_virtual.recording import VideoClip
from har_virtual.video import read_frames
found = list(MediaPipePose().detect(read_frames(VideoClip({str(demo_video)!r}, 1.33, 1.5))))
assert max(map(len, found)) > 0
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_one_person_at_most_where_one_is_asked_for(frames: list[Frame]):
    counts = [len(poses) for poses in MediaPipePose(max_persons=1).detect(frames[:10])]
    assert max(counts) == 1


def test_an_empty_picture_has_nobody_but_keeps_its_shapes():
    for poses in MediaPipePose().detect(BLANK):
        assert len(poses) == 0
        assert (poses.keypoints_px.shape, poses.positions_m.shape) == ((0, 33, 2), (0, 33, 3))


def test_no_frames_give_no_results():
    assert list(MediaPipePose().detect([])) == []


def test_stamps_closer_than_a_millisecond_are_taken():
    frames = [Frame(index, index * 1e-4, BLANK[0].image) for index in range(4)]
    assert len(list(MediaPipePose().detect(frames))) == 4


# What changes the result changes the key


def test_the_cache_key_is_that_of_the_parameters_and_not_of_the_instance():
    assert MediaPipePose().cache_key == MediaPipePose().cache_key == clone(MediaPipePose()).cache_key
    assert "0.10.21" in MediaPipePose().cache_key


def test_the_cache_key_changes_with_every_parameter(tmp_path: Path):
    (tmp_path / "a.task").write_bytes(b"one")
    (tmp_path / "b.task").write_bytes(b"another")
    variants = [
        MediaPipePose(),
        MediaPipePose(max_persons=2),
        MediaPipePose(min_detection_confidence=0.4),
        MediaPipePose(min_presence_confidence=0.4),
        MediaPipePose(min_tracking_confidence=0.4),
        MediaPipePose(model_path=tmp_path / "a.task"),
        MediaPipePose(model_path=tmp_path / "b.task"),
    ]
    assert len({backend.cache_key for backend in variants}) == len(variants)


def test_the_cache_key_is_that_of_the_model_and_not_of_its_name(tmp_path: Path):
    for name in ("a.task", "b.task"):
        (tmp_path / name).write_bytes(b"model")
    keys = {MediaPipePose(model_path=path).cache_key for path in (tmp_path / "a.task", str(tmp_path / "b.task"))}
    assert len(keys) == 1


def test_the_cache_key_needs_no_mediapipe_to_be_loaded():
    script = """
import sys
from har_virtual.pose import MediaPipePose
assert MediaPipePose().cache_key.startswith("mediapipe-0.10.21-")
assert "mediapipe" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_the_cache_key_follows_the_content_of_a_model_that_changes(tmp_path: Path):
    path = tmp_path / "a.task"
    path.write_bytes(b"one")
    backend = MediaPipePose(model_path=path)
    first = backend.cache_key
    path.write_bytes(b"three")
    assert backend.cache_key != first


def test_without_mediapipe_the_extra_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    with pytest.raises(MissingDependencyError, match=r"har_virtual\[video\]"):
        _ = MediaPipePose().cache_key


# Standard error


def test_threads_that_quiet_standard_error_at_the_same_time_give_it_back(capfd: pytest.CaptureFixture):
    inside, first_left = threading.Barrier(2), threading.Event()

    def first():
        with _quiet_stderr:
            inside.wait(5)
            inside.wait(5)
        first_left.set()

    thread = threading.Thread(target=first)
    thread.start()
    inside.wait(5)
    with _quiet_stderr:
        inside.wait(5)
        assert first_left.wait(5)
        os.write(2, b"hidden")
    thread.join()
    os.write(2, b"seen")
    assert capfd.readouterr().err == "seen"


def test_a_closed_standard_error_stops_nothing():
    script = """
import os
os.close(2)
import numpy as np
from har_virtual.pose import MediaPipePose
from har_virtual.video import Frame
assert len(list(MediaPipePose().detect([Frame(0, 0.0, np.zeros((96, 128, 3), np.uint8))]))) == 1
"""
    subprocess.run([sys.executable, "-c", script], check=True)


# Bad parameters


def test_a_missing_model_is_named(tmp_path: Path):
    backend = MediaPipePose(model_path=tmp_path / "missing.task")
    with pytest.raises(DataFormatError, match=r"missing\.task"):
        next(backend.detect(BLANK))
    with pytest.raises(DataFormatError, match=r"missing\.task"):
        _ = backend.cache_key


@pytest.mark.parametrize("content", ["", "garbage", "zip of something else"])
def test_a_model_that_is_none_is_named(tmp_path: Path, content: str):
    path = tmp_path / "other.task"
    if content.startswith("zip"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("readme.txt", "no model")
    else:
        path.write_text(100 * content)
    with pytest.raises(DataFormatError, match=r"other\.task"):
        next(MediaPipePose(model_path=path).detect(BLANK))


@pytest.mark.parametrize(
    "parameters",
    [
        {"max_persons": 0},
        {"max_persons": 1.5},
        {"min_detection_confidence": 1.5},
        {"min_presence_confidence": "high"},
        # MediaPipe aborts the whole process here.
        {"min_tracking_confidence": np.nan},
        {"model_path": 3},
    ],
)
def test_a_parameter_out_of_range_is_named_before_a_frame_is_taken(parameters: dict):
    def frames():
        raise AssertionError
        yield

    (name,) = parameters
    with pytest.raises(ValueError, match=name):
        next(MediaPipePose(**parameters).detect(frames()))
    with pytest.raises(ValueError, match=name):
        _ = MediaPipePose(**parameters).cache_key
