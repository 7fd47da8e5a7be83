"""RealWorld (HAR): seven phones and watches on 15 people, 8 activities (Sztyler and Stuckenschmidt, 2016)."""

from __future__ import annotations

import os
import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from har_virtual.datasets._realworld_archives import (
    ACTIVITIES,
    POSITIONS,
    PREFIXES,
    ArchiveName,
    Table,
    earliest,
    first_stamps_ms,
    is_archive,
    parse_archive_name,
    read_archive,
)
from har_virtual.datasets.base import DataSet, Errors, Names, Part, Reading, Subjects, as_names, check_known
from har_virtual.datasets.fetch import Source, fetch_dataset
from har_virtual.exceptions import DataFormatError, DataWarning, UnknownNameError
from har_virtual.imu.streams import channel_names
from har_virtual.recording import Recording, RecordingSet
from har_virtual.signal import regularize_timestamps, resample, typical_rate

REALWORLD_SITES: dict[str, str] = {
    "chest": "chest",
    "forearm": "left_forearm",
    "head": "head",
    "shin": "left_shin",
    "thigh": "left_thigh",
    "upperarm": "left_upper_arm",
    "waist": "waist",
}
"""From the data set's positions to sites. On which side of the body the devices of arm and leg sat is not known; left
is an assumption."""

_PACKED = "realworld2016_dataset.zip"
_RATE_HZ, _TICK_S = 50.0, 1e-3
# Sessions last some ten minutes; stamps further apart are damaged, and would ask for more memory than there is.
_LONGEST_SESSION_S = 2 * 3600.0
_MAX_GAP_S, _SAME_S = 0.1, 1e-6
# A mean rate above this is brought down to 50 Hz with a low-pass.
_FAST_HZ = 1.1 * _RATE_HZ


class _RealWorld(DataSet):
    name = "realworld"
    title = "RealWorld"
    example = "proband1/data/acc_walking_csv.zip"
    folders = ("realworld2016_dataset", "realworld2016", "realworld")
    subjects = tuple(str(number) for number in range(1, 16))
    sites = tuple(REALWORLD_SITES.values())
    sampling_rate_hz = _RATE_HZ
    source = Source(
        url=f"http://wifo5-14.informatik.uni-mannheim.de/sensor/dataset/realworld2016/{_PACKED}",
        file_name=_PACKED,
        size_bytes=None,
        sha256=None,
        licence="none that we know of; University of Mannheim, for research: cite Sztyler and Stuckenschmidt (2016)",
        page="https://www.uni-mannheim.de/dws/research/projects/activity-recognition/dataset/dataset-realworld/",
    )

    def __init__(self, timing: str) -> None:
        self.variant = timing

    def find_home(self, data_home: str | os.PathLike) -> Path:
        try:
            return super().find_home(data_home)
        except DataFormatError as error:
            home = Path(data_home).expanduser()
            if (home / _PACKED).is_file():
                raise DataFormatError(
                    f"{home / _PACKED} is still packed: unpack it there. The archives in it stay packed."
                ) from error
            if next(home.glob("proband*/data/*_csv/"), None):
                raise DataFormatError(
                    f"{home}: the archives in proband*/data/ were unpacked, but are read as they are: get them anew."
                ) from error
            raise

    def find_parts(self, home: Path) -> list[Part]:
        files = [path.relative_to(home).as_posix() for path in home.glob("proband*/data/*_csv.zip")]
        there = {parse_archive_name(file): file for file in files if is_archive(file)}
        parts = []
        for name in sorted(there, key=lambda name: (int(name.subject), *name[1:])):
            # The accelerometers have the session's clock.
            clock = there.get(name._replace(quantity="acc"), there[name])
            parts.append(Part(name.subject, name.activity, tuple(dict.fromkeys((there[name], clock)))))
        return parts

    def published(self) -> list[str]:
        return [
            f"proband{subject}/data/{quantity}_{activity}_csv.zip"
            for subject in self.subjects
            for quantity in self.quantities
            for activity in ACTIVITIES
        ]

    def read(self, home: Path, part: Part) -> Reading:
        file, stamped = part.files[0], self.variant == "stamps"
        name = parse_archive_name(file)
        tables, notes = read_archive(home, file, stamped)
        if not stamped:
            return Reading(_from_start(tables, name), notes)
        zeros_ms = earliest((table.member.session, float(table.stamps_ms[0])) for table in tables)
        if len(part.files) > 1:
            zeros_ms |= first_stamps_ms(home, part.files[1])
        streams = [_on_its_clock(table, zeros_ms[table.member.session]) for table in tables]
        notes += [problem for _, problems in streams for problem in problems]
        return Reading([_recording(t, name, stream) for t, (stream, _) in zip(tables, streams, strict=True)], notes)


REALWORLD = _RealWorld("stamps")
_BY_TIMING = {"stamps": REALWORLD, "start": _RealWorld("start")}


def load_realworld(
    data_home: str | os.PathLike,
    *,
    subjects: Subjects = None,
    task: str = "all",
    sites: Names = None,
    quantities: Names = ("acc",),
    timing: Literal["stamps", "start"] = "stamps",
    placements: Mapping[str, str] | None = None,
    errors: Errors = "raise",
    cache: bool = True,
    n_jobs: int | None = None,
) -> RecordingSet:
    """Load RealWorld (HAR): accelerometers, gyroscopes and magnetometers at seven positions, 8 activities, 15 people.

    Each device has its own clock and rate, so there is one recording per quantity, position and session;
    `har_virtual.windows.join_sessions` brings the devices of a session together.

    Parameters
    ----------
    data_home : path-like
        The folder that holds ``proband1/`` to ``proband15/``, or one that holds it as ``realworld2016_dataset/``,
        ``realworld2016/`` or ``realworld/``. The archives in ``proband*/data/`` stay packed.
    subjects : str, int or iterable of these, optional
        "1" to "15"; default: all that are there.
    task : {"all"}, default="all"
        All 8 activities.
    sites : str or iterable of str, optional
        Default: the seven values of `REALWORLD_SITES`, as changed by `placements`.
    quantities : str or iterable of str, default=("acc",)
        "acc", "gyr", "mag"; None for all that are there.
    timing : {"stamps", "start"}, default="stamps"
        "stamps": by the stamp of every sample (see Notes). "start": the published experiments' way; no stamp is used,
        all positions of a session are taken to start together at 50 Hz, and cut to the shortest.
    placements : mapping of str to str, optional
        Other sites for some positions: ``{"forearm": "right_forearm"}``. On which side the devices of arm and leg sat
        is not known; `REALWORLD_SITES` assumes the left.
    errors : {"raise", "warn"}, default="raise"
        Whether a damaged archive ends the loading or is left out with a warning.
    cache : bool, default=True
        Keep what was read, keyed by the content of the archives; False leaves no trace.
    n_jobs : int, optional
        Threads, as joblib counts them.

    Returns
    -------
    RecordingSet
        By subject, activity, quantity, session and position: channels ``<site>_<quantity>_x`` to ``_z`` in m/s2, rad/s
        or uT, the activity as label and as session, ``climbingup_2`` for a second part. `attrs`: file, position,
        timing, with stamps also clock ("regular" or "resampled") and start_unix_s, where the session's clock is zero.

    Raises
    ------
    FileNotFoundError
        If `data_home` does not exist.
    DataFormatError
        If it is another folder, or an archive or table is damaged; the message names archive, member and line.
    UnknownNameError
        For a subject, task, site, quantity, timing or position that there is not.

    Warns
    -----
    DataWarning
        Names positions that an archive lacks, activities that a subject lacks but others have, tables whose length is
        not the one in the readMe, stamps that are not in order, files that are not known, and what `errors` left out.

    Notes
    -----
    With ``timing="stamps"`` the clock of a session starts at the earliest first stamp of its accelerometers. Rows are
    sorted by their stamps; of rows with the same stamp the first stays. Stamps of a constant rate, up to their
    rounding to milliseconds, give a recording at its true rate, with NaN for each sample that was lost. Others are
    brought to 50 Hz by linear interpolation, with NaN where more than 0.1 s is missing.
    """
    if timing not in _BY_TIMING:
        raise UnknownNameError(f"timing must be 'stamps' or 'start', not {timing!r}.")
    dataset, site_of = _BY_TIMING[timing], _resolve_sites(placements)
    asked = None if subjects is None else as_names(subjects)
    wanted = list(PREFIXES) if quantities is None else as_names(quantities)
    recordings = dataset.load(
        data_home,
        subjects=asked,
        task=task,
        sites=sites,
        quantities=wanted,
        errors=errors,
        cache=cache,
        n_jobs=n_jobs,
        keep=lambda part: parse_archive_name(part.files[0]).quantity in wanted,
        change=None if site_of == REALWORLD_SITES else lambda recording: _moved(recording, site_of),
        known_sites=site_of.values(),
    )
    home = dataset.find_home(data_home)
    for note in _activities_missing(dataset.find_parts(home), asked, wanted):
        warnings.warn(f"{home}: {note}", DataWarning, stacklevel=2)
    return recordings


def fetch_realworld(data_home: str | os.PathLike, *, accept_terms: bool = False, verbose: int = 1) -> Path:
    """Download the data set (without its videos) and unpack it; the archives inside stay packed.

    Parameters
    ----------
    data_home : path-like
        Folder for the archive and the data set; made if it is not there.
    accept_terms : bool, default=False
        State that you accept the terms: we know of no licence; for research.
    verbose : int, default=1
        0 for no progress bar.

    Returns
    -------
    Path
        The home for `load_realworld`.

    Raises
    ------
    TermsError
        If the terms are not accepted; it shows them.
    DownloadError
        If the archive cannot be had, or is another one than before.
    """
    return fetch_dataset(REALWORLD, data_home, accept_terms=accept_terms, verbose=verbose)


class _Stream(NamedTuple):
    """Samples on a uniform clock."""

    data: np.ndarray
    rate_hz: float
    start_s: float
    attrs: dict[str, object]


def _recording(table: Table, name: ArchiveName, stream: _Stream) -> Recording:
    session, position = table.member.session, table.member.position
    stream.data.flags.writeable = False
    return Recording(
        stream.data,
        stream.rate_hz,
        channel_names([REALWORLD_SITES[position]], (name.quantity,)),
        start_s=stream.start_s,
        subject=name.subject,
        session=name.activity if session == 1 else f"{name.activity}_{session}",
        labels=name.activity,
        dataset=REALWORLD.name,
        attrs={"file": table.member.file, "position": position, **stream.attrs},
    )


def _from_start(tables: list[Table], name: ArchiveName) -> list[Recording]:
    """All positions of a session start together and end with the shortest one."""
    lengths = defaultdict(list)
    for table in tables:
        lengths[table.member.session].append(len(table.values))
    return [
        _recording(
            table,
            name,
            _Stream(table.values[: min(lengths[table.member.session])], _RATE_HZ, 0.0, {"timing": "start"}),
        )
        for table in tables
    ]


def _on_its_clock(table: Table, zero_ms: float) -> tuple[_Stream, list[str]]:
    """Bring a table to a uniform rate by its stamps; `zero_ms` is where the session's clock is zero."""
    first_ms = float(table.stamps_ms[0])
    with np.errstate(over="ignore"):
        stamps = np.round((table.stamps_ms - first_ms) / 1000, 6)
        span = np.ptp(stamps)
    if not span <= _LONGEST_SESSION_S:
        raise DataFormatError(
            f"{table.member.where}: the stamps span {span / 3600:.3g} hours, so that some are damaged; "
            "timing='start' needs none."
        )
    stamps, values, problems = _in_order(table, stamps)
    data, rate_hz, offset_s, clock = _uniform(stamps, values)
    # Never minus zero, which a table would show.
    start_s = round((first_ms - zero_ms) / 1000 + offset_s, 9) + 0.0
    attrs = {"timing": "stamps", "clock": clock, "start_unix_s": zero_ms / 1000}
    return _Stream(data, rate_hz, start_s, attrs), problems


def _in_order(table: Table, stamps: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Sort rows by their stamps; of rows with one stamp the first stays."""
    steps, values, problems = np.diff(stamps), table.values, []
    backwards = int((steps < 0).sum())
    if backwards:
        order = np.argsort(stamps, kind="stable")
        stamps, values = stamps[order], values[order]
        steps = np.diff(stamps)
        problems.append(f"{table.member.file}: stamps go back at {backwards} places; the rows were sorted by them.")
    repeated = int((steps == 0).sum())
    if repeated:
        fresh = np.concatenate([[True], steps > 0])
        stamps, values = stamps[fresh], values[fresh]
        problems.append(f"{table.member.file}: {repeated} rows have the stamp of the row before and were left out.")
    return stamps, values, problems


def _uniform(stamps: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, float, float, str]:
    """Samples on a uniform clock, their rate, the time of the first one, and how it was done."""
    if len(stamps) < 2:
        return values, _RATE_HZ, float(stamps[0]), "regular"
    rate_hz = typical_rate(stamps)
    fit = None if _is_uneven(stamps, 1 / rate_hz) else regularize_timestamps(stamps, _TICK_S)
    if fit is None or not fit.regular:
        data = _interpolate(stamps, values, 1 / rate_hz) if rate_hz < _FAST_HZ else _resample(stamps, values)
        return data, _RATE_HZ, float(stamps[0]), "resampled"
    start, rate_hz = float(fit.timestamps_s[0]), round(fit.rate_hz, 6)
    index = np.round((fit.timestamps_s - start) * fit.rate_hz).astype(np.int64)
    if index[-1] == len(index) - 1:
        return values, rate_hz, start, "regular"
    data = np.full((index[-1] + 1, values.shape[1]), np.nan, dtype=np.float32)
    data[index] = values
    return data, rate_hz, start, "regular"


def _is_uneven(stamps: np.ndarray, period_s: float) -> bool:
    """Whether steps differ so much that `regularize_timestamps` need not be asked: it allows two ticks."""
    steps = np.diff(stamps)
    return bool((np.abs(steps[steps < 1.5 * period_s] - period_s) > 3 * _TICK_S).any())


def _interpolate(stamps: np.ndarray, values: np.ndarray, period_s: float) -> np.ndarray:
    """As `har_virtual.signal.resample` of order 1 without a low-pass, but many times as fast.

    Linear, because stamps of late deliveries are so close together that a smooth curve would overshoot.
    """
    times = stamps[0] + np.arange(int((stamps[-1] - stamps[0]) * _RATE_HZ + 1e-4) + 1) / _RATE_HZ
    times = np.minimum(times, stamps[-1])
    data = np.full((len(times), values.shape[1]), np.nan, dtype=np.float32)
    missing = np.isnan(values)
    if missing.any():
        known = ~missing.any(axis=1)
        stamps, values = stamps[known], values[known]
    if not len(stamps):
        return data
    for channel, column in enumerate(values.T):
        data[:, channel] = np.interp(times, stamps, column, left=np.nan, right=np.nan)
    for hole in np.flatnonzero(np.diff(stamps) > _MAX_GAP_S + period_s):
        first, stop = np.searchsorted(times, [stamps[hole] + _SAME_S, stamps[hole + 1] - _SAME_S])
        data[first:stop] = np.nan
    return data


def _resample(stamps: np.ndarray, values: np.ndarray) -> np.ndarray:
    return resample(values, stamps, _RATE_HZ, order=1, max_gap_s=_MAX_GAP_S)[1].astype(np.float32)


def _resolve_sites(placements: Mapping[str, str] | None) -> dict[str, str]:
    given = dict(placements or {})
    check_known("RealWorld: position", given or None, POSITIONS)
    site_of = REALWORLD_SITES | given
    if len(set(site_of.values())) < len(site_of):
        raise DataFormatError(f"placements must give each position a site of its own, not {site_of}.")
    return site_of


def _moved(recording: Recording, site_of: Mapping[str, str]) -> Recording:
    quantity = recording.channels[0].split("_")[-2]
    channels = channel_names([site_of[recording.attrs["position"]]], (quantity,))
    return recording if channels == recording.channels else recording.replace(channels=channels)


def _activities_missing(parts: list[Part], subjects: list[str] | None, quantities: list[str]) -> Iterator[str]:
    """What a subject lacks but another one here has."""
    there = {parse_archive_name(part.files[0]) for part in parts}
    for subject in dict.fromkeys(part.subject for part in parts):
        others = {name._replace(subject=subject) for name in there if name.quantity in quantities}
        missing = ", ".join(f"{name.quantity}_{name.activity}_csv.zip" for name in sorted(others - there))
        if missing and (subjects is None or subject in subjects):
            yield f"proband{subject}/data has no {missing}, which others here have: subject {subject} lacks these."
