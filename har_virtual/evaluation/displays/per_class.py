"""F1 of each class, protocol beside protocol."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from har_virtual.evaluation.displays._base import Display, check_columns, readable
from har_virtual.evaluation.displays._series import looks
from har_virtual.exceptions import DataFormatError, UnknownNameError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

    from har_virtual.evaluation.evaluation import Evaluation

Order = Literal["score", "table"]

# Height of a row that the markers of its protocols share.
_SPREAD = 0.6


class PerClassF1Display(Display):
    """F1 of each class as points, one row a class, one marker a protocol.

    Parameters
    ----------
    frame : DataFrame
        F1, from 0 to 1, of each class (index) by each protocol (columns); NaN leaves a point out.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
    classes_ : list
        From top to bottom.
    lines_ : dict of str to Line2D
        The points of each protocol, from top to bottom: x is F1; y is near the number of the row.

    Raises
    ------
    DataFormatError
        If the table is empty, holds something else than numbers from 0 to 1, or lacks a protocol that is asked for.

    Examples
    --------
    >>> import pandas as pd
    >>> from har_virtual.evaluation.displays import PerClassF1Display
    >>> f1 = pd.DataFrame({"R2R": [0.5, 0.9], "V2R mapped": [0.4, 0.7]}, index=["sitting", "walking"])
    >>> display = PerClassF1Display(f1).plot()
    >>> display.classes_, display.lines_["V2R mapped"].get_xdata().tolist()
    (['walking', 'sitting'], [0.7, 0.4])
    """

    classes_: list
    lines_: dict[str, Line2D]

    def __init__(self, frame: pd.DataFrame) -> None:
        check_columns(frame, [], "frame")
        self.frame = frame.apply(pd.to_numeric, errors="coerce")
        wrong = (self.frame.isna() & frame.notna()) | (self.frame < 0) | (self.frame > 1)
        if wrong.to_numpy().any():
            raise DataFormatError(f"frame must hold F1 from 0 to 1; it does not in {list(frame.columns[wrong.any()])}.")

    @classmethod
    def from_evaluation(
        cls,
        evaluation: Evaluation,
        protocols: str | Sequence[str] | None = None,
        *,
        ax: Axes | None = None,
        **options: Any,
    ) -> PerClassF1Display:
        """Draw all protocols of an evaluation, or some of them; `ax` and options as in `plot`."""
        frame = evaluation.per_class()
        named = [protocols] if isinstance(protocols, str) else protocols
        wanted = list(frame.columns) if named is None else list(named)
        return cls(check_columns(frame, wanted, "The evaluation")[wanted]).plot(ax, **options)

    def plot(self, ax: Axes | None = None, *, order: Order = "score", legend: bool = True) -> PerClassF1Display:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Default: new ones, high enough for the classes, in a figure that belongs to no window on the screen.
        order : {"score", "table"}
            Classes from the best F1 of the first protocol down, or as in the table.
        legend : bool, default=True
            Right of the axes.

        Returns
        -------
        PerClassF1Display
            Itself.

        Raises
        ------
        UnknownNameError
            If `order` is something else.
        """
        if order not in ("score", "table"):
            raise UnknownNameError(f'order must be "score" or "table", not {order!r}.')
        n_classes, n_protocols = self.frame.shape
        row_inches = 0.2 + 0.06 * n_protocols
        ax = self._start(ax, (6.4, row_inches * n_classes + 0.9))
        frame = self.frame
        if order == "score":
            frame = frame.sort_values(frame.columns[0], ascending=False, kind="stable")
        self.classes_ = frame.index.tolist()
        self.lines_ = self._draw_points(ax, frame)
        self._label(ax)
        if legend:
            ax.legend(frameon=False, fontsize="small", loc="upper left", bbox_to_anchor=(1.0, 1.0))
        return self

    def _draw_points(self, ax: Axes, frame: pd.DataFrame) -> dict[str, Line2D]:
        n_protocols = frame.shape[1]
        rows = np.arange(len(frame))
        look = looks(frame.columns)
        lines = {}
        for number, (name, scores) in enumerate(frame.items()):
            offset = _SPREAD * ((number + 0.5) / n_protocols - 0.5)
            (lines[str(name)],) = ax.plot(
                scores.to_numpy(dtype=float),
                rows + offset,
                color=look[name].color,
                marker=look[name].marker,
                markersize=5,
                linestyle="none",
                label=str(name),
            )
        return lines

    def _label(self, ax: Axes) -> None:
        rows = np.arange(len(self.classes_))
        for row in rows[::2]:
            ax.axhspan(row - 0.5, row + 0.5, color="0.955", linewidth=0, zorder=0)
        ax.set_yticks(rows, [readable(name) for name in self.classes_], fontsize="small")
        ax.set_ylim(len(rows) - 0.5, -0.5)
        ax.set_xlim(-0.02, 1.02)
        ax.set_xlabel("F1 of the class")
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="x", color="0.88", linewidth=0.8)
        ax.set_axisbelow(True)
        ax.spines[["top", "right", "left"]].set_visible(False)
