"""Write the tiny sample of RealWorld that lies beside this file: ``python datasets/realworld/make_sample.py``.

Two people walk, sit and climb stairs for two seconds, in the data set's own archives, names and columns. The readings
are closed-form: a phone at each position feels gravity and a swing of the activity's frequency and amplitude. Subject
1 has all three sensors while walking. Of subject 4 the only walk has the number 2 in its tables' names, and climbing
has two parts in archives within the archive. Readings are whole numbers of a phone's steps, as 32-bit numbers in Java's
digits, like the real ones. The readMe's wording is ours, except for its lines ``> entries N``: whether it has a line on
the frequency, too, we could not confirm.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np

POSITIONS = "chest forearm head shin thigh upperarm waist".split()
PREFIXES = {"acc": "acc", "gyr": "Gyroscope", "mag": "MagneticField"}
# Steps a second, and how far the readings swing: m/s2.
MOTION = {"walking": (1.8, 3.0), "sitting": (0.2, 0.1), "climbingup": (1.3, 2.0)}
STILL = {"acc": (0.0, 9.8, 0.0), "gyr": (0.0, 0.0, 0.0), "mag": (20.0, -40.0, 5.0)}
SWING = {"acc": 1.0, "gyr": 0.3, "mag": 2.0}
# What one count of the sensors stands for: m/s2, rad/s, uT.
STEPS = {"acc": 9.80665 / 2**14, "gyr": np.deg2rad(0.0175), "mag": 0.06}
FIRST_STAMP_MS = 1_435_993_916_003
N_ROWS, STEP_MS = 100, 20
LATE_MS = {"chest": 0, "forearm": 140, "head": 20, "shin": 60, "thigh": 80, "upperarm": 40, "waist": 100}
HEADER = "id,attr_time,attr_x,attr_y,attr_z"


def as_java(value: np.float32) -> str:
    """Write a number as Java writes a float: the digits that tell it from others, -0.9576807 or 9.765625E-4."""
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return np.format_float_positional(value, trim="0")
    return np.format_float_scientific(value, trim="0", exp_digits=1).replace("e", "E")


def table(quantity: str, activity: str, position: str, subject: int, part: int) -> str:
    """Give a table; each position starts a little later than the chest, and some are a few rows longer."""
    place = POSITIONS.index(position)
    n_rows = N_ROWS + place
    steps_hz, size = MOTION[activity]
    times_s = np.arange(n_rows) * STEP_MS / 1000
    phase = 2 * np.pi * steps_hz * (times_s + LATE_MS[position] / 1000) * (1 + 0.05 * subject) + 0.5 * place
    swing = SWING[quantity] * size * np.stack([0.4 * np.sin(phase / 2), np.sin(phase), 0.6 * np.cos(phase)], axis=1)
    readings = np.round((np.array(STILL[quantity]) + swing) / STEPS[quantity]) * STEPS[quantity]
    start_ms = FIRST_STAMP_MS + 600_000 * list(MOTION).index(activity) + 100_000 * (part - 1) + LATE_MS[position]
    rows = [
        f"{row + 1},{start_ms + row * STEP_MS},{','.join(map(as_java, reading))}"
        for row, reading in enumerate(readings.astype(np.float32))
    ]
    return "\n".join([HEADER, *rows]) + "\n"


def tables(quantity: str, activity: str, subject: int, infix: str = "", part: int = 1) -> dict[str, bytes]:
    """Give the members of an archive: a table a position and the readMe."""
    members, lines = {}, []
    for position in POSITIONS:
        name = f"{PREFIXES[quantity]}_{activity}{infix}_{position}.csv"
        text = table(quantity, activity, position, subject, part)
        members[name] = text.encode()
        lines += [name, f"> entries {text.count(chr(10)) - 1}", ""]
    return members | {"readMe": "\n".join(lines).encode()}


def pack(members: dict[str, bytes]) -> bytes:
    """Give a zip archive, the same bytes each time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, date_time=(2015, 7, 4, 9, 11, 56))
            info.compress_type = zipfile.ZIP_STORED if name.endswith(".zip") else zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            info.create_system = 3
            archive.writestr(info, content, compresslevel=9)
    return buffer.getvalue()


def contents() -> dict[str, bytes]:
    """Give all archives by their place in the data set."""
    archives = {f"proband1/data/acc_{activity}_csv.zip": pack(tables("acc", activity, 1)) for activity in MOTION}
    for quantity in ("gyr", "mag"):
        archives[f"proband1/data/{quantity}_walking_csv.zip"] = pack(tables(quantity, "walking", 1))
    archives["proband4/data/acc_sitting_csv.zip"] = pack(tables("acc", "sitting", 4))
    archives["proband4/data/acc_walking_csv.zip"] = pack(tables("acc", "walking", 4, infix="_2"))
    parts = {
        "acc_climbingup_1_csv.zip": pack(tables("acc", "climbingup", 4)),
        "acc_climbingup_2_csv.zip": pack(tables("acc", "climbingup", 4, infix="_2", part=2)),
    }
    archives["proband4/data/acc_climbingup_csv.zip"] = pack(parts)
    return archives


def write_sample(folder: Path) -> list[Path]:
    """Write the archives under `folder` and give the files."""
    files = []
    for name, content in contents().items():
        files.append(folder / name)
        files[-1].parent.mkdir(parents=True, exist_ok=True)
        files[-1].write_bytes(content)
    return files


if __name__ == "__main__":
    write_sample(Path(__file__).parent)
