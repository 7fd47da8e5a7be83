from __future__ import annotations

import sys
import warnings

import numpy as np
import pandas as pd
import pytest

from har_virtual import segment_recordings, simulate_imu
from har_virtual.cli import app, main
from har_virtual.exceptions import DataFormatError, DataWarning
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


def test_every_row_is_trained_on_what_its_name_says(windows, monkeypatch):
    asked = {}

    def note(windows, seed, parameters, folds):
        asked[len(asked)] = (parameters["clf__train_on"], parameters.get("align"), parameters.get("map"), bool(folds))
        return {"macro_f1": 0.0}

    monkeypatch.setattr(demo, "_evaluate", note)
    names = list(demo.compare(windows, seed=0).index)
    trained = {"R2R": "real", "V2R": "virtual", "Mix2R": "both"}
    for name, (train_on, align, map_, few) in zip(names, asked.values(), strict=True):
        assert train_on == trained[name.split(",")[0].split()[0]]
        adapted = "mapped" in name or name.startswith("Mix2R")
        assert (align, map_) == ((None, None) if adapted else ("passthrough", "passthrough"))
        assert few == ("s a class" in name)


def test_the_few_seconds_have_one_map_in_one_row_and_a_map_per_class_in_the_other(windows, monkeypatch):
    maps = []

    def note(windows, seed, parameters, folds):
        maps.append(parameters.get("map__per_class"))
        return {"macro_f1": 0.0}

    monkeypatch.setattr(demo, "_evaluate", note)
    names = list(demo.compare(windows, seed=0).index)
    assert {name: maps[i] for i, name in enumerate(names) if "map" in name and "class" in name} == {
        f"Mix2R, {demo.FEW_S:g} s a class, one map": False,
        f"Mix2R, {demo.FEW_S:g} s a class, map per class": None,
    }


def test_a_seed_gives_the_same_streams_and_another_one_others(monkeypatch):
    monkeypatch.setattr(demo, "N_SENSOR_PEOPLE", 2)
    monkeypatch.setattr(demo, "SENSOR_S", 3.0)
    first, again, other = (demo.sensor_recordings(seed) for seed in (0, 0, 1))
    assert all(np.array_equal(a.data, b.data) for a, b in zip(first, again, strict=True))
    assert not np.allclose(first[0].data[:100], other[0].data[:100], atol=0.2)


def test_a_chip_errs_anew_in_every_stream_and_its_bias_stays(real):
    standing = [r.data[:, 2] for r in real if r.labels == "standing"]
    # What two people who stand have on an axis differs by mounting and bias, their noise has nothing in common.
    noise = [np.diff(values, n=3) for values in standing]
    assert np.abs(np.corrcoef(noise) - np.eye(len(noise))).max() < 0.2
    same_person = [np.diff(r.data[:, 2], n=3) for r in real[: len(demo.ACTIVITIES_SHOWN)]]
    still = [values for values in same_person if values.std() < 0.6]
    assert len(still) >= 2
    assert np.abs(np.corrcoef(still) - np.eye(len(still))).max() < 0.2


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


def test_nobody_of_one_demo_is_in_another():
    people = {
        (seed, side, person): demo._seed(seed, side, person)
        for seed in range(50)
        for side in (0, 1)
        for person in range(8)
    }
    assert len(set(people.values())) == len(people)


def test_the_command_says_what_came_out_and_gives_its_options_on(windows, table, tmp_path, monkeypatch, capfd):
    asked = {}

    def note(out, **options):
        asked.update(out=out, **options)
        warnings.warn("something is doubtful", DataWarning, stacklevel=1)
        return demo.Demo(table, windows, out, ["a.mp4: nobody was tracked"])

    monkeypatch.setattr(demo, "run_demo", note)
    with pytest.raises(SystemExit) as stop:
        app(["demo", "--out", str(tmp_path), "--seed", "3", "--n-jobs", "1", "--verbose", "0"])
    said = capfd.readouterr()
    assert stop.value.code == 1
    assert asked == {"out": tmp_path, "seed": 3, "n_jobs": 1, "verbose": 0}
    assert said.err.splitlines() == ["warning: something is doubtful", "failed: a.mp4: nobody was tracked"]
    assert "The real side is SIMULATED" in said.out


@pytest.mark.parametrize(("arguments", "said"), [("--seed -1", "seed must be"), ("--n-jobs 0", "n_jobs must be")])
def test_a_bad_option_is_one_line_and_leaves_nothing(tmp_path, monkeypatch, capfd, arguments, said):
    monkeypatch.setattr(sys, "argv", ["har-virtual", "demo", *arguments.split(), "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert said in line
    assert not (tmp_path / "out").exists()


def test_a_folder_s_own_files_are_left_alone(tmp_path):
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "probe.txt").write_text("mine")
    demo._make_folder(tmp_path)
    assert [path.read_text() for path in (tmp_path / "videos").iterdir()] == ["mine"]


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
    for name, row in result.table.iterrows():
        assert f"{name:<34}{row.macro_f1:>8.3f}" in result.describe()
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"videos", "results.csv", "demo.png"}
