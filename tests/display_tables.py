"""Small tables and results for the tests of displays, and how to read what was drawn."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import LeaveOneGroupOut

from har_virtual.evaluation import Evaluation, predict_out_of_fold
from har_virtual.evaluation.calibration import CalibrationCurve

SCORES = ["macro_f1", "low", "high"]
DIFFERENCES = ["difference", "difference_low", "difference_high"]


def curve_frame():
    """Two protocols at three budgets, in no order; Mix2R harms with 10 s, helps with 300 s, else undecided."""
    columns = ["protocol", "seconds", *SCORES, *DIFFERENCES]
    rows = [
        ("R2R", 300, 0.60, 0.55, 0.66, 0.0, 0.0, 0.0),
        ("R2R", 10, 0.40, 0.31, 0.48, 0.0, 0.0, 0.0),
        ("R2R", 60, 0.50, 0.44, 0.57, 0.0, 0.0, 0.0),
        ("Mix2R mapped", 60, 0.51, 0.40, 0.59, 0.01, -0.02, 0.04),
        ("Mix2R mapped", 300, 0.70, 0.65, 0.74, 0.10, 0.06, 0.14),
        ("Mix2R mapped", 10, 0.35, 0.30, 0.41, -0.05, -0.08, -0.01),
    ]
    return pd.DataFrame(rows, columns=columns)


def ratio_frame():
    columns = ["protocol", "ratio", *SCORES, *DIFFERENCES]
    rows = [
        ("R2R", 0, 0.57, 0.50, 0.62, 0.0, 0.0, 0.0),
        ("Mix2R mapped", 10, 0.55, 0.49, 0.61, -0.02, -0.05, -0.01),
        ("Mix2R mapped", 1, 0.63, 0.57, 0.68, 0.06, 0.02, 0.09),
    ]
    return pd.DataFrame(rows, columns=columns)


def calibration():
    rows = [(10.0, seed, 5.0 + seed, 0.4, 0.3, 0.2, 20) for seed in range(3)]
    rows += [(600.0, seed, 2.0 + 0.1 * seed, 0.1, 0.1, 0.1, 1200) for seed in range(3)]
    frame = pd.DataFrame(rows, columns=["seconds", "seed", "frechet", "ks", "js", "mmd", "n_real"])
    return CalibrationCurve(
        frame,
        pd.Series({"frechet": 1.9, "ks": 0.09, "js": 0.1, "mmd": 0.1}),
        pd.Series({"frechet": 90.0, "ks": 0.5, "js": 0.5, "mmd": 0.5}),
        {},
    )


def counts():
    classes = ["climbing_up", "jumping", "sitting"]
    return pd.DataFrame([[6, 2, 0], [1, 999, 0], [0, 0, 0]], index=classes, columns=classes)


def evaluation():
    """R2R always says sitting, V2R mapped always walking; a third of the windows are walking."""
    y, groups = np.array(["sitting", "sitting", "walking"] * 3), np.repeat(["a", "b", "c"], 3)
    results = {
        name: predict_out_of_fold(
            DummyClassifier(strategy="constant", constant=answer),
            np.zeros((9, 1)),
            y,
            cv=LeaveOneGroupOut(),
            groups=groups,
        )
        for name, answer in {"R2R": "sitting", "V2R mapped": "walking"}.items()
    }
    return Evaluation(results=results, amounts=pd.DataFrame(), how={})


def band_limits(band):
    """Low and high bounds of a band by its place on the x axis."""
    vertices = band.get_paths()[0].vertices
    return {x: (vertices[vertices[:, 0] == x, 1].min(), vertices[vertices[:, 0] == x, 1].max()) for x in vertices[:, 0]}


def legend_of(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def written(display):
    return {cell: text.get_text() for cell, text in display.texts_.items()}
