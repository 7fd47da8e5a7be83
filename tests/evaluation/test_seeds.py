"""Several seeds: what they go to, and figures that average runs without taking them for more windows."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier, VotingClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from har_virtual import Recording, WindowSet, segment_recordings
from har_virtual.adaptation import DomainSelector, RankDistributionMapper, SensorAligner
from har_virtual.evaluation import (
    SeededEvaluations,
    bootstrap_interval,
    evaluate,
    evaluate_seeds,
    learning_curve,
    paired_difference,
    transfer,
    wilson_interval,
)
from har_virtual.evaluation._inputs import make_seeds
from har_virtual.exceptions import DataFormatError, DataWarning, UnknownNameError
from har_virtual.model_selection import HoldOut

CHANNELS = tuple(f"left_wrist_acc_{axis}" for axis in "xyz")
# One feature of three at each split: the seed matters.
UNSEEDED = DecisionTreeClassifier(max_depth=2, max_features=1)


def make_windows(n_people: int = 7) -> WindowSet:
    rng = np.random.default_rng(0)
    recordings = (
        Recording(gain * size * rng.normal(size=(60, 3)), 10, CHANNELS, subject=f"{who}", labels=label, domain=domain)
        for who in range(n_people)
        for domain, gain in {"real": 1.0, "virtual": 0.8}.items()
        for label, size in {"sit": 1.0, "stand": 1.4, "walk": 2.0}.items()
    )
    return segment_recordings(recordings, window_length_s=1.0, overlap=0.5)


WINDOWS = make_windows()
PROTOCOLS = ["R2R", "V2R mapped"]


@pytest.fixture(scope="module")
def seeded() -> SeededEvaluations:
    return evaluate_seeds(WINDOWS, PROTOCOLS, seeds=(5, 0, 9), classifier=UNSEEDED)


def test_each_seed_is_the_random_state_of_an_evaluation(seeded):
    assert list(seeded) == [5, 0, 9]
    for seed in seeded:
        alone = evaluate(WINDOWS, PROTOCOLS, classifier=UNSEEDED, random_state=seed)
        for name in PROTOCOLS:
            np.testing.assert_array_equal(seeded[seed][name].y_pred, alone[name].y_pred)
    assert seeded.scores().loc["R2R"].nunique() > 1


def test_the_table_averages_scores_and_counts_windows_once(seeded):
    runs = {name: [seeded[seed][name] for seed in seeded] for name in PROTOCOLS}
    table = seeded.table()
    single = seeded[5].table()
    assert [*table.columns] == [*single.columns, "sd_over_seeds"]
    for name, results in runs.items():
        row, scores = table.loc[name], [result.macro_f1 for result in results]
        assert row.macro_f1 == pytest.approx(np.mean(scores))
        assert row.sd_over_seeds == pytest.approx(np.std(scores, ddof=1))
        assert row.n_windows == len(results[0].rows) == single.n_windows[name]
        assert row.mean_over_subjects == pytest.approx(np.mean([each.per_subject().mean() for each in results]))
        interval = bootstrap_interval(results, method="expanded")
        assert (row.low, row.high) == (interval.low, interval.high)
        wilson = wilson_interval(row.macro_f1, len(results[0].rows))
        assert (row.wilson_low, row.wilson_high) == (wilson.low, wilson.high)
    paired = paired_difference(runs["V2R mapped"], runs["R2R"], method="expanded")
    row = table.loc["V2R mapped"]
    assert row.difference == pytest.approx(paired.difference)
    assert (row.difference_low, row.difference_high) == (paired.interval.low, paired.interval.high)
    assert "difference" not in seeded.table(baseline=None)
    with pytest.raises(UnknownNameError, match="'Mix2R mapped' was not evaluated"):
        seeded.table(baseline="Mix2R mapped")


def test_one_seed_gives_the_table_of_an_evaluation():
    seeds = evaluate_seeds(WINDOWS, PROTOCOLS, seeds=[3], classifier=UNSEEDED)
    own = seeds.table(level=0.8)
    assert own.pop("sd_over_seeds").isna().all()
    single = seeds[3].table(level=0.8)
    assert own.columns.tolist() == single.columns.tolist()
    np.testing.assert_allclose(own, single, rtol=1e-12)
    assert own.dtypes.equals(single.dtypes)


def test_one_person_held_out_has_no_interval_over_people_but_a_spread_over_seeds():
    seeds = evaluate_seeds(WINDOWS, PROTOCOLS, classifier=UNSEEDED, hold_out=HoldOut((), "6"))
    table = seeds.table()
    assert table[["low", "high", "difference_low", "difference_high"]].isna().all(axis=None)
    assert table[["macro_f1", "sd_over_seeds", "wilson_low", "difference"]].notna().all(axis=None)


def test_all_predictions_stand_in_one_table(seeded):
    table = seeded.to_frame()
    assert table.columns[:2].tolist() == ["seed", "protocol"]
    own = table[(table["seed"] == 9) & (table["protocol"] == "R2R")]
    assert own["y_pred"].tolist() == seeded[9]["R2R"].y_pred.tolist()
    assert len(table) == 3 * 2 * len(seeded[0]["R2R"].rows)


def test_it_says_the_seeds_and_the_classifier_that_was_given(seeded):
    assert seeded.how["random_state"] == [5, 0, 9]
    assert seeded.how["classifier"] == repr(UNSEEDED)
    assert repr(seeded).startswith("SeededEvaluations(3 seeds, leave-one-subject-out; mean macro_f1 R2R: 0.")
    with pytest.raises(UnknownNameError, match=r"no seed 1, but \[5, 0, 9\]"):
        seeded[1]


class Counted(FunctionTransformer):
    """Largest reading of each channel; counts the windows that it is asked for."""

    n_windows: ClassVar[int] = 0

    def transform(self, X):
        type(self).n_windows += len(X)
        return np.abs(X).max(axis=1)


@pytest.mark.parametrize("options", [{}, {"hold_out": HoldOut("5", "6"), "tune": {"max_depth": [1, 2]}}])
def test_features_are_calculated_once_for_all_seeds(options):
    counts = []
    given = {"classifier": UNSEEDED, "features": Counted(), "real_seconds_per_class": 8.0, "max_block_s": 0.5}
    for seeds in ((1,), (1, 2, 3)):
        Counted.n_windows = 0
        runs = evaluate_seeds(WINDOWS, ["R2R", "V2R none", "Mix2R none"], seeds=seeds, **given, **options)
        counts.append(Counted.n_windows)
    assert counts[0] == counts[1] >= len(WINDOWS)
    for seed in runs:
        alone = evaluate(WINDOWS, ["R2R", "V2R none", "Mix2R none"], random_state=seed, **given, **options)
        for name in runs[seed]:
            np.testing.assert_array_equal(runs[seed][name].y_pred, alone[name].y_pred)
            pd.testing.assert_frame_equal(runs[seed][name].folds, alone[name].folds)
        pd.testing.assert_frame_equal(runs[seed].amounts, alone.amounts)
        assert runs[seed].how == alone.how


@pytest.mark.filterwarnings("ignore:left_wrist keeps its frame")
def test_an_aligner_and_a_mapper_are_used_with_every_seed():
    given = {
        "aligner": SensorAligner(n_resamples=2),
        "mapper": RankDistributionMapper(direction="real_to_virtual"),
        "classifier": UNSEEDED,
    }
    runs = evaluate_seeds(WINDOWS, "V2R aligned, mapped", seeds=(1, 2), **given)
    alone = evaluate(WINDOWS, "V2R aligned, mapped", random_state=2, **given)
    assert runs[2].how == alone.how and "n_resamples=2" in runs.how["aligner"]
    np.testing.assert_array_equal(runs[2]["V2R aligned, mapped"].y_pred, alone["V2R aligned, mapped"].y_pred)


def test_what_windows_lack_is_said_once_and_where_seeds_were_asked_for():
    fewer = WINDOWS[(WINDOWS.sample_domain == 0) | (WINDOWS.y != "sit")]
    with pytest.warns(DataWarning, match="Virtual windows lack sit") as caught:
        evaluate_seeds(fewer, "Mix2R none", seeds=(1, 2), classifier=UNSEEDED)
    assert [Path(each.filename).name for each in caught] == ["test_seeds.py"]


def test_the_seed_is_given_by_seeds_only():
    with pytest.raises(TypeError, match="random_state"):
        evaluate_seeds(WINDOWS, "R2R", random_state=3)
    with pytest.raises(TypeError, match="n_draws"):
        evaluate_seeds(WINDOWS, "R2R", n_draws=3)


def test_seeds_that_would_all_give_the_same_are_refused():
    wrong = {(): "at least one", (1, 1): "that differ", (-1,): "whole number", ("a",): "whole", 3: "at least one"}
    for seeds, message in wrong.items():
        with pytest.raises(DataFormatError, match=message):
            evaluate_seeds(WINDOWS, "R2R", seeds=seeds, classifier=UNSEEDED)
    tree = DecisionTreeClassifier(random_state=0)
    for own, where in ((tree, ""), (DomainSelector(tree), "estimator__")):
        with pytest.raises(DataFormatError, match=f"seed of its own, {where}random_state, .* the same all 2 times"):
            evaluate_seeds(WINDOWS, "R2R", seeds=(1, 2), classifier=own)
    assert len(evaluate_seeds(WINDOWS, "R2R", seeds=iter([np.int64(1)]), classifier=tree)) == 1
    with pytest.raises(DataFormatError, match="classifier must be an estimator"):
        evaluate_seeds(WINDOWS, "R2R", classifier=DecisionTreeClassifier)
    assert len(evaluate_seeds(WINDOWS, "R2R", seeds=(1, 2), classifier=KNeighborsClassifier(1))) == 2


@pytest.mark.parametrize("wrap", [lambda tree: tree, lambda tree: make_pipeline(StandardScaler(), tree)])
def test_a_classifier_without_a_seed_gets_that_of_the_evaluation_wherever_it_is(wrap):
    seeded = DecisionTreeClassifier(max_depth=2, max_features=1, random_state=4)
    mine = evaluate(WINDOWS, "R2R", classifier=wrap(UNSEEDED), random_state=4)
    wanted = evaluate(WINDOWS, "R2R", classifier=wrap(seeded), random_state=0)
    np.testing.assert_array_equal(mine["R2R"].y_pred, wanted["R2R"].y_pred)
    assert mine.how["classifier"] == repr(wrap(seeded)) and UNSEEDED.random_state is None


def test_estimators_of_one_class_get_seeds_that_differ():
    twins = VotingClassifier([("a", UNSEEDED), ("b", BaggingClassifier(UNSEEDED)), ("c", UNSEEDED)])
    first, second, other = (make_seeds(twins, seed) for seed in (4, 4, 5))
    assert first == second and (first["a__random_state"], first["b__random_state"]) == (4, 4)
    assert len({*map(first.get, ("a__random_state", "b__estimator__random_state", "c__random_state"))}) == 3
    assert not {*other.values()} & {*first.values()}
    assert {*make_seeds(twins, None).values()} == {None}
    assert make_seeds(make_pipeline(StandardScaler(), DecisionTreeClassifier(random_state=1)), 4) == {}


def test_a_curve_says_that_a_classifier_without_a_seed_got_that_of_the_draw():
    forest = RandomForestClassifier(3)
    own, given = (
        learning_curve(WINDOWS, [2.0], "R2R", n_draws=1, classifier=classifier).how["classifier"]
        for classifier in (forest, RandomForestClassifier(3, random_state=1))
    )
    assert own == "RandomForestClassifier(n_estimators=3), seeded with the draw's random_state"
    assert given == "RandomForestClassifier(n_estimators=3, random_state=1)"


def test_transfer_repeats_itself_with_a_classifier_without_a_seed():
    real, virtual = (WINDOWS[WINDOWS.sample_domain == side] for side in (0, 1))
    source = WindowSet(virtual.X, virtual.y, virtual.metadata.assign(subject="x"), CHANNELS, 10.0)
    first, second = (
        transfer({"x": source}, real, protocols=["none", "mapped"], classifier=UNSEEDED, random_state=8)
        for _ in range(2)
    )
    for key in first.results:
        np.testing.assert_array_equal(first[key].y_pred, second[key].y_pred)
    assert "random_state=8" in first.how["classifier"]
