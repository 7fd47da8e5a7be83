"""WindowSet: windows with the label, the subject and the domain of each."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from har_virtual.checks import check_positive
from har_virtual.exceptions import DataFormatError, UnknownNameError
from har_virtual.files import atomic_path

METADATA_COLUMNS = ("subject", "dataset", "session", "domain", "recording", "start_s", "stop_s")
"""Columns that the metadata of every WindowSet have."""

COPY_OF = "copy_of"
"""Column that metadata have where motions were copied by `har_virtual.augmentation.augment_motions`."""

_LABEL_TYPES = ("string", "integer", "floating", "mixed-integer-float", "boolean", "empty")


@dataclass(frozen=True, eq=False)
class WindowSet:
    """Windows of equal length, with what is known of each: the input of every estimator. Arrays are read-only.

    Parameters
    ----------
    X : array of shape (n_windows, n_samples, n_channels)
        Kept as float32; neither NaN nor infinite. Units as in Recording.
    y : array of shape (n_windows,) or None
        Labels, all text or all numbers, none missing.
    metadata : DataFrame
        One row a window, at least: subject (unique over data sets, `Recording.group`), dataset, session, domain
        ("real" or "virtual"), recording (position among the recordings that were cut), start_s and stop_s (half-open,
        on the session's clock). If there are varied copies of motions, copy_of: text, the same in all windows of one
        motion and its copies, missing in all other windows. Its index is replaced by 0 to n_windows - 1.
    channels : sequence of str
    sampling_rate_hz : float
    attrs : mapping, optional
        How the windows were cut, and how many were dropped why; JSON-compatible values.

    Raises
    ------
    DataFormatError
        If shapes do not fit together, columns lack, or values are missing.
    """

    X: np.ndarray
    y: np.ndarray | None
    metadata: pd.DataFrame
    channels: Sequence[str]
    sampling_rate_hz: float
    attrs: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        X, channels = _read_only(np.asarray(self.X, dtype=np.float32)), tuple(self.channels)
        if X.ndim != 3 or X.shape[2] != len(channels) or len(set(channels)) != len(channels):
            raise DataFormatError(
                f"X of shape (n_windows, n_samples, {len(channels)}) with distinct channel names is needed, "
                f"not {X.shape} with {channels}."
            )
        if not np.isfinite(X).all():
            raise DataFormatError(
                "X has NaN or infinite values; segment_recordings drops the windows that have a hole."
            )
        lacking = [column for column in METADATA_COLUMNS if column not in self.metadata]
        if lacking or len(self.metadata) != len(X):
            raise DataFormatError(
                f"metadata needs {len(X)} rows, one a window, not {len(self.metadata)}; lacking columns: {lacking}."
            )
        _check_metadata(self.metadata)
        y = None if self.y is None else _read_only(_check_labels(_as_labels(self.y), len(X)))
        fields: dict[str, Any] = {"X": X, "y": y, "channels": channels, "attrs": dict(self.attrs)}
        fields["metadata"] = self.metadata.reset_index(drop=True)
        fields["sampling_rate_hz"] = check_positive("sampling_rate_hz", self.sampling_rate_hz)
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return len(self.X)

    def __repr__(self) -> str:
        virtual = int(self.sample_domain.sum())
        classes = "no labels" if self.y is None else f"{len(np.unique(self.y))} classes"
        return (
            f"WindowSet({len(self) - virtual} real and {virtual} virtual windows of {self.X.shape[1]} samples at "
            f"{self.sampling_rate_hz:g} Hz, {len(np.unique(self.groups))} subjects, {classes}, "
            f"channels={list(self.channels)})"
        )

    @property
    def groups(self) -> np.ndarray:
        """Subject of each window, (n_windows,) of text: what cross-validation must not split."""
        return self.metadata["subject"].to_numpy(dtype=object).astype(str)

    @property
    def sample_domain(self) -> np.ndarray:
        """Domain of each window, (n_windows,): 0 real, 1 virtual."""
        return (self.metadata["domain"] == "virtual").to_numpy(dtype=np.int64)

    @property
    def clips(self) -> np.ndarray:
        """Clip of each window, (n_windows,) of int: windows of one clip overlap or look alike, and are no two examples.

        A recording is a clip, but all copies of one motion, see `har_virtual.augmentation.augment_motions`, are one
        together. Where a person has copies beside virtual windows that are none, all virtual windows of that person are
        one clip, for those may be of the motions that were copied.
        """
        return _number_clips(self.metadata).to_numpy(dtype=np.int64)

    def __getitem__(self, index: Any) -> WindowSet:
        """Give the windows at a slice, a mask, positions or one position, as a WindowSet."""
        rows = np.atleast_1d(np.arange(len(self))[index])
        y = None if self.y is None else self.y[rows]
        return replace(self, X=_frozen(self.X[rows]), y=y, metadata=self.metadata.iloc[rows])

    def select(self, channels: Iterable[str]) -> WindowSet:
        """Give the windows with some channels only.

        Parameters
        ----------
        channels : iterable of str
            In the order wanted.

        Returns
        -------
        WindowSet

        Raises
        ------
        UnknownNameError
            If there is no such channel.
        """
        channels = tuple(channels)
        missing = [channel for channel in channels if channel not in self.channels]
        if missing:
            raise UnknownNameError(f"The windows have no channel {missing}; they have {list(self.channels)}.")
        columns = [self.channels.index(channel) for channel in channels]
        return replace(self, X=_frozen(self.X[:, :, columns]), channels=channels)

    @classmethod
    def concat(cls, sets: Iterable[WindowSet]) -> WindowSet:
        """Put windows one set after the other, such as the real ones and the virtual ones.

        Parameters
        ----------
        sets : iterable of WindowSet
            With the same channels, in any order, and the same rate and length of windows; all with labels, or none.

        Returns
        -------
        WindowSet
            Channels in the order of the first. Recordings are numbered on from set to set. Metadata columns that not
            all have are missing where they were; of attrs those stay that are the same in all.

        Raises
        ------
        DataFormatError
            If there is none, or something differs; it says what, and in which.
        """
        given = list(sets)
        if not given or not all(isinstance(each, WindowSet) for each in given):
            raise DataFormatError(
                f"WindowSets are needed, at least one, not {[type(each).__name__ for each in given]}."
            )
        first = given[0]
        for number, each in enumerate(given[1:], 1):
            _check_alike(first, each, number)
        numbered, n_recordings = [], 0
        for each in given:
            numbered.append(each.metadata.assign(recording=each.metadata["recording"] + n_recordings))
            n_recordings = int(numbered[-1]["recording"].max()) + 1 if len(each) else n_recordings
        shared = {
            name: value
            for name, value in first.attrs.items()
            if all(name in each.attrs and each.attrs[name] == value for each in given)
        }
        return cls(
            _frozen(np.concatenate([each.select(first.channels).X for each in given])),
            None if first.y is None else _frozen(np.concatenate([np.asarray(each.y) for each in given])),
            pd.concat(numbered, ignore_index=True),
            first.channels,
            first.sampling_rate_hz,
            shared,
        )

    def to_frame(self) -> pd.DataFrame:
        """Give everything as one table.

        Returns
        -------
        DataFrame
            One row a window: metadata, ``label`` if there are labels, and a column ``<channel>_<sample>`` each.
        """
        names = [f"{channel}_{sample}" for channel in self.channels for sample in range(self.X.shape[1])]
        values = self.X.transpose(0, 2, 1).reshape(len(self), len(names))
        labels = {} if self.y is None else {"label": self.y}
        return pd.concat([self.metadata.assign(**labels), pd.DataFrame(values, columns=names)], axis=1)

    def save(self, path: str | Path) -> Path:
        """Write one .npz without pickles, whole or not at all.

        Parameters
        ----------
        path : path-like
            The name is taken as it is, whatever its ending.

        Returns
        -------
        Path
            `path`.

        Raises
        ------
        DataFormatError
            If Parquet cannot hold the metadata or JSON the attrs.
        """
        table = io.BytesIO()
        fields = {"channels": self.channels, "sampling_rate_hz": self.sampling_rate_hz, "attrs": self.attrs}
        try:
            self.metadata.to_parquet(table)
            text = json.dumps(fields)
        except (TypeError, ValueError) as error:
            raise DataFormatError(f"The windows cannot be written to {path}: {error}.") from error
        arrays = {"X": self.X, "metadata": np.frombuffer(table.getvalue(), np.uint8), "fields": np.array(text)}
        if self.y is not None:
            arrays["y"] = self.y
        # Through an open file, because savez would put .npz behind a name that ends otherwise.
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            np.savez(file, **arrays)
        return Path(path)

    @classmethod
    def load(cls, path: str | Path) -> WindowSet:
        """Read a file that `save` wrote.

        Parameters
        ----------
        path : path-like

        Returns
        -------
        WindowSet

        Raises
        ------
        DataFormatError
            If the file is another one.
        """
        try:
            with np.load(path, allow_pickle=False) as arrays:
                X, y = _frozen(arrays["X"]), arrays.get("y")
                metadata = pd.read_parquet(io.BytesIO(arrays["metadata"].tobytes()))
                fields = json.loads(str(arrays["fields"]))
        except (ValueError, KeyError, AttributeError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise DataFormatError(f"{path} was not written by WindowSet.save ({error}).") from error
        return cls(X, y, metadata, **fields)


def _frozen(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array


def _read_only(array: np.ndarray) -> np.ndarray:
    """Copy unless nobody can write to it."""
    return _frozen(array.copy()) if array.flags.writeable else array


def _number_clips(metadata: pd.DataFrame) -> pd.Series:
    """Give the first recording of the clip that each window is of."""
    clips = metadata["recording"].copy()
    if COPY_OF not in metadata:
        return clips
    copied, virtual, subject = metadata[COPY_OF].notna(), metadata["domain"] == "virtual", metadata["subject"]
    both = set(subject[copied]) & set(subject[virtual & ~copied])
    theirs = virtual & subject.isin(both)
    for rows, column in ((copied, COPY_OF), (theirs, "subject")):
        clips[rows] = clips[rows].groupby(metadata.loc[rows, column]).transform("min")
    return clips


def _check_metadata(metadata: pd.DataFrame) -> None:
    others = set(metadata["domain"].unique().tolist()) - {"real", "virtual"}
    if others:
        raise DataFormatError(
            f'domain must be "real" or "virtual" in every row of metadata, not {sorted(map(repr, others))}.'
        )
    if metadata["subject"].isna().any():
        raise DataFormatError(f"subject is missing in {metadata['subject'].isna().sum()} rows of metadata.")


def _check_alike(first: WindowSet, other: WindowSet, number: int) -> None:
    here = (set(first.channels), first.sampling_rate_hz, first.X.shape[1], first.y is None)
    there = (set(other.channels), other.sampling_rate_hz, other.X.shape[1], other.y is None)
    for what, one, two in zip(
        ("channels", "sampling rate", "samples in a window", "no labels"), here, there, strict=True
    ):
        if one != two:
            raise DataFormatError(f"Set {number} differs from the first: {what} {two}, not {one}.")


def _as_labels(y: Any) -> np.ndarray:
    """Keep the types of a list's labels, which numpy would all make text."""
    return y if isinstance(y, np.ndarray) else np.array(list(y), dtype=object)


def _check_labels(y: np.ndarray, n_windows: int) -> np.ndarray:
    if y.shape != (n_windows,):
        raise DataFormatError(f"y has shape {y.shape}; {n_windows} windows need ({n_windows},).")
    if pd.isna(y).any():
        raise DataFormatError(f"y lacks the labels of {pd.isna(y).sum()} windows; drop those windows, or give y=None.")
    found = pd.api.types.infer_dtype(y, skipna=False)
    if found not in _LABEL_TYPES:
        raise DataFormatError(f"Labels must be all text, all numbers or all true/false, not {found}: {list(y[:5])} ...")
    return np.array(y.tolist()) if y.dtype == object and len(y) else y
