from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from totalcapture_sample import SAMPLE, script

from har_virtual.datasets.totalcapture.cameras import load_totalcapture_cameras, load_totalcapture_videos
from har_virtual.datasets.totalcapture.motions import load_totalcapture_motions
from har_virtual.exceptions import DataFormatError, UnknownNameError


def write(folder: Path, lines: list[str]) -> Path:
    (folder / "calibration.cal").write_text("\n".join(lines) + "\n", encoding="ascii")
    return folder


def one_camera(distortions: str = "0", **changes: str) -> list[str]:
    rows = {"bounds": "0 1079 0 1919", "focal": "1000 1000 960 540", "distortions": distortions}
    rows |= {"x": "1 0 0", "y": "0 1 0", "z": "0 0 1", "t": "0 0 4"} | changes
    return [f"1 {len(distortions.split())}", *(row for row in rows.values() if row)]


# Cameras


def test_eight_cameras_stand_where_the_closed_form_has_them():
    cameras = load_totalcapture_cameras(SAMPLE)
    assert list(cameras) == [f"cam{number}" for number in range(1, 9)]
    for number, camera in enumerate(cameras.values(), 1):
        place, axes = script.camera_pose(number)
        np.testing.assert_allclose(camera.position_m, place, rtol=0, atol=1e-7)
        np.testing.assert_allclose(camera.rotation, axes.T, rtol=0, atol=1e-8)
        assert (camera.width, camera.height) == (1920, 1080)
        assert camera.intrinsics.focal_px == (1000 + number, 1001 + number)
        assert camera.intrinsics.distortion == (-number / 100, 0.0, 0.0, 0.0)


def test_what_is_above_is_above_in_the_picture_and_what_is_to_the_right_is_right():
    cameras = load_totalcapture_cameras(SAMPLE)
    for number, camera in enumerate(cameras.values(), 1):
        center, above = camera.project([[0, 0, 1.0], [0, 0, 1.5]])
        np.testing.assert_allclose(center, [959.5, 539.5], rtol=0, atol=1e-5)
        assert above[1] < center[1] - 50
        right = script.camera_pose(number)[1][0] + np.array([0, 0, 1.0])
        assert camera.project(right)[0] > center[0] + 100


def test_a_person_in_inches_falls_into_the_picture_of_cameras_in_metres():
    motion = load_totalcapture_motions(SAMPLE, subjects="S1")[0]
    for camera in load_totalcapture_cameras(SAMPLE).values():
        pixels = camera.project(motion.positions_m)
        assert (pixels >= 0).all()
        assert (pixels < [camera.width, camera.height]).all()
        height_px = np.ptp(pixels[0, :, 1])
        assert 200 < height_px < 600


def test_the_distortion_is_radial(tmp_path):
    camera = load_totalcapture_cameras(write(tmp_path, one_camera("0.1")))["cam1"]
    # One metre to the right, at 4 m: x/z = 1/4, stretched by 1 + k1 (1/4)^2.
    pixel = camera.project([1.0, 0.0, 0.0])
    np.testing.assert_allclose(pixel, [960 + 250 * (1 + 0.1 / 16), 540], rtol=0, atol=1e-6)


@pytest.mark.parametrize(("text", "expected"), [("0.1 0.2", (0.1, 0.2, 0, 0)), ("0.1 0.2 0.3", (0.1, 0.2, 0, 0, 0.3))])
def test_more_coefficients_are_radial_too(tmp_path, text, expected):
    camera = load_totalcapture_cameras(write(tmp_path, one_camera(text)))["cam1"]
    assert camera.intrinsics.distortion == expected


def test_a_camera_without_distortion_has_none(tmp_path):
    lines = one_camera("")
    assert load_totalcapture_cameras(write(tmp_path, lines))["cam1"].intrinsics.distortion == ()


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["eight 1"], "line 1: needs the numbers of cameras and of distortions"),
        (["2 1", *one_camera()[1:]], r"has 21 numbers after the first line, but 2 cameras of 21 need 42"),
        (["0 1"], "has 0 numbers"),
        (one_camera("0 0 0 0"), "4 coefficients of distortion; at most 3"),
        (one_camera(x="1 0 z"), r"calibration\.cal, line 5: 'z' is no number"),
        (one_camera(x="2 0 0"), r"calibration\.cal, cam1: rotations must be orthonormal"),
        (one_camera(x="-1 0 0"), r"cam1: .*reflection"),
        (one_camera(focal="0 1000 960 540"), "cam1: Intrinsics: focal_px"),
        (one_camera(bounds="0 1079 9 9"), "cam1: rows 0 to 1079 and columns 9 to 9 are none"),
        (one_camera(bounds="9 9 0 1919"), "cam1: rows 9 to 9 and columns 0 to 1919 are none"),
    ],
)
def test_damage_to_the_calibration_is_told(tmp_path, lines, message):
    with pytest.raises(DataFormatError, match=message):
        load_totalcapture_cameras(write(tmp_path, lines))


def test_the_calibration_is_found_as_a_file_and_below(tmp_path):
    (tmp_path / "totalcapture").mkdir()
    write(tmp_path / "totalcapture", one_camera())
    for given in (tmp_path, tmp_path / "totalcapture", tmp_path / "totalcapture" / "calibration.cal"):
        assert list(load_totalcapture_cameras(given)) == ["cam1"]
    with pytest.raises(FileNotFoundError, match=r"has no calibration\.cal; data_home must be"):
        load_totalcapture_cameras(SAMPLE / "S1")


# Videos


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    for file in (
        "s1/acting1/TC_S1_acting1_cam1.mp4",
        "s1/acting1/TC_S1_acting1_cam8.mp4",
        "video/S2/rom2/tc_s2_rom2_cam3.mp4",
    ):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    return tmp_path


def test_videos_know_their_person_and_label(videos):
    clips = load_totalcapture_videos(videos)
    assert [(clip.path.name, clip.subject, clip.label, clip.dataset) for clip in clips] == [
        ("TC_S1_acting1_cam1.mp4", "S1", "acting", "totalcapture"),
        ("TC_S1_acting1_cam8.mp4", "S1", "acting", "totalcapture"),
        ("tc_s2_rom2_cam3.mp4", "S2", "rom", "totalcapture"),
    ]
    assert all((clip.start_s, clip.stop_s) == (0.0, None) and clip.path.is_file() for clip in clips)


def test_videos_are_chosen_by_subject_take_and_camera(videos):
    assert [c.path.name for c in load_totalcapture_videos(videos, cameras="cam8")] == ["TC_S1_acting1_cam8.mp4"]
    assert [c.subject for c in load_totalcapture_videos(videos, sessions="rom2")] == ["S2"]
    assert [c.subject for c in load_totalcapture_videos(videos, subjects=2)] == ["S2"]
    with pytest.raises(UnknownNameError, match="no cam2; there is cam1, cam3, cam8"):
        load_totalcapture_videos(videos, cameras="cam2")
    with pytest.raises(DataFormatError, match="no video rom2 of S1"):
        load_totalcapture_videos(videos, subjects="S1", sessions="rom2")


def test_videos_of_a_folder_below_count_only_where_there_are_none_above(videos):
    below = videos / "TotalCapture" / "S3" / "walking1" / "TC_S3_walking1_cam1.mp4"
    below.parent.mkdir(parents=True)
    below.touch()
    assert {clip.subject for clip in load_totalcapture_videos(videos)} == {"S1", "S2"}
    assert [clip.path for clip in load_totalcapture_videos(videos / "TotalCapture")] == [below]


def test_no_video_is_an_error(tmp_path):
    with pytest.raises(DataFormatError, match="has no video of TotalCapture: unpack"):
        load_totalcapture_videos(SAMPLE)
    with pytest.raises(FileNotFoundError, match="is no folder; data_home must be"):
        load_totalcapture_videos(tmp_path / "nowhere")
