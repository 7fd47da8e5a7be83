"""How fast and how exact simulate_sensor is, against plain differences in the same run.

    python benchmarks/speed_simulate.py

The reference is what one writes first: second central differences of the positions, and the rotation vector between
neighbouring frames (scipy's Rotation) divided by their distance in time. It does the same sensors, one after another.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
from _common import ROOT, write_result
from scipy.spatial.transform import Rotation

from har_virtual.imu.simulate import simulate_sensor

sys.path.insert(0, str(ROOT / "tests"))
import oracle

N_SENSORS, DURATION_S, RATE_HZ, REPEATS = 20, 60, 60, 7
PROTOCOL = (
    "20 sensors x 60 s at 60 Hz on a circle of 0.3 m at 1 Hz, bobbing 0.05 m at 2 Hz, turning (tests/oracle.py), each "
    "with its own phase. One thread of Python, best of 7 runs each, in turns. spline: all sensors in one call; "
    "spline_single: a call a sensor; difference: np.gradient twice on positions and scipy Rotation between neighbours. "
    "RMSE of the vectors against the closed form without the first and the last second. All give acc, gyr and mag."
)


def differences(positions: np.ndarray, rotations: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, ...]:
    """Acceleration, turn rate and field of one sensor by differences of neighbouring frames."""
    step = times[1] - times[0]
    acceleration = np.zeros_like(positions)
    acceleration[1:-1] = (positions[2:] - 2 * positions[1:-1] + positions[:-2]) / step**2
    turned = Rotation.from_matrix(rotations)
    gyr = np.zeros_like(positions)
    gyr[1:-1] = (turned[:-2].inv() * turned[2:]).as_rotvec() / (2 * step)
    acc = turned.inv().apply(acceleration + np.array([0, 0, oracle.GRAVITY]))
    return acc, gyr, turned.inv().apply(np.tile(oracle.FIELD_UT, (len(times), 1)))


def spline_single(positions: np.ndarray, rotations: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, ...]:
    """One call of simulate_sensor for each sensor."""
    return one_by_one(simulate_sensor, positions, rotations, times)


def difference(positions: np.ndarray, rotations: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, ...]:
    """The reference, sensor by sensor."""
    return one_by_one(differences, positions, rotations, times)


def one_by_one(simulate: Callable, positions: np.ndarray, rotations: np.ndarray, times: np.ndarray) -> tuple:
    readings = [simulate(positions[:, s], rotations[:, s], times) for s in range(positions.shape[1])]
    return tuple(np.stack(sensor, axis=1) for sensor in zip(*readings, strict=True))


def main() -> None:
    times = np.arange(DURATION_S * RATE_HZ) / RATE_HZ
    truths = [oracle.circle(times + phase) for phase in np.linspace(0, 2, N_SENSORS, endpoint=False)]
    truth = oracle.Reading(*(np.stack(parts, axis=1) for parts in zip(*truths, strict=True)))
    inner = (times >= 1) & (times <= times[-1] - 1)
    methods: dict[str, Callable] = {"spline": simulate_sensor, "spline_single": spline_single, "difference": difference}

    seconds = {name: [] for name in methods}
    for _ in range(REPEATS):
        for name, method in methods.items():
            start = time.perf_counter()
            method(truth.positions_m, truth.rotations, times)
            seconds[name].append(time.perf_counter() - start)
    results = {}
    for name, method in methods.items():
        acc, gyr, _ = method(truth.positions_m, truth.rotations, times)
        results[name] = {
            "sensor_samples_per_s": round(N_SENSORS * len(times) / min(seconds[name])),
            "speed_against_difference": round(min(seconds["difference"]) / min(seconds[name]), 3),
            "acc_rmse_m_s2": float(f"{oracle.rms((acc - truth.acc)[inner]):.4g}"),
            "gyr_rmse_rad_s": float(f"{oracle.rms((gyr - truth.gyr)[inner]):.4g}"),
        }
    write_result("speed_simulate", PROTOCOL, results)


if __name__ == "__main__":
    main()
