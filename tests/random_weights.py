"""Networks with weights that no initialisation gives, so that no term of a forward pass is one or zero."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn


def randomise(network: nn.Module, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Set all floating weights and running statistics at random, float32, and give them as float64."""
    weights = {}
    for name, tensor in network.state_dict().items():
        if not tensor.is_floating_point():
            continue
        if tensor.ndim > 1:
            values = rng.normal(scale=2 / np.sqrt(tensor[0].numel()), size=tensor.shape)
        else:
            values = rng.uniform(0.2, 1, size=tensor.shape) * (0.2 if name.endswith("running_mean") else 1)
        values = values.astype(np.float32)
        tensor.copy_(torch.from_numpy(values))
        weights[name] = values.astype(np.float64)
    return weights
