from __future__ import annotations

import importlib
import json
import shutil
import warnings
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from har_virtual import VideoClip, convert_videos, segment_recordings
from har_virtual.exceptions import DataFormatError, DataWarning
from har_virtual.model_selection import HoldOut
from har_virtual.studio import Camera, Scene, perform

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "datasets"
STATES = ("standing", "walking", "jumping_jacks")


@pytest.fixture(scope="module")
def bench():
    """The modules of the benchmark, by the last part of their names."""
    names = ("_common", "_tasks", "_imutube_published", "_imutube_data", "_imutube_parts", "_imutube_deep")
    names = (*names, "imutube_tables")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "benchmarks"))
        yield SimpleNamespace(**{name.split("_")[-1]: importlib.import_module(name) for name in names})


@pytest.fixture
def samples(bench, tmp_path):
    return bench.data.Home(SAMPLES, tmp_path / "nothing", cache=False)


def quietly(function, *args, **given):
    """What the samples lack is warned of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return function(*args, **given)


def film(path: Path, activity: str, seed: int) -> Path:
    actor = perform(activity, duration_s=2.6, seed=seed)
    Scene([actor], Camera.facing([actor], azimuth_deg=40, size_px=(320, 240))).write_video(path, frame_rate_hz=15)
    return path


@pytest.fixture(scope="module")
def filmed(bench, tmp_path_factory):
    """The samples, a film of RealWorld's subject 1 who stands, and a clip of Kinetics, both converted."""
    folder = tmp_path_factory.mktemp("filmed")
    for name in ("realworld", "opportunity", "pamap2"):
        (folder / name).symlink_to(SAMPLES / name)
    (folder / "kinetics700").mkdir()
    shutil.copy(SAMPLES / "kinetics700" / "train.csv", folder / "kinetics700")
    film(folder / "kinetics700" / "har-virtuK1_000010_000020.mp4", "rope_jumping", 1)
    home = bench.data.Home(folder, folder / "virtual", cache=False)
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")
        patch.setenv("HAR_VIRTUAL_CACHE", str(folder / "cache"))
        made = bench.data.convert(home)
        sites = sorted({site for at in bench.data.FILMED.values() for site in at})
        clip = VideoClip(film(folder / "still.mp4", "standing", 2), label="standing", subject="1", dataset="realworld")
        options = {"sampling_rate_hz": 30.0, "quantities": ["acc"], "overlay": False}
        convert_videos([clip], folder / "virtual" / "realworld", sites=sites, **options)
    assert list(made) == ["kinetics700"]
    return home


@pytest.fixture(scope="module")
def task(bench):
    """Four people with sensors, three others whose motion is known."""
    rng, recordings = np.random.default_rng(0), []
    for person in range(7):
        domain = "real" if person < 4 else "virtual"
        for activity in STATES:
            imu = perform(activity, duration_s=6.0, seed=10 * person + 3).imu(
                ["right_wrist", "waist"], sampling_rate_hz=30, quantities=["acc"]
            )
            # So much noise that nothing is recognised without fault.
            data = imu.data + rng.normal(scale=8.0, size=imu.data.shape)
            recordings.append(
                imu.replace(data=data, subject=f"p{person}", domain=domain, labels=activity, dataset="made")
            )
    windows = segment_recordings(recordings, 1.0, 0.5)
    return bench.tasks.Task(
        name="made",
        title="Made",
        windows=windows,
        step_s=0.5,
        notes="none",
        budgets_s=(1.0, 3.0),
        ratio_s=2.0,
        max_block_s=0.5,
        hold_out=HoldOut("made/p1", "made/p2"),
        published="opportunity",
    )


@pytest.fixture
def quick(bench):
    return bench.parts.Options(n_jobs=1, quick=True, paper_only=True)


def test_published_intervals_of_one_data_set_imply_one_number_of_windows(bench):
    """A digit copied wrong would show."""
    published = bench.published
    for key, scores in published.RECOGNITION.items():
        implied = [published.implied_windows(score) for score in [*scores.values(), *published.RATIOS[key].values()]]
        assert max(implied) < 1.15 * min(implied), key
    tested = [published.implied_windows(score) for row in published.TRANSFER.values() for score in row.values()]
    assert max(tested) < 1.06 * min(tested)


def test_published_intervals_of_networks_imply_one_person_a_data_set(bench):
    published = bench.published
    for key, scores in published.DEEP_RECOGNITION.items():
        found = {**scores, **published.DEEP_TRANSFER[key]}.values()
        implied = [published.implied_windows(score) for score in found]
        assert max(implied) < 1.05 * min(implied), key
    gains = {
        key: published.DEEP_TRANSFER[key]["TL"].f1 / scores["R2R"].f1
        for key, scores in published.DEEP_RECOGNITION.items()
    }
    assert round(gains["realworld"] - 1, 2) == 0.14 and round(gains["opportunity"] - 1, 2) == 0.03
    assert len(published.deep_frame()) == 17 and set(published.deep_frame()["table"]) == {"1b", "2b", "3b", "6"}


def test_published_scores_are_those_of_the_papers_abstract_and_text(bench):
    tables = bench.published.RECOGNITION
    assert round(tables["realworld"]["V2R"].f1 / tables["realworld"]["R2R"].f1, 2) == 0.98
    assert round(tables["realworld"]["Mix2R"].f1 / tables["realworld"]["R2R"].f1 - 1, 2) == 0.12
    shares = [tables[key]["V2R"].f1 / tables[key]["R2R"].f1 for key in ("opportunity", "pamap2-8")]
    assert [round(share, 2) for share in shares] == [0.94, 0.96]
    assert round(tables["pamap2-11"]["V2R"].f1 / tables["pamap2-11"]["R2R"].f1, 2) == 0.80
    transfer = bench.published.TRANSFER
    own = transfer["opportunity"]["without mapping"].f1
    drops = [round(1 - transfer[source]["without mapping"].f1 / own, 2) for source in ("virtual", "realworld")]
    assert drops == [0.64, 0.66]


def test_every_data_set_that_is_there_becomes_its_task(bench, samples):
    found = {task.name: task for task in quietly(lambda: list(bench.data.tasks(samples)))}
    shapes = {name: task.windows.X.shape[1:] for name, task in found.items()}
    assert shapes == {"realworld": (30, 21), "opportunity": (30, 30), "pamap2-8": (30, 9), "pamap2-11": (30, 9)}
    assert all(task.windows.attrs["window_step_s"] == task.step_s == 0.5 for task in found.values())
    assert set(found["opportunity"].windows.y) == {"stand", "walk", "sit", "lie"}
    assert all(task.published == name and name in bench.published.COLUMNS for name, task in found.items())
    assert found["pamap2-11"].hold_out == HoldOut("pamap2/105", "pamap2/106")


def test_data_sets_that_are_missing_are_named_with_how_to_get_them(bench, tmp_path):
    (tmp_path / "pamap2").symlink_to(SAMPLES / "pamap2")
    home = bench.data.Home(tmp_path, tmp_path / "virtual", cache=False)
    assert home.found()["data sets"] == ["pamap2"]
    assert "opportunity: har-virtual datasets info opportunity" in bench.tables.missing(home)
    with pytest.raises(DataFormatError, match="har-virtual datasets info realworld"):
        bench.data.load_real(home, "realworld")


def test_rows_called_30_hz_are_five_thirds_as_many_windows(bench, samples, tmp_path):
    called = bench.data.Home(SAMPLES, tmp_path, assume_rate=True, cache=False)
    by_clock, by_rows = (quietly(bench.data.make_task, home, "realworld") for home in (samples, called))
    assert (len(by_clock.windows), len(by_rows.windows)) == (14, 35)
    assert "called 30 Hz" in by_rows.notes and "called" not in by_clock.notes


def test_sensors_that_stand_for_others_do_so_both_ways(bench):
    sites_between = bench.data.sites_between
    assert sites_between("opportunity", "pamap2") == {
        "right_wrist": "dominant_wrist",
        "back": "chest",
        "right_shin": "dominant_ankle",
    }
    for source, target in bench.data.TRANSFER_SITES:
        back = sites_between(target, source)
        assert {back[theirs]: theirs for theirs in back} == sites_between(source, target)


def test_a_source_has_the_channels_and_labels_of_its_target(bench, samples):
    pairs = dict(quietly(lambda: list(bench.data.transfer_sets(samples))))
    assert len(pairs) == 6
    for sets in pairs.values():
        for source in sets.sources.values():
            assert source.channels == sets.target.channels and not set(source.groups) & set(sets.target.groups)
    ours = pairs["opportunity from realworld"]
    assert len(ours.target.channels) == 18 and set(ours.sources["realworld"].y) == {"walk", "sit"}


def test_a_renamed_site_keeps_its_readings(bench, samples):
    raw = quietly(bench.data.load_real, samples, "realworld", sites=["chest"])[0]
    moved = bench.data._at_sites(raw, {"chest": "back"})
    assert moved.channels == ("back_acc_x", "back_acc_y", "back_acc_z")
    np.testing.assert_array_equal(moved.data, raw.data)


def test_films_of_realworld_serve_each_data_set_under_its_labels(bench, filmed):
    own, kitchen = (bench.data.load_virtual(filmed, name) for name in ("realworld", "opportunity"))
    worn = bench.data.load_virtual(filmed, "pamap2", task="8-class")
    assert [(len(each), each[0].labels, each[0].group) for each in (own, kitchen, worn)] == [
        (1, "standing", "realworld/1"),
        (1, "stand", "realworld/1"),
        (4, "standing", "realworld/1"),
    ]
    assert {len(own[0].channels), len(kitchen[0].channels), len(worn[0].channels)} == {21, 30, 9}
    assert "dominant_ankle_acc_z" in worn[0].channels


def test_clips_of_collections_are_in_the_eleven_classes_only(bench, filmed):
    eleven = bench.data.load_virtual(filmed, "pamap2", task="11-class")
    assert sorted(r.labels for r in eleven) == ["rope_jumping"] * 4 + ["standing"] * 4
    assert {r.group for r in eleven if r.labels == "rope_jumping"} == {"video:har-virtuK1"}


def test_virtual_windows_stand_beside_real_ones_and_show_no_class_that_those_lack(bench, filmed):
    task = quietly(bench.data.make_task, filmed, "pamap2", "11-class")
    virtual = task.windows.sample_domain == 1
    assert set(task.windows.y[virtual]) == {"standing"} and set(task.windows.groups[virtual]) == {"realworld/1"}
    assert "kinetics700, four placements a video" in task.notes
    # RealWorld's sample has nobody who stands.
    assert not quietly(bench.data.make_task, filmed, "realworld").windows.sample_domain.any()


def test_tables_1_to_3_have_the_honest_score_and_the_papers(bench, task, quick):
    found = bench.parts.recognise(task, quick)
    assert [row["protocol"] for row in found["validated"]["table"]] == ["R2R", "V2R mapped", "Mix2R mapped"]
    chosen = found["validated"]["chosen"]["R2R"]
    assert [(row["held_out"], row["validated"]) for row in chosen][:2] == [
        ("made/p0", "made/p1"),
        ("made/p1", "made/p2"),
    ]
    assert found["hold_out"]["table"][0]["n_subjects"] == 1 and found["hold_out"]["table"][0]["low"] is None
    row = found["fixed"]["table"][1]
    assert row["wilson_low"] < row["macro_f1"] < row["wilson_high"] and row["real_labels_used"] == 0
    json.dumps(found, allow_nan=False)


def test_the_best_on_the_test_set_is_marked_and_never_below_the_honest_score(bench, task, quick):
    results = {
        "tables1-3": {"made": bench.parts.recognise(task, quick)},
        "figure6": {"made": bench.parts.learn(task, quick)},
    }
    rows = bench.parts.against_paper(results, {"made": "opportunity"})
    assert [(row["protocol"], row["paper_best_on_test"]) for row in rows] == [
        ("R2R", 0.8271),
        ("V2R mapped", 0.7757),
        ("Mix2R mapped", 0.8820),
    ]
    assert all(row["best_on_test"] >= row["validated"] and row["best_on_test_at"] for row in rows)
    seconds = {row["seconds"] for row in results["figure6"]["made"]["curve"]}
    assert seconds == {1.0, 3.0}
    assert {row["protocol"] for row in results["figure6"]["made"]["v2r"]} == {"V2R mapped"}


# A trial's few windows make a map per class fall back.
@pytest.mark.filterwarnings("ignore:.*min_class_rows")
def test_table_5_starts_with_real_data_alone_and_has_the_papers_column(bench, task, quick):
    found = bench.parts.mix(task, quick)
    assert [(row["ratio"], row["paper"]) for row in found["curve"]] == [(0.0, 0.8214), (1.0, 0.8738)]
    assert [row["n_virtual"] for row in found["curve"]] == [0.0, 12.0]
    assert found["curve"][0]["n_real"] == 12.0


def test_figure_5_has_the_line_of_all_real_data(bench, task, quick):
    found = bench.parts.calibrate(task, quick)
    assert [row["seconds"] for row in found["summary"]] == [1.0, 3.0]
    assert found["all_real"]["frechet"] < found["unmapped"]["frechet"]


def test_table_4_sets_the_papers_score_beside_ours(bench, task, quick):
    real = task.windows.sample_domain == 0
    sets = bench.tasks.TransferSets(task.windows[real], {"virtual": task.windows[~real]}, "none")
    rows = quietly(bench.parts.transfer_from, "opportunity from virtual", sets, quick)["table"]
    assert [(row["source"], row["mapping"], row["paper"]) for row in rows] == [
        ("virtual", "none", 0.2949),
        ("virtual", "mapped", 0.7757),
        ("virtual", "aligned, mapped", None),
        ("opportunity", "R2R", 0.8272),
    ]


def test_without_virtual_windows_only_real_training_is_left(bench, task, quick):
    from dataclasses import replace

    alone = replace(task, windows=task.windows[task.windows.sample_domain == 0])
    found = bench.parts.recognise(alone, quick)
    assert [row["protocol"] for row in found["fixed"]["table"]] == ["R2R"]
    with pytest.raises(DataFormatError, match="no virtual windows"):
        bench.parts.mix(alone, quick)


@pytest.fixture(scope="module")
def deep(bench, task):
    """Both tables of networks, of four people in turn, and the options that remember what was run."""
    pytest.importorskip("skorch")
    from dataclasses import replace

    options = bench.parts.Options(n_jobs=1, quick=True, paper_only=True)
    in_turn = bench.data.shorten_task(replace(task, hold_out=None))
    found = {part: {"made": quietly(bench.deep.DEEP_PARTS[part], in_turn, options)} for part in ("deep", "table6")}
    return found, in_turn, options


def test_networks_are_tested_on_everybody_in_turn_with_intervals_over_people(deep):
    table = deep[0]["deep"]["made"]["table"]
    assert [row["protocol"] for row in table] == ["R2R", "V2R mapped", "Mix2R mapped"]
    assert all(row["n_subjects"] == 4 and row["low"] <= row["macro_f1"] <= row["high"] for row in table)
    json.dumps(deep[0], allow_nan=False)


def test_table_6_has_both_halves_and_the_r2r_that_was_trained_already(deep):
    found, _, options = deep
    halves = found["table6"]["made"]
    rows = [row["protocol"] for row in halves["supervised"]["table"]]
    assert rows == ["R2R", "TL mapped", "TL mapped, some labels"]
    assert halves["supervised"]["table"][0] == found["deep"]["made"]["table"][0]
    assert ("made", "R2R") in options.done
    first, second = halves["unsupervised"]["table"]
    assert (first["protocol"], second["protocol"]) == ("autoencoder real", "autoencoder virtual")
    assert first["difference"] == 0 and second["difference_low"] <= second["difference"] <= second["difference_high"]
    # An autoencoder uses windows of the person who validates, but nobody's label; the forest is the same.
    assert first["real_labels_used"] == second["real_labels_used"] < first["real_rows_used"]


def test_a_table_of_networks_says_how_each_of_its_rows_was_made(bench, deep):
    supervised, unsupervised = (deep[0]["table6"]["made"][half]["how"] for half in ("supervised", "unsupervised"))
    names = ["R2R", "TL mapped", "TL mapped, some labels"]
    for what in ("protocols", "classifier", "tuned"):
        assert list(supervised[what]) == names
        assert list(unsupervised[what]) == ["autoencoder real", "autoencoder virtual"]
    kinds = [text.partition("(")[0] for text in supervised["classifier"].values()]
    assert kinds == ["DeepConvLSTMClassifier", *2 * ["PretrainOnVirtual"]]
    for protocols in (supervised["protocols"], unsupervised["protocols"]):
        assert all(f"name='{name}'" in text for name, text in protocols.items())
    # No label is used to pretrain but those of the virtual windows, which nobody moves for an autoencoder.
    assert all("align=False, map=None" in text for text in unsupervised["protocols"].values())
    assert "train_on='virtual'" in unsupervised["classifier"]["autoencoder virtual"]
    assert "train_on='virtual'" not in unsupervised["classifier"]["autoencoder real"]


def test_networks_at_hand_are_trained_as_the_protocol_says(bench, task):
    from dataclasses import replace

    given = bench.deep.training(replace(task, published=None), bench.parts.Options())
    assert given.tune() is None and given.seeds == (0, 1, 2)
    begun, few = given.pretrained(), given.pretrained(**bench.deep.FEW_ROWS)
    own, rows = begun.estimator.get_params(), few.estimator.get_params()
    assert [own[name] for name in ("n_filters", "lstm_size", "lr", "weight_decay", "augment")] == [
        32,
        64,
        3e-3,
        1e-4,
        None,
    ]
    stopping = ("max_epochs", "patience", "monitor")
    assert [own[name] for name in stopping] == [100, 10, "f1"] and begun.pretrain_params == {"max_epochs": 15}
    # Only fine-tuning has more epochs where rows are few.
    assert [rows[name] for name in stopping] == [120, 25, "f1"]
    assert few.pretrain_params == {"max_epochs": 15, "patience": 10}
    assert begun.fractions == (0.8, 0.1, 0.1) and begun.freeze == ()
    forest = bench.deep.forest_on_autoencoder("virtual", given)["forest"]
    assert forest.train_on == "real" and forest.estimator.n_estimators == 50
    whole = bench.deep.training(task, bench.parts.Options()).autoencoder
    autoencoder, full = (
        bench.deep.forest_on_autoencoder("real", each)["features"]
        for each in (given, replace(given, autoencoder=whole))
    )
    assert [4 * n for n in autoencoder.n_filters] == list(full.n_filters)
    assert (autoencoder.max_epochs, autoencoder.patience, full.patience) == (10, 3, 10)


def test_networks_stand_beside_the_papers_figures(bench, deep):
    rows = {row["protocol"]: row["paper"] for row in bench.deep.deep_against_paper(deep[0], {"made": "opportunity"})}
    assert rows == {"R2R": 0.8871, "V2R mapped": 0.7882, "Mix2R mapped": 0.8838, "TL mapped": 0.91} | {
        "TL mapped, some labels": None
    }


def test_pretraining_may_know_other_labels(bench, task):
    from dataclasses import replace

    fewer = bench.deep.some_labels(task)
    virtual = fewer.sample_domain == 1
    assert set(fewer.y[virtual]) == {"jumping_jacks", "walking"} and set(fewer.y[~virtual]) == set(STATES)
    names = dict(zip(STATES, ("walking", "ironing", "rope_jumping"), strict=True))
    renamed = replace(task.windows, y=np.array([names[label] for label in task.windows.y]))
    eleven = bench.deep.some_labels(replace(task, windows=renamed, published="pamap2-11"))
    assert set(eleven.y[eleven.sample_domain == 1]) == {"walking", "rope_jumping"}


def test_figure_7_cuts_real_data_and_pretrains_on_all_virtual_windows(bench, deep):
    _, in_turn, options = deep
    curve = quietly(bench.deep.fine_tune, in_turn, options)["curve"]
    assert [(row["protocol"], row["seconds"], row["n_real"]) for row in curve] == [
        ("R2R", 2.5, 15.0),
        ("TL mapped", 2.5, 15.0),
    ]
    assert curve[1]["n_virtual"] == (in_turn.deep.sample_domain == 1).sum()


def test_the_papers_grid_is_chosen_on_its_validation_person(bench, task):
    pytest.importorskip("skorch")
    options = bench.parts.Options(n_jobs=1, quick=True, paper_only=True, deep_as_paper=True)
    found = bench.deep.recognise_deep(bench.data.shorten_task(task), options)
    [chosen] = found["chosen"]["R2R, seed 0"]
    assert (chosen["held_out"], chosen["validated"]) == ("made/p2", "made/p1") and set(chosen["params"]) == {"lr"}
    assert found["table"][0]["n_subjects"] == 1 and found["table"][0]["low"] is None
    full = bench.deep.training(task, bench.parts.Options())
    assert full.seeds == (0, 1, 2) and set(full.tune("estimator__")) == {
        "estimator__lr",
        "estimator__weight_decay",
        "estimator__augment",
    }
    own = full.classifier().get_params()
    assert (own["lstm_size"], own["monitor"]) == (128, "f1")
    assert full.pretrained(patience=3).pretrain_params == {"patience": 10}


def test_a_lag_of_three_samples_is_found(bench):
    t = np.arange(90) / 30
    wave = np.sin(2 * np.pi * 1.1 * t) + 0.3 * np.sin(2 * np.pi * 2.7 * t)
    from har_virtual import Recording

    real, late = (Recording(x[:, None], 30, ["waist_acc_x"]) for x in (wave[3:], wave[:-3]))
    found = bench.parts.agreement(real, late, "waist_acc_x")
    assert found["best_lag_s"] == 0.1 and found["best_r"] == 1.0 and found["r"] < 0.95


def test_a_take_is_adapted_by_what_other_people_did(bench, quick):
    takes = []
    for person, activity in product(range(3), ("walking", "squatting")):
        take = perform(activity, duration_s=4.0, seed=person).imu(["waist"], sampling_rate_hz=30, quantities=["acc"])
        take = take.replace(subject=f"p{person}", session=activity, labels=activity, domain="real")
        # The virtual sensor is half as strong; that of the person who is shown reads twice too much.
        gain = 1.0 if person else 2.0
        takes += [take.replace(data=gain * take.data), take.replace(data=0.5 * take.data, domain="virtual")]
    [pair] = bench.data.pair_traces(takes, "walking", "made.")
    assert set(pair.others.metadata["subject"]) == {"p1", "p2"}
    found = bench.parts.compare_traces(pair, quick)["rows"]
    raw, mapped = (
        next(r for r in found if r["virtual"] == name and "_x" in r["channel"]) for name in ("raw", "mapped")
    )
    assert mapped["r"] > 0.8 and mapped["rmse"] < raw["rmse"]
    moved = bench.parts.adapt(pair, align=False)
    assert 1.5 < moved.data[:, 0].mean() / pair.virtual.data[:, 0].mean() < 2.5


def test_parts_are_written_one_by_one_and_others_are_kept(bench, quick, tmp_path, monkeypatch):
    for module in (bench.common, bench.tables):
        monkeypatch.setattr(module, "RESULTS", tmp_path)
    bench.tables.Store("trial", True, {}).run("table5", "a", lambda: {"x": 1}, quick)
    store = bench.tables.Store("trial", True, {})
    store.run("figure5", "a", lambda: {"y": 2}, quick)

    def impossible():
        raise DataFormatError("too few people")

    store.run("table5", "b", impossible, quick)
    results = json.loads((tmp_path / "trial.json").read_text())["results"]
    assert results["table5"]["a"]["x"] == 1 and results["figure5"]["a"]["y"] == 2
    assert results["table5"]["b"]["not_possible"] == "too few people"


def test_a_mistake_in_the_code_is_no_lack_of_data(bench, quick):
    def wrong():
        raise KeyError("macro_f2")

    with pytest.raises(KeyError):
        bench.tables.Store("trial", False, {}).run("table5", "a", wrong, quick)


def test_neither_trials_nor_samples_are_kept(bench, tmp_path):
    kept = bench.tables.is_kept
    assert not kept(bench.tables.parse(["--quick"])) and kept(bench.tables.parse([]))
    assert not kept(bench.tables.parse(["--data-home", str(SAMPLES)]))
    assert kept(bench.tables.parse(["--data-home", str(tmp_path)]))


@pytest.mark.slow
def test_the_script_runs_on_the_samples(bench, tmp_path, capsys):
    given = [
        "--data-home",
        str(SAMPLES),
        "--virtual",
        str(tmp_path),
        "--quick",
        "--figures",
        str(tmp_path / "pictures"),
    ]
    results = bench.tables.main(given)
    assert set(results["tasks"]) == {"realworld", "opportunity", "pamap2-8", "pamap2-11"}
    # Two people: nobody can validate.
    assert "validated" not in results["tables1-3"]["opportunity"]
    assert results["tables1-3"]["opportunity"]["fixed"]["table"][0]["n_windows"] == 9
    assert {row["source"] for row in results["table4"]["opportunity from realworld"]["table"]} == {
        "realworld",
        "opportunity",
    }
    assert "no virtual windows" in results["table5"]["realworld"]["not_possible"]
    assert "no virtual windows" in results["table6"]["realworld"]["not_possible"]
    assert results["figure4"]["totalcapture/S1/walking1"]["rows"]
    assert any("S4" in text for text in results["found"]["warnings"])
    assert (tmp_path / "pictures" / "figure4_totalcapture_S1_walking1.png").stat().st_size > 1000
    assert "Beside the paper" in capsys.readouterr().out
