"""People who did one thing only, and classes that a fold lacks: nothing fails, nothing is hidden."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score
from sklearn.tree import DecisionTreeClassifier

from har_virtual.evaluation.experiment import evaluate
from har_virtual.evaluation.protocols import Protocol
from har_virtual.exceptions import DataFormatError, DataWarning
from har_virtual.recording import Recording
from har_virtual.windows import segment_recordings

# Each of these people is uneven on purpose.
pytestmark = pytest.mark.filterwarnings("ignore:Class .* has real windows of")

SIZES = {"sit": 0.3, "walk": 2.0, "jump": 9.0}
TREE = DecisionTreeClassifier(random_state=0)


def cut(did: dict[str, str], filmed: str = ""):
    """Windows of real people, by what each did, and of one person in a video."""
    rng = np.random.default_rng(0)
    everybody = [(who, activities, "real") for who, activities in did.items()]
    everybody += [("video:1f/0", filmed, "virtual")] * bool(filmed)
    return segment_recordings(
        (
            Recording(
                SIZES[label] * rng.normal(size=(80, 3)),
                10,
                [f"waist_acc_{axis}" for axis in "xyz"],
                subject=who,
                session=label,
                labels=label,
                domain=domain,
            )
            for who, activities, domain in everybody
            for label in activities.split()
        ),
        window_length_s=1.0,
    )


def test_a_person_with_one_class_trains_and_is_tested_like_any_other():
    windows = cut({"ann": "sit walk jump", "bob": "jump", "eve": "sit walk jump"}, filmed="sit walk jump")
    evaluation = evaluate(windows, ["R2R", "V2R mapped", "Mix2R mapped"], classifier=TREE)
    for result in evaluation.results.values():
        assert result.folds["held_out"].tolist() == ["ann", "bob", "eve"]
        assert (result.folds["untrained_classes"] == "").all()
        np.testing.assert_array_equal(result.rows, np.flatnonzero(windows.sample_domain == 0))
        assert result.macro_f1 == pytest.approx(f1_score(result.y_true, result.y_pred, average="macro"))
        of_bob = result.groups == "bob"
        only_jumps = f1_score(result.y_true[of_bob], result.y_pred[of_bob], labels=["jump"], average="macro")
        assert result.per_subject()["bob"] == pytest.approx(only_jumps)


def test_a_person_with_one_class_can_validate():
    windows = cut({"ann": "sit walk jump", "bob": "jump", "eve": "sit walk jump"})
    folds = evaluate(windows, "R2R", classifier=TREE, tune={"max_depth": (1, 3)})["R2R"].folds
    assert folds.set_index("held_out")["validated"].to_dict() == {"ann": "bob", "bob": "eve", "eve": "ann"}
    assert folds["validation_f1"].between(0, 1).all()


def test_who_learns_from_one_class_alone_knows_that_class_alone():
    result = evaluate(cut({"ann": "sit walk", "bob": "sit"}), "R2R", classifier=TREE)["R2R"]
    assert result.folds["untrained_classes"].tolist() == ["walk", ""]
    assert set(result.y_pred[result.groups == "ann"]) == {"sit"}


def test_windows_of_a_class_that_a_fold_cannot_learn_are_misses_unless_virtual_ones_teach_it():
    windows = cut({"ann": "sit walk jump", "bob": "sit walk", "eve": "sit walk"}, filmed="sit walk jump")
    evaluation = evaluate(windows, ["R2R", "V2R none", "Mix2R none"], classifier=TREE)
    jumps = evaluation["R2R"].y_true == "jump"
    assert evaluation["R2R"].folds["untrained_classes"].tolist() == ["jump", "", ""]
    assert evaluation.per_class().loc["jump", "R2R"] == 0
    for name in ("V2R none", "Mix2R none"):
        assert (evaluation[name].folds["untrained_classes"] == "").all()
        assert (evaluation[name].y_pred[jumps] == "jump").mean() > 0.5


def test_a_map_per_class_says_that_a_class_is_missing_in_a_fold():
    windows = cut({"ann": "sit walk jump", "bob": "sit walk", "eve": "sit walk"}, filmed="sit walk jump")
    own = Protocol("V2R mapped per class", "virtual", map="per_class")
    with pytest.warns(DataWarning, match=r"'jump'. have no real row at all.*the map over all classes"):
        result = evaluate(windows, own, classifier=TREE)[own.name]
    assert (result.folds["untrained_classes"] == "").all()


def test_a_ratio_takes_no_virtual_window_of_a_class_that_has_no_real_one_in_a_fold():
    windows = cut({"ann": "sit walk jump", "bob": "sit walk", "eve": "sit walk"}, filmed="sit walk jump")
    even = Protocol("Mix2R 1:1", "both", virtual_ratio=0.5)
    result = evaluate(windows, even, classifier=TREE)[even.name]
    assert result.folds["untrained_classes"].tolist() == ["jump", "", ""]


def test_a_budget_names_the_class_and_the_fold_that_lack_it():
    windows = cut({"ann": "sit walk jump", "bob": "sit walk", "eve": "sit walk"})
    with pytest.raises(DataFormatError, match=r"'jump' has 0 s of real data .* when \['ann'\] is held out"):
        evaluate(windows, "R2R", classifier=TREE, real_seconds_per_class=2.0)
    kept = evaluate(windows, "R2R", classifier=TREE, real_seconds_per_class=2.0, shortage="keep_all")["R2R"]
    assert kept.folds["n_train_real"].tolist() == [8, 12, 12]
