from __future__ import annotations

import numpy as np
import pytest
import torch
from network_reference import convolve, linear, lstm, relu
from numpy.testing import assert_allclose
from random_weights import randomise

from har_virtual.exceptions import DataFormatError
from har_virtual.models.networks.deep_conv_lstm import DeepConvLSTM


def reference(windows: np.ndarray, weights: dict[str, np.ndarray], n_conv_layers: int, n_lstm_layers: int):
    """DeepConvLSTM in numpy: one image of time by channel a window, ReLU included."""
    images = windows[:, None].astype(np.float64)
    for layer in range(n_conv_layers):
        name = f"convolutions.{2 * layer}"
        images = relu(convolve(images, weights[f"{name}.weight"], weights[f"{name}.bias"]))
    sequence = np.stack([image.swapaxes(1, 2).reshape(len(windows), -1) for image in np.moveaxis(images, 2, 0)])
    return linear(lstm(sequence, weights, "lstm", n_lstm_layers)[-1], weights, "head")


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((3, 12, 4), {"n_filters": 3, "kernel_size": 3, "n_conv_layers": 4, "lstm_size": 5, "n_lstm_layers": 2}),
        ((4, 20, 3), {"n_filters": 2, "kernel_size": 5, "n_conv_layers": 4, "lstm_size": 4, "n_lstm_layers": 1}),
        ((6, 7, 1), {"n_filters": 4, "kernel_size": 4, "n_conv_layers": 2, "lstm_size": 3, "n_lstm_layers": 3}),
    ],
)
def test_logits_are_those_of_the_definition(shape, options):
    rng = np.random.default_rng(0)
    network = DeepConvLSTM(shape[2], 6, **options).eval()
    weights = randomise(network, rng)
    windows = rng.normal(size=shape).astype(np.float32)
    with torch.inference_mode():
        logits = network(torch.from_numpy(windows)).numpy()
    expected = reference(windows, weights, options["n_conv_layers"], options["n_lstm_layers"])
    assert np.ptp(expected, axis=0).min() > 0.005
    assert_allclose(logits, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("n_samples", "n_channels", "n_parameters"), [(30, 9, 556_616), (30, 21, 949_832), (24, 113, 3_964_488)]
)
def test_parameters_are_as_many_as_in_the_paper(n_samples, n_channels, n_parameters):
    network = DeepConvLSTM(n_channels, 8).eval()
    assert sum(parameter.numel() for parameter in network.parameters()) == n_parameters
    with torch.inference_mode():
        assert network(torch.zeros(2, n_samples, n_channels)).shape == (2, 8)


def test_parts_are_all_but_the_head():
    network = DeepConvLSTM(2, 3, n_filters=2, lstm_size=2)
    names = {name.partition(".")[0] for name, _ in network.named_parameters()}
    assert names == {*network.parts, "head"}


def test_seventeen_samples_are_enough_and_sixteen_are_not():
    network = DeepConvLSTM(2, 3, n_filters=2, lstm_size=2)
    assert DeepConvLSTM.least_samples() == 17
    assert network(torch.zeros(1, 17, 2)).shape == (1, 3)
    with pytest.raises(DataFormatError, match="17 samples at least, not 16"):
        network(torch.zeros(1, 16, 2))


def test_dropout_stands_before_the_lstm():
    # With two filters one draw of the weights in four is deaf to the windows.
    network = DeepConvLSTM(2, 3, n_filters=8, lstm_size=8, dropout=1.0)
    windows = torch.randn(4, 20, 2, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        nothing_seen = network.train()(windows)
        assert_allclose(nothing_seen, nothing_seen[:1].expand(4, 3), atol=1e-7)
        assert np.ptp(network.eval()(windows).numpy(), axis=0).min() > 1e-6
