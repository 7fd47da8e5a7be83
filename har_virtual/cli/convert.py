"""``har-virtual convert``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from har_virtual.cli._output import say, warnings_as_lines


def convert(
    videos: list[Path],
    /,
    *,
    sites: Annotated[list[str], Parameter(consume_multiple=True)],
    out: Path,
    sampling_rate_hz: float = 30.0,
    quantities: Annotated[list[Literal["acc", "gyr", "mag"]] | None, Parameter(consume_multiple=True)] = None,
    sensor: Literal["low", "mid", "high", "orient3"] | None = None,
    cutoff_hz: float = 6.0,
    gravity: bool = True,
    camera_pitch_deg: float = 0.0,
    camera_roll_deg: float = 0.0,
    pnp: Literal["translation", "paper"] = "translation",
    overlay: bool = True,
    blur_faces: bool = True,
    cache: bool = True,
    resume: bool = True,
    n_jobs: int | None = None,
    random_state: int | None = None,
    verbose: int = 1,
) -> int:
    """Convert videos to virtual IMU streams, one Parquet file a person.

    Videos come first: har-virtual convert walk.mp4 run.mp4 --sites left_wrist waist --out streams

    Exits with 1 if any video could not be converted; the others are.

    Parameters
    ----------
    videos
        Video files. Videos come first: an option that takes several words would take them.
    sites
        Where the sensors sit, such as left_wrist right_ankle waist.
    out
        Folder for the files.
    sampling_rate_hz
        Of the streams; at most 1,000.
    quantities
        Some of acc, gyr, mag; acc and gyr by default.
    sensor
        Errors of a real device; an ideal one by default.
    cutoff_hz
        Low-pass of the motion before it is differentiated.
    gravity
        Specific force, as an accelerometer has it.
    camera_pitch_deg
        How far the camera looks up; negative for down.
    camera_roll_deg
        How far the camera is turned clockwise.
    pnp
        How a person is placed before the camera.
    overlay
        Draw a picture of what was tracked.
    blur_faces
        Blur, in that picture, every detected face and all that lies outside the boxes of tracked persons.
    cache
        Keep motions in the user's cache directory, so that another site or rate takes seconds.
    resume
        Leave out videos that were converted into the folder before.
    n_jobs
        Videos at the same time.
    random_state
        Seed of the sensor's errors.
    verbose
        1 for a progress bar (in a terminal) and a line a video, 0 for silence but for failures.
    """
    parameters = {
        "sampling_rate_hz": sampling_rate_hz,
        "quantities": tuple(quantities or ("acc", "gyr")),
        "sensor": sensor,
        "cutoff_hz": cutoff_hz,
        "gravity": gravity,
        "camera_pitch_deg": camera_pitch_deg,
        "camera_roll_deg": camera_roll_deg,
        "pnp": pnp,
        "cache_dir": None if cache else False,
        "n_jobs": n_jobs,
        "random_state": random_state,
        "verbose": verbose,
    }
    files = {"overlay": overlay, "blur_faces": blur_faces, "resume": resume}
    return _convert(videos, out, sites, {**parameters, **files}, verbose)


def _convert(videos: list[Path], out: Path, sites: list[str], parameters: dict[str, Any], verbose: int) -> int:
    """Say one line a video as soon as it is done; give the exit status."""
    from har_virtual.conversion import convert_videos

    rows: list[dict[str, Any]] = []

    def tell(row: dict[str, Any]) -> None:
        rows.append(row)
        if row["status"] == "failed":
            say(f"failed: {row['reason']}")
        elif verbose and row["resumed"]:
            say(f"{row['video']}: converted before, left as it is")
        elif verbose:
            say(f"{row['video']}: {row['n_persons']} person(s), samples {row['n_samples']}")
            for doubt in row["doubts"]:
                say(f"doubt: {row['video']}: {doubt}")

    with warnings_as_lines():
        convert_videos(videos, out, sites=sites, on_result=tell, **parameters)
    if verbose:
        say(f"{sum(row['status'] == 'ok' for row in rows)} of {len(rows)} videos converted into {out}")
    return int(any(row["status"] == "failed" for row in rows))
