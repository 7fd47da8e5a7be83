"""What holds for every collection of labelled videos, on its sample."""

from __future__ import annotations

from pathlib import Path

import pytest

from har_virtual.datasets import DATASETS, VIDEO_COLLECTIONS, survey_dataset
from har_virtual.datasets.labels import common_labels
from har_virtual.testing import check_video_collection

SAMPLES = Path(__file__).parents[3] / "datasets"


SAMPLE_OF = {name: SAMPLES / name.removesuffix("_120") for name in VIDEO_COLLECTIONS}


@pytest.mark.parametrize("name", VIDEO_COLLECTIONS)
def test_a_collection_keeps_the_contract(name):
    check_video_collection(VIDEO_COLLECTIONS[name], SAMPLE_OF[name])
    check_video_collection(VIDEO_COLLECTIONS[name], SAMPLE_OF[name], labels="own")


# The others' classes are those of their annotation files, and samples have some.
WITH_CLASSES = [name for name in VIDEO_COLLECTIONS if name not in ("activitynet", "kinetics700", "mpii")]


@pytest.mark.parametrize("name", WITH_CLASSES)
def test_the_table_of_labels_has_classes_that_the_collection_has(name):
    collection = VIDEO_COLLECTIONS[name]
    assert set(common_labels(name)) <= set(collection.classes(SAMPLE_OF[name]))


@pytest.mark.parametrize("name", VIDEO_COLLECTIONS)
def test_a_survey_of_the_sample_finds_nothing_damaged(name):
    survey = survey_dataset(name, SAMPLE_OF[name])
    assert survey.damaged == {}
    assert len(survey.there) + len(survey.missing) > 0


def test_the_complex_activities_of_imutube_are_in_several_collections():
    having = {
        activity: [name for name in VIDEO_COLLECTIONS if activity in common_labels(name).values()]
        for activity in ("vacuum_cleaning", "ironing", "rope_jumping", "cycling", "walking", "running", "sitting")
    }
    assert all(len(names) >= 2 for names in having.values()), having


def test_the_nine_collections_of_imutube_are_there_ntu_in_both_sizes_and_no_name_is_taken_twice():
    assert list(VIDEO_COLLECTIONS) == [
        "activitynet",
        "ava",
        "charades",
        "hmdb51",
        "kinetics700",
        "mpii",
        "msr_daily_activity_3d",
        "ntu_rgbd",
        "ntu_rgbd_120",
        "ucf101",
    ]
    assert not set(VIDEO_COLLECTIONS) & set(DATASETS)
