from __future__ import annotations

import numpy as np
import pytest

from har_virtual import Motion, Skeleton
from har_virtual.exceptions import DataFormatError, UnknownNameError
from har_virtual.motion import read_asf_amc, read_bvh
from har_virtual.pose.skeletons import BODY_22, COCO_17, map_joints
from har_virtual.studio import perform, play


@pytest.fixture(scope="module")
def walk():
    return perform("walking", duration_s=3.0, seed=2)


@pytest.fixture(scope="module")
def replay(walk):
    return play(walk.motion(120), body=walk.body)


def inner(values):
    """Without the ends, which the low-pass touches."""
    return values[30:-30]


def test_a_walk_that_is_played_is_the_walk_that_was_performed(walk, replay):
    times = np.arange(0, 3, 0.01)
    exact, rotations = walk.pose(times)
    played, played_rotations = replay.pose(times)
    first = exact[0, BODY_22.root] * [1, 1, 0]
    # The first frame is turned to look along the heading; the pelvis of a walk is turned a little.
    left = exact[0, BODY_22.index("right_hip")] - exact[0, BODY_22.index("left_hip")]
    angle = -np.arctan2(left[1], left[0])
    c, s = np.cos(angle), np.sin(angle)
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    error = played - (exact - first) @ turn.T
    error[..., 2] -= error[..., 2].mean()
    assert np.abs(inner(error)).max() < 2e-3
    assert np.abs(inner(played_rotations - turn @ rotations)).max() < 2e-2


def test_the_readings_of_a_played_walk_are_those_of_the_performed_one(walk, replay):
    times = np.arange(0, 3, 0.01)
    for exact, played in zip(
        walk.readings(times, ["waist", "left_wrist"])[:2],
        replay.readings(times, ["waist", "left_wrist"])[:2],
        strict=True,
    ):
        assert np.sqrt(np.mean(inner(played - exact) ** 2)) < 0.05 * np.sqrt(np.mean(inner(exact) ** 2))


def test_position_and_heading_say_where_the_first_frame_stands_and_looks(walk):
    motion = walk.motion(60)
    turned = play(
        motion.replace(positions_m=motion.positions_m + np.array([5, -3, 2])), position_m=(1, 2), heading_deg=90
    )
    positions, _ = turned.pose([0.0])
    assert np.allclose(positions[0, BODY_22.root, :2], [1, 2], atol=0.01)
    left = positions[0, BODY_22.index("left_hip")] - positions[0, BODY_22.index("right_hip")]
    # Whoever looks along -x has the left at -y.
    assert left[1] < -0.9 * np.linalg.norm(left)
    assert 0.0 <= positions[0, [BODY_22.index("left_ankle"), BODY_22.index("right_ankle")], 2].min() < 0.12


def test_hands_feet_and_ears_that_a_motion_lacks_are_added_where_they_are_on_average(walk):
    motion = walk.motion(60)
    few = Motion(map_joints(motion.positions_m, BODY_22, _without("hand", "foot", "ear")), motion.timestamps_s,
                 _without("hand", "foot", "ear"))  # fmt: skip
    positions, rotations = play(few).pose([1.0])
    joint = {name: positions[0, i] for i, name in enumerate(BODY_22.joints)}
    assert 0.06 < np.linalg.norm(joint["left_hand"] - joint["left_wrist"]) < 0.14
    assert joint["left_foot"][1] > joint["left_ankle"][1] + 0.05
    assert joint["left_ear"][0] < joint["right_ear"][0] - 0.1
    assert np.allclose(np.swapaxes(rotations, -1, -2) @ rotations, np.eye(3), atol=1e-9)


def _without(*names: str) -> Skeleton:
    kept = [i for i, joint in enumerate(BODY_22.joints) if not joint.endswith(names)]
    parents = tuple(kept.index(BODY_22.parents[i]) if BODY_22.parents[i] >= 0 else -1 for i in kept)
    return Skeleton("few joints", tuple(BODY_22.joints[i] for i in kept), parents)


def test_a_motion_without_legs_is_an_error_that_names_them(walk):
    trunk = _without("knee", "ankle", "foot")
    motion = walk.motion(30)
    with pytest.raises(UnknownNameError, match=r"lacks left_knee, left_ankle, right_knee, right_ankle: .* legs"):
        play(Motion(map_joints(motion.positions_m, BODY_22, trunk), motion.timestamps_s, trunk))


def test_a_motion_on_coco_joints_can_be_played(walk):
    motion = walk.motion(30)
    face = {"nose": "head", "left_eye": "left_ear", "right_eye": "right_ear"}
    columns = [BODY_22.index(face.get(joint, joint)) for joint in COCO_17.joints]
    positions = motion.positions_m[:, columns]
    # Eyes and nose are not where the head is.
    positions[:, :3, 1] += 0.08
    assert play(Motion(positions, motion.timestamps_s, COCO_17)).pose([0.5])[0].shape == (1, 22, 3)


def test_what_is_too_short_or_asked_beyond_its_end_is_an_error(walk):
    motion = walk.motion(30)
    short = Motion(motion.positions_m[:4], motion.timestamps_s[:4], BODY_22)
    with pytest.raises(DataFormatError, match="4 frames is too short"):
        play(short)
    with pytest.raises(DataFormatError, match="not extrapolated"):
        play(motion).pose([5.0])


def test_who_it_is_goes_with_the_motion_into_streams_and_motions(walk):
    known = walk.motion(60).replace(subject="02", dataset="cmu", session="02_01", label="walk", attrs={"take": 7})
    actor = play(known)
    stream, motion = actor.imu(["waist"], 50, sensor="low", random_state=1), actor.motion(30)
    for made in (stream, motion):
        assert (made.subject, made.dataset, made.session, made.attrs["take"]) == ("02", "cmu", "02_01", 7)
    assert (stream.labels, motion.label) == ("walk", "walk")
    assert (stream.attrs["random_state"], stream.attrs["cutoff_hz"]) == (1, 15.0)
    assert play(known, subject="03", label="stroll").imu(["waist"], 50).subject == "03"


def test_uneven_stamps_that_begin_late_are_played_from_0_to_their_end(walk):
    rng = np.random.default_rng(0)
    stamps = np.cumsum(rng.uniform(0.005, 0.015, 200))
    positions, rotations = walk.pose(stamps)
    actor = play(Motion(positions, stamps + 10, BODY_22, rotations))
    assert actor.duration_s == pytest.approx(stamps[-1] - stamps[0])
    stream = actor.imu(["waist"], 50)
    assert len(stream.data) == np.ceil(actor.duration_s * 50)
    assert np.isfinite(stream.data).all()
    assert actor.pose([0.0, actor.duration_s])[0].shape == (2, 22, 3)


def test_the_low_pass_is_the_one_that_is_asked_for(walk):
    motion, times = walk.motion(120), np.arange(0.2, 2.5, 0.01)
    rough, smooth = (
        play(motion, cutoff_hz=cutoff).readings(times, ["left_ankle"], gravity=False) for cutoff in (20, 2)
    )
    assert np.std(smooth[0]) < 0.8 * np.std(rough[0])
    assert np.std(smooth[1]) < 0.92 * np.std(rough[1])


def test_clothes_come_from_the_seed_and_size_from_the_motion(walk):
    motion = walk.motion(30)
    bodies = [play(motion, seed=seed).body for seed in (1, 2, 3)]
    assert len({body.stature_m for body in bodies}) == 1
    assert len({(body.shirt, body.trousers, body.skin, body.hair) for body in bodies}) > 1


@pytest.mark.parametrize("spoil", ["hole", "centimetres", "text"])
def test_a_motion_that_cannot_be_true_is_an_error_that_says_why(walk, spoil):
    motion = walk.motion(30)
    if spoil == "hole":
        late = np.where(np.arange(len(motion)) < 40, 0.0, 5.0)
        motion, said = motion.replace(timestamps_s=motion.timestamps_s + late), r"hole from 1.3 to 6.33333 s"
    elif spoil == "centimetres":
        motion, said = motion.replace(positions_m=motion.positions_m * 100), "wrong unit_m"
    else:
        motion, said = "walk.bvh", "must be a Motion"
    with pytest.raises(DataFormatError, match=said):
        play(motion)


def test_cmu_takes_stand_on_the_floor_and_walk_where_they_look(test_data):
    folder = test_data / "mocap" / "cmu"
    asf = sorted(folder.rglob("02.asf"))[0]
    takes = {
        "asf": read_asf_amc(asf, sorted(folder.rglob("02_01.amc"))[0], frame_rate_hz=120),
        "bvh": read_bvh(sorted(folder.rglob("07_01.bvh"))[0], unit_m=0.056444, up="y", skip_frames=1),
    }
    for motion in takes.values():
        actor = play(motion, seed=1)
        positions, _ = actor.pose(np.arange(0, actor.duration_s, 0.05))
        assert 1.5 < actor.body.stature_m < 2.0
        assert -0.05 < positions[..., 2].min() < 0.1
        assert 1.3 < np.median(positions[:, BODY_22.index("head"), 2]) < 1.9
        way = positions[-1, BODY_22.root] - positions[0, BODY_22.root]
        assert way[1] > 2 * abs(way[0])
