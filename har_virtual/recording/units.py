"""What channels are called, and their units."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from har_virtual.exceptions import DataFormatError

UNITS = {"acc": "m/s2", "gyr": "rad/s", "mag": "uT"}
"""Unit of each quantity in every Recording."""

STANDARD_GRAVITY_M_S2 = 9.80665

_TO_STANDARD: dict[tuple[str, str | None], float] = {
    ("acc", "m/s2"): 1.0,
    ("acc", "g"): STANDARD_GRAVITY_M_S2,
    ("acc", "mg"): STANDARD_GRAVITY_M_S2 / 1000,
    ("gyr", "rad/s"): 1.0,
    ("gyr", "deg/s"): np.pi / 180,
    ("mag", "uT"): 1.0,
    ("mag", "mG"): 0.1,
    ("mag", "G"): 100.0,
}


def channel_quantity(channel: str) -> str | None:
    """Give "acc", "gyr" or "mag" for a channel ``<site>_<quantity>_<axis>``, None for any other name."""
    parts = channel.split("_")
    return parts[-2] if len(parts) >= 3 and parts[-2] in UNITS and parts[-1] in ("x", "y", "z") else None


def channel_site(channel: str) -> str | None:
    """Give the site of a channel ``<site>_<quantity>_<axis>``, None for any other name."""
    return channel.rsplit("_", 2)[0] if channel_quantity(channel) else None


def unit_scale(channel: str, units: Mapping[str, str]) -> float:
    """Give what a value of `channel` in its unit is multiplied by; an unknown unit raises `DataFormatError`."""
    quantity = channel_quantity(channel)
    if quantity is None:
        if re.fullmatch(r".+_[A-Za-z]+_[xyz]", channel):
            raise DataFormatError(
                f"Channel {channel} looks like a vector's, but {channel.split('_')[-2]!r} is none of {list(UNITS)}, so "
                "its unit is unknown; name it <site>_<acc|gyr|mag>_<x|y|z>."
            )
        return 1.0
    unit = units.get(quantity)
    if (quantity, unit) not in _TO_STANDARD:
        known = [u for q, u in _TO_STANDARD if q == quantity]
        raise DataFormatError(
            f"Channel {channel}: state its unit as units={{{quantity!r}: one of {known}}}, not {unit!r}."
        )
    return _TO_STANDARD[quantity, unit]
