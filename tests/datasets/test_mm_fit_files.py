from __future__ import annotations

import io
import re
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from har_virtual.datasets.mm_fit.files import (
    EXERCISES,
    WORKOUTS,
    ExerciseSet,
    file_of,
    read_device,
    read_pose,
    read_sets,
    workouts_in,
)
from har_virtual.exceptions import DataFormatError

SAMPLE = Path(__file__).parents[2] / "datasets" / "mm_fit"
quickly = settings(max_examples=30, deadline=None, derandomize=True, database=None)


def labels(folder: Path, text: str | bytes) -> Path:
    path = folder / "w00_labels.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def saved(folder: Path, array, name: str = "w00_sw_l_acc.npy") -> Path:
    np.save(folder / name, array)
    return folder / name


def readings(n_rows: int = 4) -> np.ndarray:
    """Rows of a sensor: frame, stamp, and values that tell their row and column."""
    row = np.arange(n_rows)[:, None]
    return np.hstack([row // 3, 1_553_000_000_000 + 10 * row, row + np.array([0.25, 0.5, 0.75])])


def as_bytes(array) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def test_twenty_one_workouts_were_done_by_ten_people_and_twelve_of_them_by_two():
    assert list(WORKOUTS) == [f"w{number:02d}" for number in range(21)]
    who = [2, 0, 1, 0, 1, 2, 0, 1, 0, 1, 0, 1, 3, 4, 0, 1, 5, 6, 7, 8, 9]
    assert list(WORKOUTS.values()) == [str(number) for number in who]
    assert [list(WORKOUTS.values()).count(subject) for subject in "0123456789"] == [6, 6, 2, 1, 1, 1, 1, 1, 1, 1]


def test_files_lie_in_a_folder_a_workout_and_carry_its_name():
    assert file_of("w07", "sw_l_acc") == "w07/w07_sw_l_acc.npy"
    assert file_of("w07", "labels") == "w07/w07_labels.csv"


def test_workouts_come_by_subject_as_a_number(tmp_path):
    for name in ("w00", "w01", "w20", "w16", "w21", "notes"):
        (tmp_path / name).mkdir()
    (tmp_path / "w02").write_text("no folder")
    assert workouts_in(tmp_path) == ["w01", "w00", "w16", "w20"]


def test_ten_exercises_have_the_authors_numbers():
    assert list(EXERCISES) == [
        *("squats", "lunges", "bicep_curls", "situps", "pushups", "tricep_extensions", "dumbbell_rows"),
        *("jumping_jacks", "dumbbell_shoulder_press", "lateral_shoulder_raises"),
    ]


def test_sets_are_rows_of_start_end_repetitions_and_exercise_without_a_header(tmp_path):
    path = labels(tmp_path, "3900,4500,10,squats\r\n120, 3000 ,11, pushups\n\n")
    assert read_sets(path) == [ExerciseSet(120, 3000, 11, "pushups", 2), ExerciseSet(3900, 4500, 10, "squats", 1)]


def test_a_set_may_begin_where_another_ends_for_the_end_frame_is_outside(tmp_path):
    sets = read_sets(labels(tmp_path, "10,20,1,squats\n20,30,1,lunges\n"))
    assert [(each.start_frame, each.stop_frame) for each in sets] == [(10, 20), (20, 30)]


def test_a_byte_order_mark_is_no_part_of_the_first_set(tmp_path):
    path = labels(tmp_path, b"\xef\xbb\xbf10,20,1,squats\n")
    assert read_sets(path) == [ExerciseSet(10, 20, 1, "squats", 1)]


def test_a_workout_without_sets_is_an_empty_table(tmp_path):
    assert read_sets(labels(tmp_path, "")) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("10,20,1,squats\nstart,end,reps,activity\n", "line 2: 'start,end,reps,activity' is no set: four columns"),
        ("10,20,squats\n", "line 1: .* is no set"),
        ("10,20,1,squats,more\n", "line 1: .* is no set"),
        ("10,20,-1,squats\n", "line 1: .* is no set"),
        ("10,2_0,1,squats\n", "line 1: .* is no set"),
        ("10,\u0662\u0660,1,squats\n", "line 1: .* is no set"),
        ("10,20,1,burpees\n", "line 1: there is no exercise 'burpees'; there are squats, lunges"),
        ("\n20,10,1,squats\n", "line 2: the set of squats ends at frame 10, which is not after its start at 20"),
        ("20,20,1,squats\n", "line 1: the set of squats ends at frame 20"),
        ("10,999999999,1,squats\n", "line 1: no workout has a frame 999999999"),
        ("30,60,1,squats\n10,31,1,lunges\n", "line 1: the set of squats from frame 30 begins before the one of lunges"),
        (b"10,20,1,\xff\xfe\n", "is no text .*damaged"),
    ],
)
def test_a_damaged_table_of_sets_is_an_error_with_its_line(tmp_path, text, message):
    with pytest.raises(DataFormatError, match=message) as caught:
        read_sets(labels(tmp_path, text))
    assert "w00_labels.csv" in str(caught.value)


@quickly
@given(text=st.text(st.sampled_from("0123456789,,\n \rsquatlunges\x00é-_."), max_size=60))
def test_any_table_of_sets_is_read_or_refused(tmp_path_factory, text):
    path = labels(tmp_path_factory.mktemp("any"), f"10,20,1,squats\n{text}")
    with suppress(DataFormatError):
        sets = read_sets(path)
        assert all(each.start_frame < each.stop_frame and each.activity in EXERCISES for each in sets)


def test_a_devices_rows_are_frame_stamp_in_ms_and_three_values(tmp_path):
    found = read_device(saved(tmp_path, readings()), 3)
    assert (found.frames.dtype, found.times_ms.dtype, found.values.dtype) == (np.int64, np.float64, np.float32)
    assert found.frames.tolist() == [0, 0, 0, 1]
    assert found.times_ms.tolist() == [1_553_000_000_000 + 10 * row for row in range(4)]
    assert found.values[2].tolist() == [2.25, 2.5, 2.75]


def test_the_heart_rate_has_three_columns(tmp_path):
    path = saved(tmp_path, np.array([[0, 1000.0, 88], [30, 2000.0, 90]]))
    assert read_device(path, 1).values.tolist() == [[88], [90]]
    with pytest.raises(DataFormatError, match=r"shape \(readings, 5\) are needed, not float64 of shape \(2, 3\)"):
        read_device(path, 3)


def test_a_missing_reading_stays_nan(tmp_path):
    array = readings()
    array[1, 3] = np.nan
    assert np.isnan(read_device(saved(tmp_path, array), 3).values).nonzero() == (1, 1)


@pytest.mark.parametrize(
    ("row", "column", "value", "message"),
    [
        (2, 0, 0.5, "row 2 has the frame 0.5"),
        (1, 0, -1, "row 1 has the frame -1"),
        (1, 0, np.nan, "row 1 has the frame nan"),
        (1, 0, 1e12, r"row 1 has the frame 1e\+12"),
        (3, 1, np.nan, "row 3 has no time stamp"),
        (3, 1, np.inf, "row 3 has no time stamp"),
        (0, 2, np.inf, "1 values are infinite"),
        (0, 4, -1e9, r"1 values are infinite or over 1e\+07"),
    ],
)
def test_a_damaged_reading_is_named(tmp_path, row, column, value, message):
    array = readings()
    array[row, column] = value
    with pytest.raises(DataFormatError, match=message):
        read_device(saved(tmp_path, array), 3)


@pytest.mark.parametrize("array", [np.zeros((0, 5)), np.zeros(5), np.zeros((4, 5), bool), np.full((4, 5), "1")])
def test_other_arrays_are_refused_with_the_shape_that_is_needed(tmp_path, array):
    with pytest.raises(DataFormatError, match=r"numbers of shape \(readings, 5\) are needed"):
        read_device(saved(tmp_path, array), 3)


def test_an_array_of_objects_is_never_unpickled(tmp_path):
    path = tmp_path / "w00_sw_l_acc.npy"
    np.save(path, np.array([{}, None]), allow_pickle=True)
    with pytest.raises(DataFormatError, match="damaged array"):
        read_device(path, 3)


def test_a_header_that_promises_more_than_the_file_has_asks_for_no_memory(tmp_path):
    header = as_bytes(readings()).replace(b"(4, 5), }", b"(400000000000, 5), }")
    (tmp_path / "w00_sw_l_acc.npy").write_bytes(header)
    with pytest.raises(DataFormatError, match="damaged array"):
        read_device(tmp_path / "w00_sw_l_acc.npy", 3)


def test_a_file_that_is_no_array_is_named(tmp_path):
    path = tmp_path / "w00_sw_l_acc.npy"
    for content in (b"", b"PK\x03\x04", b"\x80\x04N."):
        path.write_bytes(content)
        with pytest.raises(DataFormatError, match=re.escape(f"{path} is no file of NumPy")):
            read_device(path, 3)


@quickly
@given(cut=st.integers(0, 300), at=st.integers(0, 287), byte=st.integers(0, 255))
def test_any_damaged_array_is_read_or_refused(tmp_path_factory, cut, at, byte):
    content = bytearray(as_bytes(readings()))
    content[at] = byte
    path = tmp_path_factory.mktemp("any") / "w00_sw_l_acc.npy"
    path.write_bytes(bytes(content[: max(len(content) - cut, 0)] if cut % 2 else content))
    with suppress(DataFormatError):
        found = read_device(path, 3)
        assert found.values.shape[1:] == (3,)


def test_a_3d_pose_has_18_columns_the_frame_and_human_36m_s_17_joints(tmp_path):
    array = np.zeros((3, 4, 18))
    array[:, :, 0] = [7, 8, 9, 11]
    array[:, :, 1:] = np.arange(3)[:, None, None] + 0.01 * np.arange(17)
    pose = read_pose(saved(tmp_path, array), 3)
    assert pose.frames.tolist() == [7, 8, 9, 11]
    assert pose.values.shape == (4, 17, 3)
    np.testing.assert_allclose(pose.values[2, 16], [0.16, 1.16, 2.16])


def test_the_authors_table_of_33_columns_is_not_what_the_files_have(tmp_path):
    with pytest.raises(DataFormatError, match=r"shape \(3, frames, 18\) are needed, not float64 of shape \(3, 4, 33\)"):
        read_pose(saved(tmp_path, np.zeros((3, 4, 33))), 3)


def test_a_2d_pose_has_19_columns_the_frame_and_coco_s_18_keypoints(tmp_path):
    array = np.zeros((2, 4, 19), dtype=np.float32)
    array[1, :, 18] = 5
    pose = read_pose(saved(tmp_path, array), 2)
    assert (pose.values.shape, pose.values.dtype) == ((4, 18, 2), np.float64)
    assert pose.values[3, 17].tolist() == [0, 5]
    with pytest.raises(DataFormatError, match=r"\(3, frames, 18\)"):
        read_pose(saved(tmp_path, array), 3)


def test_the_samples_poses_are_read():
    assert read_pose(SAMPLE / "w00" / "w00_pose_3d.npy", 3).values.shape == (204, 17, 3)
    assert read_pose(SAMPLE / "w00" / "w00_pose_2d.npy", 2).values.shape == (204, 18, 2)
