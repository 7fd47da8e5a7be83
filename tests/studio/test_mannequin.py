"""The clothed person."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from har_virtual.exceptions import DataFormatError
from har_virtual.pose.skeletons import BODY_22
from har_virtual.studio.body import Body
from har_virtual.studio.mannequin import Mannequin, dress
from har_virtual.studio.posture import Posture, joints


def pose(body, angles=None):
    now = joints(Posture(angles or {}), body, 1)
    return now.positions_m.value[0], now.rotations.value[0]


def surface_of(capsules):
    """Lowest and highest corner of the box around all."""
    ends = np.stack([capsules.starts_m, capsules.ends_m])
    radii = np.stack([capsules.radii_m, capsules.end_radii_m])[..., None]
    return (ends - radii).min(axis=(0, 1)), (ends + radii).max(axis=(0, 1))


BEND = {"left_elbow_flexion": 1.4, "right_shoulder_flexion": 1.0, "left_knee_flexion": 1.2, "spine_flexion": 0.5}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("angles", [{}, BEND])
def test_every_joint_but_the_ears_lies_within_the_body(seed, angles):
    body = Body.random(seed)
    positions, rotations = pose(body, angles)
    capsules = dress(body, positions, rotations)
    for joint, position in zip(BODY_22.joints, positions, strict=True):
        assert capsules.distance_m(position).min() < (0.01 if joint.endswith("ear") else 0.0), joint


@pytest.mark.parametrize("seed", range(4))
def test_somebody_who_stands_is_as_tall_as_said_and_stands_on_the_floor(seed):
    body = Body.random(seed)
    low, high = surface_of(dress(body, *pose(body)))
    # Shoes and hair add a little.
    assert -0.015 < low[2] < 0.02
    assert high[2] - low[2] == pytest.approx(body.stature_m, rel=0.06)


def test_left_hand_is_on_the_left_and_toes_point_forward():
    body = Body.average()
    positions, rotations = pose(body)
    capsules = dress(body, positions, rotations)
    shoes = (capsules.colors == body.shoes).all(axis=1)
    ends = np.concatenate([capsules.starts_m[shoes], capsules.ends_m[shoes]])
    ankle = positions[BODY_22.index("left_ankle")]
    toes, heel = ends[:, 1].max() - ankle[1], ankle[1] - ends[:, 1].min()
    assert toes > positions[BODY_22.index("left_foot"), 1] - ankle[1] > heel > 0.03
    assert positions[BODY_22.index("left_hand"), 0] < 0


@pytest.mark.parametrize(("side", "outward"), [("left", -1), ("right", 1)])
def test_thumbs_are_in_front_of_hanging_hands_and_turned_inward(side, outward):
    body = Body.average()
    positions, rotations = pose(body)
    capsules, wrist = dress(body, positions, rotations), positions[BODY_22.index(f"{side}_wrist")]
    hand = np.flatnonzero(np.linalg.norm(capsules.starts_m - wrist, axis=1) < 0.05)
    thumb = hand[np.argmax(capsules.ends_m[hand, 1])]
    tip = capsules.ends_m[thumb] - wrist
    assert tip[1] > 0.03 and tip[2] < -0.05
    assert outward * tip[0] < -0.005


def test_sleeves_are_as_long_as_said():
    for long_sleeves in (False, True):
        body = replace(Body.average(), long_sleeves=long_sleeves)
        positions, rotations = pose(body)
        capsules = dress(body, positions, rotations)
        elbow, wrist = (positions[BODY_22.index(f"left_{joint}")] for joint in ("elbow", "wrist"))
        forearm = np.argmin(capsules.distance_m((elbow + wrist) / 2))
        np.testing.assert_array_equal(capsules.colors[forearm], body.shirt if long_sleeves else body.skin)


def test_the_callers_rotations_stay_as_they_are():
    body = Body.average()
    positions, rotations = pose(body)
    rotations[BODY_22.index("left_foot")] = np.eye(3)[[1, 2, 0]]
    before = rotations.copy()
    dress(body, positions, rotations)
    np.testing.assert_array_equal(rotations, before)


def test_shoulders_are_wider_than_hips_and_hips_than_the_waist():
    body = Body.average()
    arms_out = pose(body, {"left_shoulder_abduction": 1.5, "right_shoulder_abduction": 1.5})

    def half_width_mm(joint, towards, share, positions, rotations):
        start, end = (positions[BODY_22.index(name)] for name in (joint, towards))
        points = start + share * (end - start) + np.linspace(0, 0.4, 401)[:, None] * [1.0, 0, 0]
        capsules = dress(body, positions, rotations)
        return np.argmin([capsules.distance_m(point).min() < 0 for point in points])

    waist = half_width_mm("pelvis", "spine", 0.75, *arms_out)
    hips = half_width_mm("pelvis", "spine", -0.05, *arms_out)
    shoulders = half_width_mm("spine", "neck", 0.95, *pose(body))
    assert 100 < waist < hips < shoulders < 300


def test_face_looks_where_the_head_looks():
    body = Body.average()
    positions, rotations = pose(body, {"neck_turn": np.pi / 2})
    capsules = dress(body, positions, rotations)
    eyes = np.isclose(capsules.colors, (0.95, 0.95, 0.93)).all(axis=1)
    assert eyes.sum() == 2
    direction = capsules.starts_m[eyes].mean(axis=0) - positions[BODY_22.index("head")]
    assert direction[0] < -0.05 and abs(direction[1]) < 0.03


def test_shoes_point_along_the_bones_where_the_frame_is_the_shanks():
    body = Body.average()
    positions, rotations = pose(body)
    usual = dress(body, positions, rotations)
    for side in ("left", "right"):
        for joint in ("ankle", "foot"):
            rotations[BODY_22.index(f"{side}_{joint}")] = rotations[BODY_22.index(f"{side}_knee")]
    np.testing.assert_allclose(dress(body, positions, rotations).ends_m, usual.ends_m, atol=1e-9)


def test_clothes_are_those_of_the_body():
    body = Body.random(3)
    colors = {tuple(color) for color in dress(body, *pose(body)).colors.tolist()}
    assert {body.skin, body.hair, body.shirt, body.trousers, body.shoes} <= colors


def test_person_turns_and_moves_as_a_whole():
    body, turn = Body.random(1), np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    positions, rotations = pose(body, BEND)
    moved = dress(body, positions @ turn.T + [1, 2, 0], turn @ rotations, person=4)
    expected = dress(body, positions, rotations, person=4).moved(turn, (1, 2, 0))
    np.testing.assert_allclose(moved.starts_m, expected.starts_m, atol=1e-12)
    assert set(moved.persons) == {4}


def test_joints_of_another_skeleton_are_refused():
    with pytest.raises(DataFormatError, match=r"BODY-22.*\(17, 3\)"):
        Mannequin(Body.average()).capsules(np.zeros((17, 3)), np.zeros((17, 3, 3)))
