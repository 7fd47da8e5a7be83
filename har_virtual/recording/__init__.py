"""The currency of the library: Recording, RecordingSet and VideoClip. Data only."""

from har_virtual.recording.clip import VideoClip
from har_virtual.recording.recording import Recording
from har_virtual.recording.recording_set import RecordingSet
from har_virtual.recording.units import STANDARD_GRAVITY_M_S2, UNITS, channel_quantity, channel_site

__all__ = [
    "STANDARD_GRAVITY_M_S2",
    "UNITS",
    "Recording",
    "RecordingSet",
    "VideoClip",
    "channel_quantity",
    "channel_site",
]
