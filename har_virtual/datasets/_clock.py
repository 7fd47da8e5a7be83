"""The clock of a file whose rows have a nominal rate: which sample of an even rate each row is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from har_virtual.exceptions import DataFormatError
from har_virtual.signal import regularize_timestamps

# All sensors of a file share its clock, so that a deviation that no filter or window feels is no other rate.
_SAME_RATE, _SIMILAR_RATE = 1e-3, 0.1
# The gap between two rows may be a hole; of more, most are not.
_FEW_ROWS = 2

Unit = Literal["s", "ms"]


class Clock(NamedTuple):
    """Samples of the rows, at a constant rate; the stamps are `off_s` from it at most, and may be `tolerance_s`."""

    samples: np.ndarray
    rate_hz: float
    nominal_hz: float
    start_s: float
    off_s: float
    tolerance_s: float

    @property
    def n_samples(self) -> int:
        return int(self.samples[-1]) + 1

    def remarks(self, file: str) -> Iterator[str]:
        """Say what is odd about the stamps."""
        if self.rate_hz != self.nominal_hz:
            yield (
                f"{file}: the time stamps are those of {self.rate_hz:.4f} Hz, which is taken in place of "
                f"{self.nominal_hz:g} Hz."
            )
        if self.off_s > 2 * self.tolerance_s:
            yield (
                f"{file}: the time stamps are up to {1000 * self.off_s:.0f} ms off an even rate; each row is given "
                "at the nearest instant."
            )


def read_clock(stamps: np.ndarray, path: Path, *, unit: Unit, rate_hz: float, tick_s: float, longest_s: float) -> Clock:
    """Find the even rate of stamps that were rounded: the nominal one, or the one of a line through them.

    Parameters
    ----------
    stamps : ndarray of shape (n_rows,)
        As the file has them.
    path
        The file, for messages; its first row is the first line.
    unit : {"s", "ms"}
        Of the stamps.
    rate_hz : float
        The nominal rate.
    tick_s : float
        What the stamps were rounded to.
    longest_s : float
        No file lasts so long: a damaged stamp must not ask for more memory than there is.

    Raises
    ------
    DataFormatError
        If rows are typically not one sample apart, or with the line of a stamp that is missing, does not rise by a
        sample, or lies hours after the others.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        since_s = (stamps - stamps[0]) / (1000 if unit == "ms" else 1)
        backward = np.flatnonzero(~(np.diff(since_s, prepend=-1.0) > 0))
    if backward.size:
        raise _fault(stamps, int(backward[0]), path, unit, "stamps must rise; the file is damaged")
    if since_s[-1] > longest_s:
        lacking_s = since_s[-1] - (len(stamps) - 1) / rate_hz
        why = f"a file that lacks {lacking_s:.0f} s of rows is damaged"
        raise _fault(stamps, int(np.argmax(np.diff(since_s))) + 1, path, unit, why)
    _check_step(since_s, rate_hz, path)
    # Within a quarter of a sample there is no doubt to which one a row belongs, however coarse the stamps are.
    tolerance_s = min(tick_s, 0.25 / rate_hz)
    rate = rate_hz
    if _off(since_s, rate) > tolerance_s:
        fit = regularize_timestamps(since_s, tolerance_s)
        # One stamp that is off makes a line of many times the rate, with nearly all rows missing.
        rate = fit.rate_hz if fit.regular and abs(fit.rate_hz / rate_hz - 1) < _SIMILAR_RATE else rate_hz
    samples = np.rint(since_s * rate).astype(np.intp)
    close = np.flatnonzero(np.diff(samples) < 1)
    if close.size:
        why = f"rows are closer than at {rate_hz:g} Hz; the file is damaged"
        raise _fault(stamps, int(close[0]) + 1, path, unit, why)
    known_rate = rate_hz if abs(rate / rate_hz - 1) < _SAME_RATE else rate
    start_s = float(stamps[0]) / (1000 if unit == "ms" else 1)
    return Clock(samples, known_rate, rate_hz, start_s, _off(since_s, rate), tolerance_s)


def _check_step(since_s: np.ndarray, rate_hz: float, path: Path) -> None:
    """Refuse rows that are typically not one sample apart."""
    if len(since_s) <= _FEW_ROWS:
        return
    # Of two medians the lower one: holes lengthen steps.
    step_s = float(np.quantile(np.diff(since_s), 0.5, method="lower"))
    if abs(step_s * rate_hz - 1) > _SIMILAR_RATE:
        raise DataFormatError(
            f"{path}: rows are typically {1000 * step_s:.4g} ms apart, where {1000 / rate_hz:.4g} are right: a file of "
            f"{1 / step_s:.4g} Hz is another than the published one of {rate_hz:g} Hz, or its stamps are damaged."
        )


def _off(since_s: np.ndarray, rate_hz: float) -> float:
    exact = since_s * rate_hz
    return float(np.abs(exact - np.rint(exact)).max()) / rate_hz


def _fault(stamps: np.ndarray, row: int, path: Path, unit: Unit, why: str) -> DataFormatError:
    before = f" after {_text(stamps[row - 1], unit)}" if row else ""
    return DataFormatError(f"{path}, line {row + 1}: the time stamp is {_text(stamps[row], unit)}{before}; {why}.")


def _text(stamp: float, unit: Unit) -> str:
    return f"{stamp} s" if unit == "s" else f"{stamp:g} ms"
