from __future__ import annotations

import numpy as np
import oracle
import pytest
from scipy.spatial.transform import Rotation

from har_virtual.exceptions import UnknownNameError
from har_virtual.motion import orient_segments, to_body
from har_virtual.motion.kinematics import main_child
from har_virtual.pose.skeletons import (
    BLAZEPOSE_33,
    BODY_22,
    CMU_31,
    COCO_17,
    H36M_17,
    KINECT_20,
    NTU_25,
    SKELETONS,
    SMPL_24,
)
from har_virtual.skeleton import Motion, Skeleton

SIDES = ("left", "right")
LIMBS = ("left_arm", "right_arm", "left_leg", "right_leg")
EARS, HANDS, FEET = (tuple(f"{side}_{joint}" for side in SIDES) for joint in ("ear", "hand", "foot"))


def times_of(n_frames: int, rate_hz: float = 50.0) -> np.ndarray:
    return np.arange(n_frames) / rate_hz


def motion_of(joints: dict[str, np.ndarray], skeleton: Skeleton = BODY_22, times_s: np.ndarray | None = None) -> Motion:
    positions = np.stack([joints[joint] for joint in skeleton.joints], axis=1)
    return Motion(positions, times_of(len(positions)) if times_s is None else times_s, skeleton)


def standing(elbow_rad: float = 0.4, knee_rad: float = 0.4, n_frames: int = 3) -> dict[str, np.ndarray]:
    return oracle.person(np.full(n_frames, elbow_rad), np.full(n_frames, knee_rad))


def frame_of(motion: Motion, joint: str) -> np.ndarray:
    return motion.rotations[:, motion.skeleton.index(joint)]


def without(skeleton: Skeleton, *absent: str) -> Skeleton:
    """A skeleton that lacks some joints, whose children hang on their grandparent."""
    keep = [i for i, joint in enumerate(skeleton.joints) if joint not in absent]
    parents = [next((keep.index(a) for a in skeleton.ancestors(i) if a in keep), -1) for i in keep]
    return Skeleton("cut", [skeleton.joints[i] for i in keep], parents)


def bend(joints: dict[str, np.ndarray], side: str, flexion_rad: np.ndarray, heading_rad: np.ndarray) -> None:
    """Bend one elbow of a hanging arm towards a heading, counted from forward to the person's left."""
    forward = oracle.rotation_about("z", heading_rad) @ oracle.FORWARD
    along = np.sin(flexion_rad)[:, None] * forward - np.cos(flexion_rad)[:, None] * oracle.UP
    joints[f"{side}_wrist"] = joints[f"{side}_elbow"] + 0.26 * along
    joints[f"{side}_hand"] = joints[f"{side}_elbow"] + 0.34 * along


def swing(joints: dict[str, np.ndarray], side: str, turns: np.ndarray) -> None:
    """Turn a whole arm about its shoulder by matrices (T, 3, 3)."""
    shoulder = joints[f"{side}_shoulder"]
    for joint in ("elbow", "wrist", "hand"):
        name = f"{side}_{joint}"
        joints[name] = shoulder + np.einsum("tij,tj->ti", turns, joints[name] - shoulder)


def turned(joints: dict[str, np.ndarray], turns: np.ndarray) -> dict[str, np.ndarray]:
    return {name: np.einsum("tij,tj->ti", turns, joint) for name, joint in joints.items()}


@pytest.mark.parametrize(("elbow_rad", "knee_rad"), [(0.3, 0.3), (1.5, 0.8), (0.1, 0.05), (0.0, 0.0)])
def test_a_standing_person_has_the_documented_frames(elbow_rad, knee_rad):
    angles = np.full(3, elbow_rad), np.full(3, knee_rad)
    motion = orient_segments(motion_of(oracle.person(*angles)))
    for joint, frame in oracle.person_frames(*angles).items():
        np.testing.assert_allclose(frame_of(motion, joint), frame, atol=1e-12, err_msg=joint)


def test_frames_turn_with_the_person():
    turns = Rotation.random(20, random_state=0).as_matrix()
    angles = np.full(20, 0.4), np.full(20, 0.6)
    motion = orient_segments(motion_of(turned(oracle.person(*angles), turns)))
    for joint, frame in oracle.person_frames(*angles).items():
        np.testing.assert_allclose(frame_of(motion, joint), turns @ frame, atol=1e-9, err_msg=joint)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(
    ("upper", "lowers"), [("shoulder", ("elbow", "wrist", "hand")), ("hip", ("knee", "ankle", "foot"))]
)
def test_flexion_is_a_positive_turn_about_z_on_both_sides(side, upper, lowers):
    times, rate = times_of(40), 1.7
    flexion = 0.4 + rate * times
    motion = orient_segments(motion_of(oracle.person(flexion, flexion), times_s=times))
    np.testing.assert_allclose(oracle.turn_rates(frame_of(motion, f"{side}_{upper}"), times), 0, atol=1e-9)
    for joint in lowers:
        rates = oracle.turn_rates(frame_of(motion, f"{side}_{joint}"), times)
        np.testing.assert_allclose(rates, np.tile([0, 0, rate], (39, 1)), atol=1e-9)


@pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=SKELETONS)
def test_a_mirrored_motion_has_mirrored_frames_with_z_reversed(skeleton):
    motion = orient_segments(motion_of(oracle.fidgeting_person(times_of(60)), skeleton))
    mirror = list(skeleton.mirror)
    reflected = orient_segments(motion.replace(positions_m=motion.positions_m[:, mirror] * [-1, 1, 1], rotations=None))
    reflection, reverse_z = np.diag([-1.0, 1, 1]), np.diag([1.0, 1, -1])
    np.testing.assert_allclose(reflected.rotations, reflection @ motion.rotations[:, mirror] @ reverse_z, atol=1e-9)


@pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=SKELETONS)
def test_all_rotations_are_proper_and_x_lies_along_the_limbs(skeleton):
    motion = orient_segments(motion_of(oracle.fidgeting_person(times_of(60)), skeleton))
    eye = np.swapaxes(motion.rotations, -1, -2) @ motion.rotations
    np.testing.assert_allclose(eye, np.broadcast_to(np.eye(3), eye.shape), atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(motion.rotations), 1, atol=1e-12)
    for side in SIDES:
        for start, end in (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle")):
            if skeleton is CMU_31 and start == "elbow":
                end = "forearm"
            bone = motion.joint(f"{side}_{end}") - motion.joint(f"{side}_{start}")
            x = frame_of(motion, f"{side}_{start}")[:, :, 0]
            np.testing.assert_allclose(x, bone / np.linalg.norm(bone, axis=1, keepdims=True), atol=1e-12)


@pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=SKELETONS)
def test_every_skeleton_gives_the_limbs_of_a_standing_person_their_frames(skeleton):
    angles = np.full(3, 0.4), np.full(3, 0.6)
    motion = orient_segments(motion_of(oracle.person(*angles), skeleton))
    expected = oracle.person_frames(*angles)
    for joint in (f"{side}_{name}" for side in SIDES for name in ("shoulder", "elbow", "hip", "knee")):
        np.testing.assert_allclose(frame_of(motion, joint), expected[joint], atol=1e-12, err_msg=joint)


def test_the_twist_of_a_straight_arm_is_interpolated_in_time_between_the_bends():
    """The elbow bends forward, stretches, and bends again to the side: its axis turned by 60 degrees meanwhile."""
    rng = np.random.default_rng(0)
    times = np.cumsum(rng.uniform(0.005, 0.03, 60))
    flexion, heading = np.full(60, 0.5), np.zeros(60)
    flexion[20:40], heading[30:] = 0.0, np.deg2rad(60)
    for side in SIDES:
        joints = standing(n_frames=60)
        bend(joints, side, flexion, heading)
        upper = frame_of(orient_segments(motion_of(joints, times_s=times)), f"{side}_shoulder")
        twist = np.interp(times, [times[19], times[40]], [0, np.deg2rad(60)])
        # The axis is the forward direction turned by a quarter about the arm, which hangs down.
        np.testing.assert_allclose(upper[:, :, 2], oracle.rotation_about("z", twist) @ oracle.RIGHT, atol=1e-9)


def test_twist_is_held_before_the_first_and_after_the_last_bend():
    flexion, heading = np.zeros(30), np.full(30, np.deg2rad(-40))
    flexion[10:20] = 0.6
    joints = standing(n_frames=30)
    bend(joints, "right", flexion, heading)
    upper = frame_of(orient_segments(motion_of(joints)), "right_shoulder")
    expected = oracle.rotation_about("z", heading) @ oracle.ARM_FRAME
    np.testing.assert_allclose(upper, expected, atol=1e-9)


def test_twist_takes_the_short_way_between_two_bends():
    flexion, heading = np.full(30, 0.5), np.deg2rad(np.linspace(170, 190, 30))
    flexion[10:20] = 0.0
    joints = standing(n_frames=30)
    bend(joints, "left", flexion, heading)
    upper = frame_of(orient_segments(motion_of(joints)), "left_shoulder")
    np.testing.assert_allclose(upper, oracle.rotation_about("z", heading) @ oracle.ARM_FRAME, atol=1e-9)


def test_straight_arms_turn_with_the_shoulders_and_straight_legs_with_the_hips():
    joints, turn = standing(0.0, 0.0), oracle.rotation_about("z", 0.3)
    arms = ("shoulder", "elbow", "wrist", "hand")
    joints |= {f"{side}_{joint}": joints[f"{side}_{joint}"] @ turn.T for side in SIDES for joint in arms}
    motion = orient_segments(motion_of(joints))
    for side in SIDES:
        np.testing.assert_allclose(frame_of(motion, f"{side}_elbow")[0], turn @ oracle.ARM_FRAME, atol=1e-12)
        np.testing.assert_allclose(frame_of(motion, f"{side}_knee")[0], oracle.LEG_FRAME, atol=1e-12)


def test_a_limb_that_stretches_and_bends_again_does_not_jump():
    times = times_of(200)
    flexion, heading = 0.5 * np.sin(2 * times) ** 2, np.sin(times)
    joints = standing(n_frames=200)
    bend(joints, "left", flexion, heading)
    motion = orient_segments(motion_of(joints, times_s=times))
    assert 0.2 < motion.attrs["twist_confidence"]["left_arm"] < 0.8
    for joint in ("left_shoulder", "left_elbow", "left_wrist"):
        # The axis turns by at most 1 rad/s where it is measured, and the elbow by 1; no frame adds a jump.
        assert np.linalg.norm(oracle.turn_rates(frame_of(motion, joint), times), axis=1).max() < 3


def test_arms_that_never_bend_take_the_trunks_frame_whatever_way_they_are_held():
    """Raised sideways, elbows bend forward: z is down on the left, up on the right. Raised forward, z stays right."""
    for angle, axis, z in ((np.pi / 2, "y", -oracle.UP), (np.pi / 2, "x", oracle.RIGHT), (3.0, "x", oracle.RIGHT)):
        joints = standing(0.0, 0.0)
        swing(joints, "left", oracle.rotation_about(axis, np.full(3, angle)))
        swing(joints, "right", oracle.rotation_about(axis, np.full(3, angle if axis == "x" else -angle)))
        motion = orient_segments(motion_of(joints))
        assert set(motion.attrs["twist_confidence"].values()) == {0.0}
        np.testing.assert_allclose(frame_of(motion, "left_elbow")[:, :, 2], np.tile(z, (3, 1)), atol=1e-9)
        other = z if axis == "x" else -z
        np.testing.assert_allclose(frame_of(motion, "right_elbow")[:, :, 2], np.tile(other, (3, 1)), atol=1e-9)


def test_a_straight_arm_raised_sideways_is_not_sensitive_to_where_it_points_exactly():
    frames = []
    for tilt in (-0.05, 0.05):
        joints = standing(0.0, 0.0)
        turns = oracle.rotation_about("z", np.full(3, tilt)) @ oracle.rotation_about("y", np.full(3, np.pi / 2))
        swing(joints, "left", turns)
        frames.append(frame_of(orient_segments(motion_of(joints)), "left_shoulder")[0])
    assert np.abs(frames[0] - frames[1]).max() < 0.11


def test_a_straight_arm_that_circles_beside_a_still_trunk_does_not_turn_about_itself():
    times = times_of(400, 200)
    cone = oracle.rotation_about("z", 3 * times) @ oracle.rotation_about("y", 0.3 + 0.5 * np.sin(2 * times))
    joints = standing(0.0, 0.0, 400)
    swing(joints, "right", cone)
    motion = orient_segments(motion_of(joints, times_s=times))
    rates = oracle.turn_rates(frame_of(motion, "right_shoulder"), times)
    np.testing.assert_allclose(rates[:, 0], 0, atol=1e-3)
    assert np.abs(rates[:, 1:]).max() > 0.5


@pytest.mark.parametrize("flexion_rad", [0.0, 0.4])
def test_limbs_turn_with_a_turning_person_straight_or_bent(flexion_rad):
    times = times_of(100)
    turns = oracle.rotation_about("z", 2.5 * times)
    motion = orient_segments(motion_of(turned(standing(flexion_rad, flexion_rad, 100), turns), times_s=times))
    for joint in BODY_22.joints:
        rates = oracle.turn_rates(frame_of(motion, joint), times)
        upward = np.einsum("tji,j->ti", frame_of(motion, joint)[:-1], oracle.UP)
        np.testing.assert_allclose(rates, 2.5 * upward, atol=1e-9, err_msg=joint)


def test_twist_confidence_is_the_share_of_frames_that_bend_enough():
    elbow = np.deg2rad([5, 10, 14.9, 15.1, 20, 90, 164.9, 165.1, 179, 20])
    knee = np.deg2rad([0, 0, 0, 0, 0, 0, 0, 0, 30, 30])
    motion = motion_of(oracle.person(elbow, knee))
    confidence = orient_segments(motion).attrs["twist_confidence"]
    assert confidence == {"left_arm": 0.5, "right_arm": 0.5, "left_leg": 0.2, "right_leg": 0.2}
    assert orient_segments(motion, min_flexion_deg=10.01).attrs["twist_confidence"]["left_arm"] == 0.7


def test_an_arm_folded_back_on_itself_keeps_its_twist():
    """At 179.9 degrees of flexion the measured axis is noise: here it points the opposite way."""
    flexion, heading = np.full(30, 1.0), np.zeros(30)
    flexion[10:20], heading[10:20] = np.deg2rad(179.9), np.pi
    joints = standing(n_frames=30)
    bend(joints, "left", flexion, heading)
    motion = orient_segments(motion_of(joints))
    np.testing.assert_allclose(frame_of(motion, "left_shoulder"), np.tile(oracle.ARM_FRAME, (30, 1, 1)), atol=1e-9)
    np.testing.assert_allclose(frame_of(motion, "left_elbow")[15, :, 2], oracle.RIGHT, atol=1e-9)


def test_a_motion_keeps_everything_else():
    motion = motion_of(standing()).replace(subject="7", label="stand", attrs={"source": "here"})
    oriented = orient_segments(motion)
    assert (oriented.subject, oriented.label, oriented.attrs["source"]) == ("7", "stand", "here")
    assert "twist_confidence" not in motion.attrs and motion.rotations is None
    np.testing.assert_array_equal(oriented.positions_m, motion.positions_m)


@pytest.mark.parametrize(
    ("skeleton", "joint", "child"),
    [
        (BODY_22, "pelvis", "spine"),
        (BODY_22, "neck", "head"),
        (BODY_22, "left_hand", None),
        (CMU_31, "pelvis", "spine"),
        (CMU_31, "neck", "neck2"),
        (CMU_31, "left_wrist", "left_hand"),
        (SMPL_24, "spine3", "neck"),
        (NTU_25, "right_wrist", "right_hand"),
        (H36M_17, "neck", "nose"),
        (COCO_17, "left_shoulder", "left_elbow"),
        (BLAZEPOSE_33, "right_shoulder", "right_elbow"),
        (BLAZEPOSE_33, "left_ankle", "left_foot"),
        (Skeleton("T", ("pelvis", "left_hip", "right_hip", "spine"), (-1, 0, 0, 0)), "pelvis", "spine"),
        (Skeleton("Y", ("neck", "left_collar", "neck2", "left_shoulder"), (-1, 0, 0, 1)), "neck", "neck2"),
        (Skeleton("wrist", ("left_wrist", "bump", "left_hand"), (-1, 0, 0)), "left_wrist", "left_hand"),
    ],
)
def test_a_segment_ends_towards_the_head_or_along_the_limb(skeleton, joint, child):
    end = main_child(skeleton, skeleton.index(joint))
    assert (None if end is None else skeleton.joints[end]) == child


def test_joints_without_a_segment_of_their_own_take_their_parents_frame():
    motion = orient_segments(motion_of(oracle.fidgeting_person(times_of(20)), SMPL_24))
    for joint, parent in (("left_collar", "spine3"), ("right_collar", "spine3"), ("head", "neck")):
        np.testing.assert_array_equal(frame_of(motion, joint), frame_of(motion, parent))
    for side in SIDES:
        np.testing.assert_array_equal(frame_of(motion, f"{side}_hand"), frame_of(motion, f"{side}_wrist"))
        np.testing.assert_array_equal(frame_of(motion, f"{side}_foot"), frame_of(motion, f"{side}_ankle"))
    body = orient_segments(motion_of(oracle.fidgeting_person(times_of(20))))
    for joint in ("head", *EARS):
        np.testing.assert_array_equal(frame_of(body, joint), frame_of(body, "neck"))


def test_a_root_without_a_middle_segment_takes_the_frame_of_the_trunk():
    motion = orient_segments(motion_of(standing(), BLAZEPOSE_33))
    for joint in ("nose", "left_eye", "right_mouth"):
        np.testing.assert_allclose(frame_of(motion, joint)[0], oracle.TRUNK_FRAME, atol=1e-12)


def test_a_segment_without_length_takes_its_parents_frame():
    joints = standing()
    joints["left_hand"] = joints["left_wrist"]
    motion = orient_segments(motion_of(joints))
    np.testing.assert_array_equal(frame_of(motion, "left_wrist"), frame_of(motion, "left_elbow"))


def test_an_arm_without_a_wrist_still_has_its_elbow_on_the_right_side_of_things():
    motion = orient_segments(motion_of(standing(), without(KINECT_20, "left_wrist", "left_hand")))
    np.testing.assert_allclose(frame_of(motion, "left_shoulder")[0], oracle.ARM_FRAME, atol=1e-12)
    assert set(motion.attrs["twist_confidence"]) == set(LIMBS) - {"left_arm"}


def test_hips_and_shoulders_are_needed():
    skeleton = Skeleton("trunk", ("pelvis", "spine", "neck"), (-1, 0, 1))
    with pytest.raises(UnknownNameError, match="no left and right hip"):
        orient_segments(motion_of(standing(), skeleton))


def test_the_twist_that_a_file_measured_is_kept_and_its_axes_are_aligned():
    """Pronation, hidden from positions, in a frame that is glued on askew."""
    times = times_of(100)
    flexion = 0.6 + 0.2 * np.sin(5 * times)
    # Whole periods, so that the mean pronation is zero.
    pronation = 0.7 * np.sin(2 * np.pi * times / 2.0)
    joints = oracle.person(flexion, flexion)
    truth = np.stack([np.broadcast_to(np.eye(3), (100, 3, 3))] * len(BODY_22), axis=1).copy()
    for joint, frame in oracle.person_frames(flexion, flexion).items():
        truth[:, BODY_22.index(joint)] = frame
    truth[:, [BODY_22.index(ear) for ear in EARS]] = oracle.TRUNK_FRAME
    truth[:, BODY_22.index("left_elbow")] @= oracle.rotation_about("x", pronation)
    askew = Rotation.random(len(BODY_22), random_state=1).as_matrix()
    motion = orient_segments(motion_of(joints, times_s=times), joint_rotations=truth @ askew)
    np.testing.assert_allclose(motion.rotations, truth, atol=1e-9)


def test_the_axes_of_a_file_are_aligned_where_the_limb_bends():
    """The knee is straight half of the time while the leg turns about itself, which only the file knows."""
    times = times_of(100)
    knee = np.where(np.arange(100) < 50, 0.5, 0.0)
    twist = np.where(np.arange(100) < 50, 0.0, 2 * (times - times[50]))
    joints = oracle.person(np.full(100, 0.5), knee)
    thigh = oracle.rotation_about("z", -twist) @ oracle.LEG_FRAME
    askew = Rotation.random(random_state=2).as_matrix()
    given = np.tile(np.eye(3), (100, len(BODY_22), 1, 1))
    given[:, BODY_22.index("right_hip")] = thigh @ askew
    motion = orient_segments(motion_of(joints, times_s=times), joint_rotations=given)
    np.testing.assert_allclose(frame_of(motion, "right_hip"), thigh, atol=1e-9)


@pytest.mark.parametrize(
    ("skeleton", "absent"),
    [
        (COCO_17, HANDS + FEET),
        (SKELETONS["COCO-18"], HANDS + FEET),
        (SKELETONS["BODY-25"], HANDS),
        (H36M_17, EARS + HANDS + FEET),
        (KINECT_20, EARS),
        (NTU_25, EARS),
        (BLAZEPOSE_33, ()),
        (SMPL_24, EARS),
        (CMU_31, EARS),
        (BODY_22, ()),
    ],
    ids=lambda value: value.name if isinstance(value, Skeleton) else "",
)
@pytest.mark.parametrize("oriented_first", [False, True], ids=["positions", "rotations"])
def test_the_body_of_a_skeleton_has_its_joints_and_the_documented_frames(skeleton, absent, oriented_first):
    angles = np.full(3, 0.4), np.full(3, 0.6)
    joints, frames = oracle.person(*angles), oracle.person_frames(*angles)
    motion = motion_of(joints, skeleton)
    body = to_body(orient_segments(motion) if oriented_first else motion)
    assert set(BODY_22.joints) - set(body.skeleton.joints) == set(absent)
    for joint in body.skeleton.joints:
        np.testing.assert_allclose(body.joint(joint), joints[joint], atol=1e-12, err_msg=joint)
        expected = frames[joint if joint in frames else "neck"]
        if joint in ("left_ankle", "right_ankle") and "left_foot" in absent:
            expected = frames[joint.replace("ankle", "knee")]
        if joint in ("left_wrist", "right_wrist") and "left_hand" in absent:
            expected = frames[joint.replace("wrist", "elbow")]
        np.testing.assert_allclose(frame_of(body, joint), expected, atol=1e-9, err_msg=joint)


def look_left(angle_rad: float) -> dict[str, np.ndarray]:
    joints, turn = standing(), oracle.rotation_about("z", angle_rad)
    head = ("nose", *(name for name in joints if name.endswith("ear") or "eye" in name))
    return joints | {name: joints[name] @ turn.T for name in head}


@pytest.mark.parametrize("skeleton", [COCO_17, BLAZEPOSE_33, BODY_22], ids=lambda s: s.name)
def test_the_ears_turn_the_head(skeleton):
    body = to_body(motion_of(look_left(0.5), skeleton))
    for joint in ("neck", "head", *EARS):
        expected = oracle.rotation_about("z", 0.5) @ oracle.TRUNK_FRAME
        np.testing.assert_allclose(frame_of(body, joint)[0], expected, atol=1e-9)
    np.testing.assert_allclose(frame_of(body, "spine")[0], oracle.TRUNK_FRAME, atol=1e-9)


def test_without_ears_the_head_turns_with_the_shoulders_and_the_pelvis_with_the_hips():
    joints = standing()
    turn = oracle.rotation_about("z", 0.3)
    joints |= {name: joints[name] @ turn.T for name in ("left_shoulder", "right_shoulder")}
    body = to_body(motion_of(joints, KINECT_20))
    for joint, angle in (("neck", 0.3), ("head", 0.3), ("spine", 0.3), ("pelvis", 0.0)):
        expected = oracle.rotation_about("z", angle) @ oracle.TRUNK_FRAME
        np.testing.assert_allclose(frame_of(body, joint)[0], expected, atol=1e-9, err_msg=joint)


def with_rotations(joints: dict[str, np.ndarray], skeleton: Skeleton) -> Motion:
    """A motion whose rotations nothing in the positions would suggest."""
    motion = motion_of(joints, skeleton)
    n = len(motion) * len(skeleton)
    return motion.replace(rotations=Rotation.random(n, random_state=3).as_matrix().reshape(-1, len(skeleton), 3, 3))


def test_rotations_of_the_same_segments_are_kept_to_the_bit():
    motion = with_rotations(standing(), KINECT_20)
    body = to_body(motion)
    for joint in set(body.skeleton.joints) - {"neck", "head", *HANDS, *FEET}:
        np.testing.assert_array_equal(frame_of(body, joint), frame_of(motion, joint), err_msg=joint)
    for joint, parent in (("head", "neck"), *((hand, hand.replace("hand", "wrist")) for hand in HANDS)):
        np.testing.assert_array_equal(frame_of(body, joint), frame_of(body, parent))
    assert "twist_confidence" not in body.attrs


def test_a_head_sensor_turns_with_the_skull_and_not_only_with_the_neck():
    """As in SMPL: the head's joint has an orientation of its own, which does not move it."""
    motion = orient_segments(motion_of(standing(), SMPL_24))
    nods = oracle.rotation_about("x", np.array([-0.3, 0.0, 0.3]))
    rotations = motion.rotations.copy()
    rotations[:, SMPL_24.index("head")] = nods @ oracle.TRUNK_FRAME
    body = to_body(motion.replace(rotations=rotations))
    np.testing.assert_allclose(frame_of(body, "neck"), nods @ oracle.TRUNK_FRAME, atol=1e-12)


def test_without_a_spine_only_the_trunk_follows_from_the_positions():
    motion = with_rotations(standing(), without(BODY_22, "spine"))
    body = to_body(motion)
    assert body.skeleton == BODY_22
    for joint in ("pelvis", "spine"):
        np.testing.assert_allclose(frame_of(body, joint)[0], oracle.TRUNK_FRAME, atol=1e-12)
    for joint in (
        "neck",
        *(f"{side}_{name}" for side in SIDES for name in ("shoulder", "elbow", "wrist", "hip", "ankle")),
    ):
        np.testing.assert_array_equal(frame_of(body, joint), frame_of(motion, joint), err_msg=joint)


def test_a_forearm_of_two_bones_turns_with_the_one_at_the_wrist():
    motion = with_rotations(standing(), CMU_31)
    straight = motion.rotations.copy()
    for side in SIDES:
        pronation = oracle.rotation_about("x", 0.9)
        straight[:, CMU_31.index(f"{side}_forearm")] = oracle.rotation_about("x", 0.4) @ oracle.ARM_FRAME @ pronation
    body = to_body(motion.replace(rotations=straight))
    for side in SIDES:
        kept = straight[:, CMU_31.index(f"{side}_forearm")]
        np.testing.assert_allclose(frame_of(body, f"{side}_elbow"), kept, atol=1e-12)


def test_where_the_last_bone_lies_askew_x_still_lies_along_the_whole_segment():
    """Human3.6M's nose comes between neck and head; nodding then shows as a nod, not as a tilt of the axes."""
    nods = oracle.rotation_about("x", np.array([0.0, 0.2, -0.2]))
    joints = standing()
    for name in ("nose", "head"):
        joints[name] = joints["neck"] + np.einsum("tij,tj->ti", nods, joints[name] - joints["neck"])
    body = to_body(orient_segments(motion_of(joints, H36M_17)))
    np.testing.assert_allclose(frame_of(body, "neck"), nods @ oracle.TRUNK_FRAME, atol=1e-12)


def test_a_body_stays_as_it_is():
    for skeleton in (BODY_22, COCO_17):
        body = to_body(motion_of(oracle.fidgeting_person(times_of(20)), skeleton))
        again = to_body(body)
        assert again.skeleton == body.skeleton
        np.testing.assert_array_equal(again.rotations, body.rotations)
    bare = motion_of(standing())
    np.testing.assert_array_equal(to_body(bare).rotations, orient_segments(bare).rotations)


def test_a_body_keeps_uncertainty_subject_and_label():
    motion = motion_of(standing(), COCO_17)
    uncertainty = np.zeros((3, 17)) + np.arange(17)
    body = to_body(motion.replace(uncertainty_m=uncertainty, subject="7", label="stand"))
    assert (body.subject, body.label) == ("7", "stand")
    assert body.uncertainty_m[0, body.skeleton.index("left_knee")] == COCO_17.index("left_knee")
    middle = (COCO_17.index("left_ear") + COCO_17.index("right_ear")) / 2
    assert body.uncertainty_m[0, body.skeleton.index("head")] == middle
