"""Public checks for someone else's transformer, backend or data set."""

from har_virtual.testing.backends import check_pose_backend
from har_virtual.testing.datasets import check_dataset
from har_virtual.testing.transformers import check_recording_transformer

__all__ = ["check_dataset", "check_pose_backend", "check_recording_transformer"]
