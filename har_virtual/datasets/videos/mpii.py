"""MPII Human Pose: images out of YouTube videos, each with an activity and its second in the video."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import lru_cache
from pathlib import Path
from typing import ClassVar, Literal, NamedTuple

import numpy as np

from har_virtual.checks import check_positive
from har_virtual.datasets._mat5 import MatArray, open_mat5
from har_virtual.datasets.fetch import Source
from har_virtual.datasets.videos._named import find_lists
from har_virtual.datasets.videos.base import Annotation, VideoCollection, snake_case
from har_virtual.exceptions import DataFormatError, UnknownNameError
from har_virtual.files import file_state

_ANNOTATIONS = "mpii_human_pose_v1_u12_1.mat"
_KEYFRAMES = "mpii_human_pose_v1_sequences_keyframes.mat"
_MEDIA = ("youtube", "sequences")


class _Image(NamedTuple):
    """What the file says of an image; number and seconds are NaN where they are not known."""

    name: str
    activity: str
    video: float
    at_s: float
    trains: bool


class _Release(NamedTuple):
    path: Path
    images: list[_Image]
    videos: list[str]


class MPIICollection(VideoCollection):
    """MPII Human Pose.

    The activities of the test images are withheld: all annotations are of training images. An image's activity is
    taken to be seen some seconds before and after it; where such stretches of one video and activity meet, they are
    one.

    Parameters
    ----------
    media : {"youtube", "sequences"}, default="youtube"
        "youtube": stretches of the videos, which are called by their identifier there. "sequences": the frames around
        each image, which the authors give as numbered folders of pictures: each made into a video that is called by
        the number of its folder, and is a clip as a whole. That needs ``mpii_human_pose_v1_sequences_keyframes.mat``.
    margin_s : float, default=2.5
        How many seconds before and after an image a stretch goes; of no use for "sequences".
    """

    name = "mpii"
    title = "MPII Human Pose"
    example = _ANNOTATIONS
    folders = ("mpii", "mpii_human_pose_v1_u12_2", "mpii_human_pose_v1_u12_1", "MPII")
    splits: ClassVar[tuple[str, ...]] = ("train", "test")
    source = Source(
        url="https://datasets.d2.mpi-inf.mpg.de/andriluka14cvpr/mpii_human_pose_v1_u12_2.zip",
        file_name="mpii_human_pose_v1_u12_2.zip",
        size_bytes=12_500_000,
        sha256=None,
        licence="Simplified BSD, for research, not commercial. The annotations alone, without the videos",
        page="http://human-pose.mpi-inf.mpg.de",
    )

    def __init__(self, media: Literal["youtube", "sequences"] = "youtube", margin_s: float = 2.5) -> None:
        if media not in _MEDIA:
            raise UnknownNameError(f"MPII: media must be {' or '.join(_MEDIA)}, not {media!r}.")
        self.media = media
        self.margin_s = check_positive("MPII: margin_s", margin_s)

    def is_home(self, folder: Path) -> bool:
        """Tell whether the annotations lie in a folder, or up to two below it."""
        return bool(find_lists(folder, _ANNOTATIONS))

    def classes(self, home: Path) -> list[str]:
        """Give the activities that the file has, sorted."""
        return sorted({image.activity for image in _release(home).images if image.activity})

    def read(self, home: Path, wanted: Collection[str]) -> Iterator[Annotation | DataFormatError]:
        """Read the stretches around the images, or the sequences of frames, of some activities."""
        release = _release(home)
        if self.media == "sequences":
            yield from _sequences(release, find_lists(home, _KEYFRAMES), home, wanted)
        else:
            yield from _united(_stretches(release, wanted, self.margin_s))

    def address(self, annotation: Annotation) -> str | None:
        """Give where the stretch can be seen on YouTube."""
        if self.media == "sequences":
            return None
        return f"https://www.youtube.com/watch?v={annotation.video}&t={int(annotation.start_s)}s"


def _stretches(release: _Release, wanted: Collection[str], margin_s: float) -> Iterator[Annotation | DataFormatError]:
    """What is around each image whose place in a video is known."""
    for number, image in enumerate(release.images, start=1):
        if image.activity not in wanted or np.isnan(image.video) or np.isnan(image.at_s):
            continue
        where = f"{release.path}, image {number} ({image.name})"
        place = image.video - 1
        if place not in range(len(release.videos)) or not 0 <= image.at_s < np.inf:
            yield DataFormatError(
                f"{where}: it is said to be of video {image.video:g} at {image.at_s:g} s, but there are "
                f"{len(release.videos)} videos, and time counts from 0. The file is damaged: unpack it anew, or pass "
                "errors='warn' to leave it out."
            )
            continue
        start_s, stop_s = max(image.at_s - margin_s, 0.0), image.at_s + margin_s
        split = "train" if image.trains else "test"
        yield Annotation(release.videos[int(place)], image.activity, start_s, stop_s, split=split, where=where)


def _united(notes: Iterator[Annotation | DataFormatError]) -> Iterator[Annotation | DataFormatError]:
    """Unite stretches of one video, activity and split that meet; faults come first."""
    stretches: dict[tuple[str, str, str | None], list[Annotation]] = {}
    for note in notes:
        if isinstance(note, DataFormatError):
            yield note
        else:
            stretches.setdefault((note.video, note.name, note.split), []).append(note)
    for group in stretches.values():
        first, *others = sorted(group, key=lambda note: note.start_s)
        for note in others:
            if first.stop_s is not None and note.start_s <= first.stop_s:
                first = first._replace(stop_s=note.stop_s)
            else:
                yield first
                first = note
        yield first


def _sequences(
    release: _Release, keyframes: list[Path], home: Path, wanted: Collection[str]
) -> Iterator[Annotation | DataFormatError]:
    if not keyframes:
        raise DataFormatError(
            f"{home} has no {_KEYFRAMES}, which tells the folder of each image's sequence. Get it where the sequences "
            "are, and put it there."
        )
    names = _keyframes(keyframes[0])
    if len(names) != len(release.images):
        raise DataFormatError(
            f"{keyframes[0]} is of {len(names)} images, {release.path} of {len(release.images)}; both must be of the "
            "same release."
        )
    for number, (image, name) in enumerate(zip(release.images, names, strict=True), start=1):
        folder, slash, _ = name.partition("/")
        if image.activity in wanted and slash and folder:
            where = f"{keyframes[0]}, image {number} ({name})"
            split = "train" if image.trains else "test"
            yield Annotation(folder, image.activity, split=split, where=where)


def _release(home: Path) -> _Release:
    path = find_lists(home, _ANNOTATIONS)[0]
    return _read_release(path, file_state(path))


@lru_cache(maxsize=2)
def _read_release(path: Path, _state: tuple[int, ...]) -> _Release:
    release = open_mat5(path, "RELEASE")
    images, acts = _field(release, "annolist", path), _field(release, "act", path)
    trains = _field(release, "img_train", path).numbers().ravel()
    if not images.size == acts.size == trains.size:
        raise DataFormatError(
            f"{path} has {images.size} images, the activities of {acts.size} and the part of {trains.size}; it is "
            "damaged: unpack it anew."
        )
    columns = (
        [_field(image, "name", path).text() for image in images.field("image")],
        [snake_case(name.text()) for name in acts.field("act_name")],
        [_number(number) for number in images.field("vididx")],
        [_number(number) for number in images.field("frame_sec")],
        [value == 1 for value in trains],
    )
    videos = [cell.text() for cell in _field(release, "video_list", path).cells()]
    return _Release(path, [_Image(*values) for values in zip(*columns, strict=True)], videos)


@lru_cache(maxsize=2)
def _read_keyframes(path: Path, _state: tuple[int, ...]) -> list[str]:
    images = open_mat5(path, "annolist_keyframes").field("image")
    return [_field(image, "name", path).text() for image in images]


def _keyframes(path: Path) -> list[str]:
    return _read_keyframes(path, file_state(path))


def _field(array: MatArray, name: str, path: Path) -> MatArray:
    """Give a field of a single struct."""
    values = array.field(name)
    if len(values) != 1:
        raise DataFormatError(f"{path}: there are {len(values)} {name} in place of one; unpack the file anew.")
    return values[0]


def _number(array: MatArray) -> float:
    numbers = array.numbers()
    return float(numbers.flat[0]) if numbers.size else np.nan


MPII = MPIICollection()
