"""Importing is cheap, and the core needs nothing but the core dependencies."""

from __future__ import annotations

import configparser
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import har_virtual

ROOT = Path(__file__).parents[1]

# Modules under it are built of torch and skorch, and are imported when a network is made.
NETWORKS = "har_virtual.models.networks."


def run_python(code: str) -> str:
    """Run code in a new interpreter that sees this checkout first, and give what it prints."""
    prelude = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
    command = [sys.executable, "-W", "error", "-c", prelude + code]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def core_requirements() -> list[str]:
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg", encoding="utf-8")
    return settings["options"]["install_requires"].split()


def with_dependencies(requirements: list[str]) -> set[str]:
    """Names of the distributions that installing `requirements` brings, themselves included."""
    found: set[str] = set()
    pending = [(Requirement(text), "") for text in requirements]
    while pending:
        requirement, extra = pending.pop()
        name = canonicalize_name(requirement.name)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
            continue
        if name in found and not requirement.extras:
            continue
        found.add(name)
        for inner in ("", *requirement.extras):
            pending.extend((Requirement(text), inner) for text in metadata.requires(name) or [])
    return found


def modules_outside_the_core() -> set[str]:
    """Top-level modules that only an extra, or somebody else, has installed here."""
    core = with_dependencies(core_requirements()) | {"har-virtual"}
    return {
        module
        for module, owners in metadata.packages_distributions().items()
        if not core & {canonicalize_name(owner) for owner in owners}
    }


def test_import_takes_under_a_second_and_loads_nothing_but_the_standard_library():
    output = run_python(
        "import time\n"
        "before, start = set(sys.modules), time.perf_counter()\n"
        "import har_virtual\n"
        "seconds = time.perf_counter() - start\n"
        "loaded = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(seconds, *sorted(loaded - sys.stdlib_module_names))"
    )
    seconds, *loaded = output.split()
    assert loaded == ["har_virtual"]
    assert float(seconds) < 1.0


BLOCK = """
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] in blocked:
            raise ModuleNotFoundError(f'{name} is not a core dependency', name=name)
sys.meta_path.insert(0, Block())
"""


def test_every_module_is_imported_with_the_core_dependencies_alone():
    blocked = modules_outside_the_core()
    assert {"pytest", "matplotlib", "cv2", "av", "torch", "skorch", "safetensors"} <= blocked
    assert not {"numpy", "pandas", "sklearn", "pyarrow", "cyclopts"} & blocked
    output = run_python(
        f"blocked = {sorted(blocked)!r}\n{BLOCK}"
        "import importlib, pkgutil, har_virtual\n"
        "for module in pkgutil.walk_packages(har_virtual.__path__, 'har_virtual.'):\n"
        f"    if module.name.endswith('__main__') or module.name.startswith({NETWORKS!r}):\n"
        "        continue\n"
        "    importlib.import_module(module.name)\n"
        "    print(module.name)"
    )
    folder = ROOT / "har_virtual"
    files = set(folder.rglob("*.py")) - {folder / "__init__.py", folder / "__main__.py"}
    networks = set((folder / "models" / "networks").rglob("*.py")) - {folder / "models" / "networks" / "__init__.py"}
    assert networks
    assert len(output.split()) == len(files - networks)


def test_what_needs_an_absent_package_says_how_to_install_it():
    output = run_python(
        f"blocked = ['torch', 'skorch', 'safetensors']\n{BLOCK}"
        "from har_virtual.exceptions import MissingDependencyError\n"
        "from har_virtual.models import DeepConvLSTMClassifier, load_model\n"
        "for wanting in (lambda: DeepConvLSTMClassifier().fit([[0.0], [1.0]], [0, 1]), lambda: load_model('net')):\n"
        "    try:\n"
        "        wanting()\n"
        "    except MissingDependencyError as error:\n"
        "        print(error)"
    )
    assert output.count("pip install 'har_virtual[deep]'") == 2


def test_every_public_name_is_there():
    for name in har_virtual.__all__:
        assert getattr(har_virtual, name) is not None
    assert set(har_virtual.__all__) <= set(dir(har_virtual))


def test_the_networks_are_loaded_when_they_are_used():
    output = run_python(
        "from har_virtual import models\n"
        "from har_virtual.models import networks\n"
        "before = 'torch' in sys.modules\n"
        "made = [getattr(networks, name).__name__ for name in networks.__all__]\n"
        "print(before, 'torch' in sys.modules, made == networks.__all__, set(made) <= set(dir(networks)))"
    )
    assert output == "False True True True"


def test_modules_are_reached_from_the_package():
    assert har_virtual.signal.resample.__module__ == "har_virtual.signal"
    assert issubclass(har_virtual.exceptions.VideoError, OSError)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Recordings'"):
        har_virtual.Recordings  # noqa: B018
