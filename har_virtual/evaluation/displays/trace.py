"""What the sensor read against what was calculated from video: figure 4 of IMUTube."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from har_virtual.checks import is_finite_number
from har_virtual.evaluation.displays._base import Display, check_columns, new_figure, readable
from har_virtual.evaluation.displays._series import GREY
from har_virtual.exceptions import DataFormatError
from har_virtual.recording import Recording, channel_quantity, channel_site

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure
    from matplotlib.gridspec import GridSpecBase
    from matplotlib.lines import Line2D

_UNITS = {"acc": "m/s²", "gyr": "rad/s", "mag": "µT"}
_VIRTUAL = "#D55E00"
_PANEL_INCHES = (3.4, 1.2)
_LEGEND_BELOW_INCHES = 0.45


class TraceDisplay(Display):
    """Real and virtual traces of some channels over each other.

    One panel a channel. Channels named ``<site>_<acc|gyr|mag>_<x|y|z>`` stand in a grid, one column a sensor and one
    row an axis; any other in one column.

    Parameters
    ----------
    real, virtual : DataFrame
        One row a sample, indexed by seconds on a common clock, one column a channel, the same in both. Rates may
        differ. NaN is a hole.
    mapped : bool, default=False
        Whether the virtual traces were mapped to the distribution of the real ones; the legend says so.

    Attributes
    ----------
    axes_ : dict of str to matplotlib Axes
        One a channel.
    ax_, figure_ : matplotlib Axes and Figure
        `ax_` is the first of `axes_`.
    lines_ : dict of str to (Line2D, Line2D)
        Real and virtual trace of each channel.

    Raises
    ------
    DataFormatError
        If a table is empty or the channels differ.

    Examples
    --------
    >>> import numpy as np
    >>> from har_virtual import Recording
    >>> from har_virtual.evaluation.displays import TraceDisplay
    >>> names = [f"left_wrist_acc_{axis}" for axis in "xyz"]
    >>> real = Recording(np.ones((100, 3)), 50, names)
    >>> virtual = Recording(np.zeros((60, 3)), 30, names, domain="virtual")
    >>> display = TraceDisplay.from_recordings(real, virtual, names[:2], start_s=0.5, stop_s=1.5)
    >>> list(display.axes_), [len(line.get_xdata()) for line in display.lines_["left_wrist_acc_x"]]
    (['left_wrist_acc_x', 'left_wrist_acc_y'], [50, 30])
    """

    axes_: dict[str, Axes]
    lines_: dict[str, tuple[Line2D, Line2D]]

    def __init__(self, real: pd.DataFrame, virtual: pd.DataFrame, *, mapped: bool = False) -> None:
        self.real = check_columns(real, [], "real")
        self.virtual = check_columns(virtual, [], "virtual")
        if list(real.columns) != list(virtual.columns):
            raise DataFormatError(
                f"real and virtual need the same channels, not {list(real.columns)} and {list(virtual.columns)}."
            )
        self.mapped = mapped

    @classmethod
    def from_recordings(
        cls,
        real: Recording,
        virtual: Recording,
        channels: Sequence[str] | None = None,
        *,
        start_s: float | None = None,
        stop_s: float | None = None,
        mapper: Any = None,
        lag_s: float = 0.0,
        ax: Axes | Iterable[Axes] | None = None,
        **options: Any,
    ) -> TraceDisplay:
        """Draw a part of two recordings of the same time.

        Parameters
        ----------
        real, virtual : Recording
            On the same clock.
        channels : sequence of str, optional
            Which to draw. Default: all that both have, in the order of `real`.
        start_s, stop_s : float, optional
            Part to draw, half-open, on the clock of `real`. Default: what both cover.
        mapper : fitted transformer, optional
            Such as the `RankDistributionMapper` of a pipeline, fitted on the channels that `virtual` has, in their
            order: ``transform([recording], sample_domain=[1])`` is drawn. Samples with holes stay as they are.
        lag_s : float, default=0.0
            How much later the virtual trace is than the real one; it is drawn that much earlier.
        ax, **options
            As in `plot`.

        Returns
        -------
        TraceDisplay

        Raises
        ------
        DataFormatError
            If the two share no channel, or one has no sample in the part.
        UnknownNameError
            If a channel is missing in one of them.
        """
        names = [name for name in real.channels if name in virtual.channels] if channels is None else list(channels)
        if not names:
            raise DataFormatError(f"No channel of {virtual!r} is one of {real!r}, so there is nothing to compare.")
        if not is_finite_number(lag_s):
            raise DataFormatError(f"lag_s must be a finite number, not {lag_s!r}.")
        moved = virtual if mapper is None else _map(virtual, mapper)
        first, second = real.select(names), moved.select(names)
        second = second.replace(start_s=second.start_s - lag_s)
        start = max(first.start_s, second.start_s) if start_s is None else start_s
        stop = min(r.start_s + r.duration_s for r in (first, second)) if stop_s is None else stop_s
        tables = [_part(recording, start, stop) for recording in (first, second)]
        return cls(*tables, mapped=mapper is not None).plot(ax, **options)

    def plot(self, ax: Axes | Iterable[Axes] | None = None, *, legend: bool = True) -> TraceDisplay:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, or one for each channel, optional
            One is divided among the channels. Default: new ones, in a figure that belongs to no window on the screen.
        legend : bool, default=True

        Returns
        -------
        TraceDisplay
            Itself.

        Raises
        ------
        DataFormatError
            If the number of Axes is not that of the channels.
        """
        self.axes_ = self._find_axes(ax)
        self.ax_ = next(iter(self.axes_.values()))
        self.figure_ = self.ax_.figure
        self.lines_ = {}
        label = "virtual, mapped" if self.mapped else "virtual"
        for channel, panel in self.axes_.items():
            (real,) = panel.plot(self.real.index, self.real[channel], color=GREY, linewidth=2.2, label="real")
            (virtual,) = panel.plot(
                self.virtual.index, self.virtual[channel], color=_VIRTUAL, linewidth=1.2, label=label
            )
            self.lines_[channel] = real, virtual
            panel.spines[["top", "right"]].set_visible(False)
            panel.tick_params(labelsize="small")
            panel.margins(x=0)
        self._label(legend)
        return self

    def _find_axes(self, ax: Axes | Iterable[Axes] | None) -> dict[str, Axes]:
        """Give each channel its Axes."""
        places = _grid(list(self.real.columns))
        self._own_figure = None
        if isinstance(ax, Iterable):
            given = np.ravel(np.array(list(ax), dtype=object)).tolist()
            if len(given) != len(places):
                raise DataFormatError(f"{len(places)} channels need as many Axes, not {len(given)}; or give one.")
            return dict(zip(places, given, strict=True))
        n_rows, n_columns = (1 + max(place[i] for place in places.values()) for i in (0, 1))
        if ax is None:
            width, height = _PANEL_INCHES
            self._own_figure = new_figure("TraceDisplay", (width * n_columns, height * n_rows + 0.9))
            return _add_panels(self._own_figure, self._own_figure.add_gridspec(n_rows, n_columns), places)
        cell = ax.get_subplotspec()
        if cell is None:
            raise DataFormatError("ax was not made by subplots, so it cannot be divided: give one Axes a channel.")
        ax.set_axis_off()
        return _add_panels(ax.figure, cell.subgridspec(n_rows, n_columns), places)

    def _label(self, legend: bool) -> None:
        places = _grid(list(self.axes_))
        columns: dict[int, list[str]] = {}
        for channel in sorted(places, key=lambda channel: places[channel]):
            columns.setdefault(places[channel][1], []).append(channel)
        for channels in columns.values():
            for channel in channels:
                self.axes_[channel].set_ylabel(_panel_label(channel), fontsize="small")
            self.axes_[channels[0]].set_title(_column_title(channels[0]), fontsize="medium", loc="left")
            self.axes_[channels[-1]].set_xlabel("time, s")
        if legend:
            _add_legend(self.axes_[columns[max(columns)][-1]])


def _add_legend(ax: Axes) -> None:
    """Write below the label of the time axis, at the same distance from axes of any size, what the lines are."""
    from matplotlib.transforms import ScaledTranslation

    below = ax.transAxes + ScaledTranslation(0, -_LEGEND_BELOW_INCHES, ax.figure.dpi_scale_trans)
    place: dict[str, Any] = {"loc": "upper right", "bbox_to_anchor": (1.0, 0.0), "bbox_transform": below}
    ax.legend(frameon=False, fontsize="small", ncols=2, borderaxespad=0.0, **place)


def _add_panels(
    figure: Figure | SubFigure, cells: GridSpecBase, places: Mapping[str, tuple[int, int]]
) -> dict[str, Axes]:
    """Add Axes with a common time axis."""
    panels: dict[str, Axes] = {}
    for channel, (row, column) in places.items():
        panels[channel] = figure.add_subplot(cells[row, column], sharex=next(iter(panels.values()), None))
        lowest = row == max(other for other, beside in places.values() if beside == column)
        panels[channel].tick_params(labelbottom=lowest)
    return panels


def _grid(channels: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Row and column of each channel: a column a sensor and quantity, a row an axis."""
    if any(channel_quantity(channel) is None for channel in channels):
        return {channel: (row, 0) for row, channel in enumerate(channels)}
    sensors = list(dict.fromkeys(channel.rpartition("_")[0] for channel in channels))
    axes = sorted({channel[-1] for channel in channels})
    return {channel: (axes.index(channel[-1]), sensors.index(channel.rpartition("_")[0])) for channel in channels}


def _panel_label(channel: str) -> str:
    quantity = channel_quantity(channel)
    return readable(channel) if quantity is None else f"{quantity} {channel[-1]}, {_UNITS[quantity]}"


def _column_title(channel: str) -> str:
    site = channel_site(channel)
    return "" if site is None else readable(site)


def _map(virtual: Recording, mapper: Any) -> Recording:
    """Map the samples without holes."""
    whole = np.isfinite(virtual.data).all(axis=1)
    data = virtual.data.copy()
    if whole.any():
        # As a Recording, so that a mapper that knows channels by name can refuse others.
        samples = Recording(data[whole], virtual.sampling_rate_hz, virtual.channels, domain="virtual")
        (moved,) = mapper.transform([samples], sample_domain=[1])
        data[whole] = moved
    return virtual.replace(data=data)


def _part(recording: Recording, start_s: float, stop_s: float) -> pd.DataFrame:
    times = recording.times_s
    # Clocks are sums of floats: half a nanosecond is no sample.
    taken = (times >= start_s - 5e-10) & (times < stop_s - 5e-10)
    if not taken.any():
        raise DataFormatError(
            f"{recording!r} has no sample from {start_s:g} s to {stop_s:g} s; it lasts from {recording.start_s:g} s to "
            f"{recording.start_s + recording.duration_s:g} s."
        )
    index = pd.Index(times[taken], name="time_s")
    return pd.DataFrame(recording.data[taken], columns=list(recording.channels), index=index)
