"""A network that scales its own inputs, so that whoever has the weights has the scale."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn


class Scaled(nn.Module):
    """Subtract a mean from each channel, divide by a scale, and go on to a network.

    Parameters
    ----------
    network : Module
        Takes (n_windows, n_samples, n_channels).
    mean, scale : array of shape (n_channels,)
        In the units of the channels.
    """

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, network: nn.Module, mean: np.ndarray, scale: np.ndarray) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.as_tensor(mean, dtype=torch.float32).clone())
        self.register_buffer("scale", torch.as_tensor(scale, dtype=torch.float32).clone())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Give what the network gives for scaled windows."""
        return self.network((x - self.mean) / self.scale)
