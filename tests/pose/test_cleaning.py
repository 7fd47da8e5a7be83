"""The smoother against its dense least-squares problem and its spectrum; outliers apart from fast motion."""

from __future__ import annotations

import numpy as np
import pytest

from har_virtual.exceptions import DataFormatError
from har_virtual.pose import PoseTrack, clean_track, kalman_smooth
from har_virtual.pose.cleaning import robust_smooth

FRAME_S = 1 / 30
# The amplitude at frequency f is 1 / (1 + (f / F0)^4), which is 2^-1/2 at the cut-off.
F0_OVER_CUTOFF = (np.sqrt(2) - 1) ** -0.25


def series(values: np.ndarray) -> np.ndarray:
    """One point in one dimension."""
    return np.asarray(values, dtype=float)[:, None, None]


def smooth(values: np.ndarray, stamps: np.ndarray, cutoff_hz: float = 6.0, weights: np.ndarray | float = 1.0):
    weights = np.broadcast_to(weights, len(stamps)).astype(float)
    return kalman_smooth(series(values), weights[:, None], stamps, cutoff_hz)[:, 0, 0]


def dense_solution(values: np.ndarray, weights: np.ndarray, stamps: np.ndarray, cutoff_hz: float) -> np.ndarray:
    """The most probable path of the same model without any prior, from one least-squares problem over all states."""
    n, steps = len(values), np.diff(stamps)
    density = steps.mean() * (2 * np.pi * cutoff_hz * F0_OVER_CUTOFF) ** 4
    rows, right = [], []
    for t in np.flatnonzero(weights):
        row = np.zeros(2 * n)
        row[2 * t] = np.sqrt(weights[t])
        rows.append(row)
        right.append(np.sqrt(weights[t]) * values[t])
    for t, dt in enumerate(steps):
        noise = density * np.array([[dt**3 / 3, dt**2 / 2], [dt**2 / 2, dt]])
        whiten = np.linalg.inv(np.linalg.cholesky(noise))
        block = np.zeros((2, 2 * n))
        block[:, 2 * t : 2 * t + 2] = -np.array([[1, dt], [0, 1]])
        block[:, 2 * t + 2 : 2 * t + 4] = np.eye(2)
        rows.extend(whiten @ block)
        right.extend([0, 0])
    return np.linalg.lstsq(np.array(rows), np.array(right), rcond=None)[0][::2]


# The smoother


@pytest.mark.parametrize("cutoff_hz", [0.5, 2.0, 6.0])
@pytest.mark.parametrize("missing", [[], [0, 1, 7, 8, 9, 13, 19]])
def test_smoother_solves_the_least_squares_problem_of_its_model(cutoff_hz: float, missing: list[int]):
    rng = np.random.default_rng(0)
    stamps = np.cumsum(rng.uniform(0.01, 0.08, 20))
    weights, values = rng.uniform(0.05, 1, 20), 500 + rng.normal(0, 30, 20)
    weights[missing] = 0
    given = np.where(weights > 0, values, np.nan)
    expected = dense_solution(values, weights, stamps, cutoff_hz)
    np.testing.assert_allclose(smooth(given, stamps, cutoff_hz, weights), expected, rtol=0, atol=2e-4)


@pytest.mark.parametrize("frequency_hz", [0.5, 2.0, 4.0, 6.0, 9.0, 15.0])
def test_amplitude_falls_as_stated_and_phase_does_not_move(frequency_hz: float):
    stamps = np.arange(1600) / 200
    middle = slice(400, 1200)
    wave = 2 * np.pi * frequency_hz * stamps[middle]
    result = smooth(np.sin(2 * np.pi * frequency_hz * stamps), stamps, 6.0)[middle]
    in_phase, out_of_phase = 2 * np.mean(result * np.sin(wave)), 2 * np.mean(result * np.cos(wave))
    expected = 1 / (1 + (frequency_hz / (6.0 * F0_OVER_CUTOFF)) ** 4)
    assert in_phase == pytest.approx(expected, abs=2e-3)
    assert out_of_phase == pytest.approx(0, abs=1e-3)


def test_half_the_power_is_left_at_the_cutoff_of_video():
    stamps = np.arange(900) * FRAME_S
    for cutoff_hz in (1.0, 2.0, 6.0):
        result = smooth(np.sin(2 * np.pi * cutoff_hz * stamps), stamps, cutoff_hz)[300:600]
        assert 2 * np.mean(result**2) == pytest.approx(0.5, abs=0.01)


def test_half_the_weight_lowers_the_cutoff_by_its_fourth_root():
    stamps = np.arange(1600) / 200
    x = np.random.default_rng(1).normal(size=1600)
    np.testing.assert_allclose(
        smooth(x, stamps, 6.0, 1 / 16)[300:1300], smooth(x, stamps, 3.0, 1.0)[300:1300], atol=1e-6
    )


@pytest.mark.parametrize("scale", [0.01, 1.0, 1e4])
@pytest.mark.parametrize("weight", [1e-3, 1.0])
def test_a_straight_line_passes_unchanged_also_at_the_ends_and_in_gaps(scale: float, weight: float):
    stamps = np.cumsum(np.random.default_rng(2).uniform(0.01, 0.06, 50))
    line = scale * (3 - 2 * stamps)
    weights = np.full(50, weight)
    weights[[0, 1, 2, 20, 21, 22, 23, 48, 49]] = 0
    np.testing.assert_allclose(smooth(line, stamps, 6.0, weights), line, rtol=0, atol=1e-4 * scale)


def test_a_missing_sample_is_ignored_whatever_stands_there():
    stamps = np.arange(30) * FRAME_S
    values = np.random.default_rng(3).normal(size=30)
    weights = np.ones(30)
    weights[10:15] = 0
    results = []
    for junk in (0.0, 1e9, np.nan, np.inf):
        values[10:15] = junk
        results.append(smooth(values, stamps, 6.0, weights))
    for other in results[1:]:
        np.testing.assert_array_equal(other, results[0])


def test_a_gap_in_a_slow_motion_is_filled_by_it():
    stamps = np.arange(90) * FRAME_S
    motion = 100 * np.sin(2 * np.pi * 0.5 * stamps)
    weights = np.ones(90)
    weights[40:50] = 0
    assert np.abs(smooth(motion, stamps, 6.0, weights) - motion).max() < 1


def test_points_and_dimensions_do_not_touch_each_other():
    rng = np.random.default_rng(4)
    stamps, values, weights = np.arange(25) * FRAME_S, rng.normal(size=(25, 3, 2)), rng.uniform(0.1, 1, (25, 3))
    whole = kalman_smooth(values, weights, stamps, 4.0)
    assert whole.shape == (25, 3, 2)
    for point in range(3):
        for axis in range(2):
            alone = smooth(values[:, point, axis], stamps, 4.0, weights[:, point])
            np.testing.assert_allclose(whole[:, point, axis], alone, atol=1e-9)


def test_smoothing_is_linear():
    rng = np.random.default_rng(5)
    stamps, first, second = np.arange(40) * FRAME_S, rng.normal(size=40), rng.normal(size=40)
    combined = smooth(2 * first - 3 * second + 7, stamps)
    np.testing.assert_allclose(combined, 2 * smooth(first, stamps) - 3 * smooth(second, stamps) + 7, atol=1e-5)


def test_one_sample_and_one_frame_are_kept():
    weights = np.zeros(9)
    weights[4] = 1
    np.testing.assert_allclose(smooth(np.full(9, 5.0), np.arange(9) * FRAME_S, 6.0, weights), 5.0)
    np.testing.assert_allclose(smooth(np.array([5.0]), np.array([0.0])), [5.0])


def test_a_point_never_seen_and_a_cutoff_that_is_none_are_refused():
    stamps, values, weights = np.arange(5) * FRAME_S, np.zeros((5, 2, 1)), np.ones((5, 2))
    for cutoff_hz in (0.0, -1.0, np.nan):
        with pytest.raises(DataFormatError, match="cutoff_hz"):
            kalman_smooth(values, weights, stamps, cutoff_hz)
    weights[:, 1] = 0
    with pytest.raises(DataFormatError, match="without any measurement"):
        kalman_smooth(values, weights, stamps, 6.0)


# Outliers


def noisy(path: np.ndarray, seed: int = 0) -> np.ndarray:
    """A point that follows `path` in x and rests in y, with 0.7 px of noise."""
    points = np.stack([path, np.zeros_like(path)], axis=-1)[:, None]
    return points + np.random.default_rng(seed).normal(0, 0.7, points.shape)


def robust(values: np.ndarray, cutoff_hz: float = 6.0, tolerance: float = 8.0) -> tuple[np.ndarray, np.ndarray]:
    stamps = np.arange(len(values)) * FRAME_S
    result, outliers = robust_smooth(values, np.ones(values.shape[:2]), stamps, cutoff_hz, tolerance)
    return result[:, 0, 0], outliers[:, 0]


STAMPS = np.arange(300) * FRAME_S
PATHS = {
    "rest": np.zeros(300),
    "slow": 150 * np.sin(2 * np.pi * 0.3 * STAMPS),
    "waving at 2 Hz": 80 * np.sin(2 * np.pi * 2 * STAMPS),
}


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
@pytest.mark.parametrize("spike", [[150], [150, 151]], ids=["one frame", "two frames"])
def test_a_joint_that_jumps_away_for_a_frame_or_two_is_brought_back(path: np.ndarray, spike: list[int]):
    values = noisy(path)
    values[spike, 0, 0] += 100
    result, outliers = robust(values)
    assert np.abs(result - path).max() < 6
    assert set(spike) <= set(np.flatnonzero(outliers)) <= set(range(148, 154))
    plain = smooth(values[:, 0, 0], STAMPS)
    assert np.abs(plain - path).max() > 40


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_without_outliers_it_is_the_plain_smoother(path: np.ndarray):
    values = noisy(path)
    result, outliers = robust(values)
    assert not outliers.any()
    assert np.abs(result - smooth(values[:, 0, 0], STAMPS)).max() < 1


def bump(amplitude: float, length_s: float) -> np.ndarray:
    phase = np.clip((STAMPS - 5) / length_s, 0, 1)
    return amplitude / 2 * (1 - np.cos(2 * np.pi * phase))


BURSTS = {
    "a punch of 0.4 m in 0.3 s": bump(100, 0.3),
    "a jump of 0.4 m in 0.5 s": bump(100, 0.5),
    "a shake of 0.2 m at 3 Hz": 30 * np.where((STAMPS > 4) & (STAMPS < 6), np.sin(2 * np.pi * 3 * STAMPS), 0),
}


@pytest.mark.parametrize("path", BURSTS.values(), ids=BURSTS)
def test_a_short_fast_movement_of_somebody_who_stands_still_is_not_erased(path: np.ndarray):
    values = noisy(path)
    result, outliers = robust(values)
    acceleration, plain = (np.diff(x, 2) for x in (result, smooth(path, STAMPS)))
    kept = (acceleration * plain).sum() / (plain**2).sum()
    assert kept == pytest.approx(1, abs=0.05)
    assert outliers.sum() <= 1


def test_outliers_do_not_depend_on_how_much_is_smoothed():
    values = noisy(PATHS["waving at 2 Hz"])
    values[150, 0, 0] += 100
    flags = [robust(values, cutoff_hz)[1] for cutoff_hz in (1.0, 3.0, 6.0)]
    np.testing.assert_array_equal(flags[0], flags[2])
    np.testing.assert_array_equal(flags[1], flags[2])


def test_exact_data_have_no_outliers_but_the_one_put_in():
    values = np.zeros((60, 1, 2))
    assert not robust(values, tolerance=0.0)[1].any()
    values[30, 0, 1] = 50
    _, outliers = robust(values)
    assert np.flatnonzero(outliers).tolist() == [30]


def test_missing_samples_are_no_outliers():
    values, weights = noisy(PATHS["rest"]), np.ones((300, 1))
    weights[100:110] = 0
    values[100:110] = 1e6
    result, outliers = robust_smooth(values, weights, STAMPS, 6.0, 8.0)
    assert not outliers.any()
    assert np.abs(result).max() < 4


# Tracks


def make_track(frames: np.ndarray, keypoints: np.ndarray, confidence: np.ndarray | None = None, depth: bool = True):
    confidence = np.ones(keypoints.shape[:2]) if confidence is None else confidence
    positions = np.concatenate([keypoints, keypoints[..., :1]], axis=-1) / 250 if depth else None
    return PoseTrack(1, frames, keypoints, confidence, positions, np.zeros((len(frames), 4)))


def walking(n_frames: int) -> np.ndarray:
    """Four joints of a person 400 px high who crosses the picture."""
    body = np.array([[0, 0], [0, 200], [40, 400], [-40, 400]], dtype=float)
    return body + 5.0 * np.arange(n_frames)[:, None, None] * np.array([1, 0.1])


def test_frames_without_the_person_are_filled():
    truth, frames = walking(40), np.concatenate([np.arange(3, 15), np.arange(20, 40)])
    clean = clean_track(make_track(frames, truth[frames]), np.arange(60) * FRAME_S)
    np.testing.assert_array_equal(clean.frames, np.arange(3, 40))
    np.testing.assert_allclose(clean.keypoints_px, truth[3:], atol=1e-3)
    np.testing.assert_allclose(clean.positions_m[..., :2], truth[3:] / 250, atol=1e-5)
    np.testing.assert_array_equal(clean.confidence.any(axis=1), np.isin(clean.frames, frames))
    assert (clean.interpolated_poses, clean.missing_joints, clean.outlier_joints) == (5, 0, 0)
    assert len(clean) == 37


def test_joints_are_counted_that_are_not_seen_or_seen_where_they_cannot_be():
    keypoints, confidence = walking(60), np.ones((60, 4))
    keypoints = keypoints + np.random.default_rng(6).normal(0, 0.5, keypoints.shape)
    confidence[10:13, 2] = 0.29
    keypoints[30, 1] += 90
    clean = clean_track(make_track(np.arange(60), keypoints, confidence), np.arange(60) * FRAME_S)
    assert (clean.missing_joints, clean.outlier_joints) == (3, 1)
    assert np.abs(clean.keypoints_px - walking(60)).max() < 4


def test_a_hidden_joint_leans_on_its_neighbours_in_time():
    keypoints, confidence = walking(60), np.ones((60, 4))
    keypoints[30:34, 1] += 6
    seen = clean_track(make_track(np.arange(60), keypoints, confidence), np.arange(60) * FRAME_S)
    confidence[30:34, 1] = 0.05
    hidden = clean_track(make_track(np.arange(60), keypoints, confidence), np.arange(60) * FRAME_S)
    error = [np.abs(clean.keypoints_px - walking(60))[:, 1].max() for clean in (seen, hidden)]
    assert error[0] > 4
    assert error[1] < 0.5


def test_twice_the_resolution_gives_twice_the_pixels_and_the_same_outliers():
    keypoints = walking(60) + np.random.default_rng(7).normal(0, 1, (60, 4, 2))
    keypoints[[20, 40], [0, 3]] += 60
    small, large = (
        clean_track(make_track(np.arange(60), scale * keypoints, depth=False), np.arange(60) * FRAME_S)
        for scale in (1.0, 2.0)
    )
    np.testing.assert_allclose(large.keypoints_px, 2 * small.keypoints_px, atol=1e-6)
    assert small.outlier_joints == large.outlier_joints == 2
    assert small.positions_m is None


def test_the_clock_of_the_clip_is_used():
    stamps = np.concatenate([np.arange(30) * 0.02, 0.6 + np.arange(30) * 0.05])
    keypoints = walking(1) + 200 * stamps[:, None, None]
    clean = clean_track(make_track(np.arange(20, 60), keypoints[20:]), stamps)
    np.testing.assert_allclose(clean.keypoints_px, keypoints[20:], atol=1e-3)


def test_a_lower_cutoff_smooths_more():
    keypoints = walking(90) + np.random.default_rng(8).normal(0, 1, (90, 4, 2))
    rough = [
        np.diff(
            clean_track(make_track(np.arange(90), keypoints), np.arange(90) * FRAME_S, cutoff_hz=cutoff).keypoints_px,
            n=2,
            axis=0,
        ).std()
        for cutoff in (8.0, 4.0, 2.0)
    ]
    assert rough[0] > 2 * rough[1] > 4 * rough[2]
