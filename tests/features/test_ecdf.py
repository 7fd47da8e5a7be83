"""ECDFFeatures: order statistics and means to the bit, of windows and of streams, and what it refuses."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from har_virtual.exceptions import DataFormatError
from har_virtual.features import ECDFFeatures
from har_virtual.recording import Recording, RecordingSet

WRIST = tuple(f"left_wrist_acc_{axis}" for axis in "xyz")


def noise(*shape, dtype=np.float64) -> np.ndarray:
    return np.random.default_rng(3).normal(size=shape).astype(dtype)


def expected_row(window: np.ndarray, n_components: int) -> list[float]:
    """One window, one channel and one component at a time; Python's round is half-to-even, too."""
    positions = [round(position) for position in np.linspace(0, len(window) - 1, n_components).tolist()]
    ordered = [sorted(window[:, channel].tolist()) for channel in range(window.shape[1])]
    return [samples[position] for position in positions for samples in ordered] + window.mean(axis=0).tolist()


def stream(n_samples, channels=WRIST) -> Recording:
    return Recording(noise(n_samples, len(channels)), sampling_rate_hz=30, channels=channels)


def test_a_ramp_gives_evenly_spaced_points_and_its_middle():
    ramp = np.arange(29.0)[None, :, None]
    assert ECDFFeatures().fit_transform(ramp).tolist() == [[*range(0, 29, 2), 14.0]]


def test_halves_are_rounded_to_the_even_sample():
    for n_samples, kept in ((2, [0, 0, 1]), (4, [0, 2, 3]), (6, [0, 2, 5])):
        ramp = np.arange(float(n_samples))[None, :, None]
        assert ECDFFeatures(n_components=3).fit_transform(ramp)[0, :3].tolist() == kept


def test_thirty_samples_keep_the_positions_that_linspace_of_numpy_gives():
    # The exact position of the eighth is 14.5, linspace gives 14.500000000000002.
    kept = ECDFFeatures().fit_transform(np.arange(30.0)[None, :, None])[0, :15]
    assert kept.tolist() == [0, 2, 4, 6, 8, 10, 12, 15, 17, 19, 21, 23, 25, 27, 29]


def test_components_of_all_channels_come_before_the_next_component_and_means_last():
    windows = np.array([[[3.0, 0.0], [1.0, 0.0], [2.0, 6.0]]])
    assert ECDFFeatures(n_components=3).fit_transform(windows).tolist() == [[1, 0, 2, 0, 3, 6, 2, 2]]


@pytest.mark.parametrize(("n_channels", "n_features"), [(21, 336), (3, 48)])
def test_fifteen_components_give_the_lengths_of_the_paper(n_channels, n_features):
    ecdf = ECDFFeatures().fit(noise(2, 30, n_channels))
    assert ecdf.transform(noise(2, 30, n_channels)).shape == (2, n_features)
    assert len(ecdf.get_feature_names_out()) == n_features


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(700, 30, 21), (3, 61, 2), (9, 24, 1), (4, 1, 5), (1, 30, 3), (2, 7, 113)])
def test_every_row_is_that_of_a_plain_loop_to_the_bit(shape, dtype):
    windows = 9.81 * noise(*shape, dtype=dtype)
    rows = ECDFFeatures(n_components=15).fit_transform(windows)
    assert rows.dtype == dtype
    np.testing.assert_array_equal(rows, np.array([expected_row(window, 15) for window in windows], dtype=dtype))


def test_memory_layout_of_the_windows_does_not_matter():
    windows = noise(20, 30, 6)
    ecdf = ECDFFeatures().fit(windows)
    for same in (np.asfortranarray(windows), windows.transpose(0, 2, 1).copy().transpose(0, 2, 1), windows.tolist()):
        np.testing.assert_array_equal(ecdf.transform(same), ecdf.transform(windows))


def test_the_order_of_the_samples_does_not_matter_but_for_the_rounding_of_the_mean():
    windows = noise(5, 30, 3)
    shuffled = windows[:, np.random.default_rng(0).permutation(30)]
    rows, shuffled_rows = ECDFFeatures().fit(windows).transform(windows), ECDFFeatures().fit_transform(shuffled)
    np.testing.assert_array_equal(rows[:, :-3], shuffled_rows[:, :-3])
    np.testing.assert_allclose(rows[:, -3:], shuffled_rows[:, -3:], rtol=0, atol=1e-14)


def test_a_constant_window_is_that_constant():
    assert np.all(ECDFFeatures().fit_transform(np.full((2, 30, 3), 9.5)) == 9.5)


def test_a_window_of_one_sample_repeats_it():
    assert ECDFFeatures(n_components=4).fit_transform([[[2.0, 5.0]]]).tolist() == [[2, 5] * 5]


def test_one_component_is_the_least_sample():
    assert ECDFFeatures(n_components=1).fit_transform([[3.0, 1.0, 2.0]]).tolist() == [[1, 2]]


def test_more_components_than_samples_repeat_samples():
    assert ECDFFeatures(n_components=5).fit_transform([[4.0, 0.0]]).tolist() == [[0, 0, 0, 4, 4, 2]]


def test_two_dimensions_are_windows_of_one_channel():
    windows = noise(4, 30)
    np.testing.assert_array_equal(
        ECDFFeatures().fit_transform(windows), ECDFFeatures().fit_transform(windows[:, :, None])
    )


def test_the_input_is_left_as_it_was():
    windows = noise(10, 30, 3)
    before = windows.copy()
    windows.flags.writeable = False
    ECDFFeatures().fit_transform(windows)
    np.testing.assert_array_equal(windows, before)


def test_temporary_memory_is_small_beside_the_windows():
    windows = noise(8_000, 30, 21, dtype=np.float32)
    ecdf = ECDFFeatures().fit(windows)
    tracemalloc.start()
    try:
        rows = ecdf.transform(windows)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak - rows.nbytes < windows.nbytes / 4


def test_streams_of_any_length_give_a_row_each():
    recordings = [stream(40), stream(1), stream(333)]
    ecdf = ECDFFeatures().fit(recordings)
    rows = ecdf.transform(recordings)
    expected = np.array([expected_row(recording.data, 15) for recording in recordings], dtype=np.float32)
    assert rows.dtype == np.float32
    np.testing.assert_array_equal(rows, expected)
    np.testing.assert_array_equal(ecdf.transform(RecordingSet(recordings)), expected)
    np.testing.assert_array_equal(ecdf.transform([recording.data for recording in recordings]), expected)


def test_streams_set_the_number_of_channels_only():
    ecdf = ECDFFeatures().fit(noise(4, 30, 2)).fit([noise(5, 3), noise(9, 3)])
    assert ecdf.n_channels_in_ == 3
    assert not hasattr(ecdf, "n_features_in_")


def test_a_stream_without_samples_gives_a_row_of_nan():
    rows = ECDFFeatures().fit_transform([np.empty((0, 3)), noise(8, 3)])
    assert np.isnan(rows[0]).all() and np.isfinite(rows[1]).all()
    assert np.isnan(ECDFFeatures().fit_transform([np.empty((0, 3))])).all()


def test_fitted_on_windows_it_takes_streams_and_the_other_way_round():
    windows = noise(4, 30, 3)
    on_windows, on_streams = ECDFFeatures().fit(windows), ECDFFeatures().fit([noise(5, 3)])
    rows = on_windows.transform(windows)
    np.testing.assert_array_equal(on_windows.transform(list(windows)), rows)
    np.testing.assert_array_equal(on_streams.transform(windows), rows)
    assert on_windows.transform([noise(77, 3)]).shape == (1, 48)
    assert on_streams.transform(noise(4, 77, 3)).shape == (4, 48)


def test_without_fit_it_describes_what_comes_and_learns_nothing():
    windows = noise(4, 30, 3)
    ecdf = ECDFFeatures()
    np.testing.assert_array_equal(ecdf.transform(windows), ECDFFeatures().fit_transform(windows))
    assert not hasattr(ecdf, "n_channels_in_")
    with pytest.raises(NotFittedError):
        ecdf.get_feature_names_out()


def test_names_follow_the_columns():
    ecdf = ECDFFeatures(n_components=2).fit(noise(4, 30, 2))
    assert ecdf.get_feature_names_out().tolist() == [
        "channel0_ecdf_0", "channel1_ecdf_0", "channel0_ecdf_1", "channel1_ecdf_1", "channel0_mean", "channel1_mean",
    ]  # fmt: skip


def test_names_come_from_the_constructor_or_the_recordings():
    given = ECDFFeatures(n_components=1, channels=WRIST).fit(noise(4, 30, 3))
    recorded = ECDFFeatures(n_components=1).fit([stream(9)])
    assert given.channels_in_ == recorded.channels_in_ == WRIST
    assert given.get_feature_names_out().tolist() == recorded.get_feature_names_out().tolist()
    assert given.get_feature_names_out()[[0, -1]].tolist() == ["left_wrist_acc_x_ecdf_0", "left_wrist_acc_z_mean"]


def test_pandas_output_has_names_for_windows_and_streams():
    ecdf = ECDFFeatures(n_components=1, channels=WRIST).set_output(transform="pandas")
    windows = noise(4, 30, 3)
    frame = ecdf.fit_transform(windows)
    assert isinstance(frame, pd.DataFrame)
    assert frame.columns.tolist() == ecdf.get_feature_names_out().tolist()
    np.testing.assert_array_equal(frame, ECDFFeatures(n_components=1).fit_transform(windows))
    assert ecdf.transform([stream(5), stream(6)]).columns.tolist() == frame.columns.tolist()


def test_names_pass_through_a_pipeline():
    model = make_pipeline(ECDFFeatures(n_components=1, channels=WRIST), StandardScaler()).fit(noise(4, 30, 3))
    assert model.get_feature_names_out()[0] == "left_wrist_acc_x_ecdf_0"


@pytest.mark.parametrize("channels", [WRIST[:2], ("a", "a", "b")])
def test_names_that_do_not_fit_the_channels_are_refused(channels):
    with pytest.raises(DataFormatError, match="must name each of the 3 channels once"):
        ECDFFeatures(channels=channels).fit(noise(4, 30, 3))


def test_recordings_with_channels_in_another_order_are_refused():
    turned = stream(9, WRIST[::-1])
    with pytest.raises(DataFormatError, match=r"bring them into that order with Recording\.select"):
        ECDFFeatures(channels=WRIST).fit([turned])
    with pytest.raises(DataFormatError, match="ECDFFeatures expects"):
        ECDFFeatures().fit([stream(9)]).transform([turned])


def test_nan_in_a_window_or_a_stream_is_refused():
    windows = noise(4, 30, 3)
    windows[1, 2, 0] = np.nan
    with pytest.raises(DataFormatError, match="NaN or infinite values in 1 of 4 windows, first in window 1, channel 0"):
        ECDFFeatures().fit(windows)
    with pytest.raises(DataFormatError, match="Stream 1 has NaN"):
        ECDFFeatures().fit(noise(4, 30, 3)).transform(list(windows))


def test_other_channels_or_another_length_than_in_fit_are_refused():
    ecdf = ECDFFeatures().fit(noise(4, 30, 3))
    with pytest.raises(DataFormatError, match="X has 2 channels, but ECDFFeatures expects 3"):
        ecdf.transform(noise(4, 30, 2))
    with pytest.raises(DataFormatError, match="Stream 0 has 2 channels"):
        ecdf.transform([noise(30, 2)])
    with pytest.raises(DataFormatError, match="windows of 29 samples"):
        ecdf.transform(noise(4, 29, 3))


def test_windows_without_channels_are_refused():
    with pytest.raises(DataFormatError, match="X has 0 channels, but ECDFFeatures needs one at least"):
        ECDFFeatures().fit_transform(noise(4, 30, 0))


@pytest.mark.parametrize("wrong", [{"n_components": 0}, {"n_components": 2.5}, {"channels": "left_wrist"}])
def test_wrong_parameters_are_refused_in_fit(wrong):
    with pytest.raises(ValueError, match=f"The {next(iter(wrong))!r} parameter of ECDFFeatures"):
        ECDFFeatures(**wrong).fit(noise(4, 30, 3))
