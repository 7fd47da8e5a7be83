"""The rotation between two sensors that never measured together, from what each measured of the same classes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.spatial.transform import Rotation

_MAX_ITERATIONS = 30
_CONVERGED_RAD = 1e-3
_NEWTON_STEPS = 6
_NEWTON_STEP_RAD = 0.3
# How much the shapes of the covariances, whose trace is one, count beside the class means over their spread.
_COVARIANCE_WEIGHT = 0.8
# Class means that differ by less (m/s^2) say no more than they would by noise and posture.
_LEAST_SPREAD = 0.5
# Evidence counts if it is clear of zero by so many of its standard errors over the classes,
_CLEAR_ERRORS = 2.0
# and sums up to more than this a unit of weight: means 0.05 m/s^2 apart, or hardly any direction of motion, give it.
_NOTICEABLE = 1e-2
_AGREEMENT_RAD = np.deg2rad(30.0)
# Generators of the rotations about x, y, z: their product with a vector is the cross product of the axis with it.
_GENERATORS = np.cross(np.eye(3)[:, None, :], np.eye(3)[None]).swapaxes(1, 2)


class Moments(NamedTuple):
    """What one sensor measured, class by class.

    means : ndarray of shape (n_classes, 3)
        Mean specific force in m/s^2.
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
    the spread of the second sensor's, 0.5 m/s^2 at least; C are covariances over their trace, since a video is smoother
    than a sensor. The means alone are Wahba's problem, which a singular value decomposition solves. With B and K the
    sums over classes of outer and Kronecker products, what is left to maximise is <B, R> + vec(R)^T K vec(R). It starts
    from the 24 rotations of a cube around Wahba's solution: covariances do not tell a frame from one turned by 180
    degrees about one of their axes.

    The confidence is the share of resamples of the classes (with replacement) that give a rotation within 30 degrees of
    this one. It is zero where the classes do not tell this rotation from another optimum further away, or not how far
    it is turned about some axis: where the difference of the values, or the curvature about that axis (of either, each
    class's square root), is not clear of zero by two of its standard errors over the classes, or is too small to
    notice.
    """
    linear, quadratic = _objective(first, second, weights)
    totals = linear.sum(axis=0), quadratic.sum(axis=0)
    found = _polish(_ascend(_starts(totals[0]), *totals), *totals)
    values = _values(found, linear[:, None], quadratic[:, None])
    best = np.argmax(values.sum(axis=0))
    rotation, far = found[best], angle_between(found, found[best]) > _AGREEMENT_RAD
    axes = np.linalg.eigh(_derivatives(rotation, *totals)[1])[1].T
    curvatures = axes[0] @ _derivatives(rotation, linear, quadratic)[1] @ axes[0]
    evidence = np.vstack([(values[:, [best]] - values[:, far]).T, curvatures])
    if not _is_clear(evidence, weights.sum()).all():
        return RotationFit(rotation, 0.0)
    half_turns = Rotation.from_rotvec(np.pi * axes).as_matrix() @ rotation
    starts = _distinct(np.concatenate([[rotation], found[far], half_turns]))
    return RotationFit(rotation, _agreement(starts, linear, quadratic, n_resamples, rng))


def _agreement(
    starts: np.ndarray, linear: np.ndarray, quadratic: np.ndarray, n_resamples: int, rng: np.random.Generator
) -> float:
    """The share of resamples of the classes whose best rotation is within 30 degrees of the first of `starts`."""
    n_classes = len(linear)
    counts = rng.multinomial(n_classes, np.full(n_classes, 1 / n_classes), size=n_resamples)
    linear, quadratic = (np.tensordot(counts, each, axes=1) for each in (linear, quadratic))
    rotations = _ascend(np.broadcast_to(starts, (n_resamples, *starts.shape)), linear[:, None], quadratic[:, None])
    winners = np.argmax(_values(rotations, linear[:, None], quadratic[:, None]), axis=1)
    return float(np.mean(angle_between(rotations[np.arange(n_resamples), winners], starts[0]) < _AGREEMENT_RAD))


def _objective(first: Moments, second: Moments, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each class's share of B (n_classes, 3, 3) and of K (n_classes, 9, 9), the latter for vec(R) in row-major order.

    Of the covariances only what differs from a sphere is taken: the rest adds a constant.
    """
    spread = max(np.sqrt(np.mean((second.means - second.means.mean(axis=0)) ** 2)), _LEAST_SPREAD)
    linear = np.einsum("c,ci,cj->cij", weights / spread**2, second.means, first.means)
    shapes = _shapes(second.covariances), _shapes(first.covariances)
    quadratic = np.einsum("c,qcik,qcjl->cijkl", _COVARIANCE_WEIGHT * weights, *shapes)
    return linear, quadratic.reshape(-1, 9, 9)


def _shapes(covariances: np.ndarray) -> np.ndarray:
    """Covariances over their trace, less that of a sphere."""
    trace = np.trace(covariances, axis1=-2, axis2=-1)[..., None, None]
    sphere = np.broadcast_to(np.eye(3) / 3, covariances.shape)
    return np.divide(covariances, trace, out=sphere.copy(), where=trace > 1e-12) - sphere


def _starts(linear: np.ndarray) -> np.ndarray:
    """The 24 rotations of a cube around Wahba's solution, which comes first."""
    cube = Rotation.create_group("O").as_matrix()
    cube = cube[np.argsort(-np.trace(cube, axis1=1, axis2=2), kind="stable")]
    return cube @ nearest_rotation(linear)


def _ascend(rotations: np.ndarray, linear: np.ndarray, quadratic: np.ndarray) -> np.ndarray:
    """Climb from `rotations` (..., 3, 3).

    If K is positive semi-definite, replacing R by the rotation nearest to B + 2 K vec(R) never makes it worse. A
    multiple of the identity makes it so and adds a constant, as |vec(R)|^2 = 3; the smallest climbs fastest.
    """
    lowest = np.linalg.eigvalsh(quadratic)[..., :1, None]
    quadratic = quadratic - lowest * np.eye(9)
    for _ in range(_MAX_ITERATIONS):
        before = rotations
        rotations = nearest_rotation(_pull(rotations, linear, quadratic))
        if angle_between(before, rotations).max() < _CONVERGED_RAD:
            break
    return rotations


def _polish(rotations: np.ndarray, linear: np.ndarray, quadratic: np.ndarray) -> np.ndarray:
    """Newton's steps, uphill where the curvature is negative, and short: ties are told by the last digits."""
    for _ in range(_NEWTON_STEPS):
        slopes, curvatures = _derivatives(rotations, linear, quadratic)
        bends, axes = np.linalg.eigh(curvatures)
        along = np.einsum("...ij,...i->...j", axes, slopes)
        bends = np.maximum(np.abs(bends), 1e-9 * np.abs(bends).max() + 1e-300)
        steps = np.einsum("...ij,...j->...i", axes, along / bends)
        length = np.linalg.norm(steps, axis=-1, keepdims=True)
        steps *= np.minimum(1.0, _NEWTON_STEP_RAD / np.maximum(length, 1e-300))
        rotations = Rotation.from_rotvec(steps).as_matrix() @ rotations
    return rotations


def _derivatives(rotations: np.ndarray, linear: np.ndarray, quadratic: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gradient (..., 3) and minus the Hessian (..., 3, 3) of the value in a rotation vector applied from the left."""
    turned = _vec(_GENERATORS @ rotations[..., None, :, :])
    pull = _pull(rotations, linear, quadratic)
    torque = pull @ rotations.swapaxes(-1, -2)
    trace = np.trace(torque, axis1=-2, axis2=-1)[..., None, None]
    curvature = trace * np.eye(3) - (torque + torque.swapaxes(-1, -2)) / 2
    return (
        (turned @ _vec(pull)[..., None])[..., 0],
        curvature - 2 * turned @ quadratic @ turned.swapaxes(-1, -2),
    )


def _pull(rotations: np.ndarray, linear: np.ndarray, quadratic: np.ndarray) -> np.ndarray:
    """B + 2 K vec(R), (..., 3, 3)."""
    bent = (quadratic @ _vec(rotations)[..., None])[..., 0]
    return linear + 2 * bent.reshape(*bent.shape[:-1], 3, 3)


def _values(rotations: np.ndarray, linear: np.ndarray, quadratic: np.ndarray) -> np.ndarray:
    """<B, R> + vec(R)^T K vec(R), (...)."""
    vectors = _vec(rotations)
    half = _vec(linear) + (quadratic @ vectors[..., None])[..., 0]
    return np.sum(vectors * half, axis=-1)


def _is_clear(evidence: np.ndarray, weight: float) -> np.ndarray:
    """Whether each row (n_classes,) of evidence adds up to something that other classes would show, too."""
    # Square roots, so that one telling class among others that tell less is not taken for noise.
    roots = np.sign(evidence) * np.sqrt(np.abs(evidence))
    errors = np.sqrt(roots.shape[1] * roots.var(axis=1, ddof=1))
    return (roots.sum(axis=1) > _CLEAR_ERRORS * errors) & (evidence.sum(axis=1) > _NOTICEABLE * weight)


def _distinct(rotations: np.ndarray) -> np.ndarray:
    """Those that are no nearer than 30 degrees to an earlier one."""
    kept: list[np.ndarray] = []
    for rotation in rotations:
        if not kept or angle_between(np.array(kept), rotation).min() > _AGREEMENT_RAD:
            kept.append(rotation)
    return np.array(kept)


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
