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


class Sensors(NamedTuple):
    """What is there of a device, by quantity ("hr" is the heart rate), and what is odd or damaged about it."""

    readings: dict[str, DeviceFile]
    notes: list[str]
    damaged: list[Damage]


def read_sensors(home: Path, part: Part, name: str) -> Sensors:
    """Read what is there of one device in a workout."""
    device, found = DEVICES[name], Sensors({}, [], [])
    for quantity in (*device.rates_hz, *(("hr",) if device.heart_rate else ())):
        file = file_of(part.session, f"{name}_{quantity}")
        if file not in part.files:
            continue
        try:
            found.readings[quantity], notes = in_order(read_device(home / file, 1 if quantity == "hr" else 3), file)
            found.notes.extend(notes)
        except DataFormatError as error:
            found.damaged.append(Damage(file, device.site, str(error)))
    return found


def device_recordings(
    part: Part, name: str, sensors: Mapping[str, DeviceFile], sets: list[ExerciseSet]
) -> tuple[list[Recording], list[str]]:
    """One recording for the sensors that share a rate, the heart rate with the first."""
    device, files = DEVICES[name], {quantity: file_of(part.session, f"{name}_{quantity}") for quantity in sensors}
    moving = {quantity: readings for quantity, readings in sensors.items() if quantity != "hr"}
    if not moving:
        return [], []
    clock = fit_camera(list(moving.values()), files[next(iter(moving))])
    notes, model = _odd_camera(files[next(iter(moving))], clock), None
    groups: dict[float, dict[str, DeviceFile]] = {}
    for quantity, readings in moving.items():
        rate_hz, said = rate_of(readings, device.rates_hz[quantity], files[quantity])
        groups.setdefault(rate_hz, {})[quantity] = readings
        model = model or device.models.get(rate_hz)
        notes += said
    recordings: list[Recording] = []
    for rate_hz, group in groups.items():
        samples = bring_together(group, clock, rate_hz)
        attrs = {"file": files[next(iter(group))], "device": name, "model": model, **_described(samples, clock)}
        heart_rate = sensors.get("hr") if not recordings else None
        tracks = {} if heart_rate is None else {_HEART_RATE: spread_readings(heart_rate, clock, samples)}
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
