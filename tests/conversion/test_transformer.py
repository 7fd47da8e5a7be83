"""VideoToVirtualIMU on a real video."""

from __future__ import annotations

import os
import shutil
import warnings

import numpy as np
import pytest
from sklearn.base import clone

from har_virtual import VideoClip, VideoToVirtualIMU
from har_virtual.conversion import estimation
from har_virtual.exceptions import DataFormatError, SamplingRateWarning, UnknownNameError
from har_virtual.imu import Placement, SensorModel
from har_virtual.pose import MediaPipePose
from har_virtual.testing import check_recording_transformer

SITES = ["left_wrist", "right_ankle", "waist"]


@pytest.fixture(scope="session")
def imu(motion_cache):
    return VideoToVirtualIMU(sites=SITES, sampling_rate_hz=30, cache_dir=motion_cache)


@pytest.fixture(scope="session")
def recording(imu, demo_video):
    return imu.transform([demo_video])[0]


def test_the_main_person_has_a_stream_as_long_as_the_track(imu, recording, demo_video):
    person = imu.motions(demo_video).choose("main")
    assert len(recording) == len(person.motion)
    assert recording.start_s == person.motion.timestamps_s[0]
    assert recording.sampling_rate_hz == 30
    assert recording.data.shape[1] == len(SITES) * 6
    assert recording.domain == "virtual"
    assert recording.subject.startswith("video:d9a66417/")
    assert np.isfinite(recording.data).all()


def test_gravity_dominates_where_people_stand_and_walk(recording):
    waist_up = recording.select(["waist_acc_x"]).data
    assert 8.5 < np.median(waist_up) < 11.5


def test_without_gravity_the_mean_is_near_zero(imu, demo_video, recording):
    free = clone(imu).set_params(gravity=False).transform([demo_video])[0]
    columns = ["waist_acc_x", "waist_acc_y", "waist_acc_z"]
    assert np.linalg.norm(free.select(columns).data.mean(axis=0)) < 3
    gyr = ["waist_gyr_x", "waist_gyr_y", "waist_gyr_z"]
    np.testing.assert_array_equal(free.select(gyr).data, recording.select(gyr).data)


def test_persons_are_chosen_by_size_by_place_or_by_number(imu, demo_video):
    def subject(person):
        return clone(imu).set_params(person=person).transform([demo_video])[0].subject.split("/")[1]

    assert [subject(number) for number in (1, 2)] == ["1", "2"]
    assert subject("main") in {"1", "2"}
    assert subject("central") == "1"


def test_a_track_that_is_not_there_gives_an_empty_row_with_the_tracks_there_are(imu, demo_video):
    other = clone(imu).set_params(person=99)
    (empty,) = other.transform([demo_video])
    assert empty.data.shape == (0, 18)
    assert "no track 99" in other.report_.loc[0, "reason"]


def test_a_clip_carries_its_label_subject_and_bounds(imu, demo_video):
    (walk,) = imu.transform([VideoClip(demo_video, 2.0, 4.0, label="walking", subject="anna")])
    assert walk.track()[0] == "walking"
    assert walk.subject == "anna"
    assert walk.start_s >= 2.0
    assert walk.times_s[-1] < 4.0


def test_bad_videos_become_empty_rows_and_lose_nothing(imu, demo_video, tmp_path):
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("no video at all " * 100)
    (tmp_path / "cut.mp4").write_bytes(demo_video.read_bytes()[:200_000])
    bad = [tmp_path / name for name in ("missing.mp4", "empty.mp4", "text.mp4", "cut.mp4")]
    fresh = clone(imu)
    recordings = fresh.transform([bad[0], bad[1], demo_video, bad[2], bad[3], tmp_path])
    assert [len(r) > 0 for r in recordings] == [False, False, True, False, False, False]
    assert all(r.channels == fresh.channels_ for r in recordings)
    assert list(fresh.report_.status) == ["failed", "failed", "ok", "failed", "failed", "failed"]
    for row, path in zip((0, 1, 3, 4), bad, strict=True):
        assert str(path) in fresh.report_.loc[row, "reason"]
        assert recordings[row].attrs["reason"] == fresh.report_.loc[row, "reason"]


def test_a_video_without_a_person_says_so(imu, tmp_path):
    from har_virtual.video import write_video

    noise = np.random.default_rng(0).integers(0, 255, (60, 80, 3), dtype=np.uint8)
    write_video(tmp_path / "nobody.mp4", [noise] * 40, frame_rate_hz=30)
    fresh = clone(imu)
    (empty,) = fresh.transform([VideoClip(tmp_path / "nobody.mp4", subject="anna", dataset="mine")])
    assert len(empty) == 0
    assert empty.group == "mine/anna"
    assert "nobody was tracked" in fresh.report_.loc[0, "reason"]


@pytest.mark.parametrize(
    ("parameters", "error", "match"),
    [
        ({"sites": ["left_wirst"]}, UnknownNameError, "left_wirst.*left_wrist"),
        ({"sites": []}, DataFormatError, "at least one"),
        ({"sites": ["waist", "waist"]}, DataFormatError, "each once"),
        ({"sites": {"belt": Placement(segment="tail")}}, UnknownNameError, "tail"),
        ({"sampling_rate_hz": 0}, DataFormatError, "above 0"),
        ({"sampling_rate_hz": 1001}, DataFormatError, "at most 1000"),
        ({"sampling_rate_hz": "30"}, DataFormatError, "finite number"),
        ({"quantities": ["acc", "temp"]}, DataFormatError, "quantities"),
        ({"person": "biggest"}, DataFormatError, "person"),
        ({"person": 0}, DataFormatError, "person"),
        ({"pnp": "best"}, DataFormatError, "pnp"),
        ({"cutoff_hz": -1}, DataFormatError, "cutoff_hz"),
        ({"min_track_s": 0}, DataFormatError, "min_track_s"),
        ({"pose": "openpose"}, DataFormatError, "pose"),
        ({"pose": MediaPipePose(model_path="no.task")}, DataFormatError, "no.task"),
        ({"pose": MediaPipePose(max_persons=0)}, ValueError, "max_persons"),
        ({"sensor": "expensive"}, UnknownNameError, "expensive"),
        ({"sensor": 5}, DataFormatError, "sensor"),
        ({"intrinsics": 1000.0}, DataFormatError, "intrinsics"),
        ({"camera_pitch_deg": np.nan}, DataFormatError, "camera_pitch_deg"),
        ({"camera_roll_deg": "x"}, DataFormatError, "camera_roll_deg.*'x'"),
        ({"cache_dir": 3}, DataFormatError, "cache_dir"),
    ],
)
def test_a_bad_parameter_raises_before_any_video_is_opened(imu, parameters, error, match):
    bad = clone(imu).set_params(**parameters)
    with pytest.raises(error, match=match):
        bad.transform(["no-such-video.mp4"])
    with pytest.raises(error, match=match):
        bad.fit(["no-such-video.mp4"])


def test_one_path_instead_of_a_list_is_an_error(imu):
    with pytest.raises(DataFormatError, match="list"):
        imu.transform("walk.mp4")


def test_a_rate_above_the_frame_rate_warns_and_gives_a_band_limited_stream(imu, demo_video):
    with pytest.warns(SamplingRateWarning, match=r"band-limited to 15.00 Hz"):
        (fast,) = clone(imu).set_params(sampling_rate_hz=100).transform([demo_video])
    (slow,) = imu.transform([demo_video])
    assert len(fast) == pytest.approx(len(slow) * 100 / 30, abs=4)


def test_the_same_video_is_decoded_once_for_many_sites(imu, demo_video, monkeypatch, recording):
    def fail(*_args):
        raise AssertionError("the video was decoded again")

    monkeypatch.setattr(estimation, "estimate_motions", fail)
    other = clone(imu).set_params(sites=["chest"], sampling_rate_hz=20, cutoff_hz=4, sensor="mid", random_state=1)
    (chest,) = other.transform([demo_video])
    assert len(chest) > 0
    with pytest.raises(AssertionError):
        imu.motions(VideoClip(demo_video, 0.0, 0.7))


def test_a_cached_motion_gives_the_same_stream_and_follows_the_content_of_the_file(
    imu, demo_video, recording, tmp_path
):
    copy = tmp_path / "copy.mp4"
    shutil.copy(demo_video, copy)
    fresh = clone(imu)
    (again,) = fresh.transform([copy])
    np.testing.assert_array_equal(again.data, recording.data)
    assert fresh.report_.loc[0, "video"] == str(copy)
    with copy.open("r+b") as file:
        file.truncate(100_000)
    os.utime(copy, ns=(1, 1))
    (changed,) = fresh.transform([copy])
    assert len(changed) == 0


def test_a_damaged_cache_entry_is_made_anew(demo_video, tmp_path):
    imu = VideoToVirtualIMU(sites=SITES, cache_dir=tmp_path)
    clip = VideoClip(demo_video, 2.0, 3.2)
    (first,) = imu.transform([clip])
    (entry,) = tmp_path.rglob("*.npz")
    entry.write_bytes(entry.read_bytes()[:1000])
    (second,) = imu.transform([clip])
    np.testing.assert_array_equal(first.data, second.data)


def test_sensor_errors_are_seeded(imu, demo_video, recording):
    noisy = clone(imu).set_params(sensor=SensorModel.preset("low"), random_state=3)
    first, second = (noisy.transform([demo_video])[0].data for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, recording.data)
    other = clone(noisy).set_params(random_state=4).transform([demo_video])[0].data
    assert not np.array_equal(first, other)


def test_nested_parameters_reach_the_sensor_and_the_detector():
    imu = VideoToVirtualIMU(pose=MediaPipePose(), sensor=SensorModel())
    imu.set_params(pose__max_persons=1, sensor__acc_noise_std=0.5)
    assert imu.pose.max_persons == 1
    assert clone(imu).sensor.acc_noise_std == 0.5


def test_the_paper_s_pnp_runs_and_differs(imu, demo_video):
    clip = VideoClip(demo_video, 2.0, 4.0)
    (paper,) = clone(imu).set_params(pnp="paper").transform([clip])
    (default,) = imu.transform([clip])
    assert paper.data.shape == default.data.shape
    assert not np.allclose(paper.data, default.data)


def test_it_is_a_well_behaved_recording_transformer(imu, demo_video, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_recording_transformer(imu, [demo_video, VideoClip(demo_video, 2.0, 4.0), tmp_path / "missing.mp4"])


def test_a_level_camera_is_assumed_and_a_pitched_one_turns_gravity(imu, demo_video, recording):
    (pitched,) = clone(imu).set_params(camera_pitch_deg=20.0).transform([demo_video])
    assert not np.allclose(pitched.data, recording.data)
    report = imu.motions(demo_video).report
    assert report["camera"]["orientation"] == "assumed level"
    assert report["camera"]["intrinsics"].startswith("prior")
