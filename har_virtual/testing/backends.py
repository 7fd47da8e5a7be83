"""What the library relies on in a pose backend."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from har_virtual.pose import PoseBackend
from har_virtual.testing._expectations import expect
from har_virtual.video import Frame


def check_pose_backend(backend: PoseBackend, frames: Sequence[Frame]) -> None:
    """Check a pose backend on the frames of a clip.

    It must give one result a frame, lazily and in order, with its skeleton's joints, finite numbers and confidences
    from 0 to 1, the same result for the same clip again, and a cache key that is the same text each time.

    Parameters
    ----------
    backend : PoseBackend
    frames : sequence of Frame
        At least two.

    Raises
    ------
    AssertionError
        With the property that does not hold.
    """
    if len(frames) < 2:
        raise ValueError("check_pose_backend needs at least two frames.")
    expect(isinstance(backend, PoseBackend), "a backend has skeleton, cache_key and detect")
    expect(isinstance(backend.cache_key, str) and backend.cache_key == backend.cache_key, "cache_key is a fixed text")
    taken: list[int] = []

    def watched() -> Iterator[Frame]:
        for frame in frames:
            taken.append(frame.index)
            yield frame

    results = backend.detect(watched())
    first = next(results)
    expect(len(taken) < len(frames), "detect streams: it does not read all frames before it gives the first result")
    found = [first, *results]
    expect(len(found) == len(frames), "detect gives one result a frame")
    n_joints = len(backend.skeleton)
    for poses in found:
        expect(poses.confidence.shape[1] == n_joints, "every pose has the joints of the backend's skeleton")
        expect(bool(np.isfinite(poses.keypoints_px).all()), "keypoints are finite")
        expect(bool(((poses.confidence >= 0) & (poses.confidence <= 1)).all()), "confidence lies between 0 and 1")
    again = list(backend.detect(iter(frames)))
    same = all(np.array_equal(a.keypoints_px, b.keypoints_px) for a, b in zip(found, again, strict=True))
    expect(same, "the same clip gives the same poses: no state outlives a call")
