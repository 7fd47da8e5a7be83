"""From a person's motion to the streams of worn sensors."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping

import numpy as np

from har_virtual.exceptions import DataFormatError, SamplingRateWarning, UnknownNameError
from har_virtual.imu.sensor import SensorModel
from har_virtual.imu.simulate import MagneticField, simulate_sensor
from har_virtual.imu.sites import SEGMENTS, Placement, resolve_placements
from har_virtual.motion.kinematics import to_body
from har_virtual.recording import UNITS, Recording, check_positive
from har_virtual.skeleton import Motion

MAX_SAMPLING_RATE_HZ = 1000.0
# Highest frequency that is kept, as a share of the sampling rate of the stream and of the motion.
_BAND = 0.4
# Rates this near are the same: 30 Hz and 29.97, or a mean frame rate and its rounding.
_SAME_RATE = 1.002


def simulate_imu(
    motion: Motion,
    placements: Iterable[str] | Mapping[str, Placement],
    sampling_rate_hz: float,
    *,
    gravity: bool = True,
    cutoff_hz: float | None = 15.0,
    quantities: Iterable[str] = ("acc", "gyr"),
    magnetic_field_ut: MagneticField = (0.0, 20.0, -45.0),
    sensor: SensorModel | None = None,
    random_state: int | np.random.Generator | None = None,
) -> Recording:
    """Simulate inertial sensors worn by a moving person (IMUTube, section 2.4).

    Parameters
    ----------
    motion : Motion
        At least six frames.
    placements : iterable of site names, or mapping of names to Placement
    sampling_rate_hz : float
        At most 1,000. A rate above the motion's frame rate warns: the stream holds nothing above half the frame rate.
    gravity : bool, default=True
        Specific force, as an accelerometer has it; False leaves gravity out.
    cutoff_hz : float or None, default=15.0
        Low-pass of positions and orientations before they are differentiated: 15 to 20 Hz follows a real sensor
        best on optical motion capture, poses from video need less, exact motion none (None). It is lowered to 0.4 of
        the sampling rate and of the motion's frame rate where it is above. A stream slower than its motion is always
        low-passed at 0.4 of its rate (anti-aliasing).
    quantities : iterable of {"acc", "gyr", "mag"}, default=("acc", "gyr")
    magnetic_field_ut : array-like of shape (3,) or callable, default=(0, 20, -45)
        East, north, up in uT; or a function of positions (n, 3) and times (n,).
    sensor : SensorModel, optional
        Errors of a real device; None for an ideal one. Every site gets a device of its own.
    random_state : int, Generator or None
        Seeds the sensor's errors.

    Returns
    -------
    Recording
        Channels ``<site>_<quantity>_<axis>`` in m/s2, rad/s and uT, domain "virtual", from the motion's first stamp to
        its last.

    Raises
    ------
    UnknownNameError
        If a site is unknown or on a segment that the motion's skeleton does not have.
    DataFormatError
        If the motion is too short or a parameter does not fit.

    Warns
    -----
    SamplingRateWarning
        If the rate exceeds the motion's frame rate.
    """
    sites = resolve_placements(placements)
    quantities = check_quantities(quantities)
    rate = check_sampling_rate(sampling_rate_hz)
    if len(motion) < 6:
        raise DataFormatError(
            f"A motion of {len(motion)} frames is too short: at least 6 are needed to differentiate it."
        )
    warn_above_frame_rate(rate, motion.frame_rate_hz)
    body = to_body(motion)
    positions, rotations = _sensor_poses(body, sites)
    n_samples = int(np.floor(body.duration_s * rate + 1e-4)) + 1
    times = np.minimum(body.timestamps_s[0] + np.arange(n_samples) / rate, body.timestamps_s[-1])
    cutoff = effective_cutoff(cutoff_hz, rate, body.frame_rate_hz)
    streams = simulate_sensor(
        *(positions, rotations, body.timestamps_s),
        times_s=times,
        gravity=gravity,
        magnetic_field_ut=magnetic_field_ut,
        cutoff_hz=cutoff,
    )
    if sensor is not None:
        streams = _with_errors(sensor, streams, rate, random_state)
    by_quantity = dict(zip(UNITS, streams, strict=True))
    data = np.concatenate([by_quantity[q][:, s] for s in range(len(sites)) for q in quantities], axis=1)
    return Recording(
        data=data,
        sampling_rate_hz=rate,
        channels=channel_names(sites, quantities),
        start_s=float(body.timestamps_s[0]),
        subject=body.subject,
        labels=body.label,
        domain="virtual",
        attrs={**body.attrs, "gravity": gravity, "cutoff_hz": cutoff, "source_rate_hz": body.frame_rate_hz},
    )


def channel_names(sites: Iterable[str], quantities: Iterable[str]) -> tuple[str, ...]:
    """Give the channels of a stream: sites outermost, then quantities, then axes."""
    quantities = tuple(quantities)
    return tuple(f"{site}_{quantity}_{axis}" for site in sites for quantity in quantities for axis in "xyz")


def check_quantities(quantities: Iterable[str]) -> tuple[str, ...]:
    """Give the quantities as a tuple, or raise `DataFormatError`."""
    quantities = (quantities,) if isinstance(quantities, str) else tuple(quantities)
    if not quantities or len(set(quantities)) != len(quantities) or not set(quantities) <= set(UNITS):
        raise DataFormatError(f"quantities must be some of {list(UNITS)}, each once, not {list(quantities)}.")
    return quantities


def check_sampling_rate(sampling_rate_hz: float) -> float:
    """Give the rate as a float, or raise `DataFormatError` if it is not above 0 and at most 1,000 Hz."""
    rate = check_positive("sampling_rate_hz", sampling_rate_hz)
    if rate > MAX_SAMPLING_RATE_HZ:
        raise DataFormatError(f"sampling_rate_hz must be at most {MAX_SAMPLING_RATE_HZ:g}, not {rate:g}.")
    return rate


def warn_above_frame_rate(sampling_rate_hz: float, frame_rate_hz: float) -> None:
    """Warn where a stream is sampled faster than its motion; two per mille of tolerance for 29.97 and the like."""
    if sampling_rate_hz > frame_rate_hz * _SAME_RATE:
        warnings.warn(
            f"sampling_rate_hz={sampling_rate_hz:g} exceeds the frame rate of {frame_rate_hz:.2f} Hz: the stream is "
            f"band-limited to {frame_rate_hz / 2:.2f} Hz.",
            SamplingRateWarning,
            stacklevel=3,
        )


def effective_cutoff(cutoff_hz: float | None, sampling_rate_hz: float, frame_rate_hz: float) -> float | None:
    """Give the low-pass that is applied: the one asked for, lowered where a rate cannot hold it; None for none.

    The limits are 0.4 of the motion's frame rate where a cutoff is asked for, and 0.4 of the sampling rate where that
    is more than two per mille below the frame rate.
    """
    limits = [_BAND * sampling_rate_hz] if sampling_rate_hz * _SAME_RATE < frame_rate_hz else []
    if cutoff_hz is not None:
        limits += [check_positive("cutoff_hz", cutoff_hz), _BAND * frame_rate_hz]
    return min(limits, default=None)


def _sensor_poses(body: Motion, sites: Mapping[str, Placement]) -> tuple[np.ndarray, np.ndarray]:
    """Positions (T, S, 3) and sensor-to-world rotations (T, S, 3, 3)."""
    assert body.rotations is not None
    positions, rotations = [], []
    for site, placement in sites.items():
        joints = SEGMENTS[placement.segment]
        missing = [joint for joint in joints if joint not in body.skeleton]
        if missing:
            raise UnknownNameError(
                f"Site {site} lies on {placement.segment}, but {body.skeleton.name} has no {', '.join(missing)}."
            )
        start, end = (body.skeleton.index(joint) for joint in joints)
        origin = body.positions_m[:, start]
        along = origin + placement.fraction * (body.positions_m[:, end] - origin)
        frame = body.rotations[:, start]
        positions.append(along + frame @ np.asarray(placement.offset_m, dtype=np.float64))
        rotations.append(frame if placement.rotation is None else frame @ np.asarray(placement.rotation))
    return np.stack(positions, axis=1), np.stack(rotations, axis=1)


def _with_errors(
    sensor: SensorModel,
    streams: tuple[np.ndarray, np.ndarray, np.ndarray],
    sampling_rate_hz: float,
    random_state: int | np.random.Generator | None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(random_state)
    erring = tuple(np.empty_like(stream) for stream in streams)
    for site in range(streams[0].shape[1]):
        acc, gyr, mag = (stream[:, site] for stream in streams)
        device = sensor.apply(acc, gyr, mag, sampling_rate_hz, random_state=rng)
        for stream, reading in zip(erring, device, strict=True):
            stream[:, site] = reading
    return erring[0], erring[1], erring[2]
