"""The room in which people act: a box with painted floor, walls and ceiling, cut by rays in closed form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from har_virtual.camera import Intrinsics
from har_virtual.exceptions import DataFormatError
from har_virtual.rotation import about_up
from har_virtual.studio.body import check_seed
from har_virtual.studio.capsules import check_undistorted, pixel_rays

if TYPE_CHECKING:
    from har_virtual.studio.actor import Actor
    from har_virtual.studio.cameras import Camera

# The finest texel, or, in a hall, whose walls are farther away, the longest side over this number.
_TEXEL_M, _MAX_TEXELS = 0.006, 1300
# Two levels an octave, so that the step from one to the next is not seen; a texel is this share of a pixel's footprint.
_LEVELS, _SHARE = 12, 0.7
# How far the footprint's growth at a slant counts, 1 being its longer side: less leaves floors some structure.
_SLANT = 0.8
_ROWS_AT_ONCE = 32
_SPARE_M, _MORE_SPARE_M, _LOWEST_CEILING_M = 1.0, 1.5, 2.6


@dataclass(frozen=True)
class Room:
    """A closed room with textures drawn from a seed.

    Parameters
    ----------
    seed : int or sequence of int, default=0
        Draws floor, walls, pictures, windows and doors.
    size_m : tuple of three floats, default=(7, 7, 2.7)
        Along its own x, its own y, and up.
    center_m : tuple of two floats, default=(0, 0)
        Its middle in the world; the floor is at z = 0.
    heading_deg : float, default=0.0
        How far it is turned counter-clockwise, seen from above.

    Raises
    ------
    DataFormatError
        If a number is not finite, a side below 1 m, or the seed is not one or several whole numbers from 0.

    Examples
    --------
    >>> import numpy as np
    >>> from har_virtual.camera import Intrinsics, camera_to_world
    >>> from har_virtual.studio.room import Room
    >>> room, lens = Room(seed=1), Intrinsics.from_field_of_view(64, 48, 60)
    >>> image, depth_m = room.cast([0, 0, 1], camera_to_world(), lens, (64, 48))
    >>> image.shape, float(depth_m[24, 32])
    ((48, 64, 3), 3.5)
    """

    seed: int | Sequence[int] = 0
    size_m: tuple[float, float, float] = (7.0, 7.0, 2.7)
    center_m: tuple[float, float] = (0.0, 0.0)
    heading_deg: float = 0.0

    def __post_init__(self) -> None:
        for name, n in (("size_m", 3), ("center_m", 2)):
            values = np.asarray(getattr(self, name), dtype=np.float64)
            if values.shape != (n,) or not np.isfinite(values).all():
                raise DataFormatError(f"Room: {name} must be {n} finite numbers, not {getattr(self, name)!r}.")
            object.__setattr__(self, name, tuple(values.tolist()))
        if min(self.size_m) < 1 or not np.isfinite(self.heading_deg):
            raise DataFormatError(
                f"Room: sides must be at least 1 m, the heading finite, not {self.size_m} and {self.heading_deg}."
            )
        seed = np.asarray(check_seed("Room: seed", self.seed)).tolist()
        object.__setattr__(self, "seed", seed if isinstance(seed, int) else tuple(seed))

    @classmethod
    def around(cls, actors: Sequence[Actor], camera: Camera, seed: int | Sequence[int] = 0) -> Room:
        """Give a room in which camera and actors stay at least 1 m from walls and ceiling.

        Parameters
        ----------
        actors : sequence of Actor
        camera : Camera
        seed : int or sequence of int

        Returns
        -------
        Room
            Turned, and larger than need be, as the seed says.
        """
        rng = np.random.default_rng([*np.atleast_1d(check_seed("Room.around: seed", seed)), 1])
        points = []
        for actor in actors:
            times = np.linspace(0.0, actor.duration_s, max(8, round(actor.duration_s * 15)))
            points += [actor.pose(times)[0].reshape(-1, 3), camera.pose(times)[1]]
        points = np.concatenate(points or [camera.pose([0.0])[1]])
        heading = rng.uniform(-180.0, 180.0)
        own = points @ about_up(heading)
        spare = _SPARE_M + rng.uniform(0.0, _MORE_SPARE_M, (2, 2))
        low, high = own[:, :2].min(axis=0) - spare[0], own[:, :2].max(axis=0) + spare[1]
        ceiling = max(_LOWEST_CEILING_M + rng.uniform(0.0, 0.4), own[:, 2].max() + _SPARE_M)
        center = about_up(heading) @ [*(low + high) / 2, 0.0]
        return cls(seed, (*np.maximum(high - low, 1.0).tolist(), float(ceiling)), tuple(center[:2].tolist()), heading)

    def cast(
        self, position_m: ArrayLike, rotation: ArrayLike, intrinsics: Intrinsics, size_px: tuple[int, int]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Give what a camera sees of the empty room.

        Parameters
        ----------
        position_m : array-like of shape (3,)
            Of the camera, inside the room.
        rotation : array-like of shape (3, 3)
            Camera to world.
        intrinsics : Intrinsics
            Without distortion.
        size_px : tuple of int
            (width, height).

        Returns
        -------
        image : uint8 array of shape (height, width, 3)
            RGB.
        depth_m : float32 array of shape (height, width)
            Along the optical axis.

        Raises
        ------
        DataFormatError
            If the camera is not inside, or its lens is distorted.
        """
        check_undistorted(intrinsics)
        position, size, to_own = self.own_place_m(position_m), np.array(self.size_m), about_up(self.heading_deg).T
        width, height = size_px
        x, y = pixel_rays(intrinsics, slice(0, height), slice(0, width))
        caster = _Caster(_paint(self.seed, self.size_m), position, to_own @ rotation, size, intrinsics.focal_px[0])
        image, depth = np.empty((height, width, 3), np.uint8), np.empty((height, width), np.float32)
        for row in range(0, height, _ROWS_AT_ONCE):
            rows = slice(row, row + _ROWS_AT_ONCE)
            depth[rows], texels = caster.cast(x, y[rows])
            image[rows] = texels.view(np.uint8).reshape(*texels.shape, 4)[..., :3]
        return image, depth

    def own_place_m(self, position_m: ArrayLike) -> np.ndarray:
        """Give a camera's place (3,) along the room's sides from its low corner.

        Raises
        ------
        DataFormatError
            If it is not inside.
        """
        size, place = np.array(self.size_m), np.asarray(position_m, dtype=np.float64)
        position = about_up(self.heading_deg).T @ (place - [*self.center_m, 0.0])
        position += [*size[:2] / 2, 0.0]
        if not ((position > 0) & (position < size)).all():
            raise DataFormatError(
                f"Room: the camera at {np.round(place, 2).tolist()} m is outside of the room of "
                f"{np.round(size, 2).tolist()} m around {np.round(self.center_m, 2).tolist()}; make the room "
                "larger, or let Room.around fit it."
            )
        return position


@dataclass(frozen=True, eq=False)
class _Atlas:
    """The textures of all surfaces and levels, end to end, a texel being the four bytes R, G, B and one unused.

    Row 12 s + l of offsets and widths belongs to level l of surface s: the walls at low x, high x, low y and high y,
    the floor, the ceiling. Rows of a wall's texture go up.
    """

    texels: np.ndarray
    offsets: np.ndarray
    widths: np.ndarray
    texel_m: float


class _Caster:
    """What stays the same for all rays of a picture, in the room's axes from its low corner, in float32."""

    def __init__(
        self, atlas: _Atlas, position: np.ndarray, rotation: np.ndarray, size: np.ndarray, focal_px: float
    ) -> None:
        self.atlas, self.rotation = atlas, rotation.astype(np.float32)
        self.position = [np.float32(p) for p in position]
        self.to_low, self.to_high = -position.astype(np.float32), (size - position).astype(np.float32)
        # A pixel covers depth / focal across, and 1 / cos = depth / distance of the plane times as much along a slant.
        distances = np.stack([position, size - position], axis=1).ravel()
        footprint = _SHARE / (focal_px * atlas.texel_m * distances**_SLANT)
        self.level_at_1_m = (2 * np.log2(footprint)).astype(np.float32)
        texel_m = atlas.texel_m * 2.0 ** (np.arange(_LEVELS) / 2)
        self.texels_per_m = np.tile((1 / texel_m).astype(np.float32), 6)

    def cast(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give depth and texels (rows, columns) of the rays (x, y, 1)."""
        rays = [x * r[0] + (y * r[1] + r[2]) for r in self.rotation]
        with np.errstate(divide="ignore", invalid="ignore"):
            exits = [
                np.maximum(low / d, high / d) for low, high, d in zip(self.to_low, self.to_high, rays, strict=True)
            ]
        depth = np.minimum(np.minimum(exits[0], exits[1]), exits[2])
        across_x, across_z = exits[0] == depth, exits[2] == depth
        px, py, pz = (p + depth * d for p, d in zip(self.position, rays, strict=True))
        u, v = np.where(across_x, py, px), np.where(across_z, py, pz)
        side = [(d > 0).view(np.uint8) + np.uint8(2 * axis) for axis, d in enumerate(rays)]
        surface = np.where(across_x, side[0], np.where(across_z, side[2], side[1]))
        return depth, self._look_up(surface, depth, u, v)

    def _look_up(self, surface: np.ndarray, depth: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        level = np.log2(depth)
        level *= 2 * (1 + _SLANT)
        level += self.level_at_1_m[surface]
        row = surface * np.uint8(_LEVELS) + np.clip(level, 0, _LEVELS - 1, out=level).astype(np.uint8)
        scale = self.texels_per_m[row]
        # A point may be micrometres outside by rounding: astype cuts towards 0, and the far end has a spare texel.
        column, line = (u * scale).astype(np.int32), (v * scale).astype(np.int32)
        line *= self.atlas.widths[row]
        line += column
        line += self.atlas.offsets[row]
        return self.atlas.texels[line]


@lru_cache(maxsize=2)
def _paint(seed: int | Sequence[int], size_m: tuple[float, float, float]) -> _Atlas:
    """Paint a room. What is pickled is the seed: each worker paints for itself, once."""
    rng = np.random.default_rng(seed)
    x, y, z = size_m
    texel = max(_TEXEL_M, max(size_m) / _MAX_TEXELS)
    floor = _FLOORS[rng.integers(len(_FLOORS))]
    wall, accent = (_WALLS[k] for k in rng.integers(len(_WALLS), size=2))
    color, accent_color, trim = (_muted(rng, low, high) for low, high in ((0.62, 0.88), (0.45, 0.75), (0.5, 0.95)))
    levels: list[np.ndarray] = []
    accented = rng.integers(4)
    for side, length in enumerate((y, y, x, x)):
        style, tint = (accent, accent_color) if side == accented else (wall, color)
        canvas = _Canvas.of(length, z, texel)
        canvas.pixels *= style(canvas, rng, tint)
        _hang(canvas, rng, trim)
        levels += _levels(canvas.shaded(rng.uniform(0.86, 1.0)))
    canvas = _Canvas.of(x, y, texel)
    canvas.pixels *= floor(canvas, rng)
    levels += _levels(canvas.shaded(0.95))
    canvas = _Canvas.of(x, y, texel)
    canvas.pixels *= [0.90, 0.90, 0.88]
    levels += _levels(canvas.shaded(0.97))
    packed = [np.dstack([level, level[..., :1]]).reshape(-1).view(np.uint32) for level in levels]
    ends = np.cumsum([len(level) for level in packed])
    offsets = np.concatenate([[0], ends[:-1]]).astype(np.int32)
    return _Atlas(np.concatenate(packed), offsets, np.array([level.shape[1] for level in levels], np.int32), texel)


@dataclass(eq=False)
class _Canvas:
    """A surface to paint on: pixels (rows, columns, 3) from 0 to 1, x (columns,) and y (rows, 1) of their middles."""

    pixels: np.ndarray
    x: np.ndarray
    y: np.ndarray
    texel_m: float
    size_m: tuple[float, float]

    @classmethod
    def of(cls, length_m: float, height_m: float, texel_m: float) -> _Canvas:
        x, y = ((np.arange(int(np.ceil(side / texel_m)) + 1) + 0.5) * texel_m for side in (length_m, height_m))
        pixels = np.ones((len(y), len(x), 3), np.float32)
        return cls(pixels, x.astype(np.float32), y.astype(np.float32)[:, None], texel_m, (length_m, height_m))

    def fill(self, left_m: float, bottom_m: float, width_m: float, height_m: float, color: ArrayLike) -> np.ndarray:
        """Paint a rectangle and give its pixels."""
        ends = np.maximum([left_m, left_m + width_m, bottom_m, bottom_m + height_m], 0.0)
        l, r, b, t = np.rint(ends / self.texel_m).astype(int)
        self.pixels[b:t, l:r] = np.asarray(color, np.float32)
        return self.pixels[b:t, l:r]

    def shaded(self, gain: float) -> np.ndarray:
        """Darken what is near to the edges, as corners are, and give bytes."""
        (length, height), (x, y) = self.size_m, (self.x, self.y)
        corners = [1 - 0.18 * np.exp(-d / 0.3) for d in (x, length - x, y, height - y)]
        shade = (corners[0] * corners[1]) * (gain * corners[2] * corners[3])
        return np.clip(self.pixels * (255 * shade[..., None]), 0, 255)


def _levels(pixels: np.ndarray) -> list[np.ndarray]:
    """Ever coarser copies, each texel sqrt(2) times as large as in the copy before."""
    soft = _smoothed(pixels)
    between = _resampled(soft, np.sqrt(2))
    levels = []
    for _ in range(_LEVELS // 2):
        levels += [soft.astype(np.uint8), between.astype(np.uint8)]
        soft, between = _halved(soft), _halved(between)
    return levels


def _smoothed(image: np.ndarray) -> np.ndarray:
    for axis in (0, 1):
        image = np.moveaxis(image, axis, 0)
        padded = np.concatenate([image[:1], image, image[-1:]])
        image = np.moveaxis((padded[:-2] + 2 * image + padded[2:]) / 4, 0, axis)
    return image


def _halved(image: np.ndarray) -> np.ndarray:
    """Low-pass by (1, 3, 3, 1) / 8 and keep every second place, halfway between texels."""
    for axis in (0, 1):
        image = np.moveaxis(image, axis, 0)
        odd = len(image) % 2
        p = np.concatenate([image[:1], image, *[image[-1:]] * (1 + odd)])
        image = np.moveaxis((p[:-3:2] + 3 * p[1:-2:2] + 3 * p[2:-1:2] + p[3::2]) / 8, 0, axis)
    return image


def _resampled(image: np.ndarray, step: float) -> np.ndarray:
    """Take every step-th texel, linearly between two."""
    for axis in (0, 1):
        n = image.shape[axis]
        places = np.clip((np.arange(int(np.ceil(n / step)) + 1) + 0.5) * step - 0.5, 0, n - 1)
        image = _between(image, places, axis)
    return image


def _between(image: np.ndarray, places: np.ndarray, axis: int) -> np.ndarray:
    low = np.minimum(places.astype(int), image.shape[axis] - 2)
    share = (places - low).astype(np.float32)
    share = share.reshape([-1 if a == axis else 1 for a in range(image.ndim)])
    return np.take(image, low, axis) * (1 - share) + np.take(image, low + 1, axis) * share


def _noise(rng: np.random.Generator, canvas: _Canvas, cell_x_m: float, cell_y_m: float) -> np.ndarray:
    """Smooth random numbers (rows, columns) of standard deviation near 1/2, that change over a cell."""
    columns, rows = canvas.x / cell_x_m, canvas.y[:, 0] / cell_y_m
    grid = rng.standard_normal((int(rows[-1]) + 2, int(columns[-1]) + 2)).astype(np.float32)
    return _between(_between(grid, rows, 0), columns, 1)


def _muted(rng: np.random.Generator, darkest: float, lightest: float) -> np.ndarray:
    """Draw a colour of little saturation."""
    color = rng.uniform(darkest, lightest) * (1 + rng.uniform(0.0, 0.12) * rng.uniform(-1.0, 1.0, 3))
    return np.clip(color, 0.0, 1.0).astype(np.float32)


def _tinted(tone: np.ndarray, color: ArrayLike) -> np.ndarray:
    return tone[..., None] * np.asarray(color, np.float32)


def _lines(coordinate: np.ndarray, pitch_m: float, width_m: float) -> np.ndarray:
    """1 on lines at every multiple of the pitch, 0 elsewhere."""
    return (coordinate % pitch_m < width_m).astype(np.float32)


def _courses(
    canvas: _Canvas, rng: np.random.Generator, length_m: float, height_m: float, joint_m: float, offset: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """Boards or stones in rows, each row moved by a share of a length: a random number each, and the joints."""
    row = (canvas.y // height_m).astype(int)
    shifts = np.resize(offset, int(row.max()) + 1)[row].astype(np.float32)
    along = canvas.x / length_m + shifts
    numbers = rng.standard_normal((int(row.max()) + 1, int(along.max()) + 1)).astype(np.float32)
    joint = max(joint_m, canvas.texel_m)
    joints = np.maximum(_lines(along * length_m, length_m, joint), _lines(canvas.y, height_m, joint))
    return numbers[row, along.astype(int)], joints


def _planks(canvas: _Canvas, rng: np.random.Generator) -> np.ndarray:
    length, width = rng.uniform(1.2, 2.2), rng.uniform(0.13, 0.22)
    tones, joints = _courses(canvas, rng, length, width, 0.004, rng.random(200))
    wood = _WOODS[rng.integers(len(_WOODS))]
    tone = 1 + 0.07 * tones + 0.07 * _noise(rng, canvas, 0.5, 0.018) + 0.05 * _noise(rng, canvas, 0.2, 0.05)
    return _tinted(tone * (1 - 0.35 * joints), wood)


def _tiles(canvas: _Canvas, rng: np.random.Generator) -> np.ndarray:
    side = rng.uniform(0.3, 0.6)
    tones, joints = _courses(canvas, rng, side, side, 0.006, 0.0)
    tone = 1 + 0.03 * tones + 0.03 * _noise(rng, canvas, 0.12, 0.12) + 0.03 * _noise(rng, canvas, 0.03, 0.03)
    return _tinted(tone * (1 - rng.uniform(0.3, 0.6) * joints), _muted(rng, 0.45, 0.75))


def _carpet(canvas: _Canvas, rng: np.random.Generator) -> np.ndarray:
    tone = 1 + 0.10 * _noise(rng, canvas, 0.012, 0.012) + 0.05 * _noise(rng, canvas, 0.4, 0.4)
    return _tinted(tone, _muted(rng, 0.35, 0.65))


def _plaster(canvas: _Canvas, rng: np.random.Generator, color: np.ndarray) -> np.ndarray:
    tone = 1 + 0.015 * _noise(rng, canvas, 0.02, 0.02) + 0.025 * _noise(rng, canvas, 0.6, 0.6)
    return _tinted(tone, color)


def _stripes(canvas: _Canvas, rng: np.random.Generator, color: np.ndarray) -> np.ndarray:
    pitch = rng.uniform(0.12, 0.4)
    bands = _lines(canvas.x, pitch, pitch / 2) * rng.uniform(0.06, 0.16)
    return _tinted(1 - bands + 0.015 * _noise(rng, canvas, 0.3, 0.3), color)


def _ornament(canvas: _Canvas, rng: np.random.Generator, color: np.ndarray) -> np.ndarray:
    """Wallpaper of crossing waves."""
    k = 2 * np.pi / rng.uniform(0.25, 0.5)
    waves = np.cos(k * canvas.x) * np.cos(k * canvas.y) + 0.5 * np.cos(2 * k * canvas.x + np.sin(k * canvas.y))
    return _tinted(1 + rng.uniform(0.04, 0.10) * np.tanh(3 * waves) + 0.01 * _noise(rng, canvas, 0.05, 0.05), color)


def _bricks(canvas: _Canvas, rng: np.random.Generator, color: np.ndarray) -> np.ndarray:
    tones, joints = _courses(canvas, rng, 0.24, 0.08, 0.012, [0.0, 0.5])
    tone = 1 + 0.08 * tones + 0.08 * _noise(rng, canvas, 0.04, 0.03)
    stone = _tinted(tone, color * np.array([0.86, 0.68, 0.58]))
    return stone + joints[..., None] * (0.85 * color - stone) * 0.8


def _panels(canvas: _Canvas, rng: np.random.Generator, color: np.ndarray) -> np.ndarray:
    """Painted boards up to the hips, plaster above."""
    height, pitch = rng.uniform(0.8, 1.1), rng.uniform(0.1, 0.2)
    wall, boards = _plaster(canvas, rng, color), _muted(rng, 0.5, 0.9)
    shade = 1 - 0.15 * _lines(canvas.x, pitch, 0.012)
    ledge = np.where(canvas.y > height - 0.05, 0.85, 1.0)
    return np.where((canvas.y < height)[..., None], boards * (shade * ledge)[..., None], wall).astype(np.float32)


_WOODS = ((0.62, 0.48, 0.34), (0.42, 0.32, 0.24), (0.54, 0.51, 0.47), (0.70, 0.61, 0.49), (0.50, 0.36, 0.24))
_FLOORS = (_planks, _tiles, _carpet)
_WALLS = (_plaster, _stripes, _ornament, _bricks, _panels)


def _hang(canvas: _Canvas, rng: np.random.Generator, trim: np.ndarray) -> None:
    """Put pictures, windows, a door and the skirting board onto a wall, from one end to the other."""
    length, _ = canvas.size_m
    canvas.fill(0.0, 0.0, length, rng.uniform(0.07, 0.12), trim)
    left = rng.uniform(0.3, 1.0)
    while left < length - 1.5:
        thing = (_picture, _picture, _window, _door)[rng.integers(4)]
        left += thing(canvas, rng, left, trim) + rng.uniform(0.3, 1.6)


def _picture(canvas: _Canvas, rng: np.random.Generator, left: float, _: np.ndarray) -> float:
    """A frame, a mat, and in it a landscape of soft hills or some colours."""
    width, height, frame = rng.uniform(0.35, 0.9), rng.uniform(0.35, 0.8), rng.uniform(0.02, 0.05)
    bottom = rng.uniform(1.55, 1.75) - height / 2
    canvas.fill(left, bottom, width, height, _muted(rng, 0.1, 0.8))
    canvas.fill(left + frame, bottom + frame, width - 2 * frame, height - 2 * frame, 0.9)
    inner = 2 * frame + 0.02
    view = canvas.fill(left + inner, bottom + inner, width - 2 * inner, height - 2 * inner, 0.5)
    x, y = np.linspace(0, 1, view.shape[1]), np.linspace(0, 1, view.shape[0])[:, None]
    colors = rng.uniform(0.25, 0.8, (3, 1)) + rng.uniform(-0.15, 0.15, (3, 3))
    ridges = [h + 0.1 * np.sin(2 * np.pi * (rng.uniform(0.5, 2.5) * x + rng.random())) for h in (0.6, 0.3)]
    view[:] = colors[0] * (0.6 + 0.4 * y[..., None])
    for ridge, color in zip(ridges, colors[1:], strict=True):
        view[y < ridge] = color
    return width


def _window(canvas: _Canvas, rng: np.random.Generator, left: float, trim: np.ndarray) -> float:
    """Sky over trees, behind a frame with a cross."""
    width, height, bottom = rng.uniform(0.7, 1.4), rng.uniform(1.0, 1.3), rng.uniform(0.8, 1.0)
    canvas.fill(left, bottom, width, height, trim)
    view = canvas.fill(left + 0.06, bottom + 0.06, width - 0.12, height - 0.12, 0.9)
    x, y = np.linspace(0, width, view.shape[1]), np.linspace(0, 1, view.shape[0])[:, None]
    view[:] = np.array([0.80, 0.87, 0.95]) + (1 - y[..., None]) * [0.1, 0.06, 0.0]
    trees = rng.uniform(0.15, 0.4) + 0.05 * sum(np.sin(k * x + rng.uniform(0, 6)) for k in (4, 9, 17))
    view[y < trees] = (0.45, 0.55, 0.40)
    canvas.fill(left + width / 2 - 0.025, bottom, 0.05, height, trim)
    canvas.fill(left, bottom + 0.62 * height, width, 0.05, trim)
    canvas.fill(left - 0.05, bottom - 0.04, width + 0.1, 0.04, 0.9 * trim)
    return width


def _door(canvas: _Canvas, rng: np.random.Generator, left: float, trim: np.ndarray) -> float:
    """A frame, a leaf with two panels, a handle."""
    color = _muted(rng, 0.35, 0.9)
    canvas.fill(left, 0.0, 0.98, 2.08, 0.9 * trim)
    canvas.fill(left + 0.07, 0.0, 0.84, 2.01, color)
    for bottom, height in ((0.2, 0.6), (0.95, 0.9)):
        canvas.fill(left + 0.19, bottom, 0.60, height, 0.82 * color)
        canvas.fill(left + 0.21, bottom + 0.02, 0.56, height - 0.04, 0.95 * color)
    canvas.fill(left + 0.80, 1.0, 0.09, 0.025, 0.25)
    return 0.98
