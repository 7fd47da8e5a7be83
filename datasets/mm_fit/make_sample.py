"""Write the tiny sample of MM-Fit that lies beside this file: ``python datasets/mm_fit/make_sample.py``.

Two workouts in the data set's own format, of somebody who moves by a formula before the camera: joints, the watches'
readings and the pictures' keypoints belong to one another exactly, up to the steps of the sensors. In w00 the arms
curl in turns, the left one first, then come two squats; in w01 both arms rise sideways. What else the real files have:
devices that start and end at times of their own, stamps in whole milliseconds since 1970, phones of different rates, an
earbud whose samples come unevenly, readings that are lost, keypoints that were not found (0, 0), and files that are
not there. The 3D pose lists its joints as Human3.6M does: 1 to 3 are the right leg, 11 to 13 the left arm.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

CAMERA_HZ = 30
G_M_S2 = 9.80665
# What one count of each sensor stands for; powers of two, so that readings are the same on every machine.
STEPS = {"acc": 2.0**-8, "gyr": 2.0**-10, "mag": 2.0**-4, "hr": 1.0}
# When the camera took frame 0, in ms since 1970.
ZERO_MS = {"w00": 1_553_000_000_000, "w01": 1_553_600_000_000}
# Of each workout: its length in frames, and start frame, end frame, repetitions and exercise of its sets.
FRAMES = {"w00": 204, "w01": 48}
SETS = {
    "w00": ((15, 111, 4, "bicep_curls"), (126, 198, 2, "squats")),
    "w01": ((12, 36, 1, "lateral_shoulder_raises"),),
}

# The body, in m: heights over what is below, half widths, and lengths.
ANKLE, PELVIS, SPINE, NECK, NOSE, HEAD = 0.08, 0.96, 0.24, 0.26, 0.12, 0.23
HIP, SHOULDER, LEG, UPPER_ARM, FOREARM = 0.13, 0.16, 0.45, 0.28, 0.25
# The camera looks level, from a height and a distance in m, with a focal length and a middle in px.
HEIGHT_M, DISTANCE_M, FOCAL_PX, MIDDLE_PX = 1.0, 3.0, 1000.0, (640.0, 360.0)
# Keypoints that were not found: first and last frame, and number of COCO-18.
UNSEEN = ((30, 33, 4), (60, 90, 17), (140, 150, 16))


class Angle(NamedTuple):
    """An angle in rad with its first two derivatives."""

    value: np.ndarray
    rate: np.ndarray
    acceleration: np.ndarray


def bump(
    times_s: np.ndarray, start_s: float, period_s: float, turns: tuple[int, ...], size: float, rest: float
) -> Angle:
    """Give an angle that goes from `rest` up by `size` and back, smoothly, in some periods counted from `start_s`."""
    phase = (times_s - start_s) / period_s
    active = np.isin(np.floor(phase), turns)
    x, pace = 2 * np.pi * phase, 2 * np.pi / period_s
    value = ((1 - np.cos(x)) / 2) ** 2
    rate = (1 - np.cos(x)) * np.sin(x) / 2 * pace
    acceleration = (np.sin(x) ** 2 + (1 - np.cos(x)) * np.cos(x)) / 2 * pace**2
    return Angle(*(active * size * part + add for part, add in ((value, rest), (rate, 0), (acceleration, 0))))


class Arm(NamedTuple):
    """The angles of an arm against hanging down, and the plane in which it moves."""

    upper: Angle
    fore: Angle
    frontal: bool


class Body(NamedTuple):
    """How the body moves: its sink, the bend of the knees in m, and its arms."""

    sink_m: Angle
    arms: dict[str, Arm]


def body(workout: str, times_s: np.ndarray) -> Body:
    """Give the angles at some times of a workout, in s after frame 0."""
    if workout == "w01":
        raised = bump(times_s, 12 / CAMERA_HZ, 0.8, (0,), 1.5, 0.1)
        still = bump(times_s, 0.0, 1.0, (), 0.0, 0.02)
        return Body(still, dict.fromkeys(("left", "right"), Arm(raised, raised, True)))
    curls, squats = 15 / CAMERA_HZ, 126 / CAMERA_HZ
    sink = bump(times_s, squats, 1.2, (0, 1), 0.4, 0.02)
    arms = {}
    for side, turns in (("left", (0, 2)), ("right", (1, 3))):
        curl = bump(times_s, curls, 0.8, turns, 2.1, 0.15)
        reach = bump(times_s, squats, 1.2, (0, 1), 1.2, 0.0)
        # Where one moves, the other is 0.
        fore = Angle(*(one + other for one, other in zip(curl, reach, strict=True)))
        arms[side] = Arm(reach, fore, False)
    return Body(sink, arms)


def along(angle: np.ndarray, side: str, frontal: bool) -> tuple[np.ndarray, np.ndarray]:
    """Give the direction of a segment, and how it changes with the angle, (n, 3): x to the right, y off, z up."""
    outward = 1.0 if side == "left" else -1.0
    aside = np.array([outward, 0.0, 0.0]) if frontal else np.array([0.0, -1.0, 0.0])
    down = np.array([0.0, 0.0, -1.0])
    sine, cosine = np.sin(angle)[:, None], np.cos(angle)[:, None]
    return sine * aside + cosine * down, cosine * aside - sine * down


def joints(workout: str, times_s: np.ndarray) -> dict[str, np.ndarray]:
    """Give the places of joints in m, (n, 3): x to the right of the picture, y away from the camera, z up."""
    now = body(workout, times_s)

    def place(x: float, y: np.ndarray | float, z: np.ndarray | float) -> np.ndarray:
        return np.stack(np.broadcast_arrays(np.full(len(times_s), x), y, z), axis=1)

    pelvis = PELVIS - now.sink_m.value
    neck = pelvis + SPINE + NECK
    half = (pelvis - ANKLE) / 2
    found = {"pelvis": place(0, 0, pelvis), "spine": place(0, 0, pelvis + SPINE), "neck": place(0, 0, neck)}
    found |= {"nose": place(0, -0.07, neck + NOSE), "head": place(0, -0.02, neck + HEAD)}
    # The person faces the camera, so that their left is to the picture's right.
    for side, x in (("left", 1), ("right", -1)):
        arm = now.arms[side]
        found[f"{side}_hip"] = place(x * HIP, 0, pelvis)
        found[f"{side}_knee"] = place(x * HIP, -np.sqrt(LEG**2 - half**2), ANKLE + half)
        found[f"{side}_ankle"] = place(x * HIP, 0, ANKLE)
        found[f"{side}_shoulder"] = place(x * SHOULDER, 0, neck)
        found[f"{side}_elbow"] = found[f"{side}_shoulder"] + UPPER_ARM * along(arm.upper.value, side, arm.frontal)[0]
        found[f"{side}_wrist"] = found[f"{side}_elbow"] + FOREARM * along(arm.fore.value, side, arm.frontal)[0]
        found[f"{side}_eye"] = place(x * 0.03, -0.08, neck + NOSE + 0.03)
        found[f"{side}_ear"] = place(x * 0.07, -0.01, neck + NOSE + 0.02)
    return found


def watch(workout: str, side: str) -> Callable[[np.ndarray], dict[str, np.ndarray]]:
    """Give what a watch reads at some times: its x goes along the forearm to the hand, y the way an arm is raised."""

    def readings(times_s: np.ndarray) -> dict[str, np.ndarray]:
        now = body(workout, times_s)
        arm = now.arms[side]
        force = np.zeros((len(times_s), 3))
        force[:, 2] = G_M_S2 - now.sink_m.acceleration
        for angle, length in ((arm.upper, UPPER_ARM), (arm.fore, FOREARM)):
            out, on = along(angle.value, side, arm.frontal)
            force += length * (angle.acceleration[:, None] * on - angle.rate[:, None] ** 2 * out)
        x, y = along(arm.fore.value, side, arm.frontal)
        axes = np.stack([x, y, np.cross(x, y)], axis=1)
        still = np.zeros(len(times_s))
        return {"acc": (axes @ force[..., None])[..., 0], "gyr": np.stack([still, still, arm.fore.rate], axis=1)}

    return readings


def worn(tilt: float, swing: float) -> Callable[[np.ndarray], dict[str, np.ndarray]]:
    """Give what a device reads that tilts to and fro a little, by `swing` rad twice a second."""

    def readings(times_s: np.ndarray) -> dict[str, np.ndarray]:
        pace = 4 * np.pi
        angle, still = tilt + swing * np.sin(pace * times_s), np.zeros(len(times_s))
        sine, cosine = np.sin(angle), np.cos(angle)
        return {
            "acc": G_M_S2 * np.stack([still, cosine, sine], axis=1),
            "gyr": np.stack([swing * pace * np.cos(pace * times_s), still, still], axis=1),
            "mag": np.stack([still + 5, 20 * cosine - 40 * sine, -20 * sine - 40 * cosine], axis=1),
        }

    return readings


class Device(NamedTuple):
    """A device of a workout: what it reads, when it was on, and its rates by quantity."""

    readings: Callable[[np.ndarray], dict[str, np.ndarray]]
    start_s: float
    stop_s: float
    rates_hz: dict[str, float]
    lost: slice = slice(0)
    uneven_s: float = 0.0


DEVICES = {
    "w00": {
        "sw_l": Device(watch("w00", "left"), 0.21, 6.6, {"acc": 100, "gyr": 100}, lost=slice(380, 388)),
        "sw_r": Device(watch("w00", "right"), 0.08, 6.7, {"acc": 100}),
    },
    "w01": {
        "sw_l": Device(watch("w01", "left"), 0.0, 1.55, {"acc": 100, "gyr": 100}),
        "sp_l": Device(worn(0.2, 0.1), 0.1, 1.3, {"acc": 210, "gyr": 210, "mag": 100}),
        "sp_r": Device(worn(-0.1, 0.15), 0.3, 1.1, {"acc": 500, "mag": 65}),
        "eb_l": Device(worn(0.0, 0.05), 0.05, 1.5, {"acc": 90, "gyr": 90}, uneven_s=0.003),
    },
}
HEART_RATES = {"w00": (0.4, 1.4, 2.4, 3.4, 4.4, 5.4, 6.4)}


def sampled(device: Device, rate_hz: float) -> np.ndarray:
    """Give the times of a device's samples, in s after frame 0."""
    number = np.arange(int((device.stop_s - device.start_s) * rate_hz))
    times = device.start_s + number / rate_hz + device.uneven_s * np.sin(1.7 * number)
    return np.delete(times, device.lost)


def table(workout: str, times_s: np.ndarray, values: np.ndarray, quantity: str) -> np.ndarray:
    """Give a device's array: frame, stamp in ms since 1970, and values."""
    stamps_ms = np.rint(1000 * times_s)
    # Adding 0 turns -0 into 0.
    counts = np.rint(values / STEPS[quantity]) * STEPS[quantity] + 0.0
    return np.column_stack([np.rint(stamps_ms * CAMERA_HZ / 1000), stamps_ms + ZERO_MS[workout], counts])


H36M = (
    *("pelvis", "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle", "spine", "neck"),
    *("nose", "head", "left_shoulder", "left_elbow", "left_wrist", "right_shoulder", "right_elbow", "right_wrist"),
)
COCO_18 = (
    *("nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist"),
    *("right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle"),
    *("right_eye", "left_eye", "right_ear", "left_ear"),
)


def pose_3d(workout: str) -> np.ndarray:
    """Give joints in mm, (3, frames, 18), the frame first: single precision, which the real files need not have."""
    frames = np.arange(FRAMES[workout])
    places = joints(workout, frames / CAMERA_HZ)
    values = np.rint(4000 * np.stack([places[name] for name in H36M], axis=1)) / 4 + 0.0
    return with_frames(frames, values)


def pose_2d(workout: str) -> np.ndarray:
    """Give keypoints in px, (2, frames, 19), the frame first."""
    frames = np.arange(FRAMES[workout])
    places = joints(workout, frames / CAMERA_HZ)
    x, y, z = np.stack([places[name] for name in COCO_18], axis=1).transpose(2, 0, 1)
    scale = FOCAL_PX / (DISTANCE_M + y)
    values = np.stack([MIDDLE_PX[0] + scale * x, MIDDLE_PX[1] - scale * (z - HEIGHT_M)], axis=2)
    for first, last, joint in UNSEEN:
        values[first : last + 1, joint] = 0.0
    return with_frames(frames, np.rint(64 * values) / 64)


def with_frames(frames: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Put the frame before the joints (n, joints, d), and the dimension first."""
    stacked = np.concatenate(
        [np.broadcast_to(frames[:, None, None], (len(frames), 1, values.shape[2])), values], axis=1
    )
    return np.ascontiguousarray(stacked.transpose(2, 0, 1), dtype=np.float32)


def arrays(workout: str) -> dict[str, np.ndarray]:
    """Give a workout's arrays by modality."""
    found = {}
    for name, device in DEVICES[workout].items():
        for quantity, rate_hz in device.rates_hz.items():
            times = sampled(device, rate_hz)
            found[f"{name}_{quantity}"] = table(workout, times, device.readings(times)[quantity], quantity)
    if workout in HEART_RATES:
        times = np.array(HEART_RATES[workout])
        found["sw_l_hr"] = table(workout, times, 90 + 2 * np.arange(len(times))[:, None], "hr")
        found["pose_2d"] = pose_2d(workout)
    return found | {"pose_3d": pose_3d(workout)}


def write_sample(folder: Path) -> list[Path]:
    """Write the files under `folder` and give them."""
    files = []
    for workout, sets in SETS.items():
        (folder / workout).mkdir(parents=True, exist_ok=True)
        files.append(folder / workout / f"{workout}_labels.csv")
        files[-1].write_bytes("".join(f"{','.join(map(str, row))}\n" for row in sets).encode("ascii"))
        for modality, array in arrays(workout).items():
            files.append(folder / workout / f"{workout}_{modality}.npy")
            np.save(files[-1], array, allow_pickle=False)
    return files


if __name__ == "__main__":
    write_sample(Path(__file__).parent)
