"""The documentation holds what the code does: public names, sites, examples, and the commands that CI runs."""

from __future__ import annotations

import contextlib
import doctest
import importlib
import inspect
import io
import json
import os
import re
import subprocess
import sys
from operator import attrgetter
from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline

import har_virtual
from har_virtual.datasets import DATASETS, VIDEO_COLLECTIONS
from har_virtual.features import ECDFFeatures
from har_virtual.imu import SITES
from har_virtual.studio import ACTIVITIES
from har_virtual.video import probe_video

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted(page for page in (ROOT / "docs").rglob("*.md") if "_build" not in page.parts)

# Single modules whose public names are documented beside the packages'.
MODULES = ("har_virtual.exceptions", "har_virtual.signal", "har_virtual.studio.jets")


def fenced(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)


def documented_names() -> dict[str, list[str]]:
    """Module to the entries of its table in docs/api; an entry may name the submodule where a constant is defined."""
    tables = {}
    for page in (ROOT / "docs" / "api").glob("*.md"):
        for block in fenced(page.read_text(encoding="utf-8"), r"\{eval-rst\}"):
            module = re.search(r"currentmodule:: (\S+)", block).group(1)
            tables[module] = re.findall(r"^   ([\w.]+)$", block, flags=re.MULTILINE)
    return tables


def public_names(module_name: str) -> list[str]:
    """Names that the table of a module lists: all public ones but those that stand at the top as well."""
    module = importlib.import_module(module_name)
    if module_name == "har_virtual":
        return sorted(module.__all__)
    if module_name not in MODULES:
        top = [getattr(har_virtual, name) for name in har_virtual.__all__]
        return sorted(name for name in module.__all__ if not any(getattr(module, name) is other for other in top))
    defined = inspect.getmembers(module, lambda o: getattr(o, "__module__", None) == module_name)
    return [name for name, _ in defined if not name.startswith("_")]


def test_every_package_has_a_table_in_the_api_page():
    # Packages within packages have their names in the table of the outer one, but for videos and networks.
    packages = {f"har_virtual.{init.parent.name}" for init in (ROOT / "har_virtual").glob("*/__init__.py")}
    packages = packages - {"har_virtual.cli"} | {"har_virtual.datasets.videos", "har_virtual.models.networks"}
    assert set(documented_names()) == {"har_virtual", *packages, *MODULES}


@pytest.mark.parametrize("module_name", sorted(documented_names()))
def test_the_api_page_lists_exactly_the_public_names(module_name):
    entries = documented_names()[module_name]
    assert sorted(entry.rpartition(".")[2] for entry in entries) == public_names(module_name)
    module = importlib.import_module(module_name)
    for entry in entries:
        assert attrgetter(entry)(module) is getattr(module, entry.rpartition(".")[2])


def test_the_conventions_page_lists_exactly_the_sites():
    text = (ROOT / "docs" / "conventions.md").read_text(encoding="utf-8")
    table = text.partition("| site |")[2].partition("\n\n")[0]
    first_column = "".join(row.split("|")[1] for row in table.splitlines() if row.startswith("|"))
    assert sorted(re.findall(r"`(\w+)`", first_column)) == sorted(SITES)


def test_the_studio_s_page_says_of_each_activity_what_the_library_says():
    rows = table_rows((ROOT / "docs" / "studio.md").read_text(encoding="utf-8"), "activity")
    assert rows == [[f"`{name}`", activity.description.rstrip(".")] for name, activity in ACTIVITIES.items()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_examples_of_a_page_give_what_the_page_says(page):
    blocks = [block for block in fenced(page.read_text(encoding="utf-8"), "python") if ">>>" in block]
    test = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, page.name, str(page), 0)
    report: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(test, out=report.append)
    assert not report, "".join(report)


def test_the_readme_has_one_command_for_the_job_and_one_for_the_tests():
    demo, tests = fenced(README, "bash")
    for command in (demo, tests):
        assert command.count("\n") == 1, "a command is one line to copy"
        assert "pip install -c constraints.txt" in command
    assert demo.rstrip().endswith("&& har-virtual demo")
    assert tests.rstrip().endswith("&& pytest")


def test_ci_runs_the_commands_of_the_readme(tmp_path):
    listed = subprocess.run(
        ["bash", ROOT / ".ci" / "run", "--list"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert listed.stdout == "".join(fenced(README, "bash"))


def test_links_between_files_lead_somewhere():
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *PAGES):
        for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
            assert target.startswith("https://") or (page.parent / target).exists(), f"{page.name}: {target}"


def run_script(script: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a page's code in a folder as a program of its own, in which a warning is an error."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> str:
    return str(tmp_path_factory.mktemp("cache"))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["README.md", "docs/quickstart.md"])
def test_the_python_example_runs_on_a_real_video(name, test_data, tmp_path, cache):
    blocks = [b for b in fenced((ROOT / name).read_text(encoding="utf-8"), "python") if "VideoClip(" in b]
    (tmp_path / "walk.mp4").symlink_to(test_data / "video" / "sports2d_demo.mp4")
    done = run_script("\n".join(blocks), tmp_path, HAR_VIRTUAL_CACHE=cache)
    assert "left_wrist_acc_x" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("name", ["README.md", "docs/quickstart.md", "docs/studio.md"])
def test_the_studio_s_examples_run(name, test_data, tmp_path):
    blocks = fenced((ROOT / name).read_text(encoding="utf-8"), "python")
    blocks = [block for block in blocks if "har_virtual.studio" in block and ">>>" not in block]
    assert blocks
    take = next((test_data / "mocap" / "cmu").rglob("05_02.bvh"))
    (tmp_path / "05_02.bvh").symlink_to(take)
    run_script("\n".join(blocks), tmp_path)
    (film,) = tmp_path.glob("*.mp4")
    assert probe_video(film).frame_rate_hz == pytest.approx(30)


def test_the_readme_s_figures_are_those_of_the_results():
    def result(name: str) -> dict:
        return json.loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text(encoding="utf-8"))["results"]

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    convert, sort = result("speed_convert"), result("speed_sort")
    short, *_, long = convert["memory"]
    utd_mhad, ecdf, mapping = result("utd_mhad"), result("speed_features")["ecdf"], result("speed_mapping")
    scores = {label: f"{row['macro_f1']:.3f}" for label, row in utd_mhad["table"]["right_wrist acc"]["rows"].items()}
    best, loops = scores["V2R, mapped per class, norms in the segment's frame"], ecdf["loop_over_har_virtual"]
    few = utd_mhad["budgets"]["runs"]["3"]["rows"]["Mix2R, aligned, mapped"]
    films, render = result("fidelity_studio")["test"], result("speed_render")

    def r(method: str, digits: int) -> list[str]:
        return [f"{float(films[kind]['methods'][method]['acc'].split()[2]):.{digits}f}" for kind in ("formula", "cmu")]

    given, paper = " and ".join(r("exact joints", 3)), " and ".join(r("paper", 2))
    default = result("fidelity_pose2sim")["methods"]["fixed rotation, on the keypoints' rays, depth smoothed (default)"]
    for figure in (
        f"{convert['speed']['ratio']:.2f} times, {convert['speed']['conversion_ms_a_frame']:.0f} ms a frame",
        f"peak memory {short['peak_mib']:.0f} MiB for 10 s of video, {long['peak_mib']:.0f} MiB for 5 min",
        f"{'; '.join(f'r {figure}' for figure in r('translation', 2))} (given exact joints {given};",
        f"with the paper's placement {paper})",
        f"{render['fixed']['ms_a_frame']:.0f} ms a frame, {render['moving']['ms_a_frame']:.0f} ms with a moving camera",
        f"MOTA {sort['scores']['har_virtual']['mota']:.3f}",
        f"r {default['r_across']:.2f} across the line of sight, {default['r_along']:.2f} along it",
        f"real {scores['R2R']}; virtual as it is {scores['V2R, none']}",
        f"aligned and mapped {best};",
        f"add {few['against_difference']:.3f} ({few['against_low']:.3f} to {few['against_high']:.3f})",
        f"{loops['loop']['median']:.0f} times a function called for each window",
        f"({loops['loop_positions_given']['median']:.1f} times a loop that knows the positions)",
        f"{ecdf['har_virtual_over_sort']['sort_axis_1']['median']:.2f} of a bare sort",
        f"{mapping['interpolated']['ratio']:.2f} of scikit-learn's quantile transformers",
        f"KS {mapping['interpolated']['ks']:.4f}",
        f"RMSE {default['rmse_across']:.1f} and {default['rmse_along']:.1f} m/s²",
    ):
        assert figure in readme, figure


def test_what_is_said_of_the_networks_speed_is_in_the_results():
    path = ROOT / "benchmarks" / "results" / "speed_models.json"
    results = json.loads(path.read_text(encoding="utf-8"))["results"]
    cases = {name: results[name] for name in ("30x9", "30x21", "24x113")}
    ratios = ", ".join(f"{case['step_ratio']['median']:.2f}" for case in cases.values())
    steps = ", ".join(f"{case['classifier']['step_ms']:.0f}" for case in cases.values())
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"{ratios} times ({steps} ms a step)" in readme
    guide = (ROOT / "docs" / "deep_models.md").read_text(encoding="utf-8")
    rows = [
        [
            name.replace("x", " x "),
            f"{case['n_parameters']:,}",
            f"{case['classifier']['step_ms']:.0f} ms",
            f"{case['step_ratio']['median']:.2f}",
            f"{case['augmentation']['batch_ms']:.1f} ms",
            f"{case['prediction']['windows_per_second']['classifier']:,.0f}",
        ]
        for name, case in cases.items()
    ]
    assert table_rows(guide, "windows") == rows
    assert results["memory"]["growth"] < 0.01


def test_what_is_said_of_pretraining_is_in_the_results():
    path = ROOT / "benchmarks" / "results" / "imutube_tables.json"
    results = json.loads(path.read_text(encoding="utf-8"))["results"]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    def less(row: dict) -> str:
        low, high = (f"{row[f'difference_{end}']:+.3f}" for end in ("low", "high"))
        return f"{row['difference']:+.3f} ({low} to {high})"

    for task, seconds in (("utd_mhad", 1.5), ("sp_sw_har", 2.0)):
        (few,) = (row for row in results["figure7"][task]["verdict"] if row["seconds"] == seconds)
        assert f"{less(few)} with {seconds:g} s" in readme
        (whole,) = (row for row in results["table6"][task]["supervised"]["table"] if row["protocol"] == "TL none")
        assert less(whole) in readme.partition("[with all labels]")[2]


def table_rows(text: str, first: str) -> list[list[str]]:
    """Cells of the table whose first column is named `first`."""
    lines = text.partition(f"| {first} |")[2].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[: lines.index("")]]


def test_the_guide_s_tables_are_those_of_the_results():
    results = json.loads((ROOT / "benchmarks" / "results" / "utd_mhad.json").read_text(encoding="utf-8"))["results"]
    guide = (ROOT / "docs" / "virtual_and_real.md").read_text(encoding="utf-8")

    def less(row: dict) -> str:
        return f"{row['against_difference']:+.3f} ({row['against_low']:+.3f} to {row['against_high']:+.3f})"

    for label, score, difference, rows, labels in table_rows(guide, "training"):
        row = results["table"]["right_wrist acc"]["rows"][label]
        assert score == f"{row['macro_f1']:.3f} ({row['low']:.3f} to {row['high']:.3f})", label
        assert difference == ("" if label == "R2R" else less(row)), label
        assert [rows, labels] == [f"{row['real_rows_used']:.0f}", f"{row['real_labels_used']:.0f}"], label
    for kind, budget, *cells in table_rows(guide, "kept as"):
        r2r, mapped, by_class = results["budgets"][kind][budget]["rows"].values()
        scores = [f"{row['macro_f1']:.3f}" for row in (r2r, mapped, by_class)]
        assert cells == [scores[0], scores[1], less(mapped), scores[2], less(by_class)], (kind, budget)


def test_what_the_guide_says_of_twist_lag_and_confidence_is_in_the_results():
    results = json.loads((ROOT / "benchmarks" / "results" / "utd_mhad.json").read_text(encoding="utf-8"))["results"]
    guide = " ".join((ROOT / "docs" / "virtual_and_real.md").read_text(encoding="utf-8").split())
    measured, oracle = (rows["V2R, mapped"]["macro_f1"] for rows in results["why"]["twist"].values())
    lag, *unsure, _, sure = results["why"]["lag"], *results["why"]["confidence"]
    near = sum(r["draws"] * r["share_within_30_deg"] for r in unsure) / sum(r["draws"] for r in unsure)
    for figure in (
        f"from {measured:.3f} to {oracle:.3f}",
        f"from {lag['median_correlation_of_norm_without_lag']:.2f} to {lag['median_correlation_of_norm']:.2f}",
        f"{sure['share_within_30_deg']:.0%} of the rotations with a confidence over .95",
        f"{near:.0%} of those below .8",
    ):
        assert figure in guide, figure
    for folds in results["table"].values():
        assert all(fold["confidence"] == 1 for fold in folds["rotations"])


def test_the_guide_runs_on_utd_mhad(test_data, tmp_path):
    guide = (ROOT / "docs" / "virtual_and_real.md").read_text(encoding="utf-8")
    (tmp_path / "utd_mhad").symlink_to(test_data / "utd_mhad")
    # Three subjects and five trees show that it runs; the figures have tests of their own.
    script = "\n".join(fenced(guide.partition("## Your own data")[0], "python")).replace(
        "Classifier(50,", "Classifier(5,"
    )
    script = script.replace('load_utd_mhad("utd_mhad")', 'load_utd_mhad("utd_mhad", subjects=[1, 2, 3])')
    done = run_script(script, tmp_path)
    for printed in ("Mix2R - R2R:", "angle_deg", "clf__train_on", "utd_mhad/1: 252 real training windows"):
        assert printed in done.stdout


def test_the_tables_of_the_experiments_are_those_of_the_results(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    writer = importlib.import_module("write_experiments")
    page = writer.PAGE.read_text(encoding="utf-8")
    results = json.loads(writer.RESULTS.read_text(encoding="utf-8"))["results"]
    assert set(re.findall(r"<!-- table: (\w+) -->\n\| ", page)) == set(writer.TABLES)
    assert writer.tables(page, results) == page


@pytest.mark.slow
def test_the_guide_on_experiments_runs_on_real_data(test_data, tmp_path):
    guide = (ROOT / "docs" / "experiments.md").read_text(encoding="utf-8")
    for name in ("utd_mhad", "sp_sw_har"):
        (tmp_path / name).symlink_to(test_data / name)
    # Three subjects, two draws and few trees show that it runs; the figures have tests of their own.
    script = "\n".join(block for block in fenced(guide, "python"))
    for full, small in {
        'load_utd_mhad("utd_mhad"': 'load_utd_mhad("utd_mhad", subjects=[1, 2, 3]',
        "tune=FOREST_GRID": 'tune={"n_estimators": [3]}',
        "max_block_s=0.5, random_state=0": "max_block_s=0.5, random_state=0, n_draws=2",
        "[1.5, 3, 6, 12], max_block_s=0.5, random_state=0, n_draws=2": "[1.5, 3], max_block_s=0.5, n_seeds=2",
    }.items():
        assert full in script
        script = script.replace(full, small)
    done = run_script(script, tmp_path)
    for printed in ("Mix2R aligned, mapped per class", "verdict", "n_virtual", "over_all_real", "its skeletons"):
        assert printed in done.stdout
    pictures = {"per_class", "confusion", "learning_curve", "calibration", "traces"}
    assert {path.stem for path in tmp_path.glob("*.png")} == pictures


def test_what_the_guide_does_with_one_s_own_data_runs_on_a_real_walk(test_data, tmp_path, monkeypatch):
    guide = (ROOT / "docs" / "virtual_and_real.md").read_text(encoding="utf-8")
    table, cut, predict = fenced(guide.partition("## Your own data")[2], "python")
    monkeypatch.chdir(tmp_path)
    Path("anna_walks.bvh").symlink_to(test_data / "mocap" / "cmu" / "12_01_walk.bvh")
    names: dict = {}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(doctest.script_from_examples(table), names)
    # The file's unit is that of CMU, not a centimetre.
    exec(cut.replace("unit_m=0.01", "unit_m=0.056444"), names)
    windows = names["W"]
    assert set(windows.groups) == {"mine/anna"} and set(windows.sample_domain) == {0, 1}
    names["model"] = make_pipeline(ECDFFeatures(), RandomForestClassifier(2, random_state=0)).fit(windows.X, windows.y)
    names["recording"] = names["phone"]
    exec(predict + "predicted = model.predict(new.X)", names)
    assert set(names["predicted"]) == {"stand"}


def test_the_page_on_how_good_it_is_has_the_figures_of_the_results():
    path = ROOT / "benchmarks" / "results" / "fidelity_studio.json"
    results = json.loads(path.read_text(encoding="utf-8"))["results"]["test"]
    page = (ROOT / "docs" / "how_good.md").read_text(encoding="utf-8")

    def cells(table: dict[str, str]) -> list[str]:
        acc, free, gyr = (table[quantity].split() for quantity in ("acc", "linear_acc", "gyr"))
        return [acc[2], acc[4], acc[7], acc[9], free[2], gyr[2], gyr[7], gyr[9], acc[1]]

    formula, cmu = results["formula"], results["cmu"]
    pitch = formula["repeats"]["pitch_deg"]
    told = pitch["translation, pitch told"]
    expected = {
        "from": {f"activities: {name}": table for name, table in formula["methods"].items()}
        | {f"CMU takes: {name}": table for name, table in cmu["methods"].items()},
        "activity": {f"`{name}`": table for name, table in formula["activities"].items()}
        | {f"CMU {name}": table for name, table in cmu["activities"].items()},
        "site": {f"`{name}`": table for name, table in formula["sites"].items()},
        "path": {name.replace("_", " "): table for name, table in formula["repeats"]["path"]["translation"].items()},
        "camera": {
            "level": pitch["translation"]["0"],
            **{f"{deg}° down": pitch["translation"][f"-{deg}"] for deg in (10, 20)},
            **{f"{deg}° down, told": told[f"-{deg}"] for deg in (10, 20)},
        },
    }
    best, worst = (results["clips"][results[which]] for which in ("best", "worst"))
    said = " ".join(page.split())
    assert f"`{results['best']}`, has {best['acc']:.2f}, and {best['linear_acc']:.2f} without gravity" in said
    assert f"the worst one, `{results['worst']}`, has {worst['acc']:.2f}." in said
    medians = [float(kind["methods"]["translation"]["acc"].split()[2]) for kind in (formula, cmu)]
    assert "more than {:.2f} for the studio's activities and by more than {:.2f}".format(*medians) in said
    for first, rows in expected.items():
        stated = {name: figures for name, *figures in table_rows(page.replace(r"\|", "¦"), first)}
        assert stated == {name: cells(table) for name, table in rows.items()}, first


def fidelity_clips() -> dict[str, dict]:
    path = ROOT / "benchmarks" / "results" / "fidelity_studio.json"
    results = json.loads(path.read_text(encoding="utf-8"))["results"]
    return {name: clip for part in ("dev", "test") for name, clip in results[part]["clips"].items()}


def test_the_page_on_how_good_it_is_compares_views_over_the_same_activities():
    clips = fidelity_clips()
    r = {view: [clips[f"{name}-{view}"]["acc"] for name in ACTIVITIES] for view in ("oblique", "side", "front")}
    better = {view: sum(a > b for a, b in zip(r["oblique"], r[view], strict=True)) for view in r}
    rows = table_rows((ROOT / "docs" / "how_good.md").read_text(encoding="utf-8"), "view")
    assert rows == [
        [view, f"{np.median(r[view]):.2f}", "" if view == "oblique" else f"{better[view]} of 17"] for view in r
    ]


def test_the_studio_s_page_names_the_clips_in_which_the_pose_model_misses_the_person():
    clips = fidelity_clips()
    missed = {
        f"`{name}` from the {view}": f"{clip['found']:.0%}"
        for (name, _, view), clip in ((name.rpartition("-"), clip) for name, clip in clips.items())
        if clip["found"] <= 0.95 and name in ACTIVITIES
    }
    rows = table_rows((ROOT / "docs" / "studio.md").read_text(encoding="utf-8"), "clip")
    assert {clip: share.replace(" ", "") for clip, share, _ in rows} == missed


def test_every_test_of_the_page_on_quirks_is_in_the_files_that_it_names():
    page = (ROOT / "docs" / "development" / "quirks.md").read_text(encoding="utf-8")
    _, *sections = page.split("\n## ")
    for section in sections:
        files = re.findall(r"`(tests/\S+\.py)`", section)
        there = {
            name for file in files for name in re.findall(r"^def (test_\w+)", (ROOT / file).read_text("utf-8"), re.M)
        }
        rows = table_rows(section + "\n", "quirk")
        named = [re.findall(r"`(test_\w+)`", tests) for _, tests in rows]
        assert all(named), section.partition("\n")[0]
        assert [name for names in named for name in names if name not in there] == []


def test_every_data_set_has_a_page_with_its_card_and_its_picture():
    pages = {page.stem: page.read_text(encoding="utf-8") for page in (ROOT / "docs" / "datasets").glob("*.md")}
    index, *_ = (pages.pop(name) for name in ("index", "imutube", "speed", "folder", "converted"))
    assert sorted(pages) == sorted(DATASETS)
    for name, text in pages.items():
        assert f"[`{name}`]({name}.md) | {len(DATASETS[name].subjects)} |" in index
        assert text.startswith(f"```{{include}} ../../har_virtual/datasets/cards/{name}.md\n```\n")
        assert f"](../images/dataset_{name}.png)" in text


@pytest.mark.parametrize(
    "card", sorted((ROOT / "har_virtual" / "datasets" / "cards").glob("*.md")), ids=lambda card: card.stem
)
def test_what_a_card_imports_is_there(card):
    lines = re.findall(r"^    (from har_virtual\S* import .+)$", card.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert lines
    for line in lines:
        module, names = re.fullmatch(r"from (\S+) import (.+)", line).groups()
        assert all(hasattr(importlib.import_module(module), name.strip()) for name in names.split(","))


def test_every_collection_of_videos_has_a_page_with_its_card_and_a_row():
    pages = {
        page.stem: page.read_text(encoding="utf-8") for page in (ROOT / "docs" / "datasets" / "videos").glob("*.md")
    }
    index = pages.pop("index")
    # Both sizes of NTU RGB+D have one card.
    assert sorted(pages) == sorted({name.removesuffix("_120") for name in VIDEO_COLLECTIONS})
    for name, text in pages.items():
        assert f"]({name}.md) | " in index
        assert text.startswith(f"```{{include}} ../../../har_virtual/datasets/cards/{name}.md\n```\n")
        assert f'list_videos("{name}", "datasets/{name}"' in text


LOADED = {
    "pamap2": "PAMAP2",
    "opportunity": "Opportunity",
    "realworld_exact": "RealWorld, even stamps",
    "realworld_jitter": "RealWorld, uneven stamps",
}
OVER = ("over_peer", "over_peer_with_others")


def speed_of_loading() -> tuple[dict[str, dict], dict[str, float]]:
    path = ROOT / "benchmarks" / "results" / "speed_loading.json"
    results = json.loads(path.read_text(encoding="utf-8"))["results"]
    return {title: results[name] for name, title in LOADED.items()}, results["targets"]


def test_the_page_on_loading_has_the_figures_of_the_results():
    cases, targets = speed_of_loading()
    reached = []

    def cell(ratio: float, target: float | None = None) -> str:
        missed = target is not None and ratio > target
        reached.extend([] if target is None else [not missed])
        return f"**{ratio:.2f}**" if missed else f"{ratio:.2f}"

    time, memory = [], []
    for title, case in cases.items():
        over, whole = ({way: row["median"] for way, row in case[peer].items()} for peer in OVER)
        uncached, cached = cell(over["uncached"], targets["uncached"]), cell(over["cached"], targets["cached"])
        others = [cell(over[way]) for way in ("first_call_cached", "filling")]
        time.append([title, uncached, cell(whole["uncached"]), cached, *others])
        peaks = case["memory_over_returned"]
        memory.append([title, *(cell(peaks[way], targets["memory"]) for way in ("uncached", "filling", "cached"))])
    page = (ROOT / "docs" / "datasets" / "speed.md").read_text(encoding="utf-8")
    assert table_rows(page, "time") == time
    assert table_rows(page, "memory") == memory
    assert f"Of {len(reached)} figures that have a target, {sum(reached)} reach it." in page


def test_what_the_index_says_of_the_cache_s_speed_is_in_the_results():
    cases, _ = speed_of_loading()

    def over_uncached(way: str) -> list[float]:
        seconds = [
            {mode: np.median([run["seconds"] for run in runs]) for mode, runs in case["processes"].items()}
            for case in cases.values()
        ]
        return [each[way] / each["uncached"] for each in seconds]

    index = " ".join((ROOT / "docs" / "datasets" / "index.md").read_text(encoding="utf-8").split())
    cached, filling = over_uncached("cached"), over_uncached("filling")
    assert f"takes {min(cached):.0%} to {max(cached):.0%} of the time without a cache" in index
    assert f"the first call takes {min(filling):.1f} to {max(filling):.1f} times as long" in index


def test_what_is_said_of_recognising_people_left_out_is_in_the_results():
    path = ROOT / "benchmarks" / "results" / "loso_sp_sw_har.json"
    results = json.loads(path.read_text(encoding="utf-8"))["results"]
    page = (ROOT / "docs" / "datasets" / "sp_sw_har.md").read_text(encoding="utf-8")

    def score(row: dict) -> str:
        return f"{row['macro_f1']:.3f} ({row['low']:.3f} to {row['high']:.3f})"

    rows = {"phone and watch": "together", "phone": "left_thigh", "watch": "left_wrist"}
    assert table_rows(page, "devices") == [
        [title, score(results[name]), f"{results[name]['mean_over_subjects']:.3f}"] for title, name in rows.items()
    ]
    by_subject = results["together"]["f1_by_subject"]
    lowest = min(by_subject, key=by_subject.get)
    said = " ".join(page.split())
    assert f"The lowest of the {len(by_subject)} is {lowest.partition('/')[2]} with {by_subject[lowest]:.3f}" in said
    assert f"always guessing walking {results['together']['most_frequent_class']:.3f}" in said
    both, phone, watch = (score(results[name]) for name in rows.values())
    assert f"{both}; the phone alone {phone}, the watch alone {watch}" in README
