"""One file from a server, continued where an earlier attempt was cut."""

from __future__ import annotations

import json
import re
import tarfile
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from har_virtual import __version__
from har_virtual.exceptions import DownloadError
from har_virtual.files import atomic_path

if TYPE_CHECKING:
    from requests import Response

_HEADERS = {"Accept-Encoding": "identity", "User-Agent": f"har_virtual/{__version__}"}
_TIMEOUTS_S = (10.0, 60.0)
# In a row, without a single byte.
_MAX_FAILURES = 3
_PAUSE_S = 1.0
# What a block holds is lost where the connection breaks in it.
_BLOCK_BYTES = 2**13


class _State(NamedTuple):
    """What is known of the file of which a part lies on disk: its size and a mark of its version, if any."""

    url: str
    size: int | None
    version: str | None


class ResumingDownloader:
    """A downloader for pooch that keeps what it has in a file ``.part``, and goes on from there.

    The rest of a file is asked for by HTTP's Range, on condition that the file is still of the same version; where the
    server gives the whole file instead, it starts anew. A connection that was cut is taken up again, until it breaks
    three times in a row without giving anything.

    Parameters
    ----------
    part : Path
        Where the unfinished file lies; what is known of it lies beside it as ``.part.json``.
    show_progress : bool, default=False

    Raises
    ------
    DownloadError
        If the server gives a web page, or anything else that is no archive where one is expected, or leads from
        https to http.
    requests.RequestException
        If there is no connection, its certificate is wrong, or the server answers with an error. The part is kept.
    OSError
        If the file cannot be written. The part is kept.
    """

    def __init__(self, part: Path, *, show_progress: bool = False) -> None:
        self.part = part
        self.show_progress = show_progress
        self._note = part.with_name(f"{part.name}.json")

    def __call__(self, url: str, output_file: str, pooch: Any) -> None:
        """Download `url` to `output_file`."""
        self._finish(url)
        expected, good = self._looks_right()
        if not good:
            with self.part.open("rb") as file:
                begin = file.read(40)
            self.forget()
            raise DownloadError(f"{url} gave no {expected} but something that begins with {begin!r}.")
        self.part.replace(output_file)
        self.forget()

    def _looks_right(self) -> tuple[str, bool]:
        """What the file should be by its name, and whether it is; a page where a file was expected is none."""
        name = self.part.name.removesuffix(".part")
        if name.endswith(".zip"):
            return "zip archive", zipfile.is_zipfile(self.part)
        if name.endswith((".tar", ".tar.gz", ".tgz")):
            return "tar archive", tarfile.is_tarfile(self.part)
        with self.part.open("rb") as file:
            begin = file.read(512).lstrip().lower()
        return "such file", bool(begin) and not begin.startswith((b"<!doctype", b"<html"))

    def forget(self) -> None:
        """Remove what is there of the file."""
        self.part.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    def _finish(self, url: str) -> None:
        from requests.exceptions import ChunkedEncodingError, ConnectionError, SSLError, Timeout  # noqa: A004

        failures = 0
        while failures < _MAX_FAILURES:
            before = self._there(url)
            try:
                return self._go_on(url)
            except SSLError:
                raise
            except (ChunkedEncodingError, ConnectionError, Timeout):
                failures = failures + 1 if self._there(url) <= before else 0
                if failures == _MAX_FAILURES:
                    raise
            time.sleep(_PAUSE_S * failures)
        return None

    def _go_on(self, url: str) -> None:
        import requests

        there, state = self._there(url), self._state(url)
        if there and there == state.size:
            return
        headers = dict(_HEADERS)
        if there:
            headers["Range"] = f"bytes={there}-"
            if state.version is not None:
                headers["If-Range"] = state.version
        with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUTS_S) as response:
            if url.startswith("https:") and not response.url.startswith("https:"):
                raise DownloadError(f"{url} leads to {response.url}, which is not encrypted.")
            if there and response.status_code in (206, 416):
                self._append(response, there, state)
            else:
                response.raise_for_status()
                self._start(response, url)

    def _append(self, response: Response, there: int, state: _State) -> None:
        found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
        if found is None or int(found[1]) != there or found[2] not in ("*", str(state.size)):
            self.forget()
            raise _cut(f"{response.url} goes on at another place than was asked for")
        self._write(response, "ab", state.size)

    def _start(self, response: Response, url: str) -> None:
        kind = response.headers.get("Content-Type", "")
        if kind.startswith("text/html"):
            raise DownloadError(f"{url} gave a web page instead of the file: it was moved, or needs a login.")
        length = response.headers.get("Content-Length", "")
        size = int(length) if length.isdigit() and "Content-Encoding" not in response.headers else None
        mark = response.headers.get("ETag", "")
        # Only a strong mark says that the bytes are the same.
        version = mark if mark.startswith('"') else response.headers.get("Last-Modified")
        with atomic_path(self._note) as temporary:
            temporary.write_text(json.dumps(_State(url, size, version)), encoding="utf-8")
        self._write(response, "wb", size)

    def _write(self, response: Response, mode: str, size: int | None) -> None:
        from requests.exceptions import ChunkedEncodingError, ConnectionError  # noqa: A004
        from tqdm.auto import tqdm

        there = self.part.stat().st_size if mode == "ab" else 0
        name = self.part.name.removesuffix(".part")
        hidden = None if self.show_progress else True
        bar = tqdm(total=size, initial=there, desc=name, unit="B", unit_scale=True, disable=hidden)
        with bar, self.part.open(mode) as file:
            try:
                for block in response.iter_content(_BLOCK_BYTES):
                    file.write(block)
                    there += len(block)
                    bar.update(len(block))
            except (ChunkedEncodingError, ConnectionError) as error:
                raise _cut(f"it broke off after {there:,} bytes") from error
        if size is not None and there < size:
            raise _cut(f"it ended after {there:,} of {size:,} bytes")
        if size is not None and there > size:
            self.forget()
            raise _cut(f"{response.url} gave more than its {size:,} bytes")

    def _there(self, url: str) -> int:
        """Give how many bytes of the file there are to go on from."""
        return self.part.stat().st_size if self.part.is_file() and self._state(url).url == url else 0

    def _state(self, url: str) -> _State:
        try:
            state = _State(*json.loads(self._note.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return _State("", None, None)
        return state if state.url == url else _State("", None, None)


def _cut(reason: str) -> Exception:
    from requests.exceptions import ConnectionError  # noqa: A004

    return ConnectionError(reason)
