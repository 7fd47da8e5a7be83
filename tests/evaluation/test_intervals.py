"""Intervals against slow loops, closed forms, the papers' figures and simulated coverage."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest, norm
from scipy.stats import t as student
from sklearn.metrics import f1_score

from har_virtual.evaluation import (
    bootstrap_interval,
    macro_f1,
    paired_difference,
    per_subject_f1,
    wilson_interval,
)
from har_virtual.evaluation.intervals import can_decide
from har_virtual.exceptions import DataFormatError, UnknownNameError


def random_result(seed: int, n_subjects: int = 6, n_rows: int = 120) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth, predictions and subjects; one subject did one activity only."""
    rng = np.random.default_rng(seed)
    truth, guess = rng.choice(["run", "sit", "walk"], (2, n_rows))
    groups = rng.integers(0, n_subjects, n_rows)
    truth[groups == 0] = "sit"
    return truth, np.where(rng.random(n_rows) < 0.6, truth, guess), groups


def slow_score(truth, predicted, groups, drawn, statistic):
    """Score of a resample in which subject i occurs drawn[i] times, by copying its rows."""
    subjects = np.repeat(np.unique(groups), drawn)
    if statistic == "mean_over_subjects":
        return np.mean([macro_f1(truth[groups == s], predicted[groups == s]) for s in subjects])
    rows = np.concatenate([np.flatnonzero(groups == s) for s in subjects])
    return f1_score(truth[rows], predicted[rows], labels=np.unique(truth[rows]), average="macro", zero_division=0)


@pytest.mark.parametrize("statistic", ["pooled", "mean_over_subjects"])
def test_the_bootstrap_is_that_of_a_loop_which_copies_the_rows_of_the_drawn_subjects(statistic):
    result = random_result(0)
    drawn = np.random.default_rng(7).multinomial(6, np.full(6, 1 / 6), size=80)
    scores = [slow_score(*result, times, statistic) for times in drawn]
    interval = bootstrap_interval(result, statistic=statistic, n_resamples=80, level=0.9, random_state=7)
    assert (interval.low, interval.high) == pytest.approx(tuple(np.quantile(scores, [0.05, 0.95])))
    assert (interval.level, interval.method) == (0.9, "bootstrap over 6 subjects")


def test_a_result_that_is_the_same_for_every_subject_has_no_width():
    truth, predicted = np.tile(["run", "run", "sit"], 4), np.tile(["run", "sit", "sit"], 4)
    interval = bootstrap_interval((truth, predicted, np.repeat(np.arange(4), 3)))
    assert interval.low == interval.high == pytest.approx(macro_f1(truth, predicted))


def test_a_lower_level_gives_an_interval_inside():
    result = random_result(1)
    wide, narrow = (bootstrap_interval(result, level=level) for level in (0.95, 0.5))
    assert wide.low < narrow.low < macro_f1(result[0], result[1]) < narrow.high < wide.high
    assert wide.width > narrow.width


def test_a_seed_repeats_the_interval_and_no_global_state_moves():
    result = random_result(2)
    before = np.random.get_state()[1].tolist()
    first, second, other = (bootstrap_interval(result, n_resamples=50, random_state=seed) for seed in (3, 3, 4))
    assert first == second != other
    assert bootstrap_interval(result, n_resamples=50, random_state=np.random.default_rng(3)) == first
    assert np.random.get_state()[1].tolist() == before


def test_the_interval_covers_the_true_mean_over_people_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    n_subjects, share = 40, 0.6
    covered = 0
    for draw in range(300):
        # Each person is recognised always or never: the mean over all people is the share of the former.
        recognised = np.repeat(rng.random(n_subjects) < share, 2)
        truth = np.tile(["run", "sit"], n_subjects)
        result = (truth, np.where(recognised, truth, "walk"), np.repeat(np.arange(n_subjects), 2))
        interval = bootstrap_interval(result, statistic="mean_over_subjects", n_resamples=400, random_state=draw)
        covered += interval.low <= share <= interval.high
    assert 0.90 <= covered / 300 <= 0.98


def test_windows_taken_for_independent_would_make_the_interval_too_narrow():
    rng = np.random.default_rng(1)
    recognised = np.repeat(rng.random(12) < 0.5, 500)
    truth = np.tile(["run", "sit"], 3000)
    predicted = np.where(recognised, truth, "walk")
    interval = bootstrap_interval((truth, predicted, np.repeat(np.arange(12), 500)))
    assert interval.width > 10 * wilson_interval(macro_f1(truth, predicted), 6000).width


@pytest.mark.parametrize(
    ("f1", "n_windows", "half"),
    [(0.5779, 150_000, 0.0025), (0.8271, 47_500, 0.0034), (0.7029, 26_500, 0.0055), (0.7225, 39_800, 0.0044)],
)
def test_wilson_gives_the_half_widths_that_imutube_prints(f1, n_windows, half):
    interval = wilson_interval(f1, n_windows)
    assert round(interval.width / 2, 4) == half
    assert (interval.low + interval.high) / 2 == pytest.approx(f1, abs=1e-4)


def test_wilson_at_the_ends_has_a_closed_form():
    z2, n = 1.959963984540054**2, 10
    nothing, everything = wilson_interval(0, n), wilson_interval(1, n)
    assert (nothing.low, nothing.high) == pytest.approx((0, z2 / (n + z2)))
    assert (everything.low, everything.high) == pytest.approx((n / (n + z2), 1))
    assert nothing.low >= 0 and everything.high <= 1


@pytest.mark.parametrize("statistic", ["pooled", "mean_over_subjects"])
def test_a_result_differs_from_itself_by_exactly_nothing(statistic):
    paired = paired_difference(random_result(3), random_result(3), statistic=statistic)
    assert paired.difference == paired.interval.low == paired.interval.high == 0
    assert paired.share_gained == 0
    assert not paired.per_subject.any()


def test_right_less_wrong_is_one_for_everybody():
    truth, _, groups = random_result(4)
    paired = paired_difference((truth, truth, groups), (truth, np.full_like(truth, "fly"), groups))
    assert paired.difference == paired.interval.low == paired.interval.high == paired.share_gained == 1
    assert (paired.per_subject == 1).all()


def test_the_difference_changes_its_sign_with_the_order():
    (truth, first, groups), second = random_result(5), random_result(6)[1]
    there = paired_difference((truth, first, groups), (truth, second, groups))
    back = paired_difference((truth, second, groups), (truth, first, groups))
    assert there.difference == -back.difference == macro_f1(truth, first) - macro_f1(truth, second) > 0
    assert (there.interval.low, there.interval.high) == pytest.approx((-back.interval.high, -back.interval.low))
    expected = per_subject_f1(truth, first, groups) - per_subject_f1(truth, second, groups)
    np.testing.assert_array_equal(there.per_subject, expected)
    assert there.share_gained == (expected > 0).mean()


def test_what_is_hard_about_a_person_does_not_blur_the_difference():
    # Easy people score 1 and .5, hard ones .5 and 0: the results vary over people, their difference does not.
    truth, groups = np.tile(["run", "sit"], 6), np.repeat(np.arange(6), 2)
    first = np.array(["run", "sit"] * 3 + ["run", "fly"] * 3)
    second = np.array(["run", "fly"] * 3 + ["fly", "fly"] * 3)
    alone = bootstrap_interval((truth, first, groups), statistic="mean_over_subjects")
    paired = paired_difference((truth, first, groups), (truth, second, groups), statistic="mean_over_subjects")
    assert alone.width > 0.2
    assert [paired.interval.low, paired.difference, paired.interval.high] == pytest.approx([0.5] * 3)


def test_results_of_other_labels_or_subjects_cannot_be_paired():
    truth, predicted, groups = random_result(7)
    with pytest.raises(DataFormatError, match="different labels, so they cannot be paired"):
        paired_difference((truth, predicted, groups), (truth[::-1], predicted, groups))
    with pytest.raises(DataFormatError, match="different subjects"):
        paired_difference((truth, predicted, groups), (truth, predicted, groups + 1))
    with pytest.raises(DataFormatError, match="different labels"):
        paired_difference((truth, predicted, groups), (truth[:-1], predicted[:-1], groups[:-1]))


def test_one_subject_is_too_few_for_a_bootstrap():
    alone = (["run", "sit"], ["run", "run"], ["ann", "ann"])
    with pytest.raises(DataFormatError, match="needs at least two of them, and there is one"):
        bootstrap_interval(alone)
    with pytest.raises(DataFormatError, match="needs at least two of them, and there is one"):
        paired_difference(alone, alone)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"statistic": "median"},
            UnknownNameError,
            'statistic must be "pooled" or "mean_over_subjects", not \'median\'',
        ),
        ({"level": 95}, DataFormatError, "level must lie between 0 and 1, such as 0.95, not 95"),
        ({"level": None}, DataFormatError, "level must lie between 0 and 1, such as 0.95, not None"),
        ({"n_resamples": 0}, DataFormatError, "n_resamples must be a whole number from 1, not 0"),
        ({"n_resamples": 99.5}, DataFormatError, "n_resamples must be a whole number from 1, not 99.5"),
        ({"n_resamples": None}, DataFormatError, "n_resamples must be a whole number from 1, not None"),
        ({"n_resamples": True}, DataFormatError, "n_resamples must be a whole number from 1, not True"),
    ],
)
def test_parameters_out_of_range_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        bootstrap_interval(random_result(8), **options)
    with pytest.raises(error, match=message):
        paired_difference(random_result(8), random_result(8), **options)


@pytest.mark.parametrize(
    ("f1", "n_windows", "message"),
    [
        (57.79, 150_000, "f1 must be a number from 0 to 1, not 57.79"),
        (-0.1, 10, "f1 must be"),
        (np.nan, 10, "f1 must be"),
        (0.5, 0, "n_windows must be a whole number from 1, not 0"),
        (0.5, 10.5, "n_windows must be"),
    ],
)
def test_wilson_refuses_percent_and_no_windows(f1, n_windows, message):
    with pytest.raises(DataFormatError, match=message):
        wilson_interval(f1, n_windows)


def people(n: int, rng: np.random.Generator) -> tuple[tuple, tuple]:
    """Two recognisers that are equally good, each with luck of its own with each person."""
    groups = np.repeat(np.arange(n), 60)
    truth = np.tile(np.repeat([0, 1], 30), n)
    results = []
    for _ in range(2):
        right = rng.random(len(groups)) < np.clip(rng.normal(0.75, 0.1, n), 0, 1)[groups]
        results.append((truth, np.where(right, truth, 1 - truth), groups))
    return results[0], results[1]


@pytest.mark.parametrize(("method", "least", "most"), [("percentile", 0.09, 0.2), ("expanded", 0.01, 0.085)])
def test_expanded_intervals_of_eight_people_rarely_decide_between_equals(method, least, most):
    rng = np.random.default_rng(0)
    intervals = [
        paired_difference(*people(8, rng), n_resamples=400, method=method, random_state=k).interval for k in range(300)
    ]
    assert least < np.mean([not each.low <= 0 <= each.high for each in intervals]) < most


def test_an_expanded_interval_takes_the_percentiles_of_hesterberg():
    result, _ = people(5, np.random.default_rng(3))
    tail = norm.cdf(np.sqrt(5 / 4) * student.ppf(0.025, 4))
    plain = bootstrap_interval(result, n_resamples=500, level=1 - 2 * tail)
    expanded = bootstrap_interval(result, n_resamples=500, method="expanded")
    assert (expanded.low, expanded.high) == pytest.approx((plain.low, plain.high))
    assert expanded.level == 0.95
    assert expanded.method == "expanded bootstrap over 5 subjects"


@pytest.mark.parametrize("statistic", ["pooled", "mean_over_subjects"])
def test_of_several_runs_the_mean_of_the_scores_is_drawn_with_the_same_people_in_all(statistic):
    truth, _, groups = random_result(0)
    runs, others = ([(truth, random_result(seed)[1], groups) for seed in seeds] for seeds in ((1, 2, 3), (4, 5, 6)))
    drawn = np.random.default_rng(7).multinomial(6, np.full(6, 1 / 6), size=12)

    def scores_of(results):
        return np.mean([[slow_score(*run, times, statistic) for times in drawn] for run in results], axis=0)

    options = {"statistic": statistic, "n_resamples": 12, "level": 0.9, "random_state": 7}
    interval, paired = bootstrap_interval(runs, **options), paired_difference(runs, others, **options)
    assert (interval.low, interval.high) == pytest.approx(tuple(np.quantile(scores_of(runs), [0.05, 0.95])))
    quantiles = np.quantile(scores_of(runs) - scores_of(others), [0.05, 0.95])
    assert (paired.interval.low, paired.interval.high) == pytest.approx(tuple(quantiles))
    once = np.ones(6, dtype=int)
    means = [np.mean([slow_score(*run, once, statistic) for run in each]) for each in (runs, others)]
    assert paired.difference == pytest.approx(means[0] - means[1])
    assert bootstrap_interval(runs[:1], **options) == bootstrap_interval(runs[0], **options)


def test_runs_of_other_rows_or_none_are_refused():
    truth, predicted, groups = random_result(0)
    with pytest.raises(DataFormatError, match="different labels"):
        bootstrap_interval([(truth, predicted, groups), (truth[::-1], predicted, groups)])
    with pytest.raises(DataFormatError, match="the list is empty"):
        paired_difference([], [])


def test_another_method_is_refused():
    result, other = people(3, np.random.default_rng(0))
    for call in (
        lambda: bootstrap_interval(result, method="bca"),
        lambda: paired_difference(result, other, method="t"),
    ):
        with pytest.raises(UnknownNameError, match=r'"percentile" or "expanded"'):
            call()


@pytest.mark.parametrize(
    ("n_subjects", "level", "decides"), [(5, 0.95, False), (6, 0.95, True), (4, 0.8, True), (7, 0.99, False)]
)
def test_so_many_people_decide_as_a_sign_test_could(n_subjects, level, decides):
    assert can_decide(n_subjects, level) == decides == (binomtest(0, n_subjects).pvalue <= 1 - level)
