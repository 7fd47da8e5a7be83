"""Where the sensors and labels of Opportunity lie in the file, as literal numbers."""

from __future__ import annotations

import numpy as np
import pytest
from opportunity_runs import channel, load, rows, write

from har_virtual import Recording
from har_virtual.datasets.opportunity import (
    OPPORTUNITY_CHALLENGE_SPLIT,
    OPPORTUNITY_SITES,
    load_opportunity,
    split_opportunity_challenge,
)
from har_virtual.exceptions import DataFormatError, DataWarning

# First of three columns x, y, z, counted from 0: the data set's list counts them from 1.
ACC = {
    ("Accelerometer RKN^", "right_thigh"): 1,
    ("Accelerometer HIP", "right_hip"): 4,
    ("Accelerometer LH", "left_hand"): 13,
    ("Accelerometer RKN_", "right_shin"): 19,
    ("Accelerometer RWR", "right_wrist"): 22,
    ("Accelerometer LWR", "left_wrist"): 31,
    ("Accelerometer RH", "right_hand"): 34,
    ("InertialMeasurementUnit BACK", "back"): 37,
    ("InertialMeasurementUnit RUA", "right_upper_arm"): 50,
    ("InertialMeasurementUnit RLA", "right_forearm"): 63,
    ("InertialMeasurementUnit LUA", "left_upper_arm"): 76,
    ("InertialMeasurementUnit LLA", "left_forearm"): 89,
    ("InertialMeasurementUnit L-SHOE", "left_foot"): 108,
    ("InertialMeasurementUnit R-SHOE", "right_foot"): 124,
}
GYR = {
    ("InertialMeasurementUnit BACK", "back"): 40,
    ("InertialMeasurementUnit RUA", "right_upper_arm"): 53,
    ("InertialMeasurementUnit RLA", "right_forearm"): 66,
    ("InertialMeasurementUnit LUA", "left_upper_arm"): 79,
    ("InertialMeasurementUnit LLA", "left_forearm"): 92,
    # The angular velocity in the frame of the sensor; 114 to 116 and 130 to 132 have it in that of navigation.
    ("InertialMeasurementUnit L-SHOE", "left_foot"): 111,
    ("InertialMeasurementUnit R-SHOE", "right_foot"): 127,
}
SECOND_ONES = {"LUA^": 7, "RUA_": 10, "BACK": 16, "RUA^": 25, "LUA_": 28}


def test_every_site_reads_the_columns_of_its_sensor(tmp_path):
    recording = load(write(tmp_path, rows()))[0]
    assert sorted(OPPORTUNITY_SITES.items()) == sorted(ACC)
    assert len(recording.channels) == 3 * (len(ACC) + len(GYR))
    for quantity, table in (("acc", ACC), ("gyr", GYR)):
        for (sensor, site), first in table.items():
            unit = 1e-3 if quantity == "gyr" else (9.80665 if sensor.startswith("Acc") else 9.8) / 1000
            for axis in range(3):
                read = channel(recording, f"{site}_{quantity}_{'xyz'[axis]}")
                np.testing.assert_allclose(read, unit * (500 + first + axis), rtol=1e-6)


@pytest.mark.parametrize(("sensor", "first"), SECOND_ONES.items())
def test_second_accelerometers_of_a_segment_read_their_own_columns(tmp_path, sensor, first):
    recording = load(write(tmp_path, rows()), placements={f"Accelerometer {sensor}": "waist"})[0]
    expected = np.array([500 + first + axis for axis in range(3)]) * 9.80665 / 1000
    np.testing.assert_allclose(recording.data[0], expected, rtol=1e-6)


@pytest.mark.parametrize(("column", "arm", "hundred"), [(246, "left_arm_object", 300), (248, "right_arm_object", 500)])
def test_drawers_and_doors_have_the_numbers_of_the_data_sets_legend(tmp_path, column, arm, hundred):
    table = rows()
    table[:, column] = np.repeat([8, 11, 19, 16], 10) + hundred
    objects = load(write(tmp_path, table))[0].annotations[arm]
    assert list(dict.fromkeys(objects)) == ["drawer_3", "drawer_2", "drawer_1", "door_1"]


@pytest.mark.parametrize("milli_g", [400, 1600])
def test_a_sensor_that_reads_far_less_or_more_than_gravity_is_named(tmp_path, milli_g):
    table = rows(91)
    table[:, 22:25] = 0, 0, milli_g
    table[0, 22:25] = np.nan
    value = f"{milli_g * 9.80665 / 1000:.3g}"
    with pytest.warns(DataWarning, match=rf"at right_wrist \(Accelerometer RWR\) is typically {value} m/s2, far from"):
        load(write(tmp_path, table))


@pytest.mark.parametrize("milli_g", [600, 1400])
def test_a_sensor_that_reads_about_gravity_is_not_named(tmp_path, milli_g):
    table = rows(91)
    table[:, 22:25] = 0, 0, milli_g
    table[0, 22:25] = np.nan
    assert channel(load(write(tmp_path, table))[0], "right_wrist_acc_z")[1] == pytest.approx(milli_g * 9.80665e-3)


def test_the_challenge_takes_no_run_of_another_data_set(tmp_path):
    for name in ("S1-ADL1.dat", "S1-ADL5.dat", "S2-ADL4.dat"):
        write(tmp_path, rows(), name)
    theirs = Recording(np.ones((9, 1)), 30, ["back_acc_x"], subject="1", session="ADL1", dataset="home", labels="walk")
    parts = split_opportunity_challenge([theirs, *load(tmp_path), theirs.replace(session="ADL5", dataset=None)])
    assert {part: [(r.group, r.session) for r in chosen] for part, chosen in parts.items()} == {
        "train": [("opportunity/1", "ADL1")],
        "validation": [("opportunity/1", "ADL5")],
        "test": [("opportunity/2", "ADL4")],
    }


def test_a_run_at_another_rate_is_refused(tmp_path):
    table = rows(300)
    table[:, 0] = 20 * np.arange(300)
    with pytest.raises(DataFormatError, match=r"S1-ADL1\.dat: rows are typically 20 ms apart, where 33\.33 are right"):
        load_opportunity(write(tmp_path, table), cache=False)


def test_no_caller_can_change_the_tables():
    with pytest.raises(TypeError):
        OPPORTUNITY_SITES["Accelerometer HIP"] = "waist"
    with pytest.raises(TypeError):
        OPPORTUNITY_CHALLENGE_SPLIT["test"] = {}
    with pytest.raises(TypeError):
        OPPORTUNITY_CHALLENGE_SPLIT["test"]["4"] = ("ADL1",)
