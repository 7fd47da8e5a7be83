"""From the camera's frame to the world's."""

from __future__ import annotations

import numpy as np


def camera_to_world(pitch_deg: float = 0.0, roll_deg: float = 0.0) -> np.ndarray:
    """Give the rotation from the camera frame (x right, y down, z forward) to the world (Z up, Y where it looks).

    A level camera takes (x, y, z) to (x, z, -y).

    Parameters
    ----------
    pitch_deg : float, default=0.0
        How far the camera looks up; negative for a camera that looks down.
    roll_deg : float, default=0.0
        How far the camera is turned clockwise about its line of sight, as the photographer sees it.

    Returns
    -------
    array of shape (3, 3)

    Examples
    --------
    >>> import numpy as np
    >>> from har_virtual.camera import camera_to_world
    >>> (camera_to_world() @ [1, 2, 3]).tolist()
    [1.0, 3.0, -2.0]
    """
    pitch, roll = np.deg2rad([pitch_deg, roll_deg])
    level = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
    # About x (right) by the right-hand rule: y (down) turns towards z (forward), and forward towards up.
    about_x = np.array([[1.0, 0.0, 0.0], [0.0, np.cos(pitch), -np.sin(pitch)], [0.0, np.sin(pitch), np.cos(pitch)]])
    about_z = np.array([[np.cos(roll), -np.sin(roll), 0.0], [np.sin(roll), np.cos(roll), 0.0], [0.0, 0.0, 1.0]])
    return level @ about_x @ about_z
