from __future__ import annotations

import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import script_of

import har_virtual
from har_virtual.datasets.labels import names_by_id
from har_virtual.datasets.sp_sw_har import SP_SW_HAR, fetch_sp_sw_har, load_sp_sw_har
from har_virtual.datasets.survey import survey_dataset
from har_virtual.exceptions import DataFormatError, DataWarning, UnknownNameError
from har_virtual.testing.datasets import check_dataset
from har_virtual.windows import join_recordings

SAMPLE = Path(__file__).parents[2] / "datasets" / "sp_sw_har"
SITES = {"sp": "left_thigh", "sw": "left_wrist"}
LABELS = ["seated", "standing_up", "walking", "turning", "sitting_down"]
PHONE, WATCH = "s01/s01_01_sp.csv", "s01/s01_01_sw.csv"


def load(home: Path, **options):
    return load_sp_sw_har(home, **{"cache": False, **options})


@pytest.fixture(scope="module")
def make_sample():
    return script_of(SAMPLE)


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """A copy of the sample to be damaged."""
    shutil.copytree(SAMPLE, tmp_path, dirs_exist_ok=True)
    return tmp_path


def edit(path: Path, line: int, old: str, new: str) -> None:
    """Change one line of a file, counted from 1."""
    lines = path.read_text().split("\n")
    assert old in lines[line - 1]
    lines[line - 1] = lines[line - 1].replace(old, new, 1)
    path.write_text("\n".join(lines))


def without_rows(path: Path, rows: slice) -> None:
    header, *lines = path.read_text().splitlines(keepends=True)
    del lines[rows]
    path.write_text("".join([header, *lines]))


def runs(labels: np.ndarray) -> list[str]:
    return [str(labels[at]) for at in np.flatnonzero(np.concatenate([[True], labels[1:] != labels[:-1]]))]


# The sample


def test_the_script_writes_the_sample_that_lies_beside_it(make_sample, tmp_path):
    written = {path.relative_to(tmp_path): path.read_bytes() for path in make_sample.write_sample(tmp_path)}
    assert written == {path.relative_to(SAMPLE): path.read_bytes() for path in SAMPLE.rglob("*.csv")}


def test_the_sample_is_tiny():
    files = [path for path in SAMPLE.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert sum(path.stat().st_size for path in files) < 160_000


def test_both_devices_read_their_closed_form_on_one_clock(make_sample):
    """Stamps are late by up to 60 ms: taken as they are, they would be off by 20 rad/s2 times that."""
    for recording in load(SAMPLE):
        device = "sp" if recording.channels[0].startswith("left_thigh") else "sw"
        execution = f"{recording.subject}_{recording.session}"
        times_s = recording.times_s + recording.attrs["start_unix_s"] - make_sample.EXECUTIONS[execution][0]
        expected = {"sp": make_sample.phone, "sw": make_sample.watch}[device](times_s, execution)
        np.testing.assert_allclose(recording.data, expected, rtol=0, atol=0.1)
        assert recording.attrs["source_rate_hz"] == pytest.approx(make_sample.RATE_HZ[device], abs=0.01)
        assert recording.attrs["latest_arrival_s"] == pytest.approx({"sp": 0.06, "sw": 0.03}[device], abs=0.002)


def test_the_samples_numbers_look_like_the_published_ones(make_sample):
    """32-bit numbers in all their digits, whole numbers of the device's steps, which are too coarse for an exponent."""
    for path in SAMPLE.glob("s??/*.csv"):
        fields = [line.split(",")[:6] for line in path.read_text().splitlines()[1:]]
        assert all(field == repr(float(np.float32(field))) for row in fields for field in row)
        assert max(len(field) for row in fields for field in row) > 18
        steps = np.array(fields, dtype=float) / make_sample.STEPS
        np.testing.assert_allclose(steps, np.round(steps), atol=1e-3)


def test_labels_change_where_they_do_in_the_file(make_sample):
    phone = load(SAMPLE, subjects=1)[0]
    plan = [(label.lower(), start) for label, start, _ in make_sample.phases("s01_01")]
    assert runs(phone.labels) == [label for label, _ in plan]
    changes = phone.times_s[1:][phone.labels[1:] != phone.labels[:-1]]
    np.testing.assert_allclose(changes, [start for _, start in plan[1:]], rtol=0, atol=0.011)


def test_recordings_say_what_they_are():
    phone, watch = load(SAMPLE, subjects="s01")
    for recording, device, file in ((phone, "sp", PHONE), (watch, "sw", WATCH)):
        assert (recording.group, recording.session, recording.domain) == ("sp_sw_har/s01", "01", "real")
        assert recording.channels == tuple(f"{SITES[device]}_{q}_{a}" for q in ("acc", "gyr") for a in "xyz")
        assert recording.sampling_rate_hz == 100.0
        assert recording.attrs["file"] == file
        assert recording.attrs["start_unix_s"] == pytest.approx(1_657_500_000)
        assert (recording.attrs["first_turn"], recording.attrs["second_turn"]) == ("left", "right")
    assert phone.attrs["orientation"] == "back_inv"
    person = ("age", "gender", "height", "weight", "dominant_hand")
    assert [phone.attrs[name] for name in person] == [40, "F", 170, 65, "R"]


def test_subjects_and_devices_come_in_order():
    found = [(r.subject, r.channels[0]) for r in load(SAMPLE)]
    assert found == [(s, f"{site}_acc_x") for s in ("s01", "s02") for site in SITES.values()]
    assert "CC BY 4.0" in load(SAMPLE).DESCR


def test_the_grids_of_both_devices_meet():
    for recording in load(SAMPLE):
        np.testing.assert_allclose(recording.times_s * 100, np.round(recording.times_s * 100), atol=1e-6)


def test_joining_devices_interpolates_nothing():
    phone, watch = load(SAMPLE, subjects=1)
    joined = join_recordings([phone, watch])
    first = round((joined.start_s - phone.start_s) * 100)
    np.testing.assert_array_equal(joined.data[:, :6], phone.data[first : first + len(joined)])


def test_the_loader_keeps_the_contract():
    assert check_dataset(load_sp_sw_har, SAMPLE) == []


def test_recordings_go_into_windows():
    windows = har_virtual.segment_recordings(load(SAMPLE, sites="left_wrist"), window_length_s=0.5, overlap=0.5)
    assert windows.X.shape[1:] == (50, 6)
    assert set(windows.y) == set(LABELS)
    assert set(windows.groups) == {"sp_sw_har/s01", "sp_sw_har/s02"}


def test_labels_are_those_of_the_table():
    assert list(names_by_id("sp_sw_har", "activity").values()) == LABELS
    assert all(label in SP_SW_HAR.describe() for label in LABELS)


@pytest.mark.parametrize("subjects", ["s02", ["s02"], 2, [2], "2", np.int64(2)])
def test_subjects_are_asked_for_by_name_or_number(subjects):
    assert [r.subject for r in load(SAMPLE, subjects=subjects)] == ["s02", "s02"]


def test_sites_and_quantities_are_chosen():
    recordings = load(SAMPLE, sites="left_wrist", quantities=["gyr"])
    assert [r.channels for r in recordings] == [tuple(f"left_wrist_gyr_{axis}" for axis in "xyz")] * 2


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"subjects": [7]}, "no file of subject s07, who is in .*; there is s01, s02"),
        ({"subjects": "anna"}, "There is no anna"),
        ({"sites": "right_wrist"}, "there is left_thigh, left_wrist"),
        ({"quantities": "mag"}, "there is acc, gyr"),
        ({"task": "gestures"}, "there is all"),
        ({"errors": "ignore"}, "'raise' or 'warn'"),
    ],
)
def test_unknown_names_list_the_known_ones(asked, message):
    with pytest.raises(UnknownNameError, match=message):
        load(SAMPLE, **asked)


def test_the_cache_gives_the_same(tmp_path, monkeypatch):
    monkeypatch.setenv("HAR_VIRTUAL_CACHE", str(tmp_path))
    for _ in range(2):
        for one, other in zip(load(SAMPLE), load(SAMPLE, cache=True), strict=True):
            np.testing.assert_array_equal(one.data, other.data)
            np.testing.assert_array_equal(one.labels, other.labels)
            assert (one.attrs, one.start_s) == (other.attrs, other.start_s)
    assert any(tmp_path.iterdir())


def test_a_complete_download_has_both_devices_of_223_executions():
    files = SP_SW_HAR.published()
    assert len(files) == len(set(files)) == 2 + 2 * 223
    assert {"executions_info.csv", "subjects_info.csv", "s07/s07_11_sw.csv", "s22/s22_09_sp.csv"} <= set(files)
    assert "s01/s01_07_sp.csv" not in files


def test_fetching_shows_the_terms_first(tmp_path):
    with pytest.raises(PermissionError, match=r"CC BY 4\.0"):
        fetch_sp_sw_har(tmp_path)


# The phone's frame


def test_the_phone_is_turned_to_the_front_and_the_watch_is_left_alone():
    for turned, raw in zip(load(SAMPLE), load(SAMPLE, align_phone=False), strict=True):
        phone = turned.channels[0].startswith("left_thigh")
        inverted = phone and turned.attrs["orientation"] == "back_inv"
        np.testing.assert_array_equal(turned.data, raw.data * ([1, -1, -1] * 2 if inverted else [1] * 6))


@pytest.mark.parametrize("orientation", ["front", "back", "front_inv", "back_inv"])
def test_every_orientation_is_a_rotation_that_puts_the_top_up_and_the_screen_to_the_front(sample, orientation):
    """How the phone reads gravity follows from where its top (y) and its screen (z) point."""
    top, screen = (-1 if "inv" in orientation else 1), (-1 if "back" in orientation else 1)
    rows = [
        f"{0.1 * top * screen},{9.7 * top},{1.0 * screen},0,0,0,{1_657_500_000_000 + 10 * i},WALKING\n"
        for i in range(120)
    ]
    rows[-1] = rows[-1].replace("WALKING", "SEATED")
    (sample / PHONE).write_text((sample / PHONE).read_text().partition("\n")[0] + "\n" + "".join(rows))
    edit(sample / "executions_info.csv", 2, "back_inv", orientation)
    phone = load(sample, subjects=1, sites="left_thigh")[0]
    np.testing.assert_allclose(phone.data[50, :3], [0.1, 9.7, 1.0], atol=0.01)


def test_the_table_of_orientations_is_needed_to_turn_the_phone_only(sample):
    (sample / "executions_info.csv").unlink()
    with pytest.raises(DataFormatError, match=r"s01_01_sp\.csv has no executions_info\.csv .* align_phone=False"):
        load(sample)
    assert "orientation" not in load(sample, align_phone=False)[0].attrs


# The clock


def test_missing_samples_are_nan_and_have_no_label(sample):
    whole = load(sample, subjects=1, sites="left_thigh")[0]
    without_rows(sample / PHONE, slice(260, 300))
    phone = load(sample, subjects=1, sites="left_thigh")[0]
    holes = np.isnan(phone.data).all(axis=1)
    assert len(phone) == len(whole)
    assert 36 <= holes.sum() <= 41
    assert holes.sum() == np.ptp(np.flatnonzero(holes)) + 1
    assert [label is None for label in phone.labels[holes]].count(True) >= 28
    np.testing.assert_allclose(phone.data[~holes], whole.data[~holes], atol=0.15)


# What the executions hold


def test_a_lone_sample_of_walking_and_an_end_without_seat_are_kept_as_they_are():
    """Quirk: 13 and 37 of 150 files."""
    phone = load(SAMPLE, subjects=2, sites="left_thigh")[0]
    assert runs(phone.labels)[-3:] == ["turning", "walking", "sitting_down"]


def test_a_file_that_ends_before_sitting_down_is_doubted(sample):
    without_rows(sample / WATCH, slice(250, None))
    with pytest.warns(DataWarning, match=r"s01/s01_01_sw\.csv ends while walking.*cut short"):
        recordings = load(sample, subjects=1)
    assert len(recordings[1]) < 250


def test_a_missing_device_is_named_and_the_other_one_is_loaded(sample):
    (sample / WATCH).unlink()
    with pytest.warns(DataWarning, match=r"s01_01 has no file of the device at left_wrist \(sw\)"):
        recordings = load(sample)
    assert [r.subject for r in recordings] == ["s01", "s02", "s02"]


# Folders and damage


@pytest.mark.parametrize("name", ["DATA", "sp_sw_har"])
def test_the_folder_above_will_do(tmp_path, name):
    shutil.copytree(SAMPLE, tmp_path / name)
    assert len(load(tmp_path)) == 4


def test_other_folders_are_refused_with_the_right_one(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere is no folder"):
        load(tmp_path / "nowhere")
    with pytest.raises(DataFormatError, match="is empty"):
        load(tmp_path)
    with pytest.raises(DataFormatError, match=rf"pass {SAMPLE}\."):
        load(SAMPLE / "s01")


def test_files_in_another_subjects_folder_do_not_count(sample):
    (sample / "s02" / "s03_01_sp.csv").write_bytes((sample / PHONE).read_bytes())
    (sample / "s02" / "notes.csv").write_text("x")
    assert {r.subject for r in load(sample)} == {"s01", "s02"}


@pytest.mark.parametrize(
    ("file", "line", "old", "new", "message"),
    [
        (PHONE, 1, "x_acc,", "", r"s01_01_sp\.csv, line 1: column x_acc is missing"),
        (PHONE, 1, "x_acc,y_acc", "y_acc,x_acc", r"line 1: the columns must be"),
        (PHONE, 9, ",0.0,", ",", r"s01_01_sp\.csv, line 9: 7 fields where 8"),
        (PHONE, 9, ",0.0,", ",abc,", r"line 9: column \w+ is 'abc'"),
        (PHONE, 9, ",0.0,", ",,", r"line 9: the field of column \w+ is empty"),
        (PHONE, 9, ",0.0,", ",inf,", r"line 9: column \w+ is 'inf'"),
        (PHONE, 9, ",0.0,", ",1e9,", r"line 9: no sensor reads over"),
        (PHONE, 9, "SEATED", "SLEEPING", r"line 9: there is no label 'SLEEPING'; there is SEATED, STANDING_UP"),
        (PHONE, 9, "SEATED", "seated", r"line 9: there is no label 'seated'"),
        (PHONE, 9, "1657500000", "1557500000", r"line 9: the timestamp does not follow"),
        (PHONE, 9, "1657500000", "1757500000", r"line 10: the timestamp does not follow"),
        (PHONE, 9, ",1657500000", ",nan0", r"line 9: column timestamp is 'nan0"),
        ("executions_info.csv", 2, "back_inv", "sideways", r"executions_info\.csv: \['s01_01', 'sideways'"),
        ("executions_info.csv", 2, ",l,", ",x,", r"two turns"),
        ("executions_info.csv", 2, "s01_01", "s01_02", r"has no row s01_01, which s01/s01_01_sp\.csv needs"),
        (
            "executions_info.csv",
            1,
            "orientation",
            "pose",
            r"executions_info\.csv, line 1: the columns must be execution_id,or",
        ),
        ("executions_info.csv", 2, ",l", "", r"executions_info\.csv, line 2: 3 fields where 4"),
        ("subjects_info.csv", 2, "s01", "s09", r"subjects_info\.csv has no row s01"),
    ],
)
def test_damage_is_named_with_file_and_line(sample, file, line, old, new, message):
    edit(sample / file, line, old, new)
    with pytest.raises(DataFormatError, match=message):
        load(sample)


def test_a_stamp_that_is_missing_is_named(sample):
    path = sample / PHONE
    lines = path.read_text().splitlines()
    lines[8] = "0,9.8,0,0,0,0,nan,SEATED"
    path.write_text("\n".join([*lines, ""]))
    with pytest.raises(DataFormatError, match="line 9: the timestamp does not follow"):
        load(sample)


@pytest.mark.parametrize(
    ("stamps", "message"),
    [
        (["1657500000000"] * 200, "200 samples arrive every 0 ms"),
        ([str(1657500000000 + 1000 * i) for i in range(200)], "200 samples arrive every 1e"),
        (
            [str(1657500000000 + 10 * i + 10**9 * (i > 150)) for i in range(200)],
            "samples are missing, more than are there",
        ),
        (["1657500000000"], "1 samples arrive every 0 ms"),
        ([], "no row of data"),
    ],
)
def test_a_clock_that_cannot_be_is_refused(sample, stamps, message):
    path = sample / PHONE
    header = path.read_text().partition("\n")[0]
    path.write_text("\n".join([header, *(f"0,9.8,0,0,0,0,{stamp},SEATED" for stamp in stamps), ""]))
    with pytest.raises(DataFormatError, match=message):
        load(sample)


def test_a_damaged_execution_can_be_left_out(sample):
    edit(sample / PHONE, 9, "SEATED", "SLEEPING")
    with pytest.warns(DataWarning, match=r"s01/s01_01_sp\.csv was left out: .*line 9: there is no label"):
        recordings = load(sample, errors="warn")
    assert [r.attrs["file"][:7] for r in recordings] == ["s01/s01", "s02/s02", "s02/s02"]


def test_a_reading_that_is_missing_stays_a_short_hole(sample):
    edit(sample / PHONE, 200, ",0.0,", ",NaN,")
    phone = load(sample, subjects=1)[0]
    assert not np.isnan(phone.data).any()


LINES = (SAMPLE / PHONE).read_bytes().splitlines(keepends=True)[:161]
JUNK = st.binary(max_size=6) | st.sampled_from([b"NaN", b"-", b",", b"\n", b"9" * 12])


@pytest.fixture(scope="module")
def one_file(tmp_path_factory) -> Path:
    home = tmp_path_factory.mktemp("damaged")
    (home / "s01").mkdir()
    return home


def refusal(home: Path, content: bytes) -> str | None:
    """What the loader says against a file; None if it takes it."""
    (home / PHONE).write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        try:
            load(home, align_phone=False)
        except DataFormatError as error:
            return str(error)
    return None


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(st.integers(0, 160), st.integers(0, 60), JUNK)
def test_damaged_text_is_one_error_or_a_recording(one_file, line, column, junk):
    damaged = list(LINES)
    damaged[line] = damaged[line][:column] + junk + damaged[line][column + len(junk) :]
    said = refusal(one_file, b"".join(damaged))
    assert said is None or PHONE in said


@settings(max_examples=30, deadline=None, derandomize=True, database=None)
@given(st.integers(0, len(b"".join(LINES))))
def test_a_file_cut_anywhere_is_one_error_or_a_recording(one_file, length):
    said = refusal(one_file, b"".join(LINES)[:length])
    assert said is None or PHONE in said


def cut(home: Path, device: str) -> Path:
    """A copy of the sample in which one device's file of one execution is cut in a line."""
    shutil.copytree(SAMPLE, home, ignore=shutil.ignore_patterns("*.py"))
    path = home / f"s01/s01_01_{device}.csv"
    path.write_bytes(path.read_bytes()[:-40])
    return home


def test_a_damaged_device_does_not_lose_the_other_one(tmp_path):
    home = cut(tmp_path / "home", "sw")
    with pytest.raises(DataFormatError, match=r"s01_01_sw\.csv, line"):
        load_sp_sw_har(home, cache=False)
    with pytest.warns(DataWarning, match=r"s01/s01_01_sw\.csv was left out: .*s01_01_sw\.csv, line"):
        recordings = load_sp_sw_har(home, errors="warn")
    files = [recording.attrs["file"] for recording in recordings]
    assert files == ["s01/s01_01_sp.csv", "s02/s02_01_sp.csv", "s02/s02_01_sw.csv"]


def test_a_damaged_device_that_was_not_asked_for_is_no_error(tmp_path):
    home = cut(tmp_path / "home", "sp")
    recordings = load_sp_sw_har(home, sites="left_wrist")
    assert [recording.attrs["file"] for recording in recordings] == ["s01/s01_01_sw.csv", "s02/s02_01_sw.csv"]
    with pytest.raises(DataFormatError, match=r"s01_01_sp\.csv, line"):
        load_sp_sw_har(home, sites="left_thigh")


def test_a_damaged_device_is_surveyed_beside_the_other_one(tmp_path):
    survey = survey_dataset("sp_sw_har", cut(tmp_path / "home", "sw"))
    assert list(survey.damaged) == ["s01/s01_01_sw.csv"]
    assert survey.minutes.loc["s01", "total"] > 0
