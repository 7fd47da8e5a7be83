"""Other distances between real and virtual windows: Kolmogorov-Smirnov, Jensen-Shannon, maximum mean discrepancy.

The first two look at the values of each channel, one at a time, as the rank map does that should bring them together;
the last one at whole windows in an embedding, without taking them for a Gaussian.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.spatial.distance import pdist
from scipy.special import rel_entr
from sklearn.metrics.pairwise import rbf_kernel

from har_virtual.adaptation._embedding import Embedding, Windows, check_pair, embed_pair
from har_virtual.checks import check_count, check_positive
from har_virtual.exceptions import DataFormatError

# Rows of each side among which the median distance is looked for: half a million pairs.
_BANDWIDTH_ROWS = 500


def ks_distance(real: Windows, virtual: Windows) -> pd.Series:
    """Largest distance between the distribution functions of real and virtual samples, channel by channel.

    The statistic of Kolmogorov and Smirnov, over all samples of all windows. It is unitless, and the same after any
    strictly increasing map of both sides. No p-value is given: samples of a window are not independent.

    Parameters
    ----------
    real, virtual : WindowSet or array-like of shape (n_windows, n_samples, n_channels) or (n_windows, n_samples)
        With the same channels; lengths may differ.

    Returns
    -------
    Series
        ``ks`` of each channel, 0 to 1, indexed by ``channel``; its ``mean()`` is the figure for all.

    Raises
    ------
    DataFormatError
        If the windows or their channels do not fit together.

    Examples
    --------
    >>> import numpy as np
    >>> from har_virtual.adaptation import ks_distance
    >>> float(ks_distance(np.array([[1.0, 2.0, 3.0, 4.0]]), np.array([[3.0, 4.0, 5.0, 6.0]])).mean())
    0.5
    """
    return _by_channel("ks", _ks, real, virtual)


def js_divergence(real: Windows, virtual: Windows, *, n_bins: int = 100) -> pd.Series:
    """Jensen-Shannon divergence between real and virtual samples, channel by channel, in bits.

    Of histograms whose bins hold equally many of the samples of both sides together, so that neither outliers nor
    units matter. Equal values share a bin.

    Parameters
    ----------
    real, virtual
        As in `ks_distance`.
    n_bins : int, default=100
        At least 2. Finer bins see finer differences, and more of those that chance makes.

    Returns
    -------
    Series
        ``js`` of each channel, 0 (equal) to 1 (nothing in common), indexed by ``channel``.

    Raises
    ------
    DataFormatError
        If the windows or their channels do not fit together, or `n_bins` is less than 2.

    References
    ----------
    Lin, "Divergence measures based on the Shannon entropy", IEEE Transactions on Information Theory, 1991.

    Examples
    --------
    >>> import numpy as np
    >>> from har_virtual.adaptation import js_divergence
    >>> float(js_divergence(np.array([[1.0, 2.0]]), np.array([[8.0, 9.0]])).mean())
    1.0
    """
    check_count("n_bins", n_bins, 2)
    return _by_channel("js", lambda a, b: _js(a, b, n_bins), real, virtual)


def mmd(
    real: Windows,
    virtual: Windows,
    *,
    embed: Embedding = None,
    bandwidth: float | None = None,
    max_windows: int = 2000,
    random_state: int | np.random.Generator | None = 0,
) -> float:
    """Squared maximum mean discrepancy between two sets of windows in an embedding, unbiased.

    With the kernel ``exp(-|a - b|^2 / (2 bandwidth^2))``. Unbiased means that two samples of one distribution give 0 on
    average, so that a value may be a little below 0.

    Parameters
    ----------
    real, virtual : WindowSet or array-like of shape (n_windows, n_samples, n_channels) or (n_windows, n_samples)
        At least two windows each, with the same channels.
    embed : transformer or callable, optional
        As in `frechet_distance`; values are comparable within one embedding and one bandwidth only.
    bandwidth : float, optional
        In the embedding's unit. Default: the median distance between windows of both sides together.
    max_windows : int, default=2000
        Of each side; of more a random part is taken. Memory is 8 bytes times its square.
    random_state : int, Generator or None, default=0
        Of that part.

    Returns
    -------
    float

    Raises
    ------
    DataFormatError
        If the windows or their channels do not fit together, a side has one window only, or a parameter is out of
        range.

    References
    ----------
    Gretton et al., "A kernel two-sample test", JMLR 13, 2012, equation 3.

    Examples
    --------
    >>> import numpy as np
    >>> from har_virtual.adaptation import mmd
    >>> real = np.random.default_rng(0).normal(size=(200, 30, 3))
    >>> mmd(real[:100], real[100:]) < 0.05 < mmd(real[:100], real[100:] + 2.0)
    True
    """
    check_count("max_windows", max_windows, 2)
    rng = np.random.default_rng(random_state)
    first, second = embed_pair(real, virtual, embed, lambda side: take_part(side, max_windows, rng))
    width = median_distance(first, second) if bandwidth is None else check_positive("bandwidth", bandwidth)
    return mmd_of_rows(first, second, width)


def take_part(rows: np.ndarray, n_rows: int, rng: np.random.Generator) -> np.ndarray:
    """Give at most so many rows, drawn without replacement and in a drawn order."""
    return rows[rng.permutation(len(rows))[:n_rows]]


def median_distance(*sides: np.ndarray) -> float:
    """Median distance between rows of all sides together, the first 500 of each; pairs of equal rows do not count.

    It is 1 where all rows are equal.
    """
    distances = pdist(np.concatenate([rows[:_BANDWIDTH_ROWS] for rows in sides]).astype(np.float64))
    distances = distances[distances > 0]
    return float(np.median(distances)) if len(distances) else 1.0


def mmd_of_rows(first: np.ndarray, second: np.ndarray, bandwidth: float) -> float:
    """Squared maximum mean discrepancy of rows, (n_rows, n_features) each; memory grows with the square of n_rows."""
    if min(len(first), len(second)) < 2:
        raise DataFormatError("An unbiased MMD needs two windows of each side, and one has a single window.")
    gamma = 1 / (2 * bandwidth**2)
    first, second = first.astype(np.float64), second.astype(np.float64)
    between = rbf_kernel(first, second, gamma=gamma).mean()
    return float(_mean_of_pairs(first, gamma) + _mean_of_pairs(second, gamma) - 2 * between)


def _mean_of_pairs(rows: np.ndarray, gamma: float) -> float:
    kernel = rbf_kernel(rows, gamma=gamma)
    return (kernel.sum() - np.trace(kernel)) / (len(rows) * (len(rows) - 1))


def _by_channel(
    name: str, distance: Callable[[np.ndarray, np.ndarray], float], real: Windows, virtual: Windows
) -> pd.Series:
    first, second, channels = check_pair(real, virtual)
    values = [distance(first[:, :, number].ravel(), second[:, :, number].ravel()) for number in range(len(channels))]
    return pd.Series(values, index=pd.Index(channels, name="channel"), name=name, dtype=float)


def _ks(first: np.ndarray, second: np.ndarray) -> float:
    # scipy's ks_2samp spends most of its time on a p-value, which nobody reads here.
    sides = np.sort(first), np.sort(second)
    values = np.concatenate(sides)
    shares = [np.searchsorted(side, values, side="right") / len(side) for side in sides]
    return float(np.abs(shares[0] - shares[1]).max())


def _js(first: np.ndarray, second: np.ndarray, n_bins: int) -> float:
    # Upper edges are samples themselves and bins closed above, so a point mass has a bin of its own.
    shares = np.arange(1, n_bins + 1) / n_bins
    edges = np.unique(np.quantile(np.concatenate([first, second]), shares, method="inverted_cdf"))
    p, q = (np.bincount(np.searchsorted(edges, side), minlength=len(edges)) / len(side) for side in (first, second))
    middle = (p + q) / 2
    # scipy's jensenshannon is the root of this, and NaN where rounding leaves a little less than 0.
    return max(float(rel_entr(p, middle).sum() + rel_entr(q, middle).sum()) / (2 * np.log(2)), 0.0)
