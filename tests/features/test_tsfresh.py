"""TsfreshFeatures: the numbers and names of tsfresh itself, row by row, and silence."""

from __future__ import annotations

import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from tsfresh import extract_features
from tsfresh.feature_extraction import MinimalFCParameters
from tsfresh.feature_extraction.feature_calculators import set_property

from har_virtual.exceptions import DataFormatError, MissingDependencyError, UnknownNameError
from har_virtual.features import TsfreshFeatures
from har_virtual.features.tsfresh import QUICK_PARAMETERS
from har_virtual.recording import Recording

SIMPLE = {"mean": None, "quantile": [{"q": 0.5}]}


def noise(*shape, dtype=np.float64) -> np.ndarray:
    return np.random.default_rng(5).normal(size=shape).astype(dtype)


def tsfresh_table(windows: np.ndarray, settings) -> pd.DataFrame:
    n_windows, n_samples, n_channels = windows.shape
    table = pd.DataFrame(windows.reshape(-1, n_channels), columns=[f"channel{number}" for number in range(n_channels)])
    table["id"] = np.repeat(np.arange(n_windows), n_samples)
    return extract_features(
        table, column_id="id", default_fc_parameters=settings, n_jobs=0, disable_progressbar=True
    )  # fmt: skip


@pytest.mark.parametrize(
    ("parameters", "settings"),
    [("quick", QUICK_PARAMETERS), ("minimal", MinimalFCParameters()), (SIMPLE, SIMPLE)],
    ids=["quick", "minimal", "mapping"],
)
def test_names_order_and_values_are_those_of_extract_features(parameters, settings):
    windows = noise(6, 30, 2)
    expected = tsfresh_table(windows, settings)
    features = TsfreshFeatures(parameters=parameters).fit(windows)
    assert features.get_feature_names_out().tolist() == expected.columns.tolist()
    np.testing.assert_array_equal(features.transform(windows), expected)


def test_the_efficient_set_of_tsfresh_can_be_asked_for():
    windows = noise(1, 30, 1)
    features = TsfreshFeatures(parameters="efficient").fit(windows)
    names = features.get_feature_names_out()
    row = features.transform(windows)[0]
    assert row.shape == names.shape and len(set(names)) == len(names) > 700
    assert np.isfinite(row).all()
    assert row[names.tolist().index("channel0__maximum")] == windows.max()


def test_a_sine_wave_is_described_as_one():
    wave = np.sin(2 * np.pi * (np.arange(40) + 0.5) / 20)[None]
    features = TsfreshFeatures().fit(wave)
    row = dict(zip(features.get_feature_names_out(), features.transform(wave)[0], strict=True))
    assert row["channel0__root_mean_square"] == pytest.approx(np.sqrt(0.5))
    assert row['channel0__fft_coefficient__attr_"abs"__coeff_2'] == pytest.approx(20)
    assert row['channel0__fft_coefficient__attr_"abs"__coeff_1'] == pytest.approx(0, abs=1e-12)
    assert row["channel0__number_crossing_m__m_0"] == 3
    assert row["channel0__skewness"] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("parameters", ["quick", "minimal"])
def test_a_row_depends_on_its_window_alone(parameters):
    windows = noise(70, 30, 3)
    windows[2] = 1.0
    features = TsfreshFeatures(parameters=parameters).fit(windows)
    rows = features.transform(windows)
    np.testing.assert_array_equal(features.transform(windows[[66, 2]]), rows[[66, 2]])
    np.testing.assert_array_equal(TsfreshFeatures(parameters=parameters).fit_transform(windows[2:3]), rows[2:3])


def test_what_has_no_finite_value_is_zero():
    constant = np.full((1, 30, 1), 9.81)
    features = TsfreshFeatures().fit(constant)
    row = dict(zip(features.get_feature_names_out(), features.transform(constant)[0], strict=True))
    assert np.isnan(tsfresh_table(constant, {"partial_autocorrelation": [{"lag": 1}]})).all(axis=None)
    assert row["channel0__partial_autocorrelation__lag_1"] == 0
    assert row["channel0__mean"] == pytest.approx(9.81)


@pytest.mark.parametrize("n_samples", [1, 2, 3, 5])
def test_short_windows_are_described_without_a_warning(n_samples):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rows = TsfreshFeatures().fit_transform(noise(2, n_samples, 2))
    assert rows.shape == (2, 56) and np.isfinite(rows).all()


def test_nothing_is_printed(capfd):
    TsfreshFeatures().fit_transform(noise(3, 30, 2))
    assert capfd.readouterr() == ("", "")


def test_float32_is_calculated_in_float64_and_given_back_as_float32():
    windows = noise(3, 30, 2, dtype=np.float32)
    rows = TsfreshFeatures().fit_transform(windows)
    assert rows.dtype == np.float32
    np.testing.assert_array_equal(rows, TsfreshFeatures().fit_transform(windows.astype(float)).astype(np.float32))


@pytest.mark.slow
def test_processes_share_the_windows_and_change_nothing():
    windows = noise(5, 30, 2)
    streams = [noise(length, 2) for length in (7, 30, 9)]
    one, two = TsfreshFeatures(parameters=SIMPLE), TsfreshFeatures(parameters=SIMPLE, n_jobs=2)
    np.testing.assert_array_equal(two.fit_transform(windows), one.fit_transform(windows))
    np.testing.assert_array_equal(two.transform(streams), one.transform(streams))


def test_streams_give_a_row_each_and_an_empty_one_nan():
    wrist = [f"left_wrist_acc_{axis}" for axis in "xyz"]
    recordings = [Recording(noise(length, 3), sampling_rate_hz=30, channels=wrist) for length in (50, 0, 9)]
    features = TsfreshFeatures(parameters=SIMPLE).fit(recordings)
    rows = features.transform(recordings)
    assert features.get_feature_names_out()[:2].tolist() == [
        "left_wrist_acc_x__mean",
        "left_wrist_acc_x__quantile__q_0.5",
    ]
    assert np.isnan(rows[1]).all()
    np.testing.assert_allclose(rows[2, ::2], recordings[2].data.mean(axis=0), rtol=1e-5)


def test_pandas_output_has_the_names():
    features = TsfreshFeatures(parameters=SIMPLE, channels=["a", "b"]).set_output(transform="pandas")
    frame = features.fit_transform(noise(3, 30, 2))
    assert frame.columns.tolist() == ["a__mean", "a__quantile__q_0.5", "b__mean", "b__quantile__q_0.5"]


def test_a_function_can_be_a_calculator():
    def span(x):
        return np.ptp(x)

    features = TsfreshFeatures(parameters={span: None}).fit([[1.0, 4.0]])
    assert features.transform([[1.0, 4.0]]).tolist() == [[3.0]]
    assert features.get_feature_names_out().tolist() == ["channel0__span"]


def test_a_calculator_whose_number_of_values_changes_is_refused():
    @set_property("fctype", "combiner")
    def each_sample(x, param):
        return list(enumerate(x))

    features = TsfreshFeatures(parameters={each_sample: None}).fit([[1.0, 4.0]])
    with pytest.raises(DataFormatError, match="each_sample gives 2 numbers for a window of 2 samples, but 100"):
        features.transform([[1.0, 4.0]])


def test_unknown_and_impossible_calculators_are_refused_in_fit():
    windows = noise(2, 30, 1)
    with pytest.raises(UnknownNameError, match=r"no calculator 'men'; it has .*mean"):
        TsfreshFeatures(parameters={"men": None}).fit(windows)
    with pytest.raises(DataFormatError, match=r"'linear_trend_timewise'.* need timestamps"):
        TsfreshFeatures(parameters={"linear_trend_timewise": [{"attr": "slope"}]}).fit(windows)
    with pytest.raises(DataFormatError, match="one calculator of tsfresh at least"):
        TsfreshFeatures(parameters={}).fit(windows)
    with pytest.raises(ValueError, match="The 'parameters' parameter of TsfreshFeatures"):
        TsfreshFeatures(parameters="fast").fit(windows)


def test_nan_and_other_channels_or_lengths_than_in_fit_are_refused():
    windows = noise(2, 30, 2)
    features = TsfreshFeatures(parameters=SIMPLE).fit(windows)
    with pytest.raises(DataFormatError, match="X has 1 channels, but TsfreshFeatures expects 2"):
        features.transform(windows[:, :, :1])
    with pytest.raises(DataFormatError, match="windows of 20 samples"):
        features.transform(windows[:, :20])
    windows[0, 0, 0] = np.nan
    with pytest.raises(DataFormatError, match="NaN or infinite values in 1 of 2 windows, first in window 0, channel 0"):
        features.transform(windows)


def test_windows_without_channels_are_refused():
    with pytest.raises(DataFormatError, match="X has 0 channels, but TsfreshFeatures needs one at least"):
        TsfreshFeatures().fit_transform(noise(4, 30, 0))


def test_without_tsfresh_fit_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "tsfresh.feature_extraction", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'har_virtual\[features\]'"):
        TsfreshFeatures().fit(noise(2, 30, 1))
