"""Augmentations that change when things happen: time warped, a part stretched, segments in another order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from har_virtual.augmentation._base import WindowAugmentation, check_between, read_at
from har_virtual.augmentation._curves import CurveAugmentation, spline_basis
from har_virtual.checks import check_count, check_positive
from har_virtual.exceptions import DataFormatError

# Shortest duration of a step between two samples, before all steps are scaled to fill the window.
_SHORTEST_STEP = 0.1


@dataclass(frozen=True)
class TimeWarp(CurveAugmentation):
    """Show parts of a window faster, others slower; its first and last sample stay.

    The steps between samples take durations that a smooth random curve around 1 gives, scaled so that they fill the
    window; the samples so moved are read at even times, linearly interpolated. All channels share one curve.

    Parameters
    ----------
    sigma : float, default=0.2
        Standard deviation of the curve's knots, which are normal around 1.
    n_knots : int, default=4
        Knots between the first sample and the last, which are knots, too; a cubic spline goes through all of them.
    p : float, default=1.0
        Probability with which a window is changed.

    Notes
    -----
    The code of Um et al., 2017 (see `Jitter`), warps each axis by a curve of its own, which tears a vector's axes apart
    in time, and lets the first sample go; here neither happens. A duration below 0.1 counts as 0.1, lest time run
    backwards. A window of one or two samples stays as it is.

    The values stay, only their times change. In a real motion twice as fast the linear acceleration is four times as
    large, the angular velocity twice: `augment_motions` does that.

    Examples
    --------
    >>> import numpy as np
    >>> from har_virtual.augmentation import TimeWarp
    >>> ramp = np.arange(31.0).reshape(1, 31, 1)
    >>> TimeWarp()(ramp, np.random.default_rng(0))[0, ::10, 0].round(1).tolist()
    [0.0, 9.6, 20.7, 30.0]
    """

    def _augment(self, X: np.ndarray, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        n_samples = X.shape[1]
        if n_samples < 3:
            return X[rows]
        knots = rng.normal(1.0, self.sigma, size=(len(rows), self.n_knots + 2))
        durations = knots @ spline_basis(n_samples, self.n_knots).T
        return read_at(X[rows], _positions(np.maximum(durations[:, 1:], _SHORTEST_STEP)))


def _positions(durations: np.ndarray) -> np.ndarray:
    """Where in the old window each sample of the new one is read, (n_windows, n_steps + 1), in samples."""
    n_windows, n_steps = durations.shape
    times = np.zeros((n_windows, n_steps + 1))
    np.cumsum(durations, axis=1, out=times[:, 1:])
    times *= n_steps / times[:, -1:]
    # One after the other the windows are one rising curve, which a single interpolation inverts.
    start = (n_steps + 1) * np.arange(n_windows)[:, np.newaxis]
    even = np.arange(times.size, dtype=np.float64)
    read = np.interp(even, (times + start).ravel(), even)
    return np.clip(read.reshape(times.shape) - start, 0, n_steps)


@dataclass(frozen=True)
class Crop(WindowAugmentation):
    """Cut out a part of a window at a random place, and stretch it to the whole window.

    Parameters
    ----------
    fraction : float, default=0.9
        Length of the part as a share of the window's, over 0 to 1.
    p : float, default=1.0
        Probability with which a window is changed.

    Notes
    -----
    Um et al., 2017 (see `Jitter`), name cropping among their seven augmentations, so that nothing depends on where in
    the window an event is, without saying by how much. A network needs windows of one length, hence the stretching, by
    linear interpolation; it slows the motion by `fraction`, without lessening its accelerations.

    Examples
    --------
    >>> import numpy as np
    >>> from har_virtual.augmentation import Crop
    >>> ramp = np.arange(31.0).reshape(1, 31, 1)
    >>> Crop(0.8)(ramp, np.random.default_rng(0))[0, ::10, 0].round(1).tolist()
    [1.6, 9.6, 17.6, 25.6]
    """

    fraction: float = 0.9

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive("fraction", self.fraction)
        self._set("fraction", check_between("fraction", self.fraction, 0.0, 1.0))

    def _augment(self, X: np.ndarray, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        last = X.shape[1] - 1
        start = rng.uniform(0.0, (1.0 - self.fraction) * last, size=(len(rows), 1))
        positions = start + self.fraction * np.arange(last + 1)
        return read_at(X[rows], np.minimum(positions, last))


@dataclass(frozen=True)
class Permutation(WindowAugmentation):
    """Cut a window into segments at random places, and put them together in a random order.

    Parameters
    ----------
    n_segments : int, default=4
        A window with fewer samples has as many segments as samples.
    min_segment_samples : int, optional
        Least samples in a segment. By default half of a segment's share, n_samples // (2 n_segments), at least one.
    p : float, default=1.0
        Probability with which a window is changed.

    Raises
    ------
    DataFormatError
        When called: if the windows are too short for `n_segments` of `min_segment_samples`.

    Notes
    -----
    The cuts share out the samples beyond the least lengths, each cut drawn evenly and by itself. Um et al., 2017 (see
    `Jitter`), ask for segments of over 10 samples, for which a window of 30 has no room: their code never ends there.
    The order may be the old one, one time in 24 for four segments.

    Examples
    --------
    >>> import numpy as np
    >>> from har_virtual.augmentation import Permutation
    >>> ramp = np.arange(9).reshape(1, 9, 1)
    >>> Permutation(3)(ramp, np.random.default_rng(0)).ravel().astype(int).tolist()
    [5, 6, 7, 8, 2, 3, 4, 0, 1]
    """

    n_segments: int = 4
    min_segment_samples: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_count("n_segments", self.n_segments, 2)
        self._set("n_segments", int(self.n_segments))
        if self.min_segment_samples is not None:
            check_count("min_segment_samples", self.min_segment_samples, 1)
            self._set("min_segment_samples", int(self.min_segment_samples))

    def _augment(self, X: np.ndarray, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        n_windows, n_samples = len(rows), X.shape[1]
        n_segments, least = self._layout(n_samples)
        spare = rng.integers(0, n_samples - n_segments * least, size=(n_windows, n_segments - 1), endpoint=True)
        cuts = np.sort(spare, axis=1) + least * np.arange(1, n_segments)
        starts = np.zeros((n_windows, n_samples), dtype=np.intp)
        np.put_along_axis(starts, cuts, 1, axis=1)
        segment = starts.cumsum(axis=1)
        place = rng.permuted(np.tile(np.arange(n_segments), (n_windows, 1)), axis=1)
        order = np.argsort(np.take_along_axis(place, segment, axis=1), axis=1, kind="stable")
        return X[rows[:, np.newaxis], order]

    def _layout(self, n_samples: int) -> tuple[int, int]:
        """Give the number of segments, and the least samples in one."""
        if self.min_segment_samples is None:
            return min(self.n_segments, n_samples), max(n_samples // (2 * self.n_segments), 1)
        if n_samples < self.n_segments * self.min_segment_samples:
            raise DataFormatError(
                f"A window of {n_samples} samples has no room for {self.n_segments} segments of at least "
                f"{self.min_segment_samples}: lower n_segments or min_segment_samples."
            )
        return self.n_segments, self.min_segment_samples
