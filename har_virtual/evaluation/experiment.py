"""R2R, V2R and Mix2R on one set of windows, with the same people in training, validation and test."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from sklearn import config_context
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.parallel import Parallel, delayed

from har_virtual.adaptation import RankDistributionMapper, SensorAligner
from har_virtual.evaluation._folds import Fold, Outcome, check_folds, join_names, show_progress
from har_virtual.evaluation._inputs import (
    check_domains,
    check_estimators,
    check_labelled,
    check_ratio,
    check_validation,
    make_seeds,
    takes_validation,
)
from har_virtual.evaluation.amounts import describe_amounts
from har_virtual.evaluation.evaluation import Evaluation
from har_virtual.evaluation.feature_bank import Adapted, FeatureBank
from har_virtual.evaluation.metrics import check_labels
from har_virtual.evaluation.out_of_fold import collect
from har_virtual.evaluation.protocols import DEFAULT_PROTOCOLS, Protocol, find_protocols
from har_virtual.evaluation.real_data import real_data_used
from har_virtual.evaluation.tuning import tune_on_validation
from har_virtual.exceptions import DataFormatError, FoldError
from har_virtual.model_selection import HoldOut, SubjectFold, subject_folds
from har_virtual.windows import WindowSet

Shortage = Literal["raise", "keep_all"]


# Each of scikit-learn's threads empties the filters, which all share, for a moment; a forest that is fitted then warns.
_NOISE = "`sklearn.utils.parallel.delayed` should be used with"


class Settings(NamedTuple):
    """What holds for every protocol and fold."""

    classifier: BaseEstimator | None = None
    """A forest of 50 trees if None; what of it has no seed gets `random_state`."""
    hold_out: HoldOut | None = None
    tune: Mapping[str, Sequence[Any]] | None = None
    real_seconds_per_class: float | None = None
    max_block_s: float | None = None
    shortage: Shortage = "raise"
    random_state: int | None = 0


def evaluate(
    windows: WindowSet,
    protocols: str | Protocol | Sequence[str | Protocol] = DEFAULT_PROTOCOLS,
    *,
    classifier: BaseEstimator | None = None,
    features: BaseEstimator | Literal["passthrough"] | None = None,
    aligner: SensorAligner | None = None,
    mapper: RankDistributionMapper | None = None,
    hold_out: HoldOut | None = None,
    tune: Mapping[str, Sequence[Any]] | None = None,
    real_seconds_per_class: float | None = None,
    max_block_s: float | None = None,
    shortage: Shortage = "raise",
    random_state: int | None = 0,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> Evaluation:
    """Train by each protocol and predict the real windows of people who were in no training row.

    The folds are the same for all protocols: each subject who has real windows is tested in turn
    (leave-one-subject-out), or one group of subjects once (`hold_out`). With `tune` the next subject in order, who
    neither trains nor is tested, chooses the parameters; IMUTube (section 3.1) trains on 13, validates on one and tests
    on one of 15. Rotations, maps and the classifier see training subjects only, and so does a label budget.

    A classifier whose fit requests ``X_val`` and ``y_val``, as deep ones do, gets the validation subject's real windows
    by these names, to say when training stops; so the next subject validates for it without `tune`, too. With `tune`
    the same windows do both.

    It gives what `predict_out_of_fold` gives with `Protocol.pipeline`, but features are calculated once for each
    distinct mapping, not once a protocol and fold, and ``X_val`` is given, which a cross-validation cannot do.

    Parameters
    ----------
    windows : WindowSet
        Real and virtual windows with labels, as `segment_recordings` gives them.
    protocols : str, Protocol or sequence of these, optional
        Names of `PROTOCOLS`, or your own. Default: R2R, four variants of V2R which differ in the real data that they
        take, and two of Mix2R.
    classifier : estimator, optional
        Default: a random forest of 50 trees. Where its `random_state`, or that of an estimator within it, is None it
        gets `random_state`; of several estimators of one class each gets another, made from it. Like a step of a
        Pipeline it gets `groups`, `sample_domain` and `clips` (`WindowSet.clips`) of its training rows if it requests
        them, as a search with whole subjects held out does, and ``X_val`` and ``y_val`` of the validation subject. A
        Pipeline changes these windows like those that train only with ``transform_input=["X_val"]``, and is refused
        without. After ``set_fit_request(X_val=False, y_val=False)``, which scikit-learn offers while metadata routing
        is on, a classifier gets none, and a deep one draws somebody from `groups`.
    features : transformer or "passthrough", optional
        From windows to rows. Default: ``ECDFFeatures(n_components=15)``. "passthrough": the classifier gets windows,
        (n_windows, n_samples, n_channels).
    aligner, mapper : SensorAligner, RankDistributionMapper, optional
        For other parameters than the default ones; the protocol sets `per_class` of the mapper, and the windows name
        the `channels` of an aligner that has none.
    hold_out : HoldOut, optional
        Subjects who validate and subjects who are tested, instead of everybody in turn. `IMUTUBE_HOLD_OUTS` has the
        paper's. Those who validate do not train without `tune` either. Where it names nobody to validate, a classifier
        gets no ``X_val``.
    tune : mapping of str to sequence, optional
        Parameters of the classifier and values to try on the validation subject; `FOREST_GRID` has IMUTube's for a
        forest. Default: nothing is tuned, and nobody validates unless the classifier's fit takes validation rows.
    real_seconds_per_class, max_block_s : float, optional
        Label budget of the training subjects; see `LeaveOneSubjectOut`.
    shortage : {"raise", "keep_all"}, default="raise"
        What to do where a class has less real data than the budget, or less virtual data than a protocol's
        `virtual_ratio` asks for: refuse, or take what there is.
    random_state : int or None, default=0
        Seeds the classifier, the budget's draw and the draw of virtual windows; see `evaluate_seeds` for several.
    n_jobs : int, optional
        Folds at a time, in threads; they share the windows.
    verbose : int, default=0
        1 shows a progress bar.

    Returns
    -------
    Evaluation

    Raises
    ------
    DataFormatError
        If windows have no labels, virtual labels are none of the real ones, a validation subject is a test subject too,
        there are too few subjects, a budget or ratio cannot be met, or a protocol needs virtual windows and there are
        none.
    UnknownNameError
        If there is no such protocol or subject.
    FoldError
        If something fails in a fold; its cause is the original error.

    Warns
    -----
    DataWarning
        Where virtual windows lack a class, or aligner or mapper fall back, once each with the number of folds.

    Notes
    -----
    A subject who did one class only trains and is tested like any other; pooled macro-F1 needs no rule for it, and the
    mean over subjects scores everybody on the classes that they did. A class that no training row of a fold has cannot
    be predicted there: its windows are misses, and ``untrained_classes`` of the result's folds names it.

    References
    ----------
    Kwon et al., "IMUTube: Automatic extraction of virtual on-body accelerometry from video for human activity
    recognition", 2020, sections 3 and 4.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from har_virtual import WindowSet
    >>> from har_virtual.evaluation import evaluate
    >>> rng = np.random.default_rng(0)
    >>> n_subjects, n_each = 4, 10
    >>> y = np.tile(np.repeat(["sit", "walk"], n_each), 2 * n_subjects)
    >>> X = rng.normal(scale=np.where(y == "walk", 3.0, 0.5)[:, None, None], size=(len(y), 30, 3))
    >>> metadata = pd.DataFrame(
    ...     {
    ...         "subject": np.tile(np.repeat(list("abcd"), 2 * n_each), 2),
    ...         "domain": np.repeat(["real", "virtual"], len(y) // 2),
    ...         **{"dataset": "toy", "session": "1", "recording": 0, "start_s": 0.0, "stop_s": 1.0},
    ...     }
    ... )
    >>> windows = WindowSet(X, y, metadata, [f"left_wrist_acc_{axis}" for axis in "xyz"], 30.0)
    >>> evaluate(windows, ["R2R", "V2R mapped"]).table()[["macro_f1", "real_rows_used"]]
                macro_f1  real_rows_used
    protocol
    R2R              1.0            60.0
    V2R mapped       1.0            60.0
    """
    check_labelled(windows)
    chosen = find_protocols(protocols)
    check_domains(windows, chosen)
    check_estimators(classifier, features, aligner, mapper, tune, windows.channels)
    bank = FeatureBank(windows, features, aligner=aligner, mapper=mapper)
    settings = Settings(classifier, hold_out, tune, real_seconds_per_class, max_block_s, shortage, random_state)
    evaluation = evaluate_bank(bank, chosen, settings, n_jobs=n_jobs, verbose=verbose)
    return replace(evaluation, amounts=describe_amounts(windows))


def evaluate_bank(
    bank: FeatureBank,
    protocols: Sequence[Protocol],
    settings: Settings,
    *,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> Evaluation:
    """Evaluate on the windows of a bank, which keeps its features for the next call; amounts are left out."""
    settings = with_classifier(settings)
    windows = bank.windows
    y, groups, domain = np.asarray(windows.y), windows.groups, windows.sample_domain
    parts = split(windows, settings)
    folds = check_folds(((part.train, part.test) for part in parts), groups, domain == 1)
    for part in parts:
        check_validation(part, groups)
        for protocol in protocols:
            check_ratio(protocol, part, y, domain, settings.shortage)
    bank.prepare(protocols)
    failed: list[bool] = []
    jobs = [
        delayed(_try_fold)(failed, bank, protocols, part, fold, settings)
        for part, fold in zip(parts, folds, strict=True)
    ]
    with config_context(enable_metadata_routing=True), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        running = Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator")(jobs)
        done: list[Any] = list(show_progress(running, len(jobs), verbose))
    errors = [outcome for outcome in done if isinstance(outcome, FoldError)]
    if errors:
        raise errors[0]
    _reissue(caught)
    results = {
        protocol.name: collect(folds, [outcomes[protocol.name] for outcomes in done], y, groups, keep=False)
        for protocol in protocols
    }
    return Evaluation(results, pd.DataFrame(), _describe(bank, protocols, settings))


def with_classifier(settings: Settings) -> Settings:
    """Fill in the default classifier, and seeds that are None."""
    classifier = RandomForestClassifier(50) if settings.classifier is None else settings.classifier
    seeds = make_seeds(classifier, settings.random_state)
    return settings._replace(classifier=clone(classifier).set_params(**seeds) if seeds else classifier)


def split(windows: WindowSet, settings: Settings) -> list[SubjectFold]:
    """Say who trains, validates and is tested in each fold; see `subject_folds`."""
    return subject_folds(
        np.asarray(windows.y),
        windows.groups,
        windows.sample_domain,
        hold_out=settings.hold_out,
        validate=settings.tune is not None or (settings.hold_out is None and takes_validation(settings.classifier)),
        real_seconds_per_class=settings.real_seconds_per_class,
        window_step_s=None if settings.real_seconds_per_class is None else _window_step_s(windows),
        max_block_s=settings.max_block_s,
        shortage=settings.shortage,
        random_state=settings.random_state,
    )


def _try_fold(failed: list[bool], *fold: Any) -> dict[str, Outcome] | FoldError | None:
    """Train and predict by every protocol, or give the error; None where another fold has failed already."""
    # A thread that outlived the record of warnings would leave it switched on for good.
    if failed:
        return None
    try:
        return _run_fold(*fold)
    except FoldError as error:
        failed.append(True)
        return error


def _run_fold(
    bank: FeatureBank, protocols: Sequence[Protocol], part: SubjectFold, fold: Fold, settings: Settings
) -> dict[str, Outcome]:
    """Train and predict by every protocol."""
    outcomes, features = {}, bank.fold(part.train)
    for protocol in protocols:
        with _named(protocol, fold):
            outcomes[protocol.name] = _fit_and_predict(bank, features.adapt(protocol), protocol, part, settings)
    return outcomes


def _fit_and_predict(
    bank: FeatureBank, adapted: Adapted, protocol: Protocol, part: SubjectFold, settings: Settings
) -> Outcome:
    selector = protocol.select(settings.classifier, settings.random_state)
    chosen = part.train[selector.choose_rows(bank.y[part.train], bank.virtual[part.train])]
    if not len(chosen):
        raise DataFormatError(f"train_on={protocol.train_on!r} leaves no row to train on.")
    rows, labels, metadata = adapted.take(chosen), bank.y[chosen], bank.metadata(chosen)
    _check_rows(rows, bank)
    validation = _validation_rows(bank, adapted, part, settings)
    requested = get_routing_for_object(selector).consumes("fit", [*metadata, *validation])
    params = {name: value for name, value in (metadata | validation).items() if name in requested}
    more: dict[str, Any] = {}
    if validation:
        more = {"validated": join_names(np.asarray(part.validated)), "n_validation": len(part.validation)}
    if settings.tune is None:
        selector.fit(rows, labels, **params)
    else:
        tuned = tune_on_validation(selector, settings.tune, rows, labels, *validation.values(), **params)
        selector = tuned.estimator
        more |= {"validation_f1": tuned.validation_f1, "params": dict(tuned.params)}
    own = real_data_used(selector, np.count_nonzero(~bank.virtual[chosen]))
    # What validates is beside what trains.
    n_rows = len(part.validation) if validation else 0
    n_labels = n_rows if settings.tune is not None or "y_val" in requested else 0
    used = max(own[0], adapted.real_rows_used) + n_rows, max(own[1], adapted.real_labels_used) + n_labels
    predicted = check_labels("The prediction", selector.predict(adapted.transform(part.test)), n_rows=len(part.test))
    return Outcome(predicted, used, selector.classes_, None, more)


def _check_rows(rows: Any, bank: FeatureBank) -> None:
    if np.ndim(rows) != 2 and not bank.gives_windows:
        raise DataFormatError(
            f"Features must be one row a window, and {type(bank.features).__name__} gives an array of shape "
            f"{np.shape(rows)}: put a step behind it that makes rows, as in make_pipeline(NormChannels(...), "
            'ECDFFeatures()), or let the classifier take windows with features="passthrough".'
        )


def _validation_rows(bank: FeatureBank, adapted: Adapted, part: SubjectFold, settings: Settings) -> dict[str, Any]:
    """Give what validates by the names of fit's parameters; nothing where it is not needed, or nobody validates."""
    needed = settings.tune is not None or takes_validation(settings.classifier)
    if not needed or not len(part.validation):
        return {}
    return {"X_val": adapted.transform(part.validation), "y_val": bank.y[part.validation]}


@contextmanager
def _named(protocol: Protocol, fold: Fold) -> Iterator[None]:
    """Say in which protocol and fold something failed."""
    try:
        yield
    except Exception as error:
        raise FoldError(
            f"{protocol.name!r} failed in the fold that holds out {fold.held_out} ({fold.n_train_real} real and "
            f"{fold.n_train_virtual} virtual training rows): {type(error).__name__}: {error}"
        ) from error


def _window_step_s(windows: WindowSet) -> float:
    if "window_step_s" not in windows.attrs:
        raise DataFormatError(
            'A label budget needs windows.attrs["window_step_s"], the seconds from one window\'s start to the next '
            "one's; segment_recordings sets it."
        )
    return float(windows.attrs["window_step_s"])


def _reissue(caught: list[warnings.WarningMessage]) -> None:
    """Give each warning of the folds once, with the number of times that it came."""
    texts: dict[tuple[type[Warning], str], int] = {}
    for entry in caught:
        key = (entry.category, str(entry.message))
        texts[key] = texts.get(key, 0) + 1
    for (category, text), times in texts.items():
        if text.startswith(_NOISE):
            continue
        warnings.warn(text if times == 1 else f"{text} (in {times} fits)", category, stacklevel=4)


def _describe(bank: FeatureBank, protocols: Sequence[Protocol], settings: Settings) -> dict[str, Any]:
    """Say how it was evaluated, in values that JSON can hold."""
    windows, hold_out = bank.windows, settings.hold_out
    split = "leave-one-subject-out" if hold_out is None else f"hold-out: {hold_out}"
    uses = {
        "chooses parameters": settings.tune is not None,
        "goes to the classifier's fit": takes_validation(settings.classifier),
    }
    validation = [use for use, used in uses.items() if used and (hold_out is None or hold_out.validation)]
    if validation and hold_out is None:
        split += ", the next subject in order validates"
    how = {
        "split": split,
        "validation": " and ".join(validation) or None,
        "tuned": None if settings.tune is None else {name: list(values) for name, values in settings.tune.items()},
        "classifier": repr(settings.classifier),
        "features": bank.features if bank.gives_windows else repr(bank.features),
        "aligner": bank.aligner,
        "mapper": bank.mapper,
        "protocols": {protocol.name: repr(protocol) for protocol in protocols},
        "real_seconds_per_class": settings.real_seconds_per_class,
        "max_block_s": settings.max_block_s,
        "shortage": settings.shortage,
        "random_state": settings.random_state,
        "window_length_s": windows.X.shape[1] / windows.sampling_rate_hz,
        "window_step_s": windows.attrs.get("window_step_s"),
        "sampling_rate_hz": windows.sampling_rate_hz,
        "channels": list(windows.channels),
    }
    return json.loads(
        json.dumps(how, default=lambda value: value.item() if isinstance(value, np.generic) else repr(value))
    )
