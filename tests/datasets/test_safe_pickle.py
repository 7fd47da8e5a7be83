from __future__ import annotations

import collections
import contextlib
import os
import pickle
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from har_virtual.datasets._safe_pickle import PickledArray, read_pickle
from har_virtual.exceptions import DataFormatError

VALUES = {
    "split": {"train": ["a", "b"], "val": []},
    "numbers": (0, 255, 65_535, -70_000, 2**60, -(2**100), 1.5, True, None),
    "scalar": np.int64(-3),
    "small": np.arange(6, dtype="f4").reshape(1, 2, 3),
    "large": np.arange(60_000, dtype="f8").reshape(20, 3000),
    "half": np.ones((3, 2), dtype="f2", order="F") * np.arange(2, dtype="f2"),
    "big_endian": np.arange(3, dtype=">i4"),
    "flags": np.array([True, False]),
    "no_axis": np.array(2.5),
    "nothing": np.zeros((0, 4), dtype="u2"),
}


def written(folder: Path, content: bytes) -> Path:
    path = folder / "x.pkl"
    path.write_bytes(content)
    return path


def loaded(value):
    return value.load() if isinstance(value, PickledArray) else value


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_plain_values_and_arrays_come_back_from_every_protocol_with_bytes(tmp_path, protocol):
    found = read_pickle(written(tmp_path, pickle.dumps(VALUES, protocol=protocol)))
    assert list(found) == list(VALUES)
    for name, expected in VALUES.items():
        value = loaded(found[name])
        assert type(value) is (np.ndarray if isinstance(expected, np.ndarray) else type(value))
        np.testing.assert_array_equal(value, expected)
        if isinstance(expected, np.ndarray):
            assert value.dtype == expected.dtype
            assert value.shape == expected.shape
    assert [type(number) for number in found["numbers"]] == [type(number) for number in VALUES["numbers"]]


@pytest.mark.parametrize("core", ["core", "_core"])
@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_paths_of_both_versions_of_numpy_are_known(tmp_path, core, protocol):
    content = pickle.dumps(VALUES["large"], protocol=protocol)
    # The frame's length would change with the names.
    content = content[:2] + content[11:] if protocol > 3 else content
    for own in ("_core", "core"):
        for module in ("multiarray", "numeric"):
            here, there = (f"numpy.{each}.{module}".encode() for each in (own, core))
            content = content.replace(bytes([0x8C, len(here)]) + here, bytes([0x8C, len(there)]) + there)
            content = content.replace(b"c" + here, b"c" + there)
    assert f"numpy.{core}.".encode() in content
    np.testing.assert_array_equal(read_pickle(written(tmp_path, content)).load(), VALUES["large"])


def as_numpy_2_writes(array: np.ndarray, order: str, *axes: int) -> bytes:
    """Protocol 5 of numpy 2, which tells the order of axes where numbers lie neither forwards nor backwards."""

    def text(value: str) -> bytes:
        return b"\x8c" + bytes([len(value)]) + value.encode()

    def whole(*numbers: int) -> bytes:
        return b"(" + b"".join(b"K" + bytes([number]) for number in numbers) + b"t"

    content, code = array.tobytes(), array.dtype.str
    dtype = text("numpy") + text("dtype") + b"\x93" + text(code[1:]) + b"\x89\x88\x87R"
    state = b"(K\x03" + text(code[0]) + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    buffer = b"\x96" + len(content).to_bytes(8, "little") + content
    arguments = buffer + dtype + state + whole(*array.shape) + text(order) + (whole(*axes) if axes else b"")
    call = text("numpy._core.numeric") + text("_frombuffer") + b"\x93"
    return b"\x80\x05" + call + b"(" + arguments + b"tR."


@pytest.mark.parametrize("dtype", ["<f2", ">f8", "<f4", ">i2"])
def test_axes_in_any_order_are_read_as_numpy_2_writes_them(tmp_path, dtype):
    stored = np.arange(24).reshape(2, 3, 4).astype(dtype)
    for order, axes, expected in (
        ("C", (), stored),
        ("F", (), stored.ravel().reshape(2, 3, 4, order="F")),
        ("K", (1, 2, 0), stored.transpose(1, 2, 0)),
        ("K", (0, 2, 1), stored.transpose(0, 2, 1)),
    ):
        found = read_pickle(written(tmp_path, as_numpy_2_writes(stored, order, *axes)))
        assert found.shape == expected.shape
        assert found.load().dtype == stored.dtype
        np.testing.assert_array_equal(found.load(), expected)


@pytest.mark.parametrize(
    ("order", "axes"), [("K", ()), ("K", (0, 1)), ("K", (0, 1, 1)), ("K", (0, 1, 3)), ("A", ()), ("A", (0, 1, 2))]
)
def test_axes_in_no_order_are_refused(tmp_path, order, axes):
    with pytest.raises(DataFormatError, match=r"x\.pkl.*axes are in no order"):
        read_pickle(written(tmp_path, as_numpy_2_writes(np.zeros((2, 3, 4)), order, *axes)))


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (b"\x8c\x01<", b"\x8c\x01S", "a number of no byte order"),
        (b"(" + b"K\x01" * 32 + b"t", b"(" + b"K\x01" * 33 + b"t", "an array of no shape"),
    ],
)
def test_an_array_that_numpy_would_not_make_is_refused(tmp_path, old, new, why):
    content = as_numpy_2_writes(np.zeros((1,) * 32), "C")
    assert read_pickle(written(tmp_path, content)).load().ndim == 32
    assert old in content
    with pytest.raises(DataFormatError, match=why):
        read_pickle(written(tmp_path, content.replace(old, new)))


def test_bytes_in_another_encoding_are_refused(tmp_path):
    content = b"\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00aX\x05\x00\x00\x00utf-8\x86R."
    with pytest.raises(DataFormatError, match="unknown encoding"):
        read_pickle(written(tmp_path, content))


def test_an_object_that_occurs_twice_is_one_object(tmp_path):
    shared = ["x"]
    one, other = read_pickle(written(tmp_path, pickle.dumps([shared, shared])))
    assert one is other
    assert one == ["x"]


def test_arrays_stay_in_the_file_until_they_are_asked_for(tmp_path):
    path = written(tmp_path, pickle.dumps([np.zeros(1_000_000) for _ in range(8)]))
    tracemalloc.start()
    try:
        arrays = read_pickle(path)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
        assert arrays[3].load().nbytes == 8_000_000
    finally:
        tracemalloc.stop()


def test_a_file_cut_after_it_was_read_is_told(tmp_path):
    path = written(tmp_path, pickle.dumps(VALUES["large"]))
    array = read_pickle(path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(DataFormatError, match=r"x\.pkl changed"):
        array.load()


# What plain values do not need


class Calls:
    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    ("value", "asked"),
    [
        (Calls(os.system, "touch was_run"), r"(posix|nt)\.system"),
        (Calls(eval, "open('was_run', 'w')"), r"(builtins|__builtin__)\.eval"),
        (Calls(np.load, "x.npy"), r"numpy[.\w]*\.load"),
        (Calls(np.fromfile, "x.npy"), r"numpy[.\w]*\.fromfile"),
        (collections.OrderedDict(a=1), r"collections\.OrderedDict"),
        (collections.Counter, r"collections\.Counter"),
        (complex(1, 2), r"(builtins|__builtin__)\.complex"),
        (np.ma.masked_array([1]), r"numpy\.ma[.\w]*"),
        (Path("x"), r"pathlib[.\w]*\.\w*Path"),
    ],
)
@pytest.mark.parametrize("protocol", [2, 4])
def test_anything_else_is_refused_by_its_name_and_not_run(tmp_path, monkeypatch, value, asked, protocol):
    monkeypatch.chdir(tmp_path)
    content = pickle.dumps(value, protocol=protocol)
    with pytest.raises(
        DataFormatError, match=rf"x\.pkl asks for {asked.replace('builtins', '(builtins|__builtin__)')}"
    ):
        read_pickle(written(tmp_path, content))
    assert [path.name for path in tmp_path.iterdir()] == ["x.pkl"]


def test_no_module_is_imported_for_a_name(tmp_path):
    assert "antigravity" not in sys.modules
    with pytest.raises(DataFormatError, match=r"antigravity\.geohash"):
        read_pickle(written(tmp_path, b"\x80\x02cantigravity\ngeohash\n."))
    assert "antigravity" not in sys.modules


@pytest.mark.parametrize(
    "content",
    [
        pickle.dumps(np.array(["text"])),
        pickle.dumps(np.array([{}], dtype=object)),
        pickle.dumps(np.array([1 + 2j])),
        pickle.dumps(np.zeros(2, dtype=[("a", "f4")])),
        pickle.dumps(np.array(["2020-01-01"], dtype="M8[D]")),
    ],
)
def test_arrays_of_what_is_no_number_are_refused(tmp_path, content):
    with pytest.raises(DataFormatError, match=r"x\.pkl.*(no number|code|asks for)"):
        read_pickle(written(tmp_path, content))


@pytest.mark.parametrize("value", [{1, 2}, frozenset([1]), bytearray(b"x" * 9), b"bytes", pickle.PickleBuffer(b"x")])
@pytest.mark.parametrize("wrap", [lambda value: value, lambda value: [(1, {"a": value})]])
def test_sets_and_bytes_are_no_plain_values(tmp_path, value, wrap):
    with pytest.raises(DataFormatError, match=r"x\.pkl"):
        read_pickle(written(tmp_path, pickle.dumps(wrap(value), protocol=5)))


@pytest.mark.parametrize("value", [b"bytes", [b""], {"a": (b"x",)}])
def test_bytes_that_protocol_2_writes_as_text_are_no_plain_values_either(tmp_path, value):
    with pytest.raises(DataFormatError, match=r"x\.pkl.*a piece of an array"):
        read_pickle(written(tmp_path, pickle.dumps(value, protocol=2)))


def test_the_protocol_of_text_is_refused(tmp_path):
    with pytest.raises(DataFormatError, match="pickle code"):
        read_pickle(written(tmp_path, pickle.dumps({"a": [1]}, protocol=0)))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no pickle",
        b"\x80\x04.",
        b"\x80\x04u.",
        b"\x80\x04(u.",
        b"\x80\x04N(a.",
        b"\x80\x04NN.",
        b"\x80\x04h\x07.",
        b"\x80\x04K\x01K\x02R.",
        b"\x80\x04Nb.",
        b"\x80\x04}]Ns.",
        b"\x80\x04}(Nu.",
        b"\x80\x04\x8c\x02\xff\xff.",
        b"\x80\x04\x8a\xff" + b"\x01" * 255 + b".",
        b"\x80\x04\x8e" + (2**62).to_bytes(8, "little") + b"x.",
        b"\x80\x04\x8d" + (2**63).to_bytes(8, "little") + b"x.",
        b"\x80\x02cnumpy\n" + b"n" * 300,
        b"\x80\x02cnumpy\ndtype\n.",
        b"\x80\x02cnumpy\ndtype\n)R.",
        b"\x80\x02cnumpy\ndtype\nX\x01\x00\x00\x00O\x85R.",
        b"\x80\x04\x85" * 3 + b".",
        b"\x80\x04)" + b"\x85" * 100_000 + b"N\x93.",
        b"\x80\x04" + b"\x85)" * 100_000 + b".",
    ],
)
def test_hostile_bytes_are_a_format_error_that_names_the_file(tmp_path, content):
    with pytest.raises((DataFormatError), match=r"x\.pkl"):
        read_pickle(written(tmp_path, content))


@pytest.mark.parametrize("shape", [b"K\x7fK\x7f\x86", b"K\x01K\x03\x86"])
def test_a_shape_that_its_bytes_do_not_fill_is_refused(tmp_path, shape):
    content = pickle.dumps(np.zeros((2, 3)), protocol=4).replace(b"K\x02K\x03\x86", shape)
    with pytest.raises(DataFormatError, match="shape"):
        read_pickle(written(tmp_path, content))


def test_an_empty_array_of_a_shape_beyond_all_memory_is_refused(tmp_path):
    content = pickle.dumps(np.zeros((0, 3)), protocol=4)
    large = b"\x8a\x08" + (2**62).to_bytes(8, "little")
    assert b"K\x00K\x03\x86" in content
    for shape in (large + b"K\x00\x86", large + large + b"K\x00\x87"):
        with pytest.raises(DataFormatError, match="beyond all memory"):
            read_pickle(written(tmp_path, content[:2] + content[11:].replace(b"K\x00K\x03\x86", shape)))


def test_an_array_that_never_gets_its_numbers_is_refused(tmp_path):
    call = b"\x80\x02cnumpy.core.multiarray\n_reconstruct\n)R"
    for content in (call + b".", b"\x80\x02](" + call[2:] + b"e."):
        with pytest.raises(DataFormatError, match="a piece of an array"):
            read_pickle(written(tmp_path, content))


@pytest.mark.parametrize("content", [b"N(\x85.", b"N(.", b"](Na.", b"](Ka0.", b"](\x94.", b"}(NNs.", b"KN(\x86t."])
def test_what_lies_below_a_mark_is_out_of_reach_as_it_is_for_pickle(tmp_path, content):
    with pytest.raises((pickle.UnpicklingError, IndexError, EOFError)):
        pickle.loads(content)
    with pytest.raises(DataFormatError, match=r"x\.pkl"):
        read_pickle(written(tmp_path, content))


def test_values_that_share_each_other_cost_no_more_than_their_bytes(tmp_path):
    doubling = b"".join(b"h" + bytes([n]) + b"h" + bytes([n]) + b"\x86\x94" for n in range(200))
    found = read_pickle(written(tmp_path, b"\x80\x04](N\x94" + doubling + b"e."))
    assert len(found) == 201
    assert found[-1][0] is found[-1][1] is found[-2]


def test_values_nested_a_million_deep_are_read_and_dropped(tmp_path):
    found = read_pickle(written(tmp_path, b"\x80\x04)" + b"\x85" * 1_000_000 + b"."))
    assert len(found) == 1
    with pytest.raises(DataFormatError, match="key"):
        read_pickle(written(tmp_path, b"\x80\x04})" + b"\x85" * 1_000_000 + b"Ns."))


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"x\.pkl"):
        read_pickle(tmp_path / "x.pkl")


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    cut=st.integers(0, 1200),
    changes=st.lists(st.tuples(st.integers(0, 1199), st.integers(0, 255)), max_size=6),
    protocol=st.integers(2, 5),
)
def test_damaged_bytes_are_a_format_error_or_values(tmp_path, cut, changes, protocol):
    small = {name: value for name, value in VALUES.items() if name != "large"}
    content = bytearray(pickle.dumps(small, protocol=protocol))
    for place, byte in changes:
        content[place % len(content)] = byte
    path = written(tmp_path, bytes(content[: cut or None]))
    with contextlib.suppress(DataFormatError):
        found = read_pickle(path)
        for value in found.values() if isinstance(found, dict) else [found]:
            loaded(value)


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(content=st.binary(max_size=60))
def test_any_bytes_are_a_format_error_or_a_value(tmp_path_factory, content):
    path = written(tmp_path_factory.mktemp("any"), b"\x80\x04" + content)
    with contextlib.suppress(DataFormatError):
        assert not isinstance(read_pickle(path), bytes)
