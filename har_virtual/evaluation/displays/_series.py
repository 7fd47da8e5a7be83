"""Lines with their intervals, each protocol in the same colour and with the same marker in every picture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PolyCollection
    from matplotlib.lines import Line2D

GREY = "0.45"
# Okabe and Ito's colours, which people with any colour vision tell apart, and shades of them. The hue says what was
# trained on, the shade and the marker how virtual data were adapted.
_VARIANTS = ("none", "mapped", "aligned", "aligned, mapped", "aligned, mapped per class")
_SHADES = {
    "V2R": ("#8CBEE0", "#0072B2", "#56B4E9", "#00507D", "#002B45"),
    "Mix2R": ("#F0C05A", "#D55E00", "#E69F00", "#9C4400", "#5A2700"),
}
_MARKERS = ("v", "s", "^", "D", ">")
_OTHERS = (("#009E73", "X"), ("#CC79A7", "p"), ("#7A6A00", "*"), ("#5B3FA0", "h"), ("#7F7F7F", "<"))
# More entries than these would lie on the lines.
_MAX_LEGEND_INSIDE = 6


class Look(NamedTuple):
    """How a protocol is drawn."""

    color: str
    marker: str


class Series(NamedTuple):
    """What was drawn of a protocol; the band is None where no interval is known."""

    line: Line2D
    band: PolyCollection | None


def looks(protocols: Iterable[str]) -> dict[str, Look]:
    """Give each protocol its look: those of `har_virtual.evaluation.PROTOCOLS` always the same, others in turn."""
    found: dict[str, Look] = {}
    others = 0
    for protocol in dict.fromkeys(protocols):
        known = _look_of_known(protocol)
        found[protocol] = known or Look(*_OTHERS[others % len(_OTHERS)])
        others += known is None
    return found


def _look_of_known(protocol: str) -> Look | None:
    family, _, variant = str(protocol).partition(" ")
    if protocol == "R2R":
        return Look("black", "o")
    if family not in _SHADES or variant not in _VARIANTS:
        return None
    number = _VARIANTS.index(variant)
    return Look(_SHADES[family][number], _MARKERS[number])


def draw_series(ax: Axes, x: np.ndarray, columns: Sequence[np.ndarray], look: Look, **line: Any) -> Series:
    """Draw values over `x`, and the band between the bounds where they are finite.

    `columns` are the values, their low and their high bounds.
    """
    y, low, high = columns
    band = None
    if np.isfinite([low, high]).all(axis=0).any():
        # A band over one place has no width: its edge is drawn.
        band = ax.fill_between(x, low, high, color=look.color, alpha=0.16, linewidth=1.5 if len(x) == 1 else 0)
    style: dict[str, Any] = {"color": look.color, "marker": look.marker, "markersize": 5, "linewidth": 1.5}
    (drawn,) = ax.plot(x, y, **(style | line))
    return Series(drawn, band)


def draw_published(ax: Axes, x: Any, y: Any, look: Look, label: str) -> Line2D:
    """Draw a paper's values: dashed, with open markers, without a band."""
    hollow: dict[str, Any] = {"markerfacecolor": "white", "linestyle": (0, (4, 2)), "linewidth": 1.1}
    (line,) = ax.plot(x, y, color=look.color, marker=look.marker, markersize=5, label=label, **hollow)
    return line


def set_ticks(ax: Axes, ticks: np.ndarray) -> None:
    """Write sorted values on the x axis, which is logarithmic where they span a factor of ten."""
    wide = ticks[0] > 0 and ticks[-1] >= 10 * ticks[0]
    place = np.log(ticks) if wide else ticks
    if wide:
        ax.set_xscale("log")
    named = _apart(place)
    ax.set_xticks(ticks, [f"{tick:g}" if number in named else "" for number, tick in enumerate(ticks)])
    ax.set_xticks([], minor=True)


def _apart(places: np.ndarray, share: float = 0.12) -> list[int]:
    """Choose places that leave room for their labels, the last one always."""
    kept: list[int] = []
    nearest = share * np.ptp(places)
    for number in range(len(places) - 1, -1, -1):
        if not kept or places[kept[-1]] - places[number] >= nearest:
            kept.append(number)
    return kept[::-1]


def tidy(ax: Axes, x_label: str, y_label: str) -> None:
    """Label the axes and leave out what is no data."""
    ax.set_xlabel(x_label)
    ax.set_ylabel(y_label)
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis="y", color="0.9", linewidth=0.8)
    ax.set_axisbelow(True)


def by_protocol(frame: pd.DataFrame, x: str) -> Iterator[tuple[str, pd.DataFrame]]:
    """Give the rows of each protocol, in the table's order of protocols, sorted by column `x`."""
    for name in frame["protocol"].unique():
        yield name, frame[frame["protocol"] == name].sort_values(x)


def open_undecided(ax: Axes, line: Line2D, columns: Sequence[np.ndarray]) -> None:
    """Open the markers of differences whose interval does not leave out zero."""
    difference, low, high = columns
    undecided = ~((low > 0) | (high < 0))
    x = np.asarray(line.get_xdata())[undecided]
    style: dict[str, Any] = {"color": line.get_color(), "marker": line.get_marker(), "zorder": line.get_zorder() + 0.1}
    ax.plot(x, difference[undecided], markerfacecolor="white", markersize=5, linestyle="none", **style)


def add_legend(ax: Axes) -> bool:
    """Write what the lines are, where it hides none of them; tell whether that is beside the axes."""
    handles, labels = ax.get_legend_handles_labels()
    outside = len(labels) > _MAX_LEGEND_INSIDE
    place: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0)} if outside else {}
    ax.legend(handles, labels, frameon=False, fontsize="small", **place)
    return outside
