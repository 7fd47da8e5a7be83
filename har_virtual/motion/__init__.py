"""Motion of a person: segment orientations and readers of motion capture."""

from har_virtual.motion.amass import read_amass
from har_virtual.motion.asf_amc import read_asf_amc
from har_virtual.motion.bvh import read_bvh
from har_virtual.motion.kinematics import orient_segments, to_body

__all__ = ["orient_segments", "read_amass", "read_asf_amc", "read_bvh", "to_body"]
