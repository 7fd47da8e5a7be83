"""MMFitCNN: an encoder for each vector of a sensor, or one for a pose, and three linear layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import nn
from torch.nn import functional

from har_virtual.exceptions import DataFormatError

# Filters of the three convolutions of an encoder; each looks at every second sample of the one before.
_N_FILTERS = (9, 15, 24)
_STRIDE = 2
_KERNEL_SIZES = {"acc": 11, "gyr": 3, "pose": 11}
_GROUPS = {"acc": (3, 3, 1), "gyr": (1, 1, 1), "pose": (3, 3, 1)}


class MMFitCNN(nn.Module):
    """The encoders of MM-Fit (Strömbäck et al. 2020) for one modality, and its classifier.

    An encoder has three convolutions of 9, 15 and 24 filters over time, each at every second sample and followed by
    ReLU, then max pooling by 2. Of an accelerometer they see 11 samples and the first two keep x, y and z apart; of a
    gyroscope they see 3 samples and mix the axes. Each vector has an encoder of its own. Of a pose they see 11 frames
    by 11 joints, keep x, y and z apart in the first two, and skip no joint; pooling is 2 frames by 2 joints. What the
    encoders give is joined, and three linear layers with ReLU between them follow.

    Parameters
    ----------
    n_channels : int
        Of a window.
    n_classes : int
    n_samples : int
        Of a window; 9 at least.
    modality : {"acc", "gyr", "pose"}, default="acc"
    hidden_size : int, default=100
        Of the first two linear layers.
    vectors : sequence of (int, int, int), optional
        Channels of each vector; for a pose, of each joint. Each three consecutive channels without. A single channel is
        the x of a vector whose y and z are zero.

    Attributes
    ----------
    embedding_size : int
        What the encoders give of a window: 24 a remaining sample (and joint).

    Raises
    ------
    DataFormatError
        If windows are too short, or channels are no vectors.

    Notes
    -----
    "acc" is what the authors' code has for watches and earbuds; for a phone's accelerometer it mixes the axes at once.

    References
    ----------
    Strömbäck, Huang, Radu, "MM-Fit: multimodal deep learning for automatic exercise logging across sensing devices",
    IMWUT 4(4), 2020.
    """

    parts = ("encoders", "hidden")

    columns: torch.Tensor

    def __init__(
        self,
        n_channels: int,
        n_classes: int,
        n_samples: int,
        *,
        modality: Literal["acc", "gyr", "pose"] = "acc",
        hidden_size: int = 100,
        vectors: Sequence[tuple[int, int, int]] | None = None,
    ) -> None:
        super().__init__()
        if n_samples < self.least_samples():
            raise DataFormatError(
                f"MMFitCNN needs windows of {self.least_samples()} samples at least, not {n_samples}."
            )
        if vectors is None:
            vectors = _consecutive(n_channels)
        self.register_buffer("columns", torch.as_tensor(vectors).flatten(), persistent=False)
        self.n_vectors, self.is_pose = len(vectors), modality == "pose"
        self.encoders = nn.ModuleList(_encoder(modality) for _ in range(1 if self.is_pose else self.n_vectors))
        n_left = _n_left(n_samples)
        self.embedding_size = (
            _N_FILTERS[-1] * n_left * (max(1, self.n_vectors // 2) if self.is_pose else self.n_vectors)
        )
        self.hidden = nn.Sequential(
            nn.Linear(self.embedding_size, hidden_size), nn.ReLU(), nn.Linear(hidden_size, hidden_size), nn.ReLU()
        )
        self.head = nn.Linear(hidden_size, n_classes)

    @staticmethod
    def least_samples() -> int:
        """Say how many samples a window needs."""
        return _STRIDE ** len(_N_FILTERS) + 1

    def encode(self, x: torch.Tensor) -> torch.Tensor:
        """Give what the encoders give.

        Parameters
        ----------
        x : Tensor of shape (n_windows, n_samples, n_channels)

        Returns
        -------
        Tensor of shape (n_windows, embedding_size)
        """
        if x.shape[2] == 1:
            x = functional.pad(x, (0, 2))
        # Windows of three channels, x, y and z, whose images are samples by vectors.
        axes = x[:, :, self.columns].unflatten(2, (self.n_vectors, 3)).permute(0, 3, 1, 2)
        if self.is_pose:
            return functional.max_pool2d(self.encoders[0](axes), (2, min(2, self.n_vectors))).flatten(1)
        encoded = [encoder(axes[..., number]) for number, encoder in enumerate(self.encoders)]
        return torch.cat([functional.max_pool1d(one, 2).flatten(1) for one in encoded], dim=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Give the logits.

        Parameters
        ----------
        x : Tensor of shape (n_windows, n_samples, n_channels)

        Returns
        -------
        Tensor of shape (n_windows, n_classes)
        """
        return self.head(self.hidden(self.encode(x)))


def _consecutive(n_channels: int) -> list[tuple[int, int, int]]:
    if n_channels == 1:
        return [(0, 1, 2)]
    if n_channels % 3:
        raise DataFormatError(f"MMFitCNN needs channels in threes, x, y and z of a vector; there are {n_channels}.")
    return [(x, x + 1, x + 2) for x in range(0, n_channels, 3)]


def _encoder(modality: str) -> nn.Sequential:
    size, groups = _KERNEL_SIZES[modality], _GROUPS[modality]
    layers: list[nn.Module] = []
    for before, after, n_groups in zip((3, *_N_FILTERS[:-1]), _N_FILTERS, groups, strict=True):
        if modality == "pose":
            layers.append(nn.Conv2d(before, after, size, (_STRIDE, 1), size // 2, groups=n_groups))
        else:
            layers.append(nn.Conv1d(before, after, size, _STRIDE, size // 2, groups=n_groups))
        layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers)


def _n_left(n_samples: int) -> int:
    """Give the samples that are left of a window after the convolutions and pooling."""
    for _ in _N_FILTERS:
        n_samples = -(-n_samples // _STRIDE)
    return n_samples // 2
