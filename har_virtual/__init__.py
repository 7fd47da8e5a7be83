"""Virtual IMU data from videos of people, for human-activity recognition with scikit-learn.

Public names and modules are loaded when they are first used (PEP 562), so that ``import har_virtual`` stays cheap.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from har_virtual.conversion import VideoToVirtualIMU, convert_videos
    from har_virtual.imu import simulate_imu
    from har_virtual.recording import Recording, RecordingSet, VideoClip
    from har_virtual.skeleton import Motion, Skeleton
    from har_virtual.windows import WindowSet, join_recordings, segment_recordings

__version__ = "0.1.0.dev0"

__all__ = [
    "Motion",
    "Recording",
    "RecordingSet",
    "Skeleton",
    "VideoClip",
    "VideoToVirtualIMU",
    "WindowSet",
    "convert_videos",
    "join_recordings",
    "segment_recordings",
    "simulate_imu",
]

# Public modules, and which of their names stand at the top.
_NAMES_OF = {
    "adaptation": (),
    "augmentation": (),
    "camera": (),
    "conversion": ("VideoToVirtualIMU", "convert_videos"),
    "datasets": (),
    "evaluation": (),
    "exceptions": (),
    "features": (),
    "imu": ("simulate_imu",),
    "model_selection": (),
    "models": (),
    "motion": (),
    "pose": (),
    "recording": ("Recording", "RecordingSet", "VideoClip"),
    "signal": (),
    "skeleton": ("Motion", "Skeleton"),
    "studio": (),
    "testing": (),
    "video": (),
    "windows": ("WindowSet", "join_recordings", "segment_recordings"),
}
_MODULE_OF = {name: module for module, names in _NAMES_OF.items() for name in names}


def __getattr__(name: str) -> Any:
    if name in _NAMES_OF:
        return import_module(f"{__name__}.{name}")
    if name in _MODULE_OF:
        value = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_NAMES_OF})
