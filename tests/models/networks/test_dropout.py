from __future__ import annotations

import pytest
import torch

from har_virtual.models.networks.dropout import SeededDropout


def seeded(p: float, seed: int) -> SeededDropout:
    dropout = SeededDropout(p)
    dropout.generator = torch.Generator().manual_seed(seed)
    return dropout


def test_a_share_p_is_dropped_and_the_rest_makes_up_for_it():
    dropped = seeded(0.25, 0)(torch.full((100, 1000), 3.0))
    assert set(dropped.unique().tolist()) == {0.0, 4.0}
    # Three standard deviations of a share of 100,000.
    assert (dropped == 0).float().mean().item() == pytest.approx(0.25, abs=3 * (0.25 * 0.75 / 1e5) ** 0.5)


def test_one_seed_gives_one_mask_and_moves_no_global_stream():
    ones, state = torch.ones(50, 50), torch.get_rng_state()
    assert torch.equal(seeded(0.5, 7)(ones), seeded(0.5, 7)(ones))
    assert not torch.equal(seeded(0.5, 7)(ones), seeded(0.5, 8)(ones))
    assert torch.equal(state, torch.get_rng_state())


def test_the_second_mask_is_another():
    dropout, ones = seeded(0.5, 7), torch.ones(50, 50)
    assert not torch.equal(dropout(ones), dropout(ones))


def test_without_a_generator_it_draws_from_the_global_stream():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        first = SeededDropout(0.5)(torch.ones(50, 50))
        torch.manual_seed(3)
        assert torch.equal(SeededDropout(0.5)(torch.ones(50, 50)), first)


def test_evaluation_and_p_of_zero_change_nothing():
    values = torch.arange(6.0)
    assert SeededDropout(0.9).eval()(values) is values
    assert SeededDropout(0.0)(values) is values


def test_p_of_one_leaves_zeros():
    assert torch.equal(SeededDropout(1.0)(torch.arange(6.0)), torch.zeros(6))


def test_gradients_pass_where_values_do():
    values = torch.ones(200, requires_grad=True)
    dropped = seeded(0.5, 0)(values)
    dropped.sum().backward()
    assert torch.equal(values.grad, dropped.detach())


@pytest.mark.parametrize("p", [-0.1, 1.1])
def test_p_is_a_share(p):
    with pytest.raises(ValueError, match="between 0 and 1"):
        SeededDropout(p)
