"""Write the tables of experiments.md from benchmarks/results/imutube_tables.json: `python docs/write_experiments.py`.

A table stands under a line `<!-- table: NAME -->`, up to the next empty line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "experiments.md"
SPEED = ROOT / "benchmarks" / "results" / "speed_protocols.json"
RESULTS = ROOT / "benchmarks" / "results" / "imutube_tables.json"
MAPPED, GLOBAL, ALIGNED = "Mix2R mapped", "Mix2R aligned, mapped", "Mix2R aligned, mapped per class"

Results = dict[str, Any]
Rows = Iterable[list[str]]


def tables(page: str, results: Results) -> str:
    """Give the page with its tables as the results have them."""

    def fill(found: re.Match) -> str:
        header, rows = TABLES[found[1]]
        lines = [header, ["---"] * len(header), *rows(results)]
        return f"<!-- table: {found[1]} -->\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)

    return re.sub(r"<!-- table: (\w+) -->\n(?:\|.*\n)*", fill, page)


def interval(row: dict[str, float], name: str = "macro_f1", *, sign: str = "") -> str:
    low, high = ("low", "high") if name == "macro_f1" else (f"{name}_low", f"{name}_high")
    return f"{row[name]:{sign}.3f} ({row[low]:{sign}.3f} to {row[high]:{sign}.3f})"


def less(row: dict[str, float]) -> str:
    return interval(row, "difference", sign="+")


def recognition(results: Results) -> Iterator[list[str]]:
    best = {(row["task"], row["protocol"]): row for row in results["beside_the_paper"]}
    for task, found in results["tables1-3"].items():
        for row in found["validated"]["table"]:
            name = row["protocol"]
            if name in ("Mix2R none", "Mix2R aligned, mapped", "V2R aligned, mapped"):
                continue
            chosen = best.get((task, name))
            yield [
                results["tasks"][task]["title"],
                name,
                interval(row),
                "" if name == "R2R" else less(row),
                f"{row['real_labels_used']:.0f}",
                "" if chosen is None else f"{chosen['best_on_test']:.3f}",
            ]


def learning(results: Results) -> Iterator[list[str]]:
    for task, found in results["figure6"].items():
        for seconds in sorted({row["seconds"] for row in found["curve"]}):
            here = {row["protocol"]: row for row in found["curve"] if row["seconds"] == seconds}
            said = {row["protocol"]: row["verdict"] for row in found["verdict"] if row["seconds"] == seconds}
            cells = [results["tasks"][task]["title"], f"{seconds:g}", f"{here['R2R']['macro_f1']:.3f}"]
            yield cells + [cell for name in (MAPPED, ALIGNED) for cell in (less(here[name]), said[name])]


def ratios(results: Results) -> Iterator[list[str]]:
    for task, found in results["table5"].items():
        curves, verdicts = (
            {MAPPED: one, ALIGNED: two}
            for one, two in zip(
                (found["curve"], found["verdict"]),
                (found["aligned"]["curve"], found["aligned"]["verdict"]),
                strict=True,
            )
        )
        for ratio in sorted({row["ratio"] for row in found["curve"]} - {0}):
            cells = []
            for name in (MAPPED, ALIGNED):
                row = next(each for each in curves[name] if each["ratio"] == ratio)
                cells += [less(row), next(each["verdict"] for each in verdicts[name] if each["ratio"] == ratio)]
            start = next(each for each in found["curve"] if each["ratio"] == 0)
            title = f"{results['tasks'][task]['title']}, {start['seconds']:g} s"
            yield [title, f"1:{ratio:g}", f"{start['macro_f1']:.3f}", *cells]


def few_labels(results: Results) -> Iterator[list[str]]:
    for task, found in results["budgets"].items():
        for kind in ("runs", "single windows"):
            curve, verdict = found[kind]["curve"], found[kind]["verdict"]
            for seconds in sorted({row["seconds"] for row in curve}):
                here = {row["protocol"]: row for row in curve if row["seconds"] == seconds}
                said = {row["protocol"]: row["verdict"] for row in verdict if row["seconds"] == seconds}
                cells = [results["tasks"][task]["title"], kind, f"{seconds:g}", f"{here['R2R']['macro_f1']:.3f}"]
                yield cells + [cell for name in (GLOBAL, ALIGNED) for cell in (less(here[name]), said[name])]


def calibration(results: Results) -> Iterator[list[str]]:
    for task, found in results["figure5"].items():
        for row in found["summary"]:
            more = f"{row['over_all_real']:+.0%}"
            title = results["tasks"][task]["title"]
            yield [title, f"{row['seconds']:g}", f"{row['mean']:.0f}", more, f"{found['unmapped']['frechet']:.0f}"]


def transfers(results: Results) -> Iterator[list[str]]:
    for target, found in results["table4"].items():
        rows = found["table"]
        own = next(row for row in rows if row["mapping"] == "R2R")
        for source in dict.fromkeys(row["source"] for row in rows if row["mapping"] != "R2R"):
            cells = {row["mapping"]: interval(row) for row in rows if row["source"] == source}
            yield [target, source, *(cells[name] for name in ("none", "mapped", "aligned, mapped")), interval(own)]


def networks(results: Results) -> Iterator[list[str]]:
    for part, half in (("deep", None), ("table6", "supervised")):
        for task, found in results[part].items():
            for row in (found if half is None else found[half])["table"]:
                name = row["protocol"]
                if half is not None and name == "R2R":
                    continue
                cells = [results["tasks"][task]["title"], name, interval(row), f"{row['sd_over_seeds']:.3f}"]
                yield [*cells, "" if name == "R2R" else less(row)]


def autoencoders(results: Results) -> Iterator[list[str]]:
    for task, found in results["table6"].items():
        real, virtual = found["unsupervised"]["table"]
        share = f"{virtual['macro_f1'] / real['macro_f1']:.0%}"
        yield [results["tasks"][task]["title"], interval(real), interval(virtual), less(virtual), share]


def fine_tuning(results: Results) -> Iterator[list[str]]:
    for task, found in results["figure7"].items():
        said = {(row["protocol"], row["seconds"]): row["verdict"] for row in found["verdict"]}
        start = {row["seconds"]: row for row in found["curve"] if row["protocol"] == "R2R"}
        for row in (each for each in found["curve"] if each["protocol"] != "R2R"):
            seconds = row["seconds"]
            cells = [results["tasks"][task]["title"], f"{seconds:g}", f"{start[seconds]['macro_f1']:.3f}"]
            yield [*cells, row["protocol"], less(row), said[row["protocol"], seconds]]


def speed(_: Results) -> Iterator[list[str]]:
    found = json.loads(SPEED.read_text(encoding="utf-8"))["results"]
    whole, plain = found["evaluate"], found["plain"]
    yield ["wall time over that of the forests' own fit and predict", f"{whole['over_forests']:.2f}"]
    yield ["the same with 20,000 windows", f"{plain['evaluate']['over_forests']:.2f}"]
    yield ["the same by `predict_out_of_fold` of the pipelines", f"{plain['pipelines']['over_forests']:.2f}"]
    memory = found["memory"]
    yield ["peak memory, of which the windows", f"{memory['peak_gib']:.1f} GiB, {memory['windows_gib']:.1f} GiB"]


TABLES: dict[str, tuple[list[str], Callable[[Results], Rows]]] = {
    "recognition": (
        ["data", "trained by", "macro-F1, validated", "less R2R", "real labels a fold", "best on the test set"],
        recognition,
    ),
    "learning": (
        ["data", "real s a class", "R2R", f"{MAPPED}, less R2R", "", f"{ALIGNED}, less R2R", ""],
        learning,
    ),
    "ratios": (
        ["data, real s a class", "ratio", "1:0", f"{MAPPED}, less 1:0", "", f"{ALIGNED}, less 1:0", ""],
        ratios,
    ),
    "few_labels": (
        ["data", "kept as", "real s a class", "R2R", f"{GLOBAL}, less R2R", "", f"{ALIGNED}, less R2R", ""],
        few_labels,
    ),
    "calibration": (
        ["data", "real s a class", "Fréchet distance", "more than with all real data", "unmapped"],
        calibration,
    ),
    "transfer": (
        ["tested on", "trained on", "as it is", "mapped", "aligned, mapped", "the target's own R2R"],
        transfers,
    ),
    "networks": (["data", "trained by", "macro-F1, mean of 3 seeds", "sd over seeds", "less R2R"], networks),
    "autoencoders": (
        ["data", "autoencoder of real windows", "of virtual ones", "less that of real ones", "share"],
        autoencoders,
    ),
    "fine_tuning": (["data", "real s a class", "R2R", "pretrained", "less R2R", ""], fine_tuning),
    "speed": (["200,000 windows", ""], speed),
}

if __name__ == "__main__":
    results = json.loads(RESULTS.read_text(encoding="utf-8"))["results"]
    PAGE.write_text(tables(PAGE.read_text(encoding="utf-8"), results), encoding="utf-8")
