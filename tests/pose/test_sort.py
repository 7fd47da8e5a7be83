"""SORT against a textbook Kalman filter, against people that come, cross and go, and against MOT15 TUD-Campus."""

from __future__ import annotations

import numpy as np
import pytest

from har_virtual.exceptions import DataFormatError
from har_virtual.pose.sort import Sort


def person(x: float, y: float = 100.0, width: float = 40.0, height: float = 120.0) -> list[float]:
    return [x - width / 2, y - height / 2, x + width / 2, y + height / 2]


def iou(a: np.ndarray, b: np.ndarray) -> float:
    width, height = np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0)
    shared = width * height
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def reported_ids(tracker: Sort, frames: list[list[list[float]]]) -> list[list[int]]:
    return [tracker.update(boxes)[0].tolist() for boxes in frames]


def textbook_kalman(boxes: list[list[float] | None]) -> np.ndarray:
    """Filter one person with the full 7 x 7 matrices of the paper; None is a frame without a detection."""
    F = np.eye(7)
    F[[0, 1, 2], [4, 5, 6]] = 1
    H = np.eye(4, 7)
    Q = np.diag([1, 1, 1, 1, 0.01, 0.01, 0.0001])
    R = np.diag([1.0, 1, 10, 10])
    x, P = np.zeros(7), np.diag([10.0, 10, 10, 10, 10_000, 10_000, 10_000])
    filtered = []
    for frame, box in enumerate(boxes):
        z = None if box is None else as_measurement(np.array(box))
        if frame == 0:
            x[:4] = z
        else:
            x[6] = x[6] if x[2] + x[6] > 0 else 0
            x, P = F @ x, F @ P @ F.T + Q
            if z is not None:
                K = np.linalg.solve(H @ P @ H.T + R, H @ P).T
                x, P = x + K @ (z - H @ x), (np.eye(7) - K @ H) @ P
        filtered.append(x.copy())
    return np.array(filtered)


def as_measurement(box: np.ndarray) -> np.ndarray:
    left, top, right, bottom = box.T
    return np.array(
        [(left + right) / 2, (top + bottom) / 2, (right - left) * (bottom - top), (right - left) / (bottom - top)]
    ).T


def test_filter_agrees_with_the_textbook_matrices_also_through_gaps():
    rng = np.random.default_rng(0)
    boxes = [np.add(person(5.0 * t, 100 + t, 40 + t / 3, 120 - t / 2), rng.normal(0, 2, 4)).tolist() for t in range(40)]
    boxes[12] = boxes[25] = boxes[26] = None
    tracker = Sort(min_hits=1, max_age=2, coast=True)
    tracked = [tracker.update([] if box is None else [box]) for box in boxes]
    assert [ids.tolist() for ids, _ in tracked] == [[1]] * 40
    measured = as_measurement(np.concatenate([box for _, box in tracked]))
    np.testing.assert_allclose(measured, textbook_kalman(boxes)[:, :4], rtol=1e-9)


def test_filters_of_several_persons_do_not_mix():
    paths = [[person(4.0 * t) for t in range(10)], [person(900 - 7.0 * t, width=60) for t in range(10)]]
    tracker = Sort()
    together = [tracker.update(boxes)[1] for boxes in zip(*paths, strict=True)]
    for index, path in enumerate(paths):
        alone = Sort()
        np.testing.assert_allclose([boxes[index] for boxes in together], [alone.update([box])[1][0] for box in path])


def test_box_that_shrinks_fast_keeps_a_positive_area_while_it_coasts():
    tracker = Sort(min_hits=1, max_age=20, coast=True)
    for scale in (1.0, 0.9, 0.8, 0.7):
        tracker.update([person(0, 0, 100 * scale, 300 * scale)])
    for _ in range(20):
        (box,) = tracker.update([])[1]
        assert box[2] > box[0] and box[3] > box[1]


def test_steady_motion_is_predicted_at_its_velocity():
    tracker = Sort(coast=True)
    for t in range(30):
        tracker.update([person(6.0 * t)])
    _, boxes = tracker.update([])
    np.testing.assert_allclose(boxes, [person(6.0 * 30)], atol=0.01)


def test_each_person_keeps_an_id_and_names_its_detection_when_detections_change_order():
    tracker = Sort()
    tracker.update([person(100), person(300), person(500)])
    ids, boxes = tracker.update([person(501), person(101), person(301)])
    assert ids.tolist() == [1, 2, 3]
    assert tracker.detection_indices.tolist() == [1, 2, 0]
    np.testing.assert_allclose(boxes, [person(101), person(301), person(501)], atol=1)


def test_people_who_enter_and_leave_get_consecutive_ids():
    a, b, c = person(100), person(300), person(500)
    tracker = Sort(min_hits=2)
    frames = [[a]] * 3 + [[a, b]] * 3 + [[b]] * 3 + [[c, b]] * 3
    assert reported_ids(tracker, frames) == [[1]] * 3 + [[1]] + [[1, 2]] * 2 + [[2]] * 3 + [[2]] + [[2, 3]] * 2


def test_tracks_that_are_never_reported_use_no_id():
    steady = person(100)
    blinks = [[steady, person(300 + 100 * t)] for t in range(5)]
    tracker = Sort(max_age=0)
    reported_ids(tracker, [[steady]] * 3 + blinks)
    assert reported_ids(tracker, [[steady, person(1500)]] * 3)[-1] == [1, 2]


def test_two_people_who_cross_keep_their_ids():
    right = [person(100 + 12.0 * t, 100) for t in range(31)]
    left = [person(460 - 12.0 * t, 112) for t in range(31)]
    tracker = Sort()
    for t, (a, b) in enumerate(zip(right, left, strict=True)):
        # The detector's order says nothing about who is who.
        ids, _ = tracker.update([a, b] if t % 2 else [b, a])
        detection = dict(zip(ids.tolist(), tracker.detection_indices.tolist(), strict=True))
        assert detection == ({1: 1, 2: 0} if t % 2 else {1: 0, 2: 1})


def test_assignment_takes_the_greatest_sum_of_overlaps_not_the_greatest_overlap_first():
    tracker = Sort(min_hits=1, iou_threshold=0.1)
    tracker.update([person(100), person(125)])
    # The left person overlaps only detection 0, which the right person overlaps more.
    ids, _ = tracker.update([person(115), person(142)])
    assert ids.tolist() == [1, 2]
    assert tracker.detection_indices.tolist() == [0, 1]


def test_pair_below_the_threshold_never_displaces_a_pair_above_it():
    tracker = Sort(min_hits=1, iou_threshold=0.5)
    tracker.update([person(100), person(128)])
    # .54 for track 2 and detection 0 is less than .43 + .40 for both tracks, but neither of those is enough.
    ids, _ = tracker.update([person(116), person(145)])
    assert ids.tolist() == [2, 3]
    assert tracker.detection_indices.tolist() == [0, 1]


@pytest.mark.parametrize(("shift", "same"), [(20.0, True), (22.0, False)])
def test_detection_must_overlap_the_prediction_by_the_threshold(shift, same):
    # Boxes 40 wide shifted by s overlap by (40 - s) / (40 + s): 1/3 at 20, .290 at 22.
    tracker = Sort()
    ids = reported_ids(tracker, [[person(100)], [person(100 + shift)]])
    assert ids == ([[1], [1]] if same else [[1], [2]])


def test_boxes_apart_are_never_joined_even_at_threshold_zero():
    assert reported_ids(Sort(iou_threshold=0.0), [[person(100)], [person(900)]]) == [[1], [2]]


@pytest.mark.parametrize("min_hits", [1, 2, 3, 5])
def test_track_is_reported_from_its_min_hits_th_detection(min_hits):
    tracker = Sort(min_hits=min_hits)
    reported_ids(tracker, [[]] * 10)
    ids = reported_ids(tracker, [[person(100)]] * 6)
    assert ids == [[]] * (min_hits - 1) + [[1]] * (7 - min_hits)


def test_everyone_is_reported_in_the_first_min_hits_frames():
    frames = [[], [person(100)], [person(100), person(300)], [person(100), person(300)], [person(100), person(300)]]
    assert reported_ids(Sort(min_hits=3), frames) == [[], [1], [1, 2], [1], [1, 2]]


def test_track_must_collect_its_hits_anew_after_a_gap_without_coasting():
    frames = [[person(100)]] * 5 + [[]] + [[person(100)]] * 4
    assert reported_ids(Sort(), frames) == [[1]] * 5 + [[]] + [[], []] + [[1]] * 2


def test_coasting_leaves_no_hole_in_a_track():
    tracker = Sort(coast=True)
    frames = [[person(100)]] * 5 + [[]] + [[person(100)]] * 4
    detections = []
    for boxes in frames:
        ids, _ = tracker.update(boxes)
        assert ids.tolist() == [1]
        detections += tracker.detection_indices.tolist()
    assert detections == [0] * 5 + [-1] + [0] * 4


def test_coasting_does_not_report_a_track_before_its_min_hits():
    tracker = Sort(coast=True, max_age=3)
    reported_ids(tracker, [[]] * 3)
    assert reported_ids(tracker, [[person(100)], [], [person(100)], [person(100)], []]) == [[]] * 5


@pytest.mark.parametrize("max_age", [0, 1, 4])
def test_track_survives_max_age_missing_frames_and_no_more(max_age):
    def ids_after(gap):
        return reported_ids(Sort(min_hits=1, max_age=max_age), [[person(100)]] + [[]] * gap + [[person(100)]])[-1]

    assert ids_after(max_age) == [1]
    assert ids_after(max_age + 1) == [2]


def test_coasted_boxes_end_with_max_age():
    tracker = Sort(min_hits=1, max_age=2, coast=True)
    assert reported_ids(tracker, [[person(100)]] + [[]] * 4) == [[1], [1], [1], [], []]


@pytest.mark.parametrize("nobody", [[], np.empty((0, 4)), np.empty(0)])
def test_frame_without_a_person_reports_nothing(nobody):
    tracker = Sort()
    ids, boxes = tracker.update(nobody)
    assert ids.shape == (0,) and np.issubdtype(ids.dtype, np.integer)
    assert boxes.shape == (0, 4)
    assert tracker.detection_indices.shape == (0,)


def test_ids_are_counted_per_tracker():
    first, second = Sort(), Sort()
    reported_ids(first, [[person(100), person(300)]])
    assert reported_ids(second, [[person(500)]]) == [[1]]
    assert reported_ids(first, [[person(100), person(300), person(500)]]) == [[1, 2, 3]]


def test_reset_forgets_tracks_ids_and_the_frame_count():
    frames = [[person(100)], [person(100), person(300)], [person(102)], [], [person(700)]]
    tracker = Sort()
    before = reported_ids(tracker, frames)
    tracker.reset()
    assert tracker.detection_indices.shape == (0,)
    assert reported_ids(tracker, frames) == before


def test_results_are_the_callers_own():
    tracker, other = Sort(), Sort()
    for t in range(5):
        ids, boxes = tracker.update([person(10.0 * t)])
        expected_ids, expected_boxes = other.update([person(10.0 * t)])
        np.testing.assert_array_equal(ids, expected_ids)
        np.testing.assert_array_equal(boxes, expected_boxes)
        ids[:], boxes[:], tracker.detection_indices[:] = 99, -1, 99


@pytest.mark.parametrize(
    ("boxes", "message"),
    [
        ([[0, 0, np.nan, 10]], "not finite in row 0"),
        ([person(0), [0, 0, np.inf, 10]], "not finite in row 1"),
        ([person(0), [10, 0, 10, 20]], "no extent in row 1"),
        ([[10, 30, 20, 20]], "no extent in row 0"),
        ([0, 0, 10, 10], "has shape"),
        ([[0, 0, 10, 10, 0.9]], "has shape"),
        (np.empty((0, 5)), "has shape"),
        ([[0, 0, 10, 10], [0, 0]], "no array of numbers"),
        ([[0, 0, "right", 10]], "no array of numbers"),
    ],
)
def test_bad_boxes_are_refused_with_their_frame_and_leave_the_tracker_as_it_was(boxes, message):
    tracker = Sort(max_age=0)
    tracker.update([person(100)])
    with pytest.raises(DataFormatError, match=message) as error:
        tracker.update(boxes)
    assert "frame 1" in str(error.value)
    assert reported_ids(tracker, [[person(100)]]) == [[1]]


@pytest.mark.parametrize(
    ("name", "value"),
    [("max_age", -1), ("min_hits", -1), ("iou_threshold", -0.1), ("iou_threshold", 1.1), ("iou_threshold", np.nan)],
)
def test_impossible_parameters_are_refused_by_name(name, value):
    with pytest.raises(ValueError, match=name):
        Sort(**{name: value})


def read_mot(path):
    rows = np.loadtxt(path, delimiter=",")
    rows = rows[rows[:, 6] != 0]
    rows[:, 4:6] += rows[:, 2:4]
    return [rows[rows[:, 0] == frame] for frame in range(1, 72)]


def test_tud_campus_reaches_the_published_accuracy(test_data):
    motmetrics = pytest.importorskip("motmetrics")
    folder = test_data / "mot" / "TUD-Campus"
    accumulator = motmetrics.MOTAccumulator(auto_id=True)
    tracker = Sort()
    for detected, truth in zip(read_mot(folder / "det.txt"), read_mot(folder / "gt.txt"), strict=True):
        ids, boxes = tracker.update(detected[:, 2:6])
        distance = 1 - np.array([[iou(true, box) for box in boxes] for true in truth[:, 2:6]])
        distance[distance > 0.5] = np.nan
        accumulator.update(truth[:, 1].astype(int), ids, distance.reshape(len(truth), len(ids)))
    summary = motmetrics.metrics.create().compute(accumulator, metrics=["mota", "num_switches"]).iloc[0]
    assert summary["mota"] >= 0.627
    assert summary["num_switches"] <= 7


def test_tud_campus_detections_belong_to_at_most_one_track_and_overlap_it(test_data):
    tracker = Sort(coast=True, max_age=3)
    for detected in read_mot(test_data / "mot" / "TUD-Campus" / "det.txt"):
        ids, boxes = tracker.update(detected[:, 2:6])
        taken = tracker.detection_indices
        assert len(set(ids.tolist())) == len(ids) == len(boxes) == len(taken)
        seen = taken >= 0
        assert len(set(taken[seen].tolist())) == seen.sum()
        assert all(iou(box, detected[row, 2:6]) >= 0.3 for box, row in zip(boxes[seen], taken[seen], strict=True))


def test_the_three_parameters_of_the_paper_can_be_given_in_its_order():
    tracker = Sort(2, 1, 0.4)
    assert (tracker.max_age, tracker.min_hits, tracker.iou_threshold) == (2, 1, 0.4)
