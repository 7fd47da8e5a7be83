from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from har_virtual.datasets.pamap2 import PAMAP2_SUBJECTS, Pamap2Subject, load_pamap2
from har_virtual.exceptions import DataFormatError, DataWarning, UnknownNameError

SAMPLE = Path(__file__).parents[2] / "datasets" / "pamap2"
FILE = "Protocol/subject101.dat"


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """A copy of subject 101 to be damaged."""
    (tmp_path / "Protocol").mkdir()
    shutil.copy(SAMPLE / FILE, tmp_path / FILE)
    return tmp_path


def restamp(home: Path, step_s: float) -> int:
    """Write other time stamps, and give how many there are."""
    lines = (home / FILE).read_text().splitlines()
    stamped = [f"{8.38 + step_s * row:.6f} {line.split(' ', 1)[1]}\n" for row, line in enumerate(lines)]
    (home / FILE).write_text("".join(stamped))
    return len(lines)


@pytest.mark.parametrize(("step_s", "typical"), [(0.02, "20"), (0.0136, "13.6"), (0.005, "5")])
def test_a_file_of_another_rate_is_refused(sample, step_s, typical):
    restamp(sample, step_s)
    with pytest.raises(DataFormatError, match=rf"subject101\.dat: rows are typically {typical} ms apart, where 10"):
        load_pamap2(sample, cache=False)


def test_a_file_of_nearly_100_hz_keeps_its_rows_and_its_rate(sample):
    n_rows = restamp(sample, 0.0103)
    with pytest.warns(DataWarning, match=r"Protocol/subject101\.dat: the time stamps are those of 97\.0874 Hz"):
        (recording,) = load_pamap2(sample, cache=False)
    assert len(recording) == n_rows
    assert recording.sampling_rate_hz == pytest.approx(1 / 0.0103)
    assert recording.attrs["missing_rows"] == 0


def test_who_wore_nothing_at_the_sites_is_named():
    with pytest.warns(
        DataWarning, match=r"wore nothing at left_wrist, left_ankle: subjects 101, 109\. sides='dominant'"
    ):
        left = load_pamap2(SAMPLE, sides="worn", sites=iter(["left_wrist", "left_ankle"]), cache=False)
    assert [recording.subject for recording in left] == ["108"]


@pytest.mark.parametrize("sites", [None, "chest", ["left_wrist", "right_wrist"]])
def test_nobody_is_named_who_wore_something_there(sites):
    worn = load_pamap2(SAMPLE, sides="worn", sites=sites, cache=False)
    assert [recording.subject for recording in worn] == ["101", "108", "109"]


@pytest.mark.parametrize("sites", ["left_wrist", iter(["chest", "left_wrist"])])
def test_sites_of_a_side_lead_to_sides_worn(sites):
    with pytest.raises(UnknownNameError, match=r"no left_wrist; there is dominant_wrist, .*With sides='worn' there is"):
        load_pamap2(SAMPLE, sites=sites, cache=False)


def test_no_caller_can_change_the_subjects():
    with pytest.raises(TypeError):
        PAMAP2_SUBJECTS["101"] = Pamap2Subject("male", 27, 182, 83, 75, 193, "left")
    assert np.all([about.dominant_hand == "right" for subject, about in PAMAP2_SUBJECTS.items() if subject != "108"])
