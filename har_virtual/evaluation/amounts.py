"""How much data there is of each class, real and virtual, and how much of what was recorded reaches the windows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from har_virtual.exceptions import DataFormatError
from har_virtual.recording import Recording, RecordingSet
from har_virtual.windows import WindowSet
from har_virtual.windows.assumed_rate import CLOCK_STRETCH

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
        Indexed by domain ("real" before "virtual") and label, after the classes of a domain the row "all", which counts
        them together, even where a class has that name, too:

        - windows, subjects: how many;
        - hours_in_windows: the time that these windows cover; what overlaps counts once.

        With `recordings`, a class without windows has a row, too, and there are:

        - hours_recorded: samples of the class over their rate;
        - hours_whole: of these, where no channel of the windows has a hole;
        - yield: share of hours_whole that lies in windows of the class. The rest is at the ends of recordings, near
          holes, and in windows that got the label of a neighbour or none;
        - hours_of_video: of virtual data, how long the converted clips last, from the first frame to the end of the
          last; NaN where one does not say. Classes in one recording share its clip as they share its samples. Each
          recording counts its clip: two people in a clip, or two placements of a person, count it twice;
        - yield_of_video: hours that lie in windows of the class, over hours_of_video. A clip without anybody is in no
          recording, and so not in here; the report of the conversion has it.

    Raises
    ------
    DataFormatError
        If the recordings are not those that the windows were cut from, or have other labels.
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
    seconds = None
    if recordings is not None:
        recordings = recordings if isinstance(recordings, RecordingSet) else RecordingSet(recordings)
        _check_same(table, recordings, windows.sampling_rate_hz)
        seconds = pd.DataFrame(_seconds(windows, table, recordings, label), columns=[*_KEYS, *_TIMES])
        _check_labels(table, seconds)
    classes = _amounts(table, seconds)
    if windows.y is None:
        return classes
    total = _amounts(table.assign(label=ALL), None if seconds is None else seconds.assign(label=ALL))
    amounts = pd.concat([classes, total])
    # Stable: the sum of a domain stays behind its classes.
    return amounts.iloc[np.argsort(amounts.index.get_level_values("domain"), kind="stable")]


def _labels(windows: WindowSet) -> Any:
    return ALL if windows.y is None else windows.y.astype(object)


def _amounts(table: pd.DataFrame, seconds: pd.DataFrame | None) -> pd.DataFrame:
    """Give the columns of the result, sorted by domain and label."""
    amounts = _count(table)
    if seconds is not None:
        amounts = amounts.join(_yields(seconds), how="outer")
        amounts = amounts.fillna({"windows": 0, "subjects": 0, "hours_in_windows": 0.0})
    return amounts.astype({"windows": int, "subjects": int})


def _count(table: pd.DataFrame) -> pd.DataFrame:
    stretch = table.groupby(["recording", "subject", *_KEYS], sort=False, dropna=False).ngroup().to_numpy()
    order = np.lexsort((table["start_s"], stretch))
    stretch, starts, stops = (values[order] for values in (stretch, *table[["start_s", "stop_s"]].to_numpy().T))
    goes_on = stretch[1:] == stretch[:-1]
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
    bounds = np.array([[r.start_s, r.start_s + r.duration_s] for r in recordings]).reshape(-1, 2)
    starts, stops = bounds.T
    # The last sample of a lower rate lasts longer.
    late = table["stop_s"] > stops[number] + 1.01 / rate
    outside = late | (table["start_s"] < starts[number] - 0.01 / rate)
    if outside.any():
        row = int(np.flatnonzero(outside)[0])
        raise DataFormatError(
            f"A window lasts from {table['start_s'].iloc[row]:g} to {table['stop_s'].iloc[row]:g} s, its recording "
            f"{number[row]} from {starts[number[row]]:g} to {stops[number[row]]:g} s. {hint}."
        )


def _check_labels(table: pd.DataFrame, seconds: pd.DataFrame) -> None:
    known = set(seconds["label"])
    unknown = [label for label in table["label"].unique() if label not in known]
    if unknown:
        raise DataFormatError(
            f"Windows are of class {unknown[0]!r}, which no recording has; the recordings have "
            f"{', '.join(map(repr, seconds['label'].unique())) or 'no labels'}. Say with label= which annotation the "
            "labels come from, as for segment_recordings, and give recordings and windows the same names of classes."
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
            yield (recording.domain, name, *seconds, _video_s(recording) * np.mean(own))


def _covered(recording: Recording, spans_s: np.ndarray) -> np.ndarray:
    """Which samples lie in one of the spans (n, 2), half-open."""
    bounds = np.round((spans_s - recording.start_s) * recording.sampling_rate_hz).astype(int).clip(0, len(recording))
    steps = np.zeros(len(recording) + 1, dtype=int)
    np.add.at(steps, bounds[:, 0], 1)
    np.add.at(steps, bounds[:, 1], -1)
    return np.cumsum(steps)[:-1] > 0


def _video_s(recording: Recording) -> float:
    """Length of the clip that a stream was made from, as far as its attrs tell, in seconds of the stream's clock."""
    attrs = recording.attrs
    start_s, stop_s = attrs.get("clip_s", (0.0, None))
    length_s = attrs.get("clip_length_s", np.nan if stop_s is None else stop_s - start_s)
    return float(length_s) * attrs.get(CLOCK_STRETCH, 1.0) if recording.domain == "virtual" else np.nan


def _yields(seconds: pd.DataFrame) -> pd.DataFrame:
    # One clip of unknown length makes the length of all unknown.
    summed = seconds.groupby(_KEYS)[_TIMES].agg(lambda column: column.sum(skipna=False))
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
