from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone

from har_virtual.exceptions import DataFormatError, UnknownNameError
from har_virtual.imu.sensor import SensorModel, resolve_sensor

STILL = np.tile([0.0, 0.0, 9.80665], (200, 1))


def zeros(n_samples: int) -> np.ndarray:
    return np.zeros((n_samples, 3))


def over_devices(
    model: SensorModel, acc: np.ndarray | None, gyr: np.ndarray | None, mag: np.ndarray | None, number: int
):
    """First sample of one reading of many devices."""
    return np.array([model.apply(acc, gyr, mag, 50.0, random_state=seed)[number][0] for seed in range(2000)])


def test_the_default_model_changes_nothing():
    rng = np.random.default_rng(0)
    readings = [rng.standard_normal((50, 3)) for _ in range(3)]
    for before, after in zip(readings, SensorModel().apply(*readings, 50.0), strict=True):
        np.testing.assert_allclose(after, before, atol=1e-15)


def test_noise_is_white_and_as_strong_as_stated():
    model = SensorModel(acc_noise_std=0.2, gyr_noise_std=0.03, mag_noise_std=0.5)
    for noise, std in zip(model.apply(*[zeros(40000)] * 3, 50.0, random_state=0), (0.2, 0.03, 0.5), strict=True):
        np.testing.assert_allclose(noise.std(axis=0), std, rtol=0.02)
        np.testing.assert_allclose(noise.mean(axis=0), 0, atol=std * 0.03)
        correlation = np.corrcoef(np.hstack([noise[1:], noise[:-1]]).T)
        assert np.abs(correlation - np.eye(6)).max() < 0.03


def test_the_sensors_of_a_device_have_noise_of_their_own():
    model = SensorModel(acc_noise_std=1.0, gyr_noise_std=1.0, mag_noise_std=1.0)
    noise = np.hstack(model.apply(*[zeros(20000)] * 3, 50.0, random_state=0))
    assert np.abs(np.corrcoef(noise.T) - np.eye(9)).max() < 0.04


@pytest.mark.parametrize("sampling_rate_hz", [25.0, 100.0, 400.0])
def test_a_density_gives_the_same_random_walk_at_every_rate(sampling_rate_hz):
    """The Allan deviation of white noise over one second is its density, whatever the rate."""
    model = SensorModel(gyr_noise_std=0.01, noise_rate_hz=1.0)
    seconds = 4000
    _, gyr, _ = model.apply(None, zeros(int(seconds * sampling_rate_hz)), None, sampling_rate_hz, random_state=1)
    means = gyr.reshape(seconds, -1, 3).mean(axis=1)
    allan = np.sqrt(np.mean(np.diff(means, axis=0) ** 2, axis=0) / 2)
    np.testing.assert_allclose(allan, 0.01, rtol=0.06)
    np.testing.assert_allclose(gyr.std(axis=0), 0.01 * np.sqrt(sampling_rate_hz), rtol=0.02)


def test_drift_has_the_stated_deviation_from_the_first_sample_on():
    model = SensorModel(acc_drift_std=0.3, drift_tau_s=2.0)
    ends = np.array([model.apply(zeros(300), None, None, 50.0, random_state=seed)[0][[0, -1]] for seed in range(1500)])
    np.testing.assert_allclose(ends.std(axis=(0, 2)), 0.3, rtol=0.05)


@pytest.mark.parametrize("sampling_rate_hz", [10.0, 50.0])
def test_drift_forgets_within_its_correlation_time(sampling_rate_hz):
    model = SensorModel(gyr_drift_std=0.1, drift_tau_s=1.0)
    _, drift, _ = model.apply(None, zeros(int(20000 * sampling_rate_hz)), None, sampling_rate_hz, random_state=2)
    np.testing.assert_allclose(drift.std(axis=0), 0.1, rtol=0.03)
    for lag_s in (0.5, 1.0, 2.0):
        lag = int(lag_s * sampling_rate_hz)
        correlation = np.mean(drift[lag:] * drift[:-lag], axis=0) / np.mean(drift**2, axis=0)
        np.testing.assert_allclose(correlation, np.exp(-lag_s), atol=0.03)


def test_bias_is_constant_in_a_device_and_varies_between_devices():
    model = SensorModel(acc_bias_std=0.4, gyr_bias_std=0.02, mag_bias_std=3.0)
    for bias in model.apply(*[zeros(20)] * 3, 50.0, random_state=0):
        assert (np.ptp(bias, axis=0) == 0).all()
        assert (bias[0] != 0).all()
    for number, std in enumerate((0.4, 0.02, 3.0)):
        np.testing.assert_allclose(over_devices(model, *[zeros(1)] * 3, number).std(axis=0), std, rtol=0.06)


def test_scale_errors_act_on_their_axis_and_cross_axis_errors_on_the_others():
    gyr = np.array([[2.0, 0.0, 0.0]])
    scaled = over_devices(SensorModel(gyr_scale_std=0.05), None, gyr, None, 1)
    np.testing.assert_allclose(scaled[:, 0].std(), 0.1, rtol=0.06)
    np.testing.assert_allclose(scaled[:, 0].mean(), 2.0, atol=0.01)
    np.testing.assert_array_equal(scaled[:, 1:], 0)
    crossed = over_devices(SensorModel(gyr_cross_axis_std=0.05), None, gyr, None, 1)
    np.testing.assert_array_equal(crossed[:, 0], 2.0)
    np.testing.assert_allclose(crossed[:, 1:].std(axis=0), 0.1, rtol=0.06)


def test_errors_of_scale_grow_with_the_reading_and_bias_does_not():
    model = SensorModel(acc_scale_std=0.05, acc_cross_axis_std=0.02, acc_bias_std=0.3)
    once, twice, none = (model.apply(k * STILL, None, None, 50.0, random_state=4)[0][0] for k in (1, 2, 0))
    np.testing.assert_allclose(twice - none, 2 * (once - none))


def test_gyroscope_feels_acceleration_axis_by_axis():
    model = SensorModel(gyr_g_sensitivity_std=0.01)
    acc = np.array([[2.0, 0.0, 0.0]])
    felt = over_devices(model, acc, zeros(1), None, 1)
    np.testing.assert_allclose(felt[:, 0].std(), 0.02, rtol=0.06)
    np.testing.assert_array_equal(felt[:, 1:], 0)
    np.testing.assert_array_equal(model.apply(None, zeros(5), None, 50.0, random_state=0)[1], 0)


def test_iron_shifts_and_bends_the_field():
    soft = np.array([[1.0, 0.2, 0.0], [0.0, 0.9, 0.0], [0.0, 0.0, 1.1]])
    model = SensorModel(mag_hard_iron_ut=[5.0, -2.0, 1.0], mag_soft_iron=soft)
    _, _, mag = model.apply(None, None, np.array([[0.0, 20.0, -45.0]]), 50.0)
    np.testing.assert_allclose(mag, [[5 + 0.2 * 18, 0.9 * 18, -1.1 * 44]])


def test_readings_beyond_the_range_are_clipped_after_bias_and_noise():
    model = SensorModel(acc_range=5.0, acc_noise_std=3.0, acc_bias_std=2.0)
    acc, _, _ = model.apply(STILL, None, None, 50.0, random_state=0)
    assert np.abs(acc).max() == 5.0
    assert np.mean(acc[:, 2] == 5.0) > 0.5


def test_readings_lie_on_steps_of_the_resolution():
    ramp = np.tile(np.linspace(-3, 3, 601)[:, np.newaxis], (1, 3))
    _, gyr, _ = SensorModel(gyr_resolution=0.25).apply(None, ramp, None, 50.0)
    np.testing.assert_allclose(gyr / 0.25, np.round(gyr / 0.25), atol=1e-12)
    assert np.abs(gyr - ramp).max() <= 0.125 + 1e-12
    assert len(np.unique(gyr)) == 25


def test_a_seed_repeats_a_device_and_another_seed_is_another():
    model = SensorModel.preset("orient3")
    first, again, other = (model.apply(STILL, STILL, STILL, 50.0, random_state=seed) for seed in (7, 7, 8))
    for sensor in range(3):
        np.testing.assert_array_equal(first[sensor], again[sensor])
        assert not np.array_equal(first[sensor], other[sensor])


def test_a_device_keeps_its_constant_errors_in_every_session():
    model = SensorModel(acc_bias_std=0.4, acc_scale_std=0.1, acc_noise_std=1e-9, gyr_bias_std=0.1)
    long, _, _ = model.apply(STILL, STILL, None, 50.0, random_state=3)
    short, _, _ = model.apply(STILL[:10], None, None, 100.0, random_state=3)
    np.testing.assert_allclose(short, long[:10], atol=1e-7)


def test_a_sensor_reads_the_same_whichever_others_the_device_has():
    model = SensorModel.preset("orient3").set_params(gyr_g_sensitivity_std=0.0)
    together = model.apply(STILL, STILL, STILL, 50.0, random_state=3)
    alone = [
        model.apply(*[STILL if k == sensor else None for k in range(3)], 50.0, random_state=3)[sensor]
        for sensor in range(3)
    ]
    for sensor in range(3):
        np.testing.assert_array_equal(alone[sensor], together[sensor])


def test_a_generator_makes_another_device_with_every_call():
    rng = np.random.default_rng(0)
    model = SensorModel(acc_bias_std=1.0)
    first, second = (model.apply(STILL, None, None, 50.0, random_state=rng)[0] for _ in range(2))
    assert not np.allclose(first, second)


def test_the_global_generator_stays_where_it_is():
    before = np.random.get_state()
    SensorModel.preset("low").apply(STILL, STILL, STILL, 50.0)
    after = np.random.get_state()
    np.testing.assert_array_equal(after[1], before[1])
    assert after[2:] == before[2:]


def test_nan_stays_and_spreads_to_nothing():
    hole = STILL.copy()
    hole[20:30, 1] = np.nan
    model = SensorModel.preset("orient3")
    acc, gyr, _ = model.apply(hole, STILL, None, 50.0, random_state=0)
    np.testing.assert_array_equal(np.isnan(acc), np.isnan(hole))
    assert np.isfinite(gyr).all()
    whole, _, _ = model.apply(STILL, STILL, None, 50.0, random_state=0)
    np.testing.assert_array_equal(acc[:20], whole[:20])
    assert np.isnan(hole[20:30, 1]).all()


def test_input_is_not_changed():
    acc = STILL.copy()
    SensorModel.preset("orient3").apply(acc, acc, acc, 50.0, random_state=0)
    np.testing.assert_array_equal(acc, STILL)


def test_an_absent_sensor_stays_absent():
    acc, gyr, mag = SensorModel.preset("mid").apply(None, STILL, None, 50.0, random_state=0)
    assert acc is None
    assert mag is None
    assert gyr.shape == STILL.shape


def test_accuracy_classes_are_converted_to_si():
    low = SensorModel.preset("low")
    assert low.noise_rate_hz == 1.0
    assert low.drift_tau_s == 100.0
    assert low.acc_noise_std == pytest.approx(8.333e-4, rel=1e-3)  # .05 m/s/sqrt(h)
    assert low.gyr_noise_std == pytest.approx(2.182e-4, rel=1e-3)  # .75 deg/sqrt(h)
    assert low.gyr_drift_std == pytest.approx(4.848e-5, rel=1e-3)  # 10 deg/h
    assert low.acc_drift_std == pytest.approx(2e-4)
    assert SensorModel.preset("high").gyr_noise_std == pytest.approx(5.818e-7, rel=1e-3)
    _, _, mag = low.apply(None, None, zeros(40000), 100.0, random_state=0)
    np.testing.assert_allclose(mag.std(axis=0), 0.1, rtol=0.02)


def test_a_better_class_is_quieter():
    spread = [SensorModel.preset(name).apply(zeros(5000), zeros(5000), None, 50.0, random_state=0) for name in
              ("low", "mid", "high")]  # fmt: skip
    for better, worse in zip(spread[1:], spread[:-1], strict=True):
        assert better[0].std() < worse[0].std()
        assert better[1].std() < worse[1].std()


def test_orient3_has_the_figures_of_its_parts():
    orient = SensorModel.preset("orient3")
    assert orient.noise_rate_hz is None
    assert orient.acc_noise_std == pytest.approx(0.604, abs=5e-4)
    assert orient.gyr_noise_std == pytest.approx(0.0170, abs=5e-5)
    assert orient.mag_noise_std == pytest.approx(0.52, abs=5e-3)
    assert orient.acc_resolution == pytest.approx(0.0395, abs=5e-5)
    assert orient.acc_bias_std == pytest.approx(0.275 * 9.80665)
    assert orient.gyr_g_sensitivity_std == pytest.approx(np.radians(0.2) / 3 / 9.80665)
    buggy = SensorModel.preset("orient3", g_sensitivity_bug=True)
    assert buggy.gyr_g_sensitivity_std == pytest.approx(9.80665 * orient.gyr_g_sensitivity_std)


def test_the_model_can_be_cloned_and_searched():
    model = SensorModel.preset("orient3").set_params(acc_noise_std=0.1)
    assert clone(model).get_params() == model.get_params()
    assert clone(model).get_params()["acc_noise_std"] == 0.1


def test_what_makes_no_sense_is_refused():
    with pytest.raises(UnknownNameError, match="low, mid, high, orient3"):
        SensorModel.preset("perfect")
    with pytest.raises(ValueError, match="acc_noise_std"):
        SensorModel(acc_noise_std=-1.0).apply(STILL, None, None, 50.0)
    with pytest.raises(ValueError, match="drift_tau_s"):
        SensorModel(drift_tau_s=0.0).apply(STILL, None, None, 50.0)
    with pytest.raises(ValueError, match="sampling_rate_hz"):
        SensorModel().apply(STILL, None, None, 0.0)
    with pytest.raises(DataFormatError, match="one N"):
        SensorModel().apply(STILL, STILL[:-1], None, 50.0)
    with pytest.raises(DataFormatError, match=r"\(N, 3\)"):
        SensorModel().apply(STILL[:, :2], None, None, 50.0)


def test_a_sensor_may_be_a_model_a_preset_or_none():
    model = SensorModel(acc_noise_std=0.1)
    assert resolve_sensor(model) is model
    assert resolve_sensor(None) is None
    assert resolve_sensor("low").get_params() == SensorModel.preset("low").get_params()


@pytest.mark.parametrize("sensor", [3, {"acc_noise_std": 0.1}, SensorModel])
def test_anything_else_is_no_sensor(sensor):
    with pytest.raises(DataFormatError, match="sensor must be a SensorModel, the name of a preset or None, not"):
        resolve_sensor(sensor)


def test_a_sensor_that_makes_no_sense_is_refused_before_it_is_used():
    with pytest.raises(UnknownNameError, match="No sensor preset 'perfect'"):
        resolve_sensor("perfect")
    with pytest.raises(ValueError, match="acc_noise_std"):
        resolve_sensor(SensorModel(acc_noise_std=-1.0))
    with pytest.raises(DataFormatError, match=r"mag_hard_iron_ut must be finite numbers of shape \(3,\)"):
        resolve_sensor(SensorModel(mag_hard_iron_ut=(1.0, 2.0)))
    with pytest.raises(DataFormatError, match="mag_soft_iron"):
        resolve_sensor(SensorModel(mag_soft_iron=np.full((3, 3), np.nan)))


def test_the_accuracy_grades_have_neither_bias_nor_scale_errors():
    for name in ("low", "mid", "high"):
        params = SensorModel.preset(name).get_params()
        assert not any(value for key, value in params.items() if key.endswith(("bias_std", "scale_std", "axis_std")))
