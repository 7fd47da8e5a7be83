"""The documentation holds what the code does: public names, sites, examples, and the commands that CI runs."""

from __future__ import annotations

import doctest
import importlib
import inspect
import json
import os
import re
import subprocess
import sys
from operator import attrgetter
from pathlib import Path

import pytest

import har_virtual
from har_virtual.imu import SITES

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted(page for page in (ROOT / "docs").rglob("*.md") if "_build" not in page.parts)

# Single modules whose public names are documented beside the packages'.
MODULES = ("har_virtual.exceptions", "har_virtual.signal")


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
    packages = {f"har_virtual.{init.parent.name}" for init in (ROOT / "har_virtual").glob("*/__init__.py")}
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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_examples_of_a_page_give_what_the_page_says(page):
    blocks = [block for block in fenced(page.read_text(encoding="utf-8"), "python") if ">>>" in block]
    test = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, page.name, str(page), 0)
    report: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(test, out=report.append)
    assert not report, "".join(report)


def test_the_readme_has_one_command_for_the_job_and_one_for_the_tests():
    convert, tests = fenced(README, "bash")
    for command in (convert, tests):
        assert command.count("\n") == 1, "a command is one line to copy"
        assert "pip install -c constraints.txt" in command
    assert "har-virtual convert" in convert
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


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> str:
    return str(tmp_path_factory.mktemp("cache"))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["README.md", "docs/quickstart.md"])
def test_the_python_example_runs_on_a_real_video(name, test_data, tmp_path, cache):
    blocks = [b for b in fenced((ROOT / name).read_text(encoding="utf-8"), "python") if "VideoClip(" in b]
    (tmp_path / "walk.mp4").symlink_to(test_data / "video" / "sports2d_demo.mp4")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "\n".join(blocks)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "HAR_VIRTUAL_CACHE": cache},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "left_wrist_acc_x" in done.stdout


def test_the_readme_s_figures_are_those_of_the_results():
    def result(name: str) -> dict:
        return json.loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text(encoding="utf-8"))["results"]

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    convert, sort = result("speed_convert"), result("speed_sort")
    short, *_, long = convert["memory"]
    default = result("fidelity_pose2sim")["methods"]["fixed rotation, on the keypoints' rays, depth smoothed (default)"]
    for figure in (
        f"{convert['speed']['ratio']:.2f} times, {convert['speed']['conversion_ms_a_frame']:.0f} ms a frame",
        f"peak memory {short['peak_mib']:.0f} MiB for 10 s of video, {long['peak_mib']:.0f} MiB for 5 min",
        f"MOTA {sort['scores']['har_virtual']['mota']:.3f}",
        f"r {default['r_across']:.2f} across the line of sight, {default['r_along']:.2f} along it",
        f"RMSE {default['rmse_across']:.1f} and {default['rmse_along']:.1f} m/s²",
    ):
        assert figure in readme, figure
