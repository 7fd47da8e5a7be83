"""NormChannels: channels that do not depend on how a limb, or a sensor, is turned about its length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, _fit_context
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_is_fitted

from har_virtual.exceptions import DataFormatError
from har_virtual.windows.transformers import WindowTransformerMixin
from har_virtual.windows.validation import as_given, check_windows, find_triads

_AXES = "xyz"


class NormChannels(WindowTransformerMixin, BaseEstimator):
    """Add the norm of every triad, and its norm across the segment's axis, as further channels.

    A video shows where a limb points but hardly how it is turned about its length: the twist of a virtual sensor is a
    guess. Of the vector (x, y, z) with x along the segment, ``sqrt(x^2 + y^2 + z^2)`` and ``sqrt(y^2 + z^2)`` do not
    change with twist.

    Parameters
    ----------
    channels : sequence of str, optional
        Names ``<site>_<acc|gyr|mag>_<x|y|z>`` of the channels. Without them each three consecutive channels are a
        triad, if their number divides by three; else there is none, and nothing is added.
    axis : {"x", "y", "z"} or array-like of shape (3,), default="x"
        Direction of the segment in the sensor's frame: x for the library's virtual sensors. For real sensors, and
        virtual ones turned into their frame, it is ``SensorAligner.rotations_[site] @ (1, 0, 0)``, or the axis that is
        next to it.

    Attributes
    ----------
    channels_out_ : list of str
        Names of the channels that transform gives: those of X, then ``<site>_<quantity>_norm`` and
        ``<site>_<quantity>_across`` of each triad.
    n_features_in_ : int
        Samples in a window.
    n_channels_in_ : int

    Examples
    --------
    >>> import numpy as np
    >>> from har_virtual.features import NormChannels
    >>> window = np.tile([1.0, 3.0, 4.0], (1, 30, 1))
    >>> NormChannels().fit_transform(window)[0, 0].round(3).tolist()
    [1.0, 3.0, 4.0, 5.099, 5.0]
    """

    _parameter_constraints: ClassVar[dict] = {
        "channels": ["array-like", None],
        "axis": [StrOptions({"x", "y", "z"}), "array-like"],
    }

    def __init__(self, *, channels: Sequence[str] | None = None, axis: str | ArrayLike = "x") -> None:
        self.channels = channels
        self.axis = axis

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: Any = None) -> NormChannels:
        """Find the triads; nothing is learned from the values.

        Parameters
        ----------
        X : array-like of shape (n_windows, n_samples, n_channels)
        y : ignored

        Raises
        ------
        DataFormatError
            If `channels` do not fit X or `axis` is no direction.
        """
        X, _ = check_windows(self, X, reset=True)
        self.triads_ = find_triads(self.channels, X.shape[2])
        self.axis_ = _direction(self.axis)
        names = [f"channel{i}" for i in range(X.shape[2])] if self.channels is None else list(self.channels)
        new = [f"{t.site}_{t.quantity}_{kind}" for t in self.triads_ for kind in ("norm", "across")]
        self.channels_out_ = names + [name.replace(" ", "_") for name in new]
        return self

    def transform(self, X: ArrayLike) -> np.ndarray:
        """Add the norms.

        Parameters
        ----------
        X : array-like of shape (n_windows, n_samples, n_channels)

        Returns
        -------
        ndarray of shape (n_windows, n_samples, n_channels + 2 * n_triads)
            Two-dimensional X, windows of one channel, come back as they are.
        """
        check_is_fitted(self)
        windows, _ = check_windows(self, X, reset=False)
        n_windows, n_samples, n_channels = windows.shape
        extended = np.empty((n_windows, n_samples, n_channels + 2 * len(self.triads_)), dtype=windows.dtype)
        extended[:, :, :n_channels] = windows
        for norm, triad in zip(range(n_channels, extended.shape[2], 2), self.triads_, strict=True):
            vectors = windows[:, :, triad.columns]
            along = vectors @ self.axis_.astype(windows.dtype)
            square = np.einsum("nsc,nsc->ns", vectors, vectors)
            extended[:, :, norm] = np.sqrt(square)
            extended[:, :, norm + 1] = np.sqrt(np.maximum(square - along**2, 0))
        return as_given(extended, X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _direction(axis: str | ArrayLike) -> np.ndarray:
    if isinstance(axis, str):
        return np.eye(3)[_AXES.index(axis)]
    vector = np.asarray(axis, dtype=np.float64)
    if vector.shape != (3,) or not np.isfinite(vector).all() or not np.linalg.norm(vector) > 0:
        raise DataFormatError(f"axis must be 'x', 'y', 'z' or three finite numbers, not all zero, not {axis!r}.")
    return vector / np.linalg.norm(vector)
