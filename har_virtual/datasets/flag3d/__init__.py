"""FLAG3D: skeletons, videos and texts of sixty exercises."""

from har_virtual.datasets.flag3d.loader import (
    FLAG3D,
    FLAG3D_ACTIVITIES,
    FLAG3D_SPLIT,
    load_flag3d,
    load_flag3d_motions,
    split_flag3d,
)
from har_virtual.datasets.flag3d.videos import flag3d_texts, load_flag3d_videos

__all__ = [
    "FLAG3D",
    "FLAG3D_ACTIVITIES",
    "FLAG3D_SPLIT",
    "flag3d_texts",
    "load_flag3d",
    "load_flag3d_motions",
    "load_flag3d_videos",
    "split_flag3d",
]
