"""WindowSet: what it accepts, how rows and channels are picked, and that files give back what they were given."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from har_virtual.exceptions import DataFormatError, UnknownNameError
from har_virtual.recording import Recording
from har_virtual.windows import WindowSet, segment_recordings

WRIST = tuple(f"left_wrist_acc_{axis}" for axis in "xyz")


def example(n_windows=4, y=("walk", "run", "walk", "sit"), **fields) -> WindowSet:
    """Windows of two samples and three channels that count up; the first half real, the second virtual."""
    metadata = pd.DataFrame(
        {
            "subject": [f"d/{i % 2}" for i in range(n_windows)],
            "dataset": "d",
            "session": None,
            "domain": ["real"] * (n_windows // 2) + ["virtual"] * (n_windows - n_windows // 2),
            "recording": 0,
            "start_s": np.arange(n_windows) * 0.5,
            "stop_s": np.arange(n_windows) * 0.5 + 1,
        }
    )
    values = {"X": np.arange(n_windows * 6.0).reshape(n_windows, 2, 3), "y": y, "metadata": metadata}
    return WindowSet(**values | {"channels": WRIST, "sampling_rate_hz": 2} | fields)


WINDOWS = example()


def assert_same(first: WindowSet, second: WindowSet) -> None:
    np.testing.assert_array_equal(first.X, second.X)
    assert (first.y is None) == (second.y is None)
    if first.y is not None:
        np.testing.assert_array_equal(first.y, second.y)
        assert first.y.dtype == second.y.dtype
    pd.testing.assert_frame_equal(first.metadata, second.metadata)
    for name in ("channels", "sampling_rate_hz", "attrs"):
        assert getattr(first, name) == getattr(second, name)


def test_groups_and_domains_come_from_the_metadata():
    windows = example()
    assert windows.groups.tolist() == ["d/0", "d/1", "d/0", "d/1"]
    assert windows.sample_domain.tolist() == [0, 0, 1, 1]
    assert len(windows) == 4
    assert repr(windows).startswith("WindowSet(2 real and 2 virtual windows of 2 samples at 2 Hz, 2 subjects")


def test_clips_are_the_recordings_numbered_on_from_set_to_set():
    windows = example()
    clips = replace(windows, metadata=windows.metadata.assign(recording=[3, 3, 5, 5])).clips
    assert clips.tolist() == [3, 3, 5, 5] and clips.dtype == np.int64
    both = WindowSet.concat([windows, windows])
    assert both.clips.tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert both[[0, 5]].clips.tolist() == [0, 1]


def with_copies(windows: WindowSet, copy_of, recording=(0, 1, 2, 3), **columns) -> WindowSet:
    return replace(windows, metadata=windows.metadata.assign(copy_of=copy_of, recording=recording, **columns))


@pytest.mark.parametrize(
    ("copy_of", "clips"),
    [
        ([None, None, None, None], [0, 1, 2, 3]),
        ([None, None, "a", "a"], [0, 1, 2, 2]),
        # Real windows of a person say nothing of what is copied.
        ([None, None, "a", "b"], [0, 1, 2, 3]),
        # Both of one person, one of them no copy.
        ([None, None, "a", None], [0, 1, 2, 2]),
    ],
)
def test_copies_of_a_motion_are_one_clip_and_real_windows_are_never_of_it(copy_of, clips):
    windows = with_copies(example(), copy_of, subject="d/0")
    assert windows.clips.tolist() == clips and windows.clips.dtype == np.int64
    apart = with_copies(example(), [None, None, "a", None])
    assert apart.clips.tolist() == [0, 1, 2, 3], "the window that is no copy is of somebody else"


def test_clips_outlast_selection_files_and_putting_sets_together(tmp_path):
    windows = with_copies(example(), [None, None, "a", "a"], subject="d/0")
    assert_same(WindowSet.load(windows.save(tmp_path / "w.npz")), windows)
    assert windows[[1, 3]].clips.tolist() == [1, 3]
    # Copies of one motion that were cut apart, and its own windows cut apart from them.
    assert WindowSet.concat([windows, windows]).clips.tolist() == [0, 1, 2, 2, 4, 5, 2, 2]
    plain = replace(windows, metadata=windows.metadata.drop(columns="copy_of"))
    assert WindowSet.concat([plain, windows]).clips.tolist() == [0, 1, 2, 2, 4, 5, 2, 2]


def test_arrays_are_read_only_float32_and_no_view_of_the_callers():
    X = np.zeros((4, 2, 3), dtype=np.float32)
    windows = example(X=X)
    X[:] = 1
    assert windows.X.dtype == np.float32
    assert not windows.X.any()
    for array in (windows.X, windows.y):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_the_index_of_the_metadata_is_replaced():
    windows = example()
    again = WindowSet(windows.X, windows.y, windows.metadata.set_index(pd.Index(list("abcd"))), WRIST, 2)
    pd.testing.assert_frame_equal(again.metadata, windows.metadata)


@pytest.mark.parametrize(
    ("index", "rows"),
    [
        (slice(1, None), [1, 2, 3]),
        (slice(None, None, -2), [3, 1]),
        (np.array([True, False, False, True]), [0, 3]),
        (pd.Series([False, True, False, True], index=list("abcd")), [1, 3]),
        ([2, 0, 2], [2, 0, 2]),
        (-1, [3]),
        ([], []),
    ],
)
def test_rows_are_picked_by_slice_mask_or_position(index, rows):
    windows = example(attrs={"dropped_nan": 3})
    picked = windows[index]
    np.testing.assert_array_equal(picked.X, windows.X[rows])
    assert picked.y.tolist() == [windows.y[row] for row in rows]
    assert picked.metadata["start_s"].tolist() == [0.5 * row for row in rows]
    assert picked.metadata.index.tolist() == list(range(len(rows)))
    assert picked.attrs == {"dropped_nan": 3}


def test_a_position_that_is_not_there_is_an_index_error():
    with pytest.raises(IndexError):
        example()[4]


def test_picking_rows_works_without_labels():
    assert example(y=None)[:2].y is None


def test_channels_are_selected_in_the_order_asked_for():
    x, _, z = WRIST
    windows = example().select([z, x])
    assert windows.channels == (z, x)
    np.testing.assert_array_equal(windows.X[0], [[2, 0], [5, 3]])
    with pytest.raises(UnknownNameError, match=r"no channel \['head_acc_x'\]; they have \['left_wrist_acc_z'"):
        windows.select(["head_acc_x"])


def test_the_frame_has_one_row_a_window_and_one_column_a_sample_of_a_channel():
    windows = example()
    frame = windows.to_frame()
    assert frame.shape == (4, 7 + 1 + 6)
    assert frame.columns[8:].tolist() == [f"{channel}_{sample}" for channel in WRIST for sample in (0, 1)]
    assert frame["left_wrist_acc_y_1"].tolist() == windows.X[:, 1, 1].tolist()
    assert frame["label"].tolist() == ["walk", "run", "walk", "sit"]
    assert "label" not in example(y=None).to_frame()


@pytest.mark.parametrize(
    "y",
    [["walk", "läuft", "sit", "x"], [3, 1, 2, 1], [0.5, 1, 2, 3], [True, False, True, True], None],
    ids=["text", "int", "float", "bool", "none"],
)
def test_a_file_gives_back_what_was_saved(tmp_path, y):
    windows = example(y=y, attrs={"dropped_nan": 2, "window_step_s": 0.5})
    path = windows.save(tmp_path / "windows.npz")
    assert_same(WindowSet.load(path), windows)


def test_windows_cut_from_recordings_survive_a_file(tmp_path):
    track = np.array([None, "up", "up", "up"] * 5, dtype=object)
    streams = [
        Recording(np.ones((20, 3)), 4, WRIST, subject="1", labels="walk", annotations={"stairs": track}),
        Recording(np.ones((20, 3)), 4, WRIST, subject="2", labels="run", dataset="d", session="a"),
    ]
    windows = segment_recordings(streams, 1.0, tracks=["stairs"])
    assert_same(WindowSet.load(windows.save(tmp_path / "w.npz")), windows)


def test_no_window_at_all_survives_a_file(tmp_path):
    assert_same(WindowSet.load(example()[:0].save(tmp_path / "w.npz")), example()[:0])


def test_the_file_has_the_name_asked_for_and_holds_no_pickle(tmp_path):
    path = example().save(tmp_path / "deep" / "windows.cache")
    assert [file.name for file in path.parent.iterdir()] == ["windows.cache"]
    with np.load(path, allow_pickle=False) as arrays:
        assert all(array.dtype != object for array in arrays.values())


def test_a_failed_save_leaves_the_old_file(tmp_path):
    path = example().save(tmp_path / "w.npz")
    before = path.read_bytes()
    with pytest.raises(DataFormatError, match=r"cannot be written to .*w\.npz.*JSON"):
        example(attrs={"array": np.zeros(2)}).save(path)
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_other_files_are_refused_by_name(tmp_path):
    (tmp_path / "text.npz").write_text("no windows")
    (tmp_path / "empty.npz").touch()
    np.savez(tmp_path / "other.npz", X=np.zeros(3))
    np.save(tmp_path / "single.npy", np.zeros(3))
    np.savez(tmp_path / "pickle.npz", X=np.array([{}], dtype=object))
    for path in tmp_path.iterdir():
        with pytest.raises(DataFormatError, match=f"{path.name} was not written by WindowSet.save"):
            WindowSet.load(path)
    with pytest.raises(FileNotFoundError):
        WindowSet.load(tmp_path / "absent.npz")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"X": np.zeros((4, 6))}, r"X of shape \(n_windows, n_samples, 3\)"),
        ({"X": np.zeros((4, 2, 2))}, r"not \(4, 2, 2\)"),
        ({"channels": ("a", "b", "a")}, "distinct channel names"),
        ({"X": np.full((4, 2, 3), np.nan)}, "X has NaN or infinite values"),
        ({"X": np.full((4, 2, 3), np.inf)}, "X has NaN or infinite values"),
        ({"metadata": pd.DataFrame({"subject": ["1"] * 4})}, "lacking columns.*'start_s'"),
        ({"X": np.zeros((5, 2, 3)), "y": None}, "metadata needs 5 rows, one a window, not 4"),
        ({"y": ["walk"] * 3}, r"y has shape \(3,\); 4 windows need \(4,\)"),
        ({"y": [0, 1, np.nan, np.nan]}, "y lacks the labels of 2 windows"),
        ({"y": ["a", None, "b", "c"]}, "y lacks the labels of 1 windows"),
        ({"y": np.array(["a", 1, "b", 2], dtype=object)}, "Labels must be all text, all numbers"),
        ({"sampling_rate_hz": 0}, "sampling_rate_hz must be a finite number above 0, not 0"),
    ],
)
def test_what_does_not_fit_together_is_refused(fields, message):
    with pytest.raises(DataFormatError, match=message):
        example(**fields)


@pytest.mark.parametrize("domain", ["video", "Virtual", 1, None])
def test_a_domain_that_is_neither_real_nor_virtual_is_refused(domain):
    table = WINDOWS.metadata.assign(
        domain=WINDOWS.metadata["domain"].astype(object).where(WINDOWS.metadata.index > 0, domain)
    )
    with pytest.raises(DataFormatError, match='domain must be "real" or "virtual"'):
        replace(WINDOWS, metadata=table)


def test_a_missing_subject_is_refused():
    table = WINDOWS.metadata.assign(
        subject=WINDOWS.metadata["subject"].astype(object).where(WINDOWS.metadata.index > 0, None)
    )
    with pytest.raises(DataFormatError, match="subject is missing in 1 rows"):
        replace(WINDOWS, metadata=table)


def test_labels_that_are_part_text_and_part_numbers_are_refused_in_a_list_too():
    labels = ["a", *range(1, len(WINDOWS))]
    with pytest.raises(DataFormatError, match="all text, all numbers"):
        replace(WINDOWS, y=labels)


def test_sets_are_put_one_after_the_other():
    turned = WINDOWS.select(WINDOWS.channels[::-1])
    both = WindowSet.concat([WINDOWS, turned])
    assert both.channels == WINDOWS.channels
    np.testing.assert_array_equal(both.X, np.concatenate([WINDOWS.X, WINDOWS.X]))
    np.testing.assert_array_equal(both.y, np.concatenate([WINDOWS.y, WINDOWS.y]))
    np.testing.assert_array_equal(both.groups, np.tile(WINDOWS.groups, 2))
    recordings = WINDOWS.metadata["recording"].to_numpy()
    expected = np.concatenate([recordings, recordings + recordings.max() + 1])
    np.testing.assert_array_equal(both.metadata["recording"], expected)


def test_attrs_that_differ_are_not_kept_when_sets_are_put_together():
    one, other = (replace(WINDOWS, attrs={"window_step_s": 0.5, "dropped": n}) for n in (1, 2))
    assert WindowSet.concat([one, other]).attrs == {"window_step_s": 0.5}
    assert WindowSet.concat([one]).attrs == one.attrs


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"sampling_rate_hz": 7.0}, "sampling rate 7.0"),
        ({"X": WINDOWS.X[:, :1]}, "samples in a window 1"),
        ({"y": None}, "no labels True"),
        ({"channels": [f"other_{n}" for n in range(len(WINDOWS.channels))]}, "channels"),
    ],
)
def test_sets_that_differ_are_not_put_together(change, what):
    with pytest.raises(DataFormatError, match=f"Set 1 differs from the first: {what}"):
        WindowSet.concat([WINDOWS, replace(WINDOWS, **change)])


def test_nothing_and_other_things_are_not_put_together():
    for nothing in ([], [WINDOWS.X]):
        with pytest.raises(DataFormatError, match="WindowSets are needed"):
            WindowSet.concat(nothing)
