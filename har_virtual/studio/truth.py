"""What is known of a film beside its pictures, in files: joints, camera, depth, and who is on which pixel."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import numpy as np

from har_virtual.checks import check_positive
from har_virtual.exceptions import DataFormatError
from har_virtual.files import atomic_path
from har_virtual.pose.skeletons import BODY_22
from har_virtual.studio.scene import Scene

_MM_PER_M, _FARTHEST_MM = 1000.0, 65_534


def write_truth(
    scene: Scene,
    folder: str | Path,
    *,
    frame_rate_hz: float = 30.0,
    start_s: float = 0.0,
    stop_s: float | None = None,
    pixels: bool = True,
) -> Path:
    """Write the truth of the film that `Scene.write_video` makes with the same rate and bounds.

    ``joints.npz`` holds for N actors and T frames ``timestamps_s`` (T,) from the film's time 0 on, ``positions_m`` (N,
    T, 22, 3) and ``rotations`` (N, T, 22, 3, 3) of BODY-22 in the world, ``keypoints_px`` (N, T, 22, 2), the names
    ``joints`` (22,), ``labels`` and ``subjects`` (N,), the camera's ``camera_rotations`` (T, 3, 3) to the world and
    ``camera_positions_m`` (T, 3), its ``camera_matrix`` (3, 3) and ``size_px`` (width, height).

    ``depth_mm.npy`` (T, height, width) uint16 is the depth along the optical axis in millimetres, 0 for none, as RGB-D
    cameras write it; ``persons.npy`` (T, height, width) uint8 the number of the person on each pixel, 0 for nobody.
    ``numpy.load(..., mmap_mode="r")`` reads them frame by frame. What a sensor reads comes from `Actor.imu`, and
    `har_virtual.Recording.save` writes it.

    Parameters
    ----------
    scene : Scene
    folder : path
        Made if it is not there. Files appear whole or not at all.
    frame_rate_hz, start_s, stop_s
        As in `Scene.write_video`.
    pixels : bool, default=True
        Whether to render depth and persons; joints and camera alone take no time.

    Returns
    -------
    Path
        `folder`.

    Raises
    ------
    DataFormatError
        As `Scene.write_video`, or if the folder cannot be written.
    """
    folder, times = Path(folder), scene.clip_times(check_positive("frame_rate_hz", frame_rate_hz), start_s, stop_s)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write_joints(scene, folder / "joints.npz", times)
        if pixels:
            _write_pixels(scene, folder, times)
    except OSError as error:
        raise DataFormatError(f"{folder}: the truth cannot be written there ({error}). Give another folder.") from error
    return folder


def _write_joints(scene: Scene, path: Path, times: np.ndarray) -> None:
    poses = [actor.pose(times) for actor in scene.actors]
    rotations, positions = scene.camera.pose(times)
    with atomic_path(path) as temporary:
        np.savez_compressed(
            temporary,
            timestamps_s=times - times[0],
            positions_m=np.stack([joints for joints, _ in poses]),
            rotations=np.stack([turns for _, turns in poses]),
            keypoints_px=np.stack(scene.keypoints_px(times)),
            joints=np.array(BODY_22.joints),
            labels=np.array([str(actor.label) for actor in scene.actors]),
            subjects=np.array([str(actor.subject) for actor in scene.actors]),
            camera_rotations=rotations,
            camera_positions_m=positions,
            camera_matrix=scene.camera.intrinsics.matrix,
            size_px=np.array(scene.camera.size_px),
        )


def _write_pixels(scene: Scene, folder: Path, times: np.ndarray) -> None:
    width, height = scene.camera.size_px
    with ExitStack() as stack:
        depth, persons = (
            np.lib.format.open_memmap(
                stack.enter_context(atomic_path(folder / name)),
                mode="w+",
                dtype=dtype,
                shape=(len(times), height, width),
            )
            for name, dtype in (("depth_mm.npy", np.uint16), ("persons.npy", np.uint8))
        )
        for index, frame in enumerate(scene.frames(times)):
            seen = np.isfinite(frame.depth_m) & (frame.depth_m * _MM_PER_M < _FARTHEST_MM)
            depth[index] = np.where(seen, np.rint(np.where(seen, frame.depth_m, 0.0) * _MM_PER_M), 0)
            persons[index] = frame.persons
        depth.flush()
        persons.flush()
