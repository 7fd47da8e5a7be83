"""Actors before a camera in a room, rendered frame by frame."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from joblib import effective_n_jobs
from joblib.externals.loky import BrokenProcessPool, ProcessPoolExecutor
from numpy.typing import ArrayLike

from har_virtual.checks import check_positive, is_finite_number
from har_virtual.exceptions import DataFormatError, VideoError
from har_virtual.pose.skeletons import BODY_22
from har_virtual.recording import VideoClip
from har_virtual.studio.actor import Actor
from har_virtual.studio.body import check_seed
from har_virtual.studio.cameras import Camera
from har_virtual.studio.capsules import Capsules, cast, check_undistorted
from har_virtual.studio.mannequin import Mannequin
from har_virtual.studio.room import Room
from har_virtual.studio.shading import add_noise, cast_shadow, lamp_direction, shade, soften_edges
from har_virtual.video import write_video

# Frames are posed and handed to workers in batches of this many, whatever their number: the same bits come out.
_BATCH = 16
# No surface may come nearer to the camera.
_NEAR_M = 0.02
# The noise of a frame is a piece of a sheet this much larger than the picture.
_SPARE_NOISE_PX = 64
# The shadows of their neighbours cover those of ears, hands, shoulders and hips.
_SHADOWED = [i for i, joint in enumerate(BODY_22.joints) if not joint.endswith(("ear", "hand", "shoulder", "hip"))]


@dataclass(frozen=True, eq=False)
class Rendered:
    """A frame and what is true of it.

    Parameters
    ----------
    image : uint8 array of shape (height, width, 3)
        RGB.
    depth_m : float32 array of shape (height, width)
        Along the optical axis, at the pixels' centres; finite everywhere, for a room is closed.
    persons : uint8 array of shape (height, width)
        0 for nobody, k for the k-th actor.
    timestamp_s : float
    """

    image: np.ndarray
    depth_m: np.ndarray
    persons: np.ndarray
    timestamp_s: float


@dataclass(frozen=True, eq=False)
class _View:
    """Where the camera is at one instant, and what it sees without persons."""

    rotation: np.ndarray
    position_m: np.ndarray
    image: np.ndarray
    depth_m: np.ndarray


class Scene:
    """Actors, what stands around them, and the camera that sees them.

    Parameters
    ----------
    actors : Actor or sequence of Actor
    camera : Camera
    room : Room, optional
        By default one that is large enough for actors and camera, from the seed.
    props : Capsules, optional
        What stands there besides the furniture of the actors, such as a pillar; of person 0.
    seed : int, default=0
        Draws room, lamp and noise.
    noise : float, default=2.0
        Standard deviation of the sensor's noise in steps of 1/255.
    exposure : float, default=1.0
        Factor on all brightness.

    Raises
    ------
    DataFormatError
        If there is no actor, something is of another type, a number does not fit, a prop is of a person, the lens is
        distorted, or a camera that stands still is outside of the room.

    Examples
    --------
    >>> from har_virtual.studio import Camera, Scene, perform
    >>> walk = perform("walking", duration_s=1.0)
    >>> scene = Scene(walk, Camera.facing(walk, size_px=(160, 120)))
    >>> frame = next(scene.frames([0.5]))
    >>> frame.image.shape, int(frame.persons.max())
    ((120, 160, 3), 1)
    """

    def __init__(
        self,
        actors: Actor | Sequence[Actor],
        camera: Camera,
        *,
        room: Room | None = None,
        props: Capsules | None = None,
        seed: int = 0,
        noise: float = 2.0,
        exposure: float = 1.0,
    ) -> None:
        self.actors = (actors,) if isinstance(actors, Actor) else tuple(actors)
        if not self.actors:
            raise DataFormatError("Scene: there is no actor; give it at least one, from perform or play.")
        if not all(isinstance(actor, Actor) for actor in self.actors) or len(set(self.actors)) < len(self.actors):
            raise DataFormatError(f"Scene: actors must come from perform or play, each once, not {self.actors!r:.80}.")
        if not isinstance(camera, Camera) or not isinstance(props, Capsules | None):
            raise DataFormatError(f"Scene: needs a Camera, and Capsules as props, not {camera!r:.40}, {props!r:.40}.")
        if not isinstance(room, Room | None):
            raise DataFormatError(f"Scene: room must be a Room, or None for one that fits, not {room!r:.40}.")
        check_undistorted(camera.intrinsics)
        check_seed("Scene: seed", seed)
        if not is_finite_number(noise) or not 0 <= noise <= 40:
            raise DataFormatError(f"Scene: noise must lie between 0 and 40, not {noise!r}.")
        self.camera, self.seed = camera, seed
        self.noise, self.exposure = float(noise), check_positive("Scene: exposure", exposure)
        self.room = Room.around(self.actors, camera, seed) if room is None else room
        self.scenery = sum((actor.furniture for actor in self.actors), Capsules.none() if props is None else props)
        if self.scenery.persons.any():
            numbers = np.unique(self.scenery.persons).tolist()
            raise DataFormatError(f"Scene: props and furniture are scenery, of person 0, not of {numbers!r:.40}.")
        if camera.is_fixed:
            self.room.own_place_m(camera.position_m)
        self._mannequins = [Mannequin(actor.body) for actor in self.actors]
        self._lamp = lamp_direction(np.random.default_rng([seed, 2]))

    @property
    def duration_s(self) -> float:
        """How long all actors act."""
        return min(actor.duration_s for actor in self.actors)

    def keypoints_px(self, times_s: ArrayLike) -> list[np.ndarray]:
        """Give for each actor the pixels (T, 22, 2) of the joints of BODY-22, NaN behind the camera."""
        times = self._check_times(times_s)
        return [self.camera.project(actor.pose(times)[0], times) for actor in self.actors]

    def frames(self, times_s: ArrayLike, *, shutter_s: float = 0.0, blur_samples: int = 5) -> Iterator[Rendered]:
        """Render frames, one at a time.

        Parameters
        ----------
        times_s : array-like of shape (T,)
            Within 0 and `duration_s`.
        shutter_s : float, default=0.0
            How long the shutter is open, half before and half after the stamp: what moves is blurred.
        blur_samples : int, default=5
            How many instants in that time are averaged; odd, so that one is the stamp, at which depth and mask are
            taken.

        Yields
        ------
        Rendered

        Raises
        ------
        DataFormatError
            If there is no time or one beyond the actors' duration, the shutter's numbers do not fit, or the camera is
            in a body, a prop or outside of the room.
        """
        times = self._check_times(times_s)
        if not is_finite_number(shutter_s) or shutter_s < 0:
            raise DataFormatError(f"Scene: shutter_s must be a finite number from 0 on, not {shutter_s!r}.")
        if not isinstance(blur_samples, int | np.integer) or blur_samples < 1 or blur_samples % 2 == 0:
            raise DataFormatError(f"Scene: blur_samples must be an odd number from 1 on, not {blur_samples!r}.")
        samples = blur_samples if shutter_s > 0 else 1
        opened = shutter_s * ((np.arange(samples) + 0.5) / samples - 0.5)
        return self._rendered(times, opened)

    def write_video(
        self,
        path: str | Path,
        *,
        frame_rate_hz: float = 30.0,
        start_s: float = 0.0,
        stop_s: float | None = None,
        shutter_s: float = 0.0,
        blur_samples: int = 5,
        quality: int = 20,
        codec: str = "libx264",
        n_jobs: int | None = None,
        progress: bool = False,
    ) -> VideoClip:
        """Render a video; its time 0 is `start_s`.

        Parameters
        ----------
        path : path
            The suffix chooses the container.
        frame_rate_hz : float, default=30.0
        start_s, stop_s : float
            Frames with ``start_s <= time < stop_s``; stop_s None means `duration_s`.
        shutter_s, blur_samples
            As in `frames`.
        quality, codec
            As in `har_virtual.video.write_video`; libx264 heeds the quality, codecs such as mpeg4 do not.
        n_jobs : int, optional
            Processes that render, as joblib counts them. The frames are the same, bit for bit, whatever their number.
        progress : bool, default=False
            Show a bar.

        Returns
        -------
        VideoClip
            With the label that all actors share, and the subject if there is one actor alone; else with None, for
            nobody can say of which person a converted stream is.

        Raises
        ------
        DataFormatError
            As `frames`, or if the clip has no frame, or quality or n_jobs does not fit.
        VideoError
            If the path cannot be written, the codec is missing or does not fit the suffix, or a process that renders
            dies.
        """
        path = Path(path)
        times = self.clip_times(check_positive("frame_rate_hz", frame_rate_hz), start_s, stop_s)
        if path.is_dir():
            raise VideoError(f"{path}: cannot be written, it is a folder. Give the name of a file.")
        self.frames(times[:1], shutter_s=shutter_s, blur_samples=blur_samples)
        images = self._images(times, shutter_s, blur_samples, _workers(n_jobs))
        try:
            write_video(
                path, _shown(images, len(times), progress), frame_rate_hz=frame_rate_hz, codec=codec, quality=quality
            )
        except VideoError:
            raise
        except BrokenProcessPool as error:
            raise VideoError(
                f"{path}: not written, for a process that renders died; perhaps for lack of memory. Use fewer n_jobs."
            ) from error
        except OSError as error:
            reason = error.strerror or error
            raise VideoError(f"{path}: cannot be written ({reason}). Choose another folder or name.") from error
        first, alone = self.actors[0], len(self.actors) == 1
        shared = all(actor.label == first.label for actor in self.actors)
        return VideoClip(path, label=first.label if shared else None, subject=first.subject if alone else None)

    def _check_times(self, times_s: ArrayLike) -> np.ndarray:
        times = np.asarray(times_s, dtype=np.float64)
        if times.ndim != 1 or not times.size:
            raise DataFormatError(f"Scene: times_s must be 1-D with at least one time, not of shape {times.shape}.")
        if not ((times >= 0) & (times <= self.duration_s + 1e-9)).all():
            shortest = min(self.actors, key=lambda actor: actor.duration_s)
            raise DataFormatError(
                f"Scene: times from {times.min():g} to {times.max():g} s are asked for, but {_name(shortest)} acts "
                f"only from 0 to {self.duration_s:g} s. Ask for times within, or give the actors a longer duration_s."
            )
        return np.minimum(times, self.duration_s)

    def clip_times(self, frame_rate_hz: float, start_s: float, stop_s: float | None) -> np.ndarray:
        """Give the times of a clip's frames, as `write_video` bounds it."""
        stop_s = self.duration_s if stop_s is None else stop_s
        if not (is_finite_number(start_s) and is_finite_number(stop_s)):
            raise DataFormatError(f"Scene: start_s and stop_s must be finite, not {start_s!r} and {stop_s!r}.")
        n_frames = int(np.ceil((stop_s - start_s) * frame_rate_hz - 1e-6))
        if n_frames < 1:
            raise DataFormatError(
                f"Scene: a clip from {start_s:g} to {stop_s:g} s at {frame_rate_hz:g} Hz has no frame; stop_s must be "
                "after start_s."
            )
        if stop_s > self.duration_s + 1e-9:
            self._check_times([start_s, stop_s])
        return self._check_times(start_s + np.arange(n_frames) / frame_rate_hz)

    def _images(self, times: np.ndarray, shutter_s: float, blur_samples: int, n_jobs: int) -> Iterator[np.ndarray]:
        """Pictures in order; while one batch is taken, at most two for each worker are under way."""
        batches = [times[i : i + _BATCH] for i in range(0, len(times), _BATCH)]
        if n_jobs == 1 or len(batches) == 1:
            for frame in self.frames(times, shutter_s=shutter_s, blur_samples=blur_samples):
                yield frame.image
            return
        if self.camera.is_fixed:
            _ = self._still_view
        under_way: deque[Any] = deque()
        # Not the reusable pool: joblib's Parallel would find it afterwards and cannot work with it.
        with ProcessPoolExecutor(max_workers=n_jobs) as pool:
            try:
                for batch in batches:
                    under_way.append(pool.submit(_batch_images, self, batch, shutter_s, blur_samples))
                    if len(under_way) == 2 * n_jobs:
                        yield from under_way.popleft().result()
                while under_way:
                    yield from under_way.popleft().result()
            finally:
                for future in under_way:
                    future.cancel()

    def _rendered(self, times: np.ndarray, opened: np.ndarray) -> Iterator[Rendered]:
        for i in range(0, len(times), _BATCH):
            batch = times[i : i + _BATCH]
            instants = np.clip(batch[:, None] + opened, 0, self.duration_s)
            poses = [actor.pose(instants.ravel()) for actor in self.actors]
            for row, time_s in enumerate(batch.tolist()):
                span = slice(row * len(opened), (row + 1) * len(opened))
                views = self._views(instants[row])
                yield self._frame(time_s, instants[row], views, [(p[span], r[span]) for p, r in poses])

    def _frame(
        self,
        time_s: float,
        instants: np.ndarray,
        views: Iterable[_View],
        poses: list[tuple[np.ndarray, np.ndarray]],
    ) -> Rendered:
        """Average the pictures of some instants; depth and mask are those of the middle one."""
        pictures = [
            self._picture(float(instant), view, [(p[k], r[k]) for p, r in poses])
            for k, (instant, view) in enumerate(zip(instants, views, strict=True))
        ]
        n, middle = len(pictures), pictures[len(pictures) // 2]
        image = middle.image
        if n > 1:
            total = np.sum([picture.image for picture in pictures], axis=0, dtype=np.uint32)
            image = ((total + n // 2) // n).astype(np.uint8)
        if self.noise:
            # Microseconds: the same instant has the same noise in every call.
            image = add_noise(image, self._noise_sheet, np.random.default_rng([self.seed, round(time_s * 1e6)]))
        return Rendered(image, middle.depth_m, middle.persons, time_s)

    def _picture(self, time_s: float, view: _View, poses: list[tuple[np.ndarray, np.ndarray]]) -> Rendered:
        image, depth = view.image.copy(), view.depth_m.copy()
        mask = np.zeros(depth.shape, np.uint8)
        lens, size = self.camera.intrinsics, self.camera.size_px
        people = [m.capsules(*pose, k) for k, (m, pose) in enumerate(zip(self._mannequins, poses, strict=True), 1)]
        people += [actor.carried(*pose) for actor, pose in zip(self.actors, poses, strict=True)]
        for positions, _ in poses:
            cast_shadow(image, view.depth_m, positions[_SHADOWED], view.rotation, view.position_m, lens)
        bodies = sum(people[1:], people[0])
        self._check_outside(bodies, view.position_m, time_s)
        hits = cast(bodies, view.rotation, view.position_m, lens, size, depth)
        colors = self._exposed(shade(hits, bodies.colors, view.rotation, self._lamp) * 255)
        image.reshape(-1, 3)[hits.pixels] = colors
        depth.reshape(-1)[hits.pixels] = hits.depth_m
        mask.reshape(-1)[hits.pixels] = bodies.persons[hits.index]
        soften_edges(image, hits)
        return Rendered(image, depth, mask, time_s)

    def _views(self, instants: np.ndarray) -> Iterator[_View]:
        if self.camera.is_fixed:
            for _ in instants:
                yield self._still_view
            return
        for time_s, rotation, position in zip(instants, *self.camera.pose(instants), strict=True):
            yield self._view(rotation, position, float(time_s))

    @cached_property
    def _still_view(self) -> _View:
        rotations, positions = self.camera.pose([0.0])
        return self._view(rotations[0], positions[0], 0.0)

    def _view(self, rotation: np.ndarray, position_m: np.ndarray, time_s: float) -> _View:
        """Room and scenery, as the camera sees them."""
        lens, size = self.camera.intrinsics, self.camera.size_px
        image, depth = self.room.cast(position_m, rotation, lens, size)
        if self.exposure != 1:
            image = self._exposed(image)
        if len(self.scenery):
            self._check_outside(self.scenery, position_m, time_s)
            hits = cast(self.scenery, rotation, position_m, lens, size, depth)
            colors = self._exposed(shade(hits, self.scenery.colors, rotation, self._lamp) * 255)
            image.reshape(-1, 3)[hits.pixels], depth.reshape(-1)[hits.pixels] = colors, hits.depth_m
            soften_edges(image, hits)
        return _View(rotation, position_m, image, depth)

    def _exposed(self, colors: np.ndarray) -> np.ndarray:
        return np.minimum(colors * np.float32(self.exposure), 255).astype(np.uint8)

    @cached_property
    def _noise_sheet(self) -> np.ndarray:
        width, height = self.camera.size_px
        shape = (height + _SPARE_NOISE_PX, width + _SPARE_NOISE_PX, 3)
        sheet = np.random.default_rng([self.seed, 3]).standard_normal(shape, dtype=np.float32)
        return np.clip(np.rint(sheet * self.noise), -127, 127).astype(np.int8)

    def _check_outside(self, capsules: Capsules, position_m: np.ndarray, time_s: float) -> None:
        distances = capsules.distance_m(position_m)
        nearest = int(np.argmin(distances))
        if distances[nearest] > _NEAR_M:
            return
        person = int(capsules.persons[nearest])
        who = f"person {person} ({_name(self.actors[person - 1])})" if person else "a prop"
        raise DataFormatError(
            f"Scene: at {time_s:.2f} s the camera at {np.round(position_m, 2).tolist()} m is inside {who}, or within "
            f"{_NEAR_M:g} m of it. Move the camera or the person, or use Camera.facing."
        )


def _workers(n_jobs: int | None) -> int:
    whole = isinstance(n_jobs, int | np.integer) and not isinstance(n_jobs, bool)
    if n_jobs is not None and not (whole and n_jobs):
        raise DataFormatError(f"Scene: n_jobs must be a whole number other than 0, or None, not {n_jobs!r}.")
    return effective_n_jobs(n_jobs)


def _batch_images(scene: Scene, times: np.ndarray, shutter_s: float, blur_samples: int) -> list[np.ndarray]:
    return [frame.image for frame in scene.frames(times, shutter_s=shutter_s, blur_samples=blur_samples)]


def _shown(images: Iterator[np.ndarray], total: int, progress: bool) -> Iterator[np.ndarray]:
    from tqdm.auto import tqdm

    return tqdm(images, total=total, desc="rendering", unit="frame", disable=not progress)


def _name(actor: Actor) -> str:
    return f"subject {actor.subject!r}, {actor.label!r}"
