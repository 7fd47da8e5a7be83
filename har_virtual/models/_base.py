"""What deep estimators share: parameters, validation, training and scaling."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from numbers import Integral, Real
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.utils import Tags, check_consistent_length, column_or_1d
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from har_virtual._optional import import_optional
from har_virtual.exceptions import DataFormatError, DataWarning
from har_virtual.models._validation import Split, hold_out_subjects
from har_virtual.models.pretrained import Pretrained, find_pretrained, freeze_parts
from har_virtual.models.storage import save, write_augmentation
from har_virtual.windows.validation import check_sample_domain, check_windows

if TYPE_CHECKING:
    from torch import nn

    from har_virtual.models.networks.batches import WindowRows

Augmentation = Callable[[np.ndarray, np.random.Generator], np.ndarray]

# Values that are looked at together for the scale.
_BLOCK = 2**22


class DeepEstimator(BaseEstimator):
    """A network that skorch trains, held in `net_`; subclasses say which, and what it learns."""

    __metadata_request__fit: ClassVar[dict[str, bool]] = dict.fromkeys(
        ("groups", "sample_domain", "X_val", "y_val"), True
    )

    _parameter_constraints: ClassVar[dict] = {
        "lr": [Interval(Real, 0, None, closed="neither")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "patience": [Interval(Integral, 1, None, closed="left")],
        "validation_subjects": [Interval(Integral, 1, None, closed="left"), str, "array-like", None],
        "augment": [callable, list, tuple, None],
        "scale": ["boolean"],
        "channels": ["array-like", None],
        "device": [str],
        "verbose": ["verbose"],
        "random_state": [Interval(Integral, 0, None, closed="left"), np.random.Generator, None],
    }

    _architecture: ClassVar[tuple[str, ...]] = ()
    """Parameters that the shapes of the network's weights depend on."""
    _depends_on_length: ClassVar[bool] = True
    """Whether another window length makes another network."""
    _learned: ClassVar[tuple[str, ...]] = (
        *("n_epochs_", "best_epoch_", "validated_", "history_", "real_rows_used_", "real_labels_used_"),
    )
    """What a saved estimator has beside its weights, shape, scale and labels."""

    lr: float
    weight_decay: float
    max_epochs: int
    batch_size: int
    patience: int
    validation_subjects: int | Sequence[str] | str | None
    augment: Augmentation | Sequence[Augmentation] | None
    scale: bool
    channels: Sequence[str] | None
    device: str
    verbose: int
    random_state: int | np.random.Generator | None

    def _least_samples(self) -> int:
        """Say how many samples a window needs at least; shorter ones are lengthened."""
        raise NotImplementedError

    def _generators(self) -> list[np.random.Generator]:
        """Give a stream each for who validates, the first weights, and training."""
        # Not spawn: numpy before 2 forgets the seeds of a generator that is copied, as clone does.
        seeds = np.random.default_rng(self.random_state).integers(2**63, size=3)
        return [np.random.default_rng(seed) for seed in seeds]

    def _split(
        self,
        X: np.ndarray,
        classes: np.ndarray,
        groups: ArrayLike | None,
        sample_domain: ArrayLike | None,
        rng: np.random.Generator,
        *,
        given: bool,
    ) -> Split:
        """Choose who validates, unless validation rows are `given`; count the real rows that are learned from."""
        virtual = check_sample_domain(sample_domain, len(X))
        wanted = None if given else self.validation_subjects
        split = hold_out_subjects(classes, groups, virtual, wanted, rng)
        self.validated_ = split.names
        used = np.concatenate([split.train, split.validation])
        self.real_rows_used_ = self.real_labels_used_ = int(np.count_nonzero(~virtual[used]))
        return split

    def _learn_scale(self, X: np.ndarray, rows: np.ndarray) -> None:
        """Set mean and scale of each channel over all samples of the training windows."""
        n_channels = X.shape[2]
        self.mean_, self.scale_ = np.zeros(n_channels, np.float32), np.ones(n_channels, np.float32)
        if not self.scale:
            return
        mean, std = mean_and_std(X, rows)
        self.mean_ = mean.astype(np.float32)
        # A constant channel stays as it is.
        self.scale_ = np.where(std > 1e-6 * np.maximum(1, np.abs(mean)), std, 1).astype(np.float32)

    def _train(
        self,
        network: nn.Module,
        rows: WindowRows,
        validation: WindowRows | None,
        criterion: nn.Module,
        rng: np.random.Generator,
        *,
        score: bool,
    ) -> None:
        """Train a network behind the scale of its inputs; set `net_` and `history_`."""
        from har_virtual.models.networks.scaled import Scaled
        from har_virtual.models.networks.training import Training, find_device, train

        steps = [] if self.augment is None else [self.augment] if callable(self.augment) else list(self.augment)
        training = Training(
            self.lr,
            self.weight_decay,
            self.max_epochs,
            self.batch_size,
            self.patience,
            steps,
            find_device(self.device),
            self.verbose,
        )
        module = Scaled(network, self.mean_, self.scale_)
        self.net_, self.history_ = train(
            module, rows, validation, criterion=criterion, training=training, rng=rng, score=score
        )
        self.n_epochs_ = len(self.history_)
        best = self.n_epochs_ - 1 if validation is None else int(self.history_["valid_loss"].argmin())
        self.best_epoch_ = int(self.history_["epoch"].iloc[best])

    def _rows(self, X: np.ndarray, targets: np.ndarray | None = None, rows: np.ndarray | None = None) -> WindowRows:
        from har_virtual.models.networks.batches import WindowRows

        return WindowRows(X, targets, rows, least_samples=self._least_samples())

    def _check_shape(self, X: np.ndarray) -> None:
        """Compare the channels with their names, and say where windows are lengthened."""
        names = None if self.channels is None else list(self.channels)
        if names is not None and (len(names) != X.shape[2] or len(set(names)) != len(names)):
            raise DataFormatError(f"channels must name each of the {X.shape[2]} channels of X once; they are {names}.")
        # Two dimensions, as of scikit-learn's own checks, have few samples.
        if X.shape[1] < self._least_samples() and X.shape[2] > 1:
            warnings.warn(
                f"Windows have {X.shape[1]} samples, and {type(self).__name__} needs {self._least_samples()}: they are "
                "lengthened at both ends by their first and last sample. Longer windows or another kernel would use "
                "real samples.",
                DataWarning,
                stacklevel=3,
            )

    def save(self, path: str | PathLike) -> Path:
        """Write the trained network to one safetensors file, with all else in its header; `load_model` reads it.

        Parameters
        ----------
        path : path
            Commonly ends in ``.safetensors``.

        Returns
        -------
        Path

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If nothing is trained.
        OSError
            If the file cannot be written; a file that was there stays.
        """
        written = Pretrained.of(self)
        params = {**written.params, "augment": write_augmentation(self.augment)}
        return save(replace(written, params=params), path)

    def _restore(self, pretrained: Pretrained) -> None:
        """Become the fitted estimator that weights and description are of."""
        from har_virtual.models.networks.scaled import Scaled
        from har_virtual.models.networks.training import find_device, untrained_net

        self.n_features_in_, self.n_channels_in_ = pretrained.n_samples, pretrained.n_channels
        self.channels_in_ = None
        self.mean_, self.scale_ = (values.astype(np.float32) for values in (pretrained.mean, pretrained.scale))
        for name in self._learned:
            setattr(self, name, pretrained.learned[name])
        self.history_ = pd.DataFrame(dict(self.history_))
        network = self._network_of(pretrained)
        network.load_state_dict(pretrained.state(network))
        module = Scaled(network, self.mean_, self.scale_)
        self.net_ = untrained_net(module, self.batch_size, find_device(self.device))

    def _network_of(self, pretrained: Pretrained) -> nn.Module:
        """Make the network that weights are of."""
        raise NotImplementedError

    def _need_torch(self) -> Any:
        torch = import_optional("torch", feature=type(self).__name__, extra="deep")
        import_optional("skorch", feature=type(self).__name__, extra="deep")
        return torch

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags


class DeepClassifier(ClassifierMixin, DeepEstimator):
    """A network that gives one score a class; a subclass makes it."""

    _parameter_constraints: ClassVar[dict] = {
        **DeepEstimator._parameter_constraints,
        "class_weight": [StrOptions({"balanced"}), dict, None],
        "pretrained": [Pretrained, str, PathLike, None],
        "freeze": [str, list, tuple],
    }

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
            If there is one class only, values are missing, nobody is left to train, validation windows are of another
            shape or have no label that is trained, or a pretrained network does not fit the windows.
        UnknownNameError
            If the device is not there.
        TrainingError
            If the loss is no longer finite.
        MissingDependencyError
            If torch or skorch is absent.

        Warns
        -----
        DataWarning
            If all rows with groups are virtual, so that nobody can validate; if windows are shorter than the network
            needs; or if validation windows have labels that no training window has.
        """
        self._need_torch()
        X, y = check_windows(self, X, y, reset=True)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise DataFormatError(
                f"{type(self).__name__} needs windows of at least two classes; y has one class, {self.classes_[0]!r}."
            )
        self._check_shape(X)
        pretrained = None if self.pretrained is None else self._find_pretrained(self.pretrained)
        drawing, weighing, training = self._generators()
        split = self._split(X, codes, groups, sample_domain, drawing, given=X_val is not None)
        validation = self._validation_rows(X, codes, split, X_val, y_val)
        network = self._begin(pretrained, weighing)
        if pretrained is None:
            self._learn_scale(X, split.train)
        else:
            self.mean_, self.scale_ = pretrained.mean.astype(np.float32), pretrained.scale.astype(np.float32)
        criterion = self._make_criterion(codes[split.train])
        self._train(network, self._rows(X, codes, split.train), validation, criterion, training, score=True)
        return self

    def _begin(self, pretrained: Pretrained | None, rng: np.random.Generator) -> nn.Module:
        """Make the network, with new weights or with pretrained ones; freeze what is to stay."""
        from har_virtual.models.networks.training import seeded

        with seeded(int(rng.integers(2**63 - 1))):
            network = self._make_network(self.n_features_in_, self.n_channels_in_, len(self.classes_))
        if pretrained is not None:
            network.load_state_dict(pretrained.state(network, self.classes_))
        parts = [self.freeze] if isinstance(self.freeze, str) else list(self.freeze)
        if parts and pretrained is None:
            raise DataFormatError(f"freeze={self.freeze!r} needs pretrained weights: new ones that stay learn nothing.")
        freeze_parts(network, parts)
        return network

    def _network_of(self, pretrained: Pretrained) -> nn.Module:
        self.classes_ = np.array(pretrained.classes)
        return self._make_network(pretrained.n_samples, pretrained.n_channels, len(self.classes_))

    def _find_pretrained(self, given: Pretrained | str | PathLike) -> Pretrained:
        pretrained = given if isinstance(given, Pretrained) else find_pretrained(Path(given))
        if pretrained.kind != type(self).__name__:
            raise DataFormatError(f"A {type(self).__name__} cannot begin with the weights of a {pretrained.kind}.")
        pretrained.check_windows(
            pretrained.kind,
            n_channels=self.n_channels_in_,
            channels=self.channels,
            n_classes=len(self.classes_),
            n_samples=self.n_features_in_ if self._depends_on_length else None,
        )
        return pretrained

    def _validation_rows(
        self, X: np.ndarray, codes: np.ndarray, split: Split, X_val: ArrayLike | None, y_val: ArrayLike | None
    ) -> WindowRows | None:
        if (X_val is None) != (y_val is None):
            raise DataFormatError("X_val and y_val come together: windows that validate, and the label of each.")
        if X_val is None:
            return self._rows(X, codes, split.validation) if len(split.validation) else None
        windows, _ = check_windows(self, X_val, reset=False)
        labels = column_or_1d(y_val)
        check_consistent_length(windows, labels)
        known = np.isin(labels, self.classes_)
        self.real_rows_used_ += len(labels)
        self.real_labels_used_ += len(labels)
        if not known.all():
            unknown = np.unique(labels[~known]).tolist()
            if not known.any():
                raise DataFormatError(f"No validation window has a label that is trained: they are {unknown[:5]}.")
            warnings.warn(
                f"{np.count_nonzero(~known)} validation windows are left out: no training window has their labels "
                f"{unknown[:5]}.",
                DataWarning,
                stacklevel=4,
            )
        codes = np.searchsorted(self.classes_, labels[known]).astype(np.int64)
        rows = np.flatnonzero(known)
        targets = np.zeros(len(labels), np.int64)
        targets[rows] = codes
        return self._rows(windows, targets, rows)

    def _make_criterion(self, codes: np.ndarray) -> nn.Module:
        """Give the cross entropy, weighted by class where that is asked for."""
        torch = self._need_torch()
        if self.class_weight is None:
            return torch.nn.CrossEntropyLoss()
        present = np.unique(codes)
        weights = np.ones(len(self.classes_))
        given = self.class_weight
        if isinstance(given, dict):
            unknown = [label for label in given if label not in self.classes_]
            if unknown:
                raise DataFormatError(f"class_weight names {unknown}, which no window has; labels are {self.classes_}.")
            weights = np.array([given.get(label, 1.0) for label in self.classes_.tolist()], dtype=float)
        else:
            weights[present] = compute_class_weight("balanced", classes=present, y=codes)
        return torch.nn.CrossEntropyLoss(torch.as_tensor(weights, dtype=torch.float32))

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
            If windows have another length or number of channels than in fit, or values are missing.
        """
        check_is_fitted(self)
        from scipy.special import softmax

        return softmax(self._scores(X).astype(np.float64), axis=1)

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Give the most probable class of each window; parameters and errors are those of `predict_proba`.

        Returns
        -------
        ndarray of shape (n_windows,)
        """
        check_is_fitted(self)
        return self.classes_[self._scores(X).argmax(axis=1)]

    def _scores(self, X: ArrayLike) -> np.ndarray:
        from har_virtual.models.networks.training import outputs

        windows, _ = check_windows(self, X, reset=False)
        return outputs(self.net_, self._rows(windows))


def mean_and_std(X: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give mean and standard deviation of each channel over the samples of some windows, block by block."""
    n_values = len(rows) * X.shape[1] * X.shape[2]
    blocks = np.array_split(rows, min(len(rows), n_values // _BLOCK + 1))
    n_samples = len(rows) * X.shape[1]
    mean = sum(X[block].sum(axis=(0, 1), dtype=np.float64) for block in blocks) / n_samples
    squares = sum(np.square(X[block] - mean, dtype=np.float64).sum(axis=(0, 1)) for block in blocks)
    return mean, np.sqrt(squares / n_samples)
