"""The devices of MM-Fit: what is on disk of one becomes recordings on the clock of the camera."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from har_virtual.datasets.base import Damage, Part
from har_virtual.datasets.mm_fit.clock import (
    LONGEST_S,
    CameraClock,
    Samples,
    bring_together,
    fit_camera,
    in_order,
    rate_of,
    spread_readings,
)
from har_virtual.datasets.mm_fit.files import CAMERA_RATE_HZ, EXERCISES, DeviceFile, ExerciseSet, file_of, read_device
from har_virtual.exceptions import DataFormatError
from har_virtual.imu.streams import channel_names
from har_virtual.recording import Recording

NAME, NON_ACTIVITY = "mm_fit", "non_activity"


class Device(NamedTuple):
    """A device: its site, its sensors with the rates that they may have, and models by the accelerometer's rate."""

    site: str
    rates_hz: Mapping[str, tuple[float, ...]]
    models: Mapping[float, str]
    heart_rate: bool = False


_WATCH = {"acc": (100.0,), "gyr": (100.0,)}
_PHONE = {"acc": (210.0, 500.0), "gyr": (210.0, 500.0), "mag": (100.0, 65.0)}
_PHONES = {210.0: "Samsung S7", 500.0: "Huawei P20"}
DEVICES: Mapping[str, Device] = MappingProxyType(
    {
        "sw_l": Device("left_wrist", _WATCH, {100.0: "Mobvoi TicWatch Pro"}, heart_rate=True),
        "sw_r": Device("right_wrist", _WATCH, {100.0: "Mobvoi TicWatch Pro"}, heart_rate=True),
        "sp_l": Device("left_thigh", _PHONE, _PHONES),
        "sp_r": Device("right_thigh", _PHONE, _PHONES),
        "eb_l": Device("head", {"acc": (90.0,), "gyr": (90.0,)}, {90.0: "Nokia eSense"}),
    }
)
_HEART_RATE = "heart_rate_bpm"
# Of the camera by a device's clock, and of its frames, that is worth a word.
_OTHER_RATE, _FAR_OFF_S = 1e-3, 0.1

MODALITIES = (
    "labels",
    *(f"{name}_{quantity}" for name, device in DEVICES.items() for quantity in device.rates_hz),
    *(f"{name}_hr" for name, device in DEVICES.items() if device.heart_rate),
)
"""What a workout's files hold, but for its poses."""


class Sensor(NamedTuple):
    """A sensor's readings in order, the camera's frames on the clock of its stamps, and its rate."""

    readings: DeviceFile
    clock: CameraClock
    rate_hz: float


class Sensors(NamedTuple):
    """What is there of a device, by quantity, its heart rate, and what is odd or damaged about it."""

    moving: dict[str, Sensor]
    heart_rate: DeviceFile | None
    notes: list[str]
    damaged: list[Damage]


def read_sensors(home: Path, part: Part, name: str) -> Sensors:
    """Read what is there of one device in a workout."""
    device = DEVICES[name]
    moving: dict[str, Sensor] = {}
    heart_rate, notes, damaged = None, [], []
    for quantity in (*device.rates_hz, *(("hr",) if device.heart_rate else ())):
        file = file_of(part.session, f"{name}_{quantity}")
        if file not in part.files:
            continue
        path = home / file
        try:
            readings, odd = in_order(read_device(path, 1 if quantity == "hr" else 3), path)
            if quantity == "hr":
                heart_rate = readings
            else:
                rate_hz, other_rate = rate_of(readings, device.rates_hz[quantity], path)
                moving[quantity] = Sensor(readings, fit_camera([readings], path), rate_hz)
                odd += other_rate
            notes += [f"{file}: {note}" for note in odd]
        except DataFormatError as error:
            damaged.append(Damage(file, device.site, str(error)))
    return Sensors(moving, heart_rate, notes, damaged)


def device_recordings(
    part: Part, name: str, sensors: Sensors, sets: list[ExerciseSet]
) -> tuple[list[Recording], list[str]]:
    """One recording for the sensors that share a rate, the heart rate with the first."""
    device, moving = DEVICES[name], sensors.moving
    if not moving:
        return [], []
    files = {quantity: file_of(part.session, f"{name}_{quantity}") for quantity in (*moving, "hr")}
    clocks, notes = _clocks(moving, files)
    model = next((device.models[each.rate_hz] for each in moving.values() if each.rate_hz in device.models), None)
    recordings: list[Recording] = []
    for rate_hz in dict.fromkeys(each.rate_hz for each in moving.values()):
        group = {quantity: each.readings for quantity, each in moving.items() if each.rate_hz == rate_hz}
        samples, clock = bring_together(group, clocks, rate_hz), clocks[next(iter(group))]
        attrs = {"file": files[next(iter(group))], "device": name, "model": model, **_described(samples, clock)}
        tracks = {}
        if sensors.heart_rate is not None and not recordings:
            tracks[_HEART_RATE] = spread_readings(sensors.heart_rate, clock, samples)
            if np.isnan(tracks[_HEART_RATE]).all():
                notes.append(f"{files['hr']}: by its stamps no reading is of the time of {attrs['file']}.")
        recording = Recording(
            samples.data,
            rate_hz,
            channel_names([device.site], list(group)),
            start_s=samples.start_s,
            subject=part.subject,
            session=part.session,
            dataset=NAME,
            attrs={**attrs, "sets": [_listed(each, number) for number, each in enumerate(sets, start=1)]},
            **_labels(samples.frames, sets, tracks),
        )
        recordings.append(recording)
    return recordings, notes


def _clocks(sensors: Mapping[str, Sensor], files: Mapping[str, str]) -> tuple[dict[str, CameraClock], list[str]]:
    """One clock for the sensors of a device, which stamp alike; its own for one whose stamps are others."""
    first, *_ = sensors
    ends_ms = sensors[first].readings.times_ms[[0, -1]]
    apart_s = {
        quantity: float(np.abs(each.clock.times_s(ends_ms) - sensors[first].clock.times_s(ends_ms)).max())
        for quantity, each in sensors.items()
    }
    alike = [quantity for quantity in sensors if apart_s[quantity] <= _FAR_OFF_S]
    shared = fit_camera([sensors[quantity].readings for quantity in alike], files[first])
    notes = _odd_camera(files[first], shared)
    notes += [
        f"{files[quantity]}: its stamps are {off_s:.3g} s from those of {files[first]}, by the frames of both; times "
        "are by its frames."
        for quantity, off_s in apart_s.items()
        if quantity not in alike
    ]
    clocks = {quantity: shared if quantity in alike else each.clock for quantity, each in sensors.items()}
    starts_s = {quantity: clocks[quantity].times_s(each.readings.times_ms[0]) for quantity, each in sensors.items()}
    if max(starts_s.values()) - min(starts_s.values()) > LONGEST_S:
        raise DataFormatError(
            f"{', '.join(files[quantity] for quantity in sensors)} are of one device, but hours apart by their frames: "
            "some frames are damaged, unpack them anew."
        )
    return clocks, notes


def _labels(frames: np.ndarray, sets: list[ExerciseSet], tracks: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """The class of each sample, and the number of its set among other tracks."""
    codes = np.full(len(frames), len(EXERCISES), dtype=np.int8)
    numbers = np.full(len(frames), np.nan, dtype=np.float32)
    for number, each in enumerate(sets, start=1):
        inside = (frames >= each.start_frame) & (frames < each.stop_frame)
        codes[inside], numbers[inside] = EXERCISES.index(each.activity), number
    numbers.flags.writeable = False
    labels = pd.Categorical.from_codes(codes, [*EXERCISES, NON_ACTIVITY])
    return {"labels": labels, "annotations": {"set": numbers, **tracks}}


def _described(samples: Samples, clock: CameraClock) -> dict[str, Any]:
    return {
        "clock": "even" if samples.even else "resampled",
        "camera_rate_hz": CAMERA_RATE_HZ * clock.ratio,
        "camera_off_s": clock.off_s,
        "start_unix_s": clock.zero_ms / 1000,
        "gravity": True,
        "frame": "sensor",
    }


def _listed(each: ExerciseSet, number: int) -> dict[str, Any]:
    """A set in seconds on the session's clock."""
    return {
        "set": number,
        "activity": each.activity,
        "repetitions": each.repetitions,
        "start_s": each.start_frame / CAMERA_RATE_HZ,
        "stop_s": each.stop_frame / CAMERA_RATE_HZ,
    }


def _odd_camera(file: str, clock: CameraClock) -> list[str]:
    """What is odd about the frames that a device's readings have."""
    notes = []
    if abs(clock.ratio - 1) > _OTHER_RATE:
        notes.append(
            f"{file}: by its stamps the camera took {CAMERA_RATE_HZ * clock.ratio:.4g} frames a second; times are the "
            f"camera's, {CAMERA_RATE_HZ:g} frames a second."
        )
    if clock.off_s > _FAR_OFF_S:
        notes.append(
            f"{file}: its frames are up to {clock.off_s:.2g} s off an even rate; labels are by the frames, times even."
        )
    return notes
