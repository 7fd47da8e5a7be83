from __future__ import annotations

from pathlib import Path

import pytest

from har_virtual.datasets.mm_fit.loader import MM_FIT_SPLIT, MM_FIT_SUBJECTS, load_mm_fit, split_mm_fit
from har_virtual.exceptions import UnknownNameError

SAMPLE = Path(__file__).parents[2] / "datasets" / "mm_fit"


def test_the_split_is_the_authors_and_only_its_unseen_part_has_people_of_its_own():
    numbers = {name: [int(workout[1:]) for workout in workouts] for name, workouts in MM_FIT_SPLIT.items()}
    assert numbers == {
        "train": [1, 2, 3, 4, 6, 7, 8, 16, 17, 18],
        "validation": [14, 15, 19],
        "test": [9, 10, 11],
        "unseen_test": [0, 5, 12, 13, 20],
    }
    people = {name: {MM_FIT_SUBJECTS[workout] for workout in workouts} for name, workouts in MM_FIT_SPLIT.items()}
    assert sorted(number for part in numbers.values() for number in part) == list(range(21))
    assert not people["unseen_test"] & (people["train"] | people["validation"] | people["test"])
    assert people["test"] <= people["train"]
    assert people["validation"] - people["train"] == {"8"}


@pytest.mark.filterwarnings("ignore:w0[01] has no")
def test_recordings_are_split_by_their_workouts():
    recordings = load_mm_fit(SAMPLE, cache=False)
    parts = split_mm_fit(recordings)
    assert {name: {each.session for each in part} for name, part in parts.items()} == {
        "train": {"w01"},
        "validation": set(),
        "test": set(),
        "unseen_test": {"w00"},
    }
    assert sum(len(part) for part in parts.values()) == len(recordings)
    assert parts["train"].DESCR == recordings.DESCR
    with pytest.raises(UnknownNameError, match="session w77 is no workout"):
        split_mm_fit([recordings[0].replace(session="w77")])
