"""The reports that convert_videos leaves in its folder."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from har_virtual.datasets.catalogue import _nearby
from har_virtual.exceptions import DataFormatError

_MAX_REPORT_BYTES = 1 << 24


@dataclass(frozen=True, eq=False)
class ConvertedVideo:
    """What a report says of a video or clip: which streams there are, or why there are none.

    `streams` gives file and number of samples of each track; `main` is the track of the largest person.
    """

    report: Path
    path: str
    start_s: float
    failed: bool
    reason: str
    files: tuple[str, ...]
    earlier_files: tuple[str, ...]
    streams: Mapping[int, tuple[str, int]]
    main: int | None
    channels: tuple[str, ...]


def find_folder(directory: str | os.PathLike) -> Path:
    """Give the folder if it is one of convert_videos; the error for any other names one that is, above or below."""
    folder = Path(directory).expanduser()
    wanted = "directory must be the out_dir that was given to convert_videos"
    if folder.is_file():
        raise DataFormatError(f"{folder} is a file; {wanted}: pass {folder.parent}.")
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is no folder; {wanted}.")
    if not _is_converted(folder):
        nearby = next((other for other in _nearby(folder) if _is_converted(other)), None)
        where = f": pass {nearby}" if nearby else ""
        holds = "holds no report of convert_videos" if any(folder.iterdir()) else "is empty"
        single = "" if nearby or not _streams_in(folder) else " Recording.load reads single streams."
        raise DataFormatError(f"{folder} {holds}; {wanted}{where}.{single}")
    return folder


def _is_converted(folder: Path) -> bool:
    """Tell whether there is a report, or a damaged one beside its streams."""
    try:
        streams = _streams_in(folder)
        return any(_reads(report) or _own(report, streams) for report in _reports_in(folder))
    except OSError:
        return False


def _reads(report: Path) -> bool:
    try:
        _read_report(report)
    except DataFormatError:
        return False
    return True


def _reports_in(folder: Path) -> list[Path]:
    return sorted(_files(folder, ".json"), key=lambda path: natural(path.stem))


def _streams_in(folder: Path) -> list[str]:
    return sorted((path.name for path in _files(folder, ".parquet")), key=natural)


def _files(folder: Path, suffix: str) -> Iterator[Path]:
    """Files but those in which macOS keeps what other file systems do not."""
    return (path for path in folder.iterdir() if path.suffix == suffix and not path.name.startswith("._"))


def _own(report: Path, streams: Iterable[str]) -> list[str]:
    """Streams that are named after a report, as far as names tell."""
    own = re.compile(re.escape(report.stem) + r"\.person\d+\.parquet")
    return [stream for stream in streams if own.fullmatch(stream)]


def natural(name: str) -> list[tuple[int, str]]:
    """Sort key in which s10 comes after s9."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name) if part]


class Reports(NamedTuple):
    """What the reports of a folder say, by video and start; those that are damaged; streams of which none tells."""

    videos: list[ConvertedVideo]
    damaged: list[tuple[Path, DataFormatError]]
    nobodys: list[str]


def read_reports(folder: Path) -> Reports:
    """Read every report.

    A JSON file that is none, and beside which there are no streams of its name, is somebody else's.
    """
    videos, unreadable = [], []
    for path in _reports_in(folder):
        try:
            videos.append(_read_report(path))
        except DataFormatError as error:
            unreadable.append((path, error))
    claimed = {file for video in videos for file in (*video.files, *video.earlier_files)}
    rest = [stream for stream in _streams_in(folder) if stream not in claimed]
    damaged = [(path, error) for path, error in unreadable if _own(path, rest)]
    theirs = {stream for path, _ in damaged for stream in _own(path, rest)}
    videos.sort(key=lambda video: (natural(video.path), video.start_s))
    return Reports(videos, damaged, [stream for stream in rest if stream not in theirs])


def _read_report(path: Path) -> ConvertedVideo:
    try:
        if path.stat().st_size > _MAX_REPORT_BYTES:
            raise ValueError("it is larger than any report")
        report = json.loads(path.read_text(encoding="utf-8"))
        return _video(path, report)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise DataFormatError(
            f"{path} is no report of convert_videos, or is damaged ({type(error).__name__}: {error}). Convert the "
            "video anew; errors='warn' leaves it out."
        ) from error


def _video(path: Path, report: Mapping[str, Any]) -> ConvertedVideo:
    row, files, earlier = report["row"], _file_names(report["files"]), _file_names(report["earlier_files"])
    failed = {"ok": False, "failed": True}[row["status"]]
    tracks, counts = [int(track) for track in row["persons"]], [int(count) for count in row["n_samples"]]
    names = [f"{path.stem}.person{track}.parquet" for track in tracks]
    streams = {} if failed else dict(zip(tracks, zip(names, counts, strict=True), strict=True))
    if not failed and (not streams or [file for file in files if file.endswith(".parquet")] != names):
        raise ValueError(f"its streams are {', '.join(files) or 'none'}, its persons {tracks}")
    main = None if failed else _main(report["persons"])
    if main not in streams and not failed:
        raise ValueError(f"the main person, {main}, is none of {tracks}")
    channels = tuple(str(channel) for channel in report["channels"])
    return ConvertedVideo(
        report=path,
        path=str(report["source"]["path"]),
        start_s=float(row["start_s"]),
        failed=failed,
        reason=str(row["reason"]),
        files=files,
        earlier_files=earlier,
        streams=streams,
        main=main,
        channels=() if failed else channels,
    )


def _file_names(names: Sequence[str]) -> tuple[str, ...]:
    if any(name != Path(name).name for name in names):
        raise ValueError("a file of it lies outside the folder")
    return tuple(names)


def _main(persons: Sequence[Mapping[str, Any]]) -> int:
    """Track of the person whom `ClipMotions.choose` calls the main one."""
    largest = max(persons, key=lambda person: float(person["picture_share"]) * float(person["n_frames"]))
    return int(largest["track_id"])
