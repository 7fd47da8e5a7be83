"""The rotation between two sensors that never measured together, from what each measured of the same classes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.spatial.transform import Rotation

_MAX_ITERATIONS = 60
_CONVERGED_RAD = 1e-3
# How much the shapes of the covariances, whose trace is one, count beside the class means over their spread.
_COVARIANCE_WEIGHT = 0.8
# Curvature of a direction that the data say nothing about, relative to that of the best known one.
_UNDECIDED = 1e-3
# Two rotations whose values differ by less, relative to the value, are equally good.
_TIED = 1e-6
_AGREEMENT_RAD = np.deg2rad(30.0)


class Moments(NamedTuple):
    """What one sensor measured, class by class.

    means : ndarray of shape (n_classes, 3)
        Mean specific force.
    covariances : ndarray of shape (n_quantities, n_classes, 3, 3)
    """

    means: np.ndarray
    covariances: np.ndarray


class RotationFit(NamedTuple):
    """A rotation from the first sensor's frame to the second's, and how sure it is, 0 to 1."""

    rotation: np.ndarray
    confidence: float


def fit_rotation(
    first: Moments, second: Moments, weights: np.ndarray, *, n_resamples: int, rng: np.random.Generator
) -> RotationFit:
    """Find the rotation R that turns the first sensor's moments into the second's.

    Minimised is sum_c w_c (|m_c - R m'_c|^2 / s^2 + 0.8 sum_q |C_cq - R C'_cq R^T|^2): m are mean specific forces and s
    the spread of the second sensor's; C are covariances over their trace, since a video is smoother than a sensor.
    The means alone are Wahba's problem, which a singular value decomposition solves. With B and K the sums over classes
    of outer and Kronecker products, what is left to maximise is <B, R> + vec(R)^T K vec(R). As K is positive
    semi-definite, replacing R by the rotation nearest to B + 2 K vec(R) never makes it worse. It starts from the 24
    rotations of a cube around Wahba's solution: covariances do not tell a frame from one turned by 180 degrees about
    one of their axes.

    The confidence is the share of resamples of the classes (with replacement) that give a rotation within 30 degrees of
    this one. It is zero where turning about some axis changes nothing, or a rotation far away is as good.
    """
    n_classes = len(weights)
    counts = rng.multinomial(n_classes, np.full(n_classes, 1 / n_classes), size=n_resamples)
    linear, quadratic = _objective(first, second, np.concatenate([weights[None], weights * counts]))
    found, values = _ascend(linear, quadratic)
    rotations = found[np.arange(len(found)), np.argmax(values, axis=1)]
    best = rotations[0]
    curvatures = np.linalg.eigvalsh(_curvature(best, linear[0], quadratic[0]))
    rivals = values[0][angle_between(found[0], best) > _AGREEMENT_RAD]
    tied = values[0].max() - rivals.max(initial=-np.inf) < _TIED * abs(values[0].max())
    decided = curvatures[0] > _UNDECIDED * curvatures[2] and not tied
    agreement = np.mean(angle_between(rotations[1:], best) < _AGREEMENT_RAD)
    return RotationFit(best, float(agreement) if decided else 0.0)


def _objective(first: Moments, second: Moments, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """B (n, 3, 3) and K (n, 9, 9), the latter for vec(R) in row-major order, for each row of weights (n, n_classes)."""
    spread = np.sqrt(np.mean((second.means - second.means.mean(axis=0)) ** 2))
    scale = 0.0 if spread < 1e-9 else 1 / spread**2
    linear = scale * np.einsum("nc,ci,cj->nij", weights, second.means, first.means)
    quadratic = np.einsum(
        "nc,qcik,qcjl->nijkl", weights, _unit_trace(second.covariances), _unit_trace(first.covariances), optimize=True
    )
    return linear, _COVARIANCE_WEIGHT * quadratic.reshape(-1, 9, 9)


def _ascend(linear: np.ndarray, quadratic: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rotations (n, 24, 3, 3) reached from 24 starts, and their values (n, 24)."""
    starts = Rotation.create_group("O").as_matrix()
    # The identity first, so that of equal ones the unturned is taken.
    starts = starts[np.argsort(-np.trace(starts, axis1=1, axis2=2), kind="stable")]
    rotations = starts @ nearest_rotation(linear)[:, None]
    for _ in range(_MAX_ITERATIONS):
        before = rotations
        pull = np.einsum("nab,nsb->nsa", quadratic, _vec(rotations)).reshape(rotations.shape)
        rotations = nearest_rotation(linear[:, None] + 2 * pull)
        if angle_between(before, rotations).max() < _CONVERGED_RAD:
            break
    vectors = _vec(rotations)
    values = np.einsum("nsa,na->ns", vectors, _vec(linear)) + np.einsum("nsa,nab,nsb->ns", vectors, quadratic, vectors)
    return rotations, values


def _curvature(rotation: np.ndarray, linear: np.ndarray, quadratic: np.ndarray) -> np.ndarray:
    """Minus the Hessian (3, 3) of the objective in a rotation vector applied from the left."""
    generators = np.cross(np.eye(3)[:, None, :], np.eye(3)[None]).swapaxes(1, 2)
    once = _vec(generators @ rotation)
    products = generators[:, None] @ generators[None]
    twice = _vec((products + products.swapaxes(0, 1)) / 2 @ rotation)
    pull = _vec(linear) + 2 * quadratic @ _vec(rotation)
    return -(twice @ pull + 2 * once @ quadratic @ once.T)


def nearest_rotation(matrices: np.ndarray) -> np.ndarray:
    """Give the rotations R that maximise <M, R>, (..., 3, 3)."""
    left, _, right = np.linalg.svd(matrices)
    left[..., :, 2] *= np.sign(np.linalg.det(left @ right))[..., None]
    return left @ right


def angle_between(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Angle in rad between rotations, (...)."""
    return np.arccos(np.clip((np.einsum("...ij,...ij->...", first, second) - 1) / 2, -1.0, 1.0))


def _vec(matrices: np.ndarray) -> np.ndarray:
    return matrices.reshape(*matrices.shape[:-2], 9)


def _unit_trace(covariances: np.ndarray) -> np.ndarray:
    trace = np.trace(covariances, axis1=-2, axis2=-1)[..., None, None]
    return np.divide(covariances, trace, out=np.zeros_like(covariances), where=trace > 1e-12)
