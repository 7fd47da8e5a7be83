"""Recording, RecordingSet and VideoClip: what they accept, what they say of doubtful data, and their files."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet
import pytest

from har_virtual.checks import check_positive
from har_virtual.exceptions import DataFormatError, DataWarning, UnknownNameError
from har_virtual.recording import (
    STANDARD_GRAVITY_M_S2,
    Recording,
    RecordingSet,
    VideoClip,
    channel_quantity,
    channel_site,
    storage,
)

WRIST = tuple(f"left_wrist_acc_{axis}" for axis in "xyz")


def still(n_samples=10, rate_hz=50, **fields) -> Recording:
    """A sensor at rest with z up."""
    return Recording(
        **{"data": np.tile([0, 0, 9.81], (n_samples, 1)), "channels": WRIST} | fields, sampling_rate_hz=rate_hz
    )


def table(scale=1.0, n_samples=10, rate_hz=50.0) -> pd.DataFrame:
    return pd.DataFrame(
        np.tile([0, 0, 9.80665 * scale], (n_samples, 1)), columns=list(WRIST), index=np.arange(n_samples) / rate_hz
    )


@pytest.mark.parametrize(
    ("channel", "site", "quantity"),
    [
        ("left_wrist_acc_x", "left_wrist", "acc"),
        ("head_gyr_z", "head", "gyr"),
        ("waist_mag_y", "waist", "mag"),
        ("waist_acc_w", None, None),
        ("acc_x", None, None),
        ("heart_rate", None, None),
        ("left_wrist_temperature_x", None, None),
    ],
)
def test_a_channel_name_tells_site_and_quantity(channel, site, quantity):
    assert (channel_site(channel), channel_quantity(channel)) == (site, quantity)


@pytest.mark.parametrize("value", [0, -1.0, np.nan, np.inf, "50", None, [50], 1j])
def test_only_finite_numbers_above_zero_are_positive(value):
    with pytest.raises(DataFormatError, match="rate must be a finite number above 0, not"):
        check_positive("rate", value)


@pytest.mark.parametrize("value", [50, 50.0, np.float32(50), np.int64(50)])
def test_every_kind_of_number_is_accepted_and_becomes_a_float(value):
    assert type(check_positive("rate", value)) is float


def test_times_start_at_start_s():
    stream = still(5, start_s=2.0)
    assert (len(stream), stream.duration_s) == (5, 0.1)
    np.testing.assert_allclose(stream.times_s, [2.0, 2.02, 2.04, 2.06, 2.08])


def test_data_are_a_read_only_float32_copy():
    values = np.zeros((4, 3), dtype=np.float32)
    stream = Recording(values, 50, WRIST, labels=[1, 2, 3, 4], annotations={"a": np.arange(4)})
    values[:] = 1
    assert stream.data.dtype == np.float32
    assert not stream.data.any()
    for array in (stream.data, stream.labels, stream.annotations["a"]):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_numpy_takes_a_recording_for_its_data():
    stream = still()
    np.testing.assert_array_equal(np.asarray(stream), stream.data)
    assert np.asarray(stream, dtype=np.float64).dtype == np.float64
    copied = np.array(stream)
    copied[:] = 0
    assert stream.data.any()
    assert stream.__array__(copy=False) is stream.data
    with pytest.raises(ValueError, match="needs a copy"):
        stream.__array__(np.float64, copy=False)


def test_names_of_persons_and_sessions_become_text():
    stream = still(subject=np.int64(101), session=2, dataset="pamap2")
    assert (stream.subject, stream.session, stream.group) == ("101", "2", "pamap2/101")
    assert still().subject is None


def test_group_is_unique_over_data_sets():
    assert still(subject="1").group == "1"
    assert still(subject="1", dataset="a").group != still(subject="1", dataset="b").group
    assert still(dataset="a").group == "a/unknown"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"data": np.zeros(3)}, r"shape \(n_samples, 3\).*not \(3,\)"),
        ({"data": np.zeros((4, 2))}, r"not \(4, 2\)"),
        ({"channels": ("a", "b", "a")}, "distinct names"),
        ({"channels": ("a", "label", "c")}, "none of them time_s or label"),
        ({"annotations": {WRIST[0]: np.zeros(10)}}, "channels and annotations need distinct names"),
        ({"annotations": {"label": np.zeros(10)}}, "none of them time_s or label"),
        ({"annotations": {"a": np.zeros(9)}}, r"a has shape \(9,\); 10 samples need \(10,\)"),
        ({"labels": ["a", "b"]}, r"labels has shape \(2,\)"),
        ({"data": np.full((10, 3), np.inf)}, "infinite values; a hole is marked by NaN"),
        ({"data": np.full((10, 3), 1e300)}, "infinite values"),
        ({"domain": "synthetic"}, "domain must be 'real' or 'virtual', not 'synthetic'"),
        ({"start_s": np.nan}, "start_s must be a finite number, not nan"),
        ({"rate_hz": 0}, "Recording d/7: sampling_rate_hz must be a finite number above 0"),
    ],
)
def test_what_does_not_fit_together_is_refused(fields, message):
    with pytest.raises(DataFormatError, match=message):
        still(subject="7", dataset="d", **fields)


def test_holes_and_empty_streams_are_allowed():
    assert np.isnan(still(data=np.full((10, 3), np.nan)).data).all()
    assert still(data=np.empty((0, 3))).duration_s == 0


def test_a_track_has_one_label_a_sample():
    stream = still(3, labels="walk", annotations={"posture": [1, 2, 3]})
    assert stream.track().tolist() == ["walk"] * 3
    assert stream.track("posture").tolist() == [1, 2, 3]
    assert still().track() is None
    with pytest.raises(UnknownNameError, match="no annotation 'speed'; it has posture"):
        stream.track("speed")


def test_missing_labels_are_none_and_whole_text_is_text():
    assert still(3, labels=["a", None, np.nan]).labels.tolist() == ["a", None, None]
    assert still(3, labels=pd.Categorical(["a", None, "b"])).labels.tolist() == ["a", None, "b"]
    assert still(3, labels=np.array(list("abc"), dtype=object)).labels.dtype.kind == "U"
    assert still(labels=np.array("walk")).labels == "walk"


def test_channels_are_selected_in_the_order_asked_for():
    selected = still(labels="walk", subject="1").select([WRIST[2], WRIST[0]])
    assert (selected.channels, selected.labels, selected.subject) == ((WRIST[2], WRIST[0]), "walk", "1")
    np.testing.assert_allclose(selected.data[0], [9.81, 0], rtol=1e-6)
    with pytest.raises(UnknownNameError, match=r"no channel \['head_acc_x'\]; it has \['left_wrist_acc_x'"):
        still().select(["head_acc_x"])


def test_replace_checks_again():
    assert still().replace(domain="virtual").domain == "virtual"
    with pytest.raises(DataFormatError, match=r"labels has shape \(3,\)"):
        still().replace(labels=[1, 2, 3])


@pytest.mark.parametrize(("unit", "scale"), [("m/s2", 1.0), ("g", 1 / 9.80665), ("mg", 1000 / 9.80665)])
def test_accelerations_of_every_unit_become_m_s2(unit, scale):
    stream = Recording.from_dataframe(table(scale), units={"acc": unit})
    np.testing.assert_allclose(stream.data[:, 2], STANDARD_GRAVITY_M_S2, rtol=1e-6)


@pytest.mark.parametrize(
    ("quantity", "unit", "value", "expected"),
    [
        ("gyr", "deg/s", 180, np.pi),
        ("gyr", "rad/s", 2, 2),
        ("mag", "uT", 50, 50),
        ("mag", "mG", 500, 50),
        ("mag", "G", 0.5, 50),
    ],
)
def test_other_quantities_become_rad_s_and_ut(quantity, unit, value, expected):
    frame = pd.DataFrame({f"head_{quantity}_x": [value] * 3})
    stream = Recording.from_dataframe(frame, units={quantity: unit}, sampling_rate_hz=50)
    np.testing.assert_allclose(stream.data, expected, rtol=1e-6)


@pytest.mark.parametrize("units", [{}, {"acc": "ft/s2"}, {"gyr": "rad/s"}])
def test_a_unit_must_be_stated_and_known(units):
    with pytest.raises(DataFormatError, match=r"Channel left_wrist_acc_x: state its unit as units=\{'acc': one of"):
        Recording.from_dataframe(table(), units=units)


def test_the_index_gives_rate_and_start():
    frame = table().set_axis(5 + np.arange(10) / 50)
    stream = Recording.from_dataframe(frame, units={"acc": "m/s2"}, subject="1")
    assert stream.sampling_rate_hz == pytest.approx(50)
    assert (stream.start_s, stream.subject) == (5.0, "1")
    assert Recording.from_dataframe(frame, units={"acc": "m/s2"}, start_s=0.0).start_s == 0.0
    assert Recording.from_dataframe(frame, units={"acc": "m/s2"}, sampling_rate_hz=25).sampling_rate_hz == 25


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (pd.RangeIndex(10), "must hold times in seconds, not a RangeIndex"),
        (pd.date_range("2024", periods=10, freq="20ms"), "not a DatetimeIndex"),
        ([*range(9), 8], "must increase strictly"),
        ([0, 1, 2, 3, 4, 5, 6, 7, 8, 9.5], "uneven.*har_virtual.signal.resample first"),
    ],
)
def test_an_index_that_holds_no_even_times_is_refused(index, message):
    with pytest.raises(DataFormatError, match=message):
        Recording.from_dataframe(table().set_axis(index), units={"acc": "m/s2"})


def test_columns_are_renamed_to_channels_and_one_gives_the_labels():
    frame = table().set_axis(["ax", "ay", "az"], axis=1).assign(activity=list("aaaaabbbbb"), ignored=0)
    names = dict(zip(["az", "ax", "ay"], (WRIST[2], *WRIST[:2]), strict=True))
    stream = Recording.from_dataframe(frame, units={"acc": "m/s2"}, channels=names, label="activity")
    assert stream.channels == (WRIST[2], *WRIST[:2])
    np.testing.assert_allclose(stream.data[0], [9.80665, 0, 0], rtol=1e-6)
    assert stream.labels.tolist() == list("aaaaabbbbb")


def test_columns_that_are_named_like_channels_are_found():
    stream = Recording.from_dataframe(table().assign(heart_rate=60), units={"acc": "m/s2"})
    assert stream.channels == WRIST


def test_absent_columns_are_named():
    with pytest.raises(DataFormatError, match=r"lacks \['ax', 'activity'\]; its columns are"):
        Recording.from_dataframe(table(), units={}, channels={"ax": "head_acc_x"}, label="activity")
    with pytest.raises(DataFormatError, match="lacks channels"):
        Recording.from_dataframe(pd.DataFrame({"heart_rate": [60]}), units={})


def test_missing_values_of_nullable_columns_become_holes():
    frame = table().astype("Float64")
    frame.iloc[3, 1] = pd.NA
    stream = Recording.from_dataframe(frame, units={"acc": "m/s2"})
    assert np.argwhere(np.isnan(stream.data)).tolist() == [[3, 1]]


@pytest.mark.parametrize(
    ("scale", "unit", "message"),
    [
        (1 / 9.80665, "m/s2", "left_wrist is 1.00 m/s2, as if the values were in g"),
        (1.0, "g", "left_wrist is 96.17 m/s2, far from gravity"),
        (0.01, "m/s2", "left_wrist is 0.10 m/s2, far from gravity"),
    ],
)
def test_a_wrong_unit_is_warned_of(scale, unit, message):
    with pytest.warns(DataWarning, match=message) as caught:
        Recording.from_dataframe(table(scale), units={"acc": unit})
    assert [Path(warning.filename).name for warning in caught] == ["test_recording.py"]


def test_times_in_milliseconds_are_warned_of():
    with pytest.warns(DataWarning, match="a rate of 0.05 Hz looks as if the times were not in seconds"):
        Recording.from_dataframe(table().set_axis(np.arange(10) * 20), units={"acc": "m/s2"})


def test_ordinary_and_empty_tables_are_not_warned_of():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Recording.from_dataframe(table(), units={"acc": "m/s2"})
        Recording.from_dataframe(table() * np.nan, units={"acc": "m/s2"})
        Recording.from_dataframe(table().iloc[:0], units={"acc": "m/s2"}, sampling_rate_hz=50)
        Recording.from_dataframe(table()[list(WRIST[:2])] * 0, units={"acc": "m/s2"})


def test_a_table_and_back():
    stream = still(4, start_s=1.0, labels=list("abca"), annotations={"posture": np.arange(4)})
    frame = stream.to_dataframe()
    assert frame.columns.tolist() == [*WRIST, "label", "posture"]
    assert frame.index.name == "time_s"
    again = Recording.from_dataframe(frame, units={"acc": "m/s2"}, label="label")
    np.testing.assert_array_equal(again.data, stream.data)
    assert (again.start_s, again.labels.tolist()) == (1.0, list("abca"))
    assert "label" not in still().to_dataframe()


@pytest.mark.parametrize(
    "labels",
    [
        None,
        "column",
        3,
        np.float64(0.5),
        list("abcdefghij"),
        np.arange(10, dtype=np.int8),
        [True] * 10,
        ["a", None] * 5,
    ],
    ids=["none", "text", "int", "float", "texts", "ints", "bools", "missing"],
)
def test_a_file_gives_back_what_was_saved(tmp_path, labels):
    data = np.random.default_rng(0).normal(size=(10, 3)).astype(np.float32)
    data[3] = np.nan
    fields = {"start_s": 1.5, "subject": "1", "session": "a", "dataset": "d", "domain": "virtual"}
    attrs = {"site": {"fraction": 0.5}, "clips": ["a.mp4", None]}
    stream = Recording(
        data, np.int64(50), WRIST, labels=labels, annotations={"posture": np.arange(10)}, attrs=attrs, **fields
    )
    again = Recording.load(stream.save(tmp_path / "deep" / "stream.parquet"))
    np.testing.assert_array_equal(again.data, data)
    np.testing.assert_array_equal(again.labels, stream.labels)
    assert np.asarray(again.labels).dtype == np.asarray(stream.labels).dtype
    np.testing.assert_array_equal(again.annotations["posture"], np.arange(10))
    for name in ("channels", "sampling_rate_hz", "attrs", *fields):
        assert getattr(again, name) == getattr(stream, name)


def test_streams_without_samples_or_channels_survive_a_file(tmp_path):
    for shape in ((0, 3), (4, 0)):
        stream = Recording(np.empty(shape), 50, WRIST[: shape[1]])
        assert Recording.load(stream.save(tmp_path / "empty.parquet")).data.shape == shape


def test_the_file_states_the_units(tmp_path):
    metadata = pyarrow.parquet.read_schema(still().save(tmp_path / "a.parquet")).metadata
    assert b'"left_wrist_acc_z": "m/s2"' in metadata[b"har_virtual"]


@pytest.mark.parametrize("fields", [{"attrs": {"array": np.zeros(2)}}, {"labels": ["a", 1] * 5}])
def test_what_no_file_can_hold_is_refused_and_the_old_file_stays(tmp_path, fields):
    path = still(subject="4").save(tmp_path / "a.parquet")
    before = path.read_bytes()
    stream = still(
        subject="4", **{name: np.array(v, dtype=object) if name == "labels" else v for name, v in fields.items()}
    )
    with pytest.raises(DataFormatError, match=r"Recording 4 cannot be written to .*a\.parquet"):
        stream.save(path)
    assert path.read_bytes() == before


def test_other_files_are_refused_by_name(tmp_path):
    (tmp_path / "text.parquet").write_text("no recording " * 10)
    (tmp_path / "empty.parquet").touch()
    table().to_parquet(tmp_path / "table.parquet")
    with pytest.raises(DataFormatError, match=r"text\.parquet is no Parquet file"):
        Recording.load(tmp_path / "text.parquet")
    with pytest.raises(DataFormatError, match=r"empty\.parquet is no Parquet file"):
        Recording.load(tmp_path / "empty.parquet")
    with pytest.raises(DataFormatError, match=r"table\.parquet was not written by Recording\.save"):
        Recording.load(tmp_path / "table.parquet")
    with pytest.raises(FileNotFoundError):
        Recording.load(tmp_path / "absent.parquet")


def test_a_set_is_a_sequence_of_recordings():
    streams = [still(subject=name) for name in "cab"]
    collected = RecordingSet(streams)
    assert (len(collected), collected[1], list(collected)) == (3, streams[1], streams)
    assert isinstance(collected[:2], RecordingSet)
    assert collected.groups == ("a", "b", "c")
    assert repr(collected) == "RecordingSet(recordings=3, subjects=3)"


def test_sets_and_lists_are_added_from_both_sides():
    real, virtual = RecordingSet([still(subject="1")]), [still(subject="2")]
    assert [stream.subject for stream in real + virtual] == ["1", "2"]
    assert [stream.subject for stream in virtual + real] == ["2", "1"]


def test_a_set_is_filtered_by_fields():
    streams = RecordingSet([still(subject="1"), still(subject="1", domain="virtual"), still(subject="2")])
    assert list(streams.select(subject="1", domain="real")) == [streams[0]]
    assert len(streams.select(subject="3")) == 0


def test_a_set_holds_nothing_but_recordings():
    with pytest.raises(DataFormatError, match="holds Recordings, not ndarray"):
        RecordingSet([still(), np.zeros((4, 3))])


def test_a_set_is_described_by_one_row_a_recording():
    frame = RecordingSet([still(subject="1", start_s=2.0), still(5, domain="virtual")]).to_frame()
    assert frame["duration_s"].tolist() == [0.2, 0.1]
    assert frame["domain"].tolist() == ["real", "virtual"]
    assert frame["channels"][0] == WRIST
    assert RecordingSet([]).to_frame().empty


def test_a_clip_is_a_half_open_stretch_of_a_video():
    clip = VideoClip("run.mp4", 1.0, 2.0, label="run")
    assert (clip.path, clip.label, VideoClip("run.mp4").stop_s) == (Path("run.mp4"), "run", None)


@pytest.mark.parametrize(("start_s", "stop_s"), [(-1, None), (2, 2), (2, 1), (np.nan, None), (0, np.nan)])
def test_a_clip_that_ends_before_it_starts_is_refused(start_s, stop_s):
    with pytest.raises(DataFormatError, match=r"Clip of run\.mp4: needs 0 <= start_s < stop_s"):
        VideoClip("run.mp4", start_s, stop_s)


def test_a_quantity_that_is_none_of_ours_is_refused_where_units_are_converted():
    table = pd.DataFrame({"a": [1.0] * 9}, index=np.arange(9) / 50)
    with pytest.raises(DataFormatError, match="'accel' is none of"):
        Recording.from_dataframe(table, units={"acc": "g"}, channels={"a": "right_wrist_accel_x"})


def test_turns_in_degrees_look_doubtful():
    table = pd.DataFrame({f"waist_gyr_{axis}": np.linspace(0, 300, 50) for axis in "xyz"}, index=np.arange(50) / 50)
    with pytest.warns(DataWarning, match=r"as if in deg/s\. State units="):
        Recording.from_dataframe(table, units={"gyr": "rad/s"})
    Recording.from_dataframe(table, units={"gyr": "deg/s"})


def test_a_set_takes_a_list_and_known_fields_only():
    one = Recording(np.ones((5, 1)), 50, ["heart_rate"])
    with pytest.raises(DataFormatError, match=r"write \[recording\]"):
        RecordingSet(one)
    with pytest.raises(UnknownNameError, match="no \\['domian'\\]"):
        RecordingSet([one]).select(domian="real")


def test_a_set_is_indexed_by_rows_of_its_table():
    people = RecordingSet([still(n, subject=str(n)) for n in (10, 20, 30)], DESCR="three")
    frame = people.to_frame()
    for rows in (frame.query("subject != '20'").index, frame.subject != "20", [2, 0], np.array([True, False, True])):
        assert sorted(r.subject for r in people[rows]) == ["10", "30"]
        assert people[rows].DESCR == "three"
    assert people[[2, 0]][0].subject == "30"
    assert len(people[frame.index[:0]]) == len(people[[]]) == 0


@pytest.mark.parametrize(
    ("index", "error", "message"),
    [
        ([True, False], DataFormatError, "2 truths cannot choose among 1 recordings"),
        (["a"], DataFormatError, "chosen by row numbers or truths"),
        ([0.0], DataFormatError, "chosen by row numbers or truths"),
        ([1], IndexError, "There is no recording 1; there are 1"),
        ([-2], IndexError, "There is no recording -2; there are 1"),
    ],
)
def test_other_indices_are_refused(index, error, message):
    with pytest.raises(error, match=message):
        RecordingSet([still()])[index]


def test_what_describes_a_set_stays_with_sums():
    one, two = RecordingSet([still()], DESCR="one"), RecordingSet([still()], DESCR="two")
    others = [still()]
    assert (one + others).DESCR == (others + one).DESCR == (one + one).DESCR == "one"
    assert (one + two).DESCR == "one\n\ntwo"


def test_categories_are_labels():
    labels = pd.Categorical.from_codes([0, -1, 1, 0], ["walk", "sit"])
    track = still(4, labels=labels).labels
    assert track.dtype == object
    assert track.tolist() == ["walk", None, "sit", "walk"]
    assert still(2, labels=labels[[0, 2]]).labels.dtype == object
    assert still(3, labels=pd.Categorical([1, None, 2])).labels.tolist() == [1, None, 2]


def test_an_array_that_nobody_else_can_write_to_is_taken_as_it_is():
    data = np.ones((4, 3), dtype=np.float32)
    data.flags.writeable = False
    assert still(data=data).data is data
    base = np.ones((4, 3), dtype=np.float32)
    view = base[:]
    view.flags.writeable = False
    stream = still(data=view)
    base[:] = 7
    assert stream.data.max() == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"labels": np.array(["walk", None, "sit", "walk"], dtype=object), "annotations": {"step": np.arange(4)}},
        {"labels": "walk", "attrs": {"file": "a"}},
        {"data": np.zeros((4, 0)), "channels": ()},
        {"data": np.zeros((0, 3))},
        {"data": [[1, np.nan, 3]] * 4},
    ],
)
def test_a_packed_file_gives_back_what_was_written(tmp_path, fields):
    stream = still(4, subject="1", start_s=2.5, **fields)
    path = storage.write(stream, tmp_path / "a.parquet", where="a", packed=True)
    again = Recording.load(path)
    np.testing.assert_array_equal(again, stream)
    assert again.data.flags.c_contiguous
    assert not again.data.flags.writeable
    assert np.array_equal(again.labels, stream.labels)
    for name in ("channels", "start_s", "subject", "attrs", "sampling_rate_hz"):
        assert getattr(again, name) == getattr(stream, name)
    assert again.annotations.keys() == stream.annotations.keys()


def test_a_long_recording_is_written_in_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr("har_virtual.recording.storage._BLOCK", 7)
    labels = np.array(["walk"] * 10 + [None] * 5 + ["sit"] * 5, dtype=object)
    stream = still(data=np.arange(60).reshape(20, 3), labels=labels, annotations={"step": np.arange(20)})
    again = Recording.load(stream.save(tmp_path / "a.parquet"))
    np.testing.assert_array_equal(again, stream)
    assert again.labels.tolist() == labels.tolist()
    assert again.annotations["step"].tolist() == list(range(20))
    assert pyarrow.parquet.read_metadata(tmp_path / "a.parquet").num_row_groups == 3


def test_a_column_chooses_by_the_names_of_its_rows():
    people = RecordingSet([still(n, subject=str(n)) for n in (10, 20, 30)])
    backwards = people.to_frame().sort_values("duration_s", ascending=False)
    assert [r.subject for r in people[backwards.duration_s > 0.3]] == ["30", "20"]
    assert [r.subject for r in people[backwards[:2].index]] == ["30", "20"]
    with pytest.raises(DataFormatError, match="A column chooses recordings by truths"):
        people[backwards.duration_s]


def test_a_set_is_filtered_by_several_values_and_by_numbers_of_persons():
    people = RecordingSet([still(subject=subject) for subject in "123"])
    assert [r.subject for r in people.select(subject=[1, "3"])] == ["1", "3"]
    assert [r.subject for r in people.select(subject=2, domain=("real", "virtual"))] == ["2"]
    assert len(people.select(channels=WRIST)) == 3
