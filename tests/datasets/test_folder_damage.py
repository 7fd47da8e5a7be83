from __future__ import annotations

import gzip
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from har_virtual.datasets.folder.loader import FolderDataSet, load_folder
from har_virtual.datasets.folder.pattern import PathPattern
from har_virtual.exceptions import DataFormatError, DataWarning, UnknownNameError

XYZ = ("x", "y", "z")
WRIST_ACC = {axis: f"left_wrist_acc_{axis}" for axis in XYZ}
SITE_ACC = {axis: f"{{site}}_acc_{axis}" for axis in XYZ}
MS2 = {"acc": "m/s2"}
DRIVEN = settings(max_examples=30, deadline=None, derandomize=True, database=None)

load = partial(load_folder, cache=False)
STATED = {"pattern": "{subject}.csv", "columns": WRIST_ACC, "units": MS2}
AT_50_HZ = partial(load, **STATED, sampling_rate_hz=50)
TIMED = partial(load, **STATED, time="t")


def lines(n_rows: int, first: int = 0) -> list[str]:
    """A header and rows with a time in s, 9.81 m/s2 and a label."""
    rows = [f"{(first + row) / 50:.2f},9.81,0.{row:03d},0,walking" for row in range(n_rows)]
    return ["t,x,y,z,label", *rows]


def write(path: Path, text: list[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([*text, ""]), encoding="utf-8")
    return path.parent


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"units": {"acc": "gal"}}, r"units=\{'acc': one of \['m/s2', 'g', 'mg'\]\}, not 'gal'"),
        ({"units": {"acc": "g", "gyr": "rpm"}}, "not 'rpm'"),
        ({"units": {"gyr": "rad/s"}}, "left_wrist_acc_x: state its unit"),
        ({"units": {"accel": "g"}}, "the quantities are acc, gyr, mag"),
        ({"units": None}, "units must state"),
        ({"columns": {"x": "left_wrist_accel_x"}}, "must give channels <site>_<acc|gyr|mag>_<x|y|z>"),
        ({"columns": {}}, "not none"),
        ({"columns": {"x": "left_wrist_acc_x", "y": "left_wrist_acc_x"}}, "left_wrist_acc_x more than once"),
        ({"columns": SITE_ACC}, r"has no \{site\}"),
        ({"pattern": "{subject}_{site}.csv"}, r"columns has channels without it"),
        ({"pattern": "/data/{subject}.csv"}, "must be a path below root"),
        ({"pattern": "../{subject}.csv"}, "must be a path below root"),
        ({"pattern": "{subject}\\a.csv"}, "must be a path below root"),
        ({"pattern": "{sub ject}.csv"}, r"not \{sub ject\}"),
        ({"pattern": "{}.csv"}, r"a field is a name in braces"),
        ({"pattern": "{subject.csv"}, r"a field is a name in braces"),
        ({"pattern": "{activity}/{subject}.csv", "label": "label"}, "label is stated twice"),
        ({"label_names": {"a": "b"}}, "label_names needs labels"),
        ({"site_names": {"a": "b"}}, r"site_names needs \{site\}"),
        ({"sampling_rate_hz": None}, "Pass sampling_rate_hz, or time"),
        ({"sampling_rate_hz": 0}, "sampling_rate_hz must be"),
        ({"max_gap_s": -1}, "max_gap_s must be"),
        ({"max_gap_s": float("nan")}, "max_gap_s must be"),
        ({"decimal": ","}, "decimal must be '.' or ',' and not the separator"),
        ({"decimal": "·"}, "decimal must be"),
        ({"separator": ", "}, "separator must be one character"),
        ({"time": "x"}, "must be different columns"),
        ({"names": ["x", "y"]}, "names lacks column z"),
        ({"dataset": "../mine"}, "dataset must be a name"),
    ],
)
def test_what_is_stated_is_checked_before_any_file_is_looked_for(tmp_path, changes, why):
    stated = {**STATED, "sampling_rate_hz": 50, **changes}
    with pytest.raises(DataFormatError, match=why):
        load(tmp_path / "nowhere", **stated)
    with pytest.raises(DataFormatError, match=why):
        FolderDataSet(**stated)


def test_an_unknown_unit_of_time_and_unknown_names_list_what_there_is(tmp_path):
    home = write(tmp_path / "anna.csv", lines(10))
    with pytest.raises(UnknownNameError, match="s, ms, us, ns, datetime"):
        load(home, **STATED, time="t", time_unit="minutes")
    with pytest.raises(UnknownNameError, match="left_wrist"):
        AT_50_HZ(home, sites="chest")
    with pytest.raises(UnknownNameError, match="acc"):
        AT_50_HZ(home, quantities="gyr")
    with pytest.raises(UnknownNameError, match="all"):
        AT_50_HZ(home, task="some")


def test_a_folder_in_which_nothing_matches_is_told_with_what_is_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere is no folder"):
        AT_50_HZ(tmp_path / "nowhere")
    with pytest.raises(DataFormatError, match=r"no file matches '\{subject\}.csv'; there is none at all"):
        AT_50_HZ(tmp_path)
    for number in range(9):
        write(tmp_path / "deep" / f"{number}.txt", lines(2))
    with pytest.raises(DataFormatError, match=r"there is deep/0.txt, .*deep/5.txt and 3 others\. Either the"):
        AT_50_HZ(tmp_path)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ([], r"anna.csv is empty"),
        (["t,x,y,z,label"], "no row of data"),
        (
            ["t;x;y;z;label", "0;1;2;3;a"],
            r"no column 'x', 'y', 'z', 'label'; its columns are 't;x;y;z;label'\. Is ',' the separator",
        ),
        (["t,x,y,label", "0,1,2,a"], r"no column 'z'; its columns are 't', 'x', 'y', 'label'\.$"),
        (["label,x,y,z,x", "0,1,2,3,4"], "more than one column 'x'"),
        ([*lines(2), "0.04,9.81,high,0,walking"], r"anna.csv, line 4: column y is 'high'.*errors='warn'"),
        ([*lines(2), "0.04,9.81,1e99,0,walking"], r"line 4: column y is '1e99'"),
        (["t,x,y,z,label", '0,"9,81",0,0,a'], r"line 2: 6 fields"),
        (["t,x,y,z,label", '0,"9.81",0,"1_0",a'], r"line 2: column z is '1_0'"),
        ([*lines(2), "0.04,9.81,0"], r"line 4: 3 fields where 5 are needed"),
        ([*lines(2), "0.04,9.81,0,0,0,0"], r"line 4: 6 fields where 5 are needed"),
        ([*lines(2), "", *lines(3)[3:]], r"line 4: the line is empty"),
        ([*lines(2), "0.04,9,81,0,0"], r"line 4: label_names has no '0'"),
        (["t,x,y,z,label", "0, 9.81, 0, ,walking", "0, 9.81, high, 0,walking"], r"line 3: column y is ' high'"),
    ],
)
def test_a_damaged_file_is_an_error_with_its_line_or_left_out(tmp_path, text, why):
    home = write(tmp_path / "anna.csv", text)
    if not text:
        (home / "anna.csv").write_bytes(b"")
    write(tmp_path / "ben.csv", lines(10))
    stated = {"label": "label", "label_names": {"walking": "walking", "a": "a"}}
    with pytest.raises(DataFormatError, match=why):
        AT_50_HZ(home, **stated)
    with pytest.warns(DataWarning, match="anna.csv was left out: "):
        recordings = AT_50_HZ(home, **stated, errors="warn")
    assert [recording.subject for recording in recordings] == ["ben"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda rows: [*rows, *lines(5, first=3)[1:]], r"anna.csv, line 12: time runs backwards, from 0.18 to 0.06"),
        (lambda rows: [*rows, ",9.81,0,0,walking"], r"line 12: column t is .*nan.*, which is no time"),
        (lambda rows: [*rows, "1e9,9.81,0,0,walking"], r"line 12: time jumps by 1e\+09 s"),
        (lambda rows: [*rows, "1e300,9.81,0,0,walking"], r"line 12: time jumps by"),
        (lambda rows: [*rows, "2024-05-01,9.81,0,0,walking"], r"line 12: column t is '2024-05-01'"),
        (lambda rows: rows[:2], "1 rows have 1 different stamps"),
        (
            lambda rows: [rows[0], *[row.replace(row[:4], "0.00") for row in rows[1:]]],
            "10 rows have 1 different stamps",
        ),
        (
            lambda rows: [rows[0], *[f"{20 * n},9.81,0,0,walking" for n in range(50)]],
            r"those of 0.05 Hz, which no motion sensor has. Is time_unit 'ms', not 's'\?",
        ),
    ],
)
def test_damaged_stamps_are_an_error_with_their_line_or_left_out(tmp_path, change, why):
    home = write(tmp_path / "anna.csv", change(lines(10)))
    write(tmp_path / "ben.csv", lines(10))
    with pytest.raises(DataFormatError, match=why):
        TIMED(home)
    with pytest.warns(DataWarning, match="anna.csv was left out: "):
        assert [r.subject for r in TIMED(home, errors="warn")] == ["ben"]


def test_dates_and_decimal_commas_in_place_of_numbers_are_told_with_what_to_pass(tmp_path):
    home = write(tmp_path / "anna.csv", ["t,x,y,z", "2024-05-01T10:00:00.00,9.81,0,0"])
    with pytest.raises(DataFormatError, match=r"line 2: column t is .* pass time_unit='datetime'"):
        TIMED(home)
    write(tmp_path / "anna.csv", ["x;y;z", "9,81;0;0"])
    with pytest.raises(DataFormatError, match=r"line 2: column x is '9,81'.* pass decimal=','"):
        AT_50_HZ(home, separator=";")


@pytest.mark.parametrize("stated", [{}, {"names": ["t", "x", "y", "z", "label"]}])
def test_a_file_that_gzip_compressed_is_told(tmp_path, stated):
    (tmp_path / "anna.csv").write_bytes(gzip.compress("\n".join(lines(9)).encode()))
    with pytest.raises(DataFormatError, match=r"anna.csv is compressed by gzip; unpack it"):
        AT_50_HZ(tmp_path, **stated)


def test_stamps_so_coarse_that_most_rows_share_them_are_refused(tmp_path):
    rows = [f"{n // 3},9.81,0,0,walking" for n in range(90)]
    home = write(tmp_path / "anna.csv", ["t,x,y,z,label", *rows])
    with pytest.raises(DataFormatError, match=r"90 rows have 30 different stamps.*Pass sampling_rate_hz without time"):
        TIMED(home)


def test_a_reading_that_its_unit_makes_too_large_is_told_with_its_line(tmp_path):
    home = write(tmp_path / "anna.csv", [*lines(3), "0.06,3e38,0,0,walking"])
    with pytest.raises(DataFormatError, match=r"anna.csv, line 5: a reading is too large for its unit"):
        AT_50_HZ(home, units={"acc": "g"})


def test_a_date_that_is_none_is_told_with_its_line(tmp_path):
    home = write(tmp_path / "anna.csv", ["t,x,y,z", "2024-05-01T10:00:00.00,9.81,0,0", "soon,9.81,0,0"])
    with pytest.raises(DataFormatError, match=r"anna.csv, line 3: column t is 'soon', which is no time"):
        TIMED(home, time_unit="datetime")
    with pytest.raises(DataFormatError, match=r"anna.csv, line 2: column t is '2024-05-01T10:00:00.00'"):
        TIMED(home, time_unit="%d.%m.%Y")


def test_two_files_of_one_device_are_an_error_that_names_both(tmp_path):
    for file in ("anna/a.csv", "anna/b.csv", "ben/a.csv"):
        write(tmp_path / file, lines(10))
    stated = {**STATED, "pattern": "{subject}/*.csv", "sampling_rate_hz": 50}
    with pytest.raises(DataFormatError, match=r"anna/a.csv and anna/b.csv are of one subject \(anna\), session \(1\)"):
        load(tmp_path, **stated)
    with pytest.warns(DataWarning, match="anna/a.csv was left out"):
        assert [r.subject for r in load(tmp_path, **stated, errors="warn")] == ["ben"]
    recordings = load(tmp_path, **{**stated, "pattern": "{subject}/{session}.csv"})
    assert [(r.subject, r.session) for r in recordings] == [("anna", "a"), ("anna", "b"), ("ben", "a")]


def test_two_devices_named_as_one_site_do_not_take_the_others_with_them(tmp_path):
    for device in ("old", "new", "phone"):
        write(tmp_path / f"anna_{device}.csv", lines(10))
    names = {"old": "left_wrist", "new": "left_wrist", "phone": "chest"}
    stated = {"columns": SITE_ACC, "units": MS2, "sampling_rate_hz": 50, "site_names": names}
    with pytest.raises(DataFormatError, match=r"anna_new.csv and anna_old.csv are of one subject"):
        load(tmp_path, "{subject}_{site}.csv", **stated)
    with pytest.warns(DataWarning) as caught:
        recordings = load(tmp_path, "{subject}_{site}.csv", **stated, errors="warn")
    assert [r.channels[0] for r in recordings] == ["chest_acc_x"]
    assert sorted(str(each.message)[:12] for each in caught) == ["anna_new.csv", "anna_old.csv"]


def test_a_damaged_device_does_not_lose_the_other_one_of_its_session(tmp_path):
    write(tmp_path / "anna_chest.csv", lines(10))
    write(tmp_path / "anna_waist.csv", [*lines(10), "text,text,text,text,text"])
    stated = {"columns": SITE_ACC, "units": MS2, "sampling_rate_hz": 50}
    with pytest.raises(DataFormatError, match=r"anna_waist\.csv, line 12"):
        load(tmp_path, "{subject}_{site}.csv", **stated)
    with pytest.warns(DataWarning, match="anna_waist.csv was left out"):
        recordings = load(tmp_path, "{subject}_{site}.csv", **stated, errors="warn")
    assert [r.channels[0] for r in recordings] == ["chest_acc_x"]
    # Who asks for the other site only does not meet the damage.
    (chest,) = load(tmp_path, "{subject}_{site}.csv", **stated, sites="chest")
    assert len(chest) == 10


def test_a_site_or_label_without_a_name_is_an_error_that_lists_the_names(tmp_path):
    home = write(tmp_path / "sit" / "anna_phone.csv", [*lines(10), "0.2,9.81,0,0,dancing"])
    stated = {"columns": SITE_ACC, "units": MS2, "sampling_rate_hz": 50, "pattern": "*/{subject}_{site}.csv"}
    with pytest.raises(DataFormatError, match=r"anna_phone.csv: site_names has no 'phone'; it has watch"):
        load(home.parent, **stated, site_names={"watch": "left_wrist"})
    names = {"walking": "walk"}
    with pytest.raises(
        DataFormatError, match=r"anna_phone.csv, line 12: label_names has no 'dancing'; it has 'walking'"
    ):
        load(home.parent, **stated, label="label", label_names=names)
    by_path = {**stated, "pattern": "{activity}/{subject}_{site}.csv"}
    with pytest.raises(DataFormatError, match=r"anna_phone.csv: label_names has no 'sit'; it has 'walking'"):
        load(home.parent, **by_path, label_names=names)


def test_a_file_without_a_channel_s_name_is_told_with_its_columns(tmp_path):
    home = write(tmp_path / "anna.csv", lines(10))
    with pytest.raises(
        DataFormatError, match=r"anna.csv has no column named like a channel.*'t', 'x', 'y', 'z', 'label'"
    ):
        load(home, "{subject}.csv", units=MS2, sampling_rate_hz=50)
    named = lines(10)
    named[0] = "t,left_wrist_acc_x,left_wrist_mag_x,left_wrist_acc_z,label"
    write(tmp_path / "anna.csv", named)
    with pytest.raises(DataFormatError, match=r"left_wrist_mag_x: state its unit"):
        load(home, "{subject}.csv", units=MS2, sampling_rate_hz=50)


def test_a_path_and_a_header_that_name_different_sites_contradict_each_other(tmp_path):
    named = lines(10)
    named[0] = "t,left_wrist_acc_x,left_wrist_acc_y,left_wrist_acc_z,label"
    home = write(tmp_path / "anna_chest.csv", named)
    stated = {"pattern": "{subject}_{site}.csv", "units": MS2, "sampling_rate_hz": 50}
    with pytest.raises(DataFormatError, match=r"anna_chest.csv is of chest .* column 'left_wrist_acc_x'; .*\{device\}"):
        load(home, **stated)
    (home / "anna_chest.csv").rename(home / "anna_left_wrist.csv")
    assert load(home, **stated)[0].channels[0] == "left_wrist_acc_x"


def test_devices_of_a_session_of_which_one_has_no_unix_times_are_said(tmp_path):
    write(tmp_path / "anna_chest.csv", lines(10))
    write(tmp_path / "anna_waist.csv", lines(10, first=50 * 1_714_550_400))
    stated = {**STATED, "pattern": "{subject}_{site}.csv", "columns": SITE_ACC, "time": "t"}
    with pytest.warns(
        DataWarning, match=r"anna_chest.csv, anna_waist.csv: some stamps are Unix times and some are not"
    ):
        load(tmp_path, **stated)


def test_readings_in_another_unit_are_said_with_what_to_state(tmp_path):
    home = write(tmp_path / "anna.csv", [row.replace("9.81", "1.00") for row in lines(10)])
    with pytest.warns(
        DataWarning, match=r"^anna.csv: the median .* as if the values were in g. State units=\{'acc': 'g'"
    ):
        AT_50_HZ(home)


def test_a_file_that_is_mostly_holes_is_said(tmp_path):
    home = write(tmp_path / "anna.csv", [*lines(50), *lines(50, first=200)[1:]])
    with pytest.warns(DataWarning, match=r"anna.csv: 60% of the samples have a hole longer than max_gap_s=0.1"):
        (recording,) = TIMED(home, label="label")
    assert np.isnan(recording.data).any(axis=1).sum() == 150
    assert np.equal(recording.labels, None).sum() == pytest.approx(147, abs=3)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty, damaged or no Parquet file"),
        (b"PAR1 and more", "empty, damaged or no Parquet file"),
        (pd.DataFrame({"x": [9.81], "y": [0.0]}), r"no column 'z'; its columns are 'x', 'y'"),
        (
            pd.DataFrame({"x": [9.81, 9.81], "y": ["0", "high"], "z": [0, 0]}),
            r"row 2: column y holds \w+, not numbers: 'high'",
        ),
        (pd.DataFrame({"x": [9.81, np.inf], "y": [0.0, 0.0], "z": [0, 0]}), r"row 2: column x is infinite"),
        (pd.DataFrame({"x": [], "y": [], "z": []}, dtype=float), "no row of data"),
    ],
)
def test_a_damaged_parquet_file_is_an_error_or_left_out(tmp_path, content, why):
    path = tmp_path / "anna.parquet"
    path.write_bytes(content) if isinstance(content, bytes) else content.to_parquet(path)
    pd.DataFrame(np.tile([9.81, 0, 0], (10, 1)), columns=list(XYZ)).to_parquet(tmp_path / "ben.parquet")
    stated = {**STATED, "pattern": "{subject}.parquet", "sampling_rate_hz": 50}
    with pytest.raises(DataFormatError, match=f"anna.parquet.*{why}"):
        load(tmp_path, **stated)
    with pytest.warns(DataWarning, match="anna.parquet was left out: "):
        assert [r.subject for r in load(tmp_path, **stated, errors="warn")] == ["ben"]


@pytest.mark.parametrize("use", ["label", "time"])
def test_a_column_of_lists_is_neither_label_nor_time(tmp_path, use):
    frame = pd.DataFrame(np.tile([9.81, 0, 0], (10, 1)), columns=list(XYZ)).assign(many=[[1, 2]] * 10)
    frame.to_parquet(tmp_path / "anna.parquet")
    with pytest.raises(DataFormatError, match=r"anna.parquet: column many holds list<.*; one text or number a row"):
        load(tmp_path, **{**STATED, "pattern": "{subject}.parquet", "sampling_rate_hz": 50, use: "many"})


def test_text_and_numbers_as_times_in_parquet_are_told_apart(tmp_path):
    frame = pd.DataFrame(np.tile([9.81, 0, 0], (10, 1)), columns=list(XYZ)).assign(t=[f"{n}" for n in range(10)])
    frame.to_parquet(tmp_path / "anna.parquet")
    stated = {**STATED, "pattern": "{subject}.parquet", "time": "t"}
    with pytest.raises(DataFormatError, match=r"row 1: column t holds text, '0'; pass time_unit='datetime'"):
        load(tmp_path, **stated)
    frame.assign(t=np.arange(10)).to_parquet(tmp_path / "anna.parquet")
    with pytest.raises(
        DataFormatError, match=r"column t holds numbers, not dates; pass time_unit, one of s, ms, us, ns"
    ):
        load(tmp_path, **stated, time_unit="datetime")


def either_way(home: Path, **stated) -> None:
    """A file is loaded whole or refused, whatever is in it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        why = str(home)
        try:
            recordings = load(home, **stated)
        except DataFormatError as error:
            recordings, why = [], str(error)
    assert str(home) in why
    assert all(len(recording) and not np.isinf(recording.data).any() for recording in recordings)


fields = st.one_of(
    st.sampled_from(
        [
            "",
            "NaN",
            "0",
            "9.81",
            "-1e38",
            "1e300",
            "inf",
            '"',
            "walking",
            "2024-05-01T10:00:00",
            "\x00",
            "1714550400000",
        ]
    ),
    st.floats().map(str),
    st.text(max_size=6),
)


@DRIVEN
@given(
    st.lists(st.lists(fields, min_size=3, max_size=6).map(",".join), max_size=5),
    st.sampled_from(
        [
            {"sampling_rate_hz": 50},
            {"time": "t"},
            {"time": "t", "time_unit": "ns"},
            {"time": "t", "time_unit": "datetime"},
        ]
    ),
)
def test_whatever_stands_in_text_is_read_or_refused(tmp_path_factory, rows, clock):
    home = tmp_path_factory.mktemp("driven")
    text = "\n".join([*lines(4), *rows, *lines(3, first=8)[1:]])
    (home / "anna.csv").write_bytes(text.encode("utf-8", "replace"))
    either_way(home, **STATED, label="label", **clock)


@DRIVEN
@given(st.binary(max_size=200), st.sampled_from(["csv", "parquet"]))
def test_whatever_bytes_a_file_holds_it_is_read_or_refused(tmp_path_factory, content, suffix):
    home = tmp_path_factory.mktemp("driven")
    (home / f"anna.{suffix}").write_bytes(content)
    either_way(home, **{**STATED, "pattern": f"{{subject}}.{suffix}", "time": "t"})


@DRIVEN
@given(st.data())
def test_a_damaged_parquet_file_is_read_or_refused(tmp_path_factory, data):
    home = tmp_path_factory.mktemp("driven")
    frame = pd.DataFrame(np.tile([9.81, 0, 0], (30, 1)), columns=list(XYZ)).assign(t=np.arange(30) / 50)
    frame.to_parquet(home / "anna.parquet")
    content = bytearray((home / "anna.parquet").read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (home / "anna.parquet").write_bytes(bytes(content[: data.draw(st.integers(0, len(content)))]))
    either_way(home, **{**STATED, "pattern": "{subject}.parquet", "time": "t"})


@DRIVEN
@given(st.lists(st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(0, 2000)), min_size=1, max_size=12))
def test_whatever_numbers_are_the_stamps_they_are_taken_or_refused(tmp_path_factory, stamps):
    home = tmp_path_factory.mktemp("driven")
    frame = pd.DataFrame(np.tile([9.81, 0, 0], (len(stamps), 1)), columns=list(XYZ)).assign(t=sorted(stamps))
    frame.to_parquet(home / "anna.parquet")
    either_way(home, **{**STATED, "pattern": "{subject}.parquet", "time": "t", "time_unit": "ms"})


@DRIVEN
@given(st.text(alphabet="{}*/._-abs", max_size=12), st.text(alphabet="/._-absx", max_size=12))
def test_a_pattern_is_refused_or_tells_the_same_of_a_path_twice(pattern, file):
    try:
        compiled = PathPattern(pattern)
    except DataFormatError:
        return
    found = compiled.match(file)
    assert found == compiled.match(file)
    assert found is None or set(found) == set(compiled.fields)
