from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mm_fit_workout import SAMPLE, ZERO_MS, even, load, one, rows, workout
from samples import script_of

from har_virtual import segment_recordings
from har_virtual.datasets.labels import COMMON_LABELS, label_map, relabel
from har_virtual.datasets.mm_fit.clock import fit_camera, in_order
from har_virtual.datasets.mm_fit.files import DeviceFile
from har_virtual.datasets.mm_fit.loader import (
    MM_FIT,
    fetch_mm_fit,
    load_mm_fit,
)
from har_virtual.exceptions import DataFormatError, DataWarning, TermsError, UnknownNameError
from har_virtual.testing.datasets import check_dataset
from har_virtual.windows import join_sessions

# Every workout here lacks some file, and many stamps are made up.
pytestmark = [
    pytest.mark.filterwarnings("ignore:w0[01] has no"),
    pytest.mark.filterwarnings("ignore:.*unlike the published files"),
]


@pytest.fixture(scope="module")
def sample_maker():
    return script_of(SAMPLE)


@pytest.fixture
def copy(tmp_path) -> Path:
    return shutil.copytree(SAMPLE, tmp_path / "mm-fit", ignore=shutil.ignore_patterns("*.py", "__pycache__"))


def test_mm_fit_keeps_the_contract():
    assert check_dataset(load_mm_fit, SAMPLE) == []


def test_the_sample_is_what_its_maker_writes(tmp_path, sample_maker):
    for path in sample_maker.write_sample(tmp_path):
        assert path.read_bytes() == (SAMPLE / path.relative_to(tmp_path)).read_bytes(), path


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_samples_closed_form_comes_back_in_standard_units(side, sample_maker):
    watch = one(load(subjects=2, sites=f"{side}_wrist", quantities="acc"))
    truth = sample_maker.watch("w00", side)(watch.times_s)["acc"]
    known = ~np.isnan(watch.data[:, 0])
    assert np.sum(~known) == (8 if side == "left" else 0)
    np.testing.assert_allclose(watch.data[known], truth[known], atol=0.6 * sample_maker.STEPS["acc"])


def test_the_gyroscope_of_the_sample_comes_back_beside_the_accelerometer(sample_maker):
    watch = one(load(subjects=2, sites="left_wrist", quantities="gyr"))
    truth = sample_maker.watch("w00", "left")(watch.times_s)["gyr"]
    known = ~np.isnan(watch.data[:, 0])
    np.testing.assert_allclose(watch.data[known], truth[known], atol=0.6 * sample_maker.STEPS["gyr"])


@pytest.mark.parametrize(
    ("modality", "rate_hz"),
    [("sp_l_mag", 100), ("sp_r_mag", 65), ("sp_l_gyr", 210), ("sp_r_gyr", 500), ("eb_l_gyr", 90)],
)
def test_fields_in_ut_and_turn_rates_in_rad_per_s_come_back_as_they_lie_in_the_file(tmp_path, modality, rate_hz):
    array = rows(even(rate_hz))
    array[:, 2:] = np.linspace([-40, 0.1, 7], [50, 2.5, -3], len(array))
    recording = one(load(workout(tmp_path, **{modality: array})))
    assert recording.channels[0].endswith(f"_{modality[-3:]}_x")
    np.testing.assert_array_equal(recording.data, array[:, 2:].astype(np.float32))


def test_recordings_say_that_they_have_gravity_and_the_axes_of_their_device():
    assert {(each.attrs["gravity"], each.attrs["frame"]) for each in load()} == {(True, "sensor")}


def test_the_watches_belong_to_the_pose_of_the_sample(sample_maker):
    """Gravity apart, a watch's acceleration is the second derivative of its wrist's place."""
    times = np.linspace(0.7, 3.3, 400)
    step = 1e-4
    places = [sample_maker.joints("w00", times + shift)["left_wrist"] for shift in (-step, 0, step)]
    force = (places[0] - 2 * places[1] + places[2]) / step**2 + [0, 0, 9.80665]
    read = sample_maker.watch("w00", "left")(times)["acc"]
    np.testing.assert_allclose(np.linalg.norm(read, axis=1), np.linalg.norm(force, axis=1), atol=1e-3)


def test_the_left_arm_curls_before_the_right_one():
    left, right = (one(load(subjects=2, sites=f"{side}_wrist", quantities="acc")) for side in ("left", "right"))

    def moves(watch, start_s, stop_s):
        inside = (watch.times_s > start_s) & (watch.times_s < stop_s)
        return np.ptp(np.linalg.norm(watch.data[inside], axis=1)) > 1

    assert (moves(left, 0.6, 1.2), moves(right, 0.6, 1.2)) == (True, False)
    assert (moves(left, 1.4, 2.0), moves(right, 1.4, 2.0)) == (False, True)


def test_devices_sit_at_wrists_pockets_and_ear():
    there = {recording.attrs["device"]: recording.channels[0] for recording in load()}
    sites = {device: channel.removesuffix("_acc_x").removesuffix("_mag_x") for device, channel in there.items()}
    assert sites == {
        "sw_l": "left_wrist",
        "sw_r": "right_wrist",
        "sp_l": "left_thigh",
        "sp_r": "right_thigh",
        "eb_l": "head",
    }


def test_every_device_keeps_its_own_rate_and_a_slower_magnetometer_is_apart():
    rates = [
        (r.attrs["device"], r.sampling_rate_hz, [c for c in r.channels if c.endswith("_x")]) for r in load(subjects=0)
    ]
    assert rates == [
        ("sw_l", 100, ["left_wrist_acc_x", "left_wrist_gyr_x"]),
        ("sp_l", 210, ["left_thigh_acc_x", "left_thigh_gyr_x"]),
        ("sp_l", 100, ["left_thigh_mag_x"]),
        ("sp_r", 500, ["right_thigh_acc_x"]),
        ("sp_r", 65, ["right_thigh_mag_x"]),
        ("eb_l", 90, ["head_acc_x", "head_gyr_x"]),
    ]


def test_which_phone_is_which_is_told_by_its_rate(tmp_path):
    home = workout(tmp_path, sp_l_acc=rows(even(500)), sp_r_acc=rows(even(210)), sp_r_mag=rows(even(100)))
    models = {(r.attrs["device"], r.sampling_rate_hz): r.attrs["model"] for r in load(home)}
    assert models == {("sp_l", 500): "Huawei P20", ("sp_r", 210): "Samsung S7", ("sp_r", 100): "Samsung S7"}


def test_a_phone_of_another_rate_has_no_model_and_is_told(tmp_path):
    with pytest.warns(DataWarning, match="w00_sp_l_acc.npy: the readings come at 50 Hz, not at 210 or 500"):
        phone = one(load(workout(tmp_path, sp_l_acc=rows(even(50)))))
    assert (phone.sampling_rate_hz, phone.attrs["model"]) == (50, None)


def test_a_sample_belongs_to_the_set_that_its_frame_is_in_and_the_end_frame_is_outside(tmp_path):
    watch = one(load(workout(tmp_path, "30,60,10,squats\n60,75,8,situps\n", sw_l_acc=rows(even(100)))))
    frames = np.rint(watch.times_s * 30)
    expected = np.where(frames < 30, "non_activity", np.where(frames < 60, "squats", "situps"))
    expected[frames >= 75] = "non_activity"
    assert watch.labels.tolist() == expected.tolist()
    number = np.where(frames < 30, np.nan, np.where(frames < 60, 1.0, np.where(frames < 75, 2.0, np.nan)))
    np.testing.assert_array_equal(watch.annotations["set"], number)


def test_labels_are_by_frame_even_where_the_camera_paused(tmp_path):
    times = even(100, 0.0, 20.0)
    # The camera stood still from 10 to 15 s.
    frames = np.rint(np.interp(times, [0, 10, 15, 20], [0, 300, 300, 450]))
    home = workout(tmp_path, "150,360,10,squats\n", sw_l_acc=rows(times, frames=frames))
    with pytest.warns(DataWarning) as caught:
        watch = one(load(home))
    assert any("w00_sw_l_acc.npy: its frames are up to" in str(warning.message) for warning in caught)
    # The first value is the device's time, whatever the clock makes of it.
    device_s = watch.data[:, 0]
    clear = (np.abs(device_s - 5) > 0.05) & (np.abs(device_s - 17) > 0.05)
    np.testing.assert_array_equal((watch.labels == "squats")[clear], ((device_s > 5) & (device_s < 17))[clear])


def test_attributes_list_the_sets_with_their_repetitions():
    watch = one(load(subjects=2, sites="right_wrist"))
    assert watch.attrs["sets"] == [
        {"set": 1, "activity": "bicep_curls", "repetitions": 4, "start_s": 0.5, "stop_s": 3.7},
        {"set": 2, "activity": "squats", "repetitions": 2, "start_s": 4.2, "stop_s": 6.6},
    ]


def test_outside_of_sets_is_non_activity_and_the_exercises_alone_have_none():
    everything, exercises = (one(load(subjects=2, sites="right_wrist", task=t)) for t in ("all", "exercises"))
    assert set(everything.labels) == {"bicep_curls", "squats", "non_activity"}
    assert set(exercises.labels) == {"bicep_curls", "squats", None}
    np.testing.assert_array_equal(exercises.labels == None, everything.labels == "non_activity")  # noqa: E711


def test_a_short_set_at_the_center_gives_the_window_its_label_though_most_of_it_is_outside(tmp_path):
    watch = load(workout(tmp_path, "55,66,3,squats\n", sw_l_acc=rows(even(100))))
    starts = {"start_s": [0.0, 1.0, 2.0]}
    for rule, labels in (("center", ["non_activity", "squats", "non_activity"]), ("majority", ["non_activity"] * 3)):
        windows = segment_recordings(watch, 2.0, 0.5, label_rule=rule)
        assert (windows.metadata[["start_s"]].to_dict("list"), windows.y.tolist()) == (starts, labels)


def test_a_windows_label_is_the_set_that_covers_its_center():
    """As the authors': a window is of a set if its centre lies between the set's frames."""
    watch = load(subjects=2, sites="right_wrist")
    windows = segment_recordings(watch, 1.0, 0.9, label_rule="center", tracks=["set"])
    centers = windows.metadata["start_s"] + 0.5
    inside = (centers > 0.52) & (centers < 3.68)
    outside = (centers < 0.48) | ((centers > 3.72) & (centers < 4.18))
    assert set(windows.y[inside]) == {"bicep_curls"}
    assert set(windows.y[outside]) == {"non_activity"}
    assert set(windows.metadata["set"][inside]) == {1.0}


def test_the_heart_rate_is_an_annotation_of_its_watch():
    left, right = (one(load(subjects=2, sites=f"{side}_wrist")) for side in ("left", "right"))
    heart_rate = left.annotations["heart_rate_bpm"]
    known = np.flatnonzero(~np.isnan(heart_rate))
    assert heart_rate[known].tolist() == [90, 92, 94, 96, 98, 100, 102]
    np.testing.assert_allclose(left.times_s[known], [0.4, 1.4, 2.4, 3.4, 4.4, 5.4, 6.4], atol=1e-6)
    assert "heart_rate_bpm" not in right.annotations


def test_the_session_s_clock_is_the_camera_s(tmp_path):
    """A device that was switched on when the camera took frame 45 starts at 1.5 s, whatever its stamps say."""
    times = even(100, 1.5, 5.0)
    watch = one(load(workout(tmp_path, sw_l_acc=rows(times) + np.array([0, 5e8, 0, 0, 0]))))
    assert watch.start_s == pytest.approx(1.5, abs=0.004)
    assert watch.attrs["start_unix_s"] == pytest.approx((ZERO_MS + 5e8) / 1000, abs=0.004)
    assert watch.attrs["camera_rate_hz"] == 30


def test_a_camera_of_another_rate_is_told_and_times_are_the_camera_s(tmp_path):
    times = even(100, 0.0, 60.0)
    home = workout(tmp_path, "290,580,10,squats\n", sw_l_acc=rows(times, camera_hz=29.0))
    with pytest.warns(DataWarning, match="w00_sw_l_acc.npy: by its stamps the camera took 29 frames a second"):
        watch = one(load(home))
    assert watch.attrs["camera_rate_hz"] == pytest.approx(29.0, abs=0.01)
    assert watch.sampling_rate_hz == 100
    assert watch.times_s[-1] == pytest.approx(times[-1] * 29 / 30, abs=0.03)
    # The first value is the device's time: at any time of the camera it is 30/29 of it.
    middle = slice(100, -100)
    np.testing.assert_allclose(watch.data[middle, 0], watch.times_s[middle] * 30 / 29, atol=0.02)


def test_stamps_rounded_to_milliseconds_are_even_210_hz(tmp_path):
    array = rows(even(210))
    array[:, 1] = np.rint(array[:, 1])
    phone = one(load(workout(tmp_path, sp_l_acc=array)))
    assert (phone.attrs["clock"], phone.sampling_rate_hz, len(phone)) == ("even", 210, len(array))
    np.testing.assert_array_equal(phone.data[:, 0], array[:, 2].astype(np.float32))


def test_lost_readings_are_holes_at_their_place(tmp_path):
    watch = one(load(workout(tmp_path, sw_l_acc=np.delete(rows(even(100)), slice(150, 157), axis=0))))
    assert np.flatnonzero(np.isnan(watch.data[:, 0])).tolist() == list(range(150, 157))
    assert watch.attrs["clock"] == "even"


def test_uneven_readings_are_interpolated_to_the_device_s_rate_and_no_long_hole_is_bridged(tmp_path):
    times = np.delete(even(90) + 0.003 * np.sin(1.7 * np.arange(360)), slice(180, 200))
    earbud = one(load(workout(tmp_path, eb_l_acc=rows(times))))
    assert (earbud.attrs["clock"], earbud.sampling_rate_hz) == ("resampled", 90)
    hole = np.isnan(earbud.data[:, 0])
    assert 20 <= np.sum(hole) <= 22
    # The first value is the time, so that any interpolation gives it back.
    np.testing.assert_allclose(earbud.data[~hole, 0], earbud.times_s[~hole], atol=0.004)


def test_a_gyroscope_with_stamps_of_its_own_comes_to_the_accelerometer_s_samples(tmp_path):
    gyr = rows(even(100, 0.504, 3.5))
    gyr[:, 2:] = np.sin(2 * gyr[:, 2:3])
    watch = one(load(workout(tmp_path, sw_l_acc=rows(even(100)), sw_l_gyr=gyr)))
    inside = (watch.times_s > 0.52) & (watch.times_s < 3.4)
    np.testing.assert_allclose(watch.data[inside, 3], np.sin(2 * watch.data[inside, 0]), atol=1e-3)
    assert np.isnan(watch.data[watch.times_s < 0.48, 3]).all()
    assert not np.isnan(watch.data[:, 0]).any()


def test_modalities_that_are_not_there_are_a_note_and_no_error():
    with pytest.warns(DataWarning, match="w01 has no sw_r_acc, sw_r_gyr, sp_r_gyr, sw_l_hr, sw_r_hr"):
        load(subjects=0)


def test_a_workout_of_which_only_poses_are_there_is_a_home_without_a_part(tmp_path):
    home = workout(tmp_path, pose_3d=np.zeros((3, 4, 18)))
    assert (MM_FIT.is_home(home), MM_FIT.find_parts(home)) == (True, [])
    with pytest.raises(UnknownNameError, match="there is none"):
        load(home)


def test_devices_that_overlap_in_no_second_load_and_joining_names_the_session(tmp_path):
    late = even(210, 100.0, 102.0)
    recordings = load(workout(tmp_path, sw_l_acc=rows(even(100)), sp_l_acc=rows(late)))
    assert [round(recording.start_s) for recording in recordings] == [0, 100]
    with pytest.warns(DataWarning, match="w00"), pytest.raises(DataFormatError):
        join_sessions(recordings, 50)


def test_the_devices_of_a_workout_join_on_the_camera_s_clock():
    both = one(join_sessions(load(subjects=2, quantities="acc"), 50))
    assert both.channels == tuple(f"{side}_wrist_acc_{axis}" for side in ("left", "right") for axis in "xyz")
    assert both.start_s == pytest.approx(0.21, abs=0.02)


def test_stamps_that_go_back_or_repeat_are_told(tmp_path):
    array = rows(even(100))
    array[[10, 11]] = array[[11, 10]]
    array = np.insert(array, 50, array[50], axis=0)
    with pytest.warns(DataWarning) as caught:
        watch = one(load(workout(tmp_path, sw_l_acc=array)))
    said = " ".join(str(warning.message) for warning in caught)
    assert "w00/w00_sw_l_acc.npy: stamps go back at 1 places; the readings were sorted" in said
    assert "w00/w00_sw_l_acc.npy: 1 readings have the stamp of another one and were left out" in said
    np.testing.assert_array_equal(watch.data[:, 0], even(100).astype(np.float32))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a[:1], "1 readings over 0 s are no workout"),
        (
            lambda a: a + [0, 1e9, 0, 0, 0] * (np.arange(len(a)) > 200)[:, None],
            "no workout; .* another unit, or damaged",
        ),
        (lambda a: a * [0, 1, 1, 1, 1], "the camera took 0 frames a second, where 30 are right"),
        (
            lambda a: (a - [0, ZERO_MS, 0, 0, 0]) * [1, 1e-3, 1, 1, 1],
            "in ms, 10 apart at 100 Hz, and are 0.01 apart",
        ),
        (lambda a: a[:, :4], r"numbers of shape \(readings, 5\) are needed"),
    ],
)
def test_a_device_whose_stamps_are_damaged_is_an_error_and_with_warn_left_out(tmp_path, change, message):
    home = workout(tmp_path, sw_l_acc=change(rows(even(100))), sw_r_acc=rows(even(100)))
    with pytest.raises(DataFormatError, match=message) as caught:
        load(home)
    assert str(caught.value).startswith(str(home / "w00" / "w00_sw_l_acc.npy"))
    with pytest.warns(DataWarning, match="was left out"):
        assert one(load(home, errors="warn")).attrs["device"] == "sw_r"
    assert one(load(home, sites="right_wrist")).attrs["device"] == "sw_r"


def test_a_workout_without_labels_is_an_error_that_names_them(copy):
    (copy / "w00" / "w00_labels.csv").unlink()
    with pytest.raises(DataFormatError, match=r"w00_labels.csv is missing"):
        load(copy)
    with pytest.warns(DataWarning, match="w00_sw_l_acc.npy was left out"):
        assert {recording.session for recording in load(copy, errors="warn")} == {"w01"}


def test_a_damaged_set_is_an_error_with_file_and_line(copy):
    (copy / "w00" / "w00_labels.csv").write_text("10,20,3,squats\n60,40,3,lunges\n")
    with pytest.raises(DataFormatError, match=r"w00_labels.csv, line 2: the set of lunges ends"):
        load(copy)


def test_the_folder_above_and_a_wrong_one_are_told(copy):
    assert len(load(copy.parent)) == len(load())
    with pytest.raises(DataFormatError, match=r"is not the home of MM-Fit.*pass"):
        load(copy / "w00")
    with pytest.raises(FileNotFoundError, match="is no folder"):
        load(copy / "w99")


def test_workouts_are_chosen_by_name():
    assert {recording.session for recording in load(workouts="w01")} == {"w01"}
    with pytest.raises(UnknownNameError, match="There is no w21"):
        load(workouts=["w00", "w21"])
    with pytest.raises(DataFormatError, match="nothing of what was asked for of subject 2"):
        load(workouts="w01", subjects=2)


def test_exercises_have_common_labels_and_non_activity_has_none():
    assert set(MM_FIT.tasks["exercises"].labels) == {*MM_FIT.tasks["all"].labels} - {"non_activity"}
    watch = relabel(load(subjects=2, sites="right_wrist"), "common")
    assert set(watch[0].labels) == {"curling_arm", "squatting", None}
    assert {"pushing_up", "sitting_up", "jumping_jacks"} <= set(COMMON_LABELS)
    assert label_map("mm_fit", "utd_mhad") == {"squats": "squat", "lunges": "lunge", "bicep_curls": "arm_curl"}


def test_what_a_download_surely_has_are_labels_and_both_watches_of_21_workouts():
    published = MM_FIT.published()
    assert len(published) == 21 * 5
    assert {"w20/w20_labels.csv", "w10/w10_sw_r_gyr.npy"} <= set(published)


def test_the_terms_come_first(tmp_path):
    with pytest.raises(TermsError, match="MIT"):
        fetch_mm_fit(tmp_path)
    assert not any(tmp_path.iterdir())


@settings(max_examples=30, deadline=None, derandomize=True, database=None)
@given(
    stamps=st.lists(st.floats(-1e6, 1e9), min_size=1, max_size=12),
    frames=st.lists(st.integers(0, 4_000_000), min_size=12, max_size=12),
)
def test_any_stamps_and_frames_are_understood_or_refused(tmp_path_factory, stamps, frames):
    array = np.column_stack([frames[: len(stamps)], stamps, np.ones((len(stamps), 3))])
    home = workout(tmp_path_factory.mktemp("any"), sp_l_acc=array)
    try:
        phone = one(load(home))
    except DataFormatError:
        return
    assert len(phone) > 0


@pytest.mark.parametrize("late", [0.0, 0.4])
def test_frames_before_the_camera_started_do_not_bend_the_clock(late):
    times = even(100, 0.0, 120.0)
    readings = DeviceFile(np.rint(np.maximum(times - late, 0) * 30), 1000 * times, np.zeros((len(times), 3)))
    clock = fit_camera([in_order(readings, "w00_sw_l_acc.npy")[0]], "w00_sw_l_acc.npy")
    assert clock.zero_ms == pytest.approx(1000 * late, abs=4)
    assert clock.ratio == 1


@pytest.mark.parametrize(("start_s", "stop_s"), [(20, 120), (0, 100), (15, 110)])
def test_readings_from_before_the_camera_started_or_after_it_stopped_have_its_clock(tmp_path, start_s, stop_s):
    """All of them have the first or the last frame."""
    times = even(100, 0.0, 120.0)
    frames = np.rint(30 * (np.clip(times, start_s, stop_s) - start_s))
    watch = one(load(workout(tmp_path, sw_l_acc=rows(times, frames=frames))))
    assert (watch.attrs["clock"], watch.attrs["camera_rate_hz"]) == ("even", 30)
    np.testing.assert_allclose(watch.data[:, 0], watch.times_s + start_s, atol=0.004)


def test_sensors_of_a_device_whose_stamps_differ_lie_where_their_own_frames_are(tmp_path):
    fast, slow, off = even(210, 0.0, 60.0), even(100, 5.0, 60.0), np.array([0, 60_000, 0, 0, 0])
    home = workout(tmp_path, sp_l_acc=rows(fast), sp_l_gyr=rows(fast) + off, sp_l_mag=rows(slow) - off)
    with pytest.warns(DataWarning) as caught:
        moving, magnetic = load(home)
    said = [str(warning.message) for warning in caught]
    for quantity in ("gyr", "mag"):
        why = f"w00/w00_sp_l_{quantity}.npy: its stamps are 60 s from those of w00/w00_sp_l_acc.npy"
        assert any(note.startswith(why) for note in said)
    # The first value of each sensor is its time.
    for recording, columns in ((moving, [0, 3]), (magnetic, [0])):
        inside = slice(20, -20)
        for column in columns:
            np.testing.assert_allclose(recording.data[inside, column], recording.times_s[inside], atol=0.005)


def test_a_sensor_whose_stamps_drift_from_the_others_lies_where_its_own_frames_are(tmp_path):
    slow = rows(even(100, 0.0, 60.0))
    slow[:, 1] = ZERO_MS + 1.01 * (slow[:, 1] - ZERO_MS)
    home = workout(tmp_path, sp_l_acc=rows(even(210, 0.0, 60.0)), sp_l_mag=slow)
    with pytest.warns(DataWarning, match=r"w00_sp_l_mag.npy: its stamps are 0.[56]\d* s from those of"):
        _, magnetic = load(home)
    np.testing.assert_allclose(magnetic.data[20:-20, 0], magnetic.times_s[20:-20], atol=0.02)


def test_sensors_of_a_device_that_stamp_alike_keep_their_stamps_to_each_other(tmp_path):
    """Frames are too coarse to tell by how much a gyroscope is late."""
    times = even(100, 0.0, 60.0)
    late = rows(times) + np.array([0, 5, 0, 0, 0])
    watch = one(load(workout(tmp_path, sw_l_acc=rows(times), sw_l_gyr=late)))
    inside = slice(20, -20)
    np.testing.assert_allclose(watch.data[inside, 0] - watch.data[inside, 3], 0.005, atol=2e-5)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (rows(30.0 * np.arange(5)), r"stamps must be in ms, 10 or 15.4 apart at 100 or 65 Hz, and are 3e\+04 apart"),
        (rows(even(100)) * [0, 1, 1, 1, 1], "the camera took 0 frames a second, where 30 are right"),
    ],
)
def test_a_damaged_sensor_does_not_lose_the_others_of_its_device(tmp_path, broken, message):
    home = workout(tmp_path, sp_l_acc=rows(even(210)), sp_l_mag=broken)
    with pytest.raises(DataFormatError, match=f"^{home}/w00/w00_sp_l_mag.npy: .*{message}"):
        load(home)
    with pytest.warns(DataWarning, match="w00_sp_l_mag.npy was left out"):
        phone = one(load(home, errors="warn"))
    assert [channel[-5:] for channel in phone.channels] == ["acc_x", "acc_y", "acc_z"]


def test_sensors_of_a_device_that_lie_hours_apart_by_their_frames_are_refused(tmp_path):
    home = workout(tmp_path, sw_l_acc=rows(even(100)), sw_l_gyr=rows(even(100)) + np.array([3e6, 0, 0, 0, 0]))
    workout(home, sw_r_acc=rows(even(100)))
    with pytest.raises(DataFormatError, match=rf"^{home}: w00/w00_sw_l_acc.npy, .*gyr.npy are .* hours apart"):
        load(home)
    with pytest.raises(DataFormatError, match="hours apart"):
        load(home, sites="left_wrist")
    assert one(load(home, sites="right_wrist")).attrs["device"] == "sw_r"


def test_a_heart_rate_of_another_time_is_told(tmp_path):
    beats = np.array([[30, ZERO_MS + 1e7, 90], [60, ZERO_MS + 1e7 + 1000, 92]])
    with pytest.warns(
        DataWarning, match="w00/w00_sw_l_hr.npy: by its stamps no reading is of the time of w00/w00_sw_l"
    ):
        watch = one(load(workout(tmp_path, sw_l_acc=rows(even(100)), sw_l_hr=beats)))
    assert np.isnan(watch.annotations["heart_rate_bpm"]).all()
