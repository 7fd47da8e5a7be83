"""Activities: people's angles, feet on the floor, the signs that tell one activity from another."""

from __future__ import annotations

import inspect
from functools import cache

import numpy as np
import pytest

from har_virtual.pose.skeletons import BODY_22
from har_virtual.studio.activities import ACTIVITIES, Activity
from har_virtual.studio.activities._moves import progress
from har_virtual.studio.body import Body
from har_virtual.studio.jets import Jet, as_jet, time
from har_virtual.studio.posture import Joints, joints, neutral_frame
from har_virtual.studio.props import FURNITURE, HELD, STAIR_SLOPE, crank_m, stair_run_m
from har_virtual.studio.style import Style

RATE_HZ, SEEDS = 100, (1, 3, 8)
TIMES_S = np.arange(0, 8, 1 / RATE_HZ)
GRAVITY = np.array([0.0, 0.0, -9.80665])
NAMES = (
    *("standing", "walking", "running", "jumping", "squatting", "sitting", "sitting_down", "standing_up", "turning"),
    *("lying_down", "jumping_jacks", "waving", "stair_climbing", "ironing", "vacuum_cleaning", "cycling"),
    "rope_jumping",
)
# What joints of healthy adults allow, in degrees.
RANGES = {
    "shoulder_flexion": (-60, 180),
    "shoulder_abduction": (-10, 180),
    "shoulder_rotation": (-95, 90),
    "elbow_flexion": (0, 145),
    "pronation": (-85, 90),
    "hip_flexion": (-30, 150),
    "hip_abduction": (-25, 45),
    "hip_rotation": (-45, 40),
    "knee_flexion": (0, 150),
    "ankle_dorsiflexion": (-50, 42),
    "spine_flexion": (-30, 60),
    "spine_tilt": (-30, 30),
    "spine_turn": (-40, 40),
    "neck_flexion": (-50, 50),
    "neck_tilt": (-35, 35),
    "neck_turn": (-60, 60),
    "pelvis_tilt": (-15, 15),
    "pelvis_lean": (-95, 60),
}


def angles(name: str, style: Style, t: Jet) -> dict[str, Jet]:
    posture = ACTIVITIES[name].function(t, style)
    return {angle: as_jet(value) + t * 0.0 for angle, value in posture.angles.items()}


@cache
def moved(name: str, seed: int) -> tuple[Body, Joints]:
    body = Body.random(seed)
    posture = ACTIVITIES[name].function(time(TIMES_S), Style(seed, body=body))
    return body, joints(posture, body, len(TIMES_S))


def place(name: str, seed: int, joint: str) -> Jet:
    return moved(name, seed)[1].positions_m[:, BODY_22.index(joint)]


def soles(name: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Height and horizontal speed of heel, ball and toes of the left, then the right foot: (6, T) each."""
    body, pose = moved(name, seed)
    heights, speeds = [], []
    for joint, offset, radius in body.contacts_m():
        if joint.endswith("ankle"):
            index = BODY_22.index(joint)
            axes = pose.rotations[:, index] @ neutral_frame(joint, body).T
            sole = pose.positions_m[:, index] + (axes @ np.array(offset)[:, None])[..., 0]
            heights.append(sole.value[:, 2] - radius)
            speeds.append(np.hypot(*sole.rate[:, :2].T))
    return np.array(heights), np.array(speeds)


def test_the_registry_has_the_seventeen_with_what_stands_around_them() -> None:
    assert set(ACTIVITIES) == set(NAMES)
    for name, activity in ACTIVITIES.items():
        assert isinstance(activity, Activity)
        assert activity.name == name
        assert activity.description
        assert set(activity.furniture) <= set(FURNITURE)
        assert activity.held is None or activity.held in HELD
    assert ACTIVITIES["sitting"].furniture == ("chair",)
    assert ACTIVITIES["vacuum_cleaning"].held == "wand"


@pytest.mark.parametrize("name", NAMES)
def test_rates_and_accelerations_are_those_of_the_angles(name: str) -> None:
    h, style, middle = 2e-3, Style(4), np.array([0.7, 2.5, 3.1, 5.2])
    offsets = np.arange(-4, 5)
    first = np.array([1 / 280, -4 / 105, 1 / 5, -4 / 5, 0, 4 / 5, -1 / 5, 4 / 105, -1 / 280])
    second = np.array([-1 / 560, 8 / 315, -1 / 5, 8 / 5, -205 / 72, 8 / 5, -1 / 5, 8 / 315, -1 / 560])
    around = angles(name, style, time((middle[:, None] + h * offsets).ravel()))
    for angle, exact in angles(name, style, time(middle)).items():
        values = around[angle].value.reshape(len(middle), 9)
        np.testing.assert_allclose(values @ first / h, exact.rate, atol=1e-7, rtol=1e-7, err_msg=angle)
        np.testing.assert_allclose(values @ second / h**2, exact.acceleration, atol=1e-5, rtol=1e-6, err_msg=angle)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_moves_above_20_hz(name: str) -> None:
    times = np.arange(0, 20, 1 / 200)
    window = np.hanning(len(times))
    fast = np.fft.rfftfreq(len(times), 1 / 200) > 20
    for angle, value in angles(name, Style(2), time(times)).items():
        power = np.abs(np.fft.rfft(window * (value.acceleration - value.acceleration.mean()))) ** 2
        # Angles that hardly move have nothing but rounding.
        assert power[fast].sum() <= 1e-3 * power.sum() + 1e-12, angle


@pytest.mark.parametrize("name", NAMES)
def test_one_seed_gives_one_movement_and_others_give_others(name: str) -> None:
    t = time(np.linspace(0.0, 6.0, 60))

    def posture(seed: int, take: int = 0) -> np.ndarray:
        values = angles(name, Style(seed, take=take), t)
        return np.array([values[angle].value for angle in sorted(values)])

    np.testing.assert_array_equal(posture(6), posture(6))
    assert np.abs(posture(6) - posture(7)).max() > np.radians(3)
    assert np.abs(posture(6) - posture(6, take=1)).max() > np.radians(3)


@pytest.mark.parametrize("name", NAMES)
def test_angles_are_human(name: str) -> None:
    for seed in SEEDS:
        for angle, value in angles(name, Style(seed), time(TIMES_S)).items():
            short = angle.removeprefix("left_").removeprefix("right_")
            if short in RANGES:
                low, high = np.degrees([value.value.min(), value.value.max()])
                assert RANGES[short][0] <= low <= high <= RANGES[short][1], (angle, low, high)


@pytest.mark.parametrize("name", NAMES)
def test_wrists_ankles_and_head_go_no_faster_than_a_person_can(name: str) -> None:
    for seed in SEEDS:
        for joint, limit_g in (("left_wrist", 15), ("right_wrist", 15), ("right_ankle", 15), ("head", 6)):
            acceleration = np.linalg.norm(place(name, seed, joint).acceleration, axis=1).max()
            assert acceleration < limit_g * 9.81, (joint, acceleration)


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"stair_climbing", "cycling", "lying_down"}))
def test_feet_neither_sink_nor_hover(name: str) -> None:
    jumps = {"running", "jumping", "jumping_jacks", "rope_jumping"}
    for seed in SEEDS:
        lowest = soles(name, seed)[0].min(axis=0)
        assert lowest.min() > -0.03
        assert np.quantile(lowest, 0.3 if name in jumps else 1.0) < 0.02


@pytest.mark.parametrize(
    ("name", "limit_m_s"), [("walking", 0.08), ("standing", 0.02), ("turning", 0.06), ("vacuum_cleaning", 0.03)]
)
def test_the_foot_that_carries_hardly_slides(name: str, limit_m_s: float) -> None:
    for seed in SEEDS:
        heights, speeds = soles(name, seed)
        assert np.median(speeds[heights.argmin(axis=0), np.arange(len(TIMES_S))]) < limit_m_s


def test_walkers_swing_the_left_arm_with_the_right_leg() -> None:
    for name in ("walking", "running"):
        forward = {joint: place(name, 1, joint).value[:, 1] for joint in BODY_22.joints}
        for arm, leg in (("left", "right"), ("right", "left")):
            swing = forward[f"{arm}_wrist"] - forward["pelvis"]
            stride = forward[f"{leg}_knee"] - forward["pelvis"]
            assert np.corrcoef(swing, stride)[0, 1] > 0.8


def test_walking_goes_at_a_walker_s_speed_with_feet_in_turn() -> None:
    for seed in SEEDS:
        y = place("walking", seed, "pelvis")
        assert 0.9 < (y.value[-1, 1] - y.value[0, 1]) / TIMES_S[-1] < 1.7
        left, right = soles("walking", seed)[0].reshape(2, 3, -1).min(axis=1)
        assert np.maximum(left, right).max() > 0.02
        assert np.minimum(left, right).max() < 0.02
        # Two steps a stride: the pelvis rises and falls by some cm.
        assert 0.01 < np.ptp(y.value[:, 2]) < 0.08


def test_running_flies_and_is_faster_than_walking() -> None:
    for seed in SEEDS:
        heights = soles("running", seed)[0].min(axis=0)
        assert (heights > 0.01).mean() > 0.08
        assert np.ptp(place("running", seed, "pelvis").value[:, 1]) / TIMES_S[-1] > 2.0


def test_a_jumper_falls_freely_in_mid_flight() -> None:
    for name, height_m in (("jumping", 0.12), ("rope_jumping", 0.015)):
        for seed in SEEDS:
            pelvis = place(name, seed, "pelvis")
            height = pelvis.value[:, 2]
            tops = np.flatnonzero((height[1:-1] > height[:-2]) & (height[1:-1] > height[2:])) + 1
            assert len(tops) >= 7
            assert (np.linalg.norm(pelvis.acceleration[tops] - GRAVITY, axis=1) < 1.5).all()
            assert soles(name, seed)[0].min(axis=0)[tops].min() > height_m


def test_a_squat_bends_the_knees_over_feet_that_stay() -> None:
    for seed in SEEDS:
        hip, knee = place("squatting", seed, "left_hip").value[:, 2], place("squatting", seed, "left_knee").value[:, 2]
        assert (hip - knee).min() < 0.15
        assert (hip - knee).max() > 0.35
        assert np.ptp(place("squatting", seed, "left_ankle").value[:, 1]) < 0.03


def test_who_sits_has_right_angles_at_hips_and_knees() -> None:
    for seed in SEEDS:
        hip, knee, ankle, neck = (
            place("sitting", seed, joint).value for joint in ("left_hip", "left_knee", "left_ankle", "neck")
        )
        for a, middle, b, tolerance in ((hip, knee, ankle, 8.0), (neck, hip, knee, 30.0)):
            u, v = a - middle, b - middle
            cosine = (u * v).sum(axis=1) / np.linalg.norm(u, axis=1) / np.linalg.norm(v, axis=1)
            assert np.abs(np.degrees(np.arccos(cosine)) - 90).max() < tolerance


def test_sitting_down_ends_where_standing_up_starts() -> None:
    for seed in SEEDS:
        leg_m = moved("sitting_down", seed)[0].leg_m
        down, up = (place(name, seed, "pelvis").value[:, 2] for name in ("sitting_down", "standing_up"))
        assert down[0] - down[-1] == pytest.approx(0.45 * leg_m, abs=0.08)
        assert up[-1] - up[0] == pytest.approx(0.45 * leg_m, abs=0.08)
        middle_s = TIMES_S[np.abs(down - (down[0] + down[-1]) / 2).argmin()]
        assert 2.0 < middle_s < 3.4


def test_turning_turns_by_about_50_degrees_a_second() -> None:
    directions = set()
    for seed in range(6):
        turn = angles("turning", Style(seed), time(TIMES_S))["pelvis_turn"].value
        rate_deg_s = np.degrees(turn[-1] - turn[0]) / TIMES_S[-1]
        assert 35 < abs(rate_deg_s) < 65
        directions.add(np.sign(rate_deg_s))
        x, y = place("turning", seed, "pelvis").value[:, :2].T
        assert np.hypot(x, y).max() < 0.1
    assert directions == {-1.0, 1.0}


def test_lying_down_ends_on_the_back_on_the_floor() -> None:
    for seed in SEEDS:
        pelvis, neck, knee = (place("lying_down", seed, joint).value for joint in ("pelvis", "neck", "left_knee"))
        assert pelvis[0, 2] > 0.75
        assert pelvis[-1, 2] < 0.22
        assert abs(neck[-1, 2] - pelvis[-1, 2]) < 0.1
        assert pelvis[-1, 1] - neck[-1, 1] > 0.4
        assert abs(knee[-1, 2] - pelvis[-1, 2]) < 0.12
        # Face up: the belly's direction, the trunk frame's y.
        assert moved("lying_down", seed)[1].rotations.value[-1, BODY_22.index("spine"), 2, 1] > 0.9


def test_jumping_jacks_bring_the_hands_over_the_head_with_the_feet_apart() -> None:
    for seed in SEEDS:
        hands = place("jumping_jacks", seed, "left_hand").value[:, 2] - place("jumping_jacks", seed, "head").value[:, 2]
        apart = place("jumping_jacks", seed, "right_ankle").value - place("jumping_jacks", seed, "left_ankle").value
        assert hands.max() > 0.1 > -0.4 > hands.min()
        assert np.corrcoef(hands, apart[:, 0])[0, 1] > 0.8


def test_the_dominant_hand_waves_over_its_shoulder_and_the_other_hangs() -> None:
    left_handed = next(seed for seed in range(50) if Style(seed).handedness == "left")
    for seed in (*SEEDS, left_handed):
        style = Style(seed)
        hand, other = (
            place("waving", seed, f"{style.handedness}_hand"),
            place("waving", seed, f"{style.other_hand}_hand"),
        )
        shoulder = place("waving", seed, f"{style.handedness}_shoulder")
        assert (hand.value[:, 2] - shoulder.value[:, 2]).min() > 0.05
        assert other.value[:, 2].max() < shoulder.value[:, 2].min() - 0.3
        outward = 1.0 if style.handedness == "right" else -1.0
        assert (outward * (hand.value[:, 0] - shoulder.value[:, 0])).min() > 0.1
        assert np.ptp(hand.value[:, 0]) > 0.12


def test_a_climber_rises_by_the_slope_of_the_stairs_and_rests_on_whole_steps() -> None:
    for seed in SEEDS:
        _, y, z = place("stair_climbing", seed, "pelvis").value.T
        assert (z[-1] - z[0]) / (y[-1] - y[0]) == pytest.approx(STAIR_SLOPE, abs=0.01)
        heights, speeds = soles("stair_climbing", seed)
        rise_m = STAIR_SLOPE * stair_run_m(moved("stair_climbing", seed)[0])
        resting = heights[1][speeds[1] < 0.02] / rise_m
        assert len(resting) > 20
        assert np.abs(resting - np.round(resting)).max() < 0.25
        assert np.median(np.abs(resting - np.round(resting))) < 0.1


def test_the_pedals_turn_on_one_circle_half_a_turn_apart() -> None:
    for seed in SEEDS:
        body, pose = moved("cycling", seed)
        balls = []
        for side in ("left", "right"):
            index = BODY_22.index(f"{side}_ankle")
            axes = pose.rotations.value[:, index] @ neutral_frame(f"{side}_ankle", body).T
            offset = np.array([0.0, body.offsets_m[f"{side}_foot"][1], -body.sole_m])
            balls.append((pose.positions_m.value[:, index] + axes @ offset)[:, 1:])
        left, right = balls
        centre = (left.max(axis=0) + left.min(axis=0)) / 2
        np.testing.assert_allclose(np.linalg.norm(left - centre, axis=1), crank_m(body), atol=0.02)
        np.testing.assert_allclose((left + right) / 2, np.broadcast_to(centre, left.shape), atol=0.02)
        # Forward at the top.
        top = left[:, 1] > centre[1] + 0.94 * crank_m(body)
        assert (np.gradient(left[:, 0], TIMES_S)[top] > 0.5).all()


def test_hands_work_where_the_board_is() -> None:
    for seed in SEEDS:
        body, _ = moved("ironing", seed)
        style = Style(seed)
        hand = place("ironing", seed, f"{style.handedness}_hand").value
        assert 0.5 < hand[:, 2].min() / body.stature_m < hand[:, 2].max() / body.stature_m < 0.68
        assert np.ptp(hand[:, 1]) > 0.18
        other = place("ironing", seed, f"{style.other_hand}_hand").value
        assert np.ptp(other[:, 1]) < 0.5 * np.ptp(hand[:, 1])


def test_vacuuming_pushes_and_pulls_with_the_dominant_hand_and_goes_on() -> None:
    for seed in SEEDS:
        style = Style(seed)
        pelvis = place("vacuum_cleaning", seed, "pelvis").value[:, 1]
        reach = place("vacuum_cleaning", seed, f"{style.handedness}_hand").value[:, 1] - pelvis
        assert np.ptp(reach) > 0.3
        assert pelvis[-1] - pelvis[0] > 0.05


@pytest.mark.parametrize("name", NAMES)
def test_every_body_from_1_2_to_2_1_m_can_do_it(name: str) -> None:
    t = time(np.linspace(0.0, 6.0, 25))
    bodies = [(seed, Body.random(seed)) for seed in (*range(0, 480, 32), 12, 92, 125, 272, 316, 434, 450, 499)]
    bodies += [(seed, Body.average(height)) for seed, height in enumerate((1.2, 1.45, 1.5, 2.0, 2.1))]
    for seed, body in bodies:
        for angle, value in angles(name, Style(seed, body=body), t).items():
            assert np.isfinite([value.value, value.rate, value.acceleration]).all(), (seed, body.stature_m, angle)


def heel_strikes(name: str, seed: int) -> np.ndarray:
    """When the right ankle is farthest ahead of the left one."""
    ahead = (place(name, seed, "right_ankle").value - place(name, seed, "left_ankle").value)[:, 1]
    return np.flatnonzero((ahead[1:-1] > ahead[:-2]) & (ahead[1:-1] > ahead[2:]) & (ahead[1:-1] > 0.3)) + 1


@pytest.mark.parametrize("name", ["walking", "running"])
def test_the_side_of_the_pelvis_that_leads_goes_with_its_leg(name: str) -> None:
    for seed in SEEDS:
        across = place(name, seed, "right_hip").value - place(name, seed, "left_hip").value
        strikes = heel_strikes(name, seed)
        assert len(strikes) > 4
        assert (across[strikes, 1] > 0.005).all()


@pytest.mark.parametrize("name", ["walking", "running"])
def test_the_hip_of_the_leg_that_swings_is_the_lower_one(name: str) -> None:
    for seed in SEEDS:
        hips = place(name, seed, "right_hip").value[:, 2] - place(name, seed, "left_hip").value[:, 2]
        ankles = place(name, seed, "right_ankle").value - place(name, seed, "left_ankle").value
        # One foot passes the other.
        passing = np.abs(ankles[:, 1]) < 0.05
        right_swings, left_swings = passing & (ankles[:, 2] > 0.03), passing & (ankles[:, 2] < -0.03)
        assert min(left_swings.sum(), right_swings.sum()) > 5
        assert hips[left_swings].min() > 0 > hips[right_swings].max()


def test_the_trunk_leans_away_from_the_hand_that_waves() -> None:
    left_handed = next(seed for seed in range(50) if Style(seed).handedness == "left")
    for seed in (*SEEDS, left_handed):
        outward = 1.0 if Style(seed).handedness == "right" else -1.0
        aside = (place("waving", seed, "neck").value - place("waving", seed, "pelvis").value)[:, 0]
        assert outward * aside.mean() < -0.005


def test_the_head_looks_ahead_of_the_turn() -> None:
    for seed in range(6):
        turned = angles("turning", Style(seed), time(TIMES_S))
        assert np.sign(turned["neck_turn"].value.mean()) == np.sign(turned["pelvis_turn"].rate.mean())


def test_the_numbers_of_the_docstrings_are_those_of_the_movement() -> None:
    def peak(name: str, *terms: str) -> float:
        peaks = [sum(angles(name, Style(seed), time(TIMES_S))[term].value for term in terms).max() for seed in range(8)]
        return float(np.degrees(np.median(peaks)))

    trunk = ("pelvis_lean", "spine_flexion")
    assert peak("sitting_down", *trunk) == pytest.approx(34, abs=3)
    assert peak("standing_up", *trunk) == pytest.approx(41, abs=3)
    assert peak("squatting", "left_hip_flexion") == pytest.approx(106, abs=4)
    assert peak("lying_down", "left_knee_flexion") == pytest.approx(135, abs=4)


def test_progress_goes_at_128_35ths_of_sine_to_the_eighth() -> None:
    phase = np.linspace(0.0, 4 * np.pi, 50)
    np.testing.assert_allclose(progress(time(phase)).rate, 128 / 35 * np.sin(phase / 2) ** 8, atol=1e-12)


def test_every_activity_tells_its_amplitudes() -> None:
    for activity in ACTIVITIES.values():
        text = inspect.getdoc(activity.function) or ""
        assert "Parameters" in text
        assert any(character.isdigit() for character in text)
