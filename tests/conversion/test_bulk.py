"""convert_videos: files that are whole, failures that stop nothing."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from har_virtual import Recording, VideoClip, convert_videos
from har_virtual.conversion import bulk, estimation
from har_virtual.exceptions import DataFormatError, UnknownNameError

SITES = ["left_wrist", "right_ankle", "waist"]


@pytest.fixture(scope="session")
def out(demo_video, motion_cache, tmp_path_factory):
    folder = tmp_path_factory.mktemp("out")
    bad = tmp_path_factory.mktemp("bad") / "text.mp4"
    bad.write_text("no video")
    rows = []
    given = convert_videos(
        [bad, demo_video], folder, sites=SITES, cache_dir=motion_cache, on_result=rows.append, sampling_rate_hz=30
    )
    assert given == folder
    assert [row["status"] for row in rows] == ["failed", "ok"]
    return folder


def test_the_man_and_the_woman_are_two_tracks_with_streams_of_the_right_length(out):
    report = json.loads((out / "sports2d_demo.json").read_text())
    man, woman = report["persons"][:2]
    # He stands on the roof from the start and jumps off at 5.5 s; she walks in at 2 s and out at 6.6 s.
    assert man["start_s"] < 0.5
    assert man["stop_s"] == pytest.approx(5.5, abs=0.3)
    assert woman["start_s"] == pytest.approx(2.0, abs=0.3)
    assert woman["stop_s"] == pytest.approx(6.6, abs=0.3)
    for person in (man, woman):
        stream = Recording.load(out / f"sports2d_demo.person{person['track_id']}.parquet")
        assert len(stream) == person["n_frames"]
        assert stream.start_s == pytest.approx(person["start_s"])
        assert stream.times_s[-1] == pytest.approx(person["stop_s"])
        assert stream.channels[0] == "left_wrist_acc_x"
        assert stream.data.shape[1] == 18


def test_left_is_left_in_the_picture(out, demo_video, motion_cache):
    from har_virtual import VideoToVirtualIMU

    man, woman = VideoToVirtualIMU(cache_dir=motion_cache).motions(demo_video).persons[:2]

    def x_px(person, joint, time_s):
        at = np.argmin(np.abs(person.motion.timestamps_s - time_s))
        return person.keypoints_px[at, person.motion.skeleton.index(joint), 0]

    # At 1.1 s he faces the camera with both arms spread: his left is at the right of the picture.
    for joint in ("shoulder", "wrist", "hip", "ankle"):
        assert x_px(man, f"left_{joint}", 1.1) > x_px(man, f"right_{joint}", 1.1)
    # She walks to the left of the picture, so her left side is the near one and her feet point to the left.
    early, late = (x_px(woman, "pelvis", t) for t in (2.5, 6.0))
    assert late < early - 500
    ahead = [x_px(woman, "left_foot", t) - x_px(woman, "left_ankle", t) for t in np.arange(2.5, 5.5, 0.1)]
    assert np.median(ahead) < 0
    near = woman.motion.joint("left_hip")[:, 1] < woman.motion.joint("right_hip")[:, 1]
    assert near.mean() > 0.6


def test_files_carry_units_and_the_report_says_what_is_assumed(out):
    schema = pq.read_schema(out / "sports2d_demo.person1.parquet")
    fields = json.loads(schema.metadata[b"har_virtual"])
    assert fields["units"]["left_wrist_acc_x"] == "m/s2"
    assert fields["units"]["waist_gyr_z"] == "rad/s"
    report = json.loads((out / "sports2d_demo.json").read_text())
    assert report["units"] == {"acc": "m/s2", "gyr": "rad/s"}
    assert report["camera"]["orientation"] == "assumed level"
    assert report["timing"]["container_rate_hz"] == report["timing"]["fitted_rate_hz"] == 30
    assert set(report["left_out"]) >= {"incomplete_poses", "short_tracks", "duplicate_poses"}
    assert {"interpolated_poses", "missing_joints", "twist_confidence"} <= set(report["persons"][0])


def test_a_failed_video_leaves_a_report_and_a_row_but_no_stream(out):
    report = json.loads((out / "text.json").read_text())
    assert "not a video" in report["row"]["reason"]
    assert report["files"] == []
    summary = pd.read_csv(out / "summary.csv")
    assert list(summary.status) == ["failed", "ok"]
    assert not list(out.glob("text.person*"))
    assert not (out / "text.png").exists()


def test_nothing_but_whole_files_lies_in_the_folder(out):
    assert sorted(path.name for path in out.iterdir()) == [
        "sports2d_demo.json",
        "sports2d_demo.person1.parquet",
        "sports2d_demo.person2.parquet",
        "sports2d_demo.person3.parquet",
        "sports2d_demo.png",
        "summary.csv",
        "text.json",
    ]


def test_a_second_run_converts_nothing_anew_but_a_new_parameter_does(demo_video, motion_cache, tmp_path, monkeypatch):
    def run(**parameters):
        convert_videos([demo_video], tmp_path, sites=SITES, cache_dir=motion_cache, overlay=False, **parameters)
        return {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*.parquet")}

    first = run()
    assert run() == first
    assert run(resume=False) != first
    again = run(gravity=False)
    assert again != first
    assert run(gravity=False) == again


def test_two_videos_of_one_name_do_not_overwrite_each_other(demo_video, motion_cache, tmp_path):
    videos = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        shutil.copy(demo_video, tmp_path / folder / "walk.mp4")
        videos.append(tmp_path / folder / "walk.mp4")
    out = convert_videos(videos, tmp_path / "out", sites=SITES, cache_dir=motion_cache, overlay=False)
    assert len(list(out.glob("walk_*.json"))) == 2
    assert len(list(out.glob("walk_*.person1.parquet"))) == 2


def test_a_name_with_wildcards_deletes_no_other_video_s_files(demo_video, motion_cache, tmp_path):
    star = tmp_path / "[a]*.mp4"
    shutil.copy(demo_video, star)
    out = convert_videos([demo_video, star], tmp_path / "out", sites=SITES, cache_dir=motion_cache, overlay=False)
    assert len(list(out.glob("*.person1.parquet"))) == 2


def test_two_jobs_write_what_one_writes(out, demo_video, motion_cache, tmp_path):
    clips = [demo_video, VideoClip(demo_video, 2.0, 4.0, label="walk")]
    folder = convert_videos(clips, tmp_path, sites=SITES, cache_dir=motion_cache, overlay=False, n_jobs=2)
    one, two = (Recording.load(f / "sports2d_demo.person1.parquet") for f in (out, folder))
    np.testing.assert_array_equal(one.data, two.data)
    assert Recording.load(folder / "sports2d_demo_2-4.person1.parquet").labels == "walk"


def test_an_unknown_site_or_parameter_raises_before_anything_is_made(tmp_path):
    for parameters, error in (
        ({"sites": ["wrist"]}, UnknownNameError),
        ({"sites": SITES, "sampling_rate_hz": 5000}, DataFormatError),
        ({"sites": SITES, "person": "main"}, DataFormatError),
    ):
        with pytest.raises(error):
            convert_videos(["no.mp4"], tmp_path / "out", **parameters)
    with pytest.raises(TypeError, match="frame_rate"):
        convert_videos(["no.mp4"], tmp_path / "out", sites=SITES, frame_rate=3)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_made_is_one_clear_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DataFormatError, match="cannot be made a folder"):
        convert_videos(["no.mp4"], tmp_path / "file" / "out", sites=SITES)


def test_a_conversion_that_breaks_off_leaves_no_half_of_a_video(demo_video, motion_cache, tmp_path, monkeypatch):
    def break_off(*_args):
        raise KeyboardInterrupt

    monkeypatch.setattr(bulk, "draw_overlay", break_off)
    with pytest.raises(KeyboardInterrupt):
        convert_videos([demo_video], tmp_path, sites=SITES, cache_dir=motion_cache)
    assert not list(tmp_path.glob("*.json"))
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
    monkeypatch.undo()
    convert_videos([demo_video], tmp_path, sites=SITES, cache_dir=motion_cache, overlay=False)
    assert (tmp_path / "sports2d_demo.json").exists()


def test_an_unexpected_error_in_one_video_loses_no_other(demo_video, motion_cache, tmp_path, monkeypatch):
    true = estimation.estimate_motions

    def stumble(clip, *args):
        if clip.stop_s == 1.0:
            raise RuntimeError("out of luck")
        return true(clip, *args)

    monkeypatch.setattr(estimation, "estimate_motions", stumble)
    convert_videos([VideoClip(demo_video, 0, 1.0), demo_video], tmp_path, sites=SITES, cache_dir=motion_cache)
    summary = pd.read_csv(tmp_path / "summary.csv")
    assert list(summary.status) == ["failed", "ok"]
    assert "unexpected RuntimeError: out of luck" in summary.reason[0]
