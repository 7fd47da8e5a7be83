"""Curve: scores of protocols over amounts of training data, each point of several draws, and what they say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from har_virtual.evaluation.intervals import bootstrap_interval, can_decide, paired_difference
from har_virtual.evaluation.metrics import macro_f1
from har_virtual.exceptions import DataFormatError, UnknownNameError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from har_virtual.evaluation.displays import LearningCurveDisplay, RatioDisplay

Labels = tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class Curve:
    """Predictions at each point of a curve, in several draws; `learning_curve` and `ratio_curve` make it.

    Parameters
    ----------
    points : DataFrame
        One row a point: ``protocol``; ``seconds`` of real training data a class (the budget); ``ratio`` of virtual to
        real training windows a class (0: real ones only; NaN: all virtual ones); and, averaged over folds and draws,
        ``n_real`` and ``n_virtual`` (windows that trained the classifier), ``real_rows_used`` and ``real_labels_used``
        (real windows that anything learned from, and labels of them).
    y_pred : array of int, shape (n_points, n_draws, n_test)
        Predictions, as positions in `classes`.
    rows, y_true, groups : array of shape (n_test,)
        Position in the WindowSet, label and subject of each test window: the same in every draw.
    classes : array of shape (n_classes,)
        All labels, sorted.
    baseline : str
        Protocol that the others are compared with at the same seconds.
    over : {"seconds", "ratio"}
        What the curve runs over.
    how : mapping
        What `Evaluation.how` has, seeds of the draws, and warnings, in values that JSON can hold.
    """

    points: pd.DataFrame
    y_pred: np.ndarray
    rows: np.ndarray
    y_true: np.ndarray
    groups: np.ndarray
    classes: np.ndarray
    baseline: str
    over: Literal["seconds", "ratio"]
    how: Mapping[str, Any]

    def __repr__(self) -> str:
        n_points, n_draws, n_test = self.y_pred.shape
        return (
            f"Curve({n_points} points over {self.over}, {n_draws} draws, {n_test} windows of "
            f"{len(np.unique(self.groups))} subjects, baseline={self.baseline!r})"
        )

    @property
    def frame(self) -> pd.DataFrame:
        """`to_frame` with its default parameters."""
        return self._frame.copy()

    @cached_property
    def _frame(self) -> pd.DataFrame:
        # Of a million predictions it takes a while, and a frame is asked for column by column.
        return self.to_frame()

    def predictions(self, point: int) -> Labels:
        """Give the predictions of all draws at a point, one after the other.

        Parameters
        ----------
        point : int
            Row of `points`.

        Returns
        -------
        y_true, y_pred, groups : arrays of shape (n_draws * n_test,)
            As `bootstrap_interval` and `paired_difference` take them.
        """
        y_pred = self.classes[self.y_pred[point].ravel()]
        return np.tile(self.y_true, self._n_draws), y_pred, np.tile(self.groups, self._n_draws)

    def to_frame(self, *, n_resamples: int = 2000, level: float = 0.95, random_state: int | None = 0) -> pd.DataFrame:
        """Give the scores, one row a point.

        The draws of a point are pooled. An interval (expanded, see `bootstrap_interval`) resamples subjects, each with
        all its windows in all draws, so it says what other people might have given; ``sd_over_draws`` says what another
        draw of real windows, of virtual ones and of the classifier's seed might have.

        Parameters
        ----------
        n_resamples, level, random_state
            As in `bootstrap_interval`.

        Returns
        -------
        DataFrame
            ``protocol``, ``seconds``, ``ratio``; ``macro_f1`` pooled over draws with the interval ``low`` to ``high``;
            ``sd_over_draws`` (n - 1) of the draws' macro-F1; ``difference`` to the baseline at the same seconds,
            ``difference_low`` and ``difference_high``, paired over subjects; ``n_real``, ``n_virtual``,
            ``real_rows_used``, ``real_labels_used`` as in `points`. What needs two subjects, or two draws, is NaN
            where there is one.
        """
        options = {"n_resamples": n_resamples, "level": level, "method": "expanded", "random_state": random_state}
        labels = [self._coded(point) for point in range(len(self.points))]
        scores = [
            self._score(point, labels[point], labels[against], options)
            for point, against in enumerate(self._baseline_points())
        ]
        keys = ["protocol", "seconds", "ratio"]
        amounts = self.points.drop(columns=keys)
        return pd.concat([self.points[keys], pd.DataFrame(scores, index=self.points.index), amounts], axis=1)

    def best(self, protocol: str) -> pd.Series:
        """Give the point of a protocol with the highest macro-F1, chosen on the test set.

        Such a choice flatters the score, since nobody knows it before the test. IMUTube's tables 1 to 3 report it; it
        is here for comparison with them, never as what to expect.

        Parameters
        ----------
        protocol : str

        Returns
        -------
        Series
            A row of `frame`, named "best, chosen on the test set"; of equal scores that with the least data.

        Raises
        ------
        UnknownNameError
            If the curve has no such protocol.
        """
        frame = self.frame
        own = frame[frame["protocol"] == protocol]
        if own.empty:
            raise UnknownNameError(
                f"The curve has no protocol {protocol!r}, but {', '.join(map(repr, frame['protocol'].unique()))}."
            )
        return own.loc[own["macro_f1"].idxmax()].rename("best, chosen on the test set")

    def verdict(self, *, level: float = 0.95) -> pd.DataFrame:
        """Say at each point whether virtual data help.

        Parameters
        ----------
        level : float, default=0.95
            Nominal coverage of the intervals.

        Returns
        -------
        DataFrame
            Each point that is not the baseline's: ``protocol``, ``seconds``, ``ratio``, ``difference``,
            ``difference_low``, ``difference_high`` of `to_frame`, and ``verdict``: "helps" where the whole paired
            interval lies above zero, "harms" where it lies below, else "undecided". With fewer than six subjects all is
            undecided (at 95 %): that all of so few are better off happens too often by chance. Each interval holds for
            its own point: of twenty points where virtual data make no difference about one is decided by chance.
        """
        columns = ["protocol", "seconds", "ratio", "difference", "difference_low", "difference_high"]
        table = self.to_frame(level=level).loc[self.points["protocol"] != self.baseline, columns].reset_index(drop=True)
        decides = can_decide(len(np.unique(self.groups)), level)
        decided = [decides & (table["difference_low"] > 0), decides & (table["difference_high"] < 0)]
        return table.assign(verdict=np.select(decided, ["helps", "harms"], "undecided"))

    def plot(self, ax: Axes | None = None, **options: Any) -> LearningCurveDisplay | RatioDisplay:
        """Draw the curve: `LearningCurveDisplay` or `RatioDisplay`, whose ``from_curve`` takes the options."""
        from har_virtual.evaluation.displays import LearningCurveDisplay, RatioDisplay

        display = LearningCurveDisplay if self.over == "seconds" else RatioDisplay
        return display.from_curve(self, ax=ax, **options)

    @property
    def _n_draws(self) -> int:
        return self.y_pred.shape[1]

    def _coded(self, point: int) -> Labels:
        """Give `predictions` as numbers, which are counted faster than text."""
        truth = np.searchsorted(self.classes, self.y_true)
        subjects = np.unique(self.groups, return_inverse=True)[1]
        return np.tile(truth, self._n_draws), self.y_pred[point].ravel(), np.tile(subjects, self._n_draws)

    def _baseline_points(self) -> list[int]:
        """Give the point that each point is compared with."""
        seconds = self.points["seconds"].to_numpy()
        own = np.flatnonzero(self.points["protocol"] == self.baseline)
        found = [own[seconds[own] == value] for value in seconds]
        if any(len(candidates) != 1 for candidates in found):
            raise DataFormatError(f"The baseline {self.baseline!r} needs one point at each of the curve's seconds.")
        return [int(candidates[0]) for candidates in found]

    def _score(self, point: int, own: Labels, other: Labels, options: Mapping[str, Any]) -> dict[str, float]:
        nan = float("nan")
        by_draw = [macro_f1(*pair) for pair in zip(np.split(own[0], self._n_draws), self.y_pred[point], strict=True)]
        score = macro_f1(own[0], own[1])
        row = {
            "macro_f1": score,
            "low": nan,
            "high": nan,
            "sd_over_draws": float(np.std(by_draw, ddof=1)) if self._n_draws > 1 else nan,
            "difference": score - macro_f1(other[0], other[1]),
            "difference_low": nan,
            "difference_high": nan,
        }
        if len(np.unique(own[2])) < 2:
            return row
        interval, paired = bootstrap_interval(own, **options), paired_difference(own, other, **options).interval
        row |= {"low": interval.low, "high": interval.high}
        return row | {"difference_low": paired.low, "difference_high": paired.high}
