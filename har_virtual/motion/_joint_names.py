"""The joint names of common BVH exporters under the library's own names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from har_virtual.exceptions import DataFormatError, UnknownNameError

# For each joint the names that exporters give it, best first; a name that an earlier line took is passed over. So
# "shoulder" is the shoulder where the file has no "arm", and the collar where it has; likewise "foot", "hand", "head".
# An End Site is called after its parent, with "end".
_MIDDLE = {
    "pelvis": "hips pelvis hip",
    "spine": "spine spine1 abdomen chest",
    "spine2": "spine1 spine2 chest2 chest",
    "spine3": "spine2 spine3 chest3 upperchest",
    "spine4": "spine3 chest4",
    "head": "headtopend headend headtop head",
    "neck": "neck",
    "neck2": "neck1",
    "neck_top": "head",
}
_SIDED = {
    "shoulder": "arm upperarm uparm shldr shoulder",
    "collar": "collar clavicle shoulder",
    "elbow": "forearm lowerarm elbow",
    "wrist": "wrist hand",
    "hand": "hand handmiddle1 handindex1 middle1 handend wristend",
    "fingers": "handmiddle1end handindex1end",
    "thumb": "thumbend",
    "hip": "upleg upperleg thigh hip",
    "knee": "leg lowerleg shin knee",
    "ankle": "ankle foot",
    "foot": "foot toebase toe toes footend ankleend",
    "toes": "toebaseend toeend toesend",
}


def _candidates() -> dict[str, list[str]]:
    sided = {
        f"{side}_{joint}": [prefix + name for name in names.split() for prefix in (side, side[0])]
        for side in ("left", "right")
        for joint, names in _SIDED.items()
    }
    return {joint: names.split() for joint, names in _MIDDLE.items()} | sided


def canonical_names(file_names: Sequence[str], given: Mapping[str, str] | None, source: str) -> list[str]:
    """Translate the joint names of a file; a name that no exporter in the table uses stays as it is.

    Parameters
    ----------
    file_names : sequence of str
    given : mapping from file name to joint, optional
        Comes before the table.
    source : str
        Name of the file, for messages.

    Raises
    ------
    UnknownNameError
        If `given` names a joint that the file does not have.
    DataFormatError
        If two joints end up with one name.
    """
    given = dict(given or {})
    unknown = [name for name in given if name not in file_names]
    if unknown:
        raise UnknownNameError(
            f"{source} has no joint {', '.join(unknown)} (joint_names); it has {', '.join(file_names)}."
        )
    plain = {_plain(name): name for name in reversed(file_names) if name not in given}
    joints = dict(given)
    for joint, candidates in _candidates().items():
        match = next((plain[name] for name in candidates if name in plain and plain[name] not in joints), None)
        if match is not None and joint not in given.values():
            joints[match] = joint
    names = [joints.get(name, name) for name in file_names]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        clash = [name for name, joint in zip(file_names, names, strict=True) if joint in repeated]
        raise DataFormatError(
            f"{source}: the joints {', '.join(clash)} would share the name {', '.join(repeated)}. "
            f"Give each its own with joint_names."
        )
    return names


def _plain(name: str) -> str:
    """Lower case without the exporter's prefix (``mixamorig:``, ``Character1_``) and without separators."""
    return re.sub(r"[^a-z0-9]", "", re.sub(r"^(.*:|character\d*_)", "", name.lower()))
