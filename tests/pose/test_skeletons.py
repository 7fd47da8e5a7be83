"""The skeleton tables against the orders of their publishers, and mappings that keep left and right apart."""

from __future__ import annotations

import contextlib
import itertools

import numpy as np
import pytest

from har_virtual.exceptions import DataFormatError, UnknownNameError
from har_virtual.pose.skeletons import (
    BLAZEPOSE_33,
    BODY_22,
    BODY_25,
    CMU_31,
    COCO_17,
    COCO_18,
    H36M_17,
    KINECT_20,
    NTU_25,
    SKELETONS,
    SMPL_24,
    derivable,
    get_skeleton,
    map_joints,
    mapping_matrix,
)
from har_virtual.skeleton import Skeleton

ALL = [pytest.param(skeleton, id=skeleton.name) for skeleton in SKELETONS.values()]

# Each publisher's own order, in short: n neck, s shoulder, e elbow, w wrist, h hip, k knee, a ankle, f foot; L and R.
ORDERS = {
    "COCO-17": "nose Leye Reye Lear Rear Ls Rs Le Re Lw Rw Lh Rh Lk Rk La Ra",
    "COCO-18": "nose n Rs Re Rw Ls Le Lw Rh Rk Ra Lh Lk La Reye Leye Rear Lear",
    "BODY-25": "nose n Rs Re Rw Ls Le Lw pelvis Rh Rk Ra Lh Lk La Reye Leye Rear Lear "
    "Lf Lsmall_toe Lheel Rf Rsmall_toe Rheel",
    "H36M-17": "pelvis Rh Rk Ra Lh Lk La spine n nose head Ls Le Lw Rs Re Rw",
    "BlazePose-33": "nose Leye_inner Leye Leye_outer Reye_inner Reye Reye_outer Lear Rear Lmouth Rmouth Ls Rs Le Re Lw "
    "Rw Lpinky Rpinky Lindex Rindex Lthumb Rthumb Lh Rh Lk Rk La Ra Lheel Rheel Lf Rf",
    "Kinect-20": "head n spine pelvis Ls Le Lw Lhand Rs Re Rw Rhand Lh Lk La Lf Rh Rk Ra Rf",
    "NTU-25": "pelvis spine neck_top head Ls Le Lw Lhand Rs Re Rw Rhand Lh Lk La Lf Rh Rk Ra Rf n Lhand_tip Lthumb "
    "Rhand_tip Rthumb",
    "SMPL-24": "pelvis Lh Rh spine Lk Rk spine2 La Ra spine3 Lf Rf n Lcollar Rcollar head Ls Rs Le Re Lw Rw Lhand "
    "Rhand",
}
LONG = {"s": "shoulder", "e": "elbow", "w": "wrist", "h": "hip", "k": "knee", "a": "ankle", "f": "foot", "n": "neck"}


def spelled_out(short: str) -> str:
    side = {"L": "left_", "R": "right_"}.get(short[0], "")
    name = short[1:] if side else short
    return side + LONG.get(name, name)


@pytest.mark.parametrize("name", ORDERS)
def test_joints_stand_in_the_order_of_the_publisher(name: str):
    assert SKELETONS[name].joints == tuple(map(spelled_out, ORDERS[name].split()))


def test_every_skeleton_of_the_field_is_there():
    assert set(SKELETONS) == {*ORDERS, "BODY-22", "CMU-31"}
    assert [len(get_skeleton(name)) for name in SKELETONS] == [int(name.rsplit("-", 1)[1]) for name in SKELETONS]


def test_the_tree_of_h36m_is_that_of_videopose3d():
    assert H36M_17.parents == (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15)


@pytest.mark.parametrize("skeleton", ALL)
def test_every_joint_hangs_on_one_root(skeleton: Skeleton):
    for joint in range(len(skeleton)):
        assert joint == skeleton.root or skeleton.ancestors(joint)[-1] == skeleton.root


@pytest.mark.parametrize("skeleton", ALL)
def test_left_and_right_come_in_pairs_that_hang_alike(skeleton: Skeleton):
    mirror = skeleton.mirror
    for joint, name in enumerate(skeleton.joints):
        assert mirror[mirror[joint]] == joint
        other = skeleton.joints[mirror[joint]]
        if name.startswith(("left_", "right_")):
            assert {name, other} == {f"left_{name.split('_', 1)[1]}", f"right_{name.split('_', 1)[1]}"}
        else:
            assert other == name
        parent = skeleton.parents[joint]
        if parent >= 0:
            assert skeleton.parents[mirror[joint]] == mirror[parent]


@pytest.mark.parametrize("skeleton", ALL)
def test_limbs_run_outwards(skeleton: Skeleton):
    chains = (("shoulder", "elbow", "wrist", "hand"), ("hip", "knee", "ankle", "foot"))
    for side, chain in itertools.product(("left_", "right_"), chains):
        limb = [skeleton.index(side + joint) for joint in chain if side + joint in skeleton]
        for inner, outer in itertools.pairwise(limb):
            assert inner in skeleton.ancestors(outer)
            assert not any(skeleton.joints[joint].startswith(_other(side)) for joint in skeleton.ancestors(outer))


def _other(side: str) -> str:
    return "right_" if side == "left_" else "left_"


# Mappings


def mappable() -> list:
    """Pairs of which the first provides every joint of the second."""
    found = []
    for source, target in itertools.product(SKELETONS.values(), repeat=2):
        with contextlib.suppress(UnknownNameError):
            mapping_matrix(source, target)
            found.append(pytest.param(source, target, id=f"{source.name} to {target.name}"))
    return found


@pytest.mark.parametrize(("source", "target"), mappable())
def test_a_mirrored_pose_maps_to_the_mirrored_map(source: Skeleton, target: Skeleton):
    pose = np.random.default_rng(0).normal(size=(len(source), 3))
    flip = np.array([-1, 1, 1])
    mirrored = (pose * flip)[list(source.mirror)]
    expected = (map_joints(pose, source, target) * flip)[list(target.mirror)]
    np.testing.assert_allclose(map_joints(mirrored, source, target), expected, atol=1e-12)


@pytest.mark.parametrize(("source", "target"), mappable())
def test_a_joint_that_both_have_is_moved_unchanged(source: Skeleton, target: Skeleton):
    pose = np.random.default_rng(1).normal(size=(4, len(source), 2))
    mapped = map_joints(pose, source, target)
    assert mapped.shape == (4, len(target), 2)
    for joint in set(source.joints) & set(target.joints):
        np.testing.assert_array_equal(mapped[:, target.index(joint)], pose[:, source.index(joint)])


@pytest.mark.parametrize(("source", "target"), mappable())
def test_weights_of_a_joint_sum_to_one_and_never_cross_the_body(source: Skeleton, target: Skeleton):
    matrix = mapping_matrix(source, target)
    np.testing.assert_allclose(matrix.sum(axis=1), 1)
    for row, joint in enumerate(target.joints):
        parts = [source.joints[part] for part in np.flatnonzero(matrix[row])]
        left, right = (sum(part.startswith(side) for part in parts) for side in ("left_", "right_"))
        if joint.startswith("left_"):
            assert right == 0
        elif joint.startswith("right_"):
            assert left == 0
        else:
            assert left == right


def test_openpose_and_blazepose_reorder_to_coco():
    for source in (COCO_18, BODY_25, BLAZEPOSE_33):
        indices = map_joints(np.arange(len(source))[:, None] * np.ones(2), source, COCO_17)[:, 0]
        assert [source.joints[int(i)] for i in indices] == list(COCO_17.joints)
    np.testing.assert_array_equal(
        map_joints(np.arange(33.0)[:, None], BLAZEPOSE_33, COCO_17)[:, 0],
        [0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28],
    )


def test_joints_that_coco_lacks_stand_midway():
    pose = np.random.default_rng(2).normal(size=(17, 3))

    def at(name: str) -> np.ndarray:
        return pose[COCO_17.index(name)]

    mapped = dict(zip(H36M_17.joints, map_joints(pose, COCO_17, H36M_17), strict=True))
    hips, shoulders = (at("left_hip") + at("right_hip")) / 2, (at("left_shoulder") + at("right_shoulder")) / 2
    np.testing.assert_allclose(mapped["pelvis"], hips)
    np.testing.assert_allclose(mapped["neck"], shoulders)
    np.testing.assert_allclose(mapped["spine"], (hips + shoulders) / 2)
    np.testing.assert_allclose(mapped["head"], (at("left_ear") + at("right_ear")) / 2)
    np.testing.assert_array_equal(mapped["nose"], at("nose"))


def test_a_hand_is_the_middle_of_its_knuckles():
    pose = np.random.default_rng(3).normal(size=(33, 3))
    body = map_joints(pose, BLAZEPOSE_33, BODY_22)
    for side, (index, pinky) in {"left": (19, 17), "right": (20, 18)}.items():
        np.testing.assert_allclose(body[BODY_22.index(f"{side}_hand")], (pose[index] + pose[pinky]) / 2)


def test_the_body_of_the_simulation_comes_whole_from_blazepose():
    assert derivable(BLAZEPOSE_33, BODY_22) is BODY_22


def test_what_cannot_be_had_is_left_out_with_its_children():
    body = derivable(COCO_17, BODY_22)
    assert set(BODY_22.joints) - set(body.joints) == {"left_hand", "right_hand", "left_foot", "right_foot"}
    for joint in body.joints:
        parent, expected = body.parents[body.index(joint)], BODY_22.parents[BODY_22.index(joint)]
        assert (parent, expected) == (-1, -1) or body.joints[parent] == BODY_22.joints[expected]
    pose = np.random.default_rng(4).normal(size=(17, 2))
    np.testing.assert_array_equal(
        map_joints(pose, COCO_17, body)[body.index("right_ankle")], pose[COCO_17.index("right_ankle")]
    )


@pytest.mark.parametrize("source", [SMPL_24, KINECT_20, NTU_25, CMU_31])
def test_the_limbs_of_every_body_reach_the_simulation(source: Skeleton):
    body = derivable(source, BODY_22)
    assert set(BODY_22.joints) - set(body.joints) <= {"left_ear", "right_ear"}


def test_a_hole_spreads_to_the_joints_derived_from_it_and_to_no_other():
    pose = np.zeros((17, 2))
    pose[COCO_17.index("left_hip")] = np.nan
    holes = np.isnan(map_joints(pose, COCO_17, H36M_17)).any(axis=1)
    assert {joint for joint, hole in zip(H36M_17.joints, holes, strict=True) if hole} == {"left_hip", "pelvis", "spine"}


def test_leading_axes_and_the_kind_of_number_are_kept():
    pose = np.random.default_rng(5).normal(size=(2, 3, 17, 2))
    mapped = map_joints(pose, COCO_17, H36M_17)
    assert mapped.shape == (2, 3, 17, 2)
    np.testing.assert_allclose(mapped[1, 2], map_joints(pose[1, 2], COCO_17, H36M_17), atol=1e-15)
    assert map_joints(pose.astype(np.float32), COCO_17, H36M_17).dtype == np.float32
    halves = map_joints(np.arange(34).reshape(17, 2), COCO_17, H36M_17)
    np.testing.assert_array_equal(halves[0], [23.0, 24.0])


# Errors


def test_an_unknown_skeleton_names_those_there_are():
    with pytest.raises(UnknownNameError, match=r"'coco'.*COCO-17.*SMPL-24"):
        get_skeleton("coco")


@pytest.mark.parametrize("shape", [(17,), (3, 16, 2), (17, 3, 2)])
def test_joints_of_another_number_are_refused(shape: tuple[int, ...]):
    with pytest.raises(DataFormatError, match="COCO-17"):
        map_joints(np.zeros(shape), COCO_17, H36M_17)


def test_a_body_without_the_root_is_no_source():
    legs = Skeleton("legs", ("left_knee", "left_ankle"), (-1, 0))
    with pytest.raises(UnknownNameError, match="legs has no pelvis"):
        derivable(legs, BODY_22)


def test_the_mappings_that_the_library_needs_are_among_those_tested():
    tested = {parameter.id for parameter in mappable()}
    assert {"BlazePose-33 to BODY-22", "COCO-17 to H36M-17", "BlazePose-33 to COCO-17"} <= tested
    assert {"BODY-25 to COCO-17", "COCO-18 to COCO-17", "BlazePose-33 to Kinect-20"} <= tested


def test_what_cannot_be_derived_is_named():
    with pytest.raises(UnknownNameError, match=r"COCO-17 has no left_hand, right_hand, left_foot, right_foot"):
        mapping_matrix(COCO_17, KINECT_20)
