"""Windows: how many, which samples, which label, whose, and what happens at holes and at other rates."""

from __future__ import annotations

import logging
from collections import Counter

import numpy as np
import pytest
from sklearn.model_selection import LeaveOneGroupOut

from har_virtual.exceptions import DataFormatError, DataWarning, SamplingRateWarning, UnknownNameError
from har_virtual.recording import Recording, RecordingSet
from har_virtual.windows import segment_recordings

WRIST = tuple(f"left_wrist_acc_{axis}" for axis in "xyz")


def ramp(n_samples=100, rate_hz=50.0, **fields) -> Recording:
    """Channels that count their samples, each from a different number."""
    values = np.arange(n_samples)[:, None] + [0, 1000, 2000]
    return Recording(values, rate_hz, WRIST, **fields)


def labelled(*labels, **fields) -> Recording:
    """A recording at 4 Hz with one sample a label, so that a second is a window of four samples."""
    return ramp(len(labels), 4.0, labels=np.array(labels, dtype=object), **fields)


def sine(frequency_hz, rate_hz, duration_s, **fields) -> Recording:
    times_s = np.arange(round(duration_s * rate_hz)) / rate_hz
    return Recording(np.sin(2 * np.pi * frequency_hz * times_s)[:, None], rate_hz, WRIST[:1], **fields)


@pytest.mark.parametrize(
    ("overlap", "starts"),
    [(0, [0, 50]), (0.5, [0, 25, 50]), (0.9, range(0, 51, 5)), (0.999, range(51))],
)
def test_windows_hold_exactly_the_samples_at_each_step(overlap, starts):
    stream = ramp(100)
    windows = segment_recordings([stream], 1.0, overlap)
    assert windows.X.shape == (len(starts), 50, 3)
    for window, start in zip(windows.X, starts, strict=True):
        np.testing.assert_array_equal(window, stream.data[start : start + 50])


def test_the_end_that_fills_no_window_is_left_out():
    assert len(segment_recordings([ramp(99)], 1.0, 0)) == 1
    assert len(segment_recordings([ramp(100)], 1.0, 0)) == 2


def test_window_length_is_rounded_to_samples():
    windows = segment_recordings([ramp(100, 29.97)], 1.0, 0.5)
    assert windows.X.shape[1] == 30
    assert windows.attrs["window_length_s"] == pytest.approx(30 / 29.97)
    assert windows.attrs["window_step_s"] == pytest.approx(15 / 29.97)


def test_times_are_half_open_on_the_clock_of_the_session():
    windows = segment_recordings([ramp(100, start_s=7.0), ramp(50, start_s=0.5)], 1.0, 0)
    assert windows.metadata["start_s"].tolist() == [7.0, 8.0, 0.5]
    assert windows.metadata["stop_s"].tolist() == [8.0, 9.0, 1.5]


def test_no_window_crosses_from_one_recording_to_the_next():
    streams = [Recording(np.full((37, 3), float(i)), 10, WRIST) for i in range(4)]
    windows = segment_recordings(streams, 1.0, 0.7)
    assert np.ptp(windows.X, axis=(1, 2)).max() == 0
    np.testing.assert_array_equal(windows.X[:, 0, 0], windows.metadata["recording"])
    assert windows.metadata["recording"].value_counts().tolist() == [10] * 4


def test_recordings_shorter_than_a_window_give_none_and_are_counted():
    empty = Recording(np.empty((0, 3)), 50, WRIST)
    windows = segment_recordings([ramp(49), empty, ramp(50)], 1.0)
    assert windows.metadata["recording"].tolist() == [2]
    assert windows.attrs["too_short"] == 2


@pytest.mark.parametrize(
    ("labels", "majority", "last", "mixed"),
    [
        ("aaaa", "a", "a", False),
        ("aaab", "a", "b", True),
        ("abbb", "b", "b", True),
        ("aabb", "b", "b", True),
        ("abba", "a", "a", True),
        ("aabc", "a", "c", True),
    ],
)
def test_label_rules_on_four_samples(labels, majority, last, mixed):
    pure = labelled(*"zzzz")
    streams = [labelled(*labels), pure]
    assert segment_recordings(streams, 1.0).y.tolist() == [majority, "z"]
    assert segment_recordings(streams, 1.0, label_rule="last").y.tolist() == [last, "z"]
    dropped = segment_recordings(streams, 1.0, label_rule="drop-mixed")
    assert dropped.y.tolist() == (["z"] if mixed else [labels[0], "z"])
    assert dropped.attrs["dropped_mixed"] == int(mixed)


@pytest.mark.parametrize(
    ("labels", "center"), [("aabb", "b"), ("abbb", "b"), ("aaab", "a"), ("abcd", "c"), ("aab", "a")]
)
def test_the_label_of_the_center_is_that_of_the_middle_sample_of_two_the_later(labels, center):
    windows = segment_recordings([labelled(*labels)], len(labels) / 4, label_rule="center")
    assert windows.y.tolist() == [center]


def test_a_window_whose_center_has_no_label_is_dropped_and_tracks_follow_the_center():
    streams = [labelled("a", "a", None, "a"), labelled("a", "b", "c", "c")]
    streams = [each.replace(annotations={"set": np.array([1.0, 2.0, 3.0, 4.0])}) for each in streams]
    windows = segment_recordings(streams, 1.0, label_rule="center", tracks=["set"])
    assert (windows.y.tolist(), windows.metadata["set"].tolist()) == (["c"], [3.0])
    assert (windows.attrs["dropped_unlabelled"], windows.attrs["dropped_mixed"]) == (1, 0)


@pytest.mark.parametrize("missing", [None, np.nan])
def test_a_missing_label_counts_as_a_label_of_its_own(missing):
    streams = [labelled(missing, missing, missing, "a"), labelled(*"aaaa")]
    majority = segment_recordings(streams, 1.0)
    assert (majority.y.tolist(), majority.attrs["dropped_unlabelled"]) == (["a"], 1)
    assert segment_recordings(streams, 1.0, label_rule="last").y.tolist() == ["a", "a"]
    pure = segment_recordings(streams, 1.0, label_rule="drop-mixed")
    assert (len(pure), pure.attrs["dropped_mixed"], pure.attrs["dropped_unlabelled"]) == (1, 1, 0)


def test_majority_agrees_with_counting_by_hand():
    labels = np.random.default_rng(0).integers(0, 4, 400)
    windows = segment_recordings([ramp(400, 10, labels=labels)], 1.2, 0.75)
    for label, start in zip(windows.y, windows.X[:, 0, 0].astype(int), strict=True):
        inside = labels[start : start + 12].tolist()
        most = max(Counter(inside).values())
        assert label == next(x for x in reversed(inside) if inside.count(x) == most)


def test_one_label_a_recording_goes_to_all_of_its_windows():
    windows = segment_recordings([ramp(labels=3), ramp(50, labels=7)], 1.0, 0)
    assert windows.y.tolist() == [3, 3, 7]
    assert windows.y.dtype.kind == "i"


def test_null_classes_are_dropped_and_counted():
    streams = [labelled(*"aaaa"), labelled(*"0000"), labelled(*"bbbb")]
    windows = segment_recordings(streams, 1.0, drop_labels=["0", "other"])
    assert (windows.y.tolist(), windows.attrs["dropped_label"]) == (["a", "b"], 1)
    assert segment_recordings(streams, 1.0, drop_labels="0").y.tolist() == ["a", "b"]
    numbers = [ramp(4, 4, labels=0.0), ramp(4, 4, labels=1.0)]
    assert segment_recordings(numbers, 1.0, drop_labels=[0]).y.tolist() == [1.0]


def test_without_any_label_y_is_none():
    windows = segment_recordings([ramp(), ramp()], 1.0)
    assert windows.y is None
    assert windows.attrs["dropped_unlabelled"] == 0


def test_windows_of_an_unlabelled_recording_go_if_others_are_labelled():
    windows = segment_recordings([ramp(labels="walk"), ramp()], 1.0, 0)
    assert windows.y.tolist() == ["walk", "walk"]
    assert windows.attrs["dropped_unlabelled"] == 2


def test_an_annotation_can_give_the_label():
    stream = labelled(*"aaaa", annotations={"posture": np.array([1, 1, 1, 2])})
    assert segment_recordings([stream], 1.0, label="posture").y.tolist() == [1]
    with pytest.raises(UnknownNameError, match="no annotation 'gesture'; it has posture"):
        segment_recordings([stream], 1.0, label="gesture")


def test_tracks_are_carried_along_and_drop_nothing():
    speed = np.array(["slow", "slow", None, "fast"], dtype=object)
    streams = [labelled(*"aaaa", annotations={"speed": speed}), labelled(*"bbbb")]
    windows = segment_recordings(streams, 1.0, tracks=["speed"])
    assert windows.y.tolist() == ["a", "b"]
    assert windows.metadata["speed"][0] == "slow"
    assert windows.metadata["speed"].isna().tolist() == [False, True]
    with pytest.raises(UnknownNameError, match=r"No recording has annotations \['pace'\]; there are speed"):
        segment_recordings(streams, 1.0, tracks=["pace"])


def test_a_track_may_not_replace_a_column_of_the_metadata():
    with pytest.raises(DataFormatError, match=r"'domain'.*rename"):
        segment_recordings([labelled(*"aaaa", annotations={"domain": np.arange(4)})], 1.0, tracks=["domain"])


def test_groups_are_subjects_unique_over_data_sets():
    streams = [ramp(50, subject="1", dataset=name, session="s") for name in ("pamap2", "mhealth")] + [ramp(50)]
    windows = segment_recordings(streams, 1.0)
    assert windows.groups.tolist() == ["pamap2/1", "mhealth/1", "unknown"]
    assert windows.metadata["session"].tolist()[:2] == ["s", "s"]
    assert windows.metadata["dataset"].isna().tolist() == [False, False, True]


def test_a_split_by_group_shares_no_sample_between_training_and_test():
    streams = [ramp(120, subject=str(i % 3), session=str(i)) for i in range(6)]
    windows = segment_recordings(streams, 1.0, 0.8)
    samples = [
        {(row.recording, s) for s in range(round(row.start_s * 50), round(row.stop_s * 50))}
        for row in windows.metadata.itertuples()
    ]
    folds = list(LeaveOneGroupOut().split(windows.X, groups=windows.groups))
    assert len(folds) == 3
    for train, test in folds:
        assert not set.union(*(samples[i] for i in train)) & set.union(*(samples[i] for i in test))


@pytest.mark.parametrize(("n_missing", "n_dropped"), [(3, 0), (4, 1)])
def test_holes_of_a_tenth_of_a_second_are_bridged_and_longer_ones_are_not(n_missing, n_dropped):
    values = ramp(90, 30).data.copy()
    values[40 : 40 + n_missing] = np.nan
    windows = segment_recordings([Recording(values, 30, WRIST)], 1.0, 0)
    assert windows.attrs["dropped_nan"] == n_dropped
    assert windows.metadata["start_s"].tolist() == ([0.0, 1.0, 2.0] if not n_dropped else [0.0, 2.0])
    if not n_dropped:
        np.testing.assert_allclose(windows.X[1], ramp(90, 30).data[30:60], rtol=1e-6)


def test_no_hole_is_bridged_where_none_may_be():
    values = ramp(90, 30).data.copy()
    values[45, 1] = np.nan
    windows = segment_recordings([Recording(values, 30, WRIST)], 1.0, 0, max_gap_s=0)
    assert windows.metadata["start_s"].tolist() == [0.0, 2.0]
    with pytest.raises(DataFormatError, match="max_gap_s must be 0 or more, not -1"):
        segment_recordings([Recording(values, 30, WRIST)], 1.0, 0, max_gap_s=-1)


@pytest.mark.parametrize("row", [0, 29, 30, 59])
def test_a_hole_costs_the_window_that_holds_it_and_no_other(row):
    values = ramp(90, 30).data.copy()
    values[row, 2] = np.nan
    windows = segment_recordings([Recording(values, 30, WRIST)], 1.0, 0, max_gap_s=0)
    assert windows.metadata["start_s"].tolist() == [start for start in (0, 1, 2) if start != row // 30]


@pytest.mark.parametrize("rate_hz", [30.0, 50.0, 20.0])
def test_exactly_the_windows_that_reach_into_a_long_hole_are_dropped_at_any_rate(rate_hz):
    values = ramp(500, 50).data.copy()
    values[200:211, 1] = np.nan
    holed, whole = (
        segment_recordings([Recording(data, 50, WRIST)], 0.2, 0.5, sampling_rate_hz=rate_hz)
        for data in (values, ramp(500, 50).data)
    )
    start_s = whole.metadata["start_s"].to_numpy()
    times_s = start_s[:, None] + np.arange(whole.X.shape[1]) / rate_hz
    # The last sample before the hole is at 3.98 s, the first after it at 4.22 s.
    reaches = np.any((times_s > 3.98 + 1e-6) & (times_s < 4.22 - 1e-6), axis=1)
    assert 3 <= reaches.sum() == holed.attrs["dropped_nan"] <= 5
    assert holed.metadata["start_s"].tolist() == start_s[~reaches].tolist()


def test_resampling_keeps_a_slow_sine():
    windows = segment_recordings([sine(1.0, 100, 10)], 1.0, 0, sampling_rate_hz=30)
    times_s = np.arange(30) / 30
    inner = windows.X[2:8, :, 0]
    np.testing.assert_allclose(inner, np.tile(np.sin(2 * np.pi * times_s), (6, 1)), atol=2e-3)


def test_resampling_removes_what_would_come_back_as_an_alias():
    windows = segment_recordings([sine(18.0, 100, 10)], 1.0, 0, sampling_rate_hz=20)
    assert np.abs(windows.X[2:8]).max() < 0.01


def test_labels_are_those_of_the_nearest_sample_after_resampling():
    stream = ramp(10, 10, labels=np.arange(10), annotations={"twice": 2 * np.arange(10)})
    windows = segment_recordings([stream], 0.25, 0, sampling_rate_hz=4, tracks=["twice"])
    assert windows.X.shape == (4, 1, 3)
    assert windows.y.tolist() == [0, 3, 5, 8]
    assert windows.metadata["twice"].tolist() == [0, 6, 10, 16]


def test_different_rates_need_a_decision():
    streams = [ramp(100, 50), ramp(100, 30), ramp(100, 50)]
    with pytest.raises(DataFormatError, match=r"30 Hz \(1\), 50 Hz \(2\).*sampling_rate_hz, such as 30"):
        segment_recordings(streams, 1.0)
    assert {window.shape for window in segment_recordings(streams, 1.0, sampling_rate_hz=30).X} == {(30, 3)}


def test_devices_of_one_session_with_rates_of_their_own_are_to_be_joined_first():
    watch, phone = ramp(100, 50, session="1"), ramp(100, 30, session="1")
    phone = phone.replace(channels=[channel.replace("wrist", "thigh") for channel in phone.channels])
    with pytest.raises(DataFormatError, match=r"such as 30\. Join the devices of each session.*join_sessions"):
        segment_recordings([watch, phone], 1.0)
    with pytest.raises(DataFormatError, match=r"such as 30\.$"):
        segment_recordings([watch, phone.replace(session="2")], 1.0)


def test_rates_that_differ_by_rounding_are_the_same():
    stream = ramp(100, 50)
    windows = segment_recordings([stream, ramp(100, 50 * (1 + 1e-12))], 2.0, 0)
    np.testing.assert_array_equal(windows.X[1], stream.data)


def test_a_rate_that_a_recording_cannot_fill_is_warned_of():
    with pytest.warns(SamplingRateWarning, match="1 of 2 recordings.*lowest 25 Hz: above 12.5 Hz"):
        segment_recordings([ramp(100, 25), ramp(100, 50)], 1.0, sampling_rate_hz=50)


def test_channels_default_to_those_that_all_share_in_the_order_of_the_first_real_recording(caplog):
    x, y, z = WRIST
    virtual = Recording(np.tile([1.0, 2.0, 3.0], (50, 1)), 50, (z, y, x), domain="virtual")
    real = Recording(np.tile([7.0, 9.0, 8.0], (50, 1)), 50, (x, "head_gyr_x", y))
    with caplog.at_level(logging.INFO, logger="har_virtual.windows"):
        windows = segment_recordings([virtual, real], 1.0)
    assert windows.channels == (x, y)
    np.testing.assert_array_equal(windows.X[:, 0], [[3, 2], [7, 8]])
    assert f"channels: {x}, {y} (all recordings have them); left out: head_gyr_x, {z}" in caplog.text


def test_the_log_says_how_many_windows_went_and_why(caplog):
    with caplog.at_level(logging.INFO, logger="har_virtual.windows"):
        segment_recordings([ramp(labels="a"), ramp()], 1.0, 0)
    assert "2 windows of 2 recordings (dropped_nan: 0, dropped_mixed: 0, dropped_unlabelled: 2" in caplog.text


def test_without_a_common_channel_the_error_lists_what_each_kind_has():
    ankle = Recording(np.zeros((50, 1)), 50, ["left_ankle_acc_x"], subject="9")
    with pytest.raises(DataFormatError, match=r"No channel is common.*left_wrist_acc_x.*Recording 9.*left_ankle_acc_x"):
        segment_recordings([ramp(), ankle], 1.0)


def test_channels_can_be_chosen_and_must_exist():
    windows = segment_recordings([ramp()], 1.0, channels=WRIST[:0:-1])
    np.testing.assert_array_equal(windows.X[0, 0], [2000, 1000])
    with pytest.raises(UnknownNameError, match="Recording 5 has no channel"):
        segment_recordings([ramp(subject="5")], 1.0, channels=["waist_acc_x"])


def test_real_and_virtual_recordings_of_different_rates_make_one_set():
    real = RecordingSet(
        ramp(200, 50, subject=name, dataset="pamap2", labels=label) for name in "12" for label in ("walk", "run")
    )
    virtual = [ramp(90, 30, subject="video:0123abcd/1", domain="virtual", labels="walk")]
    windows = segment_recordings(real + virtual, window_length_s=1.0, overlap=0.5, sampling_rate_hz=30)
    assert windows.X.shape == (4 * 7 + 5, 30, 3)
    assert windows.X.dtype == np.float32
    assert windows.sample_domain.tolist() == [0] * 28 + [1] * 5
    assert windows.metadata["domain"].tolist() == ["real"] * 28 + ["virtual"] * 5
    assert windows.groups.tolist() == ["pamap2/1"] * 14 + ["pamap2/2"] * 14 + ["video:0123abcd/1"] * 5
    assert windows.y.tolist() == (["walk"] * 7 + ["run"] * 7) * 2 + ["walk"] * 5
    assert not np.isnan(windows.X).any()
    assert windows.sampling_rate_hz == 30


def test_labels_of_different_kinds_are_refused():
    with pytest.raises(DataFormatError, match="Labels must be all text, all numbers"):
        segment_recordings([ramp(labels="walk"), ramp(labels=4)], 1.0)


def test_nothing_left_is_an_error_that_says_why():
    with pytest.raises(
        DataFormatError, match=r"No window of 3 s is left of 2 recordings.*too_short: 2.*longest has 2 s"
    ):
        segment_recordings([ramp(), ramp()], 3.0)
    with pytest.raises(DataFormatError, match="dropped_nan: 3"):
        segment_recordings([Recording(np.full((100, 3), np.nan), 50, WRIST)], 1.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"overlap": 1.0}, r"^overlap must be in \[0, 1\)"),
        ({"overlap": -0.1}, r"overlap must be in \[0, 1\)"),
        ({"label_rule": "first"}, "label_rule must be one of.*'first'"),
        ({"window_length_s": 0}, "window_length_s must be a finite number above 0"),
        ({"window_length_s": 0.001}, "no sample at 50 Hz"),
        ({"sampling_rate_hz": -5}, "sampling_rate_hz must be a finite number above 0"),
        ({"recordings": []}, "No recordings were given"),
        ({"recordings": [np.zeros((9, 3))]}, "not ndarray"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(DataFormatError, match=message):
        segment_recordings(**{"recordings": [ramp()], "window_length_s": 1.0} | arguments)


@pytest.mark.parametrize(("real", "virtual"), [("mine", None), (None, "mine")])
def test_a_namesake_without_a_data_set_is_doubtful(real, virtual):
    names = [f"waist_acc_{axis}" for axis in "xyz"]
    streams = [
        Recording(np.ones((100, 3)), 50, names, subject="1", domain=domain, dataset=dataset)
        for domain, dataset in (("real", real), ("virtual", virtual))
    ]
    with pytest.warns(DataWarning, match="If they are one person, give both the same dataset"):
        segment_recordings(streams, 1.0)
    for dataset in ("mine", "other"):
        segment_recordings([stream.replace(dataset=dataset) for stream in streams], 1.0)
        segment_recordings([streams[0].replace(dataset="mine"), streams[1].replace(dataset=dataset)], 1.0)


def test_one_channel_may_be_named_as_it_is():
    stream = Recording(np.ones((100, 2)), 50, ["waist_acc_x", "heart_rate"])
    assert segment_recordings([stream], 1.0, channels="heart_rate").channels == ("heart_rate",)


def test_copies_of_motions_are_known_by_what_augment_motions_notes_joined_or_not():
    made = {"augmentation": {"source": "abc", "tempo": 1.1}}
    alone, joined = ramp(attrs=made), ramp(attrs={"joined": [{}, made]})
    strange = [ramp(attrs=attrs) for attrs in ({"augmentation": "none"}, {"augmentation": {"tempo": 2.0}}, {})]
    found = segment_recordings([alone, joined, *strange], 1.0).metadata.drop_duplicates("recording")["copy_of"]
    assert found.iloc[:2].tolist() == ["abc", "abc"] and found.iloc[2:].isna().all()
    assert "copy_of" not in segment_recordings(strange, 1.0).metadata
    with pytest.raises(DataFormatError, match="copy_of"):
        segment_recordings([ramp(annotations={"copy_of": np.full(100, "a")})], 1.0, tracks=["copy_of"])
