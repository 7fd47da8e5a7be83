"""What the distances between two domains share: pairs of windows, and the embedding in which they are compared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from har_virtual.exceptions import DataFormatError
from har_virtual.features import ECDFFeatures
from har_virtual.windows.window_set import WindowSet

Windows: TypeAlias = WindowSet | ArrayLike
Embed: TypeAlias = Callable[[np.ndarray], ArrayLike]
RowsOf: TypeAlias = Callable[[np.ndarray], np.ndarray]
Embedding: TypeAlias = BaseEstimator | Embed | Literal["passthrough"] | None


def check_pair(real: Windows, virtual: Windows) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Give both sides as (n_windows, n_samples, n_channels), and the names of the channels.

    Raises
    ------
    DataFormatError
        If a side is no array of windows, is empty or has NaN, or the channels or rates differ.
    """
    arrays = [_check_windows(name, windows) for name, windows in (("real", real), ("virtual", virtual))]
    n_channels = [array.shape[2] for array in arrays]
    if n_channels[0] != n_channels[1]:
        raise DataFormatError(f"The real windows have {n_channels[0]} channels, the virtual ones {n_channels[1]}.")
    sets = [windows for windows in (real, virtual) if isinstance(windows, WindowSet)]
    for what, values in (
        ("channels", {windows.channels for windows in sets}),
        ("sampling rates", {windows.sampling_rate_hz for windows in sets}),
    ):
        if len(values) > 1:
            raise DataFormatError(
                f"The real and the virtual windows have different {what}: {sorted(map(str, values))}."
            )
    names = list(sets[0].channels) if sets else [f"channel{number}" for number in range(n_channels[0])]
    return arrays[0], arrays[1], names


def _check_windows(name: str, windows: Windows) -> np.ndarray:
    array = windows.X if isinstance(windows, WindowSet) else np.asarray(windows)
    if array.ndim not in (2, 3) or not array.size or array.dtype.kind not in "fiu":
        raise DataFormatError(
            f"{name} must be numbers of shape (n_windows, n_samples, n_channels) or (n_windows, n_samples), or a "
            f"WindowSet, and not empty; its shape is {array.shape}, its type {array.dtype}."
        )
    if not np.isfinite(array).all():
        raise DataFormatError(f"{name} has NaN or infinite values; segment_recordings leaves windows with holes out.")
    return array[:, :, None] if array.ndim == 2 else array


def embed_pair(
    real: Windows, virtual: Windows, embed: Embedding, part: Embed = np.asarray
) -> tuple[np.ndarray, np.ndarray]:
    """Give both sides as rows of one embedding, (n_windows, n_features).

    `part` chooses the windows of each side that are embedded; an embedding that learns is fitted on all real ones.

    Raises
    ------
    DataFormatError
        As `check_pair` and `make_embed` raise it, or if the two sides get rows of different lengths.
    """
    first, second, _ = check_pair(real, virtual)
    function = make_embed(embed, first)
    rows = function(np.asarray(part(first))), function(np.asarray(part(second)))
    if rows[0].shape[1] != rows[1].shape[1]:
        raise DataFormatError(
            f"The embedding gives {rows[0].shape[1]} features for the real and {rows[1].shape[1]} for the virtual "
            "windows: cut both to one length."
        )
    return rows


def make_embed(embed: Embedding, real: np.ndarray) -> RowsOf:
    """Give the function from windows to checked rows, (n_windows, n_features).

    Parameters
    ----------
    embed : transformer, callable, "passthrough" or None
        None is ``ECDFFeatures(n_components=15)``. A fitted transformer is used as it is, of another a clone is fitted
        on `real`. "passthrough" flattens each window.
    real : ndarray of shape (n_windows, n_samples, n_channels)

    Raises
    ------
    DataFormatError
        If `embed` is none of these; the function raises it for rows that are not finite or not one a window.
    """
    function = _find_function(ECDFFeatures(n_components=15) if embed is None else embed, real)

    def checked(windows: np.ndarray) -> np.ndarray:
        rows = np.asarray(function(windows))
        if rows.ndim != 2 or len(rows) != len(windows) or not rows.shape[1] or rows.dtype.kind not in "fiu":
            raise DataFormatError(
                f"embed must give a row of numbers for each of {len(windows)} windows, (n_windows, n_features); it "
                f"gives {rows.dtype} of shape {rows.shape}."
            )
        if not np.isfinite(rows).all():
            raise DataFormatError("embed gives NaN or infinite values.")
        return rows

    return checked


def _find_function(embed: Embedding, real: np.ndarray) -> Embed:
    if isinstance(embed, str) and embed == "passthrough":
        return lambda windows: windows.reshape(len(windows), -1)
    if isinstance(embed, BaseEstimator) and hasattr(embed, "transform"):
        try:
            check_is_fitted(embed)
        except NotFittedError:
            return clone(embed).fit(real).transform
        return embed.transform
    if callable(embed) and not isinstance(embed, type):
        return embed
    raise DataFormatError(f'embed must be a transformer, a function of windows, or "passthrough", not {embed!r}.')
