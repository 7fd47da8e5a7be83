"""Tables in text: every value, and the line of whatever is wrong."""

from __future__ import annotations

import io
import re
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from har_virtual.datasets import _text
from har_virtual.datasets._text import TextFormat, read_text
from har_virtual.exceptions import DataFormatError

PLAIN = TextFormat(("time", "x", "y", "class"), separator=" ", header=False)
NAMED = TextFormat(("time", "x", "y", "label"))


@pytest.fixture(params=[1 << 23, 16], ids=["one block", "many blocks"])
def block_bytes(request, monkeypatch):
    monkeypatch.setattr(_text, "_BLOCK_BYTES", request.param)
    monkeypatch.setattr(_text, "_MIN_BLOCK_BYTES", min(request.param, 1 << 20))


def read(text: str | bytes, layout=PLAIN, **columns):
    columns = columns or {"numbers": ["y", "x"], "exact": ["time"]}
    data = text.encode() if isinstance(text, str) else text
    return read_text(io.BytesIO(data), layout, where="a.dat", **columns)


@pytest.mark.usefixtures("block_bytes")
def test_numbers_come_in_the_order_asked_for_with_nan_where_the_text_says_so():
    table = read("1657534605376.5 1.5 NaN 4\n1657534605377 -2e-3 7 nan\n" * 9)
    assert table.numbers.dtype == np.float32
    assert table.numbers.flags.c_contiguous
    np.testing.assert_array_equal(table.numbers, np.float32([[np.nan, 1.5], [7, -2e-3]] * 9))
    np.testing.assert_array_equal(table.exact["time"], [1657534605376.5, 1657534605377.0] * 9)


NUMBERS = {
    "as Java writes them": ["9.765625E-4", "-0.9576807", "1.0E-10", "1.4E-45", "3.4028235E38", "-0.0", "1.0E7"],
    "as C writes them": ["1e-05", "-9.22174e-05", "1e+06", "31.8125", "-0", "1E-400"],
    "as Python writes them": ["-4.160221099853516", "-0.0012217300245538354", "1e-05", "5e-324"],
    "by hand": ["-1E+1", ".5", "5.", "+3", "-.5", "+.5E1", "5.e2", "1E05", "00012"],
}


@pytest.mark.usefixtures("block_bytes")
@pytest.mark.parametrize("field", [field for fields in NUMBERS.values() for field in fields])
def test_numbers_are_read_as_they_are_however_they_are_written(field):
    table = read(f"{field} 1 {field} 2\n" * 5, numbers=["y"], exact=["time"])
    np.testing.assert_array_equal(table.numbers[:, 0], [np.float32(field)] * 5)
    np.testing.assert_array_equal(table.exact["time"], [float(field)] * 5)


@pytest.mark.usefixtures("block_bytes")
@pytest.mark.parametrize(
    "field", ["+", "-", ".", "e5", "1e", "1e+", "1e-", "++3", "+-3", "1d5", "0x10", "1.5f", "1,5", "1e1.5"]
)
@pytest.mark.parametrize(("column", "line"), [("time", "{} 1 3 4"), ("x", "1 {} 3 4")])
def test_what_only_looks_like_a_number_is_named(field, column, line):
    with pytest.raises(DataFormatError, match=rf"^a\.dat, line 2: column {column} is '{re.escape(field)}', which"):
        read(f"1 2 3 4\n{line.format(field)}\n1 2 3 4\n", numbers=["x", "y"], exact=["time"])


@pytest.mark.usefixtures("block_bytes")
def test_a_header_line_ends_of_windows_and_an_open_last_line_are_read():
    table = read("time,x,y,label\r\n1,2,3,WALK\r\n2,3,4,SIT\r\n3,4,5,WALK", NAMED, numbers=["x"], texts=["label"])
    assert table.numbers.tolist() == [[2], [3], [4]]
    assert table.texts["label"].tolist() == ["WALK", "SIT", "WALK"]


def test_a_byte_order_mark_is_no_part_of_the_first_name():
    assert read("\ufefftime,x,y,label\n1,2,3,a\n", NAMED, numbers=["time"]).numbers.tolist() == [[1]]


@pytest.mark.usefixtures("block_bytes")
@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("1 2 3", "3 fields where 4 are needed"),
        ("1 2 3 4 5", "5 fields where 4 are needed"),
        ("1 2 3 41 2 3 4", "7 fields where 4 are needed"),
        ("", "the line is empty"),
        ("1  3 4", "the field of column x is empty"),
        ("1 2 3 ", "the field of column class is empty"),
        ("1 two 3 4", "column x is 'two', which is no finite number"),
        ("1 inf 3 4", "column x is 'inf', which is no finite number"),
        ("1 1e39 3 4", "column x is '1e39', which is no finite number"),
        ("1e999 2 3 4", "column time is '1e999', which is no finite number"),
        ("1 2 \x00 4", "column y is"),
        ("1 2 1_0 4", "column y is '1_0', which is no finite number"),
        ("1 2 3 4\r5 6 7 8", "7 fields where 4 are needed"),
    ],
)
@pytest.mark.parametrize("row", [0, 1, 6])
def test_what_is_wrong_is_named_with_its_line(line, why, row):
    lines = ["1 2 3 4"] * 7
    lines[row] = line
    with pytest.raises(DataFormatError, match=rf"^a\.dat, line {row + 1}: {why}"):
        read("\n".join(lines) + "\n")


@pytest.mark.usefixtures("block_bytes")
def test_a_separator_at_the_end_of_every_row_is_no_column():
    table = read("1 2 3 4 \n5 6 7 8 \n" * 5, numbers=["x", "class"])
    assert table.numbers.tolist() == [[2, 4], [6, 8]] * 5
    with pytest.raises(DataFormatError, match=r"line 2: 4 fields where 5 are needed"):
        read("1 2 3 4 \n5 6 7 8\n", numbers=["x"])


@pytest.mark.usefixtures("block_bytes")
def test_lines_are_counted_with_the_header():
    with pytest.raises(DataFormatError, match=r"a\.dat, line 4: column y is 'b'"):
        read("time,x,y,label\n1,2,3,a\n1,2,3,a\n1,2,b,a\n", NAMED, numbers=["y"])


def test_bytes_that_are_no_text_are_named_with_their_line():
    with pytest.raises(DataFormatError, match=r"a\.dat, line 2: .*no text"):
        read(b"1,2,3,a\n1,2,3,\xff\xfe\n", TextFormat(NAMED.columns, header=False), numbers=["x"], texts=["label"])


@pytest.mark.parametrize("text", ["", "time,x,y,label\n"])
def test_a_table_without_rows_is_refused(text):
    with pytest.raises(DataFormatError, match=r"a\.dat(, line 1)?: .*(no row|missing)"):
        read(text, NAMED, numbers=["x"])


def test_a_missing_column_is_named():
    with pytest.raises(DataFormatError, match=r"a\.dat, line 1: column y is missing; the line is 'time,x,label"):
        read("time,x,label\n1,2,a\n", NAMED, numbers=["x"])


def test_columns_in_another_order_are_refused():
    with pytest.raises(DataFormatError, match=r"line 1: the columns must be time,x,y,label; they are in another order"):
        read("time,y,x,label\n1,2,3,a\n", NAMED, numbers=["x"])


@pytest.mark.usefixtures("block_bytes")
def test_a_member_of_an_archive_is_read_as_a_file_is(tmp_path):
    text = "".join(f"{row} {row / 2} 0 1\n" for row in range(500))
    (tmp_path / "a.dat").write_text(text)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.dat", text)
    plain = read_text(tmp_path / "a.dat", PLAIN, numbers=["x"])
    with zipfile.ZipFile(tmp_path / "a.zip") as archive, archive.open("a.dat") as member:
        zipped = read_text(member, PLAIN, numbers=["x"], where="a.zip: a.dat")
    np.testing.assert_array_equal(plain.numbers, zipped.numbers)
    assert plain.numbers[-1] == 249.5


@given(text=st.text(alphabet="0123456789 .NaN-e\n\rx\x00,", max_size=120))
@settings(max_examples=150, deadline=None, derandomize=True, database=None)
def test_any_text_is_a_table_or_a_named_error(text):
    columns = {"numbers": ["x", "y", "class"], "exact": ["time"]}
    try:
        expected = np.array([[float(f) for f in line.split(" ")] for line in text.removesuffix("\n").split("\n")])
        readable = expected.shape[1] == 4 and not np.isinf(expected).any() and "\r" not in text
    except ValueError:
        readable = False
    if not readable:
        with pytest.raises(DataFormatError, match=r"^a\.dat"):
            read(text, **columns)
        return
    table = read(text, **columns)
    np.testing.assert_array_equal(table.numbers, np.float32(expected)[:, 1:])
    np.testing.assert_array_equal(table.exact["time"], expected[:, 0])


@given(numbers=st.lists(st.tuples(*[st.floats(width=32, allow_infinity=False)] * 4), min_size=1, max_size=9))
@settings(max_examples=60, deadline=None, derandomize=True, database=None)
def test_any_numbers_come_back(numbers):
    text = "".join(" ".join("NaN" if x != x else repr(x) for x in row) + "\n" for row in numbers)
    table = read(text, numbers=["x", "y", "class"], exact=["time"])
    np.testing.assert_array_equal(table.numbers, np.float32(numbers)[:, 1:])
    np.testing.assert_array_equal(table.exact["time"], np.array(numbers)[:, 0])


class Stream(io.RawIOBase):
    """Bytes that can only be read forwards, as some members of archives."""

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        return self._file.readinto(buffer)


@pytest.mark.parametrize("seekable", [True, False])
def test_rows_stay_where_later_lines_are_shorter_or_longer(monkeypatch, seekable):
    monkeypatch.setattr(_text, "_BLOCK_BYTES", 256)
    monkeypatch.setattr(_text, "_MIN_BLOCK_BYTES", 256)
    for first, second in ((20, 1), (1, 20)):
        rows = [[row, row / 2, -row, 1] for row in range(400)]
        text = "".join(
            " ".join(str(x).ljust(first if row < 100 else second, "0") if "." in str(x) else str(x) for x in numbers)
            + "\n"
            for row, numbers in enumerate(rows)
        ).encode()
        source = io.BytesIO(text) if seekable else io.BufferedReader(Stream(text))
        table = read_text(source, PLAIN, numbers=["x", "y"], exact=["time"], where="a.dat")
        np.testing.assert_array_equal(table.numbers, np.float32(rows)[:, 1:3])
        np.testing.assert_array_equal(table.exact["time"], np.arange(400.0))


@pytest.mark.parametrize("field", ["２", "2 ", "0x1F", "1,5", "--1", "1e", "+-2"])
def test_what_only_looks_like_a_number_is_named_with_its_column(field):
    layout = TextFormat(("time", "x", "y"), separator=";", header=False)
    with pytest.raises(DataFormatError, match=r"a\.dat, line 2: column x is"):
        read(f"1;2;3\n1;{field};3\n", layout, numbers=["x"], exact=["time"])


def test_a_table_may_be_read_for_its_texts_alone():
    assert read("time,x,y,label\n1,2,3,a\n", NAMED, numbers=(), texts=["label"]).texts["label"].tolist() == ["a"]


def test_a_column_too_many_is_named():
    with pytest.raises(DataFormatError, match=r"must be time,x,y,label; there is a column 'z' too many"):
        read("time,x,y,z,label\n1,2,3,4,a\n", NAMED, numbers=["x"])


@pytest.mark.usefixtures("block_bytes")
def test_an_empty_field_is_a_missing_value_where_that_is_allowed():
    layout = TextFormat(("time", "x", "y", "label"), header=False, holes=True)
    table = read("1,,2,a\n,3,NaN,\n" * 9, layout, numbers=["x", "y"], exact=["time"], texts=["label"])
    np.testing.assert_array_equal(table.numbers, np.float32([[np.nan, 2], [3, np.nan]] * 9))
    np.testing.assert_array_equal(table.exact["time"], [1, np.nan] * 9)
    assert table.texts["label"].tolist() == ["a", ""] * 9


@pytest.mark.parametrize(
    ("line", "why"),
    [("1,2,a", "3 fields where 4"), ("", "the line is empty"), ("1,,x,a", "column y is 'x'"), ("1,,2,a,", "5 fields")],
)
def test_other_damage_is_found_among_empty_fields(line, why):
    layout = TextFormat(("time", "x", "y", "label"), header=False, holes=True)
    with pytest.raises(DataFormatError, match=rf"^a\.dat, line 12: .*{why}.* Look at it\.$"):
        read(f"1,,2,a\n,3,,\n{line}\n", layout, numbers=["x", "y"], first_line=10, advice="Look at it.")
