"""PretrainOnVirtual: train a network on virtual rows, then fine-tune it on real ones (IMUTube 5.1)."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from numbers import Integral
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import _fit_context, clone
from sklearn.metrics import f1_score
from sklearn.utils import column_or_1d, indexable
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.validation import _num_samples, check_is_fitted

from har_virtual.adaptation._meta import TrainingRowsMetaEstimator, take_rows
from har_virtual.exceptions import DataFormatError, DataWarning
from har_virtual.model_selection import split_clips
from har_virtual.models._classifier import check_labels
from har_virtual.models._validation import hold_out_subjects
from har_virtual.models.pretrained import Pretrained
from har_virtual.windows.validation import check_sample_domain

if TYPE_CHECKING:
    from har_virtual.models._classifier import DeepClassifier

_PARTS = ("train", "validation", "test")


class PretrainOnVirtual(TrainingRowsMetaEstimator):
    """Train a deep classifier on the virtual rows, then fine-tune it on the real ones: IMUTube's supervised transfer.

    Virtual rows are split by clip into 80 % that train, 10 % that say when to stop and 10 % that are only scored. The
    network that comes of it is where fine-tuning begins, on the real rows as the estimator would be fitted to them
    alone: with real people who validate, all weights updated unless some are frozen. Labels of the two domains need
    not match, see `from_pretrained`. The fitted classifier knows the labels of the real rows.

    Without virtual rows it is the estimator fitted to the real ones, so that training with and without pretraining can
    be compared; without real rows it predicts by the pretrained network.

    Parameters
    ----------
    estimator : DeepClassifier
        Such as `DeepConvLSTMClassifier`. Clones of it are fitted, so its parameters hold for both trainings.
    fractions : (float, float, float), default=(0.8, 0.1, 0.1)
        Shares of virtual rows that train, validate and are scored; see `split_clips`. Without rows that validate,
        pretraining takes `max_epochs` epochs.
    freeze : str or sequence of str, default=()
        Parts of the network that keep their pretrained weights in fine-tuning, such as ``("convolutions",)``.
    pretrain_params : dict, optional
        Parameters of the estimator in pretraining, where they differ: ``{"lr": 1e-3, "augment": None}``. Weights of
        classes that no virtual row has need ``{"class_weight": None}``. Clips validate, not `validation_subjects`.
    random_state : int or Generator, optional
        Of the split of virtual rows, and of the networks where the estimator has none of its own.

    Attributes
    ----------
    pretrained_ : DeepClassifier or None
        Fitted to virtual rows; None where there are none.
    estimator_ : DeepClassifier
        The fine-tuned one.
    virtual_scores_ : dict of str to float
        Macro-F1 of `pretrained_` on the virtual rows of "train", "validation" and "test"; NaN for a part without rows,
        empty without virtual rows.
    classes_ : ndarray
        Labels that `estimator_` knows.
    n_features_in_ : int
        Number of samples in a window.
    real_rows_used_, real_labels_used_ : int
        Real rows, and labels of such, that were learned from, validation rows among them.

    See Also
    --------
    from_pretrained : Fine-tune any trained network.
    DomainSelector : Train on virtual and real rows at once.

    Notes
    -----
    `groups`, `sample_domain`, `clips`, `X_val` and `y_val` arrive by metadata routing within a search or an evaluation,
    ``sklearn.set_config(enable_metadata_routing=True)``. People who validate the fine-tuning are drawn as the estimator
    would draw them; virtual rows made from them do not pretrain. Validation rows that are given must be of people who
    have no rows in X.

    References
    ----------
    Kwon et al., "IMUTube: Automatic extraction of virtual on-body accelerometry from video for human activity
    recognition", 2020, section 5.1.

    Examples
    --------
    >>> import numpy as np
    >>> from har_virtual.models import DeepConvLSTMClassifier, PretrainOnVirtual
    >>> rng, y = np.random.default_rng(0), np.tile(["sit", "walk"], 40)
    >>> X = rng.normal(scale=np.where(y == "walk", 3.0, 0.5)[:, None, None], size=(80, 20, 3))
    >>> virtual, clips = np.arange(80) < 60, np.arange(80) // 4
    >>> params = {"lr": 0.01, "max_epochs": 10, "validation_subjects": None, "random_state": 0}
    >>> network = DeepConvLSTMClassifier(n_filters=8, lstm_size=8, **params)
    >>> model = PretrainOnVirtual(network, freeze="convolutions", pretrain_params={"max_epochs": 20}, random_state=0)
    >>> model.fit(X, y, sample_domain=virtual, clips=clips).real_rows_used_
    20
    >>> sorted(model.virtual_scores_)
    ['test', 'train', 'validation']
    """

    __metadata_request__fit: ClassVar[dict[str, bool]] = {"sample_domain": True, "groups": True, "clips": True}

    _parameter_constraints: ClassVar[dict] = {
        "estimator": [HasMethods(["fit", "predict"])],
        "fractions": [list, tuple],
        "freeze": [str, list, tuple],
        "pretrain_params": [dict, None],
        "random_state": [Interval(Integral, 0, None, closed="left"), np.random.Generator, None],
    }

    estimator: DeepClassifier
    estimator_: DeepClassifier
    pretrained_: DeepClassifier | None
    virtual_scores_: dict[str, float]

    def __init__(
        self,
        estimator: DeepClassifier,
        *,
        fractions: Sequence[float] = (0.8, 0.1, 0.1),
        freeze: str | Sequence[str] = (),
        pretrain_params: Mapping[str, Any] | None = None,
        random_state: int | np.random.Generator | None = None,
    ) -> None:
        self.estimator = estimator
        self.fractions = fractions
        self.freeze = freeze
        self.pretrain_params = pretrain_params
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        groups: ArrayLike | None = None,
        sample_domain: ArrayLike | None = None,
        clips: ArrayLike | None = None,
        **params: Any,
    ) -> Self:
        """Pretrain on the virtual rows, fine-tune on the real ones.

        Parameters
        ----------
        X : array-like of shape (n_windows, n_samples, n_channels) or (n_windows, n_samples)
        y : array-like of shape (n_windows,)
            Labels.
        groups : array-like of shape (n_windows,), optional
            Subjects, `WindowSet.groups`.
        sample_domain : array-like of shape (n_windows,), optional
            0 for real, 1 for virtual windows; missing means that all are real.
        clips : array-like of shape (n_windows,), optional
            What each window was cut from, `WindowSet.clips`; only those of virtual rows are looked at. Default:
            `groups`, so that virtual rows are split by person.
        **params
            Parameters of the estimator's fit, for fine-tuning: `X_val` and `y_val`, real windows that validate.

        Returns
        -------
        self

        Raises
        ------
        DataFormatError
            If the estimator cannot be pretrained, virtual rows have neither clips nor groups or one label only, or as
            the estimator and `split_clips` raise it.
        UnknownNameError
            If there is no part of the network to freeze by some name.

        Warns
        -----
        DataWarning
            If there is no `sample_domain`, no virtual clip can be spared to validate, or all virtual rows are of people
            who validate the fine-tuning, so that nothing is pretrained.
        """
        self._check_parameters()
        check_labels(y)
        X, y, groups, clips = indexable(X, y, groups, clips)
        self._miss_domain(X, sample_domain)
        network = self._seeded_estimator()
        virtual = check_sample_domain(sample_domain, _num_samples(X))
        params = self._routed("fit", _given(**params, groups=groups, sample_domain=sample_domain))
        people = self._find_validating(network, y, groups, virtual, params)
        usable = virtual if groups is None else virtual & ~np.isin(column_or_1d(groups), people)
        self.pretrained_, self.virtual_scores_ = None, {}
        if usable.any():
            split = self._split(y, np.flatnonzero(usable), groups if clips is None else clips)
            self.pretrained_ = self._pretrain(network, X, y, split)
            self.virtual_scores_ = {name: _score(self.pretrained_, X, y, rows) for name, rows in split.items()}
        elif virtual.any():
            warnings.warn(
                f"Nothing is pretrained: all virtual rows are of {', '.join(map(str, people))}, who validate the "
                "fine-tuning. Give virtual rows of other people, or others as validation_subjects.",
                DataWarning,
                stacklevel=3,
            )
        if self.pretrained_ is not None and virtual.all():
            self.estimator_ = self.pretrained_
        else:
            self.estimator_ = self._fine_tune(network, X, y, np.flatnonzero(~virtual), people, params)
        self.real_rows_used_, self.real_labels_used_ = (
            getattr(self.estimator_, name) for name in ("real_rows_used_", "real_labels_used_")
        )
        return self

    def save(self, path: str | PathLike) -> Path:
        """Write the network that predicts, the fine-tuned one, to a file, as the estimator's own `save` does.

        Parameters
        ----------
        path : path
            `load_model` gives the estimator back, without this meta-estimator around it.

        Returns
        -------
        Path

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If nothing is trained.
        OSError
            If the file cannot be written.
        """
        check_is_fitted(self, "estimator_")
        return self.estimator_.save(path)

    def _check_parameters(self) -> None:
        parameters = self.estimator.get_params(deep=False) if hasattr(self.estimator, "get_params") else {}
        if not {"pretrained", "freeze"} <= parameters.keys():
            raise DataFormatError(
                "PretrainOnVirtual needs a deep classifier, such as DeepConvLSTMClassifier, not a "
                f"{type(self.estimator).__name__}: put Pipelines and searches around it, "
                'GridSearchCV(PretrainOnVirtual(DeepConvLSTMClassifier()), {"estimator__lr": [...]}).'
            )
        if len(self.fractions) != len(_PARTS):
            raise DataFormatError(f"fractions are of {', '.join(_PARTS)} rows; they are {self.fractions}.")

    def _miss_domain(self, X: Any, sample_domain: ArrayLike | None) -> None:
        """Say that nothing will be pretrained; scikit-learn's own checks have two dimensions and no domains."""
        if sample_domain is None and np.ndim(X) == 3 and np.shape(X)[2] > 1:
            warnings.warn(
                "No sample_domain reached PretrainOnVirtual, so that all windows count as real and nothing is "
                "pretrained: pass sample_domain=WindowSet.sample_domain (in a Pipeline or a search it arrives after "
                "sklearn.set_config(enable_metadata_routing=True)), zeros if they are real.",
                DataWarning,
                stacklevel=4,
            )

    def _seeded_estimator(self) -> DeepClassifier:
        """Give the estimator, with a seed of this one where it has none."""
        network = clone(self.estimator)
        if self.random_state is not None and network.random_state is None:
            network.random_state = int(np.random.default_rng(self.random_state).integers(2**31))
        return network

    @staticmethod
    def _find_validating(
        network: DeepClassifier, y: Any, groups: ArrayLike | None, virtual: np.ndarray, params: Mapping[str, Any]
    ) -> list[Any]:
        """Say who will validate the fine-tuning: those whom the estimator would draw from the real rows alone.

        They are drawn before it, as their virtual rows must not pretrain, and are then told to it, as it may have no
        seed by which it would draw them again.
        """
        if groups is None or "X_val" in params or virtual.all() or not virtual.any():
            return []
        labels, subjects = (column_or_1d(values)[~virtual] for values in (y, groups))
        wanted, rng = network.validation_subjects, clone(network)._generators()[0]
        return list(hold_out_subjects(labels, subjects, np.zeros(len(labels), bool), wanted, rng).names)

    def _split(self, y: Any, rows: np.ndarray, units: ArrayLike | None) -> dict[str, np.ndarray]:
        """Give the virtual rows of each part."""
        labels = column_or_1d(y)[rows]
        if len(np.unique(labels)) < 2:
            raise DataFormatError(
                f"The virtual rows have one label, {labels[0]!r}: a network learns nothing from them. Leave them out, "
                "or convert videos of other activities, too."
            )
        if units is None:
            raise DataFormatError(
                "Virtual rows are split by clip, but there are neither clips nor groups: pass clips=WindowSet.clips or "
                "groups=WindowSet.groups, within a search or an evaluation after "
                "sklearn.set_config(enable_metadata_routing=True)."
            )
        parts = split_clips(take_rows(units, rows), labels, self.fractions, random_state=self.random_state)
        return dict(zip(_PARTS, (rows[part] for part in parts), strict=True))

    def _pretrain(self, network: DeepClassifier, X: Any, y: Any, split: Mapping[str, np.ndarray]) -> DeepClassifier:
        rows = split["train"]
        pretrained = clone(network).set_params(**{**(self.pretrain_params or {}), "validation_subjects": None})
        validation = self._validation(X, y, split["validation"])
        domain = np.ones(len(rows), int)
        pretrained.fit(take_rows(X, rows), take_rows(y, rows), sample_domain=domain, **validation)
        # What validated is virtual, too.
        pretrained.real_rows_used_ = pretrained.real_labels_used_ = 0
        return pretrained

    def _validation(self, X: Any, y: Any, rows: np.ndarray) -> dict[str, Any]:
        if len(rows):
            return {"X_val": take_rows(X, rows), "y_val": take_rows(y, rows)}
        if self.fractions[1]:
            warnings.warn(
                "No virtual clip can be spared to validate, as there are few or each is the only one of an activity: "
                "pretraining takes max_epochs epochs. fractions=(1, 0, 0) says that this is wanted.",
                DataWarning,
                stacklevel=5,
            )
        return {}

    def _fine_tune(
        self,
        network: DeepClassifier,
        X: Any,
        y: Any,
        rows: np.ndarray,
        people: list[Any],
        params: Mapping[str, Any],
    ) -> DeepClassifier:
        changes: dict[str, Any] = {"validation_subjects": people} if people else {}
        if self.pretrained_ is not None:
            changes |= {"pretrained": Pretrained.of(self.pretrained_), "freeze": self.freeze}
        follow = self._follow(params, rows, _num_samples(X))
        return clone(network).set_params(**changes).fit(take_rows(X, rows), take_rows(y, rows), **follow)


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _score(estimator: DeepClassifier, X: Any, y: Any, rows: np.ndarray) -> float:
    if not len(rows):
        return float("nan")
    true, predicted = take_rows(column_or_1d(y), rows), estimator.predict(take_rows(X, rows))
    return float(f1_score(true, predicted, labels=np.unique(true), average="macro", zero_division=0))
