"""RealWorld (HAR): seven devices and the videos."""

from har_virtual.datasets.realworld.loader import REALWORLD, REALWORLD_SITES, fetch_realworld, load_realworld
from har_virtual.datasets.realworld.videos import load_realworld_videos

__all__ = [
    "REALWORLD",
    "REALWORLD_SITES",
    "fetch_realworld",
    "load_realworld",
    "load_realworld_videos",
]
