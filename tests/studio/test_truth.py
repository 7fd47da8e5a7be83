from __future__ import annotations

import numpy as np
import pytest

from har_virtual.camera import Intrinsics
from har_virtual.exceptions import DataFormatError
from har_virtual.pose.skeletons import BODY_22
from har_virtual.studio import Camera, Scene, pan, perform, write_truth


@pytest.fixture(scope="module")
def scene():
    actors = [perform("waving", duration_s=1.0, seed=1), perform("standing", duration_s=1.0, position_m=(1.0, 0.5))]
    camera = Camera.facing(actors, azimuth_deg=20, size_px=(160, 120), path=pan(5.0, 2.0))
    return Scene(actors, camera, seed=3)


def test_the_files_are_the_truth_of_the_film_s_frames(scene, tmp_path):
    folder = write_truth(scene, tmp_path / "truth", frame_rate_hz=10, start_s=0.2, stop_s=0.6)
    assert {path.name for path in folder.iterdir()} == {"joints.npz", "depth_mm.npy", "persons.npy"}
    times = 0.2 + np.arange(4) / 10
    frames = list(scene.frames(times))
    persons, depth = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("persons", "depth_mm"))
    assert np.array_equal(persons, [frame.persons for frame in frames])
    assert np.abs(depth / 1000.0 - [frame.depth_m for frame in frames]).max() <= 0.00051
    with np.load(folder / "joints.npz") as joints:
        assert np.allclose(joints["timestamps_s"], [0, 0.1, 0.2, 0.3])
        assert np.array_equal(joints["positions_m"][1], scene.actors[1].pose(times)[0])
        assert np.array_equal(joints["rotations"][0], scene.actors[0].pose(times)[1])
        assert joints["labels"].tolist() == ["waving", "standing"]


def test_the_camera_in_the_file_projects_the_joints_to_the_keypoints_in_it(scene, tmp_path):
    folder = write_truth(scene, tmp_path, frame_rate_hz=10, pixels=False)
    assert [path.name for path in folder.iterdir()] == ["joints.npz"]
    with np.load(folder / "joints.npz") as joints:
        matrix = joints["camera_matrix"]
        camera = Intrinsics((matrix[0, 0], matrix[1, 1]), (matrix[0, 2], matrix[1, 2]))
        offset = joints["positions_m"] - joints["camera_positions_m"][:, None]
        assert np.allclose(camera.project(offset @ joints["camera_rotations"]), joints["keypoints_px"])
        assert tuple(joints["joints"]) == BODY_22.joints


def test_bounds_and_folders_that_do_not_fit_leave_nothing(scene, tmp_path):
    with pytest.raises(DataFormatError, match="has no frame"):
        write_truth(scene, tmp_path / "truth", start_s=0.5, stop_s=0.5)
    (tmp_path / "file").touch()
    with pytest.raises(DataFormatError, match="cannot be written there"):
        write_truth(scene, tmp_path / "file")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
