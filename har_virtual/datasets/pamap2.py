"""PAMAP2: three inertial sensors and a heart-rate monitor, 18 activities, 9 subjects (Reiss and Stricker, 2012)."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Literal, NamedTuple

import numpy as np

from har_virtual.datasets._clock import read_clock
from har_virtual.datasets._rows import name_classes, spread_rows
from har_virtual.datasets._text import TextFormat, read_text
from har_virtual.datasets.base import (
    DataSet,
    Errors,
    Names,
    Part,
    Reading,
    Subjects,
    Task,
    as_names,
    check_known,
    select_channels,
)
from har_virtual.datasets.fetch import Source, fetch_dataset
from har_virtual.datasets.labels import names_by_id
from har_virtual.exceptions import DataWarning, UnknownNameError
from har_virtual.imu.streams import channel_names
from har_virtual.recording import UNITS, Recording, RecordingSet

Accelerometer = Literal["16g", "6g"]
Sides = Literal["dominant", "worn"]


class Pamap2Subject(NamedTuple):
    """What the data set's subjectInformation.pdf says of a person."""

    sex: str
    age_years: int
    height_cm: int
    weight_kg: int
    resting_heart_rate_bpm: int
    max_heart_rate_bpm: int
    dominant_hand: str


PAMAP2_SUBJECTS: Mapping[str, Pamap2Subject] = MappingProxyType(
    {
        "101": Pamap2Subject("male", 27, 182, 83, 75, 193, "right"),
        "102": Pamap2Subject("female", 25, 169, 78, 74, 195, "right"),
        "103": Pamap2Subject("male", 31, 187, 92, 68, 189, "right"),
        "104": Pamap2Subject("male", 24, 194, 95, 58, 196, "right"),
        "105": Pamap2Subject("male", 26, 180, 73, 70, 194, "right"),
        "106": Pamap2Subject("male", 26, 183, 69, 60, 194, "right"),
        "107": Pamap2Subject("male", 23, 173, 86, 60, 197, "right"),
        "108": Pamap2Subject("male", 32, 179, 87, 66, 188, "left"),
        "109": Pamap2Subject("male", 31, 168, 65, 54, 189, "right"),
    }
)
"""The subjects of PAMAP2; ``pd.DataFrame(PAMAP2_SUBJECTS.values(), index=PAMAP2_SUBJECTS)`` is a table of them."""

_RATE_HZ, _TICK_S = 100.0, 0.01
# The longest published file lasts 75 minutes.
_LONGEST_S = 4 * 3600.0
_TRANSIENT = 0
_SITE_OF_IMU = {"hand": "dominant_wrist", "chest": "chest", "ankle": "dominant_ankle"}
_WORN_SITES = ("left_wrist", "right_wrist", "chest", "left_ankle", "right_ankle")
_SITES_OF_A_SIDE = {*_WORN_SITES} - {*_SITE_OF_IMU.values()}
_VECTORS = ("acc16", "acc6", "gyr", "mag")
_IMU_FIELDS = (
    *("temperature", *(f"{vector}_{axis}" for vector in _VECTORS for axis in "xyz")),
    *(f"orientation_{component}" for component in "wxyz"),
)
_LAYOUT = TextFormat(
    columns=("time_s", "activity", "heart_rate_bpm", *(f"{imu}_{f}" for imu in _SITE_OF_IMU for f in _IMU_FIELDS)),
    separator=" ",
    header=False,
)
_FOLDERS = {"protocol": "Protocol", "optional": "Optional"}
_FILE = re.compile(r"subject(10[1-9])\.dat")
_WITH_OPTIONAL = ("101", "105", "106", "108", "109")
_PROTOCOL_ROWS = dict(
    zip(PAMAP2_SUBJECTS, (376417, 447000, 252833, 329576, 374783, 361817, 313599, 408031, 8477), strict=True)
)

# Fewer than eleven classes are those of RealWorld; ssl-8 are the classes that subjects 101 to 108 all have.
_TASK_IDS = {
    "8-class": (1, 2, 3, 4, 5, 12, 13, 24),
    "11-class": (1, 2, 3, 4, 5, 6, 12, 13, 16, 17, 24),
    "ssl-8": (1, 2, 3, 4, 12, 13, 16, 17),
}


class _Pamap2(DataSet):
    name = "pamap2"
    title = "PAMAP2"
    example = "Protocol/subject101.dat"
    folders = ("PAMAP2_Dataset",)
    version = 2
    subjects = tuple(PAMAP2_SUBJECTS)
    sites = tuple(_SITE_OF_IMU.values())
    sampling_rate_hz = _RATE_HZ
    tasks = {"all": Task()} | {
        task: Task(tuple(names_by_id("pamap2", "activity")[i] for i in ids)) for task, ids in _TASK_IDS.items()
    }
    source = Source(
        url="https://archive.ics.uci.edu/static/public/231/pamap2+physical+activity+monitoring.zip",
        file_name="pamap2+physical+activity+monitoring.zip",
        size_bytes=688_167_640,
        sha256="76b3580bd5a804121f507717cb498c66a312ef5c774f4a78ac470e6558add352",
        licence="Creative Commons Attribution 4.0 International (CC BY 4.0)",
        page="https://archive.ics.uci.edu/dataset/231/pamap2+physical+activity+monitoring",
    )

    def __init__(self, acc: Accelerometer = "16g") -> None:
        self.acc = acc
        self.variant = f"acc={acc}"

    def find_parts(self, home: Path) -> list[Part]:
        parts = [
            Part(match[1], session, (f"{folder}/{path.name}",))
            for session, folder in _FOLDERS.items()
            if (home / folder).is_dir()
            for path in (home / folder).iterdir()
            if (match := _FILE.fullmatch(path.name))
        ]
        sessions = list(_FOLDERS)
        return sorted(parts, key=lambda part: (part.subject, sessions.index(part.session)))

    def published(self) -> list[str]:
        protocol = [f"Protocol/subject{subject}.dat" for subject in self.subjects]
        return protocol + [f"Optional/subject{subject}.dat" for subject in _WITH_OPTIONAL]

    def published_rows(self, file: str) -> int | None:
        folder, _, name = file.partition("/")
        match = _FILE.fullmatch(name)
        return _PROTOCOL_ROWS[match[1]] if match and folder == _FOLDERS["protocol"] else None

    def read(self, home: Path, part: Part) -> Reading:
        path = home / part.files[0]
        vectors = {"acc": f"acc{self.acc.removesuffix('g')}", "gyr": "gyr", "mag": "mag"}
        columns = [f"{imu}_{vectors[q]}_{axis}" for imu in _SITE_OF_IMU for q in UNITS for axis in "xyz"]
        table = read_text(path, _LAYOUT, numbers=columns, exact=_LAYOUT.columns[:3])
        times_s, activities, heart_rates = table.exact.values()
        clock = read_clock(times_s, path, unit="s", rate_hz=_RATE_HZ, tick_s=_TICK_S, longest_s=_LONGEST_S)
        samples = clock.samples
        recording = Recording(
            spread_rows(table.numbers, samples, np.nan),
            clock.rate_hz,
            channel_names(_SITE_OF_IMU.values(), UNITS),
            start_s=clock.start_s,
            subject=part.subject,
            session=part.session,
            labels=name_classes(
                activities, names_by_id("pamap2", "activity"), samples, none=_TRANSIENT, column="activity", path=path
            ),
            annotations={"heart_rate_bpm": spread_rows(heart_rates.astype(np.float32), samples, np.nan)},
            dataset=self.name,
            attrs={
                "file": part.files[0],
                "accelerometer": self.acc,
                "dominant_hand": PAMAP2_SUBJECTS[part.subject].dominant_hand,
                "missing_rows": clock.n_samples - len(samples),
            },
        )
        return Reading([recording], list(clock.remarks(part.files[0])))


PAMAP2 = _Pamap2()
_BY_ACCELEROMETER = {"16g": PAMAP2, "6g": _Pamap2("6g")}


def load_pamap2(
    data_home: str | os.PathLike,
    *,
    subjects: Subjects = None,
    task: str = "all",
    sites: Names = None,
    quantities: Names = None,
    sides: Sides = "dominant",
    sessions: Names = "protocol",
    acc: Accelerometer = "16g",
    errors: Errors = "raise",
    cache: bool = True,
    n_jobs: int | None = None,
) -> RecordingSet:
    """Load PAMAP2: wrist, chest and ankle of nine people at 100 Hz, one recording a file.

    Parameters
    ----------
    data_home : path-like
        The folder that holds ``Protocol/`` and ``Optional/``, or one that holds it as ``PAMAP2_Dataset/``.
    subjects : iterable of str or int, optional
        "101" to "109"; default: all that are there.
    task : {"all", "8-class", "11-class", "ssl-8"}, default="all"
        Which classes count; the others' samples get None, and a recording without any of them is left out. "8-class"
        and "11-class" are IMUTube's tasks, "ssl-8" has the classes that subjects 101 to 108 all have.
    sites : iterable of str, optional
        Some of dominant_wrist, chest and dominant_ankle, or, with ``sides="worn"``, of left_wrist, right_wrist, chest,
        left_ankle and right_ankle; default: all.
    quantities : iterable of str, optional
        Some of acc, gyr and mag; default: all.
    sides : {"dominant", "worn"}, default="dominant"
        The sensors were worn at the wrist and the ankle of the dominant side: left for subject 108, right for all
        others. "dominant" gives everybody the same channels. "worn" names them by the side: a set with subject 108 and
        others then shares nothing but the chest, and `segment_recordings` keeps only that by default; choose
        `subjects`, `sites`, or its `channels`.
    sessions : iterable of str or None, default="protocol"
        "protocol" (12 activities, all subjects), "optional" (6 further activities, 5 subjects), or both (also None).
    acc : {"16g", "6g"}, default="16g"
        Which accelerometer of the device. That of 6 g saturates in running and jumping and is not calibrated together
        with that of 16 g, which the authors recommend.
    errors : {"raise", "warn"}, default="raise"
        With "warn" a file that is damaged is left out and named in a warning.
    cache : bool, default=True
        Keep what was read as Parquet in the user's cache; False reads and writes nothing there.
    n_jobs : int, optional
        Files that are read at once, as joblib counts them.

    Returns
    -------
    RecordingSet
        By subject and session, the card as its DESCR. Channels ``<site>_<acc|gyr|mag>_<axis>`` in m/s2, rad/s and uT,
        one label a sample, None where the subject was between two activities. The annotation ``heart_rate_bpm`` has a
        value at some nine samples a second and NaN at the others. start_s is the file's first time stamp. `attrs` have
        the file, the accelerometer, the dominant hand, and missing_rows.

    Raises
    ------
    FileNotFoundError
        If `data_home` does not exist.
    DataFormatError
        If it is another folder, or a file is damaged: the message names file and line; or its rows are not 0.01 s
        apart.
    UnknownNameError
        If there is no such subject, task, site, quantity, side, session or accelerometer.

    Warns
    -----
    DataWarning
        Names what ``errors="warn"`` left out, subjects who wore nothing at the `sites` of ``sides="worn"``, and files
        whose stamps are those of a rate that is only near 100 Hz, which is taken.

    Notes
    -----
    Rows that a file lacks, and readings that it marks as missing because a wireless sensor dropped out, are NaN at
    their place in time. The orientation, which the authors call invalid, and the temperature are not read.
    """
    if acc not in _BY_ACCELEROMETER:
        raise UnknownNameError(f"acc must be '16g' or '6g', not {acc!r}.")
    if sides not in ("dominant", "worn"):
        raise UnknownNameError(f"sides must be 'dominant' or 'worn', not {sides!r}.")
    wanted_sessions = check_known("PAMAP2: session", sessions, _FOLDERS)
    sites = None if sites is None else as_names(sites)
    if sides == "dominant" and set(sites or ()) & _SITES_OF_A_SIDE:
        raise UnknownNameError(
            f"PAMAP2: site: There is no {', '.join(sorted(set(sites or ()) & _SITES_OF_A_SIDE))}; there is "
            f"{', '.join(PAMAP2.sites)}. With sides='worn' there is {', '.join(_WORN_SITES)}."
        )
    wore_nothing_there: set[str] = set()

    def name_sides(recording: Recording) -> Recording:
        worn = _name_sides(recording)
        if select_channels(worn, sites, None) is None:
            wore_nothing_there.add(str(recording.subject))
        return worn

    recordings = _BY_ACCELEROMETER[acc].load(
        data_home,
        subjects=subjects,
        task=task,
        sites=sites,
        quantities=quantities,
        errors=errors,
        cache=cache,
        n_jobs=n_jobs,
        keep=lambda part: part.session in wanted_sessions,
        change=name_sides if sides == "worn" else None,
        known_sites=_WORN_SITES if sides == "worn" else None,
    )
    if wore_nothing_there:
        warnings.warn(
            f"PAMAP2: left out, because they wore nothing at {', '.join(sites or ())}: subjects "
            f"{', '.join(sorted(wore_nothing_there))}. sides='dominant' gives everybody the same sites.",
            DataWarning,
            stacklevel=2,
        )
    return recordings


def fetch_pamap2(data_home: str | os.PathLike, *, accept_terms: bool = False, verbose: int = 1) -> Path:
    """Download PAMAP2 from the UCI Machine Learning Repository (688 MB) and unpack it (1.7 GB), or check what is there.

    Parameters
    ----------
    data_home : path-like
        Folder for the archive and the data set; made if it is not there.
    accept_terms : bool, default=False
        State that you accept the terms: Creative Commons Attribution 4.0 International.
    verbose : int, default=1
        0 for no progress bar.

    Returns
    -------
    Path
        The home for `load_pamap2`.

    Raises
    ------
    TermsError
        If the terms are not accepted; it shows them.
    DownloadError
        If the archive cannot be had, or is not the published one.
    """
    return fetch_dataset(PAMAP2, data_home, accept_terms=accept_terms, verbose=verbose)


def _name_sides(recording: Recording) -> Recording:
    side = PAMAP2_SUBJECTS[str(recording.subject)].dominant_hand
    return recording.replace(channels=[channel.replace("dominant", side) for channel in recording.channels])
