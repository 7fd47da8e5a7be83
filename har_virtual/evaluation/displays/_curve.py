"""Scores or paired differences of several protocols over a quantity: what learning curves and ratios have in common."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
import pandas as pd

from har_virtual.evaluation.displays._base import Display, check_columns
from har_virtual.evaluation.displays._series import (
    GREY,
    Look,
    add_legend,
    by_protocol,
    draw_published,
    draw_series,
    looks,
    open_undecided,
    tidy,
)
from har_virtual.exceptions import DataFormatError, UnknownNameError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PolyCollection
    from matplotlib.lines import Line2D

    from har_virtual.evaluation.curve import Curve

Show = Literal["score", "difference"]

_COLUMNS = {
    "score": ("macro_f1", "low", "high"),
    "difference": ("difference", "difference_low", "difference_high"),
}


class CurveDisplay(Display):
    """Macro-F1 of protocols, or paired differences to a baseline, over the column `_x` of a table."""

    lines_: dict[str, Line2D]
    bands_: dict[str, PolyCollection]
    published_lines_: dict[str, Line2D]

    _x: ClassVar[str]
    _x_label: ClassVar[str]

    def __init__(self, frame: pd.DataFrame, *, baseline: str = "R2R", published: pd.DataFrame | None = None) -> None:
        self.frame = check_columns(frame, ["protocol", self._x, *_COLUMNS["score"]], "frame", finite=self._x)
        repeated = self.frame[self.frame.duplicated(["protocol", self._x])]
        if len(repeated):
            name, value = repeated["protocol"].iloc[0], repeated[self._x].iloc[0]
            raise DataFormatError(
                f"frame has several rows of {name!r} with {self._x} {value:g}: choose one line of them."
            )
        self.baseline = baseline
        self.published = None
        if published is not None:
            published = check_columns(published, [self._x, "macro_f1"], "published", finite=self._x)
            self.published = published if "protocol" in published.columns else published.assign(protocol="")

    @classmethod
    def from_curve(
        cls, curve: Curve, *, published: pd.DataFrame | None = None, ax: Axes | None = None, **options: Any
    ) -> Self:
        """Draw a `har_virtual.evaluation.Curve`; `ax` and options as in `plot`."""
        return cls(curve.to_frame(), baseline=curve.baseline, published=published).plot(ax, **options)

    def plot(self, ax: Axes | None = None, *, show: Show = "score", legend: bool = True) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Default: new ones, in a figure that belongs to no window on the screen.
        show : {"score", "difference"}
            "difference" draws by how much each other protocol is better than the baseline on the same windows. A marker
            is open where the interval holds zero: undecided.
        legend : bool, default=True

        Returns
        -------
        display
            Itself.

        Raises
        ------
        DataFormatError
            If no protocol has a difference to the baseline.
        UnknownNameError
            If `show` is something else.
        """
        if show not in _COLUMNS:
            raise UnknownNameError(f"show must be one of {', '.join(map(repr, _COLUMNS))}, not {show!r}.")
        frame = self._scores() if show == "score" else self._differences()
        published = self.published if show == "score" else None
        shown = [frame] if published is None else [frame, published]
        ax = self._start(ax, (4.6, 3.3))
        self._set_axis(ax, np.unique(np.concatenate([table[self._x].to_numpy(dtype=float) for table in shown])))
        self._draw_reference(ax, show)
        self._draw_lines(ax, frame, show)
        self.published_lines_ = self._draw_published(ax, published)
        tidy(ax, self._x_label, "macro-F1" if show == "score" else f"macro-F1 above {self.baseline}")
        if legend and add_legend(ax) and self._own_figure is not None:
            self._own_figure.set_size_inches(6.9, 3.3)
        return self

    @abstractmethod
    def _set_axis(self, ax: Axes, values: np.ndarray) -> None:
        """Prepare the x axis for these values, in order."""

    def _places(self, values: pd.Series) -> np.ndarray:
        """Where values stand on the x axis."""
        return values.to_numpy(dtype=float)

    def _scores(self) -> pd.DataFrame:
        return self.frame

    def _differences(self) -> pd.DataFrame:
        check_columns(self.frame, _COLUMNS["difference"], "frame")
        others = self.frame[(self.frame["protocol"] != self.baseline) & self.frame["difference"].notna()]
        return check_columns(others, [], f"frame, without the baseline {self.baseline!r} and unknown differences,")

    def _draw_reference(self, ax: Axes, show: Show) -> None:
        if show == "difference":
            ax.axhline(0.0, color=GREY, linewidth=1.0)

    def _draw_lines(self, ax: Axes, frame: pd.DataFrame, show: Show) -> None:
        look = looks(self.frame["protocol"])
        self.lines_, self.bands_ = {}, {}
        for name, part in by_protocol(frame, self._x):
            values = [part[column].to_numpy(dtype=float) for column in _COLUMNS[show]]
            line, band = draw_series(ax, self._places(part[self._x]), values, look[name], label=name)
            self.lines_[name] = line
            if band is not None:
                self.bands_[name] = band
            if show == "difference":
                open_undecided(ax, line, values)
        if show == "difference":
            ax.plot([], [], "o", color=GREY, markerfacecolor="white", markersize=5, label="interval holds zero")

    def _draw_published(self, ax: Axes, published: pd.DataFrame | None) -> dict[str, Line2D]:
        lines: dict[str, Line2D] = {}
        if published is None:
            return lines
        look = looks([*self.frame["protocol"], *published["protocol"]]) | {"": Look(GREY, "o")}
        for name, part in by_protocol(published, self._x):
            label = f"{name}, published" if name else "published"
            lines[name] = draw_published(ax, self._places(part[self._x]), part["macro_f1"], look[name], label)
        return lines
