"""Every table and figure of IMUTube's sections 3 to 5, on whatever data there are.

`python benchmarks/imutube_tables.py --data-home DIR` takes RealWorld, Opportunity, PAMAP2 and TotalCapture from DIR and
what was converted of their videos from DIR/virtual (`--convert` makes it), and prints each table beside the paper's.
Without any of them the same tables are made of the data at hand: UTD-MHAD, the phone-and-watch set and the studio.

`--only table1 figure6` runs these and keeps the others' results, which are written after each table; `--task` chooses
tasks; `--quick` tries everything on a few windows and writes nothing. The parts with networks are deep (tables 1b to
3b), table6 and figure7; of the data at hand they take an hour on two cores.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import _imutube_published as published
import numpy as np
import pandas as pd
from _common import RESULTS, ROOT, data_folder, write_result
from _imutube_data import DATA_SETS, Home, Traces, convert, shorten_task, tasks, traces, traces_at_hand, transfer_sets
from _imutube_deep import DEEP_PARTS, deep_against_paper
from _imutube_parts import SEED, Options, against_paper, compare_traces, records, show, transfer_from
from _imutube_parts import TASK_PARTS as FOREST_PARTS
from _tasks import Task, TransferSets

from har_virtual.exceptions import (
    DataFormatError,
    DataWarning,
    FoldError,
    HarVirtualError,
    MissingDependencyError,
    UnknownNameError,
)

TASK_PARTS = FOREST_PARTS | DEEP_PARTS
PARTS = ("tables1-3", "table4", "table5", "figure4", "figure5", "figure6", "budgets", *DEEP_PARTS)
SAME_PART = dict.fromkeys(("table1", "table2", "table3"), "tables1-3")
PROTOCOL = """
IMUTube (Kwon et al. 2020), sections 3 and 4, with random forests on ECDF features of 15 components and mean; the tasks'
notes say sites, rate, windows and where the virtual side comes from. Test rows are real windows of people who are in no
training row; everything fitted (rotation, map, forest) sees training people only. tables1-3: "validated" is
leave-one-subject-out in which the next subject in order chooses trees (3 to 50) and leaf (1 to 50) and does not train,
on all data: the honest figure; "fixed" has 50 trees and leaves of 1, nobody validates; "hold_out" has the paper's two
subjects. macro_f1 is pooled over test windows; low and high are the expanded 95 % bootstrap interval over subjects;
wilson_low and wilson_high are the paper's interval, which takes overlapping windows of few people for independent;
differences to R2R are paired over subjects. figure6 and table5 cut the real training data to so many seconds per class
before every fit (10 draws, the same for all protocols, nested over seconds), with virtual windows in the given ratio to
these, or all there are where a class has fewer (n_virtual); the forest is fixed unless the options say tuned. V2R in
figure6 maps all virtual windows by so much real data (3 draws). "best_on_test" is the highest test score over all
amounts of data, fixed or validated: the choice that the paper makes for its tables 1 to 3, looking at the test, and no
estimate. budgets is no table of the paper: all virtual windows of training people beside few real ones, taken as whole
runs of one person and class, or as single windows (10 draws). figure5: squared Frechet distance of virtual windows,
mapped by so many real seconds per class, to all real ones (it sees all real windows and is no score), on ECDF features:
not comparable with the paper's, which names no embedding. table4: "none" trains on the whole source and tests on the
whole target; the others leave one subject of the target out and map the source to the other subjects' real windows,
which do not train; fixed forests. Signals of figure4 are one take each, adapted by what was fitted on takes of other
people; r and rmse are of raw, mapped and aligned-and-mapped virtual acceleration. deep (tables 1b to 3b), table6 and
figure7 are networks on raw windows. One person, named or the next in order, validates with all real windows and labels,
whatever trains: training takes 100 epochs at most and stops 10 after that person's highest macro-F1, whose weights are
kept (the paper, too, has 100 and 10, and does not say what of the validation set; by the lowest loss, networks that
learn from scratch are stopped too soon, see docs/experiments.md). In deep and table6 each is trained with the seeds 0,
1 and 2: macro_f1 is the mean of the seeds' scores, a difference that of the same people, windows and seeds, and an
interval draws people, each with all seeds. With the paper's data its people are held out, with DeepConvLSTM of 64
filters and 128 units and its grid (learning rate, weight decay, augmentation), chosen on the validating person, but for
figure7 and autoencoders, where nothing is chosen. At hand hold-outs rotate over all people, so that intervals over
people exist; the network has 32 filters and 64 units, learning rate .003, weight decay .0001, no augmentation, 15
epochs of pretraining at most, none of them chosen. "TL" pretrains on 80 % of the virtual clips of people who are
neither tested nor validate, stops by 10 % (the last 10 % are scored only; a seed splits anew) and fine-tunes all
weights on the real windows, scaled as in pretraining; TL "some labels" has virtual windows of every other class only
(PAMAP2 with 11: of the 8), so that the last layer is replaced. table6's right half: forests of 50 trees on 100 numbers
of a convolutional autoencoder that saw real windows, or virtual ones as they are, without labels, stopped by their loss
on the validating person's real windows; at hand it has a quarter of the filters, 10 epochs at most and patience for 3.
figure7: real data cut to so many seconds per class (three draws, each with a seed of its own; nested over seconds),
adaptation fitted to these, all virtual windows pretrain; fine-tuning and training from scratch have 120 epochs at most
and patience for 25, as few windows are one step an epoch; macro_f1 pools the draws, and an interval draws people, each
with all draws.
"""


@dataclass
class Store:
    """Results by part and task; written after each, so that a run can be cut and parts run alone."""

    name: str
    keep: bool
    found: dict[str, Any]
    tasks: dict[str, Any] = field(default_factory=dict)
    parts: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        path = RESULTS / f"{self.name}.json"
        if self.keep and path.exists():
            before = json.loads(path.read_text())["results"]
            self.tasks = before.get("tasks", {})
            self.parts = {part: before[part] for part in PARTS if part in before}

    def run(self, part: str, key: str, work: Callable[[], dict[str, Any]], options: Options) -> None:
        """Do one table of one task; what the data do not allow is a reason in its place."""
        start = time.perf_counter()
        with data_warnings() as told:
            try:
                result = work()
            except (DataFormatError, UnknownNameError, FoldError, MissingDependencyError) as error:
                if isinstance(error, FoldError) and not isinstance(error.__cause__, HarVirtualError):
                    raise
                result = {"not_possible": str(error)}
                print(f"\n{key}, {part}: not possible: {error}", flush=True)
        result |= {
            "warnings": told,
            "options": options.described(),
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "wall_s": round(time.perf_counter() - start, 1),
        }
        print(f"{part} {key}: {result['wall_s']:g} s", flush=True)
        self.parts.setdefault(part, {})[key] = result
        if self.keep:
            write_result(self.name, PROTOCOL, self.results(), seed=SEED)

    def results(self) -> dict[str, Any]:
        columns = {name: task["published"] for name, task in self.tasks.items()}
        beside = against_paper(self.parts, columns)
        head = {"found": self.found, "tasks": self.tasks, "beside_the_paper": beside, "published": the_papers()}
        head["deep_beside_the_paper"] = deep_against_paper(self.parts, columns)
        return head | self.parts


def the_papers() -> dict[str, Any]:
    """Give the paper's own tables, whatever the data are."""
    return {
        "tables1-3": records(published.recognition_frame()),
        "table4": records(published.transfer_frame()),
        "table5": records(published.ratio_frame()),
        "tables1b-3b, table6": records(published.deep_frame()),
        "claims": published.CLAIMS,
    }


@contextmanager
def data_warnings() -> Iterator[list[str]]:
    """Collect what the library warns of, each text once; other warnings are given on."""
    told: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DataWarning)
        try:
            yield told
        finally:
            ours = [str(each.message) for each in caught if issubclass(each.category, DataWarning)]
            told.extend(dict.fromkeys(ours))
    for each in caught:
        if not issubclass(each.category, DataWarning):
            warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)


class Gathered(NamedTuple):
    """The data: what is there, and tasks, sets of table 4 and traces, which are loaded one after the other."""

    name: str
    found: dict[str, Any]
    tasks: Iterable[Task]
    pairs: Iterable[tuple[str, TransferSets]]
    traces: Iterable[Traces]


def gather(args: argparse.Namespace) -> Gathered:
    """Find IMUTube's data, or those at hand."""
    home = None
    if args.data_home is not None:
        virtual = args.virtual or args.data_home / "virtual"
        home = Home(args.data_home, virtual, args.assume_rate, cache=not args.quick, n_jobs=args.n_jobs)
        if args.convert:
            convert(home)
    if home is None or not home.found()["data sets"]:
        return gather_at_hand(args, home)
    found = home.found() | {"get": missing(home), "assume_rate": args.assume_rate}
    name = "_".join(["imutube_tables", *found["data sets"], *(["assumed_rate"] if args.assume_rate else [])])
    return Gathered(name, found, tasks(home), transfer_sets(home), traces(home))


def gather_at_hand(args: argparse.Namespace, home: Home | None) -> Gathered:
    """Take the data that need no request, and say so."""
    import _at_hand

    data, cache, parts = data_folder(), args.cache or _at_hand.DEFAULT_CACHE, wanted(args)
    found = {
        "data": "at hand: none of IMUTube's data sets was found, so that no figure compares with the paper's",
        "get": missing(home),
    }
    ours = _at_hand.at_hand(data, cache, n_jobs=args.n_jobs) if parts & set(TASK_PARTS) else []
    pairs = _at_hand.transfer_sets(data, cache, n_jobs=args.n_jobs) if "table4" in parts else {}
    return Gathered("imutube_tables", found, ours, pairs.items(), traces_at_hand(data, args.n_jobs))


def missing(home: Home | None) -> list[str]:
    """Say of each data set that is not there how to get it."""
    names = DATA_SETS if home is None else home.found()["missing data sets"]
    return [f"{name}: har-virtual datasets info {name}" for name in names]


def describe(task: Task) -> dict[str, Any]:
    return {
        "title": task.title,
        "notes": task.notes,
        "n_subjects": len(np.unique(task.windows.groups[task.windows.sample_domain == 0])),
        "windows": task.counts(),
        "paper_windows": published.WINDOWS.get(task.published or ""),
        "budgets_s": list(task.budgets_s),
        "max_block_s": task.max_block_s,
        "published": task.published,
    }


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-home", type=Path, help="with realworld/, opportunity/, pamap2/, totalcapture/")
    parser.add_argument("--virtual", type=Path, help="what was converted; default: DATA_HOME/virtual")
    parser.add_argument("--convert", action="store_true", help="first convert all videos that are found")
    parser.add_argument("--assume-rate", action="store_true", help="call RealWorld's rows of 50 Hz 30 Hz, as the paper")
    parser.add_argument("--only", nargs="+", choices=[*PARTS, *SAME_PART], help="default: all")
    parser.add_argument("--task", nargs="+", help="names of tasks, pairs of table 4 or traces; default: all")
    parser.add_argument("--paper-only", action="store_true", help="R2R, V2R mapped and Mix2R mapped only")
    parser.add_argument("--tune-curves", action="store_true", help="validate at every point of figure 6 and table 5")
    parser.add_argument("--deep-as-paper", action="store_true", help="the paper's network and grid at hand, too")
    parser.add_argument("--quick", action="store_true", help="a few windows and draws; nothing is written")
    parser.add_argument("--n-jobs", type=int, default=2)
    parser.add_argument("--figures", type=Path, help="folder for pictures")
    parser.add_argument("--cache", type=Path, help="of the films at hand; default: the user's cache")
    return parser.parse_args(argv)


def wanted(args: argparse.Namespace) -> set[str]:
    return {SAME_PART.get(part, part) for part in args.only or PARTS}


def is_kept(args: argparse.Namespace) -> bool:
    """Tell whether results are written: not those of a trial, nor of the samples in the repository."""
    home = args.data_home
    sample = home is not None and ROOT / "datasets" in (home.resolve(), *home.resolve().parents)
    return not args.quick and not sample


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Run the parts that were asked for; give all results."""
    args = parse(argv)
    options = Options(
        1 if args.quick else args.n_jobs,
        args.quick,
        args.paper_only,
        args.tune_curves,
        args.figures,
        args.deep_as_paper,
    )
    with data_warnings() as told:
        data = gather(args)
        print(json.dumps(data.found, indent=2), flush=True)
        store = Store(data.name, is_kept(args), data.found | {"warnings": told})
        run_all(data, store, wanted(args), args.task, options)
    results = store.results()
    if results["beside_the_paper"]:
        show("Beside the paper", pd.DataFrame(results["beside_the_paper"]))
    if results["deep_beside_the_paper"]:
        show("Networks beside the paper", pd.DataFrame(results["deep_beside_the_paper"]))
    return results


def run_all(data: Gathered, store: Store, parts: set[str], names: Sequence[str] | None, options: Options) -> None:
    """Make each table of each task, table 4 of each pair, and compare the traces."""
    for task in data.tasks if parts & set(TASK_PARTS) else ():
        if names is not None and task.name not in names:
            continue
        task = shorten_task(task) if options.quick else task
        store.tasks[task.name] = describe(task)
        for part in (part for part in TASK_PARTS if part in parts):
            store.run(part, task.name, lambda part=part, task=task: TASK_PARTS[part](task, options), options)
    for key, sets in data.pairs if "table4" in parts else ():
        if names is None or key in names:
            store.run("table4", key, lambda key=key, sets=sets: transfer_from(key, sets, options), options)
    for pair in data.traces if "figure4" in parts else ():
        if names is None or pair.name in names:
            store.run("figure4", pair.name, lambda pair=pair: compare_traces(pair, options), options)


if __name__ == "__main__":
    main()
