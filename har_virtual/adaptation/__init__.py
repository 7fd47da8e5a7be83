"""Bring virtual data nearer to the real sensor, say which of the two learns, and measure how far they are apart."""

from har_virtual.adaptation.alignment import SensorAligner
from har_virtual.adaptation.distances import js_divergence, ks_distance, mmd
from har_virtual.adaptation.distribution import RankDistributionMapper
from har_virtual.adaptation.domain_selector import DomainSelector
from har_virtual.adaptation.frechet import frechet_distance
from har_virtual.adaptation.train_only import TrainOnly

__all__ = [
    "DomainSelector",
    "RankDistributionMapper",
    "SensorAligner",
    "TrainOnly",
    "frechet_distance",
    "js_divergence",
    "ks_distance",
    "mmd",
]
