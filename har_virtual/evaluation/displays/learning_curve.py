"""F1 over the seconds of real data a class: figure 6 of IMUTube."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from har_virtual.evaluation.displays._curve import CurveDisplay
from har_virtual.evaluation.displays._series import set_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class LearningCurveDisplay(CurveDisplay):
    """Macro-F1, or its paired difference to a baseline, over the seconds of real training data a class.

    The bands are the intervals in the table: bootstraps over subjects, as `har_virtual.evaluation.learning_curve` gives
    them. The seconds stand on a logarithmic axis where they span a factor of ten.

    Parameters
    ----------
    frame : DataFrame
        One row a protocol and number of seconds: ``protocol``, ``seconds``, ``macro_f1``, ``low``, ``high``; for
        differences also ``difference``, ``difference_low`` and ``difference_high``. An unknown bound is NaN.
    baseline : str, default="R2R"
        The protocol that the differences are to.
    published : DataFrame, optional
        A paper's values: ``seconds``, ``macro_f1`` and, if there are several lines, ``protocol``. They are drawn
        dashed, with open markers, beside the scores.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
    lines_ : dict of str to Line2D
        One a protocol.
    bands_ : dict of str to PolyCollection
        The intervals, of the protocols that have some.
    published_lines_ : dict of str to Line2D

    Raises
    ------
    DataFormatError
        If a column is missing, there are no rows, or seconds are no numbers.

    Examples
    --------
    >>> import pandas as pd
    >>> from har_virtual.evaluation.displays import LearningCurveDisplay
    >>> columns = ["protocol", "seconds", "macro_f1", "low", "high"]
    >>> rows = [("R2R", 10, 0.4, 0.3, 0.5), ("R2R", 100, 0.6, 0.5, 0.7), ("Mix2R mapped", 10, 0.5, 0.4, 0.6)]
    >>> display = LearningCurveDisplay(pd.DataFrame(rows, columns=columns)).plot()
    >>> display.lines_["R2R"].get_ydata().tolist()
    [0.4, 0.6]
    """

    _x = "seconds"
    _x_label = "real training data per class, s"

    def _set_axis(self, ax: Axes, values: np.ndarray) -> None:
        set_ticks(ax, values)
