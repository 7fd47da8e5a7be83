"""Layers of networks written down from their definitions in numpy, float64: what PyTorch's must agree with."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

Weights = Mapping[str, np.ndarray]


def convolve(
    images: np.ndarray,
    kernels: np.ndarray,
    bias: np.ndarray | None = None,
    *,
    stride: tuple[int, int] = (1, 1),
    padding: tuple[int, int] = (0, 0),
    n_groups: int = 1,
) -> np.ndarray:
    """Correlate (n, channels, height, width) with (filters, channels / n_groups, kernel height, kernel width)."""
    padded = np.pad(images, ((0, 0), (0, 0), (padding[0],) * 2, (padding[1],) * 2))
    n_filters, n_seen, high, wide = kernels.shape
    rows = range(0, padded.shape[2] - high + 1, stride[0])
    columns = range(0, padded.shape[3] - wide + 1, stride[1])
    result = np.empty((len(images), n_filters, len(rows), len(columns)))
    for number, kernel in enumerate(kernels):
        first = number // (n_filters // n_groups) * n_seen
        for i, row in enumerate(rows):
            for j, column in enumerate(columns):
                seen = padded[:, first : first + n_seen, row : row + high, column : column + wide]
                result[:, number, i, j] = (seen * kernel).sum(axis=(1, 2, 3))
    return result if bias is None else result + bias[:, None, None]


def relu(values: np.ndarray) -> np.ndarray:
    return np.where(values > 0, values, 0.0)


def sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-values))


def linear(values: np.ndarray, weights: Weights, name: str) -> np.ndarray:
    return values @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def lstm(sequence: np.ndarray, weights: Weights, name: str, n_layers: int) -> np.ndarray:
    """Run (n_samples, n_windows, n_features) through LSTM layers; rows of weights are gates i, f, g, o in turn."""
    for layer in range(n_layers):
        from_input, from_state = (weights[f"{name}.weight_{kind}_l{layer}"] for kind in ("ih", "hh"))
        bias = weights[f"{name}.bias_ih_l{layer}"] + weights[f"{name}.bias_hh_l{layer}"]
        state = cell = np.zeros((sequence.shape[1], from_state.shape[1]))
        states = []
        for values in sequence:
            i, f, g, o = np.split(values @ from_input.T + state @ from_state.T + bias, 4, axis=1)
            cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(g)
            state = sigmoid(o) * np.tanh(cell)
            states.append(state)
        sequence = np.stack(states)
    return sequence


def normalise(values: np.ndarray, weights: Weights, name: str) -> np.ndarray:
    """Apply batch normalisation with its running statistics; axis 1 is the feature."""
    mean, variance, scale, shift = (
        weights[f"{name}.{key}"].reshape(1, -1, *[1] * (values.ndim - 2))
        for key in ("running_mean", "running_var", "weight", "bias")
    )
    return (values - mean) / np.sqrt(variance + 1e-5) * scale + shift


def pool(images: np.ndarray, high: int, wide: int) -> np.ndarray:
    """Take the largest of each high x wide piece; what is left over at the end is lost."""
    rows, columns = images.shape[2] // high, images.shape[3] // wide
    cut = images[:, :, : rows * high, : columns * wide]
    return cut.reshape(*images.shape[:2], rows, high, columns, wide).max(axis=(3, 5))


def double(images: np.ndarray, height: int, width: int) -> np.ndarray:
    """Repeat each pixel twice along both axes, then zeros at the end of both up to a size."""
    result = np.zeros((*images.shape[:2], height, width))
    repeated = images.repeat(2, axis=2).repeat(2, axis=3)
    result[:, :, : repeated.shape[2], : repeated.shape[3]] = repeated
    return result
