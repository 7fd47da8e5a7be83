"""Macro-F1 against closed forms and scikit-learn, pooled and per subject."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from har_virtual.evaluation import macro_f1, per_class_f1, per_subject_f1
from har_virtual.evaluation.metrics import count_by_subject, macro_f1_of_counts
from har_virtual.exceptions import DataFormatError


def random_labels(seed: int, n_rows: int = 200) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth over four classes, predictions over six, five subjects."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(["lie", "run", "sit", "walk"], n_rows)
    other = rng.choice(["cycle", "lie", "run", "sit", "stand", "walk"], n_rows)
    return truth, np.where(rng.random(n_rows) < 0.5, truth, other), rng.integers(0, 5, n_rows)


@pytest.mark.parametrize(("predicted", "expected"), [("walk", 1.0), ("run", 0.0)])
def test_one_class_is_all_right_or_all_wrong(predicted, expected):
    assert macro_f1(["walk"] * 3, [predicted] * 3) == expected


@pytest.mark.parametrize("n_classes", [2, 5, 21])
def test_always_the_same_answer_scores_two_over_c_times_c_plus_one(n_classes):
    truth = np.repeat(np.arange(n_classes), 7)
    assert macro_f1(truth, np.zeros_like(truth)) == pytest.approx(2 / (n_classes * (n_classes + 1)))


def test_a_class_that_is_only_predicted_costs_recall_and_has_no_score_of_its_own():
    assert macro_f1(["walk", "walk"], ["walk", "sit"]) == pytest.approx(2 / 3)


def test_a_class_that_is_never_predicted_counts_zero():
    assert macro_f1(["walk", "walk", "sit", "run"], ["walk", "walk", "run", "run"]) == pytest.approx(
        (1 + 0 + 2 / 3) / 3
    )


@pytest.mark.parametrize("seed", range(3))
def test_macro_f1_is_scikit_learns_over_the_classes_of_the_truth(seed):
    truth, predicted, _ = random_labels(seed)
    expected = f1_score(truth, predicted, labels=np.unique(truth), average="macro", zero_division=0)
    assert macro_f1(truth, predicted) == pytest.approx(expected)


@pytest.mark.parametrize("labels", [["run", "sit"], ["walk", "stand", "swim"]])
def test_chosen_labels_are_averaged_as_scikit_learn_does(labels):
    truth, predicted, _ = random_labels(0)
    expected = f1_score(truth, predicted, labels=labels, average="macro", zero_division=0)
    assert macro_f1(truth, predicted, labels=labels) == pytest.approx(expected)


def test_numbers_are_labels_as_well_as_text():
    truth, predicted, _ = random_labels(1)
    codes = {name: code for code, name in enumerate(np.unique(np.concatenate([truth, predicted])))}
    numbers = [np.array([codes[name] for name in names]) for names in (truth, predicted)]
    assert macro_f1(*numbers) == macro_f1(truth, predicted)
    assert macro_f1(*numbers, labels=[codes["run"]]) == macro_f1(truth, predicted, labels=["run"])


def test_each_subject_is_scored_on_the_classes_that_it_did():
    truth, predicted, groups = random_labels(2)
    truth[groups == 3] = "run"
    scores = per_subject_f1(truth, predicted, groups)
    assert scores.index.tolist() == [0, 1, 2, 3, 4]
    assert scores.index.name == "subject"
    for subject, score in scores.items():
        rows = groups == subject
        classes = np.unique(truth[rows])
        expected = f1_score(truth[rows], predicted[rows], labels=classes, average="macro", zero_division=0)
        assert score == pytest.approx(expected)


def test_counts_of_subjects_add_up_to_the_pooled_score():
    truth, predicted, groups = random_labels(3)
    counts = count_by_subject(truth, predicted, groups)
    pooled = macro_f1_of_counts(counts.hits.sum(axis=0), counts.truth.sum(axis=0), counts.predicted.sum(axis=0))
    assert pooled == pytest.approx(macro_f1(truth, predicted))
    assert counts.truth.sum() == counts.predicted.sum() == len(truth)
    assert counts.hits.sum() == (truth == predicted).sum()


def test_the_order_of_windows_changes_nothing():
    truth, predicted, groups = random_labels(4)
    order = np.random.default_rng(0).permutation(len(truth))
    assert macro_f1(truth[order], predicted[order]) == macro_f1(truth, predicted)
    pd.testing.assert_series_equal(
        per_subject_f1(truth[order], predicted[order], groups[order]), per_subject_f1(truth, predicted, groups)
    )


def test_series_and_lists_give_the_same_as_arrays():
    truth, predicted, groups = random_labels(5)
    index = np.arange(len(truth))[::-1]
    as_series = per_subject_f1(pd.Series(truth, index=index), pd.Series(predicted), groups.tolist())
    pd.testing.assert_series_equal(as_series, per_subject_f1(truth, predicted, groups))


@pytest.mark.parametrize(
    ("truth", "predicted", "message"),
    [
        ([], [], "y_true must be one-dimensional with at least one value"),
        (["a", "b"], ["a"], r"y_pred must be one-dimensional with 2 values; its shape is \(1,\)"),
        ([["a"], ["b"]], ["a", "b"], r"y_true .* its shape is \(2, 1\)"),
        (["a", None], ["a", "b"], "y_true is missing for 1 of 2 rows"),
        ([1, 2], [1, np.nan], "y_pred is missing for 1 of 2 rows"),
        (np.array(["a", 1], dtype=object), ["a", "b"], "y_true must be all text or all numbers"),
        (["1", "2"], [1, 2], "must both be text or both be numbers"),
    ],
)
def test_labels_that_cannot_be_compared_are_refused(truth, predicted, message):
    with pytest.raises(DataFormatError, match=message):
        macro_f1(truth, predicted)


def test_f1_of_each_class_leaves_out_what_is_only_predicted():
    assert per_class_f1(["walk", "run", "walk"], ["walk", "sit", "run"]).to_dict() == {"run": 0, "walk": 2 / 3}


def test_labels_to_average_over_are_of_the_kind_of_the_truth():
    with pytest.raises(DataFormatError, match="y_true and labels must both be text or both be numbers"):
        macro_f1([1, 2], [1, 2], labels=["1", "2"])


def test_a_window_without_a_subject_is_refused():
    with pytest.raises(DataFormatError, match="groups is missing for 1 of 2 rows"):
        per_subject_f1(["a", "b"], ["a", "b"], ["ann", None])
