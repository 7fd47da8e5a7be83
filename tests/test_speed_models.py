from __future__ import annotations

import importlib
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("skorch")

TINY = {"n_filters": 2, "lstm_size": 4, "n_lstm_layers": 1}


@pytest.fixture(scope="module")
def benchmark():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[1] / "benchmarks"))
        return importlib.import_module("speed_models")


def test_the_classifier_trains_as_the_bare_loop_does(benchmark):
    assert benchmark.largest_loss_difference(20, 3, **TINY) < 1e-6


def test_training_copies_batches_of_the_windows_only():
    from har_virtual.models import DeepConvLSTMClassifier

    X = np.random.default_rng(0).standard_normal((6000, 18, 30), dtype=np.float32)
    y, groups = np.arange(len(X)) % 2, np.where(np.arange(len(X)) % 10 == 0, "b", "a")
    # The scale is learned from blocks of thousands of windows, which are more than these.
    tiny = DeepConvLSTMClassifier(
        **{**TINY, "kernel_size": 1, "n_conv_layers": 1},
        max_epochs=1,
        validation_subjects="b",
        scale=False,
        device="cpu",
    )
    # What is imported at the first fit is no copy.
    tiny.fit(X[:200], y[:200], groups=groups[:200])
    tracemalloc.start()
    try:
        tiny.fit(X, y, groups=groups)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < X.nbytes / 4


def test_a_batch_is_timed_where_it_is_taken(benchmark):
    epoch = benchmark.classifier_epoch(*benchmark.draw_windows(17, 1, 300))
    assert len(epoch.steps_s) == 2
    assert sum(epoch.steps_s) < epoch.epoch_s
    assert epoch.besides_s > 0
