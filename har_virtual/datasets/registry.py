"""The data sets and the collections of videos that this library can load, by name."""

from __future__ import annotations

from har_virtual.datasets.base import DataSet
from har_virtual.datasets.flag3d import FLAG3D
from har_virtual.datasets.mm_fit import MM_FIT
from har_virtual.datasets.opportunity import OPPORTUNITY
from har_virtual.datasets.pamap2 import PAMAP2
from har_virtual.datasets.realworld import REALWORLD
from har_virtual.datasets.sp_sw_har import SP_SW_HAR
from har_virtual.datasets.totalcapture import TOTALCAPTURE
from har_virtual.datasets.utd_mhad import UTD_MHAD
from har_virtual.datasets.videos.activitynet import ACTIVITYNET
from har_virtual.datasets.videos.ava import AVA
from har_virtual.datasets.videos.base import VideoCollection
from har_virtual.datasets.videos.charades import CHARADES
from har_virtual.datasets.videos.hmdb51 import HMDB51
from har_virtual.datasets.videos.kinetics700 import KINETICS700
from har_virtual.datasets.videos.mpii import MPII
from har_virtual.datasets.videos.msr_daily_activity_3d import MSR_DAILY_ACTIVITY_3D
from har_virtual.datasets.videos.ntu_rgbd import NTU_RGBD, NTU_RGBD_120
from har_virtual.datasets.videos.ucf101 import UCF101
from har_virtual.exceptions import UnknownNameError

DATASETS: dict[str, DataSet] = {
    data_set.name: data_set
    for data_set in (FLAG3D, MM_FIT, OPPORTUNITY, PAMAP2, REALWORLD, SP_SW_HAR, TOTALCAPTURE, UTD_MHAD)
}
"""Every data set by its name, such as "pamap2"."""


VIDEO_COLLECTIONS: dict[str, VideoCollection] = {
    collection.name: collection
    for collection in (
        ACTIVITYNET,
        AVA,
        CHARADES,
        HMDB51,
        KINETICS700,
        MPII,
        MSR_DAILY_ACTIVITY_3D,
        NTU_RGBD,
        NTU_RGBD_120,
        UCF101,
    )
}
"""Every collection of labelled videos by its name, such as "kinetics700"."""


def find_collection(name: str) -> VideoCollection:
    """Give the collection of a name; an unknown one raises `UnknownNameError` that lists those there are."""
    if name not in VIDEO_COLLECTIONS:
        hint = " It is a data set of recordings." if name in DATASETS else ""
        raise UnknownNameError(
            f"There is no collection of videos {name!r}; there are {', '.join(VIDEO_COLLECTIONS)}.{hint}"
        )
    return VIDEO_COLLECTIONS[name]


def find_any(name: str) -> DataSet | VideoCollection:
    """Give the data set or the collection of a name; an unknown one raises `UnknownNameError`."""
    return VIDEO_COLLECTIONS[name] if name in VIDEO_COLLECTIONS else find_dataset(name)


def find_dataset(name: str) -> DataSet:
    """Give the data set of a name; an unknown one raises `UnknownNameError` that lists those there are."""
    if name not in DATASETS:
        own = " load_folder and load_converted read files of your own." if name in ("folder", "converted") else ""
        raise UnknownNameError(
            f"There is no data set {name!r}; there are {', '.join(DATASETS)}; and the collections of videos "
            f"{', '.join(VIDEO_COLLECTIONS)}.{own}"
        )
    return DATASETS[name]
