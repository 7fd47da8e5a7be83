"""Persons in pictures: detectors, tracking, cleaning, skeletons."""

from har_virtual.pose.backend import FramePoses, PoseBackend
from har_virtual.pose.cleaning import CleanTrack, clean_track, kalman_smooth
from har_virtual.pose.mediapipe import MediaPipePose
from har_virtual.pose.skeletons import SKELETONS, get_skeleton, map_joints
from har_virtual.pose.sort import Sort
from har_virtual.pose.tracking import PoseTrack, track_poses

__all__ = [
    "SKELETONS",
    "CleanTrack",
    "FramePoses",
    "MediaPipePose",
    "PoseBackend",
    "PoseTrack",
    "Sort",
    "clean_track",
    "get_skeleton",
    "kalman_smooth",
    "map_joints",
    "track_poses",
]
