"""TsfreshFeatures: a window as what tsfresh's calculators say of its channels."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
import pandas as pd
from joblib import effective_n_jobs
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.parallel import Parallel, delayed

from har_virtual._optional import import_optional
from har_virtual.exceptions import DataFormatError, UnknownNameError
from har_virtual.features.base import WindowFeatures

QUICK_PARAMETERS: dict[str, list[dict[str, Any]] | None] = {
    "mean": None,
    "standard_deviation": None,
    "skewness": None,
    "kurtosis": None,
    "minimum": None,
    "median": None,
    "maximum": None,
    "root_mean_square": None,
    "mean_n_absolute_max": [{"number_of_maxima": 3}],
    "mean_change": None,
    "mean_abs_change": None,
    "cid_ce": [{"normalize": False}],
    "c3": [{"lag": 1}],
    "time_reversal_asymmetry_statistic": [{"lag": 1}],
    "number_crossing_m": [{"m": 0}],
    "count_above_mean": None,
    "number_peaks": [{"n": 1}],
    "first_location_of_maximum": None,
    "partial_autocorrelation": [{"lag": lag} for lag in (1, 2, 3)],
    "fft_coefficient": [{"coeff": number, "attr": "abs"} for number in range(1, 6)],
    "fft_aggregated": [{"aggtype": "centroid"}, {"aggtype": "variance"}],
}
"""What ``parameters="quick"`` stands for: 28 numbers a channel, in a quarter of a millisecond."""

# Calculators of several values tell their names only with values: those of this signal.
_PROBE = np.sin(np.arange(100.0))
_BLOCK_WINDOWS = 64


class TsfreshFeatures(WindowFeatures):
    """Describe each channel by the calculators of tsfresh, each window by itself.

    The numbers and their names are those of `tsfresh.extract_features`, without the table that it needs and without
    its costs for short windows. Needs ``pip install 'har_virtual[features]'``.

    Parameters
    ----------
    parameters : {"quick", "minimal", "efficient"} or mapping, default="quick"
        "quick" is `har_virtual.features.tsfresh.QUICK_PARAMETERS`: moments, extremes, energy, changes, crossings and
        peaks, partial autocorrelation and the lowest Fourier coefficients; quantiles are left to `ECDFFeatures`, which
        is far faster. "minimal" and "efficient" are tsfresh's own sets; "efficient" takes some 45 ms for a channel of
        30 samples. A mapping has tsfresh's form: the name of a calculator, or a function, and None or a list of its
        parameters, as in ``{"mean": None, "quantile": [{"q": 0.1}]}``.
    n_jobs : int, optional
        Processes among which the windows are divided.
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

    Raises
    ------
    MissingDependencyError
        In fit, if tsfresh is not installed.
    UnknownNameError, DataFormatError
        In fit, if tsfresh has no such calculator, or one needs timestamps, or there is none.

    Notes
    -----
    The columns are all features of the first channel, then all of the second, in the order of `parameters`. Where a
    calculator has no finite value, such as the skewness of a constant channel, the feature is 0, whatever the other
    windows hold. Calculation is in float64. A stream without samples gives a row of NaN.

    References
    ----------
    M. Christ, N. Braun, J. Neuffer, A. W. Kempa-Liehr, "Time series feature extraction on basis of scalable hypothesis
    tests (tsfresh)", Neurocomputing 307, 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from har_virtual.features import TsfreshFeatures
    >>> features = TsfreshFeatures(parameters={"mean": None, "quantile": [{"q": 0.5}]}, channels=["a"])
    >>> features.fit_transform(np.array([[3.0, 1.0, 5.0], [0.0, 0.0, 6.0]]))
    array([[3., 3.],
           [2., 0.]])
    >>> features.get_feature_names_out()
    array(['a__mean', 'a__quantile__q_0.5'], dtype=object)
    """

    _parameter_constraints: ClassVar[dict] = {
        **WindowFeatures._parameter_constraints,
        "parameters": [StrOptions({"quick", "minimal", "efficient"}), Mapping],
        "n_jobs": [int, None],
    }

    def __init__(
        self,
        *,
        parameters: Literal["quick", "minimal", "efficient"] | Mapping[str, Any] = "quick",
        n_jobs: int | None = None,
        channels: Sequence[str] | None = None,
    ) -> None:
        self.parameters = parameters
        self.n_jobs = n_jobs
        self.channels = channels

    def _names(self, channels: Sequence[str]) -> list[str]:
        names = [name for calculator in _calculators(self.parameters) for name in calculator.names]
        return [f"{channel}__{name}" for channel in channels for name in names]

    def _describe(self, windows: np.ndarray | list[np.ndarray]) -> np.ndarray:
        calculators = _calculators(self.parameters)
        n_parts = min(len(windows), effective_n_jobs(self.n_jobs))
        bounds = np.linspace(0, len(windows), n_parts + 1).astype(int)
        parts = Parallel(n_jobs=self.n_jobs)(
            delayed(_describe_windows)(calculators, windows[start:stop]) for start, stop in pairwise(bounds)
        )
        return np.nan_to_num(np.concatenate(parts), nan=0.0, posinf=0.0, neginf=0.0)


class _Calculator(NamedTuple):
    """A calculator of tsfresh with all its parameters, and the names of its values."""

    function: Callable[..., Any]
    parameters: list[dict[str, Any]]
    names: list[str]

    def describe(self, signals: Sequence[np.ndarray], series: Sequence[pd.Series]) -> np.ndarray:
        """Give the values of every signal, (n_signals, n_values)."""
        inputs = series if _needs_series(self.function) else signals
        if _combines(self.function):
            rows = [[value for _, value in self.function(x, param=self.parameters)] for x in inputs]
        else:
            rows = [[self.function(x, **parameters) for parameters in self.parameters] for x in inputs]
        for signal, row in zip(signals, rows, strict=True):
            if len(row) != len(self.names):
                raise DataFormatError(
                    f"{self.function.__name__} gives {len(row)} numbers for a window of {len(signal)} samples, but "
                    f"{len(self.names)} for one of {len(_PROBE)}: a table cannot hold both; leave it out of parameters."
                )
        return np.array(rows, dtype=np.float64)


def _combines(function: Callable[..., Any]) -> bool:
    """Whether one call gives the values for all parameters."""
    return getattr(function, "fctype", None) == "combiner"


def _needs_series(function: Callable[..., Any]) -> bool:
    return getattr(function, "input", None) == "pd.Series"


def _import(module: str) -> Any:
    return import_optional(module, feature="TsfreshFeatures", extra="features")


def _calculators(parameters: str | Mapping[Any, Any]) -> list[_Calculator]:
    settings = _settings(parameters)
    found = {_find(key): values or [{}] for key, values in settings.items()}
    timed = [function for function in found if hasattr(function, "index_type")]
    if timed and settings is parameters:
        names = [function.__name__ for function in timed]
        raise DataFormatError(f"{names} in parameters need timestamps, which windows do not have; leave them out.")
    if not found:
        raise DataFormatError("parameters must name one calculator of tsfresh at least.")
    return [_Calculator(f, values, _value_names(f, values)) for f, values in found.items() if f not in timed]


def _settings(parameters: str | Mapping[Any, Any]) -> Mapping[Any, Any]:
    extraction = _import("tsfresh.feature_extraction")
    if not isinstance(parameters, str):
        return parameters
    if parameters == "quick":
        return QUICK_PARAMETERS
    return extraction.MinimalFCParameters() if parameters == "minimal" else extraction.EfficientFCParameters()


def _find(key: str | Callable[..., Any]) -> Callable[..., Any]:
    if callable(key):
        return key
    module = _import("tsfresh.feature_extraction.feature_calculators")
    known = {name for name, function in vars(module).items() if hasattr(function, "fctype")}
    if key not in known:
        raise UnknownNameError(f"tsfresh has no calculator {key!r}; it has {', '.join(sorted(known))}.")
    return getattr(module, key)


def _value_names(function: Callable[..., Any], parameters: list[dict[str, Any]]) -> list[str]:
    """Give the names that tsfresh gives the values: the calculator's, and the parameters' if it has any."""
    if _combines(function):
        with _silence():
            keys = [key for key, _ in function(pd.Series(_PROBE) if _needs_series(function) else _PROBE, parameters)]
    else:
        strings = _import("tsfresh.utilities.string_manipulation")
        keys = [strings.convert_to_output_format(values) for values in parameters]
    return [f"{function.__name__}__{key}" if str(key) else function.__name__ for key in keys]


@contextmanager
def _silence() -> Iterator[None]:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def _describe_windows(calculators: list[_Calculator], windows: Sequence[np.ndarray] | np.ndarray) -> np.ndarray:
    starts = range(0, len(windows), _BLOCK_WINDOWS)
    with _silence():
        return np.concatenate([_describe_block(calculators, windows[i : i + _BLOCK_WINDOWS]) for i in starts])


def _describe_block(calculators: list[_Calculator], windows: Sequence[np.ndarray] | np.ndarray) -> np.ndarray:
    # One calculator for many signals, then the next: a third faster than the other way round.
    signals = [signal for window in windows for signal in np.array(window.T, dtype=np.float64, order="C")]
    with_series = any(_needs_series(calculator.function) for calculator in calculators)
    series = [pd.Series(signal) for signal in signals] if with_series else []
    columns = [calculator.describe(signals, series) for calculator in calculators]
    return np.hstack(columns).reshape(len(windows), -1)
