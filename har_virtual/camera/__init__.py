"""Camera: intrinsics, where a person stands before it, and the way to the world."""

from har_virtual.camera.intrinsics import Intrinsics
from har_virtual.camera.pnp import place_person
from har_virtual.camera.world import camera_to_world

__all__ = ["Intrinsics", "camera_to_world", "place_person"]
