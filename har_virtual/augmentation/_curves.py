"""Smooth curves through evenly spaced knots, by which magnitude and time are warped."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.interpolate import CubicSpline

from har_virtual.augmentation._base import WindowAugmentation, check_between
from har_virtual.checks import check_count


@lru_cache(maxsize=32)
def spline_basis(n_samples: int, n_knots: int) -> np.ndarray:
    """Give the matrix that takes the values of knots to the cubic spline through them.

    The spline depends linearly on its knots: column k is the one through a 1 at knot k and 0 at all others.

    Returns
    -------
    ndarray of float64 of shape (n_samples, n_knots + 2)
        The first knot is at the first sample, the last one at the last, `n_knots` are between them. Read-only.
    """
    knots = np.linspace(0.0, 1.0, n_knots + 2)
    basis = CubicSpline(knots, np.eye(n_knots + 2))(np.linspace(0.0, 1.0, n_samples))
    basis.setflags(write=False)
    return basis


@dataclass(frozen=True)
class CurveAugmentation(WindowAugmentation):
    """An augmentation by random curves around 1, smooth through `n_knots` knots and the ends."""

    sigma: float = 0.2
    n_knots: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("sigma", check_between("sigma", self.sigma, 0.0))
        check_count("n_knots", self.n_knots, 1)
        self._set("n_knots", int(self.n_knots))
