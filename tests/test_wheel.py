"""The wheel holds the whole package, and the command works where it is installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

import har_virtual
from har_virtual.datasets.registry import DATASETS, VIDEO_COLLECTIONS

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.slow


def run(*command: str | Path, cwd: Path, status: int = 0) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """A wheel built of a copy of the sources, without network."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "har_virtual", source / "har_virtual", ignore=shutil.ignore_patterns("__pycache__"))
    pip = (sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-index", "--no-build-isolation")
    run(*pip, "--wheel-dir", out, source, cwd=source)
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory) -> Path:
    """The folder of commands of an environment that holds the wheel, and borrows its dependencies from this one."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True, with_pip=False)
    python = folder / "bin" / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", wheel, cwd=folder)
    site_packages = next(folder.glob("lib/python*/site-packages"))
    (site_packages / "borrowed.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    return folder / "bin"


def test_the_wheel_holds_every_file_of_the_package_and_nothing_else(wheel):
    package = ROOT / "har_virtual"
    wanted = {
        path.relative_to(ROOT).as_posix()
        for path in package.rglob("*")
        if path.suffix in (".py", ".md", ".csv") or path.name == "py.typed"
    }
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert names == wanted


def test_the_installed_command_gives_its_version(environment, tmp_path):
    assert har_virtual.__version__ in run(environment / "har-virtual", "--version", cwd=tmp_path)


def test_the_installed_command_explains_itself(environment, tmp_path):
    assert "convert" in run(environment / "har-virtual", "--help", cwd=tmp_path)


def test_the_installed_package_is_the_one_of_the_wheel(environment, tmp_path):
    where = run(environment / "python", "-c", "import har_virtual; print(har_virtual.__file__)", cwd=tmp_path)
    assert Path(where.strip()).is_relative_to(environment.parent)


def test_the_installed_command_lists_the_data_sets_and_has_their_cards(environment, tmp_path):
    listed = run(environment / "har-virtual", "datasets", "list", cwd=tmp_path)
    for name in (*DATASETS, *VIDEO_COLLECTIONS):
        assert f"\n{name} " in listed
    assert "## Terms" in run(environment / "har-virtual", "datasets", "info", "mm_fit", cwd=tmp_path)
    # One process for all others: each start of the command takes over a second.
    cards = "from har_virtual.datasets import *; print(*({**DATASETS, **VIDEO_COLLECTIONS}[n].describe() for n in %r))"
    names = [*DATASETS, *VIDEO_COLLECTIONS]
    said = run(environment / "python", "-c", cards % names, cwd=tmp_path)
    assert said.count("\n## Terms\n") == len(names)


# One of each kind of file: text, arrays, a pickle, annotations with a video, names of videos.
@pytest.mark.parametrize("name", ["pamap2", "mm_fit", "flag3d", "kinetics700", "ntu_rgbd"])
def test_the_installed_command_checks_a_sample(environment, tmp_path, name):
    # A sample is not complete.
    said = run(environment / "har-virtual", "datasets", "check", name, ROOT / "datasets" / name, cwd=tmp_path, status=1)
    assert " 0 damaged" in said
    assert "Minutes of each class:" in said


def test_the_installed_command_says_what_to_do_in_an_empty_folder(environment, tmp_path):
    run(environment / "har-virtual", "datasets", "check", "pamap2", tmp_path, cwd=tmp_path, status=2)
