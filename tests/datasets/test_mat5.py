from __future__ import annotations

import re
import zlib
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from har_virtual.datasets._mat5 import read_mat5
from har_virtual.exceptions import DataFormatError

ARRAY = np.arange(24.0).reshape(2, 3, 4) / 7


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "trial.mat"


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8", "bool"])
def test_arrays_of_every_type_of_number_are_read_as_scipy_reads_them(path, dtype, compressed):
    savemat(path, {"x": (100 * ARRAY).astype(dtype)}, do_compression=compressed)
    read = read_mat5(path, "x")
    assert read.dtype == np.float64
    np.testing.assert_array_equal(read, loadmat(path)["x"])


@pytest.mark.parametrize("value", [np.int8(3), np.array([[1, 2]], dtype="u2"), np.ones((0, 6)), ARRAY.T, ARRAY[0]])
@pytest.mark.parametrize("name", ["x", "name", "a_long_name"])
def test_small_and_empty_arrays_and_names_of_any_length_are_read(path, name, value):
    savemat(path, {name: value})
    np.testing.assert_array_equal(read_mat5(path, name), loadmat(path)[name])


def test_the_variable_is_found_among_others_of_any_kind(path):
    savemat(path, {"text": "abc", "record": {"a": 1}, "cells": np.array([1, "b"], dtype=object), "x": ARRAY})
    np.testing.assert_array_equal(read_mat5(path, "x"), ARRAY)
    with pytest.raises(DataFormatError, match=r"trial\.mat has no variable y"):
        read_mat5(path, "y")


@pytest.mark.parametrize("value", ["text", {"a": 1}, np.array([1, "b"], dtype=object), 1j * ARRAY])
def test_what_is_no_array_of_real_numbers_is_refused(path, value):
    savemat(path, {"x": value})
    with pytest.raises(DataFormatError, match=r"trial\.mat.*no full array of real numbers"):
        read_mat5(path, "x")


@pytest.mark.parametrize("content", [b"", b"text" * 50, b"\x89HDF\r\n\x1a\n" + bytes(600), b"PK\x03\x04"])
def test_other_files_are_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(DataFormatError, match=r"trial\.mat is no MATLAB 5 file"):
        read_mat5(path, "x")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (np.array([2, 3, 4], dtype="<i4").tobytes(), np.array([-1, 3, 4], dtype="<i4").tobytes()),
        (np.array([2, 3, 4], dtype="<i4").tobytes(), np.array([2, 3, 5], dtype="<i4").tobytes()),
        # The name x, of one byte, which stands in the tag itself: there is no room for five.
        (b"\x01\x00\x01\x00x\x00\x00\x00", b"\x01\x00\x05\x00x\x00\x00\x00"),
    ],
)
def test_dimensions_and_sizes_that_make_no_sense_are_refused(path, old, new):
    savemat(path, {"x": ARRAY})
    content = path.read_bytes()
    assert content.count(old) == 1
    path.write_bytes(content.replace(old, new))
    with pytest.raises(DataFormatError, match=r"trial\.mat cannot be read"):
        read_mat5(path, "x")


@pytest.mark.parametrize("compressed", [True, False])
def test_a_truncated_file_is_refused_wherever_it_ends(path, compressed):
    savemat(path, {"x": ARRAY}, do_compression=compressed)
    whole = path.read_bytes()
    for stop in range(len(whole)):
        path.write_bytes(whole[:stop])
        with pytest.raises(DataFormatError, match=r"trial\.mat"):
            read_mat5(path, "x")


def test_a_bad_checksum_is_refused(path):
    savemat(path, {"x": ARRAY}, do_compression=True)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataFormatError, match="incorrect data check"):
        read_mat5(path, "x")


def packed(body: bytes) -> bytes:
    content = zlib.compress(body)
    return np.array([15, len(content)], dtype="<u4").tobytes() + content


def test_what_is_compressed_twice_is_not_looked_into(path):
    savemat(path, {"x": ARRAY})
    whole = path.read_bytes()
    path.write_bytes(whole[:128] + packed(whole[128:]))
    np.testing.assert_array_equal(read_mat5(path, "x"), ARRAY)
    nested = whole[128:]
    for _ in range(2000):
        nested = packed(nested)
    path.write_bytes(whole[:128] + nested)
    with pytest.raises(DataFormatError, match="no variable x"):
        read_mat5(path, "x")


def test_a_compressed_array_that_is_too_large_is_refused(path, monkeypatch):
    savemat(path, {"x": np.zeros(4000)}, do_compression=True)
    assert read_mat5(path, "x").shape == (1, 4000)
    monkeypatch.setattr("har_virtual.datasets._mat5._MAX_ARRAY_BYTES", 10_000)
    with pytest.raises(DataFormatError, match=r"trial\.mat.*more than 10000 bytes"):
        read_mat5(path, "x")


def test_damaged_bytes_give_an_array_or_a_named_file(path):
    savemat(path, {"x": ARRAY})
    whole, rng, n_refused = path.read_bytes(), np.random.default_rng(0), 0
    for _ in range(2000):
        damaged = np.frombuffer(whole, dtype=np.uint8).copy()
        places = rng.integers(116, 192, size=3)
        damaged[places] = rng.integers(256, size=3)
        # Inside a compressed element, too, where the checksum would otherwise catch all.
        for content in (damaged.tobytes(), damaged[:128].tobytes() + packed(damaged[128:].tobytes())):
            path.write_bytes(content)
            try:
                assert read_mat5(path, "x").dtype == np.float64
            except DataFormatError as refused:
                n_refused += bool(re.search(r"trial\.mat", str(refused)))
                continue
    assert n_refused > 1000


def test_the_files_of_utd_mhad_are_read_as_scipy_reads_them(test_data):
    for folder, variable in (("Inertial", "d_iner"), ("Skeleton", "d_skel")):
        paths = sorted((test_data / "utd_mhad" / folder).glob("*_s1_*.mat"))
        assert len(paths) == 107
        for path in paths:
            np.testing.assert_array_equal(read_mat5(path, variable), loadmat(path)[variable])
