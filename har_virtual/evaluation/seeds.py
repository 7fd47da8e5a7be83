"""The same evaluation with several seeds: what a deep network's first weights and order of windows make of a score."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.ensemble import RandomForestClassifier

from har_virtual.adaptation import RankDistributionMapper, SensorAligner
from har_virtual.checks import check_count
from har_virtual.evaluation._inputs import check_domains, check_estimators, set_seeds
from har_virtual.evaluation.amounts import describe_amounts
from har_virtual.evaluation.evaluation import Evaluation
from har_virtual.evaluation.experiment import Settings, evaluate_bank
from har_virtual.evaluation.feature_bank import FeatureBank
from har_virtual.evaluation.intervals import bootstrap_interval, paired_difference, wilson_interval
from har_virtual.evaluation.out_of_fold import OutOfFold
from har_virtual.evaluation.protocols import DEFAULT_PROTOCOLS, Protocol, find_protocols
from har_virtual.exceptions import DataFormatError, UnknownNameError
from har_virtual.windows import WindowSet


@dataclass(frozen=True, eq=False)
class SeededEvaluations:
    """Evaluations of the same protocols on the same folds, by seed; `evaluate_seeds` makes it.

    Parameters
    ----------
    evaluations : mapping of int to Evaluation
        In the order asked for.
    how : mapping
        As `Evaluation.how`, ``random_state`` being the seeds and ``classifier`` the one that was given.
    """

    evaluations: Mapping[int, Evaluation]
    how: Mapping[str, Any]

    def __getitem__(self, seed: int) -> Evaluation:
        if seed not in self.evaluations:
            raise UnknownNameError(f"There is no seed {seed!r}, but {list(self.evaluations)}.")
        return self.evaluations[seed]

    def __iter__(self) -> Iterator[int]:
        return iter(self.evaluations)

    def __len__(self) -> int:
        return len(self.evaluations)

    def __repr__(self) -> str:
        scores = ", ".join(f"{name}: {score:.3f}" for name, score in self.scores().mean(axis=1).items())
        return f"SeededEvaluations({len(self)} seeds, {self.how['split']}; mean macro_f1 {scores})"

    def scores(self) -> pd.DataFrame:
        """Give macro-F1 of each protocol (index) with each seed (columns)."""
        columns = {seed: {name: each[name].macro_f1 for name in each} for seed, each in self.evaluations.items()}
        return pd.DataFrame(columns).rename_axis(index="protocol", columns="seed")

    def to_frame(self) -> pd.DataFrame:
        """Give all predictions as a table: seed, and what `Evaluation.to_frame` has."""
        parts = [evaluation.to_frame().assign(seed=seed) for seed, evaluation in self.evaluations.items()]
        table = pd.concat(parts, ignore_index=True)
        return table[["seed", *(column for column in table if column != "seed")]]

    def table(self, baseline: str | None = "R2R", *, level: float = 0.95) -> pd.DataFrame:
        """Give the figures to report, one row a protocol.

        Parameters
        ----------
        baseline, level
            As in `Evaluation.table`.

        Returns
        -------
        DataFrame
            The columns of `Evaluation.table`. Scores are means over the seeds of each seed's score, `difference` too.
            Intervals resample subjects, each with its windows under all seeds, so they say what other people might have
            given; with fewer than six subjects they decide nothing, and with one there is none: NaN. ``sd_over_seeds``
            (n - 1; NaN with one seed) says what another seed might have given. ``n_windows`` is the number of test
            windows, whatever the number of seeds.
        """
        first = next(iter(self.evaluations.values()))
        if baseline not in (None, "R2R"):
            first[str(baseline)]
        compared = None if baseline is None or baseline not in first else self._runs(baseline)
        spread = self.scores().std(axis=1, ddof=1)
        rows = {name: self._row(name, compared, level) | {"sd_over_seeds": spread[name]} for name in first}
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("protocol")

    def _runs(self, name: str) -> list[OutOfFold]:
        return [evaluation[name] for evaluation in self.evaluations.values()]

    def _row(self, name: str, compared: list[OutOfFold] | None, level: float) -> dict[str, float]:
        runs, nan = self._runs(name), float("nan")
        # The intervals of single runs are replaced below.
        single = [run.summary(n_resamples=1) for run in runs]
        row = pd.DataFrame(single).mean().to_dict() | {name: single[0][name] for name in ("n_subjects", "n_windows")}
        wilson = wilson_interval(row["macro_f1"], int(row["n_windows"]), level=level)
        row |= {"low": nan, "high": nan, "wilson_low": wilson.low, "wilson_high": wilson.high}
        if compared is not None:
            by_seed = [run.macro_f1 - other.macro_f1 for run, other in zip(runs, compared, strict=True)]
            row |= {"difference": float(np.mean(by_seed)), "difference_low": nan, "difference_high": nan}
        if row["n_subjects"] < 2:
            return row
        interval = bootstrap_interval(runs, level=level, method="expanded")
        row |= {"low": interval.low, "high": interval.high}
        if compared is not None:
            paired = paired_difference(runs, compared, level=level, method="expanded").interval
            row |= {"difference_low": paired.low, "difference_high": paired.high}
        return row


def evaluate_seeds(
    windows: WindowSet,
    protocols: str | Protocol | Sequence[str | Protocol] = DEFAULT_PROTOCOLS,
    *,
    seeds: Sequence[int] = (0, 1, 2),
    classifier: BaseEstimator | None = None,
    features: BaseEstimator | Literal["passthrough"] | None = None,
    aligner: SensorAligner | None = None,
    mapper: RankDistributionMapper | None = None,
    tune: Mapping[str, Sequence[Any]] | None = None,
    n_jobs: int | None = None,
    verbose: int = 0,
    **options: Any,
) -> SeededEvaluations:
    """Evaluate with one seed after another; folds and test windows are the same.

    IMUTube's tables average three runs of its deep models. A seed is the `random_state` of `evaluate`: it goes to the
    classifier, to a budget's draw and to the draw of virtual windows. Features that learn nothing are calculated once
    for all seeds.

    Parameters
    ----------
    windows, protocols
        As in `evaluate`.
    seeds : sequence of int, default=(0, 1, 2)
    classifier : estimator, optional
        As in `evaluate`. Its `random_state`, and those of estimators within it, must be None: one that is the same in
        all runs would hide a part of what a seed does.
    features, aligner, mapper, tune, n_jobs, verbose
        As in `evaluate`.
    **options
        `hold_out`, `real_seconds_per_class`, `max_block_s` and `shortage`, as in `evaluate`.

    Returns
    -------
    SeededEvaluations

    Raises
    ------
    DataFormatError
        If there is no seed, one comes twice or is no whole number, the classifier has a seed of its own beside several
        ones, or as `evaluate`.
    UnknownNameError, FoldError
        As `evaluate`.

    Warns
    -----
    DataWarning
        As `evaluate`: of the windows once, of what a fold's fits fall back to for each seed.

    Examples
    --------
    >>> import numpy as np
    >>> from har_virtual import Recording, segment_recordings
    >>> from har_virtual.evaluation import evaluate_seeds
    >>> rng = np.random.default_rng(0)
    >>> channels = [f"left_wrist_acc_{axis}" for axis in "xyz"]
    >>> windows = segment_recordings(
    ...     (
    ...         Recording(size * rng.normal(size=(600, 3)), 30, channels, subject=who, labels=label)
    ...         for who in "abc"
    ...         for label, size in {"sit": 1, "walk": 3}.items()
    ...     ),
    ...     window_length_s=1.0,
    ... )
    >>> evaluate_seeds(windows, "R2R", seeds=(0, 1)).table()[["macro_f1", "sd_over_seeds"]]
              macro_f1  sd_over_seeds
    protocol
    R2R            1.0            0.0
    """
    given = _check_seeds(seeds)
    chosen = find_protocols(protocols)
    check_domains(windows, chosen)
    check_estimators(classifier, features, aligner, mapper, tune, windows.channels)
    template = RandomForestClassifier(50) if classifier is None else classifier
    own = set_seeds(template)
    if len(given) > 1 and own:
        raise DataFormatError(
            f"{template!r} has a seed of its own, {', '.join(own)}, which would be the same all {len(given)} times: "
            "set it to None."
        )
    bank = FeatureBank(windows, features, aligner=aligner, mapper=mapper)
    settings = Settings(classifier, tune=tune, random_state=given[0], **options)
    amounts, evaluations = describe_amounts(windows), {}
    for seed in given:
        evaluation = evaluate_bank(bank, chosen, settings._replace(random_state=seed), n_jobs=n_jobs, verbose=verbose)
        evaluations[seed] = replace(evaluation, amounts=amounts)
    how = dict(evaluations[given[0]].how) | {"random_state": given, "classifier": repr(template)}
    return SeededEvaluations(evaluations, how)


def _check_seeds(seeds: Any) -> list[int]:
    given = list(seeds) if isinstance(seeds, Iterable) else []
    for seed in given:
        check_count("seeds", seed, 0)
    if not given or len(set(given)) < len(given):
        raise DataFormatError(f"Seeds that differ are needed, at least one, such as (0, 1, 2), not {seeds!r}.")
    return [int(seed) for seed in given]
