"""Collections of labelled videos: their annotations, and clips by activity."""

from har_virtual.datasets.videos.ava import AVACollection
from har_virtual.datasets.videos.base import Annotation, FileName, VideoCollection
from har_virtual.datasets.videos.hmdb51 import HMDB51Collection
from har_virtual.datasets.videos.loading import list_videos, load_videos
from har_virtual.datasets.videos.mpii import MPIICollection
from har_virtual.datasets.videos.ntu_rgbd import NTURGBD120Collection, NTURGBDCollection
from har_virtual.datasets.videos.ucf101 import UCF101Collection

__all__ = [
    "AVACollection",
    "Annotation",
    "FileName",
    "HMDB51Collection",
    "MPIICollection",
    "NTURGBD120Collection",
    "NTURGBDCollection",
    "UCF101Collection",
    "VideoCollection",
    "list_videos",
    "load_videos",
]
