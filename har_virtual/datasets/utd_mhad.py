"""UTD-MHAD: one inertial sensor and one Kinect, 27 actions, 8 subjects (Chen, Jafari and Kehtarnavaz, ICIP 2015)."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from joblib import Parallel, delayed

from har_virtual.datasets._mat5 import read_mat5
from har_virtual.datasets.alignment import estimate_lag
from har_virtual.exceptions import DataFormatError, DataWarning, SamplingRateWarning, UnknownNameError
from har_virtual.imu import SITES, Placement, simulate_imu
from har_virtual.imu.streams import channel_names
from har_virtual.pose.skeletons import KINECT_20
from har_virtual.recording import STANDARD_GRAVITY_M_S2, Recording, RecordingSet
from har_virtual.skeleton import Motion

_NAMES = """
    swipe_left swipe_right wave clap throw arm_cross basketball_shoot draw_x draw_circle_cw draw_circle_ccw
    draw_triangle bowling boxing baseball_swing tennis_swing arm_curl tennis_serve push knock catch pickup_throw
    jog walk sit_to_stand stand_to_sit lunge squat
""".split()
UTD_MHAD_ACTIONS: dict[int, str] = dict(enumerate(_NAMES, start=1))
"""Number of each action in the file names, to its label: the data set's own short names in lower case."""

_SITES = {"right_wrist": range(1, 22), "right_thigh": range(22, 28)}
_NAME = "utd_mhad"
_RATE_HZ, _NOMINAL_FRAME_RATE_HZ = 50.0, 30.0
# The one lag that serves all trials of subjects 1 to 6 at the wrist best; at the thigh it is -0.08.
_TYPICAL_LAG_S = -0.04
_KINDS = {"Inertial": "inertial", "Skeleton": "skeleton"}
_MIN_SAMPLES, _MIN_FRAMES = 2, 6
# No reading in g or deg/s and no place in metres.
_ABSURD = 1e6


class _Trial(NamedTuple):
    """One execution of one action, in the order in which they are loaded."""

    subject: int
    action: int
    number: int

    @property
    def session(self) -> str:
        return f"a{self.action}_t{self.number}"

    def file(self, folder: str) -> str:
        return f"{folder}/a{self.action}_s{self.subject}_t{self.number}_{_KINDS[folder]}.mat"

    def attrs(self, folder: str) -> dict[str, Any]:
        return {"action": self.action, "trial": self.number, "file": self.file(folder)}


def load_utd_mhad(
    data_home: str | os.PathLike,
    *,
    site: Literal["right_wrist", "right_thigh"] = "right_wrist",
    subjects: Iterable[str | int] | None = None,
    actions: Iterable[str | int] | None = None,
    domain: Literal["both", "real", "virtual"] = "both",
    cutoff_hz: float | None = 2.5,
    max_lag_s: float = 0.5,
    placement: Placement | None = None,
    n_jobs: int | None = None,
) -> RecordingSet:
    """Load UTD-MHAD: what the sensor recorded, and what a virtual one reads on the skeleton of the same trial.

    The sensor sat on the right wrist for actions 1 to 21 and on the right thigh for actions 22 to 27, and its frame is
    not that of the segment. Skeleton and sensor have no common clock: the frames of the skeleton are spread evenly over
    the sensor's duration, and the lag that is left is estimated by `estimate_lag`, with an expected lag of -40 ms.

    Parameters
    ----------
    data_home : path-like
        The folder that holds ``Inertial/`` and ``Skeleton/``, or one that holds it as ``utd_mhad/`` or ``UTD-MHAD/``.
    site : {"right_wrist", "right_thigh"}, default="right_wrist"
    subjects : iterable of str or int, optional
        "1" to "8"; default: all that are there.
    actions : iterable of str or int, optional
        Names or numbers of `UTD_MHAD_ACTIONS`; default: all of the site.
    domain : {"both", "real", "virtual"}, default="both"
        Virtual recordings need the inertial files, too: they have the clock.
    cutoff_hz : float or None, default=2.5
        Low-pass of the skeleton before it is differentiated (see `har_virtual.imu.simulate_imu`). Kinect's joints
        jitter; the default follows the real norms of acceleration and angular velocity best.
    max_lag_s : float, default=0.5
        Largest lag either way; 0 leaves the streams as they are.
    placement : Placement, optional
        Where the virtual sensor sits, and how it is turned; default: that of `har_virtual.imu.SITES`, which has the
        frame of the segment.
    n_jobs : int, optional
        Processes, as joblib counts them.

    Returns
    -------
    RecordingSet
        First the real recordings, then the virtual ones, both by subject, action and trial: channels
        ``<site>_acc_x`` to ``<site>_gyr_z`` in m/s2 and rad/s at 50 Hz, session ``a<action>_t<trial>``, the
        action's name as label. `attrs` hold action, trial and file; of virtual ones also lag_s (which start_s
        includes), lag_correlation and lag_trusted, where False means that lag_s is the expected lag.

    Raises
    ------
    FileNotFoundError
        If `data_home` does not exist.
    DataFormatError
        If it is another folder, has no trial that was asked for, or a file is damaged.
    UnknownNameError
        If there is no such site, domain, action or subject.

    Warns
    -----
    DataWarning
        Names the trials of which one file is missing, where virtual recordings are wanted.

    Notes
    -----
    The lag of a virtual recording comes from the real recording of the same trial, without its label; the expected lag
    and the default of `cutoff_hz` were chosen on subjects 1 to 6, on norms, not on a classifier. With ``max_lag_s=0``
    a virtual recording takes nothing but its duration from the real one.
    """
    if site not in _SITES:
        raise UnknownNameError(f"UTD-MHAD has no site {site!r}; it has {', '.join(_SITES)}.")
    if domain not in ("both", "real", "virtual"):
        raise UnknownNameError(f"domain must be 'both', 'real' or 'virtual', not {domain!r}.")
    home = _find_home(data_home, ("Inertial",) if domain == "real" else ("Inertial", "Skeleton"))
    numbers = _check_actions(actions, _SITES[site])
    subjects = None if subjects is None else _listed(subjects)
    with_sensor = _find_trials(home, "Inertial", subjects, numbers)
    with_both = [] if domain == "real" else _paired(home, with_sensor, subjects, numbers)
    where = SITES[site] if placement is None else placement
    jobs = [delayed(_load_real)(home, trial, site) for trial in with_sensor if domain != "virtual"]
    jobs += [delayed(_load_virtual)(home, trial, site, where, cutoff_hz, max_lag_s) for trial in with_both]
    return RecordingSet(Parallel(n_jobs=n_jobs)(jobs))


def load_utd_mhad_motions(
    data_home: str | os.PathLike,
    *,
    subjects: Iterable[str | int] | None = None,
    actions: Iterable[str | int] | None = None,
    timing: Literal["sensor", "nominal"] = "sensor",
) -> list[Motion]:
    """Load the Kinect skeletons of UTD-MHAD.

    Parameters
    ----------
    data_home : path-like
        As for `load_utd_mhad`; ``Skeleton/`` suffices.
    subjects, actions : iterable of str or int, optional
        As for `load_utd_mhad`; default: all that are there.
    timing : {"sensor", "nominal"}, default="sensor"
        Spread the frames evenly over the duration of the sensor's stream, where that file is there, or take Kinect's
        nominal 30 frames a second. By the sensor's clock most trials have 16 to 20 frames a second.

    Returns
    -------
    list of Motion
        On Kinect-20, in the Z-up world: Kinect's (x, y, z), x to the camera's left and y up, becomes (x, -z, y). With
        subject, session, label and data set, as the recordings have them; `attrs` hold action, trial, file and the
        timing that was used. Kinect's joints jitter: `simulate_imu` needs ``cutoff_hz=2.5`` or so, and `estimate_lag`
        finds the lag that is left beside a real recording.

    Raises
    ------
    FileNotFoundError, DataFormatError, UnknownNameError
        As `load_utd_mhad`.
    """
    if timing not in ("sensor", "nominal"):
        raise UnknownNameError(f"timing must be 'sensor' or 'nominal', not {timing!r}.")
    home = _find_home(data_home, ("Skeleton",))
    motions = []
    for trial in _find_trials(home, "Skeleton", subjects, _check_actions(actions, range(1, 28))):
        timed = timing == "sensor" and (home / trial.file("Inertial")).is_file()
        motions.append(_load_motion(home, trial, len(_load_inertial(home, trial)) if timed else None))
    return motions


def _find_home(data_home: str | os.PathLike, folders: tuple[str, ...]) -> Path:
    home = Path(data_home).expanduser()
    wanted = "the folder that holds Inertial/ and Skeleton/ with the .mat files of UTD-MHAD"
    if not home.is_dir():
        raise FileNotFoundError(f"{home} is no folder; data_home must be {wanted}.")
    for candidate in (home, home / "utd_mhad", home / "UTD-MHAD"):
        missing = [folder for folder in folders if not (candidate / folder).is_dir()]
        if not missing:
            return candidate
        if len(missing) < len(_KINDS) and any((candidate / folder).is_dir() for folder in _KINDS):
            raise DataFormatError(f"{candidate} has no folder {missing[0]}/: unpack {missing[0]}.zip there.")
    if any(any(home.glob(f"a*_{kind}.mat")) for kind in _KINDS.values()):
        raise DataFormatError(f"{home} holds the files themselves; data_home must be {wanted}: {home.parent}.")
    raise DataFormatError(f"{home} has no Inertial/ or Skeleton/; data_home must be {wanted}. See the data set's card.")


def _listed(asked: Iterable[str | int] | str | int) -> list[str]:
    return [str(item) for item in ([asked] if isinstance(asked, (str, int, np.integer)) else asked)]


def _check_actions(actions: Iterable[str | int] | None, known: Iterable[int]) -> set[int]:
    numbers = {name: number for number in known for name in (str(number), UTD_MHAD_ACTIONS[number])}
    asked = list(numbers) if actions is None else _listed(actions)
    unknown = [action for action in asked if action not in numbers]
    if unknown:
        there = ", ".join(f"{number} {UTD_MHAD_ACTIONS[number]}" for number in sorted(set(numbers.values())))
        raise UnknownNameError(f"There is no action {', '.join(unknown)} here; there are {there}.")
    return {numbers[action] for action in asked}


def _find_trials(home: Path, folder: str, subjects: Iterable[str | int] | None, actions: set[int]) -> list[_Trial]:
    pattern = re.compile(rf"a(\d+)_s(\d+)_t(\d+)_{_KINDS[folder]}\.mat")
    matches = [match for path in (home / folder).iterdir() if (match := pattern.fullmatch(path.name))]
    found = sorted(_Trial(int(match[2]), int(match[1]), int(match[3])) for match in matches)
    if not found:
        raise DataFormatError(f"{home / folder} has no file a*_s*_t*_{_KINDS[folder]}.mat: unpack {folder}.zip there.")
    there = sorted({str(trial.subject) for trial in found})
    asked = there if subjects is None else _listed(subjects)
    unknown = [subject for subject in asked if subject not in there]
    if unknown:
        raise UnknownNameError(f"{home / folder} has no subject {', '.join(unknown)}; it has {', '.join(there)}.")
    trials = [trial for trial in found if str(trial.subject) in asked and trial.action in actions]
    if not trials:
        names = ", ".join(UTD_MHAD_ACTIONS[action] for action in sorted(actions))
        raise DataFormatError(f"{home / folder} has no trial of {names} by subject {', '.join(asked)}.")
    return trials


def _paired(
    home: Path, with_sensor: list[_Trial], subjects: Iterable[str | int] | None, actions: set[int]
) -> list[_Trial]:
    """Trials that have both files; what is missing is said."""
    with_skeleton = set(_find_trials(home, "Skeleton", subjects, actions))
    missing = [trial.file("Skeleton") for trial in with_sensor if trial not in with_skeleton]
    missing += [trial.file("Inertial") for trial in sorted(with_skeleton - set(with_sensor))]
    if missing:
        warnings.warn(
            f"{home}: no virtual recording of {len(missing)} trials, for these files are missing: {', '.join(missing)}",
            DataWarning,
            stacklevel=3,
        )
    return [trial for trial in with_sensor if trial in with_skeleton]


def _load_real(home: Path, trial: _Trial, site: str) -> Recording:
    return Recording(
        _load_inertial(home, trial),
        _RATE_HZ,
        channel_names([site], ("acc", "gyr")),
        subject=str(trial.subject),
        session=trial.session,
        labels=UTD_MHAD_ACTIONS[trial.action],
        dataset=_NAME,
        attrs=trial.attrs("Inertial"),
    )


def _load_virtual(
    home: Path, trial: _Trial, site: str, placement: Placement, cutoff_hz: float | None, max_lag_s: float
) -> Recording:
    real = _load_real(home, trial, site)
    motion = _load_motion(home, trial, len(real))
    with warnings.catch_warnings():
        # The rate is the sensor's; attrs["source_rate_hz"] says what the skeleton had.
        warnings.simplefilter("ignore", SamplingRateWarning)
        virtual = simulate_imu(motion, {site: placement}, _RATE_HZ, cutoff_hz=cutoff_hz)
    lag = estimate_lag(real, virtual, max_lag_s=max_lag_s, expected_s=_TYPICAL_LAG_S)
    found = {"lag_s": lag.lag_s, "lag_correlation": lag.correlation, "lag_trusted": lag.trusted}
    return virtual.replace(start_s=lag.lag_s, attrs={**virtual.attrs, **found})


def _load_inertial(home: Path, trial: _Trial) -> np.ndarray:
    """Acceleration in m/s2 and angular velocity in rad/s, (n_samples, 6)."""
    raw = _read(home / trial.file("Inertial"), "d_iner", (None, 6), _MIN_SAMPLES)
    return np.concatenate([raw[:, :3] * STANDARD_GRAVITY_M_S2, np.deg2rad(raw[:, 3:])], axis=1)


def _load_motion(home: Path, trial: _Trial, n_samples: int | None) -> Motion:
    """Spread the frames over `n_samples` of the sensor; None for the nominal frame rate."""
    x, y, z = _read(home / trial.file("Skeleton"), "d_skel", (len(KINECT_20), 3, None), _MIN_FRAMES).swapaxes(0, 1)
    stop_s = (x.shape[1] - 1) / _NOMINAL_FRAME_RATE_HZ if n_samples is None else (n_samples - 1) / _RATE_HZ
    return Motion(
        np.stack([x, -z, y]).T,
        np.linspace(0.0, stop_s, x.shape[1]),
        KINECT_20,
        subject=str(trial.subject),
        label=UTD_MHAD_ACTIONS[trial.action],
        session=trial.session,
        dataset=_NAME,
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
