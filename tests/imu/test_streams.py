from __future__ import annotations

import json
import warnings

import numpy as np
import oracle
import pytest

from har_virtual.exceptions import DataFormatError, SamplingRateWarning, UnknownNameError
from har_virtual.imu import SEGMENTS, SITES, Placement, SensorModel, simulate_imu
from har_virtual.imu.streams import channel_names, effective_cutoff, warn_above_frame_rate
from har_virtual.motion import orient_segments
from har_virtual.pose.skeletons import BLAZEPOSE_33, BODY_22, COCO_17, H36M_17, KINECT_20
from har_virtual.recording import Recording
from har_virtual.skeleton import Motion, Skeleton

G = oracle.GRAVITY
TRUNK, ARM, LEG, FOOT = oracle.TRUNK_FRAME, oracle.ARM_FRAME, oracle.LEG_FRAME, oracle.FOOT_FRAME
FRAMES = {
    **dict.fromkeys(("head", "chest", "back", "waist", "left_hip", "right_hip"), TRUNK),
    **{f"{s}_{site}": ARM for s in ("left", "right") for site in ("upper_arm", "forearm", "wrist", "hand")},
    **{f"{s}_{site}": LEG for s in ("left", "right") for site in ("thigh", "knee", "shin", "ankle")},
    **dict.fromkeys(("left_foot", "right_foot"), FOOT),
}


def times_of(duration_s: float, rate_hz: float) -> np.ndarray:
    return np.arange(round(duration_s * rate_hz) + 1) / rate_hz


def motion_of(joints: dict[str, np.ndarray], times_s: np.ndarray, skeleton: Skeleton = BODY_22, **fields) -> Motion:
    return Motion(np.stack([joints[joint] for joint in skeleton.joints], axis=1), times_s, skeleton, **fields)


def standing(times_s: np.ndarray, flexion_rad: float = 0.0) -> dict[str, np.ndarray]:
    return oracle.person(np.full(len(times_s), flexion_rad), np.full(len(times_s), flexion_rad))


def moved(joints: dict[str, np.ndarray], path: np.ndarray) -> dict[str, np.ndarray]:
    return {name: joint + path for name, joint in joints.items()}


def still(duration_s: float = 1.0, rate_hz: float = 50.0, **fields) -> Motion:
    times = times_of(duration_s, rate_hz)
    return motion_of(standing(times), times, **fields)


def fidgeting(times_s: np.ndarray | None = None, flexion_rad: float = 0.35) -> Motion:
    times = times_of(3, 60) if times_s is None else times_s
    return motion_of(oracle.fidgeting_person(times, flexion_rad), times)


def read(stream: Recording, site: str, quantity: str = "acc") -> np.ndarray:
    return stream.select([f"{site}_{quantity}_{axis}" for axis in "xyz"]).data


def place_of(site: str, joints: dict[str, np.ndarray], frames: dict[str, np.ndarray]) -> np.ndarray:
    """Position and axes of a site in the first frame."""
    placement = SITES[site]
    start, end = SEGMENTS[placement.segment]
    origin, frame = joints[start][0], frames[start][0]
    return origin + placement.fraction * (joints[end][0] - origin) + frame @ placement.offset_m, frame


def test_a_still_person_reads_gravity_upward_at_every_site():
    motion = still()
    stream = simulate_imu(motion, SITES, 50)
    for site, frame in FRAMES.items():
        np.testing.assert_allclose(read(stream, site), np.tile(G * frame[2], (51, 1)), atol=1e-5, err_msg=site)
        np.testing.assert_allclose(read(stream, site, "gyr"), 0, atol=1e-6)
    assert read(stream, "left_wrist")[0, 0] < -9.8 and read(stream, "chest")[0, 0] > 9.8
    assert read(stream, "right_foot")[0, 1] < -9.8


def test_gravity_can_be_left_out():
    stream = simulate_imu(still(), SITES, 50, gravity=False)
    np.testing.assert_allclose(stream.data, 0, atol=1e-5)
    assert stream.attrs["gravity"] is False


def test_a_push_reads_along_the_axes_of_each_segment():
    times = times_of(1, 50)
    push = np.array([1.0, 2.0, 3.0])
    motion = motion_of(moved(standing(times), times[:, None] ** 2 / 2 * push), times)
    stream = simulate_imu(motion, SITES, 50, cutoff_hz=None)
    for site, frame in FRAMES.items():
        expected = frame.T @ (push + G * oracle.UP)
        np.testing.assert_allclose(read(stream, site), np.tile(expected, (51, 1)), atol=1e-4, err_msg=site)


def test_free_fall_reads_zero_at_every_site():
    times = times_of(1, 50)
    joints = oracle.fidgeting_person(np.zeros(51))
    fall = moved(joints, (2 * times - G * times**2 / 2)[:, None] * oracle.UP)
    stream = simulate_imu(motion_of(fall, times), SITES, 50, cutoff_hz=None)
    np.testing.assert_allclose(stream.data, 0, atol=1e-4)


@pytest.mark.parametrize("flexion_rad", [0.0, 0.5])
def test_on_a_turntable_every_site_is_pulled_to_the_axis_by_its_own_radius(flexion_rad):
    times, rate, arm = times_of(4, 50), 2.0, np.array([0.5, -0.3, 0.0])
    joints = moved(standing(times, flexion_rad), arm)
    turns = oracle.rotation_about("z", rate * times)
    riding = {name: np.einsum("tij,tj->ti", turns, joint) for name, joint in joints.items()}
    stream = simulate_imu(motion_of(riding, times), SITES, 50, cutoff_hz=None)
    frames = oracle.person_frames(np.full(1, flexion_rad), np.full(1, flexion_rad))
    for site in SITES:
        place, frame = place_of(site, joints, frames)
        force = -(rate**2) * place * [1, 1, 0] + [0, 0, G]
        expected = np.tile(frame.T @ force, (101, 1))
        np.testing.assert_allclose(read(stream, site)[50:151], expected, atol=2e-3, err_msg=site)
        turning = np.tile(frame.T @ [0, 0, rate], (101, 1))
        np.testing.assert_allclose(read(stream, site, "gyr")[50:151], turning, atol=1e-4, err_msg=site)


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_bending_elbow_reads_a_positive_turn_and_the_pull_to_the_elbow(side):
    times, rate = times_of(1, 100), 1.5
    flexion = 0.4 + rate * times
    motion = motion_of(oracle.person(flexion, np.full(101, 0.5)), times)
    stream = simulate_imu(motion, [f"{side}_upper_arm", f"{side}_wrist"], 100, cutoff_hz=None)
    within = slice(10, -10)
    between = read(stream, f"{side}_wrist", "gyr") - read(stream, f"{side}_upper_arm", "gyr")
    np.testing.assert_allclose(between[within], np.tile([0, 0, rate], (81, 1)), atol=1e-4)
    # x points down the forearm, y to where the hand goes; up lies at (-cos, sin) of the flexion in them.
    lever = SITES["left_wrist"].fraction * 0.26
    expected = np.stack([-G * np.cos(flexion) - rate**2 * lever, G * np.sin(flexion), 0 * times], axis=1)
    np.testing.assert_allclose(read(stream, f"{side}_wrist")[within], expected[within], atol=1e-3)


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_bending_knee_reads_a_positive_turn(side):
    times, rate = times_of(1, 100), 1.5
    motion = motion_of(oracle.person(np.full(101, 0.5), 0.4 + rate * times), times)
    stream = simulate_imu(motion, [f"{side}_thigh", f"{side}_shin", f"{side}_foot"], 100, cutoff_hz=None)
    np.testing.assert_allclose(read(stream, f"{side}_thigh", "gyr"), 0, atol=1e-4)
    for site in ("shin", "foot"):
        turning = read(stream, f"{side}_{site}", "gyr")[10:-10]
        np.testing.assert_allclose(turning, np.tile([0, 0, rate], (81, 1)), atol=1e-4)


def test_a_mirrored_motion_reads_mirrored_at_every_site():
    """A mirror reverses the z axis of every segment: acc flips along z, gyr about x and y, at arms, legs and trunk."""
    motion = fidgeting()
    mirror = list(BODY_22.mirror)
    reflected = motion.replace(positions_m=motion.positions_m[:, mirror] * [-1, 1, 1])
    one, other = (simulate_imu(m, SITES, 60) for m in (motion, reflected))
    swap = {"left": "right_", "right": "left_"}
    for site in SITES:
        side, _, name = site.partition("_")
        twin = swap[side] + name if side in swap else site
        np.testing.assert_allclose(read(other, twin), read(one, site) * [1, 1, -1], atol=1e-4, err_msg=site)
        turned = read(one, site, "gyr") * [-1, -1, 1]
        np.testing.assert_allclose(read(other, twin, "gyr"), turned, atol=1e-4, err_msg=site)
        assert np.abs(read(one, site)[:, 2]).max() > 0.3 and np.abs(read(one, site, "gyr")).max() > 0.3


def test_the_field_is_read_along_the_axes_of_each_segment():
    stream = simulate_imu(still(), SITES, 50, quantities="mag", magnetic_field_ut=(1.0, 2.0, 3.0))
    for site, frame in FRAMES.items():
        np.testing.assert_allclose(read(stream, site, "mag")[7], frame.T @ [1, 2, 3], atol=1e-5)


def test_a_field_may_depend_on_where_the_sensor_is():
    def field(points, at):
        return points * 100

    joints = standing(np.zeros(1))
    stream = simulate_imu(still(), ["left_shin"], 50, quantities=["mag"], magnetic_field_ut=field)
    place, frame = place_of("left_shin", joints, oracle.person_frames(np.zeros(1), np.zeros(1)))
    np.testing.assert_allclose(read(stream, "left_shin", "mag")[0], frame.T @ place * 100, atol=1e-4)


def test_a_watch_worn_upside_down_reads_the_negative_on_two_axes():
    wrist = SITES["left_wrist"].get_params()
    watch = Placement(**wrist | {"rotation": np.diag([-1.0, -1.0, 1.0])})
    stream = simulate_imu(fidgeting(), {"left_wrist": None, "watch": watch}, 60)
    for quantity in ("acc", "gyr"):
        expected = read(stream, "left_wrist", quantity) * [-1, -1, 1]
        np.testing.assert_allclose(read(stream, "watch", quantity), expected, atol=1e-5)


def test_a_rotation_takes_vectors_of_the_sensor_to_the_segment():
    """A sensor whose x axis is the segment's y reads on x what the segment has on y."""
    quarter = oracle.rotation_about("z", np.pi / 2)
    stream = simulate_imu(
        fidgeting(), {"plain": Placement(segment="torso"), "turned": Placement(segment="torso", rotation=quarter)}, 60
    )
    plain, turned = read(stream, "plain"), read(stream, "turned")
    np.testing.assert_allclose(turned, np.stack([plain[:, 1], -plain[:, 0], plain[:, 2]], axis=1), atol=1e-5)


def test_fraction_and_offset_lengthen_the_lever():
    """On a turntable through the trunk the pull grows with the distance from it: here 0.3 m to the left."""
    times = times_of(2, 50)
    turns = oracle.rotation_about("z", 3.0 * times)
    riding = {name: np.einsum("tij,tj->ti", turns, joint) for name, joint in standing(times).items()}
    placements = {
        "rod": Placement(segment="torso", fraction=0.25, offset_m=(0.0, 0.0, 0.3)),
        "foot": Placement(segment="left_foot", fraction=2.0),
    }
    stream = simulate_imu(motion_of(riding, times), placements, 50, cutoff_hz=None)
    np.testing.assert_allclose(read(stream, "rod")[25:75], np.tile([G, 0, -9 * 0.3], (50, 1)), atol=2e-3)
    # Twice the length of the foot, .15 m, in front of the ankle, .1 m beside the axis.
    np.testing.assert_allclose(read(stream, "foot")[25:75], np.tile([-9 * 0.3, -G, -9 * 0.1], (50, 1)), atol=2e-3)


def test_exact_rotations_of_a_motion_are_used():
    times = times_of(1, 50)
    rolling = oracle.rotation_about("x", 2.0 * times)
    motion = orient_segments(motion_of(standing(times, 0.5), times))
    rotations = motion.rotations.copy()
    rotations[:, BODY_22.index("left_elbow")] @= rolling
    stream = simulate_imu(motion.replace(rotations=rotations), ["left_wrist"], 50, cutoff_hz=None)
    np.testing.assert_allclose(read(stream, "left_wrist", "gyr"), np.tile([2.0, 0, 0], (51, 1)), atol=1e-3)


def test_the_same_motion_reads_the_same_at_every_frame_rate():
    streams = [simulate_imu(fidgeting(times_of(3, rate), 0.9), SITES, 25, cutoff_hz=9) for rate in (30, 50, 100)]
    assert {len(stream) for stream in streams} == {76}
    for stream in streams[:2]:
        np.testing.assert_allclose(stream.data[12:-12], streams[2].data[12:-12], atol=0.005)


def test_uneven_stamps_are_followed():
    rng, even = np.random.default_rng(1), times_of(3, 100)
    uneven = even + np.concatenate([[0], rng.uniform(-0.003, 0.003, len(even) - 2), [0]])
    one, other = (simulate_imu(fidgeting(times, 0.9), SITES, 50) for times in (even, uneven))
    np.testing.assert_allclose(one.data[25:-25], other.data[25:-25], atol=0.02)
    ignored = simulate_imu(fidgeting(uneven, 0.9).replace(timestamps_s=even), SITES, 50)
    assert np.abs(one.data - ignored.data)[25:-25].max() > 0.5


def circling(times_s: np.ndarray) -> Motion:
    """A standing person on a circle of 0.5 m at 0.5 Hz, who turns with it."""
    turns = oracle.rotation_about("z", np.pi * times_s)
    joints = moved(standing(times_s, 0.5), np.array([0.5, 0.0, 0.0]))
    return motion_of({name: np.einsum("tij,tj->ti", turns, joint) for name, joint in joints.items()}, times_s)


@pytest.mark.parametrize("cutoff_hz", [None, 15.0])
def test_a_long_hole_stays_a_hole_and_both_parts_read_as_alone(cutoff_hz):
    first, second = times_of(4, 50), 14 + times_of(4, 50)
    motion = circling(np.concatenate([first, second]))
    stream = simulate_imu(motion, SITES, 50, cutoff_hz=cutoff_hz)
    alone = [simulate_imu(circling(times), SITES, 50, cutoff_hz=cutoff_hz) for times in (first, second)]
    assert len(stream) == 901
    np.testing.assert_allclose(stream.data[:201], alone[0].data, atol=2e-5)
    np.testing.assert_allclose(stream.data[700:], alone[1].data, atol=2e-5)
    assert np.isnan(stream.data[201:700]).all()
    assert stream.attrs["cutoff_hz"] == cutoff_hz
    assert stream.attrs["source_rate_hz"] == pytest.approx(50)
    chest = place_of("chest", moved(standing(np.zeros(1)), np.array([0.5, 0, 0])), {"spine": TRUNK[None]})[0]
    if cutoff_hz is None:
        pull = np.pi**2 * np.hypot(*chest[:2])
        for part in (slice(30, 170), slice(730, 870)):
            np.testing.assert_allclose(
                np.linalg.norm(read(stream, "chest")[part], axis=1), np.hypot(G, pull), atol=1e-3
            )


def test_a_hole_does_not_warn_of_the_rate_and_sensor_errors_leave_it_empty():
    times = np.concatenate([times_of(2, 50), 12 + times_of(2, 50)])
    stream = simulate_imu(circling(times), ["waist"], 50, sensor="low", random_state=0)
    hole = (stream.times_s > 2 + 1e-6) & (stream.times_s < 12 - 1e-6)
    np.testing.assert_array_equal(np.isnan(stream.data), np.repeat(hole[:, None], 6, axis=1))


@pytest.mark.parametrize(("n_dropped", "bridged"), [(24, True), (25, True), (26, False)])
def test_a_hole_of_the_motion_is_bridged_up_to_the_stated_length_and_no_further(n_dropped, bridged):
    times = np.delete(times_of(4, 50), np.arange(100, 100 + n_dropped))
    stream = simulate_imu(motion_of(standing(times), times), ["waist"], 50)
    empty = [] if bridged else np.arange(100, 100 + n_dropped)
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(stream.data).any(axis=1)), empty)
    whole = simulate_imu(motion_of(standing(times), times), ["waist"], 50, max_gap_s=60)
    assert np.isfinite(whole.data).all()


def test_a_slow_motion_with_uneven_stamps_has_no_hole():
    times = np.cumsum(np.random.default_rng(0).uniform(0.7, 1.4, 20))
    stream = simulate_imu(motion_of(standing(times), times), ["waist"], 0.9)
    assert np.isfinite(stream.data).all()


def test_many_dropped_frames_lower_neither_the_rate_nor_the_cutoff():
    times = times_of(6, 60)
    kept = np.delete(times, np.arange(4, len(times) - 4, 4))
    stream, whole = (simulate_imu(circling(at), SITES, 60, cutoff_hz=24) for at in (kept, times))
    assert stream.attrs["source_rate_hz"] == pytest.approx(60)
    assert stream.attrs["cutoff_hz"] == pytest.approx(24)
    np.testing.assert_allclose(stream.data[30:-30], whole.data[30:-30], atol=1e-3)


def test_parts_too_short_to_differentiate_are_holes_and_nothing_else_is_refused():
    times = np.concatenate([times_of(2, 50), [5.0, 5.02], 8 + times_of(2, 50)])
    stream = simulate_imu(motion_of(standing(times), times), ["waist"], 50)
    assert np.isnan(stream.data[101:400]).all() and np.isfinite(stream.data[400:]).all()
    scattered = (np.arange(4)[:, None] * 10 + np.arange(5) / 50).ravel()
    with pytest.raises(
        DataFormatError, match=r"20 frames, cut by holes longer than max_gap_s=0\.5 into 4, is too short"
    ):
        simulate_imu(motion_of(standing(scattered), scattered), ["waist"], 50)
    with pytest.raises(DataFormatError, match="max_gap_s"):
        simulate_imu(still(), ["waist"], 50, max_gap_s=0)


def test_a_part_between_two_samples_gives_none():
    times = np.concatenate([times_of(2, 50), 2.6 + times_of(0.2, 50), 4 + times_of(2, 50)])
    stream = simulate_imu(motion_of(standing(times), times), ["waist"], 1, cutoff_hz=None)
    np.testing.assert_array_equal(np.isnan(stream.data[:, 0]), [False, False, False, True, False, False, False])


def test_a_part_slower_than_the_rest_is_filtered_below_its_own_rate():
    times = np.concatenate([times_of(4, 100), 10 + times_of(4, 20)])
    stream = simulate_imu(circling(times), ["chest"], 100, cutoff_hz=15)
    assert np.isfinite(stream.data[1000:]).all()
    assert stream.attrs["cutoff_hz"] == 15


@pytest.mark.parametrize(
    ("cutoff_hz", "sampling_rate_hz", "frame_rate_hz", "expected"),
    [
        (15.0, 100, 100, 15.0),
        (15.0, 30, 30, 12.0),
        (15.0, 100, 30, 12.0),
        (15.0, 20, 100, 8.0),
        (5.0, 20, 100, 5.0),
        (60.0, 100, 100, 40.0),
        (None, 100, 100, None),
        (None, 100, 30, None),
        (None, 50, 100, 20.0),
        (None, 30, 29.97, None),
        (None, 29.97, 30, None),
        (None, 30, 30 * (1 + 1e-15), None),
        (None, 29.9, 30, 11.96),
    ],
)
def test_the_cutoff_is_lowered_to_what_both_rates_can_hold(cutoff_hz, sampling_rate_hz, frame_rate_hz, expected):
    assert effective_cutoff(cutoff_hz, sampling_rate_hz, frame_rate_hz) == pytest.approx(expected)


@pytest.mark.parametrize("n_frames", [12, 22, 37, 66])
def test_exact_motion_at_its_own_rate_is_not_filtered_whatever_its_length(n_frames):
    times = np.arange(n_frames) / 30
    assert simulate_imu(motion_of(standing(times), times), ["waist"], 30, cutoff_hz=None).attrs["cutoff_hz"] is None


@pytest.mark.parametrize("cutoff_hz", [None, 15.0, 45.0])
def test_a_shake_above_half_the_rate_does_not_alias(cutoff_hz):
    """20 Hz would show as 10 Hz in a stream of 30."""
    times = times_of(4, 100)
    shake = 1e-3 * np.sin(2 * np.pi * 20 * times)[:, None] * oracle.UP
    motion = motion_of(moved(standing(times), shake), times)
    amplitude = 1e-3 * (2 * np.pi * 20) ** 2
    fast = simulate_imu(motion, ["chest"], 100, cutoff_hz=None)
    assert np.std(read(fast, "chest")[50:-50, 0]) * np.sqrt(2) == pytest.approx(amplitude, rel=0.01)
    slow = simulate_imu(motion, ["chest"], 30, cutoff_hz=cutoff_hz)
    assert np.std(read(slow, "chest")[15:-15, 0]) * np.sqrt(2) < 0.05 * amplitude


def test_motion_below_the_cutoff_passes_and_above_it_does_not():
    times = times_of(6, 100)
    for frequency, gain in ((2.0, 1.0), (8.0, np.sqrt(0.5)), (20.0, 0.0)):
        shake = np.sin(2 * np.pi * frequency * times)[:, None] / (2 * np.pi * frequency) ** 2 * oracle.UP
        stream = simulate_imu(motion_of(moved(standing(times), shake), times), ["chest"], 100, cutoff_hz=8.0)
        assert np.std(read(stream, "chest")[100:-100, 0]) * np.sqrt(2) == pytest.approx(gain, abs=0.02)


def test_a_rate_above_the_frame_rate_warns_and_gives_the_samples():
    with pytest.warns(SamplingRateWarning, match=r"sampling_rate_hz=100 exceeds the frame rate of 50\.00 Hz.*25\.00"):
        stream = simulate_imu(still(), ["waist"], 100)
    assert len(stream) == 101


def test_rates_within_two_per_mille_do_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for rate, frame_rate in ((30, 30 / 1.001), (30, 29.97), (30, 30), (29.97, 30), (60, 60 / 1.001), (10, 30)):
            warn_above_frame_rate(rate, frame_rate)
    with pytest.warns(SamplingRateWarning):
        warn_above_frame_rate(30, 29.9)


@pytest.mark.parametrize("rate", [0, -50, np.nan, np.inf, 1000.5, "fast"])
def test_a_rate_that_is_none_is_refused(rate):
    with pytest.raises(DataFormatError, match="sampling_rate_hz must be"):
        simulate_imu(still(), ["waist"], rate)


def test_a_thousand_hertz_are_allowed():
    times = times_of(0.2, 1000)
    assert len(simulate_imu(motion_of(standing(times), times), ["waist"], 1000)) == 201


@pytest.mark.parametrize("start_s", [0.0, 12.34, 1.7e9])
@pytest.mark.parametrize(
    ("n_frames", "frame_rate_hz", "rate_hz", "n_samples"),
    [
        (31, 30, 30, 31),
        (33, 30, 30, 33),
        (31, 30, 29, 30),
        (31, 30, 7, 8),
        (101, 100, 30, 31),
        (100, 100, 30, 30),
        (300, 29.97, 29.97, 300),
    ],
)
def test_a_stream_runs_from_the_first_stamp_to_the_last(n_frames, frame_rate_hz, rate_hz, n_samples, start_s):
    times = start_s + np.arange(n_frames) / frame_rate_hz
    stream = simulate_imu(motion_of(standing(times), times), ["waist"], rate_hz)
    assert len(stream) == n_samples
    assert (stream.start_s, stream.sampling_rate_hz) == (start_s, rate_hz)
    assert np.isfinite(stream.data).all()


def test_samples_stand_at_their_times():
    """The height grows with the cube of time: the acceleration tells the time."""
    times = 5 + times_of(2, 50)
    rising = (times[:, None] - 5) ** 3 / 6 * oracle.UP
    stream = simulate_imu(
        motion_of(moved(standing(times), rising), times), ["chest"], 40, cutoff_hz=None, gravity=False
    )
    np.testing.assert_allclose(read(stream, "chest")[20:-20, 0], (stream.times_s - 5)[20:-20], atol=1e-3)


def test_channels_go_by_site_then_quantity_then_axis():
    stream = simulate_imu(still(), ["waist", "left_wrist"], 50, quantities=["mag", "acc"])
    assert stream.channels == tuple(
        f"{site}_{quantity}_{axis}" for site in ("waist", "left_wrist") for quantity in ("mag", "acc") for axis in "xyz"
    )
    assert stream.channels == channel_names(["waist", "left_wrist"], ["mag", "acc"])
    assert stream.data.dtype == np.float32
    assert stream.domain == "virtual"
    alone = simulate_imu(still(), ["left_wrist"], 50, quantities=["acc"])
    np.testing.assert_array_equal(read(stream, "left_wrist"), alone.data)
    assert simulate_imu(still(), ["waist"], 50).channels == channel_names(["waist"], ["acc", "gyr"])


@pytest.mark.parametrize("quantities", [(), ("acc", "acc"), ("baro",), "accgyr"])
def test_unknown_or_repeated_quantities_are_refused(quantities):
    with pytest.raises(DataFormatError, match="quantities must be some of"):
        simulate_imu(still(), ["waist"], 50, quantities=quantities)


def test_the_stream_says_where_it_comes_from():
    motion = still(subject="7", label="stand", attrs={"source": "here"})
    stream = simulate_imu(motion, ["waist"], 25)
    assert (stream.subject, stream.labels) == ("7", "stand")
    assert stream.attrs["source"] == "here"
    assert stream.attrs["cutoff_hz"] == 10.0
    assert stream.attrs["source_rate_hz"] == pytest.approx(50)
    assert stream.attrs["gravity"] is True
    assert json.loads(json.dumps(stream.attrs)) == stream.attrs
    assert stream.attrs["twist_confidence"] == dict.fromkeys(("left_arm", "left_leg", "right_arm", "right_leg"), 0.0)


@pytest.mark.parametrize("skeleton", [COCO_17, BLAZEPOSE_33, H36M_17, KINECT_20], ids=lambda s: s.name)
def test_other_skeletons_read_the_same_on_a_still_person(skeleton):
    times = times_of(1, 50)
    sites = [site for site in SITES if not site.endswith(("hand", "foot"))]
    stream = simulate_imu(motion_of(standing(times, 0.5), times, skeleton), sites, 50)
    expected = simulate_imu(motion_of(standing(times, 0.5), times), sites, 50)
    np.testing.assert_allclose(stream.data, expected.data, atol=1e-5)


@pytest.mark.parametrize(("site", "segment", "joint"), [("right_foot",) * 3, ("left_hand",) * 3])
def test_a_site_on_a_segment_that_the_skeleton_lacks_is_refused(site, segment, joint):
    times = times_of(1, 50)
    with pytest.raises(UnknownNameError, match=f"Site {site} lies on {segment}, but .*COCO-17 has no {joint}"):
        simulate_imu(motion_of(standing(times), times, COCO_17), ["waist", site], 50)


def test_an_unknown_site_is_refused():
    with pytest.raises(UnknownNameError, match="no site 'nose'"):
        simulate_imu(still(), ["nose"], 50)


def test_six_frames_are_enough_and_five_are_not():
    for n_frames in (6, 7, 8):
        times = np.arange(n_frames) / 30
        stream = simulate_imu(motion_of(standing(times), times), ["chest"], 30)
        np.testing.assert_allclose(read(stream, "chest"), np.tile([G, 0, 0], (n_frames, 1)), atol=1e-4)
    times = np.arange(5) / 30
    with pytest.raises(DataFormatError, match="5 frames is too short: at least 6"):
        simulate_imu(motion_of(standing(times), times), ["chest"], 30)


def test_the_stream_says_everything_that_made_it():
    flipped = Placement(segment="torso", offset_m=np.array([0.0, 0.1, 0.0]), rotation=np.diag([1.0, -1.0, -1.0]))
    stream = simulate_imu(
        still(), {"waist": None, "chest": flipped}, 25, sensor="orient3", random_state=np.int64(3), quantities="mag"
    )
    attrs = stream.attrs
    assert json.loads(json.dumps(attrs)) == attrs
    assert attrs["placements"]["chest"] == {
        "segment": "torso",
        "fraction": 0.5,
        "offset_m": [0.0, 0.1, 0.0],
        "rotation": [[1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, -1.0]],
    }
    assert attrs["placements"]["waist"]["rotation"] is None
    assert SensorModel(**attrs["sensor"]).get_params()["acc_noise_std"] == SensorModel.preset("orient3").acc_noise_std
    assert (attrs["random_state"], attrs["magnetic_field_ut"]) == (3, [0.0, 20.0, -45.0])
    again = simulate_imu(
        still(),
        {site: Placement(**fields) for site, fields in attrs["placements"].items()},
        25,
        sensor=SensorModel(**attrs["sensor"]),
        random_state=attrs["random_state"],
        quantities="mag",
    )
    np.testing.assert_array_equal(again.data, stream.data)
    ideal = simulate_imu(still(), ["waist"], 25, magnetic_field_ut=lambda points, times: points).attrs
    assert (ideal["sensor"], ideal["magnetic_field_ut"]) == (None, "function")
    assert "random_state" not in ideal


def test_a_bad_sensor_is_refused_before_anything_is_simulated():
    def field(points, times):
        raise AssertionError("simulated")

    for sensor in (3, "perfect", SensorModel(acc_noise_std=-1.0)):
        with pytest.raises(ValueError, match=r"sensor|acc_noise_std"):
            simulate_imu(still(), ["waist"], 50, sensor=sensor, magnetic_field_ut=field)


def test_every_site_has_a_device_of_its_own_and_a_seed_fixes_them_all():
    model = SensorModel(acc_noise_std=0.1, gyr_bias_std=0.1)
    motion = still(2.0)
    sites = ["left_wrist", "left_forearm"]
    clean = simulate_imu(motion, sites, 50)
    one, again, other = (simulate_imu(motion, sites, 50, sensor=model, random_state=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.data, again.data)
    assert np.abs(one.data - other.data).max() > 0.1
    noise = [read(one, site) - read(clean, site) for site in sites]
    assert abs(np.corrcoef(noise[0].ravel(), noise[1].ravel())[0, 1]) < 0.2
    assert np.std(noise[0]) == pytest.approx(0.1, rel=0.15)
    bias = [read(one, site, "gyr") - read(clean, site, "gyr") for site in sites]
    assert max(np.ptp(each, axis=0).max() for each in bias) < 1e-6
    assert np.abs(bias[0][0] - bias[1][0]).min() > 1e-3


def test_more_sites_and_other_quantities_do_not_change_the_devices_of_the_first():
    model = SensorModel(acc_noise_std=0.1, gyr_noise_std=0.1)
    few = simulate_imu(still(), ["waist"], 50, quantities=["gyr"], sensor=model, random_state=3)
    many = simulate_imu(still(), ["waist", "chest"], 50, sensor=model, random_state=3)
    np.testing.assert_array_equal(read(few, "waist", "gyr"), read(many, "waist", "gyr"))


def test_a_generator_goes_on_and_the_global_one_stays():
    model, rng = SensorModel(acc_noise_std=0.1), np.random.default_rng(4)
    state = np.random.get_state()[1].copy()
    first, second = (simulate_imu(still(), ["waist"], 50, sensor=model, random_state=rng) for _ in range(2))
    assert np.abs(first.data - second.data).max() > 0.1
    np.testing.assert_array_equal(np.random.get_state()[1], state)
