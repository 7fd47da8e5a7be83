"""convert_videos: files that are whole, failures that stop nothing."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from har_virtual import Recording, VideoClip, VideoToVirtualIMU, convert_videos
from har_virtual.camera import Intrinsics
from har_virtual.conversion import bulk, estimation
from har_virtual.conversion.estimation import MotionSettings
from har_virtual.exceptions import DataFormatError, SamplingRateWarning, UnknownNameError
from har_virtual.imu import SensorModel
from har_virtual.pose import MediaPipePose

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
    assert [Path(video).stem for video in summary.video] == ["sports2d_demo", "text"]
    assert list(summary.status) == ["ok", "failed"]
    assert not list(out.glob("text.person*"))
    assert not (out / "text.png").exists()


def test_nothing_but_whole_files_lies_in_the_folder(out):
    report = json.loads((out / "sports2d_demo.json").read_text())
    streams = [f"sports2d_demo.person{person['track_id']}.parquet" for person in report["persons"]]
    assert len(streams) >= 2
    assert report["files"] == [*streams, "sports2d_demo.png"]
    names = {*report["files"], "sports2d_demo.json", "summary.csv", "text.json"}
    assert {path.name for path in out.iterdir()} == names


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


def snapshot(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "summary.csv"}


@pytest.fixture
def convert(motion_cache, tmp_path):
    """Convert into one folder; give the rows that were told, in the order in which they were."""

    def run(*videos, **parameters):
        rows = []
        given = {"sites": ["waist"], "cache_dir": motion_cache, "overlay": False} | parameters
        convert_videos(videos, tmp_path / "out", on_result=rows.append, **given)
        return rows

    return run


@pytest.fixture
def video(demo_video, tmp_path):
    """A copy of the demo video under any name."""

    def copy(name):
        path = tmp_path / "videos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(demo_video, path)
        return path

    return copy


def test_a_video_whose_name_is_a_stream_of_another_keeps_its_files(convert, video, tmp_path):
    convert(video("walk.person1.mp4"))
    before = snapshot(tmp_path / "out")
    convert(video("walk.mp4"))
    convert(video("walk.mp4"), gravity=False)
    after = snapshot(tmp_path / "out")
    assert {name: after[name] for name in before} == before
    assert "walk.person1.parquet" in after


def test_a_video_of_the_same_name_in_a_later_call_replaces_nothing(convert, video, tmp_path):
    first, second = video("a/walk.mp4"), video("b/walk.mp4")
    (row,) = convert(first)
    before = snapshot(tmp_path / "out")
    (other,) = convert(second)
    after = snapshot(tmp_path / "out")
    assert {name: after[name] for name in before} == before
    assert not set(row["files"]) & set(other["files"])
    assert [row["resumed"] for row in convert(second, first)] == [True, True]
    assert snapshot(tmp_path / "out") == after


def test_names_do_not_follow_the_order_of_the_videos(convert, video, tmp_path):
    videos = [video(f"{folder}/walk.mp4") for folder in "abc"]
    assert len({file for row in convert(*videos) for file in row["files"]}) >= 6
    before = snapshot(tmp_path / "out")
    assert all(row["resumed"] for row in convert(*reversed(videos)))
    assert [row["resumed"] for row in convert(videos[1])] == [True]
    assert snapshot(tmp_path / "out") == before


def test_the_same_clip_twice_is_one_row_and_with_another_label_an_error(convert, video, monkeypatch):
    path = video("walk.mp4")
    monkeypatch.chdir(path.parent)
    assert len(convert(path, "walk.mp4", VideoClip(path), VideoClip(path, 2.0, 4.0))) == 2
    with pytest.raises(DataFormatError, match="twice"):
        convert(path, VideoClip(path, label="walk"))


def test_a_file_that_is_no_report_is_left_as_it_is(convert, video, tmp_path):
    (tmp_path / "out").mkdir()
    foreign = {"walk.json": "[]", "run.json": '{"files": ["walk.json"], "row": 3}', "sit.json": "{", "a.json": "3"}
    for name, text in foreign.items():
        (tmp_path / "out" / name).write_text(text)
    for name in foreign:
        (row,) = convert(video(name.replace("json", "mp4")))
        assert row["status"] == "ok"
    assert {name: (tmp_path / "out" / name).read_text() for name in foreign} == foreign


def test_files_that_are_no_longer_made_are_deleted_and_no_others(convert, video, tmp_path):
    path = video("walk.mp4")
    (row,) = convert(path, overlay=True)
    (tmp_path / "out" / "walk.person9.parquet").write_text("of somebody else")
    (fewer,) = convert(path)
    assert set(row["files"]) - set(fewer["files"]) == {"walk.png"}
    names = {*fewer["files"], "walk.json", "walk.person9.parquet", "summary.csv"}
    assert {file.name for file in (tmp_path / "out").iterdir()} == names


def test_a_conversion_that_fails_keeps_the_earlier_files_until_one_succeeds(convert, video, tmp_path):
    path = video("walk.mp4")
    (row,) = convert(path, overlay=True)
    path.rename(path.with_suffix(".away"))
    for _ in range(2):
        (failed,) = convert(path)
        assert (failed["status"], failed["files"]) == ("failed", [])
        report = json.loads((tmp_path / "out" / "walk.json").read_text())
        assert report["earlier_files"] == row["files"]
        assert all((tmp_path / "out" / file).exists() for file in row["files"])
    path.with_suffix(".away").rename(path)
    (again,) = convert(path)
    assert {file.name for file in (tmp_path / "out").iterdir()} == {*again["files"], "walk.json", "summary.csv"}
    assert "walk.png" not in again["files"]


@pytest.mark.parametrize("bad", ["a\0b.mp4", "/proc/self/mem", "x" * 300 + ".mp4", "\udcff.mp4", "a\nb.mp4", ".."])
def test_a_path_that_cannot_be_read_is_a_failure_of_its_own(convert, demo_video, bad, tmp_path):
    assert [row["status"] for row in convert(bad, demo_video)] == ["failed", "ok"]
    summary = pd.read_csv(tmp_path / "out" / "summary.csv")
    assert sorted(summary.status) == ["failed", "ok"]
    assert summary.reason[summary.status == "failed"].str.len().item() > 10


def test_a_long_name_is_shortened_and_found_again(convert, video):
    paths = [video("ä" * 110 + end + ".mp4") for end in "ab"]
    first = convert(*paths)
    assert [row["status"] for row in first] == ["ok", "ok"]
    assert not set(first[0]["files"]) & set(first[1]["files"])
    assert all(row["resumed"] for row in convert(*paths))


def test_a_label_that_no_file_can_hold_fails_alone_and_leaves_nothing(convert, demo_video, video, tmp_path):
    clips = [VideoClip(demo_video, label=object()), video("walk.mp4")]
    rows = convert(*clips)
    assert [row["status"] for row in rows] == ["failed", "ok"]
    names = {"sports2d_demo.json", "summary.csv", "walk.json", *rows[1]["files"]}
    assert {path.name for path in (tmp_path / "out").iterdir()} == names


def test_a_place_that_is_taken_fails_alone_and_leaves_nothing(convert, demo_video, video, tmp_path):
    (tmp_path / "out" / "sports2d_demo.person2.parquet").mkdir(parents=True)
    rows = convert(demo_video, video("walk.mp4"))
    assert [row["status"] for row in rows] == ["failed", "ok"]
    assert "cannot be written" in rows[0]["reason"]
    assert not (tmp_path / "out" / "sports2d_demo.person1.parquet").exists()


def test_the_summary_has_the_rows_of_all_calls_by_name(convert, video, tmp_path):
    for name in ("c.mp4", "a.mp4", "missing.mp4", "b.mp4"):
        convert(video(name) if name != "missing.mp4" else tmp_path / name)
    summary = pd.read_csv(tmp_path / "out" / "summary.csv")
    assert [Path(path).stem for path in summary.video] == ["a", "b", "c", "missing"]
    assert summary.files[0].startswith("['a.person1.parquet'")


def test_a_call_that_is_interrupted_leaves_a_summary_of_what_is_done(demo_video, video, motion_cache, tmp_path):
    def interrupt(row):
        raise KeyboardInterrupt

    videos, out = [video("walk.mp4"), demo_video], tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        convert_videos(videos, out, sites=["waist"], cache_dir=motion_cache, overlay=False, on_result=interrupt)
    summary = pd.read_csv(out / "summary.csv")
    assert list(summary.video) == [str(videos[0])]


def test_a_resumed_video_warns_as_it_did_with_the_same_category(convert, demo_video):
    for resumed in (False, True):
        with pytest.warns(SamplingRateWarning, match="band-limited"):
            (row,) = convert(demo_video, sampling_rate_hz=100)
        assert row["resumed"] is resumed


def test_another_version_converts_anew(convert, demo_video, monkeypatch):
    convert(demo_video)
    for name, value in (("__version__", "99"), ("CACHE_VERSION", 99)):
        monkeypatch.setattr(bulk, name, value)
        assert not convert(demo_video)[0]["resumed"]
        assert convert(demo_video)[0]["resumed"]


OTHER = {
    "sites": ["left_wrist", "waist"],
    "sampling_rate_hz": 31.0,
    "pose": MediaPipePose(max_persons=1),
    "sensor": SensorModel.preset("low"),
    "quantities": ("acc",),
    "gravity": False,
    "cutoff_hz": None,
    "intrinsics": Intrinsics.prior(640, 480),
    "camera_pitch_deg": 1.0,
    "camera_roll_deg": 1.0,
    "pnp": "paper",
    "min_track_s": 2.0,
    "random_state": 1,
}
CHANGE_NO_STREAM = {"n_jobs", "verbose", "cache_dir", "person"}


def test_every_parameter_changes_what_is_left_out_on_a_second_run(tmp_path):
    path = tmp_path / "walk.mp4"
    path.write_text("any")

    def key(clip=path, overlay=True, blur_faces=True, **parameters):
        results = bulk._Results(tmp_path, VideoToVirtualIMU(**parameters).plan(), overlay, blur_faces)
        (job,) = bulk._jobs(bulk.as_clips([clip]), tmp_path)
        return results.key(job)

    assert set(OTHER) == set(VideoToVirtualIMU().get_params(deep=False)) - CHANGE_NO_STREAM
    keys = [key(), key(overlay=False), key(blur_faces=False)]
    keys += [key(VideoClip(path, **field)) for field in ({"start_s": 1}, {"stop_s": 1}, {"label": 1}, {"subject": "a"})]
    keys += [key(**{name: value}) for name, value in OTHER.items()]
    path.write_text("other")
    keys.append(key())
    assert len(set(keys)) == len(keys)
    assert key() == key(n_jobs=2, verbose=1, cache_dir=False) == keys[-1]


def test_every_setting_but_the_tilt_changes_the_key_of_the_motions_and_equal_ones_agree():
    plain = {name: field.default for name, field in MotionSettings.__dataclass_fields__.items()}
    plain["pose"] = MediaPipePose()
    other = {"pose": MediaPipePose(max_persons=1), "intrinsics": Intrinsics.prior(640, 480), "pnp": "paper"}
    for name in plain.keys() - other.keys():
        other[name] = not plain[name] if isinstance(plain[name], bool) else plain[name] + 0.125
    key = MotionSettings(**plain).cache_key
    changed = {name: MotionSettings(**plain | {name: value}).cache_key for name, value in other.items()}
    # Motions are kept for a level camera and turned when they are read.
    assert changed.pop("pitch_deg") == changed.pop("roll_deg") == key
    assert len({key, *changed.values()}) == len(plain) - 1
    again = plain | {"pose": MediaPipePose(), "intrinsics": Intrinsics.prior(640, 480)}
    assert MotionSettings(**again).cache_key == changed["intrinsics"]


def test_a_process_that_dies_fails_alone_and_the_order_stays(convert, demo_video, motion_cache):
    class Deadly(MediaPipePose):
        def detect(self, frames):
            os._exit(1)

    # The whole video is in the cache; in the other clip somebody would have to be detected.
    VideoToVirtualIMU(cache_dir=motion_cache).motions(demo_video)
    clips = [VideoClip(demo_video, 2.0, 2.2), demo_video]
    imu = VideoToVirtualIMU(pose=Deadly(), cache_dir=motion_cache, n_jobs=2)
    assert [len(recording) > 0 for recording in imu.transform(clips)] == [False, True]
    assert imu.report_.reason[0].endswith("its process died (out of memory?).")
    rows = convert(*clips, pose=Deadly(), n_jobs=2)
    assert {row["stop_s"]: row["status"] for row in rows} == {2.2: "failed", None: "ok"}


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
    assert [path.name for path in tmp_path.iterdir()] == ["summary.csv"]
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
    assert list(summary.status) == ["ok", "failed"]
    assert "unexpected RuntimeError: out of luck" in summary.reason[1]
