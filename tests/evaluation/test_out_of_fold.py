"""Out-of-fold prediction: leaks are refused, metadata arrives, failures name their fold, real data is counted."""

from __future__ import annotations

from typing import ClassVar

import joblib
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, TransformerMixin, clone
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import AdaBoostClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix, f1_score
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, LeaveOneGroupOut, cross_val_predict
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from har_virtual.adaptation import DomainSelector
from har_virtual.evaluation import bootstrap_interval, paired_difference, predict_out_of_fold, real_data_used
from har_virtual.exceptions import DataFormatError, FoldError
from har_virtual.model_selection import LeaveOneSubjectOut
from har_virtual.recording import Recording
from har_virtual.windows import segment_recordings

SUBJECTS = ["ann", "bob", "eve"]


class RealSubjectsInTurn:
    """Tests the real rows of each subject who has some, trains on all rows of the others."""

    def split(self, X, y=None, groups=None, sample_domain=None):
        real = np.asarray(sample_domain) == 0
        for subject in np.unique(groups[real]):
            yield np.flatnonzero(groups != subject), np.flatnonzero((groups == subject) & real)


class Reporter(ClassifierMixin, BaseEstimator):
    """Predicts the label that is most frequent in training, and keeps what fit and predict were given."""

    def fit(self, X, y, **metadata):
        self.classes_, counts = np.unique(y, return_counts=True)
        self.answer_ = self.classes_[counts.argmax()]
        self.given_ = {"X": X, "y": y, **metadata}
        return self

    def predict(self, X, **metadata):
        self.given_at_predict_ = {"X": X, **metadata}
        return np.full(len(X), self.answer_)


class RoutedReporter(Reporter):
    __metadata_request__fit: ClassVar = {"sample_domain": True, "groups": True}
    __metadata_request__predict: ClassVar = {"sample_domain": True}

    def fit(self, X, y, sample_domain=None, groups=None):
        return super().fit(X, y, sample_domain=sample_domain, groups=groups)

    def predict(self, X, sample_domain=None):
        return super().predict(X, sample_domain=sample_domain)


class DomainShift(TransformerMixin, BaseEstimator):
    """Takes 10 from virtual rows, if it is told which they are."""

    __metadata_request__fit: ClassVar = {"sample_domain": True}
    __metadata_request__transform: ClassVar = {"sample_domain": True}

    def fit(self, X, y=None, sample_domain=None):
        self.real_rows_used_, self.real_labels_used_ = 0, 0
        return self

    def transform(self, X, sample_domain=None):
        return X if sample_domain is None else X - 10 * np.asarray(sample_domain)[:, None]

    def fit_transform(self, X, y=None, sample_domain=None):
        return self.fit(X, y, sample_domain).transform(X, sample_domain)


class Says(BaseEstimator):
    def __init__(self, *, rows=3, labels=1):
        self.rows = rows
        self.labels = labels

    def fit(self, X, y=None):
        self.real_rows_used_, self.real_labels_used_ = self.rows, self.labels
        return self

    def transform(self, X):
        return X


class Meta(MetaEstimatorMixin, ClassifierMixin, BaseEstimator):
    def __init__(self, estimator):
        self.estimator = estimator

    def fit(self, X, y):
        self.estimator_ = clone(self.estimator).fit(X, y)
        return self

    def predict(self, X):
        return self.estimator_.predict(X)


def example() -> dict[str, np.ndarray]:
    """Six real rows of each subject, classes at 0 and 1; virtual rows 10 higher, four of ann, four of nobody known."""
    groups = np.array(["ann"] * 4 + ["ann"] * 6 + ["bob"] * 6 + ["video:1/0"] * 4 + ["eve"] * 6)
    sample_domain = np.array([1] * 4 + [0] * 12 + [1] * 4 + [0] * 6)
    y = np.tile(["sit", "walk"], 13)
    X = np.tile([0.0, 1.0], 13) + np.random.default_rng(0).normal(0, 0.1, 26) + 10 * sample_domain
    return {"X": np.column_stack([X, -X]), "y": y, "groups": groups, "sample_domain": sample_domain}


def real_example() -> dict[str, np.ndarray]:
    data = example()
    real = data.pop("sample_domain") == 0
    return {name: values[real] for name, values in data.items()}


def noisy_example(seed=0, n_subjects=5) -> dict[str, np.ndarray]:
    """Real rows that cannot all be told apart."""
    rng = np.random.default_rng(seed)
    y = rng.choice(["run", "sit", "walk"], 40 * n_subjects)
    X = rng.normal(0, 1, (len(y), 2)) + np.unique(y, return_inverse=True)[1][:, None]
    return {"X": X, "y": y, "groups": np.repeat([f"p{i}" for i in range(n_subjects)], 40)}


def test_predictions_are_those_of_scikit_learn_where_every_row_is_tested():
    data = noisy_example()
    model = make_pipeline(StandardScaler(), LogisticRegression())
    result = predict_out_of_fold(model, **data, cv=GroupKFold(3))
    expected = cross_val_predict(model, **data, cv=GroupKFold(3))
    np.testing.assert_array_equal(result.y_pred, expected)
    np.testing.assert_array_equal(result.rows, np.arange(200))
    np.testing.assert_array_equal(result.y_true, data["y"])
    assert not hasattr(model, "classes_")


@pytest.mark.parametrize("cv", [RealSubjectsInTurn(), LeaveOneSubjectOut()], ids=["minimal", "LeaveOneSubjectOut"])
def test_virtual_rows_train_and_real_rows_are_tested(cv):
    data = example()
    result = predict_out_of_fold(Reporter(), **data, cv=cv, return_estimators=True)
    np.testing.assert_array_equal(result.rows, np.flatnonzero(data["sample_domain"] == 0))
    np.testing.assert_array_equal(result.groups, data["groups"][result.rows])
    assert result.folds["held_out"].tolist() == SUBJECTS
    assert result.folds["n_train_real"].tolist() == [12, 12, 12]
    assert result.folds["n_train_virtual"].tolist() == [4, 8, 8]
    assert result.folds["n_test"].tolist() == [6, 6, 6]
    for subject, fitted in zip(SUBJECTS, result.estimators, strict=True):
        np.testing.assert_array_equal(fitted.given_["X"], data["X"][data["groups"] != subject])
        np.testing.assert_array_equal(fitted.given_["y"], data["y"][data["groups"] != subject])


def test_rows_come_back_ascending_whatever_the_order_of_the_folds():
    data = noisy_example()
    folds = list(LeaveOneGroupOut().split(data["X"], data["y"], data["groups"]))
    there, back = (
        predict_out_of_fold(DecisionTreeClassifier(random_state=0), **data, cv=cv) for cv in (folds, folds[::-1])
    )
    np.testing.assert_array_equal(there.y_pred, back.y_pred)
    np.testing.assert_array_equal(there.fold, 4 - back.fold)
    assert back.folds["held_out"].tolist() == ["p4", "p3", "p2", "p1", "p0"]
    assert (back.groups == back.folds["held_out"].to_numpy()[back.fold]).all()


def test_folds_may_be_masks_and_come_from_a_generator():
    data = noisy_example()
    masks = ((data["groups"] != group, data["groups"] == group) for group in ("p1", "p0"))
    result = predict_out_of_fold(DecisionTreeClassifier(), **data, cv=masks)
    assert result.rows.tolist() == list(range(80))


@pytest.mark.parametrize("switched_on", [False, True])
def test_metadata_reach_the_steps_that_request_them_whatever_the_global_setting(switched_on):
    data = example()
    with config_context(enable_metadata_routing=switched_on):
        result = predict_out_of_fold(RoutedReporter(), **data, cv=RealSubjectsInTurn(), return_estimators=True)
    for subject, fitted in zip(SUBJECTS, result.estimators, strict=True):
        others = data["groups"] != subject
        np.testing.assert_array_equal(fitted.given_["sample_domain"], data["sample_domain"][others])
        np.testing.assert_array_equal(fitted.given_["groups"], data["groups"][others])
        assert fitted.given_at_predict_["sample_domain"].tolist() == [0] * 6


@pytest.mark.parametrize("switched_on", [False, True])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_step_that_moves_virtual_rows_does_so_in_every_thread(switched_on, n_jobs):
    model = make_pipeline(DomainShift(), DecisionTreeClassifier(max_depth=1))
    with config_context(enable_metadata_routing=switched_on), joblib.parallel_config("threading"):
        result = predict_out_of_fold(model, **example(), cv=RealSubjectsInTurn(), n_jobs=n_jobs, return_estimators=True)
    assert result.macro_f1 == 1
    # One cut tells the classes apart only where the virtual rows were moved onto the real ones.
    assert [fitted[-1].tree_.impurity[1:].tolist() for fitted in result.estimators] == [[0, 0]] * 3


def test_two_processes_give_what_one_gives_with_routed_weights():
    data = noisy_example()
    weights = np.where(data["y"] == "run", 25.0, 1.0)
    with config_context(enable_metadata_routing=True):
        model = make_pipeline(
            StandardScaler().set_fit_request(sample_weight=False),
            LogisticRegression().set_fit_request(sample_weight=True),
        )
    one, two = (
        predict_out_of_fold(model, **data, cv=LeaveOneGroupOut(), params={"sample_weight": weights}, n_jobs=n_jobs)
        for n_jobs in (1, 2)
    )
    plain = predict_out_of_fold(model, **data, cv=LeaveOneGroupOut())
    np.testing.assert_array_equal(one.y_pred, two.y_pred)
    pd.testing.assert_frame_equal(one.folds, two.folds)
    assert (one.y_pred == "run").sum() > 1.5 * (plain.y_pred == "run").sum()


def test_a_search_inside_a_fold_is_given_the_groups_of_the_fold():
    data = noisy_example()
    search = GridSearchCV(DecisionTreeClassifier(random_state=0), {"max_depth": [1, 3]}, cv=LeaveOneGroupOut())
    result = predict_out_of_fold(search, **data, cv=LeaveOneGroupOut(), return_estimators=True)
    assert [fitted.n_splits_ for fitted in result.estimators] == [4] * 5
    assert result.folds["real_labels_used"].tolist() == [160] * 5


def test_a_parameter_that_no_step_requests_is_refused():
    data = noisy_example()
    with pytest.raises(
        DataFormatError, match=r"No step of DecisionTreeClassifier requests 'sample_weight'.*set_fit_req"
    ):
        predict_out_of_fold(
            DecisionTreeClassifier(), **data, cv=LeaveOneGroupOut(), params={"sample_weight": np.ones(200)}
        )


def test_an_estimator_that_cannot_say_what_it_requests_is_fitted_on_real_rows_only():
    cv = RealSubjectsInTurn()
    model = make_pipeline(DomainShift(), AdaBoostClassifier(n_estimators=2))
    assert predict_out_of_fold(model, **real_example(), cv=LeaveOneGroupOut()).macro_f1 == 1
    with pytest.raises(NotImplementedError, match="AdaBoostClassifier has not implemented metadata routing"):
        predict_out_of_fold(model, **example(), cv=cv)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"sample_weight": [1.0]}, r"params\['sample_weight'\] needs one value for each of 18 rows"),
        ({"groups": ["ann"] * 18}, "Give groups by its own argument"),
    ],
)
def test_parameters_are_one_value_a_row_and_have_their_own_names(params, message):
    with pytest.raises(DataFormatError, match=message):
        predict_out_of_fold(Reporter(), **real_example(), cv=LeaveOneGroupOut(), params=params)


def test_x_may_be_a_list():
    words = ["still still", "step step", "step still step", "still"] * 6
    result = predict_out_of_fold(
        make_pipeline(CountVectorizer(), MultinomialNB()),
        words,
        ["sit", "walk", "walk", "sit"] * 6,
        cv=LeaveOneGroupOut(),
        groups=np.repeat(SUBJECTS, 8),
    )
    assert result.macro_f1 == 1


def test_x_may_be_sparse():
    data = noisy_example()
    dense = predict_out_of_fold(DecisionTreeClassifier(random_state=0), **data, cv=LeaveOneGroupOut())
    data["X"] = csr_matrix(data["X"])
    sparse = predict_out_of_fold(DecisionTreeClassifier(random_state=0), **data, cv=LeaveOneGroupOut())
    np.testing.assert_array_equal(sparse.y_pred, dense.y_pred)
    with pytest.raises(DataFormatError, match="X has 199 rows and y 200"):
        predict_out_of_fold(DecisionTreeClassifier(), **data | {"X": data["X"][1:]}, cv=LeaveOneGroupOut())


def test_x_may_be_windows_in_three_dimensions():
    data = real_example()
    data["X"] = np.repeat(data["X"][:, None, :], 5, axis=1).astype(np.float32)
    result = predict_out_of_fold(Reporter(), **data, cv=LeaveOneGroupOut(), return_estimators=True)
    assert result.estimators[0].given_["X"].shape == (12, 5, 2)
    assert result.estimators[0].given_["X"].dtype == np.float32


def test_a_tested_subject_with_virtual_rows_in_training_is_a_leak():
    data = example()
    real = np.flatnonzero(data["sample_domain"] == 0)
    ann = real[data["groups"][real] == "ann"]
    rest = np.setdiff1d(np.arange(26), ann)
    with pytest.raises(
        DataFormatError, match=r"holds out ann, leaks: 4 of its training rows \(4 of them virtual\).* ann;"
    ):
        predict_out_of_fold(Reporter(), **data, cv=[(rest, ann)])


def test_windows_of_one_subject_on_both_sides_are_a_leak_though_the_rows_differ():
    data = real_example()
    odd = np.arange(18) % 2 == 1
    with pytest.raises(
        DataFormatError, match=r"Fold 0, which holds out ann, bob, eve, leaks: 9 of its .* ann, bob, eve;"
    ):
        predict_out_of_fold(Reporter(), **data, cv=[(odd, ~odd)])
    with pytest.raises(DataFormatError, match="leaks"):
        predict_out_of_fold(Reporter(), **data, cv=iter([(np.arange(4), np.arange(4, 18))]))


def test_a_row_that_is_trained_on_and_tested_is_a_leak():
    with pytest.raises(DataFormatError, match=r"leaks: 1 rows are both trained on and tested, row 6 of subject bob"):
        predict_out_of_fold(Reporter(), **real_example(), cv=[(np.arange(6, 18), np.arange(7))])


def test_a_splitter_that_knows_no_subjects_is_refused():
    with pytest.raises(DataFormatError, match="leaks"):
        predict_out_of_fold(Reporter(), **real_example(), cv=KFold(2, shuffle=True, random_state=0))


def test_virtual_rows_are_not_tested():
    data = example()
    test = np.flatnonzero(data["groups"] == "video:1/0")
    with pytest.raises(DataFormatError, match=r"holds out video:1/0, tests 4 virtual rows, but only real ones"):
        predict_out_of_fold(Reporter(), **data, cv=[(np.setdiff1d(np.arange(26), test), test)])
    ann = data["groups"] == "ann"
    with pytest.raises(DataFormatError, match="holds out ann, tests 4 virtual rows"):
        predict_out_of_fold(Reporter(), **data, cv=[(~ann, ann)])


def test_a_row_is_tested_once():
    folds = list(LeaveOneGroupOut().split(np.zeros(18), groups=real_example()["groups"]))
    with pytest.raises(DataFormatError, match=r"6 rows are tested more than once, row 6 of subject bob first"):
        predict_out_of_fold(Reporter(), **real_example(), cv=[*folds, folds[1]])


@pytest.mark.parametrize(
    ("cv", "message"),
    [
        (5, "cv must be a splitter such as LeaveOneSubjectOut, .* not 5"),
        (LeaveOneSubjectOut, r"cv is the class LeaveOneSubjectOut: give an instance, LeaveOneSubjectOut\(\.\.\.\)"),
        ([], "cv gives no folds"),
        ([([], [0])], "Fold 0 needs training rows and test rows"),
        ([([0], [])], "Fold 0 needs training rows and test rows"),
        ([([0], [18])], r"Fold 0 must give row numbers from 0 to 17 or masks, not \[18\]"),
        ([([-1], [0])], "Fold 0 must give row numbers"),
        ([([0.0], [9])], "Fold 0 must give row numbers"),
        ([([True, False], [9])], "Fold 0 must give row numbers"),
    ],
)
def test_folds_that_are_none_are_refused(cv, message):
    with pytest.raises(DataFormatError, match=message):
        predict_out_of_fold(Reporter(), **real_example(), cv=cv)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y": ["sit"] * 17}, "groups must be one-dimensional with 17 values"),
        ({"X": np.zeros((17, 2))}, "X has 17 rows and y 18"),
        ({"y": None}, "y is missing: pass one value for each row"),
        ({"y": [None] * 18}, "y is missing for 18 of 18 rows"),
        ({"groups": None}, "groups is missing: pass one value for each row"),
        ({"groups": [np.nan] * 18}, "groups is missing for 18"),
        ({"groups": np.zeros((18, 2))}, "groups must be one-dimensional"),
        ({"sample_domain": ["real"] * 18}, "sample_domain must hold a 0"),
    ],
)
def test_rows_that_do_not_fit_together_are_refused(change, message):
    with pytest.raises(DataFormatError, match=message):
        predict_out_of_fold(Reporter(), **real_example() | change, cv=LeaveOneGroupOut())


def test_a_class_that_training_lacks_is_missed_and_counted():
    data = real_example()
    data["y"] = np.where((data["groups"] == "eve") & (data["y"] == "walk"), "jump", data["y"])
    data["X"][data["y"] == "jump"] *= 5
    result = predict_out_of_fold(DecisionTreeClassifier(), **data, cv=LeaveOneGroupOut())
    assert result.folds["untrained_classes"].tolist() == ["", "", "jump"]
    assert result.confusion.loc["jump"].to_dict() == {"jump": 0, "sit": 0, "walk": 3}
    # sit is right throughout; walk has 6 hits and 3 false alarms; jump none.
    assert result.macro_f1 == pytest.approx((1 + 12 / 15 + 0) / 3)
    assert result.per_subject().to_dict() == {"ann": 1, "bob": 1, "eve": 0.5}


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_class_that_only_real_rows_have_is_untrained_where_virtual_ones_train(n_jobs):
    data = example()
    data["y"] = np.where((data["sample_domain"] == 1) & (data["y"] == "walk"), "jump", data["y"])
    model = make_pipeline(FunctionTransformer(), DomainSelector(DecisionTreeClassifier(), train_on="virtual"))
    result = predict_out_of_fold(model, **data, cv=LeaveOneSubjectOut(), n_jobs=n_jobs)
    assert result.folds["untrained_classes"].tolist() == ["walk"] * 3
    assert "walk" not in result.y_pred


def test_without_classes_the_training_rows_say_which_are_untrained():
    class Nameless(Reporter):
        def predict(self, X):
            predicted = super().predict(X)
            del self.classes_
            return predicted

    data = real_example()
    data["y"] = np.where((data["groups"] == "eve") & (data["y"] == "walk"), "jump", data["y"])
    result = predict_out_of_fold(Nameless(), **data, cv=LeaveOneGroupOut())
    assert result.folds["untrained_classes"].tolist() == ["", "", "jump"]


ASKING = {
    "itself": RoutedReporter(),
    "a step": make_pipeline(DomainShift(), DecisionTreeClassifier()),
    "a step in a search": GridSearchCV(make_pipeline(DomainShift(), DecisionTreeClassifier()), {}, cv=GroupKFold(2)),
    "the splitter of a search": GridSearchCV(DecisionTreeClassifier(), {}, cv=LeaveOneSubjectOut()),
}


@pytest.mark.parametrize("model", ASKING.values(), ids=ASKING)
def test_a_domain_that_is_requested_in_fit_must_be_given(model):
    data = real_example()
    message = (
        rf"{type(model).__name__} requests sample_domain in fit.* pass sample_domain=windows\.sample_domain \(zeros"
    )
    with pytest.raises(DataFormatError, match=message):
        predict_out_of_fold(model, **data, cv=LeaveOneGroupOut())
    zeros = np.zeros(18, dtype=int)
    assert len(predict_out_of_fold(model, **data, cv=LeaveOneGroupOut(), sample_domain=zeros).rows) == 18


def test_a_window_set_is_not_its_array():
    recording = Recording(np.zeros((90, 1)), 30, ["pulse"], subject="ann", labels=["sit"] * 90)
    windows = segment_recordings([recording], window_length_s=1)
    given = {"y": windows.y, "groups": windows.groups, "cv": LeaveOneSubjectOut()}
    with pytest.raises(DataFormatError, match=r"X is a WindowSet, not its array: pass windows\.X"):
        predict_out_of_fold(Reporter(), windows, **given)


def test_training_rows_of_one_class_are_up_to_the_estimator_whose_error_names_the_fold():
    data = real_example()
    data["y"] = np.where(data["groups"] == "eve", data["y"], "sit")
    result = predict_out_of_fold(DecisionTreeClassifier(), **data, cv=LeaveOneGroupOut())
    assert result.y_pred[result.groups == "eve"].tolist() == ["sit"] * 6
    assert result.folds["untrained_classes"].tolist() == ["", "", "walk"]
    named = r"LogisticRegression failed in the fold that holds out eve \(12 real and 0 virtual .*\): ValueError:.*class"
    with pytest.raises(FoldError, match=named) as info:
        predict_out_of_fold(LogisticRegression(), **data, cv=LeaveOneGroupOut())
    assert isinstance(info.value.__cause__, ValueError)


def test_an_error_in_another_process_names_the_subject_too():
    data = real_example()
    data["X"][0] = np.nan
    with pytest.raises(FoldError, match=r"holds out (ann|bob|eve) .*ValueError: Input X contains NaN"):
        predict_out_of_fold(LogisticRegression(), **data, cv=LeaveOneGroupOut(), n_jobs=2)


def test_predictions_of_another_number_name_the_fold():
    class Short(Reporter):
        def predict(self, X):
            return super().predict(X)[1:]

    with pytest.raises(FoldError, match=r"holds out ann .*The prediction must be one-dimensional with 6 values"):
        predict_out_of_fold(Short(), **real_example(), cv=LeaveOneGroupOut())


FITTED_USE = {
    "a classifier": (LogisticRegression(), (18, 18)),
    "scaler and classifier": (make_pipeline(StandardScaler(), LogisticRegression()), (18, 18)),
    "scaler before one that says": (make_pipeline(StandardScaler(), Says()), (18, 1)),
    "nothing to fit before one that says": (make_pipeline(FunctionTransformer(), "passthrough", Says()), (3, 1)),
    "the step that depends on most": (make_pipeline(Says(rows=2, labels=2), Says(rows=5, labels=0)), (5, 2)),
    "selection by labels": (make_pipeline(SelectKBest(k=1), Says(rows=0, labels=0)), (18, 18)),
    "clusters": (KMeans(2, n_init=1, random_state=0), (18, 0)),
    "a meta-estimator around one that says": (Meta(Says(rows=0, labels=0)), (0, 0)),
    "a meta-estimator around a classifier": (Meta(DecisionTreeClassifier()), (18, 18)),
    "a union": (FeatureUnion([("a", Says(rows=4)), ("b", FunctionTransformer()), ("c", "drop")]), (4, 1)),
    "columns": (ColumnTransformer([("a", Says(rows=4), [0]), ("b", "passthrough", [1])]), (4, 1)),
    "a search": (
        GridSearchCV(Pipeline([("tree", DecisionTreeClassifier())]), {"tree__max_depth": [1, 2]}, cv=2),
        (18, 18),
    ),
}


@pytest.mark.parametrize(("estimator", "expected"), FITTED_USE.values(), ids=FITTED_USE)
def test_real_data_used_is_that_of_the_step_that_depends_on_most(estimator, expected):
    data = real_example()
    assert real_data_used(clone(estimator).fit(data["X"], data["y"]), 18) == expected


def test_an_estimator_that_says_it_speaks_for_what_is_inside_it():
    data = real_example()
    fitted = Meta(DecisionTreeClassifier()).fit(data["X"], data["y"])
    fitted.real_rows_used_, fitted.real_labels_used_ = 7, 6
    assert real_data_used(make_pipeline(FunctionTransformer(), fitted), 18) == (7, 6)


def test_virtual_rows_are_no_real_data():
    model = make_pipeline(DomainShift(), StandardScaler(), DecisionTreeClassifier())
    folds = predict_out_of_fold(model, **example(), cv=RealSubjectsInTurn()).folds
    assert folds["real_rows_used"].tolist() == folds["real_labels_used"].tolist() == [12, 12, 12]


def test_the_summary_is_what_its_parts_say():
    data = noisy_example()
    result = predict_out_of_fold(DecisionTreeClassifier(random_state=0), **data, cv=GroupKFold(2))
    summary, scores = result.summary(n_resamples=200), result.per_subject()
    assert summary["macro_f1"] == result.macro_f1
    assert summary["macro_f1"] == pytest.approx(f1_score(data["y"], result.y_pred, average="macro"))
    assert summary["mean_over_subjects"] == pytest.approx(np.mean(scores))
    assert summary["sd_over_subjects"] == pytest.approx(np.std(scores, ddof=1))
    interval = bootstrap_interval((result.y_true, result.y_pred, result.groups), n_resamples=200)
    assert result.interval(n_resamples=200) == interval
    assert (summary["low"], summary["high"]) == (interval.low, interval.high)
    assert (summary["n_subjects"], summary["n_windows"]) == (5, 200)
    assert sorted(result.folds["real_rows_used"]) == [80, 120]
    assert summary["real_rows_used"] == summary["real_labels_used"] == 100


def test_one_tested_subject_has_a_score_and_no_spread():
    data = real_example()
    eve = data["groups"] == "eve"
    summary = predict_out_of_fold(DecisionTreeClassifier(), **data, cv=[(~eve, eve)]).summary()
    assert summary["macro_f1"] == summary["mean_over_subjects"] == 1
    assert np.isnan([summary[name] for name in ("low", "high", "sd_over_subjects")]).all()


def test_a_result_is_shown_in_one_line():
    forest = RandomForestClassifier(20, random_state=0)
    result = predict_out_of_fold(forest, **real_example(), cv=LeaveOneGroupOut(), return_estimators=True)
    assert repr(result) == "OutOfFold(18 windows of 3 subjects in 3 folds, 2 classes, macro_f1=1.000)"


def test_the_confusion_is_scikit_learns_with_names():
    data = noisy_example()
    result = predict_out_of_fold(DecisionTreeClassifier(random_state=0), **data, cv=LeaveOneGroupOut())
    assert result.confusion.index.tolist() == result.confusion.columns.tolist() == ["run", "sit", "walk"]
    np.testing.assert_array_equal(result.confusion, confusion_matrix(data["y"], result.y_pred))


def test_the_table_has_a_row_for_each_window():
    result = predict_out_of_fold(Reporter(), **example(), cv=RealSubjectsInTurn())
    table = result.to_frame()
    assert table.columns.tolist() == ["row", "subject", "fold", "y_true", "y_pred"]
    assert table.iloc[-1].tolist() == [25, "eve", 2, "walk", result.y_pred[-1]]
    assert len(table) == 18


def test_two_estimators_on_the_same_rows_are_compared_person_by_person():
    data = noisy_example()
    forest, constant = (
        predict_out_of_fold(model, **data, cv=LeaveOneGroupOut())
        for model in (RandomForestClassifier(10, random_state=0), Reporter())
    )
    paired = paired_difference(forest, constant)
    assert paired.difference == forest.macro_f1 - constant.macro_f1
    assert paired.interval.low > 0
    assert paired.share_gained == 1
    some = predict_out_of_fold(Reporter(), **data, cv=list(LeaveOneGroupOut().split(**data))[1:])
    with pytest.raises(DataFormatError, match="different rows"):
        paired_difference(forest, some)


def test_progress_is_silent_at_verbose_zero(capfd):
    predict_out_of_fold(Reporter(), **real_example(), cv=LeaveOneGroupOut())
    assert capfd.readouterr() == ("", "")
