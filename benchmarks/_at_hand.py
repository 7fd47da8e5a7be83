"""IMUTube's experiments on what can be had without asking anybody: two small real data sets, and rendered people.

None of these is a data set of the paper: the tables have its form and its protocols, not its figures.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache as cached
from pathlib import Path

import numpy as np
from _films import N_FILMED, film_streams, sensor_streams
from _films import RATE_HZ as FILM_RATE_HZ
from _tasks import Task, TransferSets

from har_virtual import Recording, WindowSet, segment_recordings
from har_virtual.datasets import load_sp_sw_har, load_utd_mhad, relabel
from har_virtual.files import cache_home
from har_virtual.windows import join_sessions

WINDOW_S, STEP_S = 1.0, 0.5
# The real seconds of the ratios (table 5) are those of which every class has ten times as much virtual data.
UTD_RATE_HZ = 50.0
PHONE_LABELS = ("sitting", "standing_up", "walking", "turning", "sitting_down")
"""What the people with phone and watch do."""

TRANSFER_SITE = "right_thigh"
TRANSFER_LABELS = ("walking", "standing_up", "sitting_down")
"""What all have at the thigh."""

N_DEEP_STUDIO = 6
"""People of the studio in the parts with networks: the fewest of whom an interval can decide anything."""

UTD, PHONE = "utd_mhad", "sp_sw_har"
DEFAULT_CACHE = cache_home() / "at_hand"
_FILMS = (
    f"rendered films of {N_FILMED} people whom nobody else is, at {FILM_RATE_HZ:g} pictures a second, converted by "
    "BlazePose as anybody's videos, doubtful streams left out; of standing up and sitting down the films' stretches "
    "before and after count as sitting and standing, so that the classes' shares are not those of the real side, which "
    "one map for all classes takes badly"
)


def at_hand(data: Path | None, cache: Path = DEFAULT_CACHE, *, n_jobs: int | None = None) -> list[Task]:
    """Give the tasks for the data sets that lie in a folder, and the studio's.

    Parameters
    ----------
    data : Path or None
        May hold ``utd_mhad/`` and ``sp_sw_har/``.
    cache : Path
        Films and what was converted of them; the first call takes some ten minutes on two cores, and goes on where an
        earlier one was stopped.
    n_jobs : int, optional
        Films at the same time.
    """
    films = film_streams(cache, n_jobs=n_jobs)
    tasks = [] if (home := _home(data, UTD)) is None else [utd_mhad(home)]
    if (home := _home(data, PHONE)) is not None:
        tasks.append(phone_and_watch(home, films))
    return [*tasks, studio(films, _worn())]


@cached
def _worn() -> tuple[Recording, ...]:
    return tuple(sensor_streams())


def _home(data: Path | None, name: str) -> Path | None:
    return data / name if data is not None and (data / name).is_dir() else None


def cut(
    recordings: Iterable[Recording],
    rate_hz: float,
    channels: Sequence[str],
    labels: Collection[str],
    step_s: float = STEP_S,
) -> WindowSet:
    """Give windows of 1 s that overlap by half, or not at all, of these labels only."""
    recordings = list(recordings)
    found = {str(name) for r in recordings for name in np.unique(np.asarray(r.labels, dtype=str))}
    return segment_recordings(
        recordings,
        WINDOW_S,
        1 - step_s / WINDOW_S,
        sampling_rate_hz=rate_hz,
        channels=channels,
        drop_labels=found - set(labels),
    )


def _acc(*sites: str) -> list[str]:
    return [f"{site}_acc_{axis}" for site in sites for axis in "xyz"]


def utd_mhad(home: Path) -> Task:
    """UTD-MHAD's right wrist, with the Kinect skeletons of the same people as virtual side."""
    recordings = load_utd_mhad(home)
    labels = {str(r.labels) for r in recordings}
    windows, slower = (cut(recordings, rate, _acc("right_wrist"), labels) for rate in (UTD_RATE_HZ, FILM_RATE_HZ))
    return Task(
        name="utd_mhad",
        title="UTD-MHAD, right wrist",
        windows=windows,
        step_s=STEP_S,
        notes=(
            f"21 actions, right wrist, accelerometer at {UTD_RATE_HZ:g} Hz. Virtual: the Kinect skeletons of the same "
            "people's same trials (no video); those of whoever is tested train nothing. Low-pass and lag as in "
            "benchmarks/utd_mhad.py."
        ),
        budgets_s=(1.5, 3.0, 6.0, 12.0, 25.0),
        ratio_s=4.0,
        max_block_s=STEP_S,
        deep=slower,
        deep_notes=f"{FILM_RATE_HZ:g} Hz, as the paper has everywhere",
        deep_budgets_s=(1.5, 3.0, 6.0, 12.0),
    )


def phone_and_watch(home: Path, films: Iterable[Recording]) -> Task:
    """The phone-and-watch set, with films of other people who do the same five things as virtual side."""
    devices = load_sp_sw_har(home, quantities="acc")
    real = relabel(join_sessions(devices), "common")
    windows = cut([*real, *films], FILM_RATE_HZ, _acc("left_thigh", "left_wrist"), PHONE_LABELS)
    return Task(
        name="sp_sw_har",
        title="Phone and watch",
        windows=windows,
        step_s=STEP_S,
        notes=(
            f"5 activities, phone on the left thigh, watch on the left wrist, accelerometers at {FILM_RATE_HZ:g} Hz. "
            f"Virtual: {_FILMS}; the same sites."
        ),
        budgets_s=(2.0, 5.0, 10.0, 20.0, 40.0),
        ratio_s=4.0,
        max_block_s=STEP_S,
        deep_budgets_s=(2.0, 5.0, 10.0, 20.0),
    )


def studio(films: Iterable[Recording], sensors: Iterable[Recording]) -> Task:
    """Simulated sensors of rendered people, with films of others as virtual side."""
    films, sensors = list(films), list(sensors)
    labels = {str(name) for r in sensors for name in np.unique(np.asarray(r.labels, dtype=str))}
    sites = _acc("right_wrist", "right_thigh")
    windows = cut([*sensors, *films], FILM_RATE_HZ, sites, labels)
    n_people = len({r.subject for r in sensors})
    few = sorted({r.subject for r in sensors})[:N_DEEP_STUDIO]
    return Task(
        name="studio",
        title="Studio (simulated)",
        windows=windows,
        step_s=STEP_S,
        notes=(
            f"{len(labels)} activities. The real side is SIMULATED: exact readings at the right wrist and thigh of "
            f"{n_people} people who move by formulas, with the errors of a cheap chip, worn another way round than the "
            f"virtual sensors and by each a little differently, accelerometers at {FILM_RATE_HZ:g} Hz. "
            f"Virtual: {_FILMS}. Both sides move by the same formulas: an upper "
            "bound on what films of real people give."
        ),
        budgets_s=(2.0, 5.0, 10.0, 20.0, 40.0),
        ratio_s=3.5,
        max_block_s=STEP_S,
        deep=cut([*(r for r in sensors if r.subject in few), *films], FILM_RATE_HZ, sites, labels, WINDOW_S),
        deep_notes=f"{len(few)} of the {n_people} people with sensors, windows that do not overlap",
        deep_budgets_s=(2.0, 10.0),
    )


def transfer_sets(
    data: Path | None, cache: Path = DEFAULT_CACHE, *, n_jobs: int | None = None
) -> dict[str, TransferSets]:
    """Give the form of table 4 at the thigh: for each target the data sets of other people that train."""
    films = film_streams(cache, n_jobs=n_jobs)
    return transfers(_home(data, UTD), _home(data, PHONE), films, _worn())


def transfers(
    utd: Path | None, phone: Path | None, films: Iterable[Recording], sensors: Iterable[Recording]
) -> dict[str, TransferSets]:
    """Give for each data set the others, where all have the same classes, site, rate and side of the body."""
    real, virtual = {"studio": _thigh(sensors)}, {"films": _thigh(films)}
    if phone is not None:
        devices = load_sp_sw_har(phone, sites="left_thigh", quantities="acc")
        real[PHONE] = _thigh(mirrored(device) for device in relabel(devices, "common"))
    if utd is not None:
        both = relabel(load_utd_mhad(utd, sites=TRANSFER_SITE, quantities="acc"), "common")
        real[UTD] = _thigh(r for r in both if r.domain == "real")
        virtual["utd_mhad skeletons"] = _thigh(r for r in both if r.domain == "virtual")
    return {name: _transfer(target, real | virtual) for name, target in real.items()}


def _thigh(recordings: Iterable[Recording]) -> WindowSet:
    return cut(recordings, FILM_RATE_HZ, _acc(TRANSFER_SITE), TRANSFER_LABELS)


def _transfer(target: WindowSet, others: Mapping[str, WindowSet]) -> TransferSets:
    people = set(target.groups)
    sources = {other: windows for other, windows in others.items() if not people & set(windows.groups)}
    notes = (
        f"Accelerometer at the right thigh, {FILM_RATE_HZ:g} Hz, {', '.join(TRANSFER_LABELS)}. The phone sat in left "
        "pockets: its stream is that of its mirror image. Sources with people of the target are left out. The studio's "
        f"sensors are SIMULATED. Films: {_FILMS}."
    )
    return TransferSets(target, sources, notes)


def mirrored(phone: Recording) -> Recording:
    """Give what the mirror image of a phone reads in the mirror image's right pocket.

    A mirror is no rotation, so no aligner can undo it; but the phone's x points to the wearer's left, as
    `load_sp_sw_har` turns it, and of a force the mirror changes that sign only.
    """
    channels = [channel.replace("left_", "right_") for channel in phone.channels]
    signs = [-1.0 if channel.endswith("_acc_x") else 1.0 for channel in channels]
    return phone.replace(data=phone.data * np.array(signs, dtype=np.float32), channels=channels)
