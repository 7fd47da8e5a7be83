"""What can be known to be wrong with an experiment before anything is fitted."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import Pipeline

from har_virtual.adaptation import RankDistributionMapper, SensorAligner
from har_virtual.adaptation._meta import requested_in_fit
from har_virtual.evaluation._folds import join_names
from har_virtual.evaluation.protocols import Protocol
from har_virtual.evaluation.tuning import combine_grid
from har_virtual.exceptions import DataFormatError, DataWarning
from har_virtual.model_selection import SubjectFold
from har_virtual.models._base import DeepEstimator
from har_virtual.windows import WindowSet


def check_labelled(windows: Any) -> None:
    """Refuse anything but a WindowSet that has windows, and labels.

    Raises
    ------
    DataFormatError
        It says what is missing, and where it comes from.
    """
    if not isinstance(windows, WindowSet):
        raise DataFormatError(
            f"A WindowSet with windows and labels is needed, not {type(windows).__name__}: cut recordings with "
            "segment_recordings(recordings, window_length_s=...)."
        )
    if not len(windows):
        raise DataFormatError(
            "A WindowSet with windows and labels is needed, and this one has no windows: its attrs say why recordings "
            f"gave none, {dict(windows.attrs)}."
        )
    if windows.y is None:
        raise DataFormatError(
            "A WindowSet with windows and labels is needed, and this one has no labels (y is None): give the "
            "recordings labels before they are cut."
        )


def check_domains(windows: WindowSet, protocols: Sequence[Protocol]) -> None:
    """Refuse windows that the protocols cannot train on; warn of classes that virtual windows lack.

    Raises
    ------
    DataFormatError
        It says what is missing.
    """
    check_labelled(windows)
    labels, virtual = np.asarray(windows.y), windows.sample_domain == 1
    if virtual.all():
        raise DataFormatError("All windows are virtual: real ones are needed to test on.")
    _tell_lone_classes(labels[~virtual], windows.groups[~virtual])
    needing = [protocol.name for protocol in protocols if protocol.train_on != "real"]
    if not needing:
        return
    if not virtual.any():
        raise DataFormatError(f"{needing[0]!r} trains on virtual windows, and all windows are real: ask for R2R only.")
    real, own = np.unique(labels[~virtual]), np.unique(labels[virtual])
    unknown, lacking = np.setdiff1d(own, real), np.setdiff1d(real, own)
    if len(unknown):
        raise DataFormatError(
            f"Virtual windows have labels that no real one has: {join_names(unknown)}; the real ones are "
            f"{join_names(real)}. Spell them alike (har_virtual.datasets.relabel), or drop these windows: "
            f"windows[~np.isin(windows.y, {unknown.tolist()})]."
        )
    if len(lacking):
        warnings.warn(
            f"Virtual windows lack {join_names(lacking)}: what is trained on them alone misses every window of these.",
            DataWarning,
            stacklevel=3,
        )


def _tell_lone_classes(labels: np.ndarray, groups: np.ndarray) -> None:
    """Warn of classes of one person, which no real window shows where that person is tested."""
    names = np.unique(labels).tolist()
    for label in names:
        people = np.unique(groups[labels == label])
        if len(people) > 1 or len(np.unique(groups)) == 1:
            continue
        close = (
            []
            if not isinstance(label, str)
            else get_close_matches(label.lower(), {str(n).lower() for n in names if n != label})
        )
        meant = f" Is it spelt as in the other windows, {', '.join(map(repr, close))}?" if close else ""
        warnings.warn(
            f"Class {label!r} has real windows of {people[0]} only: where {people[0]} is tested, no real training "
            f"window shows it.{meant}",
            DataWarning,
            stacklevel=4,
        )


def check_estimators(
    classifier: Any,
    features: Any,
    aligner: Any,
    mapper: Any,
    tune: Mapping[str, Sequence[Any]] | None,
    channels: Sequence[str],
) -> None:
    """Refuse what no fold could use, and what was told of other channels than the windows have."""
    passed = isinstance(features, str)
    if passed:
        _check_passthrough(features, classifier)
        features = None
    for name, given, kind, example in (
        ("classifier", classifier, "predict", "RandomForestClassifier(50)"),
        ("features", features, "transform", "ECDFFeatures(n_components=15)"),
        ("aligner", aligner, "rotations_", "SensorAligner(channels=windows.channels)"),
        ("mapper", mapper, "map_", "RankDistributionMapper()"),
    ):
        expected = {"aligner": SensorAligner, "mapper": RankDistributionMapper}.get(name, BaseEstimator)
        unfit = isinstance(given, type) or not hasattr(given, "get_params")
        if given is not None and (unfit or not (isinstance(given, expected) or hasattr(given, kind))):
            raise DataFormatError(f"{name} must be an estimator such as {example}, not {given!r:.80}.")
        if given is not None and (passed or name != "classifier"):
            _check_channels(name, given, channels)
    if classifier is not None:
        _check_pipelines(classifier)
        if not passed:
            _refuse_networks(classifier)
    if tune is not None:
        combine_grid(tune, RandomForestClassifier() if classifier is None else classifier)


def _check_channels(name: str, given: BaseEstimator, channels: Sequence[str]) -> None:
    """Compare the names of channels that an estimator was told with those of the windows.

    A later step of a Pipeline may have other channels, but nothing puts the same ones in another order.
    """
    for parameter, value in given.get_params().items():
        if value is None or parameter.rpartition("__")[2] != "channels":
            continue
        told, own = list(map(str, value)), list(channels)
        if told != own and (parameter == "channels" or sorted(told) == sorted(own)):
            raise DataFormatError(
                f"{parameter} of the {name} are {told}, but the windows have {own}: give it WindowSet.channels."
            )


def _check_passthrough(features: str, classifier: Any) -> None:
    if features != "passthrough":
        raise DataFormatError(
            'features must be an estimator such as ECDFFeatures(n_components=15), or "passthrough" to give the '
            f"classifier windows, not {features!r}."
        )
    if classifier is None:
        raise DataFormatError(
            'With features="passthrough" the classifier gets windows, (n_windows, n_samples, n_channels), and the '
            "default forest takes none: give one that does, such as har_virtual.models.DeepConvLSTMClassifier()."
        )


def _refuse_networks(classifier: BaseEstimator) -> None:
    """Refuse a network that would take features of windows for a window of one channel."""
    for part in (classifier, *classifier.get_params().values()):
        if isinstance(part, DeepEstimator):
            raise DataFormatError(
                f'{type(part).__name__} learns from windows, not from features of them: pass features="passthrough".'
            )


def _check_pipelines(classifier: BaseEstimator) -> None:
    """Refuse a Pipeline that would hand validation rows past the steps which change the training rows."""
    for part in (classifier, *classifier.get_params().values()):
        if not isinstance(part, Pipeline) or "X_val" in (part.transform_input or ()):
            continue
        steps = [(name, step) for name, step in part.steps if step not in (None, "passthrough")]
        for name, step in steps[1:]:
            if requested_in_fit(step, ["X_val"]):
                raise DataFormatError(
                    f"Step {name!r} of the Pipeline takes validation rows (X_val), which the steps before it would not "
                    'change as they change the training rows: make it with transform_input=["X_val"].'
                )


def takes_validation(classifier: BaseEstimator | None) -> bool:
    """Whether the classifier's fit, or that of a step within it, requests the windows of validation subjects."""
    return classifier is not None and bool(requested_in_fit(classifier, ("X_val", "y_val")))


def unset_seeds(classifier: BaseEstimator) -> list[str]:
    """Name the random states of a classifier, and of estimators within it, that are None."""
    return [name for name, value in classifier.get_params().items() if value is None and _is_seed(name)]


def make_seeds(classifier: BaseEstimator, random_state: int | None) -> dict[str, int | None]:
    """Give a seed for each random state that is None.

    It is `random_state`, but of several estimators of one class each has another: forests of one seed are one forest.
    """
    owners, n_seeded = classifier.get_params() | {"": classifier}, Counter[type]()
    seeds: dict[str, int | None] = {}
    for name in unset_seeds(classifier):
        kind = type(owners[name.rpartition("__")[0]])
        seeds[name] = random_state
        if n_seeded[kind] and random_state is not None:
            seeds[name] = int(np.random.default_rng([random_state, n_seeded[kind]]).integers(2**31))
        n_seeded[kind] += 1
    return seeds


def set_seeds(classifier: BaseEstimator) -> list[str]:
    """Name the random states of a classifier, and of estimators within it, that it brings along."""
    return [name for name, value in classifier.get_params().items() if value is not None and _is_seed(name)]


def _is_seed(name: str) -> bool:
    return name == "random_state" or name.endswith("__random_state")


def check_validation(part: SubjectFold, groups: np.ndarray) -> None:
    """Refuse a fold whose validation subjects train or are tested."""
    for name, rows in {"train": part.train, "are tested": part.test}.items():
        shared = np.intersect1d(groups[part.validation], groups[rows])
        if len(shared):
            held_out = join_names(np.asarray(part.tested))
            raise DataFormatError(
                f"The fold that holds out {held_out} leaks: {join_names(shared)} validate and {name}."
            )


def check_ratio(protocol: Protocol, part: SubjectFold, y: np.ndarray, domain: np.ndarray, shortage: str) -> None:
    """Refuse a ratio that a class cannot meet in a fold."""
    if protocol.virtual_ratio is None or shortage == "keep_all":
        return
    labels, virtual = y[part.train], domain[part.train] == 1
    for label in np.unique(labels[~virtual]).tolist():
        n_real, n_virtual = (np.count_nonzero((labels == label) & side) for side in (~virtual, virtual))
        wanted = int(protocol.virtual_ratio * n_real + 1e-9)
        if n_virtual < wanted:
            raise DataFormatError(
                f"{protocol.name!r} wants {protocol.virtual_ratio:g} virtual windows for each real one, but class "
                f"{label!r} has {n_virtual} virtual windows for {n_real} real ones, 1:{n_virtual / n_real:.2g}, when "
                f"{join_names(np.asarray(part.tested))} is held out: lower the ratio or the real seconds, add virtual "
                'data, leave the class out, or set shortage="keep_all".'
            )
