"""Hours, windows, people and yield of each class, against counts by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from har_virtual.evaluation.amounts import describe_amounts
from har_virtual.exceptions import DataFormatError, UnknownNameError
from har_virtual.recording import Recording
from har_virtual.windows import WindowSet, assume_rate, resample_recording, segment_recordings

RATE_HZ = 10.0


def stream(n_samples, labels="walk", subject="1", holes=(), **fields) -> Recording:
    data = np.ones((n_samples, 1))
    data[list(holes)] = np.nan
    return Recording(data, RATE_HZ, ["waist_acc_x"], subject=subject, labels=labels, **fields)


def cut(recordings, **options):
    return segment_recordings(recordings, window_length_s=2.0, overlap=0.5, max_gap_s=0, **options)


def seconds(table: pd.DataFrame, column: str) -> list[float]:
    return (table[column] * 3600).round(6).tolist()


def test_windows_people_and_covered_time_are_counted_by_domain_and_class():
    recordings = [
        stream(45, "walk", "1"),
        stream(40, "walk", "2"),
        stream(20, "sit", "2"),
        stream(60, "walk", "video:1f/0", domain="virtual"),
    ]
    table = describe_amounts(cut(recordings))
    assert table.index.tolist() == [
        ("real", "sit"),
        ("real", "walk"),
        ("real", "all"),
        ("virtual", "walk"),
        ("virtual", "all"),
    ]
    assert table["windows"].tolist() == [1, 6, 7, 5, 5]
    assert table["subjects"].tolist() == [1, 2, 2, 1, 1]
    assert seconds(table, "hours_in_windows") == [2, 8, 10, 6, 6]
    assert table.columns.tolist() == ["windows", "subjects", "hours_in_windows"]


def test_windows_apart_cover_no_time_between_them():
    windows = segment_recordings([stream(100)], window_length_s=1.0, overlap=0)
    assert seconds(describe_amounts(windows[[0, 5, 9]]), "hours_in_windows") == [3, 3]


def test_numbers_as_labels_come_in_their_order():
    table = describe_amounts(cut([stream(20, 10), stream(20, 9), stream(20, 2)]))
    assert table.index.get_level_values("label").tolist() == [2, 9, 10, "all"]


def test_numbers_as_labels_come_in_their_order_beside_what_was_recorded():
    recordings = [stream(20, 10), stream(20, 9), stream(15, 2), stream(20, 9, domain="virtual")]
    table = describe_amounts(cut(recordings), recordings)
    assert table.index.tolist() == [*(("real", each) for each in (2, 9, 10, "all")), ("virtual", 9), ("virtual", "all")]
    assert seconds(table, "hours_recorded") == [1.5, 2, 2, 5.5, 2, 2]


def test_a_class_called_all_stands_before_the_sum_of_all_classes():
    recordings = [stream(40, "all"), stream(30, "walk"), stream(20, "all", domain="virtual")]
    table = describe_amounts(cut(recordings), recordings)
    assert table.index.tolist() == [
        *(("real", label) for label in ("all", "walk", "all")),
        *(("virtual", label) for label in ("all", "all")),
    ]
    assert table["windows"].tolist() == [3, 2, 5, 1, 1]
    assert seconds(table, "hours_recorded") == [4, 3, 7, 2, 2]
    np.testing.assert_allclose(table["yield"], 1)


def test_people_of_windows_that_were_put_together_do_not_share_their_time():
    windows = cut([stream(40, subject="1"), stream(40, subject="2")])
    again = windows.metadata.assign(recording=0)
    apart = describe_amounts(WindowSet(windows.X, windows.y, again, windows.channels, RATE_HZ))
    assert seconds(apart, "hours_in_windows") == [8, 8]


def test_windows_need_not_be_in_the_order_of_time():
    windows = cut([stream(60)])
    assert seconds(describe_amounts(windows[[3, 0, 1, 4]]), "hours_in_windows") == [6, 6]


def test_without_windows_there_is_what_was_recorded():
    recordings = [stream(40)]
    table = describe_amounts(cut(recordings)[:0], recordings)
    assert table["windows"].tolist() == [0, 0]
    assert seconds(table, "hours_recorded") == [4, 4]
    assert describe_amounts(cut(recordings)[:0], []).empty


def test_without_labels_there_is_one_row_a_domain():
    recordings = [stream(45, None), stream(40, None, domain="virtual")]
    table = describe_amounts(cut(recordings), recordings)
    assert table.index.tolist() == [("real", "all"), ("virtual", "all")]
    assert seconds(table, "hours_recorded") == [4.5, 4]
    np.testing.assert_allclose(table["yield"], [40 / 45, 1])


def test_yield_is_the_share_of_what_has_no_hole():
    # A hole at 2.0 to 2.2 s: windows at 0 and 3 s stay of those at 0, 1, 2 and 3 s; 5.0 to 5.5 s are in none.
    recordings = [stream(55, holes=[20, 21])]
    table = describe_amounts(cut(recordings), recordings).loc[("real", "walk")]
    assert table["windows"] == 2
    np.testing.assert_allclose(table[["hours_recorded", "hours_whole"]] * 3600, [5.5, 5.3])
    assert table["yield"] == pytest.approx(40 / 53)


def test_a_hole_that_was_bridged_is_still_no_yield():
    recordings = [stream(40, holes=[20])]
    table = describe_amounts(segment_recordings(recordings, 2.0, max_gap_s=0.5), recordings)
    assert table["windows"].tolist() == [3, 3]
    np.testing.assert_allclose(table["yield"], 1)


def test_a_clock_that_starts_anywhere_changes_no_yield():
    recordings = [stream(40, start_s=start_s) for start_s in (0.7, 1234.1, -3.3)]
    np.testing.assert_allclose(describe_amounts(cut(recordings), recordings)["yield"], 1)


def test_a_window_of_two_classes_counts_for_the_one_that_it_was_given():
    # Windows at 0, 1 and 2 s; the middle one has 15 samples of sitting and 5 of walking.
    recordings = [stream(40, ["sit"] * 25 + ["walk"] * 15)]
    table = describe_amounts(cut(recordings), recordings)
    assert table["windows"].tolist() == [2, 1, 3]
    assert seconds(table, "hours_in_windows") == [3, 2, 4]
    np.testing.assert_allclose(table["yield"], [1, 1, 1])
    mixed = describe_amounts(cut(recordings, label_rule="drop-mixed"), recordings)
    np.testing.assert_allclose(mixed["yield"], [20 / 25, 0, 20 / 40])


def test_a_class_without_windows_has_a_row_with_a_yield_of_nothing():
    recordings = [stream(40, "walk"), stream(15, "jump")]
    table = describe_amounts(cut(recordings), recordings)
    assert table.loc[("real", "jump"), ["windows", "subjects", "hours_in_windows", "yield"]].tolist() == [0, 0, 0, 0]
    assert table.loc[("real", "all"), "yield"] == pytest.approx(40 / 55)


def test_resampling_changes_no_yield():
    recordings = [stream(401)]
    table = describe_amounts(cut(recordings, sampling_rate_hz=7.5), recordings)
    assert table.loc[("real", "walk"), "yield"] == pytest.approx(1, abs=0.03)


def test_unlabelled_time_is_nobodys():
    recordings = [stream(60, ["walk"] * 20 + [None] * 40)]
    table = describe_amounts(cut(recordings), recordings)
    assert seconds(table, "hours_recorded") == [2, 2]
    np.testing.assert_allclose(table["yield"], 1)


def test_an_annotation_can_have_given_the_labels():
    recordings = [stream(40, None, annotations={"room": np.array(["hall"] * 40)})]
    table = describe_amounts(cut(recordings, label="room"), recordings, label="room")
    assert table.loc[("real", "hall"), ["windows", "yield"]].tolist() == [3, 1]


def test_virtual_hours_are_held_against_the_video():
    seen = [
        stream(40, "walk", domain="virtual", attrs={"clip_s": [10.0, 18.0]}),
        stream(40, "run", domain="virtual", attrs={"clip_s": [0.0, None]}),
    ]
    recordings = [*seen, stream(40, attrs={"clip_s": [0.0, 9.0]})]
    table = describe_amounts(cut(recordings), recordings)
    assert table.loc[("virtual", "walk"), "yield_of_video"] == pytest.approx(0.5)
    assert table.loc[("virtual", "walk"), "hours_of_video"] * 3600 == pytest.approx(8)
    unknown = [("virtual", "run"), ("virtual", "all"), ("real", "walk")]
    assert table.loc[unknown, ["hours_of_video", "yield_of_video"]].isna().all(axis=None)


def test_the_frames_of_a_clip_tell_its_length_better_than_the_times_asked_for():
    seen = [
        stream(45, domain="virtual", attrs={"clip_s": [3.0, stop_s], "clip_length_s": 5.0}) for stop_s in (60, None)
    ]
    table = describe_amounts(cut(seen), seen)
    assert seconds(table, "hours_of_video") == [10, 10]
    np.testing.assert_allclose(table["yield_of_video"], 0.8)


def test_classes_of_one_recording_share_its_clip():
    seen = [stream(40, ["sit"] * 10 + ["walk"] * 30, domain="virtual", attrs={"clip_length_s": 8.0})]
    table = describe_amounts(cut(seen), seen)
    assert seconds(table, "hours_of_video") == [2, 6, 8]


def test_an_assumed_rate_stretches_the_video_too():
    called = assume_rate([stream(40, domain="virtual", attrs={"clip_s": [0.0, 8.0]})], 5.0)
    table = describe_amounts(cut(called), called)
    faster = [resample_recording(called[0], 20.0)]
    again = describe_amounts(cut(faster), faster)
    assert again["hours_of_video"].tolist() == table["hours_of_video"].tolist()
    assert table.loc[("virtual", "walk"), "hours_of_video"] * 3600 == pytest.approx(16)
    assert table.loc[("virtual", "walk"), "yield_of_video"] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("others", "message"),
    [
        ([stream(40, subject="2"), stream(40, subject="1")], "Recording 0 is of subject 2, a window of it of 1"),
        ([stream(40, domain="virtual"), stream(40, subject="2")], "Recording 0 is of domain virtual"),
        ([stream(40)], "Windows are of recording 1, but there are 1"),
        ([stream(30), stream(40, subject="2")], "from 2 to 4 s, its recording 0 from 0 to 3 s"),
        ([stream(38), stream(40, subject="2")], "from 2 to 4 s, its recording 0 from 0 to 3.8 s"),
        ([stream(40, start_s=0.5), stream(40, subject="2")], "from 0 to 2 s, its recording 0 from 0.5 to 4.5 s"),
    ],
)
def test_recordings_that_are_not_those_of_the_windows_are_refused(others, message):
    windows = cut([stream(40), stream(40, subject="2")])
    with pytest.raises(DataFormatError, match=f"{message}.*Give those that segment_recordings was given"):
        describe_amounts(windows, others)


def test_recordings_called_by_another_rate_are_not_those_of_the_windows():
    recordings = [stream(90)]
    with pytest.raises(DataFormatError, match="Give those that segment_recordings was given"):
        describe_amounts(cut(assume_rate(recordings, 5.0)), recordings)


def test_labels_that_no_recording_has_are_refused():
    recordings = [stream(40, "walk", annotations={"room": np.array(["hall"] * 40)})]
    with pytest.raises(
        DataFormatError, match=r"of class 'hall', which no recording has; the recordings have 'walk'.*label="
    ):
        describe_amounts(cut(recordings, label="room"), recordings)
    with pytest.raises(DataFormatError, match="have no labels"):
        describe_amounts(cut(recordings), [stream(40, None)])


def test_a_channel_that_a_recording_lacks_is_named():
    windows = cut([stream(40)])
    with pytest.raises(UnknownNameError, match="waist_acc_x"):
        describe_amounts(windows, [stream(40).replace(channels=["chest_acc_x"])])
