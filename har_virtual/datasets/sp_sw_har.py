"""Phone in the pocket and watch on the wrist: 5 activities, 23 subjects (Matey-Sanz, Casteleyn and Granell, 2023)."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from har_virtual.datasets._arrival import sampling_times
from har_virtual.datasets._text import TextFormat, read_text
from har_virtual.datasets.base import Damage, DataSet, Errors, Names, Part, Reading, Subjects, as_names
from har_virtual.datasets.fetch import Source, fetch_dataset
from har_virtual.datasets.labels import names_by_id
from har_virtual.exceptions import DataFormatError
from har_virtual.imu.streams import channel_names
from har_virtual.recording import Recording, RecordingSet
from har_virtual.signal import resample

_NAME = "sp_sw_har"
_RATE_HZ, _MAX_GAP_S = 100.0, 0.1
_SITES = {"sp": "left_thigh", "sw": "left_wrist"}
_FILE = re.compile(r"(s\d\d)_(\d\d)_(sp|sw)\.csv")
_VALUES = tuple(f"{axis}_{quantity}" for quantity in ("acc", "gyro") for axis in "xyz")
_LAYOUT = TextFormat((*_VALUES, "timestamp", "label"))
_EXECUTIONS, _SUBJECTS = "executions_info.csv", "subjects_info.csv"
_PERSON = ("age", "gender", "height", "weight", "dominant_hand")
_TABLES = {
    _EXECUTIONS: ("execution_id", "orientation", "first_turn", "second_turn"),
    _SUBJECTS: ("subject_id", *_PERSON, "executions"),
}
_SIDES = {"l": "left", "r": "right"}
# Half a turn about one of the phone's axes, or none, makes the screen face forwards and its top point upwards.
_TO_FRONT = {"front": (1, 1, 1), "back": (-1, 1, -1), "front_inv": (-1, -1, 1), "back_inv": (1, -1, -1)}
# No phone measures more than 32 g or 2,000 deg/s.
_ABSURD = 1e3
_N_EXECUTIONS = (6, 9, 10, 10, 10, 10, 11, 9, *(10,) * 13, 9, 9)


class _SpSwHar(DataSet):
    name = _NAME
    title = "the phone-and-watch data set (sp-sw-har)"
    example = "s01/s01_01_sp.csv"
    folders = (_NAME, "DATA")
    subjects = tuple(f"s{number:02d}" for number in range(1, 24))
    sites = tuple(_SITES.values())
    sampling_rate_hz = _RATE_HZ
    quantities = ("acc", "gyr")
    source = Source(
        url="https://zenodo.org/records/8398688/files/GeoTecINIT/sp-sw-har-dataset-v1.0.0-r1.zip",
        file_name="sp-sw-har-dataset-v1.0.0-r1.zip",
        size_bytes=None,
        sha256=None,
        licence="Creative Commons Attribution 4.0 International (CC BY 4.0)",
        page="https://doi.org/10.5281/zenodo.8398688",
    )

    def find_parts(self, home: Path) -> list[Part]:
        devices: dict[tuple[str, str], list[str]] = {}
        for path in sorted(home.glob("s[0-9][0-9]/*.csv")):
            match = _FILE.fullmatch(path.name)
            if match and match[1] == path.parent.name:
                devices.setdefault((match[1], match[2]), []).append(f"{match[1]}/{path.name}")
        tables = [name for name in _TABLES if (home / name).is_file()]
        return [Part(subject, session, (*files, *tables)) for (subject, session), files in devices.items()]

    def published(self) -> list[str]:
        executions = {subject: range(1, count + 1) for subject, count in zip(self.subjects, _N_EXECUTIONS, strict=True)}
        streams = [f"{s}/{s}_{e:02d}_{d}.csv" for s, numbers in executions.items() for e in numbers for d in _SITES]
        return [*_TABLES, *streams]

    def read(self, home: Path, part: Part) -> Reading:
        files = {Path(file).stem[-2:]: file for file in part.files if file not in _TABLES}
        streams, damaged = {}, []
        for device, file in files.items():
            try:
                streams[device] = _read_stream(home / file)
            except DataFormatError as error:
                damaged.append(Damage(file, _SITES[device], str(error)))
        if not streams:
            raise DataFormatError(" ".join(each.why for each in damaged))
        start_unix_s = min(np.floor(stream.times_s[0] * _RATE_HZ) / _RATE_HZ for stream in streams.values())
        known = _execution(home, part) | _person(home, part) | {"start_unix_s": start_unix_s}
        recordings = [
            _recording(stream, part, _SITES[device], known | {"file": files[device]})
            for device, stream in streams.items()
        ]
        notes = [f"{files[device]} {doubt}." for device, stream in streams.items() if (doubt := _doubt(stream))]
        notes += [
            f"{part.subject}_{part.session} has no file of the device at {site} ({device})."
            for device, site in _SITES.items()
            if device not in files
        ]
        return Reading(recordings, notes, tuple(damaged))


SP_SW_HAR = _SpSwHar()


def load_sp_sw_har(
    data_home: str | os.PathLike,
    *,
    subjects: Subjects = None,
    task: str = "all",
    sites: Names = None,
    quantities: Names = None,
    align_phone: bool = True,
    errors: Errors = "raise",
    cache: bool = True,
    n_jobs: int | None = None,
) -> RecordingSet:
    """Load the phone-and-watch data set: a phone in the left trouser pocket, a watch on the left wrist.

    Every execution is the same sequence: seated, standing up, walking, turning, walking back, turning, sitting down.

    Parameters
    ----------
    data_home : path-like
        The folder that holds ``s01/`` to ``s23/`` and the two tables, or one that holds it as ``DATA/`` or
        ``sp_sw_har/``.
    subjects : iterable of str or int, optional
        "s01" to "s23", or their numbers; default: all that are there.
    task : {"all"}, default="all"
        seated, standing_up, walking, turning, sitting_down.
    sites : iterable of str, optional
        "left_thigh" (the phone), "left_wrist" (the watch); default: both.
    quantities : iterable of str, optional
        "acc", "gyr"; default: both.
    align_phone : bool, default=True
        Turn the phone's axes, by half a turn about one of them, to those of a phone that stands upright in the pocket
        with its screen to the front: x to the wearer's left, y up along the thigh, z forwards. False leaves them as
        the phone was put in (``attrs["orientation"]``), which differs between subjects and executions.
    errors : {"raise", "warn"}, default="raise"
        Whether a damaged file is an error, or its execution is left out with a warning.
    cache : bool, default=True
        Keep what was read in the cache directory.
    n_jobs : int, optional
        Threads, as joblib counts them.

    Returns
    -------
    RecordingSet
        One recording a device and execution, by subject and execution, the phone first, at 100 Hz: channels
        ``left_thigh_acc_x`` to ``left_thigh_gyr_z`` or ``left_wrist_...`` in m/s2 and rad/s, a label a sample. Both of
        an execution have one clock, on the same hundredths of a second (`har_virtual.windows.join_sessions` joins
        them). `attrs` hold file, start_unix_s (of the session's clock), source_rate_hz, latest_arrival_s, orientation,
        first_turn and second_turn ("left", "right"), age, gender, height (cm), weight (kg) and dominant_hand.

    Raises
    ------
    FileNotFoundError
        If `data_home` does not exist.
    DataFormatError
        If it is another folder or a file is damaged, with its line; or the phone is to be aligned and
        ``executions_info.csv`` is missing.
    UnknownNameError
        If there is no such subject, task, site or quantity.

    Warns
    -----
    DataWarning
        Names the executions of which one device is missing, or which end before sitting down.

    Notes
    -----
    The files' stamps are times of arrival: samples that were taken at an even rate arrive late and in bunches. Here the
    samples keep their even rate, on the latest line that none of them arrives before. No sample of subjects 1 to 8 is
    missing; where 100 ms or more are, they stay NaN.
    """
    if subjects is not None:
        subjects = [f"s{int(name):02d}" if name.isdecimal() else name for name in as_names(subjects)]
    return SP_SW_HAR.load(
        data_home,
        subjects=subjects,
        task=task,
        sites=sites,
        quantities=quantities,
        errors=errors,
        cache=cache,
        n_jobs=n_jobs,
        change=_align if align_phone else None,
    )


def fetch_sp_sw_har(data_home: str | os.PathLike, *, accept_terms: bool = False, verbose: int = 1) -> Path:
    """Download the data set from Zenodo and unpack it, or check what is there.

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
        The home for `load_sp_sw_har`.

    Raises
    ------
    TermsError
        If the terms are not accepted; it shows them.
    DownloadError
        If the archive cannot be had, or is not the one of the first download.
    """
    return fetch_dataset(SP_SW_HAR, data_home, accept_terms=accept_terms, verbose=verbose)


class _Stream(NamedTuple):
    """A file: values (n_samples, 6), when they were taken, and the latest arrival of one after that."""

    values: np.ndarray
    times_s: np.ndarray
    labels: np.ndarray
    latest_s: float


def _read_stream(path: Path) -> _Stream:
    values, exact, texts = read_text(path, _LAYOUT, numbers=_VALUES, exact=["timestamp"], texts=["label"])
    known = {name.upper(): name for name in names_by_id(_NAME, "activity").values()}
    unknown = np.flatnonzero([label not in known for label in texts["label"]])
    if len(unknown):
        at = unknown[0]
        raise DataFormatError(
            f"{path}, line {at + 2}: there is no label {texts['label'][at]!r}; there is {', '.join(known)}."
        )
    absurd = np.flatnonzero((np.abs(values) > _ABSURD).any(axis=1))
    if len(absurd):
        raise DataFormatError(f"{path}, line {absurd[0] + 2}: no sensor reads over {_ABSURD:g}; the file is damaged.")
    arrivals_s = exact["timestamp"] / 1000
    times_s = sampling_times(arrivals_s, _RATE_HZ, max_gap_s=_MAX_GAP_S, where=str(path))
    labels = np.array([known[label] for label in texts["label"]], dtype=object)
    return _Stream(values, times_s, labels, float((arrivals_s - times_s).max()))


def _recording(stream: _Stream, part: Part, site: str, attrs: dict[str, Any]) -> Recording:
    """Put a stream on hundredths of a second of the session's clock."""
    times_s = stream.times_s - attrs["start_unix_s"]
    # The grids of both devices meet, which they do not where each starts with its first sample.
    start_s = np.ceil(times_s[0] * _RATE_HZ) / _RATE_HZ
    grid_s, values = resample(stream.values, times_s, _RATE_HZ, start_s=start_s, max_gap_s=_MAX_GAP_S)
    after = np.clip(np.searchsorted(times_s, grid_s), 1, len(times_s) - 1)
    nearest = after - (grid_s - times_s[after - 1] <= times_s[after] - grid_s)
    labels = stream.labels[nearest]
    labels[np.abs(times_s[nearest] - grid_s) > _MAX_GAP_S / 2] = None
    timing = {
        "source_rate_hz": round(float(1 / np.median(np.diff(times_s))), 3),
        "latest_arrival_s": round(stream.latest_s, 3),
    }
    return Recording(
        values,
        _RATE_HZ,
        channel_names([site], ("acc", "gyr")),
        start_s=start_s,
        subject=part.subject,
        session=part.session,
        labels=labels,
        dataset=_NAME,
        attrs=attrs | timing,
    )


def _doubt(stream: _Stream) -> str | None:
    if stream.labels[-1] in ("sitting_down", "seated"):
        return None
    return f"ends while {stream.labels[-1]}, not with sitting down as every published execution; it may be cut short"


def _execution(home: Path, part: Part) -> dict[str, Any]:
    row = _row_of(home, part, _EXECUTIONS, f"{part.subject}_{part.session}")
    if not row:
        return {}
    turns = {turn: _SIDES.get(row[turn]) for turn in ("first_turn", "second_turn")}
    if row["orientation"] not in _TO_FRONT or None in turns.values():
        raise DataFormatError(
            f"{home / _EXECUTIONS}: {list(row.values())} must hold an orientation ({', '.join(_TO_FRONT)}) and two "
            "turns (l or r)."
        )
    return {"orientation": row["orientation"], **turns}


def _person(home: Path, part: Part) -> dict[str, Any]:
    row = _row_of(home, part, _SUBJECTS, part.subject)
    return {name: int(row[name]) if row[name].isdecimal() else row[name] for name in _PERSON} if row else {}


def _row_of(home: Path, part: Part, file: str, identifier: str) -> dict[str, str]:
    """One row of a table, by its first column; nothing where the table is not there."""
    if file not in part.files:
        return {}
    columns, lines = _TABLES[file], (home / file).read_text(encoding="utf-8-sig", errors="replace").splitlines()
    if lines[:1] != [",".join(columns)]:
        raise DataFormatError(f"{home / file}, line 1: the columns must be {','.join(columns)}; get it anew.")
    for number, fields in enumerate((line.split(",") for line in lines[1:]), start=2):
        # A damaged row is nothing to the executions of other rows.
        if fields[0] != identifier:
            continue
        if len(fields) != len(columns):
            raise DataFormatError(
                f"{home / file}, line {number}: {len(fields)} fields where {len(columns)} are needed."
            )
        return dict(zip(columns, fields, strict=True))
    raise DataFormatError(f"{home / file} has no row {identifier}, which {part.files[0]} needs; get it anew.")


def _align(recording: Recording) -> Recording:
    if recording.channels[0].startswith(_SITES["sw"]):
        return recording
    if "orientation" not in recording.attrs:
        raise DataFormatError(
            f"{recording.attrs['file']} has no {_EXECUTIONS} above it, which says how the phone lay in the pocket. "
            "Put it there, or pass align_phone=False."
        )
    signs = np.array(_TO_FRONT[recording.attrs["orientation"]] * 2, dtype=np.float32)
    return recording.replace(data=recording.data * signs)
