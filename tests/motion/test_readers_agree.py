"""Real motion capture: what the readers give is a person who stands, walks and runs like one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from har_virtual.motion import read_asf_amc, read_bvh, to_body
from har_virtual.motion.kinematics import main_child
from har_virtual.pose.skeletons import BODY_22
from har_virtual.skeleton import Motion

CMU_UNIT_M = 0.0254 / 0.45
WALKS = ("12_01", "02_01")
TAKES = (*WALKS, "02_03")
LEGS = [f"{side}_{joint}" for side in ("left", "right") for joint in ("hip", "knee", "ankle", "foot", "toes")]


@pytest.fixture(scope="module")
def takes(test_data: Path) -> dict[str, Motion]:
    folder = test_data / "mocap" / "cmu"
    return {
        "12_01": read_bvh(folder / "12_01_walk.bvh", unit_m=CMU_UNIT_M, up="y", skip_frames=1),
        **{take: read_asf_amc(folder / "02.asf", folder / f"{take}.amc") for take in ("02_01", "02_03")},
    }


@pytest.fixture(scope="module")
def pair(test_data: Path) -> tuple[Motion, Motion]:
    """One take in both formats, the BVH without its rest frame."""
    folder = test_data / "mocap" / "cmu"
    bvh = read_bvh(folder / "bvh" / "01_01.bvh", unit_m=CMU_UNIT_M, up="y", skip_frames=1)
    return bvh, read_asf_amc(folder / "01.asf", folder / "01_01.amc")


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def left_of(motion: Motion) -> np.ndarray:
    """The subject's left in the horizontal plane, from the hips."""
    return unit((motion.joint("left_hip") - motion.joint("right_hip")) * [1, 1, 0])


def angle_deg(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Angle between rotations; from the chord, because the arc cosine is blind near zero."""
    chord = np.linalg.norm(a - b, axis=(-2, -1)) / np.sqrt(8)
    return np.rad2deg(2 * np.arcsin(np.minimum(chord, 1)))


@pytest.mark.parametrize("take", TAKES)
def test_bones_keep_their_length(takes, take):
    motion = takes[take]
    for joint, parent in enumerate(motion.skeleton.parents):
        if parent >= 0:
            length = np.linalg.norm(motion.positions_m[:, joint] - motion.positions_m[:, parent], axis=1)
            assert np.ptp(length) < 1e-3, motion.skeleton.joints[joint]
            assert 0.01 < length.mean() < 0.6, motion.skeleton.joints[joint]


@pytest.mark.parametrize("take", TAKES)
def test_the_person_moves_forward_and_left_is_left(takes, take):
    motion = takes[take]
    left = left_of(motion)
    forward = np.cross(left, [0, 0, 1])
    velocity = np.gradient(motion.joint("pelvis"), motion.timestamps_s, axis=0) * [1, 1, 0]
    assert np.sum(unit(velocity) * forward, axis=1).mean() > 0.95
    for side, sign in (("left", 1), ("right", -1)):
        foot = motion.joint(f"{side}_foot") - motion.joint(f"{side}_ankle")
        assert np.sum(foot * forward, axis=1).mean() > 0.05
        for joint in ("hip", "knee", "ankle", "foot", "shoulder", "elbow", "wrist"):
            beside = motion.joint(f"{side}_{joint}") - motion.joint("pelvis")
            assert sign * np.sum(beside * left, axis=1).mean() > 0.02, (side, joint)


@pytest.mark.parametrize(
    ("take", "slowest", "fastest"), [("12_01", 0.8, 2.0), ("02_01", 0.8, 2.0), ("02_03", 2.0, 5.0)]
)
def test_walkers_walk_and_runners_run(takes, take, slowest, fastest):
    motion = takes[take]
    path = motion.joint("pelvis")[:, :2]
    assert slowest < np.linalg.norm(path[-1] - path[0]) / motion.duration_s < fastest


@pytest.mark.parametrize("take", WALKS)
def test_the_head_is_up_and_the_feet_are_on_the_ground(takes, take):
    motion = takes[take]
    heights = {joint: motion.joint(joint)[:, 2] for joint in ("head", "neck", "pelvis", "left_knee", "left_foot")}
    assert np.all(np.diff([heights[joint] for joint in heights], axis=0) < 0)
    for side in ("left", "right"):
        assert -0.02 < motion.joint(f"{side}_toes")[:, 2].min() < 0.05


@pytest.mark.parametrize("take", TAKES)
@pytest.mark.parametrize("convert", [lambda motion: motion, to_body], ids=["file", "body"])
def test_rotations_are_proper_and_continuous(takes, take, convert):
    motion = convert(takes[take])
    rotations = motion.rotations
    eye = np.broadcast_to(np.eye(3), rotations.shape)
    np.testing.assert_allclose(np.swapaxes(rotations, -1, -2) @ rotations, eye, atol=1e-9)
    np.testing.assert_allclose(np.linalg.det(rotations), 1, atol=1e-9)
    steps = angle_deg(rotations[1:], rotations[:-1]).max(axis=0)
    for joint, step in zip(motion.skeleton.joints, steps, strict=True):
        # At 120 Hz 8 degrees are 960 degrees a second; CMU's toe angles jump when the toes leave the ground.
        assert step < (25 if joint.endswith(("foot", "toes")) else 8), joint


@pytest.mark.parametrize("take", TAKES)
def test_the_x_axis_lies_along_the_bone(takes, take):
    motion = takes[take]
    for joint in range(len(motion.skeleton)):
        child = main_child(motion.skeleton, joint)
        if child is not None and joint != motion.skeleton.root:
            bone = unit(motion.positions_m[:, child] - motion.positions_m[:, joint])
            np.testing.assert_allclose(motion.rotations[:, joint, :, 0], bone, atol=1e-6)


@pytest.mark.parametrize("take", TAKES)
def test_the_pelvis_turns_with_the_hips_and_not_with_the_back(takes, take):
    motion = takes[take]
    hips = unit(motion.joint("left_hip") - motion.joint("right_hip"))
    in_pelvis = np.einsum("tji,tj->ti", motion.rotations[:, motion.skeleton.root], hips)
    np.testing.assert_allclose(in_pelvis, in_pelvis[:1].repeat(len(hips), axis=0), atol=1e-6)
    assert in_pelvis[0, 2] > 0.98


@pytest.mark.parametrize("take", TAKES)
def test_z_axes_of_the_body_are_left_for_trunk_and_legs_and_right_for_arms(takes, take):
    body = to_body(takes[take])
    left = left_of(body)
    signs = dict.fromkeys(("pelvis", "spine", "neck", "head"), 1)
    for side in ("left", "right"):
        signs |= {f"{side}_{joint}": 1 for joint in ("hip", "knee", "ankle")}
        signs |= {f"{side}_{joint}": -1 for joint in ("shoulder", "elbow", "wrist")}
    for joint, sign in signs.items():
        z = body.rotations[:, body.skeleton.index(joint), :, 2]
        assert sign * np.sum(z * left, axis=1).mean() > 0.8, joint


@pytest.mark.parametrize("take", TAKES)
def test_the_body_has_its_joints_where_the_file_has_them(takes, take):
    motion, body = takes[take], to_body(takes[take])
    assert set(BODY_22.joints) - set(body.skeleton.joints) == {"left_ear", "right_ear"}
    for joint in body.skeleton.joints:
        np.testing.assert_allclose(body.joint(joint), motion.joint(joint), atol=1e-12)


def test_hips_and_legs_agree_between_the_formats(pair):
    bvh, acclaim = pair
    assert len(bvh) == len(acclaim)
    np.testing.assert_allclose(bvh.timestamps_s, acclaim.timestamps_s, atol=1e-9)
    for joint in ("pelvis", "spine", *LEGS):
        np.testing.assert_allclose(bvh.joint(joint), acclaim.joint(joint), atol=1e-3, err_msg=joint)


def test_orientations_agree_between_the_formats(pair):
    for joint in pair[0].skeleton.joints:
        ours, theirs = (m.rotations[:, m.skeleton.index(joint)] for m in pair)
        assert angle_deg(ours, theirs).max() < 0.01, joint


def test_the_bvh_leaves_out_the_length_of_the_thorax_and_of_the_wrist_bone(pair):
    bvh, acclaim = pair
    for joint in ("neck", "head", "left_shoulder", "right_elbow"):
        low_m = np.linalg.norm(acclaim.joint(joint) - bvh.joint(joint), axis=1)
        np.testing.assert_allclose(low_m, 2.06488 * CMU_UNIT_M, atol=1e-4, err_msg=joint)
    for motion, length in ((bvh, 3.48356), (acclaim, 3.48356 + 1.74178)):
        forearm_m = np.linalg.norm(motion.joint("left_wrist") - motion.joint("left_elbow"), axis=1)
        np.testing.assert_allclose(forearm_m, length * CMU_UNIT_M, atol=1e-4)
