"""The Frechet distance between real and virtual windows: how far their embeddings are apart, as Gaussians."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from sklearn.covariance import ledoit_wolf

from har_virtual.adaptation._doubt import warn_caller
from har_virtual.adaptation._embedding import Embedding, Windows, embed_pair
from har_virtual.checks import is_finite_number
from har_virtual.exceptions import DataFormatError

Shrinkage: TypeAlias = float | Literal["ledoit_wolf"]

# So many rows at a time become float64.
_BLOCK_ROWS = 8192


class Gaussian(NamedTuple):
    """A normal distribution: its mean (n_features,), and a factor A of its covariance ``A @ A.T``."""

    mean: np.ndarray
    factor: np.ndarray


def frechet_distance(real: Windows, virtual: Windows, *, embed: Embedding = None, shrinkage: Shrinkage = 0.0) -> float:
    """Squared Frechet distance between two sets of windows, each taken for a Gaussian in an embedding.

    ``|m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2))``, the squared 2-Wasserstein distance of two Gaussians: the formula of
    the Frechet Inception Distance (FID), which IMUTube reports without naming what it embeds windows by. **Values are
    comparable within one embedding only**, and not with those of the paper.

    It is a description of data, no score of a recogniser: no label is looked at.

    Parameters
    ----------
    real, virtual : WindowSet or array-like of shape (n_windows, n_samples, n_channels) or (n_windows, n_samples)
        At least two windows each, with the same channels.
    embed : transformer or callable, optional
        From windows to (n_windows, n_features). Default: ``ECDFFeatures(n_components=15)``, which has no weights and
        the units of the channels; where these have several units, the one with the largest numbers decides, unless the
        features are scaled: ``make_pipeline(ECDFFeatures(), StandardScaler())``. A fitted transformer is used as it is;
        otherwise a clone is fitted on the real windows. ``"passthrough"`` says that `real` and `virtual` are rows of an
        embedding already.
    shrinkage : float or "ledoit_wolf", default=0.0
        Share of each covariance that is replaced by the identity times its mean variance, 0 to 1. "ledoit_wolf" chooses
        it for each side by its own rows; then both sides should have about as many.

    Returns
    -------
    float
        0 or more, in squares of the embedding's unit.

    Raises
    ------
    DataFormatError
        If the windows or their channels do not fit together, a side has one window only, or a parameter is none of the
        above.

    Warns
    -----
    DataWarning
        If a side has no more rows than the embedding has features, unless `shrinkage` is set.

    Notes
    -----
    Two finite samples of one distribution are apart, too, and the more the fewer they are: compare values of equally
    many windows, or of very many. No inverse is taken, so that covariances without full rank (constant features, few
    rows) need no shrinkage to be computed; it lessens the bias where both sides are small and alike in number, and adds
    to it where a small side is compared with a large one.

    With ``S1 = A A'`` and ``S2 = B B'`` the trace of the square root of ``S1 S2`` is the sum of the singular values of
    ``A' B``, and equal sets give 0 up to rounding.

    References
    ----------
    Dowson and Landau, "The Frechet distance between multivariate normal distributions", 1982.
    Heusel et al., "GANs trained by a two time-scale update rule converge to a local Nash equilibrium", 2017.
    Kwon et al., "IMUTube", 2020, section 4.2.

    Examples
    --------
    >>> import numpy as np
    >>> from har_virtual.adaptation import frechet_distance
    >>> real = np.random.default_rng(0).normal(size=(200, 30, 3))
    >>> round(frechet_distance(real, real + 2.0), 6) == 48 * 2.0**2  # 3 channels x (15 points and the mean)
    True
    """
    check_shrinkage(shrinkage)
    rows = embed_pair(real, virtual, embed)
    warn_if_few(min(map(len, rows)), rows[0].shape[1], shrinkage)
    return gaussian_distance(*(fit_gaussian(side, shrinkage) for side in rows))


def fit_gaussian(rows: np.ndarray, shrinkage: Shrinkage = 0.0) -> Gaussian:
    """Mean and covariance (over n - 1) of rows, (n_rows, n_features), in float64.

    Raises
    ------
    DataFormatError
        If there is one row only.
    """
    if len(rows) < 2:
        raise DataFormatError("A Frechet distance needs two windows of each side, and one has a single window.")
    mean = rows.mean(axis=0, dtype=np.float64)
    if shrinkage == "ledoit_wolf":
        # It divides by n, as the estimate of its intensity does.
        covariance = ledoit_wolf(np.asarray(rows, dtype=np.float64))[0]
    else:
        covariance = _shrunk(_covariance(rows, mean), shrinkage)
    variances, axes = np.linalg.eigh(covariance)
    # Rounding alone must not count as variance: the root would turn 1e-16 into 1e-8.
    noise = len(variances) * np.finfo(float).eps * variances[-1]
    return Gaussian(mean, axes * np.sqrt(np.where(variances > noise, variances, 0.0)))


def gaussian_distance(a: Gaussian, b: Gaussian) -> float:
    """Squared Frechet distance of two Gaussians."""
    gap = a.mean - b.mean
    shared = np.linalg.svd(a.factor.T @ b.factor, compute_uv=False).sum()
    return max(float(gap @ gap + (a.factor**2).sum() + (b.factor**2).sum() - 2 * shared), 0.0)


def check_shrinkage(shrinkage: Shrinkage) -> None:
    """Raise `DataFormatError` unless it is a number from 0 to 1 or "ledoit_wolf"."""
    if shrinkage != "ledoit_wolf" and not (is_finite_number(shrinkage) and 0 <= shrinkage <= 1):
        raise DataFormatError(f'shrinkage must be a number from 0 to 1 or "ledoit_wolf", not {shrinkage!r}.')


def warn_if_few(n_rows: int, n_features: int, shrinkage: Shrinkage) -> None:
    """Give a `DataWarning` where a covariance cannot have full rank, and is not shrunk."""
    if n_rows <= n_features and shrinkage == 0:
        warn_caller(
            f"A Frechet distance of {n_rows} windows in an embedding of {n_features} features is mostly that of small "
            "samples, which are apart even if alike: use more windows or fewer features, such as "
            "ECDFFeatures(n_components=3), and compare values of equally many windows only."
        )


def _covariance(rows: np.ndarray, mean: np.ndarray) -> np.ndarray:
    scatter = np.zeros((len(mean), len(mean)))
    for start in range(0, len(rows), _BLOCK_ROWS):
        centred = rows[start : start + _BLOCK_ROWS] - mean
        scatter += centred.T @ centred
    return scatter / (len(rows) - 1)


def _shrunk(covariance: np.ndarray, share: float) -> np.ndarray:
    target = np.eye(len(covariance)) * np.trace(covariance) / len(covariance)
    return (1 - share) * covariance + share * target
