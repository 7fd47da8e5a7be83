"""Several augmentations one after the other, and the seven of Um et al. as IMUTube uses them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from har_virtual.augmentation._base import WindowAugmentation, call_step
from har_virtual.augmentation.magnitude import Jitter, MagnitudeWarp, Scaling
from har_virtual.augmentation.orientation import Rotation
from har_virtual.augmentation.timing import Crop, Permutation, TimeWarp
from har_virtual.checks import check_augmentation
from har_virtual.exceptions import DataFormatError


@dataclass(frozen=True)
class Compose(WindowAugmentation):
    """Apply augmentations one after the other.

    Parameters
    ----------
    steps : list or tuple of callable
        Each is called as ``step(X, rng)``: augmentations of this package, or functions of one's own that return an
        array of X's shape and leave X as it is. Each has a `p` of its own.
    p : float, default=1.0
        Probability with which a window is handed to the steps at all.

    Examples
    --------
    >>> import numpy as np
    >>> from har_virtual.augmentation import Compose, Jitter, Rotation
    >>> augment = Compose([Rotation(0.3), Jitter(0.02, p=0.5)])
    >>> augment(np.zeros((2, 30, 3)), np.random.default_rng(0)).shape
    (2, 30, 3)
    >>> augment.steps[1]
    Jitter(p=0.5, sigma=0.02, relative=True)
    """

    steps: Sequence[Callable[[np.ndarray, np.random.Generator], np.ndarray]]

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.steps, (list, tuple)) or not self.steps:
            raise DataFormatError(f"steps must be a list of augmentations, at least one, not {self.steps!r}.")
        for number, step in enumerate(self.steps):
            check_augmentation(f"steps[{number}]", step)
        self._set("steps", tuple(self.steps))

    def _augment(self, X: np.ndarray, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        windows = X[rows]
        for step in self.steps:
            if isinstance(step, WindowAugmentation):
                step.change(windows, rng)
            else:
                windows = call_step(step, windows, rng)
        return windows


def um_augmentations(p: float = 0.5, *, channels: Sequence[str] | None = None) -> Compose:
    """Give the seven augmentations of Um et al., each applied to a window with probability `p`.

    IMUTube's networks are trained with 0 or 0.5, whichever does better on the validation subject.

    In this order: crop, permutation, time warping, rotation, magnitude warping, scaling, jitter, each with its default
    parameters. The order is ours; noise comes last, so that no interpolation smooths it.

    Parameters
    ----------
    p : float, default=0.5
    channels : sequence of str, optional
        Names of the channels, for `Rotation`.

    Returns
    -------
    Compose

    References
    ----------
    T. T. Um et al., "Data augmentation of wearable sensor data for Parkinson's disease monitoring using convolutional
    neural networks", ICMI 2017. H. Kwon et al., "IMUTube", Proc. ACM IMWUT 4(3), 2020, section 3.1.

    Examples
    --------
    >>> from har_virtual.augmentation import um_augmentations
    >>> [type(step).__name__ for step in um_augmentations().steps]
    ['Crop', 'Permutation', 'TimeWarp', 'Rotation', 'MagnitudeWarp', 'Scaling', 'Jitter']
    """
    return Compose(
        (
            Crop(p=p),
            Permutation(p=p),
            TimeWarp(p=p),
            Rotation(channels=channels, p=p),
            MagnitudeWarp(p=p),
            Scaling(p=p),
            Jitter(p=p),
        )
    )
