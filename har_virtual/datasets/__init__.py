"""Data sets as recordings, and collections of videos as clips: one file each, its card under cards/."""

from har_virtual.datasets.alignment import LagEstimate, estimate_lag
from har_virtual.datasets.fetch import Source, fetch_dataset
from har_virtual.datasets.labels import COMMON_LABELS, label_map, label_table, relabel
from har_virtual.datasets.opportunity import (
    OPPORTUNITY_CHALLENGE_SPLIT,
    OPPORTUNITY_RUNS,
    OPPORTUNITY_SITES,
    fetch_opportunity,
    load_opportunity,
    split_opportunity_challenge,
)
from har_virtual.datasets.pamap2 import PAMAP2_SUBJECTS, Pamap2Subject, fetch_pamap2, load_pamap2
from har_virtual.datasets.realworld import REALWORLD_SITES, fetch_realworld, load_realworld
from har_virtual.datasets.realworld_videos import load_realworld_videos
from har_virtual.datasets.registry import DATASETS, VIDEO_COLLECTIONS
from har_virtual.datasets.sites import NEIGHBOURS, pool_sides, shared_sites
from har_virtual.datasets.sp_sw_har import fetch_sp_sw_har, load_sp_sw_har
from har_virtual.datasets.survey import Survey, survey_dataset
from har_virtual.datasets.utd_mhad import UTD_MHAD_ACTIONS, load_utd_mhad, load_utd_mhad_motions

__all__ = [
    "COMMON_LABELS",
    "DATASETS",
    "NEIGHBOURS",
    "OPPORTUNITY_CHALLENGE_SPLIT",
    "OPPORTUNITY_RUNS",
    "OPPORTUNITY_SITES",
    "PAMAP2_SUBJECTS",
    "REALWORLD_SITES",
    "UTD_MHAD_ACTIONS",
    "VIDEO_COLLECTIONS",
    "LagEstimate",
    "Pamap2Subject",
    "Source",
    "Survey",
    "estimate_lag",
    "fetch_dataset",
    "fetch_opportunity",
    "fetch_pamap2",
    "fetch_realworld",
    "fetch_sp_sw_har",
    "label_map",
    "label_table",
    "load_opportunity",
    "load_pamap2",
    "load_realworld",
    "load_realworld_videos",
    "load_sp_sw_har",
    "load_utd_mhad",
    "load_utd_mhad_motions",
    "pool_sides",
    "relabel",
    "shared_sites",
    "split_opportunity_challenge",
    "survey_dataset",
]
