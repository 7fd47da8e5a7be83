"""The calibration curve: what it fits on, what it compares with, and that chance is under control."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import StandardScaler

from har_virtual import WindowSet
from har_virtual.adaptation import (
    RankDistributionMapper,
    SensorAligner,
    frechet_distance,
    js_divergence,
    ks_distance,
    mmd,
)
from har_virtual.evaluation.calibration import MEASURES, CalibrationCurve, calibration_curve
from har_virtual.exceptions import DataFormatError, DataWarning, UnknownNameError
from har_virtual.features import ECDFFeatures

N, STEP_S = 120, 0.5
EMBED = ECDFFeatures(n_components=3)


def make_windows(n: int = N, *, stretch: float = 3.0, shift: float = 5.0, **changes: object) -> WindowSet:
    """Windows of four people who sit and walk; the virtual ones are of others, stretched and shifted."""
    rng = np.random.default_rng(0)
    labels = np.tile(np.repeat(["sit", "walk"], n // 8), 4)
    spread = np.where(labels == "sit", 0.3, 2.0)[:, None, None]
    real, virtual = (spread * rng.normal(size=(n, 20, 3)) + rng.normal(size=(n, 1, 3)) for _ in range(2))
    people = np.repeat([f"d/{number}" for number in range(4)], n // 4)
    metadata = pd.DataFrame(
        {
            "subject": np.concatenate([people, np.full(n, "video:1f/0")]),
            "dataset": "d",
            "session": "s",
            "domain": np.repeat(["real", "virtual"], n),
            "recording": 0,
            "start_s": 0.0,
            "stop_s": 1.0,
        }
    )
    fields = {
        "X": np.concatenate([real, shift + stretch * virtual]),
        "y": np.tile(labels, 2),
        "metadata": metadata,
        "channels": [f"waist_acc_{axis}" for axis in "xyz"],
        "sampling_rate_hz": 20.0,
        "attrs": {"window_step_s": STEP_S},
    }
    return WindowSet(**{**fields, **changes})


@pytest.fixture(scope="module")
def windows() -> WindowSet:
    return make_windows()


@pytest.fixture(scope="module")
def curve(windows: WindowSet) -> CalibrationCurve:
    return calibration_curve(windows, [20, 1, 4], n_seeds=4, embed=EMBED, max_block_s=STEP_S)


def test_more_real_data_bring_virtual_windows_nearer(curve: CalibrationCurve) -> None:
    """Without a map they are far off; with all real windows the curve ends at the dotted line."""
    for measure in MEASURES:
        means = curve.summary(measure)["mean"].to_numpy()
        assert means[0] > means[-1]
        assert means[-1] < 0.2 * curve.unmapped[measure]
        assert abs(means[-1] - curve.all_real[measure]) < 0.05 * curve.unmapped[measure]


def test_the_frame_has_one_row_a_duration_and_seed(curve: CalibrationCurve) -> None:
    assert list(curve.frame) == ["seconds", "seed", *MEASURES, "n_real"]
    assert curve.frame["seconds"].tolist() == sorted([1.0, 4.0, 20.0] * 4)
    assert curve.frame["seed"].tolist() == list(range(4)) * 3
    # Two classes, a window each half second.
    assert curve.frame["n_real"].tolist() == [4] * 4 + [16] * 4 + [80] * 4


def test_unmapped_and_all_real_are_the_public_distances(windows: WindowSet, curve: CalibrationCurve) -> None:
    virtual = windows.sample_domain == 1
    real, bandwidth = windows.X[~virtual], curve.how["bandwidth"]
    mapped = RankDistributionMapper().fit_transform(windows.X, sample_domain=windows.sample_domain)[virtual]
    for side, found in ((windows.X[virtual], curve.unmapped), (mapped, curve.all_real)):
        expected = {
            "frechet": frechet_distance(real, side, embed=EMBED),
            "ks": ks_distance(real, side).mean(),
            "js": js_divergence(real, side).mean(),
            "mmd": mmd(real, side, embed=EMBED, bandwidth=bandwidth),
        }
        assert found.to_dict() == pytest.approx(expected)


@pytest.mark.parametrize("method", ["interpolated", "step"])
@pytest.mark.parametrize("per_class", [False, True])
def test_sorted_samples_give_what_the_mapped_windows_give(windows: WindowSet, method: str, per_class: bool) -> None:
    """An embedding that is no ECDFFeatures is given the windows themselves; walking has too few for its own map."""
    mapper = RankDistributionMapper(method=method, n_quantiles=50, min_class_rows=9)
    few = windows[(windows.y == "sit") | (windows.sample_domain == 0) | (np.arange(2 * N) > 2 * N - 9)]
    few = few[np.random.default_rng(0).permutation(len(few))]
    options = {"mapper": mapper, "per_class": per_class, "n_seeds": 2, "max_block_s": STEP_S, "max_windows": 20}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        fast, slow = (calibration_curve(few, [2, 20], embed=embed, **options) for embed in (EMBED, EMBED.transform))
    pd.testing.assert_frame_equal(fast.frame, slow.frame, rtol=1e-5, atol=1e-7)
    pd.testing.assert_series_equal(fast.all_real, slow.all_real, rtol=1e-5, atol=1e-7)
    pd.testing.assert_series_equal(fast.unmapped, slow.unmapped)


def test_an_embedding_is_given_windows_in_their_order_in_time(windows: WindowSet) -> None:
    """What a map of its own fit gives, for a point and for all real windows."""
    seen = []

    def steps(X: np.ndarray) -> np.ndarray:
        seen.append(X.copy())
        return np.diff(X, axis=1).reshape(len(X), -1)[:, :12]

    mixed = windows[np.random.default_rng(0).permutation(2 * N)]
    calibration_curve(mixed, [N / 2 * STEP_S], n_seeds=1, embed=steps, per_class=True)
    virtual = mixed.sample_domain == 1
    mapped = RankDistributionMapper(per_class=True).fit_transform(mixed.X, mixed.y, sample_domain=virtual)[virtual]
    real, drawn, everything, unmapped = seen
    np.testing.assert_array_equal(real, mixed.X[~virtual])
    np.testing.assert_array_equal(drawn, mapped)
    np.testing.assert_array_equal(everything, mapped)
    np.testing.assert_array_equal(unmapped, mixed.X[virtual])


def test_seconds_are_sorted_and_counted_once(windows: WindowSet) -> None:
    assert calibration_curve(windows, (4, 1, 4), n_seeds=1, embed=EMBED).frame["seconds"].tolist() == [1, 4]
    assert calibration_curve(windows, 4, n_seeds=1, embed=EMBED).frame["seconds"].tolist() == [4]


def test_all_seconds_of_the_data_end_at_the_dotted_line(windows: WindowSet) -> None:
    whole = calibration_curve(windows, [N / 2 * STEP_S], n_seeds=2, embed=EMBED)
    assert whole.frame["n_real"].tolist() == [N, N]
    for measure in MEASURES:
        assert whole.frame[measure].tolist() == pytest.approx([whole.all_real[measure]] * 2)
    assert whole.summary()["over_all_real"].item() == pytest.approx(0)


def test_a_point_is_the_map_of_the_drawn_windows_alone(windows: WindowSet) -> None:
    """One person's walk, an eighth of the real windows, is at 7, all else at 0; a draw is one sitting and one walk."""
    X = windows.X.copy()
    X[windows.sample_domain == 0] = 0
    X[(windows.groups == "d/3") & (windows.y == "walk")] = 7
    curve = calibration_curve(make_windows(X=X), [STEP_S], n_seeds=30, embed=EMBED)
    knew = curve.frame["ks"] > 0.2
    assert 0 < knew.sum() < 15
    # Half of the mapped windows are at 7 where it was drawn, none where it was not.
    assert curve.frame["ks"][knew].to_numpy() == pytest.approx(1 / 2 - 1 / 8, abs=0.02)
    assert curve.frame["ks"][~knew].to_numpy() == pytest.approx(1 / 8)
    assert curve.all_real["ks"] < 0.01


def test_the_windows_of_a_shorter_duration_are_among_those_of_a_longer_one(windows: WindowSet) -> None:
    """A point depends neither on the other durations nor on how many seeds follow."""
    options = {"embed": EMBED, "max_block_s": STEP_S}
    many = calibration_curve(windows, [1, 4, 20], n_seeds=3, **options).frame
    few = calibration_curve(windows, [4], n_seeds=2, **options).frame
    pd.testing.assert_frame_equal(many.query("seconds == 4 and seed < 2").reset_index(drop=True), few)


def test_figures_depend_on_random_state_and_not_on_n_jobs(windows: WindowSet, curve: CalibrationCurve) -> None:
    options = {"n_seeds": 4, "embed": EMBED, "max_block_s": STEP_S}
    parallel = calibration_curve(windows, [1, 4, 20], n_jobs=2, **options)
    pd.testing.assert_frame_equal(parallel.frame, curve.frame)
    other = calibration_curve(windows, [1, 4, 20], random_state=1, **options)
    assert (other.frame["frechet"] != curve.frame["frechet"]).any()
    assert other.all_real["frechet"] == curve.all_real["frechet"]


def test_per_class_maps_bring_classes_nearer_than_one_map(windows: WindowSet) -> None:
    """Classes of one spread each, the virtual ones swapped: one map over both cannot tell them apart."""
    swapped = windows.X.copy()
    virtual = windows.sample_domain == 1
    factor = np.where(windows.y[virtual] == "sit", 2.0 / 0.3, 0.3 / 2.0)
    swapped[virtual] *= factor[:, None, None]
    planted = make_windows(X=swapped)
    one, each = (calibration_curve(planted, [10], n_seeds=1, embed=EMBED, per_class=own) for own in (False, True))
    assert each.all_real["frechet"] < one.all_real["frechet"]
    assert "per_class=True" in each.how["mapper"]


def test_one_warning_names_the_durations_that_are_too_short_for_class_maps(windows: WindowSet) -> None:
    with pytest.warns(DataWarning, match="sit, walk with 1 s a class") as caught:
        calibration_curve(windows, [1, 10], n_seeds=3, embed=EMBED, per_class=True)
    assert len(caught) == 1
    assert "10 s" not in str(caught[0].message)
    assert caught[0].filename == __file__


def test_a_class_with_few_virtual_windows_has_no_map_of_its_own_with_all_real_ones_either(windows: WindowSet) -> None:
    few = windows[(windows.sample_domain == 0) | (windows.y == "sit") | (np.arange(2 * N) > 2 * N - 4)]
    with pytest.warns(DataWarning, match="walk with all real windows; walk with 10 s a class") as caught:
        calibration_curve(few, [10], n_seeds=1, embed=EMBED, per_class=True)
    assert len(caught) == 1


def test_the_summary_has_students_interval_over_seeds() -> None:
    frame = pd.DataFrame({"seconds": [1.0, 1.0, 2.0, 2.0], "seed": [0, 1, 0, 1], "frechet": [1.0, 3.0, 2.0, 2.0]})
    frame = frame.assign(ks=0.1, js=0.1, mmd=0.1, n_real=4)
    none = pd.Series({"frechet": 1.6, "ks": 0.1, "js": 0.1, "mmd": -0.01})
    curve = CalibrationCurve(frame, none, none, {})
    table = curve.summary().set_index("seconds")
    # t of one degree of freedom at 0.975 is 12.706; the standard error of 1 and 3 is 1.
    assert table.loc[1, ["mean", "low", "high"]].tolist() == pytest.approx([2, 2 - 12.706, 2 + 12.706], rel=1e-3)
    assert table.loc[2, ["low", "high", "sd"]].tolist() == [2, 2, 0]
    assert table["over_all_real"].tolist() == pytest.approx([0.25, 0.25])
    assert curve.summary("mmd")["over_all_real"].isna().all()
    assert curve.summary(level=0.5)["high"][0] == pytest.approx(3)


def test_one_seed_has_no_interval(windows: WindowSet) -> None:
    table = calibration_curve(windows, [4], n_seeds=1, embed=EMBED).summary()
    assert table[["sd", "low", "high"]].isna().all(axis=None)
    assert np.isfinite(table["mean"]).all()


@pytest.mark.parametrize("measure", MEASURES)
def test_the_plot_shows_the_summary_and_both_levels(curve: CalibrationCurve, measure: str) -> None:
    drawn = curve.plot(measure=measure)
    np.testing.assert_allclose(drawn.line_.get_ydata(), curve.summary(measure)["mean"])
    assert drawn.all_real_line_.get_ydata()[0] == curve.all_real[measure]
    assert drawn.unmapped_line_.get_ydata()[0] == curve.unmapped[measure]


def test_an_embedding_that_learns_is_fitted_once_on_all_real_windows(windows: WindowSet) -> None:
    fits = []

    class Scaler(StandardScaler):
        def fit(self, X: np.ndarray, y: object = None) -> Scaler:
            fits.append(len(X))
            return super().fit(X.mean(axis=1))

        def transform(self, X: np.ndarray) -> np.ndarray:
            return super().transform(X.mean(axis=1))

    calibration_curve(windows, [4], n_seeds=2, embed=Scaler())
    assert fits == [N]


def test_what_was_done_can_be_written_down(curve: CalibrationCurve) -> None:
    how = json.loads(json.dumps(curve.how))
    assert how["embed"] == "ECDFFeatures(n_components=3)"
    assert (how["n_real"], how["n_virtual"], how["n_features"], how["random_state"]) == (N, N, 12, 0)


def test_ks_js_and_mmd_look_at_a_part_of_many_windows(windows: WindowSet, curve: CalibrationCurve) -> None:
    part = calibration_curve(windows, [4], n_seeds=1, embed=EMBED, max_windows=30)
    assert part.how["n_compared_by_ks_js_mmd"] == [30, 30]
    assert part.unmapped["frechet"] == curve.unmapped["frechet"]
    assert (part.unmapped[["ks", "js", "mmd"]] != curve.unmapped[["ks", "js", "mmd"]]).all()


def test_both_covariances_are_shrunk(windows: WindowSet) -> None:
    found = calibration_curve(windows, [4], n_seeds=1, embed=EMBED, shrinkage=0.5)
    sides = (windows.X[windows.sample_domain == side] for side in (0, 1))
    assert found.unmapped["frechet"] == pytest.approx(frechet_distance(*sides, embed=EMBED, shrinkage=0.5))
    assert found.how["shrinkage"] == 0.5


def test_that_part_is_drawn_and_the_same_for_all_measures_and_maps(windows: WindowSet) -> None:
    found = calibration_curve(windows, [N / 2 * STEP_S], n_seeds=2, embed=EMBED, max_windows=30)
    rng = np.random.default_rng(0)
    real, virtual = (np.flatnonzero(windows.sample_domain == side)[rng.permutation(N)[:30]] for side in (0, 1))
    mapped = RankDistributionMapper().fit_transform(windows.X, sample_domain=windows.sample_domain)
    for X, measured in ((windows.X, found.unmapped), (mapped, found.all_real), (mapped, found.frame.loc[1])):
        sides = windows.X[real], X[virtual]
        expected = {
            "ks": ks_distance(*sides).mean(),
            "js": js_divergence(*sides).mean(),
            "mmd": mmd(*sides, embed=EMBED, bandwidth=found.how["bandwidth"]),
        }
        assert measured[list(expected)].to_dict() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("domain", [0, 1])
def test_few_windows_of_one_domain_warn(domain: int) -> None:
    windows = make_windows(80)
    few = windows[(windows.sample_domain != domain) | (np.arange(160) % 2 == 0)]
    with pytest.warns(DataWarning, match="40 windows in an embedding of 48 features"):
        calibration_curve(few, [4], n_seeds=1)


def test_few_windows_in_a_wide_embedding_warn_once() -> None:
    with pytest.warns(DataWarning, match="40 windows in an embedding of 48 features") as caught:
        calibration_curve(make_windows(40), [4], n_seeds=2)
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        calibration_curve(make_windows(40), [4], n_seeds=2, shrinkage="ledoit_wolf")


def test_a_class_with_too_little_data_is_refused_or_kept_whole(windows: WindowSet) -> None:
    with pytest.raises(DataFormatError, match="Class sit has 30 s of real data"):
        calibration_curve(windows, [4, 31], n_seeds=1, embed=EMBED)
    kept = calibration_curve(windows, [4, 31], n_seeds=1, embed=EMBED, shortage="keep_all")
    assert kept.frame["n_real"].tolist() == [16, N]


@pytest.mark.parametrize(
    ("changes", "options", "message"),
    [
        ({"y": None}, {}, "no labels"),
        ({"attrs": {}}, {}, "window_step_s"),
        ({}, {"seconds": []}, "seconds must be"),
        ({}, {"seconds": [0]}, "seconds must be"),
        ({}, {"seconds": ["4"]}, "seconds must be"),
        ({}, {"n_seeds": 0}, "n_seeds must be"),
        ({}, {"max_windows": 1}, "max_windows must be"),
        ({}, {"shrinkage": "some"}, "shrinkage must be"),
        ({}, {"mapper": RankDistributionMapper(direction="real_to_virtual")}, "mapper must be"),
        ({}, {"mapper": SensorAligner()}, "mapper must be"),
        ({}, {"mapper": type("Own", (RankDistributionMapper,), {})()}, "mapper must be"),
        ({"attrs": {"window_step_s": 0}}, {}, "window_step_s must be"),
    ],
)
def test_what_cannot_be_drawn_is_refused(changes: dict, options: dict, message: str) -> None:
    with pytest.raises(DataFormatError, match=message):
        calibration_curve(make_windows(**changes), **{"seconds": [4], "n_seeds": 1, "embed": EMBED, **options})


@pytest.mark.parametrize("domain", [0, 1])
def test_both_domains_are_needed(windows: WindowSet, domain: int) -> None:
    with pytest.raises(DataFormatError, match="Real and virtual windows are needed"):
        calibration_curve(windows[windows.sample_domain == domain], [4], shortage="keep_all")


def test_a_wrong_measure_or_level_is_refused(curve: CalibrationCurve) -> None:
    with pytest.raises(UnknownNameError, match="measure must be one of"):
        curve.summary("fid")
    with pytest.raises(DataFormatError, match="level must"):
        curve.summary(level=95)


def test_the_given_mapper_is_left_unfitted(windows: WindowSet) -> None:
    mapper = RankDistributionMapper(method="step", n_quantiles=50)
    result = calibration_curve(windows, [4], n_seeds=1, embed=EMBED, mapper=mapper, per_class=True)
    assert not hasattr(mapper, "map_")
    assert not mapper.per_class
    assert "n_quantiles=50" in result.how["mapper"]
