"""Which sites two data sets share, and sites whose side differs between people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product
from typing import NamedTuple

import pandas as pd

from har_virtual.datasets.base import Names, check_known
from har_virtual.exceptions import DataFormatError
from har_virtual.imu import SITES
from har_virtual.recording import UNITS, Recording, RecordingSet, channel_quantity, channel_site

NEIGHBOURS: tuple[tuple[str, str], ...] = (
    ("chest", "back"),
    ("waist", "hip"),
    ("upper_arm", "forearm"),
    ("forearm", "wrist"),
    ("wrist", "hand"),
    ("hip", "thigh"),
    ("thigh", "knee"),
    ("knee", "shin"),
    ("shin", "ankle"),
    ("ankle", "foot"),
)
"""Sites next to each other on the body, without their side. Sensors there move alike, but not the same: they differ in
orientation, and across a joint also in rotation."""

_SIDES = ("left", "right", "dominant")
_SIDED = tuple(site.removeprefix("left_") for site in SITES if site.startswith("left_"))
_QUANTITIES = tuple(UNITS)
_MATCHES = ("same", "either side", "near")


class _Sensors(NamedTuple):
    quantities: frozenset[str]
    rate_hz: float | None


def shared_sites(
    first: str | Iterable[Recording], second: str | Iterable[Recording], *, quantities: Names = None
) -> pd.DataFrame:
    """Find the sites that two data sets have in common.

    Parameters
    ----------
    first, second : str or iterable of Recording
        The name of a data set, for what it publishes, or recordings.
    quantities : str or iterable of {"acc", "gyr", "mag"}, optional
        Only pairs of sites that both have all of these. Default: those with any quantity in common.

    Returns
    -------
    DataFrame
        One row a pair of sites, the best match of a site first, indexed by that of `first`:

        - second: the site of `second`;
        - match: "same"; "either side" if one of them is on the dominant side, which is left for some and right for
          others, so that it takes `pool_sides`; "near" if they are `NEIGHBOURS`;
        - quantities: those that both have;
        - first_hz, second_hz: the lowest rate at each site, NaN where a data set does not publish one.

    Raises
    ------
    UnknownNameError
        If there is no such data set or quantity.

    Examples
    --------
    >>> import numpy as np
    >>> from har_virtual import Recording
    >>> from har_virtual.datasets import shared_sites
    >>> def worn(site, rate_hz):
    ...     return Recording(np.ones((9, 3)), rate_hz, [f"{site}_acc_{axis}" for axis in "xyz"])
    >>> print(shared_sites([worn("chest", 50), worn("left_forearm", 50)], [worn("chest", 100), worn("left_wrist", 30)]))
                      second match quantities  first_hz  second_hz
    first
    chest              chest  same        acc      50.0      100.0
    left_forearm  left_wrist  near        acc      50.0       30.0
    """
    needed = set() if quantities is None else set(check_known("quantity", quantities, _QUANTITIES))
    rows = []
    theirs = _sensors(second)
    for site, mine in _sensors(first).items():
        for wanted, (other, its) in product(_MATCHES, theirs.items()):
            both = mine.quantities & its.quantities
            if _match(site, other) == wanted and both and needed <= both:
                named = " ".join(q for q in _QUANTITIES if q in both)
                rows.append((site, other, wanted, named, mine.rate_hz, its.rate_hz))
    table = pd.DataFrame(rows, columns=["first", "second", "match", "quantities", "first_hz", "second_hz"])
    return table.astype({"first_hz": float, "second_hz": float}).set_index("first")


def pool_sides(recordings: Iterable[Recording], sites: Names = ("wrist", "ankle")) -> RecordingSet:
    """Make one recording of each way in which sensors of the dominant side can be worn.

    Where a sensor sat on the dominant wrist and nobody knows which that is in a video, both are candidates: IMUTube
    (section 3.2) takes all four placements of PAMAP2's wrist and ankle sensors from every video.

    Parameters
    ----------
    recordings : iterable of Recording
        Typically virtual, with ``left_<site>_...`` and ``right_<site>_...`` channels of each of `sites`.
    sites : str or iterable of str, default=("wrist", "ankle")
        Without a side.

    Returns
    -------
    RecordingSet
        For each recording two to the power of the number of sites, all left first: ``dominant_<site>_...`` channels in
        the place of the left ones, and all other channels as they are. ``attrs["worn"]`` says which side each site is
        from. Subject and session stay, so that the placements of a person fall into one fold.

    Raises
    ------
    DataFormatError
        If a recording lacks a site on one side, or has it on the dominant one already.

    Examples
    --------
    >>> import numpy as np
    >>> from har_virtual import Recording
    >>> from har_virtual.datasets import pool_sides
    >>> both = Recording(np.tile([[1.0, 2.0]], (9, 1)), 50, ["left_wrist_acc_x", "right_wrist_acc_x"])
    >>> [(one.channels, float(one.data[0, 0]), one.attrs["worn"]) for one in pool_sides([both], "wrist")]
    [(('dominant_wrist_acc_x',), 1.0, {'wrist': 'left'}), (('dominant_wrist_acc_x',), 2.0, {'wrist': 'right'})]
    """
    names = check_known("site", sites, _SIDED)
    recordings = recordings if isinstance(recordings, RecordingSet) else RecordingSet(recordings)
    placements = [dict(zip(names, sides, strict=True)) for sides in product(("left", "right"), repeat=len(names))]
    worn = (_worn(recording, placement) for recording in recordings for placement in placements)
    return RecordingSet(worn, DESCR=recordings.DESCR)


def _worn(recording: Recording, worn: Mapping[str, str]) -> Recording:
    """Give a recording with the dominant side's channels taken from the sides in `worn`."""
    source: dict[str, str] = {}
    for channel in recording.channels:
        side, site = _split(channel_site(channel) or "")
        if site not in worn or side is None:
            source[channel] = channel
        elif side == "left":
            tail = channel.removeprefix("left_")
            source[f"dominant_{tail}"] = f"{worn[site]}_{tail}"
    _check_both_sides(recording, worn)
    taken = recording.select(source.values())
    return taken.replace(channels=tuple(source), attrs={**recording.attrs, "worn": dict(worn)})


def _check_both_sides(recording: Recording, sites: Iterable[str]) -> None:
    for site in sites:
        left, right, dominant = (
            {c.removeprefix(f"{side}_") for c in recording.channels if channel_site(c) == f"{side}_{site}"}
            for side in _SIDES
        )
        if dominant or not left or left != right:
            raise DataFormatError(
                f"{recording.group}/{recording.session} needs the same channels of left_{site} and right_{site}, and "
                f"none of dominant_{site}."
            )


def _sensors(source: str | Iterable[Recording]) -> dict[str, _Sensors]:
    """Quantities and rate at each site."""
    if isinstance(source, str):
        # The loaders, which the registry holds, are below this module.
        from har_virtual.datasets.registry import find_dataset

        published = find_dataset(source)
        rate_hz, fewer = published.sampling_rate_hz, published.site_quantities
        quantities = {site: frozenset(fewer.get(site, published.quantities)) for site in published.sites}
        return {site: _Sensors(measured, rate_hz) for site, measured in quantities.items()}
    found: dict[str, _Sensors] = {}
    for recording in RecordingSet(source):
        for channel in recording.channels:
            site, quantity = channel_site(channel), channel_quantity(channel)
            if site is not None and quantity is not None:
                before = found.get(site, _Sensors(frozenset(), None))
                slowest = min(before.rate_hz or recording.sampling_rate_hz, recording.sampling_rate_hz)
                found[site] = _Sensors(before.quantities | {quantity}, slowest)
    return found


def _match(first: str, second: str) -> str | None:
    """Give one of _MATCHES, or None."""
    if first == second:
        return "same"
    (side, site), (other_side, other) = _split(first), _split(second)
    if side != other_side and None not in (side, other_side) and "dominant" not in (side, other_side):
        return None
    if site == other:
        return "either side"
    return "near" if (site, other) in NEIGHBOURS or (other, site) in NEIGHBOURS else None


def _split(site: str) -> tuple[str | None, str]:
    """Give side and place: ("left", "wrist"), (None, "chest")."""
    side, _, place = site.partition("_")
    return (side, place) if side in _SIDES and place else (None, site)
