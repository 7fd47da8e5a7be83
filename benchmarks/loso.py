"""Leave-one-subject-out on any data set: ECDF features and a random forest.

`python benchmarks/loso.py sp_sw_har` takes it from the folder of real data and writes results/loso_sp_sw_har.json in
a minute on two cores. Any name of `har_virtual.datasets.registry.DATASETS` will do; `--data-home` says where it
lies.
"""

from __future__ import annotations

import argparse
import inspect
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from _common import data_folder, write_result
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import f1_score
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
from sklearn.pipeline import make_pipeline

from har_virtual import WindowSet, segment_recordings
from har_virtual.datasets.registry import DATASETS, find_dataset
from har_virtual.evaluation import OutOfFold, predict_out_of_fold
from har_virtual.features import ECDFFeatures
from har_virtual.model_selection import LeaveOneSubjectOut
from har_virtual.recording import RecordingSet, channel_site
from har_virtual.windows import join_sessions

PROTOCOL = """
{title}: {n_subjects} subjects, task {task}, sites {sites}, channels of all sites side by side where several are joined;
windows of {window_s:g} s, {overlap:.0%} overlap, at {rate:g} Hz, the majority of the samples' labels as label, windows
with a hole or without a label dropped. ECDF of 15 components and mean of each channel, random forest of 100 trees (seed
0), nothing tuned. Leave-one-subject-out: the forest for a subject's windows is trained on all windows of all others.
macro_f1 is pooled over all windows; low and high are its 95 % bootstrap interval over subjects; mean_over_subjects
averages the macro-F1 of each subject over the classes that this subject did. scikit_learn is the same by
LeaveOneGroupOut, cross_val_predict and f1_score; most_frequent_class guesses the commonest class of the others.
"""


def load(name: str, home: Path, **asked: Any) -> RecordingSet:
    """Real recordings of a data set, by its own loader; what is not asked for is the loader's default."""
    loader: Callable[..., RecordingSet] = getattr(import_module(f"har_virtual.datasets.{name}"), f"load_{name}")
    options = {key: value for key, value in asked.items() if value is not None}
    if "domain" in inspect.signature(loader).parameters:
        options["domain"] = "real"
    return loader(home, **options)


def cut(recordings: RecordingSet, args: argparse.Namespace) -> WindowSet:
    joined = join_sessions(recordings, args.rate, missing="drop")
    return segment_recordings(joined, args.window_s, args.overlap, sampling_rate_hz=args.rate)


def recogniser(classifier: Any) -> Any:
    return make_pipeline(ECDFFeatures(n_components=15), classifier)


def evaluate(windows: WindowSet) -> tuple[OutOfFold, dict[str, Any]]:
    forest = RandomForestClassifier(n_estimators=100, random_state=0)
    data = (windows.X, windows.y)
    found = predict_out_of_fold(
        recogniser(forest),
        *data,
        cv=LeaveOneSubjectOut(),
        groups=windows.groups,
        sample_domain=windows.sample_domain,
        n_jobs=2,
    )
    references = {"scikit_learn": forest, "most_frequent_class": DummyClassifier(strategy="most_frequent")}
    row = found.summary()
    for label, classifier in references.items():
        predicted = cross_val_predict(
            recogniser(classifier), *data, groups=windows.groups, cv=LeaveOneGroupOut(), n_jobs=2
        )
        row[label] = float(f1_score(windows.y, predicted, average="macro", zero_division=0))
    return found, row


def tables(found: OutOfFold, windows: WindowSet) -> dict[str, Any]:
    """What stands behind the figure: windows, classes, subjects."""
    counts = pd.crosstab(pd.Series(windows.y, name="label"), pd.Series(windows.groups, name="subject"))
    f1 = f1_score(found.y_true, found.y_pred, labels=found.classes, average=None, zero_division=0)
    return {
        "windows": {subject: counts[subject].to_dict() for subject in counts},
        "f1_by_class": dict(zip(found.classes.tolist(), np.round(f1, 4).tolist(), strict=True)),
        "f1_by_subject": found.per_subject().round(4).to_dict(),
        "confusion": {true: row.to_dict() for true, row in found.confusion.iterrows()},
        "dropped": dict(windows.attrs),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=list(DATASETS))
    parser.add_argument("--data-home", type=Path, help="default: its folder among the real data")
    parser.add_argument("--sites", nargs="+")
    parser.add_argument("--task")
    parser.add_argument("--rate", type=float, help="in Hz; default: the recordings' own")
    parser.add_argument("--window-s", type=float, default=1.0)
    parser.add_argument("--overlap", type=float, default=0.5)
    parser.add_argument("--each-site", action="store_true", help="each site by itself, too")
    args = parser.parse_args()
    start = time.perf_counter()
    home = data_folder() / args.name if args.data_home is None else args.data_home
    recordings = load(args.name, home, sites=args.sites, task=args.task)
    loaded_s = time.perf_counter() - start
    windows = cut(recordings, args)
    found, row = evaluate(windows)
    sites = list(dict.fromkeys(str(channel_site(channel)) for channel in windows.channels))
    results = {"together": row | tables(found, windows)}
    for site in sites if args.each_site and len(sites) > 1 else []:
        alone = cut(load(args.name, home, sites=[site], task=args.task), args)
        results[site] = evaluate(alone)[1]
    seconds = {"load": round(loaded_s, 1), "all": round(time.perf_counter() - start, 1)}
    protocol = PROTOCOL.format(
        title=find_dataset(args.name).title,
        n_subjects=row["n_subjects"],
        task=args.task or "by default",
        sites=", ".join(sites),
        window_s=args.window_s,
        overlap=args.overlap,
        rate=windows.sampling_rate_hz,
    )
    print(pd.DataFrame({name: {k: v for k, v in r.items() if np.isscalar(v)} for name, r in results.items()}))
    print(pd.DataFrame(results["together"]["windows"]).T, seconds, sep="\n")
    print(write_result(f"loso_{args.name}", protocol, results | {"seconds": seconds}, seed=0))


if __name__ == "__main__":
    main()
