"""Left and right confused by the detector for a few frames, and put right."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from har_virtual.pose.tracking import PoseTrack
from har_virtual.skeleton import Skeleton

# Costs of calling a frame swapped, and of changing between readings, in body sizes squared: in doubt the detector is
# right. Factors of three either way change nothing on the videos that were tried.
_PRIOR = 2e-3
_CHANGE = 0.01


def undo_swaps(track: PoseTrack, skeleton: Skeleton) -> tuple[PoseTrack, np.ndarray]:
    """Give back their sides to joints whose left and right changed places between two frames.

    A detector that is unsure whether it sees a front or a back exchanges all joints of both sides at once, and some
    frames later exchanges them again. A body cannot: its joints move little from frame to frame. So of both readings of
    every frame the sequence is taken along which the joints move least (Viterbi), and in doubt the detector's own.
    Whoever turns round moves through all the poses in between and is left alone.

    Parameters
    ----------
    track : PoseTrack
    skeleton : Skeleton
        Of the track's joints.

    Returns
    -------
    track : PoseTrack
    swapped : bool array of shape (n_found,)
        The frames in which sides were exchanged.
    """
    mirror = np.asarray(skeleton.mirror)
    sided = mirror != np.arange(len(mirror))
    if len(track) < 3 or not sided.any():
        return track, np.zeros(len(track), dtype=bool)
    stay, cross = _costs(track, mirror, sided)
    swapped = _least_motion(stay, cross)
    order = np.where(swapped[:, None], mirror, np.arange(len(mirror)))
    rows = np.arange(len(track))[:, None]
    positions = track.positions_m
    return (
        replace(
            track,
            keypoints_px=track.keypoints_px[rows, order],
            confidence=track.confidence[rows, order],
            positions_m=None if positions is None else positions[rows, order],
        ),
        swapped,
    )


def _costs(track: PoseTrack, mirror: np.ndarray, sided: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far the sided joints move between frames read alike and between frames read differently, in body sizes²."""
    views = [track.keypoints_px] if track.positions_m is None else [track.keypoints_px, track.positions_m]
    # Frames that lie further apart may differ by more.
    gaps = np.diff(track.frames).astype(float)
    stay, cross = np.zeros(len(gaps)), np.zeros(len(gaps))
    weights = np.sqrt(track.confidence[:-1] * track.confidence[1:])[:, sided]
    weights = weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)
    for view in views:
        size = np.median(np.linalg.norm(view.max(axis=1) - view.min(axis=1), axis=-1))
        for cost, later in ((stay, view[1:]), (cross, view[1:, mirror])):
            moved = np.linalg.norm(later[:, sided] - view[:-1, sided], axis=-1) / size
            cost += (weights * moved**2).sum(axis=1) / gaps
    return stay, cross


def _least_motion(stay: np.ndarray, cross: np.ndarray) -> np.ndarray:
    """For each frame, whether it is read swapped on the cheapest path."""
    n_frames = len(stay) + 1
    total = np.array([0.0, _PRIOR])
    change = cross + _CHANGE
    came_from = np.zeros((n_frames, 2), dtype=int)
    for t in range(1, n_frames):
        steps = total[:, None] + np.array([[stay[t - 1], change[t - 1]], [change[t - 1], stay[t - 1]]])
        came_from[t] = steps.argmin(axis=0)
        total = steps.min(axis=0) + np.array([0.0, _PRIOR])
    path = np.empty(n_frames, dtype=bool)
    state = int(total.argmin())
    for t in range(n_frames - 1, -1, -1):
        path[t] = bool(state)
        state = came_from[t, state]
    return path
