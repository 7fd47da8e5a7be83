"""Archives are read member by member; nothing of them reaches a place outside."""

from __future__ import annotations

import contextlib
import errno
import io
import shutil
import stat
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_dataset import zipped

from har_virtual.datasets._archives import extract, open_members, unpack
from har_virtual.exceptions import DataFormatError

FUZZ = settings(max_examples=60, deadline=None, derandomize=True, database=None)
TEXT = b"time,x\n" + b"".join(b"%d,%d\n" % (i, i * i) for i in range(400))


def read_all(archive: bytes) -> dict[str, bytes]:
    found = {}
    with open_members(io.BytesIO(archive), "a.zip") as members:
        for name in members.names():
            with members.open(name) as member:
                found[name] = member.read()
    return found


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.zip"


def test_members_are_read_as_they_were_written_in_the_order_of_the_archive():
    members = {"b/two.csv": TEXT, "a.txt": b"", "ü/ñ.txt": b"1"}
    assert list(read_all(zipped(members)).items()) == list(members.items())


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_every_compression_of_zipfile_is_read(compression):
    assert read_all(zipped({"a": TEXT}, compression)) == {"a": TEXT}


def test_a_member_can_be_read_line_by_line(path):
    path.write_bytes(zipped({"a.csv": TEXT}))
    with open_members(path) as archive, archive.open("a.csv") as member:
        assert len(list(member)) == 401


def test_an_archive_in_an_archive_is_read_and_named(path):
    path.write_bytes(zipped({"in.zip": zipped({"a.csv": TEXT}), "bad.zip": b"PK"}))
    with open_members(path) as archive:
        with archive.nested("in.zip") as inner, inner.open("a.csv") as member:
            assert member.read() == TEXT
        with pytest.raises(DataFormatError, match=r"a\.zip: bad\.zip: damaged archive"), archive.nested("bad.zip"):
            pass


def test_what_macos_adds_is_not_there():
    members = {"a.csv": b"1", "__MACOSX/._a.csv": b"2", "b/.DS_Store": b"3", "b/": b""}
    assert list(read_all(zipped(members))) == ["a.csv"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../x", "points outside"),
        ("a/../../x", "points outside"),
        ("..", "points outside"),
        ("/x", "points outside"),
        ("C:\\x", "points outside"),
        ("C:x", "points outside"),
        ("a\\..\\b", "points outside"),
        ("\\\\server\\x", "points outside"),
        ("../__MACOSX", "points outside"),
        (".", "no proper name"),
        ("a\nb", "no proper name"),
        ("a.csv\0../x", "no proper name"),
    ],
)
def test_a_member_that_points_outside_is_refused_before_anything_is_written(path, tmp_path, name, reason):
    path.write_bytes(zipped({"good.csv": b"1", name: b"2"}))
    with pytest.raises(DataFormatError, match=reason) as error:
        extract(path, tmp_path / "out")
    assert str(path) in str(error.value)
    assert repr(name) in str(error.value)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_a_link_or_a_device_is_refused(path, kind):
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo("passwords")
        info.external_attr = (kind | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(DataFormatError, match=r"'passwords' is no file but a link"), open_members(path):
        pass


def test_an_encrypted_member_is_refused():
    archive = bytearray(zipped({"a.csv": TEXT}))
    # The first of the general purpose bits, in the local header and in the directory.
    archive[6] |= 1
    archive[archive.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(DataFormatError, match=r"'a\.csv' is encrypted"):
        read_all(bytes(archive))


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("again", ["a/b.csv", "a//b.csv", "./a/b.csv"])
def test_a_name_that_is_there_twice_is_refused(path, again):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/b.csv", "1")
        archive.writestr(again, "2")
    with pytest.raises(DataFormatError, match="is there twice"), open_members(path):
        pass


def test_a_file_that_is_also_a_folder_is_refused():
    with pytest.raises(DataFormatError, match="'a/b' is both a file and a folder"):
        read_all(zipped({"a/b": b"1", "a/b/c": b"2"}))


def test_a_wrong_checksum_is_damage_and_leaves_no_file(path, tmp_path):
    archive = bytearray(zipped({"first.csv": b"1", "a.csv": TEXT}, zipfile.ZIP_STORED))
    archive[archive.index(b"100,10000")] ^= 1
    path.write_bytes(archive)
    with pytest.raises(DataFormatError, match=r"a\.zip: damaged archive, member 'a\.csv' \(Bad CRC-32.*download it"):
        extract(path, tmp_path / "out")
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["first.csv"]


def test_an_unknown_compression_is_damage():
    archive = bytearray(zipped({"a.csv": TEXT}))
    archive[8] = 77
    archive[archive.index(b"PK\x01\x02") + 10] = 77
    with pytest.raises(DataFormatError, match=r"damaged archive, member 'a\.csv'"):
        read_all(bytes(archive))


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_truncated_archive_is_damage(path, share):
    whole = zipped({"a.csv": TEXT})
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(DataFormatError, match=r"a\.zip: damaged archive .*download it anew"), open_members(path):
        pass


def test_errors_of_the_caller_and_of_the_disk_stay_what_they_are(path, tmp_path):
    path.write_bytes(zipped({"a.csv": TEXT}))
    with pytest.raises(ValueError, match="mine"), open_members(path) as archive, archive.open("a.csv"):
        raise ValueError("mine")
    with pytest.raises(FileNotFoundError), open_members(tmp_path / "none.zip"):
        pass
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        extract(path, tmp_path / "file" / "out")


def test_a_full_disk_is_no_damage_and_leaves_no_half_of_a_file(path, tmp_path, monkeypatch):
    def fill(source, target, *_):
        target.write(source.read(10))
        raise OSError(errno.ENOSPC, "No space left on device")

    path.write_bytes(zipped({"a.csv": TEXT}))
    monkeypatch.setattr(shutil, "copyfileobj", fill)
    with pytest.raises(OSError, match="No space left") as error:
        extract(path, tmp_path / "out")
    assert type(error.value) is OSError
    assert list((tmp_path / "out").iterdir()) == []


def test_a_member_that_is_not_there_is_named(path):
    path.write_bytes(zipped({"a.csv": b"1"}))
    missing = pytest.raises(DataFormatError, match=r"a\.zip has no member 'b\.csv'")
    with open_members(path) as archive, missing, archive.open("b.csv"):
        pass


def test_only_the_selected_members_are_written(path, tmp_path):
    path.write_bytes(zipped({"a/1.csv": b"1", "a/2.txt": b"2", "b/3.csv": b"3"}))
    out = tmp_path / "out"
    assert extract(path, out, select=lambda name: name.endswith(".csv")) == [out / "a/1.csv", out / "b/3.csv"]
    assert sorted(file.relative_to(out).as_posix() for file in out.rglob("*.*")) == ["a/1.csv", "b/3.csv"]
    assert (out / "b/3.csv").read_bytes() == b"3"


@FUZZ
@given(st.binary(max_size=200))
def test_random_bytes_are_no_archive(content):
    with pytest.raises(DataFormatError, match="damaged archive"):
        read_all(content)


@FUZZ
@given(
    st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=4),
)
def test_damaged_bytes_give_an_error_or_what_was_written(compression, damage):
    members = {"a.csv": TEXT, "b/c.txt": b"12"}
    archive = bytearray(zipped(members, compression))
    for place, byte in damage:
        archive[int(place * len(archive))] = byte
    try:
        found = read_all(bytes(archive))
    except DataFormatError:
        return
    # A name has no checksum, but a content has.
    assert set(found.values()) <= set(members.values())


@FUZZ
@given(st.lists(st.text(st.sampled_from("ab./\\:é\n"), min_size=1, max_size=8), min_size=1, max_size=3, unique=True))
def test_whatever_the_names_nothing_is_written_outside(tmp_path_factory, names):
    folder = tmp_path_factory.mktemp("names")
    (folder / "a.zip").write_bytes(zipped(dict.fromkeys(names, b"1")))
    try:
        written = extract(folder / "a.zip", folder / "in" / "out")
    except DataFormatError:
        written = []
    files = {file for file in folder.rglob("*") if file.is_file()}
    assert files == {folder / "a.zip", *written}
    assert all(file.is_relative_to(folder / "in" / "out") for file in written)


def tarred(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def test_a_tar_archive_is_unpacked_and_any_other_file_is_copied(tmp_path):
    unpack(tarred(tmp_path / "a.tar.gz", {"deep/a.csv": TEXT}), tmp_path / "new")
    (tmp_path / "b.json").write_bytes(b"{}")
    unpack(tmp_path / "b.json", tmp_path / "new")
    assert (tmp_path / "new" / "deep" / "a.csv").read_bytes() == TEXT
    assert (tmp_path / "new" / "b.json").read_bytes() == b"{}"


@pytest.mark.parametrize("name", ["../a.csv", "/tmp/har_virtual_outside.csv", "deep/../../a.csv"])
def test_a_member_of_a_tar_archive_that_points_outside_is_refused_or_stays_inside(tmp_path, name):
    path = tarred(tmp_path / "a.tgz", {name: TEXT})
    with contextlib.suppress(DataFormatError):
        unpack(path, tmp_path / "new" / "inner")
    outside = [p for p in tmp_path.rglob("*.csv") if tmp_path / "new" / "inner" not in p.parents]
    assert outside == []
    assert not Path("/tmp/har_virtual_outside.csv").exists()


@pytest.mark.parametrize("n_bytes", [0, 10, 200])
def test_a_cut_tar_archive_is_an_error_that_names_it(tmp_path, n_bytes):
    path = tarred(tmp_path / "a.tar.gz", {"a.csv": TEXT * 9})
    path.write_bytes(path.read_bytes()[:n_bytes])
    with pytest.raises(DataFormatError, match=r"a\.tar\.gz: damaged archive"):
        unpack(path, tmp_path / "new")


def test_one_wrong_bit_in_a_tar_archive_is_noticed(tmp_path):
    noise = np.random.default_rng(0).bytes(20_000)
    path = tarred(tmp_path / "a.tar.gz", {"a.bin": noise})
    content = bytearray(path.read_bytes())
    content[10_000] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataFormatError, match=r"a\.tar\.gz: damaged archive"):
        unpack(path, tmp_path / "new")
