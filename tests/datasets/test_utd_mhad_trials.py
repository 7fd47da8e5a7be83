from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from har_virtual.datasets.utd_mhad import load_utd_mhad
from har_virtual.exceptions import DataFormatError

SAMPLE = Path(__file__).parents[2] / "datasets" / "utd_mhad"


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """A copy of the sample to be damaged."""
    for folder in ("Inertial", "Skeleton"):
        shutil.copytree(SAMPLE / folder, tmp_path / folder)
    return tmp_path


def skeleton(n_frames: int = 50) -> np.ndarray:
    return np.repeat(loadmat(SAMPLE / "Skeleton" / "a3_s1_t1_skeleton.mat")["d_skel"][:, :, :1], n_frames, axis=2)


def with_value(array: np.ndarray, value: float) -> np.ndarray:
    array = array.copy()
    array.flat[7] = value
    return array


@pytest.mark.parametrize(
    ("folder", "content", "message"),
    [
        ("Inertial", {"other": np.ones((9, 6))}, "has no variable d_iner"),
        ("Inertial", {"d_iner": np.ones((9, 5))}, r"shape \(time, 6\), not \(9, 5\)"),
        ("Inertial", {"d_iner": np.ones((9, 6, 2))}, r"shape \(time, 6\)"),
        ("Inertial", {"d_iner": "six columns"}, "no full array of real numbers"),
        ("Inertial", {"d_iner": {"acc": np.ones((9, 6))}}, "no full array of real numbers"),
        ("Inertial", {"d_iner": np.ones((9, 6)) * 1j}, "no full array of real numbers"),
        ("Inertial", {"d_iner": np.ones((1, 6))}, "has 1 rows of time, but 2"),
        ("Inertial", {"d_iner": np.ones((0, 6))}, "has 0 rows of time"),
        ("Inertial", {"d_iner": with_value(np.ones((9, 6)), np.nan)}, "1 values that are NaN, infinite"),
        ("Inertial", {"d_iner": with_value(np.ones((9, 6)), 1e300)}, "1 values that are NaN, infinite or over"),
        ("Skeleton", {"d_skel": skeleton()[:, :, 0]}, r"shape \(20, 3, time\)"),
        ("Skeleton", {"d_skel": skeleton()[:19]}, r"shape \(20, 3, time\), not \(19, 3, 50\)"),
        ("Skeleton", {"d_skel": skeleton().swapaxes(0, 2)}, r"shape \(20, 3, time\)"),
        ("Skeleton", {"d_skel": skeleton(5)}, "has 5 rows of time, but 6"),
        ("Skeleton", {"d_skel": with_value(skeleton(), np.inf)}, "NaN, infinite"),
    ],
)
def test_a_file_with_other_contents_is_named(sample, folder, content, message):
    (path,) = (sample / folder).glob("a3_s1_*.mat")
    savemat(path, content)
    with pytest.raises(DataFormatError, match=f"{path.name}.*{message}"):
        load_utd_mhad(sample)


@pytest.mark.parametrize("folder", ["Inertial", "Skeleton"])
def test_a_truncated_file_is_named_wherever_it_ends(sample, folder):
    (path,) = (sample / folder).glob("a3_s1_*.mat")
    whole = path.read_bytes()
    for stop in range(0, len(whole), 97):
        path.write_bytes(whole[:stop])
        with pytest.raises(DataFormatError, match=path.name):
            load_utd_mhad(sample, subjects=[1])


@pytest.mark.parametrize("seed", range(40))
def test_damaged_bytes_give_a_stream_or_a_named_file(sample, seed):
    path, rng = sample / "Inertial" / "a3_s1_t1_inertial.mat", np.random.default_rng(seed)
    savemat(path, {"d_iner": loadmat(path)["d_iner"]}, do_compression=False)
    damaged = bytearray(path.read_bytes())
    # The fields that say what follows: version, tags, flags, dimensions, name.
    for place in rng.integers(116, 190, size=3):
        damaged[place] = rng.integers(256)
    path.write_bytes(bytes(damaged))
    try:
        recordings = load_utd_mhad(sample, subjects=[1], domain="real")
    except DataFormatError as error:
        refused = str(error)
    else:
        assert np.isfinite(recordings[0].data).all()
        return
    assert path.name in refused
