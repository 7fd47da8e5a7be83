"""From persons in frames to persons over time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from har_virtual.pose.backend import FramePoses, bounding_boxes
from har_virtual.pose.sort import Sort

# Two poses are the same person if their joints lie closer than this share of the box diagonal.
_DUPLICATE_DISTANCE = 0.08


@dataclass(frozen=True, eq=False)
class PoseTrack:
    """One person's poses over the frames in which that person was found.

    Parameters
    ----------
    track_id : int
        From 1, in the order of appearance.
    frames : int array of shape (n_found,)
        Index of the frame of each pose, increasing; gaps are frames without the person.
    keypoints_px : array of shape (n_found, n_joints, 2)
    confidence : array of shape (n_found, n_joints)
    positions_m : array of shape (n_found, n_joints, 3) or None
    boxes_xyxy : array of shape (n_found, 4)
        Tight around the joints that are seen, px.
    """

    track_id: int
    frames: np.ndarray
    keypoints_px: np.ndarray
    confidence: np.ndarray
    positions_m: np.ndarray | None
    boxes_xyxy: np.ndarray

    def __len__(self) -> int:
        return len(self.frames)


@dataclass
class TrackCounts:
    """What was left out on the way from detections to tracks."""

    detected_poses: int = 0
    incomplete_poses: int = 0
    duplicate_poses: int = 0
    untracked_poses: int = 0
    short_tracks: int = 0


@dataclass
class _Growing:
    frames: list[int] = field(default_factory=list)
    poses: list[FramePoses] = field(default_factory=list)
    boxes: list[np.ndarray] = field(default_factory=list)


def track_poses(
    frames_poses: Iterable[FramePoses],
    *,
    tracker: Sort,
    size_px: tuple[int, int],
    min_confidence: float = 0.3,
    max_missing: float = 0.5,
) -> tuple[list[PoseTrack], TrackCounts]:
    """Connect the poses of successive frames to persons (IMUTube, section 2.2).

    A joint outside the picture is not seen, whatever the detector believes. Poses of which more than `max_missing` of
    the joints are not seen are left out, then the tracker connects the boxes that are tight around the joints.

    Parameters
    ----------
    frames_poses : iterable of FramePoses
        One for each frame, in order.
    tracker : Sort
        It starts afresh.
    size_px : tuple of int
        Width and height of the picture.
    min_confidence : float, default=0.3
        A joint counts as seen from this confidence on.
    max_missing : float, default=0.5

    Returns
    -------
    tracks : list of PoseTrack
        In the order of appearance.
    counts : TrackCounts
    """
    growing: dict[int, _Growing] = {}
    counts = TrackCounts()
    tracker.reset()
    for index, poses in enumerate(frames_poses):
        counts.detected_poses += len(poses)
        poses = _inside(poses, size_px)
        poses = _complete(poses, min_confidence, max_missing, counts)
        poses = _distinct(poses, min_confidence, counts)
        boxes = bounding_boxes(poses, min_confidence)
        ids, _ = tracker.update(boxes)
        counts.untracked_poses += len(poses) - int((tracker.detection_indices >= 0).sum())
        for track_id, detection in zip(ids.tolist(), tracker.detection_indices, strict=True):
            if detection >= 0:
                track = growing.setdefault(track_id, _Growing())
                track.frames.append(index)
                track.poses.append(poses.take(np.array([detection])))
                track.boxes.append(boxes[detection])
    return [_finish(track_id, track) for track_id, track in sorted(growing.items())], counts


def _inside(poses: FramePoses, size_px: tuple[int, int]) -> FramePoses:
    inside = ((poses.keypoints_px >= 0) & (poses.keypoints_px < size_px)).all(axis=-1)
    return FramePoses(poses.keypoints_px, np.where(inside, poses.confidence, 0.0), poses.positions_m)


def _complete(poses: FramePoses, min_confidence: float, max_missing: float, counts: TrackCounts) -> FramePoses:
    if not len(poses):
        return poses
    keep = np.mean(poses.confidence < min_confidence, axis=1) <= max_missing
    counts.incomplete_poses += int((~keep).sum())
    return poses.take(keep)


def _distinct(poses: FramePoses, min_confidence: float, counts: TrackCounts) -> FramePoses:
    """A detector that follows several persons can end up on the same one twice."""
    if len(poses) < 2:
        return poses
    boxes = bounding_boxes(poses, min_confidence)
    diagonal = np.linalg.norm(boxes[:, 2:] - boxes[:, :2], axis=1)
    distance = np.linalg.norm(poses.keypoints_px[:, None] - poses.keypoints_px[None], axis=-1).mean(axis=-1)
    same = distance < _DUPLICATE_DISTANCE * np.maximum(diagonal[:, None], diagonal)
    keep = ~np.tril(same, k=-1).any(axis=1)
    counts.duplicate_poses += int((~keep).sum())
    return poses.take(keep)


def _finish(track_id: int, track: _Growing) -> PoseTrack:
    positions = [pose.positions_m for pose in track.poses if pose.positions_m is not None]
    return PoseTrack(
        track_id=track_id,
        frames=np.array(track.frames),
        keypoints_px=np.concatenate([pose.keypoints_px for pose in track.poses]),
        confidence=np.concatenate([pose.confidence for pose in track.poses]),
        positions_m=np.concatenate(positions) if positions else None,
        boxes_xyxy=np.stack(track.boxes),
    )


def split_at_gaps(track: PoseTrack, timestamps_s: np.ndarray, max_gap_s: float) -> list[PoseTrack]:
    """Cut a track where nothing is known of the person for longer than `max_gap_s`."""
    cuts = np.flatnonzero(np.diff(timestamps_s[track.frames]) > max_gap_s) + 1
    return [
        PoseTrack(
            track_id=track.track_id,
            frames=track.frames[part],
            keypoints_px=track.keypoints_px[part],
            confidence=track.confidence[part],
            positions_m=None if track.positions_m is None else track.positions_m[part],
            boxes_xyxy=track.boxes_xyxy[part],
        )
        for part in np.split(np.arange(len(track)), cuts)
    ]


def long_enough(tracks: Iterable[PoseTrack], timestamps_s: np.ndarray, min_track_s: float) -> Iterator[PoseTrack]:
    """Give the tracks whose last frame ends at least `min_track_s` after their first one begins."""
    frame_s = np.median(np.diff(timestamps_s)) if len(timestamps_s) > 1 else 0.0
    for track in tracks:
        if timestamps_s[track.frames[-1]] - timestamps_s[track.frames[0]] + frame_s >= min_track_s - 1e-9:
            yield track
