"""How well a recogniser does on people whom it has not seen, how sure that is, and what virtual data add to it."""

from har_virtual.evaluation.amounts import describe_amounts
from har_virtual.evaluation.calibration import CalibrationCurve, calibration_curve
from har_virtual.evaluation.cross_dataset import TRANSFER_PROTOCOLS, Transfer, transfer
from har_virtual.evaluation.curve import Curve
from har_virtual.evaluation.curves import learning_curve, ratio_curve
from har_virtual.evaluation.displays import (
    ConfusionDisplay,
    FrechetDisplay,
    LearningCurveDisplay,
    PerClassF1Display,
    RatioDisplay,
    TraceDisplay,
    TrainingHistoryDisplay,
)
from har_virtual.evaluation.evaluation import Evaluation
from har_virtual.evaluation.experiment import evaluate
from har_virtual.evaluation.intervals import (
    Interval,
    PairedDifference,
    bootstrap_interval,
    paired_difference,
    wilson_interval,
)
from har_virtual.evaluation.metrics import macro_f1, per_class_f1, per_subject_f1
from har_virtual.evaluation.out_of_fold import OutOfFold, predict_out_of_fold
from har_virtual.evaluation.protocols import DEFAULT_PROTOCOLS, PROTOCOLS, Protocol
from har_virtual.evaluation.real_data import real_data_used
from har_virtual.evaluation.seeds import SeededEvaluations, evaluate_seeds
from har_virtual.evaluation.tuning import FOREST_GRID, Tuned, tune_on_validation

__all__ = [
    "DEFAULT_PROTOCOLS",
    "FOREST_GRID",
    "PROTOCOLS",
    "TRANSFER_PROTOCOLS",
    "CalibrationCurve",
    "ConfusionDisplay",
    "Curve",
    "Evaluation",
    "FrechetDisplay",
    "Interval",
    "LearningCurveDisplay",
    "OutOfFold",
    "PairedDifference",
    "PerClassF1Display",
    "Protocol",
    "RatioDisplay",
    "SeededEvaluations",
    "TraceDisplay",
    "TrainingHistoryDisplay",
    "Transfer",
    "Tuned",
    "bootstrap_interval",
    "calibration_curve",
    "describe_amounts",
    "evaluate",
    "evaluate_seeds",
    "learning_curve",
    "macro_f1",
    "paired_difference",
    "per_class_f1",
    "per_subject_f1",
    "predict_out_of_fold",
    "ratio_curve",
    "real_data_used",
    "transfer",
    "tune_on_validation",
    "wilson_interval",
]
