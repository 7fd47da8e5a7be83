"""From stamps and frames to even samples: what a device's clock and its readings become."""

from __future__ import annotations

import math

import numpy as np
import pytest

from har_virtual.datasets.mm_fit.clock import (
    CameraClock,
    bring_together,
    fit_camera,
    in_order,
    rate_of,
    spread_readings,
)
from har_virtual.datasets.mm_fit.files import DeviceFile
from har_virtual.exceptions import DataFormatError

FILE = "w00/w00_sw_l_acc.npy"
SAME = CameraClock(0.0, 1.0, 0.0)


def readings(times_s, values=None, frames=None) -> DeviceFile:
    """Readings at some times, whose values are the times, of a camera that started with the clock."""
    times = np.asarray(times_s, dtype=np.float64)
    frames = np.rint(30 * times) if frames is None else frames
    values = times if values is None else np.asarray(values)
    return DeviceFile(frames.astype(np.int64), 1000 * times, values.reshape(len(times), -1).astype(np.float32))


def together(rate_hz: float, **sensors: DeviceFile):
    return bring_together(sensors, dict.fromkeys(sensors, SAME), rate_hz)


def test_of_readings_with_one_stamp_the_first_stays():
    found, notes = in_order(readings([0.0, 0.01, 0.01, 0.02], [1, 2, 3, 4]), FILE)
    assert found.values[:, 0].tolist() == [1, 2, 4]
    assert notes == ["1 readings have the stamp of another one and were left out."]


def test_a_slow_cameras_first_frame_is_found_on_the_devices_clock():
    """A camera of 25 frames a second started 10 s before the device was on."""
    times = np.arange(0, 60, 0.01)
    clock = fit_camera([readings(times, frames=np.rint(25 * (times + 10)))], FILE)
    assert clock.ratio == pytest.approx(25 / 30, rel=1e-4)
    assert clock.zero_ms == pytest.approx(-10_000, abs=10)
    np.testing.assert_allclose(clock.times_s(1000 * times), (times + 10) * 25 / 30, atol=0.01)


def test_frames_that_are_far_off_do_not_turn_the_line():
    times = np.arange(0, 60, 0.01)
    frames = np.rint(25 * times)
    frames[:300] += 3000
    clock = fit_camera([readings(times, frames=frames)], FILE)
    assert clock.ratio == pytest.approx(25 / 30, rel=1e-3)


@pytest.mark.parametrize(("share", "off_s"), [(0.08, 1.0), (0.02, 0.0)])
def test_what_all_but_five_percent_of_the_frames_are_off_is_told(share, off_s):
    times = np.arange(0, 100, 1 / 30)
    early = times < 100 * share
    clock = fit_camera([readings(times, frames=np.rint(30 * times) - 30 * early + 60)], FILE)
    assert clock.ratio == pytest.approx(1.0, abs=2e-3)
    assert clock.off_s == pytest.approx(off_s, abs=0.05)


@pytest.mark.parametrize(
    ("true_hz", "nominal_hz", "found_hz", "told"),
    [(97, (100,), 100, False), (112, (100,), 100, False), (50.3, (100,), 50, True), (200, (210, 500), 210, False)],
)
def test_a_device_has_its_nominal_rate_if_it_comes_near_it_and_else_a_whole_one(true_hz, nominal_hz, found_hz, told):
    rate_hz, notes = rate_of(readings(np.arange(500) / true_hz), nominal_hz, FILE)
    assert (rate_hz, bool(notes)) == (found_hz, told)


def test_a_second_sensor_that_is_even_keeps_its_readings_and_the_first_is_interpolated():
    uneven = np.arange(200) / 100 + 0.003 * np.sin(1.7 * np.arange(200))
    even = 0.004 + np.arange(200) / 100
    value = np.random.default_rng(0).normal(size=200).astype(np.float32)
    samples = together(100, acc=readings(uneven), gyr=readings(even, value))
    assert not samples.even
    assert samples.start_s == pytest.approx(0.004)
    np.testing.assert_array_equal(samples.data[:, 1], value)
    at_s = samples.start_s + np.arange(len(samples.data)) / 100
    np.testing.assert_allclose(samples.data[2:-2, 0], at_s[2:-2], atol=1e-3)


@pytest.mark.parametrize("shift_s", [0.0, 0.0043])
def test_a_sensor_that_was_on_before_the_first_one_loses_nothing(shift_s):
    acc, gyr = 0.5 + np.arange(100) / 100, shift_s + np.arange(200) / 100
    samples = together(100, acc=readings(acc), gyr=readings(gyr))
    at_s = samples.start_s + np.arange(len(samples.data)) / 100
    assert samples.start_s == pytest.approx(0.0, abs=0.011)
    for column, (start_s, stop_s) in enumerate([(0.5, 1.49), (shift_s, 1.99 + shift_s)]):
        inside = (at_s > start_s - 0.001) & (at_s < stop_s + 0.001)
        np.testing.assert_allclose(samples.data[inside, column], at_s[inside], atol=1e-5)
        assert np.isnan(samples.data[~inside, column]).all()


def test_a_start_is_never_minus_zero():
    samples = bring_together({"acc": readings(np.arange(9) / 100)}, {"acc": CameraClock(1e-5, 1.0, 0.0)}, 100)
    assert math.copysign(1, samples.start_s) == 1


def test_stamps_of_another_rate_than_the_nominal_one_are_unrounded_before_readings_are_interpolated():
    times = np.arange(970) / 97
    rounded = readings(np.round(times, 3), times)
    samples = together(100, acc=rounded)
    at_s = samples.start_s + np.arange(len(samples.data)) / 100
    off_s = samples.data[:, 0] - at_s
    assert np.ptp(off_s[5:-5]) < 1e-4


def test_two_readings_within_one_step_are_not_even_and_both_count():
    times = np.sort(np.append(np.arange(100) / 100, 0.5004))
    samples = together(100, acc=readings(times))
    assert not samples.even
    np.testing.assert_allclose(samples.data[:, 0], np.arange(100) / 100, atol=1e-6)


def test_interpolated_readings_follow_a_curve():
    """A chord of 10 ms in a wave of 10 Hz is off by (2 pi 10 Hz)^2 (10 ms)^2 / 8 = 0.05."""
    times = np.arange(400) / 100 + 0.002 * np.sin(1.7 * np.arange(400))
    samples = together(100, acc=readings(times, np.sin(2 * np.pi * 10 * times)))
    at_s = samples.start_s + np.arange(len(samples.data)) / 100
    inside = slice(5, -5)
    np.testing.assert_allclose(samples.data[inside, 0], np.sin(2 * np.pi * 10 * at_s[inside]), atol=0.015)


def test_readings_in_quick_succession_do_not_make_a_curve_overshoot():
    times = np.arange(400) / 100 + 0.002 * np.sin(1.7 * np.arange(400))
    times[200] = times[199] + 1e-4
    noise = np.random.default_rng(0).uniform(-1, 1, 400)
    noise[199:201] = [-1, 1]
    samples = together(100, acc=readings(times, noise))
    assert np.nanmax(np.abs(samples.data)) <= 1


def test_slow_readings_outside_of_the_samples_are_in_none_of_them():
    samples = together(100, acc=readings(1 + np.arange(100) / 100))
    track = spread_readings(readings([0.5, 1.0, 1.99, 2.0, 2.5], [70, 80, 90, 100, 110]), SAME, samples)
    known = np.flatnonzero(~np.isnan(track))
    assert (known.tolist(), track[known].tolist()) == ([0, 99], [80, 90])


def test_each_sample_has_the_frame_of_the_nearest_reading():
    frames = np.repeat([7, 9, 30], 2)
    samples = together(100, acc=readings([0.0, 0.01, 0.02, 0.03, 0.09, 0.1], frames=frames))
    assert samples.frames.tolist() == [7, 7, 9, 9, 9, 9, 9, 30, 30, 30, 30]


def test_stamps_over_hours_are_refused():
    with pytest.raises(DataFormatError, match=r"2 readings over 1.5e\+04 s are no workout"):
        in_order(readings([0.0, 15_000.0]), FILE)
