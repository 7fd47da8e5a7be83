from __future__ import annotations

from pathlib import Path

import numpy as np
import pybvh
import pytest

from har_virtual.exceptions import DataFormatError, DataWarning, UnknownNameError
from har_virtual.motion import read_bvh
from har_virtual.pose.skeletons import BODY_22

CMU_UNIT_M = 0.0254 / 0.45
POSITION = "Xposition Yposition Zposition"
ROTATION = "Zrotation Xrotation Yrotation"

# Joints of a person in a Y-up file in centimetres: name, parent, offset. A name that ends in * is an End Site.
PERSON = [
    ("Hips", None, (0, 0, 0)),
    ("LHipJoint", "Hips", (0, 0, 0)),
    ("LeftUpLeg", "LHipJoint", (10, -5, 0)),
    ("LeftLeg", "LeftUpLeg", (0, -40, 0)),
    ("LeftFoot", "LeftLeg", (0, -40, 0)),
    ("LeftToeBase", "LeftFoot", (0, -5, 12)),
    ("*", "LeftToeBase", (0, 0, 5)),
    ("RightUpLeg", "Hips", (-10, -5, 0)),
    ("RightLeg", "RightUpLeg", (0, -40, 0)),
    ("*", "RightLeg", (0, -40, 0)),
    ("Spine", "Hips", (0, 20, 0)),
    ("Spine1", "Spine", (0, 20, 0)),
    ("Neck", "Spine1", (0, 0, 0)),
    ("Head", "Neck", (0, 15, 0)),
    ("*", "Head", (0, 20, 0)),
    ("LeftShoulder", "Spine1", (0, 0, 0)),
    ("LeftArm", "LeftShoulder", (18, 0, 0)),
    ("LeftForeArm", "LeftArm", (28, 0, 0)),
    ("LeftHand", "LeftForeArm", (25, 0, 0)),
    ("*", "LeftHand", (10, 0, 0)),
    ("RightShoulder", "Spine1", (-18, 0, 0)),
    ("*", "RightShoulder", (-28, 0, 0)),
]


def hierarchy(joints: list[tuple], channels: dict[str, str], parent: str | None = None) -> list[str]:
    lines = []
    for name, above, offset in joints:
        if above != parent:
            continue
        kind = "End Site" if name == "*" else f"{'ROOT' if parent is None else 'JOINT'} {name}"
        lines += [kind, "{", f"OFFSET {' '.join(map(str, offset))}"]
        if name != "*":
            listed = channels.get(name, f"{POSITION} {ROTATION}" if parent is None else ROTATION)
            lines += [f"CHANNELS {len(listed.split())} {listed}", *hierarchy(joints, channels, name)]
        lines.append("}")
    return lines


def bvh(
    frames: list[dict[str, list[float]]],
    joints: list[tuple] = PERSON,
    channels: dict[str, str] | None = None,
    frame_time: str = "0.01",
) -> str:
    """A BVH file whose channels are zero but for those given by joint, as many as the joint has."""
    lines = hierarchy(joints, channels or {})
    order = [line.split(maxsplit=1)[1] for line in lines if line.startswith(("ROOT", "JOINT"))]
    counts = [int(line.split()[1]) for line in lines if line.startswith("CHANNELS")]
    rows = [
        " ".join(str(v) for name, n in zip(order, counts, strict=True) for v in frame.get(name, [0] * n))
        for frame in frames
    ]
    return "\n".join(["HIERARCHY", *lines, "MOTION", f"Frames: {len(rows)}", f"Frame Time: {frame_time}", *rows, ""])


@pytest.fixture
def write(tmp_path: Path):
    def writer(text: str) -> Path:
        path = tmp_path / "take.bvh"
        path.write_text(text)
        return path

    return writer


def test_y_up_centimetres_become_z_up_metres(write):
    motion = read_bvh(write(bvh([{"Hips": [1, 100, 3, 0, 0, 0]}])), unit_m=0.01, up="y")
    np.testing.assert_allclose(motion.joint("pelvis"), [[0.01, -0.03, 1.0]], atol=1e-12)
    np.testing.assert_allclose(motion.joint("left_ankle"), [[0.11, -0.03, 0.15]], atol=1e-12)


@pytest.mark.parametrize(("up", "world"), [("x", [0.2, 0.3, 0.1]), ("y", [0.1, -0.3, 0.2]), ("z", [0.1, 0.2, 0.3])])
def test_the_axis_that_points_up_becomes_z_without_a_mirror_image(write, up, world):
    motion = read_bvh(write(bvh([{"Hips": [0.1, 0.2, 0.3, 0, 0, 0]}])), unit_m=1.0, up=up)
    np.testing.assert_allclose(motion.joint("pelvis"), [world], atol=1e-12)
    up_leg = motion.joint("left_hip") - motion.joint("right_hip")
    torso = motion.joint("spine") - motion.joint("pelvis")
    forward = motion.joint("left_foot") - motion.joint("left_ankle")
    assert np.sum(np.cross(up_leg, torso) * forward) > 0


@pytest.mark.parametrize(
    ("order", "forearm"),
    [("Zrotation Xrotation Yrotation", [0, 0, 25]), ("Xrotation Zrotation Yrotation", [0, -25, 0])],
)
def test_rotations_multiply_in_the_order_of_the_channels(write, order, forearm):
    # The forearm lies along x: Rz(90) Rx(90) takes it to y, which is the world's z; Rx(90) Rz(90) to z, the world's -y.
    text = bvh([{"LeftForeArm": [90, 90, 0]}], channels={"LeftForeArm": order})
    motion = read_bvh(write(text), unit_m=1.0, up="y")
    np.testing.assert_allclose(motion.joint("left_wrist") - motion.joint("left_elbow"), [forearm], atol=1e-12)


def test_root_channels_may_come_in_any_order(write):
    channels = {"Hips": "Yrotation Zposition Xposition Zrotation Yposition Xrotation"}
    motion = read_bvh(write(bvh([{"Hips": [90, 3, 1, 0, 2, 0]}], channels=channels)), unit_m=1.0, up="y")
    np.testing.assert_allclose(motion.joint("pelvis"), [[1, -3, 2]], atol=1e-12)
    # Ry(90) takes the left hip's x to -z, which is y in the world.
    np.testing.assert_allclose(motion.joint("left_hip"), [[1, 7, -3]], atol=1e-12)


def test_position_channels_at_a_joint_replace_its_offset(write):
    frames = [{"LeftLeg": [0, -40, 0, 0, 0, 0]}, {"LeftLeg": [0, -45, 0, 0, 0, 0]}]
    motion = read_bvh(write(bvh(frames, channels={"LeftLeg": f"{POSITION} {ROTATION}"})), unit_m=0.01, up="y")
    thigh_m = np.linalg.norm(motion.joint("left_knee") - motion.joint("left_hip"), axis=1)
    np.testing.assert_allclose(thigh_m, [0.40, 0.45])


def test_a_turn_of_a_parent_carries_the_whole_limb(write):
    motion = read_bvh(write(bvh([{"LeftUpLeg": [0, 90, 0]}])), unit_m=0.01, up="y")
    # Rx(90) takes the leg's -y to -z, which is y in the world.
    np.testing.assert_allclose(motion.joint("left_ankle") - motion.joint("left_hip"), [[0, 0.8, 0]], atol=1e-12)


def test_positions_equal_those_of_pybvh(test_data):
    path = test_data / "mocap" / "cmu" / "12_01_walk.bvh"
    motion = read_bvh(path, unit_m=1.0, up="y")
    reference = pybvh.read_bvh_file(path, world_up="+y")
    names = {"pelvis": "Hips", "neck": "Spine1", "neck_top": "Head", "left_hip": "LeftUpLeg", "left_ankle": "LeftFoot"}
    names |= {"left_toes": "EndSiteLeftToeBase", "right_wrist": "RightHand", "right_fingers": "EndSiteRightHandIndex1"}
    for joint, name in names.items():
        x, y, z = reference.node_positions()[:, reference.node_index[name]].T
        np.testing.assert_allclose(motion.joint(joint), np.stack([x, -z, y], axis=1), atol=1e-9)


def test_joints_that_coincide_with_their_parent_are_merged(write):
    motion = read_bvh(write(bvh([{"LHipJoint": [0, 90, 0], "Neck": [0, 30, 0]}])), unit_m=0.01, up="y")
    assert {"pelvis", "neck"} < set(motion.skeleton.joints)
    assert not {"LHipJoint", "spine2", "left_collar"} & set(motion.skeleton.joints)
    parents = np.array(motion.skeleton.parents)
    bones = motion.positions_m[:, parents >= 0] - motion.positions_m[:, parents[parents >= 0]]
    assert np.linalg.norm(bones, axis=-1).min() > 0.01
    assert np.isfinite(motion.rotations).all()
    # What a merged joint turns is turned: Rx(90) takes the leg's -y to -z.
    np.testing.assert_allclose(motion.joint("left_knee") - motion.joint("left_hip"), [[0, 0.4, 0]], atol=1e-12)


def test_the_head_ends_at_its_end_site_and_toes_at_theirs(write):
    motion = read_bvh(write(bvh([{}])), unit_m=0.01, up="y")
    heights = {joint: round(float(motion.joint(joint)[0, 2]), 3) for joint in ("neck", "neck_top", "head")}
    assert heights == {"neck": 0.4, "neck_top": 0.55, "head": 0.75}
    np.testing.assert_allclose(motion.joint("left_toes") - motion.joint("left_foot"), [[0, -0.05, 0]], atol=1e-12)


def test_segment_frames_turn_with_their_segment(write):
    # The person turns about the vertical, the left elbow bends forward more and more: Ry(-a) takes x towards z.
    angles = np.linspace(0, 80, 41)
    frames = [{"Hips": [0, 0, 0, 0, 0, a], "LeftForeArm": [0, 0, -a]} for a in angles]
    motion = read_bvh(write(bvh(frames)), unit_m=0.01, up="y")
    turn = np.array([[[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]] for a in np.deg2rad(angles)])
    rotations = dict(zip(motion.skeleton.joints, np.moveaxis(motion.rotations, 1, 0), strict=True))
    np.testing.assert_allclose(rotations["pelvis"], turn @ rotations["pelvis"][0], atol=1e-9)
    np.testing.assert_allclose(
        rotations["pelvis"][0], [[0, 0, 1], [0, 1, 0], [1, 0, 0]] @ np.diag([1, -1, 1]), atol=1e-9
    )
    bone = motion.joint("left_wrist") - motion.joint("left_elbow")
    np.testing.assert_allclose(rotations["left_elbow"][:, :, 0], bone / 0.25, atol=1e-9)
    # A left forearm that swings forward turns about the vertical downwards: flexion is positive about the z axis.
    np.testing.assert_allclose(rotations["left_elbow"][:, :, 2], np.tile([0, 0, -1], (41, 1)), atol=1e-9)


SCHEMES = {
    "mixamorig:Left": "mixamorig:Hips mixamorig:Spine mixamorig:Spine1 mixamorig:Neck mixamorig:Head "
    "mixamorig:HeadTop_End *UpLeg *Leg *Foot *ToeBase *Shoulder *Arm *ForeArm *Hand *HandMiddle1",
    "Left": "Hips Chest Neck Head *Hip *Knee *Ankle *Toe *Collar *Shoulder *Elbow *Wrist",
    "left": "Hips Spine Chest UpperChest Neck Head *UpperLeg *LowerLeg *Foot *Toes *Shoulder *UpperArm *LowerArm *Hand",
    "l": "hip abdomen chest neck head *Thigh *Shin *Foot *Collar *Shldr *ForeArm *Hand",
    "L_": "Pelvis Spine1 Spine2 Spine3 Neck Head *Hip *Knee *Ankle *Foot *Collar *Shoulder *Elbow *Wrist *Hand",
}
OTHER_SIDE = str.maketrans("Ll", "Rr")


@pytest.mark.parametrize("left", SCHEMES)
def test_names_of_common_exporters_are_recognised(write, left):
    """Mixamo, Biovision and Xsens, Unity, Daz, SMPL: a joint of the right name stands where its chain puts it."""
    root, *others = SCHEMES[left].split()
    right = {"mixamorig:Left": "mixamorig:Right", "Left": "Right", "left": "right"}.get(
        left, left.translate(OTHER_SIDE)
    )
    joints, above = [(root, None, (0, 0, 0))], {"": root}
    first_leg = next(i for i, name in enumerate(others) if name.startswith("*"))
    first_arm = next(i for i, name in enumerate(others) if name.startswith(("*Shoulder", "*Collar")))
    for i, name in enumerate(others):
        for side, x in ((left, 1), (right, -1)) if name.startswith("*") else (("", 0),):
            parent = root if i in (first_leg, first_arm) else above[side]
            joints.append((side + name.removeprefix("*"), parent, (x, -1 if first_leg <= i < first_arm else 1, 0)))
            above[side] = joints[-1][0]
    motion = read_bvh(write(bvh([{}], joints)), unit_m=1.0, up="y")
    sided = {"collar", "shoulder", "elbow", "wrist", "hip", "knee", "ankle"}
    assert {"pelvis", "spine", "neck", "head"} | {f"left_{j}" for j in sided} <= set(motion.skeleton.joints)
    for joint, steps in {"hip": 1, "knee": 2, "ankle": 3, "shoulder": 2, "elbow": 3, "wrist": 4}.items():
        assert motion.joint(f"left_{joint}")[0, 0] == steps
        assert motion.joint(f"right_{joint}")[0, 0] == -steps


def test_given_names_come_before_the_table_and_others_stay(write):
    path = write(bvh([{}]))
    motion = read_bvh(path, unit_m=0.01, up="y", joint_names={"Spine1": "chest", "LeftHand_end": "left_hand"})
    assert {"left_hand", "right_knee", "RightLeg_end"} < set(motion.skeleton.joints)
    with pytest.raises(UnknownNameError, match="LeftPaw"):
        read_bvh(path, unit_m=0.01, up="y", joint_names={"LeftPaw": "left_hand"})
    with pytest.raises(DataFormatError, match="LeftHand, LeftHand_end would share"):
        read_bvh(path, unit_m=0.01, up="y", joint_names={"LeftHand_end": "paw", "LeftHand": "paw"})


def test_a_skeleton_without_hips_and_shoulders_has_no_orientations_and_says_so(write):
    joints = [("Base", None, (0, 0, 0)), ("Link", "Base", (0, 1, 0)), ("*", "Link", (0, 1, 0))]
    with pytest.warns(DataWarning, match="left_hip"):
        motion = read_bvh(write(bvh([{}], joints)), unit_m=1.0, up="y")
    assert motion.skeleton.joints == ("Base", "Link", "Link_end")
    assert motion.rotations is None


def test_skipped_frames_are_gone_and_time_starts_after_them(write):
    frames = [{"Hips": [0, i, 0, 0, 0, 0]} for i in range(4)]
    motion = read_bvh(write(bvh(frames)), unit_m=1.0, up="y", skip_frames=1)
    np.testing.assert_allclose(motion.joint("pelvis")[:, 2], [1, 2, 3])
    np.testing.assert_allclose(motion.timestamps_s, [0, 0.01, 0.02])
    with pytest.raises(DataFormatError, match="skip_frames=4"):
        read_bvh(write(bvh(frames)), unit_m=1.0, up="y", skip_frames=4)


@pytest.mark.parametrize(
    ("printed", "rate_hz"), [(".0083333", 120.0), ("3.3333e-2", 30.0), ("0.0333667", 1 / 0.0333667)]
)
def test_a_frame_time_cut_by_printing_is_completed_and_others_stay(write, printed, rate_hz):
    motion = read_bvh(write(bvh([{}, {}], frame_time=printed)), unit_m=1.0, up="y")
    assert motion.frame_rate_hz == pytest.approx(rate_hz, rel=1e-12)


GOOD = bvh([{}, {}, {}])
N_HEAD = len(GOOD[: GOOD.index("Frame Time")].splitlines())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no line HIERARCHY"),
        ("\x00\x01\x02 junk", "no line HIERARCHY"),
        (GOOD[: GOOD.index("MOTION")], "no frames or is truncated"),
        (GOOD[: GOOD.index("JOINT Spine")], "joints are not closed.*truncated"),
        (GOOD[: GOOD.index("Frame Time")], "Frame Time"),
        (GOOD.replace("Frames: 3", "Frames: 0"), "no frames"),
        (GOOD.replace("Frame Time: 0.01", "Frame Time: 0"), "both positive"),
        (GOOD.replace("Frame Time: 0.01", "Frame Time: fast"), "both positive"),
        (GOOD.replace("Frame Time: 0.01", "Frame Time: 0.0.1"), "both positive"),
        ("\n".join(GOOD.splitlines()[:-1]), "announces 3 frames and has 2"),
        (GOOD.rstrip()[:-2], rf"line {N_HEAD + 4} \(frame 3\) has 53 values, but the hierarchy has 54 channels"),
        (GOOD.rstrip()[:-1] + "x", rf"line {N_HEAD + 4} \(frame 3\) has 'x', which is no number"),
        (GOOD.rstrip()[:-1] + "nan", rf"line {N_HEAD + 4} \(frame 3\) has nan, which is no finite number"),
        (GOOD.rstrip()[:-1] + "0,5", "has '0,5', which is no number"),
        (GOOD.replace("OFFSET 0 -40 0", "OFFSET 0 -40", 1), "line 16.*OFFSET takes three numbers"),
        (GOOD.replace("OFFSET 0 -40 0", "OFFSET 0 -4o 0", 1), "line 16.*could not convert"),
        (GOOD.replace("OFFSET 0 -40 0", "", 1), "LeftLeg has no OFFSET"),
        (GOOD.replace("CHANNELS 3 Z", "CHANNELS 2 Z", 1), "line 9.*CHANNELS takes 2 different ones"),
        (GOOD.replace("Xrotation", "Wrotation", 1), "CHANNELS takes"),
        (GOOD.replace("JOINT Spine\n", "ROOT Spine\n"), "a second ROOT"),
        (GOOD.replace("JOINT Spine\n", "BONE Spine\n"), "unknown keyword"),
        (GOOD.replace("ROOT Hips", "JOINT Hips"), "outside of any joint"),
        (GOOD.replace("JOINT Spine1\n", "JOINT Spine\n"), "Spine, Spine would share"),
    ],
)
def test_a_damaged_file_raises_one_error_that_says_where_and_why(write, text, message):
    with pytest.raises(DataFormatError, match=message) as caught:
        read_bvh(write(text), unit_m=0.01, up="y")
    assert "take.bvh" in str(caught.value)


def test_a_missing_file_and_senseless_arguments_are_refused(write, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.bvh.*BVH"):
        read_bvh(tmp_path / "nowhere.bvh", unit_m=0.01, up="y")
    path = write(GOOD)
    with pytest.raises(DataFormatError, match="unit_m=0"):
        read_bvh(path, unit_m=0, up="y")
    with pytest.raises(UnknownNameError, match="up='w'"):
        read_bvh(path, unit_m=0.01, up="w")


def test_windows_line_ends_and_braces_on_the_line_read_the_same(write):
    plain = read_bvh(write(GOOD), unit_m=0.01, up="y")
    windows = GOOD.replace("\n{", " {").replace("\n", "\r\n")
    np.testing.assert_array_equal(read_bvh(write(windows), unit_m=0.01, up="y").positions_m, plain.positions_m)


def test_every_cmu_take_reads_with_the_joints_of_the_body(test_data):
    paths = sorted((test_data / "mocap" / "cmu" / "bvh").glob("*_01.bvh"))
    assert len(paths) >= 6
    for path in paths:
        motion = read_bvh(path, unit_m=CMU_UNIT_M, up="y", skip_frames=1)
        assert [j for j in BODY_22.joints if j not in motion.skeleton] == ["left_ear", "right_ear"]
        assert motion.frame_rate_hz == pytest.approx(120)
