from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from har_virtual.datasets.base import Part
from har_virtual.datasets.sp_sw_har import _recording, _Stream, load_sp_sw_har
from har_virtual.exceptions import DataFormatError

SAMPLE = Path(__file__).parents[2] / "datasets" / "sp_sw_har"


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """A copy of the sample to be damaged."""
    shutil.copytree(SAMPLE, tmp_path, dirs_exist_ok=True)
    return tmp_path


def load(home: Path, **options):
    return load_sp_sw_har(home, cache=False, **options)


@pytest.mark.parametrize("later_ms", [0, 437])
def test_the_clock_of_an_execution_starts_with_its_first_device(sample, later_ms):
    for path in sample.glob("s*/*.csv"):
        later = re.sub(r",(\d{13}),", lambda stamp: f",{int(stamp[1]) + later_ms},", path.read_text())
        path.write_text(later)
    starts: dict[str, list[float]] = {}
    for recording in load(sample):
        starts.setdefault(str(recording.subject), []).append(recording.start_s)
    assert [0 <= min(both) <= 0.01 for both in starts.values()] == [True, True]


@pytest.mark.parametrize(("phase", "first_walking_s"), [(0.3, 0.05), (0.7, 0.06)])
def test_a_sample_of_the_grid_has_the_label_that_is_nearest_in_time(phase, first_walking_s):
    times_s = 100 + (np.arange(12) + phase) / 100
    labels = np.array(["seated"] * 5 + ["walking"] * 7, dtype=object)
    stream = _Stream(np.ones((12, 6), np.float32), times_s, labels, 0.0)
    recording = _recording(stream, Part("s01", "01", ()), "left_wrist", {"start_unix_s": 100.0})
    first = recording.times_s[np.flatnonzero(recording.labels == "walking")[0]]
    assert first == pytest.approx(first_walking_s, abs=1e-9)


def test_the_watch_needs_no_orientation_of_the_phone(sample):
    (sample / "executions_info.csv").unlink()
    assert {r.channels[0] for r in load(sample, sites="left_wrist")} == {"left_wrist_acc_x"}
    with pytest.raises(DataFormatError, match=r"s01_01_sp\.csv has no executions_info\.csv"):
        load(sample, sites="left_thigh")


def test_a_byte_order_mark_is_no_part_of_the_first_column(sample):
    for name in ("executions_info.csv", "subjects_info.csv"):
        (sample / name).write_bytes(b"\xef\xbb\xbf" + (sample / name).read_bytes())
    for marked, plain in zip(load(sample), load(SAMPLE), strict=True):
        assert marked.attrs == plain.attrs


def test_a_short_row_stops_no_other_execution(sample):
    path = sample / "executions_info.csv"
    header, *lines = path.read_text().splitlines()
    path.write_text("\n".join([header, lines[0].rpartition(",")[0], *lines[1:]]))
    assert {r.subject for r in load(sample, subjects=2)} == {"s02"}
    with pytest.raises(DataFormatError, match=r"executions_info\.csv, line 2: 3 fields where 4 are needed"):
        load(sample, subjects=1)
