"""RealWorld (HAR): seven phones and watches on 15 people, 8 activities (Sztyler and Stuckenschmidt, 2016)."""

from __future__ import annotations

import os
import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from har_virtual.datasets.base import DataSet, Errors, Names, Part, Reading, Subjects, as_names, check_known
from har_virtual.datasets.fetch import Source, fetch_dataset
from har_virtual.datasets.realworld.archives import (
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
from har_virtual.datasets.realworld.clock import RATE_HZ, Stream, on_its_clock
from har_virtual.exceptions import DataFormatError, DataWarning, UnknownNameError
from har_virtual.imu.sites import SITES
from har_virtual.imu.streams import channel_names
from har_virtual.recording import Recording, RecordingSet

REALWORLD_SITES: Mapping[str, str] = MappingProxyType(
    {
        "chest": "chest",
        "forearm": "left_forearm",
        "head": "head",
        "shin": "left_shin",
        "thigh": "left_thigh",
        "upperarm": "left_upper_arm",
        "waist": "waist",
    }
)
"""From the data set's positions to sites, read-only. On which side of the body the devices of arm and leg sat is not
known; left is an assumption, and `placements` of `load_realworld` change it."""

_PACKED = "realworld2016_dataset.zip"


class _RealWorld(DataSet):
    name = "realworld"
    title = "RealWorld"
    example = "proband1/data/acc_walking_csv.zip"
    folders = ("realworld2016_dataset", "realworld2016", "realworld")
    version = 2
    subjects = tuple(str(number) for number in range(1, 16))
    sites = tuple(REALWORLD_SITES.values())
    sampling_rate_hz = RATE_HZ
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
        for clock in part.files[1:]:
            found, problem = _clock_of(home, clock, file)
            zeros_ms |= found
            notes += problem
        streams = []
        for table in tables:
            stream, problems = on_its_clock(table, zeros_ms[table.member.session])
            streams.append(stream)
            notes += problems
        notes += _apart_in_time(file, tables, streams)
        return Reading([_recording(*each, name) for each in zip(tables, streams, strict=True)], notes)


class _Once(_RealWorld):
    """Looks at each folder once: for one call of the loader."""

    def __init__(self, timing: str) -> None:
        super().__init__(timing)
        self.seen: dict[Path, list[Part]] = {}

    def find_parts(self, home: Path) -> list[Part]:
        if home not in self.seen:
            self.seen[home] = super().find_parts(home)
        return self.seen[home]


REALWORLD = _RealWorld("stamps")
_TIMINGS = ("stamps", "start")


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
        "stamps": by the stamp of every sample (see Notes). "start": as published loaders do; no stamp is used,
        all positions of a session are taken to start together at 50 Hz, and cut to the shortest.
    placements : mapping of str to str, optional
        Other sites, of `har_virtual.imu.SITES`, for some positions: ``{"forearm": "right_forearm"}``. On which side the
        devices of arm and leg sat is not known; `REALWORLD_SITES` assumes the left.
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
        If it is another folder, or an archive or table is damaged, or stamps are those of no device; the message names
        archive, member and line.
    UnknownNameError
        For a subject, task, site, quantity, timing or position that there is not, or another site in `placements`.

    Warns
    -----
    DataWarning
        Names positions that an archive lacks, activities that a subject lacks but others have, tables whose length is
        not the one in the readMe, stamps that are not in order, come in bunches or at another rate, or leave more than
        a fifth of a table NaN, sessions whose devices were never all on at once, archives whose accelerometers cannot
        be read for the session's clock, files that are not known, and what `errors` left out.

    Notes
    -----
    With ``timing="stamps"`` the clock of a session starts at the earliest first stamp of its accelerometers; where
    these are damaged, at the earliest of the other sensor's own. Rows are sorted by their stamps; of rows with the same
    stamp the first stays. Stamps of a constant rate between 20 and 125 Hz, up to their rounding to milliseconds, give a
    recording at its true rate, with NaN for each sample that was lost. Bunched ones (the mean rate is 33 to 75 Hz, but
    more than a quarter of the steps are about half the mean one or less) are times of arrival: all rows are kept, and
    put at the even times at which they were taken. What is uneven or of another rate is brought to 50 Hz by linear
    interpolation, with NaN where more than 0.1 s is missing. A mean rate below 2.5 or above 1000 Hz is damage.
    """
    if timing not in _TIMINGS:
        raise UnknownNameError(f"timing must be 'stamps' or 'start', not {timing!r}.")
    dataset, site_of = _Once(timing), _resolve_sites(placements)
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
        change=lambda recording: _moved(recording, site_of),
        known_sites=site_of.values(),
    )
    home, parts = next((home, parts) for home, parts in dataset.seen.items() if parts)
    for note in _activities_missing(parts, asked, wanted):
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


def _recording(table: Table, stream: Stream, name: ArchiveName) -> Recording:
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
            Stream(table.values[: min(lengths[table.member.session])], RATE_HZ, 0.0, {"timing": "start"}),
            name,
        )
        for table in tables
    ]


def _clock_of(home: Path, clock: str, file: str) -> tuple[dict[int, float], list[str]]:
    """Where the accelerometers say that sessions start; nothing where they are damaged, which `file` need not be."""
    try:
        return first_stamps_ms(home, clock), []
    except (DataFormatError, OSError) as error:
        problem = f"{clock} cannot be read, so the clock of {file} starts with its own first device."
        return {}, [f"{problem} {str(error).rstrip('.')}."]


def _apart_in_time(file: str, tables: list[Table], streams: list[Stream]) -> list[str]:
    """Sessions whose devices were never on at once: a phone's clock may be off by hours."""
    notes: list[str] = []
    sessions: dict[int, dict[str, Stream]] = defaultdict(dict)
    for table, stream in zip(tables, streams, strict=True):
        sessions[table.member.session][table.member.position] = stream
    for session, devices in sessions.items():
        if max(each.start_s for each in devices.values()) < min(each.stop_s for each in devices.values()):
            continue
        odd = [position for position, device in devices.items() if _is_alone(device, list(devices.values()))]
        starts = ", ".join(f"{position} {devices[position].start_s:.6g} s" for position in odd or devices)
        notes.append(
            f"{file}: by their stamps, the devices of session {session} were never all on at once (starts that stand "
            f"apart: {starts}). A clock may be wrong: leave its site out, or pass timing='start', which takes all to "
            "start together."
        )
    return notes


def _is_alone(device: Stream, devices: list[Stream]) -> bool:
    """Whether a device was on together with less than half of the devices, itself included."""
    together = sum(device.start_s < other.stop_s and other.start_s < device.stop_s for other in devices)
    return 2 * together < len(devices)


def _resolve_sites(placements: Mapping[str, str] | None) -> dict[str, str]:
    given = dict(placements or {})
    check_known("RealWorld: position", given or None, POSITIONS)
    check_known("RealWorld: site in placements", given.values() or None, SITES)
    site_of = {**REALWORLD_SITES, **given}
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
