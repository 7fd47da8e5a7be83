"""Training on a GPU: absolute times, how busy it is, and what bfloat16 and compilation change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from statistics import median
from typing import Any

import numpy as np
import torch
from _epochs import BATCH_SIZE, N_CLASSES, Case, Epoch, bare_epoch, classifier_epoch, draw_windows

from har_virtual.models.networks.deep_conv_lstm import DeepConvLSTM

GPU_PROTOCOL = """
gpu: the same on the GPU; bare has all windows there beforehand; an epoch ends by a synchronisation, and a step is an
epoch by its steps. busy: time in kernels, as torch's profiler adds it up, over the wall time of an epoch, profiled
apart. bf16: the bare loop in autocast of bfloat16; compiled: the network through torch.compile, two epochs beforehand;
both: together.
"""


def on_gpu(case: Case, device: str = "cuda") -> dict[str, Any]:
    """Absolute times on a GPU, how busy it is, and what bfloat16 and compilation change."""
    X, y = draw_windows(case.n_samples, case.n_channels, case.n_steps * BATCH_SIZE)
    scaled, targets = torch.from_numpy(np.array(X)).to(device), torch.from_numpy(y).to(device)
    candidates: dict[str, Callable[[], Epoch]] = {"classifier": partial(classifier_epoch, X, y, device)}
    for name, network, precision in variants(case.n_channels, device):
        candidates[name] = partial(bare_epoch, scaled, targets, network, precision)
    results: dict[str, dict[str, Any]] = {}
    for name, candidate in candidates.items():
        try:
            candidate(), candidate()
            epochs = [candidate() for _ in range(case.n_rounds)]
            epoch_s = median(epoch.epoch_s for epoch in epochs)
            results[name] = {
                "step_ms": round(1e3 * epoch_s / case.n_steps, 3),
                "epoch_s": round(epoch_s, 4),
                "busy": busy_share(candidate),
            }
        except Exception as error:  # noqa: BLE001  (what a GPU or its compiler refuses is a result, too)
            results[name] = {"failed": f"{type(error).__name__}: {str(error)[:200]}"}
    return results


def variants(n_channels: int, device: str) -> Iterator[tuple[str, Any, AbstractContextManager | None]]:
    """Names, networks, and in what they run."""
    bf16 = torch.autocast(torch.device(device).type, torch.bfloat16)
    for name, compiled, precision in (
        ("bare", False, None),
        ("bf16", False, bf16),
        ("compiled", True, None),
        ("both", True, bf16),
    ):
        network = DeepConvLSTM(n_channels, N_CLASSES).to(device)
        yield name, torch.compile(network) if compiled else network, precision


def busy_share(epoch: Callable[[], Epoch]) -> float:
    """Time in kernels over wall time of an epoch."""
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CUDA]) as profiler:
        wall_s = epoch().epoch_s
    kernels_s = sum(entry.self_device_time_total for entry in profiler.key_averages()) / 1e6
    return round(kernels_s / wall_s, 3)
