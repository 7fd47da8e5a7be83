"""Data sets from their own servers: terms first, then a download that goes on where it stopped, then a check."""

from __future__ import annotations

import errno
import json
import logging
import os
import secrets
import shlex
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from har_virtual.datasets._archives import extract, unpack
from har_virtual.datasets._download import ResumingDownloader
from har_virtual.exceptions import DataFormatError, DownloadError, TermsError
from har_virtual.files import atomic_path, content_sha256

if TYPE_CHECKING:
    from har_virtual.datasets.catalogue import Catalogued

_logger = logging.getLogger(__name__)


class Source(NamedTuple):
    """Where a data set's archive lies, and under which terms.

    Parameters
    ----------
    url, file_name : str
        Of the archive; `file_name` is its name on disk.
    size_bytes : int or None
        To be shown before the download.
    sha256 : str or None
        Of the archive; if None, that of the first download is written down and checked from then on.
    licence, page : str
        What a user is shown first.
    """

    url: str
    file_name: str
    size_bytes: int | None
    sha256: str | None
    licence: str
    page: str

    def describe(self) -> str:
        """Give licence, page, address and size, one a line."""
        size = "size unknown" if self.size_bytes is None else f"{self.size_bytes / 1e6:,.0f} MB"
        return f"  licence  {self.licence}\n  page     {self.page}\n  file     {self.url} ({size})"


def fetch_dataset(
    dataset: str | Catalogued, data_home: str | os.PathLike, *, accept_terms: bool = False, verbose: int = 1
) -> Path:
    """Download a data set from its own server and unpack it; where it is there already, check it.

    A download that was cut goes on where it stopped. The archive stays in `data_home`; a small JSON file beside it has
    its sha256 and the sizes of the files that came out of it, by which every later call checks both. An archive that
    was put there by hand is taken. The data set's folder appears when all of it is unpacked.

    One process at a time fetches an archive: a file ``.lock`` beside it tells the others, for which this is an error.
    Only a process that was killed leaves it behind; then it is to be deleted by hand.

    Parameters
    ----------
    dataset : str, DataSet or VideoCollection
        Such as "pamap2".
    data_home : path-like
        Folder for the archive and the data set; made if it is not there.
    accept_terms : bool, default=False
        State that you accept the terms of the data set. Needed where something is to be downloaded.
    verbose : int, default=1
        0 for no progress bar.

    Returns
    -------
    Path
        The data set's home, for its loader.

    Raises
    ------
    TermsError
        If `accept_terms` is False; it shows licence, page and size.
    DownloadError
        If there is no connection, no space, no such file any more, or it is another one than before; if another
        process is fetching it; or if the data set is to be had by a form only. It says what to do by hand.
    """
    if isinstance(dataset, str):
        # The loaders, which the registry holds, import this module.
        from har_virtual.datasets.registry import find_any

        dataset = find_any(dataset)
    source = dataset.source
    if source is None:
        raise DownloadError(
            f"{heading(dataset.title)} cannot be fetched by a program: it has to be asked for, or no lasting "
            f"address is known.\n{_how_to_get(dataset)}"
        )
    archive = Path(data_home).expanduser() / source.file_name
    home = _already_there(dataset, source, archive)
    if home is not None:
        return home
    with _explained(dataset.title, source, archive):
        if not archive.is_file() and not accept_terms:
            raise TermsError(_ask_for_consent(dataset, source, data_home))
        with _locked(archive):
            # Another process may have brought it since.
            home = _already_there(dataset, source, archive)
            if home is None:
                home = _bring(dataset, source, archive, show_progress=verbose > 0)
    return home


def heading(title: str) -> str:
    """Give a data set's title as it stands at the beginning of a line."""
    return title[:1].upper() + title[1:]


def _ask_for_consent(dataset: Catalogued, source: Source, data_home: str | os.PathLike) -> str:
    where = os.fspath(data_home)
    return (
        f"{heading(dataset.title)} is downloaded when you accept its terms:\n{source.describe()}\n"
        f"To do so: fetch_dataset({dataset.name!r}, {where!r}, accept_terms=True), or on the command line\n"
        f"  har-virtual datasets fetch {dataset.name} {shlex.quote(where)} --accept-terms"
    )


def _how_to_get(dataset: Catalogued) -> str:
    """Give the section of the card that says so."""
    _, _, rest = dataset.describe().partition("## How to get it")
    return rest.partition("\n## ")[0].strip() or dataset.describe().strip()


def _already_there(dataset: Catalogued, source: Source, archive: Path) -> Path | None:
    """Give the home if all of it is there; an archive that is another one is an error."""
    record = _read_record(archive)
    _check_archive(archive, source.sha256 or record.get("sha256"))
    return _whole_home(dataset, archive.parent, record)


def _bring(dataset: Catalogued, source: Source, archive: Path, *, show_progress: bool) -> Path:
    if not archive.is_file():
        _logger.info("%s:\n%s", heading(dataset.title), source.describe())
        known_sha256 = source.sha256 or _read_record(archive).get("sha256")
        _download(source.url, archive, known_sha256, show_progress=show_progress)
    home, files = _unpack(dataset, archive)
    _write_record(archive, source, home, files)
    return home


class _BusyError(DownloadError):
    """Another process is at work on the same archive."""


@contextmanager
def _locked(archive: Path) -> Iterator[None]:
    """Keep other processes from the archive and from what comes out of it."""
    lock = archive.with_name(f"{archive.name}.lock")
    lock.parent.mkdir(parents=True, exist_ok=True)
    try:
        lock.touch(exist_ok=False)
    except FileExistsError:
        raise _BusyError(
            f"{archive} is being fetched by another process: wait until that is done, and fetch again. If there is no "
            f"such process any more (it was killed), delete {lock} first; what is there already is kept."
        ) from None
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


def _check_archive(archive: Path, known_sha256: str | None) -> None:
    if archive.is_file() and known_sha256 is not None and content_sha256(archive) != known_sha256:
        raise DownloadError(
            f"{archive} is not what it should be (its sha256 is another than {known_sha256}): it is damaged, was "
            f"changed, or is of another version. Delete it to fetch it again; to take it as it is, unpack it by hand."
        )


def _whole_home(dataset: Catalogued, folder: Path, record: Mapping[str, Any]) -> Path | None:
    """Give the home if it holds all that came out of the archive, or, without a record, all that was published."""
    if record:
        home = folder / record["home"]
        sizes = record["files"]
    else:
        home = _find_home(dataset, _places(dataset, folder))
        sizes = dict.fromkeys(dataset.published())
    if home is None or not sizes:
        return None
    whole = all(_has_size(home / file, size) for file, size in sizes.items())
    return home if whole else None


def _has_size(path: Path, size: int | None) -> bool:
    return path.is_file() and size in (None, path.stat().st_size)


def _find_home(dataset: Catalogued, candidates: Iterable[Path]) -> Path | None:
    return next((folder for folder in candidates if folder.is_dir() and dataset.is_home(folder)), None)


def _places(dataset: Catalogued, folder: Path) -> list[Path]:
    return [folder, *(folder / name for name in dataset.folders)]


def _download(url: str, archive: Path, known_sha256: str | None, *, show_progress: bool) -> None:
    import pooch

    downloader = ResumingDownloader(archive.with_name(f"{archive.name}.part"), show_progress=show_progress)
    log = pooch.get_logger()
    level = log.level
    log.setLevel(logging.WARNING)
    try:
        pooch.retrieve(url, known_sha256, fname=archive.name, path=archive.parent, downloader=downloader)
    finally:
        log.setLevel(level)


def _unpack(dataset: Catalogued, archive: Path) -> tuple[Path, dict[str, int]]:
    """Give the home, and the size of every file that the archive put there."""
    folder = archive.parent
    staging = folder / f".{dataset.name}-{secrets.token_hex(4)}"
    try:
        unpack(archive, staging)
        unpacked = _find_home(dataset, _folders_in(staging))
        if unpacked is None:
            for inner in sorted(staging.rglob("*.zip")):
                extract(inner, inner.parent)
                inner.unlink()
            unpacked = _find_home(dataset, _folders_in(staging))
        if unpacked is None:
            raise DataFormatError(f"{archive} holds nothing of {dataset.title}, such as {dataset.example}.")
        files = {path.relative_to(unpacked).as_posix(): path.stat().st_size for path in _files_in(unpacked)}
        home = _find_home(dataset, _places(dataset, folder))
        if home is None:
            own = unpacked.relative_to(staging).as_posix()
            home = folder / own if own in dataset.folders else folder.joinpath(*dataset.folders[:1])
        _publish(unpacked, home)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return home, files


def _publish(unpacked: Path, home: Path) -> None:
    """Move a folder to its place; where that is there already, file by file, and nothing else in it is touched."""
    if not home.exists():
        home.parent.mkdir(parents=True, exist_ok=True)
        unpacked.rename(home)
        return
    for path in _files_in(unpacked):
        target = home / path.relative_to(unpacked)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)


def _folders_in(folder: Path) -> list[Path]:
    """Give a folder and all below it, from the top."""
    below = sorted((path for path in folder.rglob("*") if path.is_dir()), key=lambda path: (len(path.parts), path))
    return [folder, *below]


def _files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _record_of(archive: Path) -> Path:
    return archive.with_name(f"{archive.name}.json")


def _read_record(archive: Path) -> dict[str, Any]:
    """Give what was written down of an archive; nothing if that is not there or no longer readable."""
    try:
        record = json.loads(_record_of(archive).read_text(encoding="utf-8"))
        well_formed = isinstance(record["sha256"], str) and isinstance(record["home"], str)
        return record if well_formed and isinstance(record["files"], dict) else {}
    except (OSError, ValueError, TypeError, KeyError):
        return {}


def _write_record(archive: Path, source: Source, home: Path, files: Mapping[str, int]) -> None:
    record = {
        "url": source.url,
        "licence": source.licence,
        "unpacked": datetime.now(UTC).isoformat(timespec="seconds"),
        "sha256": content_sha256(archive),
        "home": home.relative_to(archive.parent).as_posix(),
        "files": dict(files),
    }
    with atomic_path(_record_of(archive)) as temporary:
        temporary.write_text(json.dumps(record, indent=1), encoding="utf-8")


@contextmanager
def _explained(title: str, source: Source, archive: Path) -> Iterator[None]:
    """Turn whatever keeps a data set from coming into one error that says what to do."""
    try:
        yield
    except (TermsError, _BusyError):
        raise
    except (OSError, ValueError) as error:
        raise DownloadError(
            f"{heading(title)} could not be fetched: {_reason(error, archive)}\nBy hand: get {source.url} (its page: "
            f"{source.page}), save it as {archive}, and fetch again: it is then checked and unpacked."
        ) from error


def _reason(error: Exception, archive: Path) -> str:
    from requests.exceptions import HTTPError, RequestException, SSLError

    if isinstance(error, SSLError):
        return f"the server's certificate could not be verified, so nothing was downloaded ({error})."
    if isinstance(error, HTTPError):
        return f"the server answered {error}."
    if isinstance(error, RequestException):
        return f"the connection failed ({error}). What is there already is kept: fetch again to go on from it."
    if isinstance(error, DataFormatError):
        return f"{error} Delete {archive} to fetch it again."
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return f"the disk is full. Free some space and fetch again; what was downloaded to {archive.parent} is kept."
    if isinstance(error, ValueError):
        return (
            f"the download has another sha256 than is known, so it was damaged or changed, and was deleted ({error})."
        )
    return str(error)
