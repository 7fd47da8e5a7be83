from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from opportunity_runs import SAMPLE, channel, load, rows, write
from samples import script_of

from har_virtual.datasets._opportunity_columns import CHALLENGE_COLUMNS, COLUMNS, SENSORS
from har_virtual.datasets.opportunity import (
    OPPORTUNITY,
    OPPORTUNITY_CHALLENGE_SPLIT,
    OPPORTUNITY_RUNS,
    OPPORTUNITY_SITES,
    load_opportunity,
    split_opportunity_challenge,
)
from har_virtual.exceptions import DataFormatError, UnknownNameError
from har_virtual.imu import SITES
from har_virtual.recording import RecordingSet
from har_virtual.testing.datasets import check_dataset

G = 9.80665


@pytest.fixture(scope="module")
def make_sample():
    return script_of(SAMPLE)


# What the sample holds


def test_the_sample_is_what_its_script_writes(make_sample, tmp_path):
    for path in make_sample.write_sample(tmp_path):
        assert path.read_bytes() == (SAMPLE / path.relative_to(tmp_path)).read_bytes()


def test_every_run_is_one_recording_at_30_hz():
    first, second = load(SAMPLE)
    assert [(r.group, r.session, r.sampling_rate_hz) for r in (first, second)] == [
        ("opportunity/1", "ADL1", 30.0),
        ("opportunity/2", "ADL1", 30.0),
    ]
    assert first.data.shape == (137, 63)
    assert first.data.dtype == np.float32
    assert first.attrs == {"file": "S1-ADL1.dat", "missing_rows": 0}
    assert "Chavarriaga" in load(SAMPLE).DESCR


def test_still_sensors_read_gravity_and_swinging_ones_their_rate(make_sample):
    first = load(SAMPLE)[0]
    stands = first.labels == "stand"
    for site in OPPORTUNITY_SITES.values():
        xyz = np.stack([channel(first, f"{site}_acc_{axis}") for axis in "xyz"], axis=1)
        np.testing.assert_allclose(np.linalg.norm(xyz[stands], axis=1), G, rtol=2e-3)
    walks = np.flatnonzero(first.labels == "walk")
    _, rate = make_sample.turning(np.full(len(walks), make_sample.WALK), walks / 30, 0.0)
    for site in ("back", "left_forearm", "right_foot"):
        np.testing.assert_allclose(channel(first, f"{site}_gyr_z")[walks], rate, atol=6e-4)


@pytest.mark.parametrize("below", [".", "dataset", "OpportunityUCIDataset/dataset"])
def test_the_home_is_the_folder_of_the_files_or_one_above_it(tmp_path, below):
    shutil.copytree(SAMPLE / "dataset", tmp_path / "it" / below)
    assert len(load(tmp_path / "it")) == 2


def test_the_inner_folder_of_the_download_is_a_home_too(tmp_path):
    shutil.copytree(SAMPLE / "dataset", tmp_path / "OpportunityUCIDataset" / "dataset")
    assert len(load(tmp_path / "OpportunityUCIDataset")) == 2


@pytest.mark.parametrize("task", list(OPPORTUNITY.tasks))
def test_the_loader_keeps_the_contract(task):
    assert check_dataset(load_opportunity, SAMPLE, task=task) == []


# Columns and units


def test_every_file_has_250_columns_and_a_complete_download_24_files(tmp_path):
    assert len(COLUMNS) == len(set(COLUMNS)) == 250
    names = [f"S{subject}-{run}.dat" for subject in (1, 2, 3, 4) for run in OPPORTUNITY_RUNS]
    assert sorted(OPPORTUNITY.published()) == sorted(names)
    assert len(names) == 24
    for name in names:
        shutil.copy(SAMPLE / "dataset" / "S2-ADL1.dat", tmp_path / name)
    assert [part.files[0] for part in OPPORTUNITY.find_parts(tmp_path)] == sorted(names)


@pytest.mark.parametrize(
    ("column", "name"),
    [
        (0, "MILLISEC"),
        (1, "Accelerometer RKN^ accX"),
        (4, "Accelerometer HIP accX"),
        (13, "Accelerometer LH accX"),
        (19, "Accelerometer RKN_ accX"),
        (36, "Accelerometer RH accZ"),
        (37, "InertialMeasurementUnit BACK accX"),
        (50, "InertialMeasurementUnit RUA accX"),
        (63, "InertialMeasurementUnit RLA accX"),
        (76, "InertialMeasurementUnit LUA accX"),
        (79, "InertialMeasurementUnit LUA gyroX"),
        (89, "InertialMeasurementUnit LLA accX"),
        (98, "InertialMeasurementUnit LLA Quaternion1"),
        (102, "InertialMeasurementUnit L-SHOE EuX"),
        (108, "InertialMeasurementUnit L-SHOE Body_Ax"),
        (118, "InertialMeasurementUnit R-SHOE EuX"),
        (127, "InertialMeasurementUnit R-SHOE AngVelBodyFrameX"),
        (133, "InertialMeasurementUnit R-SHOE Compass"),
        (243, "Locomotion"),
        (249, "ML_Both_Arms"),
    ],
)
def test_columns_lie_where_the_data_set_has_them(column, name):
    assert COLUMNS[column] == name


def test_every_channel_reads_its_own_column_in_si_units(tmp_path):
    everything = dict(zip(SENSORS, SITES, strict=False))
    recording = load(write(tmp_path, rows()), placements=everything)[0]
    assert len(recording.channels) == 36 + 5 * 6 + 2 * 6
    for sensor, quantities in SENSORS.items():
        for quantity, columns in quantities.items():
            for axis, column in zip("xyz", columns, strict=True):
                factor = 1e-3 if quantity == "gyr" else (G if sensor.startswith("Acc") else 9.8) / 1000
                value = channel(recording, f"{everything[sensor]}_{quantity}_{axis}")
                np.testing.assert_allclose(value, factor * (500 + COLUMNS.index(column)), rtol=1e-6)


def test_milli_g_is_of_9_80665_for_accelerometers_and_of_9_8_for_inertial_units(tmp_path):
    table = rows()
    table[:, 4:7] = table[:, 37:40] = table[:, 108:111] = 0, 0, 1000
    recording = load(write(tmp_path, table))[0]
    np.testing.assert_allclose(channel(recording, "right_hip_acc_z"), 9.80665, rtol=1e-6)
    np.testing.assert_allclose(channel(recording, "back_acc_z"), 9.8, rtol=1e-6)
    np.testing.assert_allclose(channel(recording, "left_foot_acc_z"), 9.8, rtol=1e-6)


def test_turn_rates_of_unknown_unit_are_thousandths_of_a_radian_a_second(tmp_path):
    table = rows()
    table[:, 66] = 2685
    recording = load(write(tmp_path, table))[0]
    np.testing.assert_allclose(channel(recording, "right_forearm_gyr_x"), 2.685, rtol=1e-6)


def test_the_sensors_at_the_knee_are_on_the_right(tmp_path):
    table = rows()
    table[:, 1:4], table[:, 19:22] = (900, 0, 0), (1100, 0, 0)
    recording = load(write(tmp_path, table))[0]
    assert OPPORTUNITY_SITES["Accelerometer RKN^"] == "right_thigh"
    assert OPPORTUNITY_SITES["Accelerometer RKN_"] == "right_shin"
    np.testing.assert_allclose(channel(recording, "right_thigh_acc_x"), 0.9 * G, rtol=1e-6)
    np.testing.assert_allclose(channel(recording, "right_shin_acc_x"), 1.1 * G, rtol=1e-6)
    assert not {"left_thigh", "left_shin", "left_knee"} & set(OPPORTUNITY.sites)


def test_every_default_site_is_one_that_can_be_simulated_and_is_given_once():
    sites = list(OPPORTUNITY_SITES.values())
    assert set(sites) <= set(SITES)
    assert len(set(sites)) == len(sites)
    assert set(OPPORTUNITY_SITES) <= set(SENSORS)


def test_the_magnetic_field_of_unknown_unit_is_no_channel():
    assert not any("_mag_" in name for name in load(SAMPLE)[0].channels)
    with pytest.raises(UnknownNameError, match="mag; there is acc, gyr"):
        load(SAMPLE, quantities="mag")


def test_sites_and_quantities_are_chosen():
    recording = load(SAMPLE, sites=["left_foot", "right_hip"], quantities="acc")[0]
    assert recording.channels == tuple(f"{site}_acc_{axis}" for site in ("left_foot", "right_hip") for axis in "xyz")


def test_placements_move_a_sensor_and_take_a_second_one_of_a_segment(tmp_path):
    table = {**OPPORTUNITY_SITES, "Accelerometer HIP": "waist", "Accelerometer RUA^": "right_knee"}
    recording = load(write(tmp_path, rows()), placements=table, sites=["waist", "right_knee"])[0]
    assert {name.rsplit("_", 2)[0] for name in recording.channels} == {"waist", "right_knee"}
    np.testing.assert_allclose(channel(recording, "right_knee_acc_x"), (500 + 25) * G / 1000, rtol=1e-6)


@pytest.mark.parametrize(
    ("placements", "error", "message"),
    [
        ({"Accelerometer KNEE": "right_knee"}, UnknownNameError, "no Accelerometer KNEE; there is Accelerometer RKN"),
        ({}, UnknownNameError, "Nothing was asked for"),
        ({"Accelerometer HIP": "waist", "Accelerometer BACK": "waist"}, DataFormatError, "a site of its own"),
        ({"Accelerometer HIP": None}, DataFormatError, "a site of its own"),
        ({"Accelerometer HIP": ""}, DataFormatError, "a site of its own"),
        ({"Accelerometer HIP": "belly"}, UnknownNameError, "There is no belly; there is head, chest, back, waist"),
    ],
)
def test_placements_that_cannot_be_are_refused(placements, error, message):
    with pytest.raises(error, match=message):
        load(SAMPLE, placements=placements)


# The challenge


def test_the_challenge_has_113_columns_as_the_file_has_them(tmp_path):
    deleted = [
        *(*range(46, 50), *range(59, 63), *range(72, 76), *range(85, 89), *range(98, 102)),
        *(*range(134, 243), *range(244, 249)),
    ]
    expected = [column for column in range(250) if column not in deleted and column not in (0, 243, 249)]
    recording = load(write(tmp_path, rows()), channels="challenge")[0]
    assert recording.channels == CHALLENGE_COLUMNS == tuple(COLUMNS[column] for column in expected)
    np.testing.assert_array_equal(recording.data, rows()[:, expected].astype(np.float32))
    assert len(expected) == 113


def test_the_challenge_takes_every_task():
    assert set(load(SAMPLE, channels="challenge", task="gestures")[0].labels) == {None, "open_door_1", "drink_from_cup"}


@pytest.mark.parametrize("option", [{"sites": "back"}, {"quantities": "acc"}, {"placements": OPPORTUNITY_SITES}])
def test_the_challenge_has_no_sites_to_choose_from(option):
    with pytest.raises(UnknownNameError, match="leave out sites"):
        load(SAMPLE, channels="challenge", **option)


def all_runs(folder: Path) -> RecordingSet:
    for file in OPPORTUNITY.published():
        write(folder, rows(4), file)
    return load(folder, sites="back", quantities="acc")


def test_the_challenge_trains_on_runs_of_three_subjects_and_tests_on_the_last_runs_of_two(tmp_path):
    parts = split_opportunity_challenge(all_runs(tmp_path))
    runs = {part: [f"S{r.subject}-{r.session}" for r in recordings] for part, recordings in parts.items()}
    assert runs == {
        "train": [
            *("S1-ADL1", "S1-ADL2", "S1-ADL3", "S1-ADL4", "S1-Drill", "S2-ADL1", "S2-ADL2", "S2-ADL3", "S2-Drill"),
            *("S3-ADL1", "S3-ADL2", "S3-ADL3", "S3-Drill"),
        ],
        "validation": ["S1-ADL5"],
        "test": ["S2-ADL4", "S2-ADL5", "S3-ADL4", "S3-ADL5"],
    }
    assert "Opportunity" in parts["test"].DESCR


def test_the_challenge_names_what_is_missing_for_a_part():
    with pytest.raises(DataFormatError, match="the validation set needs one of the runs S1-ADL5"):
        split_opportunity_challenge(list(load(SAMPLE)))


def test_no_run_is_in_two_parts_of_the_challenge():
    runs = [(s, run) for part in OPPORTUNITY_CHALLENGE_SPLIT.values() for s, names in part.items() for run in names]
    assert len(set(runs)) == len(runs) == 18


# Labels


def test_locomotion_is_stand_walk_sit_and_lie_and_null_is_none():
    first = load(SAMPLE)[0]
    changes = [first.labels[0], *first.labels[1:][first.labels[1:] != first.labels[:-1]]]
    assert changes == [None, "stand", "walk", "sit", "lie"]
    assert list(first.annotations["locomotion"]) == list(first.labels)


def test_locomotion_has_no_class_three(tmp_path):
    table = rows()
    table[7, 243] = 3
    with pytest.raises(DataFormatError, match=r"S1-ADL1.dat, line 8: Locomotion has no class 3; there are .*5 lie"):
        load(write(tmp_path, table))


@pytest.mark.parametrize(("column", "name"), list(enumerate(COLUMNS[243:], start=243)))
def test_an_unknown_number_of_any_label_track_is_named_with_its_line(tmp_path, column, name):
    table = rows()
    table[3, column] = 999999
    with pytest.raises(DataFormatError, match=f"S1-ADL1.dat, line 4: {name} has no class 999999"):
        load(write(tmp_path, table))


@pytest.mark.parametrize("wrong", [-1, 1.5, 6])
def test_a_number_between_the_classes_is_unknown_too(tmp_path, wrong):
    table = rows()
    table[0, 243] = wrong
    with pytest.raises(DataFormatError, match=f"line 1: Locomotion has no class {wrong}"):
        load(write(tmp_path, table))


def test_gestures_are_17_classes_and_18_with_null():
    with_null = load(SAMPLE, task="gestures_with_null")
    assert set(with_null[0].labels) == {"null", "open_door_1", "drink_from_cup"}
    assert set(with_null[1].labels) == {"null"}
    (gestures,) = load(SAMPLE, task="gestures")
    assert np.sum(gestures.labels == "open_door_1") == 12
    assert set(gestures.labels) == {None, "open_door_1", "drink_from_cup"}
    assert len(OPPORTUNITY.tasks["gestures"].labels) == 17


def test_all_seven_tracks_are_annotations(tmp_path):
    table = rows()
    table[5, 243:] = 4, 105, 213, 323, 401, 501, 405506
    annotations = load(write(tmp_path, table))[0].annotations
    assert {name: track[5] for name, track in annotations.items()} == {
        "locomotion": "sit",
        "high_level": "sandwich_time",
        "left_arm": "move",
        "left_arm_object": "lazychair",
        "right_arm": "unlock",
        "right_arm_object": "bottle",
        "gestures": "toggle_switch",
    }
    assert {name: track[4] for name, track in annotations.items() if track[4] is not None} == {
        "locomotion": "stand",
        "gestures": "null",
    }


def test_a_missing_label_is_none(tmp_path):
    table = rows()
    table[2, [243, 244]] = np.nan
    recording = load(write(tmp_path, table))[0]
    assert recording.labels[2] is None
    assert recording.annotations["high_level"][2] is None


def test_a_run_without_any_class_of_the_task_is_left_out(tmp_path):
    shutil.copytree(SAMPLE / "dataset", tmp_path, dirs_exist_ok=True)
    table = rows()
    table[:, 243] = 0
    write(tmp_path, table, "S1-ADL1.dat")
    assert [r.subject for r in load(tmp_path)] == ["2"]


# Choices


def test_subjects_and_runs_are_chosen(tmp_path):
    assert len(all_runs(tmp_path)) == 24
    chosen = load(tmp_path, subjects=[2, "4"], runs=("ADL5", "Drill"), sites="back")
    assert [f"{r.subject}-{r.session}" for r in chosen] == ["2-ADL5", "2-Drill", "4-ADL5", "4-Drill"]
    assert load(tmp_path, runs="Drill", subjects=1, sites="back")[0].session == "Drill"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"subjects": "5"}, "no 5; there is 1, 2"),
        ({"task": "walking"}, "no walking; there is locomotion, gestures, gestures_with_null"),
        ({"task": "walking", "channels": "challenge"}, "no walking; there is locomotion"),
        ({"runs": "ADL6"}, "no ADL6; there is ADL1, ADL2, ADL3, ADL4, ADL5, Drill"),
        ({"sites": "left_thigh"}, "no left_thigh; there is back, .*right_thigh"),
        ({"channels": "all"}, "channels must be 'sites' or 'challenge', not 'all'"),
        ({"errors": "ignore"}, "errors must be"),
    ],
)
def test_unknown_names_are_refused_with_those_that_exist(options, message):
    with pytest.raises(UnknownNameError, match=message):
        load(SAMPLE, **options)


def test_a_run_that_is_not_there_is_said():
    with pytest.raises(DataFormatError, match="nothing of what was asked for of subject 1, 2; there is ADL1"):
        load(SAMPLE, runs="Drill")


def test_the_cache_gives_the_same_and_keeps_placements_apart(monkeypatch, tmp_path):
    monkeypatch.setenv("HAR_VIRTUAL_CACHE", str(tmp_path))
    options = [{}, {"placements": {"Accelerometer HIP": "waist"}}, {"channels": "challenge"}, {"task": "gestures"}]
    for each in options:
        load_opportunity(SAMPLE, **each)
    assert any(tmp_path.rglob("*.parquet"))
    fresh_and_cached = [
        pair for each in options for pair in zip(load(SAMPLE, **each), load_opportunity(SAMPLE, **each), strict=True)
    ]
    for fresh, cached in fresh_and_cached:
        assert fresh.channels == cached.channels
        np.testing.assert_array_equal(fresh.data, cached.data)
        assert list(fresh.labels) == list(cached.labels)
        assert {k: list(v) for k, v in fresh.annotations.items()} == {k: list(v) for k, v in cached.annotations.items()}


def test_without_the_cache_nothing_is_written(monkeypatch, tmp_path):
    monkeypatch.setenv("HAR_VIRTUAL_CACHE", str(tmp_path / "cache"))
    load(SAMPLE)
    assert not (tmp_path / "cache").exists()


def test_reading_makes_no_copy_of_what_it_gives():
    reading = OPPORTUNITY.read(SAMPLE / "dataset", OPPORTUNITY.find_parts(SAMPLE / "dataset")[0]).recordings
    assert not reading[0].data.flags.writeable
    assert reading[0].data.flags.c_contiguous
