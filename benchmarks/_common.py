"""What every benchmark needs: the real data's folder and one way to write a result."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from har_virtual.files import atomic_path

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"


def data_folder() -> Path:
    """Folder of the real data: HAR_VIRTUAL_TEST_DATA, else ../shared/data beside the repository."""
    folder = Path(os.environ.get("HAR_VIRTUAL_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        raise FileNotFoundError(f"no real data at {folder}; set HAR_VIRTUAL_TEST_DATA")
    return folder


def write_result(name: str, protocol: str, results: dict[str, Any], seed: int | None = None) -> Path:
    """Write `results` to benchmarks/results/<name>.json with versions, machine, date, protocol and seed."""
    document = {
        "name": name,
        "protocol": " ".join(protocol.split()),
        "seed": seed,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": _machine(),
        "versions": _versions(),
        "results": results,
    }
    path = RESULTS / f"{name}.json"
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(document, indent=2, ensure_ascii=False, default=_to_builtin) + "\n")
    return path


def _machine() -> dict[str, Any]:
    return {"cpu": _cpu(), "cores": os.cpu_count(), "system": platform.system(), "architecture": platform.machine()}


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()


def _versions() -> dict[str, str]:
    """Python and every installed distribution whose package this process has imported."""
    packages = {name.partition(".")[0] for name in sys.modules}
    owners = importlib.metadata.packages_distributions()
    names = {owner for package in packages for owner in owners.get(package, [])}
    return {"python": platform.python_version()} | {n: importlib.metadata.version(n) for n in sorted(names)}


def _to_builtin(value: Any) -> Any:
    """Turn numpy scalars and arrays into what JSON knows."""
    return value.tolist()
