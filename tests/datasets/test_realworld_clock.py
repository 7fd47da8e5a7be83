from __future__ import annotations

import re
import zipfile
from pathlib import Path

import numpy as np
import pytest

from har_virtual.datasets.realworld.loader import REALWORLD_SITES, load_realworld
from har_virtual.exceptions import DataFormatError, DataWarning

NOON_MS = 1_435_993_200_000
WALKING = "proband1/data/acc_walking_csv.zip"


def table(stamps_ms, values=None) -> str:
    """A table with the row's number along x, unless `values` (n_rows,) are given; so small that gravity prevails."""
    values = np.arange(len(stamps_ms)) if values is None else values
    rows = [f"{i + 1},{stamp},{1e-5 * x:.5f},0,9.8" for i, (stamp, x) in enumerate(zip(stamps_ms, values, strict=True))]
    return "\n".join(["id,attr_time,attr_x,attr_y,attr_z", *rows]) + "\n"


def read(recording) -> np.ndarray:
    """What `table` was given."""
    return 1e5 * recording.data[:, 0].astype(float)


def even(n_rows: int = 10, step_ms: float = 20, start_ms: int = NOON_MS) -> np.ndarray:
    return start_ms + np.round(step_ms * np.arange(n_rows)).astype(int)


def put(home: Path, text: str, others: str) -> Path:
    """An archive with a table for the chest and one for all others."""
    path = home / WALKING
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(path, "w") as archive:
        for position in REALWORLD_SITES:
            archive.writestr(f"acc_walking_{position}.csv", text if position == "chest" else others)
    return home


def chest(home: Path, text: str):
    """The recording of a table; the others start at noon and are on for 0.2 s."""
    (recording,) = load_realworld(put(home, text, table(even())), sites="chest", cache=False)
    return recording


def bunches(taken_ms: np.ndarray, sizes, apart_ms: int) -> np.ndarray:
    """When samples arrive that are delivered so many at a time, with the last of them."""
    parts = np.split(taken_ms, np.cumsum(sizes)[np.cumsum(sizes) < len(taken_ms)])
    return np.concatenate([part[-1] + apart_ms * np.arange(len(part)) for part in parts])


# Rates.


@pytest.mark.parametrize(("step_ms", "rate_hz"), [(10, 100), (1000 / 62.5, 62.5), (1000 / 47.3, 47.3), (40, 25)])
def test_even_stamps_near_50_hz_keep_their_rate(tmp_path: Path, step_ms: float, rate_hz: float):
    recording = chest(tmp_path, table(even(800, step_ms)))
    assert recording.sampling_rate_hz == pytest.approx(rate_hz, rel=1e-4)
    assert recording.attrs["clock"] == "regular"
    np.testing.assert_allclose(read(recording), np.arange(800), atol=0.05)


@pytest.mark.parametrize("step_ms", [5, 100])
def test_even_stamps_of_another_rate_are_brought_to_50_hz_and_told(tmp_path: Path, step_ms: int):
    with pytest.warns(DataWarning, match=f"the rows come at {1000 / step_ms:g} Hz by their stamps"):
        recording = chest(tmp_path, table(even(400, step_ms), step_ms * np.arange(400)))
    assert (recording.sampling_rate_hz, recording.attrs["clock"]) == (50, "resampled")
    inside = slice(20, -20)
    np.testing.assert_allclose(read(recording)[inside], 1000 * recording.times_s[inside], atol=1)


@pytest.mark.parametrize("scale", [0.001, 0.04, 25])
def test_stamps_of_no_device_are_told(tmp_path: Path, scale: float):
    stamps, rate = [f"{20 * scale * row:.6f}" for row in range(500)], re.escape(f"{50 / scale:.3g}")
    with pytest.raises(DataFormatError, match=rf"acc_walking_chest\.csv: the rows come at {rate} Hz .*timing='start'"):
        chest(tmp_path, table(stamps))


def test_stamps_in_whole_seconds_are_told(tmp_path: Path):
    with pytest.raises(DataFormatError, match="rows come at"):
        chest(tmp_path, table(even(500) // 1000))


def test_a_lattice_that_comes_from_rounding_to_10_ms_is_no_rate(tmp_path: Path):
    late = 10 * (np.arange(600) % 7 == 3)
    recording = chest(tmp_path, table(even(600) + late, even(600) + late - NOON_MS))
    assert (recording.sampling_rate_hz, recording.attrs["clock"]) == (50, "resampled")
    np.testing.assert_allclose(read(recording), 1000 * recording.times_s, atol=0.05)


def test_stamps_that_become_uneven_late_are_resampled(tmp_path: Path):
    stamps = even(3000)
    stamps[2000::2] += 6
    recording = chest(tmp_path, table(stamps, stamps - NOON_MS))
    assert recording.attrs["clock"] == "resampled"
    np.testing.assert_allclose(read(recording), 1000 * recording.times_s, atol=0.05)


def test_a_table_of_which_more_than_a_fifth_is_missing_is_told(tmp_path: Path):
    stamps = even(1000)
    with pytest.warns(DataWarning, match=r"acc_walking_chest\.csv: 25% of its samples are missing, and NaN\."):
        recording = chest(tmp_path / "quarter", table(np.delete(stamps, np.s_[1:-1:4])))
    assert (recording.sampling_rate_hz, recording.attrs["clock"]) == (50, "regular")
    assert np.isnan(recording.data).mean() == pytest.approx(0.25, abs=0.01)
    # A warning would be an error.
    assert np.isnan(chest(tmp_path / "sixth", table(np.delete(stamps, np.s_[1:-1:6]))).data).mean() > 0.16


# Bunches.


@pytest.mark.parametrize(("sizes", "apart_ms"), [([8] * 125, 1), ([2] * 500, 2), ([2] * 500, 0), ([4] * 250, 10)])
def test_rows_in_bunches_are_put_at_even_times(tmp_path: Path, sizes: list[int], apart_ms: int):
    with pytest.warns(DataWarning, match=r"acc_walking_chest\.csv: the rows come in bunches") as caught:
        recording = chest(tmp_path, table(bunches(even(1000), sizes, apart_ms)))
    assert len(caught) == 1
    assert recording.sampling_rate_hz == pytest.approx(50, rel=1e-4)
    np.testing.assert_allclose(read(recording), np.arange(1000), atol=0.05)
    # The last of a bunch is the least late.
    assert recording.start_s == pytest.approx((sizes[0] - 1) * apart_ms / 1000, abs=1e-3)


def test_bunches_of_any_size_are_put_at_even_times(tmp_path: Path):
    sizes = np.random.default_rng(3).integers(2, 11, 500)
    with pytest.warns(DataWarning, match="come in bunches"):
        recording = chest(tmp_path, table(bunches(even(2000), sizes, 2)))
    assert recording.sampling_rate_hz == pytest.approx(50, rel=1e-3)
    np.testing.assert_allclose(read(recording), np.arange(2000), atol=0.05)


def test_a_long_wait_between_bunches_is_a_hole(tmp_path: Path):
    taken = even(2000)
    taken[1000:] += 5000
    with pytest.warns(DataWarning, match="come in bunches"):
        recording = chest(tmp_path, table(bunches(taken, [8] * 250, 1), taken - NOON_MS))
    missing = np.isnan(recording.data[:, 0])
    assert missing.sum() / recording.sampling_rate_hz == pytest.approx(5, abs=0.05)
    late = read(recording)[~missing] / 1000 - recording.times_s[~missing]
    assert np.ptp(late) < 0.025


def test_samples_that_no_even_device_could_have_taken_keep_their_stamps(tmp_path: Path):
    """Half of the samples of 100 Hz, most in the first half and in the second."""
    kept = np.concatenate([np.arange(0, 20_000, 2), 20_000 + np.arange(0, 20_000, 3)])
    kept[1::2] -= 1
    stamps = NOON_MS + 10 * kept
    recording = chest(tmp_path, table(stamps, stamps - NOON_MS))
    np.testing.assert_allclose(read(recording), 1000 * recording.times_s, atol=0.05)


def test_devices_that_fall_behind_for_a_moment_are_not_in_bunches(tmp_path: Path):
    stamps = even(600)
    stamps[100:103] = stamps[103] - [3, 2, 1]
    recording = chest(tmp_path, table(stamps))
    assert recording.attrs["clock"] == "resampled"
    assert recording.start_s == 0


# Starts.


def test_a_table_whose_earliest_row_is_its_last_starts_before_the_clock(tmp_path: Path):
    stamps = [*even(10), NOON_MS - 40, NOON_MS - 20]
    home = put(tmp_path, table(stamps), others=table(even(10)))
    with pytest.warns(DataWarning, match="stamps go back"):
        (recording,) = load_realworld(home, sites="chest", cache=False)
    assert recording.start_s == pytest.approx(-0.04)
    assert recording.attrs["start_unix_s"] == NOON_MS / 1000
    np.testing.assert_allclose(read(recording), [10, 11, *range(10)], atol=0.05)


def test_a_device_whose_clock_is_a_day_early_is_told(tmp_path: Path):
    home = put(tmp_path, table(even(100, start_ms=NOON_MS - 86_400_000)), others=table(even(100)))
    with pytest.warns(DataWarning, match=r"session 1 were never .*\(.*: chest 0 s\).*timing='start'") as caught:
        recordings = load_realworld(home, cache=False)
    assert len(caught) == 1
    assert [recording.start_s for recording in recordings] == [0] + [86_400] * 6
    # A warning would be an error.
    load_realworld(home, timing="start", cache=False)


def test_devices_that_were_never_all_on_at_once_are_named_if_none_stands_apart(tmp_path: Path):
    path = tmp_path / WALKING
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(path, "w") as archive:
        for number, position in enumerate(REALWORLD_SITES):
            archive.writestr(f"acc_walking_{position}.csv", table(even(200, start_ms=NOON_MS + 800 * number)))
    with pytest.warns(DataWarning, match=r"chest 0 s, forearm 0\.8 s, .* waist 4\.8 s"):
        load_realworld(tmp_path, cache=False)


# Holes of uneven stamps.


@pytest.mark.parametrize(("step_ms", "bridged"), [(110, True), (118, True), (130, False)])
def test_a_hole_is_longer_than_a_tenth_of_a_second_besides_the_usual_step(tmp_path: Path, step_ms: int, bridged: bool):
    stamps = even(200) + 6 * (np.arange(200) % 2)
    stamps[101:] += step_ms - (stamps[101] - stamps[100])
    recording = chest(tmp_path, table(stamps, stamps - NOON_MS))
    assert recording.attrs["clock"] == "resampled"
    assert np.isnan(recording.data).any() != bridged


def test_rows_of_nan_at_the_start_stay_nan_and_the_last_sample_is_one(tmp_path: Path):
    stamps = even(201) + 6 * (np.arange(201) % 2)
    values = np.where(np.arange(201) < 4, np.nan, stamps - NOON_MS)
    recording = chest(tmp_path, table(stamps, values))
    assert recording.attrs["clock"] == "resampled"
    np.testing.assert_array_equal(np.isnan(recording.data[:, 0]), recording.times_s < 0.08)
    assert read(recording)[-1] == pytest.approx(4000, abs=0.01)


def test_a_last_stamp_a_microsecond_early_still_gives_a_last_sample(tmp_path: Path):
    stamps = (even(201) + 6 * (np.arange(201) % 2)).astype(float)
    stamps[-1] -= 0.001
    recording = chest(tmp_path, table([f"{stamp:.3f}" for stamp in stamps], stamps - NOON_MS))
    assert len(recording) == 201
    assert read(recording)[-1] == pytest.approx(4000, abs=0.01)


def test_a_table_of_nothing_but_nan_is_nan(tmp_path: Path):
    stamps = even(50) + 6 * (np.arange(50) % 2)
    with pytest.warns(DataWarning, match="100% of its samples are missing"):
        recording = chest(tmp_path, table(stamps, np.full(50, np.nan)))
    assert np.isnan(recording.data).all()
