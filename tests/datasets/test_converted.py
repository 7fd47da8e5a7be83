"""load_converted gives back what the conversion had in memory, and says what is wrong with a folder."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from har_virtual import Recording, RecordingSet, VideoClip, VideoToVirtualIMU, convert_videos
from har_virtual.datasets.converted import load_converted
from har_virtual.exceptions import DataFormatError, DataWarning, UnknownNameError
from har_virtual.imu import SITES as SITES_OF_THE_BODY
from har_virtual.recording import UNITS, channel_quantity
from har_virtual.testing import check_dataset

# One of the four persons of the video is tracked badly.
pytestmark = pytest.mark.filterwarnings("ignore:.*streams are doubtful:har_virtual.exceptions.DataWarning")
SITES = ["left_wrist", "waist"]
FIELDS = ("sampling_rate_hz", "channels", "start_s", "subject", "session", "labels", "domain", "dataset", "attrs")
WALK = {"start_s": 2.0, "stop_s": 4.0, "label": "walking", "subject": "anna", "dataset": "mine"}


@pytest.fixture(scope="session")
def imu(motion_cache):
    return VideoToVirtualIMU(sites=SITES, sampling_rate_hz=30, cache_dir=motion_cache)


@pytest.fixture(scope="session")
def clips(demo_video):
    """The whole video, unlabelled; a part of it, of somebody who is known."""
    return [VideoClip(demo_video), VideoClip(demo_video, **WALK)]


@pytest.fixture(scope="session")
def whole(clips, motion_cache, tmp_path_factory):
    folder = tmp_path_factory.mktemp("converted")
    return convert_videos(clips, folder, sites=SITES, sampling_rate_hz=30, cache_dir=motion_cache, overlay=False)


@pytest.fixture
def folder(whole, tmp_path):
    """A copy to spoil."""
    return Path(shutil.copytree(whole, tmp_path / "streams"))


@pytest.fixture
def convert(motion_cache, tmp_path):
    def run(*videos, **parameters):
        given = {"sites": ["waist"], "cache_dir": motion_cache, "overlay": False} | parameters
        return convert_videos(videos, tmp_path / "out", **given)

    return run


def assert_equal(found: Recording, expected: Recording):
    np.testing.assert_array_equal(found.data, expected.data)
    np.testing.assert_array_equal(found.times_s, expected.times_s)
    assert found.data.dtype == expected.data.dtype
    assert {name: getattr(found, name) for name in FIELDS} == {name: getattr(expected, name) for name in FIELDS}
    assert not found.annotations
    assert not expected.annotations


def tracks(recordings):
    return [(recording.attrs["clip_s"], recording.attrs["track_id"]) for recording in recordings]


def rewrite(path: Path, change) -> None:
    report = json.loads(path.read_text())
    change(report)
    path.write_text(json.dumps(report))


def test_every_person_comes_back_as_they_were_in_memory(whole, imu, clips):
    found = load_converted(whole)
    assert isinstance(found, RecordingSet)
    expected = []
    for clip in clips[::-1]:
        motions, plan = imu.motions(clip), imu.plan()
        expected += [plan.recording(person, clip, motions.report) for person in motions.persons]
    assert len(found) == len(expected) > 3
    for one, other in zip(found, expected, strict=True):
        assert_equal(one, other)


def test_main_persons_are_those_of_the_transformer(whole, imu, clips):
    found = load_converted(whole, persons="main")
    known, unknown = found
    unlabelled, labelled = imu.transform(clips)
    assert_equal(known, labelled)
    assert_equal(unknown, unlabelled)
    assert known.labels == "walking"
    assert unknown.labels is None


def test_the_main_person_need_not_be_the_first(folder, clips):
    def enlarge_the_second(report):
        report["persons"][1]["picture_share"] = 0.9

    def shorten_the_second(report):
        report["persons"][1]["n_frames"] = 1

    rewrite(folder / "sports2d_demo.json", enlarge_the_second)
    assert tracks(load_converted(folder, persons="main"))[1] == ([0.0, None], 2)
    rewrite(folder / "sports2d_demo.json", shorten_the_second)
    assert tracks(load_converted(folder, persons="main"))[1] == ([0.0, None], 1)


def test_units_are_those_that_file_and_report_state(whole):
    man = load_converted(whole, sites="waist")[1]
    file = json.loads(pq.read_schema(whole / "sports2d_demo.person1.parquet").metadata[b"har_virtual"])
    report = json.loads((whole / "sports2d_demo.json").read_text())
    for channel in man.channels:
        assert UNITS[channel_quantity(channel)] == file["units"][channel] == report["units"][channel_quantity(channel)]


def test_the_contract_of_data_sets_holds(demo_video, convert):
    clip = VideoClip(demo_video, **WALK)
    folder = convert(clip, sites=SITES, quantities=("acc", "gyr", "mag"))
    assert check_dataset(load_converted, folder) == ["task", "n_jobs", "cache"]


def test_the_order_is_by_subject_then_video_and_numbers_by_their_value(demo_video, convert, tmp_path):
    videos = [tmp_path / "b10.mp4", tmp_path / "b9.mp4"]
    for video in videos:
        shutil.copy(demo_video, video)
    found = load_converted(convert(*videos, VideoClip(demo_video, **WALK)), quantities="acc")
    persons = [(str(recording.subject).split("/")[-1], recording.session) for recording in found]
    assert persons[:5] == [("anna", "sports2d_demo"), ("1", "b9"), ("1", "b10"), ("2", "b9"), ("2", "b10")]


def test_subjects_sites_and_quantities_are_chosen_and_unknown_ones_listed(whole):
    everything = load_converted(whole)
    (anna,) = load_converted(whole, subjects="anna", sites="waist", quantities=["gyr"])
    assert_equal(anna, everything[0].select([f"waist_gyr_{axis}" for axis in "xyz"]))
    for name, known in (("subjects", "anna"), ("sites", "left_wrist, waist"), ("quantities", "acc, gyr")):
        with pytest.raises(UnknownNameError, match=known):
            load_converted(whole, **{name: "nobody"})
    for name in ("persons", "errors"):
        with pytest.raises(UnknownNameError, match=f"{name} must be"):
            load_converted(whole, **{name: "central"})


def test_sites_and_a_rate_of_one_s_own_come_back(demo_video, convert):
    folder = convert(
        VideoClip(demo_video, **WALK), sites={"pocket": SITES_OF_THE_BODY["left_thigh"]}, sampling_rate_hz=25
    )
    (walk,) = load_converted(folder, sites="pocket", quantities="acc")
    assert walk.sampling_rate_hz == 25
    assert walk.channels == ("pocket_acc_x", "pocket_acc_y", "pocket_acc_z")


def test_subjects_are_sorted_by_their_numbers(demo_video, convert):
    clips = [VideoClip(demo_video, start_s, start_s + 2, subject=f"p{start_s + 8:g}") for start_s in (2.0, 0.0)]
    assert [recording.subject for recording in load_converted(convert(*clips), persons="main")] == ["p8", "p10"]


def test_labels_need_not_be_text(demo_video, convert):
    clips = [VideoClip(demo_video, 0.0, 2.0, label=7), VideoClip(demo_video, 2.0, 4.0, label={"activity": "walk"})]
    found = load_converted(convert(*clips), persons="main", quantities="acc")
    assert [recording.labels for recording in found] == [7, {"activity": "walk"}]
    assert "labels: 7 (" in found.DESCR


def test_holes_come_back_as_holes(folder):
    stream = folder / "sports2d_demo.person1.parquet"
    recording = Recording.load(stream)
    data = recording.data.copy()
    data[3:5] = np.nan
    recording.replace(data=data).save(stream)
    found = next(each for each in load_converted(folder) if tracks([each]) == [([0.0, None], 1)])
    np.testing.assert_array_equal(found.data, data)


def test_the_description_says_what_the_folder_holds_whatever_is_chosen(whole):
    everything = load_converted(whole)
    lines = dict(line.split(": ", 1) for line in everything.DESCR.splitlines() if ": " in line)
    assert lines["folder"] == str(whole.resolve())
    assert lines["clips"] == "2, of 1 videos; 0 failed"
    assert lines["persons"] == str(len(everything))
    assert lines["streams"].startswith(f"{len(everything)}, 0.2")
    assert lines["sites"] == "left_wrist, waist"
    assert lines["units"] == "acc m/s2, gyr rad/s"
    assert lines["labels"] == f"none ({len(everything) - 1}), walking (1)"
    assert (
        lines["doubtful"]
        == f"{sum(bool(r.attrs['doubts']) for r in everything)} streams, whose attrs['doubts'] say why"
    )
    assert lines["har_virtual"].endswith(f"({len(everything)})")
    assert load_converted(whole, subjects="anna", sites="waist").DESCR == everything.DESCR


def test_a_folder_that_was_moved_and_resumed_gives_the_same(folder, whole, clips, motion_cache):
    expected = load_converted(whole)
    convert_videos(clips, folder, sites=SITES, sampling_rate_hz=30, cache_dir=motion_cache, overlay=False)
    for one, other in zip(load_converted(folder), expected, strict=True):
        assert_equal(one, other)


def test_a_failed_video_gives_no_recording_and_one_warning(demo_video, convert):
    folder = convert("no1.mp4", "no2.mp4", VideoClip(demo_video, **WALK))
    with pytest.warns(DataWarning, match=r"2 of 3 clips failed .*no1\.mp4 .*cannot be read.*no2\.mp4") as caught:
        found = load_converted(folder)
    assert len(caught) == 1
    assert [recording.subject for recording in found] == ["anna"]
    assert "3, of 3 videos; 2 failed" in found.DESCR
    assert "no2.mp4: no2.mp4: cannot be read" in found.DESCR


def test_where_every_video_failed_the_error_says_why(convert):
    with pytest.raises(DataFormatError, match=r"no stream to load.*no\.mp4: cannot be read"):
        load_converted(convert("no.mp4"))


def test_streams_of_before_a_failure_are_not_loaded_but_named(demo_video, convert, tmp_path):
    path = tmp_path / "walk.mp4"
    shutil.copy(demo_video, path)
    convert(path)
    path.unlink()
    folder = convert(path, VideoClip(demo_video, **WALK))
    rewrite(folder / "walk.json", lambda report: report["earlier_files"].insert(0, "walk.person9.parquet"))
    rewrite(folder / "walk.json", lambda report: report["earlier_files"].insert(0, "walk.png"))
    assert (folder / "walk.person1.parquet").exists()
    with pytest.warns(DataWarning) as caught:
        found = load_converted(folder)
    failed, earlier = (str(warning.message) for warning in caught)
    assert "1 of 2 clips failed" in failed
    assert "earlier streams" in earlier
    assert "walk.person1.parquet, walk.person2.parquet" in earlier
    assert "walk.png" not in earlier
    assert "walk.person9" not in earlier
    assert [recording.subject for recording in found] == ["anna"]


def test_several_persons_under_one_name_are_told_of(demo_video, convert):
    folder = convert(VideoClip(demo_video, subject="anna"))
    with pytest.warns(DataWarning, match="several persons of one video .*sports2d_demo.mp4.*persons='main'"):
        everybody = load_converted(folder)
    assert {recording.subject for recording in everybody} == {"anna"}
    assert len(load_converted(folder, persons="main")) == 1


def test_a_label_that_several_persons_have_is_told_of_and_a_video_is_no_name_of_theirs(demo_video, convert):
    clips = [VideoClip(demo_video, label="walking", subject="video:abc"), VideoClip(demo_video, **WALK)]
    folder = convert(*clips)
    with pytest.warns(DataWarning, match=r"1 of 2 clips have a label and several persons.*persons='main'") as caught:
        everybody = load_converted(folder)
    assert not any("carry the subject" in str(warning.message) for warning in caught)
    assert {recording.group for recording in everybody} == {"mine/anna", "video:abc"}
    assert len(load_converted(folder, persons="main")) == 2
    assert len(load_converted(folder, subjects="anna")) == 1


def test_doubtful_streams_are_counted_or_left_out(whole):
    everything = load_converted(whole)
    doubts = [bool(recording.attrs["doubts"]) for recording in everything]
    assert sum(doubts) == 1
    with pytest.warns(DataWarning, match=rf"1 of {len(doubts)} streams are doubtful, .*doubtful=False leaves them out"):
        load_converted(whole)
    trusted = load_converted(whole, doubtful=False)
    assert tracks(trusted) == [track for track, doubt in zip(tracks(everything), doubts, strict=True) if not doubt]
    assert trusted.DESCR == everything.DESCR
    subject = str(everything[doubts.index(True)].subject)
    with pytest.raises(DataFormatError, match=r"nothing is left of subject .* doubtful=False\."):
        load_converted(whole, subjects=subject, doubtful=False)
    with pytest.raises(UnknownNameError, match="doubtful must be True or False, not 'no'"):
        load_converted(whole, doubtful="no")


def test_a_stream_without_a_report_is_told_of_and_a_foreign_json_is_not(folder, whole):
    expected = load_converted(whole)
    shutil.copy(folder / "sports2d_demo.person1.parquet", folder / "other.person1.parquet")
    for name in ("notes.json", "._sports2d_demo.json"):
        (folder / name).write_text('{"row": 3}')
    (folder / "._sports2d_demo.person1.parquet").write_text("of macOS")
    with pytest.warns(DataWarning, match=r"no report tells of other\.person1\.parquet") as caught:
        found = load_converted(folder)
    assert sum("doubtful" not in str(warning.message) for warning in caught) == 1
    assert tracks(found) == tracks(expected)


def corrupt(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[200] ^= 1
    path.write_bytes(content)


def swap(path: Path) -> None:
    shutil.copy(path.with_name("sports2d_demo.person1.parquet"), path)


def rename_the_channels(path: Path) -> None:
    recording = Recording.load(path)
    recording.replace(channels=recording.channels[::-1]).save(path)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (Path.unlink, "is missing, which sports2d_demo.json names"),
        (lambda path: path.write_bytes(path.read_bytes()[:2000]), "is damaged"),
        (lambda path: path.write_text("text"), "is damaged"),
        (corrupt, "is damaged"),
        (swap, "is not the stream that sports2d_demo.json tells of: it has 164 samples"),
        (rename_the_channels, "is not the stream .* it has channels waist_gyr_z"),
    ],
    ids=["missing", "cut", "text", "one bit", "another", "channels"],
)
def test_a_stream_that_is_missing_or_damaged_is_named_and_can_be_left_out(folder, whole, spoil, message):
    expected = load_converted(whole)
    stream = folder / "sports2d_demo.person2.parquet"
    spoil(stream)
    with pytest.raises(DataFormatError, match=rf"sports2d_demo\.person2\.parquet {message}"):
        load_converted(folder)
    with pytest.warns(DataWarning, match=rf"person2\.parquet was left out: .*{message}") as caught:
        found = load_converted(folder, errors="warn")
    assert sum("doubtful" not in str(warning.message) for warning in caught) == 1
    assert tracks(found) == [track for track in tracks(expected) if track != ([0.0, None], 2)]


def without_streams(report):
    report["files"] = ["sports2d_demo.png"]
    report["row"]["persons"] = []


def outside(report):
    report["files"][0] = "../" + report["files"][0]


def earlier_outside(report):
    report["earlier_files"].append("../other.parquet")


def huge(report):
    report["remark"] = " " * (1 << 24)


@pytest.mark.parametrize(
    "change",
    [
        without_streams,
        outside,
        earlier_outside,
        huge,
        lambda report: report["persons"][0].pop("picture_share"),
        lambda report: report["persons"].clear(),
        lambda report: report["row"].update(status="fine"),
        lambda report: report["row"].update(n_samples=[1]),
        lambda report: report.pop("channels"),
    ],
)
def test_a_report_that_makes_no_sense_is_named_and_can_be_left_out(folder, change):
    rewrite(folder / "sports2d_demo.json", change)
    with pytest.raises(DataFormatError, match=r"sports2d_demo\.json is no report of convert_videos, or is damaged"):
        load_converted(folder)
    with pytest.warns(DataWarning, match=r"sports2d_demo\.json was left out"):
        found = load_converted(folder, errors="warn")
    assert [recording.subject for recording in found] == ["anna"]


def test_a_folder_of_damaged_reports_is_one_of_convert_videos(folder):
    for report in folder.glob("*.json"):
        report.write_text("{")
    with pytest.raises(DataFormatError, match="is damaged"):
        load_converted(folder)
    with pytest.raises(DataFormatError, match=r"no stream to load.*was left out"):
        load_converted(folder, errors="warn")


def test_the_wrong_level_is_answered_with_the_right_one(folder, tmp_path):
    with pytest.raises(DataFormatError, match=rf"holds no report .* pass {folder}\."):
        load_converted(tmp_path)
    below = folder / "empty"
    below.mkdir()
    with pytest.raises(DataFormatError, match=rf"is empty; directory must be .* pass {folder.resolve()}\."):
        load_converted(below)
    with pytest.raises(DataFormatError, match=rf"is a file; .* pass {folder}\."):
        load_converted(folder / "summary.csv")


def test_any_other_folder_is_refused_with_what_to_pass(tmp_path, whole):
    with pytest.raises(FileNotFoundError, match="is no folder; directory must be the out_dir"):
        load_converted(tmp_path / "missing")
    (tmp_path / "notes.json").write_text("[]")
    with pytest.raises(DataFormatError, match="holds no report of convert_videos"):
        load_converted(tmp_path)
    shutil.copy(whole / "sports2d_demo.person1.parquet", tmp_path)
    with pytest.raises(DataFormatError, match=r"Recording\.load reads single streams"):
        load_converted(tmp_path)


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_damaged_bytes_give_an_error_of_this_library_or_recordings(whole, tmp_path, data):
    folder = Path(shutil.copytree(whole, tmp_path / "damaged", dirs_exist_ok=True))
    path = folder / data.draw(st.sampled_from(["sports2d_demo.json", "sports2d_demo.person1.parquet"]))
    content = bytearray(path.read_bytes())
    # The numbers lie first, and most of what can be misread behind them.
    for _ in range(data.draw(st.integers(1, 3))):
        position = data.draw(st.integers(0, len(content) - 1) | st.integers(len(content) - 500, len(content) - 1))
        content[position] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.none() | st.integers(0, len(content)))])
    for persons in ("all", "main"):
        with suppress(DataFormatError):
            assert len(load_converted(folder, persons=persons)) >= 2
