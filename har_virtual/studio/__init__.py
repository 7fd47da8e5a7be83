"""People rendered by formula: videos whose joints, camera, depth and sensor readings are known exactly."""

from har_virtual.studio.activities import ACTIVITIES
from har_virtual.studio.actor import Actor
from har_virtual.studio.body import Body
from har_virtual.studio.cameras import VIEWS, Camera, following, hand_held, pan
from har_virtual.studio.capsules import Capsules
from har_virtual.studio.demo import Demo, run_demo
from har_virtual.studio.performance import Performance, perform
from har_virtual.studio.playback import Playback, play
from har_virtual.studio.posture import ANGLES, Posture
from har_virtual.studio.props import FURNITURE, pillar, pole, sofa, table
from har_virtual.studio.room import Room
from har_virtual.studio.scene import Rendered, Scene
from har_virtual.studio.style import Style

__all__ = [
    "ACTIVITIES",
    "ANGLES",
    "FURNITURE",
    "VIEWS",
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
]
