"""har-virtual datasets, as a user types it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from har_virtual.cli import main
from har_virtual.datasets.labels import common_labels
from har_virtual.datasets.registry import DATASETS, VIDEO_COLLECTIONS

SAMPLES = Path(__file__).parents[1] / "datasets"


@pytest.fixture
def run(monkeypatch, capfd):
    """Give exit status, standard output and standard error of a command line, in this process."""

    def run_(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["har-virtual", "datasets", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            main()
        return exit_.value.code, *capfd.readouterr()

    return run_


@pytest.fixture
def sample(tmp_path) -> Path:
    """A copy of the sample of PAMAP2 to be damaged."""
    return Path(shutil.copytree(SAMPLES / "pamap2", tmp_path / "PAMAP2_Dataset"))


def fits(text: str) -> bool:
    """Whether all lines but addresses and paths, which cannot be broken, fit into 100 columns."""
    return all(len(line) <= 100 or "http" in line or "/tmp" in line for line in text.splitlines())


def test_list_has_a_line_of_every_data_set(run):
    status, out, err = run("list")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].split()[:4] == ["name", "subjects", "sites", "tasks"]
    for name, dataset in DATASETS.items():
        (line,) = (line for line in lines if line.startswith(f"{name} "))
        assert line.split()[1:3] == [str(len(dataset.subjects)), str(len(dataset.sites))]
        assert ("by fetch" if dataset.source else "by hand") in line
        title = line[lines[0].index("title") :]
        assert dataset.title.lower().startswith(title.lower())
        assert title[0].isupper()
    assert fits(out)


@pytest.mark.parametrize("name", DATASETS)
def test_info_gives_card_sites_tasks_and_classes(run, name):
    status, out, err = run("info", name)
    dataset = DATASETS[name]
    assert (status, err) == (0, "")
    assert out.startswith(dataset.describe().rstrip())
    facts = " ".join(out[len(dataset.describe().rstrip()) :].split())
    assert f"Subjects: {', '.join(dataset.subjects)} " in facts
    assert f"Sites: {', '.join(dataset.sites)} " in facts
    assert all(f"Task {task}: " in facts for task in dataset.tasks)
    assert "Task all: ," not in facts
    assert (f"har-virtual datasets fetch {name} DIR --accept-terms" in facts) == (dataset.source is not None)


@pytest.mark.parametrize("name", VIDEO_COLLECTIONS)
def test_list_and_info_tell_what_collections_of_videos_have(run, name):
    listed = run("list")[1]
    (line,) = (line for line in listed.splitlines() if line.startswith(f"{name} "))
    assert ("by fetch" if VIDEO_COLLECTIONS[name].source else "by hand") in line
    status, out, err = run("info", name)
    card = VIDEO_COLLECTIONS[name].describe().rstrip()
    assert (status, err) == (0, "")
    assert out.startswith(card)
    facts = " ".join(out[len(card) :].split())
    assert all(f"{own} ({common})" in facts for own, common in common_labels(name).items())
    assert f"Splits: {', '.join(VIDEO_COLLECTIONS[name].splits) or 'none'} " in facts


def test_list_names_an_activity_of_a_collection_once(run):
    charades = run("list")[1].partition("\ncharades ")[2].partition("\nhmdb51 ")[0].split()
    assert charades.count("sitting,") == charades.count("lying,") == 1


@pytest.mark.parametrize("name", VIDEO_COLLECTIONS)
def test_check_of_a_collection_counts_its_videos_and_names_those_that_are_missing(run, name):
    status, out, err = run("check", name, SAMPLES / name.removesuffix("_120"), "--verbose", 0)
    assert (status, err) == (1, "")
    assert "Not complete: " in out
    assert " 0 damaged" in out
    assert "Missing: " in out or "videos that were published are there" in out
    assert "Minutes of each class:" in out
    assert fits(out)


def test_info_names_the_classes_of_a_task_without_a_list_of_its_own(run):
    assert "\nTask all: climbingdown, climbingup, jumping, " in run("info", "realworld")[1]


@pytest.mark.parametrize("name", DATASETS)
def test_check_reads_every_sample_and_says_what_it_lacks(run, name):
    status, out, err = run("check", name, SAMPLES / name, "--verbose", 0)
    assert status == 1
    assert err == ""
    assert "Not complete: " in out
    assert " 0 damaged" in out
    assert "Missing: " in out
    assert fits(out)
    total = out.split("Minutes of each class:\n")[1].split()[-1]
    assert float(total) > 0


def test_check_of_a_damaged_file_names_it_and_reads_the_others(run, sample):
    with (sample / "Protocol/subject108.dat").open("a", encoding="utf-8") as file:
        file.write("1 2 3\n")
    status, out, _ = run("check", "pamap2", sample.parent)
    assert status == 1
    assert ", 1 damaged, 2 cut short.\n" in out
    assert "Protocol/subject108.dat, line" in " ".join(out.split())
    assert out.split("class ")[-1].split("\n")[0].split() == ["101", "109", "total"]


def test_check_counts_the_classes_of_the_task_that_was_asked_for(run, sample):
    _, out, _ = run("check", "pamap2", sample, "--task", "8-class", "--n-jobs", 2)
    assert "car_driving" not in out
    assert "descending_stairs" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("check", "pamap3", "."), "There is no data set 'pamap3'; there are flag3d, mm_fit, opportunity, pamap2"),
        (("info", "pamap3"), "There is no data set 'pamap3'"),
        (("info", "folder"), "load_folder and load_converted read files of your own."),
        (("fetch", "pamap3", "."), "There is no data set 'pamap3'"),
        (("check", "pamap2", "nowhere"), "nowhere is no folder; data_home must be the folder that holds Protocol/"),
        (("check", "pamap2", SAMPLES / "pamap2" / "Protocol"), f"pass {SAMPLES / 'pamap2'}"),
        (("check", "pamap2", SAMPLES / "pamap2", "--task", "9-class"), "9-class; there is all, 8-class"),
        (("check", "pamap2", SAMPLES / "pamap2", "--n-jobs", "0"), "n_jobs"),
        (("check", "pamap2"), "DATA_HOME requires an argument"),
    ],
)
def test_a_wrong_name_or_folder_is_one_line_and_status_2(run, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    (line,) = err.splitlines()
    assert line.startswith("har-virtual: ")
    # Some versions of cyclopts quote it.
    assert said in line.replace('"', "")


@pytest.mark.parametrize("name", [*DATASETS, *VIDEO_COLLECTIONS])
def test_check_of_an_empty_folder_says_how_to_get_the_data(run, tmp_path, name):
    # Deep, for the right folder is looked for above: other tests' files are none of it.
    folder = tmp_path.joinpath(*"abcd")
    folder.mkdir(parents=True)
    status, _, err = run("check", name, folder)
    assert status == 2
    assert "is empty" in err
    assert f"har-virtual datasets info {name}" in err


def test_a_reader_that_has_enough_is_no_error():
    command = [sys.executable, "-m", "har_virtual", "datasets", "info", "pamap2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


def test_fetch_shows_the_terms_and_waits_for_consent(run, tmp_path):
    status, out, err = run("fetch", "pamap2", tmp_path)
    assert (status, out) == (2, "")
    assert "Creative Commons Attribution 4.0" in err
    assert f"har-virtual datasets fetch pamap2 {tmp_path} --accept-terms" in err
    assert list(tmp_path.iterdir()) == []


def test_fetch_of_a_data_set_without_an_address_says_how_to_get_it(run, tmp_path):
    by_hand = next(name for name, dataset in DATASETS.items() if dataset.source is None)
    status, _, err = run("fetch", by_hand, tmp_path, "--accept-terms")
    assert status == 1
    assert "cannot be fetched by a program" in err
    assert "http" in err


def test_fetch_of_an_archive_that_is_there_unpacks_it_and_says_where(run, tmp_path):
    archive = tmp_path / DATASETS["opportunity"].source.file_name
    shutil.make_archive(str(archive.with_suffix("")), "zip", SAMPLES / "opportunity", "dataset")
    for _ in range(2):
        status, out, err = run("fetch", "opportunity", tmp_path)
        assert (status, err) == (0, "")
        assert out == (
            f"Opportunity is in {tmp_path / 'dataset'}; har-virtual datasets check opportunity {tmp_path} reads all of "
            "it.\n"
        )
    assert (tmp_path / "dataset/S1-ADL1.dat").read_bytes() == (SAMPLES / "opportunity/dataset/S1-ADL1.dat").read_bytes()
