"""MSRDailyActivity3D: everyday activities in a living room, filmed with a Kinect."""

from __future__ import annotations

import re
from pathlib import Path

from har_virtual.datasets.videos._named import NamedVideos
from har_virtual.datasets.videos.base import Annotation

MSR_DAILY_ACTIVITY_3D_CLASSES: tuple[str, ...] = tuple(
    """
    drink eat read_book call_cellphone write_on_a_paper use_laptop use_vacuum_cleaner cheer_up sit_still toss_paper
    play_game lie_down_on_sofa walk play_guitar stand_up sit_down
    """.split()
)
"""The 16 activities, a01 to a16."""

_N_SUBJECTS, _N_EXECUTIONS = 10, 2
_NAME = re.compile(r"a(?P<activity>\d\d)_s(?P<subject>\d\d)_e\d\d_rgb")


class _MSRDailyActivity3D(NamedVideos):
    """MSRDailyActivity3D: the name of a video, ``a07_s01_e02_rgb.avi``, tells activity, subject and execution."""

    name = "msr_daily_activity_3d"
    title = "MSRDailyActivity3D"
    example = "a01_s01_e01_rgb.avi"
    folders = ("msr_daily_activity_3d", "MSRDailyActivity3D", "MSRDailyAct3D")

    def classes(self, home: Path) -> list[str]:
        return list(MSR_DAILY_ACTIVITY_3D_CLASSES)

    def published_videos(self, name: str) -> int | None:
        return _N_SUBJECTS * _N_EXECUTIONS

    def annotation(self, path: Path) -> Annotation | None:
        parts = _NAME.fullmatch(path.stem)
        if parts is None:
            return None
        activity, subject = int(parts["activity"]), int(parts["subject"])
        if not 1 <= activity <= len(MSR_DAILY_ACTIVITY_3D_CLASSES) or not 1 <= subject <= _N_SUBJECTS:
            return None
        name = MSR_DAILY_ACTIVITY_3D_CLASSES[activity - 1]
        return Annotation(path.stem, name, subject=str(subject), where=str(path))


MSR_DAILY_ACTIVITY_3D = _MSRDailyActivity3D()
