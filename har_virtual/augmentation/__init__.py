"""Change training windows at random, or motions before windows are cut from them."""

from har_virtual.augmentation.compose import Compose, um_augmentations
from har_virtual.augmentation.description import describe, from_description
from har_virtual.augmentation.magnitude import Jitter, MagnitudeWarp, Scaling
from har_virtual.augmentation.motions import augment_motions, mirror_motion, scale_size, scale_tempo
from har_virtual.augmentation.orientation import Rotation
from har_virtual.augmentation.sensors import draw_sensors
from har_virtual.augmentation.timing import Crop, Permutation, TimeWarp

__all__ = [
    "Compose",
    "Crop",
    "Jitter",
    "MagnitudeWarp",
    "Permutation",
    "Rotation",
    "Scaling",
    "TimeWarp",
    "augment_motions",
    "describe",
    "draw_sensors",
    "from_description",
    "mirror_motion",
    "scale_size",
    "scale_tempo",
    "um_augmentations",
]
