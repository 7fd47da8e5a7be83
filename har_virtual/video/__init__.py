"""Decoding and encoding of video: frames with true timestamps."""

from har_virtual.video.reader import Frame, VideoInfo, probe_video, read_frames
from har_virtual.video.writer import write_video

__all__ = ["Frame", "VideoInfo", "probe_video", "read_frames", "write_video"]
