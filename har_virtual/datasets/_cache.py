"""Parsed parts of data sets as Parquet, under a key of their content."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from har_virtual.exceptions import DataWarning
from har_virtual.files import cache_home, remembered_sha256
from har_virtual.recording import Recording, storage

if TYPE_CHECKING:
    from har_virtual.datasets.base import Reading

CACHE_VERSION = 1
"""Raised whenever the entries themselves change."""


class ReadingCache:
    """What parts of a data set hold, on disk: one folder a part, one Parquet file a recording.

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
        self._kind = f"{CACHE_VERSION}|{name}|{version}"
        self._folder = cache_home() / "datasets" / name

    def get(self, home: Path, files: Sequence[str]) -> Reading | None:
        """Give what the files of a part hold; None if it is not known. A damaged entry counts as none."""
        from har_virtual.datasets.base import Reading

        if not self.enabled:
            return None
        entry = self._entry(home, files)
        try:
            notes = json.loads((entry / "notes.json").read_text(encoding="utf-8"))
            return Reading([Recording.load(path) for path in sorted(entry.glob("*.parquet"))], notes)
        except Exception:  # noqa: BLE001 - whatever is wrong with it, the part can be read anew
            return None

    def put(self, home: Path, files: Sequence[str], reading: Reading) -> None:
        """Keep what the files of a part hold; where that cannot be written it is a `DataWarning`."""
        if not self.enabled:
            return
        entry = self._entry(home, files)
        temporary = entry.with_name(f".{entry.name}-{secrets.token_hex(4)}")
        try:
            temporary.mkdir(parents=True)
            for number, recording in enumerate(reading.recordings):
                storage.write(recording, temporary / f"{number:04d}.parquet", where=files[0], packed=True)
            (temporary / "notes.json").write_text(json.dumps(reading.notes), encoding="utf-8")
            shutil.rmtree(entry, ignore_errors=True)
            temporary.rename(entry)
        except OSError as error:
            warnings.warn(
                f"{self._folder}: what {files[0]} holds cannot be kept there ({error.strerror}), so it will be read "
                "anew. Set HAR_VIRTUAL_CACHE to another folder, or pass cache=False.",
                DataWarning,
                stacklevel=2,
            )
        finally:
            shutil.rmtree(temporary, ignore_errors=True)

    def _entry(self, home: Path, files: Sequence[str]) -> Path:
        contents = [f"{file}={remembered_sha256(home / file)}" for file in files]
        key = hashlib.sha256("|".join([self._kind, *contents]).encode()).hexdigest()
        return self._folder / key[:2] / key
