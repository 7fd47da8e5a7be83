"""People rendered by formula: videos whose joints, camera, depth and sensor readings are known exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from har_virtual.studio.activities import ACTIVITIES, Activity
from har_virtual.studio.actor import Actor
from har_virtual.studio.body import Body
from har_virtual.studio.cameras import VIEWS, Camera, following, hand_held, pan
from har_virtual.studio.capsules import Capsules
from har_virtual.studio.performance import Performance, perform
from har_virtual.studio.playback import Playback, play
from har_virtual.studio.posture import ANGLES, Posture
from har_virtual.studio.props import FURNITURE, pillar, pole, sofa, table
from har_virtual.studio.room import Room
from har_virtual.studio.scene import Rendered, Scene
from har_virtual.studio.style import Style
from har_virtual.studio.truth import write_truth

if TYPE_CHECKING:
    from har_virtual.studio.demo import Demo, run_demo

__all__ = [
    "ACTIVITIES",
    "ANGLES",
    "FURNITURE",
    "VIEWS",
    "Activity",
    "Actor",
    "Body",
    "Camera",
    "Capsules",
    "Demo",
    "Performance",
    "Playback",
    "Posture",
    "Rendered",
    "Room",
    "Scene",
    "Style",
    "following",
    "hand_held",
    "pan",
    "perform",
    "pillar",
    "play",
    "pole",
    "run_demo",
    "sofa",
    "table",
    "write_truth",
]


def __getattr__(name: str) -> Any:
    # The demo loads half of the library; who renders only need not wait for it.
    if name in ("Demo", "run_demo"):
        from har_virtual.studio import demo

        return getattr(demo, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
