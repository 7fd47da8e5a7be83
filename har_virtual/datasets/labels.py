"""One table of the classes of all data sets, and the maps between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Literal

import numpy as np
import pandas as pd

from har_virtual.datasets.base import Task, check_known
from har_virtual.exceptions import DataFormatError, UnknownNameError
from har_virtual.recording import Recording, RecordingSet

COMMON_LABELS: tuple[str, ...] = tuple(
    """
    lying sitting standing walking running jumping rope_jumping cycling nordic_walking ascending_stairs
    descending_stairs sitting_down standing_up turning squatting lunging
    vacuum_cleaning ironing folding_laundry house_cleaning cleaning_table cleaning_up
    watching_tv computer_work car_driving playing_soccer
    relaxing having_coffee morning_routine having_sandwich drinking toggling_switch
    opening_door closing_door opening_fridge closing_fridge opening_dishwasher closing_dishwasher opening_drawer
    closing_drawer
    waving clapping throwing catching picking_up_and_throwing crossing_arms curling_arm pushing knocking boxing bowling
    shooting_basketball swinging_baseball_bat swinging_tennis_racket serving_tennis
    jumping_jacks sitting_up pushing_up extending_arm rowing_dumbbell pressing_dumbbell raising_arms
    pressing_chest flying_chest raising_arms_bent_over raising_arms_prone pulling_arms circling_arms circling_wrists
    rotating_shoulders shrugging nodding turning_head twisting_torso prone_press_ups bridging rolling_back
    raising_arm_kneeling raising_leg_kneeling raising_legs_lying raising_knees raising_calves kicking_heels_up
    warming_up_knees
    swiping_left swiping_right drawing_x drawing_circle drawing_triangle
    acting freestyle range_of_motion
    """.split()
)
"""What classes of different data sets have in common: one name for one activity."""

# What label tracks call that which is none of their classes.
_NO_CLASS = ("null", "non_activity")
_COLUMNS = ("dataset", "track", "id", "name", "common")
# IMUTube, section 3.2: of what is filmed for RealWorld, jumping comes closest to PAMAP2's rope jumping.
_CLOSEST = {("realworld", "pamap2", "8-class"): {"jumping": "rope_jumping"}}


def label_table() -> pd.DataFrame:
    """Give the classes of all data sets.

    Returns
    -------
    DataFrame
        One row a class: dataset; track ("activity", or which of several annotations); id, the number in the data set's
        files, or one of ours where they have names only; name, which the loader gives; common, one of `COMMON_LABELS`.

    Notes
    -----
    Classes with one common label are the closest in meaning, not the same: UTD-MHAD's "jog" and "walk" are done on the
    spot, and Opportunity's "stand" holds all that its subjects did while they stood.

    Examples
    --------
    >>> from har_virtual.datasets import label_table
    >>> table = label_table()
    >>> table[table["common"] == "ascending_stairs"][["dataset", "name"]].to_numpy().tolist()
    [['realworld', 'climbingup'], ['pamap2', 'ascending_stairs'], ['hmdb51', 'climb_stairs']]
    """
    return _table().copy()


def names_by_id(dataset: str, track: str) -> dict[int, str]:
    """Give the class names of a data set's label track by their numbers.

    Raises
    ------
    UnknownNameError
        If the table has no such data set or track.

    Examples
    --------
    >>> from har_virtual.datasets.labels import names_by_id
    >>> names_by_id("opportunity", "locomotion")
    {1: 'stand', 2: 'walk', 4: 'sit', 5: 'lie'}
    """
    rows = _rows(dataset)
    check_known(f"{dataset}: label track", [track], rows["track"].unique())
    rows = rows[rows["track"] == track]
    return dict(zip(rows["id"].tolist(), rows["name"].tolist(), strict=True))


def label_map(source: str, target: str, *, source_task: str = "all", target_task: str = "all") -> dict[str, str]:
    """Give the classes of one data set that another one has, too, with their names there.

    Parameters
    ----------
    source, target : str
        Names of data sets.
    source_task, target_task : str, default="all"
        Only the classes of this task of the data set; "all" is every class of every label track.

    Returns
    -------
    dict of str to str
        From names of `source` to names of `target` with the same common label. Where several classes of `target` share
        it, only a class of the same name is mapped. As in IMUTube, RealWorld's "jumping" is "rope_jumping" in PAMAP2's
        task "8-class", and there only.

    Raises
    ------
    UnknownNameError
        If there is no such data set or task.

    Examples
    --------
    >>> from har_virtual.datasets import label_map
    >>> label_map("realworld", "opportunity")
    {'lying': 'lie', 'sitting': 'sit', 'standing': 'stand', 'walking': 'walk'}
    """
    theirs: dict[str, list[str]] = {}
    for name, common in _classes(target, target_task).items():
        theirs.setdefault(common, []).append(name)
    closest = _CLOSEST.get((source, target, target_task), {})
    mapping = {}
    for name, common in _classes(source, source_task).items():
        candidates = [closest[name]] if name in closest else theirs.get(common, [])
        if name in candidates or len(candidates) == 1:
            mapping[name] = name if name in candidates else candidates[0]
    return mapping


def relabel(recordings: Iterable[Recording], mapping: Mapping[str, str] | Literal["common"]) -> RecordingSet:
    """Rename the labels of recordings.

    Parameters
    ----------
    recordings : iterable of Recording
    mapping : mapping of str to str, or "common"
        New names, such as `label_map` gives. "common": every label becomes its common label in `label_table`, and
        "null" and "non_activity", which are no classes, become None.

    Returns
    -------
    RecordingSet
        Labels that the mapping lacks become None, and recordings without any label left are dropped. Annotations stay.

    Raises
    ------
    UnknownNameError
        For "common", if a recording's data set or one of its labels is not in the table.
    DataFormatError
        If no recording has a label of the mapping.

    Examples
    --------
    >>> import numpy as np
    >>> from har_virtual import Recording
    >>> from har_virtual.datasets import label_map, relabel
    >>> stairs, walk = (Recording(np.ones((9, 1)), 50, ["chest_acc_x"], labels=x) for x in ("climbingup", "walking"))
    >>> [recording.labels for recording in relabel([stairs, walk], label_map("realworld", "opportunity"))]
    ['walk']
    """
    recordings = recordings if isinstance(recordings, RecordingSet) else RecordingSet(recordings)
    if isinstance(mapping, str) and mapping != "common":
        raise UnknownNameError(f"mapping must be a mapping from label to label, or 'common', not {mapping!r}.")
    kept, found = [], set()
    for recording in recordings:
        codes, names = pd.factorize(np.atleast_1d(np.asarray(recording.labels, dtype=object)))
        found.update(names)
        new = [_renamed(recording, name, mapping) for name in names]
        if any(name is not None for name in new):
            track = np.array([*new, None], dtype=object)[codes]
            kept.append(recording.replace(labels=track if np.ndim(recording.labels) else track[0]))
    if not kept:
        wanted = list(COMMON_LABELS) if mapping == "common" else list(mapping)
        raise DataFormatError(
            f"None of {len(recordings)} recordings has a label of the mapping ({', '.join(map(str, wanted))}); their "
            f"labels are {', '.join(sorted(map(str, found))) or 'none'}."
        )
    return RecordingSet(kept, DESCR=recordings.DESCR)


def _renamed(recording: Recording, name: Any, mapping: Mapping[str, str] | str) -> str | None:
    if not isinstance(mapping, str):
        return mapping.get(name)
    known = _common(recording.dataset)
    if name in _NO_CLASS:
        return None
    if name not in known:
        session = "" if recording.session is None else f"/{recording.session}"
        raise UnknownNameError(
            f"{recording.group}{session} has the label {name!r}, which is no class of {recording.dataset}; those are "
            f"{', '.join(known)}. A mapping of your own takes any label."
        )
    return known[name]


@cache
def _common(dataset: str | None) -> Mapping[str, str]:
    return _classes(str(dataset), "all")


def common_labels(dataset: str) -> dict[str, str]:
    """Give the classes of a data set or of a collection of videos that are in the table, with their common labels."""
    return dict(_common(dataset))


def has_common_labels(dataset: str) -> bool:
    """Tell whether a data set or a collection of videos is in the table."""
    return dataset in _table()["dataset"].to_numpy()


def _classes(dataset: str, task: str) -> dict[str, str]:
    """Common labels of the classes of a data set's task, by name."""
    rows = _rows(dataset)
    if task != "all":
        chosen = _task(dataset, task)
        rows = rows[rows["track"] == (chosen.track or rows["track"].iloc[0])]
        rows = rows if chosen.labels is None else rows[rows["name"].isin(chosen.labels)]
    return dict(zip(rows["name"], rows["common"], strict=True))


def _task(dataset: str, task: str) -> Task:
    # The loaders, which the registry holds, take their class names from here.
    from har_virtual.datasets.registry import DATASETS

    tasks = DATASETS[dataset].tasks if dataset in DATASETS else {}
    return tasks[check_known(f"{dataset}: task", [task], {"all": Task(), **tasks})[0]]


def _rows(dataset: str) -> pd.DataFrame:
    table = _table()
    check_known("label table: data set", [dataset], table["dataset"].unique())
    return table[table["dataset"] == dataset]


@lru_cache(maxsize=1)
def _table() -> pd.DataFrame:
    with (files("har_virtual.datasets") / "labels.csv").open(encoding="utf-8") as file:
        return check_table(pd.read_csv(file, keep_default_na=False))


def check_table(table: pd.DataFrame) -> pd.DataFrame:
    """Give the table back, or raise `DataFormatError` that names the row that breaks it."""
    if tuple(table.columns) != _COLUMNS or not pd.api.types.is_integer_dtype(table["id"]):
        raise DataFormatError(f"labels.csv needs the columns {','.join(_COLUMNS)}, with whole numbers as id.")
    wrong = {
        "names a common label that COMMON_LABELS lacks": ~table["common"].isin(COMMON_LABELS),
        "repeats an id of its track": table.duplicated(["dataset", "track", "id"]),
        "repeats a name of its data set": table.duplicated(["dataset", "name"]),
        "is not in lower snake_case": ~(table["name"] + "," + table["track"]).str.fullmatch(r"[a-z0-9_]+,[a-z0-9_]+"),
    }
    for what, rows in wrong.items():
        if rows.any():
            number = int(np.flatnonzero(rows)[0])
            values = ",".join(map(str, table.iloc[number]))
            raise DataFormatError(f"labels.csv, line {number + 2}: {values} {what}.")
    return table
