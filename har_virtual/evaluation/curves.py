"""How scores change with the amount of real data, and with the ratio of virtual to real data.

Both curves cut the real training data before every fit, so that whatever virtual windows gain, no rotation, map or
classifier has seen more real data than the point says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any, Literal

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.ensemble import RandomForestClassifier

from har_virtual.adaptation import RankDistributionMapper, SensorAligner
from har_virtual.checks import check_amounts, check_positive
from har_virtual.evaluation._draws import Draw, run_draws
from har_virtual.evaluation._inputs import check_domains, check_estimators, unset_seeds
from har_virtual.evaluation.curve import Curve
from har_virtual.evaluation.experiment import Settings, Shortage
from har_virtual.evaluation.feature_bank import FeatureBank
from har_virtual.evaluation.protocols import PROTOCOLS, Protocol, find_protocols
from har_virtual.exceptions import DataFormatError, UnknownNameError
from har_virtual.model_selection import HoldOut
from har_virtual.windows import WindowSet

__all__ = ["Curve", "learning_curve", "ratio_curve"]


def learning_curve(
    windows: WindowSet,
    seconds: Sequence[float],
    protocols: str | Protocol | Sequence[str | Protocol] = ("R2R", "Mix2R mapped"),
    *,
    virtual_ratio: float | None = 1.0,
    baseline: str = "R2R",
    n_draws: int = 10,
    classifier: BaseEstimator | None = None,
    features: BaseEstimator | Literal["passthrough"] | None = None,
    aligner: SensorAligner | None = None,
    mapper: RankDistributionMapper | None = None,
    hold_out: HoldOut | None = None,
    tune: Mapping[str, Sequence[Any]] | None = None,
    max_block_s: float | None = None,
    shortage: Shortage = "raise",
    random_state: int | None = 0,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> Curve:
    """Evaluate protocols with little and with much real training data (IMUTube, figure 6).

    A draw keeps so many seconds of each class of the training subjects' real windows, the same for all protocols;
    those of a smaller budget are among those of a larger one. Each draw has its own seed, which also chooses virtual
    windows and seeds the classifier. Test windows are never cut.

    Parameters
    ----------
    windows : WindowSet
        As `evaluate` takes them, with ``attrs["window_step_s"]``.
    seconds : sequence of float
        Label budgets: real seconds of each class, in any order. One more than there are with ``shortage="keep_all"``
        is all of them; ``n_real`` says how many windows that were.
    protocols : str, Protocol or sequence of these
        As `evaluate` takes them; `baseline` among them.
    virtual_ratio : float or None, default=1.0
        Virtual windows of a class for each real one, where a protocol trains on both and has no ratio of its own. None:
        all virtual windows. Where a protocol trains on virtual windows only all of them train.
    baseline : str, default="R2R"
        Protocol that the others are compared with.
    n_draws : int, default=10
        For one `random_state` fewer draws are the first of more.
    classifier, features, aligner, mapper, hold_out, tune, max_block_s, shortage
        As in `evaluate`. A classifier that has a seed has the same in all draws; one that has none gets the draw's.
        Windows of a validation subject are not cut; ``real_rows_used`` counts them.
    random_state : int or None, default=0
        Seeds the draws.
    n_jobs : int, optional
        Folds at a time, in threads, as in `evaluate`; no figure depends on it. A hold-out is one fold: there give the
        classifier its own.
    verbose : int, default=0
        1 shows a progress bar.

    Returns
    -------
    Curve

    Raises
    ------
    DataFormatError
        If budgets or draws are no such numbers, a class has less data than the largest budget or ratio asks for (this
        is found before anything is fitted), or as `evaluate`.
    UnknownNameError
        If there is no such protocol or subject, or `baseline` is not among the protocols.
    FoldError
        As `evaluate`.

    Warns
    -----
    DataWarning
        What `evaluate` warns of, once for the whole curve; ``how["warnings"]`` has all texts.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from har_virtual import WindowSet
    >>> from har_virtual.evaluation import learning_curve
    >>> rng = np.random.default_rng(0)
    >>> y = np.tile(np.repeat(["sit", "walk"], 20), 6)
    >>> X = rng.normal(scale=np.where(y == "walk", 3.0, 0.5)[:, None, None], size=(len(y), 30, 3))
    >>> metadata = pd.DataFrame(
    ...     {
    ...         "subject": np.tile(np.repeat(list("abc"), 40), 2),
    ...         "domain": np.repeat(["real", "virtual"], 120),
    ...         **{"dataset": "toy", "session": "1", "recording": 0, "start_s": 0.0, "stop_s": 1.0},
    ...     }
    ... )
    >>> channels = [f"left_wrist_acc_{axis}" for axis in "xyz"]
    >>> windows = WindowSet(X, y, metadata, channels, 30.0, {"window_step_s": 1.0})
    >>> curve = learning_curve(windows, [2, 10], n_draws=2)
    >>> curve.frame[["protocol", "seconds", "macro_f1", "n_real", "n_virtual"]]
           protocol  seconds  macro_f1  n_real  n_virtual
    0           R2R      2.0       1.0     4.0        0.0
    1           R2R     10.0       1.0    20.0        0.0
    2  Mix2R mapped      2.0       1.0     4.0        4.0
    3  Mix2R mapped     10.0       1.0    20.0       20.0
    """
    if virtual_ratio is not None:
        check_positive("virtual_ratio", virtual_ratio)
    found = [_with_ratio(protocol, virtual_ratio) for protocol in find_protocols(protocols)]
    if baseline not in [protocol.name for protocol in found]:
        raise UnknownNameError(
            f"The baseline {baseline!r} is not among the protocols {[protocol.name for protocol in found]}: add it to "
            "them, or name another as baseline."
        )
    budgets = check_amounts("seconds", seconds)
    check_domains(windows, found)
    check_estimators(classifier, features, aligner, mapper, tune, windows.channels)
    bank = FeatureBank(windows, features, aligner=aligner, mapper=mapper)
    settings = Settings(classifier, hold_out, tune, None, max_block_s, shortage, random_state)
    draws = run_draws(bank, found, budgets, settings, n_draws, n_jobs, verbose)
    return _assemble(windows, found, draws, baseline, "seconds", classifier)


def ratio_curve(
    windows: WindowSet,
    ratios: Sequence[float] = (0, 1, 2, 5, 10),
    protocol: str | Protocol = "Mix2R mapped",
    *,
    real_seconds_per_class: float = 300.0,
    n_draws: int = 10,
    classifier: BaseEstimator | None = None,
    features: BaseEstimator | Literal["passthrough"] | None = None,
    aligner: SensorAligner | None = None,
    mapper: RankDistributionMapper | None = None,
    hold_out: HoldOut | None = None,
    tune: Mapping[str, Sequence[Any]] | None = None,
    max_block_s: float | None = None,
    shortage: Shortage = "raise",
    random_state: int | None = 0,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> Curve:
    """Add more and more virtual windows to a fixed amount of real ones (IMUTube, table 5).

    Parameters
    ----------
    windows : WindowSet
        As in `learning_curve`.
    ratios : sequence of float, default=(0, 1, 2, 5, 10)
        Virtual windows of a class for each real one. 0 is "R2R", the baseline, which is evaluated in any case. In a
        draw the virtual windows of a smaller ratio are among those of a larger one.
    protocol : str or Protocol, default="Mix2R mapped"
        One that trains on both.
    real_seconds_per_class : float, default=300.0
        Label budget, the same at every point.
    n_draws, classifier, features, aligner, mapper, hold_out, tune, max_block_s, shortage, random_state, n_jobs, verbose
        As in `learning_curve`. With ``shortage="keep_all"`` a class that has too few virtual windows keeps all that it
        has; ``n_virtual`` says how many were used.

    Returns
    -------
    Curve

    Raises
    ------
    DataFormatError
        If the protocol does not train on both, or as `learning_curve`.
    UnknownNameError
        If there is no such protocol or subject.
    FoldError
        As `evaluate`.

    Warns
    -----
    DataWarning
        As `learning_curve`.
    """
    mixed, *more = find_protocols(protocol)
    if more or mixed.train_on != "both" or mixed.virtual_ratio is not None:
        raise DataFormatError(
            f"A curve over ratios needs a protocol that trains on both and leaves the ratio open, such as "
            f"'Mix2R mapped', not {protocol!r}."
        )
    above = [ratio for ratio in check_amounts("ratios", ratios, from_zero=True) if ratio > 0]
    found = [PROTOCOLS["R2R"], *(replace(mixed, name=_name(mixed, ratio), virtual_ratio=ratio) for ratio in above)]
    budget = check_positive("real_seconds_per_class", real_seconds_per_class)
    check_domains(windows, found)
    check_estimators(classifier, features, aligner, mapper, tune, windows.channels)
    bank = FeatureBank(windows, features, aligner=aligner, mapper=mapper)
    settings = Settings(classifier, hold_out, tune, None, max_block_s, shortage, random_state)
    draws = run_draws(bank, found, [budget], settings, n_draws, n_jobs, verbose)
    curve = _assemble(windows, found, draws, "R2R", "ratio", classifier)
    names = curve.points["protocol"].where(curve.points["ratio"] == 0, mixed.name)
    return replace(curve, points=curve.points.assign(protocol=names))


def _assemble(
    windows: WindowSet,
    protocols: Sequence[Protocol],
    draws: Mapping[tuple[float, int], Draw],
    baseline: str,
    over: Literal["seconds", "ratio"],
    classifier: BaseEstimator | None,
) -> Curve:
    """Put the draws together, point by point: protocol by protocol, and with more and more data."""
    budgets, seeds = sorted({seconds for seconds, _ in draws}), list(dict.fromkeys(seed for _, seed in draws))
    points, y_pred = [], []
    for (number, protocol), seconds in product(enumerate(protocols), budgets):
        own = [draws[seconds, seed] for seed in seeds]
        amounts = pd.DataFrame([draw.amounts[number] for draw in own]).mean().to_dict()
        points.append({"protocol": protocol.name, "seconds": seconds, "ratio": _ratio(protocol)} | amounts)
        y_pred.append([draw.y_pred[number] for draw in own])
    first = next(iter(draws.values()))
    texts = dict.fromkeys(text for draw in draws.values() for _, text in draw.caught)
    varied = {"real_seconds_per_class": budgets, "random_state": seeds, "warnings": list(texts)}
    template = RandomForestClassifier(50) if classifier is None else classifier
    if unset_seeds(template):
        varied["classifier"] = f"{template!r}, seeded with the draw's random_state"
    y = np.asarray(windows.y)
    return Curve(
        points=pd.DataFrame(points),
        y_pred=np.array(y_pred),
        rows=first.rows,
        y_true=y[first.rows],
        groups=windows.groups[first.rows],
        classes=np.unique(y),
        baseline=baseline,
        over=over,
        how=dict(first.how) | varied,
    )


def _ratio(protocol: Protocol) -> float:
    """Give the virtual windows for each real one, NaN where all of them train."""
    if protocol.train_on == "real":
        return 0.0
    return float("nan") if protocol.virtual_ratio is None else float(protocol.virtual_ratio)


def _name(protocol: Protocol, ratio: float) -> str:
    return f"{protocol.name} 1:{str(ratio).removesuffix('.0')}"


def _with_ratio(protocol: Protocol, virtual_ratio: float | None) -> Protocol:
    if protocol.train_on != "both" or protocol.virtual_ratio is not None:
        return protocol
    return replace(protocol, virtual_ratio=virtual_ratio)
