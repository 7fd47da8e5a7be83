"""Loss and F1 over the epochs of a network's training, and the epoch whose weights were kept."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from har_virtual.evaluation.displays._base import Display, check_columns, new_figure
from har_virtual.evaluation.displays._series import GREY, tidy
from har_virtual.exceptions import DataFormatError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

_TRAIN, _VALIDATION = "black", "#0072B2"
_PANEL_INCHES = (3.7, 3.1)


class TrainingHistoryDisplay(Display):
    """Training and validation loss over epochs, and beside them the macro-F1 of the validation rows.

    A dotted line marks the epoch whose weights were kept. Without validation rows there is the training loss alone,
    and no epoch is marked.

    Parameters
    ----------
    history : DataFrame
        One row an epoch, as ``history_`` of a deep estimator: ``epoch``, ``train_loss``; ``valid_loss`` and
        ``valid_f1`` where rows validated. What is unknown is NaN.
    best_epoch : int, optional
        Which to mark. Default: that of the lowest validation loss.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        `ax_` is that of the loss.
    axes_ : dict of str to matplotlib Axes
        "loss", and "f1" where that is known.
    lines_ : dict of str to Line2D
        By column of `history`.
    best_epoch_ : int or None
    best_lines_ : list of Line2D
        What marks it in each of `axes_`.

    Raises
    ------
    DataFormatError
        If a column is missing, there are no rows, or `best_epoch` is none of the epochs.

    Examples
    --------
    >>> import pandas as pd
    >>> from har_virtual.evaluation.displays import TrainingHistoryDisplay
    >>> columns = ["epoch", "train_loss", "valid_loss", "valid_f1"]
    >>> rows = [(1, 2.0, 1.9, 0.2), (2, 1.1, 1.3, 0.5), (3, 0.6, 1.4, 0.6)]
    >>> display = TrainingHistoryDisplay(pd.DataFrame(rows, columns=columns)).plot()
    >>> display.best_epoch_, list(display.axes_), display.lines_["valid_loss"].get_ydata().tolist()
    (2, ['loss', 'f1'], [1.9, 1.3, 1.4])
    """

    axes_: dict[str, Axes]
    lines_: dict[str, Line2D]
    best_epoch_: int | None
    best_lines_: list[Line2D]

    def __init__(self, history: pd.DataFrame, *, best_epoch: int | None = None) -> None:
        self.history = check_columns(history, ["epoch", "train_loss"], "history", finite="epoch")
        if best_epoch is not None and best_epoch not in set(self.history["epoch"]):
            raise DataFormatError(f"best_epoch must be one of the epochs of history, not {best_epoch!r}.")
        self.best_epoch = best_epoch

    @classmethod
    def from_estimator(
        cls, estimator: Any, *, ax: Axes | Iterable[Axes] | None = None, **options: Any
    ) -> TrainingHistoryDisplay:
        """Draw the training of a fitted deep estimator.

        Parameters
        ----------
        estimator : estimator
            With ``history_``; or a Pipeline that ends in one, or something around one that has it as ``estimator_`` or,
            a search, as ``best_estimator_``. Of `PretrainOnVirtual` the last training is drawn; its ``pretrained_`` has
            the first.
        ax, **options
            As in `plot`.

        Returns
        -------
        TrainingHistoryDisplay

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If nothing is fitted.
        DataFormatError
            If there is no training history in it.
        """
        found = estimator
        while not hasattr(found, "history_"):
            check_is_fitted(found)
            inner = getattr(found, "best_estimator_", None) or getattr(found, "estimator_", None)
            inner = found.steps[-1][1] if hasattr(found, "steps") else inner
            if inner is None:
                raise DataFormatError(
                    f"{type(found).__name__} has no history_: only networks are trained epoch by epoch, such as "
                    "har_virtual.models.DeepConvLSTMClassifier."
                )
            found = inner
        best = None if found.history_["valid_loss"].isna().all() else found.best_epoch_
        return cls(found.history_, best_epoch=best).plot(ax, **options)

    def plot(self, ax: Axes | Iterable[Axes] | None = None, *, legend: bool = True) -> TrainingHistoryDisplay:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes or two of them, optional
            For the loss, and for F1, which is left out where there is one. Default: new ones, in a figure that belongs
            to no window on the screen.
        legend : bool, default=True

        Returns
        -------
        TrainingHistoryDisplay
            Itself.

        Raises
        ------
        DataFormatError
            If the number of Axes is neither one nor two.
        """
        self.best_epoch_ = self._find_best()
        self.axes_ = self._find_axes(ax)
        self.ax_ = self.axes_["loss"]
        self.figure_ = self.ax_.figure
        self.lines_, self.best_lines_ = {}, []
        self._draw("train_loss", self.ax_, _TRAIN, "training")
        self._draw("valid_loss", self.ax_, _VALIDATION, "validation")
        if "f1" in self.axes_:
            self._draw("valid_f1", self.axes_["f1"], _VALIDATION, "validation")
        for name, label in {"loss": "loss", "f1": "macro-F1, validation"}.items():
            if name in self.axes_:
                self._mark_best(self.axes_[name])
                tidy(self.axes_[name], "epoch", label)
        if legend:
            self.ax_.legend(frameon=False, fontsize="small")
        return self

    def _known(self, column: str) -> bool:
        return column in self.history.columns and bool(self.history[column].notna().any())

    def _find_best(self) -> int | None:
        if self.best_epoch is not None or not self._known("valid_loss"):
            return self.best_epoch
        return int(self.history.loc[self.history["valid_loss"].idxmin(), "epoch"])

    def _find_axes(self, ax: Axes | Iterable[Axes] | None) -> dict[str, Axes]:
        names = ["loss", "f1"] if self._known("valid_f1") else ["loss"]
        self._own_figure = None
        if ax is None:
            width, height = _PANEL_INCHES
            self._own_figure = new_figure(type(self).__name__, (width * len(names), height))
            given = np.ravel(self._own_figure.subplots(1, len(names))).tolist()
        else:
            given = list(ax) if isinstance(ax, Iterable) else [ax]
        if len(given) not in (1, 2):
            raise DataFormatError(f"Loss and F1 need one Axes or two, not {len(given)}.")
        return dict(zip(names, given, strict=False))

    def _draw(self, column: str, ax: Axes, color: str, label: str) -> None:
        if self._known(column):
            (self.lines_[column],) = ax.plot(
                self.history["epoch"], self.history[column], color=color, linewidth=1.5, label=label
            )

    def _mark_best(self, ax: Axes) -> None:
        if self.best_epoch_ is not None:
            label = f"kept: epoch {self.best_epoch_}"
            self.best_lines_.append(ax.axvline(self.best_epoch_, color=GREY, linestyle=":", linewidth=1.2, label=label))
