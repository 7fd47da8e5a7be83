"""What convert_videos wrote into a folder, as recordings."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from har_virtual.datasets._converted_reports import ConvertedVideo, find_folder, natural, read_reports
from har_virtual.datasets.base import Errors, Names, Subjects, check_known, select_channels
from har_virtual.exceptions import DataFormatError, DataWarning, UnknownNameError
from har_virtual.recording import UNITS, Recording, RecordingSet, channel_quantity, channel_site

_N_NAMED = 3
_N_LISTED = 50


def load_converted(
    directory: str | os.PathLike,
    *,
    persons: Literal["all", "main"] = "all",
    doubtful: bool = True,
    subjects: Subjects = None,
    sites: Names = None,
    quantities: Names = None,
    errors: Errors = "raise",
) -> RecordingSet:
    """Load the streams that `har_virtual.convert_videos` or ``har-virtual convert`` wrote into a folder.

    Every recording is what it was in memory: data, units (m/s2, rad/s, uT), rate, times on the video's clock, label,
    subject, session, data set and attrs. Only the streams that the videos' reports name are read.

    Parameters
    ----------
    directory : path-like
        The `out_dir` of the conversion. It may have been moved; the videos need not be there.
    persons : {"all", "main"}, default="all"
        Every person who was tracked in a video, or the one who is largest in the picture over time, whom
        ``VideoToVirtualIMU(person="main")`` gives.
    doubtful : bool, default=True
        Whether to load streams of which the conversion itself says in ``attrs["doubts"]`` why not to trust them.
    subjects : str, int or iterable of these, optional
        Default: all. A person whom no clip named is ``video:<sha8>/<track>``; everybody in a clip of `load_videos` that
        names nobody is ``video:<identifier>``.
    sites : str or iterable of str, optional
        Default: all.
    quantities : {"acc", "gyr", "mag"} or iterable of these, optional
        Default: all.
    errors : {"raise", "warn"}, default="raise"
        What to do about a report or stream that is damaged or missing; "warn" leaves it out and says so.

    Returns
    -------
    RecordingSet
        By subject, then by video, start and track; numbers in names by their value. Its DESCR tells of the folder: how
        many videos and persons, what failed and why, labels, doubts, the version of the library.

    Raises
    ------
    DataFormatError
        If the folder is none of `convert_videos` (where one above or below is, the message names it), something in it
        is damaged or missing, every video failed, or nothing is left of what was asked for.
    FileNotFoundError
        If there is no such folder.
    UnknownNameError
        For a subject, site or quantity that no stream has.

    Warns
    -----
    DataWarning
        Names clips whose conversion failed: they give no recording, and the streams of an earlier conversion of
        theirs, which the report calls "earlier_files", are not loaded, for they may be of another content or made with
        other parameters than the rest. Names streams that belong to no report, and videos in which several persons
        carry the one subject that the clip names, of whom at most one is right. Counts labelled clips with several
        persons, of whom the label may be true of one only, and doubtful streams; `persons` and `doubtful` leave them
        out.

    See Also
    --------
    har_virtual.convert_videos : Writes such a folder.
    har_virtual.VideoToVirtualIMU : The same conversion in memory, one recording a video.

    Examples
    --------
    >>> from har_virtual.datasets import load_converted
    >>> recordings = load_converted("streams", persons="main")  # doctest: +SKIP
    """
    choices = {"persons": ("all", "main"), "doubtful": (True, False), "errors": ("raise", "warn")}
    for (name, known), value in zip(choices.items(), (persons, doubtful, errors), strict=True):
        if value not in known:
            raise UnknownNameError(f"{name} must be {' or '.join(map(repr, known))}, not {value!r}.")
    folder = find_folder(directory)
    problems = _Problems(errors == "raise")
    videos, damaged, nobodys = read_reports(folder)
    for path, error in damaged:
        problems.add(path, error)
    channels = [channel for video in videos for channel in video.channels]
    sites = _known_parts(f"{folder}: site", sites, map(channel_site, channels))
    quantities = _known_parts(f"{folder}: quantity", quantities, map(channel_quantity, channels))
    loaded = {video: _load_video(folder, video, persons, problems) for video in videos}
    recordings = [recording for of_video in loaded.values() for recording in of_video]
    if not recordings:
        why = [f"{video.path}: {video.reason}" for video in videos if video.failed] + problems.notes
        raise DataFormatError(f"{folder}: there is no stream to load. {' '.join(why[:_N_NAMED])}")
    recordings.sort(key=lambda recording: natural(str(recording.subject)))
    wanted = check_known(f"{folder}: subject", subjects, dict.fromkeys(str(r.subject) for r in recordings))
    kept = {
        video: [r for r in of_video if str(r.subject) in wanted and (doubtful or not _is_doubtful(r))]
        for video, of_video in loaded.items()
    }
    chosen = (select_channels(r, sites, quantities) for of_video in kept.values() for r in of_video)
    selected = [recording for recording in chosen if recording is not None]
    if not selected:
        without = "" if doubtful else ", doubtful=False"
        raise DataFormatError(
            f"{folder}: nothing is left of subject {', '.join(wanted)} for sites {sites}, quantities {quantities}"
            f"{without}."
        )
    for note in [*problems.notes, *_notes(folder, loaded, nobodys), *_cautions(folder, kept)]:
        warnings.warn(note, DataWarning, stacklevel=2)
    selected.sort(key=lambda recording: natural(str(recording.subject)))
    return RecordingSet(selected, DESCR=_describe(folder, videos, recordings))


def _known_parts(kind: str, asked: Names, there: Iterable[str | None]) -> list[str] | None:
    """Check names of sites or quantities; None chooses all, and so also channels that have none."""
    return None if asked is None else check_known(kind, asked, dict.fromkeys(map(str, there)))


class _Problems:
    """What is damaged: raised at once, or noted."""

    def __init__(self, strict: bool) -> None:
        self.strict = strict
        self.notes: list[str] = []

    def add(self, file: Path, error: DataFormatError) -> None:
        if self.strict:
            raise error
        self.notes.append(f"{file} was left out: {error}")


def _load_video(folder: Path, video: ConvertedVideo, persons: str, problems: _Problems) -> list[Recording]:
    recordings = []
    for track, (file, n_samples) in video.streams.items():
        if persons == "main" and track != video.main:
            continue
        try:
            recordings.append(_load_stream(folder / file, n_samples, video))
        except DataFormatError as error:
            problems.add(folder / file, error)
    return recordings


def _load_stream(path: Path, n_samples: int, video: ConvertedVideo) -> Recording:
    import pyarrow.parquet as pq

    advice = "Convert the video anew; errors='warn' leaves the stream out."
    if not path.is_file():
        raise DataFormatError(f"{path} is missing, which {video.report.name} names. {advice}")
    try:
        n_rows = pq.read_metadata(path).num_rows
        recording = Recording.load(path) if n_rows == n_samples else None
    except Exception as error:
        raise DataFormatError(f"{path} is damaged ({type(error).__name__}: {error}). {advice}") from error
    if recording is None or recording.channels != video.channels:
        found = f"{n_rows} samples" if recording is None else f"channels {', '.join(recording.channels)}"
        raise DataFormatError(f"{path} is not the stream that {video.report.name} tells of: it has {found}. {advice}")
    return recording


def _notes(folder: Path, loaded: Mapping[ConvertedVideo, Sequence[Recording]], nobodys: Sequence[str]) -> Iterator[str]:
    """What to know of a folder in which nothing is damaged."""
    failed = [video for video in loaded if video.failed]
    if failed:
        first = _some([f"{Path(video.path).name} ({video.reason})" for video in failed])
        yield f"{folder}: {len(failed)} of {len(loaded)} clips failed and have no recording: {first}"
    earlier = [f for video in failed for f in video.earlier_files if f.endswith(".parquet") and (folder / f).is_file()]
    if earlier:
        yield (
            f"{folder}: earlier streams of videos whose conversion failed since were not loaded: {_some(earlier)}. "
            "Recording.load reads them."
        )
    if nobodys:
        yield f"{folder}: no report tells of {_some(nobodys)}; not loaded. Recording.load reads single streams."


def _cautions(folder: Path, kept: Mapping[ConvertedVideo, Sequence[Recording]]) -> Iterator[str]:
    """What may be wrong about recordings that are given."""
    several = {video: of_video for video, of_video in kept.items() if len(of_video) > 1}
    shared = [Path(video.path).name for video, of_video in several.items() if _share_a_name(of_video)]
    if shared:
        yield (
            f"{folder}: several persons of one video carry the subject that its clip names: {_some(shared)}. "
            "persons='main' takes one of each video."
        )
    n_labelled = sum(any(r.labels is not None for r in of_video) for of_video in several.values())
    if n_labelled:
        yield (
            f"{folder}: {n_labelled} of {len(kept)} clips have a label and several persons, and the label may be true "
            "of one of them only; persons='main' takes the one who is largest in the picture."
        )
    recordings = [recording for of_video in kept.values() for recording in of_video]
    n_doubtful = sum(map(_is_doubtful, recordings))
    if n_doubtful:
        yield (
            f"{folder}: {n_doubtful} of {len(recordings)} streams are doubtful, and attrs['doubts'] says why; "
            "doubtful=False leaves them out."
        )


def _share_a_name(recordings: Sequence[Recording]) -> bool:
    """Tell whether several have one subject who is a person, and not the video that they are in."""
    named = [recording.subject for recording in recordings if not str(recording.subject).startswith("video:")]
    return len(set(named)) < len(named)


def _is_doubtful(recording: Recording) -> bool:
    return bool(recording.attrs.get("doubts"))


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _N_NAMED} more" if len(names) > _N_NAMED else ""
    return ", ".join(names[:_N_NAMED]) + more


def _describe(folder: Path, videos: Sequence[ConvertedVideo], recordings: Sequence[Recording]) -> str:
    failed = [video for video in videos if video.failed]
    channels = dict.fromkeys(channel for recording in recordings for channel in recording.channels)
    sites = dict.fromkeys(str(channel_site(channel)) for channel in channels)
    quantities = dict.fromkeys(str(channel_quantity(channel)) for channel in channels)
    rates = sorted({recording.sampling_rate_hz for recording in recordings})
    lines = [
        "Virtual IMU streams of people in videos, written by har_virtual.convert_videos",
        "",
        f"folder: {folder.resolve()}",
        f"clips: {len(videos)}, of {len({video.path for video in videos})} videos; {len(failed)} failed",
        f"persons: {sum(len(video.streams) for video in videos)}",
        f"streams: {len(recordings)}, {sum(r.duration_s for r in recordings) / 60:.2f} minutes",
        f"sampling rate: {', '.join(f'{rate:g} Hz' for rate in rates)}",
        f"sites: {', '.join(sites)}",
        f"units: {', '.join(f'{quantity} {UNITS[quantity]}' for quantity in quantities if quantity in UNITS)}",
        f"labels: {_counted(r.labels for r in recordings)}",
        f"doubtful: {sum(map(_is_doubtful, recordings))} streams, whose attrs['doubts'] say why",
        f"har_virtual: {_counted(r.attrs.get('har_virtual') for r in recordings)}",
    ]
    lines += [f"failed: {video.path}: {video.reason}" for video in failed[:_N_LISTED]]
    if len(failed) > _N_LISTED:
        lines.append(f"failed: and {len(failed) - _N_LISTED} more, see summary.csv")
    return "\n".join(lines) + "\n"


def _counted(values: Iterable[Any]) -> str:
    """Values with the number of streams that have them."""
    texts = ["none" if value is None else str(value) for value in values]
    return ", ".join(f"{text} ({count})" for text, count in sorted(Counter(texts).items())) or "none"
