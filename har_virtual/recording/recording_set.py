"""RecordingSet: recordings in order, and what they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, overload

import numpy as np
import pandas as pd

from har_virtual.exceptions import DataFormatError, UnknownNameError
from har_virtual.recording.recording import Recording


class RecordingSet(Sequence[Recording]):
    """An ordered collection of recordings.

    It is indexed by a number, a slice, or by some rows of its own table `to_frame`: their index, or a column of truths.

    Parameters
    ----------
    recordings : iterable of Recording
    DESCR : str, default=""
        What the data are: of a loader, the data set's card. It stays with parts and sums of the set.

    Examples
    --------
    >>> import numpy as np
    >>> from har_virtual import Recording, RecordingSet
    >>> names = [f"waist_acc_{axis}" for axis in "xyz"]
    >>> people = RecordingSet(Recording(np.ones((n, 3)), 50, names, subject=str(n)) for n in (100, 200, 300))
    >>> frame = people.to_frame()
    >>> people[frame.duration_s > 3].groups
    ('200', '300')
    >>> people[frame.query("subject == '100'").index]
    RecordingSet(recordings=1, subjects=1)
    """

    def __init__(self, recordings: Iterable[Recording], *, DESCR: str = "") -> None:
        if isinstance(recordings, Recording):
            raise DataFormatError("A list of recordings is needed, even of one: write [recording].")
        self._recordings = tuple(recordings)
        self.DESCR = DESCR
        wrong = next((r for r in self._recordings if not isinstance(r, Recording)), None)
        if wrong is not None:
            raise DataFormatError(f"A RecordingSet holds Recordings, not {type(wrong).__name__}.")

    def __len__(self) -> int:
        return len(self._recordings)

    def __iter__(self) -> Iterator[Recording]:
        return iter(self._recordings)

    @overload
    def __getitem__(self, index: int) -> Recording: ...
    @overload
    def __getitem__(self, index: slice | pd.Index | pd.Series | np.ndarray | list) -> RecordingSet: ...
    def __getitem__(self, index: Any) -> Recording | RecordingSet:
        if isinstance(index, slice):
            return RecordingSet(self._recordings[index], DESCR=self.DESCR)
        if isinstance(index, pd.Index | pd.Series | np.ndarray | list) and np.ndim(index) == 1:
            return RecordingSet((self._recordings[row] for row in self._rows(index)), DESCR=self.DESCR)
        return self._recordings[index]

    def _rows(self, index: Any) -> np.ndarray:
        if isinstance(index, pd.Series):
            if index.dtype != bool:
                raise DataFormatError("A column chooses recordings by truths; for rows give their index.")
            # By the rows' names, for a table that was sorted, or is a part, has them in another order.
            index = index.index[index.to_numpy()]
        rows = np.asarray(index)
        if rows.dtype == bool:
            if len(rows) != len(self):
                raise DataFormatError(f"{len(rows)} truths cannot choose among {len(self)} recordings.")
            return np.flatnonzero(rows)
        if not len(rows):
            return np.zeros(0, dtype=np.intp)
        if rows.dtype.kind not in "iu":
            raise DataFormatError(
                f"Recordings are chosen by row numbers or truths, not {rows.dtype}: by the index of rows of to_frame()."
            )
        wrong = rows[(rows < -len(self)) | (rows >= len(self))]
        if len(wrong):
            raise IndexError(f"There is no recording {wrong[0]}; there are {len(self)}.")
        return rows

    def __add__(self, other: Iterable[Recording]) -> RecordingSet:
        return RecordingSet((*self, *other), DESCR=_joined_descr(self, other))

    def __radd__(self, other: Iterable[Recording]) -> RecordingSet:
        return RecordingSet((*other, *self), DESCR=_joined_descr(other, self))

    def __repr__(self) -> str:
        return f"RecordingSet(recordings={len(self)}, subjects={len(self.groups)})"

    @property
    def groups(self) -> tuple[str, ...]:
        """The subjects, sorted."""
        return tuple(sorted({recording.group for recording in self}))

    def select(self, **fields: Any) -> RecordingSet:
        """Give the recordings whose fields have the given values, or one of several.

        ``select(subject=[101, 102], domain="real")``; subject, session and dataset are compared as text.
        """
        unknown = [name for name in fields if name not in Recording.__dataclass_fields__]
        if unknown:
            raise UnknownNameError(f"A Recording has no {unknown}; it has {list(Recording.__dataclass_fields__)}.")
        wanted = {name: _accepted(name, value) for name, value in fields.items()}
        chosen = (r for r in self if all(accepts(getattr(r, name)) for name, accepts in wanted.items()))
        return RecordingSet(chosen, DESCR=self.DESCR)

    def to_frame(self) -> pd.DataFrame:
        """Give one row a recording: what it is, how long, which channels."""
        columns = ["dataset", "subject", "session", "domain", "start_s", "duration_s", "sampling_rate_hz", "channels"]
        return pd.DataFrame([[getattr(r, name) for name in columns] for r in self], columns=columns)


def _accepted(name: str, value: Any) -> Callable[[Any], bool]:
    """Whether a field has a value: the given one, or one of a list, tuple or set."""
    values = list(value) if isinstance(value, list | tuple | set | frozenset) and name != "channels" else [value]
    if name in ("subject", "session", "dataset"):
        values = [None if each is None else str(each) for each in values]
    return lambda own: any(own is each or np.array_equal(own, each) for each in values)


def _joined_descr(*sets: Iterable[Recording]) -> str:
    return "\n\n".join(dict.fromkeys(d for s in sets if (d := getattr(s, "DESCR", ""))))
