"""What a table of IMUTube is computed on: one data set, with real and virtual windows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from har_virtual import WindowSet

if TYPE_CHECKING:
    from har_virtual.model_selection import HoldOut


@dataclass(frozen=True, eq=False)
class Task:
    """One column group of the paper's tables.

    Attributes
    ----------
    name : str
        Key in results, such as "utd_mhad".
    title : str
        As a table prints it.
    windows : WindowSet
        Real rows (sample_domain 0) and virtual ones (1); ``attrs["window_step_s"]`` is set.
    step_s : float
        From the start of a window to that of the next.
    notes : str
        The protocol in words: sites, rate, and where the virtual side comes from.
    budgets_s : tuple of float
        Real seconds per class of the learning curve (figure 6) and of calibration (figure 5).
    ratio_s : float
        Real seconds per class of the ratios (table 5).
    max_block_s : float or None
        Longest stretch of one person that a budget takes; None for whole runs.
    hold_out : HoldOut or None
        Of the paper's people, or of none.
    published : str or None
        Key of the paper's column.
    deep : WindowSet or None
        What networks learn from, where that is something else than `windows`.
    deep_notes : str
        In what it differs.
    deep_budgets_s : tuple of float
        Real seconds per class of figure 7; `budgets_s` if empty.
    """

    name: str
    title: str
    windows: WindowSet
    step_s: float
    notes: str
    budgets_s: tuple[float, ...]
    ratio_s: float
    max_block_s: float | None = None
    hold_out: HoldOut | None = None
    published: str | None = None
    deep: WindowSet | None = None
    deep_notes: str = ""
    deep_budgets_s: tuple[float, ...] = ()

    def counts(self) -> dict[str, dict[str, int]]:
        """Windows a class, real and virtual."""
        y, domain = np.asarray(self.windows.y), self.windows.sample_domain
        sides = {"real": domain == 0, "virtual": domain == 1}
        return {
            str(label): {side: int(np.sum((y == label) & rows)) for side, rows in sides.items()}
            for label in np.unique(y)
        }


class TransferSets(NamedTuple):
    """Table 4 for one target: the windows it is tested on, and the other data sets that train."""

    target: WindowSet
    sources: Mapping[str, WindowSet]
    notes: str
