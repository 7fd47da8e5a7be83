"""The sample of TotalCapture for its tests: where it lies, the script that made it, what it must come out as."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from samples import script_of

SAMPLE = Path(__file__).parents[1] / "datasets" / "totalcapture"


script = script_of(SAMPLE)


def times_s(n: int) -> np.ndarray:
    return np.arange(n) / 60


def joint(subject: str, name: str, n: int) -> np.ndarray:
    """Place of a joint of the files in the world, z up, in metres."""
    found = script.angles(times_s(n), subject)
    heading = found["Heading"].value
    x, y, z = script.joints(found)[name].value.T
    turned = np.stack([np.cos(heading) * x - np.sin(heading) * y, np.sin(heading) * x + np.cos(heading) * y, z], axis=1)
    return turned + script.root(times_s(n)).value


def segment_axes(subject: str, name: str, n: int) -> np.ndarray:
    """Axes of a limb's segment as columns, (n, 3, 3): x along it, z the axis of flexion of its elbow or knee."""
    side, limb = ("Right", name[5:]) if name.startswith("Right") else ("Left", name[4:])
    chain = ("Arm", "ForeArm", "Hand") if limb in ("Arm", "ForeArm") else ("UpLeg", "Leg", "Foot")
    upper, hinge, lower = (joint(subject, side + part, n) for part in chain)
    z = unit(np.cross(hinge - upper, lower - hinge))
    x = unit(hinge - upper if limb in ("Arm", "UpLeg") else lower - hinge)
    return np.stack([x, np.cross(z, x), z], axis=-1)


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
