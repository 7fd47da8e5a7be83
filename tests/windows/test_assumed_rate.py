"""Rows called by another rate: the reading of IMUTube that does not resample."""

from __future__ import annotations

import numpy as np
import pytest

from har_virtual.exceptions import DataFormatError
from har_virtual.recording import Recording, RecordingSet
from har_virtual.windows import assume_rate, join_sessions, segment_recordings


def phone(n_samples=150, rate_hz=50.0, site="waist", **fields) -> Recording:
    """One channel that counts its rows."""
    return Recording(np.arange(n_samples)[:, None], rate_hz, [f"{site}_acc_x"], **fields)


def test_no_row_label_or_annotation_changes():
    rows = phone(labels=["sit"] * 70 + ["walk"] * 80, annotations={"room": np.arange(150)}, attrs={"file": "a"})
    [called] = assume_rate([rows], 30)
    assert called.data is rows.data
    assert called.labels is rows.labels
    assert called.annotations["room"] is rows.annotations["room"]
    assert called.attrs == {"file": "a", "recorded_rate_hz": 50.0, "clock_stretch": 5 / 3}
    assert rows.attrs == {"file": "a"}


def test_time_runs_on_with_the_rows():
    [called] = assume_rate([phone(start_s=6.0)], 30)
    assert (called.start_s, called.duration_s) == (10.0, 5.0)
    np.testing.assert_allclose(called.times_s[[0, 30, 149]], [10, 11, 10 + 149 / 30])


def test_windows_of_one_second_hold_thirty_rows_of_the_file_and_their_labels():
    rows = phone(labels=["sit"] * 60 + ["walk"] * 90)
    windows = segment_recordings(assume_rate([rows], 30), window_length_s=1.0, overlap=0.5)
    assert windows.X.shape == (9, 30, 1)
    np.testing.assert_array_equal(windows.X[2, :, 0], np.arange(30, 60))
    assert windows.y.tolist() == ["sit"] * 3 + ["walk"] * 6
    assert (windows.sampling_rate_hz, windows.attrs["window_step_s"]) == (30, 0.5)


def test_there_are_five_thirds_as_many_windows_as_by_the_clock():
    by_the_clock = segment_recordings([phone(50 * 120)], 1.0, 0.5, sampling_rate_hz=30)
    by_rows = segment_recordings(assume_rate([phone(50 * 120)], 30), 1.0, 0.5)
    assert (len(by_the_clock), len(by_rows)) == (239, 399)


def test_devices_of_a_session_stay_side_by_side():
    waist = phone(200, site="waist", start_s=1.0, session="a")
    ankle = phone(200, site="left_ankle", start_s=2.0, session="a")
    [before] = join_sessions([waist, ankle])
    [after] = join_sessions(assume_rate([waist, ankle], 30))
    np.testing.assert_array_equal(after.data, before.data)


def test_an_equal_rate_changes_nothing_and_the_first_rate_is_remembered():
    rows = phone(start_s=2.0)
    assert assume_rate([rows], 50)[0] is rows
    [twice] = assume_rate(assume_rate([rows], 30), 20)
    assert (twice.attrs["recorded_rate_hz"], twice.start_s) == (50.0, 5.0)
    assert twice.attrs["clock_stretch"] == pytest.approx(2.5)


def test_the_description_stays():
    assert assume_rate(RecordingSet([phone()], DESCR="A card."), 30).DESCR == "A card."


@pytest.mark.parametrize("rate_hz", [0, -30, np.nan, "30", None])
def test_a_rate_that_is_none_is_refused(rate_hz):
    with pytest.raises(DataFormatError, match="sampling_rate_hz must be a finite number above 0"):
        assume_rate([phone()], rate_hz)


def test_nothing_and_a_recording_alone_are_refused():
    with pytest.raises(DataFormatError, match="No recordings"):
        assume_rate([], 30)
    with pytest.raises(DataFormatError, match=r"write \[recording\]"):
        assume_rate(phone(), 30)


def test_devices_of_two_rates_in_one_session_are_refused():
    devices = [phone(site="waist", session="a", subject="7"), phone(rate_hz=25.0, site="left_ankle", subject="7")]
    assert len(assume_rate(devices, 30)) == 2
    for other in ({"domain": "virtual"}, {"dataset": "pamap2"}):
        assert len(assume_rate([devices[0], devices[1].replace(session="a", **other)], 30)) == 2
    with pytest.raises(DataFormatError, match=r"Session 7/a \(real\) .* 50 Hz .* 25 Hz.*join_sessions"):
        assume_rate([devices[0], devices[1].replace(session="a")], 30)
