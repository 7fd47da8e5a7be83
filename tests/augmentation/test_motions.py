"""Copies of motions against the laws of similarity, closed forms, and what sensors on the studio's people read."""

from __future__ import annotations

import json

import numpy as np
import oracle
import pytest

from har_virtual import segment_recordings, simulate_imu
from har_virtual.augmentation import augment_motions, mirror_motion, scale_size, scale_tempo
from har_virtual.exceptions import DataFormatError, SamplingRateWarning
from har_virtual.imu import SITES, Placement
from har_virtual.model_selection import split_clips
from har_virtual.motion import orient_segments, to_body
from har_virtual.pose.skeletons import BODY_22, SKELETONS
from har_virtual.skeleton import Motion, Skeleton
from har_virtual.studio import perform

RATE = 100.0
TIMES = np.arange(151) / RATE
QUANTITIES = ("acc", "gyr", "mag")
# What a mirror does to a reading: the sign of each axis. Angular velocity is an axial vector.
SIGNS = {"acc": (1, 1, -1), "gyr": (-1, -1, 1), "mag": (1, 1, -1)}
# Exact streams of rendered people and those simulated from their motion at 200 Hz, away from its ends.
RMS = {"acc": 1e-3, "gyr": 1e-5, "mag": 1e-4}
ON_THE_BONE = {"left_wrist": Placement(segment="left_forearm"), "right_thigh": Placement(segment="right_thigh")}


def fidgeting(skeleton: Skeleton = BODY_22, **fields) -> Motion:
    """Somebody who bends all limbs, turns and walks, so that no two joints move alike."""
    joints = oracle.fidgeting_person(TIMES, 0.9)
    return Motion(np.stack([joints[joint] for joint in skeleton.joints], axis=1), TIMES, skeleton, **fields)


def on_a_turntable(rate_rad_s: float) -> Motion:
    """Somebody stiff who turns about the vertical, with both wrists 0.7 m from it."""
    joints = oracle.person(*np.zeros((2, len(TIMES))))
    joints |= {f"{side}_wrist": joints[f"{side}_wrist"] * [3.5, 1.0, 1.0] for side in ("left", "right")}
    turn = oracle.rotation_about("z", rate_rad_s * TIMES)
    points = [np.einsum("tij,tj->ti", turn, joints[joint]) for joint in BODY_22.joints]
    return Motion(np.stack(points, axis=1), TIMES, BODY_22)


def read(motion: Motion, sites=ON_THE_BONE, rate_hz: float = RATE, **options) -> dict[str, np.ndarray]:
    """Streams (T, S, 3) by quantity, unfiltered."""
    stream = simulate_imu(motion, sites, rate_hz, cutoff_hz=None, quantities=QUANTITIES, **options)
    parts = np.asarray(stream.data, dtype=np.float64).reshape(len(stream.data), -1, 3, 3)
    return {quantity: parts[:, :, i] for i, quantity in enumerate(QUANTITIES)}


@pytest.mark.parametrize("tempo", [0.8, 1.0, 1.5])
def test_tempo_scales_linear_acceleration_by_its_square_and_turn_rate_by_itself(tempo):
    motion = orient_segments(fidgeting())
    before = read(motion, gravity=False)
    after = read(scale_tempo(motion, tempo), rate_hz=tempo * RATE, gravity=False)
    np.testing.assert_allclose(after["acc"], tempo**2 * before["acc"], rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(after["gyr"], tempo * before["gyr"], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("size", [0.8, 1.3])
def test_size_scales_linear_acceleration_and_leaves_turn_rate(size):
    motion = orient_segments(fidgeting())
    before, after = (read(each, gravity=False) for each in (motion, scale_size(motion, size)))
    np.testing.assert_allclose(after["acc"], size * before["acc"], rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(after["gyr"], before["gyr"], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("change", [lambda m: scale_tempo(m, 1.4), lambda m: scale_size(m, 0.7)])
def test_tempo_and_size_leave_gravity_and_the_magnetic_field(change):
    motion = orient_segments(fidgeting())
    after = change(motion)
    rate = after.frame_rate_hz
    gravity = [
        read(m, rate_hz=r)["acc"] - read(m, rate_hz=r, gravity=False)["acc"] for m, r in ((motion, RATE), (after, rate))
    ]
    np.testing.assert_allclose(gravity[1], gravity[0], atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(gravity[1], axis=-1), oracle.GRAVITY, rtol=1e-4)
    np.testing.assert_allclose(read(after, rate_hz=rate)["mag"], read(motion)["mag"], atol=1e-4)


def test_a_faster_and_smaller_turntable_has_the_centripetal_acceleration_of_the_formula():
    rate, tempo, size = 3.0, 1.25, 0.9
    varied = scale_size(scale_tempo(on_a_turntable(rate), tempo), size)
    wrist = read(varied, {"wrist": Placement(segment="left_forearm", fraction=1.0)}, gravity=False)
    exact = oracle.turntable(varied.timestamps_s, 0.7 * size, rate * tempo)
    linear = np.linalg.norm(exact.acc - [0.0, 0.0, oracle.GRAVITY], axis=1)
    for reading, expected in ((wrist["acc"], linear), (wrist["gyr"], np.linalg.norm(exact.gyr, axis=1))):
        np.testing.assert_allclose(np.linalg.norm(reading[30:-30, 0], axis=1), expected[:61], rtol=1e-4)


@pytest.mark.parametrize("with_rotations", [True, False])
def test_a_site_of_the_mirrored_person_reads_the_mirror_image_of_the_other_side(with_rotations):
    motion = fidgeting()
    motion = orient_segments(motion) if with_rotations else motion
    sides = {"left": "right", "right": "left"}
    other = ["_".join(sides.get(word, word) for word in site.split("_")) for site in SITES]
    mirrored, original = read(mirror_motion(motion), SITES), read(motion, SITES)
    counterpart = [list(SITES).index(site) for site in other]
    assert counterpart != list(range(len(SITES)))
    for quantity, signs in SIGNS.items():
        np.testing.assert_allclose(mirrored[quantity], signs * original[quantity][:, counterpart], atol=2e-3)


@pytest.mark.parametrize("activity", ["walking", "waving"])
def test_a_mirrored_performance_reads_what_the_studio_knows_of_the_other_hand(activity):
    actor = perform(activity, duration_s=2.0, seed=2, heading_deg=30.0)
    sites, other = ["left_wrist", "right_ankle"], ["right_wrist", "left_ankle"]
    readings = read(mirror_motion(actor.motion(200)), sites, rate_hz=200)
    exact = dict(zip(QUANTITIES, actor.readings(np.arange(400) / 200, other), strict=True))
    for quantity, limit in RMS.items():
        assert oracle.rms((readings[quantity] - SIGNS[quantity] * exact[quantity])[20:-20]) < limit
    assert oracle.rms(exact["acc"][:, 0] - actor.readings(np.arange(400) / 200, sites)[0][:, 0]) > 1.0


@pytest.mark.parametrize("tempo", [0.8, 1.25])
def test_a_performance_at_another_tempo_reads_what_the_studio_knows_rescaled(tempo):
    actor = perform("jumping_jacks", duration_s=2.0, seed=1)
    times = np.arange(400) / 200
    force, turning, field = actor.readings(times, ["left_wrist"])
    linear = actor.readings(times, ["left_wrist"], gravity=False)[0]
    exact = {"acc": force + (tempo**2 - 1) * linear, "gyr": tempo * turning, "mag": field}
    readings = read(scale_tempo(actor.motion(200), tempo), ["left_wrist"], rate_hz=200 * tempo)
    for quantity, limit in RMS.items():
        assert oracle.rms((readings[quantity] - exact[quantity])[20:-20]) < limit


@pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=list(SKELETONS))
def test_mirroring_and_orienting_commute_on_every_skeleton(skeleton):
    motion = fidgeting(skeleton)
    mirrored = mirror_motion(to_body(motion))
    anew = to_body(mirror_motion(motion))
    np.testing.assert_allclose(mirrored.positions_m, anew.positions_m, atol=1e-12)
    np.testing.assert_allclose(mirrored.rotations, anew.rotations, atol=1e-9)


def test_rotations_of_a_mirrored_motion_are_proper_ones():
    rotations = mirror_motion(orient_segments(fidgeting())).rotations
    np.testing.assert_allclose(np.linalg.det(rotations), 1.0)


def test_a_motion_mirrored_twice_is_itself():
    motion = orient_segments(fidgeting(uncertainty_m=np.random.default_rng(0).random((len(TIMES), 22))))
    twice = mirror_motion(mirror_motion(motion))
    for field in ("positions_m", "rotations", "uncertainty_m", "timestamps_s"):
        np.testing.assert_allclose(getattr(twice, field), getattr(motion, field), atol=1e-12)
    assert twice.attrs == {
        **motion.attrs,
        "augmentation": {"tempo": 1.0, "size": 1.0, "mirrored": False, "source": source(motion)},
    }


def source(motion: Motion) -> str:
    return scale_size(motion, 1.0).attrs["augmentation"]["source"]


def test_the_left_of_a_mirrored_person_is_on_the_persons_left():
    motion = mirror_motion(
        Motion(np.stack([oracle.person(*np.zeros((2, 1)))[j] for j in BODY_22.joints], 1), [0.0], BODY_22)
    )
    assert motion.joint("left_wrist")[0, 0] < 0 < motion.joint("right_wrist")[0, 0]
    assert motion.joint("left_foot")[0, 1] > motion.joint("left_ankle")[0, 1]


def test_uncertainty_and_twist_go_to_the_other_side_and_grow_with_the_body():
    uncertainty = np.zeros((len(TIMES), 22))
    uncertainty[:, BODY_22.index("left_wrist")] = 0.03
    motion = fidgeting(uncertainty_m=uncertainty, attrs={"twist_confidence": {"left_arm": 0.2, "right_arm": 0.9}})
    mirrored = mirror_motion(motion)
    assert np.all(mirrored.uncertainty_m[:, BODY_22.index("right_wrist")] == 0.03)
    assert np.all(mirrored.uncertainty_m[:, BODY_22.index("left_wrist")] == 0.0)
    assert mirrored.attrs["twist_confidence"] == {"right_arm": 0.2, "left_arm": 0.9}
    np.testing.assert_allclose(scale_size(motion, 1.2).uncertainty_m, 1.2 * uncertainty)
    np.testing.assert_array_equal(scale_tempo(motion, 1.2).uncertainty_m, uncertainty)


def test_tempo_scales_uneven_stamps_from_the_first_one_on():
    stamps = 5.0 + np.cumsum(np.random.default_rng(0).uniform(0.01, 0.03, len(TIMES)))
    scaled = scale_tempo(fidgeting().replace(timestamps_s=stamps), 2.0).timestamps_s
    assert scaled[0] == stamps[0]
    np.testing.assert_allclose(np.diff(scaled), np.diff(stamps) / 2)


def test_a_slower_copy_has_fewer_frames_a_second_than_before_and_simulation_says_so():
    slower = scale_tempo(fidgeting(), 0.8)
    assert slower.frame_rate_hz == pytest.approx(0.8 * RATE)
    with pytest.warns(SamplingRateWarning, match="80.00 Hz"):
        simulate_imu(slower, ["left_wrist"], RATE)


def test_the_floor_stays_where_it_is():
    motion = fidgeting()
    np.testing.assert_allclose(scale_size(motion, 1.5).positions_m[..., 2], 1.5 * motion.positions_m[..., 2])
    height = np.sort(motion.positions_m[..., 2], axis=1)
    np.testing.assert_array_equal(np.sort(mirror_motion(motion).positions_m[..., 2], axis=1), height)


def test_changes_do_not_touch_the_motion_they_come_from():
    motion = orient_segments(fidgeting())
    kept = [motion.positions_m.copy(), motion.rotations.copy(), motion.timestamps_s.copy(), dict(motion.attrs)]
    augment_motions([motion], n_copies=3, tempo=(0.5, 2.0), size=(0.5, 2.0), mirror=True, random_state=0)
    for before, now in zip(kept, (motion.positions_m, motion.rotations, motion.timestamps_s), strict=False):
        np.testing.assert_array_equal(before, now)
    assert kept[3] == motion.attrs


def drawn(motions: list[Motion]) -> list[dict]:
    return [motion.attrs["augmentation"] for motion in motions]


VARIED = {"tempo": (0.5, 2.0), "size": (0.9, 1.1), "mirror": True}


def test_copies_come_motion_by_motion_and_belong_to_its_person():
    motions = [
        fidgeting(subject="p1", label="walk", session="s", dataset="d"),
        fidgeting(subject="p2", label=7, attrs={"file": "b.bvh"}),
    ]
    copies = augment_motions(motions, n_copies=3, **VARIED, random_state=0)
    assert [(c.subject, c.dataset, c.label) for c in copies] == [("p1", "d", "walk")] * 3 + [("p2", None, 7)] * 3
    assert [c.session for c in copies] == ["s/copy 0", "s/copy 1", "s/copy 2", None, None, None]
    assert [(a["motion"], a["copy"]) for a in drawn(copies)] == [(i, k) for i in range(2) for k in range(3)]
    assert copies[3].attrs["file"] == "b.bvh"
    recording = simulate_imu(copies[0], ["left_wrist"], 40)
    assert (recording.subject, recording.labels, recording.domain) == ("p1", "walk", "virtual")
    assert json.loads(json.dumps(recording.attrs))["augmentation"] == drawn(copies)[0]


def test_what_the_attrs_say_is_what_was_done():
    motion = orient_segments(fidgeting())
    for copy in augment_motions([motion], n_copies=6, **VARIED, random_state=1):
        done = copy.attrs["augmentation"]
        again = scale_size(scale_tempo(motion, done["tempo"]), done["size"])
        again = mirror_motion(again) if done["mirrored"] else again
        np.testing.assert_array_equal(copy.positions_m, again.positions_m)
        np.testing.assert_array_equal(copy.timestamps_s, again.timestamps_s)
        np.testing.assert_array_equal(copy.rotations, again.rotations)


def test_a_seed_fixes_the_copies_and_another_gives_others():
    motions = [fidgeting()] * 2
    first, again, other = (drawn(augment_motions(motions, n_copies=2, **VARIED, random_state=s)) for s in (0, 0, 1))
    assert first == again != other
    assert len({entry["tempo"] for entry in first}) == 4
    one, two = (drawn(augment_motions(motions, **VARIED, random_state=np.random.default_rng(0))) for _ in range(2))
    assert one == two


def test_later_motions_later_copies_and_other_changes_leave_a_copy_as_it_is():
    few = drawn(augment_motions([fidgeting()], n_copies=2, tempo=(0.5, 2.0), random_state=0))
    many = drawn(augment_motions([fidgeting()] * 2, n_copies=5, **VARIED, random_state=0))
    assert [entry["tempo"] for entry in few] == [entry["tempo"] for entry in many[:2]]


def test_numpys_global_generator_is_neither_used_nor_moved():
    state = np.random.get_state()[1].copy()
    augment_motions([fidgeting()], **VARIED)
    np.testing.assert_array_equal(np.random.get_state()[1], state)


def test_factors_fill_their_range_evenly_by_their_logarithm_and_half_of_the_copies_are_mirrored():
    short = fidgeting().replace(positions_m=np.zeros((2, 22, 3)), timestamps_s=[0.0, 1.0])
    entries = drawn(augment_motions([short], n_copies=2000, **VARIED, random_state=0))
    logs = np.log2([entry["tempo"] for entry in entries])
    np.testing.assert_allclose(np.histogram(logs, 4, (-1, 1))[0], 500, atol=80)
    sizes = np.array([entry["size"] for entry in entries])
    assert 0.9 <= sizes.min() < 0.901 < 1.099 < sizes.max() <= 1.1
    assert np.mean([entry["mirrored"] for entry in entries]) == pytest.approx(0.5, abs=0.04)
    assert abs(np.corrcoef(logs, np.log(sizes))[0, 1]) < 0.08


def test_one_factor_serves_all_copies_and_by_default_nothing_changes():
    assert {entry["tempo"] for entry in drawn(augment_motions([fidgeting()], n_copies=3, tempo=1.2))} == {1.2}
    motion = fidgeting()
    (copy,) = augment_motions([motion])
    np.testing.assert_allclose(copy.positions_m, motion.positions_m, atol=1e-12)
    np.testing.assert_array_equal(copy.timestamps_s, motion.timestamps_s)


def test_copies_of_copies_say_what_was_done_in_all():
    twice = augment_motions(augment_motions([fidgeting()], tempo=1.5, size=0.8), tempo=2.0)
    done = {"tempo": 3.0, "size": 0.8, "mirrored": False, "source": source(fidgeting()), "motion": 0, "copy": 0}
    assert drawn(twice) == [done]


def test_copies_know_their_motion_by_what_moves_when_and_not_by_its_place_or_names():
    one, two = fidgeting(), scale_tempo(fidgeting(), 1.1).replace(attrs={})
    three = one.replace(positions_m=one.positions_m + 0.01)
    assert len({source(motion) for motion in (one, two, three)}) == 3
    named = [two, one.replace(subject="p", label="walk", session="s")]
    copies = augment_motions(named, n_copies=2, **VARIED, random_state=0)
    assert [entry["source"] for entry in drawn(copies)] == [source(two)] * 2 + [source(one)] * 2
    for change in (mirror_motion, lambda m: scale_size(m, 1.2), lambda m: scale_tempo(m, 1.2)):
        assert change(change(one)).attrs["augmentation"]["source"] == source(one)


def test_originals_stand_before_their_copies_which_are_the_same_without_them():
    motions = [fidgeting(session="s"), fidgeting(session="t")]
    options = {"n_copies": 2, **VARIED, "random_state": 0}
    both, alone = augment_motions(motions, originals=True, **options), augment_motions(motions, **options)
    assert [motion.session for motion in both] == ["s", "s/copy 0", "s/copy 1", "t", "t/copy 0", "t/copy 1"]
    assert drawn(both[1:3] + both[4:]) == drawn(alone)
    for given, motion in zip(motions, (both[0], both[3]), strict=True):
        np.testing.assert_array_equal(motion.positions_m, given.positions_m)
        np.testing.assert_array_equal(motion.timestamps_s, given.timestamps_s)
    assert [(a["tempo"], a["size"], a["mirrored"], a["copy"]) for a in drawn([both[0]])] == [(1.0, 1.0, False, None)]


def clips_of(motions: list[Motion]) -> list[int]:
    recordings = [simulate_imu(motion, ["left_wrist", "right_wrist"], 20, cutoff_hz=None) for motion in motions]
    windows = segment_recordings(recordings, window_length_s=0.5)
    assert windows.metadata["recording"].nunique() == len(motions)
    return windows.clips[np.unique(windows.metadata["recording"], return_index=True)[1]].tolist()


def two_motions(**fields) -> list[Motion]:
    return [fidgeting(label="a", **fields), scale_size(fidgeting(label="b", **fields), 1.2).replace(attrs={})]


def test_copies_of_one_motion_are_one_clip_and_those_of_another_are_another():
    motions = two_motions(subject="p")
    assert clips_of(augment_motions(motions, n_copies=3, tempo=(0.8, 1.2), mirror=True)) == [0] * 3 + [3] * 3
    assert clips_of(augment_motions(motions, n_copies=2, originals=True)) == [0] * 3 + [3] * 3
    # Made one by one, and copies of copies.
    assert clips_of([copy for motion in motions for copy in augment_motions(motion, n_copies=2)]) == [0, 0, 2, 2]
    assert clips_of(augment_motions(augment_motions(motions, n_copies=2), size=1.1)) == [0, 0, 2, 2]


def test_all_virtual_windows_of_a_person_with_copies_beside_what_is_none_are_one_clip():
    one, two = two_motions(subject="p")
    others = [motion.replace(subject="q") for motion in (one, two)]
    # The copies of q are of the same movements, but of another person, who has no unchanged ones.
    assert clips_of([one, two, *augment_motions([one, two], n_copies=2)]) == [0] * 6
    assert clips_of([*others, one, *augment_motions([one], n_copies=2)]) == [0, 1, 2, 2, 2]


def test_a_split_by_clip_never_has_copies_of_a_motion_on_two_sides():
    motions = [scale_size(fidgeting(label="ab"[i % 2]), 1 + i / 10).replace(attrs={}) for i in range(20)]
    copies = augment_motions(motions, n_copies=3, tempo=(0.8, 1.2), random_state=0)
    windows = segment_recordings([simulate_imu(m, ["head"], 20) for m in copies], window_length_s=0.5)
    of = np.array([copy.attrs["augmentation"]["motion"] for copy in copies])[windows.metadata["recording"]]
    parts = split_clips(windows.clips, windows.y, random_state=0)
    assert all(len(part) for part in parts)
    assert sum(len(np.unique(of[part])) for part in parts) == 20


def test_no_motions_give_no_copies():
    assert augment_motions([], n_copies=3, tempo=(0.9, 1.1)) == []


def test_a_mirrored_copy_has_the_label_of_its_mirror_image():
    motions = [fidgeting(label="throw, right arm"), fidgeting(label="clap")]
    names = {"throw, right arm": "throw, left arm", "throw, left arm": "throw, right arm"}
    copies = augment_motions(motions, n_copies=20, mirror=True, mirrored_labels=names, random_state=0)
    labels = {(copy.attrs["augmentation"]["mirrored"], copy.label) for copy in copies}
    assert labels == {(False, "throw, right arm"), (True, "throw, left arm"), (False, "clap"), (True, "clap")}


def test_an_activity_without_a_mirror_image_is_never_mirrored():
    copies = augment_motions(
        [fidgeting(label="swipe_left")], n_copies=20, mirror=True, mirrored_labels={"swipe_left": None}, random_state=0
    )
    assert {entry["mirrored"] for entry in drawn(copies)} == {False}
    with pytest.raises(DataFormatError, match="not to be mirrored"):
        mirror_motion(fidgeting(label="swipe_left"), {"swipe_left": None})


@pytest.mark.parametrize(
    "label",
    [
        "swipe_left",
        "Right arm throw",
        "circle counter-clockwise",
        "draw_circle_ccw",
        "SwipeLeft",
        "LeftLegLunge",
        "look leftwards",
    ],
)
def test_a_label_that_names_a_side_must_be_explained_before_it_is_mirrored(label):
    with pytest.raises(DataFormatError, match="names a side"):
        augment_motions([fidgeting(label=label)], mirror=True, mirrored_labels={"clap": "clap"})
    assert mirror_motion(fidgeting(label=label), {label: label}).label == label
    assert augment_motions([fidgeting(label=label)])[0].label == label


@pytest.mark.parametrize("label", ["standing upright", "cleft", "UpRighting", "walking", None, 3, ("left",)])
def test_a_label_that_names_no_side_is_kept(label):
    assert mirror_motion(fidgeting(label=label)).label == label


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_copies": 0}, "n_copies"),
        ({"n_copies": 1.5}, "n_copies"),
        ({"tempo": 0.0}, "tempo"),
        ({"tempo": (0.9, np.nan)}, "tempo"),
        ({"tempo": (1.1, 0.9)}, "lowest factor first"),
        ({"tempo": (0.9, 1.0, 1.1)}, "tempo must be one factor"),
        ({"tempo": "fast"}, "tempo"),
        ({"size": -1.0}, "size"),
        ({"size": (0.0, 1.0)}, "size"),
        ({"size": np.inf}, "size"),
        ({"mirror": 0.5}, "mirror"),
        ({"mirrored_labels": ["clap"]}, "mirrored_labels must map"),
        ({"originals": "yes"}, "originals must be True or False"),
    ],
)
def test_a_parameter_out_of_its_range_is_named(options, message):
    with pytest.raises(DataFormatError, match=message):
        augment_motions([fidgeting()], **options)


def test_what_is_no_motion_is_named_with_its_place():
    with pytest.raises(DataFormatError, match="item 1 is str"):
        augment_motions([fidgeting(), "walk.mp4"])
    with pytest.raises(DataFormatError, match="item 0 is int"):
        augment_motions(3)


def test_one_motion_outside_a_list_is_a_list_of_one():
    assert len(augment_motions(fidgeting(), n_copies=2)) == 2


def test_a_skeleton_with_a_joint_on_one_side_only_cannot_be_mirrored():
    one_armed = Skeleton("one-armed", ("pelvis", "left_hand"), (-1, 0))
    motion = Motion(np.zeros((2, 2, 3)), [0.0, 1.0], one_armed)
    with pytest.raises(DataFormatError, match="one-armed cannot be mirrored: left_hand"):
        augment_motions([motion], mirror=True)


def test_rotations_on_a_skeleton_of_unlike_sides_cannot_be_mirrored():
    unlike = Skeleton("unlike", ("pelvis", "left_hip", "right_hip"), (-1, 0, 1))
    motion = Motion(np.zeros((2, 3, 3)), [0.0, 1.0], unlike)
    np.testing.assert_array_equal(mirror_motion(motion).positions_m, motion.positions_m)
    with pytest.raises(DataFormatError, match="to_body"):
        mirror_motion(motion.replace(rotations=np.tile(np.eye(3), (2, 3, 1, 1))))
