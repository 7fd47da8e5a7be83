"""Chains of augmentations, and the seven that IMUTube takes over from Um et al."""

import numpy as np
import pytest

from har_virtual.augmentation import Compose, Crop, Jitter, Permutation, Rotation, Scaling, TimeWarp, um_augmentations
from har_virtual.exceptions import DataFormatError


def rng(seed=0):
    return np.random.default_rng(seed)


def windows():
    return rng(7).normal(size=(50, 30, 6)).astype(np.float32)


def doubled(X, rng):
    return 2 * X


def with_one_more(X, rng):
    return X + 1


def test_steps_act_in_their_order():
    np.testing.assert_array_equal(Compose([doubled, with_one_more])(windows(), rng()), 2 * windows() + 1)
    np.testing.assert_array_equal(Compose([with_one_more, doubled])(windows(), rng()), 2 * (windows() + 1))


def test_a_window_goes_through_all_steps_or_none():
    changed = Compose([doubled, with_one_more], p=0.4)(windows(), rng())
    through = (changed == 2 * windows() + 1).all(axis=(1, 2))
    untouched = (changed == windows()).all(axis=(1, 2))
    assert (through ^ untouched).all() and 8 < through.sum() < 32


def test_steps_draw_one_after_the_other_from_one_source():
    source = rng()
    source.random(50)
    expected = windows()
    for step in (Permutation(p=0.5), Scaling(), Jitter(p=0.3)):
        expected = step(expected, source)
    np.testing.assert_array_equal(Compose([Permutation(p=0.5), Scaling(), Jitter(p=0.3)])(windows(), rng()), expected)


def test_a_chain_within_a_chain_acts():
    chain = Compose([Compose([doubled]), Compose([with_one_more], p=0.0)])
    np.testing.assert_array_equal(chain(windows(), rng()), 2 * windows())


def test_a_function_of_one_s_own_keeps_float32_and_may_return_what_it_got():
    assert Compose([lambda X, rng: X.astype(np.float64) / 3])(windows(), rng()).dtype == np.float32
    X = windows()
    np.testing.assert_array_equal(Compose([lambda X, rng: X])(X, rng()), X)


def test_a_function_that_keeps_what_it_got_does_not_see_it_change():
    seen = []
    Compose([lambda X, rng: seen.append(X) or X, doubled, Jitter()])(windows(), rng())
    np.testing.assert_array_equal(seen[0], windows())


def test_a_function_that_changes_the_shape_is_refused():
    with pytest.raises(DataFormatError, match=r"gave shape \(50, 1, 6\) for windows of shape \(50, 30, 6\)"):
        Compose([lambda X, rng: X.mean(axis=1, keepdims=True)])(windows(), rng())


@pytest.mark.parametrize("steps", [[], None, Jitter(), "jitter", {Jitter()}])
def test_steps_that_are_no_list_are_refused(steps):
    with pytest.raises(DataFormatError, match="steps must be a list of augmentations"):
        Compose(steps)


@pytest.mark.parametrize("step", [Jitter, "jitter", None, 0.5, lambda X: X])
def test_a_step_that_cannot_be_called_with_windows_and_a_generator_is_refused(step):
    with pytest.raises(DataFormatError, match=r"steps\[1\].*augmentation is called|steps\[1\] is the class Jitter"):
        Compose([Crop(), step])


def test_um_augmentations_are_seven_each_with_the_probability_given():
    steps = um_augmentations(p=0.3).steps
    assert len(steps) == len({type(step) for step in steps}) == 7
    assert {step.p for step in steps} == {0.3}
    assert {step.p for step in um_augmentations().steps} == {0.5}
    assert um_augmentations().p == 1.0


def test_um_augmentations_hand_the_names_to_the_rotation():
    names = [f"chest_{quantity}_{axis}" for quantity in ("acc", "gyr") for axis in "xyz"]
    (rotation,) = (step for step in um_augmentations(channels=names).steps if isinstance(step, Rotation))
    assert rotation == Rotation(channels=names, p=0.5)


@pytest.mark.parametrize("channels", ["chest_acc_x", 3])
def test_names_that_are_none_are_refused_before_any_window_comes(channels):
    with pytest.raises(DataFormatError, match="must be a sequence of names"):
        um_augmentations(channels=channels)


def test_a_window_escapes_all_seven_as_often_as_chance_says():
    X = rng(7).normal(size=(4000, 8, 3))
    same = (um_augmentations(p=0.5)(X, rng()) == X).all(axis=(1, 2))
    # A permutation of four segments is the old order one time in 24.
    expected = 0.5**6 * (0.5 + 0.5 / 24)
    assert same.mean() == pytest.approx(expected, abs=4 * np.sqrt(expected / 4000))


def test_noise_comes_last():
    steps = [type(step) for step in um_augmentations().steps]
    assert steps[-1] is Jitter
    assert max(steps.index(kind) for kind in (Crop, Permutation, TimeWarp)) < steps.index(Rotation)
