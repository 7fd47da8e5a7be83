"""From poses to persons, on poses made up so that every count is known."""

from __future__ import annotations

import numpy as np
import pytest

from har_virtual.pose import FramePoses, PoseTrack, Sort, track_poses
from har_virtual.pose.tracking import TrackCounts, long_enough

SIZE = (1000, 600)
N_JOINTS = 8
# A figure of eight joints, 60 px wide and 200 px high.
FIGURE = np.array([[0, -100], [-30, -60], [30, -60], [-20, 0], [20, 0], [-25, 100], [25, 100], [0, -40]], dtype=float)


def pose(x: float, y: float = 300.0, scale: float = 1.0, mark: float = 0.0) -> dict[str, np.ndarray]:
    """One person; `mark` is put into the third dimension so that the person can be told in the result."""
    keypoints = FIGURE * scale + (x, y)
    return {
        "keypoints_px": keypoints,
        "confidence": np.ones(N_JOINTS),
        "positions_m": np.concatenate([FIGURE / 100, np.full((N_JOINTS, 1), mark)], axis=1),
    }


def frame(*persons: dict[str, np.ndarray]) -> FramePoses:
    if not persons:
        return FramePoses(np.empty((0, N_JOINTS, 2)), np.empty((0, N_JOINTS)), np.empty((0, N_JOINTS, 3)))
    return FramePoses(*(np.stack([person[name] for person in persons]) for name in persons[0]))


def track(frames: list[FramePoses], max_age: int = 5, min_hits: int = 1, coast: bool = False, **options):
    sort = Sort(max_age=max_age, min_hits=min_hits, iou_threshold=0.1, coast=coast)
    return track_poses(frames, tracker=sort, size_px=SIZE, **options)


def test_one_person_is_one_track_of_every_frame():
    tracks, counts = track([frame(pose(100 + 10 * t, mark=7)) for t in range(20)])
    (person,) = tracks
    assert person.track_id == 1
    assert len(person) == 20
    np.testing.assert_array_equal(person.frames, np.arange(20))
    np.testing.assert_array_equal(person.keypoints_px[3], FIGURE + np.array([130, 300]))
    np.testing.assert_array_equal(person.positions_m[..., 2], 7)
    assert person.confidence.shape == (20, N_JOINTS)
    assert counts == TrackCounts(detected_poses=20)


def test_two_people_who_cross_keep_their_identities_whatever_the_order_of_detection():
    rng = np.random.default_rng(0)
    frames = []
    for t in range(60):
        # They pass at different distances, so that they overlap but differ in size.
        people = [pose(200 + 10 * t, mark=1), pose(800 - 10 * t, 320, 1.3, mark=2)]
        rng.shuffle(people)
        frames.append(frame(*people))
    tracks, counts = track(frames)
    assert [len(person) for person in tracks] == [60, 60]
    assert {len(np.unique(person.positions_m[..., 2])) for person in tracks} == {1}
    assert counts == TrackCounts(detected_poses=120)


def test_boxes_are_tight_around_the_joints_that_are_seen():
    hidden = pose(500)
    hidden["confidence"][0] = 0.1
    (person, other), _ = track([frame(pose(500), pose(800)), frame(pose(800), hidden)])
    np.testing.assert_allclose(person.boxes_xyxy, [[470, 200, 530, 400], [470, 240, 530, 400]])
    np.testing.assert_allclose(other.boxes_xyxy, [[770, 200, 830, 400]] * 2)


def test_a_person_found_twice_counts_once():
    frames = [frame(pose(300 + 5 * t, mark=1), pose(303 + 5 * t, 301, mark=2), pose(700, mark=3)) for t in range(10)]
    tracks, counts = track(frames)
    assert [set(person.positions_m[..., 2].ravel()) for person in tracks] == [{1.0}, {3.0}]
    assert counts == TrackCounts(detected_poses=30, duplicate_poses=10)


def test_two_people_close_together_are_two():
    tracks, counts = track([frame(pose(300), pose(340)) for _ in range(10)])
    assert len(tracks) == 2
    assert counts.duplicate_poses == 0


@pytest.mark.parametrize(("n_missing", "kept"), [(3, True), (4, True), (5, False), (8, False)])
def test_a_pose_goes_if_over_half_its_joints_are_missing(n_missing: int, kept: bool):
    incomplete = pose(300)
    incomplete["confidence"][:n_missing] = 0.29
    tracks, counts = track([frame(incomplete), frame(pose(300))])
    assert counts == TrackCounts(detected_poses=2, incomplete_poses=0 if kept else 1)
    assert len(tracks[0]) == (2 if kept else 1)


def test_a_joint_counts_as_seen_from_the_stated_confidence_on():
    doubtful = pose(300)
    doubtful["confidence"][:] = 0.3
    assert track([frame(doubtful)])[1].incomplete_poses == 0
    assert track([frame(doubtful)], min_confidence=0.31)[1].incomplete_poses == 1
    doubtful["confidence"][:6] = 0.0
    assert track([frame(doubtful)], max_missing=0.75)[1].incomplete_poses == 0
    assert track([frame(doubtful)], max_missing=0.74)[1].incomplete_poses == 1


@pytest.mark.parametrize(
    ("x", "y", "kept"),
    [
        pytest.param(0, 300, True, id="half out on the left"),
        pytest.param(-10, 300, False, id="more than half out on the left"),
        pytest.param(1010, 300, False, id="right"),
        pytest.param(500, 0, True, id="above"),
        pytest.param(500, 640, False, id="below"),
    ],
)
def test_joints_outside_the_picture_are_missing_however_sure_the_detector_is(x: float, y: float, kept: bool):
    tracks, counts = track([frame(pose(x, y))])
    assert (len(tracks), counts.incomplete_poses) == ((1, 0) if kept else (0, 1))
    if kept:
        outside = ((tracks[0].keypoints_px < 0) | (tracks[0].keypoints_px >= SIZE)).any(axis=-1)
        np.testing.assert_array_equal(tracks[0].confidence, np.where(outside, 0.0, 1.0))


def test_a_gap_of_max_age_is_bridged_and_a_longer_one_is_not():
    for gap, n_tracks in ((5, 1), (6, 2)):
        frames = [frame(pose(300)) for _ in range(6)] + [frame()] * gap + [frame(pose(300)) for _ in range(6)]
        tracks, counts = track(frames, max_age=5)
        assert len(tracks) == n_tracks
        np.testing.assert_array_equal(
            np.concatenate([person.frames for person in tracks]), [*range(6), *range(6 + gap, 12 + gap)]
        )
        assert counts == TrackCounts(detected_poses=12)


def test_people_are_numbered_as_they_appear():
    frames = [frame(*[pose(x) for x, since in ((800, 0), (200, 3), (500, 6)) if t >= since]) for t in range(10)]
    tracks, _ = track(frames)
    assert [person.track_id for person in tracks] == [1, 2, 3]
    assert [person.frames[0] for person in tracks] == [0, 3, 6]
    assert [person.keypoints_px[0, 0, 0] for person in tracks] == [800, 200, 500]


def test_every_pose_is_in_a_track_or_counted():
    rng = np.random.default_rng(1)
    frames = []
    for _ in range(80):
        people = [pose(rng.uniform(-50, 1050), rng.uniform(200, 400)) for _ in range(rng.integers(0, 5))]
        for person in people:
            person["confidence"][:] = rng.uniform(0, 1, N_JOINTS)
        twice = [dict(person, keypoints_px=person["keypoints_px"] + 1) for person in people if rng.random() < 0.2]
        frames.append(frame(*people, *twice))
    for coast in (False, True):
        tracks, counts = track(frames, min_hits=2, coast=coast)
        left_out = counts.incomplete_poses + counts.duplicate_poses + counts.untracked_poses
        assert counts.detected_poses == sum(map(len, frames)) == left_out + sum(map(len, tracks))
        assert min(counts.incomplete_poses, counts.duplicate_poses, counts.untracked_poses) > 0


def test_a_tracker_that_was_used_before_starts_afresh():
    sort = Sort(max_age=5, min_hits=1, iou_threshold=0.1)
    for x in (100, 300):
        frames = [frame(pose(x), pose(x + 400)) for _ in range(4)]
        tracks, _ = track_poses(frames, tracker=sort, size_px=SIZE)
        assert [person.track_id for person in tracks] == [1, 2]


def test_two_dimensions_are_enough():
    flat = [FramePoses(poses.keypoints_px, poses.confidence) for poses in [frame(pose(300))] * 3]
    (person,), _ = track(flat)
    assert person.positions_m is None


def test_no_frames_and_nobody_give_no_tracks():
    assert track([]) == ([], TrackCounts())
    assert track([frame()] * 5) == ([], TrackCounts())


def test_frames_are_taken_one_by_one():
    alive = []

    def frames():
        for t in range(5):
            alive.append(t)
            yield frame(pose(300))

    track(frames())
    assert alive == [0, 1, 2, 3, 4]


def of_frames(first: int, last: int) -> PoseTrack:
    frames = np.array([first, last])
    return PoseTrack(1, frames, np.zeros((2, 1, 2)), np.ones((2, 1)), None, np.zeros((2, 4)))


def test_a_track_of_exactly_the_least_length_stays():
    stamps = np.arange(100) / 30
    lengths = [last for last in range(1, 60) if list(long_enough([of_frames(0, last)], stamps, 1.0))]
    # 30 frames of 1/30 s last one second.
    assert lengths[0] == 29
    assert next(last for last in range(31, 90) if list(long_enough([of_frames(30, last)], stamps, 1.0))) == 59


def test_length_is_time_and_not_a_number_of_frames():
    stamps = np.concatenate([np.arange(10) * 0.01, 1 + np.arange(10) * 0.2])
    assert list(long_enough([of_frames(0, 9)], stamps, 0.5)) == []
    assert len(list(long_enough([of_frames(10, 14)], stamps, 0.5))) == 1


def test_a_clip_of_one_frame_has_no_long_track():
    single = PoseTrack(1, np.array([0]), np.zeros((1, 1, 2)), np.ones((1, 1)), None, np.zeros((1, 4)))
    assert list(long_enough([single], np.array([0.0]), 1.0)) == []
