"""Files that appear whole or not at all, and what is in them."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path


@contextmanager
def atomic_path(path: str | os.PathLike) -> Iterator[Path]:
    """Give a temporary path beside `path`; rename it to `path` when the block ends without an error.

    A reader never sees a half-written file, and an error leaves neither the temporary file nor a
    changed `path`. The suffix is kept, because many writers choose their format by it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}-{secrets.token_hex(4)}{path.suffix}")
    # Not tempfile: its files are private, and the umask that others should get cannot be read without setting it.
    temporary.touch(exist_ok=False)
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def content_sha256(path: Path) -> str:
    """Give the sha256 of a file's content; read again only when `file_state` changes."""
    return _sha256(path.resolve(), *file_state(path))


def file_state(path: Path) -> tuple[int, ...]:
    """Give size, times of modification and of change, and number of a file: together they tell another content.

    The modification time alone does not, for unpacking an archive sets it to what it was.
    """
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino


@lru_cache(maxsize=4096)
def _sha256(path: Path, *_stat: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def cache_home() -> Path:
    """Give the folder that HAR_VIRTUAL_CACHE names, else one in the user's cache directory."""
    import pooch

    return Path(os.environ.get("HAR_VIRTUAL_CACHE") or pooch.os_cache("har_virtual")).expanduser()


def remembered_sha256(path: Path) -> str:
    """Give `content_sha256`, remembered on disk, so that no later process reads a large file again.

    It lies in `cache_home`, and holds as long as `file_state` does.
    """
    where = str(path.resolve())
    known = [where, *file_state(path)]
    note = cache_home() / "sha256" / f"{hashlib.sha256(where.encode()).hexdigest()}.json"
    try:
        *remembered, digest = json.loads(note.read_text(encoding="utf-8"))
        if remembered == known:
            return str(digest)
    except (OSError, ValueError):
        pass
    digest = content_sha256(path)
    with suppress(OSError), atomic_path(note) as temporary:
        temporary.write_text(json.dumps([*known, digest]), encoding="utf-8")
    return digest
