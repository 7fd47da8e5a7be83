"""UTD-MHAD: one inertial sensor and one Kinect, 27 actions, 8 subjects (Chen, Jafari and Kehtarnavaz, ICIP 2015)."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Literal, TypeVar

from joblib import Parallel, delayed

from har_virtual.datasets._utd_mhad_trials import (
    ACTIONS,
    ACTIONS_AT,
    KINDS,
    NAME,
    RATE_HZ,
    Trial,
    load_inertial,
    load_motion,
    load_real,
    trials_in,
)
from har_virtual.datasets.alignment import estimate_lag
from har_virtual.datasets.base import (
    DataSet,
    Errors,
    Names,
    Part,
    Reading,
    Subjects,
    as_names,
    check_known,
    select_channels,
)
from har_virtual.exceptions import DataFormatError, DataWarning, SamplingRateWarning, UnknownNameError
from har_virtual.imu import SITES, Placement, simulate_imu
from har_virtual.recording import Recording, RecordingSet
from har_virtual.skeleton import Motion

UTD_MHAD_ACTIONS: Mapping[int, str] = MappingProxyType(ACTIONS)
"""Number of each action in the file names, to its label: the data set's own short names in lower case."""

_Loaded = TypeVar("_Loaded", Recording, Motion)

# The one lag that serves all trials of subjects 1 to 6 at the wrist best; at the thigh it is -0.08.
_TYPICAL_LAG_S = -0.04
_UNPUBLISHED = (Trial(1, 8, 4), Trial(6, 23, 4), Trial(8, 27, 4))


class _UtdMhad(DataSet):
    """A part is a trial; it gives the real recording.

    Parameters
    ----------
    skeletons : bool, default=True
        Whether skeletons belong to a part, and damage to them is an error.
    """

    name = NAME
    title = "UTD-MHAD"
    example = "Inertial/a1_s1_t1_inertial.mat"
    folders = ("utd_mhad", "UTD-MHAD")
    subjects = tuple("12345678")
    sites = tuple(ACTIONS_AT)
    sampling_rate_hz = RATE_HZ
    quantities = ("acc", "gyr")

    def __init__(self, *, skeletons: bool = True) -> None:
        self._folders = tuple(KINDS) if skeletons else ("Inertial",)

    def find_parts(self, home: Path) -> list[Part]:
        files: dict[Trial, list[str]] = {}
        for folder in self._folders:
            for trial in trials_in(home / folder):
                files.setdefault(trial, []).append(trial.file(folder))
        return [Part(str(trial.subject), trial.session, tuple(files[trial])) for trial in sorted(files)]

    def published(self) -> list[str]:
        trials = [Trial(s, a, t) for s in range(1, 9) for a in UTD_MHAD_ACTIONS for t in range(1, 5)]
        return [trial.file(folder) for folder in KINDS for trial in trials if trial not in _UNPUBLISHED]

    def read(self, home: Path, part: Part) -> Reading:
        trial = Trial.of(part)
        if trial.file("Skeleton") in part.files:
            load_motion(home, trial, None)
        if trial.file("Inertial") not in part.files:
            return Reading([], [f"{trial.file('Inertial')} is missing."])
        return Reading([load_real(home, trial)], [])


UTD_MHAD = _UtdMhad()
_SENSOR = _UtdMhad(skeletons=False)


def load_utd_mhad(
    data_home: str | os.PathLike,
    *,
    subjects: Subjects = None,
    task: str = "all",
    sites: Names = "right_wrist",
    quantities: Names = None,
    actions: Iterable[str | int] | str | int | None = None,
    domain: Literal["both", "real", "virtual"] = "both",
    cutoff_hz: float | None = 2.5,
    max_lag_s: float = 0.5,
    placement: Placement | None = None,
    errors: Errors = "raise",
    cache: bool = False,
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
    subjects : iterable of str or int, optional
        "1" to "8"; default: all that are there.
    task : {"all"}, default="all"
    sites : iterable of str, default="right_wrist"
        "right_wrist" has actions 1 to 21, "right_thigh" 22 to 27; None for both.
    quantities : iterable of str, optional
        "acc", "gyr"; default: both.
    actions : iterable of str or int, optional
        Names or numbers of `UTD_MHAD_ACTIONS`; default: all of the sites.
    domain : {"both", "real", "virtual"}, default="both"
        Virtual recordings need the inertial files, too: they have the clock.
    cutoff_hz : float or None, default=2.5
        Low-pass of the skeleton before it is differentiated (see `har_virtual.imu.simulate_imu`). Kinect's joints
        jitter; the default follows the real norms of acceleration and angular velocity best.
    max_lag_s : float, default=0.5
        Largest lag either way; 0 leaves the streams as they are.
    placement : Placement, optional
        Where the virtual sensor sits, and how it is turned; default: that of `har_virtual.imu.SITES`, which has the
        frame of the segment. Needs one site.
    errors : {"raise", "warn"}, default="raise"
        Whether a damaged file is an error, or its trial is left out with a warning.
    cache : bool, default=False
        Keep real recordings in the cache directory. Unlike other data sets, this one is read faster than its cache.
        Virtual recordings are never kept: they are what the library makes of the skeletons today.
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
        If there is no such site, quantity, task, domain, action or subject.
    ValueError
        If `placement` is given for both sites.

    Warns
    -----
    DataWarning
        Names the trials of which one file is missing, where virtual recordings are wanted; and what was left out.

    Notes
    -----
    The lag of a virtual recording comes from the real recording of the same trial, without its label; the expected lag
    and the default of `cutoff_hz` were chosen on subjects 1 to 6, on norms, not on a classifier. With ``max_lag_s=0``
    a virtual recording takes nothing but its duration from the real one.
    """
    if domain not in ("both", "real", "virtual"):
        raise UnknownNameError(f"domain must be 'both', 'real' or 'virtual', not {domain!r}.")
    subjects = None if subjects is None else as_names(subjects)
    wanted_sites = check_known("UTD-MHAD: site", sites, UTD_MHAD.sites)
    if placement is not None and len(wanted_sites) > 1:
        raise ValueError("placement is where one sensor sits: pass sites='right_wrist' or sites='right_thigh' with it.")
    wanted_quantities = check_known("UTD-MHAD: quantity", quantities, UTD_MHAD.quantities)
    home = _find_home(data_home, ("Inertial",) if domain == "real" else tuple(KINDS))
    numbers = _check_actions(actions, [number for site in wanted_sites for number in ACTIONS_AT[site]])
    real = _SENSOR.load(
        home,
        subjects=subjects,
        task=task,
        sites=wanted_sites,
        errors=errors,
        cache=cache,
        n_jobs=n_jobs,
        keep=lambda part: Trial.of(part).action in numbers,
    )
    recordings = [] if domain == "virtual" else list(real)
    if domain != "real":
        _tell_unpaired(home, subjects, numbers)
        jobs = [
            delayed(_load_virtual)(home, recording, placement, cutoff_hz, max_lag_s, errors)
            for recording in real
            if (home / _trial_of(recording).file("Skeleton")).is_file()
        ]
        recordings += _without_damaged(Parallel(n_jobs=n_jobs)(jobs))
    if not recordings:
        people = ", ".join(dict.fromkeys(str(recording.subject) for recording in real))
        raise DataFormatError(
            f"{home}: nothing is left of UTD-MHAD for domain {domain}; {', '.join(wanted_sites)}; subjects {people}: "
            "none of the trials asked for has a skeleton that can be read."
        )
    chosen = (select_channels(recording, wanted_sites, wanted_quantities) for recording in recordings)
    return RecordingSet((recording for recording in chosen if recording is not None), DESCR=UTD_MHAD.describe())


def load_utd_mhad_motions(
    data_home: str | os.PathLike,
    *,
    subjects: Subjects = None,
    actions: Iterable[str | int] | str | int | None = None,
    timing: Literal["sensor", "nominal"] = "sensor",
    errors: Errors = "raise",
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
    errors : {"raise", "warn"}, default="raise"
        Whether a damaged file is an error, or its trial is left out with a warning.

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

    Warns
    -----
    DataWarning
        Names what ``errors="warn"`` left out.
    """
    if timing not in ("sensor", "nominal"):
        raise UnknownNameError(f"timing must be 'sensor' or 'nominal', not {timing!r}.")
    if errors not in ("raise", "warn"):
        raise UnknownNameError(f"errors must be 'raise' or 'warn', not {errors!r}.")
    home = _find_home(data_home, ("Skeleton",))
    numbers = _check_actions(actions, UTD_MHAD_ACTIONS)
    there = trials_in(home / "Skeleton")
    asked = check_known(f"{home / 'Skeleton'}: subject", subjects, dict.fromkeys(str(trial.subject) for trial in there))
    trials = [trial for trial in there if str(trial.subject) in asked and trial.action in numbers]
    if not trials:
        names = ", ".join(UTD_MHAD_ACTIONS[number] for number in sorted(numbers))
        raise DataFormatError(f"{home / 'Skeleton'} has no trial of {names} by subject {', '.join(asked)}.")
    motions = _without_damaged(_load_timed(home, trial, timing, errors) for trial in trials)
    if not motions:
        raise DataFormatError(f"{home / 'Skeleton'}: nothing is left; all {len(trials)} trials asked for are damaged.")
    return motions


def _find_home(data_home: str | os.PathLike, folders: Sequence[str]) -> Path:
    home = UTD_MHAD.find_home(data_home)
    for folder in folders:
        if not (home / folder).is_dir():
            raise DataFormatError(f"{home} has no folder {folder}/: unpack {folder}.zip there.")
        if not trials_in(home / folder):
            raise DataFormatError(
                f"{home / folder} has no file a*_s*_t*_{KINDS[folder]}.mat: unpack {folder}.zip there."
            )
    return home


def _check_actions(actions: Iterable[str | int] | str | int | None, known: Iterable[int]) -> set[int]:
    numbers = {name: number for number in known for name in (str(number), UTD_MHAD_ACTIONS[number])}
    asked = list(numbers) if actions is None else as_names(actions)
    unknown = [action for action in asked if action not in numbers]
    if unknown:
        there = ", ".join(f"{number} {UTD_MHAD_ACTIONS[number]}" for number in sorted(set(numbers.values())))
        raise UnknownNameError(f"There is no action {', '.join(unknown)} here; there are {there}.")
    return {numbers[action] for action in asked}


def _tell_unpaired(home: Path, subjects: Subjects, actions: set[int]) -> None:
    """Say of which trials, of those asked for, one file is missing."""
    asked = None if subjects is None else as_names(subjects)
    with_sensor, with_skeleton = (
        {t for t in trials_in(home / folder) if t.action in actions and (asked is None or str(t.subject) in asked)}
        for folder in KINDS
    )
    missing = [trial.file("Skeleton") for trial in sorted(with_sensor - with_skeleton)]
    missing += [trial.file("Inertial") for trial in sorted(with_skeleton - with_sensor)]
    if missing:
        warnings.warn(
            f"{home}: no virtual recording of {len(missing)} trials, for these files are missing: {', '.join(missing)}",
            DataWarning,
            stacklevel=3,
        )


def _without_damaged(loaded: Iterable[_Loaded | str]) -> list[_Loaded]:
    """Give what was loaded, and what is said in place of others as a warning."""
    outcomes = list(loaded)
    for said in (outcome for outcome in outcomes if isinstance(outcome, str)):
        warnings.warn(said, DataWarning, stacklevel=3)
    return [outcome for outcome in outcomes if not isinstance(outcome, str)]


def _trial_of(recording: Recording) -> Trial:
    return Trial(int(str(recording.subject)), recording.attrs["action"], recording.attrs["trial"])


def _load_timed(home: Path, trial: Trial, timing: str, errors: Errors) -> Motion | str:
    """Load the skeleton of a trial on the clock asked for, or say why not."""
    try:
        timed = timing == "sensor" and (home / trial.file("Inertial")).is_file()
        return load_motion(home, trial, len(load_inertial(home, trial)) if timed else None)
    except (DataFormatError, OSError) as error:
        if errors == "raise":
            raise
        return f"{trial.file('Skeleton')} was left out: {error}"


def _load_virtual(
    home: Path,
    real: Recording,
    placement: Placement | None,
    cutoff_hz: float | None,
    max_lag_s: float,
    errors: Errors,
) -> Recording | str:
    """Make the virtual recording of a real one's trial, or say why not."""
    trial = _trial_of(real)
    try:
        motion = load_motion(home, trial, len(real))
    except (DataFormatError, OSError) as error:
        if errors == "raise":
            raise
        return f"{trial.file('Skeleton')} was left out: {error}"
    with warnings.catch_warnings():
        # The rate is the sensor's; attrs["source_rate_hz"] says what the skeleton had.
        warnings.simplefilter("ignore", SamplingRateWarning)
        where = {trial.site: SITES[trial.site] if placement is None else placement}
        virtual = simulate_imu(motion, where, RATE_HZ, cutoff_hz=cutoff_hz)
    lag = estimate_lag(real, virtual, max_lag_s=max_lag_s, expected_s=_TYPICAL_LAG_S)
    found = {"lag_s": lag.lag_s, "lag_correlation": lag.correlation, "lag_trusted": lag.trusted}
    return virtual.replace(start_s=lag.lag_s, attrs={**virtual.attrs, **found})
