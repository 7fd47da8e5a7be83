"""The inner geometry of a camera."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from har_virtual._optional import import_optional
from har_virtual.exceptions import DataFormatError

PRIOR_FOCAL = 1.0
"""Focal length of an unknown camera over the longer side of the picture: that of a 36 mm lens in full frame."""

_UNDISTORT_ITERATIONS, _UNDISTORT_ERROR = 100, 1e-10


@dataclass(frozen=True)
class Intrinsics:
    """Pinhole camera with lens distortion.

    Parameters
    ----------
    focal_px : tuple of float
        (fx, fy).
    center_px : tuple of float
        (cx, cy), from the picture's upper left corner.
    distortion : sequence of float, default=()
        Brown-Conrady coefficients in OpenCV's order (k1, k2, p1, p2[, k3, ...]).
    source : str, default="given"
        Where the numbers come from; it goes into the report.

    Raises
    ------
    DataFormatError
        If a number is not finite, or a focal length is not above 0.
    """

    focal_px: tuple[float, float]
    center_px: tuple[float, float]
    distortion: Sequence[float] = ()
    source: str = "given"

    def __post_init__(self) -> None:
        try:
            for name in ("focal_px", "center_px", "distortion"):
                object.__setattr__(self, name, tuple(map(float, getattr(self, name))))
        except (TypeError, ValueError) as error:
            raise DataFormatError(
                f"Intrinsics: focal_px {self.focal_px}, center_px {self.center_px} and distortion {self.distortion} "
                "must be sequences of numbers."
            ) from error
        numbers = [*self.focal_px, *self.center_px, *self.distortion]
        if (
            (len(self.focal_px), len(self.center_px)) != (2, 2)
            or not np.isfinite(numbers).all()
            or min(self.focal_px) <= 0
        ):
            raise DataFormatError(
                f"Intrinsics: focal_px {self.focal_px} must be two numbers above 0, center_px {self.center_px} two, "
                "all finite."
            )
        if len(self.distortion) not in (0, 4, 5, 8, 12, 14):
            raise DataFormatError(
                f"Intrinsics: distortion has {len(self.distortion)} numbers; OpenCV knows 4, 5, 8, 12, 14."
            )

    @classmethod
    def prior(cls, width: int, height: int, focal: float = PRIOR_FOCAL) -> Intrinsics:
        """Give a camera of which nothing is known: focal length `focal` times the longer side, centre in the middle.

        The focal length scales a person's distance, and with it motion along the line of sight; motion across it
        keeps its size, because the person's size is known.
        """
        length = focal * max(width, height)
        return cls((length, length), (width / 2, height / 2), source=f"prior: {focal:g} x the longer side")

    @classmethod
    def from_field_of_view(cls, width: int, height: int, horizontal_fov_deg: float) -> Intrinsics:
        """Give a camera of known horizontal field of view, between 0 and 180 degrees, with square pixels."""
        if not 0 < horizontal_fov_deg < 180:
            raise DataFormatError(f"horizontal_fov_deg must lie between 0 and 180, not {horizontal_fov_deg}.")
        length = width / 2 / np.tan(np.deg2rad(horizontal_fov_deg) / 2)
        return cls(
            (length, length), (width / 2, height / 2), source=f"horizontal field of view {horizontal_fov_deg:g} deg"
        )

    @property
    def matrix(self) -> np.ndarray:
        """The (3, 3) camera matrix."""
        (fx, fy), (cx, cy) = self.focal_px, self.center_px
        return np.array([[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]])

    def normalize(self, points_px: np.ndarray) -> np.ndarray:
        """Turn pixels (..., 2) into rays: x/z and y/z in the camera frame, undistorted."""
        if not len(self.distortion):
            return (points_px - np.asarray(self.center_px)) / np.asarray(self.focal_px)
        cv2 = import_optional("cv2", feature="lens distortion", extra="video")
        flat = np.ascontiguousarray(points_px, dtype=np.float64).reshape(-1, 1, 2)
        # OpenCV's own five iterations leave several px at the corners of a wide lens.
        stop = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, _UNDISTORT_ITERATIONS, _UNDISTORT_ERROR)
        rays = cv2.undistortPointsIter(flat, self.matrix, np.asarray(self.distortion), None, None, stop)
        return rays.reshape(np.shape(points_px))

    def project(self, points_m: np.ndarray) -> np.ndarray:
        """Turn points (..., 3) of the camera frame into pixels (..., 2)."""
        points_m = np.asarray(points_m, dtype=np.float64)
        if not len(self.distortion):
            return points_m[..., :2] / points_m[..., 2:] * np.asarray(self.focal_px) + np.asarray(self.center_px)
        cv2 = import_optional("cv2", feature="lens distortion", extra="video")
        flat = np.ascontiguousarray(points_m).reshape(-1, 1, 3)
        pixels, _ = cv2.projectPoints(flat, np.zeros(3), np.zeros(3), self.matrix, np.asarray(self.distortion))
        return pixels.reshape(*points_m.shape[:-1], 2)

    def unproject(self, points_px: np.ndarray, depth_m: np.ndarray) -> np.ndarray:
        """Turn pixels (..., 2) at the given distances along the optical axis (...) into points (..., 3)."""
        depth_m = np.asarray(depth_m)[..., None]
        return np.concatenate([self.normalize(points_px) * depth_m, depth_m], axis=-1)
