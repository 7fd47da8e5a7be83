"""What deep classifiers share: labels, class weights, pretrained weights and predictions."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from har_virtual.exceptions import DataFormatError, DataWarning
from har_virtual.models._base import DeepEstimator
from har_virtual.models._validation import Split
from har_virtual.models.pretrained import Pretrained, find_pretrained, freeze_parts
from har_virtual.windows.validation import check_windows

if TYPE_CHECKING:
    from torch import nn

    from har_virtual.models.networks.batches import WindowRows


class DeepClassifier(ClassifierMixin, DeepEstimator):
    """A network that gives one score a class; a subclass makes it."""

    _parameter_constraints: ClassVar[dict] = {
        **DeepEstimator._parameter_constraints,
        "monitor": [StrOptions({"loss", "f1"})],
        "class_weight": [StrOptions({"balanced"}), dict, None],
        "pretrained": [Pretrained, str, PathLike, None],
        "freeze": [str, list, tuple],
    }

    monitor: Literal["loss", "f1"]
    class_weight: dict[Any, float] | Literal["balanced"] | None
    pretrained: Pretrained | str | PathLike | None
    freeze: str | Sequence[str]

    def _make_network(self, n_samples: int, n_channels: int, n_classes: int) -> nn.Module:
        raise NotImplementedError

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        groups: ArrayLike | None = None,
        sample_domain: ArrayLike | None = None,
        X_val: ArrayLike | None = None,
        y_val: ArrayLike | None = None,
    ) -> Self:
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n_windows, n_samples, n_channels) or (n_windows, n_samples)
            Windows; two dimensions are one channel.
        y : array-like of shape (n_windows,)
            Labels.
        groups : array-like of shape (n_windows,), optional
            Subjects, `WindowSet.groups`. The real windows of `validation_subjects` of them validate, and nothing that
            was made from these people trains. Without groups, as without X_val, training takes `max_epochs` epochs.
        sample_domain : array-like of shape (n_windows,), optional
            0 for real, 1 for virtual windows; missing means that all are real. Both train.
        X_val, y_val : array-like, optional
            Windows that validate, and their labels, instead: real ones of people who are in no other part. In a search
            or a cross-validation give `groups`; scikit-learn would cut these like rows of X if there are as many.

        Returns
        -------
        self

        Raises
        ------
        DataFormatError
            If there is one class only, also where those who validate have the others, values or subjects are missing,
            nobody is left to train, validation windows are of another shape or have no label that is trained, a class
            weight is negative, validation subjects are named and there are no groups, or a pretrained network does not
            fit the windows.
        UnknownNameError
            If the device is not there.
        TrainingError
            If a loss, or what the trained network gives, is not finite.
        MissingDependencyError
            If torch or skorch is absent.

        Warns
        -----
        DataWarning
            If there are neither groups nor X_val, or all rows with groups are virtual, so that nobody can validate; if
            windows are shorter than the network needs; or if validation windows have labels that no training window
            has.
        """
        self._need_torch()
        self._forget()
        check_labels(y)
        X, y = check_windows(self, X, y, reset=True)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        self._check_classes(codes)
        self._check_shape(X)
        pretrained = None if self.pretrained is None else self._find_pretrained(self.pretrained)
        drawing, weighing, training = self._generators()
        split = self._split(X, codes, groups, sample_domain, drawing, given=X_val is not None)
        self._check_classes(codes[split.train])
        validation = self._validation_rows(X, codes, split, X_val, y_val)
        network = self._begin(pretrained, weighing)
        if pretrained is None:
            self._learn_scale(X, split.train)
        else:
            self.mean_, self.scale_ = pretrained.mean.astype(np.float32), pretrained.scale.astype(np.float32)
        criterion = self._make_criterion(codes[split.train])
        rows = self._rows(X, codes, split.train)
        self._train(network, rows, validation, criterion, training, score=True, monitor=self.monitor)
        return self

    def _check_classes(self, codes: np.ndarray) -> None:
        trained = self.classes_[np.unique(codes)].tolist()
        if len(trained) < 2:
            others = ""
            if len(self.classes_) > 1:
                others = f", as {', '.join(map(str, self.validated_))} validate and have the others"
            raise DataFormatError(
                f"{type(self).__name__} needs windows of at least two classes to train on; there is one class, "
                f"{trained[0]!r}{others}."
            )

    def _begin(self, pretrained: Pretrained | None, rng: np.random.Generator) -> nn.Module:
        """Make the network, with new weights or with pretrained ones; freeze what is to stay."""
        from har_virtual.models.networks.training import seeded

        def make() -> nn.Module:
            return self._make_network(self.n_features_in_, self.n_channels_in_, len(self.classes_))

        seed = int(rng.integers(2**63 - 1))
        if pretrained is None:
            with seeded(seed):
                network = make()
        else:
            network = self._make_with(pretrained, make, self.classes_, seed)
        if self.freeze and pretrained is None:
            raise DataFormatError(f"freeze={self.freeze!r} needs pretrained weights: new ones that stay learn nothing.")
        freeze_parts(network, self.freeze)
        return network

    def _network_of(self, pretrained: Pretrained) -> nn.Module:
        if pretrained.classes is None:
            raise DataFormatError("It has no labels (classes), so that nothing can be predicted.")
        self.classes_ = np.array(pretrained.classes)
        return self._make_network(pretrained.n_samples, pretrained.n_channels, len(self.classes_))

    def _find_pretrained(self, given: Pretrained | str | PathLike) -> Pretrained:
        pretrained = find_pretrained(given)
        if pretrained.kind != type(self).__name__:
            raise DataFormatError(f"A {type(self).__name__} cannot begin with the weights of a {pretrained.kind}.")
        pretrained.check_architecture({name: getattr(self, name) for name in self._architecture})
        pretrained.check_windows(
            n_channels=self.n_channels_in_,
            channels=self._names(),
            n_classes=len(self.classes_),
            n_samples=self.n_features_in_ if self._depends_on_length else None,
        )
        return pretrained

    def _validation_rows(
        self, X: np.ndarray, codes: np.ndarray, split: Split, X_val: ArrayLike | None, y_val: ArrayLike | None
    ) -> WindowRows | None:
        trained_codes = np.unique(codes[split.train])
        if (X_val is None) != (y_val is None):
            raise DataFormatError("X_val and y_val come together: windows that validate, and the label of each.")
        if X_val is None:
            windows, rows, labels = X, split.validation, self.classes_[codes]
        else:
            windows = self._check_validation_windows(X_val)
            labels = column_or_1d(y_val)
            check_consistent_length(windows, labels)
            rows = np.arange(len(labels))
            known = {label: code for code, label in enumerate(self.classes_.tolist())}
            codes = np.array([known.get(label, -1) for label in labels.tolist()])
            self.real_rows_used_ += len(labels)
            self.real_labels_used_ += len(labels)
        if not len(rows):
            return None
        trained = np.isin(codes[rows], trained_codes)
        if not trained.all():
            self._warn_of_untrained(labels[rows[~trained]], all_of_them=not trained.any())
        return self._rows(windows, codes, rows[trained])

    @staticmethod
    def _warn_of_untrained(labels: np.ndarray, *, all_of_them: bool) -> None:
        unknown = list(dict.fromkeys(labels.tolist()))[:5]
        if all_of_them:
            raise DataFormatError(
                f"No validation window has a label that is trained, they have {unknown}: let others validate."
            )
        warnings.warn(
            f"{len(labels)} validation windows are left out: no training window has their labels {unknown}.",
            DataWarning,
            stacklevel=5,
        )

    def _make_criterion(self, codes: np.ndarray) -> nn.Module:
        """Give the cross entropy, weighted by class where that is asked for."""
        torch = self._need_torch()
        from har_virtual.models.networks.training import WeightedCrossEntropy

        if self.class_weight is None:
            return torch.nn.CrossEntropyLoss()
        if isinstance(self.class_weight, dict):
            weights = self._given_weights(self.class_weight)
        else:
            present = np.unique(codes)
            weights = np.ones(len(self.classes_))
            weights[present] = compute_class_weight("balanced", classes=present, y=codes)
        total = weights[codes].mean()
        if not total:
            raise DataFormatError(f"class_weight={self.class_weight} leaves nothing to learn: all weights are 0.")
        # One in the mean, so that lr and weight decay mean what they do without weights.
        return WeightedCrossEntropy(weights / total)

    def _given_weights(self, given: dict[Any, float]) -> np.ndarray:
        labels = self.classes_.tolist()
        unknown = [label for label in given if label not in labels]
        if unknown:
            raise DataFormatError(f"class_weight names {unknown}, which no window has; labels are {labels}.")
        numbers = {label: weight for label, weight in given.items() if isinstance(weight, int | float | np.number)}
        wrong = {label: given[label] for label in given if not 0 <= numbers.get(label, -1) < np.inf}
        if wrong:
            raise DataFormatError(f"Weights of classes are numbers of 0 or more; class_weight has {wrong}.")
        return np.array([given.get(label, 1.0) for label in labels], dtype=float)

    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Give the probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_windows, n_samples, n_channels)
            Windows of the shape, rate and order of channels of those in fit.

        Returns
        -------
        ndarray of shape (n_windows, n_classes)
            In the order of `classes_`.

        Raises
        ------
        DataFormatError
            If windows have another length or number of channels than in fit, or values are missing or too large.
        """
        check_is_fitted(self, "net_")
        from scipy.special import softmax

        return softmax(self._scores(X).astype(np.float64), axis=1)

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Give the most probable class of each window; parameters and errors are those of `predict_proba`.

        Returns
        -------
        ndarray of shape (n_windows,)
        """
        check_is_fitted(self, "net_")
        return self.classes_[self._scores(X).argmax(axis=1)]

    def _scores(self, X: ArrayLike) -> np.ndarray:
        from har_virtual.models.networks.training import outputs

        windows, _ = check_windows(self, X, reset=False)
        scores = outputs(self.net_, self._rows(windows))
        wrong = ~np.isfinite(scores).all(axis=1)
        if wrong.any():
            raise DataFormatError(
                f"The network gives nothing finite for {np.count_nonzero(wrong)} windows, first for window "
                f"{wrong.argmax()}: their values are too large for it. Windows need the units of those in fit."
            )
        return scores


def check_labels(y: ArrayLike | None) -> None:
    """Refuse missing labels, which scikit-learn only sees among numbers, and text among numbers."""
    labels = np.ravel(np.asarray([] if y is None else y, dtype=object))
    missing = pd.isna(labels)
    if missing.any():
        raise DataFormatError(
            f"{np.count_nonzero(missing)} of {len(labels)} windows have no label (None or NaN in y), first window "
            f"{missing.argmax()}: leave them out."
        )
    if len({isinstance(label, str) for label in labels}) > 1:
        raise DataFormatError(f"Labels must be all text or all numbers; y has both, {list(labels[:5])} ...")
