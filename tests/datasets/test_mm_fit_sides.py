from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from har_virtual.datasets.mm_fit.sides import SideEvidence, decide_sides, exchange_sides
from har_virtual.exceptions import DataFormatError
from har_virtual.imu import simulate_imu
from har_virtual.motion import read_asf_amc
from har_virtual.pose.skeletons import COCO_18, H36M_17
from har_virtual.recording import Recording
from har_virtual.skeleton import Motion, Skeleton
from har_virtual.studio import perform

WRISTS = ("left_wrist", "right_wrist")
VIEWS = {"from behind": 0, "from the front": 180, "from the side": 90, "obliquely": 220}


def on_h36m(body: Motion, nose_m: np.ndarray) -> Motion:
    joints = [nose_m if joint == "nose" else body.joint(joint) for joint in H36M_17.joints]
    return Motion(np.stack(joints, axis=1), body.timestamps_s, H36M_17)


def studio(activity: str, heading_deg: float = 180, duration_s: float = 12.0) -> tuple[Motion, Recording]:
    """A person's joints, the tip of the nose ahead of the ears, and what both watches measure."""
    actor = perform(activity, duration_s=duration_s, heading_deg=heading_deg, seed=1)
    body = actor.motion(30)
    ahead = body.rotations[:, body.skeleton.index("head"), :, 1]
    motion = on_h36m(body, (body.joint("left_ear") + body.joint("right_ear")) / 2 + 0.09 * ahead)
    return motion, actor.imu(WRISTS, 100, quantities=["acc"])


def photograph(motion: Motion) -> Motion:
    """What a camera far away that looks along y shows."""
    faces = ("right_eye", "left_eye", "right_ear", "left_ear")
    joints = [motion.joint("nose" if joint in faces else joint) for joint in COCO_18.joints]
    return Motion(np.stack(joints, axis=1) * [1, 0, 1], motion.timestamps_s, COCO_18)


def noisy(motion: Motion, sigma_m: float) -> Motion:
    noise = np.random.default_rng(0).normal(0, sigma_m, motion.positions_m.shape)
    return motion.replace(positions_m=motion.positions_m + noise)


def only(watches: Recording, side: str) -> Recording:
    return watches.select([channel for channel in watches.channels if channel.startswith(side)])


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("activity", ["walking", "running", "stair_climbing"])
def test_all_pieces_agree_on_either_order_however_the_person_is_seen(activity: str, view: str):
    motion, watches = studio(activity, VIEWS[view])
    for named, expected in ((motion, "h36m"), (exchange_sides(motion), "authors")):
        decision = decide_sides(named, picture=photograph(motion), watches=[watches])
        assert {name: piece.verdict for name, piece in decision.evidence.items()} == dict.fromkeys(
            ("picture", "body", "watches"), expected
        )
        assert decision.verdict == expected


def test_exchanging_the_sides_turns_the_sign_of_each_score():
    motion, watches = studio("walking", 200)
    picture = photograph(motion)
    as_they_are = decide_sides(motion, picture=picture, watches=[watches])
    exchanged = decide_sides(exchange_sides(motion), picture=picture, watches=[watches])
    for name, piece in as_they_are.evidence.items():
        assert exchanged.evidence[name].score == pytest.approx(-piece.score, abs=1e-9)
        assert exchanged.evidence[name][1:] == piece[1:]


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("activity", ["walking", "squatting", "jumping_jacks", "lying_down", "cycling", "ironing"])
def test_joints_that_err_by_five_centimetres_do_not_mislead(activity: str, view: str):
    motion, watches = studio(activity, VIEWS[view])
    erring = noisy(motion, 0.05)
    options = {"picture": photograph(noisy(motion, 0.03)), "watches": [watches]}
    assert decide_sides(erring, **options).verdict == "h36m"
    assert decide_sides(exchange_sides(erring), **options).verdict == "authors"


def test_the_body_alone_decides_where_there_is_nothing_else():
    motion, _ = studio("squatting")
    decision = decide_sides(motion)
    assert (decision.verdict, list(decision.evidence)) == ("h36m", ["body"])
    assert decision.body.n_samples == len(motion)


@pytest.mark.parametrize("side", ["left", "right"])
def test_one_watch_is_enough(side: str):
    motion, watches = studio("running")
    evidence = decide_sides(motion, watches=[only(watches, side)]).watches
    assert evidence is not None
    assert evidence.verdict == "h36m"
    swapped = Recording(
        only(watches, side).data, 100, [f"{'right' if side == 'left' else 'left'}_wrist_acc_{axis}" for axis in "xyz"]
    )
    evidence = decide_sides(motion, watches=[swapped]).watches
    assert evidence is not None
    assert evidence.verdict == "authors"


@pytest.mark.parametrize(("side", "sizes"), [("left", (1, 3)), ("right", (3, 1))])
def test_a_watch_on_the_arm_that_follows_the_other_one_more_weakly_is_told_all_the_same(side: str, sizes: tuple):
    """The stronger arm goes along with the watch, and outweighs the weaker one in their difference."""
    times = np.arange(0, 20, 1 / 30)

    def heights(own_hz: float, size: float) -> np.ndarray:
        waves = [(1.1, 0.02), (0.7, 0.03), (own_hz, 0.01 / size)]
        return size * sum(amplitude * np.sin(2 * np.pi * hz * times + hz) for hz, amplitude in waves)

    motion, _ = studio("standing", duration_s=20.0)
    moved = motion.positions_m.copy()
    for joint, own_hz, size in (("left_wrist", 1.7, sizes[0]), ("right_wrist", 1.37, sizes[1])):
        moved[:, H36M_17.index(joint), 2] = heights(own_hz, size)
    motion = motion.replace(positions_m=moved)
    rates = {"left": (1.7, sizes[0]), "right": (1.37, sizes[1])}
    acc = np.zeros((len(times), 3))
    acc[:, 2] = 9.80665 + np.gradient(np.gradient(heights(*rates[side]), 1 / 30), 1 / 30)
    watch = Recording(acc, 30, [f"{side}_wrist_acc_{axis}" for axis in "xyz"])
    evidence = decide_sides(motion, watches=[watch]).watches
    assert evidence is not None
    assert evidence.verdict == "h36m", evidence


def test_watches_on_recordings_of_their_own_count_as_well():
    motion, watches = studio("running")
    together = decide_sides(motion, watches=[watches]).watches
    assert decide_sides(motion, watches=[only(watches, "right"), only(watches, "left")]).watches == together


def test_arms_that_move_alike_say_nothing():
    motion, watches = studio("jumping_jacks")
    evidence = decide_sides(motion, watches=[watches]).watches
    assert evidence is not None
    assert evidence.verdict == "undecided"
    assert abs(evidence.score) < 0.1


def test_the_watches_of_another_time_say_nothing():
    motion, _ = studio("walking")
    _, others = studio("ironing")
    evidence = decide_sides(motion, watches=[others]).watches
    assert evidence is not None
    assert evidence.verdict == "undecided"


def test_watches_may_be_late_and_have_holes():
    motion, watches = studio("running")
    data = watches.data.copy()
    data[300:340] = np.nan
    evidence = decide_sides(motion, watches=[watches.replace(data=data, start_s=0.15)]).watches
    assert evidence is not None
    assert evidence.verdict == "h36m"
    assert evidence.score > 0.7
    assert evidence.n_samples == pytest.approx(12 * 20 - 8 - 3, abs=3)


def test_watches_that_overlap_in_no_second_say_nothing():
    motion, watches = studio("running")
    evidence = decide_sides(motion, watches=[watches.replace(start_s=1000.0)]).watches
    assert evidence is not None
    assert (evidence.verdict, evidence.n_samples) == ("undecided", 0)


def test_a_watch_that_recorded_nothing_and_a_pose_of_half_a_second_say_nothing():
    motion, watches = studio("running", duration_s=2.0)
    empty = watches.replace(data=np.full_like(watches.data, np.nan))
    short = motion.replace(positions_m=motion.positions_m[:15], timestamps_s=motion.timestamps_s[:15])
    for evidence in (decide_sides(motion, watches=[empty]).watches, decide_sides(short, watches=[watches]).watches):
        assert evidence is not None
        assert (evidence.verdict, evidence.n_samples) == ("undecided", 0)


def test_a_hole_in_the_poses_is_not_bridged():
    motion, watches = studio("running")
    there = np.abs(motion.timestamps_s - 6) > 2
    cut = motion.replace(positions_m=motion.positions_m[there], timestamps_s=motion.timestamps_s[there])
    evidence = decide_sides(cut, watches=[watches]).watches
    assert evidence is not None
    assert evidence.verdict == "h36m"
    assert evidence.n_samples < 8 * 20


def test_a_pose_that_jumps_spoils_no_more_than_its_window():
    motion, watches = studio("running", duration_s=20.0)
    jumping = motion.positions_m.copy()
    jumping[100, H36M_17.index("left_wrist")] += 0.5
    evidence = decide_sides(motion.replace(positions_m=jumping), watches=[watches]).watches
    assert evidence is not None
    assert evidence.verdict == "h36m"


def test_a_picture_taken_as_in_a_mirror_contradicts_the_watches():
    motion, watches = studio("running", 200)
    lifted = exchange_sides(motion.replace(positions_m=motion.positions_m * [-1, 1, 1]))
    decision = decide_sides(lifted, picture=photograph(lifted), watches=[watches])
    assert {name: piece.verdict for name, piece in decision.evidence.items()} == {
        "picture": "h36m",
        "body": "h36m",
        "watches": "authors",
    }
    assert decision.verdict == "undecided"


def test_a_body_without_a_bend_says_nothing():
    motion, _ = studio("standing", duration_s=2.0)
    heights = {"ankle": 0.1, "knee": 0.5, "hip": 0.9, "wrist": 0.8, "elbow": 1.1, "shoulder": 1.4}
    sideways = {"left": -0.2, "right": 0.2}
    middle = {"pelvis": 0.9, "spine": 1.1, "neck": 1.4, "nose": 1.6, "head": 1.7}
    joints = {f"{side}_{name}": (x, 0.0, z) for side, x in sideways.items() for name, z in heights.items()}
    joints |= {name: (0.0, 0.0, z) for name, z in middle.items()}
    stick = np.array([joints[joint] for joint in H36M_17.joints])
    still = motion.replace(positions_m=np.broadcast_to(stick, motion.positions_m.shape))
    assert decide_sides(still).body.verdict == "undecided"
    assert decide_sides(still).verdict == "undecided"
    assert decide_sides(still, picture=photograph(still)).verdict == "h36m"


def test_the_decision_says_what_each_piece_says():
    motion, watches = studio("running")
    said = str(decide_sides(motion, picture=photograph(motion), watches=[watches]))
    assert said.startswith("h36m: picture h36m (+1.00, decides from 0.30); body h36m (+0.9")
    assert "watches h36m (+0." in said


def test_a_score_below_its_threshold_is_undecided():
    assert [SideEvidence(score, 0.3, 10).verdict for score in (0.3, 0.29, 0.0, -0.29, -0.3)] == [
        *("h36m", "undecided", "undecided", "undecided", "authors")
    ]


@pytest.mark.parametrize("duration_s", [6.0, 24.0])
def test_watches_decide_above_what_chance_correlates_in_the_band_of_their_seconds(duration_s: float):
    """Of 20 samples a second below 3 Hz six are independent; chance stays below four standard errors of them."""
    motion, watches = studio("walking", duration_s=duration_s)
    evidence = decide_sides(motion, watches=[watches]).watches
    assert evidence is not None
    assert evidence.n_samples == pytest.approx(20 * duration_s, abs=3)
    assert evidence.threshold == pytest.approx(4 / np.sqrt(6 * duration_s), rel=0.02)


def test_exchanging_twice_gives_the_motion_back():
    motion, _ = studio("walking", duration_s=2.0)
    once = exchange_sides(motion.replace(uncertainty_m=np.arange(60 * 17.0).reshape(60, 17)))
    np.testing.assert_array_equal(once.joint("left_wrist"), motion.joint("right_wrist"))
    np.testing.assert_array_equal(once.joint("head"), motion.joint("head"))
    np.testing.assert_array_equal(once.uncertainty_m[0, 11], 14.0)
    np.testing.assert_array_equal(exchange_sides(once).positions_m, motion.positions_m)
    turned = motion.replace(rotations=np.broadcast_to(np.eye(3), (60, 17, 3, 3)))
    assert exchange_sides(turned).rotations is None


def test_other_skeletons_clocks_and_sites_are_errors():
    motion, _ = studio("walking", duration_s=2.0)
    with pytest.raises(DataFormatError, match=r"motion is on COCO-18, without pelvis, spine, head"):
        decide_sides(photograph(motion))
    with pytest.raises(DataFormatError, match=r"picture is on H36M-17-less, without neck"):
        decide_sides(motion, picture=_without_neck(motion))
    late = photograph(motion)
    with pytest.raises(DataFormatError, match="no frame in common"):
        decide_sides(motion, picture=late.replace(timestamps_s=late.timestamps_s + 0.015))
    turning = Recording(np.zeros((200, 3)), 100, [f"left_wrist_gyr_{axis}" for axis in "xyz"])
    with pytest.raises(DataFormatError, match="no acceleration at left_wrist or right_wrist"):
        decide_sides(motion, watches=[turning])


def _without_neck(motion: Motion) -> Motion:
    keep = [joint for joint in COCO_18.joints if joint != "neck"]
    skeleton = Skeleton("H36M-17-less", keep, [-1, *[0] * (len(keep) - 1)])
    return Motion(np.zeros((len(motion), len(keep), 3)), motion.timestamps_s, skeleton)


def captured(path: Path) -> tuple[Motion, Recording]:
    """Motion capture at 30 frames a second, the nose where the neck ends, and watches from all of its frames."""
    body = read_asf_amc(path.with_name(f"{path.stem[:2]}.asf"), path)
    watches = simulate_imu(body, WRISTS, 60, quantities=["acc"])
    seen = body.replace(positions_m=body.positions_m[::4], timestamps_s=body.timestamps_s[::4], rotations=None)
    return on_h36m(seen, seen.joint("neck_top")), watches


@pytest.mark.parametrize("take", ["01_01", "02_01", "02_03"])
def test_captured_people_are_told_in_either_order(test_data: Path, take: str):
    motion, watches = captured(test_data / "mocap" / "cmu" / f"{take}.amc")
    erring = noisy(motion, 0.03)
    for named, expected in ((erring, "h36m"), (exchange_sides(erring), "authors")):
        decision = decide_sides(named, picture=photograph(motion), watches=[watches])
        assert decision.verdict == expected, decision
        assert decision.body.verdict == expected
