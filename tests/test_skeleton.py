"""Skeletons are trees of named joints; motions are finite and move forward in time."""

from __future__ import annotations

import numpy as np
import pytest

from har_virtual.exceptions import DataFormatError, UnknownNameError
from har_virtual.skeleton import Motion, Skeleton

# The root stands in the middle, and a child before its parent.
BODY = Skeleton(
    "body", ("left_wrist", "left_elbow", "pelvis", "right_elbow", "right_wrist", "head"), (1, 2, -1, 2, 3, 2)
)


def motion(n_frames=4, **fields) -> Motion:
    values = {"positions_m": np.zeros((n_frames, 6, 3)), "timestamps_s": np.arange(n_frames) / 2, "skeleton": BODY}
    return Motion(**values | fields)


def test_joints_are_found_by_name():
    assert BODY.index("pelvis") == BODY.root == 2
    assert "head" in BODY
    assert "tail" not in BODY
    assert len(BODY) == 6
    with pytest.raises(UnknownNameError, match="body has no joint 'tail'; it has left_wrist, left_elbow, pelvis"):
        BODY.index("tail")


def test_ancestors_lead_to_the_root_and_children_away_from_it():
    assert BODY.ancestors(0) == (1, 2)
    assert BODY.ancestors(2) == ()
    assert BODY.children(2) == (1, 3, 5)
    assert BODY.children(5) == ()


def test_outward_order_puts_parents_first():
    order = BODY.outward_order
    assert sorted(order) == list(range(6))
    assert all(order.index(BODY.parents[joint]) < order.index(joint) for joint in order if BODY.parents[joint] >= 0)


def test_mirror_swaps_sides_and_leaves_the_rest():
    assert [BODY.joints[other] for other in BODY.mirror] == [
        "right_wrist",
        "right_elbow",
        "pelvis",
        "left_elbow",
        "left_wrist",
        "head",
    ]
    assert Skeleton("half", ("pelvis", "left_knee"), (-1, 0)).mirror == (0, 1)


def test_lists_become_tuples_so_that_skeletons_can_be_compared_and_hashed():
    again = Skeleton("body", list(BODY.joints), list(np.array(BODY.parents)))
    assert again == BODY
    assert hash(again) == hash(BODY)


@pytest.mark.parametrize(
    ("joints", "parents", "message"),
    [
        (("a", "b"), (-1,), "2 distinct names and 2 parents"),
        (("a", "a"), (-1, 0), "2 distinct names and 2 parents"),
        (("a", "b"), (-1, -1), "exactly one joint has parent -1"),
        (("a", "b"), (-2, 0), "exactly one joint has parent -1"),
        (("a", "b", "c"), (-1, -2, 0), "exactly one joint has parent -1"),
        (("a", "b"), (-1, 2), "others an index below 2"),
        ((), (), "exactly one joint has parent -1"),
        (("a", "b", "c"), (-1, 2, 1), "parents of b form a cycle"),
        (("a", "b"), (-1, 1), "parents of b form a cycle"),
    ],
)
def test_what_is_no_tree_is_refused(joints, parents, message):
    with pytest.raises(DataFormatError, match=message):
        Skeleton("s", joints, parents)


def test_motion_knows_its_length_in_frames_and_seconds():
    walk = motion(5)
    assert (len(walk), walk.duration_s, walk.frame_rate_hz) == (5, 2.0, 2.0)
    single = motion(1)
    assert (len(single), single.duration_s) == (1, 0.0)
    assert np.isnan(single.frame_rate_hz)
    assert (len(motion(0)), motion(0).duration_s) == (0, 0.0)


def test_motion_gives_the_positions_of_one_joint():
    positions = np.random.default_rng(0).normal(size=(4, 6, 3))
    np.testing.assert_array_equal(motion(positions_m=positions).joint("head"), positions[:, 5])


def test_motion_copies_its_arrays_and_lets_nobody_write():
    positions = np.zeros((4, 6, 3))
    walk = motion(positions_m=positions, rotations=np.zeros((4, 6, 3, 3)), uncertainty_m=np.zeros((4, 6)))
    positions[:] = 1
    assert not walk.positions_m.any()
    for array in (walk.positions_m, walk.timestamps_s, walk.rotations, walk.uncertainty_m):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_replace_changes_one_field_and_checks_again():
    walk = motion(label="walk").replace(subject="1")
    assert (walk.label, walk.subject) == ("walk", "1")
    with pytest.raises(DataFormatError, match="timestamps_s has shape"):
        walk.replace(timestamps_s=np.arange(3))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"positions_m": np.zeros((4, 5, 3))}, r"positions_m has shape \(4, 5, 3\).*4 frames of body need \(4, 6, 3\)"),
        ({"timestamps_s": np.arange(5)}, r"timestamps_s has shape \(5,\)"),
        ({"rotations": np.zeros((4, 6, 3))}, "rotations has shape"),
        ({"uncertainty_m": np.zeros((6, 4))}, "uncertainty_m has shape"),
        ({"positions_m": np.full((4, 6, 3), np.nan)}, "positions_m has values that are not finite"),
        ({"timestamps_s": [0, 1, np.inf, 3]}, "timestamps_s has values that are not finite"),
        ({"timestamps_s": [0, 1, 1, 2]}, "must increase strictly"),
        ({"timestamps_s": [0, 2, 1, 3]}, "must increase strictly"),
    ],
)
def test_a_motion_that_does_not_fit_together_is_refused(fields, message):
    with pytest.raises(DataFormatError, match=message):
        motion(**fields)


def test_a_motion_shows_itself_in_one_line():
    assert repr(motion(5)) == "Motion(body, 5 frames, 2.00 s at 2 Hz, without rotations)"
    assert repr(motion(5, rotations=np.zeros((5, 6, 3, 3)))).endswith("with rotations)")


def test_the_name_of_a_skeleton_is_no_skeleton():
    with pytest.raises(DataFormatError, match=r"not 'BODY-22'; har_virtual\.pose\.get_skeleton"):
        motion(skeleton="BODY-22")
