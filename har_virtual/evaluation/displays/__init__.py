"""What an evaluation found, as pictures: made as scikit-learn's displays, fit to print, for eyes of any kind."""

from har_virtual.evaluation.displays.confusion import ConfusionDisplay
from har_virtual.evaluation.displays.frechet import FrechetDisplay
from har_virtual.evaluation.displays.history import TrainingHistoryDisplay
from har_virtual.evaluation.displays.learning_curve import LearningCurveDisplay
from har_virtual.evaluation.displays.per_class import PerClassF1Display
from har_virtual.evaluation.displays.ratio import RatioDisplay
from har_virtual.evaluation.displays.trace import TraceDisplay

__all__ = [
    "ConfusionDisplay",
    "FrechetDisplay",
    "LearningCurveDisplay",
    "PerClassF1Display",
    "RatioDisplay",
    "TraceDisplay",
    "TrainingHistoryDisplay",
]
