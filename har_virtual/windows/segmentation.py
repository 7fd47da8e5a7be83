"""Cutting recordings into windows: done here and nowhere else, so that each gets its subject, label and domain."""

from __future__ import annotations

import logging
import warnings
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view

from har_virtual.checks import check_positive
from har_virtual.exceptions import DataFormatError, DataWarning, SamplingRateWarning, UnknownNameError
from har_virtual.recording import Recording, RecordingSet
from har_virtual.windows.streams import common_rate, resample_recording
from har_virtual.windows.window_set import COPY_OF, METADATA_COLUMNS, WindowSet

LabelRule = Literal["majority", "last", "center", "drop-mixed"]

_log = logging.getLogger(__name__)
_RULES = ("majority", "last", "center", "drop-mixed")
_UPSAMPLING = 1.05


def segment_recordings(
    recordings: Iterable[Recording],
    window_length_s: float,
    overlap: float = 0.5,
    *,
    sampling_rate_hz: float | None = None,
    channels: Sequence[str] | None = None,
    label: str | None = None,
    label_rule: LabelRule = "majority",
    drop_labels: Collection[Any] = (),
    tracks: Sequence[str] = (),
    max_gap_s: float = 0.1,
) -> WindowSet:
    """Cut recordings into windows of equal length. No window crosses the border of a recording.

    A window has ``round(window_length_s * rate)`` samples, and the next one starts
    ``max(1, round(n_samples * (1 - overlap)))`` samples later. Windows with a NaN and windows without a label are
    dropped; ``attrs`` of the result and the log say how many.

    Parameters
    ----------
    recordings : iterable of Recording
        Real and virtual ones together, of any rates.
    window_length_s : float
    overlap : float, default=0.5
        Part of a window that the next one shares, in [0, 1).
    sampling_rate_hz : float, optional
        Rate of the windows; needed where the recordings' rates differ. Recordings of another rate are resampled, with
        an anti-aliasing filter on the way down; their labels go to the nearest sample.
    channels : sequence of str, optional
        Default: those that all recordings share, in the order of the first real one.
    label : str, optional
        Annotation that gives y. Default: the recordings' labels. Without any label y is None.
    label_rule : {"majority", "last", "center", "drop-mixed"}, default="majority"
        "majority": the most frequent label in the window; among equals the one that occurs last. "last": that of the
        last sample, as the authors of IMUTube do. "center": that of the sample in the middle, of two the later one, as
        the authors of MM-Fit do. "drop-mixed": windows with more than one label are dropped. A missing label counts as
        a label of its own.
    drop_labels : collection, optional
        Windows that get one of these labels are dropped: null classes.
    tracks : sequence of str, optional
        Annotations to carry along as columns of metadata, by `label_rule` (for "drop-mixed": the majority). They drop
        no window; where a recording has no such annotation the value is missing.
    max_gap_s : float, default=0.1
        Holes up to this length are bridged by a spline, longer ones never; 0 bridges none.

    Returns
    -------
    WindowSet
        In the order of the recordings and of time. ``attrs`` counts windows (dropped_nan, dropped_mixed,
        dropped_unlabelled, dropped_label) and recordings too short for one window (too_short). Where recordings are of
        motions that `har_virtual.augmentation.augment_motions` copied, metadata have copy_of.

    Raises
    ------
    DataFormatError
        If rates differ and none is given, no channel is shared, labels are text here and numbers there, a parameter
        is out of its range, or no window is left.
    UnknownNameError
        If a recording lacks one of `channels` or the annotation `label`, or all lack one of `tracks`.

    Warns
    -----
    SamplingRateWarning
        If a recording's rate is more than 5 % below the rate of the windows.
    DataWarning
        If a subject has virtual recordings with a data set and real ones without, or the reverse.

    Examples
    --------
    >>> import numpy as np
    >>> from har_virtual import Recording, segment_recordings
    >>> names = [f"left_wrist_acc_{axis}" for axis in "xyz"]
    >>> watch = Recording(np.ones((100, 3)), 50, names, subject="1", labels="walk")
    >>> video = Recording(np.ones((90, 3)), 30, names, subject="2", labels="run", domain="virtual")
    >>> windows = segment_recordings([watch, video], window_length_s=1.0, sampling_rate_hz=30)
    >>> windows.X.shape, windows.sample_domain.tolist()
    ((8, 30, 3), [0, 0, 0, 1, 1, 1, 1, 1])
    """
    recordings = RecordingSet(recordings)
    if not len(recordings):
        raise DataFormatError("No recordings were given, so there is nothing to cut.")
    if label_rule not in _RULES:
        raise DataFormatError(f"label_rule must be one of {_RULES}, not {label_rule!r}.")
    if not 0 <= overlap < 1:
        raise DataFormatError(f"overlap must be in [0, 1), a part of the window such as 0.5, not {overlap!r}.")
    rate = common_rate(recordings, sampling_rate_hz, _device_hint(recordings))
    length = round(check_positive("window_length_s", window_length_s) * rate)
    if length < 1:
        raise DataFormatError(f"A window of {window_length_s} s has no sample at {rate:g} Hz; lengthen it.")
    channels = [channels] if isinstance(channels, str) else channels
    _warn_of_namesakes(recordings)
    cutter = _Cutter(
        length=length,
        step=max(1, round(length * (1 - overlap))),
        rate=rate,
        channels=_shared_channels(recordings) if channels is None else tuple(channels),
        label=label,
        labelled=any(r.labels is not None if label is None else r.track(label) is not None for r in recordings),
        rule=label_rule,
        drop=frozenset([drop_labels] if isinstance(drop_labels, str) else drop_labels),
        tracks=_check_tracks(recordings, tracks),
        max_gap_s=max_gap_s,
    )
    _warn_of_upsampling(recordings, rate)
    return cutter.assemble(recordings, [cutter.cut(recording) for recording in recordings])


class _Cut(NamedTuple):
    """The windows that stay of one recording."""

    data: np.ndarray
    starts: np.ndarray
    labels: np.ndarray
    tracks: dict[str, np.ndarray]
    counts: Counter


@dataclass(frozen=True)
class _Cutter:
    """The settings of one call of segment_recordings; lengths in samples."""

    length: int
    step: int
    rate: float
    channels: tuple[str, ...]
    label: str | None
    labelled: bool
    rule: str
    drop: frozenset
    tracks: tuple[str, ...]
    max_gap_s: float

    def cut(self, recording: Recording) -> _Cut:
        """Resample one recording and find the windows to keep."""
        if recording.channels != self.channels:
            recording = recording.select(self.channels)
        recording = resample_recording(recording, self.rate, max_gap_s=self.max_gap_s)
        starts = np.arange(0, len(recording) - self.length + 1, self.step)
        holes = np.concatenate([[0], np.cumsum(np.isnan(recording.data).any(axis=1))])
        why = {"dropped_nan": holes[starts + self.length] > holes[starts]}
        labels = np.empty(len(starts), dtype=object)
        if self.labelled:
            labels, mixed = self._label(recording.track(self.label), starts)
            why["dropped_mixed"] = mixed & (self.rule == "drop-mixed")
            why["dropped_unlabelled"] = pd.isna(labels)
            why["dropped_label"] = pd.Series(labels, dtype=object).isin(list(self.drop)).to_numpy()
        keep, counts = np.ones(len(starts), dtype=bool), Counter(too_short=int(len(starts) == 0))
        for reason, drop in why.items():
            counts[reason] = int(np.sum(keep & drop))
            keep &= ~drop
        found = {name: self._label(recording.annotations.get(name), starts[keep])[0] for name in self.tracks}
        return _Cut(recording.data, starts[keep], labels[keep], found, counts)

    def _label(self, values: np.ndarray | None, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give the label of each window (object, None where missing) and whether it holds several."""
        if values is None or not len(starts):
            return np.full(len(starts), None, dtype=object), np.zeros(len(starts), dtype=bool)
        codes, names = pd.factorize(values)
        names = np.array([*names, None], dtype=object)
        codes[codes < 0] = len(names) - 1
        changes = np.concatenate([[0], np.cumsum(codes[1:] != codes[:-1])])
        stops = starts + self.length - 1
        mixed = changes[stops] > changes[starts]
        chosen = codes[starts + self.length // 2 if self.rule == "center" else stops]
        if self.rule not in ("last", "center") and mixed.any():
            chosen[mixed] = _majority(sliding_window_view(codes, self.length)[starts[mixed]], len(names))
        return names[chosen], mixed

    def assemble(self, recordings: RecordingSet, cuts: Sequence[_Cut]) -> WindowSet:
        """Copy the windows of all recordings into one array."""
        counts = dict.fromkeys(["dropped_nan", "dropped_mixed", "dropped_unlabelled", "dropped_label", "too_short"], 0)
        counts |= sum((cut.counts for cut in cuts), Counter())
        stops = np.cumsum([len(cut.starts) for cut in cuts])
        summary = ", ".join(f"{reason}: {count}" for reason, count in counts.items())
        _log.info("%d windows of %d recordings (%s)", stops[-1], len(recordings), summary)
        if not stops[-1]:
            raise DataFormatError(
                f"No window of {self.length / self.rate:g} s is left of {len(recordings)} recordings ({summary}; "
                f"too_short counts recordings, the longest has {max(r.duration_s for r in recordings):g} s)."
            )
        X = np.empty((stops[-1], self.length, len(self.channels)), dtype=np.float32)
        for cut, stop in zip(cuts, stops, strict=True):
            if len(cut.starts):
                windows = sliding_window_view(cut.data, self.length, axis=0).transpose(0, 2, 1)
                X[stop - len(cut.starts) : stop] = windows[cut.starts]
        X.flags.writeable = False
        y = np.concatenate([cut.labels for cut in cuts]) if self.labelled else None
        attrs = {**counts, "window_length_s": self.length / self.rate, "window_step_s": self.step / self.rate}
        return WindowSet(X, y, self._metadata(recordings, cuts), self.channels, self.rate, attrs)

    def _metadata(self, recordings: RecordingSet, cuts: Sequence[_Cut]) -> pd.DataFrame:
        number = np.repeat(np.arange(len(cuts)), [len(cut.starts) for cut in cuts])
        fields = {"subject": "group", "dataset": "dataset", "session": "session", "domain": "domain"}
        columns = {
            column: np.array([getattr(recording, name) for recording in recordings], dtype=object)[number]
            for column, name in fields.items()
        }
        start_s = np.array([r.start_s for r in recordings])[number]
        start_s += np.concatenate([cut.starts for cut in cuts]) / self.rate
        columns |= {"recording": number, "start_s": start_s, "stop_s": start_s + self.length / self.rate}
        sources = np.array([_source(recording) for recording in recordings], dtype=object)
        if any(source is not None for source in sources):
            columns[COPY_OF] = sources[number]
        for name in self.tracks:
            columns[name] = np.concatenate([cut.tracks[name] for cut in cuts]).tolist()
        return pd.DataFrame(columns)


def _source(recording: Recording) -> str | None:
    """Say of what motion augment_motions made the one that was simulated; None if it is no copy."""
    for attrs in (recording.attrs, *recording.attrs.get("joined", ())):
        done = attrs.get("augmentation")
        if isinstance(done, Mapping) and "source" in done:
            return str(done["source"])
    return None


def _majority(codes: np.ndarray, n_names: int) -> np.ndarray:
    """Give the most frequent code of each row (n, length); among equals the one that occurs last."""
    rows, length = np.arange(len(codes))[:, None], codes.shape[1]
    counts = np.bincount((rows * n_names + codes).ravel(), minlength=len(codes) * n_names).reshape(-1, n_names)
    latest = np.zeros_like(counts)
    np.maximum.at(latest, (rows, codes), np.arange(length))
    return np.argmax(counts * length + latest, axis=1)


def _device_hint(recordings: RecordingSet) -> str:
    """What to do first where a session has several devices, each with channels of its own."""
    devices: dict[tuple[str | None, ...], set[tuple[str, ...]]] = {}
    for recording in recordings:
        session = (recording.dataset, recording.subject, recording.session, recording.domain)
        devices.setdefault(session, set()).add(tuple(recording.channels))
    if all(len(channels) == 1 for channels in devices.values()):
        return ""
    return " Join the devices of each session first, with har_virtual.windows.join_sessions, or select one of them."


def _shared_channels(recordings: RecordingSet) -> tuple[str, ...]:
    first = next((recording for recording in recordings if recording.domain == "real"), recordings[0])
    shared = set.intersection(*(set(recording.channels) for recording in recordings))
    if not shared:
        examples = {recording.channels: recording for recording in recordings}.values()
        raise DataFormatError(
            "No channel is common to all recordings; rename or drop some, or merge the devices of each session with "
            f"har_virtual.windows.join_sessions: {'; '.join(map(repr, examples))}."
        )
    others = sorted(set().union(*(recording.channels for recording in recordings)) - shared)
    channels = tuple(channel for channel in first.channels if channel in shared)
    _log.info("channels: %s (all recordings have them); left out: %s", ", ".join(channels), ", ".join(others) or "none")
    return channels


def _check_tracks(recordings: RecordingSet, tracks: Sequence[str]) -> tuple[str, ...]:
    known = sorted(set().union(*(recording.annotations for recording in recordings)))
    unknown = [name for name in tracks if name not in known]
    if unknown:
        raise UnknownNameError(f"No recording has annotations {unknown}; there are {', '.join(known) or 'none'}.")
    taken = [name for name in tracks if name in (*METADATA_COLUMNS, COPY_OF)]
    if taken:
        raise DataFormatError(f"tracks {taken} are named like columns that metadata always have; rename them first.")
    return tuple(tracks)


def _warn_of_namesakes(recordings: RecordingSet) -> None:
    """A virtual person without a data set beside a real one of that name is probably the same, but in another group."""
    groups: dict[str, dict[str | None, set[str]]] = {"real": {}, "virtual": {}}
    for recording in recordings:
        groups[recording.domain].setdefault(recording.subject, set()).add(recording.group)
    for subject, virtual in groups["virtual"].items():
        real = groups["real"].get(subject, virtual)
        if subject is not None and not virtual & real and subject in virtual | real:
            warnings.warn(
                f"Virtual recordings of {subject} have the group {sorted(virtual)}, real ones {sorted(real)}. If they "
                "are one person, give both the same dataset, or the person is trained on when tested; else, different "
                "ones.",
                DataWarning,
                stacklevel=3,
            )


def _warn_of_upsampling(recordings: RecordingSet, rate: float) -> None:
    slow = [recording.sampling_rate_hz for recording in recordings if rate > _UPSAMPLING * recording.sampling_rate_hz]
    if slow:
        warnings.warn(
            f"{len(slow)} of {len(recordings)} recordings have a lower rate than the windows' {rate:g} Hz, the lowest "
            f"{min(slow):g} Hz: above {min(slow) / 2:g} Hz their windows hold nothing. Prefer the lowest rate.",
            SamplingRateWarning,
            stacklevel=3,
        )
