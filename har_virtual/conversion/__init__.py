"""From videos to virtual IMU streams: pose, camera, motion and sensors put together."""

from har_virtual.conversion.bulk import convert_videos
from har_virtual.conversion.motions import ClipMotions, PersonMotion
from har_virtual.conversion.transformer import VideoToVirtualIMU

__all__ = ["ClipMotions", "PersonMotion", "VideoToVirtualIMU", "convert_videos"]
