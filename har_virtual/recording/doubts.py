"""What makes one doubt that readings are in the units that they should be in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from har_virtual.recording.units import channel_site

# Outside these a table probably holds another unit: times in ms, acceleration in g or without gravity.
_PLAUSIBLE_RATE_HZ = (2.0, 5000.0)
_PLAUSIBLE_GRAVITY_M_S2 = (4.0, 25.0)
# The fastest turns of a wrist; most gyroscopes end at 2,000 deg/s.
_PLAUSIBLE_TURN_RAD_S = 35.0


class Doubt(NamedTuple):
    """What is odd, and what somebody who states units can do about it; both without a full stop."""

    what: str
    advice: str


def rate_doubts(sampling_rate_hz: float) -> Iterator[Doubt]:
    """Say it if a rate looks as if times were not in seconds."""
    if not _PLAUSIBLE_RATE_HZ[0] <= sampling_rate_hz <= _PLAUSIBLE_RATE_HZ[1]:
        yield Doubt(f"a rate of {sampling_rate_hz:g} Hz looks as if the times were not in seconds", "Check the times")


def find_doubts(data: np.ndarray, channels: Sequence[str]) -> Iterator[Doubt]:
    """Say it of every vector that is far from what people and gravity do in m/s2 and rad/s.

    Parameters
    ----------
    data : ndarray of shape (n_samples, n_channels)
    channels : sequence of str
    """
    for site, norms in _norms(data, channels, "gyr"):
        fastest = float(np.quantile(norms, 0.95))
        if fastest > _PLAUSIBLE_TURN_RAD_S:
            yield Doubt(
                f"turns at {site} reach {fastest:.0f} rad/s, as if in deg/s",
                "State units={'gyr': 'deg/s'} if they are",
            )
    for site, norms in _norms(data, channels, "acc"):
        norm = float(np.median(norms))
        found = f"the median of |a| at {site} is {norm:.2f} m/s2"
        if 0.8 < norm < 1.25:
            yield Doubt(f"{found}, as if the values were in g", "State units={'acc': 'g'} if they are")
        elif not _PLAUSIBLE_GRAVITY_M_S2[0] <= norm <= _PLAUSIBLE_GRAVITY_M_S2[1]:
            yield Doubt(f"{found}, far from gravity", "Check the unit, and that gravity was not subtracted")


def _norms(data: np.ndarray, channels: Sequence[str], quantity: str) -> Iterator[tuple[str, np.ndarray]]:
    """Site and norm, where known, of every whole vector of a quantity."""
    column = {channel: number for number, channel in enumerate(channels)}
    for x in (channel for channel in channels if channel.endswith(f"_{quantity}_x")):
        triad = [x[:-1] + axis for axis in "xyz"]
        if set(triad) <= set(column):
            norms = np.linalg.norm(data[:, [column[channel] for channel in triad]], axis=1)
            if not np.isnan(norms).all():
                yield str(channel_site(x)), norms[~np.isnan(norms)]
