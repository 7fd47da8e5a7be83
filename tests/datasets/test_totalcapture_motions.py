"""Frames of TotalCapture: the motion capture against its closed form, real sensors against virtual ones on it."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from totalcapture_sample import SAMPLE, joint, script, segment_axes, times_s, unit

from har_virtual.datasets.totalcapture.files import JOINTS, SENSORS
from har_virtual.datasets.totalcapture.loader import load_totalcapture
from har_virtual.datasets.totalcapture.motions import (
    load_totalcapture_motions,
    load_totalcapture_placements,
    totalcapture_orientation_errors,
)
from har_virtual.exceptions import DataFormatError, DataWarning, UnknownNameError
from har_virtual.imu import SITES, simulate_imu

WALKING = "S1/walking1"
POS, ORI = f"{WALKING}/gt_skel_gbl_pos.txt", f"{WALKING}/gt_skel_gbl_ori.txt"
BONE, REF = (f"{WALKING}/s1_walking1_calib_imu_{kind}.txt" for kind in ("bone", "ref"))
LIMBS = {
    f"{letter}_{part}": f"{side}{bone}"
    for letter, side in (("L", "Left"), ("R", "Right"))
    for part, bone in (("UpArm", "Arm"), ("LowArm", "ForeArm"), ("UpLeg", "UpLeg"), ("LowLeg", "Leg"))
}
# Of acceleration and turn, by the last digit of positions and orientations in the sample.
ROUNDING = {"acc": 0.4, "gyr": 0.03}
pytestmark = pytest.mark.filterwarnings("ignore:.*has acceleration only", "ignore:.*the first 20 of both are used")


@pytest.fixture(scope="module")
def walking():
    return load_totalcapture_motions(SAMPLE, subjects="S1")[0]


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    shutil.copytree(SAMPLE, tmp_path / "home", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return tmp_path / "home"


def rewrite(path: Path, change) -> None:
    """Change the numbers of a file of the motion capture, (n_frames, 21, n)."""
    header, *lines = path.read_text(encoding="ascii").rstrip("\n").split("\n")
    values = change(np.array([line.split() for line in lines], dtype=float).reshape(len(lines), 21, -1))
    text = ["\t".join(" ".join(f"{number:.5f}" for number in joint) for joint in frame) for frame in values]
    path.write_text("\n".join([header, *text]) + "\n", encoding="ascii")


def triads(home: Path, frame: str, **options):
    """Real and virtual recordings of the walking take, exact where the sample is."""
    return load_totalcapture(home, subjects="S1", domain="both", frame=frame, cutoff_hz=None, cache=False, **options)


def away(both, site: str, quantity: str) -> float:
    """Largest difference between real and virtual, without the ends, which a spline follows less well."""
    channels = [f"{site}_{quantity}_{axis}" for axis in "xyz"]
    real, virtual = (recording.select(channels).data[4:-4] for recording in both)
    return float(np.abs(real - virtual).max())


# The motion


def test_joints_are_where_the_closed_form_has_them(walking):
    """Inches to metres, y up to z up, and which joint is which, left and right among it."""
    for theirs, ours in JOINTS.items():
        np.testing.assert_allclose(walking.joint(ours), joint("S1", theirs, 36), rtol=0, atol=2e-6, err_msg=ours)


def test_a_person_stands_upright_and_has_the_left_on_the_left(walking):
    assert (walking.joint("head") - walking.joint("pelvis"))[:, 2].min() > 0.6
    assert (walking.joint("left_ankle") - walking.joint("pelvis"))[:, 2].max() < -0.5
    left = walking.joint("left_shoulder") - walking.joint("right_shoulder")
    forward = np.cross(left, [0.0, 0.0, 1.0])
    # Bent knees and elbows point the shank to the back and the forearm to the front.
    assert np.sum(forward * (walking.joint("right_wrist") - walking.joint("right_elbow")), axis=1).mean() > 0
    assert np.sum(forward * (walking.joint("left_ankle") - walking.joint("left_knee")), axis=1).mean() < 0


def test_the_files_have_21_joints_in_the_published_order(walking):
    header = (SAMPLE / POS).read_text(encoding="ascii").split("\n")[0].split()
    arms = [f"{side}{joint}" for side in ("Right", "Left") for joint in ("Shoulder", "Arm", "ForeArm", "Hand")]
    legs = [f"{side}{joint}" for side in ("Right", "Left") for joint in ("UpLeg", "Leg", "Foot")]
    assert header == ["Hips", "Spine", "Spine1", "Spine2", "Spine3", "Neck", "Head", *arms, *legs]
    assert list(JOINTS) == header
    assert walking.skeleton.joints == (*JOINTS.values(), "right_foot", "left_foot")
    names, places = walking.skeleton.joints, walking.skeleton.parents
    parents = {name: names[place] for name, place in zip(names, places, strict=True) if place >= 0}
    assert [parents[j] for j in ("spine", "spine4", "neck", "left_collar", "right_hip", "left_foot")] == [
        *("pelvis", "spine3", "spine4", "spine4", "pelvis", "left_ankle")
    ]


def test_a_motion_knows_whose_it_is_and_runs_at_sixty_frames_a_second(walking):
    assert (walking.subject, walking.session, walking.label) == ("S1", "walking1", "walking")
    assert walking.dataset == "totalcapture"
    np.testing.assert_allclose(walking.timestamps_s, times_s(36), rtol=0, atol=1e-12)
    assert {name: walking.attrs[name] for name in ("file", "frames_in_file", "orientations", "toes")} == {
        **{"file": POS, "frames_in_file": 36, "orientations": "files", "toes": "made"}
    }


@pytest.mark.parametrize("bone", list(LIMBS.values()))
def test_segments_of_limbs_have_our_axes(walking, bone):
    rotations = walking.rotations[:, walking.skeleton.index(JOINTS[bone])]
    np.testing.assert_allclose(rotations, segment_axes("S1", bone, 36), rtol=0, atol=2e-3)


def test_trunk_and_head_have_x_up_and_z_to_the_left(walking):
    left = unit(joint("S1", "LeftArm", 36) - joint("S1", "RightArm", 36))
    for name in ("pelvis", "spine4"):
        rotations = walking.rotations[:, walking.skeleton.index(name)]
        np.testing.assert_allclose(rotations[:, :, 0], np.tile([0, 0, 1.0], (36, 1)), rtol=0, atol=1e-3)
        np.testing.assert_allclose(rotations[:, :, 2], left, rtol=0, atol=1e-3)


def test_the_head_nods_which_no_position_tells(walking):
    trunk, head = (walking.rotations[:, walking.skeleton.index(name)] for name in ("spine4", "head"))
    nods = np.swapaxes(trunk, 1, 2) @ head
    cosines = (np.trace(nods[0].T @ nods, axis1=1, axis2=2) - 1) / 2
    expected = script.angles(times_s(36), "S1")["Head"].value
    np.testing.assert_allclose(cosines, np.cos(expected - expected[0]), rtol=0, atol=1e-3)


def test_a_take_is_as_long_as_the_shorter_of_sensors_and_motion_capture(sample):
    acting = load_totalcapture_motions(sample, subjects="S4")[0]
    assert (len(acting), acting.attrs["frames_in_file"]) == (20, 21)
    np.testing.assert_allclose(acting.joint("left_wrist"), joint("S4", "LeftHand", 20), rtol=0, atol=2e-6)
    with pytest.warns(DataWarning, match="S4/acting3 has 20 samples of its sensors and 21 frames of motion capture"):
        both = load_totalcapture(sample, subjects="S4", domain="both", cache=False)
    assert [len(recording) for recording in both] == [20, 20]
    for file in (POS, ORI):
        rewrite(sample / file, lambda values: values[:30])
    with pytest.warns(DataWarning, match="S1/walking1 has 36 samples .* and 30 frames of .*; the first 30 of both"):
        both = load_totalcapture(sample, subjects="S1", domain="both", cache=False)
    assert [len(recording) for recording in both] == [30, 30]
    (whole,) = load_totalcapture(sample, subjects="S1", cache=False)
    assert len(whole) == 36
    np.testing.assert_array_equal(both[0].data, whole.data[:30])


def test_positions_and_orientations_of_different_length_are_an_error(sample):
    rewrite(sample / ORI, lambda values: values[:30])
    with pytest.raises(DataFormatError, match=r"gt_skel_gbl_ori\.txt has 30 frames, but .*pos\.txt has 36"):
        load_totalcapture_motions(sample, subjects="S1")


def test_too_few_frames_are_an_error(sample):
    for file in (POS, ORI):
        rewrite(sample / file, lambda values: values[:5])
    with pytest.raises(DataFormatError, match="5 frames are too few; 6 are needed"):
        load_totalcapture_motions(sample, subjects="S1")
    with pytest.warns(DataWarning, match="The motion of S1/walking1 was left out: .*too few"):
        assert [m.subject for m in load_totalcapture_motions(sample, errors="warn")] == ["S4"]


def test_toes_are_made_in_front_of_the_ankles(walking):
    for side in ("left", "right"):
        toes = walking.joint(f"{side}_foot") - walking.joint(f"{side}_ankle")
        angle = script.angles(times_s(36), "S1")[f"{side.capitalize()}Foot"].value
        np.testing.assert_allclose(toes[:, 2], 0.13 * np.sin(angle) - 0.06 * np.cos(angle), rtol=0, atol=1e-4)
    assert "left_foot" not in load_totalcapture_motions(SAMPLE, subjects="S1", toes=False)[0].skeleton


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_no_toes_are_made_of_feet_with_other_axes(sample, axis):
    def turn_right_foot(values):
        foot = list(JOINTS).index("RightFoot")
        wxyz = np.roll(values[:, foot], 1, axis=1)
        values[:, foot] = np.roll(script.times(wxyz, script.about(axis, np.pi / 2)), -1, axis=1)
        return values

    rewrite(sample / ORI, turn_right_foot)
    with pytest.warns(DataWarning, match="no toes, for the axes of the right foot are not right, back and down"):
        motion = load_totalcapture_motions(sample, subjects="S1")[0]
    assert "right_foot" not in motion.skeleton
    with pytest.warns(DataWarning, match="how the sensor at left_foot, right_foot is turned .* is not known"):
        real, virtual = load_totalcapture(sample, subjects="S1", domain="both", cache=False)
    assert not any("foot" in channel for channel in virtual.channels)
    assert "left_foot_acc_x" in real.channels


def test_without_orientations_segments_follow_from_the_positions(sample):
    (sample / ORI).unlink()
    with pytest.warns(DataWarning, match=r"no toes, for gt_skel_gbl_ori\.txt"):
        motion = load_totalcapture_motions(sample, subjects="S1")[0]
    assert motion.attrs["orientations"] == "positions"
    rotations = motion.rotations[:, motion.skeleton.index("left_elbow")]
    np.testing.assert_allclose(rotations, segment_axes("S1", "LeftForeArm", 36), rtol=0, atol=1e-4)
    with pytest.warns(DataWarning, match=r"S1/walking1 has no gt_skel_gbl_ori\.txt, which its sensors' frames need"):
        assert len(load_totalcapture(sample, subjects="S1", domain="both", cache=False)) == 1


def test_motions_are_chosen_by_subject_and_take(sample):
    assert [m.subject for m in load_totalcapture_motions(SAMPLE)] == ["S1", "S4"]
    assert [m.session for m in load_totalcapture_motions(SAMPLE, sessions="acting3")] == ["acting3"]
    with pytest.raises(UnknownNameError, match="no S2; there is S1, S4"):
        load_totalcapture_motions(SAMPLE, subjects="S2")
    with pytest.raises(DataFormatError, match="no take acting3 of subject S1"):
        load_totalcapture_motions(SAMPLE, subjects="S1", sessions="acting3")
    with pytest.raises(UnknownNameError, match="'raise' or 'warn'"):
        load_totalcapture_motions(SAMPLE, errors="skip")
    (sample / POS).unlink()
    with pytest.warns(DataWarning, match=r"S1/walking1 has no gt_skel_gbl_pos\.txt"):
        assert [m.subject for m in load_totalcapture_motions(sample)] == ["S4"]


@pytest.mark.parametrize("subject", [4, "4", "s4", "S4"])
def test_a_subject_may_be_called_by_the_number(subject):
    for found in (
        load_totalcapture(SAMPLE, subjects=subject, domain="both", quantities="acc", cache=False),
        load_totalcapture_motions(SAMPLE, subjects=subject),
    ):
        assert {each.subject for each in found} == {"S4"}
    with pytest.raises(UnknownNameError, match="no 9; there is S1, S4"):
        load_totalcapture(SAMPLE, subjects=[subject, 9], cache=False)


@pytest.mark.parametrize("frame", ["sensor", "segment"])
def test_real_and_virtual_recordings_say_alike_whether_they_have_gravity_and_whose_axes(frame):
    recordings = load_totalcapture(SAMPLE, subjects="S1", domain="both", frame=frame, cache=False)
    assert [(r.domain, r.attrs["gravity"], r.attrs["frame"]) for r in recordings] == [
        *(("real", True, frame), ("virtual", True, frame))
    ]


# Real and virtual


@pytest.mark.parametrize("frame", ["sensor", "segment"])
@pytest.mark.parametrize("site", [mount.site for mount in SENSORS.values()])
def test_a_virtual_sensor_reads_what_the_real_one_does(frame, site):
    both = triads(SAMPLE, frame)
    assert [recording.domain for recording in both] == ["real", "virtual"]
    assert [recording.attrs["frame"] for recording in both] == [frame, frame]
    for quantity, tolerance in ROUNDING.items():
        assert away(both, site, quantity) < tolerance


@pytest.mark.parametrize("frame", ["sensor", "segment"])
def test_both_still_agree_where_the_end_of_the_motion_capture_is_cut_off(frame):
    both = load_totalcapture(SAMPLE, subjects="S4", domain="both", frame=frame, cutoff_hz=None, cache=False)
    for mount in SENSORS.values():
        assert away(both, mount.site, "acc") < ROUNDING["acc"], mount.site


@pytest.mark.parametrize(("name", "bone"), list(LIMBS.items()))
def test_readings_along_segments_are_the_closed_form_along_their_axes(name, bone):
    """Specific force and turn of the world, seen by axes that follow from the joints alone."""
    (real,) = load_totalcapture(SAMPLE, subjects="S1", frame="segment", cache=False)
    axes = segment_axes("S1", bone, 36)
    force, turning, _ = script.readings(times_s(36), "S1", name)
    for quantity, vectors in (("acc", force), ("gyr", turning)):
        read = real.select([f"{SENSORS[name].site}_{quantity}_{axis}" for axis in "xyz"]).data
        np.testing.assert_allclose(read, np.einsum("tji,tj->ti", axes, vectors), rtol=0, atol=0.02, err_msg=quantity)


def test_a_hanging_thigh_feels_gravity_against_its_x_and_the_trunk_along_it():
    (real,) = load_totalcapture(SAMPLE, subjects="S1", frame="segment", cache=False)
    for site, mean in (("left_thigh", -9.8), ("right_thigh", -9.8), ("chest", 9.8), ("waist", 9.8)):
        assert real.select([f"{site}_acc_x"]).data.mean() == pytest.approx(mean, abs=1.6)


def test_the_frame_of_a_sensor_is_another_than_that_of_its_segment():
    sensor, segment = (load_totalcapture(SAMPLE, subjects="S1", frame=f, cache=False)[0] for f in ("sensor", "segment"))
    assert sensor.channels == segment.channels
    for site in (mount.site for mount in SENSORS.values()):
        channels = [f"{site}_acc_{axis}" for axis in "xyz"]
        one, other = (recording.select(channels).data for recording in (sensor, segment))
        np.testing.assert_allclose(np.linalg.norm(one, axis=1), np.linalg.norm(other, axis=1), rtol=1e-4)
        assert np.abs(one - other).max() > 1.0


def test_left_and_right_of_a_real_sensor_are_told_apart_by_the_motion():
    both = triads(SAMPLE, "segment")
    for site in ("upper_arm", "forearm", "thigh", "shin"):
        right = [f"right_{site}_gyr_{axis}" for axis in "xyz"]
        left = [f"left_{site}_gyr_{axis}" for axis in "xyz"]
        crossed = np.abs(both[0].select(right).data - both[1].select(left).data).max()
        assert crossed > 20 * ROUNDING["gyr"]


def conjugate(path: Path) -> None:
    number, *lines = path.read_text(encoding="ascii").rstrip().split("\n")
    rows = [line.split() for line in lines]
    turned = [" ".join([name, *(str(-float(v)) for v in xyz), w]) for name, *xyz, w in rows]
    path.write_text("\n".join([number, *turned]) + "\n", encoding="ascii")


def scalar_first(path: Path) -> None:
    number, *lines = path.read_text(encoding="ascii").rstrip().split("\n")
    rows = [line.split() for line in lines]
    path.write_text(
        "\n".join([number, *(" ".join([row[0], row[4], *row[1:4]]) for row in rows)]) + "\n", encoding="ascii"
    )


def test_orientations_by_sensor_and_by_motion_capture_agree():
    """R_ref R_sensor R_bone^-1 is the bone's orientation, with w first in sensors' files and last in all others."""
    for subject, take in (("S1", "walking1"), ("S4", "acting3")):
        errors = totalcapture_orientation_errors(SAMPLE, subject, take)
        assert set(errors) == {mount.site for mount in SENSORS.values()}
        assert max(errors.values()) < 0.05


@pytest.mark.parametrize("damage", [conjugate, scalar_first])
@pytest.mark.parametrize("file", [BONE, REF])
def test_another_convention_of_calibration_does_not_agree(sample, damage, file):
    damage(sample / file)
    errors = totalcapture_orientation_errors(sample, "S1", "walking1")
    assert np.median(list(errors.values())) > 30
    if file == BONE:
        both = triads(sample, "sensor")
        assert np.median([away(both, mount.site, "acc") for mount in SENSORS.values()]) > 3


def test_another_order_of_the_bones_quaternions_does_not_agree(sample):
    rewrite(sample / ORI, lambda values: np.roll(values, 1, axis=2))
    errors = totalcapture_orientation_errors(sample, "S1", "walking1")
    assert np.median(list(errors.values())) > 30


def test_placements_of_a_take_make_the_virtual_recording(walking):
    placements = load_totalcapture_placements(SAMPLE, "S1", "walking1", sites=["left_forearm", "head"])
    assert list(placements) == ["left_forearm", "head"]
    assert placements["head"].segment == SITES["head"].segment
    simulated = simulate_imu(walking, placements, 60.0)
    (virtual,) = load_totalcapture(SAMPLE, subjects="S1", domain="virtual", sites=["left_forearm", "head"], cache=False)
    np.testing.assert_allclose(simulated.select(virtual.channels).data, virtual.data, rtol=0, atol=1e-5)
    with pytest.raises(UnknownNameError, match="no left_wrist; there is head, chest"):
        load_totalcapture_placements(SAMPLE, "S1", "walking1", sites="left_wrist")


def test_a_cutoff_that_makes_no_sense_is_no_damage():
    with pytest.raises(DataFormatError, match=r"^cutoff_hz must be a finite number above 0, not -1"):
        load_totalcapture(SAMPLE, domain="both", cutoff_hz=-1, errors="warn", cache=False)


def test_a_sensor_without_calibration_is_told_and_stays_as_it_was_strapped_on(sample):
    lines = (sample / BONE).read_text(encoding="ascii").replace("13", "12", 1).split("\n")
    (sample / BONE).write_text("\n".join(line for line in lines if not line.startswith("Sternum")), encoding="ascii")
    for frame, has_it in (("sensor", True), ("segment", False)):
        with pytest.warns(DataWarning, match="S1/walking1: how the sensor at chest is turned on its segment is not"):
            real, virtual = triads(sample, frame)
        assert ("chest_acc_x" in real.channels) == has_it
        assert "chest_acc_x" not in virtual.channels
        assert len(virtual.channels) == 12 * 6
    assert len(triads(sample, "segment", sites=["head", "waist"])) == 2
    assert "chest" not in load_totalcapture_placements(sample, "S1", "walking1")
    assert "chest" not in totalcapture_orientation_errors(sample, "S1", "walking1")


def test_a_damaged_head_of_the_sensors_is_told_with_the_motion(sample):
    path = sample / WALKING / "walking1_Xsens_AuxFields.sensors"
    path.write_bytes(b"13 \xff\n" + path.read_bytes())
    with pytest.raises(
        DataFormatError, match=r"AuxFields\.sensors, line 1: needs the numbers of sensors and of frames"
    ):
        load_totalcapture_motions(sample, subjects="S1")


def test_what_lacks_a_file_has_no_placements_and_no_orientation_errors(sample):
    (sample / BONE).unlink()
    with pytest.raises(DataFormatError, match=r"S1/walking1 has no \*_calib_imu_bone\.txt"):
        load_totalcapture_placements(sample, "S1", "walking1")
    with pytest.raises(DataFormatError, match=r"S1/walking1 lacks a file that is needed \(bone\)"):
        totalcapture_orientation_errors(sample, "S1", "walking1")
