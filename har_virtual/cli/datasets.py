"""``har-virtual datasets list | info | check | fetch``."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from har_virtual.cli._output import show, warnings_as_lines

if TYPE_CHECKING:
    from har_virtual.datasets.base import DataSet
    from har_virtual.datasets.videos.base import VideoCollection

_WIDTH = 100

datasets = App(name="datasets", help="Data sets with real sensors: what they are, how to get them, what is there.")


@datasets.command(name="list")
def list_datasets() -> int:
    """Say which data sets, and which collections of labelled videos, this library loads."""
    from har_virtual.datasets.fetch import heading
    from har_virtual.datasets.labels import common_labels
    from har_virtual.datasets.registry import DATASETS, VIDEO_COLLECTIONS

    rows = [("name", "subjects", "sites", "tasks", "to be had", "title")]
    rows += [
        (
            dataset.name,
            str(len(dataset.subjects)),
            str(len(dataset.sites)),
            ", ".join(dataset.tasks),
            "by hand" if dataset.source is None else "by fetch",
            heading(dataset.title),
        )
        for dataset in DATASETS.values()
    ]
    show("\n".join(_aligned(rows, widths=(12, 8, 5, 30, 9, 31))))
    videos = [("videos", "activities in the table of labels", "annotations", "title")]
    videos += [
        (
            collection.name,
            ", ".join(dict.fromkeys(common_labels(collection.name).values())),
            "by hand" if collection.source is None else "by fetch",
            heading(collection.title),
        )
        for collection in VIDEO_COLLECTIONS.values()
    ]
    show("\n" + "\n".join(_aligned(videos, widths=(21, 38, 11, 27))))
    show("\nhar-virtual datasets info NAME says more of one.")
    return 0


@datasets.command
def info(name: str, /) -> int:
    """Give a data set's card: what it is, its terms, how to get it, its layout, labels, quirks; and its tasks.

    Parameters
    ----------
    name
        As in har-virtual datasets list.
    """
    from har_virtual.datasets.registry import find_any

    dataset = find_any(name)
    facts = _facts(dataset)
    lines = [dataset.describe().rstrip(), "", "## In this library", ""]
    lines += [line for what, names in facts for line in _filled(f"{what}: {names}")]
    if dataset.source is not None:
        lines += ["", f"har-virtual datasets fetch {name} DIR --accept-terms gets it:", dataset.source.describe()]
    show("\n".join(lines))
    return 0


@datasets.command
def check(
    name: str, data_home: Path, /, *, task: str | None = None, n_jobs: int | None = None, verbose: int = 1
) -> int:
    """Read all of a data set that is in a folder: what is there, missing, damaged, and minutes of each class.

    Exits with 1 if something is missing, damaged or cut short, with 2 if it is another folder.

    Parameters
    ----------
    name
        As in har-virtual datasets list.
    data_home
        The folder with the data set.
    task
        Whose classes are counted; the first one of har-virtual datasets info by default.
    n_jobs
        Files at the same time.
    verbose
        1 for a progress bar (in a terminal), 0 for the result alone.
    """
    from har_virtual.datasets.survey import survey_dataset

    with warnings_as_lines():
        survey = survey_dataset(name, data_home, task=task, n_jobs=n_jobs, verbose=verbose)
    show(survey.describe())
    return int(not survey.complete)


@datasets.command
def fetch(
    name: str, data_home: Path, /, *, accept_terms: Annotated[bool, Parameter(negative="")] = False, verbose: int = 1
) -> int:
    """Download a data set and unpack it, or check what was downloaded before; a download that was cut goes on.

    Exits with 1 if it could not be had, with 2 if its terms are still to be accepted.

    Parameters
    ----------
    name
        As in har-virtual datasets list.
    data_home
        The folder that it goes to.
    accept_terms
        You have read the data set's terms and accept them. Without this they are shown.
    verbose
        1 for a progress bar (in a terminal), 0 for the result alone.
    """
    from har_virtual.datasets.fetch import fetch_dataset, heading
    from har_virtual.datasets.registry import find_any
    from har_virtual.exceptions import DownloadError, TermsError

    dataset = find_any(name)
    if accept_terms and dataset.source is not None and verbose:
        show(f"{heading(dataset.title)}, under these terms:\n{dataset.source.describe()}")
    try:
        home = fetch_dataset(dataset, data_home, accept_terms=accept_terms, verbose=verbose)
    except (DownloadError, TermsError) as error:
        show(str(error), file=sys.stderr)
        return 2 if isinstance(error, TermsError) else 1
    show(f"{heading(dataset.title)} is in {home}; har-virtual datasets check {name} {data_home} reads all of it.")
    return 0


def _facts(dataset: DataSet | VideoCollection) -> list[tuple[str, str]]:
    """What this library makes of it: name and list of each kind of thing."""
    from har_virtual.datasets.labels import common_labels
    from har_virtual.datasets.survey import task_classes
    from har_virtual.datasets.videos.base import VideoCollection

    if isinstance(dataset, VideoCollection):
        classes = common_labels(dataset.name)
        named = [f"{name} ({common})" for name, common in classes.items()]
        return [("Splits", ", ".join(dataset.splits) or "none"), ("Classes (and common labels)", ", ".join(named))]
    return [
        ("Subjects", ", ".join(dataset.subjects)),
        ("Sites", ", ".join(dataset.sites)),
        ("Quantities", ", ".join(dataset.quantities)),
        *((f"Task {task}", ", ".join(task_classes(dataset, task))) for task in dataset.tasks),
    ]


def _aligned(rows: Iterable[Sequence[str]], widths: Sequence[int]) -> list[str]:
    """Give the lines of a table; what is wider than its column goes on below."""
    lines = []
    for row in rows:
        cells = [_filled(cell, width) for cell, width in zip(row, widths, strict=True)]
        lines += [
            " ".join(f"{part:<{width}}" for part, width in zip(parts, widths, strict=True)).rstrip()
            for parts in zip_longest(*cells, fillvalue="")
        ]
    return lines


def _filled(text: str, width: int = _WIDTH) -> list[str]:
    indent = "  " if width == _WIDTH else ""
    return textwrap.wrap(text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
