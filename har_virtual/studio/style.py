"""How one person does things: tempo, amplitude, handedness and unrest, all from a seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal
from zlib import crc32

import numpy as np

from har_virtual.exceptions import DataFormatError
from har_virtual.studio.body import Body
from har_virtual.studio.jets import Jet, sin

_LEFT_HANDED_SHARE = 0.1
# Unrest is a sum of sinusoids with these shares of the highest frequency, incommensurable so that it does not repeat.
_UNREST = np.array([0.31, 0.53, 0.76, 1.0])


@dataclass(frozen=True)
class Style:
    """What varies between persons, and between two takes of one person.

    Parameters
    ----------
    seed : int or sequence of int, default=0
        The person: tempo, amplitude, asymmetry, handedness, habits.
    take : int, default=0
        Another one changes what is never the same twice: where in its cycle a movement starts, when an event comes, all
        unrest.
    body : Body, optional
        Whose movement it is: steps, saddle and stairs fit its legs. By default somebody of average proportions.

    Raises
    ------
    DataFormatError
        If the seed is not one or several integers from 0, or the take none.

    Examples
    --------
    >>> from har_virtual.studio.jets import time
    >>> from har_virtual.studio.style import Style
    >>> style = Style(3)
    >>> 0.85 <= style.tempo <= 1.18, style.handedness
    (True, 'left')
    >>> style.wobble("head", time([0.0, 0.5])).value.shape
    (2,)
    """

    seed: int | Sequence[int] = 0
    take: int = 0
    body: Body = field(default_factory=Body.average)

    def __post_init__(self) -> None:
        numbers = [*self._seeds, self.take]
        if len(numbers) < 2 or not all(isinstance(s, (int, np.integer)) and s >= 0 for s in numbers):
            raise DataFormatError(
                f"Style: seed must be one or several integers from 0, take one, not {self.seed!r} and {self.take!r}."
            )

    @cached_property
    def tempo(self) -> float:
        """Factor of every frequency: log-normal around 1, from 0.86 to 1.16."""
        return float(np.exp(0.15 * np.tanh(self._rng("tempo").normal(0.0, 0.6))))

    @cached_property
    def amplitude(self) -> float:
        """Factor of every excursion: log-normal around 1, from 0.86 to 1.16."""
        return float(np.exp(0.15 * np.tanh(self._rng("amplitude").normal(0.0, 0.6))))

    @cached_property
    def asymmetry(self) -> float:
        """By what share the left side moves more and the right side less, from -0.08 to 0.08."""
        return float(0.08 * np.tanh(self._rng("asymmetry").normal(0.0, 0.6)))

    @cached_property
    def phase(self) -> float:
        """Where in its cycle a movement starts, in rad from 0 to 2 pi."""
        return self.between("phase", 0.0, 2 * np.pi, anew=True)

    @property
    def handedness(self) -> Literal["left", "right"]:
        """Side of the hand that waves, irons and vacuums; one person in ten is left-handed."""
        return "left" if self.between("handedness", 0.0, 1.0) < _LEFT_HANDED_SHARE else "right"

    @property
    def other_hand(self) -> Literal["left", "right"]:
        """Side of the other hand."""
        return "right" if self.handedness == "left" else "left"

    def scale(self, side: str) -> float:
        """Give the factor of one side's excursions: the amplitude with the asymmetry."""
        return self.amplitude * (1 + (self.asymmetry if side == "left" else -self.asymmetry))

    def between(self, name: str, low: float, high: float, *, anew: bool = False) -> float:
        """Draw a number that stays the same for a person and a name.

        Parameters
        ----------
        name : str
            What is drawn, such as "elbow".
        low, high : float
            Bounds of the uniform distribution.
        anew : bool, default=False
            Whether each take has another number.
        """
        return float(self._rng(name, anew).uniform(low, high))

    def wobble(self, name: str, t: Jet, frequency_hz: float = 0.5) -> Jet:
        """Give smooth unrest, such as postural sway: slow sinusoids, with a root mean square near 1.

        Parameters
        ----------
        name : str
            What is restless; another name gives other phases.
        t : Jet of shape (T,)
            Time in seconds.
        frequency_hz : float, default=0.5
            The highest frequency; the others go down to a third of it.

        Returns
        -------
        Jet of shape (T,)
        """
        rng = self._rng(name, anew=True)
        rates = 2 * np.pi * frequency_hz * _UNREST * rng.uniform(0.9, 1.1, len(_UNREST))
        phases, weights = rng.uniform(0, 2 * np.pi, len(_UNREST)), rng.uniform(0.7, 1.3, len(_UNREST))
        weights *= np.sqrt(2) / np.linalg.norm(weights)
        waves = (sin(t * rate + phase) * a for rate, phase, a in zip(rates, phases, weights, strict=True))
        return sum(waves, t * 0.0)

    def cycle(self, t: Jet, frequency_hz: float) -> Jet:
        """Give the phase of a repeated movement, in rad: the frequency times the tempo, which drifts by some percent.

        Parameters
        ----------
        t : Jet of shape (T,)
            Time in seconds.
        frequency_hz : float
            Of somebody with tempo 1.

        Returns
        -------
        Jet of shape (T,)
            At t = 0 near `phase`.
        """
        drift = self.wobble("cadence", t, 0.25) * 0.04
        return (t * (2 * np.pi * self.tempo) + drift) * frequency_hz + self.phase

    @property
    def _seeds(self) -> tuple[int, ...]:
        return tuple(self.seed) if isinstance(self.seed, Sequence) else (self.seed,)

    def _rng(self, name: str, anew: bool = False) -> np.random.Generator:
        takes = [self.take] if anew else []
        seeds = [int(seed) for seed in self._seeds]
        # Numpy pads with zeros, so that without their number (3, 0) would be 3.
        return np.random.default_rng([crc32(name.encode()), *seeds, *takes, len(seeds) - 1])
