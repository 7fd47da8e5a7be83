"""SORT, a tracker that turns boxes of persons, frame by frame, into identities.

References
----------
A. Bewley, Z. Ge, L. Ott, F. Ramos, B. Upcroft: Simple online and realtime tracking. IEEE ICIP 2016.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment

from har_virtual.exceptions import DataFormatError

# Variances per observed coordinate: centre x, centre y (px2), area (px4), aspect ratio. The paper's state has no
# velocity of the ratio; a velocity that is zero with variance zero says the same and leaves four equal filters.
_MEASUREMENT_VARIANCE = np.array([1.0, 1.0, 10.0, 10.0])
_PROCESS_VARIANCE = np.array([1.0, 1.0, 1.0, 1.0])
_PROCESS_VELOCITY_VARIANCE = np.array([1e-2, 1e-2, 1e-4, 0.0])
_INITIAL_VARIANCE = np.array([10.0, 10.0, 10.0, 10.0])
_INITIAL_VELOCITY_VARIANCE = np.array([1e4, 1e4, 1e4, 0.0])

_AREA = 2


class Sort:
    """Simple online and realtime tracking (Bewley et al. 2016): boxes in, identities out, one call a frame.

    Each person is a box that moves and grows at constant velocity per frame. A Kalman filter predicts the box, the
    assignment that maximises the summed overlap (intersection over union, IoU) joins predictions and detections, and
    the filter corrects the prediction with the detection that it was given.

    Every matrix of the paper's filter couples a coordinate only with its own velocity, so the 7 x 7 filter is four
    filters of two states; they are computed in closed form, for all tracks at once.

    Parameters
    ----------
    max_age : int, default=1
        A track ends once its detection has been missing in more than this many frames in a row.
    min_hits : int, default=3
        Detections in a row, the first included, before a track is reported. A track that lost its detection in one
        frame must collect them anew. In the first `min_hits` frames every detected track is reported.
    iou_threshold : float, default=0.3
        Least IoU in [0, 1] between a predicted box and the detection that it may take.
    coast : bool, default=False
        False reports a track only in frames where it has a detection, as for a MOT benchmark. True reports it in
        every frame from its first report until it ends, with the predicted box where the detection is missing.

    Attributes
    ----------
    detection_indices : ndarray of shape (n_reported,), int
        For each track that the last `update` reported, the row of `boxes_xyxy` that it took; -1 for a predicted box.

    Raises
    ------
    ValueError
        If `max_age` or `min_hits` is negative or `iou_threshold` is outside [0, 1].

    Notes
    -----
    Call `update` for every frame, with no boxes where there is nobody: time passes by calls.

    Examples
    --------
    >>> tracker = Sort()
    >>> for x in (10.0, 14.0, 18.0):
    ...     ids, boxes = tracker.update([[200.0, 50.0, 240.0, 150.0], [x, 50.0, x + 40.0, 150.0]])
    >>> ids.tolist()
    [1, 2]
    >>> tracker.detection_indices.tolist()
    [0, 1]
    >>> boxes.round().tolist()
    [[200.0, 50.0, 240.0, 150.0], [18.0, 50.0, 58.0, 150.0]]
    """

    def __init__(self, max_age: int = 1, min_hits: int = 3, iou_threshold: float = 0.3, *, coast: bool = False) -> None:
        if max_age < 0:
            raise ValueError(f"max_age is {max_age}: give the frames that a track may miss, 0 or more.")
        if min_hits < 0:
            raise ValueError(f"min_hits is {min_hits}: give the detections in a row that confirm a track, 0 or more.")
        if not 0 <= iou_threshold <= 1:
            raise ValueError(f"iou_threshold is {iou_threshold}: an intersection over union lies in [0, 1].")
        self.max_age = max_age
        self.min_hits = min_hits
        self.iou_threshold = iou_threshold
        self.coast = coast
        self.reset()

    def reset(self) -> None:
        """Forget all tracks and count frames and identities from the start, as for another video."""
        self._n_frames = 0
        self._n_ids = 0
        # position, velocity, variance of the position, covariance of both, variance of the velocity
        self._moments = np.empty((5, 0, 4))
        # identity (0 before the first report), detections in a row, frames missed in a row, detection in this frame
        self._counts = np.empty((4, 0), dtype=np.int64)
        self.detection_indices: NDArray[np.int64] = np.empty(0, dtype=np.int64)

    def update(self, boxes_xyxy: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Take the detections of the next frame and report the tracks.

        Parameters
        ----------
        boxes_xyxy : array-like of shape (n_detections, 4)
            Left, top, right and bottom edge of each person in px; x to the right, y down. Empty for nobody.

        Returns
        -------
        ids : ndarray of shape (n_reported,), int
            Identities of this tracker: 1, 2, ... in the order in which tracks were first reported.
        boxes_xyxy : ndarray of shape (n_reported, 4)
            The filtered boxes in px, in the order of `ids`. `detection_indices` tells the detection behind each.

        Raises
        ------
        DataFormatError
            If the boxes are not (n_detections, 4), not finite, or without width or height. The tracker is then as
            it was before the call.
        """
        detections = _check_boxes(boxes_xyxy, self._n_frames)
        self._n_frames += 1
        _predict(self._moments)
        overlap = _iou(_boxes_of(self._moments[0]), detections)
        tracks, taken = _assign(overlap, self.iou_threshold)
        measured = _measure(detections)
        _correct(self._moments, tracks, measured[taken])
        self._count(tracks, taken)
        self._begin(measured, taken)
        self._end()
        return self._report()

    def _count(self, tracks: NDArray[np.int64], taken: NDArray[np.int64]) -> None:
        _, hits, misses, detection = self._counts
        hits += 1
        misses += 1
        misses[tracks] = 0
        hits[misses > 0] = 0
        detection[:] = -1
        detection[tracks] = taken

    def _begin(self, measured: NDArray[np.float64], taken: NDArray[np.int64]) -> None:
        is_new = np.ones(len(measured), dtype=bool)
        is_new[taken] = False
        new = np.flatnonzero(is_new)
        if not len(new):
            return
        moments = np.zeros((5, len(new), 4))
        moments[0] = measured[new]
        moments[2] = _INITIAL_VARIANCE
        moments[4] = _INITIAL_VELOCITY_VARIANCE
        counts = np.zeros((4, len(new)), dtype=np.int64)
        counts[1] = 1
        counts[3] = new
        self._moments = np.concatenate((self._moments, moments), axis=1)
        self._counts = np.concatenate((self._counts, counts), axis=1)

    def _end(self) -> None:
        lives = self._counts[2] <= self.max_age
        if not lives.all():
            self._moments = self._moments[:, lives]
            self._counts = self._counts[:, lives]

    def _report(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        ids, hits, misses, detection = self._counts
        shown = misses == 0
        if self._n_frames > self.min_hits:
            shown &= hits >= self.min_hits
        if self.coast:
            shown |= ids > 0
        first = np.flatnonzero(shown & (ids == 0))
        ids[first] = self._n_ids + 1 + np.arange(len(first))
        self._n_ids += len(first)
        self.detection_indices = detection[shown]
        return ids[shown], _boxes_of(self._moments[0, shown])


def _check_boxes(boxes_xyxy: ArrayLike, frame: int) -> NDArray[np.float64]:
    where = f"boxes_xyxy of frame {frame} (the first call is frame 0)"
    try:
        boxes = np.asarray(boxes_xyxy, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataFormatError(f"{where} is no array of numbers ({error}): give (n_detections, 4) in px.") from error
    if boxes.shape == (0,):
        boxes = boxes.reshape(0, 4)
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise DataFormatError(f"{where} has shape {boxes.shape}: give (n_detections, 4), or (0, 4) for nobody.")
    if not np.isfinite(boxes).all():
        row = np.flatnonzero(~np.isfinite(boxes).all(axis=1))[0]
        raise DataFormatError(f"{where} is not finite in row {row}, {boxes[row]}: leave out persons without a box.")
    if not (boxes[:, 2:] > boxes[:, :2]).all():
        row = np.flatnonzero((boxes[:, 2:] <= boxes[:, :2]).any(axis=1))[0]
        raise DataFormatError(
            f"{where} has no extent in row {row}, {boxes[row]}: a box is left, top, right, bottom with right > left "
            "and bottom > top; convert from left, top, width, height first."
        )
    return boxes


def _measure(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Centre x, centre y, area and aspect ratio (width / height) of each box: what the filter observes."""
    size = boxes[:, 2:] - boxes[:, :2]
    width, height = size.T
    measured = np.empty((len(boxes), 4))
    measured[:, :2] = boxes[:, :2] + size / 2
    measured[:, 2] = width * height
    measured[:, 3] = width / height
    return measured


def _boxes_of(position: NDArray[np.float64]) -> NDArray[np.float64]:
    """Invert `_measure`."""
    _, _, area, ratio = position.T
    half = np.empty((len(position), 2))
    half[:, 0] = np.sqrt(area * ratio) / 2
    half[:, 1] = half[:, 0] / ratio
    centre = position[:, :2]
    return np.concatenate((centre - half, centre + half), axis=1)


def _iou(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection over union of every box of `a` (n, 4) with every box of `b` (m, 4), shape (n, m)."""
    a = a[:, None]
    shared = np.maximum(np.minimum(a[..., 2:], b[:, 2:]) - np.maximum(a[..., :2], b[:, :2]), 0)
    intersection = shared[..., 0] * shared[..., 1]
    return intersection / (_area(a) + _area(b) - intersection)


def _area(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    size = boxes[..., 2:] - boxes[..., :2]
    return size[..., 0] * size[..., 1]


def _assign(overlap: NDArray[np.float64], threshold: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Tracks and detections, pair by pair, with the greatest sum of overlaps among pairs that reach the threshold."""
    allowed = overlap * (overlap >= threshold)
    tracks, detections = linear_sum_assignment(allowed, maximize=True)
    overlaps = allowed[tracks, detections] > 0
    return tracks[overlaps], detections[overlaps]


def _predict(moments: NDArray[np.float64]) -> None:
    """Move all tracks one frame on, in place: x = F x, P = F P F' + Q with F = [[1, 1], [0, 1]] per coordinate."""
    position, velocity, variance, covariance, velocity_variance = moments
    # An area that shrinks at constant velocity would become negative.
    velocity[:, _AREA] *= position[:, _AREA] + velocity[:, _AREA] > 0
    position += velocity
    variance += 2 * covariance + velocity_variance + _PROCESS_VARIANCE
    covariance += velocity_variance
    velocity_variance += _PROCESS_VELOCITY_VARIANCE


def _correct(moments: NDArray[np.float64], tracks: NDArray[np.int64], measured: NDArray[np.float64]) -> None:
    """Correct the given tracks with their measurements (n, 4), in place: K = P H' / (H P H' + R), x += K (z - H x)."""
    corrected = moments[:, tracks]
    position, velocity, variance, covariance, velocity_variance = corrected
    innovation = measured - position
    total = variance + _MEASUREMENT_VARIANCE
    gain, velocity_gain = variance / total, covariance / total
    position += gain * innovation
    velocity += velocity_gain * innovation
    velocity_variance -= velocity_gain * covariance
    covariance -= gain * covariance
    variance -= gain * variance
    moments[:, tracks] = corrected
