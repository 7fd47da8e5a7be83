"""What lies in the packs of FLAG3D: sequences by name, with their arrays still in the file."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

from har_virtual.datasets._safe_pickle import PickledArray, read_pickle
from har_virtual.datasets.labels import names_by_id
from har_virtual.exceptions import DataFormatError
from har_virtual.files import file_state

NAME = "flag3d"
ACTIVITIES = names_by_id(NAME, "activity")
Pack = Literal["3d", "2d"]
FILES: dict[Pack, str] = {"3d": "flag3d.pkl", "2d": "flag2d.pkl"}
_RENDERED = re.compile(r"(?P<scene>S\d{3})(?P<camera>C\d{3})(?P<avatar>M\d{3})(?P<subject>P\d{3})A(\d{3})R(\d{3})")
_FILMED = re.compile(r"(?P<subject>P[A-Z]{2,5})_A(\d{3})_(?P<view>V\d{3})_R(\d{3})_(?P<scene>S\d{3})")


class SequenceName(NamedTuple):
    """What the name of a sequence tells."""

    subject: str
    activity: int
    repetition: int
    avatar: str | None
    attrs: dict[str, Any]


class Sequence(NamedTuple):
    """One activity by one person: joints of shape (1, frames, joints, 2 or 3), and their scores where there are any."""

    name: str
    told: SequenceName
    n_frames: int
    joints: PickledArray
    scores: PickledArray | None
    split: str | None
    pack: Path

    def error(self, what: str) -> DataFormatError:
        """Make an error that names pack and sequence."""
        return DataFormatError(f"{self.pack}: {self.name} {what}")

    @property
    def label(self) -> str:
        """Name of the activity."""
        return ACTIVITIES[self.told.activity]


def parse_name(name: str) -> SequenceName | None:
    """Take a name apart: ``S002C002M001P002A001R001`` of a rendering, ``PHR_A001_V001_R001_S001`` of a film."""
    match = _RENDERED.fullmatch(name) or _FILMED.fullmatch(name)
    if match is None:
        return None
    told = match.groupdict()
    activity, repetition = (int(number) for number in match.groups() if number.isdigit())
    if activity not in ACTIVITIES:
        return None
    subject = told.pop("subject")
    return SequenceName(subject, activity, repetition, told.get("avatar"), {**told, "repetition": repetition})


def read_pack(path: Path) -> tuple[Sequence, ...]:
    """List the sequences of a pack, by person and name; read again only when the file changes."""
    return _read_pack(path, *file_state(path))


@lru_cache(maxsize=4)
def _read_pack(path: Path, *_state: int) -> tuple[Sequence, ...]:
    content = read_pickle(path)
    if not isinstance(content, dict) or not isinstance(content.get("annotations"), list):
        raise DataFormatError(f"{path} must hold a mapping with 'split' and 'annotations', as FLAG3D's packs do.")
    splits = _splits(path, content.get("split", {}))
    sequences = [_sequence(path, number, entry, splits) for number, entry in enumerate(content["annotations"])]
    if not sequences:
        raise DataFormatError(f"{path} has no annotation; get the file anew.")
    (name, times), *_ = Counter(sequence.name for sequence in sequences).most_common(1)
    if times > 1:
        raise DataFormatError(f"{path}: {name} occurs {times} times; get the file anew.")
    return tuple(sorted(sequences, key=lambda sequence: (sequence.told.subject, sequence.name)))


def _splits(path: Path, splits: Any) -> dict[str, str]:
    """Name of the split, by the names of its sequences."""
    if not isinstance(splits, dict) or not all(isinstance(names, list) for names in splits.values()):
        raise DataFormatError(f"{path}: 'split' must map names of splits to lists of sequences.")
    return {name: str(split) for split, names in splits.items() for name in names if isinstance(name, str)}


def _sequence(path: Path, number: int, entry: Any, splits: dict[str, str]) -> Sequence:
    where = f"{path}: annotation {number}"
    if not isinstance(entry, dict):
        raise DataFormatError(f"{where} must be a mapping.")
    name, label, joints, scores = (entry.get(key) for key in ("frame_dir", "label", "keypoint", "keypoint_score"))
    told = parse_name(name) if isinstance(name, str) else None
    if told is None:
        raise DataFormatError(
            f"{where} must have a frame_dir such as S002C002M001P002A001R001 or PHR_A001_V001_R001_S001, with an "
            f"activity of 1 to {len(ACTIVITIES)}; it has {_shown(name)}."
        )
    if type(label) is not int or label != told.activity - 1:
        raise DataFormatError(f"{where}, {name}: label must be {told.activity - 1}, not {_shown(label)}.")
    if not isinstance(joints, PickledArray) or not isinstance(scores, PickledArray | None):
        raise DataFormatError(f"{where}, {name}: keypoint and keypoint_score must be arrays.")
    n_frames = entry.get("total_frames")
    if type(n_frames) is not int:
        raise DataFormatError(f"{where}, {name}: total_frames must be a whole number.")
    return Sequence(str(name), told, n_frames, joints, scores, splits.get(str(name)), path)


def _shown(value: Any) -> str:
    """A text or small number as it is, of all else the type: a hostile value may be too large to be shown."""
    return repr(value)[:60] if isinstance(value, str | int | float | None) else f"a {type(value).__name__}"
