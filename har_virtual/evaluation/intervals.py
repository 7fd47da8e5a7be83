"""How sure a score is: bootstraps over subjects, paired differences, and the interval that the papers print.

Windows of one person overlap and resemble each other, so the unit that is drawn anew is the subject, not the window.
This answers what another group of people of the same size might have given. It holds the fitted recognisers fixed: what
other training subjects or another seed would change is not in the interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import norm
from scipy.stats import t as student

from har_virtual.checks import check_count, check_level, is_finite_number
from har_virtual.evaluation.metrics import SubjectCounts, count_by_subject, macro_f1_of_counts
from har_virtual.exceptions import DataFormatError, UnknownNameError

if TYPE_CHECKING:
    from har_virtual.evaluation.out_of_fold import OutOfFold

Statistic: TypeAlias = Literal["pooled", "mean_over_subjects"]
Method: TypeAlias = Literal["percentile", "expanded"]
Predictions: TypeAlias = "OutOfFold | tuple[ArrayLike, ArrayLike, ArrayLike]"
Runs: TypeAlias = "Predictions | Sequence[Predictions]"


@dataclass(frozen=True)
class Interval:
    """A confidence interval.

    Parameters
    ----------
    low, high : float
    level : float
        Nominal coverage, 0.95 for 95 %.
    method : str
        How it was made.
    """

    low: float
    high: float
    level: float
    method: str

    @property
    def width(self) -> float:
        """`high` less `low`."""
        return self.high - self.low


@dataclass(frozen=True, eq=False)
class PairedDifference:
    """By how much one result is better than another on the same windows.

    Parameters
    ----------
    difference : float
        Positive where the first is better.
    interval : Interval
        Of the difference.
    per_subject : Series
        Difference of the macro-F1 of each subject, indexed by ``subject``.
    share_gained : float
        Share of the subjects for whom the first is strictly better.
    """

    difference: float
    interval: Interval
    per_subject: pd.Series
    share_gained: float


def bootstrap_interval(
    result: Runs,
    *,
    statistic: Statistic = "pooled",
    n_resamples: int = 2000,
    level: float = 0.95,
    method: Method = "percentile",
    random_state: int | np.random.Generator | None = 0,
) -> Interval:
    """Percentile bootstrap of macro-F1 over subjects.

    Each resample draws as many subjects as there are, with replacement; a subject drawn twice counts twice with all
    its windows. A resample is scored on the classes that its subjects did.

    With few subjects the interval itself is coarse and tends to be too narrow: six subjects give 462 different
    resamples, and no resample knows of a person unlike the six. ``method="expanded"`` takes percentiles further out, by
    as much as Student's interval of so many subjects is wider than the normal one. Read it as an order of magnitude
    even so, and compare protocols with `paired_difference`.

    Parameters
    ----------
    result : OutOfFold, tuple (y_true, y_pred, groups), or list of such
        Of a list, such as runs with several seeds on the same test rows, the mean of the scores; a subject is drawn
        with its windows in all of them.
    statistic : {"pooled", "mean_over_subjects"}
        Macro-F1 of all windows together, or the mean of the subjects' macro-F1.
    n_resamples : int
        At least 1.
    level : float
        Between 0 and 1.
    method : {"percentile", "expanded"}, default="percentile"
        Of an expanded one the nominal coverage is about the true one from six subjects on; a percentile one is too
        narrow below some twenty.
    random_state : int, Generator or None

    Returns
    -------
    Interval

    Raises
    ------
    DataFormatError
        If there is one subject only, or a parameter is out of range.
    UnknownNameError
        If there is no such statistic or method.

    References
    ----------
    T. C. Hesterberg (2015). What teachers should know about the bootstrap: resampling in the undergraduate statistics
    curriculum. The American Statistician 69, 371-386 (expanded percentile intervals).

    Examples
    --------
    >>> truth = ["walk", "run"] * 3
    >>> interval = bootstrap_interval((truth, ["walk", "run", "walk", "run", "run", "walk"], list("aabbcc")))
    >>> round(interval.low, 2), round(interval.high, 2)
    (0.0, 1.0)
    """
    runs = _count_runs(result)
    weights = _draw_subjects(len(runs[0].subjects), n_resamples, random_state)
    return _percentiles(_score(runs, weights, statistic), level, method, "bootstrap", len(runs[0].subjects))


def paired_difference(
    a: Runs,
    b: Runs,
    *,
    statistic: Statistic = "pooled",
    n_resamples: int = 2000,
    level: float = 0.95,
    method: Method = "percentile",
    random_state: int | np.random.Generator | None = 0,
) -> PairedDifference:
    """Score of `a` less the score of `b` on the same windows, with a bootstrap over subjects.

    Each resample draws the same subjects for both, so what is hard about a person does not blur the difference. Where
    two recognisers are equally good, a percentile interval of eight people lies wholly on one side of zero in more than
    one of ten cases; an expanded one does so in one of twenty, from six people on.

    Parameters
    ----------
    a, b : OutOfFold, tuple (y_true, y_pred, groups), or list of such
        Of the same test rows in the same order; `OutOfFold` keeps them sorted. Lists as in `bootstrap_interval`.
    statistic, n_resamples, level, method, random_state
        As in `bootstrap_interval`.

    Returns
    -------
    PairedDifference

    Raises
    ------
    DataFormatError
        If the rows, labels or subjects differ, or there is one subject only.
    UnknownNameError
        If there is no such statistic or method.
    """
    _check_same_rows(_runs_of(a)[0], _runs_of(b)[0])
    first, second = _count_runs(a), _count_runs(b)
    subjects = first[0].subjects
    weights = _draw_subjects(len(subjects), n_resamples, random_state)
    once = np.ones((1, len(subjects)))
    difference = _score(first, once, statistic) - _score(second, once, statistic)
    resampled = _score(first, weights, statistic) - _score(second, weights, statistic)
    per_subject = pd.Series(
        _score_subjects(first) - _score_subjects(second),
        index=pd.Index(subjects, name="subject"),
        name="macro_f1_difference",
    )
    interval = _percentiles(resampled, level, method, "paired bootstrap", len(subjects))
    return PairedDifference(float(difference[0]), interval, per_subject, float((per_subject > 0).mean()))


def wilson_interval(f1: float, n_windows: int, *, level: float = 0.95) -> Interval:
    """Wilson's score interval with an F1 put in for the proportion: the "+-" that IMUTube prints.

    For parity with the papers only. It takes F1 for a proportion and every window for an independent trial; but windows
    overlap and come from few people, so it is far too narrow, and the more so the more windows a person has. Use
    `bootstrap_interval` to judge a result.

    Parameters
    ----------
    f1 : float
        From 0 to 1.
    n_windows : int
        Number of test windows.
    level : float
        Between 0 and 1.

    Returns
    -------
    Interval

    Raises
    ------
    DataFormatError
        If a parameter is out of range.

    References
    ----------
    Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference. JASA 22, 209-212.

    Examples
    --------
    >>> interval = wilson_interval(0.7029, 26_500)
    >>> round(interval.width / 2, 4)
    0.0055
    """
    if not is_finite_number(f1) or not 0 <= f1 <= 1:
        raise DataFormatError(f"f1 must be a number from 0 to 1, not {f1!r}.")
    check_count("n_windows", n_windows, 1)
    z = norm.ppf(0.5 + check_level(level) / 2)
    shrink = 1 + z**2 / n_windows
    centre = (f1 + z**2 / (2 * n_windows)) / shrink
    half = z * np.sqrt(f1 * (1 - f1) / n_windows + z**2 / (4 * n_windows**2)) / shrink
    return Interval(max(float(centre - half), 0.0), min(float(centre + half), 1.0), level, "Wilson")


def _runs_of(result: Any) -> list[Any]:
    if isinstance(result, list) and not result:
        raise DataFormatError("There is no result: the list is empty.")
    return result if isinstance(result, list) else [result]


def _count_runs(result: Runs) -> list[SubjectCounts]:
    """Count each run, all of the same test rows."""
    runs = _runs_of(result)
    for run in runs[1:]:
        _check_same_rows(runs[0], run)
    return [count_by_subject(*_labels_of(run)) for run in runs]


def _labels_of(result: Predictions) -> tuple[ArrayLike, ArrayLike, ArrayLike]:
    if isinstance(result, tuple):
        return result
    return result.y_true, result.y_pred, result.groups


def _check_same_rows(a: Predictions, b: Predictions) -> None:
    pairs: list[tuple[str, ArrayLike, ArrayLike]] = [
        ("labels", _labels_of(a)[0], _labels_of(b)[0]),
        ("subjects", _labels_of(a)[2], _labels_of(b)[2]),
    ]
    if not isinstance(a, tuple) and not isinstance(b, tuple):
        pairs.insert(0, ("rows", a.rows, b.rows))
    for what, first, second in pairs:
        if not np.array_equal(np.asarray(first), np.asarray(second)):
            raise DataFormatError(
                f"The two results have different {what}, so they cannot be paired: predict the same test rows of the "
                "same windows with both estimators."
            )


def _draw_subjects(n_subjects: int, n_resamples: int, random_state: int | np.random.Generator | None) -> np.ndarray:
    """How often each subject is in each resample, (n_resamples, n_subjects)."""
    if n_subjects < 2:
        raise DataFormatError(
            "A bootstrap over subjects needs at least two of them, and there is one, which says nothing of how another "
            "person would do: hold out more subjects."
        )
    check_count("n_resamples", n_resamples, 1)
    rng = np.random.default_rng(random_state)
    drawn = rng.multinomial(n_subjects, np.full(n_subjects, 1 / n_subjects), size=n_resamples)
    # Products of floats are fast; sums of whole numbers stay exact.
    return drawn.astype(np.float64)


def _score(runs: list[SubjectCounts], weights: np.ndarray, statistic: str) -> np.ndarray:
    """Score of each resample, averaged over the runs, (n_resamples,)."""
    if statistic == "pooled":
        scores = [
            macro_f1_of_counts(weights @ counts.hits, weights @ counts.truth, weights @ counts.predicted)
            for counts in runs
        ]
        return np.mean(scores, axis=0)
    if statistic == "mean_over_subjects":
        return weights @ _score_subjects(runs) / weights.sum(axis=1)
    raise UnknownNameError(f'statistic must be "pooled" or "mean_over_subjects", not {statistic!r}.')


def _score_subjects(runs: list[SubjectCounts]) -> np.ndarray:
    return np.mean([macro_f1_of_counts(counts.hits, counts.truth, counts.predicted) for counts in runs], axis=0)


def can_decide(n_subjects: int, level: float = 0.95) -> bool:
    """Tell whether so many subjects can tell a better recogniser from an equally good one at all.

    Of two equal ones the first is better for every subject, or the second is, by chance with a probability of
    ``2 ** (1 - n_subjects)``. Where that is more than ``1 - level`` no interval over subjects decides anything: six
    subjects are needed for 95 %.
    """
    return 2.0 ** (1 - n_subjects) <= 1 - level


def _percentiles(values: np.ndarray, level: float, method: str, kind: str, n_subjects: int) -> Interval:
    tail, name = (1 - check_level(level)) / 2, f"{kind} over {n_subjects} subjects"
    if method == "expanded":
        tail = norm.cdf(np.sqrt(n_subjects / (n_subjects - 1)) * student.ppf(tail, n_subjects - 1))
        name = f"expanded {name}"
    elif method != "percentile":
        raise UnknownNameError(f'method must be "percentile" or "expanded", not {method!r}.')
    low, high = np.quantile(values, [tail, 1 - tail])
    return Interval(float(low), float(high), level, name)
