"""Batches: every window once an epoch, none copied before its turn."""

import numpy as np
import pytest

from har_virtual.models.networks.batches import Batches, WindowRows


def windows(n_windows=10, n_samples=4, n_channels=2):
    return np.arange(n_windows * n_samples * n_channels, dtype=np.float32).reshape(n_windows, n_samples, n_channels)


def collect(batches):
    first, second = zip(*batches, strict=True)
    return [batch.numpy() for batch in first], [batch.numpy() for batch in second]


def test_in_order_all_rows_come_once():
    X, targets = windows(), np.arange(10)
    inputs, labels = collect(Batches(WindowRows(X, targets), 4))
    assert np.array_equal(np.concatenate(inputs), X) and np.array_equal(np.concatenate(labels), targets)
    assert [len(batch) for batch in inputs] == [4, 4, 2]


def test_shuffled_rows_come_once_with_their_targets_in_another_order_each_epoch():
    X, targets = windows(), np.arange(10)
    batches = Batches(WindowRows(X, targets), 3, np.random.default_rng(0))
    orders = []
    for _ in range(2):
        inputs, labels = collect(batches)
        order = np.concatenate(labels)
        assert np.array_equal(np.concatenate(inputs), X[order])
        assert sorted(order) == list(range(10))
        orders.append(order.tolist())
    assert orders[0] != orders[1]


@pytest.mark.parametrize(
    ("n_windows", "sizes"), [(9, [4, 5]), (8, [4, 4]), (1, [1]), (4, [4]), (5, [5]), (10, [4, 4, 2])]
)
def test_a_single_last_window_joins_the_batch_before(n_windows, sizes):
    batches = Batches(WindowRows(windows(n_windows)), 4)
    assert [len(batch) for batch, _ in batches] == sizes and len(batches) == len(sizes)


def test_a_batch_size_of_one_stays():
    assert [len(batch) for batch, _ in Batches(WindowRows(windows(3)), 1)] == [1, 1, 1]


def test_rows_are_taken_from_the_array_without_a_copy_of_it():
    X = windows()
    rows = WindowRows(X, np.arange(10), np.array([7, 2, 5]))
    assert rows.X is X and len(rows) == 3
    inputs, labels = collect(Batches(rows, 2))
    assert np.array_equal(np.concatenate(inputs), X[[7, 2, 5]])
    assert np.array_equal(np.concatenate(labels), [7, 2, 5])
    one, target = rows[1]
    assert np.array_equal(one, X[2]) and target == 2


def test_short_windows_are_lengthened_at_both_ends():
    X = windows(2, 3, 1)
    taken, _ = WindowRows(X, least_samples=6).take(np.array([0, 1]))
    assert taken[:, :, 0].tolist() == [[0, 0, 1, 2, 2, 2], [3, 3, 4, 5, 5, 5]]


def test_double_precision_becomes_single_batch_by_batch():
    X = windows().astype(np.float64)
    rows = WindowRows(X)
    assert rows.X is X
    assert {batch.numpy().dtype for batch, _ in Batches(rows, 4)} == {np.dtype(np.float32)}


def test_augmentations_act_in_order_on_a_copy():
    X = windows()
    before = X.copy()

    def double(batch, rng):
        batch *= 2
        return batch

    def shift(batch, rng):
        return batch + 1

    inputs, labels = collect(Batches(WindowRows(X, np.arange(10)), 5, np.random.default_rng(0), [double, shift]))
    assert np.array_equal(np.concatenate(inputs), 2 * X[np.concatenate(labels)] + 1)
    assert np.array_equal(X, before)


def test_augmentations_do_not_act_without_a_generator():
    inputs, _ = collect(Batches(WindowRows(windows()), 5, augment=[lambda batch, rng: batch + 1]))
    assert np.array_equal(np.concatenate(inputs), windows())
