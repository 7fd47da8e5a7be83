"""Augmentations as plain values, which JSON holds, and back: a saved model keeps its augmentation so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from har_virtual.augmentation._base import WindowAugmentation
from har_virtual.augmentation.compose import Compose
from har_virtual.augmentation.magnitude import Jitter, MagnitudeWarp, Scaling
from har_virtual.augmentation.orientation import Rotation
from har_virtual.augmentation.timing import Crop, Permutation, TimeWarp
from har_virtual.exceptions import DataFormatError

_KINDS = {
    kind.__name__: kind for kind in (Compose, Crop, Jitter, MagnitudeWarp, Permutation, Rotation, Scaling, TimeWarp)
}


def describe(augmentation: WindowAugmentation) -> dict[str, Any]:
    """Describe an augmentation by its name and parameters.

    Parameters
    ----------
    augmentation : augmentation of this package

    Returns
    -------
    dict
        Of strings, numbers, lists and None only.

    Raises
    ------
    DataFormatError
        If it is a function of one's own, or has one among its steps.

    See Also
    --------
    from_description : The way back.

    Examples
    --------
    >>> from har_virtual.augmentation import Jitter, describe, from_description
    >>> describe(Jitter(0.1))
    {'name': 'Jitter', 'p': 1.0, 'sigma': 0.1, 'relative': True}
    >>> from_description(describe(Jitter(0.1))) == Jitter(0.1)
    True
    """
    name = type(augmentation).__name__
    if _KINDS.get(name) is not type(augmentation):
        raise DataFormatError(
            f"{augmentation!r} cannot be described: only {', '.join(_KINDS)} of har_virtual.augmentation can."
        )
    description: dict[str, Any] = {"name": name}
    for each in fields(augmentation):
        value = getattr(augmentation, each.name)
        if each.name == "steps":
            value = [describe(step) for step in value]
        description[each.name] = list(value) if isinstance(value, tuple) else value
    return description


def from_description(description: Mapping[str, Any]) -> WindowAugmentation:
    """Make the augmentation that `describe` described.

    Parameters
    ----------
    description : mapping
        The name, and parameters by name; those that lack have their defaults.

    Raises
    ------
    DataFormatError
        If the name or a parameter is not known, or a parameter is out of its limits.
    """
    if not isinstance(description, Mapping) or str(description.get("name")) not in _KINDS:
        raise DataFormatError(
            f"No augmentation is described by {description!r}; its name is one of {', '.join(_KINDS)}."
        )
    kind = _KINDS[description["name"]]
    parameters = {name: value for name, value in description.items() if name != "name"}
    unknown = parameters.keys() - {each.name for each in fields(kind)}
    if unknown:
        raise DataFormatError(f"{kind.__name__} has no parameter {', '.join(sorted(map(str, unknown)))}.")
    if kind is Compose:
        steps = parameters.get("steps")
        if not isinstance(steps, (list, tuple)):
            raise DataFormatError(f"steps must be a list of descriptions, not {steps!r}.")
        parameters["steps"] = [from_description(step) for step in steps]
    return kind(**parameters)
