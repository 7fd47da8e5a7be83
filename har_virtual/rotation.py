"""Rotations over time: matrices to sign-continuous quaternions and back, angular velocity."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from har_virtual.exceptions import DataFormatError


def check_rotations(rotations: ArrayLike, tolerance: float = 1e-3) -> np.ndarray:
    """Return rotation matrices as float64, or raise DataFormatError if they are none.

    Parameters
    ----------
    rotations : array-like of shape (..., 3, 3)
        Matrices to check.
    tolerance : float, default=1e-3
        Largest entry of |R^T R - I| that passes.

    Returns
    -------
    ndarray of float64 of shape (..., 3, 3)
    """
    rotations = np.asarray(rotations, dtype=np.float64)
    if rotations.shape[-2:] != (3, 3):
        raise DataFormatError(f"rotations must be of shape (..., 3, 3), got {rotations.shape}.")
    if not np.isfinite(rotations).all():
        raise DataFormatError(
            "rotations hold NaN or infinite values; use each stretch between them by itself, or fill them."
        )
    error = np.abs(np.swapaxes(rotations, -1, -2) @ rotations - np.eye(3)).max(initial=0.0)
    if error > tolerance:
        raise DataFormatError(
            f"rotations must be orthonormal, but |R^T R - I| reaches {error:.2g}; remove scale and shear, for instance "
            "by scipy.spatial.transform.Rotation.from_matrix(R).as_matrix()."
        )
    handedness = np.sum(np.cross(rotations[..., 0], rotations[..., 1]) * rotations[..., 2], axis=-1)
    if (handedness < 0).any():
        raise DataFormatError(
            "rotations hold a reflection (determinant -1): one axis has the wrong sign, or two are swapped."
        )
    return rotations


def about_up(angle_deg: float) -> np.ndarray:
    """Give the (3, 3) matrix that turns vectors about the world's z, counter-clockwise as seen from above."""
    cos, sin = np.cos(np.deg2rad(angle_deg)), np.sin(np.deg2rad(angle_deg))
    return np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])


def continuous_quaternions(rotations: ArrayLike) -> np.ndarray:
    """Turn matrices into unit quaternions whose sign never jumps along time.

    Parameters
    ----------
    rotations : array-like of shape (T, ..., 3, 3)
        Proper rotations, time first.

    Returns
    -------
    ndarray of shape (T, ..., 4)
        Quaternions (w, x, y, z). Of q and -q, which mean the same rotation, each frame takes the one nearer to the
        frame before it, so that components can be interpolated.
    """
    quaternions = _quaternions(np.asarray(rotations, dtype=np.float64))
    flips = np.where(np.sum(quaternions[1:] * quaternions[:-1], axis=-1) < 0, -1.0, 1.0)
    quaternions[1:] *= np.cumprod(flips, axis=0)[..., np.newaxis]
    return quaternions


def _quaternions(rotations: np.ndarray) -> np.ndarray:
    """Shepperd's method: 4 q q^T is linear in R, and its row with the largest diagonal gives q without cancellation."""
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = np.moveaxis(rotations, (-2, -1), (0, 1))
    outer = (
        (1 + xx + yy + zz, zy - yz, xz - zx, yx - xy),
        (zy - yz, 1 + xx - yy - zz, xy + yx, xz + zx),
        (xz - zx, xy + yx, 1 - xx + yy - zz, yz + zy),
        (yx - xy, xz + zx, yz + zy, 1 - xx - yy + zz),
    )
    largest = np.argmax([outer[i][i] for i in range(4)], axis=0)
    rows = np.stack([np.choose(largest, column) for column in zip(*outer, strict=True)], axis=-1)
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def rotation_matrices(quaternions: ArrayLike) -> np.ndarray:
    """Turn quaternions (w, x, y, z) of any length but zero into rotation matrices.

    Parameters
    ----------
    quaternions : array-like of shape (..., 4)

    Returns
    -------
    ndarray of shape (..., 3, 3)
    """
    q = np.asarray(quaternions, dtype=np.float64)
    w, x, y, z = np.moveaxis(q / np.linalg.norm(q, axis=-1, keepdims=True), -1, 0)
    rows = (
        (1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        (2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        (2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    )
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def angular_velocity(quaternions: ArrayLike, derivatives: ArrayLike) -> np.ndarray:
    """Angular velocity in the body's own frame, omega = 2 Im(conj(q) dq/dt) / |q|^2.

    The imaginary part leaves out the change of length, so q need not be of unit length.

    Parameters
    ----------
    quaternions, derivatives : array-like of shape (..., 4)
        Body to world, (w, x, y, z), and their derivative by time in 1/s.

    Returns
    -------
    ndarray of shape (..., 3)
        rad/s about the body's x, y and z.
    """
    q, rate = np.asarray(quaternions, dtype=np.float64), np.asarray(derivatives, dtype=np.float64)
    scalar, vector = q[..., :1], q[..., 1:]
    imaginary = scalar * rate[..., 1:] - rate[..., :1] * vector - np.cross(vector, rate[..., 1:])
    return 2 * imaginary / np.sum(q * q, axis=-1, keepdims=True)
