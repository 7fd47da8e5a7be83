"""How sensors are worn and how they err, drawn anew for every motion."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.transform import Rotation

from har_virtual.checks import check_count
from har_virtual.exceptions import DataFormatError
from har_virtual.imu import Placement, SensorModel
from har_virtual.imu.sensor import resolve_sensor
from har_virtual.imu.sites import resolve_placements

Sensor = SensorModel | str | None


def draw_sensors(
    sites: Iterable[str] | Mapping[str, Placement],
    n_draws: int,
    *,
    shift_std_m: ArrayLike = 0.0,
    turn_std_deg: ArrayLike = 0.0,
    sensor: Sensor | Sequence[Sensor] = None,
    random_state: int | np.random.Generator | None = None,
) -> list[dict[str, Any]]:
    """Draw where and how sensors are worn, and which devices they are: one draw for each motion to simulate.

    A sensor is first turned together with its offset about the point of the segment's axis where it is strapped on, so
    that it slides round the limb, and is then shifted. Every site of a draw has its own turn, shift and device.

    Parameters
    ----------
    sites : iterable of site names, or mapping of names to Placement
        Where sensors are worn on average.
    n_draws : int
    shift_std_m : float or three of them, default=0.0
        Standard deviation of the shift along the segment's x (along it), y and z. ``(0.03, 0.005, 0.005)`` is a watch
        worn higher or lower on the forearm.
    turn_std_deg : float or three of them, default=0.0
        Standard deviation of the components of the rotation vector about the segment's x, y and z. ``(20, 5, 5)`` is a
        strap that slips round the limb and a case that tilts a little.
    sensor : SensorModel, str, None, or a sequence of these, default=None
        Errors of the device, or the name of a preset of `SensorModel`; of a sequence one is drawn each time. None is an
        ideal one.
    random_state : int, Generator or None
        Seeds the draws. With an int, the first draws do not depend on how many follow, and where a sensor is worn and
        its seed not on `sensor`, so that devices can be compared in the same places.

    Returns
    -------
    list of dict
        Each holds ``placements``, ``sensor`` and ``random_state`` (an int: of the device's own errors), to be handed to
        `har_virtual.simulate_imu`, which writes them to the recording's attrs.

    Raises
    ------
    UnknownNameError
        For a site, segment or preset that there is not.
    DataFormatError
        For a parameter of another shape or out of its range.
    ValueError
        If a parameter of a `SensorModel` makes no sense.

    Examples
    --------
    >>> from har_virtual import simulate_imu
    >>> from har_virtual.augmentation import draw_sensors
    >>> from har_virtual.studio import perform
    >>> motions = [perform("walking", duration_s=2.0, seed=seed).motion(60) for seed in range(3)]
    >>> worn = draw_sensors(["left_wrist"], 3, turn_std_deg=(20, 5, 5), sensor=("low", "orient3"), random_state=0)
    >>> virtual = [simulate_imu(motion, sampling_rate_hz=50, **how) for motion, how in zip(motions, worn)]
    >>> len({recording.attrs["random_state"] for recording in virtual})
    3
    """
    placements = resolve_placements(sites)
    check_count("n_draws", n_draws, 0)
    shift_std, turn_std = _spread("shift_std_m", shift_std_m), np.deg2rad(_spread("turn_std_deg", turn_std_deg))
    given = [sensor] if sensor is None or isinstance(sensor, str | SensorModel) else sensor
    if not isinstance(given, Sequence) or not given:
        raise DataFormatError(f"sensor must be a SensorModel, a preset's name, None, or some of these, not {sensor!r}.")
    devices = [resolve_sensor(each) for each in given]
    # One level deeper than the streams of augment_motions: the same seed in both gives draws that are independent.
    draws = np.random.default_rng(random_state).spawn(1)[0].spawn(n_draws)
    return [
        {
            "random_state": int(rng.integers(2**32)),
            # From one random number, however many devices there are.
            "sensor": devices[int(rng.random() * len(devices))],
            "placements": {site: _vary(placement, shift_std, turn_std, rng) for site, placement in placements.items()},
        }
        for rng in draws
    ]


def _spread(name: str, std: ArrayLike) -> np.ndarray:
    try:
        spread = np.asarray(std, dtype=np.float64)
    except (TypeError, ValueError):
        spread = np.full(1, np.nan)
    if spread.shape not in ((), (3,)) or not np.isfinite(spread).all() or (spread < 0).any():
        raise DataFormatError(
            f"{name} must be a finite number from 0, or three, about or along x, y and z, not {std!r}."
        )
    return np.broadcast_to(spread, (3,))


def _vary(placement: Placement, shift_std: np.ndarray, turn_std: np.ndarray, rng: np.random.Generator) -> Placement:
    shift, turn = shift_std * rng.standard_normal(3), turn_std * rng.standard_normal(3)
    turned = Rotation.from_rotvec(turn).as_matrix()
    rotation = np.eye(3) if placement.rotation is None else np.asarray(placement.rotation, dtype=np.float64)
    return Placement(
        segment=placement.segment,
        fraction=placement.fraction,
        offset_m=tuple((turned @ np.asarray(placement.offset_m, dtype=np.float64) + shift).tolist()),
        rotation=turned @ rotation,
    )
