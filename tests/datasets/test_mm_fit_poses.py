from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import script_of

from har_virtual.datasets.mm_fit.loader import load_mm_fit
from har_virtual.datasets.mm_fit.poses import load_mm_fit_motions
from har_virtual.datasets.mm_fit.sides import decide_sides
from har_virtual.exceptions import DataFormatError, DataWarning, UnknownNameError
from har_virtual.imu import simulate_imu
from har_virtual.pose.skeletons import COCO_18, H36M_17

SAMPLE = Path(__file__).parents[2] / "datasets" / "mm_fit"


@pytest.fixture(scope="module")
def made():
    return script_of(SAMPLE)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The sample's w00 alone, to be damaged."""
    shutil.copytree(SAMPLE / "w00", tmp_path / "w00")
    return tmp_path


def change(home: Path, modality: str, edit) -> None:
    path = home / "w00" / f"w00_{modality}.npy"
    array = np.load(path)
    edited = edit(array)
    np.save(path, array if edited is None else edited)


def real_watches(sites):
    with pytest.warns(DataWarning, match="w00 has no sw_r_gyr"):
        return load_mm_fit(SAMPLE, workouts="w00", sites=sites, quantities="acc", cache=False)


def one(home: Path, **options):
    (motion,) = load_mm_fit_motions(home, workouts="w00", **options)
    return motion


def test_joints_come_back_in_metres_with_z_up_on_the_cameras_clock(made):
    motion = one(SAMPLE)
    assert motion.skeleton is H36M_17
    np.testing.assert_allclose(motion.timestamps_s, np.arange(204) / 30, atol=1e-12)
    exact = made.joints("w00", motion.timestamps_s)
    for joint in H36M_17.joints:
        np.testing.assert_allclose(motion.joint(joint), exact[joint], atol=2e-4)
    assert motion.joint("head")[0, 2] > motion.joint("left_ankle")[0, 2] + 1
    assert (motion.subject, motion.session, motion.dataset, motion.label) == ("2", "w00", "mm_fit", None)
    assert motion.attrs["file"] == "w00/w00_pose_3d.npy"
    assert motion.attrs["unit_m"] == 0.001


def test_workouts_come_by_subject_and_can_be_chosen():
    motions = load_mm_fit_motions(SAMPLE)
    assert [(motion.subject, motion.session) for motion in motions] == [("0", "w01"), ("2", "w00")]
    assert [motion.session for motion in load_mm_fit_motions(SAMPLE, subjects=2)] == ["w00"]
    assert [motion.session for motion in load_mm_fit_motions(SAMPLE, workouts=["w01"])] == ["w01"]


def test_the_first_column_of_a_pose_is_the_frame_and_17_joints_follow(home: Path):
    def later(array):
        array[:, :, 0] += 3000

    change(home, "pose_3d", later)
    with pytest.warns(DataWarning, match=r"pose_2d.npy tells nothing of the sides of w00: it has no frame in common"):
        motion = one(home)
    assert motion.timestamps_s[0] == pytest.approx(100.0)
    assert motion.positions_m.shape == (204, 17, 3)
    change(home, "pose_3d", lambda array: np.zeros((3, 204, 33)))
    with pytest.raises(DataFormatError, match=r"w00_pose_3d.npy: numbers of shape \(3, frames, 18\) are needed"):
        one(home)


def test_sides_follow_from_picture_body_and_watches():
    motion = one(SAMPLE)
    assert motion.attrs["sides"] == "h36m"
    scores = motion.attrs["sides_evidence"]
    assert list(scores) == ["picture", "body", "watches"]
    assert min(scores.values()) > 0.7


def test_a_file_in_the_order_of_the_authors_table_is_found_out(home: Path):
    expected = one(SAMPLE).positions_m

    def exchange(array):
        array[:, :, 1:] = array[:, :, 1:][:, :, list(H36M_17.mirror)]

    change(home, "pose_3d", exchange)
    motion = one(home)
    assert motion.attrs["sides"] == "authors"
    assert max(motion.attrs["sides_evidence"].values()) < -0.7
    np.testing.assert_array_equal(motion.positions_m, expected)
    np.testing.assert_array_equal(one(home, sides="authors").positions_m, expected)
    np.testing.assert_array_equal(one(home, sides="h36m").joint("left_knee"), one(SAMPLE).joint("right_knee"))


def test_the_evidence_can_be_weighed_by_hand():
    motion = one(SAMPLE, sides="h36m")
    watches = real_watches(["left_wrist", "right_wrist"])
    decision = decide_sides(motion, picture=one(SAMPLE, pose="2d"), watches=watches)
    scores = {name: round(piece.score, 4) for name, piece in decision.evidence.items()}
    assert scores == one(SAMPLE).attrs["sides_evidence"]


def test_where_pieces_contradict_each_other_h36m_is_taken_and_said(home: Path):
    def mirrored(array):
        array[:, :, 1:] = array[:, :, 1:][:, :, list(H36M_17.mirror)]
        array[0, :, 1:] *= -1

    change(home, "pose_3d", mirrored)
    with pytest.warns(DataWarning, match=r"do not tell left from right \(undecided: picture .*H36M's names were taken"):
        motion = one(home)
    assert motion.attrs["sides"] == "h36m"


def test_damaged_watches_and_pictures_are_no_evidence(home: Path):
    (home / "w00/w00_sw_l_acc.npy").write_bytes(b"no array")
    (home / "w00/w00_pose_2d.npy").write_bytes(b"no array")
    with pytest.warns(DataWarning, match="w00_pose_2d.npy tells nothing of the sides of w00"):
        motion = one(home)
    assert motion.attrs["sides"] == "h36m"
    assert list(motion.attrs["sides_evidence"]) == ["body", "watches"]


def test_a_workout_without_watches_is_decided_by_the_rest(home: Path):
    for path in (home / "w00").glob("*_sw_*"):
        path.unlink()
    assert list(one(home).attrs["sides_evidence"]) == ["picture", "body"]


def test_sets_are_cut_with_their_exercise_and_end_before_the_end_frame():
    curls, squats = load_mm_fit_motions(SAMPLE, workouts="w00", cut_sets=True)
    assert (curls.label, squats.label) == ("bicep_curls", "squats")
    for motion, start, stop in ((curls, 15, 111), (squats, 126, 198)):
        np.testing.assert_allclose(motion.timestamps_s, np.arange(start, stop) / 30, atol=1e-12)
    assert (squats.attrs["set"], squats.attrs["repetitions"]) == (2, 2)
    assert "sets" not in squats.attrs


def test_a_whole_workout_tells_its_sets():
    first, second = one(SAMPLE).attrs["sets"]
    assert first == {"number": 1, "activity": "bicep_curls", "repetitions": 4, "start_s": 0.5, "stop_s": 3.7}
    assert (second["start_s"], second["stop_s"]) == (4.2, 6.6)


def test_a_set_without_poses_is_left_out_and_said(home: Path):
    change(home, "pose_3d", lambda array: array[:, :120])
    with pytest.warns(DataWarning, match="set 2, squats, was left out: it has no poses"):
        (motion,) = load_mm_fit_motions(home, cut_sets=True, sides="h36m")
    assert motion.label == "bicep_curls"
    change(home, "pose_3d", lambda array: array[:, :16])
    with (
        pytest.warns(DataWarning, match="was left out: it has no poses") as caught,
        pytest.raises(DataFormatError, match="nothing is left"),
    ):
        load_mm_fit_motions(home, cut_sets=True, sides="h36m")
    assert len(caught) == 2


def test_the_picture_becomes_a_motion_in_its_plane_with_the_trunk_half_a_metre_long():
    motion = one(SAMPLE, pose="2d")
    assert motion.skeleton is COCO_18
    assert not motion.positions_m[:, :, 1].any()
    trunks = np.linalg.norm(motion.joint("neck") - (motion.joint("left_hip") + motion.joint("right_hip")) / 2, axis=1)
    assert np.percentile(trunks, 90) == pytest.approx(0.5)
    assert motion.joint("left_wrist")[0, 0] > motion.joint("right_wrist")[0, 0]
    assert motion.joint("nose")[0, 2] > motion.joint("left_knee")[0, 2]
    assert one(SAMPLE, pose="2d", torso_m=0.6).attrs["m_per_px"] == pytest.approx(motion.attrs["m_per_px"] * 1.2)


def test_positions_in_the_plane_lead_back_to_pixels():
    motion = one(SAMPLE, pose="2d")
    file = np.load(SAMPLE / "w00/w00_pose_2d.npy")
    pixels = motion.positions_m[:, COCO_18.index("left_elbow")][:, [0, 2]] / motion.attrs["m_per_px"] * [1, -1]
    np.testing.assert_allclose(pixels, file[:, :, 1 + COCO_18.index("left_elbow")].T, atol=1e-6)


@pytest.mark.parametrize("mark", [0.0, np.nan])
def test_keypoints_in_the_corner_were_not_found_and_are_interpolated(home: Path, mark: float):
    def lose(array):
        array[:, 100:110, 1 + COCO_18.index("left_knee")] = mark

    change(home, "pose_2d", lose)
    motion, whole = one(home, pose="2d"), one(SAMPLE, pose="2d")
    assert motion.attrs["interpolated"]["left_knee"] == pytest.approx(10 / 204, abs=1e-4)
    assert motion.attrs["interpolated"]["right_wrist"] == pytest.approx(4 / 204, abs=1e-4)
    assert motion.attrs["interpolated"]["nose"] == 0
    knee = motion.joint("left_knee")
    np.testing.assert_allclose(knee[99:111], np.linspace(knee[99], knee[110], 12), atol=1e-12)
    np.testing.assert_array_equal(motion.joint("right_knee"), whole.joint("right_knee"))


def test_frames_that_show_less_than_half_of_the_body_leave_a_hole(home: Path):
    def hide(array):
        array[:, 50:90, 1:12] = 0.0

    change(home, "pose_2d", hide)
    motion = one(home, pose="2d")
    assert len(motion) == 164
    assert motion.attrs["frames_left_out"] == 40
    assert np.diff(motion.timestamps_s).max() == pytest.approx(41 / 30)
    assert len(one(home, pose="2d", min_seen=0.1)) == 204


def test_neck_and_limbs_decide_whether_a_frame_shows_enough_not_the_face(home: Path):
    def hide(array):
        array[:, 50:90, [1, *range(15, 19), *range(9, 15)]] = 0.0

    change(home, "pose_2d", hide)
    assert len(one(home, pose="2d")) == 204
    whole = np.load(SAMPLE / "w00/w00_pose_2d.npy")[:, :, 2:15].any(axis=0).all(axis=1)
    assert len(one(SAMPLE, pose="2d", min_seen=1.0)) == whole.sum() == 200


def test_the_upright_trunks_of_the_frames_that_stay_give_the_scale(home: Path):
    def bend_and_hide(array):
        neck, hips = 1 + COCO_18.index("neck"), [1 + COCO_18.index(f"{side}_hip") for side in ("left", "right")]
        bent = slice(0, 140)
        array[:, bent, neck] = 0.5 * array[:, bent, neck] + 0.5 * array[:, bent][:, :, hips].mean(axis=2)
        array[1, 180:, neck] -= 400
        array[:, 180:, 1:] *= np.isin(np.arange(1, 19), [neck, *hips])

    change(home, "pose_2d", bend_and_hide)
    motion = one(home, pose="2d")
    assert len(motion) == 180
    assert motion.attrs["m_per_px"] == pytest.approx(one(SAMPLE, pose="2d").attrs["m_per_px"], rel=1e-3)


def test_a_keypoint_at_the_edge_of_the_picture_was_found(home: Path):
    def move(array):
        array[0, :, 1 + COCO_18.index("left_knee")] = 0.0

    change(home, "pose_2d", move)
    assert one(home, pose="2d").attrs["interpolated"]["left_knee"] == 0


def test_hidden_keypoints_are_interpolated_in_time_not_by_row(home: Path):
    def lose(array):
        array[:, 150:160, 1 + COCO_18.index("left_knee")] = 0.0
        return np.delete(array, slice(151, 156), axis=1)

    change(home, "pose_2d", lose)
    knee = one(home, pose="2d").joint("left_knee")
    np.testing.assert_allclose(
        knee[149:156], np.linspace(knee[149], knee[155], 12)[[0, 1, 7, 8, 9, 10, 11]], atol=1e-12
    )
    assert np.linalg.norm(knee[155] - knee[149]) > 0.01


def test_a_face_that_is_never_seen_is_left_out_of_the_skeleton(home: Path):
    def turn_away(array):
        array[:, :, [1 + COCO_18.index(joint) for joint in ("nose", "left_eye", "right_eye")]] = 0.0

    change(home, "pose_2d", turn_away)
    motion = one(home, pose="2d")
    assert motion.skeleton.joints == COCO_18.joints[1:14]
    assert motion.skeleton.joints[motion.skeleton.parents[motion.skeleton.index("left_wrist")]] == "left_elbow"
    assert one(home).attrs["sides_evidence"]["picture"] > 0.9


def test_a_limb_that_is_never_seen_is_an_error_that_names_it(home: Path):
    def hide(array):
        array[:, :, 1 + COCO_18.index("left_ankle")] = 0.0

    change(home, "pose_2d", hide)
    with pytest.raises(DataFormatError, match=r"w00_pose_2d.npy: left_ankle can be seen in less than 5% of frames"):
        one(home, pose="2d")
    change(home, "pose_2d", lambda array: array * (np.arange(19) == 0))
    with pytest.raises(DataFormatError, match="0 of 204 frames show at least 50%"):
        one(home, pose="2d")


def test_frames_without_a_pose_in_space_are_left_out(home: Path):
    def lose(array):
        array[:, 20:30, 1:] = 0.0
        array[1, 40, 5] = np.nan

    change(home, "pose_3d", lose)
    motion = one(home)
    assert (len(motion), motion.attrs["frames_left_out"]) == (193, 11)
    change(home, "pose_3d", lambda array: array * (np.arange(18) == 0))
    with pytest.raises(DataFormatError, match=r"w00_pose_3d.npy: 0 of 204 frames hold a pose"):
        one(home)


def test_frames_out_of_order_are_sorted_and_repeated_ones_dropped(home: Path):
    expected = one(SAMPLE).positions_m
    change(home, "pose_3d", lambda array: np.concatenate([array[:, 100:], array[:, :110]], axis=1))
    np.testing.assert_array_equal(one(home).positions_m, expected)


def test_a_size_that_no_person_has_is_said(home: Path):
    with pytest.warns(DataWarning, match="trunks are 500 m long with unit_m=1, which no person's are"):
        one(SAMPLE, unit_m=1.0, sides="h36m")

    def in_metres(array):
        array[:, :, 1:] /= 1000

    change(home, "pose_3d", in_metres)
    np.testing.assert_allclose(one(home, unit_m=1.0).positions_m, one(SAMPLE).positions_m, atol=1e-6)


def test_missing_poses_and_labels_are_said(home: Path):
    with pytest.warns(DataWarning, match=r"w01/w01_pose_2d.npy is missing"):
        assert [motion.session for motion in load_mm_fit_motions(SAMPLE, pose="2d")] == ["w00"]
    with pytest.raises(DataFormatError, match=r"has no 2D pose of w01: w01/w01_pose_2d.npy is missing"):
        load_mm_fit_motions(SAMPLE, pose="2d", workouts="w01")
    (home / "w00/w00_labels.csv").unlink()
    with pytest.warns(DataWarning, match=r"w00/w00_labels.csv is missing; the poses of w00 have no sets"):
        assert one(home).attrs["sets"] == []
    with pytest.raises(FileNotFoundError, match=r"w00_labels.csv"):
        one(home, cut_sets=True)


def test_a_damaged_workout_is_an_error_or_left_out(tmp_path: Path):
    for workout in ("w00", "w01"):
        shutil.copytree(SAMPLE / workout, tmp_path / workout)
    (tmp_path / "w00/w00_pose_3d.npy").write_bytes((SAMPLE / "w00/w00_pose_3d.npy").read_bytes()[:5000])
    with pytest.raises(DataFormatError, match=r"w00_pose_3d.npy"):
        load_mm_fit_motions(tmp_path)
    with pytest.warns(DataWarning, match=r"w00/w00_pose_3d.npy was left out: .*w00_pose_3d.npy: damaged array"):
        motions = load_mm_fit_motions(tmp_path, errors="warn")
    assert [motion.session for motion in motions] == ["w01"]
    with (
        pytest.warns(DataWarning, match="was left out"),
        pytest.raises(DataFormatError, match="nothing is left of the 3D poses of w00"),
    ):
        load_mm_fit_motions(tmp_path, workouts="w00", errors="warn")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"pose": "4d"}, UnknownNameError, "pose must be one of 3d, 2d, not '4d'"),
        ({"sides": "left"}, UnknownNameError, "sides must be one of data, h36m, authors"),
        ({"errors": "ignore"}, UnknownNameError, "errors must be one of raise, warn"),
        ({"workouts": "w21"}, UnknownNameError, "no w21; there is w01, w00"),
        ({"subjects": 9}, UnknownNameError, "no 9; there is 0, 2"),
        ({"subjects": 0, "workouts": "w00"}, DataFormatError, "none of w00 is a workout of subject 0"),
        ({"unit_m": 0}, DataFormatError, "unit_m"),
        ({"torso_m": -1}, DataFormatError, "torso_m"),
        ({"min_seen": 0}, DataFormatError, "min_seen must be a share"),
    ],
)
def test_options_that_make_no_sense_are_errors(options: dict, error: type[Exception], message: str):
    with pytest.raises(error, match=message):
        load_mm_fit_motions(SAMPLE, **options)


def test_a_wrong_folder_is_explained(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match="is no folder"):
        load_mm_fit_motions(tmp_path / "absent")
    with pytest.raises(DataFormatError, match=r"w00/w00_labels.csv"):
        load_mm_fit_motions(tmp_path)


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_virtual_watch_follows_the_real_one(side: str):
    site = f"{side}_wrist"
    (real,) = real_watches(site)
    virtual = simulate_imu(one(SAMPLE), [site], 30, cutoff_hz=5, quantities=["acc"])
    norms, times = np.linalg.norm(real.data, axis=1), virtual.start_s + np.arange(len(virtual)) / 30
    there = np.isfinite(norms)
    inside = (times > real.start_s) & (times < real.start_s + real.duration_s)
    measured = np.interp(times[inside], real.times_s[there], norms[there])
    assert inside.sum() > 150
    assert np.corrcoef(measured, np.linalg.norm(virtual.data[inside], axis=1))[0, 1] > 0.95


@pytest.mark.parametrize("pose", ["2d", "3d"])
@settings(max_examples=30, deadline=None, derandomize=True, database=None)
@given(at=st.integers(0, 10_000), put=st.binary(min_size=1, max_size=40), keep=st.integers(0, 45_000))
def test_damaged_bytes_give_a_motion_or_a_format_error(tmp_path_factory, pose: str, at: int, put: bytes, keep: int):
    home = tmp_path_factory.mktemp("damaged")
    (home / "w00").mkdir()
    (home / "w00/w00_labels.csv").write_text("1,5,1,squats\n")
    whole = (SAMPLE / f"w00/w00_pose_{pose}.npy").read_bytes()
    (home / f"w00/w00_pose_{pose}.npy").write_bytes((whole[:at] + put + whole[at + len(put) :])[: max(keep, 5)])
    try:
        motion = one(home, pose=pose, sides="h36m", unit_m=0.001)
    except DataFormatError:
        return
    assert np.isfinite(motion.positions_m).all()
