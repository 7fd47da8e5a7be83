"""Write the sample: two tiny packs in FLAG3D's own format, with people who move in closed form.

Everybody stands, the right to +x and the front to +y, z up, and curls both arms, a sine each about the elbow (activity
20), or squats, the hips up and down by a cosine over feet that stay (49). Frame 0 of every sequence is, as in FLAG3D,
one that does not belong to the movement.
"""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np

RATE_HZ, N_FRAMES = 100.0, 80
JOINTS = (
    *("pelvis", "spine", "neck_top", "head", "left_shoulder", "left_elbow", "left_wrist", "left_hand"),
    *("right_shoulder", "right_elbow", "right_wrist", "right_hand", "left_hip", "left_knee", "left_ankle", "left_foot"),
    *("right_hip", "right_knee", "right_ankle", "right_foot", "neck"),
    *("left_hand_tip", "left_thumb", "right_hand_tip", "right_thumb"),
)
COCO = (
    *("nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow"),
    *("right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee"),
    *("left_ankle", "right_ankle"),
)
CURL, SQUAT = 20, 49
SEQUENCES = (
    "S002C002M001P001A020R001",
    "S002C002M001P001A049R001",
    "S002C002M001P002A020R001",
    "S002C002M002P002A020R001",
    "S002C002M001P002A049R001",
)
FLAT_SEQUENCES = ("S001C001M001P002A020R001", "PHR_A020_V001_R001_S001")
SIZE = {"M001": 1.0, "M002": 1.1}
FOREARM_M, LEG_M, TORSO_M = 0.26, 0.44, 0.5
PX_PER_M, CENTRE_PX = 120.0, (427.0, 240.0)
# Frames in which the right wrist of the films is not seen.
UNSEEN = slice(20, 30)


def curl(times_s: np.ndarray, side: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give the forearm's angle from hanging down, in rad, to the front, with its first and second derivative."""
    w = 2 * np.pi * 1.1
    phase = 0.3 if side == "left" else 1.9
    return (
        1.2 + 0.6 * np.sin(w * times_s + phase),
        0.6 * w * np.cos(w * times_s + phase),
        -0.6 * w**2 * np.sin(w * times_s + phase),
    )


def squat(times_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the height of the hips above the ankles, in m, and its second derivative."""
    w = 2 * np.pi * 0.9
    return 0.70 + 0.08 * np.cos(w * times_s), -0.08 * w**2 * np.cos(w * times_s)


def person(times_s: np.ndarray, activity: int, size: float = 1.0) -> dict[str, np.ndarray]:
    """Give every joint (n_frames, 3) in metres; the pelvis of somebody who stands is near the origin."""
    zero = np.zeros_like(times_s)
    height = squat(times_s)[0] if activity == SQUAT else zero + 0.85
    lift = height - 0.85
    at = {"pelvis": (0, 0, 0), "spine": (0, -0.01, 0.25), "neck": (0, 0, 0.46), "neck_top": (0, 0.01, TORSO_M)}
    at |= {"head": (0, 0.03, 0.66)}
    for side, sign in (("left", -1), ("right", 1)):
        at |= {f"{side}_shoulder": (sign * 0.2, 0, TORSO_M), f"{side}_hip": (sign * 0.09, 0, 0)}
        at |= {f"{side}_elbow": (sign * 0.2, 0, 0.22)}
    joints = {name: np.stack([zero + x, zero + y, zero + z + lift], axis=1) for name, (x, y, z) in at.items()}
    for side, sign in (("left", -1), ("right", 1)):
        angle = curl(times_s, side)[0] if activity == CURL else zero + 1.0
        along = np.stack([zero, np.sin(angle), -np.cos(angle)], axis=1)
        across = np.stack([zero, np.cos(angle), np.sin(angle)], axis=1)
        elbow, hip = joints[f"{side}_elbow"], joints[f"{side}_hip"]
        for name, length in (("wrist", FOREARM_M), ("hand", 0.34), ("hand_tip", 0.42)):
            joints[f"{side}_{name}"] = elbow + length * along
        joints[f"{side}_thumb"] = elbow + 0.33 * along + 0.05 * across
        ankle = np.stack([zero + sign * 0.12, zero, zero - 0.85], axis=1)
        leg = hip - ankle
        forward = np.sqrt(LEG_M**2 - (leg**2).sum(axis=1) / 4)
        joints[f"{side}_knee"] = ankle + leg / 2 + np.stack([zero, forward, zero], axis=1)
        joints[f"{side}_ankle"] = ankle
        joints[f"{side}_foot"] = ankle + np.array([0, 0.15, -0.05])
    return {name: size * joint for name, joint in joints.items()}


def activity_of(name: str) -> int:
    """Give the number in the name of a sequence."""
    return int(name.partition("A")[2][:3]) if name.startswith("S") else int(name.split("_A")[1][:3])


def spatial(name: str) -> np.ndarray:
    """Give keypoint (1, n_frames, 25, 3): frame 0 has the arms elsewhere and the pelvis at the origin."""
    joints = person(np.arange(N_FRAMES) / RATE_HZ, activity_of(name), SIZE[name[8:12]])
    keypoint = np.stack([joints[joint] for joint in JOINTS], axis=1) + np.array([0.05, -0.05, 0.0])
    keypoint[0] = keypoint[1] - keypoint[1, :1]
    keypoint[0, 4:12] += [0, 0.15, 0.1]
    return np.round(keypoint, 6).astype(np.float32)[None]


def flat(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Give keypoint (1, n_frames, 17, 2) in pixels, y down, and its scores, as seen from behind."""
    joints = person(np.arange(N_FRAMES) / RATE_HZ, activity_of(name))
    face = {"nose": 0.0, "left_eye": -0.03, "right_eye": 0.03, "left_ear": -0.07, "right_ear": 0.07}
    joints |= {part: joints["head"] + np.array([x, 0.0, 0.0]) for part, x in face.items()}
    positions = np.stack([joints[joint] for joint in COCO], axis=1)
    keypoint = np.stack([CENTRE_PX[0] + PX_PER_M * positions[..., 0], CENTRE_PX[1] - PX_PER_M * positions[..., 2]], 2)
    scores = np.full(keypoint.shape[:2], 0.9)
    if name.startswith("P"):
        keypoint[UNSEEN, COCO.index("right_wrist")] = 0
        scores[UNSEEN, COCO.index("right_wrist")] = 0.05
    return keypoint.astype(np.float16)[None], scores.astype(np.float16)[None]


def annotation(name: str) -> dict[str, object]:
    """Give what both packs say of a sequence, next to its joints."""
    return {
        "frame_dir": name,
        "img_shape": (480, 854),
        "original_shape": (480, 854),
        "total_frames": N_FRAMES,
        "label": activity_of(name) - 1,
    }


def write_sample(folder: Path) -> list[Path]:
    """Write flag3d.pkl and flag2d.pkl into `folder` and give them."""
    in_space = [{"keypoint": spatial(name), **annotation(name)} for name in SEQUENCES]
    in_plane = []
    for name in FLAT_SEQUENCES:
        keypoint, scores = flat(name)
        in_plane.append({**annotation(name), "keypoint": keypoint, "keypoint_score": scores})
    contents = {
        "flag3d.pkl": (in_space, {"train": SEQUENCES[2:], "val": SEQUENCES[:2]}),
        "flag2d.pkl": (in_plane, {"train": FLAT_SEQUENCES[:1], "val": FLAT_SEQUENCES[1:]}),
    }
    files = []
    for name, (sequences, split) in contents.items():
        pack = {"split": {key: list(names) for key, names in split.items()}, "annotations": sequences}
        # The protocol of the Python that the authors used; numpy 2 has another name for the module of numpy 1.
        content = pickle.dumps(pack, protocol=3).replace(b"cnumpy._core.", b"cnumpy.core.")
        files.append(folder / name)
        files[-1].write_bytes(content)
    return files


if __name__ == "__main__":
    write_sample(Path(__file__).parent)
