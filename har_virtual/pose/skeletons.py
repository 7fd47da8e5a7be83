"""The skeletons of the field under one set of joint names, and the mappings between them.

Every table uses the same names for the same joint and the subject's own left and right, so that a mapping is a
lookup by name. Joints that a skeleton lacks are derived where anatomy says how (`DERIVED`), never guessed.
"""

from __future__ import annotations

import numpy as np

from har_virtual.exceptions import DataFormatError, UnknownNameError
from har_virtual.skeleton import Skeleton


def _skeleton(name: str, table: str) -> Skeleton:
    """Read lines of ``joint parent`` (``-`` for the root) in the order of the arrays."""
    rows = [line.split() for line in table.splitlines() if line.strip()]
    joints = tuple(joint for joint, _ in rows)
    return Skeleton(name, joints, tuple(-1 if parent == "-" else joints.index(parent) for _, parent in rows))


def _sides(lines: str) -> str:
    """Repeat a block of lines for the left and the right side (``*_`` marks the side)."""
    return "\n".join(lines.replace("*_", side) for side in ("left_", "right_"))


# What the simulation runs on: every site lies on one of its segments.
BODY_22 = _skeleton(
    "BODY-22",
    "pelvis -\nspine pelvis\nneck spine\nhead neck\nleft_ear head\nright_ear head\n"
    + _sides("*_shoulder neck\n*_elbow *_shoulder\n*_wrist *_elbow\n*_hand *_wrist\n")
    + _sides("*_hip pelvis\n*_knee *_hip\n*_ankle *_knee\n*_foot *_ankle\n"),
)

COCO_17 = _skeleton(
    "COCO-17",
    """
    nose -
    left_eye nose
    right_eye nose
    left_ear left_eye
    right_ear right_eye
    left_shoulder nose
    right_shoulder nose
    left_elbow left_shoulder
    right_elbow right_shoulder
    left_wrist left_elbow
    right_wrist right_elbow
    left_hip left_shoulder
    right_hip right_shoulder
    left_knee left_hip
    right_knee right_hip
    left_ankle left_knee
    right_ankle right_knee
    """,
)

COCO_18 = _skeleton(
    "COCO-18",
    """
    nose neck
    neck -
    right_shoulder neck
    right_elbow right_shoulder
    right_wrist right_elbow
    left_shoulder neck
    left_elbow left_shoulder
    left_wrist left_elbow
    right_hip neck
    right_knee right_hip
    right_ankle right_knee
    left_hip neck
    left_knee left_hip
    left_ankle left_knee
    right_eye nose
    left_eye nose
    right_ear right_eye
    left_ear left_eye
    """,
)

BODY_25 = _skeleton(
    "BODY-25",
    """
    nose neck
    neck pelvis
    right_shoulder neck
    right_elbow right_shoulder
    right_wrist right_elbow
    left_shoulder neck
    left_elbow left_shoulder
    left_wrist left_elbow
    pelvis -
    right_hip pelvis
    right_knee right_hip
    right_ankle right_knee
    left_hip pelvis
    left_knee left_hip
    left_ankle left_knee
    right_eye nose
    left_eye nose
    right_ear right_eye
    left_ear left_eye
    left_foot left_ankle
    left_small_toe left_foot
    left_heel left_ankle
    right_foot right_ankle
    right_small_toe right_foot
    right_heel right_ankle
    """,
)

H36M_17 = _skeleton(
    "H36M-17",
    """
    pelvis -
    right_hip pelvis
    right_knee right_hip
    right_ankle right_knee
    left_hip pelvis
    left_knee left_hip
    left_ankle left_knee
    spine pelvis
    neck spine
    nose neck
    head nose
    left_shoulder neck
    left_elbow left_shoulder
    left_wrist left_elbow
    right_shoulder neck
    right_elbow right_shoulder
    right_wrist right_elbow
    """,
)

BLAZEPOSE_33 = _skeleton(
    "BlazePose-33",
    """
    nose -
    left_eye_inner nose
    left_eye left_eye_inner
    left_eye_outer left_eye
    right_eye_inner nose
    right_eye right_eye_inner
    right_eye_outer right_eye
    left_ear left_eye_outer
    right_ear right_eye_outer
    left_mouth nose
    right_mouth nose
    left_shoulder nose
    right_shoulder nose
    left_elbow left_shoulder
    right_elbow right_shoulder
    left_wrist left_elbow
    right_wrist right_elbow
    left_pinky left_wrist
    right_pinky right_wrist
    left_index left_wrist
    right_index right_wrist
    left_thumb left_wrist
    right_thumb right_wrist
    left_hip left_shoulder
    right_hip right_shoulder
    left_knee left_hip
    right_knee right_hip
    left_ankle left_knee
    right_ankle right_knee
    left_heel left_ankle
    right_heel right_ankle
    left_foot left_ankle
    right_foot right_ankle
    """,
)

KINECT_20 = _skeleton(
    "Kinect-20",
    "head neck\nneck spine\nspine pelvis\npelvis -\n"
    + _sides("*_shoulder neck\n*_elbow *_shoulder\n*_wrist *_elbow\n*_hand *_wrist\n")
    + _sides("*_hip pelvis\n*_knee *_hip\n*_ankle *_knee\n*_foot *_ankle\n"),
)

NTU_25 = _skeleton(
    "NTU-25",
    """
    pelvis -
    spine pelvis
    neck_top neck
    head neck_top
    left_shoulder neck
    left_elbow left_shoulder
    left_wrist left_elbow
    left_hand left_wrist
    right_shoulder neck
    right_elbow right_shoulder
    right_wrist right_elbow
    right_hand right_wrist
    left_hip pelvis
    left_knee left_hip
    left_ankle left_knee
    left_foot left_ankle
    right_hip pelvis
    right_knee right_hip
    right_ankle right_knee
    right_foot right_ankle
    neck spine
    left_hand_tip left_hand
    left_thumb left_wrist
    right_hand_tip right_hand
    right_thumb right_wrist
    """,
)

SMPL_24 = _skeleton(
    "SMPL-24",
    """
    pelvis -
    left_hip pelvis
    right_hip pelvis
    spine pelvis
    left_knee left_hip
    right_knee right_hip
    spine2 spine
    left_ankle left_knee
    right_ankle right_knee
    spine3 spine2
    left_foot left_ankle
    right_foot right_ankle
    neck spine3
    left_collar spine3
    right_collar spine3
    head neck
    left_shoulder left_collar
    right_shoulder right_collar
    left_elbow left_shoulder
    right_elbow right_shoulder
    left_wrist left_elbow
    right_wrist right_elbow
    left_hand left_wrist
    right_hand right_wrist
    """,
)

# A joint stands at the end of each bone of the ASF files; pronation sits half-way down the forearm.
CMU_31 = _skeleton(
    "CMU-31",
    "pelvis -\n"
    + _sides("*_hip pelvis\n*_knee *_hip\n*_ankle *_knee\n*_foot *_ankle\n*_toes *_foot\n")
    + "spine pelvis\nspine2 spine\nneck spine2\nneck2 neck\nneck_top neck2\nhead neck_top\n"
    + _sides(
        "*_shoulder neck\n*_elbow *_shoulder\n*_forearm *_elbow\n*_wrist *_forearm\n"
        "*_hand *_wrist\n*_fingers *_hand\n*_thumb *_wrist\n"
    ),
)

SKELETONS = {
    skeleton.name: skeleton
    for skeleton in (
        *(BODY_22, COCO_17, COCO_18, BODY_25, H36M_17),
        *(BLAZEPOSE_33, KINECT_20, NTU_25, SMPL_24, CMU_31),
    )
}


def _mean(*joints: str) -> dict[str, float]:
    return {joint: 1 / len(joints) for joint in joints}


def _alternatives() -> dict[str, list[dict[str, float]]]:
    rules = {
        "pelvis": [_mean("left_hip", "right_hip")],
        "neck": [_mean("left_shoulder", "right_shoulder")],
        "spine": [
            _mean("pelvis", "neck"),
            _mean("left_hip", "right_hip", "left_shoulder", "right_shoulder"),
        ],
        "head": [_mean("left_ear", "right_ear"), _mean("left_eye", "right_eye"), _mean("nose")],
    }
    for side in ("left_", "right_"):
        rules[f"{side}hand"] = [
            _mean(f"{side}index", f"{side}pinky"),
            _mean(f"{side}fingers"),
        ]
    return rules


DERIVED = _alternatives()
"""For a joint that a skeleton may lack: weighted means of other joints, the first possible one is taken."""


def _weights(joint: str, source: Skeleton) -> dict[str, float] | None:
    if joint in source:
        return {joint: 1.0}
    return next((rule for rule in DERIVED.get(joint, []) if all(part in source for part in rule)), None)


def mapping_matrix(source: Skeleton, target: Skeleton) -> np.ndarray:
    """Give the (n_target, n_source) weights that turn joints of `source` into joints of `target`.

    Raises
    ------
    UnknownNameError
        If a joint of `target` neither exists in `source` nor can be derived from it.
    """
    matrix = np.zeros((len(target), len(source)))
    missing = []
    for row, joint in enumerate(target.joints):
        weights = _weights(joint, source)
        if weights is None:
            missing.append(joint)
            continue
        for part, weight in weights.items():
            matrix[row, source.index(part)] = weight
    if missing:
        raise UnknownNameError(f"{source.name} has no {', '.join(missing)} and nothing to derive it from.")
    return matrix


def derivable(source: Skeleton, target: Skeleton) -> Skeleton:
    """Give `target` without the joints that `source` cannot provide; their children go with them.

    Raises
    ------
    UnknownNameError
        If `source` cannot provide the root.

    Examples
    --------
    >>> from har_virtual.pose.skeletons import BODY_22, COCO_17, derivable
    >>> [joint for joint in BODY_22.joints if joint not in derivable(COCO_17, BODY_22)]
    ['left_hand', 'right_hand', 'left_foot', 'right_foot']
    """
    root = target.joints[target.root]
    if _weights(root, source) is None:
        raise UnknownNameError(f"{source.name} has no {root} and nothing to derive it from, the root of {target.name}.")
    have = {i for i, joint in enumerate(target.joints) if _weights(joint, source) is not None}
    keep = [i for i in range(len(target)) if i in have and set(target.ancestors(i)) <= have]
    if len(keep) == len(target):
        return target
    parents = tuple(keep.index(target.parents[i]) if target.parents[i] >= 0 else -1 for i in keep)
    return Skeleton(f"{target.name} of {source.name}", tuple(target.joints[i] for i in keep), parents)


def map_joints(values: np.ndarray, source: Skeleton, target: Skeleton) -> np.ndarray:
    """Map joints from one skeleton to another by name.

    Parameters
    ----------
    values : array of shape (..., n_source_joints, n_dims)
        Positions in any unit and frame; a derived joint is NaN where one of its parts is.
    source, target : Skeleton

    Returns
    -------
    array of shape (..., n_target_joints, n_dims)

    Raises
    ------
    DataFormatError
        If the joint axis does not fit `source`.
    UnknownNameError
        If a joint of `target` cannot be had from `source`.

    Examples
    --------
    >>> import numpy as np
    >>> from har_virtual.pose.skeletons import COCO_17, H36M_17, map_joints
    >>> points = np.arange(34.0).reshape(17, 2)
    >>> bool((map_joints(points, COCO_17, H36M_17)[H36M_17.index("left_wrist")]
    ...       == points[COCO_17.index("left_wrist")]).all())
    True
    """
    values = np.asarray(values)
    if values.ndim < 2 or values.shape[-2] != len(source):
        raise DataFormatError(f"Joints of {source.name} need shape (..., {len(source)}, n_dims), not {values.shape}.")
    matrix = mapping_matrix(source, target)
    mapped = np.empty((*values.shape[:-2], len(target), values.shape[-1]), dtype=np.result_type(values, np.float32))
    for row, weights in enumerate(matrix):
        parts = np.flatnonzero(weights)
        mapped[..., row, :] = np.tensordot(weights[parts], values[..., parts, :], axes=(0, -2))
    return mapped


def get_skeleton(name: str) -> Skeleton:
    """Give a skeleton by its name; an unknown one raises with the names there are."""
    if name not in SKELETONS:
        raise UnknownNameError(f"There is no skeleton {name!r}; there are {', '.join(SKELETONS)}.")
    return SKELETONS[name]
