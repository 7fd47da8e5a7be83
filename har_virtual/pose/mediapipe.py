"""The MediaPipe backend: BlazePose with the models that lie in MediaPipe's own wheel, no network."""

from __future__ import annotations

import gc
import hashlib
import io
import os
import warnings
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from functools import lru_cache
from importlib.metadata import version
from importlib.util import find_spec
from numbers import Integral, Real
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval

from har_virtual._optional import import_optional
from har_virtual.exceptions import DataFormatError, MissingDependencyError
from har_virtual.files import content_sha256
from har_virtual.pose.backend import FramePoses
from har_virtual.pose.skeletons import BLAZEPOSE_33
from har_virtual.skeleton import Skeleton
from har_virtual.video import Frame

# Model in the wheel, its name inside a .task file, mean and standard deviation that its input is normalised with.
_MODELS = (
    ("modules/pose_detection/pose_detection.tflite", "pose_detector.tflite", 127.5, 127.5),
    ("modules/pose_landmark/pose_landmark_full.tflite", "pose_landmarks_detector.tflite", 0.0, 255.0),
)


_SHARE = [Interval(Real, 0, 1, closed="both")]


class MediaPipePose(BaseEstimator):
    """BlazePose through MediaPipe's PoseLandmarker: 33 joints in 2D and in 3D, several persons.

    The 3D joints are metric for an average person, about the middle of the hips, with x right, y down, z away from the
    camera. MediaPipe follows each person from frame to frame and searches for new ones in every frame while fewer than
    `max_persons` are followed. Each clip starts afresh.

    Parameters
    ----------
    max_persons : int, default=4
    min_detection_confidence, min_presence_confidence, min_tracking_confidence : float, default=0.5
    model_path : path, optional
        A pose landmarker ``.task`` file (such as the lite or heavy one). Default: assembled from the models inside the
        wheel of mediapipe 0.10.21 (Apache-2.0).

    References
    ----------
    Bazarevsky et al., BlazePose: On-device Real-time Body Pose Tracking, 2020.
    """

    _parameter_constraints: ClassVar[dict[str, list]] = {
        "max_persons": [Interval(Integral, 1, None, closed="left")],
        **{f"min_{stage}_confidence": _SHARE for stage in ("detection", "presence", "tracking")},
        "model_path": [str, Path, None],
    }

    def __init__(
        self,
        *,
        max_persons: int = 4,
        min_detection_confidence: float = 0.5,
        min_presence_confidence: float = 0.5,
        min_tracking_confidence: float = 0.5,
        model_path: str | Path | None = None,
    ) -> None:
        self.max_persons = max_persons
        self.min_detection_confidence = min_detection_confidence
        self.min_presence_confidence = min_presence_confidence
        self.min_tracking_confidence = min_tracking_confidence
        self.model_path = model_path

    @property
    def skeleton(self) -> Skeleton:
        """BlazePose's 33 joints."""
        return BLAZEPOSE_33

    @property
    def cache_key(self) -> str:
        """MediaPipe's version, model and parameters; MediaPipe itself is not loaded for it."""
        self._validate_params()
        paths = _embedded_models() if self.model_path is None else [self._own_model()]
        model = hashlib.sha256("".join(map(content_sha256, paths)).encode()).hexdigest()[:16]
        options = [value for name, value in sorted(self.get_params().items()) if name != "model_path"]
        return f"mediapipe-{version('mediapipe')}-{model}-{'-'.join(map(str, options))}"

    def _own_model(self) -> Path:
        path = Path(str(self.model_path))
        if not path.is_file():
            raise DataFormatError(f"{path}: there is no such model. Give a pose landmarker .task file, or None.")
        return path

    def _model(self) -> bytes:
        self._validate_params()
        return _embedded_task() if self.model_path is None else self._own_model().read_bytes()

    def detect(self, frames: Iterable[Frame]) -> Iterator[FramePoses]:
        """Give the persons of each frame.

        Parameters
        ----------
        frames : iterable of Frame
            Of one clip, in order.

        Yields
        ------
        FramePoses
            With 33 joints; confidence is BlazePose's visibility.

        Raises
        ------
        DataFormatError
            If there is no such model, or it is no pose landmarker.
        ValueError
            If a parameter is out of its range.
        """
        model = self._model()
        mediapipe, vision, base = _import_mediapipe()
        try:
            options = vision.PoseLandmarkerOptions(
                base_options=base.BaseOptions(model_asset_buffer=model),
                running_mode=vision.RunningMode.VIDEO,
                num_poses=self.max_persons,
                min_pose_detection_confidence=self.min_detection_confidence,
                min_pose_presence_confidence=self.min_presence_confidence,
                min_tracking_confidence=self.min_tracking_confidence,
            )
            with _quiet_stderr:
                landmarker = vision.PoseLandmarker.create_from_options(options)
        except (RuntimeError, ValueError) as error:
            raise DataFormatError(
                f"MediaPipe does not take {self.model_path or 'these parameters'}: {error}"
            ) from error
        with landmarker:
            last_ms, found = -1, False
            for frame in frames:
                # Its graph talks while it starts and when it sees its first person.
                with nullcontext() if found else _quiet_stderr:
                    last_ms = max(last_ms + 1, round(frame.timestamp_s * 1000))
                    image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=frame.image)
                    result = landmarker.detect_for_video(image, last_ms)
                found = found or bool(result.pose_landmarks)
                yield _poses(result, *frame.image.shape[1::-1])


def _poses(result: Any, width: int, height: int) -> FramePoses:
    image = np.array([[(p.x, p.y, p.visibility) for p in person] for person in result.pose_landmarks])
    world = np.array([[(p.x, p.y, p.z) for p in person] for person in result.pose_world_landmarks])
    image, world = image.reshape(-1, len(BLAZEPOSE_33), 3), world.reshape(-1, len(BLAZEPOSE_33), 3)
    return FramePoses(image[..., :2] * (width, height), image[..., 2], world)


class _QuietStderr:
    """MediaPipe's C++ side logs to file descriptor 2, which all threads share, and has no switch for it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._users = 0
        self._kept: int | None = None

    def __enter__(self) -> None:
        with self._lock:
            if self._users == 0:
                self._silence()
            self._users += 1

    def __exit__(self, *_error: object) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0 and self._kept is not None:
                os.dup2(self._kept, 2)
                os.close(self._kept)
                self._kept = None

    def _silence(self) -> None:
        try:
            kept = os.dup(2)
        except OSError:
            return  # It is closed, and so quiet.
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        self._kept = kept


_quiet_stderr = _QuietStderr()


def _import_mediapipe() -> tuple[Any, Any, Any]:
    mediapipe = import_optional("mediapipe", feature="pose estimation", extra="video")
    import_optional("cv2", feature="pose estimation", extra="video")
    from mediapipe.tasks.python import vision
    from mediapipe.tasks.python.core import base_options

    return mediapipe, vision, base_options


def _embedded_models() -> list[Path]:
    spec = find_spec("mediapipe")
    # Where it is not to be found, the import says what is missing.
    found = spec.origin if spec else import_optional("mediapipe", feature="pose estimation", extra="video").__file__
    root = Path(str(found)).parent
    for source, *_ in _MODELS:
        if not (root / source).is_file():
            raise MissingDependencyError(
                f"mediapipe {version('mediapipe')} carries no {Path(source).name}: install mediapipe==0.10.21 "
                "(pip install 'har_virtual[video]'), or give MediaPipePose(model_path=) a .task file."
            )
    return [root / source for source, *_ in _MODELS]


@lru_cache(maxsize=1)
def _embedded_task() -> bytes:
    """A .task file is a stored zip of both models, each with the normalisation of its input in its metadata."""
    _import_mediapipe()
    from mediapipe.tasks.python.metadata.metadata_writers.metadata_writer import MetadataWriter

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as task:
        for path, (_, name, mean, std) in zip(_embedded_models(), _MODELS, strict=True):
            writer = MetadataWriter.create(bytearray(path.read_bytes()))
            writer.add_image_input([mean], [std])
            # A fixed date, so that the same models give the same bytes.
            task.writestr(zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0)), _populated(writer))
    return buffer.getvalue()


def _populated(writer: Any) -> bytes:
    """MediaPipe leaves files open until they are collected, which warns; collecting them here keeps that inside."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        model = bytes(writer.populate()[0])
        gc.collect()
    return model
