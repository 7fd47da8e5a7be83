from __future__ import annotations

import numpy as np
import pytest

from har_virtual import Recording, RecordingSet
from har_virtual.exceptions import DataFormatError, DataWarning, UnknownNameError
from har_virtual.windows import segment_recordings
from har_virtual.windows.sessions import join_sessions


def device(site, session, n_samples=100, *, rate_hz=50.0, value=1.0, **fields) -> Recording:
    names = [f"{site}_acc_{axis}" for axis in "xyz"]
    return Recording(
        np.full((n_samples, 3), value),
        rate_hz,
        names,
        **({"subject": "1", "dataset": "home", "session": session} | fields),
    )


def test_each_session_becomes_one_recording_in_order_of_appearance():
    devices = [
        device("chest", "b"),
        device("chest", "a"),
        device("head", "a", value=2.0),
        device("head", "b", value=3.0),
    ]
    joined = join_sessions(devices)
    assert [session.session for session in joined] == ["b", "a"]
    assert [session.data[0].tolist() for session in joined] == [[1, 1, 1, 3, 3, 3], [1, 1, 1, 2, 2, 2]]
    assert [joined[0].channels[0], joined[0].channels[3]] == ["chest_acc_x", "head_acc_x"]


def test_the_time_that_all_devices_share_is_kept():
    (joined,) = join_sessions([device("chest", "a", 100), device("head", "a", 100, start_s=0.5)])
    assert (joined.start_s, joined.duration_s) == (0.5, 1.5)


@pytest.mark.parametrize("field", ["dataset", "subject", "domain"])
def test_sessions_of_one_name_are_apart_by_data_set_subject_and_domain(field):
    other = {field: {"domain": "virtual"}.get(field, "2")}
    joined = join_sessions([device("chest", "1"), device("chest", "1", value=2.0, **other)])
    assert [float(session.data[0, 0]) for session in joined] == [1.0, 2.0]


def test_a_session_that_lacks_a_device_has_holes_there_and_one_warning_names_all():
    devices = [
        device("chest", "a"),
        device("head", "a"),
        device("head", "b", value=2.0),
        device("chest", "c", value=3.0),
    ]
    with pytest.warns(DataWarning) as caught:
        whole, headed, chested = join_sessions(devices)
    assert whole.channels == headed.channels == chested.channels
    assert not np.isnan(whole.data).any()
    assert np.isnan(headed.data[:, :3]).all() and (headed.data[:, 3:] == 2.0).all()
    assert np.isnan(chested.data[:, 3:]).all() and (chested.data[:, :3] == 3.0).all()
    (message,) = [str(warning.message) for warning in caught]
    assert "2 sessions lack channels" in message
    assert "home/1/b without chest" in message and "home/1/c without head" in message


def test_a_device_without_gyroscope_lacks_a_vector_not_a_site():
    turns = [f"chest_gyr_{axis}" for axis in "xyz"]
    whole = device("chest", "a").replace(data=np.ones((100, 6)), channels=(*device("chest", "a").channels, *turns))
    with pytest.warns(DataWarning, match=r"home/1/b without chest gyr\."):
        join_sessions([whole, device("chest", "b")])


def test_sessions_that_lack_a_device_can_be_left_out(caplog):
    with caplog.at_level("INFO"):
        joined = join_sessions([device("chest", "a"), device("head", "a"), device("head", "b")], missing="drop")
    assert [session.session for session in joined] == ["a"]
    assert "home/1/b without chest" in caplog.text


def test_devices_at_other_sites_neither_join_nor_shorten():
    devices = [device("chest", "a"), device("head", "a"), device("waist", "a", 10), device("waist", "b")]
    (joined,) = join_sessions(devices, sites=["head", "chest"])
    assert joined.data.shape == (100, 6)
    assert {session.channels for session in join_sessions(devices, sites="waist")} == {devices[2].channels}


def test_rates_that_differ_need_one_rate():
    devices = [device("chest", "a", 100, rate_hz=50), device("head", "a", 200, rate_hz=100)]
    with pytest.raises(DataFormatError, match="different sampling rates"):
        join_sessions(devices)
    (joined,) = join_sessions(devices, 25)
    assert joined.sampling_rate_hz == 25
    np.testing.assert_allclose(joined.data, np.ones((50, 6)), atol=1e-5)


def test_short_holes_are_bridged_and_long_ones_stay():
    holed = np.ones((100, 3), dtype=np.float32)
    holed[20:23], holed[50:60] = np.nan, np.nan
    devices = [device("chest", "a").replace(data=holed), device("head", "a")]
    assert np.isnan(join_sessions(devices)[0].data[:, 0]).nonzero()[0].tolist() == list(range(50, 60))
    assert np.isnan(join_sessions(devices, max_gap_s=0.0)[0].data[:, 0]).sum() == 13


def test_a_session_without_common_time_is_left_out_with_a_warning_that_names_it():
    devices = [device("chest", "a"), device("head", "a", start_s=9.0), device("chest", "b"), device("head", "b")]
    with pytest.warns(DataWarning, match=r"share no time: home/1/a \(chest 0 to 2 s, head 9 to 11 s\)"):
        joined = join_sessions(devices)
    assert [session.session for session in joined] == ["b"]


def test_a_device_without_samples_shares_no_time():
    with pytest.warns(DataWarning, match="share no time: home/1/a"):
        joined = join_sessions(
            [device("chest", "a"), device("head", "a", 0), device("chest", "b"), device("head", "b")]
        )
    assert len(joined) == 1


def test_devices_that_begin_when_another_ends_share_one_sample():
    (joined,) = join_sessions([device("chest", "a", 51), device("head", "a", 51, start_s=1.0)])
    assert len(joined) == 1


def test_an_error_names_the_session():
    with pytest.raises(DataFormatError, match=r"Session home/1/a \(virtual\): Several of the recordings"):
        join_sessions([device("chest", "a", domain="virtual"), device("chest", "a", domain="virtual")])


def test_nothing_to_join_and_nothing_left_are_errors():
    with pytest.raises(DataFormatError, match="No recordings were given"):
        join_sessions([])
    with pytest.raises(DataFormatError, match=r"No session is left of 2: in 0 .* 2 lack"):
        join_sessions([device("chest", "a"), device("head", "b")], missing="drop")


def test_unknown_sites_and_ways_are_named():
    with pytest.raises(UnknownNameError, match=r"sites \['waist'\]; there are chest, head"):
        join_sessions([device("chest", "a"), device("head", "a")], sites=["head", "waist"])
    with pytest.raises(UnknownNameError, match="there are chest"):
        join_sessions([device("chest", "a")], sites=[])
    with pytest.raises(UnknownNameError, match="missing must be one of nan, drop"):
        join_sessions([device("chest", "a")], missing="fill")


def test_the_description_stays_and_windows_can_be_cut():
    devices = [
        device("chest", "a", labels="walk"),
        device("head", "a", labels="walk"),
        device("chest", "b", labels="run"),
    ]
    with pytest.warns(DataWarning, match="home/1/b without head"):
        joined = join_sessions(RecordingSet(devices, DESCR="At home."))
    assert joined.DESCR == "At home."
    assert segment_recordings(joined, 1.0).y.tolist() == ["walk"] * 3
    assert set(segment_recordings(joined, 1.0, channels=devices[0].channels).y) == {"walk", "run"}
