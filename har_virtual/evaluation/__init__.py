"""How well a recogniser does on people whom it has not seen, and how sure that figure is."""

from har_virtual.evaluation.intervals import (
    Interval,
    PairedDifference,
    bootstrap_interval,
    paired_difference,
    wilson_interval,
)
from har_virtual.evaluation.metrics import macro_f1, per_subject_f1
from har_virtual.evaluation.out_of_fold import OutOfFold, predict_out_of_fold
from har_virtual.evaluation.real_data import real_data_used

__all__ = [
    "Interval",
    "OutOfFold",
    "PairedDifference",
    "bootstrap_interval",
    "macro_f1",
    "paired_difference",
    "per_subject_f1",
    "predict_out_of_fold",
    "real_data_used",
    "wilson_interval",
]
