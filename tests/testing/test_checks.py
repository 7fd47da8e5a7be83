"""The public checks pass what is right and name what is wrong."""

from __future__ import annotations

import os

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin

from har_virtual import Recording
from har_virtual.pose import FramePoses
from har_virtual.pose.skeletons import COCO_17
from har_virtual.testing import check_pose_backend, check_recording_transformer
from har_virtual.video import Frame

CHANNELS = ("waist_acc_x", "waist_acc_y", "waist_acc_z")


def recordings() -> list[Recording]:
    return [Recording(np.full((5 + i, 3), i), 50, CHANNELS, subject=str(i), attrs={"n": [i]}) for i in range(3)]


class Doubling(TransformerMixin, BaseEstimator):
    """A well-behaved transformer of recordings."""

    def __init__(self, *, factor=2.0):
        self.factor = factor

    def fit(self, X, y=None):
        self.n_channels_in_ = len(X[0].channels)
        return self

    def transform(self, X):
        return [recording.replace(data=recording.data * self.factor) for recording in X]


class WritesIntoItsInput(Doubling):
    def transform(self, X):
        for recording in X:
            recording.attrs["touched"] = True
        return super().transform(X)


class LooksAtOtherRows(Doubling):
    def transform(self, X):
        mean = np.mean([recording.data.mean() for recording in X])
        return [recording.replace(data=recording.data - mean) for recording in X]


class DrawsSubjects(Doubling):
    def transform(self, X):
        return [recording.replace(subject=os.urandom(4).hex()) for recording in super().transform(X)]


class ChangesItsParameter(Doubling):
    def fit(self, X, y=None):
        self.factor = [1.0]
        return super().fit(X, y)

    def transform(self, X):
        return X[:]


class LosesARow(Doubling):
    def transform(self, X):
        return super().transform(X)[1:]


class ReturnsAnother(Doubling):
    def fit(self, X, y=None):
        return Doubling().fit(X)


def test_a_well_behaved_transformer_passes():
    check_recording_transformer(Doubling(), recordings())


@pytest.mark.parametrize(
    ("transformer", "what"),
    [
        (WritesIntoItsInput, "leaves its input alone"),
        (LooksAtOtherRows, "does not depend on the other rows"),
        (DrawsSubjects, "what fit and transform give"),
        (ChangesItsParameter, "leave the parameters alone"),
        (LosesARow, "one result a row"),
        (ReturnsAnother, "returns the estimator itself"),
    ],
)
def test_a_fault_is_named(transformer, what):
    with pytest.raises(AssertionError, match=what):
        check_recording_transformer(transformer(), recordings())


def test_one_row_is_too_few_to_tell():
    with pytest.raises(ValueError, match="at least two rows"):
        check_recording_transformer(Doubling(), recordings()[:1])


class Still:
    """A backend that finds one person in every frame."""

    skeleton = COCO_17
    cache_key = "still"
    fault = None

    def __init__(self):
        self.calls = 0

    def detect(self, frames):
        self.calls += 1
        frames = list(frames) if self.fault == "greedy" else frames
        for frame in frames:
            confidence = np.full((1, 17), 2.0 if self.fault == "sure" else 0.9)
            joints = 16 if self.fault == "short" else 17
            offset = self.calls if self.fault == "stateful" else 0
            yield FramePoses(np.full((1, joints, 2), frame.index + offset), confidence[:, :joints])
            if self.fault == "hasty":
                return


FRAMES = [Frame(i, i / 30, np.zeros((4, 4, 3), np.uint8)) for i in range(4)]


def test_a_well_behaved_backend_passes():
    check_pose_backend(Still(), FRAMES)


@pytest.mark.parametrize(
    ("fault", "what"),
    [
        ("greedy", "streams"),
        ("sure", "between 0 and 1"),
        ("short", "joints of the backend's skeleton"),
        ("stateful", "no state outlives"),
        ("hasty", "one result a frame"),
    ],
)
def test_a_backend_s_fault_is_named(fault, what):
    backend = Still()
    backend.fault = fault
    with pytest.raises(AssertionError, match=what):
        check_pose_backend(backend, FRAMES)
