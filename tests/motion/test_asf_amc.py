from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from har_virtual.exceptions import DataFormatError, DataWarning, UnknownNameError
from har_virtual.motion import read_asf_amc
from har_virtual.pose.skeletons import CMU_31

ASF = """# a comment
:version 1.10
:name TEST
:units
  mass 1.0
  length {length}
  angle {angle}
:documentation
   begin of a note that is nobody's bone
:root
   order {order}
   axis XYZ
   position 0 0 0
   orientation 0 0 0
:bonedata
{bones}:hierarchy
  begin
    root lhipjoint rhipjoint lclavicle rclavicle
    lhipjoint lfemur
    lfemur ltibia
  end
"""
BONE = """  begin
    id {id}
    name {name}
    direction {direction}
    length {length}
    axis {axis} XYZ
{dof}  end
"""
# Name, direction, length, axis, degrees of freedom. The axes of lfemur are turned by 90 degrees about z.
BONES = [
    ("lhipjoint", "1 0 0", 1, "0 0 0", ""),
    ("lfemur", "0 -1 0", 4, "0 0 90", "rx ry rz"),
    ("ltibia", "0 -1 0", 3, "0 0 0", "rz rx"),
    ("rhipjoint", "-1 0 0", 1, "0 0 0", ""),
    ("lclavicle", "0.6 0.8 0", 5, "0 0 0", ""),
    ("rclavicle", "-0.6 0.8 0", 5, "0 0 0", ""),
]


def asf(length: float = 0.0254, angle: str = "deg", order: str = "TX TY TZ RX RY RZ") -> str:
    bones = [
        BONE.format(
            id=i,
            name=name,
            direction=direction,
            length=size,
            axis=axis,
            dof=f"    dof {dof}\n    limits (-160.0 20.0)\n" if dof else "",
        )
        for i, (name, direction, size, axis, dof) in enumerate(BONES)
    ]
    return ASF.format(length=length, angle=angle, order=order, bones="".join(bones))


def amc(*frames: dict[str, str], unit: str = ":DEGREES", first: int = 1) -> str:
    """Frames whose values are zero but for those given."""
    zero = {"root": "0 0 0 0 0 0", "lfemur": "0 0 0", "ltibia": "0 0"}
    lines = ["#!OML:ASF X:\\TEST.ASF", ":FULLY-SPECIFIED", unit]
    for number, frame in enumerate(frames, start=first):
        lines += [str(number), *(f"{bone} {values}" for bone, values in (zero | frame).items())]
    return "\n".join([*lines, ""])


@pytest.fixture
def write(tmp_path: Path):
    def writer(skeleton: str, motion: str) -> tuple[Path, Path]:
        paths = tmp_path / "subject.asf", tmp_path / "take.amc"
        for path, text in zip(paths, (skeleton, motion), strict=True):
            path.write_text(text)
        return paths

    return writer


def test_at_rest_bones_point_along_their_directions(write):
    motion = read_asf_amc(*write(asf(), amc({"root": "1 2 3 0 0 0"})))
    # One unit is 1 m here; the file's (x, y, z) is the world's (x, -z, y).
    expected = {"pelvis": [1, -3, 2], "left_hip": [2, -3, 2], "left_knee": [2, -3, -2], "left_ankle": [2, -3, -5]}
    expected |= {"right_hip": [0, -3, 2], "left_shoulder": [4, -3, 6]}
    for joint, position in expected.items():
        np.testing.assert_allclose(motion.joint(joint), [position], atol=1e-12, err_msg=joint)


@pytest.mark.parametrize(
    ("angles", "knee"),
    [
        # About the bone's own x axis, which is the file's y axis along which the bone lies: nothing moves.
        ("90 0 0", [0, 0, -4]),
        # About its own y axis, the file's -x axis: -y goes to z, which is the world's -y.
        ("0 90 0", [0, -4, 0]),
        # About its own z axis, the file's: -y goes to x.
        ("0 0 90", [4, 0, 0]),
        # First x, then y, then z, each about the bone's axes at rest.
        ("90 90 0", [0, -4, 0]),
        ("0 90 90", [0, -4, 0]),
    ],
)
def test_angles_turn_about_the_axes_of_the_bone(write, angles, knee):
    motion = read_asf_amc(*write(asf(), amc({"lfemur": angles})))
    np.testing.assert_allclose(motion.joint("left_knee") - motion.joint("left_hip"), [knee], atol=1e-12)


def test_angles_apply_in_the_order_of_the_degrees_of_freedom(write):
    # ltibia has rz before rx: -y goes to x by rz and stays there; the other order would give z.
    motion = read_asf_amc(*write(asf(), amc({"ltibia": "90 90"})))
    np.testing.assert_allclose(motion.joint("left_ankle") - motion.joint("left_knee"), [[3, 0, 0]], atol=1e-12)


def test_a_turn_of_the_root_carries_everything(write):
    motion = read_asf_amc(*write(asf(), amc({"root": "0 0 0 0 90 0"})))
    # About the vertical: x, the left, goes to -z, which is the world's y.
    np.testing.assert_allclose(motion.joint("left_hip") - motion.joint("right_hip"), [[0, 2, 0]], atol=1e-12)


def test_the_order_line_says_which_value_of_the_root_is_which(write):
    motion = read_asf_amc(*write(asf(order="RZ RY RX TZ TY TX"), amc({"root": "0 90 0 3 2 1"})))
    np.testing.assert_allclose(motion.joint("pelvis"), [[1, -3, 2]], atol=1e-12)
    np.testing.assert_allclose(motion.joint("left_hip"), [[1, -2, 2]], atol=1e-12)


def test_segments_turn_with_their_bones(write):
    angles = np.linspace(20, 80, 31)
    motion = read_asf_amc(*write(asf(), amc(*({"ltibia": f"0 {a}"} for a in angles))))
    knee = motion.skeleton.index("left_knee")
    down, back = np.cos(np.deg2rad(angles)), np.sin(np.deg2rad(angles))
    # The shank swings backwards, to +y: flexion about the subject's left, which is x.
    shank = np.stack([0 * angles, back, -down], axis=1)
    np.testing.assert_allclose(motion.rotations[:, knee, :, 0], shank, atol=1e-9)
    np.testing.assert_allclose(motion.rotations[:, knee, :, 2], np.tile([1, 0, 0], (31, 1)), atol=1e-9)


def test_radians_are_read_as_radians(write):
    degrees = read_asf_amc(*write(asf(), amc({"ltibia": "30 60"})))
    radians = read_asf_amc(*write(asf(), amc({"ltibia": f"{np.pi / 6} {np.pi / 3}"}, unit=":RADIANS")))
    np.testing.assert_allclose(radians.positions_m, degrees.positions_m, atol=1e-12)


def test_the_unit_follows_from_the_skeleton_unless_it_is_given(write):
    paths = write(asf(length=0.45), amc({}))
    motion = read_asf_amc(*paths)
    assert motion.attrs["unit_m"] == pytest.approx(0.056444, abs=1e-6)
    assert np.linalg.norm(motion.joint("left_knee") - motion.joint("left_hip")) == pytest.approx(4 * 0.0254 / 0.45)
    given = read_asf_amc(*paths, unit_m=0.1)
    assert np.linalg.norm(given.joint("left_knee") - given.joint("left_hip")) == pytest.approx(0.4)


def test_time_runs_at_the_frame_rate_whatever_the_first_number(write):
    motion = read_asf_amc(*write(asf(), amc({}, {}, {}, first=17)), frame_rate_hz=60)
    np.testing.assert_allclose(motion.timestamps_s, [0, 1 / 60, 2 / 60])


def test_bones_of_other_names_keep_them(write):
    with pytest.warns(DataWarning, match="left_hip"):
        motion = read_asf_amc(*write(asf().replace("hipjoint", "socket"), amc({})))
    assert {"lsocket", "left_knee"} < set(motion.skeleton.joints)
    assert motion.rotations is None


def test_the_cmu_bones_give_the_cmu_skeleton(test_data):
    folder = test_data / "mocap" / "cmu"
    motion = read_asf_amc(folder / "02.asf", folder / "02_01.amc")
    assert motion.skeleton is CMU_31
    assert len(motion) == 343
    assert motion.attrs["unit_m"] == pytest.approx(0.056444, abs=1e-6)


TWO = amc({}, {})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no frame"),
        ("#!OML\n:DEGREES\n", "no frame"),
        ("some prose\n", "line 1: no frame has begun"),
        (TWO.rsplit("\n", 2)[0], "ends with line 10, but the last frame lacks ltibia"),
        (TWO.replace("ltibia 0 0\n2", "2"), "line 7: the frame before it lacks ltibia"),
        (TWO.replace("ltibia 0 0", "ltibia 0", 1), "line 7: '0' should be 2 finite numbers"),
        (TWO.replace("ltibia 0 0", "ltibia 0 0 0", 1), "line 7: '0 0 0' should be 2 finite numbers"),
        (TWO.replace("ltibia 0 0", "ltibia 0 nan", 1), "line 7: '0 nan' should be 2 finite numbers"),
        (TWO.replace("ltibia 0 0", "ltibia 0 x", 1), "line 7: could not convert string to float: 'x'"),
        (TWO.replace("ltibia 0 0", "tail 0 0", 1), "line 7: 'tail' is no bone of the skeleton"),
        (TWO.replace("ltibia 0 0", "ltibia 0 0\nltibia 0 0", 1), "line 8: ltibia stands twice"),
        (TWO.replace("\n2\n", "\n5\n"), "line 8: frame 5 stands where frame 2 is due"),
    ],
)
def test_a_damaged_motion_raises_one_error_that_says_where_and_why(write, text, message):
    with pytest.raises(DataFormatError, match=message) as caught:
        read_asf_amc(*write(asf(), text))
    assert "take.amc" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "does not connect any bone"),
        ("not an asf\n", "does not connect any bone"),
        (asf()[: asf().index(":hierarchy")], "does not connect lclavicle"),
        (asf().replace("    lfemur ltibia\n", ""), "does not connect ltibia"),
        (asf().replace("lfemur ltibia", "lfemur tail"), "line 66: the hierarchy has a bone 'tail'"),
        (asf().replace("lfemur ltibia", "lfemur lfemur"), "line 66: lfemur has two parents"),
        (asf().replace("direction 1 0 0", "direction 1 0"), "line 19: '1 0' should be 3 finite numbers"),
        (asf().replace("direction 1 0 0", "direction 1 0 inf"), "line 19: '1 0 inf' should be 3"),
        (asf().replace("dof rz rx", "dof rz rq"), "line 38: 'rz rq' should be made of rx, ry, rz"),
        (asf().replace("dof rz rx", "dof rz l"), "line 38: 'rz l' should be made of"),
        (asf().replace("axis 0 0 90 XYZ", "axis 0 0 90 XXZ"), "line 28: an axis ends with an order such as XYZ"),
        (asf().replace("axis 0 0 90 XYZ", "axis 0 0 90 ZY"), "line 28: an axis ends with an order such as XYZ"),
        (asf().replace("name ltibia", "name lfemur"), "needs a name of its own, not 'lfemur'"),
        (asf(length=0), "line 6: the unit of length must be positive"),
    ],
)
def test_a_damaged_skeleton_raises_one_error_that_says_where_and_why(write, text, message):
    with pytest.raises(DataFormatError, match=message) as caught:
        read_asf_amc(*write(text, amc({})))
    assert "subject.asf" in str(caught.value)


def test_missing_files_and_senseless_arguments_are_refused(write, tmp_path):
    paths = write(asf(), amc({}))
    with pytest.raises(FileNotFoundError, match=r"nowhere\.asf.*ASF"):
        read_asf_amc(tmp_path / "nowhere.asf", paths[1])
    with pytest.raises(FileNotFoundError, match=r"nowhere\.amc.*AMC"):
        read_asf_amc(paths[0], tmp_path / "nowhere.amc")
    with pytest.raises(DataFormatError, match="frame_rate_hz=0"):
        read_asf_amc(*paths, frame_rate_hz=0)
    with pytest.raises(UnknownNameError, match="up='w'"):
        read_asf_amc(*paths, up="w")
