"""The errors of a real inertial sensor: scale, misalignment, bias, drift, noise, range and resolution."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy.signal import lfilter
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval

from har_virtual.exceptions import DataFormatError, UnknownNameError

_NOT_NEGATIVE = [Interval(Real, 0, None, closed="left")]
_POSITIVE_OR_NONE = [Interval(Real, 0, None, closed="neither"), None]
_SENSORS = ("acc", "gyr", "mag")


class SensorModel(BaseEstimator):
    """Adds a device's errors to ideal readings; by default it adds none.

    For each sensor, with M = I + E and E a random matrix of scale errors (diagonal) and cross-axis errors (the rest),

        y = quantise(clip(M x + bias + drift + noise))

    M and the bias belong to the device and are constant. Drift is a first-order Gauss-Markov process: its correlation
    falls by 1/e within `drift_tau_s`, its standard deviation is the same at all times and rates. The magnetic field
    first becomes soft_iron (x + hard_iron), and the gyroscope reads k x specific force besides, axis by axis.

    Parameters
    ----------
    acc_noise_std, gyr_noise_std, mag_noise_std : float, default=0
        White noise: standard deviation of one sample in m/s2, rad/s, uT.
    noise_rate_hz : float or None, default=None
        Sampling rate for which the noise is stated: at another rate fs it is sqrt(fs / noise_rate_hz) times as
        strong. With 1.0 the values are densities in unit/sqrt(Hz), that is, velocity and angle random walk. None: the
        same at every rate, as in a converter. (A data sheet's one-sided density is sqrt(2) times ours.)
    acc_bias_std, gyr_bias_std, mag_bias_std : float, default=0
        Standard deviation, over devices, of the constant bias in m/s2, rad/s, uT.
    acc_drift_std, gyr_drift_std : float, default=0
        Standard deviation of the drifting bias in m/s2, rad/s.
    drift_tau_s : float, default=100
        Correlation time of the drift.
    acc_scale_std, gyr_scale_std, mag_scale_std : float, default=0
        Standard deviation, over axes, of the relative scale error.
    acc_cross_axis_std, gyr_cross_axis_std, mag_cross_axis_std : float, default=0
        Standard deviation of the share of one axis that shows on another.
    gyr_g_sensitivity_std : float, default=0
        Standard deviation, over axes, of the gyroscope's k in (rad/s)/(m/s2).
    mag_hard_iron_ut : array-like of shape (3,), default=(0, 0, 0)
        Field of magnetised parts that turn with the sensor.
    mag_soft_iron : array-like of shape (3, 3) or None, default=None
        Distortion by magnetisable parts; None is the identity.
    acc_range, gyr_range, mag_range : float or None, default=None
        Largest magnitude on an axis in m/s2, rad/s, uT; what exceeds it is clipped.
    acc_resolution, gyr_resolution, mag_resolution : float or None, default=None
        Step to which readings are rounded.

    Examples
    --------
    >>> import numpy as np
    >>> still = np.tile([0.0, 0.0, 9.80665], (100, 1))
    >>> acc, gyr, mag = SensorModel.preset("low").apply(still, None, None, 50.0, random_state=0)
    >>> acc.shape, gyr is None, bool(0 < acc.std(axis=0).max() < 0.01)
    ((100, 3), True, True)
    """

    _parameter_constraints: ClassVar[dict[str, list]] = {
        **{f"{sensor}_{error}_std": _NOT_NEGATIVE for sensor in _SENSORS for error in ("noise", "bias", "scale")},
        **{f"{sensor}_cross_axis_std": _NOT_NEGATIVE for sensor in _SENSORS},
        **{f"{sensor}_{limit}": _POSITIVE_OR_NONE for sensor in _SENSORS for limit in ("range", "resolution")},
        "acc_drift_std": _NOT_NEGATIVE,
        "gyr_drift_std": _NOT_NEGATIVE,
        "drift_tau_s": [Interval(Real, 0, None, closed="neither")],
        "noise_rate_hz": _POSITIVE_OR_NONE,
        "gyr_g_sensitivity_std": _NOT_NEGATIVE,
        "mag_hard_iron_ut": ["array-like"],
        "mag_soft_iron": ["array-like", None],
    }

    def __init__(
        self,
        *,
        acc_noise_std: float = 0.0,
        gyr_noise_std: float = 0.0,
        mag_noise_std: float = 0.0,
        noise_rate_hz: float | None = None,
        acc_bias_std: float = 0.0,
        gyr_bias_std: float = 0.0,
        mag_bias_std: float = 0.0,
        acc_drift_std: float = 0.0,
        gyr_drift_std: float = 0.0,
        drift_tau_s: float = 100.0,
        acc_scale_std: float = 0.0,
        gyr_scale_std: float = 0.0,
        mag_scale_std: float = 0.0,
        acc_cross_axis_std: float = 0.0,
        gyr_cross_axis_std: float = 0.0,
        mag_cross_axis_std: float = 0.0,
        gyr_g_sensitivity_std: float = 0.0,
        mag_hard_iron_ut: ArrayLike = (0.0, 0.0, 0.0),
        mag_soft_iron: ArrayLike | None = None,
        acc_range: float | None = None,
        gyr_range: float | None = None,
        mag_range: float | None = None,
        acc_resolution: float | None = None,
        gyr_resolution: float | None = None,
        mag_resolution: float | None = None,
    ) -> None:
        self.acc_noise_std = acc_noise_std
        self.gyr_noise_std = gyr_noise_std
        self.mag_noise_std = mag_noise_std
        self.noise_rate_hz = noise_rate_hz
        self.acc_bias_std = acc_bias_std
        self.gyr_bias_std = gyr_bias_std
        self.mag_bias_std = mag_bias_std
        self.acc_drift_std = acc_drift_std
        self.gyr_drift_std = gyr_drift_std
        self.drift_tau_s = drift_tau_s
        self.acc_scale_std = acc_scale_std
        self.gyr_scale_std = gyr_scale_std
        self.mag_scale_std = mag_scale_std
        self.acc_cross_axis_std = acc_cross_axis_std
        self.gyr_cross_axis_std = gyr_cross_axis_std
        self.mag_cross_axis_std = mag_cross_axis_std
        self.gyr_g_sensitivity_std = gyr_g_sensitivity_std
        self.mag_hard_iron_ut = mag_hard_iron_ut
        self.mag_soft_iron = mag_soft_iron
        self.acc_range = acc_range
        self.gyr_range = gyr_range
        self.mag_range = mag_range
        self.acc_resolution = acc_resolution
        self.gyr_resolution = gyr_resolution
        self.mag_resolution = mag_resolution

    @classmethod
    def preset(cls, name: str, *, g_sensitivity_bug: bool = False) -> SensorModel:
        """Give the model of a class of devices, or of one device.

        "low", "mid" and "high" name accuracy, not noise: "low" is the least accurate, hence the noisiest, and "high"
        the quietest. They are grades of industrial inertial units, "low" about that of a good consumer device. All
        three have noise and drift only, no constant bias, no scale, cross-axis or range error; a cheap device errs
        more, as "orient3" does. Parameters are in m/s2, rad/s and uT; noise is a density, per sqrt(Hz).

        Parameters
        ----------
        name : {"low", "mid", "high", "orient3"}
            The three accuracy grades of gnss-ins-sim, or the Orient-3 node of IMUSim: MMA7260Q at 6 g, ADXRS300
            extended to 1200 deg/s, HMC105x, 12-bit converter at +-1.65 V.
        g_sensitivity_bug : bool, default=False
            For "orient3": IMUSim states the gyroscope's g-sensitivity in rad/s per g, but multiplies it by m/s2. True
            repeats that, 9.8 times too strong.

        Notes
        -----
        Accuracy grades: random walks are stated in deg/sqrt(h) and m/s/sqrt(h), and one sqrt(h) is 60 sqrt(s), so
        0.75 deg/sqrt(h) = radians(0.75) / 60 rad/s/sqrt(Hz); gyroscope drift in deg/h, so 10 deg/h = radians(10) / 3600
        rad/s. Their magnetometer noise is stated for one sample at any rate; it is taken as at 100 Hz.

        Orient-3: volts are divided by the sensitivity, .2 V per g, 1.25e-3 x 3.3 / 5 V per deg/s, .01254 V per uT, and
        one step of the converter is 3.3 / 4096 V. Noise of 15.3, 1 and 8.1 steps, the same at every rate.

        Raises
        ------
        UnknownNameError
            If there is no such preset.
        """
        if name == "orient3":
            return cls(**_orient3(g_sensitivity_bug))
        if name not in _ACCURACY:
            raise UnknownNameError(f"No sensor preset {name!r}; there are {', '.join([*_ACCURACY, 'orient3'])}.")
        velocity_walk, angle_walk, acc_drift, gyr_drift, mag_noise = _ACCURACY[name]
        return cls(
            acc_noise_std=velocity_walk / 60,
            gyr_noise_std=np.radians(angle_walk) / 60,
            mag_noise_std=mag_noise / 10,
            noise_rate_hz=1.0,
            acc_drift_std=acc_drift,
            gyr_drift_std=np.radians(gyr_drift) / 3600,
            drift_tau_s=100.0,
        )

    def check(self) -> None:
        """Raise ValueError for a parameter out of range, its subclass `DataFormatError` for one of a wrong shape."""
        self._validate_params()
        iron = {"mag_hard_iron_ut": (self.mag_hard_iron_ut, (3,)), "mag_soft_iron": (self.mag_soft_iron, (3, 3))}
        for name, (value, shape) in iron.items():
            if value is not None and (np.shape(value) != shape or not np.isfinite(value).all()):
                raise DataFormatError(f"{name} must be finite numbers of shape {shape}, not {value!r}.")

    def apply(
        self,
        acc: ArrayLike | None,
        gyr: ArrayLike | None,
        mag: ArrayLike | None,
        sampling_rate_hz: float,
        random_state: int | np.random.Generator | None = None,
    ) -> tuple[np.ndarray | None, np.ndarray | None, np.ndarray | None]:
        """Add the errors of one device to its ideal readings.

        Parameters
        ----------
        acc, gyr, mag : array-like of shape (N, 3) or None
            m/s2, rad/s, uT; None for a sensor that the device lacks. NaN stays NaN and spreads to nothing else.
        sampling_rate_hz : float
            Rate of the readings.
        random_state : int, Generator or None, default=None
            A seed stands for a device: it fixes the constant errors, whatever the length of the readings and whichever
            sensors are present. A Generator makes another device with every call. The global generator of numpy is
            neither used nor moved.

        Returns
        -------
        acc, gyr, mag : ndarray of float64 of shape (N, 3), or None

        Raises
        ------
        DataFormatError
            If a reading is not (N, 3) or N differs between sensors.
        ValueError
            If a parameter of the model or the rate makes no sense.
        """
        self.check()
        if not sampling_rate_hz > 0:
            raise ValueError(f"sampling_rate_hz must be positive, got {sampling_rate_hz}.")
        readings = _check_readings({"acc": acc, "gyr": gyr, "mag": mag})
        device, *streams = np.random.default_rng(random_state).spawn(4)
        constants = {sensor: self._draw_constants(sensor, device) for sensor in _SENSORS}
        g_sensitivity = device.normal(0.0, self.gyr_g_sensitivity_std, 3)

        ideal = {sensor: np.nan_to_num(x, nan=0.0) for sensor, x in readings.items()}
        if "mag" in ideal:
            soft_iron = np.eye(3) if self.mag_soft_iron is None else np.asarray(self.mag_soft_iron, dtype=np.float64)
            ideal["mag"] = (ideal["mag"] + np.asarray(self.mag_hard_iron_ut)) @ soft_iron.T
        if {"acc", "gyr"} <= ideal.keys():
            ideal["gyr"] = ideal["gyr"] + g_sensitivity * ideal["acc"]
        result: dict[str, np.ndarray] = {}
        for sensor, rng in zip(_SENSORS, streams, strict=True):
            if sensor in ideal:
                measured = self._measure(sensor, ideal[sensor], *constants[sensor], sampling_rate_hz, rng)
                result[sensor] = np.where(np.isnan(readings[sensor]), np.nan, measured)
        return result.get("acc"), result.get("gyr"), result.get("mag")

    def _draw_constants(self, sensor: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """A device's transfer matrix and bias."""
        scale, cross, bias = rng.standard_normal(3), rng.standard_normal((3, 3)), rng.standard_normal(3)
        cross = self._of(sensor, "cross_axis_std") * cross
        np.fill_diagonal(cross, 1 + self._of(sensor, "scale_std") * scale)
        return cross, self._of(sensor, "bias_std") * bias

    def _measure(
        self,
        sensor: str,
        x: np.ndarray,
        transfer: np.ndarray,
        bias: np.ndarray,
        rate_hz: float,
        rng: np.random.Generator,
    ) -> np.ndarray:
        noise_std = self._of(sensor, "noise_std")
        if self.noise_rate_hz is not None:
            noise_std = noise_std * np.sqrt(rate_hz / self.noise_rate_hz)
        y = x @ transfer.T + bias
        if drift_std := getattr(self, f"{sensor}_drift_std", 0.0):
            y += drift_std * _gauss_markov(x.shape, rate_hz * self.drift_tau_s, rng)
        y += noise_std * rng.standard_normal(x.shape)
        if (limit := self._of(sensor, "range")) is not None:
            y = np.clip(y, -limit, limit)
        if (step := self._of(sensor, "resolution")) is not None:
            y = np.round(y / step) * step
        return y

    def _of(self, sensor: str, parameter: str) -> Any:
        return getattr(self, f"{sensor}_{parameter}")


def resolve_sensor(sensor: SensorModel | str | None) -> SensorModel | None:
    """Give the model for a model, for the name of a preset, or for None, with its parameters checked.

    Raises
    ------
    UnknownNameError
        If there is no such preset.
    DataFormatError
        If it is none of these.
    ValueError
        If a parameter of the model makes no sense.
    """
    if isinstance(sensor, str):
        return SensorModel.preset(sensor)
    if sensor is not None and not isinstance(sensor, SensorModel):
        raise DataFormatError(f"sensor must be a SensorModel, the name of a preset or None, not {sensor!r}.")
    if sensor is not None:
        sensor.check()
    return sensor


def _check_readings(readings: dict[str, ArrayLike | None]) -> dict[str, np.ndarray]:
    arrays = {sensor: np.asarray(x, dtype=np.float64) for sensor, x in readings.items() if x is not None}
    shapes = {sensor: x.shape for sensor, x in arrays.items()}
    if any(len(shape) != 2 or shape[1] != 3 for shape in shapes.values()) or len(set(shapes.values())) > 1:
        raise DataFormatError(
            f"Readings of a device must be (N, 3) with one N, got {shapes}; call apply once a device."
        )
    return arrays


def _gauss_markov(shape: tuple[int, ...], tau_samples: float, rng: np.random.Generator) -> np.ndarray:
    """First-order Gauss-Markov process of unit variance along axis 0, stationary from its first sample."""
    decay = np.exp(-1 / tau_samples)
    white = rng.standard_normal(shape)
    white[1:] *= np.sqrt(-np.expm1(-2 / tau_samples))
    return lfilter([1.0], [1.0, -decay], white, axis=0)


# gnss-ins-sim's grades: m/s/sqrt(h), deg/sqrt(h), m/s2, deg/h, uT.
_ACCURACY = {
    "low": (0.05, 0.75, 2e-4, 10.0, 0.1),
    "mid": (0.03, 0.25, 5e-5, 3.5, 0.01),
    "high": (2.5e-5, 2e-3, 3.6e-6, 0.1, 0.001),
}


def _orient3(g_sensitivity_bug: bool) -> dict[str, float]:
    gravity, half_range_v, step_v = 9.80665, 1.65, 3.3 / 4096
    acc_v, gyr_v, mag_v = 0.2 / gravity, np.degrees(1.25e-3 * 3.3 / 5), 12540e-6
    amplifier = 380.0
    return {
        "acc_noise_std": 15.3 * step_v / acc_v,
        "gyr_noise_std": step_v / gyr_v,
        "mag_noise_std": 8.1 * step_v / mag_v,
        "acc_bias_std": 0.055 / acc_v,
        "gyr_bias_std": 0.02 / 3 * 3.3 / 5 / gyr_v,
        "mag_bias_std": amplifier / 3 * np.hypot(200e-6, 0.5e-3 * 3.3) / mag_v,
        "acc_scale_std": 0.025,
        "gyr_scale_std": 0.08 / 3,
        "mag_scale_std": 0.2 / 3,
        **{f"{sensor}_cross_axis_std": 0.05 / 3 for sensor in _SENSORS},
        "gyr_g_sensitivity_std": np.radians(0.2) / 3 / (1.0 if g_sensitivity_bug else gravity),
        "acc_range": half_range_v / acc_v,
        "gyr_range": half_range_v / gyr_v,
        "mag_range": half_range_v / mag_v,
        "acc_resolution": step_v / acc_v,
        "gyr_resolution": step_v / gyr_v,
        "mag_resolution": step_v / mag_v,
    }
