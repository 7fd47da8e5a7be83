from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from har_virtual import Recording
from har_virtual.imu.streams import channel_names
from har_virtual.pose import FramePoses
from har_virtual.skeleton import Skeleton
from har_virtual.studio import ACTIVITIES, perform
from har_virtual.video import Frame

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(scope="module")
def studio():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        spec = importlib.util.spec_from_file_location("fidelity_studio", BENCHMARKS / "fidelity_studio.py")
        module = importlib.util.module_from_spec(spec)
        # A dataclass looks its module up.
        patch.setitem(__import__("sys").modules, "fidelity_studio", module)
        spec.loader.exec_module(module)
        yield module


@pytest.fixture(scope="module")
def clips(studio) -> pd.DataFrame:
    return pd.DataFrame(studio.read_clips(studio.CLIPS, studio.CLIPS_SHA256))


def sines(n_frames: int = 100) -> np.ndarray:
    """One site, whose axes have 1, 2 and 3 whole periods and amplitudes 1, 2 and 3."""
    phase = 2 * np.pi * np.arange(n_frames) / n_frames
    return np.stack([k * np.sin(k * phase) for k in (1, 2, 3)], axis=-1)[:, None]


# The list


def test_the_list_is_the_frozen_one(studio):
    assert len(studio.read_clips(studio.CLIPS, studio.CLIPS_SHA256)) > 60


def test_a_list_with_another_hash_is_refused(studio, tmp_path):
    path = tmp_path / "clips.json"
    path.write_text("[]")
    with pytest.raises(SystemExit, match="restore"):
        studio.read_clips(path, "0" * 64)


def test_the_list_is_written_once(studio, tmp_path):
    path = tmp_path / "clips.json"
    sha256 = studio.freeze(path)
    assert studio.read_clips(path, sha256)
    with pytest.raises(FileExistsError):
        studio.freeze(path)


def test_no_person_of_the_development_part_is_in_the_test_part(clips):
    seeds = clips.groupby("part").seed.agg(set)
    assert not seeds["dev"] & seeds["test"]
    # The demo and the tests of the studio were made with low seeds.
    assert min(seeds["test"]) > 5000


def test_no_recorded_subject_is_in_both_parts_and_subject_02_is_in_the_test_part(clips):
    recorded = clips.dropna(subset="file")
    subjects = recorded["file"].map(lambda file: Path(file).stem[:2]).groupby(recorded.part).agg(set)
    assert not subjects["dev"] & subjects["test"]
    assert "02" in subjects["test"]


def test_every_activity_is_in_both_parts_and_filmed_from_every_view(clips):
    first = clips[clips["file"].isna() & clips.repeats.isna()]
    assert set(first.activity) == set(ACTIVITIES)
    assert (first.groupby("activity").view.nunique() == 3).all()
    assert (first.groupby("activity").part.nunique() == 2).all()
    assert first.seed.is_unique
    assert set(first.rate_hz) == {25, 30, 60}


def test_a_repeat_differs_from_its_original_in_one_thing(clips):
    first = clips[clips.repeats.isna()].set_index("name")
    for _, clip in clips[clips.repeats.notna()].iterrows():
        original, repeat = first.loc[clip.repeats].drop("repeats"), clip.drop(["repeats", "name"])
        same = (original == repeat) | (original.isna() & repeat.isna())
        assert list(same.index[~same]) in (["pitch_deg"], ["rate_hz"], ["path"])


def test_the_recorded_takes_are_there(studio, clips, test_data):
    for _, clip in clips.dropna(subset="file").iterrows():
        assert (test_data / clip["file"]).is_file()


# Scores


def test_the_truth_against_itself_has_r_1_and_no_error(studio):
    row = studio.scores(sines(), sines(), quiet=0.3).iloc[0]
    assert row[["r_x", "r_y", "r_z", "r_norm"]].tolist() == pytest.approx([1] * 4)
    assert row[["rmse_x", "rmse_y", "rmse_z", "rmse_norm"]].tolist() == [0] * 4


def test_r_and_rmse_are_those_of_a_shifted_scaled_turned_and_delayed_sine(studio):
    exact, virtual = sines(), sines()
    virtual[..., 0] = 2 * virtual[..., 0] + 5
    virtual[..., 1] *= -1
    # A sixth of the third axis' period: r is cos 60 degrees; the difference has the amplitude of the sine.
    virtual[..., 2] = 3 * np.sin(3 * 2 * np.pi * np.arange(100) / 100 - np.pi / 3)[:, None]
    row = studio.scores(virtual, exact, quiet=0.3).iloc[0]
    assert row[["r_x", "r_y", "r_z"]].tolist() == pytest.approx([1, -1, 0.5])
    squares = [0.5 + 25, 16 / 2, 9 / 2]
    assert row[["rmse_x", "rmse_y", "rmse_z"]].tolist() == pytest.approx(np.sqrt(squares))
    assert row.rmse_norm == pytest.approx(np.sqrt(sum(squares)))


def test_the_inner_error_leaves_the_ends_out(studio):
    virtual = sines()
    virtual[:5] += 100
    row = studio.scores(virtual, sines(), quiet=0.3, ends=5).iloc[0]
    assert row.rmse_norm > 30 and row.rmse_inner == 0


def test_the_deviation_is_the_error_of_a_constant_at_the_mean(studio):
    exact = sines()
    row = studio.scores(np.broadcast_to(exact.mean(axis=0), exact.shape), exact, quiet=0.3).iloc[0]
    assert row.deviation == pytest.approx(row.rmse_norm)


def test_r_of_the_norm_does_not_see_which_axis_points_where(studio):
    row = studio.scores(sines()[..., [2, 0, 1]], sines(), quiet=0.3).iloc[0]
    assert row.r_norm == pytest.approx(1)
    assert abs(row.r_x) < 1e-9


def test_an_axis_whose_truth_hardly_moves_is_left_out_of_r_but_not_of_rmse(studio):
    exact, virtual = sines(), sines()
    exact[..., 0] *= 0.4  # a standard deviation of .28
    row = studio.scores(virtual, exact, quiet=0.3).iloc[0]
    assert np.isnan(row.r_x) and row.r_y == pytest.approx(1)
    assert row.rmse_x == pytest.approx(0.6 / np.sqrt(2))
    assert studio.scores(virtual, exact, quiet=0.28).r_x[0] == pytest.approx(1)
    table = pd.DataFrame([row]).assign(method="translation", quantity="acc", site="head")
    axes, left_out, *_ = studio.summary(table).split()
    assert (axes, left_out) == ("2", "1")


def test_a_stream_that_does_not_change_has_r_0_and_not_none(studio):
    row = studio.scores(np.zeros((100, 1, 3)), sines(), quiet=0.3).iloc[0]
    assert row[["r_x", "r_y", "r_z", "r_norm"]].tolist() == [0] * 4
    assert row.rmse_norm == pytest.approx(np.sqrt((1 + 4 + 9) / 2))


def test_what_is_missing_counts_as_the_last_value_or_the_first_one_or_0(studio):
    values = np.array([[np.nan, np.nan], [1, np.nan], [np.nan, np.nan], [3, np.nan], [np.nan, np.nan]])
    assert studio.hold(values).tolist() == [[1, 0], [1, 0], [1, 0], [3, 0], [3, 0]]


def test_dropped_frames_cost_correlation(studio):
    exact, seen = sines(), sines()
    seen[50:] = np.nan
    held = studio.hold(seen.reshape(100, 3)).reshape(100, 1, 3)
    # Half of the power of two whole periods stays, and of the constant rest nothing correlates.
    assert studio.scores(held, exact, quiet=0.3).r_y[0] == pytest.approx(np.sqrt(0.5), abs=0.02)


def test_a_stream_that_begins_late_stands_on_its_own_frames(studio):
    stream = Recording(
        data=np.ones((3, 3)), sampling_rate_hz=30, channels=channel_names(["head"], ["acc"]), start_s=0.2
    )
    placed = studio.place_on_frames(stream, 10)
    assert np.flatnonzero(np.isfinite(placed[:, 0])).tolist() == [6, 7, 8]
    longer = stream.replace(data=np.ones((9, 3)))
    assert np.flatnonzero(np.isfinite(studio.place_on_frames(longer, 10)[:, 0])).tolist() == [6, 7, 8, 9]


def test_channels_go_to_their_quantity_site_and_axis(studio):
    channels = channel_names(studio.SITES, ("acc", "gyr"))
    values = np.arange(2.0 * len(channels)).reshape(2, -1)
    streams = studio.split_quantities(values, -values)
    site = studio.SITES.index("left_wrist")
    assert streams["gyr"][1, site, 2] == values[1, channels.index("left_wrist_gyr_z")]
    assert streams["acc"][0, site, 1] == values[0, channels.index("left_wrist_acc_y")]
    assert streams["linear_acc"][0, site, 1] == -values[0, channels.index("left_wrist_acc_y")]


class Swinging:
    """An actor of sines: what is at 1 Hz stays, what is at 40 Hz goes."""

    duration_s = 4.0

    def readings(self, times_s, sites, *, gravity=True):
        slow, fast = np.sin(2 * np.pi * times_s), np.sin(2 * np.pi * 40 * times_s)
        acc = np.broadcast_to((slow + fast + 9.81 * gravity)[:, None, None], (len(times_s), len(sites), 3))
        return acc, acc * 0 + slow[:, None, None], acc


@pytest.mark.parametrize("rate_hz", [25.0, 30.0, 60.0])
def test_the_truth_is_low_passed_and_at_the_times_of_the_frames(studio, rate_hz):
    n_frames = round(4 * rate_hz)
    streams = studio.exact_streams(Swinging(), n_frames, rate_hz)
    slow = np.sin(2 * np.pi * np.arange(n_frames) / rate_hz)
    inner = slice(round(rate_hz / 2), -round(rate_hz / 2))
    for quantity, offset in (("acc", 9.81), ("linear_acc", 0.0), ("gyr", 0.0)):
        assert streams[quantity].shape == (n_frames, len(studio.SITES), 3)
        np.testing.assert_allclose(streams[quantity][inner, 3, 1], slow[inner] + offset, atol=2e-3)


def test_exact_motion_gives_nearly_the_truth(studio):
    actor = perform("walking", duration_s=3.0, seed=3)
    simulated = {
        name: [studio.simulate_imu(motion, studio.SITES, 30.0, gravity=g, cutoff_hz=6.0) for g in (True, False)]
        for name, motion in studio.simulated_motions(actor, 30.0).items()
    }
    streams = {
        name: studio.split_quantities(*(studio.hold(studio.place_on_frames(stream, 90)) for stream in pair))
        for name, pair in simulated.items()
    }
    take = studio.Take(None, 30.0, studio.exact_streams(actor, 90, 30.0), streams, 1.0, 1.0, 200.0)
    table = studio.score_take(take)
    medians = table[table.method == "exact motion"].groupby("quantity")[["r_x", "r_y", "r_z"]].median()
    assert (medians > 0.95).all(axis=None)
    assert set(table.method) == {"exact motion", "exact joints"}
    assert len(table) == 2 * 3 * len(studio.SITES)


# Tables


def one_clip(studio, name: str, r: float, **info) -> tuple[dict, pd.DataFrame]:
    clip = {"name": name, "part": "test", "activity": "walking", "file": None, "view": "side", "rate_hz": 30}
    clip |= {"pitch_deg": 0, "path": "fixed", "repeats": None, **info}
    exact, rng = {q: np.tile(sines(), (1, len(studio.SITES), 1)) for q in studio.QUIET}, np.random.default_rng(0)
    noise = {q: rng.normal(0, np.sqrt(1 / r**2 - 1), values.shape) for q, values in exact.items()}
    streams = {q: exact[q] + noise[q] * exact[q].std(axis=0) for q in exact}
    take = studio.Take(None, 30.0, exact, {studio.DEFAULT: streams}, 1.0, 1.0, 200.0)
    return clip, studio.score_take(take).assign(clip=name)


def test_repeats_stand_beside_their_originals_and_in_no_other_table(studio):
    made = [
        one_clip(studio, "a", 0.9),
        one_clip(studio, "a-pitch", 0.4, pitch_deg=-20, repeats="a"),
        one_clip(studio, "b", 0.7, activity="waving"),
    ]
    clips, tables = zip(*made, strict=True)
    rows = {
        clip["name"]: {"acc": r, "axes": 33, "span_px": 180} for clip, r in zip(clips, (0.9, 0.4, 0.7), strict=True)
    }
    result = studio.summarise(list(clips), rows, pd.concat(tables, ignore_index=True))
    assert (result["best"], result["worst"]) == ("a", "b")
    axes, left_out, r, *_ = result["formula"]["activities"]["walking"]["acc"].split()
    assert (axes, left_out) == ("33", "0")
    assert float(r) == pytest.approx(0.9, abs=0.03)
    pitch = result["formula"]["repeats"]["pitch_deg"][studio.DEFAULT]
    assert list(pitch) == ["0", "-20"]
    assert float(pitch["-20"]["acc"].split()[2]) == pytest.approx(0.4, abs=0.1)
    assert pitch["0"]["acc"].split()[0] == "33"
    assert result["formula"]["repeats"]["path"] == {}
    assert list(result["formula"]["spans"]) == ["(150, 200]"]
    assert "cmu" not in result


def test_a_clip_that_fails_is_a_row_with_its_reason(studio):
    row, table = studio.measure({"name": "none", "file": None, "rate_hz": 30, "activity": "no such activity"})
    assert "failed" in row and table.empty


def test_motion_capture_is_read_without_the_frame_at_rest_and_cut(studio, test_data):
    motion = studio.read_mocap(test_data / "mocap/cmu/bvh/07_05.bvh", 1.0, 2.5)
    assert len(motion) == 180 and motion.timestamps_s[0] == pytest.approx(1.0)
    assert len(studio.read_mocap(test_data / "mocap/cmu/02_01.amc", 0.0, None)) == 343


def test_a_replayed_backend_looks_once_and_says_the_same_again(studio):
    class Counting:
        skeleton, cache_key, calls = Skeleton("point", ("nose",), (-1,)), "counting", 0

        def detect(self, frames):
            self.calls += 1
            for number, _ in enumerate(frames):
                yield FramePoses(np.full((1, 1, 2), float(number)), np.ones((1, 1)))

    backend = Counting()
    pose = studio.ReplayedPose(backend)
    frames = [Frame(k, k / 30, np.zeros((2, 2, 3), dtype=np.uint8)) for k in range(4)]
    first, second = (list(pose.detect(iter(frames))) for _ in range(2))
    assert backend.calls == 1 and len(pose.found) == 4
    assert all(a is b for a, b in zip(first, second, strict=True))
