"""The studio's joints, frames and exact readings against an oracle that knows no jets."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import oracle
import oracle_body
import pytest
from oracle_body import SEGMENT_AT, Contact, Curve, Person, Wave, differentiate, follow, move, random_waves, wear

from har_virtual import simulate_imu
from har_virtual.imu import SEGMENTS, SITES, Placement
from har_virtual.motion import orient_segments
from har_virtual.pose.skeletons import BODY_22
from har_virtual.studio import ACTIVITIES, Body, perform
from har_virtual.studio.jets import Jet, sin
from har_virtual.studio.performance import Performance
from har_virtual.studio.posture import ANGLES, Posture
from har_virtual.studio.style import Style

TIMES = np.linspace(0.0, 2.0, 101)
UPSIDE_DOWN = oracle.rotation_about("x", np.array(2.5)) @ oracle.rotation_about("z", np.array(0.7))
PLACEMENTS: dict[str, Placement] = {
    **SITES,
    "own": Placement(segment="right_foot", fraction=-0.3, offset_m=(0.03, -0.05, 0.11), rotation=UPSIDE_DOWN),
}
# RMSE in m/s2, rad/s and uT where the oracle has the angles' derivatives, and where it takes differences of them.
CLOSED_FORM, DIFFERENCES = (1e-10, 1e-10, 1e-10), (1e-6, 1e-7, 1e-7)
SUPPORTS: dict[str, dict] = {
    "floor": {},
    "pinned": {"pinned": "feet"},
    "slope": {"slope": 0.6},
    "pinned on a slope": {"pinned": "feet", "slope": -0.4},
    "saddle": {"support": 0.9},
    "pinned under a saddle": {"support": 0.8, "pinned": "feet"},
}


def formula(waves: Mapping[str, Wave], **options) -> Callable[[Jet, Style], Posture]:
    """Write the oracle's waves as a movement for the studio."""

    def fidget(t: Jet, style: Style) -> Posture:
        turns = {
            name: sum((a * sin(2 * np.pi * f * t + p) for a, f, p in wave.sinusoids), wave.offset + 0 * t)
            for name, wave in waves.items()
        }
        return Posture(turns, **options)

    return fidget


def moved(actor: Performance, angles: Mapping[str, Curve], options: Mapping) -> Person:
    """Move the oracle's person, of the actor's size, at the actor's place."""
    n = len(next(iter(angles.values())).value)
    height = options.get("support", "floor")
    return move(
        angles,
        actor.body.offsets_m,
        contacts=[Contact(joint, SEGMENT_AT[joint], offset, r) for joint, offset, r in actor.body.contacts_m()],
        height=None if height == "floor" else Curve(np.full(n, height), np.zeros(n), np.zeros(n)),
        pinned=options.get("pinned"),
        slope=options.get("slope", 0.0),
        heading_rad=np.deg2rad(actor.heading_deg),
        start_m=(*actor.position_m, 0.0),
    )


def fidgeting(seed: int, options: Mapping, **changes: Wave) -> tuple[Performance, Callable[[np.ndarray], Person]]:
    """Give an actor who moves at random, and the oracle's person at any times."""
    waves = {**random_waves(seed), **changes}
    actor = perform(
        formula(waves, **options), duration_s=2.0, seed=seed, position_m=(1.5, -0.7), heading_deg=-40.0 + 100 * seed
    )
    return actor, lambda times: moved(actor, {name: follow(wave, times) for name, wave in waves.items()}, options)


def acting(activity: str, seed: int, times_s: np.ndarray) -> tuple[Performance, Person]:
    """Give an actor, and the oracle's person who moves by differences of the actor's joint angles."""
    actor = perform(activity, duration_s=6.0, seed=seed, position_m=(-2.0, 3.0), heading_deg=75.0)
    names = list(actor.posture(times_s).angles)

    def angles(times: np.ndarray) -> np.ndarray:
        now = actor.posture(times).angles
        return np.stack([np.broadcast_to(getattr(now[name], "value", now[name]), times.shape) for name in names], 1)

    curves = differentiate(angles, times_s, step_s=5e-4)
    posture = actor.posture(times_s)
    options = {name: getattr(posture, name) for name in ("support", "pinned", "slope")}
    return actor, moved(actor, {name: Curve(*(part[:, i] for part in curves)) for i, name in enumerate(names)}, options)


def worn(person: Person, placements: Mapping[str, Placement], *, gravity: bool = True) -> list[np.ndarray]:
    """Give the oracle's acc, gyr, mag (T, S, 3)."""
    readings = [
        wear(
            person,
            p.segment,
            SEGMENTS[p.segment],
            fraction=p.fraction,
            offset_m=p.offset_m,
            rotation=p.rotation,
            gravity=gravity,
        )
        for p in placements.values()
    ]
    return [np.stack([getattr(reading, part) for reading in readings], axis=1) for part in ("acc", "gyr", "mag")]


def check_readings(
    actor: Performance, person: Person, times_s: np.ndarray, limits: tuple[float, ...], *, gravity: bool = True
) -> None:
    read = actor.readings(times_s, PLACEMENTS, gravity=gravity)
    for name, part, expected, limit in zip(
        ("acc", "gyr", "mag"), read, worn(person, PLACEMENTS, gravity=gravity), limits, strict=True
    ):
        assert part.shape == expected.shape
        assert part.dtype == np.float64
        for site, placement in enumerate(PLACEMENTS):
            assert oracle.rms(part[:, site] - expected[:, site]) <= limit, (name, placement)


@pytest.mark.parametrize("gravity", [True, False])
@pytest.mark.parametrize("support", SUPPORTS)
def test_sensors_on_a_random_movement_read_what_rigid_bodies_do(support, gravity):
    for seed in (1, 2):
        actor, person = fidgeting(seed, SUPPORTS[support])
        check_readings(actor, person(TIMES), TIMES, CLOSED_FORM, gravity=gravity)


@pytest.mark.parametrize("activity", ACTIVITIES)
def test_sensors_on_an_activity_read_what_rigid_bodies_do(activity):
    times = np.linspace(0.0, 6.0, 121)
    for seed in (0, 1):
        check_readings(*acting(activity, seed, times), times, DIFFERENCES)


@pytest.mark.parametrize("support", SUPPORTS)
def test_joints_frames_and_velocities_are_the_oracles(support):
    actor, person = fidgeting(3, SUPPORTS[support])
    expected = person(TIMES)
    positions, rotations = actor.pose(TIMES)
    velocities = actor.joints(TIMES).positions_m.rate
    assert positions.shape == (101, 22, 3)
    assert rotations.shape == (101, 22, 3, 3)
    for j, joint in enumerate(BODY_22.joints):
        turning = expected.segments[SEGMENT_AT[joint]].rotation @ expected.frames[SEGMENT_AT[joint]]
        np.testing.assert_allclose(positions[:, j], expected.joints[joint].value, atol=1e-12, err_msg=joint)
        np.testing.assert_allclose(velocities[:, j], expected.joints[joint].rate, atol=1e-11, err_msg=joint)
        np.testing.assert_allclose(rotations[:, j], turning, atol=1e-12, err_msg=joint)


def test_a_magnetic_field_of_ones_own_is_seen_from_the_sensor():
    actor, person = fidgeting(8, {})
    field = np.array([3.0, -17.0, 44.0])
    frames = [wear(person(TIMES), p.segment, SEGMENTS[p.segment], fraction=0.5).rotations for p in SITES.values()]
    mag = actor.readings(TIMES, SITES, magnetic_field_ut=field)[2]
    np.testing.assert_allclose(mag, np.einsum("stji,j->tsi", np.stack(frames), field), atol=1e-12)


def test_every_angle_moves_the_oracle_too():
    assert set(oracle_body.ANGLES) | {"x_m", "y_m", "lift_m"} == set(ANGLES)


@pytest.mark.parametrize("support", ["slope", "pinned"])
def test_the_oracles_derivatives_are_those_of_its_own_positions(support):
    _, person = fidgeting(4, SUPPORTS[support])
    times, now = TIMES[::10], person(TIMES[::10])
    for joint, path in now.joints.items():
        differences = differentiate(lambda s, joint=joint: person(s).joints[joint].value, times, step_s=3e-4)
        np.testing.assert_allclose(path.rate, differences.rate, atol=1e-9, err_msg=joint)
        np.testing.assert_allclose(path.acceleration, differences.acceleration, atol=1e-6, err_msg=joint)
    for name, turning in now.segments.items():
        rate = differentiate(lambda s, name=name: person(s).segments[name].rotation, times).rate
        spin = rate @ np.swapaxes(turning.rotation, 1, 2)
        np.testing.assert_allclose(spin[:, [2, 0, 1], [1, 2, 0]], turning.velocity, atol=1e-9, err_msg=name)
        faster = differentiate(lambda s, name=name: person(s).segments[name].velocity, times).rate
        np.testing.assert_allclose(faster, turning.acceleration, atol=1e-8, err_msg=name)


def test_readings_do_not_depend_on_which_other_times_are_asked_for():
    """A floor that rises by tens of metres must not lose the contacts of the beginning."""
    climb = {"y_m": Wave(0.0, ((40.0, 0.004, 0.0),))}
    actor, _ = fidgeting(5, {"slope": 1.0}, **climb)
    times = np.array([0.0, 20.0, 60.0])
    together = actor.readings(times, ["left_wrist", "head"])
    for i in range(3):
        alone = actor.readings(times[i : i + 1], ["left_wrist", "head"])
        for part, expected in zip(together, alone, strict=True):
            np.testing.assert_allclose(part[i], expected[0], atol=1e-9)


@pytest.mark.parametrize("movement", ["random", "walking", "jumping"])
def test_sensors_simulated_from_the_motion_come_near_the_exact_ones(movement):
    if movement == "random":
        actor, _ = fidgeting(6, {})
    else:
        actor = perform(movement, duration_s=2.0, seed=4, heading_deg=160.0)
    rate_hz = 500.0
    stream = simulate_imu(actor.motion(rate_hz), PLACEMENTS, rate_hz, cutoff_hz=None, quantities=("acc", "gyr", "mag"))
    simulated = np.asarray(stream, dtype=np.float64).reshape(len(stream), len(PLACEMENTS), 3, 3)
    inside = slice(25, -25)
    exact = actor.readings(np.arange(len(stream)) / rate_hz, PLACEMENTS)
    for i, limit in enumerate((0.01, 1e-5, 1e-5)):
        assert oracle.rms(simulated[inside, :, i] - exact[i][inside]) < limit


def test_orientations_estimated_from_bent_limbs_are_the_exact_ones():
    waves = random_waves(7)
    changes = {f"{side}_pronation": Wave(0.0, ()) for side in ("left", "right")}
    for side in ("left", "right"):
        changes |= {
            name: waves[name]._replace(offset=1.2) for name in (f"{side}_elbow_flexion", f"{side}_knee_flexion")
        }
    actor, _ = fidgeting(7, {}, **changes)
    motion = actor.motion(100.0)
    estimated = orient_segments(motion.replace(rotations=None))
    between = np.swapaxes(estimated.rotations, -1, -2) @ motion.rotations
    angle_deg = np.rad2deg(np.arccos(np.clip((np.trace(between, axis1=-2, axis2=-1) - 1) / 2, -1, 1)))
    assert angle_deg.max() < 1.0, BODY_22.joints[angle_deg.max(axis=0).argmax()]


R, F, U = np.eye(3)
# An angle, the joint that it moves as seen from another, and where to; a third entry is bent before.
MEANINGS = {
    "pelvis_lean": ("neck", "pelvis", F),
    "pelvis_tilt": ("neck", "pelvis", R),
    "pelvis_turn": ("left_hip", "pelvis", -F),
    "spine_flexion": ("neck", "spine", F),
    "spine_tilt": ("neck", "spine", R),
    "spine_turn": ("left_shoulder", "neck", -F),
    "neck_flexion": ("head", "neck", F),
    "neck_tilt": ("head", "neck", R),
    "neck_turn": ("left_ear", "head", -F),
}
BENT = {}
for _side, _out in (("left_", -R), ("right_", R)):
    MEANINGS |= {
        f"{_side}shoulder_flexion": (f"{_side}elbow", f"{_side}shoulder", F),
        f"{_side}shoulder_abduction": (f"{_side}elbow", f"{_side}shoulder", _out),
        f"{_side}shoulder_rotation": (f"{_side}wrist", f"{_side}elbow", -_out),
        f"{_side}elbow_flexion": (f"{_side}wrist", f"{_side}elbow", F),
        f"{_side}hip_flexion": (f"{_side}knee", f"{_side}hip", F),
        f"{_side}hip_abduction": (f"{_side}knee", f"{_side}hip", _out),
        f"{_side}hip_rotation": (f"{_side}ankle", f"{_side}knee", _out),
        f"{_side}knee_flexion": (f"{_side}ankle", f"{_side}knee", -F),
        f"{_side}ankle_dorsiflexion": (f"{_side}foot", f"{_side}ankle", U),
    }
    BENT |= {
        f"{_side}shoulder_rotation": f"{_side}elbow_flexion",
        f"{_side}hip_rotation": f"{_side}knee_flexion",
    }


def positions_of(angles: Mapping[str, float]) -> dict[str, np.ndarray]:
    actor = perform(lambda t, style: Posture(angles), body=Body.average())
    return dict(zip(BODY_22.joints, actor.pose([0.0])[0][0], strict=True))


@pytest.mark.parametrize("angle", MEANINGS)
def test_an_angle_moves_the_body_the_way_its_name_says(angle):
    joint, origin, way = MEANINGS[angle]
    bent = {BENT[angle]: np.pi / 2} if angle in BENT else {}
    before, after = positions_of(bent), positions_of({**bent, angle: 0.6})
    bone = before[joint] - before[origin]
    step = after[joint] - after[origin] - bone
    assert step @ way > 0.4 * np.linalg.norm(bone)


@pytest.mark.parametrize(("side", "inward"), [("left", R), ("right", -R)])
def test_pronation_turns_the_thumb_inward(side, inward):
    actor = perform(lambda t, style: Posture({f"{side}_pronation": 0.6}), body=Body.average())
    thumb = actor.pose([0.0])[1][0, BODY_22.index(f"{side}_wrist")][:, 1]
    np.testing.assert_allclose(thumb, np.cos(0.6) * F + np.sin(0.6) * inward, atol=1e-12)


def test_somebody_without_angles_stands_on_the_floor_facing_forward():
    joints = positions_of({})
    for name, place in joints.items():
        if name.startswith(("left_", "right_")):
            assert np.sign(place[0]) == (-1 if name.startswith("left_") else 1), name
    for side in ("left", "right"):
        assert joints[f"{side}_foot"][1] > joints[f"{side}_ankle"][1] + 0.1
        assert joints[f"{side}_ankle"][2] == pytest.approx(Body.average().sole_m, abs=0.002)
    assert joints["head"][2] > joints["neck"][2] > joints["spine"][2] > joints["pelvis"][2] > 0.8
    np.testing.assert_allclose(joints["pelvis"][:2], 0.0, atol=1e-12)


@pytest.mark.parametrize(
    ("heading_deg", "forward"), [(0, (0, 1)), (90, (-1, 0)), (180, (0, -1)), (-45, (0.5**0.5,) * 2)]
)
def test_a_heading_turns_counter_clockwise_from_the_worlds_y(heading_deg, forward):
    actor = perform(lambda t, style: Posture({"y_m": 2.0}), position_m=(3.0, 4.0), heading_deg=heading_deg)
    positions, rotations = actor.pose([0.0])
    np.testing.assert_allclose(positions[0, 0, :2], np.array([3.0, 4.0]) + 2 * np.array(forward), atol=1e-12)
    np.testing.assert_allclose(rotations[0, 0][:, 1], (*forward, 0.0), atol=1e-12)
