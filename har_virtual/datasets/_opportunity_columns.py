"""The 250 columns of Opportunity's files: where they are, what they hold, in which unit."""

from __future__ import annotations

from har_virtual.recording import STANDARD_GRAVITY_M_S2

TIME_COLUMN = "MILLISEC"
TRACK_COLUMNS = {
    "Locomotion": "locomotion",
    "HL_Activity": "high_level",
    "LL_Left_Arm": "left_arm",
    "LL_Left_Arm_Object": "left_arm_object",
    "LL_Right_Arm": "right_arm",
    "LL_Right_Arm_Object": "right_arm_object",
    "ML_Both_Arms": "gestures",
}
"""The label columns, in order, and our names of these tracks."""

_BLUETOOTH = ("RKN^", "HIP", "LUA^", "RUA_", "LH", "BACK", "RKN_", "RWR", "RUA^", "LUA_", "LWR", "RH")
_XSENS = ("BACK", "RUA", "RLA", "LUA", "LLA")
_SHOES = ("L-SHOE", "R-SHOE")
_XSENS_FIELDS = (
    *(f"{vector}{axis}" for vector in ("acc", "gyro", "magnetic") for axis in "XYZ"),
    *(f"Quaternion{number}" for number in (1, 2, 3, 4)),
)
_SHOE_FIELDS = (
    *("EuX", "EuY", "EuZ", "Nav_Ax", "Nav_Ay", "Nav_Az", "Body_Ax", "Body_Ay", "Body_Az"),
    *(f"AngVel{frame}Frame{axis}" for frame in ("Body", "Nav") for axis in "XYZ"),
    "Compass",
)

COLUMNS: tuple[str, ...] = (
    TIME_COLUMN,
    *(f"Accelerometer {sensor} acc{axis}" for sensor in _BLUETOOTH for axis in "XYZ"),
    *(f"InertialMeasurementUnit {sensor} {field}" for sensor in _XSENS for field in _XSENS_FIELDS),
    *(f"InertialMeasurementUnit {sensor} {field}" for sensor in _SHOES for field in _SHOE_FIELDS),
    # Objects and the room, where the data set's list gives several columns one name; nothing of them is read.
    *(f"Column {number}" for number in range(135, 244)),
    *TRACK_COLUMNS,
)
"""Names of all columns, those of column_names.txt as far as we read them."""

_DROPPED = {
    *range(46, 50),
    *range(59, 63),
    *range(72, 76),
    *range(85, 89),
    *range(98, 102),
    *range(134, 243),
    *range(244, 249),
}
CHALLENGE_COLUMNS: tuple[str, ...] = tuple(
    name for number, name in enumerate(COLUMNS[:-1]) if number not in _DROPPED | {0, 243}
)
"""The 113 columns of the Opportunity challenge: what is worn, without the quaternions."""


def _triad(prefix: str, axes: str = "XYZ") -> tuple[str, ...]:
    return tuple(f"{prefix}{axis}" for axis in axes)


SENSORS: dict[str, dict[str, tuple[str, ...]]] = {
    **{name: {"acc": _triad(f"{name} acc")} for name in (f"Accelerometer {sensor}" for sensor in _BLUETOOTH)},
    **{
        name: {"acc": _triad(f"{name} acc"), "gyr": _triad(f"{name} gyro")}
        for name in (f"InertialMeasurementUnit {sensor}" for sensor in _XSENS)
    },
    **{
        name: {"acc": _triad(f"{name} Body_A", "xyz"), "gyr": _triad(f"{name} AngVelBodyFrame")}
        for name in (f"InertialMeasurementUnit {sensor}" for sensor in _SHOES)
    },
}
"""Columns x, y, z of each quantity of each worn sensor."""


def si_factor(sensor: str, quantity: str) -> float:
    """Give what a value of the file is to be multiplied by, for m/s2 or rad/s."""
    if quantity == "gyr":
        return 1e-3
    # column_names.txt: the inertial units' m/s2 were divided by 9.8, the accelerometers gave milli-g themselves.
    return (STANDARD_GRAVITY_M_S2 if sensor.startswith("Accelerometer") else 9.8) / 1000


_ARM_ACTIONS = tuple("unlock stir lock close reach open sip clean bite cut spread release move".split())
_ARM_OBJECTS = tuple(
    """
    bottle salami bread sugar dishwasher switch milk drawer_3 spoon knife_cheese drawer_2 table glass cheese chair
    door_1 door_2 plate drawer_1 fridge cup knife_salami lazychair
    """.split()
)
ARM_TRACKS: dict[str, dict[int, str]] = {
    track: dict(enumerate(names, start=first))
    for track, first, names in (
        ("left_arm", 201, _ARM_ACTIONS),
        ("left_arm_object", 301, _ARM_OBJECTS),
        ("right_arm", 401, _ARM_ACTIONS),
        ("right_arm_object", 501, _ARM_OBJECTS),
    )
}
"""Names by number of the tracks that no task needs."""
