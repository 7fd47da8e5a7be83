from __future__ import annotations

import numpy as np
import pytest
import torch
from network_reference import convolve, double, linear, normalise, pool, relu
from numpy.testing import assert_allclose
from random_weights import randomise

from har_virtual.exceptions import DataFormatError
from har_virtual.models.networks.conv_autoencoder import ConvAutoencoder

SMALL = {"embedding_size": 3, "n_filters": (3, 4, 5, 6)}


def images_of(network: ConvAutoencoder, windows: torch.Tensor) -> list[tuple[int, ...]]:
    """Shapes that enter the encoder's blocks but the first, and that which is flattened."""
    shapes = []
    hooks = [
        block.register_forward_pre_hook(lambda _, given: shapes.append(given[0].shape)) for block in network.encoder
    ]
    hooks.append(network.embedding.register_forward_pre_hook(lambda _, given: shapes.append(given[0].shape)))
    with torch.inference_mode():
        network.encode(windows)
    for hook in hooks:
        hook.remove()
    return [tuple(shape) for shape in shapes]


def block(images: np.ndarray, weights: dict[str, np.ndarray], name: str, last=relu) -> np.ndarray:
    for convolution, activation in ((0, relu), (3, last)):
        images = convolve(images, weights[f"{name}.layers.{convolution}.weight"], padding=(1, 1))
        images = activation(normalise(images, weights, f"{name}.layers.{convolution + 1}"))
    return images


def reference(windows: np.ndarray, weights: dict[str, np.ndarray], n_blocks: int) -> tuple[np.ndarray, np.ndarray]:
    """Embedding and windows that come back, in numpy."""
    images, shapes = windows[:, None].astype(np.float64), []
    for number in range(n_blocks):
        images = block(images, weights, f"encoder.{number}")
        shapes.append(images.shape)
        if images.shape[2] > 1 and images.shape[3] > 1:
            images = pool(images, 2, 2)
    embedding = linear(images.reshape(len(windows), -1), weights, "embedding")
    hidden = relu(normalise(embedding, weights, "widening.0"))
    back = relu(normalise(linear(hidden, weights, "widening.2"), weights, "widening.3")).reshape(images.shape)
    for number, shape in enumerate(reversed(shapes)):
        if back.shape[2:] != shape[2:]:
            back = double(back, *shape[2:])
        back = block(back, weights, f"decoder.{number}", np.tanh if number == n_blocks - 1 else relu)
    return embedding, back[:, 0]


@pytest.mark.parametrize("shape", [(2, 24, 21), (2, 30, 9), (2, 13, 6), (2, 30, 3), (3, 2, 1), (5, 1, 5), (2, 19, 1)])
def test_embedding_and_reconstruction_are_those_of_the_definition(shape):
    rng = np.random.default_rng(0)
    network = ConvAutoencoder(*shape[1:], **SMALL).eval()
    weights = randomise(network, rng)
    windows = rng.uniform(-1, 1, size=shape).astype(np.float32)
    embedding, back = reference(windows, weights, n_blocks=4)
    given = torch.from_numpy(windows)
    with torch.inference_mode():
        assert_allclose(network.encode(given), embedding, atol=1e-5)
        assert_allclose(network(given), back, atol=1e-5)
    assert np.ptp(embedding, axis=0).min() > 0.01 and np.ptp(back) > 0.01


def test_images_have_the_sizes_that_the_authors_note():
    network = ConvAutoencoder(24, 77).eval()
    assert network.sizes == ((24, 77), (12, 38), (6, 19), (3, 9), (1, 4))
    shapes = images_of(network, torch.zeros(2, 24, 77))
    assert shapes == [(2, 1, 24, 77), (2, 64, 12, 38), (2, 128, 6, 19), (2, 256, 3, 9), (2, 512 * 1 * 4)]
    with torch.inference_mode():
        assert network.encode(torch.zeros(2, 24, 77)).shape == (2, 100)
        assert network(torch.zeros(2, 24, 77)).shape == (2, 24, 77)


@pytest.mark.parametrize(
    ("n_samples", "n_channels", "last"),
    [(30, 9, (3, 1)), (30, 6, (7, 1)), (30, 3, (15, 1)), (2, 1, (2, 1)), (1, 1, (1, 1)), (3, 3, (1, 1))],
)
def test_small_images_are_not_pooled_away(n_samples, n_channels, last):
    network = ConvAutoencoder(n_samples, n_channels, **SMALL).eval()
    assert network.sizes[-1] == last
    with torch.inference_mode():
        assert network(torch.zeros(2, n_samples, n_channels)).shape == (2, n_samples, n_channels)


def test_what_comes_back_lies_in_the_range_of_tanh():
    network = ConvAutoencoder(30, 9, **SMALL)
    randomise(network, np.random.default_rng(1))
    for mode in (network.train(), network.eval()):
        with torch.inference_mode():
            back = mode(torch.from_numpy(np.random.default_rng(2).normal(size=(20, 30, 9)).astype(np.float32)) * 1000)
        assert back.abs().max() <= 1
        assert back.min() < 0 < back.max()


def test_convolutions_have_no_bias_and_begin_as_xavier_normal():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = ConvAutoencoder(8, 8)
    convolutions = [module for module in network.modules() if isinstance(module, torch.nn.Conv2d)]
    assert len(convolutions) == 16
    assert all(convolution.bias is None for convolution in convolutions)
    middle = network.encoder[2].layers[3].weight
    # Variance 2 / (9 * 256 + 9 * 256), three standard deviations of its estimate.
    assert middle.var().item() * 9 * 256 == pytest.approx(1, abs=3 * (2 / middle.numel()) ** 0.5)


def test_one_filter_in_the_first_block_is_not_taken_for_the_last():
    network = ConvAutoencoder(8, 8, embedding_size=2, n_filters=(1, 1))
    assert [type(block.layers[5]) for block in network.decoder] == [torch.nn.ReLU, torch.nn.Tanh]


def test_a_window_without_channels_is_refused():
    with pytest.raises(DataFormatError, match="samples and channels"):
        ConvAutoencoder(30, 0)
