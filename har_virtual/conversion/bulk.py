"""convert_videos: many videos to files, one failure never stopping the others."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from glob import escape
from pathlib import Path
from typing import Any

import pandas as pd

from har_virtual._optional import import_optional
from har_virtual.conversion.cache import file_sha256
from har_virtual.conversion.overlay import draw_overlay
from har_virtual.conversion.transformer import (
    ConversionPlan,
    ConvertedClip,
    VideoToVirtualIMU,
    as_clips,
    convert_clips,
    reissue_warnings,
    report_row,
)
from har_virtual.exceptions import DataFormatError, HarVirtualError
from har_virtual.files import atomic_path
from har_virtual.recording import UNITS, VideoClip


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
    report) and ``<name>.png`` (the overlay: skeleton and box on frames, traces below); for all of them
    ``summary.csv``, with one row a video. Each file appears whole or not at all. Only the overlay holds pixels of the
    video.

    Parameters
    ----------
    videos : sequence of path or VideoClip
    out_dir : path
        Made if it is not there.
    sites : sequence of str, or mapping of str to Placement
    overlay : bool, default=True
        Whether to draw the overlay.
    blur_faces : bool, default=True
        Blur every detected face, and all that lies outside the boxes of tracked persons.
    resume : bool, default=True
        Leave out videos whose files lie in `out_dir` already, made from the same content with the same parameters.
    on_result : callable, optional
        Called with the row of each video as soon as it is done.
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
        converted raises nothing: its row in ``summary.csv`` and its report say why.

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
    if overlay:
        import_optional("matplotlib", feature="the overlay (overlay=False leaves it out)", extra="plot")
    out_dir = _make_folder(out_dir)
    clips = as_clips(videos)
    names = _names(clips)
    rows: dict[str, dict[str, Any]] = {}
    todo = []
    for clip, name in zip(clips, names, strict=True):
        row = _done(out_dir, name, _key(plan, clip, overlay, blur_faces)) if resume else None
        if row is None:
            todo.append((clip, name))
        else:
            rows[name] = row
            _tell(on_result, row)
    results = convert_clips(plan, [clip for clip, _ in todo], "all", converter.n_jobs, converter.verbose)
    caught = []
    for (clip, name), result in zip(todo, results, strict=True):
        rows[name] = _write(out_dir, name, result, plan, _key(plan, clip, overlay, blur_faces), overlay, blur_faces)
        caught.append(ConvertedClip(clip, messages=result.messages))
        _tell(on_result, rows[name])
    with atomic_path(out_dir / "summary.csv") as temporary:
        pd.DataFrame([rows[name] for name in names]).to_csv(temporary, index=False)
    reissue_warnings(caught)
    return out_dir


def _tell(on_result: Callable[[dict[str, Any]], None] | None, row: dict[str, Any]) -> None:
    if on_result is not None:
        on_result(row)


def _make_folder(out_dir: str | Path) -> Path:
    out_dir = Path(out_dir)
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataFormatError(
            f"{out_dir}: cannot be made a folder ({error.strerror}). Give another out_dir."
        ) from error
    return out_dir


def _names(clips: Sequence[VideoClip]) -> list[str]:
    """Distinct file names without suffix: the video's, with bounds for a part, with a hash where two are the same."""
    plain = [clip.path.stem + _bounds(clip) for clip in clips]
    return [
        name if plain.count(name) == 1 else f"{name}_{_short_hash(f'{clip.path.resolve()}|{i}')}"
        for i, (name, clip) in enumerate(zip(plain, clips, strict=True))
    ]


def _bounds(clip: VideoClip) -> str:
    if clip.start_s == 0 and clip.stop_s is None:
        return ""
    return f"_{clip.start_s:g}-{'end' if clip.stop_s is None else format(clip.stop_s, 'g')}"


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _key(plan: ConversionPlan, clip: VideoClip, overlay: bool, blur_faces: bool) -> str | None:
    """Content and parameters of a conversion; None for a video that cannot be read."""
    try:
        content = file_sha256(clip.path)
    except HarVirtualError:
        return None
    placements = [repr(placement.get_params()) for placement in plan.placements.values()]
    sensor = None if plan.sensor is None else repr(plan.sensor.get_params())
    values = [content, repr(clip), plan.settings.cache_key, plan.channels, placements, plan.sampling_rate_hz]
    values += [plan.gravity, plan.cutoff_hz, sensor, plan.random_state, overlay, blur_faces]
    return hashlib.sha256(repr(values).encode()).hexdigest()


def _done(out_dir: Path, name: str, key: str | None) -> dict[str, Any] | None:
    try:
        report = json.loads((out_dir / f"{name}.json").read_text())
    except (OSError, ValueError):
        return None
    files = report.get("files", [])
    whole = key is not None and report.get("key") == key and all((out_dir / file).is_file() for file in files)
    return report["row"] if whole and report["row"]["status"] == "ok" else None


def _write(
    out_dir: Path,
    name: str,
    result: ConvertedClip,
    plan: ConversionPlan,
    key: str | None,
    overlay: bool,
    blur_faces: bool,
) -> dict[str, Any]:
    """Write the files of one video, the report last: where it stands, the others stand."""
    row = report_row(result)
    for old in (*out_dir.glob(f"{escape(name)}.person*.parquet"), out_dir / f"{name}.json", out_dir / f"{name}.png"):
        old.unlink(missing_ok=True)
    files = []
    for track_id, recording in result.recordings.items():
        files.append(recording.save(out_dir / f"{name}.person{track_id}.parquet").name)
    if overlay and result.motions is not None and result.recordings:
        try:
            files.append(draw_overlay(out_dir / f"{name}.png", result, blur_faces).name)
        except HarVirtualError as error:
            row["reason"] = f"no overlay: {error}"
    report = {
        "key": key,
        "row": row,
        "files": files,
        "channels": list(plan.channels),
        "units": {quantity: UNITS[quantity] for quantity in plan.quantities},
        "sampling_rate_hz": plan.sampling_rate_hz,
        "warnings": [message for _, message in result.messages],
        **(dict(result.motions.report) if result.motions else {}),
        "persons": [dict(person.report) for person in result.motions.persons] if result.motions else [],
    }
    if report["persons"]:
        report.pop("no_person")
    with atomic_path(out_dir / f"{name}.json") as temporary:
        temporary.write_text(json.dumps(report, indent=2))
    return row
