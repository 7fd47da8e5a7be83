"""What all features share: windows or streams in, one row each out, and the names of the columns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context, clone
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted

from har_virtual.exceptions import DataFormatError
from har_virtual.windows.validation import check_streams, check_windows, is_ragged


class WindowFeatures(TransformerMixin, BaseEstimator, ABC):
    """Base of the features: a subclass names its columns and describes windows, the rest is here.

    Each row depends on its own window alone and on nothing learned; fit keeps the channels, so that other ones are
    refused later. Without fit, transform takes whatever comes.
    """

    _parameter_constraints: ClassVar[dict] = {"channels": ["array-like", None]}
    channels: Sequence[str] | None

    @abstractmethod
    def _names(self, channels: Sequence[str]) -> list[str]:
        """Names of the columns for channels of these names."""

    @abstractmethod
    def _describe(self, windows: np.ndarray | list[np.ndarray]) -> np.ndarray:
        """Give one row a window, (n_windows, n_features).

        `windows` is one array (n_windows, n_samples, n_channels), or a list of (n_samples, n_channels) of which none is
        empty.
        """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.requires_fit = False
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> WindowFeatures:
        """Check the parameters, and keep number and names of the channels.

        Parameters
        ----------
        X : array-like of shape (n_windows, n_samples, n_channels) or (n_windows, n_samples), or list of streams
            A stream is a Recording or an array of shape (n_samples, n_channels).
        y : ignored

        Raises
        ------
        DataFormatError
            If the streams have different channels, or `channels` does not name those of X.
        ValueError
            If X has NaN or no rows.
        """
        if is_ragged(X):
            check_streams(self, X, reset=True)
        else:
            check_windows(self, X, reset=True)
        self.channels_in_ = self._find_names()
        # What a subclass cannot name, it cannot calculate: wrong parameters are refused here.
        self._column_names()
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Give one row of features for each window or stream.

        Parameters
        ----------
        X : array-like of shape (n_windows, n_samples, n_channels) or (n_windows, n_samples), or list of streams
            Fitted on windows it takes windows of that length; fitted on either it takes streams of any length, and
            fitted on streams windows of any length.

        Returns
        -------
        ndarray of shape (n_windows, n_features)
            Float32 for float32. A stream without samples gives a row of NaN.

        Raises
        ------
        DataFormatError
            For other channels, or windows of another length, than in fit.
        ValueError
            If X has NaN or no rows.
        """
        fitted = self if hasattr(self, "n_channels_in_") else clone(self).fit(X)
        if not is_ragged(X):
            windows, _ = check_windows(fitted, X, reset=False)
            return fitted._describe(windows).astype(windows.dtype, copy=False)
        return fitted._describe_streams(check_streams(fitted, X, reset=False))

    def get_feature_names_out(self, input_features: Sequence[str] | None = None) -> np.ndarray:
        """Give the names of the columns, (n_features,) of str.

        Parameters
        ----------
        input_features : ignored
            What scikit-learn calls features are here the samples of a window.
        """
        check_is_fitted(self, "n_channels_in_")
        _check_feature_names_in(self, input_features, generate_names=False)
        return np.array(self._column_names(), dtype=object)

    def _column_names(self) -> list[str]:
        return self._names(self.channels_in_ or [f"channel{number}" for number in range(self.n_channels_in_)])

    def _describe_streams(self, streams: list[np.ndarray]) -> np.ndarray:
        dtype = np.result_type(*(stream.dtype for stream in streams))
        rows = np.full((len(streams), len(self._column_names())), np.nan, dtype)
        filled = [len(stream) > 0 for stream in streams]
        if any(filled):
            rows[filled] = self._describe([stream for stream in streams if len(stream)])
        return rows

    def _find_names(self) -> tuple[str, ...] | None:
        if self.channels is None:
            return self.channels_in_
        names = tuple(self.channels)
        if len(names) != self.n_channels_in_ or len(set(names)) != len(names):
            raise DataFormatError(f"channels must name each of the {self.n_channels_in_} channels once, not {names}.")
        if self.channels_in_ not in (None, names):
            raise DataFormatError(
                f"The recordings have the channels {self.channels_in_}, but channels= says {names}; bring them into "
                "that order with Recording.select."
            )
        return names
