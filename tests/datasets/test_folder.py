from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from samples import script_of

from har_virtual import segment_recordings
from har_virtual.datasets.folder.loader import FolderDataSet, load_folder
from har_virtual.datasets.survey import survey_dataset
from har_virtual.exceptions import DataFormatError, DataWarning, UnknownNameError
from har_virtual.testing.datasets import check_dataset
from har_virtual.windows import join_sessions

SAMPLE = Path(__file__).parents[2] / "datasets" / "folder"
G_M_S2 = 9.80665
XYZ = ("x", "y", "z")
SITE_ACC = {axis: f"{{site}}_acc_{axis}" for axis in XYZ}
WRIST_ACC = {axis: f"left_wrist_acc_{axis}" for axis in XYZ}
MS_2024 = 1_714_550_400_000

load = partial(load_folder, cache=False)
APP = partial(
    load_folder,
    pattern="{subject}/{session}_{site}.csv",
    columns={**SITE_ACC, **{f"rot_{axis}": f"{{site}}_gyr_{axis}" for axis in XYZ}},
    units={"acc": "m/s2", "gyr": "rad/s"},
    time="time",
    time_unit="ms",
    label="doing",
    site_names={"watch": "left_wrist", "phone": "right_thigh"},
    label_names={"walk": "walking", "sit": "sitting", "?": None},
    dataset="app",
)
BOUTS = partial(
    load_folder,
    pattern="{activity}/{subject}_{trial}.parquet",
    columns={f"{quantity}_{axis}": f"waist_{quantity}_{axis}" for quantity in ("acc", "gyr") for axis in XYZ},
    units={"acc": "g", "gyr": "deg/s"},
    sampling_rate_hz=50,
)
SUIT = partial(load_folder, pattern="{subject}.csv", units={"acc": "g"}, time="t", label="activity", separator=";")


def readings(n_rows: int, size: float = 9.81) -> np.ndarray:
    """Three columns near gravity that tell their row."""
    return np.stack([np.full(n_rows, size), 0.001 * np.arange(n_rows), np.zeros(n_rows)], axis=1)


def write(path: Path, values: np.ndarray, times=None, labels=None, **options) -> Path:
    """Write a CSV with columns x, y, z and, where given, time and label."""
    frame = pd.DataFrame(values, columns=list(XYZ)[: values.shape[1]])
    frame = frame if times is None else frame.assign(time=times)
    frame = frame if labels is None else frame.assign(label=labels)
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_csv(path, index=False, **options)
    return path


def make_sample():
    return script_of(SAMPLE)


def test_the_sample_is_what_its_script_writes(tmp_path):
    for path in make_sample().write_sample(tmp_path):
        committed = SAMPLE / path.relative_to(tmp_path)
        if path.suffix == ".parquet":
            pd.testing.assert_frame_equal(pd.read_parquet(path), pd.read_parquet(committed))
        else:
            assert path.read_bytes() == committed.read_bytes()


@pytest.mark.parametrize(("loader", "folder"), [(APP, "app"), (BOUTS, "bouts"), (SUIT, "suit")])
def test_folders_keep_the_contract_of_data_sets(loader, folder):
    assert check_dataset(loader, SAMPLE / folder) == []


def test_keywords_may_be_passed_through_the_check_too():
    options = {"pattern": "{subject}.csv", "units": {"acc": "g"}, "time": "t", "separator": ";"}
    assert check_dataset(load_folder, SAMPLE / "suit", **options) == []


def test_the_app_s_files_are_the_motion_on_an_even_grid():
    sample = make_sample()
    for recording in APP(SAMPLE / "app", cache=False, quantities="acc"):
        assert recording.sampling_rate_hz == 50
        exact = sample.motion(recording.times_s, recording.subject, "walk")[:, :3]
        walks = (recording.times_s > 0.05) & (recording.times_s < 1.85)
        # Between rows 28 ms apart a swing of 4 Hz and 2 m/s2 bends by 2 (2 pi 4 Hz)^2 (28 ms)^2 / 8.
        assert np.abs(recording.data - exact)[walks].max() < 0.13
        assert {*recording.labels} == {"walking", "sitting", None}
        assert recording.labels[recording.times_s < 1.88].tolist() == ["walking"] * int(
            (recording.times_s < 1.88).sum()
        )


def test_a_hole_in_the_app_s_file_stays_a_hole():
    (watch,) = APP(SAMPLE / "app", cache=False, subjects="ben", sites="left_wrist")
    holes = np.isnan(watch.data).all(axis=1)
    assert watch.times_s[holes].min() == pytest.approx(2.6, abs=0.03)
    assert watch.times_s[holes].max() == pytest.approx(2.9, abs=0.03)
    assert 12 <= holes.sum() <= 16
    (bridged,) = APP(SAMPLE / "app", cache=False, subjects="ben", sites="left_wrist", max_gap_s=0.5)
    assert not np.isnan(bridged.data).any()


def test_the_devices_of_a_session_have_one_clock():
    phone, watch = APP(SAMPLE / "app", cache=False, subjects="anna")
    assert (phone.start_s, watch.start_s) == (0.0, 0.02)
    assert phone.attrs["start_unix_s"] == watch.attrs["start_unix_s"] == MS_2024 / 1000
    (session,) = join_sessions([phone, watch])
    assert session.start_s == pytest.approx(0.02)
    # Both devices saw the same motion.
    assert np.abs(session.data[5:90, :3] - session.data[5:90, 6:9]).max() < 0.25


def test_the_folder_s_name_is_the_label_and_the_values_are_converted():
    for bout in BOUTS(SAMPLE / "bouts", cache=False):
        activity = {"walking": "walk", "sitting": "sit"}[bout.labels]
        exact = make_sample().motion(bout.times_s, bout.subject, activity)
        np.testing.assert_allclose(bout.data, exact, rtol=1e-5, atol=1e-5)
        assert bout.session == f"{bout.labels}/1"
        assert bout.attrs["trial"] == "1"
        assert bout.start_s == 0


def test_a_wide_file_is_one_recording_of_all_its_sites():
    (suit,) = SUIT(SAMPLE / "suit", cache=False)
    frame = pd.read_csv(SAMPLE / "suit" / "anna.csv", sep=";")
    assert list(suit.channels) == list(frame.columns[1:7])
    np.testing.assert_allclose(suit.data, frame[list(suit.channels)] * G_M_S2, rtol=1e-6)
    assert (suit.sampling_rate_hz, suit.start_s, suit.session) == (100, 0, "1")
    assert [r.channels[0] for r in SUIT(SAMPLE / "suit", cache=False, sites="chest")] == ["chest_acc_x"]


def test_a_survey_counts_the_minutes_of_a_folder():
    layout = FolderDataSet("{subject}.csv", units={"acc": "g"}, time="t", label="activity", separator=";")
    survey = survey_dataset(layout, SAMPLE / "suit")
    assert survey.complete
    assert survey.there == ("anna.csv",)
    assert survey.minutes.loc["anna", "walking"] == pytest.approx(2 / 60)
    assert "anna.csv" not in survey.describe().partition("Minutes")[0] or survey.notes == ()


def test_what_is_read_is_kept_under_what_was_stated(tmp_path, monkeypatch):
    monkeypatch.setenv("HAR_VIRTUAL_CACHE", str(tmp_path / "cache"))
    write(tmp_path / "data" / "anna.csv", readings(100))
    stated = {"pattern": "{subject}.csv", "columns": WRIST_ACC, "sampling_rate_hz": 50}
    (first,) = load_folder(tmp_path / "data", units={"acc": "m/s2"}, **stated)
    (again,) = load_folder(tmp_path / "data", units={"acc": "m/s2"}, **stated)
    with pytest.warns(DataWarning, match="far from gravity"):
        (other,) = load_folder(tmp_path / "data", units={"acc": "g"}, **stated)
    assert first.data.tobytes() == again.data.tobytes()
    np.testing.assert_allclose(other.data, first.data * np.float32(G_M_S2), rtol=1e-6)


def test_files_without_labels_are_loaded(tmp_path):
    write(tmp_path / "anna.csv", readings(10))
    (recording,) = load(tmp_path, "{subject}.csv", WRIST_ACC, {"acc": "m/s2"}, sampling_rate_hz=50)
    assert recording.labels is None
    assert recording.dataset == "folder"


def test_a_folder_of_one_person_is_told_who_it_is(tmp_path):
    for activity in ("walk", "sit"):
        write(tmp_path / f"{activity}.csv", readings(10))
    stated = {"columns": WRIST_ACC, "units": {"acc": "m/s2"}, "sampling_rate_hz": 50}
    recordings = load(
        tmp_path, "{activity}.csv", subject="anna", label_names={"walk": "walking", "sit": None}, **stated
    )
    assert [(r.group, r.session, r.labels) for r in recordings] == [("folder/anna", "walk", "walking")]
    with pytest.raises(DataFormatError, match=r"no \{subject\}.*pass subject='anna'"):
        load(tmp_path, "{activity}.csv", **stated)
    with pytest.raises(DataFormatError, match="stated twice"):
        load(tmp_path, "{subject}.csv", subject="anna", **stated)


def test_text_without_a_header_line_takes_names(tmp_path):
    write(tmp_path / "anna.csv", readings(10), header=False, sep="\t")
    stated = {"units": {"acc": "m/s2"}, "sampling_rate_hz": 50, "separator": "\t"}
    names = [f"left_wrist_acc_{axis}" for axis in XYZ]
    (recording,) = load(tmp_path, "{subject}.csv", names=names, **stated)
    np.testing.assert_array_equal(recording.data, readings(10).astype(np.float32))


def test_columns_come_in_any_order_among_others_and_between_quotes(tmp_path):
    lines = ['"note", z ,"x",y,label', 'a,3,1,2,"walking"', "b,6,,5,", "c,NaN,7,8,sitting"]
    (tmp_path / "anna.csv").write_text("\r\n".join(lines), encoding="utf-8-sig")
    with pytest.warns(DataWarning, match="far from gravity"):
        (recording,) = load(tmp_path, "{subject}.csv", WRIST_ACC, {"acc": "m/s2"}, sampling_rate_hz=50, label="label")
    np.testing.assert_array_equal(recording.data, [[1, 2, 3], [np.nan, 5, 6], [7, 8, np.nan]])
    assert recording.labels.tolist() == ["walking", None, "sitting"]


def test_channels_without_a_site_take_the_one_of_the_path(tmp_path):
    for site in ("left_wrist", "chest"):
        path = write(tmp_path / f"anna_{site}_1.csv", readings(10))
        path.write_text(path.read_text().replace("x,y,z", "acc_x,acc_y,acc_z"))
    recordings = load(tmp_path, "{subject}_{site}_{session}.csv", units={"acc": "m/s2"}, sampling_rate_hz=50)
    assert [(r.channels[0], r.session) for r in recordings] == [("chest_acc_x", "1"), ("left_wrist_acc_x", "1")]


@pytest.mark.parametrize(
    ("time_unit", "stamps"),
    [
        ("s", [f"{1714550400 + row / 50:.2f}" for row in range(100)]),
        ("ms", [MS_2024 + 20 * row for row in range(100)]),
        ("us", [1000 * (MS_2024 + 20 * row) for row in range(100)]),
        ("ns", [1_000_000 * (MS_2024 + 20 * row) for row in range(100)]),
        ("datetime", [str(t) for t in pd.date_range("2024-05-01T08:00:00", periods=100, freq="20ms", unit="ns")]),
        ("datetime", [f"2024-05-01T10:00:{row / 50:06.3f}+02:00" for row in range(100)]),
        ("%d.%m.%Y %H:%M:%S.%f", [f"01.05.2024 08:00:{row / 50:06.3f}" for row in range(100)]),
    ],
)
def test_stamps_in_every_unit_are_the_same_times(tmp_path, time_unit, stamps):
    write(tmp_path / "anna.csv", readings(100), times=stamps)
    (recording,) = load(
        tmp_path, "{subject}.csv", WRIST_ACC, {"acc": "m/s2"}, time="time", time_unit=time_unit, label_names=None
    )
    assert (recording.sampling_rate_hz, len(recording), recording.start_s) == (50, 100, 0)
    assert recording.attrs["start_unix_s"] == pytest.approx(MS_2024 / 1000, abs=1e-6)
    np.testing.assert_allclose(recording.data, readings(100), atol=1e-6)


@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Berlin"])
def test_parquet_s_own_timestamps_need_no_unit(tmp_path, zone):
    times = pd.date_range("2024-05-01T08:00:00", periods=100, freq="20ms", tz="UTC")
    times = times.tz_localize(None) if zone is None else times.tz_convert(zone)
    frame = pd.DataFrame(readings(100), columns=list(XYZ)).assign(time=times, label=[1.0, np.nan] * 50)
    frame.to_parquet(tmp_path / "anna.parquet", index=False)
    (recording,) = load(
        tmp_path,
        "{subject}.parquet",
        WRIST_ACC,
        {"acc": "m/s2"},
        time="time",
        label="label",
        label_names={1: "walking"},
    )
    assert recording.attrs["start_unix_s"] == MS_2024 / 1000
    np.testing.assert_allclose(recording.data, readings(100), atol=1e-6)
    assert recording.labels.tolist() == ["walking", None] * 50


def test_small_stamps_keep_their_clock(tmp_path):
    write(tmp_path / "anna.csv", readings(100), times=12.5 + np.arange(100) / 50)
    (recording,) = load(tmp_path, "{subject}.csv", WRIST_ACC, {"acc": "m/s2"}, time="time")
    assert recording.start_s == 12.5
    assert "start_unix_s" not in recording.attrs


def test_stamps_that_were_rounded_are_taken_as_even(tmp_path):
    write(tmp_path / "anna.csv", readings(300), times=np.round(1000 * np.arange(300) / 30).astype(int))
    (recording,) = load(tmp_path, "{subject}.csv", WRIST_ACC, {"acc": "m/s2"}, time="time", time_unit="ms")
    assert recording.sampling_rate_hz == 30
    np.testing.assert_allclose(recording.data, readings(300), atol=1e-4)


def test_uneven_stamps_are_interpolated_and_the_rate_is_that_of_the_rows(tmp_path):
    number = np.arange(500)
    times_s = np.round(number / 50 + 0.006 * np.sin(2.1 * number), 3)
    wave = 9.81 + np.stack([np.sin(2 * np.pi * times_s), np.cos(2 * np.pi * times_s), 0 * times_s], axis=1)
    write(tmp_path / "anna.csv", wave, times=times_s)
    (recording,) = load(tmp_path, "{subject}.csv", WRIST_ACC, {"acc": "m/s2"}, time="time")
    exact = 9.81 + np.sin(2 * np.pi * recording.times_s)
    assert recording.sampling_rate_hz == 50
    # A chord of 33 ms in a wave of 1 Hz is off by (2 pi 1 Hz)^2 (33 ms)^2 / 8 at most.
    assert np.abs(recording.data[:, 0] - exact).max() < 0.006


def test_rows_of_one_stamp_are_averaged(tmp_path):
    times = np.repeat(np.arange(60) * 20, 1 + (np.arange(60) % 2))
    write(tmp_path / "anna.csv", readings(len(times)), times=times)
    with pytest.warns(DataWarning, match=r"anna.csv: 30 of 90 stamps repeat"):
        (recording,) = load(
            tmp_path, "{subject}.csv", WRIST_ACC, {"acc": "m/s2"}, time="time", time_unit="ms", sampling_rate_hz=50
        )
    np.testing.assert_allclose(recording.data[:4, 1], [0, 0.0015, 0.003, 0.0045], atol=1e-6)


def test_sensors_that_take_turns_with_rows_of_one_stamp_are_put_together(tmp_path):
    rows = [f"{20 * n},9.81,{n / 100},0,,,\n{20 * n},,,,1,{n / 50},3" for n in range(100)]
    (tmp_path / "anna.csv").write_text("\n".join(["time,x,y,z,rot_x,rot_y,rot_z", *rows]))
    columns = {**WRIST_ACC, **{f"rot_{axis}": f"left_wrist_gyr_{axis}" for axis in XYZ}}
    with pytest.warns(DataWarning, match="100 of 200 stamps repeat"):
        (recording,) = load(
            tmp_path, "{subject}.csv", columns, {"acc": "m/s2", "gyr": "rad/s"}, time="time", time_unit="ms"
        )
    number = np.arange(100)
    exact = np.stack([0 * number + 9.81, number / 100, 0 * number, 0 * number + 1, number / 50, 0 * number + 3], axis=1)
    assert recording.sampling_rate_hz == 50
    np.testing.assert_allclose(recording.data, exact, atol=1e-6)


def test_a_reading_that_all_rows_of_a_stamp_lack_is_missing(tmp_path):
    times = np.repeat(np.arange(60) * 20, 1 + (np.arange(60) == 30))
    values = readings(len(times))
    values[30:32, 1] = np.nan
    values[30, 2] = np.nan
    write(tmp_path / "anna.csv", values, times=times)
    stated = {"columns": WRIST_ACC, "units": {"acc": "m/s2"}, "time": "time", "time_unit": "ms"}
    (recording,) = load(tmp_path, "{subject}.csv", max_gap_s=0, **stated)
    assert np.argwhere(np.isnan(recording.data)).tolist() == [[30, 1]]


def test_labels_of_many_rows_are_named_one_by_one_and_whole_numbers_have_no_point(tmp_path):
    labels = [3.0, np.nan, 1.5, 3.0, 1.0]
    frame = pd.DataFrame(readings(5), columns=list(XYZ)).assign(label=labels)
    frame.to_parquet(tmp_path / "anna.parquet", index=False)
    (recording,) = load(tmp_path, "{subject}.parquet", WRIST_ACC, {"acc": "m/s2"}, sampling_rate_hz=50, label="label")
    assert recording.labels.tolist() == ["3", None, "1.5", "3", "1"]


def test_files_called_pq_are_parquet_and_labels_lose_their_blanks(tmp_path):
    pd.DataFrame(readings(5), columns=list(XYZ)).to_parquet(tmp_path / "anna.pq")
    stated = {"columns": WRIST_ACC, "units": {"acc": "m/s2"}, "sampling_rate_hz": 50}
    assert len(load(tmp_path, "{subject}.pq", **stated)[0]) == 5
    (tmp_path / "ben.csv").write_text('x,y,z,label\n9.81,0,0, "walking" \n9.81,0,0,walking\n')
    (recording,) = load(tmp_path, "{subject}.csv", label="label", **stated)
    assert recording.labels.tolist() == ["walking", "walking"]


def test_dates_go_on_where_the_clocks_are_put_back(tmp_path):
    summer = [f"2024-10-27T02:59:59.{ms:03d}+02:00" for ms in range(0, 1000, 20)]
    winter = [f"2024-10-27T02:00:00.{ms:03d}+01:00" for ms in range(0, 1000, 20)]
    write(tmp_path / "anna.csv", readings(100), times=summer + winter)
    (recording,) = load(tmp_path, "{subject}.csv", WRIST_ACC, {"acc": "m/s2"}, time="time", time_unit="datetime")
    np.testing.assert_allclose(recording.data, readings(100), atol=1e-6)


def test_even_rows_are_brought_to_another_rate_by_a_curve(tmp_path):
    """A chord of 33 ms in a wave of 3 Hz would be off by (2 pi 3 Hz)^2 (33 ms)^2 / 8 = 0.05."""
    times_s = np.arange(120) / 30
    wave = 9.81 + np.stack([np.sin(6 * np.pi * times_s), 0 * times_s, 0 * times_s], axis=1)
    write(tmp_path / "anna.csv", wave, times=times_s)
    stated = {"columns": WRIST_ACC, "units": {"acc": "m/s2"}, "time": "time"}
    with pytest.warns(DataWarning, match="nothing is above 15 Hz"):
        (recording,) = load(tmp_path, "{subject}.csv", sampling_rate_hz=100, **stated)
    exact = 9.81 + np.sin(6 * np.pi * recording.times_s)
    assert np.abs(recording.data[10:-10, 0] - exact[10:-10]).max() < 0.005


def test_a_rate_that_is_no_whole_number_has_four_digits(tmp_path):
    write(tmp_path / "anna.csv", readings(300), times=np.arange(300) / 12.3456)
    (recording,) = load(tmp_path, "{subject}.csv", WRIST_ACC, {"acc": "m/s2"}, time="time")
    assert recording.sampling_rate_hz == 12.35


def test_whatever_is_stated_otherwise_is_kept_apart_in_the_cache():
    base = {"pattern": "{subject}_{site}.csv", "columns": SITE_ACC, "units": {"acc": "g"}, "time": "t", "label": "l"}
    changes = [
        *({}, {"pattern": "{subject}_{site}_*.csv"}, {"units": {"acc": "m/s2"}}, {"sampling_rate_hz": 50}),
        *({"time": "u"}, {"time_unit": "ms"}, {"max_gap_s": 0.2}, {"label": "m"}, {"label_names": {"a": "b"}}),
        *(
            {"site_names": {"a": "chest"}},
            {"separator": ";"},
            {"separator": ";", "decimal": ","},
            {"names": [*XYZ, "t", "l"]},
            {"dataset": "mine"},
        ),
        *({"columns": {"y": "{site}_acc_x", "x": "{site}_acc_y", "z": "{site}_acc_z"}},),
        *({"pattern": "{site}.csv", "subject": "a"}, {"pattern": "{site}.csv", "subject": "b"}),
    ]
    assert len({FolderDataSet(**{**base, **change}).variant for change in changes}) == len(changes)


def test_blanks_before_numbers_are_passed_over(tmp_path):
    (tmp_path / "anna.csv").write_text("x, y, z\n" + "9.81,  0.5,\t1\n" * 5 + "9.81, , 1\n")
    (recording,) = load(tmp_path, "{subject}.csv", WRIST_ACC, {"acc": "m/s2"}, sampling_rate_hz=50)
    np.testing.assert_array_equal(recording.data[4], np.float32([9.81, 0.5, 1]))
    assert np.isnan(recording.data[5]).tolist() == [False, True, False]


def test_a_lower_rate_is_filtered_and_a_higher_one_is_said(tmp_path):
    times_s = np.arange(400) / 100
    fast = 9.81 + np.stack([np.sin(2 * np.pi * 40 * times_s), 0 * times_s, 0 * times_s], axis=1)
    write(tmp_path / "anna.csv", fast, times=times_s)
    stated = {"columns": WRIST_ACC, "units": {"acc": "m/s2"}, "time": "time"}
    (slow,) = load(tmp_path, "{subject}.csv", sampling_rate_hz=25, **stated)
    assert slow.sampling_rate_hz == 25
    assert np.abs(slow.data[10:-10, 0] - 9.81).max() < 0.05
    with pytest.warns(DataWarning, match=r"anna.csv: the stamps are those of 100 Hz; at 200 Hz nothing is above 50 Hz"):
        load(tmp_path, "{subject}.csv", sampling_rate_hz=200, **stated)


def test_devices_of_two_rates_load_and_their_use_says_what_to_pass(tmp_path):
    write(tmp_path / "anna_chest.csv", readings(100), times=np.arange(100) / 50, labels="walking")
    write(tmp_path / "anna_waist.csv", readings(200), times=np.arange(200) / 100, labels="walking")
    stated = {"columns": SITE_ACC, "units": {"acc": "m/s2"}, "time": "time", "label": "label"}
    recordings = load(tmp_path, "{subject}_{site}.csv", **stated)
    assert [r.sampling_rate_hz for r in recordings] == [50, 100]
    with pytest.raises(DataFormatError, match=r"different sampling rates: 50 Hz \(1\), 100 Hz \(1\)"):
        join_sessions(recordings)
    same = load(tmp_path, "{subject}_{site}.csv", sampling_rate_hz=50, **stated)
    assert segment_recordings(join_sessions(same), window_length_s=1, overlap=0).X.shape == (2, 50, 6)


def test_devices_that_share_no_second_load_and_joining_names_the_session(tmp_path):
    write(tmp_path / "anna_chest.csv", readings(100), times=MS_2024 + 20 * np.arange(100))
    write(tmp_path / "anna_waist.csv", readings(100), times=MS_2024 + 20 * np.arange(100) + 60_000)
    recordings = load(
        tmp_path, "{subject}_{site}.csv", SITE_ACC, {"acc": "m/s2"}, time="time", time_unit="ms", dataset="mine"
    )
    assert [r.start_s for r in recordings] == [0, 60]
    with pytest.warns(DataWarning, match="share no time: mine/anna/1"), pytest.raises(DataFormatError):
        join_sessions(recordings)


def test_people_are_in_the_order_of_their_numbers(tmp_path):
    for subject in ("s10", "s9", "s1"):
        write(tmp_path / f"{subject}.csv", readings(10))
    recordings = load(tmp_path, "{subject}.csv", WRIST_ACC, {"acc": "m/s2"}, sampling_rate_hz=50)
    assert [r.subject for r in recordings] == ["s1", "s9", "s10"]
    with pytest.raises(UnknownNameError, match="s1, s9, s10"):
        load(tmp_path, "{subject}.csv", WRIST_ACC, {"acc": "m/s2"}, sampling_rate_hz=50, subjects="s2")


REAL = {
    "columns": {
        f"{axis}_{there}": f"{{site}}_{ours}_{axis}"
        for there, ours in (("acc", "acc"), ("gyro", "gyr"))
        for axis in XYZ
    },
    "units": {"acc": "m/s2", "gyr": "rad/s"},
    "label": "label",
    "site_names": {"sp": "left_thigh", "sw": "left_wrist"},
}


def real_rows(home: Path, file: str) -> pd.DataFrame:
    return pd.read_csv(home / file, dtype=dict.fromkeys(REAL["columns"], np.float32), float_precision="round_trip")


def test_real_files_at_a_stated_rate_hold_exactly_the_rows(test_data):
    home = test_data / "sp_sw_har"
    recordings = load(home, "{subject}/{subject}_{session}_{site}.csv", sampling_rate_hz=100, **REAL)
    assert len(recordings) == len(list(home.glob("s*/*.csv")))
    assert recordings[0].channels == tuple(f"left_thigh_{q}_{axis}" for q in ("acc", "gyr") for axis in XYZ)
    for recording in recordings:
        rows = real_rows(home, recording.attrs["file"])
        np.testing.assert_array_equal(recording.data, rows[list(REAL["columns"])])
        assert recording.labels.tolist() == rows["label"].tolist()


def test_real_uneven_stamps_become_an_even_grid_through_the_rows(test_data):
    home = test_data / "sp_sw_har"
    recordings = load(
        home,
        "{subject}/{subject}_{session}_{site}.csv",
        time="timestamp",
        time_unit="ms",
        subjects=["s01", "s05"],
        **REAL,
    )
    assert {r.sampling_rate_hz for r in recordings} == {102, 104}
    for recording in recordings:
        rows = real_rows(home, recording.attrs["file"])
        merged = rows.groupby("timestamp")[list(REAL["columns"])].mean()
        times_ms = 1000 * (recording.attrs["start_unix_s"] + recording.times_s)
        assert times_ms[0] == pytest.approx(rows["timestamp"].iloc[0], abs=0.01)
        assert times_ms[-1] == pytest.approx(rows["timestamp"].iloc[-1], abs=11)
        for channel, column in enumerate(merged):
            exact = np.interp(times_ms, merged.index, merged[column].astype(np.float64))
            known = ~np.isnan(recording.data[:, channel])
            assert known.mean() > 0.95
            np.testing.assert_allclose(recording.data[known, channel], exact[known], atol=2e-2)
        assert {*recording.labels} - {None} == {*rows["label"]}
    assert len(join_sessions(recordings, sampling_rate_hz=100)) == len(recordings) / 2
