"""Cameras that look at the studio's people, standing still or moving."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import BSpline, make_lsq_spline
from scipy.spatial.transform import Rotation

from har_virtual.camera import Intrinsics
from har_virtual.exceptions import DataFormatError
from har_virtual.pose.skeletons import BODY_22
from har_virtual.studio.body import check_seed

if TYPE_CHECKING:
    from har_virtual.studio.actor import Actor

CameraPath = Callable[[np.ndarray], np.ndarray]
"""Gives for times (T,) what is added to a camera's pose, (T, 6): x, y, z in m, heading, pitch and roll in degrees."""

VIEWS = {"front": 0.0, "oblique": 45.0, "side": 90.0}
"""Azimuths for `Camera.facing`, in degrees."""

MARGIN = 0.06
"""Share of the picture that stays free at each edge."""

_DEFAULT_FOV_DEG = 60.0
_MIN_SIZE_PX, _MAX_SIZE_PX = 32, 8192
_LOWEST_M = 0.2
# Head and toes reach beyond their joints; no joint comes nearer to the camera than this.
_FLESH_M, _NEAR_M = 0.13, 0.6
_FIT_RATE_HZ, _CENTRING_STEPS = 15.0, 16

# What a hand does to a camera: standard deviation of place (m) and of heading, pitch, roll (deg), slow waves strongest.
_HAND = np.array([0.004, 0.004, 0.003, 0.30, 0.30, 0.15])
_HAND_BANDS_HZ = np.geomspace(0.15, 2.2, 7)
_KNOT_SPACING_S = 1.5


@dataclass(frozen=True, eq=False)
class Camera:
    """A pinhole camera in the world.

    Parameters
    ----------
    position_m : sequence of three floats
        Where it is; the floor is at z = 0.
    heading_deg : float, default=0.0
        At 0 it looks along +y; positive turns it to its left.
    pitch_deg : float, default=0.0
        How far it looks up; negative looks down.
    roll_deg : float, default=0.0
        How far it is turned clockwise about its line of sight, as the photographer sees it.
    intrinsics : Intrinsics, optional
        By default 60 degrees of horizontal field of view.
    size_px : tuple of int, default=(640, 480)
        Width and height of the picture, even, as codecs want them.
    path : function or sequence of functions, optional
        Each gives for times (T,) in s what is added to the pose, (T, 6): x, y, z in m along the world's axes, heading,
        pitch and roll in degrees. See `pan`, `hand_held` and `following`; several add up.

    Raises
    ------
    DataFormatError
        If a number is not finite, or the size is odd, below 32 or above 8192.

    Examples
    --------
    >>> from har_virtual.studio.cameras import Camera
    >>> camera = Camera((0.0, -3.0, 1.0))
    >>> camera.project([[[0.0, 0.0, 1.0]]], [0.0]).round(6).tolist()
    [[[320.0, 240.0]]]
    """

    position_m: Sequence[float] | np.ndarray
    heading_deg: float = 0.0
    pitch_deg: float = 0.0
    roll_deg: float = 0.0
    # Never None once it is made.
    intrinsics: Intrinsics = None  # type: ignore[assignment]
    size_px: tuple[int, int] = (640, 480)
    path: CameraPath | Sequence[CameraPath] | None = None

    def __post_init__(self) -> None:
        position = tuple(_finite("position_m", self.position_m, (3,)).tolist())
        object.__setattr__(self, "position_m", position)
        for name in ("heading_deg", "pitch_deg", "roll_deg"):
            object.__setattr__(self, name, float(_finite(name, getattr(self, name), ())))
        object.__setattr__(self, "size_px", _check_size(self.size_px))
        lens = self.intrinsics or Intrinsics.from_field_of_view(*self.size_px, _DEFAULT_FOV_DEG)
        object.__setattr__(self, "intrinsics", lens)
        several = self.path is not None and not callable(self.path)
        if several and not (isinstance(self.path, Sequence) and all(map(callable, self.path))):
            raise DataFormatError(f"Camera: path must be functions of time such as pan(...), not {self.path!r}.")

    @property
    def paths(self) -> tuple[CameraPath, ...]:
        """What moves it."""
        if self.path is None:
            return ()
        return (self.path,) if callable(self.path) else tuple(self.path)

    @property
    def is_fixed(self) -> bool:
        """Whether it stays where it is, so that one picture of the room serves for all frames."""
        return not self.paths

    def pose(self, times_s: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """Give where the camera is and looks.

        Parameters
        ----------
        times_s : array-like of shape (T,)

        Returns
        -------
        rotations : array of shape (T, 3, 3)
            Camera (x right, y down, z forward) to world.
        positions_m : array of shape (T, 3)

        Raises
        ------
        DataFormatError
            If a path gives another shape, or a value that is not finite.
        """
        times = _finite("times_s", np.atleast_1d(times_s), (None,))
        pose = np.tile([*self.position_m, self.heading_deg, self.pitch_deg, self.roll_deg], (len(times), 1))
        for path in self.paths:
            pose += _finite("what a path gives for T times", path(times), (len(times), 6))
        # camera_to_world(pitch, roll), turned by the heading: a level camera is the world turned by -90 deg about x.
        angles = pose[:, 3:] - [0.0, 90.0, 0.0]
        return Rotation.from_euler("ZXZ", angles, degrees=True).as_matrix(), pose[:, :3]

    def project(self, points_m: ArrayLike, times_s: ArrayLike) -> np.ndarray:
        """Give the pixels of points of the world.

        Parameters
        ----------
        points_m : array-like of shape (T, J, 3)
        times_s : array-like of shape (T,)

        Returns
        -------
        array of shape (T, J, 2)
            Column and row from the picture's upper left corner, NaN for points that are not before the camera.
        """
        rotations, positions = self.pose(times_s)
        points = np.asarray(points_m, dtype=np.float64)
        if points.ndim != 3 or points.shape[::2] != (len(positions), 3):
            raise DataFormatError(f"Camera: {len(positions)} times need points (T, J, 3), not {points.shape}.")
        seen = (points - positions[:, None]) @ rotations
        return self.intrinsics.project(np.where(seen[..., 2:] > 0, seen, np.nan))

    @classmethod
    def facing(
        cls,
        actors: Actor | Sequence[Actor],
        *,
        azimuth_deg: float = 45.0,
        pitch_deg: float = 0.0,
        distance_m: float | None = None,
        height_m: float | None = None,
        fov_deg: float = _DEFAULT_FOV_DEG,
        size_px: tuple[int, int] = (640, 480),
        path: CameraPath | Sequence[CameraPath] | None = None,
    ) -> Camera:
        """Give a camera that has all actors in its picture as long as they act.

        Parameters
        ----------
        actors : Actor or sequence of Actor
        azimuth_deg : float, default=45.0
            0 sees the front of the first actor, who looks along its heading, 90 its left side, 180 its back.
        pitch_deg : float, default=0.0
            Between -90 and 90; below 0 the camera looks down, and stands the higher for it.
        distance_m : float, optional
            From the camera to the middle of the actors' ways. By default as near as it can be with
            `MARGIN` at the edges of the picture; a distance that is given is taken as it is.
        height_m : float, optional
            Of the camera. By default the actors are in the middle of the picture, but for a camera that would be lower
            than 0.2 m.
        fov_deg : float, default=60.0
            Horizontal field of view.
        size_px : tuple of int, default=(640, 480)
        path : function or sequence of functions, optional
            How the camera moves, as in `Camera`.

        Returns
        -------
        Camera

        Raises
        ------
        DataFormatError
            If there is nobody, a number is out of range, or no distance keeps everybody in the picture.
        """
        actors = list(actors) if isinstance(actors, Iterable) else [actors]
        if not actors:
            raise DataFormatError("Camera.facing: there are no actors to look at; give it at least one.")
        for name, value in (("azimuth_deg", azimuth_deg), ("pitch_deg", pitch_deg)):
            _finite(name, value, ())
        if not -90 < pitch_deg < 90:
            raise DataFormatError(f"Camera.facing: pitch_deg must lie between -90 and 90, not {pitch_deg}.")
        if distance_m is not None and not _finite("distance_m", distance_m, ()) > 0:
            raise DataFormatError(f"Camera.facing: distance_m must be above 0, not {distance_m}.")
        size_px = _check_size(size_px)
        lens = Intrinsics.from_field_of_view(*size_px, fov_deg)
        heading = actors[0].heading_deg + azimuth_deg + 180.0
        at_origin = cls((0.0, 0.0, 0.0), heading, pitch_deg, 0.0, lens, size_px, path)
        position = _stand_back(at_origin, actors, distance_m, height_m)
        return cls(position, heading, pitch_deg, 0.0, lens, size_px, path)


@dataclass(frozen=True, eq=False)
class Sway:
    """A path of sinusoids: amplitudes (6, K), frequencies (6, K) in Hz and phases (6, K) in rad."""

    amplitudes: np.ndarray
    frequencies_hz: np.ndarray
    phases_rad: np.ndarray

    def __call__(self, times_s: np.ndarray) -> np.ndarray:
        """Give what is added to the pose, (T, 6)."""
        angles = 2 * np.pi * self.frequencies_hz * np.asarray(times_s)[:, None, None] + self.phases_rad
        return (self.amplitudes * np.sin(angles)).sum(axis=-1)


@dataclass(frozen=True, eq=False)
class Track:
    """A path along a spline of horizontal places, which begins at 0 and waits at its end."""

    spline: BSpline
    stop_s: float

    def __call__(self, times_s: np.ndarray) -> np.ndarray:
        """Give what is added to the pose, (T, 6)."""
        way = self.spline(np.clip(times_s, 0.0, self.stop_s)) - self.spline(0.0)
        return np.pad(way, ((0, 0), (0, 4)))


def pan(amplitude_deg: float = 15.0, period_s: float = 8.0) -> CameraPath:
    """Give a path that turns the camera to the left and to the right, as a sine.

    Parameters
    ----------
    amplitude_deg : float, default=15.0
        How far to each side.
    period_s : float, default=8.0
        Of the whole turn, to the left, to the right and back.

    Returns
    -------
    function
        A path for `Camera`.
    """
    amplitude = float(_finite("amplitude_deg", amplitude_deg, ()))
    if not _finite("period_s", period_s, ()) > 0:
        raise DataFormatError(f"pan: period_s must be above 0, not {period_s}.")
    turn = np.zeros((6, 1))
    turn[3] = amplitude
    return Sway(turn, np.full((6, 1), 1 / period_s), np.zeros((6, 1)))


def hand_held(seed: int | Sequence[int] = 0, strength: float = 1.0) -> CameraPath:
    """Give a path like that of a camera in somebody's hand: some mm and some tenths of a degree, below 3 Hz.

    Parameters
    ----------
    seed : int or sequence of int
        The same seed gives the same path.
    strength : float, default=1.0
        Factor on its size; at 1 the standard deviations are 4 mm and 0.3 degrees.

    Returns
    -------
    function
        A path for `Camera`.
    """
    if not _finite("strength", strength, ()) >= 0:
        raise DataFormatError(f"hand_held: strength must be 0 or above, not {strength}.")
    rng = np.random.default_rng(check_seed("hand_held: seed", seed))
    shape = (6, len(_HAND_BANDS_HZ))
    frequencies = _HAND_BANDS_HZ * rng.uniform(0.8, 1.25, shape)
    amplitudes = rng.uniform(0.5, 1.5, shape) / frequencies
    # A sine has a variance of one half.
    amplitudes /= np.sqrt((amplitudes**2).sum(axis=1, keepdims=True) / 2)
    return Sway(strength * _HAND[:, None] * amplitudes, frequencies, rng.uniform(0, 2 * np.pi, shape))


def following(actor: Actor) -> CameraPath:
    """Give a path that goes along with an actor, at one height and without its steps.

    Parameters
    ----------
    actor : Actor

    Returns
    -------
    function
        A path for `Camera`: the horizontal way of the pelvis, as a cubic spline with a knot each 1.5 s.
    """
    times = _sample_times(actor)
    way = actor.pose(times)[0][:, BODY_22.root, :2]
    inner = np.linspace(0.0, times[-1], max(2, round(times[-1] / _KNOT_SPACING_S) + 1))[1:-1]
    knots = np.concatenate([[0.0] * 4, inner, [times[-1]] * 4])
    return Track(make_lsq_spline(times, way, knots), float(times[-1]))


def _stand_back(
    camera: Camera, actors: Sequence[Actor], distance_m: float | None, height_m: float | None
) -> np.ndarray:
    """Find the place of a camera of given direction, nearest to the actors but with all of them in its picture.

    Every edge of the picture is a plane through the camera; that a point is inside is linear in the camera's place. Of
    all places at that distance the one is taken from which the actors' box is in the middle of the picture.
    """
    inward, limits, points = _edges(camera, actors)
    turn = replace(camera, path=None).pose([0.0])[0][0]
    backward, seen = -turn[:, 2], points @ turn
    middle = turn @ (seen.min(axis=0) + seen.max(axis=0)) / 2
    if height_m is not None:
        middle[2] = _finite("height_m", height_m, ())
        backward = backward * [1.0, 1.0, 0.0] / np.linalg.norm(backward[:2])
    for _ in range(_CENTRING_STEPS):
        distance = _nearest(inward @ backward, limits - inward @ middle) if distance_m is None else distance_m
        position = middle + distance * backward
        away = seen - position @ turn
        depths = np.maximum(away[:, 2:], _NEAR_M)
        rays = away[:, :2] / depths
        # The smallest depth moves no point of the picture too far, whichever is at its edge.
        aside, below = (rays.min(axis=0) + rays.max(axis=0)) / 2 * depths.min()
        middle = middle + turn @ [aside, below if height_m is None else 0.0, 0.0]
    if height_m is None and position[2] < _LOWEST_M:
        return _stand_back(camera, actors, distance_m, _LOWEST_M)
    return position


def _nearest(steps: np.ndarray, slack: np.ndarray) -> float:
    """Give the smallest distance d with steps * d <= slack."""
    nearer = steps < -1e-9
    distance = float((slack[nearer] / steps[nearer]).max(initial=_NEAR_M))
    if (steps * distance > slack + 1e-6).any():
        raise DataFormatError(
            "Camera.facing: no distance keeps everybody in the picture all the time; turn the camera less (pitch_deg, "
            "path), leave out height_m, widen fov_deg, or give distance_m to accept that they leave it."
        )
    return distance


def _edges(camera: Camera, actors: Sequence[Actor]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Planes normal @ position <= limit that keep the actors inside, (K, 3) and (K,), and their joints (N, 3)."""
    focal, center = np.array(camera.intrinsics.focal_px), np.array(camera.intrinsics.center_px)
    tan_x, tan_y = (1 - 2 * MARGIN) * center / focal
    edges = np.array([[1, 0, tan_x], [-1, 0, tan_x], [0, 1, tan_y], [0, -1, tan_y], [0, 0, 1]])
    edges /= np.linalg.norm(edges, axis=1, keepdims=True)
    away = np.array([*[_FLESH_M] * 4, _NEAR_M])
    normals, limits, points = [], [], []
    for number, actor in enumerate(actors, start=1):
        times = _sample_times(actor)
        joints = _finite(f"the joints of person {number}", actor.pose(times)[0], (len(times), None, 3))
        rotations, shifts = camera.pose(times)
        points.append(joints - shifts[:, None])
        limits.append((points[-1] @ rotations @ edges.T).min(axis=1) - away)
        normals.append(edges @ rotations.transpose(0, 2, 1))
    every = [np.concatenate([part.reshape(-1, 3) for part in parts]) for parts in (normals, points)]
    return every[0], np.concatenate(limits).ravel(), every[1]


def _sample_times(actor: Actor) -> np.ndarray:
    return np.linspace(0.0, actor.duration_s, max(8, round(actor.duration_s * _FIT_RATE_HZ) + 1))


def _check_size(size_px: Sequence[int]) -> tuple[int, int]:
    try:
        width, height = (int(length) for length in size_px)
        good = (width, height) == tuple(size_px) and _MIN_SIZE_PX <= min(width, height) <= max(
            width, height
        ) <= _MAX_SIZE_PX
    except (TypeError, ValueError, OverflowError):
        good = False
    if not good or width % 2 or height % 2:
        raise DataFormatError(
            f"Camera: size_px must be width and height, even and from {_MIN_SIZE_PX} to {_MAX_SIZE_PX}, not "
            f"{size_px!r:.80}."
        )
    return width, height


def _finite(name: str, value: ArrayLike, shape: tuple[int | None, ...]) -> np.ndarray:
    """Give an array of finite numbers; None in the shape is any length."""
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataFormatError(f"Camera: {name} must be numbers, not {value!r}.") from error
    fits = array.ndim == len(shape) and all(n in (None, m) for n, m in zip(shape, array.shape, strict=True))
    if not fits or not np.isfinite(array).all():
        wanted = "one finite number" if not shape else f"finite numbers of shape {shape}".replace("None", "any")
        raise DataFormatError(f"Camera: {name} must be {wanted}, not shape {array.shape}, {value!r:.80}.")
    return array
