"""Networks that learn from windows, as scikit-learn estimators: recognisers, features, and transfer between them."""

from har_virtual.models.conv_autoencoder import ConvAutoencoderFeatures
from har_virtual.models.deep_conv_lstm import DeepConvLSTMClassifier
from har_virtual.models.mm_fit import MMFitClassifier
from har_virtual.models.pretrained import Pretrained, from_pretrained
from har_virtual.models.pretraining import PretrainOnVirtual
from har_virtual.models.storage import load_model

__all__ = [
    "ConvAutoencoderFeatures",
    "DeepConvLSTMClassifier",
    "MMFitClassifier",
    "PretrainOnVirtual",
    "Pretrained",
    "from_pretrained",
    "load_model",
]
