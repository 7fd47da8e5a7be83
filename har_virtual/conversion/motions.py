"""What the expensive half of a conversion gives, and how it is kept on disk."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from har_virtual.exceptions import DataFormatError, NoPersonError, UnknownNameError
from har_virtual.files import atomic_path
from har_virtual.skeleton import Motion, Skeleton


@dataclass(frozen=True, eq=False)
class PersonMotion:
    """One tracked person of a clip.

    Parameters
    ----------
    track_id : int
        From 1, in the order of appearance.
    motion : Motion
        On BODY-22, with orientations, stamped with the time of the video.
    keypoints_px : array of shape (n_frames, n_joints, 2)
        The same joints in the picture.
    boxes_xyxy : array of shape (n_frames, 4)
        Around them, px.
    report : mapping
        How well this person was seen; JSON-compatible.
    """

    track_id: int
    motion: Motion
    keypoints_px: np.ndarray
    boxes_xyxy: np.ndarray
    report: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class ClipMotions:
    """Every person of one clip.

    Parameters
    ----------
    persons : list of PersonMotion
        In the order of appearance; empty if nobody was tracked long enough.
    report : mapping
        Video, timing, camera and counts; JSON-compatible.
    faces_px : array of shape (n_faces, 4)
        Time in s, x, y and radius in px of every face that was detected, of tracked persons and of all others.
    """

    persons: list[PersonMotion] = field(default_factory=list)
    report: Mapping[str, Any] = field(default_factory=dict)
    faces_px: np.ndarray = field(default_factory=lambda: np.empty((0, 4)))

    def choose(self, person: str | int) -> PersonMotion:
        """Give one person.

        Parameters
        ----------
        person : {"main", "central"} or int
            Largest in the picture, summed over time; nearest to its middle; or the one with this track id.

        Raises
        ------
        NoPersonError
            If nobody was tracked.
        UnknownNameError
            If there is no such track.
        """
        if not self.persons:
            raise NoPersonError(f"{self.report['video']}: {self.report['no_person']}")
        if person == "main":
            return max(self.persons, key=lambda p: p.report["picture_share"] * p.report["n_frames"])
        if person == "central":
            return min(self.persons, key=lambda p: p.report["distance_from_center"])
        for candidate in self.persons:
            if candidate.track_id == person:
                return candidate
        raise UnknownNameError(
            f"{self.report['video']}: there is no track {person}; there are {[p.track_id for p in self.persons]}."
        )

    def save(self, path: str | Path) -> None:
        """Write everything to one .npz file without pickles, whole or not at all."""
        arrays: dict[str, np.ndarray] = {}
        entries = []
        for i, person in enumerate(self.persons):
            motion = person.motion
            arrays |= {
                f"positions_m_{i}": motion.positions_m,
                f"rotations_{i}": np.asarray(motion.rotations),
                f"timestamps_s_{i}": motion.timestamps_s,
                f"keypoints_px_{i}": person.keypoints_px,
                f"boxes_xyxy_{i}": person.boxes_xyxy,
            }
            skeleton = [motion.skeleton.name, list(motion.skeleton.joints), list(motion.skeleton.parents)]
            entries.append(
                {
                    "track_id": person.track_id,
                    "report": dict(person.report),
                    "skeleton": skeleton,
                    "subject": motion.subject,
                    "attrs": dict(motion.attrs),
                }
            )
        header = json.dumps({"persons": entries, "report": dict(self.report)})
        with atomic_path(path) as temporary:
            np.savez(temporary, header=np.array(header), faces_px=self.faces_px, **arrays)

    @classmethod
    def load(cls, path: str | Path) -> ClipMotions:
        """Read what `save` wrote; any other file raises `DataFormatError`."""
        try:
            with Path(path).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                header = json.loads(str(arrays["header"]))
                persons = [_person(entry, i, arrays) for i, entry in enumerate(header["persons"])]
                return cls(persons, header["report"], arrays["faces_px"])
        except (ValueError, KeyError, EOFError, OSError, BadZipFile) as error:
            raise DataFormatError(f"{path}: not a file of motions ({error}). Delete it; it is made anew.") from error


def _person(entry: Mapping[str, Any], i: int, arrays: Mapping[str, np.ndarray]) -> PersonMotion:
    name, joints, parents = entry["skeleton"]
    motion = Motion(
        positions_m=arrays[f"positions_m_{i}"],
        timestamps_s=arrays[f"timestamps_s_{i}"],
        skeleton=Skeleton(name, tuple(joints), tuple(parents)),
        rotations=arrays[f"rotations_{i}"],
        subject=entry["subject"],
        attrs=entry["attrs"],
    )
    return PersonMotion(
        entry["track_id"], motion, arrays[f"keypoints_px_{i}"], arrays[f"boxes_xyxy_{i}"], entry["report"]
    )
