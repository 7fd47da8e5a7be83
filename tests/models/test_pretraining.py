import warnings
from contextlib import nullcontext

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import f1_score
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from har_virtual.exceptions import DataFormatError, DataWarning, UnknownNameError
from har_virtual.model_selection import LeaveOneSubjectOut, split_clips
from har_virtual.models import load_model
from har_virtual.models.deep_conv_lstm import DeepConvLSTMClassifier
from har_virtual.models.pretrained import Pretrained, from_pretrained
from har_virtual.models.pretraining import PretrainOnVirtual


class Recorder(DeepConvLSTMClassifier):
    """Notes what each fit was given."""

    fits: list

    def fit(self, X, y, *, groups=None, sample_domain=None, X_val=None, y_val=None):
        Recorder.fits.append((X, y, X_val))
        return super().fit(X, y, groups=groups, sample_domain=sample_domain, X_val=X_val, y_val=y_val)


@pytest.fixture
def fits():
    Recorder.fits = []
    return Recorder.fits


def make_network(kind=DeepConvLSTMClassifier, **params):
    small = {"n_filters": 3, "kernel_size": 3, "n_conv_layers": 2, "lstm_size": 4, "max_epochs": 2, "batch_size": 32}
    return kind(**{**small, "lr": 0.01, "device": "cpu", "random_state": 0, **params})


def make_rows(n_real=48, n_virtual=80, labels=("run", "sit"), real_labels=None, seed=0):
    """Rows of the people p0 to p3, virtual ones too, and of two who are in videos only; the first sample is the row."""
    rng = np.random.default_rng(seed)
    n_rows = n_real + n_virtual
    order = rng.permutation(n_rows)
    virtual = (np.arange(n_rows) >= n_real)[order]
    y = np.where(virtual, np.resize(labels, n_rows), np.resize(real_labels or labels, n_rows))
    names = np.array(["p0", "p1", "p2", "p3", "video:aa/0", "video:bb/0"])
    groups = names[np.where(virtual, rng.integers(6, size=n_rows), rng.integers(4, size=n_rows))]
    strength = 3.0 ** np.unique(y, return_inverse=True)[1]
    X = rng.normal(2, strength[:, None, None], (n_rows, 8, 3)).astype(np.float32)
    X[:, 0, 0] = np.arange(n_rows)
    # A clip has two rows, of one person and label.
    clip_of = pd.DataFrame({"group": groups, "label": y}).groupby(["group", "label"]).cumcount() // 2
    clips = np.unique(np.stack([groups, y, clip_of.to_numpy().astype(str)]), axis=1, return_inverse=True)[1].ravel()
    return {"X": X, "y": y, "groups": groups, "sample_domain": virtual.astype(int), "clips": clips}


def rows_of(X):
    return X[:, 0, 0].astype(int)


def same_weights(first, second):
    first, second = (Pretrained.of(model).weights for model in (first, second))
    return all((array == second[name]).all() for name, array in first.items())


def test_it_is_pretraining_and_fine_tuning_by_hand_to_the_last_bit():
    rows = make_rows()
    X, y, virtual = rows["X"], rows["y"], rows["sample_domain"] == 1
    model = PretrainOnVirtual(
        make_network(), freeze=("convolutions",), pretrain_params={"lr": 0.02, "max_epochs": 3}, random_state=4
    ).fit(**rows)

    # Whoever validates the fine-tuning has no part in pretraining.
    person = make_network().fit(X[~virtual], y[~virtual], groups=rows["groups"][~virtual]).validated_[0]
    apart = np.flatnonzero(virtual & (rows["groups"] != person))
    train, validation, _ = (apart[part] for part in split_clips(rows["clips"][apart], y[apart], random_state=4))
    pretrained = make_network(lr=0.02, max_epochs=3)
    pretrained.fit(X[train], y[train], X_val=X[validation], y_val=y[validation])
    tuned = from_pretrained(
        pretrained, freeze=("convolutions",), lr=0.01, max_epochs=2, batch_size=32, device="cpu", random_state=0
    ).fit(X[~virtual], y[~virtual], groups=rows["groups"][~virtual])
    assert same_weights(model.pretrained_, pretrained)
    assert same_weights(model.estimator_, tuned)
    np.testing.assert_array_equal(model.predict_proba(X), tuned.predict_proba(X))
    assert model.estimator_.validated_ == tuned.validated_ == (person,)


def test_no_clip_is_on_both_sides_and_no_part_has_real_rows(fits):
    rows = make_rows()
    PretrainOnVirtual(make_network(Recorder), random_state=0).fit(**rows)
    (pretraining, _, validating), (fine_tuning, _, _) = fits
    train, validation = rows_of(pretraining), rows_of(validating)
    assert rows["sample_domain"][train].all()
    assert rows["sample_domain"][validation].all()
    assert not set(rows["clips"][train]) & set(rows["clips"][validation])
    np.testing.assert_array_equal(rows_of(fine_tuning), np.flatnonzero(rows["sample_domain"] == 0))
    assert len(set(train) | set(validation)) == len(train) + len(validation) < 80


def test_a_clip_split_over_rows_far_apart_stays_together(fits):
    rows = make_rows(n_virtual=120)
    rows["clips"] = np.arange(len(rows["y"])) % 12
    rows["y"] = np.where(rows["clips"] % 2, "run", "sit")
    PretrainOnVirtual(make_network(Recorder), random_state=0).fit(**rows)
    train, validation = rows_of(fits[0][0]), rows_of(fits[0][2])
    assert not set(rows["clips"][train]) & set(rows["clips"][validation])


def test_people_who_validate_the_fine_tuning_do_not_pretrain(fits):
    rows = make_rows()
    model = PretrainOnVirtual(make_network(Recorder), random_state=0).fit(**rows)
    seen = np.concatenate([rows_of(fits[0][0]), rows_of(fits[0][2])])
    (person,) = model.estimator_.validated_
    assert person in rows["groups"][rows["sample_domain"] == 1]
    assert person not in rows["groups"][seen]


def test_people_who_are_drawn_without_a_seed_do_not_pretrain_either(fits):
    rows = make_rows()
    for _ in range(3):
        fits.clear()
        model = PretrainOnVirtual(make_network(Recorder, max_epochs=1, random_state=None)).fit(**rows)
        seen = np.concatenate([rows_of(fits[0][0]), rows_of(fits[0][2])])
        assert model.estimator_.validated_[0] not in rows["groups"][seen]


@pytest.mark.parametrize(("wanted", "n_people"), [("p2", 1), (("p3", "p1"), 2), (3, 3)])
def test_people_who_are_named_or_many_do_not_pretrain_either(fits, wanted, n_people):
    rows = make_rows()
    model = PretrainOnVirtual(make_network(Recorder, validation_subjects=wanted), random_state=0).fit(**rows)
    people = model.estimator_.validated_
    assert len(people) == n_people
    assert people in ((wanted,), wanted) or wanted == 3
    seen = np.concatenate([rows_of(fits[0][0]), rows_of(fits[0][2])])
    assert not set(people) & set(rows["groups"][seen])


def test_virtual_rows_of_those_who_validate_alone_pretrain_nothing_with_a_warning():
    rows = make_rows()
    rows["groups"] = np.where(rows["sample_domain"] == 1, "p2", rows["groups"])
    real = rows["sample_domain"] == 0
    network = make_network(validation_subjects="p2")
    with pytest.warns(DataWarning, match="Nothing is pretrained: all virtual rows are of p2"):
        model = PretrainOnVirtual(network, freeze="lstm", random_state=0).fit(**rows)
    plain = clone(network).fit(rows["X"][real], rows["y"][real], groups=rows["groups"][real])
    assert same_weights(model.estimator_, plain)
    assert model.pretrained_ is None


def test_rows_without_a_label_are_refused():
    rows = make_rows()
    rows["y"] = rows["y"].astype(object)
    rows["y"][5] = None
    with pytest.raises(DataFormatError, match=r"1 of 128 windows have no label .* first window 5"):
        PretrainOnVirtual(make_network()).fit(**rows)


def test_all_virtual_rows_pretrain_where_validation_rows_are_given(fits):
    rows, other = make_rows(), make_rows(n_real=20, n_virtual=0, seed=9)
    model = PretrainOnVirtual(make_network(Recorder), fractions=(0.9, 0.1, 0), random_state=0)
    model.fit(**rows, X_val=other["X"], y_val=other["y"])
    assert len(fits[0][0]) + len(fits[0][2]) == 80


def test_people_who_validate_are_those_of_training_without_pretraining():
    rows = make_rows()
    real = rows["sample_domain"] == 0
    for seed in range(4):
        network = make_network(random_state=seed, max_epochs=1, validation_subjects=2)
        plain = clone(network).fit(rows["X"][real], rows["y"][real], groups=rows["groups"][real])
        model = PretrainOnVirtual(network, random_state=0).fit(**rows)
        assert model.estimator_.validated_ == plain.validated_
        assert len(plain.validated_) == 2


def test_without_virtual_rows_it_is_the_estimator():
    rows = make_rows()
    real = rows["sample_domain"] == 0
    X, y, groups = (rows[name][real] for name in ("X", "y", "groups"))
    plain = make_network().fit(X, y, groups=groups)
    for domain in (None, np.zeros(len(X), int)):
        told = nullcontext() if domain is not None else pytest.warns(DataWarning, match="No sample_domain reached")
        with told:
            model = PretrainOnVirtual(make_network(), freeze="lstm").fit(X, y, groups=groups, sample_domain=domain)
        assert same_weights(model.estimator_, plain)
        assert model.pretrained_ is None
        assert model.virtual_scores_ == {}
        assert model.real_rows_used_ == plain.real_rows_used_ == len(X)


def test_without_real_rows_it_predicts_by_the_pretrained_network():
    rows = make_rows(n_real=0)
    model = PretrainOnVirtual(make_network(), random_state=0).fit(**rows)
    assert model.estimator_ is model.pretrained_
    assert (model.real_rows_used_, model.real_labels_used_) == (0, 0)
    assert len(model.predict(rows["X"])) == len(rows["X"])


def test_fine_tuning_uses_the_labels_of_the_real_rows():
    rows = make_rows(real_labels=("jump", "run", "walk"))
    model = PretrainOnVirtual(make_network(), random_state=0).fit(**rows)
    assert model.pretrained_.classes_.tolist() == ["run", "sit"]
    assert model.classes_.tolist() == ["jump", "run", "walk"]
    assert model.predict_proba(rows["X"][:2]).shape == (2, 3)


def test_weights_of_a_class_that_no_virtual_row_has_are_for_fine_tuning():
    rows = make_rows(real_labels=("jump", "run", "sit"))
    network = make_network(class_weight={"jump": 2.0})
    with pytest.raises(
        DataFormatError, match=r"class_weight names \['jump'\], which no window has; labels are \['run'"
    ):
        PretrainOnVirtual(network, random_state=0).fit(**rows)
    model = PretrainOnVirtual(network, pretrain_params={"class_weight": None}, random_state=0).fit(**rows)
    assert (model.pretrained_.class_weight, model.estimator_.class_weight) == (None, {"jump": 2.0})


def test_all_weights_are_fine_tuned_unless_frozen():
    rows = make_rows()
    for freeze in ((), ("convolutions", "lstm")):
        model = PretrainOnVirtual(make_network(weight_decay=0.1), freeze=freeze, random_state=0).fit(**rows)
        before, after = (Pretrained.of(part).weights for part in (model.pretrained_, model.estimator_))
        moved = {name.split(".")[0] for name in before if (before[name] != after[name]).any()}
        assert moved == {"convolutions", "lstm", "head"} - set(freeze)


def test_scores_are_of_the_virtual_rows_of_each_part():
    rows = make_rows(n_real=0)
    model = PretrainOnVirtual(make_network(), random_state=0).fit(**rows)
    for name, part in zip(
        ("train", "validation", "test"), split_clips(rows["clips"], rows["y"], random_state=0), strict=True
    ):
        expected = f1_score(rows["y"][part], model.pretrained_.predict(rows["X"][part]), average="macro")
        assert model.virtual_scores_[name] == pytest.approx(expected)


def test_a_part_without_rows_has_no_score():
    model = PretrainOnVirtual(make_network(), fractions=(0.9, 0.1, 0.0), random_state=0).fit(**make_rows())
    assert np.isnan(model.virtual_scores_["test"])
    assert np.isfinite(model.virtual_scores_["validation"])


def test_given_validation_rows_are_for_fine_tuning_only(fits):
    rows, other = make_rows(), make_rows(n_real=20, n_virtual=0, seed=9)
    given = {"X_val": other["X"], "y_val": other["y"]}
    model = PretrainOnVirtual(make_network(Recorder), random_state=0).fit(**rows, **given)
    assert fits[1][2] is other["X"]
    assert fits[0][2] is not other["X"]
    assert model.estimator_.validated_ == ()
    assert model.real_rows_used_ == 48 + 20


def test_as_many_validation_rows_as_rows_are_not_cut(fits):
    rows, other = make_rows(), make_rows(n_real=128, n_virtual=0, seed=9)
    PretrainOnVirtual(make_network(Recorder), random_state=0).fit(**rows, X_val=other["X"], y_val=other["y"])
    assert len(fits[1][2]) == len(rows["X"]) == 128


def test_no_validation_rows_may_be_given_as_none():
    rows = make_rows()
    first, second = (
        PretrainOnVirtual(make_network(), random_state=0).fit(**rows, **none)
        for none in ({}, {"X_val": None, "y_val": None})
    )
    assert same_weights(first.estimator_, second.estimator_)


def test_groups_take_the_place_of_clips(fits):
    rows = make_rows(n_real=0) | {"clips": None}
    PretrainOnVirtual(make_network(Recorder), random_state=0).fit(**rows)
    train, validation = rows_of(fits[0][0]), rows_of(fits[0][2])
    assert not set(rows["groups"][train]) & set(rows["groups"][validation])


def test_without_clips_and_groups_virtual_rows_are_refused():
    rows = make_rows() | {"clips": None, "groups": None}
    with pytest.raises(DataFormatError, match=r"neither clips nor groups.*enable_metadata_routing"):
        PretrainOnVirtual(make_network()).fit(**rows)


def test_a_single_virtual_clip_trains_with_a_warning():
    rows = make_rows()
    rows["clips"] = np.zeros(len(rows["X"]), int)
    with pytest.warns(DataWarning, match="No virtual clip can be spared"):
        model = PretrainOnVirtual(make_network(max_epochs=3)).fit(**rows)
    assert model.pretrained_.n_epochs_ == 3
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        PretrainOnVirtual(make_network(), fractions=(1, 0, 0)).fit(**rows)


def test_virtual_rows_of_one_label_are_refused():
    rows = make_rows(labels=("run", "run"), real_labels=("run", "sit"))
    with pytest.raises(DataFormatError, match="virtual rows have one label, 'run'"):
        PretrainOnVirtual(make_network()).fit(**rows)


def test_what_cannot_be_pretrained_is_refused():
    for estimator in (KNeighborsClassifier(), make_pipeline(make_network())):
        with pytest.raises(
            DataFormatError, match=rf"not a {type(estimator).__name__}.*GridSearchCV\(PretrainOnVirtual"
        ):
            PretrainOnVirtual(estimator).fit(**make_rows())


@pytest.mark.parametrize("name", ["groups", "clips"])
def test_columns_of_another_length_are_refused(name):
    rows = make_rows()
    rows[name] = rows[name][:-1]
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        PretrainOnVirtual(make_network()).fit(**rows)


def test_fractions_that_are_not_three_are_refused():
    with pytest.raises(DataFormatError, match="fractions are of train, validation, test rows"):
        PretrainOnVirtual(make_network(), fractions=(0.5, 0.5)).fit(**make_rows())


def test_an_unknown_part_cannot_be_frozen():
    with pytest.raises(UnknownNameError, match="convolutions"):
        PretrainOnVirtual(make_network(), freeze="ghost").fit(**make_rows())


def test_the_seed_decides_all():
    rows = make_rows()
    first, again, other = (PretrainOnVirtual(make_network(), random_state=seed).fit(**rows) for seed in (1, 1, 2))
    assert same_weights(first.estimator_, again.estimator_)
    assert not same_weights(first.estimator_, other.estimator_)


def test_a_random_generator_of_the_network_is_not_moved():
    network = make_network(max_epochs=1, random_state=np.random.default_rng(0))
    PretrainOnVirtual(network, random_state=0).fit(**make_rows())
    assert network.random_state.random() == np.random.default_rng(0).random()


def search_by(cv, rows, **params):
    X, y, metadata = rows["X"], rows["y"], {name: rows[name] for name in ("groups", "sample_domain", "clips")}
    model = PretrainOnVirtual(make_network(Recorder, max_epochs=1), random_state=0)
    with sklearn.config_context(enable_metadata_routing=True):
        return GridSearchCV(model, {"estimator__lr": [0.001, 0.01]}, cv=cv, refit=False, **params).fit(X, y, **metadata)


def people_in(fit, rows):
    """Whose rows, real or virtual, one recorded fit saw."""
    X, _, X_val = fit
    seen = np.concatenate([rows_of(part) for part in (X, X_val) if part is not None])
    return set(rows["groups"][seen])


def test_a_search_with_routing_holds_people_out_of_both_trainings(fits):
    rows = make_rows()
    search = search_by(LeaveOneSubjectOut(), rows)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert len(fits) == 2 * 4 * 2
    for number, fit in enumerate(fits):
        assert f"p{number // 2 % 4}" not in people_in(fit, rows)
        assert (fit[1] == rows["y"][rows_of(fit[0])]).all()


def test_a_planted_leak_of_the_tested_person_is_found(fits):
    rows = make_rows()
    test = np.flatnonzero((rows["groups"] == "p0") & (rows["sample_domain"] == 0))
    search_by([(np.setdiff1d(np.arange(len(rows["X"])), test), test)], rows)
    assert "p0" in people_in(fits[0], rows)
    assert "p0" not in people_in(fits[1], rows)


def test_routing_changes_nothing():
    rows = make_rows()
    by_hand = PretrainOnVirtual(make_network(), random_state=0).fit(**rows)
    with sklearn.config_context(enable_metadata_routing=True):
        routed = PretrainOnVirtual(make_network(), random_state=0).fit(**rows)
    assert same_weights(by_hand.estimator_, routed.estimator_)


def test_routing_brings_validation_rows_to_fine_tuning(fits):
    rows, other = make_rows(), make_rows(n_real=20, n_virtual=0, seed=9)
    X, y = rows.pop("X"), rows.pop("y")
    model = make_pipeline(PretrainOnVirtual(make_network(Recorder), random_state=0))
    with sklearn.config_context(enable_metadata_routing=True):
        model.fit(X, y, **rows, X_val=other["X"], y_val=other["y"])
    assert len(fits[1][2]) == 20


def test_the_fine_tuned_network_is_saved(tmp_path):
    rows = make_rows()
    model = PretrainOnVirtual(make_network(), random_state=0)
    with pytest.raises(NotFittedError):
        model.save(tmp_path / "model.safetensors")
    loaded = load_model(model.fit(**rows).save(tmp_path / "model.safetensors"), device="cpu")
    assert np.array_equal(loaded.predict_proba(rows["X"]), model.predict_proba(rows["X"]))


def test_networks_without_a_seed_take_the_pretraining_s(fits):
    rows = make_rows()
    network = make_network(random_state=None)
    first, again = (PretrainOnVirtual(network, random_state=3).fit(**rows) for _ in range(2))
    other = PretrainOnVirtual(network, random_state=4).fit(**rows)
    assert same_weights(first.estimator_, again.estimator_) and first.estimator_.validated_
    assert same_weights(first.pretrained_, again.pretrained_)
    assert not same_weights(first.estimator_, other.estimator_)
    own = PretrainOnVirtual(make_network(random_state=7), random_state=3).fit(**rows)
    assert own.estimator_.random_state == 7


def test_a_forgotten_domain_is_said_but_not_of_rows_that_are_called_real():
    rows = make_rows()
    rows["sample_domain"][:] = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        PretrainOnVirtual(make_network()).fit(**rows)
    del rows["sample_domain"]
    with pytest.warns(DataWarning, match="nothing is pretrained"):
        PretrainOnVirtual(make_network()).fit(**rows)
