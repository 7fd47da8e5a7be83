"""What deep estimators share: scale of the inputs, and who validates."""

import numpy as np
import pytest
import torch

from har_virtual.exceptions import DataFormatError
from har_virtual.models import DeepConvLSTMClassifier
from har_virtual.models._validation import hold_out_subjects
from har_virtual.models.networks.scaled import Scaled


def test_a_scaled_network_sees_standard_inputs():
    module = Scaled(torch.nn.Identity(), np.array([1.0, -2.0]), np.array([0.5, 4.0]))
    x = torch.tensor([[[1.0, -2.0], [2.0, 2.0]]])
    assert torch.equal(module(x), torch.tensor([[[0.0, 0.0], [2.0, 1.0]]]))
    assert not list(module.parameters())


def test_a_scaled_network_has_its_mean_and_scale_to_itself():
    mean, scale = np.zeros(1, np.float32), np.ones(1, np.float32)
    module = Scaled(torch.nn.Identity(), mean, scale)
    mean[0], scale[0] = 5, 7
    assert torch.equal(module(torch.ones(1, 1, 1)), torch.ones(1, 1, 1))


def test_who_validates_first_weights_and_training_are_drawn_apart():
    first, again = (
        [rng.integers(2**60) for rng in DeepConvLSTMClassifier(random_state=0)._generators()] for _ in range(2)
    )
    assert first == again and len(set(first)) == 3


def split(groups, virtual=None, classes=None, wanted=1, seed=0):
    n_rows = len(groups)
    virtual = np.zeros(n_rows, bool) if virtual is None else np.array(virtual, dtype=bool)
    classes = np.zeros(n_rows, int) if classes is None else np.array(classes)
    return hold_out_subjects(classes, np.array(groups), virtual, wanted, np.random.default_rng(seed))


def test_all_rows_train_without_groups_or_where_nobody_is_wanted():
    nobody = hold_out_subjects(np.zeros(3, int), None, np.zeros(3, bool), 1, np.random.default_rng(0))
    for found in (nobody, split(["a", "b", "b"], wanted=None)):
        assert found.train.tolist() == [0, 1, 2] and not len(found.validation) and found.names == ()


def test_real_rows_of_the_chosen_validate_and_their_virtual_ones_are_nowhere():
    found = split(["a", "b", "b", "c", "video:1/0"], [0, 0, 1, 0, 1], wanted="b")
    assert (found.train.tolist(), found.validation.tolist(), found.names) == ([0, 3, 4], [1], ("b",))


def test_people_without_real_rows_are_not_drawn():
    groups, virtual = ["a", "a", "video:1/0", "video:2/0"], [0, 0, 1, 1]
    assert {split(groups, virtual, seed=seed).names for seed in range(6)} == {("a",)}
    assert split(groups, virtual).train.tolist() == [2, 3]


def test_every_person_is_drawn_sooner_or_later_and_the_same_seed_draws_the_same():
    groups = ["a", "b", "c", "a", "b", "c"]
    assert {split(groups, seed=seed).names[0] for seed in range(20)} == {"a", "b", "c"}
    assert split(groups, seed=5).names == split(groups, seed=5).names


def test_two_who_alone_share_a_class_are_not_drawn_together():
    groups, classes = ["a", "b", "c", "d", "a", "b", "c", "d"], [1, 1, 0, 0, 0, 0, 0, 0]
    drawn = {frozenset(split(groups, classes=classes, wanted=2, seed=seed).names) for seed in range(20)}
    assert frozenset(("a", "b")) not in drawn and len(drawn) > 2


def test_a_person_named_twice_validates_once():
    assert split(["a", "b", "c"], wanted=["a", "a"]).names == ("a",)


@pytest.mark.parametrize("wanted", [3, 4, ["a", "b", "c"]])
def test_somebody_has_to_train(wanted):
    with pytest.raises(DataFormatError, match="Nobody is left to train"):
        split(["a", "b", "c"], wanted=wanted)


def test_groups_of_another_length_are_refused():
    with pytest.raises(DataFormatError, match="groups names the subject of 1 windows, and there are 3"):
        hold_out_subjects(np.zeros(3, int), ["a"], np.zeros(3, bool), 1, np.random.default_rng(0))
