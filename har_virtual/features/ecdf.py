"""ECDFFeatures: a window as the quantiles and means of its channels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from numbers import Integral
from typing import ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval

from har_virtual.features.base import WindowFeatures

# Sorted in pieces that stay in the processor's cache.
_BLOCK_VALUES = 2**18


class ECDFFeatures(WindowFeatures):
    """Describe each channel by points of its inverse empirical distribution, and by its mean.

    A channel's samples are sorted; of S sorted samples those at `n_components` evenly spaced positions from the first
    to the last are kept. A position between two samples is rounded to the nearest, halves to the even one, and nothing
    is interpolated. The order of the samples in time has no influence.

    Parameters
    ----------
    n_components : int, default=15
        Points a channel. One gives the least sample; more than S repeat samples.
    channels : sequence of str, optional
        Names of the channels, for the names of the features. None takes those of the Recordings that fit is given, else
        ``channel0``, ``channel1`` and so on.

    Attributes
    ----------
    n_channels_in_ : int
    n_features_in_ : int
        Samples in a window; not set when fitted on streams.
    channels_in_ : tuple of str or None
        Names of the channels, as far as they are known.

    Notes
    -----
    The columns are component 0 of every channel, component 1 of every channel, ..., the means: ``n_channels *
    (n_components + 1)`` of them. Streams, such as whole recordings, may have any lengths; one without samples gives a
    row of NaN.

    References
    ----------
    N. Y. Hammerla, R. Kirkham, P. Andras, T. Ploetz, "On preserving statistical characteristics of accelerometry data
    using their empirical cumulative distribution", ISWC 2013.

    Examples
    --------
    >>> import numpy as np
    >>> from har_virtual.features import ECDFFeatures
    >>> windows = np.array([[[3.0, 0.0], [1.0, 0.0], [2.0, 6.0]]])
    >>> ecdf = ECDFFeatures(n_components=3, channels=["a", "b"])
    >>> ecdf.fit_transform(windows)
    array([[1., 0., 2., 0., 3., 6., 2., 2.]])
    >>> ecdf.get_feature_names_out()[-4:]
    array(['a_ecdf_2', 'b_ecdf_2', 'a_mean', 'b_mean'], dtype=object)
    """

    _parameter_constraints: ClassVar[dict] = {
        **WindowFeatures._parameter_constraints,
        "n_components": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, *, n_components: int = 15, channels: Sequence[str] | None = None) -> None:
        self.n_components = n_components
        self.channels = channels

    def _names(self, channels: Sequence[str]) -> list[str]:
        components = [f"{channel}_ecdf_{number}" for number in range(self.n_components) for channel in channels]
        return components + [f"{channel}_mean" for channel in channels]

    def _describe(self, windows: np.ndarray | list[np.ndarray]) -> np.ndarray:
        dtype = getattr(windows, "dtype", np.float64)
        rows = np.empty((len(windows), self.n_components + 1, self.n_channels_in_), dtype)
        for part, block in _blocks(windows):
            _fill(rows[part], np.ascontiguousarray(block))
        return rows.reshape(len(windows), -1)

    def _describe_sorted(self, samples: np.ndarray) -> np.ndarray:
        """Give one channel's columns, (n_components + 1, n_windows), from sorted samples (n_samples, n_windows)."""
        return np.concatenate([samples[_positions(len(samples), self.n_components)], samples.mean(axis=0)[None]])


def _blocks(windows: np.ndarray | list[np.ndarray]) -> Iterator[tuple[slice, np.ndarray]]:
    if isinstance(windows, list):
        for number, stream in enumerate(windows):
            yield slice(number, number + 1), stream[None]
        return
    step = max(1, _BLOCK_VALUES // max(1, windows[0].size))
    for start in range(0, len(windows), step):
        yield slice(start, start + step), windows[start : start + step]


def _fill(rows: np.ndarray, windows: np.ndarray) -> None:
    ordered = np.sort(windows, axis=1)
    rows[:, :-1] = ordered.take(_positions(windows.shape[1], rows.shape[1] - 1), axis=1)
    rows[:, -1] = _mean_over_time(windows)


def _positions(n_samples: int, n_components: int) -> np.ndarray:
    """Which of the sorted samples are kept."""
    return np.around(np.linspace(0, n_samples - 1, n_components)).astype(int)


def _mean_over_time(windows: np.ndarray) -> np.ndarray:
    """Give windows.mean(axis=1) bit for bit, four times as fast."""
    if windows.shape[2] == 1:
        # One channel lies in one piece, which mean adds in another order than einsum.
        return windows.mean(axis=1)
    return np.einsum("nsc->nc", windows) / windows.dtype.type(windows.shape[1])
