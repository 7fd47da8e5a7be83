"""Augmentations that change how large the values are: noise, scale, a smoothly varying scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from har_virtual.augmentation._base import WindowAugmentation, check_between
from har_virtual.augmentation._curves import CurveAugmentation, spline_basis
from har_virtual.exceptions import DataFormatError
from har_virtual.windows._moments import mean_and_std


@dataclass(frozen=True)
class Jitter(WindowAugmentation):
    """Add white noise to every sample.

    Parameters
    ----------
    sigma : float, default=0.05
        Standard deviation of the noise.
    relative : bool, default=True
        True: `sigma` is a share of each channel's standard deviation over all windows of the batch, so that one figure
        serves m/s2, rad/s and uT, and a window at rest gets as much noise as a lively one. False: `sigma` is in the
        unit of the channels, the same for all of them.
    p : float, default=1.0
        Probability with which a window is changed.

    Notes
    -----
    Um et al. add noise of 0.05 in the unit of their accelerations. Were that g, it would be ``Jitter(0.49,
    relative=False)`` here, for windows of accelerations only. Bias, drift and range of a sensor are simulated by
    `har_virtual.imu.SensorModel`.

    References
    ----------
    T. T. Um et al., "Data augmentation of wearable sensor data for Parkinson's disease monitoring using convolutional
    neural networks", ICMI 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from har_virtual.augmentation import Jitter
    >>> still = np.zeros((100, 30, 3), dtype=np.float32)
    >>> noisy = Jitter(0.5, relative=False)(still, np.random.default_rng(0))
    >>> noisy.dtype, round(float(noisy.std()), 2)
    (dtype('float32'), 0.5)
    """

    sigma: float = 0.05
    relative: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("sigma", check_between("sigma", self.sigma, 0.0))
        if not isinstance(self.relative, (bool, np.bool_)):
            raise DataFormatError(f"relative must be True or False, not {self.relative!r}.")
        self._set("relative", bool(self.relative))

    def _augment(self, X: np.ndarray, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        noise = rng.standard_normal((len(rows), *X.shape[1:]), dtype=X.dtype)
        noise *= X.dtype.type(self.sigma)
        if self.relative:
            noise *= mean_and_std(X)[1].astype(X.dtype)
        noise += X[rows]
        return noise


@dataclass(frozen=True)
class Scaling(WindowAugmentation):
    """Multiply each channel of a window by a random factor.

    Parameters
    ----------
    sigma : float, default=0.1
        Standard deviation of the factors, which are normal around 1.
    p : float, default=1.0
        Probability with which a window is changed.

    Notes
    -----
    Gravity is scaled with all else. The factors of the three axes of a sensor differ, as in Um et al., 2017 (see
    `Jitter`), so that a vector's direction changes a little, too.

    Examples
    --------
    >>> import numpy as np
    >>> from har_virtual.augmentation import Scaling
    >>> scaled = Scaling(0.1)(np.ones((1, 30, 3)), np.random.default_rng(0))
    >>> scaled[0, [0, 29]].round(2).tolist()
    [[0.99, 1.06, 1.01], [0.99, 1.06, 1.01]]
    """

    sigma: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("sigma", check_between("sigma", self.sigma, 0.0))

    def _augment(self, X: np.ndarray, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        factors = rng.normal(1.0, self.sigma, size=(len(rows), 1, X.shape[2]))
        return X[rows] * factors.astype(X.dtype)


@dataclass(frozen=True)
class MagnitudeWarp(CurveAugmentation):
    """Multiply each channel of a window by a smooth random curve around 1.

    Parameters
    ----------
    sigma : float, default=0.2
        Standard deviation of the curve's knots, which are normal around 1.
    n_knots : int, default=4
        Knots between the first sample and the last, which are knots, too; a cubic spline goes through all of them.
    p : float, default=1.0
        Probability with which a window is changed.

    Notes
    -----
    Each channel has a curve of its own, as in Um et al., 2017 (see `Jitter`).

    Examples
    --------
    >>> import numpy as np
    >>> from har_virtual.augmentation import MagnitudeWarp
    >>> warped = MagnitudeWarp()(np.ones((1, 30, 1)), np.random.default_rng(0))
    >>> warped[0, ::10, 0].round(2).tolist()
    [0.97, 1.07, 0.94]
    """

    def _augment(self, X: np.ndarray, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        _, n_samples, n_channels = X.shape
        knots = rng.normal(1.0, self.sigma, size=(len(rows), self.n_knots + 2, n_channels))
        return X[rows] * (spline_basis(n_samples, self.n_knots).astype(X.dtype) @ knots.astype(X.dtype))
