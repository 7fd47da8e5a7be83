"""Somebody's own CSV or Parquet files as recordings."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from har_virtual.datasets.base import Damage, DataSet, Errors, Names, Part, Reading, Subjects
from har_virtual.datasets.folder.clock import Stream, read_stamps, to_grid
from har_virtual.datasets.folder.layout import FolderLayout, label_text, sites_of
from har_virtual.datasets.folder.pattern import files_below, in_order
from har_virtual.datasets.folder.tables import Table, read_names, read_table
from har_virtual.exceptions import DataFormatError, DataWarning
from har_virtual.imu import SITES
from har_virtual.recording import Recording, RecordingSet, channel_site
from har_virtual.recording.doubts import find_doubts
from har_virtual.recording.units import unit_scale

# Stamps after 1973 are Unix times: no clock that starts anew with a session shows so many seconds.
_UNIX_S = 1e8
_MAX_NAMED, _MAX_SEEN = 6, 1000
# A letter or two: 'left_arm' is another site than 'left_forearm'.
_ALIKE = 0.85


def load_folder(
    root: str | os.PathLike,
    pattern: str,
    columns: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
    *,
    sampling_rate_hz: float | None = None,
    time: str | None = None,
    time_unit: str = "s",
    max_gap_s: float = 0.1,
    label: str | None = None,
    label_names: Mapping[Any, str | None] | None = None,
    site_names: Mapping[str, str] | None = None,
    subject: str | None = None,
    separator: str = ",",
    decimal: str = ".",
    names: Sequence[str] | None = None,
    dataset: str = "folder",
    subjects: Subjects = None,
    task: str = "all",
    sites: Names = None,
    quantities: Names = None,
    errors: Errors = "raise",
    cache: bool = True,
    n_jobs: int | None = None,
) -> RecordingSet:
    """Load a folder of CSV or Parquet files.

    Parameters
    ----------
    root : path-like
        The folder.
    pattern : str
        Paths of the files below it, such as ``"{subject}/{session}_{site}.csv"``, with forward slashes. {subject},
        {site} and {activity} are what they say; all other fields, such as {session} or {trial}, and {activity} make up
        the session. ``*`` stands for anything within a name, ``**/`` for any folders. Files that end in .parquet or .pq
        are Parquet, all others text.
    columns : mapping of str to str, optional
        From columns of the files to channels ``<site>_<acc|gyr|mag>_<x|y|z>``, in which ``{site}`` is the one of the
        path. Default: all columns that are named like channels, or like ``acc_x`` where the pattern has {site}.
    units : mapping of str to str
        Unit of each quantity in the files: acc "m/s2", "g" or "mg"; gyr "rad/s" or "deg/s"; mag "uT", "mG" or "G".
    sampling_rate_hz : float, optional
        Without `time`, the rate of the rows; with it, the rate to which they are brought. Default: the one that each
        file's stamps tell, a whole number if one is within 0.1 % (1 % of uneven stamps).
    time : str, optional
        Column of stamps, which do not run backwards. They may be uneven.
    time_unit : {"s", "ms", "us", "ns", "datetime"} or str, default="s"
        Of numbers; "datetime" for ISO 8601 in text, or a format such as ``"%d.%m.%Y %H:%M:%S.%f"``. Dates without an
        offset count as UTC. Parquet's own timestamps need none.
    max_gap_s : float, default=0.1
        With `time`: holes up to this length are bridged, longer ones stay NaN.
    label : str, optional
        Column of labels, one a row; an empty field is no label.
    label_names : mapping of str to str or None, optional
        From the labels of the files, or from {activity}, to yours; None marks what is no class. A label that it lacks
        is an error. Default: labels as they are.
    site_names : mapping of str to str, optional
        From {site} as the paths have it to sites, such as those of `har_virtual.imu.SITES`. Default: as they are.
    subject : str, optional
        Who it is, where the pattern has no {subject}.
    separator : str, default=","
        One character between two fields of a line of text.
    decimal : {".", ","}, default="."
        What stands before the decimals of the numbers of text; a comma goes with another separator.
    names : sequence of str, optional
        Names of all columns, in order, of text without a header line.
    dataset : str, default="folder"
        What the recordings' `dataset` is, and so the first part of their groups.
    subjects, sites, quantities : iterable of str, optional
        Which to load; default: all that are there.
    task : {"all"}, default="all"
        All classes.
    errors : {"raise", "warn"}, default="raise"
        Whether a damaged file is an error, or is left out with a warning.
    cache : bool, default=True
        Keep what was read in the cache directory.
    n_jobs : int, optional
        Threads, as joblib counts them.

    Returns
    -------
    RecordingSet
        One recording a file, by subject and session, in m/s2, rad/s and uT; labels one a sample, or one for all where
        {activity} tells. The devices of a session have one clock: the stamps', counted from the session's first one
        (``attrs["start_unix_s"]``) if they are Unix times or dates; without `time` each starts at 0. `attrs` hold file,
        source_rate_hz and the fields of the path.

    Raises
    ------
    FileNotFoundError
        If `root` is no folder.
    DataFormatError
        Before any file is read: if no file matches, a unit is unknown or missing, a channel's name is none, or what is
        stated does not fit together. Of a file, with its line: if a column is missing, a number is none, time runs
        backwards or is missing, it is empty, its label or site has no name, or another one has the same subject,
        session and site.
    UnknownNameError
        If there is no such subject, task, site or quantity.

    Warns
    -----
    DataWarning
        Names files whose readings look as if they were in other units; whose stamps repeat, over a fifth of them, or
        are those of a lower rate than was asked for, or of arrival; of whose samples more than a tenth are in holes; or
        that lack channels which other files of the site have; sessions of which some files have Unix times and others
        have not; and sites that are almost those of `har_virtual.imu.SITES`.

    See Also
    --------
    FolderDataSet : The same as a data set, for `survey_dataset`.

    Notes
    -----
    Uneven stamps are taken at their word, and the rows between them interpolated linearly; even ones that were rounded
    are made even first, and rows that come in bunches are spread between them. Whether the clocks of two devices agree
    is not looked at; `har_virtual.datasets.estimate_lag` measures it.
    """
    folder = FolderDataSet(
        pattern,
        columns,
        units,
        sampling_rate_hz=sampling_rate_hz,
        time=time,
        time_unit=time_unit,
        max_gap_s=max_gap_s,
        label=label,
        label_names=label_names,
        site_names=site_names,
        subject=subject,
        separator=separator,
        decimal=decimal,
        names=names,
        dataset=dataset,
    )
    recordings = folder.load(
        root,
        subjects=subjects,
        task=task,
        sites=sites,
        quantities=quantities,
        errors=errors,
        cache=cache,
        n_jobs=n_jobs,
        known_sites=None if sites is None else folder.find_sites(root),
    )
    for doubt in folder.find_lacks(recordings):
        warnings.warn(doubt, DataWarning, stacklevel=2)
    return recordings


class FolderDataSet(DataSet):
    """A folder of somebody's own files as a data set, such as `survey_dataset` takes.

    Parameters
    ----------
    pattern, columns, units, sampling_rate_hz, time, time_unit, max_gap_s, label, label_names, site_names, subject, \
separator, decimal, names, dataset
        As `load_folder` takes them.

    Raises
    ------
    DataFormatError
        If a unit is unknown or missing, a channel's name is none, or what is stated does not fit together.
    """

    title = "the folder's files"
    subjects = ()
    # The readings are in the units that were stated; what is odd is said with what to state instead.
    checks_units = False

    def __init__(
        self,
        pattern: str,
        columns: Mapping[str, str] | None = None,
        units: Mapping[str, str] | None = None,
        *,
        sampling_rate_hz: float | None = None,
        time: str | None = None,
        time_unit: str = "s",
        max_gap_s: float = 0.1,
        label: str | None = None,
        label_names: Mapping[Any, str | None] | None = None,
        site_names: Mapping[str, str] | None = None,
        subject: str | None = None,
        separator: str = ",",
        decimal: str = ".",
        names: Sequence[str] | None = None,
        dataset: str = "folder",
    ) -> None:
        self._layout = FolderLayout(
            pattern=pattern,
            columns=None if columns is None else dict(columns),
            units=dict(units or {}),
            sampling_rate_hz=sampling_rate_hz,
            time=time,
            time_unit=time_unit,
            max_gap_s=max_gap_s,
            label=label,
            label_names=None if label_names is None else {str(label_text(k)): v for k, v in label_names.items()},
            site_names=None if site_names is None else dict(site_names),
            subject=subject,
            separator=separator,
            decimal=decimal,
            names=None if names is None else tuple(names),
            dataset=dataset,
        )
        # Of other data sets these are known before anybody states anything.
        self.name, self.example = dataset, pattern  # type: ignore[misc]
        self.quantities, self.labelled = self._layout.quantities, self._layout.has_labels  # type: ignore[misc]
        self.sites = tuple(sites_of(self._layout.columns.values() if self._layout.columns else ()))  # type: ignore[misc]
        self.variant = repr(self._layout)

    def describe(self) -> str:
        """Say how the files are read."""
        layout = self._layout
        units = ", ".join(f"{quantity} in {unit}" for quantity, unit in layout.units.items())
        clock = f"{layout.sampling_rate_hz:g} Hz" if layout.time is None else f"stamps in column {layout.time}"
        return f"# {self.name}\n\nFiles `{layout.pattern}`, read by `load_folder`: {units}; {clock}.\n"

    def is_home(self, folder: Path) -> bool:
        """Tell whether a file in a folder matches the pattern."""
        return bool(self._layout.path.find(folder))

    def find_home(self, data_home: str | os.PathLike) -> Path:
        """Give the folder, or raise an error that says what was looked for and what is there."""
        home = Path(data_home).expanduser()
        if not home.is_dir():
            raise FileNotFoundError(f"{home} is no folder; root must be the one with the files {self.example!r}.")
        if self.is_home(home):
            return home
        seen = list(islice(files_below(home), _MAX_SEEN))
        n_more, many = len(seen) - _MAX_NAMED, "more than " * (len(seen) == _MAX_SEEN)
        there = ", ".join(seen[:_MAX_NAMED]) + (f" and {many}{n_more} others" if n_more > 0 else "")
        raise DataFormatError(
            f"{home}: no file matches {self.example!r}; there is {there or 'none at all'}. Either the "
            "pattern or root must be another one."
        )

    def find_sites(self, data_home: str | os.PathLike) -> list[str]:
        """Give the sites of a folder's files, by their paths, by `columns` or by their headers."""
        home, layout = self.find_home(data_home), self._layout
        files = layout.path.find(home)
        if layout.has_site:
            found = [layout.site(fields) for _, fields in files]
            return list(dict.fromkeys(site for site in found if site is not None))
        if layout.columns is not None:
            return list(self.sites)
        headers: list[str] = []
        for file, _ in files:
            # A damaged file is an error where it is read.
            with suppress(DataFormatError, OSError):
                headers += read_names(home / file, layout.separator, layout.names)
        return sites_of(headers)

    def find_lacks(self, recordings: Iterable[Recording]) -> Iterator[str]:
        """Say which files lack channels that others of the same site have, and which sites seem misspelt."""
        files: dict[tuple[str, str], set[str]] = {}
        for recording in recordings:
            for channel in recording.channels:
                site = channel_site(channel) if self._layout.has_site else None
                files.setdefault((site or "", channel), set()).add(recording.attrs["file"])
        of_site: dict[str, set[str]] = {}
        for (site, _), having in files.items():
            of_site[site] = of_site.get(site, set()) | having
        lacks: dict[tuple[str, ...], list[str]] = {}
        for (site, channel), having in files.items():
            if lacking := sorted(of_site[site] - having):
                lacks.setdefault(tuple(lacking), []).append(channel)
        for having_not, channels in lacks.items():
            yield (
                f"{_named(having_not)}: no {_named(channels)}, which other files have; `segment_recordings` keeps only "
                "what all recordings have. Mend the files, or choose sites and quantities that all have."
            )
        yield from _misspelt(sites_of(channel for _, channel in files), self._layout.site_names)

    def find_parts(self, home: Path) -> list[Part]:
        """Give the sessions of a folder: all files of one session and person are read at once."""
        layout = self._layout
        sessions: dict[tuple[str, str], list[str]] = {}
        for file, fields in layout.path.find(home):
            subject = fields["subject"] if layout.subject is None else layout.subject
            sessions.setdefault((subject, layout.session(fields)), []).append(file)
        parts = [Part(subject, session, tuple(files)) for (subject, session), files in sessions.items()]
        return sorted(parts, key=lambda part: (in_order(part.subject), in_order(part.session)))

    def read(self, home: Path, part: Part) -> Reading:
        """Read the files of a session."""
        layout, streams, damaged = self._layout, {}, []
        repeated = self._repeated(part)
        for file in part.files:
            fields = layout.fields(file)
            try:
                if file in repeated:
                    raise DataFormatError(_too_many(home, part, repeated[file]))
                channels = layout.channels(home / file, fields)
                streams[file] = tuple(channels.values()), self._read_stream(home / file, channels)
            except (DataFormatError, OSError) as error:
                # Which sites are lost is known only where the path tells.
                if not layout.has_site:
                    raise
                damaged.append(Damage(file, layout.site(fields) or fields["site"], str(error)))
        unix = [stream.start_s for _, stream in streams.values() if stream.start_s > _UNIX_S]
        recordings, notes = [], []
        if 0 < len(unix) < len(streams):
            notes.append(f"{', '.join(streams)}: some stamps are Unix times and some are not, so their clocks differ.")
        for file, (names, stream) in streams.items():
            recording = self._recording(stream, names, part, file, min(unix, default=0.0))
            recordings.append(recording)
            notes += [f"{file}: {note}" for note in stream.notes]
            notes += [f"{file}: {d.what}. {d.advice}." for d in find_doubts(recording.data, recording.channels)]
        return Reading(recordings, notes, tuple(damaged))

    def _repeated(self, part: Part) -> dict[str, list[str]]:
        """Files that are of one device: each with all of them."""
        layout = self._layout
        devices: dict[str, list[str]] = {}
        for file in part.files:
            site = layout.site(layout.fields(file)) if layout.has_site else ""
            devices.setdefault(file if site is None else site, []).append(file)
        return {file: files for files in devices.values() if len(files) > 1 for file in files}

    def _read_stream(self, path: Path, channels: Mapping[str, str]) -> Stream:
        layout = self._layout
        table = self._with_labels(read_table(path, layout.table(channels)))
        scale = np.array([unit_scale(channel, layout.units) for channel in channels.values()], dtype=np.float32)
        with np.errstate(over="ignore"):
            table = table.replace(values=table.values * scale)
        infinite = np.flatnonzero(np.isinf(table.values).any(axis=1))
        if len(infinite):
            raise DataFormatError(f"{table.where(int(infinite[0]))}: a reading is too large for its unit.")
        if layout.time is None:
            assert layout.sampling_rate_hz is not None
            return Stream(table.values, layout.sampling_rate_hz, 0.0, table.labels, None, [])
        return to_grid(
            table,
            read_stamps(table, layout.time, layout.time_unit),
            time_unit=layout.time_unit,
            sampling_rate_hz=layout.sampling_rate_hz,
            max_gap_s=layout.max_gap_s,
        )

    def _with_labels(self, table: Table) -> Table:
        if table.labels is None:
            return table
        codes, distinct = pd.factorize(table.labels, use_na_sentinel=False)
        first_rows = np.unique(codes, return_index=True)[1].tolist()
        names = [
            self._layout.label_name(label_text(label), table.where(row))
            for label, row in zip(distinct.tolist(), first_rows, strict=True)
        ]
        return table.replace(labels=np.array([*names, None], dtype=object)[codes])

    def _recording(self, stream: Stream, channels: Sequence[str], part: Part, file: str, unix_s: float) -> Recording:
        fields = self._layout.fields(file)
        is_unix = stream.start_s > _UNIX_S
        attrs: dict[str, Any] = {
            name: text for name, text in fields.items() if name not in ("subject", "session", "site")
        }
        attrs |= {
            "file": file,
            "source_rate_hz": stream.source_rate_hz,
            "start_unix_s": round(unix_s, 6) if is_unix else None,
        }
        activity = self._layout.label_name(label_text(fields.get("activity")), str(file))
        return Recording(
            stream.values,
            stream.rate_hz,
            channels,
            start_s=round(stream.start_s - unix_s, 6) if is_unix else stream.start_s,
            subject=part.subject,
            session=part.session,
            labels=activity if stream.labels is None else stream.labels,
            dataset=self.name,
            attrs={name: value for name, value in attrs.items() if value is not None},
        )


def _named(names: Sequence[str]) -> str:
    n_more = len(names) - _MAX_NAMED
    return ", ".join(names[:_MAX_NAMED]) + (f" and {n_more} more" if n_more > 0 else "")


def _misspelt(sites: Iterable[str], site_names: Mapping[str, str] | None) -> Iterator[str]:
    for site in sites:
        known = site in SITES or site in (site_names or {}).values()
        close = [] if known else get_close_matches(site.lower(), SITES, n=1, cutoff=_ALIKE)
        if close and not site.startswith(close[0]):
            yield (
                f"site {site!r} is none of har_virtual.imu.SITES, by which data sets and simulation agree; is it "
                f"{close[0]!r}? If so, name it so, with {{site}} by site_names={{{site!r}: {close[0]!r}}}."
            )


def _too_many(home: Path, part: Part, files: Sequence[str]) -> str:
    return (
        f"{home}: {' and '.join(files)} are of one subject ({part.subject}), session ({part.session}) and site. Put "
        "what tells them apart into pattern, as {session}, {site} or a field of any other name in place of *."
    )
