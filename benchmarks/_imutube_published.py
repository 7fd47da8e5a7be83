"""What IMUTube (Kwon et al. 2020) publishes: tables 1 to 6 of sections 3 to 5.

Scores are mean F1 with half of the 95 % Wilson interval. Keys are those of `_tasks.Task.published`. The paper's
figures 4 to 7 have no numbers in its text, and the right half of table 6 is not in ours; `CLAIMS` is what the text says
of them.
"""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd


class Score(NamedTuple):
    """Mean F1, and half of its interval."""

    f1: float
    half: float


COLUMNS = {
    "realworld": "RealWorld, 8 classes",
    "opportunity": "Opportunity, 4 classes",
    "pamap2-8": "PAMAP2, 8 classes",
    "pamap2-11": "PAMAP2, 11 classes",
}

RECOGNITION: dict[str, dict[str, Score]] = {
    "realworld": {"R2R": Score(0.5779, 0.0025), "V2R": Score(0.5675, 0.0025), "Mix2R": Score(0.6444, 0.0024)},
    "opportunity": {"R2R": Score(0.8271, 0.0034), "V2R": Score(0.7757, 0.0037), "Mix2R": Score(0.8820, 0.0029)},
    "pamap2-8": {"R2R": Score(0.7029, 0.0055), "V2R": Score(0.6728, 0.0058), "Mix2R": Score(0.7284, 0.0053)},
    "pamap2-11": {"R2R": Score(0.7225, 0.0044), "V2R": Score(0.5792, 0.0049), "Mix2R": Score(0.7111, 0.0044)},
}
"""Tables 1a, 2a and 3a: leave-one-subject-out, the best over any amount of training data, chosen on the test set."""

RECOGNITION_TABLE = {"realworld": "1a", "opportunity": "2a", "pamap2-8": "2a", "pamap2-11": "3a"}
PROTOCOL_NAMES = {"R2R": "R2R", "V2R mapped": "V2R", "Mix2R mapped": "Mix2R"}
"""From this library's protocols to the paper's; it has no other."""

DEEP_RECOGNITION: dict[str, dict[str, Score]] = {
    "realworld": {"R2R": Score(0.7305, 0.0073), "V2R": Score(0.5465, 0.0082), "Mix2R": Score(0.7785, 0.0068)},
    "opportunity": {"R2R": Score(0.8871, 0.0074), "V2R": Score(0.7882, 0.0096), "Mix2R": Score(0.8838, 0.0075)},
    "pamap2-8": {"R2R": Score(0.7002, 0.0161), "V2R": Score(0.5524, 0.0175), "Mix2R": Score(0.7020, 0.0161)},
    "pamap2-11": {"R2R": Score(0.6977, 0.0129), "V2R": Score(0.5326, 0.0140), "Mix2R": Score(0.7095, 0.0128)},
}
"""Tables 1b, 2b and 3b: DeepConvLSTM, one person held out, the mean of three seeds, also the best over any amount."""

DEEP_TRANSFER: dict[str, dict[str, Score]] = {
    "realworld": {"TL": Score(0.8337, 0.0061)},
    "opportunity": {"TL": Score(0.9100, 0.0067)},
    "pamap2-8": {"TL": Score(0.7137, 0.0159)},
    "pamap2-11": {"TL": Score(0.7023, 0.0129), "TL some labels": Score(0.7071, 0.0129)},
}
"""Table 6, left: pretrained on virtual windows; with "some labels" on those of the 8 classes. Its R2R is table 1b's."""

DEEP_NAMES = PROTOCOL_NAMES | {"TL mapped": "TL", "TL mapped, some labels": "TL some labels"}
"""From this library's names in the deep parts to the paper's, whose virtual data are mapped throughout."""

TRANSFER: dict[str, dict[str, Score]] = {
    "virtual": {"without mapping": Score(0.2949, 0.0041), "with mapping": Score(0.7757, 0.0037)},
    "pamap2": {"without mapping": Score(0.2770, 0.0040), "with mapping": Score(0.6931, 0.0041)},
    "realworld": {"without mapping": Score(0.2828, 0.0041), "with mapping": Score(0.6637, 0.0043)},
    "opportunity": {"without mapping": Score(0.8272, 0.0034)},
}
"""Table 4, target Opportunity. Its last row and table 2a differ in the last digit (.8272, .8271); so does the paper."""

RATIOS: dict[str, dict[int, Score]] = {
    name: {ratio: Score(*pair) for ratio, pair in zip((0, 1, 2, 5, 10), pairs, strict=True)}
    for name, pairs in {
        "realworld": [(0.5706, 0.0025), (0.6230, 0.0025), (0.6146, 0.0025), (0.6247, 0.0024), (0.6061, 0.0025)],
        "opportunity": [(0.8214, 0.0034), (0.8738, 0.0029), (0.8637, 0.0030), (0.8503, 0.0032), (0.8396, 0.0031)],
        "pamap2-8": [(0.6869, 0.0056), (0.7284, 0.0053), (0.7006, 0.0055), (0.6926, 0.0055), (0.6792, 0.0056)],
        "pamap2-11": [(0.7206, 0.0044), (0.6978, 0.0045), (0.7051, 0.0045), (0.6898, 0.0045), (0.6824, 0.0046)],
    }.items()
}
"""Table 5: 300 real seconds a class, and so many virtual seconds for each real one."""
RATIO_SECONDS = 300.0

WINDOWS = {
    "realworld": {"real": 221_000, "virtual": 86_000},
    "opportunity": {"real": 40_000, "virtual": 46_000},
    "pamap2-8": {"real": 24_000, "virtual": 152_000},
    "pamap2-11": {"real": 38_000, "virtual": 390_000},
}
"""Windows of 1 s by half, as the paper counts them; virtual ones of PAMAP2 are of four placements a video."""

CLAIMS = {
    "figure4": "TotalCapture, a walk, wrist and ankle, after mapping: the virtual x follows the large movements, z the "
    "spikes, at the ankle with a visible lag; y, across the picture plane, agrees least. No number.",
    "figure5": "The distance drops abruptly with less than 100 s of real data; with 10 minutes a class it is within "
    "6 % of that with all real data. No embedding is named, so no distance can be compared.",
    "figure6": "Virtual to real 1:1. Mix2R beats R2R at every point on RealWorld, by 9 % and more, on Opportunity and "
    "on PAMAP2 with 8 classes, there most under 100 s a class; with 11 classes only with 10 samples a class.",
    "figure7": "Pretraining makes the largest difference on RealWorld, where little real data to fine-tune on surpass "
    "all real data from scratch. No number.",
    "table6, unsupervised": "An autoencoder of virtual windows reaches 95 to 100 % of what one of real ones gives on "
    "RealWorld, Opportunity and PAMAP2 with 11 classes; on PAMAP2 with 8 it is better by 5 %. The numbers are lost.",
}


def recognition_frame() -> pd.DataFrame:
    """Give tables 1a, 2a and 3a: one row a data set and protocol."""
    rows = [
        {"table": RECOGNITION_TABLE[key], "data": key, "protocol": name, "f1": score.f1, "half": score.half}
        for key, scores in RECOGNITION.items()
        for name, score in scores.items()
    ]
    return pd.DataFrame(rows)


def deep_frame() -> pd.DataFrame:
    """Give tables 1b, 2b, 3b and the left of table 6: one row a data set and protocol."""
    rows = [
        {"table": table or RECOGNITION_TABLE[key].replace("a", "b"), "data": key, "protocol": name, **score._asdict()}
        for table, columns in {"": DEEP_RECOGNITION, "6": DEEP_TRANSFER}.items()
        for key, scores in columns.items()
        for name, score in scores.items()
    ]
    return pd.DataFrame(rows)


def transfer_frame() -> pd.DataFrame:
    """Give table 4: one row a source and mapping."""
    rows = [
        {"source": source, "mapping": mapping, "f1": score.f1, "half": score.half}
        for source, scores in TRANSFER.items()
        for mapping, score in scores.items()
    ]
    return pd.DataFrame(rows)


def ratio_frame() -> pd.DataFrame:
    """Give table 5: one row a data set and ratio."""
    rows = [
        {"data": key, "ratio": ratio, "f1": score.f1, "half": score.half}
        for key, scores in RATIOS.items()
        for ratio, score in scores.items()
    ]
    return pd.DataFrame(rows)


def implied_windows(score: Score) -> int:
    """Give how many windows the interval of a score is of: the paper does not say how many it tested."""
    return round(score.f1 * (1 - score.f1) * (1.96 / score.half) ** 2)
