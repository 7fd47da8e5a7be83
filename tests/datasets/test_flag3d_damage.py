from __future__ import annotations

import contextlib
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from har_virtual.datasets.flag3d.loader import FLAG3D, load_flag3d, load_flag3d_motions
from har_virtual.datasets.survey import survey_dataset
from har_virtual.exceptions import DataFormatError, DataWarning, UnknownNameError
from har_virtual.skeleton import Motion

SAMPLE = Path(__file__).parents[2] / "datasets" / "flag3d"


@pytest.fixture
def content() -> dict:
    """The 3D pack of the sample, to be damaged. Our own pickle may be unpickled."""
    return pickle.loads((SAMPLE / "flag3d.pkl").read_bytes())


def packed(folder: Path, content: dict) -> Path:
    (folder / "flag3d.pkl").write_bytes(pickle.dumps(content, protocol=4))
    return folder


def load(home=SAMPLE, **options):
    return load_flag3d(home, **{"frame_rate_hz": 100, **options})


def load_motions(home=SAMPLE, **options):
    return load_flag3d_motions(home, **{"frame_rate_hz": 100, **options})


def test_a_pickle_that_asks_for_more_than_numbers_is_refused_and_not_run(tmp_path):
    class Hostile:
        def __reduce__(self):
            return (open, (str(tmp_path / "was_run"), "w"))

    packed(tmp_path, {"split": {}, "annotations": [Hostile()]})
    with pytest.raises(DataFormatError, match=r"flag3d\.pkl asks for (io|_io|builtins)\.open"):
        load(tmp_path)
    assert not (tmp_path / "was_run").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda e: e.pop("frame_dir"), "annotation 1 must have a frame_dir"),
        (lambda e: e.update(frame_dir="video_7"), "'video_7'"),
        (lambda e: e.update(frame_dir="S002C002M001P001A020R001"), "A020R001: label must be 19"),
        (lambda e: e.update(label="48"), "label must be 48"),
        (lambda e: e.update(label=[[]]), "not a list"),
        (lambda e: e.update(keypoint=None), "must be arrays"),
        (lambda e: e.update(keypoint_score=[1]), "must be arrays"),
        (lambda e: e.update(total_frames=None), "total_frames"),
    ],
)
def test_an_annotation_that_makes_no_sense_is_an_error_with_its_place(tmp_path, content, change, message):
    change(content["annotations"][1])
    with pytest.raises(DataFormatError, match=rf"flag3d\.pkl.*({message})"):
        load(packed(tmp_path, content))


@pytest.mark.parametrize(
    "content",
    [
        [],
        {"split": {}},
        {"annotations": {}},
        {"annotations": []},
        {"annotations": [1]},
        {"split": [], "annotations": [1]},
    ],
)
def test_another_pickle_is_no_pack(tmp_path, content):
    with pytest.raises(DataFormatError, match=r"flag3d\.pkl"):
        load(packed(tmp_path, content))


def _with_nan(joints):
    joints = joints.copy()
    joints[0, 40, 3, 1] = np.nan
    return joints


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_with_nan, "1 coordinates that are NaN.*frame 40"),
        (lambda joints: joints * 1000, "over 50 m"),
        (lambda joints: joints[:, :, :17], r"shape \(1, 80, 17, 3\), not \(1, 80, 25, 3\)"),
        (lambda joints: np.concatenate([joints, joints]), r"shape \(2, 80, 25, 3\)"),
        (lambda joints: joints[:, :40], "as 80 frames should have"),
    ],
)
def test_a_damaged_sequence_can_be_left_out(tmp_path, content, damage, message):
    entry = content["annotations"][2]
    entry["keypoint"] = damage(entry["keypoint"])
    home = packed(tmp_path, content)
    where = rf"flag3d\.pkl: S002C002M001P002A020R001 has .*{message}"
    for loader in (load, load_motions):
        with pytest.raises(DataFormatError, match=where):
            loader(home)
        with pytest.warns(DataWarning, match=rf"P002A020R001 was left out: .*{message}"):
            left = loader(home, errors="warn")
        assert "S002C002M001P002A020R001" not in {each.session for each in left}
        assert len(left) == 4
        assert len(loader(home, subjects="P001")) == 2


def test_a_skeleton_that_holds_no_sensor_loses_no_other_sequence(tmp_path, content):
    content["annotations"][2]["keypoint"] *= 0
    home = packed(tmp_path, content)
    message = "P002A020R001 is no skeleton that sensors could sit on: rotations"
    with pytest.raises(DataFormatError, match=message):
        load(home)
    with pytest.warns(DataWarning, match=message):
        left = load(home, errors="warn")
    assert [recording.subject for recording in left] == ["P001", "P001", "P002", "P002"]


@pytest.mark.parametrize("option", ["cutoff_hz", "sampling_rate_hz", "frame_rate_hz"])
def test_a_parameter_that_makes_no_sense_is_no_damage(option):
    with pytest.raises(DataFormatError, match=rf"^{option} must be a finite number above 0, not -1"):
        load(errors="warn", **{option: -1})


def test_a_name_that_occurs_twice_is_told(tmp_path, content):
    content["annotations"] += content["annotations"][3:4]
    with pytest.raises(DataFormatError, match=r"flag3d\.pkl: S002C002M002P002A020R001 occurs 2 times"):
        load(packed(tmp_path, content))


def test_a_survey_finds_each_damaged_sequence_and_reads_the_others(tmp_path, content):
    for number in (1, 2):
        content["annotations"][number]["total_frames"] = 79
    survey = survey_dataset(FLAG3D, packed(tmp_path, content))
    assert list(survey.damaged) == [f"flag3d.pkl: S002C002M001P00{p}" for p in ("1A049R001", "2A020R001")]
    assert survey.there == ("flag3d.pkl",)
    lacking = {"P001": 718, "P002": 717} | dict.fromkeys(FLAG3D.subjects[2:], 720)
    assert survey.missing == tuple(f"flag3d.pkl: {count} sequences of {who}" for who, count in lacking.items())
    assert survey.absent == FLAG3D.subjects[2:]
    assert any("frame rate" in note for note in survey.notes)


def test_a_sequence_without_frames_is_too_short_in_either_pack(tmp_path, content):
    for entry in content["annotations"]:
        entry.update(keypoint=entry["keypoint"][:, :0], total_frames=0)
    packed(tmp_path, content)
    shutil.copy(tmp_path / "flag3d.pkl", tmp_path / "flag2d.pkl")
    for pack in ("3d", "2d"):
        with pytest.raises(DataFormatError, match="has 0 frames, but 6 are needed"):
            load_motions(tmp_path, pack=pack)


def test_a_sequence_of_few_frames_is_too_short(tmp_path, content):
    for entry in content["annotations"]:
        entry.update(keypoint=entry["keypoint"][:, :6], total_frames=6)
    with pytest.raises(DataFormatError, match="has 5 frames, but 6 are needed"):
        load(packed(tmp_path, content))


@pytest.fixture
def film(tmp_path) -> tuple[dict, np.ndarray, np.ndarray, Callable[[], Motion]]:
    """Joints (1, 80, 17, 2) and scores of one sequence of a 2D pack, to be damaged, and how it is then loaded."""
    content = pickle.loads((SAMPLE / "flag2d.pkl").read_bytes())
    entry = content["annotations"][0]
    content["annotations"] = [entry]

    def read() -> Motion:
        (tmp_path / "flag2d.pkl").write_bytes(pickle.dumps(content, protocol=4))
        return load_motions(tmp_path, pack="2d")[0]

    return entry, entry["keypoint"], entry["keypoint_score"], read


NOSE, WRIST, TRUNK = 0, 10, [5, 6, 11, 12]


def test_a_joint_at_the_corner_of_the_picture_was_not_seen(film):
    _, joints, _, read = film
    whole = read()
    joints[0, 20:30, WRIST] = 0
    motion = read()
    assert motion.attrs["missing"] == pytest.approx(10 / 80 / 17)
    np.testing.assert_allclose(np.diff(motion.joint("right_wrist")[19:31], 2, axis=0), 0, atol=1e-12)
    np.testing.assert_array_equal(motion.joint("left_wrist"), whole.joint("left_wrist"))


def test_one_joint_that_is_seen_in_less_than_half_of_the_frames_is_enough_damage(film):
    _, _, scores, read = film
    scores[0, :40, NOSE] = 0
    read()
    scores[0, :50, NOSE] = 0
    with pytest.raises(DataFormatError, match=r"shows nose in 38% of its frames only; 50% are needed"):
        read()


def test_a_frame_that_is_off_does_not_change_the_scale_of_a_film(film):
    _, joints, _, read = film
    whole = read()
    joints[0, 40, TRUNK[2:]] += 200
    assert read().attrs["torso_px"] == whole.attrs["torso_px"]


def test_damage_to_a_sequence_of_the_2d_pack_is_told(film):
    entry, joints, _, read = film
    entry["keypoint_score"] = entry["keypoint_score"][:, :, :16]
    with pytest.raises(DataFormatError, match=r"flag2d\.pkl: .* has scores of shape \(1, 80, 16\), not \(1, 80, 17\)"):
        read()
    del entry["keypoint_score"]
    joints[0, 7, WRIST] = 30_000
    with pytest.raises(DataFormatError, match=r"has 2 coordinates that .* over 20000 px, from frame 7"):
        read()
    joints[0, 7, WRIST] = joints[0, 6, WRIST]
    joints[0][:, TRUNK] = joints[0][:, NOSE, None]
    with pytest.raises(DataFormatError, match="has a trunk without a length"):
        read()


@pytest.mark.parametrize(
    "options",
    [{"unit_m": 0}, {"frame_rate_hz": -1}, {"skip_frames": -1}, {"skip_frames": 1.5}, {"sampling_rate_hz": 0}],
)
def test_parameters_that_make_no_sense_are_errors(options):
    with pytest.raises(DataFormatError, match=next(iter(options))):
        load(**options)


@pytest.mark.parametrize("options", [{"torso_m": 0}, {"min_score": np.nan}])
def test_parameters_of_the_2d_pack_that_make_no_sense_are_errors(options):
    with pytest.raises(DataFormatError, match=next(iter(options))):
        load_motions(pack="2d", **options)


@pytest.mark.parametrize(
    ("options", "listed"),
    [
        ({"subjects": "P999"}, "P001, P002"),
        ({"subjects": "P003"}, "there is P001, P002"),
        ({"subjects": 11}, "no 11; there is P001, P002"),
        ({"activities": "jogging"}, "60 run_in_place_with_arm_swing"),
        ({"activities": 0}, "1 svend_press"),
        ({"activities": "A061"}, "1 svend_press"),
        ({"sites": "tail"}, "left_wrist"),
        ({"errors": "ignore"}, "errors must be"),
    ],
)
def test_unknown_names_are_errors_that_list_the_known_ones(options, listed):
    with pytest.raises(UnknownNameError, match=listed):
        load(**options)
    if "sites" not in options and options.get("subjects") != "P003":
        with pytest.raises(UnknownNameError, match=listed):
            load_motions(**options)


def test_an_unknown_pack_is_an_error():
    with pytest.raises(UnknownNameError, match="'3d' or '2d'"):
        load_motions(pack="4d")


def test_nothing_of_what_was_asked_for_is_an_error():
    for loader in (load, load_motions):
        with pytest.raises(DataFormatError, match="nothing is left"):
            loader(activities="push_ups")


def test_the_level_above_and_below_is_told(tmp_path):
    shutil.copytree(SAMPLE, tmp_path / "data" / "packs")
    with pytest.raises(DataFormatError, match=r"pass .*packs"):
        load(tmp_path)
    (tmp_path / "data" / "packs").rename(tmp_path / "data" / "FLAG")
    assert len(load(tmp_path / "data")) == 5


@settings(max_examples=30, deadline=None, derandomize=True, database=None)
@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=8), st.booleans())
def test_damaged_packs_are_format_errors_or_recordings(tmp_path_factory, changes, is_cut):
    content = bytearray((SAMPLE / "flag3d.pkl").read_bytes())
    for place, byte in changes:
        content[place % len(content)] = byte
    home = tmp_path_factory.mktemp("pack")
    (home / "flag3d.pkl").write_bytes(bytes(content[: changes[0][0] % len(content)] if is_cut else content))
    with contextlib.suppress(DataFormatError, UnknownNameError):
        assert all(np.isfinite(recording.data).all() for recording in load(home, activities=20))
