"""What a pose backend gives, and what counts as one."""

from __future__ import annotations

import numpy as np
import pytest

from har_virtual.exceptions import DataFormatError
from har_virtual.pose import FramePoses, PoseBackend
from har_virtual.pose.backend import bounding_boxes
from har_virtual.pose.skeletons import COCO_17


def poses(n: int = 3, n_joints: int = 4) -> FramePoses:
    rng = np.random.default_rng(0)
    return FramePoses(rng.uniform(0, 100, (n, n_joints, 2)), np.ones((n, n_joints)), rng.normal(size=(n, n_joints, 3)))


def test_persons_are_counted_and_taken_by_index_or_mask():
    three = poses()
    assert len(three) == 3
    for chosen in (np.array([2, 0]), np.array([True, False, True])):
        taken = three.take(chosen)
        assert len(taken) == 2
        np.testing.assert_array_equal(taken.keypoints_px, three.keypoints_px[chosen])
        np.testing.assert_array_equal(taken.confidence, three.confidence[chosen])
        np.testing.assert_array_equal(taken.positions_m, three.positions_m[chosen])
    assert FramePoses(three.keypoints_px, three.confidence).take(np.array([1])).positions_m is None


def test_a_frame_without_persons_is_valid():
    assert len(FramePoses(np.empty((0, 17, 2)), np.empty((0, 17)), np.empty((0, 17, 3)))) == 0


@pytest.mark.parametrize(
    ("keypoints", "confidence", "positions"),
    [
        ((2, 17, 2), (2, 16), None),
        ((2, 17, 3), (2, 17), None),
        ((17, 2), (17,), None),
        ((2, 17, 2), (2, 17), (2, 17, 2)),
        ((2, 17, 2), (2, 17), (1, 17, 3)),
    ],
)
def test_shapes_that_disagree_are_refused(keypoints: tuple, confidence: tuple, positions: tuple | None):
    with pytest.raises(DataFormatError, match="differ"):
        FramePoses(np.zeros(keypoints), np.zeros(confidence), None if positions is None else np.zeros(positions))


@pytest.mark.parametrize("field", ["keypoints_px", "confidence", "positions_m"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_joints_that_are_not_finite_are_refused(field: str, value: float):
    arrays = {name: getattr(poses(), name) for name in FramePoses.__dataclass_fields__}
    arrays[field].flat[5] = value
    with pytest.raises(DataFormatError, match="low confidence"):
        FramePoses(**arrays)


def test_boxes_are_tight_around_what_is_seen():
    keypoints = np.array([[[10.0, 20], [30, 80], [500, 500]]])
    np.testing.assert_array_equal(
        bounding_boxes(FramePoses(keypoints, np.array([[1, 0.5, 0.2]])), 0.3), [[10, 20, 30, 80]]
    )
    # The limit itself is seen; where nothing is, all joints count.
    np.testing.assert_array_equal(
        bounding_boxes(FramePoses(keypoints, np.array([[0.3, 0.5, 0.29]])), 0.3), [[10, 20, 30, 80]]
    )
    np.testing.assert_array_equal(bounding_boxes(FramePoses(keypoints, np.zeros((1, 3))), 0.3), [[10, 20, 500, 500]])


def test_a_box_is_at_least_a_pixel_wide_and_leaves_the_confidence_alone():
    confidence = np.array([[1.0, 0.0], [0.0, 0.0]])
    single = FramePoses(np.array([[[10.0, 20], [50, 60]], [[5.0, 5], [5, 5]]]), confidence)
    np.testing.assert_array_equal(bounding_boxes(single, 0.3), [[10, 20, 11, 21], [5, 5, 6, 6]])
    np.testing.assert_array_equal(confidence, [[1, 0], [0, 0]])
    assert bounding_boxes(FramePoses(np.empty((0, 2, 2)), np.empty((0, 2))), 0.3).shape == (0, 4)


def test_three_names_make_a_backend():
    class Own:
        skeleton = COCO_17
        cache_key = "own"

        def detect(self, frames):
            return iter(())

    assert isinstance(Own(), PoseBackend)
    assert not isinstance(object(), PoseBackend)
