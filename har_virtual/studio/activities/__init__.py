"""Seventeen activities as joint angles in closed form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from har_virtual.studio.activities.exercise import cycling, jumping, jumping_jacks, rope_jumping, squatting
from har_virtual.studio.activities.household import ironing, vacuum_cleaning
from har_virtual.studio.activities.locomotion import running, stair_climbing, turning, walking
from har_virtual.studio.activities.postures import lying_down, sitting, sitting_down, standing, standing_up, waving
from har_virtual.studio.jets import Jet
from har_virtual.studio.posture import Posture
from har_virtual.studio.style import Style


@dataclass(frozen=True)
class Activity:
    """Something that a person can do.

    Parameters
    ----------
    name : str
        The label.
    function : callable
        From time (a `Jet` in seconds) and `Style` to a `Posture`.
    furniture : tuple of str, default=()
        What stands around the person and fits the body: names of `har_virtual.studio.props.FURNITURE`. An actor's
        ``furniture`` has it at the actor's place and heading.
    held : str, optional
        What the dominant hand holds: a name of `har_virtual.studio.props.HELD`. An actor's ``carried`` gives it.
    description : str, default=""
        One line.
    """

    name: str
    function: Callable[[Jet, Style], Posture]
    furniture: tuple[str, ...] = ()
    held: str | None = None
    description: str = ""


def _activity(
    function: Callable[[Jet, Style], Posture], furniture: tuple[str, ...] = (), held: str | None = None
) -> Activity:
    name = function.__name__
    return Activity(name, function, furniture, held, (function.__doc__ or "").partition("\n")[0])


ACTIVITIES: Mapping[str, Activity] = MappingProxyType(
    {
        activity.name: activity
        for activity in (
            _activity(standing),
            _activity(walking),
            _activity(running),
            _activity(jumping),
            _activity(squatting),
            _activity(sitting, ("chair",)),
            _activity(sitting_down, ("chair",)),
            _activity(standing_up, ("chair",)),
            _activity(turning),
            _activity(lying_down, ("mat",)),
            _activity(jumping_jacks),
            _activity(waving),
            _activity(stair_climbing, ("steps",)),
            _activity(ironing, ("ironing_board",), "iron"),
            _activity(vacuum_cleaning, (), "wand"),
            _activity(cycling, ("ergometer",)),
            _activity(rope_jumping),
        )
    }
)
"""The activities by name."""

__all__ = ["ACTIVITIES", "Activity"]
