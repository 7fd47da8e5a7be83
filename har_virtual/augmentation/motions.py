"""Other bodies, other tempos, other hands: motions varied before sensors are simulated on them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from har_virtual.checks import check_count, check_positive
from har_virtual.exceptions import DataFormatError
from har_virtual.skeleton import Motion

Factor = float | tuple[float, float]

# The world seen in a mirror that faces east: up stays up and north stays north, so do gravity and the usual field.
_MIRROR = np.diag([-1.0, 1.0, 1.0])
# An axis of rotation turns round in a mirror, and z of a segment is one; with it a mirrored frame is right-handed.
_AXES = np.diag([1.0, 1.0, -1.0])
_SIDED = re.compile(r"(?<![a-z])((left|right)(wards?)?|(counter|anti)?[-_ ]?clockwise|c?cw)(?![a-z])", re.IGNORECASE)
_NEW_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")


def augment_motions(
    motions: Iterable[Motion],
    *,
    n_copies: int = 1,
    tempo: Factor = 1.0,
    size: Factor = 1.0,
    mirror: bool = False,
    mirrored_labels: Mapping[Any, Any] | None = None,
    originals: bool = False,
    random_state: int | np.random.Generator | None = None,
) -> list[Motion]:
    """Make varied copies of motions: at another tempo, of a larger or smaller person, with left and right swapped.

    Physics then does the rest: what `har_virtual.simulate_imu` makes of a copy is what a sensor on that person would
    read, gravity included. How sensors are worn and how they err is varied by `draw_sensors`. Noise, warping and the
    like on windows stand apart.

    Parameters
    ----------
    motions : iterable of Motion
        Of videos or of motion capture.
    n_copies : int, default=1
        Copies of each motion.
    tempo, size : float or tuple of two float, default=1.0
        Factors, see `scale_tempo` and `scale_size`: one for all copies, or the lowest and highest between which each
        copy's own is drawn, its logarithm evenly, so that 2 is as likely as 1/2 in (0.5, 2).
    mirror : bool, default=False
        Whether one copy of two, at random, is mirrored, see `mirror_motion`.
    mirrored_labels : mapping, optional
        As in `mirror_motion`. A motion whose label has None here is never mirrored.
    originals : bool, default=False
        Whether each motion itself, unchanged, stands before its copies.
    random_state : int, Generator or None
        Seeds the draws. With an int, a copy depends on neither later motions nor later copies, and its tempo not on
        whether size or mirror vary, too.

    Returns
    -------
    list of Motion
        All copies of the first motion, then all of the second: ``len(motions) * n_copies``. Subject, dataset and label
        are the motion's own (the label as `mirrored_labels` has it), so that a copy stays on its person's side of every
        split. A session gets "/copy 0" and so on, for a copy has a clock of its own. ``attrs["augmentation"]`` has
        motion (its position in `motions`), copy (None for the motion itself), tempo, size, mirrored, and source, a
        digest of the motion as it was at first, by which `har_virtual.WindowSet.clips` knows what is of one clip.

    Raises
    ------
    DataFormatError
        If something given is no `Motion`, a parameter is out of its range, or with `mirror` a motion cannot be
        mirrored.

    Examples
    --------
    >>> from har_virtual import simulate_imu
    >>> from har_virtual.augmentation import augment_motions
    >>> from har_virtual.studio import perform
    >>> motions = [perform(activity, duration_s=2.0).motion(60) for activity in ("walking", "waving")]
    >>> varied = augment_motions(motions, n_copies=4, tempo=(0.9, 1.1), size=(0.9, 1.1), mirror=True, random_state=0)
    >>> [motion.label for motion in varied]
    ['walking', 'walking', 'walking', 'walking', 'waving', 'waving', 'waving', 'waving']
    >>> virtual = [simulate_imu(motion, ["left_wrist"], 50) for motion in varied]
    """
    motions = _check_motions(motions)
    check_count("n_copies", n_copies, 1)
    tempos, sizes = _check_range("tempo", tempo), _check_range("size", size)
    for name, flag in (("mirror", mirror), ("originals", originals)):
        if not isinstance(flag, bool | np.bool_):
            raise DataFormatError(f"{name} must be True or False, not {flag!r}.")
    labels = _check_labels(mirrored_labels)
    may_mirror = [bool(mirror) and _may_mirror(motion, labels) for motion in motions]
    copies = []
    for i, rng in enumerate(np.random.default_rng(random_state).spawn(len(motions))):
        motion = _noted(motions[i], {"motion": i, "copy": None})
        if originals:
            copies.append(motion)
        for copy in range(n_copies):
            for_tempo, for_size, for_mirror = rng.random(3)
            varied = scale_size(scale_tempo(motion, _between(tempos, for_tempo)), _between(sizes, for_size))
            if may_mirror[i] and for_mirror < 0.5:
                varied = mirror_motion(varied, labels)
            session = None if varied.session is None else f"{varied.session}/copy {copy}"
            copies.append(_noted(varied, {"copy": copy}, session=session))
    return copies


def scale_tempo(motion: Motion, factor: float) -> Motion:
    """Let a motion run faster or slower.

    Linear acceleration changes by the square of the factor, angular velocity by the factor, gravity not at all. Only
    the time stamps change, nothing is interpolated, so that the frame rate changes by the factor: a slower motion holds
    less of a stream at a given rate, and `har_virtual.simulate_imu` warns where that matters.

    Parameters
    ----------
    motion : Motion
    factor : float
        Above 1 is faster.

    Returns
    -------
    Motion
        With the same first time stamp.

    Raises
    ------
    DataFormatError
        If the factor is not a finite number above 0.
    """
    factor = check_positive("tempo", factor)
    stamps = motion.timestamps_s
    tempo = factor * _augmentation(motion)["tempo"]
    return _noted(motion, {"tempo": tempo}, timestamps_s=stamps[:1] + (stamps - stamps[:1]) / factor)


def scale_size(motion: Motion, factor: float) -> Motion:
    """Let a larger or smaller person of the same proportions move through the same angles in the same time.

    Linear acceleration changes by the factor, angular velocity and gravity do not. Steps are longer, too, and the
    positions' uncertainty grows with the body. The world's origin stays, and with it the floor, z = 0. A
    `har_virtual.imu.Placement` has its offset in metres, the same on every body; where it is 0 the law is exact.

    Parameters
    ----------
    motion : Motion
    factor : float
        Above 1 is larger.

    Returns
    -------
    Motion

    Raises
    ------
    DataFormatError
        If the factor is not a finite number above 0.
    """
    factor = check_positive("size", factor)
    uncertainty_m = motion.uncertainty_m
    return _noted(
        motion,
        {"size": factor * _augmentation(motion)["size"]},
        positions_m=factor * motion.positions_m,
        uncertainty_m=None if uncertainty_m is None else factor * uncertainty_m,
    )


def mirror_motion(motion: Motion, mirrored_labels: Mapping[Any, Any] | None = None) -> Motion:
    """Swap left and right: what the right arm did the left one does, seen in a mirror.

    A sensor at a site of `har_virtual.imu.SITES` reads what the one on the other side read, with the sign of z changed
    for specific force and the signs of x and y for angular velocity (x runs along the segment, z is the hinge's axis).
    So it is with the magnetic field and its z where the field has no part along the world's x, as by default.

    Parameters
    ----------
    motion : Motion
    mirrored_labels : mapping, optional
        Label to the label of its mirror image: ``{"draw circle clockwise": "draw circle counter-clockwise"}``; None for
        an activity whose mirror image is none of the classes. Labels that are not in it stay as they are.

    Returns
    -------
    Motion
        Mirrored in the world's plane x = 0. Joint rotations and uncertainty, if there are any, are those of the other
        side, too.

    Raises
    ------
    DataFormatError
        If a joint has no counterpart on the other side; if joints hang on others left than right, and there are
        rotations; or if a label that names a side (left, right, clockwise) is not in `mirrored_labels`, or is with
        None.
    """
    labels = _check_labels(mirrored_labels)
    if not _may_mirror(motion, labels):
        raise DataFormatError(
            f"A motion labelled {motion.label!r} is not to be mirrored: mirrored_labels has None for it."
        )
    swap, rotations, uncertainty_m = list(motion.skeleton.mirror), motion.rotations, motion.uncertainty_m
    done = _augmentation(motion)
    return motion.replace(
        positions_m=motion.positions_m[:, swap] @ _MIRROR,
        rotations=None if rotations is None else _MIRROR @ rotations[:, swap] @ _AXES,
        uncertainty_m=None if uncertainty_m is None else uncertainty_m[:, swap],
        label=labels.get(motion.label, motion.label) if labels else motion.label,
        attrs={**_swap_sides(motion.attrs), "augmentation": {**done, "mirrored": not done["mirrored"]}},
    )


def _check_motions(motions: Iterable[Motion]) -> list[Motion]:
    motions = list(motions) if isinstance(motions, Iterable) else [motions]
    for position, motion in enumerate(motions):
        if not isinstance(motion, Motion):
            raise DataFormatError(
                f"motions must be Motions, but item {position} is {type(motion).__name__} {motion!r:.60}. Of a "
                "converted video they are [person.motion for person in converter.motions(clip).persons]."
            )
    return motions


def _check_range(name: str, factor: Factor) -> tuple[float, float]:
    ends = tuple(factor) if isinstance(factor, tuple | list | np.ndarray) else (factor, factor)
    if len(ends) != 2:
        raise DataFormatError(f"{name} must be one factor, or the lowest and the highest one, not {factor!r}.")
    lowest, highest = (check_positive(name, end) for end in ends)
    if lowest > highest:
        raise DataFormatError(f"{name} must have its lowest factor first, not {factor!r}.")
    return lowest, highest


def _check_labels(mirrored_labels: Mapping[Any, Any] | None) -> Mapping[Any, Any]:
    if mirrored_labels is None:
        return {}
    if not isinstance(mirrored_labels, Mapping):
        raise DataFormatError(
            "mirrored_labels must map labels to those of their mirror images, or to None, and is "
            f"{mirrored_labels!r:.60}."
        )
    return mirrored_labels


def _between(ends: tuple[float, float], share: float) -> float:
    lowest, highest = ends
    return float(lowest * (highest / lowest) ** share)


def _augmentation(motion: Motion) -> dict[str, Any]:
    done = {"tempo": 1.0, "size": 1.0, "mirrored": False, **motion.attrs.get("augmentation", {})}
    return done if "source" in done else {**done, "source": _digest(motion)}


def _digest(motion: Motion) -> str:
    """Tell motions apart by what moves when, whatever they are called."""
    digest = hashlib.sha256(motion.positions_m.tobytes())
    digest.update(motion.timestamps_s.tobytes())
    return digest.hexdigest()[:16]


def _noted(motion: Motion, changes: Mapping[str, Any], **fields: Any) -> Motion:
    """Change fields, and have the attrs say what was done."""
    attrs = {**motion.attrs, "augmentation": {**_augmentation(motion), **changes}}
    return motion.replace(attrs=attrs, **fields)


def _may_mirror(motion: Motion, labels: Mapping[Any, Any]) -> bool:
    """Whether a label allows it; raises where a label leaves it open or the skeleton cannot be mirrored."""
    skeleton, swap = motion.skeleton, motion.skeleton.mirror
    alone = [name for i, name in enumerate(skeleton.joints) if swap[i] == i and name.startswith(("left_", "right_"))]
    if alone:
        raise DataFormatError(f"{skeleton.name} cannot be mirrored: {', '.join(alone)} are on one side only.")
    hang = [-1 if parent < 0 else swap[parent] for parent in skeleton.parents]
    crooked = [name for i, name in enumerate(skeleton.joints) if skeleton.parents[swap[i]] != hang[i]]
    if crooked and motion.rotations is not None:
        raise DataFormatError(
            f"The rotations of {skeleton.name} cannot be mirrored, for {', '.join(crooked)} hang on other joints than "
            "their counterparts; har_virtual.motion.to_body gives the motion on a skeleton whose sides are alike."
        )
    if labels and motion.label in labels:
        return labels[motion.label] is not None
    if isinstance(motion.label, str) and _SIDED.search(_NEW_WORD.sub(" ", motion.label)):
        raise DataFormatError(
            f"The label {motion.label!r} names a side. Say in mirrored_labels what its mirror image is called: "
            f"None for none of the classes, or {motion.label!r} if it is the same."
        )
    return True


def _swap_sides(attrs: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of each limb goes to the other side."""
    if "twist_confidence" not in attrs:
        return dict(attrs)
    other = {"left": "right", "right": "left"}
    sides = {limb: limb.partition("_") for limb in attrs["twist_confidence"]}
    swapped = {limb: f"{other.get(side, side)}{_}{rest}" for limb, (side, _, rest) in sides.items()}
    confidence = {swapped[limb]: share for limb, share in attrs["twist_confidence"].items()}
    return {**attrs, "twist_confidence": confidence}
