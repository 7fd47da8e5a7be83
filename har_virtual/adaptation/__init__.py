"""Bring virtual data nearer to the real sensor, and say which of the two learns."""

from har_virtual.adaptation.alignment import SensorAligner
from har_virtual.adaptation.distribution import RankDistributionMapper
from har_virtual.adaptation.domain_selector import DomainSelector
from har_virtual.adaptation.train_only import TrainOnly

__all__ = ["DomainSelector", "RankDistributionMapper", "SensorAligner", "TrainOnly"]
