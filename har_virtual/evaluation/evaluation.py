"""Evaluation: the predictions of several protocols on the same test windows, and the tables made of them."""

from __future__ import annotations

from collections.abc import Iterator, KeysView, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from har_virtual.evaluation.intervals import paired_difference, wilson_interval
from har_virtual.evaluation.metrics import per_class_f1
from har_virtual.evaluation.out_of_fold import OutOfFold
from har_virtual.exceptions import UnknownNameError


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Results of protocols, by name; `evaluate` makes it.

    Parameters
    ----------
    results : mapping of str to OutOfFold
        In the order asked for, all of the same test windows. Where somebody validated, `folds` of each has also
        ``validated`` (subjects) and ``n_validation`` (windows), and where parameters were tuned ``validation_f1`` and
        ``params``; the validation subject's windows and labels are counted in ``real_rows_used`` and
        ``real_labels_used``.
    amounts : DataFrame
        How much data there was; see `describe_amounts`.
    how : mapping
        Split, what validation windows were for, tuning, classifier, features, aligner and mapper (None: the default
        ones), protocols, budget, seed and windows, in values that JSON can hold: what has to be printed beside the
        scores.
    """

    results: Mapping[str, OutOfFold]
    amounts: pd.DataFrame
    how: Mapping[str, Any]

    def __getitem__(self, name: str) -> OutOfFold:
        if name not in self.results:
            raise UnknownNameError(f"{name!r} was not evaluated, but {', '.join(map(repr, self.results))}.")
        return self.results[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.results)

    def __len__(self) -> int:
        return len(self.results)

    def keys(self) -> KeysView[str]:
        """Give the names of the protocols, so that ``dict(evaluation)`` has the results."""
        return self.results.keys()

    def __repr__(self) -> str:
        scores = ", ".join(f"{name}: {result.macro_f1:.3f}" for name, result in self.results.items())
        return f"Evaluation({self.how['split']}; macro_f1 {scores})"

    def table(self, baseline: str | None = "R2R", *, level: float = 0.95) -> pd.DataFrame:
        """Give the figures to report, one row a protocol.

        Parameters
        ----------
        baseline : str, optional
            Protocol that the others are compared with. None, or "R2R" where it was not evaluated: no comparison.
        level : float, default=0.95
            Nominal coverage of the intervals.

        Returns
        -------
        DataFrame
            Indexed by ``protocol``: what `OutOfFold.summary` gives; ``wilson_low`` and ``wilson_high``, the papers'
            interval, which takes overlapping windows of few people for independent and is far too narrow; and
            ``difference``, ``difference_low`` and ``difference_high``, pooled macro-F1 less that of the baseline with
            the paired bootstrap over subjects. Intervals over subjects are expanded ones (`bootstrap_interval`); with
            fewer than six subjects they decide nothing, and with one there is none: NaN.
        """
        compared = self.results.get(baseline or "")
        if baseline not in (None, "R2R"):
            self[str(baseline)]
        rows = {name: self._row(result, compared, level) for name, result in self.results.items()}
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("protocol")

    def to_frame(self) -> pd.DataFrame:
        """Give all predictions as a table: protocol, and what `OutOfFold.to_frame` has, one row a test window."""
        parts = [result.to_frame().assign(protocol=name) for name, result in self.results.items()]
        table = pd.concat(parts, ignore_index=True)
        return table[["protocol", *(column for column in table if column != "protocol")]]

    def per_class(self) -> pd.DataFrame:
        """Give F1 of each class (index) by each protocol (columns), over all test windows."""
        columns = {name: per_class_f1(result.y_true, result.y_pred) for name, result in self.results.items()}
        return pd.DataFrame(columns).rename_axis(columns="protocol")

    def _row(self, result: OutOfFold, baseline: OutOfFold | None, level: float) -> dict[str, float]:
        row = result.summary(level=level, method="expanded")
        wilson = wilson_interval(row["macro_f1"], int(row["n_windows"]), level=level)
        row |= {"wilson_low": wilson.low, "wilson_high": wilson.high}
        if baseline is None:
            return row
        if row["n_subjects"] < 2:
            nan = float("nan")
            return row | {
                "difference": result.macro_f1 - baseline.macro_f1,
                "difference_low": nan,
                "difference_high": nan,
            }
        paired = paired_difference(result, baseline, level=level, method="expanded")
        return row | {
            "difference": paired.difference,
            "difference_low": paired.interval.low,
            "difference_high": paired.interval.high,
        }
