"""The cache of the expensive half: a video's motions under a key of its content and of all that changes them."""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from pathlib import Path

from har_virtual.conversion.motions import ClipMotions
from har_virtual.exceptions import DataFormatError, VideoError

CACHE_VERSION = 1
"""Raised whenever the same video and settings give other motions."""


def default_cache_dir() -> Path:
    """Give the folder that HAR_VIRTUAL_CACHE names, else one in the user's cache directory."""
    import pooch

    return Path(os.environ.get("HAR_VIRTUAL_CACHE") or pooch.os_cache("har_virtual"))


def file_sha256(path: Path) -> str:
    """Give the sha256 of a file's content; read again only when path, size or modification time change."""
    try:
        stat = path.stat()
    except OSError as error:
        raise VideoError(f"{path}: cannot be read ({error.strerror}). Check the path.") from error
    return _sha256(path.resolve(), stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=4096)
def _sha256(path: Path, *_stat: int) -> str:
    if not path.is_file():
        raise VideoError(f"{path}: not a file. Give a video.")
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class MotionCache:
    """Motions of clips on disk.

    Parameters
    ----------
    folder : Path or None
        None keeps nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def path(self, key: str) -> Path:
        """Give where the motions under `key` lie."""
        if self.folder is None:
            raise ValueError("This cache has no folder.")
        digest = hashlib.sha256(f"{CACHE_VERSION}|{key}".encode()).hexdigest()
        return self.folder / "motions" / digest[:2] / f"{digest}.npz"

    def get(self, key: str) -> ClipMotions | None:
        """Give the motions under `key`, None if there are none; a damaged entry counts as none."""
        if self.folder is None or not self.path(key).is_file():
            return None
        try:
            return ClipMotions.load(self.path(key))
        except DataFormatError:
            return None

    def put(self, key: str, motions: ClipMotions) -> None:
        """Keep motions under `key`."""
        if self.folder is not None:
            motions.save(self.path(key))
