"""ConvAutoencoder: windows as images of time by channel, through a narrow layer and back."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

from har_virtual.checks import check_count
from har_virtual.exceptions import DataFormatError


class ConvAutoencoder(nn.Module):
    """The convolutional autoencoder of Haresamudram et al. 2019, whose narrow layer describes a window.

    A window is an image of n_samples by n_channels. Each block of the encoder has two 3x3 convolutions without bias,
    each followed by batch normalisation and ReLU, then 2x2 max pooling; a block whose image is under 2 samples or 2
    channels does not pool. A linear layer gives the embedding, and its mirror leads back. The decoder enlarges by
    repeating pixels, adds zeros at the end of both axes up to the size that the encoder had there, and convolves as the
    encoder does, without pooling; the last convolution ends in tanh instead of ReLU.

    Parameters
    ----------
    n_samples, n_channels : int
        Shape of a window.
    embedding_size : int, default=100
    n_filters : sequence of int, default=(64, 128, 256, 512)
        Of each block's convolutions.

    Attributes
    ----------
    sizes : tuple of (int, int)
        Samples and channels of the image before the first block and after each.

    Raises
    ------
    DataFormatError
        If there are no samples, channels or filters.

    Notes
    -----
    Weights of the convolutions begin as Xavier normal ones, those of the linear layers as PyTorch's, as in the authors'
    code.

    References
    ----------
    Haresamudram, Anderson, Plötz, "On the role of features in human activity recognition", ISWC 2019.
    """

    def __init__(
        self,
        n_samples: int,
        n_channels: int,
        *,
        embedding_size: int = 100,
        n_filters: Sequence[int] = (64, 128, 256, 512),
    ) -> None:
        super().__init__()
        if n_samples < 1 or n_channels < 1:
            raise DataFormatError(f"A window has samples and channels, not {n_samples} and {n_channels}.")
        if not n_filters:
            raise DataFormatError("n_filters are the filters of each block, one at least; there are none.")
        for number in n_filters:
            check_count("n_filters, of each block,", number, 1)
        widths = (1, *n_filters)
        self.sizes = _sizes(n_samples, n_channels, len(n_filters))
        self.encoder = nn.ModuleList(_Block(*pair) for pair in pairwise(widths))
        height, width = self.sizes[-1]
        flat = widths[-1] * height * width
        self.embedding = nn.Linear(flat, embedding_size)
        self.widening = nn.Sequential(
            nn.BatchNorm1d(embedding_size),
            nn.ReLU(),
            nn.Linear(embedding_size, flat),
            nn.BatchNorm1d(flat),
            nn.ReLU(),
            nn.Unflatten(1, (widths[-1], height, width)),
        )
        backwards = widths[::-1]
        self.decoder = nn.ModuleList(
            _Block(before, after, last=number == len(n_filters))
            for number, (before, after) in enumerate(pairwise(backwards), start=1)
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.xavier_normal_(module.weight)

    def encode(self, x: torch.Tensor) -> torch.Tensor:
        """Give the embedding, what the linear layer gives, before batch normalisation.

        Parameters
        ----------
        x : Tensor of shape (n_windows, n_samples, n_channels)

        Returns
        -------
        Tensor of shape (n_windows, embedding_size)
        """
        return self.embedding(self.convolve(x))

    def convolve(self, x: torch.Tensor) -> torch.Tensor:
        """Give what the encoder's last block gives, flattened, of windows (n_windows, n_samples, n_channels)."""
        image = x[:, None]
        for block, (before, after) in zip(self.encoder, pairwise(self.sizes), strict=True):
            image = block(image)
            image = image if after == before else functional.max_pool2d(image, 2)
        return image.flatten(1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Give windows as they come back.

        Parameters
        ----------
        x : Tensor of shape (n_windows, n_samples, n_channels)
            Scaled to -1 ... 1; in training two windows at least, for batch normalisation.

        Returns
        -------
        Tensor of shape (n_windows, n_samples, n_channels)
            In -1 ... 1.
        """
        image = self.widening(self.encode(x))
        for block, (before, after) in zip(self.decoder, pairwise(self.sizes[::-1]), strict=True):
            image = block(image if after == before else _enlarge(image, *after))
        return image[:, 0]


class ReconstructionError(nn.Module):
    """How far windows come back from where they were: what an autoencoder makes small.

    Values beyond -1 ... 1, which tanh cannot give, are first moved to that range.

    Parameters
    ----------
    autoencoder : ConvAutoencoder
    """

    def __init__(self, autoencoder: ConvAutoencoder) -> None:
        super().__init__()
        self.autoencoder = autoencoder

    def encode(self, x: torch.Tensor) -> torch.Tensor:
        """Give the embedding of windows (n_windows, n_samples, n_channels), float32."""
        layer = self.autoencoder.embedding
        # In single precision the last bit of a product depends on where in the batch a window stands.
        flat = self.autoencoder.convolve(x.clamp(-1, 1)).double()
        return functional.linear(flat, layer.weight.double(), layer.bias.double()).float()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Give the mean squared error of each window, (n_windows,)."""
        windows = x.clamp(-1, 1)
        return (self.autoencoder(windows) - windows).square().mean(dim=(1, 2))


class MeanError(nn.Module):
    """The criterion for outputs that are errors already: their mean, whatever the targets."""

    def forward(self, errors: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Give the mean of errors (n_windows,)."""
        return errors.mean()


class _Block(nn.Module):
    """Two convolutions, each with batch normalisation and an activation."""

    def __init__(self, n_before: int, n_after: int, *, last: bool = False) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(n_before, n_after, 3, padding=1, bias=False),
            nn.BatchNorm2d(n_after),
            nn.ReLU(inplace=True),
            nn.Conv2d(n_after, n_after, 3, padding=1, bias=False),
            nn.BatchNorm2d(n_after),
            nn.Tanh() if last else nn.ReLU(inplace=True),
        )

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.layers(image)


def _sizes(height: int, width: int, n_blocks: int) -> tuple[tuple[int, int], ...]:
    sizes = [(height, width)]
    for _ in range(n_blocks):
        height, width = (height // 2, width // 2) if min(height, width) >= 2 else (height, width)
        sizes.append((height, width))
    return tuple(sizes)


def _enlarge(image: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Double an image by repeating pixels, and add zeros at the bottom and right where that is not enough."""
    doubled = functional.interpolate(image, scale_factor=2, mode="nearest")
    return functional.pad(doubled, (0, width - doubled.shape[3], 0, height - doubled.shape[2]))
