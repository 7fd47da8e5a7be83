"""The trials of UTD-MHAD on disk: what each file holds, in standard units."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from har_virtual.datasets._mat5 import read_mat5
from har_virtual.datasets.base import Part
from har_virtual.datasets.labels import names_by_id
from har_virtual.exceptions import DataFormatError
from har_virtual.imu.streams import channel_names
from har_virtual.pose.skeletons import KINECT_20
from har_virtual.recording import STANDARD_GRAVITY_M_S2, Recording
from har_virtual.skeleton import Motion

NAME, RATE_HZ = "utd_mhad", 50.0
ACTIONS = names_by_id(NAME, "activity")
ACTIONS_AT = {"right_wrist": range(1, 22), "right_thigh": range(22, 28)}
KINDS = {"Inertial": "inertial", "Skeleton": "skeleton"}
_NOMINAL_FRAME_RATE_HZ = 30.0
_MIN_SAMPLES, _MIN_FRAMES = 2, 6
# No reading in g or deg/s and no place in metres.
_ABSURD = 1e6


class Trial(NamedTuple):
    """One execution of one action, in the order in which they are loaded."""

    subject: int
    action: int
    number: int

    @property
    def session(self) -> str:
        return f"a{self.action}_t{self.number}"

    @property
    def site(self) -> str:
        return next(site for site, actions in ACTIONS_AT.items() if self.action in actions)

    def file(self, folder: str) -> str:
        return f"{folder}/a{self.action}_s{self.subject}_t{self.number}_{KINDS[folder]}.mat"

    def attrs(self, folder: str) -> dict[str, Any]:
        return {"action": self.action, "trial": self.number, "file": self.file(folder)}

    @classmethod
    def of(cls, part: Part) -> Trial:
        action, subject, number = map(int, re.findall(r"\d+", Path(part.files[0]).name))
        return cls(subject, action, number)


def trials_in(folder: Path) -> list[Trial]:
    pattern = re.compile(rf"a(\d+)_s(\d+)_t(\d+)_{KINDS[folder.name]}\.mat")
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    matches = [match for name in names if (match := pattern.fullmatch(name)) and int(match[1]) in ACTIONS]
    return sorted(Trial(int(match[2]), int(match[1]), int(match[3])) for match in matches)


def load_real(home: Path, trial: Trial) -> Recording:
    return Recording(
        load_inertial(home, trial),
        RATE_HZ,
        channel_names([trial.site], ("acc", "gyr")),
        subject=str(trial.subject),
        session=trial.session,
        labels=ACTIONS[trial.action],
        dataset=NAME,
        attrs=trial.attrs("Inertial"),
    )


def load_inertial(home: Path, trial: Trial) -> np.ndarray:
    """Acceleration in m/s2 and angular velocity in rad/s, (n_samples, 6)."""
    raw = _read(home / trial.file("Inertial"), "d_iner", (None, 6), _MIN_SAMPLES)
    return np.concatenate([raw[:, :3] * STANDARD_GRAVITY_M_S2, np.deg2rad(raw[:, 3:])], axis=1)


def load_motion(home: Path, trial: Trial, n_samples: int | None) -> Motion:
    """Spread the frames over `n_samples` of the sensor; None for the nominal frame rate."""
    x, y, z = _read(home / trial.file("Skeleton"), "d_skel", (len(KINECT_20), 3, None), _MIN_FRAMES).swapaxes(0, 1)
    stop_s = (x.shape[1] - 1) / _NOMINAL_FRAME_RATE_HZ if n_samples is None else (n_samples - 1) / RATE_HZ
    return Motion(
        np.stack([x, -z, y]).T,
        np.linspace(0.0, stop_s, x.shape[1]),
        KINECT_20,
        subject=str(trial.subject),
        label=ACTIONS[trial.action],
        session=trial.session,
        dataset=NAME,
        attrs={**trial.attrs("Skeleton"), "timing": "nominal" if n_samples is None else "sensor"},
    )


def _read(path: Path, variable: str, shape: tuple[int | None, ...], n_minimum: int) -> np.ndarray:
    """Read an array of finite numbers; None in `shape` is time, which needs `n_minimum` entries."""
    array = read_mat5(path, variable)
    if len(shape) != array.ndim or any(n not in (None, m) for n, m in zip(shape, array.shape, strict=True)):
        expected = ", ".join("time" if n is None else str(n) for n in shape)
        raise DataFormatError(f"{path}: {variable} must have shape ({expected}), not {array.shape}.")
    n_times = array.shape[shape.index(None)]
    if n_times < n_minimum:
        raise DataFormatError(f"{path}: {variable} has {n_times} rows of time, but {n_minimum} are needed.")
    n_wrong = np.sum(~(np.abs(array) < _ABSURD))
    if n_wrong:
        raise DataFormatError(
            f"{path}: {variable} has {n_wrong} values that are NaN, infinite or over {_ABSURD:g}, which the data set "
            "does not have; it may be damaged: unpack it anew."
        )
    return array
