"""Left and right, confused and put right."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from har_virtual.pose.skeletons import COCO_17
from har_virtual.pose.swaps import undo_swaps
from har_virtual.pose.tracking import PoseTrack

MIRROR = np.array(COCO_17.mirror)
# Front view in body heights: the subject's left is at the right of the picture.
HALF_WIDTH = {"eye": 0.02, "ear": 0.04, "shoulder": 0.12, "elbow": 0.17, "wrist": 0.2, "hip": 0.09}
HALF_WIDTH |= {"knee": 0.09, "ankle": 0.1}
HEIGHT = {"nose": 0.1, "eye": 0.08, "ear": 0.09, "shoulder": 0.2, "elbow": 0.37, "wrist": 0.5, "hip": 0.5, "knee": 0.75}


def standing(n_frames: int, yaw_rad: np.ndarray | float = 0.0) -> PoseTrack:
    """A person who turns about the vertical, 400 px high and 1.7 m tall, with a swinging left arm."""
    points = np.zeros((n_frames, 17, 3))
    for j, name in enumerate(COCO_17.joints):
        side, _, joint = name.rpartition("_")
        points[:, j, 0] = HALF_WIDTH.get(joint, 0.0) * {"left": 1, "right": -1}.get(side, 0)
        points[:, j, 1] = HEIGHT.get(joint, 1.0)
    points[:, COCO_17.index("left_wrist"), 2] += 0.15 * np.sin(np.arange(n_frames) * 0.4)
    yaw = np.broadcast_to(yaw_rad, n_frames)
    x, z = points[..., 0].copy(), points[..., 2].copy()
    points[..., 0] = np.cos(yaw)[:, None] * x + np.sin(yaw)[:, None] * z
    points[..., 2] = -np.sin(yaw)[:, None] * x + np.cos(yaw)[:, None] * z
    keypoints = 400 * points[..., :2] + [300, 50]
    boxes = np.concatenate([keypoints.min(axis=1), keypoints.max(axis=1)], axis=1)
    confidence = np.random.default_rng(0).uniform(0.8, 1.0, (n_frames, 17))
    return PoseTrack(1, np.arange(n_frames), keypoints, confidence, 1.7 * points, boxes)


def swap(track: PoseTrack, frames: slice) -> PoseTrack:
    """What a detector gives that confuses the sides in some frames."""
    arrays = {}
    for name in ("keypoints_px", "confidence", "positions_m"):
        array = getattr(track, name).copy()
        array[frames] = array[frames][:, MIRROR]
        arrays[name] = array
    return replace(track, **arrays)


@pytest.mark.parametrize("frames", [slice(20, 25), slice(20, 21), slice(0, 4), slice(36, 40)])
def test_a_swap_of_all_joints_is_undone_in_2d_in_3d_and_in_confidence(frames):
    true = standing(40)
    found, swapped = undo_swaps(swap(true, frames), COCO_17)
    assert np.flatnonzero(swapped).tolist() == list(range(40))[frames]
    for name in ("keypoints_px", "confidence", "positions_m"):
        np.testing.assert_array_equal(getattr(found, name), getattr(true, name))


def test_several_swaps_are_undone_each():
    true = standing(60)
    found, swapped = undo_swaps(swap(swap(true, slice(10, 14)), slice(30, 37)), COCO_17)
    assert swapped.sum() == 11
    np.testing.assert_array_equal(found.keypoints_px, true.keypoints_px)


def test_without_3d_the_picture_decides():
    true = replace(standing(40), positions_m=None)
    swapped = replace(swap(standing(40), slice(15, 20)), positions_m=None)
    found, _ = undo_swaps(swapped, COCO_17)
    assert found.positions_m is None
    np.testing.assert_array_equal(found.keypoints_px, true.keypoints_px)


@pytest.mark.parametrize("turns_per_s", [0.25, 1.0, 2.0])
def test_whoever_turns_round_is_left_alone(turns_per_s):
    track = standing(60, 2 * np.pi * turns_per_s * np.arange(60) / 30)
    found, swapped = undo_swaps(track, COCO_17)
    assert not swapped.any()
    np.testing.assert_array_equal(found.keypoints_px, track.keypoints_px)


def test_whoever_turns_away_while_nobody_looks_is_left_alone():
    track = standing(60, np.where(np.arange(60) < 30, 0.0, np.pi))
    gap = replace(track, frames=np.where(np.arange(60) < 30, np.arange(60), np.arange(60) + 14))
    assert not undo_swaps(gap, COCO_17)[1].any()


def test_most_frames_are_right():
    """A track that is swapped in most frames cannot be told from one that is swapped in the others."""
    true = standing(40)
    _, swapped = undo_swaps(swap(true, slice(5, 40)), COCO_17)
    assert swapped.tolist() == [True] * 5 + [False] * 35


def test_a_track_of_two_frames_stays_as_it_is():
    track = swap(standing(2), slice(1, 2))
    found, swapped = undo_swaps(track, COCO_17)
    assert found is track
    assert swapped.tolist() == [False, False]
