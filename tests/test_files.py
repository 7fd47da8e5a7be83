"""Files appear whole or not at all."""

from __future__ import annotations

import hashlib
import os
import stat

import pytest

from har_virtual import files
from har_virtual.files import atomic_path


def test_the_file_appears_when_the_block_ends(tmp_path):
    path = tmp_path / "new" / "result.json"
    with atomic_path(path) as temporary:
        temporary.write_text("whole")
        assert not path.exists()
        assert (temporary.parent, temporary.suffix) == (path.parent, ".json")
    assert path.read_text() == "whole"
    assert list(path.parent.iterdir()) == [path]


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "result.json"
    path.write_text("old")
    with (
        pytest.raises(UnicodeEncodeError),
        atomic_path(path) as temporary,
        temporary.open("w", encoding="ascii") as file,
    ):
        file.writelines(["half", "ä"])
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_two_writers_of_one_file_do_not_meet(tmp_path):
    with atomic_path(tmp_path / "a") as first, atomic_path(tmp_path / "a") as second:
        assert first != second
        first.write_text("first")
        second.write_text("second")
    assert (tmp_path / "a").read_text() == "first"


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_others_may_read_the_file_as_the_umask_says(tmp_path):
    before = os.umask(0o027)
    try:
        with atomic_path(tmp_path / "a") as temporary:
            temporary.write_text("x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


def test_a_hash_is_remembered_by_other_processes_until_the_file_changes(tmp_path, monkeypatch):
    monkeypatch.setenv("HAR_VIRTUAL_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "a.bin"
    path.write_bytes(b"one")
    expected = hashlib.sha256(b"one").hexdigest()
    assert files.remembered_sha256(path) == expected
    with monkeypatch.context() as patch:
        patch.setattr(files, "content_sha256", lambda path: pytest.fail("was read again"))
        assert files.remembered_sha256(path) == expected
    path.write_bytes(b"other")
    assert files.remembered_sha256(path) == hashlib.sha256(b"other").hexdigest()


@pytest.mark.parametrize("damage", ["", "[1]", '"x"', "{"])
def test_a_damaged_note_of_a_hash_is_made_anew(tmp_path, monkeypatch, damage):
    monkeypatch.setenv("HAR_VIRTUAL_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "a.bin"
    path.write_bytes(b"one")
    files.remembered_sha256(path)
    next((tmp_path / "cache" / "sha256").iterdir()).write_text(damage)
    assert files.remembered_sha256(path) == hashlib.sha256(b"one").hexdigest()


def test_a_cache_that_cannot_be_written_costs_only_time(tmp_path, monkeypatch):
    (tmp_path / "cache").write_text("a file, no folder")
    monkeypatch.setenv("HAR_VIRTUAL_CACHE", str(tmp_path / "cache"))
    (tmp_path / "a.bin").write_bytes(b"one")
    assert files.remembered_sha256(tmp_path / "a.bin") == hashlib.sha256(b"one").hexdigest()


def test_the_same_size_and_modification_time_do_not_hide_another_content(tmp_path, monkeypatch):
    monkeypatch.setenv("HAR_VIRTUAL_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "a.bin"
    path.write_bytes(b"one")
    files.remembered_sha256(path)
    before = path.stat()
    path.write_bytes(b"two")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert files.content_sha256(path) == files.remembered_sha256(path) == hashlib.sha256(b"two").hexdigest()


def test_the_cache_s_folder_may_be_named_from_the_user_s(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HAR_VIRTUAL_CACHE", "~/kept")
    assert files.cache_home() == tmp_path / "kept"
