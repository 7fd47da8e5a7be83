from __future__ import annotations

import io
import re
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import script_of

import har_virtual
from har_virtual.datasets.labels import names_by_id
from har_virtual.datasets.pamap2 import PAMAP2, PAMAP2_SUBJECTS, fetch_pamap2, load_pamap2
from har_virtual.exceptions import DataFormatError, DataWarning, TermsError, UnknownNameError
from har_virtual.testing.datasets import check_dataset

SAMPLE = Path(__file__).parents[2] / "datasets" / "pamap2"
SITES = ("dominant_wrist", "chest", "dominant_ankle")
# What others name as the first of the three columns of the 16 g accelerometer, counted from 0.
ACC_16G = {"dominant_wrist": 4, "chest": 21, "dominant_ankle": 38}
G_M_S2 = 9.80665
# Many tables here hold numbers that tell their place, which no sensor would read.
pytestmark = pytest.mark.filterwarnings("ignore:.*unlike the published files")


def load(home: Path, **options):
    return load_pamap2(home, **{"cache": False, **options})


def table(activities, times_s=None) -> np.ndarray:
    """Rows of a file; every number tells its row and column (from 0)."""
    n_rows = len(activities)
    values = np.arange(54) + 0.001 * np.arange(n_rows)[:, None]
    values[:, 0] = 5 + np.arange(n_rows) / 100 if times_s is None else times_s
    values[:, 1] = activities
    return values


def write(home: Path, values, file: str = "Protocol/subject101.dat") -> Path:
    """Write rows of numbers, or lines, as a file of the data set."""
    path = home / file
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [row if isinstance(row, str) else " ".join(map(as_text, row)) for row in values]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")
    return path


def as_text(value: float) -> str:
    return "NaN" if np.isnan(value) else f"{value:.10g}"


def lines_of(file: str = "Protocol/subject101.dat", n_rows: int | None = None) -> list[str]:
    return (SAMPLE / file).read_text(encoding="ascii").splitlines()[:n_rows]


@pytest.fixture(scope="module")
def make_sample():
    return script_of(SAMPLE)


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """A copy of the sample to be damaged."""
    for folder in ("Protocol", "Optional"):
        shutil.copytree(SAMPLE / folder, tmp_path / folder)
    return tmp_path


# The sample


def test_the_script_writes_the_sample_that_lies_beside_it(make_sample, tmp_path):
    written = {path.relative_to(tmp_path): path.read_bytes() for path in make_sample.write_sample(tmp_path)}
    assert written == {path.relative_to(SAMPLE): path.read_bytes() for path in SAMPLE.rglob("*.dat")}


def test_the_sample_is_tiny():
    files = [path for path in SAMPLE.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert sum(path.stat().st_size for path in files) < 160_000


def test_a_file_is_one_recording_in_the_order_of_subjects_and_sessions():
    recordings = load(SAMPLE, sessions=None)
    found = [(r.group, r.session, r.attrs["file"]) for r in recordings]
    assert found == [
        ("pamap2/101", "protocol", "Protocol/subject101.dat"),
        ("pamap2/101", "optional", "Optional/subject101.dat"),
        ("pamap2/108", "protocol", "Protocol/subject108.dat"),
        ("pamap2/109", "protocol", "Protocol/subject109.dat"),
    ]
    for recording in recordings:
        assert (recording.dataset, recording.domain, recording.sampling_rate_hz) == ("pamap2", "real", 100.0)
        assert recording.channels == tuple(f"{s}_{q}_{a}" for s in SITES for q in ("acc", "gyr", "mag") for a in "xyz")
    assert "CC BY 4.0" in recordings.DESCR


def test_the_samples_closed_form_comes_back_in_standard_units(make_sample):
    walking = load(SAMPLE, subjects=101)[0]
    rows = np.flatnonzero(walking.labels == "walking")
    swing = np.sin(2 * np.pi * 2.0 * walking.times_s[rows] + 0.7)
    expected = {"acc": 9.8 + 4 / 1.2 * swing, "gyr": 0.2 * swing, "mag": -45 + swing}
    for quantity, values in expected.items():
        # Half a count, and a little of the other axes' halves.
        resolution = 0.51 * make_sample.STEPS[quantity]
        chest = walking.select([f"chest_{quantity}_y"]).data[rows, 0]
        np.testing.assert_allclose(chest, values, rtol=0, atol=resolution)


def test_the_samples_numbers_look_like_the_published_ones():
    """Six significant digits, exponents where they are small, temperatures in sixteenths of a degree."""
    lines = [line.split(" ") for path in SAMPLE.rglob("*.dat") for line in path.read_text(encoding="ascii").split("\n")]
    fields = {field for line in lines for field in line[3:] if field != "NaN"}
    assert all(field == f"{float(field):.6g}" for field in fields)
    digits = [len(field.partition("e")[0].lstrip("-0.").replace(".", "")) for field in fields]
    assert np.median(digits) == 6
    assert any("e-05" in field for field in fields)
    degrees_c = np.array([line[3] for line in lines if len(line) == 54], dtype=float)
    np.testing.assert_array_equal(degrees_c * 16 % 1, np.where(np.isnan(degrees_c), np.nan, 0))


def test_small_numbers_of_the_sample_are_read_as_they_are():
    recording = load(SAMPLE, subjects=101, quantities="gyr")[0]
    columns = [first + 6 + axis for first in ACC_16G.values() for axis in range(3)]
    written = np.array([line.split(" ") for line in lines_of()])[:, columns]
    assert any("e-05" in field for field in written.ravel())
    np.testing.assert_array_equal(recording.data, written.astype(np.float32))


def test_recordings_go_into_windows():
    windows = har_virtual.segment_recordings(load(SAMPLE, task="8-class"), window_length_s=0.5, overlap=0.5)
    assert windows.X.shape[1:] == (50, 27)
    assert set(windows.groups) == {"pamap2/101", "pamap2/108", "pamap2/109"}
    assert set(windows.y) == set(PAMAP2.tasks["8-class"].labels)


@pytest.mark.parametrize("options", [{}, {"sides": "worn", "sessions": None, "acc": "6g"}])
def test_the_loader_passes_the_battery_for_data_sets(monkeypatch, tmp_path, options):
    monkeypatch.setenv("HAR_VIRTUAL_CACHE", str(tmp_path))
    assert check_dataset(load_pamap2, SAMPLE, **options) == []


# Quirks, FACTS B.18


def test_columns_are_where_others_found_them(tmp_path):
    """Acceleration of 16 g, then of 6 g, angular velocity, magnetic field, 3 columns each."""
    write(tmp_path, table([1, 1, 1]))
    for acc, offset in (("16g", 0), ("6g", 3)):
        recording = load(tmp_path, acc=acc)[0]
        for site, first in ACC_16G.items():
            for quantity, column in (("acc", first + offset), ("gyr", first + 6), ("mag", first + 9)):
                triad = recording.select([f"{site}_{quantity}_{axis}" for axis in "xyz"]).data
                np.testing.assert_allclose(triad[1], np.arange(column, column + 3) + 0.001, rtol=1e-6)


def test_units_of_the_files_are_standard_and_stay():
    at_rest = load(SAMPLE, subjects="101", quantities="acc", sites="chest")[0]
    norms = np.linalg.norm(at_rest.data[at_rest.labels == "standing"], axis=1)
    assert np.median(norms) == pytest.approx(G_M_S2, abs=0.3)


def test_the_heart_rate_is_an_annotation_with_a_value_at_nine_rows_a_second():
    recording = load(SAMPLE, subjects=101)[0]
    rate = recording.annotations["heart_rate_bpm"]
    assert rate.shape == (len(recording),)
    assert np.flatnonzero(~np.isnan(rate)).tolist() == list(range(0, len(recording), 11))
    assert rate[11] == 90 + 11 % 7
    assert not any("heart" in channel for channel in recording.channels)


def test_the_six_g_accelerometer_saturates_and_so_that_of_sixteen_g_is_the_default():
    default, other = (load(SAMPLE, subjects=109, quantities="acc", **o)[0] for o in ({}, {"acc": "6g"}))
    assert (default.attrs["accelerometer"], other.attrs["accelerometer"]) == ("16g", "6g")
    jumping = default.labels == "rope_jumping"
    six_g = 6 * G_M_S2
    assert np.abs(default.data[jumping]).max() > 1.3 * six_g
    assert np.abs(other.data[jumping]).max() == pytest.approx(six_g, abs=0.5)
    # Calibration mixes a little of the other axes into an axis at its limit.
    assert (other.data[jumping] > other.data.max() - 0.05).sum() > 5


def test_the_invalid_orientation_and_the_temperature_are_no_channels(tmp_path):
    write(tmp_path, table([1, 1]))
    unused = {3, 16, 17, 18, 19, 20, 33, 34, 35, 36, 37, 50, 51, 52, 53}
    read = {round(float(value)) for acc in ("16g", "6g") for value in load(tmp_path, acc=acc)[0].data[0]}
    assert read == set(range(3, 54)) - unused


def test_activity_zero_is_transient_and_becomes_none():
    labels = load(SAMPLE, subjects=101)[0].labels
    assert labels[:4].tolist() == [None] * 4
    assert labels[4] == "lying"


def test_every_number_of_an_activity_gets_its_name(tmp_path):
    """The numbers have gaps: 8, 14, 15, and 21 to 23 do not exist."""
    numbers = [1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 16, 17, 18, 19, 20, 24]
    write(tmp_path, table(numbers))
    names = load(tmp_path)[0].labels.tolist()
    assert names == [names_by_id("pamap2", "activity")[number] for number in numbers]
    assert (names[6], names[-1]) == ("nordic_walking", "rope_jumping")


@pytest.mark.parametrize("number", [8, 14, 25, 255, 256, -1, 1.5, np.nan, 1e300])
def test_an_unknown_activity_is_an_error_with_its_line(tmp_path, number):
    path = write(tmp_path, table([0, 1, number, 1, number]))
    with pytest.raises(DataFormatError, match=rf"{path}, line 3: activity has no class .*; there are 0 for none, 1 ly"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("task", "numbers"),
    [
        ("8-class", {1, 2, 3, 4, 5, 12, 13, 24}),
        ("11-class", {1, 2, 3, 4, 5, 6, 12, 13, 16, 17, 24}),
        ("ssl-8", {1, 2, 3, 4, 12, 13, 16, 17}),
    ],
)
def test_tasks_have_the_classes_of_their_papers(tmp_path, task, numbers):
    names = names_by_id("pamap2", "activity")
    write(tmp_path, table([0, *names]))
    labels = load(tmp_path, task=task)[0].labels
    assert labels.tolist() == [names.get(number) if number in numbers else None for number in (0, *names)]


def test_subject_108_is_left_handed_and_wore_the_sensors_on_the_left():
    assert [subject for subject, about in PAMAP2_SUBJECTS.items() if about.dominant_hand == "left"] == ["108"]
    right, left = load(SAMPLE, subjects=[101, 108], sides="worn")
    dominant = load(SAMPLE, subjects=[101, 108])
    assert [r.attrs["dominant_hand"] for r in dominant] == ["right", "left"]
    for recording, same, side in ((right, dominant[0], "right"), (left, dominant[1], "left")):
        assert recording.channels == tuple(channel.replace("dominant", side) for channel in same.channels)
        np.testing.assert_array_equal(recording.data, same.data)


def test_worn_sides_leave_a_mixed_set_nothing_but_the_chest_in_common():
    recordings = load(SAMPLE, subjects=[101, 108], sides="worn")
    windows = har_virtual.segment_recordings(recordings, window_length_s=0.4)
    assert {channel.rsplit("_", 2)[0] for channel in windows.channels} == {"chest"}
    everybody = har_virtual.segment_recordings(load(SAMPLE), window_length_s=0.4)
    assert len(everybody.channels) == 27


def test_worn_sites_are_asked_for_by_their_side():
    with pytest.warns(DataWarning, match="wore nothing at left_wrist: subjects 101, 109"):
        left = load(SAMPLE, sides="worn", sites=["left_wrist"], quantities="gyr")
    assert [(r.subject, r.channels) for r in left] == [("108", tuple(f"left_wrist_gyr_{axis}" for axis in "xyz"))]
    with pytest.raises(UnknownNameError, match=r"no dominant_wrist; there is left_wrist, right_wrist, chest"):
        load(SAMPLE, sides="worn", sites="dominant_wrist")


def test_subject_109_did_nothing_but_jump_and_is_left_out_of_tasks_without_it():
    assert {r.subject for r in load(SAMPLE, task="8-class")} == {"101", "108", "109"}
    assert {r.subject for r in load(SAMPLE, task="ssl-8")} == {"101", "108"}
    with pytest.raises(DataFormatError, match=r"nothing is left of PAMAP2 for subjects 109; task ssl-8"):
        load(SAMPLE, task="ssl-8", subjects=109)


@pytest.mark.parametrize(
    ("sessions", "found"),
    [("protocol", ["protocol"]), ("optional", ["optional"]), (["optional", "protocol"], ["protocol", "optional"])],
)
def test_optional_activities_are_loaded_where_they_are_asked_for(sessions, found):
    recordings = load(SAMPLE, subjects=101, sessions=sessions)
    assert [r.session for r in recordings] == found
    assert ("car_driving" in set(recordings[-1].labels)) == ("optional" in found)


def test_the_published_files_are_nine_of_the_protocol_and_five_optional_ones():
    published = PAMAP2.published()
    assert published[0] == "Protocol/subject101.dat"
    assert [file for file in published if file.startswith("Optional")] == [
        f"Optional/subject{subject}.dat" for subject in (101, 105, 106, 108, 109)
    ]
    rows = [PAMAP2.published_rows(file) for file in published]
    assert rows[0] == 376_417
    assert sum(rows[:9]) == 2_872_533
    assert rows[9:] == [None] * 5
    assert PAMAP2.published_rows("Protocol/subject110.dat") is None


def test_the_table_of_subjects_agrees_with_what_the_authors_say_of_all():
    """One woman, eight men, 27.22 years on average; the maximal heart rate is 220 less the age."""
    about = PAMAP2_SUBJECTS.values()
    assert tuple(PAMAP2_SUBJECTS) == PAMAP2.subjects
    assert [subject for subject, each in PAMAP2_SUBJECTS.items() if each.sex == "female"] == ["102"]
    assert np.mean([each.age_years for each in about]) == pytest.approx(27.22, abs=0.005)
    assert all(each.max_heart_rate_bpm == 220 - each.age_years for each in about)


# Time


def test_the_clock_is_that_of_the_file():
    recording = load(SAMPLE, subjects=101)[0]
    assert recording.start_s == 8.38
    stamps = [float(line.split()[0]) for line in lines_of()]
    np.testing.assert_allclose(recording.times_s, stamps, rtol=0, atol=1e-9)
    assert recording.attrs["missing_rows"] == 0


def test_missing_rows_become_holes_at_their_place(tmp_path):
    whole = table([1] * 10 + [2] * 10)
    write(tmp_path, np.delete(whole, [4, 9, 10, 11], axis=0))
    recording = load(tmp_path)[0]
    assert np.flatnonzero(np.isnan(recording.data).all(axis=1)).tolist() == [4, 9, 10, 11]
    there = np.setdiff1d(np.arange(20), [4, 9, 10, 11])
    np.testing.assert_allclose(recording.data[there, 0], whole[there, ACC_16G["dominant_wrist"]], rtol=1e-6)
    assert [i for i, label in enumerate(recording.labels) if label is None] == [4, 9, 10, 11]
    assert set(recording.labels[12:]) == {"sitting"}
    assert np.flatnonzero(np.isnan(recording.annotations["heart_rate_bpm"])).tolist() == [4, 9, 10, 11]
    assert recording.attrs["missing_rows"] == 4


def test_the_samples_missing_rows_are_eight_between_walking_and_running():
    recording = load(SAMPLE, subjects=108)[0]
    assert recording.attrs["missing_rows"] == 8
    stamps = np.array([float(line.split()[0]) for line in lines_of("Protocol/subject108.dat")])
    samples = np.rint((stamps - stamps[0]) * 100).astype(int)
    np.testing.assert_allclose(recording.times_s[samples], stamps, rtol=0, atol=1e-9)
    assert np.isnan(recording.data[134:142]).all()


def test_a_sensor_that_drops_out_stays_a_hole_and_the_others_stay():
    recording = load(SAMPLE, subjects=108)[0]
    wrist, chest = (recording.select([c for c in recording.channels if c.startswith(s)]).data for s in SITES[:2])
    assert np.isnan(wrist[102:122]).all()
    assert not np.isnan(wrist[:102]).any()
    assert not np.isnan(chest[:134]).any()
    assert set(recording.labels[102:122]) == {"walking"}


def test_stamps_go_to_the_nearest_sample(tmp_path):
    write(tmp_path, table([1, 1, 1, 1], times_s=[5.0, 5.0104, 5.0193, 5.0402]))
    recording = load(tmp_path)[0]
    assert np.flatnonzero(np.isnan(recording.data[:, 0])).tolist() == [3]
    assert len(recording) == 5


@pytest.mark.parametrize(
    ("times_s", "line", "message"),
    [
        ([5, 5.01, 5.01, 5.02], 3, r"the time stamp is 5.01 s after 5.01 s; stamps must rise"),
        ([5, 5.01, 4.99, 5.02], 3, r"the time stamp is 4.99 s after 5.01 s"),
        ([5, np.nan, 5.02, 5.03], 2, r"the time stamp is nan s after 5.0 s"),
        ([np.nan, 5, 5.01, 5.02], 1, r"the time stamp is nan s; stamps must rise"),
        ([5, 5.01, 5.02, 90000], 4, r"a file that lacks 89995 s of rows is damaged"),
        ([5, 5.01, 5.02, 1e300], 4, r"is 1e\+300 s after 5.02 s; a file that lacks"),
        ([-1e308, 1e308, 1.1e308, 1.2e308], 3, r"stamps must rise"),
    ],
)
def test_stamps_that_are_no_clock_are_an_error_with_their_line(tmp_path, times_s, line, message):
    path = write(tmp_path, table([1] * 4, times_s))
    with pytest.raises(DataFormatError, match=rf"{path}, line {line}: .*{message}"):
        load(tmp_path)


# What is asked for


@pytest.mark.parametrize("subjects", [["108"], [108], 108, "108", iter([108]), np.array([108])])
def test_subjects_are_asked_for_by_name_or_number(subjects):
    assert [r.subject for r in load(SAMPLE, subjects=subjects)] == ["108"]


def test_sites_and_quantities_are_chosen():
    recording = load(SAMPLE, sites=["dominant_ankle", "chest"], quantities=["mag", "acc"])[0]
    expected = [f"{site}_{q}_{axis}" for site in ("chest", "dominant_ankle") for q in ("acc", "mag") for axis in "xyz"]
    assert list(recording.channels) == expected
    whole = load(SAMPLE)[0]
    np.testing.assert_array_equal(recording.data, whole.select(expected).data)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"subjects": 110}, "no 110; there is 101, 108, 109"),
        ({"subjects": "pamap2/101"}, "no pamap2/101"),
        ({"subjects": []}, "Nothing was asked for"),
        ({"task": "12-class"}, "no 12-class; there is all, 8-class, 11-class, ssl-8"),
        ({"sites": "left_wrist"}, "no left_wrist; there is dominant_wrist, chest, dominant_ankle"),
        ({"quantities": "temperature"}, "no temperature; there is acc, gyr, mag"),
        ({"sessions": "Protocol"}, "no Protocol; there is protocol, optional"),
        ({"sides": "left"}, "'dominant' or 'worn', not 'left'"),
        ({"acc": "8g"}, "'16g' or '6g', not '8g'"),
        ({"errors": "ignore"}, "'raise' or 'warn'"),
    ],
)
def test_unknown_names_list_the_known_ones(asked, message):
    with pytest.raises(UnknownNameError, match=message):
        load(SAMPLE, **asked)


def test_a_session_that_a_subject_does_not_have_is_an_error():
    with pytest.raises(DataFormatError, match=r"nothing of what was asked for of subject 108; there is protocol"):
        load(SAMPLE, subjects=108, sessions="optional")


# Cache


def test_what_the_cache_gives_is_what_the_file_gives(monkeypatch, tmp_path):
    monkeypatch.setenv("HAR_VIRTUAL_CACHE", str(tmp_path / "cache"))
    first, again = (load(SAMPLE, sessions=None, cache=True) for _ in range(2))
    assert list((tmp_path / "cache").rglob("*.parquet"))
    for fresh, written, kept in zip(load(SAMPLE, sessions=None), first, again, strict=True):
        for recording in (written, kept):
            np.testing.assert_array_equal(recording.data, fresh.data)
            np.testing.assert_array_equal(recording.labels, fresh.labels)
            rate = "heart_rate_bpm"
            np.testing.assert_array_equal(recording.annotations[rate], fresh.annotations[rate])
            assert recording.annotations[rate].dtype == np.float32
            assert (recording.start_s, recording.attrs) == (fresh.start_s, fresh.attrs)


def test_the_cache_keeps_the_two_accelerometers_apart(monkeypatch, tmp_path):
    monkeypatch.setenv("HAR_VIRTUAL_CACHE", str(tmp_path / "cache"))
    for acc in ("16g", "6g", "16g", "6g"):
        cached, fresh = (load(SAMPLE, subjects=109, acc=acc, cache=cache)[0] for cache in (True, False))
        np.testing.assert_array_equal(cached.data, fresh.data)


def test_processes_give_the_same_streams():
    for one, two in zip(load(SAMPLE), load(SAMPLE, n_jobs=2), strict=True):
        np.testing.assert_array_equal(one.data, two.data)


# Folders


def test_the_folder_above_will_do(tmp_path):
    shutil.copytree(SAMPLE, tmp_path / "PAMAP2_Dataset")
    assert len(load(str(tmp_path))) == 3


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere is no folder; data_home must be .* holds Protocol"):
        load(tmp_path / "nowhere")


def test_an_empty_folder_says_what_belongs_there(tmp_path):
    with pytest.raises(DataFormatError, match=r"is empty; data_home must be the folder that holds Protocol/subject101"):
        load(tmp_path)


@pytest.mark.parametrize("wrong", ["Protocol", ".."])
def test_the_wrong_level_is_answered_with_the_right_one(sample, tmp_path_factory, wrong):
    home = tmp_path_factory.mktemp("above") / "one" / "two"
    shutil.copytree(sample, home)
    with pytest.raises(DataFormatError, match=rf"is not the home of PAMAP2; .*: pass .*{home.name}\."):
        load((home / wrong).resolve())


def test_other_files_in_the_folders_are_left_alone(sample):
    for name in ("subject101.dat.bak", "subject110.dat", "readme.pdf", ".subject102.dat.swp"):
        (sample / "Protocol" / name).write_text("nothing", encoding="ascii")
    assert [r.subject for r in load(sample)] == ["101", "108", "109"]


# Fetching


def test_terms_are_shown_before_anything_is_fetched(tmp_path):
    with pytest.raises(TermsError, match=r"(?s)CC BY 4\.0.*archive\.ics\.uci\.edu.*688 MB"):
        fetch_pamap2(tmp_path)
    assert not list(tmp_path.rglob("*"))


def test_the_archive_in_the_archive_is_unpacked(monkeypatch, tmp_path):
    """As the UCI repository has it: a PDF, and a zip in which the folder lies."""
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        for path in SAMPLE.rglob("*.dat"):
            archive.write(path, f"PAMAP2_Dataset/{path.relative_to(SAMPLE).as_posix()}")
    with zipfile.ZipFile(tmp_path / PAMAP2.source.file_name, "w") as archive:
        archive.writestr("readme.pdf", b"%PDF-1.4")
        archive.writestr("PAMAP2_Dataset.zip", inner.getvalue())
    monkeypatch.setattr(type(PAMAP2), "source", PAMAP2.source._replace(sha256=None))
    home = fetch_pamap2(tmp_path, verbose=0)
    assert len(load(home)) == len(load(tmp_path)) == 3


def test_another_archive_than_the_published_one_is_refused(tmp_path):
    (tmp_path / PAMAP2.source.file_name).write_bytes(b"PK")
    with pytest.raises(OSError, match=r"sha256"):
        fetch_pamap2(tmp_path, accept_terms=True)


# Damage


def damaged(line: str, column: int, field: str) -> str:
    fields = line.split(" ")
    fields[column] = field
    return " ".join(fields)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda line: "", "line 5: .*empty"),
        (lambda line: line.rsplit(" ", 1)[0], "line 5: 53 fields where 54 are needed"),
        (lambda line: line + " 0", "line 5: 55 fields where 54 are needed"),
        (lambda line: line.replace(" ", "  ", 1), "line 5: 55 fields"),
        (lambda line: line.replace(" ", ","), "line 5: 1 fields"),
        (lambda line: damaged(line, 4, "9.8O"), r"line 5: column hand_acc16_x is '9\.8O', which is no finite number"),
        (lambda line: damaged(line, 45, "inf"), "line 5: column ankle_gyr_y is 'inf', which is no finite number"),
        (lambda line: damaged(line, 30, ""), "line 5: the field of column chest_mag_x is empty"),
        (lambda line: damaged(line, 2, "fast"), "line 5: column heart_rate_bpm is 'fast'"),
        (lambda line: damaged(line, 0, "now"), "line 5: column time_s is 'now'"),
        (lambda line: damaged(line, 1, "walking"), "line 5: column activity is 'walking'"),
        (lambda line: damaged(line, 4, "1\0"), "line 5: column hand_acc16_x"),
    ],
)
def test_a_damaged_row_is_an_error_with_its_line(tmp_path, damage, message):
    lines = lines_of(n_rows=9)
    lines[4] = damage(lines[4])
    path = write(tmp_path, lines)
    with pytest.raises(DataFormatError, match=f"{path}, {message}"):
        load(tmp_path)


def test_a_file_of_another_data_set_is_an_error(tmp_path):
    path = write(tmp_path, ["time,acc_x,acc_y,acc_z", "0,1,2,3"])
    with pytest.raises(DataFormatError, match=f"{path}, line 1: 1 fields where 54 are needed"):
        load(tmp_path)


def test_a_file_without_rows_is_an_error(tmp_path):
    path = write(tmp_path, [])
    with pytest.raises(DataFormatError, match=f"{path}: there is no row"):
        load(tmp_path)


def test_a_truncated_file_is_a_shorter_stream_or_a_named_line(tmp_path):
    whole = "\n".join(lines_of(n_rows=12)) + "\n"
    path = write(tmp_path, [])
    outcomes = set()
    for stop in range(len(whole) // 2, len(whole)):
        path.write_text(whole[:stop], encoding="ascii")
        n_lines = len(whole[:stop].splitlines())
        try:
            outcomes.add(len(load(tmp_path)[0]) - n_lines)
        except DataFormatError as error:
            outcomes.add(bool(re.search(rf"{path}, line {n_lines}: ", str(error))))
    # A row that lost a digit of its last number cannot be told from a whole one.
    assert outcomes == {0, True}


def test_a_damaged_file_is_left_out_and_named_where_that_is_asked_for(sample):
    path = sample / "Protocol" / "subject108.dat"
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataFormatError, match=r"subject108\.dat, line 192"):
        load(sample)
    with pytest.warns(DataWarning, match=r"Protocol/subject108\.dat was left out: .*line 192") as record:
        recordings = load(sample, errors="warn")
    assert [r.subject for r in recordings] == ["101", "109"]
    assert len(record) == 1


def check_either_valid_or_named(home: Path, content: bytes) -> None:
    write(home, []).write_bytes(content)
    try:
        recordings = load(home)
    except DataFormatError as error:
        refused = str(error)
    else:
        (recording,) = recordings
        assert not np.isinf(recording.data).any()
        assert set(recording.labels) <= {None, *names_by_id("pamap2", "activity").values()}
        return
    # Whole rows without any activity are refused by the name of the home.
    assert refused.startswith(str(home))


@settings(max_examples=30, deadline=None, derandomize=True, database=None)
@given(st.lists(st.tuples(st.integers(0, 4000), st.binary(max_size=4)), min_size=1, max_size=4))
def test_damaged_bytes_give_a_stream_or_a_named_file(tmp_path_factory, edits):
    content = bytearray("\n".join(lines_of(n_rows=16)).encode())
    for place, new in edits:
        content[place : place + len(new)] = new
    check_either_valid_or_named(tmp_path_factory.mktemp("bytes"), bytes(content))


FIELDS = st.sampled_from(
    ["NaN", "nan", "", "-", "1e39", "1e308", "-1e308", "inf", "1_0", "٣", "0x1", "24", "3.5", "1e5"]
)


@settings(max_examples=30, deadline=None, derandomize=True, database=None)
@given(st.lists(st.tuples(st.integers(0, 7), st.sampled_from([0, 0, 1, 2, 4, 53]), FIELDS), min_size=1, max_size=3))
def test_damaged_fields_give_a_stream_or_a_named_file(tmp_path_factory, edits):
    lines = lines_of(n_rows=12)[-8:]
    for row, column, field in edits:
        lines[row] = damaged(lines[row], column, field)
    check_either_valid_or_named(tmp_path_factory.mktemp("fields"), "\n".join(lines).encode())
