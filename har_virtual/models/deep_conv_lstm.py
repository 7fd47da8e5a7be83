"""DeepConvLSTMClassifier: convolutions over time, then an LSTM."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from os import PathLike
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from sklearn.utils._param_validation import Interval

from har_virtual.models._base import Augmentation
from har_virtual.models._classifier import DeepClassifier
from har_virtual.models.pretrained import Pretrained

if TYPE_CHECKING:
    from torch import nn


class DeepConvLSTMClassifier(DeepClassifier):
    """DeepConvLSTM (Ordóñez and Roggen 2016), as IMUTube trains it: on raw windows, stopped early by held-out people.

    Four convolutions over time, the same for every channel, then two LSTM layers over the samples that are left, and a
    linear layer on the last one's state.

    Parameters
    ----------
    n_filters : int, default=64
        Of each convolution.
    kernel_size : int, default=5
        Samples that a convolution sees; nothing is padded, so each shortens the window by one less.
    n_conv_layers : int, default=4
    lstm_size : int, default=128
    n_lstm_layers : int, default=2
    dropout : float, default=0.5
        Share of the LSTM's inputs that is left out in training.
    lr : float, default=1e-3
        Learning rate of Adam. IMUTube searches 1e-6 to 1e-3.
    weight_decay : float, default=1e-4
        IMUTube searches 1e-4 to 1e-3.
    max_epochs : int, default=100
    batch_size : int, default=100
    patience : int, default=10
        Epochs without a better validation score after which training stops. The weights of the best epoch are kept.
    monitor : {"loss", "f1"}, default="loss"
        Which score: the lowest loss, or the highest macro-F1, which may still rise while a network becomes too sure of
        its errors.
    validation_subjects : int, str, sequence of str or None, default=1
        How many subjects, or which, validate where fit is given `groups`: their real windows say when to stop, and
        nothing made from them trains. They are drawn by `random_state`, rather those without whom every class still
        trains. None: training takes `max_epochs` epochs.
    class_weight : dict, "balanced" or None, default=None
        Weights in the loss, by label; 1 for those not named. Only their ratios count, over the training windows.
    augment : callable or sequence of callables, optional
        ``augment(X, rng) -> X`` on each training batch, in the units of the windows; see `har_virtual.augmentation`.
    scale : bool, default=True
        Whether each channel is shifted and divided by its mean and standard deviation over the training windows. A
        pretrained network keeps what it was trained with.
    channels : sequence of str, optional
        Names of the channels, `WindowSet.channels`. They are saved, and a pretrained network with other channels, or
        the same in another order, is refused.
    pretrained : Pretrained or path, optional
        Weights to begin with; `from_pretrained` sets it.
    freeze : str or sequence of str, default=()
        Parts of a pretrained network that stay as they are: "convolutions", "lstm".
    device : str, default="auto"
        "cpu", "cuda", "cuda:1", or "auto": a GPU if there is one.
    verbose : int, default=0
        1 shows a progress bar over epochs.
    random_state : int or Generator, optional
        Of the first weights, the drawn subjects, the order of windows, dropout and augmentation.

    Attributes
    ----------
    net_ : skorch.NeuralNet
        Trained; its network is ``net_.module_.network``.
    classes_ : ndarray
    history_ : DataFrame
        One row an epoch: epoch, train_loss, valid_loss, valid_f1 (macro-F1 of the validation rows), duration_s.
    n_epochs_, best_epoch_ : int
        Epochs that ran, and the one whose weights were kept (the last without validation rows); the first is 1.
    validated_ : tuple of str
        Subjects drawn to validate.
    mean_, scale_ : ndarray of shape (n_channels,)
        What inputs are shifted and divided by.
    n_features_in_, n_channels_in_ : int
        Samples and channels of a window.
    real_rows_used_, real_labels_used_ : int
        Real rows, and labels of such, that it learned from, validation rows among them.

    See Also
    --------
    from_pretrained : Begin with a trained network.
    PretrainOnVirtual : Train on virtual windows first, then on real ones.

    Notes
    -----
    On a CPU the same windows, parameters, seed and number of threads give the same network to the last bit, also where
    several are trained in threads; on a GPU PyTorch does not promise that. Windows shorter than
    ``n_conv_layers * (kernel_size - 1) + 1`` samples are lengthened by their first and last sample, with a warning.

    References
    ----------
    Ordóñez and Roggen, "Deep convolutional and LSTM recurrent neural networks for multimodal wearable activity
    recognition", Sensors 16(1), 2016. Kwon et al., "IMUTube", 2020, sections 3.1 and 5.1.

    Examples
    --------
    >>> import numpy as np
    >>> from har_virtual.models import DeepConvLSTMClassifier
    >>> rng = np.random.default_rng(0)
    >>> y = np.tile(["sit", "walk"], 40)
    >>> X = rng.normal(scale=np.where(y == "walk", 3.0, 0.5)[:, None, None], size=(80, 30, 3))
    >>> subjects = np.repeat(["ann", "ben", "eve", "tom"], 20)
    >>> model = DeepConvLSTMClassifier(n_filters=8, lstm_size=8, lr=0.01, max_epochs=25, batch_size=20, random_state=0)
    >>> model.fit(X[:60], y[:60], groups=subjects[:60]).score(X[60:], y[60:])
    1.0
    """

    _parameter_constraints: ClassVar[dict] = {
        **DeepClassifier._parameter_constraints,
        "n_filters": [Interval(Integral, 1, None, closed="left")],
        "kernel_size": [Interval(Integral, 1, None, closed="left")],
        "n_conv_layers": [Interval(Integral, 1, None, closed="left")],
        "lstm_size": [Interval(Integral, 1, None, closed="left")],
        "n_lstm_layers": [Interval(Integral, 1, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(
        self,
        *,
        n_filters: int = 64,
        kernel_size: int = 5,
        n_conv_layers: int = 4,
        lstm_size: int = 128,
        n_lstm_layers: int = 2,
        dropout: float = 0.5,
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
        self.n_filters = n_filters
        self.kernel_size = kernel_size
        self.n_conv_layers = n_conv_layers
        self.lstm_size = lstm_size
        self.n_lstm_layers = n_lstm_layers
        self.dropout = dropout
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

    _architecture = ("n_filters", "kernel_size", "n_conv_layers", "lstm_size", "n_lstm_layers")
    _depends_on_length = False

    def _least_samples(self) -> int:
        return self.n_conv_layers * (self.kernel_size - 1) + 1

    def _make_network(self, n_samples: int, n_channels: int, n_classes: int) -> nn.Module:
        from har_virtual.models.networks.deep_conv_lstm import DeepConvLSTM

        return DeepConvLSTM(
            n_channels, n_classes, dropout=self.dropout, **{name: getattr(self, name) for name in self._architecture}
        )
