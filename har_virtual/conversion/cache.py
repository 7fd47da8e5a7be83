"""The cache of the expensive half: a video's motions under a key of its content and of all that changes them."""

from __future__ import annotations

import hashlib
import warnings
from pathlib import Path
from stat import S_ISREG

from har_virtual.conversion.motions import ClipMotions
from har_virtual.exceptions import DataWarning, VideoError
from har_virtual.files import content_sha256

CACHE_VERSION = 1
"""Raised whenever the same video and settings give other motions."""


def file_sha256(path: Path) -> str:
    """Give the sha256 of a video's content, as `content_sha256` does; what cannot be read raises `VideoError`."""
    try:
        if not S_ISREG(path.stat().st_mode):
            raise VideoError(f"{path}: not a file. Give a video.")
        return content_sha256(path)
    except VideoError:
        raise
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise VideoError(f"{path}: cannot be read ({why}). Check the path.") from error


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
        if self.folder is None:
            return None
        try:
            return ClipMotions.load(self.path(key))
        except Exception:  # noqa: BLE001 - whatever is wrong with it, the motions can be made anew
            return None

    def put(self, key: str, motions: ClipMotions) -> None:
        """Keep motions under `key`; a folder that cannot be written to is a `DataWarning`, for they are there."""
        if self.folder is None:
            return
        try:
            motions.save(self.path(key))
        except OSError as error:
            warnings.warn(
                f"{self.folder}: motions cannot be kept there ({error.strerror}), so the next run estimates them anew. "
                "Give another cache_dir.",
                DataWarning,
                stacklevel=2,
            )
