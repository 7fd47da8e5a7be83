"""``har-virtual demo``."""

from __future__ import annotations

from pathlib import Path

from har_virtual.cli._output import say, show, warnings_as_lines


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

    with warnings_as_lines():
        result = run_demo(out, seed=seed, n_jobs=n_jobs, verbose=verbose)
    for reason in result.failed:
        say(f"failed: {reason}")
    show(result.describe())
    return int(bool(result.failed))
