"""Where a person stands before the camera: IMUTube, equations 2 and 3."""

from __future__ import annotations

from typing import Literal

import numpy as np

from har_virtual._optional import import_optional
from har_virtual.camera.intrinsics import Intrinsics
from har_virtual.exceptions import DataFormatError

NEAR_M = 0.3
"""No joint stands nearer to the camera."""

_ITERATIONS = 5
_MIN_WEIGHT = 1e-3


def place_person(
    positions_m: np.ndarray,
    keypoints_px: np.ndarray,
    weights: np.ndarray,
    intrinsics: Intrinsics,
    method: Literal["translation", "paper"] = "translation",
) -> tuple[np.ndarray, np.ndarray]:
    """Find, in each frame, the rotation and translation that put a 3D pose onto its 2D keypoints.

    Parameters
    ----------
    positions_m : array of shape (n_frames, n_joints, 3)
        Camera-oriented pose about any origin in the person: x right, y down, z forward.
    keypoints_px : array of shape (n_frames, n_joints, 2)
    weights : array of shape (n_frames, n_joints)
        How much each joint counts, at least three joints above 0 in every frame.
    intrinsics : Intrinsics
    method : {"translation", "paper"}, default="translation"
        "paper" fits rotation and translation (equation 2) by OpenCV's iterative PnP, from the frame before.
        "translation" fixes the rotation to the one between the optical axis and the ray to the person, because a
        pose network sees the person along that ray, and fits the translation by weighted least squares. A free
        rotation absorbs errors of the pose and is differentiated twice.

    Returns
    -------
    rotations : array of shape (n_frames, 3, 3)
    translations_m : array of shape (n_frames, 3)
        Equation 3: ``rotations @ position + translation`` is the joint in the camera frame, before the camera.

    Raises
    ------
    DataFormatError
        If shapes disagree, values are not finite or a frame has fewer than three joints with weight.
    """
    positions_m, keypoints_px = np.asarray(positions_m, dtype=np.float64), np.asarray(keypoints_px, dtype=np.float64)
    weights = np.clip(np.asarray(weights, dtype=np.float64), 0.0, None)
    shape = weights.shape
    if weights.ndim != 2 or positions_m.shape != (*shape, 3) or keypoints_px.shape != (*shape, 2):
        raise DataFormatError(
            f"place_person: positions_m {positions_m.shape}, keypoints_px {keypoints_px.shape}, weights {shape} differ."
        )
    if not (np.isfinite(positions_m).all() and np.isfinite(keypoints_px).all() and np.isfinite(weights).all()):
        raise DataFormatError("place_person: joints must be finite; give unseen ones weight 0 and any place.")
    if ((weights > 0).sum(axis=1) < 3).any():
        frame = int(np.argmax((weights > 0).sum(axis=1) < 3))
        raise DataFormatError(f"place_person: frame {frame} has fewer than 3 joints with weight above 0.")
    if method == "translation":
        return _translation_only(positions_m, intrinsics.normalize(keypoints_px), weights)
    if method == "paper":
        return _free_rotation(positions_m, keypoints_px, weights, intrinsics)
    raise DataFormatError(f"place_person: method must be 'translation' or 'paper', not {method!r}.")


def ray_rotations(rays: np.ndarray) -> np.ndarray:
    """Give the smallest rotations that turn the optical axis (0, 0, 1) into the rays (n, 2) given as (x/z, y/z)."""
    directions = np.column_stack([rays, np.ones(len(rays))])
    x, y, z = (directions / np.linalg.norm(directions, axis=1, keepdims=True)).T
    shared = -x * y / (1 + z)
    return np.stack(
        [
            np.stack([1 - x**2 / (1 + z), shared, x], axis=-1),
            np.stack([shared, 1 - y**2 / (1 + z), y], axis=-1),
            np.stack([-x, -y, z], axis=-1),
        ],
        axis=-2,
    )


def _translation_only(positions: np.ndarray, rays: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    middle = (weights[..., None] * rays).sum(axis=1) / weights.sum(axis=1, keepdims=True)
    rotations = ray_rotations(middle)
    turned = np.einsum("tij,tkj->tki", rotations, positions)
    translations = np.zeros((len(positions), 3))
    row_weights = weights
    for _ in range(_ITERATIONS):
        translations = _solve(turned, rays, row_weights)
        depth = np.maximum(turned[..., 2] + translations[:, None, 2], NEAR_M)
        # Dividing by the depth turns the linear residual into the one in the picture.
        row_weights = weights / depth**2
    nearest = np.where(weights > 0, turned[..., 2], np.inf).min(axis=1) + translations[:, 2]
    lift = np.maximum(NEAR_M - nearest, 0.0)[:, None]
    return rotations, translations + lift * np.column_stack([middle, np.ones(len(middle))])


def _solve(points: np.ndarray, rays: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Minimise sum w |ray (Z + tz) - (XY + txy)|^2 over the translation, per frame, in closed form."""
    offsets = points[..., :2] - rays * points[..., 2:]
    total = weights.sum(axis=1)
    ray_mean = np.einsum("tk,tki->ti", weights, rays) / total[:, None]
    offset_mean = np.einsum("tk,tki->ti", weights, offsets) / total[:, None]
    ray_spread, offset_spread = rays - ray_mean[:, None], offsets - offset_mean[:, None]
    numerator = np.einsum("tk,tki,tki->t", weights, ray_spread, offset_spread)
    denominator = np.einsum("tk,tki,tki->t", weights, ray_spread, ray_spread)
    depth = numerator / np.maximum(denominator, 1e-15)
    return np.column_stack([ray_mean * depth[:, None] - offset_mean, depth])


def _free_rotation(
    positions: np.ndarray, keypoints: np.ndarray, weights: np.ndarray, intrinsics: Intrinsics
) -> tuple[np.ndarray, np.ndarray]:
    cv2 = import_optional("cv2", feature="pnp='paper'", extra="video")
    start_rotations, start_translations = _translation_only(positions, intrinsics.normalize(keypoints), weights)
    rotations, translations = np.empty_like(start_rotations), np.empty_like(start_translations)
    distortion = np.asarray(intrinsics.distortion) if len(intrinsics.distortion) else None
    vector, translation = cv2.Rodrigues(start_rotations[0])[0], start_translations[0][:, None]
    for t in range(len(positions)):
        seen = weights[t] > _MIN_WEIGHT * weights[t].max()
        fits, new_vector, new_translation = False, vector, translation
        if seen.sum() >= 4:
            fits, new_vector, new_translation = cv2.solvePnP(
                *(positions[t, seen], keypoints[t, seen], intrinsics.matrix, distortion),
                *(vector.copy(), translation.copy()),
                useExtrinsicGuess=True,
                flags=cv2.SOLVEPNP_ITERATIVE,
            )
        if fits and _stands_before_camera(positions[t, seen], cv2.Rodrigues(new_vector)[0], new_translation):
            vector, translation = new_vector, new_translation
            rotations[t], translations[t] = cv2.Rodrigues(vector)[0], translation[:, 0]
        else:
            rotations[t], translations[t] = start_rotations[t], start_translations[t]
            vector, translation = cv2.Rodrigues(rotations[t])[0], translations[t][:, None]
    return rotations, translations


def _stands_before_camera(pose: np.ndarray, rotation: np.ndarray, translation: np.ndarray) -> bool:
    """A pose behind the camera, or one that faces the other way, is a mirror solution and not a fit."""
    depths = pose @ rotation[2] + translation[2, 0]
    return bool(depths.min() > NEAR_M and np.trace(rotation) > 0)
