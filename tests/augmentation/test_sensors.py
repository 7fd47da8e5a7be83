"""Drawn placements and devices against the standard deviations they are drawn with, and in simulation."""

from __future__ import annotations

import json

import numpy as np
import oracle
import pytest

from har_virtual import simulate_imu
from har_virtual.augmentation import draw_sensors
from har_virtual.exceptions import DataFormatError, UnknownNameError
from har_virtual.imu import SITES, Placement, SensorModel
from har_virtual.pose.skeletons import BODY_22
from har_virtual.skeleton import Motion

STRAPPED = {"watch": Placement(segment="left_forearm", fraction=0.9, offset_m=(0.0, 0.0, -0.03))}
SPREAD = {"shift_std_m": 0.02, "turn_std_deg": 10.0}


def standing() -> Motion:
    joints = oracle.person(*np.zeros((2, 50)))
    return Motion(np.stack([joints[joint] for joint in BODY_22.joints], axis=1), np.arange(50) / 50, BODY_22)


def worn(draws: list[dict], site: str = "watch") -> list[Placement]:
    return [draw["placements"][site] for draw in draws]


def plain(draws: list[dict]) -> list[str]:
    return [repr([draw["sensor"], draw["random_state"], *map(repr, draw["placements"].items())]) for draw in draws]


def test_without_spread_every_draw_is_the_placement_itself():
    (draw,) = draw_sensors(["left_wrist"], 1)
    assert draw["sensor"] is None
    varied, usual = (
        simulate_imu(standing(), sites, 50, cutoff_hz=None).data for sites in (draw["placements"], ["left_wrist"])
    )
    np.testing.assert_array_equal(varied, usual)


def test_shifts_have_the_standard_deviation_of_each_axis():
    shifted = worn(draw_sensors(STRAPPED, 4000, shift_std_m=(0.03, 0.0, 0.005), random_state=0))
    shifts = np.array([placement.offset_m for placement in shifted]) - (0.0, 0.0, -0.03)
    np.testing.assert_allclose(shifts.std(axis=0), (0.03, 0.0, 0.005), rtol=0.05)
    np.testing.assert_allclose(shifts.mean(axis=0), 0.0, atol=0.002)
    assert {placement.fraction for placement in shifted} == {0.9}


def test_turns_have_the_standard_deviation_of_each_axis():
    turned = worn(draw_sensors(STRAPPED, 4000, turn_std_deg=(6.0, 0.0, 2.0), random_state=0))
    rotations = np.stack([placement.rotation for placement in turned])
    # Of a small rotation the antisymmetric part is its vector.
    vectors = (
        np.stack(
            [
                rotations[:, 2, 1] - rotations[:, 1, 2],
                rotations[:, 0, 2] - rotations[:, 2, 0],
                rotations[:, 1, 0] - rotations[:, 0, 1],
            ],
            axis=1,
        )
        / 2
    )
    np.testing.assert_allclose(np.rad2deg(vectors.std(axis=0)), (6.0, 0.0, 2.0), rtol=0.05, atol=1e-12)


def test_a_strap_that_slips_takes_place_and_orientation_round_the_limb():
    for placement in worn(draw_sensors(STRAPPED, 20, turn_std_deg=(40.0, 0.0, 0.0), random_state=0)):
        np.testing.assert_allclose(placement.rotation[0], (1.0, 0.0, 0.0), atol=1e-12)
        np.testing.assert_allclose(np.linalg.det(placement.rotation), 1.0)
        np.testing.assert_allclose(placement.offset_m, placement.rotation @ (0.0, 0.0, -0.03), atol=1e-12)


def test_a_shift_is_along_the_segments_axes_however_the_sensor_is_turned():
    bare = {"watch": Placement(segment="left_forearm")}
    for placement in worn(draw_sensors(bare, 5, shift_std_m=(0.0, 0.0, 0.02), turn_std_deg=60.0, random_state=0)):
        np.testing.assert_array_equal(placement.offset_m[:2], 0.0)
        assert placement.offset_m[2] != 0.0


def test_a_turn_comes_on_top_of_the_rotation_that_the_sensor_has():
    upside_down = Placement(segment="left_forearm", rotation=np.diag([-1.0, -1.0, 1.0]))
    plainly = Placement(segment="left_forearm")
    given, bare = (
        draw_sensors({"watch": placement}, 1, **SPREAD, random_state=0) for placement in (upside_down, plainly)
    )
    np.testing.assert_allclose(worn(given)[0].rotation, worn(bare)[0].rotation @ upside_down.rotation)


def test_a_strap_that_slipped_round_a_hanging_arm_leaves_gravity_on_the_axis_along_it():
    for draw in draw_sensors(["left_wrist"], 3, turn_std_deg=(60.0, 0.0, 0.0), random_state=0):
        acc = simulate_imu(standing(), sampling_rate_hz=50, quantities="acc", **draw).data
        np.testing.assert_allclose(acc, np.tile([-oracle.GRAVITY, 0.0, 0.0], (len(acc), 1)), atol=1e-4)


def test_a_tilted_sensor_reads_gravity_turned():
    (draw,) = draw_sensors(["left_wrist"], 1, turn_std_deg=30.0, random_state=3)
    acc = simulate_imu(standing(), sampling_rate_hz=50, quantities="acc", **draw).data
    expected = draw["placements"]["left_wrist"].rotation.T @ (-oracle.GRAVITY, 0.0, 0.0)
    np.testing.assert_allclose(acc, np.tile(expected, (len(acc), 1)), atol=1e-4)
    assert abs(expected[0]) < 0.99 * oracle.GRAVITY


def test_every_site_is_worn_in_its_own_way():
    (draw,) = draw_sensors({"a": STRAPPED["watch"], "b": STRAPPED["watch"]}, 1, **SPREAD, random_state=0)
    assert not np.allclose(draw["placements"]["a"].offset_m, draw["placements"]["b"].offset_m)


def test_every_draw_is_a_device_of_its_own_whose_errors_come_back_by_its_seed():
    draws = draw_sensors(["left_wrist"], 2, sensor=SensorModel(acc_bias_std=1.0), random_state=0)
    first, again, second = (
        simulate_imu(standing(), sampling_rate_hz=50, **draw) for draw in (draws[0], draws[0], draws[1])
    )
    np.testing.assert_array_equal(first.data, again.data)
    assert np.abs(first.data - second.data)[:, :3].max() > 0.1
    assert json.loads(json.dumps(first.attrs))["random_state"] == draws[0]["random_state"]


def test_devices_of_a_sequence_are_drawn_about_equally():
    mine = SensorModel(gyr_bias_std=0.1)
    sensors = [draw["sensor"] for draw in draw_sensors(["head"], 900, sensor=("low", mine, None), random_state=0)]
    counts = [sum(each is mine for each in sensors), sum(each is None for each in sensors)]
    np.testing.assert_allclose([*counts, 900 - sum(counts)], 300, atol=60)
    low = next(each for each in sensors if each is not None and each is not mine)
    assert low.get_params() == SensorModel.preset("low").get_params()


def test_a_seed_fixes_the_draws_and_more_of_them_or_more_sites_leave_the_first_as_they_are():
    options = {**SPREAD, "sensor": ("low", "mid"), "random_state": 0}
    first, again = (draw_sensors(["left_wrist"], 3, **options) for _ in range(2))
    other = draw_sensors(["left_wrist"], 3, **{**options, "random_state": 1})
    more = draw_sensors(["left_wrist", "head"], 5, **options)
    assert plain(first) == plain(again) != plain(other)
    for draw, longer in zip(first, more, strict=False):
        assert repr(draw["placements"]["left_wrist"]) == repr(longer["placements"]["left_wrist"])
        assert draw["random_state"] == longer["random_state"]


def test_devices_can_be_compared_in_the_same_places():
    options = {**SPREAD, "random_state": 0}
    of_none, of_one, of_many = (
        draw_sensors(STRAPPED, 30, sensor=sensor, **options) for sensor in (None, "low", ("low", "mid", "high"))
    )
    for draws in (of_one, of_many):
        assert repr(worn(draws)) == repr(worn(of_none))
        assert [draw["random_state"] for draw in draws] == [draw["random_state"] for draw in of_none]


def test_a_seed_shared_with_augment_motions_gives_other_random_numbers():
    # augment_motions draws from these streams.
    streams = np.random.default_rng(0).spawn(20)
    seeds = [draw["random_state"] for draw in draw_sensors(["head"], 20, random_state=0)]
    assert not set(seeds) & {int(stream.integers(2**32)) for stream in streams}


def test_sites_and_given_placements_stay_as_they_are():
    before = repr(SITES), repr(STRAPPED)
    draw_sensors(SITES, 2, **SPREAD)
    draw_sensors(STRAPPED, 2, **SPREAD)
    assert (repr(SITES), repr(STRAPPED)) == before


def test_numpys_global_generator_is_neither_used_nor_moved():
    state = np.random.get_state()[1].copy()
    draw_sensors(STRAPPED, 2, **SPREAD)
    np.testing.assert_array_equal(np.random.get_state()[1], state)


def test_no_draws_are_an_empty_list():
    assert draw_sensors(["head"], 0) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_draws": -1}, "n_draws"),
        ({"n_draws": 2.0}, "n_draws"),
        ({"shift_std_m": -0.1}, "shift_std_m"),
        ({"shift_std_m": (0.1, 0.1)}, "shift_std_m"),
        ({"shift_std_m": "far"}, "shift_std_m"),
        ({"turn_std_deg": np.nan}, "turn_std_deg"),
        ({"turn_std_deg": [[1.0, 2.0, 3.0]]}, "turn_std_deg"),
        ({"sensor": 3}, "sensor"),
        ({"sensor": ()}, "sensor"),
        ({"sensor": ["low", 3]}, "sensor"),
        ({"sites": []}, "sites"),
    ],
)
def test_a_parameter_that_does_not_fit_is_named(options, message):
    given = {"sites": ["head"], "n_draws": 1, **options}
    with pytest.raises(DataFormatError, match=message):
        draw_sensors(given.pop("sites"), given.pop("n_draws"), **given)


def test_an_unknown_site_or_preset_is_named():
    with pytest.raises(UnknownNameError, match="left_pocket"):
        draw_sensors(["left_pocket"], 1)
    with pytest.raises(UnknownNameError, match="cheap"):
        draw_sensors(["head"], 1, sensor=("low", "cheap"))
