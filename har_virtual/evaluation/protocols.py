"""What a recogniser is trained on and how virtual windows are fitted to the sensor: R2R, V2R, Mix2R."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline

from har_virtual.adaptation import DomainSelector, RankDistributionMapper, SensorAligner
from har_virtual.checks import is_finite_number
from har_virtual.exceptions import DataFormatError, UnknownNameError
from har_virtual.features import ECDFFeatures

TrainOn = Literal["real", "virtual", "both"]
Map = Literal["global", "per_class"] | None

_TRAIN_ON = ("real", "virtual", "both")
_MAPS = (None, "global", "per_class")


@dataclass(frozen=True)
class Protocol:
    """One way to train a recogniser that is tested on real windows.

    Parameters
    ----------
    name : str
    train_on : {"real", "virtual", "both"}
        Windows that train the classifier: R2R, V2R or Mix2R.
    align : bool, default=False
        Whether virtual windows are turned into the frame of the real sensor by a `SensorAligner`, which takes labels of
        real windows.
    map : {None, "global", "per_class"}, default=None
        Whether virtual windows get the distribution of the real ones by a `RankDistributionMapper` (IMUTube, equation
        7): one map for all classes, which takes no label, or one a class, which takes labels.
    virtual_ratio : float, optional
        With ``train_on="both"``, so many virtual windows of a class for each real one. Default: all.

    Raises
    ------
    DataFormatError
        If `align`, `map` or `virtual_ratio` is asked for where no virtual window trains, or a parameter makes no sense.

    See Also
    --------
    PROTOCOLS : The usual ones, by name.

    Examples
    --------
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from har_virtual.evaluation import Protocol
    >>> few = Protocol("Mix2R 1:2", train_on="both", map="global", virtual_ratio=2)
    >>> few.pipeline(RandomForestClassifier()).named_steps["map"]
    RankDistributionMapper()
    """

    name: str
    train_on: TrainOn
    align: bool = False
    map: Map = None
    virtual_ratio: float | None = None

    def __post_init__(self) -> None:
        where = f"Protocol {self.name!r}: "
        if not isinstance(self.name, str) or not self.name:
            raise DataFormatError(f"A protocol needs a name, not {self.name!r}.")
        if self.train_on not in _TRAIN_ON or self.map not in _MAPS or not isinstance(self.align, bool):
            raise DataFormatError(
                f"{where}train_on must be one of {_TRAIN_ON}, map one of {_MAPS}, align True or False, not "
                f"{self.train_on!r}, {self.map!r}, {self.align!r}."
            )
        if self.train_on == "real" and (self.align or self.map):
            raise DataFormatError(f"{where}no virtual window trains, so there is nothing to align or to map.")
        if self.virtual_ratio is None:
            return
        if self.train_on != "both" or not is_finite_number(self.virtual_ratio) or self.virtual_ratio <= 0:
            raise DataFormatError(
                f'{where}virtual_ratio is a positive number, and only with train_on="both", not '
                f"{self.virtual_ratio!r} with {self.train_on!r}."
            )

    @property
    def adaptation(self) -> tuple[bool, Map]:
        """What happens to virtual windows: protocols that have it in common share the work."""
        return self.align, self.map

    def pipeline(
        self,
        classifier: BaseEstimator,
        *,
        features: BaseEstimator | Literal["passthrough"] | None = None,
        channels: Sequence[str] | None = None,
        aligner: SensorAligner | None = None,
        mapper: RankDistributionMapper | None = None,
        random_state: int | None = None,
    ) -> Pipeline:
        """Give the protocol as a scikit-learn Pipeline with the steps align, map, features and clf.

        `evaluate` gives what `predict_out_of_fold` gives with this pipeline, in less time.

        Parameters
        ----------
        classifier : estimator
        features : transformer or "passthrough", optional
            From windows to rows; ``ECDFFeatures(n_components=15)`` by default. "passthrough": the classifier gets the
            windows, (n_windows, n_samples, n_channels).
        channels : sequence of str, optional
            Names of the channels, for an aligner that has none: `WindowSet.channels`.
        aligner : SensorAligner, optional
            In the place of the default one.
        mapper : RankDistributionMapper, optional
            The same; its `per_class` is set by `map`.
        random_state : int, optional
            Of the draw of virtual windows.

        Returns
        -------
        Pipeline
            Of clones; steps that the protocol leaves out are "passthrough".
        """
        aligner = SensorAligner() if aligner is None else clone(aligner)
        if aligner.channels is None:
            aligner.set_params(channels=channels)
        mapper = RankDistributionMapper() if mapper is None else clone(mapper)
        mapper.set_params(per_class=self.map == "per_class")
        if not isinstance(features, str):
            features = ECDFFeatures(n_components=15) if features is None else clone(features)
        return Pipeline(
            [
                ("align", aligner if self.align else "passthrough"),
                ("map", mapper if self.map else "passthrough"),
                ("features", features),
                ("clf", self.select(classifier, random_state)),
            ]
        )

    def select(self, classifier: BaseEstimator, random_state: int | None = None) -> DomainSelector:
        """Give a clone of the classifier behind the choice of rows that train it."""
        return DomainSelector(
            clone(classifier), train_on=self.train_on, virtual_ratio=self.virtual_ratio, random_state=random_state
        )


def _named(*protocols: Protocol) -> dict[str, Protocol]:
    return {protocol.name: protocol for protocol in protocols}


PROTOCOLS = _named(
    Protocol("R2R", "real"),
    Protocol("V2R none", "virtual"),
    Protocol("V2R mapped", "virtual", map="global"),
    Protocol("V2R aligned", "virtual", align=True),
    Protocol("V2R aligned, mapped", "virtual", align=True, map="global"),
    Protocol("V2R aligned, mapped per class", "virtual", align=True, map="per_class"),
    Protocol("Mix2R none", "both"),
    Protocol("Mix2R mapped", "both", map="global"),
    Protocol("Mix2R aligned, mapped", "both", align=True, map="global"),
    Protocol("Mix2R aligned, mapped per class", "both", align=True, map="per_class"),
)
"""The usual protocols by name. IMUTube's are "R2R", "V2R mapped" and "Mix2R mapped"."""

DEFAULT_PROTOCOLS = (
    *("R2R", "V2R none", "V2R mapped", "V2R aligned", "V2R aligned, mapped per class"),
    *("Mix2R mapped", "Mix2R aligned, mapped per class"),
)
"""What `evaluate` runs: how much real data a V2R figure took differs, so its variants stand side by side."""


def find_protocols(protocols: str | Protocol | Iterable[str | Protocol]) -> list[Protocol]:
    """Look up protocols by name; those that are protocols already are taken as they are.

    Raises
    ------
    UnknownNameError
        If there is no such protocol.
    DataFormatError
        If there is none at all, or two have one name.
    """
    given: list[Any] = [protocols] if isinstance(protocols, (str, Protocol)) else list(protocols)
    unknown = [entry for entry in given if not isinstance(entry, Protocol) and entry not in PROTOCOLS]
    if unknown:
        raise UnknownNameError(
            f"There is no protocol {unknown[0]!r}; there are {', '.join(map(repr, PROTOCOLS))}, and Protocol(...) "
            "makes another."
        )
    found = [entry if isinstance(entry, Protocol) else PROTOCOLS[entry] for entry in given]
    if not found or len({protocol.name for protocol in found}) < len(found):
        raise DataFormatError(
            f"Protocols with names of their own are needed, not {[protocol.name for protocol in found]}."
        )
    return found
