"""Data sets as recordings, and collections of videos as clips: one file each, its card under cards/."""

from har_virtual.datasets.alignment import LagEstimate, estimate_lag
from har_virtual.datasets.converted import load_converted
from har_virtual.datasets.fetch import Source, fetch_dataset
from har_virtual.datasets.flag3d import (
    FLAG3D_ACTIVITIES,
    FLAG3D_SPLIT,
    flag3d_texts,
    load_flag3d,
    load_flag3d_motions,
    load_flag3d_videos,
    split_flag3d,
)
from har_virtual.datasets.folder import FolderDataSet, load_folder
from har_virtual.datasets.labels import COMMON_LABELS, label_map, label_table, relabel
from har_virtual.datasets.mm_fit import (
    MM_FIT_SPLIT,
    MM_FIT_SUBJECTS,
    SideDecision,
    SideEvidence,
    decide_sides,
    exchange_sides,
    fetch_mm_fit,
    load_mm_fit,
    load_mm_fit_motions,
    load_mm_fit_videos,
    split_mm_fit,
)
from har_virtual.datasets.opportunity import (
    OPPORTUNITY_CHALLENGE_SPLIT,
    OPPORTUNITY_RUNS,
    OPPORTUNITY_SITES,
    fetch_opportunity,
    load_opportunity,
    split_opportunity_challenge,
)
from har_virtual.datasets.pamap2 import PAMAP2_SUBJECTS, Pamap2Subject, fetch_pamap2, load_pamap2
from har_virtual.datasets.realworld import REALWORLD_SITES, fetch_realworld, load_realworld, load_realworld_videos
from har_virtual.datasets.registry import DATASETS, VIDEO_COLLECTIONS
from har_virtual.datasets.sites import NEIGHBOURS, pool_sides, shared_sites
from har_virtual.datasets.sp_sw_har import fetch_sp_sw_har, load_sp_sw_har
from har_virtual.datasets.survey import Survey, survey_dataset
from har_virtual.datasets.totalcapture import (
    TOTALCAPTURE_SPLIT,
    TOTALCAPTURE_TAKES,
    TotalCaptureCamera,
    load_totalcapture,
    load_totalcapture_cameras,
    load_totalcapture_motions,
    load_totalcapture_placements,
    load_totalcapture_videos,
    split_totalcapture,
    totalcapture_orientation_errors,
)
from har_virtual.datasets.utd_mhad import UTD_MHAD_ACTIONS, load_utd_mhad, load_utd_mhad_motions

__all__ = [
    "COMMON_LABELS",
    "DATASETS",
    "FLAG3D_ACTIVITIES",
    "FLAG3D_SPLIT",
    "MM_FIT_SPLIT",
    "MM_FIT_SUBJECTS",
    "NEIGHBOURS",
    "OPPORTUNITY_CHALLENGE_SPLIT",
    "OPPORTUNITY_RUNS",
    "OPPORTUNITY_SITES",
    "PAMAP2_SUBJECTS",
    "REALWORLD_SITES",
    "TOTALCAPTURE_SPLIT",
    "TOTALCAPTURE_TAKES",
    "UTD_MHAD_ACTIONS",
    "VIDEO_COLLECTIONS",
    "FolderDataSet",
    "LagEstimate",
    "Pamap2Subject",
    "SideDecision",
    "SideEvidence",
    "Source",
    "Survey",
    "TotalCaptureCamera",
    "decide_sides",
    "estimate_lag",
    "exchange_sides",
    "fetch_dataset",
    "fetch_mm_fit",
    "fetch_opportunity",
    "fetch_pamap2",
    "fetch_realworld",
    "fetch_sp_sw_har",
    "flag3d_texts",
    "label_map",
    "label_table",
    "load_converted",
    "load_flag3d",
    "load_flag3d_motions",
    "load_flag3d_videos",
    "load_folder",
    "load_mm_fit",
    "load_mm_fit_motions",
    "load_mm_fit_videos",
    "load_opportunity",
    "load_pamap2",
    "load_realworld",
    "load_realworld_videos",
    "load_sp_sw_har",
    "load_totalcapture",
    "load_totalcapture_cameras",
    "load_totalcapture_motions",
    "load_totalcapture_placements",
    "load_totalcapture_videos",
    "load_utd_mhad",
    "load_utd_mhad_motions",
    "pool_sides",
    "relabel",
    "shared_sites",
    "split_flag3d",
    "split_mm_fit",
    "split_opportunity_challenge",
    "split_totalcapture",
    "survey_dataset",
    "totalcapture_orientation_errors",
]
