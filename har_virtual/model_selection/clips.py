"""Split rows by clip, as a network is pretrained on virtual data: training, validation and test rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Integral

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_consistent_length

from har_virtual.checks import is_finite_number
from har_virtual.exceptions import DataFormatError
from har_virtual.model_selection.splitters import _check_column


def split_clips(
    clips: ArrayLike,
    y: ArrayLike,
    fractions: Sequence[float] = (0.8, 0.1, 0.1),
    *,
    random_state: int | np.random.Generator | None = None,
) -> tuple[np.ndarray, ...]:
    """Split rows into parts, all rows of a clip into one and each class by the fractions as far as that goes.

    Windows of one clip overlap, or show one person in one minute; on two sides of a split they would be no test of
    anything. Clips are drawn in turn, those of the rarest class first, and each goes where its class lacks most rows.

    Parameters
    ----------
    clips : array-like of shape (n_rows,)
        What each row was cut from: `WindowSet.clips`.
    y : array-like of shape (n_rows,)
        Labels; a clip may have several.
    fractions : sequence of float, default=(0.8, 0.1, 0.1)
        Share of each part, 1 in sum. The first part trains.
    random_state : int or Generator, optional
        Of the draw.

    Returns
    -------
    tuple of ndarray
        Positions of the rows of each part, ascending. A class that only one clip has trains. A part with a share is
        empty only where no other can spare a clip: the first keeps one of every class, each other one at least.

    Raises
    ------
    DataFormatError
        If clips or labels are missing, there are no rows, the fractions are not such, or `random_state` is no seed.
    ValueError
        If clips and labels are of different length.

    Examples
    --------
    >>> import numpy as np
    >>> from har_virtual.model_selection import split_clips
    >>> clips = np.repeat(np.arange(20), 3)
    >>> labels = np.where(clips < 10, "sit", "walk")
    >>> train, validation, test = split_clips(clips, labels, random_state=0)
    >>> len(train), len(validation), len(test)
    (48, 6, 6)
    >>> sorted(labels[test].tolist())
    ['sit', 'sit', 'sit', 'walk', 'walk', 'walk']
    """
    shares = _check_fractions(fractions)
    clips = _check_column("clips", clips, "all rows of a clip go into one part")
    labels = _check_column("y", y, "each class is split by the fractions")
    check_consistent_length(clips, labels)
    if not len(clips):
        raise DataFormatError("There are no rows to split.")
    if random_state is not None and not isinstance(random_state, Integral | np.random.Generator):
        raise DataFormatError(f"random_state must be an int, a numpy Generator or None, not {random_state!r}.")
    clip = np.unique(clips, return_inverse=True)[1]
    counts = np.zeros((clip.max() + 1, len(np.unique(labels))), int)
    np.add.at(counts, (clip, np.unique(labels, return_inverse=True)[1]), 1)
    part = _assign(counts, shares, np.random.default_rng(random_state))
    _fill_empty(part, counts, shares)
    return tuple(np.flatnonzero(part[clip] == number) for number in range(len(shares)))


def _check_fractions(fractions: Sequence[float]) -> np.ndarray:
    shares = list(fractions) if isinstance(fractions, Iterable) else []
    if not all(is_finite_number(share) and share >= 0 for share in shares) or not np.isclose(sum(shares), 1):
        raise DataFormatError(f"fractions must be shares of 0 or more, 1 in sum; they are {fractions!r}.")
    if not shares[0]:
        raise DataFormatError(f"The first part trains, and needs a share; fractions are {fractions!r}.")
    return np.array(shares, dtype=float)


def _assign(counts: np.ndarray, shares: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Give each clip's part: that which lacks most rows of the clip's rarest class, and most rows at all among such.

    The first clip of each class goes to the first part.
    """
    lacking = shares[:, None] * counts.sum(axis=0)
    part = np.full(len(counts), -1)
    trains = np.zeros(counts.shape[1], dtype=bool)
    drawn = rng.permutation(len(counts))
    for label in np.argsort((counts > 0).sum(axis=0), kind="stable"):
        for clip in drawn[counts[drawn, label] > 0]:
            if part[clip] < 0:
                order = np.lexsort((-lacking.sum(axis=1), -lacking[:, label].round(9)))
                part[clip] = order[0] if trains[label] else 0
                lacking[part[clip]] -= counts[clip]
                if part[clip] == 0:
                    trains |= counts[clip] > 0
    return part


def _fill_empty(part: np.ndarray, counts: np.ndarray, shares: np.ndarray) -> None:
    """Move the smallest clip that can be spared to each empty part."""
    for number in np.flatnonzero(shares):
        if number in part:
            continue
        spare = _find_spare(part, counts)
        if len(spare):
            part[spare[counts[spare].sum(axis=1).argmin()]] = number


def _find_spare(part: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Find clips of the first part that leave it all classes; failing that, clips of other parts that have several."""
    first = np.flatnonzero(part == 0)
    left = counts[first].sum(axis=0) - counts[first]
    spare = first[(left > 0).all(axis=1)]
    if len(spare):
        return spare
    several = np.bincount(part) > 1
    return np.flatnonzero((part > 0) & several[part])
