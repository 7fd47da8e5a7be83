"""Where on the body a sensor sits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from har_virtual.exceptions import DataFormatError, UnknownNameError
from har_virtual.rotation import check_rotations


def _limb_segments(side: str) -> dict[str, tuple[str, str]]:
    chain = {
        "upper_arm": ("shoulder", "elbow"),
        "forearm": ("elbow", "wrist"),
        "hand": ("wrist", "hand"),
        "thigh": ("hip", "knee"),
        "shank": ("knee", "ankle"),
        "foot": ("ankle", "foot"),
    }
    return {f"{side}_{name}": (f"{side}_{start}", f"{side}_{end}") for name, (start, end) in chain.items()}


SEGMENTS: dict[str, tuple[str, str]] = {
    "pelvis": ("pelvis", "spine"),
    "torso": ("spine", "neck"),
    "head": ("neck", "head"),
    **_limb_segments("left"),
    **_limb_segments("right"),
}
"""Segments of BODY-22: name to proximal and distal joint."""


class Placement(BaseEstimator):
    """A sensor's place and orientation on a body segment.

    Parameters
    ----------
    segment : str
        A name of `SEGMENTS`.
    fraction : float, default=0.5
        Position along the segment, 0 at its proximal and 1 at its distal joint.
    offset_m : tuple of float, default=(0, 0, 0)
        From there, along the axes of the segment's frame: x towards the distal joint; z the subject's left for pelvis,
        torso and head, the flexion axis for limbs; y = z x x.
    rotation : array of shape (3, 3), optional
        From the sensor's frame to the segment's; None for the same frame.

    Examples
    --------
    A watch that is worn upside down:

    >>> import numpy as np
    >>> from har_virtual.imu import Placement
    >>> watch = Placement(segment="left_forearm", fraction=0.93, rotation=np.diag([-1.0, -1.0, 1.0]))
    >>> watch.fraction
    0.93
    """

    def __init__(
        self,
        *,
        segment: str,
        fraction: float = 0.5,
        offset_m: Sequence[float] = (0.0, 0.0, 0.0),
        rotation: ArrayLike | None = None,
    ) -> None:
        self.segment = segment
        self.fraction = fraction
        self.offset_m = offset_m
        self.rotation = rotation

    def check(self, site: str) -> None:
        """Raise `UnknownNameError` for a segment that there is not, `DataFormatError` for numbers that do not fit."""
        if self.segment not in SEGMENTS:
            raise UnknownNameError(
                f"Site {site}: there is no segment {self.segment!r}; there are {', '.join(SEGMENTS)}."
            )
        if not np.isscalar(self.fraction) or not np.isfinite(self.fraction):
            raise DataFormatError(f"Site {site}: fraction must be a finite number, not {self.fraction!r}.")
        if np.shape(self.offset_m) != (3,) or not np.isfinite(self.offset_m).all():
            raise DataFormatError(
                f"Site {site}: offset_m must be three finite numbers in metres, not {self.offset_m!r}."
            )
        if self.rotation is not None:
            if np.shape(self.rotation) != (3, 3):
                raise DataFormatError(f"Site {site}: rotation must have shape (3, 3), not {np.shape(self.rotation)}.")
            check_rotations(np.asarray(self.rotation)[None])


def _default_placements() -> dict[str, Placement]:
    sites = {
        "head": Placement(segment="head", fraction=1.0),
        "chest": Placement(segment="torso", fraction=0.6, offset_m=(0.0, 0.10, 0.0)),
        "back": Placement(segment="torso", fraction=0.6, offset_m=(0.0, -0.10, 0.0)),
        "waist": Placement(segment="pelvis", fraction=0.3, offset_m=(0.0, 0.10, 0.0)),
    }
    for side, left in (("left", 1.0), ("right", -1.0)):
        # An arm's z points to the right and a leg's to the left; a leg's y points to the back, a foot's down.
        sites[f"{side}_hip"] = Placement(segment="pelvis", fraction=0.0, offset_m=(0.0, 0.0, 0.15 * left))
        for name, segment, fraction, offset_m in (
            ("upper_arm", "upper_arm", 0.5, (0.0, 0.0, -0.045 * left)),
            ("forearm", "forearm", 0.5, (0.0, 0.0, -0.035 * left)),
            ("wrist", "forearm", 0.93, (0.0, 0.0, -0.025 * left)),
            ("hand", "hand", 0.5, (0.0, 0.0, 0.0)),
            ("thigh", "thigh", 0.5, (0.0, -0.07, 0.0)),
            ("knee", "shank", 0.05, (0.0, -0.05, 0.0)),
            ("shin", "shank", 0.5, (0.0, -0.05, 0.0)),
            ("ankle", "shank", 0.93, (0.0, 0.0, 0.04 * left)),
            ("foot", "foot", 0.5, (0.0, -0.04, 0.0)),
        ):
            sites[f"{side}_{name}"] = Placement(segment=f"{side}_{segment}", fraction=fraction, offset_m=offset_m)
    return sites


SITES: dict[str, Placement] = _default_placements()
"""Where each named site lies on an average adult."""


def resolve_placements(sites: Iterable[str] | Mapping[str, Placement]) -> dict[str, Placement]:
    """Give a placement for every site.

    Parameters
    ----------
    sites : iterable of str, or mapping of str to Placement
        Names of `SITES`, or own names with own placements (a placement None takes that of `SITES`).

    Raises
    ------
    UnknownNameError
        For a site or segment that there is not.
    DataFormatError
        For no site, a repeated one, or a placement with numbers that do not fit.
    """
    if isinstance(sites, str):
        sites = [sites]
    names = list(sites)
    given = dict(sites) if isinstance(sites, Mapping) else {}
    if not names or len(set(names)) != len(names):
        raise DataFormatError(f"sites must name at least one site, each once, not {names}.")
    placements = {}
    for site in names:
        placement = given.get(site) or SITES.get(site)
        if placement is None:
            raise UnknownNameError(f"There is no site {site!r}; there are {', '.join(SITES)}.")
        if not isinstance(placement, Placement):
            raise DataFormatError(f"Site {site}: give a Placement, or None for the usual place, not {placement!r}.")
        placement.check(site)
        placements[site] = placement
    return placements
