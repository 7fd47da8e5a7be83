"""Leave-one-subject-out on any data set: ECDF features and a random forest.

    python benchmarks/loso.py sp_sw_har --each-site

takes it from the folder of real data and writes results/loso_sp_sw_har.json in half a minute on two cores. Any name of
`har_virtual.datasets.registry.DATASETS` will do; `--data-home` says where it lies. Only this call writes: with any
other option, without `--each-site`, and for the samples in the repository, figures are printed and nothing is kept.
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
from _common import ROOT, data_folder, write_result
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
from har_virtual.recording import RecordingSet, channel_quantity, channel_site
from har_virtual.windows import join_sessions

SEED, N_RESAMPLES = 0, 2000

PROTOCOL = """
{title}: {n_subjects} subjects, task {task}, sites {sites}, quantities {quantities}, loaded with {options}; channels
of all sites side by side where several are joined, {n_left_out} sessions left out because a device is missing
(sessions_left_out has them, each with what it lacks); windows of {window_s:g} s, {overlap:.0%} overlap, at {rate:g}
Hz, the majority of the samples' labels as label, windows with a hole or without a label dropped. ECDF of 15 components
and mean of each channel, random forest of 100 trees, nothing tuned. Leave-one-subject-out: the forest for a subject's
windows is trained on all windows of all others. macro_f1 is pooled over all windows; low and high are its 95 %
percentile bootstrap over subjects, {n_resamples:,} resamples, seed {seed}. {n_subjects} subjects: read the interval as
an order of magnitude. All forests have the seed {seed}, so that the interval holds no variance between seeds.
mean_over_subjects averages the macro-F1 of each subject over the classes that this subject did. scikit_learn is the
same by LeaveOneGroupOut, cross_val_predict and f1_score; most_frequent_class guesses the commonest class of the others.
{remark}
"""

# What a loader's default means for the figure.
REMARKS = {
    "sp_sw_har": "align_phone: the phone of the person under test is turned, too, by the data set's own table of how "
    "it lay, which is metadata and no label.",
    "realworld": "timing: 'stamps' puts the devices of a session side by side by their clocks; published loaders cut "
    "them to the shortest from the start.",
}
# Said by the protocol in other words, or of no consequence for the figure.
COMMON = ("data_home", "subjects", "task", "sites", "quantities", "errors", "cache", "n_jobs")


def loader_of(name: str) -> Callable[..., RecordingSet]:
    return getattr(import_module(f"har_virtual.datasets.{name}"), f"load_{name}")


def options_of(name: str) -> dict[str, Any]:
    """The loader's own options, at which the figures are taken: its defaults, and real recordings only."""
    parameters = inspect.signature(loader_of(name)).parameters.items()
    options = {key: parameter.default for key, parameter in parameters if key not in COMMON}
    return options | ({"domain": "real"} if "domain" in options else {})


def task_of(name: str, asked: str | None) -> str:
    return asked or inspect.signature(loader_of(name)).parameters["task"].default


def load(name: str, home: Path, **asked: Any) -> RecordingSet:
    """Real recordings of a data set, by its own loader; what is not asked for is the loader's default."""
    given = {key: value for key, value in asked.items() if value is not None}
    return loader_of(name)(home, **given, **options_of(name))


def cut(recordings: RecordingSet, args: argparse.Namespace) -> tuple[WindowSet, dict[str, list[str]]]:
    """Windows of the sessions that have all devices, and what the other sessions lack."""
    joined = join_sessions(recordings, args.rate, missing="drop")
    windows = segment_recordings(joined, args.window_s, args.overlap, sampling_rate_hz=args.rate)
    return windows, left_out(recordings, joined)


def left_out(recordings: RecordingSet, joined: RecordingSet) -> dict[str, list[str]]:
    """Sessions that were not joined, each with the sensors that it lacks (none: its devices share no time)."""
    kept = {(recording.group, recording.session) for recording in joined}
    there: dict[tuple, list[str]] = {}
    for recording in recordings:
        sensors = [channel.rpartition("_")[0] for channel in recording.channels]
        there.setdefault((recording.group, recording.session), []).extend(sensors)
    every = dict.fromkeys(sensor for sensors in there.values() for sensor in sensors)
    return {
        f"{group}/{session}": [sensor for sensor in every if sensor not in sensors]
        for (group, session), sensors in there.items()
        if (group, session) not in kept
    }


def recogniser(classifier: Any) -> Any:
    return make_pipeline(ECDFFeatures(n_components=15), classifier)


def evaluate(windows: WindowSet) -> tuple[OutOfFold, dict[str, Any]]:
    forest = RandomForestClassifier(n_estimators=100, random_state=SEED)
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
    row = found.summary(n_resamples=N_RESAMPLES, random_state=SEED)
    for label, classifier in references.items():
        predicted = cross_val_predict(
            recogniser(classifier), *data, groups=windows.groups, cv=LeaveOneGroupOut(), n_jobs=2
        )
        row[label] = float(f1_score(windows.y, predicted, average="macro", zero_division=0))
    return found, row


def tables(found: OutOfFold, windows: WindowSet, missing: dict[str, list[str]]) -> dict[str, Any]:
    """What stands behind the figure: windows, classes, subjects, sessions that were left out."""
    counts = pd.crosstab(pd.Series(windows.y, name="label"), pd.Series(windows.groups, name="subject"))
    f1 = f1_score(found.y_true, found.y_pred, labels=found.classes, average=None, zero_division=0)
    return {
        "windows": {subject: counts[subject].to_dict() for subject in counts},
        "f1_by_class": dict(zip(found.classes.tolist(), np.round(f1, 4).tolist(), strict=True)),
        "f1_by_subject": found.per_subject().round(4).to_dict(),
        "confusion": {true: row.to_dict() for true, row in found.confusion.iterrows()},
        "dropped": dict(windows.attrs),
        "sessions_left_out": missing,
    }


def describe(name: str, args: argparse.Namespace, windows: WindowSet, together: dict[str, Any]) -> str:
    options = ", ".join(f"{key}={value!r}" for key, value in options_of(name).items())
    return PROTOCOL.format(
        title=find_dataset(name).title,
        n_subjects=together["n_subjects"],
        task=task_of(name, args.task),
        sites=", ".join(names_in(windows, channel_site)),
        quantities=", ".join(names_in(windows, channel_quantity)),
        options=options or "its defaults",
        n_left_out=len(together["sessions_left_out"]) or "no",
        window_s=args.window_s,
        overlap=args.overlap,
        rate=windows.sampling_rate_hz,
        n_resamples=N_RESAMPLES,
        seed=SEED,
        remark=REMARKS.get(name, ""),
    )


def names_in(windows: WindowSet, part_of: Callable[[str], str | None]) -> list[str]:
    return list(dict.fromkeys(str(part_of(channel)) for channel in windows.channels))


def parse() -> tuple[argparse.Namespace, bool]:
    """The options, and whether they are those of the figures that are kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=list(DATASETS))
    parser.add_argument("--data-home", type=Path, help="default: its folder among the real data")
    parser.add_argument("--sites", nargs="+")
    parser.add_argument("--quantities", nargs="+")
    parser.add_argument("--task")
    parser.add_argument("--rate", type=float, help="in Hz; default: the recordings' own")
    parser.add_argument("--window-s", type=float, default=1.0)
    parser.add_argument("--overlap", type=float, default=0.5)
    parser.add_argument("--each-site", action="store_true", help="each site by itself, too")
    args = parser.parse_args()
    usual = parser.parse_args([args.name, "--each-site"])
    usual.data_home = args.data_home = args.data_home or data_folder() / args.name
    sample = ROOT / "datasets" in (args.data_home.resolve(), *args.data_home.resolve().parents)
    return args, args == usual and not sample


def main() -> None:
    args, keep = parse()
    start = time.perf_counter()
    asked = {"quantities": args.quantities, "task": args.task}
    recordings = load(args.name, args.data_home, sites=args.sites, **asked)
    loaded_s = time.perf_counter() - start
    windows, missing = cut(recordings, args)
    found, row = evaluate(windows)
    together = row | tables(found, windows, missing)
    results: dict[str, Any] = {"data_home": args.data_home.resolve().name, "together": together}
    sites = names_in(windows, channel_site)
    for site in sites if args.each_site and len(sites) > 1 else []:
        alone, _ = cut(load(args.name, args.data_home, sites=[site], **asked), args)
        results[site] = evaluate(alone)[1]
    seconds = {"load": round(loaded_s, 1), "all": round(time.perf_counter() - start, 1)}
    scores = {name: each for name, each in results.items() if isinstance(each, dict)}
    print(pd.DataFrame({name: {k: v for k, v in each.items() if np.isscalar(v)} for name, each in scores.items()}))
    print(pd.DataFrame(together["windows"]).T, seconds, sep="\n")
    protocol = describe(args.name, args, windows, together)
    if keep:
        print(write_result(f"loso_{args.name}", protocol, results | {"seconds": seconds}, seed=SEED))
    else:
        print(" ".join(protocol.split()))
        print(f"Not kept: only `{args.name} --each-site` on a data set itself is.")


if __name__ == "__main__":
    main()
