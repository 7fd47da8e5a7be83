"""MM-Fit: sensors, poses and videos of workouts."""

from har_virtual.datasets.mm_fit.loader import (
    MM_FIT,
    MM_FIT_SPLIT,
    MM_FIT_SUBJECTS,
    fetch_mm_fit,
    load_mm_fit,
    split_mm_fit,
)
from har_virtual.datasets.mm_fit.poses import load_mm_fit_motions
from har_virtual.datasets.mm_fit.sides import SideDecision, SideEvidence, decide_sides, exchange_sides
from har_virtual.datasets.mm_fit.videos import load_mm_fit_videos

__all__ = [
    "MM_FIT",
    "MM_FIT_SPLIT",
    "MM_FIT_SUBJECTS",
    "SideDecision",
    "SideEvidence",
    "decide_sides",
    "exchange_sides",
    "fetch_mm_fit",
    "load_mm_fit",
    "load_mm_fit_motions",
    "load_mm_fit_videos",
    "split_mm_fit",
]
