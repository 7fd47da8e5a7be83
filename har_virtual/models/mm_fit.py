"""MMFitClassifier: the recogniser of MM-Fit for one modality."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from numbers import Integral
from os import PathLike
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from har_virtual.exceptions import DataFormatError, DataWarning
from har_virtual.models._base import Augmentation
from har_virtual.models._classifier import DeepClassifier
from har_virtual.models.pretrained import Pretrained
from har_virtual.recording import channel_quantity
from har_virtual.windows.validation import find_triads

if TYPE_CHECKING:
    from torch import nn


class MMFitClassifier(DeepClassifier):
    """The encoders of MM-Fit (Strömbäck et al. 2020) and its three linear layers, for one modality; MuJo's baseline.

    Each vector of an accelerometer or gyroscope passes three convolutions of its own; a pose, an image of frames by
    joints, passes three together. What they give is joined and classified.

    Parameters
    ----------
    modality : {"acc", "gyr", "pose"}, default="acc"
        What the windows are of. "acc", "gyr": with `channels`, the vectors of that quantity, and other channels are
        left out; without, three channels are x, y, z of one vector, and each three of more channels are one, with a
        warning. "pose": each three consecutive channels are x, y, z of a joint, (n_windows, n_frames, n_joints * 3), in
        an order in which neighbours belong together.
    hidden_size : int, default=100
        Of the first two linear layers.
    freeze : str or sequence of str, default=()
        Parts of a pretrained network that stay as they are: "encoders", "hidden".
    lr, weight_decay, max_epochs, batch_size, patience, monitor, validation_subjects, class_weight
        As in DeepConvLSTMClassifier.
    augment, scale, channels, pretrained, device, verbose, random_state
        As in DeepConvLSTMClassifier.

    Attributes
    ----------
    net_, classes_, history_, n_epochs_, best_epoch_, validated_, mean_, scale_, n_features_in_, n_channels_in_
        As in DeepConvLSTMClassifier.
    real_rows_used_, real_labels_used_ : int
        Real rows, and labels of such, that it learned from, validation rows among them.

    See Also
    --------
    DeepConvLSTMClassifier : The recogniser of IMUTube.
    har_virtual.datasets.load_mm_fit : The data set.

    Notes
    -----
    The authors join encoders of all modalities and begin with those of an autoencoder; here is one modality, from
    random weights. They train 25 epochs of batches of 128, and cut the learning rate where the loss stays; here
    training stops early. Windows under 9 samples are lengthened by their first and last sample, with a warning. A
    single channel without a name is taken for vectors along x; otherwise channels that are no vectors are an error. The
    network depends on the length of the windows and on the modality, so that a pretrained one takes no other.

    References
    ----------
    Strömbäck, Huang, Radu, "MM-Fit: multimodal deep learning for automatic exercise logging across sensing devices",
    IMWUT 4(4), 2020. Geissler et al., "MuJo", 2024.

    Examples
    --------
    >>> import numpy as np
    >>> from har_virtual.models import MMFitClassifier
    >>> rng = np.random.default_rng(0)
    >>> y = np.tile(["sit", "walk"], 40)
    >>> X = rng.normal(scale=np.where(y == "walk", 3.0, 0.5)[:, None, None], size=(80, 50, 3))
    >>> model = MMFitClassifier(hidden_size=16, lr=0.01, max_epochs=10, validation_subjects=None, random_state=0)
    >>> model.fit(X[:60], y[:60]).score(X[60:], y[60:])
    1.0
    """

    _parameter_constraints: ClassVar[dict] = {
        **DeepClassifier._parameter_constraints,
        "modality": [StrOptions({"acc", "gyr", "pose"})],
        "hidden_size": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        *,
        modality: Literal["acc", "gyr", "pose"] = "acc",
        hidden_size: int = 100,
        lr: float = 1e-3,
        weight_decay: float = 1e-4,
        max_epochs: int = 100,
        batch_size: int = 100,
        patience: int = 10,
        monitor: Literal["loss", "f1"] = "loss",
        validation_subjects: int | Sequence[str] | str | None = 1,
        class_weight: dict[Any, float] | Literal["balanced"] | None = None,
        augment: Augmentation | Sequence[Augmentation] | None = None,
        scale: bool = True,
        channels: Sequence[str] | None = None,
        pretrained: Pretrained | str | PathLike | None = None,
        freeze: str | Sequence[str] = (),
        device: str = "auto",
        verbose: int = 0,
        random_state: int | np.random.Generator | None = None,
    ) -> None:
        self.modality = modality
        self.hidden_size = hidden_size
        self.lr = lr
        self.weight_decay = weight_decay
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.patience = patience
        self.monitor = monitor
        self.validation_subjects = validation_subjects
        self.class_weight = class_weight
        self.augment = augment
        self.scale = scale
        self.channels = channels
        self.pretrained = pretrained
        self.freeze = freeze
        self.device = device
        self.verbose = verbose
        self.random_state = random_state

    _architecture = ("modality", "hidden_size")
    _depends_on_length = True

    def _least_samples(self) -> int:
        from har_virtual.models.networks.mm_fit_cnn import MMFitCNN

        return MMFitCNN.least_samples()

    def _make_network(self, n_samples: int, n_channels: int, n_classes: int) -> nn.Module:
        from har_virtual.models.networks.mm_fit_cnn import MMFitCNN

        return MMFitCNN(
            n_channels,
            n_classes,
            max(n_samples, self._least_samples()),
            modality=self.modality,
            hidden_size=self.hidden_size,
            vectors=None if n_channels == 1 and self.channels is None else self._vectors(n_channels),
        )

    def _check_names(self, n_channels: int) -> None:
        super()._check_names(n_channels)
        if self.channels is None and self.modality != "pose" and n_channels > 3 and n_channels % 3 == 0:
            warnings.warn(
                f"The {n_channels} channels have no names, so that MMFitClassifier(modality={self.modality!r}) takes "
                f"each three of them for one {self.modality} vector, whatever they are. channels=WindowSet.channels "
                "says which are.",
                DataWarning,
                stacklevel=5,
            )

    def _vectors(self, n_channels: int) -> list[tuple[int, int, int]]:
        """Find the vectors that the encoders see: all without names, those of the modality with names."""
        sensors = [name for name in self._names() or () if channel_quantity(name) is not None]
        if self.modality == "pose" and sensors:
            raise DataFormatError(
                f'modality="pose" takes coordinates of joints, but {sensors[0]} is of a sensor: take "acc" or "gyr".'
            )
        names = None if self.modality == "pose" else self._names()
        triads = find_triads(names, n_channels)
        vectors = [triad.columns for triad in triads if names is None or triad.quantity == self.modality]
        if vectors:
            return vectors
        wanted = "joint" if self.modality == "pose" else f"{self.modality} vector"
        found = "their number does not divide by three" if names is None else ", ".join(names)
        raise DataFormatError(
            f"MMFitClassifier(modality={self.modality!r}) needs x, y and z of each {wanted}; among the {n_channels} "
            f"channels there is none: {found}."
        )
