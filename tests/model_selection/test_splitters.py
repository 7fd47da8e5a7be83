"""Splitters: whole subjects are held out, tests are real, budgets are drawn in blocks and look at nothing else."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.model_selection import LeaveOneGroupOut, cross_validate
from sklearn.tree import DecisionTreeClassifier

from har_virtual.exceptions import DataFormatError, UnknownNameError
from har_virtual.model_selection import LeaveOneSubjectOut, SubjectHoldOut
from har_virtual.recording import Recording
from har_virtual.windows import segment_recordings

# Two classes, three subjects with two runs of each class; virtual rows of ann, ben and of two people from videos.
RUNS = [
    (subject, label, domain, 6 if domain == 0 else 3)
    for subject, domain in [
        ("ben", 0),
        ("ann", 0),
        ("ben", 1),
        ("video:1f/0", 1),
        ("cy", 0),
        ("ann", 1),
        ("video:1f/1", 1),
    ]
    for label in ["walk", "sit"] * (2 if domain == 0 else 1)
]
GROUPS = np.repeat([run[0] for run in RUNS], [run[3] for run in RUNS])
Y = np.repeat([run[1] for run in RUNS], [run[3] for run in RUNS])
DOMAIN = np.repeat([run[2] for run in RUNS], [run[3] for run in RUNS])
X = np.arange(len(Y), dtype=float)[:, None]
SUBJECTS = ["ann", "ben", "cy"]
NEEDS_BOTH = {"groups": GROUPS, "sample_domain": DOMAIN}


def folds(splitter, **changes):
    given = {"X": X, "y": Y, "groups": GROUPS, "sample_domain": DOMAIN} | changes
    return list(splitter.split(**given))


def budget(windows, **changes):
    given = {"real_seconds_per_class": windows * 0.5, "window_step_s": 0.5, "random_state": 0} | changes
    return LeaveOneSubjectOut(**given)


def real(rows):
    return rows[DOMAIN[rows] == 0]


def test_each_subject_with_real_rows_is_held_out_once_in_sorted_order():
    held_out = [set(GROUPS[test]) for _, test in folds(LeaveOneSubjectOut())]
    assert held_out == [{"ann"}, {"ben"}, {"cy"}]
    assert LeaveOneSubjectOut().get_n_splits(X, Y, GROUPS, sample_domain=DOMAIN) == 3


def test_test_rows_are_all_real_rows_of_the_held_out_subject():
    for subject, (_, test) in zip(SUBJECTS, folds(LeaveOneSubjectOut()), strict=True):
        assert test.tolist() == np.flatnonzero((subject == GROUPS) & (DOMAIN == 0)).tolist()


def test_training_rows_are_all_rows_real_and_virtual_of_all_others():
    for subject, (train, _) in zip(SUBJECTS, folds(LeaveOneSubjectOut()), strict=True):
        assert train.tolist() == np.flatnonzero(subject != GROUPS).tolist()


def test_people_known_from_videos_only_always_train():
    for train, _ in folds(LeaveOneSubjectOut()):
        assert {"video:1f/0", "video:1f/1"} <= set(GROUPS[train])


def test_without_virtual_rows_folds_are_those_of_leave_one_group_out():
    rows = DOMAIN == 0
    ours = LeaveOneSubjectOut().split(X[rows], Y[rows], GROUPS[rows])
    theirs = LeaveOneGroupOut().split(X[rows], Y[rows], GROUPS[rows])
    for (train, test), (their_train, their_test) in zip(ours, theirs, strict=True):
        assert train.tolist() == their_train.tolist() and test.tolist() == their_test.tolist()


def test_rows_may_be_a_list_of_anything_and_groups_a_series_or_numbers():
    by_list = folds(LeaveOneSubjectOut(), X=["row"] * len(Y), groups=pd.Series(GROUPS, dtype="string"))
    numbers = {name: number for number, name in enumerate(np.unique(GROUPS))}
    by_number = folds(LeaveOneSubjectOut(), groups=[numbers[name] for name in GROUPS])
    for other in (by_list, by_number):
        for (train, test), (other_train, other_test) in zip(folds(LeaveOneSubjectOut()), other, strict=True):
            assert train.tolist() == other_train.tolist() and test.tolist() == other_test.tolist()


def test_a_class_may_be_missing_in_a_fold():
    y = np.where(GROUPS == "cy", "jump", Y)
    (*_, (train, test)) = folds(LeaveOneSubjectOut(), y=y)
    assert set(y[test]) == {"jump"} and "jump" not in y[train]


def test_windows_of_one_recording_overlap_but_never_lie_on_both_sides():
    recordings = [
        Recording(np.ones((100, 3)), 10.0, [f"waist_acc_{a}" for a in "xyz"], subject=s, labels="walk") for s in "abc"
    ]
    windows = segment_recordings(recordings, window_length_s=2.0, overlap=0.75)
    for train, test in LeaveOneSubjectOut().split(windows.X, groups=windows.groups):
        assert len(test) > 10
        assert not set(windows.metadata["recording"][train]) & set(windows.metadata["recording"][test])


def test_a_budget_keeps_its_number_of_real_rows_of_each_class_and_all_virtual_rows():
    for (train, test), (whole, whole_test) in zip(folds(budget(8)), folds(LeaveOneSubjectOut()), strict=True):
        assert np.unique(Y[real(train)], return_counts=True)[1].tolist() == [8, 8]
        assert train[DOMAIN[train] == 1].tolist() == whole[DOMAIN[whole] == 1].tolist()
        assert set(train) < set(whole) and (np.diff(train) > 0).all() and test.tolist() == whole_test.tolist()


def test_a_budget_in_seconds_is_rounded_down_to_windows_but_never_to_none():
    for seconds, step, expected in [(0.3, 0.1, 3), (1.99, 0.5, 3), (0.01, 0.5, 1)]:
        splitter = budget(0, real_seconds_per_class=seconds, window_step_s=step)
        assert {np.count_nonzero(Y[real(train)] == "sit") for train, _ in folds(splitter)} == {expected}


def test_a_budget_keeps_whole_runs_and_a_part_of_one_more():
    run_of_row = np.repeat(np.arange(len(RUNS)), [run[3] for run in RUNS])
    for seed in range(5):
        for train, _ in folds(budget(8, random_state=seed)):
            kept = real(train)
            for label in ("walk", "sit"):
                own = kept[Y[kept] == label]
                assert sorted(np.unique(run_of_row[own], return_counts=True)[1]) == [2, 6]
                assert sum(np.diff(own) > 1) == 1, "each of the two parts is contiguous"


def test_virtual_rows_between_two_real_rows_do_not_break_a_run():
    between = np.array([0, 1] * 6 + [0, 0])
    groups = np.array(["ann"] * 12 + ["ben"] * 2)
    y = np.array(["walk"] * 12 + ["walk"] * 2)
    starts = set()
    for seed in range(40):
        given = {"X": y, "y": y, "groups": groups, "sample_domain": between}
        train = folds(budget(3, random_state=seed, shortage="keep_all"), **given)[1][0]
        kept = train[between[train] == 0]
        assert np.diff(kept).tolist() == [2, 2]
        starts.add(int(kept[0]))
    assert starts == {0, 2, 4, 6}, "the start of the part is drawn among all that fit"


def test_a_run_ends_where_the_next_subject_begins():
    groups = np.repeat(["ann", "ben", "cy"], 6)
    draws = set()
    for seed in range(20):
        splitter = budget(6, random_state=seed)
        *_, (train, _) = splitter.split(groups, ["walk"] * 18, groups)
        draws.add(tuple(groups[train]))
    assert draws == {("ann",) * 6, ("ben",) * 6}


def test_an_int_seed_gives_the_same_draw_in_every_call_and_other_seeds_give_others():
    splitter = budget(4)
    first, second = folds(splitter), folds(splitter)
    assert all(a[0].tolist() == b[0].tolist() for a, b in zip(first, second, strict=True))
    others = [folds(budget(4, random_state=seed))[0][0].tolist() for seed in range(8)]
    assert len({tuple(rows) for rows in others}) == 8


def test_a_generator_draws_anew_in_each_call_and_the_global_state_stays():
    before = np.random.get_state()[1].tolist()
    splitter = budget(4, random_state=np.random.default_rng(0))
    assert folds(splitter)[0][0].tolist() != folds(splitter)[0][0].tolist()
    folds(budget(4, random_state=None))
    assert np.random.get_state()[1].tolist() == before


def test_the_rows_of_a_smaller_budget_are_among_those_of_a_larger_one():
    for seed in range(10):
        draws = [folds(budget(n, random_state=seed)) for n in range(1, 25)]
        for smaller, larger in itertools.pairwise(draws):
            assert all(set(a[0]) < set(b[0]) for a, b in zip(smaller, larger, strict=True))


def n_people(splitter):
    """How many people the budget of each fold and class comes from, on average."""
    kept = [(real(train), label) for train, _ in folds(splitter) for label in np.unique(Y)]
    return np.mean([len(set(GROUPS[rows[Y[rows] == label]])) for rows, label in kept])


def test_short_blocks_bring_more_people_into_a_small_budget():
    whole = np.mean([n_people(budget(6, random_state=seed)) for seed in range(10)])
    short = np.mean([n_people(budget(6, max_block_s=1.0, random_state=seed)) for seed in range(10)])
    single = np.mean([n_people(budget(6, max_block_s=0.5, random_state=seed)) for seed in range(10)])
    assert whole < short < single


def test_short_blocks_keep_the_size_of_a_budget_and_a_smaller_one_within_a_larger():
    for train, _ in folds(budget(6, max_block_s=1.0)):
        assert [np.sum(Y[real(train)] == label) for label in np.unique(Y)] == [6] * len(np.unique(Y))
    scattered = [budget(n, max_block_s=budget(1).window_step_s, random_state=1) for n in (3, 6, 12)]
    for smaller, larger in itertools.pairwise(folds(splitter) for splitter in scattered):
        assert all(set(a[0]) < set(b[0]) for a, b in zip(smaller, larger, strict=True))


def test_blocks_begin_at_a_drawn_row_of_a_run():
    groups = np.repeat(["ann", "ben", "cy"], 9)
    starts = set()
    for seed in range(30):
        given = {"random_state": seed, "max_block_s": 1.5}
        *_, (train, _) = budget(3, **given).split(groups, ["walk"] * 27, groups)
        starts.add(int(train[0]) % 3)
    assert starts == {0, 1, 2}


def test_a_run_as_long_as_a_block_is_not_cut():
    groups = np.repeat(["ann", "ben", "cy"], 4)
    for seed in range(10):
        *_, (train, _) = budget(4, max_block_s=2.0, random_state=seed).split(groups, ["walk"] * 12, groups)
        assert len(set(groups[train])) == 1


def test_integer_subjects_can_be_held_out():
    groups = np.repeat([1, 2, 3], 4)
    [(train, test)] = SubjectHoldOut(test_subjects=2).split(groups, groups=groups)
    assert set(groups[train]) == {1, 3} and set(groups[test]) == {2}


def test_a_random_state_of_another_kind_and_a_block_without_a_budget_are_refused():
    with pytest.raises(DataFormatError, match="random_state must be an int, a numpy Generator or None"):
        folds(budget(4, random_state=np.random.RandomState(0)))
    with pytest.raises(DataFormatError, match="of use only with real_seconds_per_class"):
        folds(LeaveOneSubjectOut(max_block_s=1.0))


def test_a_budget_of_all_there_is_keeps_everything():
    for (train, _), (whole, _) in zip(folds(budget(24)), folds(LeaveOneSubjectOut()), strict=True):
        assert train.tolist() == whole.tolist()


def test_the_draw_does_not_look_at_the_held_out_subject():
    shuffled = Y.copy()
    shuffled[GROUPS == "ann"] = np.random.default_rng(1).permutation(Y[GROUPS == "ann"])
    assert (shuffled != Y).any()
    assert folds(budget(8))[0][0].tolist() == folds(budget(8), y=shuffled)[0][0].tolist()
    fewer = np.flatnonzero((GROUPS != "ann") | (np.arange(len(Y)) % 2 == 0))
    parts = {"X": X[fewer], "y": Y[fewer], "groups": GROUPS[fewer], "sample_domain": DOMAIN[fewer]}
    assert fewer[folds(budget(8), **parts)[0][0]].tolist() == [
        row for row in folds(budget(8))[0][0] if row in set(fewer)
    ]


def test_the_draw_does_not_look_at_virtual_rows():
    rows = np.flatnonzero(DOMAIN == 0)
    parts = {"X": X[rows], "y": Y[rows], "groups": GROUPS[rows], "sample_domain": None}
    for (train, _), (alone, _) in zip(folds(budget(8)), folds(budget(8), **parts), strict=True):
        assert real(train).tolist() == rows[alone].tolist()


def test_a_shortage_names_class_subject_and_what_there_is():
    y = Y.copy()
    y[np.flatnonzero((GROUPS == "cy") & (Y == "sit"))] = "jump"
    y[np.flatnonzero((GROUPS == "ann") & (Y == "sit"))[:4]] = "jump"
    with pytest.raises(DataFormatError, match=r"'jump' has 2 s of real data \(4 windows\).*\['cy'\] is held out.*=4 "):
        budget(8).split(X, y, GROUPS, sample_domain=DOMAIN)
    kept = [np.count_nonzero(y[real(train)] == "jump") for train, _ in folds(budget(8, shortage="keep_all"), y=y)]
    assert kept == [8, 8, 4]


def test_a_class_without_real_training_rows_is_a_shortage_too():
    y = np.where((GROUPS == "cy") & (DOMAIN == 0), "jump", Y)
    with pytest.raises(DataFormatError, match=r"'jump' has 0 s .*\['cy'\]"):
        budget(1).split(X, y, GROUPS, sample_domain=DOMAIN)
    *_, (train, _) = folds(budget(1, shortage="keep_all"), y=y)
    assert sorted(y[real(train)]) == ["sit", "walk"]


def test_virtual_rows_do_not_make_up_for_a_shortage_of_real_ones():
    y = np.where((GROUPS == "cy") | (DOMAIN == 1), "jump", Y)
    with pytest.raises(DataFormatError, match=r"'jump' has 0 s .*\['cy'\]"):
        budget(1).split(X, y, GROUPS, sample_domain=DOMAIN)


def test_a_class_of_virtual_rows_only_needs_no_budget():
    y = np.where(DOMAIN == 1, "dance", Y)
    for train, _ in folds(budget(2), y=y):
        assert sorted(y[real(train)]) == ["sit", "sit", "walk", "walk"]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"real_seconds_per_class": 3.0}, "needs window_step_s"),
        ({"window_step_s": 0.5}, "only with real_seconds_per_class"),
        ({"real_seconds_per_class": 0, "window_step_s": 0.5}, "real_seconds_per_class must be a finite number above 0"),
        ({"real_seconds_per_class": 3, "window_step_s": -1}, "window_step_s must be a finite number above 0"),
        ({"shortage": "ignore"}, r"one of \('raise', 'keep_all'\), not 'ignore'"),
    ],
)
def test_parameters_of_a_budget_that_do_not_fit_are_named(parameters, message):
    with pytest.raises(ValueError, match=message):
        LeaveOneSubjectOut(**parameters).split(X, Y, GROUPS, sample_domain=DOMAIN)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"groups": None}, r"groups is missing.*set_config\(enable_metadata_routing=True\)"),
        ({"groups": pd.DataFrame({"a": GROUPS, "b": GROUPS})}, r"groups must be one-dimensional .* shape \(\d+, 2\)"),
        ({"groups": GROUPS[:, None]}, "groups must be one-dimensional"),
        ({"groups": [None, *GROUPS[1:]]}, "1 missing values"),
        ({"groups": [np.nan, *range(len(Y) - 1)]}, "1 missing values"),
        ({"groups": np.array([1, *GROUPS[1:]], dtype=object)}, "groups must be all text or all numbers"),
        ({"groups": GROUPS[:-1]}, "inconsistent numbers of samples"),
        ({"sample_domain": DOMAIN[:-1]}, "sample_domain must hold a 0"),
        ({"sample_domain": DOMAIN + 1}, "sample_domain must hold a 0"),
        ({"sample_domain": None}, r"\['video:1f/0', 'video:1f/1'\] are known from videos only.*is missing"),
        ({"sample_domain": np.zeros_like(DOMAIN)}, "known from videos only, but sample_domain calls their rows real"),
    ],
)
def test_rows_that_cannot_be_split_are_refused(changes, message):
    given = {"X": X, "y": Y, "groups": GROUPS, "sample_domain": DOMAIN} | changes
    leave_one_out = LeaveOneSubjectOut()
    for method in (leave_one_out.split, leave_one_out.get_n_splits, SubjectHoldOut(test_subjects="ann").split):
        with pytest.raises(ValueError, match=message):
            method(**given)


@pytest.mark.parametrize(
    ("domain", "message"),
    [
        (np.ones_like(DOMAIN), "there are no real rows at all"),
        (np.where(GROUPS == "ann", 0, 1), r"at least two need real rows; there are \['ann'\]"),
    ],
)
def test_two_subjects_need_real_rows_to_leave_one_out(domain, message):
    for method in (LeaveOneSubjectOut().split, LeaveOneSubjectOut().get_n_splits):
        with pytest.raises(DataFormatError, match=message):
            method(X, Y, GROUPS, sample_domain=domain)


def test_a_budget_needs_labels_without_holes():
    with pytest.raises(DataFormatError, match="y is missing: a label budget"):
        budget(2).split(X, None, GROUPS, sample_domain=DOMAIN)
    with pytest.raises(DataFormatError, match=r"y must be one-dimensional.* 1 missing"):
        budget(2).split(X, [None, *Y[1:]], GROUPS, sample_domain=DOMAIN)


def test_hold_out_gives_one_split_of_named_subjects():
    splitter = SubjectHoldOut(test_subjects=["cy", "ann"])
    [(train, test)] = folds(splitter)
    assert test.tolist() == np.flatnonzero(np.isin(GROUPS, ["ann", "cy"]) & (DOMAIN == 0)).tolist()
    assert train.tolist() == np.flatnonzero(~np.isin(GROUPS, ["ann", "cy"])).tolist()
    assert splitter.get_n_splits() == 1


def test_excluded_subjects_are_in_neither_part():
    [(train, test)] = folds(SubjectHoldOut(test_subjects="ann", exclude=["cy", "video:1f/0"]))
    assert set(GROUPS[train]) == {"ben", "video:1f/1"} and set(GROUPS[test]) == {"ann"}


def test_hold_out_cuts_the_same_budget():
    parameters = {"real_seconds_per_class": 4.0, "window_step_s": 0.5, "random_state": 0}
    [(train, test)] = folds(SubjectHoldOut(test_subjects=["ann"], **parameters))
    assert train.tolist() == folds(budget(8))[0][0].tolist() and test.tolist() == folds(budget(8))[0][1].tolist()


def test_hold_out_says_whom_there_is_when_it_does_not_know_a_subject():
    for parameters in ({"test_subjects": ["dan"]}, {"test_subjects": ["ann"], "exclude": ["dan"]}):
        with pytest.raises(UnknownNameError, match=r"\['dan'\].*\['ann', 'ben', 'cy', 'video:1f/0', 'video:1f/1'\]"):
            SubjectHoldOut(**parameters).split(X, Y, GROUPS, sample_domain=DOMAIN)
    with pytest.raises(UnknownNameError, match=r"\['video:1f/0'\] have virtual rows only.*\['ann', 'ben', 'cy'\]"):
        SubjectHoldOut(test_subjects=["video:1f/0"]).split(X, Y, GROUPS, sample_domain=DOMAIN)


@pytest.mark.parametrize(
    "parameters",
    [
        {"test_subjects": []},
        {"test_subjects": ["ann"], "exclude": ["ann"]},
        {"test_subjects": SUBJECTS, "exclude": ["video:1f/0", "video:1f/1"]},
    ],
)
def test_hold_out_needs_rows_on_both_sides(parameters):
    with pytest.raises(DataFormatError, match="Subjects are needed to test on, others to train on"):
        SubjectHoldOut(**parameters).split(X, Y, GROUPS, sample_domain=DOMAIN)


def test_splitters_can_be_printed_and_copied():
    splitter = SubjectHoldOut(test_subjects=["ann"], random_state=1)
    assert "test_subjects=['ann']" in repr(splitter) and "random_state=1" in repr(splitter)
    copied = clone(splitter, safe=False)
    assert copied is not splitter and copied.test_subjects == ["ann"]


@pytest.mark.parametrize("splitter", [LeaveOneSubjectOut(), SubjectHoldOut(test_subjects=["ann"])])
def test_groups_and_domains_arrive_through_routing_by_default(splitter):
    with sklearn.config_context(enable_metadata_routing=True):
        found = cross_validate(
            DecisionTreeClassifier(), X, Y, cv=splitter, params=NEEDS_BOTH, return_indices=True, error_score="raise"
        )
    for number, (train, test) in enumerate(folds(splitter)):
        assert found["indices"]["train"][number].tolist() == train.tolist()
        assert found["indices"]["test"][number].tolist() == test.tolist()


def test_a_forgotten_domain_is_noticed_with_routing_and_without():
    tree = DecisionTreeClassifier()
    with (
        sklearn.config_context(enable_metadata_routing=True),
        pytest.raises(DataFormatError, match="known from videos only, but sample_domain is missing"),
    ):
        cross_validate(tree, X, Y, cv=LeaveOneSubjectOut(), params={"groups": GROUPS})
    with pytest.raises(DataFormatError, match="known from videos only, but sample_domain is missing"):
        cross_validate(tree, X, Y, cv=LeaveOneSubjectOut(), groups=GROUPS)


def test_without_routing_a_list_of_splits_does():
    splits = folds(LeaveOneSubjectOut())
    found = cross_validate(DecisionTreeClassifier(), X, Y, cv=splits, return_indices=True)
    assert [rows.tolist() for rows in found["indices"]["test"]] == [test.tolist() for _, test in splits]
