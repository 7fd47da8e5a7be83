"""How much real data the rank map needs: distance of mapped virtual windows to the real ones (IMUTube, figure 5)."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from scipy.stats import t as student_t

from har_virtual.adaptation import RankDistributionMapper
from har_virtual.adaptation._doubt import warn_caller
from har_virtual.adaptation._embedding import Embedding
from har_virtual.adaptation.frechet import Shrinkage, check_shrinkage, warn_if_few
from har_virtual.checks import check_count, check_level
from har_virtual.evaluation._calibration import Study, Yardstick, make_budgets, make_mapper
from har_virtual.evaluation._folds import show_progress
from har_virtual.exceptions import DataWarning, UnknownNameError
from har_virtual.model_selection.budget import LabelBudget
from har_virtual.windows.window_set import WindowSet

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from har_virtual.evaluation.displays import FrechetDisplay

MEASURES = ("frechet", "ks", "js", "mmd")
"""The distances of a `CalibrationCurve`, columns of its frame."""


@dataclass(frozen=True, eq=False)
class CalibrationCurve:
    """Distances between mapped virtual and all real windows, over the real seconds that the map was fitted on.

    Parameters
    ----------
    frame : DataFrame
        One row a duration and seed: ``seconds`` (of each class), ``seed`` (number of the draw), ``frechet`` (squared,
        in the embedding's unit), ``ks`` (0 to 1) and ``js`` (bits) averaged over channels, ``mmd`` (squared), and
        ``n_real`` (windows that the map was fitted on).
    all_real : Series
        The four distances where all real windows fit the map: the dotted line of figure 5.
    unmapped : Series
        The four distances without a map.
    how : dict
        What was done, in words and numbers that JSON can hold.
    """

    frame: pd.DataFrame
    all_real: pd.Series
    unmapped: pd.Series
    how: Mapping[str, Any]

    def summary(self, measure: str = "frechet", *, level: float = 0.95) -> pd.DataFrame:
        """Average a distance over the seeds.

        Parameters
        ----------
        measure : {"frechet", "ks", "js", "mmd"}
        level : float, default=0.95

        Returns
        -------
        DataFrame
            One row a duration: ``seconds``; ``mean``; ``sd`` (n - 1); ``low`` and ``high``, Student's interval of the
            mean; ``over_all_real``, by what share the mean exceeds the distance with all real windows (0.06 is the
            paper's 6 %), NaN unless that is above 0; ``n_real`` and ``n_seeds``. What needs two seeds is NaN where
            there is one.

        Notes
        -----
        The seeds draw independently of one another, but from the same real windows of the same people, for the same
        virtual windows. So the interval says how well so many draws know the mean over all draws from these windows,
        and closes where a duration takes all of them; other people may differ by more. What a single calibration gives
        varies by ``sd``, which more seeds do not lessen. Durations share their windows, so their errors go together.
        Of few draws with a long tail the interval is rough, and `low` may lie below 0.

        Raises
        ------
        UnknownNameError
            If there is no such distance.
        DataFormatError
            If `level` does not lie between 0 and 1.
        """
        if measure not in MEASURES:
            raise UnknownNameError(f"measure must be one of {MEASURES}, not {measure!r}.")
        check_level(level)
        by_seconds = self.frame.groupby("seconds")
        values = by_seconds[measure].agg(["mean", "std", "size"])
        half = student_t.ppf(0.5 + level / 2, (values["size"] - 1).clip(lower=1)) * values["std"]
        half = half / np.sqrt(values["size"])
        final = self.all_real[measure]
        table = {
            "mean": values["mean"],
            "sd": values["std"],
            "low": values["mean"] - half,
            "high": values["mean"] + half,
            "over_all_real": values["mean"] / final - 1 if final > 0 else np.nan,
            "n_real": by_seconds["n_real"].mean(),
            "n_seeds": values["size"],
        }
        return pd.DataFrame(table).reset_index()

    def plot(self, ax: Axes | None = None, *, measure: str = "frechet") -> FrechetDisplay:
        """Draw a distance over the seconds, with its interval, the dotted line and the distance without a map.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Default: new ones.
        measure : {"frechet", "ks", "js", "mmd"}

        Returns
        -------
        FrechetDisplay
        """
        from har_virtual.evaluation.displays import FrechetDisplay

        return FrechetDisplay.from_curve(self, measure, ax=ax)


def calibration_curve(
    windows: WindowSet,
    seconds: Sequence[float],
    *,
    per_class: bool = False,
    mapper: RankDistributionMapper | None = None,
    n_seeds: int = 10,
    embed: Embedding = None,
    shrinkage: Shrinkage = 0.0,
    max_block_s: float | None = None,
    shortage: Literal["raise", "keep_all"] = "raise",
    max_windows: int = 2000,
    random_state: int | np.random.Generator | None = 0,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> CalibrationCurve:
    """Map virtual windows by means of ever more real seconds, and measure how far they stay from all real windows.

    For each seed and duration, so many seconds of real windows of each class are drawn, a mapper is fitted on them and
    all virtual windows, and the mapped virtual windows are compared with all real ones: figure 5 of IMUTube. For one
    seed the windows of a shorter duration are among those of a longer one.

    It describes data and scores nothing: all real windows are looked at, those of people who are tested elsewhere
    among them. Choose nothing by it whose score is then reported on the same people.

    Parameters
    ----------
    windows : WindowSet
        Real and virtual windows with labels, and ``attrs["window_step_s"]`` as `segment_recordings` leaves it. Virtual
        windows are taken as they are: align them before (`SensorAligner`), if at all.
    seconds : sequence of float
        Of each class, in any order, repeated ones once; ``seconds / window_step_s`` windows, rounded down, at least
        one.
    per_class : bool, default=False
        Whether each class has its own map; set on the mapper.
    mapper : RankDistributionMapper, optional
        Cloned for each fit. Its direction must be "virtual_to_real", and it must be of no subclass.
    n_seeds : int, default=10
        Draws of the real windows.
    embed, shrinkage
        As in `frechet_distance`; an unfitted transformer is fitted once, on all real windows.
    max_block_s, shortage
        As in `LeaveOneSubjectOut`: the longest stretch of one person that is drawn at once (default: whole runs), and
        what to do where a class has less than the longest duration.
    max_windows : int, default=2000
        KS, JS and MMD look at so many windows of each domain, the same throughout; the Frechet distance at all.
    random_state : int, Generator or None, default=0
    n_jobs : int, optional
        Seeds at a time, in threads; no figure depends on it.
    verbose : int
        1 shows a progress bar.

    Returns
    -------
    CalibrationCurve

    Raises
    ------
    DataFormatError
        If labels, a domain or the step are missing, `seconds` is empty or not positive, a class has less
        real data than asked for, the mapper moves real windows, or a parameter is out of range.
    UnknownNameError
        If there is no such rule for a shortage.

    Warns
    -----
    DataWarning
        Once for all fits, where `per_class` had too few windows of some classes; and as `frechet_distance` gives it.

    Notes
    -----
    A draw has as much of each class, but all real windows have the classes as they come: where these differ, the curve
    runs to the dotted line only as draws take in all that there is (``shortage="keep_all"``).

    Each domain is sorted once, which takes the memory of two copies of the windows. `ECDFFeatures` are then calculated
    of sorted samples, several times as fast as another embedding, which is given all virtual windows for each map.

    References
    ----------
    Kwon et al., "IMUTube", 2020, section 4.2 and figure 5.
    """
    check_count("n_seeds", n_seeds, 1)
    check_count("max_windows", max_windows, 2)
    check_shrinkage(shrinkage)
    budgets = make_budgets(windows, seconds, shortage, max_block_s)
    rng = np.random.default_rng(random_state)
    study = Study(windows, make_mapper(mapper, per_class), embed)
    yardstick = Yardstick(study, shrinkage, max_windows, rng)
    warn_if_few(min(len(study.real), len(study.virtual)), len(yardstick.gaussian.mean), shrinkage)
    seeds = rng.integers(2**63, size=n_seeds).tolist()
    jobs = [delayed(_measure_draw)(yardstick, budgets, number, seed) for number, seed in enumerate(seeds)]
    with warnings.catch_warnings():
        # Said once for all fits, below. The threads are joblib's own: scikit-learn's set the filters, and one that
        # outlives an error would leave this one on for good.
        warnings.simplefilter("ignore", DataWarning)
        running = Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator")(jobs)
        done = list(show_progress(running, n_seeds, verbose, "seed"))
        everything = _measure_map(yardstick, "all real windows", np.arange(len(study.real)))
    points = [point for draw in done for point in draw]
    _warn_fallback([everything, *points], study.mapper)
    return CalibrationCurve(
        frame=pd.DataFrame([point.row for point in points]).sort_values(["seconds", "seed"], ignore_index=True),
        all_real=pd.Series({name: everything.row[name] for name in MEASURES}),
        unmapped=pd.Series(yardstick.measure_unmapped()),
        how=_describe(windows, yardstick, embed, max_block_s, n_seeds, random_state),
    )


class _Point(NamedTuple):
    """What was found with one map."""

    row: dict[str, float]
    """Of the frame."""
    data: str
    """What the map was fitted on, in words."""
    fallback: list[Any]
    """Classes without a map of their own."""


def _measure_draw(yardstick: Yardstick, budgets: list[LabelBudget], number: int, seed: int) -> list[_Point]:
    """Measure each duration of one seed."""
    return [
        _measure_map(
            yardstick,
            f"{budget.seconds:g} s a class",
            yardstick.study.draw(budget, seed),
            seconds=budget.seconds,
            seed=number,
        )
        for budget in budgets
    ]


def _measure_map(yardstick: Yardstick, data: str, kept: np.ndarray, **keys: float) -> _Point:
    """Fit a map on some real windows, and measure what it makes of the virtual ones."""
    mapped = yardstick.study.map(kept)
    row = {**keys, **yardstick.measure(mapped), "n_real": len(kept)}
    return _Point(row, data, mapped.mapper.fallback_classes_ if mapped.mapper else [])


def _warn_fallback(points: list[_Point], mapper: RankDistributionMapper) -> None:
    """Say in one warning which classes had no map of their own, and with what data."""
    classes: dict[str, set[str]] = {}
    for point in points:
        classes.setdefault(point.data, set()).update(map(str, point.fallback))
    reasons = [f"{', '.join(sorted(labels))} with {data}" for data, labels in classes.items() if labels]
    if reasons:
        warn_caller(
            f"Classes with fewer than min_class_rows={mapper.min_class_rows} windows in one domain went through the "
            f"map over all classes, in some draws at least: {'; '.join(reasons)}."
        )


def _describe(
    windows: WindowSet,
    yardstick: Yardstick,
    embed: Embedding,
    max_block_s: float | None,
    n_seeds: int,
    random_state: Any,
) -> dict[str, Any]:
    study = yardstick.study
    return {
        "protocol": "virtual windows mapped by means of some real windows, compared with all real windows",
        "mapper": str(study.mapper),
        "embed": "ECDFFeatures(n_components=15)" if embed is None else getattr(embed, "__name__", str(embed)),
        "n_features": len(yardstick.gaussian.mean),
        "shrinkage": yardstick.shrinkage,
        "bandwidth": yardstick.bandwidth,
        "n_real": len(study.real),
        "n_virtual": len(study.virtual),
        "n_compared_by_ks_js_mmd": [len(yardstick.real_part), len(yardstick.virtual_part)],
        "window_step_s": float(windows.attrs["window_step_s"]),
        "max_block_s": max_block_s,
        "n_seeds": n_seeds,
        "random_state": int(random_state) if isinstance(random_state, Integral) else str(random_state),
    }
