from __future__ import annotations

import numpy as np
import oracle
import pytest
from scipy.integrate import solve_ivp
from scipy.io import loadmat

from har_virtual.exceptions import DataFormatError
from har_virtual.imu.simulate import simulate_sensor
from har_virtual.rotation import rotation_matrices
from har_virtual.signal import lowpass, regularize_timestamps

DURATION_S = 20
UP = np.array([0.0, 0.0, oracle.GRAVITY])


def frames(rate_hz: float, duration_s: float = DURATION_S) -> np.ndarray:
    return np.arange(int(duration_s * rate_hz) + 1) / rate_hz


def inner(times_s: np.ndarray) -> np.ndarray:
    """All but the first and the last second."""
    return (times_s >= times_s[0] + 1) & (times_s <= times_s[-1] - 1)


def still(n_frames: int = 30) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return np.zeros((n_frames, 3)), np.tile(np.eye(3), (n_frames, 1, 1)), np.arange(n_frames) / 30


@pytest.mark.parametrize("rate_hz", [30, 50, 100])
def test_a_turning_sensor_on_a_circle_agrees_with_the_closed_form(rate_hz):
    times = frames(rate_hz)
    truth = oracle.circle(times)
    acc, gyr, mag = simulate_sensor(truth.positions_m, truth.rotations, times)
    within = inner(times)
    assert oracle.rms((acc - truth.acc)[within]) <= 1e-3
    assert oracle.rms((gyr - truth.gyr)[within]) <= 1e-5
    assert np.abs(mag - truth.mag).max() <= 1e-9


@pytest.mark.parametrize(("rate_hz", "acc_bound", "gyr_bound"), [(30, 0.1, 2e-4), (50, 0.01, 2e-5), (100, 5e-4, 1e-6)])
def test_the_ends_of_a_clip_stay_within_a_looser_bound(rate_hz, acc_bound, gyr_bound):
    times = frames(rate_hz)
    truth = oracle.circle(times)
    acc, gyr, _ = simulate_sensor(truth.positions_m, truth.rotations, times)
    assert np.abs(acc - truth.acc).max() <= acc_bound
    assert np.abs(gyr - truth.gyr).max() <= gyr_bound


def test_the_same_motion_reads_the_same_at_every_frame_rate():
    common = np.linspace(1, DURATION_S - 1, 500)
    readings = []
    for rate_hz in (30, 50, 100):
        times = frames(rate_hz)
        truth = oracle.circle(times)
        readings.append(simulate_sensor(truth.positions_m, truth.rotations, times, times_s=common))
    for acc, gyr, _ in readings[:2]:
        assert oracle.rms(acc - readings[2][0]) < 1e-3
        assert oracle.rms(gyr - readings[2][1]) < 1e-5


@pytest.mark.parametrize("rate_hz", [30, 29.97, 50, 60])
def test_stamps_rounded_to_a_millisecond_cost_nothing_after_regularisation(rate_hz):
    times = frames(rate_hz)
    truth = oracle.circle(times)

    def error(stamps):
        acc = simulate_sensor(truth.positions_m, truth.rotations, stamps)[0]
        return oracle.rms((acc - truth.acc)[inner(times)])

    rounded = np.round(times, 3)
    assert error(regularize_timestamps(rounded, tick_s=1e-3).timestamps_s) == pytest.approx(error(times), rel=0.1)
    if rate_hz != 50:
        assert error(rounded) > 1.0


def test_a_dropped_frame_at_a_coarse_tick_and_a_copied_rounding_cost_little_after_regularisation():
    times = np.delete(frames(30), 300)
    truth = oracle.circle(times)
    milliseconds = np.round(np.round(times, 3) * 16000) / 16000
    for stamps, tick_s in ((times, 1 / 30), (milliseconds, 1 / 16000)):
        fitted = regularize_timestamps(stamps, tick_s).timestamps_s
        acc = simulate_sensor(truth.positions_m, truth.rotations, fitted)[0]
        assert oracle.rms((acc - truth.acc)[inner(times)]) < 0.02


def test_dropped_frames_cost_little_after_regularisation():
    times = np.delete(frames(60), [200, 201, 500, 900])
    truth = oracle.circle(times)
    stamps = regularize_timestamps(np.round(times, 3), tick_s=1e-3).timestamps_s
    acc, _, _ = simulate_sensor(truth.positions_m, truth.rotations, stamps)
    assert oracle.rms((acc - truth.acc)[inner(times)]) < 5e-3


def test_uneven_stamps_are_followed():
    rng = np.random.default_rng(0)
    times = np.cumsum(rng.uniform(0.008, 0.012, 1000))
    truth = oracle.circle(times)
    acc, gyr, _ = simulate_sensor(truth.positions_m, truth.rotations, times)
    assert oracle.rms((acc - truth.acc)[inner(times)]) < 1e-3
    assert oracle.rms((gyr - truth.gyr)[inner(times)]) < 1e-5


def test_the_sensor_can_be_read_between_the_frames():
    times, between = frames(50), frames(73, 18) + 1
    truth, expected = oracle.circle(times), oracle.circle(between)
    acc, gyr, mag = simulate_sensor(truth.positions_m, truth.rotations, times, times_s=between)
    assert oracle.rms(acc - expected.acc) < 1e-3
    assert oracle.rms(gyr - expected.gyr) < 1e-5
    assert oracle.rms(mag - expected.mag) < 1e-5


def test_many_sensors_at_once_read_what_each_reads_alone():
    times = frames(50, 3)
    one, other = oracle.circle(times), oracle.turntable(times, 0.4, 3.0)
    positions = np.stack([one.positions_m, other.positions_m], axis=1)
    rotations = np.stack([one.rotations, other.rotations], axis=1)

    def field(points, at):
        return np.stack([points[:, 0], points[:, 1] + at, 0 * at - 40], axis=1)

    together = simulate_sensor(
        positions, rotations, times, times_s=times[5:-5], magnetic_field_ut=field, cutoff_hz=12.0
    )
    for sensor, truth in enumerate((one, other)):
        alone = simulate_sensor(
            truth.positions_m, truth.rotations, times, times_s=times[5:-5], magnetic_field_ut=field, cutoff_hz=12.0
        )
        for reading, expected in zip(together, alone, strict=True):
            assert reading.shape == (len(times) - 10, 2, 3)
            np.testing.assert_allclose(reading[:, sensor], expected, atol=1e-9)


@pytest.mark.parametrize(
    ("axis", "turn", "up"),
    [
        ("z", 0.0, [0, 0, 1]),
        ("x", np.pi, [0, 0, -1]),
        ("x", np.pi / 2, [0, 1, 0]),
        ("x", -np.pi / 2, [0, -1, 0]),
        ("y", -np.pi / 2, [1, 0, 0]),
        ("y", np.pi / 2, [-1, 0, 0]),
    ],
)
def test_a_still_sensor_reads_gravity_on_the_axis_that_points_up(axis, turn, up):
    positions, _, times = still()
    acc, gyr, _ = simulate_sensor(positions, np.tile(oracle.rotation_about(axis, turn), (30, 1, 1)), times)
    np.testing.assert_allclose(acc, np.tile(9.80665 * np.array(up), (30, 1)), atol=1e-9)
    np.testing.assert_allclose(gyr, 0, atol=1e-9)


def test_a_still_sensor_reads_gravity_in_its_own_axes_in_any_orientation():
    times = frames(30, 3)
    rotations = oracle.circle(times).rotations
    for rotation in rotations[::10]:
        acc, _, _ = simulate_sensor(np.ones((len(times), 3)), np.tile(rotation, (len(times), 1, 1)), times)
        np.testing.assert_allclose(acc[5], rotation.T @ UP, atol=1e-9)


def test_gravity_can_be_left_out_or_set():
    positions, rotations, times = still()
    np.testing.assert_allclose(simulate_sensor(positions, rotations, times, gravity=False)[0], 0, atol=1e-9)
    moon, _, _ = simulate_sensor(positions, rotations, times, gravity_m_s2=1.62)
    np.testing.assert_allclose(moon, np.tile([0, 0, 1.62], (30, 1)), atol=1e-9)


def test_free_fall_reads_zero():
    times = frames(30, 2)
    fall = np.stack([1.5 * times, 0 * times, 20 + 2 * times - oracle.GRAVITY * times**2 / 2], axis=1)
    acc, _, _ = simulate_sensor(fall, oracle.circle(times).rotations, times)
    np.testing.assert_allclose(acc, 0, atol=1e-7)


def test_a_push_forward_reads_forward():
    _, rotations, times = still()
    pushed = np.stack([times**2, 0 * times, 0 * times], axis=1)
    acc, _, _ = simulate_sensor(pushed, rotations, times)
    np.testing.assert_allclose(acc, np.tile([2.0, 0.0, oracle.GRAVITY], (30, 1)), atol=1e-7)


def test_a_turntable_reads_the_pull_to_its_centre_and_the_turn_about_up():
    times = frames(50, 10)
    truth = oracle.turntable(times, radius_m=0.5, rate_rad_s=4.0)
    acc, gyr, _ = simulate_sensor(truth.positions_m, truth.rotations, times)
    within = inner(times)
    np.testing.assert_allclose(acc[within], np.tile([-8.0, 0.0, oracle.GRAVITY], (within.sum(), 1)), atol=1e-4)
    np.testing.assert_allclose(gyr[within], np.tile([0.0, 0.0, 4.0], (within.sum(), 1)), atol=1e-6)


@pytest.mark.parametrize(("axis", "number"), [("x", 0), ("y", 1), ("z", 2)])
@pytest.mark.parametrize("rate_rad_s", [1.5, -1.5])
def test_the_gyroscope_follows_the_right_hand_rule(axis, number, rate_rad_s):
    times = frames(50, 4)
    _, gyr, _ = simulate_sensor(np.zeros((len(times), 3)), oracle.rotation_about(axis, rate_rad_s * times), times)
    expected = np.zeros(3)
    expected[number] = rate_rad_s
    np.testing.assert_allclose(gyr, np.tile(expected, (len(times), 1)), atol=1e-5)


def test_a_free_pendulum_feels_only_its_rod():
    """With energy conserved the rod pulls g (3 cos a - 2 cos a0), and nothing acts along the path."""
    length_m, start_rad = 0.8, 1.2
    times = frames(50, 10)
    swing = solve_ivp(
        lambda _, state: (state[1], -oracle.GRAVITY / length_m * np.sin(state[0])),
        (0, times[-1]), (start_rad, 0.0), t_eval=times, rtol=1e-11, atol=1e-12, method="DOP853",
    )  # fmt: skip
    angle, rate = swing.y
    bob = length_m * np.stack([np.sin(angle), 0 * angle, -np.cos(angle)], axis=1)
    # The sensor's z axis runs up the rod; leaning towards +x is a negative turn about y.
    acc, gyr, _ = simulate_sensor(bob, oracle.rotation_about("y", -angle), times)
    within = inner(times)
    rod = oracle.GRAVITY * (3 * np.cos(angle) - 2 * np.cos(start_rad))
    np.testing.assert_allclose(acc[within], np.stack([0 * rod, 0 * rod, rod], axis=1)[within], atol=1e-3)
    np.testing.assert_allclose(gyr[within], np.stack([0 * rate, -rate, 0 * rate], axis=1)[within], atol=1e-5)


def test_a_magnetometer_whose_x_axis_turns_from_east_to_north_finds_the_field_there():
    positions, _, times = still()
    left = np.tile(oracle.rotation_about("z", np.pi / 2), (30, 1, 1))
    _, _, level = simulate_sensor(positions, np.tile(np.eye(3), (30, 1, 1)), times)
    _, _, turned = simulate_sensor(positions, left, times)
    np.testing.assert_allclose(level[0], [0, 20, -45], atol=1e-9)
    np.testing.assert_allclose(turned[0], [20, 0, -45], atol=1e-9)


def test_a_field_may_depend_on_place_and_time():
    times = frames(50, 4)
    truth = oracle.turntable(times, 0.4, 3.0)

    def field(points, at):
        return np.stack([100 * points[:, 0], np.zeros(len(at)), 10 * at], axis=1)

    _, _, mag = simulate_sensor(truth.positions_m, truth.rotations, times, magnetic_field_ut=field)
    angle = 3.0 * times
    expected = np.stack([40 * np.cos(angle) ** 2, -40 * np.cos(angle) * np.sin(angle), 10 * times], axis=1)
    np.testing.assert_allclose(mag, expected, atol=1e-6)


@pytest.mark.parametrize("uneven", [False, True])
def test_a_cutoff_removes_jitter_and_keeps_the_motion(uneven):
    rng = np.random.default_rng(1)
    times = frames(100, 10)
    if uneven:
        times[1:-1] += rng.uniform(-2e-3, 2e-3, len(times) - 2)
    truth = oracle.circle(times)
    jittery = truth.positions_m + 1e-3 * rng.standard_normal(truth.positions_m.shape)
    shaken = truth.rotations @ oracle.rotation_about("x", 3e-3 * rng.standard_normal(len(times)))
    within = inner(times)
    rough = simulate_sensor(jittery, shaken, times)
    smooth = simulate_sensor(jittery, shaken, times, cutoff_hz=8.0)
    clean = simulate_sensor(truth.positions_m, truth.rotations, times, cutoff_hz=8.0)
    assert oracle.rms((rough[0] - truth.acc)[within]) > 10
    assert oracle.rms((smooth[0] - truth.acc)[within]) < 1
    assert oracle.rms((rough[1] - truth.gyr)[within]) > 0.3
    assert oracle.rms((smooth[1] - truth.gyr)[within]) < 0.05
    assert oracle.rms((clean[0] - truth.acc)[within]) < 0.05
    assert oracle.rms((clean[1] - truth.gyr)[within]) < 0.05


def test_four_frames_are_enough_and_three_are_not():
    positions, rotations, times = still(4)
    np.testing.assert_allclose(simulate_sensor(positions, rotations, times)[0], np.tile(UP, (4, 1)), atol=1e-9)
    with pytest.raises(DataFormatError, match="at least 4"):
        simulate_sensor(positions[:3], rotations[:3], times[:3])


def test_input_that_is_no_motion_is_refused():
    positions, rotations, times = still()
    hole = positions.copy()
    hole[7, 1] = np.nan
    cases = [
        ((positions[:-1], rotations, times), {}, "one row a stamp"),
        ((hole, rotations, times), {}, "first in frame 7"),
        ((positions, rotations[:-1], times), {}, "rotations must be of shape"),
        ((positions, 1.1 * rotations, times), {}, "orthonormal"),
        ((positions, -rotations, times), {}, "reflection"),
        ((positions, rotations, times[::-1]), {}, "strictly"),
        ((positions, rotations, times), {"times_s": [0.0, 1.5]}, "within the stamps"),
        ((positions, rotations, times), {"magnetic_field_ut": [1.0, 2.0]}, "three numbers"),
        ((positions, rotations, times), {"magnetic_field_ut": lambda points, at: at}, "returned shape"),
    ]
    for arguments, options, message in cases:
        with pytest.raises(DataFormatError, match=message):
            simulate_sensor(*arguments, **options)
    with pytest.raises(ValueError, match="half the sampling rate"):
        simulate_sensor(positions, rotations, times, cutoff_hz=20.0)


def test_a_real_sensor_is_followed_from_its_optical_pose(test_data):
    """BROAD trial 21, fast hand motion: 12 s without an optical gap, both sides low-passed at 10 Hz."""
    trial = loadmat(test_data / "broad" / "21_undisturbed_fast_combined.mat")
    rate = float(trial["sampling_rate"].item())
    rows = slice(int(44 * rate), int(56 * rate))
    times = np.arange(rows.stop - rows.start) / rate
    acc, gyr, _ = simulate_sensor(trial["opt_pos"][rows], rotation_matrices(trial["opt_quat"][rows]), times)
    margin = slice(int(0.2 * rate), -int(0.2 * rate))
    simulated = lowpass(np.hstack([acc, gyr]), rate, 10.0)[margin]
    measured = lowpass(np.hstack([trial["imu_acc"][rows], trial["imu_gyr"][rows]]), rate, 10.0)[margin]
    assert (measured.std(axis=0) > [0.3, 0.3, 0.3, 0.1, 0.1, 0.1]).all()
    for axis in range(6):
        assert np.corrcoef(simulated[:, axis], measured[:, axis])[0, 1] >= 0.99
    assert np.abs(simulated.mean(axis=0) - measured.mean(axis=0)).max() < 0.5
