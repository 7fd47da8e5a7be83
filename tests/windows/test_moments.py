"""Mean and deviation of channels, summed block by block."""

import numpy as np
import pytest

from har_virtual.windows import _moments


@pytest.mark.parametrize("block", [1, 40, 2**20])
@pytest.mark.parametrize("rows", [None, np.array([4, 1, 1, 10]), np.array([0, 3, 4, 5, 8, 9, 10])])
def test_moments_are_those_of_all_samples_of_the_rows(monkeypatch, rows, block):
    monkeypatch.setattr(_moments, "_BLOCK", block)
    X = (np.random.default_rng(0).normal(size=(11, 7, 2)) * [1, 1e-3] + [0, 9.81]).astype(np.float32)
    samples = (X if rows is None else X[rows]).reshape(-1, 2).astype(np.float64)
    mean, std = _moments.mean_and_std(X, rows)
    assert mean.dtype == std.dtype == np.float64
    np.testing.assert_allclose(mean, samples.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(std, samples.std(axis=0), rtol=1e-9)


def test_windows_are_read_in_blocks_of_about_as_many_values_as_asked_for(monkeypatch):
    monkeypatch.setattr(_moments, "_BLOCK", 100)
    seen = []
    blocks = _moments._blocks
    monkeypatch.setattr(
        _moments, "_blocks", lambda X, rows: (seen.append(values.size) or values for values in blocks(X, rows))
    )
    for rows in (None, np.arange(40)):
        seen.clear()
        _moments.mean_and_std(np.zeros((40, 5, 2)), rows)
        assert max(seen) <= 100 and sum(seen) == 2 * 400
