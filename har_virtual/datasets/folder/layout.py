"""What somebody states of their own files, checked before any is read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from har_virtual.checks import check_positive, is_finite_number
from har_virtual.datasets.folder.clock import TIME_UNITS, is_date
from har_virtual.datasets.folder.pattern import PathPattern
from har_virtual.datasets.folder.tables import Columns, read_names
from har_virtual.exceptions import DataFormatError, UnknownNameError
from har_virtual.recording import UNITS, channel_quantity, channel_site
from har_virtual.recording.units import unit_scale

SITE = "{site}"
_ONLY_SESSION = "1"
_ANY_SITE = "left_wrist"
_VECTOR = re.compile(rf"({'|'.join(UNITS)})_[xyz]")
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")
_WHOLE = re.compile(r"(-?[0-9]+)\.0+")


@dataclass(frozen=True)
class FolderLayout:
    """How a folder's files are named and what their columns hold; the parameters are those of `load_folder`.

    Raises
    ------
    DataFormatError
        If a unit is unknown or missing, a channel's name is none, or what is stated does not fit together.
    UnknownNameError
        If there is no such unit of time.
    """

    pattern: str
    columns: Mapping[str, str] | None
    units: Mapping[str, str]
    sampling_rate_hz: float | None
    time: str | None
    time_unit: str
    max_gap_s: float
    label: str | None
    label_names: Mapping[str, str | None] | None
    site_names: Mapping[str, str] | None
    subject: str | None
    separator: str
    decimal: str
    names: tuple[str, ...] | None
    dataset: str

    def __post_init__(self) -> None:
        self._check_path()
        self._check_labels()
        self._check_units()
        self._check_text()
        self._check_time()

    @cached_property
    def path(self) -> PathPattern:
        """The pattern of the files' paths."""
        return PathPattern(self.pattern, self.site_names or ())

    @property
    def has_site(self) -> bool:
        """Whether the paths tell the site."""
        return "site" in self.path.fields

    @property
    def has_labels(self) -> bool:
        """Whether somebody wrote down what was done."""
        return self.label is not None or "activity" in self.path.fields

    @property
    def time_is_text(self) -> bool:
        """Whether stamps in a text file are dates."""
        return self.time is not None and is_date(self.time_unit)

    @property
    def quantities(self) -> tuple[str, ...]:
        """What may be in the files."""
        found = set(self.units) if self.columns is None else {channel_quantity(c) for c in self._example_channels()}
        return tuple(quantity for quantity in UNITS if quantity in found)

    def fields(self, file: str) -> dict[str, str]:
        """Give what the path of one of the files says."""
        fields = self.path.match(file)
        if fields is None:
            raise DataFormatError(f"{file} does not match {self.pattern!r}.")
        return fields

    def site(self, fields: Mapping[str, str]) -> str | None:
        """Give the site of a path that has one; None if it has no name."""
        return fields["site"] if self.site_names is None else self.site_names.get(fields["site"])

    def session(self, fields: Mapping[str, str]) -> str:
        """Give all of a path but whose and where: {activity} too, for numbers of trials start anew with each."""
        return "/".join(text for name, text in fields.items() if name not in ("subject", "site")) or _ONLY_SESSION

    def channels(self, path: Path, fields: Mapping[str, str]) -> dict[str, str]:
        """Give the channels of a file by their columns."""
        site = self.site(fields) if self.has_site else ""
        if site is None:
            raise DataFormatError(
                f"{path}: site_names has no {fields['site']!r}; it has {', '.join(self.site_names or ())}. Add it."
            )
        if self.columns is not None:
            return {column: channel.replace(SITE, site) for column, channel in self.columns.items()}
        header = read_names(path, self.separator, self.names)
        found = {name: name for name in header if channel_quantity(name)}
        if not found and site:
            found = {name: f"{site}_{name}" for name in header if _VECTOR.fullmatch(name)}
        if not found:
            raise DataFormatError(
                f"{path} has no column named like a channel, <site>_<acc|gyr|mag>_<x|y|z>; its columns are "
                f"{', '.join(map(repr, header))}. Pass columns={{'...': 'left_wrist_acc_x', ...}}."
            )
        others = [name for name in found.values() if site and channel_site(name) != site]
        if others:
            raise DataFormatError(
                f"{path} is of {site} by {{site}} in pattern, but has a column {others[0]!r}; give the field another "
                "name, such as {device}."
            )
        return found

    def table(self, columns: Iterable[str]) -> Columns:
        """Give what to read of a file with these columns of numbers."""
        return Columns(
            tuple(columns), self.time, self.time_is_text, self.label, self.separator, self.names, self.decimal
        )

    def label_name(self, text: str | None, where: str) -> str | None:
        """Give the name of a label that stands at a place of a file; None if it is no class."""
        if text is None or self.label_names is None:
            return text
        if text not in self.label_names:
            raise DataFormatError(
                f"{where}: label_names has no {text!r}; it has {', '.join(map(repr, self.label_names))}. Add it, with "
                "None if it is no class."
            )
        return self.label_names[text]

    def _check_path(self) -> None:
        if not _NAME.fullmatch(self.dataset):
            raise DataFormatError(f"dataset must be a name of letters, digits, '_', '-' and '.', not {self.dataset!r}.")
        if "subject" in self.path.fields and self.subject is not None:
            raise DataFormatError(f"The subject is stated twice, by {self.pattern!r} and by subject; keep one.")
        if "subject" not in self.path.fields and self.subject is None:
            raise DataFormatError(
                f"pattern {self.pattern!r} has no {{subject}}, by which people are told apart. Where all files are of "
                "one person, pass subject='anna'."
            )
        if self.site_names is not None and not self.has_site:
            raise DataFormatError(f"site_names needs {{site}} in pattern, which is {self.pattern!r}.")

    def _check_labels(self) -> None:
        if "activity" in self.path.fields and self.label is not None:
            raise DataFormatError("The label is stated twice, by {activity} in pattern and by label; keep one.")
        if self.label_names is not None and not self.has_labels:
            raise DataFormatError("label_names needs labels: pass label='...', or put {activity} into pattern.")

    def _check_units(self) -> None:
        if not self.units or set(self.units) - set(UNITS):
            raise DataFormatError(
                "units must state the unit of each quantity in the files, such as {'acc': 'g', 'gyr': 'deg/s'}, not "
                f"{dict(self.units)}; the quantities are {', '.join(UNITS)}."
            )
        if self.columns is not None:
            self._check_channels(list(self.columns.values()))
        for channel in (*(f"{_ANY_SITE}_{quantity}_x" for quantity in self.units), *self._example_channels()):
            unit_scale(channel, self.units)

    def _example_channels(self) -> list[str]:
        return [channel.replace(SITE, _ANY_SITE) for channel in (self.columns or {}).values()]

    def _check_channels(self, channels: list[str]) -> None:
        wrong = [name for name in channels if channel_quantity(name.replace(SITE, _ANY_SITE)) is None]
        if wrong or not channels:
            raise DataFormatError(
                "columns must give channels <site>_<acc|gyr|mag>_<x|y|z>, such as 'left_wrist_acc_x' or "
                f"'{{site}}_acc_x', not {', '.join(map(repr, wrong)) or 'none'}."
            )
        twice = sorted({name for name in channels if channels.count(name) > 1})
        if twice:
            raise DataFormatError(f"columns gives channel {', '.join(twice)} more than once.")
        with_site = [name for name in channels if SITE in name]
        if with_site and not self.has_site:
            raise DataFormatError(f"columns has {with_site[0]}, but pattern {self.pattern!r} has no {{site}}.")
        if self.has_site and len(with_site) < len(channels):
            raise DataFormatError(
                f"pattern {self.pattern!r} has {{site}}, but columns has channels without it: name them "
                "'{site}_acc_x' and so on, or give the field another name, such as {device}."
            )

    def _check_text(self) -> None:
        if len(self.separator) != 1 or self.separator in '"\r\n' or not self.separator.isascii():
            raise DataFormatError(f"separator must be one character, not {self.separator!r}.")
        if self.decimal not in (".", ",") or self.decimal == self.separator:
            raise DataFormatError(
                f"decimal must be '.' or ',' and not the separator {self.separator!r}; it is {self.decimal!r}."
            )
        stated = [*(self.columns or ()), *(name for name in (self.time, self.label) if name is not None)]
        if len(set(stated)) < len(stated):
            raise DataFormatError(f"columns, time and label must be different columns, not {', '.join(stated)}.")
        absent = [] if self.names is None else [name for name in stated if name not in self.names]
        if absent:
            raise DataFormatError(f"names lacks column {', '.join(absent)}; it has {', '.join(self.names or ())}.")

    def _check_time(self) -> None:
        if self.sampling_rate_hz is not None:
            check_positive("sampling_rate_hz", self.sampling_rate_hz)
        elif self.time is None:
            raise DataFormatError("Pass sampling_rate_hz, or time='...' with the column of the stamps.")
        if self.time_unit not in TIME_UNITS and not is_date(self.time_unit):
            raise UnknownNameError(
                f"time_unit must be one of {', '.join(TIME_UNITS)}, datetime, or a format such as '%d.%m.%Y %H:%M:%S', "
                f"not {self.time_unit!r}."
            )
        if not is_finite_number(self.max_gap_s) or self.max_gap_s < 0:
            raise DataFormatError(f"max_gap_s must be a finite number, 0 or above, not {self.max_gap_s!r}.")


def sites_of(channels: Iterable[str]) -> list[str]:
    """Give the sites of channels, in order of first appearance."""
    return list(dict.fromkeys(site for channel in channels if (site := channel_site(channel))))


def label_text(label: Any) -> str | None:
    """Give a label as text; None if it is missing. A whole number has no point, whatever a table made of it."""
    if label is None or label != label or label == "":
        return None
    text = str(int(label)) if isinstance(label, float) and label.is_integer() else str(label)
    whole = _WHOLE.fullmatch(text)
    return whole[1] if whole else text
