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


def test_every_module_is_imported_with_the_core_dependencies_alone():
    blocked = modules_outside_the_core()
    assert {"pytest", "matplotlib", "cv2", "av"} <= blocked
    assert not {"numpy", "pandas", "sklearn", "pyarrow", "cyclopts"} & blocked
    output = run_python(
        f"blocked = {sorted(blocked)!r}\n"
        "class Block:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] in blocked:\n"
        "            raise ModuleNotFoundError(f'{name} is not a core dependency', name=name)\n"
        "sys.meta_path.insert(0, Block())\n"
        "import importlib, pkgutil, har_virtual\n"
        "for module in pkgutil.walk_packages(har_virtual.__path__, 'har_virtual.'):\n"
        "    if module.name.endswith('__main__'):\n"
        "        continue\n"
        "    importlib.import_module(module.name)\n"
        "    print(module.name)"
    )
    folder = ROOT / "har_virtual"
    files = set(folder.rglob("*.py")) - {folder / "__init__.py", folder / "__main__.py"}
    assert len(output.split()) == len(files)


def test_every_public_name_is_there():
    for name in har_virtual.__all__:
        assert getattr(har_virtual, name) is not None
    assert set(har_virtual.__all__) <= set(dir(har_virtual))


def test_modules_are_reached_from_the_package():
    assert har_virtual.signal.resample.__module__ == "har_virtual.signal"
    assert issubclass(har_virtual.exceptions.VideoError, OSError)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Recordings'"):
        har_virtual.Recordings  # noqa: B018
