"""The Frechet distance against closed forms, scipy's matrix root, and samples that have no full rank."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import sqrtm
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from har_virtual.adaptation import frechet_distance
from har_virtual.adaptation.frechet import Gaussian, fit_gaussian, gaussian_distance
from har_virtual.exceptions import DataFormatError, DataWarning
from har_virtual.features import ECDFFeatures

RNG = np.random.default_rng


@pytest.fixture
def rows() -> np.ndarray:
    """Rows of an embedding with correlated features of several scales."""
    return RNG(0).normal(size=(200, 6)) @ RNG(1).normal(size=(6, 6)) * [1, 2, 3, 1, 1, 0.1]


def between(real: np.ndarray, virtual: np.ndarray, **options: object) -> float:
    return frechet_distance(real, virtual, embed="passthrough", **options)


def by_matrix_root(real: np.ndarray, virtual: np.ndarray) -> float:
    gap = real.mean(0) - virtual.mean(0)
    first, second = np.cov(real.T), np.cov(virtual.T)
    return float(gap @ gap + np.trace(first + second - 2 * sqrtm(first @ second).real))


def test_equal_sets_are_at_no_distance(rows: np.ndarray) -> None:
    assert between(rows, rows[::-1]) == pytest.approx(0, abs=1e-10)


def test_rounding_makes_no_distance_negative() -> None:
    assert min(between(rows, rows[::-1]) for rows in RNG(0).normal(size=(40, 30, 6))) >= 0


def test_a_shift_counts_by_its_square(rows: np.ndarray) -> None:
    assert between(rows, rows + np.array([3, 4, 0, 0, 0, 0])) == pytest.approx(25)


def test_a_scale_counts_by_the_square_of_the_difference_of_the_spreads() -> None:
    rows = RNG(0).normal(size=(50, 1))
    deviation = rows.std(ddof=1)
    assert between(rows - rows.mean(), 4 * (rows - rows.mean())) == pytest.approx((3 * deviation) ** 2)


def test_gaussians_with_diagonal_covariances_have_the_closed_form() -> None:
    a, b = Gaussian(np.zeros(2), np.diag([1.0, 2.0])), Gaussian(np.array([1.0, 0]), np.diag([3.0, 5.0]))
    assert gaussian_distance(a, b) == pytest.approx(1 + (3 - 1) ** 2 + (5 - 2) ** 2)


def test_it_is_the_formula_with_scipys_matrix_root(rows: np.ndarray) -> None:
    other = 1 + RNG(2).normal(size=(90, 6)) @ RNG(3).normal(size=(6, 6))
    assert between(rows, other) == pytest.approx(by_matrix_root(rows, other), rel=1e-9)


def test_it_is_symmetric_and_the_same_after_a_common_rotation(rows: np.ndarray) -> None:
    other = rows[:80] * 2 + 1
    turn = np.linalg.qr(RNG(4).normal(size=(6, 6)))[0]
    assert between(other, rows) == pytest.approx(between(rows, other))
    assert between(rows @ turn + 7, other @ turn + 7) == pytest.approx(between(rows, other))


def test_it_grows_with_the_square_of_the_unit(rows: np.ndarray) -> None:
    other = rows[:80] * 2 + 1
    assert between(100 * rows, 100 * other) == pytest.approx(1e4 * between(rows, other))


def test_constant_features_count_by_their_shift_alone(rows: np.ndarray) -> None:
    still = np.column_stack([rows, np.full(len(rows), 2.0)])
    moved = np.column_stack([rows, np.full(len(rows), 5.0)])
    assert between(still, moved) == pytest.approx(9)


def test_fewer_rows_than_features_give_the_formula_and_a_warning() -> None:
    """Two samples along different axes have nothing in common, so that the root's trace is 0."""
    real, virtual = np.zeros((2, 8)), np.zeros((2, 8))
    real[:, 0], virtual[:, 1] = [-1, 1], [-3, 3]
    with pytest.warns(DataWarning, match="2 windows in an embedding of 8 features"):
        assert between(real, virtual) == pytest.approx(2 + 18)


def test_as_many_rows_as_features_are_few_and_one_more_is_not(rows: np.ndarray) -> None:
    with pytest.warns(DataWarning, match="6 windows in an embedding of 6 features"):
        between(rows[:6], rows)
    assert between(rows[:7], rows) > 0


def test_full_shrinkage_leaves_the_mean_variances() -> None:
    real, virtual = RNG(0).normal(size=(9, 4)), 5 * RNG(1).normal(size=(9, 4))
    virtual += real.mean(0) - virtual.mean(0)
    deviations = [np.sqrt(side.var(0, ddof=1).mean()) for side in (real, virtual)]
    expected = 4 * (deviations[1] - deviations[0]) ** 2
    assert between(real, virtual, shrinkage=1.0) == pytest.approx(expected)


def test_ledoit_wolf_lessens_the_distance_of_small_samples_of_one_distribution() -> None:
    real, virtual = RNG(0).normal(size=(2, 20, 40))
    with pytest.warns(DataWarning, match="small samples"):
        plain = between(real, virtual)
    assert between(real, virtual, shrinkage="ledoit_wolf") < 0.5 * plain


def test_float32_rows_far_from_zero_lose_nothing() -> None:
    rows = (1000 + RNG(0).normal(size=(20_000, 3))).astype(np.float32)
    gaussian = fit_gaussian(rows)
    np.testing.assert_allclose(gaussian.factor @ gaussian.factor.T, np.cov(rows.T.astype(float)), rtol=1e-9, atol=1e-12)


def test_the_default_embedding_is_that_of_the_recognisers() -> None:
    real, virtual = RNG(0).normal(size=(2, 100, 30, 1))
    features = [ECDFFeatures(n_components=15).fit_transform(side) for side in (real, virtual)]
    assert frechet_distance(real, virtual) == between(*features)
    assert frechet_distance(real[:, :, 0], virtual[:, :, 0]) == between(*features)


def test_an_unfitted_embedding_is_fitted_to_the_real_windows_and_a_fitted_one_is_kept() -> None:
    real, virtual = RNG(0).normal(size=(60, 4)), 3 + RNG(1).normal(size=(60, 4))
    unfitted = StandardScaler().set_output(transform="default")
    flat = make_pipeline(FunctionTransformer(lambda windows: windows[:, :, 0]), unfitted)
    scale = real.std(0)
    assert frechet_distance(real, virtual, embed=flat) == pytest.approx(between(real / scale, virtual / scale))
    assert not hasattr(unfitted, "scale_")
    fitted = flat.fit(10 * real[:, :, None])
    assert frechet_distance(real, virtual, embed=fitted) == pytest.approx(
        between(real / scale / 10, virtual / scale / 10)
    )


def test_a_function_embeds_too() -> None:
    real, virtual = np.zeros((3, 5, 2)), np.ones((3, 5, 2))
    assert frechet_distance(real, virtual, embed=lambda windows: windows.mean(axis=1)) == pytest.approx(2)


@pytest.mark.parametrize(
    ("real", "virtual", "options", "message"),
    [
        (np.ones((1, 5, 3)), np.ones((4, 5, 3)), {"shrinkage": 0.1}, "single window"),
        (np.ones((0, 5, 3)), np.ones((4, 5, 3)), {}, "real must be .* not empty"),
        (np.ones((4, 5, 3)), np.full((4, 5, 3), np.nan), {}, "virtual has NaN"),
        (np.full((4, 5, 3), np.inf), np.ones((4, 5, 3)), {}, "real has NaN or infinite"),
        (np.full((4, 5, 3), "1"), np.ones((4, 5, 3)), {}, "real must be numbers"),
        (np.ones((4, 5, 3)), np.ones((4, 5, 3), bool), {}, "virtual must be numbers"),
        (np.ones((4, 5, 3)), np.ones((4, 5, 3)), {"embed": lambda X: X[:, 0, :0]}, "a row of numbers for each"),
        (np.ones((4, 5, 3)), np.ones((4, 5, 2)), {}, "3 channels, the virtual ones 2"),
        (np.ones((4, 5, 3)), np.ones((4, 6, 3)), {"embed": "passthrough"}, "15 features for the real and 18"),
        (np.ones((4, 5, 3)), np.ones((4, 5, 3)), {"shrinkage": 1.5}, "shrinkage must be"),
        (np.ones((4, 5, 3)), np.ones((4, 5, 3)), {"embed": "ecdf"}, "embed must be"),
        (np.ones((4, 5, 3)), np.ones((4, 5, 3)), {"embed": ECDFFeatures}, "embed must be"),
        (np.ones((4, 5, 3)), np.ones((4, 5, 3)), {"embed": np.mean}, "a row of numbers for each of 4 windows"),
        (np.ones((4, 5, 3)), np.ones((4, 5, 3)), {"embed": lambda X: X[:, :, 0] * np.nan}, "embed gives NaN"),
    ],
)
def test_what_cannot_be_compared_is_refused(real: np.ndarray, virtual: np.ndarray, options: dict, message: str) -> None:
    with pytest.raises(DataFormatError, match=message):
        frechet_distance(real, virtual, **options)
