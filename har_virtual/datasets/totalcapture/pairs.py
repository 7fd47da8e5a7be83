"""TotalCapture's recordings beside the motion capture of their takes: other frames, and virtual recordings."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np

from har_virtual.datasets.totalcapture.bones import MissingMotionError, load_motion, segment_from_sensor, turned
from har_virtual.datasets.totalcapture.files import RATE_HZ, Take
from har_virtual.exceptions import DataFormatError
from har_virtual.imu import SITES, simulate_imu
from har_virtual.recording import Recording, channel_site
from har_virtual.skeleton import Motion


class Pairing:
    """Changes real recordings, and makes the virtual ones beside them; what is to be said gathers in `notes`.

    Parameters
    ----------
    home : Path
    takes : mapping of (subject, name) to Take
    frame : {"sensor", "segment"}
        Of all recordings.
    sites : collection of str, optional
        What will be chosen: nothing is said of other sites; None for all.
    cutoff_hz : float or None
        Low-pass of the motion.
    virtual : bool
        Whether to make virtual recordings.
    keeps_damaged : bool
        Whether a damaged motion is a note, and the real recording stays.
    """

    def __init__(
        self,
        home: Path,
        takes: Mapping[tuple[str, str], Take],
        frame: str,
        sites: Collection[str] | None,
        cutoff_hz: float | None,
        *,
        virtual: bool,
        keeps_damaged: bool,
    ) -> None:
        self.notes: list[str] = []
        self.recordings: dict[tuple[str, str], Recording] = {}
        self._home, self._takes, self._frame, self._sites = home, takes, frame, sites
        self._cutoff_hz, self._virtual, self._keeps_damaged = cutoff_hz, virtual, keeps_damaged

    def change(self, real: Recording) -> Recording | None:
        """Give the real recording in the frame asked for, as long as the motion; None if it cannot be turned."""
        take = self._takes[str(real.subject), str(real.session)]
        try:
            motion = load_motion(self._home, take)
            rotations = segment_from_sensor(self._home, take, motion)
        except MissingMotionError as missing:
            self.notes.append(f"{missing} It is left out in this frame or domain.")
            return real if self._frame == "sensor" else None
        except (DataFormatError, OSError) as error:
            if not self._keeps_damaged:
                raise
            self.notes.append(f"The motion of {take} was left out: {error}")
            return real if self._frame == "sensor" else None
        if motion.attrs["frames_in_file"] != len(real):
            self.notes.append(
                f"{take} has {len(real)} samples of its sensors and {motion.attrs['frames_in_file']} frames of motion "
                f"capture; the first {len(motion)} of both are used."
            )
        real = real.replace(data=real.data[: len(motion)])
        self._tell_unturned(take, real, rotations)
        if self._virtual:
            self._simulate(real, motion, rotations)
        return real if self._frame == "sensor" else _to_segments(real, rotations)

    def _tell_unturned(self, take: Take, real: Recording, rotations: Mapping[str, np.ndarray]) -> None:
        there = dict.fromkeys(str(channel_site(channel)) for channel in real.channels)
        unturned = [site for site in there if site not in rotations]
        if unturned and (self._sites is None or set(unturned) & set(self._sites)):
            self.notes.append(f"{take}: how the sensor at {', '.join(unturned)} is turned on its segment is not known.")

    def _simulate(self, real: Recording, motion: Motion, rotations: Mapping[str, np.ndarray]) -> None:
        there = {str(channel_site(channel)) for channel in real.channels}
        sites = [site for site in rotations if site in there]
        if not sites:
            return
        inward = self._frame == "sensor"
        placements = {site: turned(SITES[site], rotations[site]) if inward else SITES[site] for site in sites}
        virtual = simulate_imu(motion, placements, RATE_HZ, cutoff_hz=self._cutoff_hz)
        key = (str(real.subject), str(real.session))
        self.recordings[key] = virtual.replace(attrs={**virtual.attrs, "frame": self._frame})


def _to_segments(real: Recording, rotations: Mapping[str, np.ndarray]) -> Recording | None:
    """Turn every triad from the sensor's frame to the segment's; sites of unknown turn are left out."""
    kept = [channel for channel in real.channels if channel_site(channel) in rotations]
    if not kept:
        return None
    data = real.select(kept).data.astype(np.float64).reshape(len(real), -1, 3)
    for number, channel in enumerate(kept[::3]):
        data[:, number] = data[:, number] @ rotations[str(channel_site(channel))].T
    turned_data = data.reshape(len(real), -1)
    return real.select(kept).replace(data=turned_data, attrs={**real.attrs, "frame": "segment"})
