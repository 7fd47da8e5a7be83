from __future__ import annotations

import numpy as np
import pytest

from har_virtual.exceptions import DataFormatError, UnknownNameError
from har_virtual.pose.skeletons import BODY_22
from har_virtual.studio import ACTIVITIES, Body, Posture, perform


def test_a_stream_is_the_exact_readings_in_the_order_of_its_channels():
    actor = perform("ironing", duration_s=2.0, seed=5)
    stream = actor.imu(["right_wrist", "waist"], 50, quantities=["gyr", "acc", "mag"])
    acc, gyr, mag = actor.readings(np.arange(101) / 50, ["right_wrist", "waist"])
    assert stream.channels[:4] == ("right_wrist_gyr_x", "right_wrist_gyr_y", "right_wrist_gyr_z", "right_wrist_acc_x")
    assert np.allclose(
        stream.data, np.concatenate([gyr[:, 0], acc[:, 0], mag[:, 0], gyr[:, 1], acc[:, 1], mag[:, 1]], axis=1)
    )
    assert (stream.labels, stream.subject, stream.domain) == ("ironing", "studio/5", "virtual")


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


def test_an_angle_that_there_is_not_is_an_error_that_lists_those_that_are():
    with pytest.raises(UnknownNameError, match="no angle knee; there are x_m"):
        Posture({"knee": 0.1})
    with pytest.raises(DataFormatError, match="support"):
        Posture({}, support="chair")
    with pytest.raises(DataFormatError, match="stature_m"):
        Body.average(17.0)
