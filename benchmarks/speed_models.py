"""Training DeepConvLSTMClassifier against the same network in a bare PyTorch loop, and what else fit and predict cost.

    python benchmarks/speed_models.py [--quick]

takes about five minutes on two cores; --quick tries everything in under one and keeps nothing. Where torch sees a GPU,
it is measured as well, which takes some minutes more.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from copy import deepcopy
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from _common import write_result
from _epochs import (
    BATCH_SIZE,
    LR,
    N_CLASSES,
    SEED,
    WEIGHT_DECAY,
    Case,
    Epoch,
    bare_epoch,
    classifier_epoch,
    draw_windows,
)
from _epochs_gpu import GPU_PROTOCOL, on_gpu
from torch import nn

from har_virtual.augmentation import um_augmentations
from har_virtual.models import DeepConvLSTMClassifier
from har_virtual.models.networks.batches import Batches, WindowRows
from har_virtual.models.networks.deep_conv_lstm import DeepConvLSTM

TARGET, EPOCHS_OF_MEMORY = 1.1, 3
CASES = (Case(30, 9, 20, 9), Case(30, 21, 12, 9), Case(24, 113, 8, 11))
QUICK_CASES = tuple(case._replace(n_steps=2, n_rounds=2) for case in CASES)
GPU_CASES = tuple(case._replace(n_steps=100, n_rounds=5) for case in CASES)

PROTOCOL = f"""
Standard normal windows, float32, {N_CLASSES} classes drawn at random; batches of {BATCH_SIZE}; fused Adam with learning
rate {LR:g} and weight decay {WEIGHT_DECAY:g}; torch's own number of threads, n_threads. classifier:
DeepConvLSTMClassifier, one epoch by fit, as it comes. bare: DeepConvLSTM of the same package, new in each round, in a
loop that shuffles, takes a batch from a tensor of windows scaled beforehand, and steps, in the same process. Both in
turns, who is first alternates, after one epoch each that does not count. step_ms: from one batch's beginning to the
next one's, all rounds together; epoch_s: of the classifier as its history has it. Ratios are classifier over bare, a
round at a time: median, lowest and highest round; of_fastest is the ratio of the fastest times. target: of the step's
median, at most {TARGET}. fit_besides_epochs_s: the rest of fit (checks, scale, weights, optimizer).
largest_loss_difference: 5 epochs of one batch, no dropout, same first weights, largest difference between both losses.
data_handling: taking a batch from the array and making it a tensor, alone, and its share of the bare step.
augmentation: um_augmentations(p=0.5) on a batch, alone, each of its steps with p=0.5, and the whole's share of the bare
step. prediction: predict_proba on n_windows against the bare network in batches of {BATCH_SIZE}, in turns. memory: a
fresh process; windows of 24 x 113, a tiny network (one of everything), two subjects of whom one, a tenth of the
windows, validates, {EPOCHS_OF_MEMORY} epochs; highest resident memory (VmHWM) before fit, when the windows are there
and a small fit has loaded everything, at the first batch, at the last batch of each epoch, and after fit. growth: from
the first epoch's end to the end; fit_needs: from before fit to the end; both as shares of the windows' bytes.
"""


def in_turns(candidates: dict[str, Callable[[], Any]], n_rounds: int) -> dict[str, list[Any]]:
    """Call all candidates once for nothing, then in each round, in turned order every other time."""
    for function in candidates.values():
        function()
    turns = []
    for number in range(n_rounds):
        names = list(candidates)[:: -1 if number % 2 else 1]
        turns.append({name: candidates[name]() for name in names})
    return {name: [turn[name] for turn in turns] for name in candidates}


def ratio(over: list[float], under: list[float]) -> dict[str, float]:
    """Compare round by round."""
    pairs = [a / b for a, b in zip(over, under, strict=True)]
    figures = {
        "median": median(pairs),
        "lowest": min(pairs),
        "highest": max(pairs),
        "of_fastest": min(over) / min(under),
    }
    return {name: round(value, 3) for name, value in figures.items()}


def summary(epochs: list[Epoch]) -> dict[str, float]:
    steps = [step for epoch in epochs for step in epoch.steps_s]
    return {
        "step_ms": round(1e3 * median(steps), 3),
        "fastest_step_ms": round(1e3 * min(steps), 3),
        "epoch_s": round(median(epoch.epoch_s for epoch in epochs), 4),
    }


def training(case: Case) -> dict[str, Any]:
    """The classifier's epoch and step against the bare loop's."""
    X, y = draw_windows(case.n_samples, case.n_channels, case.n_steps * BATCH_SIZE)
    scaled, targets = torch.from_numpy((X - X.mean((0, 1))) / X.std((0, 1))), torch.from_numpy(y)
    candidates = {
        "classifier": lambda: classifier_epoch(X, y),
        "bare": lambda: bare_epoch(scaled, targets, DeepConvLSTM(case.n_channels, N_CLASSES)),
    }
    epochs = in_turns(candidates, case.n_rounds)
    steps, whole = (
        {name: [take(epoch) for epoch in turns] for name, turns in epochs.items()}
        for take in (lambda epoch: median(epoch.steps_s), lambda epoch: epoch.epoch_s)
    )
    return {
        "n_steps": case.n_steps,
        "n_rounds": case.n_rounds,
        "n_parameters": sum(p.numel() for p in DeepConvLSTM(case.n_channels, N_CLASSES).parameters()),
        "step_ratio": ratio(steps["classifier"], steps["bare"]),
        "epoch_ratio": ratio(whole["classifier"], whole["bare"]),
        **{name: summary(turns) for name, turns in epochs.items()},
        "fit_besides_epochs_s": round(median(epoch.besides_s for epoch in epochs["classifier"]), 4),
    }


def largest_loss_difference(n_samples: int = 30, n_channels: int = 9, **architecture: int) -> float:
    """Train both on one batch for 5 epochs, without dropout, from the same weights: nothing else is random."""
    X, y = draw_windows(n_samples, n_channels, BATCH_SIZE)
    model = DeepConvLSTMClassifier(
        dropout=0.0,
        lr=LR,
        weight_decay=WEIGHT_DECAY,
        max_epochs=5,
        validation_subjects=None,
        device="cpu",
        random_state=SEED,
        **architecture,
    )
    still = deepcopy(model).set_params(lr=1e-30, max_epochs=1).fit(X, y)
    network, losses = still.net_.module_.network.train(), []
    scaled, targets = torch.from_numpy((X - still.mean_) / still.scale_), torch.from_numpy(y)
    optimizer = torch.optim.Adam(network.parameters(), LR, weight_decay=WEIGHT_DECAY, fused=True)
    for _ in range(5):
        optimizer.zero_grad()
        loss = nn.CrossEntropyLoss()(network(scaled), targets)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return float(np.abs(model.fit(X, y).history_["train_loss"] - losses).max())


def milliseconds(function: Callable[[], Any], n_rounds: int = 21) -> float:
    """Median time of a call, after one that does not count."""
    function()
    times = []
    for _ in range(n_rounds):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return 1e3 * median(times)


def data_handling(case: Case, step_ms: float) -> dict[str, float]:
    """What a batch costs before the network sees it."""
    X, y = draw_windows(case.n_samples, case.n_channels, 50 * BATCH_SIZE)
    batches = Batches(WindowRows(X, y), BATCH_SIZE, np.random.default_rng(SEED))
    batch_ms = milliseconds(lambda: sum(len(targets) for _, targets in batches)) / 50
    return {"batch_ms": round(batch_ms, 4), "share_of_step": round(batch_ms / step_ms, 5)}


def augmentation(case: Case, step_ms: float) -> dict[str, Any]:
    """What augmenting a batch costs."""
    X, _ = draw_windows(case.n_samples, case.n_channels, BATCH_SIZE)
    rng = np.random.default_rng(SEED)
    augment = um_augmentations(channels=channel_names(case.n_channels))
    whole_ms = milliseconds(partial(augment, X, rng))
    return {
        "batch_ms": round(whole_ms, 3),
        "share_of_step": round(whole_ms / step_ms, 4),
        "each_ms": {type(step).__name__: round(milliseconds(partial(step, X, rng)), 3) for step in augment.steps},
    }


def channel_names(n_channels: int) -> list[str]:
    """As many triads as there are, and switches."""
    triads = [f"site{number}_acc_{axis}" for number in range(n_channels // 3) for axis in "xyz"]
    return triads + [f"switch{number}" for number in range(n_channels % 3)]


def prediction(case: Case) -> dict[str, Any]:
    """Windows a second of a trained classifier, and of its bare network."""
    n_windows = case.n_steps * BATCH_SIZE
    X, y = draw_windows(case.n_samples, case.n_channels, n_windows)
    model = DeepConvLSTMClassifier(max_epochs=1, lr=LR, validation_subjects=None, device="cpu", random_state=SEED)
    model.fit(X[:BATCH_SIZE], y[:BATCH_SIZE])
    scaled, network = torch.from_numpy((X - model.mean_) / model.scale_), model.net_.module_.network.eval()

    def bare() -> np.ndarray:
        with torch.inference_mode():
            return torch.cat([network(batch).softmax(1) for batch in scaled.split(BATCH_SIZE)]).numpy()

    equal = float(np.abs(bare() - model.predict_proba(X)).max())
    candidates = {"classifier": lambda: seconds(lambda: model.predict_proba(X)), "bare": lambda: seconds(bare)}
    times = in_turns(candidates, min(case.n_rounds, 5))
    return {
        "n_windows": n_windows,
        "windows_per_second": {name: round(n_windows / median(turns), 1) for name, turns in times.items()},
        "ratio": ratio(times["classifier"], times["bare"]),
        "largest_difference": equal,
    }


def seconds(function: Callable[[], Any]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


class PeakAtEpochs:
    """An augmentation that changes nothing: it notes the highest memory at the first batch and each epoch's last."""

    def __init__(self, n_batches: int) -> None:
        self.n_batches, self.n_seen = n_batches, 0
        self.peaks_mib: list[float] = []

    def __call__(self, X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        if self.n_seen == 0 or self.n_seen % self.n_batches == self.n_batches - 1:
            self.peaks_mib.append(peak_mib())
        self.n_seen += 1
        return X


def peak_mib() -> float:
    """Highest resident memory of this process so far."""
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) / 1024


def memory(windows_gib: float) -> dict[str, Any]:
    """Memory of a fit on many windows; to be called in a process of its own."""
    X, y = draw_windows(24, 113, int(windows_gib * 2**30 / (24 * 113 * 4)))
    groups = np.where(np.arange(len(X)) % 10 == 0, "b", "a")
    n_batches = -(-np.count_nonzero(groups == "a") // BATCH_SIZE)
    peaks = PeakAtEpochs(n_batches)
    tiny = dict.fromkeys(("n_filters", "kernel_size", "n_conv_layers", "lstm_size", "n_lstm_layers"), 1)
    model = DeepConvLSTMClassifier(**tiny, max_epochs=EPOCHS_OF_MEMORY, validation_subjects="b", device="cpu")
    deepcopy(model).fit(X[:200], y[:200], groups=groups[:200])
    before_mib = peak_mib()
    model.set_params(augment=peaks).fit(X, y, groups=groups)
    after_mib, windows_mib = peak_mib(), X.nbytes / 2**20
    first, *by_epoch = peaks.peaks_mib
    return {
        "windows_mib": round(windows_mib, 1),
        "before_mib": round(before_mib, 1),
        "at_first_batch_mib": round(first, 1),
        "by_epoch_mib": [round(peak, 1) for peak in by_epoch],
        "after_mib": round(after_mib, 1),
        "growth": round((after_mib - by_epoch[0]) / windows_mib, 4),
        "fit_needs": round((after_mib - before_mib) / windows_mib, 4),
    }


def in_a_process(function: Callable[..., Any], *args: Any) -> Any:
    """Call it in a fresh process, whose memory is its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *args).result()


def measure(cases: tuple[Case, ...], gpu_cases: tuple[Case, ...], memory_gib: float) -> dict[str, Any]:
    """All figures."""
    results: dict[str, Any] = {"n_threads": torch.get_num_threads(), "target": TARGET}
    if sys.platform == "linux":
        results["memory"] = in_a_process(memory, memory_gib)
    results["largest_loss_difference"] = largest_loss_difference()
    for case in cases:
        trained = training(case)
        step_ms = trained["bare"]["step_ms"]
        results[case.name] = {
            **trained,
            "data_handling": data_handling(case, step_ms),
            "augmentation": augmentation(case, step_ms),
            "prediction": prediction(case),
        }
    if torch.cuda.is_available():
        results["gpu"] = {"device": torch.cuda.get_device_name(), **{case.name: on_gpu(case) for case in gpu_cases}}
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few steps, to try it out; then nothing is kept")
    if parser.parse_args().quick:
        print(measure(QUICK_CASES, QUICK_CASES, memory_gib=0.1))
        return
    results = measure(CASES, GPU_CASES, memory_gib=1.0)
    print(results)
    write_result("speed_models", PROTOCOL + (GPU_PROTOCOL if "gpu" in results else ""), results, seed=SEED)


if __name__ == "__main__":
    main()
