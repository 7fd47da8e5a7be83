"""Transfer from other data sets: who trains, what is mapped to whom, which windows count."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from har_virtual.adaptation import RankDistributionMapper, SensorAligner
from har_virtual.evaluation.cross_dataset import TRANSFER_PROTOCOLS, transfer
from har_virtual.evaluation.experiment import evaluate
from har_virtual.evaluation.out_of_fold import predict_out_of_fold
from har_virtual.evaluation.protocols import PROTOCOLS
from har_virtual.exceptions import DataFormatError, DataWarning, FoldError, UnknownNameError
from har_virtual.features import ECDFFeatures
from har_virtual.model_selection import LeaveOneSubjectOut
from har_virtual.recording import Recording
from har_virtual.windows import WindowSet, segment_recordings

CHANNELS = tuple(f"left_wrist_acc_{axis}" for axis in "xyz")
SIZES = {"sit": 0.2, "walk": 1.0, "run": 2.0, "jump": 4.0}
LEVELS = {"sit": (9.8, 0, 0), "walk": (0, 9.8, 0), "run": (0, 0, 9.8), "jump": (0, -9.8, 0)}


def cut(
    dataset,
    labels=("sit", "walk", "run"),
    *,
    gain=1.0,
    levels=1.0,
    turn=None,
    seed=0,
    subjects="abc",
    domain="real",
    **change,
):
    """Windows of 10 samples: noise about a level, both the activity's."""
    rng = np.random.default_rng(seed)
    turn = np.eye(3) if turn is None else turn
    options = {"window_length_s": 1.0, "overlap": 0.5, **change}
    recordings = []
    for who in subjects:
        for label in labels:
            data = gain * (levels * np.array(LEVELS[label]) + SIZES[label] * rng.normal(size=(60, 3))) @ turn.T
            recordings.append(
                Recording(data, 10, CHANNELS, subject=who, session=label, labels=label, domain=domain, dataset=dataset)
            )
    return segment_recordings(recordings, **options)


def tree(**options) -> DecisionTreeClassifier:
    return DecisionTreeClassifier(random_state=0, **options)


TARGET = cut("kitchen", seed=1)
SOURCE = cut("street", seed=2, gain=0.4, subjects="defg")


def beside(target: WindowSet, source: WindowSet):
    """X, y, groups and domain of both, the source's windows as virtual ones."""
    X, y, groups = (np.concatenate([getattr(each, name) for each in (target, source)]) for name in ("X", "y", "groups"))
    return X, y, groups, np.repeat([0, 1], [len(target), len(source)])


@pytest.mark.parametrize("features", [None, ECDFFeatures(n_components=2)])
def test_without_mapping_all_of_the_source_trains_once_and_all_of_the_target_is_tested(features):
    result = transfer({"street": SOURCE}, TARGET, protocols="none", classifier=tree(), features=features)
    ecdf = ECDFFeatures(n_components=15) if features is None else features
    fitted = tree().fit(ecdf.fit_transform(SOURCE.X), SOURCE.y)
    np.testing.assert_array_equal(result["street", "none"].y_pred, fitted.predict(ecdf.transform(TARGET.X)))
    row = result.to_frame().iloc[0]
    assert (row["n_train"], row["n_test"], row["n_fits"]) == (len(SOURCE), len(TARGET), 1)
    assert (row["real_rows_used"], row["real_labels_used"]) == (0, 0)


@pytest.mark.parametrize("mapping", ["mapped", "aligned, mapped"])
def test_with_mapping_each_subject_is_tested_by_what_was_mapped_to_the_others(mapping):
    result = transfer({"street": SOURCE}, TARGET, protocols=mapping, classifier=tree())["street", mapping]
    X, y, groups, domain = beside(TARGET, SOURCE)
    plain = predict_out_of_fold(
        TRANSFER_PROTOCOLS[mapping].pipeline(tree(), channels=CHANNELS),
        X,
        y,
        cv=LeaveOneSubjectOut(),
        groups=groups,
        sample_domain=domain,
    )
    np.testing.assert_array_equal(result.y_pred, plain.y_pred)
    np.testing.assert_array_equal(result.rows, np.arange(len(TARGET)))
    assert result.folds["held_out"].tolist() == ["kitchen/a", "kitchen/b", "kitchen/c"]
    assert (result.folds["n_train_virtual"] == len(SOURCE)).all()
    labels = 0 if mapping == "mapped" else len(TARGET) * 2 // 3
    assert (result.folds["real_rows_used"] == len(TARGET) * 2 // 3).all()
    assert (result.folds["real_labels_used"] == labels).all()


def test_windows_of_the_target_never_train_the_classifier():
    swapped = {"sit": "run", "walk": "walk", "run": "sit"}
    nonsense = WindowSet(TARGET.X, [swapped[label] for label in TARGET.y], TARGET.metadata, CHANNELS, 10, TARGET.attrs)
    first, second = (
        transfer({"street": SOURCE}, target, protocols=["none", "mapped"], classifier=tree())
        for target in (TARGET, nonsense)
    )
    for mapping in ("none", "mapped"):
        np.testing.assert_array_equal(first["street", mapping].y_pred, second["street", mapping].y_pred)
    assert (first["target", "R2R"].y_pred != second["target", "R2R"].y_pred).any()


def test_mapping_takes_away_a_difference_in_scale():
    weak, target = (
        cut(name, levels=0, gain=gain, seed=seed) for name, gain, seed in (("street", 0.3, 5), ("kitchen", 1, 6))
    )
    table = transfer({"weak": weak}, target, protocols=["none", "mapped"]).table()
    assert table.loc["weak", "none"] < 0.6 < 0.8 < table.loc["weak", "mapped"]


def test_aligning_takes_away_a_difference_in_mounting():
    turned = cut("street", seed=2, subjects="defg", turn=np.array([[0, 1.0, 0], [0, 0, 1], [1, 0, 0]]))
    table = transfer({"turned": turned}, TARGET).table()
    assert table.loc["turned"].max() == table.loc["turned", "aligned, mapped"] == 1
    assert table.loc["turned", ["none", "mapped"]].max() < 0.5


def test_the_target_itself_comes_last_and_is_what_the_others_are_compared_with():
    result = transfer({"street": SOURCE}, TARGET, target_name="kitchen", classifier=tree())
    frame = result.to_frame()
    assert frame[["source", "domain", "mapping"]].to_numpy().tolist() == [
        ["street", "real", "none"],
        ["street", "real", "mapped"],
        ["street", "real", "aligned, mapped"],
        ["kitchen", "real", "R2R"],
    ]
    own = evaluate(TARGET, "R2R", classifier=tree())["R2R"]
    np.testing.assert_array_equal(result["kitchen", "R2R"].y_pred, own.y_pred)
    np.testing.assert_allclose(frame["difference"], frame["macro_f1"] - own.macro_f1)
    assert (frame["difference_low"] <= frame["difference"]).all()
    assert frame.iloc[-1]["n_train"] == len(TARGET) * 2 / 3
    table = result.table()
    assert table.columns.tolist() == ["none", "mapped", "aligned, mapped"]
    assert table.index.tolist() == ["street", "kitchen"]
    assert table.loc["kitchen"].isna().tolist() == [False, True, True]
    assert table.loc["kitchen", "none"] == own.macro_f1


def test_only_classes_that_all_have_are_kept_and_the_others_are_named():
    more = cut("kitchen", ("sit", "walk", "run", "jump"), seed=1)
    fewer = cut("gym", ("sit", "run"), seed=3, subjects="hi")
    result = transfer({"street": SOURCE, "gym": fewer}, more, protocols="none", target_name="kitchen")
    assert result.classes == ("run", "sit")
    assert result.dropped.to_numpy().tolist() == [
        ["street", "walk", 44],
        ["kitchen", "jump", 33],
        ["kitchen", "walk", 33],
    ]
    assert set(result["street", "none"].y_true) == {"run", "sit"}
    assert [len(each.rows) for each in result.results.values()] == [66, 66, 66]


def test_nothing_is_dropped_where_all_have_all_classes():
    assert transfer({"street": SOURCE}, TARGET, protocols="none", classifier=tree()).dropped.empty


def test_channels_in_another_order_are_the_same_channels():
    turned = SOURCE.select(CHANNELS[::-1])
    first, second = (
        transfer({"street": each}, TARGET, protocols="mapped", classifier=tree()) for each in (SOURCE, turned)
    )
    np.testing.assert_array_equal(first["street", "mapped"].y_pred, second["street", "mapped"].y_pred)


def test_windows_made_of_a_subject_are_left_out_when_that_subject_is_tested():
    films = cut("kitchen", seed=4, gain=0.7, domain="virtual")
    result = transfer({"films": films}, TARGET, protocols=["none", "mapped"], classifier=tree())
    X, y, groups, domain = beside(TARGET, films)
    plain = predict_out_of_fold(
        PROTOCOLS["V2R none"].pipeline(tree()), X, y, cv=LeaveOneSubjectOut(), groups=groups, sample_domain=domain
    )
    np.testing.assert_array_equal(result["films", "none"].y_pred, plain.y_pred)
    frame = result.to_frame()
    assert frame["domain"].tolist() == ["virtual", "virtual", "real"]
    assert frame["n_fits"].tolist() == [3, 3, 3]
    assert frame["n_train"].tolist() == [len(films) * 2 / 3] * 2 + [len(TARGET) * 2 / 3]


def test_with_tuning_every_column_has_a_subject_to_tune_on():
    result = transfer(
        {"street": SOURCE}, TARGET, protocols=["none", "mapped"], classifier=tree(), tune={"max_depth": (1, 4)}
    )
    for key in (("street", "none"), ("street", "mapped"), ("target", "R2R")):
        assert result[key].folds["validated"].tolist() == ["kitchen/b", "kitchen/c", "kitchen/a"]
    assert (result["street", "none"].folds["real_labels_used"] == len(TARGET) // 3).all()


@pytest.mark.parametrize(
    ("step", "parameter"),
    [
        ({"features": ECDFFeatures(n_components=0)}, "n_components"),
        ({"aligner": SensorAligner(channels=CHANNELS, n_resamples=0)}, "n_resamples"),
        ({"mapper": RankDistributionMapper(n_quantiles=1)}, "n_quantiles"),
    ],
)
def test_steps_that_are_given_are_those_that_are_fitted(step, parameter):
    with pytest.raises((FoldError, ValueError), match=f"'{parameter}' parameter"):
        transfer({"street": SOURCE}, TARGET, protocols="aligned, mapped", classifier=tree(), **step)


def test_the_default_is_a_seeded_forest():
    first = transfer({"street": SOURCE}, TARGET, protocols="none", random_state=3)
    forest = RandomForestClassifier(50, random_state=3)
    assert first.how["classifier"] == repr(forest)
    second = transfer({"street": SOURCE}, TARGET, protocols="none", classifier=forest)
    pd.testing.assert_frame_equal(first.to_frame(), second.to_frame())


def test_columns_stand_in_the_order_of_the_paper():
    result = transfer({"street": SOURCE}, TARGET, protocols=["mapped", "none"], classifier=tree())
    assert list(result.results) == [("street", "mapped"), ("street", "none"), ("target", "R2R")]
    assert result.table().columns.tolist() == ["none", "mapped"]
    alone = transfer({"street": SOURCE}, TARGET, protocols="mapped", classifier=tree()).table()
    assert alone.columns.tolist() == ["none", "mapped"]
    assert alone["none"].isna().tolist() == [True, False]


def test_names_with_commas_are_kept_apart():
    names = {"a": SOURCE, "a, aligned": cut("street", seed=7, gain=0.1, subjects="de")}
    result = transfer(names, TARGET, protocols=["mapped", "aligned, mapped"], classifier=tree())
    np.testing.assert_array_equal(result.to_frame()["macro_f1"], [each.macro_f1 for each in result.results.values()])


def test_how_it_was_done_names_each_mapping():
    how = transfer({"street": SOURCE}, TARGET, protocols="none", classifier=tree(), random_state=4).how
    assert list(how["protocols"]) == ["none", "R2R"]
    assert "V2R none" in how["protocols"]["none"]
    assert how["random_state"] == 4


def test_a_warning_names_the_source_and_points_at_the_caller():
    # One posture in all classes: nobody can tell how the sensor is turned.
    flat = cut("gym", seed=2, subjects="de", levels=0)
    with pytest.warns(DataWarning, match="^gym: .*left_wrist") as caught:
        transfer({"street": SOURCE, "gym": flat}, TARGET, protocols="aligned", classifier=tree())
    assert {entry.filename for entry in caught} == {__file__}
    assert all(str(entry.message).startswith("gym: ") for entry in caught)


def test_a_failure_names_the_source_and_the_cause():
    fails = DummyClassifier(strategy="constant", constant="jump")
    for mapping in ("none", "mapped"):
        with pytest.raises(FoldError, match=r"^street: .*constant target value") as caught:
            transfer({"street": SOURCE}, TARGET, protocols=mapping, classifier=fails)
        assert isinstance(caught.value.__cause__, ValueError)


def test_a_result_says_what_it_holds():
    result = transfer({"street": SOURCE}, TARGET, protocols="none", classifier=tree())
    assert repr(result).startswith("Transfer(to target, 3 classes; macro_f1 street, none: 0.")
    with pytest.raises(UnknownNameError, match=r"\('street', 'none'\), \('target', 'R2R'\)"):
        result["street", "mapped"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (SOURCE.select(CHANNELS[:2]), "street lacks .'left_wrist_acc_z'., and has .. besides"),
        (cut("street", subjects="d", sampling_rate_hz=5), "street have 5 samples at 5 Hz, .* 10 samples at 10 Hz"),
        (cut("street", subjects="d", sampling_rate_hz=5, window_length_s=2.0), "street have 10 samples at 5 Hz"),
        (cut("street", subjects="d", window_length_s=2.0), "street have 20 samples at 10 Hz"),
        (cut("street", ("jump",), subjects="d"), "0 are. street: jump; target: run, sit, walk.*relabel"),
        (cut("street", ("jump", "sit"), subjects="d"), "1 are"),
        (cut("kitchen", subjects="cd"), "street has real windows of subjects who are tested in target, kitchen/c"),
        (WindowSet(SOURCE.X, None, SOURCE.metadata, CHANNELS, 10), "street: a WindowSet with windows and labels"),
        (SOURCE[:0], "street: a WindowSet with windows and labels"),
        (SOURCE.X, "street: a WindowSet with windows and labels"),
    ],
)
def test_a_source_that_does_not_fit_is_refused(source, message):
    with pytest.raises(DataFormatError, match=message):
        transfer({"street": source}, TARGET)


def test_a_target_that_does_not_fit_is_refused():
    with pytest.raises(DataFormatError, match="target has 99 virtual windows, and real ones are tested"):
        transfer({"street": SOURCE}, cut("kitchen", domain="virtual"))
    with pytest.raises(DataFormatError, match="2 subjects need real rows"):
        transfer({"street": SOURCE}, cut("kitchen", subjects="a"), protocols="none")


def test_names_that_do_not_fit_are_refused():
    with pytest.raises(DataFormatError, match="names other than 'target' are needed"):
        transfer({}, TARGET)
    with pytest.raises(DataFormatError, match="names other than 'street' are needed"):
        transfer({"street": SOURCE}, TARGET, target_name="street")
    for wrong in ("V2R mapped", [], ["none", "unmapped"]):
        with pytest.raises(UnknownNameError, match="protocols must be some of 'none', 'mapped'"):
            transfer({"street": SOURCE}, TARGET, protocols=wrong)
