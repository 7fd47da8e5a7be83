"""Somebody before the studio's camera: what the renderer, the tests and the sensors ask of a person who moves."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from har_virtual.checks import check_positive, is_finite_number
from har_virtual.exceptions import DataFormatError
from har_virtual.imu import Placement, SensorModel
from har_virtual.imu.sensor import resolve_sensor
from har_virtual.imu.sites import resolve_placements
from har_virtual.imu.streams import channel_names, check_quantities, check_sampling_rate, sensing_attrs, with_errors
from har_virtual.pose.skeletons import BODY_22
from har_virtual.recording import UNITS, Recording
from har_virtual.skeleton import Motion
from har_virtual.studio.body import Body
from har_virtual.studio.capsules import Capsules

FIELD_UT = (0.0, 20.0, -45.0)
"""Magnetic field, east, north and up."""


class Actor(ABC):
    """Somebody before the camera, whose joints and sensors are known exactly at any time.

    Attributes
    ----------
    body : Body
    label, subject, session, dataset : str or None
        They go to films, motions and streams.
    attrs : dict
        What moves the actor; JSON-compatible.
    duration_s : float
    position_m : array of shape (2,)
        Where the pelvis stands over the floor at time 0, in the world.
    heading_deg : float
        0 looks along the world's y; counter-clockwise as seen from above.
    """

    body: Body
    label: Any
    subject: str | None
    session: str | None = None
    dataset: str | None = None
    attrs: dict[str, Any]
    duration_s: float
    position_m: np.ndarray
    heading_deg: float

    def pose(self, times_s: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """Give where the body is.

        Parameters
        ----------
        times_s : array-like of shape (T,)

        Returns
        -------
        positions_m : array of shape (T, 22, 3)
            Joints of BODY-22 in the world.
        rotations : array of shape (T, 22, 3, 3)
            Segment to world, as in `har_virtual.Motion`.

        Raises
        ------
        DataFormatError
            If the times are no finite numbers, or, for a recorded motion, beyond its end.
        """
        return self._pose(self._check_times(times_s))

    def readings(
        self,
        times_s: ArrayLike,
        sites: Iterable[str] | Mapping[str, Placement],
        *,
        gravity: bool = True,
        magnetic_field_ut: ArrayLike = FIELD_UT,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Give what ideal sensors read, unfiltered.

        Parameters
        ----------
        times_s : array-like of shape (T,)
        sites : iterable of site names, or mapping of names to Placement
        gravity : bool, default=True
            Specific force; False leaves gravity out.
        magnetic_field_ut : array-like of shape (3,), default=(0, 20, -45)
            East, north, up.

        Returns
        -------
        acc, gyr, mag : arrays of float64 of shape (T, S, 3)
            m/s2, rad/s and uT along the sensors' axes.

        Raises
        ------
        UnknownNameError
            If there is no such site.
        DataFormatError
            As `pose`.
        """
        if np.shape(magnetic_field_ut) != (3,) or not np.isfinite(magnetic_field_ut).all():
            raise DataFormatError(
                f"magnetic_field_ut must be three finite numbers, east, north and up, not {magnetic_field_ut!r}."
            )
        return self._readings(self._check_times(times_s), resolve_placements(sites), gravity, magnetic_field_ut)

    @abstractmethod
    def _pose(self, times_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]: ...

    @abstractmethod
    def _readings(
        self, times_s: np.ndarray, sites: Mapping[str, Placement], gravity: bool, magnetic_field_ut: ArrayLike
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]: ...

    def _check_times(self, times_s: ArrayLike) -> np.ndarray:
        try:
            times = np.asarray(times_s, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise DataFormatError(f"times_s must be finite numbers of shape (T,), not {times_s!r:.60}.") from error
        if times.ndim != 1 or not np.isfinite(times).all():
            raise DataFormatError(
                f"times_s must be finite numbers of shape (T,), not {times_s!r:.60} of shape {times.shape}."
            )
        return times

    def carried(self, positions_m: np.ndarray, rotations: np.ndarray) -> Capsules:
        """Give what the person has in a hand, for joints (22, 3) and rotations (22, 3, 3) of one instant."""
        return Capsules.none()

    @cached_property
    def furniture(self) -> Capsules:
        """What stands with the person in the world: a chair, an ironing board."""
        return Capsules.none()

    def motion(self, frame_rate_hz: float) -> Motion:
        """Give joints and orientations at a frame rate, as a pose estimator without errors would.

        Parameters
        ----------
        frame_rate_hz : float

        Returns
        -------
        Motion
            On BODY-22, with rotations, from time 0 to before the end, as a film has its frames.

        Raises
        ------
        DataFormatError
            If the rate is not above 0 and at most 1,000 Hz.
        """
        times = sample_times(self.duration_s, check_sampling_rate(frame_rate_hz))
        positions, rotations = self.pose(times)
        return Motion(
            positions,
            times,
            BODY_22,
            rotations,
            subject=self.subject,
            label=self.label,
            session=self.session,
            dataset=self.dataset,
            attrs=self.attrs,
        )

    def imu(
        self,
        sites: Iterable[str] | Mapping[str, Placement],
        sampling_rate_hz: float,
        *,
        sensor: SensorModel | str | None = None,
        random_state: int | np.random.Generator | None = None,
        quantities: Iterable[str] = ("acc", "gyr"),
        gravity: bool = True,
        magnetic_field_ut: ArrayLike = FIELD_UT,
    ) -> Recording:
        """Give the stream of worn sensors.

        Each sample is the exact reading at its instant: nothing is low-passed, so what moves faster than half the rate
        is folded down, as in a sensor without an anti-aliasing filter. From 50 Hz on the activities have next to
        nothing there; a runner's ankle at 25 Hz has 1.6 m/s2 RMS.

        Parameters
        ----------
        sites : iterable of site names, or mapping of names to Placement
        sampling_rate_hz : float
            At most 1,000.
        sensor : SensorModel or str, optional
            Errors of a real device, or the name of a preset; None for an ideal one.
        random_state : int, Generator or None
            Seeds the sensor's errors.
        quantities : iterable of {"acc", "gyr", "mag"}, default=("acc", "gyr")
        gravity : bool, default=True
        magnetic_field_ut : array-like of shape (3,), default=(0, 20, -45)

        Returns
        -------
        Recording
            Domain "virtual", with the actor's label and subject, from time 0 to before the end.
        """
        placements, quantities = resolve_placements(sites), check_quantities(quantities)
        rate, sensor = check_sampling_rate(sampling_rate_hz), resolve_sensor(sensor)
        times = sample_times(self.duration_s, rate)
        streams = self.readings(times, placements, gravity=gravity, magnetic_field_ut=magnetic_field_ut)
        if sensor is not None:
            streams = with_errors(sensor, streams, rate, random_state)
        by_quantity = dict(zip(UNITS, streams, strict=True))
        return Recording(
            data=np.concatenate([by_quantity[q][:, s] for s in range(len(placements)) for q in quantities], axis=1),
            sampling_rate_hz=rate,
            channels=channel_names(placements, quantities),
            subject=self.subject,
            session=self.session,
            dataset=self.dataset,
            labels=self.label,
            domain="virtual",
            attrs={**self.attrs, **sensing_attrs(placements, gravity, magnetic_field_ut, sensor, random_state)},
        )

    def _place(self, duration_s: float, position_m: Sequence[float], heading_deg: float) -> None:
        if np.shape(position_m) != (2,) or not np.isfinite(position_m).all() or not is_finite_number(heading_deg):
            raise DataFormatError(
                f"An actor needs position_m, two finite numbers, and heading_deg, one, not {position_m!r} and "
                f"{heading_deg!r}."
            )
        self.duration_s = check_positive("duration_s", duration_s)
        self.position_m, self.heading_deg = np.array(position_m, dtype=float), float(heading_deg)


def sample_times(duration_s: float, rate_hz: float) -> np.ndarray:
    """Give the times from 0 to before `duration_s`, as a film has its frames."""
    return np.arange(int(np.ceil(duration_s * rate_hz - 1e-6))) / rate_hz
