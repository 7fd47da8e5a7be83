"""What a user relies on in a collection of labelled videos."""

from __future__ import annotations

import os
import warnings
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from har_virtual.datasets.labels import COMMON_LABELS
from har_virtual.datasets.videos import VideoCollection, list_videos, load_videos
from har_virtual.datasets.videos.base import snake_case
from har_virtual.exceptions import DataFormatError, DataWarning, UnknownNameError, VideoError
from har_virtual.recording import VideoClip
from har_virtual.testing.datasets import _ADVICE, _NOBODY, _contents, _error_of
from har_virtual.testing.transformers import expect


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
    before = _contents(home)
    table = _listed(collection, home, options)
    _check_names(collection, home, table, options)
    _check_stretches(table)
    expect(_listed(collection, home, options).equals(table), "two calls of list_videos give the same")
    _check_selection(collection, home, table, options)
    _check_clips(collection, home, table, options)
    _check_errors(collection, home, options)
    expect(_contents(home) == before, "nothing is written to the data's folder")


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
    keys = table[["video", "name", "start_s", "stop_s"]]
    expect(not keys.duplicated().any(), "the same stretch of a class is annotated once")


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
            error = _error_of(lambda: load_videos(collection, home, **options))
            expect(isinstance(error, VideoError), f"without any of its videos there is a VideoError ({error!r})")
            return
        clips = load_videos(collection, home, **options)
    expect(all(isinstance(clip, VideoClip) for clip in clips), "load_videos gives clips")
    expect([clip.path for clip in clips] == list(there["path"]), "clips are those of the table whose video is there")
    expect([clip.label for clip in clips] == list(there["label"]), "clips have the labels of the table")
    expect([clip.subject for clip in clips] == list(there["subject"]), "clips have the subjects of the table")
    named = all((clip.dataset == collection.name) == (clip.subject is not None) for clip in clips)
    expect(named, "a clip has the collection as its data set if it has a subject")
    said = any(issubclass(warning.category, DataWarning) for warning in caught)
    expect(said == (len(there) < len(table)), "videos that are not there give a warning")


def _check_errors(collection: VideoCollection, home: Path, options: dict[str, Any]) -> None:
    for keyword in ("activities", "splits", "subjects", "labels", "errors"):
        error = _error_of(partial(_listed, collection, home, options, **{keyword: _NOBODY}))
        expect(isinstance(error, UnknownNameError), f"an unknown name of {keyword} is an UnknownNameError ({error!r})")
    error = _error_of(lambda: _listed(collection, home, options, labels={_NOBODY: "walking"}))
    expect(isinstance(error, UnknownNameError), f"a mapping of no class is an UnknownNameError ({error!r})")
    with TemporaryDirectory() as empty:
        for folder, what in ((Path(empty), "an empty folder"), (Path(empty) / "missing", "a missing folder")):
            error = _error_of(partial(_listed, collection, folder, options))
            named = isinstance(error, DataFormatError | FileNotFoundError) and str(folder) in str(error)
            expect(named, f"{what} raises a DataFormatError or FileNotFoundError that names it (it raised {error!r})")
            expect(bool(_ADVICE.search(str(error))), f"the error for {what} says what to do (it is {error!r})")
