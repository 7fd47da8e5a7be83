"""ConvAutoencoderFeatures: windows described by what a convolutional autoencoder learned of others, without labels."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import TransformerMixin, _fit_context
from sklearn.utils import Tags
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted

from har_virtual.exceptions import DataFormatError
from har_virtual.models._base import Augmentation, DeepEstimator
from har_virtual.windows.validation import check_sample_domain, check_windows

if TYPE_CHECKING:
    from torch import nn

# Of each channel's values so many lie beyond -1 ... 1 on either side.
_BEYOND = 0.005


class ConvAutoencoderFeatures(TransformerMixin, DeepEstimator):
    """Describe windows by the narrow layer of a convolutional autoencoder (Haresamudram et al. 2019).

    The autoencoder learns to give back windows that passed through `embedding_size` numbers; these are the features,
    for any classifier. No label is used, so that any virtual windows will do: IMUTube's unsupervised transfer (section
    5.2) trains it on virtual windows, and a Random Forest on the features of real ones.

    Parameters
    ----------
    embedding_size : int, default=100
        Features of a window.
    n_filters : sequence of int, default=(64, 128, 256, 512)
        Of the convolutions of each block of the encoder; the decoder goes backwards.
    train_on : {"both", "real", "virtual"}, default="both"
        Rows from which the autoencoder learns, by the `sample_domain` of fit. Those that validate are real always.
    lr : float, default=1e-3
        Learning rate of Adam.
    weight_decay : float, default=1e-4
    max_epochs : int, default=100
    batch_size : int, default=100
        Two at least, for batch normalisation.
    patience : int, default=10
        Epochs without a lower validation error after which training stops. The weights of the best epoch are kept.
    validation_subjects : int, str, sequence of str or None, default=1
        How many subjects, or which, validate where fit is given `groups`: their real windows say when to stop, and
        nothing made from them trains. They are drawn by `random_state`. None: training takes `max_epochs` epochs.
    augment : callable or sequence of callables, optional
        ``augment(X, rng) -> X`` on each training batch; what is to come back is the changed window.
    scale : bool, default=True
        Whether each channel is moved and divided so that 99 of 100 of its training values lie in -1 ... 1. False: the
        windows are scaled so already. Either way values beyond are moved to the border, as the output is a tanh.
    channels : sequence of str, optional
        Names of the channels, which are saved with the network.
    device : str, default="auto"
        "cpu", "cuda", "cuda:1", or "auto": a GPU if there is one.
    verbose : int, default=0
        1 shows a progress bar over epochs.
    random_state : int or Generator, optional
        Of the first weights, the drawn subjects, the order of windows and augmentation.

    Attributes
    ----------
    net_ : skorch.NeuralNet
        Trained; its autoencoder is ``net_.module_.network.autoencoder``.
    history_ : DataFrame
        One row an epoch: epoch, train_loss, valid_loss (mean squared errors of scaled windows), valid_f1 (empty),
        duration_s.
    n_epochs_, best_epoch_ : int
        Epochs that ran, and the one whose weights were kept (the last without validation rows); the first is 1.
    validated_ : tuple of str
        Subjects drawn to validate.
    mean_, scale_ : ndarray of shape (n_channels,)
        What inputs are moved by, the middle between the .5th and 99.5th percentile, and divided by, half their
        distance; 1 for a constant channel.
    n_features_in_, n_channels_in_ : int
        Samples and channels of a window.
    real_rows_used_, real_labels_used_ : int
        Real rows that it learned from, validation rows among them; never a label.

    See Also
    --------
    har_virtual.features.ECDFFeatures : Features that nothing is learned for.

    Notes
    -----
    Percentiles instead of extremes: one knock against the sensor would press all else towards zero. The first
    convolutions see each window as an image, so that neighbouring channels belong together: keep x, y, z of a vector
    side by side. Blocks whose image is under 2 samples or 2 channels do not pool, so that any window will do.

    References
    ----------
    Haresamudram, Anderson, Plötz, "On the role of features in human activity recognition", ISWC 2019. Kwon et al.,
    "IMUTube", 2020, section 5.2.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn.pipeline import make_pipeline
    >>> from har_virtual.models import ConvAutoencoderFeatures
    >>> rng = np.random.default_rng(0)
    >>> y = np.tile(["sit", "walk"], 40)
    >>> X = rng.normal(scale=np.where(y == "walk", 3.0, 0.5)[:, None, None], size=(80, 30, 3))
    >>> features = ConvAutoencoderFeatures(
    ...     validation_subjects=None, embedding_size=8, n_filters=(4, 8), max_epochs=3, device="cpu", random_state=0
    ... )
    >>> model = make_pipeline(features, RandomForestClassifier(random_state=0))
    >>> model.fit(X[:60], y[:60]).score(X[60:], y[60:])
    1.0
    """

    _parameter_constraints: ClassVar[dict] = {
        **DeepEstimator._parameter_constraints,
        "embedding_size": [Interval(Integral, 1, None, closed="left")],
        "n_filters": ["array-like"],
        "train_on": [StrOptions({"both", "real", "virtual"})],
        "batch_size": [Interval(Integral, 2, None, closed="left")],
    }

    def __init__(
        self,
        *,
        embedding_size: int = 100,
        n_filters: Sequence[int] = (64, 128, 256, 512),
        train_on: Literal["both", "real", "virtual"] = "both",
        lr: float = 1e-3,
        weight_decay: float = 1e-4,
        max_epochs: int = 100,
        batch_size: int = 100,
        patience: int = 10,
        validation_subjects: int | Sequence[str] | str | None = 1,
        augment: Augmentation | Sequence[Augmentation] | None = None,
        scale: bool = True,
        channels: Sequence[str] | None = None,
        device: str = "auto",
        verbose: int = 0,
        random_state: int | np.random.Generator | None = None,
    ) -> None:
        self.embedding_size = embedding_size
        self.n_filters = n_filters
        self.train_on = train_on
        self.lr = lr
        self.weight_decay = weight_decay
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.patience = patience
        self.validation_subjects = validation_subjects
        self.augment = augment
        self.scale = scale
        self.channels = channels
        self.device = device
        self.verbose = verbose
        self.random_state = random_state

    # Labels are not looked at.
    __metadata_request__fit: ClassVar[dict[str, bool]] = {"y_val": False}

    _architecture = ("embedding_size", "n_filters")

    def _least_samples(self) -> int:
        return 1

    def _make_network(self, n_samples: int, n_channels: int) -> nn.Module:
        from har_virtual.models.networks.conv_autoencoder import ConvAutoencoder, ReconstructionError

        return ReconstructionError(
            ConvAutoencoder(n_samples, n_channels, embedding_size=self.embedding_size, n_filters=tuple(self.n_filters))
        )

    def _network_of(self, pretrained: Any) -> nn.Module:
        return self._make_network(pretrained.n_samples, pretrained.n_channels)

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike | None = None,
        *,
        groups: ArrayLike | None = None,
        sample_domain: ArrayLike | None = None,
        X_val: ArrayLike | None = None,
        y_val: ArrayLike | None = None,
    ) -> Self:
        """Train the autoencoder.

        Parameters
        ----------
        X : array-like of shape (n_windows, n_samples, n_channels) or (n_windows, n_samples)
            Windows; two dimensions are one channel.
        y : ignored
        groups : array-like of shape (n_windows,), optional
            Subjects, `WindowSet.groups`. The real windows of `validation_subjects` of them validate, and nothing that
            was made from these people trains. Without groups, as without X_val, training takes `max_epochs` epochs.
        sample_domain : array-like of shape (n_windows,), optional
            0 for real, 1 for virtual windows; missing means that all are real.
        X_val : array-like, optional
            Windows that validate instead: real ones of people who are in no other part.
        y_val : ignored

        Returns
        -------
        self

        Raises
        ------
        DataFormatError
            If values are missing, `train_on` and the validating subjects leave fewer than two windows to train on, or
            X_val has windows of another shape.
        UnknownNameError
            If the device is not there.
        MissingDependencyError
            If torch or skorch is absent.

        Warns
        -----
        DataWarning
            If all rows with groups are virtual, so that nobody can validate.
        """
        self._need_torch()
        self._forget()
        from har_virtual.models.networks.conv_autoencoder import MeanError
        from har_virtual.models.networks.training import seeded

        X, _ = check_windows(self, X, reset=True)
        self._check_shape(X)
        virtual = check_sample_domain(sample_domain, len(X))
        drawing, weighing, training = self._generators()
        split = self._split(X, np.zeros(len(X), int), groups, sample_domain, drawing, given=X_val is not None)
        train = self._choose(split.train, virtual)
        validating, rows = X, split.validation
        if X_val is not None:
            validating = self._check_validation_windows(X_val)
            rows = np.arange(len(validating))
        self.real_rows_used_, self.real_labels_used_ = int(np.count_nonzero(~virtual[train])) + len(rows), 0
        self._learn_scale(X, train)
        with seeded(int(weighing.integers(2**63 - 1))):
            network = self._make_network(self.n_features_in_, self.n_channels_in_)
        validation = self._rows(validating, rows=rows) if len(rows) else None
        self._train(network, self._rows(X, rows=train), validation, MeanError(), training)
        return self

    def _choose(self, rows: np.ndarray, virtual: np.ndarray) -> np.ndarray:
        """Give those of the training rows that `train_on` means."""
        wanted = {"both": np.ones_like(virtual), "real": ~virtual, "virtual": virtual}[self.train_on]
        chosen = rows[wanted[rows]]
        if len(chosen) < 2:
            raise DataFormatError(
                f"{type(self).__name__} needs two windows to train on, and train_on={self.train_on!r} leaves "
                f"n_samples={len(chosen)}: there are {np.count_nonzero(~virtual)} real and {np.count_nonzero(virtual)} "
                "virtual rows, less those of subjects that validate. If there are more, pass sample_domain; within a "
                "Pipeline or a search it arrives only after sklearn.set_config(enable_metadata_routing=True)."
            )
        return chosen

    def _learn_scale(self, X: np.ndarray, rows: np.ndarray) -> None:
        """Set the middle and half the width of what nearly all values of each channel are between."""
        n_channels = X.shape[2]
        self.mean_, self.scale_ = np.zeros(n_channels, np.float32), np.ones(n_channels, np.float32)
        if not self.scale:
            return
        for channel in range(n_channels):
            low, high = np.quantile(X[rows, :, channel], [_BEYOND, 1 - _BEYOND]).astype(np.float64)
            self.mean_[channel] = (low + high) / 2
            # A constant channel stays as it is.
            if high - low > 1e-6 * max(1, abs(low + high)):
                self.scale_[channel] = (high - low) / 2

    def transform(self, X: ArrayLike) -> np.ndarray:
        """Give the embedding of each window.

        Parameters
        ----------
        X : array-like of shape (n_windows, n_samples, n_channels)
            Windows of the shape, rate and order of channels of those in fit, in the same units.

        Returns
        -------
        ndarray of shape (n_windows, embedding_size)
            Float32: what the encoder's linear layer gives, before batch normalisation.

        Raises
        ------
        DataFormatError
            If windows have another length or number of channels than in fit, or values are missing.
        """
        check_is_fitted(self, "net_")
        from har_virtual.models.networks.training import outputs

        X, _ = check_windows(self, X, reset=False)
        module = self.net_.module_
        return outputs(
            self.net_, self._rows(X), lambda windows: module.network.encode((windows - module.mean) / module.scale)
        )

    def get_feature_names_out(self, input_features: Sequence[str] | None = None) -> np.ndarray:
        """Give the names of the features, (embedding_size,) of str.

        Parameters
        ----------
        input_features : ignored
            What scikit-learn calls features are here the samples of a window.
        """
        check_is_fitted(self, "net_")
        _check_feature_names_in(self, input_features, generate_names=False)
        return np.array([f"embedding{number}" for number in range(self.embedding_size)], dtype=object)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
