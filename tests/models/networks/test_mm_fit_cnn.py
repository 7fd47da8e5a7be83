from __future__ import annotations

import numpy as np
import pytest
import torch
from network_reference import convolve, linear, pool, relu
from numpy.testing import assert_allclose
from random_weights import randomise

from har_virtual.exceptions import DataFormatError
from har_virtual.models.networks.mm_fit_cnn import MMFitCNN

# Kernel over time, kernel over joints, groups of each layer.
ENCODERS = {"acc": (11, 1, (3, 3, 1)), "gyr": (3, 1, (1, 1, 1)), "pose": (11, 11, (3, 3, 1))}


def encoded(images: np.ndarray, weights: dict[str, np.ndarray], name: str, modality: str) -> np.ndarray:
    """Give (n, 24, time, joints) of (n, 3, time, joints)."""
    high, wide, groups = ENCODERS[modality]
    for layer, n_groups in zip((0, 2, 4), groups, strict=True):
        kernels = weights[f"{name}.{layer}.weight"]
        images = relu(
            convolve(
                images,
                kernels.reshape(*kernels.shape[:2], high, wide),
                weights[f"{name}.{layer}.bias"],
                stride=(2, 1),
                padding=(high // 2, wide // 2),
                n_groups=n_groups,
            )
        )
    return images


def reference(windows: np.ndarray, weights: dict[str, np.ndarray], modality: str) -> np.ndarray:
    """MMFitCNN in numpy."""
    vectors = windows.astype(np.float64).reshape(*windows.shape[:2], -1, 3).transpose(0, 3, 1, 2)
    if modality == "pose":
        joined = pool(encoded(vectors, weights, "encoders.0", "pose"), 2, 2).reshape(len(windows), -1)
    else:
        joined = np.concatenate(
            [
                pool(encoded(vectors[..., [number]], weights, f"encoders.{number}", modality), 2, 1).reshape(
                    len(windows), -1
                )
                for number in range(vectors.shape[3])
            ],
            axis=1,
        )
    hidden = relu(linear(relu(linear(joined, weights, "hidden.0")), weights, "hidden.2"))
    return linear(hidden, weights, "head")


@pytest.mark.parametrize(
    ("modality", "shape"),
    [("acc", (3, 33, 6)), ("acc", (2, 9, 3)), ("gyr", (3, 40, 9)), ("gyr", (2, 17, 3)), ("pose", (2, 25, 15))],
)
def test_logits_are_those_of_the_definition(modality, shape):
    rng = np.random.default_rng(0)
    network = MMFitCNN(shape[2], 4, shape[1], modality=modality, hidden_size=7).eval()
    weights = randomise(network, rng)
    windows = rng.normal(size=shape).astype(np.float32)
    expected = reference(windows, weights, modality)
    assert np.ptp(expected, axis=0).min() > 0.01
    with torch.inference_mode():
        assert_allclose(network(torch.from_numpy(windows)), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("modality", "n_samples", "n_channels", "size"),
    [
        ("acc", 250, 3, 384),
        ("gyr", 250, 3, 384),
        ("acc", 250, 24, 8 * 384),
        ("acc", 100, 3, 144),
        ("acc", 100, 6, 288),
        ("pose", 150, 51, 1728),
        ("pose", 150, 3, 9 * 24),
    ],
)
def test_embeddings_have_the_sizes_of_mm_fit_and_mujo(modality, n_samples, n_channels, size):
    network = MMFitCNN(n_channels, 11, n_samples, modality=modality).eval()
    with torch.inference_mode():
        assert network.encode(torch.zeros(2, n_samples, n_channels)).shape == (2, size)
    assert network.embedding_size == size
    assert [layer.out_features for layer in (network.hidden[0], network.hidden[2], network.head)] == [100, 100, 11]


def test_vectors_may_stand_anywhere_among_the_channels():
    rng = np.random.default_rng(0)
    apart = MMFitCNN(7, 3, 20, vectors=[(5, 2, 0), (1, 6, 4)]).eval()
    weights = randomise(apart, rng)
    windows = rng.normal(size=(2, 20, 7)).astype(np.float32)
    with torch.inference_mode():
        assert_allclose(
            apart(torch.from_numpy(windows)), reference(windows[..., [5, 2, 0, 1, 6, 4]], weights, "acc"), atol=1e-5
        )


def test_a_single_channel_is_a_vector_along_x():
    rng = np.random.default_rng(0)
    network = MMFitCNN(1, 3, 20).eval()
    weights = randomise(network, rng)
    windows = rng.normal(size=(2, 20, 1)).astype(np.float32)
    along_x = np.concatenate([windows, np.zeros((2, 20, 2))], axis=2)
    with torch.inference_mode():
        assert_allclose(network(torch.from_numpy(windows)), reference(along_x, weights, "acc"), atol=1e-5)


def test_nine_samples_are_enough_and_eight_are_not():
    assert MMFitCNN.least_samples() == 9
    assert MMFitCNN(3, 2, 9).embedding_size == 24
    with pytest.raises(DataFormatError, match="9 samples at least, not 8"):
        MMFitCNN(3, 2, 8)


def test_channels_that_are_no_vectors_are_refused():
    with pytest.raises(DataFormatError, match="x, y and z of a vector; there are 7"):
        MMFitCNN(7, 2, 30)


def test_parts_are_all_but_the_head():
    network = MMFitCNN(3, 2, 9)
    names = {name.partition(".")[0] for name, _ in network.named_parameters()}
    assert names == {*network.parts, "head"} == {name.partition(".")[0] for name in network.state_dict()}
