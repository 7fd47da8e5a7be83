"""The clock of an Opportunity run: which sample of an even rate each row of the file is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from har_virtual.exceptions import DataFormatError
from har_virtual.signal import regularize_timestamps

RATE_HZ = 30.0
_TICK_S = 1e-3
# All sensors of a run share its clock, so that a deviation that no filter or window feels is no other rate.
_SAME_RATE, _SIMILAR_RATE = 1e-3, 0.1
# A damaged stamp must not ask for more memory than there is; the runs last up to half an hour.
_LONGEST_RUN_S = 3 * 3600.0


class Clock(NamedTuple):
    """Samples of the rows, at a constant rate; `off_s` is how far the stamps are from it at most."""

    samples: np.ndarray
    rate_hz: float
    start_s: float
    off_s: float

    @property
    def n_samples(self) -> int:
        return int(self.samples[-1]) + 1

    def remarks(self, file: str) -> Iterator[str]:
        """Say what is odd about the stamps."""
        if self.rate_hz != RATE_HZ:
            yield f"{file}: the time stamps are those of {self.rate_hz:.4f} Hz, which is taken in place of 30 Hz."
        if self.off_s > 2 * _TICK_S:
            yield (
                f"{file}: the time stamps are up to {1000 * self.off_s:.0f} ms off an even rate; each row is given "
                "at the nearest instant."
            )


def read_clock(stamps_ms: np.ndarray, path: Path) -> Clock:
    """Find the even rate of stamps that were rounded to milliseconds: 30 Hz, or the one of a line through them.

    Raises
    ------
    DataFormatError
        Names the line of a stamp that is missing, does not rise by a sample, or lies hours after the others.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        backward = np.flatnonzero(~(np.diff(stamps_ms, prepend=-np.inf) > 0))
        since_s = (stamps_ms - stamps_ms[0]) / 1000
    if backward.size:
        raise _fault(stamps_ms, int(backward[0]), path, "stamps must rise; the file is damaged")
    if since_s[-1] > _LONGEST_RUN_S:
        raise _fault(stamps_ms, int(np.argmax(np.diff(since_s))) + 1, path, "no run is so long; the file is damaged")
    rate = RATE_HZ
    if _off(since_s, rate) > _TICK_S:
        fit = regularize_timestamps(since_s, _TICK_S)
        # One stamp that is off makes a line of many times the rate, with nearly all rows missing.
        rate = fit.rate_hz if fit.regular and abs(fit.rate_hz / RATE_HZ - 1) < _SIMILAR_RATE else RATE_HZ
    samples = np.rint(since_s * rate).astype(np.intp)
    close = np.flatnonzero(np.diff(samples) < 1)
    if close.size:
        raise _fault(stamps_ms, int(close[0]) + 1, path, "rows are closer than at 30 Hz; this is another file")
    known_rate = RATE_HZ if abs(rate / RATE_HZ - 1) < _SAME_RATE else rate
    return Clock(samples, known_rate, float(stamps_ms[0]) / 1000, _off(since_s, rate))


def _off(since_s: np.ndarray, rate_hz: float) -> float:
    exact = since_s * rate_hz
    return float(np.abs(exact - np.rint(exact)).max()) / rate_hz


def _fault(stamps_ms: np.ndarray, row: int, path: Path, why: str) -> DataFormatError:
    before = f" after {stamps_ms[row - 1]:g} ms" if row else ""
    return DataFormatError(f"{path}, line {row + 1}: the time stamp is {stamps_ms[row]:g} ms{before}; {why}.")
