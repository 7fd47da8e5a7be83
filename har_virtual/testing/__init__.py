"""Public checks for someone else's transformer, backend, data set or collection of videos."""

from har_virtual.testing.backends import check_pose_backend
from har_virtual.testing.datasets import check_dataset
from har_virtual.testing.transformers import check_recording_transformer
from har_virtual.testing.video_collections import check_video_collection

__all__ = ["check_dataset", "check_pose_backend", "check_recording_transformer", "check_video_collection"]
