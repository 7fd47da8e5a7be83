"""People who move as somebody was recorded: motion capture before the studio's camera."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from har_virtual.checks import check_positive
from har_virtual.exceptions import DataFormatError, UnknownNameError
from har_virtual.imu import Placement
from har_virtual.imu.simulate import simulate_sensor, smooth_poses
from har_virtual.imu.streams import sensor_poses
from har_virtual.motion.kinematics import to_body
from har_virtual.pose.skeletons import BODY_22
from har_virtual.rotation import about_up, continuous_quaternions, rotation_matrices
from har_virtual.signal import quintic_spline
from har_virtual.skeleton import Motion
from har_virtual.studio.actor import Actor
from har_virtual.studio.body import Body, check_body, check_seed

_ARMS = [f"{side}_{joint}" for side in ("left", "right") for joint in ("shoulder", "elbow", "wrist")]
_LEGS = [f"{side}_{joint}" for side in ("left", "right") for joint in ("hip", "knee", "ankle")]
_MIN_FRAMES, _MAX_GAP_S = 6, 0.5


class Playback(Actor):
    """Somebody who moves as a recorded motion does; see `play`."""

    def __init__(
        self,
        motion: Motion,
        *,
        body: Body,
        cutoff_hz: float,
        position_m: Sequence[float],
        heading_deg: float,
        subject: str | None,
        label: Any,
    ) -> None:
        motion = _smooth(motion, cutoff_hz)
        self._place(motion.duration_s, position_m, heading_deg)
        self.body, self.label, self.subject = body, label, subject
        self._motion = self._on_stage(motion)
        self.session, self.dataset = motion.session, motion.dataset
        self.attrs = {**motion.attrs, "source": "studio: a recorded motion", "cutoff_hz": cutoff_hz}
        stamps = self._motion.timestamps_s
        self._path = quintic_spline(stamps, self._motion.positions_m)
        self._turning = quintic_spline(stamps, continuous_quaternions(np.asarray(self._motion.rotations)))

    def _on_stage(self, motion: Motion) -> Motion:
        """Put the feet on the floor, the first pelvis to `position_m`, the first look along the heading."""
        # Somebody at heading h has the left at (-cos h, -sin h).
        x, y, _ = motion.joint("right_hip")[0] - motion.joint("left_hip")[0]
        turn = about_up(self.heading_deg - np.rad2deg(np.arctan2(y, x)))
        ankles = [motion.joint(f"{side}_ankle")[:, 2] for side in ("left", "right")]
        floor = np.quantile(np.minimum(*ankles), 0.02) - self.body.sole_m
        start = np.array([*motion.joint("pelvis")[0, :2], floor])
        positions = (motion.positions_m - start) @ turn.T + np.array([*self.position_m, 0.0])
        stamps = motion.timestamps_s - motion.timestamps_s[0]
        return motion.replace(positions_m=positions, rotations=turn @ motion.rotations, timestamps_s=stamps)

    def _pose(self, times_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self._path(times_s), rotation_matrices(self._turning(times_s))

    def _readings(
        self, times_s: np.ndarray, sites: Mapping[str, Placement], gravity: bool, magnetic_field_ut: ArrayLike
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        places, frames = sensor_poses(self._motion, sites)
        return simulate_sensor(
            *(places, frames, self._motion.timestamps_s),
            times_s=times_s,
            gravity=gravity,
            magnetic_field_ut=magnetic_field_ut,
        )

    def _check_times(self, times_s: ArrayLike) -> np.ndarray:
        times = super()._check_times(times_s)
        if not ((times >= -1e-9) & (times <= self.duration_s + 1e-9)).all():
            raise DataFormatError(
                f"times_s must lie within the motion, 0 to {self.duration_s:g} s: it is not extrapolated."
            )
        return np.clip(times, 0.0, self.duration_s)


def play(
    motion: Motion,
    *,
    seed: int = 0,
    body: Body | None = None,
    cutoff_hz: float = 15.0,
    position_m: Sequence[float] = (0.0, 0.0),
    heading_deg: float = 0.0,
    subject: str | None = None,
    label: Any = None,
) -> Playback:
    """Let a person move as a motion says, such as one from `har_virtual.motion.read_bvh` or `read_asf_amc`.

    The motion is low-passed, splines run through it, and they are the truth: pictures and readings follow them.

    Parameters
    ----------
    motion : Motion
        In any place and heading: the first frame is put to `position_m` and turned to `heading_deg`, the feet stand
        on the floor. Hands, feet and ears that it lacks are added.
    seed : int, default=0
        Clothes and girth.
    body : Body, optional
        Instead of ``Body.of_motion(motion, seed)``.
    cutoff_hz : float, default=15.0
        Low-pass of positions and orientations; lowered to 0.4 of the motion's frame rate where it is above.
    position_m, heading_deg
        As in `perform`.
    subject, label : optional
        None for the motion's.

    Returns
    -------
    Playback

    Raises
    ------
    UnknownNameError
        If the motion lacks legs, arms or trunk; the message names the joints.
    DataFormatError
        If it is no Motion, has fewer than six frames or a hole of over half a second, or a number does not fit.
    """
    if not isinstance(motion, Motion):
        raise DataFormatError(f"play: motion must be a Motion, such as one from read_bvh, not {motion!r:.60}.")
    check_seed("play: seed", seed)
    if len(motion) < _MIN_FRAMES:
        raise DataFormatError(f"play: a motion of {len(motion)} frames is too short; it takes {_MIN_FRAMES}.")
    hole = int(np.argmax(np.diff(motion.timestamps_s)))
    if np.diff(motion.timestamps_s)[hole] > _MAX_GAP_S + 1 / motion.frame_rate_hz:
        raise DataFormatError(
            f"play: the motion has a hole from {motion.timestamps_s[hole]:g} to {motion.timestamps_s[hole + 1]:g} s; "
            "nobody knows what the person did there. Play the parts before and after it by themselves."
        )
    on_body = _complete(motion)
    return Playback(
        on_body,
        body=check_body(body, Body.of_motion(on_body, seed)),
        cutoff_hz=check_positive("cutoff_hz", cutoff_hz),
        position_m=position_m,
        heading_deg=heading_deg,
        subject=motion.subject if subject is None else subject,
        label=motion.label if label is None else label,
    )


def _smooth(motion: Motion, cutoff_hz: float) -> Motion:
    """Low-pass positions and orientations."""
    stamps, quaternions = motion.timestamps_s, continuous_quaternions(np.asarray(motion.rotations))
    cutoff = min(cutoff_hz, 0.4 * motion.frame_rate_hz)
    times, positions, quaternions = smooth_poses(stamps, motion.positions_m, quaternions, cutoff)
    return motion.replace(
        positions_m=positions, rotations=rotation_matrices(quaternions), timestamps_s=times, uncertainty_m=None
    )


def _complete(motion: Motion) -> Motion:
    """Give a motion on all of BODY-22; hands, feet and ears that are missing get the place they have on average."""
    body = to_body(motion)
    have = body.skeleton
    needed = ["pelvis", "spine", "neck", "head", *_ARMS, *_LEGS]
    missing = [joint for joint in needed if joint not in have]
    if missing:
        what = "legs" if set(missing) & set(_LEGS) else "body"
        raise UnknownNameError(
            f"play: the motion on {motion.skeleton.name} lacks {', '.join(missing)}: an actor needs a whole {what}. "
            "Use a motion with arms, legs and head, or name its joints (joint_names of the reader)."
        )
    try:
        average = Body.of_motion(body)
    except DataFormatError as error:
        raise DataFormatError(
            f"play: the motion's legs are those of nobody ({error}). Was it read with the wrong unit_m?"
        ) from error
    positions, rotations = np.empty((len(body), 22, 3)), np.empty((len(body), 22, 3, 3))
    for index in BODY_22.outward_order:
        joint = BODY_22.joints[index]
        if joint in have:
            positions[:, index] = body.joint(joint)
            rotations[:, index] = np.asarray(body.rotations)[:, have.index(joint)]
            continue
        parent = BODY_22.parents[index]
        frame = rotations[:, parent]
        side, _, name = joint.rpartition("_")
        # A foot without a bone: the ankle's frame is the shank's, whose -y is forward and -x up.
        along = {
            "ear": (0.0, 0.0, -average.offsets_m[f"{side}_ear"][0]),
            "hand": (-average.offsets_m[f"{side}_hand"][2], 0.0, 0.0),
            "foot": (-average.offsets_m[f"{side}_foot"][2], -average.offsets_m[f"{side}_foot"][1], 0.0),
        }[name]
        positions[:, index] = positions[:, parent] + frame @ np.array(along)
        rotations[:, index] = frame
    return body.replace(positions_m=positions, rotations=rotations, skeleton=BODY_22, uncertainty_m=None)
