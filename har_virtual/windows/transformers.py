"""What transformers from windows to windows share: their output is an array that no table can hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import TransformerMixin
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted


class WindowTransformerMixin(TransformerMixin):
    """A transformer from windows to windows, which stay an array whatever output a Pipeline is set to.

    Stands left of BaseEstimator, in the place of scikit-learn's TransformerMixin.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        # Else get_feature_names_out would have scikit-learn put windows into a table, which fails.
        super().__init_subclass__(**kwargs | {"auto_wrap_output_keys": None})

    def set_output(self, *, transform: str | None = None) -> Self:
        """Change nothing: windows are an array, whatever the steps after this one give.

        Parameters
        ----------
        transform : str, optional
            Ignored.

        Returns
        -------
        self
        """
        return self

    def get_feature_names_out(self, input_features: Sequence[str] | None = None) -> np.ndarray | None:
        """Give the names of the samples in a window, which is what scikit-learn calls features; they do not change.

        So a Pipeline can name what its last step gives. Names of channels are not among them.

        Parameters
        ----------
        input_features : sequence of str, optional
            Names of the samples; ``x0``, ``x1`` and so on without.

        Returns
        -------
        ndarray of shape (n_samples,) or None
            None after fit on streams, whose samples have no common number.
        """
        check_is_fitted(self)
        return _check_feature_names_in(self, input_features, generate_names=hasattr(self, "n_features_in_"))
