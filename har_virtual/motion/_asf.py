"""The skeleton file of Acclaim motion capture (ASF)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from har_virtual.exceptions import DataFormatError


@dataclass
class AcclaimBone:
    """A bone from the end of its parent along `direction`; its angles turn about axes that `angles` tilt."""

    name: str = ""
    dof: list[str] = field(default_factory=list)
    direction: np.ndarray = field(default_factory=lambda: np.zeros(3))
    length: float = 1.0
    angles: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
    order: str = "xyz"

    def read(self, key: str, words: list[str]) -> None:
        """Take over one line; limits, masses and the like are of no use here."""
        if key == "name":
            self.name = " ".join(words)
        elif key in ("direction", "position"):
            self.direction = np.array(finite_numbers(words, 3))
        elif key == "length":
            self.length = finite_numbers(words, 1)[0]
        elif key == "orientation":
            self.angles = finite_numbers(words, 3)
        elif key == "axis":
            *angles, order = words or [""]
            self.angles = finite_numbers(angles, 3) if angles else self.angles
            self.order = order.lower()
            if sorted(self.order) != ["x", "y", "z"]:
                raise ValueError(f"an axis ends with an order such as XYZ, not with {order!r}")
        elif key in ("dof", "order"):
            kinds = "rt" if key == "order" else "r"
            self.dof = [word.lower() for word in words]
            known = [kind + axis for kind in kinds for axis in "xyz"]
            if not set(known).issuperset(self.dof) or len(set(self.dof)) != len(self.dof):
                raise ValueError(f"'{' '.join(words)}' should be made of {', '.join(known)}, each once at most")

    def local_rotations(self, values: np.ndarray, *, bone_degrees: bool, value_degrees: bool) -> np.ndarray:
        """Rotations C M C^-1 relative to the parent, (n_frames, 3, 3), for the values of the bone's `dof`."""
        turning = [i for i, dof in enumerate(self.dof) if dof[0] == "r"]
        if not turning:
            return np.tile(np.eye(3), (len(values), 1, 1))
        # Lower case: about fixed axes, the first one first.
        frame = Rotation.from_euler(self.order, self.angles, degrees=bone_degrees)
        order = "".join(self.dof[i][1] for i in turning)
        moved = Rotation.from_euler(order, values[:, turning], degrees=value_degrees)
        return (frame * moved * frame.inv()).as_matrix()


@dataclass
class AcclaimSkeleton:
    """Bones by name, each after its parent, "root" first; `length` is units per inch."""

    bones: dict[str, AcclaimBone] = field(default_factory=lambda: {"root": AcclaimBone("root")})
    parents: dict[str, str] = field(default_factory=dict)
    length: float = 1.0
    degrees: bool = True


def read_asf(path: Path) -> AcclaimSkeleton:
    """Read the skeleton; whatever is wrong raises a `DataFormatError` with the line."""
    reader = _Reader(AcclaimSkeleton())
    for number, words in lines_of(path):
        try:
            reader.read(*words)
        except ValueError as error:
            raise DataFormatError(f"{path}, line {number}: {error}; the file is damaged or no ASF file.") from None
    skeleton = reader.skeleton
    order = _outward("root", skeleton.parents)
    loose = sorted(set(skeleton.bones) - set(order))
    if loose or len(order) == 1:
        raise DataFormatError(
            f"{path}: the hierarchy does not connect {', '.join(loose) or 'any bone'} to the root; the file is "
            f"truncated or no ASF file."
        )
    skeleton.bones = {name: skeleton.bones[name] for name in order}
    return skeleton


def lines_of(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Give line numbers and words; comments and empty lines left out, commas and brackets taken as spaces."""
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    for number, line in enumerate(text.splitlines(), start=1):
        words = re.sub(r"[(),]", " ", line.partition("#")[0]).split()
        if words:
            yield number, words


def finite_numbers(words: list[str], count: int) -> list[float]:
    """Convert `count` words, or raise a ValueError that shows them."""
    values = [float(word) for word in words]
    if len(values) != count or not all(map(math.isfinite, values)):
        raise ValueError(f"'{' '.join(words)}' should be {count} finite numbers")
    return values


@dataclass
class _Reader:
    skeleton: AcclaimSkeleton
    section: str = ""
    bone: AcclaimBone = field(default_factory=AcclaimBone)

    def read(self, key: str, *words: str) -> None:
        """Take over one line."""
        if key.startswith(":"):
            self.section = key.lower()
        elif self.section == ":units":
            self._read_unit(key.lower(), words)
        elif self.section == ":root":
            self.skeleton.bones["root"].read(key.lower(), list(words))
        elif self.section == ":bonedata":
            self._read_bone(key.lower(), list(words))
        elif self.section == ":hierarchy" and words:
            self._add_children(key, words)

    def _read_unit(self, key: str, words: tuple[str, ...]) -> None:
        if key == "length":
            self.skeleton.length = finite_numbers(list(words), 1)[0]
            if self.skeleton.length <= 0:
                raise ValueError("the unit of length must be positive")
        elif key == "angle":
            self.skeleton.degrees = words[:1] != ("rad",)

    def _read_bone(self, key: str, words: list[str]) -> None:
        if key == "begin":
            self.bone = AcclaimBone()
        elif key == "end":
            if not self.bone.name or self.bone.name in self.skeleton.bones:
                raise ValueError(f"the bone that ends here needs a name of its own, not {self.bone.name!r}")
            self.skeleton.bones[self.bone.name] = self.bone
        else:
            self.bone.read(key, words)

    def _add_children(self, parent: str, children: tuple[str, ...]) -> None:
        for name in (parent, *children):
            if name not in self.skeleton.bones:
                raise ValueError(f"the hierarchy has a bone {name!r} that :bonedata has not")
        for child in children:
            if child in self.skeleton.parents or child == "root":
                raise ValueError(f"{child} has two parents")
            self.skeleton.parents[child] = parent


def _outward(bone: str, parents: dict[str, str]) -> list[str]:
    children = [child for child, parent in parents.items() if parent == bone]
    return [bone, *(name for child in children for name in _outward(child, parents))]
