"""TotalCapture: 13 inertial sensors, optical motion capture and 8 cameras, 5 people (Trumble et al., BMVC 2017)."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import numpy as np

from har_virtual.checks import check_positive
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
from har_virtual.datasets.totalcapture.bones import NAME, load_motion
from har_virtual.datasets.totalcapture.files import (
    RATE_HZ,
    SENSORS,
    Readings,
    Take,
    find_takes,
    read_calibration,
    read_sensors,
)
from har_virtual.datasets.totalcapture.pairs import Pairing
from har_virtual.exceptions import DataFormatError, DataWarning, UnknownNameError
from har_virtual.imu.streams import channel_names
from har_virtual.recording import Recording, RecordingSet

_SHORT_SUBJECTS = ("S4", "S5")
_OF_SHORT_SUBJECTS = ("acting3", "freestyle1", "freestyle3", "rom3", "walking2")
_ALL = tuple(f"{move}{number}" for move in ("acting", "freestyle", "rom", "walking") for number in (1, 2, 3))
_TEST = ("acting3", "freestyle3", "walking2")

TOTALCAPTURE_TAKES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"S1": _ALL, "S2": _ALL, "S3": _ALL} | dict.fromkeys(_SHORT_SUBJECTS, _OF_SHORT_SUBJECTS)
)
"""The published takes of each subject."""

TOTALCAPTURE_SPLIT: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "train": {subject: tuple(t for t in _ALL if t not in _TEST) for subject in ("S1", "S2", "S3")},
        "seen_test": dict.fromkeys(("S1", "S2", "S3"), _TEST),
        "unseen_test": dict.fromkeys(_SHORT_SUBJECTS, _TEST),
    }
)
"""Takes of each subject in the authors' protocol (BMVC 2017, recalled): the test is on acting 3, freestyle 3 and
walking 2, of subjects that were trained on and of others."""

MAG_UNIT_UT = 48.8
"""What 1 in the magnetometers' columns stands for: Xsens scales the field to a length near 1 where it was calibrated;
this is the earth's field at Guildford (recalled)."""

_PLAUSIBLE_MAG = (0.2, 5.0)


class _TotalCapture(DataSet):
    """A part is a take; it gives one recording of all sensors, in their own frames.

    Parameters
    ----------
    motions : bool, default=True
        Whether calibration and motion capture belong to a part, and damage to them is an error.
    """

    name = NAME
    title = "TotalCapture"
    version = 2
    example = "S1/acting1/acting1_Xsens_AuxFields.sensors"
    folders = ("totalcapture", "TotalCapture", "total_capture")
    subjects = tuple(TOTALCAPTURE_TAKES)
    sites = tuple(mount.site for mount in SENSORS.values())
    sampling_rate_hz = RATE_HZ

    def __init__(self, *, motions: bool = True) -> None:
        self._kinds = ("bone", "ref", "pos", "ori") if motions else ()
        self._needed = {"aux", "xsens", "pos"} if motions else {"aux", "xsens"}

    def find_parts(self, home: Path) -> list[Part]:
        parts = []
        for take in find_takes(home).values():
            others = [take.files[kind] for kind in self._kinds if kind in take.files]
            files = [*([] if take.sensors is None else [take.sensors]), *others]
            if self._needed & set(take.files):
                parts.append(Part(take.subject, take.name, tuple(files)))
        return parts

    def missing(self, home: Path) -> list[str]:
        """Give the published takes of which there is no file of sensors."""
        there = {key for key, take in find_takes(home).items() if take.sensors is not None}
        takes = [(subject, take) for subject, names in TOTALCAPTURE_TAKES.items() for take in names]
        return [f"{subject}/{take}" for subject, take in takes if (subject, take) not in there]

    def read(self, home: Path, part: Part) -> Reading:
        take = find_takes(home)[part.subject, part.session]
        if self._kinds:
            _check_others(home, take)
        if take.sensors is None:
            return Reading([], [f"{take} has no file of sensors, *_Xsens_AuxFields.sensors or *_Xsens.sensors."])
        readings = read_sensors(home / take.sensors)
        return Reading([_recording(take, take.sensors, readings)], _notes(take, take.sensors, readings))


TOTALCAPTURE = _TotalCapture()
_SENSORS_ONLY = _TotalCapture(motions=False)


def subject_names(subjects: Subjects) -> list[str] | None:
    """Give subjects as the files call them: 1, "1" and "s1" are "S1"."""
    if subjects is None:
        return None
    called = {name: f"S{name.upper().removeprefix('S')}" for name in as_names(subjects)}
    return [mine if mine in TOTALCAPTURE_TAKES else name for name, mine in called.items()]


def _check_others(home: Path, take: Take) -> None:
    """Read calibration and motion capture to see whether they can be read."""
    for kind in ("bone", "ref"):
        if kind in take.files:
            read_calibration(home / take.files[kind])
    if "pos" in take.files:
        load_motion(home, take)


def _recording(take: Take, file: str, readings: Readings) -> Recording:
    order = [name for name in SENSORS if name in readings.names]
    columns = [readings.names.index(name) for name in order]
    triads = {"acc": readings.acc}
    if readings.gyr is not None and readings.mag is not None:
        triads |= {"gyr": readings.gyr, "mag": readings.mag * MAG_UNIT_UT}
    data = np.stack([triad[:, columns] for triad in triads.values()], axis=2)
    return Recording(
        data.reshape(len(data), -1),
        RATE_HZ,
        channel_names([SENSORS[name].site for name in order], triads),
        subject=take.subject,
        session=take.name,
        labels=take.label,
        dataset=NAME,
        attrs={"file": file, "gravity": True, "frame": "sensor"},
    )


def _notes(take: Take, file: str, readings: Readings) -> list[str]:
    notes = []
    missing = [name for name in SENSORS if name not in readings.names]
    if missing:
        notes.append(f"{file} has no sensor {', '.join(missing)}.")
    if readings.mag is None:
        notes.append(
            f"{file} has acceleration only; {take.name}_Xsens_AuxFields.sensors, which has more, is not there."
        )
    else:
        norm = float(np.median(np.linalg.norm(readings.mag, axis=-1)))
        if not _PLAUSIBLE_MAG[0] <= norm <= _PLAUSIBLE_MAG[1]:
            notes.append(f"{file}: the magnetic field has a length of {norm:.3g}, not near 1; its unit is another one.")
    return notes


def load_totalcapture(
    data_home: str | os.PathLike,
    *,
    subjects: Subjects = None,
    task: str = "all",
    sites: Names = None,
    quantities: Names = None,
    sessions: Iterable[str] | str | None = None,
    domain: Literal["real", "both", "virtual"] = "real",
    frame: Literal["sensor", "segment"] = "sensor",
    cutoff_hz: float | None = 15.0,
    errors: Errors = "raise",
    cache: bool = True,
    n_jobs: int | None = None,
) -> RecordingSet:
    """Load TotalCapture: what 13 sensors recorded, and what virtual ones read on the motion capture of the same take.

    Parameters
    ----------
    data_home : path-like
        The folder that holds the folders of the subjects, or one that holds it as ``totalcapture/``; how files lie
        below it is free, as long as subject and take stand in the names of files or folders.
    subjects : iterable of str or int, optional
        "S1" to "S5", or 1 to 5; default: all that are there.
    task : {"all"}, default="all"
    sites : iterable of str, optional
        "head", "chest", "waist", left and right "upper_arm", "forearm", "thigh", "shin", "foot"; default: all.
    quantities : iterable of str, optional
        "acc", "gyr", "mag"; default: all. Virtual recordings have no "mag", for their world's north is not known.
    sessions : iterable of str, optional
        Names of takes, such as "walking1"; default: all that are there.
    domain : {"real", "both", "virtual"}, default="real"
        Virtual recordings need the files of sensors, calibration and motion capture with orientations of their take.
    frame : {"sensor", "segment"}, default="sensor"
        Readings along the axes of each device as it was strapped on, which differ from person to person, or along those
        of the segment that it sat on (x from the proximal to the distal joint; see `har_virtual.motion`), which needs
        calibration and motion capture. Virtual recordings have the same frame as the real ones.
    cutoff_hz : float or None, default=15.0
        Low-pass of the motion capture before it is differentiated (see `har_virtual.imu.simulate_imu`); of virtual
        recordings only.
    errors : {"raise", "warn"}, default="raise"
        Whether a damaged file is an error, or its take is left out with a warning.
    cache : bool, default=True
        Keep real recordings in the cache directory.
    n_jobs : int, optional
        Threads, as joblib counts them.

    Returns
    -------
    RecordingSet
        First the real recordings, then the virtual ones, both by subject and take: channels ``<site>_acc_x`` to
        ``<site>_mag_z`` in m/s2 (with gravity), rad/s and uT at 60 Hz, session the take's name, label "acting",
        "freestyle", "rom" or "walking". `attrs` hold file, frame
        and gravity (True: acceleration has it).

    Raises
    ------
    FileNotFoundError
        If `data_home` does not exist.
    DataFormatError
        If it is another folder, has no take that was asked for, a file is damaged, or cutoff_hz is not above 0.
    UnknownNameError
        If there is no such site, quantity, task, domain, frame, take or subject.

    Warns
    -----
    DataWarning
        Names takes that lack gyroscope and magnetometer, or what another domain or frame needs; real recordings that
        were cut to the length of the motion capture; and what was left out.
    """
    for what, asked, known in (
        ("domain", domain, ("real", "both", "virtual")),
        ("frame", frame, ("sensor", "segment")),
    ):
        if asked not in known:
            raise UnknownNameError(f"{what} must be {' or '.join(map(repr, known))}, not {asked!r}.")
    wanted_sites = None if sites is None else check_known("TotalCapture: site", sites, TOTALCAPTURE.sites)
    wanted = None if quantities is None else check_known("TotalCapture: quantity", quantities, TOTALCAPTURE.quantities)
    home = TOTALCAPTURE.find_home(data_home)
    takes = find_takes(home)
    if not any(take.sensors for take in takes.values()):
        raise DataFormatError(f"{home} has no file *.sensors of TotalCapture: unpack the archives of sensors there.")
    known_takes = dict.fromkeys(take.name for take in takes.values())
    names = None if sessions is None else check_known(f"{home}: session", sessions, known_takes)
    if cutoff_hz is not None:
        check_positive("cutoff_hz", cutoff_hz)
    pairing = None
    if frame == "segment" or domain != "real":
        keeps = errors == "warn"
        options = {"virtual": domain != "real", "keeps_damaged": keeps}
        pairing = Pairing(home, takes, frame, wanted_sites, cutoff_hz, **options)
    real = _SENSORS_ONLY.load(
        home,
        subjects=subject_names(subjects),
        task=task,
        errors=errors,
        cache=cache,
        n_jobs=n_jobs,
        keep=None if names is None else lambda part: part.session in names,
        change=None if pairing is None else pairing.change,
    )
    virtual = {} if pairing is None else pairing.recordings
    for note in [] if pairing is None else sorted(pairing.notes):
        warnings.warn(note, DataWarning, stacklevel=2)
    recordings = [] if domain == "virtual" else list(real)
    recordings += [virtual[key] for key in sorted(virtual)]
    chosen = [kept for r in recordings if (kept := select_channels(r, wanted_sites, wanted)) is not None]
    if not chosen:
        raise DataFormatError(
            f"{home}: nothing is left of TotalCapture for domain {domain}; sites {sites}; quantities {quantities}."
        )
    return RecordingSet(chosen, DESCR=TOTALCAPTURE.describe())


def split_totalcapture(recordings: Iterable[Recording]) -> dict[str, RecordingSet]:
    """Divide recordings as the authors did, by `TOTALCAPTURE_SPLIT`.

    Parameters
    ----------
    recordings : iterable of Recording
        Of TotalCapture, real or virtual.

    Returns
    -------
    dict of str to RecordingSet
        "train" (S1 to S3), "seen_test" (other takes of the same people) and "unseen_test" (S4 and S5). Takes of S4 and
        S5 that are in no test are in none of them. A set may be empty.

    Examples
    --------
    >>> from har_virtual.datasets import load_totalcapture, split_totalcapture
    >>> recordings = load_totalcapture("datasets/totalcapture", subjects="S1", cache=False)
    >>> {name: len(part) for name, part in split_totalcapture(recordings).items()}
    {'train': 1, 'seen_test': 0, 'unseen_test': 0}
    """
    recordings = list(recordings)
    return {
        name: RecordingSet(
            [r for r in recordings if r.session in takes.get(str(r.subject), ())], DESCR=TOTALCAPTURE.describe()
        )
        for name, takes in TOTALCAPTURE_SPLIT.items()
    }
