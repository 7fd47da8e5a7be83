from __future__ import annotations

import numpy as np
import pytest

from har_virtual.exceptions import DataFormatError, UnknownNameError
from har_virtual.pose.skeletons import BODY_22
from har_virtual.studio import ACTIVITIES, Body, Posture, perform
from har_virtual.studio.jets import Jet, sin


def test_a_stream_is_the_exact_readings_in_the_order_of_its_channels():
    actor = perform("ironing", duration_s=2.0, seed=5)
    stream = actor.imu(["right_wrist", "waist"], 50, quantities=["gyr", "acc", "mag"])
    acc, gyr, mag = actor.readings(np.arange(100) / 50, ["right_wrist", "waist"])
    assert stream.channels[:4] == ("right_wrist_gyr_x", "right_wrist_gyr_y", "right_wrist_gyr_z", "right_wrist_acc_x")
    assert np.allclose(
        stream.data, np.concatenate([gyr[:, 0], acc[:, 0], mag[:, 0], gyr[:, 1], acc[:, 1], mag[:, 1]], axis=1)
    )
    assert (stream.labels, stream.subject, stream.domain) == ("ironing", "studio/5", "virtual")


@pytest.mark.parametrize("options", [{"gravity": False}, {"magnetic_field_ut": (1.0, 2.0, 3.0)}])
def test_a_stream_has_the_options_of_the_readings(options):
    actor = perform("running", duration_s=1.0)
    stream = actor.imu(["head"], 50, quantities=["acc", "mag"], **options)
    acc, _, mag = actor.readings(np.arange(50) / 50, ["head"], **options)
    assert np.allclose(stream.data, np.hstack([acc[:, 0], mag[:, 0]]))
    assert {name: stream.attrs[name] for name in options} == {
        k: v if k == "gravity" else list(v) for k, v in options.items()
    }


def test_a_motion_is_the_pose_at_the_frames_of_a_film():
    actor = perform("waving", duration_s=0.29, seed=2, subject="anna", label="hello")
    motion = actor.motion(100)
    assert np.array_equal(motion.timestamps_s, np.arange(29) / 100)
    positions, rotations = actor.pose(motion.timestamps_s)
    assert np.array_equal(motion.positions_m, positions)
    assert np.array_equal(motion.rotations, rotations)
    assert (motion.subject, motion.label, motion.attrs["seed"]) == ("anna", "hello", 2)


def test_somebody_who_stands_still_reads_gravity_alone_and_nothing_without_it():
    actor = perform(lambda t, style: Posture({}), duration_s=1.0, body=Body.average())
    acc, gyr, mag = actor.readings([0.0, 0.5], ["waist", "left_thigh", "left_wrist"])
    assert np.allclose(acc[0], [[9.80665, 0, 0], [-9.80665, 0, 0], [-9.80665, 0, 0]])
    assert np.allclose(gyr, 0)
    assert np.allclose(mag[0], [[-45, 20, 0], [45, -20, 0], [45, 20, 0]])
    assert np.allclose(actor.readings([0.0], ["waist"], gravity=False)[0], 0)


def test_a_sensor_s_errors_come_from_the_seed():
    actor = perform("waving", duration_s=1.0)
    ideal, one, again, other = (
        actor.imu(["left_wrist"], 50, sensor=sensor, random_state=seed).data
        for sensor, seed in ((None, None), ("low", 1), ("low", 1), ("low", 2))
    )
    assert np.array_equal(one, again)
    assert 0 < np.abs(one - ideal).max() < 0.2
    assert not np.array_equal(one, other)


def test_one_seed_is_one_person_and_another_take_is_the_same_person_again():
    first, again, take, other = (perform("walking", seed=s, take=k) for s, k in ((1, 0), (1, 0), (1, 1), (2, 0)))
    assert first.body == again.body == take.body != other.body
    poses = [actor.pose([0.7])[0] for actor in (first, again, take, other)]
    assert np.array_equal(poses[0], poses[1])
    assert not np.allclose(poses[0], poses[2], atol=1e-3)
    assert first.style.tempo == take.style.tempo


def test_place_and_heading_move_the_person_and_leave_accelerometer_and_gyroscope_alone():
    here, there = perform("running", seed=3), perform("running", seed=3, position_m=(2, -1), heading_deg=90)
    times = [0.2, 0.9]
    (p, _), (q, _) = here.pose(times), there.pose(times)
    assert np.allclose(q - [2, -1, 0], np.stack([-p[..., 1], p[..., 0], p[..., 2]], axis=-1))
    for a, b in zip(here.readings(times, ["head"])[:2], there.readings(times, ["head"])[:2], strict=True):
        assert np.allclose(a, b)


def test_bones_keep_their_length_in_every_activity():
    for name in ACTIVITIES:
        actor = perform(name, duration_s=5.0, seed=4)
        positions, rotations = actor.pose(np.arange(0, 5, 0.1))
        for joint, parent in enumerate(BODY_22.parents):
            if parent >= 0:
                lengths = np.linalg.norm(positions[:, joint] - positions[:, parent], axis=1)
                assert np.ptp(lengths) < 1e-9, (name, BODY_22.joints[joint])
        assert np.allclose(np.swapaxes(rotations, -1, -2) @ rotations, np.eye(3)), name


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"activity": "flying"}, UnknownNameError, "no activity 'flying'; there are standing"),
        ({"activity": "walking", "duration_s": 0}, DataFormatError, "duration_s"),
        ({"activity": "walking", "position_m": (0, 0, 0)}, DataFormatError, "position_m"),
        ({"activity": "walking", "heading_deg": float("nan")}, DataFormatError, "heading_deg"),
    ],
)
def test_what_does_not_fit_is_one_clear_error(arguments, error, said):
    with pytest.raises(error, match=said):
        perform(**arguments)


def wave(t, style):
    return Posture({"left_elbow_flexion": sin(3 * t)})


def test_numpy_and_jets_make_the_same_movement():
    def with_numpy(t, style):
        return Posture({"left_elbow_flexion": np.sin(3 * t)})

    times = [0.1, 0.4]
    a, b = (perform(activity, body=Body.average()).readings(times, ["left_hand"]) for activity in (wave, with_numpy))
    assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))
    assert perform(wave).label == "wave"


@pytest.mark.parametrize(
    ("activity", "said"),
    [
        (lambda t, style: None, "must return a Posture, not NoneType"),
        (lambda t, style: {"neck_turn": t}, "must return a Posture, not dict"),
        (lambda t, style: Posture({"neck_turn": np.sin(t.value)}), "neck_turn must be a Jet"),
        (lambda t, style: Posture({"neck_turn": None}), "neck_turn must be a Jet"),
        (lambda t, style: Posture({"neck_turn": float("nan")}), "neck_turn must be a Jet"),
        (lambda t, style: Posture({"neck_turn": Jet(np.zeros(3))}), r"neck_turn has shape \(3,\) for 2 times"),
        (
            lambda t, style: Posture({"neck_turn": Jet(np.full(2, np.inf))}),
            "neck_turn, its rate or its acceleration is not finite",
        ),
    ],
)
def test_an_activity_that_gives_something_else_is_an_error_that_names_it(activity, said):
    with pytest.raises(DataFormatError, match=said):
        perform(activity).pose([0.1, 0.2])


@pytest.mark.filterwarnings("ignore:invalid value encountered")
def test_an_angle_that_ends_is_an_error_that_says_when():
    with pytest.raises(DataFormatError, match=r"neck_turn.* at 0.2 s"):
        perform(lambda t, style: Posture({"neck_turn": (0.15 - t) ** 0.5})).pose([0.1, 0.2])


@pytest.mark.parametrize(
    "arguments",
    [{"seed": -1}, {"seed": 1.5}, {"seed": "a"}, {"body": 3}, {"take": -1}],
)
def test_seeds_and_bodies_that_are_none_are_an_error(arguments):
    with pytest.raises(DataFormatError, match=f"{next(iter(arguments))} must|take"):
        perform("walking", **arguments)


def test_seeds_that_numpy_takes_for_the_same_are_two_people():
    assert Body.random(3) == Body.random(3) != Body.random([3, 0])


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda actor: actor.pose([np.nan]), "times_s must be finite"),
        (lambda actor: actor.pose("soon"), "times_s must be finite"),
        (lambda actor: actor.pose(0.5), "times_s must be finite"),
        (lambda actor: actor.readings([0.1], ["head"], magnetic_field_ut=(1, 2)), "magnetic_field_ut"),
        (lambda actor: actor.motion(1e9), "sampling_rate_hz must be at most 1000"),
    ],
)
def test_what_cannot_be_answered_is_one_clear_error(ask, said):
    with pytest.raises(DataFormatError, match=said):
        ask(perform("standing"))


def test_an_angle_that_there_is_not_is_an_error_that_lists_those_that_are():
    with pytest.raises(UnknownNameError, match="no angle knee; there are x_m"):
        Posture({"knee": 0.1})
    with pytest.raises(DataFormatError, match="support"):
        Posture({}, support="chair")
    with pytest.raises(DataFormatError, match="stature_m"):
        Body.average(17.0)
