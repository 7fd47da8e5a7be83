"""TotalCapture: thirteen sensors, motion capture and eight cameras at once."""

from har_virtual.datasets.totalcapture.cameras import (
    TotalCaptureCamera,
    load_totalcapture_cameras,
    load_totalcapture_videos,
)
from har_virtual.datasets.totalcapture.loader import (
    TOTALCAPTURE,
    TOTALCAPTURE_SPLIT,
    TOTALCAPTURE_TAKES,
    load_totalcapture,
    split_totalcapture,
)
from har_virtual.datasets.totalcapture.motions import (
    load_totalcapture_motions,
    load_totalcapture_placements,
    totalcapture_orientation_errors,
)

__all__ = [
    "TOTALCAPTURE",
    "TOTALCAPTURE_SPLIT",
    "TOTALCAPTURE_TAKES",
    "TotalCaptureCamera",
    "load_totalcapture",
    "load_totalcapture_cameras",
    "load_totalcapture_motions",
    "load_totalcapture_placements",
    "load_totalcapture_videos",
    "split_totalcapture",
    "totalcapture_orientation_errors",
]
