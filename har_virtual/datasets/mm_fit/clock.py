"""From the stamps of MM-Fit's devices to even samples on the clock of the camera."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from har_virtual.datasets.mm_fit.files import CAMERA_RATE_HZ, DeviceFile
from har_virtual.exceptions import DataFormatError
from har_virtual.signal import regularize_timestamps, resample

# A workout lasts some forty minutes; stamps further apart are damaged, and would ask for more memory than there is.
LONGEST_S = 4 * 3600.0
_FRAME_S = 1 / CAMERA_RATE_HZ
# How far a camera's true rate may be from the nominal one, and a device's from one that it may have.
_SLOWEST, _FASTEST, _NEAR = 0.5, 2.0, 0.15
_TICK_S, _LAG, _MAX_GAP_S = 1e-3, 100, 0.1
# Rates of no device.
_ABSURD_HZ = (5.0, 2000.0)
# Stamps rounded to milliseconds are this far from even ones; of a fast device, less than a third of a step.
_ROUNDING_S, _PART_OF_A_STEP = 0.6e-3, 0.3
# Steps shorter than this part of an even one let a smooth curve overshoot.
_SHORT_STEP = 0.5


class CameraClock(NamedTuple):
    """A device's stamps against the camera's frames: frame f was taken at f / 30 s.

    `zero_ms` is the stamp at frame 0, `ratio` the camera's seconds in one of the device's, and `off_s` how far 95 % of
    the frames are at most from where this puts them.
    """

    zero_ms: float
    ratio: float
    off_s: float

    def times_s(self, stamps_ms: np.ndarray) -> np.ndarray:
        """Give the times of stamps on the camera's clock."""
        return (stamps_ms - self.zero_ms) * (self.ratio / 1000)


class Samples(NamedTuple):
    """Even samples (n, channels) of some sensors of a device, the time of the first one, and the frame of each."""

    data: np.ndarray
    rate_hz: float
    start_s: float
    frames: np.ndarray
    even: bool


def in_order(readings: DeviceFile, path: Path | str) -> tuple[DeviceFile, list[str]]:
    """Sort readings by their stamps, keep the first of those with one stamp, and say so; errors name `path`.

    Raises
    ------
    DataFormatError
        If fewer than two are left, or they span hours.
    """
    notes, (frames, stamps, values) = [], readings
    backwards = int((np.diff(stamps) < 0).sum())
    if backwards:
        order = np.argsort(stamps, kind="stable")
        frames, stamps, values = frames[order], stamps[order], values[order]
        notes.append(f"stamps go back at {backwards} places; the readings were sorted by them.")
    fresh = np.diff(stamps, prepend=-np.inf) > 0
    repeated = int(np.sum(~fresh))
    if repeated:
        frames, stamps, values = frames[fresh], stamps[fresh], values[fresh]
        notes.append(f"{repeated} readings have the stamp of another one and were left out.")
    if len(stamps) < 2 or not stamps[-1] - stamps[0] <= 1000 * LONGEST_S:
        raise DataFormatError(
            f"{path}: {len(stamps)} readings over {(stamps[-1] - stamps[0]) / 1000:.4g} s are no workout; two are "
            f"needed at least, and {LONGEST_S / 3600:g} hours are too long: stamps must be in ms, and are in another "
            "unit, or damaged; unpack it anew."
        )
    return DeviceFile(frames, stamps, values), notes


def fit_camera(readings: Sequence[DeviceFile], path: Path | str) -> CameraClock:
    """Find where the camera's frames lie on the clock of a device's stamps.

    If 99 % of the frames are within one of 30 a second by the stamps, the stamps' seconds are the camera's and only the
    offset is found, a median. Else the camera had another rate, and a line is.

    Raises
    ------
    DataFormatError
        If the frames do not rise with the stamps as those of a camera of some 30 Hz.
    """
    first_ms = min(each.times_ms[0] for each in readings)
    points = [_mean_times(each, first_ms) for each in readings]
    camera_s, device_s = (np.concatenate(each) for each in zip(*points, strict=True))
    ratio = 1.0
    if np.quantile(np.abs(_off(camera_s, device_s, ratio)), 0.99) > _FRAME_S or _is_stuck(readings):
        ratio = _slope(camera_s, device_s)
    if not _SLOWEST < ratio < _FASTEST:
        raise DataFormatError(
            f"{path}: by its stamps the camera took {CAMERA_RATE_HZ * ratio:.3g} frames a second, where "
            f"{CAMERA_RATE_HZ:g} are right; frames or stamps are damaged, unpack it anew."
        )
    offset_s = float(np.median(camera_s - ratio * device_s))
    off_s = float(np.quantile(np.abs(_off(camera_s, device_s, ratio)), 0.95))
    return CameraClock(first_ms - 1000 * offset_s / ratio, ratio, off_s)


def _mean_times(readings: DeviceFile, first_ms: float) -> tuple[np.ndarray, np.ndarray]:
    """Each frame on the camera's clock, and the mean of its readings' stamps on the device's.

    All readings from before the camera started, or from after it stopped, have one frame, and count no more than those
    of any other one.
    """
    frames, which, counts = np.unique(readings.frames, return_inverse=True, return_counts=True)
    return frames * _FRAME_S, np.bincount(which, (readings.times_ms - first_ms) / 1000) / counts


def _is_stuck(readings: Sequence[DeviceFile]) -> bool:
    """Whether the frame stays the same for longer than frames last."""
    return all(np.ptp(each.frames) == 0 and np.ptp(each.times_ms) > 2000 * _FRAME_S for each in readings)


def _off(camera_s: np.ndarray, device_s: np.ndarray, ratio: float) -> np.ndarray:
    rest = camera_s - ratio * device_s
    return rest - np.median(rest)


def _slope(camera_s: np.ndarray, device_s: np.ndarray) -> float:
    """A line's slope, fitted again without what is far off."""
    slope = _least_squares(camera_s, device_s)
    off = np.abs(_off(camera_s, device_s, slope))
    near = off <= 3 * np.median(off) + _FRAME_S
    return _least_squares(camera_s[near], device_s[near])


def _least_squares(camera_s: np.ndarray, device_s: np.ndarray) -> float:
    """A line's slope; 0, which no camera has, if all stamps are one."""
    since = device_s - device_s.mean()
    spread = float(since @ since)
    return float(since @ camera_s) / spread if spread > 0 else 0.0


def rate_of(readings: DeviceFile, nominal_hz: Sequence[float], path: Path | str) -> tuple[float, list[str]]:
    """Give which of some rates the readings have, within 15 %; the one that they have, and a note, if it is another.

    Raises
    ------
    DataFormatError
        If it is the rate of no device.
    """
    lag = min(_LAG, len(readings.times_ms) - 1)
    rate_hz = 1000 * lag / float(np.median(readings.times_ms[lag:] - readings.times_ms[:-lag]))
    nearest = min(nominal_hz, key=lambda rate: abs(rate_hz / rate - 1))
    if abs(rate_hz / nearest - 1) <= _NEAR:
        return nearest, []
    expected = " or ".join(f"{rate:g}" for rate in nominal_hz)
    if not _ABSURD_HZ[0] <= rate_hz <= _ABSURD_HZ[1]:
        steps = " or ".join(f"{1000 / rate:.3g}" for rate in nominal_hz)
        raise DataFormatError(
            f"{path}: stamps must be in ms, {steps} apart at {expected} Hz, and are {1000 / rate_hz:.3g} apart; they "
            "are in another unit, or damaged: unpack it anew."
        )
    return float(round(rate_hz)), [f"the readings come at {rate_hz:.4g} Hz, not at {expected}."]


def bring_together(sensors: Mapping[str, DeviceFile], clocks: Mapping[str, CameraClock], rate_hz: float) -> Samples:
    """Bring sensors of one rate to even samples, each by its clock.

    Readings whose stamps are even, up to their rounding to milliseconds, stay as they are, with NaN for those that are
    missing; all others are interpolated, and holes of more than 0.1 s stay.
    """
    times = [clocks[name].times_s(_unrounded_ms(each.times_ms)) for name, each in sensors.items()]
    origin = next((found for each in times if (found := _even_start(each, rate_hz)) is not None), float(times[0][0]))
    first = min(int(np.ceil((each[0] - origin) * rate_hz - _PART_OF_A_STEP)) for each in times)
    last = max(int(np.floor((each[-1] - origin) * rate_hz + _PART_OF_A_STEP)) for each in times)
    columns, all_even = [], True
    for readings, at in zip(sensors.values(), times, strict=True):
        even = _is_even(at, origin, rate_hz)
        if even:
            numbers = np.rint((at - origin) * rate_hz).astype(np.intp) - first
            columns.append(_spread(readings.values, numbers, last - first + 1))
        else:
            columns.append(_interpolated(readings.values, at, origin + first / rate_hz, last - first + 1, rate_hz))
        all_even &= even
    data = np.concatenate(columns, axis=1)
    data.flags.writeable = False
    # Never minus zero, which a table would show.
    start_s = round(origin + first / rate_hz, 6) + 0.0
    frames = _nearest_frames(sensors, times, start_s + np.arange(len(data)) / rate_hz)
    return Samples(data, rate_hz, start_s, frames, all_even)


def _unrounded_ms(stamps_ms: np.ndarray) -> np.ndarray:
    """Stamps of an even rate without their rounding; all others as they are."""
    return stamps_ms[0] + 1000 * regularize_timestamps((stamps_ms - stamps_ms[0]) / 1000, _TICK_S).timestamps_s


def _even_start(times_s: np.ndarray, rate_hz: float) -> float | None:
    """Where the first sample of even times lies, free of its rounding; None if they are not even."""
    numbers = np.rint((times_s - times_s[0]) * rate_hz)
    origin = float(np.mean(times_s - numbers / rate_hz))
    return origin if _is_even(times_s, origin, rate_hz) else None


def _is_even(times_s: np.ndarray, origin_s: float, rate_hz: float) -> bool:
    numbers = np.rint((times_s - origin_s) * rate_hz)
    off = np.abs(times_s - origin_s - numbers / rate_hz).max()
    return bool(off <= min(_ROUNDING_S, _PART_OF_A_STEP / rate_hz) and np.diff(numbers).min() >= 1)


def _spread(values: np.ndarray, numbers: np.ndarray, n_samples: int) -> np.ndarray:
    spread = np.full((n_samples, values.shape[1]), np.nan, dtype=np.float32)
    spread[numbers] = values
    return spread


def _interpolated(
    values: np.ndarray, times_s: np.ndarray, start_s: float, n_samples: int, rate_hz: float
) -> np.ndarray:
    order = 3 if np.diff(times_s).min() * rate_hz >= _SHORT_STEP else 1
    stop_s = start_s + n_samples / rate_hz
    found = resample(values, times_s, rate_hz, start_s, stop_s, order=order, max_gap_s=_MAX_GAP_S)[1]
    return found.astype(np.float32)


def _nearest_frames(sensors: Mapping[str, DeviceFile], times: Sequence[np.ndarray], at_s: np.ndarray) -> np.ndarray:
    """The frame of the reading that is nearest to each time."""
    stamps = np.concatenate(times)
    order = np.argsort(stamps, kind="stable")
    stamps, frames = stamps[order], np.concatenate([each.frames for each in sensors.values()])[order]
    return frames[np.searchsorted((stamps[1:] + stamps[:-1]) / 2, at_s)]


def spread_readings(readings: DeviceFile, clock: CameraClock, samples: Samples) -> np.ndarray:
    """Put a slow sensor's readings at the samples nearest to them, NaN at all others."""
    track = np.full(len(samples.data), np.nan, dtype=np.float32)
    numbers = np.rint((clock.times_s(readings.times_ms) - samples.start_s) * samples.rate_hz).astype(np.intp)
    inside = (numbers >= 0) & (numbers < len(track))
    track[numbers[inside]] = readings.values[inside, 0]
    track.flags.writeable = False
    return track
