"""What a rigidly mounted inertial sensor measures, from its exact pose over time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from har_virtual.exceptions import DataFormatError
from har_virtual.rotation import angular_velocity, check_rotations, continuous_quaternions, rotation_matrices
from har_virtual.signal import check_timestamps, lowpass, quintic_spline, typical_rate

MagneticField = ArrayLike | Callable[[np.ndarray, np.ndarray], np.ndarray]


def simulate_sensor(
    positions_m: ArrayLike,
    rotations: ArrayLike,
    timestamps_s: ArrayLike,
    *,
    times_s: ArrayLike | None = None,
    gravity: bool = True,
    gravity_m_s2: float = 9.80665,
    magnetic_field_ut: MagneticField = (0.0, 20.0, -45.0),
    cutoff_hz: float | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Simulate an ideal accelerometer, gyroscope and magnetometer.

    With R the rotation from sensor to world, a the acceleration in the world, g = (0, 0, -gravity_m_s2) and B the
    magnetic field, the sensor reads the specific force R^T (a - g), the angular velocity in its own frame and R^T B.
    Still and level the accelerometer reads +9.81 m/s2 on the axis that points up.

    Positions pass through a quintic spline, a being its second derivative. Orientations pass through a quintic spline
    of sign-continuous quaternions q, and omega = 2 Im(conj(q) dq/dt) / |q|^2. Stamps may be uneven. The last few
    samples at either end are less exact, for a spline has only one side to lean on there.

    Parameters
    ----------
    positions_m : array-like of shape (T, 3) or (T, S, 3)
        World position, Z up, of one sensor or of S sensors at once; T >= 4.
    rotations : array-like of shape (T, 3, 3) or (T, S, 3, 3)
        Sensor to world. A turn of more than 180 degrees between two stamps cannot be told from a smaller one.
    timestamps_s : array-like of shape (T,)
        Strictly increasing.
    times_s : array-like of shape (N,), optional
        When to read the sensor, within the stamps; by default at the stamps.
    gravity : bool, default=True
        False gives R^T a.
    gravity_m_s2 : float, default=9.80665
        Magnitude of gravity.
    magnetic_field_ut : array-like of shape (3,) or callable, default=(0, 20, -45)
        Field in uT along world x, y and z (east, north, up), or a function of positions (M, 3) in metres and times
        (M,) in seconds that returns (M, 3).
    cutoff_hz : float, optional
        Low-pass positions and quaternions here (-3 dB) before differentiating; uneven stamps are first brought to
        their typical rate by spline. By default nothing is smoothed.

    Returns
    -------
    acc, gyr, mag : ndarray of shape (N, 3) or (N, S, 3)
        m/s2, rad/s, uT, along the axes of the sensor.

    Raises
    ------
    DataFormatError
        If shapes do not agree, values are not finite, stamps do not increase, rotations are not orthonormal within
        1e-3 or times_s leave the stamps.
    ValueError
        If cutoff_hz is not below half the typical rate.

    Examples
    --------
    >>> import numpy as np
    >>> times = np.arange(10) / 30
    >>> acc, gyr, mag = simulate_sensor(np.zeros((10, 3)), np.tile(np.eye(3), (10, 1, 1)), times)
    >>> acc[0].round(2).tolist(), mag[0].round(2).tolist()
    ([0.0, 0.0, 9.81], [0.0, 20.0, -45.0])
    """
    stamps = check_timestamps(timestamps_s, n_minimum=4)
    positions, rotations = _check_poses(positions_m, rotations, len(stamps))
    times = _check_times(times_s, stamps)
    quaternions = continuous_quaternions(rotations)
    if cutoff_hz is not None:
        stamps, positions, quaternions = smooth_poses(stamps, positions, quaternions, cutoff_hz)

    path, turning = quintic_spline(stamps, positions), quintic_spline(stamps, quaternions)
    q = turning(times)
    to_sensor = np.swapaxes(rotation_matrices(q), -1, -2)
    acceleration = path.derivative(2)(times)
    if gravity:
        acceleration[..., 2] += gravity_m_s2
    field = _field(magnetic_field_ut, path, times)
    acc = np.einsum("...ij,...j->...i", to_sensor, acceleration)
    mag = np.einsum("...ij,...j->...i", to_sensor, field)
    return acc, angular_velocity(q, turning.derivative()(times)), mag


def _check_poses(positions_m: ArrayLike, rotations: ArrayLike, n_frames: int) -> tuple[np.ndarray, np.ndarray]:
    positions = np.asarray(positions_m, dtype=np.float64)
    if positions.ndim not in (2, 3) or positions.shape[0] != n_frames or positions.shape[-1] != 3:
        raise DataFormatError(
            f"positions_m must be of shape ({n_frames}, 3) or ({n_frames}, S, 3), one row a stamp, "
            f"not {positions.shape}."
        )
    if not np.isfinite(positions).all():
        frames = np.flatnonzero(~np.isfinite(positions).reshape(n_frames, -1).all(axis=1))
        raise DataFormatError(
            f"positions_m has NaN or infinite values in {len(frames)} frames, first in frame {frames[0]}; simulate "
            "each stretch between the holes by itself, or fill them first."
        )
    rotations = check_rotations(rotations)
    if rotations.shape[:-1] != positions.shape:
        raise DataFormatError(
            f"rotations must be of shape {(*positions.shape, 3)} to go with positions_m of shape {positions.shape}, "
            f"not {rotations.shape}."
        )
    return positions, rotations


def _check_times(times_s: ArrayLike | None, stamps: np.ndarray) -> np.ndarray:
    if times_s is None:
        return stamps
    times = np.asarray(times_s, dtype=np.float64)
    tolerance = 1e-4 * (stamps[-1] - stamps[0]) / (len(stamps) - 1)
    if times.ndim != 1 or not np.all((times >= stamps[0] - tolerance) & (times <= stamps[-1] + tolerance)):
        raise DataFormatError(
            f"times_s must be 1-D and within the stamps, {stamps[0]:g} to {stamps[-1]:g} s: motion is not extrapolated."
        )
    return np.clip(times, stamps[0], stamps[-1])


def smooth_poses(
    stamps: np.ndarray, positions: np.ndarray, quaternions: np.ndarray, cutoff_hz: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Low-pass positions (T, ..., 3) and continuous quaternions (T, ..., 4); give their even stamps, too."""
    duration_s = stamps[-1] - stamps[0]
    intervals = int(np.ceil(duration_s * typical_rate(stamps) - 1e-3))
    uniform, rate = np.linspace(stamps[0], stamps[-1], intervals + 1), intervals / duration_s
    if len(uniform) != len(stamps) or not np.allclose(stamps, uniform, rtol=0, atol=1e-6 / rate):
        positions = quintic_spline(stamps, positions)(uniform)
        quaternions = quintic_spline(stamps, quaternions)(uniform)
    quaternions = lowpass(quaternions, rate, cutoff_hz)
    quaternions /= np.linalg.norm(quaternions, axis=-1, keepdims=True)
    return uniform, lowpass(positions, rate, cutoff_hz), quaternions


def _field(magnetic_field_ut: MagneticField, path: Callable, times: np.ndarray) -> np.ndarray:
    """World field at the sensors, broadcastable to (N, ..., 3)."""
    if not callable(magnetic_field_ut):
        field = np.asarray(magnetic_field_ut, dtype=np.float64)
        if field.shape != (3,):
            raise DataFormatError(
                f"magnetic_field_ut must be three numbers (east, north, up) or a function, got {field.shape}."
            )
        return field
    positions = path(times)
    points = positions.reshape(-1, 3)
    n_sensors = positions.shape[1] if positions.ndim == 3 else 1
    field = np.asarray(magnetic_field_ut(points, np.repeat(times, n_sensors)), dtype=np.float64)
    if field.shape != points.shape:
        raise DataFormatError(
            f"magnetic_field_ut returned shape {field.shape} for {len(points)} positions, not {points.shape}."
        )
    return field.reshape(positions.shape)
