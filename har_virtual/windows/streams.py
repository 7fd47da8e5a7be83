"""Bringing recordings to one rate, and the devices of a session into one recording."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from har_virtual.checks import check_positive
from har_virtual.exceptions import DataFormatError
from har_virtual.recording import Recording, RecordingSet
from har_virtual.signal import resample

_log = logging.getLogger(__name__)
_SAME_RATE = 1e-6
# Joined streams are shifted only by more than this part of a sample, a fifth of a millisecond at 50 Hz.
_SAME_SAMPLE = 0.01
# Two devices' copies of one label track differ a little where a label changes; more than this is another track.
_LABEL_DISAGREEMENT = 0.05


def common_rate(recordings: RecordingSet, sampling_rate_hz: float | None, hint: str = "") -> float:
    """Give the rate asked for, else the one that all recordings have; differing ones raise `DataFormatError`.

    `hint` is said with the error.
    """
    if sampling_rate_hz is not None:
        return check_positive("sampling_rate_hz", sampling_rate_hz)
    counts = Counter(recording.sampling_rate_hz for recording in recordings)
    if not _same_rate(min(counts), max(counts)):
        found = ", ".join(f"{rate:g} Hz ({count})" for rate, count in sorted(counts.items()))
        raise DataFormatError(
            f"The recordings have different sampling rates: {found}. Pass sampling_rate_hz, such as "
            f"{min(counts):g}.{hint}"
        )
    return recordings[0].sampling_rate_hz


def _same_rate(first_hz: float, second_hz: float) -> bool:
    return math.isclose(first_hz, second_hz, rel_tol=_SAME_RATE)


def resample_recording(recording: Recording, sampling_rate_hz: float, *, max_gap_s: float = 0.1) -> Recording:
    """Bring a recording to another rate, and bridge its short holes.

    Parameters
    ----------
    recording : Recording
    sampling_rate_hz : float
        On the way down `har_virtual.signal.resample` removes what the new rate cannot hold. Samples at an equal rate
        stay as they are.
    max_gap_s : float, default=0.1
        Holes up to this length are bridged, longer ones stay.

    Returns
    -------
    Recording
        Starts at the same time. Labels and annotations are those of the nearest sample.

    Raises
    ------
    DataFormatError
        If the rate is not positive or `max_gap_s` is negative.
    """
    rate = check_positive("sampling_rate_hz", sampling_rate_hz)
    if _same_rate(recording.sampling_rate_hz, rate):
        data = _bridge(recording, max_gap_s)
        return recording if data is recording.data else recording.replace(data=data)
    span_s = (len(recording) - 1) / recording.sampling_rate_hz
    return _on_grid(recording, recording.start_s, _n_samples(span_s, rate), rate, max_gap_s)


def _n_samples(span_s: float, rate: float) -> int:
    """Count the samples from 0 to span_s, both included."""
    return max(math.floor(span_s * rate + 1e-4) + 1, 0)


def _bridge(recording: Recording, max_gap_s: float) -> np.ndarray:
    if not max_gap_s >= 0:
        raise DataFormatError(f"max_gap_s must be 0 or more, not {max_gap_s!r}.")
    data, rate = recording.data, recording.sampling_rate_hz
    if max_gap_s == 0 or len(data) < 2 or not np.isnan(data).any():
        return data
    _, filled = resample(data, np.arange(len(data)) / rate, rate, max_gap_s=max_gap_s)
    return np.where(np.isnan(data), filled, data)


def _on_grid(recording: Recording, start_s: float, count: int, rate: float, max_gap_s: float) -> Recording:
    """Give `count` samples from start_s on; all must lie within the recording."""
    own_rate, size = recording.sampling_rate_hz, len(recording)
    shift_s = start_s - recording.start_s
    first = shift_s * own_rate
    nearest = np.floor(first + np.arange(count) * (own_rate / rate) + 0.5).astype(int).clip(0, max(size - 1, 0))
    if size < 2 or (_same_rate(own_rate, rate) and abs(first - round(first)) < _SAME_SAMPLE):
        data = _bridge(recording, max_gap_s)[nearest]
    else:
        stop_s = shift_s + count / rate
        times_s = np.arange(size) / own_rate
        _, data = resample(recording.data, times_s, rate, shift_s, stop_s, max_gap_s=max_gap_s)
    return recording.replace(
        data=data,
        sampling_rate_hz=rate,
        start_s=start_s,
        labels=recording.labels[nearest] if np.ndim(recording.labels) else recording.labels,
        annotations={name: track[nearest] for name, track in recording.annotations.items()},
    )


def drop_empty(X: Sequence[Any], *arrays: Sequence[Any] | None) -> tuple[Any, ...]:
    """Leave out the streams that hold nothing, because nobody was found in the video, before cross-validation.

    A step of a Pipeline must not change the number of rows: `VideoToVirtualIMU` gives such a clip a stream of no
    samples, and features of it are NaN.

    Parameters
    ----------
    X : sequence of Recording or array of shape (n_samples, n_channels)
    *arrays : sequence of as many items, or None
        Labels, groups, clips: whatever has one item a stream. A list comes back as a list, all else as an array.

    Returns
    -------
    tuple
        X as a list, then each of `arrays`, without those items. The log says which.

    Raises
    ------
    DataFormatError
        If an array has another number of items, or every stream is empty.

    Examples
    --------
    >>> import numpy as np
    >>> from har_virtual.windows import drop_empty
    >>> streams, y = drop_empty([np.ones((40, 3)), np.empty((0, 3))], ["walk", "run"])
    >>> len(streams), y
    (1, ['walk'])
    """
    kept = [number for number, stream in enumerate(X) if len(stream)]
    if not kept:
        raise DataFormatError(f"All {len(X)} streams are empty: nobody was found in any of the videos.")
    for array in arrays:
        if array is not None and len(array) != len(X):
            raise DataFormatError(f"There are {len(X)} streams, but an array with {len(array)} items beside them.")
    if len(kept) < len(X):
        empty = sorted(set(range(len(X))) - set(kept))
        _log.info("%d of %d streams are empty and left out: %s", len(empty), len(X), empty)
    return tuple(array if array is None else _take(array, kept) for array in (list(X), *arrays))


def _take(array: Sequence[Any], rows: Sequence[int]) -> list[Any] | np.ndarray:
    return [array[row] for row in rows] if isinstance(array, list) else np.asarray(array)[rows]


def join_recordings(
    recordings: Iterable[Recording], *, sampling_rate_hz: float | None = None, max_gap_s: float = 0.1
) -> Recording:
    """Merge the devices of one session into one recording over the time that they share.

    The samples of the device that starts last give the grid. Streams that lie off it by a hundredth of a sample or
    more, or have another rate, are resampled onto it.

    Parameters
    ----------
    recordings : iterable of Recording
        Of one subject, session, data set and domain, with distinct channels.
    sampling_rate_hz : float, optional
        Needed where rates differ.
    max_gap_s : float, default=0.1
        Holes up to this length are bridged, longer ones stay.

    Returns
    -------
    Recording
        Channels in the order given. Labels, and each annotation, are those of the first recording that has them.
        ``attrs["joined"]`` lists the attrs of all.

    Raises
    ------
    DataFormatError
        If the recordings are not of one session, do not overlap in time, share a channel name, have different rates
        while none is given, or disagree on over 5 % of the samples that both have labelled.
    """
    recordings = RecordingSet(recordings)
    if not len(recordings):
        raise DataFormatError("No recordings were given, so there is nothing to join.")
    for name in ("subject", "session", "dataset", "domain"):
        values = {getattr(recording, name) for recording in recordings}
        if len(values) > 1:
            raise DataFormatError(f"Only devices of one session can be joined, but {name} is one of {values}.")
    rate = common_rate(recordings, sampling_rate_hz)
    start_s = max(recording.start_s for recording in recordings)
    stop_s = min(recording.start_s + (len(recording) - 1) / recording.sampling_rate_hz for recording in recordings)
    count = _n_samples(stop_s - start_s, rate)
    if not count:
        raise DataFormatError(f"No time is common to all of {list(recordings)}; is start_s on the session's clock?")
    streams = [_on_grid(recording, start_s, count, rate, max_gap_s) for recording in recordings]
    names = dict.fromkeys(name for stream in streams for name in stream.annotations)
    return streams[0].replace(
        data=np.concatenate([stream.data for stream in streams], axis=1),
        channels=_distinct_channels(streams),
        labels=_agreed("labels", [stream.labels for stream in streams]),
        annotations={name: _agreed(name, [stream.annotations.get(name) for stream in streams]) for name in names},
        attrs={"joined": [dict(stream.attrs) for stream in streams]},
    )


def _distinct_channels(recordings: Sequence[Recording]) -> tuple[str, ...]:
    counts = Counter(channel for recording in recordings for channel in recording.channels)
    repeated = [channel for channel, count in counts.items() if count > 1]
    if repeated:
        raise DataFormatError(f"Several of the recordings to join have the channels {repeated}; rename or select some.")
    return tuple(counts)


def _agreed(name: str, tracks: Sequence[Any]) -> Any:
    """Give the first track that is there, one label or one a sample, if the others say the same."""
    first, *others = [track for track in tracks if track is not None] or [None]
    for other in others:
        one, two = np.broadcast_arrays(np.asarray(first, dtype=object), np.asarray(other, dtype=object))
        known = ~(pd.isna(one) | pd.isna(two))
        differing = np.mean((one != two)[known]) if known.any() else 0.0
        if differing > _LABEL_DISAGREEMENT:
            raise DataFormatError(
                f"The recordings to join disagree about {name} on {differing:.0%} of the samples; let only one of them "
                "have it."
            )
    return first
