"""What lies in an archive of RealWorld: tables, maybe in archives of their own, and a readMe with their lengths."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import repeat
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np

from har_virtual.datasets._archives import Archive, open_members
from har_virtual.datasets._text import TextFormat, read_text
from har_virtual.exceptions import DataFormatError

ACTIVITIES = tuple("climbingdown climbingup jumping lying running sitting standing walking".split())
POSITIONS = tuple("chest forearm head shin thigh upperarm waist".split())
PREFIXES = {"acc": "acc", "gyr": "Gyroscope", "mag": "MagneticField"}

_TABLE = TextFormat(("id", "attr_time", "attr_x", "attr_y", "attr_z"))
# Subject and activity whose first session has the number 2 in the names of its tables.
_FIRST_NAMED_2 = {("4", "walking"), ("6", "sitting"), ("7", "sitting"), ("8", "standing"), ("13", "walking")}
_KNOWN_MISSING = {("2", "climbingup", "forearm"), ("6", "jumping", "thigh")}
_ARCHIVE_FILE = re.compile(rf"proband([1-9][0-9]*)/data/(acc|gyr|mag)_({'|'.join(ACTIVITIES)})_csv\.zip")
_NUMBER_OF_NESTED = re.compile(r"_([0-9]{1,2})_csv\.zip", re.IGNORECASE)
_README = re.compile(rf"(?<![a-z])({'|'.join(POSITIONS)})(?![a-z])|>\s*entries\D{{0,3}}([0-9]{{1,9}})", re.IGNORECASE)
_README_BYTES = 1 << 20


class ArchiveName(NamedTuple):
    """What the name of an archive says."""

    subject: str
    activity: str
    quantity: str


class Member(NamedTuple):
    """A table in an archive; `file` is where, relative to the home."""

    archive: Archive
    name: str
    file: str
    session: int
    position: str

    @property
    def where(self) -> str:
        """Archive and table, for messages."""
        return f"{self.archive.where}: {self.name}"


class Table(NamedTuple):
    """Rows of a member: stamps in ms as they came, empty if they were not read, and values (n_rows, 3)."""

    member: Member
    stamps_ms: np.ndarray
    values: np.ndarray


def is_archive(file: str) -> bool:
    """Whether a file, relative to the home, is named like an archive of the data set."""
    return _ARCHIVE_FILE.fullmatch(file) is not None


def parse_archive_name(file: str) -> ArchiveName:
    """Give what the name of an archive, relative to the home, says."""
    match = _ARCHIVE_FILE.fullmatch(file)
    if match is None:
        raise DataFormatError(f"{file} is not named like an archive of RealWorld.")
    return ArchiveName(match[1], match[3], match[2])


def read_archive(home: Path, file: str, with_stamps: bool) -> tuple[list[Table], list[str]]:
    """Read all tables of an archive, by session and position, and tell what is odd about it.

    Raises
    ------
    DataFormatError
        If the archive or a table is damaged, there is no table, or two are of the same session and position.
    """
    with ExitStack() as stack:
        members, notes = _find_members(home, file, stack)
        # While one thread unpacks, the other parses; neither needs Python's lock for that.
        with ThreadPoolExecutor(2) as pool:
            tables = list(pool.map(_read_table, members, repeat(with_stamps)))
        return tables, [*notes, *_positions_missing(file, members), *_wrong_lengths(tables)]


def first_stamps_ms(home: Path, file: str) -> dict[int, float]:
    """Give the earliest first stamp of each session, from the first row of each table."""
    with ExitStack() as stack:
        members, _ = _find_members(home, file, stack)
        return earliest((member.session, _first_stamp_ms(member)) for member in members)


def earliest(stamps: Iterable[tuple[int, float]]) -> dict[int, float]:
    """Give the least stamp of each session."""
    found: dict[int, float] = {}
    for session, stamp in stamps:
        found[session] = min(stamp, found.get(session, math.inf))
    return found


def _find_members(home: Path, file: str, stack: ExitStack) -> tuple[list[Member], list[str]]:
    name = parse_archive_name(file)
    archive = stack.enter_context(open_members(home / file))
    pattern = re.compile(
        rf"(?:{PREFIXES[name.quantity]}|{name.quantity})_{name.activity}(?:_([0-9]{{1,2}}))?_({'|'.join(POSITIONS)})\.csv",
        re.IGNORECASE,
    )
    members, unknown = _match(archive, file, 1, pattern)
    for nested in (each for each in archive.names() if each.lower().endswith("_csv.zip")):
        number = _NUMBER_OF_NESTED.search(nested)
        inner = stack.enter_context(archive.nested(nested))
        found, strange = _match(inner, f"{file}/{nested}", int(number[1]) if number else 1, pattern)
        members, unknown = members + found, unknown + strange
    if not members:
        raise DataFormatError(
            f"{archive.where} has no table {PREFIXES[name.quantity]}_{name.activity}_<position>.csv; get it anew."
        )
    members = _number_sessions(members, name)
    notes = [f"{each} is none of the data set's tables and was left out." for each in unknown]
    return sorted(members, key=lambda member: (member.session, POSITIONS.index(member.position))), notes


def _match(archive: Archive, file: str, number: int, pattern: re.Pattern) -> tuple[list[Member], list[str]]:
    """Tables of an archive, and other ones; `number` is the session's where their names have none."""
    members, unknown = [], []
    for name in archive.names():
        match = pattern.fullmatch(PurePosixPath(name).name)
        if match:
            session = int(match[1]) if match[1] else number
            members.append(Member(archive, name, f"{file}/{name}", session, match[2].lower()))
        elif name.lower().endswith(".csv"):
            unknown.append(f"{file}/{name}")
    return members, unknown


def _number_sessions(members: list[Member], name: ArchiveName) -> list[Member]:
    numbers = {member.session for member in members}
    if (name.subject, name.activity) in _FIRST_NAMED_2 and min(numbers) == 2:
        members = [member._replace(session=member.session - 1) for member in members]
    seen: dict[tuple[int, str], Member] = {}
    for member in members:
        other = seen.setdefault((member.session, member.position), member)
        if other is not member:
            raise DataFormatError(f"{other.where} and {member.where} are of the same session and position.")
    return members


def _read_table(member: Member, with_stamps: bool) -> Table:
    exact = ["attr_time"] if with_stamps else []
    with member.archive.open(member.name) as file:
        table = read_text(file, _TABLE, numbers=_TABLE.columns[2:], exact=exact, where=member.where)
    stamps = table.exact.get("attr_time", np.empty(0))
    if np.isnan(stamps).any():
        line = int(np.flatnonzero(np.isnan(stamps))[0]) + 2
        raise DataFormatError(f"{member.where}, line {line}: the stamp is NaN. The file is damaged.")
    return Table(member, stamps, table.numbers)


def _first_stamp_ms(member: Member) -> float:
    with member.archive.open(member.name) as file:
        file.readline()
        fields = file.readline().split(b",")
    try:
        stamp = float(fields[1])
    except (IndexError, ValueError):
        stamp = math.nan
    if not math.isfinite(stamp):
        raise DataFormatError(f"{member.where}, line 2: there is no stamp. The file is damaged.")
    return stamp


def _positions_missing(file: str, members: list[Member]) -> list[str]:
    name, notes = parse_archive_name(file), []
    for session in dict.fromkeys(member.session for member in members):
        there = {member.position for member in members if member.session == session}
        for position in (each for each in POSITIONS if each not in there):
            known = (name.subject, name.activity, position) in _KNOWN_MISSING
            why = "as is known of the data set." if known else "which is not known of the data set: is it whole?"
            part = "" if session == 1 else f" in session {session}"
            notes.append(f"{file} has no {position}{part}, {why}")
    return notes


def _wrong_lengths(tables: list[Table]) -> list[str]:
    """Tables whose readMe, in the same archive, tells another number of rows; one more may be the header."""
    notes, entries = [], {}
    for member, _, values in tables:
        archive = member.archive
        if archive.where not in entries:
            entries[archive.where] = _entries(archive)
        said = entries[archive.where].get(member.position)
        if said is not None and not -1 <= len(values) - said <= 1:
            notes.append(f"{member.file} has {len(values)} rows, but its readMe says {said}: it may be cut short.")
    return notes


def _entries(archive: Archive) -> dict[str, int]:
    """Number of rows by position, as the readMe has it: a name with the position, then ``> entries N``."""
    entries: dict[str, int] = {}
    for name in archive.names():
        if PurePosixPath(name).stem.lower() != "readme":
            continue
        with archive.open(name) as file:
            text = file.read(_README_BYTES).decode("utf-8", "replace")
        position = None
        for match in _README.finditer(text):
            if match[1]:
                position = match[1].lower()
            elif position is not None:
                entries.setdefault(position, int(match[2]))
    return entries
