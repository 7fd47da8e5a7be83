"""Write the tiny sample of the phone-and-watch set beside this file: ``python datasets/sp_sw_har/make_sample.py``.

Two executions in the data set's own format, made of closed-form motion: seated, standing up, walking, turning, walking
back, turning, sitting down. The phone of s01 is in the pocket upside down with its screen to the thigh, that of s02
upright with its screen to the front. Both devices sample evenly, each at its own rate, and their stamps are late and in
bunches, as the real ones are. s02 ends before sitting, and one of its samples is called walking between the last turn
and sitting down: both occur in the data set. Readings are whole numbers of the steps in which the real devices' are, as
32-bit numbers whose every digit is written, like the real ones.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

GRAVITY_M_S2 = 9.80665
# What one count of the accelerometers (m/s2) and of the gyroscopes (rad/s) stands for.
STEPS = np.array([GRAVITY_M_S2 / 4096] * 3 + [np.deg2rad(0.035)] * 3)
RATE_HZ = {"sp": 102.45, "sw": 104.287}
# Seconds after the first whole second of the execution at which a device takes its first sample.
FIRST_S = {"sp": 0.0137, "sw": 0.0021}
COLUMNS = ("x_acc", "y_acc", "z_acc", "x_gyro", "y_gyro", "z_gyro", "timestamp", "label")
# What half a turn about an axis does to the phone's readings, which are made for a phone with its screen to the front.
TURNED = {"back_inv": (1, -1, -1), "front": (1, 1, 1)}

# Of each execution: start (Unix time in s), how the phone lies, which way both turns go.
EXECUTIONS = {
    "s01_01": (1_657_500_000, "back_inv", "l", "r"),
    "s02_01": (1_657_500_600, "front", "r", "r"),
}
PEOPLE = {"s01": (40, "F", 170, 65, "R", 1), "s02": (60, "M", 180, 80, "L", 1)}
PHASES = (
    *(("SEATED", 0.4), ("STANDING_UP", 0.5), ("WALKING", 0.55), ("TURNING", 0.5), ("WALKING", 0.55)),
    *(("TURNING", 0.5), ("SITTING_DOWN", 0.5), ("SEATED", 0.3)),
)
WITHOUT_LAST_SEAT = ("s02_01",)


def phases(execution: str) -> list[tuple[str, float, float]]:
    """Give label, start and duration of every phase, in seconds."""
    chosen = PHASES[:-1] if execution in WITHOUT_LAST_SEAT else PHASES
    starts = np.cumsum([0.0, *(duration for _, duration in chosen)])
    return [(label, start, duration) for (label, duration), start in zip(chosen, starts, strict=False)]


def motion(times_s: np.ndarray, execution: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give the thigh's angle from hanging down, forwards, in rad, its rate, and the rate of turning to the left."""
    angle, rate, turning = np.zeros_like(times_s), np.zeros_like(times_s), np.zeros_like(times_s)
    sides = iter(EXECUTIONS[execution][2:])
    for label, start, duration in phases(execution):
        u = (times_s - start) / duration
        inside = (u >= 0) & (u < 1)
        # A raised cosine from 0 to 1, and its derivative.
        ramp, slope = (1 - np.cos(np.pi * u)) / 2, np.pi * np.sin(np.pi * u) / 2 / duration
        if label == "SEATED":
            angle[inside] = np.pi / 2
        elif label in ("STANDING_UP", "SITTING_DOWN"):
            sign, offset = (-1, 1) if label == "STANDING_UP" else (1, 0)
            angle[inside] = np.pi / 2 * (offset + sign * ramp)[inside]
            rate[inside] = np.pi / 2 * sign * slope[inside]
        elif label == "WALKING":
            swell, swing = np.sin(np.pi * u) ** 2, np.sin(2 * np.pi * u)
            swelling, swinging = np.pi * np.sin(2 * np.pi * u) / duration, 2 * np.pi * np.cos(2 * np.pi * u) / duration
            angle[inside] = 0.4 * (swell * swing)[inside]
            rate[inside] = 0.4 * (swelling * swing + swell * swinging)[inside]
        else:
            sign = 1 if next(sides) == "l" else -1
            turning[inside] = sign * np.pi / duration * (1 - np.cos(2 * np.pi * u[inside]))
    return angle, rate, turning


def phone(times_s: np.ndarray, execution: str) -> np.ndarray:
    """Give acceleration and angular velocity (n_samples, 6) of a phone with its screen to the front, top upwards.

    x points to the wearer's left, y up along the thigh, z forwards.
    """
    angle, rate, turning = motion(times_s, execution)
    up = np.stack([np.full_like(angle, -0.1), np.cos(angle), np.sin(angle)], axis=1)
    return np.concatenate([GRAVITY_M_S2 * up, np.stack([-rate, turning, 0 * rate], axis=1)], axis=1)


def watch(times_s: np.ndarray, execution: str) -> np.ndarray:
    """Give what the watch reads (n_samples, 6): x points to the hand, z out of its face; the arm hangs or rests."""
    angle, rate, turning = motion(times_s, execution)
    up = np.stack([-np.cos(angle), np.full_like(angle, -0.2), np.sin(angle)], axis=1)
    return np.concatenate([GRAVITY_M_S2 * up, np.stack([-turning, -0.5 * rate, 0 * rate], axis=1)], axis=1)


def arrivals_ms(times_s: np.ndarray, device: str) -> np.ndarray:
    """Give whole milliseconds at which samples arrive: now and then some are held back and arrive together."""
    hold_s, every = (0.06, 37) if device == "sp" else (0.03, 90)
    free_s = times_s + 0.0004 * (np.arange(len(times_s)) % 3)
    for start_s in times_s[5::every]:
        held = (times_s >= start_s) & (times_s < start_s + hold_s)
        free_s[held] = start_s + hold_s
    return np.floor(1000 * np.maximum.accumulate(free_s)).astype(np.int64)


def table(execution: str, device: str) -> str:
    """Give a file of one device."""
    start_unix_s, orientation, *_ = EXECUTIONS[execution]
    plan = phases(execution)
    stop_s = plan[-1][1] + plan[-1][2]
    times_s = np.arange(FIRST_S[device], stop_s, 1 / RATE_HZ[device])
    values = phone(times_s, execution) * (TURNED[orientation] * 2) if device == "sp" else watch(times_s, execution)
    phase_of = np.searchsorted([start for _, start, _ in plan], times_s, side="right") - 1
    labels = [plan[number][0] for number in phase_of]
    if execution in WITHOUT_LAST_SEAT:
        labels[labels.index("SITTING_DOWN")] = "WALKING"
    stamps = 1000 * start_unix_s + arrivals_ms(times_s, device)
    # Adding 0 turns -0 into 0.
    readings = (np.round(values / STEPS) * STEPS).astype(np.float32) + np.float32(0)
    rows = [
        f"{','.join(map(repr, row))},{stamp},{label}"
        for row, stamp, label in zip(readings.tolist(), stamps, labels, strict=True)
    ]
    return "\n".join([",".join(COLUMNS), *rows, ""])


def write_sample(folder: Path) -> list[Path]:
    """Write the executions and both tables under `folder` and give the files."""
    executions = [(name, *turned) for name, (_, *turned) in EXECUTIONS.items()]
    people = [(name, *rest) for name, rest in PEOPLE.items()]
    texts = {
        "executions_info.csv": lines("execution_id,orientation,first_turn,second_turn", executions),
        "subjects_info.csv": lines("subject_id,age,gender,height,weight,dominant_hand,executions", people),
    }
    texts |= {f"{name[:3]}/{name}_{device}.csv": table(name, device) for name in EXECUTIONS for device in RATE_HZ}
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text.encode("ascii"))
    return [folder / name for name in texts]


def lines(header: str, rows: list[tuple]) -> str:
    """Give a table."""
    return "\n".join([header, *(",".join(str(field) for field in row) for row in rows), ""])


if __name__ == "__main__":
    write_sample(Path(__file__).parent)
