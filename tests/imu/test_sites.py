from __future__ import annotations

import numpy as np
import oracle
import pytest
from sklearn.base import clone

from har_virtual.exceptions import DataFormatError, UnknownNameError
from har_virtual.imu import SEGMENTS, SITES, Placement
from har_virtual.imu.sites import resolve_placements
from har_virtual.motion.kinematics import main_child
from har_virtual.pose.skeletons import BODY_22

MIDDLE = ("head", "chest", "back", "waist")
PAIRED = ("upper_arm", "forearm", "wrist", "hand", "hip", "thigh", "knee", "shin", "ankle", "foot")
STRAIGHT = np.zeros(1), np.zeros(1)


def on_standing_person(site: str) -> np.ndarray:
    """Where the placement puts a site on somebody who stands over the origin, faces +y and has +x to the right."""
    placement, joints = SITES[site], oracle.person(*STRAIGHT)
    start, end = (joints[joint][0] for joint in SEGMENTS[placement.segment])
    frame = oracle.person_frames(*STRAIGHT)[SEGMENTS[placement.segment][0]][0]
    return start + placement.fraction * (end - start) + frame @ np.array(placement.offset_m)


def test_the_sites_are_those_of_the_documentation():
    assert set(SITES) == {*MIDDLE, *(f"{side}_{site}" for side in ("left", "right") for site in PAIRED)}


# Ranges of x (outwards from the middle for paired sites, else to the right), y (forward) and z (up) on a person whose
# shoulders are at 1.45 m, elbows 1.15, wrists .89, hips .95, knees .51, ankles .09; arms hang at .2 and legs at .1.
WHERE = {
    "head": ((-0.01, 0.01), (-0.01, 0.01), (1.6, 1.8)),
    "chest": ((-0.01, 0.01), (0.05, 0.15), (1.25, 1.45)),
    "back": ((-0.01, 0.01), (-0.15, -0.05), (1.25, 1.45)),
    "waist": ((-0.01, 0.01), (0.05, 0.15), (0.95, 1.1)),
    "hip": ((0.12, 0.18), (-0.01, 0.01), (0.9, 1.05)),
    "upper_arm": ((0.22, 0.26), (-0.01, 0.01), (1.25, 1.35)),
    "forearm": ((0.22, 0.25), (-0.01, 0.01), (0.97, 1.07)),
    "wrist": ((0.21, 0.24), (-0.01, 0.01), (0.89, 0.95)),
    "hand": ((0.17, 0.23), (-0.01, 0.01), (0.78, 0.88)),
    "thigh": ((0.09, 0.11), (0.05, 0.1), (0.65, 0.8)),
    "knee": ((0.09, 0.11), (0.03, 0.07), (0.46, 0.51)),
    "shin": ((0.09, 0.11), (0.03, 0.07), (0.25, 0.35)),
    "ankle": ((0.12, 0.16), (-0.01, 0.01), (0.09, 0.16)),
    "foot": ((0.09, 0.11), (0.05, 0.12), (0.11, 0.15)),
}


@pytest.mark.parametrize("site", SITES)
def test_every_site_lies_where_its_name_says(site):
    side, _, name = site.partition("_")
    place = on_standing_person(site)
    if side in ("left", "right"):
        place = place * [-1 if side == "left" else 1, 1, 1]
    for value, (low, high) in zip(place, WHERE[name or site], strict=True):
        assert low <= value <= high, place


@pytest.mark.parametrize("site", PAIRED)
def test_left_and_right_sites_are_mirror_images(site):
    left, right = (on_standing_person(f"{side}_{site}") for side in ("left", "right"))
    np.testing.assert_allclose(left * [-1, 1, 1], right, atol=1e-12)
    one, other = (SITES[f"{side}_{site}"] for side in ("left", "right"))
    assert one.fraction == other.fraction
    np.testing.assert_array_equal(np.array(one.offset_m) * [1, 1, -1], other.offset_m)


def test_offsets_stay_near_the_body_and_sensors_have_the_axes_of_their_segment():
    for site, placement in SITES.items():
        assert np.linalg.norm(placement.offset_m) <= 0.15, site
        assert 0 <= placement.fraction <= 1, site
        assert placement.rotation is None, site


def test_segments_run_from_a_joint_of_the_body_to_the_next():
    for segment, (start, end) in SEGMENTS.items():
        child = main_child(BODY_22, BODY_22.index(start))
        assert BODY_22.joints[child] == end, segment
        assert segment.partition("_")[0] == start.partition("_")[0] or "_" not in segment


def test_sites_can_be_named_or_placed():
    own = Placement(segment="torso")
    assert resolve_placements(["left_wrist", "waist"]) == {
        "left_wrist": SITES["left_wrist"],
        "waist": SITES["waist"],
    }
    assert list(resolve_placements("chest")) == ["chest"]
    assert resolve_placements({"vest": own, "waist": None}) == {"vest": own, "waist": SITES["waist"]}
    assert resolve_placements({"chest": own})["chest"] is own


def test_a_placement_is_cloned_and_set_like_an_estimator():
    placement = Placement(segment="torso", fraction=0.2, offset_m=(0, 0.1, 0), rotation=np.eye(3))
    copy = clone(placement)
    assert copy is not placement
    assert copy.get_params().keys() == {"segment", "fraction", "offset_m", "rotation"}
    assert copy.set_params(fraction=0.3).fraction == 0.3
    assert placement.fraction == 0.2


@pytest.mark.parametrize(
    ("sites", "error", "message"),
    [
        (["left_rist"], UnknownNameError, "no site 'left_rist'; there are head, chest"),
        ({"vest": None}, UnknownNameError, "no site 'vest'"),
        ([], DataFormatError, "at least one site"),
        (["waist", "waist"], DataFormatError, "each once"),
        ({"vest": Placement(segment="trunk")}, UnknownNameError, "vest: there is no segment 'trunk'; .*torso"),
        ({"vest": Placement(segment="torso", fraction=np.nan)}, DataFormatError, "vest: fraction"),
        ({"vest": Placement(segment="torso", fraction=[0.5])}, DataFormatError, "vest: fraction"),
        ({"vest": Placement(segment="torso", offset_m=(0.1, 0.2))}, DataFormatError, "vest: offset_m"),
        ({"vest": Placement(segment="torso", offset_m=(0.1, 0.2, np.inf))}, DataFormatError, "vest: offset_m"),
        ({"vest": Placement(segment="torso", rotation=np.eye(4))}, DataFormatError, r"vest: rotation .*\(4, 4\)"),
        ({"vest": Placement(segment="torso", rotation=2 * np.eye(3))}, DataFormatError, "orthonormal"),
        ({"vest": Placement(segment="torso", rotation=np.diag([1, 1, -1.0]))}, DataFormatError, "reflection"),
    ],
)
def test_what_is_no_site_or_placement_is_refused(sites, error, message):
    with pytest.raises(error, match=message):
        resolve_placements(sites)
