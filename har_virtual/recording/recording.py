"""Recording: the stream of one device. Data only."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from har_virtual.checks import check_positive, is_finite_number
from har_virtual.exceptions import DataFormatError, DataWarning, UnknownNameError
from har_virtual.recording import storage
from har_virtual.recording.doubts import find_doubts, rate_doubts
from har_virtual.recording.tracks import as_track, read_only
from har_virtual.recording.units import channel_quantity, unit_scale

RESERVED_COLUMNS = ("time_s", "label")
"""Columns of a recording's table that are neither channel nor annotation."""


@dataclass(frozen=True, eq=False)
class Recording:
    """The stream of one device in one session, at one uniform sampling rate.

    Accelerations are specific forces in m/s2, angular velocities rad/s, magnetic fields uT, in the frame of the sensor.
    Arrays are read-only. NaN marks a hole.

    Parameters
    ----------
    data : array of shape (n_samples, n_channels)
        Kept as float32.
    sampling_rate_hz : float
    channels : sequence of str
        Named ``<site>_<acc|gyr|mag>_<x|y|z>``, such as ``left_wrist_acc_x``.
    start_s : float, default=0.0
        Time of the first sample on the clock of its session.
    subject, session, dataset : str, optional
        Anything else, such as a number, becomes text.
    labels : scalar or array of shape (n_samples,), optional
        Activity, one for all samples or one a sample; None marks what is unlabelled.
    annotations : mapping of str to array of shape (n_samples,), optional
        Further label tracks, named unlike any channel and neither "label" nor "time_s".
    domain : {"real", "virtual"}, default="real"
    attrs : mapping, optional
        Provenance and quality, JSON-compatible values.

    Raises
    ------
    DataFormatError
        If shapes, lengths or names do not fit together.

    Examples
    --------
    >>> import numpy as np
    >>> from har_virtual import Recording
    >>> names = [f"left_wrist_acc_{axis}" for axis in "xyz"]
    >>> still = Recording(np.tile([0, 0, 9.81], (100, 1)), sampling_rate_hz=50, channels=names, subject="1")
    >>> still.duration_s, still.data.shape
    (2.0, (100, 3))
    """

    data: np.ndarray
    sampling_rate_hz: float
    channels: Sequence[str]
    start_s: float = 0.0
    subject: str | None = None
    session: str | None = None
    labels: Any = None
    annotations: Mapping[str, np.ndarray] = field(default_factory=dict)
    domain: Literal["real", "virtual"] = "real"
    dataset: str | None = None
    attrs: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        with np.errstate(over="ignore"):
            data = read_only(self.data, np.float32)
        channels = tuple(self.channels)
        self._check(data, channels)
        rate = check_positive(f"{self._where()}: sampling_rate_hz", self.sampling_rate_hz)
        fields = {"data": data, "channels": channels, "sampling_rate_hz": rate, "start_s": float(self.start_s)}
        fields |= {k: str(v) for k in ("subject", "session", "dataset") if (v := getattr(self, k)) is not None}
        fields["attrs"] = dict(self.attrs)
        for name, value in fields.items():
            object.__setattr__(self, name, value)
        labels = self._track("labels", self.labels) if np.ndim(self.labels) else _plain(self.labels)
        object.__setattr__(self, "labels", labels)
        object.__setattr__(self, "annotations", {k: self._track(k, v) for k, v in self.annotations.items()})

    def _check(self, data: np.ndarray, channels: tuple[str, ...]) -> None:
        if data.ndim != 2 or data.shape[1] != len(channels):
            raise DataFormatError(
                f"{self._where()}: data of shape (n_samples, {len(channels)}) are needed for channels {channels}, "
                f"not {data.shape}."
            )
        if np.isinf(data).any():
            raise DataFormatError(f"{self._where()}: data have infinite values; a hole is marked by NaN.")
        if self.domain not in ("real", "virtual"):
            raise DataFormatError(f"{self._where()}: domain must be 'real' or 'virtual', not {self.domain!r}.")
        if not is_finite_number(self.start_s):
            raise DataFormatError(f"{self._where()}: start_s must be a finite number, not {self.start_s!r}.")
        names = [*channels, *self.annotations]
        if len({*names, *RESERVED_COLUMNS}) < len(names) + len(RESERVED_COLUMNS):
            raise DataFormatError(
                f"{self._where()}: channels and annotations need distinct names, none of them "
                f"{' or '.join(RESERVED_COLUMNS)}; they are {names}."
            )

    def _where(self) -> str:
        name = "/".join(str(part) for part in (self.dataset, self.subject, self.session) if part is not None)
        return f"Recording {name}" if name else "Recording"

    def _track(self, name: str, values: Any) -> np.ndarray:
        track = as_track(values)
        if track.shape != (len(self.data),):
            raise DataFormatError(
                f"{self._where()}: {name} has shape {track.shape}; {len(self.data)} samples need ({len(self.data)},)."
            )
        return track

    def __len__(self) -> int:
        return len(self.data)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        dtype = self.data.dtype if dtype is None else dtype
        if copy is False and dtype != self.data.dtype:
            raise ValueError(f"{self._where()}: data are float32; {dtype} needs a copy.")
        return self.data.astype(dtype, copy=bool(copy))

    def __repr__(self) -> str:
        return (
            f"{self._where()}({self.domain}, {self.duration_s:.2f} s at {self.sampling_rate_hz:g} Hz, "
            f"channels={list(self.channels)})"
        )

    @property
    def duration_s(self) -> float:
        """Number of samples over the sampling rate."""
        return len(self.data) / self.sampling_rate_hz

    @property
    def times_s(self) -> np.ndarray:
        """Time of each sample on the session's clock."""
        return self.start_s + np.arange(len(self.data)) / self.sampling_rate_hz

    @property
    def group(self) -> str:
        """The subject, unique over data sets (``pamap2/101``): the group of every window cut from this recording."""
        subject = "unknown" if self.subject is None else str(self.subject)
        return subject if self.dataset is None else f"{self.dataset}/{subject}"

    def track(self, label: str | None = None) -> np.ndarray | None:
        """Give one label a sample: the labels, or the annotation named `label`; None if there are no labels."""
        if label is not None and label not in self.annotations:
            raise UnknownNameError(
                f"{self._where()} has no annotation {label!r}; it has {', '.join(self.annotations) or 'none'}."
            )
        values = self.labels if label is None else self.annotations[label]
        if values is None or np.ndim(values) > 0:
            return values
        return np.full(len(self.data), values)

    def select(self, channels: Iterable[str]) -> Recording:
        """Give the recording with `channels` only, in their order; an unknown one raises `UnknownNameError`."""
        channels = tuple(channels)
        missing = [channel for channel in channels if channel not in self.channels]
        if missing:
            raise UnknownNameError(f"{self._where()} has no channel {missing}; it has {list(self.channels)}.")
        columns = [self.channels.index(channel) for channel in channels]
        return replace(self, data=self.data[:, columns], channels=channels)

    def replace(self, **changes: Any) -> Recording:
        """Give a copy with some fields changed."""
        return replace(self, **changes)

    def to_dataframe(self) -> pd.DataFrame:
        """Give one row a sample, indexed by ``time_s``, with the label tracks behind the channels."""
        frame = pd.DataFrame(self.data, columns=list(self.channels), index=pd.Index(self.times_s, name="time_s"))
        if self.labels is not None:
            frame["label"] = self.track()
        return frame.assign(**self.annotations)

    @classmethod
    def from_dataframe(
        cls,
        frame: pd.DataFrame,
        *,
        units: Mapping[str, str],
        sampling_rate_hz: float | None = None,
        channels: Mapping[str, str] | None = None,
        label: str | None = None,
        **fields: Any,
    ) -> Recording:
        """Make a Recording of a table with one row a sample.

        Parameters
        ----------
        frame : DataFrame
            Without `sampling_rate_hz` its index must hold times in seconds, evenly spaced within 2 % of a sample
            interval; bring uneven ones onto a grid with `har_virtual.signal.resample` first.
        units : mapping
            Unit of each quantity in the table: ``{"acc": "g", "gyr": "deg/s"}``; acc: m/s2, g, mg; gyr: rad/s, deg/s;
            mag: uT, mG, G.
        sampling_rate_hz : float, optional
            Default: from the index, which then also gives start_s unless that is among the fields.
        channels : mapping, optional
            From columns of the table to channel names. Default: every column that is named like a channel.
        label : str, optional
            Column with one label a sample.
        **fields
            Further fields of Recording (subject, session, ...).

        Raises
        ------
        DataFormatError
            If a unit is missing or unknown, a column is absent, or the times are uneven.

        Warns
        -----
        DataWarning
            Where the median of |a| is near 1, as if the table held g, or far from gravity; turns are so fast that they
            are probably in deg/s; or the rate is so low or so high that the times are probably not in seconds.
        """
        names = dict(channels) if channels is not None else {c: c for c in frame.columns if channel_quantity(str(c))}
        absent = [column for column in (*names, *([label] if label else [])) if column not in frame.columns]
        if absent or not names:
            raise DataFormatError(f"The table lacks {absent or 'channels'}; its columns are {list(frame.columns)}.")
        scale = [unit_scale(channel, units) for channel in names.values()]
        if sampling_rate_hz is None:
            sampling_rate_hz, start_s = _even_rate(frame.index)
            fields.setdefault("start_s", start_s)
        if label is not None:
            fields["labels"] = frame[label].to_numpy()
        data = frame[list(names)].to_numpy(dtype=np.float64, na_value=np.nan) * scale
        recording = cls(data, sampling_rate_hz, tuple(names.values()), **fields)
        for doubt in (*rate_doubts(recording.sampling_rate_hz), *find_doubts(recording.data, recording.channels)):
            warnings.warn(f"{recording._where()}: {doubt.what}. {doubt.advice}.", DataWarning, stacklevel=2)
        return recording

    def save(self, path: str | Path) -> Path:
        """Write the recording to one Parquet file, with units and all fields in its metadata; give the path.

        Labels or `attrs` that neither Parquet nor JSON can hold raise `DataFormatError`.
        """
        return storage.write(self, Path(path), where=self._where())

    @classmethod
    def load(cls, path: str | Path) -> Recording:
        """Read a file that `save` wrote; any other file raises `DataFormatError`."""
        return cls(**storage.read(Path(path)))


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, (np.generic, np.ndarray)) else value


def _even_rate(index: pd.Index) -> tuple[float, float]:
    if isinstance(index, pd.RangeIndex) or not pd.api.types.is_numeric_dtype(index):
        raise DataFormatError(
            f"The table's index must hold times in seconds, not a {type(index).__name__} of {index.dtype}; set it with "
            "frame.set_index, or give sampling_rate_hz."
        )
    times_s = index.to_numpy(dtype=np.float64)
    if len(times_s) < 2 or not np.all(np.diff(times_s) > 0):
        raise DataFormatError("Times must increase strictly over two rows at least; or give sampling_rate_hz.")
    interval = (times_s[-1] - times_s[0]) / (len(times_s) - 1)
    off = np.abs(times_s - times_s[0] - interval * np.arange(len(times_s))).max() / interval
    if off > 0.02:
        raise DataFormatError(
            f"Times are uneven (off an even grid by up to {off:.2f} sample intervals): use har_virtual.signal.resample "
            "first."
        )
    return 1 / interval, float(times_s[0])
