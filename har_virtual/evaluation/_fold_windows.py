"""What a fold makes of windows where the recogniser gets the windows themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from har_virtual.evaluation._fold_features import Adaptation, FoldFeatures

if TYPE_CHECKING:
    from har_virtual.evaluation.feature_bank import FeatureBank


class FoldWindows(FoldFeatures):
    """Adapts virtual windows to the real ones of one set of training rows, and describes none.

    It keeps a copy of its virtual windows for the aligner and one for each map.
    """

    def __init__(self, bank: FeatureBank, train: np.ndarray) -> None:
        super().__init__(bank, train)
        self._mapped: dict[Adaptation, np.ndarray] = {}

    def _keep(self, adaptation: Adaptation, mapped: np.ndarray) -> None:
        self._mapped[adaptation] = mapped[self.virtual]

    def _describe(self, adaptation: Adaptation, rows: np.ndarray) -> np.ndarray:
        """Give training windows in the order asked for, (n_rows, n_samples, n_channels)."""
        windows, virtual = self.bank.windows.X[rows], self.bank.virtual[rows]
        if adaptation == (False, None) or not virtual.any():
            return windows
        moved = self._mapped[adaptation] if adaptation[1] else self._turned
        windows[virtual] = moved[self._among_virtual(rows[virtual])]
        return windows
