"""Split rows by subject: real rows test, real and virtual rows of the others train."""

from har_virtual.model_selection.clips import split_clips
from har_virtual.model_selection.folds import IMUTUBE_HOLD_OUTS, HoldOut, SubjectFold, subject_folds
from har_virtual.model_selection.splitters import LeaveOneSubjectOut, SubjectHoldOut

__all__ = [
    "IMUTUBE_HOLD_OUTS",
    "HoldOut",
    "LeaveOneSubjectOut",
    "SubjectFold",
    "SubjectHoldOut",
    "split_clips",
    "subject_folds",
]
