"""What every estimator asks of its input."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator

from har_virtual.exceptions import DataFormatError
from har_virtual.recording import Recording, RecordingSet
from har_virtual.windows import segment_recordings
from har_virtual.windows.validation import (
    as_given,
    check_sample_domain,
    check_streams,
    check_windows,
    find_triads,
    is_ragged,
)

WRIST = tuple(f"left_wrist_acc_{axis}" for axis in "xyz")


class Anything(BaseEstimator):
    """Learns nothing but what the checks set."""


def recording(n_samples, channels=WRIST):
    return Recording(np.ones((n_samples, len(channels))), 50, channels)


def test_windows_keep_float32_and_all_else_becomes_float64():
    for dtype, expected in (("float32", "float32"), ("float64", "float64"), ("int16", "float64")):
        windows, y = check_windows(Anything(), np.ones((4, 5, 3), dtype=dtype), reset=True)
        assert windows.dtype == expected and y is None


def test_two_dimensions_are_windows_of_one_channel_and_can_be_given_back():
    estimator = Anything()
    windows, _ = check_windows(estimator, np.ones((4, 5)), reset=True)
    assert windows.shape == (4, 5, 1)
    assert (estimator.n_features_in_, estimator.n_channels_in_) == (5, 1)
    assert as_given(windows, np.ones((4, 5))).shape == (4, 5)
    assert as_given(windows, np.ones((4, 5, 1))).shape == (4, 5, 1)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.ones((2, 4, 3)), "windows of 4 samples, but Anything was fitted with windows of 5: cut both"),
        (np.ones((2, 5, 2)), "X has 2 channels, but Anything expects 3"),
        (np.ones((2, 5, 3, 1)), "not an array of 4 dimensions"),
        (np.ones((5, 3)), r"it needs \(n_windows, n_samples, 3\); a single window is X\[:1\]"),
    ],
)
def test_windows_that_are_not_those_of_fit_are_refused(X, message):
    estimator = Anything()
    check_windows(estimator, np.ones((4, 5, 3)), reset=True)
    with pytest.raises(DataFormatError, match=message):
        check_windows(estimator, X, reset=False)


@pytest.mark.parametrize("X", [recording(9), [recording(9), recording(9)], RecordingSet([recording(9)])])
def test_streams_where_windows_are_needed_are_refused(X):
    with pytest.raises(DataFormatError, match=r"cut them with segment_recordings and pass windows\.X"):
        check_windows(Anything(), X, reset=True)


def test_a_window_set_is_not_its_array():
    windows = segment_recordings([recording(100)], 1.0)
    with pytest.raises(DataFormatError, match=r"pass windows\.X"):
        check_windows(Anything(), windows, reset=True)
    assert not is_ragged(windows)


def test_windows_without_channels_are_refused():
    with pytest.raises(DataFormatError, match="X has 0 channels"):
        check_windows(Anything(), np.ones((4, 5, 0)), reset=True)
    with pytest.raises(DataFormatError, match="Stream 0 has 0 channels"):
        check_streams(Anything(), [np.ones((4, 0))], reset=True)


def test_a_nan_in_a_window_and_labels_of_another_number_are_refused():
    X = np.ones((4, 5, 3))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        check_windows(Anything(), X, np.ones(3), reset=True)
    X[1, 2, 0] = np.nan
    with pytest.raises(DataFormatError, match="NaN or infinite values in 1 of 4 windows, first in window 1, channel 0"):
        check_windows(Anything(), X, reset=True)


def test_a_list_of_recordings_or_matrices_is_ragged_and_nothing_else():
    assert is_ragged([recording(3)]) and is_ragged([np.ones((3, 2)), np.ones((5, 2))])
    assert not any(map(is_ragged, ([], [[1.0, 2.0]], np.ones((2, 3, 4)), [np.ones(3)])))


def test_streams_may_have_any_length_and_be_empty():
    estimator = Anything()
    streams = check_streams(estimator, [recording(3), recording(0), np.ones((7, 3), dtype=int)], reset=True)
    assert [stream.shape for stream in streams] == [(3, 3), (0, 3), (7, 3)]
    assert estimator.n_channels_in_ == 3 and estimator.channels_in_ == WRIST
    assert not hasattr(estimator, "n_features_in_")


def test_a_fit_on_streams_forgets_the_length_of_windows_and_a_fit_on_windows_the_names():
    estimator = Anything()
    check_windows(estimator, np.ones((4, 5, 3)), reset=True)
    check_streams(estimator, [recording(9)], reset=True)
    assert not hasattr(estimator, "n_features_in_")
    check_windows(estimator, np.ones((4, 6, 3)), reset=True)
    assert estimator.channels_in_ is None and estimator.n_features_in_ == 6


@pytest.mark.parametrize(
    ("streams", "message"),
    [
        ([np.ones((4, 3)), "walk.mp4"], "item 1 of the list is a str"),
        ([np.ones((4, 3)), np.full((4, 3), np.nan)], "Stream 1 has NaN or infinite values"),
        ([np.ones((4, 3)), np.ones((4, 2))], "Stream 1 has 2 channels, but Anything expects 3"),
        ([recording(4), recording(4, WRIST[::-1])], "different channels, or in another order"),
    ],
)
def test_streams_that_do_not_fit_together_are_refused(streams, message):
    with pytest.raises(DataFormatError, match=message):
        check_streams(Anything(), streams, reset=True)


def test_recordings_with_other_channels_than_in_fit_are_refused():
    estimator = Anything()
    check_streams(estimator, [recording(4)], reset=True)
    with pytest.raises(DataFormatError, match="but Anything expects"):
        check_streams(estimator, [recording(4, WRIST[::-1])], reset=False)


def test_a_missing_domain_means_all_real():
    assert check_sample_domain(None, 3).tolist() == [False] * 3
    assert check_sample_domain([0, 1, 1], 3).tolist() == [False, True, True]


@pytest.mark.parametrize("domain", [[0, 1], [0, 1, 2], ["real", "virtual", "real"], [[0], [1], [0]], [0, 1, np.nan]])
def test_a_domain_is_a_zero_or_a_one_for_each_row(domain):
    with pytest.raises(DataFormatError, match="sample_domain must hold a 0"):
        check_sample_domain(domain, 3)


def test_triads_are_found_by_name_in_any_order():
    names = ["a_b_acc_z", "c_gyr_x", "a_b_acc_x", "heart_rate", "c_gyr_y", "a_b_acc_y", "c_gyr_z", "speed_x"]
    assert find_triads(names, 8) == [("c", "gyr", (1, 4, 6)), ("a_b", "acc", (2, 5, 0))]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (
            ["rigth_wrist_acc_x", "right_wrist_acc_y", "right_wrist_acc_z"],
            "but not rigth_wrist_acc_y, rigth_wrist_acc_z",
        ),
        (["accX", "accY", "accZ"], "No channel is named <site>_"),
        (["LEFT_WRIST_ACC_X", "LEFT_WRIST_ACC_Y", "LEFT_WRIST_ACC_Z"], "No channel is named <site>_"),
    ],
)
def test_a_vector_without_an_axis_and_names_without_a_vector_are_refused(names, message):
    with pytest.raises(DataFormatError, match=message):
        find_triads(names, 3)


def test_without_names_three_by_three_channels_are_accelerometers():
    assert find_triads(None, 6) == [("site 0", "acc", (0, 1, 2)), ("site 1", "acc", (3, 4, 5))]
    assert find_triads(None, 4) == []


@pytest.mark.parametrize("names", [WRIST[:2], (*WRIST, WRIST[0])])
def test_each_channel_is_named_once(names):
    with pytest.raises(DataFormatError, match="channels must name each of the"):
        find_triads(names, 3 if len(names) == 2 else 4)
