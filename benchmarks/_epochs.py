"""An epoch of DeepConvLSTMClassifier, and the same in a bare PyTorch loop."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from har_virtual.models import DeepConvLSTMClassifier

N_CLASSES, BATCH_SIZE, LR, WEIGHT_DECAY, SEED = 8, 100, 1e-3, 1e-4, 0


class Case(NamedTuple):
    """A window, and how much is trained on."""

    n_samples: int
    n_channels: int
    n_steps: int
    n_rounds: int

    @property
    def name(self) -> str:
        return f"{self.n_samples}x{self.n_channels}"


class Clock:
    """An augmentation that changes nothing: it notes when each batch was taken."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def __call__(self, X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        self.times.append(time.perf_counter())
        return X


class Epoch(NamedTuple):
    """Times of one epoch."""

    epoch_s: float
    steps_s: list[float]
    besides_s: float = 0.0


def draw_windows(n_samples: int, n_channels: int, n_windows: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(SEED)
    X = rng.standard_normal((n_windows, n_samples, n_channels), dtype=np.float32)
    X.flags.writeable = False
    return X, rng.permutation(np.arange(n_windows) % N_CLASSES)


def classifier_epoch(X: np.ndarray, y: np.ndarray, device: str = "cpu") -> Epoch:
    """Fit for one epoch."""
    clock = Clock()
    model = DeepConvLSTMClassifier(
        lr=LR,
        weight_decay=WEIGHT_DECAY,
        max_epochs=1,
        validation_subjects=None,
        augment=clock,
        device=device,
        random_state=SEED,
    )
    start = time.perf_counter()
    model.fit(X, y)
    wall_s = time.perf_counter() - start
    epoch_s = float(model.history_["duration_s"].iloc[0])
    return Epoch(epoch_s, np.diff(clock.times).tolist(), wall_s - epoch_s)


def bare_epoch(
    X: torch.Tensor, y: torch.Tensor, network: nn.Module, precision: AbstractContextManager | None = None
) -> Epoch:
    """Train for one epoch, as one writes it without a library."""
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(network.parameters(), LR, weight_decay=WEIGHT_DECAY, fused=True)
    network.train()
    times, total = [], torch.zeros((), device=X.device)
    start = time.perf_counter()
    for rows in torch.randperm(len(X), device=X.device).split(BATCH_SIZE):
        times.append(time.perf_counter())
        optimizer.zero_grad()
        with precision or nullcontext():
            loss = criterion(network(X[rows]), y[rows])
        loss.backward()
        optimizer.step()
        total += loss.detach() * len(rows)
    total.item()
    return Epoch(time.perf_counter() - start, np.diff(times).tolist())
