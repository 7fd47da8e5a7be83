from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from totalcapture_sample import SAMPLE, script

import har_virtual
from har_virtual.datasets.totalcapture.files import (
    JOINTS,
    SENSORS,
    find_takes,
    read_calibration,
    read_camera_numbers,
    read_sensors,
    read_skeleton,
)
from har_virtual.datasets.totalcapture.loader import (
    TOTALCAPTURE,
    TOTALCAPTURE_SPLIT,
    TOTALCAPTURE_TAKES,
    load_totalcapture,
    split_totalcapture,
)
from har_virtual.exceptions import DataFormatError, DataWarning, UnknownNameError
from har_virtual.imu import SITES
from har_virtual.recording import Recording
from har_virtual.testing.datasets import check_dataset

WALKING, ACTING = "S1/walking1", "S4/acting3"
AUX = f"{WALKING}/walking1_Xsens_AuxFields.sensors"
XSENS = f"{ACTING}/s4_acting3_Xsens.sensors"
BONE = f"{WALKING}/s1_walking1_calib_imu_bone.txt"
POS, ORI = f"{WALKING}/gt_skel_gbl_pos.txt", f"{WALKING}/gt_skel_gbl_ori.txt"
pytestmark = pytest.mark.filterwarnings("ignore:.*has acceleration only", "ignore:.*the first 20 of both are used")


def load(home: Path = SAMPLE, **options):
    return load_totalcapture(home, **{"cache": False, **options})


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """A copy of the sample to be damaged."""
    shutil.copytree(SAMPLE, tmp_path / "home", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return tmp_path / "home"


def edit(path: Path, line: int, old: str, new: str) -> Path:
    """Replace something in a line, counted from 1."""
    lines = path.read_text(encoding="ascii").split("\n")
    assert old in lines[line - 1]
    lines[line - 1] = lines[line - 1].replace(old, new, 1)
    path.write_text("\n".join(lines), encoding="ascii")
    return path


# The sample


def test_the_script_writes_the_sample_that_lies_beside_it(tmp_path):
    written = {path.relative_to(tmp_path): path.read_bytes() for path in script.write_sample(tmp_path)}
    there = [path for path in SAMPLE.rglob("*") if path.suffix in (".txt", ".sensors", ".cal")]
    assert written == {path.relative_to(SAMPLE): path.read_bytes() for path in there}


def test_the_sample_is_tiny():
    files = [path for path in SAMPLE.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert sum(path.stat().st_size for path in files) < 150_000


@pytest.mark.parametrize("options", [{}, {"domain": "both"}, {"frame": "segment"}, {"domain": "virtual"}])
def test_the_loader_passes_the_battery_for_data_sets(monkeypatch, tmp_path, options):
    monkeypatch.setenv("HAR_VIRTUAL_CACHE", str(tmp_path))
    assert check_dataset(load_totalcapture, SAMPLE, **options) == []


def test_a_take_is_one_recording_of_all_thirteen_sensors():
    walking, acting = load()
    assert [(r.group, r.session, r.labels) for r in (walking, acting)] == [
        ("totalcapture/S1", "walking1", "walking"),
        ("totalcapture/S4", "acting3", "acting"),
    ]
    assert (walking.sampling_rate_hz, walking.start_s, len(walking), len(acting)) == (60.0, 0.0, 36, 20)
    sites = [mount.site for mount in SENSORS.values()]
    assert walking.channels == tuple(f"{s}_{q}_{a}" for s in sites for q in ("acc", "gyr", "mag") for a in "xyz")
    assert set(sites) <= set(SITES)
    assert len(sites) == 13
    assert walking.attrs == {"file": AUX, "gravity": True, "frame": "sensor"}


def test_recordings_go_into_windows():
    windows = har_virtual.segment_recordings(load(quantities="acc"), window_length_s=0.2, overlap=0.5)
    assert windows.X.shape[1:] == (12, 39)
    assert set(windows.y) == {"walking", "acting"}


# Quirks, FACTS B.21


def test_columns_are_orientation_acceleration_turn_and_field(sample):
    """A line is name, w x y z, then 3 columns each; numbers tell their place."""
    names = list(SENSORS)
    rows = [[name, "1", "0", "0", "0", *(str(n + 0.1 * i) for i in range(9))] for n, name in enumerate(names)]
    lines = ["13\t2", *(line for frame in (1, 2) for line in (str(frame), *("\t".join(row) for row in rows)))]
    (sample / AUX).write_text("\n".join(lines) + "\n", encoding="ascii")
    with pytest.warns(DataWarning):
        recording = load(sample, subjects="S1")[0]
    triad = [f"right_foot_{quantity}_{axis}" for quantity in ("acc", "gyr", "mag") for axis in "xyz"]
    expected = 12 + 0.1 * np.arange(9) * 1.0
    expected[6:] *= 48.8
    np.testing.assert_allclose(recording.select(triad).data[1], expected, rtol=1e-6)


def test_sensors_sit_where_their_names_say():
    assert {name: mount.site for name, mount in SENSORS.items() if "Up" in name or "Low" in name} == {
        **{"L_UpArm": "left_upper_arm", "R_UpArm": "right_upper_arm"},
        **{"L_LowArm": "left_forearm", "R_LowArm": "right_forearm"},
        **{"L_UpLeg": "left_thigh", "R_UpLeg": "right_thigh", "L_LowLeg": "left_shin", "R_LowLeg": "right_shin"},
    }
    assert [SENSORS[name] for name in ("Head", "Sternum", "Pelvis", "L_Foot")] == [
        *(("head", "Head"), ("chest", "Spine3"), ("waist", "Hips"), ("left_foot", "LeftFoot"))
    ]


def test_acceleration_has_gravity_and_points_up():
    """Turned by the sensor's own orientation and the reference, the mean is up: y in the files' world."""
    readings = read_sensors(SAMPLE / AUX)
    reference = read_calibration(SAMPLE / BONE.replace("bone", "ref"))
    for number, name in enumerate(readings.names):
        xyzw = reference[name]
        to_files = script.times(np.roll(xyzw, 1), readings.quaternions[:, number])
        mean = script.turn(to_files, readings.acc[:, number]).mean(axis=0)
        # A body that moves within some cm accelerates little on average; arms and feet do so within the 0.6 s.
        assert mean[1] == pytest.approx(9.8, abs=4.0), name
        assert abs(mean[1]) > 1.5 * np.hypot(mean[0], mean[2]), name


def test_the_magnetometers_unit_is_the_earths_field():
    mag = load(subjects="S1", sites="left_shin", quantities="mag")[0].data
    np.testing.assert_allclose(np.linalg.norm(mag, axis=1), 48.8, rtol=2e-3)


@pytest.mark.parametrize("factor", [50, 0.1])
def test_another_unit_of_the_magnetometer_is_told(sample, factor):
    lines = (sample / AUX).read_text(encoding="ascii").split("\n")
    rows = [line.split("\t") for line in lines]
    scaled = [row[:11] + [str(factor * float(field)) for field in row[11:]] for row in rows]
    (sample / AUX).write_text("\n".join("\t".join(row) for row in scaled), encoding="ascii")
    with pytest.warns(DataWarning, match=rf"the magnetic field has a length of {factor}, not near 1"):
        load(sample, subjects="S1")


@pytest.mark.filterwarnings("error:.*has acceleration only")
def test_without_aux_fields_there_is_acceleration_and_a_note():
    with pytest.warns(DataWarning, match=r"s4_acting3_Xsens\.sensors has acceleration only; acting3_Xsens_AuxFields"):
        (acting,) = load(subjects="S4")
    assert {channel.split("_")[-2] for channel in acting.channels} == {"acc"}


def test_aux_fields_are_read_where_both_files_are_there(sample):
    shutil.copy(sample / XSENS, sample / WALKING / "s1_walking1_Xsens.sensors")
    (walking,) = load(sample, subjects="S1")
    np.testing.assert_array_equal(walking.data, load(subjects="S1")[0].data)


def test_sensors_may_stand_in_any_order_and_some_may_be_missing(sample):
    lines = (sample / AUX).read_text(encoding="ascii").rstrip().split("\n")
    frames = [lines[1 + 14 * frame : 15 + 14 * frame] for frame in range(36)]
    kept = [[number, *(row for row in rows[::-1] if not row.startswith("L_Foot"))] for number, *rows in frames]
    (sample / AUX).write_text("\n".join(["12\t36", *(row for frame in kept for row in frame)]), encoding="ascii")
    with pytest.warns(DataWarning, match=r"has no sensor L_Foot\."):
        (walking,) = load(sample, subjects="S1")
    whole = load(subjects="S1")[0]
    channels = [channel for channel in whole.channels if not channel.startswith("left_foot")]
    assert walking.channels == tuple(channels)
    np.testing.assert_array_equal(walking.data, whole.select(channels).data)
    with pytest.warns(DataWarning, match=r"has no sensor L_Foot\."):
        (virtual,) = load(sample, subjects="S1", domain="virtual")
    assert "right_foot_acc_x" in virtual.channels
    assert "left_foot_acc_x" not in virtual.channels


def as_archives_unpack(file: str) -> str:
    subject, take, name = file.split("/")
    if name.startswith("gt_"):
        return f"{subject}/{take}/{name}"
    return f"{subject.lower()}/{name.replace('acting3_Xsens_Aux', 'Acting3_Xsens_Aux')}"


def by_kind(file: str) -> str:
    subject, take, name = file.split("/")
    kind = "vicon" if name.startswith("gt_") else "gyro_mag" if "Aux" in name else "imu"
    return f"{subject}/{kind}/{take}/{name}" if kind == "vicon" else f"{subject}/{kind}/{name}"


def take_by_take(file: str) -> str:
    subject, take, name = file.split("/")
    return f"TotalCapture/{subject.lower()}_{take}/{name.replace(f'{subject.lower()}_{take}_calib', 'calib')}"


@pytest.mark.parametrize("layout", [as_archives_unpack, by_kind, take_by_take])
def test_any_layout_of_the_folders_is_found(tmp_path, layout):
    """As the archives unpack (where acting begins with a capital), and as readers of the data set arrange it."""
    for path in (path for path in SAMPLE.rglob("*") if path.suffix in (".txt", ".sensors")):
        new = tmp_path / layout(path.relative_to(SAMPLE).as_posix())
        new.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, new)
    moved, original = (load(home, domain="both") for home in (tmp_path, SAMPLE))
    assert [(r.subject, r.session, r.domain) for r in moved] == [(r.subject, r.session, r.domain) for r in original]
    for one, other in zip(moved, original, strict=True):
        np.testing.assert_array_equal(one.data, other.data)


def test_46_takes_were_published():
    assert sum(map(len, TOTALCAPTURE_TAKES.values())) == 46
    assert TOTALCAPTURE_TAKES["S3"][0] == "acting1"
    assert TOTALCAPTURE_TAKES["S5"] == ("acting3", "freestyle1", "freestyle3", "rom3", "walking2")


def test_the_test_split_is_three_takes_of_all_five():
    tested = (*TOTALCAPTURE_SPLIT["seen_test"].values(), *TOTALCAPTURE_SPLIT["unseen_test"].values())
    assert set(tested) == {("acting3", "freestyle3", "walking2")}
    pairs = {name: {(s, t) for s, ts in split.items() for t in ts} for name, split in TOTALCAPTURE_SPLIT.items()}
    assert [len(pairs[name]) for name in ("train", "seen_test", "unseen_test")] == [27, 9, 6]
    assert not pairs["train"] & pairs["seen_test"]
    published = {(subject, take) for subject, takes in TOTALCAPTURE_TAKES.items() for take in takes}
    assert set().union(*pairs.values()) <= published


def test_recordings_are_divided_as_the_authors_did():
    parts = split_totalcapture(load())
    assert {name: [r.subject for r in part] for name, part in parts.items()} == {
        **{"train": ["S1"], "seen_test": [], "unseen_test": ["S4"]}
    }
    other = Recording(np.ones((9, 1)), 60, ["head_acc_x"], subject="S4", session="rom3", dataset="totalcapture")
    assert all(not len(part) for part in split_totalcapture([other]).values())


# Selection


def test_takes_are_chosen_by_their_names():
    assert [r.session for r in load(sessions="acting3")] == ["acting3"]
    assert [r.session for r in load(sessions=["walking1", "acting3"])] == ["walking1", "acting3"]
    with pytest.raises(UnknownNameError, match="no rom1; there is walking1, acting3"):
        load(sessions="rom1")


@pytest.mark.parametrize(
    ("options", "known"),
    [
        ({"domain": "virtuel"}, "'real' or 'both' or 'virtual'"),
        ({"frame": "world"}, "'sensor' or 'segment'"),
        ({"sites": "left_wrist"}, "head, chest, waist"),
        ({"quantities": "heart"}, "acc, gyr, mag"),
        ({"task": "8-class"}, "there is all"),
        ({"subjects": "S2"}, "S2"),
        ({"subjects": "S9"}, "S1, S4"),
        ({"errors": "ignore"}, "'raise' or 'warn'"),
    ],
)
def test_an_unknown_name_is_told_with_those_there_are(options, known):
    with pytest.raises(UnknownNameError, match=known):
        load(**options)


def test_nothing_left_is_an_error():
    with pytest.raises(DataFormatError, match=r"nothing is left of TotalCapture for domain virtual.*quantities mag"):
        load(domain="virtual", quantities="mag")


# Bad input


def test_the_wrong_folder_names_the_right_one(tmp_path):
    with pytest.raises(DataFormatError, match=f"pass {SAMPLE}"):
        load(SAMPLE / "S1")
    with pytest.raises(DataFormatError, match=r"is empty; data_home must be the folder that holds S1/acting1"):
        load(tmp_path)
    with pytest.raises(FileNotFoundError, match="is no folder"):
        load(tmp_path / "nowhere")


def test_a_take_without_sensors_is_missing(sample):
    assert len(TOTALCAPTURE.missing(sample)) == 44
    (sample / AUX).unlink()
    missing = TOTALCAPTURE.missing(sample)
    assert missing[9] == "S1/walking1"
    assert len(missing) == 45


def test_motion_capture_alone_is_no_reason_to_crash(sample):
    (sample / AUX).unlink()
    assert [r.subject for r in load(sample)] == ["S4"]
    assert [part.subject for part in TOTALCAPTURE.find_parts(sample)] == ["S1", "S4"]
    reading = TOTALCAPTURE.read(sample, TOTALCAPTURE.find_parts(sample)[0])
    assert reading.recordings == []
    assert "S1/walking1 has no file of sensors" in reading.notes[0]
    (sample / XSENS).unlink()
    with pytest.raises(DataFormatError, match=r"has no file .*sensors of TotalCapture: unpack"):
        load(sample)


@pytest.mark.parametrize(
    ("line", "old", "new", "message"),
    [
        (1, "13", "14", "line 1: 14 sensors and 36 frames; there are 1 to 13"),
        (1, "36", "0", "line 1: 13 sensors and 0 frames; there are 1 to 13"),
        (1, "13\t36", "13", "line 1: needs the numbers of sensors and of frames, not '13'"),
        (1, "36", "37", r"line 505: the file ends after frame 36 of 37"),
        (1, "36", "35", r"line 505: the file goes on after the last of 35 frames"),
        (2, "1", "2", "line 2: frame 1 must begin here, not '2'"),
        (16, "2", "x", "line 16: frame 2 must begin here"),
        (17, "Head", "Hand", "line 17: needs Head and 13 numbers, not 'Hand"),
        (17, "\t", "\t1\t", "line 17: needs Head and 13 numbers"),
        (3, "Head", "Ear", "there is no sensor 'Ear'; the sensors are Head, Sternum"),
        (4, "Sternum", "Head", "a sensor is missing or repeated"),
        (19, "Pelvis\t", "Pelvis\tx", "line 19: 'x.*' is no number"),
        (18, "Sternum\t", "Sternum\tnan", "line 18: 'nan.*' is no number"),
        (18, "Sternum\t-", "Sternum\t-9", "line 18: .* is no quaternion of length 1"),
    ],
)
def test_damage_to_a_file_of_sensors_is_told_with_its_line(sample, line, old, new, message):
    path = edit(sample / AUX, line, old, new)
    with pytest.raises(DataFormatError, match=message) as caught:
        load(sample, subjects="S1")
    assert str(path) in str(caught.value)


def test_a_truncated_file_of_sensors_is_an_error(sample):
    path = sample / AUX
    path.write_text("\n".join(path.read_text("ascii").split("\n")[: 1 + 18 * 14 + 2]), "ascii")
    with pytest.raises(DataFormatError, match=r"AuxFields\.sensors, line 255: the file ends in frame 19 of 36; unpack"):
        load(sample, subjects="S1")


@pytest.mark.parametrize(
    ("line", "old", "new", "message"),
    [
        (1, "13", "12", "has 13 lines of sensors, of '12'"),
        (2, "Head", "Nose", "line 2: needs a sensor and four numbers, not 'Nose"),
        (3, "Sternum ", "Sternum 1 ", "line 3: needs a sensor and four numbers"),
        (3, "Sternum", "Head", "has 13 lines of sensors, of '13', each once"),
        (4, "Pelvis ", "Pelvis z", "line 4: 'z.*' is no number"),
        (4, "Pelvis ", "Pelvis 5", "line 4: .* is no quaternion of length 1"),
    ],
)
def test_damage_to_a_calibration_is_told_with_its_line(sample, line, old, new, message):
    edit(sample / BONE, line, old, new)
    with pytest.raises(DataFormatError, match=message):
        load(sample, subjects="S1", frame="segment")
    assert len(load(sample, subjects="S1")) == 1
    part = TOTALCAPTURE.find_parts(sample)[0]
    with pytest.raises(DataFormatError, match=message):
        TOTALCAPTURE.read(sample, part)


@pytest.mark.parametrize("file", [POS, ORI])
@pytest.mark.parametrize(
    ("line", "old", "new", "message"),
    [
        (1, "Hips", "Hip", "line 1: must name 21 joints, .*; look at Hip"),
        (1, "Spine1\t", "", "line 1: must name 21 joints, .*; look at Spine1"),
        (5, "\t", "\t1 ", r"line 5: has \d+ numbers where 21 x [34] are needed"),
        (6, "\t", "\tq", "line 6: 'q.*' is no number"),
        (7, "\t", "\tinf", "line 7: 'inf.*' is no number"),
    ],
)
def test_damage_to_the_motion_capture_is_told_with_its_line(sample, file, line, old, new, message):
    edit(sample / file, line, old, new)
    with pytest.raises(DataFormatError, match=message):
        load(sample, subjects="S1", domain="both")
    with pytest.raises(DataFormatError, match=message):
        TOTALCAPTURE.read(sample, TOTALCAPTURE.find_parts(sample)[0])


def test_what_is_damaged_is_left_out_and_named_where_that_is_asked_for(sample):
    edit(sample / AUX, 19, "Pelvis\t", "Pelvis\tx")
    with pytest.warns(DataWarning, match=r"AuxFields\.sensors was left out: .*line 19"):
        recordings = load(sample, errors="warn")
    assert [r.subject for r in recordings] == ["S4"]


def test_damaged_motion_capture_does_not_lose_the_sensors(sample):
    edit(sample / POS, 6, "\t", "\tq")
    with pytest.warns(DataWarning, match=r"The motion of S1/walking1 was left out: .*line 6"):
        recordings = load(sample, domain="both", errors="warn")
    assert [(r.subject, r.domain) for r in recordings] == [("S1", "real"), ("S4", "real"), ("S4", "virtual")]


def test_missing_motion_capture_is_a_note(sample):
    (sample / POS).unlink()
    with pytest.warns(DataWarning, match=r"S1/walking1 has no gt_skel_gbl_pos\.txt"):
        recordings = load(sample, domain="both")
    assert [(r.subject, r.domain) for r in recordings] == [("S1", "real"), ("S4", "real"), ("S4", "virtual")]
    with pytest.warns(DataWarning, match=r"S1/walking1 has no gt_skel_gbl_pos\.txt.*left out in this frame"):
        assert [r.subject for r in load(sample, frame="segment")] == ["S4"]
    (sample / BONE.replace("S1/walking1/s1_walking1", "S4/acting3/s4_acting3")).unlink()
    with pytest.warns(DataWarning), pytest.raises(DataFormatError, match="nothing is left"):
        load(sample, frame="segment")


READERS = {
    AUX: read_sensors,
    XSENS: read_sensors,
    BONE: read_calibration,
    POS: lambda path: read_skeleton(path, 3),
    ORI: lambda path: read_skeleton(path, 4),
    "calibration.cal": read_camera_numbers,
}
PIECES = st.sampled_from(
    ["", "nan", "-", "1e309", "1e7", "\n", "\n\n", "\t", "0", "x", "L_Foot", "\x00", "é", "٣", "99999"]
)


@pytest.mark.parametrize("file", list(READERS))
@settings(max_examples=30, deadline=None, derandomize=True, database=None)
@given(edits=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 30), PIECES), min_size=1, max_size=3))
def test_damaged_text_is_read_or_named(tmp_path_factory, file, edits):
    text = (SAMPLE / file).read_text(encoding="ascii")
    for where, n_lost, new in edits:
        start = int(where * len(text))
        text = text[:start] + new + text[start + n_lost :]
    path = tmp_path_factory.mktemp("damaged") / Path(file).name
    path.write_text(text, encoding="utf-8")
    try:
        READERS[file](path)
    except DataFormatError as error:
        refused = str(error)
    else:
        return
    assert refused.startswith(str(path))


def test_an_empty_file_is_named(tmp_path):
    for file, read in READERS.items():
        path = tmp_path / Path(file).name
        path.write_text("")
        with pytest.raises(DataFormatError, match="is empty"):
            read(path)


def test_the_joints_of_a_file_may_stand_in_any_order(tmp_path):
    path = tmp_path / "gt_skel_gbl_pos.txt"
    names = list(JOINTS)[::-1]
    numbers = "\t".join(f"{number} 0 0" for number in range(21))
    path.write_text("\t".join(names) + "\n" + numbers + "\n", encoding="ascii")
    assert read_skeleton(path, 3)[0, :, 0].tolist() == list(range(21))[::-1]


@pytest.mark.parametrize(("length", "is_read"), [(0.97, False), (0.99, True), (1.01, True), (1.03, False)])
def test_quaternions_may_miss_the_length_of_one_by_their_rounding_only(tmp_path, length, is_read):
    calibration, orientations = tmp_path / "calib_imu_bone.txt", tmp_path / "gt_skel_gbl_ori.txt"
    calibration.write_text(f"1\nHead 0 {length} 0 0\n", encoding="ascii")
    orientations.write_text("\t".join(JOINTS) + "\n" + f"0 {length} 0 0\t" * 21 + "\n", encoding="ascii")
    for read, path in ((read_calibration, calibration), (lambda path: read_skeleton(path, 4), orientations)):
        if is_read:
            assert len(read(path)) == 1
        else:
            with pytest.raises(DataFormatError, match=r"line 2: .* is no quaternion of length 1"):
                read(path)


def test_numbers_beyond_any_reading_are_damage(tmp_path):
    path = tmp_path / "gt_skel_gbl_pos.txt"
    path.write_text("\t".join(JOINTS) + "\n" + "0 0 0\t" * 20 + "0 0 2000000\n", encoding="ascii")
    with pytest.raises(DataFormatError, match=r"line 2: '2000000' is no number that can stand here"):
        read_skeleton(path, 3)


def touch(home: Path, *files: str) -> Path:
    for file in files:
        (home / file).parent.mkdir(parents=True, exist_ok=True)
        (home / file).touch()
    return home


def test_other_folders_and_files_are_not_looked_into(tmp_path):
    for name in ("S6/walking1", "s1_old/.git/walking1", "frames/S1/walking1", "S1/run1", "imu/imu/imu/S1/walking1"):
        touch(tmp_path, f"{name}/gt_skel_gbl_pos.txt")
    (tmp_path / "S1" / "walking1" / "gt_skel_gbl_ori.txt").mkdir(parents=True)
    assert find_takes(tmp_path) == {}


def test_the_name_of_a_file_tells_more_than_the_folders_above_it(tmp_path):
    assert list(find_takes(touch(tmp_path, "S1/walking1/s2_rom3_calib_imu_bone.txt"))) == [("S2", "rom3")]


def test_of_two_files_of_one_kind_the_first_counts(tmp_path):
    first, second = (f"S1/{folder}gt_skel_gbl_pos.txt" for folder in ("vicon/walking1/", "walking1/"))
    assert find_takes(touch(tmp_path, second, first))["S1", "walking1"].files == {"pos": first}
