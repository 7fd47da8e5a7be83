"""scikit-learn's own checks on every array estimator and meta-estimator; none is left out or expected to fail."""

import importlib
import inspect

import pytest
from sklearn.base import BaseEstimator
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

from har_virtual.adaptation import DomainSelector, RankDistributionMapper, SensorAligner, TrainOnly
from har_virtual.features import ECDFFeatures, NormChannels, TsfreshFeatures
from har_virtual.models import ConvAutoencoderFeatures, DeepConvLSTMClassifier, MMFitClassifier, PretrainOnVirtual

ROOMS = ("features", "adaptation", "models")


def jitter(X, rng):
    return X + rng.normal(scale=1e-3, size=X.shape)


def random_over_sampler():
    from imblearn.over_sampling import RandomOverSampler

    return RandomOverSampler(random_state=0)


def small_forest():
    return RandomForestClassifier(5, random_state=0)


# Small, and quick to learn what the checks want learnt.
QUICK = {"lr": 0.02, "max_epochs": 15, "batch_size": 25, "device": "cpu", "random_state": 0}


def small_network():
    return DeepConvLSTMClassifier(
        n_filters=4, kernel_size=3, n_conv_layers=2, lstm_size=8, n_lstm_layers=1, dropout=0.0, **QUICK
    )


ESTIMATORS = [
    ECDFFeatures(),
    ECDFFeatures(n_components=1),
    TsfreshFeatures(parameters="minimal"),
    TsfreshFeatures(),
    NormChannels(),
    NormChannels(axis="z"),
    RankDistributionMapper(),
    RankDistributionMapper(method="step", n_quantiles=100),
    RankDistributionMapper(direction="real_to_virtual"),
    SensorAligner(),
    SensorAligner(method="mean"),
    DomainSelector(small_forest()),
    DomainSelector(LogisticRegression(), train_on="both", virtual_ratio=1),
    TrainOnly(jitter, LogisticRegression()),
    TrainOnly(random_over_sampler(), small_forest()),
    DomainSelector(TrainOnly(random_over_sampler(), LogisticRegression())),
    small_network(),
    MMFitClassifier(hidden_size=8, **QUICK),
    ConvAutoencoderFeatures(embedding_size=3, n_filters=(2, 4), **QUICK | {"max_epochs": 2}),
    PretrainOnVirtual(small_network()),
]


checks = parametrize_with_checks(ESTIMATORS)


# pytest wants a list where scikit-learn 1.6 has a generator.
@pytest.mark.parametrize(checks.args[0], list(checks.args[1]), **checks.kwargs)
def test_scikit_learn_s_checks_hold(estimator, check):
    check(estimator)


def test_every_estimator_of_these_rooms_is_checked():
    public = {
        value
        for room in ROOMS
        for value in vars(importlib.import_module(f"har_virtual.{room}")).values()
        if inspect.isclass(value) and issubclass(value, BaseEstimator)
    }
    assert public == {type(estimator) for estimator in ESTIMATORS}


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=str)
def test_tags_do_not_turn_the_checks_off(estimator):
    """With two_d_array=False or _skip_test scikit-learn runs one check, which passes."""
    tags = get_tags(estimator)
    assert tags.input_tags.two_d_array and not tags._skip_test
