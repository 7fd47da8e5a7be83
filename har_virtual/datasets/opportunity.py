"""Opportunity: 19 worn sensors, a morning routine in a kitchen, 4 subjects (Roggen et al., 2010; Chavarriaga, 2013)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar, Literal

import numpy as np

from har_virtual.datasets._clock import read_clock
from har_virtual.datasets._opportunity_columns import (
    ARM_TRACKS,
    CHALLENGE_COLUMNS,
    COLUMNS,
    SENSORS,
    TIME_COLUMN,
    TRACK_COLUMNS,
    si_factor,
)
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
    check_known,
)
from har_virtual.datasets.fetch import Source, fetch_dataset
from har_virtual.datasets.labels import names_by_id
from har_virtual.exceptions import DataFormatError, UnknownNameError
from har_virtual.imu import SITES
from har_virtual.recording import STANDARD_GRAVITY_M_S2, Recording, RecordingSet

OpportunityTask = Literal["locomotion", "gestures", "gestures_with_null"]

OPPORTUNITY_RUNS = ("ADL1", "ADL2", "ADL3", "ADL4", "ADL5", "Drill")
"""Five runs of a free morning routine, and one of 20 repetitions of a fixed sequence."""

OPPORTUNITY_SITES: Mapping[str, str] = MappingProxyType(
    {
        "InertialMeasurementUnit BACK": "back",
        "InertialMeasurementUnit RUA": "right_upper_arm",
        "InertialMeasurementUnit RLA": "right_forearm",
        "InertialMeasurementUnit LUA": "left_upper_arm",
        "InertialMeasurementUnit LLA": "left_forearm",
        "InertialMeasurementUnit L-SHOE": "left_foot",
        "InertialMeasurementUnit R-SHOE": "right_foot",
        "Accelerometer HIP": "right_hip",
        "Accelerometer RKN^": "right_thigh",
        "Accelerometer RKN_": "right_shin",
        "Accelerometer RWR": "right_wrist",
        "Accelerometer LWR": "left_wrist",
        "Accelerometer RH": "right_hand",
        "Accelerometer LH": "left_hand",
    }
)
"""Where each sensor sits, by its name in the data set's column_names.txt.

Five more are second ones of a segment: "Accelerometer" and ``BACK``, ``RUA^``, ``RUA_``, ``LUA^`` or ``LUA_`` (^ upper,
_ lower)."""

OPPORTUNITY_CHALLENGE_SPLIT: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "train": MappingProxyType(
            {
                "1": ("ADL1", "ADL2", "ADL3", "ADL4", "Drill"),
                "2": ("ADL1", "ADL2", "ADL3", "Drill"),
                "3": ("ADL1", "ADL2", "ADL3", "Drill"),
            }
        ),
        "validation": MappingProxyType({"1": ("ADL5",)}),
        "test": MappingProxyType({"2": ("ADL4", "ADL5"), "3": ("ADL4", "ADL5")}),
    }
)
"""Runs of each subject in the parts of the Opportunity challenge's split."""

_NAME = "opportunity"
_RATE_HZ, _TICK_S = 30.0, 1e-3
# The runs last up to half an hour.
_LONGEST_RUN_S = 3 * 3600.0
_ROWS_A_SECOND = 30
_PLAUSIBLE_GRAVITY_M_S2 = (0.5 * STANDARD_GRAVITY_M_S2, 1.5 * STANDARD_GRAVITY_M_S2)
_FILE = re.compile(r"S([1-4])-(ADL[1-5]|Drill)\.dat")
_LAYOUT = TextFormat(columns=COLUMNS, separator=" ", header=False)
_NULL = 0
_TRACKS: dict[str, dict[int, str]] = {
    "locomotion": names_by_id(_NAME, "locomotion"),
    "high_level": names_by_id(_NAME, "high_level"),
    # Of this track alone the null class is one in the literature.
    "gestures": {_NULL: "null", **names_by_id(_NAME, "gestures")},
    **ARM_TRACKS,
}


class _Opportunity(DataSet):
    name = _NAME
    title = "Opportunity"
    example = "S1-ADL1.dat"
    folders = ("dataset", "OpportunityUCIDataset/dataset")
    version = 2
    subjects = ("1", "2", "3", "4")
    sites = tuple(OPPORTUNITY_SITES.values())
    quantities = ("acc", "gyr")
    site_quantities: ClassVar[Mapping[str, tuple[str, ...]]] = {
        site: tuple(SENSORS[sensor]) for sensor, site in OPPORTUNITY_SITES.items()
    }
    sampling_rate_hz = _RATE_HZ
    # `_remarks` does so sensor by sensor.
    checks_units = False
    tasks: ClassVar[Mapping[str, Task]] = {
        "locomotion": Task(tuple(names_by_id(_NAME, "locomotion").values())),
        "gestures": Task(tuple(names_by_id(_NAME, "gestures").values()), track="gestures"),
        "gestures_with_null": Task(None, track="gestures"),
    }
    source = Source(
        url="https://archive.ics.uci.edu/static/public/226/opportunity+activity+recognition.zip",
        file_name="opportunity+activity+recognition.zip",
        size_bytes=None,
        sha256=None,
        licence="Creative Commons Attribution 4.0 International (CC BY 4.0), as we recall it: see the page",
        page="https://archive.ics.uci.edu/dataset/226/opportunity+activity+recognition",
    )

    def __init__(self, site_of_sensor: Mapping[str, str] = OPPORTUNITY_SITES) -> None:
        self.site_of_sensor = dict(site_of_sensor)
        triads = [(sensor, quantity) for sensor in self.site_of_sensor for quantity in SENSORS[sensor]]
        self.columns = [column for sensor, quantity in triads for column in SENSORS[sensor][quantity]]
        self.channels = [f"{self.site_of_sensor[sensor]}_{quantity}_{x}" for sensor, quantity in triads for x in "xyz"]
        factors = [si_factor(sensor, quantity) for sensor, quantity in triads for _ in "xyz"]
        self.factors: np.ndarray | None = np.array(factors, dtype=np.float32)
        self.variant = repr(self.site_of_sensor)

    def find_parts(self, home: Path) -> list[Part]:
        matches = sorted((path.name, _FILE.fullmatch(path.name)) for path in home.iterdir() if path.suffix == ".dat")
        return [Part(match[1], match[2], (name,)) for name, match in matches if match]

    def published(self) -> list[str]:
        return [f"S{subject}-{run}.dat" for subject in self.subjects for run in OPPORTUNITY_RUNS]

    def read(self, home: Path, part: Part) -> Reading:
        path = home / part.files[0]
        table = read_text(path, _LAYOUT, numbers=self.columns, exact=(TIME_COLUMN, *TRACK_COLUMNS))
        clock = read_clock(
            table.exact[TIME_COLUMN], path, unit="ms", rate_hz=_RATE_HZ, tick_s=_TICK_S, longest_s=_LONGEST_RUN_S
        )
        tracks = {
            track: name_classes(
                # What is marked as missing is labelled as nothing.
                np.nan_to_num(table.exact[column], nan=_NULL, posinf=np.inf, neginf=-np.inf),
                _TRACKS[track],
                clock.samples,
                none=_NULL,
                column=column,
                path=path,
            )
            for column, track in TRACK_COLUMNS.items()
        }
        data = table.numbers
        if self.factors is not None:
            data *= self.factors
        recording = Recording(
            spread_rows(data, clock.samples, np.nan),
            clock.rate_hz,
            self.channels,
            start_s=clock.start_s,
            subject=part.subject,
            session=part.session,
            labels=tracks["locomotion"],
            annotations=tracks,
            dataset=self.name,
            attrs={"file": part.files[0], "missing_rows": clock.n_samples - len(data)},
        )
        return Reading([recording], [*clock.remarks(part.files[0]), *self._remarks(recording)])

    def _remarks(self, recording: Recording) -> Iterator[str]:
        """What is odd about the sensors of a run."""
        file, silent = recording.attrs["file"], []
        some = np.ascontiguousarray(recording.data[::_ROWS_A_SECOND])
        for sensor, site in self.site_of_sensor.items():
            x = recording.channels.index(f"{site}_acc_x")
            norms = np.linalg.norm(some[:, x : x + 3], axis=1)
            norms = norms[~np.isnan(norms)]
            if not norms.size and np.isnan(recording.data[:, x]).all():
                silent.append(f"{site} ({sensor})")
                continue
            typical, (low, high) = float(np.median(norms)) if norms.size else np.nan, _PLAUSIBLE_GRAVITY_M_S2
            if typical < low or typical > high:
                yield (
                    f"{file}: |acceleration| at {site} ({sensor}) is typically {typical:.3g} m/s2, far from gravity: "
                    "its unit is not the documented one, or the sensor failed."
                )
        if silent:
            yield f"{file}: no acceleration at all at {', '.join(silent)}; these channels are NaN."


class _Challenge(_Opportunity):
    """The challenge's columns as the file has them: they have no sites."""

    def __init__(self) -> None:
        super().__init__({})
        self.columns = self.channels = list(CHALLENGE_COLUMNS)
        self.factors = None
        self.variant = "challenge"


OPPORTUNITY = _Opportunity()


def load_opportunity(
    data_home: str | os.PathLike,
    *,
    subjects: Subjects = None,
    task: OpportunityTask = "locomotion",
    runs: Names = None,
    sites: Names = None,
    quantities: Names = None,
    channels: Literal["sites", "challenge"] = "sites",
    placements: Mapping[str, str] | None = None,
    errors: Errors = "raise",
    cache: bool = True,
    n_jobs: int | None = None,
) -> RecordingSet:
    """Load Opportunity: what four people wore in a kitchen at 30 Hz, one recording a run.

    Parameters
    ----------
    data_home : path-like
        The folder with ``S1-ADL1.dat`` and the others, or one that holds it as ``dataset/`` or
        ``OpportunityUCIDataset/dataset/``.
    subjects : iterable of str or int, optional
        "1" to "4"; default: all that are there.
    task : {"locomotion", "gestures", "gestures_with_null"}, default="locomotion"
        Stand, walk, sit and lie; or 17 gestures of both arms, without or with the class "null" for all that is no
        gesture. Samples of no class of the task get None, and a run without any of them is left out.
    runs : iterable of str, optional
        Some of ADL1 to ADL5 and Drill; default: all that are there.
    sites : iterable of str, optional
        Some of the values of `OPPORTUNITY_SITES`, or of `placements`; default: all.
    quantities : iterable of str, optional
        acc or gyr; default: both. The accelerometers have acc only.
    channels : {"sites", "challenge"}, default="sites"
        "challenge" gives the 113 columns of the Opportunity challenge under the names and in the units of the file
        (thousandths of g, rad/s and others), without sites: leave out `sites`, `quantities` and `placements`.
    placements : mapping of str to str, optional
        From sensors to sites of `har_virtual.imu.SITES`, in place of `OPPORTUNITY_SITES`. To move one:
        ``{**OPPORTUNITY_SITES, "Accelerometer HIP": "waist"}``.
    errors : {"raise", "warn"}, default="raise"
        With "warn" a file that is damaged is left out and named in a warning.
    cache : bool, default=True
        Keep what was read as Parquet in the user's cache; False reads and writes nothing there.
    n_jobs : int, optional
        Files that are read at once, as joblib counts them.

    Returns
    -------
    RecordingSet
        By subject and run, the card as its DESCR. Channels ``<site>_<acc|gyr>_<axis>`` in m/s2 and rad/s, one label a
        sample. Every label track is an annotation, too: locomotion, gestures ("null" where there is none), high_level,
        left_arm, left_arm_object, right_arm, right_arm_object. `attrs` have the file and missing_rows.

    Raises
    ------
    FileNotFoundError
        If `data_home` does not exist.
    DataFormatError
        If it is another folder, a file is damaged (the message names file and line) or not of about 30 Hz, or two
        sensors have one site.
    UnknownNameError
        If there is no such subject, task, run, site, quantity, sensor or choice of channels.

    Warns
    -----
    DataWarning
        Names sensors that gave nothing in a run or do not feel gravity, stamps off the 30 Hz grid, and what
        ``errors="warn"`` left out.

    Notes
    -----
    What the file marks as missing stays NaN, however long: in S2-ADL1 the inertial units pause for 220.9 s under labels
    that go on. `segment_recordings` bridges .1 s (three samples) by default. The magnetometers' unit is not known, so
    that they are given with ``channels="challenge"`` only.

    Examples
    --------
    >>> from har_virtual.datasets import load_opportunity
    >>> recordings = load_opportunity("datasets/opportunity", sites=["back", "right_thigh"], cache=False)
    >>> recordings[0].data.shape, recordings[0].channels[::3]
    ((137, 9), ('back_acc_x', 'back_gyr_x', 'right_thigh_acc_x'))
    """
    if channels not in ("sites", "challenge"):
        raise UnknownNameError(f"channels must be 'sites' or 'challenge', not {channels!r}.")
    if channels == "challenge" and (sites is not None or quantities is not None or placements is not None):
        raise UnknownNameError(
            "The challenge's columns have no sites: leave out sites, quantities, placements, or channels='challenge'."
        )
    wanted_runs = check_known("Opportunity: run", runs, OPPORTUNITY_RUNS)
    reader = OPPORTUNITY if placements is None else _Opportunity(_check_placements(placements))
    return (_Challenge() if channels == "challenge" else reader).load(
        data_home,
        subjects=subjects,
        task=task,
        sites=sites,
        quantities=quantities,
        errors=errors,
        cache=cache,
        n_jobs=n_jobs,
        keep=lambda part: part.session in wanted_runs,
        known_sites=reader.site_of_sensor.values(),
    )


def fetch_opportunity(data_home: str | os.PathLike, *, accept_terms: bool = False, verbose: int = 1) -> Path:
    """Download Opportunity from the UCI Machine Learning Repository and unpack it, or check what is there.

    Parameters
    ----------
    data_home : path-like
        Folder for the archive and the data set; made if it is not there.
    accept_terms : bool, default=False
        State that you accept the terms, which the error shows otherwise.
    verbose : int, default=1
        0 for no progress bar.

    Returns
    -------
    Path
        The home for `load_opportunity`.

    Raises
    ------
    TermsError
        If the terms are not accepted; it shows them.
    DownloadError
        If the archive cannot be had, or is not the one of the first download.
    """
    return fetch_dataset(OPPORTUNITY, data_home, accept_terms=accept_terms, verbose=verbose)


def split_opportunity_challenge(recordings: Iterable[Recording]) -> dict[str, RecordingSet]:
    """Divide recordings as the Opportunity challenge did.

    Parameters
    ----------
    recordings : iterable of Recording
        What `load_opportunity` gave; subject 4 and other data sets are left out.

    Returns
    -------
    dict of str to RecordingSet
        "train", "validation" and "test", as `OPPORTUNITY_CHALLENGE_SPLIT` says.

    Raises
    ------
    DataFormatError
        If nothing is there of one of the three.
    """
    recordings = RecordingSet(recordings) if not isinstance(recordings, RecordingSet) else recordings
    parts = {}
    for part, runs in OPPORTUNITY_CHALLENGE_SPLIT.items():
        chosen = [r for r in recordings if r.dataset == _NAME and r.session in runs.get(str(r.subject), ())]
        if not chosen:
            wanted = ", ".join(f"S{subject}-{run}" for subject, names in runs.items() for run in names)
            raise DataFormatError(
                f"Opportunity challenge: the {part} set needs one of the runs {wanted}; {recordings!r} has none."
            )
        parts[part] = RecordingSet(chosen, DESCR=recordings.DESCR)
    return parts


def _check_placements(placements: Mapping[str, str]) -> dict[str, str]:
    check_known("Opportunity: sensor", placements, SENSORS)
    sites = list(placements.values())
    if not all(isinstance(site, str) and site for site in sites) or len(set(sites)) < len(sites):
        raise DataFormatError(f"placements must give each sensor a site of its own, by a name, not {dict(placements)}.")
    check_known("Opportunity: site of a sensor", sites, SITES)
    return dict(placements)
