"""Functions of time that carry their first two derivatives along.

What moves in the studio is written as a formula of time. Computed on jets, truncated Taylor series of second order, the
formula gives velocity and acceleration to machine precision: a sensor's readings need no finite difference.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike


class Jet:
    """A quantity over time with its rate and acceleration.

    Parameters
    ----------
    value, rate, acceleration : array-like
        Of one shape, or broadcastable to one; time goes first.

    Examples
    --------
    >>> import numpy as np
    >>> from har_virtual.studio.jets import sin, time
    >>> t = time([0.0, 1.0])
    >>> height = 0.5 * sin(2 * t)
    >>> height.rate.round(3).tolist(), height.acceleration.round(3).tolist()
    ([1.0, -0.416], [0.0, -1.819])
    """

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Jet:
        """Let numpy's functions and ``array * jet`` be those of jets."""
        function = _UFUNCS.get(ufunc.__name__)
        if function is None or method != "__call__" or options:
            raise TypeError(
                f"numpy.{ufunc.__name__} knows no jets: a movement must be smooth, written in + - * / ** @ and "
                f"{', '.join(_SMOOTH)} (har_virtual.studio.jets)."
            )
        return function(*map(as_jet, inputs))

    def __init__(self, value: ArrayLike, rate: ArrayLike = 0.0, acceleration: ArrayLike = 0.0) -> None:
        parts = (np.asarray(part, dtype=np.float64) for part in (value, rate, acceleration))
        self.value, self.rate, self.acceleration = np.broadcast_arrays(*parts)

    def __repr__(self) -> str:
        return f"Jet(shape={self.value.shape})"

    def __neg__(self) -> Jet:
        return Jet(-self.value, -self.rate, -self.acceleration)

    def __add__(self, other: Jet | ArrayLike) -> Jet:
        other = as_jet(other)
        return Jet(self.value + other.value, self.rate + other.rate, self.acceleration + other.acceleration)

    def __sub__(self, other: Jet | ArrayLike) -> Jet:
        return self + -as_jet(other)

    def __rsub__(self, other: ArrayLike) -> Jet:
        return as_jet(other) + -self

    def __mul__(self, other: Jet | ArrayLike) -> Jet:
        return _product(np.multiply, self, as_jet(other))

    def __truediv__(self, other: Jet | ArrayLike) -> Jet:
        other = as_jet(other)
        inverse = 1 / other.value
        return self * _compose(other, inverse, -(inverse**2), 2 * inverse**3)

    def __pow__(self, exponent: float) -> Jet:
        if exponent == 0:
            return self * 0.0 + 1.0
        first, second = exponent, exponent * (exponent - 1)
        x = self.value
        return _compose(
            self, x**exponent, first * x ** (exponent - 1), second * x ** (exponent - 2) if second else 0.0 * x
        )

    def __rtruediv__(self, other: ArrayLike) -> Jet:
        return as_jet(other) / self

    def __matmul__(self, other: Jet | ArrayLike) -> Jet:
        return _product(np.matmul, self, as_jet(other))

    def __rmatmul__(self, other: ArrayLike) -> Jet:
        return as_jet(other) @ self

    def __getitem__(self, key: Any) -> Jet:
        return Jet(self.value[key], self.rate[key], self.acceleration[key])

    __radd__, __rmul__ = __add__, __mul__


def as_jet(value: Jet | ArrayLike) -> Jet:
    """Give a jet for a jet, or for what does not move."""
    return value if isinstance(value, Jet) else Jet(value)


def time(times_s: ArrayLike) -> Jet:
    """Give time itself, of which everything else is a function."""
    return Jet(times_s, 1.0)


def sin(angle_rad: Jet) -> Jet:
    """Give the sine."""
    s, c = np.sin(angle_rad.value), np.cos(angle_rad.value)
    return _compose(angle_rad, s, c, -s)


def cos(angle_rad: Jet) -> Jet:
    """Give the cosine."""
    s, c = np.sin(angle_rad.value), np.cos(angle_rad.value)
    return _compose(angle_rad, c, -s, -c)


def exp(exponent: Jet) -> Jet:
    """Give the exponential."""
    e = np.exp(exponent.value)
    return _compose(exponent, e, e, e)


def log(number: Jet) -> Jet:
    """Give the natural logarithm."""
    return _compose(number, np.log(number.value), 1 / number.value, -1 / number.value**2)


def sqrt(number: Jet) -> Jet:
    """Give the square root of numbers above 0."""
    root = np.sqrt(number.value)
    return _compose(number, root, 0.5 / root, -0.25 / root**3)


def arctan(number: Jet) -> Jet:
    """Give the arc tangent."""
    slope = 1 / (1 + number.value**2)
    return _compose(number, np.arctan(number.value), slope, -2 * number.value * slope**2)


def tanh(number: Jet) -> Jet:
    """Give the hyperbolic tangent, the smooth way from -1 to 1."""
    y = np.tanh(number.value)
    slope = 1 - y**2
    return _compose(number, y, slope, -2 * y * slope)


def stack(jets: Sequence[Jet | ArrayLike], axis: int = -1) -> Jet:
    """Join quantities of one shape along a new axis."""
    members = [as_jet(jet) for jet in jets]
    shape = np.broadcast_shapes(*(jet.value.shape for jet in members))
    parts = ("value", "rate", "acceleration")
    return Jet(*(np.stack([np.broadcast_to(getattr(jet, part), shape) for jet in members], axis) for part in parts))


def _compose(inner: Jet, value: np.ndarray, first: np.ndarray, second: np.ndarray) -> Jet:
    """Chain rule: f(g)'' = f''(g) g'^2 + f'(g) g''."""
    return Jet(value, first * inner.rate, second * inner.rate**2 + first * inner.acceleration)


def _product(multiply: np.ufunc, a: Jet, b: Jet) -> Jet:
    """Leibniz rule, for numbers and for matrices."""
    value, rate = multiply(a.value, b.value), multiply(a.rate, b.value) + multiply(a.value, b.rate)
    turning = multiply(a.acceleration, b.value) + 2 * multiply(a.rate, b.rate)
    return Jet(value, rate, turning + multiply(a.value, b.acceleration))


_SMOOTH = {"sin": sin, "cos": cos, "exp": exp, "log": log, "sqrt": sqrt, "tanh": tanh, "arctan": arctan}
_UFUNCS: dict[str, Callable[..., Jet]] = {
    **_SMOOTH,
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "matmul": operator.matmul,
    "negative": operator.neg,
}
