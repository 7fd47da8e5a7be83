from __future__ import annotations

import numpy as np
import pytest

from har_virtual.exceptions import DataFormatError
from har_virtual.signal import lowpass, quintic_spline, regularize_timestamps, resample, typical_rate


def sine(frequency_hz: float, times_s: np.ndarray) -> np.ndarray:
    return np.sin(2 * np.pi * frequency_hz * times_s)


@pytest.mark.parametrize("rate_hz", [24.0, 29.97, 30.0, 59.94, 60.0, 120.0, 400.0])
def test_stamps_rounded_to_milliseconds_fall_back_on_their_line(rate_hz):
    exact = 5.0 + np.arange(600) / rate_hz
    fit = regularize_timestamps(np.round(exact, 3), tick_s=1e-3)
    assert fit.regular
    assert fit.rate_hz == pytest.approx(rate_hz, rel=1e-5)
    assert np.abs(fit.timestamps_s - exact).max() < 1e-4
    assert fit.max_deviation_s <= 0.6e-3


def test_dropped_frames_leave_their_gaps_in_the_line():
    exact = np.arange(900) / 30
    kept = np.delete(exact, [10, 11, 12, 400, 700, *range(500, 560)])
    fit = regularize_timestamps(np.round(kept, 3), tick_s=1e-3)
    assert fit.regular
    assert fit.rate_hz == pytest.approx(30, rel=1e-5)
    assert np.abs(fit.timestamps_s - kept).max() < 1e-4


def test_a_long_gap_is_counted_in_the_right_number_of_frames():
    exact = np.arange(9000) / 30
    kept = np.delete(exact, np.arange(2000, 7000))
    fit = regularize_timestamps(np.round(kept, 3), tick_s=1e-3)
    assert fit.regular
    assert np.abs(fit.timestamps_s - kept).max() < 1e-4


def test_a_line_is_found_where_most_frames_are_dropped():
    kept = np.cumsum(np.tile([1, 2, 2], 100)) / 30
    fit = regularize_timestamps(np.round(kept, 3), tick_s=1e-3)
    assert fit.regular
    assert fit.rate_hz == pytest.approx(30, rel=1e-4)


@pytest.mark.parametrize("ticks_per_frame", [1, 2, 3])
@pytest.mark.parametrize("rate_hz", [24.0, 29.97, 30.0])
@pytest.mark.parametrize("dropped", [[1], [150], [297], [10, 11, 12, 200, *range(220, 260)]], ids=len)
def test_a_tick_as_long_as_a_frame_does_not_hide_dropped_frames(ticks_per_frame, rate_hz, dropped):
    kept = np.delete(np.arange(300), dropped) / rate_hz
    fit = regularize_timestamps(7.0 + kept, tick_s=1 / rate_hz / ticks_per_frame)
    assert fit.regular
    assert fit.rate_hz == pytest.approx(rate_hz)
    np.testing.assert_allclose(fit.timestamps_s, 7.0 + kept, rtol=0, atol=1e-9)


@pytest.mark.parametrize("time_base", [1 / 16000, 1 / 15360, 1 / 90000, 1e-6])
@pytest.mark.parametrize("rate_hz", [24.0, 29.97, 30.0, 60.0])
def test_milliseconds_kept_at_a_finer_time_base_fall_back_on_their_line(time_base, rate_hz):
    exact = np.delete(np.arange(600), [50, 51, 300]) / rate_hz
    stamps = np.round(np.round(exact, 3) / time_base) * time_base
    fit = regularize_timestamps(stamps, tick_s=time_base)
    assert fit.regular
    assert fit.tick_s == pytest.approx(1e-3, rel=0.03)
    assert fit.rate_hz == pytest.approx(rate_hz, rel=1e-5)
    assert np.abs(fit.timestamps_s - exact).max() < 2e-4


def test_any_rounding_up_to_two_milliseconds_that_a_finer_time_base_kept_is_found():
    exact = np.arange(900) / 29.97
    fit = regularize_timestamps(np.round(exact * 600) / 600, tick_s=1 / 19200)
    assert fit.regular
    assert fit.tick_s == pytest.approx(1 / 600)
    assert fit.rate_hz == pytest.approx(29.97, rel=1e-5)


def test_the_finest_tick_that_fits_is_the_one_reported():
    assert regularize_timestamps(np.arange(300) / 50, tick_s=1 / 90000).tick_s == 1 / 90000
    assert regularize_timestamps(np.arange(300) / 25, tick_s=1e-3).tick_s == 1e-3


@pytest.mark.parametrize("rounding_s", [1e-3, 5e-3])
@pytest.mark.parametrize("tick_s", [1e-3, 1 / 16000, 1e-6])
def test_a_jitter_of_five_milliseconds_is_no_rounding(rounding_s, tick_s):
    stamps = np.arange(300) / 30 + np.random.default_rng(0).uniform(-0.005, 0.005, 300)
    stamps = np.round(stamps / rounding_s) * rounding_s
    fit = regularize_timestamps(stamps, tick_s=tick_s)
    assert not fit.regular
    assert fit.tick_s == tick_s
    np.testing.assert_array_equal(fit.timestamps_s, stamps)


def test_a_jitter_below_a_millisecond_that_the_container_resolves_is_kept():
    stamps = np.arange(300) / 30 + np.random.default_rng(0).uniform(-0.0005, 0.0005, 300)
    assert not regularize_timestamps(np.round(stamps * 90000) / 90000, tick_s=1 / 90000).regular


def test_holes_and_dropped_frames_do_not_lower_the_typical_rate():
    stamps = np.delete(np.arange(900), [10, 20, 21, *range(300, 600)]) / 30
    assert typical_rate(stamps) == pytest.approx(30)
    assert typical_rate(np.round(stamps, 3)) == pytest.approx(30, rel=1e-4)
    assert np.isnan(typical_rate([1.0]))


def test_exact_stamps_of_a_container_stay_where_they_are():
    stamps = np.arange(300) * 3003 / 90000
    fit = regularize_timestamps(stamps, tick_s=1 / 90000)
    assert fit.regular
    np.testing.assert_allclose(fit.timestamps_s, stamps, rtol=0, atol=1e-12)


def test_a_truly_variable_rate_is_kept_as_it_is():
    stamps = np.cumsum(np.random.default_rng(0).uniform(0.02, 0.05, 300))
    fit = regularize_timestamps(stamps, tick_s=1e-3)
    assert not fit.regular
    np.testing.assert_array_equal(fit.timestamps_s, stamps)
    assert fit.rate_hz == pytest.approx(299 / (stamps[-1] - stamps[0]))
    assert fit.max_deviation_s > 1e-3


def test_a_tick_must_be_positive():
    with pytest.raises(ValueError, match="tick_s"):
        regularize_timestamps([0.0, 0.1], tick_s=0.0)


def test_stamps_are_not_explained_by_a_lattice_as_fine_as_their_ticks():
    stamps = np.cumsum(np.random.default_rng(0).integers(1, 4, 300)) * 1e-3
    assert not regularize_timestamps(stamps, tick_s=1e-3).regular


def test_a_slow_change_of_rate_is_no_line():
    stamps = np.cumsum(np.linspace(0.0333, 0.0336, 600))
    assert not regularize_timestamps(stamps, tick_s=1e-3).regular


@pytest.mark.parametrize(
    ("stamps", "message"),
    [
        ([0.0, 0.1, 0.1, 0.2], "strictly"),
        ([0.0, 0.2, 0.1], "strictly"),
        ([0.0, np.nan, 0.2], "NaN"),
        ([0.0], "at least"),
    ],
)
def test_stamps_that_do_not_increase_are_refused(stamps, message):
    with pytest.raises(DataFormatError, match=message):
        regularize_timestamps(stamps, tick_s=1e-3)


@pytest.mark.parametrize("cutoff_hz", [2.0, 10.0, 40.0])
def test_two_passes_together_are_three_decibels_down_at_the_cutoff(cutoff_hz):
    times = np.arange(4000) / 100
    middle = slice(1000, 3000)
    filtered = lowpass(sine(cutoff_hz, times), 100.0, cutoff_hz)
    gain = np.dot(filtered[middle], sine(cutoff_hz, times)[middle]) / np.sum(sine(cutoff_hz, times)[middle] ** 2)
    assert gain == pytest.approx(2**-0.5, abs=1e-3)


def test_lowpass_keeps_slow_motion_in_phase_and_stops_fast_motion():
    times = np.arange(2000) / 100
    middle = slice(300, 1700)
    np.testing.assert_allclose(lowpass(sine(1, times), 100.0, 5.0)[middle], sine(1, times)[middle], atol=1e-4)
    assert np.abs(lowpass(sine(20, times), 100.0, 5.0)[middle]).max() < 1e-4


def test_lowpass_keeps_a_steady_walk_up_to_its_ends():
    walk = 1.3 * np.arange(200) / 50
    np.testing.assert_allclose(lowpass(walk, 50.0, 5.0), walk, atol=1e-6)


def test_lowpass_filters_along_the_given_axis():
    x = np.random.default_rng(1).standard_normal((3, 80, 2))
    filtered = lowpass(x, 50.0, 10.0, axis=1)
    np.testing.assert_allclose(filtered[2, :, 1], lowpass(x[2, :, 1], 50.0, 10.0))


@pytest.mark.parametrize("n_samples", [1, 2, 3, 5])
def test_lowpass_takes_short_input(n_samples):
    np.testing.assert_allclose(lowpass(np.full(n_samples, 2.5), 50.0, 5.0), 2.5)


@pytest.mark.parametrize("cutoff_hz", [0.0, 25.0, 30.0])
def test_a_cutoff_beyond_half_the_rate_is_refused(cutoff_hz):
    with pytest.raises(ValueError, match="half the sampling rate"):
        lowpass(np.zeros(100), 50.0, cutoff_hz)


def test_lowpass_refuses_nan():
    with pytest.raises(DataFormatError, match="finite"):
        lowpass(np.array([0.0, np.nan, 1.0]), 50.0, 5.0)


def test_going_down_folds_nothing_back():
    times = np.arange(3000) / 100
    new_times, values = resample(sine(26, times), times, 30.0)
    assert np.abs(values[30:-30]).max() < 1e-3
    _, unfiltered = resample(sine(26, times), times, 30.0, cutoff_hz=None)
    assert np.abs(unfiltered[30:-30]).max() > 0.9
    assert np.diff(new_times) == pytest.approx(1 / 30)


@pytest.mark.parametrize("rate_hz", [20.0, 30.0, 100.0, 200.0])
def test_slow_motion_comes_through_in_place_at_any_rate(rate_hz):
    times = np.arange(1000) / 50
    new_times, values = resample(sine(2, times), times, rate_hz)
    inner = (new_times > 1) & (new_times < 19)
    np.testing.assert_allclose(values[inner], sine(2, new_times)[inner], atol=2e-3)


def test_uneven_stamps_are_taken_at_their_word():
    rng = np.random.default_rng(2)
    stamps = np.cumsum(rng.uniform(0.005, 0.015, 3000))
    for rate_hz in (30.0, 200.0):
        times, values = resample(sine(2, stamps), stamps, rate_hz)
        inner = (times > stamps[0] + 1) & (times < stamps[-1] - 1)
        np.testing.assert_allclose(values[inner], sine(2, times)[inner], atol=2e-3)


def test_the_same_rate_gives_the_same_samples():
    times = 3.0 + np.arange(200) / 50
    x = np.random.default_rng(3).standard_normal((200, 3))
    new_times, values = resample(x, times, 50.0)
    np.testing.assert_allclose(new_times, times)
    np.testing.assert_allclose(values, x, atol=1e-10)


def test_the_interval_is_half_open_and_nothing_is_extrapolated():
    times = np.arange(100) / 50
    new_times, values = resample(times, times, 10.0, start_s=-0.2, stop_s=2.2, order=1)
    np.testing.assert_allclose(new_times, np.arange(-2, 22) / 10, atol=1e-12)
    outside = (new_times < -1e-9) | (new_times > times[-1])
    assert np.isnan(values[outside]).all()
    assert np.isfinite(values[~outside]).all()


@pytest.mark.parametrize("rate_hz", [25.0, 50.0, 100.0])
@pytest.mark.parametrize("order", [1, 3])
def test_a_long_hole_stays_and_does_not_grow(rate_hz, order):
    times = np.arange(500) / 50
    x = np.stack([sine(1, times), sine(1.5, times)], axis=1)
    x[200:250, 0] = np.nan
    new_times, values = resample(x, times, rate_hz, order=order)
    in_hole = (new_times > times[199] + 1e-9) & (new_times < times[250] - 1e-9)
    np.testing.assert_array_equal(np.isnan(values[:, 0]), in_hole)
    assert np.isfinite(values[:, 1]).all()


def test_a_hole_is_bridged_up_to_the_stated_length_and_no_further():
    times = np.arange(500) / 50
    x = sine(0.5, times)
    x[100:105] = np.nan  # 0.1 s
    x[300:306] = np.nan  # 0.12 s
    _, values = resample(x, times, 50.0, max_gap_s=0.1)
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(values)), np.arange(300, 306))
    np.testing.assert_allclose(values[100:105], sine(0.5, times[100:105]), atol=1e-3)


def test_missing_rows_are_holes_too():
    times = np.arange(500) / 50
    kept = np.r_[0:200, 260:500]
    _, values = resample(sine(1, times[kept]), times[kept], 50.0)
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(values)), np.arange(200, 260))


def test_a_channel_of_lower_rate_in_the_same_table_is_no_row_of_holes():
    times = np.arange(500) / 100
    slow = np.where(np.arange(500) % 20 == 0, sine(0.3, times), np.nan)
    new_times, values = resample(np.stack([sine(1, times), slow], axis=1), times, 50.0)
    inside = new_times <= times[480]
    np.testing.assert_allclose(values[inside, 1], sine(0.3, new_times[inside]), atol=2e-3)


def test_a_channel_without_any_sample_stays_empty():
    times = np.arange(100) / 50
    _, values = resample(np.stack([sine(1, times), np.full(100, np.nan)], axis=1), times, 25.0)
    assert np.isfinite(values[:, 0]).all()
    assert np.isnan(values[:, 1]).all()


def test_a_lone_sample_between_holes_is_kept_where_it_was_taken():
    times = np.arange(100) / 50
    x = np.full(100, np.nan)
    x[:20], x[50], x[80:] = 1.0, 2.0, 3.0
    _, values = resample(x, times, 50.0)
    np.testing.assert_allclose(values, x)
    _, off_beat = resample(x, times, 50.0, start_s=0.01)
    assert np.isnan(off_beat[19:80]).all()


def test_resample_says_what_it_cannot_take():
    times = np.arange(10) / 50
    with pytest.raises(DataFormatError, match="10 rows"):
        resample(np.zeros(9), times, 25.0)
    with pytest.raises(DataFormatError, match="infinite"):
        resample(np.full(10, np.inf), times, 25.0)
    with pytest.raises(ValueError, match="order"):
        resample(np.zeros(10), times, 25.0, order=2)
    with pytest.raises(ValueError, match="cutoff_hz"):
        resample(np.zeros(10), times, 25.0, cutoff_hz=26.0)


def test_a_quintic_spline_is_exact_on_a_quintic_with_uneven_stamps():
    stamps = np.sort(np.random.default_rng(4).uniform(0, 2, 12))
    polynomial = np.polynomial.Polynomial([0.3, -1.0, 2.0, 0.5, -0.7, 0.2])
    spline = quintic_spline(stamps, polynomial(stamps))
    np.testing.assert_allclose(spline.derivative(2)(stamps), polynomial.deriv(2)(stamps), atol=1e-7)


@pytest.mark.parametrize(("n_samples", "degree"), [(2, 1), (3, 1), (4, 3), (5, 3), (6, 5), (7, 5)])
def test_few_samples_lower_the_degree_of_the_spline(n_samples, degree):
    stamps = np.arange(n_samples) / 10
    spline = quintic_spline(stamps, 2 * stamps + 1)
    assert spline.k == degree
    np.testing.assert_allclose(spline(stamps[-1] / 2), stamps[-1] + 1)


def test_samples_that_lie_on_the_new_times_are_given_as_they_are():
    values = np.random.default_rng(0).normal(size=(1000, 3)) * 10
    times, same = resample(values, np.arange(1000) / 50, 50.0)
    np.testing.assert_array_equal(same, values)
    assert len(times) == 1000
