"""UCF101: clips of the web, whose names tell class and group."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from har_virtual.datasets.fetch import Source
from har_virtual.datasets.videos._named import Line, NamedVideos, as_video, find_lists, number_of, read_lines
from har_virtual.datasets.videos.base import Annotation, FileName, snake_case
from har_virtual.exceptions import DataFormatError

UCF101_CLASSES: tuple[str, ...] = tuple(
    """
    ApplyEyeMakeup ApplyLipstick Archery BabyCrawling BalanceBeam BandMarching BaseballPitch Basketball BasketballDunk
    BenchPress Biking Billiards BlowDryHair BlowingCandles BodyWeightSquats Bowling BoxingPunchingBag BoxingSpeedBag
    BreastStroke BrushingTeeth CleanAndJerk CliffDiving CricketBowling CricketShot CuttingInKitchen Diving Drumming
    Fencing FieldHockeyPenalty FloorGymnastics FrisbeeCatch FrontCrawl GolfSwing Haircut Hammering HammerThrow
    HandstandPushups HandstandWalking HeadMassage HighJump HorseRace HorseRiding HulaHoop IceDancing JavelinThrow
    JugglingBalls JumpingJack JumpRope Kayaking Knitting LongJump Lunges MilitaryParade Mixing MoppingFloor Nunchucks
    ParallelBars PizzaTossing PlayingCello PlayingDaf PlayingDhol PlayingFlute PlayingGuitar PlayingPiano PlayingSitar
    PlayingTabla PlayingViolin PoleVault PommelHorse PullUps Punch PushUps Rafting RockClimbingIndoor RopeClimbing
    Rowing SalsaSpin ShavingBeard Shotput SkateBoarding Skiing Skijet SkyDiving SoccerJuggling SoccerPenalty
    StillRings SumoWrestling Surfing Swing TableTennisShot TaiChi TennisSwing ThrowDiscus TrampolineJumping Typing
    UnevenBars VolleyballSpiking WalkingWithDog WallPushups WritingOnBoard YoYo
    """.split()
)
"""The names of the 101 folders, in the order of ``classInd.txt``, which counts from 1."""

_SNAKE = {name: snake_case(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)) for name in UCF101_CLASSES}
# The files of HandstandPushups are called v_HandStandPushups.
_BY_LOWER = {name.lower(): name for name in UCF101_CLASSES}
_NAME = re.compile(r"v_(?P<name>[A-Za-z]+)_g(?P<group>\d\d)_c\d\d")
_TWO_SPELLINGS = ("HandStandPushups", "HandstandPushups")


class UCF101Collection(NamedVideos):
    """UCF101.

    The name of a clip tells its class. Where the lists of the official divisions are there, they tell what there is.

    Parameters
    ----------
    division : {1, 2, 3}, default=1
        Which of the three official divisions into training and test clips the splits "train" and "test" are of.

    Notes
    -----
    The subject is the group of a class, such as "biking_g08": who is to be seen is not known, but clips of one group
    are of one video, show the same people, and belong on one side of every split.
    """

    name = "ucf101"
    title = "UCF101"
    example = "Biking/v_Biking_g01_c01.avi or ucfTrainTestlist/trainlist01.txt"
    folders = ("ucf101", "UCF101", "UCF-101")
    splits = ("train", "test")
    source = Source(
        url="https://www.crcv.ucf.edu/data/UCF101/UCF101TrainTestSplits-RecognitionTask.zip",
        file_name="UCF101TrainTestSplits-RecognitionTask.zip",
        size_bytes=None,
        sha256=None,
        licence="none stated that we know of; for research (recalled). The lists alone, without the videos",
        page="https://www.crcv.ucf.edu/data/UCF101.php",
    )

    def __init__(self, division: int = 1) -> None:
        self.division = number_of("UCF101: division", division, (1, 2, 3))

    def classes(self, home: Path) -> list[str]:
        """Give the names of the 101 folders in lower snake_case."""
        return list(_SNAKE.values())

    def is_home(self, folder: Path) -> bool:
        """Tell whether lists or clips lie in a folder, or up to two below it."""
        return bool(self._lists(folder)) or super().is_home(folder)

    def read(self, home: Path, wanted: Collection[str]) -> Iterator[Annotation | DataFormatError]:
        """Read the lists, or, if there are none, the names of the clips."""
        lists = self._lists(home)
        if not lists:
            yield from super().read(home, wanted)
        for split, path in lists.items():
            for line in read_lines(path):
                note = self._listed(line, split)
                if isinstance(note, DataFormatError) or note.name in wanted:
                    yield note

    def annotation(self, path: Path) -> Annotation | None:
        """Give what the name of a clip tells."""
        parts = _NAME.fullmatch(path.stem)
        name = _BY_LOWER.get(parts["name"].lower()) if parts else None
        if parts is None or name is None:
            return None
        subject = f"{_SNAKE[name]}_g{parts['group']}"
        return Annotation(path.stem, _SNAKE[name], subject=subject, where=str(path))

    def unlisted(self, home: Path, wanted: Collection[str]) -> list[str]:
        """Name the lists that are not there."""
        names = [f"{split}list{self.division:02d}.txt" for split in self.splits if split not in self._lists(home)]
        return [f"There is no {' and no '.join(names)}, so it is not known which clips are missing."] if names else []

    def file_names(self, annotation: Annotation) -> tuple[FileName, ...]:
        """Give the clip's name, in both spellings where its class has two."""
        video, (one, other) = annotation.video, _TWO_SPELLINGS
        return tuple(
            FileName(stem) for stem in dict.fromkeys([video, video.replace(one, other), video.replace(other, one)])
        )

    def _lists(self, home: Path) -> dict[str, Path]:
        """The lists of the division by split."""
        found = {split: find_lists(home, f"{split}list{self.division:02d}.txt") for split in self.splits}
        return {split: paths[0] for split, paths in found.items() if paths}

    def _listed(self, line: Line, split: str) -> Annotation | DataFormatError:
        """A line such as ``Biking/v_Biking_g01_c01.avi 11``; the lists of test clips have no number."""
        file, *number = line.text.split()
        path = as_video(file)
        note = None if path is None else self.annotation(path)
        if path is not None and note is not None and number in ([], [_number(note.name)]):
            return note._replace(split=split, where=line.where)
        return DataFormatError(
            f"{line.where}: {line.text[:80]!r} is not the name of a clip, such as Biking/v_Biking_g01_c01.avi, and the "
            "number of its class or none. The list is damaged: unpack it anew, or pass errors='warn' to leave it out."
        )


def _number(name: str) -> str:
    return str(list(_SNAKE.values()).index(name) + 1)


UCF101 = UCF101Collection()
