from __future__ import annotations

import contextlib
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import loadmat, savemat

from har_virtual.datasets._mat5 import MatArray, open_mat5
from har_virtual.exceptions import DataFormatError

ARRAY = np.arange(6.0).reshape(2, 3) / 7


def structs(shape, *fields: str, start: int = 0) -> np.ndarray:
    """A struct array whose fields tell element and field."""
    array = np.empty(shape, dtype=[(field, object) for field in fields])
    for number, place in enumerate(np.ndindex(*shape)):
        array[place] = tuple(np.float64(start + 10 * number + k) for k in range(len(fields)))
    return array


def cells(*values) -> np.ndarray:
    return np.array([*values, None], dtype=object)[:-1][None]


def as_python(array: MatArray):
    """All that an array holds, as far as the reader knows its kind."""
    readers = (
        lambda: array.numbers().tolist(),
        lambda: {field: [as_python(value) for value in array.field(field)] for field in array.fields},
        lambda: [as_python(cell) for cell in array.cells()],
    )
    for read in readers:
        with contextlib.suppress(DataFormatError):
            return read()
    return array.text()


def of_scipy(value: np.ndarray):
    """The same of what `scipy.io.loadmat` gives."""
    if value.dtype.names:
        return {name: [of_scipy(each) for each in value[name].ravel(order="F")] for name in value.dtype.names}
    if value.dtype == object:
        return [of_scipy(each) for each in value.ravel(order="F")]
    return "".join(value.tolist()) if value.dtype.kind == "U" and value.size else value.tolist()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "annotations.mat"


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize(
    "value",
    [
        {"a": 1.0, "name_of_thirty_one_characters_x": ARRAY},
        {"outer": {"inner": {"deep": "text"}}},
        structs((1, 3), "x", "y"),
        structs((2, 3), "x", "y", "z"),
        cells("one", 2.0, ARRAY, cells("nested", {"field": "x"})),
        {"list": structs((1, 2), "image", "vididx"), "videos": cells("OmdEgyJzCnM", "aa"), "version": "1"},
        {"empty": np.zeros((0, 0)), "none": np.zeros((1, 0), dtype=object), "full": np.uint16(300)},
        "some text",
        "Grüße 漢",
    ],
    ids=repr,
)
def test_structs_cells_and_text_are_read_as_scipy_reads_them(path, value, compressed):
    savemat(path, {"before": 1, "x": value}, do_compression=compressed)
    assert as_python(open_mat5(path, "x")) == of_scipy(loadmat(path)["x"])


def test_elements_of_a_struct_array_come_column_after_column(path):
    savemat(path, {"x": structs((2, 2), "a", "b")})
    array = open_mat5(path, "x")
    assert array.shape == (2, 2)
    assert array.size == 4
    assert array.fields == ["a", "b"]
    assert [value.numbers().item() for value in array.field("b")] == [1, 21, 11, 31]


def test_an_empty_array_is_an_empty_text(path):
    savemat(path, {"x": {"name": np.zeros((0, 0)), "text": ""}})
    array = open_mat5(path, "x")
    assert array.field("name")[0].text() == array.field("text")[0].text() == ""


def test_an_array_without_any_bytes_is_empty(path):
    # So MATLAB writes [] within a cell: the tag of a matrix of no bytes.
    inner = (14).to_bytes(4, "little") + bytes(4)
    flags = b"\x06\0\0\0\x08\0\0\0" + b"\x01" + bytes(7)
    dimensions = b"\x05\0\0\0\x08\0\0\0" + b"\x01\0\0\0\x01\0\0\0"
    name = b"\x01\0\x01\0x\0\0\0"
    body = flags + dimensions + name + inner
    matrix = (14).to_bytes(4, "little") + len(body).to_bytes(4, "little") + body
    path.write_bytes(b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM" + matrix)
    (cell,) = open_mat5(path, "x").cells()
    assert cell.text() == ""
    assert cell.shape == (0, 0)


@pytest.mark.parametrize(
    ("read", "why"),
    [
        (lambda array: array.text(), "no row of characters"),
        (lambda array: array.cells(), "no cell array"),
        (lambda array: array.fields, "no struct array"),
        (lambda array: array.field("a"), "no struct array"),
    ],
)
def test_numbers_are_neither_text_nor_cells_nor_structs(path, read, why):
    savemat(path, {"x": ARRAY})
    with pytest.raises(DataFormatError, match=rf"annotations\.mat.*{why}"):
        read(open_mat5(path, "x"))


def test_a_field_that_is_not_there_is_named_with_those_that_are(path):
    savemat(path, {"x": {"a": 1, "b": 2}})
    with pytest.raises(DataFormatError, match=r"annotations\.mat.*no field c, but a, b"):
        open_mat5(path, "x").field("c")


@pytest.mark.parametrize("n_bytes", [0, -2, 3])
def test_names_of_fields_of_no_length_are_refused(path, n_bytes):
    savemat(path, {"x": {"a": 1, "b": 2}})
    content, length = path.read_bytes(), b"\x05\x00\x04\x00" + (2).to_bytes(4, "little")
    assert content.count(length) == 1
    path.write_bytes(content.replace(length, length[:4] + n_bytes.to_bytes(4, "little", signed=True)))
    with pytest.raises(DataFormatError, match=r"annotations\.mat.*fields have no names"):
        open_mat5(path, "x").fields  # noqa: B018


def test_a_name_of_a_field_ends_where_its_zeros_begin(path):
    savemat(path, {"x": {"a": 1, "long": 2}})
    content, names = path.read_bytes(), b"a\x00\x00\x00\x00long\x00"
    assert content.count(names) == 1
    path.write_bytes(content.replace(names, b"a\x00rest"[:5] + b"long\x00"))
    assert open_mat5(path, "x").fields == ["a", "long"]


def test_a_cell_that_is_no_array_is_refused(path):
    savemat(path, {"x": cells(1.0)})
    head, outer, inner = path.read_bytes().split(b"\x0e\x00\x00\x00")
    path.write_bytes(head + b"\x0e\x00\x00\x00" + outer + b"\x09\x00\x00\x00" + inner)
    with pytest.raises(DataFormatError, match=r"annotations\.mat.*other values than it should have"):
        open_mat5(path, "x").cells()


def test_several_rows_of_text_are_refused(path):
    savemat(path, {"x": np.array(["ab", "cd"])})
    with pytest.raises(DataFormatError, match="no row of characters"):
        open_mat5(path, "x").text()


NESTED = {
    "list": structs((1, 3), "image", "vididx"),
    "act": structs((3, 1), "name", "id"),
    "video_list": cells("OmdEgyJzCnM", "VideoNumber2", ""),
}


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(data=st.data())
def test_damaged_bytes_give_a_value_or_a_named_file(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("damaged") / "annotations.mat"
    savemat(path, {"x": NESTED})
    content = bytearray(path.read_bytes())
    for place, byte in data.draw(
        st.lists(st.tuples(st.integers(128, len(content) - 1), st.integers(0, 255)), max_size=4)
    ):
        content[place] = byte
    whole = content[: data.draw(st.integers(120, len(content)))] if data.draw(st.booleans()) else content
    # Inside a compressed element the checksum would catch all.
    body = zlib.compress(bytes(whole[128:]))
    packed = bytes(content[:128]) + np.array([15, len(body)], dtype="<u4").tobytes() + body
    for each in (bytes(whole), packed):
        path.write_bytes(each)
        why = None
        try:
            as_python(open_mat5(path, "x"))
        except DataFormatError as refused:
            why = str(refused)
        assert why is None or "annotations.mat" in why
