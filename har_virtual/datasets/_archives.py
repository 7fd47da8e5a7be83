"""Archives unpacked; zip archives read member by member, every name checked first, every byte by its checksum."""

from __future__ import annotations

import errno
import gzip
import io
import lzma
import re
import shutil
import stat
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any, BinaryIO

from har_virtual.exceptions import DataFormatError
from har_virtual.files import atomic_path

# What zipfile and the decompressors raise for damaged bytes, on purpose or not.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    RuntimeError,
    ValueError,
    OverflowError,
    LookupError,
)
_SPOOL_BYTES = 64 * 2**20


class Archive:
    """The files of an open zip archive; made by `open_members`.

    Parameters
    ----------
    file : ZipFile
    where : str
        How messages name the archive.

    Raises
    ------
    DataFormatError
        If the name of a member leaves the archive or is there twice, or a member is encrypted or a link.
    """

    def __init__(self, file: zipfile.ZipFile, where: str) -> None:
        self.where = where
        self._file = file
        self._members = _checked_members(file, where)

    def names(self) -> list[str]:
        """Give the files, POSIX paths in the order of the archive, without what macOS adds."""
        return list(self._members)

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """Open a member to read its bytes from first to last.

        Raises
        ------
        DataFormatError
            At once if there is no such member, while reading if it is damaged.
        """
        if name not in self._members:
            raise DataFormatError(f"{self.where} has no member {name!r}.")
        with _damage_named(self.where, name):
            stream = self._file.open(self._members[name])
        with stream:
            yield io.BufferedReader(_Member(stream, self.where, name))

    @contextmanager
    def nested(self, name: str) -> Iterator[Archive]:
        """Open a member that is itself a zip archive; a large one waits in a temporary file."""
        with tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES) as copy:
            with self.open(name) as member:
                shutil.copyfileobj(member, copy)
            copy.seek(0)
            with open_members(copy, f"{self.where}: {name}") as archive:
                yield archive


@contextmanager
def open_members(path: Path | BinaryIO | Any, where: str | None = None) -> Iterator[Archive]:
    """Open a zip archive after a look at the names of all its members.

    Parameters
    ----------
    path : Path or seekable binary file
    where : str, optional
        How messages name the archive; default: the path.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    DataFormatError
        If the file is no whole archive; a member is encrypted, a link, there twice, or points outside.
    """
    where = where or str(path)
    with _damage_named(where):
        file = zipfile.ZipFile(path)
    with file:
        yield Archive(file, where)


def extract(path: Path, folder: Path, *, select: Callable[[str], bool] | None = None) -> list[Path]:
    """Write the members of a zip archive below `folder`; each file appears whole or not at all.

    Parameters
    ----------
    path : Path
    folder : Path
        Made if it is not there; files of the same names are replaced.
    select : callable, optional
        From a member's name to whether it is wanted; default: all are.

    Returns
    -------
    list of Path
        The files that were written, in the order of the archive.

    Raises
    ------
    DataFormatError
        As `open_members`, before a file is written; or at the first damaged member.
    """
    with open_members(path) as archive:
        names = [name for name in archive.names() if select is None or select(name)]
        for name in names:
            with archive.open(name) as member, atomic_path(folder / name) as temporary, temporary.open("wb") as file:
                shutil.copyfileobj(member, file, 2**20)
    return [folder / name for name in names]


def unpack(path: Path, folder: Path) -> None:
    """Unpack a zip or a tar archive, by its name; any other file is copied as it is.

    Raises
    ------
    DataFormatError
        If an archive is damaged, or a member points outside of it.
    """
    if path.suffix == ".zip":
        extract(path, folder)
    elif path.name.endswith((".tar", ".tar.gz", ".tgz")):
        try:
            with tarfile.open(path) as archive:
                archive.extractall(folder, filter="data")
                # What gzip has of a checksum stands behind the last member.
                while archive.fileobj is not None and archive.fileobj.read(2**20):
                    pass
        except (*_DAMAGE, tarfile.TarError, gzip.BadGzipFile) as error:
            raise DataFormatError(f"{path}: damaged archive ({error or type(error).__name__}); get it anew.") from error
    else:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / path.name)


class _Member(io.RawIOBase):
    """The bytes of one member; damage is told as `DataFormatError`."""

    def __init__(self, stream: IO[bytes], where: str, name: str) -> None:
        self._stream, self._where, self._name = stream, where, name

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with _damage_named(self._where, self._name):
            data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


@contextmanager
def _damage_named(where: str, member: str | None = None) -> Iterator[None]:
    what = "damaged archive" if member is None else f"damaged archive, member {member!r}"
    try:
        yield
    except _DAMAGE as error:
        raise DataFormatError(f"{where}: {what} ({error or type(error).__name__}); download it anew.") from error
    except OSError as error:
        # A seek to nowhere, or bz2's way to say that bytes are wrong; the rest is the disk's.
        if error.errno not in (None, errno.EINVAL):
            raise
        raise DataFormatError(f"{where}: {what} ({error}); download it anew.") from error


def _checked_members(file: zipfile.ZipFile, where: str) -> dict[str, zipfile.ZipInfo]:
    """Give the files by their tidy names; any member that should not be there is an error."""
    members: dict[str, zipfile.ZipInfo] = {}
    for info in file.infolist():
        reason = _reason_against(info)
        name = "/".join(part for part in info.orig_filename.split("/") if part not in ("", "."))
        if reason is None and name in members:
            reason = "is there twice"
        if reason is not None:
            raise _refused(where, info.orig_filename, reason)
        if not info.orig_filename.endswith("/") and not _is_clutter(name):
            members[name] = info
    for folder in {parent.as_posix() for name in members for parent in PurePosixPath(name).parents}:
        if folder in members:
            raise _refused(where, folder, "is both a file and a folder")
    return members


def _refused(where: str, name: str, reason: str) -> DataFormatError:
    return DataFormatError(
        f"{where}: member {name!r} {reason}, so nothing of this archive is read; get it from the data set's own page."
    )


def _reason_against(info: zipfile.ZipInfo) -> str | None:
    # ZipInfo.filename is cut at a NUL and, on Windows, has its backslashes turned.
    name, kind = info.orig_filename, stat.S_IFMT(info.external_attr >> 16)
    if name.startswith("/") or re.match("[A-Za-z]:", name) or "\\" in name or ".." in name.split("/"):
        return "points outside the archive"
    if not name.strip("./") or any(character < " " for character in name):
        return "has no proper name"
    if info.flag_bits & 1:
        return "is encrypted"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is no file but a link or a device"
    return None


def _is_clutter(name: str) -> bool:
    parts = name.split("/")
    return parts[0] == "__MACOSX" or parts[-1] == ".DS_Store"
