"""Transformers from windows to windows stay arrays in a Pipeline whose other steps give tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from har_virtual.adaptation import RankDistributionMapper
from har_virtual.features import ECDFFeatures, NormChannels
from har_virtual.windows.transformers import WindowTransformerMixin

WINDOWS = np.random.default_rng(0).normal(size=(12, 20, 3))
LABELS = np.tile(["sit", "walk"], 6)
NAMES = [f"channel{c}_ecdf_0" for c in range(3)] + [f"channel{c}_mean" for c in range(3)]


class Doubled(WindowTransformerMixin, BaseEstimator, auto_wrap_output_keys=("transform",)):
    """Asks for tables, in vain."""

    def fit(self, X, y=None):
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X):
        return 2 * X


def test_a_pipeline_set_to_tables_gives_one_from_its_last_step():
    model = make_pipeline(RankDistributionMapper(), ECDFFeatures(n_components=1)).set_output(transform="pandas")
    for table in (model.fit_transform(WINDOWS), model.fit(WINDOWS).transform(WINDOWS)):
        assert isinstance(table, pd.DataFrame)
        assert table.columns.tolist() == NAMES
        np.testing.assert_array_equal(table, ECDFFeatures(n_components=1).fit_transform(WINDOWS))


@pytest.mark.parametrize("step", [RankDistributionMapper(), NormChannels(), Doubled()], ids=repr)
@pytest.mark.parametrize("by_method", [True, False])
def test_windows_stay_an_array_whatever_is_set(step, by_method):
    step = sklearn.clone(step)
    if by_method:
        assert step.set_output(transform="pandas") is step
    with sklearn.config_context(transform_output="default" if by_method else "pandas"):
        for windows in (WINDOWS, WINDOWS[..., 0]):
            there, again = step.fit_transform(windows), step.fit(windows).transform(windows)
            assert type(there) is type(again) is np.ndarray and there.ndim == windows.ndim
            np.testing.assert_array_equal(there, again)


@pytest.mark.parametrize("step", [RankDistributionMapper(), NormChannels(), Doubled()], ids=repr)
def test_a_pipeline_names_its_features_though_windows_come_first(step):
    model = make_pipeline(step, ECDFFeatures(n_components=1), LogisticRegression()).fit(WINDOWS, LABELS)
    names = model[:-1].get_feature_names_out().tolist()
    assert names[:1] + names[-1:] == ["channel0_ecdf_0", f"channel{len(names) // 2 - 1}_mean"]
    assert len(names) == model[-1].n_features_in_


def test_names_are_those_of_the_samples():
    mapper = RankDistributionMapper().fit(WINDOWS)
    assert mapper.get_feature_names_out().tolist() == [f"x{sample}" for sample in range(20)]
    table = pd.DataFrame(WINDOWS[..., 0], columns=[f"t{sample}" for sample in range(20)])
    assert RankDistributionMapper().fit(table).get_feature_names_out().tolist() == table.columns.tolist()
    with pytest.raises(ValueError, match="input_features should have length equal to number of features"):
        mapper.get_feature_names_out(["a"])
    with pytest.raises(sklearn.exceptions.NotFittedError):
        RankDistributionMapper().get_feature_names_out()


def test_streams_have_no_samples_to_name_and_features_have_names_all_the_same():
    model = make_pipeline(RankDistributionMapper(), ECDFFeatures(n_components=1)).fit(list(WINDOWS))
    assert model[0].get_feature_names_out() is None
    assert model.get_feature_names_out().tolist() == NAMES
