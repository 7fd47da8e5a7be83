"""The networks themselves, PyTorch modules. Each is loaded when it is first used, and torch with it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from har_virtual._optional import import_optional

if TYPE_CHECKING:
    from har_virtual.models.networks.conv_autoencoder import ConvAutoencoder
    from har_virtual.models.networks.deep_conv_lstm import DeepConvLSTM
    from har_virtual.models.networks.mm_fit_cnn import MMFitCNN

__all__ = [
    "ConvAutoencoder",
    "DeepConvLSTM",
    "MMFitCNN",
]

_MODULE_OF = {"ConvAutoencoder": "conv_autoencoder", "DeepConvLSTM": "deep_conv_lstm", "MMFitCNN": "mm_fit_cnn"}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import_optional("torch", feature=name, extra="deep")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
