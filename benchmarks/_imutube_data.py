"""IMUTube's experiments as tasks, of whatever data sets and converted videos lie in a folder.

    <data home>/realworld, opportunity, pamap2, totalcapture   as the loaders want them
    <data home>/kinetics700, activitynet, ...                  collections of videos, for the 11 classes of PAMAP2
    <virtual>/realworld, totalcapture, kinetics700, ...        what `convert` wrote of their videos

All is acceleration at 30 Hz in windows of 1 s that overlap by half (IMUTube, section 3.1).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from _imutube_published import COLUMNS
from _tasks import Task, TransferSets

from har_virtual import Recording, RecordingSet, WindowSet, convert_videos, segment_recordings
from har_virtual.datasets import (
    REALWORLD_SITES,
    label_map,
    label_table,
    load_converted,
    load_opportunity,
    load_pamap2,
    load_realworld,
    load_realworld_videos,
    load_totalcapture,
    load_totalcapture_videos,
    load_utd_mhad,
    pool_sides,
    relabel,
)
from har_virtual.datasets.registry import find_any, find_collection
from har_virtual.datasets.videos import load_videos
from har_virtual.exceptions import DataFormatError, DataWarning, VideoError
from har_virtual.model_selection import IMUTUBE_HOLD_OUTS
from har_virtual.windows import assume_rate, join_sessions

RATE_HZ, WINDOW_S, STEP_S = 30.0, 1.0, 0.5
REALWORLD_RATE_HZ = 50.0
DATA_SETS = ("realworld", "opportunity", "pamap2", "totalcapture")
COLLECTIONS = (
    *("activitynet", "kinetics700", "hmdb51", "mpii", "ucf101"),
    *("charades", "ava", "msr_daily_activity_3d", "ntu_rgbd"),
)
COMPLEX = ("vacuum_cleaning", "ironing", "rope_jumping", "cycling")
"""Classes of the 11 of PAMAP2 that come from collections of videos (section 3.3)."""

OPPORTUNITY_POSITIONS = (
    *("left_foot", "right_foot", "right_shin", "right_thigh", "right_hip", "back"),
    *("left_upper_arm", "right_upper_arm", "left_forearm", "right_forearm"),
)
"""The ten positions that the paper names of its eleven; its leg is the right one (docs/datasets/imutube.md)."""

PAMAP2_POSITIONS = ("dominant_wrist", "chest", "dominant_ankle")
POSITIONS = {
    "realworld": tuple(REALWORLD_SITES.values()),
    "opportunity": OPPORTUNITY_POSITIONS,
    "pamap2": PAMAP2_POSITIONS,
}
FILMED = {
    "realworld": POSITIONS["realworld"],
    "opportunity": OPPORTUNITY_POSITIONS,
    "pamap2": ("left_wrist", "right_wrist", "chest", "left_ankle", "right_ankle"),
    "totalcapture": ("left_forearm", "left_shin"),
}
"""Sites at which videos are converted, by the data set that they stand in for."""

TRANSFER_SITES: dict[tuple[str, str], dict[str, str]] = {
    ("pamap2", "opportunity"): {"dominant_wrist": "right_wrist", "chest": "back", "dominant_ankle": "right_shin"},
    ("realworld", "opportunity"): {
        "left_forearm": "left_forearm",
        "left_upper_arm": "left_upper_arm",
        "left_thigh": "right_thigh",
        "left_shin": "right_shin",
        "chest": "back",
        "waist": "right_hip",
    },
    ("realworld", "pamap2"): {"left_forearm": "dominant_wrist", "chest": "chest", "left_shin": "dominant_ankle"},
}
"""Which sensor of one data set stands for which of another in table 4. The paper does not say; these are the same sites
or neighbours on one segment or across a joint. RealWorld's leg has no side for sure and is taken for the right one."""

BUDGETS_S = (5.0, 10.0, 30.0, 100.0, 300.0, 600.0)


@dataclass(frozen=True)
class Home:
    """Where the data lie and how they are read.

    Attributes
    ----------
    data : Path
    virtual : Path
        The folder with one folder a data set or collection that was converted.
    assume_rate : bool
        Call RealWorld's rows, which come at 50 Hz, 30 Hz, as the paper's count of windows suggests, in place of
        resampling them.
    cache : bool
    n_jobs : int
    """

    data: Path
    virtual: Path
    assume_rate: bool = False
    cache: bool = True
    n_jobs: int = 1

    def find(self, name: str) -> Path | None:
        """Give the folder of a data set or collection, None where it is not there."""
        for folder in (self.data / name, self.data):
            try:
                return find_any(name).find_home(folder)
            except (FileNotFoundError, DataFormatError):
                continue
        return None

    def films(self, name: str) -> Path | None:
        """Give the folder of the streams that were made of a data set's videos, None where there is none."""
        folder = self.virtual / name
        return folder if folder.is_dir() and any(folder.glob("*.json")) else None

    def found(self) -> dict[str, list[str]]:
        """Give the names of what is there and of what is not."""
        there = {"data sets": [name for name in DATA_SETS if self.find(name)]}
        there["missing data sets"] = [name for name in DATA_SETS if name not in there["data sets"]]
        there["converted"] = [name for name in (*DATA_SETS, *COLLECTIONS) if self.films(name)]
        return there


def load_real(home: Home, name: str, *, task: str | None = None, sites: Sequence[str] | None = None) -> RecordingSet:
    """Load a data set's accelerometers at the paper's positions, the devices of a session side by side."""
    folder = home.find(name)
    if folder is None:
        raise DataFormatError(f"{home.data} holds no {name}; `har-virtual datasets info {name}` says how to get it.")
    sites = POSITIONS[name] if sites is None else tuple(sites)
    given: dict[str, Any] = {"quantities": "acc", "cache": home.cache, "n_jobs": home.n_jobs}
    if name == "pamap2":
        return load_pamap2(folder, task=task or "8-class", sites=sites, **given)
    if name == "opportunity":
        return load_opportunity(folder, sites=sites, **given)
    devices = load_realworld(folder, sites=sites, **given)
    sessions = join_sessions(devices, REALWORLD_RATE_HZ, missing="drop")
    return assume_rate(sessions, RATE_HZ) if home.assume_rate else sessions


def load_virtual(home: Home, name: str, *, task: str | None = None) -> RecordingSet | None:
    """Load what the videos give for a data set, under its labels and at its sites; None without converted videos."""
    parts = [_films(home, "realworld", name, label_map("realworld", name, target_task=task or "all"))]
    if task == "11-class":
        parts += [_films(home, each, name, {label: label for label in COMPLEX}) for each in COLLECTIONS]
    recordings = [recording for part in parts if part is not None for recording in part]
    if not recordings:
        return None
    return pool_sides(recordings, ("wrist", "ankle")) if name == "pamap2" else RecordingSet(recordings)


def _films(home: Home, source: str, target: str, labels: Mapping[str, str]) -> RecordingSet | None:
    folder = home.films(source)
    if folder is None:
        return None
    streams = load_converted(folder, persons="main", sites=FILMED[target], quantities="acc", errors="warn")
    try:
        return relabel(streams, labels)
    except DataFormatError:
        warnings.warn(f"{folder} has no stream of {', '.join(labels)}; left out.", DataWarning, stacklevel=2)
        return None


def cut(recordings: Sequence[Recording]) -> WindowSet:
    """Cut windows of 1 s, half overlapping, at 30 Hz."""
    return segment_recordings(recordings, WINDOW_S, 1 - STEP_S / WINDOW_S, sampling_rate_hz=RATE_HZ)


TASKS = (("realworld", None), ("opportunity", None), ("pamap2", "8-class"), ("pamap2", "11-class"))


def tasks(home: Home) -> Iterator[Task]:
    """Give a task for each experiment of section 3 whose data set is there, with virtual windows if there are any."""
    for name, task in TASKS:
        if home.find(name) is not None:
            yield make_task(home, name, task)


def make_task(home: Home, name: str, task: str | None = None) -> Task:
    """Put the real and the virtual windows of one experiment together."""
    key = name if task is None else f"{name}-{task.removesuffix('-class')}"
    real, virtual = load_real(home, name, task=task), load_virtual(home, name, task=task)
    windows = cut([*real, *(virtual or [])])
    # A part of a data set may lack classes that films show.
    known = np.isin(windows.y, np.asarray(windows.y)[windows.sample_domain == 0])
    return Task(
        name=key,
        title=COLUMNS[key],
        windows=windows[known],
        step_s=STEP_S,
        notes=_notes(home, name, task, virtual),
        budgets_s=BUDGETS_S,
        ratio_s=300.0,
        # As the paper "randomly sampling": single windows of everybody.
        max_block_s=STEP_S,
        hold_out=IMUTUBE_HOLD_OUTS[name],
        published=key,
    )


def _notes(home: Home, name: str, task: str | None, virtual: RecordingSet | None) -> str:
    rate = f"resampled to {RATE_HZ:g} Hz"
    if home.assume_rate and name == "realworld":
        rate = f"rows of {REALWORLD_RATE_HZ:g} Hz called {RATE_HZ:g} Hz, as the paper assumes"
    films = "none converted"
    if virtual is not None:
        own = "films of the same people" if name == "realworld" else "RealWorld's films of other people"
        web = [each for each in COLLECTIONS if home.films(each)] if task == "11-class" else []
        films = ", ".join([own, *web]) + (", four placements a video" if name == "pamap2" else "")
    return (
        f"Accelerometers at {', '.join(POSITIONS[name])}, {rate}, windows of {WINDOW_S:g} s, step {STEP_S:g} s. "
        f"Virtual: {films}."
    )


def transfer_sets(home: Home) -> Iterator[tuple[str, TransferSets]]:
    """Give table 4, and the same with the other two data sets as targets: one entry a pair of target and source.

    Each pair has the sites that both have, so that every source has its own figure of the target's own training.
    """
    there = [name for name in POSITIONS if home.find(name)]
    for target in (name for name in ("opportunity", "pamap2", "realworld") if name in there):
        films = load_virtual(home, target, task=_task_of(target))
        if films is not None:
            yield f"{target} from virtual", _virtual_pair(home, films, target)
        for source in there:
            if source != target:
                yield f"{target} from {source}", _real_pair(home, source, target)


def _task_of(name: str) -> str | None:
    return "8-class" if name == "pamap2" else None


def sites_between(source: str, target: str) -> dict[str, str]:
    """Give which site of `target` each site of `source` stands for."""
    if (source, target) in TRANSFER_SITES:
        return TRANSFER_SITES[source, target]
    return {theirs: ours for ours, theirs in TRANSFER_SITES[target, source].items()}


def _real_pair(home: Home, source: str, target: str) -> TransferSets:
    sites = sites_between(source, target)
    labels = label_map(source, target, source_task=_task_of(source) or "all", target_task=_task_of(target) or "all")
    given = relabel(load_real(home, source, task=_task_of(source), sites=list(sites)), labels)
    tested = load_real(home, target, task=_task_of(target), sites=list(sites.values()))
    moved = cut([_at_sites(recording, sites) for recording in given])
    windows = cut(tested)
    notes = f"{source} stands for {target} at " + ", ".join(f"{a} for {b}" for a, b in sites.items()) + "."
    return TransferSets(windows, {source: moved.select(windows.channels)}, notes)


def _virtual_pair(home: Home, films: RecordingSet, target: str) -> TransferSets:
    windows = cut(load_real(home, target, task=_task_of(target)))
    notes = f"RealWorld's films at {', '.join(POSITIONS[target])}."
    return TransferSets(windows, {"virtual": cut(films).select(windows.channels)}, notes)


def _at_sites(recording: Recording, sites: Mapping[str, str]) -> Recording:
    """Rename channels from one data set's sites to another's."""
    named = [channel.rpartition("_acc_") for channel in recording.channels]
    return recording.replace(channels=[f"{sites[site]}_acc_{axis}" for site, _, axis in named])


@dataclass(frozen=True, eq=False)
class Traces:
    """A real and a virtual recording of one take, on one grid, and windows to fit the adaptation on (figure 4)."""

    name: str
    real: Recording
    virtual: Recording
    others: WindowSet
    notes: str


def traces(home: Home) -> Iterator[Traces]:
    """Give a walk of TotalCapture, at forearm and shin: of its videos if converted, else of its motion capture."""
    folder = home.find("totalcapture")
    if folder is None:
        return
    sites, films = FILMED["totalcapture"], home.films("totalcapture")
    domain, made_of = ("both", "motion capture, for no video is converted") if films is None else ("real", "video")
    loaded = load_totalcapture(
        folder,
        sites=sites,
        quantities="acc",
        domain=domain,
        frame="segment",
        errors="warn",
        cache=home.cache,
        n_jobs=home.n_jobs,
    )
    streams = [] if films is None else load_converted(films, persons="main", sites=sites, quantities="acc")
    # The file's name is TC_S1_walking1_cam1.
    virtual = [stream.replace(session=str(stream.session).split("_")[2]) for stream in streams]
    yield from pair_traces([*loaded, *virtual], "walking", f"TotalCapture, virtual side from {made_of}.")


def traces_at_hand(data: Path, n_jobs: int) -> Iterator[Traces]:
    """Give a walk and a wave of UTD-MHAD: skeletons of a Kinect, the sensor in a frame of its own."""
    for site, action in (("right_thigh", "walk"), ("right_wrist", "wave")):
        loaded = load_utd_mhad(data / "utd_mhad", sites=site, quantities="acc", n_jobs=n_jobs)
        yield from pair_traces(loaded, action, f"UTD-MHAD, {site}, virtual side from Kinect skeletons.")


def pair_traces(recordings: Sequence[Recording], label: str, notes: str) -> Iterator[Traces]:
    """Give the first take with a label that both sides have; all takes of other people are what is fitted on."""
    takes = {(r.subject, r.session): r for r in recordings if r.domain == "virtual"}
    for real in recordings:
        virtual = takes.get((real.subject, real.session))
        if real.domain != "real" or real.labels != label or virtual is None:
            continue
        others = [r for r in recordings if r.subject != real.subject]
        if len({r.domain for r in others}) < 2:
            others, notes = list(recordings), notes + " Nobody else is there: fitted on all takes, this one too."
        real, virtual = _on_one_grid(real, virtual)
        length_s = WINDOW_S if real.duration_s >= WINDOW_S else real.duration_s / 3
        windows = segment_recordings(others, length_s, 0.0, sampling_rate_hz=RATE_HZ, channels=real.channels)
        yield Traces(f"{real.group}/{real.session}", real, virtual, windows, notes)
        return


def _on_one_grid(real: Recording, virtual: Recording) -> tuple[Recording, Recording]:
    """Bring both to the samples at 30 Hz of the time that they share, where neither has a hole."""
    both = [r.select(real.channels) for r in (real, virtual)]
    start, stop = max(r.times_s[0] for r in both), min(r.times_s[-1] for r in both)
    times = np.arange(start, stop, 1 / RATE_HZ)
    one, other = (
        r.replace(
            data=np.column_stack([np.interp(times, r.times_s, column) for column in r.data.T]),
            start_s=float(start),
            sampling_rate_hz=RATE_HZ,
            annotations={},
        )
        for r in both
    )
    return one, other


def convert(home: Home) -> dict[str, Path]:
    """Make virtual streams of all videos that are found, at all sites needed; what was done before is left out."""
    made = {}
    for name in ("realworld", "totalcapture", *COLLECTIONS):
        clips = _clips(home, name)
        if clips:
            sites = sorted({site for at in FILMED.values() for site in at} if name != "totalcapture" else FILMED[name])
            made[name] = convert_videos(
                clips,
                home.virtual / name,
                sites=sites,
                sampling_rate_hz=RATE_HZ,
                quantities=["acc"],
                n_jobs=home.n_jobs,
                verbose=1,
            )
    return made


def _clips(home: Home, name: str) -> list[Any]:
    folder = home.find(name)
    if name == "realworld" and folder is None and (home.data / name).is_dir():
        folder = home.data / name  # videos without the sensors' archives
    if folder is None:
        return []
    try:
        if name == "realworld":
            return load_realworld_videos(folder)
        if name == "totalcapture":
            return load_totalcapture_videos(folder, cameras="cam1")
        # Of the paper's nine, AVA and NTU RGB+D have no class that the table of labels calls one of the four.
        classes = _complex_classes(name, folder)
        return load_videos(name, folder, labels=classes, min_length_s=1.0, errors="warn") if classes else []
    except (VideoError, DataFormatError) as error:
        warnings.warn(f"No video of {name} is converted: {error}", DataWarning, stacklevel=2)
        return []


def _complex_classes(collection: str, folder: Path) -> dict[str, str]:
    """Give which classes of the annotations that are there are one of the four."""
    table = label_table()
    rows = table[(table.dataset == collection) & table.common.isin(COMPLEX)]
    there = set(find_collection(collection).classes(folder))
    return {name: common for name, common in zip(rows.name, rows.common, strict=True) if name in there}


def shorten(windows: WindowSet, *, n_per_class: int = 12) -> WindowSet:
    """Keep the first windows of each subject, class and domain: to try a table."""
    number = windows.metadata.assign(label=windows.y).groupby(["subject", "domain", "label"]).cumcount()
    return windows[np.flatnonzero(number < n_per_class)]


def shorten_task(task: Task) -> Task:
    """Give a task that takes seconds: few windows, two budgets."""
    budgets = tuple(sorted({2 * task.step_s, 5 * task.step_s}))
    deep = shorten(few_people(task), n_per_class=6)
    short = {"budgets_s": budgets, "deep_budgets_s": budgets[-1:], "ratio_s": 2 * task.step_s}
    return replace(task, windows=shorten(task.windows), deep=deep, **short)


def few_people(task: Task) -> WindowSet:
    """Give what networks learn from, of four people with sensors: those whom the paper holds out, and the first."""
    windows = task.windows if task.deep is None else task.deep
    real = windows.sample_domain == 0
    held = [] if task.hold_out is None else [task.hold_out.validation, task.hold_out.test]
    people = np.unique(windows.groups[real])
    kept = [*np.intersect1d(people, held), *np.setdiff1d(people, held)][:4]
    return windows[~real | np.isin(windows.groups, kept)]
