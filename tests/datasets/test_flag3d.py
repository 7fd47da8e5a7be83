from __future__ import annotations

import contextlib
import pickle
import shutil
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import script_of

import har_virtual
from har_virtual.datasets._safe_pickle import PickledArray, read_pickle
from har_virtual.datasets.flag3d import pack as packs
from har_virtual.datasets.flag3d.loader import (
    FLAG3D,
    FLAG3D_ACTIVITIES,
    FLAG3D_SPLIT,
    load_flag3d,
    load_flag3d_motions,
    split_flag3d,
)
from har_virtual.datasets.flag3d.motions import facing
from har_virtual.datasets.flag3d.pack import read_pack
from har_virtual.datasets.labels import label_table
from har_virtual.exceptions import DataFormatError, DataWarning, SamplingRateWarning, UnknownNameError
from har_virtual.pose.skeletons import NTU_25
from har_virtual.testing import check_dataset

SAMPLE = Path(__file__).parents[2] / "datasets" / "flag3d"
G = 9.80665


@pytest.fixture(scope="module")
def make_sample():
    return script_of(SAMPLE)


@pytest.fixture
def content() -> dict:
    """The 3D pack of the sample, to be changed. Our own pickle may be unpickled."""
    return pickle.loads((SAMPLE / "flag3d.pkl").read_bytes())


def packed(folder: Path, content: dict, name: str = "flag3d.pkl") -> Path:
    (folder / name).write_bytes(pickle.dumps(content, protocol=4))
    return folder


def load(home=SAMPLE, **options):
    return load_flag3d(home, **{"frame_rate_hz": 100, **options})


def load_motions(home=SAMPLE, **options):
    return load_flag3d_motions(home, **{"frame_rate_hz": 100, **options})


# The sample


def test_the_script_writes_the_sample_that_lies_beside_it(make_sample, tmp_path):
    for path in make_sample.write_sample(tmp_path):
        assert path.read_bytes() == (SAMPLE / path.name).read_bytes()


def test_the_sample_is_tiny():
    files = [path for path in SAMPLE.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert sum(path.stat().st_size for path in files) < 150_000


# Analytic: the sample's movement is exact


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize(("avatar", "size"), [("M001", 1.0), ("M002", 1.1)])
def test_a_wrist_that_curls_reads_what_its_closed_form_says(make_sample, side, avatar, size):
    (recording,) = load(subjects="P002", activities=20, avatars=avatar, cutoff_hz=None, sampling_rate_hz=100)
    times_s = recording.start_s + np.arange(len(recording)) / 100
    angle, rate, acceleration = make_sample.curl(times_s, side)
    radius_m = size * 0.93 * make_sample.FOREARM_M
    along = -radius_m * rate**2 - G * np.cos(angle)
    across = radius_m * acceleration + G * np.sin(angle)
    acc, gyr = (recording.select([f"{side}_wrist_{q}_{axis}" for axis in "xyz"]).data for q in ("acc", "gyr"))
    inside = slice(8, -8)
    np.testing.assert_allclose(acc[inside, 0], along[inside], atol=0.05)
    # x runs along the forearm, z to the right, about which it bends, and y = z x x to where it bends.
    np.testing.assert_allclose(acc[inside, 1], across[inside], atol=0.05)
    np.testing.assert_allclose(acc[inside, 2], 0, atol=0.05)
    np.testing.assert_allclose(gyr[inside], np.outer(rate, [0, 0, 1])[inside], atol=0.02)


def test_a_waist_that_squats_reads_gravity_and_its_lift(make_sample):
    (recording,) = load(subjects="P001", activities="sumo_squat", sites="waist", quantities="acc", cutoff_hz=None)
    lift = make_sample.squat(recording.start_s + np.arange(len(recording)) / 50)[1]
    norm = np.linalg.norm(recording.data, axis=1)
    np.testing.assert_allclose(norm[4:-4], G + lift[4:-4], atol=0.05)


def test_recordings_say_what_they_are():
    first, *_ = recordings = load()
    assert [r.session for r in recordings] == sorted([*(r.session for r in recordings)], key=lambda s: (s[12:16], s))
    assert (first.group, first.session, first.labels) == ("flag3d/P001", "S002C002M001P001A020R001", "dumbbell_curls")
    assert {r.domain for r in recordings} == {"virtual"}
    assert first.channels[:3] == ("left_wrist_acc_x", "left_wrist_acc_y", "left_wrist_acc_z")
    assert first.sampling_rate_hz == 50.0
    told = {"activity": 20, "avatar": "M001", "scene": "S002", "camera": "C002", "repetition": 1, "split": "val"}
    assert {name: first.attrs[name] for name in told} == told
    assert first.attrs["file"] == "flag3d.pkl"


def test_recordings_go_into_windows_and_files(tmp_path):
    recordings = load(activities=["dumbbell_curls", 49])
    windows = har_virtual.segment_recordings(recordings, window_length_s=0.4, overlap=0.5)
    assert windows.X.shape[1:] == (20, 12)
    assert set(windows.groups) == {"flag3d/P001", "flag3d/P002"}
    assert set(windows.sample_domain) == {1}
    assert har_virtual.Recording.load(recordings[0].save(tmp_path / "x.parquet")).attrs == recordings[0].attrs


# The contract


@pytest.mark.parametrize("options", [{}, {"frame_rate_hz": 100, "sites": ["waist", "left_foot"], "mirrored": True}])
def test_the_loader_keeps_the_contract(options):
    assert check_dataset(load_flag3d, SAMPLE, **options) == []


def test_sites_may_come_from_a_generator():
    (recording,) = load(subjects="P001", activities=20, sites=(site for site in ("waist", "head")))
    assert {channel[:-6] for channel in recording.channels} == {"waist", "head"}


def test_all_sites_of_the_library_are_there():
    (recording,) = load(subjects="P001", activities="A020", sites=None)
    assert {channel[:-6] for channel in recording.channels} == set(FLAG3D.sites) == set(har_virtual.imu.SITES)


def test_each_person_is_a_part_and_is_kept_apart_in_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HAR_VIRTUAL_CACHE", str(tmp_path))
    assert [(part.subject, part.files) for part in FLAG3D.find_parts(SAMPLE)] == [
        ("P001", ("flag3d.pkl",)),
        ("P002", ("flag3d.pkl",)),
    ]
    for _ in range(2):
        assert [r.subject for r in load(cache=True)] == ["P001", "P001", "P002", "P002", "P002"]
    assert [r.sampling_rate_hz for r in load(cache=True, sampling_rate_hz=25)] == [25] * 5


def test_the_cache_knows_what_recordings_were_made_of(tmp_path, monkeypatch):
    monkeypatch.setenv("HAR_VIRTUAL_CACHE", str(tmp_path))
    read = [{"unit_m": 0.9}, {"skip_frames": 2}, {"frame_rate_hz": 90}, {"mirrored": True}]
    made = [{"cutoff_hz": None}, {"sampling_rate_hz": 25}, {"sites": "head"}, {"activities": 20}, {"avatars": "M001"}]
    for number, options in enumerate([{}, *made, *read], start=1):
        with pytest.warns(DataWarning) if "mirrored" in options else contextlib.nullcontext():
            load(subjects="P002", cache=True, **options)
        assert len(list(tmp_path.rglob("contents.json"))) == number, options
    monkeypatch.setattr("har_virtual.datasets.flag3d.loader.__version__", "another")
    load(subjects="P002", cache=True)
    assert len(list(tmp_path.rglob("contents.json"))) == number + 1


def test_the_names_of_a_pack_are_read_once_as_long_as_it_stays(tmp_path, content, monkeypatch):
    reads = []
    monkeypatch.setattr(packs, "read_pickle", lambda path: reads.append(path) or read_pickle(path))
    home = packed(tmp_path, content)
    for _ in range(3):
        load(home)
    assert len(reads) == 1
    content["annotations"] = content["annotations"][:2]
    assert {r.subject for r in load(packed(tmp_path, content))} == {"P001"}
    assert len(reads) == 2


def test_a_person_costs_no_more_memory_than_one_sequence_at_a_time(tmp_path, content):
    entry = content["annotations"][2]
    long = np.tile(entry["keypoint"], (1, 50, 1, 1))
    entry["total_frames"] = long.shape[1]
    content["annotations"] = [
        {
            **entry,
            "frame_dir": f"S002C002M001P{p:03d}A020R00{r}",
            "keypoint": long.copy(),
            "total_frames": long.shape[1],
        }
        for p in (1, 2)
        for r in range(1, 9)
    ]
    home = packed(tmp_path, content)
    del content
    tracemalloc.start()
    try:
        FLAG3D.find_parts(home)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000 < (home / "flag3d.pkl").stat().st_size / 10
    finally:
        tracemalloc.stop()


def test_threads_give_the_same_streams():
    for one, two in zip(load(), load(n_jobs=2), strict=True):
        np.testing.assert_array_equal(one.data, two.data)


# Facts of the data set


def test_sequences_are_named_by_scene_camera_body_person_activity_and_repetition():
    told = packs.parse_name("S002C006M004P010A060R003")
    assert (told.subject, told.activity, told.repetition, told.avatar) == ("P010", 60, 3, "M004")
    told = packs.parse_name("PLAY_A001_V002_R003_S001")
    assert (told.subject, told.activity, told.repetition, told.avatar) == ("PLAY", 1, 3, None)
    assert told.attrs == {"view": "V002", "scene": "S001", "repetition": 3}
    for name in ("S002C002M001P002A061R001", "S002C002M001P002A000R001", "P1", "", "PLAY_A001_V002_R003"):
        assert packs.parse_name(name) is None


def test_the_pack_is_a_mapping_of_splits_and_annotations():
    content = read_pickle(SAMPLE / "flag3d.pkl")
    assert list(content) == ["split", "annotations"]
    assert set(content["split"]) == {"train", "val"}
    assert {"frame_dir", "label", "keypoint", "total_frames"} <= set(content["annotations"][0])
    assert isinstance(content["annotations"][0]["keypoint"], PickledArray)
    assert content["annotations"][0]["keypoint"].shape == (1, 80, 25, 3)


def test_there_are_60_classes_and_labels_count_from_zero(tmp_path, content):
    assert list(FLAG3D_ACTIVITIES) == list(range(1, 61))
    assert len(set(FLAG3D_ACTIVITIES.values())) == 60
    table = label_table()
    assert table[table["dataset"] == "flag3d"]["name"].tolist() == list(FLAG3D_ACTIVITIES.values())
    assert FLAG3D_ACTIVITIES[52] == "squat_with_alternate_knee_lift", "the authors' example"
    assert content["annotations"][0]["label"] == 19
    content["annotations"][0]["label"] = 20
    with pytest.raises(DataFormatError, match=r"annotation 0, S002C002M001P001A020R001: label must be 19, not 20"):
        load(packed(tmp_path, content))


def test_the_60_activities_have_the_numbers_of_the_card():
    assert tuple(FLAG3D_ACTIVITIES[number] for number in range(1, 61)) == (
        *("svend_press", "kneeling_push_ups", "standing_straight_arm_chest_press_with_resistance_band"),
        *("small_dumbbell_floor_flies", "chest_fly", "push_ups", "bent_over_w_shape_stretch"),
        *("bent_over_y_shape_stretch", "bent_over_a_shape_stretch", "squat_with_arm_lift"),
        *("breaststroke_arm_pull", "prone_y_shape_stretch", "lateral_raise_forward_circles"),
        *("lateral_raise_backward_circles", "lying_shoulder_joint_upward_round"),
        *("lying_shoulder_joint_downward_round", "bare_handed_full_lateral_raise", "bare_handed_cuban_press"),
        *("fortune_cat", "dumbbell_curls", "alternate_dumbbell_curls", "right_side_kettlebell_bent_over_row"),
        *("wrist_joint_warm_up", "right_side_bent_over_tricep_extension_with_resistance_band"),
        *("bent_over_dumbbell_tricep_extension", "nod_and_raise_head", "two_way_head_turn"),
        *("shrug_and_sink_the_shoulders", "four_way_nod_head", "lying_alternate_upper_half_leg_raise"),
        *("half_roll_back", "kneeling_right_side_torso_twist"),
        *("left_side_knee_raise_and_abdominal_muscles_contract", "kneeling_right_leg_backward_stretch"),
        *("kneeling_right_arm_raise", "shoulder_bridge", "prone_press_ups", "bent_over_torso_rotation"),
        *("lying_arm_pull", "prone_press_up_with_torso_rotation", "breaststroke_push_ups", "sit_ups"),
        *("side_lying_left_leg_forward_raise", "right_leg_reverse_lunge", "kneeling_left_knee_lift"),
        *("alternate_reverse_lunge", "side_lying_right_leg_backward_kick", "left_leg_lunge_with_knee_lift"),
        *("sumo_squat", "straight_leg_calf_raise", "squat_jump", "squat_with_alternate_knee_lift"),
        *("standing_alternate_butt_kick", "knee_warm_up", "butt_kicks", "jump_left_and_right", "jumping_jacks"),
        *("high_knee", "clap_jacks", "run_in_place_with_arm_swing"),
    )


def test_the_authors_train_on_seven_people_and_validate_on_three():
    assert FLAG3D_SPLIT["val"] == ("P001", "P005", "P010")
    assert sorted(person for people in FLAG3D_SPLIT.values() for person in people) == list(FLAG3D.subjects)
    assert {(r.subject, r.attrs["split"]) for r in load()} == {("P001", "val"), ("P002", "train")}


@pytest.mark.parametrize("subject", [2, "2", "p2", "P002"])
def test_a_person_may_be_called_by_the_number(subject):
    for found in (load(subjects=subject), load_motions(subjects=subject)):
        assert {each.subject for each in found} == {"P002"}


def test_mujos_five_two_and_three_people_go_in_order_of_their_ids():
    split = split_flag3d(reversed(FLAG3D.subjects))
    assert split == {
        "train": ("P001", "P002", "P003", "P004", "P005"),
        "validation": ("P006", "P007"),
        "test": ("P008", "P009", "P010"),
    }


def test_a_split_takes_recordings_and_other_sizes():
    recordings = load()
    split = split_flag3d(recordings, sizes=(1, 0, 1))
    assert split == {"train": ("P001",), "validation": (), "test": ("P002",)}
    assert len(recordings.select(subject=split["test"])) == 3


@pytest.mark.parametrize("sizes", [(5, 2, 3), (2, 0), (3, 0, -1), (1.0, 1, 0)])
def test_sizes_that_do_not_fit_the_people_are_an_error(sizes):
    with pytest.raises(DataFormatError, match="make 2 together"):
        split_flag3d(["P001", "P002"], sizes=sizes)
    with pytest.raises(DataFormatError, match="subject"):
        split_flag3d([1.5])


def test_the_unknown_frame_rate_is_assumed_and_told():
    with pytest.warns(DataWarning, match=r"does not say its frame rate; 100 Hz is assumed") as caught:
        assumed = load_flag3d(SAMPLE, cutoff_hz=None)
    assert len(caught) == 1
    assert assumed[0].attrs["frame_rate_assumed"]
    known = load(cutoff_hz=None)
    assert not known[0].attrs["frame_rate_assumed"]
    np.testing.assert_array_equal(assumed[0].data, known[0].data)
    with pytest.warns(DataWarning, match="frame rate"):
        load_flag3d_motions(SAMPLE)


def test_turn_rates_go_with_the_frame_rate():
    slow, fast = (load(activities=20, frame_rate_hz=f, sampling_rate_hz=f, cutoff_hz=None)[0] for f in (50, 100))
    assert len(slow) == len(fast)
    np.testing.assert_allclose(2 * slow.data[8:-8, 3:6], fast.data[8:-8, 3:6], atol=1e-3)


def test_sensors_faster_than_the_skeleton_warn():
    with pytest.warns(SamplingRateWarning):
        load(frame_rate_hz=30)


def test_sensors_faster_than_the_skeleton_warn_from_the_cache_too(tmp_path, monkeypatch):
    monkeypatch.setenv("HAR_VIRTUAL_CACHE", str(tmp_path))
    for _ in range(2):
        with pytest.warns(SamplingRateWarning):
            load(frame_rate_hz=30, activities=20, cache=True)


def test_the_first_frame_is_not_of_the_movement_and_is_left_out():
    (whole,) = load_motions(subjects="P001", activities=20, skip_frames=0)
    (usual,) = load_motions(subjects="P001", activities=20)
    steps = np.linalg.norm(np.diff(whole.joint("left_wrist"), axis=0), axis=1)
    assert steps[0] > 5 * steps[1:].max()
    np.testing.assert_array_equal(whole.joint("pelvis")[0], 0)
    np.testing.assert_array_equal(usual.positions_m, whole.positions_m[1:])
    np.testing.assert_allclose(usual.timestamps_s, whole.timestamps_s[1:])
    jumping, smooth = (load(activities=20, skip_frames=n, cutoff_hz=None)[0].data for n in (0, 1))
    assert np.abs(jumping).max() > 5 * np.abs(smooth).max()


def test_z_is_up_in_metres_on_the_joints_of_ntu(make_sample):
    motion = load_motions(subjects="P001", activities=20)[0]
    assert motion.skeleton is NTU_25
    assert tuple(NTU_25.joints) == make_sample.JOINTS
    raw = make_sample.spatial("S002C002M001P001A020R001")
    np.testing.assert_array_equal(motion.positions_m, raw[0, 1:])
    np.testing.assert_allclose((motion.joint("neck_top") - motion.joint("pelvis"))[0], [0, 0.01, 0.5], atol=1e-6)
    assert (motion.subject, motion.label, motion.session) == ("P001", "dumbbell_curls", "S002C002M001P001A020R001")


def test_another_unit_and_turned_sides_are_parameters():
    for one, other in zip(load_motions(), load_motions(unit_m=0.01), strict=True):
        np.testing.assert_allclose(other.positions_m, one.positions_m / 100)
    with pytest.warns(DataWarning, match="knees bend to the back"):
        turned = load_motions(mirrored=True)
    np.testing.assert_array_equal(turned[0].positions_m, load_motions()[0].positions_m * [-1, 1, 1])


def test_knees_tell_mirrored_skeletons_whatever_the_heading(tmp_path, content):
    assert facing(load_motions()) > 0.9
    for entry in content["annotations"]:
        x, y, z = np.moveaxis(entry["keypoint"], 3, 0)
        entry["keypoint"] = np.stack([y, x, z], axis=3)
    home = packed(tmp_path, content)
    with pytest.warns(DataWarning, match=r"knees bend to the back.*mirrored=True"):
        load(home)
    assert facing(load_motions(home, mirrored=True)) > 0.9


@pytest.mark.parametrize(("y", "expected"), [(0.05, 1.0), (0.02, 0.0), (-0.02, 0.0), (-0.05, -1.0)])
def test_knees_that_hardly_bend_tell_nothing(y, expected):
    (motion,) = load_motions(subjects="P001", activities=20)
    positions = motion.positions_m.copy()
    for side in ("left", "right"):
        hip, ankle, knee = (NTU_25.index(f"{side}_{joint}") for joint in ("hip", "ankle", "knee"))
        positions[:, [hip, ankle]] *= [1, 0, 1]
        positions[:, knee] = (positions[:, hip] + positions[:, ankle]) / 2 + [0, y, 0]
    assert facing([motion.replace(positions_m=positions)]) == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize(
    ("told", "n_notes"),
    [([], 1), ([(-0.2, 100)], 1), ([(-1, 100), (1, 300)], 1), ([(-1, 300), (1, 100)], 2), ([(-1, 1)], 2)],
)
def test_all_frames_together_tell_mirrored_skeletons(told, n_notes):
    notes = FLAG3D.notes(told)
    assert len(notes) == n_notes
    assert ("mirrored=True" in notes[-1]) == (n_notes == 2)


def test_whom_no_sequence_is_missing_of_is_not_named(monkeypatch):
    monkeypatch.setattr("har_virtual.datasets.flag3d.loader._N_SEQUENCES", 3)
    assert FLAG3D.missing(SAMPLE) == [
        "flag3d.pkl: 1 sequences of P001",
        *(f"flag3d.pkl: 3 sequences of {subject}" for subject in FLAG3D.subjects[2:]),
    ]


def test_the_low_pass_is_the_one_asked_for():
    smooth, exact = (load(subjects="P001", activities=20, cutoff_hz=cutoff_hz)[0] for cutoff_hz in (3, 12))
    assert [r.attrs["cutoff_hz"] for r in (smooth, exact)] == [3, 12]
    assert np.abs(smooth.data - exact.data).max() > 0.1


def test_the_bodies_of_one_performance_can_be_chosen():
    assert [r.attrs["avatar"] for r in load()] == ["M001", "M001", "M001", "M001", "M002"]
    assert [r.attrs["avatar"] for r in load(avatars="M001")] == ["M001"] * 4
    with pytest.raises(UnknownNameError, match="M001 to M004, not W1"):
        load(avatars=["W1"])


# The 2D pack


def test_the_2d_pack_is_coco_in_the_plane_of_the_picture(make_sample):
    rendered, film = load_motions(pack="2d")
    assert (film.subject, rendered.subject) == ("PHR", "P002")
    assert film.skeleton.name == "COCO-17"
    assert tuple(film.skeleton.joints) == make_sample.COCO
    assert not film.positions_m[:, :, 1].any()
    joints = make_sample.person(np.arange(80) / 100, 20)
    for side in ("left", "right"):
        for joint in ("wrist", "knee"):
            expected = (joints[f"{side}_{joint}"] - joints["pelvis"])[:, [0, 2]]
            np.testing.assert_allclose(rendered.joint(f"{side}_{joint}")[:, [0, 2]], expected, atol=0.01)
    assert (rendered.attrs["split"], film.attrs["split"]) == ("train", "val")


def test_joints_that_were_not_seen_are_interpolated_and_counted(make_sample):
    rendered, film = load_motions(pack="2d")
    assert film.attrs["missing"] == pytest.approx(10 / 80 / 17)
    assert rendered.attrs["missing"] == 0
    x = film.joint("right_wrist")[make_sample.UNSEEN.start - 1 : make_sample.UNSEEN.stop + 1, 2]
    np.testing.assert_allclose(np.diff(x, 2), 0, atol=1e-12)


def test_the_trunk_gives_the_scale_of_the_2d_pack():
    for one, other in zip(load_motions(pack="2d"), load_motions(pack="2d", torso_m=1.0), strict=True):
        np.testing.assert_allclose(other.positions_m, 2 * one.positions_m)


def test_a_joint_that_is_hardly_ever_seen_damages_a_sequence():
    with pytest.raises(DataFormatError, match=r"flag2d\.pkl: S001C001M001P002A020R001 shows nose in 0% of its frames"):
        load_motions(pack="2d", min_score=0.95)
    with pytest.raises(DataFormatError, match="nothing is left"), pytest.warns(DataWarning, match="2d.*was left out"):
        load_motions(pack="2d", min_score=0.95, errors="warn")


def test_the_2d_pack_alone_gives_motions_and_no_sensors(tmp_path):
    shutil.copy(SAMPLE / "flag2d.pkl", tmp_path)
    assert len(load_motions(tmp_path, pack="2d", subjects="PHR")) == 1
    with pytest.raises(DataFormatError, match=r"flag3d\.pkl"):
        load(tmp_path)


@settings(max_examples=30, deadline=None, derandomize=True, database=None)
@given(st.text(max_size=30))
def test_names_are_taken_apart_or_not(name):
    told = packs.parse_name(name)
    assert told is None or told.activity in FLAG3D_ACTIVITIES


def test_sequences_come_by_person_and_name():
    sequences = read_pack(SAMPLE / "flag3d.pkl")
    assert [s.name for s in sequences] == sorted((s.name for s in sequences), key=lambda name: (name[12:16], name))
