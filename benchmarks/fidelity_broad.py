"""Simulated against measured: a hand-moved IMU whose pose was tracked optically (BROAD, three trials).

    python benchmarks/fidelity_broad.py

Three variants stand side by side. "as_is" simulates at the optical position and time. "delay" reads the simulation so
much earlier as the device lags (one delay each for accelerometer and gyroscope); "delay_and_lever" also moves the
accelerometer by a constant offset within the sensor's frame. Both corrections belong to the device: they are fitted on
the first trial and held for the other two.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from _common import data_folder, write_result
from scipy.io import loadmat

from har_virtual.imu.simulate import simulate_sensor
from har_virtual.rotation import rotation_matrices
from har_virtual.signal import lowpass

TRIALS = ("01_undisturbed_slow_rotation_A", "10_undisturbed_slow_translation_A", "21_undisturbed_fast_combined")
CUTOFF_HZ, MARGIN_S, MIN_STRETCH_S = 10.0, 0.2, 1.0
MIN_STD = {"acc": 0.3, "gyr": 0.1}
TARGET_R = 0.99
PROTOCOL = """
BROAD trials 01, 10, 21 at 285.71 Hz. Each stretch of at least 1 s in which both optical position and orientation are
known is simulated by itself (quintic splines, no smoothing before differentiation); simulated and measured readings are
low-passed at 10 Hz (zero-phase Butterworth), 0.2 s at either end of a stretch and all rest phases are left out. An axis
counts if the measured standard deviation exceeds 0.3 m/s2 or 0.1 rad/s; target r >= 0.99. Variants: as_is; delay (one
of the accelerometer, one of the gyroscope); delay_and_lever (and a constant offset of the accelerometer in the sensor's
frame). Delays and lever arm: least squares on trial 01 alone, held for the other two.
"""


class Device(NamedTuple):
    """What the optical pose does not know of the device."""

    acc_delay_s: float = 0.0
    gyr_delay_s: float = 0.0
    lever_m: np.ndarray = np.zeros(3)


def load(path: Path) -> tuple[dict[str, np.ndarray], float, list[np.ndarray]]:
    """A trial, its rate, and the rows of each stretch without an optical gap."""
    trial = loadmat(path)
    rate = float(trial["sampling_rate"].item())
    known = np.flatnonzero(np.isfinite(np.hstack([trial["opt_pos"], trial["opt_quat"]])).all(axis=1))
    stretches = np.split(known, np.flatnonzero(np.diff(known) > 1) + 1)
    return trial, rate, [rows for rows in stretches if len(rows) >= MIN_STRETCH_S * rate]


def compare(path: Path, device: Device) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Simulated and measured readings of the moving part, low-passed; the simulation carries unit levers behind it."""
    trial, rate, stretches = load(path)
    simulated: dict[str, list] = {"acc": [], "gyr": []}
    measured: dict[str, list] = {"acc": [], "gyr": []}
    for rows in stretches:
        times = np.arange(len(rows)) / rate
        rotations = np.repeat(rotation_matrices(trial["opt_quat"][rows])[:, np.newaxis], 4, axis=1)
        levers = np.vstack([device.lever_m, device.lever_m + np.eye(3)])
        positions = trial["opt_pos"][rows][:, np.newaxis] + np.einsum("tsij,sj->tsi", rotations, levers)
        keep = trial["movement"].ravel()[rows].astype(bool)
        margin = int(np.ceil(MARGIN_S * rate))
        keep[:margin] = keep[-margin:] = False
        for number, (sensor, delay_s) in enumerate((("acc", device.acc_delay_s), ("gyr", device.gyr_delay_s))):
            at = np.clip(times - delay_s, 0, times[-1])
            reading = simulate_sensor(positions, rotations, times, times_s=at)[number]
            simulated[sensor].append(lowpass(reading, rate, CUTOFF_HZ)[keep])
            measured[sensor].append(lowpass(trial[f"imu_{sensor}"][rows], rate, CUTOFF_HZ)[keep])
    return {s: np.concatenate(x) for s, x in simulated.items()}, {s: np.concatenate(x) for s, x in measured.items()}


def fit_device(path: Path, with_lever: bool) -> Device:
    """Delay and lever arm by linear least squares around the present estimate, twice, offsets left free."""
    device = Device()
    rate = load(path)[1]
    for _ in range(2):
        simulated, measured = compare(path, device)
        steps = {}
        for sensor in ("acc", "gyr"):
            reading = simulated[sensor][:, 0]
            columns = [-np.gradient(reading, 1 / rate, axis=0)]
            if sensor == "acc" and with_lever:
                columns += [simulated["acc"][:, 1 + k] - reading for k in range(3)]
            design = np.stack([(column - column.mean(axis=0)).ravel() for column in columns], axis=1)
            error = measured[sensor] - reading
            steps[sensor] = np.linalg.lstsq(design, (error - error.mean(axis=0)).ravel(), rcond=None)[0]
        lever = device.lever_m + (steps["acc"][1:] if with_lever else 0.0)
        device = Device(device.acc_delay_s + steps["acc"][0], device.gyr_delay_s + steps["gyr"][0], lever)
    return device


def table(path: Path, device: Device) -> list[dict]:
    """One row an axis."""
    simulated, measured = compare(path, device)
    rows = []
    for sensor, minimum in MIN_STD.items():
        for number, axis in enumerate("xyz"):
            ours, theirs = simulated[sensor][:, 0, number], measured[sensor][:, number]
            r, std = np.corrcoef(ours, theirs)[0, 1], theirs.std()
            rows.append(
                {
                    "trial": path.stem,
                    "sensor": sensor,
                    "axis": axis,
                    "r": round(float(r), 5),
                    "std": round(float(std), 4),
                    "rmse": round(float(np.sqrt(np.mean((ours - theirs) ** 2))), 4),
                    "bias": round(float(np.mean(ours - theirs)), 4),
                    "n": len(ours),
                    "counts": bool(std > minimum),
                    "reached": bool(r >= TARGET_R),
                }
            )
    return rows


def main() -> None:
    paths = [data_folder() / "broad" / f"{trial}.mat" for trial in TRIALS]
    devices = {
        "as_is": Device(),
        "delay": fit_device(paths[0], with_lever=False),
        "delay_and_lever": fit_device(paths[0], with_lever=True),
    }
    results = {}
    for variant, device in devices.items():
        rows = [row for path in paths for row in table(path, device)]
        counted = [row for row in rows if row["counts"]]
        results[variant] = {
            "acc_delay_ms": round(1e3 * device.acc_delay_s, 3),
            "gyr_delay_ms": round(1e3 * device.gyr_delay_s, 3),
            "lever_mm": np.round(1e3 * device.lever_m, 2).tolist(),
            "axes_counted": len(counted),
            "axes_reached": sum(row["reached"] for row in counted),
            "lowest_r": min(row["r"] for row in counted),
            "axes": rows,
        }
    write_result("fidelity_broad", PROTOCOL, results)


if __name__ == "__main__":
    main()
