"""Rotation: the sensor worn another way round."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation as Turn

from har_virtual.augmentation._base import WindowAugmentation, check_between
from har_virtual.exceptions import DataFormatError
from har_virtual.windows.validation import Triad, find_triads


@dataclass(frozen=True)
class Rotation(WindowAugmentation):
    """Turn the sensors of a window, each by one random rotation for all its samples.

    Parameters
    ----------
    max_angle_rad : float, default=pi
        The angle is uniform between minus and plus this.
    channels : sequence of str, optional
        Names ``<site>_<acc|gyr|mag>_<x|y|z>`` of the channels. Accelerometer, gyroscope and magnetometer of a site are
        one device and turn together; channels that are named otherwise stay as they are. Without names each three
        consecutive channels turn by themselves, which is wrong for two sensors of one device.
    p : float, default=1.0
        Probability with which a window is changed.

    Raises
    ------
    DataFormatError
        If `channels` are no names in order, name no triad, or one without all its axes. When called: if the windows
        have another number of channels than `channels`, or, without names, one that does not divide by three.

    Notes
    -----
    The axis is uniform over the sphere. (Um et al., 2017, see `Jitter`, draw it in a cube, which prefers the diagonals
    of the sensor's frame.) Gravity turns with all else: it is the sensor that turns, not the person.

    Examples
    --------
    >>> import numpy as np
    >>> from har_virtual.augmentation import Rotation
    >>> level = np.tile([0.0, 0.0, 9.81], (1, 30, 1))
    >>> turned = Rotation()(level, np.random.default_rng(0))
    >>> turned[0, 0].round(2).tolist(), np.linalg.norm(turned, axis=2).round(2).min()
    ([8.32, 3.89, -3.46], 9.81)
    """

    max_angle_rad: float = math.pi
    channels: Sequence[str] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("max_angle_rad", check_between("max_angle_rad", self.max_angle_rad, 0.0, math.pi))
        if self.channels is not None:
            self._set("channels", _check_names(self.channels))

    def _augment(self, X: np.ndarray, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        triads = self._triads(X.shape[2])
        sites = list(dict.fromkeys(triad.site for triad in triads))
        turns = _random_turns((len(rows), len(sites)), self.max_angle_rad, rng).astype(X.dtype)
        turned = X[rows]
        for triad in triads:
            columns = list(triad.columns)
            turned[:, :, columns] = turned[:, :, columns] @ turns[:, sites.index(triad.site)].swapaxes(1, 2)
        return turned

    def _triads(self, n_channels: int) -> list[Triad]:
        if self.channels is not None and len(self.channels) != n_channels:
            raise DataFormatError(
                f"Rotation was given the names of {len(self.channels)} channels, but the windows have {n_channels}."
            )
        triads = find_triads(self.channels, n_channels)
        if not triads:
            raise DataFormatError(
                f"Rotation turns vectors of three channels, but the windows have {n_channels} channels without names: "
                "give channels=, or leave Rotation out."
            )
        return triads


def _check_names(channels: Sequence[str]) -> tuple[str, ...]:
    # A set is in no order.
    names = tuple(channels) if isinstance(channels, Iterable) and not isinstance(channels, str | Set) else (channels,)
    if isinstance(channels, str) or not all(isinstance(name, str) for name in names):
        raise DataFormatError(f"channels must be a sequence of names, or None, not {channels!r}.")
    find_triads(names, len(names))
    return tuple(map(str, names))


def _random_turns(shape: tuple[int, int], max_angle_rad: float, rng: np.random.Generator) -> np.ndarray:
    """Draw rotation matrices, (*shape, 3, 3), about axes uniform over the sphere."""
    axes = rng.standard_normal((*shape, 3))
    axes /= np.linalg.norm(axes, axis=-1, keepdims=True)
    angles = rng.uniform(-max_angle_rad, max_angle_rad, size=(*shape, 1))
    return Turn.from_rotvec((axes * angles).reshape(-1, 3)).as_matrix().reshape(*shape, 3, 3)
