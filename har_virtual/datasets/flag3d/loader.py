"""FLAG3D: skeletons of 60 fitness activities by ten people, and virtual sensors on them (Tang et al., CVPR 2023)."""

from __future__ import annotations

import os
import re
import warnings
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from har_virtual import __version__
from har_virtual.checks import check_positive
from har_virtual.datasets.base import (
    Damage,
    DataSet,
    Errors,
    Names,
    Part,
    Reading,
    Subjects,
    as_names,
    check_known,
)
from har_virtual.datasets.flag3d import pack as packs
from har_virtual.datasets.flag3d.motions import ASSUMED_RATE_HZ, FlatFormat, SpatialFormat, facing
from har_virtual.datasets.flag3d.pack import ACTIVITIES, FILES, NAME, read_pack
from har_virtual.exceptions import DataFormatError, DataWarning, UnknownNameError
from har_virtual.imu import SITES, simulate_imu
from har_virtual.imu.streams import check_sampling_rate, warn_above_frame_rate
from har_virtual.recording import Recording, RecordingSet
from har_virtual.skeleton import Motion

FLAG3D_ACTIVITIES: Mapping[int, str] = MappingProxyType(ACTIVITIES)
"""Number of each activity in the names of sequences, to its label."""

FLAG3D_SPLIT: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "train": ("P002", "P003", "P004", "P006", "P007", "P008", "P009"),
        "val": ("P001", "P005", "P010"),
    }
)
"""The people of the two splits that the authors' skeleton pack has."""

_WRISTS = ("left_wrist", "right_wrist")
# Three repetitions of sixty activities on four bodies.
_N_SEQUENCES = 3 * 60 * 4
_AVATAR = re.compile(r"M\d{3}")
# Between -1, all knees to the back, and 1, all to the front.
_MIRRORED = -0.3


class _Flag3d(DataSet):
    """A part is a person; all lie in one pack.

    Parameters
    ----------
    sites, activities, avatars
        What is simulated of a person.
    sampling_rate_hz, cutoff_hz
        As `simulate_imu` takes them.
    reading : SpatialFormat or FlatFormat
        How the pack is read.
    """

    name = NAME
    title = "FLAG3D"
    example = FILES["3d"]
    folders = ("FLAG3D", "flag3d", "FLAG")
    subjects = tuple(f"P{number:03d}" for number in range(1, 11))
    sites = tuple(SITES)
    quantities = ("acc", "gyr")

    def __init__(
        self,
        *,
        sites: Sequence[str] = _WRISTS,
        activities: Iterable[int] = tuple(ACTIVITIES),
        avatars: Iterable[str] | None = None,
        sampling_rate_hz: float = 50.0,
        cutoff_hz: float | None = 15.0,
        reading: SpatialFormat | FlatFormat | None = None,
    ) -> None:
        self._sites = tuple(site for site in SITES if site in sites)
        self._activities = frozenset(activities)
        self._avatars = None if avatars is None else frozenset(avatars)
        self._sampling_rate_hz, self._cutoff_hz = sampling_rate_hz, cutoff_hz
        self.reading = reading or SpatialFormat()
        self._file = self.example
        chosen = (self._sites, sorted(self._activities), None if avatars is None else sorted(avatars))
        # Virtual recordings are what this version of the library makes of the skeletons.
        self.variant = f"{__version__}|{chosen}|{sampling_rate_hz}|{cutoff_hz}|{self.reading}"

    def is_home(self, folder: Path) -> bool:
        return (folder / self._file).is_file()

    def find_parts(self, home: Path) -> list[Part]:
        if not self.is_home(home):
            return []
        people = dict.fromkeys(sequence.told.subject for sequence in read_pack(home / self._file))
        return [Part(subject, "all", (self._file,)) for subject in people]

    def published(self) -> list[str]:
        return [self._file]

    def missing(self, home: Path) -> list[str]:
        """Give how many of each person's 720 sequences are not in the pack."""
        there = Counter(sequence.told.subject for sequence in read_pack(home / self._file))
        lacking = {subject: _N_SEQUENCES - there[subject] for subject in self.subjects}
        return [f"{self._file}: {count} sequences of {subject}" for subject, count in lacking.items() if count > 0]

    def sequences(self, home: Path, subject: str) -> list[packs.Sequence]:
        return [
            sequence
            for sequence in read_pack(home / self._file)
            if sequence.told.subject == subject
            and sequence.told.activity in self._activities
            and (self._avatars is None or sequence.told.avatar in self._avatars)
        ]

    def read(self, home: Path, part: Part) -> Reading:
        recordings, damaged, told = [], [], []
        for sequence in self.sequences(home, part.subject):
            try:
                motion = self.reading.motion(sequence)
                recordings.append(self._simulate(sequence, motion))
            except DataFormatError as error:
                damaged.append(Damage(f"{self._file}: {sequence.name}", self._sites[0], str(error)))
                continue
            told.append((facing([motion]), len(motion)))
        return Reading(recordings, self.notes(told), tuple(damaged))

    def notes(self, told: Iterable[tuple[float, int]]) -> list[str]:
        """What is to be said of motions, by how their knees bend and how many frames they have."""
        said = []
        if self.reading.frame_rate_hz is None:
            said.append(
                f"{self._file} does not say its frame rate; {ASSUMED_RATE_HZ:g} Hz is assumed. Acceleration goes with "
                "its square: pass frame_rate_hz if you know it."
            )
        told = list(told)
        n_frames = sum(n for _, n in told)
        if n_frames and sum(value * n for value, n in told) / n_frames < _MIRRORED:
            said.append(
                f"{self._file}: knees bend to the back by the names of the hips, as if the skeletons were mirrored; "
                "pass mirrored=True (or False, if it was True)."
            )
        return said

    def _simulate(self, sequence: packs.Sequence, motion: Motion) -> Recording:
        try:
            virtual = simulate_imu(motion, self._sites, self._sampling_rate_hz, cutoff_hz=self._cutoff_hz)
        except DataFormatError as error:
            raise sequence.error(f"is no skeleton that sensors could sit on: {error}") from error
        # They are those of SITES, and all of them would depend on which others were asked for.
        attrs = {name: value for name, value in virtual.attrs.items() if name != "placements"}
        return virtual.replace(attrs=attrs)


class _Flag2d(_Flag3d):
    example = FILES["2d"]


FLAG3D = _Flag3d()


def load_flag3d(
    data_home: str | os.PathLike,
    *,
    subjects: Subjects = None,
    task: str = "all",
    sites: Names = _WRISTS,
    quantities: Names = None,
    activities: Iterable[str | int] | str | int | None = None,
    avatars: Names = None,
    sampling_rate_hz: float = 50.0,
    cutoff_hz: float | None = 15.0,
    frame_rate_hz: float | None = None,
    unit_m: float = 1.0,
    skip_frames: int = 1,
    mirrored: bool = False,
    errors: Errors = "raise",
    cache: bool = False,
    n_jobs: int | None = None,
) -> RecordingSet:
    """Load virtual sensors on the skeletons of FLAG3D: nobody in it wore a real one.

    Parameters
    ----------
    data_home : path-like
        The folder that holds ``flag3d.pkl``, or one that holds it in ``FLAG3D/``, ``flag3d/`` or ``FLAG/``.
    subjects : iterable of str or int, optional
        "P001" to "P010", or 1 to 10; default: all that are there.
    task : {"all"}, default="all"
    sites : iterable of str, default=("left_wrist", "right_wrist")
        Of `har_virtual.imu.SITES`; None for all of them.
    quantities : iterable of {"acc", "gyr"}, optional
        Default: both.
    activities : iterable of str or int, optional
        Names or numbers of `FLAG3D_ACTIVITIES`; default: all 60.
    avatars : iterable of str, optional
        "M001" to "M004": each performance is there with four bodies. Default: all.
    sampling_rate_hz : float, default=50.0
        Of the virtual sensors.
    cutoff_hz : float or None, default=15.0
        Low-pass of the skeleton before it is differentiated: see `har_virtual.imu.simulate_imu`.
    frame_rate_hz : float, optional
        Of the skeletons. The pack does not say it; without it 100 Hz is assumed, and a warning says so.
    unit_m : float, default=1.0
        Metres to the pack's unit of length.
    skip_frames : int, default=1
        Frames left out at the start of each sequence: the first one is not of the movement.
    mirrored : bool, default=False
        Turn x about, where left and right come out exchanged; a warning tells where knees bend as if they were.
    errors : {"raise", "warn"}, default="raise"
        Whether a damaged sequence is an error, or left out with a warning. A damaged pack is an error always.
    cache : bool, default=False
        Keep the virtual recordings in the cache directory, for this version of the library and these parameters. The
        pack is then read whole, once, to know it again.
    n_jobs : int, optional
        Threads, as joblib counts them: one a person.

    Returns
    -------
    RecordingSet
        Virtual recordings by person and sequence: channels ``<site>_acc_x`` to ``<site>_gyr_z`` in m/s2 and rad/s, the
        name of the sequence as session, the activity's as label. `attrs` hold activity, repetition, scene, camera,
        avatar, the split of the pack and how it was read.

    Raises
    ------
    FileNotFoundError
        If `data_home` does not exist.
    DataFormatError
        If it is another folder, the pack is damaged or asks for more than numbers, or a parameter makes no sense.
    UnknownNameError
        If there is no such person, task, site, quantity, activity or avatar.

    Warns
    -----
    DataWarning
        Of an assumed frame rate, of skeletons that look mirrored, and of what was left out.
    SamplingRateWarning
        If sampling_rate_hz exceeds the frame rate.

    Notes
    -----
    The pack is no more than looked through: arrays stay in the file until their sequence is simulated.

    References
    ----------
    Y. Tang et al.: FLAG3D: A 3D fitness activity dataset with language instruction. CVPR 2023.
    """
    reading = SpatialFormat(frame_rate_hz, unit_m, skip_frames, mirrored).check()
    wanted_sites = check_known("FLAG3D: site", sites, FLAG3D.sites)
    if cutoff_hz is not None:
        check_positive("cutoff_hz", cutoff_hz)
    # What comes from the cache does not warn.
    warn_above_frame_rate(check_sampling_rate(sampling_rate_hz), reading.rate_hz)
    dataset = _Flag3d(
        sites=wanted_sites,
        activities=_check_activities(activities),
        avatars=_check_avatars(avatars),
        sampling_rate_hz=sampling_rate_hz,
        cutoff_hz=cutoff_hz,
        reading=reading,
    )
    return dataset.load(
        data_home,
        subjects=known_people(subjects),
        task=task,
        sites=wanted_sites,
        quantities=quantities,
        errors=errors,
        cache=cache,
        n_jobs=n_jobs,
    )


def load_flag3d_motions(
    data_home: str | os.PathLike,
    *,
    subjects: Subjects = None,
    activities: Iterable[str | int] | str | int | None = None,
    avatars: Names = None,
    pack: Literal["3d", "2d"] = "3d",
    frame_rate_hz: float | None = None,
    unit_m: float = 1.0,
    skip_frames: int = 1,
    mirrored: bool = False,
    torso_m: float = 0.5,
    min_score: float = 0.3,
    errors: Errors = "raise",
) -> list[Motion]:
    """Load the skeletons of FLAG3D.

    Parameters
    ----------
    data_home, subjects, activities, avatars, frame_rate_hz
        As for `load_flag3d`. In the 2D pack, those who were filmed have letters, such as "PHR", and no avatar.
    pack : {"3d", "2d"}, default="3d"
        ``flag3d.pkl``, motion capture, or ``flag2d.pkl``, joints detected in renderings and in films.
    unit_m, skip_frames, mirrored
        As for `load_flag3d`; of the 3D pack.
    torso_m : float, default=0.5
        Of the 2D pack: how long the trunk is, from the middle of the hips to that of the shoulders, by the median.
    min_score : float, default=0.3
        Of the 2D pack: joints with a lower score count as not seen. They are interpolated; a sequence in which a joint
        is seen in less than half of the frames is damaged.
    errors : {"raise", "warn"}, default="raise"
        Whether a damaged sequence is an error, or left out with a warning.

    Returns
    -------
    list of Motion
        By person and sequence, with subject, label, session and data set as the recordings have them. 3D: on NTU-25 in
        the Z-up world, in metres. 2D: on COCO-17 in the plane of the picture, x to its right, z up, y 0: that is a
        picture of a motion, without depth; `attrs` hold the share of joints that were missing. All of the 3D pack
        takes over 5 GB: choose persons or activities.

    Raises
    ------
    FileNotFoundError, DataFormatError, UnknownNameError
        As `load_flag3d`.

    Warns
    -----
    DataWarning
        As `load_flag3d`.
    """
    if pack not in FILES:
        raise UnknownNameError(f"pack must be '3d' or '2d', not {pack!r}.")
    if errors not in ("raise", "warn"):
        raise UnknownNameError(f"errors must be 'raise' or 'warn', not {errors!r}.")
    reading = (
        SpatialFormat(frame_rate_hz, unit_m, skip_frames, mirrored)
        if pack == "3d"
        else FlatFormat(frame_rate_hz, torso_m, min_score)
    )
    dataset = (_Flag3d if pack == "3d" else _Flag2d)(
        activities=_check_activities(activities), avatars=_check_avatars(avatars), reading=reading.check()
    )
    home = dataset.find_home(data_home)
    people = [part.subject for part in dataset.find_parts(home)]
    asked = check_known(f"{home / FILES[pack]}: subject", known_people(subjects), people)
    motions, left_out = [], []
    for sequence in (each for person in people if person in asked for each in dataset.sequences(home, person)):
        try:
            motions.append(reading.motion(sequence))
        except DataFormatError as error:
            if errors == "raise":
                raise
            left_out.append(f"{FILES[pack]}: {sequence.name} was left out: {error}")
    told = [(facing([motion]), len(motion)) for motion in motions] if pack == "3d" else []
    for note in [*dataset.notes(told), *left_out]:
        warnings.warn(note, DataWarning, stacklevel=2)
    if not motions:
        raise DataFormatError(f"{home / FILES[pack]}: nothing is left of what was asked for of {', '.join(asked)}.")
    return motions


def split_flag3d(subjects: Iterable[Any], *, sizes: tuple[int, int, int] = (5, 2, 3)) -> dict[str, tuple[str, ...]]:
    """Divide people in order of their ids, as MuJo does by numbers of people (its text does not say which).

    Parameters
    ----------
    subjects : iterable of str, or of recordings, motions or clips
        People in any order, who may occur several times.
    sizes : tuple of three int, default=(5, 2, 3)
        How many people train, validate and test.

    Returns
    -------
    dict of str to tuple of str
        "train", "validation" and "test"; what `RecordingSet.select` takes as ``subject``.

    Raises
    ------
    DataFormatError
        If there are not as many people as the sizes make together, or something has no subject.

    Examples
    --------
    >>> from har_virtual.datasets import split_flag3d
    >>> split_flag3d(["P010", "P002", "P001"], sizes=(1, 1, 1))
    {'train': ('P001',), 'validation': ('P002',), 'test': ('P010',)}
    """
    found = {each if isinstance(each, str) else getattr(each, "subject", None) for each in subjects}
    if None in found:
        raise DataFormatError("split_flag3d needs people, or what has a subject.")
    people = sorted(str(person) for person in found)
    if len(sizes) != 3 or any(type(size) is not int or size < 0 for size in sizes) or sum(sizes) != len(people):
        raise DataFormatError(
            f"sizes must be three whole numbers that make {len(people)} together, for so many people are there "
            f"({', '.join(people)}); they are {sizes}."
        )
    first, second = sizes[0], sizes[0] + sizes[1]
    return {
        "train": tuple(people[:first]),
        "validation": tuple(people[first:second]),
        "test": tuple(people[second:]),
    }


def known_people(subjects: Subjects, there: Collection[str] = ()) -> list[str] | None:
    """Give people as the packs call them: 1, "1" and "p1" are "P001", unless one of those `there` is called so."""
    if subjects is None:
        return None
    called = {name: f"P{name.upper().removeprefix('P'):0>3}" for name in as_names(subjects)}
    return [mine if mine in FLAG3D.subjects and name not in there else name for name, mine in called.items()]


def _check_activities(activities: Iterable[str | int] | str | int | None) -> set[int]:
    return set(ACTIVITIES) if activities is None else {activity_number(each) for each in as_names(activities)}


def activity_number(activity: Any) -> int:
    """Give the number of an activity, by its name, its number or its code, such as "A052"."""
    numbers = {name: number for number, name in ACTIVITIES.items()}
    text = str(activity)
    number = numbers.get(text) or (int(text.removeprefix("A")) if re.fullmatch(r"A?\d{1,3}", text) else 0)
    if number not in ACTIVITIES:
        there = ", ".join(f"{number} {name}" for number, name in ACTIVITIES.items())
        raise UnknownNameError(f"FLAG3D: There is no activity {activity}; there are {there}.")
    return number


def _check_avatars(avatars: Names) -> set[str] | None:
    if avatars is None:
        return None
    names = as_names(avatars)
    unknown = [name for name in names if not _AVATAR.fullmatch(name)]
    if unknown or not names:
        raise UnknownNameError(f"FLAG3D: avatars are called M001 to M004, not {', '.join(unknown) or 'nothing'}.")
    return set(names)
