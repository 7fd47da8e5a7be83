"""How much real data the rank map needs: distance of mapped virtual windows to the real ones (IMUTube, figure 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import t as student_t
from sklearn.utils.parallel import Parallel, delayed

from har_virtual.adaptation import RankDistributionMapper
from har_virtual.adaptation._doubt import warn_caller
from har_virtual.adaptation._embedding import Embedding
from har_virtual.adaptation.distances import check_count
from har_virtual.adaptation.frechet import Shrinkage, check_shrinkage, warn_if_few
from har_virtual.checks import is_finite_number
from har_virtual.evaluation._calibration import Study, Yardstick, make_budgets, make_mapper
from har_virtual.exceptions import DataFormatError, UnknownNameError
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
            there is one. The interval is over draws of windows from the same people; other people may differ by more.

        Raises
        ------
        UnknownNameError
            If there is no such distance.
        DataFormatError
            If `level` does not lie between 0 and 1.
        """
        if measure not in MEASURES:
            raise UnknownNameError(f"measure must be one of {MEASURES}, not {measure!r}.")
        if not is_finite_number(level) or not 0 < level < 1:
            raise DataFormatError(f"level must lie between 0 and 1, such as 0.95, not {level!r}.")
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
        Of each class, in any order; ``seconds / window_step_s`` windows, rounded down, at least one.
    per_class : bool, default=False
        Whether each class has its own map; set on the mapper.
    mapper : RankDistributionMapper, optional
        Cloned for each fit. Its direction must be "virtual_to_real".
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
        Seeds at a time; no figure depends on it.
    verbose : int
        1 shows a progress bar.

    Returns
    -------
    CalibrationCurve

    Raises
    ------
    DataFormatError
        If labels, a domain or the step are missing, `seconds` is empty, repeats or is not positive, a class has less
        real data than asked for, the mapper moves real windows, or a parameter is out of range.
    UnknownNameError
        If there is no such rule for a shortage.

    Warns
    -----
    DataWarning
        Once for all fits, where `per_class` had too few windows of some classes; and as `frechet_distance` gives it.

    References
    ----------
    Kwon et al., "IMUTube", 2020, section 4.2 and figure 5.
    """
    check_count("n_seeds", n_seeds, 1)
    check_count("max_windows", max_windows, 2)
    check_shrinkage(shrinkage)
    budgets = make_budgets(windows, seconds, shortage, max_block_s)
    rng = np.random.default_rng(random_state)
    study = Study.of(windows, make_mapper(mapper, per_class))
    yardstick = Yardstick.of(study, embed, shrinkage, max_windows, rng)
    warn_if_few(min(len(study.real), len(study.virtual)), len(yardstick.gaussian.mean), shrinkage)
    seeds = rng.integers(2**63, size=n_seeds).tolist()
    jobs = [delayed(_measure_draw)(study, yardstick, budgets, number, seed) for number, seed in enumerate(seeds)]
    done = list(_show_progress(Parallel(n_jobs=n_jobs, return_as="generator")(jobs), n_seeds, verbose))
    all_real, fallback = study.mapped(np.arange(len(study.real)))
    _warn_fallback([("all real windows", fallback), *(pair for draw in done for pair in draw.fallback)], study.mapper)
    return CalibrationCurve(
        frame=pd.DataFrame([row for draw in done for row in draw.rows]).sort_values(
            ["seconds", "seed"], ignore_index=True
        ),
        all_real=pd.Series(yardstick.measure(all_real)),
        unmapped=pd.Series(yardstick.measure(study.virtual)),
        how=_describe(windows, study, yardstick, embed, shrinkage, max_block_s, n_seeds, random_state),
    )


class _Draw(NamedTuple):
    """Rows of the frame, and the classes that fell back by seconds, of one seed."""

    rows: list[dict[str, float]]
    fallback: list[tuple[str, list[Any]]]


def _measure_draw(study: Study, yardstick: Yardstick, budgets: list[LabelBudget], number: int, seed: int) -> _Draw:
    rows, fallback = [], []
    for budget in budgets:
        kept = study.draw(budget, seed)
        virtual, classes = study.mapped(kept)
        rows.append({"seconds": budget.seconds, "seed": number, **yardstick.measure(virtual), "n_real": len(kept)})
        fallback.append((f"{budget.seconds:g} s a class", classes))
    return _Draw(rows, fallback)


def _warn_fallback(found: list[tuple[str, list[Any]]], mapper: RankDistributionMapper) -> None:
    """Say in one warning which classes had no map of their own, and how often by seconds."""
    classes: dict[str, set[str]] = {}
    for seconds, labels in found:
        classes.setdefault(seconds, set()).update(map(str, labels))
    reasons = [f"{', '.join(sorted(labels))} with {seconds}" for seconds, labels in classes.items() if labels]
    if reasons:
        warn_caller(
            f"Classes with fewer than min_class_rows={mapper.min_class_rows} windows in one domain went through the "
            f"map over all classes, in some draws at least: {'; '.join(reasons)}."
        )


def _describe(
    windows: WindowSet,
    study: Study,
    yardstick: Yardstick,
    embed: Embedding,
    shrinkage: Shrinkage,
    max_block_s: float | None,
    n_seeds: int,
    random_state: Any,
) -> dict[str, Any]:
    return {
        "protocol": "virtual windows mapped by means of some real windows, compared with all real windows",
        "mapper": str(study.mapper),
        "embed": "ECDFFeatures(n_components=15)" if embed is None else getattr(embed, "__name__", str(embed)),
        "n_features": len(yardstick.gaussian.mean),
        "shrinkage": shrinkage,
        "bandwidth": yardstick.bandwidth,
        "n_real": len(study.real),
        "n_virtual": len(study.virtual),
        "n_compared_by_ks_js_mmd": [len(yardstick.real_part), len(yardstick.virtual_part)],
        "window_step_s": float(windows.attrs["window_step_s"]),
        "max_block_s": max_block_s,
        "n_seeds": n_seeds,
        "random_state": int(random_state) if isinstance(random_state, Integral) else str(random_state),
    }


def _show_progress(results: Any, total: int, verbose: int) -> Any:
    from tqdm.auto import tqdm

    # tqdm takes None for "only in a terminal".
    return tqdm(results, total=total, unit=" seed", disable=None if verbose else True)
