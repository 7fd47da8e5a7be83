"""People who move by a formula: exact in every derivative."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from har_virtual.exceptions import DataFormatError, UnknownNameError
from har_virtual.imu import SEGMENTS, Placement
from har_virtual.pose.skeletons import BODY_22
from har_virtual.recording import STANDARD_GRAVITY_M_S2
from har_virtual.rotation import about_up
from har_virtual.studio.activities import ACTIVITIES, Activity
from har_virtual.studio.actor import Actor
from har_virtual.studio.body import Body, check_body, check_seed
from har_virtual.studio.capsules import Capsules
from har_virtual.studio.jets import Jet, as_jet, stack, time
from har_virtual.studio.posture import Joints, Posture, joints
from har_virtual.studio.props import FURNITURE, HELD
from har_virtual.studio.style import Style


class Performance(Actor):
    """Somebody who moves by a formula; see `perform`."""

    def __init__(
        self,
        activity: str | Callable[[Jet, Style], Posture],
        *,
        duration_s: float,
        style: Style,
        body: Body,
        position_m: Sequence[float],
        heading_deg: float,
        subject: str | None,
        label: Any,
    ) -> None:
        self._place(duration_s, position_m, heading_deg)
        if isinstance(activity, str) and activity not in ACTIVITIES:
            raise UnknownNameError(f"There is no activity {activity!r}; there are {', '.join(ACTIVITIES)}.")
        entry = ACTIVITIES[activity] if isinstance(activity, str) else Activity(_name(activity), activity)
        self.formula, self.label = entry.function, entry.name if label is None else label
        self._furniture, self._held = entry.furniture, entry.held
        self.style, self.body, self.subject = style, body, subject
        self.attrs = {"source": "studio: a formula", "seed": np.asarray(style.seed).tolist(), "take": style.take}

    def posture(self, times_s: ArrayLike) -> Posture:
        """Give the joint angles at some times.

        Raises
        ------
        DataFormatError
            If the activity gives no `Posture`, or an angle has another shape than the times or is not finite.
        """
        times = np.asarray(times_s, dtype=np.float64)
        posture = self.formula(time(times), self.style)
        if not isinstance(posture, Posture):
            raise DataFormatError(
                f"The activity {self.label!r} must return a Posture, not {type(posture).__name__} {posture!r:.60}."
            )
        for name, angle in posture.angles.items():
            parts = as_jet(angle)
            if parts.value.shape not in ((), times.shape):
                raise DataFormatError(
                    f"The activity {self.label!r}: {name} has shape {parts.value.shape} for {len(times)} times."
                )
            holes = ~np.isfinite(parts.value + parts.rate + parts.acceleration)
            if holes.any():
                at = times[np.flatnonzero(np.broadcast_to(holes, times.shape))[0]]
                raise DataFormatError(
                    f"The activity {self.label!r}: {name}, its rate or its acceleration is not finite at {at:g} s; the "
                    "formula must be smooth."
                )
        return posture

    def joints(self, times_s: ArrayLike) -> Joints:
        """Give joints and segment frames in the world with their rates and accelerations."""
        times = np.asarray(times_s, dtype=np.float64)
        own = joints(self.posture(times), self.body, len(times))
        turn, start = about_up(self.heading_deg), np.array([*self.position_m, 0.0])
        turned = (turn @ own.positions_m[..., None])[..., 0]
        return Joints(turned + start, turn @ own.rotations)

    def _pose(self, times_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        now = self.joints(times_s)
        return now.positions_m.value, now.rotations.value

    def _readings(
        self, times_s: np.ndarray, sites: Mapping[str, Placement], gravity: bool, magnetic_field_ut: ArrayLike
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        now, places, frames = self.joints(times_s), [], []
        for placement in sites.values():
            start, end = (BODY_22.index(joint) for joint in SEGMENTS[placement.segment])
            origin, frame = now.positions_m[:, start], now.rotations[:, start]
            offset = (frame @ np.asarray(placement.offset_m, dtype=float)[:, None])[..., 0]
            places.append(origin + (now.positions_m[:, end] - origin) * placement.fraction + offset)
            frames.append(frame if placement.rotation is None else frame @ np.asarray(placement.rotation))
        place, frame = stack(places, axis=1), stack(frames, axis=1)
        to_sensor = np.swapaxes(frame.value, -1, -2)
        force = place.acceleration + (np.array([0.0, 0.0, STANDARD_GRAVITY_M_S2]) if gravity else 0.0)
        spin = to_sensor @ frame.rate
        gyr = np.stack([spin[..., 2, 1], spin[..., 0, 2], spin[..., 1, 0]], axis=-1)
        field = np.asarray(magnetic_field_ut, dtype=float)
        return np.einsum("...ij,...j->...i", to_sensor, force), gyr, np.einsum("...ij,j->...i", to_sensor, field)

    @cached_property
    def furniture(self) -> Capsules:
        """What stands with the person in the world: a chair, an ironing board."""
        turn, start = about_up(self.heading_deg), np.array([*self.position_m, 0.0])
        things = (FURNITURE[name](self.body, self.duration_s) for name in self._furniture)
        return sum((thing.moved(turn, start) for thing in things), Capsules.none())

    def carried(self, positions_m: np.ndarray, rotations: np.ndarray) -> Capsules:
        """Give what the person has in the better hand: an iron, a wand."""
        if self._held is None:
            return Capsules.none()
        hand = BODY_22.index(f"{self.style.handedness}_hand")
        return HELD[self._held](positions_m[hand], rotations[hand])


def _name(activity: Callable[[Jet, Style], Posture]) -> str:
    if not callable(activity):
        raise UnknownNameError(
            f"An activity is one of {', '.join(ACTIVITIES)}, or a function of time and style, not {activity!r}."
        )
    return getattr(activity, "__name__", type(activity).__name__)


def perform(
    activity: str | Callable[[Jet, Style], Posture],
    *,
    duration_s: float = 6.0,
    seed: int = 0,
    take: int = 0,
    body: Body | None = None,
    position_m: Sequence[float] = (0.0, 0.0),
    heading_deg: float = 0.0,
    subject: str | None = None,
    label: Any = None,
) -> Performance:
    """Let a person do something.

    Parameters
    ----------
    activity : str or callable
        A name of `ACTIVITIES`, or a function of a `har_virtual.studio.jets.Jet`, the time, and a `Style` that gives a
        `Posture`.
    duration_s : float, default=6.0
    seed : int, default=0
        The person: body, clothes, handedness, tempo, size of movements.
    take : int, default=0
        Another one differs in what is never the same twice: where in the cycle it begins, and small movements.
    body : Body, optional
        Instead of ``Body.random(seed)``.
    position_m : sequence of two float, default=(0, 0)
        Where in the world the person starts.
    heading_deg : float, default=0.0
        0 looks along the world's y; counter-clockwise as seen from above.
    subject : str, optional
        None for ``studio/<seed>``.
    label : object, optional
        None for the name of the activity or function.

    Returns
    -------
    Performance

    Raises
    ------
    UnknownNameError
        If there is no such activity.
    DataFormatError
        If a number does not fit.

    Examples
    --------
    >>> from har_virtual.studio import perform
    >>> walk = perform("walking", duration_s=2.0, seed=3)
    >>> recording = walk.imu(["left_wrist"], 100)
    >>> recording.data.shape, recording.labels, recording.subject
    ((200, 6), 'walking', 'studio/3')
    """
    check_seed("perform: seed", seed)
    body = check_body(body, Body.random(seed))
    return Performance(
        activity,
        duration_s=duration_s,
        style=Style(seed, take=take, body=body),
        body=body,
        position_m=position_m,
        heading_deg=heading_deg,
        subject=f"studio/{seed}" if subject is None else subject,
        label=label,
    )
