"""Rooms are stacked: a module imports only from rooms above its own, loads nothing heavy at its top level, is small."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "har_virtual"

# A room is a module or a folder directly under har_virtual/.
ROOMS = """
    exceptions _optional checks files signal rotation recording skeleton windows
    video pose camera motion imu conversion
    datasets features adaptation augmentation model_selection models multimodal evaluation studio testing
    cli __main__
""".split()
HEAVY = {"torch", "skorch", "safetensors", "cv2", "av", "mediapipe", "open3d", "matplotlib"}
# The one folder whose modules are built of what they import, classes of PyTorch. All else reaches it inside functions.
NETWORKS = "har_virtual.models.networks"
BUILDING_BLOCKS = {"torch", "skorch"}
MAX_FILE_LINES, MAX_FUNCTION_LINES = 500, 60

MODULES = [path for path in sorted(PACKAGE.rglob("*.py")) if path != PACKAGE / "__init__.py"]


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_names(node: ast.AST) -> list[str]:
    """Dotted names that an import statement loads; ``from a import b`` may load ``a.b``."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        base = "." * node.level + (node.module or "")
        return [f"{base}.{alias.name}" for alias in node.names]
    return []


def rooms_imported(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        for name in imported_names(node):
            if name.startswith("."):
                raise AssertionError(f"relative import {name}: write it in full, so that its room can be seen")
            package, _, rest = name.partition(".")
            if package == "har_virtual" and rest != "__version__":
                yield rest.split(".")[0] or "the package itself"


def top_level_imports(source: str) -> Iterator[str]:
    """Names imported as soon as the module is: neither in a function nor for type checkers only."""
    pending = list(ast.parse(source).body)
    while pending:
        node = pending.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            pending.extend(node.orelse)
            continue
        yield from imported_names(node)
        pending.extend(ast.iter_child_nodes(node))


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def heavy_at_the_top(module: str, source: str) -> list[str]:
    """What a module loads when it is imported and should not: heavy packages, and the networks, which load torch.

    The folder of networks itself is imported beside any of its modules, and is held to the same as all others.
    """
    inside = module.startswith(f"{NETWORKS}.")
    found = set()
    for name in top_level_imports(source):
        package = name.partition(".")[0]
        if package in HEAVY - (BUILDING_BLOCKS if inside else set()):
            found.add(package)
        if f"{name}.".startswith(f"{NETWORKS}.") and not inside:
            found.add(NETWORKS)
    return sorted(found)


def long_functions(source: str) -> list[str]:
    """Names of the functions with too many lines, docstrings left out."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            skipped = node.body[0].end_lineno - node.body[0].lineno + 1 if ast.get_docstring(node) is not None else 0
            if node.end_lineno - node.lineno + 1 - skipped > MAX_FUNCTION_LINES:
                found.append(node.name)
    return found


def wrong_directions(room: str, source: str) -> list[str]:
    allowed = ROOMS[: ROOMS.index(room) + 1]
    return sorted({other for other in rooms_imported(source) if other not in allowed})


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_module_imports_only_from_rooms_above_it(path):
    room = room_of(path)
    assert room in ROOMS, f"{room} is no room; give it a place in ROOMS and in docs/development/decisions.md"
    wrong = wrong_directions(room, path.read_text(encoding="utf-8"))
    assert not wrong, f"{room} may not import from {wrong}: what it needs from there comes in as an argument"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_module_loads_nothing_heavy_when_it_is_imported(path):
    loaded = heavy_at_the_top(module_name(path), path.read_text(encoding="utf-8"))
    assert not loaded, "import these where they are used, through har_virtual._optional.import_optional"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_module_and_its_functions_stay_small(path):
    source = path.read_text(encoding="utf-8")
    assert source.count("\n") <= MAX_FILE_LINES
    assert long_functions(source) == []


def test_every_folder_of_the_package_is_a_package():
    folders = {path.parent for path in PACKAGE.rglob("*.py")}
    assert sorted(folder.name for folder in folders if not (folder / "__init__.py").is_file()) == []


def test_the_check_sees_imports_of_lower_rooms_wherever_they_stand():
    inside = "def f():\n    from har_virtual.conversion.estimator import VideoToVirtualIMU\n"
    assert wrong_directions("imu", inside) == ["conversion"]
    assert wrong_directions("imu", "from har_virtual import cli\n") == ["cli"]
    assert wrong_directions("imu", "import har_virtual.signal\nfrom har_virtual.imu.sites import SITES\n") == []


def test_the_check_sees_heavy_imports_at_the_top_only():
    assert list(top_level_imports("try:\n    import cv2\nexcept ImportError:\n    cv2 = None\n")) == ["cv2"]
    assert list(top_level_imports("def f():\n    import cv2\n")) == []
    assert list(top_level_imports("if TYPE_CHECKING:\n    import cv2\n")) == []


@pytest.mark.parametrize(
    "line",
    [
        "import torch",
        "from torch import nn",
        "import har_virtual.models.networks",
        "from har_virtual.models import networks",
        "from har_virtual.models.networks import training",
        "from har_virtual.models.networks.training import train",
    ],
)
def test_the_check_lets_only_modules_of_networks_build_on_torch_and_on_one_another(line):
    for module in (
        "har_virtual.models.deep_conv_lstm",
        "har_virtual.models",
        NETWORKS,
        "har_virtual.models.networks_x",
    ):
        assert heavy_at_the_top(module, f"{line}\n")
        assert heavy_at_the_top(module, f"class Estimator:\n    {line}\n")
        assert not heavy_at_the_top(module, f"def fit():\n    {line}\n")
        assert not heavy_at_the_top(module, f"if TYPE_CHECKING:\n    {line}\n")
    assert not heavy_at_the_top(f"{NETWORKS}.dropout", f"{line}\n")


def test_the_check_lets_networks_load_nothing_else_that_is_heavy():
    assert heavy_at_the_top(f"{NETWORKS}.dropout", "import matplotlib.pyplot, torch\n") == ["matplotlib"]
    assert heavy_at_the_top(f"{NETWORKS}.dropout", "from safetensors.torch import save_file\n") == ["safetensors"]
    assert wrong_directions("models", "from har_virtual.evaluation import evaluate\n") == ["evaluation"]


def test_the_folder_of_networks_is_where_the_check_looks_for_it():
    there = {module_name(path) for path in MODULES}
    assert {NETWORKS, f"{NETWORKS}.training"} <= there
    assert {f"{NETWORKS}.{path.stem}" for path in (PACKAGE / "models" / "networks").glob("[!_]*.py")} <= there


def test_the_check_measures_functions_without_their_docstrings():
    body = "    pass\n" * 59
    assert long_functions(f"def f():\n{body}") == []
    assert long_functions(f"def f():\n{body}    pass\n") == ["f"]
    assert long_functions(f'def f():\n    """One.\n\n    Two.\n    """\n{body}') == []
