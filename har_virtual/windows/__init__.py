"""From recordings to windows, the rows of learning."""

from har_virtual.windows.assumed_rate import assume_rate
from har_virtual.windows.plot import plot_window_of_each_class
from har_virtual.windows.segmentation import segment_recordings
from har_virtual.windows.sessions import join_sessions
from har_virtual.windows.streams import drop_empty, join_recordings, resample_recording
from har_virtual.windows.window_set import WindowSet

__all__ = [
    "WindowSet",
    "assume_rate",
    "drop_empty",
    "join_recordings",
    "join_sessions",
    "plot_window_of_each_class",
    "resample_recording",
    "segment_recordings",
]
