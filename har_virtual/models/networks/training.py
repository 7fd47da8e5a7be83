"""Training by skorch: a net around a network that exists, its callbacks, and the loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from sklearn.metrics import f1_score
from skorch import NeuralNet
from skorch.callbacks import Callback, EarlyStopping
from skorch.helper import predefined_split
from torch import nn
from torch.nn import functional
from tqdm.auto import tqdm

from har_virtual.exceptions import TrainingError, UnknownNameError
from har_virtual.models.networks.batches import Augmentation, Batches, WindowRows
from har_virtual.models.networks.dropout import SeededDropout

# torch's global stream of random numbers is the process's.
_STREAM = Lock()


class Training(NamedTuple):
    """How a network is trained."""

    lr: float
    weight_decay: float
    max_epochs: int
    batch_size: int
    patience: int
    monitor: str
    augment: Sequence[Augmentation]
    device: str
    verbose: int


class WeightedCrossEntropy(nn.Module):
    """The mean over windows of cross entropy times a weight of the window's class.

    PyTorch divides by the weights of a batch instead, so that a loss over batches depends on which windows share one,
    and is NaN where all have a weight of 0.

    Parameters
    ----------
    weights : array of shape (n_classes,)
    """

    weights: torch.Tensor

    def __init__(self, weights: np.ndarray) -> None:
        super().__init__()
        self.register_buffer("weights", torch.as_tensor(weights, dtype=torch.float32))

    def forward(self, scores: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Give the loss of scores (n_windows, n_classes)."""
        return functional.cross_entropy(scores, targets, self.weights, reduction="sum") / len(targets)


def find_device(device: str) -> str:
    """Give the device that a name stands for.

    Raises
    ------
    UnknownNameError
        If it is not there.
    """
    device = str(device)
    n_gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device == "auto":
        return "cuda" if n_gpus else "cpu"
    there = ["cpu", "auto", *["cuda"][:n_gpus], *(f"cuda:{number}" for number in range(n_gpus))]
    if device not in there:
        raise UnknownNameError(
            f"device={device!r} is not there: torch {torch.__version__} sees {n_gpus} GPUs. Here device can be "
            f"{', '.join(map(repr, there))}."
        )
    return device


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Let torch draw from a stream of its own, for the initial weights; the process's stream does not move."""
    with _STREAM, torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


def train(
    module: nn.Module,
    rows: WindowRows,
    validation: WindowRows | None,
    *,
    criterion: nn.Module,
    training: Training,
    rng: np.random.Generator,
    score: bool = False,
) -> tuple[NeuralNet, pd.DataFrame]:
    """Train a network in place.

    Parameters
    ----------
    module : Module
        Whose parameters that require a gradient are learned.
    rows, validation : WindowRows
        With rows to validate, training stops `patience` epochs after the best value of what is monitored on them, the
        lowest "loss" or the highest "f1", and the weights of that epoch are kept.
    criterion : Module
        ``criterion(output, targets)``.
    training : Training
    rng : numpy Generator
        Shuffles, augments and seeds the dropout. Nothing else is drawn from, so that fits in threads do not mix.
    score : bool, default=False
        Whether targets are classes, of which macro-F1 is recorded on the validation rows; to monitor it takes that.

    Returns
    -------
    net : NeuralNet
        Trimmed for prediction.
    history : DataFrame
        One row an epoch: epoch, train_loss, valid_loss, valid_f1, duration_s.

    Raises
    ------
    TrainingError
        If a loss, or what the trained network gives for training windows, is not finite.
    """
    callbacks: list[Any] = [_Record(score)]
    if training.verbose:
        callbacks.append(_Bar())
    stopping = _stop_early(training.monitor, training.patience)
    if validation is not None:
        callbacks.append(stopping)
    shuffling, seeding = rng.spawn(2)
    net = NeuralNet(
        module,
        criterion=criterion,
        optimizer=torch.optim.Adam,
        optimizer__weight_decay=training.weight_decay,
        optimizer__fused=True,
        lr=training.lr,
        max_epochs=training.max_epochs,
        batch_size=training.batch_size,
        iterator_train=partial(Batches, rng=shuffling, augment=training.augment),
        iterator_valid=Batches,
        train_split=None if validation is None else predefined_split(validation),
        callbacks=callbacks,
        callbacks__print_log=None,
        device=training.device,
        verbose=0,
    )
    net.initialize()
    with _dropping_out(net.module_, int(seeding.integers(2**63 - 1)), training.device):
        net.notify("on_train_begin", X=rows, y=None)
        try:
            net.fit_loop(rows)
        except KeyboardInterrupt:
            # That is how skorch stops early; the user's own is not for us.
            if stopping.misses_ < training.patience:
                raise
        finally:
            for callback in callbacks:
                getattr(callback, "close", _say_nothing)()
        net.notify("on_train_end", X=rows, y=None)
    history = _tabulate(net.history)
    if validation is None:
        # No loss looks at the last epoch's weights.
        _check_finite(net, rows)
    # Gradients are as large as the weights.
    net.optimizer_.zero_grad()
    net.trim_for_prediction()
    return net, history


def _stop_early(monitor: str, patience: int) -> EarlyStopping:
    return EarlyStopping(
        monitor=f"valid_{monitor}",
        lower_is_better=monitor == "loss",
        patience=patience,
        threshold=0,
        load_best=True,
        sink=_say_nothing,
    )


def untrained_net(module: nn.Module, batch_size: int, device: str) -> NeuralNet:
    """Put a network that has its weights already into a net that predicts."""
    net = NeuralNet(module, criterion=nn.Identity, batch_size=batch_size, iterator_valid=Batches, device=device)
    net.initialize()
    net.trim_for_prediction()
    return net


@contextmanager
def _dropping_out(module: nn.Module, seed: int, device: str) -> Iterator[None]:
    """Give all dropout of a network one stream of random numbers of its own while it is trained."""
    generator = torch.Generator(device).manual_seed(seed)
    layers = [layer for layer in module.modules() if isinstance(layer, SeededDropout)]
    for layer in layers:
        layer.generator = generator
    try:
        yield
    finally:
        for layer in layers:
            layer.generator = None


def outputs(
    net: NeuralNet, rows: WindowRows, method: Callable[[torch.Tensor], torch.Tensor] | None = None
) -> np.ndarray:
    """Give what a trained net, or a method of its network, gives for each window, (n_rows, ...)."""
    network = net.module_.eval()
    call = network if method is None else method
    with torch.inference_mode():
        return np.concatenate(
            [call(windows.to(net.device)).cpu().numpy() for windows, _ in Batches(rows, net.batch_size)]
        )


def _check_finite(net: NeuralNet, rows: WindowRows) -> None:
    windows, _ = next(iter(Batches(rows, net.batch_size)))
    with torch.inference_mode():
        finite = net.module_.eval()(windows.to(net.device)).isfinite().all()
    if not finite:
        raise TrainingError(f"After {len(net.history)} epochs the network gives no finite values{_diverged(net.lr)}")


def _diverged(lr: float) -> str:
    return (
        f": training diverged. Try a lower lr (it is {lr:g}), and look for values of another unit among the windows, "
        "or for NaN in what augment gives."
    )


class _Record(Callback):
    """Record macro-F1 on the validation rows, and refuse a loss that is not finite."""

    def __init__(self, score: bool) -> None:
        self.score = score

    def on_epoch_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        self.seen: list[tuple[torch.Tensor, torch.Tensor]] = []

    def on_batch_end(self, net: NeuralNet, batch: Any = None, training: bool = False, **kwargs: Any) -> None:
        if self.score and not training:
            self.seen.append((batch[1], kwargs["y_pred"].argmax(dim=1).cpu()))

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        entry = net.history[-1]
        # Their mean is there already; thousands of batches an epoch add up.
        entry["batches"].clear()
        for name in ("train_loss", "valid_loss"):
            if not np.isfinite(entry.get(name, 0)):
                raise TrainingError(f"{name} is {entry[name]} in epoch {entry['epoch']}{_diverged(net.lr)}")
        if self.seen:
            true, predicted = (torch.cat(column).numpy() for column in zip(*self.seen, strict=True))
            net.history.record("valid_f1", f1_score(true, predicted, average="macro", labels=np.unique(true)))


class _Bar(Callback):
    """A progress bar over epochs."""

    def on_train_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        self.bar = tqdm(total=net.max_epochs, unit="epoch")

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        entry = net.history[-1]
        shown = {name: f"{entry[name]:.3f}" for name in ("train_loss", "valid_loss", "valid_f1") if name in entry}
        self.bar.set_postfix(shown, refresh=False)
        self.bar.update()

    def close(self) -> None:
        """Leave the bar as it is."""
        self.bar.close()


def _say_nothing(*args: Any) -> None:
    pass


def _tabulate(history: Any) -> pd.DataFrame:
    frame = pd.DataFrame([{name: value for name, value in entry.items() if name != "batches"} for entry in history])
    frame = frame.rename(columns={"dur": "duration_s"})
    return frame.reindex(columns=["epoch", "train_loss", "valid_loss", "valid_f1", "duration_s"])
