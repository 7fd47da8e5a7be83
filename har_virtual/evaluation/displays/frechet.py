"""Distance of virtual to real windows over the real seconds that the map took: figure 5 of IMUTube."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from har_virtual.checks import is_finite_number
from har_virtual.evaluation.displays._base import Display, check_columns
from har_virtual.evaluation.displays._series import GREY, Look, add_legend, draw_published, draw_series, set_ticks, tidy
from har_virtual.exceptions import DataFormatError, UnknownNameError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PolyCollection
    from matplotlib.lines import Line2D

    from har_virtual.evaluation.calibration import CalibrationCurve

_LABELS = {
    "frechet": "Fréchet distance, squared",
    "ks": "Kolmogorov-Smirnov distance",
    "js": "Jensen-Shannon divergence, bits",
    "mmd": "maximum mean discrepancy, squared",
}
_LOOK = Look("#0072B2", "o")
_LOG_FROM = 20


class FrechetDisplay(Display):
    """Distance between mapped virtual windows and all real ones, over the real seconds that the map was fitted on.

    The distance stands on a logarithmic axis where it spans a factor of twenty, the seconds where they span ten.

    Parameters
    ----------
    frame : DataFrame
        One row a duration: ``seconds``, ``mean``, ``low``, ``high``, as `CalibrationCurve.summary` gives them. An
        unknown bound is NaN.
    all_real : float, optional
        Distance where all real windows fit the map; dotted, as in the paper.
    unmapped : float, optional
        Distance without a map; dashed.
    measure : {"frechet", "ks", "js", "mmd"}
        Which distance it is.
    published : DataFrame, optional
        A paper's values: ``seconds``, ``mean``. Distances in another embedding are not comparable.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
    line_ : Line2D
    band_ : PolyCollection or None
        The interval.
    all_real_line_, unmapped_line_, published_line_ : Line2D or None

    Raises
    ------
    DataFormatError
        If a column is missing, there are no rows, or a value is no number.
    UnknownNameError
        If there is no such distance.

    Examples
    --------
    >>> import pandas as pd
    >>> from har_virtual.evaluation.displays import FrechetDisplay
    >>> frame = pd.DataFrame({"seconds": [10, 600], "mean": [4.0, 2.1], "low": [3.5, 2.0], "high": [4.5, 2.2]})
    >>> display = FrechetDisplay(frame, all_real=2.0).plot()
    >>> display.line_.get_ydata().tolist(), display.ax_.get_xscale()
    ([4.0, 2.1], 'log')
    """

    line_: Line2D
    band_: PolyCollection | None
    all_real_line_: Line2D | None
    unmapped_line_: Line2D | None
    published_line_: Line2D | None

    def __init__(
        self,
        frame: pd.DataFrame,
        *,
        all_real: float | None = None,
        unmapped: float | None = None,
        measure: str = "frechet",
        published: pd.DataFrame | None = None,
    ) -> None:
        if measure not in _LABELS:
            raise UnknownNameError(f"measure must be one of {', '.join(map(repr, _LABELS))}, not {measure!r}.")
        for name, value in {"all_real": all_real, "unmapped": unmapped}.items():
            if value is not None and not is_finite_number(value):
                raise DataFormatError(f"{name} must be a finite number, not {value!r}.")
        self.frame = check_columns(frame, ["seconds", "mean", "low", "high"], "frame", finite="seconds")
        self.all_real = all_real
        self.unmapped = unmapped
        self.measure = measure
        self.published = published
        if published is not None:
            self.published = check_columns(published, ["seconds", "mean"], "published", finite="seconds")

    @classmethod
    def from_curve(
        cls,
        curve: CalibrationCurve,
        measure: str = "frechet",
        *,
        published: pd.DataFrame | None = None,
        ax: Axes | None = None,
        **options: Any,
    ) -> FrechetDisplay:
        """Draw a distance of a `CalibrationCurve`, averaged over its seeds; `ax` and options as in `plot`."""
        display = cls(
            curve.summary(measure),
            all_real=float(curve.all_real[measure]),
            unmapped=float(curve.unmapped[measure]),
            measure=measure,
            published=published,
        )
        return display.plot(ax, **options)

    def plot(self, ax: Axes | None = None, *, legend: bool = True) -> FrechetDisplay:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Default: new ones, in a figure that belongs to no window on the screen.
        legend : bool, default=True

        Returns
        -------
        FrechetDisplay
            Itself.
        """
        ax = self._start(ax, (4.6, 3.3))
        frame = self.frame.sort_values("seconds")
        seconds, *columns = (frame[name].to_numpy(dtype=float) for name in ("seconds", "mean", "low", "high"))
        self.line_, self.band_ = draw_series(ax, seconds, columns, _LOOK, label="mapped by so much real data")
        self.all_real_line_ = self._draw_level(ax, self.all_real, ":", "mapped by all real data")
        self.unmapped_line_ = self._draw_level(ax, self.unmapped, "--", "not mapped")
        self.published_line_ = None
        if self.published is not None:
            published = self.published.sort_values("seconds")
            seconds = np.concatenate([seconds, published["seconds"]])
            self.published_line_ = draw_published(
                ax, published["seconds"], published["mean"], Look(GREY, _LOOK.marker), "published"
            )
        set_ticks(ax, np.unique(seconds))
        self._scale_distances(ax)
        tidy(ax, "real data per class for the map, s", _LABELS[self.measure])
        if legend:
            add_legend(ax)
        return self

    def _draw_level(self, ax: Axes, value: float | None, style: str, label: str) -> Line2D | None:
        if value is None:
            return None
        return ax.axhline(value, color="black", linewidth=1.1, linestyle=style, label=label)

    def _scale_distances(self, ax: Any) -> None:
        drawn = [*self.frame["mean"].dropna(), *(v for v in (self.all_real, self.unmapped) if v is not None)]
        if min(drawn, default=0) > 0 and max(drawn) >= _LOG_FROM * min(drawn):
            ax.set_yscale("log")
            ax.yaxis.get_major_locator().set_params(subs=(1, 2, 5))
            ax.yaxis.set_major_formatter("{x:g}")
            ax.yaxis.set_minor_formatter("")
