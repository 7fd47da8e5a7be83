"""Windows as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from har_virtual._optional import import_optional
from har_virtual.exceptions import DataFormatError
from har_virtual.recording import UNITS, channel_quantity, channel_site
from har_virtual.windows.window_set import WindowSet

if TYPE_CHECKING:
    from matplotlib.figure import FigureBase

_PANEL_INCHES = (2.6, 1.7)


def plot_window_of_each_class(
    windows: WindowSet,
    *,
    site: str | None = None,
    quantity: str = "acc",
    n_columns: int = 4,
    figure: FigureBase | None = None,
) -> FigureBase:
    """Draw one typical window of each class: that whose deviation is the median of its class.

    Parameters
    ----------
    windows : WindowSet
        With labels.
    site : str, optional
        Whose vector is drawn; default: that of the first channel of the quantity.
    quantity : {"acc", "gyr", "mag"}, default="acc"
    n_columns : int, default=4
        Panels side by side.
    figure : matplotlib Figure or SubFigure, optional
        Where to draw; default: a new one, which belongs to no window on the screen.

    Returns
    -------
    Figure or SubFigure
        One panel a class, in alphabetical order; x, y and z in red, green and blue, in the unit of the quantity.

    Raises
    ------
    DataFormatError
        If there are no labels, no windows, or no such channels.
    """
    import_optional("matplotlib", feature="plot_window_of_each_class", extra="plot")
    from matplotlib.figure import Figure

    if windows.y is None or not len(windows):
        raise DataFormatError("A window of each class can only be drawn where there are windows with labels.")
    channels = _vector(windows, site, quantity)
    X = windows.select(channels).X
    classes = np.unique(windows.y)
    n_columns = min(n_columns, len(classes))
    n_rows = -(-len(classes) // n_columns)
    width, height = _PANEL_INCHES
    figure = Figure(figsize=(width * n_columns, height * n_rows), layout="constrained") if figure is None else figure
    panels = figure.subplots(n_rows, n_columns, sharex=True, sharey=True, squeeze=False).ravel()
    times_s = np.arange(X.shape[1]) / windows.sampling_rate_hz
    for panel, label in zip(panels, classes, strict=False):
        rows = np.flatnonzero(windows.y == label)
        for axis, color in enumerate(("tab:red", "tab:green", "tab:blue")):
            panel.plot(times_s, X[_typical(X, rows)][:, axis], color=color, linewidth=1.0)
        panel.set_title(f"{label} ({len(rows):,})", fontsize="small")
        panel.tick_params(labelsize="x-small")
    for panel in panels[len(classes) :]:
        panel.set_axis_off()
    # Where a panel has no other below it, an axis that is shared would stay without numbers.
    for panel in panels[: len(classes)][-n_columns:]:
        panel.tick_params(labelbottom=True)
    figure.supxlabel("time in s", fontsize="small")
    figure.supylabel(f"{channel_site(channels[0])} {quantity} in {UNITS[quantity]}", fontsize="small")
    return figure


def _vector(windows: WindowSet, site: str | None, quantity: str) -> Sequence[str]:
    of_quantity = [channel for channel in windows.channels if channel_quantity(channel) == quantity]
    if site is None and of_quantity:
        site = channel_site(of_quantity[0])
    wanted = [f"{site}_{quantity}_{axis}" for axis in "xyz"]
    if not set(wanted) <= set(of_quantity):
        raise DataFormatError(
            f"The windows have no vector {quantity} of {site}; their channels are {windows.channels}."
        )
    return wanted


def _typical(X: np.ndarray, rows: np.ndarray) -> int:
    deviation = X[rows].std(axis=1).mean(axis=1)
    return int(rows[np.argsort(deviation, kind="stable")[(len(rows) - 1) // 2]])
