"""Rows at uneven stamps as samples at an even rate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from har_virtual.datasets.folder.bunches import are_bunched, spread_bunches
from har_virtual.datasets.folder.tables import Table
from har_virtual.exceptions import DataFormatError
from har_virtual.signal import regularize_timestamps, resample

TIME_UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
DATES = "datetime"

_PLAUSIBLE_RATE_HZ = (2.0, 5000.0)
# Even stamps tell the rate well, uneven ones do not.
_EVEN_RATE, _UNEVEN_RATE = 1e-3, 1e-2
# Of a float64 of seconds since 1970.
_FINEST_TICK_S = 1e-6
# A damaged stamp must not ask for more memory than there is.
_MAX_SAMPLES_A_ROW, _SPARE_SAMPLES = 20, 100_000
_MANY_STEPS = 50
_MAX_INTEGER = 1 << 62
# Some phones' events share a millisecond, up to a tenth of them.
_MANY_MISSING, _MANY_REPEATED = 0.1, 0.2
_FILLED = 0.9
_MANY_PARTIAL, _MOST_LOST = 0.5, 1.8


class Stream(NamedTuple):
    """A file on an even grid: the first sample is at `start_s` on the file's own clock; notes lack the file's name."""

    values: np.ndarray
    rate_hz: float
    start_s: float
    labels: np.ndarray | None
    source_rate_hz: float | None
    notes: list[str]


class Stamps(NamedTuple):
    """Stamps in seconds: the first one on its own clock, and all since the first, not decreasing."""

    first_s: float
    since_s: np.ndarray


def is_date(time_unit: str) -> bool:
    """Tell whether stamps are dates in text: in ISO 8601, or in a format of strftime."""
    return time_unit == DATES or "%" in time_unit


def read_stamps(table: Table, time: str, time_unit: str) -> Stamps:
    """Give the stamps of a table in seconds.

    Raises
    ------
    DataFormatError
        With the line of a stamp that is missing, is no date or number, or runs backwards.
    """
    assert table.stamps is not None
    raw = table.stamps
    if raw.dtype.kind in "iuf":
        if is_date(time_unit):
            raise DataFormatError(
                f"{table.path}: column {time} holds numbers, not dates; pass time_unit, one of {', '.join(TIME_UNITS)}."
            )
        raw, scale = (raw if raw.dtype.kind == "i" else raw.astype(np.float64)), TIME_UNITS[time_unit]
        missing = ~np.isfinite(raw)
    else:
        raw, scale = _nanoseconds(table, time, time_unit), TIME_UNITS["ns"]
        missing = raw == pd.NaT.value
    if missing.any():
        row = int(np.argmax(missing))
        raise DataFormatError(f"{table.where(row)}: column {time} is {table.stamps[row]!r}, which is no time.")
    backwards = np.flatnonzero(raw[1:] < raw[:-1])
    if len(backwards):
        row = int(backwards[0]) + 1
        raise DataFormatError(
            f"{table.where(row)}: time runs backwards, from {table.stamps[row - 1]} to {table.stamps[row]}; sort the "
            "rows, or give each stretch a file and a session of its own."
        )
    if int(raw[-1]) - int(raw[0]) > _MAX_INTEGER:
        raw = raw.astype(np.float64)
    with np.errstate(over="ignore"):
        return Stamps(float(raw[0]) * scale, (raw - raw[0]) * scale)


def _nanoseconds(table: Table, time: str, time_unit: str) -> np.ndarray:
    assert table.stamps is not None
    dates = pd.Series(table.stamps)
    texts = isinstance(table.stamps[0], str)
    if texts and not is_date(time_unit):
        raise DataFormatError(
            f"{table.where(0)}: column {time} holds text, {table.stamps[0]!r}; pass time_unit='datetime', or write "
            "numbers."
        )
    style = (time_unit if "%" in time_unit else "ISO8601") if texts else None
    try:
        parsed = pd.to_datetime(dates, format=style, utc=True, errors="coerce")
        return pd.DatetimeIndex(parsed).as_unit("ns").asi8
    except (ValueError, TypeError, OverflowError) as error:
        raise DataFormatError(
            f"{table.path}: column {time} holds no dates ({error}): the first is {table.stamps[0]!r}."
        ) from error


def to_grid(
    table: Table, stamps: Stamps, *, time_unit: str, sampling_rate_hz: float | None, max_gap_s: float
) -> Stream:
    """Bring a table to an even rate: the one asked for, or the one that its stamps tell.

    Rows with one stamp are averaged. Holes longer than `max_gap_s` stay NaN. A label is that of the nearest row, None
    in holes.

    Raises
    ------
    DataFormatError
        If the stamps tell no rate, or have a hole that is too long for one recording.
    """
    kept, since_s, values = _distinct(table, stamps.since_s)
    rows_hz = _uneven_rate(stamps.since_s, since_s)
    _check_rate(table, rows_hz, time_unit)
    _check_length(table, kept, since_s, sampling_rate_hz or rows_hz)
    times = _taken(since_s, values, rows_hz, time_unit, max_gap_s)
    rate_hz = sampling_rate_hz or _nominal(times.rate_hz, _EVEN_RATE if times.even else _UNEVEN_RATE)
    grid_s, even = resample(
        values,
        times.taken_s,
        rate_hz,
        cutoff_hz="auto" if sampling_rate_hz else None,
        # Between rows that came a millisecond apart a spline swings to several times their readings.
        order=3 if times.even else 1,
        max_gap_s=max_gap_s,
    )
    return Stream(
        even,
        rate_hz,
        round(stamps.first_s + float(times.taken_s[0]), 9),
        None if table.labels is None else _nearest(table.labels[kept], times.taken_s, grid_s, max_gap_s),
        round(times.rate_hz, 3),
        [*times.notes, *_remarks(table, kept, even, times.rate_hz, sampling_rate_hz, max_gap_s)],
    )


class _Times(NamedTuple):
    """When rows were taken, at which rate, and whether that is even but for holes."""

    taken_s: np.ndarray
    rate_hz: float
    even: bool
    notes: list[str]


def _taken(since_s: np.ndarray, values: np.ndarray, rows_hz: float, time_unit: str, max_gap_s: float) -> _Times:
    distinct_hz = _uneven_rate(since_s, since_s)
    # Sensors that take turns come close together, too, each at its own time.
    takes_turns = np.isnan(values).any(axis=1).mean() > _MANY_PARTIAL
    if are_bunched(since_s, distinct_hz, max_gap_s) and not takes_turns:
        taken_s = spread_bunches(since_s, distinct_hz, max_gap_s)
        note = (
            "rows come in bunches, so that the stamps are times of arrival; the rows were spread between them, by up "
            f"to {1000 * float(np.abs(taken_s - since_s).max()):.3g} ms. If the rows are known to be even, pass "
            "sampling_rate_hz without time."
        )
        return _Times(taken_s, _uneven_rate(taken_s, taken_s), False, [note])
    fit = regularize_timestamps(since_s, TIME_UNITS["ms"] if time_unit == "ms" else _FINEST_TICK_S)
    # A row that is late by a few milliseconds makes a finer line, of which most rows would then be lost.
    even = fit.regular and float(np.median(np.diff(since_s))) * fit.rate_hz < _MOST_LOST
    return _Times(fit.timestamps_s, fit.rate_hz, True, []) if even else _Times(since_s, rows_hz, False, [])


def _distinct(table: Table, since_s: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give the first rows of each stamp, their times, and the mean of what the rows of each hold."""
    starts = np.flatnonzero(np.concatenate([[True], since_s[1:] > since_s[:-1]]))
    if len(starts) < 2 or len(starts) < len(since_s) / 2:
        raise DataFormatError(
            f"{table.path}: {len(since_s)} rows have {len(starts)} different stamps, too few to tell when each was "
            "taken. Pass sampling_rate_hz without time if the rate is even."
        )
    values = table.values.astype(np.float64)
    if len(starts) < len(since_s):
        known = ~np.isnan(values)
        n_known = np.add.reduceat(known, starts, dtype=np.intp)
        with np.errstate(invalid="ignore"):
            values = np.add.reduceat(np.where(known, values, 0), starts) / n_known
    return starts, since_s[starts], values


def _uneven_rate(all_s: np.ndarray, distinct_s: np.ndarray) -> float:
    """Rows in the typical time of many: bunches of rows hardly change it, and rare holes not at all."""
    for since_s in (all_s, distinct_s):
        n_steps = max(1, min(_MANY_STEPS, len(since_s) // 2))
        typical_s = float(np.median(since_s[n_steps:] - since_s[:-n_steps]))
        if typical_s > 0:
            break
    return n_steps / typical_s


def _check_rate(table: Table, rate_hz: float, time_unit: str) -> None:
    low, high = _PLAUSIBLE_RATE_HZ
    if low <= rate_hz <= high:
        return
    seconds_a_unit = TIME_UNITS.get(time_unit)
    fitting = [
        repr(unit)
        for unit, seconds in TIME_UNITS.items()
        if seconds_a_unit is not None and low <= rate_hz * seconds_a_unit / seconds <= high
    ]
    advice = f"Is time_unit {' or '.join(fitting)}, not {time_unit!r}?" if fitting else "Check the stamps."
    raise DataFormatError(
        f"{table.path}: the stamps are those of {rate_hz:.4g} Hz, which no motion sensor has. {advice}"
    )


def _nominal(rate_hz: float, tolerance: float) -> float:
    """The whole number nearby, or four digits: nobody can tell more, and files of one device should agree."""
    whole = float(round(rate_hz))
    return whole if abs(rate_hz / whole - 1) <= tolerance else float(f"{rate_hz:.4g}")


def _check_length(table: Table, kept: np.ndarray, since_s: np.ndarray, rate_hz: float) -> None:
    if since_s[-1] * rate_hz > _MAX_SAMPLES_A_ROW * len(table.values) + _SPARE_SAMPLES:
        step = int(np.argmax(np.diff(since_s)))
        raise DataFormatError(
            f"{table.where(int(kept[step + 1]))}: time jumps by {since_s[step + 1] - since_s[step]:.6g} s, and most of "
            "the file would be holes: the stamp is damaged, or each stretch needs a file and a session of its own."
        )


def _nearest(labels: np.ndarray, times_s: np.ndarray, grid_s: np.ndarray, max_gap_s: float) -> np.ndarray:
    after = np.clip(np.searchsorted(times_s, grid_s), 1, len(times_s) - 1)
    nearest = after - (grid_s - times_s[after - 1] <= times_s[after] - grid_s)
    reach_s = (max_gap_s + float(np.median(np.diff(times_s)))) / 2
    found = labels[nearest]
    found[np.abs(times_s[nearest] - grid_s) > reach_s * (1 + 1e-6)] = None
    return found


def _remarks(
    table: Table, kept: np.ndarray, even: np.ndarray, source_hz: float, asked_hz: float | None, max_gap_s: float
) -> Iterator[str]:
    n_repeated = len(table.values) - len(kept)
    if n_repeated > _MANY_REPEATED * len(table.values):
        yield f"{n_repeated} of {len(table.values)} stamps repeat the one before; such rows are averaged."
    if asked_hz is not None and source_hz < _FILLED * asked_hz:
        yield (
            f"the stamps are those of {source_hz:.4g} Hz; at {asked_hz:g} Hz nothing is above {source_hz / 2:.4g} Hz."
        )
    share = float(np.isnan(even).any(axis=1).mean())
    if share > _MANY_MISSING:
        yield f"{share:.0%} of the samples have a hole longer than max_gap_s={max_gap_s:g}."
