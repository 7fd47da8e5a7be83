"""Furniture stands where the activities need it."""

from __future__ import annotations

import numpy as np
import pytest

from har_virtual.exceptions import DataFormatError
from har_virtual.pose.skeletons import BODY_22
from har_virtual.studio.activities import ACTIVITIES
from har_virtual.studio.body import Body
from har_virtual.studio.capsules import Capsules
from har_virtual.studio.performance import perform
from har_virtual.studio.posture import neutral_frame
from har_virtual.studio.props import FURNITURE, HELD, pillar, pole, saddle_m, seat_m, sofa, stair_run_m, table
from har_virtual.studio.style import Style

SEEDS = (0, 1, 2)


def ends(capsules: Capsules) -> np.ndarray:
    return np.concatenate([capsules.starts_m, capsules.ends_m])


def gap_m(capsules: Capsules, point: np.ndarray) -> float:
    """How far a point is from the nearest surface; below 0 inside."""
    return float(capsules.distance_m(point).min())


def last(actor, joint: str) -> np.ndarray:
    return actor.pose([actor.duration_s])[0][0, BODY_22.index(joint)]


@pytest.mark.parametrize("name", FURNITURE)
def test_furniture_is_scenery_of_few_capsules_on_the_floor(name):
    capsules = FURNITURE[name](Body.random(1), 6.0)
    assert len(capsules) <= (18 if name == "steps" else 8)
    assert (capsules.persons == 0).all()
    assert ends(capsules)[:, 2].min() - capsules.radii_m.max() < 0.05


@pytest.mark.parametrize("name", FURNITURE)
def test_furniture_fits_the_size_of_who_uses_it(name):
    short, tall = (ends(FURNITURE[name](Body.average(height), 6.0)) for height in (1.5, 1.9))
    if name == "steps":
        np.testing.assert_array_equal(short, tall)
    else:
        assert np.abs(short - tall).max() > 0.02


@pytest.mark.parametrize("seed", SEEDS)
def test_who_sits_down_lands_on_the_chair(seed):
    actor = perform("sitting_down", seed=seed)
    hips = actor.body.radii_m["hips"]
    # The flesh presses the seat by a few centimetres, and does not hang over it.
    assert -0.06 < gap_m(actor.furniture, last(actor, "pelvis")) - hips < 0.03
    # The legs before it are free.
    for joint in ("left_ankle", "right_ankle", "left_knee", "right_knee"):
        assert gap_m(actor.furniture, last(actor, joint)) > 0.03


@pytest.mark.parametrize("seed", SEEDS)
def test_who_stands_before_a_chair_does_not_touch_it(seed):
    actor = perform("sitting_down", seed=seed)
    start = actor.pose([0.0])[0][0]
    assert min(gap_m(actor.furniture, point) for point in start) > 0.05


@pytest.mark.parametrize("seed", SEEDS)
def test_the_ironing_board_is_below_the_hands_and_before_the_belly(seed):
    actor = perform("ironing", seed=seed)
    joints = actor.pose(np.linspace(0, 6, 61))[0]
    board = FURNITURE["ironing_board"](actor.body, 6.0)
    top = (np.maximum(board.starts_m, board.ends_m)[:, 2] + board.radii_m).max()
    hand = joints[:, BODY_22.index("right_hand" if actor.style.handedness == "right" else "left_hand")]
    assert 0.0 < np.median(hand[:, 2]) - top < 0.25
    assert min(gap_m(actor.furniture, point) for point in joints[:, BODY_22.index("pelvis")]) > 0.2


@pytest.mark.parametrize("seed", SEEDS)
def test_who_cycles_sits_on_the_saddle(seed):
    actor = perform("cycling", seed=seed)
    pelvis = last(actor, "pelvis")
    assert pelvis[2] == pytest.approx(saddle_m(actor.body), abs=0.03)
    assert gap_m(actor.furniture, pelvis) == pytest.approx(actor.body.radii_m["hips"], abs=0.05)


def test_steps_rise_forward():
    steps = FURNITURE["steps"](Body.average(), 6.0)
    treads = steps.starts_m[:-2]
    assert (np.diff(treads[:, 1]) > 0.2).all()
    slopes = np.diff(treads[:, 2]) / np.diff(treads[:, 1])
    np.testing.assert_allclose(slopes, slopes[0])
    assert 0.4 < slopes[0] < 0.8


def resting_soles(actor, times: np.ndarray, side: str) -> np.ndarray:
    """Where the middle of a foot is while it rests."""
    now = actor.joints(times)
    index = BODY_22.index(f"{side}_ankle")
    axes = now.rotations.value[:, index] @ neutral_frame(f"{side}_ankle", actor.body).T
    middle = np.array([0.0, 0.06, -actor.body.sole_m])
    still = np.linalg.norm(now.positions_m.rate[:, index], axis=1) < 0.02
    return (now.positions_m.value[:, index] + axes @ middle)[still]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_soles_of_a_climber_rest_on_the_treads(seed):
    actor = perform("stair_climbing", seed=seed, duration_s=20.0)
    treads = actor.furniture.starts_m[:-2] + np.array([0.0, 0.0, actor.furniture.radii_m[0]])
    run_m = stair_run_m(actor.body)
    for side in ("left", "right"):
        soles = resting_soles(actor, np.linspace(0.0, 20.0, 1001), side)
        assert len(soles) > 50
        nearest = np.abs(soles[:, None, 1] - treads[:, 1]).argmin(axis=1)
        # From the first moment to the last, on the tread, neither over it nor in it.
        assert np.abs(soles[:, 1] - treads[nearest, 1]).max() < 0.5 * run_m
        assert np.abs(np.median(soles[:, 2] - treads[nearest, 2])) < 0.03


def test_stairs_are_long_enough_for_the_fastest_climber():
    actors = [perform("stair_climbing", seed=seed, duration_s=20.0) for seed in range(60)]
    for actor in sorted(actors, key=lambda actor: actor.style.tempo)[-3:]:
        toes = actor.pose([0.0, 20.0])[0][:, [BODY_22.index("left_foot"), BODY_22.index("right_foot")], 1]
        treads = actor.furniture.starts_m[:-2, 1]
        assert treads.min() < toes.min()
        assert treads.max() + stair_run_m(actor.body) / 2 > toes.max()


def test_furniture_stands_at_the_actors_place_and_heading():
    actor = perform("sitting", seed=1, position_m=(2.0, -3.0), heading_deg=110.0)
    joints = actor.pose(np.linspace(0.0, 6.0, 13))[0]
    pelvis = joints[:, BODY_22.index("pelvis")]
    seats = actor.furniture.starts_m[4:7], actor.furniture.ends_m[4:7]
    middle = (seats[0] + seats[1]).mean(axis=0) / 2
    assert np.abs(pelvis[:, :2] - middle[:2]).max() < 0.15
    assert (pelvis[:, 2] > seat_m(actor.body)).all()
    for point in pelvis:
        assert -0.06 < gap_m(actor.furniture, point) - actor.body.radii_m["hips"] < 0.03
    # The knees are before the chair.
    knees = joints[:, [BODY_22.index("left_knee"), BODY_22.index("right_knee")]].mean(axis=(0, 1))
    forward = np.array([-np.sin(np.deg2rad(110.0)), np.cos(np.deg2rad(110.0))])
    assert (knees[:2] - middle[:2]) @ forward > 0.2


@pytest.mark.parametrize("activity", ["ironing", "vacuum_cleaning"])
def test_the_dominant_hand_holds_the_thing(activity):
    found = {Style(seed).handedness: seed for seed in range(40)}
    assert set(found) == {"left", "right"}
    for seed in found.values():
        actor = perform(activity, seed=seed)
        places, rotations = (values[0] for values in actor.pose([1.0]))
        thing = actor.carried(places, rotations)
        near, far = (
            gap_m(thing, places[BODY_22.index(f"{hand}_hand")])
            for hand in (actor.style.handedness, actor.style.other_hand)
        )
        assert near < 0.05
        assert far > near + 0.1


def test_who_lies_down_lies_on_the_mat():
    actor = perform("lying_down", seed=1, heading_deg=50.0)
    for joint in ("head", "pelvis", "left_knee"):
        assert gap_m(actor.furniture, last(actor, joint)) < 0.2


def test_every_activity_finds_its_furniture_and_what_its_hand_holds():
    for activity in ACTIVITIES.values():
        assert set(activity.furniture) <= set(FURNITURE)
        assert activity.held is None or activity.held in HELD


def test_a_wand_reaches_from_the_hand_to_the_floor_ahead():
    hand, frame = np.array([0.3, 1.0, 0.8]), np.stack([[0.0, 0.6, -0.8], [0.0, 0.8, 0.6], [1.0, 0.0, 0.0]], axis=1)
    wand = HELD["wand"](hand, frame)
    np.testing.assert_allclose(wand.starts_m[0], hand)
    np.testing.assert_allclose(wand.ends_m[0], [0.3, 1.7, 0.03])


def test_an_iron_is_level_below_the_hand():
    iron = HELD["iron"](np.array([0.0, 0.5, 1.0]), np.eye(3)[:, [1, 0, 2]])
    assert iron.starts_m[0, 2] == iron.ends_m[0, 2] < 1.0
    assert iron.ends_m[0, 1] > iron.starts_m[0, 1]


def test_a_pillar_stands_where_it_is_put():
    column = pillar((2.0, 3.0), radius_m=0.2, height_m=2.5)
    np.testing.assert_allclose(ends(column)[:, :2], [[2, 3], [2, 3]])
    assert (ends(column)[:, 2] + column.radii_m[0]).max() == pytest.approx(2.5)
    assert pole((0, 0)).radii_m[0] < 0.05


def test_a_prop_turns_counter_clockwise():
    straight, turned = (table((1.0, 0.0), heading_deg=heading) for heading in (0, 90))
    offset = straight.ends_m - [1.0, 0.0, 0.0]
    np.testing.assert_allclose(
        turned.ends_m, np.stack([1 - offset[:, 1], offset[:, 0], offset[:, 2]], axis=1), atol=1e-12
    )
    # The back of a sofa is behind who sits on it.
    assert ends(sofa((0.0, 0.0)))[:, 1].min() < -0.3


def test_a_table_has_its_size():
    board = table((0.0, 0.0), size_m=(1.2, 0.6, 0.7))
    reach = np.abs(ends(board)) + np.tile(board.radii_m, 2)[:, None]
    np.testing.assert_allclose(reach.max(axis=0)[:2], [0.6, 0.3], atol=1e-9)
    assert (ends(board)[:, 2] + np.tile(board.radii_m, 2)).max() == pytest.approx(0.7)


def test_a_prop_without_a_place_is_refused():
    for place, heading in (((0.0,), 0.0), ((0.0, np.nan), 0.0), ((0.0, 0.0), np.inf)):
        with pytest.raises(DataFormatError, match="position_m"):
            table(place, heading_deg=heading)
