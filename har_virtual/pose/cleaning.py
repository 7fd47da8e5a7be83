"""Gaps filled and joints smoothed by a Kalman smoother (IMUTube, section 2.2)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from har_virtual.exceptions import DataFormatError
from har_virtual.pose.tracking import PoseTrack

# Spectrum of the smoother: 1 / (1 + (f / f0)^4), which is -3 dB at this multiple of f0.
_HALF_POWER = (np.sqrt(2) - 1) ** 0.25
_MIN_CONFIDENCE = 0.05
# Outliers are told from the path at this cut-off, and further away than this many median residuals.
_OUTLIER_CUTOFF_HZ = 6.0
_OUTLIER = 3.0
_PASSES = 3
# Fast motion strays from its smoothed path, too: of a person's size, what is left to it (3 cm of an adult).
_TOLERANCE = 0.018
# Variance of the prior over that of a measurement.
_WEAK = 1e8


@dataclass(frozen=True, eq=False)
class CleanTrack:
    """One person in every frame from first to last.

    Parameters
    ----------
    track : PoseTrack
        What was found.
    frames : int array of shape (n_frames,)
        Consecutive frame indices.
    keypoints_px : array of shape (n_frames, n_joints, 2)
    confidence : array of shape (n_frames, n_joints)
        0 where the person was not found.
    positions_m : array of shape (n_frames, n_joints, 3) or None
    interpolated_poses, missing_joints, outlier_joints : int
        Frames without the person; joints not seen in the frames with the person; joints seen where they cannot be.
    """

    track: PoseTrack
    frames: np.ndarray
    keypoints_px: np.ndarray
    confidence: np.ndarray
    positions_m: np.ndarray | None
    interpolated_poses: int
    missing_joints: int
    outlier_joints: int

    def __len__(self) -> int:
        return len(self.frames)


def clean_track(
    track: PoseTrack, timestamps_s: np.ndarray, *, cutoff_hz: float = 6.0, min_confidence: float = 0.3
) -> CleanTrack:
    """Fill the frames without the person and smooth every joint.

    A joint's measurement variance grows with the inverse square of its confidence, so a hidden joint leans on its
    neighbours in time. A joint that jumps away for a few frames is weighed down.

    Parameters
    ----------
    track : PoseTrack
    timestamps_s : array of shape (n_frames_of_the_clip,)
    cutoff_hz : float, default=6.0
        Half-power frequency of the smoother for a joint seen with full confidence.
    min_confidence : float, default=0.3
        Joints below it are counted as missing.

    Returns
    -------
    CleanTrack
    """
    frames = np.arange(track.frames[0], track.frames[-1] + 1)
    found = track.frames - frames[0]
    times = timestamps_s[frames]
    confidence = np.zeros((len(frames), track.confidence.shape[1]))
    confidence[found] = track.confidence
    weights = np.zeros_like(confidence)
    weights[found] = np.clip(track.confidence, _MIN_CONFIDENCE, 1.0) ** 2

    def smooth(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        filled = np.zeros((*confidence.shape, values.shape[-1]))
        filled[found] = values
        size = np.median(np.linalg.norm(np.ptp(values, axis=1), axis=-1))
        return robust_smooth(filled, weights, times, cutoff_hz, _TOLERANCE * size)

    keypoints, outliers = smooth(track.keypoints_px)
    return CleanTrack(
        track=track,
        frames=frames,
        keypoints_px=keypoints,
        confidence=confidence,
        positions_m=None if track.positions_m is None else smooth(track.positions_m)[0],
        interpolated_poses=len(frames) - len(track),
        missing_joints=int((track.confidence < min_confidence).sum()),
        outlier_joints=int(outliers.sum()),
    )


def robust_smooth(
    values: np.ndarray, weights: np.ndarray, timestamps_s: np.ndarray, cutoff_hz: float, tolerance: float
) -> tuple[np.ndarray, np.ndarray]:
    """Smooth as `kalman_smooth` does, weighing down samples far from the smoothed path (iterated, Geman and McClure).

    Parameters
    ----------
    values, weights, timestamps_s, cutoff_hz
        As for `kalman_smooth`.
    tolerance : float
        Distance from the path, in the unit of the values, up to which a sample is motion and no outlier. Without it a
        short fast movement of somebody who else stands still would be taken for an error, and erased.

    Returns
    -------
    smooth : array of shape (n_frames, n_points, n_dims)
    outliers : bool array of shape (n_frames, n_points)
        Samples further from the path than `tolerance` and three times the median distance of their point. A distance
        counts times the square root of its weight; the path is that of a smoother at 6 Hz, whatever `cutoff_hz`.
    """
    current, measured = weights, weights > 0
    for _ in range(_PASSES):
        smooth = kalman_smooth(values, current, timestamps_s, _OUTLIER_CUTOFF_HZ)
        residual = np.where(measured, np.linalg.norm(values - smooth, axis=-1) * np.sqrt(weights), 0.0)
        scale = np.nanmedian(np.where(measured, residual, np.nan), axis=0)
        ratio = residual / np.maximum(_OUTLIER * scale, max(tolerance, 1e-12))
        current = weights / (1 + ratio**2) ** 2
    return kalman_smooth(values, current, timestamps_s, cutoff_hz), ratio > 1


def kalman_smooth(values: np.ndarray, weights: np.ndarray, timestamps_s: np.ndarray, cutoff_hz: float) -> np.ndarray:
    """Rauch-Tung-Striebel smoother with nearly constant velocity, along time.

    Between samples a point moves with constant velocity but for white acceleration. Far from the ends and at weight 1
    it is a zero-phase low-pass with half power at `cutoff_hz`: the ratio of the two noises follows from that.

    Parameters
    ----------
    values : array of shape (n_frames, n_points, n_dims)
    weights : array of shape (n_frames, n_points)
        Inverse measurement variance, relative; 0 marks a missing sample, whose value is ignored.
    timestamps_s : array of shape (n_frames,)
    cutoff_hz : float

    Returns
    -------
    array of shape (n_frames, n_points, n_dims)

    Raises
    ------
    DataFormatError
        If a point is never measured or the cut-off is not above 0.

    References
    ----------
    Rauch, Tung, Striebel, Maximum likelihood estimates of linear dynamic systems, AIAA Journal 3(8), 1965.
    """
    if not cutoff_hz > 0:
        raise DataFormatError(f"kalman_smooth: cutoff_hz must be above 0, not {cutoff_hz}.")
    if not (weights > 0).any(axis=0).all():
        raise DataFormatError("kalman_smooth: a point without any measurement cannot be smoothed.")
    steps_s = np.diff(timestamps_s)
    mean_step_s = steps_s.mean() if len(steps_s) else 1.0
    acceleration = mean_step_s * (2 * np.pi * cutoff_hz / _HALF_POWER) ** 4
    variances = np.where(weights > 0, 1 / np.maximum(weights, 1e-12), np.inf)
    means, covariances = _filter(values, variances, steps_s, acceleration)
    return _smooth_backward(means, covariances, steps_s, acceleration)


def _filter(
    values: np.ndarray, variances: np.ndarray, steps_s: np.ndarray, acceleration: float
) -> tuple[np.ndarray, np.ndarray]:
    """Means (T, 2, N, D) of position and velocity, covariances (T, 3, N): position, mixed, velocity."""
    n_frames, n_points, n_dims = values.shape
    means = np.empty((n_frames, 2, n_points, n_dims))
    covariances = np.empty((n_frames, 3, n_points))
    measured = np.isfinite(variances)
    position, velocity = values[np.argmax(measured, axis=0), np.arange(n_points)], np.zeros((n_points, n_dims))
    # A weak prior: anywhere, at any speed that a frame could show.
    p = _WEAK * np.nanmedian(np.where(measured, variances, np.nan), axis=0)
    m, v = np.zeros(n_points), p / (steps_s.mean() if len(steps_s) else 1.0) ** 2
    for t in range(n_frames):
        if t:
            dt = steps_s[t - 1]
            position = position + dt * velocity
            p = p + dt * (2 * m + dt * v) + acceleration * dt**3 / 3
            m = m + dt * v + acceleration * dt**2 / 2
            v = v + acceleration * dt
        # Written so that nothing cancels while the prior is still weak; a missing sample has the share 1.
        share = 1 / (1 + p / variances[t])
        gain_p, gain_v = share * p / variances[t], share * m / variances[t]
        residual = np.where(measured[t][:, None], values[t] - position, 0.0)
        position = position + gain_p[:, None] * residual
        velocity = velocity + gain_v[:, None] * residual
        p, m, v = p * share, m * share, v - gain_v * m
        means[t, 0], means[t, 1] = position, velocity
        covariances[t] = p, m, v
    return means, covariances


def _smooth_backward(
    means: np.ndarray, covariances: np.ndarray, steps_s: np.ndarray, acceleration: float
) -> np.ndarray:
    smooth = np.empty_like(means[:, 0])
    position, velocity = means[-1]
    smooth[-1] = position
    for t in range(len(means) - 2, -1, -1):
        dt = steps_s[t]
        p, m, v = covariances[t]
        # Predicted covariance of t + 1 and the gain P F' / that.
        pp = p + dt * (2 * m + dt * v) + acceleration * dt**3 / 3
        pm = m + dt * v + acceleration * dt**2 / 2
        pv = v + acceleration * dt
        determinant = pp * pv - pm**2
        a, b = p + dt * m, m + dt * v
        gain = np.stack([a * pv - m * pm, m * pp - a * pm, b * pv - v * pm, v * pp - b * pm]) / determinant
        ahead_p = position - (means[t, 0] + dt * means[t, 1])
        ahead_v = velocity - means[t, 1]
        position = means[t, 0] + gain[0][:, None] * ahead_p + gain[1][:, None] * ahead_v
        velocity = means[t, 1] + gain[2][:, None] * ahead_p + gain[3][:, None] * ahead_v
        smooth[t] = position
    return smooth
