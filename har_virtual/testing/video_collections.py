"""What a user relies on in a collection of labelled videos."""

from __future__ import annotations

import os
import warnings
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from har_virtual.datasets.labels import COMMON_LABELS
from har_virtual.datasets.videos import VideoCollection, list_videos, load_videos
from har_virtual.datasets.videos.base import snake_case
from har_virtual.exceptions import DataWarning, UnknownNameError, VideoError
from har_virtual.recording import VideoClip
from har_virtual.testing._expectations import NOBODY, contents, error_of, expect, expect_folders_refused


def check_video_collection(collection: VideoCollection, data_home: str | os.PathLike, **options: Any) -> None:
    """Check a collection of labelled videos, on a sample of it.

    Its annotations must be of its own classes, in lower snake_case, with stretches in seconds, and its splits those it
    names; `load_videos` and `list_videos` must give the same at every call, in the same order, selected as the whole
    would be, and clips only of videos that are there. Wrong folders and names must raise errors that say what to do,
    and nothing may be written.

    Parameters
    ----------
    collection : VideoCollection
    data_home : path-like
        With the sample. It is read some ten times.
    **options
        Of `load_videos`, passed every time: `labels` and `videos`.

    Raises
    ------
    AssertionError
        With the name of the property that does not hold.

    Examples
    --------
    In the tests of a package that has a collection of its own::

        from har_virtual.testing import check_video_collection

        def test_my_collection_keeps_the_contract():
            check_video_collection(MY_COLLECTION, SAMPLE)
    """
    home = Path(data_home)
    before = contents(home)
    table = _listed(collection, home, options)
    _check_names(collection, home, table, options)
    _check_stretches(table)
    expect(_listed(collection, home, options).equals(table), "two calls of list_videos give the same")
    _check_selection(collection, home, table, options)
    _check_clips(collection, home, table, options)
    _check_errors(collection, home, options)
    expect(contents(home) == before, "nothing is written to the data's folder")


def _listed(collection: VideoCollection, home: Path, options: dict[str, Any], **changes: Any) -> pd.DataFrame:
    return list_videos(collection, home, **{**options, **changes})


def _check_names(collection: VideoCollection, home: Path, table: pd.DataFrame, options: dict[str, Any]) -> None:
    expect(bool(collection.describe().strip()), "a collection has a card")
    own = collection.classes(collection.find_home(home))
    expect(len(own) == len(set(own)) > 0, "classes are named once each")
    expect(all(name == snake_case(name) for name in own), "names of classes are in lower snake_case")
    expect(len(table) > 0, "the sample has an annotation of what is asked for")
    expect(set(table["name"]) <= set(own), "annotations are of the collection's own classes")
    if options.get("labels", "common") == "common":
        expect(set(table["label"]) <= set(COMMON_LABELS), "labels are common labels")
    expect(set(table["split"].dropna()) <= set(collection.splits), "splits are those that the collection names")
    expect(all(isinstance(video, str) and video for video in table["video"]), "videos are named by text")


def _check_stretches(table: pd.DataFrame) -> None:
    starts, stops = table["start_s"], table["stop_s"].fillna(float("inf"))
    expect(bool(((starts >= 0) & (starts < stops)).all()), "a stretch starts at 0 s or later and ends after that")
    keys = table[["video", "name", "start_s", "stop_s", "subject", "split"]]
    expect(not keys.duplicated().any(), "the same stretch of a class is listed once")


def _check_selection(collection: VideoCollection, home: Path, table: pd.DataFrame, options: dict[str, Any]) -> None:
    for keyword, column in (("activities", "label"), ("splits", "split"), ("subjects", "subject")):
        for wanted in table[column].dropna().unique():
            chosen = _listed(collection, home, options, **{keyword: wanted})
            expected = table[table[column] == wanted].reset_index(drop=True)
            expect(chosen.equals(expected), f"{keyword}={wanted!r} gives the rows that have it")


def _check_clips(collection: VideoCollection, home: Path, table: pd.DataFrame, options: dict[str, Any]) -> None:
    there = table[table["path"].notna()]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DataWarning)
        if there.empty:
            error = error_of(lambda: load_videos(collection, home, **options))
            expect(isinstance(error, VideoError), f"without any of its videos there is a VideoError ({error!r})")
            return
        clips = load_videos(collection, home, **options)
    expect(all(isinstance(clip, VideoClip) for clip in clips), "load_videos gives clips")
    stretch = ["path", "start_s", "stop_s"]
    whose = there["subject"].where(there["subject"].notna(), "video:" + there["video"])
    once = there.assign(whose=whose).drop_duplicates([*stretch, "label", "whose"])
    clear = once[~once.duplicated(stretch, keep=False)]
    expect([clip.path for clip in clips] == list(clear["path"]), "clips are those of the table whose video is there")
    expect([clip.label for clip in clips] == list(clear["label"]), "clips have the labels of the table")
    whose_is_told = "clips have the subjects of the table, or their video where that names nobody"
    expect([clip.subject for clip in clips] == list(clear["whose"]), whose_is_told)
    datasets = [None if subject is None else collection.name for subject in clear["subject"]]
    expect(
        [clip.dataset for clip in clips] == datasets, "a clip has the collection as its data set if it names a person"
    )
    said = any(" lacks " in str(warning.message) for warning in caught)
    expect(said == (len(there) < len(table)), "videos that are not there give a warning")


def _check_errors(collection: VideoCollection, home: Path, options: dict[str, Any]) -> None:
    for keyword in ("activities", "splits", "subjects", "labels", "errors"):
        error = error_of(partial(_listed, collection, home, options, **{keyword: NOBODY}))
        expect(isinstance(error, UnknownNameError), f"an unknown name of {keyword} is an UnknownNameError ({error!r})")
    error = error_of(lambda: _listed(collection, home, options, labels={NOBODY: "walking"}))
    expect(isinstance(error, UnknownNameError), f"a mapping of no class is an UnknownNameError ({error!r})")
    expect_folders_refused(lambda folder: _listed(collection, folder, options))
