from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from har_virtual.datasets.utd_mhad import UTD_MHAD_ACTIONS, load_utd_mhad, load_utd_mhad_motions
from har_virtual.exceptions import DataFormatError, DataWarning, UnknownNameError

SAMPLE = Path(__file__).parents[2] / "datasets" / "utd_mhad"


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """A copy of the sample to be damaged."""
    for folder in ("Inertial", "Skeleton"):
        shutil.copytree(SAMPLE / folder, tmp_path / folder)
    return tmp_path


def skeletons(home: Path, subject: int) -> list[Path]:
    return sorted((home / "Skeleton").glob(f"a*_s{subject}_*.mat"))


def test_a_generator_of_subjects_is_told_of_missing_halves(sample):
    for path in skeletons(sample, 1)[:1]:
        path.unlink()
    with pytest.warns(DataWarning, match="no virtual recording of 1 trials") as told:
        from_generator = load_utd_mhad(sample, subjects=(s for s in ["1"]), sites=None)
    with pytest.warns(DataWarning) as told_too:
        from_list = load_utd_mhad(sample, subjects=["1"], sites=None)
    assert [str(w.message) for w in told] == [str(w.message) for w in told_too]
    assert len(from_generator) == len(from_list)


@pytest.mark.filterwarnings("ignore:.*no virtual recording of")
def test_virtual_recordings_without_any_skeleton_are_an_error(sample):
    for path in skeletons(sample, 1):
        path.unlink()
    with pytest.raises(DataFormatError, match=r"nothing is left of UTD-MHAD for domain virtual; .*subjects 1: none of"):
        load_utd_mhad(sample, subjects=1, sites=None, domain="virtual")
    assert {r.domain for r in load_utd_mhad(sample, subjects=1, sites=None)} == {"real"}


@pytest.mark.filterwarnings("ignore:.*was left out")
def test_virtual_recordings_of_damaged_skeletons_only_are_an_error(sample):
    for path in skeletons(sample, 1):
        path.write_bytes(b"damaged")
    with pytest.raises(DataFormatError, match="nothing is left of UTD-MHAD for domain virtual"):
        load_utd_mhad(sample, subjects=1, sites=None, domain="virtual", errors="warn")


def test_a_damaged_skeleton_can_be_left_out_of_the_motions(sample):
    whole = load_utd_mhad_motions(sample)
    damaged = skeletons(sample, 1)[0]
    damaged.write_bytes(b"damaged")
    with pytest.raises(DataFormatError, match=damaged.name):
        load_utd_mhad_motions(sample)
    with pytest.warns(DataWarning, match=rf"Skeleton/{damaged.name} was left out: "):
        rest = load_utd_mhad_motions(sample, errors="warn")
    assert len(rest) == len(whole) - 1
    assert f"Skeleton/{damaged.name}" not in [motion.attrs["file"] for motion in rest]


@pytest.mark.filterwarnings("ignore:.*was left out")
def test_no_motion_at_all_is_an_error(sample):
    for path in (sample / "Skeleton").iterdir():
        path.write_bytes(b"damaged")
    with pytest.raises(DataFormatError, match=r"nothing is left; all \d+ trials asked for are damaged"):
        load_utd_mhad_motions(sample, errors="warn")


def test_errors_of_motions_are_raised_or_told():
    with pytest.raises(UnknownNameError, match="'raise' or 'warn', not 'ignore'"):
        load_utd_mhad_motions(SAMPLE, errors="ignore")


def test_no_caller_can_change_the_actions():
    with pytest.raises(TypeError):
        UTD_MHAD_ACTIONS[1] = "wave"
