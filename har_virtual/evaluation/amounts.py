"""How much data there is of each class, real and virtual, and how much of what was recorded reaches the windows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from har_virtual.exceptions import DataFormatError
from har_virtual.recording import Recording, RecordingSet
from har_virtual.windows import WindowSet
from har_virtual.windows.assumed_rate import RECORDED_RATE

ALL = "all"
"""The label of the rows that count all classes together."""

_KEYS = ["domain", "label"]
_TIMES = ["recorded", "whole", "inside", "of_video"]
_NOTHING = np.zeros((0, 2))


def describe_amounts(
    windows: WindowSet, recordings: Iterable[Recording] | None = None, *, label: str | None = None
) -> pd.DataFrame:
    """Count windows, people and hours of each class in each domain.

    Parameters
    ----------
    windows : WindowSet
        Whole, or some of its windows.
    recordings : iterable of Recording, optional
        The very recordings, in order, that `segment_recordings` cut the windows from. With them the table says what was
        recorded, and how much of it is in windows.
    label : str, optional
        The annotation that gave the windows their labels, as in `segment_recordings`.

    Returns
    -------
    DataFrame
        Indexed by domain ("real" before "virtual") and label, after the classes of a domain the row "all":

        - windows, subjects: how many;
        - hours_in_windows: the time that these windows cover; what overlaps counts once.

        With `recordings`, a class without windows has a row, too, and there are:

        - hours_recorded: samples of the class over their rate;
        - hours_whole: of these, where no channel of the windows has a hole;
        - yield: share of hours_whole that lies in windows of the class. The rest is at the ends of recordings, near
          holes, and in windows that got the label of a neighbour or none;
        - hours_of_video: of virtual data, how long the converted clips last; NaN where one does not say. Each
          recording counts its clip: two people in a clip, or two placements of a person, count it twice;
        - yield_of_video: hours that lie in windows of the class, over hours_of_video. A clip without anybody is in no
          recording, and so not in here; the report of the conversion has it.

    Raises
    ------
    DataFormatError
        If the recordings are not those that the windows were cut from.
    UnknownNameError
        If a recording lacks a channel of the windows, or the annotation `label`.

    Examples
    --------
    >>> import numpy as np
    >>> from har_virtual import Recording, segment_recordings
    >>> from har_virtual.evaluation import describe_amounts
    >>> walk = Recording(np.ones((90, 1)), 20, ["waist_acc_x"], subject="1", labels="walk")
    >>> windows = segment_recordings([walk], window_length_s=1.0, overlap=0.5)
    >>> table = describe_amounts(windows, [walk])
    >>> table[["windows", "subjects", "yield"]].loc[("real", "walk")].tolist()
    [8.0, 1.0, 1.0]
    >>> round(float(table.loc[("real", "all"), "hours_in_windows"]) * 3600, 2)
    4.5
    """
    table = windows.metadata[["domain", "subject", "recording", "start_s", "stop_s"]].assign(label=_labels(windows))
    amounts = pd.concat([_count(table), _count(table.assign(label=ALL))] if windows.y is not None else [_count(table)])
    if recordings is not None:
        recordings = recordings if isinstance(recordings, RecordingSet) else RecordingSet(recordings)
        _check_same(table, recordings, windows.sampling_rate_hz)
        seconds = pd.DataFrame(_seconds(windows, table, recordings, label), columns=[*_KEYS, *_TIMES])
        amounts = amounts.join(_yields(seconds, totals=windows.y is not None), how="outer")
        amounts = amounts.fillna({"windows": 0, "subjects": 0, "hours_in_windows": 0.0})
    domain, name = (amounts.index.get_level_values(key) for key in _KEYS)
    amounts = amounts.iloc[np.lexsort((_rank(name), name == ALL, domain))]
    return amounts.astype({"windows": int, "subjects": int})


def _labels(windows: WindowSet) -> Any:
    return ALL if windows.y is None else windows.y.astype(object)


def _rank(labels: pd.Index) -> np.ndarray:
    """Give the place of each label among the sorted ones; ALL, which may stand among numbers, has none."""
    classes = sorted({label for label in labels if label != ALL})
    return np.array([-1 if label == ALL else classes.index(label) for label in labels])


def _count(table: pd.DataFrame) -> pd.DataFrame:
    # Numbers sort ten times as fast as names.
    codes = pd.factorize(table["label"])[0]
    order = np.lexsort((table["start_s"], codes, table["recording"]))
    stretch, starts, stops = (table[name].to_numpy()[order] for name in ("recording", "start_s", "stop_s"))
    goes_on = (stretch[1:] == stretch[:-1]) & (np.diff(codes[order]) == 0)
    stops[:-1] = np.where(goes_on, np.minimum(starts[1:], stops[:-1]), stops[:-1])
    hours = np.empty(len(table))
    hours[order] = (stops - starts) / 3600
    counts = table.assign(hours_in_windows=hours).groupby(_KEYS)
    return counts.agg(
        windows=("subject", "size"), subjects=("subject", "nunique"), hours_in_windows=("hours_in_windows", "sum")
    )


def _check_same(table: pd.DataFrame, recordings: RecordingSet, rate: float) -> None:
    number = table["recording"].to_numpy()
    hint = "Give those that segment_recordings was given, in the same order, and before windows of it were put together"
    if len(table) and number.max() >= len(recordings):
        raise DataFormatError(f"Windows are of recording {number.max()}, but there are {len(recordings)}. {hint}.")
    for field, column in (("group", "subject"), ("domain", "domain")):
        theirs = np.array([getattr(recording, field) for recording in recordings], dtype=object)[number]
        wrong = np.flatnonzero(theirs != table[column].to_numpy(dtype=object))
        if len(wrong):
            raise DataFormatError(
                f"Recording {number[wrong[0]]} is of {column} {theirs[wrong[0]]}, a window of it of "
                f"{table[column].iloc[wrong[0]]}. {hint}."
            )
    starts, stops = np.array([[r.start_s, r.start_s + r.duration_s] for r in recordings]).T
    # The last sample of a lower rate lasts longer.
    late = table["stop_s"] > stops[number] + 1.01 / rate
    outside = late | (table["start_s"] < starts[number] - 0.01 / rate)
    if outside.any():
        row = int(np.flatnonzero(outside)[0])
        raise DataFormatError(
            f"A window lasts from {table['start_s'].iloc[row]:g} to {table['stop_s'].iloc[row]:g} s, its recording "
            f"{number[row]} from {starts[number[row]]:g} to {stops[number[row]]:g} s. {hint}."
        )


def _seconds(
    windows: WindowSet, table: pd.DataFrame, recordings: RecordingSet, label: str | None
) -> Iterator[tuple[Any, ...]]:
    """Give domain, label and seconds of each class of each recording."""
    spans = {key: own[["start_s", "stop_s"]].to_numpy() for key, own in table.groupby(["recording", "label"])}
    for number, recording in enumerate(recordings):
        track = np.full(len(recording), ALL) if windows.y is None else recording.track(label)
        if track is None:
            continue
        whole = ~np.isnan(recording.select(windows.channels).data).any(axis=1)
        codes, names = pd.factorize(track)
        for code, name in enumerate(names):
            own = codes == code
            inside = own & whole & _covered(recording, spans.get((number, name), _NOTHING))
            seconds = [np.count_nonzero(samples) / recording.sampling_rate_hz for samples in (own, own & whole, inside)]
            yield (recording.domain, name, *seconds, _video_s(recording) if own.all() else np.nan)


def _covered(recording: Recording, spans_s: np.ndarray) -> np.ndarray:
    """Which samples lie in one of the spans (n, 2), half-open."""
    bounds = np.round((spans_s - recording.start_s) * recording.sampling_rate_hz).astype(int).clip(0, len(recording))
    steps = np.zeros(len(recording) + 1, dtype=int)
    np.add.at(steps, bounds[:, 0], 1)
    np.add.at(steps, bounds[:, 1], -1)
    return np.cumsum(steps)[:-1] > 0


def _video_s(recording: Recording) -> float:
    """Length of the clip that a stream was made from, as far as its attrs tell, in seconds of the stream's clock."""
    start_s, stop_s = recording.attrs.get("clip_s", (0.0, None))
    if recording.domain != "virtual" or stop_s is None:
        return np.nan
    stretched = recording.attrs.get(RECORDED_RATE, recording.sampling_rate_hz) / recording.sampling_rate_hz
    return float(stop_s - start_s) * stretched


def _yields(seconds: pd.DataFrame, *, totals: bool) -> pd.DataFrame:
    parts = [seconds, seconds.assign(label=ALL)] if totals else [seconds]
    # One clip of unknown length makes the length of all unknown.
    summed = pd.concat(parts).groupby(_KEYS)[_TIMES].agg(lambda column: column.sum(skipna=False))
    hours = summed[["recorded", "whole", "of_video"]].div(3600).add_prefix("hours_")
    return pd.DataFrame(
        {
            "hours_recorded": hours["hours_recorded"],
            "hours_whole": hours["hours_whole"],
            "yield": summed["inside"] / summed["whole"].where(summed["whole"] > 0),
            "hours_of_video": hours["hours_of_video"],
            "yield_of_video": summed["inside"] / summed["of_video"].where(summed["of_video"] > 0),
        }
    )
