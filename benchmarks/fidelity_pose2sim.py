"""One camera against four: how well a joint's acceleration is told from a single view.

Four calibrated, synchronous cameras see a man who balances on a treadmill (Pose2Sim's demo, 100 frames at 60 fps).
The reference are his joints triangulated from the keypoints of all four, smoothed alike. Each camera alone then places
him by each method, with the true intrinsics. Both sides are low-passed at 5 Hz and differentiated twice; the first and
last .2 s are left out. Errors across the line of sight and along it stand apart. The reference shares its detector with
what it judges, so this compares methods; it is no measure of the distance to the truth.

    python benchmarks/fidelity_pose2sim.py
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from _common import data_folder, write_result

from har_virtual.camera import Intrinsics, place_person
from har_virtual.conversion.estimation import MotionSettings, place
from har_virtual.pose import MediaPipePose, PoseTrack, clean_track, kalman_smooth, map_joints
from har_virtual.pose.skeletons import BLAZEPOSE_33, BODY_22
from har_virtual.signal import lowpass
from har_virtual.video import read_frames

RATE_HZ = 60.0
CUTOFF_HZ = 5.0
MARGIN = 12
JOINTS = ("pelvis", "neck", "head", "left_wrist", "right_wrist", "left_elbow", "left_knee", "right_knee", "left_ankle")


@dataclass
class View:
    """One camera: world_to_camera as rotation and centre, and what it saw of the man."""

    intrinsics: Intrinsics
    rotation: np.ndarray
    center_m: np.ndarray
    keypoints: np.ndarray
    pose: np.ndarray
    confidence: np.ndarray


def main() -> None:
    """Measure every method and write the table."""
    folder = data_folder() / "video" / "pose2sim_single"
    cameras = dict(read_calibration(folder / "Calib.qca.txt"))
    found = {name: detect(folder / f"{name}.mp4") for name in cameras}
    smooth = {smoother: {n: view(cameras[n], found[n], smoother) for n in cameras} for smoother in ("plain", "robust")}
    reference = triangulate(list(smooth["robust"].values()))
    truth = acceleration(reference)
    results = {"reference_std": float(truth.std()), "prior_focal": prior_focal(cameras), "methods": {}}
    for name, (smoother, method) in METHODS.items():
        results["methods"][name] = score([(v, method(v)) for v in smooth[smoother].values()], truth)
        print(name, results["methods"][name])
    protocol = (
        f"Pose2Sim single, 4 cameras x 100 frames, joints {', '.join(JOINTS)}; accelerations in m/s2 below "
        f"{CUTOFF_HZ:g} Hz against joints triangulated from all cameras; mean over cameras"
    )
    print(write_result("fidelity_pose2sim", protocol, results))


def read_calibration(path: Path) -> list[tuple[str, tuple[Intrinsics, np.ndarray, np.ndarray]]]:
    """Qualisys: pixels in 1/64, millimetres, and a camera that looks along -z with y up."""
    cameras = []
    for camera in ET.parse(path).getroot().iter("camera"):  # noqa: S314 - a calibration of one's own
        inner, outer = camera.find("intrinsic").attrib, camera.find("transform").attrib
        focal, center = (
            [float(inner[f"{name}{axis}"]) / 64 for axis in "UV"] for name in ("focalLength", "centerPoint")
        )
        names = ("radialDistortion1", "radialDistortion2", "tangentalDistortion1", "tangentalDistortion2")
        intrinsics = Intrinsics(tuple(focal), tuple(center), tuple(float(inner[name]) for name in names))
        rotation = np.array([[float(outer[f"r{row}{column}"]) for column in (1, 2, 3)] for row in (1, 2, 3)])
        place_m = np.array([float(outer[axis]) for axis in "xyz"]) / 1000
        cameras.append((camera.attrib["serial"], (intrinsics, np.diag([1.0, -1.0, -1.0]) @ rotation, place_m)))
    return cameras


def detect(video: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Keypoints, 3D pose and confidence of the one man, for each frame."""
    poses = list(MediaPipePose().detect(read_frames(video)))
    return tuple(
        np.stack([getattr(p, name)[0] for p in poses]) for name in ("keypoints_px", "positions_m", "confidence")
    )


def view(camera: tuple, found: tuple, smoother: str) -> View:
    """Smooth what a camera saw, on BODY-22."""
    keypoints, pose, confidence = found
    times, cutoff_hz = np.arange(len(pose)) / RATE_HZ, MotionSettings.keypoint_cutoff_hz
    if smoother == "plain":
        weights = np.clip(confidence, 0.05, 1) ** 2
        keypoints, pose = (kalman_smooth(values, weights, times, cutoff_hz) for values in (keypoints, pose))
    else:
        boxes = np.concatenate([keypoints.min(axis=1), keypoints.max(axis=1)], axis=1)
        track = PoseTrack(1, np.arange(len(pose)), keypoints, confidence, pose, boxes)
        clean = clean_track(track, times, cutoff_hz=cutoff_hz)
        keypoints, pose = clean.keypoints_px, clean.positions_m
    on_body = (map_joints(values, BLAZEPOSE_33, BODY_22) for values in (keypoints, pose, confidence[..., None]))
    keypoints, pose, confidence = on_body
    return View(*camera, keypoints, pose, confidence[..., 0])


def triangulate(views: list[View]) -> np.ndarray:
    """Joints in the world by the weighted direct linear transformation, (n_frames, n_joints, 3)."""
    rows = []
    for camera in views:
        projection = np.column_stack([camera.rotation, -camera.rotation @ camera.center_m])
        rays, weight = camera.intrinsics.normalize(camera.keypoints), camera.confidence[..., None]
        rows += [weight * (rays[..., axis, None] * projection[2] - projection[axis]) for axis in (0, 1)]
    solution = np.linalg.svd(np.stack(rows, axis=-2))[2][..., -1, :]
    return solution[..., :3] / solution[..., 3:]


def acceleration(positions: np.ndarray) -> np.ndarray:
    """Second derivative below the cut-off, of the joints that are judged."""
    joints = [BODY_22.index(joint) for joint in JOINTS]
    smooth = lowpass(positions[:, joints], RATE_HZ, CUTOFF_HZ)
    return (np.gradient(np.gradient(smooth, axis=0), axis=0) * RATE_HZ**2)[MARGIN:-MARGIN]


def by_library(pnp: str) -> object:
    """Place as the conversion does."""

    def method(camera: View) -> np.ndarray:
        settings = MotionSettings(MediaPipePose(), pnp=pnp)
        times = np.arange(len(camera.pose)) / RATE_HZ
        return place(camera.pose, camera.keypoints, camera.confidence, times, settings, camera.intrinsics)

    return method


def by_translation_only(camera: View) -> np.ndarray:
    """Equation 3 with the fixed rotation, and nothing after it."""
    weights = np.maximum(camera.confidence, 0.05)
    rotations, translations = place_person(camera.pose, camera.keypoints, weights, camera.intrinsics)
    return np.einsum("tij,tkj->tki", rotations, camera.pose) + translations[:, None]


METHODS = {
    "paper: free rotation a frame": ("robust", by_library("paper")),
    "fixed rotation": ("robust", by_translation_only),
    "fixed rotation, on the keypoints' rays, depth smoothed (default)": ("robust", by_library("translation")),
    "the same, smoother not robust": ("plain", by_library("translation")),
}


def score(placed: list[tuple[View, np.ndarray]], truth: np.ndarray) -> dict[str, float]:
    """RMSE and correlation across and along the line of sight, mean over cameras."""
    rows = []
    for camera, positions in placed:
        ours, theirs = acceleration(positions), truth @ camera.rotation.T
        across, along = (ours[..., :2], theirs[..., :2]), (ours[..., 2], theirs[..., 2])
        rows.append([*(np.sqrt(((a - b) ** 2).mean()) for a, b in (across, along))])
        rows[-1] += [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in (across, along)]
    names = ("rmse_across", "rmse_along", "r_across", "r_along")
    return dict(zip(names, np.mean(rows, axis=0).tolist(), strict=True))


def prior_focal(cameras: dict) -> dict[str, float]:
    """The true focal length over the longer side, for the prior of an unknown camera."""
    return {name: camera[0].focal_px[0] / 1920 for name, camera in cameras.items()}


if __name__ == "__main__":
    main()
