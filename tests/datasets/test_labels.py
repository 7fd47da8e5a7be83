from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from har_virtual import Recording, RecordingSet
from har_virtual.datasets.labels import (
    COMMON_LABELS,
    check_table,
    common_labels,
    label_map,
    label_table,
    names_by_id,
    relabel,
)
from har_virtual.datasets.registry import DATASETS
from har_virtual.datasets.utd_mhad import UTD_MHAD_ACTIONS
from har_virtual.exceptions import DataFormatError, UnknownNameError
from har_virtual.studio.activities import ACTIVITIES


def row(**changes) -> pd.DataFrame:
    """The table with one class more."""
    new = {"dataset": "mine", "track": "activity", "id": 1, "name": "strolling", "common": "walking"} | changes
    return pd.concat([label_table(), pd.DataFrame([new])], ignore_index=True)


def stream(labels, dataset=None, n_samples=4) -> Recording:
    return Recording(np.ones((n_samples, 1)), 50, ["chest_acc_x"], labels=labels, dataset=dataset)


def test_the_table_is_sound_and_takes_further_rows():
    assert len(check_table(label_table())) == len(label_table())
    assert check_table(row())["name"].iloc[-1] == "strolling"


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"common": "strolling"}, "mine,activity,1,strolling,strolling names a common label that COMMON_LABELS lacks"),
        ({"common": ""}, "names a common label"),
        ({"dataset": "pamap2", "id": 24}, "repeats an id"),
        ({"dataset": "pamap2", "id": 99, "name": "walking"}, "repeats a name"),
        ({"name": "Nordic walking"}, "is not in lower snake_case"),
        ({"name": ""}, "is not in lower snake_case"),
        ({"id": "one"}, "whole numbers as id"),
    ],
)
def test_a_broken_row_is_found_with_its_line(changes, what):
    with pytest.raises(DataFormatError, match=what) as caught:
        check_table(row(**changes))
    if "whole" not in what:
        assert f"line {len(label_table()) + 2}:" in str(caught.value)


def test_missing_columns_are_found():
    with pytest.raises(DataFormatError, match="needs the columns dataset,track,id,name,common"):
        check_table(label_table().drop(columns="track"))


def test_no_caller_can_change_the_table():
    taken = label_table()
    taken["common"] = "lying"
    assert label_table()["common"].nunique() > 10


def test_every_common_label_is_in_use_once():
    assert len(set(COMMON_LABELS)) == len(COMMON_LABELS)
    assert set(label_table()["common"]) == set(COMMON_LABELS)


def test_what_the_studio_performs_has_its_name():
    performed = set(ACTIVITIES) & set(COMMON_LABELS)
    # Not these: nobody lies down, and stair_climbing has no direction.
    assert set(ACTIVITIES) - performed == {"lying_down", "stair_climbing"}


def test_ids_are_those_of_the_files():
    assert names_by_id("opportunity", "locomotion") == {1: "stand", 2: "walk", 4: "sit", 5: "lie"}
    assert names_by_id("utd_mhad", "activity") == UTD_MHAD_ACTIONS
    pamap2 = names_by_id("pamap2", "activity")
    assert list(pamap2) == [*range(1, 8), 9, 10, 11, 12, 13, 16, 17, 18, 19, 20, 24]
    assert [pamap2[i] for i in (7, 12, 13, 24)] == [
        "nordic_walking",
        "ascending_stairs",
        "descending_stairs",
        "rope_jumping",
    ]


def test_the_id_of_a_gesture_is_made_of_verb_and_object():
    gestures = names_by_id("opportunity", "gestures")
    assert len(gestures) == 17
    verbs = {406: "open", 404: "close", 408: "clean", 407: "drink", 405: "toggle"}
    assert all(name.startswith(verbs[number // 1000]) for number, name in gestures.items())
    opened, closed = (
        {number % 1000: name.partition("_")[2] for number, name in gestures.items() if number // 1000 == verb}
        for verb in (406, 404)
    )
    assert opened == closed and len(opened) == 7


def test_high_level_activities_of_opportunity_have_their_ids():
    assert names_by_id("opportunity", "high_level") == {
        101: "relaxing",
        102: "coffee_time",
        103: "early_morning",
        104: "cleanup",
        105: "sandwich_time",
    }


def test_unknown_data_sets_and_tracks_are_named():
    with pytest.raises(UnknownNameError, match="There is no pamap3; there is realworld, pamap2"):
        names_by_id("pamap3", "activity")
    with pytest.raises(UnknownNameError, match="There is no posture; there is locomotion, gestures, high_level"):
        names_by_id("opportunity", "posture")


def test_realworld_meets_opportunity_in_four_classes():
    there = label_map("realworld", "opportunity")
    assert there == {"standing": "stand", "walking": "walk", "sitting": "sit", "lying": "lie"}
    assert label_map("opportunity", "realworld") == {theirs: ours for ours, theirs in there.items()}
    assert label_map("realworld", "opportunity", target_task="locomotion") == there


def test_realworld_meets_pamap2_in_seven_classes_and_jumps_rope_in_the_eight_class_task_only():
    seven = {name: name for name in ("lying", "running", "sitting", "standing", "walking")}
    seven |= {"climbingdown": "descending_stairs", "climbingup": "ascending_stairs"}
    assert label_map("realworld", "pamap2", target_task="8-class") == {**seven, "jumping": "rope_jumping"}
    assert label_map("realworld", "pamap2", target_task="11-class") == seven
    assert label_map("realworld", "pamap2") == seven


def test_a_task_of_the_source_leaves_classes_out():
    assert set(label_map("pamap2", "realworld")) - set(label_map("pamap2", "realworld", source_task="ssl-8")) == {
        "running"
    }


def test_a_data_set_maps_onto_itself_even_where_classes_share_a_common_label():
    names = list(names_by_id("opportunity", "gestures").values())
    mapping = label_map("opportunity", "opportunity")
    assert all(mapping[name] == name for name in names)


def test_an_unknown_task_is_named():
    with pytest.raises(UnknownNameError, match=r"pamap2: task: There is no 9-class; there is all, .*8-class"):
        label_map("realworld", "pamap2", target_task="9-class")


@pytest.mark.parametrize("name", DATASETS)
def test_every_class_of_a_task_is_in_the_table(name):
    known = set(label_table().query("dataset == @name")["name"])
    assert known
    for task in DATASETS[name].tasks.values():
        # What is no exercise is no class of its own.
        assert set(task.labels or ()) - {"non_activity"} <= known


def test_relabelling_renames_and_drops():
    mixed = np.array(["climbingup", "walking", None, "running"], dtype=object)
    recordings = [stream("climbingup"), stream("walking"), stream(mixed), stream(None)]
    walk, changed = relabel(recordings, {"walking": "walk", "running": "run"})
    assert walk.labels == "walk"
    assert changed.labels.tolist() == [None, "walk", None, "run"]


def test_relabelling_takes_the_labels_that_a_map_gives():
    (changed,) = relabel([stream(np.array(["lying", "jumping"] * 2))], label_map("realworld", "opportunity"))
    assert changed.labels.tolist() == ["lie", None, "lie", None]


def test_data_sets_meet_in_common_labels():
    recordings = [
        stream("climbingup", "realworld"),
        stream("ascending_stairs", "pamap2"),
        stream("seated", "sp_sw_har"),
    ]
    common = relabel(RecordingSet(recordings, DESCR="Three."), "common")
    assert [recording.labels for recording in common] == ["ascending_stairs", "ascending_stairs", "sitting"]
    assert common.DESCR == "Three."


def test_a_label_that_its_data_set_does_not_have_has_no_common_one():
    with pytest.raises(
        UnknownNameError, match="the label 'walk', which is no class of realworld; those are climbingdown"
    ):
        relabel([stream("walk", "realworld")], "common")
    with pytest.raises(UnknownNameError, match="There is no None; there is realworld"):
        relabel([stream("walk")], "common")


def test_a_map_in_the_wrong_direction_is_an_error():
    with pytest.raises(
        DataFormatError, match=r"None of 1 recordings .* \(stand, walk, sit, lie\); their labels are walking"
    ):
        relabel([stream("walking")], label_map("opportunity", "realworld"))
    with pytest.raises(UnknownNameError, match="or 'common', not 'opportunity'"):
        relabel([stream("walking")], "opportunity")


def test_annotations_and_times_stay():
    track = np.array(["a", "b", "c", "d"])
    recording = stream("walking").replace(annotations={"gestures": track}, start_s=2.0)
    (changed,) = relabel([recording], {"walking": "walk"})
    assert changed.annotations["gestures"].tolist() == track.tolist() and changed.start_s == 2.0


def test_what_is_no_class_has_no_common_label():
    some = stream(np.array(["null", "open_door_1", None, "null"], dtype=object), "opportunity")
    (changed,) = relabel([some, stream("null", "opportunity")], "common")
    assert changed.labels.tolist() == [None, "opening_door", None, None]


def test_a_recording_of_many_channels_is_named_shortly():
    many = Recording(np.ones((4, 60)), 50, [f"c{i}" for i in range(60)], labels="stroll", dataset="pamap2")
    with pytest.raises(UnknownNameError, match=r"^pamap2/101/protocol has the label 'stroll'"):
        relabel([many.replace(subject="101", session="protocol")], "common")


def test_a_class_with_two_targets_is_left_out(monkeypatch):
    opening = row(name="opening", common="opening_door")
    monkeypatch.setattr("har_virtual.datasets.labels._table", lambda: opening)
    assert label_map("mine", "opportunity") == {}
    assert label_map("opportunity", "mine") == {"open_door_1": "opening", "open_door_2": "opening"}


def test_common_labels_differ_from_a_data_set_s_own_names_in_these_rows_only():
    table = label_table()
    renamed = table[table["name"] != table["common"]]
    rows = zip(renamed["dataset"], renamed["name"], renamed["common"], strict=True)
    # FLAG3D's sixty exercises, and what collections of videos have, are in the tests of each.
    found = [row for row in rows if row[0] in DATASETS and row[0] != "flag3d"]
    assert found == [tuple(line.split()) for line in RENAMED.strip().splitlines()]


RENAMED = """
realworld climbingdown descending_stairs
realworld climbingup ascending_stairs
opportunity stand standing
opportunity walk walking
opportunity sit sitting
opportunity lie lying
opportunity open_door_1 opening_door
opportunity open_door_2 opening_door
opportunity close_door_1 closing_door
opportunity close_door_2 closing_door
opportunity open_fridge opening_fridge
opportunity close_fridge closing_fridge
opportunity open_dishwasher opening_dishwasher
opportunity close_dishwasher closing_dishwasher
opportunity open_drawer_1 opening_drawer
opportunity close_drawer_1 closing_drawer
opportunity open_drawer_2 opening_drawer
opportunity close_drawer_2 closing_drawer
opportunity open_drawer_3 opening_drawer
opportunity close_drawer_3 closing_drawer
opportunity clean_table cleaning_table
opportunity drink_from_cup drinking
opportunity toggle_switch toggling_switch
opportunity coffee_time having_coffee
opportunity early_morning morning_routine
opportunity cleanup cleaning_up
opportunity sandwich_time having_sandwich
sp_sw_har seated sitting
utd_mhad swipe_left swiping_left
utd_mhad swipe_right swiping_right
utd_mhad wave waving
utd_mhad clap clapping
utd_mhad throw throwing
utd_mhad arm_cross crossing_arms
utd_mhad basketball_shoot shooting_basketball
utd_mhad draw_x drawing_x
utd_mhad draw_circle_cw drawing_circle
utd_mhad draw_circle_ccw drawing_circle
utd_mhad draw_triangle drawing_triangle
utd_mhad baseball_swing swinging_baseball_bat
utd_mhad tennis_swing swinging_tennis_racket
utd_mhad arm_curl curling_arm
utd_mhad tennis_serve serving_tennis
utd_mhad push pushing
utd_mhad knock knocking
utd_mhad catch catching
utd_mhad pickup_throw picking_up_and_throwing
utd_mhad jog running
utd_mhad walk walking
utd_mhad sit_to_stand standing_up
utd_mhad stand_to_sit sitting_down
utd_mhad lunge lunging
utd_mhad squat squatting
mm_fit squats squatting
mm_fit lunges lunging
mm_fit bicep_curls curling_arm
mm_fit situps sitting_up
mm_fit pushups pushing_up
mm_fit tricep_extensions extending_arm
mm_fit dumbbell_rows rowing_dumbbell
mm_fit dumbbell_shoulder_press pressing_dumbbell
mm_fit lateral_shoulder_raises raising_arms
totalcapture rom range_of_motion
"""


def test_what_only_looks_like_an_activity_has_no_common_label():
    table = label_table()
    names = set(table["dataset"] + "/" + table["name"])
    assert not names & {"ucf101/trampoline_jumping", "ucf101/long_jump", "mpii/bicycling_bmx", "activitynet/bmx"}
    assert set(table.loc[table["common"] == "jumping", "dataset"]) == {
        "realworld",
        "flag3d",
        "ava",
        "hmdb51",
        "ntu_rgbd",
        "ntu_rgbd_120",
    }


def test_nobody_can_change_the_common_labels_for_others():
    common_labels("ava").clear()
    assert common_labels("ava")["walk"] == "walking"
