"""DeepConvLSTM: convolutions over time, the same for every channel, then an LSTM over what is left of the window."""

from __future__ import annotations

import torch
from torch import nn

from har_virtual.exceptions import DataFormatError
from har_virtual.models.networks.dropout import SeededDropout


class DeepConvLSTM(nn.Module):
    """The recogniser of Ordóñez and Roggen 2016.

    Each convolution sees `kernel_size` samples of one channel and all filters of the one before, without padding, and
    ReLU follows. What they give, channels times filters at each sample that is left, passes a dropout and goes through
    the LSTM; a linear layer turns the last sample's state into logits.

    Parameters
    ----------
    n_channels, n_classes : int
    n_filters : int, default=64
        Of each convolution.
    kernel_size : int, default=5
        Samples.
    n_conv_layers : int, default=4
    lstm_size : int, default=128
    n_lstm_layers : int, default=2
    dropout : float, default=0.5
        Share of the LSTM's inputs that is set to zero in training.

    Raises
    ------
    DataFormatError
        In the forward pass, if windows have fewer samples than `least_samples`.

    Notes
    -----
    Weights begin as PyTorch's layers do. The authors' code is said to begin with orthogonal ones; the paper of IMUTube
    says nothing of it.

    References
    ----------
    Ordóñez and Roggen, "Deep convolutional and LSTM recurrent neural networks for multimodal wearable activity
    recognition", Sensors 16(1), 2016.
    """

    parts = ("convolutions", "lstm")

    def __init__(
        self,
        n_channels: int,
        n_classes: int,
        *,
        n_filters: int = 64,
        kernel_size: int = 5,
        n_conv_layers: int = 4,
        lstm_size: int = 128,
        n_lstm_layers: int = 2,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self._least_samples = self.least_samples(n_conv_layers, kernel_size)
        layers: list[nn.Module] = []
        for number in range(n_conv_layers):
            layers.append(nn.Conv2d(n_filters if number else 1, n_filters, (kernel_size, 1)))
            layers.append(nn.ReLU(inplace=True))
        self.convolutions = nn.Sequential(*layers)
        self.dropout = SeededDropout(dropout)
        self.lstm = nn.LSTM(n_filters * n_channels, lstm_size, n_lstm_layers)
        self.head = nn.Linear(lstm_size, n_classes)

    @staticmethod
    def least_samples(n_conv_layers: int = 4, kernel_size: int = 5) -> int:
        """Say how many samples a window needs for one to be left after the convolutions."""
        return n_conv_layers * (kernel_size - 1) + 1

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Give the logits.

        Parameters
        ----------
        x : Tensor of shape (n_windows, n_samples, n_channels)

        Returns
        -------
        Tensor of shape (n_windows, n_classes)
        """
        if x.shape[1] < self._least_samples:
            raise DataFormatError(
                f"These convolutions need windows of {self._least_samples} samples at least, not {x.shape[1]}."
            )
        # Filters are innermost in memory from here on, which saves a quarter of the time with a hundred channels.
        filtered = self.convolutions(x[..., None].permute(0, 3, 1, 2))
        # Sample by sample: windows in rows, channels times filters in columns.
        sequence = filtered.permute(2, 0, 3, 1).flatten(2)
        states, _ = self.lstm(self.dropout(sequence))
        return self.head(states[-1])
