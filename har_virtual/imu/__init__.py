"""Inertial sensors: where they sit, what they measure, how they err."""

from har_virtual.imu.sensor import SensorModel
from har_virtual.imu.simulate import simulate_sensor
from har_virtual.imu.sites import SEGMENTS, SITES, Placement
from har_virtual.imu.streams import simulate_imu

__all__ = ["SEGMENTS", "SITES", "Placement", "SensorModel", "simulate_imu", "simulate_sensor"]
