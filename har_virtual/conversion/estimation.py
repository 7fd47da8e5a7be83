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
from har_virtual.pose import CleanTrack, PoseBackend, Sort, clean_track, kalman_smooth, map_joints, track_poses
from har_virtual.pose.skeletons import BODY_22, derivable
from har_virtual.pose.tracking import long_enough
from har_virtual.recording import VideoClip
from har_virtual.signal import TimestampFit, regularize_timestamps
from har_virtual.skeleton import Motion
from har_virtual.video import Frame, VideoInfo, probe_video, read_frames

_MIN_WEIGHT = 0.05
_MIN_FRAMES = 8


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
        """Changes with every setting."""
        values = [getattr(self, name) for name in self.__dataclass_fields__ if name != "pose"]
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
    return replace(motions, report={**motions.report, "video": str(clip.path)})


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

    def frames() -> Iterator[Frame]:
        for frame in read_frames(clip):
            stamps.append(frame.timestamp_s)
            yield frame
            if on_frame is not None:
                on_frame()

    rate = info.frame_rate_hz if np.isfinite(info.frame_rate_hz) else 30.0
    max_age = max(1, round(settings.max_gap_s * rate))
    tracks, counts = track_poses(
        settings.pose.detect(frames()),
        tracker=Sort(max_age=max_age, min_hits=1, iou_threshold=settings.iou_threshold),
        size_px=(info.width, info.height),
        min_confidence=settings.min_confidence,
        max_missing=settings.max_missing,
    )
    if len(stamps) < 2:
        raise VideoError(f"{clip.path}: {len(stamps)} frame in the clip; motion needs more. Give a longer clip.")
    fit = regularize_timestamps(np.array(stamps), info.tick_s)
    intrinsics = settings.intrinsics or Intrinsics.prior(info.width, info.height)
    kept = [t for t in long_enough(tracks, fit.timestamps_s, settings.min_track_s) if len(t) >= _MIN_FRAMES]
    counts.short_tracks = len(tracks) - len(kept)
    sha256 = file_sha256(clip.path)
    persons = []
    for number, track in enumerate(kept, start=1):
        clean = clean_track(
            track, fit.timestamps_s, cutoff_hz=settings.keypoint_cutoff_hz, min_confidence=settings.min_confidence
        )
        persons.append(_person_motion(number, clean, fit.timestamps_s, settings, intrinsics, info, sha256))
    report = _clip_report(clip, info, fit, settings, intrinsics, asdict(counts), sha256)
    return ClipMotions(persons, report)


def _clip_report(
    clip: VideoClip,
    info: VideoInfo,
    fit: TimestampFit,
    settings: MotionSettings,
    intrinsics: Intrinsics,
    counts: dict[str, int],
    sha256: str,
) -> dict[str, Any]:
    level = settings.pitch_deg == 0 and settings.roll_deg == 0
    return {
        "video": str(clip.path),
        "sha256": sha256,
        "clip_s": [clip.start_s, clip.stop_s],
        "size_px": [info.width, info.height],
        "n_frames": len(fit.timestamps_s),
        "duration_s": float(fit.timestamps_s[-1] - fit.timestamps_s[0]),
        "timing": {
            "container_rate_hz": info.frame_rate_hz,
            "fitted_rate_hz": fit.rate_hz,
            "constant_rate": fit.regular,
            "container_tick_s": info.tick_s,
            "max_deviation_s": fit.max_deviation_s,
        },
        "camera": {
            "focal_px": list(intrinsics.focal_px),
            "center_px": list(intrinsics.center_px),
            "intrinsics": intrinsics.source,
            "orientation": "assumed level"
            if level
            else f"pitch {settings.pitch_deg} deg, roll {settings.roll_deg} deg",
            "ego_motion": "assumed fixed",
            "pnp": settings.pnp,
        },
        "pose": settings.pose.cache_key,
        "left_out": counts,
        "no_person": (
            f"nobody was tracked for {settings.min_track_s:g} s ({counts['detected_poses']} poses found in "
            f"{len(fit.timestamps_s)} frames, {counts['incomplete_poses']} of them incomplete)."
        ),
    }


def _person_motion(
    track_id: int,
    clean: CleanTrack,
    stamps: np.ndarray,
    settings: MotionSettings,
    intrinsics: Intrinsics,
    info: VideoInfo,
    sha256: str,
) -> PersonMotion:
    source = settings.pose.skeleton
    body = derivable(source, BODY_22)
    if clean.positions_m is None:
        raise DataFormatError(f"The pose backend {settings.pose.cache_key} gives no 3D joints; use one that does.")
    keypoints = map_joints(clean.keypoints_px, source, body)
    confidence = map_joints(clean.confidence[..., None], source, body)[..., 0]
    pose = map_joints(clean.positions_m, source, body)
    times = stamps[clean.frames]
    placed = place(pose, keypoints, confidence, times, settings, intrinsics)
    world = placed @ camera_to_world(settings.pitch_deg, settings.roll_deg).T
    motion = Motion(
        positions_m=world,
        timestamps_s=times,
        skeleton=body,
        subject=f"video:{sha256[:8]}/{track_id}",
    )
    motion = orient_segments(motion)
    report = {
        "track_id": track_id,
        "start_s": float(times[0]),
        "stop_s": float(times[-1]),
        "n_frames": len(clean),
        "interpolated_poses": clean.interpolated_poses,
        "missing_joints": clean.missing_joints,
        "outlier_joints": clean.outlier_joints,
        "mean_confidence": float(clean.track.confidence.mean()),
        "distance_m": float(np.median(placed[:, :, 2])),
        "twist_confidence": motion.attrs["twist_confidence"],
        **_in_picture(clean.track.boxes_xyxy, info),
    }
    boxes = np.concatenate([keypoints.min(axis=1), keypoints.max(axis=1)], axis=1)
    return PersonMotion(track_id, motion, keypoints, boxes, report)


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
