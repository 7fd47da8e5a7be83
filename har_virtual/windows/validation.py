"""What every estimator asks of its input: windows as one array, streams as a list, domains, triads of channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from har_virtual.exceptions import DataFormatError
from har_virtual.recording import Recording, RecordingSet, channel_quantity, channel_site
from har_virtual.windows.window_set import WindowSet

_FLOATS = [np.float64, np.float32]


class Triad(NamedTuple):
    """Three channels that are one vector in the frame of a sensor."""

    site: str
    quantity: str
    columns: tuple[int, int, int]


def check_windows(estimator: BaseEstimator, X: Any, y: Any = None, *, reset: bool) -> tuple[np.ndarray, Any]:
    """Validate windows as scikit-learn validates rows, and count their channels.

    Sets (`reset`) or checks n_features_in_, which is the number of samples in a window, and n_channels_in_. As windows
    have no names of channels, `reset` sets channels_in_ to None.

    Parameters
    ----------
    estimator : estimator
    X : array-like of shape (n_windows, n_samples, n_channels) or (n_windows, n_samples)
        Float32 stays so, all else becomes float64.
    y : array-like of shape (n_windows,), optional
    reset : bool
        True in fit.

    Returns
    -------
    X : ndarray of shape (n_windows, n_samples, n_channels)
        Two dimensions are windows of one channel.
    y : ndarray or None

    Raises
    ------
    DataFormatError
        If windows have another length or other channels than in fit, or X has over three dimensions.
    ValueError
        As scikit-learn raises it, for NaN, too few rows and the like.
    """
    name = type(estimator).__name__
    _check_kind(name, X)
    shape: tuple[int, ...] = getattr(X, "shape", ())
    if not reset:
        _check_shape(estimator, shape)
    try:
        if y is None:
            windows = validate_data(estimator, X, allow_nd=True, dtype=_FLOATS, reset=reset)
        else:
            windows, y = validate_data(estimator, X, y, allow_nd=True, dtype=_FLOATS, reset=reset)
    except ValueError:
        _explain_holes(X, shape)
        raise
    if windows.ndim > 3:
        raise DataFormatError(
            f"{name} needs windows of shape (n_windows, n_samples, n_channels), not an array of {windows.ndim} "
            "dimensions."
        )
    windows = windows[:, :, None] if windows.ndim == 2 else windows
    _count_channels(estimator, windows.shape[2], reset=reset)
    if reset:
        estimator.channels_in_ = None
    return windows, y


def _check_kind(name: str, X: Any) -> None:
    if isinstance(X, WindowSet):
        raise DataFormatError(f"{name} takes the array of a WindowSet, not the set: pass windows.X.")
    if isinstance(X, (Recording, RecordingSet)) or is_ragged(X):
        raise DataFormatError(
            f"{name} takes one array of windows (n_windows, n_samples, n_channels) here, not a {type(X).__name__} of "
            "streams: cut them with segment_recordings and pass windows.X."
        )


def _check_shape(estimator: BaseEstimator, shape: tuple[int, ...]) -> None:
    """Say in words of windows what scikit-learn would say of features."""
    name, n_channels = type(estimator).__name__, getattr(estimator, "n_channels_in_", 1)
    length = getattr(estimator, "n_features_in_", None)
    if len(shape) == 2 and n_channels > 1:
        raise DataFormatError(
            f"X has the shape {shape}, but {name} was fitted with windows of {n_channels} channels: it needs "
            f"(n_windows, n_samples, {n_channels}); a single window is X[:1]."
        )
    if len(shape) == 3 and length is not None and shape[1] != length:
        raise DataFormatError(
            f"X has windows of {shape[1]} samples, but {name} was fitted with windows of {length}: cut both with the "
            "same window_length_s and sampling_rate_hz."
        )


def _explain_holes(X: Any, shape: tuple[int, ...]) -> None:
    """Raise `DataFormatError` if windows have values that are not finite: scikit-learn's advice is no help here."""
    if len(shape) != 3 or np.asarray(X).dtype.kind != "f":
        return
    wrong = ~np.isfinite(np.asarray(X))
    if wrong.any():
        window, _, channel = np.argwhere(wrong)[0]
        raise DataFormatError(
            f"X has NaN or infinite values in {wrong.any(axis=(1, 2)).sum()} of {len(wrong)} windows, first in window "
            f"{window}, channel {channel}. segment_recordings leaves out windows with holes, and bridges short ones."
        )


def as_given(windows: np.ndarray, X: Any) -> np.ndarray:
    """Give windows of one channel two dimensions again where X had no more."""
    return windows[:, :, 0] if windows.shape[2] == 1 and np.asarray(X).ndim == 2 else windows


def is_ragged(X: Any) -> bool:
    """Whether X is a list of streams: its first item is a Recording or a 2-D array."""
    if isinstance(X, WindowSet):
        return False
    return isinstance(X, Sequence) and len(X) > 0 and (isinstance(X[0], Recording) or _is_matrix(X[0]))


def _is_matrix(item: Any) -> bool:
    return isinstance(item, np.ndarray) and item.ndim == 2


def check_streams(estimator: BaseEstimator, X: Sequence[Any], *, reset: bool) -> list[np.ndarray]:
    """Give the data of a list of streams of any lengths, (n_samples, n_channels) each, and count their channels.

    Sets (`reset`) or checks n_channels_in_ and channels_in_, the names that Recordings have, None where there are none.
    A stream may be empty, (0, n_channels), where nobody was found in a video.

    Raises
    ------
    DataFormatError
        If an item is no stream, has a NaN or infinite value, or other channels than the others or than in fit.
    """
    name = type(estimator).__name__
    streams = []
    if reset:
        # An earlier fit on windows must not bind the streams to a length.
        for learned in ("n_features_in_", "feature_names_in_"):
            vars(estimator).pop(learned, None)
    for number, item in enumerate(X):
        if not isinstance(item, Recording) and not _is_matrix(item):
            raise DataFormatError(
                f"{name} takes one array of windows, or a list of Recordings or (n_samples, n_channels) arrays; item "
                f"{number} of the list is a {type(item).__name__}."
            )
        stream = np.asarray(item)
        stream = stream if stream.dtype in _FLOATS else stream.astype(np.float64)
        if not np.isfinite(stream).all():
            raise DataFormatError(
                f"Stream {number} has NaN or infinite values; cut windows with segment_recordings, which leaves holes "
                "out, or drop that stream."
            )
        _count_channels(estimator, stream.shape[1], reset=reset and number == 0, where=f"Stream {number}")
        streams.append(stream)
    _check_names(estimator, X, reset=reset)
    return streams


def _check_names(estimator: BaseEstimator, X: Sequence[Any], *, reset: bool) -> None:
    names = {tuple(item.channels) for item in X if isinstance(item, Recording)}
    if len(names) > 1:
        raise DataFormatError(
            f"The recordings have different channels, or in another order: {sorted(names)}; bring them into one order "
            "with Recording.select."
        )
    found = next(iter(names), None)
    if reset:
        estimator.channels_in_ = found
    known = getattr(estimator, "channels_in_", None)
    if found is not None and known is not None and found != known:
        raise DataFormatError(
            f"The recordings have the channels {found}, but {type(estimator).__name__} expects {known}; bring them "
            "into that order with Recording.select."
        )


def _count_channels(estimator: BaseEstimator, n_channels: int, *, reset: bool, where: str = "X") -> None:
    if not n_channels:
        raise DataFormatError(f"{where} has 0 channels, but {type(estimator).__name__} needs one at least.")
    if reset:
        estimator.n_channels_in_ = n_channels
    elif estimator.n_channels_in_ != n_channels:
        raise DataFormatError(
            f"{where} has {n_channels} channels, but {type(estimator).__name__} expects {estimator.n_channels_in_}."
        )


def check_sample_domain(sample_domain: ArrayLike | None, n_rows: int) -> np.ndarray:
    """Give a mask of the virtual rows, (n_rows,) bool; None means that all rows are real.

    Raises
    ------
    DataFormatError
        If there is not one value, 0 (real) or 1 (virtual), for each row.
    """
    if sample_domain is None:
        return np.zeros(n_rows, dtype=bool)
    domain = np.asarray(sample_domain)
    if domain.shape != (n_rows,) or not np.isin(domain, (0, 1)).all():
        raise DataFormatError(
            f"sample_domain must hold a 0 (real) or a 1 (virtual) for each of {n_rows} rows, as a WindowSet does; it "
            f"has shape {domain.shape} and values such as {np.unique(domain)[:5].tolist()}."
        )
    return domain.astype(bool)


def find_triads(channels: Sequence[str] | None, n_channels: int) -> list[Triad]:
    """Find the vectors among the channels.

    Parameters
    ----------
    channels : sequence of str or None
        Names ``<site>_<acc|gyr|mag>_<x|y|z>``; those that are not named so belong to no triad. None: if the number
        divides by three each three consecutive channels are an accelerometer at a site of its own ("site 0", ...), else
        there are no triads.
    n_channels : int

    Returns
    -------
    list of Triad
        In the order of their x.

    Raises
    ------
    DataFormatError
        If the number of names is not `n_channels`, a name is given twice, a vector lacks an axis, or no name is of a
        vector.
    """
    if channels is None:
        if n_channels % 3:
            return []
        return [Triad(f"site {x // 3}", "acc", (x, x + 1, x + 2)) for x in range(0, n_channels, 3)]
    names = list(channels)
    if len(names) != n_channels or len(set(names)) != n_channels:
        raise DataFormatError(f"channels must name each of the {n_channels} channels once; they are {names}.")
    triads: dict[tuple[str, str], Triad] = {}
    for name in names:
        site, quantity = channel_site(name), channel_quantity(name)
        if site is not None and quantity is not None and (site, quantity) not in triads:
            missing = [name[:-1] + axis for axis in "xyz" if name[:-1] + axis not in names]
            if missing:
                raise DataFormatError(f"channels has {name}, but not {', '.join(missing)}: a vector has three axes.")
            x, y, z = (names.index(name[:-1] + axis) for axis in "xyz")
            triads[site, quantity] = Triad(site, quantity, (x, y, z))
    if not triads:
        raise DataFormatError(
            f"No channel is named <site>_<acc|gyr|mag>_<x|y|z>, such as left_wrist_acc_x; they are {names}."
        )
    return sorted(triads.values(), key=lambda triad: triad.columns[0])
