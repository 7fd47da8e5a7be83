"""What all displays share: where they draw, and how a table is checked before it is drawn."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from har_virtual._optional import import_optional
from har_virtual.exceptions import DataFormatError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure


class Display:
    """A picture that a notebook shows by itself where it stands in a figure of its own."""

    ax_: Axes
    figure_: Figure | SubFigure
    _own_figure: Figure | None = None

    def _start(self, ax: Axes | None, size_inches: tuple[float, float]) -> Axes:
        """Give the axes to draw on, in a new figure if there are none."""
        if ax is None:
            self._own_figure = new_figure(type(self).__name__, size_inches)
            ax = self._own_figure.subplots()
        else:
            self._own_figure = None
        self.ax_, self.figure_ = ax, ax.figure
        return ax

    def _repr_png_(self) -> bytes | None:
        if self._own_figure is None:
            return None
        picture = io.BytesIO()
        self._own_figure.savefig(picture, format="png", bbox_inches="tight")
        return picture.getvalue()


def new_figure(feature: str, size_inches: tuple[float, float]) -> Figure:
    """Make a figure that belongs to no window on the screen."""
    import_optional("matplotlib", feature=feature, extra="plot")
    from matplotlib.figure import Figure

    return Figure(figsize=size_inches, layout="constrained", facecolor="white")


def check_columns(
    frame: pd.DataFrame, columns: Sequence[str], where: str, *, finite: str | None = None
) -> pd.DataFrame:
    """Give `frame`, its column `finite` as floats, or raise `DataFormatError`.

    It must be a table with rows and `columns`, and the column `finite` hold numbers from 0.
    """
    if not isinstance(frame, pd.DataFrame):
        raise DataFormatError(f"{where} must be a DataFrame, not {type(frame).__name__}.")
    absent = [column for column in columns if column not in frame.columns]
    if absent or frame.empty:
        what = f"lacks the columns {absent}; it has {list(frame.columns)}" if absent else "has no rows"
        raise DataFormatError(f"{where} {what}, so there is nothing to draw.")
    if finite is not None:
        values = pd.to_numeric(frame[finite], errors="coerce").to_numpy(dtype=float)
        if not np.isfinite(values).all() or values.min() < 0:
            raise DataFormatError(f"{where}: {finite} must be finite numbers from 0, not {frame[finite].tolist()}.")
        frame = frame.assign(**{finite: values})
    return frame


def readable(name: object) -> str:
    """Write a label or a site as words."""
    return str(name).replace("_", " ")
