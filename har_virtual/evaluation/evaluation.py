"""Evaluation: the predictions of several protocols on the same test windows, and the tables made of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
        In the order asked for, all of the same test windows. Where parameters were tuned, `folds` of each has also
        ``validated`` (subjects), ``n_validation`` (windows), ``validation_f1`` and ``params``; the validation
        subject's windows and labels are counted in ``real_rows_used`` and ``real_labels_used``.
    amounts : DataFrame
        How much data there was; see `describe_amounts`.
    how : mapping
        Split, tuning, classifier, features, protocols, budget, seed and windows, in values that JSON can hold: what
        has to be printed beside the scores.
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

    def __repr__(self) -> str:
        scores = ", ".join(f"{name}: {result.macro_f1:.3f}" for name, result in self.results.items())
        return f"Evaluation({self.how['split']}; macro_f1 {scores})"

    def table(self, baseline: str | None = "R2R") -> pd.DataFrame:
        """Give the figures to report, one row a protocol.

        Parameters
        ----------
        baseline : str, optional
            Protocol that the others are compared with. None, or one that was not evaluated: no comparison.

        Returns
        -------
        DataFrame
            Indexed by ``protocol``: what `OutOfFold.summary` gives; ``wilson_low`` and ``wilson_high``, the papers'
            interval, which takes overlapping windows of few people for independent and is far too narrow; and
            ``difference``, ``difference_low`` and ``difference_high``, pooled macro-F1 less that of the baseline with
            the paired bootstrap over subjects. With one test subject there is no interval over subjects: NaN.
        """
        rows = {name: self._row(result, self.results.get(baseline or "")) for name, result in self.results.items()}
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("protocol")

    def per_class(self) -> pd.DataFrame:
        """Give F1 of each class (index) by each protocol (columns), over all test windows."""
        columns = {name: per_class_f1(result.y_true, result.y_pred) for name, result in self.results.items()}
        return pd.DataFrame(columns).rename_axis(columns="protocol")

    def _row(self, result: OutOfFold, baseline: OutOfFold | None) -> dict[str, float]:
        row = result.summary()
        wilson = wilson_interval(row["macro_f1"], int(row["n_windows"]))
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
        paired = paired_difference(result, baseline)
        return row | {
            "difference": paired.difference,
            "difference_low": paired.interval.low,
            "difference_high": paired.interval.high,
        }
