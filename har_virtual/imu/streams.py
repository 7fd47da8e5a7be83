"""From a person's motion to the streams of worn sensors."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from itertools import pairwise
from numbers import Integral
from typing import Any

import numpy as np

from har_virtual.checks import check_positive
from har_virtual.exceptions import DataFormatError, SamplingRateWarning, UnknownNameError
from har_virtual.imu.sensor import SensorModel, resolve_sensor
from har_virtual.imu.simulate import MagneticField, simulate_sensor
from har_virtual.imu.sites import SEGMENTS, Placement, resolve_placements
from har_virtual.motion.kinematics import to_body
from har_virtual.recording import UNITS, Recording
from har_virtual.signal import typical_rate
from har_virtual.skeleton import Motion

MAX_SAMPLING_RATE_HZ = 1000.0
# Highest frequency that is kept, as a share of the sampling rate of the stream and of the motion.
_BAND = 0.4
# Rates this near are the same: 30 Hz and 29.97, or a mean frame rate and its rounding.
_SAME_RATE = 1.002
_MIN_FRAMES = 6
# Uneven steps up to this many median ones are no hole, however slow the motion.
_UNEVEN_STEPS = 2.5


def simulate_imu(
    motion: Motion,
    placements: Iterable[str] | Mapping[str, Placement],
    sampling_rate_hz: float,
    *,
    gravity: bool = True,
    cutoff_hz: float | None = 15.0,
    quantities: Iterable[str] = ("acc", "gyr"),
    magnetic_field_ut: MagneticField = (0.0, 20.0, -45.0),
    sensor: SensorModel | str | None = None,
    random_state: int | np.random.Generator | None = None,
    max_gap_s: float = 0.5,
) -> Recording:
    """Simulate inertial sensors worn by a moving person (IMUTube, section 2.4).

    Parameters
    ----------
    motion : Motion
        At least six frames, the stamps even or uneven. Its frame rate is `Motion.frame_rate_hz`, which holes do not
        lower.
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
    sensor : SensorModel or str, optional
        Errors of a real device, or the name of a preset of `SensorModel`; None for an ideal one. Every site gets a
        device of its own.
    random_state : int, Generator or None
        Seeds the sensor's errors.
    max_gap_s : float, default=0.5
        Holes in the motion's stamps up to this length are bridged (and 1.5 median steps always are). Longer ones cut
        the motion: every part of at least six frames is simulated by itself, samples outside the parts are NaN. The
        length of a hole is the time between its neighbours less one median step.

    Returns
    -------
    Recording
        Channels ``<site>_<quantity>_<axis>`` in m/s2, rad/s and uT, domain "virtual", from the motion's first stamp to
        its last. Its attrs hold those of the motion and the parameters that made the stream.

    Raises
    ------
    UnknownNameError
        If a site is unknown or on a segment that the motion's skeleton does not have.
    DataFormatError
        If no part of the motion has six frames or a parameter does not fit.
    ValueError
        If a parameter of the sensor makes no sense.

    Warns
    -----
    SamplingRateWarning
        If the rate exceeds the motion's frame rate.
    """
    sites = resolve_placements(placements)
    quantities = check_quantities(quantities)
    rate = check_sampling_rate(sampling_rate_hz)
    sensor = resolve_sensor(sensor)
    runs = _runs(motion.timestamps_s, check_positive("max_gap_s", max_gap_s))
    warn_above_frame_rate(rate, motion.frame_rate_hz)
    cutoff = effective_cutoff(cutoff_hz, rate, motion.frame_rate_hz)
    body = to_body(motion)
    streams = _simulate_runs(
        *(*sensor_poses(body, sites), body.timestamps_s, runs, rate, cutoff),
        gravity=gravity,
        magnetic_field_ut=magnetic_field_ut,
    )
    if sensor is not None:
        streams = with_errors(sensor, streams, rate, random_state)
    by_quantity = dict(zip(UNITS, streams, strict=True))
    data = np.concatenate([by_quantity[q][:, s] for s in range(len(sites)) for q in quantities], axis=1)
    return Recording(
        data=data,
        sampling_rate_hz=rate,
        channels=channel_names(sites, quantities),
        start_s=float(body.timestamps_s[0]),
        subject=body.subject,
        session=body.session,
        dataset=body.dataset,
        labels=body.label,
        domain="virtual",
        attrs={
            **body.attrs,
            "cutoff_hz": cutoff,
            "source_rate_hz": motion.frame_rate_hz,
            "max_gap_s": float(max_gap_s),
            **sensing_attrs(sites, gravity, magnetic_field_ut, sensor, random_state),
        },
    )


def sensing_attrs(
    sites: Mapping[str, Placement],
    gravity: bool,
    magnetic_field_ut: MagneticField,
    sensor: SensorModel | None,
    random_state: int | np.random.Generator | None,
) -> dict[str, Any]:
    """Give the parameters that made a stream, as its attrs hold them."""
    return {
        "gravity": gravity,
        "placements": {site: _plain(placement.get_params()) for site, placement in sites.items()},
        "magnetic_field_ut": "function" if callable(magnetic_field_ut) else _plain(magnetic_field_ut),
        "sensor": None if sensor is None else _plain(sensor.get_params()),
        **({"random_state": int(random_state)} if isinstance(random_state, Integral) else {}),
    }


def _plain(value: Any) -> Any:
    """Numbers, arrays and mappings of them as JSON has them."""
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    return None if value is None else np.asarray(value).tolist()


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


def _runs(stamps: np.ndarray, max_gap_s: float) -> list[slice]:
    """Stretches without long holes and of enough frames to differentiate them."""
    steps = np.diff(stamps)
    step = np.median(steps) if len(steps) else 0.0
    holes = steps > max(max_gap_s + step, _UNEVEN_STEPS * step) * (1 + 1e-6)
    ends = [0, *(np.flatnonzero(holes) + 1), len(stamps)]
    runs = [slice(start, stop) for start, stop in pairwise(ends) if stop - start >= _MIN_FRAMES]
    if not runs:
        parts = f", cut by holes longer than max_gap_s={max_gap_s:g} into {len(ends) - 1}," if len(ends) > 2 else ""
        raise DataFormatError(
            f"A motion of {len(stamps)} frames{parts} is too short: at least {_MIN_FRAMES} are needed to differentiate "
            "it."
        )
    return runs


def _simulate_runs(
    positions_m: np.ndarray,
    rotations: np.ndarray,
    stamps: np.ndarray,
    runs: list[slice],
    sampling_rate_hz: float,
    cutoff_hz: float | None,
    **options: Any,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ideal readings (N, S, 3) from the first stamp to the last, NaN outside the runs."""
    n_samples = int(np.floor((stamps[-1] - stamps[0]) * sampling_rate_hz + 1e-4)) + 1
    times = stamps[0] + np.arange(n_samples) / sampling_rate_hz
    tolerance = 1e-4 / sampling_rate_hz
    acc, gyr, mag = (np.full((n_samples, *positions_m.shape[1:]), np.nan) for _ in UNITS)
    for run in runs:
        first, last = stamps[run][[0, -1]]
        inside = (times >= first - tolerance) & (times <= last + tolerance)
        if not inside.any():
            continue
        acc[inside], gyr[inside], mag[inside] = simulate_sensor(
            *(positions_m[run], rotations[run], stamps[run]),
            times_s=np.clip(times[inside], first, last),
            # A part may be slower than the rest.
            cutoff_hz=None if cutoff_hz is None else min(cutoff_hz, _BAND * typical_rate(stamps[run])),
            **options,
        )
    return acc, gyr, mag


def sensor_poses(body: Motion, sites: Mapping[str, Placement]) -> tuple[np.ndarray, np.ndarray]:
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


def with_errors(
    sensor: SensorModel,
    streams: tuple[np.ndarray, np.ndarray, np.ndarray],
    sampling_rate_hz: float,
    random_state: int | np.random.Generator | None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Add the errors of one device a site to ideal readings (N, S, 3)."""
    rng = np.random.default_rng(random_state)
    erring = tuple(np.empty_like(stream) for stream in streams)
    for site in range(streams[0].shape[1]):
        acc, gyr, mag = (stream[:, site] for stream in streams)
        device = sensor.apply(acc, gyr, mag, sampling_rate_hz, random_state=rng)
        for stream, reading in zip(erring, device, strict=True):
            stream[:, site] = reading
    return erring[0], erring[1], erring[2]
