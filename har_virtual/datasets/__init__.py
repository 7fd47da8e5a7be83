"""Data sets as recordings: one file a data set, its card under cards/."""

from har_virtual.datasets.alignment import LagEstimate, estimate_lag
from har_virtual.datasets.utd_mhad import UTD_MHAD_ACTIONS, load_utd_mhad, load_utd_mhad_motions

__all__ = ["UTD_MHAD_ACTIONS", "LagEstimate", "estimate_lag", "load_utd_mhad", "load_utd_mhad_motions"]
