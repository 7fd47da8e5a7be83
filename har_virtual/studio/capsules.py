"""Capsules, and what a pinhole camera sees of them: rays are cut with each capsule inside its box on the picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from har_virtual.camera import Intrinsics
from har_virtual.exceptions import DataFormatError

# A ray along a cone's surface meets it nowhere, one along a cylinder's axis goes through: these keep both from 0 / 0.
_MIN_SQUARE, _MIN_DISCRIMINANT = 1e-9, 1e-12


@dataclass(frozen=True, eq=False)
class Capsules:
    """Balls drawn out along a line: cylinders or cones with round ends. ``+`` puts two sets together.

    Parameters
    ----------
    starts_m, ends_m : array of shape (n, 3)
        Middles of the round ends; where both agree, the capsule is a ball.
    radii_m : array of shape (n,)
        At the start.
    colors : array of shape (n, 3)
        Red, green and blue from 0 to 1.
    persons : array of shape (n,)
        0 for scenery, k for person k.
    end_radii_m : array of shape (n,), optional
        At the end; by default as at the start.

    Raises
    ------
    DataFormatError
        If the shapes do not fit, a number is not finite, a radius is not above 0, a colour is outside 0 to 1, or one
        end lies within the other.

    Examples
    --------
    >>> from har_virtual.studio import Capsules
    >>> ball = Capsules([[0, 4, 1]], [[0, 4, 1]], [0.1], [[1, 0, 0]], [0])
    >>> len(ball + ball)
    2
    """

    starts_m: np.ndarray
    ends_m: np.ndarray
    radii_m: np.ndarray
    colors: np.ndarray
    persons: np.ndarray
    # What may be left out is an array from __post_init__ on.
    end_radii_m: Any = None

    def __post_init__(self) -> None:
        if self.end_radii_m is None:
            object.__setattr__(self, "end_radii_m", self.radii_m)
        for field in fields(self):
            dtype = np.int64 if field.name == "persons" else np.float64
            object.__setattr__(self, field.name, np.asarray(getattr(self, field.name), dtype=dtype))
        shapes = [getattr(self, field.name).shape for field in fields(self)]
        n = self.radii_m.size
        if shapes != [(n, 3), (n, 3), (n,), (n, 3), (n,), (n,)]:
            raise DataFormatError(f"Capsules: shapes must be (n, 3), (n, 3), (n,), (n, 3), (n,), (n,), not {shapes}.")
        if not (np.isfinite(self.starts_m).all() and np.isfinite(self.ends_m).all()):
            raise DataFormatError("Capsules: starts_m and ends_m must be finite.")
        radii = np.stack([self.radii_m, self.end_radii_m])
        if not ((radii > 0) & np.isfinite(radii)).all() or not ((self.colors >= 0) & (self.colors <= 1)).all():
            raise DataFormatError("Capsules: radii must be finite and above 0, colors between 0 and 1.")
        if (np.abs(radii[1] - radii[0]) > 0.99 * self.lengths_m).any():
            raise DataFormatError("Capsules: the radii of both ends must differ by less than their distance.")

    @classmethod
    def none(cls) -> Capsules:
        """Give an empty set."""
        return cls(np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(0), np.zeros((0, 3)), np.zeros(0))

    @property
    def lengths_m(self) -> np.ndarray:
        """Distance (n,) between the middles of both ends."""
        return np.linalg.norm(self.ends_m - self.starts_m, axis=1)

    def __len__(self) -> int:
        return len(self.radii_m)

    def __add__(self, other: Capsules) -> Capsules:
        return Capsules(*(np.concatenate([getattr(self, f.name), getattr(other, f.name)]) for f in fields(self)))

    def moved(self, rotation: np.ndarray, translation_m: ArrayLike) -> Capsules:
        """Give them turned by a rotation (3, 3) about the origin and then moved."""
        starts, ends = (points @ np.asarray(rotation).T + translation_m for points in (self.starts_m, self.ends_m))
        return replace(self, starts_m=starts, ends_m=ends)

    def distance_m(self, point_m: ArrayLike) -> np.ndarray:
        """Give the distance (n,) of a point from each capsule's surface, negative inside."""
        shapes = _in_camera(self, np.eye(3), point_m)
        along = -(shapes.middles * shapes.axes).sum(axis=1)
        aside = np.sqrt(np.maximum((shapes.middles**2).sum(axis=1) - along**2, 0))
        ball = along + shapes.slopes / np.sqrt(1 - shapes.slopes**2) * aside
        ball = np.clip(ball, -shapes.halves, shapes.halves)
        return np.hypot(along - ball, aside) - (shapes.radii + shapes.slopes * ball)


@dataclass(frozen=True, eq=False)
class Hits:
    """The pixels of a picture on which a capsule is seen.

    Parameters
    ----------
    pixels : int array of shape (n,)
        Row times width plus column.
    index : int array of shape (n,)
        Which capsule.
    depth_m : float32 array of shape (n,)
        Along the optical axis.
    normals : float32 array of shape (n, 3)
        Of the surface, outward, in the camera frame.
    """

    pixels: np.ndarray
    index: np.ndarray
    depth_m: np.ndarray
    normals: np.ndarray


def check_undistorted(intrinsics: Intrinsics) -> None:
    """Raise `DataFormatError` for a lens with distortion."""
    if any(intrinsics.distortion):
        raise DataFormatError("The studio renders without lens distortion; give Intrinsics without distortion.")


def pixel_rays(intrinsics: Intrinsics, rows: slice, columns: slice) -> tuple[np.ndarray, np.ndarray]:
    """Give x (n,) of columns and y (m, 1) of rows, float32: the rays (x, y, 1) through the pixels' centres."""
    x, y = (
        ((np.arange(part.start, part.stop) + 0.5 - center) / focal).astype(np.float32)
        for part, center, focal in zip((columns, rows), intrinsics.center_px, intrinsics.focal_px, strict=True)
    )
    return x, y[:, None]


def cast(
    capsules: Capsules,
    rotation: np.ndarray,
    position_m: ArrayLike,
    intrinsics: Intrinsics,
    size_px: tuple[int, int],
    background_m: np.ndarray | None = None,
) -> Hits:
    """Give what a camera sees of some capsules: at each pixel's centre the first surface on its ray.

    A capsule is made up of balls, whose envelope is a cone or a cylinder. Where a ray enters the endless cone says
    which ball touches it there; that ball, or the end's where it lies beyond, is then cut. A ray is parametrised from
    the point at the depth of the capsule's middle: the numbers stay small, and float32 is exact to some micrometres.

    Parameters
    ----------
    capsules : Capsules
    rotation : array of shape (3, 3)
        Camera to world.
    position_m : array of shape (3,)
        Of the camera, outside every capsule.
    intrinsics : Intrinsics
        Without distortion.
    size_px : tuple of int
        (width, height).
    background_m : float32 array of shape (height, width), optional
        Depth of what stands behind; capsules farther away are not seen.

    Returns
    -------
    Hits

    Raises
    ------
    DataFormatError
        If the lens is distorted.
    """
    check_undistorted(intrinsics)
    width, height = size_px
    shapes = _in_camera(capsules, rotation, position_m)
    boxes = _boxes(shapes, intrinsics, size_px)
    x, y = pixel_rays(intrinsics, slice(0, height), slice(0, width))
    left, top, right, bottom = _hull(boxes)
    window = (slice(top, bottom), slice(left, right))
    nearest = np.full((bottom - top, right - left), np.inf, np.float32)
    if background_m is not None:
        nearest[:] = background_m[window]
    index = np.full(nearest.shape, -1, np.int32)
    with np.errstate(invalid="ignore", divide="ignore"):
        for i, (l, t, r, b), shape in _seen(boxes, shapes):
            depth = _first_depth(x[l:r], y[t:b], *shape)
            box = (slice(t - top, b - top), slice(l - left, r - left))
            # NaN, where the ray misses, is not nearer either.
            nearer = (depth < nearest[box]) & (depth > 0)
            np.copyto(nearest[box], depth, where=nearer)
            np.copyto(index[box], i, where=nearer)
    rows, columns = np.nonzero(index >= 0)
    index, depth = index[rows, columns], nearest[rows, columns]
    rays = np.stack([x[columns + left], y[rows + top, 0], np.ones(len(rows), np.float32)], axis=1)
    normals = _normals(shapes, index, rays * depth[:, None])
    return Hits((rows + top) * width + columns + left, index, depth, normals)


@dataclass(frozen=True, eq=False)
class _Shapes:
    """Capsules in the camera frame; the radius k m from the middle towards the end is radii + k slopes."""

    middles: np.ndarray
    axes: np.ndarray
    halves: np.ndarray
    radii: np.ndarray
    slopes: np.ndarray


def _in_camera(capsules: Capsules, rotation: np.ndarray, position_m: ArrayLike) -> _Shapes:
    starts, ends = ((points - np.asarray(position_m)) @ rotation for points in (capsules.starts_m, capsules.ends_m))
    lengths = capsules.lengths_m
    divisors = np.where(lengths > 0, lengths, 1.0)
    return _Shapes(
        middles=(starts + ends) / 2,
        axes=(ends - starts) / divisors[:, None],
        halves=lengths / 2,
        radii=(capsules.radii_m + capsules.end_radii_m) / 2,
        slopes=(capsules.end_radii_m - capsules.radii_m) / divisors,
    )


def _boxes(shapes: _Shapes, intrinsics: Intrinsics, size_px: tuple[int, int]) -> np.ndarray:
    """Left, top, right and bottom (n, 4) of the pixels that a capsule can cover.

    A capsule's picture is the hull of those of its two end balls; the planes that touch a ball stand at the angle
    asin(r / distance) to its middle.
    """
    lows, highs = [], []
    reach = shapes.axes * shapes.halves[:, None]
    ends = np.stack([shapes.middles - reach, shapes.middles + reach])
    swell = shapes.slopes * shapes.halves
    radii = np.stack([shapes.radii - swell, shapes.radii + swell])
    behind = (ends[..., 2] < -radii).all(axis=0)
    for axis in (0, 1):
        distance = np.hypot(ends[..., axis], ends[..., 2])
        half = np.arcsin(np.minimum(radii / np.maximum(distance, 1e-9), 1.0))
        middle = np.arctan2(ends[..., axis], ends[..., 2])
        low, high = (middle - half).min(axis=0), (middle + half).max(axis=0)
        # What reaches beside or behind the camera may be anywhere.
        around = (low <= -np.pi / 2) | (high >= np.pi / 2)
        focal, center, size = intrinsics.focal_px[axis], intrinsics.center_px[axis], size_px[axis]
        low, high = (np.tan(np.where(around, 0.0, angle)) * focal + center for angle in (low, high))
        lows.append(np.where(around, 0, np.clip(np.floor(low - 0.5), 0, size)))
        highs.append(np.where(around, size, np.clip(np.ceil(high + 0.5), 0, size)))
    boxes = np.stack([*lows, *highs], axis=1).astype(np.int64)
    boxes[behind] = 0
    return boxes


def _hull(boxes: np.ndarray) -> tuple[int, int, int, int]:
    seen = boxes[(boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])]
    if not len(seen):
        return 0, 0, 0, 0
    left, top = seen[:, :2].min(axis=0).tolist()
    right, bottom = seen[:, 2:].max(axis=0).tolist()
    return left, top, right, bottom


def _seen(boxes: np.ndarray, shapes: _Shapes) -> Iterator[tuple[int, list[int], list]]:
    """Those that the picture can show, in Python's own numbers, which leave float32 as it is."""
    columns = (boxes, *(getattr(shapes, field.name) for field in fields(shapes)))
    for i, (box, *shape) in enumerate(zip(*(column.tolist() for column in columns), strict=True)):
        if box[2] > box[0] and box[3] > box[1]:
            yield i, box, shape


def _first_depth(
    x: np.ndarray, y: np.ndarray, middle: list[float], axis: list[float], half: float, radius: float, slope: float
) -> np.ndarray:
    """Depth (rows, columns) at which rays (x, y, 1) enter a capsule; NaN where they miss it.

    With h along the axis n, the ball k touches the cone where k = (h + slope radius) / (1 - slope^2).
    """
    (mx, my, mz), (nx, ny, nz) = middle, axis
    # e: from the capsule's middle to the ray at its depth; d: the ray's direction.
    ex, ey = x * mz - mx, y * mz - my
    dd = x * x + (y * y + 1)
    ed: np.ndarray = ex * x + ey * y
    ee: np.ndarray = ex * ex + ey * ey
    if half == 0:
        ee -= radius * radius
    else:
        steep = 1 / (1 - slope * slope)
        en, dn = ex * nx + ey * ny, x * nx + (y * ny + nz)
        ball, growth = steep * en + steep * slope * radius, steep * dn
        a, b = dd - growth * dn, ed - ball * dn
        c = ee - en * (ball + steep * slope * radius) - steep * radius * radius
        root = np.sqrt(np.maximum(b * b - a * c, _MIN_DISCRIMINANT))
        # Two forms of the same root, each where it does not cancel.
        ball += growth * np.where(b < 0, c / (root - b), (b + root) / -np.maximum(a, _MIN_SQUARE))
        np.clip(ball, -half, half, out=ball)
        ed -= ball * dn
        ee += ball * (ball - 2 * en) - (radius + slope * ball) ** 2
    return mz - (ed + np.sqrt(ed * ed - dd * ee)) / dd


def _normals(shapes: _Shapes, index: np.ndarray, points: np.ndarray) -> np.ndarray:
    middles, axes, halves, radii, slopes = (
        getattr(shapes, field.name).astype(np.float32)[index] for field in fields(shapes)
    )
    offsets = points - middles
    ball = np.clip(((offsets * axes).sum(axis=1) + slopes * radii) / (1 - slopes**2), -halves, halves)
    return (offsets - ball[:, None] * axes) / (radii + slopes * ball)[:, None]
