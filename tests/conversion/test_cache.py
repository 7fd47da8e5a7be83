"""The cache of motions, where its folder or its entries are not as they should be."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import numpy as np
import pytest

from har_virtual.conversion.cache import MotionCache, file_sha256
from har_virtual.conversion.motions import ClipMotions
from har_virtual.exceptions import DataWarning, VideoError

MOTIONS = ClipMotions([], {"video": "walk.mp4", "n_frames": 3})


def test_what_is_put_is_got_and_another_key_is_not(tmp_path):
    cache = MotionCache(tmp_path)
    assert cache.get("a") is None
    cache.put("a", MOTIONS)
    assert cache.get("a").report == MOTIONS.report
    assert cache.get("b") is None


def test_without_a_folder_nothing_is_kept():
    cache = MotionCache(None)
    cache.put("a", MOTIONS)
    assert cache.get("a") is None


def test_a_folder_that_cannot_be_made_is_one_warning_and_no_error(tmp_path):
    (tmp_path / "file").touch()
    cache = MotionCache(tmp_path / "file")
    with pytest.warns(DataWarning, match="cannot be kept there") as caught:
        cache.put("a", MOTIONS)
    assert len(caught) == 1
    assert cache.get("a") is None


@pytest.mark.parametrize("header", ["[]", "3", "{", '{"persons": [{}], "report": {}}', '{"persons": 1, "report": 2}'])
def test_an_entry_with_another_header_counts_as_none(tmp_path, header):
    cache = MotionCache(tmp_path)
    cache.put("a", MOTIONS)
    with cache.path("a").open("wb") as file:
        np.savez(file, header=np.array(header))
    assert cache.get("a") is None


@pytest.mark.parametrize("content", [b"", b"garbage", b"PK\x03\x04 cut off", b"\x93NUMPY"])
def test_a_damaged_entry_counts_as_none_and_is_made_anew(tmp_path, content):
    cache = MotionCache(tmp_path)
    cache.put("a", MOTIONS)
    cache.path("a").write_bytes(content)
    assert cache.get("a") is None
    cache.put("a", MOTIONS)
    assert cache.get("a").report == MOTIONS.report


@pytest.mark.parametrize("path", ["missing.mp4", "/proc/self/mem", "a\0b.mp4", "x" * 300, "."])
def test_what_cannot_be_read_is_a_video_error_that_names_it(path):
    with pytest.raises(VideoError) as error:
        file_sha256(Path(path))
    assert str(error.value).startswith(f"{path}: ")


def test_a_pipe_is_no_video_and_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    errors = []

    def read():
        try:
            file_sha256(tmp_path / "pipe")
        except VideoError as error:
            errors.append(error)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    thread.join(timeout=5)
    assert len(errors) == 1


def test_the_hash_follows_the_content(tmp_path):
    path = tmp_path / "walk.mp4"
    path.write_bytes(b"one")
    first = file_sha256(path)
    path.write_bytes(b"three")
    assert file_sha256(path) != first
    path.write_bytes(b"one")
    assert file_sha256(path) == first
