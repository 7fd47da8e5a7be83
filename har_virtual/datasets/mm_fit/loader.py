"""MM-Fit: watches, phones and an earbud in workouts before a camera, 10 exercises (Strömbäck, Huang and Radu, 2020)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

from har_virtual.datasets.base import Damage, DataSet, Errors, Names, Part, Reading, Subjects, Task, check_known
from har_virtual.datasets.fetch import Source, fetch_dataset
from har_virtual.datasets.mm_fit.devices import (
    DEVICES,
    MODALITIES,
    NAME,
    NON_ACTIVITY,
    device_recordings,
    read_sensors,
)
from har_virtual.datasets.mm_fit.files import EXERCISES, WORKOUTS, file_of, read_sets, workouts_in
from har_virtual.exceptions import DataFormatError, UnknownNameError
from har_virtual.recording import Recording, RecordingSet

MM_FIT_SUBJECTS: Mapping[str, str] = WORKOUTS
"""Who did each workout, read-only: ten people, two of whom did six each."""

MM_FIT_SPLIT: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "train": ("w01", "w02", "w03", "w04", "w06", "w07", "w08", "w16", "w17", "w18"),
        "validation": ("w14", "w15", "w19"),
        "test": ("w09", "w10", "w11"),
        "unseen_test": ("w00", "w05", "w12", "w13", "w20"),
    }
)
"""The authors' split by workouts, read-only. Only the people of ``unseen_test`` are in no other part."""


class _MmFit(DataSet):
    name = NAME
    title = "MM-Fit"
    version = 2
    example = "w00/w00_labels.csv"
    folders = ("mm-fit", "mm_fit")
    subjects = tuple(sorted(set(WORKOUTS.values()), key=int))
    sites = tuple(device.site for device in DEVICES.values())
    site_quantities = MappingProxyType({device.site: tuple(device.rates_hz) for device in DEVICES.values()})
    tasks = MappingProxyType({"all": Task((*EXERCISES, NON_ACTIVITY)), "exercises": Task(EXERCISES)})
    source = Source(
        url="https://s3.eu-west-2.amazonaws.com/vradu.uk/mm-fit.zip",
        file_name="mm-fit.zip",
        size_bytes=1_742_309_258,
        sha256="365bf1e546feb9350e69ba026c060fa14c1bccc989d316d062815b4981247b60",
        licence="MIT as the authors' code, or CC BY 4.0 as the videos: readers differ; cite Strömbäck et al. (2020)",
        page="https://mmfit.github.io/",
    )

    def is_home(self, folder: Path) -> bool:
        return any(next((folder / workout).glob(f"{workout}_*"), None) for workout in workouts_in(folder))

    def find_parts(self, home: Path) -> list[Part]:
        parts = []
        for workout in workouts_in(home):
            files = [file for modality in MODALITIES if (home / (file := file_of(workout, modality))).is_file()]
            if any(file.endswith(".npy") for file in files):
                parts.append(Part(WORKOUTS[workout], workout, tuple(files)))
        return parts

    def published(self) -> list[str]:
        sure = ("labels", "sw_l_acc", "sw_l_gyr", "sw_r_acc", "sw_r_gyr")
        return [file_of(workout, modality) for workout in WORKOUTS for modality in sure]

    def read(self, home: Path, part: Part) -> Reading:
        workout = part.session
        labels = home / file_of(workout, "labels")
        if not labels.is_file():
            raise DataFormatError(f"{labels} is missing, so nobody knows what was done in {workout}: unpack it anew.")
        sets = read_sets(labels)
        recordings, notes, damaged = [], _missing(workout, part.files), []
        for name in DEVICES:
            sensors = read_sensors(home, part, name)
            notes += sensors.notes
            damaged += sensors.damaged
            try:
                found, said = device_recordings(part, name, sensors, sets)
            except DataFormatError as error:
                found, said = [], []
                damaged.append(Damage(f"{workout}/{workout}_{name}_*.npy", DEVICES[name].site, f"{home}: {error}"))
            recordings += found
            notes += said
        if not recordings:
            raise DataFormatError(
                " ".join(each.why for each in damaged) or f"{workout}: no device has a sensor's file."
            )
        return Reading(recordings, notes, tuple(damaged))


MM_FIT = _MmFit()


def load_mm_fit(
    data_home: str | os.PathLike,
    *,
    subjects: Subjects = None,
    workouts: Names = None,
    task: str = "all",
    sites: Names = None,
    quantities: Names = None,
    errors: Errors = "raise",
    cache: bool = True,
    n_jobs: int | None = None,
) -> RecordingSet:
    """Load the devices of MM-Fit: two watches, two phones and an earbud in 21 workouts of ten people.

    The devices have rates of their own, so there is one recording for each device and workout, and another one for its
    magnetometer; `har_virtual.windows.join_sessions` brings those of a workout together.

    Parameters
    ----------
    data_home : path-like
        The folder that holds ``w00/`` to ``w20/``, or one that holds it as ``mm-fit/``.
    subjects : iterable of str or int, optional
        "0" to "9"; default: all that are there. `MM_FIT_SUBJECTS` says who did which workout.
    workouts : iterable of str, optional
        "w00" to "w20"; default: all that are there.
    task : {"all", "exercises"}, default="all"
        "all": the ten exercises, and "non_activity" for all that is in no set. "exercises": samples in no set get None.
    sites : iterable of str, optional
        Some of left_wrist, right_wrist (the watches), left_thigh, right_thigh (the phones in the trouser pockets) and
        head (the earbud, in the left ear); default: all.
    quantities : iterable of str, optional
        Some of acc, gyr and mag, which only the phones have; default: all.
    errors : {"raise", "warn"}, default="raise"
        With "warn" a device whose file is damaged is left out and named in a warning, and so is a workout whose labels
        are.
    cache : bool, default=True
        Keep what was read as Parquet in the user's cache; False reads and writes nothing there.
    n_jobs : int, optional
        Workouts that are read at once, as joblib counts them.

    Returns
    -------
    RecordingSet
        By subject, workout and device, the card as its DESCR. Channels ``<site>_<acc|gyr|mag>_<axis>`` in m/s2, rad/s
        and uT; session is the workout, and start_s lies on its camera's clock, on which frame f is at f / 30 s. A label
        a sample; the annotation ``set`` has the number of the set in the workout, from 1, NaN outside, and
        ``heart_rate_bpm``, of watches, the readings at the samples nearest to them. `attrs` have the file, the device
        ("sw_l"), its model as far as its rate tells it, clock ("even" or "resampled"), camera_rate_hz (frames a second
        by the device's clock), camera_off_s, start_unix_s (the stamp at frame 0), gravity (True: acceleration
        has it), frame ("sensor": axes are the device's), and the sets with their repetitions.

    Raises
    ------
    FileNotFoundError
        If `data_home` does not exist.
    DataFormatError
        If it is another folder, or a file is damaged: the message names it, and of labels the line.
    UnknownNameError
        If there is no such subject, workout, task, site or quantity.

    Warns
    -----
    DataWarning
        Names the files that a workout lacks, stamps that go back or are repeated, sensors of another rate than their
        model's, cameras that did not take 30 frames a second, sensors of a device whose stamps are others than its
        first one's, a heart rate of another time, and what ``errors="warn"`` left out.

    Notes
    -----
    Each reading has a frame and a stamp. The frame says to which set it belongs; a set's end frame is the first one
    outside. The stamps say when it was taken: where they are even up to a millisecond, readings stay as they are, with
    NaN for lost ones; others are interpolated to the device's nominal rate, and where more than 0.1 s is missing, it
    is NaN. A device whose frames are 30 a second by its stamps keeps its own seconds; else a straight line takes them
    to the camera's. The sensors of a device share that, unless their stamps are over 0.1 s apart by the frames.
    """
    there = None if workouts is None else check_known("MM-Fit: workout", workouts, WORKOUTS)
    return MM_FIT.load(
        data_home,
        subjects=subjects,
        task=task,
        sites=sites,
        quantities=quantities,
        errors=errors,
        cache=cache,
        n_jobs=n_jobs,
        keep=None if there is None else lambda part: part.session in there,
    )


def split_mm_fit(recordings: Iterable[Recording]) -> dict[str, RecordingSet]:
    """Split recordings by their workouts as the authors of MM-Fit do.

    Parameters
    ----------
    recordings : iterable of Recording
        Of `load_mm_fit`, or virtual ones with the workout as their session.

    Returns
    -------
    dict of str to RecordingSet
        "train", "validation", "test" and "unseen_test", each in the order given, empty where none is of it. The people
        of "validation" and "test" are in "train", too, but for one; those of "unseen_test" are in no other part.

    Raises
    ------
    UnknownNameError
        If a session is no workout of MM-Fit.

    Examples
    --------
    >>> import numpy as np
    >>> from har_virtual import Recording
    >>> from har_virtual.datasets import split_mm_fit
    >>> names = [f"left_wrist_acc_{axis}" for axis in "xyz"]
    >>> watches = [Recording(np.ones((9, 3)), 100, names, session=session) for session in ("w00", "w01", "w02")]
    >>> {name: len(part) for name, part in split_mm_fit(watches).items()}
    {'train': 2, 'validation': 0, 'test': 0, 'unseen_test': 1}
    """
    recordings = recordings if isinstance(recordings, RecordingSet) else RecordingSet(recordings)
    unknown = sorted({str(each.session) for each in recordings} - set(WORKOUTS))
    if unknown:
        raise UnknownNameError(
            f"split_mm_fit: session {', '.join(unknown)} is no workout of MM-Fit; they are {', '.join(WORKOUTS)}."
        )
    return {
        name: RecordingSet((each for each in recordings if each.session in workouts), DESCR=recordings.DESCR)
        for name, workouts in MM_FIT_SPLIT.items()
    }


def fetch_mm_fit(data_home: str | os.PathLike, *, accept_terms: bool = False, verbose: int = 1) -> Path:
    """Download MM-Fit's sensors and poses (1.7 GB) and unpack them (3.6 GB), or check what is there.

    The videos are apart: see the card.

    Parameters
    ----------
    data_home : path-like
        Folder for the archive and the data set; made if it is not there.
    accept_terms : bool, default=False
        State that you accept the terms.
    verbose : int, default=1
        0 for no progress bar.

    Returns
    -------
    Path
        The home for `load_mm_fit`.

    Raises
    ------
    TermsError
        If the terms are not accepted; it shows them.
    DownloadError
        If the archive cannot be had, or is not the published one.
    """
    return fetch_dataset(MM_FIT, data_home, accept_terms=accept_terms, verbose=verbose)


def _missing(workout: str, files: Iterable[str]) -> list[str]:
    """Say which of the devices' files a workout lacks."""
    there = set(files)
    missing = [modality for modality in MODALITIES if file_of(workout, modality) not in there]
    return [f"{workout} has no {', '.join(missing)}."] if missing else []
