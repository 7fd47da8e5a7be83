"""F1 over the ratio of virtual to real training windows: table 5 of IMUTube."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from har_virtual.evaluation.displays._curve import CurveDisplay, Show
from har_virtual.evaluation.displays._series import GREY

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D


class RatioDisplay(CurveDisplay):
    """Macro-F1, or its paired difference to real data alone, over the ratio of virtual to real training windows.

    The ratios stand side by side at equal distances, from real data alone (1:0) on. Where that is a protocol of its own
    ("R2R"), the lines of the others start from it.

    Parameters
    ----------
    frame : DataFrame
        One row a protocol and ratio: ``protocol``, ``ratio`` (virtual windows for each real one), ``macro_f1``,
        ``low``, ``high``; for differences also ``difference``, ``difference_low`` and ``difference_high``. An unknown
        bound is NaN.
    baseline : str, default="R2R"
        The protocol that the differences are to.
    published : DataFrame, optional
        A paper's values: ``ratio``, ``macro_f1`` and, if there are several lines, ``protocol``. They are drawn dashed,
        with open markers, beside the scores.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
    ratios_ : ndarray
        Which ratio stands at 0, 1, 2, ... of the x axis.
    lines_ : dict of str to Line2D
        One a protocol.
    bands_ : dict of str to PolyCollection
        The intervals, of the protocols that have some.
    reference_ : Line2D or None
        Dotted from side to side: the score of real data alone, if that is known.
    published_lines_ : dict of str to Line2D

    Raises
    ------
    DataFormatError
        If a column is missing, there are no rows, or ratios are no numbers.

    Examples
    --------
    >>> import pandas as pd
    >>> from har_virtual.evaluation.displays import RatioDisplay
    >>> columns = ["protocol", "ratio", "macro_f1", "low", "high"]
    >>> rows = [("R2R", 0, 0.57, 0.5, 0.6), ("Mix2R mapped", 1, 0.62, 0.6, 0.7), ("Mix2R mapped", 10, 0.6, 0.5, 0.7)]
    >>> display = RatioDisplay(pd.DataFrame(rows, columns=columns)).plot()
    >>> display.lines_["Mix2R mapped"].get_ydata().tolist(), [text.get_text() for text in display.ax_.get_xticklabels()]
    ([0.57, 0.62, 0.6], ['1:0', '1:1', '1:10'])
    """

    ratios_: np.ndarray
    reference_: Line2D | None

    _x = "ratio"
    _x_label = "real : virtual training windows"

    def _set_axis(self, ax: Axes, values: np.ndarray) -> None:
        self.ratios_ = values
        ax.set_xticks(range(len(values)), [f"1:{ratio:g}" for ratio in values])

    def _places(self, values: pd.Series) -> np.ndarray:
        return np.searchsorted(self.ratios_, values.to_numpy(dtype=float)).astype(float)

    def _scores(self) -> pd.DataFrame:
        """Let every line start from real data alone."""
        mixing = self.frame.loc[self.frame["ratio"] > 0, "protocol"].unique()
        if not len(mixing):
            return self.frame
        parts = [self.frame[self.frame["protocol"].isin(mixing)]]
        alone = self.frame[self.frame["ratio"] == 0]
        start = alone[alone["protocol"] == self.baseline]
        if len(start):
            parts += [start.assign(protocol=name) for name in mixing if name not in set(alone["protocol"])]
        return pd.concat(parts)

    def _differences(self) -> pd.DataFrame:
        found = super()._differences()
        return found[found["ratio"] > 0]

    def _draw_reference(self, ax: Axes, show: Show) -> None:
        super()._draw_reference(ax, show)
        alone = self.frame.loc[self.frame["ratio"] == 0, "macro_f1"]
        self.reference_ = None
        if show == "score" and len(alone):
            self.reference_ = ax.axhline(
                alone.iloc[0], color=GREY, linewidth=1.0, linestyle=":", label="real data alone"
            )
