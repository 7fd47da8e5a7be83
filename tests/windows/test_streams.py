"""Recordings at another rate, and the devices of a session merged on one clock."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from har_virtual.exceptions import DataFormatError
from har_virtual.recording import STANDARD_GRAVITY_M_S2, Recording
from har_virtual.signal import resample
from har_virtual.windows import drop_empty, join_recordings, resample_recording, segment_recordings


def device(site, n_samples=100, rate_hz=50.0, start_s=0.0, **fields) -> Recording:
    """One channel that reads the time on the session's clock."""
    times_s = start_s + np.arange(n_samples) / rate_hz
    return Recording(times_s[:, None], rate_hz, [f"{site}_acc_x"], start_s=start_s, **fields)


def test_a_whole_stream_at_the_same_rate_is_left_alone():
    stream = device("chest")
    assert resample_recording(stream, 50) is stream


def test_resampling_keeps_the_span_and_every_field():
    fields = {"subject": "1", "session": "a", "dataset": "d", "domain": "virtual", "attrs": {"source": "x"}}
    stream = resample_recording(device("chest", 101, 50, 3.0, labels="walk", **fields), 30)
    assert (len(stream), stream.sampling_rate_hz, stream.start_s, stream.labels) == (61, 30, 3.0, "walk")
    assert {name: getattr(stream, name) for name in fields} == fields
    np.testing.assert_allclose(stream.data[:, 0], stream.times_s, atol=1e-3)


@pytest.mark.parametrize("n_samples", [0, 1])
def test_streams_without_an_interval_can_be_resampled(n_samples):
    stream = resample_recording(device("chest", n_samples, labels=[1] * n_samples), 30)
    assert (len(stream), stream.sampling_rate_hz, len(stream.labels)) == (n_samples, 30, n_samples)


@pytest.mark.parametrize("rate_hz", [50, 40])
def test_short_holes_are_bridged_and_long_ones_stay(rate_hz):
    values = device("chest", 200).data.copy()
    values[[20, 21, 22, 23, 24]] = np.nan
    values[100:106] = np.nan
    stream = resample_recording(device("chest", 200).replace(data=values), rate_hz)
    missing_s = stream.times_s[np.isnan(stream.data[:, 0])]
    assert 1.98 < missing_s.min() < missing_s.max() < 2.12
    assert len(missing_s) == (6 if rate_hz == 50 else 5)
    whole = ~np.isnan(stream.data[:, 0])
    np.testing.assert_allclose(stream.data[whole, 0], stream.times_s[whole], atol=1e-3)


@pytest.mark.parametrize("rate_hz", [50, 40])
@pytest.mark.parametrize(("max_gap_s", "bridged"), [(0, []), (0.05, [0.4]), (0.3, [0.4, 2.0])])
def test_the_longest_hole_to_bridge_can_be_chosen_at_any_rate(rate_hz, max_gap_s, bridged):
    values = device("chest", 200).data.copy()
    values[[20, 100, 101, 102, 103, 104, 105]] = np.nan
    stream = resample_recording(device("chest", 200).replace(data=values), rate_hz, max_gap_s=max_gap_s)
    at = {time_s: round(time_s * rate_hz) for time_s in (0.4, 2.0)}
    assert [time_s for time_s, row in at.items() if not np.isnan(stream.data[row, 0])] == bridged


def test_bridging_leaves_the_other_samples_bit_by_bit():
    values = np.random.default_rng(0).normal(size=(100, 1)).astype(np.float32)
    holed = values.copy()
    holed[50] = np.nan
    stream = resample_recording(device("chest").replace(data=holed), 50)
    same = np.arange(100) != 50
    np.testing.assert_array_equal(stream.data[same], values[same])


def test_joined_devices_share_one_span_and_keep_their_samples():
    chest, wrist = device("chest", 100, start_s=0.0), device("left_wrist", 100, start_s=0.5)
    joined = join_recordings([chest, wrist])
    assert joined.channels == ("chest_acc_x", "left_wrist_acc_x")
    assert (joined.start_s, len(joined)) == (0.5, 75)
    np.testing.assert_array_equal(joined.data[:, 0], chest.data[25:, 0])
    np.testing.assert_array_equal(joined.data[:, 1], wrist.data[:75, 0])


def test_a_start_that_is_off_by_part_of_a_sample_is_resampled_onto_the_common_grid():
    devices = [
        device("chest", 100, start_s=10.0),
        device("head", 100, start_s=10.007),
        device("waist", 90, start_s=9.9),
    ]
    joined = join_recordings(devices)
    assert (joined.start_s, len(joined)) == (10.007, 84)
    np.testing.assert_allclose(joined.data, np.tile(joined.times_s[:, None], (1, 3)), atol=1e-5)


def test_devices_of_different_rates_meet_at_the_rate_asked_for():
    devices = [device("chest", 200, 100), device("head", 60, 30, start_s=0.011)]
    with pytest.raises(DataFormatError, match=r"30 Hz \(1\), 100 Hz \(1\)"):
        join_recordings(devices)
    joined = join_recordings(devices, sampling_rate_hz=30)
    assert (joined.start_s, joined.sampling_rate_hz, len(joined)) == (0.011, 30, 60)
    np.testing.assert_allclose(joined.data, np.tile(joined.times_s[:, None], (1, 2)), atol=1e-3)


def test_one_recording_joins_to_itself():
    stream = device("chest", labels="walk")
    joined = join_recordings([stream])
    np.testing.assert_array_equal(joined.data, stream.data)
    assert joined.labels == "walk"


def test_tracks_come_from_the_first_device_that_has_them():
    bend = np.where(np.arange(100) < 50, "walk", "run")
    late = np.where(np.arange(100) < 26, "walk", "run")
    devices = [
        device("chest", annotations={"hand": np.arange(100)}, attrs={"id": 1}),
        device("head", labels=bend, subject=None, attrs={"id": 2}),
        device("waist", start_s=0.5, labels=late, annotations={"foot": np.arange(100)}),
    ]
    joined = join_recordings(devices)
    assert joined.labels.tolist() == ["walk"] * 25 + ["run"] * 50
    assert joined.annotations["hand"].tolist() == list(range(25, 100))
    assert joined.annotations["foot"].tolist() == list(range(75))
    assert joined.attrs == {"joined": [{"id": 1}, {"id": 2}, {}]}


def test_devices_that_disagree_about_the_labels_are_refused():
    with pytest.raises(DataFormatError, match="disagree about labels on 100%"):
        join_recordings([device("chest", labels="walk"), device("head", labels="run")])
    half = np.where(np.arange(100) < 50, "walk", "run")
    with pytest.raises(DataFormatError, match="disagree about labels on 50%"):
        join_recordings([device("chest", labels="walk"), device("head", labels=half)])


def test_a_sample_that_one_device_left_unlabelled_is_no_disagreement():
    half = np.array(["walk"] * 50 + [None] * 50, dtype=object)
    joined = join_recordings([device("chest", labels="walk"), device("head", labels=half)])
    assert joined.labels == "walk"


def test_a_long_hole_of_one_device_stays_a_hole_of_the_session():
    values = device("head", start_s=0.007).data.copy()
    values[40:60] = np.nan
    joined = join_recordings([device("chest"), device("head", start_s=0.007).replace(data=values)])
    assert np.isnan(joined.data).sum(axis=0).tolist() == [0, 20]


@pytest.mark.parametrize("name", ["subject", "session", "dataset"])
def test_only_devices_of_one_session_are_joined(name):
    with pytest.raises(DataFormatError, match=f"one session can be joined, but {name} is one of"):
        join_recordings([device("chest", **{name: "1"}), device("head", **{name: "2"})])


def test_real_and_virtual_devices_are_not_joined():
    with pytest.raises(DataFormatError, match="but domain is one of"):
        join_recordings([device("chest"), device("head", domain="virtual")])


def test_devices_need_a_common_time_distinct_channels_and_to_be_there():
    with pytest.raises(DataFormatError, match="No time is common"):
        join_recordings([device("chest"), device("head", start_s=2.0)])
    with pytest.raises(DataFormatError, match="No time is common"):
        join_recordings([device("chest"), device("head", 0)])
    with pytest.raises(DataFormatError, match=r"the channels \['chest_acc_x'\]; rename"):
        join_recordings([device("chest"), device("chest")])
    with pytest.raises(DataFormatError, match="No recordings were given"):
        join_recordings([])


def read_device(path, site) -> Recording:
    """Read a file of uneven stamps onto an even grid, on the clock that phone and watch share."""
    table = pd.read_csv(path).drop_duplicates("timestamp").sort_values("timestamp")
    stamps_s = table["timestamp"].to_numpy() / 1000
    columns = ["x_acc", "y_acc", "z_acc"]
    times_s, data = resample(table[columns].to_numpy(), stamps_s, 50.0)
    labels = table["label"].to_numpy()[np.searchsorted(stamps_s, times_s[:-1] + 1e-9, side="right") - 1]
    names = [f"{site}_acc_{axis}" for axis in "xyz"]
    return Recording(data[:-1], 50.0, names, start_s=times_s[0], subject="s01", session="01", labels=labels)


def test_a_real_phone_and_watch_become_windows_of_six_channels(test_data):
    folder = test_data / "sp_sw_har" / "s01"
    phone, watch = (
        read_device(folder / "s01_01_sp.csv", "left_hip"),
        read_device(folder / "s01_01_sw.csv", "left_wrist"),
    )
    joined = join_recordings([phone, watch])
    windows = segment_recordings([joined], 1.0, label_rule="drop-mixed")
    assert windows.X.shape[1:] == (50, 6)
    assert list(dict.fromkeys(windows.y)) == ["STANDING_UP", "WALKING", "TURNING", "SITTING_DOWN", "SEATED"]
    # The person sits for the last 2.6 s, and sat for 0.7 s at the start, which holds no whole window.
    seated = windows[windows.y == "SEATED"]
    assert 3 <= len(seated) <= 4
    assert seated.metadata["start_s"].min() > joined.times_s[-1] - 2.8
    norms = np.linalg.norm(seated.X.reshape(-1, 2, 3), axis=-1)
    np.testing.assert_allclose(np.median(norms, axis=0), STANDARD_GRAVITY_M_S2, rtol=0.05)


def test_streams_of_nobody_are_left_out_with_their_labels_and_subjects(caplog):
    streams = [np.ones((9, 3)), np.empty((0, 3)), np.ones((4, 3))]
    with caplog.at_level("INFO"):
        kept, y, groups, nothing = drop_empty(streams, ["walk", "run", "sit"], np.array(["a", "b", "c"]), None)
    assert [len(stream) for stream in kept] == [9, 4]
    assert y == ["walk", "sit"] and groups.tolist() == ["a", "c"] and nothing is None
    assert "1 of 3 streams are empty and left out: [1]" in caplog.text


def test_there_must_be_a_stream_and_an_item_for_each():
    with pytest.raises(DataFormatError, match="All 2 streams are empty"):
        drop_empty([np.empty((0, 3))] * 2)
    with pytest.raises(DataFormatError, match="2 streams, but an array with 3 items"):
        drop_empty([np.ones((5, 3))] * 2, [1, 2, 3])
