"""Collections of labelled videos: their annotations, and clips by activity."""

from har_virtual.datasets.videos.base import Annotation, FileName, VideoCollection
from har_virtual.datasets.videos.loading import list_videos, load_videos

__all__ = ["Annotation", "FileName", "VideoCollection", "list_videos", "load_videos"]
