"""Which side the sided joints of a pose are on, decided from the data: pictures, bodies and watches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np

from har_virtual.exceptions import DataFormatError
from har_virtual.imu.simulate import simulate_sensor
from har_virtual.pose.skeletons import COCO_18, H36M_17
from har_virtual.recording import Recording
from har_virtual.signal import lowpass
from har_virtual.skeleton import Motion

Verdict = Literal["h36m", "authors", "undecided"]

_PAIRS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
_MIN_COSINE = 0.3
_MIN_FORWARD = 0.2
# Wrists and watches are compared below this frequency: poses of a video hold little above it.
_BAND_HZ = 3.0
_GRID_HZ = 20.0
_MAX_LAG_S = 0.2
_MIN_CORRELATION = 0.1
# A correlation of independent streams of n independent samples stays below this many times 1 / sqrt(n).
_SURE = 4.0
_MAX_GAP_S = 0.5
_MIN_RUN_S = 1.0
_WINDOW_S = 5.0


class SideEvidence(NamedTuple):
    """What one kind of evidence says.

    Attributes
    ----------
    score : float
        From -1 to 1, above 0 where H36M's names fit and below 0 where the exchanged ones do.
    threshold : float
        Size of the score from which on it decides.
    n_samples : int
        Frames, or samples of watches, that it was computed from.
    """

    score: float
    threshold: float
    n_samples: int

    @property
    def verdict(self) -> Verdict:
        """Whose names fit: "h36m", "authors", or "undecided" below the threshold."""
        if abs(self.score) < self.threshold:
            return "undecided"
        return "h36m" if self.score > 0 else "authors"


@dataclass(frozen=True)
class SideDecision:
    """Whose names of left and right are right.

    Attributes
    ----------
    picture, body, watches : SideEvidence or None
        None where there was nothing to compare with.
    """

    picture: SideEvidence | None
    body: SideEvidence
    watches: SideEvidence | None

    @property
    def evidence(self) -> dict[str, SideEvidence]:
        """The pieces that there are, by name."""
        pieces = {"picture": self.picture, "body": self.body, "watches": self.watches}
        return {name: piece for name, piece in pieces.items() if piece is not None}

    @property
    def verdict(self) -> Verdict:
        """What all pieces say that decide; "undecided" if none does, or if they contradict each other."""
        said = {piece.verdict for piece in self.evidence.values()} - {"undecided"}
        return said.pop() if len(said) == 1 else "undecided"

    def __str__(self) -> str:
        pieces = [
            f"{name} {piece.verdict} ({piece.score:+.2f}, decides from {piece.threshold:.2f})"
            for name, piece in self.evidence.items()
        ]
        return f"{self.verdict}: {'; '.join(pieces)}"


def decide_sides(motion: Motion, *, picture: Motion | None = None, watches: Iterable[Recording] = ()) -> SideDecision:
    """Decide from the data whether H36M's left and right are those of a body, or exchanged.

    MM-Fit's authors name joints 1 to 3 the left leg and 11 to 13 the right arm; H36M has them the other way round.
    Three kinds of evidence do without either table:

    - picture: the sides of a 2D pose are known. The vectors from the right joint of a pair to the left one must point
      the same way in the picture; the score is the cosine between all of them, in 3D and in 2D.
    - body: forward is the subject's left x up. Ahead of the line from hip to ankle lies the knee, ahead of that from
      neck to head the nose; the score is the share of their distance from the line that lies forward.
    - watches: the score is the partial correlation between a watch's norm of acceleration and the difference of both
      wrists', given their sum, in the mean of windows of 5 s and at the best lag up to 0.2 s. It is 0 for wrists that
      move alike.

    Exchanging left and right turns the sign of each score.

    Parameters
    ----------
    motion : Motion
        On H36M-17, joints in the file's order, in the right-handed Z-up world with x to the right of the picture, as
        `load_mm_fit_motions` gives it with ``sides="h36m"``.
    picture : Motion, optional
        The 2D pose on COCO-18 in the plane of the picture, as ``pose="2d"`` gives it. Frames with the same stamp are
        compared.
    watches : iterable of Recording, optional
        With acceleration at left_wrist, right_wrist or both, on the clock of the motion.

    Returns
    -------
    SideDecision
        Its verdict is "h36m" where the names of H36M are right, "authors" where left and right are to be exchanged,
        and "undecided" where nothing decides or pieces disagree. A picture taken as in a mirror is such a case: picture
        and body then agree, and the watches, which sat on the wrists themselves, contradict them.

    Raises
    ------
    DataFormatError
        If the skeletons are others, the picture shares no frame with the motion, or no watch has acceleration at a
        wrist.

    Examples
    --------
    >>> import numpy as np
    >>> from har_virtual.datasets import decide_sides, exchange_sides
    >>> from har_virtual.pose.skeletons import H36M_17
    >>> from har_virtual.skeleton import Motion
    >>> from har_virtual.studio import perform
    >>> body = perform("walking", duration_s=2.0).motion(30)
    >>> names = ["head" if joint == "nose" else joint for joint in H36M_17.joints]
    >>> motion = Motion(np.stack([body.joint(name) for name in names], axis=1), body.timestamps_s, H36M_17)
    >>> decide_sides(motion).verdict, decide_sides(exchange_sides(motion)).verdict
    ('h36m', 'authors')
    """
    _check_skeleton(motion, "motion", H36M_17.joints)
    watches = list(watches)
    return SideDecision(
        picture=None if picture is None else _picture_evidence(motion, picture),
        body=_body_evidence(motion),
        watches=_watch_evidence(motion, watches) if watches else None,
    )


def exchange_sides(motion: Motion) -> Motion:
    """Exchange left and right: each joint gets the positions of its counterpart.

    Parameters
    ----------
    motion : Motion

    Returns
    -------
    Motion
        Without rotations, which would belong to the other limb's frames.
    """
    mirror = list(motion.skeleton.mirror)
    uncertainty = None if motion.uncertainty_m is None else motion.uncertainty_m[:, mirror]
    return motion.replace(positions_m=motion.positions_m[:, mirror], rotations=None, uncertainty_m=uncertainty)


def _check_skeleton(motion: Motion, name: str, joints: tuple[str, ...]) -> None:
    missing = [joint for joint in joints if joint not in motion.skeleton]
    if missing:
        raise DataFormatError(f"decide_sides: {name} is on {motion.skeleton.name}, without {', '.join(missing)}.")


def _left(motion: Motion, joint: str) -> np.ndarray:
    return motion.joint(f"left_{joint}") - motion.joint(f"right_{joint}")


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else 0.0


def _picture_evidence(motion: Motion, picture: Motion) -> SideEvidence:
    _check_skeleton(picture, "picture", COCO_18.joints[1:14])
    shared = np.intersect1d(motion.timestamps_s.round(3), picture.timestamps_s.round(3), return_indices=True)
    if not len(shared[0]):
        raise DataFormatError("decide_sides: motion and picture have no frame in common; they need one clock.")
    in_space, in_plane = (
        np.stack([_left(each, pair)[rows][:, [0, 2]] for pair in _PAIRS])
        for each, rows in ((motion, shared[1]), (picture, shared[2]))
    )
    sizes = np.linalg.norm(in_space) * np.linalg.norm(in_plane)
    return SideEvidence(_ratio((in_space * in_plane).sum(), float(sizes)), _MIN_COSINE, len(shared[0]))


def _body_evidence(motion: Motion) -> SideEvidence:
    up = motion.joint("neck") - motion.joint("pelvis")
    ahead = size = 0.0
    lines = [(f"{side}_hip", f"{side}_knee", f"{side}_ankle", "hip") for side in ("left", "right")]
    for start, between, end, axis in [*lines, ("neck", "nose", "head", "shoulder")]:
        along = _unit(motion.joint(end) - motion.joint(start))
        off = motion.joint(between) - motion.joint(start)
        off = off - (off * along).sum(axis=1, keepdims=True) * along
        ahead += (off * _unit(np.cross(_left(motion, axis), up))).sum()
        size += np.linalg.norm(off, axis=1).sum()
    return SideEvidence(_ratio(ahead, size), _MIN_FORWARD, len(motion))


def _watch_evidence(motion: Motion, watches: list[Recording]) -> SideEvidence:
    times, wrists = _wrist_norms(motion)
    streams = [stream for watch in watches for stream in _watch_norms(watch)]
    if not streams:
        raise DataFormatError(f"decide_sides: {watches} have no acceleration at left_wrist or right_wrist.")
    n_samples = min(int(np.isfinite(_at(times, stream)).sum()) for stream in streams)
    lags_s = np.arange(-_MAX_LAG_S, _MAX_LAG_S + 1e-9, 1 / _GRID_HZ)
    # A pose that jumps spoils the window it is in, not the others.
    windows = np.split(np.arange(len(times)), np.flatnonzero(np.diff(times // _WINDOW_S)) + 1)
    scores = [
        np.mean(
            [_mean_partial_correlation(_at(times - lag_s, stream), wrists, windows, stream.sign) for stream in streams]
        )
        for lag_s in lags_s
    ]
    independent = max(n_samples * 2 * _BAND_HZ / _GRID_HZ, 1.0)
    threshold = min(max(_MIN_CORRELATION, _SURE / np.sqrt(independent)), 1.0)
    return SideEvidence(float(scores[np.argmax(np.abs(scores))]), float(threshold), n_samples)


def _mean_partial_correlation(watch: np.ndarray, wrists: np.ndarray, windows: list[np.ndarray], sign: float) -> float:
    """Correlate a watch with the difference of both wrists, given their sum, in every window."""
    found = []
    for window in windows:
        there = window[np.isfinite(watch[window])]
        if len(there) < _WINDOW_S * _GRID_HZ / 2:
            continue
        left, right = wrists[there].T
        known = np.stack([np.ones(len(left)), left + right], axis=1)
        both = np.stack([watch[there], left - right], axis=1)
        rest: np.ndarray = both - known @ np.linalg.lstsq(known, both, rcond=None)[0]
        sizes = np.linalg.norm(rest, axis=0)
        found.append(_ratio(rest[:, 0] @ rest[:, 1], float(sizes[0] * sizes[1])))
    return sign * float(np.mean(found)) if found else 0.0


def _wrist_norms(motion: Motion) -> tuple[np.ndarray, np.ndarray]:
    """Times (n,) and norms (n, 2) of the specific force at the left and the right wrist."""
    wrists = np.stack([motion.joint("left_wrist"), motion.joint("right_wrist")], axis=1)
    times, norms = [np.empty(0)], [np.empty((0, 2))]
    for run in _runs(motion.timestamps_s):
        stamps = motion.timestamps_s[run]
        grid = np.arange(stamps[0], stamps[-1], 1 / _GRID_HZ)
        still = np.broadcast_to(np.eye(3), (len(stamps), 2, 3, 3))
        acc, _, _ = simulate_sensor(wrists[run], still, stamps, times_s=grid, cutoff_hz=_BAND_HZ)
        times.append(grid)
        norms.append(np.linalg.norm(acc, axis=-1))
    return np.concatenate(times), np.concatenate(norms)


def _runs(stamps: np.ndarray) -> Iterator[slice]:
    """Stretches without long holes that are long enough."""
    ends = [0, *(np.flatnonzero(np.diff(stamps) > _MAX_GAP_S) + 1), len(stamps)]
    for start, stop in pairwise(ends):
        duration_s = stamps[stop - 1] - stamps[start]
        # Slower frames hold nothing of the band.
        if duration_s >= _MIN_RUN_S and stop - start > duration_s * 3 * _BAND_HZ:
            yield slice(start, stop)


class _Norms(NamedTuple):
    """Low-passed norms of a watch's acceleration, NaN in holes; `sign` is 1 on the left and -1 on the right."""

    sign: float
    times_s: np.ndarray
    values: np.ndarray


def _watch_norms(watch: Recording) -> Iterator[_Norms]:
    """Give the norms of each wrist that a recording has."""
    times = watch.start_s + np.arange(len(watch)) / watch.sampling_rate_hz
    for side, sign in (("left", 1.0), ("right", -1.0)):
        columns = [i for i, name in enumerate(watch.channels) if name.startswith(f"{side}_wrist_acc_")]
        norms = np.linalg.norm(watch.data[:, columns].astype(np.float64), axis=1)
        there = np.isfinite(norms)
        if len(columns) != 3:
            continue
        if there.sum() > 1 and watch.sampling_rate_hz > 2.5 * _BAND_HZ:
            filled = lowpass(np.interp(times, times[there], norms[there]), watch.sampling_rate_hz, _BAND_HZ)
            norms = np.where(there, filled, np.nan)
        yield _Norms(sign, times, norms)


def _at(times: np.ndarray, norms: _Norms) -> np.ndarray:
    """Norms at other times, NaN outside and in holes."""
    return np.interp(times, norms.times_s, norms.values, left=np.nan, right=np.nan)
