"""Data sets at full size in their native formats, seeded: readings of sensors that turn, with noise."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import polars as pl

SEED = 0
PAMAP2_ROWS = 376_417
PAMAP2_IDS = (1, 2, 3, 17, 16, 12, 13, 4, 7, 6, 5, 24)
OPPORTUNITY_ROWS = 54_966
REALWORLD_ROWS = {
    **dict.fromkeys("climbingdown climbingup lying running sitting standing walking".split(), 30_000),
    "jumping": 5_000,
}
REALWORLD_POSITIONS = tuple("chest forearm head shin thigh upperarm waist".split())

_HEART_RATE_EVERY = 11
_FIRST_STAMP_MS = 1_435_993_916_003
_JITTER_MS, _LATE_SHARE, _LATE_MS, _LOST_SHARE = 2.5, 0.01, 12.0, 0.001


def write_pamap2(home: Path) -> None:
    """Write Protocol/subject101.dat: 54 columns of six digits, heart rate in one row of eleven, wireless dropouts."""
    rng = np.random.default_rng(SEED)
    rows = np.arange(PAMAP2_ROWS)
    columns = {
        "time": np.round(8.38 + rows / 100, 2),
        "activity": _runs(rng, PAMAP2_ROWS, PAMAP2_IDS, 25_000, 6_000),
        "heart_rate": pl.Series(np.where(rows % _HEART_RATE_EVERY == 0, 100 + rows // 9_000, -1)).replace(-1, None),
    }
    for imu in ("hand", "chest", "ankle"):
        lost = _holes(rng, PAMAP2_ROWS, n_holes=250, longest=30)
        for name, values in _pamap2_unit(rng).items():
            values[lost] = np.nan
            columns[f"{imu}_{name}"] = values
    path = home / "Protocol" / "subject101.dat"
    path.parent.mkdir(parents=True, exist_ok=True)
    pl.DataFrame(columns).write_csv(path, include_header=False, separator=" ", null_value="NaN")


def _pamap2_unit(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Temperature, two accelerometers, gyroscope, magnetometer and orientation of one device."""
    rows = np.arange(PAMAP2_ROWS)
    columns = {"temperature": np.round((30 + rows / 1e5) * 16) / 16}
    readings = _turning(rng, PAMAP2_ROWS, 9.81)
    for name, values in (
        ("acc16", readings),
        ("acc6", readings + rng.normal(0, 0.1, readings.shape)),
        ("gyr", _turning(rng, PAMAP2_ROWS, 0.4)),
        ("mag", _turning(rng, PAMAP2_ROWS, 45.0)),
        ("orientation", np.hstack([_turning(rng, PAMAP2_ROWS, 0.6), rng.uniform(-1, 1, (PAMAP2_ROWS, 1))])),
    ):
        columns |= {f"{name}_{axis}": column for axis, column in enumerate(_six_digits(values).T)}
    return columns


def write_opportunity(home: Path) -> None:
    """Write S1-Drill.dat: 250 columns of integers, NaN where a sensor paused or fell silent."""
    rng = np.random.default_rng(SEED)
    n_rows = OPPORTUNITY_ROWS
    table = np.empty((n_rows, 250))
    table[:, 0] = np.round(np.arange(n_rows) * 1000 / 30)
    for first in range(1, 133, 3):
        table[:, first : first + 3] = _turning(rng, n_rows, 1000.0)
    table[:, 133] = rng.integers(0, 360, n_rows)
    table[:, 134:194] = _turning(rng, n_rows, 1000.0)[:, np.arange(60) % 3] + rng.normal(0, 20, (n_rows, 60))
    table[:, 194:207] = rng.random((n_rows, 13)) < 0.1
    table[:, 207:231] = rng.normal(2_000, 10, (n_rows, 24))
    table[:, 231:243] = rng.normal(3_000, 1_500, (n_rows, 12))
    for column, ids in enumerate(_opportunity_ids(), start=243):
        table[:, column] = _runs(rng, n_rows, ids, 90, 60)
    for first in range(1, 37, 3):
        table[_holes(rng, n_rows, n_holes=40, longest=120), first : first + 3] = np.nan
    table[_holes(rng, n_rows, n_holes=5, longest=900), 37:102] = np.nan
    table[300:, 34:37] = np.nan
    frame = pl.DataFrame(np.round(table)).fill_nan(None).cast(pl.Int32)
    home.mkdir(parents=True, exist_ok=True)
    frame.write_csv(home / "S1-Drill.dat", include_header=False, separator=" ", null_value="NaN")


def _opportunity_ids() -> list[tuple[int, ...]]:
    gestures = (406516, 406517, 404516, 404517, 406520, 404520, 406505, 404505, 406519, 404519, 406511, 404511)
    return [(1, 2, 4, 5), (101, 102, 103, 104, 105), *((n + 1, n + 2, n + 5) for n in (200, 300, 400, 500)), gestures]


def write_realworld(home: Path, *, jitter: bool) -> None:
    """Write the accelerometers of subject 1: an archive an activity; stamps every 20 ms, or as phones give them."""
    rng = np.random.default_rng(SEED)
    folder = home / "proband1" / "data"
    folder.mkdir(parents=True, exist_ok=True)
    for number, (activity, n_rows) in enumerate(sorted(REALWORLD_ROWS.items())):
        with zipfile.ZipFile(folder / f"acc_{activity}_csv.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for late, position in enumerate(REALWORLD_POSITIONS):
                table = _realworld_table(rng, n_rows, _FIRST_STAMP_MS + 900_000 * number + 137 * late, jitter)
                archive.writestr(f"acc_{activity}_{position}.csv", table)


def _realworld_table(rng: np.random.Generator, n_rows: int, first_ms: int, jitter: bool) -> bytes:
    offsets = 20.0 * np.arange(n_rows)
    if jitter:
        late = _LATE_MS * (rng.random(n_rows) < _LATE_SHARE)
        offsets = np.sort(np.round(offsets + rng.normal(0, _JITTER_MS, n_rows) + late))
        # No two rows have one stamp.
        offsets = np.maximum.accumulate(offsets - np.arange(n_rows)) + np.arange(n_rows)
    frame = pl.DataFrame(
        {"id": np.arange(1, n_rows + 1), "attr_time": first_ms + offsets.astype(np.int64)}
        | {f"attr_{axis}": column for axis, column in zip("xyz", _turning(rng, n_rows, 9.81).T, strict=True)},
        schema_overrides={f"attr_{axis}": pl.Float32 for axis in "xyz"},
    )
    if jitter:
        frame = frame.filter(rng.random(n_rows) > _LOST_SHARE)
    buffer = io.BytesIO()
    frame.write_csv(buffer)
    return buffer.getvalue()


def _turning(rng: np.random.Generator, n_rows: int, length: float) -> np.ndarray:
    """Readings (n_rows, 3) of a vector of some length in a frame that turns slowly, with noise of a twentieth."""
    turns = np.cumsum(rng.normal(0, 0.02, (n_rows, 2)), axis=0)
    (sin_a, sin_b), (cos_a, cos_b) = np.sin(turns).T, np.cos(turns).T
    vectors = length * np.stack([cos_a * cos_b, cos_a * sin_b, sin_a], axis=1)
    return vectors + rng.normal(0, length / 20, vectors.shape)


def _runs(rng: np.random.Generator, n_rows: int, ids: tuple[int, ...], length: int, pause: int) -> np.ndarray:
    """Class numbers in long runs, 0 between them."""
    classes, stop = np.zeros(n_rows, dtype=np.int64), 0
    for number in range(n_rows):
        start = stop + int(rng.integers(pause // 2, pause))
        stop = start + int(rng.integers(length // 2, length))
        if start >= n_rows:
            return classes
        classes[start:stop] = ids[number % len(ids)]
    return classes


def _holes(rng: np.random.Generator, n_rows: int, *, n_holes: int, longest: int) -> np.ndarray:
    lost = np.zeros(n_rows, dtype=bool)
    for start, length in zip(rng.integers(0, n_rows, n_holes), rng.integers(1, longest, n_holes), strict=True):
        lost[start : start + length] = True
    return lost


def _six_digits(values: np.ndarray) -> np.ndarray:
    """Round to six significant digits, as the files' writer did."""
    scale = 10.0 ** (5 - np.floor(np.log10(np.abs(values))))
    return np.round(values * scale) / scale
