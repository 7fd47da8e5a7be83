"""The command line: ``har-virtual convert | demo``."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, CycloptsError, MissingArgumentError, Parameter

from har_virtual import __version__
from har_virtual.exceptions import HarVirtualError

app = App(
    name="har-virtual",
    help="Virtual IMU streams from ordinary videos of people.",
    version=__version__,
    # main() says what is left.
    suppress_keyboard_interrupt=False,
)


@app.command
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
            _say(f"failed: {row['reason']}")
        elif verbose and row["resumed"]:
            _say(f"{row['video']}: converted before, left as it is")
        elif verbose:
            _say(f"{row['video']}: {row['n_persons']} person(s), samples {row['n_samples']}")
            for doubt in row["doubts"]:
                _say(f"doubt: {row['video']}: {doubt}")

    with _warnings_as_lines():
        convert_videos(videos, out, sites=sites, on_result=tell, **parameters)
    if verbose:
        _say(f"{sum(row['status'] == 'ok' for row in rows)} of {len(rows)} videos converted into {out}")
    return int(any(row["status"] == "failed" for row in rows))


@app.command
def demo(*, out: Path = Path("demo"), seed: int = 0, n_jobs: int | None = None, verbose: int = 1) -> int:
    """Try everything without a video or a sensor: render people, convert the videos, train and test recognisers.

    The real side is simulated: exact sensors of other rendered people, with the errors of a cheap chip. It shows how
    the parts work together; it is no measurement of what virtual data are worth on your sensor.

    Parameters
    ----------
    out
        Folder for videos, results.csv and demo.png.
    seed
        Who the people are.
    n_jobs
        Videos at the same time; all cores by default.
    verbose
        1 for a progress bar (in a terminal), 0 for the results alone.
    """
    from har_virtual.studio.demo import run_demo

    with _warnings_as_lines():
        result = run_demo(out, seed=seed, n_jobs=n_jobs, verbose=verbose)
    for reason in result.failed:
        _say(f"failed: {reason}")
    _print(result.describe())
    return int(bool(result.failed))


@contextmanager
def _warnings_as_lines() -> Iterator[None]:
    """Give each of the library's warnings as a line, once, when the block has ended."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield
        finally:
            _say_warnings(caught)


def _say_warnings(caught: list[warnings.WarningMessage]) -> None:
    for message in dict.fromkeys(str(w.message) for w in caught if issubclass(w.category, UserWarning)):
        _say(f"warning: {message}")


def _print(text: str) -> None:
    from tqdm.auto import tqdm

    tqdm.write(text, file=sys.stdout)


def _say(line: str) -> None:
    from tqdm.auto import tqdm

    tqdm.write(" ".join(line.split()), file=sys.stderr)


def main() -> None:
    """Run the command line; one clear line instead of a traceback."""
    try:
        sys.exit(app(sys.argv[1:], exit_on_error=False, print_error=False))
    except CycloptsError as error:
        missing = isinstance(error, MissingArgumentError) and "VIDEOS" in str(error)
        _say(f"har-virtual: {error}{' Videos come first, before --sites.' if missing else ''}")
        sys.exit(2)
    except (HarVirtualError, ValueError) as error:
        _say(f"har-virtual: {error}")
        sys.exit(2)
    except KeyboardInterrupt:
        _say("har-virtual: interrupted; finished videos are kept, a further convert goes on from them")
        sys.exit(130)
