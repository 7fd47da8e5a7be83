"""What deep estimators share: parameters, validation, training and scaling."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from numbers import Integral, Real
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils import Tags
from sklearn.utils._param_validation import Interval

from har_virtual._optional import import_optional
from har_virtual.checks import check_augmentation
from har_virtual.exceptions import DataFormatError, DataWarning
from har_virtual.models._validation import Split, hold_out_subjects
from har_virtual.models.pretrained import NOT_WRITTEN, Pretrained
from har_virtual.models.storage import save, write_augmentation
from har_virtual.windows._moments import mean_and_std
from har_virtual.windows.validation import check_sample_domain, check_windows

if TYPE_CHECKING:
    from torch import nn

    from har_virtual.models.networks.batches import WindowRows

Augmentation = Callable[[np.ndarray, np.random.Generator], np.ndarray]


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
        # Also a torch.device, which cannot be named here.
        "device": "no_validation",
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

    def _forget(self) -> None:
        """Drop the network of an earlier fit: one that fails must not leave it behind to predict other labels."""
        self.__dict__.pop("net_", None)

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
        if groups is None and wanted is not None:
            self._miss_groups(X, wanted)
        split = hold_out_subjects(classes, groups, virtual, wanted, rng)
        self.validated_ = split.names
        used = np.concatenate([split.train, split.validation])
        self.real_rows_used_ = self.real_labels_used_ = int(np.count_nonzero(~virtual[used]))
        return split

    def _miss_groups(self, X: np.ndarray, wanted: int | Sequence[str] | str) -> None:
        """Say that nobody can validate; scikit-learn's own checks have one channel and no groups."""
        what = (
            f"validation_subjects={wanted!r}, but no groups reached fit. Pass groups=, the subject of each window; in "
            "a Pipeline, a search or a cross-validation they arrive only after "
            "sklearn.set_config(enable_metadata_routing=True)"
        )
        if not isinstance(wanted, Integral):
            raise DataFormatError(f"{what}.")
        if X.shape[2] > 1:
            warnings.warn(
                f"{what}. Now nobody validates, and training takes {self.max_epochs} epochs; validation_subjects=None "
                "says that this is meant.",
                DataWarning,
                stacklevel=5,
            )

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

    def _check_validation_windows(self, X_val: ArrayLike) -> np.ndarray:
        try:
            return check_windows(self, X_val, reset=False)[0]
        except DataFormatError as error:
            raise DataFormatError(f"X_val: {error}") from error

    def _train(
        self,
        network: nn.Module,
        rows: WindowRows,
        validation: WindowRows | None,
        criterion: nn.Module,
        rng: np.random.Generator,
        *,
        score: bool = False,
        monitor: str = "loss",
    ) -> None:
        """Train a network behind the scale of its inputs; set `net_` and `history_`."""
        from har_virtual.models.networks.scaled import Scaled
        from har_virtual.models.networks.training import Training, find_device, train

        steps = [] if self.augment is None else [self.augment] if callable(self.augment) else list(self.augment)
        for number, step in enumerate(steps):
            name = "augment" if len(steps) == 1 else f"augment[{number}]"
            check_augmentation(name, step)
            self._check_augmented_names(name, step)
        training = Training(
            self.lr,
            self.weight_decay,
            self.max_epochs,
            self.batch_size,
            self.patience,
            monitor,
            steps,
            find_device(self.device),
            self.verbose,
        )
        module = Scaled(network, self.mean_, self.scale_)
        self.net_, self.history_ = train(
            module, rows, validation, criterion=criterion, training=training, rng=rng, score=score
        )
        self.n_epochs_ = len(self.history_)
        watched = self.history_[f"valid_{monitor}"]
        kept = watched.argmin if monitor == "loss" else watched.argmax
        best = self.n_epochs_ - 1 if validation is None else int(kept())
        self.best_epoch_ = int(self.history_["epoch"].iloc[best])

    def _rows(self, X: np.ndarray, targets: np.ndarray | None = None, rows: np.ndarray | None = None) -> WindowRows:
        from har_virtual.models.networks.batches import WindowRows

        return WindowRows(X, targets, rows, least_samples=self._least_samples())

    def _names(self) -> tuple[str, ...] | None:
        """Give the names of the channels, whatever sequence they came in."""
        return None if self.channels is None else tuple(map(str, self.channels))

    def _check_names(self, n_channels: int) -> None:
        """Compare the channels with their names."""
        names = self._names()
        if names is not None and (len(names) != n_channels or len(set(names)) != len(names)):
            flat = " X has two dimensions, which are one channel: give windows (n_windows, n_samples, n_channels)."
            raise DataFormatError(
                f"channels must name each of the {n_channels} channels of X once; they are {list(names)}."
                f"{flat if n_channels == 1 else ''}"
            )

    def _check_augmented_names(self, name: str, step: Augmentation) -> None:
        """Compare the channels that an augmentation was told of, or one of its steps, with those of the windows."""
        for part in getattr(step, "steps", (step,)):
            told = getattr(part, "channels", None)
            if self.channels is not None and told is not None and tuple(told) != self._names():
                raise DataFormatError(
                    f"{name}: the channels of {type(part).__name__} are {list(told)}, but the windows have "
                    f"{list(self.channels)}: give both WindowSet.channels."
                )

    def _check_shape(self, X: np.ndarray) -> None:
        """Compare the channels with their names, and say where windows are lengthened."""
        self._check_names(X.shape[2])
        # Two dimensions, as of scikit-learn's own checks, have few samples.
        if X.shape[1] < self._least_samples() and X.shape[2] > 1:
            warnings.warn(
                f"Windows have {X.shape[1]} samples, and {type(self).__name__} needs {self._least_samples()}: they are "
                "lengthened at both ends by their first and last sample. Longer windows or another kernel would use "
                "real samples.",
                DataWarning,
                stacklevel=4,
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

        Warns
        -----
        DataWarning
            If a parameter of training cannot be written, such as an augmentation of your own or a Generator.
        """
        written = Pretrained.of(self)
        params = {**written.params, "augment": write_augmentation(self.augment)}
        kept = NOT_WRITTEN | written.architecture.keys() | {name for name in params if params[name] is not None}
        lost = [name for name, value in self.get_params(deep=False).items() if value is not None and name not in kept]
        if lost:
            warnings.warn(
                f"{', '.join(lost)} cannot be written to {path}: load_model gives an estimator that predicts the same, "
                "with defaults of these, so that another fit of it would not be this one.",
                DataWarning,
                stacklevel=2,
            )
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
        network = self._make_with(pretrained, lambda: self._network_of(pretrained))
        module = Scaled(network, self.mean_, self.scale_)
        self.net_ = untrained_net(module, self.batch_size, find_device(self.device))

    def _network_of(self, pretrained: Pretrained) -> nn.Module:
        """Make the network that weights are of."""
        raise NotImplementedError

    def _make_with(
        self, pretrained: Pretrained, make: Callable[[], nn.Module], classes: np.ndarray | None = None, seed: int = 0
    ) -> nn.Module:
        """Make a network with pretrained weights; one that they are not of is refused before it takes memory."""
        from har_virtual.models.networks.training import seeded

        with seeded(seed), self._need_torch().device("meta"):
            pretrained.state(make(), classes)
        with seeded(seed):
            network = make()
        network.load_state_dict(pretrained.state(network, classes))
        return network

    def _need_torch(self) -> Any:
        torch = import_optional("torch", feature=type(self).__name__, extra="deep")
        import_optional("skorch", feature=type(self).__name__, extra="deep")
        return torch

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags
