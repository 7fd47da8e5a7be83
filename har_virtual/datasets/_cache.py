"""Parsed parts of data sets as Parquet, under a key of their content."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from functools import cache
from importlib.resources import files as resources
from pathlib import Path
from typing import TYPE_CHECKING

from har_virtual.files import cache_home, remembered_sha256
from har_virtual.recording import Recording, storage

if TYPE_CHECKING:
    from har_virtual.datasets.base import Part, Reading

CACHE_VERSION = 1
"""Raised whenever the entries themselves change."""


class ReadingCache:
    """What parts of a data set hold, on disk: one folder a part, one Parquet file a recording.

    Entries appear whole, by a rename, and are not replaced unless they are damaged, so that several processes may fill
    the cache at once.

    Parameters
    ----------
    name : str
        The data set.
    version : str
        How it is read.
    enabled : bool, default=True
        False neither reads nor writes anything.
    """

    def __init__(self, name: str, version: str, *, enabled: bool = True) -> None:
        self.enabled = enabled
        self._kind = f"{CACHE_VERSION}|{_labels_sha256()}|{name}|{version}"
        self._folder = cache_home() / "datasets" / name

    def entry(self, home: Path, part: Part) -> Path | None:
        """Give where that lies what the files of a part hold as they are now; None without a cache."""
        if not self.enabled:
            return None
        # One file may hold several parts.
        contents = [part.subject, part.session, *(f"{file}={remembered_sha256(home / file)}" for file in part.files)]
        key = hashlib.sha256("|".join([self._kind, *contents]).encode()).hexdigest()
        return self._folder / key[:2] / key

    def get(self, entry: Path | None) -> Reading | None:
        """Give what lies at an entry; None if nothing does. A damaged entry counts as none."""
        from har_virtual.datasets.base import Reading

        if entry is None:
            return None
        try:
            n_recordings, notes = json.loads((entry / "contents.json").read_text(encoding="utf-8"))
            return Reading([Recording.load(entry / _file_name(number)) for number in range(n_recordings)], notes)
        except Exception:  # noqa: BLE001 - whatever is wrong with it, the part can be read anew
            return None

    def put(self, entry: Path | None, reading: Reading) -> str | None:
        """Keep what a part holds; where that cannot be written, say so."""
        if entry is None:
            return None
        temporary = entry.with_name(f".{entry.name}-{secrets.token_hex(4)}")
        try:
            temporary.mkdir(parents=True)
            for number, recording in enumerate(reading.recordings):
                storage.write(recording, temporary / _file_name(number), where=recording.group, packed=True)
            contents = json.dumps([len(reading.recordings), reading.notes])
            (temporary / "contents.json").write_text(contents, encoding="utf-8")
            self._publish(temporary, entry)
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            return (
                f"{self._folder}: what was read cannot be kept there ({why}), so it will be read anew. Set "
                "HAR_VIRTUAL_CACHE to another folder, or pass cache=False."
            )
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        return None

    def _publish(self, temporary: Path, entry: Path) -> None:
        """Rename to `entry`, unless another process was first; one that is damaged makes room."""
        if entry.exists() and self.get(entry) is None:
            shutil.rmtree(entry, ignore_errors=True)
        try:
            temporary.rename(entry)
        except OSError:
            if self.get(entry) is None:
                raise


def _file_name(number: int) -> str:
    return f"{number:04d}.parquet"


@cache
def _labels_sha256() -> str:
    """Of the table of labels: recordings hold its names."""
    return hashlib.sha256((resources("har_virtual.datasets") / "labels.csv").read_bytes()).hexdigest()
