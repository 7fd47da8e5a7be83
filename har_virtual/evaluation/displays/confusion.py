"""Which class was taken for which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from har_virtual.evaluation.displays._base import Display, check_columns, readable
from har_virtual.exceptions import DataFormatError, UnknownNameError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage
    from matplotlib.text import Text

    from har_virtual.evaluation.evaluation import Evaluation
    from har_virtual.evaluation.out_of_fold import OutOfFold

Normalize = Literal["true", "predicted"] | None

_TITLES = {
    "true": "% of the windows of the true class",
    "predicted": "% of the windows of the predicted class",
    None: "windows",
}
_MAX_CLASSES_WITH_VALUES = 30
_CELL_INCHES = 0.37
_LETTER_INCHES = 0.075
_LEAST_INCHES = 1.8


class ConfusionDisplay(Display):
    """Windows by true and predicted class.

    Parameters
    ----------
    counts : DataFrame
        Number of windows by true class (index) and predicted class (columns), the same classes in the same order:
        `OutOfFold.confusion`.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
    values_ : DataFrame
        What is drawn: percentages, or the counts. A class without windows is NaN, and left white.
    image_ : AxesImage
    texts_ : dict of (true class, predicted class) to Text
        The numbers in the cells; there are none for zero.

    Raises
    ------
    DataFormatError
        If the table is empty, its index and columns are not the same classes, or it holds no counts.

    Examples
    --------
    >>> import pandas as pd
    >>> from har_virtual.evaluation.displays import ConfusionDisplay
    >>> classes = ["sitting", "walking"]
    >>> display = ConfusionDisplay(pd.DataFrame([[8, 2], [0, 5]], index=classes, columns=classes)).plot()
    >>> {cell: text.get_text() for cell, text in display.texts_.items()}
    {('sitting', 'sitting'): '80', ('sitting', 'walking'): '20', ('walking', 'walking'): '100'}
    """

    values_: pd.DataFrame
    image_: AxesImage
    texts_: dict[tuple[Any, Any], Text]

    def __init__(self, counts: pd.DataFrame) -> None:
        check_columns(counts, [], "counts")
        if list(counts.index) != list(counts.columns):
            raise DataFormatError(
                "counts needs the same classes, in the same order, as index and as columns, not "
                f"{list(counts.index)} and {list(counts.columns)}."
            )
        self.counts = counts.apply(pd.to_numeric, errors="coerce")
        numbers = self.counts.to_numpy(dtype=float)
        if not np.isfinite(numbers).all() or numbers.min() < 0:
            raise DataFormatError("counts must hold numbers of windows, from 0; some are missing or negative.")

    @classmethod
    def from_result(cls, result: OutOfFold, *, ax: Axes | None = None, **options: Any) -> ConfusionDisplay:
        """Draw out-of-fold predictions; `ax` and options as in `plot`."""
        return cls(result.confusion).plot(ax, **options)

    @classmethod
    def from_evaluation(
        cls, evaluation: Evaluation, protocol: str, *, ax: Axes | None = None, **options: Any
    ) -> ConfusionDisplay:
        """Draw the predictions of one protocol; `ax` and options as in `plot`."""
        return cls.from_result(evaluation[protocol], ax=ax, **options)

    def plot(
        self,
        ax: Axes | None = None,
        *,
        normalize: Normalize = "true",
        values: bool | None = None,
        cmap: str = "Blues",
    ) -> ConfusionDisplay:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Default: new ones, large enough for the classes, in a figure that belongs to no window on the screen.
        normalize : {"true", "predicted", None}
            Percentages of each row (recall on the diagonal), of each column (precision), or numbers of windows.
        values : bool, optional
            Whether numbers stand in the cells. Default: up to 30 classes.
        cmap : str, default="Blues"
            Colour map of matplotlib.

        Returns
        -------
        ConfusionDisplay
            Itself.

        Raises
        ------
        UnknownNameError
            If `normalize` is something else.
        """
        if normalize not in _TITLES:
            raise UnknownNameError(f'normalize must be "true", "predicted" or None, not {normalize!r}.')
        n_classes = len(self.counts)
        ax = self._start(ax, self._size_inches())
        self.values_ = self._normalized(normalize)
        top = max(self.counts.to_numpy().max(), 1) if normalize is None else 100.0
        self.image_ = ax.imshow(self.values_.to_numpy(dtype=float), cmap=cmap, vmin=0, vmax=top)
        beside = ax.inset_axes((1.0 + 0.2 / n_classes, 0.0, 0.35 / n_classes, 1.0))
        bar = self.figure_.colorbar(self.image_, cax=beside, label=_TITLES[normalize])
        bar.outline.set_visible(False)
        self._name_classes(ax)
        shown = n_classes <= _MAX_CLASSES_WITH_VALUES if values is None else values
        self.texts_ = self._write_values(ax, normalize) if shown else {}
        return self

    def _size_inches(self) -> tuple[float, float]:
        side = max(_CELL_INCHES * len(self.counts), _LEAST_INCHES)
        name = _LETTER_INCHES * max(len(str(label)) for label in self.counts.columns)
        return side + name + 1.9, side + 0.7 * name + 0.6

    def _normalized(self, normalize: Normalize) -> pd.DataFrame:
        if normalize is None:
            return self.counts
        axis = 1 if normalize == "true" else 0
        totals = self.counts.sum(axis=axis)
        return 100 * self.counts.div(totals.where(totals > 0), axis=1 - axis)

    def _name_classes(self, ax: Axes) -> None:
        names = [readable(name) for name in self.counts.columns]
        totals = self.counts.sum(axis=1)
        small: Any = {"fontsize": "small" if len(names) <= _MAX_CLASSES_WITH_VALUES else "x-small"}
        ax.set_xticks(range(len(names)), names, rotation=45, ha="right", rotation_mode="anchor", **small)
        rows = [f"{name} ({total:,})" for name, total in zip(names, totals, strict=True)]
        ax.set_yticks(range(len(names)), rows, **small)
        ax.tick_params(length=0)
        ax.spines[:].set_color("0.8")
        ax.set_xlabel("predicted class")
        ax.set_ylabel("true class (windows)")

    def _write_values(self, ax: Axes, normalize: Normalize) -> dict[tuple[Any, Any], Text]:
        texts = {}
        for row, true in enumerate(self.values_.index):
            for column, predicted in enumerate(self.values_.columns):
                value = self.values_.iat[row, column]
                if not value > 0:
                    continue
                written = f"{value:,.0f}" if normalize is None or value > 0.5 else "<1"
                red, green, blue, _ = self.image_.to_rgba(value)
                dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.5
                color = "white" if dark else "black"
                texts[true, predicted] = ax.text(
                    column, row, written, ha="center", va="center", color=color, fontsize="x-small"
                )
        return texts
