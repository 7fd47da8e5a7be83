"""Training on other data sets, real or virtual, and testing on one: with and without mapping (IMUTube, table 4)."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from har_virtual.adaptation import RankDistributionMapper, SensorAligner
from har_virtual.adaptation._meta import requested_in_fit
from har_virtual.evaluation._inputs import check_estimators, takes_validation
from har_virtual.evaluation.evaluation import Evaluation
from har_virtual.evaluation.experiment import Settings, evaluate, with_classifier
from har_virtual.evaluation.out_of_fold import OutOfFold, predict_out_of_fold
from har_virtual.evaluation.protocols import PROTOCOLS, Protocol
from har_virtual.exceptions import DataFormatError, FoldError, UnknownNameError
from har_virtual.windows import WindowSet
from har_virtual.windows.window_set import COPY_OF, METADATA_COLUMNS

TRANSFER_PROTOCOLS: Mapping[str, Protocol] = MappingProxyType(
    {
        "none": PROTOCOLS["V2R none"],
        "mapped": PROTOCOLS["V2R mapped"],
        "aligned": PROTOCOLS["V2R aligned"],
        "aligned, mapped": PROTOCOLS["V2R aligned, mapped"],
        "aligned, mapped per class": PROTOCOLS["V2R aligned, mapped per class"],
    }
)
"""What can happen to the windows of a source before they train. "none" and "mapped" are IMUTube's."""

_SCORES = [
    *("macro_f1", "low", "high", "wilson_low", "wilson_high", "mean_over_subjects", "sd_over_subjects"),
    *("difference", "difference_low", "difference_high", "real_rows_used", "real_labels_used"),
]


@dataclass(frozen=True, eq=False)
class Transfer:
    """Results by source and mapping; `transfer` makes it.

    Parameters
    ----------
    results : mapping of (str, str) to OutOfFold
        By source and mapping, all of the same windows of the target; last the target itself, by its name and "R2R".
    target : str
        Its name.
    domains : mapping of str to str
        Of each source and the target: "real", "virtual" or "real and virtual".
    classes : tuple
        Those that all sources and the target have, and no other.
    dropped : DataFrame
        What was left out: columns data, label and windows, one row a class that not all have.
    how : mapping
        Classifier, features, tuning, seed, windows: as `Evaluation.how` of the target, with the protocol of each
        mapping.
    """

    results: Mapping[tuple[str, str], OutOfFold]
    target: str
    domains: Mapping[str, str]
    classes: tuple[Any, ...]
    dropped: pd.DataFrame
    how: Mapping[str, Any]

    def __getitem__(self, key: tuple[str, str]) -> OutOfFold:
        if key not in self.results:
            raise UnknownNameError(f"There is no result {key!r}; there are {', '.join(map(repr, self.results))}.")
        return self.results[key]

    def __repr__(self) -> str:
        scores = ", ".join(f"{', '.join(key)}: {result.macro_f1:.3f}" for key, result in self.results.items())
        return f"Transfer(to {self.target}, {len(self.classes)} classes; macro_f1 {scores})"

    def to_frame(self) -> pd.DataFrame:
        """Give the figures to report, one row a source and mapping, the target's own last.

        Returns
        -------
        DataFrame
            Columns source, domain, mapping; what `Evaluation.table` gives, `difference` being against the target's own
            R2R on the same windows, with the paired bootstrap over subjects; n_train, windows that train a classifier
            (mean over the folds); n_test, windows tested in all; n_fits, how many classifiers that took.
        """
        numbered = {str(number): result for number, result in enumerate(self.results.values())}
        scores = Evaluation(numbered, pd.DataFrame(), self.how).table(baseline=max(numbered, key=int))[_SCORES]
        rows = [self._row(*key, result) for key, result in self.results.items()]
        return pd.concat([pd.DataFrame(rows), scores.reset_index(drop=True)], axis=1)

    def table(self) -> pd.DataFrame:
        """Give macro-F1 as the paper's table 4 stands: a row a source, last the target, whose R2R is under "none"."""
        scores: dict[str, dict[str, float]] = {}
        for (source, mapping), result in self.results.items():
            scores.setdefault("none" if mapping == "R2R" else mapping, {})[source] = result.macro_f1
        columns = [mapping for mapping in TRANSFER_PROTOCOLS if mapping in scores]
        return pd.DataFrame(scores, list(self.domains), columns).rename_axis(index="source", columns="mapping")

    def _row(self, source: str, mapping: str, result: OutOfFold) -> dict[str, Any]:
        trained = result.folds["n_train_real" if source == self.target else "n_train_virtual"]
        return {
            "source": source,
            "domain": self.domains[source],
            "mapping": mapping,
            "n_train": float(trained.mean()),
            "n_test": len(result.rows),
            "n_fits": len(trained),
        }


def transfer(
    sources: Mapping[str, WindowSet],
    target: WindowSet,
    *,
    protocols: str | Sequence[str] = ("none", "mapped", "aligned, mapped"),
    target_name: str = "target",
    classifier: BaseEstimator | None = None,
    features: BaseEstimator | Literal["passthrough"] | None = None,
    aligner: SensorAligner | None = None,
    mapper: RankDistributionMapper | None = None,
    tune: Mapping[str, Sequence[Any]] | None = None,
    random_state: int | None = 0,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> Transfer:
    """Train on each of several data sets, test on the real windows of another one.

    IMUTube's table 4 (section 4.2): without mapping all of a source trains once, and all of the target is tested. With
    mapping, leave-one-subject-out over the target: in each fold all of the source is mapped to the training subjects'
    windows, which do not train the classifier, and the subject held out is tested. Last the target itself,
    leave-one-subject-out.

    The windows of a source, be they real or virtual, stand where virtual ones stand elsewhere: they are what is aligned
    and mapped. Where a virtual source was made of subjects of the target (RealWorld's videos for RealWorld), windows
    made of a subject are left out when that subject is tested, and without mapping there is a fit a subject, too.

    With `tune`, or with a classifier whose fit takes validation rows (see `evaluate`), every fit needs a subject of the
    target to validate on, so the source trains once a subject without mapping, too, and labels of the target are used
    in every column; ``real_labels_used`` counts them.

    Parameters
    ----------
    sources : mapping of str to WindowSet
        With labels spelt as the target's (`har_virtual.datasets.relabel`), and the same channels, rate and length.
    target : WindowSet
        Real windows of at least two subjects, with labels.
    protocols : str or sequence of str, optional
        Names of `TRANSFER_PROTOCOLS`. Default: none, mapped, and aligned and mapped, which takes labels of the target.
    target_name : str, default="target"
    classifier, features, aligner, mapper, tune, random_state, n_jobs, verbose
        As in `evaluate`.

    Returns
    -------
    Transfer

    Raises
    ------
    DataFormatError
        If there is no source, a set has no labels, channels, rate or window length differ from the target's, fewer than
        two classes are common to all, the target has virtual windows, or a source has real windows of a subject of the
        target.
    UnknownNameError
        If there is no such protocol.
    FoldError
        If something fails in a fold.

    Warns
    -----
    DataWarning
        Where aligner or mapper fall back, with the name of the source.

    Notes
    -----
    Only classes that the target and all sources have are kept, so that all figures are of the same windows and can be
    paired; `Transfer.dropped` has the others. A source that has few of them is better left out, or shown in a table of
    its own.

    Examples
    --------
    >>> import numpy as np
    >>> from har_virtual import Recording, segment_recordings
    >>> from har_virtual.evaluation import transfer
    >>> rng = np.random.default_rng(0)
    >>> names = [f"left_wrist_acc_{axis}" for axis in "xyz"]
    >>> def cut(dataset, gain, labels):
    ...     streams = (
    ...         Recording(
    ...             gain * size * rng.normal(size=(600, 3)), 30, names, subject=who, labels=label, dataset=dataset
    ...         )
    ...         for who in "abc"
    ...         for label, size in labels.items()
    ...     )
    ...     return segment_recordings(streams, window_length_s=1.0)
    >>> kitchen = cut("kitchen", 1, {"sit": 1, "walk": 3})
    >>> street = cut("street", 5, {"sit": 1, "walk": 3, "run": 9})
    >>> result = transfer({"street": street}, kitchen, protocols=["none", "mapped"], target_name="kitchen")
    >>> print(result.table().round(2))
    mapping  none  mapped
    source
    street   0.33     1.0
    kitchen  1.00     NaN
    >>> result.dropped.iloc[0].to_dict()
    {'data': 'street', 'label': 'run', 'windows': 117}
    """
    chosen = _find_protocols(protocols)
    check_estimators(classifier, features, aligner, mapper, tune, target.channels)
    sets = _check_sets(sources, target, target_name)
    classes = _shared_classes(sets)
    dropped = pd.DataFrame(_dropped(sets, classes), columns=["data", "label", "windows"])
    tested = _of_classes(target, classes)
    options: dict[str, Any] = {
        "classifier": with_classifier(Settings(classifier, random_state=random_state)).classifier,
        "features": features,
        "aligner": aligner,
        "mapper": mapper,
        "tune": tune,
        "random_state": random_state,
        "n_jobs": n_jobs,
        "verbose": verbose,
    }
    results: dict[tuple[str, str], OutOfFold] = {}
    for name, source in sources.items():
        with _naming(name):
            found = _transfer_one(_beside(tested, _of_classes(source, classes)), chosen, options)
        results |= {(name, mapping): result for mapping, result in found.items()}
    with _naming(target_name):
        own = evaluate(tested, "R2R", **options)
    results[target_name, "R2R"] = own["R2R"]
    domains = {name: _domain(each) for name, each in sets.items()}
    used = {mapping: repr(protocol) for mapping, protocol in chosen.items()} | own.how["protocols"]
    return Transfer(results, target_name, domains, classes, dropped, {**own.how, "protocols": used})


@contextmanager
def _naming(name: str) -> Iterator[None]:
    """Say of which data set a warning or a failure is; the warning points at the caller of `transfer`."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield
        except FoldError as error:
            raise FoldError(f"{name}: {error}") from error.__cause__
    for entry in caught:
        # Past this function, contextlib and transfer.
        warnings.warn(f"{name}: {entry.message}", entry.category, stacklevel=4)


def _transfer_one(both: WindowSet, chosen: Mapping[str, Protocol], options: Mapping[str, Any]) -> dict[str, OutOfFold]:
    """Give the results by mapping; `both` has the target as real, the source as virtual windows."""
    in_turn = dict(chosen)
    source = both.sample_domain == 1
    results = {}
    apart = not np.isin(both.groups[source], both.groups[~source]).any()
    validates = options["tune"] is not None or takes_validation(options["classifier"])
    if "none" in chosen and apart and not validates:
        results["none"] = predict_out_of_fold(
            in_turn.pop("none").pipeline(options["classifier"], features=options["features"]),
            both.X,
            np.asarray(both.y),
            cv=[(source, ~source)],
            groups=both.groups,
            sample_domain=both.sample_domain,
            params={"clips": both.clips} if requested_in_fit(options["classifier"], ["clips"]) else None,
        )
    if in_turn:
        evaluated = evaluate(both, list(in_turn.values()), **options)
        results |= {mapping: evaluated[protocol.name] for mapping, protocol in in_turn.items()}
    return {mapping: results[mapping] for mapping in chosen}


def _find_protocols(protocols: str | Sequence[str]) -> dict[str, Protocol]:
    names = [protocols] if isinstance(protocols, str) else list(protocols)
    unknown = [name for name in names if name not in TRANSFER_PROTOCOLS]
    if unknown or not names:
        raise UnknownNameError(f"protocols must be some of {', '.join(map(repr, TRANSFER_PROTOCOLS))}, not {names}.")
    return {name: TRANSFER_PROTOCOLS[name] for name in names}


def _check_sets(sources: Mapping[str, WindowSet], target: WindowSet, target_name: str) -> dict[str, WindowSet]:
    """Give sources and target by name."""
    if not sources or target_name in sources:
        raise DataFormatError(f"Sources with names other than {target_name!r} are needed, not {list(sources)}.")
    sets = {**sources, target_name: target}
    for name, windows in sets.items():
        if not isinstance(windows, WindowSet) or windows.y is None or not len(windows):
            raise DataFormatError(f"{name}: a WindowSet with windows and labels is needed, not {windows!r:.80}.")
    if target.sample_domain.any():
        raise DataFormatError(
            f"{target_name} has {target.sample_domain.sum()} virtual windows, and real ones are tested: pass "
            "target[target.sample_domain == 0], and the virtual ones as a source."
        )
    for name, source in sources.items():
        _check_alike(name, source, target_name, target)
        shared = np.intersect1d(source.groups[source.sample_domain == 0], target.groups)
        if len(shared):
            raise DataFormatError(
                f"{name} has real windows of subjects who are tested in {target_name}, {', '.join(shared)}: to train "
                "on other people of one data set, call evaluate; if they are others, give the recordings a dataset."
            )
    return sets


def _check_alike(name: str, source: WindowSet, target_name: str, target: WindowSet) -> None:
    if set(source.channels) != set(target.channels):
        more, fewer = (sorted(set(a.channels) - set(b.channels)) for a, b in ((source, target), (target, source)))
        raise DataFormatError(
            f"{name} and {target_name} have different channels: {name} lacks {fewer}, and has {more} besides. Select "
            "channels that both have, and name sites alike (har_virtual.datasets.shared_sites)."
        )
    same_rate = math.isclose(source.sampling_rate_hz, target.sampling_rate_hz, rel_tol=1e-6)
    if not same_rate or source.X.shape[1] != target.X.shape[1]:
        lengths = [f"{each.X.shape[1]} samples at {each.sampling_rate_hz:g} Hz" for each in (source, target)]
        raise DataFormatError(
            f"Windows of {name} have {lengths[0]}, those of {target_name} {lengths[1]}: cut both with the same "
            "window_length_s and sampling_rate_hz."
        )


def _shared_classes(sets: Mapping[str, WindowSet]) -> tuple[Any, ...]:
    own = {name: set(np.asarray(windows.y).tolist()) for name, windows in sets.items()}
    shared = set.intersection(*own.values())
    if len(shared) < 2:
        listed = "; ".join(f"{name}: {', '.join(sorted(map(str, labels)))}" for name, labels in own.items())
        raise DataFormatError(
            f"Two classes at least must be common to all sets, and {len(shared)} are. {listed}. Spell labels alike "
            'with har_virtual.datasets.relabel(recordings, "common"), or leave a source out.'
        )
    return tuple(sorted(shared))


def _dropped(sets: Mapping[str, WindowSet], classes: Iterable[Any]) -> list[tuple[str, Any, int]]:
    counts = {name: pd.Series(np.asarray(windows.y)).value_counts().sort_index() for name, windows in sets.items()}
    return [
        (name, label, int(count)) for name, own in counts.items() for label, count in own.drop(list(classes)).items()
    ]


def _of_classes(windows: WindowSet, classes: Sequence[Any]) -> WindowSet:
    kept = np.isin(np.asarray(windows.y), classes)
    return windows if kept.all() else windows[kept]


def _domain(windows: WindowSet) -> str:
    return " and ".join(sorted(set(windows.metadata["domain"])))


def _beside(target: WindowSet, source: WindowSet) -> WindowSet:
    """Give the target's windows, then the source's as virtual ones; the target's rows keep their numbers."""
    known = [*METADATA_COLUMNS, COPY_OF]
    of_target, of_source = (each.metadata.loc[:, each.metadata.columns.isin(known)] for each in (target, source))
    sides = [replace(target, metadata=of_target), replace(source, metadata=of_source.assign(domain="virtual"))]
    return replace(WindowSet.concat(sides), attrs=target.attrs)
