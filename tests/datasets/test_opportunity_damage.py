from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opportunity_runs import SAMPLE, channel, load, rows, write

from har_virtual import segment_recordings
from har_virtual.datasets._opportunity_columns import COLUMNS
from har_virtual.exceptions import DataFormatError, DataWarning
from har_virtual.recording import RecordingSet

FUZZ = settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A copy of the sample to be damaged."""
    shutil.copytree(SAMPLE / "dataset", tmp_path / "dataset")
    return tmp_path


# Holes and time


def test_missing_readings_stay_nan_and_the_others_stay():
    first, second = load(SAMPLE)
    assert np.flatnonzero(np.isnan(channel(first, "right_hip_acc_x"))).tolist() == [40, 41, 42]
    assert not np.isnan(channel(first, "right_thigh_acc_x")).any()
    assert np.flatnonzero(np.isnan(channel(second, "back_gyr_z"))).tolist() == list(range(3, 11))
    assert second.labels[5] == "stand"


def test_a_dropout_of_three_samples_is_bridged_in_windows_and_no_longer_one():
    first, second = load(SAMPLE, sites=["right_hip", "back"])
    # Half a second apart: 8 starts in 137 samples, 2 in 54.
    assert len(segment_recordings([first], 1.0)) == 8
    assert segment_recordings([first, second], 1.0).attrs["dropped_nan"] == 1


def test_a_hole_of_220_9_s_is_never_bridged(tmp_path):
    hole, before, after = 6627, 90, 63
    assert hole / 30 == 220.9
    full = " ".join(f"{x:.0f}" for x in rows(1)[0, 1:])
    fields = full.split()
    torn = " ".join([*fields[:36], *["NaN"] * 65, *fields[101:]])
    lines = [
        f"{row * 1000 / 30:.0f} {torn if before <= row < before + hole else full}\n"
        for row in range(before + hole + after)
    ]
    (tmp_path / "S2-ADL1.dat").write_text("".join(lines))
    (recording,) = load(tmp_path, sites=["back", "right_thigh"])
    missing = np.isnan(channel(recording, "back_acc_x"))
    assert np.flatnonzero(missing)[[0, -1]].tolist() == [before, before + hole - 1]
    assert not np.isnan(channel(recording, "right_thigh_acc_x")).any()
    assert set(recording.labels) == {"stand"}
    starts = segment_recordings([recording], 1.0, overlap=0.0).metadata["start_s"]
    assert starts.to_numpy() == pytest.approx([0, 1, 2, 224, 225])


def test_stamps_rounded_to_milliseconds_are_an_even_30_hz(tmp_path):
    table = rows(3000)
    assert set(np.diff(table[:, 0])) == {33, 34}
    recording = load(write(tmp_path, table), sites="back")[0]
    assert recording.sampling_rate_hz == 30.0
    assert len(recording) == 3000
    np.testing.assert_allclose(recording.times_s, table[:, 0] / 1000, atol=5.1e-4)


def test_a_run_starts_where_its_clock_does(tmp_path):
    table = rows()
    table[:, 0] += 2500
    assert load(write(tmp_path, table))[0].start_s == 2.5


def test_rows_that_are_missing_leave_a_hole(tmp_path):
    table = np.delete(rows(60), np.arange(20, 29), axis=0)
    recording = load(write(tmp_path, table), sites="back")[0]
    assert len(recording) == 60
    assert np.flatnonzero(np.isnan(recording.data).all(axis=1)).tolist() == list(range(20, 29))
    assert [label is None for label in recording.labels] == [20 <= row < 29 for row in range(60)]
    assert [label is None for label in recording.annotations["gestures"]] == [20 <= row < 29 for row in range(60)]
    assert recording.attrs["missing_rows"] == 9


def test_a_clock_that_drifts_a_little_loses_no_row_and_is_30_hz(tmp_path):
    table = rows(3000)
    table[:, 0] = np.round(np.arange(3000) * 1000 / 30.01)
    recording = load(write(tmp_path, table), sites="back")[0]
    assert len(recording) == 3000
    assert not np.isnan(recording.data).any()
    assert recording.sampling_rate_hz == 30.0


def test_stamps_of_another_even_rate_are_taken_and_said(tmp_path):
    table = rows(300)
    table[:, 0] = 33 * np.arange(300)
    with pytest.warns(DataWarning, match="S1-ADL1.dat: the time stamps are those of 30.3030 Hz"):
        recording = load(write(tmp_path, table))[0]
    assert recording.sampling_rate_hz == pytest.approx(1 / 0.033)
    assert len(recording) == 300


def test_stamps_off_the_grid_are_said_and_the_rows_go_to_the_nearest_instant(tmp_path):
    table = rows(300)
    table[::7, 0] += 9
    with pytest.warns(DataWarning, match="S1-ADL1.dat: the time stamps are up to 9 ms off"):
        recording = load(write(tmp_path, table))[0]
    assert len(recording) == 300
    assert not np.isnan(recording.data).any()


def test_one_row_is_a_recording(tmp_path):
    assert len(load(write(tmp_path, rows(1)))[0]) == 1


@pytest.mark.parametrize(
    ("row", "stamp", "message"),
    [
        (0, np.nan, "line 1: the time stamp is nan ms; stamps must rise"),
        (5, np.nan, "line 6: the time stamp is nan ms after 133 ms; stamps must rise"),
        (5, 133, "line 6: the time stamp is 133 ms after 133 ms; stamps must rise"),
        (5, -1e300, r"line 6: the time stamp is -1e\+300 ms after 133 ms; stamps must rise"),
        (5, 140, "line 6: the time stamp is 140 ms after 133 ms; rows are closer than at 30 Hz"),
        (39, 1e8, r"line 40: the time stamp is 1e\+08 ms after 1267 ms; a file that lacks 99999 s of rows"),
        (39, 1e308, r"line 40: the time stamp is 1e\+308 ms after 1267 ms; a file that lacks"),
    ],
)
def test_a_stamp_that_cannot_be_is_named_with_its_line(tmp_path, row, stamp, message):
    table = rows()
    table[row, 0] = stamp
    with pytest.raises(DataFormatError, match=f"S1-ADL1.dat, {message}"):
        load(write(tmp_path, table))


# Remarks on sensors


def test_sensors_that_gave_nothing_are_named(tmp_path):
    table = rows()
    table[:, 13:16] = table[:, 34:37] = np.nan
    message = r"S1-ADL1.dat: no acceleration at all at right_hand \(Accelerometer RH\), left_hand \(Accelerometer LH\)"
    with pytest.warns(DataWarning, match=message):
        recording = load(write(tmp_path, table))[0]
    assert np.isnan(channel(recording, "left_hand_acc_x")).all()


def test_a_sensor_that_does_not_feel_gravity_is_named(tmp_path):
    table = rows()
    table[:, 108:111] = 1, 2, 3
    with pytest.warns(DataWarning, match=r"S1-ADL1.dat: \|acceleration\| at left_foot .* far from gravity"):
        load(write(tmp_path, table))


# Damage


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text[:40000], r"line \d+: \d+ fields where 250 are needed"),
        (lambda text: "", "there is no row"),
        (lambda text: text.replace("\n", " 0\n", 5), "line 1: 251 fields where 250"),
        (lambda text: text.replace(" ", "", 1), "line 1: 249 fields where 250"),
        (lambda text: text.replace(" ", ",", 3), "line 1: 247 fields where 250"),
        (lambda text: re.sub(r"\n33 \S+", "\n33 high", text), "line 2: column Accelerometer RKN.* is 'high'"),
        (lambda text: text.replace("\n33 ", "\ninf ", 1), "line 2: column MILLISEC is 'inf'"),
        (lambda text: text.replace("\n", "\n\n", 1), "line 2: the line is empty"),
        (lambda text: " ".join(COLUMNS).replace("Accelerometer ", "") + "\n" + text, "line 1: "),
    ],
)
def test_a_damaged_file_is_named_with_its_line(home, change, message):
    path = home / "dataset" / "S1-ADL1.dat"
    path.write_text(change(path.read_text()))
    with pytest.raises(DataFormatError, match=f"S1-ADL1.dat.*{message}"):
        load(home)


def test_a_file_of_the_challenge_itself_is_refused(home):
    path = home / "dataset" / "S1-ADL1.dat"
    path.write_text("\n".join(" ".join(["0"] * 116) for _ in range(9)) + "\n")
    with pytest.raises(DataFormatError, match="line 1: 116 fields where 250 are needed"):
        load(home)


def test_a_damaged_file_can_be_left_out_with_a_warning(home):
    (home / "dataset" / "S1-ADL1.dat").write_text("1 2 3\n")
    with pytest.warns(DataWarning, match="S1-ADL1.dat was left out: .*line 1: 3 fields"):
        recordings = load(home, errors="warn")
    assert [r.subject for r in recordings] == ["2"]


def test_an_absent_an_empty_and_a_wrong_folder_are_told_apart(tmp_path):
    with pytest.raises(FileNotFoundError, match="is no folder"):
        load(tmp_path / "absent")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataFormatError, match=r"is empty.*S1-ADL1\.dat"):
        load(tmp_path / "empty")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "S9-ADL1.dat").write_text("0\n")
    with pytest.raises(DataFormatError, match="holds nothing of Opportunity"):
        load(tmp_path / "other")


def test_the_right_folder_is_named_from_below_and_from_far_above(tmp_path):
    shutil.copytree(SAMPLE / "dataset", tmp_path / "a" / "b" / "dataset")
    with pytest.raises(DataFormatError, match=f"pass {re.escape(str(tmp_path / 'a' / 'b'))}"):
        load(tmp_path / "a")
    (tmp_path / "a" / "b" / "dataset" / "figures").mkdir()
    with pytest.raises(DataFormatError, match=f"pass {re.escape(str(tmp_path / 'a' / 'b' / 'dataset'))}"):
        load(tmp_path / "a" / "b" / "dataset" / "figures")


def outcome(folder: Path, content: bytes) -> RecordingSet | None:
    """Load a run of that content; None if it was refused with the file's name."""
    (folder / "S1-ADL1.dat").write_bytes(content)
    try:
        return load(folder, sites=["back", "right_hip"])
    except DataFormatError as error:
        refused = str(error)
    assert "S1-ADL1.dat, " in refused or "nothing is left" in refused or "no row" in refused
    return None


@pytest.mark.filterwarnings("ignore::har_virtual.exceptions.DataWarning")
@FUZZ
@given(data=st.data())
def test_damaged_bytes_give_recordings_or_a_named_file(tmp_path, data):
    content = bytearray((SAMPLE / "dataset" / "S2-ADL1.dat").read_bytes()[:8000])
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    loaded = outcome(tmp_path, bytes(content[: data.draw(st.integers(1, len(content)))]))
    assert loaded is None or not np.isinf(loaded[0].data).any()


@pytest.mark.filterwarnings("ignore::har_virtual.exceptions.DataWarning")
@FUZZ
@given(
    row=st.integers(0, 11),
    column=st.integers(0, 249),
    field=st.one_of(
        st.floats().map(repr), st.integers().map(str), st.text(max_size=5), st.sampled_from(["", "NaN", "-", "1e999"])
    ),
)
def test_any_field_gives_recordings_or_a_named_file(tmp_path, row, column, field):
    lines = [line.split(b" ") for line in (SAMPLE / "dataset" / "S2-ADL1.dat").read_bytes().splitlines()[:12]]
    lines[row][column] = field.encode("utf-8", "surrogatepass")
    loaded = outcome(tmp_path, b"\n".join(b" ".join(line) for line in lines) + b"\n")
    assert loaded is None or len(loaded[0].channels) == 9


@FUZZ
@given(
    st.lists(st.floats(0.6, 60.0), min_size=1, max_size=40),
    st.floats(0, 1e6),
)
def test_every_row_keeps_its_place_on_the_grid(tmp_path, steps, start):
    # Of each pair of rows one is a sample after the other: most are where they should be.
    samples = np.concatenate([[0], np.cumsum([each for step in steps for each in (1, np.ceil(step))])]).astype(int)
    table = rows(len(samples))
    table[:, 0] = np.round(start) + np.round(samples * 1000 / 30)
    recording = load(write(tmp_path, table), sites="back")[0]
    assert recording.sampling_rate_hz == 30.0
    assert np.flatnonzero(~np.isnan(recording.data[:, 0])).tolist() == samples.tolist()
