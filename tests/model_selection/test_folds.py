"""Folds: who trains, validates and is tested never mix, whatever the order of rows, names, domains and budgets."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from har_virtual.datasets import load_opportunity, load_pamap2, load_realworld
from har_virtual.exceptions import DataFormatError, UnknownNameError
from har_virtual.model_selection import (
    IMUTUBE_HOLD_OUTS,
    HoldOut,
    LeaveOneSubjectOut,
    SubjectFold,
    SubjectHoldOut,
    subject_folds,
)

# Real rows of four people, two runs of each class; virtual ones (*) of two of them and of two people from videos.
SOURCES = "s/2 s/10 video:1f/0* s/2* s/1 s/10* s/3 video:1f/1*"
RUNS = [
    (source.rstrip("*"), label, domain)
    for source in SOURCES.split()
    for domain in [int(source.endswith("*"))]
    for label in ["walk", "sit"] * (2 if domain == 0 else 1)
]
GROUPS, Y, DOMAIN = (np.repeat([run[field] for run in RUNS], 6) for field in range(3))
FILMED = {"video:1f/0", "video:1f/1"}


def folds(**changes):
    given = {"y": Y, "groups": GROUPS, "sample_domain": DOMAIN} | changes
    return subject_folds(given.pop("y"), given.pop("groups"), given.pop("sample_domain"), **given)


def budget(windows, **changes):
    return folds(**({"real_seconds_per_class": windows * 0.5, "window_step_s": 0.5, "random_state": 0} | changes))


def real_rows_of(*subjects):
    return np.flatnonzero(np.isin(GROUPS, subjects) & (DOMAIN == 0)).tolist()


def real_training_rows(fold):
    return fold.train[DOMAIN[fold.train] == 0].tolist()


def test_the_next_subject_in_order_of_numbers_validates_and_the_first_follows_the_last():
    found = [(fold.tested, fold.validated) for fold in folds(validate=True)]
    assert found == [
        (("s/1",), ("s/2",)),
        (("s/10",), ("s/1",)),
        (("s/2",), ("s/3",)),
        (("s/3",), ("s/10",)),
    ]


def test_numbers_may_name_subjects():
    groups = np.repeat([101, 9, 10], 2)
    found = subject_folds(groups, groups, validate=True)
    assert [(fold.tested, fold.validated) for fold in found] == [((9,), (10,)), ((10,), (101,)), ((101,), (9,))]


def test_validation_and_test_rows_are_all_real_rows_of_their_subjects():
    for fold in folds(validate=True):
        assert fold.validation.tolist() == real_rows_of(*fold.validated)
        assert fold.test.tolist() == real_rows_of(*fold.tested)


def test_all_rows_of_the_others_train_and_nothing_made_from_those_who_validate_or_are_tested():
    for fold in folds(validate=True):
        absent = [*fold.validated, *fold.tested]
        assert fold.train.tolist() == np.flatnonzero(~np.isin(GROUPS, absent)).tolist()
        assert set(GROUPS[fold.train]) >= FILMED


def test_without_validation_the_folds_and_their_draws_are_those_of_leave_one_subject_out():
    parameters = {"real_seconds_per_class": 4.0, "window_step_s": 0.5, "random_state": 3}
    for given in ({}, parameters, parameters | {"max_block_s": 1.0}):
        theirs = LeaveOneSubjectOut(**given).split(Y, Y, GROUPS, sample_domain=DOMAIN)
        for fold, (train, test) in zip(folds(**given), theirs, strict=True):
            assert fold.train.tolist() == train.tolist() and fold.test.tolist() == test.tolist()
            assert not len(fold.validation) and fold.validated == ()


def test_a_hold_out_is_one_fold_of_its_subjects():
    [fold] = folds(hold_out=HoldOut(validation=("s/1", "s/10"), test="s/2"))
    assert (fold.validated, fold.tested) == (("s/1", "s/10"), ("s/2",))
    assert fold.validation.tolist() == real_rows_of("s/1", "s/10")
    assert fold.test.tolist() == real_rows_of("s/2")
    assert set(GROUPS[fold.train]) == {"s/3", *FILMED}


def test_a_hold_out_may_do_without_validation():
    [fold] = folds(hold_out=HoldOut(validation=(), test="s/2"))
    assert not len(fold.validation) and set(GROUPS[fold.train]) == {"s/1", "s/10", "s/3", *FILMED}
    with pytest.raises(DataFormatError, match="validate=True needs a subject to validate on"):
        folds(hold_out=HoldOut(validation=(), test="s/2"), validate=True)


def test_a_hold_out_draws_the_budget_of_subject_hold_out():
    parameters = {"real_seconds_per_class": 4.0, "window_step_s": 0.5, "random_state": 0}
    [fold] = folds(hold_out=HoldOut("s/1", "s/2"), **parameters)
    splitter = SubjectHoldOut(test_subjects="s/2", exclude="s/1", **parameters)
    [(train, test)] = splitter.split(Y, Y, GROUPS, sample_domain=DOMAIN)
    assert fold.train.tolist() == train.tolist() and fold.test.tolist() == test.tolist()


def test_a_budget_cuts_real_training_rows_and_nothing_else():
    for fold, whole in zip(budget(8, validate=True), folds(validate=True), strict=True):
        kept = real_training_rows(fold)
        assert np.unique(Y[kept], return_counts=True)[1].tolist() == [8, 8]
        assert set(kept) < set(real_training_rows(whole))
        assert set(fold.train) - set(kept) == set(whole.train) - set(real_training_rows(whole))
        assert fold.validation.tolist() == whole.validation.tolist() and fold.test.tolist() == whole.test.tolist()


def test_the_rows_of_a_smaller_budget_are_among_those_of_a_larger_one_in_every_fold():
    for seed in range(5):
        draws = [budget(n, validate=True, random_state=seed) for n in (1, 3, 6, 12, 24)]
        for smaller, larger in itertools.pairwise(draws):
            assert all(set(a.train) < set(b.train) for a, b in zip(smaller, larger, strict=True))


def test_each_fold_draws_for_itself_and_a_seed_draws_the_same_again():
    # Four people alike: were the draws not independent, each fold would keep rows at the same places.
    groups, y = np.repeat(["a", "b", "c", "d"], 40), np.tile("walk", 160)
    parameters = {"real_seconds_per_class": 5, "window_step_s": 1, "max_block_s": 1}

    def draw(seed):
        found = subject_folds(y, groups, validate=True, random_state=seed, **parameters)
        return [np.searchsorted(np.flatnonzero(~np.isin(groups, f.validated + f.tested)), f.train) for f in found]

    assert len({tuple(places) for places in draw(0)}) == 4
    assert [places.tolist() for places in draw(0)] == [places.tolist() for places in draw(0)]
    assert draw(0)[0].tolist() != draw(1)[0].tolist()


def test_the_draw_looks_neither_at_those_who_are_tested_nor_at_those_who_validate():
    for fold, number in zip(budget(8, validate=True), itertools.count()):
        absent = np.isin(GROUPS, fold.tested + fold.validated)
        y = np.where(absent, np.random.default_rng(0).permutation(Y), Y)
        assert budget(8, validate=True, y=y)[number].train.tolist() == fold.train.tolist()


def test_a_shortage_names_all_who_do_not_train():
    y = np.where(np.isin(GROUPS, ["s/1", "s/2"]) & (Y == "sit"), "jump", Y)
    with pytest.raises(DataFormatError, match=r"'jump' has 0 s .* when \['s/1', 's/2'\] is held out"):
        budget(2, y=y, validate=True)
    first, *_ = budget(2, y=y, validate=True, shortage="keep_all")
    assert set(y[first.train]) == {"walk", "sit"}


def test_a_class_may_be_missing_in_any_part_and_a_subject_may_have_one_class():
    y = np.where(GROUPS == "s/3", "jump", Y)
    of_tested = {fold.tested: fold for fold in folds(y=y, validate=True)}
    assert set(y[of_tested["s/3",].test]) == {"jump"} and "jump" not in y[of_tested["s/3",].train]
    assert set(y[of_tested["s/2",].validation]) == {"jump"}


def test_parts_are_disjoint_by_row_and_by_person_whatever_the_rows():
    for seed in range(25):
        rng = np.random.default_rng(seed)
        people = [f"d/{number}" for number in rng.permutation(20)[: rng.integers(3, 9)]]
        domain = rng.integers(0, 2, 80)
        groups = np.concatenate([people, rng.choice(people, 80 - len(people))])
        domain[: len(people)] = 0
        for fold in subject_folds(groups, groups, domain, validate=True):
            parts = [set(groups[fold.train]), set(groups[fold.validation]), set(groups[fold.test])]
            assert all(not a & b for a, b in itertools.combinations(parts, 2))
            assert not domain[fold.validation].any() and not domain[fold.test].any()


@pytest.mark.parametrize(
    ("parts", "validated", "message"),
    [
        (([0, 1], [2], [2, 3]), ("b",), r"1 rows .*row 2 in \['validation', 'test'\]"),
        (([0, 1], [1], [3]), ("b",), r"row 1 in \['train', 'validation'\]"),
        (([0, 3], [2], [3]), ("b",), r"row 3 in \['train', 'test'\]"),
        (([0, 1], [2], [3]), ("b", "c"), r"\['c'\] are both validated and tested"),
    ],
)
def test_a_fold_whose_parts_overlap_cannot_be_made(parts, validated, message):
    with pytest.raises(DataFormatError, match=message):
        SubjectFold(*(np.array(part) for part in parts), validated=validated, tested=("c",))


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"hold_out": HoldOut("s/1", "s/1")}, DataFormatError, r"\['s/1'\] are both validated and tested"),
        ({"hold_out": HoldOut(("s/2", "s/1"), ("s/3", "s/1"))}, DataFormatError, r"\['s/1'\] are both validated"),
        ({"hold_out": HoldOut("s/9", "s/1")}, UnknownNameError, r"no subject \['s/9'\]"),
        ({"hold_out": HoldOut("s/1", "s/9")}, UnknownNameError, r"no subject \['s/9'\]"),
        ({"hold_out": HoldOut("s/1", "video:1f/0")}, UnknownNameError, "virtual rows only, none to test on"),
        ({"hold_out": HoldOut("video:1f/0", "s/1")}, UnknownNameError, "virtual rows only, none to validate on"),
        ({"hold_out": HoldOut("s/1", ())}, DataFormatError, "Subjects are needed to test on"),
        ({"hold_out": "realworld"}, DataFormatError, r"IMUTUBE_HOLD_OUTS\['realworld'\], not 'realworld'"),
        ({"hold_out": ("s/1", "s/2")}, DataFormatError, "hold_out must be HoldOut"),
        ({"groups": None}, DataFormatError, "groups is missing"),
        ({"sample_domain": None}, DataFormatError, "known from videos only"),
        ({"y": Y[:-1]}, ValueError, "inconsistent numbers of samples"),
        ({"random_state": "0"}, DataFormatError, "random_state must be an int"),
        ({"sample_domain": np.ones_like(DOMAIN)}, DataFormatError, "there are no real rows at all"),
    ],
)
def test_folds_that_cannot_be_made_are_refused(changes, error, message):
    with pytest.raises(error, match=message):
        folds(**changes)


def test_three_subjects_need_real_rows_to_validate_and_two_to_test():
    of_two = np.where(np.isin(GROUPS, ["s/1", "s/2"]), DOMAIN, 1)
    with pytest.raises(DataFormatError, match=r"3 subjects need real rows, .*; there are \['s/1', 's/2'\]"):
        folds(sample_domain=of_two, validate=True)
    assert [fold.tested for fold in folds(sample_domain=of_two)] == [("s/1",), ("s/2",)]
    with pytest.raises(DataFormatError, match=r"2 subjects need real rows, .*; there are \['s/1'\]"):
        folds(sample_domain=np.where(GROUPS == "s/1", DOMAIN, 1))


@pytest.mark.parametrize(
    ("name", "load"), [("realworld", load_realworld), ("opportunity", load_opportunity), ("pamap2", load_pamap2)]
)
def test_imutubes_hold_outs_are_subjects_as_the_loaders_spell_them(name, load):
    home = Path(__file__).parents[2] / "datasets" / name
    recording = load(home, cache=False)[0]
    for group in IMUTUBE_HOLD_OUTS[name]:
        subject = group.split("/")[1]
        assert recording.replace(subject=subject).group == group
        with pytest.raises(UnknownNameError, match=f"no file of subject {subject}, who is in "):
            load(home, subjects=subject, cache=False)
