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


def test_an_epoch_of_the_bare_loop_is_an_epoch_of_the_classifier(benchmark):
    import torch

    X, y = benchmark.draw_windows(20, 3, 100)
    model = benchmark.DeepConvLSTMClassifier(
        **TINY,
        dropout=0.0,
        lr=benchmark.LR,
        weight_decay=benchmark.WEIGHT_DECAY,
        max_epochs=1,
        validation_subjects=None,
        device="cpu",
        random_state=0,
    )
    still = benchmark.deepcopy(model).set_params(lr=1e-30).fit(X, y)
    network = still.net_.module_.network.eval()
    for weights in network.parameters():
        weights.grad = torch.ones_like(weights)
    scaled = torch.from_numpy((X - still.mean_) / still.scale_)
    benchmark.bare_epoch(scaled, torch.from_numpy(y), network)
    assert network.training
    trained = model.fit(X, y).net_.module_.network.state_dict()
    for name, weights in network.state_dict().items():
        torch.testing.assert_close(weights, trained[name], atol=2e-6, rtol=0, msg=name)


def test_both_loops_train_in_batches_of_the_same_size(benchmark):
    import torch

    X, y = benchmark.draw_windows(17, 1, 300)
    bare = benchmark.bare_epoch(torch.from_numpy(np.array(X)), torch.from_numpy(y), benchmark.DeepConvLSTM(1, 8))
    assert len(bare.steps_s) == len(benchmark.classifier_epoch(X, y).steps_s) == 2
    assert sum(bare.steps_s) < bare.epoch_s


def test_who_is_first_alternates_and_a_ratio_is_of_the_same_round(benchmark):
    called = []
    times = iter((0.0, 0.0, 6.0, 2.0, 1.0, 4.0))
    candidates = {name: lambda name=name: called.append(name) or next(times) for name in "ab"}
    turns = benchmark.in_turns(candidates, 2)
    assert called == [*"ab", *"ab", *"ba"] and turns == {"a": [6.0, 4.0], "b": [2.0, 1.0]}
    assert benchmark.ratio(turns["a"], turns["b"]) == {"median": 3.5, "lowest": 3.0, "highest": 4.0, "of_fastest": 4.0}


# Importing torch's compiler takes seconds, and warns.
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_gpu_is_tried_with_bfloat16_and_with_compilation(benchmark):
    import torch

    gpu = importlib.import_module("_epochs_gpu")
    made = {name: (network, precision) for name, network, precision in gpu.variants(3, "cpu")}
    compiled = {name: isinstance(network, torch._dynamo.OptimizedModule) for name, (network, _) in made.items()}
    assert compiled == {"bare": False, "bf16": False, "compiled": True, "both": True}
    for name, (_, precision) in made.items():
        with precision or torch.no_grad():
            product = torch.ones(2, 2) @ torch.ones(2, 2)
        assert product.dtype == (torch.bfloat16 if name in ("bf16", "both") else torch.float32)


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
