"""Write the tiny sample of TotalCapture that lies beside this file: ``python datasets/totalcapture/make_sample.py``.

Two takes in the data set's own format, made of closed-form motion: somebody walks on the spot, turns, swings arms and
legs, bends elbows and knees, nods. Each limb moves in a plane that is fixed to the trunk, so that place, speed and
acceleration of every sensor can be written down; nothing here differentiates or integrates numerically.

World: east, north, up, in metres. Person: right, forward, up; turned to the world by the heading. Bones: right, back
and down in a T-pose. The files' world is (east, up, -north), in inches.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

GRAVITY_M_S2 = 9.80665
RATE_HZ = 60
INCH_M = 0.0254
# Unit vector of the magnetic field in the world.
FIELD = np.array([-0.13, 0.37, -0.92]) / np.linalg.norm([-0.13, 0.37, -0.92])

# (subject, take): samples of the sensors, frames of the motion capture, and whether there are AuxFields.
TAKES = {("S1", "walking1"): (36, 36, True), ("S4", "acting3"): (20, 21, False)}

TRUNK = {"Hips": 0.0, "Spine": 0.1, "Spine1": 0.2, "Spine2": 0.3, "Spine3": 0.4, "Neck": 0.52, "Head": 0.62}
ORDER = (
    *TRUNK,
    *(f"{side}{joint}" for side in ("Right", "Left") for joint in ("Shoulder", "Arm", "ForeArm", "Hand")),
    *(f"{side}{joint}" for side in ("Right", "Left") for joint in ("UpLeg", "Leg", "Foot")),
)
LENGTH_M = {"Arm": 0.3, "ForeArm": 0.26, "UpLeg": 0.43, "Leg": 0.42}
# Arms are held away from the trunk by this angle.
ABDUCTION = 0.3


class Wave(NamedTuple):
    """A quantity over time, with its first and second derivative."""

    value: np.ndarray
    rate: np.ndarray
    acceleration: np.ndarray


def wave(times_s: np.ndarray, mean: float, amplitude: float, frequency_hz: float, phase: float) -> Wave:
    """Swing about a mean."""
    w = 2 * np.pi * frequency_hz
    sine, cosine = np.sin(w * times_s + phase), np.cos(w * times_s + phase)
    return Wave(mean + amplitude * sine, amplitude * w * cosine, -amplitude * w**2 * sine)


def angles(times_s: np.ndarray, subject: str) -> dict[str, Wave]:
    """Give the heading, and by how much each bone is swung forward from hanging (limbs) or upright (head)."""
    own = 0.6 if subject == "S1" else 1.9
    found = {"Heading": wave(times_s, 0.7 + own, 0.5, 0.8, own), "Head": wave(times_s, 0.1, 0.25, 1.1, own)}
    for side, phase, much in (("Right", 0.0, 1.0), ("Left", 2.6, 0.7)):
        found[f"{side}Arm"] = wave(times_s, 0.2, 0.6 * much, 1.3, phase + own)
        found[f"{side}ForeArm"] = wave(times_s, 1.1, 0.8 * much, 1.3, phase + own + 0.5)
        found[f"{side}UpLeg"] = wave(times_s, 0.25, 0.4 * much, 1.2, phase + own + 1.5)
        found[f"{side}Leg"] = wave(times_s, -0.45, 0.5 * much, 1.2, phase + own + 1.0)
        found[f"{side}Foot"] = wave(times_s, -0.1, 0.3 * much, 1.2, phase + own + 0.7)
    return found


def swung(angle: Wave, down: float, ahead: float) -> Wave:
    """Give a vector that was `down` and `ahead` before the swing about the person's right, (n, 3) each."""
    zero = np.zeros_like(angle.value)
    sine, cosine = np.sin(angle.value), np.cos(angle.value)
    vector = np.stack([zero, down * sine + ahead * cosine, ahead * sine - down * cosine], axis=1)
    turned = np.stack([zero, down * cosine - ahead * sine, ahead * cosine + down * sine], axis=1)
    rate, acceleration = angle.rate[:, None], angle.acceleration[:, None]
    return Wave(vector, rate * turned, acceleration * turned - rate**2 * vector)


def total(*parts: Wave | tuple[float, float, float]) -> Wave:
    """Add vectors over time and constant ones."""
    waves = [part if isinstance(part, Wave) else Wave(np.array(part), np.zeros(3), np.zeros(3)) for part in parts]
    return Wave(*(sum(components) for components in zip(*waves, strict=True)))


def abducted(side: str, part: Wave) -> Wave:
    """Turn what hangs at the shoulder away from the trunk, about the person's forward axis."""
    sine, cosine = np.sin(ABDUCTION) * (1 if side == "Right" else -1), np.cos(ABDUCTION)
    matrix = np.array([[cosine, 0, -sine], [0, 1, 0], [sine, 0, cosine]])
    return Wave(*(component @ matrix.T for component in part))


def joints(found: dict[str, Wave]) -> dict[str, Wave]:
    """Place every joint in the frame of the person, in metres."""
    still = swung(found["Heading"], 0.0, 0.0)
    places = {name: total(still, (0.0, 0.0, height)) for name, height in TRUNK.items()}
    for side, right in (("Right", 1), ("Left", -1)):
        places[f"{side}Shoulder"] = total(still, (0.05 * right, 0.0, 0.5))
        places[f"{side}Arm"] = total(still, (0.18 * right, 0.0, 0.5))
        places[f"{side}UpLeg"] = total(still, (0.1 * right, 0.0, -0.05))
        for upper, lower, is_arm in (
            ("Arm", "ForeArm", True),
            ("ForeArm", "Hand", True),
            ("UpLeg", "Leg", False),
            ("Leg", "Foot", False),
        ):
            bone = swung(found[side + upper], LENGTH_M[upper], 0.0)
            places[side + lower] = total(places[side + upper], abducted(side, bone) if is_arm else bone)
    return places


class Sensor(NamedTuple):
    """A sensor: its bone, and its place from the bone's joint.

    `down` and `ahead` move with the swing, `aside` is to the person's right before the arm is held away.
    """

    bone: str
    down: float
    ahead: float
    aside: float


def _sensors() -> dict[str, Sensor]:
    """Where the library puts sensors by default; the data set does not say where on the segments they were."""
    found = {
        "Head": Sensor("Head", 0.0, 0.0, 0.0),
        "Sternum": Sensor("Spine3", -0.6 * (0.52 - 0.1) + 0.3, 0.1, 0.0),
        "Pelvis": Sensor("Hips", -0.03, 0.1, 0.0),
    }
    for letter, side, right in (("L", "Left", 1), ("R", "Right", -1)):
        found[f"{letter}_UpArm"] = Sensor(f"{side}Arm", 0.15, 0.0, -0.045 * right)
        found[f"{letter}_LowArm"] = Sensor(f"{side}ForeArm", 0.13, 0.0, -0.035 * right)
        found[f"{letter}_UpLeg"] = Sensor(f"{side}UpLeg", 0.215, 0.07, 0.0)
        found[f"{letter}_LowLeg"] = Sensor(f"{side}Leg", 0.21, 0.05, 0.0)
        # Half way to the ball of the foot, 13 cm ahead and 6 cm down, and 4 cm above that line.
        reach = np.hypot(0.13, 0.06)
        found[f"{letter}_Foot"] = Sensor(f"{side}Foot", 0.03 - 0.04 * 0.13 / reach, 0.065 + 0.04 * 0.06 / reach, 0.0)
    return found


SENSORS = _sensors()


def about(axis: int, angle: np.ndarray | float) -> np.ndarray:
    """Give the quaternion (w, x, y, z) of a turn about an axis."""
    half = np.asarray(angle, dtype=float) / 2
    quaternion = np.zeros((*half.shape, 4))
    quaternion[..., 0], quaternion[..., axis + 1] = np.cos(half), np.sin(half)
    return quaternion


def times(*quaternions: np.ndarray) -> np.ndarray:
    """Multiply quaternions: the last turn comes first."""
    result = quaternions[0]
    for right in quaternions[1:]:
        w, v = result[..., :1], result[..., 1:]
        u, r = right[..., :1], right[..., 1:]
        scalar = w * u - np.sum(v * r, axis=-1, keepdims=True)
        result = np.concatenate([scalar, w * r + u * v + np.cross(v, r)], axis=-1)
    return result


def inverse(quaternion: np.ndarray) -> np.ndarray:
    """Give the turn back."""
    return quaternion * [1, -1, -1, -1]


def turn(quaternion: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Turn vectors by quaternions."""
    w, v = quaternion[..., :1], quaternion[..., 1:]
    return vectors + 2 * np.cross(v, np.cross(v, vectors) + w * vectors)


def bones(found: dict[str, Wave]) -> dict[str, np.ndarray]:
    """Give the orientation of every bone in the world, as a quaternion over time."""
    heading = about(2, found["Heading"].value)
    upright = about(0, np.pi)
    turned = {name: times(heading, upright) for name in TRUNK}
    turned["Head"] = times(heading, about(0, found["Head"].value), upright)
    for side, right in (("Right", 1), ("Left", -1)):
        # From the T-pose an arm is let down by a right angle, less what it is held away.
        away = about(1, -ABDUCTION * right)
        hanging = times(about(1, np.pi / 2 * right), upright)
        turned[f"{side}Shoulder"] = times(heading, upright)
        for bone in ("Arm", "ForeArm"):
            turned[side + bone] = times(heading, away, about(0, found[side + bone].value), hanging)
        turned[f"{side}Hand"] = turned[f"{side}ForeArm"]
        for bone in ("UpLeg", "Leg", "Foot"):
            turned[side + bone] = times(heading, about(0, found[side + bone].value), upright)
    return turned


def readings(times_s: np.ndarray, subject: str, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give specific force, angular velocity and magnetic field of a sensor in the world: m/s2, rad/s, of length 1."""
    found, sensor = angles(times_s, subject), SENSORS[name]
    heading, is_arm = found["Heading"], sensor.bone.endswith("Arm")
    side = "Right" if sensor.bone.startswith("Right") else "Left"
    still = Wave(*np.zeros((3, len(times_s))))
    swing = found.get(sensor.bone, still)
    aside = Wave(np.array([sensor.aside, 0.0, 0.0]), np.zeros(3), np.zeros(3))
    arm = total(swung(swing, sensor.down, sensor.ahead), aside)
    place = total(joints(found)[sensor.bone], abducted(side, arm) if is_arm else arm)
    axis = Wave(np.array([1.0, 0.0, 0.0]), np.zeros(3), np.zeros(3))
    hinge = (abducted(side, axis) if is_arm else axis).value
    # The person's frame turns about up: centrifugal, Euler and Coriolis terms.
    up = np.array([0.0, 0.0, 1.0])
    rate, change = heading.rate[:, None], heading.acceleration[:, None]
    acceleration = (
        place.acceleration
        + 2 * rate * np.cross(up, place.rate)
        + change * np.cross(up, place.value)
        + rate**2 * np.cross(up, np.cross(up, place.value))
    )
    to_world = about(2, heading.value)
    force = turn(to_world, acceleration) + root(times_s).acceleration + [0.0, 0.0, GRAVITY_M_S2]
    turning = turn(to_world, rate * up + swing.rate[:, None] * hinge)
    return force, turning, np.broadcast_to(FIELD, force.shape)


def root(times_s: np.ndarray) -> Wave:
    """Move the hips in the world."""
    axes = [
        wave(times_s, *numbers) for numbers in ((0.3, 0.05, 1.2, 0.2), (-0.2, 0.04, 0.9, 1.0), (0.95, 0.02, 2.4, 0.0))
    ]
    return Wave(*(np.stack(components, axis=1) for components in zip(*axes, strict=True)))


def mount(name: str, subject: str) -> np.ndarray:
    """From the sensor's frame to the bone's: how it was strapped on, as ``*_calib_imu_bone.txt`` has it."""
    number = list(SENSORS).index(name) + (0.5 if subject == "S4" else 0.0)
    return times(about(0, 0.4 + 0.9 * number), about(1, -0.7 + 0.5 * number), about(2, 1.1 - 0.3 * number))


def reference(name: str) -> np.ndarray:
    """From the frame in which a sensor tells its orientation, z up, to the files' world, y up."""
    return times(about(0, -np.pi / 2), about(2, 0.9 + 0.004 * list(SENSORS).index(name)))


TO_FILES = about(0, -np.pi / 2)
"""From the world to the files' world."""


def orientations(times_s: np.ndarray, subject: str, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Sensor to world, and sensor to the frame in which it tells its orientation."""
    in_world = times(bones(angles(times_s, subject))[SENSORS[name].bone], mount(name, subject))
    return in_world, times(inverse(reference(name)), TO_FILES, in_world)


def _text(numbers: np.ndarray, digits: int) -> list[str]:
    # Adding zero turns -0 into 0.
    return [f"{number:.{digits}f}".rstrip("0").rstrip(".") for number in np.round(numbers, digits) + 0.0]


def sensors_text(subject: str, n_samples: int, *, aux: bool) -> str:
    """Write a file of the sensors."""
    times_s = np.arange(n_samples) / RATE_HZ
    columns = {}
    for name in SENSORS:
        in_world, told = orientations(times_s, subject, name)
        own = [turn(inverse(in_world), vectors) for vectors in readings(times_s, subject, name)]
        columns[name] = (told, *(own if aux else own[:1]))
    lines = [f"{len(SENSORS)}\t{n_samples}"]
    for sample in range(n_samples):
        lines.append(str(sample + 1))
        for name, (told, *own) in columns.items():
            fields = [*_text(told[sample], 5), *(field for vector in own for field in _text(vector[sample], 3))]
            lines.append("\t".join([name, *fields]))
    return "\n".join(lines) + "\n"


def skeleton_text(subject: str, n_frames: int, *, positions: bool) -> str:
    """Write a file of the motion capture."""
    times_s = np.arange(n_frames) / RATE_HZ
    found = angles(times_s, subject)
    if positions:
        heading = about(2, found["Heading"].value)
        places = {name: turn(heading, place.value) + root(times_s).value for name, place in joints(found).items()}
        values = {name: turn(TO_FILES, place) / INCH_M for name, place in places.items()}
    else:
        values = {name: np.roll(times(TO_FILES, bone), -1, axis=1) for name, bone in bones(found).items()}
    lines = ["\t".join(ORDER) + "\t"]
    lines += ["\t".join(" ".join(_text(values[name][t], 4)) for name in ORDER) + "\t" for t in range(n_frames)]
    return "\n".join(lines) + "\n"


def calibration_text(quaternions: dict[str, np.ndarray]) -> str:
    """Write a file of calibration."""
    lines = [f"{name} {' '.join(_text(np.roll(q, -1), 6))}" for name, q in quaternions.items()]
    return "\n".join([str(len(lines)), *lines]) + "\n"


def camera_pose(number: int) -> tuple[np.ndarray, np.ndarray]:
    """Give the place of a camera in the world, and its axes (right, down, forward) as rows."""
    direction = 2 * np.pi * (number - 1) / 8
    place = np.array([4.0 * np.sin(direction), -4.0 * np.cos(direction), 2.0])
    forward = np.array([0.0, 0.0, 1.0]) - place
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    return place, np.stack([right, np.cross(forward, right), forward])


def cameras_text() -> str:
    """Eight cameras in a circle, 2 m above the floor, that look at a point 1 m above its middle."""
    lines = ["8 1"]
    for number in range(1, 9):
        place, axes = camera_pose(number)
        in_files = turn(TO_FILES, axes)
        translation = -axes @ place
        lines += ["0 1079 0 1919", f"{1000 + number} {1001 + number} 959.5 539.5", f"-0.0{number}"]
        lines += [" ".join(_text(row, 9)) for row in (*in_files, translation)]
    return "\n".join(lines) + "\n"


def write_sample(folder: Path) -> list[Path]:
    """Write the files under `folder` and give them."""
    contents = {"calibration.cal": cameras_text()}
    for (subject, take), (n_samples, n_frames, aux) in TAKES.items():
        at, who = f"{subject}/{take}", subject.lower()
        if aux:
            contents[f"{at}/{take}_Xsens_AuxFields.sensors"] = sensors_text(subject, n_samples, aux=True)
        else:
            contents[f"{at}/{who}_{take}_Xsens.sensors"] = sensors_text(subject, n_samples, aux=False)
        bone = {name: mount(name, subject) for name in SENSORS}
        contents[f"{at}/{who}_{take}_calib_imu_bone.txt"] = calibration_text(bone)
        contents[f"{at}/{who}_{take}_calib_imu_ref.txt"] = calibration_text({name: reference(name) for name in SENSORS})
        contents[f"{at}/gt_skel_gbl_pos.txt"] = skeleton_text(subject, n_frames, positions=True)
        contents[f"{at}/gt_skel_gbl_ori.txt"] = skeleton_text(subject, n_frames, positions=False)
    files = []
    for name, text in contents.items():
        files.append(folder / name)
        files[-1].parent.mkdir(parents=True, exist_ok=True)
        files[-1].write_bytes(text.encode("ascii"))
    return files


if __name__ == "__main__":
    write_sample(Path(__file__).parent)
