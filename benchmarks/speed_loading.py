"""Loaders against polars reading the same columns of the same files, at full size, and the memory that they take.

The files are written first (`_loading_files.py`). Speed is measured in this process, all candidates in turn; memory,
and the first call of a process, in a fresh process for each figure.

    python benchmarks/speed_loading.py [--rounds 9] [--only pamap2] [--folder DIR]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import _loading_files as files
import numpy as np
import polars as pl
import pyarrow.parquet  # noqa: F401 - imported lazily by what is measured
from _common import write_result

from har_virtual import Recording, RecordingSet
from har_virtual.datasets.opportunity import load_opportunity
from har_virtual.datasets.pamap2 import load_pamap2
from har_virtual.datasets.realworld.loader import load_realworld

TARGETS = {"uncached": 1.3, "cached": 0.1, "memory": 3.0}
MODES = ("uncached", "filling", "cached")

PROTOCOL = f"""
Files written for the run, in the native formats, seed {files.SEED}: PAMAP2 subject101.dat, {files.PAMAP2_ROWS:,} x
54, six digits; Opportunity S1-Drill.dat, {files.OPPORTUNITY_ROWS:,} x 250, integers; RealWorld, one subject's 8
archives acc_*_csv.zip with 7 positions, 30,000 rows each (jumping 5,000), float32's digits, once with stamps every 20
ms and once with jitter, late rows and lost ones. All lie in the page cache. Speed: rounds of all candidates in turn
in one process, after one that does not count; a ratio is that of the medians over the rounds, of_fastest that of the
fastest rounds. uncached: the loader with cache=False, all sites and quantities; cached: the loader when its cache is
filled; both without a cold disk, cached without hashing, for the hash is remembered. The peer is the fastest, by its
median, of four ways in which polars reads nothing but the channels as Float32 into a DataFrame (RealWorld: members
read by zipfile, polars given their bytes; once with two archives at a time in two threads); with_others: the fastest
that reads all that the loader reads, thus clock and labels as Float64, too. first_call_cached: the first call in a
fresh process, all modules imported before, over the peer. Memory: peak resident set (VmHWM, set back through
/proc/self/clear_refs before the call) above the resident set before the call, over the bytes of the arrays returned
(data, labels, annotations); a fresh process each, modules imported before; the median of the processes. filling: the
first call, which fills the cache.
"""


class Columns(NamedTuple):
    """Columns of a table, by number: the channels, and what else the loader reads."""

    n_columns: int
    channels: list[int]
    others: list[int]
    separator: str = " "
    header_lines: int = 0

    def options(self, numbers: list[int]) -> dict[str, Any]:
        types = dict.fromkeys(self.channels, pl.Float32) | dict.fromkeys(self.others, pl.Float64)
        schema = {f"c{n}": types.get(n, pl.String) if n in numbers else pl.String for n in range(self.n_columns)}
        return {
            "schema": schema,
            "separator": self.separator,
            "has_header": False,
            "skip_rows": self.header_lines,
            "quote_char": None,
        }


class Case(NamedTuple):
    """A data set at full size: how its files are written and loaded, and what polars is to read of which files."""

    write: Callable[[Path], None]
    load: Callable[..., RecordingSet]
    columns: Columns
    files: str


def read_csv(source: Path | bytes, columns: Columns, numbers: list[int]) -> pl.DataFrame:
    return pl.read_csv(source, columns=numbers, **columns.options(numbers))


def scan_csv(source: Path | bytes, columns: Columns, numbers: list[int]) -> pl.DataFrame:
    return pl.scan_csv(source, **columns.options(numbers)).select(f"c{n}" for n in numbers).collect()


def scan_csv_streaming(source: Path | bytes, columns: Columns, numbers: list[int]) -> pl.DataFrame:
    lazy = pl.scan_csv(source, **columns.options(numbers)).select(f"c{n}" for n in numbers)
    return lazy.collect(engine="streaming")


def in_two_threads(source: Path | bytes, columns: Columns, numbers: list[int]) -> pl.DataFrame:
    """As `read_csv`, where `peer` gives two archives to two threads, so that one unpacks while the other parses."""
    return read_csv(source, columns, numbers)


def read_file(
    path: Path, read: Callable[..., pl.DataFrame], columns: Columns, numbers: list[int]
) -> list[pl.DataFrame]:
    if path.suffix != ".zip":
        return [read(path, columns, numbers)]
    with zipfile.ZipFile(path) as archive:
        return [read(archive.read(name), columns, numbers) for name in archive.namelist()]


PEERS = (read_csv, scan_csv, scan_csv_streaming, in_two_threads)

_PAMAP2 = Columns(54, [n for imu in (4, 21, 38) for n in (*range(imu, imu + 3), *range(imu + 6, imu + 12))], [0, 1, 2])
_OPPORTUNITY = Columns(
    250,
    [
        *(n for first in (1, 4, 13, 19, 22, 31, 34) for n in range(first, first + 3)),
        *(n for first in (37, 50, 63, 76, 89, 108, 124) for n in range(first, first + 6)),
    ],
    [0, *range(243, 250)],
)
_REALWORLD = Columns(5, [2, 3, 4], [1], ",", header_lines=1)

CASES = {
    "pamap2": Case(files.write_pamap2, load_pamap2, _PAMAP2, "*.dat"),
    "opportunity": Case(files.write_opportunity, load_opportunity, _OPPORTUNITY, "*.dat"),
    **{
        f"realworld_{stamps}": Case(
            partial(files.write_realworld, jitter=stamps == "jitter"), load_realworld, _REALWORLD, "*.zip"
        )
        for stamps in ("exact", "jitter")
    },
}


def seconds(function: Callable[[], Any]) -> float:
    start = time.perf_counter()
    result = function()
    elapsed = time.perf_counter() - start
    del result
    return elapsed


def measure_speed(case: Case, home: Path, rounds: int) -> dict[str, list[float]]:
    columns = case.columns

    def peer(read: Callable[..., pl.DataFrame], numbers: list[int]) -> list[list[pl.DataFrame]]:
        one = partial(read_file, read=read, columns=columns, numbers=numbers)
        paths = sorted(home.rglob(case.files))
        if read is not in_two_threads or len(paths) < 2:
            return [one(path) for path in paths]
        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(one, paths))

    everything = sorted(columns.channels + columns.others)
    candidates = {
        "uncached": lambda: case.load(home, cache=False),
        **{read.__name__: partial(peer, read, sorted(columns.channels)) for read in PEERS},
        "cached": lambda: case.load(home),
        **{f"{read.__name__}_with_others": partial(peer, read, everything) for read in PEERS},
    }
    turns = [{name: seconds(function) for name, function in candidates.items()} for _ in range(rounds + 1)][1:]
    return {name: [turn[name] for turn in turns] for name in candidates}


def in_fresh_process(name: str, mode: str, home: Path) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as empty:
        cache = empty if mode == "filling" else os.environ["HAR_VIRTUAL_CACHE"]
        child = subprocess.run(
            [sys.executable, __file__, "--child", name, mode, home],
            check=True,
            capture_output=True,
            text=True,
            env=os.environ | {"HAR_VIRTUAL_CACHE": cache},
        )
    return json.loads(child.stdout)


def measure_here(name: str, mode: str, home: Path) -> dict[str, float]:
    """Time and memory of one call in this process, which has done nothing else."""
    load = CASES[name].load
    before = _status_bytes("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")
    start = time.perf_counter()
    recordings = load(home, cache=mode != "uncached")
    elapsed = time.perf_counter() - start
    peak = _status_bytes("VmHWM") - before
    returned = sum(returned_bytes(recording) for recording in recordings)
    return {"seconds": elapsed, "peak_bytes": peak, "returned_bytes": returned, "ratio": peak / returned}


def _status_bytes(field: str) -> int:
    return 1024 * int(Path("/proc/self/status").read_text().partition(f"{field}:")[2].split()[0])


def returned_bytes(recording: Recording) -> int:
    """Bytes of a recording's arrays; what is there twice counts once."""
    arrays = [recording.data, recording.labels, *recording.annotations.values()]
    return sum({id(array): array.nbytes for array in arrays if isinstance(array, np.ndarray)}.values())


def ratio(times: list[float], peer: list[float]) -> dict[str, float]:
    return {"median": round(median(times) / median(peer), 3), "of_fastest": round(min(times) / min(peer), 3)}


def summary(times: list[float]) -> dict[str, Any]:
    return {"median_s": median(times), "fastest_s": min(times), "rounds_s": [round(each, 4) for each in times]}


def measure(name: str, home: Path, rounds: int, processes: int) -> dict[str, Any]:
    """All figures of a case."""
    times = measure_speed(CASES[name], home, rounds)
    runs = {mode: [in_fresh_process(name, mode, home) for _ in range(processes)] for mode in MODES}
    times["first_call_cached"] = [run["seconds"] for run in runs["cached"]]
    times["filling"] = [run["seconds"] for run in runs["filling"]]
    plain = min((read.__name__ for read in PEERS), key=lambda peer: median(times[peer]))
    whole = min((f"{read.__name__}_with_others" for read in PEERS), key=lambda peer: median(times[peer]))
    ours = ("uncached", "cached", "first_call_cached", "filling")
    return {
        "peer": plain,
        "over_peer": {each: ratio(times[each], times[plain]) for each in ours},
        "peer_with_others": whole,
        "over_peer_with_others": {each: ratio(times[each], times[whole]) for each in ours},
        "memory_over_returned": {mode: round(median(run["ratio"] for run in runs[mode]), 2) for mode in MODES},
        "returned_bytes": int(runs["uncached"][0]["returned_bytes"]),
        "processes": runs,
        "times": {each: summary(rounds_s) for each, rounds_s in times.items()},
    }


def show(name: str, figures: dict[str, Any]) -> None:
    peer = figures["times"][figures["peer"]]
    print(f"\n{name}: peer {figures['peer']}, {peer['median_s']:.3f} s (fastest {peer['fastest_s']:.3f} s)")
    print(f"{'':20}{'median s':>10}{'fastest s':>11}{'ratio':>8}{'fastest':>9}{'with others':>13}{'target':>8}")
    for each, of_medians in figures["over_peer"].items():
        times, whole = figures["times"][each], figures["over_peer_with_others"][each]
        print(
            f"{each:20}{times['median_s']:10.3f}{times['fastest_s']:11.3f}{of_medians['median']:8.3f}"
            f"{of_medians['of_fastest']:9.3f}{whole['median']:13.3f}{TARGETS.get(each, ''):>8}"
        )
    memory = ", ".join(f"{mode} {value:.2f}" for mode, value in figures["memory_over_returned"].items())
    size = figures["returned_bytes"] / 2**20
    print(f"peak memory over the {size:.1f} MiB returned: {memory} (target {TARGETS['memory']:g})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--processes", type=int, default=5, help="fresh processes for each figure of memory")
    parser.add_argument("--only", choices=CASES, action="append", help="writes no result")
    parser.add_argument("--folder", type=Path, help="keeps the files there, and takes those that are there")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        name, mode, home = options.child
        print(json.dumps(measure_here(name, mode, Path(home))))
        return
    results: dict[str, Any] = {"targets": TARGETS, "rounds": options.rounds, "processes": options.processes}
    with tempfile.TemporaryDirectory() as temporary:
        os.environ["HAR_VIRTUAL_CACHE"] = f"{temporary}/cache"
        for name in options.only or CASES:
            home = (options.folder or Path(temporary)) / name
            if not home.exists():
                CASES[name].write(home)
            results[name] = measure(name, home, options.rounds, options.processes)
            show(name, results[name])
    if not options.only:
        print(write_result("speed_loading", PROTOCOL, results, files.SEED))


if __name__ == "__main__":
    main()
