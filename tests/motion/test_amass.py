from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from har_virtual.exceptions import DataFormatError, DataWarning
from har_virtual.motion import read_amass, to_body
from har_virtual.pose.skeletons import SMPL_24

N = 3
# AMASS turns the body's Y-up rest pose upright in its Z-up world: (x, y, z) becomes (x, -z, y).
UPRIGHT = np.array([np.pi / 2, 0, 0])
# Rest joints of a made-up body: all coordinates differ, so that a wrong joint or axis shows.
REST = np.array([[0.1 * i, 1 - 0.05 * i, 0.01 * i**2] for i in range(24)])


def poses(n_values: int = 156, **angles: np.ndarray) -> np.ndarray:
    """Upright poses with some joints' axis-angles."""
    values = np.zeros((N, n_values))
    for joint, angle in ({"pelvis": UPRIGHT} | angles).items():
        start = 3 * SMPL_24.index(joint)
        values[:, start : start + 3] = angle
    return values


@pytest.fixture
def write(tmp_path: Path):
    def writer(name: str = "take.npz", **changes) -> Path:
        """An AMASS file, or one with some arrays changed or, by None, left out."""
        arrays = {"poses": poses(), "trans": np.zeros((N, 3)), "betas": np.zeros(16), "mocap_framerate": 120.0}
        np.savez(tmp_path / name, **{key: value for key, value in (arrays | changes).items() if value is not None})
        return tmp_path / name

    return writer


@pytest.fixture
def write_body(tmp_path: Path):
    def writer(n_joints: int = 24, **changes) -> Path:
        """A body whose vertices are its joints, and whose first shape parameter scales it."""
        template = np.vstack([REST[:22], np.full((n_joints - 22, 3), 9.0)])
        rows = {24: [22, 23], 52: [25, 40], 55: [28, 43]}.get(n_joints, [])
        template[rows] = REST[22 : 22 + len(rows)]
        arrays = {"J_regressor": np.eye(n_joints), "v_template": template, "shapedirs": template[..., None]}
        np.savez(tmp_path / "body.npz", **{k: v for k, v in (arrays | changes).items() if v is not None})
        return tmp_path / "body.npz"

    return writer


def average(path: Path, **parameters):
    with pytest.warns(DataWarning, match=r"average adult of 1\.70 m"):
        return read_amass(path, **parameters)


def test_at_rest_the_average_adult_stands_upright_with_spread_arms(write):
    motion = average(write(trans=np.tile([1.0, 2.0, 3.0], (N, 1))))
    assert motion.skeleton.joints == SMPL_24.joints
    np.testing.assert_allclose(motion.joint("pelvis"), np.tile([1, 2, 3], (N, 1)), atol=1e-12)
    spans = {
        ("left_hip", "left_knee"): [0, 0, -0.245 * 1.7],
        ("right_knee", "right_ankle"): [0, 0, -0.246 * 1.7],
        ("left_shoulder", "left_elbow"): [0.186 * 1.7, 0, 0],
        ("right_elbow", "right_wrist"): [-0.146 * 1.7, 0, 0],
    }
    for (start, end), span in spans.items():
        np.testing.assert_allclose((motion.joint(end) - motion.joint(start))[0], span, atol=1e-9, err_msg=end)
    # The toes point forward: up x forward is left.
    forward = motion.joint("left_foot")[0] - motion.joint("left_ankle")[0]
    assert np.cross([0, 0, 1], forward)[0] > 0.1
    assert motion.joint("head")[0, 2] > motion.joint("neck")[0, 2] > motion.joint("left_shoulder")[0, 2]


def test_axis_angles_turn_the_limbs_below_their_joint(write):
    bent = {"left_knee": np.array([np.pi / 2, 0, 0]), "right_elbow": np.array([0, np.pi / 2, 0])}
    motion = average(write(poses=poses(**bent)))
    # The body faces -y: a bent knee sends the shank back to +y, a right elbow bent about the vertical the hand forward.
    shank = motion.joint("left_ankle") - motion.joint("left_knee")
    np.testing.assert_allclose(shank[0], [0, 0.246 * 1.7, 0], atol=1e-9)
    forearm = motion.joint("right_wrist") - motion.joint("right_elbow")
    np.testing.assert_allclose(forearm[0], [0, -0.146 * 1.7, 0], atol=1e-9)
    thigh = motion.joint("left_knee") - motion.joint("left_hip")
    np.testing.assert_allclose(thigh[0], [0, 0, -0.245 * 1.7], atol=1e-9)


def test_segment_frames_have_the_flexion_axis_of_their_limb(write):
    bent = {"left_knee": np.array([1.0, 0, 0]), "right_elbow": np.array([0, 1.0, 0])}
    motion = average(write(poses=poses(**bent)))
    frames = dict(zip(motion.skeleton.joints, motion.rotations[0], strict=True))
    np.testing.assert_allclose(frames["pelvis"][:, [0, 2]].T, [[0, 0, 1], [1, 0, 0]], atol=1e-9)
    np.testing.assert_allclose(frames["left_knee"][:, 2], [1, 0, 0], atol=1e-9)
    np.testing.assert_allclose(frames["right_elbow"][:, 2], [0, 0, 1], atol=1e-9)


def test_the_head_has_its_own_rotation(write):
    nods = poses()
    nods[:, 3 * SMPL_24.index("head")] = [-0.3, 0.0, 0.3]
    motion = average(write(poses=nods))
    head, neck = (motion.rotations[:, motion.skeleton.index(joint)] for joint in ("head", "neck"))
    np.testing.assert_allclose(neck[0], neck[2], atol=1e-12)
    # A nod of .6 rad about the subject's left.
    nod = [[1, 0, 0], [0, np.cos(0.6), -np.sin(0.6)], [0, np.sin(0.6), np.cos(0.6)]]
    np.testing.assert_allclose(head[2] @ head[0].T, nod, atol=1e-12)


def test_a_body_gives_its_rest_joints_and_its_shape(write, write_body):
    betas = np.zeros(16)
    betas[:2] = [0.5, 7.0]
    trans = np.tile([0.0, 1.0, 2.0], (N, 1))
    motion = read_amass(write(poses=np.zeros((N, 72)), betas=betas, trans=trans), body=write_body(), joints=24)
    assert motion.skeleton is SMPL_24
    np.testing.assert_allclose(motion.positions_m[0], 1.5 * REST + [0, 1, 2], atol=1e-12)


@pytest.mark.parametrize("n_joints", [24, 52, 55])
def test_hands_come_from_the_joints_that_the_body_has_there(write, write_body, n_joints):
    wrist = np.array([0, 0, np.pi])
    path = write(poses=poses(left_wrist=wrist, pelvis=np.zeros(3)))
    motion = read_amass(path, body=write_body(n_joints), joints=24)
    hand = REST[22] - REST[20]
    np.testing.assert_allclose(
        (motion.joint("left_hand") - motion.joint("left_wrist"))[0], hand * [-1, -1, 1], atol=1e-12
    )
    np.testing.assert_allclose((motion.joint("right_hand") - motion.joint("right_wrist"))[0], REST[23] - REST[21])


def test_both_layouts_read_the_same(write):
    values = poses(left_hip=np.array([0.3, 0.1, -0.2]), right_wrist=np.array([0.5, 0, 0.1]))
    plain = average(write(poses=values))
    stage = {"root_orient": values[:, :3], "pose_body": values[:, 3:66], "mocap_frame_rate": np.array(120.0)}
    staged = average(write(poses=None, mocap_framerate=None, **stage))
    np.testing.assert_array_equal(staged.positions_m, plain.positions_m)
    assert staged.frame_rate_hz == plain.frame_rate_hz == pytest.approx(120)


def test_the_body_of_the_simulation_can_be_had_from_it(write):
    body = to_body(average(write(), joints=24))
    assert {"pelvis", "head", "left_hand", "right_hand", "left_foot"} < set(body.skeleton.joints)
    eye = np.swapaxes(body.rotations, -1, -2) @ body.rotations
    np.testing.assert_allclose(eye, np.broadcast_to(np.eye(3), eye.shape), atol=1e-12)


BAD = poses()
BAD[1, 7] = np.nan


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"poses": None}, "needs poses"),
        ({"trans": None}, "needs poses .* trans"),
        ({"mocap_framerate": None}, "mocap_framerate"),
        ({"mocap_framerate": 0.0}, "the frame rate must be one positive number"),
        ({"poses": np.zeros((N, 63))}, r"shapes \(3, 63\), \(3, 3\)"),
        ({"poses": np.zeros((N + 1, 156))}, r"shapes \(4, 156\), \(3, 3\)"),
        ({"poses": np.zeros((0, 156)), "trans": np.zeros((0, 3))}, r"shapes \(0, 156\)"),
        ({"trans": np.zeros((N, 2))}, r"shapes .* \(3, 2\)"),
        ({"poses": BAD}, "frame 1 has values that are not finite; cut 1 such"),
        ({"poses": np.full((N, 156), "x")}, "poses cannot be read as numbers"),
    ],
)
def test_a_damaged_file_raises_one_error_that_says_what_and_why(write, changes, message):
    with pytest.raises(DataFormatError, match=message) as caught:
        read_amass(write(**changes))
    assert "take.npz" in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"J_regressor": None}, "has no J_regressor: it is no SMPL body"),
        ({"J_regressor": np.eye(24)[:, :20]}, r"J_regressor \(24, 20\)"),
        ({"shapedirs": np.zeros((24, 3))}, r"shapedirs \(24, 3\)"),
        ({"n_joints": 30}, "its 30 joints are not those of SMPL"),
        ({"kintree_table": np.array([[2**32 - 1, *range(23)]])}, "its 24 joints are not those of SMPL"),
    ],
)
def test_a_body_that_is_none_is_refused(write, write_body, changes, message):
    with pytest.raises(DataFormatError, match=message) as caught:
        read_amass(write(), body=write_body(**changes))
    assert "body.npz" in str(caught.value)


def test_the_tree_of_a_body_is_accepted_with_its_unsigned_root(write, write_body):
    table = np.array([[2**32 - 1, *SMPL_24.parents[1:]], range(24)], dtype=np.uint32)
    assert len(read_amass(write(), body=write_body(kintree_table=table))) == N


class _Bomb:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_nothing_is_ever_unpickled(write, write_body, tmp_path):
    mark = tmp_path / "exploded"
    bomb = np.array([_Bomb(mark)], dtype=object)
    with pytest.raises(DataFormatError, match=r"poses cannot be read.*never unpickled"):
        read_amass(write(poses=bomb))
    with pytest.raises(DataFormatError, match=r"v_template cannot be read.*never unpickled"):
        read_amass(write(), body=write_body(v_template=bomb))
    pickled = tmp_path / "SMPL_NEUTRAL.pkl"
    pickled.write_bytes(b"\x80\x04.")
    with pytest.raises(DataFormatError, match=r"is a pickle.*numpy\.savez"):
        read_amass(write(), body=pickled)
    assert not mark.exists()


@pytest.mark.parametrize("share", [0.0, 0.5, 0.98])
def test_a_truncated_file_is_refused(write, share):
    path = write()
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(DataFormatError, match=r"take\.npz is no \.npz archive, or it is truncated"):
        read_amass(path)


def test_a_file_damaged_inside_is_refused(write):
    path = write()
    content = bytearray(path.read_bytes())
    content[400:420] = b"\xff" * 20
    path.write_bytes(content)
    with pytest.raises(DataFormatError, match="poses cannot be read"):
        read_amass(path)


def test_missing_files_and_senseless_arguments_are_refused(write, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.npz.*AMASS"):
        read_amass(tmp_path / "nowhere.npz")
    with pytest.raises(FileNotFoundError, match=r"nobody\.npz.*SMPL body"):
        read_amass(write(), body=tmp_path / "nobody.npz")
    with pytest.raises(DataFormatError, match="joints=52"):
        read_amass(write(), joints=52)
