"""Light, the shadow on the floor, soft edges and the noise of a sensor."""

from __future__ import annotations

import numpy as np

from har_virtual.camera import Intrinsics
from har_virtual.studio.capsules import Hits, pixel_rays

# Shares of the light: from everywhere, from the sky, from the lamp, from beside the camera.
_AMBIENT, _SKY, _LAMP, _FILL = 0.50, 0.14, 0.40, 0.12
_LAMP_ELEVATION_DEG = 50.0

# Standard deviation of a joint's shadow on the floor and how fast it fades with the joint's height.
_SHADOW_M, _SHADOW_GROWTH, _SHADOW_FADE_M = 0.09, 0.35, 0.40
_SHADOW_DEPTH, _SHADOW_REACH, _SHADOW_LEAST = 0.55, 2.2, 0.05
_CELL_M, _FLOOR_M, _NEAR_M = 0.015, 0.01, 0.05


def lamp_direction(rng: np.random.Generator) -> np.ndarray:
    """Draw where the lamp is: a unit vector (3,) in the world, well above the horizon."""
    azimuth, elevation = rng.uniform(0, 2 * np.pi), np.deg2rad(_LAMP_ELEVATION_DEG)
    return np.array([np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation), np.sin(elevation)])


def shade(hits: Hits, colors: np.ndarray, rotation: np.ndarray, lamp: np.ndarray) -> np.ndarray:
    """Give what Lambert's law makes of the colours at the hits.

    Parameters
    ----------
    hits : Hits
    colors : array of shape (n_capsules, 3)
    rotation : array of shape (3, 3)
        Camera to world.
    lamp : array of shape (3,)
        Unit vector to the lamp, in the world.

    Returns
    -------
    float32 array of shape (n_pixels, 3)
        From 0 to 1 and, where light and colour are bright, above.
    """
    x, y, z = hits.normals.T
    sky, lit = (x * a + y * b + z * c for a, b, c in ((rotation.T @ up).tolist() for up in ((0.0, 0.0, 1.0), lamp)))
    light = _AMBIENT + _SKY * sky + _LAMP * np.maximum(lit, 0) + _FILL * np.maximum(-z, 0)
    return colors.astype(np.float32)[hits.index] * light[:, None]


def cast_shadow(
    image: np.ndarray,
    depth_m: np.ndarray,
    joints_m: np.ndarray,
    rotation: np.ndarray,
    position_m: np.ndarray,
    intrinsics: Intrinsics,
) -> None:
    """Darken the floor, in place, under the joints of a person: the wider and weaker, the higher they are.

    Parameters
    ----------
    image : uint8 array of shape (height, width, 3)
    depth_m : array of shape (height, width)
        Of room and scenery, without persons.
    joints_m : array of shape (n, 3)
        In the world, whose floor is at z = 0.
    rotation, position_m : array of shape (3, 3) and (3,)
        Of the camera.
    intrinsics : Intrinsics
    """
    shadow = _Shadow(joints_m)
    rows, columns = shadow.window(rotation, position_m, intrinsics, depth_m.shape[:2])
    x, y = pixel_rays(intrinsics, rows, columns)
    depth = depth_m[rows, columns]
    axes = zip(position_m.tolist(), rotation.tolist(), strict=True)
    points = [p + depth * (x * r[0] + (y * r[1] + r[2])) for p, r in axes]
    image[rows, columns] = image[rows, columns] * shadow.light(*points)[..., None]


class _Shadow:
    """A map of the light on the floor around a person: Gaussian spots, one under each joint."""

    def __init__(self, joints_m: np.ndarray) -> None:
        heights = np.maximum(joints_m[:, 2], 0)
        strengths = np.exp(-heights / _SHADOW_FADE_M)
        low = strengths > _SHADOW_LEAST
        spots, heights, strengths = joints_m[low, :2], heights[low], strengths[low]
        spreads = _SHADOW_M + _SHADOW_GROWTH * heights
        reaches = _SHADOW_REACH * spreads[:, None]
        corners = (
            np.stack([(spots - reaches).min(axis=0), (spots + reaches).max(axis=0)]) if low.any() else np.zeros((2, 2))
        )
        (self._low, self._high), n = corners.tolist(), np.ceil((corners[1] - corners[0]) / _CELL_M).astype(int)
        cells = [low + (np.arange(k) + 0.5) * _CELL_M for low, k in zip(self._low, n, strict=True)]
        x, y = (np.exp(-0.5 * ((c - spots[:, i, None]) / spreads[:, None]) ** 2) for i, c in enumerate(cells))
        # One more cell on each side has full light.
        self._light = np.ones(n + 2, np.float32)
        self._light[1:-1, 1:-1] = 1 - _SHADOW_DEPTH * (1 - np.exp(-(strengths[:, None] * x).T @ y))

    def window(
        self, rotation: np.ndarray, position_m: np.ndarray, intrinsics: Intrinsics, shape: tuple[int, ...]
    ) -> tuple[slice, slice]:
        """Rows and columns in which the map is seen; all of them where it reaches behind the camera."""
        height, width = shape
        (left, near), (right, far) = self._low, self._high
        corners = np.array([(left, near, 0.0), (left, far, 0.0), (right, near, 0.0), (right, far, 0.0)])
        seen = (corners - position_m) @ rotation
        if seen[:, 2].min() <= _NEAR_M:
            return slice(0, height), slice(0, width)
        pixels = intrinsics.project(seen)
        left, top = np.clip(np.floor(pixels.min(axis=0)), 0, (width, height)).astype(int).tolist()
        right, bottom = np.clip(np.ceil(pixels.max(axis=0)), 0, (width, height)).astype(int).tolist()
        return slice(top, bottom), slice(left, right)

    def light(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Share of the light that reaches some points of the world; 1 beside the floor."""
        n_x, n_y = self._light.shape
        column = ((x - self._low[0]) * (1 / _CELL_M) + 1).clip(0, n_x - 1).astype(np.int32)
        row = ((y - self._low[1]) * (1 / _CELL_M) + 1).clip(0, n_y - 1).astype(np.int32)
        # Cell 0 is at the edge.
        cell = (column * n_y + row) * (np.abs(z) < _FLOOR_M)
        return self._light.ravel()[cell]


def soften_edges(image: np.ndarray, hits: Hits) -> None:
    """Mix, in place, the pixels at which one capsule ends before another or before the room with their neighbours."""
    height, width = image.shape[:2]
    if not len(hits.pixels):
        return
    rows, columns = np.divmod(hits.pixels, width)
    top, left = max(rows.min() - 1, 0), max(columns.min() - 1, 0)
    bottom, right = min(rows.max() + 2, height), min(columns.max() + 2, width)
    index = np.full((bottom - top, right - left), -1, np.int32)
    index[rows - top, columns - left] = hits.index
    edge = np.zeros(index.shape, dtype=bool)
    across, down = index[:, 1:] != index[:, :-1], index[1:] != index[:-1]
    edge[:, 1:] |= across
    edge[:, :-1] |= across
    edge[1:] |= down
    edge[:-1] |= down
    edge[[0, -1]] = edge[:, [0, -1]] = False
    rows, columns = np.nonzero(edge)
    here = (rows + top) * width + columns + left
    flat = image.reshape(-1, 3)
    around = sum(flat[here + step].astype(np.uint16) for step in (-1, 1, -width, width))
    flat[here] = (4 * flat[here].astype(np.uint16) + around + 4) // 8


def add_noise(image: np.ndarray, noise: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Give a picture with a piece of a larger sheet of noise (int8, of shape (height + a, width + b, 3)) added."""
    height, width = image.shape[:2]
    down, across = (int(rng.integers(0, extra + 1)) for extra in np.subtract(noise.shape[:2], (height, width)))
    noisy = np.add(image, noise[down : down + height, across : across + width], dtype=np.int16)
    return np.clip(noisy, 0, 255, out=noisy).astype(np.uint8)
