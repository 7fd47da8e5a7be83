from __future__ import annotations

import io
import shutil
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import script_of

from har_virtual.datasets.realworld.loader import REALWORLD, REALWORLD_SITES, fetch_realworld, load_realworld
from har_virtual.exceptions import DataFormatError, DataWarning, UnknownNameError
from har_virtual.testing.datasets import check_dataset
from har_virtual.windows import join_sessions, segment_recordings

SAMPLE = Path(__file__).parents[2] / "datasets" / "realworld"
HEADER = "id,attr_time,attr_x,attr_y,attr_z"
POSITIONS = list(REALWORLD_SITES)
NOON_MS = 1_435_993_200_000
# Many tables here hold numbers that tell their place, which no sensor would read.
pytestmark = pytest.mark.filterwarnings("ignore:.*unlike the published files")
DAMAGED = settings(max_examples=30, deadline=None, derandomize=True, database=None)


@pytest.fixture(scope="module")
def make_sample():
    return script_of(SAMPLE)


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """A copy of the sample to be damaged."""
    for subject in SAMPLE.glob("proband*"):
        shutil.copytree(subject, tmp_path / subject.name)
    return tmp_path


def table(stamps_ms, values=None) -> str:
    """A table with the row's number along x, unless `values` (n_rows, 3) are given."""
    rows = [(float(row), 0.0, 9.8) for row in range(len(stamps_ms))] if values is None else values
    lines = [
        f"{i + 1},{stamp},{x:g},{y:g},{z:g}" for i, (stamp, (x, y, z)) in enumerate(zip(stamps_ms, rows, strict=True))
    ]
    return "\n".join([HEADER, *lines]) + "\n"


def even(n_rows: int = 10, start_ms: int = NOON_MS, step_ms: int = 20) -> list[int]:
    return [start_ms + step_ms * row for row in range(n_rows)]


def packed(members: dict[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def put(home: Path, members: dict[str, str | bytes], file: str = "proband1/data/acc_walking_csv.zip") -> Path:
    path = home / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(packed(members))
    return home


def everywhere(text: str, prefix: str = "acc_walking") -> dict[str, str]:
    return {f"{prefix}_{position}.csv": text for position in POSITIONS}


def with_chest(text: str) -> dict[str, str | bytes]:
    """An archive whose chest has a table of its own."""
    return everywhere(table(even())) | {"acc_walking_chest.csv": text}


def load(home: Path, **options):
    return load_realworld(home, cache=False, **options)


def chest(home: Path, **options):
    (recording,) = load(home, sites="chest", **options)
    return recording


def sessions(home: Path, **options) -> list[str]:
    return list(dict.fromkeys(recording.session for recording in load(home, **options)))


# What the sample holds.


def test_the_sample_is_what_its_script_writes(make_sample, tmp_path: Path):
    for written in make_sample.write_sample(tmp_path):
        with zipfile.ZipFile(written) as new, zipfile.ZipFile(SAMPLE / written.relative_to(tmp_path)) as old:
            assert new.namelist() == old.namelist()
            assert [i.date_time for i in new.infolist()] == [i.date_time for i in old.infolist()]
            for name in (each for each in new.namelist() if not each.endswith(".zip")):
                assert new.read(name) == old.read(name)
    there = {path.relative_to(SAMPLE) for path in SAMPLE.rglob("*.zip")}
    assert there == {path.relative_to(tmp_path) for path in tmp_path.rglob("*.zip")}


def test_the_sample_loads_without_a_warning():
    recordings = load(SAMPLE)
    assert len(recordings) == 7 * (3 + 4)
    assert recordings.groups == ("realworld/1", "realworld/4")
    assert {recording.labels for recording in recordings} == {"walking", "sitting", "climbingup"}
    assert "Sztyler" in recordings.DESCR


def test_the_sample_holds_the_formula_of_its_script(make_sample):
    head = load(SAMPLE, subjects=1, sites="head").select(session="walking")[0]
    rows = [line.split(",") for line in make_sample.table("acc", "walking", "head", 1, 1).splitlines()[1:]]
    np.testing.assert_array_equal(head.data, np.array(rows, dtype=float)[:, 2:].astype(np.float32))
    assert np.median(np.linalg.norm(head.data, axis=1)) == pytest.approx(9.8, rel=0.15)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0.0"), (1, "1.0"), (-0.9576807, "-0.9576807"), (2**-10, "9.765625E-4"), (-1e-5, "-1.0E-5"), (0.001, "0.001")],
)
def test_the_sample_writes_numbers_as_java_does(make_sample, value: float, text: str):
    assert make_sample.as_java(np.float32(value)) == text


def test_small_numbers_of_the_sample_are_read_as_they_are(make_sample):
    written = []
    for recording in load(SAMPLE, subjects=1, quantities="gyr"):
        text = make_sample.table("gyr", "walking", recording.attrs["position"], 1, 1)
        fields = np.array([line.split(",")[2:] for line in text.splitlines()[1:]])
        np.testing.assert_array_equal(recording.data, fields.astype(np.float32))
        written += fields.ravel().tolist()
    assert any("E-4" in field for field in written)


def test_recordings_come_by_subject_activity_session_and_position():
    names = [(r.subject, r.session, r.attrs["position"]) for r in load(SAMPLE)]
    order = [("1", a) for a in ("climbingup", "sitting", "walking")]
    order += [("4", a) for a in ("climbingup", "climbingup_2", "sitting", "walking")]
    assert names == [(*each, position) for each in order for position in POSITIONS]


def test_the_sample_can_be_cut_into_windows():
    windows = segment_recordings(load(SAMPLE, sites="waist"), window_length_s=1.0, overlap=0.5)
    assert windows.X.shape[1:] == (50, 3)
    assert set(windows.y) == {"walking", "sitting", "climbingup"}


def test_the_sample_is_tiny():
    files = [path for path in SAMPLE.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert sum(path.stat().st_size for path in files) < 160_000


def test_the_loader_keeps_the_contract_of_data_sets():
    assert check_dataset(load_realworld, SAMPLE) == []
    assert check_dataset(load_realworld, SAMPLE, timing="start") == []


def test_the_devices_of_a_session_can_be_joined():
    joined = join_sessions(load(SAMPLE, subjects=1, quantities=None, sites=("chest", "waist")), 50.0, missing="drop")
    (walking,) = joined
    assert (walking.session, len(walking.channels)) == ("walking", 18)
    # The waist starts 100 ms after the chest and ends 220 ms after it.
    assert (walking.start_s, len(walking)) == (pytest.approx(0.1), 95)


def test_subjects_are_sorted_as_numbers(tmp_path: Path):
    for subject in (10, 2):
        put(tmp_path, everywhere(table(even())), f"proband{subject}/data/acc_walking_csv.zip")
    assert list(dict.fromkeys(r.subject for r in load(tmp_path))) == ["2", "10"]


# Names of archives and tables.


def test_gyroscope_and_magnetometer_have_tables_of_their_own_names():
    recordings = load(SAMPLE, subjects="1", sites="left_thigh", quantities=("gyr", "mag"))
    assert [r.channels for r in recordings] == [
        tuple(f"left_thigh_{quantity}_{axis}" for axis in "xyz") for quantity in ("gyr", "mag")
    ]
    files = [r.attrs["file"].rsplit("/", 1)[1] for r in recordings]
    assert files == ["Gyroscope_walking_thigh.csv", "MagneticField_walking_thigh.csv"]


def test_archives_in_an_archive_are_sessions():
    climbing = load(SAMPLE, subjects=4, sites="chest")[:2]
    assert [r.session for r in climbing] == ["climbingup", "climbingup_2"]
    assert [r.labels for r in climbing] == ["climbingup", "climbingup"]
    assert [r.attrs["file"] for r in climbing] == [
        f"proband4/data/acc_climbingup_csv.zip/acc_climbingup_{number}_csv.zip/acc_climbingup{infix}_chest.csv"
        for number, infix in ((1, ""), (2, "_2"))
    ]
    assert climbing[1].attrs["start_unix_s"] - climbing[0].attrs["start_unix_s"] == pytest.approx(100)


def test_the_first_nested_archive_of_a_gyroscope_has_no_number(tmp_path: Path):
    inner = {
        f"gyr_climbingup{infix}_csv.zip": packed(everywhere(table(even()), f"Gyroscope_climbingup{infix}"))
        for infix in ("", "_2", "_3")
    }
    put(tmp_path, inner, "proband7/data/gyr_climbingup_csv.zip")
    assert sessions(tmp_path, quantities="gyr") == ["climbingup", "climbingup_2", "climbingup_3"]


def test_a_nested_archive_numbers_tables_that_have_no_number(tmp_path: Path):
    put(tmp_path, {f"acc_walking_{i}_csv.zip": packed(everywhere(table(even()))) for i in (1, 2)})
    assert sessions(tmp_path) == ["walking", "walking_2"]


@pytest.mark.parametrize(
    ("subject", "activity"),
    [(4, "walking"), (6, "sitting"), (7, "sitting"), (8, "standing"), (13, "walking")],
)
def test_the_first_session_of_five_is_named_the_second(tmp_path: Path, subject: int, activity: str):
    tables = everywhere(table(even()), f"acc_{activity}_2")
    put(tmp_path, tables, f"proband{subject}/data/acc_{activity}_csv.zip")
    assert sessions(tmp_path) == [activity]


def test_of_all_others_the_second_session_is_the_second(tmp_path: Path):
    put(tmp_path, everywhere(table(even()), "acc_walking_2"))
    assert sessions(tmp_path) == ["walking_2"]


def test_several_sessions_in_one_archive(tmp_path: Path):
    put(tmp_path, everywhere(table(even())) | everywhere(table(even()), "acc_walking_2"))
    assert sessions(tmp_path) == ["walking", "walking_2"]


def test_the_unit_of_an_accelerometer_is_metres_per_second_squared(tmp_path: Path):
    put(tmp_path, everywhere(table(even(5), [(0.5, -9.81, 1.25)] * 5)))
    np.testing.assert_array_equal(chest(tmp_path).data, np.float32([[0.5, -9.81, 1.25]] * 5))


# Positions.


def test_seven_positions_are_sites_of_the_library_and_the_left_side_is_assumed():
    assert [r.channels[0].removesuffix("_acc_x") for r in load(SAMPLE)[:7]] == list(REALWORLD_SITES.values())
    assert {site for site in REALWORLD_SITES.values() if "_" in site} == {
        "left_forearm",
        "left_shin",
        "left_thigh",
        "left_upper_arm",
    }


def test_placements_move_a_position_to_the_other_side():
    moved = load(SAMPLE, placements={"forearm": "right_forearm"}, sites="right_forearm")
    assert {r.attrs["position"] for r in moved} == {"forearm"}
    stayed = load(SAMPLE, sites="left_forearm")
    np.testing.assert_array_equal(moved[0].data, stayed[0].data)
    with pytest.raises(UnknownNameError, match="left_forearm"):
        load(SAMPLE, placements={"forearm": "right_forearm"}, sites="left_forearm")


def test_placements_are_checked():
    with pytest.raises(UnknownNameError, match=r"wrist.*upperarm"):
        load(SAMPLE, placements={"wrist": "left_wrist"})
    with pytest.raises(DataFormatError, match="a site of its own"):
        load(SAMPLE, placements={"forearm": "chest"})


@pytest.mark.parametrize(("subject", "activity", "position"), [(2, "climbingup", "forearm"), (6, "jumping", "thigh")])
def test_a_position_known_to_be_missing_is_told(tmp_path: Path, subject: int, activity: str, position: str):
    tables = everywhere(table(even()), f"acc_{activity}")
    del tables[f"acc_{activity}_{position}.csv"]
    put(tmp_path, tables, f"proband{subject}/data/acc_{activity}_csv.zip")
    with pytest.warns(DataWarning, match=f"proband{subject}/data/acc_{activity}.*no {position}, as is known") as caught:
        recordings = load(tmp_path)
    assert len(caught) == 1
    assert [r.attrs["position"] for r in recordings] == [p for p in POSITIONS if p != position]


def test_a_position_that_is_missing_though_not_known_to_be_is_told(tmp_path: Path):
    tables = everywhere(table(even()))
    del tables["acc_walking_waist.csv"]
    with pytest.warns(DataWarning, match="no waist, which is not known"):
        assert len(load(put(tmp_path, tables))) == 6


def test_an_activity_that_only_others_have_is_told(sample: Path):
    (sample / "proband4/data/acc_sitting_csv.zip").unlink()
    with pytest.warns(DataWarning, match=r"proband4/data has no acc_sitting_csv\.zip") as caught:
        load(sample)
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load(sample, subjects=1)


# Clocks.


def test_the_clock_of_a_session_starts_with_its_first_device(make_sample):
    walking = load(SAMPLE, subjects=1).select(session="walking")
    late_s = [make_sample.LATE_MS[r.attrs["position"]] / 1000 for r in walking]
    np.testing.assert_allclose([r.start_s for r in walking], late_s, atol=1e-9)
    assert {r.attrs["start_unix_s"] for r in walking} == {make_sample.FIRST_STAMP_MS / 1000}


def test_a_gyroscope_has_the_clock_of_the_accelerometers_whatever_is_loaded(tmp_path: Path):
    put(tmp_path, everywhere(table(even(start_ms=NOON_MS + 100))))
    put(
        tmp_path,
        everywhere(table(even(start_ms=NOON_MS)), "Gyroscope_walking"),
        "proband1/data/gyr_walking_csv.zip",
    )
    assert chest(tmp_path).start_s == 0
    alone, (_, both) = (
        chest(tmp_path, quantities="gyr"),
        load(tmp_path, sites="chest", quantities=("acc", "gyr")),
    )
    assert alone.start_s == both.start_s == pytest.approx(-0.1)
    assert alone.attrs["start_unix_s"] == pytest.approx(NOON_MS / 1000 + 0.1)


def test_even_stamps_keep_their_true_rate(tmp_path: Path):
    stamps = np.round(NOON_MS + np.arange(400) * 1000 / 47.3).astype(int)
    recording = chest(put(tmp_path, everywhere(table(stamps))))
    assert recording.sampling_rate_hz == pytest.approx(47.3, rel=1e-5)
    assert recording.attrs["clock"] == "regular"
    np.testing.assert_array_equal(recording.data[:, 0], np.arange(400))


def test_samples_that_even_stamps_lack_are_holes(tmp_path: Path):
    stamps = np.array(even(100))
    kept = np.ones(100, dtype=bool)
    kept[[30, 31, 32, 33, 34, 35, 36, 50]] = False
    rows = np.stack([np.arange(100.0), np.zeros(100), np.full(100, 9.8)], axis=1)
    recording = chest(put(tmp_path, everywhere(table(stamps[kept], rows[kept]))))
    assert recording.sampling_rate_hz == 50
    np.testing.assert_array_equal(recording.data[:, 0], np.where(kept, np.arange(100), np.nan))


def test_uneven_stamps_are_brought_to_50_hz(tmp_path: Path):
    rng = np.random.default_rng(5)
    stamps = np.array(even(200)) + rng.integers(-8, 9, 200)
    stamps[-1] = stamps[0] + 20 * 199
    slope = (stamps - stamps[0]) / 1000
    rows = np.stack([slope, 2 * slope, np.full(200, 9.8)], axis=1)
    recording = chest(put(tmp_path, everywhere(table(stamps, rows))))
    assert (recording.sampling_rate_hz, recording.attrs["clock"]) == (50, "resampled")
    np.testing.assert_allclose(recording.data[:, :2].T, [recording.times_s, 2 * recording.times_s], atol=1e-4)
    assert len(recording) == (stamps[-1] - stamps[0]) // 20 + 1


def test_a_long_hole_in_uneven_stamps_stays_a_hole_and_a_short_one_is_bridged(tmp_path: Path):
    rng = np.random.default_rng(5)
    stamps = np.array(even(200)) + rng.integers(-8, 9, 200)
    stamps[50:] += 60
    stamps[100:] += 500
    stamps[[99, 100]] = stamps[0] + 20 * np.array([102, 128])
    missing = np.isnan(chest(put(tmp_path, everywhere(table(stamps)))).data)
    assert (missing[:, 0] == missing[:, 1]).all()
    held = (stamps[99] - stamps[0]) / 20, (stamps[100] - stamps[0]) / 20
    samples = np.arange(len(missing))
    np.testing.assert_array_equal(missing[:, 0], (samples > held[0]) & (samples < held[1]))


def test_uneven_stamps_give_what_the_library_resamples(tmp_path: Path):
    from har_virtual.signal import resample

    rng = np.random.default_rng(6)
    stamps = np.array(even(300)) + rng.integers(-8, 9, 300)
    stamps[80:] += 300
    rows = np.round(rng.normal(0, 5, (300, 3)), 2)
    rows[[10, 11, 40, *range(150, 170)]] = np.nan
    recording = chest(put(tmp_path, everywhere(table(stamps, rows))))
    _, expected = resample(rows, (stamps - stamps[0]) / 1000, 50.0, order=1, cutoff_hz=None)
    np.testing.assert_allclose(recording.data, expected, atol=1e-4)


def test_a_fast_uneven_device_is_low_passed_on_its_way_to_50_hz(tmp_path: Path):
    rng = np.random.default_rng(5)
    stamps = np.array(even(800, step_ms=10)) + rng.integers(-4, 5, 800)
    tone = np.sin(2 * np.pi * 35 * (stamps - NOON_MS) / 1000)
    recording = chest(put(tmp_path, everywhere(table(stamps, np.stack([tone] * 3, axis=1)))))
    assert recording.sampling_rate_hz == 50
    assert np.std(recording.data[20:-20]) < 0.4 * np.std(tone)


def test_rows_out_of_order_are_sorted_by_their_stamps(tmp_path: Path):
    stamps, rows = even(50), [(row / 8, 0.0, 9.8) for row in range(50)]
    for each in (stamps, rows):
        each[20], each[21] = each[21], each[20]
    with pytest.warns(DataWarning, match=r"acc_walking_chest\.csv: stamps go back at 1 places") as caught:
        recording = chest(put(tmp_path, with_chest(table(stamps, rows))))
    assert len(caught) == 1
    np.testing.assert_array_equal(recording.data[:, 0], np.arange(50) / 8)


def test_of_rows_with_one_stamp_the_first_stays(tmp_path: Path):
    stamps = even(50)
    stamps.insert(21, stamps[20])
    with pytest.warns(DataWarning, match=r"acc_walking_chest\.csv: 1 rows have the stamp of the row before"):
        recording = chest(put(tmp_path, with_chest(table(stamps))))
    np.testing.assert_array_equal(recording.data[:, 0], np.delete(np.arange(51), 21))
    assert recording.sampling_rate_hz == 50


def test_by_the_start_all_positions_are_cut_to_the_shortest_and_no_stamp_is_used(tmp_path: Path):
    tables = everywhere(table([0] * 12)) | {"acc_walking_shin.csv": table([5, 1, "NaN", 7])}
    recordings = load(put(tmp_path, tables), timing="start")
    assert [(len(r), r.start_s, r.sampling_rate_hz) for r in recordings] == [(4, 0, 50)] * 7
    np.testing.assert_array_equal(recordings[0].data[:, 0], np.arange(4))
    assert recordings[0].attrs["timing"] == "start"


def test_by_the_start_each_session_has_a_length_of_its_own(tmp_path: Path):
    tables = everywhere(table(even(12))) | everywhere(table(even(9)), "acc_walking_2")
    recordings = load(put(tmp_path, tables), timing="start", sites="head")
    assert [len(r) for r in recordings] == [12, 9]


def test_the_cache_tells_the_two_timings_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HAR_VIRTUAL_CACHE", str(tmp_path / "cache"))
    for _ in range(2):
        by_stamps, by_start = (load_realworld(SAMPLE, subjects=1, timing=timing) for timing in ("stamps", "start"))
        assert {r.attrs["timing"] for r in by_stamps} == {"stamps"}
        assert {r.attrs["timing"] for r in by_start} == {"start"}
    assert any((tmp_path / "cache").rglob("*.parquet"))


def test_a_table_of_one_row_is_a_recording(tmp_path: Path):
    assert chest(put(tmp_path, with_chest(table(even(1))))).data.shape == (1, 3)


# What the readMe says.


@pytest.mark.parametrize(("said", "told"), [(10, False), (11, False), (9, False), (500, True)])
def test_a_table_shorter_than_its_readme_says_is_told(tmp_path: Path, said: int, told: bool):
    readme = f"acc_walking_chest.csv\n> entries {said}\n\nacc_walking_head.csv\n> entries 10\n"
    put(tmp_path, everywhere(table(even(10))) | {"readMe": readme})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        load(tmp_path)
    messages = [str(each.message) for each in caught]
    expected = f"acc_walking_chest.csv has 10 rows, but its readMe says {said}"
    assert [expected in message for message in messages] == [True] * told


def test_a_readme_that_says_nothing_is_no_matter(tmp_path: Path):
    put(tmp_path, everywhere(table(even())) | {"readMe.txt": b"\xff\xfe header > entries", "folder/readMe": ""})
    assert len(load(tmp_path)) == 7


def test_files_that_are_no_tables_of_the_archive_are_told(tmp_path: Path):
    put(tmp_path, everywhere(table(even())) | {"acc_running_chest.csv": table(even()), "notes.txt": "x"})
    with pytest.warns(DataWarning, match=r"acc_walking_csv\.zip/acc_running_chest\.csv is none of") as caught:
        assert len(load(tmp_path)) == 7
    assert len(caught) == 1


# Where it lies.


def test_the_home_may_lie_in_a_folder_of_its_name(tmp_path: Path):
    put(tmp_path / "realworld2016_dataset", everywhere(table(even())))
    assert len(load(tmp_path)) == 7


@pytest.mark.parametrize("level", ["proband1", "proband1/data"])
def test_a_level_too_deep_is_told(sample: Path, level: str):
    with pytest.raises(DataFormatError, match=f"pass {sample}"):
        load(sample / level)


def test_a_level_too_high_is_told(tmp_path: Path):
    put(tmp_path / "har", everywhere(table(even())))
    with pytest.raises(DataFormatError, match=r"pass .*har"):
        load(tmp_path)


def test_an_empty_folder_and_no_folder_are_told(tmp_path: Path):
    with pytest.raises(DataFormatError, match=r"is empty.*proband1/data/acc_walking_csv.zip"):
        load(tmp_path)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load(tmp_path / "nowhere")


def test_the_whole_data_set_still_packed_is_told(tmp_path: Path):
    put(tmp_path, {"proband1/data/acc_walking_csv.zip": packed({})}, "realworld2016_dataset.zip")
    with pytest.raises(DataFormatError, match=r"realworld2016_dataset\.zip is still packed: unpack it there"):
        load(tmp_path)


def test_archives_that_were_unpacked_are_told(tmp_path: Path):
    folder = tmp_path / "proband1/data/acc_walking_csv"
    folder.mkdir(parents=True)
    (folder / "acc_walking_chest.csv").write_text(table(even()))
    with pytest.raises(DataFormatError, match="were unpacked"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("option", "value", "known"),
    [
        ("subjects", 16, "1, 4"),
        ("task", "walk", "all"),
        ("sites", "chest_strap", "left_upper_arm"),
        ("quantities", "bar", "acc, gyr, mag"),
        ("timing", "clock", "stamps"),
        ("errors", "ignore", "raise"),
    ],
)
def test_what_there_is_not_is_told_with_what_there_is(option: str, value, known: str):
    with pytest.raises(UnknownNameError, match=known):
        load(SAMPLE, **{option: value})


def test_what_a_complete_download_has():
    published = REALWORLD.published()
    assert len(published) == len(set(published)) == 15 * 8 * 3
    assert {"proband1/data/acc_climbingdown_csv.zip", "proband15/data/mag_walking_csv.zip"} <= set(published)


def test_nothing_is_fetched_before_the_terms_are_accepted(tmp_path: Path):
    with pytest.raises(PermissionError, match="Mannheim"):
        fetch_realworld(tmp_path)
    assert not list(tmp_path.iterdir())


# Damage.


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (HEADER + "\n", "no row"),
        ("", "line 1"),
        ("id,attr_time,attr_x,attr_y\n1,5,1,2\n", "line 1: column attr_z is missing"),
        (table(even()) + f"11,{NOON_MS + 200},0.5,9\n", "line 12: 4 fields"),
        (table(even()) + f"11,{NOON_MS + 200},0.5,9,\n", "line 12"),
        (table(even()) + f"11,{NOON_MS + 200},0.5,up,3\n", "line 12: column attr_y"),
        (table(even()) + f"11,{NOON_MS + 200},inf,1,3\n", "line 12"),
        (table(even()) + "11,NaN,1,2,3\n", "line 12: the stamp is NaN"),
        (table([*even(), 9 * NOON_MS]), "the stamps span"),
        (table([*even(), "-1e308", "1e308"]), "the stamps span"),
    ],
)
def test_a_damaged_table_is_told_with_archive_member_and_line(tmp_path: Path, text: str, told: str):
    with pytest.raises(DataFormatError, match=rf"acc_walking_csv\.zip: acc_walking_chest\.csv.*{told}"):
        load(put(tmp_path, with_chest(text)))


def test_a_table_that_is_cut_short_in_its_last_row_is_told(tmp_path: Path):
    with pytest.raises(DataFormatError, match="line 11: 4 fields"):
        load(put(tmp_path, with_chest(table(even())[:-5])))


@pytest.mark.parametrize("row", ["", "1", "1,noon,1,2,3", "1,NaN,1,2,3"])
def test_a_session_without_a_first_stamp_is_told(tmp_path: Path, row: str):
    put(tmp_path, everywhere(table(even()), "Gyroscope_walking"), "proband1/data/gyr_walking_csv.zip")
    put(tmp_path, with_chest(f"{HEADER}\n{row}\n"))
    with pytest.warns(DataWarning, match=r"acc_walking_csv\.zip cannot be read.*line 2: there is no stamp"):
        load(tmp_path, quantities="gyr")


def test_damage_in_a_nested_archive_is_told_with_both_archives(tmp_path: Path):
    put(tmp_path, {"acc_walking_1_csv.zip": packed(with_chest(HEADER))})
    with pytest.raises(DataFormatError, match=r"acc_walking_csv\.zip: acc_walking_1_csv\.zip: acc_walking_chest\.csv"):
        load(tmp_path)


def test_an_archive_cut_short_is_told(sample: Path):
    path = sample / "proband4/data/acc_sitting_csv.zip"
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(DataFormatError, match=r"proband4/data/acc_sitting_csv\.zip: damaged archive"):
        load(sample)


def test_a_flipped_byte_in_a_member_is_told(tmp_path: Path):
    home = put(tmp_path, everywhere(table(even(100))))
    path = home / "proband1/data/acc_walking_csv.zip"
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 0x55
    path.write_bytes(content)
    with pytest.raises(DataFormatError, match=r"acc_walking_csv\.zip"):
        load(home)


def test_a_damaged_archive_is_left_out_with_its_name_where_that_is_asked_for(sample: Path):
    (sample / "proband4/data/acc_sitting_csv.zip").write_bytes(b"PK")
    with pytest.warns(DataWarning, match=r"proband4/data/acc_sitting_csv\.zip was left out") as caught:
        recordings = load(sample, errors="warn")
    assert len(caught) == 1
    assert len(recordings) == 7 * (3 + 3)


@pytest.mark.parametrize("name", ["../acc_walking_chest.csv", "/acc_walking_chest.csv", "C:/acc_walking_chest.csv"])
def test_a_member_that_points_outside_is_refused(tmp_path: Path, name: str):
    with pytest.raises(DataFormatError, match="points outside"):
        load(put(tmp_path, {name: table(even())}))


def test_two_tables_of_one_position_are_refused(tmp_path: Path):
    with pytest.raises(DataFormatError, match="same session and position"):
        load(put(tmp_path, everywhere(table(even())) | {"again/acc_walking_chest.csv": table(even())}))


def test_an_archive_without_tables_is_told(tmp_path: Path):
    with pytest.raises(DataFormatError, match=r"acc_walking_csv\.zip has no table acc_walking_<position>\.csv"):
        load(put(tmp_path, {"readMe": "nothing"}))


def test_an_archive_that_holds_itself_is_no_endless_matter(tmp_path: Path):
    inner = packed({"acc_walking_csv.zip": packed({"acc_walking_csv.zip": packed({})})})
    with pytest.raises(DataFormatError, match="has no table"):
        load(put(tmp_path, {"acc_walking_csv.zip": inner}))


@DAMAGED
@given(
    st.lists(
        st.sampled_from(["1", ",", "\n", "NaN", "-", "e9", ".", "20", "é", "\0", " ", '"', "\r", "40,1,2,3\n"]),
        max_size=40,
    )
)
def test_any_text_in_a_table_is_a_recording_or_an_error(tmp_path_factory, pieces: list[str]):
    home = put(tmp_path_factory.mktemp("damaged"), with_chest(table(even(3)) + "".join(pieces)))
    load_or_refuse(home)


@DAMAGED
@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False, width=64) | st.integers(-5, 5), min_size=1, max_size=20)
)
def test_any_stamps_are_a_recording_or_an_error(tmp_path_factory, stamps: list[float]):
    home = put(tmp_path_factory.mktemp("stamps"), with_chest(table([repr(stamp) for stamp in stamps])))
    load_or_refuse(home)


@DAMAGED
@given(st.integers(0, 4000), st.binary(min_size=1, max_size=8), st.integers(0, 3))
def test_any_damage_to_an_archive_is_a_recording_or_an_error(tmp_path_factory, place: int, junk: bytes, cut: int):
    home = put(tmp_path_factory.mktemp("archive"), everywhere(table(even(30))) | {"readMe": "chest > entries 30"})
    path = home / "proband1/data/acc_walking_csv.zip"
    content = path.read_bytes()
    place %= len(content)
    path.write_bytes(content[:place] + junk + content[place + cut :])
    load_or_refuse(home)


@DAMAGED
@given(st.binary(max_size=60))
def test_any_readme_is_no_matter(tmp_path_factory, readme: bytes):
    home = put(tmp_path_factory.mktemp("readme"), everywhere(table(even())) | {"readMe": b"chest\n> entries " + readme})
    load_or_refuse(home)


def load_or_refuse(home: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", DataWarning)
        try:
            recordings = load(home)
        except DataFormatError:
            return
    assert all(np.isfinite(r.start_s) and r.sampling_rate_hz > 0 and len(r) for r in recordings)
