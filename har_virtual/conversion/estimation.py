"""The expensive half of a conversion: from a video to its persons' motions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np

from har_virtual.camera import Intrinsics, camera_to_world, place_person
from har_virtual.camera.pnp import NEAR_M
from har_virtual.conversion.cache import MotionCache, file_sha256
from har_virtual.conversion.motions import ClipMotions, PersonMotion
from har_virtual.exceptions import DataFormatError, VideoError
from har_virtual.motion.kinematics import orient_segments
from har_virtual.pose import (
    FramePoses,
    PoseBackend,
    PoseTrack,
    Sort,
    clean_track,
    kalman_smooth,
    map_joints,
    track_poses,
)
from har_virtual.pose.skeletons import BODY_22, derivable
from har_virtual.pose.swaps import undo_swaps
from har_virtual.pose.tracking import long_enough, split_at_gaps
from har_virtual.recording import VideoClip
from har_virtual.signal import TimestampFit, regularize_timestamps
from har_virtual.skeleton import Motion, Skeleton
from har_virtual.video import Frame, VideoInfo, probe_video, read_frames

_MIN_WEIGHT = 0.05
_MIN_FRAMES = 8
# A pirouette reaches about 900.
_IMPLAUSIBLE_TURN_DEG_S = 1000.0
_HEAD_AND_NECK = Skeleton("head and neck", ("head", "neck"), (1, -1))


@dataclass(frozen=True, eq=False)
class MotionSettings:
    """Everything that changes the motions of a clip.

    Parameters
    ----------
    pose : PoseBackend
    intrinsics : Intrinsics or None
        None for a stated prior.
    pitch_deg, roll_deg : float
        Of the camera, see `har_virtual.camera.camera_to_world`.
    pnp : {"translation", "paper"}
    keypoint_cutoff_hz : float
        Half-power frequency of the Kalman smoother of the joints.
    person_depth_cutoff_hz, joint_depth_cutoff_hz : float
        The same for the distance to the camera of the person and of each joint (pnp="translation" only): a picture
        tells distance badly, and what it tells wrongly is differentiated twice.
    min_confidence, max_missing, min_track_s, max_gap_s, iou_threshold : float
        A joint is seen from this confidence on; a pose may miss this share of its joints; a track lasts at least so
        long and survives so long without a detection; boxes of successive frames overlap at least so much.
    """

    pose: PoseBackend
    intrinsics: Intrinsics | None = None
    pitch_deg: float = 0.0
    roll_deg: float = 0.0
    pnp: Literal["translation", "paper"] = "translation"
    keypoint_cutoff_hz: float = 6.0
    person_depth_cutoff_hz: float = 1.0
    joint_depth_cutoff_hz: float = 2.0
    min_confidence: float = 0.3
    max_missing: float = 0.5
    min_track_s: float = 1.0
    max_gap_s: float = 0.5
    iou_threshold: float = 0.1

    @property
    def cache_key(self) -> str:
        """Changes with every setting but the camera's tilt, which turns finished motions."""
        others = ("pose", "pitch_deg", "roll_deg")
        values = [getattr(self, name) for name in self.__dataclass_fields__ if name not in others]
        return "|".join([self.pose.cache_key, *map(repr, values)])


def clip_motions(
    clip: VideoClip, settings: MotionSettings, cache: MotionCache, on_frame: Callable[[], Any] | None = None
) -> ClipMotions:
    """Give the motions of a clip, from the cache where they are."""
    key = f"{file_sha256(clip.path)}|{clip.start_s}|{clip.stop_s}|{settings.cache_key}"
    motions = cache.get(key)
    if motions is None:
        motions = estimate_motions(clip, settings, on_frame)
        cache.put(key, motions)
    # The same content may lie under another name.
    return _tilted(replace(motions, report={**motions.report, "video": str(clip.path)}), settings)


def _tilted(motions: ClipMotions, settings: MotionSettings) -> ClipMotions:
    """Turn motions that were estimated for a level camera into the world of a tilted one, and say what was assumed."""
    pitch, roll = settings.pitch_deg, settings.roll_deg
    turn = camera_to_world(pitch, roll) @ camera_to_world().T
    persons = []
    for person in motions.persons:
        motion = person.motion
        rotations = None if motion.rotations is None else turn @ motion.rotations
        motion = motion.replace(positions_m=motion.positions_m @ turn.T, rotations=rotations)
        persons.append(replace(person, motion=motion, report={**person.report, "trunk_lean_deg": _trunk_lean(motion)}))
    assumed = "assumed level" if pitch == roll == 0 else f"given: pitch {pitch:g} deg, roll {roll:g} deg"
    camera = {**motions.report["camera"], "orientation": assumed}
    return replace(motions, persons=persons, report={**motions.report, "camera": camera})


def _trunk_lean(motion: Motion) -> float:
    """Median angle in degrees between trunk and vertical: near 0 for people who stand before a level camera."""
    trunk = motion.joint("neck") - motion.joint("pelvis")
    return float(np.median(np.rad2deg(np.arccos(np.clip(trunk[:, 2] / np.linalg.norm(trunk, axis=1), -1, 1)))))


def estimate_motions(
    clip: VideoClip, settings: MotionSettings, on_frame: Callable[[], Any] | None = None
) -> ClipMotions:
    """Find the persons of a clip and how they move (IMUTube, sections 2.2 to 2.4, for a camera that stands still).

    Frames are streamed: at no time is more than one held.

    Parameters
    ----------
    clip : VideoClip
    settings : MotionSettings
    on_frame : callable, optional
        Called after each frame, for a progress bar.

    Returns
    -------
    ClipMotions

    Raises
    ------
    VideoError
        If the video cannot be read to its end.
    """
    info = probe_video(clip.path)
    stamps: list[float] = []
    faces: list[np.ndarray] = []

    def frames() -> Iterator[Frame]:
        for frame in read_frames(clip):
            stamps.append(frame.timestamp_s)
            yield frame
            if on_frame is not None:
                on_frame()

    def poses() -> Iterator[FramePoses]:
        for index, found in enumerate(settings.pose.detect(frames())):
            faces.append(_faces(index, found, settings.pose.skeleton))
            yield found

    rate = info.frame_rate_hz if np.isfinite(info.frame_rate_hz) else 30.0
    max_age = max(1, round(settings.max_gap_s * rate))
    tracks, counts = track_poses(
        poses(),
        tracker=Sort(max_age=max_age, min_hits=1, iou_threshold=settings.iou_threshold),
        size_px=(info.width, info.height),
        min_confidence=settings.min_confidence,
        max_missing=settings.max_missing,
    )
    if len(stamps) < 2:
        raise VideoError(f"{clip.path}: {len(stamps)} frame in the clip; motion needs more. Give a longer clip.")
    fit = regularize_timestamps(np.array(stamps), info.tick_s)
    context = _Context(clip, settings, settings.intrinsics or Intrinsics.prior(info.width, info.height), info, fit)
    parts = [part for track in tracks for part in split_at_gaps(track, fit.timestamps_s, settings.max_gap_s)]
    long = list(long_enough(parts, fit.timestamps_s, settings.min_track_s))
    kept = sorted((part for part in long if len(part) >= _MIN_FRAMES), key=lambda part: part.frames[0])
    counts.short_tracks = len(parts) - len(kept)
    persons = [_person_motion(number, part, context) for number, part in enumerate(kept, start=1)]
    seen = np.concatenate(faces)
    seen[:, 0] = fit.timestamps_s[seen[:, 0].astype(int)]
    return ClipMotions(persons, _clip_report(context, asdict(counts)), seen)


@dataclass(frozen=True, eq=False)
class _Context:
    """What every person of a clip shares."""

    clip: VideoClip
    settings: MotionSettings
    intrinsics: Intrinsics
    info: VideoInfo
    fit: TimestampFit

    @property
    def name(self) -> str:
        """The video's content, and the bounds where the clip is a part of it: in each clip tracks are counted anew."""
        name = f"video:{file_sha256(self.clip.path)[:8]}"
        return f"{name}@{self.clip.bounds}" if self.clip.bounds else name


def _faces(index: int, poses: FramePoses, skeleton: Skeleton) -> np.ndarray:
    """Index of the frame, middle and radius of every face."""
    head, neck = np.moveaxis(map_joints(poses.keypoints_px, skeleton, _HEAD_AND_NECK), 1, 0)
    radius = 0.75 * np.linalg.norm(head - neck, axis=1)
    return np.column_stack([np.full(len(head), float(index)), head, radius])


def _clip_report(context: _Context, counts: dict[str, int]) -> dict[str, Any]:
    clip, info, fit, settings = context.clip, context.info, context.fit, context.settings
    n_frames = len(fit.timestamps_s)
    return {
        "video": str(clip.path),
        "sha256": file_sha256(clip.path),
        "clip_s": [clip.start_s, clip.stop_s],
        "size_px": [info.width, info.height],
        "n_frames": n_frames,
        "duration_s": float(fit.timestamps_s[-1] - fit.timestamps_s[0]),
        "timing": {
            "container_rate_hz": info.frame_rate_hz,
            "fitted_rate_hz": fit.rate_hz,
            "constant_rate": fit.regular,
            "container_tick_s": info.tick_s,
            "fitted_tick_s": fit.tick_s,
            "max_deviation_s": fit.max_deviation_s,
        },
        "camera": {
            "focal_px": list(context.intrinsics.focal_px),
            "center_px": list(context.intrinsics.center_px),
            "intrinsics": context.intrinsics.source,
            "ego_motion": "assumed fixed",
            "pnp": settings.pnp,
        },
        "body": "proportions as the pose model gives them, for an average adult",
        "pose": settings.pose.cache_key,
        "left_out": counts,
        "no_person": (
            f"nobody was tracked for {settings.min_track_s:g} s ({counts['detected_poses']} poses found in "
            f"{n_frames} frames, {counts['incomplete_poses']} of them incomplete)."
        ),
    }


def _person_motion(track_id: int, track: PoseTrack, context: _Context) -> PersonMotion:
    settings, stamps = context.settings, context.fit.timestamps_s
    source = settings.pose.skeleton
    body = derivable(source, BODY_22)
    track, swapped = undo_swaps(track, source)
    clean = clean_track(track, stamps, cutoff_hz=settings.keypoint_cutoff_hz, min_confidence=settings.min_confidence)
    if clean.positions_m is None:
        raise DataFormatError(f"The pose backend {settings.pose.cache_key} gives no 3D joints; use one that does.")
    keypoints = map_joints(clean.keypoints_px, source, body)
    confidence = map_joints(clean.confidence[..., None], source, body)[..., 0]
    pose = map_joints(clean.positions_m, source, body)
    times = stamps[clean.frames]
    placed = place(pose, keypoints, confidence, times, settings, context.intrinsics)
    motion = orient_segments(
        Motion(
            positions_m=placed @ camera_to_world().T,
            timestamps_s=times,
            skeleton=body,
            subject=f"{context.name}/{track_id}",
        )
    )
    turn_deg_s, turn_at_s = _fastest_turn(motion)
    report = {
        "track_id": track_id,
        "start_s": round(float(times[0]), 6),
        "stop_s": round(float(times[-1]), 6),
        "n_frames": len(clean),
        "interpolated_poses": clean.interpolated_poses,
        "swapped_poses": int(swapped.sum()),
        "n_joints": int(clean.confidence.size),
        "missing_joints": clean.missing_joints,
        "outlier_joints": clean.outlier_joints,
        "mean_confidence": float(clean.track.confidence.mean()),
        "distance_m": float(np.median(placed[:, :, 2])),
        "twist_confidence": motion.attrs["twist_confidence"],
        "fastest_pelvis_turn_deg_s": turn_deg_s,
        "doubts": _doubts(turn_deg_s, turn_at_s),
        **_in_picture(clean.track.boxes_xyxy, context.info),
    }
    boxes = np.concatenate([keypoints.min(axis=1), keypoints.max(axis=1)], axis=1)
    return PersonMotion(track_id, motion, keypoints, boxes, report)


def _fastest_turn(motion: Motion) -> tuple[float, float]:
    """Largest rate in degrees a second at which the pelvis turns between two frames, and when."""
    rotations = np.asarray(motion.rotations)[:, motion.skeleton.root]
    cosine = (np.einsum("tij,tij->t", rotations[1:], rotations[:-1]) - 1) / 2
    rates = np.rad2deg(np.arccos(np.clip(cosine, -1, 1))) / np.diff(motion.timestamps_s)
    at = int(rates.argmax())
    return float(rates[at]), float(motion.timestamps_s[at])


def _doubts(turn_deg_s: float, turn_at_s: float) -> list[str]:
    if turn_deg_s <= _IMPLAUSIBLE_TURN_DEG_S:
        return []
    return [f"the pelvis turns by {turn_deg_s:.0f} deg/s at {turn_at_s:.2f} s: left and right may be confused there"]


def place(
    pose: np.ndarray,
    keypoints: np.ndarray,
    confidence: np.ndarray,
    times: np.ndarray,
    settings: MotionSettings,
    intrinsics: Intrinsics,
) -> np.ndarray:
    """Joints in the camera frame: equation 3, then each on the ray of its keypoint at its smoothed distance."""
    weights = np.maximum(confidence, _MIN_WEIGHT)
    rotations, translations = place_person(pose, keypoints, weights, intrinsics, method=settings.pnp)
    turned = np.einsum("tij,tkj->tki", rotations, pose)
    if settings.pnp == "paper":
        return turned + translations[:, None]
    person_weight = weights.mean(axis=1, keepdims=True)
    depth = kalman_smooth(translations[:, None, 2:], person_weight, times, settings.person_depth_cutoff_hz)
    depths = kalman_smooth(turned[..., 2:] + depth, weights, times, settings.joint_depth_cutoff_hz)[..., 0]
    return intrinsics.unproject(keypoints, np.maximum(depths, NEAR_M))


def _in_picture(boxes: np.ndarray, info: VideoInfo) -> dict[str, float]:
    size = np.array([info.width, info.height])
    share = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) / np.prod(size)
    middle = (boxes[:, 2:] + boxes[:, :2]) / 2 / size - 0.5
    return {"picture_share": float(share.mean()), "distance_from_center": float(np.linalg.norm(middle, axis=1).mean())}
