"""A data set of two people and two devices, for tests of what works on any data set."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from types import MappingProxyType

import numpy as np

from har_virtual import Recording
from har_virtual.datasets.base import DataSet, Part, Reading, Task
from har_virtual.exceptions import DataFormatError

RATE_HZ = 10.0
DEVICES = ("left_wrist", "right_ankle")


class Tiny(DataSet):
    """Files ``data/<subject>_<device>.csv`` with a reading and a label a line; an empty label is none."""

    name = "tiny"
    title = "Tiny"
    folders = ("Tiny_Data",)
    example = "data/p1_left_wrist.csv"
    subjects = ("p1", "p2")
    sites = DEVICES
    quantities = ("acc",)
    # Its readings are counts.
    checks_units = False
    tasks = MappingProxyType({"all": Task(("walking", "sitting"))})

    def find_parts(self, home: Path) -> list[Part]:
        found: dict[str, list[str]] = {}
        for path in sorted((home / "data").glob("p?_*.csv")):
            found.setdefault(path.name[:2], []).append(f"data/{path.name}")
        return [Part(subject, "day", tuple(files)) for subject, files in found.items()]

    def published(self) -> list[str]:
        return [f"data/{subject}_{device}.csv" for subject in self.subjects for device in DEVICES]

    def read(self, home: Path, part: Part) -> Reading:
        recordings, notes = [], []
        for file in part.files:
            rows = [line.split(",") for line in (home / file).read_text(encoding="utf-8").splitlines()]
            if any(len(row) != 2 for row in rows):
                raise DataFormatError(f"{home / file}, line 1: a reading and a label are needed.")
            if len(rows) < 200:
                notes.append(f"{file} is short.")
            labels = np.array([label or None for _, label in rows], dtype=object)
            site = file[8:].removesuffix(".csv")
            recordings.append(
                Recording(
                    np.repeat([[float(x)] for x, _ in rows], 3, axis=1),
                    RATE_HZ,
                    [f"{site}_acc_{axis}" for axis in "xyz"],
                    subject=part.subject,
                    session=part.session,
                    labels=labels,
                    dataset=self.name,
                    attrs={"file": file},
                )
            )
        return Reading(recordings, notes)

    def describe(self) -> str:
        return "# Tiny\n\nTwo people.\n\n## How to get it\n\nAsk <tiny@example.org> for it.\n\n## Layout\n\nFlat.\n"


def csv(**seconds: float) -> bytes:
    """Give a file with some seconds of each label, ``nothing`` for none."""
    lines = [
        f"1.5,{'' if label == 'nothing' else label}"
        for label, time_s in seconds.items()
        for _ in range(round(time_s * RATE_HZ))
    ]
    return "\n".join(lines).encode()


def tiny_files() -> dict[str, bytes]:
    """Give the files of a complete download by their names."""
    files = {}
    for device in DEVICES:
        files[f"data/p1_{device}.csv"] = csv(walking=60, nothing=6, sitting=30)
        files[f"data/p2_{device}.csv"] = csv(walking=90)
    return files


def write_tiny(home: Path) -> Path:
    """Write a complete download."""
    for name, content in tiny_files().items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(content)
    return home


def zipped(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Give a zip archive, always the same for the same members, whatever their names."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo("x", date_time=(2020, 1, 1, 0, 0, 0))
            # The constructor would cut a name at a NUL, and make "/" of a backslash on Windows.
            info.filename = name
            archive.writestr(info, content, compression)
    return buffer.getvalue()
