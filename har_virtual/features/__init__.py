"""Features: one row of numbers for each window or stream, and channels that they are taken from."""

from har_virtual.features.ecdf import ECDFFeatures
from har_virtual.features.norms import NormChannels
from har_virtual.features.tsfresh import TsfreshFeatures

__all__ = ["ECDFFeatures", "NormChannels", "TsfreshFeatures"]
