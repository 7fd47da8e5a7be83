from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from har_virtual import segment_recordings, simulate_imu
from har_virtual.exceptions import DataFormatError
from har_virtual.studio import demo


@pytest.fixture(scope="module")
def real():
    return demo.sensor_recordings(seed=0)


@pytest.fixture(scope="module")
def windows(real):
    """The demo's windows, but with the exact joints in place of those that a pose model finds."""
    virtual = [
        simulate_imu(demo.video_actor(activity, person, 0).motion(25), [demo.SITE], demo.VIDEO_RATE_HZ, cutoff_hz=6)
        for activity in demo.ACTIVITIES_SHOWN
        for person in range(demo.N_VIDEO_PEOPLE)
    ]
    return segment_recordings(real + virtual, demo.WINDOW_S, overlap=0.5, sampling_rate_hz=demo.VIDEO_RATE_HZ)


@pytest.fixture(scope="module")
def table(windows):
    return demo.compare(windows, seed=0)


def test_nobody_is_both_before_the_camera_and_under_a_sensor(real):
    filmed = {demo.video_actor("walking", person, 0).subject for person in range(demo.N_VIDEO_PEOPLE)}
    assert len(filmed) == demo.N_VIDEO_PEOPLE
    assert len({recording.subject for recording in real}) == demo.N_SENSOR_PEOPLE
    assert not filmed & {recording.subject for recording in real}


def test_the_real_side_is_marked_real_and_everybody_does_everything(real):
    assert {recording.domain for recording in real} == {"real"}
    counts = pd.crosstab([r.subject for r in real], [r.labels for r in real])
    assert counts.shape == (demo.N_SENSOR_PEOPLE, len(demo.ACTIVITIES_SHOWN))
    assert (counts == 1).all(axis=None)


def test_the_watch_is_worn_another_way_round(real):
    standing = next(r for r in real if r.labels == "standing")
    virtual = demo.video_actor("standing", 0, 0).imu([demo.SITE], 50)
    x = standing.channels.index("right_wrist_acc_x")
    # A hanging forearm points down, so gravity is on -x of the segment and on +x of the watch.
    assert virtual.data[:, x].mean() < -5
    assert standing.data[:, x].mean() > 5


def test_virtual_windows_without_adaptation_use_no_real_window_and_the_aligner_mends_the_mounting(table):
    as_is, adapted = table.loc["V2R, as it is"], table.loc["V2R, aligned and mapped"]
    assert (as_is.real_rows_used, as_is.real_labels_used) == (0, 0)
    assert adapted.real_labels_used > 0
    assert adapted.macro_f1 > as_is.macro_f1 + 0.05
    assert (table.low <= table.macro_f1).all()
    assert (table.macro_f1 <= table.high).all()
    # Chance is one in eight.
    assert table.macro_f1.min() > 0.3


def test_a_budget_of_seconds_is_a_budget_of_windows(windows, table):
    few = table.loc[f"R2R, {demo.FEW_S:g} s a class"]
    assert table.aligned_folds.notna().sum() == 4
    assert table.loc["Mix2R, aligned and mapped"].aligned_folds == demo.N_SENSOR_PEOPLE
    assert few.real_labels_used <= len(demo.ACTIVITIES_SHOWN) * (demo.FEW_S / windows.attrs["window_step_s"])
    assert few.real_labels_used < table.loc["R2R"].real_labels_used / 5


def test_a_folder_that_cannot_be_written_is_an_error_before_anything_is_rendered(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataFormatError, match="cannot write there"):
        demo.run_demo(tmp_path / "file")


@pytest.mark.slow
def test_a_small_demo_leaves_videos_a_table_and_a_figure_and_says_that_the_real_side_is_simulated(
    tmp_path, monkeypatch
):
    for name, value in {
        "ACTIVITIES_SHOWN": ("waving", "squatting"), "N_VIDEO_PEOPLE": 3, "N_SENSOR_PEOPLE": 3, "CLIP_S": 4.0,
    }.items():  # fmt: skip
        monkeypatch.setattr(demo, name, value)
    result = demo.run_demo(tmp_path / "out", n_jobs=1, verbose=0)
    assert result.failed == []
    assert len(list((tmp_path / "out" / "videos").glob("*.mp4"))) == 6
    table = pd.read_csv(tmp_path / "out" / "results.csv", index_col=0)
    assert np.allclose(table.macro_f1, result.table.macro_f1.astype(float))
    assert (tmp_path / "out" / "demo.png").stat().st_size > 20_000
    assert "The real side is SIMULATED" in result.describe()
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"videos", "results.csv", "demo.png"}
