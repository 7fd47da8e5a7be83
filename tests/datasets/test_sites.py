from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from har_virtual import Recording, RecordingSet, datasets
from har_virtual.datasets.registry import DATASETS
from har_virtual.datasets.sites import NEIGHBOURS, pool_sides, shared_sites
from har_virtual.exceptions import DataFormatError, UnknownNameError
from har_virtual.imu import SITES


def worn(*sites: str, rate_hz: float = 50.0, quantities=("acc",)) -> Recording:
    names = [f"{site}_{quantity}_{axis}" for site in sites for quantity in quantities for axis in "xyz"]
    return Recording(np.tile(np.arange(len(names)), (20, 1)), rate_hz, names, subject="1")


def pairs(table) -> list[tuple[str, str, str]]:
    return list(zip(table.index, table["second"], table["match"], strict=True))


@pytest.mark.parametrize(
    ("first", "second", "match"),
    [
        ("chest", "chest", "same"),
        ("dominant_wrist", "dominant_wrist", "same"),
        ("left_wrist", "dominant_wrist", "either side"),
        ("dominant_ankle", "right_ankle", "either side"),
        ("left_forearm", "left_wrist", "near"),
        ("dominant_wrist", "left_forearm", "near"),
        ("chest", "back", "near"),
        ("right_hip", "waist", "near"),
    ],
)
def test_sites_match_both_ways(first, second, match):
    assert pairs(shared_sites([worn(first)], [worn(second)])) == [(first, second, match)]
    assert pairs(shared_sites([worn(second)], [worn(first)])) == [(second, first, match)]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("left_wrist", "right_wrist"),
        ("left_forearm", "right_wrist"),
        ("left_upper_arm", "left_wrist"),
        ("head", "chest"),
        ("left_wrist", "left_ankle"),
    ],
)
def test_the_other_side_and_far_sites_do_not_match(first, second):
    assert shared_sites([worn(first)], [worn(second)]).empty


def test_every_neighbour_is_a_site():
    places = {site.removeprefix("left_") for site in SITES}
    assert {place for pair in NEIGHBOURS for place in pair} <= places
    assert len({frozenset(pair) for pair in NEIGHBOURS}) == len(NEIGHBOURS)


def test_quantities_are_those_of_both_and_rates_the_lowest():
    first = [worn("chest", rate_hz=100, quantities=("acc", "gyr")), worn("chest", rate_hz=60)]
    second = [worn("chest", rate_hz=30, quantities=("gyr", "acc", "mag"))]
    table = shared_sites(first, second)
    assert table.loc["chest", ["quantities", "first_hz", "second_hz"]].tolist() == ["acc gyr", 60.0, 30.0]


def test_only_sites_with_all_quantities_that_are_asked_for_remain():
    first = [worn("chest", "head", quantities=("acc", "gyr"))]
    second = [worn("chest"), worn("head", quantities=("gyr", "acc"))]
    assert shared_sites(first, second, quantities=["acc", "gyr"]).index.tolist() == ["head"]
    assert shared_sites(first, second, quantities="acc").index.tolist() == ["chest", "head"]
    assert shared_sites([worn("chest", quantities=("gyr",))], [worn("chest")]).empty


def test_the_widest_table_prints_without_a_break():
    everything = ("acc", "gyr", "mag")
    table = shared_sites(
        [worn("right_upper_arm", quantities=everything)], [worn("right_upper_arm", quantities=everything)]
    )
    table["match"] = "either side"
    assert max(len(line) for line in str(table).splitlines()) <= 80
    assert "..." not in str(table) and "\\" not in str(table)


def test_published_data_sets_are_compared_by_name():
    table = shared_sites("realworld", "pamap2")
    assert ("chest", "chest", "same") in pairs(table)
    assert {match for _, second, match in pairs(table) if second == "dominant_wrist"} == {"near"}


def test_a_data_set_and_recordings_are_compared():
    table = shared_sites("pamap2", [worn("left_wrist")])
    assert pairs(table) == [("dominant_wrist", "left_wrist", "either side")]


def test_what_a_data_set_says_of_its_sites_counts(monkeypatch):
    monkeypatch.setattr(type(DATASETS["pamap2"]), "sampling_rate_hz", 100.0, raising=False)
    monkeypatch.setattr(type(DATASETS["pamap2"]), "site_quantities", {"chest": ("acc",)}, raising=False)
    table = shared_sites("pamap2", [worn("chest", "dominant_ankle", quantities=("gyr", "acc"), rate_hz=30)])
    assert table["quantities"].to_dict() == {"chest": "acc", "dominant_ankle": "acc gyr"}
    assert table.loc["chest", ["first_hz", "second_hz"]].tolist() == [100.0, 30.0]


def test_better_matches_of_a_site_come_first():
    table = shared_sites([worn("chest", "left_wrist")], [worn("left_hand", "dominant_wrist", "left_wrist", "chest")])
    assert table.index.tolist() == ["chest", "left_wrist", "left_wrist", "left_wrist"]
    assert table["match"].tolist() == ["same", "same", "either side", "near"]


def test_unknown_data_sets_and_quantities_are_named():
    with pytest.raises(UnknownNameError, match=r"no data set 'pamap3'; there are .*pamap2"):
        shared_sites("pamap3", [worn("chest")])
    with pytest.raises(UnknownNameError, match="There is no heart_rate; there is acc, gyr, mag"):
        shared_sites([worn("chest")], [worn("chest")], quantities="heart_rate")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("realworld", {"subjects": 1, "quantities": None}),
        ("pamap2", {}),
        ("opportunity", {}),
        ("sp_sw_har", {}),
        ("utd_mhad", {"sites": None, "domain": "real"}),
    ],
)
def test_what_a_data_set_says_of_its_sites_is_what_it_loads(name, options):
    load = getattr(datasets, f"load_{name}")
    loaded = load(Path(__file__).parents[2] / "datasets" / name, cache=False, **options)
    published, found = (table[table["match"] == "same"] for table in (shared_sites(x, x) for x in (name, loaded)))
    assert published["quantities"].to_dict() == found["quantities"].to_dict()
    assert published["first_hz"].to_dict() == found["first_hz"].to_dict()


def test_segments_next_to_each_other_are_neighbours():
    assert NEIGHBOURS == (
        ("chest", "back"),
        ("waist", "hip"),
        ("upper_arm", "forearm"),
        ("forearm", "wrist"),
        ("wrist", "hand"),
        ("hip", "thigh"),
        ("thigh", "knee"),
        ("knee", "shin"),
        ("shin", "ankle"),
        ("ankle", "foot"),
    )


BOTH_SIDES = worn("left_wrist", "chest", "right_wrist", "right_ankle", "left_ankle")
PLACEMENTS = [("left", "left"), ("left", "right"), ("right", "left"), ("right", "right")]


def test_four_placements_of_wrist_and_ankle_come_from_one_recording():
    pooled = pool_sides([BOTH_SIDES])
    assert [tuple(one.attrs["worn"].values()) for one in pooled] == PLACEMENTS
    assert {one.channels for one in pooled} == {worn("dominant_wrist", "chest", "dominant_ankle").channels}
    starts = {"left_wrist": 0, "chest": 3, "right_wrist": 6, "right_ankle": 9, "left_ankle": 12}
    for one, (wrist, ankle) in zip(pooled, PLACEMENTS, strict=True):
        expected = [starts[site] + axis for site in (f"{wrist}_wrist", "chest", f"{ankle}_ankle") for axis in range(3)]
        assert one.data[0].tolist() == expected
        assert one.subject == "1"


def test_one_site_gives_two_placements_and_leaves_the_other_sides():
    pooled = pool_sides([BOTH_SIDES, BOTH_SIDES], "ankle")
    assert [one.attrs["worn"] for one in pooled] == [{"ankle": "left"}, {"ankle": "right"}] * 2
    assert pooled[0].channels == worn("left_wrist", "chest", "right_wrist", "dominant_ankle").channels


def test_the_description_and_provenance_stay():
    pooled = pool_sides(RecordingSet([BOTH_SIDES.replace(attrs={"file": "a"})], DESCR="Videos."))
    assert pooled.DESCR == "Videos."
    assert {one.attrs["file"] for one in pooled} == {"a"}


@pytest.mark.parametrize(
    "lacking",
    [
        worn("left_wrist", "left_ankle", "right_ankle"),
        worn("left_wrist", "right_wrist", "chest"),
        worn("left_wrist", "right_wrist", "dominant_wrist", "left_ankle", "right_ankle"),
        BOTH_SIDES.select([c for c in BOTH_SIDES.channels if c != "right_ankle_acc_z"]),
    ],
)
def test_a_recording_that_lacks_a_side_is_an_error(lacking):
    with pytest.raises(DataFormatError, match=r"needs the same channels of left_(wrist|ankle) and right_\1"):
        pool_sides([lacking])


def test_a_site_without_sides_cannot_be_pooled():
    with pytest.raises(UnknownNameError, match="There is no chest; there is hip, upper_arm, forearm, wrist"):
        pool_sides([BOTH_SIDES], "chest")
