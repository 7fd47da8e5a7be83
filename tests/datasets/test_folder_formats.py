from __future__ import annotations

import csv
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from har_virtual.datasets.folder.loader import load_folder
from har_virtual.exceptions import DataWarning
from har_virtual.recording import RecordingSet
from har_virtual.windows import join_sessions

XYZ = ("x", "y", "z")
SITE_ACC = {axis: f"{{site}}_acc_{axis}" for axis in XYZ}
WRIST_ACC = {axis: f"left_wrist_acc_{axis}" for axis in XYZ}
MS_2024 = 1_714_550_400_000

load = partial(load_folder, cache=False)


def readings(n_rows: int, size: float = 9.81) -> np.ndarray:
    """Three columns near gravity that tell their row."""
    return np.stack([np.full(n_rows, size), 0.001 * np.arange(n_rows), np.zeros(n_rows)], axis=1)


def write(path: Path, values: np.ndarray, times=None, labels=None, **options) -> Path:
    """Write a CSV with columns x, y, z and, where given, time and label."""
    frame = pd.DataFrame(values, columns=list(XYZ)[: values.shape[1]])
    frame = frame if times is None else frame.assign(time=times)
    frame = frame if labels is None else frame.assign(label=labels)
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_csv(path, index=False, **options)
    return path


@pytest.mark.parametrize("label", ["1", "1.0", 1, 1.0])
def test_a_whole_number_is_one_label_however_it_is_written(tmp_path, label):
    stated = {"columns": WRIST_ACC, "units": {"acc": "m/s2"}, "sampling_rate_hz": 50, "label": "label"}
    write(tmp_path / "anna.csv", readings(5), labels=label)
    assert load(tmp_path, "{subject}.csv", **stated)[0].labels.tolist() == ["1"] * 5
    pd.read_csv(tmp_path / "anna.csv", dtype={"label": type(label)}).to_parquet(tmp_path / "anna.parquet")
    assert load(tmp_path, "{subject}.parquet", label_names={"1": "walking"}, **stated)[0].labels[0] == "walking"


def test_decimal_commas_and_quoted_numbers_and_na_are_read(tmp_path):
    stated = {"columns": WRIST_ACC, "units": {"acc": "m/s2"}, "time": "time", "label": "label"}
    rows = readings(50)
    rows[3, 2] = np.nan
    plain = {"times": np.arange(50) / 50, "labels": "walking", "na_rep": "NA"}
    write(tmp_path / "a.csv", rows, **plain)
    write(tmp_path / "b.csv", rows, **plain, sep=";", decimal=",")
    write(tmp_path / "c.csv", rows, **plain, quoting=csv.QUOTE_ALL)
    write(tmp_path / "d.csv", rows, **plain, sep=";", decimal=",", quoting=csv.QUOTE_ALL)
    exact = rows.astype(np.float32)
    for home, decimal in (("ac", "."), ("bd", ",")):
        (tmp_path / home).mkdir()
        for name in home:
            (tmp_path / f"{name}.csv").rename(tmp_path / home / f"{name}.csv")
        separator = ";" if decimal == "," else ","
        for recording in load(
            tmp_path / home, "{subject}.csv", separator=separator, decimal=decimal, max_gap_s=0, **stated
        ):
            np.testing.assert_array_equal(recording.data, exact)
            assert set(recording.labels) == {"walking"}


def test_a_file_that_lacks_channels_of_the_others_is_said(tmp_path):
    for site in ("chest", "left_wrist"):
        for subject in ("anna", "ben"):
            path = write(tmp_path / f"{subject}_{site}.csv", readings(10))
            path.write_text(path.read_text().replace("x,y,z", "acc_x,acc_y,acc_z"))
    stated = {"pattern": "{subject}_{site}.csv", "units": {"acc": "m/s2"}, "sampling_rate_hz": 50}
    assert len(load(tmp_path, **stated)) == 4
    path.write_text(path.read_text().replace("acc_z", "else"))
    with pytest.warns(DataWarning, match=r"^ben_left_wrist.csv: no left_wrist_acc_z, which other files have") as said:
        load(tmp_path, **stated)
    assert len(said) == 1
    assert len(load(tmp_path, sites="chest", **stated)) == 2


def test_a_wide_file_that_lacks_a_site_of_the_others_is_said(tmp_path):
    for number in range(9):
        path = write(tmp_path / f"{number}.csv", readings(10))
        path.write_text(
            path.read_text().replace(
                "x,y,z", "chest_acc_x,chest_acc_y,waist_acc_z" if number else "chest_acc_x,chest_acc_y,z"
            )
        )
    with pytest.warns(DataWarning, match=r"^0.csv: no waist_acc_z, which"):
        load(tmp_path, "{subject}.csv", units={"acc": "m/s2"}, sampling_rate_hz=50)


def test_a_site_that_seems_misspelt_is_said_unless_it_is_stated(tmp_path):
    for site in ("leftwrist", "pocket", "chest2"):
        write(tmp_path / f"anna_{site}.csv", readings(10))
    stated = {"pattern": "{subject}_{site}.csv", "columns": SITE_ACC, "units": {"acc": "m/s2"}, "sampling_rate_hz": 50}
    with pytest.warns(DataWarning, match=r"site 'leftwrist' is none .* is it 'left_wrist'\?") as said:
        load(tmp_path, **stated)
    assert len(said) == 1
    names = {"leftwrist": "left_wrist", "pocket": "left_hips", "chest2": "chest"}
    assert len(load(tmp_path, site_names=names, **stated)) == 3


def test_a_file_a_sensor_is_two_folders_that_are_joined(tmp_path):
    for sensor, first in (("acc", 0), ("gyr", 3)):
        write(tmp_path / f"anna_{sensor}.csv", readings(100)[first:], times=MS_2024 + 20 * np.arange(first, 100))
    recordings = sum(
        (
            load(
                tmp_path,
                f"{{subject}}_{sensor}.csv",
                {axis: f"left_wrist_{sensor}_{axis}" for axis in XYZ},
                {sensor: unit},
                time="time",
                time_unit="ms",
            )
            for sensor, unit in (("acc", "m/s2"), ("gyr", "rad/s"))
        ),
        start=RecordingSet([]),
    )
    first_s = min(r.attrs["start_unix_s"] for r in recordings)
    (session,) = join_sessions([r.replace(start_s=r.start_s + r.attrs["start_unix_s"] - first_s) for r in recordings])
    # The rows tell their numbers.
    np.testing.assert_allclose(session.data[:, 1], session.data[:, 4], atol=1e-6)
    assert session.channels == tuple(f"left_wrist_{sensor}_{axis}" for sensor in ("acc", "gyr") for axis in XYZ)
