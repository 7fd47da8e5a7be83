"""What the sensor read against what was calculated from video: figure 4 of IMUTube."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from har_virtual.checks import is_finite_number
from har_virtual.evaluation.displays._base import Display, check_columns, new_figure, readable
from har_virtual.evaluation.displays._series import GREY
from har_virtual.exceptions import DataFormatError, UnknownNameError
from har_virtual.recording import Recording, channel_quantity, channel_site
from har_virtual.windows.validation import find_triads

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure
    from matplotlib.gridspec import GridSpecBase
    from matplotlib.lines import Line2D

    from har_virtual.adaptation import RankDistributionMapper

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
    labels : (str, str), default=("real", "virtual")
        What the legend calls them.

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

    def __init__(
        self, real: pd.DataFrame, virtual: pd.DataFrame, *, labels: tuple[str, str] = ("real", "virtual")
    ) -> None:
        self.real = check_columns(real, [], "real")
        self.virtual = check_columns(virtual, [], "virtual")
        if list(real.columns) != list(virtual.columns):
            raise DataFormatError(
                f"real and virtual need the same channels, not {list(real.columns)} and {list(virtual.columns)}."
            )
        self.labels = labels

    @classmethod
    def from_recordings(
        cls,
        real: Recording,
        virtual: Recording,
        channels: str | Sequence[str] | None = None,
        *,
        start_s: float | None = None,
        stop_s: float | None = None,
        rotations: Mapping[str, np.ndarray] | None = None,
        mapper: RankDistributionMapper | None = None,
        lag_s: float = 0.0,
        labels: tuple[str, str] | None = None,
        ax: Axes | Iterable[Axes] | None = None,
        **options: Any,
    ) -> TraceDisplay:
        """Draw a part of two recordings of the same time.

        Parameters
        ----------
        real, virtual : Recording
            On the same clock.
        channels : str or sequence of str, optional
            Which to draw. Default: all that both have, in the order of `real`.
        start_s, stop_s : float, optional
            Part to draw, half-open, on the clock of `real`. Default: what both cover.
        rotations : mapping of str to array of shape (3, 3), optional
            Of each site, from the frame of the virtual sensor to that of the real one, such as ``rotations_`` of a
            fitted `SensorAligner`: the virtual vectors are turned by them. Sites without one keep their frame.
        mapper : RankDistributionMapper, optional
            Fitted, on the channels that the recording has, in their order. It maps the traces of the domain that it
            moves: the virtual ones, turned, or with ``direction="real_to_virtual"`` the real ones.
        lag_s : float, default=0.0
            How much later the virtual trace is than the real one; it is drawn that much earlier.
        labels : (str, str), optional
            What the legend calls the two. Default: "real" and "virtual", and how they were moved.
        ax, **options
            As in `plot`.

        Returns
        -------
        TraceDisplay

        Raises
        ------
        DataFormatError
            If the two share no channel, one has no sample in the part, a rotation is none, or the mapper was fitted
            without virtual samples, and so moves nothing.
        UnknownNameError
            If a channel is missing in one of them, or `rotations` have none of the sites of `virtual`.
        """
        channels = [channels] if isinstance(channels, str) else channels
        names = [name for name in real.channels if name in virtual.channels] if channels is None else list(channels)
        if not names:
            raise DataFormatError(f"No channel of {virtual!r} is one of {real!r}, so there is nothing to compare.")
        if not is_finite_number(lag_s):
            raise DataFormatError(f"lag_s must be a finite number, not {lag_s!r}.")
        real, virtual, done = _adapt(real, virtual, rotations, mapper)
        first, second = real.select(names), virtual.select(names)
        second = second.replace(start_s=second.start_s - lag_s)
        start = max(first.start_s, second.start_s) if start_s is None else start_s
        stop = min(r.start_s + r.duration_s for r in (first, second)) if stop_s is None else stop_s
        tables = [_part(recording, start, stop) for recording in (first, second)]
        return cls(*tables, labels=done if labels is None else labels).plot(ax, **options)

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
        for channel, panel in self.axes_.items():
            (real,) = panel.plot(self.real[channel], color=GREY, linewidth=2.2, label=self.labels[0])
            (virtual,) = panel.plot(self.virtual[channel], color=_VIRTUAL, linewidth=1.2, label=self.labels[1])
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


def _adapt(
    real: Recording,
    virtual: Recording,
    rotations: Mapping[str, np.ndarray] | None,
    mapper: RankDistributionMapper | None,
) -> tuple[Recording, Recording, tuple[str, str]]:
    """Turn and map; give also what to call the two then."""
    of_real, of_virtual = "real", "virtual"
    if rotations is not None:
        turned = _turn(virtual, rotations)
        if not np.array_equal(turned.data, virtual.data, equal_nan=True):
            virtual, of_virtual = turned, f"{of_virtual}, aligned"
    if mapper is not None and mapper.direction == "real_to_virtual":
        real, of_real = _map(real, mapper, 0), f"{of_real}, mapped"
    elif mapper is not None:
        virtual, of_virtual = _map(virtual, mapper, 1), f"{of_virtual}, mapped"
    return real, virtual, (of_real, of_virtual)


def _turn(virtual: Recording, rotations: Mapping[str, np.ndarray]) -> Recording:
    """Turn the vectors of the sites that have a rotation."""
    triads = [triad for triad in find_triads(virtual.channels, len(virtual.channels)) if triad.site in rotations]
    if not triads:
        raise UnknownNameError(f"rotations are of {', '.join(map(repr, rotations))}, and no site of {virtual!r} is.")
    data = virtual.data.copy()
    for triad in triads:
        rotation = np.asarray(rotations[triad.site])
        if rotation.shape != (3, 3):
            raise DataFormatError(f"rotations[{triad.site!r}] must be of shape (3, 3), not {rotation.shape}.")
        # Row vectors: v R^T is R v.
        data[:, triad.columns] = data[:, triad.columns] @ rotation.T
    return virtual.replace(data=data)


def _map(recording: Recording, mapper: RankDistributionMapper, domain: int) -> Recording:
    """Map the samples and leave the holes."""
    if mapper.is_identity_:
        raise DataFormatError(
            "mapper was fitted without virtual samples, so it moves nothing: fit it on both, with sample_domain."
        )
    # The map takes one value at a time, so any number may stand in for a hole.
    holes = np.isnan(recording.data)
    filled = recording.replace(data=np.where(holes, 0, recording.data))
    (moved,) = mapper.transform([filled], sample_domain=[domain])
    return recording.replace(data=np.where(holes, np.nan, moved.data))


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
