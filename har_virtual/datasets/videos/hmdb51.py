"""HMDB51: clips of films and of the web, by folder."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from har_virtual.datasets.videos._named import NamedVideos, as_video, find_lists, number_of, read_lines
from har_virtual.datasets.videos.base import Annotation
from har_virtual.exceptions import DataFormatError

HMDB51_CLASSES: tuple[str, ...] = tuple(
    """
    brush_hair cartwheel catch chew clap climb climb_stairs dive draw_sword dribble drink eat fall_floor fencing
    flic_flac golf handstand hit hug jump kick kick_ball kiss laugh pick pour pullup punch push pushup ride_bike
    ride_horse run shake_hands shoot_ball shoot_bow shoot_gun sit situp smile smoke somersault stand swing_baseball
    sword sword_exercise talk throw turn walk wave
    """.split()
)
"""The names of the 51 folders."""

# What is visible, whether the camera moves, how many people, from where, and how well; then a number.
_TAGS = r"_(?:f|u|h|l)_(?:cm|nm)_np\d_(?:fr|ri|le|ba)_(?:bad|med|goo)_\d+"
_NAME = re.compile(rf"(?P<source>.+?)_(?P<name>{'|'.join(HMDB51_CLASSES)}){_TAGS}")
_PARTS = {"0": None, "1": "train", "2": "test"}


class HMDB51Collection(NamedVideos):
    """HMDB51.

    The folder of a clip tells its class, and where it lies elsewhere, its name. Where the lists of the official
    divisions are there, they tell what there is.

    Parameters
    ----------
    division : {1, 2, 3}, default=1
        Which of the three official divisions into training and test clips the splits "train" and "test" are of.

    Notes
    -----
    The subject is the film or video that a clip was cut from: who is to be seen is not known, but clips of one source
    show the same people, and belong on one side of every split.
    """

    name = "hmdb51"
    title = "HMDB51"
    example = "walk/<name of a clip>.avi or testTrainMulti_7030_splits/walk_test_split1.txt"
    folders = ("hmdb51", "HMDB51", "hmdb51_org")
    splits = ("train", "test")

    def __init__(self, division: int = 1) -> None:
        self.division = number_of("HMDB51: division", division, (1, 2, 3))

    def classes(self, home: Path) -> list[str]:
        """Give the names of the 51 folders."""
        return list(HMDB51_CLASSES)

    def is_home(self, folder: Path) -> bool:
        """Tell whether lists or clips lie in a folder, or up to two below it."""
        return bool(self._lists(folder)) or super().is_home(folder)

    def read(self, home: Path, wanted: Collection[str]) -> Iterator[Annotation | DataFormatError]:
        """Read the lists of some classes, and the folders of those that have none."""
        lists = self._lists(home)
        for name, path in lists.items():
            if name in wanted:
                yield from self._listed(path, name)
        yield from super().read(home, [name for name in wanted if name not in lists])

    def unlisted(self, home: Path, wanted: Collection[str]) -> list[str]:
        """Name the classes that have no list."""
        names = [name for name in HMDB51_CLASSES if name in wanted and name not in self._lists(home)]
        why = f"(*_test_split{self.division}.txt), so it is not known which of its clips are missing."
        return [f"There is no list of {', '.join(names)} {why}"] if names else []

    def annotation(self, path: Path) -> Annotation | None:
        """Give what the folder of a clip tells, or else its name."""
        tags = _NAME.fullmatch(path.stem)
        folder = path.parent.name
        name = folder if folder in HMDB51_CLASSES else tags and tags["name"]
        return Annotation(path.stem, name, subject=_source(path.stem), where=str(path)) if name else None

    def _lists(self, home: Path) -> dict[str, Path]:
        """The list of each class."""
        ending = f"_test_split{self.division}.txt"
        found = {path.name.removesuffix(ending): path for path in find_lists(home, f"*{ending}")}
        return {name: found[name] for name in HMDB51_CLASSES if name in found}

    def _listed(self, path: Path, name: str) -> Iterator[Annotation | DataFormatError]:
        for line in read_lines(path):
            file, _, part = line.text.rpartition(" ")
            video = as_video(file.strip())
            if video is None or part not in _PARTS:
                yield DataFormatError(
                    f"{line.where}: {line.text[:80]!r} is not a video's name and 0, 1 or 2. The list is damaged: "
                    "unpack it anew, or pass errors='warn' to leave it out."
                )
                continue
            yield Annotation(video.stem, name, subject=_source(video.stem), split=_PARTS[part], where=line.where)


def _source(stem: str) -> str | None:
    tags = _NAME.fullmatch(stem)
    return tags["source"] if tags else None


HMDB51 = HMDB51Collection()
