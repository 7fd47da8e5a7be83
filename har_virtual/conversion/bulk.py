"""convert_videos: many videos to files, one failure never stopping the others."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from har_virtual import __version__, exceptions
from har_virtual._optional import import_optional
from har_virtual.conversion.cache import CACHE_VERSION, file_sha256
from har_virtual.conversion.clips import (
    ConversionPlan,
    ConvertedClip,
    as_clips,
    convert_clips,
    reissue_warnings,
    report_row,
)
from har_virtual.conversion.overlay import draw_overlay
from har_virtual.conversion.transformer import VideoToVirtualIMU
from har_virtual.exceptions import DataFormatError, DataWarning, VideoError
from har_virtual.files import atomic_path
from har_virtual.recording import UNITS, VideoClip

_MAX_NAME_BYTES = 190
"""File systems take 255, of which suffixes and temporary names need some."""


def convert_videos(
    videos: Iterable[str | Path | VideoClip],
    out_dir: str | Path,
    *,
    sites: Sequence[str],
    overlay: bool = True,
    blur_faces: bool = True,
    resume: bool = True,
    on_result: Callable[[dict[str, Any]], None] | None = None,
    **parameters: Any,
) -> Path:
    """Convert every person of every video and write the streams to files.

    For each video ``<name>.person<k>.parquet`` (one a person: `Recording.load` reads it), ``<name>.json`` (the
    report) and ``<name>.png`` (the overlay: skeleton and box on frames, traces below); ``summary.csv`` has one row for
    each report in the folder, those of earlier calls too. Files appear whole or not at all. Only the overlay holds
    pixels of the video.

    The name is that of the video without its suffix, with the bounds of a clip that has some. Where another video in
    `videos` or in the folder has it, a hash of the path follows. The same clip twice is converted once. New files of a
    video replace its old ones; a conversion that fails leaves those where they are ("earlier_files" in the report).

    Parameters
    ----------
    videos : sequence of path or VideoClip
    out_dir : path
        Made if it is not there.
    sites : sequence of str, or mapping of str to Placement
    overlay : bool, default=True
        Whether to draw the overlay.
    blur_faces : bool, default=True
        Blur the face of everybody whom the pose backend found, tracked or not, and all that lies outside the boxes of
        tracked persons. A face that it missed inside such a box stays as it is.
    resume : bool, default=True
        Leave out videos whose files lie in `out_dir` already, made from the same content with the same parameters.
    on_result : callable, optional
        Called with the row of each video as soon as it is done; "resumed" in it says that it was left out.
    **parameters
        Of `VideoToVirtualIMU`, except person.

    Returns
    -------
    Path
        `out_dir`.

    Raises
    ------
    UnknownNameError, DataFormatError
        For an unknown site or a parameter that does not fit, before any video is opened. A video that cannot be
        converted, or whose files cannot be written, raises nothing: its row in ``summary.csv`` and its report say why.

    Examples
    --------
    >>> from har_virtual import convert_videos
    >>> convert_videos(["walk.mp4"], "streams", sites=["left_wrist"])  # doctest: +SKIP
    PosixPath('streams')
    """
    if "person" in parameters:
        raise DataFormatError("convert_videos gives every person; person= is a parameter of VideoToVirtualIMU.")
    converter = VideoToVirtualIMU(sites=sites, **parameters)
    plan = converter.plan()
    clips = as_clips(videos)
    if overlay:
        import_optional("matplotlib", feature="the overlay (overlay=False leaves it out)", extra="plot")
    results = _Results(_make_folder(out_dir), plan, overlay, blur_faces)
    jobs = _jobs(clips, results.folder)
    rows: dict[str, dict[str, Any]] = {}
    warned, todo = [], []
    try:
        for job in jobs:
            key = results.key(job)
            report = results.done(job, key) if resume else None
            if report is None:
                todo.append((job, key))
                continue
            rows[job.name] = {**report["row"], "video": str(job.clip.path)}
            warned.append(ConvertedClip(job.clip, messages=_warned(report)))
            _tell(on_result, rows[job.name], resumed=True)
        converted = convert_clips(plan, [job.clip for job, _ in todo], "all", converter.n_jobs, converter.verbose)
        for index, result in converted:
            job, key = todo[index]
            rows[job.name] = results.write(job, result, key)
            warned.append(ConvertedClip(job.clip, messages=result.messages))
            _tell(on_result, rows[job.name], resumed=False)
    finally:
        results.summarize(rows)
    reissue_warnings(warned)
    return results.folder


def _tell(on_result: Callable[[dict[str, Any]], None] | None, row: dict[str, Any], resumed: bool) -> None:
    if on_result is not None:
        on_result({**row, "resumed": resumed})


def _make_folder(out_dir: str | Path) -> Path:
    out_dir = Path(out_dir)
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataFormatError(
            f"{out_dir}: cannot be made a folder ({error.strerror}). Give another out_dir."
        ) from error
    return out_dir


@dataclass(frozen=True)
class _Job:
    """A clip, the name of its files, and what tells it from other clips of the same name."""

    clip: VideoClip
    name: str
    source: dict[str, Any]


def _jobs(clips: Sequence[VideoClip], folder: Path) -> list[_Job]:
    """Each clip once, with a name that is no other's, whatever the order of the clips."""
    distinct: dict[str, _Job] = {}
    for clip in clips:
        source = _source(clip)
        first = distinct.setdefault(repr(source), _Job(clip, _plain_name(clip), source)).clip
        if repr(_fields(first)) != repr(_fields(clip)):
            bounds = f", {clip.bounds} s" if clip.bounds else ""
            raise DataFormatError(
                f"{clip.path}{bounds}: the same clip is there twice, {_what_it_is(first)} and {_what_it_is(clip)}. "
                "Give each clip once."
            )
    count = Counter(job.name.casefold() for job in distinct.values())
    return [_named(job, folder, shared=count[job.name.casefold()] > 1) for job in distinct.values()]


def _what_it_is(clip: VideoClip) -> str:
    return f"as label {clip.label!r}, subject {clip.subject!r}, data set {clip.dataset!r}"


def _fields(clip: VideoClip) -> list[Any]:
    return [getattr(clip, field.name) for field in fields(clip) if field.name != "path"]


def _source(clip: VideoClip) -> dict[str, Any]:
    # Not the file that a link leads to: two links may lead to one, and each has its own name.
    try:
        path = clip.path.parent.resolve() / clip.path.name
    except (OSError, RuntimeError, ValueError):
        path = clip.path
    stop_s = None if clip.stop_s is None else float(clip.stop_s)
    return {"path": str(path), "start_s": float(clip.start_s), "stop_s": stop_s}


def _plain_name(clip: VideoClip) -> str:
    stem = _printable(clip.path.stem) or "video"
    return f"{stem}_{clip.bounds}" if clip.bounds else stem


def _printable(text: str) -> str:
    """What file names and tables can hold: no NUL, no half of a character."""
    return "".join(letter if letter.isprintable() else "_" for letter in text)


def _named(job: _Job, folder: Path, shared: bool) -> _Job:
    """Add a hash of the source to a name that another source has, here or in the folder, or that is too long."""
    shortened = job.name.encode()[:_MAX_NAME_BYTES].decode(errors="ignore")
    hashed = replace(job, name=f"{shortened}_{_hash(repr(job.source))[:8]}")
    if shortened != job.name:
        return hashed
    if _report(folder, job):
        return job
    taken = shared or _report(folder, hashed) or (folder / f"{job.name}.json").exists()
    return hashed if taken else job


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode(errors="backslashreplace")).hexdigest()


def _read_report(path: Path) -> dict[str, Any]:
    """Give a report of this library, empty where the file is none."""
    try:
        report = json.loads(path.read_text())
        whole = isinstance(report["source"], dict) and isinstance(report["row"]["status"], str)
        files = [*report["files"], *report["earlier_files"]]
        whole = whole and all(isinstance(file, str) and file == Path(file).name for file in files)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}
    return report if whole else {}


def _report(folder: Path, job: _Job) -> dict[str, Any]:
    report = _read_report(folder / f"{job.name}.json")
    return report if report.get("source") == job.source else {}


@dataclass(frozen=True, eq=False)
class _Results:
    """The files of a folder, and what they are made with."""

    folder: Path
    plan: ConversionPlan
    overlay: bool
    blur_faces: bool

    def key(self, job: _Job) -> str | None:
        """Content and parameters of a conversion; None for a video that cannot be read."""
        plan = self.plan
        try:
            content = file_sha256(job.clip.path)
        except VideoError:
            return None
        placements = [(name, repr(placement.get_params())) for name, placement in plan.placements.items()]
        sensor = None if plan.sensor is None else repr(plan.sensor.get_params())
        values = [__version__, CACHE_VERSION, content, *_fields(job.clip)]
        # The key of the motions leaves out the camera's tilt.
        settings = [plan.settings.cache_key, plan.settings.pitch_deg, plan.settings.roll_deg]
        values += [*settings, plan.channels, placements, plan.sampling_rate_hz]
        values += [plan.gravity, plan.cutoff_hz, sensor, plan.random_state, self.overlay, self.blur_faces]
        return _hash(repr(values))

    def done(self, job: _Job, key: str | None) -> dict[str, Any] | None:
        """Give the report of an earlier conversion that stands, None where there is none."""
        report = _report(self.folder, job)
        stands = key is not None and report.get("key") == key and report["row"]["status"] == "ok"
        return report if stands and all((self.folder / file).is_file() for file in report["files"]) else None

    def write(self, job: _Job, result: ConvertedClip, key: str | None) -> dict[str, Any]:
        """Write the files of one video and give its row; what cannot be written is a failure of this video only."""
        old = _report(self.folder, job)
        earlier = [*old["files"], *old["earlier_files"]] if old else []
        try:
            return self._write(job, result, key, earlier)
        except Exception as error:  # noqa: BLE001 - one video must not lose the others
            reason = f"{job.clip.path}: its files cannot be written to {self.folder} ({type(error).__name__}: {error})."
            failed = ConvertedClip(job.clip, reason=reason, messages=result.messages)
        try:
            return self._write(job, failed, key, earlier)
        except Exception:  # noqa: BLE001 - not even the report, as on a full disk
            return {**report_row(failed), "files": []}

    def _write(self, job: _Job, result: ConvertedClip, key: str | None, earlier: list[str]) -> dict[str, Any]:
        """Make all files aside, move them in, the report last, and delete those of an earlier conversion."""
        row = report_row(result)
        with TemporaryDirectory(dir=self.folder, prefix=".", ignore_cleanup_errors=True) as temporary:
            aside = Path(temporary)
            files = [
                recording.save(aside / f"{job.name}.person{track_id}.parquet").name
                for track_id, recording in result.recordings.items()
            ]
            if self.overlay and result.motions is not None and result.recordings:
                try:
                    files.append(draw_overlay(aside / f"{job.name}.png", result, self.blur_faces).name)
                except Exception as error:  # noqa: BLE001 - the streams are worth more than their picture
                    row["reason"] = f"no overlay: {error}"
            row["files"] = files
            kept = [file for file in earlier if (self.folder / file).is_file()] if result.reason else []
            report = {"source": job.source, "key": key, "row": row, "files": files, "earlier_files": kept}
            report |= _details(self.plan, result)
            (aside / f"{job.name}.json").write_text(json.dumps(report, indent=2))
            (self.folder / f"{job.name}.json").unlink(missing_ok=True)
            _move(aside, self.folder, [*files, f"{job.name}.json"])
        for file in set(earlier) - {*files, *kept}:
            (self.folder / file).unlink(missing_ok=True)
        return row

    def summarize(self, rows: Mapping[str, dict[str, Any]]) -> None:
        """Write ``summary.csv`` from all reports in the folder, and from `rows`, by name."""
        reports = {path.stem: _read_report(path) for path in self.folder.glob("*.json")}
        known = {name: report["row"] for name, report in reports.items() if report}
        known |= rows
        try:
            with atomic_path(self.folder / "summary.csv") as temporary:
                table = pd.DataFrame([_plain(known[name]) for name in sorted(known)])
                table.to_csv(temporary, index=False)
        except OSError as error:
            warnings.warn(f"{self.folder / 'summary.csv'}: cannot be written ({error}).", DataWarning, stacklevel=3)


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _printable(value) if isinstance(value, str) else value for name, value in row.items()}


def _details(plan: ConversionPlan, result: ConvertedClip) -> dict[str, Any]:
    details = {
        "channels": list(plan.channels),
        "units": {quantity: UNITS[quantity] for quantity in plan.quantities},
        "sampling_rate_hz": plan.sampling_rate_hz,
        "warnings": [{"category": category.__name__, "message": message} for category, message in result.messages],
        **(dict(result.motions.report) if result.motions else {}),
        "persons": [dict(person.report) for person in result.motions.persons] if result.motions else [],
    }
    if details["persons"]:
        details.pop("no_person", None)
    return details


def _move(source: Path, target: Path, files: Sequence[str]) -> None:
    """Move all files or leave none of them."""
    try:
        for file in files:
            (source / file).replace(target / file)
    except BaseException:
        for file in files:
            if not (source / file).exists():
                (target / file).unlink(missing_ok=True)
        raise


def _warned(report: Mapping[str, Any]) -> tuple[tuple[type[Warning], str], ...]:
    """Warnings of an earlier conversion, for its streams are as doubtful as they were."""
    return tuple((getattr(exceptions, w["category"], UserWarning), w["message"]) for w in report["warnings"])
